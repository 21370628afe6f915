// The portal in headless Chromium: start, key, enrolment, settings, finish; keyboard, axe-core, offline.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { close, open, start, stop } from "./harness.mjs";
import { CODE, Desk } from "./portal-desk.mjs";
import { servePortal } from "./portal-server.mjs";

const SHOTS = process.env.WARIFU_SHOTS;

let site;
let authority;
before(async () => {
  await start();
  authority = new Desk();
  site = await servePortal((...all) => authority.api(...all));
  authority.origin = site.url;
});
after(async () => { await site.close(); await stop(); authority.close(); });

const portal = (path = "/", options = {}) => open({ address: site.url, hash: path, wait: false, ...options });
const ready = (page) => page.locator("main h1[tabindex]").waitFor();
const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
const focused = (page) => page.evaluate(() => document.activeElement?.tagName);

async function makeKey(page) {
  await page.goto(`${site.url}/key`);
  await page.getByRole("button", { name: "鍵を作る" }).click();
  await heading(page, "この端末には、もうあなたの鍵があります");
}

async function shot(page, name) {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

// How soon that is a clock would say of one machine on one day (README); these are what it waits for.
const FIRST = ["/", "/boot.mjs", "/portal.js", "/portal_bg.wasm", "/style.css"];

test("the first screen waits for five files in two round trips, and for no answer of the server", async () => {
  const askedBy = new Map();
  const depth = (name) => (askedBy.get(name) ? depth(askedBy.get(name)) + 1 : 0);
  const times = new Map();
  const held = new Set();
  let bytes = 0;
  const page = await portal("/", { prepare: async (page) => {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Network.enable");
    cdp.on("Network.requestWillBeSent", ({ request: { url }, initiator }) => {
      const by = initiator.url ?? initiator.stack?.callFrames[0]?.url;
      const { pathname } = new URL(url);
      times.set(pathname, (times.get(pathname) ?? 0) + 1);
      if (!askedBy.has(pathname)) askedBy.set(pathname, by && new URL(by).pathname);
    });
    // What is not needed is never answered.
    await page.route("**/*", async (route) => {
      const { pathname } = new URL(route.request().url());
      if (!FIRST.includes(pathname)) {
        held.add(pathname);
        return;
      }
      const response = await route.fetch();
      bytes += gzipSync(await response.body(), { level: 9 }).length;
      await route.fulfill({ response });
    });
  } });
  await heading(page, "あなたの医療の記録を、だれに見せるか、あなたが決めます");
  await page.getByRole("link", { name: "はじめる" }).waitFor();
  assert.deepEqual(FIRST.map((name) => [name, depth(name)]), FIRST.map((name) => [name, name === "/" ? 0 : 1]));
  assert.deepEqual(FIRST.map((name) => times.get(name)), FIRST.map(() => 1), "each is loaded once");
  assert.deepEqual([...held].filter((name) => name.startsWith("/api")), [], "nothing is asked of the server");
  assert.ok(bytes < 400_000, `${bytes} bytes`);
  await close(page);
});

test("from start to registered by keyboard alone, with focus on each screen's heading", async () => {
  authority.enrolled = [];
  const page = await portal();
  await ready(page);
  assert.equal(await page.title(), "あなたの医療の記録を、だれに見せるか、あなたが決めます｜割符");
  const press = async (name, role = "button") => {
    const target = page.getByRole(role, { name, exact: true });
    // Tab until it is there: nothing is reached by pointer only.
    for (let i = 0; i < 40 && !(await target.evaluate((el) => el === document.activeElement)); i += 1) await page.keyboard.press("Tab");
    assert.ok(await target.evaluate((el) => el === document.activeElement), `${name} is reached by Tab`);
    await page.keyboard.press("Enter");
  };
  await press("はじめる", "link");
  await heading(page, "この端末に、あなたの「鍵」を作ります");
  await page.waitForFunction(() => document.activeElement?.tagName === "H1");
  assert.equal(new URL(page.url()).pathname, "/key");
  await press("鍵を作る");
  await heading(page, "この端末には、もうあなたの鍵があります");
  await page.waitForFunction(() => document.activeElement?.tagName === "H1");
  await press("つぎへ", "link");
  await heading(page, "受付でもらった番号を入れてください");
  await page.waitForFunction(() => document.activeElement?.tagName === "H1");

  // Nothing filled in: what is missing is said, in words that blame nobody, and linked.
  await press("登録する");
  await page.waitForFunction(() => document.activeElement?.getAttribute("role") === "alert");
  await page.getByRole("link", { name: "番号は16けたです。いまは0けたです" }).press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "code");
  assert.equal(await page.getByLabel("番号").getAttribute("aria-invalid"), "true");

  // Full-width digits and spaces are taken; Enter in a field goes on.
  await page.keyboard.insertText("１２３４ 5678 9012 3456");
  await page.keyboard.press("Tab");
  await page.waitForFunction(() => document.activeElement.id === "birth");
  await page.keyboard.insertText("19680303");
  await page.keyboard.press("Enter");
  await heading(page, "登録できました");
  await page.waitForFunction(() => document.activeElement?.tagName === "H1");
  assert.equal(authority.enrolled.length, 1);
  await page.getByRole("heading", { level: 2, name: "あなたの鍵は1個です" }).waitFor();
  assert.match(await page.locator("main time").textContent(), /^\d{4}年\d{1,2}月\d{1,2}日（[日月火水木金土]）\d\d:\d\d$/);
  await shot(page, "enrolled");
  await close(page);
});

test("a refused code keeps what was typed and says where to get a new one", async () => {
  const page = await portal();
  await makeKey(page);
  await page.getByRole("link", { name: "つぎへ" }).click();
  await page.getByLabel("番号").fill("9999999999999999");
  await page.getByLabel("生年月日").fill("19680303");
  await page.getByRole("button", { name: "登録する" }).click();
  await page.getByRole("alert").filter({ hasText: "受付で新しい番号をもらえます" }).waitFor();
  assert.equal(await page.getByLabel("番号").inputValue(), "9999999999999999");
  await close(page, [/403/]);
});

test("without an answer nothing is lost, the time of the next try is shown, and it is tried", async () => {
  const page = await portal("/", { prepare: (p) => p.clock.install() });
  await makeKey(page);
  await page.getByRole("link", { name: "つぎへ" }).click();
  await page.getByLabel("番号").fill(CODE);
  await page.getByLabel("生年月日").fill("19680303");
  authority.fail = 1;
  await page.getByRole("button", { name: "登録する" }).click();
  const notice = page.getByRole("alert").filter({ hasText: "返事がありません。" });
  await notice.waitFor();
  assert.equal(await notice.locator("time").count(), 1);
  assert.equal(await page.getByLabel("番号").inputValue(), CODE);
  await page.clock.fastForward(80_000);
  await heading(page, "登録できました");
  await close(page, [/503/]);
});

test("the key stays in the worker, cannot be read out, and is there after a reload", async () => {
  const page = await portal();
  await makeKey(page);
  const kept = await page.evaluate(() => new Promise((resolve, reject) => {
    const request = indexedDB.open("warifu");
    request.onsuccess = () => {
      const get = request.result.transaction("keys").objectStore("keys").get("me");
      get.onsuccess = () => resolve({ extractable: get.result.key.extractable, type: get.result.key.type, usages: get.result.key.usages, names: Object.keys(get.result).sort() });
      get.onerror = () => reject(get.error);
    };
    request.onerror = () => reject(request.error);
  }));
  assert.deepEqual(kept, { extractable: false, type: "private", usages: ["sign"], names: ["key", "kind", "x"] });
  await page.reload();
  await heading(page, "この端末には、もうあなたの鍵があります");
  await close(page);
});

test("where the browser has no Ed25519 a passphrase protects the key, and another one does not open it", async () => {
  const without = (p) => p.route("**/worker.mjs", async (route) => {
    const answer = await route.fetch();
    const cut = "const generate = crypto.subtle.generateKey.bind(crypto.subtle);\n"
      + "crypto.subtle.generateKey = (a, ...rest) => (a.name === 'Ed25519' ? Promise.reject(new DOMException('x', 'NotSupportedError')) : generate(a, ...rest));\n";
    await route.fulfill({ response: answer, body: cut + await answer.text() });
  });
  authority.enrolled = [];
  const page = await portal("/key", { prepare: without });
  await page.getByRole("button", { name: "鍵を作る" }).click();
  await page.getByLabel("合言葉", { exact: true }).fill("短い合言葉");
  await page.getByRole("button", { name: "鍵を作る" }).click();
  await page.getByRole("link", { name: "合言葉は、あと7文字あると使えます" }).waitFor();
  await shot(page, "passphrase");
  await page.getByLabel("合言葉", { exact: true }).fill("むかしむかしあるところに");
  await page.getByLabel("合言葉を表示する").check();
  assert.equal(await page.getByLabel("合言葉", { exact: true }).getAttribute("type"), "text");
  await page.getByRole("button", { name: "鍵を作る" }).click();
  await heading(page, "この端末には、もうあなたの鍵があります");
  await page.getByRole("link", { name: "つぎへ" }).click();
  await page.getByLabel("番号").fill(CODE);
  await page.getByLabel("生年月日").fill("19680303");
  await page.getByLabel("合言葉", { exact: true }).fill("ちがうあいことばをいれてみる");
  await page.getByRole("button", { name: "登録する" }).click();
  await page.getByRole("link", { name: "この合言葉では鍵を開けられませんでした" }).waitFor();
  assert.equal(authority.enrolled.length, 0);
  await page.getByLabel("合言葉", { exact: true }).fill("むかしむかしあるところに");
  await page.getByRole("button", { name: "登録する" }).click();
  await heading(page, "登録できました");
  assert.equal(authority.enrolled.length, 1);
  await close(page);
});

test("markup cannot become script, nor a foreign address a worker", async () => {
  const page = await portal();
  await ready(page);
  const tried = await page.evaluate(() => {
    const found = {};
    const attempt = (name, run) => { try { run(); found[name] = "done"; } catch (error) { found[name] = error.name; } };
    attempt("innerHTML", () => { document.body.innerHTML = "<p>x</p>"; });
    attempt("worker", () => new Worker("/worker.mjs"));
    attempt("policy", () => trustedTypes.createPolicy("other", { createHTML: (t) => t }));
    attempt("default", () => trustedTypes.createPolicy("default", { createHTML: (t) => t }));
    return found;
  });
  assert.deepEqual(tried, { innerHTML: "TypeError", worker: "TypeError", policy: "TypeError", default: "TypeError" });
  await close(page, [/TrustedHTML|TrustedScriptURL|Trusted Type|trusted-types/]);
});

test("settings apply at once, stay after a reload, and readings stand over every kanji of the easy language", async () => {
  const page = await portal("/settings");
  await page.getByLabel("特大").check();
  await page.getByLabel("くっきり").check();
  await page.getByRole("button", { name: "やさしい" }).click();
  await page.reload();
  await heading(page, "せってい");
  const root = await page.evaluate(() => ({ ...document.documentElement.dataset, lang: document.documentElement.lang }));
  assert.deepEqual(root, { theme: "contrast", size: "150", lang: "ja" });
  for (const path of ["/", "/key", "/menu", "/bye", "/enrol"]) {
    await page.goto(site.url + path);
    await ready(page);
    const bare = await page.locator("main, nav, footer").evaluateAll((all) => all.flatMap((el) => {
      const walk = document.createTreeWalker(el, NodeFilter.SHOW_TEXT);
      const found = [];
      for (let node = walk.nextNode(); node; node = walk.nextNode()) if (!node.parentElement.closest("ruby") && /\p{Script=Han}/u.test(node.data)) found.push(node.data);
      return found;
    }));
    assert.deepEqual(bare, [], path);
  }
  await page.getByRole("button", { name: "English" }).click();
  await heading(page, "Make a key first");
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
  await close(page);
});

test("Japanese is drawn with real glyphs", async () => {
  const page = await portal();
  await ready(page);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("DOM.enable");
  await cdp.send("CSS.enable");
  const { root } = await cdp.send("DOM.getDocument");
  const { nodeId } = await cdp.send("DOM.querySelector", { nodeId: root.nodeId, selector: "h1" });
  const { fonts } = await cdp.send("CSS.getPlatformFontsForNode", { nodeId });
  assert.ok(fonts.length > 0 && fonts.every((f) => /CJK|Noto Sans JP|IPA|Takao|VL|Hiragino|Gothic/i.test(f.familyName)), JSON.stringify(fonts));
  // A missing glyph is drawn the same for every character: two kanji differ.
  const differ = await page.evaluate(() => {
    const draw = (c) => {
      const canvas = new OffscreenCanvas(40, 40).getContext("2d");
      canvas.font = `32px ${getComputedStyle(document.body).fontFamily}`;
      canvas.fillText(c, 2, 34);
      return canvas.getImageData(0, 0, 40, 40).data.join();
    };
    return new Set(["医", "療", "記", "録", "鍵", "割", "符", "\u{10FFFD}"].map(draw)).size;
  });
  assert.equal(differ, 8);
  await close(page);
});

test("everything is erased after one confirmation", async () => {
  const page = await portal();
  await makeKey(page);
  await page.goto(`${site.url}/bye`);
  // By keyboard; the first press only asks.
  await page.getByRole("button", { name: "全部消す" }).focus();
  await page.keyboard.press("Enter");
  await heading(page, "本当に、この端末から全部消しますか");
  await page.waitForFunction(() => document.activeElement?.tagName === "H1");
  assert.notEqual(await page.evaluate(async () => (await indexedDB.databases()).length), 0);
  await page.getByRole("link", { name: "消さない" }).click();
  await heading(page, "メニュー");
  await page.goBack();
  await page.getByRole("button", { name: "全部消す" }).click();
  await heading(page, "本当に、この端末から全部消しますか");
  await page.getByRole("button", { name: "はい、全部消す" }).click();
  await heading(page, "この端末から全部消しました");
  assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).map((d) => d.name)), []);
  assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);
  assert.equal(await page.evaluate(async () => (await caches.keys()).length + (await navigator.serviceWorker.getRegistrations()).length), 0);
  await page.goto(`${site.url}/key`);
  await page.getByRole("button", { name: "鍵を作る" }).waitFor();
  await close(page);
});

test("it opens without a network, and no other origin is asked", async () => {
  const page = await portal();
  const origins = new Set();
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  await ready(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await page.context().setOffline(true);
  await page.goto(`${site.url}/settings`);
  await heading(page, "設定");
  await page.getByText(/からインターネットにつながっていません。$/).waitFor();
  await page.context().setOffline(false);
  assert.deepEqual([...origins], [site.url]);
  await close(page);
});

test("a screen has one heading and at most one primary button; refusing looks as granting does", async () => {
  const page = await portal();
  for (const path of ["/", "/key", "/enrol", "/menu", "/settings", "/bye", "/nothing"]) {
    await page.goto(site.url + path);
    await ready(page);
    assert.equal(await page.locator("h1").count(), 1, path);
    assert.ok(await page.locator("main .btn:not(.btn2)").count() <= 1, path);
  }
  assert.equal(await focused(page), "BODY");
  await close(page);
});
