// Browsers and workers: `await init()` fetches the module.
import { create } from "./check-core.mjs";

const api = create({ load: () => fetch(new URL("./wasm/check.wasm", import.meta.url)) });
export const Checker = api.Checker;
export const init = api.init;
export const rule = api.rule;
export const rules = api.rules;
export { WarifuError } from "./core.mjs";
