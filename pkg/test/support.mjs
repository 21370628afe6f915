// What the tests share.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, existsSync } from "node:fs";
import { deflateRawSync, gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

export const root = new URL("../../", import.meta.url);
export const fixtures = fileURLToPath(new URL("tests/fixtures", root));
const samples = new URL("../shared/samples/ssmix2", root);
/** Folders whose files every conversion is compared on. */
export const folders = [fixtures, ...(existsSync(samples) ? [fileURLToPath(samples)] : [])];

/** All files below a folder as `{path, bytes}`, by path in code point order. */
export function read(folder) {
  const list = [];
  const walk = (below, prefix) => {
    for (const e of readdirSync(below, { withFileTypes: true })) {
      if (e.isDirectory()) walk(`${below}/${e.name}`, `${prefix}${e.name}/`);
      else list.push({ path: prefix + e.name, bytes: new Uint8Array(readFileSync(`${below}/${e.name}`)) });
    }
  };
  walk(folder, "");
  return list.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

export const storage = () => ["standard_root", "extended_root"].flatMap((name) => read(`${fixtures}/${name}`).map((f) => ({ ...f, path: `${name}/${f.path}` })));

/** A message of our own; the name's first kanji hides a `|` and a `^` in its bytes when in JIS. */
export const message = (id = "990001") =>
  new TextEncoder().encode(
    [
      "MSH|^~\\&|HIS|H|GW|H|20260401093000||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994",
      "EVN||20260401093000",
      `PID|0001||${id}^^^^PI||WARIFU^HANAKO^^^^^L^A||19700401|F`,
      "PV1|0001|N",
    ].join("\r") + "\r",
  );

export const pathOf = (id, stamp = "20260401093000000", flag = 1) =>
  `${id.slice(0, 3)}/${id.slice(3, 6)}/${id}/-/ADT-00/${id}_-_ADT-00_999999999999999_${stamp}_-_${flag}`;

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});
const crc32 = (bytes) => {
  let c = 0xffffffff;
  for (const b of bytes) c = crcTable[(c ^ b) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
};

/** A zip of `{path, bytes, name?}`; `name` are raw bytes without the UTF-8 flag. */
export function zip(files) {
  const parts = [];
  const central = [];
  let at = 0;
  for (const { path, bytes, name } of files) {
    const raw = name ?? Buffer.from(path);
    const packed = deflateRawSync(bytes);
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50, 0);
    head.writeUInt16LE(20, 4);
    head.writeUInt16LE(name ? 0 : 0x800, 6);
    head.writeUInt16LE(8, 8);
    head.writeUInt32LE(crc32(bytes), 14);
    head.writeUInt32LE(packed.length, 18);
    head.writeUInt32LE(bytes.length, 22);
    head.writeUInt16LE(raw.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    head.copy(entry, 6, 4, 28);
    entry.writeUInt32LE(at, 42);
    parts.push(head, raw, packed);
    central.push(entry, raw);
    at += head.length + raw.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return new Uint8Array(Buffer.concat([...parts, directory, end]));
}

/** A tar of `{path, bytes}`, as ustar, with GNU's long names. */
export function tar(files) {
  const block = (name, size, kind) => {
    const head = Buffer.alloc(512);
    Buffer.from(name).copy(head, 0, 0, 100);
    head.write("0000644\0", 100);
    head.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
    head.write("        ", 148);
    head.write(kind, 156);
    head.write("ustar  \0", 257);
    head.write(`${head.reduce((a, b) => a + b, 0).toString(8).padStart(6, "0")}\0 `, 148);
    return head;
  };
  const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
  const parts = files.flatMap(({ path, bytes, kind = "0" }) => {
    const name = Buffer.from(path);
    const long = name.length > 100 ? [block("././@LongLink", name.length, "L"), padded(name)] : [];
    return [...long, block(path, bytes.length, kind), padded(Buffer.from(bytes))];
  });
  return new Uint8Array(Buffer.concat([...parts, Buffer.alloc(1024)]));
}

export async function all(events) {
  const list = [];
  for await (const e of events) list.push(e);
  return list;
}

/** A package's archive (`.tgz`), from its files by name. */
export function tgz(files) {
  const parts = Object.entries(files).map(([name, value]) => {
    const content = Buffer.from(JSON.stringify(value, undefined, 2));
    const head = Buffer.alloc(512);
    head.write(`package/${name}`);
    head.write("0000644\0", 100);
    head.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
    head.write("        ", 148);
    head.write("ustar\x0000", 257);
    head.write("0", 156);
    const sum = head.reduce((a, b) => a + b, 0);
    head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return Buffer.concat([head, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
  });
  return new Uint8Array(gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)])));
}

/** Lines that `warifu convert` writes, sorted. */
export function native(dir, args) {
  const tool = process.env.WARIFU_CLI;
  const [program, first] = tool ? [tool, []] : ["cargo", ["run", "--quiet", "--package", "warifu-cli", "--"]];
  const options = { cwd: fileURLToPath(root), encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] };
  return execFileSync(program, [...first, "convert", dir, ...args, "--config", "none", "--fail-on", "never"], options).split("\n").filter(Boolean).sort();
}
