// The real server (`warifu serve`) in a fresh folder, over SQLite or a given PostgreSQL, with the portal, the
// records of our fixture and a surgery; institutions that ask it over HTTP with tokens signed by Node's own
// crypto; and a patient's other device, which signs with `warifu/consent`.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
export const CLI = process.env.WARIFU_CLI ?? at("target/debug/warifu");
export const PATIENT = "0000990001";
export const BIRTH = "1968-03-03";
export const HOSPITAL = "mi:1319999999";
export const SURGERY = "架空の手術";
const NOBODY = "s1.AAAAAAAAAAAAAAAAAAAAAA";

const now = () => Math.floor(Date.now() / 1000);
const b64 = (data) => Buffer.from(data).toString("base64url");
const sha = (data) => createHash("sha256").update(data).digest("base64url");
const fresh = () => randomBytes(16).toString("base64url");
/** RFC 8785 for what tokens hold: members in order, no space. */
const canonical = (value) => JSON.stringify(value, (_, v) => (
  v && typeof v === "object" && !Array.isArray(v) ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, v[k]])) : v));

/** A port that was free a moment ago: the server's address has to be known before it starts. */
export async function port() {
  const probe = createServer();
  await new Promise((resolve) => { probe.listen(0, "127.0.0.1", resolve); });
  const { port: found } = probe.address();
  await new Promise((resolve) => { probe.close(resolve); });
  return found;
}

/** An institution with a key of its own. */
export class Institution {
  constructor(office, code, key) {
    Object.assign(this, { office, code, key });
    const { x } = key.export({ format: "jwk" });
    this.jwk = { crv: "Ed25519", kty: "OKP", x };
    this.kid = sha(canonical(this.jwk));
  }

  token(typ, claims) {
    const head = b64(canonical({ alg: "EdDSA", kid: this.kid, typ }));
    const payload = b64(canonical({ ...claims, iss: this.kid, v: 1 }));
    return `${head}.${payload}.${sign(null, Buffer.from(`${head}.${payload}`), this.key).toString("base64url")}`;
  }

  /** An access request over a body (consent.md §6.2). */
  access(path, body, change = {}) {
    return this.token("access-request+jwt", {
      sub: NOBODY, pur: "TREAT", ath: "registered", q: sha(body), jti: fresh(), iat: now(), exp: now() + 300,
      htm: "POST", htu: this.office.url + path, per: { role: "doctor" }, ...change,
    });
  }

  async send(path, body, token) {
    const response = await fetch(this.office.url + path, {
      method: "POST", headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` }, body,
    });
    return { status: response.status, body: await response.json() };
  }

  /** Says something of its own: the body signed. */
  tell(path, content) {
    const body = JSON.stringify(content);
    return this.send(path, body, this.access(path, body));
  }

  /** Asks a patient. */
  async ask(cat, days = 30, patient = PATIENT) {
    const body = JSON.stringify({ patient, aud: [this.code], pur: ["TREAT"], cat, days });
    const path = "/api/consent/requests";
    const answer = await this.send(path, body, this.access(path, body));
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
  }

  /** A request for records, as it is sent. */
  wanted(sub, { change = {}, bend = (t) => t, token, search = "Patient/$everything?_count=500" } = {}) {
    const path = "/api/disclose";
    const body = JSON.stringify({ search });
    const sent = token ?? bend(this.access(path, body, { sub, ...change }));
    return { path, body, token: sent, headers: { "Content-Type": "application/json", Authorization: `Bearer ${sent}` } };
  }

  /** Asks the server for records: status, code of a refusal, resources by type. */
  async disclose(sub, how) {
    const { path, body, token: sent } = this.wanted(sub, how);
    const { status, body: answer } = await this.send(path, body, sent);
    const bundle = answer.bundle ? JSON.parse(answer.bundle) : { entry: [] };
    return { status, code: answer.code, token: sent, resources: (bundle.entry ?? []).map((e) => e.resource), text: answer.bundle ?? "" };
  }

  /** Opens records in an emergency. */
  async emergency(sub) {
    const path = "/api/emergency";
    const assertion = this.token("break-glass+jwt", {
      sub, rsn: "unconscious", idm: "insured", iat: now(), exp: now() + 3600, jti: fresh(), per: { role: "doctor" },
    });
    const body = JSON.stringify({ assertion });
    return this.send(path, body, this.access(path, body, { sub, pur: "ETREAT" }));
  }
}

/** A patient's device without a browser. */
export class Device extends Institution {
  /** Registers a fresh key with a code from the desk. */
  static async enrol(office, patient = PATIENT) {
    const { privateKey } = generateKeyPairSync("ed25519");
    const device = new Device(office, patient, createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" })));
    const { nonce } = await device.call("/api/nonce", {});
    const iat = now();
    const proof = device.token("session-proof+jwt", { aud: office.url, exp: iat + 60, iat, jwk: device.jwk, nonce });
    device.sub = (await device.call("/api/enrol", { birth: BIRTH, code: office.code(patient), proof })).sub;
    return device;
  }

  /** Asks the portal's interface with the device's session. */
  async call(path, body) {
    const response = await fetch(this.office.url + path, {
      method: body ? "POST" : "GET",
      headers: { ...(this.cookie && { Cookie: this.cookie }), ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    const cookie = response.headers.get("set-cookie");
    if (cookie) [this.cookie] = cookie.split(";");
    const text = await response.text();
    assert.ok(response.ok, `${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  /** Grants the one request that waits, for some seconds of its term. */
  async grant(seconds) {
    const { annex, render, sign: signed, signerFromCryptoKey } = await import(new URL("../../pkg/dist/consent.node.mjs", import.meta.url));
    const { requests: [{ req }] } = await this.call("/api/requests");
    const { token } = await this.call(`/api/requests/${req}/open`, {});
    const { sub, aud, pur, cat, dat, terms, nonce, status } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    const iat = now();
    const exclusions = annex({});
    const claims = { sub, aud, pur, cat, dat, iat, nbf: iat, exp: iat + (seconds ?? terms), jti: fresh(), nonce, status };
    const shown = render({ typ: "consent-grant+jwt" }, claims, exclusions, readFileSync(join(this.office.data, "master.json")));
    assert.ok(shown.ok, JSON.stringify(shown));
    const key = await crypto.subtle.importKey("pkcs8", this.key.export({ format: "der", type: "pkcs8" }), "Ed25519", false, ["sign"]);
    const made = await signed("consent-grant+jwt", shown.claims, await signerFromCryptoKey(key, this.jwk));
    assert.ok(made.ok, JSON.stringify(made));
    return this.call("/api/consent/tokens", { token: made.token, annex: b64(exclusions) });
  }

  /** Ends a grant. */
  revoke(jti) {
    const token = this.token("consent-revoke+jwt", { sub: this.sub, iat: now(), jti: fresh(), rev: jti, rsn: "withdrawn" });
    return this.call("/api/consent/tokens", { token });
  }
}

/** A server of its own; `close` ends it. `db` is the address of a database, `more` are words for the server. */
export class Office {
  static async start({ db, more = [] } = {}) {
    const office = new Office();
    office.more = more;
    office.folder = mkdtempSync(join(tmpdir(), "warifu-office-"));
    office.data = join(office.folder, "data");
    const bind = `127.0.0.1:${await port()}`;
    office.url = `http://${bind}`;
    office.run("init", office.data, "--institution", HOSPITAL, "--name", "架空割符病院", "--origin", office.url, ...(db ? ["--db", db] : []));
    const facility = (code, ja) => ({ code, ja, en: "" });
    writeFileSync(join(office.data, "master.json"), JSON.stringify({
      v: 1, version: 1, contact: "架空割符病院 患者相談窓口 03-0000-0000",
      facilities: [facility(HOSPITAL, "架空割符病院"), facility("mi:1312345678", "架空割符診療所"), facility("mi:1312345670", "架空別診療所")],
    }));
    office.clinic = office.institution("mi:1312345678", "--emergency");
    office.other = office.institution("mi:1312345670");
    office.run("ingest", at("tests/fixtures/standard_root"), "--data", office.data);
    const subject = { reference: "Patient/x" };
    office.file("surgery.json", JSON.stringify({
      resourceType: "Bundle", type: "collection", entry: [
        { resource: { resourceType: "Patient", id: "x", identifier: [{ value: PATIENT }] } },
        { resource: {
          resourceType: "Procedure", id: "op1", status: "completed", subject, performedDateTime: "2026-04-01",
          code: { coding: [{ system: "http://jpfhir.jp/fhir/core/CodeSystem/JP_ProcedureCodesMedical_CS", code: "150000110" }], text: SURGERY },
        } }],
    }));
    office.run("ingest-bundle", join(office.folder, "surgery.json"), "--data", office.data, "--patient", "-");
    await office.serve(bind);
    return office;
  }

  /** Runs `warifu serve …`; what is of the patient comes from stdin. */
  run(...words) { return this.told(`${PATIENT}\n`, ...words); }

  told(input, ...words) {
    const { error, status, stdout } = spawnSync(CLI, ["serve", ...words], { encoding: "utf8", input, stdio: ["pipe", "pipe", "inherit"] });
    // A command that asks for nothing may end before it is told anything.
    if (status !== 0 || (error && error.code !== "EPIPE")) throw error ?? new Error(`warifu serve ${words[0]} ended with ${status}`);
    return stdout.trim();
  }

  path(name) { return join(this.folder, name); }

  file(name, content) { writeFileSync(this.path(name), content); }

  institution(code, ...more) {
    const { privateKey } = generateKeyPairSync("ed25519");
    const one = new Institution(this, code, createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" })));
    this.file("key.jwk", JSON.stringify(one.jwk));
    this.run("register", join(this.folder, "key.jwk"), "--data", this.data, "--code", code, ...more);
    return one;
  }

  /** A one-time code for a patient. */
  code(patient = PATIENT) {
    // Whoever is not of the fixtures has no day of birth on record.
    const others = patient === PATIENT ? [] : ["--unchecked"];
    return this.told(`${patient} ${BIRTH}\n`, "enrol-code", "--data", this.data, "--patient", "-", ...others);
  }

  async serve(bind) {
    this.log = [];
    this.process = spawn(CLI, ["serve", "--data", this.data, "--bind", bind, "--portal", at("web/dist"), ...this.more], { stdio: ["ignore", "pipe", "pipe"] });
    createInterface({ input: this.process.stderr }).on("line", (line) => this.log.push(line));
    const first = await new Promise((resolve, reject) => {
      createInterface({ input: this.process.stdout }).once("line", resolve);
      this.process.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${this.log.join("\n")}`)));
    });
    assert.equal(first, this.url);
  }

  /** Ends the server orderly, which publishes a last checkpoint, and starts it again. */
  async restart() {
    await this.stop();
    await this.serve(new URL(this.url).host);
  }

  async stop() {
    const ended = new Promise((resolve) => { this.process.once("exit", resolve); });
    this.process.kill("SIGTERM");
    assert.equal(await ended, 0, this.log.slice(-3).join("\n"));
    // No person in the log, and nothing that the server calls its own failure: being busy is none.
    const log = this.log.join("\n");
    assert.ok(!log.includes(PATIENT) && !log.includes("s1."), "the log names nobody");
    const failed = this.log.filter((line) => /"status":5\d\d/.test(line) && !line.includes('"code":"BUSY"'));
    assert.deepEqual(failed, []);
  }

  async close() {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }
}
