// The playground in headless Chromium: input, views, the trace both ways, findings, share, save.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync, inflateRawSync } from "node:zlib";
import { tar } from "../../pkg/test/support.mjs";
import { ZipWriter } from "../../playground/static/worker-zip.mjs";
import { MESSAGE, base, becomes, close, example, open, paste, sabotaged, settled, start, stop } from "./harness.mjs";

before(start);
after(stop);

const FIXTURES = fileURLToPath(new URL("../fixtures/standard_root", import.meta.url));
const marked = (page, pane) => page.locator(`#${pane} .row.is-marked`);
const show = (page, name) => page.getByRole("tab", { name, exact: true }).click();

async function find(page, text) {
  await page.locator("#search-message").fill(text);
  await page.locator("#search-message").press("Enter");
}

test("the first visit shows an example with message and FHIR", async () => {
  const page = await open();
  const index = await (await fetch(`${base()}examples/index.json`)).json();
  const files = index.filter((e) => e.path.startsWith("standard_root/")).length;
  assert.equal(await page.locator("#files h2").textContent(), `ファイル ${files}`);
  assert.ok(await page.locator("#message .field-row").count() > 10);
  assert.match(await page.locator("#fhir .node-row").first().textContent(), /Bundle/);
  assert.match(await page.locator(".facts-line").textContent(), /ADT-00 .*バイト · ISO-2022-JP/);
  // Said of the Bundle beside it.
  const entries = /entry\s*(\d+) 件/.exec((await page.locator("#fhir .node-row").allTextContents()).join("\n"))[1];
  assert.ok(Number(entries) > 1);
  // One of its entries is no resource: it deletes an allergy that the ADT-61 has by its own number.
  assert.match(await page.locator(".facts-line").textContent(), new RegExp(` · ${entries - 1} リソース · `));
  assert.equal(await page.title(), "割符 Warifu");
  await close(page);
});

test("there is an example of every data kind, and five broken ones, each with a finding", async () => {
  const page = await open();
  const index = await (await fetch(`${base()}examples/index.json`)).json();
  const kinds = new Set(index.map((e) => /^standard_root\/.*\/([A-Z]{3}(?:-\d\d)?)\/[^/]+$/.exec(e.path)?.[1]).filter(Boolean));
  assert.equal(kinds.size, 26);
  await page.locator("#menu-examples").click();
  assert.deepEqual(new Set(await page.locator("#menu-examples + .menu .code").allTextContents()), kinds);
  const names = await page.getByRole("menuitem").allTextContents();
  await page.keyboard.press("Escape");
  const broken = names.slice(-5);
  assert.deepEqual(broken, ["半角カナの氏名", "漢字シフトの閉じ忘れ", "文字コードが Shift_JIS", "患者番号がフォルダーと違う", "途中で切れている"]);
  for (const name of broken) {
    await example(page, name);
    await page.locator("#bottom .finding-row .severity:is(.is-error, .is-warning)").first().waitFor();
  }
  await close(page);
});

test("a field marks every element made from it, an element its bytes", async () => {
  const page = await open();
  await find(page, "PID-5[1].1");
  await marked(page, "fhir").first().waitFor();
  const labels = await page.locator("#fhir .from").allTextContents();
  assert.ok(labels.some((l) => l.startsWith("← ") && l.includes("PID-5[1].1")), labels.join());
  assert.ok(await marked(page, "fhir").first().evaluate((el) => {
    const box = el.getBoundingClientRect();
    const list = el.closest(".list").getBoundingClientRect();
    return box.top >= list.top && box.bottom <= list.bottom;
  }), "the first element is scrolled into view");

  // And back: the element marks the component, in every view of the message.
  await page.locator("#fhir .node-row.is-marked").last().click();
  await marked(page, "message").first().waitFor();
  const rows = await page.locator("#message .field-row.is-marked").evaluateAll((all) => all.map((r) => r.dataset.path));
  assert.ok(rows.some((r) => r.startsWith("PID-5[1].1")), rows.join());
  await show(page, "原文");
  const text = await page.locator("#message .text-row .mark").allTextContents();
  assert.match(text.join(""), /␛\$B割符␛\(B/);
  await show(page, "16進");
  const bytes = await page.locator("#message .byte.mark").allTextContents();
  assert.deepEqual(bytes.slice(0, 3), ["1B", "24", "42"]);
  await close(page);
});

test("a constant names its table", async () => {
  const page = await open();
  const row = page.locator("#fhir .node-row", { has: page.locator(".key", { hasText: /^resourceType$/ }) }).nth(1);
  await row.click();
  await page.locator("#fhir .from").first().waitFor();
  assert.match(await page.locator("#fhir .from").first().textContent(), /^(定数 \(表 [A-Z0-9_]+\)|変換が付けた値)$/);
  assert.equal(await marked(page, "message").count(), 0);
  await close(page);
});

test("a click on a character of the original text follows its field", async () => {
  const page = await open();
  await show(page, "原文");
  await page.locator("#message .run", { hasText: "花子" }).first().click();
  await marked(page, "fhir").first().waitFor();
  assert.match((await page.locator("#fhir .from").allTextContents()).join(), /PID-5/);
  await close(page);
});

test("the field's names are shown on hover and on focus", async () => {
  const page = await open();
  const row = page.locator("#message .field-row[data-path='PID-5']");
  await row.scrollIntoViewIfNeeded();
  await row.hover();
  await becomes(page, () => page.locator("#message .strip").textContent(), /PID-5.*氏名.*\/ .*[Nn]ame/);
  await page.locator("#message .field-row").first().focus();
  await becomes(page, () => page.locator("#message .strip").textContent(), /^MSH/);
  await close(page);
});

test("findings show their frame and lead to their field; unused fields have a reason", async () => {
  const page = await open();
  await example(page, "半角カナの氏名");
  await page.locator("#bottom .finding-row").first().waitFor();
  const row = page.locator("#bottom .finding-row", { hasText: "PID-5" }).first();
  await row.click();
  await becomes(page, () => page.locator(".frame mark").textContent(), /[ｦ-ﾟ]/);
  await becomes(page, () => page.locator(".frame").textContent(), /PID-5\[2\]/);
  await page.locator("#message .field-row.is-marked").first().waitFor();

  // The rule's own page.
  await page.locator(".rule-button").click();
  await page.getByRole("dialog").getByText(/^ENC107 /).waitFor();
  await page.getByRole("dialog").getByText(/^根拠: /).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: /使われなかった項目/ }).click();
  await page.locator("#bottom .unused-row").first().waitFor();
  await page.locator("#bottom .unused-row .tag", { hasText: "対象外" }).first().waitFor();
  const reasons = new Set(await page.locator("#bottom .unused-row .tag").allTextContents());
  assert.ok([...reasons].every((r) => ["対象外", "移し先なし", "未知", "判断に使用"].includes(r)), [...reasons].join());
  await close(page);
});

test("a file without problems says so, for itself and for all", async () => {
  const page = await open();
  const name = "0000990003_20260508_ADT-12_999999999999999_20260508164110500_09_1";
  // Without who entered it and where, which no resource carries: that is told of every other message.
  const sent = (await readFile(join(FIXTURES, "000/099/0000990003/20260508/ADT-12", name))).toString("latin1");
  const clean = Buffer.from(sent.replace(/C0401.*?\|(\d{12})\|WRF\r/s, "|$1\r"), "latin1");
  assert.notEqual(clean.length, sent.length);
  // Of one person the second would be the first once more, and that is told.
  const of = (end) => Buffer.from(clean.toString("latin1").replaceAll("0000990003", `000099000${end}`), "latin1");
  await page.locator("#pick-files").setInputFiles(["1", "2"].map((end) => ({ name: name + end, mimeType: "", buffer: of(end) })));
  await page.locator("#files h2", { hasText: "ファイル 2" }).waitFor();
  await settled(page);
  await page.getByText("このファイルに問題は見つかりませんでした").waitFor();
  await page.getByRole("button", { name: "すべて", exact: true }).click();
  await page.getByText("問題は見つかりませんでした (2 ファイル)").waitFor();
  await close(page);
});

test("JSON, table and difference of two settings", async () => {
  const page = await open();
  await show(page, "JSON");
  await becomes(page, () => page.locator("#fhir .json-row").nth(1).textContent(), /^ {2}"resourceType": "Bundle",/);
  await show(page, "表");
  assert.deepEqual(await page.locator("#fhir [role=columnheader]").allTextContents(), ["種類と id", "主なコード", "日付", "出所"]);
  assert.match(await page.locator("#fhir .res-row").nth(1).textContent(), /^[A-Z]/);
  await show(page, "差分");
  await page.locator(".diff-bar select").nth(1).selectOption("collection");
  await page.locator(".diff-row.is-added").first().waitFor();
  assert.match((await page.locator(".diff-row.is-added").allTextContents()).join(), /"type": "collection"/);
  assert.match((await page.locator(".diff-row.is-removed").allTextContents()).join(), /"type": "transaction"/);
  await close(page);
});

test("pasted, dropped and chosen input", async () => {
  const page = await open();
  await paste(page, MESSAGE);
  await settled(page);
  await becomes(page, () => page.locator("#files h2").textContent(), "ファイル 1");
  assert.ok((await page.locator("#fhir .node-row").allTextContents()).some((t) => t.includes("花子")));

  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], "dropped_1"));
    document.querySelector("main").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  }, MESSAGE.replaceAll("\n", "\r").replace("花子", "太郎"));
  await page.locator("#fhir .node-row", { hasText: "太郎" }).first().waitFor();

  await page.locator("#pick-files").setInputFiles([
    { name: "a", mimeType: "", buffer: Buffer.from(MESSAGE.replaceAll("\n", "\r")) },
    { name: "b", mimeType: "", buffer: Buffer.from(MESSAGE.replaceAll("\n", "\r")) },
  ]);
  await page.locator("#files h2", { hasText: "ファイル 2" }).waitFor();
  await settled(page);
  await close(page);
});

test("a file of one's own has its trace, however it came", async () => {
  const patient = join(FIXTURES, "000/099/0000990002");
  const paths = (await readdir(patient, { recursive: true, withFileTypes: true })).filter((e) => e.isFile()).map((e) => join(e.parentPath ?? e.path, e.name));
  const basic = paths.find((path) => path.includes("/ADT-00/"));
  const name = basic.split("/").at(-1);
  const bytes = await readFile(basic);
  const zip = new ZipWriter();
  await zip.add(`standard_root/${basic.slice(FIXTURES.length + 1)}`, [bytes]);
  const archive = Buffer.from(await zip.blob().arrayBuffer());
  const choose = (page, ...files) => page.locator("#pick-files").setInputFiles(files.map(([name, buffer]) => ({ name, mimeType: "", buffer })));
  const ways = {
    pasted: [1, (page) => paste(page, new TextDecoder("iso-2022-jp").decode(bytes).replaceAll("\r", "\n"))],
    chosen: [1, (page) => choose(page, [name, bytes])],
    "two chosen": [2, (page) => choose(page, [name, bytes], [`${name.slice(0, -1)}0`, bytes])],
    dropped: [1, (page) => page.evaluate(([name, base64]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      document.querySelector("main").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }, [name, bytes.toString("base64")])],
    folder: [paths.length, (page) => page.locator("#pick-folder").setInputFiles(patient)],
    zip: [1, (page) => choose(page, ["storage.zip", archive])],
  };
  for (const [way, [count, bring]] of Object.entries(ways)) {
    const page = await open();
    await bring(page);
    await page.waitForFunction((heading) => document.querySelector("#files h2")?.textContent === heading, `ファイル ${count}`);
    await settled(page);
    await find(page, "PID-7");
    await marked(page, "fhir").first().waitFor().catch(() => assert.fail(`${way}: PID-7 marks nothing`));
    await page.getByRole("tab", { name: /使われなかった項目 [1-9]/ }).click().catch(() => assert.fail(`${way}: no field is told to be unused`));
    await page.locator("#bottom .unused-row").first().waitFor();
    await close(page);
  }
});

test("a file that is neither says so with its first bytes", async () => {
  const page = await open();
  await page.locator("#pick-files").setInputFiles([{ name: "picture", mimeType: "", buffer: Buffer.from("89504E470D0A1A0A00", "hex") }]);
  // In both panes: in the one the tab may show bytes.
  for (const pane of ["message", "fhir"]) await page.locator(`#${pane}`).getByText("SS-MIX2 でも FHIR でもないファイルです。先頭のバイト: 89 50 4E 47").waitFor();
  await page.locator("#pick-files").setInputFiles([{ name: "nothing", mimeType: "", buffer: Buffer.alloc(0) }]);
  await page.getByText("空のファイルです (0 バイト)").first().waitFor();
  await close(page);
});

test("a zip made by saving opens again", async () => {
  const page = await open();
  await page.locator("#menu-save").click();
  const waiting = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "種類別 NDJSON (zip)" }).click();
  const zip = await waiting;
  assert.equal(zip.suggestedFilename(), "warifu-ndjson.zip");
  const bytes = await readFile(await zip.path());
  assert.deepEqual([...bytes.subarray(0, 4)], [0x50, 0x4b, 3, 4]);
  assert.ok(bytes.includes(Buffer.from("Patient.ndjson")));
  await settled(page);
  await page.locator("#pick-files").setInputFiles([{ name: "out.zip", mimeType: "", buffer: bytes }]);
  await page.locator("#files .file-row", { hasText: "Patient.ndjson" }).waitFor();
  await close(page);
});

/** Files of a zip by name. */
function unzip(bytes) {
  const out = new Map();
  const end = bytes.lastIndexOf(Buffer.from("504b0506", "hex"));
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [method, size, name, extra, comment] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30), bytes.readUInt16LE(at + 32)];
    const local = bytes.readUInt32LE(at + 42);
    const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const data = bytes.subarray(from, from + size);
    out.set(bytes.toString("utf8", at + 46, at + 46 + name), method === 8 ? inflateRawSync(data) : data);
    at += 46 + name + extra + comment;
  }
  return out;
}

/** What an entry of the menu saves. */
async function saved(page, entry) {
  await page.locator("#menu-save").click();
  const waiting = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: entry }).click();
  return readFile(await (await waiting).path());
}

const cli = (args, input) => execFileSync(process.env.WARIFU_CLI, ["--config", "none", ...args], { input, maxBuffer: 1 << 28 });

/** NDJSON of a folder or archive as the program writes it, by file name. */
async function ndjsonOf(source) {
  const out = await mkdtemp(join(tmpdir(), "warifu-browser-"));
  try {
    try { cli(["convert", source, "--to", "ndjson", "--institution", "1319999999", "--out", out]); } catch (error) { if (error.status !== 1) throw error; }
    const names = (await readdir(out)).filter((name) => /^[A-Z].*\.ndjson$/.test(name)).sort();
    return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(out, name), "utf8")])));
  } finally {
    await rm(out, { recursive: true });
  }
}

/** Bundles of a folder as the program writes them, by file name. */
async function bundlesOf(source) {
  const out = await mkdtemp(join(tmpdir(), "warifu-browser-"));
  try {
    try { cli(["convert", source, "--to", "bundle", "--institution", "1319999999", "--out", out]); } catch (error) { if (error.status !== 1) throw error; }
    const files = (await readdir(out, { recursive: true })).filter((name) => /^[^/]+\/.*\.json$/.test(name));
    return new Map(await Promise.all(files.map(async (name) => [name, await readFile(join(out, name), "utf8")])));
  } finally {
    await rm(out, { recursive: true });
  }
}

test("a cut zip is named by its finding, and nothing of the file before stays; the rest is read", async () => {
  const page = await open();
  const zip = new ZipWriter();
  await zip.add("a", [Buffer.from(MESSAGE.replaceAll("\n", "\r"))]);
  const whole = Buffer.from(await zip.blob().arrayBuffer());
  await page.locator("#pick-files").setInputFiles([
    { name: "cut.zip", mimeType: "", buffer: whole.subarray(0, -30) },
    { name: "b", mimeType: "", buffer: Buffer.from(MESSAGE.replaceAll("\n", "\r")) },
  ]);
  await page.locator("#files h2", { hasText: "ファイル 2" }).waitFor();
  await settled(page);
  await page.locator("#files .file-row", { hasText: "cut.zip" }).click();
  await settled(page);
  await page.locator("#bottom .finding-row", { hasText: "SSM115" }).first().waitFor();
  for (const pane of ["message", "fhir"]) await page.locator(`#${pane}`).getByText("先頭のバイト: 50 4B 03 04").waitFor();
  await page.locator("#files .file-row", { hasText: /^b|[^a-z]b/ }).first().click();
  await page.locator("#fhir .node-row", { hasText: "花子" }).first().waitFor();
  await close(page);
});

test("what a tar or gzip does not give is named; a message in a gzip is read", async () => {
  const page = await open();
  const message = Buffer.from(MESSAGE.replaceAll("\n", "\r"));
  const whole = Buffer.from(tar([{ path: "inside", bytes: message }, { path: "../outside", bytes: message }]));
  const inputs = [
    ["cut.tar", whole.subarray(0, 1024 + 512), { "cut.tar": "SSM115", outside: "SSM110", inside: undefined }],
    ["whole.tar.gz", gzipSync(whole), { outside: "SSM110", inside: undefined }],
    ["cut.tar.gz", gzipSync(whole).subarray(0, -20), { "cut.tar.gz": "SSM115" }],
    ["twice.gz", gzipSync(gzipSync(message)), { twice: "SSM146" }],
    ["packed.tar.zst", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]), { "packed.tar.zst": "SSM129" }],
    ["message.hl7.gz", gzipSync(message), { "message.hl7": undefined }],
  ];
  for (const [name, buffer, rows] of inputs) {
    await page.locator("#pick-files").setInputFiles([{ name, mimeType: "", buffer }]);
    const count = Object.keys(rows).length;
    await page.locator("#files h2", { hasText: `ファイル ${count}` }).waitFor();
    await settled(page);
    for (const [row, code] of Object.entries(rows)) {
      // A file by itself is shown without a choice.
      if (count > 1) await page.locator("#files .file-row", { hasText: row }).first().click();
      await settled(page);
      if (code) await page.locator("#bottom .finding-row", { hasText: code }).first().waitFor();
      else await page.locator("#fhir .node-row", { hasText: "花子" }).first().waitFor();
    }
  }
  await close(page);
});

test("files of two archives with the same paths are told apart", async () => {
  const page = await open();
  const archive = async (name, text) => {
    const zip = new ZipWriter();
    await zip.add("in/m", [Buffer.from(text.replaceAll("\n", "\r"))]);
    return { name, mimeType: "", buffer: Buffer.from(await zip.blob().arrayBuffer()) };
  };
  const of = (number) => MESSAGE.replace(/PID\|.*/, `PID|1||${number}^^^^PI||甲^乙||19800402|F`);
  await page.locator("#pick-files").setInputFiles([await archive("a.zip", of("111")), await archive("b.zip", of("222")), await archive("b.zip", of("333"))]);
  await page.locator("#files h2", { hasText: "ファイル 3" }).waitFor();
  await settled(page);
  const bundles = unzip(await saved(page, "すべての FHIR (zip)"));
  const numbers = ["in/m", "b.zip/in/m", "b.zip (2)/in/m"].map((path) => /"value":"(111|222|333)"/.exec(bundles.get(`${path}.json`)?.toString())?.[1]);
  assert.deepEqual(numbers, ["111", "222", "333"]);
  await close(page);
});

test("a message, a folder and archives give the bytes of the program", async () => {
  const page = await open();
  // A message.
  const name = "0000990001_20260401_OML-11_000000260401011_20260401113015250_08_1";
  const message = await readFile(join(FIXTURES, "000/099/0000990001/20260401/OML-11", name));
  await page.locator("#pick-files").setInputFiles([{ name, mimeType: "", buffer: message }]);
  await page.locator("#files h2", { hasText: "ファイル 1" }).waitFor();
  await settled(page);
  const one = await saved(page, "表示中の FHIR");
  assert.equal(`${one.toString().trimEnd()}\n`, cli(["convert", "-", "--stdin-name", name], message).toString());

  // A folder, and the same as archives. Beside the folder the program would find the institution in the index.
  await page.locator("#tool-settings").click();
  await page.getByLabel("医療機関番号 (10桁)").fill("1319999999");
  await page.keyboard.press("Escape");
  const expected = await ndjsonOf(FIXTURES);
  assert.ok(expected.size > 10);
  const types = (zip) => new Map([...zip].filter(([file]) => expected.has(file)).map(([file, bytes]) => [file, bytes.toString()]));
  await page.locator("#pick-folder").setInputFiles(FIXTURES);
  await page.locator("#files h2", { hasText: "ファイル 105" }).waitFor();
  await settled(page);
  assert.deepEqual(types(unzip(await saved(page, "種類別 NDJSON (zip)"))), expected);

  const zip = new ZipWriter();
  const files = [];
  for (const entry of (await readdir(FIXTURES, { recursive: true, withFileTypes: true })).filter((e) => e.isFile())) {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const [path, bytes] = [`standard_root/${file.slice(FIXTURES.length + 1)}`, await readFile(file)];
    await zip.add(path, [bytes]);
    files.push({ path, bytes });
  }
  const archives = { "storage.zip": Buffer.from(await zip.blob().arrayBuffer()), "storage.tar": Buffer.from(tar(files)), "storage.tar.gz": gzipSync(tar(files)) };
  for (const [name, buffer] of Object.entries(archives)) {
    await page.locator("#pick-files").setInputFiles([{ name, mimeType: "", buffer }]);
    await page.locator("#files h2", { hasText: "ファイル 105" }).waitFor();
    await settled(page);
    assert.deepEqual(types(unzip(await saved(page, "種類別 NDJSON (zip)"))), expected, name);
  }

  // Everything else that can be saved is of the same files.
  const all = unzip(await saved(page, "すべての FHIR (zip)"));
  const bundles = await bundlesOf(FIXTURES);
  assert.ok(bundles.size > 50);
  assert.deepEqual([...all.keys()].filter((file) => file.endsWith(".json")).sort(), [...bundles.keys()].sort());
  const different = [...bundles].filter(([file, json]) => all.get(file).toString().trimEnd() !== json.trimEnd()).map(([file]) => file);
  assert.deepEqual(different, []);
  // What is shown of a message is its Bundle among those of its patient; what is withdrawn is a DELETE.
  for (const [part, method] of [["ADT-00_999999999999999_20260425113000888_-_1", "PUT"], ["ADT-21_999999999999999_20260401105000700_08_0", "DELETE"]]) {
    const current = page.locator(`#files .file-row.is-current [title*="${part}"]`);
    for (let n = 0; n < 40 && await current.count() === 0; n += 1) {
      await page.keyboard.press("]");
      await settled(page);
    }
    const shown = (await saved(page, "表示中の FHIR")).toString();
    const [, json] = [...bundles].find(([file]) => file.includes(part));
    assert.equal(shown.trimEnd(), json.trimEnd());
    assert.equal(JSON.parse(shown).entry[0].request.method, method);
  }
  const trace = unzip(await saved(page, "変換の跡 (zip)"));
  assert.ok(JSON.parse(trace.get("trace.ndjson").toString().split("\n")[0]).pointer);
  await close(page);
});

test("what patients share is saved as the program writes it, whoever comes first", async () => {
  const folder = await mkdtemp(join(tmpdir(), "warifu-shared-"));
  const result = (patient, doctor, hospital) =>
    `MSH|^~\\&|A|B|C|D|20260401100000||OUL^R22^OUL_R22|1|P|2.5||||||UNICODE UTF-8\rPID|1||${patient}^^^^PI\rSPM|1|||019^^JC10\rOBR|1|77||1^^99|||20260401||||||||${doctor}\rORC|SC|77||||||||||${doctor}|||||01^内科^99||||${hospital}\rOBX|1|NM|3A015000002327101^Alb^JC10||4.4|g/dL|||||F\r`;
  const patients = [["0000000041", "607", "登呂病院"], ["0000000042", "607^医師^一郎", ""], ["0000000043", "607^女医^花子^三", ""], ["0000000044", "607", ""]];
  const page = await open();
  try {
    for (const [patient, doctor, hospital] of patients) {
      const place = join(folder, patient.slice(0, 3), patient.slice(3, 6), patient, "20260401", "OML-11");
      await mkdir(place, { recursive: true });
      await writeFile(join(place, `${patient}_20260401_OML-11_000000000000077_20260401100000000_01_1`), result(patient, doctor, hospital));
    }
    await page.locator("#tool-settings").click();
    await page.getByLabel("医療機関番号 (10桁)").fill("1319999999");
    await page.keyboard.press("Escape");
    await page.locator("#pick-folder").setInputFiles(folder);
    await page.locator("#files h2", { hasText: "ファイル 4" }).waitFor();
    await settled(page);
    const expected = await ndjsonOf(folder);
    const zip = unzip(await saved(page, "種類別 NDJSON (zip)"));
    assert.deepEqual(new Map([...zip].filter(([file]) => expected.has(file)).map(([file, bytes]) => [file, bytes.toString()])), expected);
    assert.match(expected.get("Practitioner.ndjson"), /花子/);
    const told = (lines) => lines.toString().trimEnd().split("\n").map((line) => JSON.parse(line)).filter((d) => d.code === "SSM183");
    assert.deepEqual(told(zip.get("diagnostics.ndjson")).map((d) => d.message.split(" ").length > 1 && /Practitioner\/[0-9a-f-]{36}/.test(d.message)), [true]);
    const bundles = await bundlesOf(folder);
    const all = unzip(await saved(page, "すべての FHIR (zip)"));
    assert.equal(bundles.size, 4);
    assert.deepEqual([...bundles].filter(([file, json]) => all.get(file).toString().trimEnd() !== json.trimEnd()).map(([file]) => file), []);
    assert.match([...bundles].find(([file]) => file.includes("0000000044"))[1], /花子.*登呂病院|登呂病院.*花子/);
  } finally {
    await close(page);
    await rm(folder, { recursive: true });
  }
});

test("messages of a person without their storage are saved together, as the program writes them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "warifu-loose-"));
  const result = (patient, sent, value) =>
    `MSH|^~\\&|A|B|C|D|${sent}||OUL^R22^OUL_R22|${sent}|P|2.5||||||~ISO IR87\rPID|1||${patient}\rSPM|1|||019^^JC10\rOBR|1|77||1^^99|||20260401\rORC|SC|77\rOBX|1|NM|3A015000002327101^Alb^JC10||${value}|g/dL|||||F\r`;
  const stay = (event, at, bed) =>
    `MSH|^~\\&|A|B|C|D|${at}||ADT^${event}|${at}|P|2.5||||||~ISO IR87\rEVN||${at}|||||\rPID|1||0000000031\rPV1|1|I|32^302^${bed}|||||||||||||||||||||||||||||||||||||||||20260401\r`;
  const files = { "b.hl7": result("0000000030", "20260402100000", "4.4"), "c.hl7": result("0000000030", "20260403100000", "3.3"), "a.hl7": result("0000000032", "20260402110000", "5.5"), "d.hl7": stay("A01", "20260401090000", 1), "e.hl7": stay("A02", "20260402090000", 2) };
  const page = await open();
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await page.locator("#tool-settings").click();
    await page.getByLabel("医療機関番号 (10桁)").fill("1319999999");
    await page.keyboard.press("Escape");
    await page.locator("#pick-folder").setInputFiles(folder);
    await page.locator("#files h2", { hasText: "ファイル 5" }).waitFor();
    await settled(page);
    const expected = await ndjsonOf(folder);
    const saidTwice = (file) => expected.get(file).trimEnd().split("\n").length;
    assert.deepEqual([saidTwice("Observation.ndjson"), saidTwice("Encounter.ndjson")], [2, 1]);
    const zip = unzip(await saved(page, "種類別 NDJSON (zip)"));
    assert.deepEqual(new Map([...zip].filter(([file]) => expected.has(file)).map(([file, bytes]) => [file, bytes.toString()])), expected);
  } finally {
    await close(page);
    await rm(folder, { recursive: true });
  }
});

test("the saved Bundle is what is shown", async () => {
  const page = await open();
  const waiting = page.waitForEvent("download");
  await page.keyboard.press("Control+s");
  const saved = await waiting;
  assert.match(saved.suggestedFilename(), /ADT-00.*\.json$/);
  const bundle = JSON.parse(await readFile(await saved.path(), "utf8"));
  assert.equal(bundle.resourceType, "Bundle");
  await show(page, "表");
  await becomes(page, () => page.locator("#fhir .res-row").count(), bundle.entry.filter((e) => e.resource).length + 1);
  await close(page);
});

test("a link carries settings and the example; own content only after the box", async () => {
  const page = await open();
  await page.locator("#tool-settings").click();
  await page.getByLabel("Bundle の型").selectOption("collection");
  await page.keyboard.press("Escape");
  await page.locator("#tool-share").click();
  const plain = await page.locator("#share-link").inputValue();
  assert.match(plain, /#v1\.[A-Za-z0-9_-]+$/);
  assert.ok(plain.length < 400);

  await page.getByLabel("表示中のファイルの内容も入れる").check();
  await becomes(page, () => page.locator("#share-link").count(), 0);
  await page.getByText("患者のデータを共有しないでください").waitFor();
  assert.equal(await page.getByLabel("実在の患者のデータではありません").isChecked(), false);
  await page.getByLabel("実在の患者のデータではありません").check();
  await page.locator("#share-link").waitFor();
  const own = await page.locator("#share-link").inputValue();
  assert.ok(own.length > plain.length && own.length <= 8_192 + base().length + 1);
  await close(page);

  const other = await open({ hash: new URL(own).hash });
  assert.equal(await other.locator("#files h2").textContent(), "ファイル 1");
  assert.ok((await other.locator("#fhir .node-row").allTextContents()).some((t) => t.includes("collection")));
  assert.ok((await other.locator("#message .field-row").allTextContents()).some((t) => t.includes("花子")));
  await close(other);
});

test("content too large for a link is refused", async () => {
  const page = await open();
  let noise = "";
  for (let i = 0; noise.length < 24_000; i += 1) noise += `OBX|${i}|ST|${(i * 2654435761 % 4294967296).toString(36)}||${(i * 40503 % 65521).toString(36)}\n`;
  await paste(page, `${MESSAGE}\n${noise}`);
  await settled(page);
  await page.locator("#tool-share").click();
  await page.getByLabel("表示中のファイルの内容も入れる").check();
  await page.getByLabel("実在の患者のデータではありません").check();
  await page.getByText("大きすぎます。ファイルで渡してください").waitFor();
  await close(page);
});

test("settings are kept, content is not", async () => {
  const page = await open();
  await paste(page, MESSAGE);
  await settled(page);
  await page.locator("#language").selectOption("en");
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("Theme").selectOption("dark");
  await page.keyboard.press("Escape");
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert.match(stored, /\\"lang\\":\\"en\\"/);
  assert.doesNotMatch(stored, /割符|花子|PID|0000990001/);
  await page.reload();
  await settled(page);
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  assert.match(await page.locator("#badge").textContent(), /0 bytes sent/);
  // Of the page's own words none is left in Japanese.
  const words = await page.locator(".tools, .tab, .pane-head h2, .scope, .strip, .status, .placeholder, #badge").allTextContents();
  assert.doesNotMatch(words.join("\n"), /[\u3040-\u30ff\u4e00-\u9fff]/);
  const names = await page.locator("[aria-label]").evaluateAll((all) => all.map((el) => el.ariaLabel));
  assert.doesNotMatch(names.join("\n"), /[\u3040-\u30ff\u4e00-\u9fff]/);
  const height = () => page.locator("#fhir .row").first().evaluate((el) => el.clientHeight);
  const before = await height();
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("Text size").selectOption("large");
  await page.keyboard.press("Escape");
  assert.ok(await height() > before);
  await close(page);
});

test("a panic leaves the input, and the page goes on", () => sabotaged("PANIC", "throw new WebAssembly.RuntimeError('unreachable');", async (address) => {
  const page = await open({ address });
  await paste(page, `${MESSAGE}\nNTE|1||PANIC`);
  await page.getByText(/内部エラーです \(版 .+\)。入力は消えていません/).first().waitFor();
  await page.locator("#files h2", { hasText: "ファイル 1" }).waitFor();
  await page.locator("#menu-open").click();
  await page.getByRole("menuitem", { name: /貼り付け/ }).click();
  assert.match(await page.locator("#paste-text").inputValue(), /PANIC/);
  await page.locator("#paste-text").fill(MESSAGE);
  await page.locator("#paste-run").click();
  await page.locator("#fhir .node-row", { hasText: "花子" }).first().waitFor();
  await settled(page);
  await close(page);
}));

/** The engine takes its time with what holds `STALL`: the second time, or with `ALWAYS` each time. */
const STALL = `globalThis.stalls = (globalThis.stalls ?? 0) + 1;
  if (globalThis.stalls === 2 || new TextDecoder().decode(bytes).includes("ALWAYS")) for (const end = Date.now() + 4000; Date.now() < end;);`;

test("panes never show one file under the name of another: not while it is made, not after a cancel", () => sabotaged("STALL", STALL, async (address) => {
  const page = await open({ address });
  const downloads = [];
  page.on("download", (download) => downloads.push(download.suggestedFilename()));
  const hl7 = (text) => Buffer.from(text.replaceAll("\n", "\r"));
  const other = MESSAGE.replace("割符^花子", "能登^太郎").replace("ワリフ^ハナコ", "ノト^タロウ").replace("0000990001", "0000000777");
  const shown = () => page.locator("#message, #fhir, #bottom, .facts-line").allTextContents();
  const says = async (text) => {
    for (const pane of ["message", "fhir"]) await page.locator(`#${pane} .placeholder`, { hasText: text }).waitFor();
    // Nothing of anybody, and no count of what is not known.
    assert.doesNotMatch((await shown()).join("\n"), /花子|太郎|0000990001|0000000777|検出 \d|項目 \d|エラー \d|ms/);
    await page.keyboard.press("Control+s");
    await page.locator(".notice.bad", { hasText: "表示してから保存できます" }).waitFor();
  };
  const current = page.locator("#files .file-row.is-current");

  await page.locator("#pick-files").setInputFiles([
    { name: "a_small", mimeType: "", buffer: hl7(MESSAGE) }, { name: "z_big", mimeType: "", buffer: hl7(`${other}\nNTE|1||STALL`) },
  ]);
  await page.locator("#files h2", { hasText: "ファイル 2" }).waitFor();
  await page.locator("#fhir .node-row", { hasText: "花子" }).first().waitFor();
  await page.getByRole("tab", { name: /^検出 \d/ }).waitFor();
  await settled(page);
  await page.locator("#files .file-row", { hasText: "z_big" }).click();
  await says("変換中: z_big");
  await page.keyboard.press("Escape");
  await says("中止しました");
  assert.match(await current.textContent(), /z_big/);
  await page.locator("#fhir .again").click();
  await page.locator("#fhir .node-row", { hasText: "太郎" }).first().waitFor();
  assert.doesNotMatch((await shown()).join("\n"), /花子/);
  const waiting = page.waitForEvent("download");
  await page.keyboard.press("Control+s");
  assert.match(await readFile(await (await waiting).path(), "utf8"), /太郎/);
  assert.deepEqual(downloads, ["z_big.json"]);

  // A single file over what was open.
  await page.locator("#pick-files").setInputFiles([{ name: "other", mimeType: "", buffer: hl7(`${MESSAGE}\nNTE|1||STALL ALWAYS`) }]);
  await says("変換中: other");
  await page.keyboard.press("Escape");
  await says("中止しました");
  assert.match(await current.textContent(), /other/);
  await close(page);
}));

test("what was not checked is not called free of problems", async () => {
  const FHIR = '{"resourceType":"Patient","gender":"x"}';
  for (const [blocked, text, why] of [
    ["**/validate_bg.wasm", FHIR, "FHIR の検証を読み込めませんでした"],
    ["**/check_bg.wasm", MESSAGE, "規則を読み込めませんでした"],
  ]) {
    const page = await open({ prepare: (p) => p.context().route(blocked, (route) => route.abort()) });
    await paste(page, text);
    await page.locator("#bottom .unchecked", { hasText: `検査していません。${why}` }).waitFor();
    assert.doesNotMatch(await page.locator("#bottom").textContent(), /問題は見つかりませんでした/);
    if (text === FHIR) {
      assert.doesNotMatch(await page.locator("#bottom").textContent(), /検出 \d|エラー \d/);
      assert.equal(await page.locator("#bottom-tab-0").textContent(), "検出");
      // Nor is the page said to work offline as a whole before it does.
      await page.getByText("FHIR の検証のほかはオフラインで使えます").waitFor();
      await page.context().unroute(blocked);
      await page.locator("#bottom .again").click();
      await page.locator("#bottom .finding-row", { hasText: "FHR" }).first().waitFor();
      await becomes(page, () => page.locator("#bottom .unchecked").count(), 0);
      // The service worker keeps what was fetched through it: not of the first visit.
      await page.reload();
      await settled(page);
      await paste(page, FHIR);
      await page.locator("#bottom .finding-row", { hasText: "FHR" }).first().waitFor();
      await page.getByText("オフラインで使えます", { exact: true }).waitFor();
    }
    await close(page, [/Failed to load resource|ERR_FAILED/]);
  }
});

test("the focus outlives its list, and a search is a key away wherever it is", async () => {
  const page = await open();
  const name = "0000990003_20260508_ADT-12_999999999999999_20260508164110500_09_1";
  const sent = (await readFile(join(FIXTURES, "000/099/0000990003/20260508/ADT-12", name))).toString("latin1");
  const clean = Buffer.from(sent.replace(/C0401.*?\|(\d{12})\|WRF\r/s, "|$1\r"), "latin1");
  await page.locator("#pick-files").setInputFiles([
    { name, mimeType: "", buffer: clean }, { name: "loose", mimeType: "", buffer: Buffer.from("MSH|^~\\&|A|B|C|D|20260401||ADT^A08^ADT_A01|1|P|2.5\rPID|1||777\r") },
  ]);
  await page.locator("#files h2", { hasText: "ファイル 2" }).waitFor();
  await settled(page);
  const focused = () => page.evaluate(() => `${document.activeElement.closest(".pane")?.id} ${document.activeElement.className}`);
  await page.locator("#files .file-row", { hasText: "loose" }).click();
  await page.locator("#bottom .finding-row").first().click();
  await becomes(page, focused, /^bottom .*finding-row/);
  // The other file has no findings: the pane has the focus for them.
  await page.keyboard.press("[");
  await page.getByText("このファイルに問題は見つかりませんでした").waitFor();
  await becomes(page, focused, /^bottom pane/);
  await page.keyboard.press("]");
  await becomes(page, focused, /^bottom .*finding-row/);
  await page.keyboard.press("/");
  await becomes(page, () => page.evaluate(() => document.activeElement.id), "search-message");
  await page.keyboard.press("Escape");
  // A list that is made anew has its row again.
  await becomes(page, focused, /^message .*field-row/);
  await page.keyboard.press("[");
  await page.locator("#message .field-row", { hasText: "0000990003" }).first().waitFor();
  await becomes(page, focused, /^message .*field-row/);
  await close(page);
});

test("what is too large for the browser is said to be so, with no count of what is not known", () => sabotaged("HUGE", "throw new RangeError('Invalid string length');", async (address) => {
  const page = await open({ address });
  await paste(page, `${MESSAGE}\nNTE|1||HUGE`);
  for (const pane of ["message", "fhir"]) await page.locator(`#${pane} .placeholder`, { hasText: "大きすぎて、このブラウザーのメモリーに収まりません" }).waitFor();
  await page.getByRole("tab", { name: "使われなかった項目", exact: true }).click();
  await page.locator("#bottom .placeholder", { hasText: "大きすぎて" }).waitFor();
  await close(page);
}));

test("a trace of several pieces leads both ways", async () => {
  const page = await open();
  const results = Array.from({ length: 900 }, (_, i) => `OBX|${i + 1}|NM|3A010^総蛋白^JC10||${7000 + i}|g/dL||||F`);
  await paste(page, [MESSAGE.replace("ADT^A08^ADT_A01", "OUL^R22^OUL_R22"), "SPM|1|||023^血清^JC10", "OBR|1|000000260401001||E001^生化学^99L|||20260401", ...results].join("\n"));
  await page.getByRole("tab", { name: /使われなかった項目 \d/ }).waitFor();
  await find(page, "7899");
  await marked(page, "fhir").filter({ hasText: "7899" }).first().waitFor();
  // The person is named by each of them.
  await find(page, "PID-3");
  await becomes(page, async () => Number(/→ ([\d,]+) 要素/.exec(await page.locator("#live").textContent())?.[1].replace(",", "")) > 900, true);
  await close(page);
});
