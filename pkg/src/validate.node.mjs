// Node.js, Deno, Bun: the module is compiled at first use. It is the fast one.
import { readFileSync } from "node:fs";
import { create } from "./validate-core.mjs";

const source = () => readFileSync(new URL("./wasm/validate-fast.wasm", import.meta.url));
const api = create({ source, load: source });
export const Validator = api.Validator;
export const compilePackage = api.compilePackage;
export const init = api.init;
export const rule = api.rule;
export const rules = api.rules;
export { WarifuError } from "./core.mjs";
