// The module travels inside this file's neighbour as base64: one bundle, no fetch.
import { create, WarifuError } from "../core.mjs";
import { base64 } from "./convert.wasm.mjs";

function source() {
  if (typeof Uint8Array.fromBase64 === "function") return Uint8Array.fromBase64(base64);
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}
const api = create({ source, load: source });
export const Converter = api.Converter;
export const parse = api.parse;
export const init = api.init;
export const rule = api.rule;
export const rules = api.rules;
export { WarifuError };
