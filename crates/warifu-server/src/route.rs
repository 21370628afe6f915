//! The table of routes, and the router made of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use warifu_consent::{Lang, b64};

use crate::App;
use crate::certificate::{self, Certificates, Shown};
use crate::http::{self, Answer, Ask, Asked, Guard, Handler, Route};
use crate::problem::{self, Code, Problem};
use crate::rate::{Client, Peer};
use crate::{
    ask, card, compat, consent, disclose, erasure, logs, monitor, notice, openapi, payload, people,
    preview, release, report, upload, vendor, witness,
};

const fn route(
    method: Method,
    path: &'static str,
    guard: Guard,
    does: Handler,
    about: &'static str,
    takes: &'static str,
    gives: &'static str,
) -> Route {
    Route {
        method,
        path,
        does,
        guard,
        about,
        takes,
        gives,
        asks: &[],
        media: &[],
        large: false,
    }
}

/// For whom: a person that the key's binding names.
const FOR: &[Ask] = &[(
    "for",
    "sub",
    "the represented person (docs/server.md, common rules)",
)];

const LANG: Ask = ("lang", "\"ja\"|\"en\"", "language of texts");
const FILE_NAME: Ask = (
    "stdin-name",
    "string",
    "name of the body, perhaps with its folders, for the rules about names",
);

/// The long flags of `warifu convert` that need no folder and no key.
const CONVERT: &[Ask] = &[
    ("to", "\"bundle\"|\"ndjson\"|\"clins\"", "what is made"),
    (
        "bundle",
        "\"transaction\"|\"collection\"",
        "type of the Bundles",
    ),
    ("per", "\"message\"|\"patient\"", "what one Bundle holds"),
    (
        "institution",
        "string",
        "number of the institution, 10 digits",
    ),
    ("ids", "\"keyed\"|\"readable\"", "how ids are made"),
    ("sent-at", "string", "time of sending, as FHIR dateTime"),
    ("sending-id", "string", "identifier of the sending"),
    ("provenance", "flag", "Provenance of each message, too"),
    ("attachments", "\"inline\"|\"file\"", "where attachments go"),
    (
        "without-source-identifier",
        "flag",
        "no identifier that names the source file",
    ),
    (
        "trace",
        "flag",
        "where each leaf comes from; with `Accept: application/json`",
    ),
    ("show-values", "flag", "values in the findings"),
    ("positions", "string", "what columns of findings count"),
    (
        "charset",
        "string",
        "charset of all messages, whatever they say",
    ),
    LANG,
    FILE_NAME,
];

/// The long flags of `warifu check` that need no folder.
const CHECK: &[Ask] = &[
    (
        "profile",
        "string",
        "rule profiles, or canonical URLs of FHIR profiles; several by comma",
    ),
    ("select", "string", "codes, names or prefixes, by comma"),
    ("ignore", "string", "codes, names or prefixes, by comma"),
    ("severity", "string", "CODE=LEVEL, by comma"),
    ("preview", "flag", "rules on trial, too"),
    ("format", "string", "form of the report, before `Accept`"),
    (
        "columns",
        "\"utf16\"|\"utf8\"|\"codepoint\"",
        "what columns count",
    ),
    (
        "show-values",
        "flag",
        "values in the frames of text, and in what FHIR findings say was found",
    ),
    LANG,
    FILE_NAME,
];

const VALIDATE: &[Ask] = &[
    ("profile", "string", "canonical URLs of profiles, by comma"),
    FORMAT,
    LANG,
];

/// What of HL7's validators is taken.
const COMPAT: &[Ask] = &[
    (
        "profile",
        "string",
        "canonical URL of a profile; several times, or by comma",
    ),
    (
        "level",
        "\"hints\"|\"warnings\"|\"errors\"",
        "what is told at least",
    ),
    LANG,
];

/// In place of `Accept`; whoever wants another form than JSON is told that it is not made.
const FORMAT: Ask = (
    "_format",
    "string",
    "json, application/json or application/fhir+json",
);

const FHIR: &[&str] = &["application/fhir+json"];

use Guard::{Either, Institution, Open, Page, Session};

/// Every route; shapes are in the notation of `openapi.rs`.
pub(crate) static ROUTES: &[Route] = &[
    route(
        Method::GET,
        "/healthz",
        Open,
        alive,
        "Whether the process answers",
        "",
        "text",
    ),
    route(
        Method::GET,
        "/readyz",
        Open,
        ready,
        "Whether it can do its work: store and log open",
        "",
        "text",
    ),
    route(
        Method::GET,
        "/metrics",
        Open,
        metrics,
        "Counters for Prometheus; on the admin's address only",
        "",
        "text",
    ),
    route(
        Method::GET,
        "/openapi.json",
        Open,
        described,
        "This description",
        "",
        "any",
    ),
    route(
        Method::POST,
        "/convert",
        Open,
        vendor::convert,
        "Converts a message, archive, journal or the files of a form; parameters are the long flags of `warifu convert`",
        "files",
        "any",
    )
    .asking(CONVERT)
    .in_form(&[
        "application/fhir+json",
        "application/fhir+ndjson",
        "application/json",
        "application/x-ndjson",
    ]),
    route(
        Method::POST,
        "/check",
        Open,
        vendor::check,
        "Checks it; parameters are the long flags of `warifu check`",
        "files",
        "any",
    )
    .asking(CHECK)
    .in_form(&[
        "application/json",
        "application/x-ndjson",
        "application/sarif+json",
        "application/xml",
        "application/fhir+json",
        "text/plain",
        "text/markdown",
    ]),
    route(
        Method::POST,
        "/fhir/$validate",
        Open,
        vendor::validate,
        "Validates a resource, or that of a Parameters",
        "raw",
        "any",
    )
    .asking(VALIDATE)
    .in_form(FHIR),
    route(
        Method::POST,
        "/fhir/{type}/$validate",
        Open,
        vendor::validate,
        "Validates a resource of this type",
        "raw",
        "any",
    )
    .asking(VALIDATE)
    .in_form(FHIR),
    route(
        Method::POST,
        "/validateResource",
        Open,
        compat::resource,
        "As the server of HL7's Java validator does; only with `--compat hl7`",
        "raw",
        "any",
    )
    .asking(COMPAT)
    .in_form(FHIR),
    route(
        Method::POST,
        "/validate",
        Open,
        compat::validate,
        "Files as HL7's validator-wrapper takes them (`cliContext`, `filesToValidate`, `sessionId`), or a resource as Inferno sends it; only with `--compat hl7`",
        "raw",
        "any",
    )
    .asking(COMPAT)
    .in_form(&["application/json", "application/fhir+json"]),
    route(
        Method::GET,
        "/fhir/metadata",
        Open,
        vendor::metadata,
        "CapabilityStatement",
        "",
        "any",
    )
    .asking(&[FORMAT])
    .in_form(FHIR),
    route(
        Method::GET,
        "/packages",
        Open,
        vendor::packages,
        "Packages that are loaded",
        "",
        "{packages: [string]}",
    ),
    route(
        Method::GET,
        "/rules",
        Open,
        vendor::rules,
        "All rules",
        "",
        "any",
    ),
    route(
        Method::GET,
        "/rules/{code}",
        Open,
        vendor::rule,
        "A rule: JSON, or Markdown or HTML by `Accept`",
        "",
        "any",
    )
    .asking(&[LANG])
    .in_form(&["application/json", "text/markdown", "text/html"]),
    route(
        Method::POST,
        "/api/nonce",
        Page,
        people::nonce,
        "A nonce for one session proof",
        "",
        "{nonce: id, exp: time}",
    ),
    route(
        Method::POST,
        "/api/enrol",
        Page,
        people::enrol,
        "Binds a key by a one-time code",
        "{code: string, birth: date, proof: token}",
        "{sub: sub, binding: token, keys: [Key]}",
    ),
    route(
        Method::GET,
        "/api/enrol/card",
        Open,
        card::offered,
        "Whether keys are bound by the citizen's card here; a `double` proves nothing and is for tests",
        "",
        "{double: bool}",
    ),
    route(
        Method::POST,
        "/api/enrol/card",
        Page,
        card::enrol,
        "Binds a key by the citizen's card, which signed the hash of the proof",
        "{answer: string, proof: token}",
        "{sub: sub, binding: token, keys: [Key]}",
    ),
    route(
        Method::POST,
        "/api/session",
        Page,
        people::log_in,
        "Begins a session by a session proof",
        "{proof: token}",
        "SessionState",
    ),
    route(
        Method::GET,
        "/api/session",
        Session,
        people::show_session,
        "The session",
        "",
        "SessionState",
    ),
    route(
        Method::DELETE,
        "/api/session",
        Page,
        people::log_out,
        "Ends the session",
        "",
        "none",
    ),
    route(
        Method::GET,
        "/api/keys",
        Session,
        people::keys,
        "Keys of the person",
        "",
        "{keys: [Key]}",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/keys/{kid}/compromised",
        Session,
        people::compromised,
        "A key is in wrong hands",
        "{since?: time}",
        "{keys: [Key]}",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/code",
        Session,
        people::desk_code,
        "Digits to show at a desk",
        "{}",
        "{code: string, exp: time}",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/consent/requests",
        Institution,
        ask::ask,
        "An institution asks; 200 where it had asked for the same before",
        "{patient?: string, src?: string, code?: string, aud: [string], pur: [string], cat: [string], min?: [string], dat?: Window, days?: int}",
        "{req: id}",
    ),
    route(
        Method::GET,
        "/api/requests",
        Session,
        consent::waiting,
        "Requests that wait for the person",
        "",
        "{requests: [Waiting]}",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/requests/{req}/open",
        Session,
        consent::open,
        "Mints the request token",
        "{}",
        "{token: token}",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/requests/{req}/decline",
        Session,
        consent::decline,
        "Declines a request",
        "{}",
        "{req: id, line: hash}",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/consent/nonce",
        Session,
        consent::nonce,
        "Nonce and status index for a token that nobody asked for",
        "{}",
        "{nonce: id, status: Status, exp: time}",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/consent/tokens",
        Page,
        consent::take,
        "Hands in a grant, prohibition, revoke or objection",
        "{token: token, annex?: string}",
        "Taken",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/consent/preview",
        Session,
        preview::preview,
        "What recipients would see under a consent that is not signed yet",
        "{aud: [string], pur: [string], cat: [string], dat?: Window, annex?: string}",
        "{items: [Previewed]}",
    )
    .asking(FOR),
    route(
        Method::GET,
        "/api/consent/mine",
        Session,
        consent::mine,
        "What the person decided",
        "",
        "Mine",
    )
    .asking(FOR),
    route(
        Method::GET,
        "/api/status/{n}",
        Open,
        consent::status,
        "Token status list",
        "",
        "text",
    )
    .in_form(&["application/statuslist+jwt"]),
    route(
        Method::GET,
        "/api/policy",
        Open,
        consent::policy,
        "Policy in force",
        "",
        "any",
    ),
    route(
        Method::GET,
        "/api/texts",
        Open,
        consent::texts,
        "Templates of the texts",
        "",
        "{version: int, texts: {ja: string, ja-easy: string, en: string}}",
    ),
    route(
        Method::GET,
        "/api/master",
        Open,
        consent::master,
        "Master of facilities",
        "",
        "any",
    ),
    route(
        Method::GET,
        "/api/log/checkpoint",
        Open,
        logs::checkpoint,
        "Newest checkpoint",
        "",
        "text",
    ),
    route(
        Method::GET,
        "/api/log/pending",
        Open,
        witness::pending,
        "Newest checkpoint that waits for witnesses",
        "",
        "text",
    ),
    route(
        Method::POST,
        "/api/log/cosignature",
        Open,
        witness::cosigned,
        "A witness signed a checkpoint: the whole note with its line",
        "{note: string}",
        "{size: int, witnesses: int, quorum: int, shown: bool}",
    ),
    route(
        Method::GET,
        "/api/log/tile/{*path}",
        Open,
        logs::tile,
        "A tile (tlog-tiles)",
        "",
        "bytes",
    ),
    route(
        Method::GET,
        "/api/log/key",
        Open,
        logs::key,
        "Key of the log",
        "",
        "{log: string, witnesses: [string], quorum: int}",
    ),
    route(
        Method::GET,
        "/api/log/mine",
        Session,
        logs::mine,
        "Lines of the person",
        "",
        "{sub: sub, n?: int, head?: hash, lines: [Line]}",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/log/{n}/objection",
        Session,
        logs::objection,
        "Objects to an emergency",
        "{}",
        "{line: hash}",
    )
    .asking(FOR),
    route(
        Method::GET,
        "/api/notices",
        Session,
        notice::mine,
        "Notices of emergencies, the newest first",
        "",
        "{notices: [Notice]}",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/notices",
        Institution,
        notice::told,
        "An institution told one of its patients of uses without names; only the first time counts",
        "{patient: string, what: string, hash: hash}",
        "{at: time, again: bool}",
    ),
    route(
        Method::GET,
        "/api/erasures",
        Session,
        erasure::mine,
        "Recipients that were asked to erase their copies after a withdrawal, and what they answered",
        "",
        "{erasures: [Erasure]}",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/revoked",
        Institution,
        erasure::revoked,
        "What an institution is asked to erase, since the consent was withdrawn; the oldest thousand without answer",
        "{}",
        "{notices: [{notice: id, sub: sub, grant: hash, revoked: time, last: time}]}",
    ),
    route(
        Method::POST,
        "/api/erased",
        Institution,
        erasure::erased,
        "An institution erased its copies at an instant, or keeps them by a law: `chart`, `dispensing` or `law`",
        "{notice: id, erased?: time, kept?: string}",
        "{notice: id, state: string, at: time}",
    ),
    route(
        Method::POST,
        "/api/releases",
        Page,
        release::take,
        "A certified body tells of a release without names: its manifest, and the leaves of who is in it, 32 bytes each, ascending",
        "{token: token, leaves: string}",
        "{release: id, at: time, again: bool, proof?: Proof}",
    )
    .large(),
    route(
        Method::GET,
        "/api/releases",
        Session,
        release::all,
        "Releases, the newest first, and the person's salt",
        "",
        "{salt: id, releases: [Release]}",
    )
    .asking(FOR),
    route(
        Method::GET,
        "/api/releases/{rel}",
        Session,
        release::one,
        "Whether the person is in a release: the own leaf with its path, or the two beside its place",
        "",
        "{token: token, member: bool, size: int, near: [{index: int, leaf: hash, path: [hash]}]}",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/usage",
        Institution,
        release::used,
        "Who received a release tells what was done with it",
        "{release: id, entries: [{person: hash, query: string, output: hash}]}",
        "{root: hash, at: time, proof: Proof}",
    ),
    route(
        Method::POST,
        "/api/reports",
        Page,
        report::tell,
        "Something is wrong: `access`, `record`, `screen` or `other`; of nobody in particular unless `mine`",
        "{kind: string, text: string, contact?: string, mine?: bool, line?: int}",
        "{report: id, at: time}",
    ),
    route(
        Method::GET,
        "/api/reports",
        Session,
        report::mine,
        "What the person told so, the newest first",
        "",
        "{reports: [Report]}",
    ),
    route(
        Method::GET,
        "/api/contacts",
        Session,
        notice::contacts,
        "Whom the person wants to be told of an emergency",
        "",
        "{contacts: [Contact]}",
    )
    .asking(FOR),
    route(
        Method::PUT,
        "/api/contacts",
        Session,
        notice::set_contacts,
        "Names them: five at most, each by `mail`, `phone` or `post`",
        "{contacts: [Contact]}",
        "{contacts: [Contact]}",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/disclose",
        Either,
        disclose::disclose,
        "Discloses what the person's consent opens",
        "{search: string, page?: string}",
        "Disclosed",
    )
    .asking(FOR),
    route(
        Method::POST,
        "/api/ingest",
        Institution,
        upload::storage,
        "An institution sends its storage (archive, journal); what its patients gave before is replaced",
        "files",
        "{patients: int, unchanged: int, records: int, quarantined: int, unreadable: int, loose: int}",
    )
    .asking(&[FILE_NAME]),
    route(
        Method::POST,
        "/api/ingest/bundle",
        Institution,
        upload::bundle,
        "An institution sends a FHIR Bundle of one of its patients",
        "raw",
        "{records: int, deleted: int}",
    ),
    route(
        Method::GET,
        "/api/watch",
        Institution,
        monitor::watch,
        "Lines of disclosures, refusals, emergencies and holds as they are written; for the office's own institution",
        "",
        "events",
    ),
    route(
        Method::POST,
        "/api/emergency",
        Institution,
        disclose::emergency,
        "Break-glass",
        "{assertion: token, search?: string, page?: string}",
        "Disclosed",
    ),
];

fn alive(_: &App, _: &Asked) -> Result<Answer, Problem> {
    Ok(Answer::new("text/plain; charset=utf-8", "ok\n"))
}

fn ready(app: &App, _: &Asked) -> Result<Answer, Problem> {
    if let Some(office) = &app.config().office {
        office.ready()?;
    }
    Ok(Answer::new("text/plain; charset=utf-8", "ready\n"))
}

fn metrics(app: &App, _: &Asked) -> Result<Answer, Problem> {
    if !app.config().metrics {
        return Err(Code::NotFound.into());
    }
    let free = [&app.0.jobs, &app.0.files].map(crate::places::Places::left);
    let text = app.0.metrics.text(free);
    Ok(Answer::new("text/plain; version=0.0.4", text))
}

fn described(_: &App, asked: &Asked) -> Result<Answer, Problem> {
    Ok(Answer::new("application/json", openapi::openapi()).tagged(asked))
}

/// Name and value pairs of a query, decoded.
///
/// # Errors
/// An escape that is none, or text that is not UTF-8.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let mut all = Vec::new();
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        all.push((decoded(name)?, decoded(value)?));
    }
    Ok(all)
}

fn decoded(text: &str) -> Result<String, Problem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next().unwrap_or(b'-')).to_digit(16);
                let (high, low) = (
                    digit().ok_or(Code::Parameter)?,
                    digit().ok_or(Code::Parameter)?,
                );
                u8::try_from(high * 16 + low).map_err(|_| Code::Parameter)?
            }
            byte => byte,
        });
    }
    let text = String::from_utf8(bytes).ok();
    let text = text.filter(|t| http::is_text(t));
    text.ok_or_else(|| Code::Parameter.into())
}

fn lang(headers: &HeaderMap) -> Lang {
    let wish = headers.get(header::ACCEPT_LANGUAGE);
    let wish = wish.and_then(|v| v.to_str().ok()).unwrap_or_default();
    let first = wish.split([',', ';']).next().unwrap_or_default().trim();
    match first.to_ascii_lowercase().as_str() {
        "ja-x-easy" | "ja-easy" => Lang::JaEasy,
        t if t == "en" || t.starts_with("en-") => Lang::En,
        _ => Lang::Ja,
    }
}

/// A browser tells where a request comes from; what it sends must come from a page of ours, and nothing
/// else may pretend to be one. Who sends no such header is no browser, and has no cookie of ours.
fn from_our_page(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let of = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("-"));
    let origin = of("origin").is_none_or(|o| o == app.origin());
    let site = of("sec-fetch-site").is_none_or(|s| s == "same-origin");
    if origin && site {
        Ok(())
    } else {
        Err(Code::Csrf.into())
    }
}

/// Whether a request is for this server by its name. A page elsewhere whose name was made to point at this machine
/// (DNS rebinding) sends its own name. Addresses, and names without a dot, are no names of such pages: they are
/// what probes and proxies say.
fn is_ours(app: &App, request: &Request) -> bool {
    let authority = |text: &str| text.parse::<axum::http::uri::Authority>();
    let named = match request.headers().get(header::HOST) {
        None => request
            .uri()
            .authority()
            .map(axum::http::uri::Authority::as_str),
        Some(host) => Some(host.to_str().unwrap_or_default()),
    };
    let Some(named) = named else { return true };
    let Ok(named) = authority(named) else {
        return false;
    };
    let host = named.host();
    let own = app.origin().split_once("://").map_or("", |(_, rest)| rest);
    let same = authority(own).is_ok_and(|own| own.host().eq_ignore_ascii_case(host));
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    same || !host.contains('.') || bare.parse::<std::net::IpAddr>().is_ok()
}

/// The certificate of the client: of the connection, or as a proxy on this machine met it.
fn certificate(app: &App, request: &Request) -> Option<String> {
    let config = app.config();
    if config.certificates == Certificates::Off {
        return None;
    }
    let shown = request.extensions().get::<Shown>().cloned();
    let peer = request.extensions().get::<Peer>();
    let told = peer
        .filter(|_| config.forwarded)
        .and_then(|p| certificate::told(p.0, request.headers()));
    Some(shown.or(told)?.0)
}

/// Routes that are answered however many others are.
const VITAL: &[&str] = &["/healthz", "/readyz", "/metrics"];

async fn answer(
    app: App,
    row: &'static Route,
    params: RawPathParams,
    uri: Uri,
    request: Request,
) -> Result<Response, Problem> {
    let certificate = certificate(&app, &request);
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    let changes = row.method != Method::GET;
    if changes && row.guard != Guard::Open {
        from_our_page(&app, &headers)?;
    }
    let (body, held) = payload::arrived(&app, row, body).await?;
    // A place is taken when there is something to work on, so that slow clients have none, and held until
    // the work is done, also when the client is gone: nobody gets more places by hanging up.
    let places = if row.takes_files() {
        &app.0.files
    } else {
        &app.0.jobs
    };
    let place = if VITAL.contains(&row.path) {
        places.free()
    } else {
        Some(places.take().await.ok_or(Code::Busy)?)
    };
    let query = pairs(uri.query().unwrap_or_default())?;
    row.check_query(&query)?;
    let asked = Asked {
        method: row.method.clone(),
        params: params.iter().map(|(_, v)| v.to_owned()).collect(),
        query,
        headers,
        body,
        certificate,
    };
    if !asked.params.iter().all(|p| http::is_text(p)) {
        return Err(Code::NotFound.into());
    }
    let task = tokio::task::spawn_blocking(move || {
        let _until_done = (place, held);
        (row.does)(&app, &asked)
    });
    let done = task
        .await
        .map_err(|_| Problem::internal("a handler panicked"))?;
    Ok(respond(done?))
}

fn respond(answer: Answer) -> Response {
    let body = answer.live.unwrap_or_else(|| Body::from(answer.body));
    let mut response = Response::new(body);
    *response.status_mut() = axum::http::StatusCode::from_u16(answer.status).unwrap_or_default();
    for (name, value) in answer.headers {
        response.headers_mut().append(name, value);
    }
    response
}

/// What is no route: a file of the portal or the playground.
async fn other(State(app): State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    let ours = ["/api", "/fhir", "/convert", "/check", "/rules", "/packages"];
    let api = ours.iter().any(|p| {
        path.strip_prefix(p)
            .is_some_and(|r| r.is_empty() || r.starts_with('/'))
    });
    let config = app.config();
    let gzip = takes_gzip(&headers);
    // A plus sign stands for itself in a path.
    let Ok(name) = decoded(&path.replace('+', "%2B")) else {
        return Problem::from(Code::NotFound).into_response();
    };
    let found = match name.strip_prefix("/playground/") {
        _ if api => None,
        Some(rest) => config.playground.as_ref().and_then(|f| f.find(rest, gzip)),
        None => config.portal.as_ref().and_then(|f| f.find(&name, gzip)),
    };
    let reads = method == Method::GET || method == Method::HEAD;
    // Where FHIR clients look that were given the origin only (FHIR R4, capabilities).
    if reads && path == "/metadata" {
        let answer = Answer::empty().status(308);
        return respond(answer.with(header::LOCATION, "/fhir/metadata"));
    }
    let elsewhere = match path {
        "/playground" => true,
        "/" => config.portal.is_none(),
        _ => false,
    };
    if reads && elsewhere {
        return respond(if config.playground.is_some() {
            let answer = Answer::empty().status(307);
            answer.with(header::LOCATION, "/playground/")
        } else {
            Answer::new("text/plain; charset=utf-8", NO_PAGES).status(404)
        });
    }
    let Some(found) = found else {
        return Problem::from(Code::NotFound).into_response();
    };
    if !reads {
        return Problem::from(Code::Method).into_response();
    }
    let worker = name
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .starts_with("worker");
    let policy = policy(worker && !found.is_page, name.starts_with("/playground/"));
    let mut answer = Answer::new(found.kind, Vec::new());
    answer.live = Some(Body::from(found.bytes));
    if found.varies {
        answer = answer.with(header::VARY, "accept-encoding");
    }
    if found.is_gzip {
        answer = answer.with(header::CONTENT_ENCODING, "gzip");
    }
    let answer = answer
        .tagged_as(&found.tag, &headers)
        .with(header::CACHE_CONTROL, "no-cache");
    respond(answer.with(header::CONTENT_SECURITY_POLICY, &policy))
}

/// What stands at `/` of a server that has no pages.
const NO_PAGES: &str = "割符: この実行ファイルには画面が組み込まれていません。cargo xtask demo で組み込むか、--portal と --playground でフォルダーを指定してください。API は /openapi.json にあります。
Warifu: no pages are built into this program. Build them in with `cargo xtask demo`, or name their folders with --portal and --playground. The API is described at /openapi.json.
";

/// Whether the client takes gzip.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let mut all = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','));
    all.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|n| n.eq_ignore_ascii_case("gzip"));
        let refused = parts
            .filter_map(|p| p.strip_prefix("q="))
            .any(|q| q.bytes().all(|b| b == b'0' || b == b'.'));
        named && !refused
    })
}

/// Policy of pages: own files only, no inline script, markup only through the page's own policy. The code
/// that sees data in a worker cannot connect.
fn policy(worker: bool, playground: bool) -> String {
    let connect = if worker { "'none'" } else { "'self'" };
    // As the pages themselves say it; who may frame them only a header can tell.
    let (own, types) = if playground {
        ("img-src 'self' data:; font-src 'self'", "")
    } else {
        ("img-src 'self' blob:", "; trusted-types warifu")
    };
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; {own}; \
         connect-src {connect}; worker-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'{types}"
    )
}

/// What is taken, said where another type was sent (`Accept-Post`).
const ACCEPT_FILES: &str = "application/hl7-v2, text/plain, application/fhir+json, application/json, application/x-ndjson, application/zip, application/x-tar, application/gzip, application/zstd, multipart/form-data, application/octet-stream";
const ACCEPT_RESOURCE: &str = "application/fhir+json, application/json";

const HEADERS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=()",
    ),
];

/// An id of the request: the one given, where it is one, else a fresh one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get("x-request-id").and_then(|v| v.to_str().ok());
    let sound = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    given.filter(sound).map_or_else(
        || {
            let mut bytes = [0; 12];
            // Not a secret: without random bytes all of them are the same.
            let _ = getrandom::fill(&mut bytes);
            b64::encode(&bytes).replace('_', "-")
        },
        str::to_owned,
    )
}

/// Around every request: its id, bounds, headers, counters, and one line about it.
async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let lang = lang(request.headers());
    let method = request.method().clone();
    let pattern = request
        .extensions()
        .get::<axum::extract::MatchedPath>()
        .map_or("other", axum::extract::MatchedPath::as_str)
        .to_owned();
    let peer = request.extensions().get::<Peer>();
    let client = peer.and_then(|p| Client::of(p.0, app.config().forwarded, request.headers()));
    let admitted = VITAL.contains(&pattern.as_str())
        || client.is_none_or(|client| app.0.rates.admits(client, app.0.begun.elapsed()));
    let path = request.uri().path();
    let fhir = path == "/fhir" || http::is_fhir(path);
    let mut response = if !admitted {
        Problem::from(Code::Rate).into_response()
    } else if is_ours(&app, &request) {
        next.run(request).await
    } else {
        Problem::from(Code::Host).into_response()
    };
    if response.status() == axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE {
        let row = ROUTES.iter().find(|row| row.path == pattern);
        let takes = match row.map_or("", |row| row.takes) {
            "files" => ACCEPT_FILES,
            "raw" => ACCEPT_RESOURCE,
            _ => "application/json",
        };
        let takes = HeaderValue::from_static(takes);
        response.headers_mut().insert("accept-post", takes);
    }
    let problem = problem::finish(&mut response, lang, &id, fhir);
    let status = response.status().as_u16();
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let none =
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(none),
        );
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        let tagged = headers.contains_key(header::ETAG);
        let cache = if tagged { "no-cache" } else { "no-store" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    }
    if app.is_secure() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", value);
    }
    let took = begun.elapsed();
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let code = problem.as_ref().map(|(code, _)| code.as_str());
    app.0.metrics.count(&pattern, status, code, micros);
    if let Some(log) = &app.config().log {
        log(&line(
            &id,
            &method,
            &pattern,
            status,
            problem.as_ref(),
            took,
        ));
    }
    response
}

/// A line about a request: its route, never its path, query or content.
fn line(
    id: &str,
    method: &Method,
    pattern: &str,
    status: u16,
    problem: Option<&(String, Option<String>)>,
    took: Duration,
) -> String {
    let mut value = serde_json::json!({
        "id": id,
        "method": method.as_str(),
        "route": pattern,
        "status": status,
        "micros": u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
    });
    if let (Some((code, cause)), Some(members)) = (problem, value.as_object_mut()) {
        members.insert("code".to_owned(), code.as_str().into());
        members.extend(cause.as_deref().map(|c| ("cause".to_owned(), c.into())));
    }
    value.to_string()
}

/// The router of a server.
pub fn router(app: App) -> Router {
    let mut paths: BTreeMap<&'static str, MethodRouter<App>> = BTreeMap::new();
    for row in ROUTES {
        let Ok(filter) = MethodFilter::try_from(row.method.clone()) else {
            continue;
        };
        let handler = move |State(app): State<App>,
                            params: RawPathParams,
                            uri: Uri,
                            request: Request| async move {
            answer(app, row, params, uri, request).await
        };
        let own = paths.remove(row.path).unwrap_or_default();
        paths.insert(row.path, own.on(filter, handler));
    }
    let mut router = Router::new();
    for (path, methods) in paths {
        let refused = || async { Problem::from(Code::Method) };
        router = router.route(path, methods.fallback(refused));
    }
    router
        .fallback(other)
        .layer(middleware::from_fn_with_state(app.clone(), around))
        .with_state(app)
}

#[cfg(test)]
mod tests {
    use super::policy;

    #[test]
    fn pages_say_the_policy_that_they_are_sent_with() {
        let pages = [
            (include_str!("../../../web/static/index.html"), false),
            (include_str!("../../../playground/static/index.html"), true),
        ];
        for (page, playground) in pages {
            let sent = policy(false, playground).replace(" frame-ancestors 'none';", "");
            let said = format!("http-equiv=\"Content-Security-Policy\" content=\"{sent}\"");
            assert!(page.contains(&said), "{sent}");
            let worker = policy(true, playground);
            assert!(worker.contains("connect-src 'none'"), "{worker}");
        }
    }
}
