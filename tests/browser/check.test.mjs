// The findings of the check beside those of the conversion: the engine of `warifu check`, in the page.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { axe, base, becomes, close, example, moves, open, paste, settled, start, stop } from "./harness.mjs";

before(start);
after(stop);

const FIXTURES = fileURLToPath(new URL("../fixtures", import.meta.url));
const KANA = "半角カナの氏名";
const rows = (page) => page.locator("#bottom .finding-row");
const codes = (page) => page.locator("#bottom .finding-row .code").allTextContents();

/** Runs the program in the folder of the fixtures; findings are no failure. */
function cli(args, options = {}) {
  try {
    return execFileSync(process.env.WARIFU_CLI, ["--config", "none", ...args], { cwd: FIXTURES, maxBuffer: 1 << 28, stdio: ["pipe", "pipe", "ignore"], ...options });
  } catch (error) {
    if (error.status !== 1) throw error;
    return error.stdout;
  }
}

/** Wrong on purpose: no sex, a day that is none, an order without its number. */
const BROKEN = [
  "MSH|^~\\&|HIS|1319999999|WARIFU|X|20260401093015.123||ADT^A08^ADT_A01|20260401000001|P|2.5||||||UNICODE UTF-8",
  "EVN||20260401093015",
  "PID|||0000990001^^^^PI||割符^花子^^^^^L^I~ワリフ^ハナコ^^^^^L^P||19680231",
  "PV1||N",
].join("\n");

async function broken(page) {
  await paste(page, BROKEN);
  await settled(page);
  await rows(page).filter({ hasText: "HL7113" }).or(rows(page).filter({ hasText: "SSM201" })).first().waitFor();
}

async function saved(page, entry) {
  await page.locator("#menu-save").click();
  const waiting = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: entry, exact: true }).click();
  const download = await waiting;
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

test("a broken message shows its findings, worst first, with field, reason, help and the rule's page", async () => {
  const page = await open();
  await broken(page);
  const severities = await page.locator("#bottom .finding-row .severity").allTextContents();
  const order = severities.map((s) => ["✕エラー", "!警告", "i情報"].indexOf(s));
  assert.ok(order.length > 2 && !order.includes(-1), severities.join());
  assert.deepEqual(order, order.toSorted());

  // A rule that only the check knows.
  const row = rows(page).filter({ hasText: "SSM201" }).filter({ hasText: "PID-8" });
  assert.match(await row.textContent(), /性別/);
  await row.click();
  const frame = page.locator("#bottom .frame");
  assert.match(await frame.textContent(), /SSM201.*必須項目.*理由.*対処/);
  await page.locator(".rule-button").click();
  await page.getByRole("dialog").getByText(/^SSM201 /).waitFor();
  await page.getByRole("dialog").getByText(/^根拠: /).waitFor();
  await page.keyboard.press("Escape");

  // No finding twice, though conversion and check both read the message.
  const told = await rows(page).evaluateAll((all) => all.map((r) => `${r.querySelector(".code").textContent} ${r.querySelector(".path").textContent} ${r.lastElementChild.textContent}`));
  assert.equal(new Set(told).size, told.length, told.join("\n"));
  await close(page);
});

test("the field is underlined with a sign, and leads to its finding and back", async () => {
  const page = await open();
  await broken(page);
  const field = page.locator("#message .field-row[data-path='PID-7']");
  await field.scrollIntoViewIfNeeded();
  const line = await field.locator(".found").evaluate((el) => getComputedStyle(el).textDecorationLine);
  assert.equal(line, "underline");
  assert.match(await field.locator(".flag").textContent(), /^[✕!i](エラー|警告|情報)[A-Z]{3}\d{3}$|^[✕!i](エラー|警告|情報)HL7\d{3}$/);
  const code = (await field.locator(".flag").textContent()).slice(-6);
  await field.click();
  const current = page.locator("#bottom .finding-row.is-current");
  assert.match(await current.textContent(), /PID-7/);
  assert.ok((await current.textContent()).includes(code));

  // From the finding to the field, in the tree and in the text.
  await page.keyboard.press("Escape");
  await current.click();
  await page.locator("#message .field-row.is-marked[data-path='PID-7']").waitFor();
  await page.getByRole("tab", { name: "原文", exact: true }).click();
  const underlined = page.locator("#message .run.found", { hasText: "19680231" });
  await underlined.waitFor();
  assert.equal(await underlined.evaluate((el) => getComputedStyle(el).textDecorationLine), "underline");
  await close(page);
});

test("findings are chosen by severity and by profile", async () => {
  const page = await open();
  await broken(page);
  const all = (await codes(page)).length;
  const button = page.getByRole("button", { name: /^エラー \d+$/ });
  const errors = Number(/\d+/.exec(await button.textContent())[0]);
  assert.ok(errors > 0 && errors < all);
  await button.click();
  await becomes(page, () => rows(page).count(), errors);
  await becomes(page, () => button.getAttribute("aria-pressed"), "true");
  await button.click();
  await becomes(page, () => rows(page).count(), all);

  const profile = page.locator("#bottom").getByLabel("規則");
  await profile.selectOption("strict");
  await rows(page).filter({ hasText: "SSM203" }).first().waitFor();
  const seen = new Set(await codes(page));
  assert.ok((await codes(page)).length > all);
  const own = cli(["check", "-", "--format", "json", "--profile", "ssmix2-1.2g", "--profile", "strict"], { input: BROKEN.replaceAll("\n", "\r") });
  // Of its standard input the program says besides that the rules of paths are skipped.
  const told = JSON.parse(own).diagnostics.filter((d) => d.primary.span[1] > 0);
  assert.ok(told.length > 3);
  for (const { code } of told) assert.ok(seen.has(code), `${code} of the program is not among ${[...seen].join()}`);
  await profile.selectOption("off");
  await rows(page).filter({ hasText: "SSM201" }).first().waitFor({ state: "detached" });
  assert.ok((await codes(page)).length > 0, "the conversion has findings of its own");
  await page.reload();
  await settled(page);
  assert.equal(await profile.inputValue(), "off", "the profile is a setting");
  await close(page);
});

test("a storage gives the findings of the program, as the program writes them", async () => {
  const page = await open();
  await page.locator("#pick-folder").setInputFiles(join(FIXTURES, "standard_root"));
  await page.locator("#files h2", { hasText: "ファイル 105" }).waitFor();
  await settled(page);
  const expected = JSON.parse(cli(["check", "standard_root", "--format", "json"]));
  const json = await saved(page, "JSON");
  assert.equal(json.name, "warifu-check.json");
  const made = JSON.parse(json.bytes);
  assert.deepEqual(made.diagnostics, expected.diagnostics);
  assert.deepEqual(made.summary, expected.summary);
  const sarif = await saved(page, "SARIF");
  assert.equal(JSON.parse(sarif.bytes).version, "2.1.0");
  assert.match((await saved(page, "Markdown")).bytes.toString(), /^### warifu/);

  // In the list, those of all files.
  await page.getByRole("button", { name: "すべて", exact: true }).click();
  const shown = await page.locator("#bottom .grade").allTextContents();
  const { errors, warnings, infos } = expected.summary;
  [errors, warnings, infos].forEach((n, i) => assert.ok(Number(/[\d,]+$/.exec(shown[i])[0].replace(",", "")) >= n, shown.join()));
  await close(page);
});

test("fixes are shown before they are saved, and are those of --fix", async () => {
  const page = await open();
  const index = await (await fetch(`${base()}examples/index.json`)).json();
  await example(page, KANA);
  await rows(page).filter({ hasText: "ENC107" }).first().click();
  await page.locator(".fix-button").click();
  const dialog = page.getByRole("dialog");
  assert.match(await dialog.locator(".diff-line.is-removed").first().textContent(), /^-PID.*[ｦ-ﾟ]/);
  assert.match(await dialog.locator(".diff-line.is-added").first().textContent(), /^\+PID.*[ァ-ヶ]/);
  const waiting = page.waitForEvent("download");
  await dialog.locator("#fix-save").click();
  const download = await waiting;
  // Names of SS-MIX2 have no extension, and get none.
  assert.match(download.suggestedFilename(), /_[012]$/);
  const fixed = await readFile(await download.path());
  await page.keyboard.press("Escape");

  const shown = await page.locator("#bottom .frame .place").getAttribute("title");
  const path = index.map((e) => e.path).find((p) => p.endsWith(shown));
  const folder = await mkdtemp(join(tmpdir(), "warifu-browser-"));
  try {
    const file = join(folder, shown.split("/").pop());
    await writeFile(file, Buffer.from(await (await fetch(`${base()}examples/${path}`)).arrayBuffer()));
    cli(["check", file, "--fix", "--format", "json"]);
    assert.deepEqual(fixed, await readFile(file));
  } finally {
    await rm(folder, { recursive: true });
  }
  await close(page);
});

test("the rules come after the first file, from this site; without them the conversion's findings stay", async () => {
  const asked = [];
  const page = await open({ wait: false, prepare: (p) => { p.on("request", (r) => asked.push({ method: r.method(), url: r.url() })); } });
  await settled(page);
  await page.waitForFunction(() => performance.getEntriesByType("resource").some((e) => e.name.endsWith("/check_bg.wasm")));
  await broken(page);
  const names = asked.map((r) => r.url.split("/").pop());
  assert.ok(names.indexOf("check_bg.wasm") > names.indexOf("worker.mjs"), names.join());
  assert.deepEqual(asked.filter((r) => r.method !== "GET" || !r.url.startsWith(base())), []);
  assert.match(await page.locator("#badge").textContent(), /送信 0 バイト/);
  await close(page);

  const without = await open({ prepare: (p) => p.route("**/check_bg.wasm", (route) => route.abort()) });
  await without.locator(".notice.bad", { hasText: "規則を読み込めませんでした" }).waitFor();
  await example(without, KANA);
  await rows(without).filter({ hasText: "ENC107" }).first().waitFor();
  await close(without, [/Failed to load resource|ERR_FAILED/]);
});

test("keyboard alone: to the finding, its field, its page, its fix, and the filter", async () => {
  const page = await open();
  await example(page, KANA);
  await rows(page).filter({ hasText: "ENC107" }).first().waitFor();
  const focused = () => page.evaluate(() => document.activeElement.className);
  const reach = async (name) => {
    for (let i = 0; i < 40 && !(await focused()).includes(name); i += 1) await moves(page, "Tab");
    assert.match(await focused(), new RegExp(name));
  };
  while (!(await focused()).includes("finding-row")) {
    await moves(page, "F6");
  }
  await moves(page, "ArrowDown");
  await becomes(page, () => page.evaluate(() => document.activeElement.ariaPosInSet), "2");
  await page.keyboard.press("Enter");
  await page.locator("#message .field-row.is-marked").first().waitFor();
  await page.waitForTimeout(80);
  await reach("rule-button");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByText(/^ENC107 /).waitFor();
  await page.keyboard.press("Escape");
  await reach("fix-button");
  await page.keyboard.press("Enter");
  await page.locator("#fix-save").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^エラー \d+$/ }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("この重大度のものはありません").waitFor();
  await close(page);
});

for (const [width, height] of [[1440, 900], [360, 740]]) {
  test(`findings fit at ${width} px, and axe finds nothing in light, dark, high contrast and forced colours`, async () => {
    for (const look of [{ colorScheme: "light" }, { colorScheme: "dark" }, { contrast: "more" }, { forcedColors: "active" }]) {
      const page = await open({ width, height });
      await page.emulateMedia(look);
      if (width < 900) await page.locator(".mobile-tab").nth(1).click();
      await example(page, KANA);
      const found = [];
      const inspect = async (what) => { for (const v of await axe(page)) found.push(`${JSON.stringify(look)} ${what}: ${v}`); };
      await page.locator("#message .flag").first().waitFor({ state: "attached" });
      await inspect("message");
      if (width < 900) await page.locator(".mobile-tab").nth(3).click();
      await rows(page).first().click();
      await inspect("findings");
      const wide = await page.evaluate(() => [...document.querySelectorAll("#bottom, #bottom .pane-head, #bottom .frame, #bottom .finding-row")]
        .filter((el) => el.getBoundingClientRect().right > innerWidth + 0.5 || el.scrollWidth > el.clientWidth + 1).map((el) => el.className));
      assert.deepEqual(wide, []);
      await page.locator(".fix-button").click();
      await page.locator("#fix-save").waitFor();
      await inspect("fixes");
      assert.deepEqual(found, []);
      await close(page);
    }
  });
}
