import assert from "node:assert/strict";
import { test } from "node:test";
import { Converter, WarifuError } from "warifu";
import { all, message, pathOf, storage, zip } from "./support.mjs";

const code = (expected) => (e) => e instanceof WarifuError && e.code === expected;
const resources = (events) => events.filter((e) => e.type === "resource");
const findings = (events) => events.filter((e) => e.type === "diagnostic").map((e) => e.diagnostic.code);
const key = (events) => resources(events).map((e) => `${e.resourceType}/${e.id} ${Buffer.from(e.json).toString("latin1")}`);

/** Files of so many patients, made when asked for. */
function* many(count, seen = () => {}) {
  for (let i = 0; i < count; i += 1) {
    const id = String(9_000_000 + i);
    seen(i);
    yield { path: pathOf(id), bytes: message(id) };
  }
}

test("an array, a zip, a Blob and a stream of one storage give the same", async () => {
  const files = storage();
  const c = new Converter({ to: "ndjson", institution: "1319999999" });
  const expected = await all(c.convertAll(files));
  assert.ok(resources(expected).length > 100);
  const packed = zip(files.toReversed?.() ?? [...files].reverse());
  const stream = new Blob([packed]).stream();
  for (const [name, source] of Object.entries({ zip: packed, file: { path: "s.zip", bytes: packed }, blob: new Blob([packed]), stream })) {
    const events = await all(c.convertAll(source));
    assert.deepEqual(key(events), key(expected), name);
    assert.deepEqual(findings(events).sort(), findings(expected).sort(), name);
    const last = events.filter((e) => e.type === "progress").at(-1);
    assert.deepEqual([last.filesDone, last.filesTotal], [files.length, files.length], name);
    assert.equal(last.bytesDone, files.reduce((sum, f) => sum + f.bytes.length, 0));
  }
  c.free();
});

test("neighbours of one patient in an iterable are one unit; only the winner is converted", async () => {
  const files = [
    { path: pathOf("990001", "20260301090000000", 2), bytes: message("990001") },
    { path: pathOf("990001", "20260401090000000", 1), bytes: message("990001") },
    { path: pathOf("990002"), bytes: message("990002") },
  ];
  const c = new Converter({ to: "bundle" });
  for (const source of [files, new Set(files), (async function* () { yield* files; })()]) {
    const events = await all(c.convertAll(source));
    assert.equal(resources(events).length, 2);
    assert.ok(resources(events).every((e) => e.resourceType === "Bundle" && JSON.parse(Buffer.from(e.json)).id === e.id));
  }
  c.free();
});

test("shared resources come once a stream", async () => {
  const c = new Converter({ to: "ndjson", institution: "1319999999" });
  const seen = resources(await all(c.convertAll(storage()))).filter((e) => ["Organization", "Practitioner", "PractitionerRole", "Location"].includes(e.resourceType));
  assert.ok(seen.length > 0);
  assert.equal(new Set(seen.map((e) => `${e.resourceType}/${e.id}`)).size, seen.length);
  c.free();
});

test("a source is pulled: no more is read than what was asked for", async () => {
  let read = 0;
  const c = new Converter({ to: "ndjson" });
  const events = c.convertAll(many(1000, (i) => { read = i + 1; }));
  await events.next();
  assert.ok(read <= 3, `${read} files read for the first event`);
  await events.return();
  c.free();
});

test("abort ends a stream within one file and closes its source", async () => {
  let closed = false;
  async function* source() {
    try {
      yield* many(1000);
    } finally {
      closed = true;
    }
  }
  const abort = new AbortController();
  const c = new Converter({ to: "ndjson" });
  let after = 0;
  await assert.rejects(async () => {
    for await (const e of c.convertAll(source(), { signal: abort.signal })) {
      if (abort.signal.aborted) after += 1;
      if (e.type === "progress" && e.filesDone === 3) abort.abort();
    }
  }, code("aborted"));
  assert.equal(after, 0);
  assert.ok(closed);
  await assert.rejects(all(c.convertAll(source(), { signal: AbortSignal.abort() })), code("aborted"));
  c.free();
});

test("abort wakes a source that never answers, and a timer may abort a busy one", async () => {
  const c = new Converter({ to: "ndjson" });
  const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: async () => ({ done: true }) }) };
  const waking = new AbortController();
  setTimeout(() => waking.abort(), 50);
  await assert.rejects(all(c.convertAll(silent, { signal: waking.signal })), code("aborted"));
  const start = performance.now();
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 100);
  await assert.rejects(async () => {
    for await (const e of c.convertAll(many(1e9), { signal: abort.signal })) void e;
  }, code("aborted"));
  assert.ok(performance.now() - start < 10_000);
  c.free();
});

test("what is no storage file is converted alone, reported beside a storage", async () => {
  const c = new Converter({ to: "ndjson" });
  const alone = await all(c.convertAll(message()));
  assert.ok(resources(alone).length > 0);
  const text = Buffer.from("hello");
  assert.ok(findings(await all(c.convertAll(text))).includes("SSM108"));
  const beside = await all(c.convertAll([{ path: pathOf("990001"), bytes: message("990001") }, { path: "m", bytes: message("990002") }, { path: ".DS_Store", bytes: text }]));
  assert.deepEqual(findings(beside).filter((f) => f === "SSM108" || f === "SSM182"), ["SSM182"]);
  assert.equal(resources(beside).filter((e) => e.resourceType === "Patient").length, 1);
  c.free();
});

test("names of a zip without the UTF-8 flag are read as CP932", async () => {
  // 標準化.txt
  const name = Buffer.from([0x95, 0x57, 0x8f, 0x80, 0x89, 0xbb, 0x2e, 0x74, 0x78, 0x74]);
  const c = new Converter();
  const events = await all(c.convertAll(zip([{ path: "", name, bytes: Buffer.from("x") }])));
  const finding = events.find((e) => e.type === "diagnostic").diagnostic;
  assert.equal(finding.primary.file, "標準化.txt");
  c.free();
});

test("a damaged or hostile zip gives findings, and the rest is read", async () => {
  const c = new Converter({ to: "ndjson" });
  const good = { path: pathOf("990001"), bytes: message("990001") };
  const bomb = zip([good, { path: pathOf("990002"), bytes: new Uint8Array(40_000_000) }, { path: "../evil", bytes: message() }]);
  const events = await all(c.convertAll(bomb));
  assert.ok(findings(events).includes("SSM111"), String(findings(events)));
  assert.ok(resources(events).some((e) => e.resourceType === "Patient"));
  const cut = zip([good]);
  assert.ok(findings(await all(c.convertAll(cut.subarray(0, cut.length - 30)))).includes("SSM115"));
  cut[60] ^= 0xff;
  const broken = await all(c.convertAll(cut));
  assert.ok(broken.some((e) => e.type === "diagnostic"));
  c.free();
});

test("a source of another shape is refused", async () => {
  const c = new Converter();
  for (const source of [undefined, null, 5, {}, [1], new Set([1])]) {
    await assert.rejects(all(c.convertAll(source)), code("invalid-option"));
  }
  await assert.rejects(all(c.convertAll([], { signal: 5 })), code("invalid-option"));
  c.free();
});

test("a long stream needs bounded memory", async () => {
  const c = new Converter({ to: "ndjson" });
  const glue = await import("../dist/wasm/convert.js");
  const memory = () => glue.initSync().memory.buffer.byteLength;
  const run = async (count) => {
    for await (const e of c.convertAll(many(count))) void e;
  };
  await run(500);
  const before = memory();
  await run(5000);
  assert.equal(memory(), before);
  c.free();
});

test("a stream gives the trace of each event and the unused fields", async () => {
  for (const to of ["bundle", "ndjson", "clins"]) {
    const c = new Converter({ to, institution: "1319999999", trace: true });
    const events = await all(c.convertAll(storage()));
    const leaves = (v, at) =>
      typeof v === "object" ? Object.entries(v).flatMap(([k, x]) => leaves(x, `${at}/${k.replaceAll("~", "~0").replaceAll("/", "~1")}`)) : [at];
    assert.ok(resources(events).length > 0, to);
    for (const { json, trace } of resources(events)) {
      const own = leaves(JSON.parse(Buffer.from(json)), "");
      for (const pointer of own) assert.equal(trace.forPointer(pointer).length, 1, `${to} ${pointer}`);
      assert.equal(trace.forPointer("").length, own.length, to);
    }
    const unused = events.filter((e) => e.type === "progress").flatMap((e) => e.unused ?? []);
    assert.ok(unused.some((u) => u.path.startsWith("MSH-")) && unused.every((u) => u.file), to);
    c.free();
  }
  const plain = new Converter({ to: "ndjson" });
  for (const e of await all(plain.convertAll(storage()))) assert.ok(!("trace" in e) && !("unused" in e));
  plain.free();
});
