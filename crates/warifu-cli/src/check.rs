//! `warifu check`: patients in parallel, one report in the order of paths.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use warifu_check::diff::diff;
use warifu_check::{Check, Given, NO_TIME, Options};
use warifu_diag::{Severity, catalogue::ssm};
use warifu_report::Lang;
use warifu_report::baseline::Baseline;
use warifu_report::fingerprint::Fingerprints;
use warifu_report::format::{Context, Format, renderer};
use warifu_report::report::{FileReport, Totals};
use warifu_storage::{Content, FileRef, Found, PatientBatch, ReadError, Storage, StorageNote};

use warifu_terminology::Terms;
use warifu_validate::Validator;

use crate::opened::{self, Opened};
use crate::output::Spill;
use crate::pipeline::ordered;
use crate::progress::{Progress, grouped};
use crate::stop::Stop;
use crate::store::Store;
use crate::strays::Strays;
use crate::unchanged::{Marks, Unchanged};
use crate::watch::Watch;
use crate::whole::{self, Readers, Whole};
use crate::{End, say, terminal};
use crate::{inputs, packages};

/// Files of one patient that are checked together.
const TOGETHER: usize = 65_535;

/// What becomes of fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fixes {
    /// Nothing.
    Leave,
    /// They are shown.
    Show,
    /// They are made.
    Make,
}

/// Everything `check` was asked for.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a documented flag of its own"
)]
pub(crate) struct CheckRun {
    pub(crate) input: opened::Wanted,
    pub(crate) options: Options,
    /// FHIR packages: archives, folders, compiled ones.
    pub(crate) igs: Vec<String>,
    /// FHIR profiles that every resource of their type must follow.
    pub(crate) fhir_profiles: Vec<String>,
    pub(crate) must_support: bool,
    pub(crate) vital_signs: bool,
    pub(crate) formats: Vec<(Format, Option<PathBuf>)>,
    pub(crate) fail_on: Option<Severity>,
    pub(crate) fixes: Fixes,
    pub(crate) unsafe_fixes: bool,
    pub(crate) show_values: bool,
    pub(crate) baseline: Option<PathBuf>,
    pub(crate) update_baseline: bool,
    pub(crate) rule_pages: Option<String>,
    pub(crate) statistics: bool,
    pub(crate) watch: bool,
    pub(crate) jobs: usize,
    pub(crate) quiet: u8,
    pub(crate) progress: bool,
    pub(crate) colour: bool,
}

/// What a unit gave.
#[derive(Default)]
struct Done {
    reports: Vec<FileReport>,
    patients: u64,
    /// Fixes made or shown.
    fixed: u64,
    /// Their change as text.
    diff: Spill,
    strays: Strays,
}

/// What a run gave.
struct Outcome {
    store: Store,
    totals: Totals,
    baseline: Baseline,
    fixed: u64,
    diff: Spill,
    strays: Strays,
}

/// Runs the check.
pub(crate) fn run(run: &CheckRun, lang: Lang) -> anyhow::Result<End> {
    let stop = Stop::on_signals();
    let mut unchanged = Unchanged::default();
    if !run.watch {
        return once(run, &unchanged, &stop, lang);
    }
    let (_, inputs) = inputs::open(&run.input.given, None, &run.input.loaded, lang)?;
    let mut watch = Watch::new(inputs.paths);
    loop {
        watch.remember();
        unchanged.turn();
        terminal::clear();
        // What is wrong now may be mended with the next change.
        if let Err(e) = once(run, &unchanged, &stop, lang) {
            terminal::note(&format!("{}: {e:#}", say(lang, "エラー", "error")));
        }
        terminal::note(&say(
            lang,
            "監視中 (Ctrl-C で終了)",
            "watching (Ctrl-C ends)",
        ));
        if !watch.wait(&stop)
            && let Some(signal) = stop.signal()
        {
            return Ok(End::Interrupted(signal));
        }
    }
}

fn once(run: &CheckRun, unchanged: &Unchanged, stop: &Stop, lang: Lang) -> anyhow::Result<End> {
    let (opened, _) = opened::open(&run.input, lang)?;
    let rewritable = opened.storage.is_on_disk();
    if run.fixes != Fixes::Leave && !rewritable {
        bail!(say(
            lang,
            "--fix と --diff は書庫、トランザクション、標準入力には使えません。展開したフォルダーを指定してください",
            "--fix and --diff do not work on archives, transaction storages and stdin; give the unpacked folder",
        ));
    }
    if opened.is_nameless() && run.quiet == 0 {
        terminal::note(&say(
            lang,
            "ファイル名がわからないので、名前とフォルダーの規則は調べません (--stdin-name NAME)",
            "without a file name the rules about names and folders are not checked (--stdin-name NAME)",
        ));
    }
    let baseline = match &run.baseline {
        Some(path) if !run.update_baseline => read_baseline(path, lang)?,
        _ => Baseline::default(),
    };
    let library = Arc::new(packages::library(&run.igs, &run.input.loaded, lang)?);
    let terms = Terms::new(library);
    let mut progress = Progress::new(lang, run.progress && run.quiet == 0, ["検査中", "checking"]);
    let mut outcome = walk(
        run,
        &opened,
        &terms,
        unchanged,
        baseline,
        stop,
        &mut progress,
    )?;
    progress.clear();
    let t = &outcome.totals;
    if let Some(signal) = stop.signal() {
        let done = grouped(t.summary.files);
        terminal::note(&say(
            lang,
            &format!("中断しました。{done} 件は検査しました"),
            &format!("interrupted; {done} files were checked"),
        ));
        return Ok(End::Interrupted(signal));
    }
    if t.summary.files == 0 && t.summary.unreadable == 0 && !outcome.strays.is_read() {
        bail!(outcome.strays.nothing(&run.input.given, lang));
    }
    if let Some(path) = run.baseline.as_ref().filter(|_| run.update_baseline) {
        whole::replace(path, outcome.baseline.text().as_bytes(), Readers::Umask)?;
        let n = grouped(outcome.baseline.left());
        let shown = path.display();
        terminal::note(&say(
            lang,
            &format!("基準 {shown} に {n} 件を書きました"),
            &format!("wrote {n} findings to the baseline {shown}"),
        ));
    }
    write(run, &mut outcome, rewritable, lang)?;
    if run.quiet == 0 {
        summary(&outcome, progress.seconds(), run, rewritable, lang);
    }
    let t = &outcome.totals.summary;
    let worst = [
        (Severity::Error, t.errors),
        (Severity::Warning, t.warnings),
        (Severity::Info, t.infos),
    ]
    .into_iter()
    .any(|(s, n)| n > 0 && run.fail_on.is_some_and(|f| s >= f));
    Ok(if t.unreadable > 0 {
        End::CouldNotRun
    } else if worst || (run.fixes == Fixes::Show && outcome.fixed > 0) {
        End::Findings
    } else {
        End::Clean
    })
}

fn read_baseline(path: &Path, lang: Lang) -> anyhow::Result<Baseline> {
    let shown = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => bail!(say(
            lang,
            &format!("基準 {shown} がありません。--update-baseline で作れます"),
            &format!("no baseline {shown}; --update-baseline makes it"),
        )),
        Err(e) => return Err(e).with_context(|| shown.to_string()),
    };
    Baseline::read(&text).with_context(|| shown.to_string())
}

fn walk(
    run: &CheckRun,
    opened: &Opened,
    terms: &Terms,
    unchanged: &Unchanged,
    mut baseline: Baseline,
    stop: &Stop,
    progress: &mut Progress,
) -> anyhow::Result<Outcome> {
    let mut prints = Fingerprints::default();
    let mut store = Store::default();
    let mut totals = Totals::default();
    let (mut fixed, mut strays, mut patients) = (0, Strays::default(), 0);
    let mut diff = Spill::new(Some(&std::env::temp_dir()));
    ordered(
        &opened.storage,
        run.jobs,
        stop,
        || Worker {
            run,
            opened,
            unchanged,
            check: Check::new(run.options.clone()),
            fhir: Validator::new(
                &**terms.library(),
                terms,
                warifu_validate::Options {
                    profiles: run.fhir_profiles.clone(),
                    must_support: run.must_support,
                    vital_signs: run.vital_signs,
                    ..warifu_validate::Options::default()
                },
            ),
        },
        Worker::work,
        |done: anyhow::Result<Done>| {
            let done = done?;
            for mut report in done.reports {
                prints.give(&mut report);
                if run.update_baseline {
                    baseline.add(&report);
                    report.retain(|_| false);
                } else {
                    totals.known += baseline.take(&mut report);
                }
                totals.add(&report);
                store.add(&report)?;
            }
            patients += done.patients;
            fixed += done.fixed;
            strays.add(done.strays);
            done.diff.each(|text| diff.add(text))?;
            progress.files(totals.summary.files, patients);
            Ok(())
        },
    )?;
    if run.baseline.is_some() && !run.update_baseline {
        totals.solved = baseline.left();
    }
    Ok(Outcome {
        store,
        totals,
        baseline,
        fixed,
        diff,
        strays,
    })
}

struct Worker<'r> {
    run: &'r CheckRun,
    opened: &'r Opened,
    unchanged: &'r Unchanged,
    check: Check,
    fhir: Validator<'r>,
}

impl Worker<'_> {
    fn work(&mut self, found: Found) -> anyhow::Result<Done> {
        match found {
            Found::Patient(batch) => self.patient(&batch),
            Found::Loose(file, content) => self.loose(&file, content),
            Found::Note(note) => Ok(self.note(&note)),
        }
    }

    fn storage(&self) -> &Storage {
        &self.opened.storage
    }

    fn note(&self, note: &StorageNote) -> Done {
        let mut done = Done::default();
        let path = self.opened.shown_note(note);
        done.strays.note(note, || path.clone());
        let (what, refused) = (note.kind.slug(), note.kind.is_refusal());
        let mut report = self
            .check
            .unread(note.code(), &path, what, note.count, refused);
        if let (Some(report), Some(at)) = (&mut report, note.place) {
            report.put(at.start, at.end, (at.line, at.column));
        }
        done.reports.extend(report);
        done
    }

    /// Reads a file; what cannot be read becomes a report.
    fn read(&self, file: &FileRef, done: &mut Done) -> Option<Given> {
        let shown = self.opened.shown(file);
        let mut bytes = Vec::new();
        match self.storage().read(file, &mut bytes) {
            Ok(_) => Some(Given {
                shown,
                path: self.opened.checked_path(file).into_owned(),
                within: self.opened.within(file),
                bytes,
            }),
            // A finding of the walk says it.
            Err(ReadError::LeftOut) => None,
            Err(e) => {
                let code = opened::unread_code(&e);
                let refused = !matches!(e, ReadError::Vanished);
                let report = self.check.unread(code, &shown, e.slug(), 1, refused);
                done.reports.extend(report);
                None
            }
        }
    }

    fn patient(&mut self, batch: &PatientBatch) -> anyhow::Result<Done> {
        let gone = |f: &FileRef| {
            let path = self.storage().disk_path(f);
            path.is_some_and(|p| p.symlink_metadata().is_err())
        };
        // A module renames while we read: list the patient again, once.
        let again = batch
            .files
            .iter()
            .any(gone)
            .then(|| self.storage().refresh(batch));
        let files = again.as_ref().map_or(&batch.files, |b| &b.files);
        let mut done = Done {
            patients: 1,
            ..Done::default()
        };
        for part in files.chunks(TOGETHER) {
            let (marks, from) = (self.marks(part), done.reports.len());
            if let Some(known) = marks.as_ref().and_then(|m| self.unchanged.reports(m)) {
                done.reports.extend_from_slice(known);
                self.keep(marks, &done, from);
                continue;
            }
            let mut refs = Vec::new();
            let mut given = Vec::new();
            for f in part {
                if let Some(g) = self.read(f, &mut done) {
                    refs.push(f);
                    given.push(g);
                }
            }
            self.unit(&refs, given, true, &mut done)?;
            self.keep(marks, &done, from);
        }
        Ok(done)
    }

    /// What tells whether files have changed, when somebody will ask: `--watch` without fixes.
    fn marks<'f>(&self, files: impl IntoIterator<Item = &'f FileRef>) -> Option<Marks> {
        if !self.run.watch || self.run.fixes != Fixes::Leave {
            return None;
        }
        let mark = |file: &FileRef| {
            let path = self.storage().disk_path(file)?;
            let meta = path.metadata().ok()?;
            Some((path, meta.modified().ok(), meta.len()))
        };
        files.into_iter().map(mark).collect()
    }

    /// Keeps the reports of a unit, those from `from` on.
    fn keep(&self, marks: Option<Marks>, done: &Done, from: usize) {
        if let (Some(marks), Some(reports)) = (marks, done.reports.get(from..)) {
            self.unchanged.keep(marks, reports);
        }
    }

    fn loose(&mut self, file: &FileRef, content: Content) -> anyhow::Result<Done> {
        let mut done = Done::default();
        // An empty file has only its name to tell what it was to be.
        let is_empty_json =
            || content == Content::Empty && warifu_check::fhir::is_named(file.path());
        if content == Content::Json || is_empty_json() {
            if let Some(given) = self.read(file, &mut done) {
                let report = warifu_check::fhir::report(&self.fhir, &given, &self.run.options);
                done.reports.push(report);
            }
            return Ok(done);
        }
        if content == Content::Xml {
            // FHIR in XML is not read.
            let shown = self.opened.shown(file);
            done.reports
                .extend(self.check.about(&ssm::SSM108, &shown, "", 1));
            done.strays.file(shown);
            return Ok(done);
        }
        let marks = self.marks([file]);
        if let Some(known) = marks.as_ref().and_then(|m| self.unchanged.reports(m)) {
            done.reports.extend_from_slice(known);
        } else if let Some(given) = self.read(file, &mut done) {
            self.unit(&[file], vec![given], false, &mut done)?;
        }
        self.keep(marks, &done, 0);
        Ok(done)
    }

    fn unit(
        &mut self,
        refs: &[&FileRef],
        mut given: Vec<Given>,
        patient: bool,
        done: &mut Done,
    ) -> anyhow::Result<()> {
        if self.run.fixes == Fixes::Leave {
            done.reports.extend(self.check.unit(&given, patient));
            return Ok(());
        }
        let before = given.clone();
        for m in self.check.fix(&mut given, patient, self.run.unsafe_fixes) {
            let (Some(old), Some(new)) = (before.get(m.file), given.get(m.file)) else {
                continue;
            };
            done.fixed += u64::try_from(m.applied.len())?;
            if self.run.fixes == Fixes::Show {
                let values = self.run.show_values;
                let text = diff(&old.shown, &old.bytes, &new.bytes, values);
                done.diff.add(text.as_bytes())?;
            } else if let Some(path) = refs.get(m.file).and_then(|f| self.storage().disk_path(f)) {
                whole::replace(&path, &new.bytes, Readers::Umask)
                    .with_context(|| old.shown.clone())?;
            }
        }
        let shown = if self.run.fixes == Fixes::Show {
            &before
        } else {
            &given
        };
        done.reports.extend(self.check.unit(shown, patient));
        Ok(())
    }
}

/// The time JUnit demands: `SOURCE_DATE_EPOCH`, else one that is always the same.
fn timestamp() -> String {
    let seconds = std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|s| s.parse::<i64>().ok());
    seconds.map_or_else(|| NO_TIME.to_owned(), utc)
}

/// Seconds since 1970 as `YYYY-MM-DDThh:mm:ss` in UTC (proleptic Gregorian calendar).
fn utc(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days from 1 March of year 0, in eras of 400 years.
    let z = days + 719_468;
    let (era, day) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let date = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (h, m, s) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{date:02}T{h:02}:{m:02}:{s:02}")
}

fn write(
    run: &CheckRun,
    outcome: &mut Outcome,
    rewritable: bool,
    lang: Lang,
) -> anyhow::Result<()> {
    for (format, target) in &run.formats {
        if target.is_none() && run.quiet >= 2 {
            continue;
        }
        let text = *format == Format::Text;
        let context = Context {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            lang: if text { lang } else { run.options.lang },
            units: run.options.units,
            lookup: warifu_rules::lookup,
            baseline: run.baseline.is_some(),
            rewritable,
            rule_pages: run.rule_pages.clone(),
            timestamp: timestamp(),
            colour: text && target.is_none() && run.colour,
            statistics: run.statistics,
        };
        let mut writer = renderer(*format, context);
        let mut part = match target {
            Some(path) => {
                let made = Whole::create(path, Readers::Umask);
                Some(made.with_context(|| path.display().to_string())?)
            }
            None => None,
        };
        let mut out: Box<dyn std::io::Write + '_> = match &mut part {
            Some(part) => Box::new(std::io::BufWriter::new(part)),
            None => Box::new(std::io::BufWriter::new(std::io::stdout().lock())),
        };
        let mut buffer = Vec::new();
        if text && target.is_none() {
            std::mem::take(&mut outcome.diff).each(|text| out.write_all(text))?;
        }
        writer.begin(&outcome.totals, &mut buffer);
        outcome.store.each(|report| {
            writer.file(report, &mut buffer);
            out.write_all(&buffer)?;
            buffer.clear();
            Ok(())
        })?;
        writer.end(&mut buffer);
        if text && run.statistics {
            statistics(&outcome.totals, lang, &mut buffer);
        }
        out.write_all(&buffer)?;
        out.flush()?;
        drop(out);
        if let Some(part) = part {
            part.finish()?;
        }
    }
    let on_text = run.formats.iter().any(|(f, _)| *f == Format::Text);
    if run.statistics && !on_text && run.quiet < 2 {
        let mut text = Vec::new();
        statistics(&outcome.totals, lang, &mut text);
        terminal::note(String::from_utf8_lossy(&text).trim_end());
    }
    Ok(())
}

/// Totals by rule, and by rule and data kind. Kinds of the extended storage are long: the column is as wide as
/// the longest.
fn statistics(totals: &Totals, lang: Lang, out: &mut Vec<u8>) {
    let shown = |kind: &str| if kind.is_empty() { "-" } else { kind }.to_owned();
    let columns = |kind: &str| -> usize { kind.chars().map(crate::show::columns).sum() };
    let width = totals.kinds.keys().map(|(_, kind)| columns(kind));
    let width = width.max().unwrap_or(0).max(8);
    let padded = |kind: &str| format!("{kind}{}", " ".repeat(width.saturating_sub(columns(kind))));
    let (rule, kind, counts) = match lang {
        Lang::Ja => ("規則  ", "種別", "  エラー     警告     情報  名前"),
        Lang::En => ("rule  ", "kind", "  errors warnings    infos  name"),
    };
    let _ = writeln!(out, "\n{rule}  {}{counts}", padded(kind));
    for (code, [e, w, i]) in &totals.rules {
        let name = warifu_rules::lookup(code).map_or("", |c| c.name);
        let _ = writeln!(out, "{code}  {}{e:>8} {w:>8} {i:>8}  {name}", padded("*"));
        for ((_, kind), [e, w, i]) in totals.kinds.iter().filter(|((c, _), _)| c == code) {
            let kind = padded(&shown(kind));
            let _ = writeln!(out, "        {kind}{e:>8} {w:>8} {i:>8}");
        }
    }
}

fn summary(outcome: &Outcome, seconds: f64, run: &CheckRun, rewritable: bool, lang: Lang) {
    let t = &outcome.totals;
    let s = &t.summary;
    let mut lines = Vec::new();
    if outcome.fixed > 0 {
        let n = grouped(outcome.fixed);
        lines.push(if run.fixes == Fixes::Show && !run.show_values {
            say(
                lang,
                &format!(
                    "{n} 件を修正できます (--diff: 書き換えていません。値は形だけです。値を見るには --show-values always)"
                ),
                &format!(
                    "{n} can be mended (--diff: nothing was written; only the shape of values is shown, --show-values always shows them)"
                ),
            )
        } else if run.fixes == Fixes::Show {
            say(
                lang,
                &format!("{n} 件を修正できます (--diff: 書き換えていません)"),
                &format!("{n} can be mended (--diff: nothing was written)"),
            )
        } else {
            say(lang, &format!("{n} 件を修正"), &format!("{n} mended"))
        });
    }
    let fixable = if rewritable && s.fixable > 0 {
        let n = grouped(s.fixable);
        say(
            lang,
            &format!(" (自動修正できるもの {n})"),
            &format!(" ({n} can be mended with --fix)"),
        )
    } else {
        String::new()
    };
    let [e, w, i, files] = [s.errors, s.warnings, s.infos, s.files].map(grouped);
    let infos = if s.infos > 0 {
        say(lang, &format!("、情報 {i}"), &format!(", infos {i}"))
    } else {
        String::new()
    };
    lines.push(say(
        lang,
        &format!(
            "警告 {w}{fixable}、エラー {e}{infos}。{files} ファイルを {seconds:.1} 秒で検査しました。"
        ),
        &format!("warnings {w}{fixable}, errors {e}{infos}. {files} files checked in {seconds:.1} s."),
    ));
    if s.unreadable > 0 {
        let n = grouped(s.unreadable);
        lines.push(say(
            lang,
            &format!("読めないもの {n}"),
            &format!("unreadable: {n}"),
        ));
    }
    if t.known > 0 {
        let n = grouped(t.known);
        lines.push(say(
            lang,
            &format!("基準にある {n} 件は数えていません"),
            &format!("{n} findings of the baseline are not counted"),
        ));
    }
    if t.solved > 0 {
        let n = grouped(t.solved);
        lines.push(say(
            lang,
            &format!("基準から消せるもの {n}"),
            &format!("solved, to be removed from the baseline: {n}"),
        ));
    }
    for line in lines {
        terminal::note(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn seconds_become_a_date() {
        for (seconds, want) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_775_003_415, "2026-04-01T00:30:15"),
        ] {
            assert_eq!(utc(seconds), want);
        }
    }
}
