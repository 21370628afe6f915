//! `warifu convert`: patients in parallel, results in order.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use anyhow::{Context as _, bail};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use warifu_convert::{BundleKind, JobOptions, Per, To, clins_trace, findings, trace};
use warifu_diag::{Code, Severity, catalogue::ssm};
use warifu_map::assemble::{self, BundleType};
use warifu_map::{Converter, File, MAX_MESSAGES, Options, Output};
use warifu_report::Lang;
use warifu_report::finding::{Finding, finding};
use warifu_report::mask::PathMask;
use warifu_storage::{Content, FileRef, Found, PatientBatch, ReadError, Storage, StorageNote};

use crate::config::Loaded;
use crate::inputs::{self, Inputs};
use crate::output::{Folder, FolderError, Piece, hex};
use crate::progress::{Progress, grouped};
use crate::state::{Header, Totals};
use crate::stop::Stop;
use crate::{End, say, terminal};

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

/// One unit of work: a patient, or a loose file.
enum Work {
    Patient(PatientBatch),
    Loose(FileRef, Content),
    Note(StorageNote),
}

/// Resources that patients share: written once a run.
const SHARED: [&str; 4] = [
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
];

/// Findings of one code that are shown for a patient; the rest is counted.
const SHOWN: usize = 20;

/// How many units may be under way: bounds memory, keeps two cores busy.
const WINDOW: usize = 32;

/// Runs the conversion.
pub(crate) fn run(mut options: Convert, lang: Lang) -> anyhow::Result<End> {
    let (storage, inputs) = open(&options, lang)?;
    if options.job.institution.is_none() {
        options.job.institution = institution(&options, &inputs, &storage)?;
    }
    options.job.validate().map_err(|e| anyhow::anyhow!("{e}"))?;
    let stop = Stop::on_signals();
    let mut sink = match &options.out {
        Some(dir) => {
            let header = header(&options);
            match Folder::open(dir, &header, options.fresh) {
                Ok(f) => Sink::Folder(Box::new(f)),
                Err(FolderError::OtherOptions) => {
                    let shown = dir.display();
                    bail!(say(
                        lang,
                        &format!(
                            "{shown} は別の設定で作られています。--fresh で作り直すか、別の --out を指定してください"
                        ),
                        &format!(
                            "{shown} was made with other options; use --fresh to make it again, or another --out"
                        ),
                    ))
                }
                Err(FolderError::Io(e)) => {
                    return Err(e).with_context(|| dir.display().to_string());
                }
            }
        }
        None => Sink::Stdout(Box::new(Stdout {
            out: std::io::BufWriter::with_capacity(1 << 18, std::io::stdout()),
            seen: BTreeSet::new(),
            totals: Totals::default(),
        })),
    };
    let mut progress = Progress::new(
        lang,
        options.progress && options.quiet == 0,
        ["変換中", "converting"],
    );
    let option_findings = Converter::new(options.job.map_options()).option_findings();
    let looked_at = AtomicU64::new(0);
    pipeline(
        &storage,
        &options,
        &mut sink,
        &mut progress,
        &stop,
        &looked_at,
        lang,
    )?;
    progress.clear();
    if let Some(signal) = stop.signal() {
        if let Sink::Folder(f) = &mut sink {
            f.sync()?;
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
    let mut totals = sink.totals().clone();
    if totals.files == 0 && totals.unreadable == 0 {
        let shown = options.paths.join(" ");
        let looked = looked_at.load(Ordering::SeqCst);
        bail!(say(
            lang,
            &format!(
                "{shown} に SS-MIX2 も FHIR も見つかりません (調べたファイル {looked})。標準化ストレージなら 000/000/ の一つ上のフォルダーを指定してください。"
            ),
            &format!(
                "no SS-MIX2 or FHIR in {shown} ({looked} files looked at). For a standard storage give the folder above 000/000/."
            ),
        ));
    }
    for d in &option_findings {
        totals
            .codes
            .entry(d.code.code.to_owned())
            .or_insert_with(|| (d.severity.word().to_owned(), 0))
            .1 += 1;
    }
    match &mut sink {
        Sink::Folder(f) => {
            let mut last = Vec::new();
            for d in &option_findings {
                last.extend(line_of(&finding(
                    d,
                    "",
                    None,
                    options.job.language(),
                    options.job.units(),
                ))?);
            }
            let summary = json!({"format": "warifu.diagnostics/1", "end": true, "summary": summary_json(&totals)});
            last.extend(serde_json::to_vec(&summary)?);
            last.push(b'\n');
            let manifest = json!({
                "format": "warifu.manifest/1",
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

fn open(options: &Convert, lang: Lang) -> anyhow::Result<(Storage, Inputs)> {
    let name = options.stdin_name.as_deref();
    inputs::open(&options.paths, name, &options.loaded, lang)
}

/// The institution's number where no flag and no file gives it: the index table, else what roots and
/// journal headers say, when it is one.
fn institution(
    options: &Convert,
    inputs: &Inputs,
    storage: &Storage,
) -> anyhow::Result<Option<String>> {
    let mut tables: Vec<PathBuf> = options.index.iter().cloned().collect();
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
                let f = base.join(name);
                if f.is_file() && options.index.is_none() {
                    tables.push(f);
                }
            }
        }
    }
    let mut found: BTreeSet<String> = BTreeSet::new();
    for t in &tables {
        let bytes = std::fs::read(t).with_context(|| t.display().to_string())?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Ok(table) = warifu_ssmix2::index::IndexTable::new(&text) {
            found.extend(
                table
                    .filter_map(|r| r.institution())
                    .map(|n| n.as_str().to_owned()),
            );
        }
    }
    if found.is_empty() {
        found.extend(storage.institutions().iter().map(|n| n.as_str().to_owned()));
    }
    Ok(if found.len() == 1 {
        found.into_iter().next()
    } else {
        None
    })
}

enum Sink {
    Folder(Box<Folder>),
    Stdout(Box<Stdout>),
}

struct Stdout {
    out: std::io::BufWriter<std::io::Stdout>,
    seen: BTreeSet<String>,
    totals: Totals,
}

impl Sink {
    fn totals(&self) -> &Totals {
        match self {
            Self::Folder(f) => &f.totals,
            Self::Stdout(s) => &s.totals,
        }
    }
    fn put(&mut self, piece: Piece) -> std::io::Result<()> {
        match self {
            Self::Folder(f) => f.put(piece),
            Self::Stdout(s) => {
                let mut totals = piece.totals;
                for (key, _, line) in &piece.shared {
                    if s.seen.insert(key.clone()) {
                        s.out.write_all(line)?;
                        *totals
                            .resources
                            .entry(key.split('/').next().unwrap_or("").to_owned())
                            .or_insert(0) += 1;
                    }
                }
                for (name, lines) in &piece.lines {
                    // Findings and traces have no place on stdout.
                    if name != "diagnostics.ndjson" && name != "trace.ndjson" {
                        s.out.write_all(lines)?;
                    }
                }
                for (_, bytes) in &piece.files {
                    s.out.write_all(bytes)?;
                    s.out.write_all(b"\n")?;
                }
                s.totals.add(&totals);
                Ok(())
            }
        }
    }
}

fn pipeline(
    storage: &Storage,
    options: &Convert,
    sink: &mut Sink,
    progress: &mut Progress,
    stop: &Stop,
    looked_at: &AtomicU64,
    lang: Lang,
) -> anyhow::Result<()> {
    let workers = options.jobs.max(1);
    let earlier: Arc<Vec<String>> = Arc::new(match sink {
        Sink::Folder(f) => f.earlier_inputs(),
        Sink::Stdout(_) => Vec::new(),
    });
    let (job_in, job_out) = mpsc::sync_channel::<(usize, Work)>(WINDOW);
    let job_out = Arc::new(Mutex::new(job_out));
    let (done_in, done_out) = mpsc::channel::<(usize, Result<Done, String>)>();
    let (token_in, token_out) = mpsc::sync_channel::<()>(WINDOW * 2);
    std::thread::scope(|scope| -> anyhow::Result<()> {
        scope.spawn(move || {
            let mut walk = storage.walk();
            for n in 0.. {
                if stop.signal().is_some() {
                    break;
                }
                let Some(found) = walk.next() else { break };
                let work = match found {
                    Found::Patient(b) => Work::Patient(b),
                    Found::Loose(f, c) => Work::Loose(f, c),
                    Found::Note(note) => Work::Note(note),
                };
                // A token a unit: the reorder buffer below never holds more than the window.
                if token_in.send(()).is_err() || job_in.send((n, work)).is_err() {
                    break;
                }
            }
            looked_at.store(walk.looked_at(), Ordering::SeqCst);
        });
        for _ in 0..workers {
            let job_out = Arc::clone(&job_out);
            let done_in = done_in.clone();
            let earlier = Arc::clone(&earlier);
            scope.spawn(move || {
                let mut worker = Worker::new(options, lang, storage, earlier);
                loop {
                    let next = job_out.lock().map(|r| r.recv());
                    let Ok(Ok((n, work))) = next else { break };
                    let result = worker.run(n, &work);
                    if done_in.send((n, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done_in);
        let mut waiting: BTreeMap<usize, Result<Done, String>> = BTreeMap::new();
        let mut next = 0;
        for (n, result) in &done_out {
            waiting.insert(n, result);
            while let Some(result) = waiting.remove(&next) {
                let _ = token_out.try_recv();
                next += 1;
                match result {
                    Ok(Done::Piece(p)) => {
                        for line in &p.shown {
                            progress.clear();
                            terminal::note(line);
                        }
                        sink.put(p.piece)?;
                    }
                    Ok(Done::Unchanged(input, again)) => {
                        let skipped = match sink {
                            Sink::Folder(f) => f.skip(&input)?,
                            Sink::Stdout(_) => false,
                        };
                        if !skipped {
                            // Committed at another place: convert it after all.
                            let mut worker =
                                Worker::new(options, lang, storage, Arc::new(Vec::new()));
                            if let Ok(Done::Piece(p)) = worker.run(0, &again) {
                                sink.put(p.piece)?;
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
                        progress.clear();
                        terminal::note(&format!("{}: {message}", say(lang, "エラー", "error")));
                        sink.put(piece)?;
                    }
                }
                progress.files(sink.totals().files, sink.totals().patients);
            }
        }
        Ok(())
    })
}

enum Done {
    Piece(Box<PieceShown>),
    /// The input is what an earlier run committed at this place.
    Unchanged(String, Box<Work>),
}

struct PieceShown {
    piece: Piece,
    shown: Vec<String>,
}

struct Worker<'o> {
    options: &'o Convert,
    /// Language of what is shown; findings in files speak the job's.
    lang: Lang,
    storage: &'o Storage,
    map_options: Options,
    converter: Converter,
    out: Output,
    earlier: Arc<Vec<String>>,
}

impl<'o> Worker<'o> {
    fn new(
        options: &'o Convert,
        lang: Lang,
        storage: &'o Storage,
        earlier: Arc<Vec<String>>,
    ) -> Self {
        let map_options = options.job.map_options();
        Self {
            options,
            lang,
            storage,
            converter: Converter::new(map_options.clone()),
            map_options,
            out: Output::new(),
            earlier,
        }
    }

    fn run(&mut self, n: usize, work: &Work) -> Result<Done, String> {
        match work {
            Work::Patient(batch) => self.patient(n, batch),
            Work::Loose(file, content) => self.loose(n, file, *content),
            Work::Note(note) => Ok(self.note(note)),
        }
    }

    fn note(&self, note: &StorageNote) -> Done {
        let mut piece = Piece {
            input: format!("note:{}", digest([note.path.as_bytes()].into_iter())),
            ..Piece::default()
        };
        let Some(code) = note_code(note) else {
            return Done::Piece(Box::new(PieceShown {
                piece,
                shown: Vec::new(),
            }));
        };
        let d = warifu_diag::Diagnostic::new(code, warifu_diag::Span::default())
            .with(note.kind.slug().to_owned());
        let (mut f, mut own) = self.of_file(&d, &note.path);
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

    /// A path as results show it.
    fn masked(&self, path: &str) -> String {
        match &self.options.mask {
            Some(mask) => mask.path(path),
            None => path.to_owned(),
        }
    }

    /// A finding about a whole file, as the files have it and as it is shown.
    fn of_file(&self, d: &warifu_diag::Diagnostic, path: &str) -> (Finding, Finding) {
        let (path, job) = (self.masked(path), &self.options.job);
        let own = finding(d, &path, None, self.lang, job.units());
        (finding(d, &path, None, job.language(), job.units()), own)
    }

    /// The findings of the last conversion, in this language.
    fn findings(&self, files: &[File<'_>], lang: Lang) -> Vec<Finding> {
        let mut job = self.options.job.clone();
        job.lang = Some(if lang == Lang::Ja { "ja" } else { "en" }.to_owned());
        let mut found = findings(&self.out, files, &job);
        if let Some(mask) = &self.options.mask {
            for f in &mut found {
                f.primary.file = mask.path(&f.primary.file);
            }
        }
        found
    }

    fn read_all(
        &self,
        batch: &PatientBatch,
        buffers: &mut Vec<(String, Vec<u8>)>,
    ) -> Result<(), ReadError> {
        buffers.clear();
        for f in batch.files.iter().take(MAX_MESSAGES) {
            let mut bytes = Vec::new();
            self.storage.read(f, &mut bytes)?;
            buffers.push((f.path_in_root().to_owned(), bytes));
        }
        Ok(())
    }

    fn patient(&mut self, n: usize, batch: &PatientBatch) -> Result<Done, String> {
        let start = std::time::Instant::now();
        let mut files = Vec::new();
        let read = match self.read_all(batch, &mut files) {
            // A module renames while we read: list the patient again, once.
            Err(ReadError::Vanished) => {
                let again = self.storage.refresh(batch);
                self.read_all(&again, &mut files)
            }
            other => other,
        };
        let mut unreadable = 0;
        if read.is_err() {
            // One bad file must not hide the others: read what can be read.
            files.clear();
            for f in &batch.files {
                let mut bytes = Vec::new();
                match self.storage.read(f, &mut bytes) {
                    Ok(_) => files.push((f.path_in_root().to_owned(), bytes)),
                    Err(_) => unreadable += 1,
                }
            }
        }
        let input = digest(files.iter().flat_map(|(p, b)| [p.as_bytes(), b.as_slice()]));
        if self.earlier.get(n).is_some_and(|e| *e == input) {
            return Ok(Done::Unchanged(
                input,
                Box::new(Work::Patient(batch.clone())),
            ));
        }
        self.out.clear();
        let given: Vec<File<'_>> = files
            .iter()
            .map(|(path, bytes)| File { path, bytes })
            .collect();
        self.converter.convert_patient(&given, &mut self.out);
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
        let totals = Totals {
            files: u64::try_from(files.len()).unwrap_or(0),
            patients: 1,
            superseded: state(warifu_ssmix2::State::Superseded)
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
                        .map(|f| format!("{why}: {}", self.masked(f.path()))),
                );
            }
            for f in &items.unnamed {
                told.push(format!(
                    "{}: {}",
                    self.why(warifu_ssmix2::State::Current),
                    self.masked(f.path())
                ));
            }
        }
        if self.options.verbose > 1 && self.options.quiet == 0 {
            let ms = start.elapsed().as_millis();
            told.push(say(
                self.lang,
                &format!("  患者 1 人 {} 件 {ms} ms", files.len()),
                &format!("  1 patient, {} files, {ms} ms", files.len()),
            ));
        }
        self.piece(input, &given, totals, told)
            .map_err(|e| e.to_string())
    }

    /// What became of a file, for `-v`.
    fn why(&self, state: warifu_ssmix2::State) -> String {
        use warifu_ssmix2::State as S;
        match state {
            S::Current | S::OnlyFlag2 => say(self.lang, "変換", "converted"),
            S::Superseded | S::Duplicate | S::SnapshotOld => say(self.lang, "旧版", "superseded"),
            S::Cancelled | S::Moved => say(self.lang, "取り消し", "withdrawn"),
        }
    }

    fn loose(&mut self, n: usize, file: &FileRef, content: Content) -> Result<Done, String> {
        let mut bytes = Vec::new();
        if let Err(e) = self.storage.read(file, &mut bytes) {
            let mut piece = Piece {
                input: "unreadable".to_owned(),
                ..Piece::default()
            };
            piece.totals.unreadable = 1;
            let d = warifu_diag::Diagnostic::new(&ssm::SSM115, warifu_diag::Span::default())
                .with(e.to_string());
            let (f, own) = self.of_file(&d, file.path());
            piece.lines.push((
                "diagnostics.ndjson".to_owned(),
                line_of(&f).map_err(|e| e.to_string())?,
            ));
            return Ok(Done::Piece(Box::new(PieceShown {
                piece,
                shown: self.shown(&[own]),
            })));
        }
        let input = digest([file.path().as_bytes(), bytes.as_slice()].into_iter());
        if self.earlier.get(n).is_some_and(|e| *e == input) {
            return Ok(Done::Unchanged(
                input,
                Box::new(Work::Loose(file.clone(), content)),
            ));
        }
        if let Some(piece) = self.not_current(file, &input) {
            return Ok(piece);
        }
        self.out.clear();
        let path = file.path_in_root();
        let given = [File {
            path,
            bytes: &bytes,
        }];
        self.converter.convert(given[0], 0, &mut self.out);
        let totals = Totals {
            files: 1,
            ..Totals::default()
        };
        let mut told = Vec::new();
        if self.options.verbose > 0 && self.options.quiet == 0 {
            told.push(format!(
                "{}: {}",
                self.why(warifu_ssmix2::State::Current),
                self.masked(file.path())
            ));
        }
        self.piece(input, &given, totals, told)
            .map_err(|e| e.to_string())
    }

    /// A folder inside a storage gives loose files: versions cannot be weighed there, so replaced and
    /// withdrawn ones are named and left out (unless given by name).
    fn not_current(&self, file: &FileRef, input: &str) -> Option<Done> {
        if self.options.paths.iter().any(|p| p.ends_with(file.path())) {
            return None;
        }
        let leaf = file.path().rsplit('/').next().unwrap_or("");
        let code: Code = match warifu_ssmix2::FileName::parse(leaf).ok()?.flag {
            warifu_ssmix2::Flag::Current => return None,
            warifu_ssmix2::Flag::Deleted => &ssm::SSM116,
            warifu_ssmix2::Flag::Replaced => &ssm::SSM118,
        };
        let d = warifu_diag::Diagnostic::new(code, warifu_diag::Span::default());
        let (f, own) = self.of_file(&d, file.path());
        let mut piece = Piece {
            input: input.to_owned(),
            ..Piece::default()
        };
        piece.totals.files = 1;
        piece
            .totals
            .codes
            .insert(f.code.clone(), (f.severity.clone(), 1));
        piece.lines.push((
            "diagnostics.ndjson".to_owned(),
            line_of(&f).unwrap_or_default(),
        ));
        Some(Done::Piece(Box::new(PieceShown {
            piece,
            shown: self.shown(&[own]),
        })))
    }

    fn piece(
        &mut self,
        input: String,
        files: &[File<'_>],
        mut totals: Totals,
        told: Vec<String>,
    ) -> anyhow::Result<Done> {
        let mut piece = Piece {
            input,
            ..Piece::default()
        };
        let job = &self.options.job;
        let mut parts = Vec::new();
        match job.to {
            To::Ndjson => {
                let mut lines: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
                for r in &self.out.resources {
                    let mut line = self.out.json_of(r).to_vec();
                    line.push(b'\n');
                    if SHARED.contains(&r.resource_type) {
                        piece.shared.push((
                            format!("{}/{}", r.resource_type, r.id.as_str()),
                            format!("{}.ndjson", r.resource_type),
                            line,
                        ));
                    } else {
                        *totals
                            .resources
                            .entry(r.resource_type.to_owned())
                            .or_insert(0) += 1;
                        lines
                            .entry(r.resource_type)
                            .or_default()
                            .extend_from_slice(&line);
                    }
                }
                for (ty, bytes) in lines {
                    piece.lines.push((format!("{ty}.ndjson"), bytes));
                }
                if !self.out.deletes.is_empty() {
                    let mut line = Vec::new();
                    assemble::deletions(&self.out, &self.map_options, &mut line);
                    line.push(b'\n');
                    piece.lines.push(("deleted.ndjson".to_owned(), line));
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
                if job.per == Per::Patient || files.len() == 1 {
                    let mut bytes = Vec::new();
                    assemble::bundle(&self.out, &self.map_options, kind, &mut bytes);
                    let name = match (job.per, files.first()) {
                        (Per::Patient, _) => format!("{}.json", self.out.patient_label()),
                        (Per::Message, Some(f)) => self.message_name(f.path),
                        (Per::Message, None) => "empty.json".to_owned(),
                    };
                    piece.files.push((name, bytes));
                } else {
                    for (i, f) in files.iter().enumerate() {
                        let number = u16::try_from(i)?;
                        let has = self.out.resources.iter().any(|r| r.message == number)
                            || self.out.deletes.iter().any(|d| d.message == number);
                        if !has {
                            continue;
                        }
                        let mut bytes = Vec::new();
                        assemble::bundle_of(
                            &self.out,
                            &self.map_options,
                            kind,
                            Some(number),
                            &mut bytes,
                        );
                        piece.files.push((self.message_name(f.path), bytes));
                    }
                }
            }
            To::Clins => {
                parts = warifu_map::clins::parts(&mut self.out, &self.map_options);
                for part in &mut parts {
                    for (ty, n) in &part.counts {
                        *totals.resources.entry((*ty).to_owned()).or_insert(0) += n;
                    }
                    let bytes = std::mem::take(&mut part.bytes);
                    piece
                        .files
                        .push((format!("{}/{}", part.patient, part.name), bytes));
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
            let mut t = match job.to {
                To::Clins => clins_trace(&self.out, &parts, files),
                To::Bundle | To::Ndjson => trace(&self.out, files, job),
            };
            if let Some(mask) = &self.options.mask {
                let spans = t.hits.iter_mut().flat_map(|h| &mut h.spans);
                for file in spans
                    .map(|s| &mut s.file)
                    .chain(t.unused.iter_mut().map(|u| &mut u.file))
                {
                    *file = mask.path(file);
                }
            }
            let mut lines = Vec::new();
            for h in &t.hits {
                serde_json::to_writer(&mut lines, h)?;
                lines.push(b'\n');
            }
            for u in &t.unused {
                serde_json::to_writer(&mut lines, &json!({"unused": u}))?;
                lines.push(b'\n');
            }
            piece.lines.push(("trace.ndjson".to_owned(), lines));
        }
        piece.totals = totals;
        let mut shown = told;
        if self.lang == job.language() {
            shown.extend(self.shown(&found));
        } else if found.iter().any(|f| self.is_shown(f)) {
            shown.extend(self.shown(&self.findings(files, self.lang)));
        }
        Ok(Done::Piece(Box::new(PieceShown { piece, shown })))
    }

    /// Whether a finding goes to stderr: errors always, warnings when nothing is written to a folder,
    /// the rest with `-v`.
    fn is_shown(&self, f: &Finding) -> bool {
        self.options.quiet < 2
            && (f.severity == "error"
                || self.options.verbose > 0
                || (self.options.out.is_none() && f.severity == "warning"))
    }

    /// Lines for stderr, at most [`SHOWN`] of one code.
    fn shown(&self, found: &[Finding]) -> Vec<String> {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut lines = Vec::new();
        for f in found.iter().filter(|f| self.is_shown(f)) {
            let n = seen.entry(&f.code).or_insert(0);
            *n += 1;
            if *n > SHOWN {
                continue;
            }
            let path = f
                .primary
                .path
                .as_ref()
                .map(|p| format!(" {p}"))
                .unwrap_or_default();
            let word = match f.severity.as_str() {
                "error" => Severity::Error,
                "warning" => Severity::Warning,
                _ => Severity::Info,
            };
            lines.push(format!(
                "{}[{}]:{path} {}\n --> {}:{}:{}",
                say(self.lang, word.word_ja(), word.word()),
                f.code,
                f.message,
                f.primary.file,
                f.primary.start.line,
                f.primary.start.column
            ));
        }
        for (code, n) in seen {
            if let Some(more) = n.checked_sub(SHOWN).filter(|m| *m > 0) {
                lines.push(say(
                    self.lang,
                    &format!("{code}: ほか {more} 件"),
                    &format!("{code}: {more} more"),
                ));
            }
        }
        lines
    }

    /// `DIR/<data kind>/<source file name>.json`.
    fn message_name(&self, path: &str) -> String {
        let name = message_name(path);
        match (&self.options.mask, name.split_once('/')) {
            (Some(mask), Some((kind, leaf))) => {
                let leaf = leaf.trim_end_matches(".json");
                format!("{kind}/{}.json", mask.path(leaf))
            }
            _ => name,
        }
    }
}

/// `DIR/<data kind>/<source file name>.json`.
fn message_name(path: &str) -> String {
    let leaf = path.rsplit('/').next().unwrap_or(path);
    let kind = warifu_ssmix2::FileName::parse(leaf).map_or_else(
        |_| path.rsplit('/').nth(2).unwrap_or("loose").to_owned(),
        |n| n.kind.to_owned(),
    );
    let safe = |s: &str| -> String {
        s.chars()
            .map(|c| {
                if matches!(c, '/' | '\\' | '\0') || c.is_control() {
                    '_'
                } else {
                    c
                }
            })
            .collect()
    };
    let leaf = if warifu_ssmix2::FileName::parse(leaf).is_ok() {
        leaf.to_owned()
    } else {
        path.rsplit('/')
            .take(2)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
            .join("_")
    };
    format!(
        "{}/{}.json",
        safe(kind.trim_start_matches('.')),
        safe(&leaf)
    )
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

fn header(options: &Convert) -> Header {
    let key = options
        .job
        .id_key
        .as_deref()
        .map(|k| digest([b"id-key".as_slice(), k].into_iter()))
        .unwrap_or_default();
    // The mask's key steers paths in findings and names of files.
    let mask = options.mask.as_ref().map(|m| m.path("key"));
    let text = format!(
        "{}|{key}|{}",
        options_json(options),
        mask.unwrap_or_default()
    );
    Header {
        format: "warifu.state/1".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        options: digest([text.as_bytes()].into_iter()),
    }
}

fn options_json(options: &Convert) -> serde_json::Value {
    // The key for ids is left out by its serializer.
    serde_json::to_value(&options.job).unwrap_or_default()
}

fn summary_json(totals: &Totals) -> serde_json::Value {
    json!({"files": totals.files, "errors": totals.findings("error"), "warnings": totals.findings("warning"), "infos": totals.findings("info"), "unreadable": totals.unreadable})
}

/// The code of a storage finding.
pub(crate) fn note_code(note: &StorageNote) -> Option<Code> {
    use warifu_storage::StorageNoteKind as K;
    Some(match note.kind {
        K::AbsolutePath
        | K::UnsafePath
        | K::Link
        | K::SpecialFile
        | K::NestedArchive
        | K::TooDeep => &ssm::SSM110,
        K::TooLarge | K::Expansion | K::JournalRecordLong => &ssm::SSM111,
        K::FolderVanished => &ssm::SSM109,
        K::JournalHeader | K::JournalStray | K::JournalsIgnored => &ssm::SSM114,
        K::SeveralInstitutions => return None,
        K::Skipped => &ssm::SSM119,
        K::Encrypted | K::Method | K::Damaged | K::FolderUnreadable | K::FileUnreadable => {
            &ssm::SSM115
        }
        K::RepeatedEntry | K::NameNotUtf8 => &ssm::SSM117,
        _ => &ssm::SSM108,
    })
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
    let out = options.out.as_ref().map(|d| d.display().to_string());
    let arrow = |name: &str| {
        out.as_ref()
            .map(|d| format!(" → {d}/{name}"))
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
    terminal::note(&say(
        lang,
        &format!(
            "{} ファイル → {} リソース、患者 {} 人 ({seconds:.1} 秒)",
            grouped(t.files),
            grouped(resources),
            grouped(t.patients)
        ),
        &format!(
            "{} files → {} resources, {} patients ({seconds:.1} s)",
            grouped(t.files),
            grouped(resources),
            grouped(t.patients)
        ),
    ));
    terminal::note(&format!("  {}{rest}", shown.join(" · ")));
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
