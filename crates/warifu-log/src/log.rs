//! The log over a store: appends, publishes, proves; replays and checks everything when opened.

use std::collections::BTreeMap;

use crate::chain::{Head, OwnLine};
use crate::clock::{Clock, Misdated};
use crate::hash::{Hash, leaf_hash};
use crate::json::Value;
use crate::line::{Chain, Entry, Kind, Line, LineError, Link, Place, leaf_data};
use crate::note::{Checkpoint, CheckpointError, NoteKey, Signer, Trust, sign_note};
use crate::promise::Promise;
use crate::proof::TlogProof;
use crate::storage::{Record, Storage};
use crate::tile::{Edge, Tile, TileError, TileNodes, read_tile};
use crate::tree::{Frontier, consistency_proof, inclusion_proof};

/// Records read at once.
const CHUNK: usize = 256;

/// A tree head that somebody keeps apart from the store: a witness, a backup, a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

/// Why a log does not open. `line` counts from 0.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError<E> {
    /// The store failed.
    #[error("the store failed")]
    Storage(E),
    /// A record does not stand where its index says.
    #[error("line {line} of the log is not in its place")]
    Misplaced {
        /// Which.
        line: u64,
    },
    /// What is kept is no line.
    #[error("line {line} of the log: {reason}")]
    Line {
        /// Which.
        line: u64,
        /// Why.
        reason: LineError,
    },
    /// A line does not follow the line of its subject before it.
    #[error("line {line} of the log does not follow the line of its subject before it")]
    Chain {
        /// Which.
        line: u64,
    },
    /// A line has another hash than its tile, and the tree is not the one that was signed or pinned.
    #[error("line {line} of the log was altered")]
    Altered {
        /// Which.
        line: u64,
    },
    /// The tree of this size has another root than the checkpoint or pin; no single line can be
    /// named.
    #[error("the log of {size} lines is not the one that was signed or pinned")]
    Root {
        /// Size of the checkpoint or pin.
        size: u64,
    },
    /// The log is shorter than the checkpoint or pin: lines from `line` on are gone.
    #[error("the log ends before line {line}, and the checkpoint or pin has {size} lines")]
    Short {
        /// First line that is missing.
        line: u64,
        /// Size of the checkpoint or pin.
        size: u64,
    },
    /// The checkpoint in the store is not believed.
    #[error("the checkpoint in the store: {0}")]
    Checkpoint(CheckpointError),
}

/// Why the log did not do as asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError<E> {
    /// The store failed; the log takes nothing more until it is opened anew.
    #[error("the store failed")]
    Storage(E),
    /// The store failed before.
    #[error("the store failed before; open the log anew")]
    Failed,
    /// A line to be hidden came without the salt of its place, or another one with it.
    #[error("a hidden line needs the salt of its place, and no other line takes one")]
    PlaceSalt,
    /// The line would be longer than a line may be.
    #[error(transparent)]
    Line(LineError),
    /// The signer did not sign, or is not the log's.
    #[error("the checkpoint was not signed")]
    Signer,
    /// No such line, or none yet in a published tree.
    #[error("there is no such line in the published tree")]
    Range,
    /// A tile is missing or has the wrong length.
    #[error("a tile is missing")]
    Tile,
}

impl<E> From<TileError<LogError<E>>> for LogError<E> {
    fn from(error: TileError<LogError<E>>) -> Self {
        match error {
            TileError::Source(e) => e,
            TileError::Form(_) => Self::Tile,
            TileError::Range => Self::Range,
        }
    }
}

/// What is handed in: an entry and the random bytes of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// What it says.
    pub entry: Entry,
    /// 16 random bytes.
    pub salt: [u8; 16],
    /// 16 more for a kind whose place is hidden ([`Chain::Hidden`]), else `None`.
    pub place_salt: Option<[u8; 16]>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Place in the log.
    pub index: u64,
    /// Leaf data.
    pub leaf: Hash,
    /// Place in the subject's chain.
    pub place: Option<Place>,
    /// Bytes of the line.
    pub line: String,
}

/// Newest line of a subject, and its index.
#[derive(Debug, Clone, Copy)]
struct Newest {
    head: Head,
    index: u64,
}

/// What a `policy` line says: what came into force, and the hash of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enacted {
    /// Its line.
    pub index: u64,
    /// `policy`, `master` and the like.
    pub what: String,
    /// Hash.
    pub hash: Hash,
}

/// The log. In memory it keeps the edge of the tree, the tiles not yet published (a checkpoint is
/// due every 1,000 lines) and some 100 bytes for each subject.
#[derive(Debug)]
pub struct Log<S> {
    storage: S,
    trust: Trust,
    tree: Frontier,
    edge: Edge,
    unpublished: BTreeMap<Tile, Vec<u8>>,
    subjects: BTreeMap<String, Newest>,
    published: Option<(Checkpoint, String)>,
    clock: Clock,
    /// The clock at the end of the published tree.
    published_clock: Clock,
    enacted: Vec<Enacted>,
    synced: u64,
    failed: bool,
    mended: u64,
}

impl<S: Storage> Log<S> {
    /// Opens a log and verifies it whole: every line, every subject's chain, the tiles, the roots
    /// of the checkpoint and of the pins. Time is linear in the lines.
    ///
    /// `trust` names the log's key; witnesses are not asked for, since the store keeps what the log
    /// signed itself. Tiles that do not fit are written again with the next checkpoint.
    pub fn open(storage: S, trust: Trust, pins: &[Pin]) -> Result<Self, OpenError<S::Error>> {
        let note = storage.checkpoint().map_err(OpenError::Storage)?;
        let published = match note {
            None => None,
            Some(note) => {
                let own = Trust::new(trust.log().clone(), Vec::new(), 0);
                let own = own.unwrap_or_else(|_| trust.clone());
                let checkpoint = own.verify(note.as_bytes()).map_err(OpenError::Checkpoint)?;
                Some((checkpoint, note))
            }
        };
        let mut heads: Vec<Pin> = pins.to_vec();
        heads.extend(published.as_ref().map(|(c, _)| Pin {
            size: c.size,
            root: c.root,
        }));
        heads.sort_by_key(|pin| pin.size);
        let synced = storage.count().map_err(OpenError::Storage)?;
        let mut log = Self {
            storage,
            trust,
            tree: Frontier::new(),
            edge: Edge::default(),
            unpublished: BTreeMap::new(),
            subjects: BTreeMap::new(),
            published,
            clock: Clock::default(),
            published_clock: Clock::default(),
            enacted: Vec::new(),
            synced,
            failed: false,
            mended: 0,
        };
        log.replay(&heads)?;
        if let Some(pin) = heads.iter().find(|pin| pin.size > synced) {
            return Err(OpenError::Short {
                line: synced,
                size: pin.size,
            });
        }
        Ok(log)
    }

    /// Takes in what another writer of the same store appended and published since; every line, and the
    /// root of what was published, is checked as when the log was opened. Gives the number of new lines.
    ///
    /// # Errors
    /// [`OpenError`]: the log must be opened anew, unless [`Self::is_whole`].
    pub fn refresh(&mut self) -> Result<u64, OpenError<S::Error>> {
        // Before the lines: what is signed meanwhile has more of them.
        let note = self.storage.checkpoint().map_err(OpenError::Storage)?;
        let has = self.storage.count().map_err(OpenError::Storage)?;
        let taken = self.take_in(has, note);
        self.failed |= taken.is_err();
        taken
    }

    /// Whether it is as the store was when it was last looked at: nothing failed halfway.
    pub fn is_whole(&self) -> bool {
        !self.failed
    }

    fn take_in(&mut self, has: u64, note: Option<String>) -> Result<u64, OpenError<S::Error>> {
        let had = self.size();
        if has < had {
            return Err(OpenError::Short {
                line: has,
                size: had,
            });
        }
        let mut heads = Vec::new();
        if let Some(note) = note.filter(|n| self.published().is_none_or(|(_, own)| own != n)) {
            let own = Trust::new(self.trust.log().clone(), Vec::new(), 0);
            let own = own.unwrap_or_else(|_| self.trust.clone());
            let checkpoint = own.verify(note.as_bytes()).map_err(OpenError::Checkpoint)?;
            let (size, root) = (checkpoint.size, checkpoint.root);
            if size > has {
                return Err(OpenError::Short { line: has, size });
            }
            if size >= had {
                heads.push(Pin { size, root });
            }
            self.published = Some((checkpoint, note));
        }
        self.synced = has;
        self.replay(&heads)?;
        Ok(has - had)
    }

    fn replay(&mut self, heads: &[Pin]) -> Result<(), OpenError<S::Error>> {
        let mut heads = heads.iter().peekable();
        loop {
            while let Some(pin) = heads.next_if(|pin| pin.size == self.tree.size()) {
                if pin.root != self.tree.root() {
                    return Err(self.name_altered(pin.size)?);
                }
            }
            let from = self.tree.size();
            if from == self.synced {
                return Ok(());
            }
            // Never past the next head, so that its root is compared, nor past the end as it was: another
            // writer goes on meanwhile.
            let ahead = heads.peek().map_or(u64::MAX, |pin| pin.size - from);
            let ahead = ahead.min(self.synced.saturating_sub(from));
            let count = usize::try_from(ahead).unwrap_or(usize::MAX).min(CHUNK);
            let records = self.storage.read(from, count).map_err(OpenError::Storage)?;
            if records.is_empty() {
                return Err(OpenError::Misplaced { line: from });
            }
            for record in &records {
                self.replay_one(record)?;
            }
        }
    }

    fn replay_one(&mut self, record: &Record) -> Result<(), OpenError<S::Error>> {
        let line = self.tree.size();
        if record.index != line {
            return Err(OpenError::Misplaced { line });
        }
        let parsed =
            Line::parse(&record.line).map_err(|reason| OpenError::Line { line, reason })?;
        let place = match (parsed.link, record.opening) {
            (Link::None, None) => None,
            (Link::Open(place), None) => Some(place),
            (Link::Hidden(chn), Some((salt, place))) if place.hidden(&salt) == chn => Some(place),
            _ => return Err(OpenError::Chain { line }),
        };
        let leaf = record.leaf();
        if let (Some(sub), Some(place)) = (parsed.entry.sub(), place) {
            let before = self.subjects.get(sub);
            if place != next_place(before) || record.back != before.map(|b| b.index) {
                return Err(OpenError::Chain { line });
            }
            self.remember(sub.to_owned(), place.n, leaf, line);
        } else if record.back.is_some() {
            return Err(OpenError::Chain { line });
        }
        let published = self.published.as_ref().map_or(0, |(c, _)| c.size);
        self.take_note(line, &parsed.entry);
        for (tile, bytes) in self.grow(leaf) {
            let kept = self.storage.tile(tile).map_err(OpenError::Storage)?;
            if kept.as_ref() != Some(&bytes) {
                if self.tree.size() <= published {
                    self.mended += 1;
                }
                self.unpublished.insert(tile, bytes);
            }
        }
        Ok(())
    }

    /// What the log itself looks at in a line: its time, and what came into force.
    fn take_note(&mut self, line: u64, entry: &Entry) {
        self.clock.tick(line, entry.at());
        if self.published.as_ref().is_some_and(|(c, _)| line < c.size) {
            self.published_clock = self.clock;
        }
        if entry.kind() == Kind::Policy
            && let (Some(Value::Text(what)), Some(Value::Text(hash))) =
                (entry.get("what"), entry.get("hash"))
            && let Some(hash) = Hash::from_url(hash)
        {
            self.enacted.push(Enacted {
                index: line,
                what: what.clone(),
                hash,
            });
        }
    }

    fn remember(&mut self, sub: String, n: u64, leaf: Hash, index: u64) {
        let head = Head { n, head: leaf };
        self.subjects.insert(sub, Newest { head, index });
    }

    fn grow(&mut self, leaf: Hash) -> Vec<(Tile, Vec<u8>)> {
        let hash = leaf_hash(&leaf.0);
        self.tree.append(hash);
        self.edge.append(hash)
    }

    /// The first line whose hash is not that of its tile, if the tiles lead to the root.
    fn name_altered(&self, size: u64) -> Result<OpenError<S::Error>, OpenError<S::Error>> {
        let mut from = 0;
        for tile in Tile::between(0, size)
            .into_iter()
            .filter(|t| t.level() == 0)
        {
            let kept = self.storage.tile(tile).map_err(OpenError::Storage)?;
            let Some(hashes) = kept.and_then(|bytes| read_tile(tile, &bytes)) else {
                break;
            };
            let records = self
                .storage
                .read(from, hashes.len())
                .map_err(OpenError::Storage)?;
            for (hash, record) in hashes.iter().zip(&records) {
                if *hash != leaf_hash(&record.leaf().0) {
                    return Ok(OpenError::Altered { line: record.index });
                }
            }
            from += u64::from(tile.width());
        }
        Ok(OpenError::Root { size })
    }

    /// Number of lines.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Root over all lines, published or not.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Tiles that did not fit the lines when the log was opened; they are written again with the
    /// next checkpoint.
    pub fn mended_tiles(&self) -> u64 {
        self.mended
    }

    /// The newest checkpoint and its signed text.
    pub fn published(&self) -> Option<(&Checkpoint, &str)> {
        self.published.as_ref().map(|(c, n)| (c, n.as_str()))
    }

    /// The first line whose time cannot be: dated before an earlier line, or after `now` (seconds UTC), or
    /// after a trusted witness saw it. A log with such a line still opens: what it says counts in the order
    /// of the lines, and nobody is kept from withdrawing by a clock that was set wrong.
    pub fn misdated(&self, now: u64) -> Option<Misdated> {
        let future = |(line, by)| Misdated::Future { line, by };
        let witnessed = self.published.as_ref().and_then(|(_, note)| {
            let at = self.trust.witnessed_at(note.as_bytes())?;
            let (line, by) = self.published_clock.beyond(at)?;
            Some(Misdated::AfterCheckpoint { line, by })
        });
        let found = [
            self.clock.back(),
            witnessed,
            self.clock.beyond(now).map(future),
        ];
        found.into_iter().flatten().next()
    }

    /// What came into force, by the `policy` lines, in their order.
    pub fn enacted(&self) -> &[Enacted] {
        &self.enacted
    }

    /// Head of a subject's chain.
    pub fn head(&self, sub: &str) -> Option<Head> {
        self.subjects.get(sub).map(|newest| newest.head)
    }

    /// The store.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Whether a checkpoint is due: 1,000 new lines, or new lines and 60 s since the last
    /// (consent.md §9.3). Times are seconds UTC.
    pub fn is_due(&self, last: u64, now: u64) -> bool {
        let new = self.size() - self.published.as_ref().map_or(0, |(c, _)| c.size);
        new >= 1_000 || new > 0 && now.saturating_sub(last) >= 60
    }

    /// Appends lines, all or none; none is acknowledged before [`Self::sync`] returned.
    pub fn append(&mut self, batch: Vec<Submission>) -> Result<Vec<Appended>, LogError<S::Error>> {
        if self.failed {
            return Err(LogError::Failed);
        }
        let mut records = Vec::with_capacity(batch.len());
        let mut done = Vec::with_capacity(batch.len());
        let mut fresh: BTreeMap<String, Newest> = BTreeMap::new();
        let mut noted = Vec::with_capacity(batch.len());
        for (index, submission) in (self.size()..).zip(batch) {
            let Submission {
                entry,
                salt,
                place_salt,
            } = submission;
            let before = entry
                .sub()
                .and_then(|s| fresh.get(s).or_else(|| self.subjects.get(s)));
            let back = before.map(|b| b.index);
            let place = next_place(before);
            let (link, opening) = match (entry.kind().chain(), place_salt) {
                (Chain::None, None) => (Link::None, None),
                (Chain::Open, None) => (Link::Open(place), None),
                (Chain::Hidden, Some(s)) => (Link::Hidden(place.hidden(&s)), Some((s, place))),
                _ => return Err(LogError::PlaceSalt),
            };
            let sub = entry.sub().map(str::to_owned);
            let written = Line { entry, link };
            let line = written.write();
            noted.push((index, written.entry));
            if line.len() > crate::line::MAX_LINE {
                return Err(LogError::Line(LineError::Size));
            }
            let leaf = leaf_data(&salt, &line);
            let place = sub.map(|sub| {
                let head = Head {
                    n: place.n,
                    head: leaf,
                };
                fresh.insert(sub, Newest { head, index });
                place
            });
            done.push(Appended {
                index,
                leaf,
                place,
                line: line.clone(),
            });
            records.push(Record {
                index,
                salt,
                opening,
                back,
                line,
            });
        }
        if let Err(error) = self.storage.append(&records) {
            self.failed = true;
            return Err(LogError::Storage(error));
        }
        self.subjects.append(&mut fresh);
        for (line, entry) in &noted {
            self.take_note(*line, entry);
        }
        for appended in &done {
            let full = self.grow(appended.leaf);
            self.unpublished.extend(full);
        }
        Ok(done)
    }

    /// Makes the lines survive; what was appended before may be acknowledged now.
    pub fn sync(&mut self) -> Result<(), LogError<S::Error>> {
        if self.failed {
            return Err(LogError::Failed);
        }
        if let Err(error) = self.storage.sync() {
            self.failed = true;
            return Err(LogError::Storage(error));
        }
        self.synced = self.size();
        Ok(())
    }

    /// Syncs, signs a checkpoint over all lines and publishes it with its tiles; gives the signed
    /// text. Without new lines the last one is given again.
    pub fn publish(&mut self, signer: &dyn Signer) -> Result<String, LogError<S::Error>> {
        self.sync()?;
        if let Some((checkpoint, note)) = &self.published
            && checkpoint.size == self.size()
            && self.unpublished.is_empty()
        {
            return Ok(note.clone());
        }
        let key = self.trust.log().clone();
        let checkpoint =
            Checkpoint::new(key.name(), self.size(), self.root()).ok_or(LogError::Signer)?;
        let note = sign_note(&checkpoint.text(), &key, signer).ok_or(LogError::Signer)?;
        let mut tiles: Vec<(Tile, Vec<u8>)> = self
            .unpublished
            .iter()
            .map(|(t, b)| (*t, b.clone()))
            .collect();
        tiles.extend(self.edge.partials());
        if let Err(error) = self.storage.publish(&tiles, &note) {
            self.failed = true;
            return Err(LogError::Storage(error));
        }
        self.unpublished.clear();
        self.published = Some((checkpoint, note.clone()));
        self.published_clock = self.clock;
        Ok(note)
    }

    /// Replaces the signed text of the newest checkpoint by one that has cosignatures of witnesses
    /// too.
    pub fn cosigned(&mut self, note: &str) -> Result<(), LogError<S::Error>> {
        if self.failed {
            return Err(LogError::Failed);
        }
        let own = self.trust.verify(note.as_bytes());
        let newest = self.published.as_ref().map(|(c, _)| c);
        if own.as_ref().ok() != newest {
            return Err(LogError::Signer);
        }
        if let Err(error) = self.storage.publish(&[], note) {
            self.failed = true;
            return Err(LogError::Storage(error));
        }
        if let Some((_, text)) = &mut self.published {
            note.clone_into(text);
        }
        Ok(())
    }

    fn tile(&self, tile: Tile) -> Result<Vec<u8>, LogError<S::Error>> {
        if let Some(bytes) = self.unpublished.get(&tile) {
            return Ok(bytes.clone());
        }
        if let Some((edge, bytes)) = self.edge.partial(tile.level())
            && edge == tile
        {
            return Ok(bytes);
        }
        let kept = self.storage.tile(tile).map_err(LogError::Storage)?;
        kept.ok_or(LogError::Tile)
    }

    #[expect(clippy::type_complexity, reason = "a closure has no shorter name")]
    fn nodes(&self) -> TileNodes<impl Fn(Tile) -> Result<Vec<u8>, LogError<S::Error>> + '_> {
        TileNodes::new(self.size(), |tile| self.tile(tile))
    }

    /// Proof that a line is in the published tree.
    pub fn prove(&self, index: u64) -> Result<TlogProof, LogError<S::Error>> {
        let (checkpoint, note) = self.published().ok_or(LogError::Range)?;
        self.prove_in(index, checkpoint.size, note)
    }

    /// Proof that a line is in the tree of an earlier checkpoint, whose size and signed text are given.
    pub fn prove_in(
        &self,
        index: u64,
        size: u64,
        note: &str,
    ) -> Result<TlogProof, LogError<S::Error>> {
        let path = inclusion_proof(&self.nodes(), index, size)?;
        Ok(TlogProof {
            index,
            extra: None,
            path: path.ok_or(LogError::Range)?,
            checkpoint: note.to_owned(),
        })
    }

    /// Proof that the tree of `old` lines is a beginning of the tree of `new` lines.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, LogError<S::Error>> {
        if new > self.size() {
            return Err(LogError::Range);
        }
        consistency_proof(&self.nodes(), old, new)?.ok_or(LogError::Range)
    }

    /// A signed promise that a line will be in a checkpoint within the longest merge delay.
    pub fn promise(
        &self,
        appended: &Appended,
        at: u64,
        key: &NoteKey,
        signer: &dyn Signer,
    ) -> Option<String> {
        if self.failed || appended.index >= self.synced {
            return None;
        }
        Promise::new(self.trust.log().name(), appended.leaf, appended.index, at).sign(key, signer)
    }

    /// All lines of a subject, oldest first, with what opens them, and their indexes.
    pub fn history(&self, sub: &str) -> Result<Vec<(u64, OwnLine)>, LogError<S::Error>> {
        self.history_after(sub, None)
    }

    /// Those of [`Self::history`] that came after a line of the log.
    pub fn history_after(
        &self,
        sub: &str,
        known: Option<u64>,
    ) -> Result<Vec<(u64, OwnLine)>, LogError<S::Error>> {
        let mut lines = Vec::new();
        let newest = self.subjects.get(sub).map(|newest| newest.index);
        let is_new = |index: &u64| known.is_none_or(|known| *index > known);
        let mut next = newest.filter(is_new);
        while let Some(index) = next {
            let records = self.storage.read(index, 1).map_err(LogError::Storage)?;
            let record = records.into_iter().next().ok_or(LogError::Range)?;
            // Indexes go down, so this ends whatever the store says.
            next = record.back.filter(|back| *back < index && is_new(back));
            let own = OwnLine {
                line: record.line,
                salt: record.salt,
                opening: record.opening,
            };
            lines.push((index, own));
        }
        lines.reverse();
        Ok(lines)
    }
}

fn next_place(before: Option<&Newest>) -> Place {
    before.map_or(Place::FIRST, |newest| Place {
        n: newest.head.n + 1,
        prev: newest.head.head,
    })
}
