// Node.js, Deno, Bun: the module is compiled at first use.
import { readFileSync } from "node:fs";
import { create } from "./check-core.mjs";

const source = () => readFileSync(new URL("./wasm/check.wasm", import.meta.url));
const unpack = () => readFileSync(new URL("./wasm/unpack.wasm", import.meta.url));
const api = create({ source, load: source, unpack });
export const Checker = api.Checker;
export const init = api.init;
export const rule = api.rule;
export const rules = api.rules;
export { WarifuError } from "./core.mjs";
