// Documents a second, one thread, profiles and invariants on: `node pkg/bench/validate.mjs DOCUMENT PACKAGE… [COPIES]`.
// A document is repeated as lines of NDJSON. With WARIFU_CLI (a release build) native stands beside it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { compilePackage, Validator } from "warifu/validate";

const module = readFileSync(new URL("../dist/wasm/validate.wasm", import.meta.url));
console.log(`validate.wasm ${module.length} bytes, gzip -9 ${gzipSync(module, { level: 9 }).length}`);
const [document, ...rest] = process.argv.slice(2);
if (document) {
  const copies = /^\d+$/.test(rest.at(-1) ?? "") ? Number(rest.pop()) : 2000;
  const line = `${JSON.stringify(JSON.parse(readFileSync(document, "utf8")))}\n`;
  const lines = (count) => Buffer.from(line.repeat(count));
  let started = performance.now();
  const compiled = rest.map((path) => compilePackage(readFileSync(path)));
  console.log(`packages compiled in ${(performance.now() - started).toFixed(0)} ms`);
  started = performance.now();
  const validator = new Validator({ packages: compiled });
  const file = { path: "a.ndjson", bytes: lines(copies) };
  validator.validate({ path: "a.ndjson", bytes: lines(1) });
  console.log(`compiled packages loaded, first document validated in ${(performance.now() - started).toFixed(0)} ms`);
  let best = 0;
  for (let round = 0; round < 10; round += 1) {
    started = performance.now();
    validator.validate(file);
    best = Math.max(best, (copies * 1000) / (performance.now() - started));
  }
  const folder = mkdtempSync(join(tmpdir(), "warifu-bench-"));
  try {
    const packages = rest.flatMap((_, i) => {
      writeFileSync(join(folder, `${i}.wfp`), compiled[i]);
      return ["--ig", join(folder, `${i}.wfp`)];
    });
    const run = (count) => {
      writeFileSync(join(folder, "a.ndjson"), lines(count));
      let least = Infinity;
      for (let round = 0; round < 5; round += 1) {
        const start = performance.now();
        spawnSync(process.env.WARIFU_CLI, ["--config", "none", "check", "a.ndjson", "--jobs", "1", "--format", `json=${join(folder, "out")}`, ...packages], { cwd: folder });
        least = Math.min(least, performance.now() - start);
      }
      return least;
    };
    const native = process.env.WARIFU_CLI && (copies * 1000) / (run(copies + 1) - run(1));
    const share = native ? `, ${((100 * best) / native).toFixed(0)} % of native (${native.toFixed(0)}/s)` : "";
    console.log(`wasm ${best.toFixed(0)} documents/s with findings and report${share}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
  validator.free();
}
