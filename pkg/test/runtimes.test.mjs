// The package as its users get it: Deno, Bun, and a build by Vite. The programs are development
// dependencies of the workspace, with the versions of its lock file.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { test } from "node:test";
import { Converter } from "warifu";
import { message, pathOf, root, zip } from "./support.mjs";

const modules = fileURLToPath(new URL("node_modules", root));
const sha = (data) => createHash("sha256").update(data).digest("hex");

/** The same message in an archive, whose reader is a module of its own. */
const archive = () => zip([{ path: pathOf("990001"), bytes: message("990001") }]);

const options = { to: "ndjson", institution: "1319999999" };
const lines = async (events) => {
  const parts = [];
  for await (const e of events) if (e.type === "resource") parts.push(e.json, Buffer.from("\n"));
  return Buffer.concat(parts);
};

/** What the program below prints in any runtime: hashes of the message alone and of the archive. */
const expected = await (async () => {
  const c = new Converter(options);
  const { json } = c.convert(message());
  const streamed = await lines(c.convertAll(archive()));
  c.free();
  return [sha(json), sha(streamed)];
})();

const program = `
import { createHash } from "node:crypto";
import { Converter } from "warifu";
const sha = (data) => createHash("sha256").update(data).digest("hex");
const bytes = Uint8Array.from(${JSON.stringify([...message()])});
const archive = Uint8Array.from(${JSON.stringify([...archive()])});
const converter = new Converter(${JSON.stringify(options)});
const { json } = converter.convert(bytes);
const parts = [];
for await (const e of converter.convertAll(new Blob([archive]))) if (e.type === "resource") parts.push(...e.json, 10);
converter.free();
console.log(sha(json), sha(Uint8Array.from(parts)));
`;

/** A project that depends on the package. */
function project(files) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "warifu-")));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(fileURLToPath(new URL("pkg", root)), join(folder, "node_modules/warifu"), "junction");
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module", dependencies: { warifu: "*" } }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function runs(tool, args) {
  const folder = project({ "main.mjs": program });
  try {
    const program = join(modules, ".bin", tool);
    const out = execFileSync(program, args, { cwd: folder, encoding: "utf8", shell: process.platform === "win32" });
    assert.deepEqual(out.trim().split(" "), expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("Deno gives the bytes of Node.js", () => {
  runs("deno", ["run", "--quiet", "--no-lock", "--cached-only", "--node-modules-dir=manual", "--allow-read", "main.mjs"]);
});

test("Bun gives the bytes of Node.js", () => {
  runs("bun", ["run", "main.mjs"]);
});

test("a build by Vite emits the modules and finds them", async () => {
  const folder = project({
    "index.html": '<!doctype html><script type="module" src="/main.mjs"></script>',
    "main.mjs": `
      import { Converter, init } from "warifu";
      globalThis.convert = async (bytes) => {
        await init();
        return new Converter(${JSON.stringify(options)}).convert(bytes).json;
      };
      globalThis.stream = async (source) => {
        const parts = [];
        const converter = new Converter(${JSON.stringify(options)});
        for await (const e of converter.convertAll(source)) if (e.type === "resource") parts.push(...e.json, 10);
        return Uint8Array.from(parts);
      };
    `,
  });
  try {
    const vite = await import(pathToFileURL(createRequire(join(modules, "x.js")).resolve("vite")).href);
    const build = { target: "es2022", modulePreload: false };
    await vite.build({ root: folder, configFile: false, logLevel: "error", base: "./", build });
    const assets = readdirSync(join(folder, "dist/assets"));
    for (const name of ["convert", "convert-clins", "convert-documents", "convert-view", "unpack"]) {
      // A bundler puts eight characters behind the name.
      const wasm = assets.filter((n) => n.startsWith(`${name}-`) && n.length === name.length + "-12345678.wasm".length);
      assert.equal(wasm.length, 1, String(assets));
      const built = readFileSync(join(folder, "dist/assets", wasm[0]));
      assert.deepEqual(built, readFileSync(new URL(`pkg/dist/wasm/${name}.wasm`, root)));
    }
    // What a browser would do: the script fetches the modules beside it.
    const fetched = [];
    const real = globalThis.fetch;
    globalThis.fetch = async (url) => {
      assert.equal(new URL(url).protocol, "file:");
      fetched.push(new URL(url).pathname.split("/").at(-1).slice(0, -"-12345678.wasm".length));
      return new Response(readFileSync(new URL(url)), { headers: { "content-type": "application/wasm" } });
    };
    try {
      const scripts = assets.filter((n) => n.startsWith("index") && n.endsWith(".js"));
      assert.equal(scripts.length, 1, String(assets));
      await import(pathToFileURL(join(folder, "dist/assets", scripts[0])).href);
      assert.equal(sha(await globalThis.convert(message())), expected[0]);
      const first = ["convert", "convert-clins", "convert-documents", "convert-view"];
      assert.deepEqual(fetched.sort(), first);
      assert.equal(sha(await globalThis.stream(archive())), expected[1]);
      assert.deepEqual(fetched, [...first, "unpack"]);
    } finally {
      globalThis.fetch = real;
      delete globalThis.convert;
      delete globalThis.stream;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
