// The API of `warifu/consent`: JSON over the module's text, and signing with a key that never leaves WebCrypto.
import * as glue from "./wasm/consent.js";
import { initOf, Instance, invalid } from "./core.mjs";

const instance = new Instance(glue);
const entry = { own: instance, known: [] };
/** Most policies that are kept read. */
const MOST = 8;
/** Engines by policy text, of this generation of the instance. */
const engines = new Map();
let generation = -1;

const bytes = (value, what) => {
  if (value === undefined || value === null) return undefined;
  if (!(value instanceof Uint8Array)) throw invalid(`${what} must be a Uint8Array`);
  return value;
};

const base64url = (data) => {
  let text = "";
  for (const byte of data) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

/** The API; `source` and `load` as for the converter. */
export function create({ source, load }) {
  const init = initOf(entry, load);
  const call = (f) => {
    instance.start(source);
    return instance.call(f);
  };
  const engine = (policy) => {
    instance.start(source);
    if (generation !== instance.generation) {
      engines.clear();
      generation = instance.generation;
    }
    let own = engines.get(policy);
    if (!own) {
      if (engines.size >= MOST) {
        const [oldest, old] = engines.entries().next().value;
        engines.delete(oldest);
        instance.call(() => old.free());
      }
      own = instance.call((glue) => new glue.ConsentEngine(policy));
      engines.set(policy, own);
    }
    return own;
  };
  const ask = (policy, f) => {
    const own = engine(policy);
    return instance.call(() => f(own));
  };

  function verify(token, { policy, annex, master, ...context } = {}) {
    const [a, m] = [bytes(annex, "annex"), bytes(master, "master")];
    return JSON.parse(ask(policy, (e) => e.verify(JSON.stringify(context), String(token), a, m)));
  }

  function stateOf({ policy, tokens, ...input }) {
    const rows = tokens.map(({ annex, ...row }) => (annex ? { ...row, annex: base64url(bytes(annex, "annex")) } : row));
    const made = JSON.parse(ask(policy, (e) => e.state(JSON.stringify({ ...input, tokens: rows }))));
    return made.ok && policy !== undefined ? { ok: true, state: { ...made.state, policy } } : made;
  }

  function decide({ policy, ...state }, request, item, { lang, master } = {}) {
    const facilities = bytes(master, "master") && JSON.parse(new TextDecoder().decode(master));
    return JSON.parse(ask(policy, (e) => e.decide(JSON.stringify({ state, request, item, lang, master: facilities }))));
  }

  function render({ typ, lang, policy }, claims, annex, master) {
    const [a, m] = [bytes(annex, "annex"), bytes(master, "master")];
    if (!m) throw invalid("master must be a Uint8Array");
    const made = JSON.parse(ask(policy, (e) => e.render(String(typ), String(lang ?? "ja"), JSON.stringify(claims), a, m)));
    if (!made.ok) return made;
    return { ok: true, bytes: new TextEncoder().encode(made.text), text: made.text, hash: made.hash, claims: made.claims };
  }

  function filter(bundle, { state: { policy, ...state }, person, ...input }) {
    const b = bytes(bundle, "bundle");
    if (!b) throw invalid("bundle must be a Uint8Array");
    const ids = typeof person === "string" ? [person] : person;
    const [out, summary] = ask(policy, (e) => e.filter(b, JSON.stringify({ ...input, person: ids, state })));
    return { bundle: out, ...JSON.parse(summary) };
  }

  function annex({ salt, ...parts }) {
    const random = salt ?? crypto.getRandomValues(new Uint8Array(16));
    return call((glue) => glue.annex(JSON.stringify({ ...parts, salt: base64url(random) })));
  }

  async function signerFromCryptoKey(key, publicJwk) {
    if (key?.type !== "private" || key.algorithm?.name !== "Ed25519" || !key.usages.includes("sign")) {
      throw invalid("key must be a private Ed25519 CryptoKey that may sign");
    }
    const { x } = publicJwk ?? {};
    if (typeof x !== "string") throw invalid("publicJwk must have x");
    const kid = call((glue) => glue.thumbprint(x));
    return Object.freeze({
      kid,
      x,
      sign: async (input) => new Uint8Array(await crypto.subtle.sign("Ed25519", key, input)),
    });
  }

  async function sign(typ, claims, signer) {
    const own = JSON.stringify(claims);
    const made = JSON.parse(call((glue) => glue.signingInput(String(typ), own, signer.x)));
    if (!made.ok) return made;
    const signature = await signer.sign(new TextEncoder().encode(made.input));
    return JSON.parse(call((glue) => glue.join(String(typ), own, signer.x, signature)));
  }

  const answered = (text) => {
    const answer = JSON.parse(text);
    if (answer.reason === "SETTING") throw invalid("the setting is not what it should be");
    return { ...answer, ok: answer.ok === 1 };
  };
  const setting = (trust) => JSON.stringify(trust);

  const verifyInclusion = (leaf, proof, log) => answered(call((glue) => glue.checkInclusion(setting(log), String(leaf), String(proof))));
  const verifyDisclosure = (evidence, asked, log, now) =>
    answered(call((glue) => glue.checkDisclosure(setting({ facilities: [], ...log, ...asked }), String(evidence), now)));
  const verifyHistory = (lines, own) => answered(call((glue) => glue.checkHistory(JSON.stringify(own), String(lines))));
  const tokenHash = (token) => call((glue) => glue.tokenHash(String(token)));
  const textHash = (salt, text) => call((glue) => glue.textHash(base64url(bytes(salt, "salt")), String(text)));
  const toQr = (token) => call((glue) => glue.toQr(String(token)));
  const fromQr = (text) => call((glue) => glue.fromQr(String(text)));

  return { annex, decide, filter, fromQr, init, render, sign, signerFromCryptoKey, stateOf, textHash, toQr, tokenHash, verify, verifyDisclosure, verifyHistory, verifyInclusion };
}
