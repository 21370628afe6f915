// Figures of the server under load, on loopback with invented data; `cargo xtask bench load` and
// `cargo xtask nightly` run it. It starts the program in WARIFU_CLI.
//
//   run.mjs rates [SECONDS]   each kind of request at its rate: time of the middle one and of the slowest
//                             hundredth; then more than the server does, and how soon it is as before
//   run.mjs soak [SECONDS]    all kinds together: memory at the start and at the end, which must be the same
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Device, Office } from "../browser/portal-office.mjs";
import { Client, paced, quantile } from "./open-loop.mjs";

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const NAME = "0000990001_20260401_OML-11_000000260401011_20260401113015250_08_1";
const MESSAGE = readFileSync(at(`tests/fixtures/standard_root/000/099/0000990001/20260401/OML-11/${NAME}`));
/** Persons whose records are asked for in turn, and resources of each that are items of their own. */
const [PERSONS, ITEMS] = [20, 300];
const AIMS = { check: 50, disclose: 300 };

const check = () => ({ path: `/check?stdin-name=${NAME}`, body: MESSAGE });
const convert = () => ({ path: `/convert?stdin-name=${NAME}`, body: MESSAGE });

/** A result of the laboratory, as a hospital sends it. */
const result = (n) => ({
  resourceType: "Observation", id: `lab-${n}`, status: "final",
  identifier: [{ system: "http://example.jp/fhir/lab-result", value: `20260401-${n}` }],
  category: [{ coding: [{ system: "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS", code: "laboratory", display: "Laboratory" }] }],
  code: { coding: [{ system: "urn:oid:1.2.392.200119.4.504", code: "3B045000002327201", display: "ALT(GPT)" }], text: "ALT(GPT)" },
  subject: { reference: "Patient/x" }, effectiveDateTime: "2026-04-01T09:30:00+09:00", issued: "2026-04-01T11:30:15+09:00",
  valueQuantity: { value: 10 + (n % 90), unit: "U/L", system: "http://unitsofmeasure.org", code: "U/L" },
  interpretation: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", code: n % 9 ? "N" : "H" }] }],
  note: [{ text: "架空の検査結果です。" }],
  referenceRange: [{ low: { value: 4, unit: "U/L" }, high: { value: 44, unit: "U/L" }, text: "4-44" }],
});

/** Persons with records, and a consent of each to show the clinic all of them. */
async function persons(office) {
  const all = [];
  for (let n = 0; n < PERSONS; n += 1) {
    const number = `88${String(n).padStart(8, "0")}`;
    const person = { resource: { resourceType: "Patient", id: "x", identifier: [{ value: number }] } };
    const entry = [person, ...Array.from({ length: ITEMS }, (_, i) => ({ resource: result(i) }))];
    office.file("records.json", JSON.stringify({ resourceType: "Bundle", type: "collection", entry }));
    office.told(`${number}\n`, "ingest-bundle", office.path("records.json"), "--data", office.data, "--patient", "-");
    const device = await Device.enrol(office, number);
    await office.clinic.ask(["demo", "inf.lab"], 30, number);
    await device.grant();
    const { status, text, resources } = await office.clinic.disclose(device.sub, { search: `Patient/$everything?_count=${ITEMS}` });
    assert.deepEqual([status, resources.filter((r) => r.resourceType === "Observation").length], [200, ITEMS], text.slice(0, 500));
    all.push(device.sub);
  }
  return all;
}

const validate = () => ({ path: "/fhir/Observation/$validate", headers: { "Content-Type": "application/fhir+json" }, body: VALIDATED });
const VALIDATED = JSON.stringify(result(1));
const disclose = (office, subs) => (n) => office.clinic.wanted(subs[n % subs.length], { search: `Patient/$everything?_count=${ITEMS}` });

const ms = (value) => (value < 10 ? value.toFixed(1) : value.toFixed(0));

/** One kind of request at a rate, as a row of a table. */
async function row(client, what, rate, seconds, make, aim) {
  await paced(client, { rate: Math.ceil(rate / 4), seconds: 2, make });
  const { took, late, by } = await paced(client, { rate, seconds, make });
  const p99 = quantile(took, 0.99);
  console.log(`| ${what}, ${rate}/s | ${ms(quantile(took, 0.5))} ms | ${ms(p99)} ms | ${ms(took.at(-1))} ms | ${aim ? `${aim} ms` : "–"} |`);
  assert.deepEqual([...by.keys()], [200], `${what}: ${JSON.stringify([...by])}`);
  if (quantile(late, 0.99) > 5) console.log(`(the requests themselves were late: ${ms(quantile(late, 0.99))} ms at p99; the machine is busy)`);
  return aim === undefined || p99 <= aim;
}

/** More than the server does: what is shed, and how it goes on. */
async function overload(client, what, rate, seconds, make) {
  let shed = 0;
  const seen = ({ status, headers, body }) => {
    if (status === 200) return;
    assert.deepEqual([status, JSON.parse(body).code], [503, "BUSY"]);
    assert.match(headers["retry-after"], /^[1-9]\d*$/);
    shed += 1;
  };
  const { took, by } = await paced(client, { rate, seconds, make, seen });
  assert.ok(shed > 0 && took.length > 0, `${what}: ${JSON.stringify([...by])}`);
  const began = performance.now();
  while ((await client.send(make(0))).status !== 200) await sleep(20);
  const again = performance.now() - began;
  console.log(`| ${what}, ${rate}/s: ${((100 * shed) / (shed + took.length)).toFixed(0)} % shed | ${ms(quantile(took, 0.5))} ms | ${ms(quantile(took, 0.99))} ms | ${ms(took.at(-1))} ms | – |`);
  console.log(`(${what}: answered again ${ms(again)} ms after the last of them)`);
}

async function rates(seconds) {
  const office = await Office.start();
  const client = new Client(office.url);
  try {
    const subs = await persons(office);
    console.log(`| request (${seconds} s each) | p50 | p99 | slowest | aim of p99 |\n|---|---|---|---|---|`);
    const good = [
      await row(client, "`/check`, one message", 100, seconds, check, AIMS.check),
      await row(client, "`/convert`, one message", 100, seconds, convert),
      await row(client, "`$validate`, one Observation", 100, seconds, validate),
      await row(client, `disclosure of ${ITEMS} entries`, 50, seconds, disclose(office, subs), AIMS.disclose),
    ];
    await overload(client, "`/check`, overload", 4000, 5, check);
    await overload(client, "disclosure, overload", 400, 5, disclose(office, subs));
    assert.ok(good.every(Boolean), "an aim was missed");
  } finally {
    client.close();
    await office.close();
  }
}

/** Resident memory of a process in MB. */
const resident = (id) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${id}/status`, "utf8"))[1]) / 1024;

/** How much more memory the end may have than the beginning: what an allocator keeps differs by that. */
const [SHARE, MOST] = [1.1, 8];

async function soak(seconds) {
  const office = await Office.start();
  const client = new Client(office.url);
  try {
    const subs = await persons(office);
    const kinds = [check, convert, validate, disclose(office, subs)];
    const samples = [];
    const timer = setInterval(() => samples.push(resident(office.process.pid)), 1000);
    const { took, by } = await paced(client, { rate: 80, seconds, make: (n) => kinds[n % kinds.length](n) });
    clearInterval(timer);
    assert.deepEqual([...by.keys()], [200], JSON.stringify([...by]));
    // Its first tenth is what it takes to get going.
    const tenth = Math.max(1, Math.floor(samples.length / 10));
    const mean = (some) => some.reduce((a, b) => a + b, 0) / some.length;
    const [first, last] = [mean(samples.slice(tenth, 2 * tenth)), mean(samples.slice(-tenth))];
    console.log(`${seconds} s, 20 each of /check, /convert, $validate and disclosures of ${ITEMS} entries a second: ${took.length} answers, p99 ${ms(quantile(took, 0.99))} ms`);
    console.log(`resident memory: ${first.toFixed(1)} MB after a tenth of the time, ${last.toFixed(1)} MB at the end, ${Math.max(...samples).toFixed(1)} MB at most`);
    assert.ok(last <= first * SHARE + MOST, "memory grows");
  } finally {
    client.close();
    await office.close();
  }
}

const [what, seconds] = process.argv.slice(2);
const run = { rates: () => rates(Number(seconds ?? 20)), soak: () => soak(Number(seconds ?? 600)) }[what];
if (!run) throw new Error("run.mjs rates|soak [SECONDS]");
await run();
