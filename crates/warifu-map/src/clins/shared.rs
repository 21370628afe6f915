//! What several of the informations share: meta, extensions, contained resources.

use warifu_fhir::{Row, Src};
use warifu_terms::{maps, systems};

use super::tree::{Node, Origin};
use super::visit::Visit;
use super::{Shaper, Stamp, codes};
use crate::trace::HitSpan;

/// A row of [`ROWS`].
const fn row(source: &'static str, target: &'static str, ja: &'static str) -> Row {
    Row {
        table: "MESSAGE_TO_CLINS",
        source,
        target,
        ja,
    }
}

/// What every CLINS resource takes from its message. JP-CLINS 1.5.3; SS-MIX2 仕様書.
static ROWS: [Row; 5] = [
    row(
        "MSH-7",
        "meta.lastUpdated, Bundle.timestamp",
        "メッセージ日時",
    ),
    row("ORC-17", "extension:eCS_Department", "入力組織"),
    row("PV1-10", "extension:eCS_Department", "診療科"),
    row("PV1-2", "contained:encounter.class", "患者区分"),
    row("ORC-29", "contained:encounter.class", "オーダタイプ"),
];

/// The row whose source is the field of a path (`ORC(2)-17.1` → `ORC-17`).
fn row_of(path: &str) -> Option<Row> {
    let segment = path.get(..3)?;
    let field = path.split_once('-')?.1.split(['.', '[']).next()?;
    ROWS.iter()
        .find(|r| r.source.split_once('-') == Some((segment, field)))
        .copied()
}

/// Extension 医療機関番号.
const INSTITUTION: &str =
    "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_InstitutionNumber";
/// Extension 診療科.
const DEPARTMENT: &str =
    "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_Department";
/// The invariants compare this text, so that a version would break them.
const JP_ENCOUNTER: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Encounter";
/// Profile of contained persons.
const JP_PRACTITIONER: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Practitioner";

impl<'o> Shaper<'o> {
    /// Bytes as the origin of a leaf.
    fn origin(&self, src: Src) -> Origin {
        if !self.options.trace || !src.is_some() {
            return Origin::default();
        }
        let path = self
            .out
            .paths
            .get(&src)
            .map(ToString::to_string)
            .unwrap_or_default();
        let row = row_of(&path);
        Origin {
            row,
            spans: vec![HitSpan {
                message: src.message,
                start: src.start,
                end: src.end,
                path,
            }],
        }
    }
    /// What the message of a number says.
    fn visit_of(&self, said: u64) -> Option<&'o Visit> {
        self.out.visits.iter().find(|v| v.said == said)
    }
    /// Bytes of MSH-7.
    pub(super) fn sent_origin(&self, said: u64) -> Origin {
        self.visit_of(said)
            .map_or_else(Origin::default, |v| self.origin(v.sent))
    }
    /// The institution's number, mandatory on every entry.
    pub(super) fn institution(&self) -> Node {
        let value = Node::object([
            ("system", Some(Node::text(systems::ID_INSTITUTION))),
            (
                "value",
                Some(Node::text(
                    self.options.institution.as_deref().unwrap_or(""),
                )),
            ),
        ]);
        Node::object([
            ("url", Some(Node::text(INSTITUTION))),
            ("valueIdentifier", Some(value)),
        ])
    }
    /// The department: what the message says, else the one that the stay or visit belongs to.
    pub(super) fn department(&self, i: usize) -> Option<Node> {
        let said = self
            .visit_of(self.told_by(i))
            .and_then(|v| v.department.as_ref());
        let concept = if let Some(d) = said {
            let from = || self.origin(d.src);
            let name = (!d.name.is_empty()).then(|| Node::made(&d.name, from()));
            let coding = Node::object([
                ("system", Some(Node::text(&d.system))),
                ("code", Some(Node::made(&d.code, from()))),
                ("display", name.clone()),
            ]);
            Node::object([("coding", Some(Node::Array(vec![coding]))), ("text", name)])
        } else {
            let stay = self.target(self.node(i)?, &["encounter"], "Encounter")?;
            self.node(stay)?.get("serviceType")?.clone()
        };
        Some(Node::object([
            ("url", Some(Node::text(DEPARTMENT))),
            ("valueCodeableConcept", Some(concept)),
        ]))
    }
    /// The stay or visit to be contained: the Encounter that the resource refers to, else the class
    /// that the message names.
    pub(super) fn encounter(&self, i: usize) -> Option<Node> {
        let head = |status: Node, class: Node| {
            Node::object([
                ("resourceType", Some(Node::text("Encounter"))),
                ("id", Some(Node::text("encounter"))),
                (
                    "meta",
                    Some(Node::object([(
                        "profile",
                        Some(Node::Array(vec![Node::text(JP_ENCOUNTER)])),
                    )])),
                ),
                ("status", Some(status)),
                ("class", Some(class)),
            ])
        };
        if let Some(stay) = self
            .target(self.node(i)?, &["encounter"], "Encounter")
            .and_then(|s| self.node(s))
        {
            let mut n = head(stay.get("status")?.clone(), stay.get("class")?.clone());
            for key in ["identifier", "period"] {
                if let Some(v) = stay.get(key) {
                    n.set(key, v.clone());
                }
            }
            return Some(n);
        }
        let (code, src) = self.visit_of(self.told_by(i))?.class.as_ref()?;
        let class = maps::ENCOUNTER_CLASS.find(code)?;
        let from = self.origin(*src);
        // An outpatient visit that has results or entries took place; how far a stay is, is not known.
        let status = if class.code == "IMP" {
            "unknown"
        } else {
            "finished"
        };
        let class = Node::object([
            ("system", Some(Node::text(systems::V3_ACT_CODE))),
            ("code", Some(Node::made(class.code, from.clone()))),
            ("display", Some(Node::text(class.display))),
        ]);
        Some(head(Node::made(status, from), class))
    }
    /// The person that a reference names, to be contained under an id, and the reference to it. A
    /// reference with a name only stays as it is; one that leads nowhere is `None`.
    pub(super) fn person_of(&self, reference: &Node, id: &str) -> Option<(Option<Node>, Node)> {
        let direct = || {
            let text = reference.str_at(&["reference"])?;
            if let Some(p) = self.resolve(&text, "Practitioner") {
                return Some(p);
            }
            let role = self.node(self.resolve(&text, "PractitionerRole")?)?;
            self.target(role, &["practitioner"], "Practitioner")
        };
        let Some(person) = direct().and_then(|p| self.node(p)) else {
            let display = reference.get("display")?;
            return Some((None, Node::object([("display", Some(display.clone()))])));
        };
        let contained = Node::object([
            ("resourceType", Some(Node::text("Practitioner"))),
            ("id", Some(Node::text(id))),
            (
                "meta",
                Some(Node::object([(
                    "profile",
                    Some(Node::Array(vec![Node::text(JP_PRACTITIONER)])),
                )])),
            ),
            ("identifier", person.get("identifier").cloned()),
            ("name", person.get("name").cloned()),
        ]);
        Some((Some(contained), contained_reference(id, reference)))
    }
    /// Replaces a member that names persons (`recorder`, `performer` …) by a contained one.
    pub(super) fn contain_person(&self, n: &mut Node, key: &str, id: &str) {
        let Some(reference) = n.remove(key) else {
            return;
        };
        if let Some((contained, reference)) = self.person_of(&reference, id) {
            n.set(key, reference);
            if let Some(c) = contained {
                n.push("contained", c);
            }
        }
    }
    /// Exactly one instance identifier, as JP-CLINS lays it out: `institution^year^id`, where the id is one
    /// among all of the institution's, of whatever type: the logical id. The sender's own number stands
    /// beside it under the institution's system.
    pub(super) fn instance_identifier(&self, n: &mut Node, i: usize, stamp: &Stamp) {
        let institution = self.options.institution.as_deref().unwrap_or("");
        let id = self.id(i);
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let made = (id.len() > 36 || !id.bytes().all(fits))
            .then(|| self.key.id(institution, &["instance", id]));
        let id = made.as_ref().map_or(id, |id| id.as_str());
        let value = format!("{institution}^{}^{id}", stamp.year());
        let identifier = |system: &str, value| {
            Node::object([("system", Some(Node::text(system))), ("value", Some(value))])
        };
        let mut all = vec![identifier(
            systems::ID_RESOURCE_INSTANCE,
            Node::text(&value),
        )];
        for d in n.items("identifier") {
            match d.get("value") {
                Some(own) if d.is(&["system"], systems::ID_RESOURCE_INSTANCE) => {
                    let system = format!("urn:x-ssmix2:{institution}:instance");
                    all.push(identifier(&system, own.clone()));
                }
                _ => all.push(d.clone()),
            }
        }
        n.set("identifier", Node::Array(all));
    }
    /// Puts department and visit into a resource that must have both; says which is missing.
    pub(super) fn place(&mut self, n: &mut Node, i: usize) -> bool {
        let Some(department) = self.department(i) else {
            self.about(&codes::CLN204, i, "");
            return false;
        };
        let Some(encounter) = self.encounter(i) else {
            self.about(&codes::CLN205, i, "");
            return false;
        };
        let from = n.get("encounter").cloned();
        n.set(
            "extension",
            Node::Array(vec![self.institution(), department]),
        );
        n.push("contained", encounter);
        n.set(
            "encounter",
            contained_reference("encounter", &from.unwrap_or(Node::Object(Vec::new()))),
        );
        true
    }
}

/// `{"reference":"#id"}` with the sources of the reference it replaces.
pub(super) fn contained_reference(id: &str, instead_of: &Node) -> Node {
    Node::object([(
        "reference",
        Some(Node::made(&format!("#{id}"), instead_of.origin())),
    )])
}

/// `meta` with the mandatory members.
pub(super) fn meta(updated: Node, profile: &str) -> Node {
    Node::object([
        ("lastUpdated", Some(updated)),
        ("profile", Some(Node::Array(vec![Node::text(profile)]))),
    ])
}

/// Code of the first coding of a concept.
pub(super) fn first_code(n: &Node, concept: &str) -> String {
    n.get(concept)
        .and_then(|c| c.items("coding").first())
        .and_then(|c| c.str_at(&["code"]))
        .unwrap_or_default()
        .into_owned()
}

/// Whether a resource claims a profile.
pub(super) fn claims(n: &Node, profile: &str) -> bool {
    n.at(&["meta", "profile"]).is_some_and(|p| {
        p.list()
            .iter()
            .any(|p| p.str().is_some_and(|p| p == profile))
    })
}

/// Members in the order in which readers expect them.
pub(super) fn finish(mut n: Node) -> Node {
    n.lead(&[
        "resourceType",
        "id",
        "meta",
        "contained",
        "extension",
        "identifier",
    ]);
    n
}
