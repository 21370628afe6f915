// Browsers and workers: `await init()` fetches the module, and the first zip fetches its reader.
import { create } from "./check-core.mjs";

const api = create({
  load: () => fetch(new URL("./wasm/check.wasm", import.meta.url)),
  zip: () => fetch(new URL("./wasm/zip.wasm", import.meta.url)),
});
export const Checker = api.Checker;
export const init = api.init;
export const rule = api.rule;
export const rules = api.rules;
export { WarifuError } from "./core.mjs";
