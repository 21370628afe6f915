// README's demo as somebody plays it: `warifu demo` in one terminal, `warifu demo requester` in another,
// and the patient in the portal.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { close, open, start, stop } from "./harness.mjs";
import { CLI, port } from "./portal-office.mjs";

before(start);
after(stop);

/** A program whose lines are read as they come. */
class Terminal {
  constructor(...words) {
    this.said = [];
    this.process = spawn(CLI, ["demo", ...words], { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    this.ended = new Promise((resolve) => { this.process.once("exit", resolve); });
  }

  /** Reads to a line that has this text, and gives it. */
  async until(text) {
    for (;;) {
      const { value, done } = await this.lines.next();
      assert.ok(!done, `no ${text} in:\n${this.said.join("\n")}`);
      this.said.push(value);
      if (value.includes(text)) return value;
    }
  }

  enter() { this.process.stdin.write("\n"); }
}

const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
const button = (page, name) => page.getByRole("button", { name, exact: true });

test("the clinic is refused, granted what the patient signs, and cut off", async () => {
  const folder = mkdtempSync(join(tmpdir(), "warifu-demo-"));
  const dir = ["--dir", join(folder, "demo")];
  const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const hospital = new Terminal(...dir, "--port", `${await port()}`, "--portal", at("web/dist"), "--playground", at("playground/dist"));
  const word = async (name) => (await hospital.until(name)).trim().split(/\s+/)[2];
  const portal = await word("portal  ");
  const playground = await word("playground  ");
  const code = await word("code  ");
  const birth = (await hospital.until("birth date  ")).trim().split(/\s+/).at(-1);
  await hospital.until("--fresh: start anew");

  const clinic = new Terminal("requester", ...dir, "--wait", "3");
  assert.match(await clinic.until("架空割符診療所: "), /NO_GRANT/);
  await clinic.until("Then press Enter");

  const page = await open({ address: portal, hash: "key", wait: false });
  await button(page, "鍵を作る").click();
  await page.getByRole("link", { name: "つぎへ" }).click();
  await page.getByLabel("番号").fill(code);
  await page.getByLabel("生年月日").fill(birth.replaceAll("-", ""));
  await button(page, "登録する").click();
  await heading(page, "登録できました");
  await page.getByRole("link", { name: "ホームへ" }).click();
  await heading(page, /^いま見られるところ/);
  await page.getByRole("link", { name: /^架空割符診療所/ }).first().click();
  await button(page, "内容を見る").click();
  await button(page, "この目的なら続ける").click();
  await heading(page, "どの記録を見せますか");
  await page.getByRole("checkbox", { name: "アレルギー" }).check();
  await button(page, "つぎへ").click();
  await page.getByLabel(/^90日/).check();
  await button(page, "つぎへ").click();
  await page.locator("article[data-signed]").waitFor();
  await button(page, "署名して見せる").click();
  await heading(page, /^同意を記録しました（\d+番）$/);

  clinic.enter();
  const shown = await clinic.until("架空割符診療所: 同意された記録だけ");
  assert.match(shown, /アレルギー \d/);
  assert.doesNotMatch(shown, /処方|検査|傷病名|手術 \d/);
  assert.match(await clinic.until("架空別診療所: "), /\(AUD\)/);
  const consents = /http:\S+\/consents/.exec(await clinic.until("/consents"))[0];
  await clinic.until("Then press Enter");
  assert.equal(consents, new URL("/consents", portal).href);
  await page.getByRole("link", { name: /^ホーム(へ)?$/ }).first().click();
  await heading(page, "いま見られるところ：1か所");
  await page.getByRole("navigation").getByRole("link", { name: "同意", exact: true }).click();
  await page.locator(".card").filter({ hasText: "アレルギー" }).getByRole("link", { name: "やめる" }).click();
  await button(page, "やめる").click();
  await heading(page, /にここで止まりました/);
  clinic.enter();
  assert.match(await clinic.until("(REVOKED)"), /架空割符診療所: /);
  assert.equal(await clinic.ended, 0);

  // The same server has the playground, whose worker cannot connect.
  assert.equal((await fetch(playground)).status, 200);
  const worker = await fetch(new URL("worker.mjs", playground));
  assert.match(worker.headers.get("content-security-policy"), /connect-src 'none'/);
  await close(page);
  hospital.process.kill("SIGINT");
  assert.equal(await hospital.ended, 0);
  rmSync(folder, { recursive: true });
});
