// Browsers and workers: `await init()` fetches the module.
import { create } from "./convert-core.mjs";

const api = create({ load: () => fetch(new URL("./wasm/convert.wasm", import.meta.url)) });
export const Converter = api.Converter;
export const parse = api.parse;
export const init = api.init;
export const rule = api.rule;
export const rules = api.rules;
export { WarifuError } from "./core.mjs";
