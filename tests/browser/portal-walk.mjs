// What every screen of the portal has to hold, in every state: nothing for axe-core to find at 320, 768 and
// 1440 px, with text of 200 %, with forced colours and with more contrast; nothing scrolls sideways,
// with texts 40 % longer neither, and then nothing is cut; every target is 44 px; every character is drawn with a real glyph. With WARIFU_SHOTS a picture of each goes there.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { axe, open } from "./harness.mjs";

const SHOTS = process.env.WARIFU_SHOTS;
const SIZES = [[320, 640], [768, 1024], [1440, 900]];
/** Most of a long screen that a picture shows. */
const LONGEST = 2400;
/** Of a picture: name, width, scale. The larger ones are drawn smaller. */
const PICTURES = [["", 360, 1], ["-wide", 1280, 0.6]];

export const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
export const button = (page, name) => page.getByRole("button", { name, exact: true });
export const link = (page, name) => page.getByRole("link", { name, exact: true });

const INTRO = `# Screens of the portal

Made by \`tests/browser/portal-screens-*.test.mjs\`, \`portal-wishes.test.mjs\` and \`portal-family.test.mjs\` with \`WARIFU_SHOTS=docs/screens\`: each at 360 px, and at 1280 px drawn smaller; of long ones the first 2,400 px.
The persons, institutions and records are invented.
`;

/** Adds a picture to the list of them. */
function listed(group, name, title) {
  const file = `${SHOTS}/README.md`;
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const rows = new Map([...text.matchAll(/^\| (\S+) \| `([^`]+)` .*$/gm)].map(([row, , key]) => [key, row]));
  rows.set(name, `| ${group} | \`${name}\` | ${title} | [360](${name}.webp) · [1280](${name}-wide.webp) |`);
  const order = [...rows.values()].sort((a, b) => (a.split(" ")[1] < b.split(" ")[1] ? -1 : a.split(" ")[1] > b.split(" ")[1] ? 1 : 0));
  writeFileSync(file, `${INTRO}\n| group | name | heading | pictures |\n|---|---|---|---|\n${order.join("\n")}\n`);
}

/** Fits the window to the page: the bar at the bottom covers nothing then. */
async function fit(page, width, height) {
  await page.setViewportSize({ width, height });
  const whole = await page.evaluate(() => document.documentElement.scrollHeight);
  if (whole > height) await page.setViewportSize({ width, height: whole });
}

/**
 * Waits until the page is drawn. After its window has changed many times Chromium has waited, once in many
 * hundred screens, for a frame that nothing asked for; what is pressed then never comes to rest. Another size asks for one.
 */
async function drawn(page) {
  const frame = page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => done(true)); }));
  const { width, height } = page.viewportSize();
  while (!await Promise.race([frame, page.waitForTimeout(3_000)])) {
    await page.setViewportSize({ width, height: height + 1 });
    await page.setViewportSize({ width, height });
  }
}

/** Characters that are drawn as a missing one is. */
const undrawn = (page) => page.evaluate(() => {
  const canvas = new OffscreenCanvas(48, 48).getContext("2d", { willReadFrequently: true });
  canvas.font = `32px ${getComputedStyle(document.body).fontFamily}`;
  const drawn = (c) => {
    canvas.clearRect(0, 0, 48, 48);
    canvas.fillText(c, 4, 36);
    return canvas.getImageData(0, 0, 48, 48).data.join();
  };
  const missing = new Set(["\u{10FFFD}", "\u{10FFFC}", ""].map(drawn));
  const all = new Set(document.body.innerText.replace(/[\s\u200b]/gu, ""));
  return [...all].filter((c) => missing.has(drawn(c)));
});

const small = (page) => page.locator("a, button, summary, label.row").evaluateAll((all) => all.filter((el) => {
  const box = el.getBoundingClientRect();
  return box.width > 0 && box.bottom > 0 && (box.height < 43.5 || box.width < 43.5);
}).map((el) => el.textContent));

/**
 * Every text of the page 40 % longer, as a translation may be: what scrolls sideways then, and what is cut.
 * What is drawn for readers of the screen alone is no box.
 */
const longer = (page) => page.evaluate(() => {
  const own = [];
  const walker = document.createTreeWalker(document.getElementById("app"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) own.push([walker.currentNode, walker.currentNode.nodeValue]);
  for (const [node, text] of own) {
    const letters = text.trim();
    if (letters && !node.parentElement.closest("rt, time")) node.nodeValue = text.replace(letters, letters + letters.slice(0, Math.ceil(letters.length * 0.4)));
  }
  const shut = [...document.querySelectorAll("#app details:not([open])")];
  for (const details of shut) details.open = true;
  const wide = document.documentElement.clientWidth;
  const found = document.documentElement.scrollWidth > wide ? ["scrolls sideways"] : [];
  const name = (el) => `${el.tagName.toLowerCase()}.${el.className} ${el.textContent.slice(0, 20)}`;
  for (const el of document.querySelectorAll("#app *:not(svg *)")) {
    const box = el.getBoundingClientRect();
    const { overflowX, position, clipPath } = getComputedStyle(el);
    if (box.width <= 1 || clipPath !== "none" || (position === "absolute" && box.bottom < 0)) continue;
    if (box.right > wide + 0.5) found.push(`beyond the edge: ${name(el)}`);
    // A box that does not grow with its text shows it outside of itself, or not at all.
    const cut = el.scrollWidth > el.clientWidth + 1 || el.scrollHeight > el.clientHeight + 1;
    if (cut && el.matches("a, button, label, .card, .banner, td, dd") && getComputedStyle(el).display !== "inline") found.push(`does not fit: ${name(el)}`);
    if (cut && overflowX !== "visible" && !el.matches("input, textarea")) found.push(`is cut: ${name(el)}`);
  }
  for (const details of shut) details.open = false;
  for (const [node, text] of own) node.nodeValue = text;
  return found;
});

/** Walks the screens of one page; `end` tells what was found, and that no other origin was asked. */
export class Walk {
  constructor(page, group) {
    Object.assign(this, { page, group, found: [], seen: [], origins: new Set() });
    page.context().on("request", (request) => this.origins.add(new URL(request.url()).origin));
    if (SHOTS) mkdirSync(SHOTS, { recursive: true });
  }

  /** A screen in one state. */
  async look(name) {
    const { page } = this;
    await page.locator("main h1").waitFor();
    const tell = (what, all) => { for (const one of all) this.found.push(`${name} ${what}: ${one}`); };
    const check = async (what, width, height) => {
      await fit(page, width, height);
      tell(what, await axe(page));
      tell(what, await page.evaluate(() => (document.documentElement.scrollWidth > document.documentElement.clientWidth ? ["scrolls sideways"] : [])));
      tell(what, (await small(page)).map((text) => `target below 44 px: ${text}`));
    };
    const own = page.viewportSize();
    // Colours are judged at rest.
    await page.emulateMedia({ reducedMotion: "reduce" });
    for (const [width, height] of SIZES) await check(`${width} px`, width, height);
    for (const width of [320, 360]) {
      await fit(page, width, 640);
      tell(`longer by 40 %, ${width} px`, await longer(page));
    }
    await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
    await check("200 %", 320, 640);
    await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
    await page.emulateMedia({ forcedColors: "active" });
    await check("forced colours", 360, 740);
    await page.emulateMedia({ forcedColors: "none", contrast: "more" });
    await check("more contrast", 360, 740);
    await page.emulateMedia({ contrast: "no-preference", colorScheme: "dark" });
    await check("dark", 360, 740);
    await page.emulateMedia({ colorScheme: "light" });
    tell("glyphs", await undrawn(page));
    assert.equal(await page.locator("h1").count(), 1, name);
    assert.ok(await page.locator("main .btn:not(.btn2)").count() <= 1, `${name}: one primary button`);
    // Another session of the debugger would bring the network back.
    if (SHOTS && await page.evaluate(() => navigator.onLine)) await this.picture(name);
    this.seen.push(name);
    await page.setViewportSize(own);
    await drawn(page);
  }

  async picture(name) {
    const { page } = this;
    const title = await page.locator("h1").textContent();
    const cdp = await page.context().newCDPSession(page);
    for (const [end, width, scale] of PICTURES) {
      await fit(page, width, width < 500 ? 740 : 800);
      await page.mouse.move(0, 0);
      await page.evaluate(() => { document.activeElement?.blur(); scrollTo(0, 0); });
      const height = Math.min(page.viewportSize().height, LONGEST);
      const { data } = await cdp.send("Page.captureScreenshot", { format: "webp", quality: 40, clip: { x: 0, y: 0, width, height, scale } });
      writeFileSync(`${SHOTS}/${name}${end}.webp`, Buffer.from(data, "base64"));
    }
    await cdp.detach();
    listed(this.group, name, title);
  }

  end() {
    assert.deepEqual(this.found, []);
    assert.equal(this.origins.size, 1, [...this.origins].join());
  }
}

/** Reaches something by Tab alone and presses it. */
export async function press(page, role, name, key = "Enter") {
  const target = page.getByRole(role, { name, exact: typeof name === "string" }).first();
  await target.waitFor();
  const there = () => target.evaluate((el) => el === document.activeElement);
  for (let i = 0; i < 80 && !(await there()); i += 1) await page.keyboard.press("Tab");
  assert.ok(await there(), `${name} is reached by Tab`);
  await page.keyboard.press(key);
}

/** A heading, with the focus on it. */
export async function onHeading(page, name) {
  await heading(page, name);
  await page.waitForFunction(() => document.activeElement?.tagName === "H1");
}

/** The screens of the bar, and those of the menu. */
export const nav = async (page, name, title) => {
  await page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
  await heading(page, title);
};
export const menu = async (page, name, title = name) => {
  await nav(page, "メニュー", "メニュー");
  await page.locator("main").getByRole("link", { name, exact: true }).click();
  await heading(page, title);
};

/** A key, registered with a code from the desk of the real server. */
export async function register(office, page) {
  await button(page, "鍵を作る").click();
  await link(page, "つぎへ").click();
  await page.getByLabel("番号").fill(office.code());
  await page.getByLabel("生年月日").fill("19680303");
  await button(page, "登録する").click();
  await heading(page, "登録できました");
}

/** A fresh device at home, and the person's pseudonym. */
export async function enrolled(office, options = {}) {
  const page = await open({ address: office.url, hash: "/key", wait: false, width: 360, height: 740, ...options });
  await register(office, page);
  const sub = await page.evaluate(async () => (await (await fetch("/api/session")).json()).sub);
  await link(page, "ホームへ").click();
  await heading(page, /^いま見られるところ/);
  return { page, sub };
}

/** From home through the wizard to the consent. */
export async function give(page, cats, look = async () => {}) {
  await page.getByRole("link", { name: /^架空割符診療所/ }).first().click();
  await heading(page, "架空割符診療所が、あなたの記録を見たいと言っています");
  await look("who");
  await button(page, "内容を見る").click();
  await heading(page, "目的は「診察や治療」です。見せますか");
  await look("why");
  await button(page, "この目的なら続ける").click();
  await heading(page, "どの記録を見せますか");
  await page.locator("details").first().waitFor();
  for (const cat of cats) await page.getByRole("checkbox", { name: cat }).check();
  await look("what");
  await button(page, "つぎへ").click();
  await heading(page, "いつまで見せますか");
  await page.getByLabel(/^90日/).check();
  await look("until");
  await button(page, "つぎへ").click();
  await page.locator("article[data-signed]").waitFor();
  await look("sign");
  await button(page, "署名して見せる").click();
  await page.getByRole("heading", { level: 1, name: /^同意を記録しました（\d+番）$/ }).waitFor();
}
