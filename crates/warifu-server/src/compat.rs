//! Routes of other validators (`compat = "hl7"`), so that clients of theirs need no change: the HTTP server of
//! HL7's Java validator (`/validateResource`), its validator-wrapper and Inferno (`/validate`).
//!
//! What is judged, and how, is as for `$validate`. A wish that would change the verdict and is not known here is
//! refused, not passed over.

use axum::http::header;
use serde::Deserialize;
use serde_json::{Value, json};
use warifu_check::Report;
use warifu_report::Lang;
use warifu_report::format::Format;
use warifu_report::position::Units;

use crate::App;
use crate::http::{Answer, Asked, is_text};
use crate::office::fresh_id;
use crate::problem::{Bound, Code, Problem};
use crate::vendor;

/// What the outcome tells, from `level` on.
fn told(asked: &Asked) -> Result<&'static [&'static str], Problem> {
    match asked.wish("level") {
        None | Some("hints") => Ok(&["error", "warning", "info"]),
        Some("warnings") => Ok(&["error", "warning"]),
        Some("errors") => Ok(&["error"]),
        Some(_) => Err(Code::Parameter.into()),
    }
}

fn is_on(app: &App) -> Result<(), Problem> {
    if app.config().hl7 {
        Ok(())
    } else {
        Err(Code::NotFound.into())
    }
}

/// A resource as it came, by `?profile=`: an `OperationOutcome`, 200 whatever it is.
fn raw(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    vendor::in_json(asked)?;
    let lang = vendor::lang(asked)?;
    let levels = told(asked)?;
    let profiles = vendor::wishes(asked, "profile");
    let bytes = asked.body.whole()?.into_owned();
    let mut found = vendor::validated(app, profiles, "resource.json", bytes, lang)?;
    found
        .findings
        .retain(|f| levels.contains(&f.severity.as_str()));
    let mut report = Report::new(vec![found]);
    let bytes = report.format(Format::OperationOutcome, lang, Units::Utf16);
    let answer = Answer::new("application/fhir+json", bytes);
    Ok(vendor::counted(answer, &report.totals))
}

/// `POST /validateResource`
pub(crate) fn resource(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    is_on(app)?;
    vendor::taken(asked.header(header::CONTENT_TYPE).unwrap_or_default())?;
    raw(app, asked)
}

/// What the validator-wrapper is asked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    /// Newer clients call it so.
    #[serde(alias = "validationContext", default)]
    cli_context: Context,
    files_to_validate: Vec<Given>,
    #[serde(default)]
    session_id: Option<String>,
}

/// Of its settings those that change a verdict; the others are about a machine that is not here.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Context {
    sv: Option<String>,
    #[serde(alias = "targetVer")]
    version: Option<String>,
    profiles: Vec<String>,
    igs: Vec<String>,
    locale: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    #[serde(default)]
    file_name: String,
    file_content: String,
    #[serde(default)]
    file_type: Option<String>,
}

/// `POST /validate`: files as the validator-wrapper takes them, or a resource as it is (Inferno).
pub(crate) fn validate(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    is_on(app)?;
    vendor::taken(asked.header(header::CONTENT_TYPE).unwrap_or_default())?;
    let body = asked.body.whole()?;
    let parsed = warifu_json::parse(&body, warifu_json::Limits::FHIR, &());
    let files = parsed
        .tree
        .member(warifu_json::ROOT, "filesToValidate")
        .is_some();
    if parsed.tree.is_empty() || !files {
        return raw(app, asked);
    }
    // Its settings stand in the body.
    if !asked.query.is_empty() {
        return Err(Code::Parameter.into());
    }
    let request: Request = serde_json::from_slice(&body).map_err(|_| Code::Body)?;
    drop(parsed);
    let context = &request.cli_context;
    let versions = context.sv.iter().chain(&context.version);
    let is_r4 = |v: &String| v.is_empty() || v.starts_with("4.0") || v == "R4";
    if !versions.into_iter().all(is_r4) {
        return Err(Code::Parameter.into());
    }
    let loaded = vendor::labels(app);
    let lacks = |ig: &&String| !loaded.iter().any(|label| label.eq_ignore_ascii_case(ig));
    if context.igs.iter().any(|ig| lacks(&ig)) {
        return Err(Code::Profile.into());
    }
    let lang = match context.locale.as_deref() {
        Some(locale) if locale.starts_with("ja") => Lang::Ja,
        _ => Lang::En,
    };
    let session = match request.session_id {
        Some(id) if !id.is_empty() && id.len() <= 64 && is_text(&id) => id,
        _ => fresh_id()?,
    };
    // Each file is answered with its content: half of the room is the answer's.
    let mut room = app.config().limits.unfolded / 2;
    let mut outcomes = Vec::with_capacity(request.files_to_validate.len());
    for file in request.files_to_validate {
        if !matches!(file.file_type.as_deref(), None | Some("json" | "JSON")) {
            return Err(Code::Media.into());
        }
        let bytes = file.file_content.as_bytes().to_vec();
        let found = vendor::validated(app, context.profiles.clone(), &file.file_name, bytes, lang)?;
        let issues: Vec<Value> = found
            .findings
            .iter()
            .map(|f| {
                let (kind, level) = match f.severity.as_str() {
                    _ if found.unreadable => ("EXCEPTION", "FATAL"),
                    "error" => ("INVALID", "ERROR"),
                    "warning" => ("BUSINESSRULE", "WARNING"),
                    _ => ("INFORMATIONAL", "INFORMATION"),
                };
                json!({
                    "source": "InstanceValidator", "level": level, "type": kind, "messageId": f.code,
                    "message": f.message, "location": f.primary.path.as_deref().unwrap_or("(document)"),
                    "line": f.primary.start.line, "col": f.primary.start.column, "sliceInfo": [],
                })
            })
            .collect();
        let outcome = json!({
            "fileInfo": {
                "fileName": file.file_name, "fileContent": file.file_content,
                "fileType": file.file_type.as_deref().unwrap_or("json"),
            },
            "issues": issues,
        });
        let length = issues.len() * 256 + file.file_content.len() * 2;
        let left = room.checked_sub(u64::try_from(length).unwrap_or(u64::MAX));
        room = left.ok_or_else(|| Problem::too_large(Bound::Unfolded))?;
        outcomes.push(outcome);
    }
    let answer = json!({"outcomes": outcomes, "sessionId": session});
    Ok(Answer::new("application/json", answer.to_string()))
}
