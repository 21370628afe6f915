// The API of `warifu/convert`: the converter's instance, and the classes over it.
import * as glue from "./wasm/convert.js";
import { compile, dispose, events, initOf, Instance, invalid, isPageLang, loaded, Machine as Base, single, WarifuError } from "./core.mjs";
import { Trace, traceOf } from "./trace.mjs";

const text = new TextDecoder();
const instance = new Instance(glue);
/** For streams of this entry. */
export const entry = { own: instance, known: ["hl7", "xml", "journal"], together: true, traceOf };

// ── parts ───────────────────────────────────────────────────────────────────────────────────────

/** What the module needs for some files and outputs only, by name: `load` and, where the platform can, `source`. */
const parts = { clins: {}, documents: {}, view: {} };

/** Whether the module has its parts inside, as the one for programs does. */
let whole;
const isWhole = () => (whole ??= instance.module && WebAssembly.Module.customSections(instance.module, "whole").length > 0);

function join(name, module) {
  instance.call((glue) => glue.addPart(name, module));
  parts[name].module = module;
}

/** The parts that a call needs and the instance lacks; `shown` for a message as a tree. */
function* lacking({ to, trace, provenance }, files, shown) {
  if (isWhole()) return;
  if ((shown || trace || provenance) && !parts.view.module) yield "view";
  if (to === "clins" && !parts.clins.module) yield "clins";
  if (parts.documents.module) return;
  // What begins as messages do is none; the engine knows the rest.
  const may = ({ bytes }) => !(bytes[0] === 0x4d && bytes[1] === 0x53 && bytes[2] === 0x48);
  const is = (file) => may(file) && instance.call((glue) => glue.isDocument(file.path, file.bytes));
  if (files.some(is)) yield "documents";
}

const notLoaded = (name, cause) =>
  new WarifuError("not-initialised", `the part "${name}" of the module is not loaded; let \`await init()\` load it`, { cause });

/** Sees to it that a call has its parts, at once. */
function ready(options, files, shown) {
  for (const name of lacking(options, files, shown)) {
    const { source, failure } = parts[name];
    if (!source) throw notLoaded(name, failure);
    join(name, new WebAssembly.Module(source()));
  }
  if (isWhole() || parts.view.module) instance.call((glue) => glue.nameFields());
}

/** As `ready`; what is not there is loaded. */
async function prepare(options, files) {
  for (const name of lacking(options, files)) {
    const { load, source } = parts[name];
    let module;
    try {
      module = await compile((source ?? load)?.());
    } catch (e) {
      throw notLoaded(name, e);
    }
    if (!parts[name].module) join(name, module);
  }
}

/** The compiled module and its parts, for workers of a pool. */
export const currentModule = () => ({ own: instance.module, parts: Object.entries(parts).map(([name, { module }]) => [name, module]) });

/** Takes what another thread has compiled. */
export function adoptModule({ own, parts: compiled }) {
  instance.adopt(own);
  for (const [name, module] of compiled) if (module) join(name, module);
}

// ── results ─────────────────────────────────────────────────────────────────────────────────────

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

/** Options for a unit: what was given counts, unless the storage holds several institutions. */
export const ofInstitution = (options, institution, several) =>
  institution === undefined || institution === options.institution || (options.institution !== undefined && !several)
    ? options
    : { ...options, institution };

/** Whether the output has one JSON value a line. */
export const hasLines = (options) => options.to === "ndjson" || options.to === "clins";

// ── one engine with its options ─────────────────────────────────────────────────────────────────

/** Refuses what says how Bundles are made where none are, as the command line does. */
function refuseApart(options) {
  if (options?.to !== "ndjson" && options?.to !== "clins") return;
  const apart = ["per", "bundle"].find((name) => options[name] !== undefined);
  if (apart) throw invalid(`${apart} goes with to: "bundle" (ndjson and clins have neither kind nor unit of a Bundle)`);
}

/** A converter that survives a restart of the instance. */
export class Machine extends Base {
  constructor(options, source) {
    refuseApart(options);
    super(instance, (glue, own) => new glue.Engine(own), options, source);
  }
  /** Runs a call of the engine on files. */
  #on(files, f, shown = false) {
    this.engine();
    ready(this.options, files, shown);
    return this.call(f);
  }
  parse(file) {
    return this.#on([file], (engine) => engine.parse(file.path, file.bytes), true);
  }
  convert(file) {
    return this.#on([file], (engine) => engine.convert(file.path, file.bytes));
  }
  convertPatient(files) {
    return this.#on(files, (engine) => engine.convertPatient(files));
  }
  /** Loads what a unit of a stream needs. */
  async prepare(unit) {
    this.engine();
    await prepare(this.options, unit.files ?? []);
  }
  /** Converts a unit of a stream. */
  run(unit) {
    return this.#on(unit.files ?? [], (engine) =>
      unit.finding
        ? { ends: [], diagnostics: [engine.fileFinding(...unit.finding)] }
        : engine.pieces(unit.files, unit.patient),
    );
  }
  optionFindings() {
    return this.call((engine) => engine.optionFindings());
  }
  /** What to say where a storage names other institutions than the one that was given. */
  otherInstitutions(named) {
    const { institution } = this.options;
    const other = institution === undefined ? [] : named.filter((n) => n !== undefined && n !== institution).sort();
    return other.length === 0 ? [] : [this.call((engine) => engine.fileFinding("SSM148", "", other.join(", ")))];
  }
}

// ── the public classes ──────────────────────────────────────────────────────────────────────────

/**
 * The API of an entry. `source` gives the bytes of the module at once where the platform can;
 * `load` gives what `init` compiles when it is called without argument, `fast` what it compiles then with
 * the option of that name, `unpack` and `rules` what the
 * reader of packed storages and the pages of rules are compiled from, `clins`, `documents` and `view`
 * the parts.
 */
export function create({ source, load, fast, unpack, rules: pages, clins, documents, view }) {
  entry.unpack ??= unpack;
  entry.rules ??= pages;
  for (const [name, own] of Object.entries({ clins, documents, view })) {
    parts[name].load ??= own;
    if (source) parts[name].source ??= own;
  }
  const begin = initOf(entry, load, fast);

  async function init(input, given = {}) {
    const begun = begin(input, given);
    // A part that does not come is missed when it is needed.
    const came = Object.entries(parts).map(async ([name, part]) => {
      const wanted = given[name];
      if (wanted !== undefined && wanted !== false) part.load = () => wanted;
      if (wanted === false || part.module) return undefined;
      try {
        // Who reads modules from a disk, or wants the fast one, need not read what is inside the first.
        if (source || given.fast) await begun;
        if (isWhole()) return undefined;
        const module = await compile(part.load());
        return () => isWhole() || part.module || join(name, module);
      } catch (e) {
        part.failure = e;
        return undefined;
      }
    });
    await begun;
    for (const joined of await Promise.all(came)) joined?.();
  }

  class Converter {
    #machine;
    #lines;
    /** Engines of the institutions that a storage names itself. */
    #named = new Map();
    constructor(options) {
      this.#machine = new Machine(options, source);
      this.#lines = hasLines(this.#machine.options);
    }
    #use() {
      if (!this.#machine) throw new WarifuError("disposed", "this converter was freed");
      return this.#machine;
    }
    #for({ institution, several }) {
      const machine = this.#use();
      const options = ofInstitution(machine.options, institution, several);
      if (options === machine.options) return machine;
      let named = this.#named.get(institution);
      if (!named) this.#named.set(institution, (named = new Machine(options, source)));
      return named;
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
      const run = async (unit) => {
        const machine = this.#for(unit);
        await machine.prepare(unit);
        return machine.run(unit);
      };
      const last = (named) => {
        const [institution] = named.length > 0 && !named.includes(undefined) ? named : [];
        return [...this.#for({ institution }).optionFindings(), ...this.#use().otherInstitutions(named)];
      };
      return events(entry, from, { run, last, bundles: !this.#lines, signal });
    }
    free() {
      for (const named of this.#named.values()) named.free();
      this.#named.clear();
      this.#machine?.free();
      this.#machine = undefined;
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

  async function rule(code, lang = "ja") {
    isPageLang(lang);
    const own = await loaded(entry, "rules");
    const page = own.call((glue) => glue.rule(String(code), lang));
    if (page === undefined) throw invalid(`no rule ${code}`);
    return page;
  }

  async function rules() {
    const own = await loaded(entry, "rules");
    return own.call((glue) => glue.rules());
  }

  return { Converter, parse, init, rule, rules };
}
