// The optimised wasm, the fast and the small one, gives the bytes of the native converter: JSON, findings
// and trace of every file and every patient of the fixtures and, where they are, the samples.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as fast from "../dist/wasm/convert.js";
import * as small from "../dist/wasm/convert.js?small";
import { Trace, traceOf } from "../src/trace.mjs";
import { folders, read, root } from "./support.mjs";

const sha = (data) => createHash("sha256").update(data).digest("hex");
const cwd = fileURLToPath(root);

function native(folder) {
  const tool = process.env.WARIFU_DIGESTS;
  const [program, args] = tool ? [tool, []] : ["cargo", ["run", "--quiet", "--package", "warifu-tests", "--bin", "native-digests", "--"]];
  return execFileSync(program, [...args, folder], { cwd, encoding: "utf8", maxBuffer: 1 << 28 }).trimEnd().split("\n");
}

/** A trace as the native tool writes it. */
const traced = (raw) => JSON.stringify({ hits: [...new Trace(raw)], unused: raw.unused });

const compiled = (name) => new WebAssembly.Module(readFileSync(new URL(`../dist/wasm/${name}.wasm`, import.meta.url)));
fast.initSync({ module: compiled("convert-fast") });
small.initSync({ module: compiled("convert") });
for (const part of ["clins", "documents", "view"]) small.addPart(part, compiled(`convert-${part}`));
for (const module of [fast, small]) module.nameFields();

if (folders.length < 2) test("samples", { skip: "../shared is absent" }, () => {});
for (const [n, folder] of folders.entries()) {
  let expected;
  for (const [module, { Engine, listStorage }] of Object.entries({ fast, small })) test(`${n === 0 ? "fixtures" : "samples"}, ${module} module`, () => {
    const files = read(folder);
    const byPath = new Map(files.map((f) => [f.path, f]));
    const { patients } = listStorage(files.map((f) => f.path));
    const lines = [];
    const line = (made, unit, form, path) => lines.push([sha(made.json), sha(JSON.stringify(made.diagnostics)), sha(traced(made.trace)), unit, form, path].join("\t"));
    for (const to of ["bundle", "ndjson", "clins"]) {
      const engine = new Engine({ to, trace: true, institution: "1319999999" });
      for (const { path, bytes } of files) line(engine.convert(path, bytes), "file", to, path);
      for (const patient of patients) line(engine.convertPatient(patient.files.map((f) => byPath.get(f.path))), "patient", to, patient.id);
      engine.free();
    }
    expected ??= native(folder);
    assert.equal(lines.length, expected.length);
    // Names of files stay out of what is printed: say how many differ, and which form.
    const differing = {};
    lines.forEach((l, i) => {
      const [mine, theirs] = [l.split("\t"), expected[i].split("\t")];
      ["json", "findings", "trace", "unit", "form", "path"].forEach((what, n) => {
        const key = `${mine[3]} ${mine[4]} ${what}`;
        if (mine[n] !== theirs[n]) differing[key] = (differing[key] ?? 0) + 1;
      });
    });
    assert.deepEqual(differing, {});
    assert.ok(lines.length > 50);
  });
}

/** A message with so many results. */
const long = (results) => new TextEncoder().encode([
  "MSH|^~\\&|HIS|SEND|GW|RCV|20260401093000||OUL^R22^OUL_R22|1|P|2.5||||||UNICODE UTF-8", "PID|0001||0000990001^^^^PI", "SPM|1|||023^血清^JC10",
  "OBR|1|000000260401001||E001^生化学^99L|||20260401", ...Array.from({ length: results }, (_, i) => `OBX|${i + 1}|NM|3A010^総蛋白^JC10||${i}|g/dL||||F`), "",
].join("\r"));

test("a trace is numbers, not objects: a few bytes a leaf, and no more texts in a longer message", () => {
  const counts = [2_000, 8_000].map((results) => {
    const engine = new fast.Engine({ trace: true });
    const { trace } = engine.convert("m", long(results));
    engine.free();
    const leaves = new Trace(trace).forPointer("").length;
    assert.ok(leaves > results * 15, leaves);
    assert.ok(trace.bytes.length < leaves * 20, `${trace.bytes.length} bytes of ${leaves} leaves`);
    return [trace.texts.length, leaves];
  });
  assert.equal(counts[0][0], counts[1][0]);
  assert.ok(counts[1][1] > counts[0][1] * 3.9);
});

test("a trace that is not whole says so", () => {
  const packed = { bytes: Uint8Array.of(0, 1, 0, 0, 0, 0), texts: ["/id", "/status"], files: [], ends: [3, 6], complete: [true, false] };
  const [first, second] = [0, 1].map((i) => traceOf(packed, i));
  assert.deepEqual([first.complete, second.complete], [true, false]);
  assert.deepEqual([first, second].map((t) => [...t].map((h) => h.pointer)), [["/id"], ["/id"]]);
});
