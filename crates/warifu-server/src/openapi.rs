//! The description of the interface (OpenAPI 3.1), made of the table of routes.
//!
//! Shapes are written as in TypeScript: `{name: Shape, maybe?: Shape}`, `[Shape]`, a word of [`WORDS`], or
//! the name of one of [`SHAPES`]. Every object is closed.

use serde_json::{Map, Value, json};

use crate::http::{Guard, Route, is_fhir};
use crate::problem::Code;
use crate::route::ROUTES;

/// Shapes that have a name.
const SHAPES: &[(&str, &str)] = &[
    ("Contact", "{name: string, by: string, to: string}"),
    (
        "Disclosed",
        "{bundle: string, proof: Proof, areq: hash, next?: string, withheld?: [Withheld], sources?: [{src: string, of: [string]}]}",
    ),
    (
        "Erasure",
        "{notice: id, grant: hash, jti: id, rcp: string, ended: time, last: time, told?: time, state: string, at?: time, why?: string, answer?: {access: token, body: string}}",
    ),
    (
        "Key",
        "{jti: id, kid: hash, x: hash, state: string, at: time, since: time, role: string, ial: string, for?: sub}",
    ),
    (
        "Line",
        "{index: int, own: OwnLine, proof?: string, promise?: string, counts?: {items: int, of: [{cat: string, n: int}], from?: int}}",
    ),
    (
        "Mine",
        "{now: time, sub: sub, tokens: [Token], state: any, seq: int}",
    ),
    (
        "Notice",
        "{what: string, line: int, src: string, at: time, text: {ja: string, ja-easy: string, en: string}}",
    ),
    (
        "OwnLine",
        "{line: string, salt: id, place_salt?: id, n?: int, prev?: hash}",
    ),
    (
        "Previewed",
        "{key: string, type: string, id: string, src: string, shown: bool, reason?: string}",
    ),
    (
        "Problem",
        "{type: string, title: string, status: int, code: string, detail: string, requestId: string, step?: int, claim?: string, proof?: Proof}",
    ),
    (
        "Proof",
        "{line: string, salt: id, proof?: string, promise?: string}",
    ),
    (
        "Release",
        "{release: id, token: token, at: time, proof: Proof, uses: int, used?: time}",
    ),
    (
        "Report",
        "{report: id, kind: string, at: time, text: string, line?: int, closed?: time}",
    ),
    (
        "SessionState",
        "{sub: sub, kid: hash, exp: time, bindings: [token], keys: [Key]}",
    ),
    ("Status", "{status_list: {idx: int, uri: string}}"),
    (
        "Taken",
        "{typ: string, jti: id, tok: hash, receipt?: token, again: bool, state: string, at: time, stops?: {online: time, offline?: time}}",
    ),
    (
        "Token",
        "{typ: string, jti: id, tok: hash, token: token, at: time, ended: bool, endedAt?: time, annex?: string, receipt?: token}",
    ),
    (
        "Waiting",
        "{req: id, group: id, at: time, exp: time, aud: [string], pur: [string], cat: [string], min: [string], dat: Window, terms: int, individual: bool}",
    ),
    ("Window", "{from?: date, to?: date}"),
    (
        "Withheld",
        "{key: string, type: string, categories: [string], reason: string}",
    ),
];

/// Words of shapes.
fn word(name: &str) -> Option<Value> {
    Some(match name {
        "any" => json!({}),
        "bool" => json!({"type": "boolean"}),
        "bytes" | "events" | "none" | "text" | "string" => json!({"type": "string"}),
        "date" => json!({"type": "string", "format": "date"}),
        "hash" => json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}),
        "id" => json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"}),
        "flag" => json!({"type": "string", "enum": ["", "true", "false"]}),
        "int" => json!({"type": "integer", "minimum": 0, "maximum": 9_007_199_254_740_991_u64}),
        "sub" => json!({"type": "string", "pattern": "^s1\\.[A-Za-z0-9_-]{22}$"}),
        "time" => json!({"type": "integer", "minimum": 0, "description": "seconds UTC"}),
        "token" => {
            json!({"type": "string", "pattern": "^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$"})
        }
        _ => return None,
    })
}

/// The schema of a parameter: a word of [`word`], or the texts that are allowed, as `"a"|"b"`.
fn allowed(text: &str) -> Option<Value> {
    if !text.starts_with('"') {
        return word(text);
    }
    let each = text
        .split('|')
        .map(|t| t.strip_prefix('"')?.strip_suffix('"'));
    let all: Option<Vec<&str>> = each.collect();
    Some(json!({"type": "string", "enum": all?}))
}

/// Reads one shape; gives what is left behind it.
fn shape(text: &str) -> Option<(Value, &str)> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix('[') {
        let (items, rest) = shape(rest)?;
        let rest = rest.trim_start().strip_prefix(']')?;
        return Some((json!({"type": "array", "items": items}), rest));
    }
    if let Some(mut rest) = text.strip_prefix('{') {
        let (mut members, mut required) = (Map::new(), Vec::new());
        loop {
            rest = rest.trim_start();
            if let Some(rest) = rest.strip_prefix('}') {
                let mut object = json!({
                    "type": "object", "properties": members, "additionalProperties": false,
                });
                if let (Some(object), false) = (object.as_object_mut(), required.is_empty()) {
                    object.insert("required".to_owned(), required.into());
                }
                return Some((object, rest));
            }
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
            let (name, after) = rest.split_once(':')?;
            let (value, after) = shape(after)?;
            if let Some(name) = name.strip_suffix('?') {
                members.insert(name.to_owned(), value);
            } else {
                required.push(name);
                members.insert(name.to_owned(), value);
            }
            rest = after;
        }
    }
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let value = match word(name) {
        Some(value) => value,
        None if SHAPES.iter().any(|(n, _)| *n == name) => {
            json!({"$ref": format!("#/components/schemas/{name}")})
        }
        None => return None,
    };
    Some((value, rest))
}

/// The schema of a whole shape; `None` where it is none, which a test forbids.
fn schema(text: &str) -> Option<Value> {
    let (value, rest) = shape(text)?;
    rest.trim().is_empty().then_some(value)
}

/// What is wrong with a request; on routes of FHIR, FHIR says it in its own form.
fn problem(row: &Route) -> Value {
    let reference = json!({"$ref": "#/components/schemas/Problem"});
    let content = if is_fhir(row.path) {
        json!({FHIR_JSON: outcome()})
    } else {
        json!({"application/problem+json": {"schema": reference}})
    };
    json!({"description": "A problem; `code` is stable", "content": content})
}

const FHIR_JSON: &str = "application/fhir+json";

/// A FHIR resource, which the FHIR specification describes.
fn outcome() -> Value {
    json!({"schema": {
        "type": "object", "required": ["resourceType"], "properties": {"resourceType": {"type": "string"}},
    }})
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// The bodies of a good answer by media type.
fn bodies(row: &Route) -> Value {
    let mut content = json!({});
    let usual = match row.gives {
        "text" => "text/plain",
        "events" => "text/event-stream",
        "bytes" => "application/octet-stream",
        _ => "application/json",
    };
    let media = if row.media.is_empty() {
        &[usual]
    } else {
        row.media
    };
    for kind in media {
        let body = match *kind {
            FHIR_JSON => outcome(),
            "application/json" | "application/statuslist+jwt" | "text/event-stream" => {
                json!({"schema": schema(row.gives)})
            }
            _ => json!({"schema": {"type": "string"}}),
        };
        set(&mut content, kind, body);
    }
    content
}

/// The description as JSON.
pub fn openapi() -> String {
    let mut paths = Map::new();
    for row in ROUTES {
        let path = row.path.replace("{*", "{");
        let mut operation = json!({
            "summary": row.about,
            "operationId": format!("{}{}", row.method.as_str().to_lowercase(), path.replace(['/', '{', '}', '.', '$'], "_")),
            "responses": {"default": problem(row)},
        });
        let Some(members) = operation.as_object_mut() else {
            continue;
        };
        let mut parameters: Vec<Value> = path
            .split('/')
            .filter_map(|p| p.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
            .collect();
        for (name, shape, about) in row.asks {
            parameters.push(json!({
                "name": name, "in": "query", "description": about, "schema": allowed(shape),
            }));
        }
        if !parameters.is_empty() {
            members.insert("parameters".to_owned(), parameters.into());
        }
        if !row.takes.is_empty() {
            let content = match row.takes {
                "raw" => json!({"*/*": {}}),
                "files" => json!({"*/*": {}, "multipart/form-data": {"schema": {
                    "type": "object", "minProperties": 1,
                    "description": "each part is a file, whose `filename` is its path in the storage",
                    "additionalProperties": {"type": "string", "contentMediaType": "application/octet-stream"},
                }}}),
                takes => json!({"application/json": {"schema": schema(takes)}}),
            };
            members.insert(
                "requestBody".to_owned(),
                json!({"required": true, "content": content}),
            );
        }
        let (status, mut good) = match row.gives {
            "none" => ("204", json!({"description": "Done"})),
            _ => (
                "2XX",
                json!({"description": "Done", "content": bodies(row)}),
            ),
        };
        if row.takes_files() && !row.large && row.guard == Guard::Open {
            let counts = json!({"description": "errors=N, warnings=N, infos=N", "schema": {"type": "string"}});
            set(&mut good, "headers", json!({"Warifu-Findings": counts}));
        }
        if let Some(responses) = members.get_mut("responses").and_then(Value::as_object_mut) {
            responses.insert(status.to_owned(), good);
        }
        let security = match row.guard {
            Guard::Open | Guard::Page => json!([]),
            Guard::Session => json!([{"session": []}]),
            Guard::Institution => json!([{"access": []}]),
            Guard::Either => json!([{"session": []}, {"access": []}]),
        };
        members.insert("security".to_owned(), security);
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        if let Some(methods) = methods.as_object_mut() {
            methods.insert(row.method.as_str().to_lowercase(), operation);
        }
    }
    let schemas: Map<String, Value> = SHAPES
        .iter()
        .filter_map(|(name, text)| Some(((*name).to_owned(), schema(text)?)))
        .collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|c| c.wire()).collect();
    let all = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Warifu",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!("docs/server.md has the rules. Codes of problems beside the reasons of docs/consent.md: {}.", codes.join(", ")),
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "warifu_session"},
                "access": {"type": "http", "scheme": "bearer", "bearerFormat": "access-request+jwt"},
            },
        },
    });
    format!("{all:#}\n")
}

#[cfg(test)]
mod tests {
    use super::{ROUTES, SHAPES, schema};

    #[test]
    fn every_shape_is_one() {
        for (name, text) in SHAPES {
            assert!(schema(text).is_some(), "{name}");
        }
        for row in ROUTES {
            assert!(schema(row.gives).is_some(), "{}", row.path);
            for (name, shape, _) in row.asks {
                assert!(super::allowed(shape).is_some(), "{} {name}", row.path);
            }
            assert!(
                ["", "files", "raw"].contains(&row.takes) || schema(row.takes).is_some(),
                "{}",
                row.path
            );
        }
        assert!(schema("{a: nothing}").is_none() && schema("[int").is_none());
    }
}
