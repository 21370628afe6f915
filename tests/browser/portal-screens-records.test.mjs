// Screens of the portal against the real server, and what portal-walk.mjs holds each of them to. With
// WARIFU_SHOTS=docs/screens the pictures there are made anew.
import { after, afterEach, before, beforeEach, test } from "node:test";
import { close, start, stop } from "./harness.mjs";
import { Office } from "./portal-office.mjs";
import { Walk, button, enrolled, give, heading, link, nav } from "./portal-walk.mjs";

let office;
before(start);
after(stop);
beforeEach(async () => { office = await Office.start(); });
afterEach(async () => { await office.close(); });

test("records, who looked, an emergency, no answer, no network", async () => {
  const { page, sub } = await enrolled(office);
  const walk = new Walk(page, "3-records");
  await office.clinic.ask(["inf.lab", "inf.rx"]);
  await page.reload();
  await give(page, ["検査"]);
  await link(page, "ホームへ").click();
  await office.clinic.disclose(sub);
  await office.other.disclose(sub);
  await office.clinic.emergency(sub);
  await page.reload();
  await page.getByRole("link", { name: /^救急で見られました：/ }).waitFor();
  await walk.look("home");
  await nav(page, "記録", "わたしの記録");
  await page.getByRole("heading", { level: 2, name: "手術" }).waitFor();
  await walk.look("records");
  await button(page, "時間で見る").click();
  await walk.look("records-by-date");
  await nav(page, "見た人", "わたしの記録を見た人");
  await walk.look("history");
  await page.getByRole("link", { name: "くわしく見る" }).first().click();
  await heading(page, "救急で、あなたの記録が見られました");
  await walk.look("notice");
  await button(page, "納得できない").click();
  await page.getByRole("status").filter({ hasText: "納得できないと記録しました。" }).waitFor();
  await walk.look("notice-objected");
  // A line that was changed on its way.
  await page.route("**/api/log/mine", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    const lines = body.lines.map((l, i) => (i < body.lines.length - 1 ? l : { ...l, own: { ...l.own, line: l.own.line.replace('"v":1', '"v":2') } }));
    await route.fulfill({ response, body: JSON.stringify({ ...body, lines }) });
  });
  await nav(page, "見た人", /./);
  await heading(page, "この記録を確かめられませんでした");
  await walk.look("history-doubtful");
  await page.unroute("**/api/log/mine");
  // The server does not answer.
  await page.route("**/api/consent/mine", (route) => route.abort());
  await nav(page, "同意", "同意");
  await page.getByRole("alert").filter({ hasText: "返事がありません。" }).waitFor();
  await walk.look("no-answer");
  await page.unroute("**/api/consent/mine");
  walk.end();
  await close(page, [/ERR_FAILED|40[0-9]/]);
});
