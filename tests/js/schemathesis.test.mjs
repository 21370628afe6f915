// The description of the server's interface against the server: Schemathesis makes requests from
// /openapi.json, good and bad, without a session and with one, and judges every answer by it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync, createPrivateKey } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { BIRTH, Institution, Office } from "../browser/portal-office.mjs";

const program = process.env.WARIFU_PYTHON && join(dirname(process.env.WARIFU_PYTHON), "schemathesis");
const skip = program && existsSync(program) ? false : "no Schemathesis: WARIFU_PYTHON is not set";

const CHECKS = [
  "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
  "response_schema_conformance", "unsupported_method",
];

/** A session of the patient: the cookie. */
async function enrol(office) {
  const { privateKey } = generateKeyPairSync("ed25519");
  const person = new Institution(office, "", createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" })));
  const post = (path, body) => fetch(office.url + path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const { nonce } = await (await post("/api/nonce", {})).json();
  const iat = Math.floor(Date.now() / 1000);
  const proof = person.token("session-proof+jwt", { aud: office.url, exp: iat + 60, iat, jwk: person.jwk, nonce });
  const answer = await post("/api/enrol", { birth: BIRTH, code: office.code(), proof });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.headers.get("set-cookie").split(";")[0];
}

/** Runs Schemathesis; what it says where it found something. */
function run(url, more, folder) {
  return new Promise((resolve, reject) => {
    const words = [
      "run", `${url}/openapi.json`, "--checks", CHECKS.join(","), "--phases", "examples,coverage,fuzzing",
      "--max-examples", "12", "--seed", "20261127", "--continue-on-failure", "--warnings", "off",
      // The stream does not end.
      "--exclude-path", "/api/watch", ...more,
    ];
    const child = spawn(program, words, { cwd: folder, env: { ...process.env, NO_COLOR: "1" }, stdio: ["ignore", "pipe", "pipe"] });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => said.push(piece));
    child.once("error", reject);
    child.once("exit", (code) => resolve({ code, text: Buffer.concat(said).toString() }));
  });
}

test("every answer of the server is as its description says", { skip }, async () => {
  const office = await Office.start();
  const folder = mkdtempSync(join(tmpdir(), "warifu-schema-"));
  try {
    for (const more of [
      [],
      // What ends the session it has.
      ["--header", `Cookie: ${await enrol(office)}`, "--include-path-regex", "^/api/", "--exclude-path-regex", "^/api/(session|enrol)$"],
    ]) {
      const { code, text } = await run(office.url, more, folder);
      assert.equal(code, 0, text.slice(-6000));
      const [, tested] = text.match(/Tested: (\d+)/) ?? [];
      assert.ok(Number(tested) >= 20, text.slice(-2000));
      assert.ok(Number(text.match(/(\d+) generated/)?.[1]) > 400, text.slice(-2000));
    }
    const state = await fetch(`${office.url}/healthz`);
    assert.equal(state.status, 200);
  } finally {
    await office.close();
    rmSync(folder, { recursive: true });
  }
});
