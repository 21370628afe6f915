// What patients share: of each element the fullest form of a stream, whoever comes first, with the bytes of the
// command line.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { Converter } from "warifu";
import { createPool } from "warifu/pool";
import { Shared } from "../src/shared.mjs";
import { all, native } from "./support.mjs";

const institution = "1319999999";
const folder = mkdtempSync(join(tmpdir(), "warifu-shared-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A result of a patient that this doctor ordered in this hospital, in its place of a storage. */
function result(patient, doctor, hospital) {
  const name = `${patient}_20240110_OML-11_000000000000101_20240110103000000_01_1`;
  const lines = [
    "MSH|^~\\&|HIS|SEND|GW|RCV|20240110103000||OUL^R22^OUL_R22|1|P|2.5||||||UNICODE UTF-8", `PID|0001||${patient}^^^^PI||患者^太郎^^^^^L^I||19480405|M`,
    "PV1|0001|I|32^302^1^^^N", "SPM|1|S1||023^血清^JC10|||||||||||||20240110090000", `OBR|1|101|F101|E001^検査^99O03|||20240110|20240110||||||||${doctor}||||||20240110103000|||F`,
    `ORC|SC|101|F101||CM||||20240110090000|||${doctor}|01^^^^^C||||01^内科^99XY1||||${hospital}||||||||O^x^HL70482`, "OBX|1|NM|3A016000002327102^AG^JC10||1|g/dl^g/dl^99XYZ|1-2||||F|||20240110090000", "",
  ];
  return { path: `${patient.slice(0, 3)}/${patient.slice(3, 6)}/${patient}/20240110/OML-11/${name}`, bytes: new TextEncoder().encode(lines.join("\r")) };
}

const storages = {
  "a name comes later": [["607", "登呂病院"], ["607^医師^一郎", ""]],
  "a name comes first": [["607^医師^一郎", ""], ["607", "登呂病院"]],
  "two names": [["607", ""], ["607^医師^一郎", "登呂病院"], ["607^女医^花子^三", "登呂病院"], ["607^医師^一郎", ""], ["608^\\T\\{[:,^\\E\\", "登呂病院附属"]],
};

for (const [title, patients] of Object.entries(storages)) {
  const files = patients.map(([doctor, hospital], n) => result(String((n + 1) * 1_000_000).padStart(10, "0"), doctor, hospital));
  const dir = join(folder, title);
  for (const { path, bytes } of files) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), bytes);
  }
  test(`a storage: ${title}`, async () => {
    for (const [options, args] of [
      [{ to: "ndjson" }, ["--to", "ndjson"]], [{ to: "bundle" }, ["--to", "bundle"]], [{ per: "patient", bundle: "collection" }, ["--per", "patient", "--bundle", "collection"]], [{ to: "clins" }, ["--to", "clins"]],
    ]) {
      const c = new Converter({ ...options, institution, lang: "en" });
      const events = await all(c.convertAll(files));
      c.free();
      const lines = events.filter((e) => e.type === "resource").map((e) => Buffer.from(e.json).toString().trimEnd());
      assert.deepEqual([...lines].sort(), native(dir, ["--institution", institution, ...args]), args.join(" "));
      const told = events.filter((e) => e.diagnostic?.code === "SSM183").map((e) => e.diagnostic);
      const others = new Set(told.map((d) => d.message.split(" ")[0].split("/")[0]));
      assert.deepEqual([...others].sort(), title === "two names" && options.to !== "clins" ? ["Organization", "Practitioner"] : []);
      assert.ok(told.every((d) => !/607|医|登呂/.test(JSON.stringify(d))));
      if (options.to !== "ndjson") continue;
      assert.ok(lines.some((line) => line.includes('"Practitioner"') && line.includes(title === "two names" ? "花子" : "一郎")));
    }
    // A pool gives the same, in the same order.
    const pool = await createPool({ size: 2 });
    for (const to of ["ndjson", "bundle"]) {
      const [one, many] = [new Converter({ to, institution }), new pool.Converter({ to, institution })];
      const plain = (events) => events.map((e) => (e.json ? Buffer.from(e.json).toString() : JSON.stringify(e)));
      assert.deepEqual(plain(await all(many.convertAll(files))), plain(await all(one.convertAll(files))));
      one.free();
    }
    await pool.terminate();
  });
  test(`its trace: ${title}`, async () => {
    for (const to of ["ndjson", "bundle"]) {
      const c = new Converter({ to, institution, trace: true });
      const resources = (await all(c.convertAll(files))).filter((e) => e.type === "resource");
      c.free();
      const leaves = (value, at = "") => (typeof value === "object" ? Object.entries(value).flatMap(([k, v]) => leaves(v, `${at}/${k}`)) : [at]);
      for (const { json, trace, resourceType } of resources) {
        const there = leaves(JSON.parse(Buffer.from(json)));
        const traced = [...trace].map((hit) => hit.pointer);
        assert.equal(new Set(traced).size, traced.length);
        // What a Bundle has of an earlier one is traced there; of a resource that stands alone each leaf is traced.
        assert.deepEqual(traced.filter((p) => !there.includes(p)), []);
        if (to === "ndjson") assert.deepEqual(traced.sort(), there.sort(), resourceType);
        else assert.ok(there.length - traced.length < 20);
      }
      if (to !== "ndjson") continue;
      const { json, trace } = resources.find((e) => e.resourceType === "Practitioner");
      const [hit] = trace.forPointer("/name/0/family");
      const given = patients.findIndex(([doctor]) => doctor.includes(JSON.parse(Buffer.from(json)).name[0].family));
      assert.equal(hit.spans[0].file, files[given].path);
      assert.equal(trace.forSpan(hit.spans[0].file, hit.spans[0].start, hit.spans[0].end).some((h) => h.pointer === hit.pointer), true);
      assert.deepEqual(trace.unused(), []);
    }
  });
}

test("forms without end are not all kept", () => {
  const shared = new Shared();
  const form = (n) => Buffer.from(`{"resourceType":"Practitioner","id":"a","name":[{"text":"${n}"}]}`);
  for (let n = 1_000; n < 9_000; n += 1) shared.offer("Practitioner", "a", form(n));
  assert.deepEqual([...shared.contradicted()], ["Practitioner/a"]);
  assert.deepEqual([...shared.resources()].map(({ json }) => Buffer.from(json).toString()), [form(1_000).toString()]);
});
