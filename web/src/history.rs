//! S7 who looked: the person's lines of the log, checked on this device before they are shown.
//!
//! They are complete and in order ([`verify_history`]), each stands in the signed tree or is promised for
//! it, and that tree continues the one that this device saw last (consent.md §9.4, §9.7).

use std::collections::BTreeMap;

use warifu_consent::json::{self, Value, object};
use warifu_log::{
    ChainError, Checkpoint, CheckpointError, Entry, Hash, Head, Kind, Line, Link, MERGE_DELAY,
    Note, NoteKey, OwnLine, Pin, Place, Promise, Signed, Tile, TileError, TileNodes, TlogProof,
    Trust, consistency_proof, decode_url, leaf_data, leaf_hash, verify_consistency, verify_history,
    verify_inclusion,
};

/// Seconds by which clocks may differ, and an answer may be late.
const TOLERANCE: u64 = 60;

/// What this device remembers of the log between two visits. None of it is a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// Key of the log, `name+id+key`; empty before the first time.
    pub log: String,
    /// The newest tree.
    pub pin: Option<Pin>,
    /// Whose lines.
    pub sub: String,
    /// The newest of them.
    pub head: Option<Head>,
    /// Number of the first one that the person has not looked at.
    pub seen: u64,
}

impl Kept {
    /// What [`Self::write`] wrote; nothing is remembered where it is something else.
    pub fn read(text: &str) -> Self {
        let read = || {
            let v = json::read(text.as_bytes(), 2).ok()?;
            let text = |name: &str| v.get(name).and_then(Value::text);
            let int = |name: &str| v.get(name).and_then(Value::int);
            let pin = int("size").zip(text("root").and_then(Hash::from_base64));
            let head = int("n").zip(text("head").and_then(Hash::from_url));
            Some(Self {
                log: text("log")?.to_owned(),
                pin: pin.map(|(size, root)| Pin { size, root }),
                sub: text("sub")?.to_owned(),
                head: head.map(|(n, head)| Head { n, head }),
                seen: int("seen")?,
            })
        };
        read().unwrap_or_default()
    }

    /// As text.
    pub fn write(&self) -> String {
        let mut v = object([
            ("log", self.log.as_str().into()),
            ("sub", self.sub.as_str().into()),
            ("seen", self.seen.into()),
        ]);
        if let Value::Object(members) = &mut v {
            if let Some(pin) = self.pin {
                members.insert("size".to_owned(), pin.size.into());
                members.insert("root".to_owned(), pin.root.base64().into());
            }
            if let Some(head) = self.head {
                members.insert("n".to_owned(), head.n.into());
                members.insert("head".to_owned(), head.head.url().into());
            }
        }
        v.write()
    }
}

/// A line, and its number among the person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub n: u64,
    /// Its leaf in the tree.
    pub leaf: Hash,
    /// What it says.
    pub entry: Entry,
    /// How much went out, by the server's word alone: it stands beside the line and nothing proves it.
    pub counts: Option<Counts>,
}

/// How many records went out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Each once.
    pub items: u64,
    /// By the category that each stands under.
    pub of: BTreeMap<String, u64>,
    /// Where it begins in the answer that it is a further page of; 0 for the first.
    pub from: u64,
}

impl Counts {
    fn read(v: &Value) -> Option<Self> {
        let rows = v.get("of")?.items().iter();
        let rows = rows.map(|r| Some((r.get("cat")?.text()?.to_owned(), r.get("n")?.int()?)));
        Some(Self {
            items: v.get("items")?.int()?,
            of: rows.collect::<Option<_>>()?,
            from: v.get("from").and_then(Value::int).unwrap_or_default(),
        })
    }

    /// With those of the page before it.
    pub fn and(mut self, other: &Self) -> Self {
        self.from = other.from;
        self.items = self.items.saturating_add(other.items);
        for (cat, n) in &other.of {
            let all = self.of.entry(cat.clone()).or_default();
            *all = all.saturating_add(*n);
        }
        self
    }
}

impl Row {
    /// A member that is a text.
    pub fn text(&self, name: &str) -> &str {
        let value = self.entry.get(name);
        value.and_then(|v| v.text()).unwrap_or_default()
    }

    /// A member that is a list.
    pub fn list(&self, name: &str) -> Vec<String> {
        match self.entry.get(name) {
            Some(warifu_log::Value::List(all)) => all.clone(),
            _ => Vec::new(),
        }
    }

    /// Whether somebody looked, or wanted to.
    pub fn is_look(&self) -> bool {
        matches!(
            self.entry.kind(),
            Kind::Disclose | Kind::Refuse | Kind::BreakGlass
        )
    }

    /// Whether what went out was nothing.
    pub fn is_empty(&self) -> bool {
        self.entry.kind() == Kind::Disclose && self.list("cats").iter().all(|c| c == "none")
    }

    /// The person, or who acts for them.
    pub fn is_own(&self) -> bool {
        self.text("basis") == "SELF"
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A line is another one than was written.
    Altered,
    /// Lines are missing.
    Missing,
    /// This device was shown another log before.
    Fork,
    /// The log did not sign.
    Unsigned,
    /// Too few witnesses signed.
    Witnesses,
}

/// What the check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All lines are proven.
    Good {
        /// Witnesses that signed at least.
        witnesses: usize,
    },
    /// The newest lines are promised only.
    Wait {
        /// When they are proven.
        by: u64,
    },
    /// Not to be believed.
    Bad(Cause),
}

/// The person's lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Oldest first; empty where they are not to be believed.
    pub rows: Vec<Row>,
    /// Whether they are.
    pub verdict: Verdict,
    /// When that was looked at.
    pub at: u64,
}

impl History {
    /// Emergencies that opened records and that the person has not looked at.
    pub fn emergencies(&self, seen: u64) -> impl Iterator<Item = &Row> {
        let all = self.rows.iter().rev();
        let all = all.filter(move |r| r.entry.kind() == Kind::BreakGlass && r.n >= seen);
        all.filter(|r| !self.in_vain(r))
    }

    /// What was said of an emergency afterwards, by its reviewers and by the person, oldest first.
    pub fn reviews<'h>(&'h self, of: &Row) -> impl Iterator<Item = &'h Row> {
        let leaf = of.leaf.url();
        let all = self.rows.iter();
        all.filter(move |r| r.entry.kind() == Kind::Review && r.text("of") == leaf)
    }

    /// What an emergency opened: the disclosures on its ground until its institution asserted the next one.
    pub fn opened_by<'h>(&'h self, asserted: &Row) -> impl Iterator<Item = &'h Row> {
        let (from, code) = (asserted.n, asserted.entry.rcp().map(str::to_owned));
        let after = self.rows.iter().filter(move |r| r.n > from);
        let own = after.filter(move |r| r.entry.rcp() == code.as_deref());
        let until = own.take_while(|r| r.entry.kind() != Kind::BreakGlass);
        let out = until.filter(|r| r.entry.kind() == Kind::Disclose && !r.is_empty());
        out.filter(|r| r.text("basis") == "EMERGENCY")
    }

    /// Whether an emergency that was asserted opened nothing: what its institution got next was a refusal,
    /// or nothing at all.
    pub fn in_vain(&self, asserted: &Row) -> bool {
        let mut after = self.rows.iter().filter(|r| r.n > asserted.n);
        let next = after.find(|r| {
            r.entry.rcp() == asserted.entry.rcp()
                && matches!(r.entry.kind(), Kind::Disclose | Kind::Refuse)
        });
        next.is_some_and(|r| r.entry.kind() == Kind::Refuse || r.is_empty())
    }
}

/// What a check needs.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// `GET /log/key`
    pub key: &'a Value,
    /// `GET /log/mine`
    pub mine: &'a Value,
    /// Pseudonym.
    pub sub: &'a str,
    /// Leaves that receipts name for a number.
    pub receipts: &'a [(u64, Hash)],
    /// What is remembered.
    pub kept: &'a Kept,
    /// Tiles of the tree, as far as they were asked for, by path.
    pub tiles: &'a BTreeMap<String, Vec<u8>>,
    /// Seconds UTC.
    pub now: u64,
}

/// How far a check came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This tile has to be asked for first.
    Needs(String),
    /// The lines, and what is to be remembered from now on where they are believed.
    Done(History, Option<Kept>),
}

/// Why it stopped.
enum Stop {
    Needs(String),
    Bad(Cause),
}

impl From<Cause> for Stop {
    fn from(cause: Cause) -> Self {
        Self::Bad(cause)
    }
}

/// Checks.
pub fn check(c: &Check<'_>) -> Found {
    let (at, rows) = (c.now, Vec::new());
    match believed(c) {
        Ok((rows, verdict, kept)) => Found::Done(History { rows, verdict, at }, Some(kept)),
        Err(Stop::Needs(path)) => Found::Needs(path),
        Err(Stop::Bad(cause)) => {
            let verdict = Verdict::Bad(cause);
            Found::Done(History { rows, verdict, at }, None)
        }
    }
}

fn believed(c: &Check<'_>) -> Result<(Vec<Row>, Verdict, Kept), Stop> {
    let (trust, witnesses) = trust(c.key).ok_or(Cause::Unsigned)?;
    let log = trust.log().text();
    if !c.kept.log.is_empty() && c.kept.log != log {
        return Err(Cause::Fork.into());
    }
    if c.mine.get("sub").and_then(Value::text) != Some(c.sub) {
        return Err(Cause::Altered.into());
    }
    let given = c.mine.get("lines").ok_or(Cause::Missing)?.items();
    let own: Option<Vec<OwnLine>> = given.iter().map(|l| own_line(l.get("own")?)).collect();
    let own = own.ok_or(Cause::Altered)?;
    let pinned = c.kept.head.filter(|_| c.kept.sub == c.sub);
    let head = verify_history(c.sub, &own, pinned, &[]).map_err(cause_of)?;
    let mut rows = Vec::new();
    let mut state = Proofs::new(&trust);
    for (given, own) in given.iter().zip(&own) {
        let line = Line::parse(&own.line).map_err(|_| Cause::Altered)?;
        let leaf = leaf_data(&own.salt, &own.line);
        state.take(given, leaf, line.entry.at(), c.now)?;
        let ((Link::Open(place), _) | (_, Some((_, place)))) = (line.link, own.opening) else {
            return Err(Cause::Altered.into());
        };
        let said = c.receipts.iter().filter(|(n, _)| *n == place.n);
        if said.into_iter().any(|(_, known)| *known != leaf) {
            return Err(Cause::Fork.into());
        }
        rows.push(Row {
            n: place.n,
            leaf,
            entry: line.entry,
            counts: given.get("counts").and_then(Counts::read),
        });
    }
    let next = head.map_or(0, |h| h.n + 1);
    if c.receipts.iter().any(|(n, _)| *n >= next) {
        return Err(Cause::Missing.into());
    }
    let pin = match &state.checkpoint {
        None => c.kept.pin,
        Some((_, checkpoint)) => Some(continues(c, checkpoint)?),
    };
    let verdict = match state.wait {
        None => Verdict::Good { witnesses },
        Some(by) => Verdict::Wait { by },
    };
    let kept = Kept {
        log,
        pin,
        sub: c.sub.to_owned(),
        head,
        seen: if c.kept.sub == c.sub { c.kept.seen } else { 0 },
    };
    Ok((rows, verdict, kept))
}

fn trust(key: &Value) -> Option<(Trust, usize)> {
    let log = NoteKey::parse(key.get("log")?.text()?).ok()?;
    let witnesses = key.get("witnesses")?.texts();
    let witnesses: Option<Vec<NoteKey>> = witnesses.map(|w| NoteKey::parse(w).ok()).collect();
    let quorum = usize::try_from(key.get("quorum")?.int()?).ok()?;
    Some((Trust::new(log, witnesses?, quorum).ok()?, quorum))
}

fn own_line(v: &Value) -> Option<OwnLine> {
    let text = |name: &str| v.get(name).and_then(Value::text);
    let opening = match text("place_salt") {
        None => None,
        Some(salt) => {
            let place = Place {
                n: v.get("n")?.int()?,
                prev: Hash::from_url(text("prev")?)?,
            };
            Some((decode_url(salt)?, place))
        }
    };
    Some(OwnLine {
        line: text("line")?.to_owned(),
        salt: decode_url(text("salt")?)?,
        opening,
    })
}

fn cause_of(error: ChainError) -> Cause {
    match error {
        ChainError::Gap { .. } | ChainError::Cut { .. } | ChainError::NotShown(_) => Cause::Missing,
        ChainError::Forked { .. } => Cause::Fork,
        _ => Cause::Altered,
    }
}

/// Proofs and promises of lines, one after the other.
struct Proofs<'t> {
    trust: &'t Trust,
    /// The one tree that all proofs lead to, and the note that says so: its signature is checked once.
    checkpoint: Option<(String, Checkpoint)>,
    last: Option<u64>,
    wait: Option<u64>,
}

impl<'t> Proofs<'t> {
    fn new(trust: &'t Trust) -> Self {
        Self {
            trust,
            checkpoint: None,
            last: None,
            wait: None,
        }
    }

    fn take(&mut self, given: &Value, leaf: Hash, at: u64, now: u64) -> Result<(), Cause> {
        let index = given.get("index").and_then(Value::int);
        let index = index.ok_or(Cause::Altered)?;
        if self.last.is_some_and(|last| index <= last) {
            return Err(Cause::Altered);
        }
        self.last = Some(index);
        let text = |name: &str| given.get(name).and_then(Value::text);
        match (text("proof"), text("promise")) {
            (Some(proof), None) => self.proof(proof, leaf, index),
            (None, Some(promise)) => self.promise(promise, leaf, index, at, now),
            _ => Err(Cause::Missing),
        }
    }

    fn proof(&mut self, text: &str, leaf: Hash, index: u64) -> Result<(), Cause> {
        let proof = TlogProof::parse(text.as_bytes()).ok_or(Cause::Altered)?;
        if proof.index != index || self.wait.is_some() {
            // What is promised stands behind everything that is proven.
            return Err(Cause::Altered);
        }
        let checkpoint = match &self.checkpoint {
            Some((note, known)) if *note == proof.checkpoint => known,
            Some(_) => return Err(Cause::Fork),
            None => {
                let known = self.trust.verify(proof.checkpoint.as_bytes());
                let known = known.map_err(|e| match e {
                    CheckpointError::Quorum | CheckpointError::WitnessSignature => Cause::Witnesses,
                    _ => Cause::Unsigned,
                })?;
                &self.checkpoint.insert((proof.checkpoint, known)).1
            }
        };
        let hash = leaf_hash(&leaf.0);
        verify_inclusion(&hash, index, checkpoint.size, &proof.path, &checkpoint.root)
            .map_err(|_| Cause::Altered)
    }

    fn promise(
        &mut self,
        text: &str,
        leaf: Hash,
        index: u64,
        at: u64,
        now: u64,
    ) -> Result<(), Cause> {
        let note = Note::parse(text.as_bytes()).map_err(|_| Cause::Unsigned)?;
        let Signed::At(_) = note.signed(self.trust.log()) else {
            return Err(Cause::Unsigned);
        };
        let promise = Promise::parse(note.text()).ok_or(Cause::Unsigned)?;
        if promise.origin != self.trust.log().name()
            || promise.leaf != leaf
            || promise.index != index
        {
            return Err(Cause::Altered);
        }
        // The line is not promised for ever: a promise counts from when the line was written.
        let by = at.saturating_add(MERGE_DELAY);
        if now > by.saturating_add(TOLERANCE) {
            return Err(Cause::Missing);
        }
        self.wait = Some(self.wait.map_or(by, |w| w.max(by)));
        Ok(())
    }
}

/// Whether a tree continues the one that is remembered; gives the one to remember.
fn continues(c: &Check<'_>, new: &Checkpoint) -> Result<Pin, Stop> {
    let Checkpoint { size, root, .. } = new;
    let pin = Pin {
        size: *size,
        root: *root,
    };
    let Some(old) = c.kept.pin else {
        return Ok(pin);
    };
    if old.size > *size {
        // A tree never becomes smaller.
        return Err(Cause::Missing.into());
    }
    let nodes = TileNodes::new(*size, |tile: Tile| {
        let path = tile.path();
        c.tiles.get(&path).cloned().ok_or(path)
    });
    let path = match consistency_proof(&nodes, old.size, *size) {
        Ok(Some(path)) => path,
        Err(TileError::Source(path)) => return Err(Stop::Needs(path)),
        _ => return Err(Cause::Fork.into()),
    };
    verify_consistency(old.size, *size, &path, &old.root, root).map_err(|_| Cause::Fork)?;
    Ok(pin)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod tests {
    use warifu_consent::{SecretKey, Signer as _};
    use warifu_log::{Appended, Log, MemoryStorage, Purpose, Storage as _, Submission};

    use super::*;

    const SUB: &str = "s1.EBESExQVFhcYGRobHB0eHw";
    const OTHER: &str = "s1.AAAAAAAAAAAAAAAAAAAAAA";
    const NAME: &str = "c.example.jp/consent-log";
    const NOW: u64 = 1_800_000_000;

    struct Signs(SecretKey);

    impl warifu_log::Signer for Signs {
        fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
            self.0.sign(message).ok()
        }
    }

    struct World {
        signs: Signs,
        key: NoteKey,
        log: Log<MemoryStorage>,
        count: u8,
    }

    impl World {
        fn new() -> Self {
            let signs = Signs(SecretKey::from_seed(&mut [5; 32]));
            let key = NoteKey::new(NAME, Purpose::Note, &signs.0.public().to_bytes()).unwrap();
            let trust = Trust::new(key.clone(), vec![], 0).unwrap();
            let log = Log::open(MemoryStorage::default(), trust, &[]).unwrap();
            Self {
                signs,
                key,
                log,
                count: 0,
            }
        }

        fn line(&mut self, kind: Kind, sub: &str, at: u64) -> Appended {
            self.count += 1;
            let hash = Hash([self.count; 32]).url();
            let words = |w: &str| warifu_log::Value::List(vec![w.to_owned()]);
            let entry = match kind {
                Kind::Grant => Entry::new(kind, at, Some(sub), [("tok", hash.as_str().into())]),
                _ => Entry::new(
                    kind,
                    at,
                    Some(sub),
                    [
                        ("rcp", "mi:1312345678".into()),
                        ("role", "doctor".into()),
                        ("pur", words("TREAT")),
                        ("cats", words("inf.rx")),
                        ("basis", "GRANT".into()),
                        ("grants", warifu_log::Value::List(Vec::new())),
                        ("areq", hash.as_str().into()),
                    ],
                ),
            };
            let hidden = kind.chain() == warifu_log::Chain::Hidden;
            let submission = Submission {
                entry: entry.unwrap(),
                salt: [self.count; 16],
                place_salt: hidden.then_some([self.count; 16]),
            };
            let line = self.log.append(vec![submission]).unwrap().remove(0);
            self.log.sync().unwrap();
            line
        }

        fn publish(&mut self) {
            self.log.publish(&self.signs).unwrap();
        }

        fn key(&self) -> Value {
            object([
                ("log", self.key.text().into()),
                ("witnesses", Value::Array(Vec::new())),
                ("quorum", 0.into()),
            ])
        }

        /// What `GET /log/mine` answers.
        fn mine(&self) -> Value {
            let published = self.log.published().map_or(0, |(c, _)| c.size);
            let lines = self.log.history(SUB).unwrap().into_iter();
            let lines = lines.map(|(index, own)| {
                let text = warifu_log::api::write_own_line(&own);
                let own_value = json::read(text.as_bytes(), 2).unwrap();
                let leaf = leaf_data(&own.salt, &own.line);
                let (name, by) = if index < published {
                    ("proof", self.log.prove(index).unwrap().write())
                } else {
                    let promise = Promise::new(NAME, leaf, index, NOW);
                    ("promise", promise.sign(&self.key, &self.signs).unwrap())
                };
                object([
                    ("index", index.into()),
                    ("own", own_value),
                    (name, by.into()),
                ])
            });
            object([
                ("sub", SUB.into()),
                ("lines", Value::Array(lines.collect())),
            ])
        }

        fn tile(&self, path: &str) -> Vec<u8> {
            let tile = Tile::parse(path).unwrap();
            self.log.storage().tile(tile).unwrap().unwrap()
        }

        /// Checks, with every tile that is asked for.
        fn check(&self, mine: &Value, kept: &Kept, receipts: &[(u64, Hash)]) -> Found {
            let mut tiles = BTreeMap::new();
            loop {
                let found = check(&Check {
                    key: &self.key(),
                    mine,
                    sub: SUB,
                    receipts,
                    kept,
                    tiles: &tiles,
                    now: NOW,
                });
                let Found::Needs(path) = found else {
                    return found;
                };
                let body = self.tile(&path);
                assert_eq!(tiles.insert(path, body), None, "asked for twice");
            }
        }
    }

    fn done(found: Found) -> (History, Kept) {
        match found {
            Found::Done(history, Some(kept)) => (history, kept),
            other => panic!("{other:?}"),
        }
    }

    fn bad(found: Found) -> Cause {
        match found {
            Found::Done(
                History {
                    verdict: Verdict::Bad(cause),
                    rows,
                    ..
                },
                None,
            ) => {
                assert!(rows.is_empty());
                cause
            }
            other => panic!("{other:?}"),
        }
    }

    /// Changes a text of the line at this place.
    fn change(mine: &Value, at: usize, path: &[&str], how: impl Fn(&str) -> String) -> Value {
        fn go(v: &mut Value, path: &[&str], how: &dyn Fn(&str) -> String) {
            let Value::Object(members) = v else {
                panic!("not an object")
            };
            let inside = members.get_mut(path[0]).unwrap();
            if path.len() > 1 {
                go(inside, &path[1..], how);
            } else {
                *inside = how(inside.text().unwrap()).into();
            }
        }
        let mut mine = mine.clone();
        let Value::Object(members) = &mut mine else {
            panic!("not an object")
        };
        let Some(Value::Array(lines)) = members.get_mut("lines") else {
            panic!("no lines")
        };
        go(&mut lines[at], path, &how);
        mine
    }

    fn without(mine: &Value, at: usize) -> Value {
        let mut lines = mine.get("lines").unwrap().items().to_vec();
        lines.remove(at);
        object([("sub", SUB.into()), ("lines", Value::Array(lines))])
    }

    fn world() -> World {
        let mut w = World::new();
        for n in 0..5 {
            w.line(Kind::Grant, OTHER, NOW - 1000 + n);
        }
        w.line(Kind::Grant, SUB, NOW - 900);
        w.line(Kind::Disclose, SUB, NOW - 800);
        w.line(Kind::Grant, OTHER, NOW - 700);
        w.line(Kind::Disclose, SUB, NOW - 600);
        w.publish();
        w
    }

    #[test]
    fn proven_lines_are_shown_and_the_newest_are_promised() {
        let mut w = world();
        let (history, kept) = done(w.check(&w.mine(), &Kept::default(), &[]));
        assert_eq!(history.verdict, Verdict::Good { witnesses: 0 });
        assert_eq!(history.rows.len(), 3);
        assert_eq!(history.rows[1].text("rcp"), "mi:1312345678");
        assert_eq!(history.rows[1].list("cats"), ["inf.rx"]);
        assert_eq!(
            (kept.pin.unwrap().size, kept.head.unwrap().n),
            (9, history.rows[2].n)
        );
        assert_eq!(Kept::read(&kept.write()), kept);
        assert_eq!(Kept::read("{}"), Kept::default());
        let newest = w.line(Kind::Grant, SUB, NOW - 20);
        let (history, later) = done(w.check(&w.mine(), &kept, &[]));
        assert_eq!(history.verdict, Verdict::Wait { by: NOW + 100 });
        assert_eq!((later.pin, history.rows.len()), (kept.pin, 4));
        let said = [(newest.place.unwrap().n, newest.leaf)];
        done(w.check(&w.mine(), &kept, &said));
        w.publish();
        // Tiles show that the new tree continues the one that was seen.
        let mine = w.mine();
        let (history, newest) = done(w.check(&mine, &later, &said));
        assert_eq!(history.verdict, Verdict::Good { witnesses: 0 });
        // Offline there are none, and with what was remembered then none are needed.
        let (key, tiles) = (w.key(), BTreeMap::new());
        let offline = |kept| Check {
            key: &key,
            mine: &mine,
            sub: SUB,
            receipts: &said,
            kept,
            tiles: &tiles,
            now: NOW,
        };
        assert!(matches!(check(&offline(&later)), Found::Needs(_)));
        assert_eq!(done(check(&offline(&newest))).0, history);
    }

    #[test]
    fn a_tree_of_many_lines_continues_the_one_before() {
        let mut w = world();
        let (_, kept) = done(w.check(&w.mine(), &Kept::default(), &[]));
        for n in 0..600 {
            w.count = 10;
            w.line(Kind::Grant, OTHER, NOW - 500 + n / 2);
        }
        w.publish();
        let (_, later) = done(w.check(&w.mine(), &kept, &[]));
        assert_eq!(later.pin.unwrap().size, 609);
    }

    #[test]
    fn what_was_altered_left_out_or_told_otherwise_is_found() {
        let mut w = world();
        let mine = w.mine();
        let none = Kept::default();
        let (_, kept) = done(w.check(&mine, &none, &[]));
        let line = ["own", "line"];
        let other = change(&mine, 1, &line, |l| l.replace("1312345678", "1312345670"));
        // The next line hangs on it; at the end of the chain the proof finds it.
        assert_eq!(bad(w.check(&other, &none, &[])), Cause::Altered);
        let last = change(&mine, 2, &line, |l| l.replace("inf.rx", "inf.lab"));
        assert_eq!(bad(w.check(&last, &none, &[])), Cause::Altered);
        assert_eq!(bad(w.check(&without(&mine, 1), &none, &[])), Cause::Missing);
        // The end that is cut off is missed by who saw it, or has a receipt.
        let cut = without(&mine, 2);
        done(w.check(&cut, &none, &[]));
        assert_eq!(bad(w.check(&cut, &kept, &[])), Cause::Missing);
        let head = kept.head.unwrap();
        assert_eq!(
            bad(w.check(&cut, &none, &[(head.n, head.head)])),
            Cause::Missing
        );
        assert_eq!(
            bad(w.check(&mine, &none, &[(head.n, Hash([1; 32]))])),
            Cause::Fork
        );
        // Another log: another tree of the same size, another key.
        let mut fork = kept.clone();
        fork.pin = Some(Pin {
            size: 9,
            root: Hash([1; 32]),
        });
        assert_eq!(bad(w.check(&mine, &fork, &[])), Cause::Fork);
        fork.pin = Some(Pin {
            size: 8,
            root: Hash([1; 32]),
        });
        assert_eq!(bad(w.check(&mine, &fork, &[])), Cause::Fork);
        fork.pin = Some(Pin {
            size: 10,
            root: Hash([1; 32]),
        });
        assert_eq!(bad(w.check(&mine, &fork, &[])), Cause::Missing);
        let mut fork = kept.clone();
        fork.log = "c.example.jp/consent-log+00000000+AAAA".to_owned();
        assert_eq!(bad(w.check(&mine, &fork, &[])), Cause::Fork);
        // A checkpoint that somebody else signed.
        let unsigned = change(&mine, 0, &["proof"], |p| {
            p.replace("\u{2014} c.ex", "\u{2014} d.ex")
        });
        assert_eq!(bad(w.check(&unsigned, &none, &[])), Cause::Unsigned);
        // A line that is promised for ever.
        w.line(Kind::Grant, SUB, NOW - MERGE_DELAY - TOLERANCE - 1);
        assert_eq!(bad(w.check(&w.mine(), &kept, &[])), Cause::Missing);
        // Lines of somebody else are not this person's.
        let body = object([("sub", OTHER.into()), ("lines", Value::Array(Vec::new()))]);
        assert_eq!(bad(w.check(&body, &none, &[])), Cause::Altered);
    }
}
