// The API of `warifu/validate`: the validation's instance, and the class over it.
import * as glue from "./wasm/validate.js";
import { bytesOf, dispose, Instance, invalid, loadOf, Machine, single, WarifuError } from "./core.mjs";
import { pagesOf, reportsOf } from "./report.mjs";

const instance = new Instance(glue);

/** Options with packages of their own: they are read again when the instance starts afresh. */
function owned(options) {
  if (options?.packages === undefined) return options;
  if (!Array.isArray(options.packages)) throw invalid("packages must be an array of Uint8Array");
  const packages = options.packages.map((given) => {
    const bytes = bytesOf(given);
    if (!bytes) throw invalid("packages must be an array of Uint8Array");
    return bytes.slice();
  });
  return { ...options, packages };
}

/** The API; `source` gives the module where the platform can, `load` fetches it, `fast` the one made for speed. */
export function create({ source, load, fast }) {
  const report = reportsOf(instance, source);

  class Validator {
    #machine;
    constructor(options) {
      this.#machine = new Machine(instance, (glue, own) => new glue.ValidateEngine(own), owned(options), source);
    }
    #use() {
      if (!this.#machine) throw new WarifuError("disposed", "this validator was freed");
      return this.#machine;
    }
    get packages() {
      return this.#use().call((engine) => engine.packages());
    }
    validate(input) {
      return this.validateFiles([input]);
    }
    validateFiles(inputs) {
      const own = this.#use();
      const files = Array.from(inputs, single);
      return report(own.call((engine) => engine.check(files)));
    }
    free() {
      this.#machine?.free();
      this.#machine = undefined;
    }
    [dispose]() {
      this.free();
    }
  }

  /** The compiled form of a package (`.tgz`). */
  function compilePackage(archive) {
    const bytes = bytesOf(archive);
    if (!bytes) throw invalid("a package must be a Uint8Array");
    instance.start(source);
    return instance.call((glue) => glue.compilePackage(bytes));
  }

  return { Validator, compilePackage, init: async (input, given = {}) => instance.init(input, loadOf(given.fast, load, fast)), ...pagesOf(instance, source) };
}
