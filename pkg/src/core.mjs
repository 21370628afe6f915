// What all entries share: the one wasm instance, its restart after a trap, and the classes over it.
import * as glue from "./wasm/convert.js";

/** Longest file that is converted. */
const MAX_FILE = 64 * 1024 * 1024;
/** Longest stream that is taken. */
const MAX_STREAM = 2 * 1024 * 1024 * 1024;
/** Most files of one patient in one conversion. */
const MAX_GROUP = 65_535;
/** Longest work in ms before timers and other tasks get their turn. */
const SLICE = 30;

const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
const text = new TextDecoder();

/** The only error this package throws. */
export class WarifuError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.name = "WarifuError";
    this.code = code;
  }
}

const invalid = (message) => new WarifuError("invalid-option", message);

// ── the instance ────────────────────────────────────────────────────────────────────────────────

let compiled;
let version = "";
let broken = false;
/** Counts instances: a handle of an earlier one is made again. */
let generation = 0;

function adopt(module) {
  if (compiled) return;
  glue.initSync({ module });
  compiled = module;
  version = glue.version();
}

/** The compiled module, for workers of a pool. */
export const currentModule = () => compiled;

/** Takes a module that another thread has compiled. */
export const adoptModule = adopt;

function start(source) {
  if (!compiled) {
    if (!source) throw new WarifuError("not-initialised", "call `await init()` once before anything else");
    adopt(new WebAssembly.Module(source()));
  } else if (broken) {
    glue.__wbg_reset_state();
    generation += 1;
    broken = false;
  }
}

/** Runs a call into the module. What the module throws on purpose is passed on; a trap breaks the instance. */
function call(f) {
  try {
    return f();
  } catch (e) {
    if (e instanceof WarifuError) throw e;
    if (!(e instanceof Error) && typeof e?.code === "string") throw new WarifuError(e.code, e.message);
    broken = true;
    const message = `internal error of warifu ${version}; the next call starts afresh`;
    throw new WarifuError("internal", message, { cause: e });
  }
}

async function compile(input) {
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

// ── input ───────────────────────────────────────────────────────────────────────────────────────

const tag = (x) => Object.prototype.toString.call(x).slice(8, -1);

/** A `Uint8Array` of this realm over the same bytes. */
function bytesOf(x) {
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
      own.idKey = bytes.slice();
    } else {
      own[key] = value;
    }
  }
  return own;
}

// ── results ─────────────────────────────────────────────────────────────────────────────────────

class Trace {
  #hits;
  #unused;
  #exact;
  constructor({ hits, unused }) {
    this.#hits = hits;
    this.#unused = unused;
  }
  /** The leaf at an RFC 6901 pointer, or all leaves below it. */
  forPointer(pointer) {
    if (!this.#exact) {
      this.#exact = new Map();
      for (const hit of this.#hits) {
        const there = this.#exact.get(hit.pointer);
        if (there) there.push(hit);
        else this.#exact.set(hit.pointer, [hit]);
      }
    }
    const leaf = this.#exact.get(pointer);
    if (leaf) return [...leaf];
    const below = `${pointer}/`;
    return this.#hits.filter((hit) => hit.pointer.startsWith(below));
  }
  /** The leaves made from bytes of a range; an empty range asks for the byte at `start`. */
  forSpan(file, start, end) {
    const to = Math.max(end, start + 1);
    return this.#hits.filter((hit) => hit.spans.some((s) => s.file === file && s.start < to && s.end > start));
  }
  /** Fields with a value that left no leaf. */
  unused(file) {
    return file === undefined ? [...this.#unused] : this.#unused.filter((u) => u.file === file);
  }
}

/** The public form of what the engine gives. */
export function wrap(raw, lines) {
  const result = {
    json: raw.json,
    diagnostics: raw.diagnostics,
    value() {
      const json = text.decode(result.json);
      if (!lines) return JSON.parse(json);
      return json.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    },
  };
  if (raw.trace) result.trace = new Trace(raw.trace);
  return result;
}

/** Whether the output has one JSON value a line. */
export const hasLines = (options) => options.to === "ndjson" || options.to === "clins";

// ── one engine with its options ─────────────────────────────────────────────────────────────────

/** An engine that survives a restart of the instance. */
export class Machine {
  #options;
  #source;
  #engine;
  #generation = -1;
  constructor(options, source) {
    this.#options = ownOptions(options);
    this.#source = source;
    this.engine();
  }
  get options() {
    return this.#options;
  }
  engine() {
    start(this.#source);
    if (this.#generation !== generation) {
      this.#engine = call(() => new glue.Engine(this.#options));
      this.#generation = generation;
    }
    return this.#engine;
  }
  parse({ path, bytes }) {
    const engine = this.engine();
    return call(() => engine.parse(path, bytes));
  }
  convert({ path, bytes }) {
    const engine = this.engine();
    return call(() => engine.convert(path, bytes));
  }
  convertPatient(files) {
    const engine = this.engine();
    return call(() => engine.convertPatient(files));
  }
  /** Converts a unit of a stream; see [`units`]. */
  run(unit) {
    const engine = this.engine();
    return call(() =>
      unit.finding
        ? { ends: [], diagnostics: [engine.fileFinding(...unit.finding)] }
        : engine.pieces(unit.files, unit.patient),
    );
  }
  optionFindings() {
    const engine = this.engine();
    return call(() => engine.optionFindings());
  }
  free() {
    if (this.#generation === generation && !broken) call(() => this.#engine.free());
    this.#engine = undefined;
    this.#generation = -1;
  }
}

// ── streams ─────────────────────────────────────────────────────────────────────────────────────

function check(signal) {
  if (signal?.aborted) throw new WarifuError("aborted", "the conversion was aborted", { cause: signal.reason });
}

/** Waits for a promise, but not longer than until the signal. */
async function until(promise, signal) {
  if (!signal) return promise;
  check(signal);
  let stop;
  const aborted = new Promise((_, reject) => {
    stop = () => reject(new WarifuError("aborted", "the conversion was aborted", { cause: signal.reason }));
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

/** Something to read ranges of. */
function ranges(input) {
  if (input instanceof Uint8Array) {
    return { size: input.length, read: async (start, end) => input.subarray(start, end) };
  }
  return { size: input.size, read: async (start, end) => new Uint8Array(await input.slice(start, end).arrayBuffer()) };
}

/** A zip as `{paths, read(i)}`; holds its directory and one entry. */
async function openZip(from, signal) {
  const archive = call(() => new glue.ZipArchive(from.size));
  const made = generation;
  const ask = async (f) => {
    // The archive is gone with its instance.
    if (made !== generation || broken) throw new WarifuError("internal", "the archive was lost by an internal error");
    for (;;) {
      const answer = call(f);
      if (!Array.isArray(answer)) return answer;
      const [start, end] = answer;
      if (end <= start) return "damaged";
      const bytes = await until(from.read(start, end), signal);
      call(() => archive.feed(start, bytes));
    }
  };
  const { paths } = await ask(() => archive.open());
  call(() => archive.drop_parts());
  return {
    paths,
    read: async (i) => {
      const bytes = await ask(() => archive.read(i));
      call(() => archive.drop_parts());
      return bytes;
    },
    close: () => {
      if (made === generation && !broken) call(() => archive.free());
    },
  };
}

/** Codes of files that are not read. */
const unreadable = (path, reason) => {
  const code = { "too-large": "SSM111", expansion: "SSM111", "unsafe-path": "SSM110" }[reason] ?? "SSM115";
  return { finding: [code, path, reason], files: 1, bytes: 0 };
};

const group = (files, patient, extra) => ({
  files,
  patient,
  count: files.length,
  bytes: files.reduce((sum, f) => sum + f.bytes.length, 0),
  ...extra,
});

/** A file outside any storage: converted when it is the only kind of file, otherwise reported. */
function loose(file, besideStorage) {
  const content = call(() => glue.sniff(file.bytes.subarray(0, 512)));
  const known = content === "hl7" || content === "xml" || content === "journal";
  if (besideStorage || !known) return { finding: ["SSM108", file.path, content], count: 1, bytes: file.bytes.length };
  return group([file], false);
}

/**
 * Units of a list of which all paths are known: patients in the order of their ids, then the rest.
 * `read(i)` gives bytes, or the word why there are none.
 */
async function* catalogued(paths, read, signal) {
  const listing = call(() => glue.listStorage(paths));
  const at = new Map();
  paths.forEach((path, i) => at.get(path)?.push(i) ?? at.set(path, [i]));
  const extra = { total: paths.length - listing.skipped.length };
  if (listing.institution) extra.institution = listing.institution;
  const load = async (path) => {
    check(signal);
    const bytes = await read(at.get(path).shift());
    if (typeof bytes === "string") return unreadable(path, bytes);
    if (bytes.length > MAX_FILE) return unreadable(path, "too-large");
    return { path, bytes };
  };
  for (const patient of listing.patients) {
    let files = [];
    for (const { path } of patient.files) {
      const file = await load(path);
      if (file.finding) yield { ...file, ...extra };
      else files.push(file);
      if (files.length === MAX_GROUP) {
        yield group(files, true, extra);
        files = [];
      }
    }
    if (files.length > 0) yield group(files, true, extra);
  }
  const storage = listing.patients.length > 0;
  for (const path of [...listing.journals, ...listing.foreign]) {
    if (storage && listing.journals.includes(path)) {
      yield { finding: ["SSM114", path, "journals-ignored"], count: 1, bytes: 0, ...extra };
      continue;
    }
    const file = await load(path);
    yield { ...(file.finding ? file : loose(file, storage)), ...extra };
  }
}

/** Units of files that come one by one: neighbours of one patient are one unit. */
async function* streamed(files, signal) {
  let patient;
  let together = [];
  let storage = false;
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
      const listing = call(() => glue.listStorage([file.path]));
      if (listing.skipped.length > 0) continue;
      const id = listing.patients[0]?.id;
      if (together.length > 0 && (id !== patient || together.length === MAX_GROUP)) {
        yield group(together, true);
        together = [];
      }
      patient = id;
      if (file.bytes.length > MAX_FILE) {
        yield unreadable(file.path, "too-large");
      } else if (id === undefined) {
        yield loose(file, storage);
      } else {
        storage = true;
        together.push(file);
      }
    }
    if (together.length > 0) yield group(together, true);
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

async function* units(source, signal) {
  if (typeof ReadableStream === "function" && source instanceof ReadableStream) {
    yield* units(await drain(source, signal), signal);
    return;
  }
  const blob = typeof Blob === "function" && source instanceof Blob;
  const file = blob ? undefined : fileOf(source);
  if (blob || file) {
    const from = ranges(blob ? source : file.bytes);
    const path = blob ? (source.name ?? "") : file.path;
    if (isZip(await until(from.read(0, Math.min(4, from.size)), signal))) {
      const archive = await openZip(from, signal);
      try {
        yield* catalogued(archive.paths, archive.read, signal);
      } finally {
        archive.close();
      }
    } else if (from.size > MAX_FILE) {
      yield unreadable(path, "too-large");
    } else {
      yield loose({ path, bytes: await until(from.read(0, from.size), signal) }, false);
    }
    return;
  }
  if (Array.isArray(source)) {
    const files = source.map(fileOf);
    if (!files.every(Boolean)) throw invalid("a source must give {path: string, bytes: Uint8Array}");
    yield* catalogued(files.map((f) => f.path), async (i) => files[i].bytes, signal);
    return;
  }
  if (typeof source?.[Symbol.asyncIterator] === "function" || typeof source?.[Symbol.iterator] === "function") {
    yield* streamed(source, signal);
    return;
  }
  throw invalid("source must be a file, an iterable of files, a Blob or a ReadableStream");
}

/**
 * Events of a source in its order. `run(unit)` converts a unit, at most `width` at a time;
 * `last(institution)` gives the findings about the options.
 */
export async function* events(source, { run, last, width = 1, signal }) {
  if (signal !== undefined && typeof signal?.addEventListener !== "function") throw invalid("signal must be an AbortSignal");
  check(signal);
  const shared = new Set();
  const waiting = [];
  let filesDone = 0;
  let bytesDone = 0;
  let institution;
  let rested = performance.now();
  async function* next() {
    const [unit, promise] = waiting.shift();
    const made = await until(promise, signal);
    let from = 0;
    for (let i = 0; i < made.ends.length; i += 1) {
      const to = made.ends[i];
      const [resourceType, id] = [made.types[i], made.ids[i]];
      const key = `${resourceType}/${id}`;
      if (!made.shared[i] || !shared.has(key)) {
        if (made.shared[i]) shared.add(key);
        yield { type: "resource", resourceType, id, json: made.json.slice(from, to) };
        check(signal);
      }
      from = to;
    }
    for (const diagnostic of made.diagnostics) yield { type: "diagnostic", diagnostic };
    filesDone += unit.count ?? 1;
    bytesDone += unit.bytes;
    const progress = { type: "progress", filesDone, bytesDone };
    if (unit.total !== undefined) progress.filesTotal = unit.total;
    yield progress;
    if (performance.now() - rested > SLICE) {
      await breathe();
      rested = performance.now();
    }
    check(signal);
  }
  for await (const unit of units(source, signal)) {
    institution = unit.institution;
    const promise = (async () => run(unit))();
    // Whoever stops early leaves promises behind.
    promise.catch(() => {});
    waiting.push([unit, promise]);
    if (waiting.length >= width) yield* next();
  }
  while (waiting.length > 0) yield* next();
  for (const diagnostic of await last(institution)) yield { type: "diagnostic", diagnostic };
}

// ── the public classes ──────────────────────────────────────────────────────────────────────────

/**
 * The API of an entry. `source` gives the bytes of the module at once where the platform can;
 * `load` gives what `init` compiles when it is called without argument.
 */
export function create({ source, load }) {
  let starting;

  async function init(input) {
    if (compiled) return;
    starting ??= (async () => {
      try {
        adopt(await compile(input ?? load()));
      } catch (e) {
        throw new WarifuError("not-initialised", `the module cannot be loaded: ${e.message}`, { cause: e });
      } finally {
        starting = undefined;
      }
    })();
    await starting;
  }

  class Converter {
    #machine;
    #lines;
    /** Engine of the institution that a storage names itself. */
    #named;
    constructor(options) {
      this.#machine = new Machine(options, source);
      this.#lines = hasLines(this.#machine.options);
    }
    #use() {
      if (!this.#machine) throw new WarifuError("disposed", "this converter was freed");
      return this.#machine;
    }
    #for(institution) {
      const machine = this.#use();
      if (institution === undefined || machine.options.institution !== undefined) return machine;
      if (this.#named?.options.institution !== institution) {
        this.#named?.free();
        this.#named = new Machine({ ...machine.options, institution }, source);
      }
      return this.#named;
    }
    convert(input) {
      const machine = this.#use();
      return wrap(machine.convert(single(input)), this.#lines);
    }
    convertPatient(files) {
      const machine = this.#use();
      return wrap(machine.convertPatient(Array.from(files, single)), this.#lines);
    }
    convertAll(from, { signal } = {}) {
      this.#use().engine();
      const run = (unit) => this.#for(unit.institution).run(unit);
      const last = (institution) => this.#for(institution).optionFindings();
      return events(from, { run, last, signal });
    }
    free() {
      this.#named?.free();
      this.#machine?.free();
      this.#machine = undefined;
      this.#named = undefined;
    }
    [dispose]() {
      this.free();
    }
  }

  function parse(input, options) {
    const file = single(input);
    const machine = new Machine(options, source);
    try {
      return machine.parse(file);
    } finally {
      machine.free();
    }
  }

  function rule(code, lang = "ja") {
    start(source);
    const page = call(() => glue.rule(String(code), String(lang)));
    if (page === undefined) throw invalid(`no rule ${code}`);
    return page;
  }

  function rules() {
    start(source);
    return call(() => glue.rules());
  }

  return { Converter, parse, init, rule, rules };
}
