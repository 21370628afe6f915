//! Records in: a storage of SS-MIX2, patient by patient, through the conversion.
//!
//! What a patient's files give replaces what was kept of the patient, so corrections and deletions are
//! applied; a patient whose files are the same as before is passed over, and one of whom a file cannot be
//! read keeps what was taken. A file whose PID-3 names somebody else than its folder is not taken: it is
//! kept apart, sealed, and goes to nobody until somebody says whose it is (`quarantine`). What a Bundle
//! brought stays.

use std::collections::BTreeSet;

use warifu_consent::{Reason, hash};
use warifu_convert::{Ids, Job, JobOptions, Pieces, To};
use warifu_diag::catalogue::ssm::SSM103;
use warifu_json::{NodeId, Tree};
use warifu_map::File;
use warifu_storage::{Found, PatientBatch, Storage, StorageNoteKind as Note};

use crate::office::{Office, View};
use crate::problem::{Code, Problem};
use crate::quarantine;

/// The finding of a file that names another person than its folder.
const OTHER_PERSON: &str = SSM103.code;
/// System of the patient numbers of an institution, before its 10 digits.
const NUMBERS: &str = "urn:oid:1.2.392.100495.20.3.51.1";
/// Elements that name the person whom a resource is about.
const WHOSE: [&str; 4] = ["beneficiary", "individual", "patient", "subject"];

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

/// What became of a Bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Brought {
    /// Resources that were kept.
    pub records: u64,
    /// Resources that were taken away.
    pub deleted: u64,
}

/// Ten digits of a code of an institution.
pub(crate) fn digits(institution: &str) -> Option<&str> {
    let digits = institution.strip_prefix("mi:")?;
    let sound = digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_digit());
    sound.then_some(digits)
}

/// A conversion for the records of an institution.
///
/// # Errors
/// `AUD_UNKNOWN` for a code without 10 digits.
pub(crate) fn job_of(institution: &str) -> Result<Job, Problem> {
    let number = digits(institution).ok_or(Reason::AudUnknown.of("code"))?;
    let options = JobOptions {
        to: To::Ndjson,
        ids: Ids::default(),
        institution: Some(number.to_owned()),
        ..JobOptions::default()
    };
    Job::new(options).map_err(|e| Problem::internal(format!("{e}")))
}

impl Office {
    /// Takes in a storage of the institution that keeps the office.
    ///
    /// # Errors
    /// As of [`Self::ingest_of`].
    pub fn ingest(&self, storage: &Storage) -> Result<Ingested, Problem> {
        self.ingest_of(&self.institution, storage)
    }

    /// Takes in a storage of an institution (`mi:` and 10 digits): its patient numbers are its own.
    ///
    /// # Errors
    /// The store: what was taken before stays, and running it again goes on. `AUD_UNKNOWN` for another code;
    /// `BODY` for an archive that is damaged or unfolds too far: whose files are missing from it nobody knows,
    /// so nothing was taken.
    pub fn ingest_of(&self, institution: &str, storage: &Storage) -> Result<Ingested, Problem> {
        let mut job = job_of(institution)?;
        let mut done = Ingested::default();
        // Before any patient: who has a folder that cannot be read is not whole.
        let mut refused: Vec<String> = Vec::new();
        for found in storage.walk() {
            let Found::Note(note) = found else { continue };
            if matches!(
                note.kind,
                Note::Damaged | Note::Expansion | Note::JournalRecordLong
            ) {
                return Err(Problem::from(Code::Body).because(note.kind.slug()));
            }
            if note.kind.is_refusal() {
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
                        self.patient(institution, storage, &batch, &mut job, &mut done)?;
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
        src: &str,
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
        let sub = self.pseudonym_at(src, &batch.key.patient)?;
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
                     DO UPDATE SET body = excluded.body, recorded = excluded.recorded,
                     via = excluded.via WHERE records.via <> 'bundle'",
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
                let file = quarantine::id_of(self, src, path)?;
                let place = ["quarantine", src, file.as_str()];
                let text = quarantine::joined(path, bytes);
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
                if !quarantine::is_resolved(tx, &file, &text)? {
                    quarantined += 1;
                }
            }
            quarantine::settled(tx, &sub, src, job)?;
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

    /// Takes in the resources of a FHIR Bundle for a patient number of the office's institution: surgery, genome
    /// and others that SS-MIX2 does not carry. Each replaces the resource of its type and id; a later storage
    /// leaves them, and an entry whose request is `DELETE` takes one away.
    ///
    /// # Errors
    /// As of [`Self::ingest_bundle_of`].
    pub fn ingest_bundle(&self, patient: &str, bundle: &[u8]) -> Result<Brought, Problem> {
        self.ingest_bundle_of(&self.institution, Some(patient), bundle)
    }

    /// The same of an institution (`mi:` and 10 digits). Without a number the Bundle tells it: by the identifier
    /// that the institution gave, in each Patient.
    ///
    /// # Errors
    /// `BODY` for what is no Bundle, where a resource has no type or id as FHIR has them, or where a Patient,
    /// or what a resource says that it is about, is not the one person: it would be somebody else's.
    pub fn ingest_bundle_of(
        &self,
        institution: &str,
        patient: Option<&str>,
        bundle: &[u8],
    ) -> Result<Brought, Problem> {
        let digits = digits(institution).ok_or(Reason::AudUnknown.of("code"))?;
        let system = format!("{NUMBERS}{digits}");
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
        let entries = tree.member(root, "entry").map(|e| tree.children(e));
        let entries: Vec<NodeId> = entries.into_iter().flatten().collect();
        let mut resources = Vec::new();
        let mut gone = Vec::new();
        let mut within = Vec::new();
        for entry in entries {
            let Some(resource) = tree.member(entry, "resource") else {
                gone.push(deleted(tree, entry).ok_or(Code::Body)?);
                continue;
            };
            let (kind, id) = (
                member(tree, resource, "resourceType").ok_or(Code::Body)?,
                member(tree, resource, "id").ok_or(Code::Body)?,
            );
            if !is_type(&kind) || !is_id(&id) {
                return Err(Code::Body.into());
            }
            let span = tree.span(resource);
            let (from, to) = (usize::try_from(span.start), usize::try_from(span.end));
            let (from, to) = (from.map_err(|_| Code::Body)?, to.map_err(|_| Code::Body)?);
            let json = bundle.get(from..to).ok_or(Code::Body)?;
            resources.push((resource, kind, id, json));
            within.extend(member(tree, entry, "fullUrl"));
        }
        let persons = || resources.iter().filter(|(_, kind, ..)| kind == "Patient");
        let patient = if let Some(number) = patient {
            number.to_owned()
        } else {
            let mut numbers = persons().map(|(node, ..)| number_of(tree, *node, &system));
            let number = numbers.next().flatten().ok_or(Code::Body)?;
            if !numbers.all(|n| n.as_deref() == Some(number.as_str())) {
                return Err(Code::Body.into());
            }
            number
        };
        let named = |node: NodeId| {
            let all = tree.member(node, "identifier").map(|i| tree.children(i));
            let mut values = all
                .into_iter()
                .flatten()
                .filter_map(|i| tree.member(i, "value"));
            values.any(|v| tree.is_text(v, &patient))
        };
        if !persons().all(|(node, ..)| named(*node)) {
            return Err(Code::Body.into());
        }
        // Each Patient of the Bundle is the person, so what is referred to inside it is nobody else.
        let mut own: BTreeSet<String> = persons().map(|(_, _, id, _)| id.clone()).collect();
        own.extend(within.into_iter().filter(|url| url.starts_with("urn:")));
        let sub = self.pseudonym_at(institution, &patient)?;
        let src = institution;
        self.write(|tx| {
            own.extend(patients(&tx.view, &sub)?);
            for (node, ..) in &resources {
                if !is_about(tree, *node, &own, &system, &patient) {
                    return Err(Code::Body.into());
                }
            }
            let sealer = tx.sealer(&sub)?;
            let mut done = Brought::default();
            for (kind, id) in &gone {
                done.deleted += tx.view.db.run(
                    "DELETE FROM records
                     WHERE sub = ?1 AND src = ?2 AND typ = ?3 AND id = ?4 AND via = 'bundle'",
                    &[
                        sub.as_str().into(),
                        src.into(),
                        kind.as_str().into(),
                        id.as_str().into(),
                    ],
                )?;
            }
            for (_, kind, id, json) in &resources {
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
                done.records += 1;
            }
            Ok(done)
        })
    }
}

fn member(tree: &Tree<'_>, node: NodeId, name: &str) -> Option<String> {
    tree.member(node, name).map(|n| tree.text(n).into_owned())
}

/// Type and id of what an entry without a resource takes away.
fn deleted(tree: &Tree<'_>, entry: NodeId) -> Option<(String, String)> {
    let request = tree.member(entry, "request")?;
    if !tree.is_text(tree.member(request, "method")?, "DELETE") {
        return None;
    }
    let url = member(tree, request, "url")?;
    let (kind, id) = url.split_once('/')?;
    (is_type(kind) && is_id(id)).then(|| (kind.to_owned(), id.to_owned()))
}

/// The number that an institution gave to a Patient.
fn number_of(tree: &Tree<'_>, patient: NodeId, system: &str) -> Option<String> {
    let all = tree.children(tree.member(patient, "identifier")?);
    let mut own = all.filter(|i| {
        let given = tree.member(*i, "system");
        given.is_some_and(|s| tree.is_text(s, system))
    });
    let number = own.next().and_then(|i| member(tree, i, "value"))?;
    // Two numbers of one institution are two persons until somebody joins them.
    let sound = own.next().is_none() && !number.trim().is_empty();
    sound.then_some(number)
}

/// Ids under which a person's Patient is kept.
fn patients(view: &View<'_>, sub: &str) -> Result<Vec<String>, Problem> {
    let sql = "SELECT id FROM records WHERE sub = ?1 AND typ = 'Patient'";
    let rows = view.db.query(sql, &[sub.into()])?;
    let ids: Option<Vec<String>> = rows.iter().map(|r| r.text(0).map(str::to_owned)).collect();
    Ok(ids.ok_or(warifu_store::StoreError::Form("records"))?)
}

/// Whether a resource names nobody but the person as the one it is about.
fn is_about(
    tree: &Tree<'_>,
    resource: NodeId,
    own: &BTreeSet<String>,
    system: &str,
    number: &str,
) -> bool {
    let mut all = WHOSE.iter().filter_map(|name| tree.member(resource, name));
    all.all(|whom| {
        let reference = member(tree, whom, "reference").unwrap_or_default();
        // A search (`Patient?identifier=…`), or a name of nothing in the Bundle, may be anybody.
        if reference.contains('?') || reference.starts_with("urn:") && !own.contains(&reference) {
            return false;
        }
        let mut parts = reference
            .split("/_history/")
            .next()
            .unwrap_or_default()
            .rsplit('/');
        let (id, kind) = (parts.next(), parts.next());
        let known = kind != Some("Patient") || id.is_some_and(|id| own.contains(id));
        let identifier = tree.member(whom, "identifier");
        let other = identifier.is_some_and(|i| {
            let given = tree.member(i, "system");
            let value = tree.member(i, "value");
            given.is_some_and(|s| tree.is_text(s, system))
                && !value.is_some_and(|v| tree.is_text(v, number))
        });
        known && !other
    })
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
pub(crate) fn of_others(made: &Pieces) -> BTreeSet<String> {
    let all = made.diagnostics.iter();
    all.filter(|d| d.code == OTHER_PERSON)
        .map(|d| d.primary.file.clone())
        .collect()
}

pub(crate) fn pieces(job: &mut Job, files: &[(String, Vec<u8>)]) -> Pieces {
    let given: Vec<File<'_>> = files
        .iter()
        .map(|(path, bytes)| File {
            path,
            bytes: bytes.as_slice(),
        })
        .collect();
    job.pieces(&given, true)
}
