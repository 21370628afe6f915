// The modules travel inside this file's neighbours as base64: one bundle, no fetch.
import { create } from "../convert-core.mjs";
import { fromBase64 } from "../core.mjs";
import { base64 as convert } from "./convert.wasm.mjs";
import { base64 as clins } from "./convert-clins.wasm.mjs";
import { base64 as documents } from "./convert-documents.wasm.mjs";
import { base64 as view } from "./convert-view.wasm.mjs";
import { base64 as pages } from "./rules.wasm.mjs";
import { base64 as unpack } from "./unpack.wasm.mjs";

const source = () => fromBase64(convert);
const api = create({
  source,
  load: source,
  unpack: () => fromBase64(unpack),
  rules: () => fromBase64(pages),
  clins: () => fromBase64(clins),
  documents: () => fromBase64(documents),
  view: () => fromBase64(view),
});
export const Converter = api.Converter;
export const parse = api.parse;
export const init = api.init;
export const rule = api.rule;
export const rules = api.rules;
export { WarifuError } from "../core.mjs";
