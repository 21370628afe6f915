// `warifu/consent`: golden values, a key that cannot be extracted, and the decisions of the native library.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, createPrivateKey, sign as signBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { annex, decide, filter, fromQr, render, sign, signerFromCryptoKey, stateOf, textHash, toQr, tokenHash, verify, verifyDisclosure, verifyHistory, verifyInclusion, WarifuError } from "warifu/consent";
import { root } from "./support.mjs";

const cwd = fileURLToPath(root);
const golden = (name) => readFileSync(new URL(`crates/warifu-consent/tests/golden/${name}.jwt`, root), "utf8").trim();
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/** RFC 8032 test 1 as PKCS #8. */
const pkcs8 = Buffer.from("302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
const key = () => crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
const context = { now: 1_790_000_100, keys: [{ class: "patient", x }] };
const clinic = "mi:1312345678";
const master = new TextEncoder().encode(JSON.stringify({ v: 1, version: 20_260_901, contact: "架空割符病院", facilities: [{ code: clinic, ja: "架空割符診療所", en: "Kaku Warifu Clinic" }] }));

test("the golden tokens are made byte for byte by a key that cannot be extracted", async () => {
  const own = await key();
  assert.equal(own.extractable, false);
  const signer = await signerFromCryptoKey(own, { x });
  assert.equal(signer.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  for (const [name, typ, hash] of [
    ["grant", "consent-grant+jwt", "CEj75Hs_UnI49mAl75Fq9303TVXS3E89P6H6HE7FsYI"],
    ["revoke", "consent-revoke+jwt", "cuP1zyQkWZuTj3gTlr-IHjJtuDU5ov9Rh0AtxYofgzs"],
  ]) {
    const made = await sign(typ, claims(golden(name)), signer);
    assert.deepEqual(made, { ok: true, token: golden(name) });
    assert.equal(tokenHash(made.token), hash);
    const verified = verify(made.token, context);
    assert.deepEqual([verified.ok, verified.hash, verified.claims], [true, hash, claims(made.token)]);
    assert.equal(fromQr(toQr(made.token)), made.token);
  }
  const bytes = annex({ salt: new Uint8Array(16), src: ["mi:1318765432"], lbl: ["PSY"] });
  assert.equal(new TextDecoder().decode(bytes), '{"lbl":["PSY"],"res":[],"salt":"AAAAAAAAAAAAAAAAAAAAAA","src":["mi:1318765432"],"v":1}');
});

test("a slip in a name or form of an annex or of whom to trust opens nothing", () => {
  for (const bad of [
    { lable: ["PSY"] }, { lbl: "PSY" }, { lbl: ["psy"] }, { src: ["1318765432"] }, { res: ["Condition/1"] }, { wid: ["r.x"] },
  ]) assert.throws(() => annex(bad), { code: "invalid-option" }, JSON.stringify(bad));
  const own = Buffer.concat([Buffer.from([1]), Buffer.from(x, "base64url")]);
  const id = createHash("sha256").update("log.example.jp\n").update(own).digest().subarray(0, 4).toString("hex");
  const log = `log.example.jp+${id}+${own.toString("base64")}`;
  const leaf = "A".repeat(43);
  const asked = { rcp: clinic, sub: "s1.AAAAAAAAAAAAAAAAAAAAAA", pur: "TREAT", areq: leaf, at: 1 };
  for (const look of [(trust) => verifyInclusion(leaf, "", trust), (trust) => verifyDisclosure("", asked, trust, 1)]) {
    assert.equal(look({ log }).ok, false);
    for (const slip of [{ quorm: 2 }, { witnesess: [] }]) assert.throws(() => look({ log, ...slip }), { code: "invalid-option" });
  }
});

test("the golden hashes, lines of the log and root come from the module as well", () => {
  assert.equal(textHash(new Uint8Array(16), "同意書 treat-ja 第1版\n"), "4Jfz82qB8qAjvpD4xxxJrqOF1gy8kzOOihZhFXpeqKI");
  const bytes = annex({ salt: new Uint8Array(16), src: ["mi:1318765432"], lbl: ["PSY"] });
  const both = { v: 1, version: 1, contact: "-", facilities: [clinic, "mi:1318765432"].map((code) => ({ code, ja: "架空", en: "" })) };
  const base = claims(golden("grant"));
  delete base.txt;
  delete base.anx;
  const shown = render({ typ: "consent-grant+jwt", lang: "ja" }, base, bytes, new TextEncoder().encode(JSON.stringify(both)));
  assert.equal(shown.claims.anx, "rqqc3ajgupxLZibZS6fxy6cRCYJDVipxqbzZqtPquUU");

  const sub = "s1.EBESExQVFhcYGRobHB0eHw";
  const leaves = ["_Si7UW6fbai0MhkBOkLGZhvt2eFO8WP6W2rmUQfY_JE", "o_ouHL-6E0ySaSymOD4UoNo8UYUTPDe98c8VeIHI1QA"];
  const own = [
    `{"at":1790000005,"kind":"grant","n":0,"prev":"${"A".repeat(43)}","sub":"${sub}","tok":"CEj75Hs_UnI49mAl75Fq9303TVXS3E89P6H6HE7FsYI","v":1}`,
    `{"at":1790003601,"kind":"revoke","n":1,"prev":"${leaves[0]}","sub":"${sub}","tok":"cuP1zyQkWZuTj3gTlr-IHjJtuDU5ov9Rh0AtxYofgzs","v":1}`,
  ].map((line) => JSON.stringify({ line, salt: "A".repeat(22) }));
  // The head is the leaf data of the newest line.
  for (const n of [0, 1]) {
    assert.deepEqual(verifyHistory(own.slice(0, n + 1).join("\n"), { sub }), { ok: true, n, head: leaves[n], newest: "unproven" });
  }
  // A line dropped, cut off, altered, reordered or doubled, each by its own name.
  const pin = { sub, pin_n: 1, pin_head: leaves[1] };
  assert.deepEqual(verifyHistory(own.join("\n"), pin), { ok: true, n: 1, head: leaves[1], newest: "pinned" });
  assert.throws(() => verifyHistory(own.join("\n"), { sub, pinn: 1, pin_head: leaves[1] }), WarifuError);
  for (const [lines, reason] of [
    [[own[1]], "HISTORY_GAP"],
    [[own[0]], "HISTORY_CUT"],
    [[own[0].replace("1790000005", "1790000006"), own[1]], "HISTORY_BROKEN"],
    [[own[0], own[1].replace("1790003601", "1790003602")], "HISTORY_FORKED"],
    [[own[1], own[0]], "HISTORY_GAP"],
    [[own[0], own[0], own[1]], "HISTORY_REPEATED"],
  ]) {
    const { ok, reason: found } = verifyHistory(lines.join("\n"), pin);
    assert.deepEqual([ok, found], [false, reason]);
  }
  // Leaf to root: a checkpoint over the golden root, signed with the key of RFC 8032 test 1.
  const sha = (...parts) => createHash("sha256").update(Buffer.concat(parts.map((p) => Buffer.from(p)))).digest();
  const name = "log.example/consent-log";
  const type = Buffer.concat([Buffer.from([1]), Buffer.from(x, "base64url")]);
  const id = sha(name, "\n", type).subarray(0, 4);
  const log = { log: `${name}+${id.toString("hex")}+${type.toString("base64")}` };
  const proof = (root) => {
    const text = `${name}\n2\n${Buffer.from(root, "hex").toString("base64")}\n`;
    const signed = signBytes(null, Buffer.from(text), createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }));
    const sibling = sha([0], Buffer.from(leaves[1], "base64url")).toString("base64");
    return `c2sp.org/tlog-proof@v1\nindex 0\n${sibling}\n\n${text}\n\u2014 ${name} ${Buffer.concat([id, signed]).toString("base64")}\n`;
  };
  const root = "0e2f689b725141c28c68fc721337d5e429d2f4c10f1cebe1f1a7859ea5dc8cf6";
  assert.equal(verifyInclusion(leaves[0], proof(root), log).ok, true);
  assert.equal(verifyInclusion(leaves[0], proof(root.replace("0", "1")), log).ok, false);
});

test("refusals name reason, step and claim", async () => {
  const grant = golden("grant");
  const reason = (token, more) => verify(token, { ...context, ...more });
  assert.equal(reason(`${grant.slice(0, -4)}AAAA`).reason, "SIG");
  assert.equal(reason(grant, { typ: ["consent-deny+jwt"] }).reason, "TYP");
  assert.equal(reason(grant, { keys: [] }).reason, "KEY_UNKNOWN");
  assert.equal(reason(grant, { keys: [{ class: "patient", x, state: "compromised", at: 1 }] }).reason, "KEY_COMPROMISED");
  assert.deepEqual(reason(grant, { annex: new Uint8Array(2), lang: "en" }), { ok: false, reason: "ANNEX_HASH", step: 18, claim: "anx", text: "Not accepted: it came with another list of exclusions." });
  assert.equal(reason(grant, { bindings: [], master }).reason, "SUB");
  const signer = await signerFromCryptoKey(await key(), { x });
  assert.equal((await sign("consent-grant+jwt", {}, signer)).reason, "CLAIM_MISSING");
  const liar = { ...signer, sign: async () => new Uint8Array(64) };
  assert.equal((await sign("consent-revoke+jwt", claims(golden("revoke")), liar)).reason, "SIG");
  const invalid = (e) => e instanceof WarifuError && e.code === "invalid-option";
  assert.throws(() => verify(grant, {}), invalid);
  assert.equal(reason(grant, { now: 4_102_444_800 }).reason, "EXPIRED");
  assert.equal(reason(grant, { now: 4_102_444_800, receipt: 1_790_000_100 }).ok, true);
  assert.throws(() => decide({ policy: "{}" }, {}, {}), invalid);
  await assert.rejects(signerFromCryptoKey({}, { x }), invalid);
});

test("a text is rendered, signed, and verified again from the claims", async () => {
  const bytes = annex({});
  const base = claims(golden("grant"));
  delete base.txt;
  for (const lang of ["ja", "ja-easy", "en"]) {
    const shown = render({ typ: "consent-grant+jwt", lang }, base, bytes, master);
    assert.ok(shown.ok && shown.text.endsWith("\n"));
    const { token } = await sign("consent-grant+jwt", shown.claims, await signerFromCryptoKey(await key(), { x }));
    assert.equal(verify(token, { ...context, annex: bytes, master }).ok, true);
    const forged = await sign("consent-grant+jwt", { ...shown.claims, exp: base.exp + 172_800 }, await signerFromCryptoKey(await key(), { x }));
    assert.equal(verify(forged.token, { ...context, annex: bytes, master }).reason, "TEXT_MISMATCH");
  }
});

test("a Bundle is cut to what was granted", () => {
  const entry = [
    { resource: { resourceType: "Patient", id: "p" } },
    { resource: { resourceType: "Condition", id: "c", subject: { reference: "Patient/p" } } },
    { resource: { resourceType: "MedicationRequest", id: "m", subject: { reference: "Patient/p" } } },
  ];
  const bundle = new TextEncoder().encode(JSON.stringify({ resourceType: "Bundle", type: "collection", entry }));
  const grant = { jti: "j", hash: "h", kid: "k", received: 1, aud: [clinic], pur: ["TREAT"], cat: ["inf.rx"], nbf: 1, exp: 9, annex: {} };
  const request = { who: "recipient", code: clinic, purpose: "TREAT", at: 2 };
  const out = filter(bundle, { state: { grants: [grant] }, request, facts: { src: "mi:1319999999" } });
  const kinds = JSON.parse(new TextDecoder().decode(out.bundle)).entry.map((e) => e.resource.resourceType);
  assert.deepEqual(kinds.sort(), ["MedicationRequest", "Patient"]);
  assert.deepEqual(out.withheld.map((w) => [w.type, w.reason]), [["Condition", "CATEGORY"], ["Patient", "CATEGORY"]].filter(([t]) => out.withheld.some((w) => w.type === t)));
  assert.throws(() => filter(new Uint8Array(1), { state: {}, request, facts: { src: "a" } }), WarifuError);
});

test("a Bundle is of the person whose Patient is named", () => {
  const entry = ["p", "q"].flatMap((id) => [
    { resource: { resourceType: "Patient", id } },
    { resource: { resourceType: "MedicationRequest", id: `m${id}`, subject: { reference: `Patient/${id}` } } },
  ]);
  const bundle = new TextEncoder().encode(JSON.stringify({ resourceType: "Bundle", type: "collection", entry }));
  const grant = { jti: "j", hash: "h", kid: "k", received: 1, aud: [clinic], pur: ["TREAT"], cat: ["inf.rx"], nbf: 1, exp: 9, annex: {} };
  const request = { who: "recipient", code: clinic, purpose: "TREAT", at: 2 };
  const ids = (more, state = { grants: [grant] }) => {
    const out = filter(bundle, { state, request, facts: { src: "mi:1319999999" }, ...more });
    return (JSON.parse(new TextDecoder().decode(out.bundle)).entry ?? []).map((e) => e.resource.id).sort();
  };
  assert.deepEqual(ids({}), []);
  assert.deepEqual(ids({ person: "p" }), ["mp", "p"]);
  assert.deepEqual(ids({ person: ["q"] }), ["mq", "q"]);
  // A slip in a name opens nothing.
  const invalid = (e) => e instanceof WarifuError && e.code === "invalid-option";
  for (const more of [{ persons: "p" }, { facts: { src: "a", tld: "no" } }, { perResource: { "medicationrequest/mp": { src: "a" } } }]) {
    assert.throws(() => ids({ person: "p", ...more }), invalid);
  }
  for (const slip of [{ dat: {} }, { revoked: true }, { annex: { labels: ["PSY"] } }, { annex: "x" }]) {
    assert.throws(() => ids({ person: "p" }, { grants: [{ ...grant, ...slip }] }), invalid);
  }
  assert.deepEqual(ids({ person: "p" }, { grants: [{ ...grant, annex: { lbl: ["psy"] } }] }), []);
});

test("free text goes to patients only where they were told of everything", () => {
  const bundle = new TextEncoder().encode(JSON.stringify({ resourceType: "Bundle", type: "collection", entry: [
    { resource: { resourceType: "Patient", id: "p" } },
    { resource: { resourceType: "MedicationRequest", id: "m", subject: { reference: "Patient/p" }, note: [{ text: "KANARIE" }] } },
  ] }));
  const input = { state: {}, request: { who: "subject", purpose: "PATRQT", at: 2 }, facts: { src: "mi:1319999999", told: "yes" }, person: "p" };
  const has = (more) => new TextDecoder().decode(filter(bundle, { ...input, ...more }).bundle).includes("KANARIE");
  assert.deepEqual([has({}), has({ allTold: true })], [false, true]);
});

test("a state comes from verified tokens", async () => {
  const [grant, revoke] = [golden("grant"), golden("revoke")];
  const sub = claims(grant).sub;
  const bytes = annex({ salt: new Uint8Array(16), src: ["mi:1318765432"], lbl: ["PSY"] });
  const keys = [{ ...context.keys[0], sub }];
  const of = (tokens) => stateOf({ sub, now: 1_790_000_100, keys, tokens });
  const given = { token: grant, received: 1_790_000_005, annex: bytes };
  const { state } = of([given]);
  const [own] = state.grants;
  assert.deepEqual([own.aud, own.window, own.texts, own.annex.lbl, own.annex.src], [[clinic], ["2024-01-01", null], 1, ["PSY"], ["mi:1318765432"]]);
  const request = { who: "recipient", code: clinic, purpose: "TREAT", at: 1_790_000_100 };
  const item = { cats: ["inf.lab"], src: "mi:1319999999", clinical: ["2026-01-01", "2026-01-01"], labels: [] };
  const seen = decide(state, request, item, { lang: "en", master });
  assert.deepEqual([seen.effect, seen.told], ["permit", "PERMITTED"]);
  assert.ok(seen.chain[0].startsWith("May Kaku Warifu Clinic (mi:1312345678) see"), seen.chain[0]);
  assert.deepEqual([decide(state, request, { ...item, src: "mi:1318765432" })].map((d) => [d.reason, d.told]), [["EXCLUDED", "NOT_AVAILABLE"]]);
  assert.equal(decide(of([given, { token: revoke, received: 1_790_003_601 }]).state, request, item).reason, "REVOKED");
  // Nothing is decided without a wish: neither a forged one nor one without its annex is left out.
  assert.deepEqual([of([given, { token: `${revoke.slice(0, -4)}AAAA`, received: 1 }])].map((r) => [r.ok, r.reason, r.at]), [[false, "SIG", 1]]);
  assert.equal(of([{ token: grant, received: 1_790_000_005 }]).reason, "ANNEX_MISSING");
  // A key signs for its person, and says for whom.
  for (const key of [context.keys[0], { ...context.keys[0], sub: "s1.AAAAAAAAAAAAAAAAAAAAAA" }]) {
    assert.equal(stateOf({ sub, now: 1_790_000_100, keys: [key], tokens: [given] }).reason, "SUB");
  }
  // What may not stand in a grant (step 17) opens nothing, whoever signed it.
  const signer = await signerFromCryptoKey(await key(), { x });
  for (const [change, expected] of [[{ aud: ["mi:*"] }, "AUD_WILDCARD"], [{ cat: ["inf.lab", "prc.surgery"] }, "INDIVIDUAL_BUNDLED"]]) {
    const { token } = await sign("consent-grant+jwt", { ...claims(grant), ...change }, signer);
    assert.equal(verify(token, { ...context, annex: bytes, master }).reason, expected);
    assert.equal(verify(token, context).reason, expected);
    assert.equal(of([{ ...given, token }]).reason, expected);
  }
  assert.throws(() => stateOf({ sub, now: 1, keys: [], tokens: [{ token: grant }] }), WarifuError);
});

test("lines of the log: a good history, a gap, and a proof that is none", () => {
  assert.deepEqual(verifyHistory("", { sub: "s1.EBESExQVFhcYGRobHB0eHw" }), { ok: true });
  assert.equal(verifyHistory("{}", { sub: "s1.EBESExQVFhcYGRobHB0eHw" }).reason, "HISTORY_FORM");
  assert.throws(() => verifyInclusion("x", "y", { log: "z" }), WarifuError);
});

test("100,000 generated states are decided as the native library decides them", () => {
  const tool = process.env.WARIFU_STATES;
  const [program, args] = tool ? [tool, []] : ["cargo", ["run", "--quiet", "--package", "warifu-tests", "--bin", "consent-states", "--"]];
  const lines = execFileSync(program, [...args, "100000"], { cwd, encoding: "utf8", maxBuffer: 1 << 30 }).trimEnd().split("\n");
  const policy = JSON.parse(lines.shift());
  let differing = 0;
  for (const line of lines) {
    const { request, item, expected, ...state } = JSON.parse(line);
    const d = decide({ ...state, policy }, request, item);
    const mine = [d.basis ?? "-", d.reason, d.grants.join(), d.obligations.join(), d.stale].join("|");
    if (mine !== expected) differing += 1;
  }
  assert.equal(differing, 0);
  assert.equal(lines.length, 100_000);
});
