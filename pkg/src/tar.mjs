// Tar archives of any length, by ranges: headers first, then the content that is asked for. And gzip.

/** Longest stream that is taken. */
export const MAX_STREAM = 2 * 1024 * 1024 * 1024;
/** How many times its packed length an archive may expand to. */
const MAX_EXPANSION = 200;
/** Bytes of a block. */
const BLOCK = 512;
/** How much is read at once while headers are looked for. */
const CHUNK = 256 * 1024;
/** Longest name, or list of attributes, that is read. */
const MAX_NAME = 64 * 1024;

const utf8 = new TextDecoder("utf-8", { fatal: true });
let cp932;

/** A name as text: UTF-8, else CP932. */
function nameOf(bytes) {
  try {
    return utf8.decode(bytes);
  } catch {
    cp932 ??= new TextDecoder("shift_jis");
    return cp932.decode(bytes);
  }
}

const until0 = (bytes) => {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
};

/** A number of a header: octal digits, or (first bit set) big-endian bytes; NaN when it is none. */
function numberOf(field) {
  if (field[0] & 0x80) return field.subarray(1).reduce((n, b) => n * 256 + b, field[0] & 0x7f);
  const digits = String.fromCharCode(...until0(field)).trim();
  return /^[0-7]*$/.test(digits) ? parseInt(digits || "0", 8) : NaN;
}

/** Whether the sum in a header is that of its bytes. */
function fits(header) {
  let sum = 0;
  for (let i = 0; i < BLOCK; i += 1) sum += i >= 148 && i < 156 ? 32 : header[i];
  return numberOf(header.subarray(148, 156)) === sum;
}

/** A record (`length key=value\n`) of a pax header. */
function pax(bytes, key) {
  let value;
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const length = Number(String.fromCharCode(...bytes.subarray(at, space < 0 ? at : Math.min(space, at + 20))));
    if (space < 0 || !Number.isInteger(length) || length <= space - at || at + length > bytes.length) break;
    const record = bytes.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(61);
    if (nameOf(record.subarray(0, Math.max(equals, 0))) === key) value = record.subarray(equals + 1);
    at += length;
  }
  return value;
}

/** A path with `/`, no `.`, no `..`, not absolute; undefined for one that is refused. */
function clean(path) {
  if (/^[A-Za-z]:|^[/\\]|[\0\x01]/.test(path)) return undefined;
  const parts = path.split(/[/\\]/).filter((p) => p !== "" && p !== ".");
  return parts.includes("..") ? undefined : parts.join("/");
}

/**
 * Reads the headers of `from` (`{size, read(start, end)}`): `files` as `{path, start, size}`, `left` as
 * `[path, why]` for what is not taken, and whether the archive ends before it should.
 */
export async function openTar(from, check = () => {}) {
  const files = [];
  const left = [];
  let chunk = new Uint8Array(0);
  let begin = 0;
  const bytes = async (start, end) => {
    if (start < begin || end > begin + chunk.length) {
      check();
      chunk = await from.read(start, Math.min(from.size, Math.max(end, start + CHUNK)));
      begin = start;
    }
    return chunk.subarray(start - begin, end - begin);
  };
  let at = 0;
  let long;
  // What a pax header says of the size of the file that follows it.
  let given;
  for (let headers = 0; ; headers += 1) {
    if (headers % 1024 === 0) check();
    // An archive ends with empty blocks: one that lacks them was cut.
    if (at >= from.size) return { files, left, damaged: true };
    const header = await bytes(at, at + BLOCK);
    if (header.length < BLOCK) return { files, left, damaged: true };
    if (header.every((b) => b === 0)) return { files, left, damaged: false };
    const kind = String.fromCharCode(header[156] || 48);
    const named = kind === "L" || kind === "x" || kind === "g" || kind === "K" ? undefined : given;
    const size = named ?? numberOf(header.subarray(124, 136));
    // A size that is none, or below 0, would lead back to where we were.
    if (!fits(header) || !Number.isSafeInteger(size) || size < 0) return { files, left, damaged: true };
    const start = at + BLOCK;
    at = start + Math.ceil(size / BLOCK) * BLOCK;
    if (kind === "L" || kind === "x") {
      if (size > MAX_NAME || start + size > from.size) return { files, left, damaged: true };
      const own = await bytes(start, start + size);
      if (kind === "L") long = until0(own);
      else {
        long = pax(own, "path") ?? long;
        const digits = pax(own, "size");
        if (digits) given = /^[0-9]{1,16}$/.test(nameOf(digits)) ? Number(nameOf(digits)) : NaN;
      }
      continue;
    }
    if (kind === "g" || kind === "K") continue;
    const prefix = String.fromCharCode(...header.subarray(257, 263)) === "ustar\0" ? until0(header.subarray(345, 500)) : new Uint8Array(0);
    const raw = until0(header.subarray(0, 100));
    const name = long ? nameOf(long) : prefix.length > 0 ? `${nameOf(prefix)}/${nameOf(raw)}` : nameOf(raw);
    long = undefined;
    given = undefined;
    const path = clean(name);
    if (path === undefined) left.push([name, "unsafe-path"]);
    else if (kind === "1" || kind === "2") left.push([path, "link"]);
    else if (kind === "0" || kind === "7") {
      if (start + size > from.size) {
        left.push([path, "damaged"]);
        return { files, left, damaged: true };
      }
      if (!name.endsWith("/")) files.push({ path, start, size });
    } else if (kind === "S") left.push([path, "method"]);
    else if (kind !== "5") left.push([path, "special-file"]);
  }
}

/**
 * What gzip unpacks to, as a Blob, which the platform may keep outside memory; a word when that cannot
 * be. `check` throws when the work has ended, `wait` makes a promise end with the work.
 */
export async function gunzip(blob, { wait = (promise) => promise, check = () => {} } = {}) {
  if (typeof DecompressionStream !== "function") return "gzip";
  const most = Math.min(MAX_STREAM, Math.max(blob.size * MAX_EXPANSION, 1 << 20));
  const reader = blob.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const parts = [];
  try {
    for (let size = 0; ; ) {
      const { done, value } = await wait(reader.read());
      check();
      if (done) return new Blob(parts);
      size += value.length;
      if (size > most) {
        reader.cancel().catch(() => {});
        return "expansion";
      }
      parts.push(value);
    }
  } catch {
    reader.cancel().catch(() => {});
    check();
    return "damaged";
  }
}
