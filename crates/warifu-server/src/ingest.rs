//! Records in: a storage of SS-MIX2, patient by patient, through the conversion.
//!
//! What a patient's files give replaces what was kept of the patient, so corrections and deletions are
//! applied; a patient whose files are the same as before is passed over, and one of whom a file cannot be
//! read keeps what was taken. A file whose PID-3 names somebody else than its folder is not taken: it is
//! kept apart, sealed, and goes to nobody. What a Bundle brought stays.

use std::collections::BTreeSet;

use warifu_consent::hash;
use warifu_convert::{Ids, Job, JobOptions, Pieces, To};
use warifu_diag::catalogue::ssm::SSM103;
use warifu_map::File;
use warifu_storage::{Found, PatientBatch, Storage};

use crate::office::Office;
use crate::problem::{Code, Problem};

/// The finding of a file that names another person than its folder.
const OTHER_PERSON: &str = SSM103.code;

/// What became of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ingested {
    /// Patients whose records are new or changed.
    pub patients: u64,
    /// Patients whose files are as they were.
    pub unchanged: u64,
    /// Records kept of the former.
    pub records: u64,
    /// Files kept apart.
    pub quarantined: u64,
    /// Files that could not be read, and findings about the storage.
    pub unreadable: u64,
    /// Files outside any patient's folder: not taken.
    pub loose: u64,
}

impl Office {
    /// Takes in a storage of this institution.
    ///
    /// # Errors
    /// The store; what was taken before stays, and running it again goes on.
    pub fn ingest(&self, storage: &Storage) -> Result<Ingested, Problem> {
        let number = self.institution.strip_prefix("mi:").unwrap_or_default();
        let options = JobOptions {
            to: To::Ndjson,
            ids: Ids::default(),
            institution: Some(number.to_owned()),
            ..JobOptions::default()
        };
        let mut job = Job::new(options).map_err(|e| Problem::internal(format!("{e}")))?;
        let mut done = Ingested::default();
        // Before any patient: who has a folder that cannot be read is not whole.
        let mut refused: Vec<String> = Vec::new();
        for found in storage.walk() {
            if let Found::Note(note) = found
                && note.kind.is_refusal()
            {
                done.unreadable += note.count;
                refused.push(note.path);
            }
        }
        for found in storage.walk() {
            match found {
                Found::Patient(batch) => {
                    let number = batch.key.patient.as_str();
                    let own = |path: &String| path.split('/').any(|part| part == number);
                    if !refused.iter().any(own) {
                        self.patient(storage, &batch, &mut job, &mut done)?;
                    }
                }
                Found::Loose(..) => done.loose += 1,
                Found::Note(_) => {}
            }
        }
        Ok(done)
    }

    fn patient(
        &self,
        storage: &Storage,
        batch: &PatientBatch,
        job: &mut Job,
        done: &mut Ingested,
    ) -> Result<(), Problem> {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for file in &batch.files {
            let mut bytes = Vec::new();
            if storage.read(file, &mut bytes).is_err() {
                // What was taken before is better than a part of it.
                done.unreadable += 1;
                return Ok(());
            }
            files.push((file.path_in_root().to_owned(), bytes));
        }
        let mut parts: Vec<&[u8]> = Vec::new();
        let lengths: Vec<[u8; 16]> = files.iter().map(|(p, b)| lengths(p, b)).collect();
        for ((path, bytes), lengths) in files.iter().zip(&lengths) {
            parts.extend([&lengths[..], path.as_bytes(), bytes.as_slice()]);
        }
        let digest = hash::sha256_text(&parts);
        let sub = self.pseudonym(&batch.key.patient)?;
        let src = self.institution.as_str();
        let same = self.read(|view| {
            let sql = "SELECT digest FROM ingested WHERE sub = ?1 AND src = ?2";
            let rows = view.db.query(sql, &[sub.as_str().into(), src.into()])?;
            Ok(rows.first().and_then(|r| r.text(0)) == Some(&digest))
        })?;
        if same {
            done.unchanged += 1;
            return Ok(());
        }
        let mut made = pieces(job, &files);
        let foreign = of_others(&made);
        let (mut apart, own): (Vec<_>, Vec<_>) = files
            .into_iter()
            .partition(|(path, _)| foreign.contains(path));
        if !apart.is_empty() {
            made = pieces(job, &own);
        }
        let persons = made.pieces.iter().filter(|p| p.resource_type == "Patient");
        if persons.count() > 1 || !of_others(&made).is_empty() {
            // Still more than one person: whose is whose is not for us to say.
            apart.extend(own);
            made = Pieces::default();
        }
        let (kept, quarantined) = self.write(|tx| {
            let sealer = tx.sealer(&sub)?;
            let db = tx.view.db;
            let now = tx.view.now;
            let whose = [sub.as_str().into(), src.into()];
            // What is unchanged keeps the time at which it was recorded.
            let rows = db.query(
                "SELECT typ, id, recorded, body FROM records
                 WHERE sub = ?1 AND src = ?2 AND via = 'storage'",
                &whose,
            )?;
            let mut before = std::collections::BTreeMap::new();
            for row in rows {
                let read = || Some((row.text(0)?, row.text(1)?, row.int(2)?, row.bytes(3)?));
                let (kind, id, recorded, body) =
                    read().ok_or(warifu_store::StoreError::Form("records"))?;
                let text = sealer.open(&["record", src, kind, id], body)?;
                before.insert((kind.to_owned(), id.to_owned()), (recorded, text));
            }
            db.run(
                "DELETE FROM records WHERE sub = ?1 AND src = ?2 AND via = 'storage'",
                &whose,
            )?;
            db.run("DELETE FROM quarantine WHERE sub = ?1 AND src = ?2", &whose)?;
            let mut kept = 0;
            for piece in made.pieces.iter().filter(|p| p.resource_type != "Bundle") {
                let json = made.json.get(piece.range.clone()).unwrap_or_default();
                let (kind, id) = (piece.resource_type.as_str(), piece.id.as_str());
                let known = before.get(&(kind.to_owned(), id.to_owned()));
                let recorded = known
                    .filter(|(_, text)| text == json)
                    .map_or(now, |(at, _)| *at);
                db.run(
                    "INSERT INTO records (sub, src, typ, id, recorded, body, via)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'storage') ON CONFLICT (sub, src, typ, id)
                     DO UPDATE SET body = excluded.body, recorded = excluded.recorded
                     WHERE records.via = 'storage'",
                    &[
                        sub.as_str().into(),
                        src.into(),
                        kind.into(),
                        id.into(),
                        recorded.into(),
                        sealer.seal(&["record", src, kind, id], json)?.into(),
                    ],
                )?;
                kept += 1;
            }
            let mut quarantined = 0;
            for (path, bytes) in &apart {
                let file = hash::sha256_text(&[path.as_bytes()]);
                let place = ["quarantine", src, file.as_str()];
                let mut text = path.clone().into_bytes();
                text.push(0);
                text.extend_from_slice(bytes);
                db.run(
                    "INSERT INTO quarantine (sub, src, file, at, body) VALUES (?1, ?2, ?3, ?4, ?5)",
                    &[
                        sub.as_str().into(),
                        src.into(),
                        file.as_str().into(),
                        now.into(),
                        sealer.seal(&place, &text)?.into(),
                    ],
                )?;
                quarantined += 1;
            }
            db.run(
                "INSERT INTO ingested (sub, src, digest, at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (sub, src) DO UPDATE SET digest = excluded.digest, at = excluded.at",
                &[
                    sub.as_str().into(),
                    src.into(),
                    digest.as_str().into(),
                    now.into(),
                ],
            )?;
            Ok((kept, quarantined))
        })?;
        done.patients += 1;
        done.records += kept;
        done.quarantined += quarantined;
        Ok(())
    }

    /// Takes in the resources of a FHIR Bundle for a patient number: surgery, genome and others that
    /// SS-MIX2 does not carry. Each replaces the resource of its type and id; a later storage leaves them.
    ///
    /// # Errors
    /// `BODY` for what is no Bundle, where a resource has no type or id as FHIR has them, or where a Patient has not this
    /// number: it would be another person.
    pub fn ingest_bundle(&self, patient: &str, bundle: &[u8]) -> Result<u64, Problem> {
        let sub = self.pseudonym(patient)?;
        let parsed = warifu_json::parse(bundle, warifu_json::Limits::FHIR, &());
        let tree = &parsed.tree;
        let root = warifu_json::ROOT;
        let is_bundle = !tree.is_empty()
            && parsed.issues.is_empty()
            && tree
                .member(root, "resourceType")
                .is_some_and(|t| tree.is_text(t, "Bundle"));
        if !is_bundle {
            return Err(Code::Body.into());
        }
        let src = self.institution.as_str();
        let mut resources = Vec::new();
        for entry in tree
            .member(root, "entry")
            .map(|e| tree.children(e))
            .into_iter()
            .flatten()
        {
            let resource = tree.member(entry, "resource").ok_or(Code::Body)?;
            let text = |name| {
                tree.member(resource, name)
                    .map(|n| tree.text(n).into_owned())
            };
            let (kind, id) = (
                text("resourceType").ok_or(Code::Body)?,
                text("id").ok_or(Code::Body)?,
            );
            if !is_type(&kind) || !is_id(&id) {
                return Err(Code::Body.into());
            }
            let numbers = tree.member(resource, "identifier");
            let mut numbers = numbers.map(|i| tree.children(i)).into_iter().flatten();
            let is_own = numbers.any(|i| {
                tree.member(i, "value")
                    .is_some_and(|v| tree.is_text(v, patient))
            });
            if kind == "Patient" && !is_own {
                return Err(Code::Body.into());
            }
            let span = tree.span(resource);
            let (from, to) = (usize::try_from(span.start), usize::try_from(span.end));
            let (from, to) = (from.map_err(|_| Code::Body)?, to.map_err(|_| Code::Body)?);
            resources.push((kind, id, bundle.get(from..to).ok_or(Code::Body)?));
        }
        self.write(|tx| {
            let sealer = tx.sealer(&sub)?;
            let mut kept = 0;
            for (kind, id, json) in &resources {
                let key = [
                    sub.as_str().into(),
                    src.into(),
                    kind.as_str().into(),
                    id.as_str().into(),
                ];
                let known = tx.view.db.query(
                    "SELECT recorded, via, body FROM records
                     WHERE sub = ?1 AND src = ?2 AND typ = ?3 AND id = ?4",
                    &key,
                )?;
                // What is unchanged keeps the time at which it was recorded.
                let mut recorded = tx.view.now;
                if let Some(row) = known.first() {
                    let read = || Some((row.int(0)?, row.text(1)?, row.bytes(2)?));
                    let (at, via, body) =
                        read().ok_or(warifu_store::StoreError::Form("records"))?;
                    let text = sealer.open(&["record", src, kind, id], body)?;
                    if via == "bundle" && text == *json {
                        recorded = at;
                    }
                }
                tx.view.db.run(
                    "INSERT INTO records (sub, src, typ, id, recorded, body, via)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'bundle') ON CONFLICT (sub, src, typ, id)
                     DO UPDATE SET body = excluded.body, recorded = excluded.recorded,
                     via = excluded.via",
                    &[
                        sub.as_str().into(),
                        src.into(),
                        kind.as_str().into(),
                        id.as_str().into(),
                        recorded.into(),
                        sealer.seal(&["record", src, kind, id], json)?.into(),
                    ],
                )?;
                kept += 1;
            }
            Ok(kept)
        })
    }
}

fn lengths(path: &str, bytes: &[u8]) -> [u8; 16] {
    let mut both = [0; 16];
    let of = |n: usize| u64::try_from(n).unwrap_or(u64::MAX).to_be_bytes();
    let (a, b) = both.split_at_mut(8);
    a.copy_from_slice(&of(path.len()));
    b.copy_from_slice(&of(bytes.len()));
    both
}

/// `id` of FHIR.
fn is_id(text: &str) -> bool {
    let sound = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    (1..=64).contains(&text.len()) && text.bytes().all(sound)
}

/// Name of a type of resource.
pub(crate) fn is_type(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Files that name another person than their folder.
fn of_others(made: &Pieces) -> BTreeSet<String> {
    let all = made.diagnostics.iter();
    all.filter(|d| d.code == OTHER_PERSON)
        .map(|d| d.primary.file.clone())
        .collect()
}

fn pieces(job: &mut Job, files: &[(String, Vec<u8>)]) -> Pieces {
    let given: Vec<File<'_>> = files
        .iter()
        .map(|(path, bytes)| File {
            path,
            bytes: bytes.as_slice(),
        })
        .collect();
    job.pieces(&given, true)
}
