// Messages outside a storage: those of one person are one, with the bytes of the command line.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { Converter } from "warifu";
import { patientsOf, together } from "../src/persons.mjs";
import { all, native, tar, zip } from "./support.mjs";

const institution = "1319999999";
const folder = mkdtempSync(join(tmpdir(), "warifu-persons-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (...segments) => new TextEncoder().encode(`${segments.join("\r")}\r`);
const head = (type, sent) => `MSH|^~\\&|A|B|C|D|${sent}||${type}|1|P|2.5||||||~ISO IR87`;
const result = (patient, order, sent, value) => bytes(
  head("OUL^R22^OUL_R22", sent), `PID|1||${patient}^^^^PI`, "SPM|1|||023^x^JC10", `OBR|1|${order}||E^x^99|||20260401`, `ORC|SC|${order}`,
  `OBX|1|NM|3A015000002327101^Alb^JC10||${value}|g/dL|||||F|||20260401`,
);
const event = (patient, trigger, sent, times) =>
  bytes(head(`ADT^${trigger}^ADT_${trigger}`, sent), `EVN||${sent}`, `PID|1||${patient}^^^^PI`, `PV1|1|I${"|".repeat(42)}${times}`);
const name = (patient, kind, order, stamp, flag) => `${patient}_20260401_${kind}_${order}_${stamp}_-_${flag}`;
const file = (path, content) => ({ path, bytes: content });

const folders = {
  corrections: [file("a", result("0012", "O1", "20260401090000", 40)), file("b", result("12", "O1", "20260401100000", 41)), file("c", result("12", "O2", "20260401080000", 39))],
  "a stay in three files": [
    file("1", event("777", "A01", "20260401090000", "20260401090000")), file("sub/2", event("777", "A02", "20260402090000", "20260401090000")),
    file("sub/3", event("777", "A03", "20260403090000", "20260401090000|20260403090000")),
  ],
  "two persons, and a file of both": [file("1", result("1", "A", "20260401090000", 30)), file("2", result("2", "B", "20260401090000", 31)), file("3", result("1", "A", "20260402090000", 33))],
  "without a number": [file("1", result("", "A", "20260401090000", 30)), file("2", result("", "A", "20260401100000", 31)), file("3", result("5", "B", "20260401090000", 32))],
  "names of a storage": [
    file(name("0000990001", "OML-11", "X1", "20260401090000000", 1), result("0000990001", "X1", "20260401090000", 30)),
    file(name("0000990001", "OML-11", "X1", "20260401080000000", 2), result("0000990001", "X1", "20260401080000", 29)),
    file(name("0000990001", "OML-11", "X2", "20260401080000000", 0), result("0000990001", "X2", "20260401080000", 28)),
    file("nameless", result("990001", "X3", "20260401080000", 27)),
  ],
  "other things among them": [file("a.txt", new TextEncoder().encode("hello")), file("b", result("9", "A", "20260401090000", 30)), file("c.xml", new TextEncoder().encode("<?xml version='1.0'?><ClinicalDocument xmlns='urn:hl7-org:v3'/>")), file("d", result("9", "A", "20260401100000", 31))],
};

for (const [title, files] of Object.entries(folders)) {
  test(`a folder: ${title}`, async () => {
    const dir = join(folder, title);
    for (const { path, bytes: content } of files) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), content);
    }
    const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
    for (const [options, args] of [
      [{ to: "ndjson" }, ["--to", "ndjson"]], [{ to: "bundle" }, ["--to", "bundle"]], [{ to: "bundle", per: "patient" }, ["--to", "bundle", "--per", "patient"]], [{ to: "clins" }, ["--to", "clins"]],
    ]) {
      const expected = native(dir, ["--institution", institution, ...args]);
      const c = new Converter({ ...options, institution });
      for (const [kind, source] of Object.entries({ array: sorted, zip: zip(sorted), tar: tar(sorted) })) {
        const events = await all(c.convertAll(source));
        const lines = events.filter((e) => e.type === "resource").map((e) => Buffer.from(e.json).toString().trimEnd()).sort();
        assert.equal(lines.length, expected.length, `${args} ${kind}`);
        assert.equal(lines.filter((line, i) => line !== expected[i]).length, 0, `${args} ${kind}`);
        assert.equal(events.filter((e) => e.type === "progress").at(-1).filesDone, files.length);
      }
      c.free();
    }
  });
}

test("a person's files are joined and the others' not", async () => {
  const c = new Converter({ to: "bundle", per: "patient" });
  const count = async (title) => (await all(c.convertAll(folders[title]))).filter((e) => e.type === "resource").length;
  assert.equal(await count("a stay in three files"), 1);
  assert.equal(await count("two persons, and a file of both"), 2);
  c.free();
});

test("patient numbers are read as the command line reads them", () => {
  const sent = "\x0bMSH|^~\\&|A\rPID|1||0012^^^^PI~13||x\rOBX|1||PID|1||9\r\x1c\rMSH#^~\\&#A\nPID#1## 77 ^^^^PI\nMSH|^~\\&|A\rPID|1||0012\rPID|1||\rPID|1||\x1b$B1\rPID|1\r";
  assert.deepEqual(patientsOf(Buffer.from(sent)), ["0012", "77"]);
  assert.deepEqual(patientsOf(Buffer.from("")), []);
  // Without a number: name, birth date and sex. A delimiter in a name that is half a character is none.
  const of = (number, name, birth) =>
    patientsOf(Buffer.from(`MSH|^~\\&|A\rPID|1||${number}||\x1b$B${name}\x1b(B||${birth}|F\r`));
  const one = of("", "7C|7", "19680303");
  assert.equal(one.length, 1);
  for (const none of ["0000000000", " 000 ", "9999999999^^^^PI", '""']) assert.deepEqual(of(none, "7C|7", "19680303"), one);
  assert.notDeepEqual(of("", "7C|8", "19680303"), one);
  assert.notDeepEqual(of("", "7C|7", "19680304"), one);
  assert.deepEqual(of("", "7C|7", ""), []);
  assert.deepEqual(of("999999999", "7C|7", "19680303"), ["999999999"]);
});

test("a person is the same in every encoding", () => {
  const of = (number, name) => patientsOf(Buffer.from(`MSH|^~\\&|A\rPID|1||${number}^^^^PI||${name}||19680303|F\r`, "latin1"));
  const utf8 = (written) => Buffer.from(written).toString("latin1");
  for (const number of ["0012", "\x1b(J0012\x1b(B", "0012\x1b(J\x1b(B", "0012\x1b$B\x1b(B"]) assert.deepEqual(of(number, "A"), ["0012"]);
  for (const number of [utf8("１２"), "\x1b$B#1#2\x1b(B", "\x82\x50\x82\x51"]) assert.deepEqual(of(number, "A"), ["１２"]);
  const one = of("", utf8("山田^厚"));
  assert.equal(one.length, 1);
  for (const name of ["\x1b$B;3ED\x1b(B^\x1b$B8|\x1b(B", "\x1b$@;3ED\x1b(J^\x1b$B8|\x1b(B", "\x8e\x52\x93\x63^\x8c\xfa"]) assert.deepEqual(of("", name), one);
});

test("beyond the bounds files stay apart, and that is counted", () => {
  const of = (count, person, length = 1) => Array.from({ length: count }, (_, i) => ({ path: `${i}`, length, people: [person] }));
  assert.equal(together(of(3, "1"), 3).apart, undefined);
  assert.equal(together(of(3, "1", 2), 5).apart, 3);
  assert.equal(together([...of(65_536, "1"), ...of(2, "2")], 1 << 30).apart, 65_536);
  const many = together(of(100_001, "1", 0), 1);
  assert.equal(many.apart, 100_000);
  const joined = together([{ path: "a", length: 1, people: ["1"] }, { path: "b", length: 1, people: ["2"] }, { path: "c", length: 1, people: ["1", "2"] }], 9).of;
  assert.equal([...joined.values()].filter(Boolean)[0].length, 3);
});
