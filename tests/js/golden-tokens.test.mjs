// The golden tokens of the consent specification verify with three libraries that know nothing of
// Warifu: jose, PyJWT and joserfc; each refuses what it has to refuse.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { importJWK, jwtVerify } from "jose";

const python = process.env.WARIFU_PYTHON;
const golden = (name) => readFileSync(new URL(`../../crates/warifu-consent/tests/golden/${name}.jwt`, import.meta.url), "utf8").trim();
const jwk = { crv: "Ed25519", kty: "OKP", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
/** RFC 8032 test 2: another key. */
const other = { ...jwk, x: "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw" };
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
const grant = golden("grant");
const revoke = golden("revoke");
const swap = (token) => token.replace(/\.(.)([^.]*)$/, (_, c, rest) => `.${c === "A" ? "B" : "A"}${rest}`);
const now = 1_790_000_100;
const audience = "mi:1312345678";

const cases = [
  ["the grant", { token: grant, jwk, audience, now }, true],
  ["the revoke", { token: revoke, jwk, audience: null, now: 1_790_003_700 }, true],
  ["the grant for another recipient", { token: grant, jwk, audience: "mi:1318765432", now }, false],
  ["the grant after its end", { token: grant, jwk, audience, now: 1_797_776_000 }, false],
  ["the grant with another signature", { token: swap(grant), jwk, audience, now }, false],
  ["the grant by another key", { token: grant, jwk: other, audience, now }, false],
  ["the revoke's signature under the grant", { token: grant.replace(/[^.]*$/, revoke.split(".")[2]), jwk, audience, now }, false],
];

async function jose({ token, jwk, audience, now }) {
  const key = await importJWK(jwk, "EdDSA");
  const options = { algorithms: ["EdDSA"], currentDate: new Date(now * 1000), ...(audience ? { audience } : {}) };
  return jwtVerify(token, key, options).then((r) => r.payload, () => null);
}

test("jose", async () => {
  for (const [name, one, good] of cases) assert.deepEqual(await jose(one), good ? claims(one.token) : null, name);
});

test("PyJWT and joserfc", { skip: !python && "WARIFU_PYTHON is not set: `cargo xtask ci --only node` sets it" }, () => {
  const program = fileURLToPath(new URL("golden_tokens.py", import.meta.url));
  const run = spawnSync(python, [program], { input: JSON.stringify(cases.map(([, one]) => one)), encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  const answers = JSON.parse(run.stdout);
  for (const [n, [name, one, good]] of cases.entries()) {
    const expected = good ? claims(one.token) : null;
    assert.deepEqual(answers[n], [expected, expected], name);
  }
});
