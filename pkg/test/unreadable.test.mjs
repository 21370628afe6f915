// What cannot be read is told by the findings of the command line, and the rest is converted: also in
// a process that has converted nothing before, where no part of the module is loaded yet.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Converter } from "warifu";
import { createPool } from "warifu/pool";
import { all, message, pathOf, tar, zip } from "./support.mjs";

const file = (id) => ({ path: pathOf(id), bytes: message(id) });
const [first, second] = [file("990001"), file("990002")];
const old = { path: pathOf("990001", "20260401093000000", 2), bytes: message("990001") };
const newer = pathOf("990001", "20260402093000000", 1);
const long = { path: newer, bytes: new Uint8Array((64 << 20) + 1) };
/** A zip whose entry of this number has a wrong sum. */
function wrong(files, number) {
  const bytes = Buffer.from(zip(files));
  let at = -1;
  for (let i = 0; i <= number; i += 1) at = bytes.indexOf("PK\x01\x02", at + 1, "latin1");
  bytes[at + 16] ^= 1;
  return new Uint8Array(bytes);
}
const link = { path: "link", bytes: new Uint8Array(), kind: "2" };

/** Sources by name, each with how many patients it gives and what is found, as code and file. */
const cases = {
  "a link in a tar": () => [tar([link, first]), 1, ["SSM147 link"]],
  "a name that leads out of a tar": () => [tar([{ ...first, path: "../evil" }, second]), 1, ["SSM110 ../evil"]],
  "a name that leads out of a zip": () => [zip([{ ...first, path: "../evil" }, second]), 1, ["SSM110 ../evil"]],
  "zstd": () => [{ path: "a.tar.zst", bytes: Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0) }, 0, ["SSM129 a.tar.zst"]],
  "a cut gzip": () => [{ path: "a.tar.gz", bytes: new Uint8Array(gzipSync(tar([first]))).slice(0, 60) }, 0, ["SSM115 a.tar.gz"]],
  "a tar cut inside a file": () => [{ path: "a.tar", bytes: tar([first, second]).slice(0, 512 * 3 + 100) }, 1, [`SSM115 ${second.path}`, `SSM185 ${second.path}`, "SSM115 a.tar"]],
  "a tar cut between two files": () => [{ path: "a.tar", bytes: tar([first, second]).slice(0, 512 * 2) }, 1, ["SSM115 a.tar"]],
  "a cut zip": () => [{ path: "a.zip", bytes: zip([first]).slice(0, -30) }, 0, ["SSM115 a.zip"]],
  "a zip without its end": () => [{ path: "a.zip", bytes: zip([first]).slice(0, 100) }, 0, ["SSM115 a.zip"]],
  // What its replaced version says is not in force.
  "the version in force above the limit": () => [[old, long, second], 1, [`SSM111 ${newer}`, `SSM185 ${newer}`]],
  "the version in force above the limit in a tar": () => [tar([old, long, second]), 1, [`SSM111 ${newer}`, `SSM185 ${newer}`]],
  "the version in force above the limit in a stream": () => [[old, long, second].values(), 1, [`SSM111 ${newer}`, `SSM185 ${newer}`]],
  "the version in force damaged in a zip": () => [wrong([old, { path: newer, bytes: old.bytes }, second], 1), 1, [`SSM115 ${newer}`, `SSM185 ${newer}`]],
  "an archive in a zip": () => [zip([first, { path: "a.zip", bytes: zip([second]) }]), 1, ["SSM146 a.zip"]],
  "an archive alone in a tar": () => [tar([{ path: "a.zip", bytes: zip([second]) }]), 0, ["SSM146 a.zip"]],
  "a file above the limit": () => [[first, { path: pathOf("990003"), bytes: new Uint8Array((64 << 20) + 1) }, second], 2, [`SSM111 ${pathOf("990003")}`, `SSM185 ${pathOf("990003")}`]],
};

async function outcome(converter, source) {
  const events = await all(converter.convertAll(source));
  const codes = ["SSM110", "SSM111", "SSM105", "SSM115", "SSM129", "SSM146", "SSM147", "SSM185"];
  const found = events.filter((e) => e.type === "diagnostic" && codes.includes(e.diagnostic.code));
  return [events.filter((e) => e.resourceType === "Patient").length, found.map(({ diagnostic: d }) => `${d.code} ${d.primary.file}`)];
}

const own = fileURLToPath(import.meta.url);
if (process.argv[2]) {
  const [source] = cases[process.argv[2]]();
  console.log(JSON.stringify(await outcome(new Converter({ to: "ndjson" }), source)));
} else {
  for (const name of Object.keys(cases)) {
    test(name, () => {
      const { stdout, stderr, status } = spawnSync(process.execPath, [own, name], { encoding: "utf8" });
      assert.equal(status, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), cases[name]().slice(1));
    });
  }
  test("a pool says the same", async () => {
    const pool = await createPool({ size: 1 });
    const converter = new pool.Converter({ to: "ndjson" });
    for (const [name, make] of Object.entries(cases)) {
      const [source, ...expected] = make();
      assert.deepEqual(await outcome(converter, source), expected, name);
    }
    await pool.terminate();
  });
}
