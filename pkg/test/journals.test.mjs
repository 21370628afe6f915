// Transaction storages and index tables as sources: the bytes of the command line.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { Converter } from "warifu";
import { all, fixtures, message, pathOf, read, root, zip } from "./support.mjs";

const journals = () => read(`${fixtures}/transaction_root`);
const resources = (events) => events.filter((e) => e.type === "resource");
const lines = (events) => resources(events).map((e) => Buffer.from(e.json).toString());
const findings = (events) => events.filter((e) => e.type === "diagnostic").map((e) => e.diagnostic);

function native(...args) {
  const tool = process.env.WARIFU_CLI;
  const [program, first] = tool ? [tool, []] : ["cargo", ["run", "--quiet", "--package", "warifu-cli", "--"]];
  const options = { cwd: fileURLToPath(root), encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] };
  return execFileSync(program, [...first, "convert", ...args, "--config", "none", "--fail-on", "never"], options).trimEnd().split("\n");
}

test("the replay of journals gives the bytes of the command line", async () => {
  for (const [options, args, ordered] of [
    [{ to: "bundle", per: "patient" }, ["--to", "bundle", "--per", "patient"], true],
    [{ to: "ndjson" }, ["--to", "ndjson"], false],
    [{ to: "clins" }, ["--to", "clins"], false],
  ]) {
    const order = (list) => (ordered ? list : [...list].sort());
    const expected = order(native(`${fixtures}/transaction_root`, ...args).filter(Boolean));
    assert.ok(expected.length > 0);
    const c = new Converter(options);
    for (const [name, source] of Object.entries({ array: journals(), zip: zip(journals()), blob: new Blob([zip(journals())]), set: new Set(journals()) })) {
      const events = await all(c.convertAll(source));
      assert.deepEqual(order(lines(events)), expected, `${options.to} from ${name}`);
    }
    c.free();
  }
});

test("one journal alone is replayed whatever its name", async () => {
  const c = new Converter({ to: "bundle", per: "patient" });
  const [{ path, bytes }] = journals();
  const expected = native(`${fixtures}/transaction_root/${path}`, "--to", "bundle", "--per", "patient");
  for (const source of [bytes, new Blob([bytes]), { path: "journal.txt", bytes }, [{ path: "journal.txt", bytes }]]) {
    assert.deepEqual(lines(await all(c.convertAll(source))), expected);
  }
  c.free();
});

test("the same number in two institutions is two persons whatever is given", async () => {
  const id = "990001";
  const text = Buffer.from(message(id)).toString();
  const record = (n) => `#SSMIX,2.00,${n},${id},-,ADT-00,999999999999999,INS,-,20260401093000000\r\n${text}\x1c\r\n`;
  const journal = { path: "TR_20260401000000000_00001.DAT", bytes: Buffer.from(record("1310000003") + record("1310000011")) };
  const ids = [];
  for (const options of [{}, { institution: "1319999999" }, { institution: "1310000003" }]) {
    const c = new Converter({ to: "ndjson", ...options });
    for (const source of [journal.bytes, [journal], zip([journal])]) {
      const events = await all(c.convertAll(source));
      const people = resources(events).filter((e) => e.resourceType === "Patient").map((e) => e.id).sort();
      assert.equal(new Set(people).size, 2);
      ids.push(people);
      const codes = findings(events).map((d) => d.code);
      assert.ok(codes.includes("SSM149"));
      assert.equal(codes.includes("SSM148"), options.institution !== undefined);
      assert.ok(!codes.includes("MAP002"));
    }
    c.free();
  }
  for (const people of ids) assert.deepEqual(people, ids[0]);
});

test("the last record decides, and records that cannot be used are named", async () => {
  const id = "990001";
  const text = Buffer.from(message(id)).toString();
  const record = (operation, time) => `#SSMIX,2.00,1319999999,${id},-,ADT-00,999999999999999,${operation},-,${time}\r\n${text}\x1c\r\n`;
  const journal = (...parts) => ({ path: "TR_20260401000000000_00001.DAT", bytes: Buffer.from(parts.join("")) });
  const c = new Converter({ to: "ndjson" });
  const living = await all(c.convertAll([journal(record("INS", "20260401093000000"), record("INS", "20260402093000000"))]));
  assert.equal(resources(living).filter((e) => e.resourceType === "Patient").length, 1);
  const gone = await all(c.convertAll([journal(record("INS", "20260401093000000"), record("DEL", "20260402093000000"))]));
  assert.equal(resources(gone).filter((e) => e.resourceType === "Patient").length, 0);
  const bad = await all(c.convertAll([journal(record("INS", "20260401093000000"), "#SSMIX,2.00,what\r\nMSH|\r\n\x1c\r\n")]));
  assert.ok(resources(bad).length > 0);
  const header = findings(bad).find((d) => d.code === "SSM179").primary;
  const whole = journal(record("INS", "20260401093000000")).bytes;
  const lines = whole.toString("latin1").split(/\r\n|\r|\n/).length;
  assert.deepEqual([header.file, header.span, header.start, header.end], ["TR_20260401000000000_00001.DAT", [whole.length, whole.length + 6], { line: lines, column: 1 }, { line: lines, column: 7 }]);
  c.free();
});

test("journals beside a storage are not replayed", async () => {
  const c = new Converter({ to: "ndjson" });
  const file = { path: pathOf("990002"), bytes: message("990002") };
  for (const source of [[file, ...journals()], new Set([file, ...journals()])]) {
    const events = await all(c.convertAll(source));
    assert.equal(resources(events).filter((e) => e.resourceType === "Patient").length, 1);
    assert.equal(findings(events).filter((d) => d.code === "SSM114").length, journals().length);
  }
  c.free();
});

test("an index table gives the institution's number", async () => {
  const tables = read(`${fixtures}/index`).filter((f) => /SSMIXIDX/.test(f.path));
  assert.ok(tables.length > 0);
  const file = { path: pathOf("990001"), bytes: message("990001") };
  const c = new Converter({ to: "ndjson" });
  const named = new Converter({ to: "ndjson", institution: "1319999999" });
  const expected = await all(named.convertAll([file]));
  for (const table of tables) {
    const path = `index/SSMIXIDX.${table.path.split(".").at(-1)}`;
    const events = await all(c.convertAll([file, { path, bytes: table.bytes }]));
    assert.deepEqual(lines(events), lines(expected), table.path);
    assert.ok(!findings(events).some((d) => d.code === "SSM108"));
  }
  const other = new Converter({ to: "ndjson", institution: "1310000003" });
  assert.notDeepEqual(lines(await all(other.convertAll([file, ...tables]))), lines(expected));
  for (const converter of [c, named, other]) converter.free();
});
