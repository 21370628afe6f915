// Browsers and workers: `await init()` fetches the module.
import { create } from "./validate-core.mjs";

const api = create({
  load: () => fetch(new URL("./wasm/validate.wasm", import.meta.url)),
  fast: () => fetch(new URL("./wasm/validate-fast.wasm", import.meta.url)),
});
export const Validator = api.Validator;
export const compilePackage = api.compilePackage;
export const init = api.init;
export const rule = api.rule;
export const rules = api.rules;
export { WarifuError } from "./core.mjs";
