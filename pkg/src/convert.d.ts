/// <reference lib="esnext.disposable" />

/** A file with its path inside the storage, `/` between folders. */
export interface InputFile {
  path: string;
  bytes: Uint8Array;
}
export type Input = Uint8Array | InputFile;

/**
 * What {@link Converter.convertAll} takes. An array, a zip, a tar or tar.gz (`Uint8Array`, `Blob`, stream) is sorted out
 * by patient first, messages outside of a storage by person (`PID-3`), as by the command line; other iterables
 * are taken as they come, so files of one patient must be neighbours, and messages outside of a storage are
 * converted one by one.
 */
export type Source = Input | Iterable<InputFile> | AsyncIterable<InputFile> | Blob | ReadableStream<Uint8Array>;

export interface CommonOptions {
  /** Language of texts; default `ja`. */
  lang?: "ja" | "en";
  /** What a column counts; default `utf16`. */
  positions?: "utf16" | "utf8" | "codepoint";
  /** Whether frames quote values; default false. */
  showValues?: boolean;
  /** Charset to read by; default `auto`, the bytes decide. */
  charset?: "auto" | "iso-2022-jp" | "utf-8" | "cp932" | "euc-jp";
}

export interface ConvertOptions extends CommonOptions {
  /** Form of the output; default `bundle`. */
  to?: "bundle" | "ndjson" | "clins";
  /** Type of Bundles; default `transaction`. With `to: "bundle"` only. */
  bundle?: "transaction" | "collection";
  /** Unit of a Bundle; default `message`. With `to: "bundle"` only. */
  per?: "message" | "patient";
  /**
   * The institution's 10-digit number. Where a source names several, or is an iterable whose roots name
   * theirs, theirs count.
   */
  institution?: string;
  /** Kind of logical ids; default `keyed`. */
  ids?: "keyed" | "readable";
  /** The site's secret key for ids: 16 bytes at least, 32 random ones are best. */
  idKey?: Uint8Array;
  /** "Sent at", a FHIR instant. */
  sentAt?: string;
  /** "Sending id": part of the Bundle's id. */
  sendingId?: string;
  /** Whether warnings count as failures; for callers that share options with the command line. */
  strict?: boolean;
  /** Whether leaves are traced; default false. */
  trace?: boolean;
  /** Whether one Provenance a file is made; default false. */
  provenance?: boolean;
  /**
   * Files of documents: `inline` (default) puts each into a Binary, above 16 MiB only its hash, size and
   * title are given; `file` gives the path relative to the storage root, which holds the patient number.
   */
  attachments?: "inline" | "file";
  /** Leaves the readable key of the source out of `identifier`; default false. */
  withoutSourceIdentifier?: boolean;
}

/** From 1; a line is a segment. */
export interface Position {
  line: number;
  column: number;
}
export interface Label {
  file: string;
  /** For a record of a transaction file: the path it has in the standard (or extended) storage. */
  record?: string;
  /** Half-open byte range of the file as received. */
  span: [number, number];
  start: Position;
  end: Position;
  /** HL7 path such as `PID-5[2].1`. */
  path?: string;
  field?: { ja: string; en: string };
  /** What is there (further places only). */
  message?: string;
}
/** One edit of a fix. */
export interface Edit {
  /** The bytes replaced. */
  span: [number, number];
  bytes: Uint8Array;
}
export interface Fix {
  /** Whether it cannot change the meaning. */
  applicability: "safe" | "unsafe";
  title: string;
  edits: Edit[];
}
/** A finding; the `diagnostics-1.json` of this package describes the same as JSON. */
export interface Diagnostic {
  code: string;
  name: string;
  severity: "error" | "warning" | "info";
  message: string;
  help?: string;
  primary: Label;
  secondary: Label[];
  /** Data kind of the file, e.g. `ADT-00`. */
  kind?: string;
  /** Document and section. */
  standard?: string;
  /** How to mend it; from `warifu/check`. */
  fix?: Fix;
  /** What makes it the same finding in two runs; from `warifu/check`. */
  fingerprint?: string;
}

export interface TraceHit {
  /** RFC 6901, into `json`; for `ndjson` and `clins` `/<line>/…`, except in streams: there a line is an event. */
  pointer: string;
  /** Row of the mapping table; null for what the engine writes itself. */
  row: { table: string; source: string; target: string; ja: string } | null;
  /** Source bytes; empty for constants. */
  spans: { file: string; record?: string; start: number; end: number; path: string }[];
}
export interface UnusedField {
  file: string;
  /** For a record of a transaction file: the path it has in the storage. */
  record?: string;
  path: string;
  span: [number, number];
  /**
   * `passed-over`: the mapping knows the field, but another value went before this one. `read`: it was
   * read to decide something and stands nowhere. `not-in-force`: its file is an older version, withdrawn,
   * or another of the same key. `not-in-form`: with `to: "clins"`, what JP Core has and JP-CLINS leaves out.
   */
  reason: "ignored" | "lost" | "passed-over" | "read" | "not-in-force" | "not-in-form" | "unknown";
  ja: string;
  en: string;
}
/** What leaves were made from. They are held packed, some 13 bytes each; each call makes the hits it gives anew. */
export interface Trace extends Iterable<TraceHit> {
  /** Whether all leaves are known: of one conversion 4,000,000 are, in the order of `json`. */
  readonly complete: boolean;
  /** The leaf at a pointer, or all leaves below it. */
  forPointer(pointer: string): TraceHit[];
  /** The leaves made from bytes of a range; an empty range asks for the byte at `start`. */
  forSpan(file: string, start: number, end: number): TraceHit[];
  /** Fields with a value that left no leaf; of a file 10,000, the last of which stands for all behind it. */
  unused(file?: string): UnusedField[];
}

export interface Converted {
  /** UTF-8 JSON: a Bundle, or lines (`ndjson`, `clins`). */
  json: Uint8Array;
  diagnostics: Diagnostic[];
  /** With the option `trace`. */
  trace?: Trace;
  /** `json` parsed: a Bundle, or an array of the lines. */
  value(): unknown;
}

export type StreamEvent =
  /** `trace` with the option of that name; it knows no unused fields. */
  | { type: "resource"; resourceType: string; id: string; json: Uint8Array; trace?: Trace }
  | { type: "diagnostic"; diagnostic: Diagnostic }
  /** `unused` with the option `trace`: fields of the files just done that left no leaf. */
  | { type: "progress"; filesDone: number; filesTotal?: number; bytesDone: number; unused?: UnusedField[] };

interface Handle extends Disposable {
  /** Gives the memory back; more than once does nothing, use afterwards throws `disposed`. */
  free(): void;
}

export interface Converter extends Handle {
  /** Converts one file of at most 64 MiB. Bad data never throws. */
  convert(input: Input): Converted;
  /** Converts all files of one patient together: winners only, what is withdrawn as deletions. */
  convertPatient(files: Iterable<InputFile>): Converted;
  /**
   * Converts a storage, patient by patient, in order and with bounded memory. With `to: "bundle"` a
   * resource event is a whole Bundle. Files that cannot be read become diagnostics.
   * What patients share (Practitioner, PractitionerRole, Organization, Location) is held, some hundred bytes
   * each: with `to: "ndjson"` it comes once, behind all others, with the fullest form of each element; a
   * Bundle has the fullest so far. Forms that contradict each other are told at the end (`SSM183`).
   */
  convertAll(source: Source, options?: { signal?: AbortSignal }): AsyncIterableIterator<StreamEvent>;
}
export declare const Converter: new (options?: ConvertOptions) => Converter;

export interface FieldNode {
  /** Path such as `PID-5[2].1`. */
  path: string;
  ja: string;
  en: string;
  span: [number, number];
  /** Decoded, unescaped text. */
  text: string;
  children: FieldNode[];
}
export interface SegmentNode {
  name: string;
  ja: string;
  en: string;
  /** From 1 among segments of this name. */
  ordinal: number;
  line: number;
  span: [number, number];
  fields: FieldNode[];
}
export interface MessageView {
  charset: string;
  kind?: string;
  kindName?: { ja: string; en: string };
  /** MSH-9, e.g. `ADT^A08`. */
  messageType: string;
  bytes: number;
  /** Decoded text without escape sequences. */
  text: string;
  segments: SegmentNode[];
  /** Byte range that `segments` leaves out, where the tree would have more than 200,000 nodes. */
  rest?: [number, number];
  /** Findings of reading, not of the mapping. */
  diagnostics: Diagnostic[];
}
/** A message as a tree with Japanese and English names. */
export declare function parse(input: Input, options?: CommonOptions): MessageView;

/**
 * Loads the module. Needed once in browsers; Node.js, Deno and Bun load it at first use.
 * The reader of packed storages (zip, journals, index tables) is a module of its own, loaded with the first.
 * Three parts of the module are files of their own: `clins` for `to: "clins"`, `documents` for CDA and other
 * files that are no messages, `view` for `parse` and the options `trace` and `provenance`. They are loaded too, unless they are `false`: then `convertAll` loads what it
 * needs when it needs it, and other calls that need it throw `not-initialised`. The names of fields are in `view`:
 * without it the places of findings have their `path` and no `field`.
 * Where a bundler does not follow `new URL(…, import.meta.url)`, pass the modules.
 */
export declare function init(
  input?: ModuleSource,
  options?: {
    /**
     * Where no module is given: the one made for speed, which has its parts inside (712 kB after gzip for
     * 481) and converts twice as fast; outside of browsers it is loaded anyway.
     */
    fast?: boolean;
    unpack?: ModuleSource;
    rules?: ModuleSource;
    clins?: ModuleSource | false;
    documents?: ModuleSource | false;
    view?: ModuleSource | false;
  },
): Promise<void>;

/** What a module is compiled from. */
export type ModuleSource = WebAssembly.Module | BufferSource | Response | Promise<Response>;

export interface RuleInfo {
  code: string;
  name: string;
  severity: "error" | "warning" | "info";
  /** What demands it: a profile of rules (`ssmix2-1.2g`, `nho`, `strict`), the conversion (`convert`), or `fhir-r4`, `jp-core`, `jp-clins`. */
  profile: string;
  status: "preview" | "stable";
  /** When findings may carry a fix. */
  fix?: "safe" | "unsafe";
  ja: RuleText;
  en: RuleText;
  /** A bad example; escape sequences are written `\\x1b`. */
  wrong?: string;
  /** The same done right. */
  right?: string;
  standard: string;
}
export interface RuleText {
  message: string;
  /** Why it matters; empty when the catalogue does not say. */
  why: string;
  help: string;
}
/**
 * The page of a rule in Markdown; an unknown code throws `invalid-option`. The pages are a module of
 * their own, loaded with the first.
 */
export declare function rule(code: string, lang?: "ja" | "en"): Promise<string>;
/** The catalogue of diagnostics. */
export declare function rules(): Promise<RuleInfo[]>;

/** The only error this package throws. */
export declare class WarifuError extends Error {
  constructor(code: WarifuError["code"], message: string, options?: ErrorOptions);
  code: "not-initialised" | "invalid-option" | "too-large" | "aborted" | "disposed" | "internal";
}
