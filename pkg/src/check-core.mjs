// The API of `warifu/check`: the check's instance, and the class over it.
import * as glue from "./wasm/check.js";
import { dispose, events, initOf, Instance, invalid, Machine, single, WarifuError } from "./core.mjs";
import { opened, pagesOf, reportsOf } from "./report.mjs";

const instance = new Instance(glue);
/** For streams of this entry. */
const entry = { own: instance, known: ["hl7", "journal"] };

const machine = (options, source) => new Machine(instance, (glue, own) => new glue.CheckEngine(own), options, source);

/** The API; `source`, `load` and `unpack` as for the converter. */
export function create({ source, load, unpack }) {
  entry.unpack ??= unpack;
  const init = initOf(entry, load);

  const report = reportsOf(instance, source);

  class Checker {
    #machine;
    constructor(options) {
      this.#machine = machine(options, source);
    }
    #use() {
      if (!this.#machine) throw new WarifuError("disposed", "this checker was freed");
      return this.#machine;
    }
    check(input) {
      const own = this.#use();
      const files = [single(input)];
      return report(own.call((engine) => engine.check(files, false)));
    }
    checkPatient(files) {
      const own = this.#use();
      const all = Array.from(files, single);
      return report(own.call((engine) => engine.check(all, true)));
    }
    checkAll(from, { signal } = {}) {
      return stream(this.#use().options, from, signal);
    }
    fix(input, { unsafe = false } = {}) {
      const own = this.#use();
      const { path, bytes } = single(input);
      if (typeof unsafe !== "boolean") throw invalid("unsafe must be true or false");
      const fixed = own.call((engine) => engine.fix(path, bytes, unsafe));
      return { bytes: fixed.bytes, applied: opened(fixed.applied) };
    }
    free() {
      this.#machine?.free();
      this.#machine = undefined;
    }
    [dispose]() {
      this.free();
    }
  }

  /** A stream has an engine of its own, since it counts equal findings. */
  async function* stream(options, from, signal) {
    const own = machine(options, source);
    const run = ({ finding, files, patient }) => {
      const found = own.call((engine) => (finding ? engine.fileFinding(...finding) : engine.unit(files, patient)));
      return { ends: [], diagnostics: opened(found) };
    };
    try {
      yield* events(entry, from, { run, last: () => [], signal });
    } finally {
      own.free();
    }
  }

  return { Checker, init, ...pagesOf(instance, source) };
}
