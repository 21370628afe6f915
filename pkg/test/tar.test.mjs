// Tar archives as sources, plain and packed with gzip: what a zip of the same files gives.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { test } from "node:test";
import { Converter } from "warifu";
import { openTar } from "../src/tar.mjs";
import { all, fixtures, message, pathOf, storage, tar, zip } from "./support.mjs";

const key = (events) => events.filter((e) => e.type === "resource").map((e) => `${e.resourceType}/${e.id} ${Buffer.from(e.json).toString("latin1")}`);
const findings = (events) => events.filter((e) => e.type === "diagnostic").map((e) => e.diagnostic);

test("a size that is none leads nowhere: the archive is damaged, and its reading ends", async () => {
  const record = (text) => {
    const size = text.length + 3;
    return `${size} ${text}\n`;
  };
  for (const size of ["-1536", "1e3", "0x10", "", "99999999999999999"]) {
    const bytes = tar([
      { path: "x", bytes: Buffer.from(record(`size=${size}`)), kind: "x" },
      { path: "a", bytes: Buffer.from("hello") },
    ]);
    const from = { size: bytes.length, read: async (start, end) => bytes.subarray(start, end) };
    const { files, damaged } = await openTar(from);
    assert.deepEqual([files, damaged], [[], true], size);
  }
  // What a pax header says is of the next file, not of the header of a long name before it.
  const long = `${"d/".repeat(60)}f`;
  const bytes = tar([
    { path: "x", bytes: Buffer.from(record("size=5")), kind: "x" },
    { path: long, bytes: Buffer.from("hello") },
    { path: "b", bytes: Buffer.from("you") },
  ]);
  const from = { size: bytes.length, read: async (start, end) => bytes.subarray(start, end) };
  const { files, damaged } = await openTar(from);
  assert.deepEqual([files.map((f) => [f.path, f.size]), damaged], [[[long, 5], ["b", 3]], false]);
});

test("a tar, packed or not, gives what a zip of its files gives", async () => {
  const files = storage().reverse();
  const c = new Converter({ to: "ndjson", institution: "1319999999" });
  const expected = await all(c.convertAll(zip(files)));
  const plain = tar(files);
  const packed = new Uint8Array(gzipSync(plain));
  for (const [name, source] of Object.entries({ plain, blob: new Blob([plain]), packed, file: { path: "s.tar.gz", bytes: packed }, stream: new Blob([packed]).stream() })) {
    const events = await all(c.convertAll(source));
    assert.deepEqual(key(events), key(expected), name);
    assert.deepEqual(findings(events), findings(expected), name);
  }
  c.free();
});

test("archives of the system's tar are read in each of its forms", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "warifu-tar-"));
  try {
    try {
      execFileSync("tar", ["--version"], { stdio: "ignore" });
    } catch {
      t.skip("no tar here");
      return;
    }
    const c = new Converter({ to: "ndjson", institution: "1319999999" });
    const expected = key(await all(c.convertAll(zip(storage().filter((f) => f.path.startsWith("standard_root"))))));
    for (const form of ["gnu", "pax"]) {
      const file = join(dir, `${form}.tar`);
      execFileSync("tar", [`--format=${form}`, "-cf", file, "-C", fixtures, "standard_root"]);
      assert.deepEqual(key(await all(c.convertAll(new Uint8Array(readFileSync(file))))), expected, form);
    }
    symlinkSync("/etc/passwd", join(dir, "link"));
    execFileSync("tar", ["-cf", join(dir, "l.tar"), "-C", dir, "link"]);
    const found = findings(await all(c.convertAll(new Uint8Array(readFileSync(join(dir, "l.tar"))))));
    assert.ok(found.some((d) => d.code === "SSM147" && d.primary.file === "link"));
    c.free();
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("what cannot be read of an archive is told, the rest is converted", async () => {
  const c = new Converter({ to: "ndjson", institution: "1319999999" });
  const good = { path: pathOf("990001"), bytes: message("990001") };
  const codes = async (source) => {
    const events = await all(c.convertAll(source));
    return [events.filter((e) => e.resourceType === "Patient").length, findings(events).map((d) => `${d.code} ${d.primary.file}`)];
  };
  const has = async (source, patients, wanted) => {
    const [n, found] = await codes(source);
    assert.equal(n, patients, wanted);
    assert.ok(found.includes(wanted), `${wanted} in ${found}`);
  };
  const whole = tar([good, { path: "../evil", bytes: message("990002") }, { path: pathOf("990003"), bytes: message("990003") }]);
  await has(whole, 2, "SSM110 ../evil");
  const cut = tar([good, { path: pathOf("990003"), bytes: message("990003") }]);
  await has({ path: "cut.tar", bytes: cut.slice(0, 512 * 3 + 100) }, 1, "SSM115 cut.tar");
  await has({ path: "a.zst", bytes: Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0) }, 0, "SSM129 a.zst");
  await has({ path: "a.gz", bytes: new Uint8Array(gzipSync(zip([good]))) }, 0, "SSM146 a.gz");
  await has({ path: "b.gz", bytes: new Uint8Array(gzipSync(cut)).slice(0, 60) }, 0, "SSM115 b.gz");
  await has({ path: "bomb.gz", bytes: new Uint8Array(gzipSync(new Uint8Array(64 << 20))) }, 0, "SSM111 bomb.gz");
  // A packed message is a message.
  const [n] = await codes({ path: `${pathOf("990001")}`, bytes: new Uint8Array(gzipSync(good.bytes)) });
  assert.equal(n, 1);
  c.free();
});
