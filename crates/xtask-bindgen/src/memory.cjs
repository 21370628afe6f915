// Starts a module that was split, without any of its parts, with each alone and with all of them, and
// compares memory with what the linker wrote: `node memory.cjs EXPECTED CORE PART…`.
// EXPECTED is an address, the bytes from there on, and as many that say which part a byte is of; 0 is
// the core.
const { readFileSync } = require("node:fs");

const [expected, ...files] = process.argv.slice(2).map((file) => readFileSync(file));
const base = expected.readUInt32LE(0);
const size = (expected.length - 4) / 2;
const bytes = expected.subarray(4, 4 + size);
const owners = expected.subarray(4 + size);
const [core, ...parts] = files.map((file) => new WebAssembly.Module(file));

// Nothing that is imported is called before the first export is.
const imports = {};
for (const { module, name } of WebAssembly.Module.imports(core)) {
  imports[module] ??= {};
  imports[module][name] = () => {
    throw new Error(`${name} is called when the module starts`);
  };
}

const numbers = parts.map((_, part) => part + 1);
for (const joined of [[], ...numbers.map((part) => [part]), [...numbers].reverse()]) {
  const { exports } = new WebAssembly.Instance(core, imports);
  for (const part of joined) new WebAssembly.Instance(parts[part - 1], { c: exports });
  const memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
  const found = new Uint8Array(memory.buffer, base, size);
  for (let at = 0; at < size; at += 1) {
    const wanted = owners[at] === 0 || joined.includes(owners[at]) ? bytes[at] : 0;
    if (found[at] !== wanted) {
      console.error(`memory at ${base + at} is ${found[at]}, not ${wanted}, with parts [${joined}]`);
      process.exit(1);
    }
  }
}
