//! JP-CLINS 6情報 from a patient's output (mapping §10b; JP-CLINS 1.5.3).
//!
//! A second stage: the finished JP Core resources are read back, shaped by the CLINS profiles and put
//! into one `JP_Bundle_CLINS` for the allergies, one for the diseases and one for each laboratory
//! report; prescriptions are lines beside them, since the Bundle's invariants refuse them. What lacks
//! a mandatory value stays out with a `CLN` finding; nothing is made up to pass. Every leaf keeps the
//! source it had ([`Part::hits`]).
//!
//! Identity: the local part of `Bundle.identifier` depends on institution, patient, kind and report
//! only, since a Bundle with a known identifier replaces the earlier one. The `urn:uuid` of entries
//! belong to one sending: they depend on [`Options::sending_id`], else on the content.

mod allergy;
mod condition;
mod laboratory;
mod medication;
mod patient;
mod shared;
#[cfg(test)]
mod tests;
mod tree;
mod visit;

use std::fmt::Write as _;
use warifu_order::{Map, Set};

use warifu_diag::catalogue::clins as codes;
use warifu_diag::{Code, Diagnostic, SourceId, Span};
use warifu_fhir::IdKey;
use warifu_terms::systems;

use crate::options::IdMode;
use crate::trace::{self, Hit};
use crate::{Options, Output};
use tree::{Node, Origin};

pub use visit::{Department, Visit};
pub(crate) use visit::{note_visit, number_by_file};

/// One file of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Logical id of the patient: the folder of the file.
    pub patient: String,
    /// File name, e.g. `Condition.json`.
    pub name: String,
    /// Content: a Bundle without line end, or NDJSON.
    pub bytes: Vec<u8>,
    /// Resources inside by type.
    pub counts: Map<&'static str, u64>,
    /// Leaves of each line of [`Part::bytes`] (a Bundle is one line); empty without [`Options::trace`].
    pub hits: Vec<Vec<Hit>>,
}

/// Makes the parts; findings go to `out.diagnostics`. `out` must have been made with
/// [`Options::clins`] on, else departments and visits are known from ADT files only.
///
/// A function of its own: in wasm it is the root of a part that is loaded when it is needed.
#[inline(never)]
pub fn parts(out: &mut Output, options: &Options) -> Vec<Part> {
    let (parts, found) = {
        let mut shaper = Shaper::new(out, options);
        let parts = shaper.run();
        (parts, shaper.found)
    };
    out.diagnostics.extend(found);
    if options.trace {
        trace::leave_out(out, &parts);
    }
    parts
}

/// The time of a sending.
#[derive(Debug, Clone)]
struct Stamp {
    /// FHIR instant.
    text: String,
    /// Bytes it came from.
    from: Origin,
}

impl Stamp {
    fn date(&self) -> &str {
        self.text.get(..10).unwrap_or("")
    }
    fn year(&self) -> &str {
        self.text.get(..4).unwrap_or("")
    }
}

/// A shaped resource that goes into a Bundle.
#[derive(Debug)]
struct Entry {
    node: Node,
    id: String,
}

struct Shaper<'o> {
    out: &'o Output,
    options: &'o Options,
    key: IdKey,
    nodes: Vec<Option<Node>>,
    by_id: Map<&'o str, Vec<usize>>,
    found: Vec<Diagnostic>,
    said: Set<(&'static str, u16, String)>,
}

/// Types that are read back.
const TYPES: [&str; 12] = [
    "Patient",
    "Coverage",
    "AllergyIntolerance",
    "Condition",
    "DiagnosticReport",
    "Observation",
    "MedicationRequest",
    "ServiceRequest",
    "Specimen",
    "Encounter",
    "Practitioner",
    "PractitionerRole",
];

impl<'o> Shaper<'o> {
    fn new(out: &'o Output, options: &'o Options) -> Self {
        let mut by_id: Map<&str, Vec<usize>> = Map::new();
        let mut nodes = Vec::with_capacity(out.resources.len());
        for (i, r) in out.resources.iter().enumerate() {
            let wanted = TYPES.contains(&r.resource_type);
            let hits = if wanted && options.trace {
                let mut hits = Vec::new();
                trace::each_hit(out, r, &mut |hit| {
                    hits.push(hit);
                    true
                });
                hits
            } else {
                Vec::new()
            };
            nodes.push(wanted.then(|| tree::read(out.json_of(r), hits)).flatten());
            by_id.entry(r.id.as_str()).or_default().push(i);
        }
        let key = IdKey::new(
            options
                .id_key
                .as_deref()
                .unwrap_or(warifu_fhir::ids::PUBLIC_KEY),
        );
        Self {
            out,
            options,
            key,
            nodes,
            by_id,
            found: Vec::new(),
            said: Set::new(),
        }
    }

    // --- looking up ---------------------------------------------------------------------------

    fn message(&self, i: usize) -> u16 {
        self.out.resources.get(i).map_or(0, |r| r.message)
    }
    /// Number of the message in the output.
    fn told_by(&self, i: usize) -> u64 {
        self.out.resources.get(i).map_or(0, |r| r.said)
    }
    fn id(&self, i: usize) -> &'o str {
        self.out.resources.get(i).map_or("", |r| r.id.as_str())
    }
    fn node(&self, i: usize) -> Option<&Node> {
        self.nodes.get(i)?.as_ref()
    }
    /// Numbers of all resources of a type.
    fn all(&self, resource_type: &str) -> Vec<usize> {
        self.out
            .resources
            .iter()
            .enumerate()
            .filter(|(_, r)| r.resource_type == resource_type)
            .map(|(i, _)| i)
            .collect()
    }
    /// The resource that a reference (`Type/id`, `urn:uuid:id`) names.
    fn resolve(&self, reference: &str, resource_type: &str) -> Option<usize> {
        let id = match reference.strip_prefix("urn:uuid:") {
            Some(id) => id,
            None => reference.strip_prefix(resource_type)?.strip_prefix('/')?,
        };
        self.by_id.get(id)?.iter().copied().find(|i| {
            self.out
                .resources
                .get(*i)
                .is_some_and(|r| r.resource_type == resource_type)
        })
    }
    /// The resource that the reference in a member names.
    fn target(&self, node: &Node, path: &[&str], resource_type: &str) -> Option<usize> {
        let reference = node.at(path)?.str_at(&["reference"])?;
        self.resolve(&reference, resource_type)
    }

    // --- findings -----------------------------------------------------------------------------

    fn say(&mut self, code: Code, message: u16, argument: Option<String>) {
        if !self
            .said
            .insert((code.code, message, argument.clone().unwrap_or_default()))
        {
            return;
        }
        let d = Diagnostic::new(
            code,
            Span {
                source: SourceId(u32::from(message)),
                start: 0,
                end: 0,
            },
        );
        self.found.push(match argument {
            Some(a) => d.with(a),
            None => d,
        });
    }
    /// Says something about a resource: named by type and, unless ids show patient numbers, by id.
    fn about(&mut self, code: Code, i: usize, element: &str) {
        let ty = self.out.resources.get(i).map_or("", |r| r.resource_type);
        let mut name = ty.to_owned();
        if self.options.ids == IdMode::Keyed {
            name.push('/');
            name.push_str(self.id(i));
        }
        if !element.is_empty() {
            name.push(' ');
            name.push_str(element);
        }
        self.say(code, self.message(i), Some(name));
    }
    /// Says which elements were left out, once an element.
    fn left_out(&mut self, i: usize, elements: &[String]) {
        let ty = self.out.resources.get(i).map_or("", |r| r.resource_type);
        for e in elements {
            self.say(&codes::CLN301, self.message(i), Some(format!("{ty}.{e}")));
        }
    }

    // --- time ---------------------------------------------------------------------------------

    /// "Sent at", else the newest MSH-7 of the messages.
    fn stamp(&self, messages: &Set<u64>) -> Option<Stamp> {
        if let Some(text) = &self.options.sent_at {
            return Some(Stamp {
                text: text.clone(),
                from: Origin::default(),
            });
        }
        self.sent(messages)
    }
    /// The newest MSH-7 of the messages.
    fn sent(&self, messages: &Set<u64>) -> Option<Stamp> {
        let (_, time, said) = self
            .out
            .message_times
            .iter()
            .filter(|(.., said)| messages.contains(said))
            .max_by_key(|(_, t, _)| t.sort_key())?;
        let mut text = String::new();
        time.write_instant(&mut text);
        Some(Stamp {
            text,
            from: self.sent_origin(*said),
        })
    }
    /// `meta.lastUpdated` of a resource: MSH-7 of its message, else the Bundle's time.
    fn updated(&self, i: usize, stamp: &Stamp) -> Node {
        let own = self.sent(&Set::from([self.told_by(i)]));
        let s = own.as_ref().unwrap_or(stamp);
        Node::made(&s.text, s.from.clone())
    }

    // --- the whole ----------------------------------------------------------------------------

    fn run(&mut self) -> Vec<Part> {
        let mut made = Vec::new();
        for patient in self.all("Patient") {
            self.person(patient, &mut made);
        }
        made
    }

    /// All parts of one patient.
    fn person(&mut self, patient: usize, made: &mut Vec<Part>) {
        let of = |s: &Self, ty: &str, subject: &str| -> Vec<usize> {
            s.all(ty)
                .into_iter()
                .filter(|i| {
                    s.node(*i).and_then(|n| s.target(n, &[subject], "Patient")) == Some(patient)
                })
                .collect()
        };
        let allergies = of(self, "AllergyIntolerance", "patient");
        let conditions = of(self, "Condition", "subject");
        let reports: Vec<usize> = of(self, "DiagnosticReport", "subject")
            .into_iter()
            .filter(|i| self.node(*i).is_some_and(laboratory::is_report))
            .collect();
        let observations = of(self, "Observation", "subject");
        let prescriptions = of(self, "MedicationRequest", "subject");
        if allergies.is_empty()
            && conditions.is_empty()
            && reports.is_empty()
            && prescriptions.is_empty()
        {
            return;
        }
        match self.options.institution.as_deref() {
            None => return self.say(&codes::CLN101, self.message(patient), None),
            Some(n) if !is_institution(n) => {
                return self.say(&codes::CLN102, self.message(patient), None);
            }
            Some(_) => {}
        }
        self.unit(
            patient,
            "AllergyIntolerance",
            "",
            "AllergyIntolerance.json",
            &allergies,
            made,
            Self::allergy,
        );
        self.unit(
            patient,
            "Condition",
            "",
            "Condition.json",
            &conditions,
            made,
            Self::condition,
        );
        let specimens = self.specimens_of_items(&observations);
        let mut reported = Set::new();
        for report in reports {
            let results = self.results(report);
            reported.extend(results.iter().copied());
            let id = self.id(report);
            self.unit(
                patient,
                "Observation",
                id,
                &format!("Observation-{id}.json"),
                &results,
                made,
                |s, i, stamp| s.observation(i, stamp, &specimens),
            );
        }
        for i in observations {
            if !reported.contains(&i) && self.node(i).is_some_and(laboratory::is_laboratory) {
                self.about(&codes::CLN212, i, "");
            }
        }
        self.prescriptions(patient, &prescriptions, made);
    }

    /// One Bundle of resources of one type, if any of them and the patient can go into it.
    #[expect(
        clippy::too_many_arguments,
        reason = "three call sites; a struct would only rename the arguments"
    )]
    fn unit(
        &mut self,
        patient: usize,
        kind: &'static str,
        unit: &str,
        name: &str,
        candidates: &[usize],
        made: &mut Vec<Part>,
        mut shape: impl FnMut(&mut Self, usize, &Stamp) -> Option<Node>,
    ) {
        if candidates.is_empty() {
            return;
        }
        let message = self.message(patient);
        let mut messages: Set<u64> = candidates.iter().map(|i| self.told_by(*i)).collect();
        messages.insert(self.told_by(patient));
        let argument = || Some(format!("{kind} Bundle"));
        let Some(stamp) = self.stamp(&messages) else {
            return self.say(&codes::CLN106, message, argument());
        };
        if !("2020"..="2039").contains(&stamp.year()) {
            return self.say(&codes::CLN107, message, argument());
        }
        let Some(person) = self.patient(patient, &stamp, kind) else {
            return;
        };
        let mut entries = Vec::new();
        for i in candidates {
            if let Some(node) = shape(self, *i, &stamp) {
                entries.push(Entry {
                    node,
                    id: self.id(*i).to_owned(),
                });
            }
        }
        if !entries.is_empty() {
            made.push(self.bundle(patient, person, kind, unit, name, entries, &stamp));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call site")]
    fn bundle(
        &self,
        patient: usize,
        person: Node,
        kind: &'static str,
        unit: &str,
        name: &str,
        entries: Vec<Entry>,
        stamp: &Stamp,
    ) -> Part {
        let institution = self.options.institution.as_deref().unwrap_or("");
        let patient_id = self.id(patient);
        let local = self.key.id(
            institution,
            &["Bundle", "JP_Bundle_CLINS", kind, patient_id, unit],
        );
        let local = local.as_str();
        let mut seed = String::new();
        if let Some(id) = &self.options.sending_id {
            seed.push_str(id);
        } else {
            let mut content = Vec::new();
            for n in std::iter::once(&person).chain(entries.iter().map(|e| &e.node)) {
                tree::write(n, false, &mut content, &mut Vec::new());
            }
            content.extend_from_slice(stamp.text.as_bytes());
            for b in self
                .key
                .digest(institution, &[&String::from_utf8_lossy(&content)])
            {
                let _ = write!(seed, "{b:02x}");
            }
        }
        let url = |ty: &str, id: &str| {
            format!(
                "urn:uuid:{}",
                self.key
                    .id(institution, &["entry", &seed, local, ty, id])
                    .as_str()
            )
        };
        let patient_url = url("Patient", patient_id);
        let mut counts = Map::from([("Patient", 1u64), ("Bundle", 1u64)]);
        let mut list = vec![Node::object([
            ("fullUrl", Some(Node::text(&patient_url))),
            ("resource", Some(person)),
        ])];
        for mut e in entries {
            *counts.entry(kind).or_insert(0) += 1;
            for subject in ["subject", "patient"] {
                if let Some(r) = e.node.get_mut(subject) {
                    let from = r.origin();
                    *r = Node::object([("reference", Some(Node::made(&patient_url, from)))]);
                }
            }
            list.push(Node::object([
                ("fullUrl", Some(Node::text(&url(kind, &e.id)))),
                ("resource", Some(e.node)),
            ]));
        }
        let when = || Node::made(&stamp.text, stamp.from.clone());
        let tag = Node::coding(systems::CLINS_BUNDLE_RESOURCE_TYPE, kind, "");
        let mut meta = shared::meta(when(), BUNDLE);
        meta.push("tag", tag);
        let bundle = Node::object([
            ("resourceType", Some(Node::text("Bundle"))),
            ("id", Some(Node::text(local))),
            ("meta", Some(meta)),
            (
                "identifier",
                Some(Node::object([
                    ("system", Some(Node::text(systems::ID_CLINS_BUNDLE))),
                    (
                        "value",
                        Some(Node::text(&format!(
                            "{institution}^{}^{local}",
                            stamp.year()
                        ))),
                    ),
                ])),
            ),
            ("type", Some(Node::text("collection"))),
            ("timestamp", Some(when())),
            ("entry", Some(Node::Array(list))),
        ]);
        let mut part = Part {
            patient: patient_id.to_owned(),
            name: name.to_owned(),
            bytes: Vec::new(),
            counts,
            hits: Vec::new(),
        };
        part.line(&bundle, self.options.trace);
        part
    }
}

impl Part {
    fn line(&mut self, node: &Node, trace: bool) {
        let mut hits = Vec::new();
        tree::write(node, trace, &mut self.bytes, &mut hits);
        if trace {
            self.hits.push(hits);
        }
    }
}

/// Canonical of the Bundle, with the version the guide asks for.
const BUNDLE: &str = "http://jpfhir.jp/fhir/clins/StructureDefinition/JP_Bundle_CLINS|1";

/// `^[0-4][0-9][1-3][0-9]{7}$`.
fn is_institution(n: &str) -> bool {
    let b = n.as_bytes();
    b.len() == 10
        && b.iter().all(u8::is_ascii_digit)
        && matches!(b.first(), Some(b'0'..=b'4'))
        && matches!(b.get(2), Some(b'1'..=b'3'))
}
