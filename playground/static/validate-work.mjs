// What the worker does with the module of the validation; loaded with the first file of FHIR.
import { checkRules, compilePackage, initSync, ValidateEngine } from "./validate.js";

export { initSync };

/** Compiled packages by `name#version`, in the order they came. */
const packages = new Map();
let engine;
let made = "";
let changes = 0;

/** The engine for a language, with all packages; its findings quote values, or do not. */
function engineFor(lang, showValues = true) {
  const wanted = `${lang} ${changes} ${showValues}`;
  if (made !== wanted) {
    made = "";
    engine?.free();
    engine = new ValidateEngine({ lang, showValues, packages: [...packages.values()] });
    made = wanted;
  }
  return engine;
}

/** Adds a package, compiled or an archive; another of the same name and version makes room for it. */
export function add(bytes, lang) {
  const compiled = compilePackage(bytes, lang);
  const alone = new ValidateEngine({ lang, packages: [compiled] });
  const [{ name, version }] = alone.packages();
  alone.free();
  packages.set(`${name}#${version}`, compiled);
  changes += 1;
}

export function remove(label) {
  if (packages.delete(label)) changes += 1;
}

/** The packages as they were understood. */
export const list = (lang) => engineFor(lang).packages();

/** The packages for a worker that takes the place of this one. */
export const compiled = () => [...packages].map(([path, bytes]) => ({ path, bytes }));

let rules;
/** Rules by name: an invariant has the name of its rule. */
const ruleOf = (name) => (rules ??= new Map(checkRules().map((rule) => [rule.name, rule]))).get(name);

/** Findings of a file with the reasons of their rules. */
export function validated(path, bytes, lang) {
  const { diagnostics } = engineFor(lang).check([{ path, bytes }]);
  return diagnostics.map((d) => ({ ...d, why: ruleOf(d.name)?.[lang].why ?? "" }));
}

/** What a report of a file is made from: no values, as in those of the command line. */
export const kept = (path, bytes, lang) => engineFor(lang, false).check([{ path, bytes }]).kept;
