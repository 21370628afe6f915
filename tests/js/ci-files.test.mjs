// The ready-made files for CI systems: they parse, and what they run works.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../../", import.meta.url));
const cli = process.env.WARIFU_CLI ?? join(root, "target/debug/warifu");
const fixtures = join(root, "tests/fixtures");
const PATH = `${dirname(cli)}:${process.env.PATH}`;
const yaml = (name) => parse(readFileSync(join(root, name), "utf8"));

function folder(use) {
  const made = mkdtempSync(join(tmpdir(), "warifu-"));
  try {
    return use(made);
  } finally {
    rmSync(made, { recursive: true });
  }
}

/** Runs the step of action.yml as a runner does: inputs with their defaults, outputs in a file. */
function action(given, more = {}, cwd = fixtures) {
  const { inputs, outputs, runs } = yaml("action.yml");
  assert.equal(runs.using, "composite");
  const [step] = runs.steps;
  const env = {};
  for (const [name, value] of Object.entries(step.env)) {
    const input = /^\$\{\{ inputs\.([a-z-]+) \}\}$/.exec(value)?.[1];
    if (input) {
      assert.ok(input in inputs, input);
      env[name] = given[input] ?? inputs[input].default;
    }
  }
  return folder((work) => {
    const output = join(work, "output");
    const summary = join(work, "summary");
    const { status, stdout, stderr } = spawnSync("bash", ["-c", step.run], {
      cwd,
      env: { ...env, PATH, LANG: "C", HOME: work, ACTION_PATH: root, ACTION_REPOSITORY: "o/r", GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary, ...more },
    });
    const text = (file) => { try { return readFileSync(file, "utf8"); } catch { return ""; } };
    const set = Object.fromEntries(text(output).trimEnd().split("\n").filter(Boolean).map((l) => l.split("=")));
    for (const [name, { value }] of Object.entries(outputs)) assert.equal(value, `\${{ steps.${step.id}.outputs.${name} }}`);
    return { status, stdout: stdout.toString(), stderr: stderr.toString(), set, summary: text(summary), names: Object.keys(outputs) };
  });
}

test("the action sets its outputs, annotates and summarises", () => {
  const sarif = join(mkdtempSync(join(tmpdir(), "warifu-")), "w.sarif");
  const run = action({ paths: "broken standard_root", "sarif-file": sarif });
  assert.equal(run.status, 1, run.stderr);
  assert.deepEqual(Object.keys(run.set).sort(), run.names.sort());
  const { errors, warnings, infos } = JSON.parse(execFileSync(cli, ["check", "broken", "standard_root", "--format", "json", "--fail-on", "never"], { cwd: fixtures, maxBuffer: 1 << 28 })).summary;
  assert.deepEqual([run.set.errors, run.set.warnings, run.set.infos, run.set.new], [errors, warnings, infos, errors + warnings + infos].map(String));
  assert.equal(run.set["exit-code"], "1");
  assert.equal(JSON.parse(readFileSync(run.set["sarif-file"], "utf8")).version, "2.1.0");
  assert.match(run.stdout, /^::error title=/m);
  assert.match(run.summary, /^### warifu: /);
  rmSync(dirname(sarif), { recursive: true });
});

test("the action names files from the root of the repository, wherever it runs", () => folder((repository) => {
  const below = "a%b/検 査,1";
  const inside = join(repository, below);
  cpSync(join(fixtures, "broken"), join(inside, "broken"), { recursive: true });
  const run = action({ paths: "broken", "sarif-file": "w.sarif", profile: "nho strict" }, { GITHUB_WORKSPACE: repository }, inside);
  assert.equal(run.status, 1, run.stderr);
  assert.equal(run.set["sarif-file"], `${below}/w.sarif`);
  const unescaped = (text) => text.replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%25", "%");
  const named = [...run.stdout.matchAll(/^::[a-z]+ [^:]*[ ,]file=([^,:]*)/gm)].map(([, path]) => unescaped(path));
  assert.ok(named.length > 3);
  for (const path of named) assert.ok(existsSync(join(repository, path)), path);
  const rows = [...run.summary.matchAll(/ \| [0-9]+ \| `([^`]*)`:/g)].map(([, path]) => path);
  assert.ok(rows.length > 3);
  for (const path of rows) assert.ok(existsSync(join(repository, path)), path);
  const { results, artifacts } = JSON.parse(readFileSync(join(repository, run.set["sarif-file"]), "utf8")).runs[0];
  const uris = [...artifacts.map((a) => a.location.uri), ...results.flatMap((r) => r.locations.map((l) => l.physicalLocation.artifactLocation.uri))];
  assert.ok(uris.length > 3);
  for (const uri of uris) assert.ok(existsSync(join(repository, decodeURIComponent(uri))), uri);
}));

test("the action passes with a clean storage and says what cannot run", () => {
  const clean = action({ paths: "standard_root", "fail-on": "error", summary: "false", annotations: "false" });
  assert.equal(clean.status, 0, clean.stderr);
  assert.equal(clean.summary, "");
  assert.doesNotMatch(clean.stdout, /^::/m);
  assert.equal(action({ paths: "nowhere" }).status, 2);
  const unchecked = action({ paths: "standard_root", version: "9.9.9" });
  assert.equal(unchecked.status, 2);
  assert.match(unchecked.stdout, /version needs checksum/);
});

test("the action takes paths with blanks, one a line, and packages", () => folder((work) => {
  const inside = join(work, "a b");
  cpSync(join(fixtures, "standard_root"), join(inside, "standard_root"), { recursive: true });
  const run = action({ paths: `${inside}\nstandard_root\n`, "fail-on": "never", annotations: "false" });
  assert.equal(run.status, 0, run.stderr);
  const { warnings } = JSON.parse(execFileSync(cli, ["check", inside, "standard_root", "--format", "json", "--fail-on", "never"], { cwd: fixtures, maxBuffer: 1 << 28 })).summary;
  assert.equal(run.set.warnings, String(warnings));
  const package_ = action({ paths: "standard_root", ig: join(work, "no such package.tgz\n") });
  assert.equal(package_.status, 2);
  assert.match(package_.stderr, /no such package\.tgz/);
}));

test("the action runs the release it downloads, when its checksum is right", () => folder((server) => {
  // The release of a server: a folder, its archive the program under test.
  const uname = (flag) => execFileSync("uname", [flag]).toString().trim();
  const name = `warifu-9.9.9-${uname("-m")}-${uname("-s").toLowerCase()}.tar.gz`;
  const release = join(server, "o/r/releases/download/v9.9.9");
  mkdirSync(release, { recursive: true });
  const packed = join(server, "packed");
  mkdirSync(packed);
  copyFileSync(cli, join(packed, "warifu"));
  execFileSync("tar", ["--create", "--gzip", "--file", join(release, name), "--directory", packed, "warifu"]);
  const checksum = createHash("sha256").update(readFileSync(join(release, name))).digest("hex");
  // No warifu on PATH: what runs can only be the download.
  const more = { GITHUB_SERVER_URL: pathToFileURL(server).href, PATH: process.env.PATH };
  const given = { paths: "standard_root", "fail-on": "error", version: "9.9.9", annotations: "false" };
  const right = action({ ...given, checksum }, more);
  assert.equal(right.status, 0, right.stderr);
  assert.equal(right.set["exit-code"], "0");
  const wrong = action({ ...given, checksum: "0".repeat(64) }, more);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stdout, /checksum differs/);
  assert.equal(action({ ...given, version: "9.9.8", checksum }, more).status, 2);
}));

test("the GitLab template keeps its reports whatever happens", () => {
  const template = yaml("templates/warifu.yml");
  const { script, artifacts } = template.warifu;
  assert.equal(artifacts.when, "always");
  folder((work) => {
    cpSync(join(fixtures, "broken"), join(work, "broken"), { recursive: true });
    const { status } = spawnSync("bash", ["-c", script.join("\n")], { cwd: work, env: { ...template.variables, WARIFU_PATHS: "broken", PATH, HOME: work } });
    assert.equal(status, 1);
    assert.ok(Array.isArray(JSON.parse(readFileSync(join(work, artifacts.reports.codequality), "utf8"))));
    assert.match(readFileSync(join(work, artifacts.reports.junit), "utf8"), /<testsuites>/);
  });
});

test("the Jenkins line fails on unreadable input only", () => {
  const line = /sh '(.*)'/.exec(readFileSync(join(root, "docs/ci.md"), "utf8"))[1];
  folder((work) => {
    cpSync(join(fixtures, "broken"), join(work, "standard_root"), { recursive: true });
    const run = (cwd) => spawnSync("bash", ["-c", line], { cwd, env: { PATH, HOME: work } }).status;
    assert.equal(run(work), 0);
    assert.notEqual(run(join(work, "standard_root")), 0);
  });
});

test("the hooks of pre-commit check and mend the files they are given", () => {
  const hooks = Object.fromEntries(yaml(".pre-commit-hooks.yaml").map((h) => [h.id, h]));
  folder((work) => {
    cpSync(join(fixtures, "broken/lf-terminators"), join(work, "root"), { recursive: true });
    const file = execFileSync("find", ["root", "-type", "f"], { cwd: work, encoding: "utf8" }).trim().split("\n")[0];
    for (const id of ["warifu-check", "warifu-fix"]) {
      assert.equal(hooks[id].language, "system");
      assert.ok(hooks[id].require_serial);
      const [program, ...args] = hooks[id].entry.split(" ");
      const { status, stderr } = spawnSync(program, [...args, file], { cwd: work, env: { PATH, LANG: "C", HOME: work } });
      assert.ok(status === 0 || status === 1, stderr.toString());
    }
    // pre-commit itself, where it is installed.
    const there = spawnSync("pre-commit", ["--version"]);
    if (there.error) {
      console.log("skipped: pre-commit is absent");
      return;
    }
    const git = (...args) => execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.invalid", ...args], { cwd: work, stdio: "pipe" });
    git("init", "--quiet");
    git("add", ".");
    const tried = spawnSync("pre-commit", ["try-repo", root, "warifu-check", "--all-files", "--ref", "HEAD"], { cwd: work, env: { ...process.env, PATH } });
    assert.match(tried.stdout.toString(), /warifu check\.+(Passed|Failed)/, tried.stderr.toString());
  });
});
