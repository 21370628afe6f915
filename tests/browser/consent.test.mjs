// `warifu/consent` in a browser: a key that cannot be extracted signs, and the tokens are the golden ones.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { close, open, start, stop } from "./harness.mjs";
import { serve } from "./server.mjs";

const root = new URL("../../", import.meta.url);
const golden = (name) => readFileSync(new URL(`crates/warifu-consent/tests/golden/${name}.jwt`, root), "utf8").trim();
let server;

before(async () => {
  await start();
  server = await serve(fileURLToPath(new URL("pkg/dist", root)));
});
after(async () => {
  await server?.close();
  await stop();
});

test("a CryptoKey that cannot be extracted signs what was shown, and the golden tokens byte for byte", async () => {
  const page = await open({ address: `${server.url}consent.mjs`, wait: false });
  const answer = await page.evaluate(async (tokens) => {
    const c = await import("/consent.mjs");
    await c.init();
    const claims = (token) => JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), (b) => b.charCodeAt(0))));
    // RFC 8032, test 1.
    const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const hex = "302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const pkcs8 = Uint8Array.from(hex.match(/../g), (b) => Number.parseInt(b, 16));
    const known = await c.signerFromCryptoKey(await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]), { x });
    const same = [];
    for (const [typ, token] of tokens) same.push((await c.sign(typ, claims(token), known)).token === token);

    // A key of this browser alone: made here, never exported, signs the text that is shown.
    const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    const exported = await crypto.subtle.exportKey("pkcs8", pair.privateKey).then(() => true, () => false);
    const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
    const signer = await c.signerFromCryptoKey(pair.privateKey, jwk);
    const clinic = "mi:1312345678";
    const master = new TextEncoder().encode(JSON.stringify({ v: 1, version: 20_260_901, contact: "架空割符病院", facilities: [{ code: clinic, ja: "架空割符診療所", en: "" }] }));
    const base = claims(tokens[0][1]);
    delete base.txt;
    const annex = c.annex({});
    const shown = c.render({ typ: "consent-grant+jwt", lang: "ja" }, base, annex, master);
    const { token } = await c.sign("consent-grant+jwt", shown.claims, signer);
    const context = { now: base.iat + 100, keys: [{ class: "patient", x: jwk.x }], annex, master };
    const verified = c.verify(token, context);
    const other = c.verify(token, { ...context, keys: [{ class: "patient", x }] });
    const liar = { ...signer, sign: async () => new Uint8Array(64) };
    const forged = await c.sign("consent-grant+jwt", shown.claims, liar);
    return { same, exported, extractable: pair.privateKey.extractable, text: shown.text, verified, other: other.reason, forged: forged.reason };
  }, [["consent-grant+jwt", golden("grant")], ["consent-revoke+jwt", golden("revoke")]]);
  assert.deepEqual([answer.same, answer.exported, answer.extractable], [[true, true], false, false]);
  assert.ok(answer.text.includes("架空割符診療所"));
  assert.equal(answer.verified.ok, true);
  assert.deepEqual([answer.other, answer.forged], ["KEY_UNKNOWN", "SIG"]);
  // A browser asks for an icon, which the package has not.
  await close(page, [/404/]);
});
