// `warifu/validate`: what `warifu check` says of FHIR, byte for byte, and what the API promises.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { compilePackage, init, rule, rules, Validator, WarifuError } from "warifu/validate";
import { read, root, tgz } from "./support.mjs";

const cli = process.env.WARIFU_CLI ?? fileURLToPath(new URL("target/debug/warifu", root));
const shared = fileURLToPath(new URL("../shared/fhir/", root));
const formats = ["json", "ndjson", "sarif", "junit", "github", "gitlab", "checkstyle", "markdown", "operation-outcome"];
const code = (expected) => (e) => e instanceof WarifuError && e.code === expected;
const env = { ...process.env, WARIFU_LANG: "ja" };
delete env.SOURCE_DATE_EPOCH;
const bytes = (value) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value, undefined, 2));

const made = [];
/** A validator that is freed when its test is over. */
const own = (options) => {
  const validator = new Validator(options);
  made.push(validator);
  return validator;
};
afterEach(() => {
  for (const validator of made.splice(0)) validator.free();
});

/** Does something with a folder of its own, which is gone afterwards. */
function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), "warifu-validate-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Reports of the command line by format. */
const native = (cwd, paths, ...options) =>
  inFolder((out) => {
    const wanted = formats.flatMap((f) => ["--format", `${f}=${join(out, f)}`]);
    const { status, stderr } = spawnSync(cli, ["check", "--config", "none", ...options, ...wanted, "--", ...paths], { cwd, env });
    assert.ok(status === 0 || status === 1, stderr.toString());
    return Object.fromEntries(formats.map((f) => [f, readFileSync(join(out, f), "utf8")]));
  });

/** Says where two texts part, without what they hold. */
function same(mine, theirs, what) {
  const text = Buffer.from(mine).toString();
  if (text === theirs) return;
  let at = 0;
  while (text[at] === theirs[at]) at += 1;
  assert.fail(`${what}: ${text.length} and ${theirs.length} characters differ from ${at} on`);
}

function compare(report, theirs, what) {
  for (const f of formats) same(report.format(f), theirs[f], `${what} ${f}`);
  assert.deepEqual(report.summary, JSON.parse(theirs.json).summary);
}

const guide = "http://example.org/fhir/StructureDefinition/";
/** A guide of our own: every Patient has a birth date, and identifiers of one system. */
const archive = (version, dependencies = {}) =>
  tgz({
    "package.json": { name: "test.ig", version, fhirVersions: ["4.0.1"], dependencies },
    "StructureDefinition-p.json": {
      resourceType: "StructureDefinition",
      url: `${guide}P`,
      version,
      name: "P",
      status: "active",
      kind: "resource",
      abstract: false,
      type: "Patient",
      baseDefinition: "http://hl7.org/fhir/StructureDefinition/Patient",
      derivation: "constraint",
      differential: {
        element: [
          { id: "Patient", path: "Patient", constraint: [{ key: "my-1", severity: "error", human: "a name or a number", expression: "name.exists() or identifier.exists()" }] },
          { id: "Patient.birthDate", path: "Patient.birthDate", min: version.startsWith("1") ? 1 : 0 },
          { id: "Patient.identifier", path: "Patient.identifier", slicing: { discriminator: [{ type: "value", path: "system" }], rules: "closed" } },
          { id: "Patient.identifier:own", path: "Patient.identifier", sliceName: "own", min: 0, max: "1" },
          { id: "Patient.identifier:own.system", path: "Patient.identifier.system", min: 1, fixedUri: "http://example.org/own" },
          ...("other.ig" in dependencies ? [{ id: "Patient.contact", path: "Patient.contact", max: "1" }, { id: "Patient.managingOrganization", path: "Patient.managingOrganization", type: [{ code: "Reference", profile: ["http://other.example.org/ReferenceP"] }] }] : []),
        ],
      },
    },
  });

/** Documents of our own, each with something wrong, but the last. */
const documents = {
  "active.json": { resourceType: "Patient", active: "yes", gender: "女", birthDate: "2026-02-30" },
  "bundle.json": {
    resourceType: "Bundle",
    type: "document",
    entry: [
      { fullUrl: "urn:uuid:00000000-0000-4000-8000-000000000001", resource: { resourceType: "Composition", status: "final", subject: { reference: "Patient/none" } } },
      { resource: { resourceType: "Observation", status: "final", code: { coding: [{ system: "http://unitsofmeasure.org", code: "mg//dl" }] }, valueQuantity: { value: 1, system: "http://unitsofmeasure.org", code: "mg/dL" } } },
    ],
  },
  "lines.ndjson": '{"resourceType":"Patient","gender":"male"}\r\n\r\n{"resourceType":"Patient","gender":"?","名前":1}\n{"resourceType":"Pat',
  "unnamed-lines.json": '{"resourceType":"Patient","gender":"male"}\n{"resourceType":"Patient","gender":"?"}\n',
  "profile.json": { resourceType: "Patient", meta: { profile: [`${guide}P`, `${guide}Q`] }, identifier: [{ system: "http://example.org/other", value: "あ1" }] },
  "script.json": { resourceType: "Patient", text: { status: "generated", div: '<div xmlns="http://www.w3.org/1999/xhtml"><script>1</script></div>' }, name: [{ family: "割符" }] },
  "broken.json": '{"resourceType": "Patient", "name": [{"family": "割符 😀", }]}',
  "clean.json": { resourceType: "Patient", name: [{ family: "割符" }], birthDate: "1970-04-01", gender: "female", text: { status: "generated", div: '<div xmlns="http://www.w3.org/1999/xhtml">割符</div>' } },
};
const files = Object.entries(documents).map(([path, value]) => ({ path, bytes: bytes(value) }));

const here = (folder, list) => {
  for (const { path, bytes } of list) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
};

for (const [options, words] of [
  [{}, []],
  [{ lang: "en", showValues: true }, ["--lang", "en", "--show-values", "always"]],
  [{ ignore: ["FHR2"], severity: { FHR101: "info" } }, ["--ignore", "FHR2", "--severity", "FHR101=info"]],
  [{ profile: [`${guide}P`], packages: [archive("1.0.0")] }, ["--profile", `${guide}P`, "--ig", "ig.tgz"]],
]) {
  test(`documents have the bytes of the command line in every machine format: ${words.join(" ") || "no option"}`, () =>
    inFolder((folder) => {
      here(folder, files);
      writeFileSync(join(folder, "ig.tgz"), archive("1.0.0"));
      const validator = own(options);
      for (const file of files) compare(validator.validate(file), native(folder, [file.path], ...words), file.path);
      const all = validator.validateFiles(files);
      compare(all, native(folder, files.map((f) => f.path), ...words), "all");
      const clean = all.diagnostics.filter((d) => d.primary.file === "clean.json" && d.severity === "error");
      assert.deepEqual(clean, []);
      for (const { path } of files.slice(0, -1)) assert.ok(all.diagnostics.some((d) => d.primary.file === path), path);
    }));
}

test("findings name place, profile, element and reason", () => {
  const validator = own({ packages: [archive("1.0.0")] });
  const { diagnostics } = validator.validate(files.find((f) => f.path === "profile.json"));
  const birth = diagnostics.find((d) => d.fhir?.element === "Patient.birthDate");
  assert.deepEqual(birth.fhir.profiles, [`${guide}P|1.0.0`]);
  assert.ok(birth.primary.path.startsWith("Patient"));
  const slice = diagnostics.find((d) => d.fhir?.reasons?.length > 0);
  assert.ok(slice.fhir.reasons.join().includes("own") && slice.primary.start.line > 5);
  assert.ok(diagnostics.some((d) => d.code === "FHR301"), "the other profile is not at hand");
  const english = own({ lang: "en", packages: [archive("1.0.0")] });
  const named = english.validate({ path: "a", bytes: bytes({ resourceType: "Patient", meta: { profile: [`${guide}P`] } }) });
  assert.ok(named.diagnostics.some((d) => d.code === "my-1"), JSON.stringify(named.diagnostics));
});

test("two versions of a guide stand side by side, and what is missing is not checked", () => {
  const patient = (version) => bytes({ resourceType: "Patient", meta: { profile: [`${guide}P|${version}`] }, name: [{ family: "a" }], managingOrganization: { reference: "Organization/1" } });
  const births = (validator, version) => validator.validate(patient(version)).diagnostics.filter((d) => d.fhir?.element === "Patient.birthDate").length;
  const both = own({ packages: [archive("1.0.0"), archive("2.0.0", { "other.ig": "1.0.0" })] });
  assert.deepEqual([births(both, "1.0.0"), births(both, "2.0.0")], [1, 0]);
  const packages = both.packages.map((p) => [p.name, p.version, p.missing, p.problems.length]);
  assert.deepEqual(packages, [["test.ig", "1.0.0", [], 0], ["test.ig", "2.0.0", ["other.ig#1.0.0"], 0]]);
  const alone = own({ packages: [archive("1.0.0")] });
  assert.ok(alone.validate(patient("2.0.0")).diagnostics.some((d) => d.code === "FHR306"));
});

test("a compiled package is what the command line compiles, and says the same as its archive", () =>
  inFolder((folder) => {
    const cache = join(folder, "cache");
    writeFileSync(join(folder, "ig.tgz"), archive("1.0.0"));
    const run = (...args) => execFileSync(cli, ["package", ...args], { cwd: folder, env: { ...env, WARIFU_PACKAGE_CACHE: cache } });
    run("add", "ig.tgz");
    run("compile", "test.ig#1.0.0", "-o", "ig.wfp");
    const compiled = readFileSync(join(folder, "ig.wfp"));
    assert.deepEqual(Buffer.from(compilePackage(archive("1.0.0"))), compiled);
    const said = (packages) => {
      const validator = own({ packages });
      return Buffer.from(validator.validateFiles(files).format("json")).toString();
    };
    assert.equal(said([compiled]), said([archive("1.0.0")]));
    assert.notEqual(said([compiled]), said([]));
    // A copy is kept: what becomes of the caller's bytes does not matter.
    const given = new Uint8Array(compiled);
    const validator = own({ packages: [given] });
    given.fill(0);
    assert.equal(validator.packages[0].name, "test.ig");
  }));

test("options, packages and input of another shape are refused", () => {
  const compiled = compilePackage(archive("1.0.0"));
  const damaged = compiled.slice();
  damaged[damaged.length - 1] ^= 1;
  for (const options of [{ to: "bundle" }, { config: "" }, { lang: "fr" }, { select: ["NOPE"] }, { ignore: ["SSM"] }, { profile: ["none"] }, { packages: 5 }, { packages: [5] }, { packages: [new Uint8Array()] }, { packages: [damaged] }, { packages: [compiled.subarray(0, 50)] }, { packages: [bytes("{}")] }, 7, []]) {
    assert.throws(() => new Validator(options), code("invalid-option"), JSON.stringify(options));
  }
  for (const archive of [5, undefined, new Uint8Array(100), gzipSync("x")]) assert.throws(() => compilePackage(archive), code("invalid-option"));
  const validator = new Validator();
  for (const input of [undefined, 5, {}, { path: "x" }]) assert.throws(() => validator.validate(input), code("invalid-option"));
  assert.throws(() => validator.validate(new Uint8Array(64 * 1024 * 1024 + 1)), code("too-large"));
  const report = validator.validate(files[0]);
  assert.throws(() => report.format("xml"), code("invalid-option"));
  validator.free();
  validator.free();
  assert.throws(() => validator.validate(files[0]), code("disposed"));
  // A report outlives its validator.
  assert.ok(report.format("text").length > 0);
});

test("bad data gives findings, never an error", () => {
  const validator = own({ packages: [archive("1.0.0")] });
  const deep = "[".repeat(100_000);
  for (const data of [new Uint8Array(), Uint8Array.of(0), new Uint8Array(1000).fill(0x7b), bytes("MSH|^~\\&|"), bytes("<Patient xmlns='http://hl7.org/fhir'/>"), bytes("null"), bytes("[]"), bytes(deep), bytes(`{"resourceType":"Patient","name":${deep}`), bytes('\ufeff{"resourceType":"Patient"}'), crypto.getRandomValues(new Uint8Array(60_000))]) {
    const report = validator.validate({ path: "x", bytes: data });
    assert.ok(report.diagnostics.length > 0);
    for (const f of ["text", ...formats]) assert.ok(report.format(f).length >= 0);
  }
});

test("a trap is reported as internal and the next call starts a new instance with the same packages", async () => {
  const glue = await import("../dist/wasm/validate.js");
  const validator = own({ packages: [archive("1.0.0")] });
  const expected = validator.validateFiles(files);
  const trap = glue.ValidateEngine.prototype.check;
  glue.ValidateEngine.prototype.check = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  try {
    assert.throws(() => validator.validate(files[0]), code("internal"));
  } finally {
    glue.ValidateEngine.prototype.check = trap;
  }
  assert.deepEqual(expected.format("json"), validator.validateFiles(files).format("json"));
});

test("each code has a page in both languages", () => {
  const list = rules();
  for (const family of ["FHR", "JPC", "CLN"]) assert.ok(list.some((r) => r.code.startsWith(family)), family);
  for (const r of list) assert.ok(rule(r.code, "en").includes(r.en.help));
  assert.throws(() => rule("NOPE99"), code("invalid-option"));
});

test("init may be called at any time, and the browser entry wants it", async () => {
  await Promise.all([init(), init()]);
  const result = execFileSync(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import { readFileSync } from "node:fs";
       import { Validator, init } from "./dist/validate.mjs";
       const codes = [];
       try { new Validator() } catch (e) { codes.push(e.code) }
       await init(readFileSync("dist/wasm/validate.wasm"));
       codes.push(...new Validator().validate(new TextEncoder().encode('{"resourceType":"Patient","active":1}')).diagnostics.map((d) => d.code));
       console.log(JSON.stringify(codes));`,
    ],
    { cwd: new URL("pkg/", root), encoding: "utf8" },
  );
  const codes = JSON.parse(result);
  assert.equal(codes[0], "not-initialised");
  assert.ok(codes.includes("FHR006"), result);
});

test("many handles, reports and packages leave memory flat", async () => {
  const { initSync } = await import("../dist/wasm/validate.js");
  const memory = () => initSync().memory.buffer.byteLength;
  const packages = [archive("1.0.0")];
  const use = (count) => {
    for (let i = 0; i < count; i += 1) {
      const validator = new Validator({ packages });
      validator.validate(files[i % files.length]).format("sarif");
      validator.free();
    }
  };
  use(50);
  const before = memory();
  use(200);
  assert.equal(memory(), before);
});

test("vital signs by their codes and must-support are options", () => {
  const pulse = {
    resourceType: "Observation",
    status: "final",
    category: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "exam" }] }],
    code: { coding: [{ system: "http://loinc.org", code: "8867-4" }] },
    subject: { reference: "Patient/1" },
    effectiveDateTime: "2026-04-01",
    valueQuantity: { value: 72, unit: "/min", system: "http://unitsofmeasure.org", code: "/min" },
  };
  const codes = (options) => own(options).validate({ path: "pulse.json", bytes: bytes(pulse) }).diagnostics.map((d) => d.code);
  const profile = ["http://hl7.org/fhir/StructureDefinition/vitalsigns"];
  assert.ok(codes({}).includes("FHR401"));
  assert.ok(!codes({ vitalSigns: false }).includes("FHR401"));
  assert.ok(!codes({ profile }).includes("FHR415"));
  assert.ok(codes({ profile, mustSupport: true }).includes("FHR415"));
  assert.throws(() => new Validator({ mustSupport: 1 }), code("invalid-option"));
});

test("the example of the README runs", () =>
  inFolder((folder) => {
    const readme = readFileSync(new URL("pkg/README.md", root), "utf8");
    const block = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, text]) => text).find((text) => text.includes('"warifu/validate"'));
    assert.ok(block);
    writeFileSync(join(folder, "jp-core.wfp"), compilePackage(archive("1.0.0")));
    writeFileSync(join(folder, "patient.json"), files[0].bytes);
    const free = "validator.free();";
    assert.ok(block.includes(free));
    const told = "console.log(JSON.stringify([report.summary.errors, sarif.length, validator.packages[0].name]));";
    const script = `process.chdir(${JSON.stringify(folder)});\n${block.replace(free, `${told}\n${free}`)}`;
    const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: new URL("pkg/", root), encoding: "utf8" });
    const [errors, length, name] = JSON.parse(printed.trim().split("\n").at(-1));
    assert.ok(errors > 0 && length > 100);
    assert.equal(name, "test.ig");
  }));

/** Guides with the archives of their definitions, as the tests of the validation load them. */
const guides = [...readFileSync(new URL("crates/warifu-validate/tests/common/mod.rs", root), "utf8").matchAll(/\(\s*"([^"]+)",\s*&\[([^\]]*)\],?\s*\)/g)].map(([, name, list]) => [name, [...list.matchAll(/"([^"]+)"/g)].map(([, archive]) => archive)]);

if (!existsSync(shared)) test("published examples", { skip: "../shared is absent" }, () => {});
else {
  assert.equal(guides.length, 9);
  for (const [name, archives] of guides) {
    test(`published examples of ${name} have the bytes of the command line`, () => {
      const given = archives.map((a) => join(shared, `packages/${a}.tgz`));
      const list = read(join(shared, "examples")).filter((f) => f.path.startsWith(`${name}/`) && f.path.endsWith(".json"));
      assert.ok(list.length >= 10, String(list.length));
      const validator = own({ packages: given.map((path) => compilePackage(readFileSync(path))) });
      const theirs = native(join(shared, "examples"), list.map((f) => f.path), ...given.flatMap((path) => ["--ig", path]));
      compare(validator.validateFiles(list), theirs, name);
    });
  }
}
