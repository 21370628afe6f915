//! Versions of the policy and of the master of facilities. What was shown and signed names a version by its
//! number, so a number stands for one content for ever: the log has the hash of each that came into force
//! (line `policy`, as a server writes it), and `versions/HASH` its bytes.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use warifu_consent::json::Value;
use warifu_consent::{Master, Policy, hash, peek};
use warifu_log::{Enacted, Entry, Kind};

use super::desk::{Book, Desk};
use super::{Cx, replace};

/// Folder of the desk.
pub(super) const FOLDER: &str = "versions";

/// What has versions, by the name in the line, and its file.
const FILES: [(&str, &str); 2] = [("policy", "policy.json"), ("master", "master.json")];

enum Content {
    Policy(Box<Policy>),
    Master(Master),
}

impl Content {
    fn what(&self) -> &'static str {
        match self {
            Self::Policy(_) => "policy",
            Self::Master(_) => "master",
        }
    }
    fn version(&self) -> u64 {
        match self {
            Self::Policy(p) => p.version,
            Self::Master(m) => m.version,
        }
    }
}

/// A content that is or was in force.
struct Version {
    hash: String,
    content: Content,
}

/// What is wrong with a file of the desk, or with what is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Breach {
    /// The file says other than before under the same number: the name of the file, the number, and where
    /// the content that was in force is kept.
    Changed(&'static str, u64, String),
    /// Its number is lower than one that was in force.
    Older(&'static str, u64),
    /// A new version would judge anew what was signed under the one before: the member to blame.
    Breaks(String),
    /// The bytes of a version that was in force are missing or altered: its hash.
    Lost(String),
    /// The log does not tell of a version that was in force: its hash.
    Unheard(String),
    /// The log does not tell of the file that is to be used: its name.
    Unlogged(&'static str),
}

impl Breach {
    /// Stable name.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Changed(..) => "VERSION_CHANGED",
            Self::Older(..) => "VERSION_OLDER",
            Self::Breaks(_) => "VERSION_BREAKS",
            Self::Lost(_) => "VERSION_LOST",
            Self::Unheard(_) => "VERSION_UNHEARD",
            Self::Unlogged(_) => "VERSION_UNLOGGED",
        }
    }

    /// What it is and what to do.
    pub(super) fn told(&self, cx: &Cx<'_>) -> String {
        let code = self.code();
        let told = match self {
            Self::Changed(file, n, kept) => cx.say(
                &format!("{file} は版 {n} のまま書き換えられています。示した文と同意は版の番号で決まるので、使いません。変更するなら version を {next} にし、そうでなければ {FOLDER}/{kept} の内容に戻してください", next = n + 1),
                &format!("{file} was changed and is still version {n}. What was shown and signed names that number, so the file is not used. Give it version {next}, or restore it from {FOLDER}/{kept}", next = n + 1),
            ),
            Self::Older(file, n) => cx.say(
                &format!("{file} は、使われていた版 {n} より古い版です。{FOLDER} にある新しい版に戻すか、version を {next} にしてください", next = n + 1),
                &format!("{file} is older than version {n}, which was in force. Restore the newer one from {FOLDER}, or give it version {next}", next = n + 1),
            ),
            Self::Breaks(member) => cx.say(
                &format!("policy.json の {member} が、前の版で署名されたものの意味を変えます。文や種類の表を変えるときは texts を上げ、前の表を earlier に残してください (docs/consent.md)"),
                &format!("{member} of policy.json would change what was signed under the version before. To change texts or the table of categories, raise texts and keep the table before under earlier (docs/consent.md)"),
            ),
            Self::Lost(hash) => cx.say(
                &format!("使われていた版の控え {FOLDER}/{hash} がないか、書き換えられています。控えから戻してください"),
                &format!("{FOLDER}/{hash}, a version that was in force, is missing or was altered. Restore it from a copy"),
            ),
            Self::Unheard(hash) => cx.say(
                &format!("使われていた版 {FOLDER}/{hash} の行がログにありません。ログを控えから戻してください (確かめる: warifu consent log verify)"),
                &format!("the log lacks the line of {FOLDER}/{hash}, which was in force. Restore the log from a copy (to check it: warifu consent log verify)"),
            ),
            Self::Unlogged(file) => cx.say(
                &format!("{file} が使われた記録がログにありません。同意の求めや判断のコマンドで使うと記録されます"),
                &format!("the log does not tell of {file}. A command that asks or decides logs it before it uses it"),
            ),
        };
        format!("{code}: {told}")
    }
}

/// All versions that are kept, and the files in force.
pub(super) struct Versions {
    folder: PathBuf,
    kept: Vec<Version>,
    /// Bytes and hashes of the files, in the order of [`FILES`].
    current: [(Vec<u8>, String); 2],
    damaged: Option<Breach>,
}

impl Versions {
    /// Reads what is kept under the desk's folder.
    pub(super) fn read(root: &Path, policy: Vec<u8>, master: Vec<u8>) -> anyhow::Result<Self> {
        let of = |bytes: Vec<u8>| {
            let hash = hash::sha256_text(&[&bytes]);
            (bytes, hash)
        };
        let mut versions = Self {
            folder: root.join(FOLDER),
            kept: Vec::new(),
            current: [of(policy), of(master)],
            damaged: None,
        };
        let mut names = Vec::new();
        match std::fs::read_dir(&versions.folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(e).with_context(|| versions.folder.display().to_string()),
            Ok(entries) => {
                for entry in entries {
                    names.push(entry?.file_name().to_string_lossy().into_owned());
                }
            }
        }
        names.sort_unstable();
        // What an interrupted write left behind is no version.
        for name in names.into_iter().filter(|n| n.len() == 43) {
            let bytes = std::fs::read(versions.folder.join(&name))?;
            let content = Policy::read(&bytes).map(Box::new).map(Content::Policy).ok();
            let content = content.or_else(|| {
                let master = Master::read(bytes.trim_ascii())?;
                Some(Content::Master(master))
            });
            match content {
                Some(content) if hash::sha256_text(&[&bytes]) == name => {
                    versions.kept.push(Version {
                        hash: name,
                        content,
                    });
                }
                _ => versions.damaged = Some(Breach::Lost(name)),
            }
        }
        Ok(versions)
    }

    fn of(&self, what: &'static str) -> impl Iterator<Item = &Version> {
        self.kept.iter().filter(move |v| v.content.what() == what)
    }

    fn newest(&self, what: &'static str) -> Option<&Version> {
        self.of(what).max_by_key(|v| v.content.version())
    }

    /// What is wrong with the files, as far as what is kept tells.
    pub(super) fn breach(&self, policy: &Policy, master: &Master) -> Option<Breach> {
        if self.damaged.is_some() {
            return self.damaged.clone();
        }
        let numbers = [policy.version, master.version];
        for (((what, file), (_, hash)), number) in FILES.into_iter().zip(&self.current).zip(numbers)
        {
            let same = self.of(what).find(|v| v.content.version() == number);
            if let Some(other) = same.filter(|v| v.hash != *hash) {
                return Some(Breach::Changed(file, number, other.hash.clone()));
            }
            let Some(newest) = self.newest(what) else {
                continue;
            };
            if number < newest.content.version() {
                return Some(Breach::Older(file, newest.content.version()));
            }
            if let Content::Policy(before) = &newest.content
                && number > before.version
                && let Err(blame) = policy.follows(before)
            {
                return Some(Breach::Breaks(blame.0));
            }
        }
        None
    }

    /// What is wrong between the log and the files: a version that was in force and is not kept, or a file
    /// that the log does not have as the newest.
    pub(super) fn against(&self, book: &Book) -> Option<Breach> {
        for enacted in book.enacted().iter().filter(|e| is_ours(e)) {
            let hash = enacted.hash.url();
            let here = self.current.iter().any(|(_, own)| *own == hash);
            if !here && !self.kept.iter().any(|v| v.hash == hash) {
                return Some(Breach::Lost(hash));
            }
        }
        let logged = |hash: &str| book.enacted().iter().any(|e| e.hash.url() == hash);
        // The line is written before the copy, so a copy without its line had one.
        if let Some(kept) = self.kept.iter().find(|v| !logged(&v.hash)) {
            return Some(Breach::Unheard(kept.hash.clone()));
        }
        for ((what, file), (_, hash)) in FILES.into_iter().zip(&self.current) {
            let newest = book.enacted().iter().rfind(|e| e.what == what);
            if newest.is_none_or(|e| e.hash.url() != *hash) {
                return Some(Breach::Unlogged(file));
            }
        }
        None
    }

    /// The master of that version, where it is kept.
    fn master(&self, number: u64) -> Option<&Master> {
        self.of("master").find_map(|v| match &v.content {
            Content::Master(m) if m.version == number => Some(m),
            _ => None,
        })
    }
}

fn is_ours(enacted: &Enacted) -> bool {
    FILES.iter().any(|(what, _)| *what == enacted.what)
}

impl Desk {
    /// Opens the desk for a command that shows, judges or decides: what it does so by is logged first, and
    /// kept.
    pub(super) fn in_force(cx: &Cx<'_>) -> anyhow::Result<Self> {
        let mut desk = Self::open(cx)?;
        let book = desk.book(cx, &[])?;
        let breach = desk.versions.against(&book);
        drop(book);
        match breach {
            None => {}
            Some(Breach::Unlogged(_)) => desk.enact(cx)?,
            Some(breach) => anyhow::bail!(breach.told(cx)),
        }
        desk.keep_versions()?;
        Ok(desk)
    }

    fn enact(&self, cx: &Cx<'_>) -> anyhow::Result<()> {
        let book = self.book(cx, &[])?;
        let newest = |what: &str| {
            let last = book.enacted().iter().rfind(|e| e.what == what);
            last.map(|e| e.hash.url())
        };
        let logged = FILES.map(|(what, _)| newest(what));
        drop(book);
        for (((what, _), (_, hash)), logged) in
            FILES.into_iter().zip(&self.versions.current).zip(logged)
        {
            if logged.as_ref() != Some(hash) {
                let members = [("what", what.into()), ("hash", hash.as_str().into())];
                self.line(cx, Entry::new(Kind::Policy, cx.now, None, members)?)?;
            }
        }
        Ok(())
    }

    fn keep_versions(&mut self) -> anyhow::Result<()> {
        let contents = [
            Content::Policy(Box::new(self.policy.clone())),
            Content::Master(self.master.clone()),
        ];
        for (content, (bytes, hash)) in contents.into_iter().zip(&self.versions.current) {
            if self.versions.kept.iter().any(|v| v.hash == *hash) {
                continue;
            }
            std::fs::create_dir_all(&self.versions.folder)?;
            replace(&self.versions.folder.join(hash), bytes)?;
            self.versions.kept.push(Version {
                hash: hash.clone(),
                content,
            });
        }
        Ok(())
    }

    /// The master that a token's text was made with, where it is kept; else the one in force.
    pub(super) fn master_of(&self, token: &str) -> &Master {
        let claims = peek(token).ok().map(|(_, claims)| claims);
        let named = claims.and_then(|c| c.get("txt")?.get("m").and_then(Value::int));
        let kept = named.and_then(|m| self.versions.master(m));
        kept.unwrap_or(&self.master)
    }
}
