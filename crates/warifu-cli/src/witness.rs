//! `warifu serve witness`: follows the log of a server, and signs a checkpoint only where it continues the last
//! one that it signed (consent.md §9.3).
//!
//! Whoever runs it is somebody else than the server's institution, on another machine: then the institution
//! cannot show two people two histories. It keeps its key and the last checkpoint it signed, and nothing of
//! anybody's: the tree has salted hashes alone.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{ArgMatches, Command};
use warifu_consent::json::{self, Value, object};
use warifu_consent::{SecretKey, Signer as _};
use warifu_log::{
    Checkpoint, Note, NoteKey, Purpose, Signed, Tile, TileNodes, Trust, consistency_proof, cosign,
    verify_consistency,
};
use warifu_report::Lang;
use warifu_store::private;
use zeroize::Zeroizing;

use crate::serve::{now, print, text};
use crate::stop::Stop;
use crate::words::Words;
use crate::{End, say, terminal};

/// Its key, its name, what it signed last, and the lock of the one that runs.
const KEY: &str = "witness.pem";
const NAME: &str = "witness.json";
const SEEN: &str = "seen.json";
const LOCK: &str = "lock";
/// Bytes of a tile, a note or an answer, and room.
const LONGEST: u64 = 64 << 10;
/// How often it looks, in seconds: a recipient waits two minutes for a promise to be kept.
const EVERY: u64 = 10;

/// `warifu serve witness`
pub(crate) fn command(w: Words) -> Command {
    Command::new("witness")
        .about(w.text(
            "ログの立会人になります: 前に署名した区切りの続きであることを確かめてから、サーバーの区切りに署名します",
            "Is a witness of a log: signs the server's checkpoints where they continue the one that it signed before",
        ))
        .after_help(w.text(
            "例:\n  warifu serve witness seen --name w.example.jp/log        (鍵を作り、公開鍵を表示する)\n  warifu serve init data … --witness \"$(warifu serve witness seen)\"\n  warifu serve witness seen --follow https://c.example.jp",
            "Examples:\n  warifu serve witness seen --name w.example.jp/log        (makes a key and shows its public half)\n  warifu serve init data … --witness \"$(warifu serve witness seen)\"\n  warifu serve witness seen --follow https://c.example.jp",
        ))
        .arg(w.first("DIR", "立会人の鍵と、最後に署名した区切りのフォルダー", "folder of the witness: its key, and what it signed last"))
        .arg(w.value("name", "NAME", "立会人の名。まだないフォルダーに鍵を作る", "name of the witness; makes a key in a folder that is not there"))
        .arg(
            w.value("follow", "URL", "見守るサーバーの番地", "address of the server to follow")
                .conflicts_with("name"),
        )
        .arg(
            w.value("log", "KEY", "ログの公開鍵 (省略時: 最初に見たもの)", "public key of the log (default: the one that was seen first)")
                .requires("follow"),
        )
        .arg(
            w.number("every", "SECONDS", "見る間隔 (省略時: 10 秒)", "how often it looks (default: 10)")
                .requires("follow"),
        )
        .arg(w.flag("once", "一度だけ見て終わる", "look once and end").requires("follow"))
}

/// Runs `warifu serve witness …`.
pub(crate) fn run(m: &ArgMatches, lang: Lang) -> anyhow::Result<End> {
    let folder = m.get_one::<PathBuf>("input").context("DIR")?;
    if let Some(name) = text(m, "name") {
        return print(&Witness::make(folder, name, lang)?.key().text());
    }
    let mut witness = Witness::open(folder, lang)?;
    let Some(server) = text(m, "follow") else {
        return print(&witness.key().text());
    };
    if let Some(key) = text(m, "log") {
        witness.trusts(key, lang)?;
    }
    let every = Duration::from_secs(m.get_one::<u64>("every").copied().unwrap_or(EVERY).max(1));
    let stop = Stop::on_signals();
    let server = Server::new(server);
    let mut said = String::new();
    loop {
        let line = match witness.look(&server) {
            Ok(Looked::Signed(size)) => say(
                lang,
                &format!("{size} 行までの区切りに署名しました"),
                &format!("signed the checkpoint of {size} lines"),
            ),
            Ok(Looked::Nothing) => String::new(),
            Err(Wrong::Fork(file)) => {
                let shown = file.display();
                terminal::note(&say(
                    lang,
                    &format!(
                        "このログは、前に署名した区切りの続きであることを示していません。署名しません。ログの署名のある二つの区切りを {shown} に残しました。行数が同じで根が違えば、書きかえられた証拠です。あとのほうが短ければ、行が失われたか、古い区切りが届きました"
                    ),
                    &format!(
                        "this log does not show that it continues the checkpoint that was signed before. Nothing is signed. Both, as the log signed them, are kept in {shown}; of the same size with different roots they prove that it was altered, and where the later one is shorter, lines were lost or it is an older one"
                    ),
                ));
                return Ok(End::Findings);
            }
            Err(Wrong::Failed(e)) if m.get_flag("once") => return Err(e),
            Err(Wrong::Failed(e)) => format!("{e:#}"),
        };
        // What goes on is said once.
        if !line.is_empty() && line != said {
            terminal::note(&line);
        }
        said = line;
        if m.get_flag("once") {
            return Ok(End::Clean);
        }
        for _ in 0..every.as_secs() * 10 {
            if stop.signal().is_some() {
                return Ok(End::Clean);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Looked {
    /// A checkpoint of so many lines was signed and taken.
    Signed(u64),
    /// There is none, or none that is not signed yet.
    Nothing,
}

/// Why nothing was signed.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// It is not shown to continue what was signed before; where both are kept.
    Fork(PathBuf),
    /// The server did not answer, or not so that it can be judged.
    Failed(anyhow::Error),
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fork(path) => write!(f, "{}", path.display()),
            Self::Failed(e) => write!(f, "{e:#}"),
        }
    }
}

impl From<anyhow::Error> for Wrong {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Whether a checkpoint continues another one.
#[derive(Debug, PartialEq, Eq)]
enum Judged {
    Continues,
    Forks,
}

/// The tiles are the server's; what comes of them counts only where it fits both roots.
fn judged(
    before: &Checkpoint,
    after: &Checkpoint,
    tile: impl Fn(Tile) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<Judged> {
    if after.size < before.size || after.origin != before.origin {
        return Ok(Judged::Forks);
    }
    let nodes = TileNodes::new(after.size, tile);
    let proof = consistency_proof(&nodes, before.size, after.size);
    let proof = match proof {
        Err(warifu_log::TileError::Source(e)) => return Err(e),
        Err(e) => bail!("tiles: {e}"),
        Ok(proof) => proof.context("proof")?,
    };
    let fits = verify_consistency(before.size, after.size, &proof, &before.root, &after.root);
    Ok(if fits.is_ok() {
        Judged::Continues
    } else {
        Judged::Forks
    })
}

/// The log that is followed, and the note that was signed last.
#[derive(Debug, Clone)]
struct Seen {
    trust: Trust,
    note: Option<String>,
}

/// Somebody who watches a log.
pub(crate) struct Witness {
    folder: PathBuf,
    secret: SecretKey,
    key: NoteKey,
    seen: Option<Seen>,
    /// Held while it runs: two of one key might sign two histories.
    _lock: File,
}

impl warifu_log::Signer for Witness {
    fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        warifu_consent::Signer::sign(&self.secret, message).ok()
    }
}

/// One log alone is believed here: the witnesses of the same note are somebody else's.
fn trust_in(log: &str) -> anyhow::Result<Trust> {
    let key = NoteKey::parse(log).with_context(|| log.to_owned())?;
    Ok(Trust::new(key, Vec::new(), 0)?)
}

impl Witness {
    /// Makes a witness with a fresh key in a folder that is not there, or is empty.
    pub(crate) fn make(folder: &Path, name: &str, lang: Lang) -> anyhow::Result<Self> {
        let shown = || folder.display().to_string();
        if folder.exists()
            && std::fs::read_dir(folder)
                .with_context(shown)?
                .next()
                .is_some()
        {
            bail!(say(
                lang,
                &format!("{} は空ではありません。鍵は上書きしません", shown()),
                &format!("{} is not empty; a key is never overwritten", shown()),
            ));
        }
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).context("random bytes")?;
        let secret = SecretKey::from_seed(&mut seed);
        // Before anything is written: the name may be none.
        NoteKey::new(name, Purpose::Cosignature, &secret.public().to_bytes())
            .with_context(|| format!("--name {name}"))?;
        private::folder(folder).with_context(shown)?;
        private::write(&folder.join(KEY), secret.to_pem().as_bytes()).with_context(shown)?;
        let named = object([("v", 1.into()), ("name", name.into())]);
        std::fs::write(folder.join(NAME), named.write() + "\n").with_context(shown)?;
        Self::open(folder, lang)
    }

    /// Opens one that was made.
    pub(crate) fn open(folder: &Path, lang: Lang) -> anyhow::Result<Self> {
        let context = |name: &str| folder.join(name).display().to_string();
        if !folder.join(NAME).exists() {
            bail!(say(
                lang,
                &format!(
                    "{} に立会人がありません。--name で作ってください",
                    folder.display()
                ),
                &format!("no witness in {}. Make one with --name", folder.display()),
            ));
        }
        let lock = File::create(folder.join(LOCK)).with_context(|| context(LOCK))?;
        if lock.try_lock().is_err() {
            bail!(say(
                lang,
                "この立会人は、すでに動いています",
                "this witness runs already",
            ));
        }
        let pem = private::read(&folder.join(KEY)).with_context(|| context(KEY))?;
        let pem = pem.with_context(|| {
            let shown = context(KEY);
            say(
                lang,
                &format!("ほかの人も {shown} を読めます。次を実行してください: chmod 600 {shown}"),
                &format!("others can read {shown}. Run: chmod 600 {shown}"),
            )
        })?;
        let pem = core::str::from_utf8(&pem).unwrap_or_default();
        let secret =
            SecretKey::from_pem(pem).map_err(|e| anyhow::anyhow!("{}: {e}", context(KEY)))?;
        let read = |name: &str| -> anyhow::Result<Value> {
            let bytes = std::fs::read(folder.join(name)).with_context(|| context(name))?;
            let value = json::read(bytes.trim_ascii(), 2);
            value.map_err(|_| anyhow::anyhow!("{}", context(name)))
        };
        let named = read(NAME)?;
        let name = named.get("name").and_then(Value::text);
        let name = name.with_context(|| context(NAME))?;
        let key = NoteKey::new(name, Purpose::Cosignature, &secret.public().to_bytes())?;
        // What it signed is never forgotten: one that is there and cannot be read ends it.
        let seen = if folder.join(SEEN).exists() {
            let value = read(SEEN)?;
            let of = |name: &str| value.get(name).and_then(Value::text);
            let trust = trust_in(of("log").with_context(|| context(SEEN))?)?;
            let note = of("note").map(str::to_owned);
            if let Some(note) = &note {
                trust
                    .verify(note.as_bytes())
                    .with_context(|| context(SEEN))?;
            }
            Some(Seen { trust, note })
        } else {
            None
        };
        Ok(Self {
            folder: folder.to_owned(),
            secret,
            key,
            seen,
            _lock: lock,
        })
    }

    /// Its public key, as the settings of a server name it.
    pub(crate) fn key(&self) -> &NoteKey {
        &self.key
    }

    /// Follows the log of this key, and no other.
    fn trusts(&mut self, log: &str, lang: Lang) -> anyhow::Result<()> {
        match &self.seen {
            Some(seen) if seen.trust.log().text() != log => bail!(say(
                lang,
                "この立会人は、別のログを見守っています。ログごとに立会人を作ってください",
                "this witness follows another log. Make one for each log",
            )),
            Some(_) => Ok(()),
            None => {
                let trust = trust_in(log)?;
                self.keep(Seen { trust, note: None })
            }
        }
    }

    /// Remembers; when this returned, a crash does not make it forget.
    fn keep(&mut self, seen: Seen) -> anyhow::Result<()> {
        let mut value = object([("v", 1.into()), ("log", seen.trust.log().text().into())]);
        if let (Value::Object(members), Some(note)) = (&mut value, &seen.note) {
            members.insert("note".to_owned(), note.as_str().into());
        }
        let (new, path) = (self.folder.join("seen.new"), self.folder.join(SEEN));
        let kept = File::create(&new).and_then(|mut file| {
            file.write_all((value.write() + "\n").as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&new, &path)?;
            File::open(&self.folder)?.sync_all()
        });
        kept.with_context(|| path.display().to_string())?;
        self.seen = Some(seen);
        Ok(())
    }

    /// Fetches the newest checkpoint, holds it against the last one it signed, signs and sends it.
    ///
    /// # Errors
    /// [`Wrong`]; then nothing was signed.
    pub(crate) fn look(&mut self, server: &Server) -> Result<Looked, Wrong> {
        let Some(note) = server.get("/api/log/pending")? else {
            return Ok(Looked::Nothing);
        };
        if self.seen.is_none() {
            // The first time whoever answers is believed; from then on nobody else.
            let key = server.get("/api/log/key")?.context("/api/log/key: 404")?;
            let key = json::read(&key, 4).map_err(|_| anyhow::anyhow!("/api/log/key"))?;
            let log = key
                .get("log")
                .and_then(Value::text)
                .context("/api/log/key")?;
            let trust = trust_in(log)?;
            self.keep(Seen { trust, note: None })?;
        }
        let seen = self.seen.clone().context("seen")?;
        let after = seen.trust.verify(&note);
        let after = after.context("/api/log/pending: not signed by the log that is followed")?;
        let text = String::from_utf8(note).context("/api/log/pending")?;
        if let Some(old) = &seen.note {
            let before = seen.trust.verify(old.as_bytes()).context(SEEN)?;
            let judged = judged(&before, &after, |tile| {
                let path = format!("/api/log/{}", tile.path());
                server.get(&path)?.with_context(|| format!("{path}: 404"))
            })?;
            if judged == Judged::Forks {
                return Err(Wrong::Fork(self.evidence(old, &text, after.size)?));
            }
            let is_signed = Note::parse(text.as_bytes())
                .is_ok_and(|note| matches!(note.signed(&self.key), Signed::At(_)));
            if before == after && is_signed {
                return Ok(Looked::Nothing);
            }
        }
        // Before the signature is there: what was forgotten might be signed in another form.
        self.keep(Seen {
            trust: seen.trust,
            note: Some(text.clone()),
        })?;
        let signed = cosign(&text, &self.key, self, now()).context("the signature")?;
        let body = object([("note", signed.into())]);
        match server.post("/api/log/cosignature", &body)? {
            200 => Ok(Looked::Signed(after.size)),
            // A newer one is there already.
            404 => Ok(Looked::Nothing),
            400 => Err(Wrong::Failed(anyhow::anyhow!(
                "the server does not name this witness (witnesses in server.json): {}",
                self.key.text()
            ))),
            other => Err(Wrong::Failed(anyhow::anyhow!(
                "/api/log/cosignature: {other}"
            ))),
        }
    }

    /// Keeps two checkpoints that the log signed, of which the second is not shown to continue the first.
    fn evidence(&self, before: &str, after: &str, size: u64) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(format!("fork-{size}.txt"));
        std::fs::write(&path, format!("{before}\n{after}"))
            .with_context(|| path.display().to_string())?;
        Ok(path)
    }
}

/// The server of a log.
pub(crate) struct Server {
    address: String,
    agent: ureq::Agent,
}

impl Server {
    pub(crate) fn new(address: &str) -> Self {
        let agent = crate::client::agent()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)));
        // A server on this machine has no proxy before it.
        let local = ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"];
        let agent = if local.iter().any(|l| address.starts_with(l)) {
            agent.proxy(None)
        } else {
            agent
        };
        Self {
            address: address.trim_end_matches('/').to_owned(),
            agent: agent.build().new_agent(),
        }
    }

    /// What is at a path; `None` where nothing is.
    fn get(&self, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let address = format!("{}{path}", self.address);
        let answer = self.agent.get(&address).call();
        let answer = answer.with_context(|| address.clone())?;
        match answer.status().as_u16() {
            200 => {}
            404 => return Ok(None),
            other => bail!("{address}: {other}"),
        }
        let mut bytes = Vec::new();
        let mut reader = answer
            .into_body()
            .into_with_config()
            .limit(LONGEST)
            .reader();
        reader.read_to_end(&mut bytes).with_context(|| address)?;
        Ok(Some(bytes))
    }

    fn post(&self, path: &str, body: &Value) -> anyhow::Result<u16> {
        let address = format!("{}{path}", self.address);
        let sent = self
            .agent
            .post(&address)
            .header("Content-Type", "application/json")
            .send(body.write());
        Ok(sent.with_context(|| address)?.status().as_u16())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use warifu_log::{Entry, Kind, Log, MemoryStorage, Storage as _, Submission};

    use super::*;

    struct Key(SecretKey);

    impl warifu_log::Signer for Key {
        fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
            warifu_consent::Signer::sign(&self.0, message).ok()
        }
    }

    /// A log of so many lines; those from `other` on are of another history.
    fn log(size: u64, other: u64) -> (Log<MemoryStorage>, Checkpoint) {
        let key = Key(SecretKey::from_seed(&mut [7; 32]));
        let public = key.0.public().to_bytes();
        let name = NoteKey::new("log.example/l", Purpose::Note, &public).unwrap();
        let trust = Trust::new(name, Vec::new(), 0).unwrap();
        let mut log = Log::open(MemoryStorage::default(), trust.clone(), &[]).unwrap();
        for n in 0..size {
            let what = if n < other { "policy" } else { "master" };
            let hash = warifu_consent::hash::sha256_text(&[&n.to_be_bytes()]);
            let members = [("what", what.into()), ("hash", hash.into())];
            let entry = Entry::new(Kind::Policy, 1_790_000_000 + n, None, members).unwrap();
            let submission = Submission {
                entry,
                salt: [1; 16],
                place_salt: None,
            };
            log.append(vec![submission]).unwrap();
        }
        log.sync().unwrap();
        let note = log.publish(&key).unwrap();
        let checkpoint = trust.verify(note.as_bytes()).unwrap();
        (log, checkpoint)
    }

    #[test]
    fn only_what_continues_is_a_continuation() {
        for (old, new) in [(1, 1), (1, 2), (3, 7), (255, 256), (256, 700), (300, 701)] {
            let (_, before) = log(old, u64::MAX);
            let judge = |(log, after): (Log<MemoryStorage>, Checkpoint)| {
                judged(&before, &after, |tile| {
                    let bytes = log.storage().tile(tile).unwrap();
                    bytes.context("no tile")
                })
            };
            let same = judge(log(new, u64::MAX));
            assert_eq!(same.unwrap(), Judged::Continues, "{old} {new}");
            // Another last line of the old part, or fewer lines, is no continuation.
            let forked = judge(log(new, old - 1));
            assert_eq!(forked.unwrap(), Judged::Forks, "{old} {new}");
            if old > 1 {
                assert_eq!(judge(log(old - 1, u64::MAX)).unwrap(), Judged::Forks);
            }
        }
        // Tiles that do not fit the roots prove nothing, and one that is not there is no fork.
        let (_, before) = log(3, u64::MAX);
        let (_, after) = log(7, u64::MAX);
        let (other, _) = log(7, 5);
        let forged = judged(&before, &after, |tile| {
            Ok(other.storage().tile(tile).unwrap().unwrap())
        });
        assert_eq!(forged.unwrap(), Judged::Forks);
        assert!(judged(&before, &after, |_| bail!("away")).is_err());
    }
}
