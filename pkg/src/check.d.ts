/// <reference lib="esnext.disposable" />
import type { CommonOptions, Diagnostic, Input, InputFile, RuleInfo, Source, StreamEvent } from "./convert.js";

export type { Diagnostic, Edit, Fix, Input, InputFile, Label, Position, RuleInfo, RuleText, Source, StreamEvent } from "./convert.js";
export { init, WarifuError } from "./convert.js";

export interface CheckOptions extends Omit<CommonOptions, "charset"> {
  /** Text of a `warifu.toml`, of which `lang` and `[check]` count; other options win over it. */
  config?: string;
  /** Profiles of rules, later ones add; default `["ssmix2-1.2g"]`. */
  profile?: readonly string[];
  /** Codes, names or beginnings of codes to choose. */
  select?: readonly string[];
  /** Those to leave out. */
  ignore?: readonly string[];
  /** Severity by code. */
  severity?: Readonly<Record<string, "error" | "warning" | "info" | "off">>;
  /** Whether rules that are not settled yet are on; default false. */
  preview?: boolean;
}

/** Formats of `warifu check`. */
export type Format =
  | "text"
  | "json"
  | "ndjson"
  | "sarif"
  | "junit"
  | "github"
  | "gitlab"
  | "checkstyle"
  | "markdown"
  | "operation-outcome";

export interface Summary {
  files: number;
  errors: number;
  warnings: number;
  infos: number;
  /** Findings with a safe fix. */
  fixable: number;
  unreadable: number;
}

export interface Report {
  /** By path, place and code. */
  diagnostics: Diagnostic[];
  summary: Summary;
  /**
   * UTF-8, the bytes `warifu check --format` writes (JUnit with the time 1970-01-01T00:00:00). Of
   * `positions` other than `utf16` only `text`, `json` and `ndjson` can be had.
   */
  format(format: Format): Uint8Array;
}

export interface Checker extends Disposable {
  /** Checks one file of at most 64 MiB. Bad data never throws. */
  check(input: Input): Report;
  /** Checks all files of one patient together, also against each other. */
  checkPatient(files: Iterable<InputFile>): Report;
  /**
   * Checks a storage, patient by patient, in order; gives `diagnostic` and `progress` events. Files that
   * cannot be read become diagnostics.
   */
  checkAll(source: Source, options?: { signal?: AbortSignal }): AsyncIterableIterator<StreamEvent>;
  /**
   * Mends one file; every byte outside a fix stays. With `unsafe` also by fixes that somebody has to look
   * at. `applied` has the findings as they were before their fix.
   */
  fix(input: Input, options?: { unsafe?: boolean }): { bytes: Uint8Array; applied: Diagnostic[] };
  /** Gives the memory back; more than once does nothing, use afterwards throws `disposed`. */
  free(): void;
}
export declare const Checker: new (options?: CheckOptions) => Checker;

/** The page of a rule in Markdown; an unknown code throws `invalid-option`. The check's module holds them all. */
export declare function rule(code: string, lang?: "ja" | "en"): string;
/** The catalogue of diagnostics. */
export declare function rules(): RuleInfo[];
