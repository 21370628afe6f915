// What the command line writes is what the shipped JSON Schemas say.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import Ajv from "ajv/dist/2020.js";
import { fixtures, message, root } from "./support.mjs";

const roots = ["standard_root", "extended_root"].map((name) => `${fixtures}/${name}`);
const schema = (name) => {
  const text = readFileSync(new URL(`pkg/schema/${name}-1.json`, root), "utf8");
  return new Ajv({ strict: false, allErrors: true }).compile(JSON.parse(text));
};

/** Runs the program; findings are no failure. */
function warifu(...args) {
  const tool = process.env.WARIFU_CLI;
  const [program, first] = tool ? [tool, []] : ["cargo", ["run", "--quiet", "--package", "warifu-cli", "--"]];
  const options = { cwd: fileURLToPath(root), encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] };
  return execFileSync(program, [...first, ...args, "--config", "none", "--fail-on", "never"], options);
}

/** Lines hold data: only the keywords that fail are said. */
function each(validate, lines, what) {
  const wrong = new Map();
  for (const line of lines) {
    if (validate(line)) continue;
    for (const e of validate.errors) {
      const key = `${e.schemaPath} ${e.params.additionalProperty ?? ""}`;
      wrong.set(key, (wrong.get(key) ?? 0) + 1);
    }
  }
  assert.deepEqual([...wrong], [], what);
}

const parsed = (text) => text.split("\n").filter(Boolean).map((line) => JSON.parse(line));

test("trace, findings and options of every form of a conversion", () => {
  const folder = mkdtempSync(join(tmpdir(), "warifu-schemas-"));
  const [trace, diagnostics, options] = ["trace", "diagnostics", "convert-options"].map(schema);
  const reasons = new Set();
  try {
    // A message that is not SS-MIX2's, with a segment that no table knows.
    writeFileSync(join(folder, "fields.hl7"), new TextDecoder().decode(message()).replace("ADT^A08^ADT_A01", "ZZZ^Z01") + "ZZZ|own\r");
    // A storage, journals and messages outside of both are not converted in one run.
    const inputs = [roots, [`${fixtures}/transaction_root`], [join(folder, "fields.hl7")]];
    for (const [n, form] of [["--to", "ndjson"], ["--to", "bundle"], ["--to", "bundle", "--per", "patient"], ["--to", "clins"]].entries()) {
      let traced = 0;
      for (const [k, of] of inputs.entries()) {
        const out = join(folder, `${n}-${k}`);
        warifu("convert", ...of, "--institution", "1319999999", ...form, "--trace", "--out", out);
        const lines = parsed(readFileSync(join(out, "trace.ndjson"), "utf8"));
        traced += lines.length;
        each(trace, lines, `trace of ${form.join(" ")}`);
        for (const line of lines) if (line.unused) reasons.add(line.unused.reason);
        each(diagnostics, parsed(readFileSync(join(out, "diagnostics.ndjson"), "utf8")), `findings of ${form.join(" ")}`);
        const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"));
        assert.ok(manifest.options, "the manifest names its options");
        each(options, [manifest.options], `options of ${form.join(" ")}`);
      }
      assert.ok(traced > 1000);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  // Every reason that the schema lists occurs.
  const { enum: listed } = JSON.parse(readFileSync(new URL("pkg/schema/trace-1.json", root), "utf8")).$defs.unused.properties.reason;
  assert.deepEqual([...reasons].sort(), [...listed].sort());
});

test("reports of a check", () => {
  const diagnostics = schema("diagnostics");
  each(diagnostics, [JSON.parse(warifu("check", ...roots, "--format", "json"))], "json");
  each(diagnostics, parsed(warifu("check", ...roots, "--format", "ndjson", "--statistics")), "ndjson");
});
