// Screens of own records, of who looked and of an emergency, with what was forged on its way and without a
// network, against the real server; and what portal-walk.mjs holds each of them to. With
// WARIFU_SHOTS=docs/screens the pictures there are made anew.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { becomes, close, open, start, stop } from "./harness.mjs";
import { Device, Office, PATIENT, SURGERY } from "./portal-office.mjs";
import { Walk, button, enrolled, heading, link, menu, nav } from "./portal-walk.mjs";

/** A report of the laboratory in the patient's folder. */
const LAB = "000/099/0000990001/20260412/OML-11/0000990001_20260412_OML-11_000000260412011_20260415164500204_08_1";

let office;
before(start);
after(stop);
beforeEach(async () => { office = await Office.start(); });
afterEach(async () => { await office.close(); });

test("records, who looked, an emergency, a forged line", async () => {
  const { page, sub } = await enrolled(office);
  const walk = new Walk(page, "3-records");
  await nav(page, "記録", "わたしの記録");
  await page.getByRole("link", { name: /^手術/ }).waitFor();
  await walk.look("records");
  await page.getByRole("link", { name: /^手術/ }).click();
  await page.getByRole("link", { name: SURGERY }).waitFor();
  // An X-ray of no national code stands there too, and why.
  await page.getByText("手術かどうか、病院の番号からはわからないもの").waitFor();
  await walk.look("records-surgery");
  await link(page, "記録の一覧へ").click();
  await page.getByRole("link", { name: /^検査/ }).click();
  await heading(page, "検査");
  await walk.look("records-results");
  await page.getByRole("link", { name: /^ＡＬＴ/ }).first().click();
  await heading(page, "ＡＬＴ");
  assert.match(await page.locator("main .card").textContent(), /結果19 U\/L.*架空割符病院/);
  await walk.look("record-result");
  await page.goBack();
  await page.getByRole("link", { name: /^尿検査\s*検査の報告/ }).first().click();
  await page.getByRole("heading", { level: 2, name: "この報告に入っている記録" }).waitFor();
  await walk.look("record-report");
  await page.goBack();
  await heading(page, "検査");
  await link(page, "記録の一覧へ").click();
  await page.getByRole("link", { name: /^処方・調剤/ }).click();
  await page.getByRole("link", { name: /7日分/ }).first().click();
  await page.getByText("使い方").waitFor();
  await walk.look("record-drug");
  await nav(page, "記録", "わたしの記録");
  await button(page, "時間で見る").click();
  await walk.look("records-by-date");
  await nav(page, "見た人", "わたしの記録を見た人");
  await page.getByText("まだだれも見ていません。").waitFor();
  await walk.look("history-empty");
  // Refused, granted, refused to another, and opened in an emergency.
  const device = await Device.enrol(office);
  await office.clinic.disclose(sub);
  await office.clinic.ask(["inf.allergy", "inf.rx"]);
  await device.grant();
  await office.clinic.disclose(sub);
  await office.other.disclose(sub);
  await office.clinic.emergency(sub);
  await page.reload();
  await heading(page, "わたしの記録を見た人");
  await page.getByRole("status").filter({ hasText: "までにできます" }).waitFor();
  await walk.look("history-wait");
  await office.restart();
  await button(page, "証明を確認").click();
  // Nobody but the log's own key signed it: what that proves is said, and no more.
  await page.getByRole("status").filter({ hasText: "書きかえや抜けはありません" }).filter({ hasText: "確かめられません" }).waitFor();
  await walk.look("history");
  await page.getByRole("link", { name: /^記録を見ました/ }).last().click();
  await heading(page, "架空割符診療所");
  assert.match(await page.locator("main .card").textContent(), /医師.*診察や治療.*アレルギー \d+件.*病院が数えました.*同意/);
  await walk.look("history-one");
  await link(page, "見た人の一覧へ").click();
  await page.getByRole("link", { name: /^救急で、あなたの記録が見られました/ }).click();
  await heading(page, "救急で、あなたの記録が見られました");
  await walk.look("notice");
  await button(page, "納得できない").click();
  await page.getByRole("status").filter({ hasText: "納得できないと記録しました。" }).waitFor();
  await walk.look("notice-objected");
  await office.clinic.emergency(sub);
  await nav(page, "ホーム", /^いま見られるところ/);
  await page.getByRole("link", { name: /^救急で見られました：/ }).waitFor();
  await walk.look("home-emergency");
  let bent = true;
  await page.route("**/api/log/mine", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    const lines = bent ? body.lines.filter((_, i) => i !== 1) : body.lines;
    await route.fulfill({ response, body: JSON.stringify({ ...body, lines }) });
  });
  await nav(page, "見た人", "この記録を確かめられませんでした");
  await walk.look("history-bad");
  await nav(page, "ホーム", /^いま見られるところ/);
  await page.getByRole("alert").filter({ hasText: "この記録を確かめられませんでした" }).waitFor();
  await walk.look("home-doubtful");
  bent = false;
  walk.end();
  await close(page);
});

test("without a network who looked is there as it was last checked, and nothing is offered that cannot be done", async () => {
  const { page, sub } = await enrolled(office);
  const walk = new Walk(page, "6-offline");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await office.clinic.disclose(sub);
  await office.clinic.emergency(sub);
  await nav(page, "見た人", "わたしの記録を見た人");
  const rows = page.locator("main .card .menu > li");
  const told = await rows.allTextContents();
  assert.equal(told.length, 3);
  // Sealed a moment later.
  const kept = () => page.evaluate(() => new Promise((resolve, reject) => {
    const request = indexedDB.open("warifu");
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const looks = request.result.transaction("shelf").objectStore("shelf").get("looks");
      looks.onsuccess = () => {
        const text = looks.result ? new TextDecoder("latin1").decode(looks.result.sealed) : "";
        request.result.close();
        resolve({ there: Boolean(looks.result), clear: /s1\.|disclose|mi:/.test(text) });
      };
    };
  }));
  while (!(await kept()).there) await page.evaluate(() => new Promise((r) => { requestAnimationFrame(r); }));
  assert.deepEqual(await kept(), { there: true, clear: false });
  await page.context().setOffline(true);
  await page.goto(`${office.url}/history`);
  await heading(page, "わたしの記録を見た人");
  assert.deepEqual(await rows.allTextContents(), told);
  const notice = page.getByText(/^インターネットにつながっていません。.*の内容です。$/);
  assert.equal(await notice.locator("time").count(), 1);
  await page.getByRole("status").filter({ hasText: "に確かめました。" }).waitFor();
  assert.equal(await button(page, "証明を確認").count(), 0);
  await walk.look("offline-history");
  await page.getByRole("link", { name: /^救急で、あなたの記録が見られました/ }).click();
  await heading(page, "救急で、あなたの記録が見られました");
  assert.equal(await button(page, "納得できない").count(), 0);
  await walk.look("offline-notice");
  await link(page, "ホーム").click();
  await page.getByRole("heading", { level: 2, name: "最近見た人" }).waitFor();
  // Back online it is read and checked anew.
  await office.clinic.disclose(sub);
  await page.context().setOffline(false);
  await page.waitForFunction(() => !document.body.textContent.includes("つながっていません"));
  await nav(page, "見た人", "わたしの記録を見た人");
  await button(page, "証明を確認").waitFor();
  // Of this day's tries one more; of a day that begins just now the first.
  await page.waitForFunction((n) => {
    const now = [...document.querySelectorAll("main .card .menu > li")];
    return now.length > n || now.some((row) => row.textContent.includes("この日に2回"));
  }, told.length);
  walk.end();
  await close(page, [/ERR_INTERNET_DISCONNECTED/]);
});

test("what hospital staff did with a file of two names is told: by their work and reason, never by name", async () => {
  const { page } = await enrolled(office);
  const walk = new Walk(page, "3-records");
  // The report names somebody else than its folder.
  const report = readFileSync(fileURLToPath(new URL(`../fixtures/standard_root/${LAB}`, import.meta.url)), "latin1");
  const bent = report.replaceAll(`${PATIENT}^^^^PI`, "0000999999^^^^PI");
  assert.notEqual(bent, report);
  const path = office.path(`again/${LAB}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bent, "latin1");
  office.run("ingest", office.path("again"), "--data", office.data);
  const [id] = office.run("quarantine", "list", "--data", office.data).split(" ");
  const by = ["--role", "診療情報管理士", "--by", "0815", "--data", office.data];
  office.run("quarantine", "show", id, ...by);
  office.run("quarantine", "resolve", id, "--whose", "folder", "--why", "mistyped", ...by);
  await nav(page, "見た人", "わたしの記録を見た人");
  const section = page.getByRole("heading", { level: 2, name: "病院の職員が確かめたファイル" });
  await section.waitFor();
  const rows = page.locator("main ol.cards > li").filter({ hasText: "診療情報管理士" });
  const told = await rows.allTextContents();
  assert.equal(told.length, 2);
  assert.match(told[0], /^置いてあった場所の人の記録だと決めました[\s\S]*番号が違って書かれていた$/);
  assert.match(told[1], /^職員がファイルを見ました/);
  assert.doesNotMatch(await page.locator("main").textContent(), /0815|quarantine/);
  await walk.look("history-staff");
  for (const [language, words] of [["やさしい", "びょういんの 人が たしかめました"], ["English", "Files that hospital staff checked"]]) {
    await button(page, language).first().click();
    await page.getByRole("heading", { level: 2 }).filter({ hasText: words.slice(0, 5) }).first().waitFor();
  }
  await walk.look("history-staff-en");
  walk.end();
  await close(page);
});

test("whom else to tell of an emergency is added, kept, sent on to the desk, and taken out again", async () => {
  const { page, sub } = await enrolled(office);
  const walk = new Walk(page, "4-wishes");
  await menu(page, "救急のときに知らせる人");
  await page.getByText("いまは、だれにも知らせません。").waitFor();
  await walk.look("contacts");
  await button(page, "この人にも知らせる").click();
  const alert = page.getByRole("alert").filter({ hasText: "続ける前に" });
  await alert.getByRole("link", { name: "知らせる方法を選んでください" }).waitFor();
  assert.equal(await alert.getByRole("link").count(), 3);
  await walk.look("contacts-left");
  await page.getByLabel("知らせる人の名前").fill(" 架空 次郎 ");
  await page.getByLabel("電話", { exact: true }).check();
  await page.getByLabel("あて先").fill("03-0000-0000");
  await button(page, "この人にも知らせる").click();
  await page.getByRole("heading", { level: 2, name: "架空 次郎" }).waitFor();
  await page.locator("[role=status]").filter({ hasText: "記録しました" }).waitFor();
  assert.equal(await page.getByLabel("あて先").inputValue(), "");
  await walk.look("contacts-one");
  // The server has it, and an emergency waits for that person.
  await office.clinic.emergency(sub);
  const waits = JSON.parse(office.run("notices", "--data", office.data));
  assert.deepEqual(waits.contacts, [{ name: "架空 次郎", by: "phone", to: "03-0000-0000" }]);
  await page.reload();
  await page.getByRole("heading", { level: 2, name: "架空 次郎" }).waitFor();
  // Five are the most.
  for (const name of ["二", "三", "四", "五"]) {
    await page.getByLabel("知らせる人の名前").fill(name);
    await page.getByLabel("電子メール", { exact: true }).check();
    await page.getByLabel("あて先").fill(`${name}@example.jp`);
    await button(page, "この人にも知らせる").click();
    await page.getByRole("heading", { level: 2, name, exact: true }).waitFor();
  }
  await page.getByText("5人までです。").waitFor();
  assert.equal(await button(page, "この人にも知らせる").count(), 0);
  await walk.look("contacts-five");
  await button(page, "架空 次郎を消す").click();
  await page.getByLabel("知らせる人の名前").waitFor();
  assert.equal(await page.getByText("架空 次郎").count(), 0);
  // What could not be written is told, and what is shown is what is kept.
  await page.route("**/api/contacts", (route) => route.fulfill({ status: 200, contentType: "application/json", body: '{"contacts":[]}' }));
  await button(page, "二を消す").click();
  await page.getByRole("alert").waitFor();
  await page.getByRole("heading", { level: 2, name: "二", exact: true }).waitFor();
  walk.end();
  await close(page);
});

test("what is wrong is told to the desk: of nobody unless ticked, kept while there is no network, and confirmed", async () => {
  // Nobody signed in, and no key is there.
  const page = await open({ address: office.url, hash: "/report", wait: false, width: 360, height: 740 });
  const walk = new Walk(page, "1-start");
  await heading(page, "困ったこと・おかしいと思ったこと");
  const send = button(page, "窓口に送る");
  await send.click();
  const alert = page.getByRole("alert").filter({ hasText: "続ける前に" });
  assert.equal(await alert.getByRole("link").count(), 2);
  await walk.look("report-left");
  assert.equal(await page.getByLabel("わたしが送ったと伝える").count(), 0);
  await page.getByLabel("記録を見た人のこと").check();
  await page.getByLabel("どんなことですか").fill("知らない診療所が\n見ています");
  await page.context().setOffline(true);
  await page.getByText("書いたことは、この画面を閉じるまで残ります。").waitFor();
  assert.equal(await send.count(), 0);
  await walk.look("report-offline");
  await page.context().setOffline(false);
  await send.waitFor();
  assert.equal(await page.getByLabel("どんなことですか").inputValue(), "知らない診療所が\n見ています");
  await page.getByLabel("返事の送り先（なくてもかまいません）").fill("03-0000-0000");
  // The server is busy first: nothing is lost, and it goes by itself.
  let busy = true;
  await page.route("**/api/reports", async (route) => {
    if (busy) await route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"code":"STORE"}' });
    else await route.continue();
  });
  await send.click();
  await page.getByRole("alert").filter({ hasText: "自動で試します" }).waitFor();
  busy = false;
  await page.context().setOffline(true);
  await page.getByText("つながっていません").first().waitFor();
  await page.context().setOffline(false);
  const done = page.locator("main [role=status]").filter({ hasText: "窓口の人が読みます。" });
  await done.waitFor();
  // Two frames after it is painted.
  await becomes(page, () => done.evaluate((el) => el === document.activeElement), true);
  assert.equal(await page.getByLabel("どんなことですか").inputValue(), "");
  await walk.look("report-sent");
  const waits = () => office.run("reports", "--data", office.data);
  assert.match(waits(), /知らない診療所が/);
  assert.doesNotMatch(waits(), /s1\./);
  walk.end();
  await close(page, [/503|ERR_INTERNET_DISCONNECTED/]);
  // With a session, and only ticked, it says from whom it is.
  const { page: mine, sub } = await enrolled(office);
  await menu(mine, "困ったこと・おかしいと思ったこと");
  // After a reload too: the session goes on.
  await mine.reload();
  await heading(mine, "困ったこと・おかしいと思ったこと");
  await mine.getByLabel("わたしが送ったと伝える").waitFor();
  await mine.getByLabel("ほかのこと").check();
  await mine.getByLabel("どんなことですか").fill("聞きたいことがあります");
  await mine.getByLabel("わたしが送ったと伝える").check();
  await button(mine, "窓口に送る").click();
  await mine.locator("main [role=status]").filter({ hasText: "窓口の人が読みます。" }).waitFor();
  assert.ok(waits().includes(sub));
  // What can be shown at a desk; nothing yet, and that is said.
  await menu(mine, "受付でQRを見せる");
  await mine.getByText("いま見せられる同意はありません。").waitFor();
  await close(mine);
});
