// The whole story against the real server: asked, granted, disclosed, seen, withdrawn, refused; and what
// must not work. Each step is what the page shows, and what the institution gets. portal-loop.test.mjs tells it
// over SQLite, portal-loop-postgresql.test.mjs over PostgreSQL: two files, each with its own bound of time.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { axe, close, open, start, stop } from "./harness.mjs";
import { Device, Office, SURGERY } from "./portal-office.mjs";
import { Postgresql, skip } from "./postgresql.mjs";

const SHOTS = process.env.WARIFU_SHOTS;
const CATS = ["demo", "inf.allergy", "inf.condition", "inf.lab", "inf.rx"];

let office;
const stories = [];
const story = (name, told) => { stories.push([name, told]); };

const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
const button = (page, name) => page.getByRole("button", { name, exact: true });
const nav = async (page, name, title) => {
  await page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
  await heading(page, title);
};
const shot = async (page, name) => {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/loop-${name}.png`, fullPage: true });
};

async function enrolled(options = {}) {
  const page = await open({ address: office.url, hash: "/key", wait: false, ...options });
  await button(page, "鍵を作る").click();
  await page.getByRole("link", { name: "つぎへ" }).click();
  await page.getByLabel("番号").fill(office.code());
  await page.getByLabel("生年月日").fill("19680303");
  await button(page, "登録する").click();
  await heading(page, "登録できました");
  // An institution that has a consent knows the pseudonym from it.
  const sub = await page.evaluate(async () => (await (await fetch("/api/session")).json()).sub);
  await page.getByRole("link", { name: "ホームへ" }).click();
  await heading(page, /^いま見られるところ/);
  return { page, sub };
}

/** From home through the wizard to the signature. */
async function toSign(page, cats) {
  await page.getByRole("link", { name: /^架空割符診療所/ }).first().click();
  await heading(page, "架空割符診療所が、あなたの記録を見たいと言っています");
  await button(page, "内容を見る").click();
  await heading(page, "目的は「診察や治療」です。見せますか");
  await button(page, "この目的なら続ける").click();
  await heading(page, "どの記録を見せますか");
  for (const cat of cats) await page.getByRole("checkbox", { name: cat }).check();
  const seen = await page.locator("details").first().locator("li").count();
  await button(page, "つぎへ").click();
  await heading(page, "いつまで見せますか");
  await page.getByLabel(/^90日/).check();
  await button(page, "つぎへ").click();
  await page.locator("article[data-signed]").waitFor();
  return seen;
}

async function sign(page) {
  await button(page, "署名して見せる").click();
  await page.getByRole("heading", { level: 1, name: /^同意を記録しました（\d+番）$/ }).waitFor();
}

/** Home from any screen: those of the wizard have no navigation. */
async function home(page) {
  await page.getByRole("link", { name: /^ホーム(へ)?$/ }).first().click();
  await heading(page, /^いま見られるところ/);
}

/** Resources that are items of their own: the rest go along with what refers to them. */
const APART = new Set(["Patient", "Organization", "Practitioner", "PractitionerRole", "Location", "Specimen", "Medication", "Device", "Provenance"]);
const items = ({ resources }) => resources.filter((r) => !APART.has(r.resourceType));

story("asked, granted, disclosed exactly that, seen with its proof, withdrawn, refused", async () => {
  const { page, sub } = await enrolled();
  // Nothing without consent.
  assert.deepEqual((({ status, code }) => [status, code])(await office.clinic.disclose(sub)), [403, "NO_GRANT"]);
  await office.clinic.ask([...CATS, "prc.surgery"]);
  await nav(page, "記録", "わたしの記録");
  await page.getByRole("link", { name: /^手術/ }).click();
  await page.getByRole("link", { name: SURGERY }).click();
  await heading(page, SURGERY);
  await page.getByText("架空割符病院").waitFor();
  await home(page);
  await shot(page, "home-waiting");

  // One general consent; the preview is what then goes out.
  const seen = await toSign(page, ["アレルギー", "処方・調剤", "検査"]);
  assert.ok(seen > 0);
  await sign(page);
  const given = await office.clinic.disclose(sub);
  assert.equal(given.status, 200);
  assert.equal(items(given).length, seen, "the preview is the Bundle that goes out");
  assert.ok(!given.text.includes(SURGERY) && !given.text.includes("150000110"), "surgery is withheld");
  assert.ok(!given.resources.some((r) => r.resourceType === "Condition"), "what was not ticked is withheld");

  // Surgery by a signature of its own.
  await page.getByRole("link", { name: "手術の記録も見せますか" }).click();
  await heading(page, "手術の記録も見せますか");
  const surgery = page.locator("details").first().locator("li");
  await surgery.filter({ hasText: SURGERY }).first().waitFor();
  const listed = await surgery.count();
  await page.getByRole("status").filter({ hasText: `に見えるもの（${listed}件）` }).waitFor();
  await button(page, "見せる").click();
  await page.getByLabel(/^24時間/).check();
  await button(page, "つぎへ").click();
  await page.locator("article[data-signed]").waitFor();
  await sign(page);
  const more = await office.clinic.disclose(sub);
  assert.ok(more.text.includes(SURGERY));
  assert.equal(items(more).length - items(given).length, listed, "the list of surgery is what its consent adds");

  // Another institution gets nothing.
  for (let n = 0; n < 12; n += 1) {
    assert.deepEqual((({ status, code }) => [status, code])(await office.other.disclose(sub)), [403, "AUD"]);
  }

  // Who looked is on home and in the list, checked here.
  await home(page);
  await heading(page, "いま見られるところ：1か所");
  await page.getByRole("heading", { level: 2, name: "最近見た人" }).waitFor();
  // Many tries of one are one row, beside which the accesses of another are seen.
  const last = page.locator("ol.menu").last().locator("li");
  assert.match(await last.nth(0).textContent(), /^架空別診療所見ようとしましたが、見せませんでした.*この日に12回（最後は\d{4}年/);
  assert.match(await last.nth(1).textContent(), /^架空割符診療所記録を見ました/);
  await nav(page, "見た人", "わたしの記録を見た人");
  await page.getByRole("status").filter({ hasText: /に確かめました。/ }).waitFor();
  // By day and institution, a row an access.
  const rows = page.locator("main .card .menu > li");
  assert.deepEqual(await page.locator("main .card h4").allTextContents(), ["架空別診療所", "架空割符診療所"]);
  assert.equal(await rows.count(), 4);
  assert.match(await rows.nth(0).textContent(), /見せませんでした.*医師.*この日に12回/);
  assert.match(await rows.nth(1).textContent(), /^記録を見ました.*手術 \d+件.*医師.*診察や治療/);
  assert.match(await rows.nth(2).textContent(), /^記録を見ました/);
  assert.ok(!(await rows.nth(2).textContent()).includes("手術"));
  assert.match(await rows.nth(3).textContent(), /見せませんでした/);
  assert.deepEqual(await axe(page), []);
  await shot(page, "history");

  // Withdrawn: in the same second the next request is refused for what it opened.
  await nav(page, "同意", "同意");
  await page.locator(".card").filter({ hasText: "アレルギー" }).getByRole("link", { name: "やめる" }).click();
  await heading(page, "架空割符診療所に見せるのをやめますか");
  await button(page, "やめる").click();
  await page.getByRole("heading", { level: 1, name: /にここで止まりました。ほかも.+までに止まります。$/ }).waitFor();
  const left = await office.clinic.disclose(sub);
  assert.ok(left.text.includes(SURGERY), "the surgery's own consent stands");
  const kinds = new Set(items(left).map((r) => r.resourceType));
  for (const kind of ["AllergyIntolerance", "MedicationRequest", "Observation"]) {
    assert.ok(given.resources.some((r) => r.resourceType === kind) && !kinds.has(kind), kind);
  }
  await nav(page, "同意", "同意");
  await page.locator(".card").filter({ hasText: "手術" }).getByRole("link", { name: "やめる" }).click();
  await button(page, "やめる").click();
  await page.getByRole("heading", { level: 1, name: /にここで止まりました/ }).waitFor();
  assert.deepEqual((({ status, code }) => [status, code])(await office.clinic.disclose(sub)), [403, "REVOKED"]);
  await home(page);
  await heading(page, "いま見られるところ：0か所");
  await nav(page, "見た人", "わたしの記録を見た人");
  await page.locator("main .card", { hasText: "架空割符診療所" }).first().getByRole("link", { name: /^見ようとしましたが、見せませんでした/ }).first().waitFor();
  await close(page);
});

story("the proofs lead to a signed tree, which continues the one that this device saw before", async () => {
  const { page, sub } = await enrolled();
  const tiles = [];
  page.on("request", (request) => { if (request.url().includes("/log/tile/")) tiles.push(request.url()); });
  const checked = async (text) => {
    await nav(page, "見た人", "わたしの記録を見た人");
    await button(page, "証明を確認").click();
    await page.getByRole("status").filter({ hasText: text }).waitFor();
  };
  await office.clinic.disclose(sub);
  // A line that was just written is promised, by a time that is told.
  await checked("までにできます");
  // At its end the server publishes a tree that has all lines.
  await office.restart();
  await checked("書きかえや抜けはありません");
  assert.equal(tiles.length, 0);
  for (let n = 0; n < 3; n += 1) await office.clinic.disclose(sub);
  await office.restart();
  await checked("書きかえや抜けはありません");
  assert.ok(tiles.length > 0, "tiles show that the tree is the same one, grown");
  // A device that saw another tree finds out.
  await page.evaluate(() => {
    const kept = JSON.parse(localStorage.getItem("warifu-log"));
    localStorage.setItem("warifu-log", JSON.stringify({ ...kept, root: "A".repeat(43) + "=" }));
  });
  await page.reload();
  await page.getByRole("alert").filter({ hasText: "前にこの端末で見たものと、つながりません。" }).waitFor();
  await close(page);
});

story("a line that was forged on its way is found, and what is doubtful is not shown as true", async () => {
  const { page, sub } = await enrolled();
  await office.clinic.disclose(sub);
  let change = (lines) => lines;
  await page.route("**/api/log/mine", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    await route.fulfill({ response, body: JSON.stringify({ ...body, lines: change(body.lines) }) });
  });
  const look = async (how) => {
    change = how;
    await button(page, "証明を確認").click();
  };
  await nav(page, "見た人", "わたしの記録を見た人");
  await page.getByText("架空割符診療所").waitFor();
  // Another institution in the newest line, which this device had seen otherwise.
  const forge = (lines) => lines.map((l, i) => (i < lines.length - 1 ? l : { ...l, own: { ...l.own, line: l.own.line.replace("1312345678", "1312345670") } }));
  await look(forge);
  await heading(page, "この記録を確かめられませんでした");
  await page.getByRole("alert").filter({ hasText: "前にこの端末で見たものと、つながりません。" }).waitFor();
  // The same in a line that is new to it: the word of the log is about another one.
  await office.clinic.disclose(sub);
  await look(forge);
  await page.getByRole("alert").filter({ hasText: "書きかえられた記録があります。" }).waitFor();
  assert.equal(await page.getByText("架空別診療所").count(), 0);
  assert.deepEqual(await axe(page), []);
  await shot(page, "history-bad");
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "証拠を保存する").click()]);
  const evidence = JSON.parse(readFileSync(await download.path(), "utf8"));
  assert.ok(evidence.lines.lines.length > 0 && evidence.key.log);
  // A line in the middle that is left out, and an end that was seen before and is cut off.
  await look((lines) => lines.filter((_, i) => i !== 1));
  await page.getByRole("alert").filter({ hasText: "抜けている記録があります。" }).waitFor();
  await look((lines) => lines.slice(0, -2));
  await page.getByRole("alert").filter({ hasText: "抜けている記録があります。" }).waitFor();
  await page.getByRole("navigation").getByRole("link", { name: "ホーム", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "この記録を確かめられませんでした" }).waitFor();
  await page.getByRole("link", { name: "この記録を確かめられませんでした" }).click();
  await heading(page, "この記録を確かめられませんでした");
  await look((lines) => lines);
  await heading(page, "わたしの記録を見た人");
  await close(page);
});

story("an emergency is told on home until it was looked at, with reason and role", async () => {
  // Tall enough that the bar at the bottom covers nothing.
  const { page, sub } = await enrolled({ width: 360, height: 4000 });
  const opened = await office.clinic.emergency(sub);
  assert.equal(opened.status, 200, JSON.stringify(opened.body));
  assert.ok(opened.body.bundle.includes(SURGERY));
  assert.equal((await office.other.emergency(sub)).status, 403);
  await page.reload();
  await page.getByRole("link", { name: /^救急で見られました：/ }).first().waitFor();
  assert.deepEqual(await axe(page), []);
  await shot(page, "home-emergency");
  await page.getByRole("link", { name: /^救急で見られました：/ }).first().click();
  await heading(page, "救急で、あなたの記録が見られました");
  await page.getByRole("link", { name: "わたしの記録を見た人" }).click();
  await heading(page, "わたしの記録を見た人");
  const told = page.locator("main .card", { hasText: "架空割符診療所" }).getByRole("link", { name: /^救急で、あなたの記録が見られました/ });
  assert.match(await told.textContent(), /医師/);
  assert.deepEqual(await axe(page), []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), "nothing scrolls sideways");
  await shot(page, "emergency");
  await home(page);
  await page.getByRole("heading", { level: 2, name: "最近見た人" }).waitFor();
  assert.equal(await page.getByRole("link", { name: /^救急で見られました：/ }).count(), 0);
  await close(page);
});

story("tampered, replayed, expired and misdirected requests get nothing", async () => {
  const { page, sub } = await enrolled();
  await office.clinic.ask(["inf.lab"]);
  await page.reload();
  await toSign(page, ["検査"]);
  // A grant that was changed on its way is refused, and is not told as recorded.
  let bend = true;
  await page.route("**/api/consent/tokens", async (route) => {
    if (!bend) return route.continue();
    const body = route.request().postDataJSON();
    const [head, payload, signature] = body.token.split(".");
    const other = `${signature[0] === "A" ? "B" : "A"}${signature.slice(1)}`;
    return route.continue({ postData: JSON.stringify({ ...body, token: `${head}.${payload}.${other}` }) });
  });
  await button(page, "署名して見せる").click();
  await page.getByRole("alert").filter({ hasText: "番号SIG" }).waitFor();
  assert.equal((await office.clinic.disclose(sub)).status, 403);
  bend = false;
  await sign(page);
  const good = await office.clinic.disclose(sub);
  assert.equal(good.status, 200);
  const refused = async (what, options, by = office.clinic) => {
    const { status, code, resources } = await by.disclose(sub, options);
    assert.ok(status >= 400 && resources.length === 0, `${what}: ${status}`);
    return code;
  };
  assert.equal(await refused("replayed", { token: good.token }), "REPLAY");
  assert.equal(await refused("tampered", { bend: (t) => t.slice(0, -2) + (t.endsWith("AA") ? "BA" : "AA") }), "SIG");
  const past = Math.floor(Date.now() / 1000) - 600;
  assert.equal(await refused("expired", { change: { iat: past, exp: past + 300 } }), "EXPIRED");
  assert.equal(await refused("misdirected", { change: { htu: `${office.url}/api/emergency` } }), "HTU");
  assert.equal(await refused("of another institution", {}, office.other), "AUD");
  await close(page, [/40[0-9]/]);
});

story("a grant whose answer was lost is sent again as it was, and gets its receipt", async () => {
  const { page, sub } = await enrolled();
  await office.clinic.ask(["inf.rx"]);
  await page.reload();
  await toSign(page, ["処方・調剤"]);
  const sent = [];
  await page.route("**/api/consent/tokens", async (route) => {
    sent.push(route.request().postDataJSON().token);
    const response = await route.fetch();
    if (sent.length === 1) return route.abort();
    return route.fulfill({ response });
  });
  await button(page, "署名して見せる").click();
  await page.getByRole("alert").filter({ hasText: "届いたかどうかわかりません" }).waitFor();
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await page.getByRole("heading", { level: 1, name: /^同意を記録しました（\d+番）$/ }).waitFor();
  assert.equal(sent.length, 2);
  assert.equal(sent[0], sent[1]);
  await page.getByRole("link", { name: "控えを見る" }).click();
  await heading(page, "控え");
  await page.locator("article[data-signed]").waitFor();
  // Two consents that overlap: while one stands, it opens what it opens.
  await office.clinic.ask(["inf.lab", "inf.rx"]);
  await home(page);
  await toSign(page, ["検査", "処方・調剤"]);
  await sign(page);
  await home(page);
  await nav(page, "同意", "同意");
  await page.locator(".card").filter({ hasText: "検査" }).filter({ hasText: "見せています" }).first().getByRole("link", { name: "やめる" }).click();
  await button(page, "やめる").click();
  await page.getByRole("heading", { level: 1, name: /にここで止まりました/ }).waitFor();
  const { status, resources } = await office.clinic.disclose(sub);
  assert.equal(status, 200);
  assert.ok(resources.some((r) => r.resourceType === "MedicationRequest"));
  assert.ok(!resources.some((r) => r.resourceType === "Observation"));
  await close(page, [/ERR_FAILED/]);
});

story("a consent that runs out opens nothing from then on, and is shown as ended", async () => {
  const { page, sub } = await enrolled();
  const device = await Device.enrol(office);
  await office.clinic.ask(["inf.rx"]);
  await device.grant(12);
  await page.reload();
  await heading(page, "いま見られるところ：1か所");
  assert.ok((await office.clinic.disclose(sub)).resources.some((r) => r.resourceType === "MedicationRequest"));
  let last;
  do {
    await sleep(250);
    last = await office.clinic.disclose(sub);
  } while (last.status === 200);
  assert.deepEqual([last.status, last.code, last.resources], [403, "EXPIRED", []]);
  await page.reload();
  await heading(page, "いま見られるところ：0か所");
  await nav(page, "同意", "同意");
  const card = page.locator(".card").filter({ hasText: "処方" });
  await card.getByText("終わりました").first().waitFor();
  assert.equal(await card.getByRole("link", { name: "やめる" }).count(), 0);
  await close(page);
});

story("what is withdrawn counts within the same second", async () => {
  const { page, sub } = await enrolled();
  const device = await Device.enrol(office);
  const lines = async () => (await device.call("/api/log/mine")).lines.map(({ own }) => JSON.parse(own.line));
  let [ended, refused] = [];
  // A machine that is busy may take longer than what is left of the second.
  for (let tries = 0; tries < 5 && (!ended || ended.at !== refused.at); tries += 1) {
    await office.clinic.ask(["inf.rx"]);
    const { jti } = await device.grant();
    assert.equal((await office.clinic.disclose(sub)).status, 200);
    await sleep(1000 - (Date.now() % 1000));
    await device.revoke(jti);
    const { status, code, resources } = await office.clinic.disclose(sub);
    assert.deepEqual([status, code, resources], [403, "REVOKED", []]);
    [ended, refused] = (await lines()).slice(-2);
    assert.deepEqual([ended.kind, refused.kind], ["revoke", "refuse"]);
  }
  assert.equal(ended.at, refused.at);
  await close(page);
});

/** Tells them over SQLite, or over PostgreSQL. */
export function tell(over) {
  const database = over === "PostgreSQL";
  describe(`over ${over}`, { skip: database && skip }, () => {
    let server;
    before(async () => {
      await start();
      if (database) server = await Postgresql.start();
    });
    after(async () => {
      await stop();
      await server?.close();
    });
    beforeEach(async () => { office = await Office.start({ db: server?.database() }); });
    afterEach(async () => { await office.close(); });
    for (const [name, told] of stories) test(name, told);
  });
}
