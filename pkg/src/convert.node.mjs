// Node.js, Deno, Bun: the module is compiled at first use.
import { readFileSync } from "node:fs";
import { create } from "./convert-core.mjs";

const source = () => readFileSync(new URL("./wasm/convert.wasm", import.meta.url));
const unpack = () => readFileSync(new URL("./wasm/unpack.wasm", import.meta.url));
const pages = () => readFileSync(new URL("./wasm/rules.wasm", import.meta.url));
const api = create({ source, load: source, unpack, rules: pages });
export const Converter = api.Converter;
export const parse = api.parse;
export const init = api.init;
export const rule = api.rule;
export const rules = api.rules;
export { WarifuError } from "./core.mjs";
