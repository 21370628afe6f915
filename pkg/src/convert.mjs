// Browsers and workers: `await init()` fetches the module and its parts; the reader of packed storages
// and the pages of rules are fetched when they are needed.
import { create } from "./convert-core.mjs";

const api = create({
  load: () => fetch(new URL("./wasm/convert.wasm", import.meta.url)),
  fast: () => fetch(new URL("./wasm/convert-fast.wasm", import.meta.url)),
  unpack: () => fetch(new URL("./wasm/unpack.wasm", import.meta.url)),
  rules: () => fetch(new URL("./wasm/rules.wasm", import.meta.url)),
  clins: () => fetch(new URL("./wasm/convert-clins.wasm", import.meta.url)),
  documents: () => fetch(new URL("./wasm/convert-documents.wasm", import.meta.url)),
  view: () => fetch(new URL("./wasm/convert-view.wasm", import.meta.url)),
});
export const Converter = api.Converter;
export const parse = api.parse;
export const init = api.init;
export const rule = api.rule;
export const rules = api.rules;
export { WarifuError } from "./core.mjs";
