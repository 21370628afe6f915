import assert from "node:assert/strict";
import { test } from "node:test";
import { Converter, init, parse, rule, rules, WarifuError } from "warifu";
import { message, pathOf } from "./support.mjs";

const code = (expected) => (e) => e instanceof WarifuError && e.code === expected;

test("a message becomes a Bundle, with or without its path", () => {
  using_(new Converter({ institution: "1319999999" }), (c) => {
    const bundle = c.convert(message()).value();
    assert.equal(bundle.resourceType, "Bundle");
    assert.equal(bundle.type, "transaction");
    const patient = bundle.entry.map((e) => e.resource).find((r) => r.resourceType === "Patient");
    assert.equal(patient.birthDate, "1970-04-01");
    const named = c.convert({ path: pathOf("990001"), bytes: message() }).value();
    assert.ok(named.entry.some((e) => e.resource.id === patient.id));
  });
});

test("the same input gives the same bytes, and a Buffer is a Uint8Array", () => {
  using_(new Converter(), (c) => {
    const a = c.convert(message()).json;
    assert.deepEqual(c.convert(message()).json, a);
    assert.deepEqual(c.convert(Buffer.from(message())).json, a);
    const wider = new Uint8Array(message().length + 9);
    wider.set(message(), 4);
    assert.deepEqual(c.convert(wider.subarray(4, 4 + message().length)).json, a);
  });
});

test("ndjson has one resource a line", () => {
  using_(new Converter({ to: "ndjson" }), (c) => {
    const made = c.convert(message());
    const lines = new TextDecoder().decode(made.json).trimEnd().split("\n");
    assert.deepEqual(made.value(), lines.map((l) => JSON.parse(l)));
    assert.ok(lines.length > 0);
  });
});

test("the key for ids changes ids", () => {
  const id = (options) => using_(new Converter({ to: "ndjson", ...options }), (c) => c.convert(message()).value()[0].id);
  assert.notEqual(id({ idKey: new Uint8Array(32).fill(7) }), id({}));
  assert.equal(id({ idKey: new Uint8Array(32).fill(7) }), id({ idKey: new Uint8Array(32).fill(7) }));
});

test("every leaf of the output has a hit, and every hit leads back to its bytes", () => {
  for (const to of ["bundle", "ndjson"]) {
    using_(new Converter({ to, trace: true, institution: "1319999999" }), (c) => {
      const bytes = message();
      const made = c.convert({ path: "m", bytes });
      const value = made.value();
      const resources = to === "bundle" ? value.entry.map((e, i) => [`/entry/${i}/resource`, e.resource]) : value.map((r, i) => [`/${i}`, r]);
      let withSource = 0;
      for (const [prefix, resource] of resources) {
        for (const pointer of leaves(resource, prefix)) {
          const hits = made.trace.forPointer(pointer);
          assert.equal(hits.length, 1, `${pointer} has ${hits.length} hits`);
          for (const s of hits[0].spans) {
            withSource += 1;
            const back = made.trace.forSpan("m", s.start, s.end).find((h) => h.pointer === pointer);
            assert.deepEqual(back, hits[0]);
            assert.ok(s.end > s.start && s.end <= bytes.length);
          }
        }
        assert.ok(made.trace.forPointer(prefix).length > 1);
      }
      assert.ok(withSource > 3);
      // One at a time they are the same, and what was asked for meanwhile changes nothing.
      const all = [];
      for (const hit of made.trace) {
        all.push(hit);
        made.trace.forSpan("m", 0, 9);
      }
      assert.deepEqual(all, made.trace.forPointer(""));
      assert.equal(made.trace.complete, true);
      const order = [...made.trace.ordered()].map((h) => h.pointer);
      assert.deepEqual(order, all.map((h) => h.pointer).sort());
      const birth = Buffer.from(bytes).indexOf("19700401");
      const hit = made.trace.forSpan("m", birth, birth).find((h) => h.pointer.endsWith("/birthDate"));
      assert.equal(hit.spans[0].path, "PID-7");
      assert.deepEqual(made.trace.forSpan("other", birth, birth), []);
      assert.ok(made.trace.unused().length > 0);
      assert.deepEqual(made.trace.unused("m"), made.trace.unused());
      assert.deepEqual(made.trace.unused("other"), []);
    });
  }
  assert.equal(new Converter().convert(message()).trace, undefined);
});

test("bad data gives findings, never an error", () => {
  using_(new Converter({ trace: true }), (c) => {
    for (const bytes of [new Uint8Array(), Uint8Array.of(0), new Uint8Array(1000).fill(0x7c), new Uint8Array(1000).fill(0x1b), Buffer.from("MSH"), Buffer.from("PID|1\r"), Buffer.from("<?xml version='1.0'?><a"), crypto.getRandomValues(new Uint8Array(60_000))]) {
      const made = c.convert({ path: "x", bytes });
      assert.ok(made.diagnostics.length > 0);
      for (const d of made.diagnostics) {
        assert.match(d.code, /^[A-Z0-9]{3}\d{3}$/);
        assert.ok(d.primary.span[0] <= d.primary.span[1] && d.primary.span[1] <= bytes.length);
      }
    }
  });
});

test("findings speak the language asked for", () => {
  const text = (lang) => using_(new Converter({ lang }), (c) => c.convert(Buffer.from("PID|1\r")).diagnostics[0].message);
  assert.match(text("ja"), /[ぁ-ん]/);
  assert.match(text("en"), /^[ -~]+$/);
});

test("options that cannot be are refused, undefined ones are absent", () => {
  for (const options of [{ tu: "bundle" }, { to: "xml" }, { institution: "13" }, { sentAt: "2026-04-01" }, { sentAt: "2026-02-30T09:30:00Z" }, { sentAt: "2026-04-01T25:00:00Z" }, { lang: "fr" }, { positions: "bytes" }, { charset: "latin1" }, { idKey: "secret" }, { idKey: new Uint8Array(0) }, { idKey: new Uint8Array(15) }, { to: "ndjson", per: "patient" }, { to: "clins", bundle: "collection" }, { trace: "yes" }, 7, []]) {
    assert.throws(() => new Converter(options), code("invalid-option"), JSON.stringify(options));
  }
  for (const options of [undefined, null, {}, { to: undefined, idKey: undefined }]) new Converter(options).free();
  for (const [options, text] of [
    [{ tu: "bundle" }, /^unknown option tu; the options are to, bundle, per, /],
    [{ to: "xml" }, /^to must be one of bundle, ndjson, clins; leave the option out/],
    [{ trace: "yes" }, /^trace must be true or false; leave the option out/],
    [{ sendingId: 5 }, /^sendingId must be text; leave the option out/],
    [{ sentAt: 5 }, /^sentAt must be a FHIR instant such as /],
  ]) {
    assert.throws(() => new Converter(options), (e) => code("invalid-option")(e) && text.test(e.message), JSON.stringify(options));
  }
  const bad = assert.throws(() => new Converter({ institution: "090-1234" }), (e) => !e.message.includes("090-1234") && code("invalid-option")(e));
  assert.equal(bad, undefined);
});

test("input of another shape is refused", () => {
  using_(new Converter(), (c) => {
    for (const input of [undefined, null, "MSH|", 5, [1], {}, { path: "x" }, { path: 1, bytes: new Uint8Array() }, new ArrayBuffer(3), new Uint16Array(3)]) {
      assert.throws(() => c.convert(input), code("invalid-option"));
    }
    assert.throws(() => c.convert(new Uint8Array(64 * 1024 * 1024 + 1)), code("too-large"));
  });
});

test("free twice does nothing, use after it is refused", () => {
  const c = new Converter();
  c.convert(message());
  c.free();
  c.free();
  if (Symbol.dispose) c[Symbol.dispose]();
  assert.throws(() => c.convert(message()), code("disposed"));
  assert.throws(() => c.convertAll(message()), code("disposed"));
  assert.throws(() => c.convertPatient([]), code("disposed"));
});

test("parse gives names in both languages, text and findings", () => {
  const view = parse({ path: pathOf("990001"), bytes: message() });
  assert.equal(view.messageType, "ADT^A08");
  assert.equal(view.kind, "ADT-00");
  const pid = view.segments.find((s) => s.name === "PID");
  assert.deepEqual([pid.ja.length > 0, pid.en.length > 0, pid.ordinal, pid.line], [true, true, 1, 3]);
  const name = pid.fields.find((f) => f.path === "PID-5");
  assert.equal(name.ja, "患者氏名");
  assert.equal(name.children[0].text, "WARIFU");
  const bytes = Buffer.from(message());
  assert.equal(bytes.subarray(...name.children[0].span).toString(), "WARIFU");
  assert.ok(Array.isArray(view.diagnostics));
  assert.ok(parse(Buffer.from("PID|1\r")).diagnostics.length > 0);
});

test("each rule has a page in both languages", async () => {
  const list = await rules();
  assert.ok(list.length > 20);
  for (const r of list) {
    assert.ok((await rule(r.code)).startsWith(`# ${r.code} ${r.name}\n`));
    assert.ok((await rule(r.code, "en")).includes(r.en.help));
    assert.equal(await rule(r.name), await rule(r.code));
  }
  await assert.rejects(rule("NOPE99"), code("invalid-option"));
  await assert.rejects(rule("ENC110", "fr"), code("invalid-option"));
});

test("init may be called at any time", async () => {
  await Promise.all([init(), init()]);
  await init();
});

function using_(handle, f) {
  try {
    return f(handle);
  } finally {
    handle.free();
  }
}

function* leaves(value, pointer) {
  if (value !== null && typeof value === "object") {
    for (const [key, inner] of Object.entries(value)) yield* leaves(inner, `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  } else {
    yield pointer;
  }
}
