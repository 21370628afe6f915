// A whole storage as a stream gives the bytes of the command line, in every form of the output.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Converter } from "warifu";
import { all, fixtures, root, storage, tar, zip } from "./support.mjs";

const institution = "1319999999";
const roots = ["standard_root", "extended_root"].map((name) => `${fixtures}/${name}`);

/** Lines that the command line writes of the storage, sorted: it groups by type, the stream by patient. */
function native(...args) {
  const tool = process.env.WARIFU_CLI;
  const [program, first] = tool ? [tool, []] : ["cargo", ["run", "--quiet", "--package", "warifu-cli", "--"]];
  const options = { cwd: fileURLToPath(root), encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] };
  const all = ["convert", ...roots, "--institution", institution, ...args, "--config", "none", "--fail-on", "never"];
  return execFileSync(program, [...first, ...all], options).split("\n").filter(Boolean).sort();
}

for (const [options, args] of [
  [{ to: "bundle" }, ["--to", "bundle"]],
  [{ to: "bundle", per: "patient" }, ["--to", "bundle", "--per", "patient"]],
  [{ to: "bundle", bundle: "collection" }, ["--to", "bundle", "--bundle", "collection"]],
  [{ to: "ndjson" }, ["--to", "ndjson"]],
  [{ to: "clins" }, ["--to", "clins"]],
]) {
  test(args.slice(1).join(" "), async () => {
    const expected = native(...args);
    assert.ok(expected.length > 3);
    const files = storage();
    const c = new Converter({ ...options, institution });
    for (const [name, source] of Object.entries({ array: files, zip: zip(files), tar: tar(files) })) {
      const events = await all(c.convertAll(source));
      const lines = events.filter((e) => e.type === "resource").map((e) => Buffer.from(e.json).toString().trimEnd()).sort();
      assert.equal(lines.length, expected.length, name);
      // Lines hold data: say how many differ.
      assert.equal(lines.filter((line, i) => line !== expected[i]).length, 0, name);
    }
    c.free();
  });
}
