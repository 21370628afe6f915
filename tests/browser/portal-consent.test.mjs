// The wizard, consents and their end: what the portal signs is judged by `warifu consent`.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import { axe, becomes, close, open, start, stop } from "./harness.mjs";
import { CODE, Desk, claimsOf } from "./portal-desk.mjs";
import { servePortal } from "./portal-server.mjs";

const SHOTS = process.env.WARIFU_SHOTS;
let site;
let desk;
before(async () => {
  await start();
  site = await servePortal((...all) => desk.api(...all));
});
after(async () => { await site.close(); await stop(); });
beforeEach(() => {
  desk?.close();
  desk = new Desk();
  desk.origin = site.url;
});
after(() => desk?.close());

const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
const button = (page, name) => page.getByRole("button", { name, exact: true });

async function enrolled(options = {}) {
  const page = await open({ address: site.url, hash: "/key", wait: false, ...options });
  await button(page, "鍵を作る").click();
  await page.getByRole("link", { name: "つぎへ" }).click();
  await page.getByLabel("番号").fill(CODE);
  await page.getByLabel("生年月日").fill("19680303");
  await button(page, "登録する").click();
  await heading(page, "登録できました");
  return page;
}

async function home(page, places = 0) {
  await page.getByRole("link", { name: "ホームへ" }).click();
  await heading(page, `いま見られるところ：${places}か所`);
}

async function shot(page, name) {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

/** Walks the wizard to its last page. */
async function toSign(page, cats) {
  await page.getByRole("link", { name: /架空割符診療所/ }).first().click();
  await heading(page, "架空割符診療所が、あなたの記録を見たいと言っています");
  await button(page, "内容を見る").click();
  await heading(page, "目的は「診察や治療」です。見せますか");
  await button(page, "この目的なら続ける").click();
  await heading(page, "どの記録を見せますか");
  for (const cat of cats) await page.getByRole("checkbox", { name: cat }).check();
  await button(page, "つぎへ").click();
  await heading(page, "いつまで見せますか");
  await page.getByLabel(/^90日/).check();
  await button(page, "つぎへ").click();
  await heading(page, "読んで、署名します");
  await page.locator("article[data-signed]").waitFor();
}

test("a grant: what is shown is what is signed, and the desk takes it", async () => {
  const page = await enrolled();
  const group = "AAECAwQFBgcICQoLDA0ODw";
  desk.ask(["inf.allergy", "inf.lab", "inf.rx"], { min: ["inf.allergy"], group });
  desk.ask(["prc.surgery"], { individual: true, group });
  await home(page);
  await shot(page, "home-waiting");
  const sent = site.log.length;
  await toSign(page, ["アレルギー", "処方・調剤"]);
  // P11: up to here the server got reads of own records and the minting of the request token, no choice.
  assert.deepEqual([...new Set(site.log.slice(sent).filter((l) => l.startsWith("POST")))].map((l) => l.replace(/[\w-]{22}/, "ID")), ["POST /api/disclose", "POST /api/requests/ID/open"]);
  await shot(page, "sign");
  const text = await page.locator("article[data-signed]").evaluate((el) => {
    const copy = el.cloneNode(true);
    for (const rt of copy.querySelectorAll("rt, rp")) rt.remove();
    return copy.textContent;
  });
  await button(page, "署名して見せる").click();
  await page.getByRole("heading", { level: 1, name: /^同意を記録しました（\d+番）$/ }).waitFor();
  await page.waitForFunction(() => document.activeElement?.tagName === "H1");
  const [given] = desk.tokens;
  const claims = claimsOf(given.token);
  assert.deepEqual(claims.cat, ["inf.allergy", "inf.rx"]);
  assert.equal(claims.exp - claims.nbf, 90 * 86_400);
  const salt = Buffer.from(JSON.parse(Buffer.from(given.annex, "base64url")).salt, "base64url");
  assert.equal(claims.txt.h, createHash("sha256").update(salt).update(text).digest("base64url"), "text shown = text signed");
  assert.match(text, /架空割符診療所/);
  // Surgery is asked apart, afterwards, with its own signature.
  await shot(page, "done");
  await page.getByRole("link", { name: "手術の記録も見せますか" }).click();
  await heading(page, "手術の記録も見せますか");
  await shot(page, "surgery");
  await button(page, "見せる").click();
  await heading(page, "いつまで見せますか");
  await page.getByLabel(/^24時間/).check();
  await button(page, "つぎへ").click();
  await page.locator("article[data-signed]").waitFor();
  await button(page, "署名して見せる").click();
  await page.getByRole("heading", { level: 1, name: /^同意を記録しました/ }).waitFor();
  assert.deepEqual(desk.tokens.map((t) => claimsOf(t.token).cat), [["inf.allergy", "inf.rx"], ["prc.surgery"]]);
  assert.equal(claimsOf(desk.tokens[1].token).txt.id, "indiv-treat");
  await close(page);
});

const APART = new Set(["Patient", "Organization", "Practitioner", "PractitionerRole", "Location", "Specimen", "Medication", "Device", "Provenance"]);
/** What the items of a Bundle are called; the rest goes along with them. */
const names = ({ entry }) => entry.map((e) => e.resource).filter((r) => !APART.has(r.resourceType)).map((r) => r.code?.text ?? r.code?.coding?.find((c) => c.display)?.display ?? "");

test("the preview is the Bundle that the recipient then gets", async () => {
  const page = await enrolled();
  desk.convert();
  const kinds = ["inf.allergy", "inf.condition", "inf.lab", "inf.rx", "vis.history"];
  desk.ask(kinds);
  await home(page);
  await page.getByRole("link", { name: /架空割符診療所/ }).click();
  await button(page, "内容を見る").click();
  await button(page, "この目的なら続ける").click();
  const seen = page.getByRole("status").filter({ hasText: "に見えるもの" });
  await seen.filter({ hasText: "（0件）" }).waitFor();
  const hidden = await page.locator("details").nth(1).locator("li").count();
  assert.ok(hidden > 20, `${hidden} records stay hidden`);
  await page.getByRole("checkbox", { name: "処方・調剤" }).check();
  await page.getByRole("checkbox", { name: "アレルギー" }).check();
  await page.waitForFunction(() => !document.querySelector("details h2").textContent.includes("（0件）"));
  const counts = await Promise.all([0, 1].map((i) => page.locator("details").nth(i).locator("li").count()));
  assert.equal(counts[0] + counts[1], hidden);
  await shot(page, "preview");
  await button(page, "つぎへ").click();
  await page.getByLabel(/^24時間/).check();
  await button(page, "つぎへ").click();
  await page.locator("article[data-signed]").waitFor();
  await button(page, "署名して見せる").click();
  await page.getByRole("heading", { level: 1, name: /^同意を記録しました/ }).waitFor();
  assert.equal(names(desk.disclosed("mi:1312345678")).length, counts[0]);
  await close(page);
});

test("ticks count what is shown, together they are the list, and what stays hidden says why", async () => {
  const page = await enrolled();
  desk.convert();
  // What is also of the person (the payer of a disease) is counted, too.
  desk.ask(["demo", "inf.condition", "inf.infection", "inf.lab", "inf.rx", "vis.history"]);
  await home(page);
  await page.getByRole("link", { name: /架空割符診療所/ }).click();
  await button(page, "内容を見る").click();
  await button(page, "この目的なら続ける").click();
  const seen = page.getByRole("status").filter({ hasText: "に見えるもの" });
  await seen.filter({ hasText: "（0件）" }).waitFor();
  const ticked = () => page.locator("fieldset label.row").evaluateAll((rows) => Object.fromEntries(rows
    .filter((row) => row.querySelector("input").checked)
    .map((row) => /^(\S+) (\d+)件/.exec(row.textContent).slice(1)).map(([name, n]) => [name, Number(n)])));
  const listed = () => page.locator("details").first().evaluate((all) => Object.fromEntries([...all.querySelectorAll("h3")]
    .map((h) => [h.firstChild.textContent, h.nextElementSibling.children.length])));
  // Tests alone: those that may be of an infection stay hidden, which is said.
  await page.getByRole("checkbox", { name: /^検査/ }).check();
  await seen.filter({ hasText: "（0件）" }).waitFor({ state: "detached" });
  const alone = await ticked();
  assert.deepEqual(alone, await listed());
  const kept = page.getByText(/^えらんだ種類の記録でも、\d+件は見せません。/);
  const n = Number(/(\d+)件/.exec(await kept.textContent())[1]);
  assert.ok(n > 3, `${n}`);
  assert.equal(await page.locator("details").nth(1).getByText("「感染症」でもある（かもしれない）ので、見せません").count(), n);
  // With all of them nothing is kept back that was ticked, and own records count the same.
  await button(page, "全部えらぶ").click();
  await kept.waitFor({ state: "detached" });
  const all = await ticked();
  assert.deepEqual(all, await listed());
  assert.equal(all.検査, alone.検査 + n);
  await page.getByRole("link", { name: /^やめる/ }).click();
  await page.getByRole("link", { name: "記録", exact: true }).click();
  await page.getByRole("link", { name: /^検査/ }).waitFor();
  for (const name of Object.keys(all)) await page.getByRole("link", { name: new RegExp(`^${name}\\s*${all[name]}件$`) }).waitFor();
  await close(page);
});

test("surgery has a list of its own before its signature: what goes out then, less what was hidden", async () => {
  const page = await enrolled();
  const { entry } = desk.convert();
  desk.source = "mi:1319999999";
  for (const [id, text] of [["own-1", "架空の手術"], ["own-2", "架空の二度めの手術"], ["own-3", "架空の三度めの手術"]]) {
    entry.push({ resource: { resourceType: "Procedure", id, status: "completed", code: { text }, performedDateTime: "2019-05-06", subject: entry[0].resource.subject } });
  }
  desk.ask(["inf.rx"]);
  await home(page);
  await toSign(page, ["処方・調剤"]);
  await button(page, "署名して見せる").click();
  await page.getByRole("heading", { level: 1, name: /^同意を記録しました/ }).waitFor();
  const given = names(desk.disclosed("mi:1312345678"));
  desk.ask(["prc.surgery"], { individual: true });
  await page.getByRole("link", { name: "ホームへ" }).click();
  await page.reload();
  await page.getByRole("link", { name: /^架空割符診療所/ }).first().click();
  await heading(page, "手術の記録も見せますか");
  await page.getByText("目的は「診察や治療」です。").waitFor();
  const list = page.locator("details").first().locator("li");
  await list.filter({ hasText: "架空の二度めの手術" }).waitFor();
  const before = await list.count();
  // By keyboard, and it moves to the other list.
  const hide = list.filter({ hasText: "架空の二度めの手術" }).getByRole("button", { name: /^これは見せない/ });
  await hide.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("status").filter({ hasText: `に見えるもの（${before - 1}件）` }).waitFor();
  const shown = await list.locator(".strong").evaluateAll((all) => all.map((el) => {
    const copy = el.cloneNode(true);
    for (const rt of copy.querySelectorAll("rt, rp")) rt.remove();
    return copy.textContent;
  }));
  assert.equal(shown.length, before - 1);
  assert.deepEqual(await axe(page), []);
  await button(page, "見せる").click();
  await heading(page, "いつまで見せますか");
  await page.getByText("2／3").waitFor();
  await page.getByLabel(/^24時間/).check();
  await button(page, "つぎへ").click();
  await page.locator("article[data-signed]").waitFor();
  await button(page, "署名して見せる").click();
  await page.getByRole("heading", { level: 1, name: /^同意を記録しました/ }).waitFor();
  const added = names(desk.disclosed("mi:1312345678"));
  for (const one of given) added.splice(added.indexOf(one), 1);
  assert.deepEqual(added.toSorted(), shown.toSorted(), "the list is what goes out");
  assert.ok(added.includes("架空の手術") && !added.includes("架空の二度めの手術"));
  await close(page);
});

test("own records are always there, surgery too, by kind and by date", async () => {
  // Tall enough that the bar at the bottom covers nothing.
  const page = await enrolled({ width: 320, height: 8000 });
  const { entry } = desk.convert();
  entry.push({ resource: { resourceType: "Procedure", id: "own-surgery", status: "completed", code: { text: "架空の手術" }, performedDateTime: "2019-05-06", subject: entry[0].resource.subject } });
  await page.getByRole("link", { name: "ホームへ" }).click();
  await page.getByRole("link", { name: "記録", exact: true }).click();
  await heading(page, "わたしの記録");
  await page.getByRole("link", { name: /^手術/ }).waitFor();
  assert.deepEqual(await axe(page), []);
  const read = site.log.filter((l) => l.endsWith("/api/disclose")).length;
  await page.getByRole("link", { name: /^手術/ }).click();
  await heading(page, "手術");
  await page.getByText("ほかの人に見えるのは、別に同意したときと救急のときだけです").waitFor();
  assert.deepEqual(await axe(page), []);
  await page.getByRole("link", { name: /^架空の手術/ }).click();
  await heading(page, "架空の手術");
  await page.getByText("手術かどうか、病院の番号からはわかりません。").waitFor();
  await page.getByText("2019年5月6日（月）").waitFor();
  assert.deepEqual(await axe(page), []);
  // A result: its value, unit and normal range.
  await page.getByRole("link", { name: "「手術」へ" }).click();
  await page.getByRole("link", { name: "記録の一覧へ" }).click();
  await page.getByRole("link", { name: /^検査/ }).click();
  await heading(page, "検査");
  await page.getByRole("link", { name: /^ＡＬＴ/ }).first().click();
  await heading(page, "ＡＬＴ");
  const card = page.locator("main .card");
  assert.match(await card.textContent(), /結果19 U\/L.*基準の範囲7 U\/L – 23 U\/L/);
  await page.goBack();
  await heading(page, "検査");
  await page.goBack();
  await heading(page, "わたしの記録");
  // None of these pages read anything anew: each reading is a line of the log.
  assert.equal(site.log.filter((l) => l.endsWith("/api/disclose")).length, read);
  // A prescription: how much, how often, how many days.
  await page.getByRole("link", { name: /^処方・調剤/ }).click();
  await page.getByRole("link", { name: /７?7日分/ }).first().click();
  assert.match(await card.textContent(), /使い方.*1回.*7日分.*量\d+ .*日数7 日/);
  await page.goBack();
  await page.goBack();
  await button(page, "時間で見る").click();
  await page.getByRole("heading", { level: 2, name: "2019" }).waitFor();
  await page.getByRole("heading", { level: 3, name: "2019年5月6日（月）" }).waitFor();
  assert.deepEqual(await axe(page), []);
  await page.setViewportSize({ width: 1440, height: 900 });
  await shot(page, "records-wide");
  assert.deepEqual(await axe(page), []);
  await close(page);
});

test("what was asked together is one row with its day, and all of one institution is refused at once", async () => {
  const page = await enrolled({ width: 360, height: 1600 });
  const group = "AAECAwQFBgcICQoLDA0ODw";
  desk.ask(["inf.allergy", "inf.lab"], { group });
  desk.ask(["prc.surgery"], { individual: true, group });
  desk.ask(["inf.rx"]);
  await home(page);
  await page.getByRole("heading", { level: 2, name: "返事を待っているお願い（2）" }).waitFor();
  const rows = page.locator(".requests > li");
  assert.match(await rows.nth(0).textContent(), /架空割符診療所診察や治療のため見たいもの：アレルギー、検査別に決めるもの：手術\d{4}年.+に届きました$/);
  assert.deepEqual(await axe(page), []);
  const asked = desk.requests.map((r) => r.req);
  await button(page, "この相手のお願いは、どれも見せない").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 2, name: "返事を待っているお願い（0）" }).waitFor();
  assert.deepEqual(desk.declined.slice(-3).toSorted(), asked.toSorted());
  await page.getByRole("status").filter({ hasText: "全部「見せない」と記録しました" }).waitFor();
  await close(page);
});

test("refusing is one press away, is told, and the request never returns", async () => {
  const page = await enrolled();
  const request = desk.ask(["inf.lab"]);
  await home(page);
  await page.getByRole("link", { name: /架空割符診療所/ }).click();
  // At rest: the pointer is over neither.
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.mouse.move(0, 0);
  const same = await page.locator(".equal .btn").evaluateAll((all) => all.map((el) => {
    const style = getComputedStyle(el);
    const box = el.getBoundingClientRect();
    return [style.backgroundColor, style.color, style.borderColor, style.fontSize, style.fontWeight, Math.round(box.width), Math.round(box.height)].join();
  }));
  assert.equal(same.length, 2);
  assert.equal(same[0], same[1], "granting and refusing look the same");
  await button(page, "見せない").click();
  await heading(page, "「見せない」と記録しました。このお願いでは何も見せません");
  assert.deepEqual(desk.declined, [request.req]);
  assert.deepEqual(desk.tokens, []);
  await page.getByRole("link", { name: "ホームへ" }).click();
  await page.getByText("待っているお願いはありません。").waitFor();
  await close(page);
});

test("nothing is chosen beforehand, what is missing is said, and going back keeps the choices", async () => {
  const page = await enrolled();
  desk.ask(["inf.allergy", "inf.lab"], { min: ["inf.lab"] });
  await home(page);
  await page.getByRole("link", { name: /架空割符診療所/ }).click();
  await button(page, "内容を見る").click();
  await button(page, "この目的なら続ける").click();
  await heading(page, "どの記録を見せますか");
  assert.equal(await page.locator("main :checked").count(), 0);
  await button(page, "つぎへ").click();
  await page.getByRole("link", { name: "見せる記録を、一つ以上えらぶと進めます" }).waitFor();
  await button(page, "全部えらぶ").click();
  await becomes(page, () => page.locator("main :checked").count(), 2);
  await button(page, "つぎへ").click();
  await becomes(page, () => page.locator("main :checked").count(), 0);
  await button(page, "つぎへ").click();
  await page.getByRole("link", { name: "期限を一つえらぶと進めます" }).waitFor();
  await page.goBack();
  await heading(page, "どの記録を見せますか");
  assert.equal(await page.locator("main :checked").count(), 2);
  await page.goForward();
  await page.getByLabel("日を選ぶ").check();
  await page.getByLabel("最後の日").fill("2020-01-01");
  await button(page, "つぎへ").click();
  await page.getByRole("link", { name: /これからの日/ }).waitFor();
  await close(page);
});

test("a request that grew old is fetched again, with the choices kept; another refusal says what it means", async () => {
  const page = await enrolled();
  desk.ask(["inf.lab"]);
  await home(page);
  await toSign(page, ["検査"]);
  desk.refuse = "NONCE";
  await button(page, "署名して見せる").click();
  await page.getByRole("alert").filter({ hasText: "お願いを取り直しました。選んだ内容は残っています。" }).waitFor();
  await page.locator("article[data-signed]").waitFor();
  desk.refuse = "TEXT_MISMATCH";
  await button(page, "署名して見せる").click();
  await page.getByRole("alert").filter({ hasText: "相手側の文と違うので、同意は記録されていません。" }).waitFor();
  assert.deepEqual(desk.tokens, []);
  await button(page, "署名して見せる").click();
  await page.getByRole("heading", { level: 1, name: /^同意を記録しました/ }).waitFor();
  assert.equal(desk.tokens.length, 1);
  await close(page, [/403|409/]);
});

test("withdrawing takes one confirmation, names a clock time, and is a signed end that the desk takes", async () => {
  const page = await enrolled();
  desk.ask(["inf.lab"]);
  await home(page);
  await toSign(page, ["検査"]);
  await button(page, "署名して見せる").click();
  await page.getByRole("link", { name: "控えを見る" }).click();
  await heading(page, "控え");
  await page.locator("article[data-signed]").waitFor();
  await shot(page, "receipt");
  await page.getByRole("link", { name: "やめる" }).click();
  await heading(page, "架空割符診療所に見せるのをやめますか");
  assert.equal(await page.locator("main time").count(), 1);
  await shot(page, "withdraw");
  await button(page, "やめる").click();
  await page.getByRole("heading", { level: 1, name: /にここで止まりました。ほかも.+までに止まります。$/ }).waitFor();
  assert.equal(await page.locator("h1 time").count(), 2);
  const [given, end] = desk.tokens.map((t) => claimsOf(t.token));
  assert.equal(end.rev, given.jti);
  assert.equal(end.rsn, "withdrawn");
  await page.getByRole("link", { name: "ホームへ" }).click();
  await heading(page, "いま見られるところ：0か所");
  await close(page);
});

test("a token that does not verify is not shown as a consent, and is told", async () => {
  const page = await enrolled();
  desk.ask(["inf.lab"]);
  await home(page);
  await toSign(page, ["検査"]);
  await button(page, "署名して見せる").click();
  await page.getByRole("heading", { level: 1, name: /^同意を記録しました/ }).waitFor();
  const [head, , signature] = desk.tokens[0].token.split(".");
  const claims = { ...claimsOf(desk.tokens[0].token), cat: ["inf.lab", "inf.rx"] };
  desk.tokens[0].token = `${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
  await page.reload();
  await page.goto(`${site.url}/home`);
  await heading(page, "いま見られるところ：0か所");
  await page.getByText("この端末で確かめられない同意が1件あります").waitFor();
  await close(page);
});

test("the whole wizard and the end of a consent by keyboard alone", async () => {
  const page = await enrolled();
  desk.ask(["inf.allergy", "inf.lab"]);
  await home(page);
  const press = async (role, name, key = "Enter") => {
    const target = page.getByRole(role, { name }).first();
    await target.waitFor();
    for (let i = 0; i < 60 && !(await target.evaluate((el) => el === document.activeElement)); i += 1) await page.keyboard.press("Tab");
    assert.ok(await target.evaluate((el) => el === document.activeElement), `${name} is reached by Tab`);
    await page.keyboard.press(key);
  };
  const onHeading = async (name) => {
    await heading(page, name);
    await page.waitForFunction(() => document.activeElement?.tagName === "H1");
  };
  await press("link", /架空割符診療所/);
  await onHeading(/見たいと言っています/);
  await press("button", "内容を見る");
  await onHeading(/^目的は/);
  await press("button", "この目的なら続ける");
  await onHeading("どの記録を見せますか");
  await press("checkbox", /アレルギー/, "Space");
  await press("button", "つぎへ");
  await onHeading("いつまで見せますか");
  await press("radio", /^24時間/, "Space");
  await press("button", "つぎへ");
  await onHeading("読んで、署名します");
  await press("button", "署名して見せる");
  await onHeading(/^同意を記録しました/);
  await press("link", "控えを見る");
  await onHeading("控え");
  await press("link", "やめる");
  await onHeading(/やめますか$/);
  await press("button", "やめる");
  await onHeading(/止まりました/);
  assert.equal(desk.tokens.length, 2);
  await close(page);
});

for (const [width, height] of [[320, 640], [768, 1024], [1440, 900]]) {
  test(`axe finds nothing in home, wizard, consents at ${width} px, also at 200 % text`, async () => {
    const page = await enrolled({ width, height });
    const found = [];
    const look = async (what) => {
      await page.setViewportSize({ width, height: Math.max(height, await page.evaluate(() => document.documentElement.scrollHeight)) });
      for (const v of await axe(page)) found.push(`${what}: ${v}`);
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
      if (sideways) found.push(`${what}: scrolls sideways`);
      await shot(page, `${width}-${what}`);
    };
    const both = async (what) => {
      await look(what);
      await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
      await look(`${what} 200`);
      await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
    };
    desk.ask(["inf.allergy", "inf.lab", "inf.rx", "vis.history"], { min: ["inf.allergy", "inf.rx"] });
    await home(page);
    await both("home");
    await page.getByRole("link", { name: /架空割符診療所/ }).click();
    await heading(page, /見たいと言っています/);
    await both("who");
    await button(page, "内容を見る").click();
    await heading(page, /^目的は/);
    await both("why");
    await button(page, "この目的なら続ける").click();
    await heading(page, "どの記録を見せますか");
    await button(page, "つぎへ").click();
    await page.getByRole("alert").waitFor();
    await both("what");
    await page.getByLabel("検査").check();
    await button(page, "つぎへ").click();
    await heading(page, "いつまで見せますか");
    await page.getByLabel("日を選ぶ").check();
    await both("until");
    await page.getByLabel(/^1年/).check();
    await button(page, "つぎへ").click();
    await page.locator("article[data-signed]").waitFor();
    await both("sign");
    await button(page, "署名して見せる").click();
    await page.getByRole("heading", { level: 1, name: /^同意を記録しました/ }).waitFor();
    await both("done");
    await page.getByRole("link", { name: "控えを見る" }).click();
    await page.locator("article[data-signed]").waitFor();
    await both("receipt");
    await page.getByRole("link", { name: "やめる" }).click();
    await heading(page, /やめますか$/);
    await both("withdraw");
    await button(page, "やめる").click();
    await page.getByRole("heading", { level: 1, name: /止まりました/ }).waitFor();
    await both("ended");
    await page.getByRole("link", { name: "ホームへ" }).click();
    await page.getByRole("link", { name: "同意", exact: true }).click();
    await heading(page, "同意");
    await both("consents");
    await page.getByRole("link", { name: "見た人", exact: true }).click();
    await heading(page, "わたしの記録を見た人");
    await both("history");
    assert.deepEqual(found, []);
    await close(page);
  });
}
