// FHIR in the page: files and pasted text are validated where they are opened, the output when somebody asks.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { tgz } from "../../pkg/test/support.mjs";
import { axe, base, close, open, paste, settled, start, stop } from "./harness.mjs";

before(start);
after(stop);

const SHARED = fileURLToPath(new URL("../../../shared/fhir/", import.meta.url));
const GUIDE = "http://example.org/fhir/StructureDefinition/P";
const ENGINE = "validate_bg.wasm";

/** Wrong on purpose: a word for a boolean, a code of no set, an invariant, a profile that is not there. */
const PATIENT = JSON.stringify({ resourceType: "Patient", meta: { profile: [GUIDE] }, active: "yes", gender: "女", contact: [{ gender: "female" }] }, undefined, 2);
const BUNDLE = JSON.stringify({
  resourceType: "Bundle", type: "collection",
  entry: ["male", "sometimes"].map((gender, i) => ({ fullUrl: `urn:uuid:00000000-0000-4000-8000-00000000000${i}`, resource: { resourceType: "Patient", gender } })),
}, undefined, 2);
const LINES = '{"resourceType":"Patient","gender":"male"}\n{"resourceType":"Patient","gender":"?"}\n{"resourceType":"Pat\n';

/** The archive of a guide of our own: a Patient has a birth date. */
const archive = () => Buffer.from(tgz({
  "package.json": { name: "test.ig", version: "1.0.0", fhirVersions: ["4.0.1"], dependencies: { "other.ig": "2.0.0" } },
  "StructureDefinition-p.json": {
    resourceType: "StructureDefinition", url: GUIDE, version: "1.0.0", name: "P", status: "active", kind: "resource", abstract: false, type: "Patient",
    baseDefinition: "http://hl7.org/fhir/StructureDefinition/Patient", derivation: "constraint",
    differential: { element: [{ id: "Patient", path: "Patient" }, { id: "Patient.birthDate", path: "Patient.birthDate", min: 1 }] },
  },
}));

const rows = (page) => page.locator("#bottom .finding-row");
const codes = (page) => page.locator("#bottom .finding-row .code").allTextContents();
const row = (page, ...texts) => texts.reduce((found, hasText) => found.filter({ hasText }), rows(page)).first();
const frame = (page) => page.locator("#bottom .frame");
const marked = (page) => page.locator("#fhir .node-row.is-marked").first();
const notice = (page, hasText) => page.locator(".notice", { hasText });
/** Waits until the tree has the flag of a finding beside an element. */
const flagged = (page, element, code) => page.locator("#fhir .node-row", { has: page.getByText(element, { exact: true }) }).locator(".flag", { hasText: code }).first().waitFor();

async function saved(page, entry) {
  await page.locator("#menu-save").click();
  const waiting = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: entry, exact: true }).click();
  return readFile(await (await waiting).path());
}

/** Opens a text as pasted FHIR and waits for a finding. */
async function validated(page, text, code) {
  await paste(page, text);
  await settled(page);
  await row(page, code).waitFor();
}

/** Drops files on the page. */
const drop = (page, files) => page.evaluate((all) => {
  const data = new DataTransfer();
  for (const { name, base64 } of all) data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}, files.map(({ name, buffer }) => ({ name, base64: buffer.toString("base64") })));

/** Pastes text on the page itself, as Ctrl+V does. */
const pasteHere = (page, text) => page.evaluate((given) => {
  const data = new DataTransfer();
  data.setData("text/plain", given);
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}, text);

async function settings(page) {
  if (await page.locator("#burger").isVisible()) await page.locator("#burger").click();
  await page.locator("#tool-settings").click();
  await page.locator("#pick-packages").waitFor();
}

/** Does something with a folder of its own, which is gone afterwards. */
async function inFolder(work) {
  const folder = await mkdtemp(join(tmpdir(), "warifu-fhir-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What the program prints; findings are no failure. */
function cli(cwd, ...args) {
  try {
    return execFileSync(process.env.WARIFU_CLI, args, { cwd, stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, WARIFU_LANG: "ja" } });
  } catch (error) {
    if (error.status !== 1) throw error;
    return error.stdout;
  }
}

test("pasted FHIR is validated; findings stand on their element, with reason, help and the page of their rule", async () => {
  const page = await open();
  await validated(page, PATIENT, "FHR006");
  const found = await codes(page);
  assert.ok(found.includes("FHR101") && found.includes("pat-1") && found.includes("FHR301"), found.join());

  // In the tree, in the JSON and in the text each stands where it is meant.
  await flagged(page, "gender", "FHR101");
  await flagged(page, "active", "FHR006");
  await page.locator("#message").getByRole("tab", { name: "原文", exact: true }).click();
  await page.locator("#message .run.found", { hasText: "女" }).first().waitFor();
  await page.locator("#fhir").getByRole("tab", { name: "JSON", exact: true }).click();
  await page.locator("#fhir .json-row", { hasText: '"gender"' }).locator(".flag", { hasText: "FHR101" }).waitFor();
  await page.locator("#fhir").getByRole("tab", { name: "ツリー", exact: true }).click();

  await row(page, "FHR101", "Patient.gender").click();
  assert.match(await frame(page).textContent(), /FHR101.*女.*Patient\.gender.*対処/s);
  assert.match(await frame(page).locator(".place").textContent(), /pasted\.json:9:13/);
  await marked(page).waitFor();
  assert.match(await marked(page).textContent(), /gender/);

  // An invariant has the page of its rule.
  await row(page, "pat-1").click();
  await page.locator(".rule-button").click();
  await page.getByRole("dialog").getByText(/^FHR014 /).waitFor();
  await page.keyboard.press("Escape");
  await close(page);
});

test("the engine is fetched with the first of FHIR, by nobody before; from then on it works offline, too", async () => {
  const asked = [];
  // What the service worker fetches counts, too.
  const page = await open({ prepare: (page) => page.context().on("request", (request) => asked.push(request.url().split("/").pop())) });
  await page.getByText("オフラインで使えます").waitFor();
  assert.ok(asked.includes("check_bg.wasm") && !asked.includes(ENGINE), asked.join());
  await validated(page, PATIENT, "FHR006");
  assert.ok(asked.includes(ENGINE));
  // The first visit is not yet the service worker's: the next one is, and keeps what it needs.
  await page.reload();
  await settled(page);
  await validated(page, PATIENT, "FHR006");
  await page.context().setOffline(true);
  await page.reload();
  await settled(page);
  await validated(page, PATIENT, "FHR006");
  await close(page, [/ERR_INTERNET_DISCONNECTED|Failed to load resource|sw\.js|ServiceWorker/]);
});

test("without the engine it says so, waits for nothing, and tries again", async () => {
  const page = await open({ prepare: (page) => page.context().route(`**/${ENGINE}`, (route) => route.abort()) });
  await paste(page, PATIENT);
  await notice(page, "FHIR の検証を読み込めませんでした").waitFor();
  await settled(page);
  await page.locator("#bottom .placeholder", { hasText: "検査中" }).waitFor({ state: "detached" });
  // The output asks for it, too.
  await paste(page, "MSH|^~\\&|HIS|H|GW|H|20260401093000||ADT^A08^ADT_A01|1|P|2.5||||||UNICODE UTF-8\nPID|||1||割符^花子||19680303|F");
  await settled(page);
  await page.locator("#validate-output").click();
  await notice(page, "FHIR の検証を読み込めませんでした").waitFor();
  await page.locator("#bottom .placeholder", { hasText: "検査中" }).waitFor({ state: "detached" });
  await page.context().unroute(`**/${ENGINE}`);
  await validated(page, PATIENT, "FHR006");
  await close(page, [/Failed to load resource|ERR_FAILED/]);
});

test("what is saved is the report of the command line", () => inFolder(async (folder) => {
  const page = await open();
  await validated(page, PATIENT, "FHR006");
  await writeFile(join(folder, "pasted.json"), PATIENT);
  for (const [entry, format] of [["JSON", "json"], ["SARIF", "sarif"], ["OperationOutcome", "operation-outcome"]]) {
    const theirs = cli(folder, "--config", "none", "check", "pasted.json", "--format", format);
    assert.equal((await saved(page, entry)).toString(), theirs.toString(), format);
  }
  await close(page);
}));

test("a Bundle and lines of NDJSON are validated entry by entry, dropped or chosen", async () => {
  const page = await open();
  await drop(page, [{ name: "bundle.json", buffer: Buffer.from(BUNDLE) }, { name: "a.ndjson", buffer: Buffer.from(LINES) }]);
  await page.locator("#files h2", { hasText: "ファイル 2" }).waitFor();
  await page.locator(".file-row", { hasText: "bundle.json" }).click();
  await row(page, "FHR101", "entry[1]").click();
  assert.match(await frame(page).locator(".place").textContent(), /bundle\.json:\d+:/);
  await marked(page).waitFor();
  assert.match(await marked(page).textContent(), /gender.*sometimes/);

  await page.locator(".file-row", { hasText: "a.ndjson" }).click();
  await row(page, "FHR001").waitFor();
  await row(page, "FHR101").click();
  assert.match(await frame(page).locator(".place").textContent(), /a\.ndjson:2:/);

  await page.locator("#pick-files").setInputFiles({ name: "b.ndjson", mimeType: "application/fhir+ndjson", buffer: Buffer.from(LINES.split("\n").slice(0, 2).join("\n")) });
  await settled(page);
  await row(page, "FHR101").click();
  assert.match(await frame(page).locator(".place").textContent(), /b\.ndjson:2:/);
  await marked(page).waitFor();
  assert.match(await marked(page).textContent(), /gender.*\?/);
  await close(page);
});

test("packages are added, named with what they lack, and taken away", async () => {
  const page = await open();
  await validated(page, PATIENT, "FHR301");
  await settings(page);
  await page.locator("#pick-packages").setInputFiles([
    { name: "ig.tgz", mimeType: "application/gzip", buffer: archive() },
    { name: "none.tgz", mimeType: "application/gzip", buffer: Buffer.from("none") },
  ]);
  const item = page.locator(".package");
  await item.waitFor();
  assert.match(await item.textContent(), /test\.ig#1\.0\.0.*other\.ig#2\.0\.0/);
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press("Escape");
  await notice(page, "none.tgz を使えません").waitFor();
  await row(page, "FHR401", "birthDate").click();
  assert.match(await frame(page).textContent(), /example\.org\/fhir\/StructureDefinition\/P\|1\.0\.0 · Patient\.birthDate/);
  assert.ok(!(await codes(page)).includes("FHR301"));
  await settings(page);
  await item.getByRole("button").click();
  await item.waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await row(page, "FHR301").waitFor();
  await close(page);
});

test("packages are dropped on the page, alone or with what they are for; compiled ones, too", () => inFolder(async (folder) => {
  const page = await open();
  await drop(page, [{ name: "ig.tgz", buffer: archive() }]);
  await notice(page, "FHIR パッケージ: 1 件").waitFor();
  // What was open stays open.
  assert.ok(await page.locator(".file-row").count() > 1);
  await validated(page, PATIENT, "FHR401");
  await close(page);

  await writeFile(join(folder, "ig.tgz"), archive());
  cli(folder, "package", "compile", "ig.tgz", "-o", "ig.wfp");
  const other = await open();
  await drop(other, [{ name: "p.json", buffer: Buffer.from(PATIENT) }, { name: "ig.wfp", buffer: await readFile(join(folder, "ig.wfp")) }]);
  await row(other, "FHR401", "birthDate").waitFor();
  await other.locator("#files h2", { hasText: "ファイル 1" }).waitFor();
  await settings(other);
  assert.match(await other.locator(".package").textContent(), /test\.ig#1\.0\.0/);
  await close(other);
}));

const PACKAGES = ["jpfhir.jp.core-1.2.0.tgz", "jp-clins.r4-1.5.3.tgz", "jp-core.r4-1.1.2-url.tgz"];
test("the Japanese guides are read in the page, and nothing is sent", { skip: existsSync(SHARED) ? false : "../shared is absent" }, async (t) => {
  const page = await open();
  const patient = JSON.stringify({ resourceType: "Patient", meta: { profile: ["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Patient"] }, gender: "female" });
  await validated(page, patient, "FHR301");
  const files = await Promise.all(PACKAGES.map(async (name) => ({ name, buffer: await readFile(join(SHARED, "packages", name)) })));
  const started = performance.now();
  await drop(page, files);
  await notice(page, "FHIR パッケージ: 3 件").waitFor({ timeout: 120_000 });
  // Told, not judged: what the machine does besides decides it, too.
  t.diagnostic(`three guides read in ${Math.round(performance.now() - started)} ms`);
  await row(page, "JPC401", "identifier").click();
  assert.match(await frame(page).textContent(), /core\/StructureDefinition\/JP_Patient · Patient\.identifier/);
  const network = JSON.parse(await page.evaluate(() => globalThis.warifuHost.network()));
  assert.deepEqual([network.sent, network.violations], [0, 0]);
  await close(page);
});

test("the output of the conversion is validated with one button, and has no error", async () => {
  const page = await open();
  await page.locator("#validate-output").click();
  await notice(page, "検証しました").waitFor();
  assert.match(await notice(page, "検証しました").textContent(), /エラー 0/);
  await row(page, "Bundle.").click();
  assert.match(await frame(page).locator(".place").textContent(), /FHIR:\d+:\d+/);
  await marked(page).waitFor();
  // Another file has no findings of this output.
  await page.keyboard.press("]");
  await settled(page);
  await row(page, "Bundle.").waitFor({ state: "detached" });
  await close(page);
});

test("findings on FHIR are reached with the keyboard alone", async () => {
  const page = await open();
  await pasteHere(page, PATIENT);
  await row(page, "FHR006").waitFor();
  // The findings of all files come behind those of the one that is shown.
  await settled(page);
  await page.locator("#fhir").focus();
  await page.keyboard.press("n");
  const first = await frame(page).getAttribute("aria-label");
  await marked(page).waitFor();
  await page.keyboard.press("n");
  await page.waitForFunction((was) => document.querySelector("#bottom .frame").getAttribute("aria-label") !== was, first);
  await page.keyboard.press("p");
  await page.waitForFunction((was) => document.querySelector("#bottom .frame").getAttribute("aria-label") === was, first);
  const pane = () => page.evaluate(() => document.activeElement.closest(".pane")?.id ?? "");
  while (await pane() !== "bottom") {
    const was = await pane();
    await page.keyboard.press("F6");
    await page.waitForFunction((before) => (document.activeElement.closest(".pane")?.id ?? "") !== before, was);
  }
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => [...document.querySelectorAll("#bottom .finding-row")].at(-1).getAttribute("aria-selected") === "true");
  // The focus follows what is selected once it is painted.
  await page.waitForFunction(() => [...document.querySelectorAll("#bottom .finding-row")].at(-1) === document.activeElement);
  // The page of its rule is the next thing that can be reached.
  await page.keyboard.press("Tab");
  await page.waitForFunction(() => document.activeElement.classList.contains("rule-button"));
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  // The button that validates the output can be pressed, too.
  await paste(page, "MSH|^~\\&|HIS|H|GW|H|20260401093000||ADT^A08^ADT_A01|1|P|2.5||||||UNICODE UTF-8\nPID|||1||割符^花子||19680303|F");
  await settled(page);
  await page.locator("#validate-output").focus();
  await page.keyboard.press("Enter");
  await notice(page, "検証しました").waitFor();
  await close(page);
});

for (const [width, height, scheme] of [[1440, 900, "light"], [360, 740, "light"], [1440, 900, "dark"], [360, 740, "dark"]]) {
  test(`axe finds nothing in findings on FHIR at ${width} px, ${scheme}`, async () => {
    const page = await open({ width, height, scheme });
    const shot = async (name) => {
      assert.deepEqual(await axe(page), [], name);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name}: ${wide} px too wide`);
      if (process.env.WARIFU_SHOTS) await page.screenshot({ path: join(process.env.WARIFU_SHOTS, `validate-${name}-${width}-${scheme}.png`) });
    };
    await pasteHere(page, PATIENT);
    if (width < 900) await page.locator(".mobile-tab").nth(3).click();
    await row(page, "FHR101").click();
    await shot("findings");
    if (width < 900) await page.locator(".mobile-tab").nth(2).click();
    await shot("tree");
    await drop(page, [{ name: "ig.tgz", buffer: archive() }]);
    await notice(page, "FHIR パッケージ: 1 件").waitFor();
    await settings(page);
    await page.locator(".package").waitFor();
    await shot("settings");
    await close(page);
  });
}

test("nothing is sent while FHIR is validated, and the first answer is there soon", async (t) => {
  const page = await open();
  await validated(page, PATIENT, "FHR006");
  const network = JSON.parse(await page.evaluate(() => globalThis.warifuHost.network()));
  assert.deepEqual([network.sent, network.violations], [0, 0]);
  // Told, not judged: what the machine does besides decides it, too.
  const ms = await page.evaluate(async ([address, engine, text]) => {
    const module = await WebAssembly.compileStreaming(fetch(`${address}${engine}`));
    const glue = await import(`${address}validate.js`);
    const started = performance.now();
    glue.initSync({ module });
    const validator = new glue.ValidateEngine({});
    const { summary } = validator.check([{ path: "a", bytes: new TextEncoder().encode(text) }]);
    return summary.errors > 0 ? performance.now() - started : NaN;
  }, [base(), ENGINE, PATIENT]);
  assert.ok(Number.isFinite(ms));
  t.diagnostic(`first validation ${ms.toFixed(0)} ms after the module was compiled`);
  await close(page);
});
