// Node.js, Deno, Bun: the module is compiled at first use.
import { readFileSync } from "node:fs";
import { create } from "./consent-core.mjs";

const source = () => readFileSync(new URL("./wasm/consent.wasm", import.meta.url));
const api = create({ source, load: source });
export const annex = api.annex;
export const decide = api.decide;
export const filter = api.filter;
export const fromQr = api.fromQr;
export const init = api.init;
export const render = api.render;
export const sign = api.sign;
export const signerFromCryptoKey = api.signerFromCryptoKey;
export const stateOf = api.stateOf;
export const textHash = api.textHash;
export const toQr = api.toQr;
export const tokenHash = api.tokenHash;
export const verify = api.verify;
export const verifyDisclosure = api.verifyDisclosure;
export const verifyHistory = api.verifyHistory;
export const verifyInclusion = api.verifyInclusion;
export { WarifuError } from "./core.mjs";
