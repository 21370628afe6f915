// axe-core finds nothing: both themes, 360 and 1440 px, every view and dialog.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, close, example, open, start, stop } from "./harness.mjs";

before(start);
after(stop);

for (const [width, height] of [[1440, 900], [360, 740]]) {
  for (const scheme of ["light", "dark"]) {
    test(`axe finds nothing at ${width} px, ${scheme}`, async () => {
      const page = await open({ width, height, scheme });
      const narrow = width < 900;
      const found = [];
      const look = async (what) => { for (const v of await axe(page)) found.push(`${what}: ${v}`); };
      const pane = async (i) => { if (narrow) await page.locator(".mobile-tab").nth(i).click(); };
      await look("start");
      await pane(1);
      await page.locator("#search-message").fill("PID-5[1].1");
      await page.locator("#search-message").press("Enter");
      await page.waitForTimeout(100);
      await look("fields, marked");
      for (const name of ["原文", "16進"]) {
        await page.getByRole("tab", { name, exact: true }).click();
        await page.waitForTimeout(60);
        await look(name);
      }
      await pane(2);
      for (const name of ["ツリー", "JSON", "表", "差分"]) {
        await page.getByRole("tab", { name, exact: true }).click();
        await page.waitForTimeout(60);
        await look(name);
      }
      await page.locator(".diff-bar select").nth(1).selectOption("collection");
      await page.locator(".diff-row.is-added").first().waitFor();
      await look("difference");
      await example(page, "半角カナの氏名");
      await pane(3);
      await page.locator("#bottom .finding-row").first().click();
      await look("findings");
      await page.getByRole("tab", { name: /使われなかった項目/ }).click();
      await page.waitForTimeout(60);
      await look("unused");
      await pane(0);
      await look("files");
      const tool = async (id) => {
        if (narrow) await page.locator("#burger").click();
        await page.locator(id).click();
        await page.waitForTimeout(60);
      };
      await tool("#menu-examples");
      await look("menu");
      await page.keyboard.press("Escape");
      for (const id of ["#tool-settings", "#tool-share"]) {
        if (narrow && !(await page.locator(id).isVisible())) await page.locator("#burger").click();
        await page.locator(id).click();
        await page.waitForTimeout(60);
        if (id === "#tool-share") await page.getByLabel("表示中のファイルの内容も入れる").check();
        await look(id);
        await page.keyboard.press("Escape");
      }
      await page.locator("#badge").click();
      await look("network");
      await page.keyboard.press("Escape");
      await pane(3);
      await page.getByRole("tab", { name: /^検出/ }).last().click();
      await page.locator(".rule-button").click();
      await page.getByRole("dialog").getByText(/^ENC107 /).waitFor();
      await look("rule");
      await page.keyboard.press("Escape");
      assert.deepEqual(found, []);
      await close(page);
    });
  }
}
