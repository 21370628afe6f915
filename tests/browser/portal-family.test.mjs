// Acting for a child, a consent that has run out, and what is there without a network.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import { becomes, close, open, start, stop } from "./harness.mjs";
import { CODE, Desk, claimsOf } from "./portal-desk.mjs";
import { servePortal } from "./portal-server.mjs";
import { Walk, button, heading, link, onHeading, press } from "./portal-walk.mjs";

let site;
let desk;
before(async () => {
  await start();
  site = await servePortal((...all) => desk.api(...all));
});
after(async () => { await site.close(); await stop(); desk?.close(); });
beforeEach(() => {
  desk?.close();
  desk = new Desk();
  desk.origin = site.url;
  site.clock.ahead = 0;
});

async function enrolled(options = {}) {
  const page = await open({ address: site.url, hash: "/key", wait: false, width: 360, height: 740, ...options });
  await button(page, "鍵を作る").click();
  await link(page, "つぎへ").click();
  await page.getByLabel("番号").fill(CODE);
  await page.getByLabel("生年月日").fill("19680303");
  await button(page, "登録する").click();
  await heading(page, "登録できました");
  return page;
}

async function grant(page, cat, until) {
  await page.getByRole("link", { name: /^架空割符診療所/ }).first().click();
  await button(page, "内容を見る").click();
  await button(page, "この目的なら続ける").click();
  await page.getByLabel(cat).check();
  await button(page, "つぎへ").click();
  await page.getByLabel(until).check();
  await button(page, "つぎへ").click();
  await page.locator("article[data-signed]").waitFor();
  const text = await page.locator("article[data-signed]").textContent();
  await button(page, "署名して見せる").click();
  await page.getByRole("heading", { level: 1, name: /^同意を記録しました/ }).waitFor();
  return text;
}

test("a guardian decides for a child: every screen says so, and the desk takes what is signed", async () => {
  const page = await enrolled();
  const walk = new Walk(page, "5-family");
  const child = desk.child();
  desk.ask(["imm", "inf.lab"], { sub: child });
  desk.ask(["inf.rx"]);
  await page.reload();
  await page.goto(`${site.url}/family`);
  await heading(page, "家族の分");
  await page.getByRole("heading", { level: 2, name: "お子さん" }).waitFor();
  await walk.look("family");
  await button(page, "この方の分に切りかえる").click();
  await heading(page, "いま見られるところ：0か所");
  const band = page.getByText("代理：お子さんの分");
  await band.waitFor();
  await page.getByRole("heading", { level: 2, name: "返事を待っているお願い（1）" }).waitFor();
  await walk.look("family-home");
  const text = await grant(page, "予防接種", /^90日/);
  assert.match(text, /署名する人\n.*(親権者|保護者|後見|代理)/);
  await band.waitFor();
  const given = claimsOf(desk.tokens[0].token);
  assert.equal(given.sub, child);
  assert.deepEqual([given.act.rel, given.act.bnd], ["guardian", claimsOf(desk.bindings[1]).jti]);
  await link(page, "ホームへ").click();
  await heading(page, "いま見られるところ：1か所");
  // Their consent is theirs: one's own screens show one's own.
  await link(page, "切りかえる").click();
  await button(page, "自分の分にもどる").click();
  await heading(page, "いま見られるところ：0か所");
  assert.equal(await band.count(), 0);
  await page.getByText("処方").or(page.getByRole("link", { name: /^架空割符診療所/ })).first().waitFor();
  // By keyboard alone back to the child, and the consent is ended.
  await press(page, "link", "メニュー");
  await onHeading(page, "メニュー");
  await press(page, "link", "家族の分");
  await onHeading(page, "家族の分");
  await press(page, "button", "この方の分に切りかえる");
  await onHeading(page, "いま見られるところ：1か所");
  await press(page, "link", "やめる");
  await onHeading(page, /やめますか$/);
  await press(page, "button", "やめる");
  await onHeading(page, /にここで止まりました/);
  const end = claimsOf(desk.tokens.at(-1).token);
  assert.deepEqual([end.sub, end.rev, end.act.rel], [child, given.jti, "guardian"]);
  walk.end();
  await close(page, [/ERR_FAILED/]);
});

test("who was asked to act is listed, and the mandate is ended by one press and a signature", async () => {
  const page = await enrolled();
  const walk = new Walk(page, "5-family");
  const jti = desk.delegate();
  await page.reload();
  // It is no key of the person: it is neither counted nor stopped as one.
  await page.goto(`${site.url}/devices`);
  await heading(page, "新しい端末・鍵をなくしたとき");
  await page.locator(".card").first().waitFor();
  assert.equal(await page.locator(".card").count(), 1);
  await link(page, "メニュー").click();
  await link(page, "家族の分").click();
  await heading(page, "家族の分");
  await page.getByRole("heading", { level: 3, name: "あなたが任せた方" }).waitFor();
  await walk.look("family-mandate");
  await press(page, "button", "任せるのをやめる");
  const told = page.getByRole("status").filter({ hasText: "に、任せるのをやめました。" });
  await told.waitFor();
  await becomes(page, () => told.evaluate((el) => el === document.activeElement), true);
  assert.equal(await page.getByRole("heading", { level: 3, name: "あなたが任せた方" }).count(), 0);
  await walk.look("family-mandate-ended");
  // The desk took it: the key is bound no longer.
  const end = claimsOf(desk.tokens.at(-1).token);
  assert.deepEqual([end.sub, end.rev, end.rsn], [desk.sub, jti, "withdrawn"]);
  assert.equal(desk.keys.length, 1);
  walk.end();
  await close(page);
});

test("a consent that has run out is shown as ended, opens nothing and has no QR", async () => {
  const page = await enrolled();
  desk.ask(["inf.lab"]);
  await link(page, "ホームへ").click();
  await grant(page, "検査", /^24時間/);
  await link(page, "控えを見る").click();
  await heading(page, "控え");
  await link(page, "QRで見せる").waitFor();
  site.clock.ahead = 25 * 3600;
  desk.ahead = 25 * 3600;
  await page.goto(`${site.url}/home`);
  await heading(page, "いま見られるところ：0か所");
  await page.getByText("いま、記録を見られるところはありません。").waitFor();
  await link(page, "同意").click();
  await heading(page, "同意");
  const card = page.locator(".card");
  assert.match(await card.textContent(), /に終わりました/);
  assert.equal(await card.getByRole("link", { name: "やめる" }).count(), 0);
  await new Walk(page, "5-family").look("consent-over");
  await card.getByRole("link", { name: "内容を見る" }).click();
  await heading(page, "控え");
  assert.equal(await link(page, "QRで見せる").count(), 0);
  await page.goto(`${page.url()}/qr`);
  await page.getByText("この同意は終わったので、QRは出せません。").waitFor();
  await close(page);
});

test("without a network the own consents, receipts and QR are there, as of a time that is told", async () => {
  const page = await enrolled();
  const walk = new Walk(page, "6-offline");
  desk.convert();
  desk.ask(["inf.lab"]);
  await link(page, "ホームへ").click();
  await grant(page, "検査", /^90日/);
  await link(page, "ホームへ").click();
  await heading(page, "いま見られるところ：1か所");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  // What is kept cannot be read without the key that cannot be read out.
  const kept = () => page.evaluate(() => new Promise((resolve, reject) => {
    const request = indexedDB.open("warifu");
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const store = request.result.transaction("shelf").objectStore("shelf");
      const [last, records, key] = ["last", "records", "key"].map((name) => store.get(name));
      key.onsuccess = () => {
        const text = last.result ? new TextDecoder("latin1").decode(last.result.sealed) : "";
        request.result.close();
        resolve({ there: Boolean(last.result), records: records.result?.sealed.byteLength ?? 0,  clear: /consent-grant|s1\.|eyJ/.test(text), extractable: key.result?.extractable });
      };
    };
  }));
  await page.waitForFunction(() => indexedDB.databases().then((all) => all.some((d) => d.name === "warifu")));
  assert.deepEqual(await kept(), { there: true, records: 0, clear: false, extractable: false });
  await page.context().setOffline(true);
  await page.goto(`${site.url}/consents`);
  await heading(page, "同意");
  const notice = page.getByText(/^インターネットにつながっていません。.*の内容です。$/);
  await notice.waitFor();
  assert.equal(await notice.locator("time").count(), 1);
  const card = page.locator(".card");
  await card.getByText("検査").waitFor();
  await page.getByText(/^やめるときは、インターネットにつなぐか、受付に知らせてください：架空割符病院/).waitFor();
  assert.equal(await card.getByRole("link", { name: "やめる" }).count(), 0, "nothing is offered that cannot be done");
  await walk.look("offline-consents");
  await card.getByRole("link", { name: "内容を見る" }).click();
  await heading(page, "控え");
  await page.locator("article[data-signed]").waitFor();
  await page.getByText(/^やめるときは、インターネットにつなぐか、受付に知らせてください：架空割符病院/).waitFor();
  await walk.look("offline-receipt");
  await link(page, "QRで見せる").click();
  await page.locator("svg[role=img]").nth(1).waitFor();
  await link(page, "ホーム").click();
  await heading(page, "いま見られるところ：1か所");
  await link(page, "見た人").click();
  await heading(page, "わたしの記録を見た人");
  await page.getByText("まだだれも見ていません。").waitFor();
  await page.goto(`${site.url}/secondary`);
  await heading(page, "インターネットにつながると、この画面を見られます");
  await walk.look("offline-needs");
  // Records are there only where the person wants it.
  await link(page, "記録").click();
  await page.getByText("記録は、この端末に残していません。").waitFor();
  await page.context().setOffline(false);
  await page.goto(`${site.url}/settings`);
  await page.getByLabel("残す", { exact: true }).check();
  await link(page, "記録").click();
  await page.getByRole("link", { name: /^検査/ }).waitFor();
  // Kept a moment later.
  for (let i = 0; i < 300 && (await kept()).records === 0; i += 1) await page.evaluate(() => new Promise((r) => { requestAnimationFrame(r); }));
  await page.context().setOffline(true);
  await page.goto(`${site.url}/records`);
  await page.getByRole("link", { name: /^検査/ }).waitFor();
  await page.goto(`${site.url}/settings`);
  await page.getByLabel("残す", { exact: true }).uncheck();
  for (let i = 0; i < 300 && (await kept()).records > 0; i += 1) await page.evaluate(() => new Promise((r) => { requestAnimationFrame(r); }));
  await page.goto(`${site.url}/records`);
  await page.getByText("記録は、この端末に残していません。").waitFor();
  // Back online the session is opened by itself, and what was kept leaves the screen.
  await page.context().setOffline(false);
  await page.waitForFunction(() => !document.body.textContent.includes("つながっていません"));
  await link(page, "同意").click();
  await page.locator(".card").getByRole("link", { name: "やめる" }).waitFor();
  // Erasing takes it all.
  await page.goto(`${site.url}/bye`);
  await button(page, "全部消す").click();
  await heading(page, "本当に、この端末から全部消しますか");
  await button(page, "はい、全部消す").click();
  await heading(page, "この端末から全部消しました");
  assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).map((d) => d.name)), []);
  walk.end();
  await close(page, [/ERR_INTERNET_DISCONNECTED|Failed to fetch/]);
});

test("a consent for a day is made without a network, shown as QR, and sent once there is one", async () => {
  const page = await enrolled();
  const walk = new Walk(page, "6-offline");
  await link(page, "ホームへ").click();
  await heading(page, "いま見られるところ：0か所");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await page.waitForFunction(() => new Promise((resolve) => {
    const request = indexedDB.open("warifu");
    request.onsuccess = () => {
      const last = request.result.transaction("shelf").objectStore("shelf").get("last");
      last.onsuccess = () => { request.result.close(); resolve(Boolean(last.result)); };
    };
  }));
  await link(page, "メニュー").click();
  await link(page, "受付でQRを見せる").click();
  await heading(page, "受付でQRを見せる");
  await page.getByLabel("架空割符診療所").check();
  await walk.look("show-offer");
  await page.context().setOffline(true);
  await page.goto(`${site.url}/show`);
  await heading(page, "受付でQRを見せる");
  await page.getByText("いま見せられる同意はありません。").waitFor();
  // Whom it is for is asked, nothing is chosen beforehand.
  assert.equal(await page.locator("main :checked").count(), 0);
  await button(page, "見せる記録をえらぶ").click();
  await page.getByRole("link", { name: "見せる相手を一つえらぶと進めます" }).waitFor();
  await walk.look("offer-left");
  const sign = async () => {
    await page.locator("article[data-signed]").waitFor();
    const text = await page.locator("article[data-signed]").textContent();
    await button(page, "署名してQRを作る").click();
    await heading(page, "QRを見せる");
    await page.locator("svg[role=img]").nth(1).waitFor();
    return text;
  };
  await page.getByLabel("架空割符診療所").check();
  await press(page, "button", "見せる記録をえらぶ");
  await onHeading(page, "どの記録を見せますか");
  await page.getByText(/^いまはつながっていないので、一件ずつの記録は、ここに出せません。/).waitFor();
  assert.equal(await page.locator("main :checked").count(), 0);
  assert.equal(await page.getByRole("checkbox", { name: "手術" }).count(), 0, "surgery is decided apart");
  await page.getByRole("checkbox", { name: "アレルギー" }).check();
  await page.getByRole("checkbox", { name: "検査", exact: true }).check();
  await walk.look("offer-what");
  await button(page, "つぎへ").click();
  const text = await sign();
  await walk.look("offer-qr");
  // Surgery has a button and a signature of its own; both are told apart, after the page was loaded again too.
  await page.goto(`${site.url}/show`);
  await page.getByLabel("架空割符診療所").check();
  await button(page, "手術の記録を見せる（別に決めます）").click();
  await heading(page, "手術の記録も見せますか");
  await button(page, "見せる").click();
  await sign();
  await page.goto(`${site.url}/show`);
  await page.getByRole("link", { name: /^架空割符診療所に見せる\s*手術/ }).waitFor();
  await page.getByRole("link", { name: /^架空割符診療所に見せる\s*アレルギー、検査/ }).click();
  await heading(page, "QRを見せる");
  await link(page, "もどる").click();
  await heading(page, "控え");
  await page.getByText("まだ病院に届けていません。").waitFor();
  await walk.look("offer-receipt");
  const [file] = await Promise.all([page.waitForEvent("download"), button(page, "ファイル（JSON）").click()]);
  const saved = JSON.parse(readFileSync(await file.path(), "utf8"));
  const claims = claimsOf(saved.token);
  assert.deepEqual([claims.aud, claims.pur, claims.cat, claims.exp - claims.nbf, claims.nonce, claims.status],
    [["mi:1312345678"], ["TREAT"], ["inf.allergy", "inf.lab"], 86_400, undefined, undefined]);
  const { salt } = JSON.parse(Buffer.from(saved.annex, "base64url"));
  assert.equal(claims.txt.h, createHash("sha256").update(Buffer.from(salt, "base64url")).update(text).digest("base64url"), "text shown = text signed");
  // Whoever reads the symbols judges it without a network.
  const verdict = JSON.parse(desk.run("verify", desk.file("offer.jwt", saved.token), "--offline", "--json"));
  assert.equal(verdict.ok, true, JSON.stringify(verdict));
  assert.equal(desk.tokens.length, 0);
  await page.context().setOffline(false);
  await becomes(page, () => desk.tokens.map((t) => claimsOf(t.token).cat.join()), ["inf.allergy,inf.lab", "prc.surgery"]);
  await page.getByText("まだ病院に届けていません。").waitFor({ state: "detached" });
  await link(page, "ホーム").click();
  await heading(page, "いま見られるところ：1か所");
  // Nothing is left to be sent at the next start.
  await page.reload();
  await page.locator(".card").nth(1).waitFor();
  assert.equal(desk.tokens.length, 2);
  walk.end();
  await close(page, [/ERR_INTERNET_DISCONNECTED|Failed to fetch/]);
});

test("consent in advance is read twice, ten minutes apart; surgery has a signature of its own", async () => {
  const page = await enrolled();
  const walk = new Walk(page, "4-wishes");
  await link(page, "ホームへ").click();
  await heading(page, /^いま見られるところ/);
  const menu = async (title) => {
    await page.getByRole("navigation").getByRole("link", { name: "メニュー", exact: true }).click();
    await link(page, "救急のときのこと").click();
    await heading(page, title);
  };
  await menu("救急のとき、どうしますか（いま：きまりのまま）");
  await button(page, "前もって見せておく").click();
  await heading(page, "救急のとき、どの記録を見せておきますか");
  assert.equal(await page.locator("main :checked").count(), 0);
  await button(page, "つぎへ").click();
  await page.getByRole("link", { name: "見せる記録を、一つ以上えらぶと進めます" }).waitFor();
  await page.getByLabel("アレルギー").check();
  await page.getByLabel("処方・調剤").check();
  await button(page, "つぎへ").click();
  await heading(page, "いつまで見せますか");
  await page.getByLabel(/^90日/).check();
  await button(page, "つぎへ").click();
  await page.locator("article[data-signed]").waitFor();
  // It is read a first time: there is no button to sign yet, but the time from which there is one.
  await page.getByText(/に、もう一度読んで署名できます。$/).waitFor();
  assert.equal(await button(page, "署名する").count() + await button(page, "もう一度読む").count(), 0);
  await link(page, "やめる（何も送りません）").click();
  await heading(page, /^いま見られるところ/);
  // Eleven minutes later.
  site.clock.ahead = 660;
  desk.ahead = 660;
  await menu(/きまりのまま/);
  await page.getByRole("link", { name: /^読みかけの同意があります/ }).click();
  await button(page, "もう一度読む").click();
  await button(page, "署名する").waitFor();
  const text = await page.locator("article[data-signed]").textContent();
  assert.match(text, /すべての医療機関（救急・災害のときだけ）/);
  await walk.look("emergency-sign");
  await button(page, "署名する").click();
  await heading(page, /救急と災害のときに見られます$/);
  const given = claimsOf(desk.tokens[0].token);
  assert.deepEqual([given.aud, given.pur, given.cat], [["mi:*"], ["DISASTER", "ETREAT"], ["inf.allergy", "inf.rx"]]);
  await button(page, "手術も前もって見せておく").waitFor();
  await walk.look("emergency-done");
  await button(page, "手術も前もって見せておく").click();
  await heading(page, "いつまで見せますか");
  await page.getByLabel(/^90日/).check();
  await button(page, "つぎへ").click();
  await page.locator("article[data-signed]").waitFor();
  assert.match(await page.locator("article[data-signed]").textContent(), /一つだけを取り出して/);
  await link(page, "やめる（何も送りません）").click();
  await menu("救急のとき、どうしますか（いま：前もって見せておく）");
  await walk.look("emergency-advance");
  const card = page.locator(".card");
  assert.match(await card.textContent(), /すべての医療機関（救急・災害のときだけ）.*アレルギー.*処方/);
  await card.getByRole("link", { name: "やめる" }).click();
  await page.getByText(/通信できない救急・災害の現場では/).waitFor();
  await button(page, "やめる").click();
  await heading(page, /にここで止まりました/);
  await menu(/きまりのまま/);
  walk.end();
  await close(page);
});
