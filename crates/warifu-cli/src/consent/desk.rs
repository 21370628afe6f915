//! The desk: a folder with what a consent server keeps, for one machine.
//!
//! | file | content |
//! |---|---|
//! | `desk.json` | name of the log, address of the status list |
//! | `policy.json`, `master.json` | policy in force, master of facilities |
//! | `versions/HASH` | each of them that is or was in force |
//! | `checkpoint` | a copy of the newest checkpoint, apart from the log |
//! | `keys.json` | registered public keys with class, state and code |
//! | `issued.ndjson` | nonces and status indexes given out, with their time |
//! | `accepted.ndjson` | accepted tokens in their order, with their time |
//! | `annexes/HASH` | lists of exclusions |
//! | `deliveries.ndjson` | whose records went to a certified body, and what it answered to `stop` |
//! | `leaves/RELEASE` | leaves of a release that was accepted |
//! | `log/` | the log (`docs/log.md`) |
//! | `lock` | held by the command that runs |
//! | `secret/` | keys of server, authority, registry and log, and the secret of pseudonyms |

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use warifu_consent::json::{self, Value, object};
use warifu_consent::{
    Annex, Binding, DAY, Disagreement, Kept, KeyEntry, KeyRing, KeyState, Ledger, Master, Moment,
    Notice, Opened, Parent, Policy, PublicKey, REFERENCE, SecretKey, Signer, SignerClass, State,
    StatusNow, Target, Typ, Who, Witness, b64, open, read_leaves, state_of, wire,
};
use warifu_log::{Entry, Kind, Log, NoteKey, Pin, Purpose, Submission, Trust};
use warifu_log_file::{FileStorage, Folder, Recovery};
use zeroize::Zeroizing;

use super::keys::{read_key, read_private, write_private};
use super::versions::Versions;
use super::{Cx, random, replace};
use crate::End;

/// Entries of the status list.
const ENTRIES: u64 = 131_072;
/// How long a nonce may be used, in seconds.
const NONCE: u64 = 900;
/// Most bytes of a file of lines that is read.
const MOST: u64 = 1 << 30;

/// A registered key.
pub(super) struct Registered {
    pub(super) class: SignerClass,
    pub(super) key: PublicKey,
    pub(super) kid: String,
    pub(super) state: KeyState,
    pub(super) code: Option<String>,
    pub(super) emergency: bool,
    /// Municipality of the facility (JIS X 0402).
    pub(super) area: Option<String>,
}

/// A nonce that was given out with its status index.
struct Issued {
    nonce: String,
    idx: u64,
    at: u64,
}

/// An accepted token.
struct Accepted {
    token: Opened,
    at: u64,
}

/// The open desk.
pub(super) struct Desk {
    root: PathBuf,
    pub(super) origin: String,
    pub(super) uri: String,
    pub(super) policy: Policy,
    pub(super) master: Master,
    pub(super) versions: Versions,
    pub(super) keys: Vec<Registered>,
    issued: Vec<Issued>,
    accepted: Vec<Accepted>,
    now: u64,
    /// Commands take turns: a nonce is used once, a status index is given out once.
    _lock: File,
}

/// The log in its files.
pub(super) type Book = Log<FileStorage<Folder>>;

/// A key that signs notes of the log.
pub(super) struct NoteSigner(pub(super) SecretKey);

impl warifu_log::Signer for NoteSigner {
    fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        Signer::sign(&self.0, message).ok()
    }
}

fn text<'v>(v: &'v Value, name: &str) -> Option<&'v str> {
    v.get(name).and_then(Value::text)
}

fn int(v: &Value, name: &str) -> Option<u64> {
    v.get(name).and_then(Value::int)
}

/// Makes a desk in a folder that is not there or empty.
pub(super) fn init(cx: &Cx<'_>) -> anyhow::Result<End> {
    let root = cx.input();
    let shown = root.display();
    if root.exists() && std::fs::read_dir(root)?.next().is_some() {
        bail!(cx.say(
            &format!("{shown} は空ではありません。新しいフォルダーを指定してください"),
            &format!("{shown} is not empty. Give a new folder")
        ));
    }
    for folder in ["annexes", "secret", "log"] {
        std::fs::create_dir_all(root.join(folder)).with_context(|| shown.to_string())?;
    }
    let origin = cx.text("origin").unwrap_or_default();
    let uri = cx.text("uri").unwrap_or_default();
    let mut keys = Vec::new();
    let mut log_key = String::new();
    for (name, class) in [
        ("server", Some(SignerClass::Server)),
        ("authority", Some(SignerClass::Authority)),
        ("registry", Some(SignerClass::Registry)),
        ("log", None),
    ] {
        let key = SecretKey::from_seed(&mut Zeroizing::new(random::<32>()?));
        let path = root.join("secret").join(format!("{name}.pem"));
        write_private(cx, &path, key.to_pem().as_bytes())?;
        let public = key.public();
        if let Some(class) = class {
            keys.push(Registered {
                class,
                kid: public.thumbprint(),
                key: public,
                state: KeyState::Active,
                code: None,
                emergency: false,
                area: None,
            });
        } else {
            let key = NoteKey::new(origin, Purpose::Note, &public.to_bytes());
            log_key = key.map_err(|e| anyhow::anyhow!("--origin: {e}"))?.text();
        }
    }
    let holder = Zeroizing::new(random::<32>()?);
    write_private(cx, &root.join("secret/holder.key"), &*holder)?;
    let settings = object([
        ("v", 1.into()),
        ("origin", origin.into()),
        ("uri", uri.into()),
    ]);
    std::fs::write(root.join("desk.json"), settings.write() + "\n")?;
    std::fs::write(root.join("policy.json"), REFERENCE)?;
    let contact = cx.text("contact").unwrap_or("-");
    let master = format!(
        "{{\"v\":1,\"version\":1,\"contact\":{},\"facilities\":[]}}\n",
        Value::from(contact).write()
    );
    std::fs::write(root.join("master.json"), master)?;
    for lines in ["issued.ndjson", "accepted.ndjson"] {
        write_private(cx, &root.join(lines), b"")?;
    }
    write_keys(root, &keys)?;
    let value = object([
        ("desk", shown.to_string().into()),
        ("log", log_key.as_str().into()),
    ]);
    let next = cx.say(
        &format!("{shown} を作りました。次に {shown}/master.json に施設の名を書いてください"),
        &format!("{shown} is made. Next, write the facilities' names into {shown}/master.json"),
    );
    cx.print(&value, &format!("{log_key}\n{next}"))?;
    Ok(End::Clean)
}

fn write_keys(root: &Path, keys: &[Registered]) -> anyhow::Result<()> {
    let rows = keys.iter().map(|k| {
        let class = SignerClass::ALL.iter().find(|(_, c)| *c == k.class);
        let (state, at) = wire::key_state_names(k.state);
        let mut row = object([
            ("class", class.map_or("", |(n, _)| *n).into()),
            ("x", k.key.x().into()),
            ("state", state.into()),
            ("at", at.into()),
            ("emergency", k.emergency.into()),
        ]);
        if let Value::Object(m) = &mut row {
            for (name, code) in [("code", &k.code), ("area", &k.area)] {
                let code = code.as_deref();
                m.extend(code.map(|code| (name.to_owned(), code.into())));
            }
        }
        row.write()
    });
    let rows: Vec<String> = rows.collect();
    let text = format!("{{\"v\":1,\"keys\":[\n{}\n]}}\n", rows.join(",\n"));
    replace(&root.join("keys.json"), text.as_bytes())
}

impl Desk {
    /// Opens the desk's folder and everything in it but the log; refuses files that say other than they did
    /// under the same number.
    pub(super) fn open(cx: &Cx<'_>) -> anyhow::Result<Self> {
        let desk = Self::read(cx)?;
        match desk.versions.breach(&desk.policy, &desk.master) {
            None => Ok(desk),
            Some(breach) => bail!(breach.told(cx)),
        }
    }

    /// As [`Self::open`], whatever the files say: for what looks at the log.
    pub(super) fn read(cx: &Cx<'_>) -> anyhow::Result<Self> {
        let root = cx.desk.clone();
        let shown = root.display().to_string();
        if !root.join("desk.json").is_file() {
            bail!(cx.say(
                &format!("{shown} は窓口のフォルダーではありません。--desk で指定するか、作ってください: warifu consent init {shown} --origin NAME --uri URL"),
                &format!("{shown} is no desk. Give one with --desk, or make it: warifu consent init {shown} --origin NAME --uri URL")
            ));
        }
        let bad = |file: &str, at: &str| {
            anyhow::anyhow!(cx.say(
                &format!("{shown}/{file} が読めません ({at})。控えから戻してください"),
                &format!("{shown}/{file} cannot be read ({at}). Restore it from a copy")
            ))
        };
        let lock = File::create(root.join("lock"))?;
        lock.lock()?;
        let settings = std::fs::read(root.join("desk.json"))?;
        let settings =
            json::read(settings.trim_ascii(), 2).map_err(|_| bad("desk.json", "JSON"))?;
        let of = |name: &str| {
            let found = text(&settings, name).map(str::to_owned);
            found.ok_or_else(|| bad("desk.json", name))
        };
        let policy_bytes = std::fs::read(root.join("policy.json"))?;
        let policy = Policy::read(&policy_bytes).map_err(|e| bad("policy.json", &e.0))?;
        let master_bytes = std::fs::read(root.join("master.json"))?;
        let master =
            Master::read(master_bytes.trim_ascii()).ok_or_else(|| bad("master.json", "JSON"))?;
        let versions = Versions::read(&root, policy_bytes, master_bytes)?;
        let mut desk = Self {
            origin: of("origin")?,
            uri: of("uri")?,
            policy,
            master,
            versions,
            keys: Vec::new(),
            issued: Vec::new(),
            accepted: Vec::new(),
            now: cx.now,
            root,
            _lock: lock,
        };
        let keys = std::fs::read(desk.root.join("keys.json"))?;
        let keys = json::read(keys.trim_ascii(), 4).map_err(|_| bad("keys.json", "JSON"))?;
        for (n, row) in keys
            .get("keys")
            .map_or(&[][..], Value::items)
            .iter()
            .enumerate()
        {
            let key = registered(row).ok_or_else(|| bad("keys.json", &format!("key {}", n + 1)))?;
            desk.keys.push(key);
        }
        for (n, line) in lines(&desk.root.join("issued.ndjson"))?.iter().enumerate() {
            let v = json::read(line.as_bytes(), 2).ok();
            let issued = v.and_then(|v| {
                Some(Issued {
                    nonce: text(&v, "nonce")?.to_owned(),
                    idx: int(&v, "idx")?,
                    at: int(&v, "at")?,
                })
            });
            let issued = issued.ok_or_else(|| bad("issued.ndjson", &format!("line {}", n + 1)))?;
            desk.issued.push(issued);
        }
        for (n, line) in lines(&desk.root.join("accepted.ndjson"))?
            .iter()
            .enumerate()
        {
            let at = format!("line {}", n + 1);
            let v = json::read(line.as_bytes(), 2).map_err(|_| bad("accepted.ndjson", &at))?;
            let kept = text(&v, "token").zip(int(&v, "at"));
            let (token, time) = kept.ok_or_else(|| bad("accepted.ndjson", &at))?;
            // What was accepted stays, whatever became of its key; that is for the decision.
            let moment = Moment::now(cx.now);
            let token = open(token, Typ::ALL, &AsActive(&desk.keys), moment)
                .map_err(|r| bad("accepted.ndjson", &format!("{at}: {}", r.reason)))?;
            desk.accepted.push(Accepted { token, at: time });
        }
        Ok(desk)
    }

    pub(super) fn write_keys(&self) -> anyhow::Result<()> {
        write_keys(&self.root, &self.keys)
    }

    /// A secret of the desk.
    pub(super) fn secret(&self, cx: &Cx<'_>, name: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        read_private(cx, &self.root.join("secret").join(name))
    }

    /// A key of the desk.
    pub(super) fn signer(&self, cx: &Cx<'_>, name: &str) -> anyhow::Result<SecretKey> {
        read_key(cx, &self.root.join("secret").join(name))
    }

    /// Gives out a nonce and a status index that no other token has.
    pub(super) fn issue(&mut self) -> anyhow::Result<(String, u64)> {
        let used = |idx| self.issued.iter().any(|i| i.idx == idx);
        let free = ENTRIES.saturating_sub(u64::try_from(self.issued.len())?);
        if free == 0 {
            bail!("the status list is full");
        }
        let idx = loop {
            // A power of two: every index is as likely.
            let idx = u64::from_le_bytes(random()?) % ENTRIES;
            if !used(idx) {
                break idx;
            }
        };
        let nonce = super::fresh_id()?;
        let line = object([
            ("nonce", nonce.as_str().into()),
            ("idx", idx.into()),
            ("at", self.now.into()),
        ]);
        append(&self.root.join("issued.ndjson"), &line.write())?;
        self.issued.push(Issued {
            nonce: nonce.clone(),
            idx,
            at: self.now,
        });
        Ok((nonce, idx))
    }

    /// Address of the log, as FHIR resources name it.
    pub(super) fn log_address(&self) -> String {
        format!("https://{}", self.origin)
    }

    /// The log's public key.
    pub(super) fn log_key(&self, cx: &Cx<'_>) -> anyhow::Result<NoteKey> {
        let key = self.signer(cx, "log.pem")?.public().to_bytes();
        Ok(NoteKey::new(&self.origin, Purpose::Note, &key)?)
    }

    /// Opens the log: every line is checked.
    pub(super) fn book(&self, cx: &Cx<'_>, pins: &[Pin]) -> anyhow::Result<Book> {
        let trust = Trust::new(self.log_key(cx)?, Vec::new(), 0)?;
        let mut pins = pins.to_vec();
        pins.extend(self.published_apart(cx)?);
        let storage = FileStorage::open(Folder::new(&self.root.join("log"))?)?;
        Ok(Log::open(storage, trust, &pins)?)
    }

    /// Opens the log to look at it: nothing in its folder changes. What a crash, or somebody, left behind
    /// the acknowledged lines is told.
    pub(super) fn look(&self, cx: &Cx<'_>, pins: &[Pin]) -> anyhow::Result<(Book, Recovery)> {
        let trust = Trust::new(self.log_key(cx)?, Vec::new(), 0)?;
        let storage = FileStorage::inspect(Folder::new(&self.root.join("log"))?)?;
        let left = storage.recovery();
        Ok((Log::open(storage, trust, pins)?, left))
    }

    /// The checkpoint that was published last, as it is kept apart from the log: what the log has to be a
    /// continuation of, even where its own copy is gone (§9.4).
    pub(super) fn published_apart(&self, cx: &Cx<'_>) -> anyhow::Result<Option<Pin>> {
        let note = match std::fs::read(self.root.join("checkpoint")) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let trust = Trust::new(self.log_key(cx)?, Vec::new(), 0)?;
        let checkpoint = trust.verify(&note).map_err(|e| {
            anyhow::anyhow!(cx.say(
                &format!(
                    "{}/checkpoint はこのログの区切りではありません ({e})。控えから戻してください",
                    self.root.display()
                ),
                &format!(
                    "{}/checkpoint is no checkpoint of this log ({e}). Restore it from a copy",
                    self.root.display()
                )
            ))
        })?;
        Ok(Some(Pin {
            size: checkpoint.size,
            root: checkpoint.root,
        }))
    }

    /// Keeps a copy of the newest checkpoint apart from the log.
    pub(super) fn keep_checkpoint(&self, note: &str) -> anyhow::Result<()> {
        replace(&self.root.join("checkpoint"), note.as_bytes())
    }

    /// The first person's wish that has no line, or line that has no wish.
    pub(super) fn unwitnessed(&self, book: &Book) -> anyhow::Result<Option<Disagreement>> {
        let subs: BTreeSet<&str> = self.accepted.iter().map(|a| a.token.text("sub")).collect();
        for sub in subs {
            if let Some(gap) = self.gap(sub, &own_lines(book, sub)?) {
                return Ok(Some(gap));
            }
        }
        Ok(None)
    }

    /// The log is the witness: a wish without its line, or a line whose wish is missing (a withdrawal
    /// that was lost), opens nothing.
    fn gap(&self, sub: &str, lines: &[Value]) -> Option<Disagreement> {
        let mut witness = Witness::default();
        for v in lines {
            if let (Some(kind), Some(tok)) = (text(v, "kind"), text(v, "tok")) {
                witness.line(kind, tok);
            }
        }
        for kept in self.accepted.iter().map(|a| &a.token) {
            if kept.text("sub") == sub {
                witness.token(kept.typ, &kept.hash);
            }
        }
        witness.agree().err()
    }

    /// Appends lines that nobody but their person is handed, all at once.
    pub(super) fn lines(&self, cx: &Cx<'_>, entries: Vec<Entry>) -> anyhow::Result<()> {
        let mut book = self.book(cx, &[])?;
        let submissions: anyhow::Result<Vec<Submission>> =
            entries.into_iter().map(submission).collect();
        book.append(submissions?)?;
        book.sync()?;
        Ok(())
    }

    /// Appends one line.
    pub(super) fn line(
        &self,
        cx: &Cx<'_>,
        entry: Entry,
    ) -> anyhow::Result<(warifu_log::Appended, Option<Value>)> {
        let mut book = self.book(cx, &[])?;
        let hidden = entry.kind().chain() == warifu_log::Chain::Hidden;
        let submission = submission(entry)?;
        let salt = submission.salt;
        let appended = book.append(vec![submission])?.pop().context("line")?;
        book.sync()?;
        let published = book.published().map_or(0, |(c, _)| c.size);
        let mut opened = object([
            ("index", appended.index.into()),
            ("leaf", appended.leaf.url().into()),
            ("line", appended.line.as_str().into()),
            ("salt", b64::encode(&salt).into()),
            ("published", published.into()),
        ]);
        // Who gets the line gets the log's word for it, until there is a proof.
        if hidden && let Value::Object(members) = &mut opened {
            let signer = NoteSigner(self.signer(cx, "log.pem")?);
            let promise = book.promise(&appended, cx.now, &self.log_key(cx)?, &signer);
            members.extend(promise.map(|p| ("promise".to_owned(), p.into())));
        }
        Ok((appended, Some(opened)))
    }

    /// Keeps an accepted token: annex, line in the log, then the token itself. The line of the log
    /// comes first, so that nothing is in force that is not logged.
    pub(super) fn keep(
        &mut self,
        cx: &Cx<'_>,
        token: &str,
        line: Option<(Kind, &[(&str, warifu_log::Value)])>,
        annex: Option<&[u8]>,
    ) -> anyhow::Result<Option<warifu_log::Appended>> {
        let opened = open(token, Typ::ALL, &AsActive(&self.keys), Moment::now(cx.now))
            .map_err(|r| anyhow::anyhow!("{}", r.reason))?;
        if let Some(annex) = annex {
            replace(&self.root.join("annexes").join(opened.text("anx")), annex)?;
        }
        let appended = match line {
            None => None,
            Some((kind, members)) => {
                // A proxy's key is a matter of the person it signs for.
                let subject = Target::of(&opened).sub;
                let subject = Some(subject.as_str()).filter(|s| !s.is_empty());
                let members = members.iter().map(|(n, v)| (*n, v.clone()));
                let entry = Entry::new(kind, cx.now, subject, members)?;
                Some(self.line(cx, entry)?.0)
            }
        };
        let kept = object([
            ("at", cx.now.into()),
            ("tok", opened.hash.as_str().into()),
            ("typ", opened.typ.wire().into()),
            ("token", token.into()),
        ]);
        append(&self.root.join("accepted.ndjson"), &kept.write())?;
        self.accepted.push(Accepted {
            token: opened,
            at: cx.now,
        });
        Ok(appended)
    }

    fn ended(&self, sub: &str, jti: &str) -> bool {
        self.accepted.iter().any(|a| {
            a.token.typ == Typ::Revoke && a.token.text("sub") == sub && a.token.text("rev") == jti
        })
    }

    /// As whom somebody looks at this person's records: the person by any own key, a proxy by the
    /// binding named. `None`: there is no such binding in force.
    pub(super) fn viewer(&self, sub: &str, proxy: Option<&str>) -> Option<Who> {
        let all = self.accepted.iter();
        all.filter_map(|a| Binding::from_token(&a.token))
            .filter(|b| !self.ended(b.person(), &b.jti))
            .filter(|b| match proxy {
                Some(jti) => b.jti == jti && b.represents.as_deref() == Some(sub),
                None => b.role == "patient" && b.sub == sub,
            })
            .find_map(|b| b.viewer(&self.policy, self.now))
    }

    /// Bindings whose keys sign or signed for this person, with when each was made and whether it is ended.
    pub(super) fn bindings_for(&self, sub: &str) -> Vec<(Binding, u64, bool)> {
        let all = self.accepted.iter();
        let bound = all.filter_map(|a| Some((Binding::from_token(&a.token)?, a.at)));
        bound
            .filter(|(b, _)| b.person() == sub)
            .map(|(b, at)| {
                let ended = self.ended(sub, &b.jti);
                (b, at, ended)
            })
            .collect()
    }

    /// An accepted token by its hash.
    pub(super) fn find(&self, hash: &str) -> Option<&Opened> {
        let found = self.accepted.iter().find(|a| a.token.hash == hash)?;
        Some(&found.token)
    }

    /// An accepted token by its hash, as lines of the log have it, or by its `jti`.
    pub(super) fn named(&self, name: &str) -> Option<&Opened> {
        self.find(name).or_else(|| self.by_jti(name))
    }

    /// An accepted token by its `jti`.
    pub(super) fn by_jti(&self, jti: &str) -> Option<&Opened> {
        let found = self.accepted.iter().find(|a| a.token.text("jti") == jti)?;
        Some(&found.token)
    }

    /// Whether the institution's key is that of an emergency facility.
    pub(super) fn is_emergency(&self, kid: &str) -> bool {
        self.keys.iter().any(|k| k.kid == kid && k.emergency)
    }

    /// Whether the key of an accepted token counted when the log received it.
    pub(super) fn key_counts(&self, token: &Opened) -> bool {
        let received = self.accepted.iter().find(|a| a.token.hash == token.hash);
        let key = self.keys.iter().find(|k| k.kid == token.kid);
        key.zip(received)
            .is_some_and(|(key, kept)| key.state.covers(kept.at))
    }

    /// Where an institution is: as the register says, not as it says itself.
    pub(super) fn area(&self, code: &str) -> Option<&str> {
        let own = |k: &&Registered| {
            k.code.as_deref() == Some(code)
                && k.class == SignerClass::Institution
                && k.state == KeyState::Active
        };
        let areas = self.keys.iter().filter(own);
        areas.filter_map(|k| k.area.as_deref()).next_back()
    }

    /// State of one person.
    pub(super) fn state(&self, cx: &Cx<'_>, sub: &str) -> anyhow::Result<State<'_>> {
        self.state_in(cx, &self.judging(cx)?, sub)
    }

    /// The log as what is decided rests on it.
    pub(super) fn judging(&self, cx: &Cx<'_>) -> anyhow::Result<Book> {
        let book = self.book(cx, &[])?;
        match self.versions.against(&book) {
            None => Ok(book),
            Some(breach) => bail!(breach.told(cx)),
        }
    }

    /// State of one person by this log; disclosures under counted grants are counted there.
    pub(super) fn state_in(
        &self,
        cx: &Cx<'_>,
        book: &Book,
        sub: &str,
    ) -> anyhow::Result<State<'_>> {
        let counted = self
            .accepted
            .iter()
            .any(|a| a.token.text("sub") == sub && a.token.claims.get("use").is_some());
        let mut disclosed: Vec<String> = Vec::new();
        let mut notices = Vec::new();
        let lines = own_lines(book, sub)?;
        for v in &lines {
            match text(v, "kind") {
                Some("disclose") if counted => disclosed.extend(
                    v.get("grants")
                        .map_or(&[][..], Value::items)
                        .iter()
                        .filter_map(Value::text)
                        .map(str::to_owned),
                ),
                // Other notices tell of nothing that could be objected to.
                Some("notice") if text(v, "what") == Some("opt-out") => {
                    if let (Some(src), Some(at)) = (text(v, "src"), int(v, "at")) {
                        notices.push(Notice {
                            src: src.to_owned(),
                            at,
                        });
                    }
                }
                _ => {}
            }
        }
        if let Some(gap) = self.gap(sub, &lines) {
            bail!(tell(&gap, cx));
        }
        // When it was received is the log's word, not that of a file beside it.
        let logged = |tok: &str| {
            let own = lines.iter().filter(|v| text(v, "tok") == Some(tok));
            own.filter_map(|v| int(v, "at")).min()
        };
        let kept: Vec<Kept> = self
            .accepted
            .iter()
            .filter(|a| a.token.text("sub") == sub)
            .map(|a| {
                let annex = match a.token.typ {
                    Typ::Grant => self.annex(&a.token),
                    _ => None,
                };
                let used = disclosed.iter().filter(|h| **h == a.token.hash).count();
                Kept {
                    received: logged(&a.token.hash).unwrap_or(a.at),
                    annex,
                    used: u64::try_from(used).unwrap_or(u64::MAX),
                    institution: self.institution(&a.token.kid),
                    status_age: None,
                    token: a.token.clone(),
                }
            })
            .collect();
        let keys = self.keys.iter().filter(|k| k.state != KeyState::Active);
        let keys = keys.map(|k| (k.kid.clone(), k.state)).collect();
        Ok(state_of(&self.policy, sub, &kept, notices, keys))
    }

    /// Releases that were accepted, with when.
    pub(super) fn releases(&self) -> impl Iterator<Item = (&Opened, u64)> {
        let all = self.accepted.iter().filter(|a| a.token.typ == Typ::Release);
        all.map(|a| (&a.token, a.at))
    }

    /// Text of an accepted token, by its `jti`.
    pub(super) fn text_of(&self, jti: &str) -> anyhow::Result<String> {
        let hash = self.by_jti(jti).map(|t| t.hash.as_str());
        let kept = lines(&self.root.join("accepted.ndjson"))?;
        let mut rows = kept.iter().filter_map(|l| json::read(l.as_bytes(), 2).ok());
        let row = rows.find(|row| text(row, "tok") == hash);
        let token = row.and_then(|row| text(&row, "token").map(str::to_owned));
        token.context("accepted.ndjson")
    }

    /// Leaves of a release that was accepted.
    pub(super) fn leaves(&self, release: &str) -> anyhow::Result<Vec<[u8; 32]>> {
        let path = self.root.join("leaves").join(release);
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        read_leaves(&bytes).with_context(|| path.display().to_string())
    }

    /// Keeps the leaves of a release, before its token.
    pub(super) fn keep_leaves(&self, release: &str, leaves: &[[u8; 32]]) -> anyhow::Result<()> {
        std::fs::create_dir_all(self.root.join("leaves"))?;
        replace(&self.root.join("leaves").join(release), &leaves.concat())
    }

    /// Lines of `deliveries.ndjson`.
    pub(super) fn deliveries(&self) -> anyhow::Result<Vec<Value>> {
        let path = self.root.join("deliveries.ndjson");
        let read = |(n, line): (usize, &String)| {
            let value = json::read(line.as_bytes(), 2).ok();
            value.with_context(|| format!("{}: line {}", path.display(), n + 1))
        };
        lines(&path)?.iter().enumerate().map(read).collect()
    }

    /// Adds lines to `deliveries.ndjson`.
    pub(super) fn delivered(&self, rows: &[Value]) -> anyhow::Result<()> {
        let rows: Vec<String> = rows.iter().map(Value::write).collect();
        append(&self.root.join("deliveries.ndjson"), &rows.join("\n"))
    }

    /// Everybody of whom the desk knows: by a token that was accepted, or a line of the log.
    pub(super) fn persons(&self, book: &Book) -> anyhow::Result<BTreeSet<String>> {
        let own = |a: &Accepted| Target::of(&a.token).sub;
        let mut all: BTreeSet<String> = self.accepted.iter().map(own).collect();
        let mut from = 0;
        loop {
            let records = warifu_log::Storage::read(book.storage(), from, 1_000)?;
            for record in &records {
                let line = json::read(record.line.as_bytes(), 2).ok();
                all.extend(line.and_then(|l| text(&l, "sub").map(str::to_owned)));
            }
            if records.is_empty() {
                break;
            }
            from += u64::try_from(records.len())?;
        }
        all.remove("");
        Ok(all)
    }

    fn annex(&self, token: &Opened) -> Option<Annex> {
        let anx = token.text("anx");
        let bytes = std::fs::read(self.root.join("annexes").join(anx)).ok()?;
        Annex::read(&bytes, anx).ok()
    }

    /// Token hashes of grants by their `jti`.
    pub(super) fn hashes(&self, jtis: &[String]) -> Vec<String> {
        let found = jtis.iter().filter_map(|j| self.by_jti(j));
        let mut hashes: Vec<String> = found.map(|t| t.hash.clone()).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes
    }
}

/// Where accepted tokens and log disagree, and what to do.
pub(super) fn tell(gap: &Disagreement, cx: &Cx<'_>) -> String {
    match gap {
            Disagreement::Lost(tok) => cx.say(
                &format!("ログにある意思表示のトークンがありません (tok {tok})。判断できないので、何も見せません。そのトークンをもう一度受け付けてください: warifu consent verify FILE --accept"),
                &format!("a token that the log tells of is missing (tok {tok}). Nothing can be decided, so nothing is shown. Accept that token again: warifu consent verify FILE --accept")
            ),
            Disagreement::Unheard(tok) => cx.say(
                &format!("受け付けたトークンの行がログにありません (tok {tok})。判断できないので、何も見せません。ログを控えから戻してください (確かめる: warifu consent log verify)"),
                &format!("the log lacks the line of an accepted token (tok {tok}). Nothing can be decided, so nothing is shown. Restore the log from a copy (to check it: warifu consent log verify)")
            ),
    }
}

/// A line with fresh salts.
fn submission(entry: Entry) -> anyhow::Result<Submission> {
    let hidden = entry.kind().chain() == warifu_log::Chain::Hidden;
    Ok(Submission {
        entry,
        salt: random()?,
        place_salt: if hidden { Some(random()?) } else { None },
    })
}

/// A person's lines, oldest first.
fn own_lines(book: &Book, sub: &str) -> anyhow::Result<Vec<Value>> {
    let own = book.history(sub)?;
    let read = own
        .iter()
        .filter_map(|(_, own)| json::read(own.line.as_bytes(), 2).ok());
    Ok(read.collect())
}

fn registered(row: &Value) -> Option<Registered> {
    let key = PublicKey::from_x(text(row, "x")?).ok()?;
    Some(Registered {
        class: SignerClass::from_name(text(row, "class")?)?,
        kid: key.thumbprint(),
        key,
        state: wire::key_state(text(row, "state")?, int(row, "at")?)?,
        code: text(row, "code").map(str::to_owned),
        area: text(row, "area").map(str::to_owned),
        emergency: row.get("emergency").is_some_and(Value::is_true),
    })
}

/// Lines of a file; one without its end was never finished, so nobody was told of it.
fn lines(path: &Path) -> anyhow::Result<Vec<String>> {
    let size = std::fs::metadata(path).map_or(0, |m| m.len());
    if size > MOST {
        bail!("{}: larger than {MOST} bytes", path.display());
    }
    let text = match std::fs::read_to_string(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        other => other.with_context(|| path.display().to_string())?,
    };
    let whole = text.rfind('\n').and_then(|end| text.get(..end));
    Ok(whole.map_or_else(Vec::new, |t| t.split('\n').map(str::to_owned).collect()))
}

/// Appends a line; what an interrupted run left behind the last one goes.
fn append(path: &Path, line: &str) -> anyhow::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    let size = file.seek(SeekFrom::End(0))?;
    let mut last = [b'\n'];
    if size > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last != *b"\n" {
        let text = std::fs::read(path)?;
        let whole = text.iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1);
        file.set_len(u64::try_from(whole)?)?;
        file.seek(SeekFrom::End(0))?;
    }
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_all()?;
    Ok(())
}

/// The register as it is.
impl KeyRing for Desk {
    fn find(&self, class: SignerClass, kid: &str) -> Option<KeyEntry> {
        entry(&self.keys, class, kid)
    }
}

/// The register as if every key were in use: for tokens that were accepted when they were.
struct AsActive<'a>(&'a [Registered]);

impl KeyRing for AsActive<'_> {
    fn find(&self, class: SignerClass, kid: &str) -> Option<KeyEntry> {
        let entry = entry(self.0, class, kid)?;
        Some(KeyEntry {
            state: KeyState::Active,
            ..entry
        })
    }
}

fn entry(keys: &[Registered], class: SignerClass, kid: &str) -> Option<KeyEntry> {
    let key = keys.iter().find(|k| k.class == class && k.kid == kid)?;
    Some(KeyEntry::new(key.key.clone(), key.state))
}

impl Ledger for Desk {
    fn bindings(&self, kid: &str) -> Vec<Binding> {
        let all = self.accepted.iter();
        all.filter_map(|a| Binding::from_token(&a.token))
            .filter(|b| b.kid == kid && !self.ended(b.person(), &b.jti))
            .collect()
    }
    fn accepted(&self, sub: &str, hash: &str) -> bool {
        self.find(hash).is_some_and(|t| t.text("sub") == sub)
    }
    fn nonce_open(&self, nonce: &str) -> bool {
        let used = self.accepted.iter().any(|a| a.token.text("nonce") == nonce);
        let given = self.issued.iter().find(|i| i.nonce == nonce);
        !used && given.is_some_and(|i| i.at <= self.now && self.now <= i.at + NONCE)
    }
    fn seen(&self, jti: &str) -> bool {
        self.by_jti(jti).is_some()
    }
    fn target(&self, jti: &str) -> Option<Target> {
        let token = self.by_jti(jti)?;
        Some(Target::of(token))
    }
    fn last_seq(&self, sub: &str) -> Option<u64> {
        let own = self
            .accepted
            .iter()
            .filter(|a| a.token.typ == Typ::Objection && a.token.text("sub") == sub);
        own.filter_map(|a| a.token.int("seq")).max()
    }
    fn issued(&self, nonce: &str) -> Option<(u64, String)> {
        let given = self.issued.iter().find(|i| i.nonce == nonce)?;
        Some((given.idx, self.uri.clone()))
    }
    fn status(&self, jti: &str, _: Option<(u64, &str)>) -> StatusNow {
        // The desk keeps the revokes itself, so it decides by jti.
        let sub = self.target(jti).map(|t| t.sub).unwrap_or_default();
        if self.ended(&sub, jti) {
            StatusNow::Revoked
        } else {
            StatusNow::Valid
        }
    }
    fn grant(&self, hash: &str) -> Option<Parent> {
        let token = self.find(hash).filter(|t| t.typ == Typ::Grant)?;
        Some(Parent {
            claims: token.claims.clone(),
            status: self.status(token.text("jti"), None),
        })
    }
    fn institution(&self, kid: &str) -> Option<String> {
        let key = self.keys.iter().find(|k| k.kid == kid)?;
        key.code.clone()
    }
}

/// Days in seconds.
pub(super) const fn days(n: u64) -> u64 {
    n.saturating_mul(DAY)
}
