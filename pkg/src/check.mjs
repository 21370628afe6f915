// Browsers and workers: `await init()` fetches the module, and the first packed storage fetches its reader.
import { create } from "./check-core.mjs";

const api = create({
  load: () => fetch(new URL("./wasm/check.wasm", import.meta.url)),
  unpack: () => fetch(new URL("./wasm/unpack.wasm", import.meta.url)),
});
export const Checker = api.Checker;
export const init = api.init;
export const rule = api.rule;
export const rules = api.rules;
export { WarifuError } from "./core.mjs";
