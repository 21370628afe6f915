// The formats of `warifu check` against their schemas: our own, the official one of SARIF 2.1.0.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import Ajv2020 from "ajv/dist/2020.js";
import Draft04 from "ajv-draft-04";
import formats from "ajv-formats";

const root = fileURLToPath(new URL("../../", import.meta.url));
const cli = process.env.WARIFU_CLI ?? join(root, "target/debug/warifu");
const fixtures = join(root, "tests/fixtures");
const require = createRequire(import.meta.url);

const check = (...args) => {
  const { stdout, stderr, status } = spawnSync(cli, ["check", ...args], { cwd: fixtures, maxBuffer: 1 << 28 });
  assert.ok(status === 0 || status === 1, stderr.toString());
  return stdout.toString();
};

const ajv = new Ajv2020({ strict: true, allErrors: true });
const own = ajv.compile(JSON.parse(readFileSync(join(root, "pkg/schema/diagnostics-1.json"), "utf8")));
// The official schema has a pattern that the flag `u` forbids.
const draft04 = new Draft04({ strict: false, allErrors: true, unicodeRegExp: false });
formats(draft04);
const sarif = draft04.compile(JSON.parse(readFileSync(require.resolve("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"), "utf8")));

const valid = (validate, value) => assert.ok(validate(value), JSON.stringify(validate.errors?.slice(0, 3)));

for (const [name, paths] of [["findings", ["broken", "standard_root"]], ["statistics", ["standard_root", "--statistics"]], ["none", ["standard_root", "--ignore", "ENC,HL7,SSM"]]]) {
  test(`json, ndjson and sarif with ${name} are valid`, () => {
    const report = JSON.parse(check(...paths, "--format", "json"));
    valid(own, report);
    assert.equal(report.diagnostics.length > 0, name !== "none");
    assert.equal(report.statistics?.length > 0, name === "statistics");
    const lines = check(...paths, "--format", "ndjson").trimEnd().split("\n").map((l) => JSON.parse(l));
    for (const line of lines) valid(own, line);
    assert.deepEqual(lines.slice(0, -1), report.diagnostics);
    assert.deepEqual(lines.at(-1).summary, report.summary);
    assert.deepEqual(lines.at(-1).statistics, report.statistics);
    const log = JSON.parse(check(...paths, "--format", "sarif"));
    valid(sarif, log);
    assert.equal(log.runs[0].results.length, report.diagnostics.length);
  });
}

test("json, ndjson and sarif on FHIR are valid, with codes and with keys of invariants", () => {
  const folder = mkdtempSync(join(tmpdir(), "warifu-"));
  try {
    const file = join(folder, "a.json");
    const bundle = { resourceType: "Bundle", type: "batch", entry: [{ resource: { resourceType: "Patient", gender: "女", contact: [{}] } }] };
    writeFileSync(file, JSON.stringify(bundle));
    const args = [file, "--config", "none"];
    const report = JSON.parse(check(...args, "--format", "json"));
    valid(own, report);
    const codes = report.diagnostics.map((d) => d.code);
    assert.ok(codes.includes("FHR101") && codes.some((c) => /^[a-z]+-[0-9]+$/.test(c)), codes.join());
    // What was found is the patient's: machine formats have its shape, and the value only when it is asked for.
    const found = (report) => report.diagnostics.find((d) => d.code === "FHR101").fhir;
    assert.ok(found(report).expected && !JSON.stringify(report).includes("女"));
    assert.equal(found(report).found, "漢");
    const shown = JSON.parse(check(...args, "--format", "json", "--show-values", "always"));
    valid(own, shown);
    assert.equal(found(shown).found, "女");
    const lines = check(...args, "--format", "ndjson").trimEnd().split("\n").map((l) => JSON.parse(l));
    for (const line of lines) valid(own, line);
    valid(sarif, JSON.parse(check(...args, "--format", "sarif")));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a schema that is broken on purpose is noticed", () => {
  const log = JSON.parse(check("broken", "--format", "sarif"));
  delete log.runs[0].tool;
  assert.ok(!sarif(log));
  const report = JSON.parse(check("broken", "--format", "json"));
  report.diagnostics[0].value = "x";
  assert.ok(!own(report));
});

test("baseline runs mark their results as new", () => {
  const folder = mkdtempSync(join(tmpdir(), "warifu-"));
  try {
    const baseline = join(folder, "b.json");
    check("broken", "--select", "ENC107", "--baseline", baseline, "--update-baseline");
    const log = JSON.parse(check("broken", "--baseline", baseline, "--format", "sarif"));
    valid(sarif, log);
    assert.ok(log.runs[0].results.every((r) => r.baselineState === "new" && r.ruleId !== "ENC107"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("fingerprints of gitlab are unique", () => {
  const issues = JSON.parse(check("broken", "--format", "gitlab"));
  assert.ok(issues.length > 50);
  // Files in `broken` are variants of one message: equal keys under different folders stay apart by path.
  for (const i of issues) assert.match(i.fingerprint, /^[0-9a-f]{32}$/);
  assert.equal(new Set(issues.map((i) => i.fingerprint)).size, issues.length);
});
