// `warifu/check`: the bytes of the command line, and what the handle promises.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Checker, init, rule, rules, WarifuError } from "warifu/check";
import { all, fixtures, folders, message, pathOf, read, root, zip } from "./support.mjs";

const cli = process.env.WARIFU_CLI ?? fileURLToPath(new URL("target/debug/warifu", root));
const formats = ["json", "ndjson", "sarif", "junit", "github", "gitlab", "checkstyle", "markdown", "operation-outcome"];
const code = (expected) => (e) => e instanceof WarifuError && e.code === expected;
const env = { ...process.env, WARIFU_LANG: "ja" };
delete env.SOURCE_DATE_EPOCH;

/** Reports of the command line by format. */
function native(cwd, paths, ...options) {
  const out = mkdtempSync(join(tmpdir(), "warifu-check-"));
  try {
    const wanted = formats.flatMap((f) => ["--format", `${f}=${join(out, f)}`]);
    const { status, stderr } = spawnSync(cli, ["check", "--config", "none", ...options, ...wanted, "--", ...paths], { cwd, env });
    assert.ok(status === 0 || status === 1, stderr.toString());
    return Object.fromEntries(formats.map((f) => [f, readFileSync(join(out, f))]));
  } finally {
    rmSync(out, { recursive: true });
  }
}

const files = read(fixtures);
/** The file of a fault. */
const broken = (name) => files.find((f) => f.path.startsWith(`broken/${name}/`));

/** A file as the command line mends it. */
function nativeFix({ path, bytes }, unsafe) {
  const folder = mkdtempSync(join(tmpdir(), "warifu-fix-"));
  try {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
    const { status, stderr } = spawnSync(cli, ["check", "--config", "none", "--fix", ...(unsafe ? ["--unsafe-fixes"] : []), "--", path], { cwd: folder, env });
    assert.ok(status === 0 || status === 1, stderr.toString());
    return readFileSync(join(folder, path));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A finding as the command line writes it. */
const asJson = (d) => {
  const edits = d.fix?.edits.map((e) => ({ ...e, bytes: Buffer.from(e.bytes).toString("base64") }));
  return JSON.stringify(edits ? { ...d, fix: { ...d.fix, edits } } : d);
};

test("each file of the fixtures has the bytes of the command line in every machine format", () => {
  const checker = new Checker();
  let findings = 0;
  // Of each fault and of each data kind one message.
  const kinds = new Set();
  const chosen = files.filter(({ path, bytes }) => {
    const kind = path.startsWith("broken/") ? path.split("/")[1] : path.split("/").at(-2);
    const isMessage = Buffer.from(bytes.subarray(0, 3)).toString() === "MSH" || kind === "no-msh";
    return isMessage && !kinds.has(kind) && kinds.add(kind);
  });
  for (const file of chosen) {
    const report = checker.check(file);
    const theirs = native(fixtures, [file.path]);
    for (const f of formats) assert.equal(Buffer.from(report.format(f)).toString(), theirs[f].toString(), `${file.path} ${f}`);
    assert.deepEqual(report.summary, JSON.parse(theirs.json).summary);
    findings += report.diagnostics.length;
  }
  assert.ok(chosen.length > 40 && findings > 100, `${chosen.length} files, ${findings} findings`);
  checker.free();
});

for (const options of [{ lang: "en" }, { positions: "utf8" }, { profile: ["ssmix2-1.2g", "nho", "strict"], preview: true }, { ignore: ["SSM"], severity: { HL7: "warning" } }]) {
  test(`the same with ${JSON.stringify(options)}`, () => {
    const words = [];
    if (options.lang) words.push("--lang", options.lang);
    if (options.profile) words.push("--profile", options.profile.join(","), "--preview");
    if (options.ignore) words.push("--ignore", "SSM", "--severity", "HL7=warning");
    const wanted = options.positions ? ["json", "ndjson"] : formats;
    const checker = new Checker(options);
    for (const name of ["no-msh", "half-width-kana", "bad-birth-date"]) {
      const file = broken(name);
      const report = checker.check(file);
      if (options.positions) {
        assert.throws(() => report.format("sarif"), code("invalid-option"));
        const { stdout } = spawnSync(cli, ["check", "--config", "none", "--columns", "utf8", "--format", "json", file.path], { cwd: fixtures, env });
        assert.equal(Buffer.from(report.format("json")).toString(), stdout.toString());
        continue;
      }
      const theirs = native(fixtures, [file.path], ...words);
      for (const f of wanted) assert.equal(Buffer.from(report.format(f)).toString(), theirs[f].toString(), `${name} ${f}`);
    }
    checker.free();
  });
}

test("a transaction file has the bytes of the command line, by check and by checkAll", async () => {
  const record = (id, text, { version = "2.00", operation = "INS" } = {}) =>
    `#SSMIX,${version},1310000003,${id},-,ADT-00,999999999999999,${operation},-,20260401093015123\r\n${text}\x1c\r\n`;
  const texts = ["990001", "990002", "990003"].map((id) => [id, Buffer.from(message(id)).toString("latin1")]);
  const [[first, whole], [second, cut], [third, odd]] = texts;
  const parts = [
    record(first, whole.replace("PID|", "PID|x"), { version: "9.99" }),
    record(second, cut.replace(/\rPID[^\r]*/, "")),
    record(third, odd, { operation: "UPD" }),
    record(third, `${odd}ZZZ\r`),
  ];
  const path = "2026/TR_20260401000000000_00001.DAT";
  const file = { path, bytes: Buffer.from(parts.join(""), "latin1") };
  const folder = mkdtempSync(join(tmpdir(), "warifu-journal-"));
  try {
    mkdirSync(join(folder, "2026"));
    writeFileSync(join(folder, path), file.bytes);
    const checker = new Checker();
    const report = checker.check(file);
    const theirs = native(folder, [path]);
    for (const f of formats) assert.equal(Buffer.from(report.format(f)).toString(), theirs[f].toString(), f);
    const codes = new Set(report.diagnostics.map((d) => d.code));
    for (const wanted of ["SSM162", "SSM179"]) assert.ok(codes.has(wanted), wanted);
    assert.ok(report.diagnostics.every((d) => d.primary.file === path) && report.diagnostics.some((d) => d.primary.record));
    const lines = theirs.ndjson.toString().trimEnd().split("\n").slice(0, -1).sort();
    for (const source of [file, [file], new Set([file])]) {
      const events = await all(checker.checkAll(source));
      const mine = events.flatMap((e) => (e.type === "diagnostic" ? [asJson(e.diagnostic)] : [])).sort();
      assert.deepEqual(mine, lines);
    }
    checker.free();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

if (folders.length < 2) test("samples", { skip: "../shared is absent" }, () => {});
for (const [n, folder] of folders.entries()) {
  for (const storage of n === 0 ? ["standard_root", "extended_root"] : ["."]) {
    test(n === 0 ? `all of ${storage} has the findings of the command line` : "samples", async () => {
      const files = read(join(folder, storage)).map((f) => ({ ...f, path: n === 0 ? `${storage}/${f.path}` : f.path }));
      const checker = new Checker();
      const events = await all(checker.checkAll(files));
      // Notes of the walk (folders, hidden files, journals) are the command line's own.
      const isFile = (line) => !/"code":"SSM1(08|09|10|11|14|15|17|19|62|63)"/.test(line);
      const mine = events.flatMap((e) => (e.type === "diagnostic" ? [asJson(e.diagnostic)] : [])).filter(isFile).sort();
      const lines = native(folder, [storage]).ndjson.toString().trimEnd().split("\n");
      const theirs = lines.slice(0, -1).filter(isFile).sort();
      // Texts of the samples stay out of what is printed.
      const differing = {};
      const [a, b] = [new Set(mine), new Set(theirs)];
      for (const [side, list, other] of [["only here", mine, b], ["only there", theirs, a]]) {
        for (const line of list) {
          const key = `${side} ${JSON.parse(line).code}`;
          if (!other.has(line)) differing[key] = (differing[key] ?? 0) + 1;
        }
      }
      assert.deepEqual(differing, {});
      assert.equal(mine.length, theirs.length);
      assert.ok(events.length > 2);
      if (storage !== "extended_root") assert.ok(mine.length > 10, String(mine.length));
      checker.free();
    });
  }
}

test("a zip and an iterable give what an array gives", async () => {
  const files = read(join(fixtures, "standard_root")).slice(0, 30).map((f) => ({ ...f, path: `standard_root/${f.path}` }));
  const checker = new Checker();
  const found = async (source) => (await all(checker.checkAll(source))).filter((e) => e.type === "diagnostic");
  const array = await found(files);
  assert.ok(array.length > 0);
  assert.deepEqual(await found(zip(files)), array);
  assert.deepEqual((await found(new Set(files))).length, array.length);
  await assert.rejects(all(checker.checkAll(files, { signal: AbortSignal.abort() })), code("aborted"));
  await assert.rejects(all(checker.checkAll(5)), code("invalid-option"));
  checker.free();
});

test("files of one patient are checked against each other", () => {
  const checker = new Checker();
  const a = { path: pathOf("990001"), bytes: message("990001") };
  const b = { path: pathOf("990001", "20260402093000000"), bytes: Buffer.from(Buffer.from(message("990001")).toString().replace("19700401|F", "19700402|F")) };
  const codes = (r) => r.diagnostics.map((d) => d.code);
  const alone = new Set([a, b].flatMap((f) => codes(checker.check(f))));
  const together = codes(checker.checkPatient([a, b]));
  assert.ok(together.some((c) => !alone.has(c)), String(together));
  assert.equal(checker.checkPatient([a, b]).summary.files, 2);
  checker.free();
});

test("fix mends what the command line mends, byte for byte, and leaves nothing to mend", () => {
  const checker = new Checker();
  let applied = 0;
  for (const file of files.filter((f) => /^broken\/.*\//.test(f.path))) {
    const { path, bytes } = file;
    for (const unsafe of [false, true]) {
      const fixed = checker.fix(file, { unsafe });
      assert.deepEqual(Buffer.from(fixed.bytes), nativeFix(file, unsafe), path);
      applied += fixed.applied.length;
      for (const d of fixed.applied) for (const e of d.fix.edits) assert.ok(e.bytes instanceof Uint8Array);
      assert.equal(fixed.applied.length > 0, Buffer.compare(fixed.bytes, bytes) !== 0, path);
      assert.equal(checker.check({ ...file, bytes: fixed.bytes }).summary.fixable, 0, path);
    }
  }
  assert.ok(applied > 5, String(applied));
  checker.free();
});

test("config is read as the command line reads it; options win over it", () => {
  const config = 'lang = "en"\n[check]\nprofile = ["strict"]\nignore = ["ENC"]\n[check.severity]\nHL7 = "info"\n[files]\nexclude = ["a"]\n';
  const texts = (options) => {
    const checker = new Checker(options);
    const { diagnostics } = checker.check(broken("half-width-kana"));
    checker.free();
    return diagnostics;
  };
  for (const d of texts({ config })) {
    assert.ok(!d.code.startsWith("ENC"));
    assert.match(d.message, /^[ -~]+$/);
  }
  assert.ok(texts({ config, lang: "ja", ignore: ["SSM"] }).some((d) => d.code.startsWith("ENC") && /[ぁ-ん]/.test(d.message)));
});

test("options and input of another shape are refused", () => {
  for (const options of [{ to: "bundle" }, { lang: "fr" }, { positions: "bytes" }, { profile: ["none"] }, { select: ["NOPE"] }, { severity: { HL7: "loud" } }, { config: "[check" }, { config: "[check]\nprofil = []" }, { profile: 5 }, 7, []]) {
    assert.throws(() => new Checker(options), code("invalid-option"), JSON.stringify(options));
  }
  const checker = new Checker();
  for (const input of [undefined, 5, {}, { path: "x" }]) assert.throws(() => checker.check(input), code("invalid-option"));
  assert.throws(() => checker.check(new Uint8Array(64 * 1024 * 1024 + 1)), code("too-large"));
  const report = checker.check(message());
  assert.throws(() => report.format("xml"), code("invalid-option"));
  checker.free();
  checker.free();
  assert.throws(() => checker.check(message()), code("disposed"));
  assert.throws(() => checker.checkAll([]), code("disposed"));
  // A report outlives its checker.
  assert.ok(report.format("text").length > 0);
});

test("bad data gives findings, never an error", () => {
  const checker = new Checker({ profile: ["strict", "nho"], preview: true });
  for (const bytes of [new Uint8Array(), Uint8Array.of(0), new Uint8Array(1000).fill(0x7c), new Uint8Array(1000).fill(0x1b), Buffer.from("MSH"), Buffer.from("<?xml version='1.0'?><a"), crypto.getRandomValues(new Uint8Array(60_000))]) {
    const report = checker.check({ path: "x", bytes });
    assert.ok(report.diagnostics.length > 0);
    for (const f of ["text", ...formats]) assert.ok(report.format(f).length >= 0);
    checker.fix({ path: "x", bytes }, { unsafe: true });
  }
  checker.free();
});

test("a trap is reported as internal and the next call starts a new instance", async () => {
  const glue = await import("../dist/wasm/check.js");
  const checker = new Checker();
  const expected = checker.check(message());
  const trap = glue.CheckEngine.prototype.check;
  glue.CheckEngine.prototype.check = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  try {
    assert.throws(() => checker.check(message()), code("internal"));
  } finally {
    glue.CheckEngine.prototype.check = trap;
  }
  assert.deepEqual(expected.format("json"), checker.check(message()).format("json"));
  checker.free();
});

test("each rule has a page in both languages, of checks and of the conversion", () => {
  const list = rules();
  assert.ok(list.length > 100);
  for (const family of ["ENC", "HL7", "SSM", "MAP", "CLN"]) assert.ok(list.some((r) => r.code.startsWith(family)), family);
  for (const r of list) {
    assert.ok(rule(r.code).startsWith(`# ${r.code} ${r.name}\n`));
    assert.ok(rule(r.name, "en").includes(r.en.help));
  }
  assert.throws(() => rule("NOPE99"), code("invalid-option"));
  assert.throws(() => rule("ENC110", "fr"), code("invalid-option"));
});

test("init may be called at any time", async () => {
  await Promise.all([init(), init()]);
});

test("many handles, reports and formats leave memory flat", async () => {
  const { initSync } = await import("../dist/wasm/check.js");
  const memory = () => initSync().memory.buffer.byteLength;
  const use = (count) => {
    for (let i = 0; i < count; i += 1) {
      const checker = new Checker();
      const report = checker.check(message());
      if (i % 10 === 0) report.format("sarif");
      checker.fix(message());
      checker.free();
    }
  };
  use(200);
  const before = memory();
  use(2000);
  assert.equal(memory(), before);
});
