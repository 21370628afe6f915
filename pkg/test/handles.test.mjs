import assert from "node:assert/strict";
import { test } from "node:test";
import { Converter, WarifuError } from "warifu";
import * as glue from "../dist/wasm/convert.js";
import { message } from "./support.mjs";

const memory = () => glue.initSync().memory.buffer.byteLength;

test("100,000 handles leave memory flat", () => {
  const bytes = message();
  const use = (count, every) => {
    for (let i = 0; i < count; i += 1) {
      const c = new Converter({ to: "ndjson" });
      if (i % every === 0) c.convert(bytes);
      c.free();
    }
  };
  use(1000, 1);
  const before = memory();
  use(100_000, 50);
  assert.equal(memory(), before);
});

test("freeing a handle gives the memory of a large file back, and other handles go on", () => {
  const large = Buffer.concat([message(), Buffer.from("NTE|1||" + "x".repeat(40_000_000) + "\r")]);
  const [one, other] = [new Converter({ to: "ndjson", trace: true }), new Converter()];
  const expected = other.convert(message()).json;
  const { trace } = one.convert(large);
  const leaves = trace.forPointer("").length;
  assert.ok(memory() > 64 << 20);
  other.convert(large);
  assert.ok(memory() > 64 << 20, "not while it is used");
  one.free();
  assert.ok(memory() < 16 << 20, String(memory()));
  // What was given out does not lie in the instance.
  assert.equal(trace.forPointer("").length, leaves);
  assert.deepEqual(other.convert(message()).json, expected);
  other.free();
});

test("a trap is reported as internal and the next call starts a new instance", () => {
  // The second instance traps in `convert`, the third does not.
  const { Instance } = WebAssembly;
  const c = new Converter();
  const expected = c.convert(message()).json;
  let traps = 1;
  const trap = glue.Engine.prototype.convert;
  glue.Engine.prototype.convert = function (...args) {
    if (traps-- > 0) throw new WebAssembly.RuntimeError("unreachable");
    return trap.apply(this, args);
  };
  let instances = 0;
  WebAssembly.Instance = class extends Instance {
    constructor(...args) {
      super(...args);
      instances += 1;
    }
  };
  try {
    const other = new Converter({ to: "ndjson" });
    assert.throws(() => c.convert(message()), (e) => e instanceof WarifuError && e.code === "internal" && e.cause instanceof WebAssembly.RuntimeError);
    assert.equal(instances, 0, "restarted before it was needed");
    assert.deepEqual(c.convert(message()).json, expected);
    assert.equal(instances, 1);
    // Handles of the old instance live on, too, and may be freed.
    assert.ok(other.convert(message()).value().length > 0);
    other.free();
    c.free();
    assert.equal(instances, 1);
  } finally {
    WebAssembly.Instance = Instance;
    glue.Engine.prototype.convert = trap;
  }
});
