// Screens of the portal against the real server, and what portal-walk.mjs holds each of them to. With
// WARIFU_SHOTS=docs/screens the pictures there are made anew.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { close, start, stop } from "./harness.mjs";
import { Office } from "./portal-office.mjs";
import { Walk, button, enrolled, give, heading, link, menu, nav, press } from "./portal-walk.mjs";

let office;
before(start);
after(stop);
beforeEach(async () => { office = await Office.start(); });
afterEach(async () => { await office.close(); });

test("a request, its consent, receipt and end", async () => {
  const { page, sub } = await enrolled(office);
  const walk = new Walk(page, "2-consent");
  await office.clinic.ask(["inf.allergy", "inf.condition", "inf.lab", "inf.rx", "prc.surgery"]);
  await page.reload();
  await heading(page, /^いま見られるところ/);
  await page.getByRole("heading", { level: 2, name: "返事を待っているお願い（1）" }).waitFor();
  await page.getByText("別に決めるもの：手術").waitFor();
  await walk.look("home-requests");
  await give(page, ["アレルギー", "処方・調剤"], (name) => walk.look(name));
  await walk.look("done");
  await page.getByRole("link", { name: "手術の記録も見せますか" }).click();
  await heading(page, "手術の記録も見せますか");
  await page.locator("details").first().locator("li").first().waitFor();
  await walk.look("who-surgery");
  await button(page, "見せない").click();
  await heading(page, /^「見せない」と記録しました/);
  await walk.look("refused");
  assert.equal((await office.clinic.disclose(sub)).status, 200);
  await link(page, "ホームへ").click();
  await nav(page, "同意", "同意");
  await walk.look("consents");
  await link(page, "内容を見る").click();
  await heading(page, "控え");
  await page.locator("article[data-signed]").waitFor();
  await walk.look("receipt");
  await link(page, "QRで見せる").click();
  await heading(page, "QRを見せる");
  await walk.look("receipt-qr");
  await menu(page, "受付でQRを見せる");
  await walk.look("show");
  await page.getByRole("link", { name: /^架空割符診療所に見せる\s*アレルギー、処方・調剤/ }).click();
  await heading(page, "QRを見せる");
  await link(page, "もどる").click();
  await heading(page, "控え");
  await link(page, "やめる").click();
  await heading(page, /やめますか$/);
  await page.getByText(/^架空割符診療所には、これまでに1回渡しました（最後は\d{4}年.+）。$/).waitFor();
  await walk.look("withdraw");
  await button(page, "やめる").click();
  await heading(page, /にここで止まりました/);
  await link(page, "写しの返事を見る").waitFor();
  await walk.look("ended");
  await link(page, "控えを見る").click();
  await heading(page, "控え");
  await page.getByText("架空割符診療所に見せるのをやめました").waitFor();
  await walk.look("receipt-end");
  // What was handed out is asked back, and what became of it stands with the receipt and in the history.
  const copies = async (text) => {
    await page.goto(`${office.url}/consents`);
    await link(page, "内容を見る").click();
    await page.getByRole("heading", { level: 2, name: "渡した写し" }).waitFor();
    await page.locator("main .card").filter({ hasText: text }).waitFor();
  };
  await copies("返事待ち（求めは、まだ相手に届いていません）");
  const { body: { notices: [asked] } } = await office.clinic.tell("/api/revoked", {});
  await copies(/返事待ち（求めは、\d{4}年.+に届きました）/);
  await walk.look("receipt-copies");
  assert.equal((await office.clinic.tell("/api/erased", { notice: asked.notice, kept: "chart" })).status, 201);
  await copies(/カルテの一部なので、法律で5年残ります（\d{4}年.+の返事）/);
  assert.equal((await office.clinic.tell("/api/erased", { notice: asked.notice, erased: Math.floor(Date.now() / 1000) })).status, 201);
  await copies(/消しました（\d{4}年.+の返事）/);
  await walk.look("receipt-erased");
  // How much went out is told beside the line, as the hospital's word.
  await nav(page, "見た人", "わたしの記録を見た人");
  await page.getByText("渡した写しを消した、と答えました").waitFor();
  await walk.look("history-copies");
  await page.getByRole("link", { name: /^記録を見ました/ }).click();
  await page.getByText(/^[\d,]+件（病院が数えました。「証明を確認」では確かめられません）$/).waitFor();
  assert.match(await page.locator("main .tags").first().textContent(), /アレルギー \d+件/);
  await walk.look("history-counted");
  walk.end();
  await close(page);
});

/** What of a Bundle a preview counts. */
const APART = new Set(["Patient", "Organization", "Practitioner", "PractitionerRole", "Location", "Specimen", "Medication", "Device", "Provenance"]);
const items = ({ resources }) => resources.filter((r) => !APART.has(r.resourceType));

test("a record, a hospital and a subject are left out: by the preview, the signed text, and what then goes out", async () => {
  const { page, sub } = await enrolled(office);
  const walk = new Walk(page, "2-consent");
  const seen = async () => Number(/（([\d,]+)件）/.exec(await page.getByRole("status").filter({ hasText: "に見えるもの" }).textContent())[1].replace(",", ""));
  const begin = async () => {
    await office.clinic.ask(["inf.allergy", "inf.lab"]);
    await page.reload();
    await page.getByRole("link", { name: /^架空割符診療所/ }).first().click();
    await button(page, "内容を見る").click();
    await button(page, "この目的なら続ける").click();
    await page.locator("details").first().waitFor();
    await page.getByRole("checkbox", { name: /^アレルギー 5件/ }).check();
    await page.getByRole("checkbox", { name: /^検査/ }).check();
  };
  const sign = async () => {
    await button(page, "つぎへ").click();
    await page.getByLabel(/^90日/).check();
    await button(page, "つぎへ").click();
    const text = await page.locator("article[data-signed]").textContent();
    await button(page, "署名して見せる").click();
    await heading(page, /^同意を記録しました（\d+番）$/);
    await link(page, "ホームへ").click();
    await heading(page, /^いま見られるところ/);
    return text;
  };
  // One record, by keyboard alone.
  await begin();
  const all = await seen();
  await press(page, "button", /^これは見せない：ＡＬＴ/);
  await page.getByText("あなたが隠しました").first().waitFor({ state: "attached" });
  assert.equal(await seen(), all - 1);
  // What is ticked and stays hidden says why.
  await page.locator("details").nth(1).getByText(/^(種類がまだわからない記録なので|「.+」でもある（かもしれない）ので)、見せません$/).first().waitFor({ state: "attached" });
  await walk.look("what-hidden");
  assert.match(await sign(), /記録 ?1 ?件/);
  let got = await office.clinic.disclose(sub);
  assert.equal(items(got).length, all - 1);
  assert.ok(!items(got).some((r) => r.resourceType === "Observation" && r.code.text === "ＡＬＴ"));
  // Whole facilities and subjects, in the wizard's own words.
  await begin();
  await page.getByText(/^病院や内容でまとめて隠す/).click();
  await page.getByRole("group", { name: "この病院の記録は見せない" }).getByLabel("架空割符病院").check();
  assert.equal(await seen(), all - 1, "what the first consent shows is shown still");
  await page.getByRole("group", { name: "この内容の記録は見せない" }).getByRole("checkbox").first().check();
  await walk.look("what-hidden-many");
  const text = await sign();
  assert.match(text, /架空割符病院/);
  got = await office.clinic.disclose(sub);
  assert.equal(items(got).length, all - 1);
  walk.end();
  await close(page);
});
