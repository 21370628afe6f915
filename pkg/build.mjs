// Completes dist: the module as base64 for `warifu/inline/convert`. Run by `cargo xtask wasm`.
import { readFileSync, writeFileSync } from "node:fs";

const at = (path) => new URL(path, import.meta.url);
const base64 = readFileSync(at("dist/wasm/convert.wasm")).toString("base64");
writeFileSync(at("dist/inline/convert.wasm.mjs"), `export const base64 = "${base64}";\n`);
