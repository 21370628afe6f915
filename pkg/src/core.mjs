// What all entries share: the instance of a module and its restart after a trap, input, streams.
import { peopleOf, together, withdrawnBesideNameless } from "./persons.mjs";
import { Leaves, Shared } from "./shared.mjs";
import { MAX_STREAM, gunzip, openTar } from "./tar.mjs";

/** Longest file that is converted. */
const MAX_FILE = 64 * 1024 * 1024;
/** Shortest key for ids. */
const MIN_KEY = 16;
/** Most files of one patient in one conversion. */
const MAX_GROUP = 65_535;
/** Memory that an instance may keep when a handle is freed: WebAssembly can only give back all of it. */
const MAX_KEPT = 64 * 1024 * 1024;
/** Longest work in ms before timers and other tasks get their turn. */
const SLICE = 30;

export const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

/** The only error this package throws. */
export class WarifuError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.name = "WarifuError";
    this.code = code;
  }
}

export const invalid = (message) => new WarifuError("invalid-option", message);

/** Throws unless it is the language of a page. */
export function isPageLang(lang) {
  if (lang !== "ja" && lang !== "en") throw invalid('lang must be "ja" or "en"');
}

// ── the instance ────────────────────────────────────────────────────────────────────────────────

/** A module from what `init` takes. */
export async function compile(input) {
  const given = await input;
  if (given instanceof WebAssembly.Module) return given;
  if (typeof Response === "function" && given instanceof Response) {
    if (!given.ok) throw new Error(`HTTP status ${given.status}`);
    if (given.headers.get("content-type")?.split(";")[0].trim() === "application/wasm") {
      return WebAssembly.compileStreaming(given);
    }
    return WebAssembly.compile(await given.arrayBuffer());
  }
  if (ArrayBuffer.isView(given) || given instanceof ArrayBuffer) return WebAssembly.compile(given);
  throw new TypeError("init takes a WebAssembly.Module, bytes or a Response");
}

/** The one instance of a module, by the glue that wasm-bindgen wrote for it. */
export class Instance {
  #glue;
  #compiled;
  #version = "";
  #broken = false;
  #generation = 0;
  #starting;
  constructor(glue) {
    this.#glue = glue;
  }
  /** The compiled module, for workers of a pool. */
  get module() {
    return this.#compiled;
  }
  /** Counts instances: a handle of an earlier one is made again. */
  get generation() {
    return this.#generation;
  }
  /** Whether what was made in a generation is still there. */
  holds(generation) {
    return generation === this.#generation && !this.#broken;
  }
  /** Takes a module that was compiled. */
  adopt(module) {
    if (this.#compiled) return;
    this.#glue.initSync({ module });
    this.#compiled = module;
    this.#version = this.#glue.version();
  }
  /** Makes sure that there is an instance; `source` gives its bytes where the platform can. */
  start(source) {
    if (!this.#compiled) {
      if (!source) throw new WarifuError("not-initialised", "call `await init()` once before anything else");
      this.adopt(new WebAssembly.Module(source()));
    } else if (this.#broken) {
      this.#glue.__wbg_reset_state();
      this.#generation += 1;
      this.#broken = false;
    }
  }
  /** Takes a new instance where this one has grown: what is on handles is made again when it is used. */
  release() {
    // Without a module to start it answers with what there is.
    if (this.#glue.initSync({ module: this.#compiled }).memory.buffer.byteLength <= MAX_KEPT) return;
    this.#glue.__wbg_reset_state();
    this.#generation += 1;
  }
  /** Runs a call into the module. What the module throws on purpose is passed on; a trap breaks the instance. */
  call(f) {
    try {
      return f(this.#glue);
    } catch (e) {
      if (e instanceof WarifuError) throw e;
      if (!(e instanceof Error) && typeof e?.code === "string") throw new WarifuError(e.code, e.message);
      this.#broken = true;
      const message = `internal error of warifu ${this.#version}; the next call starts afresh`;
      throw new WarifuError("internal", message, { cause: e });
    }
  }
  /** Compiles what is given, or what `load` gives. */
  async init(input, load) {
    if (this.#compiled) return;
    this.#starting ??= (async () => {
      try {
        this.adopt(await compile(input ?? load()));
      } catch (e) {
        throw new WarifuError("not-initialised", `the module cannot be loaded: ${e.message}`, { cause: e });
      } finally {
        this.#starting = undefined;
      }
    })();
    await this.#starting;
  }
}

/** Modules that an entry loads when they are needed: their glue, and what they are. */
const LATER = {
  unpack: [() => import("./wasm/unpack.js"), "the reader of packed storages"],
  rules: [() => import("./wasm/rules.js"), "the module of the rules' pages"],
};

/** Their instances, one for all entries, once the glue is there. */
const later = new Map();

/** A module of `LATER`, loaded now: who does not need it loads neither it nor its glue. */
export async function loaded(entry, name) {
  const [glue, what] = LATER[name];
  if (!later.has(name)) later.set(name, glue().then((it) => new Instance(it)));
  let own;
  try {
    own = await later.get(name);
  } catch (e) {
    later.delete(name);
    throw new WarifuError("not-initialised", `${what} cannot be loaded: ${e.message}`, { cause: e });
  }
  await own.init(undefined, entry[name]);
  own.start();
  return own;
}

/** What is loaded when no module is given: the one made for speed where it is asked for. */
export function loadOf(wanted, load, fast) {
  if (!wanted) return load;
  if (!fast) throw invalid("fast: this entry has its module inside; take warifu/convert, or give init the module");
  return fast;
}

/**
 * `init` of an entry: compiles what is given for its module, or what `load` gives (`fast`, where that is
 * asked for), and keeps what is given for modules that are loaded later.
 */
export const initOf = (entry, load, fast) => async (input, given = {}) => {
  const own = loadOf(given.fast, load, fast);
  for (const name of Object.keys(LATER)) {
    const source = given[name];
    if (source === undefined) continue;
    // Whether it came is seen when it is needed.
    Promise.resolve(source).catch(() => {});
    entry[name] = () => source;
  }
  await entry.own.init(input, own);
};

/** An engine with its options, `make(glue, options)`, that survives a restart of the instance. */
export class Machine {
  #instance;
  #make;
  #options;
  #source;
  #engine;
  #generation = -1;
  constructor(instance, make, options, source) {
    this.#instance = instance;
    this.#make = make;
    this.#options = ownOptions(options);
    this.#source = source;
    this.engine();
  }
  get options() {
    return this.#options;
  }
  engine() {
    this.#instance.start(this.#source);
    if (this.#generation !== this.#instance.generation) {
      this.#engine = this.#instance.call((glue) => this.#make(glue, this.#options));
      this.#generation = this.#instance.generation;
    }
    return this.#engine;
  }
  /** Runs a call of the engine. */
  call(f) {
    const engine = this.engine();
    return this.#instance.call(() => f(engine));
  }
  free() {
    if (this.#instance.holds(this.#generation)) {
      this.#instance.call(() => this.#engine.free());
      this.#instance.release();
    }
    this.#engine = undefined;
    this.#generation = -1;
  }
}

// ── input ───────────────────────────────────────────────────────────────────────────────────────

const tag = (x) => Object.prototype.toString.call(x).slice(8, -1);

/** A `Uint8Array` of this realm over the same bytes. */
export function bytesOf(x) {
  if (x instanceof Uint8Array) return x;
  if (ArrayBuffer.isView(x) && tag(x) === "Uint8Array") return new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
  return undefined;
}

/** `{path, bytes}`, or `undefined`. */
function fileOf(input) {
  const bytes = bytesOf(input);
  if (bytes) return { path: "", bytes };
  if (typeof input?.path !== "string") return undefined;
  const own = bytesOf(input.bytes);
  return own && { path: input.path, bytes: own };
}

/** One file of at most 64 MiB. */
export function single(input) {
  const file = fileOf(input);
  if (!file) throw invalid("input must be a Uint8Array or {path: string, bytes: Uint8Array}");
  if (file.bytes.length > MAX_FILE) throw new WarifuError("too-large", "a file may have 64 MiB");
  return file;
}

/** Bytes of base64. */
export function fromBase64(text) {
  if (typeof Uint8Array.fromBase64 === "function") return Uint8Array.fromBase64(text);
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

/** A copy of the options without what is undefined. */
function ownOptions(options) {
  if (options === undefined || options === null) return {};
  if (typeof options !== "object" || Array.isArray(options)) throw invalid("options must be an object");
  const own = {};
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (key === "idKey") {
      const bytes = bytesOf(value);
      if (!bytes) throw invalid("idKey must be a Uint8Array");
      if (bytes.length < MIN_KEY) throw invalid(`idKey is too short: ${MIN_KEY} bytes at least`);
      own.idKey = bytes.slice();
    } else {
      own[key] = value;
    }
  }
  return own;
}

// ── streams ─────────────────────────────────────────────────────────────────────────────────────

function check(signal) {
  if (signal?.aborted) throw new WarifuError("aborted", "the work was aborted", { cause: signal.reason });
}

/** Waits for a promise, but not longer than until the signal. */
async function until(promise, signal) {
  if (!signal) return promise;
  check(signal);
  let stop;
  const aborted = new Promise((_, reject) => {
    stop = () => reject(new WarifuError("aborted", "the work was aborted", { cause: signal.reason }));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Lets timers and other tasks in. */
const breathe = () =>
  new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });

const isZip = (head) => head.length > 3 && head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5) && (head[3] === 4 || head[3] === 6);

const begins = (head, ...bytes) => bytes.every((b, i) => head[i] === b);

/** What kind of archive begins like this: `zip`, `gzip`, `zstd`, `tar`; none for anything else. */
function archiveOf({ own }, head) {
  if (isZip(head)) return "zip";
  if (begins(head, 0x1f, 0x8b)) return "gzip";
  if (begins(head, 0x28, 0xb5, 0x2f, 0xfd)) return "zstd";
  return own.call((glue) => glue.sniff(head)) === "archive" ? "tar" : undefined;
}

/** Something to read ranges of. */
function ranges(input) {
  if (input instanceof Uint8Array) {
    return { size: input.length, read: async (start, end) => input.subarray(start, end) };
  }
  return { size: input.size, read: async (start, end) => new Uint8Array(await input.slice(start, end).arrayBuffer()) };
}

/**
 * A zip as `{paths, left, read(i), close()}`, `left` being `[name, why]` of what is not read; holds its
 * directory and one entry. A word when its directory cannot be read.
 */
async function openZip(entry, from, signal) {
  const own = await until(loaded(entry, "unpack"), signal);
  const archive = own.call((glue) => new glue.ZipArchive(from.size));
  const made = own.generation;
  const close = () => {
    if (own.holds(made)) own.call(() => archive.free());
  };
  const ask = async (f) => {
    // The archive is gone with its instance.
    if (!own.holds(made)) throw new WarifuError("internal", "the archive was lost by an internal error");
    for (;;) {
      const answer = own.call(f);
      if (!Array.isArray(answer)) return answer;
      const [start, end] = answer;
      if (end <= start) return "damaged";
      const bytes = await until(from.read(start, end), signal);
      own.call(() => archive.feed(start, bytes));
    }
  };
  let directory;
  try {
    directory = await ask(() => archive.open());
  } catch (e) {
    close();
    if (e.code === "invalid-option" || e.code === "too-large") return "damaged";
    throw e;
  }
  if (typeof directory === "string") {
    close();
    return directory;
  }
  own.call(() => archive.drop_parts());
  return {
    ...directory,
    read: async (i) => {
      const bytes = await ask(() => archive.read(i));
      own.call(() => archive.drop_parts());
      return bytes;
    },
    close,
  };
}

/** Codes of files that are not read. */
const CODES = {
  "too-large": "SSM111",
  expansion: "SSM111",
  "unsafe-path": "SSM110",
  "nested-archive": "SSM146",
  link: "SSM147",
  "special-file": "SSM147",
  zstd: "SSM129",
  gzip: "SSM129",
};
const unreadable = (path, reason) => {
  const code = CODES[reason] ?? "SSM115";
  return { finding: [code, path, reason], count: 1, bytes: 0 };
};

/** Content of a file that cannot be read, as the converter knows it: its name counts where versions are weighed. */
const UNREAD = new TextEncoder().encode("\0unread\0");

const group = (files, patient, extra) => {
  const read = files.filter((f) => f.bytes !== UNREAD);
  return {
    files,
    patient,
    count: read.length,
    bytes: read.reduce((sum, f) => sum + f.bytes.length, 0),
    ...extra,
  };
};

/**
 * What a unit says of its institution: `own` where the storage holds several, which nothing given may
 * override, else what an index table (`extra`) or the whole storage (`one`) names.
 */
const of = (extra, own, one) => {
  const institution = own ?? extra?.institution ?? one;
  return institution === undefined ? extra : { ...extra, institution, several: own !== undefined };
};

/** Whether a file is an exported index table, by its name. */
const isIndex = (path) => /(^|[/\\])SSMIXIDX\.(csv|tsv)$/.test(path);

/** The number that exported index tables agree on. */
async function indexed(entry, tables) {
  if (tables.length === 0) return undefined;
  const own = await loaded(entry, "unpack");
  const found = new Set(tables.flatMap((bytes) => own.call((glue) => glue.indexInstitutions(bytes))));
  return found.size === 1 ? [...found][0] : undefined;
}

/** Codes of what is wrong with a journal and the header of a record; the rest is SSM114. */
const HEADER_CODES = {
  "journal-version": "SSM162",
  "journal-institution": "SSM163",
  "journal-of-another-year": "SSM164",
  "journal-header": "SSM179",
  "journal-operation-neither-ins-nor-del": "SSM179",
  "journal-cut": "SSM180",
};

/** Puts the place of a finding on a whole file to `[start, end, line, column]` in it. */
function put(label, [start, end, line, column]) {
  label.span = [start, end];
  label.start = { line, column };
  label.end = { line, column: column + end - start };
}

/** Turns a place in a record of a journal into one in the journal; see `Within` of the crate `warifu-report`. */
function placed(label, within) {
  const own = within.get(label.file);
  if (!own) return label;
  const { file: record, ...rest } = label;
  // The order of the properties is that of the command line.
  const made = { file: own.file, record, ...rest };
  // On the whole record: `#SSMIX` of its header.
  if (made.span[1] === 0) put(made, [own.header, own.header + 6, own.line, 1]);
  else {
    made.span = made.span.map((byte) => byte + own.start);
    for (const at of [made.start, made.end]) if (at) at.line += own.line;
  }
  return made;
}

/** Places what a unit found. */
function placedAll(made, { at, within }) {
  for (const found of made.diagnostics) {
    if (at) put(found.primary, at);
    if (!within) continue;
    const own = within.get(found.primary.file);
    if (own) for (const edit of found.fix?.edits ?? []) edit.span = edit.span.map((byte) => byte + own.start);
    found.primary = placed(found.primary, within);
    found.secondary = found.secondary.map((label) => placed(label, within));
  }
  if (!within) return made;
  if (made.unused) made.unused = made.unused.map((field) => placed(field, within));
  return made;
}

/** Units of what the replay of journals leaves. `journals` are read whole: the last record decides. */
async function* replayed(entry, journals, extra, signal) {
  const own = await until(loaded(entry, "unpack"), signal);
  const made = own.generation;
  const replay = own.call((glue) => new glue.JournalReplay());
  try {
    for (const { path, bytes } of journals) {
      const notes = own.call(() => replay.add(path, bytes));
      for (const [kind, at] of notes) {
        yield { finding: [HEADER_CODES[kind] ?? "SSM114", path, kind], at, count: 0, bytes: 0, ...extra };
      }
    }
    const one = own.call(() => replay.institution());
    const patients = own.call(() => replay.patients());
    if (patients.some((p) => p.institution)) yield { finding: ["SSM149", "", ""], count: 0, bytes: 0, ...extra };
    for (const { files, institution } of patients) {
      const named = of(extra, institution, one);
      const list = files.map((f) => {
        const { bytes } = journals[f.journal];
        return { path: f.path, bytes: f.end > bytes.length ? UNREAD : bytes.subarray(f.start, f.end) };
      }).filter((f) => entry.together || f.bytes !== UNREAD);
      const within = new Map(files.map((f) => [f.path, { ...f, file: journals[f.journal].path }]));
      for (let i = 0; i < list.length; i += MAX_GROUP) yield group(list.slice(i, i + MAX_GROUP), true, { ...named, within });
    }
  } finally {
    if (own.holds(made)) own.call(() => replay.free());
  }
}

const isJournal = ({ own, known }, bytes) =>
  known.includes("journal") && own.call((glue) => glue.sniff(bytes.subarray(0, 512))) === "journal";

/** A file outside any storage: taken when it is the only kind of file and of the `known` kinds, else reported. */
function loose({ own, known }, file, besideStorage, packed = false) {
  const content = own.call((glue) => glue.sniff(file.bytes.subarray(0, 512)));
  if (packed && content === "archive") return { ...unreadable(file.path, "nested-archive"), bytes: file.bytes.length };
  if (besideStorage || !known.includes(content)) return { finding: [content === "hl7" ? "SSM182" : "SSM108", file.path, content], count: 1, bytes: file.bytes.length };
  return group([file], false);
}

const isMessage = ({ own }, { bytes }) => own.call((glue) => glue.sniff(bytes.subarray(0, 512))) === "hl7";

/** Units of what is outside of a storage, `{path, unit}` or `{path, i, length, people}`: messages of one person are one. */
async function* byPerson(entry, files, load) {
  const { of, apart } = together(files, MAX_FILE);
  if (apart !== undefined) yield { finding: ["SSM181", "", String(apart)], count: 0, bytes: 0 };
  for (const file of files) {
    const members = of.get(file);
    if (members) {
      const list = (paths) => entry.own.call((glue) => glue.listStorage(paths));
      for (const { path } of withdrawnBesideNameless(members, list)) yield { finding: ["SSM116", path, ""], count: 0, bytes: 0 };
      const read = [];
      for (const member of members) {
        const own = await load(member);
        if (own.finding) yield own;
        else read.push(own);
      }
      yield group(read, true);
    } else if (!of.has(file)) {
      const own = file.unit ?? (await load(file));
      yield own.finding ? own : group([own], false);
    }
  }
}

/** Items of a storage among what an archive has and nobody can read: their names count where versions are weighed. */
function itemsOf(entry, left) {
  const names = left.filter(([, reason]) => ["SSM111", "SSM115"].includes(CODES[reason] ?? "SSM115")).map(([name]) => name);
  if (!entry.together || names.length === 0) return [];
  return entry.own.call((glue) => glue.listStorage(names)).patients.flatMap((patient) => patient.files.map((f) => f.path));
}

/**
 * Units of a list of which all paths are known: patients in the order of their ids, then the rest.
 * `read(i)` gives bytes, or the word why there are none; `left` is what an archive has beside them, which is told.
 */
async function* catalogued(entry, given, read, signal, left) {
  const unread = itemsOf(entry, left ?? []);
  const paths = [...given, ...unread];
  const listing = entry.own.call((glue) => glue.listStorage(paths));
  const at = new Map();
  paths.forEach((path, i) => at.get(path)?.push(i) ?? at.set(path, [i]));
  const extra = { total: given.length - listing.skipped.length };
  const load = async (path, most = MAX_FILE, i = at.get(path).shift()) => {
    check(signal);
    if (i >= given.length) return { path, bytes: UNREAD };
    const bytes = await read(i);
    if (typeof bytes === "string") return unreadable(path, bytes);
    if (bytes.length > most) return unreadable(path, "too-large");
    return { path, bytes };
  };
  const tables = [];
  const rest = [];
  for (const path of listing.foreign) {
    if (!isIndex(path)) rest.push(path);
    else {
      const file = await load(path);
      if (file.finding) yield { ...file, ...extra };
      else tables.push(file.bytes);
    }
  }
  const institution = (await until(indexed(entry, tables), signal)) ?? listing.institution;
  if (institution) extra.institution = institution;
  if (listing.patients.some((p) => p.institution)) yield { finding: ["SSM149", "", ""], count: 0, bytes: 0, ...extra };
  for (const patient of listing.patients) {
    const named = of(extra, patient.institution);
    let files = [];
    for (const { path } of patient.files) {
      const file = await load(path);
      if (file.finding) yield { ...file, ...extra };
      if (!file.finding) files.push(file);
      else if (entry.together) files.push({ path, bytes: UNREAD });
      if (files.length === MAX_GROUP) {
        yield group(files, true, named);
        files = [];
      }
    }
    if (files.length > 0) yield group(files, true, named);
  }
  const storage = listing.patients.length > 0;
  const journals = [];
  for (const path of listing.journals) {
    if (storage || !entry.known.includes("journal")) {
      yield { finding: ["SSM114", path, "journals-ignored"], count: 1, bytes: 0, ...extra };
      continue;
    }
    const file = await load(path, MAX_STREAM);
    if (file.finding) yield { ...file, ...extra };
    else journals.push(file);
  }
  const apart = [];
  for (const path of rest) {
    const i = at.get(path).shift();
    const file = await load(path, MAX_FILE, i);
    if (!file.finding && !storage && isJournal(entry, file.bytes)) journals.push(file);
    else {
      const unit = file.finding ? file : loose(entry, file, storage, left !== undefined);
      if (!entry.together) yield { ...unit, ...extra };
      else if (unit.finding) apart.push({ path, unit });
      // What it holds is read again when it is its turn.
      else apart.push({ path, i, length: file.bytes.length, people: isMessage(entry, file) ? peopleOf(file) : [] });
    }
  }
  for await (const unit of byPerson(entry, apart, ({ path, i }) => load(path, MAX_FILE, i))) yield { ...unit, ...extra };
  // What is counted from here on are the files of the replay.
  if (journals.length > 0) yield* replayed(entry, journals, { institution: extra.institution }, signal);
}

/**
 * Units of files that come one by one: neighbours of one patient are one unit. Whether others follow is
 * not known, so what a root names is the institution of its patients.
 */
async function* streamed(entry, files, signal) {
  let patient;
  let root;
  let together = [];
  let storage = false;
  const journals = [];
  const tables = [];
  const iterator = (files[Symbol.asyncIterator] ?? files[Symbol.iterator]).call(files);
  let finished = false;
  try {
    for (;;) {
      const step = await until(Promise.resolve(iterator.next()), signal);
      if (step.done) {
        finished = true;
        break;
      }
      const file = fileOf(step.value);
      if (!file) throw invalid("a source must give {path: string, bytes: Uint8Array}");
      const listing = entry.own.call((glue) => glue.listStorage([file.path]));
      if (listing.skipped.length > 0) continue;
      const id = listing.patients[0]?.id;
      if (together.length > 0 && (id !== patient || listing.institution !== root || together.length === MAX_GROUP)) {
        yield group(together, true, of({}, root));
        together = [];
      }
      patient = id;
      root = listing.institution;
      if (id === undefined && isIndex(file.path)) {
        tables.push(file.bytes);
      } else if (id === undefined && isJournal(entry, file.bytes)) {
        journals.push(file);
      } else if (file.bytes.length > MAX_FILE) {
        yield unreadable(file.path, "too-large");
        if (id !== undefined && entry.together) together.push({ path: file.path, bytes: UNREAD });
      } else if (id === undefined) {
        yield loose(entry, file, storage);
      } else {
        storage = true;
        together.push(file);
      }
    }
    if (together.length > 0) yield group(together, true, of({}, root));
    if (storage) for (const { path } of journals) yield { finding: ["SSM114", path, "journals-ignored"], count: 1, bytes: 0 };
    else if (journals.length > 0) yield* replayed(entry, journals, { institution: await until(indexed(entry, tables), signal) }, signal);
  } finally {
    if (!finished) await iterator.return?.();
  }
}

/** All bytes of a stream as a Blob, which the platform may keep outside memory. */
async function drain(stream, signal) {
  const reader = stream.getReader();
  const parts = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await until(reader.read(), signal);
      if (done) return new Blob(parts);
      const bytes = bytesOf(value);
      if (!bytes) throw invalid("a ReadableStream must give Uint8Arrays");
      size += bytes.length;
      if (size > MAX_STREAM) throw new WarifuError("too-large", "a stream may have 2 GiB");
      parts.push(bytes);
    }
  } catch (e) {
    reader.cancel(e).catch(() => {});
    throw e;
  }
}

/** Units of a tar archive. */
async function* fromTar(entry, from, path, signal) {
  const archive = await openTar(from, () => check(signal));
  for (const [name, reason] of archive.left) yield unreadable(name, reason);
  const read = async (i) => {
    const { start, size } = archive.files[i];
    return size > MAX_FILE ? "too-large" : until(from.read(start, start + size), signal);
  };
  yield* catalogued(entry, archive.files.map((f) => f.path), read, signal, archive.left);
  if (archive.damaged) yield unreadable(path, "damaged");
}

async function* units(entry, source, signal, packed = false) {
  if (typeof ReadableStream === "function" && source instanceof ReadableStream) {
    yield* units(entry, await drain(source, signal), signal);
    return;
  }
  const blob = typeof Blob === "function" && source instanceof Blob;
  const file = blob ? undefined : fileOf(source);
  if (blob || file) {
    const from = ranges(blob ? source : file.bytes);
    const path = blob ? (source.name ?? "") : file.path;
    const head = await until(from.read(0, Math.min(512, from.size)), signal);
    const content = archiveOf(entry, head);
    if (packed && content !== undefined && content !== "tar") yield unreadable(path, "nested-archive");
    else if (content === "zstd") yield unreadable(path, "zstd");
    else if (content === "tar") yield* fromTar(entry, from, path, signal);
    else if (content === "gzip") {
      const unpacked = await gunzip(blob ? source : new Blob([file.bytes]), { wait: (promise) => until(promise, signal), check: () => check(signal) });
      if (typeof unpacked === "string") yield unreadable(path, unpacked);
      else yield* units(entry, Object.assign(unpacked, { name: path }), signal, true);
    } else if (content === "zip") {
      const archive = await openZip(entry, from, signal);
      if (typeof archive === "string") {
        yield unreadable(path, archive);
        return;
      }
      try {
        for (const [name, reason] of archive.left) yield unreadable(name, reason);
        yield* catalogued(entry, archive.paths, archive.read, signal, archive.left);
      } finally {
        archive.close();
      }
    } else if (isJournal(entry, head)) {
      if (from.size > MAX_STREAM) yield unreadable(path, "too-large");
      else yield* replayed(entry, [{ path, bytes: await until(from.read(0, from.size), signal) }], {}, signal);
    } else if (from.size > MAX_FILE) {
      yield unreadable(path, "too-large");
    } else {
      yield loose(entry, { path, bytes: await until(from.read(0, from.size), signal) }, false);
    }
    return;
  }
  if (Array.isArray(source)) {
    const files = source.map(fileOf);
    if (!files.every(Boolean)) throw invalid("a source must give {path: string, bytes: Uint8Array}");
    yield* catalogued(entry, files.map((f) => f.path), async (i) => files[i].bytes, signal);
    return;
  }
  if (typeof source?.[Symbol.asyncIterator] === "function" || typeof source?.[Symbol.iterator] === "function") {
    yield* streamed(entry, source, signal);
    return;
  }
  throw invalid("source must be a file, an iterable of files, a Blob or a ReadableStream");
}

/**
 * Events of a source in its order. `entry` is `{own, known, traceOf}`: the instance that sorts out the source,
 * the contents of loose files it takes, and what makes a trace of leaves. `run(unit)` does a unit, at most `width` at a time;
 * `last(institutions)` gives the findings about the options, with what the units named (undefined: nothing);
 * `bundles` says that what patients share is in Bundles.
 */
export async function* events(entry, source, { run, last, bundles, width = 1, signal }) {
  if (signal !== undefined && typeof signal?.addEventListener !== "function") throw invalid("signal must be an AbortSignal");
  check(signal);
  const shared = new Shared();
  const waiting = [];
  let filesDone = 0;
  let bytesDone = 0;
  const institutions = new Set();
  let rested = performance.now();
  async function* next() {
    const [unit, promise] = waiting.shift();
    const made = placedAll(await until(promise, signal), unit);
    let from = 0;
    for (let i = 0; i < made.ends.length; i += 1) {
      const to = made.ends[i];
      const [resourceType, id] = [made.types[i], made.ids[i]];
      let json = made.json.slice(from, to);
      from = to;
      let trace = made.traces && entry.traceOf(made.traces, i, unit.within);
      if (made.shared[i]) {
        shared.offer(resourceType, id, json, trace);
        continue;
      }
      if (bundles) {
        let replaced;
        ({ json, replaced } = shared.bundle(json));
        if (replaced) trace &&= new Leaves([...trace].filter((hit) => !replaced(hit)), trace.complete);
      }
      yield resource(resourceType, id, json, trace);
      check(signal);
    }
    for (const diagnostic of made.diagnostics) yield { type: "diagnostic", diagnostic };
    filesDone += unit.count ?? 1;
    bytesDone += unit.bytes;
    const progress = { type: "progress", filesDone, bytesDone };
    if (unit.total !== undefined) progress.filesTotal = unit.total;
    if (made.unused) progress.unused = made.unused;
    yield progress;
    if (performance.now() - rested > SLICE) {
      await breathe();
      rested = performance.now();
    }
    check(signal);
  }
  for await (const unit of units(entry, source, signal)) {
    if (unit.files) institutions.add(unit.institution);
    const promise = (async () => run(unit))();
    // Whoever stops early leaves promises behind.
    promise.catch(() => {});
    waiting.push([unit, promise]);
    if (waiting.length >= width) yield* next();
  }
  while (waiting.length > 0) yield* next();
  if (!bundles) {
    for (const { type, id, json, leaves, complete } of shared.resources()) {
      yield resource(type, id, json, leaves && new Leaves(leaves, complete));
      check(signal);
    }
  }
  for (const diagnostic of await last([...institutions])) yield { type: "diagnostic", diagnostic };
  for (const key of shared.contradicted()) {
    const { diagnostics } = await until(Promise.resolve(run({ finding: ["SSM183", "", key] })), signal);
    for (const diagnostic of diagnostics) yield { type: "diagnostic", diagnostic };
  }
}

const resource = (resourceType, id, json, trace) =>
  trace ? { type: "resource", resourceType, id, json, trace } : { type: "resource", resourceType, id, json };

