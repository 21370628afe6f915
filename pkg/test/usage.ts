// Compiled by `tsc --strict`, never run: what users may write must keep compiling.
import { Converter, init, parse, rule, rules, WarifuError } from "warifu";
import type { Converted, ConvertOptions, Diagnostic, Input, InputFile, MessageView, RuleInfo, Source, StreamEvent, Trace, TraceHit, UnusedField } from "warifu/convert";
import { Checker, rules as checkRules } from "warifu/check";
import { compilePackage, Validator } from "warifu/validate";
import type { FhirDiagnostic, LoadedPackage, Report as FhirReport, ValidateOptions } from "warifu/validate";
import { annex, decide, filter, render, sign, signerFromCryptoKey, stateOf, verify } from "warifu/consent";
import type { Decision, PrivateKey, Request as ConsentRequest, Signer, State } from "warifu/consent";
import type { CheckOptions, Format, Report, Summary } from "warifu/check";
import { Converter as Inline } from "warifu/inline/convert";
import { createPool } from "warifu/pool";
import type { Pool, PoolConverter } from "warifu/pool";

const options: ConvertOptions = { to: "bundle", bundle: "collection", per: "patient", institution: "1319999999", ids: "keyed", idKey: new Uint8Array(32), sentAt: "2026-04-01T09:30:00+09:00", sendingId: "1", strict: true, trace: true, provenance: false, lang: "en", positions: "utf8", showValues: false, charset: "auto" };

const checks: CheckOptions = { lang: "en", positions: "codepoint", showValues: true, config: "", profile: ["nho"], select: ["ENC"], ignore: ["ENC110"], severity: { HL7101: "off" }, preview: true };

export async function check(source: Source, input: Input, files: InputFile[], format: Format): Promise<void> {
  using checker = new Checker(checks);
  const report: Report = checker.check(input);
  const together: Report = checker.checkPatient(files);
  const bytes: Uint8Array = report.format(format);
  const summary: Summary = together.summary;
  for await (const event of checker.checkAll(source, { signal: new AbortController().signal })) {
    if (event.type === "diagnostic") void event.diagnostic.fingerprint;
  }
  const { bytes: mended, applied } = checker.fix(input, { unsafe: true });
  const edit: Uint8Array | undefined = applied[0]?.fix?.edits[0]?.bytes;
  const list: RuleInfo[] = checkRules();
  void [bytes, summary, mended, edit, list];

  // @ts-expect-error: not one of the formats
  report.format("xml");
  // @ts-expect-error: not one of the grades
  new Checker({ severity: { HL7101: "loud" } });
}

const validation: ValidateOptions = { lang: "en", showValues: true, profile: ["http://example.org/P"], packages: [compilePackage(new Uint8Array())], ignore: ["FHR304"] };

export function validate(input: Input): string | undefined {
  using validator = new Validator(validation);
  const packages: LoadedPackage[] = validator.packages;
  const report: FhirReport = validator.validateFiles([input]);
  const found: FhirDiagnostic | undefined = report.diagnostics[0];
  const bytes: Uint8Array = validator.validate(input).format("operation-outcome");
  void [bytes, packages[0]?.missing];

  // @ts-expect-error: a package is bytes
  new Validator({ packages: ["jp-core.wfp"] });
  return found?.fhir?.profiles?.[0];
}

export async function use(source: Source, input: Input, files: InputFile[]): Promise<void> {
  await init();
  await init(new Uint8Array(8));
  await init(fetch("convert.wasm"));
  await init(fetch("convert.wasm"), { unpack: fetch("unpack.wasm") });
  using converter = new Converter(options);
  const converted: Converted = converter.convert(input);
  const bytes: Uint8Array = converted.json;
  const value: unknown = converted.value();
  const trace: Trace | undefined = converted.trace;
  const hits: TraceHit[] = trace?.forPointer("/entry/0/resource/id") ?? [];
  const same: TraceHit[] = trace?.forSpan("path", 0, 1) ?? [];
  const every: TraceHit[] = [...(trace ?? [])];
  const whole: boolean = trace?.complete ?? true;
  const unused: UnusedField[] = trace?.unused() ?? [];
  const table: string | undefined = hits[0]?.row?.table;
  const abort = new AbortController();
  for await (const event of converter.convertAll(source, { signal: abort.signal })) {
    const seen: StreamEvent = event;
    switch (seen.type) {
      case "resource": {
        const json: Uint8Array = seen.json;
        void [json, seen.id, seen.resourceType];
        break;
      }
      case "diagnostic": {
        const d: Diagnostic = seen.diagnostic;
        void [d.code, d.primary.start.line, d.primary.field?.ja];
        break;
      }
      case "progress": {
        const total: number | undefined = seen.filesTotal;
        void [total, seen.filesDone, seen.bytesDone];
        break;
      }
      default:
        seen satisfies never;
    }
  }
  const view: MessageView = parse(input, { lang: "ja" });
  const name: string | undefined = view.segments[0]?.fields[0]?.children[0]?.ja;
  const page: string = await rule("ENC110", "en");
  const list: RuleInfo[] = await rules();
  try {
    converter.convertPatient(files);
  } catch (e) {
    if (e instanceof WarifuError && e.code === "disposed") return;
    throw e;
  }
  new Inline().free();
  await using pool: Pool = await createPool({ size: 2 });
  const remote: PoolConverter = new pool.Converter({ to: "bundle" });
  const far: Converted = await remote.convert(input);
  remote.free();
  void [bytes, value, same, every, whole, unused, table, name, page, list, far];

  // @ts-expect-error: an option that is none
  new Converter({ tu: "bundle" });
  // @ts-expect-error: not one of the words
  new Converter({ to: "xml" });
  // @ts-expect-error: with exactOptionalPropertyTypes undefined is not "absent"
  new Converter({ to: undefined });
  // @ts-expect-error: a file needs bytes
  converter.convert({ path: "x" });
}

export async function consent(key: PrivateKey, jwk: { x: string }, request: ConsentRequest, master: Uint8Array, bundle: Uint8Array): Promise<string | undefined> {
  const parts = annex({ lbl: ["PSY"] });
  const shown = render({ typ: "consent-grant+jwt", lang: "ja-easy" }, { sub: "" }, parts, master);
  if (!shown.ok) return shown.reason;
  const signer: Signer = await signerFromCryptoKey(key, jwk);
  const made = await sign("consent-grant+jwt", shown.claims, signer);
  if (!made.ok) return made.claim;
  const verdict = verify(made.token, { now: 1, keys: [{ class: "patient", x: signer.x }], annex: parts, master });
  const kept = stateOf({ sub: "", now: 1, keys: [], tokens: [{ token: made.token, received: 1, annex: parts }] });
  if (!kept.ok) return `${kept.at} ${kept.reason}`;
  const state: State = kept.state;
  const decision: Decision = decide(state, request, { cats: ["inf.lab"], src: "mi:1312345678" }, { master });
  const { withheld } = filter(bundle, { state, request, person: ["p"], facts: { src: "mi:1312345678" } });
  return verdict.ok ? verdict.hash : (decision.sentence ?? withheld[0]?.reason);
}
