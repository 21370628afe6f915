// What a person decides unasked, against the real server: the objection to secondary use, emergencies, an
// objection to one, a lost key. What the page says is what the server does.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { axe, close, open, start, stop } from "./harness.mjs";
import { HOSPITAL, Office, PATIENT, SURGERY } from "./portal-office.mjs";
import { Walk, nav, onHeading, press } from "./portal-walk.mjs";

let office;
before(start);
after(stop);
beforeEach(async () => { office = await Office.start(); });
afterEach(async () => { await office.close(); });

const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
const button = (page, name) => page.getByRole("button", { name, exact: true });
const link = (page, name) => page.getByRole("link", { name, exact: true });
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
/** `txt.h` of a text (consent.md §5). */
const hashed = (salt, text) => createHash("sha256").update(Buffer.from(salt, "base64url")).update(text).digest("base64url");
const mine = (page) => page.evaluate(async () => (await (await fetch("/api/consent/mine")).json()));

async function enrolled(options = {}) {
  const page = await open({ address: office.url, hash: "/key", wait: false, ...options });
  await register(page);
  const sub = await page.evaluate(async () => (await (await fetch("/api/session")).json()).sub);
  return { page, sub };
}

async function register(page) {
  await button(page, "鍵を作る").click();
  await link(page, "つぎへ").click();
  await page.getByLabel("番号").fill(office.code());
  await page.getByLabel("生年月日").fill("19680303");
  await button(page, "登録する").click();
  await heading(page, "登録できました");
  await link(page, "ホームへ").click();
  await heading(page, /^いま見られるところ/);
}

async function menu(page, name, title = name) {
  await page.getByRole("navigation").getByRole("link", { name: "メニュー", exact: true }).click();
  await page.locator("main").getByRole("link", { name, exact: true }).click();
  await heading(page, title);
}

/** Nothing but what is on the list of axe-core may be wrong, and nothing scrolls sideways. */
async function sound(page) {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const { width } = page.viewportSize();
  await page.setViewportSize({ width, height: Math.max(900, height) });
  assert.deepEqual(await axe(page), []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), "nothing scrolls sideways");
}

test("the objection to secondary use is signed as shown, told with its time, and taken back by the other button", async () => {
  const { page } = await enrolled({ width: 360 });
  const walk = new Walk(page, "4-wishes");
  // What the holder of the records told of, and from when anything is used.
  const hospital = office.institution(HOSPITAL);
  const told = JSON.stringify({ patient: PATIENT, what: "opt-out", hash: `${"h".repeat(42)}g` });
  const answer = await hospital.send("/api/notices", told, hospital.access("/api/notices", told));
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  await menu(page, "名前を消した、研究などへの利用");
  await page.getByText("いまは、断っていません。").waitFor();
  await page.getByText(/^架空割符病院が\d{4}年.+にお知らせしました。早くても\d{4}年.+までは使われません。$/).waitFor();
  await walk.look("secondary");
  await button(page, "使わないでほしい").click();
  await heading(page, "読んで、署名します");
  await page.locator("article[data-signed]").waitFor();
  await walk.look("secondary-sign");
  const shown = await page.locator("article[data-signed]").textContent();
  assert.match(shown, /匿名加工[\s\S]*仮名加工[\s\S]*すべての相手/);
  await button(page, "署名する").click();
  await heading(page, /^受け付けました。\d{4}年.*より後の利用から外れます$/);
  await walk.look("secondary-done");
  const [on] = (await mine(page)).tokens.map((t) => claimsOf(t.token));
  assert.deepEqual([on.state, on.pur, on.to, on.src, on.seq], ["on", ["ANON", "PSEUDO"], ["*"], ["*"], 0]);
  assert.equal(on.txt.h, hashed(on.jti, shown), "text shown = text signed");
  // Its receipt: the text that was signed, as a file, on paper, as a symbol, from here and from 同意.
  await link(page, "控えを見る").click();
  await heading(page, "控え");
  await page.getByText("「匿名加工、仮名加工」に使わないでほしい、と申し出ました").waitFor();
  assert.equal(await page.locator("article[data-signed]").textContent(), shown);
  await button(page, "印刷・PDF").waitFor();
  await walk.look("receipt-secondary");
  const file = page.waitForEvent("download");
  await button(page, "ファイル（JSON）").click();
  const saved = JSON.parse(readFileSync(await (await file).path(), "utf8"));
  assert.equal(claimsOf(saved.token).jti, on.jti);
  const [kept] = (await mine(page)).tokens;
  assert.deepEqual([saved.token, saved.receipt], [kept.token, kept.receipt]);
  await link(page, "QRで見せる").click();
  await heading(page, "QRを見せる");
  assert.equal(await page.locator("figure.qr svg").count(), 2);
  await link(page, "もどる").click();
  await heading(page, "控え");
  await nav(page, "同意", "同意");
  await page.getByRole("heading", { level: 2, name: "ほかに署名したもの" }).waitFor();
  await walk.look("consents-else");
  await press(page, "link", /^「匿名加工、仮名加工」に使わないでほしい/);
  await onHeading(page, "控え");

  await menu(page, "名前を消した、研究などへの利用");
  await page.getByText("いまは、断っています（匿名加工、仮名加工）。").waitFor();
  await button(page, "使ってよい").click();
  await page.locator("article[data-signed]").waitFor();
  assert.match(await page.locator("article[data-signed]").textContent(), /拒否の取りやめ/);
  await button(page, "署名する").click();
  await heading(page, /使ってよいことになりました$/);
  const tokens = (await mine(page)).tokens.map((t) => claimsOf(t.token));
  assert.deepEqual(tokens.map((t) => [t.state, t.seq]), [["on", 0], ["off", 1]]);
  await menu(page, "名前を消した、研究などへの利用");
  await page.getByText("いまは、断っていません。").waitFor();
  // Nothing is signed by leaving.
  await button(page, "使わないでほしい").click();
  await page.locator("article[data-signed]").waitFor();
  await link(page, "署名しない").click();
  await heading(page, "名前を消した、研究などへの利用");
  assert.equal((await mine(page)).tokens.length, 2);
  walk.end();
  await close(page);
});

test("a prohibition that is ended at the desk is told on the first page", async () => {
  const { page } = await enrolled();
  const walk = new Walk(page, "4-wishes");
  await menu(page, "救急のときのこと", "救急のとき、どうしますか（いま：きまりのまま）");
  await button(page, "救急でも見せない（注意を読みます）").click();
  await button(page, "署名する").click();
  await heading(page, /救急でも見られません$/);
  const whom = ["--identified", "counter", "--data", office.data, "--patient", "-"];
  const [hash] = office.run("desk", "list", ...whom).split(/\s/);
  office.run("desk", "withdraw", hash, "--agree", ...whom);
  await page.reload();
  await link(page, "ホームへ").first().click();
  await page.getByRole("link", { name: /窓口で「見せない」をやめる手続きがありました。/ }).waitFor();
  await walk.look("home-undenied");
  await close(page);
});

test("not even in an emergency: the warning is read, the server then refuses, and it is ended by the same way", async () => {
  const { page, sub } = await enrolled();
  const walk = new Walk(page, "4-wishes");
  assert.ok((await office.clinic.emergency(sub)).body.bundle.includes(SURGERY));
  await menu(page, "救急のときのこと", "救急のとき、どうしますか（いま：きまりのまま）");
  await walk.look("emergency");
  await button(page, "救急でも見せない（注意を読みます）").click();
  await page.locator("article[data-signed]").getByText("命にかかわるときでも、下の情報は使われません。").waitFor();
  await walk.look("emergency-refuse");
  const text = await page.locator("article[data-signed]").textContent();
  await button(page, "署名する").click();
  await heading(page, /救急でも見られません$/);
  const deny = claimsOf((await mine(page)).tokens.at(-1).token);
  assert.deepEqual([deny.emg, deny.pur, deny.aud, deny.cat], [true, ["DISASTER", "ETREAT"], ["*"], ["*"]]);
  assert.equal(deny.txt.h, hashed(deny.jti, text), "text shown = text signed");
  await link(page, "控えを見る").click();
  await heading(page, "控え");
  await page.getByText("救急でも見せない、と申し出ました").waitFor();
  assert.equal(await page.locator("article[data-signed]").textContent(), text);
  const refused = await office.clinic.emergency(sub);
  assert.equal(JSON.parse(refused.body.bundle).entry, undefined, "nothing goes out");
  await menu(page, "救急のときのこと", "救急のとき、どうしますか（いま：救急でも見せない）");
  await page.getByText("いまは、命にかかわるときでも、見られません。あなたがそう署名しました。").waitFor();
  await walk.look("emergency-never");
  // Each language says what was signed, and the rules only as what would be.
  for (const [lang, now, rules] of [["English", "not even when your life is at risk. You signed this.", "If it stays by the rules:"], ["やさしい", "いのちがあぶないときも見ません。", "きまりのままなら、いのちがあぶないときだけ見ます。"]]) {
    await page.getByRole("button", { name: lang, exact: true }).click();
    await page.waitForFunction((words) => {
      const copy = document.querySelector("main").cloneNode(true);
      for (const rt of copy.querySelectorAll("rt, rp")) rt.remove();
      const text = copy.textContent.replaceAll(" ", "");
      return words.every((w) => text.includes(w.replaceAll(" ", "")));
    }, [now, rules]);
  }
  await page.getByRole("button", { name: "日本語", exact: true }).click();
  await button(page, "「救急でも見せない」をやめる").click();
  await page.locator("article[data-signed]").waitFor();
  await button(page, "署名する").click();
  await heading(page, /これからは、きまりのままです$/);
  await link(page, "控えを見る").click();
  await heading(page, "控え");
  await page.getByText("「救急でも見せない」をやめました").waitFor();
  assert.ok((await office.clinic.emergency(sub)).body.bundle.includes(SURGERY));
  // What was asked in vain is told as such.
  await page.reload();
  await page.getByRole("navigation").getByRole("link", { name: "見た人", exact: true }).click();
  await heading(page, "わたしの記録を見た人");
  await page.getByText("救急だと伝えて見ようとしましたが、見せませんでした").waitFor();
  walk.end();
  await close(page);
});

test("an emergency has a screen of its own; objecting is one press and stays in the log", async () => {
  const { page, sub } = await enrolled({ width: 360 });
  const opened = await office.clinic.emergency(sub);
  assert.ok(opened.body.bundle.includes(SURGERY));
  await page.reload();
  await page.getByRole("link", { name: /^救急で見られました：/ }).click();
  await heading(page, "救急で、あなたの記録が見られました");
  await page.getByText("架空割符診療所").waitFor();
  assert.match(await page.locator("main dl").textContent(), /医師.*意識障害.*被保険者番号/);
  await page.getByRole("heading", { level: 2, name: "見られた記録" }).waitFor();
  assert.ok((await page.locator("main .tags").textContent()).includes("手術"));
  await sound(page);
  await button(page, "納得できない").click();
  await page.getByRole("status").filter({ hasText: "納得できないと記録しました。" }).waitFor();
  assert.equal(await button(page, "納得できない").count(), 0);
  await sound(page);
  await page.reload();
  await page.getByRole("status").filter({ hasText: "納得できないと記録しました。" }).waitFor();
  await close(page);
});

test("a lost key is stopped from the new device, and the consents of the last 30 days are shown", async () => {
  const { page: old, sub } = await enrolled();
  await office.clinic.ask(["inf.lab"]);
  await old.reload();
  await old.getByRole("link", { name: /^架空割符診療所/ }).first().click();
  await button(old, "内容を見る").click();
  await button(old, "この目的なら続ける").click();
  await old.getByRole("checkbox", { name: /^検査/ }).check();
  await button(old, "つぎへ").click();
  await old.getByLabel(/^90日/).check();
  await button(old, "つぎへ").click();
  await button(old, "署名して見せる").click();
  await heading(old, /^同意を記録しました/);

  const { page } = await enrolled({ width: 360 });
  const walk = new Walk(page, "7-devices");
  await menu(page, "新しい端末・鍵をなくしたとき");
  await sound(page);
  await page.getByLabel("新しい端末で使いたい").check();
  await page.locator("main ol li").nth(2).waitFor();
  await sound(page);
  await page.getByLabel("鍵のある端末をなくした").check();
  await page.getByText("止めた鍵は、見つかっても使えません。").waitFor();
  await walk.look("devices-lost");
  await page.getByLabel("盗まれたかもしれない").check();
  const other = page.locator(".card").filter({ hasText: "ほかの端末の鍵" });
  assert.equal(await button(page, "この鍵を止める").count(), 1, "the key in use is not offered");
  await other.getByRole("button", { name: "この鍵を止める" }).click();
  await page.getByRole("status").filter({ hasText: /に鍵を止めました。最近30日の同意を見直しましょう。$/ }).waitFor();
  await page.getByRole("heading", { level: 2, name: "最近30日に署名した同意" }).waitFor();
  await page.locator(".card").filter({ hasText: "架空割符診療所" }).getByRole("link", { name: "やめる" }).waitFor();
  await other.getByText(/に止めました$/).waitFor();
  await walk.look("devices-stopped");
  // The consent goes on, as the screen says; the old key is good for nothing any more.
  assert.equal((await office.clinic.disclose(sub)).status, 200);
  // It was in other hands since this morning: what it signed since then counts no longer.
  await page.getByLabel(/^いつから見あたりませんか/).fill("20991231");
  await other.getByRole("button", { name: "この日から止めたことにする" }).click();
  await page.getByRole("link", { name: "今日までの日を、20261120 のように入れると止められます" }).waitFor();
  await walk.look("devices-since-left");
  await page.getByLabel(/^いつから見あたりませんか/).fill(new Date(Date.now() + 9 * 3600e3).toISOString().slice(0, 10));
  await other.getByRole("button", { name: "この日から止めたことにする" }).click();
  await page.getByRole("status").filter({ hasText: /^.?鍵を止めました。.+00:00より後に、その鍵で署名されたものは、もう使えません。/ }).waitFor();
  await walk.look("devices-since");
  const then = await office.clinic.disclose(sub);
  assert.deepEqual([then.status, then.code], [403, "REVOKED"]);
  await old.goto(`${office.url}/home`);
  await old.getByRole("heading", { level: 1 }).waitFor();
  await old.getByText("この鍵は、まだ登録されていないか、止められています。").waitFor();
  await link(old, "新しい端末・鍵をなくしたとき").waitFor();
  walk.end();
  await close(old, [/40[0-9]/]);
  await close(page);
});

test("objecting, emergencies, a lost key and an objection to an emergency by keyboard alone", async () => {
  const { page, sub } = await enrolled();
  await office.clinic.emergency(sub);
  const go = async (name, title = name) => {
    await press(page, "link", "メニュー");
    await onHeading(page, "メニュー");
    await press(page, "link", name);
    await onHeading(page, title);
  };
  await go("名前を消した、研究などへの利用");
  await press(page, "button", "使わないでほしい");
  await onHeading(page, "読んで、署名します");
  await press(page, "button", "署名する");
  await onHeading(page, /利用から外れます$/);
  await go("救急のときのこと", /きまりのまま/);
  await press(page, "button", "前もって見せておく");
  await onHeading(page, "救急のとき、どの記録を見せておきますか");
  await press(page, "checkbox", /アレルギー/, "Space");
  await press(page, "button", "つぎへ");
  await onHeading(page, "いつまで見せますか");
  await press(page, "radio", /^24時間/, "Space");
  await press(page, "button", "つぎへ");
  await onHeading(page, "読んで、署名します");
  await press(page, "link", "もどる");
  await onHeading(page, "いつまで見せますか");
  await press(page, "link", "やめる（何も送りません）");
  await onHeading(page, /^いま見られるところ/);
  await go("救急のときのこと", /きまりのまま/);
  await press(page, "button", "救急でも見せない（注意を読みます）");
  await onHeading(page, "読んで、署名します");
  await press(page, "button", "署名する");
  await onHeading(page, /救急でも見られません$/);
  await press(page, "link", "見た人");
  await onHeading(page, "わたしの記録を見た人");
  await press(page, "link", /^救急で、あなたの記録が見られました/);
  await onHeading(page, "救急で、あなたの記録が見られました");
  await press(page, "button", "納得できない");
  await page.waitForFunction(() => document.activeElement?.getAttribute("role") === "status");
  await go("新しい端末・鍵をなくしたとき");
  await press(page, "radio", "新しい端末で使いたい", "Space");
  await page.locator("main ol li").first().waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.ok(await page.getByLabel("盗まれたかもしれない").isChecked());
  await page.getByText("いま使っている鍵です。").waitFor();
  await close(page);
});
