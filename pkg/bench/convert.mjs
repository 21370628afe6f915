// Messages a second of processor time, bytes → NDJSON, one thread: `node pkg/bench/convert.mjs ROUNDS FOLDER…`;
// best of the rounds, the stages taken in turn, so that a machine that is not quiet slows all of them, each
// in a process of its own as native is, so that none has the garbage of another to clear away.
// With WARIFU_DIGESTS (a release build of `native-digests`) native stands beside it.
// `cargo xtask bench wasm` runs it on the public samples and on a generated storage.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as glue from "../dist/wasm/convert.js";
import { Converter } from "warifu";

/** Milliseconds until the engine has its optimised code, and those that are measured, in pieces. */
const [WARM, MEASURED, WINDOW] = [1500, 500, 100];

const [rounds, ...folders] = process.argv.slice(2);

/** Milliseconds from a compiled module to an instance that can be called. */
const start = (compiled) => {
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(compiled)) (imports[from] ??= {})[name] = () => {};
  const times = Array.from({ length: 101 }, () => {
    const began = performance.now();
    new WebAssembly.Instance(compiled, imports);
    return performance.now() - began;
  });
  return times.sort((a, b) => a - b)[50];
};
const read = (name) => readFileSync(new URL(`../dist/wasm/${name}.wasm`, import.meta.url));
const module = (name) => {
  const bytes = read(name);
  const began = performance.now();
  const compiled = new WebAssembly.Module(bytes);
  const took = performance.now() - began;
  const packed = gzipSync(bytes, { level: 9 }).length;
  console.log(`${name}.wasm ${bytes.length} bytes, gzip -9 ${packed}, compiled in ${took.toFixed(0)} ms, instance in ${start(compiled).toFixed(2)} ms (median of 101)`);
};
const stage = process.env.WARIFU_STAGE;
if (!stage) {
  module("convert");
  // What the package loads in Node.js.
  module("convert-fast");
}

if (folders.length > 0) {
  const files = folders
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((e) => e.isFile())
    .map((e) => ({ path: join(e.parentPath ?? e.path, e.name), bytes: readFileSync(join(e.parentPath ?? e.path, e.name)) }))
    .filter((f) => f.bytes.subarray(0, 3).toString("latin1") === "MSH");
  const options = { to: "ndjson", institution: "1319999999" };
  const bytesOnly = (name) => {
    glue.initSync({ module: new WebAssembly.Module(read(name)) });
    const engine = new glue.Engine(options);
    return (file) => engine.convertBytes(file.path, file.bytes);
  };
  const convert = (own) => {
    const converter = new Converter({ ...options, ...own });
    // Findings are read, as a caller does.
    return (file) => converter.convert(file).diagnostics.length;
  };
  const stages = {
    "wasm, bytes only": () => bytesOnly("convert-fast"),
    "small wasm, bytes only": () => bytesOnly("convert"),
    "wasm, with findings": () => convert({}),
    "wasm, with findings and trace": () => convert({ trace: true }),
  };
  const rate = (one, limit) => {
    const began = performance.now();
    let best = 0;
    while (performance.now() - began < limit) {
      const [from, before] = [performance.now(), process.cpuUsage()];
      let done = 0;
      while (performance.now() - from < WINDOW) {
        for (const file of files) one(file);
        done += files.length;
      }
      const { user, system } = process.cpuUsage(before);
      best = Math.max(best, (done * 1e6) / (user + system));
    }
    return best;
  };
  if (stage) {
    const one = stages[stage]();
    rate(one, WARM);
    console.log(rate(one, MEASURED));
  } else {
    const digests = process.env.WARIFU_DIGESTS;
    const own = (name) => execFileSync(process.execPath, process.argv.slice(1), { encoding: "utf8", env: { ...process.env, WARIFU_STAGE: name } });
    const runs = Object.keys(stages).map((name) => [name, () => own(name)]);
    if (digests) runs.unshift(["native", () => execFileSync(digests, ["--speed", "0.5", ...folders], { encoding: "utf8" })]);
    const best = runs.map(() => 0);
    for (let round = 0; round < Number(rounds); round += 1) {
      runs.forEach(([, run], at) => {
        best[at] = Math.max(best[at], Number(run()));
      });
    }
    const size = files.reduce((sum, f) => sum + f.bytes.length, 0) / files.length;
    runs.forEach(([name], at) => {
      const share = digests && at > 0 ? `${((100 * best[at]) / best[0]).toFixed(0)} % of native` : "";
      console.log(`${name.padEnd(30)} ${best[at].toFixed(0).padStart(8)} messages/s ${((best[at] * size) / 1e6).toFixed(1).padStart(7)} MB/s ${share}`);
    });
  }
}
