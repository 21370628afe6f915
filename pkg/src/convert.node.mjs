// Node.js, Deno, Bun: the module is compiled at first use. It is the fast one, which has its parts inside;
// those of the other are for who gives `init` that one.
import { readFileSync } from "node:fs";
import { create } from "./convert-core.mjs";

const source = () => readFileSync(new URL("./wasm/convert-fast.wasm", import.meta.url));
const api = create({
  source,
  load: source,
  fast: source,
  unpack: () => readFileSync(new URL("./wasm/unpack.wasm", import.meta.url)),
  rules: () => readFileSync(new URL("./wasm/rules.wasm", import.meta.url)),
  clins: () => readFileSync(new URL("./wasm/convert-clins.wasm", import.meta.url)),
  documents: () => readFileSync(new URL("./wasm/convert-documents.wasm", import.meta.url)),
  view: () => readFileSync(new URL("./wasm/convert-view.wasm", import.meta.url)),
});
export const Converter = api.Converter;
export const parse = api.parse;
export const init = api.init;
export const rule = api.rule;
export const rules = api.rules;
export { WarifuError } from "./core.mjs";
