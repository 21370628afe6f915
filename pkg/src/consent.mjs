// Browsers and workers: `await init()` fetches the module.
import { create } from "./consent-core.mjs";

const api = create({ load: () => fetch(new URL("./wasm/consent.wasm", import.meta.url)) });
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
