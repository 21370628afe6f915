// A consent desk behind the portal's interface (docs/server.md): every verdict, token and receipt is
// that of `warifu consent`, run on a folder; here are only the shapes of HTTP.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CLI = process.env.WARIFU_CLI ?? fileURLToPath(new URL("../../target/debug/warifu", import.meta.url));
export const CODE = "1234567890123456";
export const BIRTH = "1968-03-03";
export const CLINIC = "mi:1312345678";

const json = (part) => JSON.parse(Buffer.from(part, "base64url").toString());
export const claimsOf = (token) => json(token.split(".")[1]);
const now = () => Math.floor(Date.now() / 1000);

/** What a server checks of a session proof (consent.md §3.0), by Node's own crypto. */
function checkProof(proof, origin, nonce, known) {
  const [head, payload, signature] = proof.split(".");
  const header = json(head);
  const claims = json(payload);
  assert.deepEqual(Object.keys(header).sort(), ["alg", "kid", "typ"]);
  assert.equal(header.alg, "EdDSA");
  assert.equal(header.typ, "session-proof+jwt");
  const jwk = known ?? claims.jwk;
  const { crv, kty, x } = jwk;
  assert.equal(header.kid, createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url"));
  assert.equal(claims.iss, header.kid);
  assert.equal(claims.aud, origin);
  assert.equal(claims.nonce, nonce);
  assert.ok(claims.exp <= claims.iat + 60);
  const key = createPublicKey({ format: "jwk", key: jwk });
  assert.ok(verify(null, Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, "base64url")), "the signature holds");
  return { kid: header.kid, jwk };
}

/** A fresh desk. `fail` requests find it overloaded; `refuse` is the code the next token is refused with. */
export class Desk {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "warifu-portal-"));
    this.desk = join(this.folder, "desk");
    this.fail = 0;
    this.refuse = undefined;
    this.enrolled = [];
    this.keys = [];
    this.tokens = [];
    this.requests = [];
    this.of = new Map();
    this.declined = [];
    this.bindings = [];
    this.ahead = 0;
    this.records = { resourceType: "Bundle", type: "searchset", entry: [] };
    const made = this.run("init", this.desk, "--origin", "c.example.jp/consent-log", "--uri", "https://c.example.jp/s/1", "--json");
    this.logKey = JSON.parse(made).log;
    this.master = {
      v: 1, version: 1, contact: "架空割符病院 患者相談窓口", facilities: [
        { code: CLINIC, ja: "架空割符診療所", en: "Kaku Warifu Clinic" },
        { code: "mi:1319999999", ja: "架空割符病院", en: "" }],
    };
    writeFileSync(join(this.desk, "master.json"), JSON.stringify(this.master));
    this.policy = readFileSync(join(this.desk, "policy.json"), "utf8");
  }

  close() { rmSync(this.folder, { recursive: true }); }

  now() { return now() + this.ahead; }

  /** Runs `warifu consent …`; a refusal is an answer. */
  run(...words) { return this.told("0000990001", ...words); }

  told(person, ...words) {
    const clock = this.ahead > 0 ? ["--now", String(this.now())] : [];
    try {
      return execFileSync(CLI, ["consent", ...words, "--desk", this.desk, ...clock], { encoding: "utf8", input: `${person}\n`, stdio: ["pipe", "pipe", "pipe"] });
    } catch (error) {
      if (error.stdout) return error.stdout;
      throw error;
    }
  }

  /** The enrolled key becomes a guardian's, too; gives the child's pseudonym. */
  child() {
    const { x } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
    const key = this.file("child.jwk", JSON.stringify({ crv: "Ed25519", kty: "OKP", x }));
    const { sub } = JSON.parse(this.told("0000990002", "enrol", key, "--person", "-", "--json"));
    const own = this.file("key.jwk", JSON.stringify(this.jwk));
    const { token } = JSON.parse(this.run("enrol", own, "--person", "-", "--role", "guardian", "--for", sub, "--until", "2038-05-06", "--until-obj", "2036-05-06", "--json"));
    this.bindings.push(token);
    return sub;
  }

  /** Somebody else's key signs for the person in some things; gives the binding's id. */
  delegate() {
    const { x } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
    const key = this.file("son.jwk", JSON.stringify({ crv: "Ed25519", kty: "OKP", x }));
    const { token } = JSON.parse(this.told("0000990008", "enrol", key, "--person", "-", "--role", "delegate", "--for", this.sub, "--scope", "TREAT,inf.lab", "--json"));
    const { jti } = claimsOf(token);
    const kid = createHash("sha256").update(JSON.stringify({ crv: "Ed25519", kty: "OKP", x })).digest("base64url");
    this.keys.push({ jti, kid, x, state: "active", at: 0, since: now(), role: "delegate", ial: "counter", for: this.sub });
    return jti;
  }

  /** Records of the fixture's patient, as the conversion makes them. */
  convert() {
    const storage = fileURLToPath(new URL("../fixtures/standard_root", import.meta.url));
    const lines = execFileSync(CLI, ["convert", storage, "--to", "bundle", "--per", "patient", "--bundle", "collection", "--institution", "1319999999"], { encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] });
    this.records = JSON.parse(lines.split("\n")[0]);
    return this.records;
  }

  /** What a recipient gets of them now, by the filter of the command line. */
  disclosed(aud, pur = "TREAT") {
    const bundle = this.file("bundle.json", JSON.stringify(this.records));
    const out = join(this.folder, "out.json");
    this.run("filter", bundle, "--sub", this.sub, "--as", aud, "--pur", pur, "--src", "mi:1319999999", "--out", out, "--withheld", join(this.folder, "withheld.json"));
    return JSON.parse(readFileSync(out, "utf8"));
  }

  file(name, content) {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** Institutions ask: one request without individual categories, and one for each individual one. */
  ask(cat, { individual = false, min = cat, group = randomBytes(16).toString("base64url"), pur = ["TREAT"], sub } = {}) {
    const request = { req: randomBytes(16).toString("base64url"), group, at: now(), exp: now() + 86_400, aud: [CLINIC], pur, cat, min, dat: {}, terms: 90 * 86_400, individual };
    this.requests.push(request);
    if (sub) this.of.set(request.req, sub);
    return request;
  }

  open(request) {
    const token = this.run("request", "--sub", this.of.get(request.req) ?? this.sub, "--aud", request.aud.join(), "--pur", request.pur.join(), "--cat", request.cat.join()).trim();
    // The command gives each token a request of its own; a server opens the one that waits.
    const [head, payload] = token.split(".");
    const claims = Buffer.from(JSON.stringify({ ...json(payload), req: request.req })).toString("base64url");
    const key = createPrivateKey(readFileSync(join(this.desk, "secret/server.pem")));
    return { token: `${head}.${claims}.${sign(null, Buffer.from(`${head}.${claims}`), key).toString("base64url")}` };
  }

  accept({ token, annex }) {
    if (this.refuse) {
      const code = this.refuse;
      this.refuse = undefined;
      return { status: 409, body: { code } };
    }
    const words = ["verify", this.file("token.jwt", token), "--accept", "--json"];
    if (annex) words.push("--annex", this.file("annex.json", Buffer.from(annex, "base64url")));
    const verdict = JSON.parse(this.run(...words));
    if (!verdict.ok) return { status: 403, body: { code: verdict.reason, step: verdict.step, detail: verdict.text } };
    const claims = claimsOf(token);
    const at = this.now();
    if (verdict.typ === "consent-revoke+jwt") {
      // The end of a mandate names its binding, which is no token of the list.
      const target = this.tokens.find((t) => t.jti === claims.rev);
      if (target) Object.assign(target, { ended: true, endedAt: at });
      this.keys = this.keys.filter((k) => k.jti !== claims.rev);
      this.tokens.push({ typ: verdict.typ, jti: claims.jti, tok: verdict.hash, token, at, ended: false });
      return { status: 201, body: { typ: verdict.typ, jti: claims.jti, tok: verdict.hash, again: false, state: "ended", at, stops: { online: at + 960 } } };
    }
    this.tokens.push({ typ: verdict.typ, jti: claims.jti, tok: verdict.hash, token, at, ended: false, annex, receipt: verdict.receipt });
    return { status: 201, body: { typ: verdict.typ, jti: claims.jti, tok: verdict.hash, receipt: verdict.receipt, again: false, state: "accepted", at } };
  }

  api(method, path, body, person = this.sub) {
    if (this.fail > 0) { this.fail -= 1; return { status: 503, body: { code: "BUSY" } }; }
    const what = `${method} ${path}`;
    if (what === "POST /nonce") {
      this.nonce = randomBytes(16).toString("base64url");
      return { body: { nonce: this.nonce, exp: now() + 60 } };
    }
    if (what === "POST /enrol") {
      assert.deepEqual(Object.keys(body).sort(), ["birth", "code", "proof"]);
      const { kid, jwk } = checkProof(body.proof, this.origin, this.nonce);
      if (body.code !== CODE || body.birth !== BIRTH) return { status: 403, body: { code: "CODE" } };
      const bound = JSON.parse(this.run("enrol", this.file("key.jwk", JSON.stringify(jwk)), "--person", "-", "--json"));
      this.sub = bound.sub;
      this.enrolled.push(kid);
      this.jwk = jwk;
      this.keys = [{ kid, x: jwk.x, state: "active", at: 0, since: now(), role: "patient", ial: "counter" }];
      this.session = true;
      this.bindings = [bound.token];
      return { body: { sub: this.sub, binding: bound.token, exp: this.now() + 900, keys: this.keys } };
    }
    if (what === "POST /session") {
      const kid = json(body.proof.split(".")[0]).kid;
      const key = this.keys.find((k) => k.kid === kid);
      if (!key) return { status: 401, body: { code: "KEY_UNKNOWN" } };
      checkProof(body.proof, this.origin, this.nonce, this.jwk);
      this.session = true;
      return { body: { sub: this.sub, kid, exp: this.now() + 900, bindings: this.bindings, keys: this.keys } };
    }
    if (what === "GET /session") {
      if (!this.session) return { status: 401, body: { code: "SESSION" } };
      return { body: { sub: this.sub, kid: this.keys[0].kid, exp: this.now() + 900, bindings: this.bindings, keys: this.keys } };
    }
    if (what === "DELETE /session") {
      this.session = false;
      return { status: 204 };
    }
    if (what === "GET /policy") return { text: this.policy };
    if (what === "GET /master") return { body: this.master };
    if (!this.session) return { status: 401, body: { code: "SESSION" } };
    if (what === "POST /disclose") {
      assert.deepEqual(body, { search: "Patient/$everything?_count=500" });
      // By its source a record has the key by which it is left out.
      const of = (this.records.entry ?? []).map((e) => `${e.resource.resourceType}/${e.resource.id}`);
      const sources = this.source ? [{ src: this.source, of }] : undefined;
      return { body: { bundle: JSON.stringify(this.records), proof: {}, areq: "", sources } };
    }
    // Who looked is told by the real server alone (portal-loop.test.mjs): nobody did here.
    if (what === "GET /log/key") return { body: { log: this.logKey, witnesses: [], quorum: 0 } };
    if (what === "GET /log/mine") return { body: { sub: person, lines: [] } };
    if (what === "GET /erasures") return { body: { erasures: [] } };
    if (what === "GET /keys") return { body: { keys: this.keys.map((k) => ({ ...k, for: person })) } };
    if (what === "GET /requests") return { body: { requests: this.requests.filter((r) => (this.of.get(r.req) ?? this.sub) === person) } };
    if (what === "GET /consent/mine") {
      const tokens = this.tokens.filter((t) => claimsOf(t.token).sub === person);
      return { body: { now: this.now(), sub: person, tokens, state: {}, seq: 0 } };
    }
    if (what === "POST /consent/nonce") {
      const { nonce, status, exp } = claimsOf(this.run("request", "--sub", person, "--aud", CLINIC, "--pur", "TREAT", "--cat", "inf.lab").trim());
      return { body: { nonce, status, exp } };
    }
    if (what === "POST /consent/tokens") {
      const answer = this.accept(body);
      if (answer.status === 201 && answer.body.receipt) this.requests = this.requests.filter((r) => r.req !== this.opened);
      return answer;
    }
    const [, id, act] = /^\/requests\/([^/]+)\/(open|decline)$/.exec(path) ?? [];
    const request = this.requests.find((r) => r.req === id);
    if (!request) return { status: 404, body: { code: "NOT_FOUND" } };
    if (act === "open") {
      this.opened = id;
      return { body: this.open(request) };
    }
    this.requests = this.requests.filter((r) => r.req !== id);
    this.declined.push(id);
    return { body: { req: id } };
  }
}
