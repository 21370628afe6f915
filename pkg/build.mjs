// Completes dist: the modules as base64 for `warifu/inline/convert`. Run by `cargo xtask wasm`.
import { readFileSync, writeFileSync } from "node:fs";

const at = (path) => new URL(path, import.meta.url);
for (const name of ["convert", "convert-clins", "convert-documents", "convert-view", "rules", "unpack"]) {
  const base64 = readFileSync(at(`dist/wasm/${name}.wasm`)).toString("base64");
  writeFileSync(at(`dist/inline/${name}.wasm.mjs`), `export const base64 = "${base64}";\n`);
}
