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

mod ask;
mod card;
mod certificate;
mod compat;
mod consent;
mod cutoff;
mod desk;
mod disclose;
mod erasure;
mod files;
mod form;
mod http;
mod ingest;
mod logs;
mod metrics;
mod monitor;
mod net;
mod notice;
mod office;
mod openapi;
mod payload;
mod people;
mod places;
mod preview;
mod problem;
mod quarantine;
mod rate;
mod release;
mod report;
mod review;
mod route;
mod upload;
mod vendor;
mod witness;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

pub use card::{Card, CardDouble, Holder};
pub use certificate::{Certificates, asking, thumbprint};
pub use cutoff::Held;
pub use desk::{Done, IDENTIFIED, Mandate, PROXIES, PersonKey, Standing, Visitor};
pub use erasure::Unanswered;
pub use files::{BuiltIn, Files};
pub use ingest::{Brought, Ingested};
pub use net::{Bind, serve};
pub use notice::Unsent;
pub use office::{Clock, Office, Rights, Settings, keep_database, make};
pub use openapi::openapi;
pub use problem::{Code, Problem};
pub use quarantine::{Apart, Staff, Whose, Why};
pub use release::{Member, Released};
pub use report::{KINDS as REPORT_KINDS, Report};
pub use review::{Waiting, verdict_of};
pub use route::router;
pub use vendor::Vendor;

/// Bounds of what is taken at once.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a body of files: what is converted, checked or validated. Other bodies have 256 KiB.
    pub body: usize,
    /// Bytes of such bodies that are held at once, those that still arrive among them.
    pub held: usize,
    /// Bytes that an archive unfolds to, and bytes of an answer to it.
    pub unfolded: u64,
    /// Requests of the portal and of institutions that are worked on at once; four times as many wait for half a second, and more
    /// are answered 503.
    pub jobs: usize,
    /// Files that are converted, checked or validated at once; four times as many wait for half a second, and more are
    /// answered 503.
    pub files: usize,
    /// How long a body may take to arrive.
    pub time: Duration,
    /// Requests a minute of one client; 0 for no bound. Clients on this machine have none.
    pub rate: u32,
}

impl Limits {
    /// What a machine of two cores does well.
    pub const REFERENCE: Self = Self {
        body: 64 << 20,
        held: 512 << 20,
        unfolded: 256 << 20,
        jobs: 64,
        files: 8,
        time: Duration::from_secs(30),
        rate: 3_000,
    };
}

/// Takes a line about a request: JSON, nothing of paths, queries and bodies.
pub type Sink = Box<dyn Fn(&str) + Send + Sync>;

/// What a server answers with.
pub struct Config {
    /// Scheme, host and port as others see them, where there is no office: an office has its own
    /// ([`Office::origin`]), which its status lists and resources name.
    pub origin: String,
    /// The consent office; absent for a server of vendors only.
    pub office: Option<Office>,
    /// Packages for validation.
    pub vendor: Vendor,
    /// The portal at `/`.
    pub portal: Option<Files>,
    /// The playground at `/playground/`.
    pub playground: Option<Files>,
    /// Whether a proxy on this machine tells its clients in `X-Forwarded-For`.
    pub forwarded: bool,
    /// What certificates of clients are for; with `forwarded`, a proxy on this machine tells those that it met
    /// in `Client-Cert`.
    pub certificates: Certificates,
    /// Identifies people by their cards, where something does.
    pub card: Option<Box<dyn Card>>,
    /// Whether routes of HL7's validators are answered, too (`/validateResource`, `/validate`).
    pub hl7: bool,
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
    /// Places of the portal and of institutions.
    jobs: places::Places,
    /// Places of what takes files: a converter that is busy keeps nobody from withdrawing.
    files: places::Places,
    /// Bytes of bodies of files, in units of [`payload::UNIT`].
    held: Arc<Semaphore>,
    /// Places of those who follow the log.
    monitors: Arc<Semaphore>,
    /// Whether no more is taken: who follows the log is let go.
    is_ending: AtomicBool,
    rates: rate::Rates,
    begun: Instant,
    metrics: metrics::Metrics,
}

impl App {
    /// A server of this configuration.
    pub fn new(config: Config) -> Self {
        let places = |n| Arc::new(Semaphore::new(n));
        Self(Arc::new(Inner {
            jobs: places::Places::new(config.limits.jobs),
            files: places::Places::new(config.limits.files),
            held: places(config.limits.held / payload::UNIT),
            monitors: places(monitor::MOST),
            is_ending: AtomicBool::new(false),
            rates: rate::Rates::new(config.limits.rate),
            begun: Instant::now(),
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
        let config = self.config();
        config
            .office
            .as_ref()
            .map_or(&config.origin, Office::origin)
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
