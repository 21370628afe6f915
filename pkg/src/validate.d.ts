/// <reference lib="esnext.disposable" />
import type { CheckOptions, Format, Summary } from "./check.js";
import type { Diagnostic, Input, ModuleSource, RuleInfo } from "./convert.js";

export type { Diagnostic, Input, InputFile, Label, ModuleSource, Position, RuleInfo, RuleText } from "./convert.js";
export type { Format, Summary } from "./check.js";
export { WarifuError } from "./convert.js";

export interface ValidateOptions extends Omit<CheckOptions, "config" | "profile"> {
  /**
   * Canonicals of profiles that every resource of their type must follow, beside those of `meta.profile`.
   * Words without `:` are profiles of rules, as for `warifu check --profile`.
   */
  profile?: readonly string[];
  /**
   * FHIR packages: compiled ones (`warifu package compile`, `compilePackage`), which load in milliseconds, or
   * archives (`.tgz`). R4 core is built in. Several versions of a package may stand side by side: a definition
   * sees its own package and what that depends on. What is missing is "not checked" and named in a finding.
   */
  packages?: readonly Uint8Array[];
  /** Elements that a profile marks must-support and that have no value are told, as information (false). */
  mustSupport?: boolean;
  /**
   * Observations with a LOINC code of a vital sign are held against R4's profiles, also where they claim none
   * (true): R4 says that they SHALL conform. The small module, which browsers load, never does.
   */
  vitalSigns?: boolean;
}

/** What a finding on a FHIR resource says more; `primary.path` is FHIRPath. */
export interface FhirDetails {
  /** Profiles that demand it, as `url|version`; absent: R4 core. */
  profiles?: string[];
  /** Id of the element definition that demands it, or the type of R4. */
  element?: string;
  /** What is demanded. */
  expected?: string;
  /** Expression of the invariant that is broken. */
  expression?: string;
  /** What stands there: its shape (`漢漢 9999`) without `showValues`; types, counts and status codes as they are. */
  found?: string;
  /** Why slices and profiles did not match. */
  reasons?: string[];
}
/** `code` is a code of the catalogue, or the key of an invariant (`dom-6`). */
export interface FhirDiagnostic extends Diagnostic {
  fhir?: FhirDetails;
}

export interface Report {
  /** By path, place and code. */
  diagnostics: FhirDiagnostic[];
  summary: Summary;
  /**
   * UTF-8, the bytes `warifu check --format` writes (JUnit with the time 1970-01-01T00:00:00). Of
   * `positions` other than `utf16` only `text`, `json` and `ndjson` can be had.
   */
  format(format: Format): Uint8Array;
}

/** A package as it was understood. */
export interface LoadedPackage {
  name: string;
  version: string;
  /** `name#version` of what its definitions depend on and is not there. */
  missing: string[];
  /** Files that were left out, and why. */
  problems: { file: string; message: string }[];
}

export interface Validator extends Disposable {
  /** The packages, R4 core aside. */
  readonly packages: LoadedPackage[];
  /** Validates a resource, a Bundle or NDJSON of at most 64 MiB. Bad data never throws. */
  validate(input: Input): Report;
  /** Validates several files in one report. */
  validateFiles(inputs: Iterable<Input>): Report;
  /** Gives the memory back; more than once does nothing, use afterwards throws `disposed`. */
  free(): void;
}
/** Packages that cannot be read and options that are none throw `invalid-option`. */
export declare const Validator: new (options?: ValidateOptions) => Validator;

/** The compiled form of a package (`.tgz`); no package throws `invalid-option`. */
export declare function compilePackage(archive: Uint8Array): Uint8Array;

/** The page of a code in Markdown; an unknown code throws `invalid-option`. */
export declare function rule(code: string, lang?: "ja" | "en"): string;
/** The codes that the validation finds, and the only ones that `select`, `ignore` and `severity` know. */
export declare function rules(): RuleInfo[];

/**
 * Loads the module: browsers need it once, elsewhere it is loaded at first use. `fast` loads the one made
 * for speed, as elsewhere, where no module is given.
 */
export declare function init(input?: ModuleSource, options?: { fast?: boolean }): Promise<void>;
