// axe-core finds nothing on any screen of the portal that stands without a session; nothing scrolls
// sideways at 320 px or with 200 % text; every target is 44 px.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { axe, close, open, start, stop } from "./harness.mjs";
import { Desk } from "./portal-desk.mjs";
import { servePortal } from "./portal-server.mjs";

const SHOTS = process.env.WARIFU_SHOTS;
let site;
let desk;
before(async () => {
  await start();
  desk = new Desk();
  site = await servePortal((...all) => desk.api(...all));
  desk.origin = site.url;
});
after(async () => { await site.close(); await stop(); desk.close(); });

const ready = (page) => page.locator("main h1[tabindex]").waitFor();

async function shot(page, name) {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

for (const [width, height] of [[320, 640], [768, 1024], [1440, 900]]) {
  for (const theme of ["標準", "暗い", "くっきり"]) {
    test(`axe finds nothing at ${width} px, ${theme}, also at 200 % text`, async () => {
      const page = await open({ address: site.url, hash: "/settings", wait: false, width, height });
      // Colours are judged at rest, not on their way from one theme to the other.
      await page.emulateMedia({ reducedMotion: "reduce" });
      await page.locator("fieldset").nth(2).getByLabel(theme).check();
      const found = [];
      const look = async (what) => {
        // The bar at the bottom covers whatever is scrolled under it: everything is in view instead.
        await page.setViewportSize({ width, height: Math.max(height, await page.evaluate(() => document.documentElement.scrollHeight)) });
        for (const v of await axe(page)) found.push(`${what}: ${v}`);
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
        if (sideways) found.push(`${what}: scrolls sideways`);
        const small = await page.locator("a, button, label.row").evaluateAll((all) => all.filter((el) => {
          const box = el.getBoundingClientRect();
          return box.width > 0 && box.bottom > 0 && (box.height < 43.5 || box.width < 43.5);
        }).map((el) => el.textContent));
        for (const text of small) found.push(`${what}: target below 44 px: ${text}`);
      };
      for (const lang of theme === "標準" ? ["日本語", "やさしい", "English"] : ["日本語"]) {
        await page.goto(`${site.url}/settings`);
        await page.getByRole("button", { name: lang, exact: true }).click();
        for (const path of ["/", "/key", "/enrol", "/menu", "/settings", "/bye", "/nothing"]) {
          await page.goto(site.url + path);
          await ready(page);
          await look(`${lang} ${path}`);
          await shot(page, `${width}-${theme}-${lang}${path.replaceAll("/", "-")}`);
          if (lang !== "日本語") continue;
          await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
          await look(`${lang} ${path} 200 %`);
        }
      }
      await page.goto(`${site.url}/settings`);
      await page.getByRole("button", { name: "日本語", exact: true }).click();
      await page.goto(`${site.url}/key`);
      await page.getByRole("button", { name: "鍵を作る" }).click();
      await page.getByRole("link", { name: "つぎへ" }).waitFor();
      await look("key made");
      await page.getByRole("link", { name: "つぎへ" }).click();
      await page.getByRole("button", { name: "登録する" }).click();
      await page.getByRole("alert").waitFor();
      await look("errors");
      await shot(page, `${width}-${theme}-errors`);
      assert.deepEqual(found, []);
      await close(page);
    });
  }
}
