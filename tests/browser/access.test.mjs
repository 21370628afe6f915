// Keyboard only; nothing too wide, nothing over another and no target too small at 320, 360 and 1440 px.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { becomes, close, example, moves, open, settled, start, stop } from "./harness.mjs";

before(start);
after(stop);

const focused = (page) => page.evaluate(() => {
  const el = document.activeElement;
  return { id: el.id, row: el.closest(".row")?.id ?? "", pane: el.closest(".pane")?.id ?? "", path: el.dataset.path ?? "" };
});

test("everything can be done with the keyboard", async () => {
  const page = await open();
  const seen = [];
  for (let i = 0; i < 4; i += 1) {
    await moves(page, "F6");
    seen.push((await focused(page)).pane);
  }
  assert.deepEqual([...seen].sort(), ["bottom", "fhir", "files", "message"]);
  await moves(page, "Shift+F6");
  assert.equal((await focused(page)).pane, seen[2]);

  // To the message, down to a field, follow it.
  while ((await focused(page)).pane !== "message") {
    await moves(page, "F6");
  }
  await page.keyboard.press("/");
  await becomes(page, async () => (await focused(page)).id, "search-message");
  await page.keyboard.type("PID-3");
  await page.keyboard.press("ArrowDown");
  await becomes(page, async () => (await focused(page)).path, /^PID-3/);
  await moves(page, "ArrowDown");
  const field = (await focused(page)).path;
  await page.keyboard.press("Enter");
  await page.locator("#fhir .row.is-marked").first().waitFor();
  // Not only at once: what comes after the mark leaves the focus there, too.
  await page.waitForTimeout(120);
  await becomes(page, async () => (await focused(page)).path, field);

  // The tree closes and opens, and keeps the focus.
  await page.keyboard.press("Home");
  await becomes(page, async () => (await focused(page)).path, /^MSH/);
  const expanded = () => page.locator("#message .field-row").first().getAttribute("aria-expanded");
  const second = () => page.locator("#message .field-row").nth(1).getAttribute("data-path");
  await becomes(page, second, /^MSH-1/);
  await page.keyboard.press("ArrowLeft");
  await becomes(page, expanded, "false");
  await becomes(page, second, /^(?!MSH)/);
  await becomes(page, async () => (await focused(page)).path, /^MSH/);
  await page.keyboard.press("ArrowRight");
  await becomes(page, expanded, "true");
  await becomes(page, second, /^MSH-1/);

  // Next and previous file; focus survives.
  const before = await page.locator(".stepper").textContent();
  await page.keyboard.press("]");
  await page.waitForFunction((old) => document.querySelector(".stepper").textContent !== old, before);
  await settled(page);
  await page.waitForTimeout(150);
  await becomes(page, async () => (await focused(page)).pane, "message");
  await page.keyboard.press("[");
  await page.waitForFunction((old) => document.querySelector(".stepper").textContent === old, before);

  // Menus, dialogs, splitters.
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await becomes(page, () => page.getByRole("dialog").count(), 0);
  await page.locator("#menu-open").focus();
  for (const [key, id] of [["ArrowDown", "menu-open-0"], ["ArrowUp", "menu-open-2"], ["Escape", "menu-open"]]) {
    await page.keyboard.press(key);
    await becomes(page, async () => (await focused(page)).id, id);
  }
  const splitter = page.getByRole("separator").first();
  await splitter.focus();
  const width = () => page.locator("#files").evaluate((el) => el.clientWidth);
  const narrower = await width();
  await page.keyboard.press("ArrowRight");
  await becomes(page, async () => await width() > narrower, true);

  const chooser = page.waitForEvent("filechooser");
  await page.keyboard.press("Control+o");
  await chooser;
  await close(page);
});

test("n and p walk the findings; letters can be turned off", async () => {
  const page = await open();
  await example(page, "半角カナの氏名");
  await page.locator("#bottom .finding-row").first().waitFor();
  await page.locator("#message .field-row").first().focus();
  await page.keyboard.press("n");
  await page.locator("#message .field-row.is-marked").first().waitFor();
  await page.keyboard.press("Escape");
  await becomes(page, () => page.locator("#message .field-row.is-marked").count(), 0);
  await page.keyboard.press("?");
  await page.getByLabel("文字キーの操作を使う").uncheck();
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  await page.waitForTimeout(150);
  assert.equal(await page.locator("#message .field-row.is-marked").count(), 0);
  await close(page);
});

for (const [width, height] of [[1440, 900], [360, 740], [320, 640]]) {
  test(`nothing is wider than the window at ${width} px, and targets are 24 px or more`, async () => {
    const page = await open({ width, height });
    const narrow = width < 900;
    const check = async (what) => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${what}: ${wide} px too wide`);
      const outside = await page.evaluate(() => [...document.querySelectorAll(".pane-head, .bar, .status, .strip, .mobile-tabs")]
        .filter((el) => el.checkVisibility() && el.scrollWidth > el.clientWidth + 1).map((el) => `${el.parentElement.id} ${el.className}`));
      assert.deepEqual(outside, [], what);
      // What stands in one head does not lie over its neighbour.
      const over = await page.evaluate(() => [...document.querySelectorAll(".pane-head, .bar, .mobile-tabs")].filter((el) => el.checkVisibility()).flatMap((head) => {
        const all = [...head.querySelectorAll("h2, button, select, input:not([type=file]), a")].filter((el) => el.checkVisibility()).map((el) => [el, el.getBoundingClientRect()]);
        return all.flatMap(([a, p], i) => all.slice(i + 1)
          .filter(([b, q]) => !a.contains(b) && !b.contains(a) && p.right > q.left + 1 && q.right > p.left + 1 && p.bottom > q.top + 1 && q.bottom > p.top + 1)
          .map(([b]) => `${a.textContent || a.id} over ${b.textContent || b.id}`));
      }));
      assert.deepEqual(over, [], what);
      const small = await page.evaluate(() => [...document.querySelectorAll("button, select, input:not([type=file]), a, [role=treeitem], [role=option], [role=gridcell], [role=tab], [role=listitem]")]
        .filter((el) => el.checkVisibility())
        .map((el) => ({ el, box: el.getBoundingClientRect() }))
        // A checkbox is as large as its label.
        .map(({ el, box }) => ({ el, box: el.type === "checkbox" ? el.closest("label").getBoundingClientRect() : box }))
        .filter(({ box, el }) => box.width > 0 && (box.height < 23.9 || (box.width < 23.9 && !el.matches(".res-row *"))))
        .map(({ el, box }) => `${el.className || el.tagName} ${box.width}×${box.height}`));
      assert.deepEqual([...new Set(small)], [], what);
    };
    await check("start");
    if (narrow) {
      for (let i = 0; i < 4; i += 1) {
        await page.locator(".mobile-tab").nth(i).click();
        await check(`pane ${i}`);
      }
      await page.locator(".mobile-tab").nth(1).click();
      await becomes(page, () => page.locator(".pane:visible").count(), 1);
    }
    await page.getByRole("tab", { name: "16進", exact: true }).click();
    await page.waitForTimeout(100);
    await check("hex");
    await page.locator("#language").selectOption("en");
    await check("English");
    await close(page);
  });
}

test("on a narrow screen the trace leads to the other side by a button", async () => {
  const page = await open({ width: 360, height: 740 });
  await page.locator("#search-message").fill("PID-5[1].1");
  await page.locator("#search-message").press("Enter");
  await page.locator("#message .targets .chip").first().click();
  await page.locator("#fhir .node-row.is-marked").first().waitFor();
  assert.ok(await page.locator("#fhir").isVisible());
  const before = await page.locator(".stepper").textContent();
  await page.getByRole("button", { name: "次のファイル" }).click();
  await page.waitForFunction((old) => document.querySelector(".stepper").textContent !== old, before);
  await close(page);
});

test("on a narrow screen Escape closes the menu and the focus goes back to its button", async () => {
  const page = await open({ width: 360, height: 740 });
  const burger = page.locator("#burger");
  await burger.focus();
  await burger.press("Enter");
  await becomes(page, () => burger.getAttribute("aria-expanded"), "true");
  await moves(page, "Tab");
  await page.keyboard.press("Escape");
  await becomes(page, () => burger.getAttribute("aria-expanded"), "false");
  await becomes(page, () => page.evaluate(() => document.activeElement.id), "burger");
  await close(page);
});
