// More than the server takes: the rest is told when to come again, what was taken is done whole, neither kind
// of work keeps the other waiting, and afterwards all is as before.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Device, Office } from "../browser/portal-office.mjs";
import { Client } from "../load/open-loop.mjs";

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const NAME = "0000990001_20260401_OML-11_000000260401011_20260401113015250_08_1";
const ONE = readFileSync(at(`tests/fixtures/standard_root/000/099/0000990001/20260401/OML-11/${NAME}`));

let office;
let client;
let device;
before(async () => {
  office = await Office.start({ more: ["--max-files", "2", "--max-jobs", "4"] });
  client = new Client(office.url);
  device = await Device.enrol(office);
  await office.clinic.ask(["demo", "inf.lab", "inf.rx"]);
  await device.grant();
});
after(async () => { client.close(); await office.close(); });

/** Sends all at once; gives how many were done, and looks at those that were not. */
async function flood(count, make) {
  const answers = await Promise.all(Array.from({ length: count }, (_, n) => client.send(make(n))));
  for (const { status, headers, body } of answers.filter((a) => a.status !== 200)) {
    assert.equal(status, 503);
    assert.match(headers["retry-after"], /^[1-9]\d*$/);
    assert.equal(headers["content-type"], "application/problem+json");
    const { code, requestId } = JSON.parse(body);
    assert.deepEqual([code, requestId], ["BUSY", headers["x-request-id"]]);
  }
  return answers.filter((a) => a.status === 200);
}

test("checks beyond what is checked at once are shed, nobody is kept from a disclosure meanwhile, and it recovers", async () => {
  const check = () => ({ path: `/check?stdin-name=${NAME}`, body: ONE });
  const [{ body: alone }] = await flood(1, check);
  const checks = flood(400, check);
  const { status } = await client.send(office.clinic.wanted(device.sub));
  assert.ok((await fetch(`${office.url}/healthz`)).ok);
  const done = await checks;
  assert.equal(status, 200);
  assert.ok(done.length >= 2 && done.length < 400, `${done.length} of 400`);
  for (const { body } of done) assert.deepEqual(body, alone, "what is done is done whole");
  for (let n = 0; n < 20; n += 1) assert.equal((await flood(1, check)).length, 1, "as before");
});

test("disclosures beyond what is worked on leave no line, and what was given has one each", async () => {
  const lines = async () => {
    const { lines: all } = await device.call("/api/log/mine");
    return all.filter(({ own }) => JSON.parse(own.line).kind === "disclose").length;
  };
  const before = await lines();
  const wanted = (n) => office.clinic.wanted(device.sub, { search: `Patient/$everything?_count=${1 + (n % 500)}` });
  const done = await flood(200, wanted);
  assert.ok(done.length >= 4 && done.length < 200, `${done.length} of 200`);
  assert.equal(await lines(), before + done.length);
  // Afterwards a withdrawal counts at once, as ever.
  const { tokens: [{ jti }] } = await device.call("/api/consent/mine");
  await device.revoke(jti);
  assert.equal((await office.clinic.disclose(device.sub)).code, "REVOKED");
});
