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

test("a request, its consent, receipt and end", async () => {
  const { page } = await enrolled(office);
  const walk = new Walk(page, "2-consent");
  await office.clinic.ask(["inf.allergy", "inf.condition", "inf.lab", "inf.rx", "prc.surgery"]);
  await page.reload();
  await heading(page, /^いま見られるところ/);
  await page.getByRole("heading", { level: 2, name: "返事を待っているお願い（2）" }).waitFor();
  await walk.look("home-requests");
  await give(page, ["アレルギー", "処方・調剤"], (name) => walk.look(name));
  await walk.look("done");
  await page.getByRole("link", { name: "手術の記録も見せますか" }).click();
  await heading(page, "手術の記録も見せますか");
  await walk.look("who-surgery");
  await button(page, "見せない").click();
  await heading(page, /^「見せない」と記録しました/);
  await walk.look("refused");
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
  await link(page, "もどる").click();
  await heading(page, "控え");
  await link(page, "やめる").click();
  await heading(page, /やめますか$/);
  await walk.look("withdraw");
  await button(page, "やめる").click();
  await heading(page, /にここで止まりました/);
  await walk.look("ended");
  walk.end();
  await close(page);
});
