// `warifu/consent`: golden values, a key that cannot be extracted, and the decisions of the native library.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { annex, decide, filter, fromQr, render, sign, signerFromCryptoKey, toQr, tokenHash, verify, verifyHistory, verifyInclusion, WarifuError } from "warifu/consent";
import { root } from "./support.mjs";

const cwd = fileURLToPath(root);
const golden = (name) => readFileSync(new URL(`crates/warifu-consent/tests/golden/${name}.jwt`, root), "utf8").trim();
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/** RFC 8032 test 1 as PKCS #8. */
const pkcs8 = Buffer.from("302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
const key = () => crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
const context = { now: 1_790_000_100, keys: [{ class: "patient", x }] };
const clinic = "mi:1312345678";
const master = new TextEncoder().encode(JSON.stringify({ v: 1, version: 20_260_901, contact: "架空割符病院", facilities: [{ code: clinic, ja: "架空割符診療所", en: "Kaku Warifu Clinic" }] }));

test("the golden tokens are made byte for byte by a key that cannot be extracted", async () => {
  const own = await key();
  assert.equal(own.extractable, false);
  const signer = await signerFromCryptoKey(own, { x });
  assert.equal(signer.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  for (const [name, typ, hash] of [
    ["grant", "consent-grant+jwt", "CEj75Hs_UnI49mAl75Fq9303TVXS3E89P6H6HE7FsYI"],
    ["revoke", "consent-revoke+jwt", "cuP1zyQkWZuTj3gTlr-IHjJtuDU5ov9Rh0AtxYofgzs"],
  ]) {
    const made = await sign(typ, claims(golden(name)), signer);
    assert.deepEqual(made, { ok: true, token: golden(name) });
    assert.equal(tokenHash(made.token), hash);
    const verified = verify(made.token, context);
    assert.deepEqual([verified.ok, verified.hash, verified.claims], [true, hash, claims(made.token)]);
    assert.equal(fromQr(toQr(made.token)), made.token);
  }
  const bytes = annex({ salt: new Uint8Array(16), src: ["mi:1318765432"], lbl: ["PSY"] });
  assert.equal(new TextDecoder().decode(bytes), '{"lbl":["PSY"],"res":[],"salt":"AAAAAAAAAAAAAAAAAAAAAA","src":["mi:1318765432"],"v":1}');
});

test("refusals name reason, step and claim", async () => {
  const grant = golden("grant");
  const reason = (token, more) => verify(token, { ...context, ...more });
  assert.equal(reason(`${grant.slice(0, -4)}AAAA`).reason, "SIG");
  assert.equal(reason(grant, { typ: ["consent-deny+jwt"] }).reason, "TYP");
  assert.equal(reason(grant, { keys: [] }).reason, "KEY_UNKNOWN");
  assert.equal(reason(grant, { keys: [{ class: "patient", x, state: "compromised", at: 1 }] }).reason, "KEY_COMPROMISED");
  assert.deepEqual(reason(grant, { annex: new Uint8Array(2), lang: "en" }), { ok: false, reason: "ANNEX_HASH", step: 18, claim: "anx", text: "Not accepted: it came with another list of exclusions." });
  assert.equal(reason(grant, { bindings: [], master }).reason, "SUB");
  const signer = await signerFromCryptoKey(await key(), { x });
  assert.equal((await sign("consent-grant+jwt", {}, signer)).reason, "CLAIM_MISSING");
  const liar = { ...signer, sign: async () => new Uint8Array(64) };
  assert.equal((await sign("consent-revoke+jwt", claims(golden("revoke")), liar)).reason, "SIG");
  const invalid = (e) => e instanceof WarifuError && e.code === "invalid-option";
  assert.throws(() => verify(grant, {}), invalid);
  assert.equal(reason(grant, { now: 4_102_444_800 }).reason, "EXPIRED");
  assert.equal(reason(grant, { now: 4_102_444_800, receipt: 1_790_000_100 }).ok, true);
  assert.throws(() => decide({ policy: "{}" }, {}, {}), invalid);
  await assert.rejects(signerFromCryptoKey({}, { x }), invalid);
});

test("a text is rendered, signed, and verified again from the claims", async () => {
  const bytes = annex({});
  const base = claims(golden("grant"));
  delete base.txt;
  for (const lang of ["ja", "ja-easy", "en"]) {
    const shown = render({ typ: "consent-grant+jwt", lang }, base, bytes, master);
    assert.ok(shown.ok && shown.text.endsWith("\n"));
    const { token } = await sign("consent-grant+jwt", shown.claims, await signerFromCryptoKey(await key(), { x }));
    assert.equal(verify(token, { ...context, annex: bytes, master }).ok, true);
    const forged = await sign("consent-grant+jwt", { ...shown.claims, exp: base.exp + 172_800 }, await signerFromCryptoKey(await key(), { x }));
    assert.equal(verify(forged.token, { ...context, annex: bytes, master }).reason, "TEXT_MISMATCH");
  }
});

test("a Bundle is cut to what was granted", () => {
  const entry = [
    { resource: { resourceType: "Patient", id: "p" } },
    { resource: { resourceType: "Condition", id: "c", subject: { reference: "Patient/p" } } },
    { resource: { resourceType: "MedicationRequest", id: "m", subject: { reference: "Patient/p" } } },
  ];
  const bundle = new TextEncoder().encode(JSON.stringify({ resourceType: "Bundle", type: "collection", entry }));
  const grant = { jti: "j", hash: "h", kid: "k", received: 1, aud: [clinic], pur: ["TREAT"], cat: ["inf.rx"], nbf: 1, exp: 9, annex: {} };
  const request = { who: "recipient", code: clinic, purpose: "TREAT", at: 2 };
  const out = filter(bundle, { state: { grants: [grant] }, request, facts: { src: "mi:1319999999" } });
  const kinds = JSON.parse(new TextDecoder().decode(out.bundle)).entry.map((e) => e.resource.resourceType);
  assert.deepEqual(kinds.sort(), ["MedicationRequest", "Patient"]);
  assert.deepEqual(out.withheld.map((w) => [w.type, w.reason]), [["Condition", "CATEGORY"], ["Patient", "CATEGORY"]].filter(([t]) => out.withheld.some((w) => w.type === t)));
  assert.throws(() => filter(new Uint8Array(1), { state: {}, request, facts: { src: "a" } }), WarifuError);
});

test("lines of the log: a good history, a gap, and a proof that is none", () => {
  assert.deepEqual(verifyHistory("", { sub: "s1.EBESExQVFhcYGRobHB0eHw" }), { ok: true });
  assert.equal(verifyHistory("{}", { sub: "s1.EBESExQVFhcYGRobHB0eHw" }).reason, "HISTORY_FORM");
  assert.throws(() => verifyInclusion("x", "y", { log: "z" }), WarifuError);
});

test("100,000 generated states are decided as the native library decides them", () => {
  const tool = process.env.WARIFU_STATES;
  const [program, args] = tool ? [tool, []] : ["cargo", ["run", "--quiet", "--package", "warifu-tests", "--bin", "consent-states", "--"]];
  const lines = execFileSync(program, [...args, "100000"], { cwd, encoding: "utf8", maxBuffer: 1 << 30 }).trimEnd().split("\n");
  const policy = JSON.parse(lines.shift());
  let differing = 0;
  for (const line of lines) {
    const { request, item, expected, ...state } = JSON.parse(line);
    const d = decide({ ...state, policy }, request, item);
    const mine = [d.basis ?? "-", d.reason, d.grants.join(), d.obligations.join(), d.stale].join("|");
    if (mine !== expected) differing += 1;
  }
  assert.equal(differing, 0);
  assert.equal(lines.length, 100_000);
});
