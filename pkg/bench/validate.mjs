// Documents a second of processor time, one thread, profiles and invariants on:
// `node pkg/bench/validate.mjs DOCUMENT PACKAGE… [COPIES]`. A document is repeated as lines of NDJSON.
// With WARIFU_CLI (a release build) native stands beside it, each round after the other's.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { compilePackage, init, Validator } from "warifu/validate";

const ROUNDS = 7;
// The fast one is what the package loads here; with WARIFU_SMALL the other is measured.
for (const name of ["validate", "validate-fast"]) {
  const module = readFileSync(new URL(`../dist/wasm/${name}.wasm`, import.meta.url));
  console.log(`${name}.wasm ${module.length} bytes, gzip -9 ${gzipSync(module, { level: 9 }).length}`);
  if (process.env.WARIFU_SMALL && name === "validate") await init(module);
}
const [document, ...rest] = process.argv.slice(2);

/** Milliseconds of processor time, and of the clock, of something. */
function timed(run) {
  const [cpu, clock] = [process.cpuUsage(), performance.now()];
  run();
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: (user + system) / 1000, clock: performance.now() - clock };
}

if (document) {
  const copies = /^\d+$/.test(rest.at(-1) ?? "") ? Number(rest.pop()) : 2000;
  const line = `${JSON.stringify(JSON.parse(readFileSync(document, "utf8")))}\n`;
  const lines = (count) => Buffer.from(line.repeat(count));
  let compiled;
  const compiling = timed(() => { compiled = rest.map((path) => compilePackage(readFileSync(path))); });
  console.log(`packages compiled in ${compiling.clock.toFixed(0)} ms`);
  let validator;
  const first = timed(() => {
    validator = new Validator({ packages: compiled });
    validator.validate({ path: "a.ndjson", bytes: lines(1) });
  });
  console.log(`compiled packages loaded, first document validated in ${first.clock.toFixed(0)} ms`);
  const folder = mkdtempSync(join(tmpdir(), "warifu-bench-"));
  try {
    const packages = rest.flatMap((_, i) => {
      writeFileSync(join(folder, `${i}.wfp`), compiled[i]);
      return ["--ig", join(folder, `${i}.wfp`)];
    });
    for (const count of [1, copies + 1]) writeFileSync(join(folder, `${count}.ndjson`), lines(count));
    /** Processor time of the program on a file: what bash's `time` says. */
    const native = (count) => {
      const args = ["--config", "none", "check", `${count}.ndjson`, "--jobs", "1", "--format", `json=${join(folder, "out")}`, "--format", `text=${join(folder, "text")}`, ...packages];
      const { stderr } = spawnSync("bash", ["-c", 'TIMEFORMAT="%U %S"; time "$0" "$@" 2>/dev/null', process.env.WARIFU_CLI, ...args], { cwd: folder });
      const [user, system] = stderr.toString().trim().split("\n").at(-1).split(" ").map(Number);
      return (user + system) * 1000;
    };
    const file = { path: "a.ndjson", bytes: lines(copies) };
    let wasm = Infinity, whole = Infinity, start = Infinity;
    for (let round = 0; round < ROUNDS; round += 1) {
      wasm = Math.min(wasm, timed(() => validator.validate(file)).cpu);
      if (!process.env.WARIFU_CLI) continue;
      whole = Math.min(whole, native(copies + 1));
      start = Math.min(start, native(1));
    }
    const rate = (ms) => (copies * 1000) / ms;
    const beside = process.env.WARIFU_CLI ? `, ${((100 * (whole - start)) / wasm).toFixed(0)} % of native (${rate(whole - start).toFixed(0)}/s)` : "";
    console.log(`wasm ${rate(wasm).toFixed(0)} documents/s with findings and report${beside}; best of ${ROUNDS} rounds, load ${loadavg()[0].toFixed(1)}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
  validator.free();
}
