import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createPool } from "warifu/pool";
import * as node from "warifu";
import { all, message, pathOf, root, storage } from "./support.mjs";

const pkg = new URL("pkg/", root);

/** Runs a module in a process of its own and gives what it prints as JSON. */
const run = (code) => JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: pkg, encoding: "utf8" }));

test("the browser entry wants init, takes every form of module, and may be tried again", () => {
  const result = run(`
    import { readFileSync } from "node:fs";
    import { Converter, init } from "./dist/convert.mjs";
    const bytes = readFileSync("dist/wasm/convert.wasm");
    const codes = [];
    try { new Converter() } catch (e) { codes.push(e.code) }
    await init(new Response("gone", { status: 404 })).catch((e) => codes.push(e.code));
    await init(bytes.subarray(0, 100)).catch((e) => codes.push(e.code));
    await init(5).catch((e) => codes.push(e.code));
    const headers = { "content-type": "application/wasm" };
    await init(Promise.resolve(new Response(bytes, { headers })));
    const made = new Converter({ to: "ndjson" }).convert(Uint8Array.from(${JSON.stringify([...message()])})).value();
    console.log(JSON.stringify({ codes, made }));
  `);
  assert.deepEqual(result.codes, Array(4).fill("not-initialised"));
  assert.deepEqual(result.made, new node.Converter({ to: "ndjson" }).convert(message()).value());
});

test("a Module and a Response without type are taken", () => {
  for (const input of ["await WebAssembly.compile(bytes)", "new Response(bytes)", "bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)"]) {
    const made = run(`
      import { readFileSync } from "node:fs";
      import { init, parse } from "./dist/convert.mjs";
      const bytes = readFileSync("dist/wasm/convert.wasm");
      await init(${input}, { view: readFileSync("dist/wasm/convert-view.wasm") });
      console.log(parse(new TextEncoder().encode("MSH|^~\\\\&|A\\rPID|1\\r")).segments.length);
    `);
    assert.equal(made, 2);
  }
});

test("the browser entry of the check wants init, too", () => {
  const result = run(`
    import { readFileSync } from "node:fs";
    import { Checker, init } from "./dist/check.mjs";
    const codes = [];
    try { new Checker() } catch (e) { codes.push(e.code) }
    await init(readFileSync("dist/wasm/check.wasm"));
    codes.push(...new Checker().check(new TextEncoder().encode("PID|1\\r")).diagnostics.map((d) => d.code));
    console.log(JSON.stringify(codes));
  `);
  assert.equal(result[0], "not-initialised");
  assert.ok(result.length > 1);
});

test("the inline entry needs no file beside it", () => {
  const made = run(`
    import { parse } from "warifu/inline/convert";
    console.log(JSON.stringify(parse(new TextEncoder().encode("MSH|^~\\\\&|A\\rPID|1\\r")).segments.length));
  `);
  assert.equal(made, 2);
});

test("one entry loads one wasm, and only when it is used; the first zip loads its reader, the first page its own", () => {
  const reads = run(`
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const reads = [];
    const real = fs.readFileSync;
    fs.readFileSync = (path, ...rest) => { reads.push(String(path)); return real(path, ...rest); };
    syncBuiltinESMExports();
    const { Converter, rule } = await import("warifu");
    const before = reads.filter((p) => p.endsWith(".wasm")).length;
    new Converter().free();
    new Converter().free();
    const { Checker } = await import("warifu/check");
    const between = reads.filter((p) => p.endsWith(".wasm")).length;
    new Checker().free();
    const checker = new Checker();
    const converter = new Converter();
    const empty = new Uint8Array(22);
    empty.set([0x50, 0x4b, 5, 6]);
    for (const stream of [converter.convertAll(empty), checker.checkAll(empty)]) for await (const event of stream) event;
    converter.free();
    checker.free();
    await rule("ENC110");
    await rule("ENC110", "en");
    const names = reads.filter((p) => p.endsWith(".wasm")).map((p) => p.split("/").at(-1));
    console.log(JSON.stringify([before, between, names]));
  `);
  assert.deepEqual(reads, [0, 1, ["convert-fast.wasm", "check.wasm", "unpack.wasm", "rules.wasm"]]);
});

/** Every kind of work for the converter; `first` comes before it. Gives what was read after each, and the types of the resources of a document. */
const worked = (first) =>
  run(`
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const reads = [];
    const real = fs.readFileSync;
    fs.readFileSync = (path, ...rest) => { reads.push(String(path)); return real(path, ...rest); };
    syncBuiltinESMExports();
    const { Converter, init, parse } = await import("warifu");
    ${first}
    const names = () => reads.filter((p) => p.endsWith(".wasm")).map((p) => p.split("/").at(-1));
    const message = Uint8Array.from(${JSON.stringify([...message()])});
    const document = { path: "a.xml", bytes: new TextEncoder().encode("<?xml version='1.0'?><ClinicalDocument xmlns='urn:hl7-org:v3'/>") };
    const converter = new Converter({ to: "ndjson" });
    converter.convert(message);
    const steps = [names()];
    const kinds = converter.convert(document).value().map((r) => r.resourceType);
    steps.push(names());
    new Converter({ to: "clins" }).convert(message);
    steps.push(names());
    new Converter({ trace: true }).convert(message);
    parse(message);
    steps.push(names());
    console.log(JSON.stringify([steps, kinds]));
  `);

test("a part of the small module is read with the first output or file that needs it", () => {
  const reads = worked(`await init(fs.readFileSync("dist/wasm/convert.wasm"), { clins: false, documents: false, view: false });`);
  const order = ["convert.wasm", "convert-documents.wasm", "convert-clins.wasm", "convert-view.wasm"];
  const steps = order.map((_, i) => order.slice(0, i + 1));
  assert.deepEqual(reads[0], steps);
  assert.ok(reads[1].includes("DocumentReference"), String(reads[1]));
});

test("the module for Node.js has its parts inside, with init() and without", () => {
  for (const first of ["", "await init();", `await init(fs.readFileSync("dist/wasm/convert-fast.wasm"));`]) {
    const [steps, kinds] = worked(first);
    assert.deepEqual(steps, Array(4).fill(["convert-fast.wasm"]));
    assert.ok(kinds.includes("DocumentReference"), String(kinds));
  }
});

test("browsers load the fast module alone where they are asked to", () => {
  const asked = run(`
    import { readFileSync } from "node:fs";
    const asked = [];
    globalThis.fetch = async (url) => { asked.push(String(url).split("/").at(-1)); return new Response(readFileSync(url)); };
    const { Converter, init, parse } = await import("./dist/convert.mjs");
    await init(undefined, { fast: true });
    const message = Uint8Array.from(${JSON.stringify([...message()])});
    const lines = new Converter({ to: "clins", trace: true }).convert(message).json.length + parse(message).segments.length;
    await (await import("./dist/validate.mjs")).init(undefined, { fast: true });
    const inline = await (await import("./dist/inline/convert.mjs")).init(undefined, { fast: true }).catch((e) => e.code);
    console.log(JSON.stringify([asked, lines > 0, inline]));
  `);
  assert.deepEqual(asked, [["convert-fast.wasm", "validate-fast.wasm"], true, "invalid-option"]);
});

test("browsers take the fast module, too", () => {
  const [small, fast] = ["convert", "convert-fast"].map((name) =>
    run(`
      import { readFileSync } from "node:fs";
      import { Converter, init, parse } from "./dist/convert.mjs";
      globalThis.fetch = async (url) => new Response(readFileSync(url));
      const module = readFileSync("dist/wasm/${name}.wasm");
      await init(module, ${name === "convert" ? "{}" : "{ clins: false, documents: false, view: false }"});
      const message = Uint8Array.from(${JSON.stringify([...message()])});
      const made = new Converter({ to: "clins", trace: true }).convert(message);
      console.log(JSON.stringify([Buffer.from(made.json).toString(), made.diagnostics, made.trace.unused(), parse(message)]));
    `),
  );
  assert.deepEqual(fast, small);
});

test("what is left out of init is loaded by convertAll, and missed by name elsewhere", () => {
  const nameless = Buffer.from(Buffer.from(message()).toString("latin1").replace(/(\rPID\|[^|]*\|[^|]*\|)[^|]*/, "$1"), "latin1");
  const result = run(`
    import { readFileSync } from "node:fs";
    import { Converter, init, parse } from "./dist/convert.mjs";
    const asked = [];
    globalThis.fetch = async (url) => { asked.push(String(url).split("/").at(-1)); return new Response(readFileSync(url)); };
    await init(undefined, { clins: false, documents: false, view: false });
    const message = Uint8Array.from(${JSON.stringify([...message()])});
    const document = { path: "a.xml", bytes: new TextEncoder().encode("<?xml version='1.0'?><ClinicalDocument xmlns='urn:hl7-org:v3'/>") };
    const bundle = new Converter();
    const clins = new Converter({ to: "clins" });
    const traced = new Converter({ to: "ndjson", trace: true });
    const told = new Converter({ to: "ndjson", provenance: true });
    const nameless = Uint8Array.from(${JSON.stringify([...nameless])});
    const places = () => bundle.convert(nameless).diagnostics.map((d) => d.primary).filter((p) => p.path).map(({ path, field }) => ({ path, field }));
    const before = places();
    const codes = [];
    for (const f of [() => bundle.convert(message), () => bundle.convert(document), () => clins.convert(message), () => traced.convert(message), () => told.convert(message), () => parse(message)]) {
      try { f(); codes.push("made"); } catch (e) { codes.push(e.code, e.message.split('"')[1]); }
    }
    const all = async (stream) => { let n = 0; for await (const e of stream) if (e.type === "resource") n += 1; return n; };
    const made = [await all(bundle.convertAll(document)), await all(clins.convertAll(message)), await all(told.convertAll(message)), parse(message).segments.length, bundle.convert(document).json.length, clins.convert(message).json.length, await all(traced.convertAll(message))];
    console.log(JSON.stringify({ codes, made, asked, named: [before, places()] }));
  `);
  // The names of fields are a part, too.
  const places = ({ path, field }, named) => ({ path, field: named ? field : undefined });
  const found = new node.Converter().convert(nameless).diagnostics.map((d) => d.primary).filter((p) => p.path);
  assert.ok(found.some((p) => p.field));
  assert.deepEqual(result.named, [false, true].map((named) => JSON.parse(JSON.stringify(found.map((p) => places(p, named))))));
  assert.deepEqual(result.codes, ["made", "not-initialised", "documents", "not-initialised", "clins", "not-initialised", "view", "not-initialised", "view", "not-initialised", "view"]);
  assert.deepEqual(result.asked, ["convert.wasm", "convert-documents.wasm", "convert-clins.wasm", "convert-view.wasm"]);
  const document = { path: "a.xml", bytes: new TextEncoder().encode("<?xml version='1.0'?><ClinicalDocument xmlns='urn:hl7-org:v3'/>") };
  const lengths = [new node.Converter().convert(document), new node.Converter({ to: "clins" }).convert(message())].map((c) => c.json.length);
  assert.deepEqual(result.made.slice(4, 6), lengths);
  assert.ok(result.made[0] > 0 && result.made[6] > 0);
  assert.equal(result.made[2], result.made[6] + 1);
  assert.equal(result.made[3], node.parse(message()).segments.length);
});

test("a pool gives what one thread gives, in the same order", async () => {
  const files = storage();
  const options = { to: "ndjson", institution: "1319999999" };
  const single = new node.Converter(options);
  const pool = await createPool({ size: 2 });
  try {
    assert.equal(pool.size, 2);
    const many = new pool.Converter(options);
    assert.deepEqual(await all(many.convertAll(files)), await all(single.convertAll(files)));
    const traced = new pool.Converter({ trace: true });
    const made = await traced.convert({ path: pathOf("990001"), bytes: message() });
    assert.ok(made.trace.forPointer("/entry/0/resource").length > 1);
    assert.equal(made.value().resourceType, "Bundle");
    assert.equal((await pool.parse(message())).messageType, "ADT^A08");
    assert.throws(() => new pool.Converter({ to: "xml" }), { code: "invalid-option" });
    many.free();
    many.free();
    await assert.rejects(many.convert(message()), { code: "disposed" });
    const open = assert.rejects(traced.convert(message()), { code: "disposed" });
    await pool.terminate();
    await open;
    await assert.rejects(traced.convert(message()), { code: "disposed" });
  } finally {
    await pool.terminate();
  }
  await assert.rejects(createPool({ size: 0 }), { code: "invalid-option" });
});

test("the package holds what its exports name, and nothing of this machine", () => {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const [{ files }] = JSON.parse(execFileSync(npm, ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: pkg, encoding: "utf8" }));
  const names = files.map((f) => f.path);
  const manifest = JSON.parse(readFileSync(new URL("package.json", pkg), "utf8"));
  const targets = (x) => (typeof x === "string" ? [x] : Object.values(x).flatMap(targets));
  for (const target of targets(manifest.exports)) {
    const pattern = new RegExp(`^${target.slice(2).replaceAll(".", "\\.").replace("*", "[^/]+")}$`);
    assert.ok(names.some((n) => pattern.test(n)), `${target} is not packed`);
  }
  for (const name of ["dist/LICENSE-APACHE", "dist/LICENSE-MIT"]) assert.ok(names.includes(name), `${name} is not packed`);
  for (const name of names) {
    assert.match(name, /^(dist\/|schema\/|package\.json$|README\.md$|LICENSE)/);
    const text = readFileSync(new URL(name, pkg), "latin1");
    assert.ok(!/\/root\/|\/home\/|\.cargo\/registry/.test(text), `${name} names a folder of this machine`);
  }
  const wasm = ["check", "consent", "convert-clins", "convert-documents", "convert-fast", "convert-view", "convert", "rules", "unpack", "validate-fast", "validate"].map((name) => `dist/wasm/${name}.wasm`);
  assert.deepEqual(names.filter((n) => n.endsWith(".wasm")).sort(), wasm);
});
