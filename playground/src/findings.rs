//! Findings and the frame that shows where they stand.

use crate::json::Value;

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Severity {
    /// Wrong.
    Error,
    /// Doubtful.
    Warning,
    /// To know.
    #[default]
    Info,
}

impl Severity {
    /// The worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Info];

    /// A sign, so that colour is not alone.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Error => "✕",
            Self::Warning => "!",
            Self::Info => "i",
        }
    }

    /// The class of what is marked so.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Error => "is-error",
            Self::Warning => "is-warning",
            Self::Info => "is-info",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finding {
    /// Code, `ENC110`; on FHIR also the key of an invariant.
    pub code: String,
    /// Name of its rule.
    pub name: String,
    /// Severity.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Why it matters; may be empty.
    pub why: String,
    /// What to do.
    pub help: String,
    /// What its fix does; empty when there is none.
    pub fix: String,
    /// File.
    pub file: String,
    /// Byte range; `(0, 0)` for the whole file.
    pub span: (u32, u32),
    /// 1-based line.
    pub line: u32,
    /// 1-based columns in UTF-16 units, end exclusive.
    pub columns: (u32, u32),
    /// HL7 path, or FHIRPath.
    pub path: String,
    /// Profiles and element that demand it, on FHIR.
    pub demand: String,
    /// Why slices and profiles did not match, on FHIR.
    pub reasons: String,
    /// Field name in Japanese.
    pub ja: String,
    /// Field name in English.
    pub en: String,
    /// Further places: file, bytes, path.
    pub others: Vec<Place>,
}

/// A file, bytes in it, and their path.
pub type Place = (String, (u32, u32), String);

impl Finding {
    /// Reads one diagnostic of the engine.
    pub fn read(d: Value<'_>) -> Self {
        let at = d.get("primary");
        let start = at.get("start");
        let end = at.get("end");
        let line = start.get("line").uint();
        let column = start.get("column").uint();
        Self {
            code: d.get("code").string(),
            name: d.get("name").string(),
            severity: match d.get("severity").string().as_str() {
                "error" => Severity::Error,
                "warning" => Severity::Warning,
                _ => Severity::Info,
            },
            message: d.get("message").string(),
            why: d.get("why").string(),
            help: d.get("help").string(),
            fix: d.get("fix").get("title").string(),
            file: at.get("file").string(),
            span: at.get("span").pair(),
            line,
            columns: (
                column,
                if end.get("line").uint() == line {
                    end.get("column").uint()
                } else {
                    u32::MAX
                },
            ),
            path: at.get("path").string(),
            demand: demand(d.get("fhir")),
            reasons: joined(d.get("fhir").get("reasons"), "\n"),
            ja: at.get("field").get("ja").string(),
            en: at.get("field").get("en").string(),
            others: d.get("secondary").items().map(place).collect(),
        }
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        (self.file.clone(), self.span, self.path.clone())
    }

    /// Whether it stands on these bytes of a file, or on a part of them.
    pub fn touches(&self, file: &str, start: u32, end: u32) -> bool {
        self.span.0 < end && start < self.span.1 && self.file == file
    }
}

/// Items with something between them.
fn joined(items: Value<'_>, between: &str) -> String {
    let all: Vec<String> = items.items().map(Value::string).collect();
    all.join(between)
}

/// Profiles, then the element's id.
fn demand(fhir: Value<'_>) -> String {
    let mut out = joined(fhir.get("profiles"), ", ");
    let element = fhir.get("element").string();
    if !out.is_empty() && !element.is_empty() {
        out.push_str(" · ");
    }
    out + &element
}

fn place(at: Value<'_>) -> Place {
    (
        at.get("file").string(),
        at.get("span").pair(),
        at.get("path").string(),
    )
}

/// How many findings there are of each severity, the worst first.
pub fn counts(all: &[Finding]) -> [u32; 3] {
    Severity::ALL.map(|s| crate::json::cut(all.iter().filter(|f| f.severity == s).count()))
}

/// Findings by severity, the worst first; of one alone if it is given.
pub fn grouped(all: &[Finding], only: Option<Severity>) -> Vec<Finding> {
    let mut out = Vec::new();
    for severity in Severity::ALL {
        if only.is_none_or(|o| o == severity) {
            out.extend(all.iter().filter(|f| f.severity == severity).cloned());
        }
    }
    out
}

/// The worst of the findings on these bytes of a file.
pub fn worst<'f>(all: &'f [Finding], file: &str, start: u32, end: u32) -> Option<&'f Finding> {
    let mut worst: Option<&Finding> = None;
    for f in all {
        if f.touches(file, start, end) && worst.is_none_or(|w| f.severity < w.severity) {
            worst = Some(f);
        }
    }
    worst
}

/// Reads a list of diagnostics.
pub fn read_all(list: Value<'_>) -> Vec<Finding> {
    list.items().map(Finding::read).collect()
}

/// The line a finding stands on, cut to what surrounds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Text before it; `…` in front if cut.
    pub before: String,
    /// The part that is meant.
    pub marked: String,
    /// Text behind it.
    pub after: String,
}

/// Characters kept on either side.
const AROUND: usize = 40;
/// Longest marked part shown.
const MARKED: usize = 120;

/// Lines of a decoded text; CR, LF and CRLF end a line.
pub fn line_of(text: &str, line: u32) -> Option<&str> {
    let mut rest = text;
    for _ in 1..line {
        let at = rest.find(['\r', '\n'])?;
        let tail = rest.get(at..)?;
        rest = tail
            .strip_prefix("\r\n")
            .or_else(|| tail.strip_prefix(['\r', '\n']))
            .unwrap_or("");
    }
    if rest.is_empty() && line > 1 {
        return None;
    }
    Some(
        rest.find(['\r', '\n'])
            .and_then(|at| rest.get(..at))
            .unwrap_or(rest),
    )
}

/// Cuts a line at the finding's columns; `None` when there is no such place.
pub fn frame(text: &str, finding: &Finding) -> Option<Frame> {
    if finding.line == 0 || finding.columns.0 == 0 {
        return None;
    }
    let line = line_of(text, finding.line)?;
    let mut unit = 1u32;
    let (mut before, mut marked, mut after) = (Vec::new(), String::new(), String::new());
    let mut marked_len = 0;
    for c in line.chars() {
        if unit < finding.columns.0 {
            before.push(c);
        } else if unit < finding.columns.1 {
            if marked_len < MARKED {
                marked.push(c);
            } else if marked_len == MARKED {
                marked.push('…');
            }
            marked_len += 1;
        } else if after.chars().count() < AROUND {
            after.push(c);
        } else {
            after.push('…');
            break;
        }
        unit += u32::try_from(c.len_utf16()).unwrap_or(1);
    }
    let cut = before.len().saturating_sub(AROUND);
    let mut head = String::from(if cut > 0 { "…" } else { "" });
    head.extend(before.into_iter().skip(cut));
    Some(Frame {
        before: head,
        marked,
        after,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    #[test]
    fn the_frame_marks_the_columns_of_the_finding() {
        let json = r#"{"code":"ENC110","severity":"warning","message":"m","help":"h","primary":{"file":"f","span":[243,253],
          "start":{"line":3,"column":5},"end":{"line":3,"column":7},"path":"PID-5[2].1","field":{"ja":"患者氏名","en":"Name"}},"secondary":[]}"#;
        let j = Json::parse(json.into()).unwrap();
        let f = Finding::read(j.root());
        assert_eq!(
            (f.code.as_str(), f.severity, f.path.as_str()),
            ("ENC110", Severity::Warning, "PID-5[2].1")
        );
        let text = "MSH|\rEVN|\rPID|ﾔﾏ^タロウ\rPV1|";
        assert_eq!(
            frame(text, &f),
            Some(Frame {
                before: "PID|".into(),
                marked: "ﾔﾏ".into(),
                after: "^タロウ".into()
            })
        );
        assert_eq!(frame("one line", &f), None);
    }

    #[test]
    fn findings_on_fhir_name_what_demands_them() {
        let json = r#"{"code":"FHR004","name":"fhir-element-missing","severity":"error","message":"m",
          "primary":{"file":"f","span":[0,1],"start":{"line":1,"column":1},"end":{"line":1,"column":2},"path":"Patient.name"},
          "secondary":[],"fhir":{"profiles":["a|1","b|2"],"element":"Patient.name","reasons":["x","y"]}}"#;
        let j = Json::parse(json.into()).unwrap();
        let f = Finding::read(j.root());
        assert_eq!(
            (f.name.as_str(), f.demand.as_str(), f.reasons.as_str()),
            ("fhir-element-missing", "a|1, b|2 · Patient.name", "x\ny")
        );
    }

    #[test]
    fn findings_are_grouped_by_severity_and_found_by_their_bytes() {
        let one = |severity, code: &str, span| Finding {
            severity,
            code: code.into(),
            file: "f".into(),
            span,
            ..Finding::default()
        };
        let all = [
            one(Severity::Info, "A", (3, 9)),
            one(Severity::Error, "B", (5, 6)),
            one(Severity::Info, "C", (0, 0)),
        ];
        let codes = |only| {
            let all = grouped(&all, only);
            all.iter().map(|f| f.code.clone()).collect::<String>()
        };
        assert_eq!(
            (codes(None), codes(Some(Severity::Info))),
            ("BAC".into(), "AC".into())
        );
        assert_eq!(counts(&all), [1, 0, 2]);
        let on = |file, start, end| worst(&all, file, start, end).map(|f| f.code.as_str());
        assert_eq!(on("f", 0, 20), Some("B"));
        assert_eq!((on("f", 6, 7), on("f", 0, 3)), (Some("A"), None));
        assert_eq!(on("g", 0, 20), None);
    }

    #[test]
    fn long_lines_are_cut_around_the_mark() {
        let f = Finding {
            line: 1,
            columns: (101, 102),
            ..Finding::default()
        };
        let text = "x".repeat(100) + "山" + &"y".repeat(100);
        let frame = frame(&text, &f).unwrap();
        assert_eq!(
            (
                frame.before.chars().count(),
                frame.marked.as_str(),
                frame.after.chars().count()
            ),
            (41, "山", 41)
        );
    }

    #[test]
    fn columns_count_utf16_units() {
        let f = Finding {
            line: 1,
            columns: (3, 4),
            ..Finding::default()
        };
        assert_eq!(frame("𠮷ab", &f).unwrap().marked, "a");
    }

    #[test]
    fn all_terminators_end_a_line() {
        let text = "a\r\nb\nc\rd";
        assert_eq!(
            (1..=5).map(|n| line_of(text, n)).collect::<Vec<_>>(),
            [Some("a"), Some("b"), Some("c"), Some("d"), None]
        );
    }
}
