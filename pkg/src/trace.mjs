// The trace: leaves as the engine packs them (`Hits` of the crate `warifu-convert`), some 13 bytes
// each. Hits are made when they are asked for.

/** What leaves are found by: the first place of a pointer in a list (`/entry/3`, `/3`), else its first name. */
function groupOf(pointer) {
  const [, first, second] = pointer.split("/", 3);
  return isNumber(second) && !isNumber(first) ? `${first}/${second}` : first;
}
const isNumber = (text) => /^\d+$/.test(text);

export class Trace {
  #bytes;
  /** Where the next number is read. */
  #at = 0;
  /** Each text, cut where it has numbers. */
  #texts;
  #files;
  #unused;
  /** Where the leaves of a group begin and end. */
  #groups;
  /** `within` has the records of journals by their paths. */
  constructor({ bytes, texts, files, complete, unused = [] }, within) {
    this.complete = complete;
    this.#bytes = bytes;
    this.#texts = texts.map((text) => text.split("\0"));
    this.#files = files.map((file) => {
      const own = within?.get(file);
      return own ? { names: { file: own.file, record: file }, shift: own.start } : { names: { file }, shift: 0 };
    });
    this.#unused = unused;
  }
  #number() {
    let n = 0;
    for (let scale = 1; ; scale *= 128) {
      const b = this.#bytes[this.#at];
      this.#at += 1;
      n += (b & 127) * scale;
      if (b < 128) return n;
    }
  }
  #text() {
    const parts = this.#texts[this.#number()];
    let text = parts[0];
    for (let i = 1; i < parts.length; i += 1) text += this.#number() + parts[i];
    return text;
  }
  #skipText() {
    for (let i = this.#texts[this.#number()].length; i > 1; i -= 1) this.#number();
  }
  /** Goes behind what a leaf has beside its pointer; says whether a source is meant. */
  #pass(file, from, to) {
    let meant = false;
    this.#number();
    for (let n = this.#number(); n > 0; n -= 1) {
      const { names, shift } = this.#files[this.#number()];
      const start = this.#number() + shift;
      if (start + this.#number() > from && start < to && names.file === file) meant = true;
      this.#skipText();
    }
    return meant;
  }
  /** What a leaf has beside its pointer. */
  #hit(pointer) {
    const own = this.#number();
    const [table, source, target, ja] = own === 0 ? [] : this.#texts[own - 1][0].split("\t");
    const spans = [];
    for (let n = this.#number(); n > 0; n -= 1) {
      const { names, shift } = this.#files[this.#number()];
      const start = this.#number() + shift;
      spans.push({ ...names, start, end: start + this.#number(), path: this.#text() });
    }
    return { pointer, row: own === 0 ? null : { table, source, target, ja }, spans };
  }
  /** Leaves at places, one at a time; without places all. */
  #each(places) {
    // No line of a script of ours begins with a star but those of comments.
    const each = function* (own) {
      if (places) {
        for (const at of places) {
          own.#at = at;
          yield own.#hit(own.#text());
        }
        return;
      }
      for (let at = 0; at < own.#bytes.length; ) {
        own.#at = at;
        const hit = own.#hit(own.#text());
        at = own.#at;
        yield hit;
      }
    };
    return each(this);
  }
  /** All leaves, one at a time. */
  [Symbol.iterator]() {
    return this.#each();
  }
  /** The same in the order of their pointers. */
  ordered() {
    const [pointers, places] = [[], []];
    for (this.#at = 0; this.#at < this.#bytes.length; this.#pass()) {
      places.push(this.#at);
      pointers.push(this.#text());
    }
    const order = Uint32Array.from(places.keys());
    order.sort((a, b) => (pointers[a] < pointers[b] ? -1 : Number(pointers[a] > pointers[b])));
    return this.#each(order.map((n) => places[n]));
  }
  #group(pointer) {
    if (!this.#groups) {
      this.#groups = new Map();
      for (this.#at = 0; this.#at < this.#bytes.length; ) {
        const from = this.#at;
        const key = groupOf(this.#text());
        this.#pass();
        const known = this.#groups.get(key);
        if (known) known[1] = this.#at;
        else this.#groups.set(key, [from, this.#at]);
      }
    }
    return this.#groups.get(groupOf(pointer)) ?? [0, this.#bytes.length];
  }
  /** The leaf at an RFC 6901 pointer, or all leaves below it. */
  forPointer(pointer) {
    const found = [];
    const below = `${pointer}/`;
    const [from, to] = this.#group(pointer);
    for (this.#at = from; this.#at < to; ) {
      const own = this.#text();
      if (own === pointer || own.startsWith(below)) found.push(this.#hit(own));
      else this.#pass();
    }
    return found;
  }
  /** The leaves made from bytes of a range; an empty range asks for the byte at `start`. */
  forSpan(file, start, end) {
    const found = [];
    for (this.#at = 0; this.#at < this.#bytes.length; ) {
      const at = this.#at;
      this.#skipText();
      if (!this.#pass(file, start, Math.max(end, start + 1))) continue;
      this.#at = at;
      found.push(this.#hit(this.#text()));
    }
    return found;
  }
  /** Fields with a value that left no leaf. */
  unused(file) {
    return file === undefined ? [...this.#unused] : this.#unused.filter((u) => u.file === file);
  }
}

/** The trace of piece `i` of a unit. */
export function traceOf({ bytes, texts, files, ends, complete }, i, within, unused) {
  const own = bytes.subarray(i === 0 ? 0 : ends[i - 1], ends[i]);
  return new Trace({ bytes: own, texts, files, complete: complete[i], unused }, within);
}
