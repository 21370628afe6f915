// What the worker does with the module of the check; loaded with it.
import { CheckEngine, checkRule, checkRules, formatReport, initSync } from "./check.js";

export { checkRule, initSync };

/** Extension and media type of the formats that can be saved. */
const FORMATS = {
  json: ["json", "application/json"],
  sarif: ["sarif", "application/sarif+json"],
  junit: ["junit.xml", "application/xml"],
  checkstyle: ["checkstyle.xml", "application/xml"],
  gitlab: ["gitlab.json", "application/json"],
  markdown: ["md", "text/markdown"],
  "operation-outcome": ["fhir.json", "application/fhir+json"],
};

const GRADES = ["error", "warning", "info"];
const grade = (d) => GRADES.indexOf(d.severity);

const compare = (a, b) => (a < b ? -1 : Number(a > b));

/** By severity, then in the order they stand in the files. */
const bySeverity = (a, b) => grade(a) - grade(b) || compare(a.primary.file, b.primary.file)
  || a.primary.span[0] - b.primary.span[0] || compare(a.code, b.code);

/** What makes a finding of the conversion the same as one of the check: of a field it names no path and may mean
 *  all of a segment where the check means its name, and of an element of FHIR several things may be said at one place. */
const sameAs = (d) => `${d.code} ${d.primary.file} ${d.fhir ? `${d.primary.span} ${d.primary.path ?? ""}` : d.primary.span[0]}`;

let rules;
/** Rules by code. */
const ruleOf = (code) => (rules ??= new Map(checkRules().map((rule) => [rule.code, rule]))).get(code);

export class Checker {
  #engine;
  #lang;
  /** `profile` adds its rules to those of the standard. */
  constructor(profile, lang) {
    this.#lang = lang;
    this.#engine = new CheckEngine({ lang, showValues: true, profile: [...new Set(["ssmix2-1.2g", profile])] });
  }

  /** Findings by path of `{path, bytes}`: all of one patient, or one loose file. */
  unit(group, patient) {
    const found = new Map();
    for (const d of this.#engine.unit(group, patient)) {
      const { file } = d.primary;
      if (!found.has(file)) found.set(file, []);
      found.get(file).push(d);
    }
    return found;
  }

  /** Findings of check and conversion as one list, each with the reason of its rule. */
  merge(checked, converted) {
    const known = new Set(checked.map(sameAs));
    const all = [...checked, ...converted.filter((d) => !known.has(sameAs(d)))].sort(bySeverity);
    return all.map((d) => ({ ...d, why: d.why ?? ruleOf(d.code)?.[this.#lang].why ?? "" }));
  }

  /** What a report is made from; see `formatted`. */
  kept(group, patient) {
    return this.#engine.check(group, patient).kept;
  }

  /** A file with its safe fixes, and what they change. */
  fixed(path, bytes) {
    const mended = this.#engine.fix(path, bytes, false).bytes;
    return { bytes: mended, diff: this.#engine.diff(path, bytes, mended) };
  }

  free() {
    this.#engine.free();
  }
}

/** A report of all units `{group, patient}` as a file; `kept` checks a unit, `pace` is told how many files are done. */
export async function reportOf(format, units, kept, pace) {
  const files = [];
  let first;
  let done = 0;
  for (const { group, patient } of units) {
    const made = await kept(group, patient);
    if (made) {
      const part = JSON.parse(new TextDecoder().decode(made));
      first ??= part;
      for (const file of part.files) files.push(file);
    }
    done += group.length;
    await pace(done);
  }
  const whole = { ...(first ?? { english: false, positions: "" }), files };
  const [extension, type] = FORMATS[format];
  const bytes = formatReport(new TextEncoder().encode(JSON.stringify(whole)), format);
  return { name: `warifu-check.${extension}`, blob: new Blob([bytes], { type }) };
}
