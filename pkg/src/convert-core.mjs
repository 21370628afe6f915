// The API of `warifu/convert`: the converter's instance, and the classes over it.
import * as glue from "./wasm/convert.js";
import { dispose, events, initOf, Instance, invalid, loaded, Machine as Base, single, WarifuError } from "./core.mjs";

const text = new TextDecoder();
const instance = new Instance(glue);
/** For streams of this entry. */
export const entry = { own: instance, known: ["hl7", "xml", "journal"], traceOf: (hits) => new Trace({ hits, unused: [] }) };

/** The compiled module, for workers of a pool. */
export const currentModule = () => instance.module;

/** Takes a module that another thread has compiled. */
export const adoptModule = (module) => instance.adopt(module);

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

/** A converter that survives a restart of the instance. */
export class Machine extends Base {
  constructor(options, source) {
    super(instance, (glue, own) => new glue.Engine(own), options, source);
  }
  parse({ path, bytes }) {
    return this.call((engine) => engine.parse(path, bytes));
  }
  convert({ path, bytes }) {
    return this.call((engine) => engine.convert(path, bytes));
  }
  convertPatient(files) {
    return this.call((engine) => engine.convertPatient(files));
  }
  /** Converts a unit of a stream. */
  run(unit) {
    return this.call((engine) =>
      unit.finding
        ? { ends: [], diagnostics: [engine.fileFinding(...unit.finding)] }
        : engine.pieces(unit.files, unit.patient),
    );
  }
  optionFindings() {
    return this.call((engine) => engine.optionFindings());
  }
}

// ── the public classes ──────────────────────────────────────────────────────────────────────────

/**
 * The API of an entry. `source` gives the bytes of the module at once where the platform can;
 * `load` gives what `init` compiles when it is called without argument, `unpack` and `rules` what the
 * reader of packed storages and the pages of rules are compiled from.
 */
export function create({ source, load, unpack, rules: pages }) {
  entry.unpack ??= unpack;
  entry.rules ??= pages;
  const init = initOf(entry, load);

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
      return events(entry, from, { run, last, signal });
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

  async function rule(code, lang = "ja") {
    const own = await loaded(entry, "rules");
    const page = own.call((glue) => glue.rule(String(code), String(lang)));
    if (page === undefined) throw invalid(`no rule ${code}`);
    return page;
  }

  async function rules() {
    const own = await loaded(entry, "rules");
    return own.call((glue) => glue.rules());
  }

  return { Converter, parse, init, rule, rules };
}
