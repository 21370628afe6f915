//! `warifu serve`: HTTP for vendors, patients and institutions.
//!
//! A route is one row of `route::ROUTES`: a function from a whole request to a whole response. The
//! router and the OpenAPI description are both made of that table. What is decided is decided by
//! `warifu-consent`; what is kept is kept by `warifu-store` in one transaction with the line of the log
//! that tells of it.
#![forbid(unsafe_code)]
#![allow(
    clippy::unnecessary_wraps,
    reason = "handlers of the table of routes have one type"
)]

mod consent;
mod disclose;
mod files;
mod http;
mod ingest;
mod logs;
mod metrics;
mod net;
mod office;
mod openapi;
mod people;
mod problem;
mod route;
mod vendor;

use std::sync::Arc;
use std::time::Duration;

pub use files::Files;
pub use ingest::Ingested;
pub use net::{Bind, serve};
pub use office::{Clock, Office, Settings, make};
pub use openapi::openapi;
pub use problem::{Code, Problem};
pub use route::router;
pub use vendor::Vendor;

/// Bounds of what is taken at once.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a body.
    pub body: usize,
    /// Requests that are worked on at once; the next one is answered 503.
    pub jobs: usize,
    /// How long a body may take to arrive, and an answer to be made.
    pub time: Duration,
}

impl Limits {
    /// What a machine of two cores does well.
    pub const REFERENCE: Self = Self {
        body: 64 << 20,
        jobs: 64,
        time: Duration::from_secs(30),
    };
}

/// Takes a line about a request: JSON, nothing of paths, queries and bodies.
pub type Sink = Box<dyn Fn(&str) + Send + Sync>;

/// What a server answers with.
pub struct Config {
    /// Scheme, host and port as browsers and institutions see them: `http://127.0.0.1:8440`.
    pub origin: String,
    /// The consent office; absent for a server of vendors only.
    pub office: Option<Office>,
    /// Packages for validation.
    pub vendor: Vendor,
    /// The portal at `/`.
    pub portal: Option<Files>,
    /// The playground at `/playground/`.
    pub playground: Option<Files>,
    /// Whether `/metrics` is answered here.
    pub metrics: bool,
    /// Where lines about requests go; absent for none.
    pub log: Option<Sink>,
    /// Bounds.
    pub limits: Limits,
}

/// A server's state, shared by its tasks.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    config: Config,
    jobs: Arc<tokio::sync::Semaphore>,
    metrics: metrics::Metrics,
}

impl App {
    /// A server of this configuration.
    pub fn new(config: Config) -> Self {
        Self(Arc::new(Inner {
            jobs: Arc::new(tokio::sync::Semaphore::new(config.limits.jobs)),
            metrics: metrics::Metrics::default(),
            config,
        }))
    }

    /// The office of consent.
    ///
    /// # Errors
    /// `NOT_FOUND` where there is none.
    pub fn office(&self) -> Result<&Office, Problem> {
        let office = self.0.config.office.as_ref();
        Ok(office.ok_or(Code::NotFound)?)
    }

    fn vendor(&self) -> &Vendor {
        &self.config().vendor
    }

    fn config(&self) -> &Config {
        &self.0.config
    }

    fn origin(&self) -> &str {
        &self.config().origin
    }

    fn is_secure(&self) -> bool {
        self.origin().starts_with("https:")
    }

    /// `Set-Cookie` of the session; an age of 0 takes it away.
    fn cookie(&self, name: &str, value: &str, age: u64) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        format!("{name}={value}; Path=/api; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")
    }
}
