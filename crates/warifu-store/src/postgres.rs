//! PostgreSQL by URL: several servers over one database.
//!
//! A transaction that writes holds a lock of the database for its schema from its first statement on
//! (`pg_advisory_xact_lock`), and each of its statements sees what was committed before it (`READ
//! COMMITTED`): writers take turns as they do in SQLite, in this process and on other machines. A lost
//! connection is made anew where nothing can have happened twice.

use std::cell::{Cell as Flag, RefCell};
use std::collections::BTreeMap;
use std::error::Error as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, SimpleQueryMessage, Statement};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::database::{Cell, Database, Failure, Row, StoreError, Taker};
use crate::private;
use crate::schema::{copy, migrate};
use crate::sqlite::Sqlite;

/// First half of the lock's number (`WARI`); the second is the schema's.
const LOCK: u64 = 0x5741_5249;
/// What a session is told: how long a transaction waits for another one, and when one is given up whose
/// server does nothing more (it is gone, or its machine is), so that it holds up no other.
const SESSION: &str =
    "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'; SET jit = off";
/// How long an address may take to answer.
const CONNECT: Duration = Duration::from_secs(5);
/// How long what was sent may go unanswered by the machine at the other end.
const SILENCE: Duration = Duration::from_secs(15);
/// Statements that are kept prepared.
const PREPARED: usize = 256;
/// Oldest version: what is used of it is there, and it is still cared for.
const OLDEST: u64 = 130_000;

/// A connection to a PostgreSQL database.
pub struct Postgres {
    place: Arc<Place>,
    session: RefCell<Option<Session>>,
    is_inside: Flag<bool>,
    failure: Failure,
}

struct Place {
    config: Config,
    tls: Option<ClientConfig>,
}

struct Session {
    /// Absent only while it is dropped.
    client: Option<Client>,
    statements: BTreeMap<String, Statement>,
    /// Number of the lock.
    lock: u64,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Postgres")
    }
}

impl Drop for Session {
    /// A client waits until it has taken leave, which is not allowed where tasks run: it does so elsewhere.
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let leaving = std::thread::Builder::new().name("leaving".to_owned());
            let _ = leaving.spawn(move || drop(client));
        }
    }
}

fn address(text: impl Into<String>) -> StoreError {
    StoreError::Address(text.into())
}

impl Place {
    /// Reads an address as libpq has them: `postgres://user@host:port/database?sslmode=require`.
    fn read(url: &str) -> Result<Self, StoreError> {
        if !is_url(url) {
            return Err(address("it begins with postgres:// or postgresql://"));
        }
        let (base, query) = url.rsplit_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots) = (None, None);
        let mut rest: Vec<&str> = Vec::new();
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(decoded(value)?),
                _ => rest.push(pair),
            }
        }
        // What the driver says may repeat a part of the address, and so of a password.
        let read: Result<Config, _> = format!("{base}?{}", rest.join("&")).parse();
        let mut config = read.map_err(|_| {
            address("it is not read; one is postgres://user@host:5432/database?sslmode=require")
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(address("it names no host"));
        }
        let by_tls = match mode {
            None => !is_here(&config),
            Some("disable") => false,
            Some("require" | "verify-ca" | "verify-full") => true,
            Some(_) => {
                return Err(address(
                    "sslmode is require (the certificate is always verified) or disable",
                ));
            }
        };
        config.ssl_mode(if by_tls {
            SslMode::Require
        } else {
            SslMode::Disable
        });
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        if config.get_application_name().is_none() {
            config.application_name("warifu");
        }
        config.notice_callback(|_| ());
        let tls = by_tls.then(|| tls(roots.as_deref())).transpose()?;
        Ok(Self { config, tls })
    }

    fn connect(&self) -> Result<Session, StoreError> {
        let client = match &self.tls {
            None => self.config.connect(NoTls),
            Some(tls) => self.config.connect(MakeRustlsConnect::new(tls.clone())),
        };
        let mut client = client.map_err(|e| failed(&e))?;
        client.batch_execute(SESSION).map_err(|e| failed(&e))?;
        let asked =
            "SELECT current_setting('server_encoding'), current_setting('server_version_num'),
            current_setting('synchronous_commit'),
            (SELECT oid FROM pg_namespace WHERE nspname = current_schema())";
        let facts = client.simple_query(asked).map_err(|e| failed(&e))?;
        let facts = facts.iter().find_map(|m| match m {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let facts = facts.ok_or(StoreError::Form("the settings of the database"))?;
        let refused = |why: &str| Err(StoreError::Database(why.to_owned()));
        let number = |n: usize| facts.get(n).and_then(|text| text.parse::<u64>().ok());
        if facts.get(0) != Some("UTF8") {
            return refused("its encoding is not UTF8");
        }
        if number(1).is_none_or(|version| version < OLDEST) {
            return refused("it is older than PostgreSQL 13");
        }
        let Some(schema) = number(3) else {
            return refused("there is no schema of the search path");
        };
        if facts.get(2) == Some("off") {
            // What was acknowledged has to survive a crash.
            let sync = "SET synchronous_commit = on";
            client.batch_execute(sync).map_err(|e| failed(&e))?;
        }
        Ok(Session {
            client: Some(client),
            statements: BTreeMap::new(),
            lock: LOCK << 32 | schema,
        })
    }
}

/// Whether an address is one of a PostgreSQL database.
fn is_url(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// Whether all that is sent stays on this machine.
fn is_here(config: &Config) -> bool {
    let host = |host: &Host| match host {
        Host::Tcp(name) => {
            let address: Option<IpAddr> = name.parse().ok();
            name == "localhost" || address.is_some_and(|a| a.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    let addresses = config.get_hostaddrs();
    addresses.iter().all(IpAddr::is_loopback)
        && (!addresses.is_empty() || config.get_hosts().iter().all(host))
}

/// A value of a URL's query, its escapes undone.
fn decoded(text: &str) -> Result<PathBuf, StoreError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let mut digit = || char::from(rest.next().unwrap_or(b'-')).to_digit(16);
            let value = digit().and_then(|high| Some(high * 16 + digit()?));
            let value = value.and_then(|v| u8::try_from(v).ok());
            value.ok_or_else(|| address("an escape in sslrootcert is none"))?
        } else {
            byte
        });
    }
    let path = String::from_utf8(bytes).map_err(|_| address("sslrootcert is not UTF-8"))?;
    Ok(PathBuf::from(path))
}

/// TLS that believes the certificates of a file, or those that this machine believes.
fn tls(roots: Option<&Path>) -> Result<ClientConfig, StoreError> {
    let failed = |e: rustls::Error| address(format!("TLS: {e}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let mut config = match roots {
        None => builder.with_platform_verifier().map_err(failed)?,
        Some(path) => {
            let unread = |_| address("the file of sslrootcert has no certificates that are read");
            let mut store = RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(path).map_err(unread)? {
                let certificate = certificate.map_err(unread)?;
                store.add(certificate).map_err(failed)?;
            }
            builder.with_root_certificates(store)
        }
    }
    .with_no_client_auth();
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(config)
}

/// The driver's errors without statements and values: what stands in their texts is not for a log.
fn failed(error: &postgres::Error) -> StoreError {
    let Some(code) = error.code() else {
        // The driver has no other word for it; behind it stands what is wrong with the certificate.
        return if error
            .to_string()
            .starts_with("error performing TLS handshake")
        {
            let why = error.source().map(ToString::to_string);
            address(format!("TLS: {}", why.unwrap_or_default()))
        } else if is_lost(error) {
            StoreError::Down
        } else {
            StoreError::Form("an answer of the database")
        };
    };
    if *code == SqlState::UNIQUE_VIOLATION {
        StoreError::Exists
    } else if *code == SqlState::DISK_FULL {
        StoreError::Full
    } else if [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::QUERY_CANCELED,
        SqlState::TOO_MANY_CONNECTIONS,
    ]
    .contains(code)
    {
        StoreError::Busy
    } else if is_lost(error) {
        StoreError::Down
    } else {
        StoreError::Database(format!("SQLSTATE {}", code.code()))
    }
}

/// Whether the connection ended with it, or was none: the database is stopped, starts, or cannot be reached.
fn is_lost(error: &postgres::Error) -> bool {
    let Some(code) = error.code() else {
        let io = |e: &(dyn std::error::Error + 'static)| e.is::<std::io::Error>();
        return error.is_closed() || error.source().is_none_or(io);
    };
    // Classes: operator intervention, connection exception, a transaction that waited for its server.
    ["57P0", "08", "25P03"]
        .iter()
        .any(|class| code.code().starts_with(class))
}

/// What the SQL of this crate is to PostgreSQL.
fn dialect(sql: &str) -> String {
    let mut text = sql.replace('?', "$");
    if text.starts_with("CREATE TABLE") {
        // Sorted by its bytes, whatever the language of the database is.
        text = text.replace(" BYTES", " BYTEA");
        text = text.replace(" TEXT", " TEXT COLLATE \"C\"");
    }
    text
}

impl ToSql for Cell {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(n) => n.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    /// The value is looked at when it is written.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Whether a value can stand where a column has a type.
fn fits(cell: &Cell, kind: &Type) -> bool {
    match cell {
        Cell::Null => true,
        Cell::Int(_) => *kind == Type::INT8,
        Cell::Text(text) => *kind == Type::TEXT && !text.contains('\0'),
        Cell::Bytes(_) => *kind == Type::BYTEA,
    }
}

fn row(row: &postgres::Row) -> Result<Row, StoreError> {
    let mut cells = Vec::with_capacity(row.len());
    for (n, column) in row.columns().iter().enumerate() {
        let form = |_| StoreError::Form("a column");
        let kind = column.type_();
        cells.push(if *kind == Type::INT8 {
            let value: Option<i64> = row.try_get(n).map_err(form)?;
            value.map_or(Cell::Null, Cell::Int)
        } else if *kind == Type::TEXT {
            let value: Option<String> = row.try_get(n).map_err(form)?;
            value.map_or(Cell::Null, Cell::Text)
        } else if *kind == Type::BYTEA {
            let value: Option<Vec<u8>> = row.try_get(n).map_err(form)?;
            value.map_or(Cell::Null, Cell::Bytes)
        } else {
            return Err(StoreError::Form("a column of another type"));
        });
    }
    Ok(Row(cells))
}

/// Why a statement did not work, and whether the connection is gone.
struct Broken {
    error: StoreError,
    is_lost: bool,
}

impl From<postgres::Error> for Broken {
    fn from(e: postgres::Error) -> Self {
        Self {
            error: failed(&e),
            is_lost: is_lost(&e),
        }
    }
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self {
            error,
            is_lost: false,
        }
    }
}

impl Session {
    fn client(&mut self) -> Result<&mut Client, Broken> {
        Ok(self.client.as_mut().ok_or(StoreError::Down)?)
    }

    fn prepared(&mut self, sql: &str, values: &[Cell]) -> Result<Statement, Broken> {
        let known = self.statements.get(sql).cloned();
        let statement = if let Some(statement) = known {
            statement
        } else {
            let statement = self.client()?.prepare(&dialect(sql))?;
            if self.statements.len() >= PREPARED {
                self.statements.clear();
            }
            self.statements.insert(sql.to_owned(), statement.clone());
            statement
        };
        let kinds = statement.params();
        let sound =
            kinds.len() == values.len() && values.iter().zip(kinds).all(|(c, k)| fits(c, k));
        if sound {
            Ok(statement)
        } else {
            Err(StoreError::Form("a value of a statement").into())
        }
    }

    fn run(&mut self, sql: &str, values: &[Cell]) -> Result<u64, Broken> {
        let statement = self.prepared(sql, values)?;
        let mut all: Vec<&(dyn ToSql + Sync)> = Vec::with_capacity(values.len());
        for value in values {
            all.push(value);
        }
        Ok(self.client()?.execute(&statement, &all)?)
    }

    fn each(&mut self, sql: &str, values: &[Cell], take: Taker<'_>) -> Result<(), Broken> {
        let statement = self.prepared(sql, values)?;
        let mut rows = self.client()?.query_raw(&statement, values)?;
        while let Some(one) = rows.next()? {
            take(row(&one)?)?;
        }
        Ok(())
    }

    fn tell(&mut self, sql: &str) -> Result<(), Broken> {
        Ok(self.client()?.batch_execute(sql)?)
    }
}

impl Postgres {
    /// Connects to the database of an address as libpq has them, such as
    /// `postgres://user@host:5432/database?sslmode=require`.
    ///
    /// `sslmode` is `require` (the certificate and its name are verified, against `sslrootcert` or what this
    /// machine believes) or `disable`; without it, TLS is required of every host but this machine.
    ///
    /// # Errors
    /// [`StoreError`]: it is no such address, cannot be reached, or is older than PostgreSQL 13 or not UTF-8.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::over(Arc::new(Place::read(url)?))
    }

    fn over(place: Arc<Place>) -> Result<Self, StoreError> {
        let session = place.connect()?;
        Ok(Self {
            place,
            session: RefCell::new(Some(session)),
            is_inside: Flag::new(false),
            failure: Failure::default(),
        })
    }

    /// Does something with the session. A session that was lost is made anew: before it, where there is none,
    /// and `again` also when that shows only now. Within a transaction it is never made anew.
    fn with<T>(
        &self,
        again: bool,
        part: &mut dyn FnMut(&mut Session) -> Result<T, Broken>,
    ) -> Result<T, StoreError> {
        let busy = |_| StoreError::Form("a connection that is used twice at once");
        let mut kept = self.session.try_borrow_mut().map_err(busy)?;
        let mut tries = 0;
        loop {
            let session = match &mut *kept {
                Some(session) => session,
                None if self.is_inside.get() => return Err(StoreError::Down),
                none => none.insert(self.place.connect()?),
            };
            let broken = match part(session) {
                Ok(done) => return Ok(done),
                Err(broken) => broken,
            };
            if broken.is_lost {
                *kept = None;
            }
            if !(broken.is_lost && again && tries == 0 && !self.is_inside.get()) {
                return Err(broken.error);
            }
            tries += 1;
        }
    }
}

impl Database for Postgres {
    fn run(&self, sql: &str, values: &[Cell]) -> Result<u64, StoreError> {
        let done = self.with(false, &mut |session| session.run(sql, values));
        self.failure.of(done)
    }

    fn each(&self, sql: &str, values: &[Cell], take: Taker<'_>) -> Result<(), StoreError> {
        let taken = Flag::new(false);
        let done = self.with(true, &mut |session| {
            if taken.get() {
                // Nobody gets a row twice.
                return Err(StoreError::Down.into());
            }
            session.each(sql, values, &mut |row| {
                taken.set(true);
                take(row)
            })
        });
        self.failure.of(done)
    }

    fn begin(&self) -> Result<(), StoreError> {
        let begun = self.with(true, &mut |session| {
            let lock = session.lock;
            session.tell(&format!(
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock({lock})"
            ))
        });
        if let Err(error) = begun {
            // It may have begun, and waited in vain.
            self.rollback();
            return Err(error);
        }
        self.is_inside.set(true);
        self.failure.taken();
        Ok(())
    }

    fn commit(&self) -> Result<(), StoreError> {
        if let Some(error) = self.failure.taken() {
            self.rollback();
            return Err(error);
        }
        let is_lost = self.session.try_borrow().is_ok_and(|kept| kept.is_none());
        let done = self.with(false, &mut |session| session.tell("COMMIT"));
        self.is_inside.set(false);
        // What became of it is known to the other end alone.
        done.map_err(|e| match e {
            StoreError::Down if !is_lost => StoreError::Unsure,
            e => e,
        })
    }

    fn rollback(&self) {
        let Ok(mut kept) = self.session.try_borrow_mut() else {
            return;
        };
        let undone = kept
            .as_mut()
            .map(|session| session.tell("ROLLBACK").is_ok());
        if undone == Some(false) {
            // Without its session it is undone, too.
            *kept = None;
        }
        self.is_inside.set(false);
    }

    fn failure(&self) -> Option<StoreError> {
        self.failure.taken()
    }

    fn another(&self) -> Result<Box<dyn Database>, StoreError> {
        Ok(Box::new(Self::over(Arc::clone(&self.place))?))
    }

    /// The copy is a database of SQLite, as the backup of one is.
    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let from = Self::over(Arc::clone(&self.place))?;
        // All tables as they are at one instant.
        let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        from.with(false, &mut |session| session.tell(sql))?;
        from.is_inside.set(true);
        let made = private::create(to).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::Exists,
            kind => StoreError::Database(kind.to_string()),
        })?;
        let copied = copied_to(&from, to).and_then(|()| {
            let synced = made.sync_all();
            synced.map_err(|e| StoreError::Database(e.kind().to_string()))
        });
        if copied.is_err() {
            for end in ["", "-wal", "-shm"] {
                let mut path = to.as_os_str().to_owned();
                path.push(end);
                let _ = std::fs::remove_file(path);
            }
        }
        copied
    }
}

fn copied_to(from: &Postgres, to: &Path) -> Result<(), StoreError> {
    let db = Sqlite::open(to)?;
    migrate(&db)?;
    copy(from, &db)?;
    db.query("PRAGMA journal_mode = DELETE", &[]).map(|_| ())
}
