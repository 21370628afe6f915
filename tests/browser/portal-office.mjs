// The real server (`warifu serve`) over SQLite in a fresh folder, with the portal, the records of our
// fixture and a surgery; and institutions that ask it over HTTP with tokens signed by Node's own crypto.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
export const CLI = process.env.WARIFU_CLI ?? at("target/debug/warifu");
const PATIENT = "0000990001";
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

  /** Asks the patient. */
  async ask(cat, days = 30) {
    const body = JSON.stringify({ patient: PATIENT, aud: [this.code], pur: ["TREAT"], cat, days });
    const path = "/api/consent/requests";
    const answer = await this.send(path, body, this.access(path, body));
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
  }

  /** Asks the server for records: status, code of a refusal, resources by type. */
  async disclose(sub, { change = {}, bend = (t) => t, token } = {}) {
    const path = "/api/disclose";
    const body = JSON.stringify({ search: "Patient/$everything?_count=500" });
    const sent = token ?? bend(this.access(path, body, { sub, ...change }));
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

/** A server of its own; `close` ends it. */
export class Office {
  static async start() {
    const office = new Office();
    office.folder = mkdtempSync(join(tmpdir(), "warifu-office-"));
    office.data = join(office.folder, "data");
    const bind = `127.0.0.1:${await port()}`;
    office.url = `http://${bind}`;
    office.run("init", office.data, "--institution", HOSPITAL, "--name", "架空割符病院", "--origin", office.url);
    const facility = (code, ja) => ({ code, ja, en: "" });
    writeFileSync(join(office.data, "master.json"), JSON.stringify({
      v: 1, version: 1, contact: "架空割符病院 患者相談窓口",
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
    return execFileSync(CLI, ["serve", ...words], { encoding: "utf8", input, stdio: ["pipe", "pipe", "inherit"] }).trim();
  }

  file(name, content) { writeFileSync(join(this.folder, name), content); }

  institution(code, ...more) {
    const { privateKey } = generateKeyPairSync("ed25519");
    const one = new Institution(this, code, createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" })));
    this.file("key.jwk", JSON.stringify(one.jwk));
    this.run("register", join(this.folder, "key.jwk"), "--data", this.data, "--code", code, ...more);
    return one;
  }

  /** A one-time code for the patient. */
  code() { return this.told(`${PATIENT} ${BIRTH}\n`, "enrol-code", "--data", this.data, "--patient", "-"); }

  async serve(bind) {
    this.log = [];
    this.process = spawn(CLI, ["serve", "--data", this.data, "--bind", bind, "--portal", at("web/dist")], { stdio: ["ignore", "pipe", "pipe"] });
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
    // No person in the log, and nothing that the server calls its own failure.
    const log = this.log.join("\n");
    assert.ok(!log.includes(PATIENT) && !log.includes("s1."), "the log names nobody");
    assert.ok(!/"status":5\d\d/.test(log), log);
  }

  async close() {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }
}
