// The examples of the README run on this Node.js, with files of our own in place of the reader's.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { test } from "node:test";
import { compilePackage } from "warifu/validate";
import { message, pathOf, root, tar, zip } from "./support.mjs";

const text = new TextEncoder();
const examples = [...readFileSync(new URL("pkg/README.md", root), "utf8").matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);

/** What an example declares, to look at it. */
const declared = (code) =>
  [...code.matchAll(/^(?:const|let) (?:\{([^}]*)\}|(\w+)) =/gm)].flatMap(([, several, one]) =>
    one ? [one] : several.split(",").map((name) => name.split(":").at(-1).trim()),
  );

/** Runs an example: its imports come from here, files and what else it takes from `given`. */
async function run(code, given, files = {}) {
  const readFile = async (name, encoding) => {
    assert.ok(name in files, name);
    return encoding ? new TextDecoder().decode(files[name]) : files[name];
  };
  const load = (name) => (name === "node:fs/promises" ? { readFile } : import(name));
  const body = code.replace(/^import (\{[^}]*\}) from ("[^"]*");$/gm, "const $1 = await load($2);");
  assert.doesNotMatch(body, /^import /m);
  const AsyncFunction = (async () => {}).constructor;
  const made = new AsyncFunction("load", ...Object.keys(given), `${body}\nreturn { ${declared(body).join(", ")} };`);
  return made(load, ...Object.values(given));
}

const file = { path: pathOf("990001"), bytes: message("990001") };
const master = text.encode(JSON.stringify({ v: 1, version: 20_260_901, contact: "架空割符病院", facilities: [["mi:1319999999", "架空割符病院"], ["mi:1312345678", "架空割符診療所"]].map(([code, ja]) => ({ code, ja, en: "" })) }));
const golden = JSON.parse(Buffer.from(readFileSync(new URL("crates/warifu-consent/tests/golden/grant.jwt", root), "utf8").split(".")[1], "base64url"));

const looks = [
  async (code) => {
    const { json, diagnostics, trace } = await run(code, file);
    assert.equal(JSON.parse(Buffer.from(json)).resourceType, "Bundle");
    assert.ok(Array.isArray(diagnostics));
    assert.equal(trace.forPointer("/entry/0/resource/birthDate")[0].spans[0].path, "PID-7");
  },
  async (code) => {
    const lines = [];
    const { signal } = new AbortController();
    await run(code, { zipFile: new Blob([zip([file])]), signal, write: (json) => lines.push(json), console: { error() {} } });
    assert.ok(lines.some((json) => JSON.parse(Buffer.from(json)).resourceType === "Patient"));
  },
  async (code) => {
    const { report, mended } = await run(code, file, { "warifu.toml": text.encode("[check]\n") });
    assert.ok(JSON.parse(Buffer.from(report.format("sarif"))).runs.length > 0);
    assert.ok(mended instanceof Uint8Array);
  },
  async (code) => {
    const manifest = text.encode(JSON.stringify({ name: "own", version: "1.0.0", fhirVersions: ["4.0.1"] }));
    const compiled = compilePackage(new Uint8Array(gzipSync(tar([{ path: "package/package.json", bytes: manifest }]))));
    const seen = [];
    const { sarif } = await run(code, { console: { log: (...all) => seen.push(all) } }, { "jp-core.wfp": compiled, "patient.json": text.encode('{"resourceType":"Patient","birthDate":"1970-13-01"}') });
    assert.ok(seen.length > 0);
    assert.ok(JSON.parse(Buffer.from(sarif)).runs[0].results.length > 0);
  },
  async (code) => {
    const claims = { ...golden };
    delete claims.txt;
    delete claims.anx;
    const bytes = text.encode('{"resourceType":"Bundle","type":"collection","entry":[]}');
    const { token, state, bundle } = await run(code, { claims, master, bytes, now: golden.iat + 1, sub: golden.sub });
    assert.equal(token.split(".").length, 3);
    assert.ok(state);
    assert.ok(bundle);
  },
];

test("each example of the README runs", async () => {
  assert.equal(examples.length, looks.length);
  for (const [i, code] of examples.entries()) {
    try {
      await looks[i](code);
    } catch (e) {
      throw new Error(`example ${i + 1}: ${e.message}`, { cause: e });
    }
  }
});

test("what is said of `using` is true here", () => {
  const major = Number(process.versions.node.split(".")[0]);
  const parse = () => new Function("{ using converter = { [Symbol.dispose]() {} }; }");
  if (major < 24) assert.throws(parse, SyntaxError);
  else parse();
});
