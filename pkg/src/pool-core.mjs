// A pool of workers: the storage is sorted out here, files are converted there, order is kept.
import { currentModule, entry, hasLines, ofInstitution, wrap } from "./convert-core.mjs";
import { events, single, WarifuError } from "./core.mjs";

const disposeAsync = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");
const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
const gone = () => new WarifuError("disposed", "the pool was terminated");

/**
 * A pool over `spawn({ module, message, failed })`, which starts a worker and gives
 * `{ post(message), terminate() }`.
 */
export class Pool {
  #workers = [];
  #queue = [];
  #spawn;
  #nextHandle = 0;
  #terminated = false;
  constructor({ size, spawn, api }) {
    this.#spawn = spawn;
    for (let i = 0; i < size; i += 1) this.#workers.push(this.#start());
    const pool = this;

    this.Converter = class Converter {
      #handle = pool.#nextHandle++;
      #options;
      constructor(options) {
        // Refuses bad options here and now.
        new api.Converter(options).free();
        this.#options = { ...options };
      }
      #use() {
        if (!this.#options) throw new WarifuError("disposed", "this converter was freed");
        return { handle: this.#handle, options: this.#options };
      }
      async convert(input) {
        const { handle, options } = this.#use();
        const raw = await pool.#ask({ handle, options, call: "convert", argument: single(input) });
        return wrap(raw, hasLines(options));
      }
      async convertPatient(files) {
        const { handle, options } = this.#use();
        const argument = Array.from(files, single);
        const raw = await pool.#ask({ handle, options, call: "convertPatient", argument });
        return wrap(raw, hasLines(options));
      }
      convertAll(source, { signal } = {}) {
        const { handle, options } = this.#use();
        const ask = (call, { institution, several }, argument) =>
          pool.#ask({ handle, options: ofInstitution(options, institution, several), call, argument });
        return events(entry, source, {
          run: (unit) => ask("run", unit, { files: unit.files, patient: unit.patient, finding: unit.finding }),
          last: async (named) => {
            const [institution] = named.length > 0 && !named.includes(undefined) ? named : [];
            return [...(await ask("optionFindings", { institution })), ...(await ask("otherInstitutions", {}, named))];
          },
          bundles: !hasLines(options),
          width: pool.size * 2,
          signal,
        });
      }
      free() {
        if (!this.#options) return;
        this.#options = undefined;
        pool.#forget(this.#handle);
      }
      [dispose]() {
        this.free();
      }
    };
  }
  get size() {
    return this.#workers.length;
  }
  /** As `parse`, in a worker. */
  async parse(input, options) {
    return this.#ask({ options: options ?? {}, call: "parse", argument: single(input) });
  }
  async terminate() {
    if (this.#terminated) return;
    this.#terminated = true;
    for (const task of this.#queue.splice(0)) task.reject(gone());
    await Promise.all(
      this.#workers.map((worker) => {
        worker.task?.reject(gone());
        return worker.thread.terminate();
      }),
    );
  }
  async [disposeAsync]() {
    await this.terminate();
  }

  #start() {
    const worker = { task: undefined, answered: false };
    worker.thread = this.#spawn({
      module: currentModule(),
      message: ({ result, error }) => {
        const { task } = worker;
        worker.task = undefined;
        worker.answered = true;
        if (error) task?.reject(new WarifuError(error.code, error.message));
        else task?.resolve(result);
        this.#next();
      },
      failed: () => {
        if (this.#terminated) return;
        worker.task?.reject(new WarifuError("internal", "a worker of the pool ended"));
        worker.task = undefined;
        worker.thread.terminate();
        // One that never answered cannot start here: another would end the same way.
        if (!worker.answered) {
          this.terminate();
          return;
        }
        this.#workers[this.#workers.indexOf(worker)] = this.#start();
        this.#next();
      },
    });
    return worker;
  }
  #ask(message) {
    if (this.#terminated) return Promise.reject(gone());
    return new Promise((resolve, reject) => {
      this.#queue.push({ message, resolve, reject });
      this.#next();
    });
  }
  #next() {
    for (const worker of this.#workers) {
      if (worker.task || this.#queue.length === 0) continue;
      worker.task = this.#queue.shift();
      try {
        worker.thread.post(worker.task.message);
      } catch (e) {
        // What cannot be sent is the caller's mistake.
        const { task } = worker;
        worker.task = undefined;
        task.reject(new WarifuError("invalid-option", "the input cannot be sent to a worker", { cause: e }));
      }
    }
  }
  #forget(handle) {
    if (!this.#terminated) for (const worker of this.#workers) worker.thread.post({ forget: handle });
  }
}

/** Checks the options of `createPool`. */
export function sizeOf({ size, entry = "convert" } = {}, cores = 2) {
  if (entry !== "convert") throw new WarifuError("invalid-option", "entry must be \"convert\"");
  const wanted = size ?? Math.max(1, Math.min(8, cores));
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > 64) {
    throw new WarifuError("invalid-option", "size must be 1 to 64");
  }
  return wanted;
}
