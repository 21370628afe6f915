//! `operation-outcome`: FHIR R4. One file gives an OperationOutcome, several a collection Bundle of those
//! with findings.

use serde::Serialize;

use super::{Context, Render, json};
use crate::finding::Finding;
use crate::report::{FileReport, Totals};

pub(super) struct Outcome {
    context: Context,
    several: bool,
    /// Outcomes written.
    written: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OperationOutcome<'f> {
    resource_type: &'static str,
    issue: Vec<Issue<'f>>,
}

#[derive(Serialize)]
struct Issue<'f> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extension: Vec<Extension<'f>>,
    severity: &'static str,
    code: &'static str,
    details: Details<'f>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnostics: Option<&'f str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    location: Vec<&'f str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    expression: Vec<&'f str>,
}

#[derive(Serialize)]
struct Extension<'f> {
    url: &'static str,
    #[serde(flatten)]
    value: Value<'f>,
}

#[derive(Serialize)]
enum Value<'f> {
    #[serde(rename = "valueString")]
    String(&'f str),
    #[serde(rename = "valueInteger")]
    Integer(u32),
}

#[derive(Serialize)]
struct Details<'f> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    coding: Vec<Coding<'f>>,
    text: &'f str,
}

#[derive(Serialize)]
struct Coding<'f> {
    system: &'static str,
    code: &'f str,
}

impl Outcome {
    pub(super) fn new(context: Context) -> Self {
        Self {
            context,
            several: false,
            written: 0,
        }
    }
}

/// IssueType of a finding by its family.
fn issue_type(f: &Finding, unreadable: bool) -> &'static str {
    match f.code.get(..3) {
        _ if unreadable => "exception",
        Some("HL7") => "structure",
        Some("SSM") => "business-rule",
        Some("MAP") => "incomplete",
        _ if f.fhir.is_some() => fhir_type(&f.code),
        _ => "value",
    }
}

/// IssueType of a finding of FHIR validation: keys of invariants are codes of their own.
fn fhir_type(code: &str) -> &'static str {
    let known = ["FHR", "JPC", "CLN"].iter().any(|f| code.starts_with(f));
    match code.get(3..).filter(|_| known) {
        Some("001" | "002" | "003" | "006" | "008" | "009" | "010" | "307") => "structure",
        Some("004" | "401") => "required",
        Some("101" | "102" | "103" | "104" | "105" | "408" | "409" | "410") => "code-invalid",
        Some("202" | "203" | "204" | "205") => "extension",
        Some("211" | "214" | "301" | "302") => "not-found",
        Some("304" | "305" | "306" | "310" | "415") => "informational",
        Some("402" | "405" | "406" | "407" | "413" | "414") => "business-rule",
        Some(_) => "value",
        None => "invariant",
    }
}

fn issue<'f>(f: &'f Finding, file: &FileReport) -> Issue<'f> {
    let at = f.primary.start;
    let mut extension = vec![
        Extension {
            url: "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-source",
            value: Value::String("warifu"),
        },
        Extension {
            url: "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line",
            value: Value::Integer(at.line),
        },
        Extension {
            url: "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col",
            value: Value::Integer(at.column),
        },
        Extension {
            url: "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id",
            value: Value::String(&f.code),
        },
    ];
    // A FHIR string is never empty.
    if !f.primary.file.is_empty() {
        extension.push(Extension {
            url: "http://hl7.org/fhir/StructureDefinition/operationoutcome-file",
            value: Value::String(&f.primary.file),
        });
    }
    Issue {
        extension,
        severity: match f.severity.as_str() {
            _ if file.unreadable => "fatal",
            "error" => "error",
            "warning" => "warning",
            _ => "information",
        },
        code: issue_type(f, file.unreadable),
        details: Details {
            coding: vec![Coding {
                system: "urn:warifu:rule",
                code: &f.code,
            }],
            text: &f.message,
        },
        diagnostics: f.help.as_deref(),
        location: f
            .primary
            .path
            .as_deref()
            .filter(|_| f.fhir.is_none())
            .into_iter()
            .collect(),
        // `location` is for paths that are no FHIRPath.
        expression: f
            .primary
            .path
            .as_deref()
            .filter(|p| f.fhir.is_some() && !p.is_empty())
            .into_iter()
            .collect(),
    }
}

fn write(issue: Vec<Issue<'_>>, out: &mut Vec<u8>) {
    let outcome = OperationOutcome {
        resource_type: "OperationOutcome",
        issue,
    };
    json(&outcome, out);
}

impl Render for Outcome {
    fn begin(&mut self, totals: &Totals, out: &mut Vec<u8>) {
        let files = totals.summary.files.max(totals.reported);
        self.several = files > 1 && totals.reported > 0;
        if self.several {
            out.extend_from_slice(
                b"{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[",
            );
        }
    }
    fn file(&mut self, file: &FileReport, out: &mut Vec<u8>) {
        if file.findings.is_empty() {
            return;
        }
        let issues: Vec<Issue<'_>> = file.findings.iter().map(|f| issue(f, file)).collect();
        if self.several {
            out.extend_from_slice(if self.written > 0 { b",\n" } else { b"\n" });
            // Every entry has one of its own, so that the Bundle is valid itself.
            let n = self.written;
            let url = format!("urn:uuid:00000000-0000-8000-8000-{n:012x}");
            out.extend_from_slice(format!("{{\"fullUrl\":\"{url}\",\"resource\":").as_bytes());
            write(issues, out);
            out.push(b'}');
        } else {
            write(issues, out);
        }
        self.written += 1;
    }
    fn end(&mut self, out: &mut Vec<u8>) {
        if self.several {
            out.extend_from_slice(b"\n]}");
        } else if self.written == 0 {
            let clean = Issue {
                extension: Vec::new(),
                severity: "information",
                code: "informational",
                details: Details {
                    coding: Vec::new(),
                    text: self
                        .context
                        .say("問題は見つかりませんでした", "No problem found"),
                },
                diagnostics: None,
                location: Vec::new(),
                expression: Vec::new(),
            };
            write(vec![clean], out);
        }
        out.push(b'\n');
    }
}
