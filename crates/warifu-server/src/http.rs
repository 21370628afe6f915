//! What a handler gets and gives: whole requests and whole responses, one function a route.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use warifu_consent::hash;
use warifu_consent::json::{self, Value};

use crate::payload::Payload;
use crate::problem::{Code, Problem};
use crate::{App, Limits};

/// A request.
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// Parts of the path that the route names, in their order.
    pub(crate) params: Vec<String>,
    /// Parameters behind `?`, decoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Payload,
    /// Thumbprint of the certificate at the other end.
    pub(crate) certificate: Option<String>,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Vec<u8>,
    /// What goes out as it comes, in place of `body`.
    pub(crate) live: Option<axum::body::Body>,
}

/// What answers a route.
pub(crate) type Handler = fn(&App, &Asked) -> Result<Answer, Problem>;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Everybody.
    Open,
    /// A page of this server, or no browser: what changes something.
    Page,
    /// The same with a session.
    Session,
    /// An institution with an access request.
    Institution,
    /// One or the other.
    Either,
}

/// One route: the router and the OpenAPI description are both made of these.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) does: Handler,
    pub(crate) guard: Guard,
    pub(crate) about: &'static str,
    /// Shape of the body, in the notation of `openapi.rs`; empty for none.
    pub(crate) takes: &'static str,
    /// Shape of the answer.
    pub(crate) gives: &'static str,
    /// Parameters of the query: name, shape, what it is; others are refused.
    pub(crate) asks: &'static [Ask],
    /// Media types of the answer where `gives` does not tell it.
    pub(crate) media: &'static [&'static str],
    /// Whether its body, JSON, may be as large as files.
    pub(crate) large: bool,
}

/// A parameter of a query.
pub(crate) type Ask = (&'static str, &'static str, &'static str);

/// Bytes of a body that is no file.
const CLAIMS: usize = 256 << 10;

impl Route {
    /// With parameters of the query.
    pub(crate) const fn asking(mut self, asks: &'static [Ask]) -> Self {
        self.asks = asks;
        self
    }

    /// With an answer of these media types.
    pub(crate) const fn in_form(mut self, media: &'static [&'static str]) -> Self {
        self.media = media;
        self
    }

    /// With a body that may be as large as files.
    pub(crate) const fn large(mut self) -> Self {
        self.large = true;
        self
    }

    /// Refuses parameters that the route does not know.
    pub(crate) fn check_query(&self, query: &[(String, String)]) -> Result<(), Problem> {
        let known = |(name, _): &(String, String)| self.asks.iter().any(|ask| ask.0 == name);
        if query.iter().all(known) {
            Ok(())
        } else {
            Err(Code::Parameter.into())
        }
    }

    /// Whether the body is files: larger than others, and worked on in places of its own.
    pub(crate) fn takes_files(&self) -> bool {
        self.large || matches!(self.takes, "raw" | "files")
    }

    /// Bytes of its body.
    pub(crate) fn most(&self, limits: &Limits) -> usize {
        if self.takes_files() {
            limits.body
        } else {
            CLAIMS.min(limits.body)
        }
    }
}

impl Answer {
    pub(crate) fn new(kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static(kind))],
            body: body.into(),
            live: None,
        }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::new("application/json", value.write())
    }

    pub(crate) fn empty() -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            body: Vec::new(),
            live: None,
        }
    }

    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// With an `ETag` of its bytes; 304 where the client has them.
    pub(crate) fn tagged(self, asked: &Asked) -> Self {
        let tag = format!("\"{}\"", hash::sha256_text(&[&self.body]));
        self.tagged_as(&tag, &asked.headers)
    }

    /// With this `ETag`; 304 where the client has it.
    pub(crate) fn tagged_as(self, tag: &str, headers: &HeaderMap) -> Self {
        let known = headers.get(header::IF_NONE_MATCH);
        let known = known.and_then(|v| v.to_str().ok());
        let same = known.is_some_and(|k| k.split(',').any(|t| t.trim() == tag));
        let tagged = self.with(header::ETAG, tag);
        if same {
            return Self {
                status: 304,
                body: Vec::new(),
                live: None,
                ..tagged
            };
        }
        tagged
    }
}

/// Whether what is wrong on this path is said as FHIR says it.
pub(crate) fn is_fhir(path: &str) -> bool {
    path.starts_with("/fhir/") || path == "/validateResource"
}

/// Whether it is a text: without U+0000, which nothing here has and not every database takes.
pub(crate) fn is_text(text: &str) -> bool {
    !text.contains('\0')
}

impl Asked {
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// A part of the path.
    pub(crate) fn param(&self, n: usize) -> &str {
        self.params.get(n).map(String::as_str).unwrap_or_default()
    }

    /// A parameter behind `?`.
    pub(crate) fn wish(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(n, _)| n == name)?;
        Some(&found.1)
    }

    /// The body: one JSON object with these members and no others; those before `?` must be there.
    pub(crate) fn body(&self, members: &[&str]) -> Result<Body, Problem> {
        let kind = self.header(header::CONTENT_TYPE).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Code::Media.into());
        }
        let bytes = self.body.whole()?;
        let value = json::read(bytes.trim_ascii(), 8).map_err(|_| Code::Body)?;
        let given = value.members().ok_or(Code::Body)?;
        let all: Vec<&str> = members.iter().map(|m| m.trim_end_matches('?')).collect();
        let extra = given.keys().any(|k| !all.contains(&k.as_str()));
        let mut needed = members.iter().filter(|m| !m.ends_with('?'));
        if extra || needed.any(|m| !given.contains_key(*m)) {
            return Err(Code::Body.into());
        }
        Ok(Body(value))
    }
}

/// A body that was read.
pub(crate) struct Body(Value);

impl Body {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A string that must be one where it is there.
    pub(crate) fn maybe(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.0.get(name) {
            None => Ok(None),
            Some(v) => Ok(Some(v.text().filter(|t| is_text(t)).ok_or(Code::Body)?)),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<&str, Problem> {
        Ok(self.maybe(name)?.ok_or(Code::Body)?)
    }

    /// Sorted, unique codes; absent as none.
    pub(crate) fn codes(&self, name: &str) -> Result<Vec<String>, Problem> {
        let Some(v) = self.0.get(name) else {
            return Ok(Vec::new());
        };
        let Value::Array(items) = v else {
            return Err(Code::Body.into());
        };
        let all: Option<Vec<String>> = items.iter().map(|i| i.text().map(str::to_owned)).collect();
        let all = all.filter(|all| all.iter().all(|t| is_text(t)));
        let mut all = all.ok_or(Code::Body)?;
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }
}
