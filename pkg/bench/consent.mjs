// Calls a second of processor time of `warifu/consent`, one thread: `node pkg/bench/consent.mjs [ROUNDS]`; the
// best window of all, so that a machine that is not quiet slows it least. JSON in and out included.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { annex, filter, render, sign, signerFromCryptoKey, stateOf, verify } from "warifu/consent";

/** Milliseconds until the engine has its optimised code, and of a window. */
const [WARM, WINDOW] = [1500, 200];
const rounds = Number(process.argv[2] ?? 15);

const module = readFileSync(new URL("../dist/wasm/consent.wasm", import.meta.url));
console.log(`consent.wasm ${module.length} bytes, gzip -9 ${gzipSync(module, { level: 9 }).length}`);

const now = 1_790_000_100;
const clinic = "mi:1312345678";
const sub = "s1.EBESExQVFhcYGRobHB0eHw";
const text = (value) => new TextEncoder().encode(JSON.stringify(value));
const master = text({ v: 1, version: 20_260_901, contact: "架空割符病院 患者相談窓口 03-0000-0000", facilities: [{ code: clinic, ja: "架空割符診療所", en: "" }] });
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const own = await crypto.subtle.importKey("jwk", privateKey.export({ format: "jwk" }), "Ed25519", false, ["sign"]);
const { x } = publicKey.export({ format: "jwk" });
const excluded = annex({ salt: new Uint8Array(16) });
const claims = {
  sub, aud: [clinic], iat: now - 100, nbf: now - 100, exp: now + 7_776_000, jti: "AAAAAAAAAAAAAAAAAAAAAA", nonce: "AQEBAQEBAQEBAQEBAQEBAQ",
  pur: ["TREAT"], cat: ["inf.allergy", "inf.condition", "inf.lab", "inf.rx", "vit"], obl: ["NORDSCLCD"], dat: { from: "2024-01-01" }, status: { status_list: { idx: 48_213, uri: "https://c.example.jp/s/7" } },
};
const shown = render({ typ: "consent-grant+jwt", lang: "ja" }, claims, excluded, master);
if (!shown.ok) throw new Error(shown.text);
const made = await sign("consent-grant+jwt", shown.claims, await signerFromCryptoKey(own, { x }));
if (!made.ok) throw new Error(`${made.reason} ${made.claim}`);
const { token } = made;
const keys = [{ class: "patient", x, sub }];
const { state } = stateOf({ sub, now, keys, tokens: [{ token, received: now, annex: excluded }] });

const subject = { reference: "Patient/p" };
const jlac = { coding: [{ system: "http://medis.or.jp/CodeSystem/master-JLAC10-17digits", code: "3B0350000023272" }] };
const category = [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "laboratory" }] }];
const entry = Array.from({ length: 300 }, (_, n) => ({
  resource: n === 0 ? { resourceType: "Patient", id: "p", name: [{ text: "架空 花子" }] }
    : n % 3 === 0 ? { resourceType: "Encounter", id: `e${n}`, status: "finished", class: { code: "AMB" }, subject }
      : { resourceType: "Observation", id: `o${n}`, status: "final", category, code: jlac, subject, effectiveDateTime: "2026-01-05", valueQuantity: { value: n, unit: "mg/dL" } },
}));
const bundle = text({ resourceType: "Bundle", type: "searchset", entry });
const request = { who: "recipient", code: clinic, purpose: "TREAT", at: now };
const input = { state, request, person: "p", facts: { src: "mi:1319999999", told: "yes" } };
const must = (answer) => { if (!answer.ok) throw new Error(answer.reason); };

for (const [name, one] of [
  ["verify, steps 1–12 and 17", () => must(verify(token, { now, keys }))],
  ["verify, with annex and text (18, 19)", () => must(verify(token, { now, keys, annex: excluded, master }))],
  ["filter, 300 entries", () => filter(bundle, input)],
]) {
  const window = () => {
    const [from, before] = [performance.now(), process.cpuUsage()];
    let done = 0;
    while (performance.now() - from < WINDOW) { one(); done += 1; }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / done;
  };
  for (const began = performance.now(); performance.now() - began < WARM;) one();
  const best = Math.min(...Array.from({ length: rounds }, window));
  console.log(`${name}: ${best.toFixed(best < 1000 ? 1 : 0)} µs, ${(1e6 / best).toFixed(0)}/s`);
}
