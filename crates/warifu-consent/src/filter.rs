//! The Bundle filter: classify, decide, cut, and leave nothing that tells what was cut (consent.md §11).
//!
//! The tree is edited in place: a node is dropped or replaced, everything else keeps its bytes.

use std::borrow::Cow;
use warifu_json::{Kind, Limits, NodeId, ROOT, Tree, parse};
use warifu_order::{Map, Set};

use crate::date::{Date, instant};
use crate::decide::{Basis, Decision, Item, Mode, Origin, Request, State, Told, Who, Why, decide};
use crate::fhir::obligation;
use crate::hash::resource_key;
use crate::json::quote;
use crate::policy::{Bits, Judging, Keep, Match, Policy, System, plain_code};
use crate::reason::Lang;

/// What the holder knows of a resource beside its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Facility it comes from.
    pub src: String,
    /// Where it comes from.
    pub origin: Origin,
    /// When it was recorded; `meta.lastUpdated` where absent.
    pub recorded: Option<u64>,
    /// 告知
    pub told: Told,
}

/// Where [`Facts`] come from.
pub trait Knowledge {
    /// Facts of the resource of this type and id.
    fn facts(&self, kind: &str, id: &str) -> Facts;

    /// Whether the Patient of this type and id is the person asked about; absent = the holder does
    /// not say, and then the Bundle may speak of one person only.
    fn is_person(&self, _kind: &str, _id: &str) -> Option<bool> {
        None
    }

    /// The holder vouches that nothing it holds about the person is withheld for what it is: they were
    /// told of everything, nothing is flagged, and everything has a category. Else nobody gets free text,
    /// which may tell of such things.
    fn all_told(&self) -> bool {
        false
    }
}

/// Why a Bundle is not filtered: nothing goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// Not one FHIR R4 Bundle in sound JSON.
    #[error("not a FHIR R4 Bundle")]
    NotBundle,
    /// Larger than 64 MiB.
    #[error("larger than 64 MiB")]
    TooLarge,
    /// What the purpose opens goes out without names only, and that is not made here (§12.3).
    #[error("to go out without names only, which is not made here")]
    Names,
    /// The check of the output found something that should not be there.
    #[error("the check of the output failed")]
    SelfCheck,
}

/// An item that was withheld: for the patient and the log's owner, never for the recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Resource key.
    pub key: String,
    /// Resource type.
    pub kind: String,
    /// Its categories.
    pub cats: Vec<String>,
    /// Why.
    pub why: Why,
}

/// Of more categories than these a record's kind is not known.
pub const FEW_KINDS: usize = 3;

/// The one category under which a person is told of a record, of its categories in the policy's order. What
/// nobody judged has several: all of them are needed to show it, and the last is the plainest (a test that may be
/// an infection's is a test). Of more than a few nothing is known.
pub fn stands_under(cats: &[String]) -> Option<&str> {
    let last = cats.last().filter(|_| cats.len() <= FEW_KINDS);
    last.map(String::as_str)
}

/// What may go out, and what is told to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filtered {
    /// The Bundle for the recipient.
    pub bytes: Vec<u8>,
    /// Categories that go out, sorted: for the `disclose` line.
    pub cats: Vec<String>,
    /// Records that go out, for the patient: the person, what goes only with others, and what the patient was
    /// not told are none.
    pub items: u64,
    /// How many of them stand under each category ([`stands_under`]); of the others nothing is known.
    pub counts: Map<String, u64>,
    /// Grants used.
    pub grants: Vec<String>,
    /// What it rests on ([`crate::Basis::wire`]), sorted.
    pub bases: Vec<String>,
    /// Obligations.
    pub obligations: Vec<String>,
    /// For the patient; items that were not told are neither listed nor counted.
    pub withheld: Vec<Withheld>,
}

const MOST_BYTES: usize = 64 << 20;

/// Elements that tell whose a resource is.
const SUBJECTS: &[&[&str]] = &[
    &["subject"],
    &["patient"],
    &["beneficiary"],
    &["participant", "actor"],
];

/// Elements that tell when something was, by the beginning of their names.
const WHEN: &[&str] = &[
    "effective",
    "performed",
    "occurrence",
    "onset",
    "abatement",
    "serviced",
    "timing",
];

/// Elements that tell it by their whole names.
const WHEN_WHOLE: &[&str] = &[
    "period",
    "billablePeriod",
    "authoredOn",
    "whenHandedOver",
    "whenPrepared",
    "started",
    "dateTime",
    "date",
    "lastOccurrence",
    "authored",
    "dateAsserted",
    "recordedOn",
    "startDate",
];

/// What counts where none of them is there.
const WRITTEN: &[&str] = &["recordedDate", "recorded", "issued", "created"];

/// How elements with a date are called, by the end of their names.
const DATED: &[&str] = &[
    "Date", "DateTime", "date", "end", "event", "onset", "start", "started", "time",
];

/// Elements whose dates are not when something was.
const SAID: &[&str] = &[
    "meta",
    "contained",
    "extension",
    "identifier",
    "birthDate",
    "expirationDate",
    "dueDate",
    "validityPeriod",
];

/// Elements that say whether a statement holds: without them it may say the contrary.
const TURNS: &[&str] = &[
    "status",
    "lifecycleStatus",
    "clinicalStatus",
    "verificationStatus",
];

/// Concepts that the labeller judges by.
const CONCEPTS: &[&str] = &[
    "code",
    "medicationCodeableConcept",
    "vaccineCode",
    "serviceType",
    "reasonCode",
    "itemCodeableConcept",
    "diagnosisCodeableConcept",
];

/// What a code stands in that says nothing of what an item is: when, who, which part of a document.
const STRUCTURE: &[&str] = &["event", "qualification", "schedule", "section", "timing"];

/// Elements with the codings that a category rests on.
const CODED: &[&str] = &[
    "code",
    "type",
    "category",
    "meta",
    "vaccineCode",
    "event",
    "component",
    "item",
    "procedure",
    "procedureCode",
    "orderDetail",
];

/// Types in which who and where say what they are.
const VISITS: &[&str] = &["Encounter", "Appointment", "EpisodeOfCare"];

const MASKED: &str = r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}"#;

/// A resource: an entry's, or a contained one.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and all combinations exist"
)]
struct Unit {
    node: NodeId,
    kind: String,
    id: String,
    full_url: Option<String>,
    container: Option<usize>,
    item: Item,
    /// Keys of the encounters it belongs to.
    encounters: Vec<String>,
    /// It names an encounter that is not here.
    elsewhere: bool,
    /// It has something that changes its meaning, or belongs to somebody else.
    foreign: bool,
    /// It belongs to somebody else, or nobody knows whose it is: no report to the person has it.
    not_own: bool,
    /// Institutions are masked in it.
    masked: bool,
    administrative: bool,
    kept: bool,
    why: Why,
}

/// Filters a Bundle for one request. The same input gives the same bytes on every machine.
///
/// # Errors
/// [`FilterError`]: then nothing may go out.
pub fn filter(
    bundle: &[u8],
    state: &State<'_>,
    request: &Request,
    knowledge: &dyn Knowledge,
) -> Result<Filtered, FilterError> {
    if bundle.len() > MOST_BYTES {
        return Err(FilterError::TooLarge);
    }
    let parsed = parse(bundle, Limits::FHIR, &());
    let tree = &parsed.tree;
    let is_bundle = tree
        .member(ROOT, "resourceType")
        .is_some_and(|t| tree.is_text(t, "Bundle"));
    if !parsed.issues.is_empty() || !is_bundle {
        return Err(FilterError::NotBundle);
    }
    let mut work = Work {
        tree,
        state,
        request,
        policy: Judging::by(state.policy),
        units: Vec::new(),
        nodes: Map::new(),
        index: Map::new(),
        two: Set::new(),
        drop: Set::new(),
        replace: Map::new(),
        open: false,
        places_tell: state.grants.iter().any(|g| !g.annex.lbl.is_empty())
            && matches!(request.who, Who::Recipient(_)),
        names: Set::new(),
        cats: Bits::NONE,
        grants: Set::new(),
        bases: Set::new(),
        obligations: Set::new(),
    };
    work.collect(knowledge);
    work.persons(knowledge);
    work.visits();
    work.names();
    work.open = work.is_open(knowledge);
    let document = tree
        .member(ROOT, "type")
        .is_some_and(|t| tree.is_text(t, "document"));
    if document {
        match work.document() {
            Form::Whole if work.bases.contains(&Basis::OptOut.wire()) => {}
            Form::Whole if request.mode == Mode::Normal => {
                return Ok(work.result(bundle.to_vec()));
            }
            // A summary comes on top: all of it goes, but it is the signed document no more.
            Form::Whole => work.open = true,
            Form::Withheld => {
                for u in &mut work.units {
                    u.kept = false;
                }
            }
            Form::Derived => {
                work.open = false;
                work.decide_all();
            }
        }
    } else {
        work.decide_all();
    }
    if work.bases.contains(&Basis::OptOut.wire()) {
        return Err(FilterError::Names);
    }
    work.reduce_patient();
    work.cut();
    let bytes = work.write();
    work.check(&bytes)?;
    Ok(work.result(bytes))
}

/// Entries of a Bundle that have categories of their own: `Type/id`, and the codes; what goes only with
/// others (organisations and the like) and the person are left out.
///
/// # Errors
/// [`FilterError::NotBundle`]
pub fn categories_of(
    bundle: &[u8],
    policy: &Policy,
) -> Result<Vec<(String, Vec<String>)>, FilterError> {
    let parsed = parse(bundle, Limits::FHIR, &());
    let tree = &parsed.tree;
    if !parsed.issues.is_empty() || text_of(tree, ROOT, "resourceType").as_deref() != Some("Bundle")
    {
        return Err(FilterError::NotBundle);
    }
    let Some(entries) = tree.member(ROOT, "entry") else {
        return Ok(Vec::new());
    };
    let judging = Judging::by(policy);
    let mut all = Vec::new();
    for node in tree.children(entries) {
        let Some(node) = tree.member(node, "resource") else {
            continue;
        };
        let kind = text_of(tree, node, "resourceType").unwrap_or_default();
        let cats = classify(tree, &judging, node, &kind).0;
        let goes_with_others = policy.administrative.contains(&kind) && cats.is_empty();
        if kind == "Patient" || goes_with_others {
            continue;
        }
        let id = text_of(tree, node, "id").unwrap_or_default();
        all.push((format!("{kind}/{id}"), policy.category_codes(cats)));
    }
    Ok(all)
}

enum Form {
    Whole,
    Withheld,
    Derived,
}

struct Work<'a> {
    tree: &'a Tree<'a>,
    state: &'a State<'a>,
    request: &'a Request,
    policy: Judging<'a>,
    units: Vec<Unit>,
    nodes: Map<NodeId, usize>,
    index: Map<String, usize>,
    /// Ids that entries of several servers have.
    two: Set<String>,
    drop: Set<NodeId>,
    replace: Map<NodeId, String>,
    /// Nothing can be withheld that free text might tell.
    open: bool,
    /// A grant leaves out what a label marks: then who and where are left out, which tell it (精神科), and
    /// of a concept all that the labeller did not judge. By the grants alone.
    places_tell: bool,
    /// Names of masked institutions and of who works there.
    names: Set<String>,
    cats: Bits,
    grants: Set<String>,
    bases: Set<String>,
    obligations: Set<String>,
}

impl Work<'_> {
    fn text(&self, node: NodeId, key: &str) -> Option<String> {
        text_of(self.tree, node, key)
    }

    fn collect(&mut self, knowledge: &dyn Knowledge) {
        let tree = self.tree;
        let Some(entries) = tree.member(ROOT, "entry") else {
            return;
        };
        for entry in tree.children(entries) {
            let Some(node) = tree.member(entry, "resource") else {
                continue;
            };
            let full_url = self.text(entry, "fullUrl");
            let at = self.units.len();
            self.add(node, full_url, None, knowledge);
            if let Some(contained) = tree.member(node, "contained") {
                for node in tree.children(contained) {
                    self.add(node, None, Some(at), knowledge);
                }
            }
        }
        // A Binary is what the documents say it is.
        let mut binaries: Map<usize, Vec<Bits>> = Map::new();
        for u in self.units.iter().filter(|u| u.kind == "DocumentReference") {
            for node in inside(tree, u.node) {
                if tree.kind(node) == Kind::String
                    && let Some(target) = self.resolve(&tree.text(node), None)
                    && self.units.get(target).is_some_and(|t| t.kind == "Binary")
                {
                    let all = binaries.entry(target).or_default();
                    let own = u.item.tables();
                    all.resize(own.len(), Bits::NONE);
                    for (bits, own) in all.iter_mut().zip(own) {
                        *bits = bits.with(own);
                    }
                }
            }
        }
        for (target, cats) in binaries.into_sorted() {
            if let Some(u) = self.units.get_mut(target) {
                u.item.set_tables(&cats);
            }
        }
    }

    fn add(
        &mut self,
        node: NodeId,
        full_url: Option<String>,
        container: Option<usize>,
        knowledge: &dyn Knowledge,
    ) {
        let kind = self.text(node, "resourceType").unwrap_or_default();
        let id = self.text(node, "id").unwrap_or_default();
        let facts = knowledge.facts(&kind, &id);
        let at = self.units.len();
        match container {
            None => {
                // Of two servers nobody knows which.
                let before = self.index.insert(format!("{kind}/{id}"), at);
                let before = before.and_then(|b| self.units.get(b));
                if kind == "Patient" && before.is_some_and(|u| u.full_url != full_url) {
                    self.two.insert(id.clone());
                }
                if let Some(url) = &full_url {
                    self.index.insert(url.clone(), at);
                }
            }
            Some(c) => {
                self.index.insert(format!("{c}#{id}"), at);
            }
        }
        let item = self.item(node, &kind, &id, &facts);
        self.nodes.insert(node, at);
        let masked = facts.origin == Origin::Claims && !matches!(self.request.who, Who::Subject);
        self.units.push(Unit {
            node,
            administrative: self.policy.administrative.contains(&kind) && item.cats.is_empty(),
            kind,
            full_url,
            container,
            masked,
            item,
            encounters: Vec::new(),
            elsewhere: false,
            not_own: false,
            // What changes an entry changes what is in it.
            foreign: modifier(self.tree, self.tree.parent(node)).is_some()
                || self.tree.member(ROOT, "implicitRules").is_some()
                || masked && names_number(&facts.src, &id),
            id,
            kept: false,
            why: Why::Unclassified,
        });
    }

    /// Step 3: categories, labels, dates, source.
    fn item(&self, node: NodeId, kind: &str, id: &str, facts: &Facts) -> Item {
        let tree = self.tree;
        let (cats, labels) = classify(tree, &self.policy, node, kind);
        let earlier = self.policy.earlier.iter();
        let before = earlier
            .map(|(v, table)| {
                let words = spoken(tree, &self.policy, node, kind).0;
                (*v, categories(tree, &self.policy, table, node, kind, words))
            })
            .collect();
        let tagged = |code: &str| {
            // Wherever it stands in there, and in whatever form.
            tree.member(node, "meta").is_some_and(|m| {
                inside(tree, m)
                    .any(|n| self.text(n, "code").is_some_and(|c| plain_code(&c) == code))
            })
        };
        let updated = tree
            .member(node, "meta")
            .and_then(|m| self.text(m, "lastUpdated"))
            .and_then(|t| instant(&t));
        Item {
            key: resource_key(&facts.src, kind, id),
            cats,
            inside: Bits::NONE,
            unknown: false,
            src: facts.src.clone(),
            encounter: None,
            clinical: days_told(tree, node),
            recorded: facts.recorded.or(updated),
            labels,
            origin: facts.origin,
            told: facts.told,
            uninformed: tagged("UNINFORMED"),
            undelivered: tagged("UNDELIVERED"),
            before,
        }
    }

    /// References of an element, one or many.
    fn references(&self, node: NodeId, path: &[&str]) -> Vec<NodeId> {
        let tree = self.tree;
        let mut here = vec![node];
        for key in path {
            here = here
                .iter()
                .filter_map(|n| tree.member(*n, key))
                .flat_map(|n| match tree.kind(n) {
                    Kind::Array => tree.children(n).collect(),
                    _ => vec![n],
                })
                .filter(|n| tree.kind(*n) == Kind::Object)
                .collect();
        }
        here
    }

    /// What is not the person's: another Patient, and what belongs to one.
    fn persons(&mut self, knowledge: &dyn Knowledge) {
        let mut others = Set::new();
        let mut patients = Set::new();
        let mut said = false;
        for (at, u) in self.units.iter().enumerate() {
            if u.kind != "Patient" {
                continue;
            }
            let named = knowledge.is_person(&u.kind, &u.id);
            if !named.unwrap_or(u.container.is_none()) {
                others.insert(at);
            }
            if u.container.is_none() {
                said |= named.is_some();
                // Of two servers, one id is two persons.
                patients.insert(match &u.full_url {
                    Some(url) => url.clone(),
                    None if u.id.is_empty() => format!("/{}", u.node),
                    None => u.id.clone(),
                });
                if self.two.contains(&u.id) {
                    others.insert(at);
                }
            }
        }
        if !said && patients.len() > 1 {
            others.extend(0..self.units.len());
        }
        let mut names = Set::new();
        let mut nameless = Vec::new();
        // Whether the person is here, and whether anybody else is spoken of.
        let top = |at: &usize| self.units.get(*at).is_some_and(|u| u.container.is_none());
        let mut others_too = others.iter().any(top);
        let known = !patients.is_empty() && (said || patients.len() == 1);
        for (at, u) in self.units.iter().enumerate() {
            let mut named = false;
            for path in SUBJECTS {
                for node in self.references(u.node, path) {
                    let reference = self.text(node, "reference");
                    let target = reference
                        .as_ref()
                        .and_then(|r| self.resolve(r, Some(at)))
                        .and_then(|t| Some((t, self.units.get(t)?)));
                    // Who else comes to an appointment is not whose it is; a device is somebody's.
                    let actor = path.len() > 1;
                    let is_patient = match &target {
                        Some((_, to)) => to.kind == "Patient",
                        None => !actor || reference.as_deref().is_some_and(names_patient),
                    };
                    if !is_patient && (actor || target.is_some_and(|(_, t)| t.kind == "Device")) {
                        continue;
                    }
                    named = true;
                    let found = reference.is_some();
                    let own = match (target, reference) {
                        (Some((t, _)), _) => {
                            // A number beside it that is not the person's names somebody else.
                            let number = self.tree.member(node, "identifier");
                            let same = number.is_none() || self.patient_of(node) == Some(t);
                            is_patient && !others.contains(&t) && same
                        }
                        (None, Some(r)) => {
                            // The holder knows its own ids, not those of another server.
                            let r = bare(&r);
                            let local = r.strip_prefix(server(u)).unwrap_or(r);
                            let id = local.strip_prefix("Patient/").unwrap_or_default();
                            let named = knowledge
                                .is_person("Patient", id)
                                .map(|own| own && !self.index.contains_key(local));
                            if named.is_none() {
                                names.insert(self.exact(r, Some(at)));
                            }
                            named.unwrap_or(patients.is_empty())
                        }
                        (None, None) => match self.patient_of(node) {
                            Some(t) => !others.contains(&t),
                            None => patients.is_empty(),
                        },
                    };
                    others_too |= !own && found && u.container.is_none();
                    if !own {
                        others.insert(at);
                    }
                }
            }
            if !named && u.container.is_none() && u.kind != "Patient" && !u.administrative {
                nameless.push(at);
            }
        }
        if patients.is_empty() && names.len() > 1 {
            others.extend(0..self.units.len());
        }
        // What names nobody is the person's where the Bundle speaks of the person and of nobody else; what
        // only cannot be found is nobody, so that deleting it shows nothing.
        if !known || others_too {
            others.extend(nameless);
        }
        for at in others.into_sorted() {
            if let Some(u) = self.units.get_mut(at) {
                u.foreign = true;
                u.not_own = true;
            }
        }
    }

    /// The Patient that a reference names by an identifier alone, as JP-CLINS does by the insurance.
    fn patient_of(&self, reference: NodeId) -> Option<usize> {
        let number = |n: NodeId| Some((self.text(n, "system")?, self.text(n, "value")?));
        let wanted = number(self.tree.member(reference, "identifier")?)?;
        let named = |u: &Unit| {
            let mut own = self.references(u.node, &["identifier"]).into_iter();
            u.kind == "Patient"
                && u.container.is_none()
                && own.any(|n| number(n).as_ref() == Some(&wanted))
        };
        // Of two nobody knows which.
        let mut found = self.units.iter().enumerate().filter(|(_, u)| named(u));
        let first = found.next()?;
        found.next().is_none().then_some(first.0)
    }

    /// Names that are masked, wherever a text has them.
    fn names(&mut self) {
        let tree = self.tree;
        let masked = self.units.iter().filter(|u| u.masked);
        let here = masked
            .filter(|u| ["Organization", "Location", "Practitioner"].contains(&u.kind.as_str()));
        let mut names = Set::new();
        for u in here {
            for key in ["name", "alias"] {
                let Some(member) = tree.member(u.node, key) else {
                    continue;
                };
                for n in std::iter::once(member).chain(inside(tree, member)) {
                    let of_person = ["text", "family"].contains(&&*tree.key(n));
                    if tree.kind(n) == Kind::String && (of_person || u.kind != "Practitioner") {
                        let name = tree.text(n).trim().to_owned();
                        if name.chars().count() > 1 {
                            names.insert(name);
                        }
                    }
                }
            }
        }
        self.names = names;
    }

    /// Encounters that resources belong to.
    fn visits(&mut self) {
        for at in 0..self.units.len() {
            let Some(u) = self.units.get(at) else {
                continue;
            };
            let mut keys = Vec::new();
            let mut elsewhere = false;
            if u.kind == "Encounter" {
                keys.push(u.item.key.clone());
            }
            let mut nodes = self.references(u.node, &["encounter"]);
            for node in self.references(u.node, &["context"]) {
                let inner = self.references(node, &["encounter"]);
                let is_reference = ["reference", "identifier", "display"]
                    .iter()
                    .any(|k| self.tree.member(node, k).is_some());
                if is_reference {
                    nodes.push(node);
                }
                nodes.extend(inner);
            }
            for node in nodes {
                let reference = self.text(node, "reference");
                let target = reference.as_ref().and_then(|r| self.resolve(r, Some(at)));
                match (target.and_then(|t| self.units.get(t)), reference) {
                    (Some(t), _) => keys.push(t.item.key.clone()),
                    (None, Some(r)) if bare(&r).contains('/') => {
                        let id = bare(&r).rsplit('/').next().unwrap_or_default();
                        keys.push(resource_key(&u.item.src, "Encounter", id));
                    }
                    _ => elsewhere = true,
                }
            }
            if let Some(u) = self.units.get_mut(at) {
                u.item.encounter = keys.first().cloned();
                u.encounters = keys;
                u.elsewhere = elsewhere;
            }
        }
    }

    /// The decision for a unit: for every encounter it belongs to, and where one is not known, by
    /// grants that leave out no visit.
    fn decide_unit(&self, u: &Unit) -> Decision {
        let mut item = u.item.clone();
        let mut d = decide(self.state, self.request, &item);
        for key in u.encounters.iter().skip(1) {
            item.encounter = Some(key.clone());
            let other = decide(self.state, self.request, &item);
            if !other.permits() {
                d = other;
            }
        }
        if u.elsewhere && d.permits() {
            let mut state = self.state.clone();
            state.grants.retain(|g| g.annex.wid.is_empty());
            if !decide(&state, self.request, &item).permits() {
                d.basis = None;
                d.why = Why::Excluded;
            }
        }
        if u.foreign || !self.open && !self.policy.has_elements(&u.kind) {
            d.basis = None;
            // What the person was not told of stays what nobody reports.
            if d.why != Why::NotTold {
                d.why = Why::Unclassified;
            }
        }
        d
    }

    /// Step 4 for everything that has categories of its own.
    fn decide_all(&mut self) {
        for at in 0..self.units.len() {
            let Some(u) = self.units.get(at) else {
                continue;
            };
            if u.administrative {
                continue;
            }
            let mut d = self.decide_unit(u);
            if d.permits() && self.is_turned(at) {
                d.basis = None;
                d.why = Why::Unclassified;
            }
            let cats = u.item.cats.with(u.item.inside);
            if d.permits() {
                self.cats = self.cats.with(cats);
                self.grants.extend(d.grants.iter().cloned());
                self.bases.extend(d.basis.as_ref().map(Basis::wire));
                self.obligations.extend(d.obligations.iter().cloned());
            }
            if let Some(u) = self.units.get_mut(at) {
                u.kept = d.permits();
                u.why = d.why;
            }
        }
        // What is contained goes with its container.
        for at in 0..self.units.len() {
            let alone = self.units.get(at).and_then(|u| u.container);
            if let Some(c) = alone
                && !self
                    .units
                    .get(c)
                    .is_some_and(|c| c.kept || c.administrative)
                && let Some(u) = self.units.get_mut(at)
            {
                u.kept = false;
            }
        }
    }

    /// Step 8: whole, derived, or not at all; by the grants, not by what is in it.
    fn document(&mut self) -> Form {
        let mut own = vec![Bits::NONE; self.policy.earlier.len() + 1];
        let mut first = None;
        let mut known = true;
        for u in self.units.iter().filter(|u| u.kind == "Composition") {
            for (all, one) in own.iter_mut().zip(u.item.tables()) {
                *all = all.with(one);
            }
            known &= !u.item.cats.is_empty() && !u.foreign;
            first = first.or(Some(u));
        }
        let Some(composition) = first else {
            return Form::Derived;
        };
        let individual = self.policy.individual();
        let mut whole = composition.item.clone();
        let every: Vec<Bits> = own.iter().map(|o| o.with(individual)).collect();
        whole.set_tables(&every);
        let d = decide(self.state, self.request, &whole);
        for u in &mut self.units {
            if !u.administrative && !u.item.cats.is_empty() && u.kind != "Patient" {
                let inside = u.item.tables().into_iter().zip(&own).map(|(b, own)| {
                    if known {
                        own.with(Bits(b.0 & individual.0))
                    } else {
                        Bits::NONE
                    }
                });
                let inside: Vec<Bits> = inside.collect();
                u.item.inside = u.item.cats;
                u.item.set_tables(&inside);
            }
        }
        // Whole is whole: nothing can be masked in it, and nothing may be hidden in it.
        if !known || self.units.iter().any(|u| u.masked) || self.strays().next().is_some() {
            return Form::Derived;
        }
        if own.first().is_none_or(|o| o.is_empty()) || !d.permits() {
            return Form::Derived;
        }
        let mut shut = false;
        for at in 0..self.units.len() {
            let Some(u) = self.units.get(at) else {
                continue;
            };
            shut |= u.foreign;
            if u.administrative || u.kind == "Patient" {
                continue;
            }
            let why = self.decide_unit(u).why;
            shut |= why != Why::Permitted;
            if let Some(u) = self.units.get_mut(at) {
                u.why = why;
            }
        }
        if shut {
            return Form::Withheld;
        }
        let inside = self.units.iter().map(|u| u.item.inside);
        self.cats = inside.fold(whole.cats, Bits::with);
        self.grants.extend(d.grants);
        self.bases.extend(d.basis.as_ref().map(Basis::wire));
        self.obligations.extend(d.obligations);
        for u in &mut self.units {
            u.kept = true;
        }
        Form::Whole
    }

    fn patient_denied(u: &Unit) -> bool {
        u.kind == "Patient" && u.container.is_none() && !u.kept && !u.foreign
    }

    /// Step 5: who it is about goes with anything else, reduced to name, birth date and gender.
    fn reduce_patient(&mut self) {
        let any = self.units.iter().any(|u| u.kept && u.container.is_none());
        if !any {
            return;
        }
        let tree = self.tree;
        for u in &mut self.units {
            if Self::patient_denied(u) {
                u.kept = true;
                for member in tree.children(u.node) {
                    let key = tree.key(member);
                    if !["resourceType", "id", "name", "birthDate", "gender"].contains(&&*key) {
                        self.drop.insert(member);
                    }
                }
            }
        }
    }

    fn resolve(&self, reference: &str, from: Option<usize>) -> Option<usize> {
        if let Some(id) = reference.strip_prefix('#') {
            let unit = from.and_then(|f| self.units.get(f))?;
            let root = unit.container.or(from)?;
            return if id.is_empty() {
                Some(root)
            } else {
                self.index.get(&format!("{root}#{id}")).copied()
            };
        }
        self.index.get(&self.exact(reference, from)).copied()
    }

    /// A reference as the index has it: a relative one is of the server that the entry is of.
    fn exact(&self, reference: &str, from: Option<usize>) -> String {
        let unit = from.and_then(|f| self.units.get(f));
        let root = unit.map(|u| u.container.and_then(|c| self.units.get(c)).unwrap_or(u));
        let server = root.filter(|_| !reference.contains(':')).map_or("", server);
        format!("{server}{}", bare(reference))
    }

    /// Steps 5 to 9.
    fn cut(&mut self) {
        let tree = self.tree;
        // Administrative resources go with what refers to them.
        let mut todo: Vec<usize> = (0..self.units.len())
            .filter(|at| {
                self.units
                    .get(*at)
                    .is_some_and(|u| u.kept && u.container.is_none())
            })
            .collect();
        while let Some(at) = todo.pop() {
            self.cut_unit(at);
            let Some(node) = self.units.get(at).map(|u| u.node) else {
                continue;
            };
            let mut found = Vec::new();
            for n in self.living(node) {
                if let Some(text) = self.text(n, "reference")
                    && let Some(target) = self.resolve(&text, Some(at))
                {
                    found.push(target);
                }
            }
            for target in found {
                if let Some(u) = self.units.get_mut(target)
                    && u.administrative
                    && !u.foreign
                    && !u.kept
                {
                    u.kept = true;
                    if u.container.is_none() {
                        todo.push(target);
                    }
                }
            }
        }
        // Who and where that nothing names.
        for u in &self.units {
            if u.container.is_some() && !u.kept {
                self.drop.insert(u.node);
            }
        }
        for at in 0..self.units.len() {
            while self.orphan(at) {}
        }
        // Sections without anything left, the innermost first.
        for u in self
            .units
            .iter()
            .filter(|u| u.kept && u.kind == "Composition")
        {
            let sections: Vec<NodeId> = inside(tree, u.node)
                .filter(|n| {
                    let parent = tree.parent(*n);
                    tree.kind(parent) == Kind::Array && tree.key(parent) == "section"
                })
                .collect();
            for section in sections.into_iter().rev() {
                let lives = |key: &str| {
                    tree.member(section, key)
                        .is_some_and(|list| tree.children(list).any(|n| !self.drop.contains(&n)))
                };
                if !lives("entry") && !lives("section") {
                    self.drop.insert(section);
                }
            }
        }
    }

    /// Drops what a resource contains where all that tied the two together went (`dom-3` of R4). Whether there
    /// was such: what it named may be the next.
    fn orphan(&mut self, at: usize) -> bool {
        let tree = self.tree;
        let holds = |u: &Unit| u.kept && u.container.is_none();
        let Some(root) = self.units.get(at).filter(|u| holds(u)).map(|u| u.node) else {
            return false;
        };
        if !self.contained(at).any(|u| u.kept) {
            return false;
        }
        let named = |nodes: Vec<NodeId>| -> Vec<(NodeId, String)> {
            let mut nodes = nodes;
            nodes.retain(|n| tree.key(*n) == "reference" && tree.kind(*n) == Kind::String);
            let text = |n: NodeId| (n, tree.text(n).into_owned());
            nodes.into_iter().map(text).collect()
        };
        let (before, now) = (
            named(inside(tree, root).collect()),
            named(self.living(root)),
        );
        let tied = |u: &Unit, all: &[(NodeId, String)]| {
            let own = |n: NodeId| n > u.node && n < tree.after(u.node);
            all.iter().any(|(n, to)| {
                let id = to.strip_prefix('#');
                id.is_some_and(|id| id == u.id || id.is_empty() && own(*n))
            })
        };
        let mut any = false;
        for u in &mut self.units {
            if u.container == Some(at) && u.kept && tied(u, &before) && !tied(u, &now) {
                u.kept = false;
                self.drop.insert(u.node);
                any = true;
            }
        }
        any
    }

    /// Nodes of a resource that are not dropped.
    fn living(&self, node: NodeId) -> Vec<NodeId> {
        let mut out = Vec::new();
        let mut todo = vec![node];
        while let Some(n) = todo.pop() {
            if !self.drop.contains(&n) && !self.replace.contains_key(&n) {
                out.push(n);
                todo.extend(self.tree.children(n));
            }
        }
        out
    }

    /// Resources where no resource may be.
    fn strays(&self) -> impl Iterator<Item = NodeId> {
        self.units
            .iter()
            .filter(|u| u.container.is_none())
            .flat_map(|u| inside(self.tree, u.node))
            .filter(|n| {
                self.tree.member(*n, "resourceType").is_some() && !self.nodes.contains_key(n)
            })
    }

    /// Whether the table of elements rules a unit: by the request, the policy and the unit alone, so
    /// that it tells nothing of what is withheld beside it.
    fn is_closed(&self, at: usize) -> bool {
        let held = |u: &Unit| {
            u.masked
                || u.item.uninformed
                || u.item.undelivered
                || u.item.origin == Origin::Claims && u.item.told != Told::Yes
                || u.container.is_some() && !u.kept && !u.administrative
        };
        !self.open || self.units.get(at).is_some_and(held) || self.contained(at).any(held)
    }

    /// Whether what would be cut of a unit turns round what it says.
    #[inline(never)]
    fn is_turned(&self, at: usize) -> bool {
        let tree = self.tree;
        let Some(u) = self.units.get(at) else {
            return false;
        };
        let cut = self.is_told() && self.is_closed(at);
        // What it is about, if not its subject.
        let about = tree.member(u.node, "focus").is_some();
        about
            || cut
                && TURNS.iter().any(|key| {
                    tree.member(u.node, key)
                        .is_some_and(|member| match tree.kind(member) {
                            Kind::String => {
                                self.policy.keeps(&u.kind, key) != Some(Keep::Plain)
                                    || !self.policy.is_value(key, &tree.text(member))
                            }
                            _ => !inside(tree, member).any(|n| self.is_plain_coding(at, n)),
                        })
                })
    }

    /// What a resource contains.
    fn contained(&self, at: usize) -> impl Iterator<Item = &Unit> {
        let after = self.units.iter().skip(at + 1);
        after.take_while(move |u| u.container == Some(at))
    }

    fn cut_unit(&mut self, at: usize) {
        let Some(u) = self.units.get(at) else { return };
        let root = u.node;
        let closed = self.is_closed(at);
        let mut cut = Cut::default();
        for u in self.contained(at) {
            if !u.kept && !u.administrative {
                cut.dropped.push(u.node);
            }
        }
        if closed {
            self.keep(at, root, "", &mut cut);
        } else {
            self.sweep(at, root, &mut cut);
        }
        self.drop.extend(cut.dropped);
        for (node, text) in cut.replaced {
            self.replace.insert(node, text);
        }
    }

    /// Members of an object that the table of elements lets stay.
    fn keep(&self, at: usize, node: NodeId, path: &str, cut: &mut Cut) {
        let tree = self.tree;
        let Some(u) = self.units.get(at) else { return };
        for member in tree.children(node) {
            let key = tree.key(member);
            let root = path.is_empty();
            if root && (key == "resourceType" || key == "id") {
                continue;
            }
            if root && key == "contained" && u.container.is_none() {
                for node in tree.children(member) {
                    match self.nodes.get(&node) {
                        Some(inner) => self.keep(*inner, node, "", cut),
                        None => cut.dropped.push(node),
                    }
                }
                continue;
            }
            if key == "extension" {
                self.extensions(at, member, cut);
                continue;
            }
            if root && key == "meta" && tree.kind(member) == Kind::Object {
                self.meta(at, member, cut);
                continue;
            }
            let (twin, base) = match key.strip_prefix('_') {
                Some(base) => (true, base),
                None => (false, &*key),
            };
            let full = if root {
                base.to_owned()
            } else {
                format!("{path}.{base}")
            };
            let items = || -> Vec<NodeId> {
                match tree.kind(member) {
                    Kind::Array => tree.children(member).collect(),
                    _ => vec![member],
                }
            };
            match self.policy.keeps(&u.kind, &full) {
                Some(Keep::Coded { required, parent }) if self.is_told() && !twin => {
                    for item in items() {
                        self.coded(at, item, (required, parent), cut);
                    }
                }
                Some(Keep::Coded { .. }) if self.is_told() => cut.dropped.push(member),
                Some(what @ (Keep::Leaf | Keep::Own | Keep::Coded { .. })) => {
                    if u.masked && what == Keep::Own || twin && tree.kind(member) != Kind::Object {
                        cut.dropped.push(member);
                    } else {
                        self.leaf(at, member, cut);
                    }
                    if what == Keep::Own {
                        for item in items() {
                            self.identifier(at, item, cut);
                        }
                    }
                }
                Some(what @ (Keep::Needed { .. } | Keep::Judged)) if !twin => {
                    let from = cut.dropped.len();
                    if what == Keep::Judged && self.is_told() {
                        for item in items() {
                            self.judged(at, item, cut);
                        }
                    }
                    self.leaf(at, member, cut);
                    let gone = cut.dropped.get(from..).unwrap_or_default();
                    if self.is_empty(member, gone) {
                        if what == (Keep::Needed { parent: true }) {
                            cut.dropped.push(node);
                        } else {
                            cut.replaced
                                .extend(items().into_iter().map(|i| (i, MASKED.to_owned())));
                        }
                    }
                }
                Some(Keep::Worded) if !twin => {
                    for item in items() {
                        self.worded(item, cut);
                    }
                    self.leaf(at, member, cut);
                }
                Some(Keep::Plain) => self.plain(at, member, base, twin, cut),
                Some(Keep::Inner) if !twin => {
                    for item in items() {
                        if tree.kind(item) == Kind::Object {
                            self.keep(at, item, &full, cut);
                        } else {
                            cut.dropped.push(item);
                        }
                    }
                }
                Some(Keep::Masked) if !twin => {
                    for item in items() {
                        cut.replaced.push((item, MASKED.to_owned()));
                    }
                }
                Some(Keep::Reference { .. }) if !twin => {
                    for item in items() {
                        self.reference(at, item, &full, true, cut);
                    }
                }
                _ => cut.dropped.push(member),
            }
        }
    }

    /// Whether nothing of a node is left without these.
    fn is_empty(&self, node: NodeId, gone: &[NodeId]) -> bool {
        gone.contains(&node)
            || matches!(self.tree.kind(node), Kind::Object | Kind::Array)
                && self.tree.children(node).all(|n| self.is_empty(n, gone))
    }

    /// A value that stays: the members of data types, without what they say elsewhere.
    fn leaf(&self, at: usize, node: NodeId, cut: &mut Cut) {
        let tree = self.tree;
        match tree.kind(node) {
            Kind::Object => {
                let numbers = self
                    .text(node, "system")
                    .is_some_and(|system| self.policy.places.contains(&system));
                if numbers && !self.text(node, "value").is_some_and(|v| is_ordinal(&v)) {
                    cut.dropped.push(node);
                    return;
                }
                self.judged_alone(at, node, cut);
                for member in tree.children(node) {
                    let key = tree.key(member);
                    if key == "extension" {
                        self.extensions(at, member, cut);
                        continue;
                    }
                    let (twin, base) = match key.strip_prefix('_') {
                        Some(base) => (true, base),
                        None => (false, &*key),
                    };
                    match self.policy.datatypes.get(base) {
                        None => cut.dropped.push(member),
                        Some(_) if twin && tree.kind(member) != Kind::Object => {
                            cut.dropped.push(member);
                        }
                        Some(Keep::Coded { required, parent })
                            if self.is_told() && tree.kind(member) != Kind::String =>
                        {
                            let items: Vec<NodeId> = match tree.kind(member) {
                                Kind::Array => tree.children(member).collect(),
                                _ => vec![member],
                            };
                            for item in items {
                                self.coded(at, item, (*required, *parent), cut);
                            }
                        }
                        Some(Keep::Plain) => self.plain(at, member, base, twin, cut),
                        Some(what) => {
                            if *what == Keep::Worded {
                                self.worded(member, cut);
                            } else if *what == Keep::Judged && self.is_told() {
                                self.judged(at, member, cut);
                            }
                            // The code of a timing is a concept; elsewhere it is a word.
                            let of_word = || {
                                let name = concept_of(tree, node);
                                !name.ends_with("iming") && name != "schedule"
                            };
                            let plain = tree.kind(member) == Kind::String;
                            if base == "code" && !plain && of_word() {
                                cut.dropped.push(member);
                            } else {
                                if base == "period" {
                                    // A span of time, or how often: nothing else has a place there.
                                    let span = ["start", "end", "extension"];
                                    let said = |m: &NodeId| !span.contains(&&*tree.key(*m));
                                    cut.dropped.extend(tree.children(member).filter(said));
                                }
                                self.leaf(at, member, cut);
                            }
                        }
                    }
                }
            }
            Kind::Array => tree.children(node).for_each(|n| self.leaf(at, n, cut)),
            Kind::String if self.tells(at, &tree.text(node)) => {
                // A code without its system, or a number without its unit, is not what it was.
                let holder = tree.parent(node);
                let parent = tree.kind(holder) == Kind::Object && tree.key(node) == "system";
                cut.dropped.push(if parent { holder } else { node });
            }
            _ => {}
        }
    }

    /// A value without members: an object there, or a word that is no code of R4, may tell of anything.
    fn plain(&self, at: usize, node: NodeId, element: &str, twin: bool, cut: &mut Cut) {
        let tree = self.tree;
        match tree.kind(node) {
            // What stands beside a value (`_status`) can say why there is none.
            Kind::Object if twin => {
                let said = |m: &NodeId| tree.key(*m) != "extension";
                cut.dropped.extend(tree.children(node).filter(said));
                self.leaf(at, node, cut);
            }
            Kind::Array if !twin => {
                for item in tree.children(node) {
                    self.plain(at, item, element, twin, cut);
                }
            }
            Kind::String
                if self.is_told()
                    && (element == "version" && !is_version(&tree.text(node))
                        || !self.policy.is_value(element, &tree.text(node))) =>
            {
                cut.dropped.push(node);
            }
            Kind::Object | Kind::Array => cut.dropped.push(node),
            _ if twin => cut.dropped.push(node),
            _ => self.leaf(at, node, cut),
        }
    }

    /// A concept in the item's own words: codes of published systems that do not describe may say why.
    fn worded(&self, node: NodeId, cut: &mut Cut) {
        let tree = self.tree;
        let Some(list) = tree.member(node, "coding").filter(|_| self.is_told()) else {
            return;
        };
        let tells = |c: &NodeId| {
            let system = self.text(*c, "system").unwrap_or_default();
            !self.policy.local.have(&self.policy.system(&system)) && !self.describes(*c)
        };
        cut.dropped.extend(tree.children(list).filter(tells));
    }

    /// A concept, or a coding, of which nobody knows what its codes say but those that a row knows. The kind of
    /// a report is one; its words may say of what.
    fn judged(&self, at: usize, node: NodeId, cut: &mut Cut) {
        let tree = self.tree;
        let name = concept_of(tree, node);
        let list = tree.member(node, "coding");
        let codings: Vec<NodeId> = match list {
            Some(list) => tree.children(list).collect(),
            None if name.ends_with("Coding") => vec![node],
            None => return,
        };
        if list.is_some() && codings.iter().any(|c| self.describes(*c)) {
            self.coded(at, node, (true, false), cut);
            return;
        }
        let Some(u) = self.units.get(at) else { return };
        let named = list.is_some() && self.text(node, "text").is_some();
        for coding in codings {
            let code = self.text(coding, "code");
            let system = self.text(coding, "system").unwrap_or_default();
            let system = self.policy.system(&system);
            let knows =
                |code: &String| is_listed(&self.policy, &u.kind, &name, &system, &plain_code(code));
            if code.as_ref().is_none_or(knows) {
                continue;
            }
            if named {
                cut.dropped.push(coding);
            } else {
                let said = |m: &NodeId| tree.key(*m) != "display";
                cut.dropped.extend(tree.children(coding).filter(said));
            }
        }
    }

    /// Of a concept only what was judged goes out: beside an excluded label the codes that the labeller
    /// knows and their names, beside a laboratory's code none that no row knows.
    fn judged_alone(&self, at: usize, node: NodeId, cut: &mut Cut) {
        let tree = self.tree;
        let (Some(list), Some(u)) = (tree.member(node, "coding"), self.units.get(at)) else {
            return;
        };
        let name = concept_of(tree, node);
        let system = |c: NodeId| {
            let text = self.text(c, "system").unwrap_or_default();
            self.policy.system(&text)
        };
        if self.places_tell && is_structure(tree, node) {
            // The words of a usage are its text, which stays as `text` of the dosage does.
            let unknown = |c: &NodeId| !self.describes(*c);
            cut.dropped.extend(tree.children(list).filter(unknown));
        } else if self.places_tell && CONCEPTS.contains(&&*name) {
            let (known, unknown): (Vec<NodeId>, Vec<NodeId>) = tree.children(list).partition(|c| {
                let code = self.text(*c, "code").unwrap_or_default();
                self.policy.labels_know(&system(*c), &code)
            });
            cut.dropped.extend(unknown);
            if let Some(text) = tree.member(node, "text") {
                let said = self.text(node, "text");
                let is_name = known.iter().any(|c| self.text(*c, "display") == said);
                if !is_name {
                    cut.dropped.push(text);
                }
            }
        }
        let rows = || {
            let rows = self.policy.matches.iter();
            rows.filter(|m| m.inside.is_empty() && m.types.contains(&u.kind))
        };
        if name != "code" {
            return;
        }
        let codes = tree.children(list).map(|c| {
            let code = plain_code(&self.text(c, "code").unwrap_or_default());
            (c, system(c), code)
        });
        let codes: Vec<(NodeId, System, String)> = codes.collect();
        let ruled = |m: &Match| codes.iter().any(|(_, s, _)| m.without.have(s));
        if !rows().any(|m| !m.category.is_empty() && ruled(m)) {
            return;
        }
        // Beside the code of a master nothing of another system is judged that no other row knows.
        let masters: Vec<&Match> = rows()
            .filter(|m| !m.systems.is_empty() && ruled(m))
            .collect();
        let of_category = |m: &Match| m.category.is_empty() || is_of(tree, u.node, m);
        for (coding, system, code) in &codes {
            let own = |m: &Match| starts(&m.prefixes, code) && !ruled(m) && of_category(m);
            let knows = |m: &Match| m.systems.have(system) && (masters.is_empty() || own(m));
            if !masters.iter().any(|m| m.without.have(system)) && !rows().any(knows) {
                cut.dropped.push(*coding);
            }
        }
    }

    /// Extensions whose content is the element's own, by their URLs.
    fn extensions(&self, at: usize, node: NodeId, cut: &mut Cut) {
        let tree = self.tree;
        if tree.kind(node) != Kind::Array {
            cut.dropped.push(node);
            return;
        }
        for item in tree.children(node) {
            let url = self.text(item, "url").unwrap_or_default();
            let of = |t: &String| self.units.get(at).is_some_and(|u| u.kind == *t);
            let row = self.policy.extensions.iter().find(|e| e.url == url);
            let placed = self.places_tell || self.units.get(at).is_some_and(|u| u.masked);
            let row = row.filter(|e| !(e.place && placed));
            let Some(row) = row.filter(|e| e.types.is_empty() || e.types.iter().any(of)) else {
                cut.dropped.push(item);
                continue;
            };
            for member in tree.children(item) {
                let key = tree.key(member);
                let said = || tree.text(member);
                if key == "url" {
                } else if key == *row.value
                    && (row.codes.is_empty() || row.codes.iter().any(|c| *c == said()))
                {
                    self.leaf(at, member, cut);
                } else {
                    // An extension without its value says nothing.
                    cut.dropped.push(item);
                }
            }
        }
    }

    /// Whether somebody else is told: the person's own view has the words, too.
    fn is_told(&self) -> bool {
        matches!(self.request.who, Who::Recipient(_))
    }

    /// A concept, or a text, that only describes the item: codes of published systems stay. Words may tell
    /// of anything: a title is the name of the item's category, and what R4 demands is masked, or takes with it
    /// what it stands in.
    fn coded(&self, at: usize, node: NodeId, (required, parent): (bool, bool), cut: &mut Cut) {
        let tree = self.tree;
        let holder = tree.parent(node);
        let stays = match (tree.kind(node), tree.member(node, "coding")) {
            (Kind::Object, Some(list)) if tree.kind(list) == Kind::Array => {
                for member in tree.children(node).filter(|m| *m != list) {
                    cut.dropped.push(member);
                }
                let mut any = false;
                for coding in tree.children(list) {
                    let stays = self.coding(at, coding, cut);
                    any |= stays;
                    if !stays {
                        cut.dropped.push(coding);
                    }
                }
                any
            }
            (Kind::Object, _) => self.coding(at, node, cut),
            (Kind::String, _) if required => {
                let cats = self.units.get(at).map(|u| u.item.cats.with(u.item.inside));
                let place = cats.and_then(|c| c.places().next());
                let named = place.and_then(|p| self.policy.categories().get(usize::from(p)));
                let mut name = String::new();
                quote(named.map_or("", |n| n.name(Lang::Ja)), &mut name);
                cut.replaced.push((node, name));
                true
            }
            _ => false,
        };
        if !stays && required {
            cut.replaced.push((node, MASKED.to_owned()));
        } else if !stays && parent && tree.kind(holder) == Kind::Object {
            cut.dropped.push(holder);
        } else if !stays {
            cut.dropped.push(node);
        }
    }

    /// Whether a coding is a code of a published system; then it stays, without words.
    fn coding(&self, at: usize, node: NodeId, cut: &mut Cut) -> bool {
        let tree = self.tree;
        let stays = self.is_plain_coding(at, node);
        if stays {
            let words = |m: &NodeId| !["system", "code"].contains(&&*tree.key(*m));
            cut.dropped.extend(tree.children(node).filter(words));
        }
        stays
    }

    #[inline(never)]
    fn is_plain_coding(&self, at: usize, node: NodeId) -> bool {
        let system = self.text(node, "system").unwrap_or_default();
        let code = self.text(node, "code").unwrap_or_default();
        is_published(&system)
            && !code.is_empty()
            && code.len() <= 64
            && code.bytes().all(|b| b.is_ascii_graphic())
            && !self.tells(at, &system)
            && !self.tells(at, &code)
            && self.describes(node)
    }

    /// Whether a coding describes an item and can say nothing of a disease or an operation. A label says that
    /// there is such a thing: it goes out where nothing is cut.
    fn describes(&self, node: NodeId) -> bool {
        let system = self.text(node, "system").unwrap_or_default();
        let code = self.text(node, "code").unwrap_or_default();
        let element = concept_of(self.tree, node);
        let label = code.len() > 1 && self.policy.label(&plain_code(&code)).is_some();
        let system = self.policy.system(&system);
        !label && self.policy.describes(&element, &system, &code)
    }

    /// What an item says of itself: published profiles, tags and labels, and when it was changed.
    fn meta(&self, at: usize, node: NodeId, cut: &mut Cut) {
        let tree = self.tree;
        for member in tree.children(node) {
            let list: Vec<NodeId> = match tree.kind(member) {
                Kind::Array => tree.children(member).collect(),
                _ => Vec::new(),
            };
            match &*tree.key(member) {
                "tag" | "security" => {
                    for item in list {
                        self.coded(at, item, (false, false), cut);
                    }
                }
                "profile" => cut.dropped.extend(list.iter().filter(|n| {
                    let url = tree.text(**n);
                    let defined = url.contains("/StructureDefinition/");
                    !(defined && is_published(&url))
                })),
                "lastUpdated" if instant(&tree.text(member)).is_some() => {}
                _ => cut.dropped.push(member),
            }
        }
    }

    /// A number of the item is one: no words, in no system of words.
    fn identifier(&self, at: usize, node: NodeId, cut: &mut Cut) {
        let person = |u: &Unit| ["Patient", "Coverage", "RelatedPerson"].contains(&u.kind.as_str());
        let number = |key: &str| {
            self.text(node, key)
                .is_none_or(|t| t.len() <= 256 && t.bytes().all(|b| b.is_ascii_graphic()))
        };
        // The symbols of insurance have letters of any kind.
        let own = self.units.get(at).is_some_and(person);
        if self.tree.kind(node) == Kind::Object && !(number("system") && (own || number("value"))) {
            cut.dropped.push(node);
        }
    }

    /// Whether a string tells of what does not go out: a reference to it, or a masked institution.
    fn tells(&self, at: usize, text: &str) -> bool {
        let Some(u) = self.units.get(at) else {
            return true;
        };
        if u.masked
            && (names_number(&u.item.src, text)
                || names_server(text)
                || self.names.iter().any(|name| text.contains(name.as_str())))
        {
            return true;
        }
        // Most texts are no reference at all.
        if !text.contains(['/', ':']) {
            return false;
        }
        match self.resolve(text, Some(at)).and_then(|t| self.units.get(t)) {
            Some(t) => {
                let own = t.node == u.node;
                !t.kept && !own
            }
            None => Self::is_local(text),
        }
    }

    /// A reference: cut like one to nothing where its target does not go out.
    fn reference(&self, at: usize, node: NodeId, path: &str, closed: bool, cut: &mut Cut) {
        let tree = self.tree;
        let Some(u) = self.units.get(at) else { return };
        let what = self.policy.keeps(&u.kind, path);
        let (place, required, parent) = match what {
            Some(Keep::Reference {
                place,
                required,
                parent,
            }) => (place, required, parent),
            _ => (false, false, false),
        };
        let text = self.text(node, "reference");
        let target = text.as_ref().and_then(|r| self.resolve(r, Some(at)));
        let target = target.and_then(|t| self.units.get(t));
        let by_number = || self.units.get(self.patient_of(node)?);
        if text.is_none()
            && let Some(t) = by_number().filter(|t| t.kept && !t.id.is_empty())
        {
            // The number stays with the Patient, where it may go out.
            let mut to = String::from(r#"{"reference":"#);
            quote(&format!("{}/{}", t.kind, t.id), &mut to);
            to.push('}');
            cut.replaced.push((node, to));
            return;
        }
        let goes = target
            .is_some_and(|t| t.kept || t.administrative && !t.foreign && t.kind != "Provenance");
        let hidden = (u.masked || self.places_tell)
            && (place
                || target.is_some_and(|t| {
                    [
                        "Organization",
                        "Practitioner",
                        "PractitionerRole",
                        "Location",
                    ]
                    .contains(&t.kind.as_str())
                }));
        if !goes || hidden {
            let holder = tree.parent(node);
            if required {
                cut.replaced.push((node, MASKED.to_owned()));
            } else if parent && tree.kind(holder) == Kind::Object {
                cut.dropped.push(holder);
            } else {
                cut.dropped.push(node);
            }
            return;
        }
        let moved = target.filter(|t| t.container.is_none() && t.hides_address());
        for member in tree.children(node) {
            let key = tree.key(member);
            if key == "reference" {
                if let Some(t) = moved {
                    let mut to = String::new();
                    quote(&format!("{}/{}", t.kind, t.id), &mut to);
                    cut.replaced.push((member, to));
                }
            } else if closed && (key != "type" || tree.kind(member) != Kind::String) {
                cut.dropped.push(member);
            }
        }
    }

    /// Where nothing can be withheld that text might tell: references to what does not go out.
    fn sweep(&self, at: usize, root: NodeId, cut: &mut Cut) {
        let tree = self.tree;
        let mut owner = at;
        for node in inside(tree, root) {
            if let Some(inner) = self.nodes.get(&node) {
                owner = *inner;
                continue;
            }
            if self
                .units
                .get(owner)
                .is_some_and(|u| u.container.is_some() && node >= tree.after(u.node))
            {
                owner = at;
            }
            if tree.member(node, "resourceType").is_some() {
                cut.dropped.push(node);
                continue;
            }
            match tree.kind(node) {
                Kind::Object if self.text(node, "reference").is_some() => {
                    let root = self.units.get(owner).map_or(ROOT, |u| u.node);
                    let path = path(tree, root, node);
                    self.reference(owner, node, &path, false, cut);
                }
                Kind::String
                    if tree.key(node) != "reference"
                        && tree.key(node) != "id"
                        && self.tells(owner, &tree.text(node)) =>
                {
                    cut.dropped.push(node);
                }
                _ => {}
            }
        }
    }

    /// A reference as local ones are written, with or without its server and version; or a UUID.
    fn is_local(text: &str) -> bool {
        if text.starts_with("urn:uuid:") {
            return true;
        }
        // Of every type there is: one that the policy does not know is withheld, and so is what names it.
        let known = |kind: &str| TYPES.binary_search(&kind).is_ok();
        let plain = bare(text);
        let server = plain.starts_with("http://") || plain.starts_with("https://");
        let mut parts = plain.rsplit('/');
        let (id, kind) = (parts.next(), parts.next());
        id.is_some_and(|i| !i.is_empty())
            && kind.is_some_and(known)
            && (server || parts.next().is_none())
    }

    /// Whether nothing can be withheld from this request that free text might tell: by the request,
    /// the policy and the holder's word, never by what these withhold.
    fn is_open(&self, knowledge: &dyn Knowledge) -> bool {
        // A word that what is here shows to be untrue is none.
        if !knowledge.all_told() || self.units.iter().any(Unit::is_withheld_by_itself) {
            return false;
        }
        let mut open = self.state.clone();
        open.grants.retain(|g| {
            g.annex.is_empty()
                && g.window == (None, None)
                && g.recorded.is_none()
                && g.parent.is_none()
        });
        self.policy.all_categories().places().all(|p| {
            let item = Item {
                key: String::new(),
                cats: Bits::one(p),
                inside: Bits::NONE,
                unknown: false,
                src: String::new(),
                encounter: None,
                clinical: None,
                recorded: None,
                labels: None,
                origin: Origin::Ehr,
                told: Told::Unknown,
                uninformed: false,
                undelivered: false,
                before: Vec::new(),
            };
            decide(&open, self.request, &item).permits()
        })
    }

    /// Step 10: a Bundle of what is left, and nothing that counts.
    fn write(&self) -> Vec<u8> {
        let kind = self.text(ROOT, "type");
        let kind = match kind.as_deref() {
            Some("searchset") => "searchset",
            _ => "collection",
        };
        let mut out = String::from(r#"{"resourceType":"Bundle","meta":{"#);
        if !self.obligations.is_empty() {
            out.push_str(r#""security":["#);
            for (i, code) in self.obligations.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&obligation(code).write());
            }
            out.push_str("],");
        }
        out.push_str(r#""tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]},"type":""#);
        out.push_str(kind);
        out.push('"');
        let mut first = true;
        for u in self
            .units
            .iter()
            .filter(|u| u.kept && u.container.is_none())
        {
            out.push_str(if first { r#","entry":[{"# } else { ",{" });
            first = false;
            if let Some(url) = u.full_url.as_ref().filter(|_| !u.hides_address()) {
                out.push_str(r#""fullUrl":"#);
                quote(url, &mut out);
                out.push(',');
            }
            out.push_str(r#""resource":"#);
            self.emit(u.node, &mut out);
            out.push('}');
        }
        out.push_str(if first { "}" } else { "]}" });
        out.into_bytes()
    }

    /// Writes a node without what was dropped; `false` if nothing is left of it.
    fn emit(&self, node: NodeId, out: &mut String) -> bool {
        if self.drop.contains(&node) {
            return false;
        }
        if let Some(text) = self.replace.get(&node) {
            out.push_str(text);
            return true;
        }
        let tree = self.tree;
        let (open, close) = match tree.kind(node) {
            Kind::Object => ('{', '}'),
            Kind::Array => ('[', ']'),
            _ => {
                let span = tree.span(node);
                let at = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
                let bytes = tree.source().get(at(span.start)..at(span.end));
                out.push_str(&String::from_utf8_lossy(bytes.unwrap_or_default()));
                return true;
            }
        };
        let start = out.len();
        let mut any = false;
        out.push(open);
        for child in tree.children(node) {
            let before = out.len();
            if any {
                out.push(',');
            }
            if open == '{' {
                quote(&tree.key(child), out);
                out.push(':');
            }
            if self.emit(child, out) {
                any = true;
            } else {
                out.truncate(before);
            }
        }
        out.push(close);
        if !any && tree.children(node).next().is_some() {
            out.truncate(start);
            return false;
        }
        true
    }

    /// Step 12: nothing that was withheld is named in what goes out.
    fn check(&self, bytes: &[u8]) -> Result<(), FilterError> {
        let parsed = parse(bytes, Limits::FHIR, &());
        if !parsed.issues.is_empty() {
            return Err(FilterError::SelfCheck);
        }
        let gone: Set<String> = self
            .units
            .iter()
            .filter(|u| !u.kept && u.container.is_none())
            .flat_map(|u| {
                u.full_url
                    .iter()
                    .cloned()
                    .chain([format!("{}/{}", u.kind, u.id)])
            })
            .collect();
        let tree = &parsed.tree;
        for node in inside(tree, ROOT) {
            if tree.kind(node) == Kind::String && gone.contains(&*tree.text(node)) {
                return Err(FilterError::SelfCheck);
            }
        }
        Ok(())
    }

    fn result(&self, bytes: Vec<u8>) -> Filtered {
        let mut cats = self.policy.category_codes(self.cats);
        cats.sort_unstable();
        // The person is told the numbers: of what the person was not told, though it goes out, none.
        let is_record = |u: &&Unit| {
            let own = u.container.is_none() && !u.administrative && u.kind != "Patient";
            own && u.kept && !u.is_withheld_by_itself()
        };
        let records = || self.units.iter().filter(is_record);
        let mut counts: Map<String, u64> = Map::new();
        for record in records() {
            let cats = self.policy.category_codes(record.item.cats);
            if let Some(category) = stands_under(&cats) {
                *counts.entry(category.to_owned()).or_default() += 1;
            }
        }
        Filtered {
            bytes,
            cats,
            items: u64::try_from(records().count()).unwrap_or(u64::MAX),
            counts,
            grants: self.grants.iter().cloned().collect(),
            bases: self.bases.iter().cloned().collect(),
            obligations: self.obligations.iter().cloned().collect(),
            withheld: self
                .units
                .iter()
                .filter(|u| {
                    !u.administrative
                        && !u.not_own
                        && u.why != Why::Permitted
                        && u.why != Why::NotTold
                        && !u.kept
                })
                .map(|u| Withheld {
                    key: u.item.key.clone(),
                    kind: u.kind.clone(),
                    cats: self.policy.category_codes(u.item.cats),
                    why: u.why,
                })
                .collect(),
        }
    }
}

impl Unit {
    /// Whether it is withheld from somebody whatever they may see.
    fn is_withheld_by_itself(&self) -> bool {
        self.foreign
            || self.item.uninformed
            || self.item.undelivered
            || self.item.origin == Origin::Claims && self.item.told != Told::Yes
            || self.item.cats.is_empty() && !self.administrative && self.kind != "Patient"
    }

    /// Whether its address names the institution that is masked.
    fn hides_address(&self) -> bool {
        self.masked
            && self
                .full_url
                .as_ref()
                .is_some_and(|u| !u.starts_with("urn:uuid:"))
    }
}

/// What is cut of a resource.
#[derive(Default)]
struct Cut {
    dropped: Vec<NodeId>,
    replaced: Vec<(NodeId, String)>,
}

/// Whether a text has the number of an institution.
fn names_number(src: &str, text: &str) -> bool {
    let number = src.rsplit(':').next().unwrap_or_default();
    number.len() > 3 && text.contains(number)
}

/// Whether a text is a small number, as the places of an order are: anything else may tell of something.
fn is_ordinal(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a version of a code system is a number: words may tell of anything.
fn is_version(text: &str) -> bool {
    let number = text.strip_prefix(['V', 'v']).unwrap_or(text);
    let is_part = |b: u8| b.is_ascii_digit() || b == b'.' || b == b'-';
    text.len() <= 32 && number.bytes().all(is_part)
}

/// Whether a text is an address of a server that is none of those that publish standards.
fn names_server(text: &str) -> bool {
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', ':', '?', '#']).next().unwrap_or_default();
        let of = |name: &&str| {
            host == *name || host.strip_suffix(*name).is_some_and(|h| h.ends_with('.'))
        };
        !STANDARDS.iter().any(of)
    })
}

/// Materials of JLAC10 as the conversion writes them, after the institution's number: what a result was
/// measured in is part of it where its own code does not say so.
const MATERIALS: &str = ":JC10-specimen";

/// Whether a system is one that somebody publishes: by the servers of [`STANDARDS`], a number, or [`MATERIALS`].
fn is_published(system: &str) -> bool {
    let number = |s: &str| s.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    system.len() <= 256
        && system.bytes().all(|b| b.is_ascii_graphic())
        && if system.starts_with("http://") || system.starts_with("https://") {
            !names_server(system)
        } else {
            system.strip_prefix("urn:oid:").is_some_and(number)
                || system
                    .strip_prefix("urn:x-ssmix2:")
                    .and_then(|s| s.strip_suffix(MATERIALS))
                    .is_some_and(number)
                || ["urn:iso:", "urn:ietf:"]
                    .iter()
                    .any(|p| system.starts_with(p))
        }
}

/// Resource types of FHIR R4 4.0.1 in their order, without those whose addresses name definitions (`CodeSystem/…`).
const TYPES: &[&str] = &[
    "Account",
    "ActivityDefinition",
    "AdverseEvent",
    "AllergyIntolerance",
    "Appointment",
    "AppointmentResponse",
    "AuditEvent",
    "Basic",
    "Binary",
    "BiologicallyDerivedProduct",
    "BodyStructure",
    "Bundle",
    "CarePlan",
    "CareTeam",
    "CatalogEntry",
    "ChargeItem",
    "ChargeItemDefinition",
    "Claim",
    "ClaimResponse",
    "ClinicalImpression",
    "Communication",
    "CommunicationRequest",
    "Composition",
    "Condition",
    "Consent",
    "Contract",
    "Coverage",
    "CoverageEligibilityRequest",
    "CoverageEligibilityResponse",
    "DetectedIssue",
    "Device",
    "DeviceDefinition",
    "DeviceMetric",
    "DeviceRequest",
    "DeviceUseStatement",
    "DiagnosticReport",
    "DocumentManifest",
    "DocumentReference",
    "EffectEvidenceSynthesis",
    "Encounter",
    "Endpoint",
    "EnrollmentRequest",
    "EnrollmentResponse",
    "EpisodeOfCare",
    "EventDefinition",
    "Evidence",
    "EvidenceVariable",
    "ExampleScenario",
    "ExplanationOfBenefit",
    "FamilyMemberHistory",
    "Flag",
    "Goal",
    "Group",
    "GuidanceResponse",
    "HealthcareService",
    "ImagingStudy",
    "Immunization",
    "ImmunizationEvaluation",
    "ImmunizationRecommendation",
    "InsurancePlan",
    "Invoice",
    "Library",
    "Linkage",
    "List",
    "Location",
    "Measure",
    "MeasureReport",
    "Media",
    "Medication",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationKnowledge",
    "MedicationRequest",
    "MedicationStatement",
    "MedicinalProduct",
    "MedicinalProductAuthorization",
    "MedicinalProductContraindication",
    "MedicinalProductIndication",
    "MedicinalProductIngredient",
    "MedicinalProductInteraction",
    "MedicinalProductManufactured",
    "MedicinalProductPackaged",
    "MedicinalProductPharmaceutical",
    "MedicinalProductUndesirableEffect",
    "MessageHeader",
    "MolecularSequence",
    "NutritionOrder",
    "Observation",
    "ObservationDefinition",
    "OperationOutcome",
    "Organization",
    "OrganizationAffiliation",
    "Parameters",
    "Patient",
    "PaymentNotice",
    "PaymentReconciliation",
    "Person",
    "PlanDefinition",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "Questionnaire",
    "QuestionnaireResponse",
    "RelatedPerson",
    "RequestGroup",
    "ResearchDefinition",
    "ResearchElementDefinition",
    "ResearchStudy",
    "ResearchSubject",
    "RiskAssessment",
    "RiskEvidenceSynthesis",
    "Schedule",
    "ServiceRequest",
    "Slot",
    "Specimen",
    "SpecimenDefinition",
    "Subscription",
    "SubscriptionStatus",
    "Substance",
    "SubstanceNucleicAcid",
    "SubstancePolymer",
    "SubstanceProtein",
    "SubstanceReferenceInformation",
    "SubstanceSourceMaterial",
    "SubstanceSpecification",
    "SupplyDelivery",
    "SupplyRequest",
    "Task",
    "TestReport",
    "TestScript",
    "VerificationResult",
    "VisionPrescription",
];

/// Servers whose addresses name standards, not institutions.
const STANDARDS: &[&str] = &[
    "capstandard.jp",
    "jami.jp",
    "nema.org",
    "whocc.no",
    "hl7.org",
    "jpfhir.jp",
    "loinc.org",
    "medis.or.jp",
    "snomed.info",
    "unitsofmeasure.org",
    "who.int",
];

/// Whether a reference that leads nowhere is one to a Patient.
fn names_patient(reference: &str) -> bool {
    let mut parts = bare(reference).rsplit('/');
    parts.next().is_some() && parts.next() == Some("Patient")
}

/// The server of an entry, by its address; of what is not addressed by type and id, none.
fn server(u: &Unit) -> &str {
    let mut url = u.full_url.as_deref().unwrap_or_default();
    for end in [u.id.as_str(), "/", u.kind.as_str()] {
        url = url.strip_suffix(end).unwrap_or_default();
    }
    url
}

/// A reference without its version.
fn bare(reference: &str) -> &str {
    if !reference.contains('_') {
        return reference;
    }
    reference.split("/_history/").next().unwrap_or(reference)
}

/// A member that is a string.
pub(crate) fn text_of(tree: &Tree<'_>, node: NodeId, key: &str) -> Option<String> {
    let member = tree.member(node, key)?;
    (tree.kind(member) == Kind::String).then(|| tree.text(member).into_owned())
}

/// Step 3: all categories of a resource, and its labels, which are absent where the labeller could
/// not judge.
pub(crate) fn classify(
    tree: &Tree<'_>,
    policy: &Judging<'_>,
    node: NodeId,
    kind: &str,
) -> (Bits, Option<Bits>) {
    let (words, marks) = spoken(tree, policy, node, kind);
    let cats = categories(tree, policy, &policy.matches, node, kind, words);
    (cats, labels(tree, policy, node, kind, marks))
}

/// All categories of a resource by a table.
fn categories(
    tree: &Tree<'_>,
    policy: &Judging<'_>,
    table: &[Match],
    node: NodeId,
    kind: &str,
    words: Bits,
) -> Bits {
    let mut codings: Vec<(System, String)> = Vec::new();
    let mut category: Vec<(String, String)> = Vec::new();
    for key in CODED {
        let Some(member) = tree.member(node, key) else {
            continue;
        };
        for n in std::iter::once(member).chain(inside(tree, member)) {
            if let Some(code) = text_of(tree, n, "code") {
                let system = text_of(tree, n, "system").unwrap_or_default();
                let code = plain_code(&code);
                if *key == "category" {
                    category.push((system.clone(), code.clone()));
                }
                codings.push((policy.system(&system), code));
            } else if *key == "category"
                && tree.kind(n) == Kind::String
                && matches!(&*tree.key(n), "" | "category")
            {
                category.push((String::new(), plain_code(&tree.text(n))));
            }
        }
    }
    let in_category =
        |m: &Match| m.category.is_empty() || category.iter().any(|(_, c)| m.category.contains(c));
    let rows: Vec<&Match> = table
        .iter()
        .filter(|m| m.inside.is_empty() && m.words.is_empty())
        .filter(|m| m.types.iter().any(|t| t == kind))
        .filter(|m| m.has.iter().all(|e| tree.member(node, e).is_some()))
        .filter(|m| !codings.iter().any(|(s, _)| m.without.have(s)))
        .filter(|m| m.with.is_empty() || codings.iter().any(|(s, _)| m.with.have(s)))
        .collect();
    // Rows for what no other row knows.
    let rows: Vec<&Match> = rows
        .iter()
        .copied()
        .filter(|m| {
            m.unjudged.is_empty() && m.unknown.is_empty()
                || is_unjudged(tree, policy, node, m, &rows, &in_category)
        })
        .collect();
    // Every coding and every category has its first row; what they say adds up.
    let mut found: Vec<&Match> = Vec::new();
    for (system, code) in &codings {
        found.extend(
            rows.iter()
                .find(|m| m.systems.have(system) && starts(&m.prefixes, code) && in_category(m)),
        );
    }
    let mut unknown = false;
    for (system, code) in &category {
        let named = |m: &&&Match| m.category.contains(code);
        found.extend(rows.iter().filter(|m| m.systems.is_empty()).find(named));
        unknown |= policy.category_systems.contains(system) && !rows.iter().any(|m| named(&m));
    }
    // What a number in it tells.
    // By its system, or by its form: eight digits that begin with whose they are.
    let tells = |m: &&Match, n: NodeId| {
        let text = tree.text(n);
        let key = tree.key(n);
        let system = || text_of(tree, tree.parent(n), "system").unwrap_or_default();
        // `21-136008`, `54136015:1234567`
        let of_payer = || {
            let mut number = plain_code(&text);
            if number.as_bytes().get(2) == Some(&b'-') {
                number.remove(2);
            }
            let number = number.split(':').next().unwrap_or_default();
            number.len() == 8
                && number.bytes().all(|b| b.is_ascii_digit())
                && starts(&m.prefixes, number)
        };
        key == "value" && m.numbers.have(&policy.system(&system()))
            || !m.prefixes.is_empty() && of_payer()
    };
    let numbers = rows.iter().copied().filter(|m| !m.numbers.is_empty());
    found.extend(numbers.filter(|m| inside(tree, node).any(|n| tells(m, n))));
    let plain = |m: &&Match| m.systems.is_empty() && m.category.is_empty() && m.numbers.is_empty();
    let conditional =
        |m: &Match| !m.without.is_empty() || !m.has.is_empty() || !m.unjudged.is_empty();
    found.extend(rows.iter().copied().filter(|m| plain(m) && conditional(m)));
    if found.is_empty() {
        found.extend(rows.iter().copied().find(plain));
    }
    // What has a consent of its own is told by its code wherever that stands (a step of a plan, an answer,
    // how a specimen was taken), the codes of documents aside, which tell what may be in them.
    let own: Vec<&Match> = table.iter().filter(|m| m.clinical).collect();
    let of_kind: Vec<&Match> = table
        .iter()
        .filter(|m| m.types.iter().any(|t| t == kind))
        .collect();
    let contained = tree.member(node, "contained");
    let elsewhere = inside(tree, node)
        .filter(|n| contained.is_none_or(|c| *n < c || *n >= tree.after(c)))
        .filter_map(|n| Some((n, text_of(tree, n, "system")?, text_of(tree, n, "code")?)));
    // So is a disease where an answer, a result or a part of it says one.
    // Words say it, too.
    let mut individual = words;
    for (n, system, code) in elsewhere {
        let (system, code) = (policy.system(&system), plain_code(&code));
        // A number without its name, in which words are sought, may be any of what its system has.
        let named = text_of(tree, n, "display").is_some_and(|d| !d.trim().is_empty());
        let mut add = |m: &Match, of: Bits| {
            let more = if named { Bits::NONE } else { m.unnamed };
            individual = individual.with(Bits(m.cats.0 & of.0)).with(more);
        };
        if let Some(m) = said(policy, &of_kind, tree, kind, n, (&system, &code)) {
            add(m, Bits(u64::MAX));
        }
        // As with the codes above, the first row rules.
        let row = own
            .iter()
            .find(|m| m.systems.have(&system) && starts(&m.prefixes, &code));
        if let Some(m) = row {
            add(m, policy.individual());
        }
    }
    // Free words may tell of a disease, whatever they are.
    let worded = of_kind
        .iter()
        .filter(|m| !m.words.is_empty() && in_category(m));
    found.extend(
        worded.filter(|m| inside(tree, node).any(|n| is_worded(tree, policy, node, kind, m, n))),
    );
    let all = found.iter().fold(individual, |b, m| b.with(m.cats));
    let instead = found.iter().fold(Bits::NONE, |b, m| b.with(m.instead));
    if unknown {
        Bits::NONE
    } else {
        Bits(all.0 & !instead.0)
    }
}

/// Whether a resource is of one of the categories that a row speaks of.
fn is_of(tree: &Tree<'_>, node: NodeId, row: &Match) -> bool {
    let codes = tree.member(node, "category").into_iter();
    let mut codes = codes
        .flat_map(|c| inside(tree, c))
        .filter_map(|n| text_of(tree, n, "code"));
    codes.any(|code| row.category.contains(&plain_code(&code)))
}

/// Whether a concept that a row speaks of has no code, or one that none of the rows knows.
fn is_unjudged(
    tree: &Tree<'_>,
    policy: &Judging<'_>,
    node: NodeId,
    row: &Match,
    rows: &[&Match],
    in_category: &dyn Fn(&Match) -> bool,
) -> bool {
    // Extensions go by a list of their own.
    let apart = ["contained", "extension"].map(|name| tree.member(node, name));
    let known = |coding: NodeId| {
        let system = policy.system(&text_of(tree, coding, "system").unwrap_or_default());
        let code = plain_code(&text_of(tree, coding, "code").unwrap_or_default());
        rows.iter()
            .any(|m| m.systems.have(&system) && starts(&m.prefixes, &code) && in_category(m))
    };
    inside(tree, node)
        .filter(|n| {
            let mut apart = apart.into_iter().flatten();
            apart.all(|a| *n < a || *n >= tree.after(a))
        })
        .filter(|n| tree.kind(*n) == Kind::Object)
        .filter(|n| {
            let name = concept_of(tree, *n);
            let mut elements = row.unjudged.iter().chain(&row.unknown);
            elements.any(|e| *e == name) && !is_coding(tree, *n)
        })
        .any(|concept| {
            let list = tree.member(concept, "coding");
            let mut codings = list.into_iter().flat_map(|list| tree.children(list));
            if !row.unknown.is_empty() {
                return !codings.any(known);
            }
            match codings.next() {
                None => true,
                Some(first) => !known(first) || !codings.all(known),
            }
        })
}

/// Whether a node is one of the codings of a concept.
fn is_coding(tree: &Tree<'_>, node: NodeId) -> bool {
    tree.key(node) == "coding" || tree.key(tree.parent(node)) == "coding"
}

fn starts(prefixes: &[String], code: &str) -> bool {
    prefixes.iter().any(|p| code.starts_with(p.as_str()))
}

impl Match {
    /// Whether the row has the code in this element; without a name, whether it has it wherever it stands.
    fn knows(&self, name: &str, system: &System, code: &str) -> bool {
        let here = if name.is_empty() {
            self.inside.is_empty()
        } else {
            self.inside.iter().any(|i| i == name)
        };
        here && self.systems.have(system) && starts(&self.prefixes, code)
    }
}

/// What a coding says of something else than the resource is: the first row for its element.
fn said<'m>(
    policy: &Policy,
    rows: &[&'m Match],
    tree: &Tree<'_>,
    kind: &str,
    coding: NodeId,
    (system, code): (&System, &str),
) -> Option<&'m Match> {
    let name = concept_of(tree, coding);
    rows.iter().copied().find(|m| {
        m.knows(&name, system, code)
            || m.systems.is_empty()
                && m.inside.iter().any(|i| *i == name)
                && m.types.iter().any(|t| t == kind)
                && !is_listed(policy, kind, "", system, code)
    })
}

/// Whether a code is one that a row knows in this element of a type, or one of an operation and the like, which
/// is told by its code wherever that stands, or a holder's own.
fn is_listed(policy: &Policy, kind: &str, name: &str, system: &System, code: &str) -> bool {
    let row = |m: &Match| {
        let of = m.types.iter().any(|t| t == kind);
        let own = m.clinical && m.cats.within(policy.individual());
        !name.is_empty() && of && m.knows(name, system, code)
            || (of || own) && m.knows("", system, code)
    };
    policy.local.have(system) || policy.matches.iter().any(row)
}

/// Whether a text has words, or signs of a genetic result: numbers and days have none.
fn has_words(text: &str) -> bool {
    let letter = |b: u8| {
        !b.is_ascii() || b"*;".contains(&b) || b.is_ascii_alphabetic() && b != b'T' && b != b'Z'
    };
    text.bytes().any(letter)
}

/// Whether a string is one of the free words that a row speaks of, and stays.
fn is_worded(
    tree: &Tree<'_>,
    policy: &Judging<'_>,
    root: NodeId,
    kind: &str,
    row: &Match,
    node: NodeId,
) -> bool {
    if tree.kind(node) != Kind::String || !has_words(&tree.text(node)) {
        return false;
    }
    let key = tree.key(node);
    let listed = |name: &str| row.words.iter().any(|e| e == name);
    // Of a concept with a code that a row knows the code is judged.
    let of_concept = || {
        let concept = named(tree, tree.parent(node));
        let name = tree.key(concept);
        let known = |n: NodeId| {
            let system = |n| text_of(tree, n, "system").unwrap_or_default();
            let rows = &policy.matches;
            text_of(tree, n, "code").is_some_and(|code| {
                let code = (policy.system(&system(n)), plain_code(&code));
                rows.iter()
                    .any(|m| m.types.iter().any(|t| t == kind) && m.knows(&name, &code.0, &code.1))
            })
        };
        listed(&name) && !inside(tree, concept).any(known)
    };
    (listed(&key) || matches!(&*key, "text" | "display") && of_concept())
        && stays(tree, policy, root, kind, node)
}

/// What the words say: categories where they may go out with a resource, labels wherever they stand; but who
/// else and where are something else, unless of a visit.
fn spoken(tree: &Tree<'_>, policy: &Policy, node: NodeId, kind: &str) -> (Bits, Bits) {
    let (mut cats, mut labels) = (Bits::NONE, Bits::NONE);
    for n in inside(tree, node).filter(|n| tree.kind(*n) == Kind::String) {
        let text = tree.text(n);
        if !has_words(&text) {
            continue;
        }
        let (of, marks) = policy.words.said(&text, kind);
        if !of.within(cats) && stays(tree, policy, node, kind, n) {
            cats = cats.with(of);
        }
        if !marks.within(labels)
            && (VISITS.contains(&kind) || !is_elsewhere(tree, policy, node, kind, n))
        {
            labels = labels.with(marks);
        }
    }
    (cats, labels)
}

/// Path of an element in its resource.
fn path(tree: &Tree<'_>, root: NodeId, node: NodeId) -> String {
    let mut path = String::new();
    let mut here = node;
    while here != root && here != ROOT {
        let key = tree.key(here);
        if !key.is_empty() {
            if !path.is_empty() {
                path.insert(0, '.');
            }
            path.insert_str(0, &key);
        }
        here = tree.parent(here);
    }
    path
}

/// Whether the table of elements lets a string stay, whatever it says.
fn stays(tree: &Tree<'_>, policy: &Policy, root: NodeId, kind: &str, node: NodeId) -> bool {
    let path = path(tree, root, node);
    // What is contained is judged by itself, extensions go by their URLs.
    if path.starts_with("contained.") {
        return false;
    }
    if path.contains("xtension.") {
        let mut here = tree.parent(node);
        while here != root {
            if let Some(url) = tree.member(here, "url") {
                let mut rows = policy.extensions.iter();
                return rows.any(|e| tree.is_text(url, &e.url));
            }
            here = tree.parent(here);
        }
    }
    let mut inner = true;
    let mut end = 0;
    for key in path.split('.') {
        end += key.len();
        let what = if inner {
            policy.keeps(kind, path.get(..end).unwrap_or_default())
        } else {
            policy.datatypes.get(key).copied()
        };
        match what {
            Some(Keep::Inner) => {}
            Some(
                Keep::Leaf
                | Keep::Needed { .. }
                | Keep::Worded
                | Keep::Judged
                | Keep::Plain
                | Keep::Own,
            ) => {
                inner = false;
            }
            _ => return path == "id",
        }
        end += 1;
    }
    true
}

/// Name of the element that a coding stands in: `valueCodeableConcept`, `code`.
fn concept_of<'s>(tree: &Tree<'s>, coding: NodeId) -> Cow<'s, str> {
    tree.key(named(tree, coding))
}

/// The element that a coding stands in.
fn named(tree: &Tree<'_>, coding: NodeId) -> NodeId {
    let mut here = coding;
    while here != ROOT && matches!(&*tree.key(here), "" | "coding") {
        here = tree.parent(here);
    }
    here
}

/// The resource that a node stands in, a contained one too.
fn resource_of(tree: &Tree<'_>, node: NodeId) -> NodeId {
    let mut here = node;
    while here != ROOT && tree.member(here, "resourceType").is_none() {
        here = tree.parent(here);
    }
    here
}

/// Whether a concept is the code of something that only describes an item: a usage, a role, a section.
fn is_structure(tree: &Tree<'_>, concept: NodeId) -> bool {
    if concept_of(tree, concept) != "code" {
        return false;
    }
    let mut holder = tree.parent(concept);
    if tree.kind(holder) == Kind::Array {
        holder = tree.parent(holder);
    }
    let of = concept_of(tree, holder);
    let kind = tree.member(holder, "resourceType");
    STRUCTURE.contains(&&*of)
        || of.ends_with("Timing")
        || kind.is_some_and(|k| tree.is_text(k, "PractitionerRole"))
}

/// Whether a string stands in a reference, or in something contained.
fn is_elsewhere(tree: &Tree<'_>, policy: &Policy, root: NodeId, kind: &str, node: NodeId) -> bool {
    let path = path(tree, root, tree.parent(node));
    let of = policy.keeps(kind, &path);
    path.starts_with("contained") || matches!(of, Some(Keep::Reference { .. }))
}

/// Labels of a resource; absent where there is a concept that no list knows, or none at all.
fn labels(
    tree: &Tree<'_>,
    policy: &Judging<'_>,
    node: NodeId,
    kind: &str,
    words: Bits,
) -> Option<Bits> {
    let mut labels = words;
    let kind_of = |n: NodeId| text_of(tree, n, "resourceType").unwrap_or_default();
    // Who somebody is has no concept that could say what they have.
    let mut judged = policy.label_free.iter().any(|free| free == kind);
    let mut blind = false;
    for n in inside(tree, node) {
        let coding = text_of(tree, n, "code");
        if let Some(code) = &coding {
            let system = policy.system(&text_of(tree, n, "system").unwrap_or_default());
            let code = plain_code(code);
            for rule in &policy.label_rules {
                if rule.has(&system, &code) {
                    labels = labels.with(Bits::one(rule.label));
                }
            }
            if let Some(label) = policy.label(&code) {
                labels = labels.with(Bits::one(label));
            }
        }
        let parent = tree.parent(n);
        let name = if tree.key(n).is_empty() {
            tree.key(parent)
        } else {
            tree.key(n)
        };
        if tree.kind(n) != Kind::Object {
            continue;
        }
        let of_coverage = name == "type" && kind_of(parent) == "Coverage";
        if of_coverage || CONCEPTS.contains(&&*name) && !is_structure(tree, n) {
            let codings = || {
                let list = tree.member(n, "coding").into_iter();
                list.flat_map(|list| tree.children(list))
            };
            // What no list knows beside what one knows may be what is left out.
            let system = |c| policy.system(&text_of(tree, c, "system").unwrap_or_default());
            let known = |c| {
                let code = text_of(tree, c, "code").unwrap_or_default();
                policy.labels_know(&system(c), &code)
            };
            // Other numbers of a master whose code was judged are left out there.
            let other = |c| policy.label_beside.have(&system(c));
            let all = codings().any(known) && codings().all(|c| known(c) || other(c));
            judged |= all;
            blind |= !all;
        } else if matches!(&*tree.key(parent), "coding") || &*name == "valueCoding" {
            // A disease in a terminology that the lists do not judge, wherever an answer says it.
            let system = policy.system(&text_of(tree, n, "system").unwrap_or_default());
            let code = plain_code(&coding.unwrap_or_default());
            let says = || {
                let kind = kind_of(resource_of(tree, n));
                let rows = policy.matches.iter();
                let rows: Vec<&Match> = rows.filter(|m| m.types.contains(&kind)).collect();
                said(policy, &rows, tree, &kind, n, (&system, &code))
                    .is_some_and(|m| !m.cats.is_empty())
            };
            blind |=
                !policy.labels_know(&system, &code) && !policy.label_beside.have(&system) && says();
        }
    }
    let security = tree
        .member(node, "meta")
        .and_then(|m| tree.member(m, "security"))
        .into_iter()
        .flat_map(|s| tree.children(s))
        .filter_map(|n| policy.label(&plain_code(&text_of(tree, n, "code")?)));
    for label in security {
        labels = labels.with(Bits::one(label));
        judged = true;
    }
    // What is very restricted is restricted.
    if let (Some(higher), Some(lower)) = (policy.label("V"), policy.label("R"))
        && labels.meets(Bits::one(higher))
    {
        labels = labels.with(Bits::one(lower));
    }
    (judged && !blind).then_some(labels)
}

/// First and last clinical day of a resource; absent where one of its dates cannot be read or is open.
pub(crate) fn clinical(tree: &Tree<'_>, node: NodeId) -> Option<(Date, Date)> {
    let days = |n: NodeId| {
        if tree.kind(n) == Kind::String {
            return Date::interval(&tree.text(n));
        }
        let start = Date::interval(&text_of(tree, n, "start")?)?;
        let end = text_of(tree, n, "end").and_then(|e| Date::interval(&e))?;
        // What ends before it begins is no time.
        (start.0 <= end.1).then_some((start.0, end.1))
    };
    let mut when = Vec::new();
    let mut written = Vec::new();
    for member in tree.children(node) {
        let key = tree.key(member);
        if WHEN_WHOLE.contains(&&*key) || WHEN.iter().any(|w| key.starts_with(w)) {
            when.push(days(member));
        } else if WRITTEN.contains(&&*key) {
            written.push(days(member));
        }
    }
    // One date that cannot be read, or has no end, leaves all unknown.
    let dates = if when.is_empty() { written } else { when };
    let dates: Vec<(Date, Date)> = dates.into_iter().collect::<Option<_>>()?;
    Some((
        dates.iter().map(|d| d.0).min()?,
        dates.iter().map(|d| d.1).max()?,
    ))
}

/// As [`clinical`], widened by every day that stands deeper in the resource: steps of a plan, items of a
/// claim, what an encounter was before. What is only said (a value, an identifier's term, when something
/// is due or expires) is no day of the item.
fn days_told(tree: &Tree<'_>, node: NodeId) -> Option<(Date, Date)> {
    let (mut first, mut last) = clinical(tree, node)?;
    let mut n = node + 1;
    while n < tree.after(node) {
        let key = tree.key(n);
        let said = SAID.contains(&&*key) || key.starts_with("value");
        if said || tree.parent(n) == node && WRITTEN.contains(&&*key) {
            n = tree.after(n);
            continue;
        }
        if tree.kind(n) == Kind::String {
            let text = tree.text(n);
            let dated = || DATED.iter().any(|end| key.ends_with(end));
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            let is_day = digits == 4 && (text.len() > 6 || dated());
            match Date::interval(&text).filter(|_| is_day) {
                Some((a, b)) => {
                    first = first.min(a);
                    last = last.max(b);
                }
                None if is_day && dated() => return None,
                None => {}
            }
        }
        n += 1;
    }
    Some((first, last))
}

/// Something in a node that changes its meaning, however deep: nobody knows what it says.
#[inline(never)]
pub(crate) fn modifier(tree: &Tree<'_>, node: NodeId) -> Option<NodeId> {
    inside(tree, node).find(|n| ["modifierExtension", "implicitRules"].contains(&&*tree.key(*n)))
}

/// All nodes inside a node, in document order.
pub(crate) fn inside(tree: &Tree<'_>, node: NodeId) -> impl Iterator<Item = NodeId> {
    node + 1..tree.after(node)
}

#[cfg(test)]
mod tests {
    use super::{TYPES, Work};

    #[test]
    fn what_names_a_resource_is_known_by_its_type() {
        assert!(TYPES.is_sorted(), "they are searched by halves");
        for text in [
            "Account/1",
            "VisionPrescription/1",
            "https://h.example.jp/fhir/Observation/1/_history/2",
            "urn:uuid:x",
        ] {
            assert!(Work::is_local(text), "{text}");
        }
        for text in [
            "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "Observation",
            "a/Observation/1",
            "Observation/",
            "mg/dL",
        ] {
            assert!(!Work::is_local(text), "{text}");
        }
    }
}
