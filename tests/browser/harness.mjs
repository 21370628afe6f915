// What the browser tests share: a Chromium, a server, a page that fails the test on any error.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";
import { chromium } from "playwright-core";
import { forward, serve } from "./server.mjs";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

// Without the networking flags Chromium looks for hosts of its own at every start.
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

let browser;
let server;
let url = process.env.WARIFU_URL;

/** Starts the browser, and a server unless `WARIFU_URL` names one. */
export async function start() {
  if (!url) {
    server = await serve(process.env.WARIFU_DIST);
    url = server.url;
  }
  const executablePath = process.env.WARIFU_CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
  browser = await chromium.launch({ executablePath, args: FLAGS });
}

export async function stop() {
  await browser?.close();
  await server?.close();
}

export const base = () => (url.endsWith("/") ? url : `${url}/`);

/** Opens the page in a fresh profile and, unless told otherwise, waits for the first example. */
export async function open(options = {}) {
  const { width = 1440, height = 900, scheme = "light", hash = "", address = base(), wait = true, prepare } = options;
  const context = await browser.newContext({
    viewport: { width, height }, colorScheme: scheme, acceptDownloads: true, locale: "ja-JP",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const errors = [];
  page.on("console", (message) => { if (message.type() === "error") errors.push(message.text()); });
  page.on("pageerror", (error) => errors.push(error.message));
  page.errors = errors;
  await prepare?.(page);
  await page.goto(`${address}${hash}`);
  if (wait) await settled(page);
  return page;
}

/** Waits until a file is shown and nothing runs. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector(".facts-line")?.textContent.includes("ms")
    && !document.querySelector(".activity"), undefined, { timeout: 30_000 });
}

/** What the page says, once it is `expected` or ten seconds have passed: a busy machine is only slower. */
export async function becomes(page, read, expected) {
  const fits = expected instanceof RegExp ? (is) => expected.test(is) : (is) => isDeepStrictEqual(is, expected);
  const end = performance.now() + 10_000;
  let is = await read();
  while (!fits(is) && performance.now() < end) {
    await page.waitForTimeout(20);
    is = await read();
  }
  if (expected instanceof RegExp) assert.match(is, expected);
  else assert.deepEqual(is, expected);
}

/** Presses a key that leads elsewhere, and waits until another element has the focus. */
export async function moves(page, key) {
  await page.evaluate(() => { globalThis.had = document.activeElement; });
  await page.keyboard.press(key);
  await page.waitForFunction(() => document.activeElement !== globalThis.had && document.activeElement !== document.body);
}

/** Ends a page; what the console called an error fails the test. `allowed` is a list of patterns. */
export async function close(page, allowed = []) {
  const left = page.errors.filter((text) => !allowed.some((pattern) => pattern.test(text)));
  await page.context().close();
  assert.deepEqual(left, []);
}

/** Violations axe-core finds, in a short form. It is evaluated by the debugger, which no CSP stops. */
export async function axe(page) {
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(AXE);
  const result = await page.evaluate(() => globalThis.axe.run(document, {
    // Of what is kept or does not apply nothing is collected: most of the time goes there.
    resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  return result.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} ${n.any[0]?.message ?? ""}`).join(" | ")}`);
}

/**
 * Processor time, in milliseconds, that the page's process took while `run` ran, and the longest
 * single task of its main thread. Unlike the clock's, these do not depend on what else the machine
 * does; on an idle machine the clock shows less, since page and worker run side by side.
 */
export async function worked(page, run) {
  const cdp = await browser.newBrowserCDPSession();
  const times = async () => new Map((await cdp.send("SystemInfo.getProcessInfo")).processInfo.map((p) => [p.id, p.cpuTime]));
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline"] });
  const before = await times();
  const result = await run();
  const after = await times();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  await cdp.detach();
  const threads = new Map(traceEvents.filter((e) => e.name === "thread_name").map((e) => [`${e.pid} ${e.tid}`, e.args.name]));
  const tasks = new Map();
  for (const e of traceEvents) {
    if (e.ph !== "X" || e.tdur === undefined || threads.get(`${e.pid} ${e.tid}`) !== "CrRendererMain" || !e.name.includes("RunTask")) continue;
    const of = tasks.get(e.pid) ?? { longest: 0, all: 0 };
    tasks.set(e.pid, { longest: Math.max(of.longest, e.tdur / 1000), all: of.all + e.tdur / 1000 });
  }
  // The page is the renderer that worked most.
  const [pid, { longest }] = [...tasks].sort((a, b) => b[1].all - a[1].all)[0];
  return { result, worked: (after.get(pid) - before.get(pid)) * 1000, longest };
}

/** Opens an entry of the menu of examples. */
export async function example(page, name) {
  if (await page.locator("#burger").isVisible()) await page.locator("#burger").click();
  await page.locator("#menu-examples").click();
  await page.getByRole("menuitem", { name }).click();
  await settled(page);
}

/** Pastes text through the dialog. */
export async function paste(page, text) {
  await page.locator("#menu-open").click();
  await page.getByRole("menuitem", { name: /貼り付け/ }).click();
  await page.locator("#paste-text").fill(text);
  await page.locator("#paste-run").click();
}

/** A small message of our own. */
export const MESSAGE = [
  "MSH|^~\\&|HIS|1319999999|WARIFU|X|20260401093015||ADT^A08^ADT_A01|20260401000001|P|2.5||||||UNICODE UTF-8",
  "EVN||20260401093015",
  "PID|||0000990001^^^^PI||割符^花子^^^^^L^I~ワリフ^ハナコ^^^^^L^P||19680303|F",
  "PV1||N",
].join("\n");

/**
 * A second server whose engine does something else with bytes that hold a word: the page of the
 * first one with a wrapped `convert.js`. `run` gets its address.
 */
export async function sabotaged(word, act, run) {
  const glue = (text) => `${text.replace(/\bexport class Engine\b/, "class Engine").replace(/\bEngine\b/g, "RealEngine")}
    class Wrapped {
      constructor(options) { this.real = new RealEngine(options); }
      static check(bytes) { if (new TextDecoder().decode(bytes).includes(${JSON.stringify(word)})) { ${act} } }
      parse(path, bytes) { return this.real.parse(path, bytes); }
      convert(path, bytes) { Wrapped.check(bytes); return this.real.convert(path, bytes); }
      convertPatient(files) { return this.real.convertPatient(files); }
      pieces(files, patient) { for (const { bytes } of files) Wrapped.check(bytes); return this.real.pieces(files, patient); }
      fileFinding(code, path, argument) { return this.real.fileFinding(code, path, argument); }
      free() { this.real.free(); }
    }
    export { Wrapped as Engine };`;
  const other = await forward(base(), { "/convert.js": glue });
  try {
    await run(other.url);
  } finally {
    await other.close();
  }
}
