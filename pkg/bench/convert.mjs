// Messages a second of processor time, bytes → NDJSON, one thread: `node pkg/bench/convert.mjs ROUNDS FOLDER…`;
// best of the rounds, the stages taken in turn, so that a machine that is not quiet slows all of them.
// With WARIFU_DIGESTS (a release build of `native-digests`) native stands beside it.
// `cargo xtask bench wasm` runs it on the public samples and on a generated storage.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as glue from "../dist/wasm/convert.js";
import * as smallGlue from "../dist/wasm/convert.js?small";
import { Converter } from "warifu";

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
const module = (name) => {
  const bytes = readFileSync(new URL(`../dist/wasm/${name}.wasm`, import.meta.url));
  const began = performance.now();
  const compiled = new WebAssembly.Module(bytes);
  const took = performance.now() - began;
  const packed = gzipSync(bytes, { level: 9 }).length;
  console.log(`${name}.wasm ${bytes.length} bytes, gzip -9 ${packed}, compiled in ${took.toFixed(0)} ms, instance in ${start(compiled).toFixed(2)} ms (median of 101)`);
  return compiled;
};
const small = module("convert");
// What the package loads in Node.js.
module("convert-fast");

if (folders.length > 0) {
  const files = folders
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((e) => e.isFile())
    .map((e) => ({ path: join(e.parentPath ?? e.path, e.name), bytes: readFileSync(join(e.parentPath ?? e.path, e.name)) }))
    .filter((f) => f.bytes.subarray(0, 3).toString("latin1") === "MSH");
  const size = files.reduce((sum, f) => sum + f.bytes.length, 0);
  const options = { to: "ndjson", institution: "1319999999" };
  const converter = new Converter(options);
  const traced = new Converter({ ...options, trace: true });
  converter.convert(files[0]);
  traced.convert(files[0]);
  const engine = new glue.Engine(options);
  smallGlue.initSync({ module: small });
  const smallEngine = new smallGlue.Engine(options);

  const rate = (one) => {
    const [began, before] = [performance.now(), process.cpuUsage()];
    let done = 0;
    while (performance.now() - began < 100) {
      for (const file of files) one(file);
      done += files.length;
    }
    const { user, system } = process.cpuUsage(before);
    return (done * 1e6) / (user + system);
  };
  const stages = [
    ["wasm, bytes only", () => rate((f) => engine.convertBytes(f.path, f.bytes))],
    ["small wasm, bytes only", () => rate((f) => smallEngine.convertBytes(f.path, f.bytes))],
    ["wasm, with findings", () => rate((f) => converter.convert(f))],
    ["wasm, with findings and trace", () => rate((f) => traced.convert(f))],
  ];
  const digests = process.env.WARIFU_DIGESTS;
  if (digests) stages.unshift(["native", () => Number(execFileSync(digests, ["--speed", "0.5", ...folders], { encoding: "utf8" }))]);
  const best = stages.map(() => 0);
  for (let round = 0; round < Number(rounds); round += 1) {
    stages.forEach(([, measure], at) => {
      best[at] = Math.max(best[at], measure());
    });
  }
  stages.forEach(([name], at) => {
    const share = digests && at > 0 ? `${((100 * best[at]) / best[0]).toFixed(0)} % of native` : "";
    console.log(`${name.padEnd(30)} ${best[at].toFixed(0).padStart(8)} messages/s ${((best[at] * size) / files.length / 1e6).toFixed(1).padStart(7)} MB/s ${share}`);
  });
}
