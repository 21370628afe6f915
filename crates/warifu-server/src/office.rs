//! The consent office: what the store keeps, seen as `warifu-consent` and `warifu-log` want it.
//!
//! One transaction writes at a time. It takes in what other processes appended to the log, does its
//! part, and is committed together with the lines that tell of it: nothing is in force that is not
//! logged, and nothing is logged that did not happen.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail};
use warifu_consent::json::{self, Value, object};
use warifu_consent::{
    Annex, Binding, Desk, Kept, KeyEntry, KeyRing, KeyState, Ledger, Master, Moment, Notice,
    Opened, Parent, Policy, PublicKey, REFERENCE, Reason, SecretKey, Signer, SignerClass, State,
    StatusNow, Target, Typ, Witness, b64, hash, open, state_of, wire,
};
use warifu_log::{
    Appended, Chain, Entry, Kind, Log, NoteKey, Pin, Purpose, Storage as _, Submission, Trust,
};
use warifu_store::{
    Cell, DataKey, Database, KeyFile, LineStore, Postgres, Row, Sealer, Sqlite, StoreError, Vault,
    clear, copy, migrate, private,
};
use zeroize::Zeroizing;

use crate::problem::{Code, Problem};

/// Entries of a status list; a power of two.
pub(crate) const ENTRIES: u64 = 131_072;
/// How long a nonce may be used, in seconds (consent.md §6.1, step 15).
pub(crate) const NONCE: u64 = 900;

/// Lines read at once when the whole log is gone through.
const AT_ONCE: usize = 1_024;

/// The log, with what it told of persons: both are of the same lines, and are given up together.
pub(crate) struct Book {
    log: Log<LineStore>,
    heard: RefCell<Heard>,
}

impl Book {
    /// What the log tells of a person's wishes. Lines are only ever added, so of those that were read
    /// before none is read again; whoever wrote the new ones, the log has taken them in when a transaction
    /// begins.
    fn witness(&self, sub: &str) -> Result<Witness, Problem> {
        let mut heard = self.heard.borrow_mut();
        let (known, mut witness) = match heard.take(sub) {
            Some((line, witness)) => (Some(line), witness),
            None => (None, Witness::default()),
        };
        let history = self
            .log
            .history_after(sub, known)
            .map_err(|e| Problem::from(Code::Store).because(format!("log: {e}")))?;
        for (_, own) in &history {
            hear(&mut witness, &own.line)?;
        }
        if let Some(last) = history.last().map(|(index, _)| *index).or(known) {
            heard.put(sub, last, &witness);
        }
        Ok(witness)
    }
}

impl Deref for Book {
    type Target = Log<LineStore>;

    fn deref(&self) -> &Self::Target {
        &self.log
    }
}

impl DerefMut for Book {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.log
    }
}

/// Persons and wishes of which is remembered what the log told, and as many that were asked for before them.
const REMEMBERED: usize = 32_768;

/// What the log told of persons, by pseudonym: up to which line, and the hashes of their wishes. Those who
/// were not asked for lately are forgotten.
#[derive(Default)]
struct Heard {
    lately: BTreeMap<String, (u64, Witness)>,
    /// Persons and hashes in `lately`.
    weight: usize,
    before: BTreeMap<String, (u64, Witness)>,
}

impl Heard {
    fn take(&mut self, sub: &str) -> Option<(u64, Witness)> {
        let found = self.lately.remove(sub);
        if let Some((_, witness)) = &found {
            self.weight = self.weight.saturating_sub(1 + witness.lines());
        }
        found.or_else(|| self.before.remove(sub))
    }

    fn put(&mut self, sub: &str, line: u64, witness: &Witness) {
        if self.weight >= REMEMBERED {
            self.before = core::mem::take(&mut self.lately);
            self.weight = 0;
        }
        self.weight += 1 + witness.lines();
        self.lately.insert(sub.to_owned(), (line, witness.clone()));
    }
}

/// Signs notes of the log.
pub(crate) struct NoteSigner<'k>(pub(crate) &'k SecretKey);

impl warifu_log::Signer for NoteSigner<'_> {
    fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        Signer::sign(self.0, message).ok()
    }
}

/// What a folder of data is made with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `mi:` and the 10 digits of the institution whose records are kept.
    pub institution: String,
    /// Its names and the contact that receipts tell.
    pub names: [String; 2],
    /// Where patients ask.
    pub contact: String,
    /// Name of the log, such as `c.example.jp/consent-log`.
    pub log: String,
    /// Address of the status lists, without their number.
    pub lists: String,
    /// Keys of witnesses, as C2SP writes them.
    pub witnesses: Vec<String>,
    /// How many of them must have signed a checkpoint.
    pub quorum: usize,
}

/// What the key of an institution may beside asking.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rights {
    /// Whether it is an emergency facility.
    pub emergency: bool,
    /// Whether it sends records of its patients.
    pub sends: bool,
    /// Thumbprint of the certificate without which it is not taken.
    pub certificate: Option<String>,
}

/// Seconds UTC; a test brings its own.
pub type Clock = Box<dyn Fn() -> u64 + Send + Sync>;

struct Core {
    db: Box<dyn Database>,
    /// Absent until its first use, and after a transaction that failed with lines in it.
    book: Option<Book>,
}

/// The office.
pub struct Office {
    folder: PathBuf,
    pub(crate) institution: String,
    pub(crate) log_name: String,
    pub(crate) lists: String,
    /// Witnesses of the log, and how many of them must have signed a checkpoint before anybody is shown it.
    pub(crate) witnesses: Vec<NoteKey>,
    pub(crate) quorum: usize,
    pub(crate) policy: Policy,
    pub(crate) policy_bytes: Vec<u8>,
    pub(crate) master: Master,
    pub(crate) master_bytes: Vec<u8>,
    pub(crate) secrets: BTreeMap<&'static str, SecretKey>,
    holder: Zeroizing<Vec<u8>>,
    vault: Box<dyn Vault>,
    clock: Clock,
    core: Mutex<Core>,
    /// The checkpoint that is kept apart from the database.
    kept: Mutex<Option<String>>,
    /// The last attempt to write failed: the disk is full, or the database away.
    unwritable: AtomicBool,
}

/// Name of the database in the folder of data.
const DATABASE: &str = "warifu.db";
/// Files that SQLite keeps beside it.
const BESIDE: [&str; 2] = ["warifu.db-wal", "warifu.db-shm"];
/// Name of the file in `secret/` that has the address of another database.
const ADDRESS: &str = "database.url";
/// What the address of the status lists has behind the origin.
const LISTS: &str = "/api/status";

/// Members of a policy that institutions write in themselves.
const SITE: [&str; 3] = ["certified", "statutes", "studies"];

/// What codes of certified bodies begin with.
const CERTIFIED: &str = "cert:";

const KEYS: [(&str, Option<SignerClass>); 5] = [
    ("server", Some(SignerClass::Server)),
    ("authority", Some(SignerClass::Authority)),
    ("registry", Some(SignerClass::Registry)),
    ("status", Some(SignerClass::Status)),
    ("log", None),
];

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Problem::internal("no random bytes"))?;
    Ok(bytes)
}

/// A fresh id of 16 random bytes.
pub(crate) fn fresh_id() -> Result<String, Problem> {
    Ok(b64::encode(&random::<16>()?))
}

fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    private::write(path, bytes).with_context(|| path.display().to_string())
}

/// Makes a folder of data: keys, policy, master, settings. It must be absent or empty.
///
/// # Errors
/// The folder holds something, or cannot be written.
pub fn make(folder: &Path, settings: &Settings) -> anyhow::Result<()> {
    if folder.exists() && std::fs::read_dir(folder)?.next().is_some() {
        bail!("{} is not empty", folder.display());
    }
    let digits = settings.institution.strip_prefix("mi:").unwrap_or_default();
    if digits.len() != 10 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        bail!("an institution is mi: and 10 digits");
    }
    let Some(origin) = settings.lists.strip_suffix(LISTS) else {
        bail!("the address of the status lists ends with {LISTS}");
    };
    checked_origin(origin)?;
    let witnesses = witnesses(settings);
    crate::witness::named(&witnesses)?;
    private::folder(folder)?;
    let secret = folder.join("secret");
    private::folder(&secret)?;
    for (name, _) in KEYS {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).context("random bytes")?;
        let key = SecretKey::from_seed(&mut seed);
        write_private(&secret.join(format!("{name}.pem")), key.to_pem().as_bytes())?;
    }
    for name in ["holder.key", "data.key"] {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key).context("random bytes")?;
        write_private(&secret.join(name), &*key)?;
    }
    std::fs::write(folder.join("policy.json"), REFERENCE)?;
    let facility = object([
        ("code", settings.institution.as_str().into()),
        ("ja", settings.names[0].as_str().into()),
        ("en", settings.names[1].as_str().into()),
    ]);
    let master = object([
        ("v", 1.into()),
        ("version", 1.into()),
        ("contact", settings.contact.as_str().into()),
        ("facilities", Value::Array(vec![facility])),
    ]);
    std::fs::write(folder.join("master.json"), master.write() + "\n")?;
    // Last: a folder without it was not finished.
    let mut all = object([
        ("v", 1.into()),
        ("institution", settings.institution.as_str().into()),
        ("log", settings.log.as_str().into()),
        ("lists", settings.lists.as_str().into()),
    ]);
    if let (Value::Object(all), Value::Object(own)) = (&mut all, witnesses) {
        all.extend(own);
    }
    std::fs::write(folder.join("server.json"), all.write() + "\n")?;
    Ok(())
}

/// What the settings say of witnesses; nothing where there are none.
fn witnesses(settings: &Settings) -> Value {
    if settings.witnesses.is_empty() && settings.quorum == 0 {
        return object([]);
    }
    let quorum = u64::try_from(settings.quorum).unwrap_or(u64::MAX);
    object([
        ("witnesses", settings.witnesses.clone().into()),
        ("quorum", quorum.into()),
    ])
}

/// Keeps the address of a PostgreSQL database in a folder of data that was just made, for its owner alone: an
/// address may have a password.
///
/// # Errors
/// It cannot be reached, or the folder has a database.
pub fn keep_database(folder: &Path, url: &str) -> anyhow::Result<()> {
    Postgres::open(url)?;
    if folder.join(DATABASE).exists() {
        bail!("{} has a database of its own", folder.display());
    }
    let path = folder.join("secret").join(ADDRESS);
    write_private(&path, format!("{url}\n").as_bytes())
}

/// The database of a folder of data: the one at `url`, else the one whose address the folder keeps, else the
/// folder's own.
fn database(folder: &Path, url: Option<&str>) -> anyhow::Result<Box<dyn Database>> {
    let kept = folder.join("secret").join(ADDRESS);
    let kept = if url.is_none() && kept.exists() {
        Some(read_private(&kept)?)
    } else {
        None
    };
    let kept = kept.as_ref().map(|bytes| core::str::from_utf8(bytes));
    let kept = kept.transpose().context(ADDRESS)?;
    let own = folder.join(DATABASE);
    match url.or(kept) {
        None => Ok(Box::new(Sqlite::open(&own)?)),
        // Whichever was meant, the other one would be forgotten.
        Some(_) if own.exists() => bail!(
            "{} is there, and the address of another database is given. Move it away first; warifu serve restore puts a backup of it there",
            own.display()
        ),
        Some(url) => Ok(Box::new(Postgres::open(url.trim())?)),
    }
}

fn read_private(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let shown = path.display();
    match private::read(path) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => bail!("others can read {shown}. Run: chmod 600 {shown}"),
        Err(e) => Err(e).with_context(|| shown.to_string()),
    }
}

/// Scheme, host and port as a browser names them in `Origin`; what nobody could send is none.
///
/// # Errors
/// The address as it is; it has another form, names all addresses of the machine, or no port.
pub(crate) fn checked_origin(text: &str) -> anyhow::Result<&str> {
    let read = || {
        let (scheme, rest) = text.split_once("://")?;
        let usual = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let authority: axum::http::uri::Authority = rest.parse().ok()?;
        let host = authority.host();
        let any = ["0.0.0.0", "[::]"].contains(&host);
        let plain = host.bytes().all(|b| !b.is_ascii_uppercase()) && !rest.contains(['@', '/']);
        let port = match rest.strip_prefix(host)?.split_once(':') {
            // A browser leaves out the port that the scheme has.
            Some(("", port)) => port.parse().is_ok_and(|n: u16| n != 0 && n != usual),
            Some(_) => false,
            None => rest.len() == host.len(),
        };
        (!host.is_empty() && plain && port && !any).then_some(text)
    };
    read().with_context(|| {
        format!("{text} is no origin: scheme, host and port as a browser names them, such as https://c.example.jp")
    })
}

impl Office {
    /// Opens a folder of data: migrates its database and verifies its log whole.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn open(folder: &Path, clock: Clock) -> anyhow::Result<Self> {
        Self::open_over(folder, None, clock)
    }

    /// The same over the database of an address (`postgres://…`), where there is one.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn open_over(folder: &Path, url: Option<&str>, clock: Clock) -> anyhow::Result<Self> {
        if !private::is_private(folder)? {
            let shown = folder.display();
            bail!("others can look into {shown}. Run: chmod 700 {shown}");
        }
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).with_context(|| path.display().to_string())
        };
        let settings = json::read(read("server.json")?.trim_ascii(), 2)
            .map_err(|_| anyhow::anyhow!("server.json is not JSON"))?;
        let text = |name: &str| {
            let found = settings.get(name).and_then(Value::text);
            found
                .map(str::to_owned)
                .context(format!("server.json: {name}"))
        };
        let policy_bytes = read("policy.json")?;
        let policy = Policy::read(&policy_bytes).map_err(|e| {
            anyhow::anyhow!(
                "policy.json: {e}: this version of warifu does not read it. Bring it up to date: warifu serve policy-update --data {}",
                folder.display()
            )
        })?;
        let master_bytes = read("master.json")?.trim_ascii().to_vec();
        let master = Master::read(&master_bytes).context("master.json")?;
        let secret = folder.join("secret");
        let mut secrets = BTreeMap::new();
        for (name, _) in KEYS {
            let pem = read_private(&secret.join(format!("{name}.pem")))?;
            let pem = core::str::from_utf8(&pem).unwrap_or_default();
            let key = SecretKey::from_pem(pem);
            secrets.insert(name, key.map_err(|e| anyhow::anyhow!("{name}.pem: {e}"))?);
        }
        let lists = text("lists")?;
        let Some(origin) = lists.strip_suffix(LISTS) else {
            bail!("server.json: lists: it ends with {LISTS}");
        };
        checked_origin(origin).context("server.json: lists")?;
        let (witnesses, quorum) = crate::witness::named(&settings)?;
        let db = database(folder, url)?;
        migrate(&*db)?;
        let office = Self {
            folder: folder.to_owned(),
            institution: text("institution")?,
            log_name: text("log")?,
            lists,
            witnesses,
            quorum,
            policy,
            policy_bytes,
            master,
            master_bytes,
            holder: read_private(&secret.join("holder.key"))?,
            vault: Box::new(KeyFile::read(&secret.join("data.key"))?),
            secrets,
            clock,
            core: Mutex::new(Core { db, book: None }),
            kept: Mutex::default(),
            unwritable: AtomicBool::new(false),
        };
        // Before anything is signed: a witness that is the log itself is none.
        office.witnesses_trusted()?;
        // Whatever was published has to be there still (docs/log.md).
        let pins = office.pinned()?;
        let book = office.book(&pins)?;
        let mut core = office.core.lock().unwrap_or_else(PoisonError::into_inner);
        core.book = Some(book);
        drop(core);
        // While nobody else writes: log and tokens are of one instant.
        let witnessed = office.write(|tx| {
            let rows = tx.view.db.query("SELECT sub FROM subjects LIMIT 1", &[])?;
            if let Some(sub) = rows.first().and_then(|r| r.text(0)) {
                // With the key of another folder nothing of it could be read.
                tx.view.sealer(sub)?;
            }
            tx.view.witnessed(tx.book)?;
            crate::review::catch_up(tx)
        });
        witnessed.map_err(|p| anyhow::anyhow!("{p}"))?;
        for (name, class) in KEYS {
            let Some(class) = class else { continue };
            let public = office.key(name)?.public();
            let written = office.write(|tx| {
                tx.register(class, &public, None, &Rights::default())?;
                Ok(())
            });
            written.map_err(|p| anyhow::anyhow!("{p}"))?;
        }
        Ok(office)
    }

    /// Logs the policy and the master as those in force, where others were before. A server does so before
    /// it uses them: a browser refuses others than those that everybody sees (consent.md §13).
    ///
    /// # Errors
    /// The store; `VERSION_CHANGED` where the policy says other than before under the same number.
    pub fn announce(&self) -> Result<(), Problem> {
        let files = [
            ("policy", &self.policy_bytes),
            ("master", &self.master_bytes),
        ];
        self.write(|tx| {
            tx.same_policy(&hash::sha256_text(&[&self.policy_bytes]))?;
            for (what, bytes) in files {
                tx.in_force(what, &hash::sha256_text(&[bytes]))?;
            }
            Ok(())
        })
    }

    /// Brings the policy of a folder of data to that of this program, under the next number; gives that number,
    /// or nothing where it was up to date. What the institution writes in itself stays: certified bodies, studies
    /// and statutes. The file that was there is kept beside it; the server's next start logs the new one.
    ///
    /// # Errors
    /// The file is no policy at all, or the folder does not open with the new one: then nothing was changed.
    pub fn update_policy(
        folder: &Path,
        url: Option<&str>,
        clock: Clock,
    ) -> anyhow::Result<Option<u64>> {
        let path = folder.join("policy.json");
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        let read = |bytes: &[u8]| {
            json::read(bytes.trim_ascii(), 8)
                .map_err(|_| anyhow::anyhow!("policy.json is no policy"))
        };
        let (old, mut new) = (read(&bytes)?, read(REFERENCE.as_bytes())?);
        let number = |policy: &Value| policy.get("version").and_then(Value::int);
        let before = number(&old).context("policy.json: version")?;
        let newest = number(&new).unwrap_or(1);
        for name in SITE {
            if let Some(own) = old.get(name) {
                crate::consent::set(&mut new, name, own.clone());
            }
        }
        crate::consent::set(&mut new, "version", before);
        if new == old {
            return Ok(None);
        }
        let version = newest.max(before.saturating_add(1));
        crate::consent::set(&mut new, "version", version);
        let text = new.write() + "\n";
        Policy::read(text.as_bytes()).map_err(|e| anyhow::anyhow!("policy.json: {e}"))?;
        let hash = hash::sha256_text(&[&bytes]);
        let kept = folder.join(format!(
            "policy-{before}-{}.json",
            hash.get(..8).unwrap_or("")
        ));
        let fresh = folder.join("policy.new");
        std::fs::write(&fresh, text.as_bytes())?;
        // A policy is there at every moment.
        std::fs::copy(&path, &kept)?;
        let opened = std::fs::rename(&fresh, &path)
            .context("policy.json")
            .and_then(|()| Self::open_over(folder, url, clock));
        if let Err(e) = opened {
            std::fs::rename(&kept, &path)?;
            return Err(e);
        }
        Ok(Some(version))
    }

    /// Keys of institutions that are registered and in use.
    ///
    /// # Errors
    /// The store.
    pub fn institutions(&self) -> Result<u64, Problem> {
        self.read(|view| {
            let sql = "SELECT COUNT(*) FROM keys WHERE class = 'institution' AND state = 'active'";
            let rows = view.db.query(sql, &[])?;
            Ok(rows.first().and_then(|r| r.int(0)).unwrap_or(0))
        })
    }

    /// Whether the master names an institution: nobody is asked for one that it does not.
    pub fn names(&self, code: &str) -> bool {
        self.master.has(code)
    }

    fn pinned(&self) -> anyhow::Result<Vec<Pin>> {
        let path = self.folder.join("checkpoint");
        let note = match std::fs::read(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.with_context(|| path.display().to_string())?,
        };
        let checkpoint = self.trust()?.verify(&note)?;
        Ok(vec![Pin {
            size: checkpoint.size,
            root: checkpoint.root,
        }])
    }

    fn book(&self, pins: &[Pin]) -> anyhow::Result<Book> {
        let another = {
            let core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
            core.db.another()?
        };
        Ok(opened(another, self.trust()?, pins)?)
    }

    pub(crate) fn log_key(&self) -> anyhow::Result<NoteKey> {
        let public = self.key("log")?.public().to_bytes();
        Ok(NoteKey::new(&self.log_name, Purpose::Note, &public)?)
    }

    fn trust(&self) -> anyhow::Result<Trust> {
        Ok(Trust::new(self.log_key()?, Vec::new(), 0)?)
    }

    /// What wraps the keys of data.
    pub(crate) fn vault(&self) -> &dyn Vault {
        &*self.vault
    }

    /// Whom those trust who look at the log from outside.
    pub(crate) fn witnesses_trusted(&self) -> anyhow::Result<Trust> {
        let named = self.witnesses.clone();
        Trust::new(self.log_key()?, named, self.quorum).context("server.json: witnesses")
    }

    /// The same before enough of them signed.
    pub(crate) fn witnesses_known(&self) -> anyhow::Result<Trust> {
        Ok(Trust::new(self.log_key()?, self.witnesses.clone(), 0)?)
    }

    /// A key of the office by name.
    pub(crate) fn key(&self, name: &str) -> anyhow::Result<&SecretKey> {
        self.secrets.get(name).context("a key of the office")
    }

    pub(crate) fn signer(&self, name: &str) -> Result<&SecretKey, Problem> {
        self.key(name).map_err(|e| Problem::internal(e.to_string()))
    }

    /// Scheme, host and port as the status lists name them: those of every address here.
    pub fn origin(&self) -> &str {
        self.lists.strip_suffix(LISTS).unwrap_or(&self.lists)
    }

    /// Code of the institution that keeps the office.
    pub fn institution(&self) -> &str {
        &self.institution
    }

    /// Seconds UTC.
    pub fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Pseudonym of a patient number of this institution.
    ///
    /// # Errors
    /// None is known.
    pub fn pseudonym(&self, patient: &str) -> Result<String, Problem> {
        self.pseudonym_at(&self.institution, patient)
    }

    /// Pseudonym of a patient number of an institution.
    ///
    /// # Errors
    /// None is known.
    pub fn pseudonym_at(&self, institution: &str, patient: &str) -> Result<String, Problem> {
        let found = hash::pseudonym(&self.holder, institution, patient);
        found.ok_or_else(|| Problem::internal("pseudonym"))
    }

    /// A keyed hash for codes and birth dates, which are short enough to be guessed.
    pub(crate) fn guarded(&self, parts: &[&str]) -> Result<String, Problem> {
        let bytes: Vec<&[u8]> = parts.iter().map(|p| p.as_bytes()).collect();
        let tag = hash::hmac(&self.holder, &bytes).ok_or_else(|| Problem::internal("hmac"))?;
        Ok(b64::encode(&tag))
    }

    /// Reads, each statement for itself.
    pub(crate) fn read<T>(
        &self,
        part: impl FnOnce(&View<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        self.view(&*core.db, part)
    }

    /// Whatever a part makes of a store that failed, it counts for nothing.
    fn view<T>(
        &self,
        db: &dyn Database,
        part: impl FnOnce(&View<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        db.failure();
        let done = part(&View {
            db,
            office: self,
            now: self.now(),
            session: None,
        });
        match db.failure() {
            Some(error) => Err(error.into()),
            None => done,
        }
    }

    /// Reads the log too, after taking in what others appended.
    pub(crate) fn read_log<T>(
        &self,
        part: impl FnOnce(&View<'_>, &mut Book) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        let Core { db, book } = &mut *core;
        let book = self.current(&**db, book)?;
        self.view(&**db, |view| part(view, book))
    }

    fn current<'b>(
        &self,
        db: &dyn Database,
        book: &'b mut Option<Book>,
    ) -> Result<&'b mut Book, Problem> {
        let failed = |e: String| Problem::internal(format!("log: {e}"));
        if let Some(open) = book {
            if let Err(e) = open.refresh() {
                if !open.is_whole() {
                    *book = None;
                }
                return Err(e.into());
            }
        } else {
            let trust = self.trust().map_err(|e| failed(e.to_string()))?;
            let pins = self.pinned().map_err(|e| failed(e.to_string()))?;
            *book = Some(opened(db.another()?, trust, &pins)?);
        }
        book.as_mut().ok_or_else(|| failed("gone".to_owned()))
    }

    /// Runs a part in one transaction that writes. When it returns, all of it survives a crash; where it
    /// fails or panics, nothing of it was done.
    pub(crate) fn write<T>(
        &self,
        part: impl FnOnce(&mut Tx<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let done = self.written(part);
        let failed = |p: &Problem| {
            [Code::Store, Code::Unsure]
                .map(Code::wire)
                .contains(&p.code())
        };
        // What was refused for another reason wrote nothing, and says nothing of the disk.
        match &done {
            Ok(_) => self.unwritable.store(false, Ordering::Relaxed),
            Err(p) if failed(p) => self.unwritable.store(true, Ordering::Relaxed),
            Err(_) => {}
        }
        done
    }

    /// Whether the log can be read and, where the last attempt to write failed, written again.
    ///
    /// # Errors
    /// The store.
    pub(crate) fn ready(&self) -> Result<(), Problem> {
        self.read_log(|_, _| Ok(()))?;
        if !self.unwritable.load(Ordering::Relaxed) {
            return Ok(());
        }
        let id = fresh_id()?;
        self.write(|tx| tx.once("ready", &id, tx.view.now).map(drop))
    }

    fn written<T>(
        &self,
        part: impl FnOnce(&mut Tx<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        let Core { db, book } = &mut *core;
        let db = &**db;
        db.begin()?;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let current = self.current(db, book)?;
            let pending = current.storage().pending();
            let view = View {
                db,
                office: self,
                now: self.now(),
                session: None,
            };
            let mut tx = Tx {
                view,
                book: current,
            };
            let done = part(&mut tx);
            // Whatever the part made of a store that failed, it counts for nothing.
            if let Some(error) = db.failure() {
                return Err(error.into());
            }
            let done = done?;
            pending.write(db)?;
            Ok((done, pending))
        }));
        let outcome = outcome.unwrap_or_else(|_| {
            // Wherever it was: what is in memory is not to be trusted.
            *book = None;
            Err(Problem::internal("a transaction panicked"))
        });
        let done = match outcome {
            Ok((done, pending)) => match db.commit() {
                Ok(()) => {
                    pending.clear();
                    if let Some(open) = book
                        && open.sync().is_err()
                    {
                        *book = None;
                    }
                    return Ok(done);
                }
                Err(e) => Err(Problem::from(e)),
            },
            Err(e) => Err(e),
        };
        db.rollback();
        let ahead = |book: &Book| !book.storage().pending().is_empty();
        if book.as_ref().is_some_and(ahead) {
            // The log in memory has what the store may not have.
            *book = None;
        }
        done
    }

    /// Signs a checkpoint over all lines when one is due, or at once. Keeps a copy of the newest one apart,
    /// whichever server signed it.
    ///
    /// # Errors
    /// The log or the disk.
    pub fn publish(&self, at_once: bool, last: u64) -> Result<bool, Problem> {
        let signer = self.signer("log")?;
        let is_due = |book: &Book, now| at_once || book.is_due(last, now);
        let (due, seen) = self.read_log(|view, book| {
            let seen = book.published().map(|(_, note)| note.to_owned());
            Ok((is_due(book, view.now), seen))
        })?;
        let newest = if due {
            // In turn, so that none is replaced by one of fewer lines.
            self.write(|tx| {
                let note = tx.book.publish(&NoteSigner(signer))?;
                crate::witness::waits(tx, &note)?;
                Ok(Some(note))
            })?
        } else {
            seen
        };
        if let Some(note) = newest {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if due || kept.as_deref() != Some(note.as_str()) {
                self.keep(&note)?;
                *kept = Some(note);
            }
        }
        Ok(due)
    }

    fn keep(&self, note: &str) -> Result<(), Problem> {
        // Another process may be about to do the same.
        let new = format!("checkpoint.{}", std::process::id());
        let (new, path) = (self.folder.join(new), self.folder.join("checkpoint"));
        let kept = std::fs::write(&new, note.as_bytes())
            .and_then(|()| std::fs::File::open(&new)?.sync_all())
            .and_then(|()| std::fs::rename(&new, &path));
        kept.map_err(|e| {
            let _ = std::fs::remove_file(&new);
            Problem::internal(format!("checkpoint: {}", e.kind()))
        })
    }

    /// Copies the database, as it is at one instant, into a new file.
    ///
    /// # Errors
    /// The file is there, or the disk is full.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        core.db.backup(to)
    }

    /// Puts a backup into a folder of data that has its keys and settings and no database, and opens it:
    /// the whole log is verified, also against `checkpoint` where that is there.
    ///
    /// # Errors
    /// There is a database; the copy is none, was made with other keys, or is older than what was
    /// published. Then nothing was restored.
    pub fn restore(folder: &Path, from: &Path, clock: Clock) -> anyhow::Result<Self> {
        Self::restore_over(folder, None, from, clock)
    }

    /// The same into the database of an address (`postgres://…`), where there is one.
    ///
    /// # Errors
    /// As of [`Self::restore`].
    pub fn restore_over(
        folder: &Path,
        url: Option<&str>,
        from: &Path,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let path = folder.join(DATABASE);
        let files = || BESIDE.iter().chain([&DATABASE]).map(|f| folder.join(f));
        if files().any(|p| p.exists()) {
            bail!("{} is there. Move it away first", path.display());
        }
        let elsewhere = url.is_some() || folder.join("secret").join(ADDRESS).exists();
        let to = if elsewhere {
            let to = database(folder, url)?;
            if migrate(&*to)? > 0 {
                bail!("the database at the address has tables of warifu already");
            }
            Some(to)
        } else {
            None
        };
        let shown = || from.display().to_string();
        let copied = copied(from, &path).and_then(|()| {
            let Some(to) = &to else { return Ok(()) };
            let copied = Sqlite::open(&path).and_then(|from| {
                migrate(&from)?;
                copy(&from, &**to)
            });
            for path in files() {
                let _ = std::fs::remove_file(path);
            }
            Ok(copied?)
        });
        let opened = copied.and_then(|()| Self::open_over(folder, url, clock));
        if opened.is_err() {
            for path in files() {
                let _ = std::fs::remove_file(path);
            }
            if let Some(to) = &to {
                clear(&**to)?;
            }
        }
        opened.with_context(shown)
    }

    /// Lines of the log.
    ///
    /// # Errors
    /// The log.
    pub fn lines(&self) -> Result<u64, Problem> {
        self.read_log(|_, book| Ok(book.size()))
    }

    /// Registers the key of an institution, or changes what it may.
    ///
    /// # Errors
    /// The store; `AUD_UNKNOWN` for what is no code of the policy, or has no patient numbers and is to send
    /// records; `PERSON` for a key that has another class, code or state.
    pub fn register(&self, key: &PublicKey, code: &str, rights: &Rights) -> Result<(), Problem> {
        let numbers = !rights.sends || crate::ingest::digits(code).is_some();
        if !self.policy.is_recipient(code) || !numbers {
            return Err(Reason::AudUnknown.of("code").into());
        }
        let class = if code.starts_with(CERTIFIED) {
            if *rights != Rights::default() {
                return Err(Code::Body.into());
            }
            SignerClass::Certified
        } else {
            SignerClass::Institution
        };
        self.write(|tx| tx.register(class, key, Some(code), rights).map(|_| ()))
    }

    /// Ends the use of an institution's key: `retired`, or `compromised`, from now on.
    ///
    /// # Errors
    /// The store; `BODY` for another state; `KEY_UNKNOWN` for a key that is not registered; `PERSON` where
    /// it had another end before: that never changes.
    pub fn end_key(&self, key: &PublicKey, state: &str) -> Result<(), Problem> {
        let kid = key.thumbprint();
        self.write(|tx| {
            let wanted = wire::key_state(state, tx.view.now);
            let wanted = wanted
                .filter(|s| *s != KeyState::Active)
                .ok_or(Code::Body)?;
            let known = tx.view.registered(&kid)?;
            let outside = [SignerClass::Institution, SignerClass::Certified];
            let known = known.iter().find(|k| outside.contains(&k.class));
            let known = known.ok_or(Reason::KeyUnknown)?.state;
            let (name, at) = wire::key_state_names(wanted);
            if known != KeyState::Active {
                let same = wire::key_state_names(known).0 == name;
                return if same {
                    Ok(())
                } else {
                    Err(Code::Person.into())
                };
            }
            tx.view.db.run(
                "UPDATE keys SET state = ?1, at = ?2 WHERE kid = ?3 AND class IN ('institution', 'certified')",
                &[name.into(), at.into(), kid.as_str().into()],
            )?;
            Ok(())
        })
    }
}

/// Copies a file into one that was not there, for its owner alone.
fn copied(from: &Path, to: &Path) -> anyhow::Result<()> {
    if !std::fs::metadata(from)?.is_file() {
        bail!("it is no file");
    }
    let mut copy = private::create(to)?;
    std::io::copy(&mut std::fs::File::open(from)?, &mut copy)?;
    Ok(copy.sync_all()?)
}

/// What the store knows at this instant.
pub(crate) struct View<'a> {
    pub(crate) db: &'a dyn Database,
    pub(crate) office: &'a Office,
    pub(crate) now: u64,
    /// Hash of the session that asks: its nonces are its own.
    pub(crate) session: Option<String>,
}

/// A key as it is registered.
pub(crate) struct Registered {
    pub(crate) class: SignerClass,
    pub(crate) x: String,
    pub(crate) state: KeyState,
    pub(crate) code: Option<String>,
    pub(crate) rights: Rights,
}

/// A row of accepted tokens.
pub(crate) struct TokenRow {
    pub(crate) token: String,
    pub(crate) opened: Opened,
    pub(crate) at: u64,
    pub(crate) receipt: Option<String>,
    pub(crate) annex: Option<Vec<u8>>,
    pub(crate) used: u64,
    /// Index of its line in the log.
    pub(crate) line: u64,
}

impl View<'_> {
    /// The same for a session.
    pub(crate) fn of_session(&self, session: &str) -> View<'_> {
        View {
            db: self.db,
            office: self.office,
            now: self.now,
            session: Some(session.to_owned()),
        }
    }

    pub(crate) fn registered(&self, kid: &str) -> Result<Vec<Registered>, StoreError> {
        let rows = self.db.query(
            "SELECT class, x, state, at, code, emergency, sends, cert FROM keys WHERE kid = ?1",
            &[kid.into()],
        )?;
        let key = |r: &Row| {
            Some(Registered {
                class: SignerClass::from_name(r.text(0)?)?,
                x: r.text(1)?.to_owned(),
                state: wire::key_state(r.text(2)?, r.int(3)?)?,
                code: r.text(4).map(str::to_owned),
                rights: Rights {
                    emergency: r.int(5)? == 1,
                    sends: r.int(6)? == 1,
                    certificate: r.text(7).map(str::to_owned),
                },
            })
        };
        let all: Option<Vec<Registered>> = rows.iter().map(key).collect();
        all.ok_or(StoreError::Form("keys"))
    }

    fn key_entry(&self, class: SignerClass, kid: &str) -> Option<KeyEntry> {
        // A store that fails finds no key: nothing is accepted.
        let keys = self.registered(kid).ok()?;
        let key = keys.into_iter().find(|k| k.class == class)?;
        Some(KeyEntry::read(&b64::decode_array(&key.x)?, key.state))
    }

    /// Accepted tokens of a condition over their columns, in their order.
    pub(crate) fn tokens(
        &self,
        condition: &str,
        values: &[Cell],
    ) -> Result<Vec<TokenRow>, StoreError> {
        let sql = format!(
            "SELECT token, at, receipt, annex, used, line FROM tokens WHERE {condition} ORDER BY seq"
        );
        let rows = self.db.query(&sql, values)?;
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let read = || {
                let token = row.text(0)?.to_owned();
                Some((token, row.int(1)?, row.int(4)?, row.int(5)?))
            };
            let (token, at, used, line) = read().ok_or(StoreError::Form("tokens"))?;
            // What was accepted stays, whatever became of its key: that is for the decision.
            let opened = open(&token, Typ::ALL, &AsActive(self), Moment::now(self.now));
            all.push(TokenRow {
                opened: opened.map_err(|_| StoreError::Form("tokens"))?,
                token,
                at,
                receipt: row.text(2).map(str::to_owned),
                annex: row.bytes(3).map(<[u8]>::to_vec),
                used,
                line,
            });
        }
        Ok(all)
    }

    fn first(&self, condition: &str, values: &[Cell]) -> Option<TokenRow> {
        self.tokens(condition, values).ok()?.into_iter().next()
    }

    /// Whether a revoke of this `jti` was accepted, and when.
    pub(crate) fn ended(&self, sub: &str, jti: &str) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT MIN(at) FROM tokens WHERE rev = ?1 AND sub = ?2";
        let rows = self.db.query(sql, &[jti.into(), sub.into()])?;
        Ok(rows.first().and_then(|r| r.int(0)))
    }

    /// When an accepted token ended: by a revoke, or, of a consent, because its key had been stopped before it
    /// came (consent.md §6.1, step 6). The second never counted, so it ended when it began.
    pub(crate) fn closed(&self, row: &TokenRow) -> Result<Option<u64>, StoreError> {
        let opened = &row.opened;
        let revoked = self.ended(opened.text("sub"), opened.text("jti"))?;
        if revoked.is_some() || !matches!(opened.typ, Typ::Grant | Typ::Onward) {
            return Ok(revoked);
        }
        let keys = self.registered(&opened.kid)?;
        let stopped = keys.iter().any(|k| !k.state.covers(row.at));
        Ok(stopped.then_some(row.at))
    }

    /// The person's sealer; absent for one of whom nothing is kept.
    pub(crate) fn sealer(&self, sub: &str) -> Result<Option<Sealer>, Problem> {
        let sql = "SELECT data_key FROM subjects WHERE sub = ?1";
        let rows = self.db.query(sql, &[sub.into()])?;
        let Some(wrapped) = rows.first().and_then(|r| r.bytes(0)) else {
            return Ok(None);
        };
        let key = self.office.vault.unwrap(sub, wrapped)?;
        Ok(Some(Sealer::new(&key)))
    }

    /// Bytes of a grant's annex.
    pub(crate) fn annex(&self, row: &TokenRow) -> Result<Option<Vec<u8>>, Problem> {
        let Some(sealed) = &row.annex else {
            return Ok(None);
        };
        let sub = row.opened.text("sub");
        let sealer = self.sealer(sub)?;
        let sealer = sealer.ok_or_else(|| Problem::internal("a person's key is missing"))?;
        Ok(Some(
            sealer.open(&["annex", row.opened.text("anx")], sealed)?,
        ))
    }

    /// Compares the whole log with what is kept of all persons.
    fn witnessed(&self, book: &Book) -> Result<(), Problem> {
        let mut witness = Witness::default();
        let mut from = 0;
        while from < book.size() {
            let records = book.storage().read(from, AT_ONCE)?;
            for record in &records {
                hear(&mut witness, &record.line)?;
            }
            let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
            if count == 0 {
                return Err(StoreError::Form("the log").into());
            }
            from = from.saturating_add(count);
        }
        for row in self.db.query("SELECT typ, tok FROM tokens", &[])? {
            let read = || Some((Typ::from_wire(row.text(0)?)?, row.text(1)?));
            let (typ, tok) = read().ok_or(StoreError::Form("tokens"))?;
            witness.token(typ, tok);
        }
        agreed(&witness)
    }

    /// Who judges a token: the keys and tokens that are kept, now; `endpoint` is the method and the address that
    /// an access request is for.
    pub(crate) fn court<'c>(&'c self, endpoint: Option<(&'c str, &'c str)>) -> Desk<'c> {
        Desk {
            keys: self,
            ledger: self,
            policy: &self.office.policy,
            master: &self.office.master,
            now: self.now,
            endpoint,
        }
    }

    /// State of one person, as the decision wants it. The log is the witness: a wish without its line, or a
    /// line whose wish is missing, is `STORE`, and nothing is decided.
    pub(crate) fn state(&self, book: &Book, sub: &str) -> Result<State<'_>, Problem> {
        let mut witness = book.witness(sub)?;
        let mut kept = Vec::new();
        let mut keys: BTreeMap<String, KeyState> = BTreeMap::new();
        for row in self.tokens("sub = ?1", &[sub.into()])? {
            witness.token(row.opened.typ, &row.opened.hash);
            let annex = match row.opened.typ {
                Typ::Grant => {
                    let bytes = self.annex(&row)?;
                    bytes.and_then(|b| Annex::read(&b, row.opened.text("anx")).ok())
                }
                _ => None,
            };
            for key in self.registered(&row.opened.kid)? {
                if key.state != KeyState::Active {
                    keys.insert(row.opened.kid.clone(), key.state);
                }
            }
            kept.push(Kept {
                received: row.at,
                annex,
                used: row.used,
                institution: self.institution(&row.opened.kid),
                status_age: None,
                token: row.opened,
            });
        }
        agreed(&witness)?;
        let sql = "SELECT src, at FROM notices WHERE sub = ?1 AND what = 'opt-out'";
        let rows = self.db.query(sql, &[sub.into()])?;
        let notices = rows.iter().filter_map(|r| {
            Some(Notice {
                src: r.text(0)?.to_owned(),
                at: r.int(1)?,
            })
        });
        let keys = keys.into_iter().collect();
        Ok(state_of(
            &self.office.policy,
            sub,
            &kept,
            notices.collect(),
            keys,
        ))
    }

    /// Bindings whose person, or whose represented person, this is, and that no revoke ended.
    pub(crate) fn bindings_of(&self, person: &str) -> Result<Vec<(TokenRow, Binding)>, StoreError> {
        let rows = self.tokens(
            "(sub = ?1 OR person = ?1) AND typ = ?2",
            &[person.into(), Typ::Key.wire().into()],
        )?;
        let mut bound = Vec::new();
        for row in rows {
            if let Some(binding) = Binding::from_token(&row.opened)
                && self.ended(binding.person(), &binding.jti)?.is_none()
            {
                bound.push((row, binding));
            }
        }
        Ok(bound)
    }
}

/// The log over a connection of its own.
fn opened(
    db: Box<dyn Database>,
    trust: Trust,
    pins: &[Pin],
) -> Result<Book, warifu_log::OpenError<StoreError>> {
    Ok(Book {
        log: Log::open(LineStore::new(db), trust, pins)?,
        heard: RefCell::default(),
    })
}

/// What a line of the log tells a witness.
fn hear(witness: &mut Witness, line: &str) -> Result<(), StoreError> {
    let line = json::read(line.as_bytes(), 4).map_err(|_| StoreError::Form("the log"))?;
    let of = |name: &str| line.get(name).and_then(Value::text);
    if let (Some(kind), Some(tok)) = (of("kind"), of("tok")) {
        witness.line(kind, tok);
    }
    Ok(())
}

fn agreed(witness: &Witness) -> Result<(), Problem> {
    let differ = |_| Problem::from(Code::Store).because("log and tokens do not agree");
    witness.agree().map_err(differ)
}

impl KeyRing for View<'_> {
    fn find(&self, class: SignerClass, kid: &str) -> Option<KeyEntry> {
        self.key_entry(class, kid)
    }
}

/// The register as if every key were in use: for tokens that were accepted when they were.
struct AsActive<'a>(&'a View<'a>);

impl KeyRing for AsActive<'_> {
    fn find(&self, class: SignerClass, kid: &str) -> Option<KeyEntry> {
        let entry = self.0.key_entry(class, kid)?;
        Some(KeyEntry {
            state: KeyState::Active,
            ..entry
        })
    }
}

/// A store that fails answers so that nothing is accepted.
impl Ledger for View<'_> {
    fn bindings(&self, kid: &str) -> Vec<Binding> {
        let all = self.tokens("bound = ?1", &[kid.into()]).unwrap_or_default();
        all.iter()
            .filter_map(|r| Binding::from_token(&r.opened))
            .filter(|b| b.kid == kid && matches!(self.ended(b.person(), &b.jti), Ok(None)))
            .collect()
    }

    fn accepted(&self, sub: &str, tok: &str) -> bool {
        self.first("tok = ?1 AND sub = ?2", &[tok.into(), sub.into()])
            .is_some()
    }

    fn nonce_open(&self, nonce: &str) -> bool {
        let session = self.session.as_deref().unwrap_or_default();
        let given = self.db.query(
            "SELECT at FROM issued WHERE nonce = ?1 AND session = ?2",
            &[nonce.into(), session.into()],
        );
        let used = self
            .db
            .query("SELECT seq FROM tokens WHERE nonce = ?1", &[nonce.into()]);
        let at = given.ok().and_then(|r| r.first().and_then(|r| r.int(0)));
        let unused = used.is_ok_and(|r| r.is_empty());
        unused && at.is_some_and(|at| at <= self.now && self.now <= at + NONCE)
    }

    fn seen(&self, jti: &str) -> bool {
        let tokens = self
            .db
            .query("SELECT seq FROM tokens WHERE jti = ?1", &[jti.into()]);
        let once = self.db.query(
            "SELECT id FROM once WHERE kind = 'access' AND id = ?1",
            &[jti.into()],
        );
        !(tokens.is_ok_and(|r| r.is_empty()) && once.is_ok_and(|r| r.is_empty()))
    }

    fn target(&self, jti: &str) -> Option<Target> {
        let row = self.first("jti = ?1", &[jti.into()])?;
        Some(Target::of(&row.opened))
    }

    fn last_seq(&self, sub: &str) -> Option<u64> {
        let rows = self.tokens(
            "sub = ?1 AND typ = ?2",
            &[sub.into(), Typ::Objection.wire().into()],
        );
        let rows = rows.ok()?;
        rows.iter().filter_map(|r| r.opened.int("seq")).max()
    }

    fn issued(&self, nonce: &str) -> Option<(u64, String)> {
        let sql = "SELECT list, idx FROM issued WHERE nonce = ?1";
        let rows = self.db.query(sql, &[nonce.into()]).ok()?;
        let row = rows.first()?;
        let uri = format!("{}/{}", self.office.lists, row.int(0)?);
        Some((row.int(1)?, uri))
    }

    fn status(&self, jti: &str, _: Option<(u64, &str)>) -> StatusNow {
        // The server keeps the revokes itself, so it decides by jti.
        let Some(row) = self.first("jti = ?1", &[jti.into()]) else {
            return StatusNow::Valid;
        };
        match self.closed(&row) {
            Ok(None) => StatusNow::Valid,
            Ok(Some(_)) => StatusNow::Revoked,
            Err(_) => StatusNow::Unavailable,
        }
    }

    fn grant(&self, tok: &str) -> Option<Parent> {
        let row = self.first(
            "tok = ?1 AND typ = ?2",
            &[tok.into(), Typ::Grant.wire().into()],
        )?;
        Some(Parent {
            status: self.status(row.opened.text("jti"), None),
            claims: row.opened.claims,
        })
    }

    fn institution(&self, kid: &str) -> Option<String> {
        let keys = self.registered(kid).ok()?;
        keys.into_iter()
            .find(|k| k.class == SignerClass::Institution)?
            .code
    }
}

/// A transaction that writes.
pub(crate) struct Tx<'a> {
    pub(crate) view: View<'a>,
    pub(crate) book: &'a mut Book,
}

impl Tx<'_> {
    /// Appends a line; it is told to nobody before the transaction ended well.
    pub(crate) fn line(
        &mut self,
        kind: Kind,
        sub: Option<&str>,
        members: &[(&str, warifu_log::Value)],
    ) -> Result<(Appended, [u8; 16]), Problem> {
        let members = members.iter().map(|(n, v)| (*n, v.clone()));
        let entry = Entry::new(kind, self.view.now, sub, members)
            .map_err(|e| Problem::internal(format!("line: {e}")))?;
        let hidden = kind.chain() == Chain::Hidden;
        let place_salt = if hidden { Some(random()?) } else { None };
        let salt = random()?;
        let submission = Submission {
            entry,
            salt,
            place_salt,
        };
        let appended = self.book.append(vec![submission])?;
        let one = appended.into_iter().next();
        let one = one.ok_or_else(|| Problem::internal("log: nothing"))?;
        Ok((one, salt))
    }

    /// Registers a key; one of another class, code or state is not taken.
    pub(crate) fn register(
        &mut self,
        class: SignerClass,
        key: &PublicKey,
        code: Option<&str>,
        rights: &Rights,
    ) -> Result<String, Problem> {
        let kid = key.thumbprint();
        let known = self.view.registered(&kid)?;
        if let Some(known) = known.first() {
            let same = known.class == class
                && known.code.as_deref() == code
                && known.state == KeyState::Active;
            if !same {
                return Err(Code::Person.into());
            }
            if known.rights != *rights {
                self.view.db.run(
                    "UPDATE keys SET emergency = ?1, sends = ?2, cert = ?3 WHERE kid = ?4",
                    &[
                        rights.emergency.into(),
                        rights.sends.into(),
                        rights.certificate.as_deref().into(),
                        kid.as_str().into(),
                    ],
                )?;
            }
            return Ok(kid);
        }
        let name = SignerClass::ALL.iter().find(|(_, c)| *c == class);
        self.view.db.run(
            "INSERT INTO keys (class, kid, x, state, at, code, emergency, sends, cert)
             VALUES (?1, ?2, ?3, 'active', 0, ?4, ?5, ?6, ?7)",
            &[
                name.map_or("", |(n, _)| *n).into(),
                kid.as_str().into(),
                key.x().into(),
                code.into(),
                rights.emergency.into(),
                rights.sends.into(),
                rights.certificate.as_deref().into(),
            ],
        )?;
        Ok(kid)
    }

    /// Holds the policy against what was in force under its number, and keeps it: what was signed names that
    /// number.
    fn same_policy(&mut self, hash: &str) -> Result<(), Problem> {
        let policy = &self.view.office.policy;
        let (id, version) = (policy.id.as_str(), policy.version);
        let rows = self.view.db.query(
            "SELECT hash FROM policies WHERE id = ?1 AND version = ?2",
            &[id.into(), version.into()],
        )?;
        if let Some(known) = rows.first() {
            return if known.text(0) == Some(hash) {
                Ok(())
            } else {
                Err(Code::Version.into())
            };
        }
        // Before numbers were kept there was none but the first.
        let before = self.last_logged("policy")?;
        if version == 1 && before.is_some_and(|before| before != hash) {
            return Err(Code::Version.into());
        }
        self.view.db.run(
            "INSERT INTO policies (id, version, hash, at) VALUES (?1, ?2, ?3, ?4)",
            &[id.into(), version.into(), hash.into(), self.view.now.into()],
        )?;
        Ok(())
    }

    /// Hash of what the log last told to be in force.
    fn last_logged(&self, what: &str) -> Result<Option<String>, Problem> {
        let rows = self.view.db.query(
            "SELECT line FROM log_lines WHERE line LIKE ?1 ORDER BY idx DESC",
            &["%\"kind\":\"policy\"%".into()],
        )?;
        Ok(rows.iter().find_map(|row| {
            let line = json::read(row.text(0)?.as_bytes(), 2).ok()?;
            let of = |name: &str| line.get(name).and_then(Value::text);
            let found = of("hash").filter(|_| of("what") == Some(what));
            found.map(str::to_owned)
        }))
    }

    /// Logs what is in force from now on, where it is another than before.
    fn in_force(&mut self, what: &str, hash: &str) -> Result<(), Problem> {
        let last = self.last_logged(what)?;
        if last.as_deref() != Some(hash) {
            let members = [("what", what.into()), ("hash", hash.into())];
            self.line(Kind::Policy, None, &members)?;
        }
        Ok(())
    }

    /// The person's sealer, made where there is none.
    pub(crate) fn sealer(&self, sub: &str) -> Result<Sealer, Problem> {
        if let Some(sealer) = self.view.sealer(sub)? {
            return Ok(sealer);
        }
        let key = DataKey::fresh()?;
        let wrapped = self.view.office.vault.wrap(sub, &key)?;
        self.view.db.run(
            "INSERT INTO subjects (sub, data_key) VALUES (?1, ?2)",
            &[sub.into(), wrapped.into()],
        )?;
        Ok(Sealer::new(&key))
    }

    /// Keeps an accepted token with its line.
    pub(crate) fn keep(
        &mut self,
        token: &str,
        opened: &Opened,
        line: u64,
        receipt: Option<&str>,
        annex: Option<&[u8]>,
    ) -> Result<(), Problem> {
        let sub = opened.text("sub");
        let person = opened.text("for");
        let sealed = match annex {
            Some(bytes) => Some(
                self.sealer(sub)?
                    .seal(&["annex", opened.text("anx")], bytes)?,
            ),
            None => None,
        };
        let rows = self.view.db.query("SELECT MAX(seq) FROM tokens", &[])?;
        let seq = rows.first().and_then(|r| r.int(0)).map_or(0, |n| n + 1);
        self.view.db.run(
            "INSERT INTO tokens
             (seq, tok, typ, sub, person, jti, rev, nonce, kid, at, line, token, receipt, annex, used, bound)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, ?15)",
            &[
                seq.into(),
                opened.hash.as_str().into(),
                opened.typ.wire().into(),
                sub.into(),
                if person.is_empty() { sub } else { person }.into(),
                opened.text("jti").into(),
                opened.text("rev").into(),
                opened.text("nonce").into(),
                opened.kid.as_str().into(),
                self.view.now.into(),
                line.into(),
                token.into(),
                receipt.into(),
                sealed.into(),
                Binding::from_token(opened)
                    .map_or_else(String::new, |b| b.kid)
                    .into(),
            ],
        )?;
        Ok(())
    }

    /// Takes an id once; gives whether it was new. What has ended is forgotten.
    pub(crate) fn once(&self, kind: &str, id: &str, ends: u64) -> Result<bool, Problem> {
        let sql = "DELETE FROM once WHERE ends < ?1";
        self.view.db.run(sql, &[self.view.now.into()])?;
        let rows = self.view.db.query(
            "SELECT id FROM once WHERE kind = ?1 AND id = ?2",
            &[kind.into(), id.into()],
        )?;
        if !rows.is_empty() {
            return Ok(false);
        }
        self.view.db.run(
            "INSERT INTO once (kind, id, ends) VALUES (?1, ?2, ?3)",
            &[kind.into(), id.into(), ends.into()],
        )?;
        Ok(true)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn made() -> (tempfile::TempDir, Office) {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let settings = Settings {
            institution: "mi:1319999999".to_owned(),
            names: ["架空割符病院".to_owned(), String::new()],
            contact: "-".to_owned(),
            log: "c.example.jp/consent-log".to_owned(),
            lists: "http://127.0.0.1:8440/api/status".to_owned(),
            witnesses: Vec::new(),
            quorum: 0,
        };
        make(&data, &settings).unwrap();
        let office = Office::open(&data, Box::new(|| 1_790_000_000)).unwrap();
        (folder, office)
    }

    #[test]
    fn a_part_that_panics_was_not_there() {
        let (folder, office) = made();
        assert_eq!(office.origin(), "http://127.0.0.1:8440");
        let lines = || office.read_log(|_, book| Ok(book.size())).unwrap();
        let before = lines();
        let one = |tx: &mut Tx<'_>| {
            let members = [
                ("what", "policy".into()),
                ("hash", hash::sha256_text(&[b"x"]).into()),
            ];
            tx.line(Kind::Policy, None, &members).map(|_| ())
        };
        let failed: Result<(), Problem> = office.write(|tx| {
            one(tx)?;
            assert!(tx.once("test", "x", u64::MAX >> 12)?);
            panic!("on purpose");
        });
        assert_eq!(failed.unwrap_err().code(), Code::Internal.wire());
        assert_eq!(lines(), before);
        // The next one finds nothing of it, and is kept.
        let first = office.write(|tx| {
            one(tx)?;
            tx.once("test", "x", u64::MAX >> 12)
        });
        assert_eq!(first, Ok(true));
        assert_eq!(lines(), before + 1);
        drop(office);
        let again = Office::open(&folder.path().join("data"), Box::new(|| 1_790_000_000));
        let again = again.unwrap();
        assert_eq!(again.read_log(|_, book| Ok(book.size())), Ok(before + 1));
    }

    #[test]
    fn a_full_disk_leaves_no_half_state() {
        let (folder, office) = made();
        let pragma = |text: &str| {
            let core = office.core.lock().unwrap();
            let rows = core.db.query(&format!("PRAGMA {text}"), &[]).unwrap();
            rows.first().and_then(|r| r.int(0)).unwrap()
        };
        let lines = || office.read_log(|_, book| Ok(book.size())).unwrap();
        let kept = || {
            let sql = "SELECT COUNT(*) FROM once WHERE kind = 'test'";
            let rows = office.read(|view| Ok(view.db.query(sql, &[])?)).unwrap();
            rows.first().and_then(|r| r.int(0)).unwrap()
        };
        let write = |n: u64| {
            office.write(|tx| {
                let hash = hash::sha256_text(&[&n.to_be_bytes()]);
                tx.once("test", &n.to_string(), u64::MAX >> 12)?;
                let members = [("what", "policy".into()), ("hash", hash.into())];
                tx.line(Kind::Policy, None, &members).map(|_| ())
            })
        };
        let before = lines();
        pragma(&format!("max_page_count = {}", pragma("page_count")));
        let (written, full) = (0..10_000)
            .find_map(|n| Some((n, write(n).err()?)))
            .unwrap();
        assert_eq!(full.code(), "STORE");
        assert_eq!((lines(), kept()), (before + written, written));
        assert_eq!(write(written).unwrap_err().code(), "STORE");
        assert_eq!((lines(), kept()), (before + written, written));
        // With room again it goes on where it was.
        pragma("max_page_count = 1000000");
        assert_eq!(write(written), Ok(()));
        assert_eq!((lines(), kept()), (before + written + 1, written + 1));
        drop(office);
        let again = Office::open(&folder.path().join("data"), Box::new(|| 1_790_000_000));
        let again = again.unwrap();
        assert_eq!(again.lines(), Ok(before + written + 1));
    }

    #[test]
    fn what_was_heard_is_forgotten_in_the_end() {
        let mut heard = Heard::default();
        let mut witness = Witness::default();
        witness.line("grant", "t");
        let last = u64::try_from(2 * REMEMBERED).unwrap();
        for n in 0..last {
            heard.put(&n.to_string(), n, &witness);
        }
        // Two for each: the person and the wish.
        assert!(heard.lately.len() + heard.before.len() <= REMEMBERED);
        assert_eq!(heard.take("0"), None);
        let newest = (last - 1).to_string();
        assert_eq!(heard.take(&newest), Some((last - 1, witness.clone())));
        assert_eq!(heard.take(&newest), None);
        // Whoever is asked for again stays.
        let (line, again) = heard.take(&(last / 2 + 10).to_string()).unwrap();
        heard.put("again", line, &again);
        assert!(heard.lately.contains_key("again"));
    }

    #[test]
    fn only_a_server_says_what_is_in_force() {
        let (_folder, office) = made();
        let lines = || office.read_log(|_, book| Ok(book.size())).unwrap();
        assert_eq!(lines(), 0);
        office.announce().unwrap();
        assert_eq!(lines(), 2);
        office.announce().unwrap();
        assert_eq!(lines(), 2);
    }
}
