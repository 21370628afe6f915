//! `warifu convert`: patients in parallel, results in order.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use warifu_convert::{
    BundleKind, Ids, JobOptions, Per, SHARED, To, TraceHit, bundle_trace, findings, part_trace,
    resource_trace,
    shared::{self, Ledger, Settled},
    type_and_id, unused,
};
use warifu_diag::{
    Diagnostic, Severity, Span,
    catalogue::{cli, map_general, ssm},
};
use warifu_map::assemble::{self, BundleType, Entries};
use warifu_map::{Converter, File, MAX_MESSAGES, Options, Output, UNREAD};
use warifu_report::Lang;
use warifu_report::finding::{Finding, Within, finding};
use warifu_report::mask::PathMask;
use warifu_ssmix2::InstitutionNumber;
use warifu_ssmix2::index::{IndexError, IndexTable};
use warifu_storage::{
    Content, FileRef, Found, PatientBatch, ReadError, Step, Steps, Storage, StorageNote,
};

use crate::config::Loaded;
use crate::inputs::Inputs;
use crate::opened::{self, Opened, Wanted};
use crate::output::{Folder, FolderError, MANIFEST_FORMAT, Piece, Shared, Spill, Unkept, hex};
use crate::progress::{Progress, grouped};
use crate::state::{Header, Totals};
use crate::stop::Stop;
use crate::strays::Strays;
use crate::{End, mistakes, say, terminal};

/// Everything `convert` was asked for.
pub(crate) struct Convert {
    pub(crate) paths: Vec<String>,
    pub(crate) job: JobOptions,
    pub(crate) out: Option<PathBuf>,
    pub(crate) fresh: bool,
    pub(crate) jobs: usize,
    pub(crate) quiet: u8,
    pub(crate) verbose: u8,
    pub(crate) progress: bool,
    pub(crate) fail_on: Option<Severity>,
    pub(crate) stdin_name: Option<String>,
    pub(crate) index: Option<PathBuf>,
    /// For paths in findings, traces and names of results.
    pub(crate) mask: Option<PathMask>,
    pub(crate) loaded: Loaded,
}

/// Findings of one code that are shown for a patient; the rest is counted.
const SHOWN: usize = 20;
/// What the receiver is to delete, where the form of the output cannot say it.
const DELETED: &str = "deleted.ndjson";

/// How many steps of the walk a worker may be ahead of what is written: bounds memory, and evens out
/// that some patients have many files.
const AHEAD: usize = 2;

/// Runs the conversion.
pub(crate) fn run(mut options: Convert, lang: Lang) -> anyhow::Result<End> {
    let (opened, inputs) = open(&options, lang)?;
    if opened.storage.has_journals_apart() {
        return Err(mistakes::refused(&cli::CLI001, &[], lang));
    }
    if opened.storage.has_messages_beside() {
        return Err(mistakes::refused(&cli::CLI002, &[], lang));
    }
    let mut about = institution(&mut options, &inputs, &opened.storage, lang)?;
    options.job.validate().map_err(|e| anyhow::anyhow!("{e}"))?;
    let stop = Stop::on_signals();
    let mut sink = match &options.out {
        Some(dir) => {
            let header = header(&options);
            match Folder::open(dir, &header, options.fresh) {
                Ok(f) => {
                    if f.has_others() && options.quiet < 2 {
                        let shown = dir.display();
                        terminal::note(&say(
                            lang,
                            &format!(
                                "{shown} には warifu convert が作っていないファイルがあります。同じ名前のものは置き換えます"
                            ),
                            &format!(
                                "{shown} has files that warifu convert did not make; those of the same name are replaced"
                            ),
                        ));
                    }
                    if f.lost() > 0 && options.quiet < 2 {
                        let (shown, lost) = (dir.display(), f.lost());
                        terminal::note(&say(
                            lang,
                            &format!(
                                "{shown} から消えたか短くなったファイルがあるため、{lost} 件を変換し直します"
                            ),
                            &format!(
                                "files in {shown} are gone or cut: converting {lost} of its patients and files again"
                            ),
                        ));
                    }
                    Sink::Folder(Box::new(f))
                }
                Err(FolderError::Other(names)) => {
                    let (shown, names) = (dir.display().to_string(), names.join(", "));
                    return Err(mistakes::refused(&cli::CLI003, &[&shown, &names], lang));
                }
                Err(FolderError::InUse) => {
                    let shown = dir.display().to_string();
                    return Err(mistakes::refused(&cli::CLI004, &[&shown], lang));
                }
                Err(FolderError::Io(e)) => bail!(mistakes::not_writable(dir, &e, lang)),
            }
        }
        None => Sink::Stdout(Box::new(Stdout {
            out: std::io::BufWriter::with_capacity(1 << 18, std::io::stdout()),
            ledger: Ledger::default(),
            log: Unkept::default(),
            totals: Totals::default(),
        })),
    };
    let mut progress = Progress::new(
        lang,
        options.progress && options.quiet == 0,
        ["変換中", "converting"],
    );
    let common = Common::new(&options, lang, &opened, &sink);
    pipeline(&common, &mut sink, &mut progress, &stop)?;
    progress.clear();
    if let Some(signal) = stop.signal() {
        match &mut sink {
            Sink::Folder(f) => f.sync()?,
            // What is out names them.
            Sink::Stdout(s) => s.settle(options.job.to, |_| ())?,
        }
        let done = sink.totals().files;
        terminal::note(&say(
            lang,
            &format!(
                "中断しました。{} 件は完了。同じコマンドで続きから再開します",
                grouped(done)
            ),
            &format!(
                "interrupted; {} files are done. The same command goes on from there",
                grouped(done)
            ),
        ));
        return Ok(End::Interrupted(signal));
    }
    if options.quiet < 2 {
        lock(&common.repeats).rest(lang);
    }
    let mut totals = sink.totals().clone();
    let nothing = totals.files == 0 && totals.unreadable == 0;
    if nothing && !lock(&common.strays).is_read() {
        bail!(lock(&common.strays).nothing(&options.paths, lang));
    }
    let mut apart = Vec::new();
    let mut differs = |settled: &Settled<'_>| {
        if settled.contradicted {
            apart.push(format!("{}/{}", settled.resource_type, settled.id));
        }
    };
    match &mut sink {
        Sink::Folder(f) => f.settle(options.job.to == To::Ndjson, &mut differs)?,
        Sink::Stdout(s) => s.settle(options.job.to, &mut differs)?,
    }
    let own = Converter::new(options.job.map_options()).option_findings();
    let nameless = common.nameless.load(Ordering::Relaxed);
    about.extend(
        own.into_iter()
            .filter(|d| nameless || d.code.code != map_general::MAP002.code)
            .map(|d| (d, String::new())),
    );
    let told = about.len();
    about.extend(apart.into_iter().map(|name| {
        let d = Diagnostic::new(&ssm::SSM183, Span::default());
        (d.with(name), String::new())
    }));
    if options.quiet < 2 {
        let shown = about.len().min(told + SHOWN);
        about_run(&options, about.get(..shown).unwrap_or_default(), lang);
        if let Some(rest) = about.len().checked_sub(shown).filter(|rest| *rest > 0) {
            let rest = u64::try_from(rest).unwrap_or(u64::MAX);
            terminal::note(&more_of(ssm::SSM183.code, rest, lang));
        }
    }
    for (d, _) in &about {
        totals
            .codes
            .entry(d.code.code.to_owned())
            .or_insert_with(|| (d.severity.word().to_owned(), 0))
            .1 += 1;
    }
    match &mut sink {
        Sink::Folder(f) => {
            let mut last = Vec::new();
            for (d, path) in &about {
                last.extend(line_of(&finding(
                    d,
                    path,
                    None,
                    options.job.language(),
                    options.job.units(),
                ))?);
            }
            let summary = json!({"format": "warifu.diagnostics/1", "end": true, "summary": summary_json(&totals)});
            last.extend(serde_json::to_vec(&summary)?);
            last.push(b'\n');
            let manifest = json!({
                "format": MANIFEST_FORMAT,
                "version": env!("CARGO_PKG_VERSION"),
                "options": options_json(&options),
                "counts": {"files": totals.files, "patients": totals.patients, "superseded": totals.superseded, "cancelled": totals.cancelled, "deletes": totals.deletes, "resources": totals.resources},
                "findings": summary_json(&totals),
            });
            f.finish(&[("diagnostics.ndjson".to_owned(), last)], &manifest)?;
        }
        Sink::Stdout(s) => s.out.flush()?,
    }
    if options.quiet == 0 {
        summary(&options, &totals, progress.seconds(), lang);
        if common.apart.load(Ordering::Relaxed) {
            terminal::note(&say(
                lang,
                "  ストレージのルートの外にあるファイルは、渡されたものだけを人ごとにまとめ、版を比べました。ほかのフォルダーの版、取り消し、入院とオーダは結び付けていません。ルート (000/000/ の一つ上) を指定してください",
                "  files that are not below the root of their storage were put together by person and their versions weighed, as far as they were given: versions, withdrawals, stays and orders of other folders are not joined. Give the root (the folder above 000/000/)",
            ));
        }
    }
    let worst = [Severity::Error, Severity::Warning, Severity::Info]
        .into_iter()
        .filter(|s| options.fail_on.is_some_and(|f| *s >= f))
        .any(|s| totals.findings(s.word()) > 0);
    Ok(if totals.unreadable > 0 {
        End::CouldNotRun
    } else if worst {
        End::Findings
    } else {
        End::Clean
    })
}

/// Tells what is said about the run and no file of it: what is shown of files, and what decides its end.
fn about_run(options: &Convert, about: &[(Diagnostic, String)], lang: Lang) {
    for (d, path) in about {
        let decides = options.fail_on.is_some_and(|f| d.severity >= f);
        let f = finding(d, path, None, lang, options.job.units());
        if decides || is_shown(options, &f) {
            let mut line = line_for(&f, lang);
            if let Some(help) = &f.help {
                line.push_str("\n  = ");
                line.push_str(&say(lang, "直し方: ", "help: "));
                line.push_str(help);
            }
            terminal::note(&line);
        }
    }
}

/// Whether a finding goes to stderr: errors always, warnings when nothing is written to a folder,
/// the rest with `-v`.
fn is_shown(options: &Convert, f: &Finding) -> bool {
    options.quiet < 2
        && (f.severity == "error"
            || options.verbose > 0
            || (options.out.is_none() && f.severity == "warning"))
}

/// A finding on stderr.
fn line_for(f: &Finding, lang: Lang) -> String {
    let path = f.primary.path.as_ref();
    let path = path.map(|p| format!(" {p}")).unwrap_or_default();
    let word = match f.severity.as_str() {
        "error" => Severity::Error,
        "warning" => Severity::Warning,
        _ => Severity::Info,
    };
    let place = if f.primary.file.is_empty() {
        String::new()
    } else {
        let start = &f.primary.start;
        format!("\n --> {}:{}:{}", f.primary.file, start.line, start.column)
    };
    format!(
        "{}[{}]:{path} {}{place}",
        say(lang, word.word_ja(), word.word()),
        f.code,
        f.message,
    )
}

/// Opens the inputs; what is hidden in paths is hidden where they are written.
fn open(options: &Convert, lang: Lang) -> anyhow::Result<(Opened, Inputs)> {
    let wanted = Wanted {
        given: options.paths.clone(),
        stdin_name: options.stdin_name.clone(),
        mask: None,
        loaded: options.loaded.clone(),
    };
    opened::open(&wanted, lang)
}

/// Settles the institution's number: what is given, else the index table, else what roots and journal
/// headers say, when it is one. Returns findings with their files.
fn institution(
    options: &mut Convert,
    inputs: &Inputs,
    storage: &Storage,
    lang: Lang,
) -> anyhow::Result<Vec<(Diagnostic, String)>> {
    let own = |n: &InstitutionNumber| n.as_str().to_owned();
    let named: BTreeSet<String> = storage.institutions().iter().map(own).collect();
    let mut listed: BTreeSet<String> = BTreeSet::new();
    let mut found = Vec::new();
    if let Some(file) = &options.index {
        listed = index_of(file, lang)?;
        if options.job.institution.is_none() && named.len() < 2 && listed.len() > 1 {
            let (shown, all) = (file.display().to_string(), list(&listed));
            return Err(mistakes::refused(&cli::CLI005, &[&shown, &all], lang));
        }
    } else {
        for file in tables_beside(inputs) {
            match index_of(&file, lang) {
                Ok(numbers) => listed.extend(numbers),
                Err(_) => found.push((
                    Diagnostic::new(&ssm::SSM108, Span::default()),
                    file.display().to_string(),
                )),
            }
        }
    }
    if options.job.institution.is_none() {
        let first = [&listed, &named].into_iter().find(|n| !n.is_empty());
        options.job.institution = first
            .filter(|n| n.len() == 1)
            .and_then(|n| n.first())
            .cloned();
    }
    if let Some(used) = &options.job.institution {
        let other: BTreeSet<String> = listed
            .union(&named)
            .filter(|n| *n != used)
            .cloned()
            .collect();
        if !other.is_empty() {
            let d = Diagnostic::new(&ssm::SSM148, Span::default());
            found.push((d.with(list(&other)), String::new()));
        }
    }
    if named.len() > 1 && options.job.ids == Ids::Readable {
        return Err(mistakes::refused(&cli::CLI006, &[&list(&named)], lang));
    }
    Ok(found)
}

fn list(numbers: &BTreeSet<String>) -> String {
    let all: Vec<&str> = numbers.iter().map(String::as_str).collect();
    all.join(", ")
}

/// Exported index tables where an export puts them.
fn tables_beside(inputs: &Inputs) -> Vec<PathBuf> {
    let mut tables = Vec::new();
    for folder in &inputs.paths {
        for base in [Some(folder.as_path()), folder.parent()]
            .into_iter()
            .flatten()
        {
            for name in [
                "SSMIXIDX.csv",
                "SSMIXIDX.tsv",
                "index/SSMIXIDX.csv",
                "index/SSMIXIDX.tsv",
            ] {
                let file = base.join(name);
                if file.is_file() && !tables.contains(&file) {
                    tables.push(file);
                }
            }
        }
    }
    tables
}

/// Institutions that an exported index table names.
fn index_of(file: &Path, lang: Lang) -> anyhow::Result<BTreeSet<String>> {
    if std::fs::symlink_metadata(file).is_err() {
        bail!(mistakes::not_found(file, lang));
    }
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    let shown = file.display().to_string();
    let refused = |ja: &str, en: &str| {
        let why = say(lang, ja, en);
        Err(mistakes::refused(&cli::CLI007, &[&shown, &why], lang))
    };
    let table = match IndexTable::new(&text) {
        Ok(table) => table,
        Err(IndexError::ColumnMissing(column)) => {
            let column = column.name();
            return refused(
                &format!("見出し行に {column} がありません"),
                &format!("its first line lacks {column}"),
            );
        }
        Err(_) => return refused("空です", "it is empty"),
    };
    let numbers: BTreeSet<String> = table
        .filter_map(|row| row.institution())
        .map(|n| n.as_str().to_owned())
        .collect();
    if numbers.is_empty() {
        return refused(
            "10 桁の FacilityID がありません",
            "it has no FacilityID of ten digits",
        );
    }
    Ok(numbers)
}

enum Sink {
    Folder(Box<Folder>),
    Stdout(Box<Stdout>),
}

struct Stdout {
    out: std::io::BufWriter<std::io::Stdout>,
    ledger: Ledger,
    log: Unkept,
    totals: Totals,
}

impl Stdout {
    /// Gives the shared resources, and writes those that have lines.
    fn settle(&mut self, to: To, mut put: impl FnMut(&Settled<'_>)) -> std::io::Result<()> {
        let out = &mut self.out;
        self.ledger.settle(&mut self.log, |settled| {
            put(settled);
            if to == To::Ndjson {
                out.write_all(settled.json)?;
                out.write_all(b"\n")?;
            }
            Ok::<(), std::io::Error>(())
        })?;
        self.out.flush()
    }
}

impl Sink {
    fn totals(&self) -> &Totals {
        match self {
            Self::Folder(f) => &f.totals,
            Self::Stdout(s) => &s.totals,
        }
    }
    fn put(&mut self, mut piece: Piece) -> std::io::Result<()> {
        match self {
            Self::Folder(f) => f.put(piece),
            Self::Stdout(s) => {
                piece.share(&mut s.ledger, &mut s.log)?;
                for (_, bytes) in &piece.files {
                    s.out.write_all(bytes)?;
                    // Lines of JP-CLINS have their end already.
                    if !bytes.ends_with(b"\n") {
                        s.out.write_all(b"\n")?;
                    }
                }
                for (name, lines) in &piece.lines {
                    // Findings have no place on stdout.
                    if name != "diagnostics.ndjson" {
                        s.out.write_all(lines)?;
                    }
                }
                s.totals.add(&piece.totals);
                Ok(())
            }
        }
    }
}

/// Walks, converts and writes in `jobs` threads, this one among them: each takes a step of the walk,
/// does all that belongs to it, and hands the result over; whoever completes the next one in order
/// writes.
fn pipeline(
    common: &Common<'_>,
    sink: &mut Sink,
    progress: &mut Progress,
    stop: &Stop,
) -> anyhow::Result<()> {
    let jobs = common.options.jobs.max(1);
    let total = progress.total();
    let line = Line {
        steps: Mutex::new((0, common.opened.storage.steps_together())),
        order: Mutex::new(Order::default()),
        moved: Condvar::new(),
        writer: Mutex::new(Writer {
            sink,
            progress,
            common,
        }),
        stop,
        ahead: jobs * AHEAD,
    };
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        if let Some(total) = total {
            let over = &over;
            scope.spawn(move || count(&common.opened.storage, &total, over));
        }
        for _ in 1..jobs {
            scope.spawn(|| line.work(&mut Worker::new(common)));
        }
        let _end = Over(&over);
        line.work(&mut Worker::new(common));
    });
    let Line {
        steps,
        order,
        writer,
        ..
    } = line;
    if let Some(error) = into_inner(order).failed {
        return Err(error);
    }
    let mut steps = into_inner(steps).1;
    if stop.signal().is_none() {
        let mut worker = Worker::new(common);
        let mut writer = into_inner(writer);
        for note in steps.counts() {
            writer.put(vec![worker.run(Found::Note(note))])?;
        }
    }
    Ok(())
}

/// Tells when the work is over, or lost.
struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Counts the files of a storage for who looks on, while they are converted; what is counted is not read.
fn count(storage: &Storage, total: &AtomicU64, over: &AtomicBool) {
    let mut files = 0;
    for found in storage.walk() {
        if over.load(Ordering::Relaxed) {
            return;
        }
        files += match found {
            Found::Patient(batch) => u64::try_from(batch.files.len()).unwrap_or(0),
            Found::Loose(..) => 1,
            Found::Note(_) => 0,
        };
    }
    total.store(files, Ordering::Relaxed);
}

/// What the threads of [`pipeline`] share.
struct Line<'p> {
    /// Number of the next step, and the walk.
    steps: Mutex<(usize, Steps<'p>)>,
    order: Mutex<Order>,
    /// Something was written, or the run ends.
    moved: Condvar,
    writer: Mutex<Writer<'p>>,
    stop: &'p Stop,
    /// How many steps may wait to be written.
    ahead: usize,
}

/// Results by the number of their step.
#[derive(Default)]
struct Order {
    next: usize,
    waiting: BTreeMap<usize, Vec<Result<Done, String>>>,
    /// Whether a thread is writing.
    writing: bool,
    failed: Option<anyhow::Error>,
    /// A thread is lost: nobody may wait for its result.
    lost: bool,
}

impl Order {
    fn is_over(&self) -> bool {
        self.lost || self.failed.is_some()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Line<'_> {
    fn work(&self, worker: &mut Worker<'_>) {
        let guard = Guard(self);
        loop {
            if self.stop.signal().is_some() {
                break;
            }
            let (n, step) = {
                let mut steps = lock(&self.steps);
                let Some(step) = steps.1.next() else { break };
                let n = steps.0;
                steps.0 += 1;
                (n, step)
            };
            let found = match step {
                Step::Found(found) => vec![found],
                Step::Patient(patient) => {
                    let listed = patient.list();
                    if listed.skipped > 0 {
                        lock(&self.steps).1.passed_over(listed.skipped);
                    }
                    listed.found
                }
            };
            let done = found.into_iter().map(|f| worker.run(f)).collect();
            if !self.hand_over(n, done) {
                break;
            }
        }
        drop(guard);
    }

    /// Queues the results of a step and writes what is next in order, unless another thread does;
    /// `false` when the run is over.
    fn hand_over(&self, n: usize, done: Vec<Result<Done, String>>) -> bool {
        let mut order = lock(&self.order);
        while n > order.next + self.ahead && !order.is_over() {
            order = self
                .moved
                .wait(order)
                .unwrap_or_else(PoisonError::into_inner);
        }
        order.waiting.insert(n, done);
        while !order.writing && !order.is_over() {
            let next = order.next;
            let Some(done) = order.waiting.remove(&next) else {
                break;
            };
            order.writing = true;
            drop(order);
            let written = lock(&self.writer).put(done);
            order = lock(&self.order);
            order.writing = false;
            order.next += 1;
            order.failed = written.err();
            self.moved.notify_all();
        }
        !order.is_over()
    }
}

/// Wakes those who wait when a thread is lost.
struct Guard<'l, 'p>(&'l Line<'p>);

impl Drop for Guard<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(&self.0.order).lost = true;
            self.0.moved.notify_all();
        }
    }
}

/// What all threads look at.
struct Common<'p> {
    options: &'p Convert,
    /// Language of what is shown; findings in files speak the job's.
    lang: Lang,
    opened: &'p Opened,
    earlier: Earlier,
    /// Whether something was converted of which nobody names the institution.
    nameless: AtomicBool,
    strays: Mutex<Strays>,
    /// What is shown of each code where nobody looks on and nothing is kept.
    repeats: Mutex<Repeats>,
    /// Whether files of a storage were met outside of one.
    apart: AtomicBool,
}

impl<'p> Common<'p> {
    fn new(options: &'p Convert, lang: Lang, opened: &'p Opened, sink: &Sink) -> Self {
        let inputs = match sink {
            Sink::Folder(f) => f.earlier_inputs(),
            Sink::Stdout(_) => BTreeSet::new(),
        };
        Self {
            options,
            lang,
            opened,
            earlier: Earlier::new(inputs),
            nameless: AtomicBool::new(false),
            strays: Mutex::default(),
            repeats: Mutex::new(Repeats::new(options)),
            apart: AtomicBool::new(false),
        }
    }
}

/// What an earlier run committed, until the first difference is met.
struct Earlier {
    inputs: BTreeSet<String>,
    counts: AtomicBool,
}

impl Earlier {
    fn new(inputs: BTreeSet<String>) -> Self {
        let counts = AtomicBool::new(!inputs.is_empty());
        Self { inputs, counts }
    }
    fn has(&self, input: &str) -> bool {
        self.counts.load(Ordering::SeqCst) && self.inputs.contains(input)
    }
    /// From here on everything is converted.
    fn leave(&self) {
        self.counts.store(false, Ordering::SeqCst);
    }
}

/// The end of the line: results in order.
struct Writer<'p> {
    sink: &'p mut Sink,
    progress: &'p mut Progress,
    common: &'p Common<'p>,
}

impl Writer<'_> {
    fn put(&mut self, done: Vec<Result<Done, String>>) -> anyhow::Result<()> {
        for result in done {
            match result {
                Ok(Done::Piece(p)) => {
                    for line in &p.shown {
                        if lock(&self.common.repeats).shows(line) {
                            self.progress.clear();
                            terminal::note(&line.text);
                        }
                    }
                    self.sink.put(p.piece)?;
                }
                Ok(Done::Unchanged(input, again)) => {
                    let skipped = match self.sink {
                        Sink::Folder(f) => f.skip(&input)?,
                        Sink::Stdout(_) => false,
                    };
                    if !skipped {
                        // Committed at another place: convert it after all.
                        self.common.earlier.leave();
                        let mut worker = Worker::new(self.common);
                        if let Ok(Done::Piece(p)) = worker.run(*again) {
                            self.sink.put(p.piece)?;
                        }
                    }
                }
                Err(message) => {
                    // A commit all the same: markers stay in step with the walk.
                    let mut piece = Piece {
                        input: "failed".to_owned(),
                        ..Piece::default()
                    };
                    piece.totals.unreadable = 1;
                    self.progress.clear();
                    terminal::note(&format!(
                        "{}: {message}",
                        say(self.common.lang, "エラー", "error")
                    ));
                    self.sink.put(piece)?;
                }
            }
        }
        let totals = self.sink.totals();
        self.progress.files(totals.files, totals.patients);
        Ok(())
    }
}

enum Done {
    Piece(Box<PieceShown>),
    /// The input is what an earlier run committed at this place.
    Unchanged(String, Box<Found>),
}

struct PieceShown {
    piece: Piece,
    shown: Vec<Shown>,
}

/// A line for stderr.
struct Shown {
    /// Code of a warning or info; empty for what is always shown.
    code: String,
    /// How many findings it counts that have no line; 0 for a finding's own.
    further: u64,
    text: String,
}

impl Shown {
    /// A line that is always shown.
    fn always(text: String) -> Self {
        Self {
            code: String::new(),
            further: 0,
            text,
        }
    }
}

/// Warnings of a run without a folder of results whose stderr is no terminal: [`SHOWN`] of a code, the rest
/// counted over the run.
struct Repeats {
    active: bool,
    /// Lines shown, and findings that were not.
    codes: BTreeMap<String, (usize, u64)>,
}

impl Repeats {
    fn new(options: &Convert) -> Self {
        let alone = options.out.is_none() && options.verbose == 0;
        Self {
            active: alone && !terminal::stderr_is_terminal(),
            codes: BTreeMap::new(),
        }
    }

    fn shows(&mut self, line: &Shown) -> bool {
        if !self.active || line.code.is_empty() {
            return true;
        }
        let (shown, rest) = self.codes.entry(line.code.clone()).or_default();
        if *shown < SHOWN && line.further == 0 {
            *shown += 1;
            return true;
        }
        *rest += line.further.max(1);
        false
    }

    /// Tells what was not shown.
    fn rest(&self, lang: Lang) {
        for (code, (_, rest)) in &self.codes {
            if *rest > 0 {
                terminal::note(&more_of(code, *rest, lang));
            }
        }
    }
}

/// Says that there are so many more of a code.
fn more_of(code: &str, rest: u64, lang: Lang) -> String {
    say(
        lang,
        &format!("{code}: ほか {} 件", grouped(rest)),
        &format!("{code}: {} more", grouped(rest)),
    )
}

/// A converter for one institution, and its options.
struct Engine {
    map_options: Options,
    converter: Converter,
}

impl Engine {
    fn new(map_options: Options) -> Self {
        Self {
            converter: Converter::new(map_options.clone()),
            map_options,
        }
    }
}

/// A file of a patient.
struct ReadIn {
    /// Path below the root of its storage.
    path: String,
    /// Path as shown.
    shown: String,
    bytes: Vec<u8>,
}

struct Worker<'o> {
    common: &'o Common<'o>,
    options: &'o Convert,
    engine: Engine,
    /// Whose engine that is: the institution of a patient in a storage of several; `None` is that of
    /// the options.
    of: Option<InstitutionNumber>,
    others: BTreeMap<Option<InstitutionNumber>, Engine>,
    out: Output,
    /// Where the records of transaction files lie that are converted, by their paths.
    within: BTreeMap<String, Within>,
    /// What cannot be read of that which is converted, by the paths shown.
    unread: Vec<(String, Diagnostic)>,
    /// Forms of shared resources that results of this worker have: the sink knows them by the time it gets
    /// a later one.
    sent: BTreeSet<u128>,
}

impl<'o> Worker<'o> {
    fn new(common: &'o Common<'o>) -> Self {
        Self {
            common,
            options: common.options,
            engine: Engine::new(common.options.job.map_options()),
            of: None,
            others: BTreeMap::new(),
            out: Output::new(),
            within: BTreeMap::new(),
            unread: Vec::new(),
            sent: BTreeSet::new(),
        }
    }

    /// Converts for this institution from here on: a patient number is a person within one only.
    fn turn_to(&mut self, number: Option<InstitutionNumber>) {
        if number.is_none() && self.options.job.institution.is_none() {
            self.common.nameless.store(true, Ordering::Relaxed);
        }
        if self.of == number {
            return;
        }
        let next = self.others.remove(&number).unwrap_or_else(|| {
            let mut own = self.options.job.map_options();
            if let Some(n) = number {
                own.institution = Some(n.as_str().to_owned());
            }
            Engine::new(own)
        });
        let last = std::mem::replace(&mut self.engine, next);
        self.others.insert(self.of, last);
        self.of = number;
    }

    fn run(&mut self, found: Found) -> Result<Done, String> {
        match found {
            Found::Patient(batch) => self.patient(batch),
            Found::Loose(file, content) => self.loose(file, content),
            Found::Note(note) => Ok(self.note(&note)),
        }
    }

    fn note(&self, note: &StorageNote) -> Done {
        let at = note.place.map(|at| format!(":{}", at.start));
        let path = if self.common.opened.has_several() {
            self.common.opened.shown_note(note)
        } else {
            note.path.clone()
        };
        let place = [path.as_str(), at.as_deref().unwrap_or_default()].concat();
        let mut piece = Piece {
            input: format!("note:{}", digest([place.as_bytes()].into_iter())),
            ..Piece::default()
        };
        lock(&self.common.strays).note(note, || match self.options.paths.as_slice() {
            [one] if one != "-" => {
                self.masked(&format!("{}/{}", one.trim_end_matches('/'), note.path))
            }
            _ => self.masked(&path),
        });
        let d = Diagnostic::new(note.code(), Span::default()).with(note.kind.slug().to_owned());
        let (mut f, mut own) = self.of_file(&d, &path);
        if let Some(at) = note.place {
            for f in [&mut f, &mut own] {
                f.primary.put(at.start, at.end, (at.line, at.column));
            }
        }
        if note.count > 1 {
            for f in [&mut f, &mut own] {
                f.message = format!("{} ({})", f.message, note.count);
            }
        }
        piece
            .totals
            .codes
            .insert(f.code.clone(), (f.severity.clone(), note.count.max(1)));
        if note.kind.is_refusal() {
            piece.totals.unreadable += 1;
        }
        piece.lines.push((
            "diagnostics.ndjson".to_owned(),
            line_of(&f).unwrap_or_default(),
        ));
        let shown = self.shown(&[own]);
        Done::Piece(Box::new(PieceShown { piece, shown }))
    }

    /// Path of a file in findings, traces and lists: below the only input, or with the input's own.
    fn name_of(&self, file: &FileRef) -> String {
        if file.record().is_none() && self.common.opened.has_several() {
            return self.common.opened.shown(file);
        }
        let path = match file.record() {
            Some(_) => file.path_in_root(),
            None => file.path(),
        };
        path.to_owned()
    }

    /// Where a record of a transaction file lies, by its path as the converter has it.
    fn record(&self, file: &FileRef) -> Option<(String, Within)> {
        let mut within = self.common.opened.within(file)?;
        if !self.common.opened.has_several() {
            within.file.clone_from(&file.record()?.journal);
        }
        file.path_in_root().clone_into(&mut within.record);
        Some((within.record.clone(), within))
    }

    /// A path as results show it.
    fn masked(&self, path: &str) -> String {
        match &self.options.mask {
            Some(mask) => mask.path(path),
            None => path.to_owned(),
        }
    }

    /// A finding about a whole file, as the files have it and as it is shown.
    fn of_file(&self, d: &Diagnostic, path: &str) -> (Finding, Finding) {
        let (path, job) = (self.masked(path), &self.options.job);
        let own = finding(d, &path, None, self.common.lang, job.units());
        (finding(d, &path, None, job.language(), job.units()), own)
    }

    /// The findings of the last conversion, in this language.
    fn findings(&self, files: &[File<'_>], lang: Lang) -> Vec<Finding> {
        let mut job = self.options.job.clone();
        job.lang = Some(if lang == Lang::Ja { "ja" } else { "en" }.to_owned());
        let mut found = findings(&self.out, files, &job);
        for f in &mut found {
            f.place(|path| self.within.get(path));
        }
        if let Some(mask) = &self.options.mask {
            for f in &mut found {
                for label in std::iter::once(&mut f.primary).chain(&mut f.secondary) {
                    label.file = mask.path(&label.file);
                    label.record = label.record.as_ref().map(|path| mask.path(path));
                }
            }
        }
        for (path, d) in &self.unread {
            found.push(finding(d, &self.masked(path), None, lang, job.units()));
        }
        found
    }

    fn read_in(&self, file: &FileRef, bytes: Vec<u8>) -> ReadIn {
        ReadIn {
            path: file.path_in_root().to_owned(),
            shown: self.name_of(file),
            bytes,
        }
    }

    fn read_all(&self, batch: &PatientBatch, buffers: &mut Vec<ReadIn>) -> Result<(), ReadError> {
        buffers.clear();
        for (number, f) in batch.files.iter().enumerate() {
            let mut bytes = Vec::new();
            // What the converter only counts need not be read.
            if number < MAX_MESSAGES {
                self.common.opened.storage.read(f, &mut bytes)?;
            }
            buffers.push(self.read_in(f, bytes));
        }
        Ok(())
    }

    fn patient(&mut self, batch: PatientBatch) -> Result<Done, String> {
        let start = std::time::Instant::now();
        let mut files = Vec::new();
        let read = match self.read_all(&batch, &mut files) {
            // A module renames while we read: list the patient again, once.
            Err(ReadError::Vanished) => {
                let again = self.common.opened.storage.refresh(&batch);
                self.read_all(&again, &mut files)
            }
            other => other,
        };
        self.unread.clear();
        let mut left = BTreeSet::new();
        if read.is_err() {
            // One bad file must not hide the others: read what can be read. The names of the rest count.
            files.clear();
            for f in &batch.files {
                let mut bytes = Vec::new();
                if let Err(e) = self.common.opened.storage.read(f, &mut bytes) {
                    UNREAD.clone_into(&mut bytes);
                    left.insert(self.name_of(f));
                    // What was left out of an archive the walk says.
                    if !matches!(e, ReadError::LeftOut) {
                        let d = Diagnostic::new(opened::unread_code(&e), Span::default());
                        self.unread.push((self.name_of(f), d.with(e.slug())));
                    }
                }
                files.push(self.read_in(f, bytes));
            }
        }
        let unreadable = u64::try_from(self.unread.len()).unwrap_or(u64::MAX);
        self.turn_to(batch.key.institution);
        if batch.is_loose() {
            batch.files.iter().for_each(|file| self.note_apart(file));
        }
        // The institution too: another storage beside this one may have changed whose number counts.
        let of = self.of.as_ref().map_or("", |n| n.as_str());
        // Where the records of a transaction file lie too: findings say it.
        let records: BTreeMap<String, Within> =
            batch.files.iter().filter_map(|f| self.record(f)).collect();
        let places = records.values().map(|w| format!("{}:{}", w.file, w.header));
        let places: Vec<String> = places.collect();
        let content = files
            .iter()
            .flat_map(|f| [f.shown.as_bytes(), f.bytes.as_slice()]);
        let input = digest(
            std::iter::once(of.as_bytes())
                .chain(content)
                .chain(places.iter().map(String::as_bytes)),
        );
        if self.common.earlier.has(&input) {
            return Ok(Done::Unchanged(input, Box::new(Found::Patient(batch))));
        }
        self.out.clear();
        self.within = records;
        let given: Vec<File<'_>> = files
            .iter()
            .map(|f| File {
                path: &f.path,
                bytes: &f.bytes,
            })
            .collect();
        let shown: Vec<File<'_>> = files
            .iter()
            .map(|f| File {
                path: &f.shown,
                bytes: &f.bytes,
            })
            .collect();
        self.engine.converter.convert_patient(&given, &mut self.out);
        let items = batch.items();
        let state = |s: warifu_ssmix2::State| {
            u64::try_from(
                items
                    .selection
                    .outcomes
                    .iter()
                    .filter(|o| o.state == s)
                    .count(),
            )
            .unwrap_or(0)
        };
        let people: BTreeSet<_> = self.out.people.iter().collect();
        let totals = Totals {
            files: u64::try_from(files.len().saturating_sub(left.len())).unwrap_or(0),
            // Another person's files in the folder are no part of this one.
            patients: u64::try_from(people.len().max(1)).unwrap_or(1),
            superseded: state(warifu_ssmix2::State::Superseded)
                + state(warifu_ssmix2::State::Duplicate)
                + state(warifu_ssmix2::State::SnapshotOld),
            cancelled: state(warifu_ssmix2::State::Cancelled) + state(warifu_ssmix2::State::Moved),
            unreadable,
            ..Totals::default()
        };
        let mut told = Vec::new();
        if self.options.verbose > 0 && self.options.quiet == 0 {
            for (item, outcome) in items.items.iter().zip(&items.selection.outcomes) {
                let why = self.why(outcome.state);
                told.extend(
                    item.files
                        .iter()
                        .map(|f| self.name_of(f))
                        .filter(|name| !left.contains(name))
                        .map(|name| format!("{why}: {}", self.masked(&name))),
                );
            }
            for f in &items.unnamed {
                told.push(format!(
                    "{}: {}",
                    self.why(warifu_ssmix2::State::Current),
                    self.masked(&self.name_of(f))
                ));
            }
        }
        if self.options.verbose > 1 && self.options.quiet == 0 {
            let ms = start.elapsed().as_millis();
            told.push(say(
                self.common.lang,
                &format!("  患者 1 人 {} 件 {ms} ms", files.len()),
                &format!("  1 patient, {} files, {ms} ms", files.len()),
            ));
        }
        self.piece(input, &shown, totals, told)
            .map_err(|e| e.to_string())
    }

    /// What became of a file, for `-v`.
    fn why(&self, state: warifu_ssmix2::State) -> String {
        use warifu_ssmix2::State as S;
        match state {
            S::Current | S::OnlyFlag2 => say(self.common.lang, "変換", "converted"),
            S::Superseded | S::Duplicate | S::SnapshotOld => {
                say(self.common.lang, "旧版", "superseded")
            }
            S::Cancelled | S::Moved => say(self.common.lang, "取り消し", "withdrawn"),
        }
    }

    fn loose(&mut self, file: FileRef, content: Content) -> Result<Done, String> {
        let mut bytes = Vec::new();
        if let Err(e) = self.common.opened.storage.read(&file, &mut bytes) {
            let mut piece = Piece {
                input: "unreadable".to_owned(),
                ..Piece::default()
            };
            piece.totals.unreadable = 1;
            let d = Diagnostic::new(opened::unread_code(&e), Span::default()).with(e.slug());
            let (f, own) = self.of_file(&d, &self.name_of(&file));
            let counted = (f.severity.clone(), 1);
            piece.totals.codes.insert(f.code.clone(), counted);
            piece.lines.push((
                "diagnostics.ndjson".to_owned(),
                line_of(&f).map_err(|e| e.to_string())?,
            ));
            return Ok(Done::Piece(Box::new(PieceShown {
                piece,
                shown: self.shown(&[own]),
            })));
        }
        self.turn_to(None);
        self.note_apart(&file);
        let name = self.name_of(&file);
        let input = digest([name.as_bytes(), bytes.as_slice()].into_iter());
        if self.common.earlier.has(&input) {
            return Ok(Done::Unchanged(
                input,
                Box::new(Found::Loose(file, content)),
            ));
        }
        self.out.clear();
        self.within.clear();
        self.unread.clear();
        let path = file.path_in_root();
        let given = [File {
            path,
            bytes: &bytes,
        }];
        self.engine.converter.convert_alone(&given, &mut self.out);
        let totals = Totals {
            files: 1,
            ..Totals::default()
        };
        let mut told = Vec::new();
        if self.options.verbose > 0 && self.options.quiet == 0 {
            told.push(format!(
                "{}: {}",
                self.why(warifu_ssmix2::State::Current),
                self.masked(&name)
            ));
        }
        let shown = [File {
            path: &name,
            bytes: &bytes,
        }];
        self.piece(input, &shown, totals, told)
            .map_err(|e| e.to_string())
    }

    /// Notes that a file of a storage was met outside of one.
    fn note_apart(&self, file: &FileRef) {
        let leaf = file.path().rsplit('/').next().unwrap_or("");
        if !self.is_given(file) && warifu_ssmix2::FileName::parse(leaf).is_ok() {
            self.common.apart.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a file was given by its name, and alone: what a shell makes of `*` names versions of one item
    /// beside each other, as a folder does.
    fn is_given(&self, file: &FileRef) -> bool {
        match self.options.paths.as_slice() {
            [path] if path == "-" => self.options.stdin_name.as_deref() == Some(file.path()),
            [path] => path.ends_with(file.path()),
            _ => false,
        }
    }

    fn piece(
        &mut self,
        input: String,
        files: &[File<'_>],
        mut totals: Totals,
        told: Vec<String>,
    ) -> anyhow::Result<Done> {
        let job = &self.options.job;
        let mut piece = Piece {
            input,
            bundles: job.to == To::Bundle,
            ..Piece::default()
        };
        let mut traced = Spill::new(self.options.out.as_deref());
        match job.to {
            To::Ndjson => {
                let mut lines: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
                for r in &self.out.resources {
                    let json = self.out.json_of(r);
                    let name = || format!("{}.ndjson", r.resource_type);
                    let key = || format!("{}/{}", r.resource_type, r.id.as_str());
                    let many = SHARED.contains(&r.resource_type);
                    if many && !self.sent.insert(shared::digest(json)) {
                        continue;
                    }
                    let mut own = Spill::default();
                    if job.trace {
                        let lines = if many { &mut own } else { &mut traced };
                        let hits = resource_trace(&self.out, r, files);
                        self.trace_lines(&name(), &key(), hits, lines)?;
                    }
                    if many {
                        piece.shared.push(Shared {
                            json: json.to_vec(),
                            trace: std::mem::take(own.bytes()),
                        });
                    } else {
                        *totals
                            .resources
                            .entry(r.resource_type.to_owned())
                            .or_insert(0) += 1;
                        let lines = lines.entry(r.resource_type).or_default();
                        lines.extend_from_slice(json);
                        lines.push(b'\n');
                    }
                }
                for (ty, bytes) in lines {
                    piece.lines.push((format!("{ty}.ndjson"), bytes));
                }
                if !self.out.deletes.is_empty() {
                    let mut line = Vec::new();
                    let entries = assemble::deletions(&self.out);
                    let name = DELETED.to_owned();
                    self.bundle(
                        &entries,
                        BundleType::Transaction,
                        &name,
                        files,
                        &mut line,
                        &mut traced,
                    )?;
                    line.push(b'\n');
                    piece.lines.push((name, line));
                }
            }
            To::Bundle => {
                let kind = match job.bundle {
                    BundleKind::Transaction => BundleType::Transaction,
                    BundleKind::Collection => BundleType::Collection,
                };
                for r in &self.out.resources {
                    *totals
                        .resources
                        .entry(r.resource_type.to_owned())
                        .or_insert(0) += 1;
                }
                let unit = job.unit(files.len());
                for (entries, kind_of) in assemble::bundles(&self.out, unit, kind) {
                    let number = usize::from(entries.message().unwrap_or(0));
                    let mut bytes = Vec::new();
                    if kind_of != kind {
                        let name = DELETED.to_owned();
                        self.bundle(&entries, kind_of, &name, files, &mut bytes, &mut traced)?;
                        bytes.push(b'\n');
                        piece.lines.push((name, bytes));
                        continue;
                    }
                    let name = match (job.per, files.get(number)) {
                        (Per::Patient, Some(f)) if totals.patients == 0 => {
                            format!("{}/{}", patient_label(&entries), self.message_name(f.path))
                        }
                        (Per::Patient, _) => format!("{}.json", patient_label(&entries)),
                        (Per::Message, Some(f)) => self.message_name(f.path),
                        (Per::Message, None) => "empty.json".to_owned(),
                    };
                    self.bundle(&entries, kind, &name, files, &mut bytes, &mut traced)?;
                    piece.files.push((name, bytes));
                }
            }
            To::Clins => {
                for mut part in warifu_map::clins::parts(&mut self.out, &self.engine.map_options) {
                    for (ty, n) in part.counts.iter() {
                        *totals.resources.entry((*ty).to_owned()).or_insert(0) += n;
                    }
                    let name = format!("{}/{}", part.patient, part.name);
                    let bytes = std::mem::take(&mut part.bytes);
                    let lines = bytes.split(|&b| b == b'\n');
                    for (line, hits) in lines.zip(part_trace(&part, files)) {
                        let (resource_type, id) = type_and_id(line);
                        self.trace_lines(
                            &name,
                            &format!("{resource_type}/{id}"),
                            hits,
                            &mut traced,
                        )?;
                    }
                    piece.files.push((name, bytes));
                }
            }
        }
        totals.deletes = u64::try_from(self.out.deletes.len())?;
        totals.unused = u64::try_from(self.out.unused.len())?;
        let found = self.findings(files, job.language());
        let mut lines = Vec::new();
        for f in &found {
            lines.extend(line_of(f)?);
            totals
                .codes
                .entry(f.code.clone())
                .or_insert_with(|| (f.severity.clone(), 0))
                .1 += 1;
        }
        piece.lines.push(("diagnostics.ndjson".to_owned(), lines));
        if job.trace {
            for mut u in unused(&self.out, files) {
                if let Some(within) = self.within.get(&u.file) {
                    u.span = u.span.map(|byte| within.byte(byte));
                    u.file.clone_from(&within.file);
                    u.record = Some(within.record.clone());
                }
                if let Some(mask) = &self.options.mask {
                    u.file = mask.path(&u.file);
                    u.record = u.record.as_ref().map(|path| mask.path(path));
                }
                let line = traced.bytes();
                serde_json::to_writer(&mut *line, &json!({"unused": u}))?;
                line.push(b'\n');
                traced.settle()?;
            }
            piece.trace = traced;
        }
        piece.totals = totals;
        let mut shown: Vec<Shown> = told.into_iter().map(Shown::always).collect();
        if self.common.lang == job.language() {
            shown.extend(self.shown(&found));
        } else if found.iter().any(|f| is_shown(self.options, f)) {
            shown.extend(self.shown(&self.findings(files, self.common.lang)));
        }
        Ok(Done::Piece(Box::new(PieceShown { piece, shown })))
    }

    /// Lines of `trace.ndjson` for one output: a Bundle, or a resource on a line of its own.
    fn trace_lines(
        &self,
        output: &str,
        resource: &str,
        hits: impl Iterator<Item = TraceHit>,
        lines: &mut Spill,
    ) -> anyhow::Result<()> {
        for mut h in hits {
            h.output = Some(output.to_owned());
            h.resource = Some(resource.to_owned());
            for span in &mut h.spans {
                if let Some(within) = self.within.get(&span.file) {
                    (span.start, span.end) = (within.byte(span.start), within.byte(span.end));
                    span.file.clone_from(&within.file);
                    span.record = Some(within.record.clone());
                }
                if let Some(mask) = &self.options.mask {
                    span.file = mask.path(&span.file);
                    span.record = span.record.as_ref().map(|path| mask.path(path));
                }
            }
            let line = lines.bytes();
            serde_json::to_writer(&mut *line, &h)?;
            line.push(b'\n');
            lines.settle()?;
        }
        Ok(())
    }

    /// Writes a Bundle and, when asked for, the lines of its trace.
    fn bundle(
        &self,
        entries: &Entries<'_>,
        kind: BundleType,
        name: &str,
        files: &[File<'_>],
        bytes: &mut Vec<u8>,
        traced: &mut Spill,
    ) -> anyhow::Result<()> {
        entries.write(&self.engine.map_options, kind, bytes);
        if self.options.job.trace {
            let (resource_type, id) = type_and_id(bytes);
            let hits = bundle_trace(entries, &self.engine.map_options, kind, files);
            self.trace_lines(name, &format!("{resource_type}/{id}"), hits, traced)?;
        }
        Ok(())
    }

    /// Lines for stderr, at most [`SHOWN`] of one code.
    fn shown(&self, found: &[Finding]) -> Vec<Shown> {
        let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut lines = Vec::new();
        let own = |code: &str, severity: &str| match severity {
            "error" => String::new(),
            _ => code.to_owned(),
        };
        for f in found.iter().filter(|f| is_shown(self.options, f)) {
            let n = seen.entry((&f.code, &f.severity)).or_insert(0);
            *n += 1;
            if *n > SHOWN {
                continue;
            }
            lines.push(Shown {
                code: own(&f.code, &f.severity),
                further: 0,
                text: line_for(f, self.common.lang),
            });
        }
        for ((code, severity), n) in seen {
            let more = u64::try_from(n.saturating_sub(SHOWN)).unwrap_or(u64::MAX);
            if more > 0 {
                lines.push(Shown {
                    code: own(code, severity),
                    further: more,
                    text: more_of(code, more, self.common.lang),
                });
            }
        }
        lines
    }

    /// The name of a message's file, below the institution where there are several.
    fn message_name(&self, path: &str) -> String {
        let name = message_name(path, self.options.mask.as_ref());
        match self.of {
            Some(institution) => format!("{institution}/{name}"),
            None => name,
        }
    }
}

/// What a patient is called in names of files.
fn patient_label(entries: &Entries<'_>) -> String {
    let id = entries.patient();
    id.map_or_else(|| "unknown".to_owned(), |id| id.as_str().to_owned())
}

/// `DIR/<data kind>/<source file name>.json`, of a file that has no name of a storage `DIR/<its
/// folders>/<folder>_<file>.json`: other paths, other names. Steps out of a folder are no folders.
fn message_name(path: &str, mask: Option<&PathMask>) -> String {
    let parts: Vec<&str> = path.split('/').filter(|p| !is_step(p)).collect();
    let (folders, leaf, kind) = match parts.as_slice() {
        [.., leaf] if kind_of(leaf).is_some() => (&[][..], (*leaf).to_owned(), kind_of(leaf)),
        [folders @ .., folder, leaf] => (folders, format!("{folder}_{leaf}"), kind_of(folder)),
        [leaf] => (&[][..], (*leaf).to_owned(), None),
        [] => (&[][..], "-".to_owned(), None),
    };
    let folders = match (kind, mask) {
        (Some(kind), _) => safe_name(kind),
        (None, None) if !folders.is_empty() => {
            let folders: Vec<String> = folders.iter().map(|f| safe_name(f)).collect();
            folders.join("/")
        }
        (None, _) => "loose".to_owned(),
    };
    let leaf = match mask {
        Some(mask) if kind.is_some() => mask.path(&leaf),
        Some(mask) => mask.path(path),
        None => leaf,
    };
    format!("{folders}/{}.json", safe_name(&leaf))
}

/// The kind that the name of an item says.
fn kind_of(name: &str) -> Option<&str> {
    let name = warifu_ssmix2::FileName::parse(name).ok()?;
    Some(name.kind)
}

/// Whether a part of a path names no folder.
fn is_step(part: &str) -> bool {
    matches!(part, "" | "." | "..")
}

/// A part of a path as one of a name below the folder of results: nothing hidden, nothing that a
/// file system takes for more.
fn safe_name(part: &str) -> String {
    let plain = |c: char| match c {
        '/' | '\\' | ':' => '_',
        c if c.is_control() => '_',
        c => c,
    };
    let safe: String = part.trim_start_matches('.').chars().map(plain).collect();
    if safe.is_empty() {
        "_".to_owned()
    } else {
        safe
    }
}

fn line_of(f: &Finding) -> anyhow::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(f)?;
    line.push(b'\n');
    Ok(line)
}

fn digest<'d>(parts: impl Iterator<Item = &'d [u8]>) -> String {
    let mut h = Sha256::new();
    for p in parts {
        h.update(u64::try_from(p.len()).unwrap_or(0).to_be_bytes());
        h.update(p);
    }
    hex(&h.finalize())
}

/// What steers the output; how a run ends (`--strict`) does not.
fn header(options: &Convert) -> Header {
    let steering = || {
        let mut all = options_json(options);
        if let Some(all) = all.as_object_mut() {
            all.remove("strict");
        }
        all
    };
    let key = options
        .job
        .id_key
        .as_deref()
        .map(|k| digest([b"id-key".as_slice(), k].into_iter()))
        .unwrap_or_default();
    // The mask's key steers paths in findings and names of files.
    let mask = options.mask.as_ref().map(|m| m.path("key"));
    let text = format!("{}|{key}|{}", steering(), mask.unwrap_or_default());
    let mut given: BTreeMap<String, serde_json::Value> = match steering() {
        serde_json::Value::Object(all) => all.into_iter().map(|(k, v)| (flag_of(&k), v)).collect(),
        _ => BTreeMap::new(),
    };
    given.remove("id-key");
    given.insert("mask-paths".to_owned(), options.mask.is_some().into());
    Header {
        format: "warifu.state/2".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        options: digest([text.as_bytes()].into_iter()),
        given,
    }
}

/// Name of an option on the command line.
fn flag_of(name: &str) -> String {
    let mut flag = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            flag.push('-');
        }
        flag.push(c.to_ascii_lowercase());
    }
    flag
}

fn options_json(options: &Convert) -> serde_json::Value {
    // The key for ids is left out by its serializer.
    serde_json::to_value(&options.job).unwrap_or_default()
}

fn summary_json(totals: &Totals) -> serde_json::Value {
    json!({"files": totals.files, "errors": totals.findings("error"), "warnings": totals.findings("warning"), "infos": totals.findings("info"), "unreadable": totals.unreadable})
}

fn summary(options: &Convert, t: &Totals, seconds: f64, lang: Lang) {
    let resources: u64 = t.resources.values().sum();
    let mut by: Vec<(&String, &u64)> = t.resources.iter().collect();
    by.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let shown: Vec<String> = by
        .iter()
        .take(5)
        .map(|(k, n)| format!("{k} {}", grouped(**n)))
        .collect();
    let more = by.len().saturating_sub(5);
    let rest = if more > 0 {
        say(
            lang,
            &format!(" · ほか {more} 種"),
            &format!(" · {more} more"),
        )
    } else {
        String::new()
    };
    let arrow = |name: &str| {
        // Where there was nothing to write there is no file.
        let out = options.out.as_ref().filter(|d| d.join(name).exists());
        out.map(|d| format!(" → {}/{name}", d.display()))
            .unwrap_or_default()
    };
    let mut codes: Vec<(&String, u64)> = t
        .codes
        .iter()
        .filter(|(_, (s, _))| s == "warning")
        .map(|(c, (_, n))| (c, *n))
        .collect();
    codes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let list: Vec<String> = codes
        .iter()
        .take(4)
        .map(|(c, n)| format!("{c} {}", grouped(*n)))
        .collect();
    let list = if list.is_empty() {
        String::new()
    } else {
        format!(" ({})", list.join(", "))
    };
    let (errors, warnings, infos) = (
        t.findings("error"),
        t.findings("warning"),
        t.findings("info"),
    );
    let counted = |n: u64, one: &str| {
        let plural = if n == 1 { "" } else { "s" };
        format!("{} {one}{plural}", grouped(n))
    };
    // Loose files are of no patient that was looked at as one.
    let (people_ja, people_en) = if t.patients == 0 {
        (String::new(), String::new())
    } else {
        (
            format!("、患者 {} 人", grouped(t.patients)),
            format!(", {}", counted(t.patients, "patient")),
        )
    };
    terminal::note(&say(
        lang,
        &format!(
            "{} ファイル → {} リソース{people_ja} ({seconds:.1} 秒)",
            grouped(t.files),
            grouped(resources),
        ),
        &format!(
            "{} → {}{people_en} ({seconds:.1} s)",
            counted(t.files, "file"),
            counted(resources, "resource"),
        ),
    ));
    if !shown.is_empty() {
        terminal::note(&format!("  {}{rest}", shown.join(" · ")));
    }
    let apart = t.codes.get(ssm::SSM103.code).map_or(0, |(_, n)| *n);
    if apart > 0 {
        terminal::note(&say(
            lang,
            &format!(
                "  PID-3 がフォルダーの患者 ID と違う {} ファイルは別の人として扱いました (SSM103)",
                grouped(apart)
            ),
            &format!(
                "  {} whose PID-3 differs from the folder's patient id: kept apart as other persons (SSM103)",
                counted(apart, "file")
            ),
        ));
    }
    if t.superseded + t.cancelled > 0 {
        terminal::note(&say(
            lang,
            &format!(
                "  旧版 {} と取り消し {} を反映",
                grouped(t.superseded),
                grouped(t.cancelled)
            ),
            &format!(
                "  {} superseded and {} withdrawn files taken into account",
                grouped(t.superseded),
                grouped(t.cancelled)
            ),
        ));
    }
    terminal::note(&say(
        lang,
        &format!(
            "  エラー {}、警告 {}{list}、情報 {}{}",
            grouped(errors),
            grouped(warnings),
            grouped(infos),
            arrow("diagnostics.ndjson")
        ),
        &format!(
            "  errors {}, warnings {}{list}, infos {}{}",
            grouped(errors),
            grouped(warnings),
            grouped(infos),
            arrow("diagnostics.ndjson")
        ),
    ));
    if options.job.trace {
        terminal::note(&say(
            lang,
            &format!(
                "  使われなかった項目 {}{}",
                grouped(t.unused),
                arrow("trace.ndjson")
            ),
            &format!(
                "  fields not used {}{}",
                grouped(t.unused),
                arrow("trace.ndjson")
            ),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_results_are_plain_and_tell_paths_apart() {
        let named = "0000990001_20260401_OML-11_000000260401011_20260401120000123_01_1";
        for (path, want) in [
            ("m", "loose/m.json"),
            ("./a/m", "loose/a_m.json"),
            ("../a/m", "loose/a_m.json"),
            ("/tmp/m", "loose/tmp_m.json"),
            ("../../evil", "loose/evil.json"),
            ("p/q/m", "p/q_m.json"),
            ("A/p/q/m", "A/p/q_m.json"),
            ("B/p/q/m", "B/p/q_m.json"),
            (".../.h/q/m", "_/h/q_m.json"),
            (r"c:\x/p/q/m", "c__x/p/q_m.json"),
            ("-", "loose/-.json"),
            ("", "loose/-.json"),
        ] {
            assert_eq!(message_name(path, None), want, "{path}");
        }
        let of_kind = format!("OML-11/{named}.json");
        assert_eq!(message_name(&format!("../x/{named}"), None), of_kind);
        let inside = format!("000/099/0000990001/20260401/OML-11/{named}/main.xml");
        let want = format!("OML-11/{named}_main.xml.json");
        assert_eq!(message_name(&inside, None), want);
    }
}
