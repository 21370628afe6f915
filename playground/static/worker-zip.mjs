// Writes a zip from byte arrays: deflated, UTF-8 names, no dates of this machine, same bytes
// for the same input.

const TABLE = new Uint32Array(256).map((_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

export function crc32(parts) {
  let c = 0xffffffff;
  for (const part of parts) for (let i = 0; i < part.length; i += 1) c = TABLE[(c ^ part[i]) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

async function deflate(parts) {
  const packed = new Blob(parts).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** 1980-01-01 in DOS form: the zip says nothing of when it was made. */
const DATE = 0x0021;

export class ZipWriter {
  #parts = [];
  #central = [];
  #at = 0;
  #names = new Set();

  /** Adds an entry; `parts` are byte arrays. Names are made unique. */
  async add(name, parts) {
    let unique = name;
    for (let n = 2; this.#names.has(unique); n += 1) unique = `${name}-${n}`;
    this.#names.add(unique);
    const label = new TextEncoder().encode(unique);
    const size = parts.reduce((n, p) => n + p.length, 0);
    const body = await deflate(parts);
    const common = new DataView(new ArrayBuffer(26));
    common.setUint16(0, 20, true);
    common.setUint16(2, 0x0800, true); // names are UTF-8
    common.setUint16(4, 8, true);
    common.setUint16(6, 0, true);
    common.setUint16(8, DATE, true);
    common.setUint32(10, crc32(parts), true);
    common.setUint32(14, body.length, true);
    common.setUint32(18, size, true);
    common.setUint16(22, label.length, true);
    const fields = new Uint8Array(common.buffer);
    this.#central.push({ fields, label, at: this.#at });
    for (const part of [new Uint8Array([0x50, 0x4b, 3, 4]), fields, label, body]) {
      this.#parts.push(part);
      this.#at += part.length;
    }
  }

  /** The archive. More than 65,535 entries or 4 GiB would need zip64, which is not written. */
  blob() {
    if (this.#central.length > 0xffff || this.#at > 0xffffffff) throw Object.assign(new Error("zip"), { code: "too-large" });
    const start = this.#at;
    const out = [...this.#parts];
    let length = 0;
    for (const { fields, label, at } of this.#central) {
      const tail = new DataView(new ArrayBuffer(14));
      tail.setUint32(10, at, true);
      const entry = [new Uint8Array([0x50, 0x4b, 1, 2, 20, 0]), fields, new Uint8Array(tail.buffer), label];
      for (const part of entry) { out.push(part); length += part.length; }
    }
    const end = new DataView(new ArrayBuffer(22));
    end.setUint32(0, 0x06054b50, true);
    end.setUint16(8, this.#central.length, true);
    end.setUint16(10, this.#central.length, true);
    end.setUint32(12, length, true);
    end.setUint32(16, start, true);
    out.push(new Uint8Array(end.buffer));
    return new Blob(out, { type: "application/zip" });
  }
}
