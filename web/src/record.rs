//! Own records as people read them: what each is, its day, its values, and where it comes from.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use warifu_consent::hash::resource_key;
use warifu_consent::{FilterError, Policy, categories_of, stands_under};
use warifu_json::{Kind, Limits, NodeId, ROOT, Tree, parse};

use crate::text::{self, Text};

/// A piece of what a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// As it is written there.
    Data(String),
    /// A code that we have words for.
    Word(Text),
    /// A day or an instant.
    When(String),
}

/// One line of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub label: Text,
    /// What is said.
    pub said: Vec<Said>,
}

/// In the place of a category: it is not known.
pub const UNSORTED: &str = "other";

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `Type/id`.
    pub key: String,
    /// The key by which a consent leaves it out; also its name in addresses.
    pub id: String,
    /// Its categories.
    pub cats: Vec<String>,
    /// What kind of record it is, in plain words.
    pub kind: Text,
    /// What it is called; empty if it has no name.
    pub title: String,
    /// Its day, as recorded; empty if there is none.
    pub day: String,
    /// Facility it comes from; empty where that is not known.
    pub src: String,
    /// The one thing that a list says of it.
    pub brief: Vec<Said>,
    /// Everything else; a list is made anew at each choice, and this is not.
    pub facts: Rc<[Fact]>,
    /// `Type/id` of what it sums up.
    pub parts: Vec<String>,
    /// It counts as surgery since nothing in it says that it is none.
    pub guessed: bool,
}

impl Record {
    /// The one category under which it is listed, as the history counts it.
    pub fn stands_under(&self) -> &str {
        stands_under(&self.cats).unwrap_or(UNSORTED)
    }

    /// Whether it only says what was to be done.
    pub fn is_order(&self) -> bool {
        self.kind == text::KIND_ORDER
    }
}

/// Kinds of records in plain words.
const KINDS: &[(&str, Text)] = &[
    ("AllergyIntolerance", text::KIND_ALLERGY),
    ("Composition", text::KIND_DOCUMENT),
    ("Condition", text::KIND_CONDITION),
    ("Coverage", text::KIND_COVERAGE),
    ("DiagnosticReport", text::KIND_REPORT),
    ("DocumentReference", text::KIND_DOCUMENT),
    ("Encounter", text::KIND_VISIT),
    ("FamilyMemberHistory", text::KIND_FAMILY),
    ("ImagingStudy", text::KIND_IMAGE),
    ("Immunization", text::KIND_VACCINE),
    ("MedicationAdministration", text::KIND_GIVEN),
    ("MedicationDispense", text::KIND_DISPENSED),
    ("MedicationRequest", text::KIND_PRESCRIBED),
    ("MedicationStatement", text::KIND_TAKEN),
    ("NutritionOrder", text::KIND_MEAL),
    ("Observation", text::KIND_RESULT),
    ("Procedure", text::KIND_PROCEDURE),
    ("ServiceRequest", text::KIND_ORDER),
];

/// Where a resource's name stands, the best first. A category or a class is no name.
const NAMES: &[&str] = &[
    "code",
    "medicationCodeableConcept",
    "vaccineCode",
    "title",
    "type",
    "procedureCode",
    "oralDiet.type",
    "supplement.type",
    "description",
];

/// Where its day stands.
const DAYS: &[&str] = &[
    "effectiveDateTime",
    "performedDateTime",
    "occurrenceDateTime",
    "onsetDateTime",
    "authoredOn",
    "whenHandedOver",
    "started",
    "dateTime",
    "date",
    "recordedDate",
    "issued",
    "effectivePeriod",
    "performedPeriod",
    "period",
    "created",
];

/// How an element is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A value of any type.
    Any,
    /// A day, or the two ends of a period.
    When,
    /// `referenceRange`
    Normal,
    /// `component`
    Component,
    /// `ingredient`
    Ingredient,
    /// How a drug is taken.
    Dose,
    /// A code that we have words for, in this list.
    Word(&'static [(&'static str, Text)]),
    /// The same, and what it is called where we have none.
    WordOr(&'static [(&'static str, Text)]),
    /// `section`
    Section,
    /// A reference, by the name of what it leads to.
    Name,
}

/// HL7 v3 ObservationInterpretation.
const JUDGED: &[(&str, Text)] = &[
    ("A", text::JUDGED_ABNORMAL),
    ("AA", text::JUDGED_ABNORMAL),
    ("H", text::JUDGED_HIGH),
    ("HH", text::JUDGED_VERY_HIGH),
    ("HU", text::JUDGED_VERY_HIGH),
    ("L", text::JUDGED_LOW),
    ("LL", text::JUDGED_VERY_LOW),
    ("LU", text::JUDGED_VERY_LOW),
    ("N", text::JUDGED_NORMAL),
    ("NEG", text::JUDGED_NEGATIVE),
    ("I", text::JUDGED_BETWEEN),
    ("POS", text::JUDGED_POSITIVE),
    ("R", text::JUDGED_RESISTANT),
    ("S", text::JUDGED_SUSCEPTIBLE),
];

/// `clinicalStatus` of conditions and allergies.
const STATES: &[(&str, Text)] = &[
    ("active", text::STATE_ACTIVE),
    ("inactive", text::STATE_INACTIVE),
    ("recurrence", text::STATE_RECURRENCE),
    ("relapse", text::STATE_RECURRENCE),
    ("remission", text::STATE_REMISSION),
    ("resolved", text::STATE_RESOLVED),
];

/// `dataAbsentReason`: why there is no result.
const ABSENT: &[(&str, Text)] = &[
    ("as-text", text::ABSENT_TEXT),
    ("asked-declined", text::ABSENT_UNKNOWN),
    ("asked-unknown", text::ABSENT_UNKNOWN),
    ("error", text::ABSENT_ERROR),
    ("masked", text::ABSENT_MASKED),
    ("not-a-number", text::ABSENT_ERROR),
    ("not-asked", text::ABSENT_NOT_DONE),
    ("not-performed", text::ABSENT_NOT_DONE),
    ("not-permitted", text::ABSENT_MASKED),
    ("temp-unknown", text::ABSENT_LATER),
    ("unknown", text::ABSENT_UNKNOWN),
    ("unsupported", text::ABSENT_UNKNOWN),
];

/// `verificationStatus` of conditions and allergies. What is confirmed needs no word.
const CERTAIN: &[(&str, Text)] = &[
    ("differential", text::CERTAIN_SUSPECTED),
    ("provisional", text::CERTAIN_SUSPECTED),
    ("refuted", text::CERTAIN_REFUTED),
    ("unconfirmed", text::CERTAIN_SUSPECTED),
];

/// `class` of encounters.
const CLASSES: &[(&str, Text)] = &[
    ("ACUTE", text::CLASS_INPATIENT),
    ("AMB", text::CLASS_OUTPATIENT),
    ("EMER", text::CLASS_EMERGENCY),
    ("HH", text::CLASS_HOME),
    ("IMP", text::CLASS_INPATIENT),
    ("NONAC", text::CLASS_INPATIENT),
];

/// What of a record is told, in this order: label, where it stands, how it is read.
const FACTS: &[(Text, &str, Form)] = &[
    (text::FACT_CLASS, "class", Form::Word(CLASSES)),
    (
        text::FACT_CERTAIN,
        "verificationStatus",
        Form::Word(CERTAIN),
    ),
    (text::FACT_STATE, "clinicalStatus", Form::Word(STATES)),
    (text::FACT_RESULT, "valueQuantity", Form::Any),
    (text::FACT_RESULT, "valueString", Form::Any),
    (text::FACT_RESULT, "valueCodeableConcept", Form::Any),
    (text::FACT_RESULT, "valueInteger", Form::Any),
    (text::FACT_RESULT, "valueBoolean", Form::Any),
    (text::FACT_RESULT, "valueRange", Form::Any),
    (text::FACT_RESULT, "valueRatio", Form::Any),
    (text::FACT_RESULT, "valueTime", Form::Any),
    (text::FACT_RESULT, "valueDateTime", Form::When),
    (text::FACT_RESULT, "valuePeriod", Form::When),
    (text::FACT_RESULT, "dataAbsentReason", Form::WordOr(ABSENT)),
    (text::FACT_RESULT, "component", Form::Component),
    (text::FACT_JUDGED, "interpretation", Form::WordOr(JUDGED)),
    (text::FACT_NORMAL, "referenceRange", Form::Normal),
    (text::FACT_FOUND, "conclusion", Form::Any),
    (text::FACT_FOUND, "conclusionCode", Form::Any),
    (text::FACT_FOUND, "outcome", Form::Any),
    (
        text::FACT_MEDICINE,
        "medicationReference.ingredient",
        Form::Ingredient,
    ),
    (text::FACT_DOSE, "dosageInstruction", Form::Dose),
    (text::FACT_DOSE, "dosage", Form::Dose),
    (text::FACT_DOSE, "doseQuantity", Form::Any),
    (text::FACT_AMOUNT, "dispenseRequest.quantity", Form::Any),
    (text::FACT_AMOUNT, "quantity", Form::Any),
    (
        text::FACT_DAYS,
        "dispenseRequest.expectedSupplyDuration",
        Form::Any,
    ),
    (text::FACT_DAYS, "daysSupply", Form::Any),
    (text::FACT_LOT, "lotNumber", Form::Any),
    (text::FACT_SYMPTOM, "reaction.manifestation", Form::Any),
    (text::FACT_SYMPTOM, "reaction.description", Form::Any),
    (text::FACT_RELATION, "relationship", Form::Any),
    (text::FACT_ILLNESS, "condition.code", Form::Any),
    (text::FACT_WHY, "reasonCode", Form::Any),
    (text::FACT_DONE, "procedureCode", Form::Any),
    (text::FACT_DONE, "oralDiet.type", Form::Any),
    (text::FACT_DONE, "supplement.type", Form::Any),
    (text::FACT_PLACE, "bodySite", Form::Any),
    (text::FACT_SPECIMEN, "specimen.type", Form::Any),
    (text::FACT_BEGAN, "onsetDateTime", Form::When),
    (text::FACT_BEGAN, "onsetString", Form::Any),
    (text::FACT_ENDED, "abatementDateTime", Form::When),
    (text::FACT_DONE_ON, "effectiveDateTime", Form::When),
    (text::FACT_DONE_ON, "effectivePeriod", Form::When),
    (text::FACT_DONE_ON, "performedDateTime", Form::When),
    (text::FACT_DONE_ON, "performedPeriod", Form::When),
    (text::FACT_DONE_ON, "occurrenceDateTime", Form::When),
    (text::FACT_DONE_ON, "started", Form::When),
    (text::FACT_DONE_ON, "period", Form::When),
    (text::FACT_DONE_ON, "whenHandedOver", Form::When),
    (text::FACT_WRITTEN, "authoredOn", Form::When),
    (text::FACT_WRITTEN, "dateTime", Form::When),
    (text::FACT_WRITTEN, "date", Form::When),
    (text::FACT_WRITTEN, "recordedDate", Form::When),
    (text::FACT_WRITTEN, "issued", Form::When),
    (text::FACT_NOTE, "note.text", Form::Any),
    (text::FACT_NOTE, "patientInstruction", Form::Any),
    (text::FACT_TEXT, "section", Form::Section),
    (text::FACT_TEXT, "content.attachment.title", Form::Any),
    (text::FACT_DOCTOR, "requester", Form::Name),
    (text::FACT_DOCTOR, "asserter", Form::Name),
    (text::FACT_DOCTOR, "author", Form::Name),
    (text::FACT_DOCTOR, "performer", Form::Name),
    (text::FACT_DOCTOR, "performer.actor", Form::Name),
    (text::FACT_DOCTOR, "participant.individual", Form::Name),
    (text::FACT_DEPARTMENT, "serviceProvider", Form::Name),
    (text::FACT_WARD, "location.location", Form::Name),
];

/// What a list says beside the name, the first that is there.
const BRIEF: &[Text] = &[
    text::FACT_RESULT,
    text::FACT_DOSE,
    text::FACT_MEDICINE,
    text::FACT_CERTAIN,
    text::FACT_SYMPTOM,
    text::FACT_FOUND,
    text::FACT_CLASS,
];

/// Code systems whose codes say whether a procedure is surgery.
const SURGERY_CODES: &[&str] = &["JP_ProcedureCodesMedical_CS", "stem7", "STEM7"];

/// Longest text that a list says of a record, in characters.
const BRIEF_MOST: usize = 60;

/// Resources of a Bundle, in its order.
fn resources<'t>(tree: &'t Tree<'_>) -> impl Iterator<Item = NodeId> + 't {
    let entries = tree.member(ROOT, "entry");
    let entries = entries.into_iter().flat_map(|e| tree.children(e));
    entries.filter_map(|e| tree.member(e, "resource"))
}

/// `Type/id` of all resources of a Bundle.
pub fn keys(bundle: &str) -> BTreeSet<String> {
    let parsed = parse(bundle.as_bytes(), Limits::FHIR, &());
    resources(&parsed.tree)
        .map(|node| key_of(&parsed.tree, node))
        .collect()
}

fn key_of(tree: &Tree<'_>, node: NodeId) -> String {
    let part = |name: &str| string(tree, node, name).unwrap_or_default();
    format!("{}/{}", part("resourceType"), part("id"))
}

/// Records of a Bundle, in its order. `sources` tells the facility of each by `Type/id`.
///
/// # Errors
/// [`FilterError`]: it cannot be said what is in it.
pub fn records(
    bundle: &str,
    policy: &Policy,
    sources: &BTreeMap<String, String>,
) -> Result<Vec<Record>, FilterError> {
    let all = categories_of(bundle.as_bytes(), policy)?;
    let parsed = parse(bundle.as_bytes(), Limits::FHIR, &());
    let tree = &parsed.tree;
    let nodes: BTreeMap<String, NodeId> = resources(tree).map(|n| (key_of(tree, n), n)).collect();
    let reader = Reader { tree, nodes };
    let found = all.into_iter().filter_map(|(key, cats)| {
        let node = *reader.nodes.get(&key)?;
        let src = sources.get(&key).cloned().unwrap_or_default();
        Some(reader.record(node, key, cats, src))
    });
    Ok(found.collect())
}

fn string(tree: &Tree<'_>, node: NodeId, name: &str) -> Option<String> {
    let node = tree.member(node, name)?;
    let text = tree.text(node).into_owned();
    (!text.is_empty()).then_some(text)
}

/// The element itself, or each of a list.
fn each(tree: &Tree<'_>, node: NodeId) -> Vec<NodeId> {
    if tree.kind(node) == Kind::Array {
        tree.children(node).collect()
    } else {
        vec![node]
    }
}

/// A page of records, and where each stands.
struct Reader<'t> {
    tree: &'t Tree<'t>,
    nodes: BTreeMap<String, NodeId>,
}

impl Reader<'_> {
    fn record(&self, node: NodeId, key: String, cats: Vec<String>, src: String) -> Record {
        let tree = self.tree;
        let (kind, own) = key.split_once('/').unwrap_or_default();
        let mut facts: Vec<Fact> = Vec::new();
        for (label, path, form) in FACTS {
            let mut said = Vec::new();
            for place in self.at(node, node, path) {
                self.say(node, place, *form, &mut said);
            }
            for one in said {
                match facts.iter_mut().find(|f| f.label == *label) {
                    Some(fact) if fact.said.contains(&one) => {}
                    Some(fact) => fact.said.push(one),
                    None => facts.push(Fact {
                        label: *label,
                        said: vec![one],
                    }),
                }
            }
        }
        let of = |label: Text| facts.iter().find(|f| f.label == label);
        let mut brief: Vec<Said> = Vec::new();
        if let Some(first) = BRIEF.iter().find_map(|label| of(*label)) {
            brief.extend(first.said.iter().take(2).map(shortened));
            if first.label == text::FACT_RESULT {
                let judged = of(text::FACT_JUDGED).into_iter().flat_map(|f| &f.said);
                brief.extend(
                    judged
                        .filter(|s| **s != Said::Word(text::JUDGED_NORMAL))
                        .cloned(),
                );
            }
        }
        let own_name = NAMES.iter().find_map(|path| {
            let mut all = self.at(node, node, path).into_iter();
            all.find_map(|n| named(tree, n))
        });
        let title = own_name.or_else(|| {
            let of = self.at(
                node,
                node,
                "medicationReference.ingredient.itemCodeableConcept",
            );
            let mut names: Vec<String> = of.into_iter().filter_map(|n| named(tree, n)).collect();
            names.dedup();
            (!names.is_empty()).then(|| names.join("、"))
        });
        let systems = self.at(node, node, "code.coding.system");
        let coded = systems.into_iter().any(|s| {
            let system = tree.text(s);
            SURGERY_CODES.iter().any(|c| system.contains(c))
        });
        let parts = self.at(node, node, "result").into_iter();
        Record {
            id: resource_key(&src, kind, own),
            kind: KINDS
                .iter()
                .find(|(k, _)| *k == kind)
                .map_or(text::KIND_OTHER, |(_, words)| *words),
            title: title.unwrap_or_default(),
            day: DAYS
                .iter()
                .find_map(|d| day(tree, tree.member(node, d)?))
                .unwrap_or_default(),
            guessed: kind == "Procedure" && !coded && cats.iter().any(|c| c == "prc.surgery"),
            parts: parts.filter_map(|n| string(tree, n, "reference")).collect(),
            key,
            cats,
            src,
            brief,
            facts: facts.into(),
        }
    }

    /// Elements at a path, through lists and references.
    fn at(&self, of: NodeId, from: NodeId, path: &str) -> Vec<NodeId> {
        let mut here = vec![from];
        for name in path.split('.') {
            let next = here.into_iter().filter_map(|node| {
                let node = self.led(of, node);
                self.tree.member(node, name)
            });
            here = next.flat_map(|n| each(self.tree, n)).collect();
        }
        here
    }

    /// What a reference leads to, in the same resource or on the same page; anything else is itself.
    fn led(&self, of: NodeId, node: NodeId) -> NodeId {
        let Some(to) = string(self.tree, node, "reference") else {
            return node;
        };
        let found = match to.strip_prefix('#') {
            Some(id) => {
                let inside = self.tree.member(of, "contained");
                let mut inside = inside.into_iter().flat_map(|c| self.tree.children(c));
                inside.find(|n| string(self.tree, *n, "id").as_deref() == Some(id))
            }
            None => self.nodes.get(&to).copied(),
        };
        found.unwrap_or(node)
    }

    fn say(&self, of: NodeId, node: NodeId, form: Form, out: &mut Vec<Said>) {
        let tree = self.tree;
        match form {
            Form::Any => out.extend(self.any(node).map(Said::Data)),
            Form::When => {
                let ends = ["start", "end"].map(|end| string(tree, node, end));
                if ends.iter().any(Option::is_some) {
                    out.extend(ends.into_iter().flatten().map(Said::When));
                } else {
                    let text = tree.text(node).into_owned();
                    out.extend((!text.is_empty()).then_some(Said::When(text)));
                }
            }
            Form::WordOr(list) => out.extend(self.word(node, list).or_else(|| self.data(node))),
            Form::Word(list) => out.extend(self.word(node, list)),
            Form::Normal => {
                let ends = string(tree, node, "text").or_else(|| self.range(node));
                out.extend(ends.map(Said::Data));
            }
            Form::Component => {
                let name = tree.member(node, "code").and_then(|n| named(tree, n));
                let values = [
                    "valueQuantity",
                    "valueString",
                    "valueCodeableConcept",
                    "valueInteger",
                ];
                let value = values.iter().find_map(|v| self.any(tree.member(node, v)?));
                if let (Some(name), Some(value)) = (name, value) {
                    out.push(Said::Data(format!("{name}：{value}")));
                }
            }
            Form::Ingredient => {
                let name = tree
                    .member(node, "itemCodeableConcept")
                    .and_then(|n| named(tree, n));
                let mut amount = self.at(of, node, "strength.numerator").into_iter();
                let amount = amount.find_map(|n| self.any(n));
                if let Some(name) = name {
                    out.push(Said::Data(match amount {
                        Some(amount) => format!("{name} {amount}"),
                        None => name,
                    }));
                }
            }
            Form::Dose => out.extend(self.dose(of, node).map(Said::Data)),
            Form::Section => self.section(node, out),
            Form::Name => out.extend(self.name(of, node).map(Said::Data)),
        }
    }

    fn data(&self, node: NodeId) -> Option<Said> {
        named(self.tree, node).map(Said::Data)
    }

    /// Words for the first code that there are words for.
    fn word(&self, node: NodeId, list: &[(&str, Text)]) -> Option<Said> {
        let tree = self.tree;
        let inside = tree.member(node, "coding").map(|c| each(tree, c));
        let mut inside = inside.unwrap_or_else(|| vec![node]).into_iter();
        inside.find_map(|n| {
            let code = string(tree, n, "code")?;
            let found = list.iter().find(|(c, _)| *c == code);
            found.map(|(_, words)| Said::Word(*words))
        })
    }

    /// A quantity, a range, a ratio, a concept, a text.
    fn any(&self, node: NodeId) -> Option<String> {
        let tree = self.tree;
        if let Some(value) = string(tree, node, "value") {
            let unit = string(tree, node, "unit").or_else(|| string(tree, node, "code"));
            let sign = string(tree, node, "comparator").unwrap_or_default();
            return Some(match unit {
                Some(unit) => format!("{sign}{value} {unit}"),
                None => format!("{sign}{value}"),
            });
        }
        let both = |a: &str, b: &str, between: &str| {
            let part = |name: &str| self.any(tree.member(node, name)?);
            let (a, b) = (part(a), part(b));
            (a.is_some() || b.is_some()).then(|| {
                format!(
                    "{}{between}{}",
                    a.unwrap_or_default(),
                    b.unwrap_or_default()
                )
            })
        };
        both("numerator", "denominator", "／")
            .or_else(|| self.range(node))
            .or_else(|| named(tree, node))
    }

    /// `low`–`high`
    fn range(&self, node: NodeId) -> Option<String> {
        let part = |name: &str| self.any(self.tree.member(node, name)?);
        let (low, high) = (part("low"), part("high"));
        (low.is_some() || high.is_some()).then(|| {
            format!("{} – {}", low.unwrap_or_default(), high.unwrap_or_default())
                .trim()
                .to_owned()
        })
    }

    /// How a drug is taken: in the words of who prescribed it, else from its parts.
    fn dose(&self, of: NodeId, node: NodeId) -> Option<String> {
        let tree = self.tree;
        let parts = [
            "timing.code",
            "doseAndRate.doseQuantity",
            "dose",
            "rateQuantity",
            "rateRatio",
            "route",
            "site",
        ];
        string(tree, node, "text").or_else(|| {
            let all = parts.iter().flat_map(|p| self.at(of, node, p));
            let all: Vec<String> = all.filter_map(|n| self.any(n)).collect();
            (!all.is_empty()).then(|| all.join(" "))
        })
    }

    /// A section of a document and those inside it: heading and text.
    fn section(&self, node: NodeId, out: &mut Vec<Said>) {
        let tree = self.tree;
        let title = string(tree, node, "title").or_else(|| named(tree, tree.member(node, "code")?));
        let words = tree
            .member(node, "text")
            .and_then(|t| string(tree, t, "div"));
        let words = words.map(|w| plain(&w)).filter(|w| !w.is_empty());
        let said = match (title, words) {
            (Some(title), Some(words)) => Some(format!("{title}\n{words}")),
            (title, words) => title.or(words),
        };
        out.extend(said.map(Said::Data));
        for inside in tree
            .member(node, "section")
            .map(|s| each(tree, s))
            .unwrap_or_default()
        {
            self.section(inside, out);
        }
    }

    /// Name of a person, a department, a place.
    fn name(&self, of: NodeId, node: NodeId) -> Option<String> {
        let tree = self.tree;
        let to = self.led(of, node);
        if to == node {
            return string(tree, node, "display");
        }
        if let Some(person) = tree.member(to, "practitioner") {
            return self.name(of, person);
        }
        let name = tree.member(to, "name")?;
        match tree.kind(name) {
            Kind::Array => tree.children(name).find_map(|n| string(tree, n, "text")),
            _ => string(tree, to, "name"),
        }
    }
}

/// `text`, else the first `display`, of a CodeableConcept, a Coding, or the string itself.
fn named(tree: &Tree<'_>, node: NodeId) -> Option<String> {
    if let Some(text) = string(tree, node, "text").or_else(|| string(tree, node, "display")) {
        return Some(text);
    }
    let inside = tree.member(node, "coding").unwrap_or(node);
    let mut inside = tree.children(inside).peekable();
    if inside.peek().is_none() {
        let text = tree.text(node).into_owned();
        return (!text.is_empty()).then_some(text);
    }
    inside.find_map(|n| string(tree, n, "display").or_else(|| string(tree, n, "text")))
}

/// The day of a dateTime, or of a Period's start.
fn day(tree: &Tree<'_>, node: NodeId) -> Option<String> {
    let text = string(tree, node, "start").unwrap_or_else(|| tree.text(node).into_owned());
    let day = text.get(..10.min(text.len()))?.to_owned();
    (!day.is_empty()).then_some(day)
}

fn shortened(said: &Said) -> Said {
    match said {
        Said::Data(text) if text.chars().count() > BRIEF_MOST => {
            Said::Data(text.chars().take(BRIEF_MOST).chain(['…']).collect())
        }
        other => other.clone(),
    }
}

/// Text of XHTML: no markup, a line where a block ends.
fn plain(div: &str) -> String {
    let mut out = String::new();
    let mut rest = div;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let (tag, after) = after.split_once('>').unwrap_or(("", after));
        let name = tag.trim_start_matches('/');
        let name = name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        if matches!(
            name,
            "br" | "p" | "div" | "li" | "tr" | "h1" | "h2" | "h3" | "table" | "ul"
        ) {
            out.push('\n');
        } else if matches!(name, "td" | "th") {
            out.push(' ');
        }
        rest = after;
    }
    out.push_str(rest);
    for (name, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#160;", " "),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        out = out.replace(name, character);
    }
    let lines = out.lines().map(str::trim).filter(|l| !l.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod tests {
    use super::*;

    const BUNDLE: &str = r##"{"resourceType":"Bundle","type":"searchset","entry":[
     {"resource":{"resourceType":"Patient","id":"p"}},
     {"resource":{"resourceType":"Practitioner","id":"d","name":[{"text":"架空 医師"}]}},
     {"resource":{"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/d"}}},
     {"resource":{"resourceType":"Specimen","id":"s","type":{"text":"血清"}}},
     {"resource":{"resourceType":"Observation","id":"o","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],
       "code":{"text":"ＡＬＴ"},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2026-04-01T09:52:00+09:00",
       "valueQuantity":{"value":41.0,"comparator":">","unit":"U/L"},"interpretation":[{"coding":[{"code":"H"}]}],
       "referenceRange":[{"low":{"value":7,"unit":"U/L"},"high":{"value":23,"unit":"U/L"}}],"specimen":{"reference":"Specimen/s"}}},
     {"resource":{"resourceType":"Observation","id":"n","status":"cancelled","code":{"text":"蛋白定量"},"subject":{"reference":"Patient/p"},
       "dataAbsentReason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"not-performed"}]},"note":[{"text":"検体破損"}]}},
     {"resource":{"resourceType":"DiagnosticReport","id":"b","status":"final","category":[{"coding":[{"system":"http://loinc.org","code":"LP29693-6"}]}],
       "code":{"text":"検体検査"},"subject":{"reference":"Patient/p"},"result":[{"reference":"Observation/o"},{"reference":"Observation/n"}],"issued":"2026-04-01T11:00:00+09:00"}},
     {"resource":{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","category":[{"text":"入院患者オーダ"}],
       "contained":[{"resourceType":"Medication","id":"med","ingredient":[
         {"itemCodeableConcept":{"text":"生食"},"strength":{"numerator":{"value":100,"unit":"mL"}}},{"itemCodeableConcept":{"text":"薬B"}}]}],
       "medicationReference":{"reference":"#med"},"subject":{"reference":"Patient/p"},"authoredOn":"2026-04-02","requester":{"reference":"PractitionerRole/r"},
       "dosageInstruction":[{"doseAndRate":[{"doseQuantity":{"value":1,"unit":"本"}}],"route":{"text":"静脈内"}}],
       "dispenseRequest":{"quantity":{"value":7,"unit":"本"},"expectedSupplyDuration":{"value":7,"unit":"日"}}}},
     {"resource":{"resourceType":"Composition","id":"c","status":"final","type":{"coding":[{"system":"http://loinc.org","code":"18842-5"}]},"title":"退院時サマリー",
       "subject":{"reference":"Patient/p"},"date":"2026-04-30","section":[{"title":"経過","text":{"div":"<div><p>一日目 &lt;38度&gt;</p><p>二日目</p></div>"},"section":[{"title":"処置"}]}]}},
     {"resource":{"resourceType":"Procedure","id":"x","status":"completed","subject":{"reference":"Patient/p"},"code":{"text":"胸部Ｘ線"},"performedPeriod":{"start":"2026-04-07T14:05:12+09:00","end":"2026-04-07T14:09:01+09:00"}}},
     {"resource":{"resourceType":"Procedure","id":"y","status":"completed","subject":{"reference":"Patient/p"},"code":{"coding":[{"system":"http://jpfhir.jp/fhir/core/CodeSystem/JP_ProcedureCodesMedical_CS","code":"150000110"}],"text":"手術"}}}]}"##;

    fn all() -> Vec<Record> {
        let policy = Policy::reference().unwrap();
        let sources = [("Observation/o".to_owned(), "mi:1319999999".to_owned())];
        records(BUNDLE, &policy, &sources.into()).unwrap()
    }

    fn one(key: &str) -> Record {
        all().into_iter().find(|r| r.key == key).unwrap()
    }

    /// What is said under a label.
    fn said(r: &Record, label: Text) -> Vec<Said> {
        let found = r.facts.iter().filter(|f| f.label == label);
        found.flat_map(|f| f.said.clone()).collect()
    }

    fn data(text: &str) -> Said {
        Said::Data(text.to_owned())
    }

    #[test]
    fn a_result_has_its_value_unit_judgement_and_range() {
        let r = one("Observation/o");
        assert_eq!((r.title.as_str(), r.day.as_str()), ("ＡＬＴ", "2026-04-01"));
        assert_eq!(r.brief, [data(">41.0 U/L"), Said::Word(text::JUDGED_HIGH)]);
        assert_eq!(said(&r, text::FACT_NORMAL), [data("7 U/L – 23 U/L")]);
        assert_eq!(said(&r, text::FACT_SPECIMEN), [data("血清")]);
        let at = Said::When("2026-04-01T09:52:00+09:00".to_owned());
        assert_eq!(said(&r, text::FACT_DONE_ON), [at]);
        // The key is the one that the holder makes of the facility, the type and the id.
        assert_eq!(r.id, resource_key("mi:1319999999", "Observation", "o"));
        assert_eq!(
            one("DiagnosticReport/b").parts,
            ["Observation/o", "Observation/n"]
        );
        let none = one("Observation/n");
        assert_eq!(none.brief, [Said::Word(text::ABSENT_NOT_DONE)]);
        assert_eq!(said(&none, text::FACT_NOTE), [data("検体破損")]);
    }

    #[test]
    fn a_drug_has_its_name_dose_amount_and_days() {
        let r = one("MedicationRequest/m");
        // Not the kind of order.
        assert_eq!(r.title, "生食、薬B");
        assert_eq!(r.kind, text::KIND_PRESCRIBED);
        assert_eq!(
            said(&r, text::FACT_MEDICINE),
            [data("生食 100 mL"), data("薬B")]
        );
        assert_eq!(said(&r, text::FACT_DOSE), [data("1 本 静脈内")]);
        assert_eq!(said(&r, text::FACT_AMOUNT), [data("7 本")]);
        assert_eq!(said(&r, text::FACT_DAYS), [data("7 日")]);
        assert_eq!(said(&r, text::FACT_DOCTOR), [data("架空 医師")]);
    }

    #[test]
    fn a_document_has_its_sections_as_text() {
        let r = one("Composition/c");
        assert_eq!(
            said(&r, text::FACT_TEXT),
            [data("経過\n一日目 <38度>\n二日目"), data("処置")]
        );
    }

    #[test]
    fn what_counts_as_surgery_for_want_of_a_code_is_known() {
        assert!(one("Procedure/x").guessed && !one("Procedure/y").guessed);
        let ends = said(&one("Procedure/x"), text::FACT_DONE_ON);
        assert_eq!(ends.len(), 2);
    }
}
