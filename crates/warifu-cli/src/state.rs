//! `DIR/.warifu-state`: what has been committed, so that a second run goes on where the first stopped.
//!
//! Line 1 names version and options; each further line is the commit marker of one patient (or loose
//! file): a digest of its input, and the length of every appended file after it. Such a file is a
//! `.part` until the run has ended. A run that finds the same header skips what is committed and
//! unchanged, cuts every file back to the last good marker and goes on; its result equals an
//! uninterrupted run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Name of the file.
pub(crate) const FILE: &str = ".warifu-state";

/// First line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) format: String,
    pub(crate) version: String,
    /// Digest of everything that steers the output.
    pub(crate) options: String,
    /// The options by the names of their flags, keys excepted.
    #[serde(default)]
    pub(crate) given: BTreeMap<String, serde_json::Value>,
}

impl Header {
    /// Flags in which another run differs, and the version.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut names = Vec::new();
        if self.version != other.version || self.format != other.format {
            names.push(format!("{} → {}", self.version, other.version));
        }
        let all: BTreeSet<&String> = self.given.keys().chain(other.given.keys()).collect();
        for name in all {
            let (old, new) = (self.given.get(name), other.given.get(name));
            if old == new {
                continue;
            }
            let shown = |v: Option<&serde_json::Value>| match v {
                None | Some(serde_json::Value::Null) => "-".to_owned(),
                Some(serde_json::Value::String(s)) => s.clone(),
                Some(v) => v.to_string(),
            };
            names.push(format!("--{name}: {} → {}", shown(old), shown(new)));
        }
        if names.is_empty() {
            // Nothing that may be written down.
            names.push("--id-key, WARIFU_MASK_KEY".to_owned());
        }
        names
    }
}

/// Totals that a resumed run goes on counting from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) files: u64,
    pub(crate) patients: u64,
    pub(crate) superseded: u64,
    pub(crate) cancelled: u64,
    pub(crate) deletes: u64,
    pub(crate) unused: u64,
    pub(crate) unreadable: u64,
    pub(crate) resources: BTreeMap<String, u64>,
    pub(crate) codes: BTreeMap<String, (String, u64)>,
}

impl Totals {
    /// Adds another count.
    pub(crate) fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.patients += other.patients;
        self.superseded += other.superseded;
        self.cancelled += other.cancelled;
        self.deletes += other.deletes;
        self.unused += other.unused;
        self.unreadable += other.unreadable;
        for (k, v) in &other.resources {
            *self.resources.entry(k.clone()).or_insert(0) += v;
        }
        for (k, (severity, n)) in &other.codes {
            self.codes
                .entry(k.clone())
                .or_insert_with(|| (severity.clone(), 0))
                .1 += n;
        }
    }
    /// Number of findings of a severity.
    pub(crate) fn findings(&self, severity: &str) -> u64 {
        self.codes
            .values()
            .filter(|(s, _)| s == severity)
            .map(|(_, n)| n)
            .sum()
    }
}

/// Commit marker of one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Commit {
    /// Digest of the job's input (paths, sizes, content).
    pub(crate) input: String,
    /// Counts of this job.
    pub(crate) totals: Totals,
    /// Lengths of the appended files after this job (only those that grew).
    pub(crate) lengths: BTreeMap<String, u64>,
    /// Whole files written by this job, and their lengths.
    pub(crate) written: BTreeMap<String, u64>,
}

impl Commit {
    /// Whether everything that this marker counts is there: nothing is missing or shorter.
    fn holds(&self, dir: &Path) -> bool {
        let length = |path: &Path| std::fs::metadata(path).map(|m| m.len()).ok();
        // A file that grows has its name when the run has ended.
        let grown = |name: &String| {
            let path = dir.join(name);
            length(&crate::output::part_of(&path)).or_else(|| length(&path))
        };
        let mut grew = self.lengths.iter();
        let mut written = self.written.iter();
        grew.all(|(name, least)| grown(name).is_some_and(|n| n >= *least))
            && written.all(|(name, exact)| length(&dir.join(name)) == Some(*exact))
    }
}

/// What an earlier run left.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    pub(crate) commits: Vec<Commit>,
    /// Bytes of the state file up to and including each commit.
    pub(crate) ends: Vec<u64>,
    pub(crate) header_end: u64,
    /// How many of the commits come before the first of which something is gone.
    pub(crate) whole: usize,
}

/// Reads the state; `Ok(None)` when there is none.
pub(crate) fn read(dir: &Path) -> std::io::Result<Option<(Header, Earlier)>> {
    let file = match File::open(dir.join(FILE)) {
        Ok(f) => f,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut reader = BufReader::new(file);
    let mut line = String::new();
    let mut at = u64::try_from(reader.read_line(&mut line)?).unwrap_or(0);
    let Ok(header) = serde_json::from_str::<Header>(&line) else {
        return Ok(None);
    };
    let mut earlier = Earlier {
        header_end: at,
        ..Earlier::default()
    };
    loop {
        line.clear();
        let n = reader.read_line(&mut line)?;
        // A line that was cut by a crash has no end or is no JSON: everything from there on is redone.
        if n == 0 || !line.ends_with('\n') {
            break;
        }
        let Ok(commit) = serde_json::from_str::<Commit>(&line) else {
            break;
        };
        at += u64::try_from(n).unwrap_or(0);
        earlier.commits.push(commit);
        earlier.ends.push(at);
    }
    let lost = earlier.commits.iter().position(|c| !c.holds(dir));
    earlier.whole = lost.unwrap_or(earlier.commits.len());
    Ok(Some((header, earlier)))
}

/// The state file, open for appending.
pub(crate) struct Writer {
    file: File,
}

impl Writer {
    /// A fresh state.
    pub(crate) fn create(dir: &Path, header: &Header) -> std::io::Result<Self> {
        let mut file = File::create(dir.join(FILE))?;
        writeln!(file, "{}", serde_json::to_string(header)?)?;
        Ok(Self { file })
    }
    /// The state of an earlier run, cut back to `length` bytes.
    pub(crate) fn resume(dir: &Path, length: u64) -> std::io::Result<Self> {
        let file = OpenOptions::new().write(true).open(dir.join(FILE))?;
        file.set_len(length)?;
        let mut file = file;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))?;
        Ok(Self { file })
    }
    /// Appends a marker.
    pub(crate) fn commit(&mut self, commit: &Commit) -> std::io::Result<()> {
        let mut line = serde_json::to_string(commit)?;
        line.push('\n');
        self.file.write_all(line.as_bytes())
    }
    /// Makes what was appended durable.
    pub(crate) fn sync(&mut self) -> std::io::Result<()> {
        self.file.sync_data()
    }
}
