// The module travels inside this file's neighbour as base64: one bundle, no fetch.
import { create } from "../convert-core.mjs";
import { fromBase64 } from "../core.mjs";
import { base64 } from "./convert.wasm.mjs";

const source = () => fromBase64(base64);
const api = create({ source, load: source });
export const Converter = api.Converter;
export const parse = api.parse;
export const init = api.init;
export const rule = api.rule;
export const rules = api.rules;
export { WarifuError } from "../core.mjs";
