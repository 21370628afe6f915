// Reports and pages of rules, as the check and the validation give them.
import { fromBase64, invalid, isPageLang } from "./core.mjs";

/** The public form of findings: the bytes of fixes as bytes. */
export function opened(diagnostics) {
  for (const { fix } of diagnostics) {
    for (const edit of fix?.edits ?? []) edit.bytes = fromBase64(edit.bytes);
  }
  return diagnostics;
}

/** Makes the public form of a report. It needs no engine, so it outlives its checker. */
export const reportsOf =
  (instance, source) =>
  ({ diagnostics, summary, kept }) => ({
    diagnostics: opened(diagnostics),
    summary,
    format(format) {
      instance.start(source);
      return instance.call((glue) => glue.formatReport(kept, String(format)));
    },
  });

/** `rule` and `rules` of a module that holds the pages of its codes. */
export const pagesOf = (instance, source) => ({
  rule(code, lang = "ja") {
    isPageLang(lang);
    instance.start(source);
    const page = instance.call((glue) => glue.checkRule(String(code), lang));
    if (page === undefined) throw invalid(`no rule ${code}`);
    return page;
  },
  rules() {
    instance.start(source);
    return instance.call((glue) => glue.checkRules());
  },
});
