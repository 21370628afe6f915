// Messages a second, bytes → NDJSON, one thread: `node pkg/bench/convert.mjs FOLDER [SECONDS]`.
// With WARIFU_DIGESTS (a release build of `native-digests`) native stands beside it.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as glue from "../dist/wasm/convert.js";
import { Converter } from "warifu";

const [folder, seconds = "2"] = process.argv.slice(2);
const module = readFileSync(new URL("../dist/wasm/convert.wasm", import.meta.url));
console.log(`convert.wasm ${module.length} bytes, gzip -9 ${gzipSync(module, { level: 9 }).length}`);
if (folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .map((e) => ({ path: join(e.parentPath ?? e.path, e.name), bytes: readFileSync(join(e.parentPath ?? e.path, e.name)) }))
    .filter((f) => f.bytes.subarray(0, 3).toString("latin1") === "MSH");
  const size = files.reduce((sum, f) => sum + f.bytes.length, 0);
  const options = { to: "ndjson", institution: "1319999999" };

  const best = (one) => {
    let rate = 0;
    for (let round = 0; round < 20; round += 1) {
      const start = performance.now();
      let done = 0;
      while (performance.now() - start < Number(seconds) * 50) {
        for (const file of files) one(file);
        done += files.length;
      }
      rate = Math.max(rate, (done * 1000) / (performance.now() - start));
    }
    return rate;
  };
  const show = (name, rate, base) =>
    console.log(`${name.padEnd(28)} ${rate.toFixed(0).padStart(8)} messages/s ${((rate * size) / files.length / 1e6).toFixed(1).padStart(7)} MB/s ${base ? `${((100 * rate) / base).toFixed(0)} % of native` : ""}`);

  let native;
  if (process.env.WARIFU_DIGESTS) {
    native = Number(execFileSync(process.env.WARIFU_DIGESTS, ["--speed", seconds, folder], { encoding: "utf8" }));
    show("native", native);
  }
  const converter = new Converter(options);
  converter.convert(files[0]);
  const engine = new glue.Engine(options);
  show("wasm, bytes only", best((f) => engine.convertBytes(f.path, f.bytes)), native);
  show("wasm, with findings", best((f) => converter.convert(f)), native);
  const traced = new Converter({ ...options, trace: true });
  show("wasm, with findings and trace", best((f) => traced.convert(f)), native);
}
