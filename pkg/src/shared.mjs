// What patients share, over a stream: each doctor, department, ward and institution once, of each element the
// fullest form that any patient's conversion has. The rules are those of `shared` of the crate
// `warifu-convert`, with the same bytes; JSON is held as binary strings, a character a byte.

const HEAD = "resourceType id meta implicitRules language text contained extension modifierExtension";
/** Elements in the order of R4. */
const ORDER = {
  Practitioner: "identifier active name telecom address gender birthDate photo qualification communication",
  PractitionerRole: "identifier active period practitioner organization code specialty location healthcareService telecom availableTime notAvailable availabilityExceptions endpoint",
  Organization: "identifier active type name alias telecom address partOf contact endpoint",
  Location: "identifier status operationalStatus name alias description mode type telecom address physicalType position managingOrganization partOf hoursOfOperation availabilityExceptions endpoint",
};
/** Forms of one resource that are kept although they were passed over. */
const PASSED = 64;
/** Texts, and the bytes outside of them that give JSON its shape. */
const SHAPE = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;
/** An entry of a Bundle; inside a text its quotes would be escaped. */
const ENTRY = /\{"fullUrl":"([^"]*)","resource":(?=\{"resourceType":"([^"]*)","id":"([^"]*)")/g;
const REFERENCE = /("reference":")([^"]*)/g;

const textOf = (bytes) => {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode.apply(null, bytes.subarray(i, i + 8192));
  return text;
};
const isSame = (one, other) => one?.length === other.length && one.every((byte, i) => byte === other[i]);
const bytesOf = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const decoder = new TextDecoder("latin1");
/** For places alone: a character a byte, too, but not all of them that byte. Programs have a faster way. */
const placing = (bytes) => globalThis.Buffer?.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1") ?? decoder.decode(bytes);

/** Members of an object, or items of a list, as `[name, value]`; nothing of what is neither. */
function parts(json) {
  const found = [];
  if (json[0] !== "{" && json[0] !== "[") return found;
  let [depth, from, colon] = [0, 1];
  for (const { 0: token, index } of json.matchAll(SHAPE)) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    const ends = depth === 0 || (depth === 1 && token === ",");
    if (depth === 1 && token === ":") colon ??= index;
    if (!ends || index === from) continue;
    found.push(colon === undefined ? ["", json.slice(from, index)] : [json.slice(from + 1, colon - 1), json.slice(colon + 1, index)]);
    [from, colon] = [index + 1, undefined];
  }
  return found;
}

/** Whether a value says all that another says. */
function covers(whole, part) {
  if (whole === part) return true;
  if (whole[0] !== part[0] || !"{[".includes(part[0])) return false;
  const has = parts(whole);
  return parts(part).every(([name, value]) => has.some(([n, v]) => n === name && covers(v, value)));
}

const fuller = (one, other) => one.length > other.length || (one.length === other.length && one < other);

/** Of two forms what stands, which elements of each stand otherwise or come from the second alone, and whether a form says something that does not stand. */
function join(type, first, second) {
  const members = new Map(parts(first));
  const [replaced, added, lost] = [[new Set(), new Set()], new Set(), [false, false]];
  for (const [name, now] of parts(second)) {
    const stood = members.get(name);
    if (stood === now) continue;
    if (stood === undefined) added.add(name);
    else {
      const newer = fuller(now, stood);
      const loser = newer ? 0 : 1;
      replaced[loser].add(name);
      lost[loser] ||= newer ? !covers(now, stood) : !covers(stood, now);
      if (!newer) continue;
    }
    members.set(name, now);
  }
  const order = `${HEAD} ${ORDER[type]}`.split(" ");
  const place = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
  const sorted = [...members].sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1));
  return { json: `{${sorted.map(([name, value]) => `"${name}":${value}`).join(",")}}`, replaced, added, lost };
}

/** Leaves that were taken out of their packing: a trace of what several conversions gave. */
export class Leaves {
  #hits;
  constructor(hits, complete) {
    this.#hits = hits;
    this.complete = complete;
  }
  [Symbol.iterator]() {
    return this.#hits.values();
  }
  forPointer(pointer) {
    return this.#hits.filter((hit) => hit.pointer === pointer || hit.pointer.startsWith(`${pointer}/`));
  }
  forSpan(file, start, end) {
    const to = Math.max(end, start + 1);
    return this.#hits.filter(({ spans }) => spans.some((s) => s.file === file && s.end > start && s.start < to));
  }
  unused() {
    return [];
  }
}

/** What is known of the resources that are shared. */
export class Shared {
  /** By `Type/id`, in the order in which they came. */
  #known = new Map();

  /** Takes a form as binary string; gives what stands where that is another, and the elements that it has otherwise. */
  #offer(type, id, form, trace) {
    const key = `${type}/${id}`;
    const known = this.#known.get(key);
    if (!known) {
      this.#known.set(key, { type, id, json: form, leaves: trace && [...trace], complete: trace?.complete, passed: new Set() });
      return undefined;
    }
    if (known.json === form) return undefined;
    const { json, replaced, added, lost } = join(type, known.json, form);
    for (const [n, passed] of [known.json, form].entries()) if (lost[n] && known.passed.size < PASSED) known.passed.add(passed);
    if (json !== known.json) {
      [known.json, known.raw] = [json, undefined];
      const isNew = ({ pointer }) => [replaced[0], added].some((names) => names.has(pointer.split("/")[1]));
      known.leaves &&= [...known.leaves.filter((hit) => !isNew(hit)), ...[...trace].filter(isNew)];
      known.complete &&= trace?.complete;
    }
    return json === form ? undefined : { json, replaced: replaced[1] };
  }

  /** Takes a resource and its trace. */
  offer(type, id, json, trace) {
    this.#offer(type, id, textOf(json), trace);
  }

  /** A Bundle with what stands by now of the resources that it shares; `replaced(pointer)` says what it had otherwise. */
  bundle(json) {
    const all = placing(json);
    const entries = [...all.matchAll(ENTRY)].map(({ 0: head, 1: url, 2: type, 3: id, index }) => ({ url, type, name: `${type}/${id}`, id, at: index, from: index + head.length }));
    if (!entries.some(({ type }) => type in ORDER)) return { json };
    const [names, urls] = [new Map(entries.map((e) => [e.url, e.name])), new Map(entries.map((e) => [e.name, e.url]))];
    const referring = (text, to) => text.replace(REFERENCE, (_, key, name) => key + (to.get(name) ?? name));
    const [pieces, replaced] = [[], []];
    let from = 0;
    for (const [n, entry] of entries.entries()) {
      if (!(entry.type in ORDER)) continue;
      const end = entries[n + 1]?.at ?? all.length;
      // Most often it is what stands, as it was in the Bundle before.
      const raw = json.subarray(entry.from, end);
      if (isSame(this.#known.get(entry.name)?.raw, raw)) continue;
      const to = entry.from + endOf(all.slice(entry.from, end));
      const offered = this.#offer(entry.type, entry.id, referring(textOf(json.subarray(entry.from, to)), names));
      if (!offered) {
        this.#known.get(entry.name).raw = raw.slice();
        continue;
      }
      pieces.push(json.subarray(from, entry.from), bytesOf(referring(offered.json, urls)));
      from = to;
      for (const name of offered.replaced) replaced.push(`/entry/${n}/resource/${name}`);
    }
    if (from === 0) return { json };
    pieces.push(json.subarray(from));
    const better = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      better.set(piece, at);
      at += piece.length;
    }
    const isReplaced = ({ pointer }) => replaced.some((p) => pointer === p || pointer.startsWith(`${p}/`));
    return { json: better, replaced: replaced.length > 0 ? isReplaced : undefined };
  }

  /** The resources that were taken, when all are known. */
  *resources() {
    for (const { type, id, json, leaves, complete } of this.#known.values()) yield { type, id, json: bytesOf(json), leaves, complete };
  }

  /** Those of which some form says something that does not stand. */
  *contradicted() {
    for (const [key, { json, passed }] of this.#known) if ([...passed].some((form) => !covers(json, form))) yield key;
  }
}

/** Where the object ends with which a text begins. */
function endOf(text) {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(SHAPE)) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    if (depth === 0) return index + 1;
  }
  return text.length;
}
