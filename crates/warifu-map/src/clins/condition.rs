//! `JP_Condition_eCS`: diseases that are open or ended within five years.

use warifu_terms::systems;

use super::shared::{contained_reference, finish, first_code};
use super::tree::{Node, Origin};
use super::{Shaper, Stamp, codes, patient};

/// Canonical. Without a version: `validEntryProfile-Condition` of `JP_Bundle_CLINS` 1.5.3 refuses an
/// entry whose profile has one (its third term compares the whole text), as the published Bundle
/// example shows.
const PROFILE: &str = "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_Condition_eCS";
const DIAGNOSIS_TYPE: &str =
    "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_DiagnosisType";
const EX_DIAGNOSIS_TYPE: &str = "http://terminology.hl7.org/CodeSystem/ex-diagnosistype";

/// What the profile has a place for.
const KEPT: &[&str] = &[
    "resourceType",
    "id",
    "meta",
    "extension",
    "identifier",
    "clinicalStatus",
    "verificationStatus",
    "category",
    "severity",
    "code",
    "bodySite",
    "subject",
    "encounter",
    "onsetDateTime",
    "abatementDateTime",
    "recordedDate",
    "recorder",
    "asserter",
    "note",
];

impl Shaper<'_> {
    /// A disease, or `None` with the reason said.
    pub(super) fn condition(&mut self, i: usize, stamp: &Stamp) -> Option<Node> {
        let mut n = self.node(i)?.clone();
        let verification = first_code(&n, "verificationStatus");
        if verification == "entered-in-error" {
            self.about(&codes::CLN206, i, "");
            return None;
        }
        if n.at(&["meta", "security"]).is_some_and(|s| {
            s.list().iter().any(|c| {
                !c.str_at(&["code"])
                    .is_some_and(|c| matches!(c.as_ref(), "U" | "N" | "L" | "M"))
            })
        }) {
            self.about(&codes::CLN208, i, "");
            return None;
        }
        if n.str_at(&["abatementDateTime"])
            .is_some_and(|end| patient::latest(&end) < five_years_before(stamp.date()))
        {
            self.about(&codes::CLN207, i, "");
            return None;
        }
        if n.get("onsetDateTime").is_none() {
            self.about(&codes::CLN203, i, "");
            return None;
        }
        let gone = self.disease(&mut n, i)?;
        let mut others: Vec<String> = n
            .items("extension")
            .iter()
            .filter_map(|e| e.str_at(&["url"]))
            .map(|u| format!("extension:{}", u.rsplit('/').next().unwrap_or("")))
            .collect();
        n.remove("extension");
        if !self.place(&mut n, i) {
            return None;
        }
        if self.is_main(i) {
            let value = Node::coded(EX_DIAGNOSIS_TYPE, "principal", "Principal Diagnosis");
            n.push(
                "extension",
                Node::object([
                    ("url", Some(Node::text(DIAGNOSIS_TYPE))),
                    ("valueCodeableConcept", Some(value)),
                ]),
            );
        }
        // Suspected diseases are "unconfirmed" in CLINS.
        let from = n
            .get("verificationStatus")
            .map_or_else(Origin::default, Node::origin);
        let (code, display) = if verification == "provisional" || verification == "unconfirmed" {
            ("unconfirmed", "Unconfirmed")
        } else {
            ("confirmed", "Confirmed")
        };
        n.set(
            "verificationStatus",
            concept(systems::CONDITION_VERIFICATION, code, display, from),
        );
        n.set(
            "category",
            Node::Array(vec![Node::coded(
                systems::CONDITION_CATEGORY,
                "encounter-diagnosis",
                "Encounter Diagnosis",
            )]),
        );
        self.instance_identifier(&mut n, i, stamp);
        let same = n.at(&["recorder", "reference"]).and_then(Node::str)
            == n.at(&["asserter", "reference"]).and_then(Node::str);
        if n.get("recorder").is_some() && same && n.at(&["recorder", "reference"]).is_some() {
            let asserter = n.remove("asserter");
            self.contain_person(&mut n, "recorder", "recorder");
            if let (Some(a), true) = (asserter, n.is(&["recorder", "reference"], "#recorder")) {
                n.set("asserter", contained_reference("recorder", &a));
            }
        } else {
            self.contain_person(&mut n, "recorder", "recorder");
            self.contain_person(&mut n, "asserter", "asserter");
        }
        let tags: Vec<Node> = n
            .at(&["meta", "tag"])
            .map_or(&[][..], Node::list)
            .iter()
            .filter(|t| t.is(&["system"], systems::CLINS_INDICATION))
            .cloned()
            .collect();
        let mut meta = super::shared::meta(self.updated(i, stamp), PROFILE);
        if !tags.is_empty() {
            meta.set("tag", Node::Array(tags));
        }
        n.set("meta", meta);
        let mut kept = KEPT.to_vec();
        kept.push("contained");
        others.extend(n.keep_only(&kept));
        others.extend(gone);
        self.left_out(i, &others);
        Some(finish(n))
    }

    /// `code`: a management number, names for every coding, modifiers with theirs. Returns what was
    /// left out.
    fn disease(&mut self, n: &mut Node, i: usize) -> Option<Vec<String>> {
        let mut gone = Vec::new();
        let text = n.at(&["code", "text"]).cloned();
        let code = n.get_mut("code")?;
        for e in code.items("extension") {
            let coded = e.get("valueCodeableConcept").is_some_and(|v| {
                v.items("coding").iter().any(|c| {
                    is_named(c, systems::MODIFIER_KEY_NUMBER)
                        || (c.is(&["system"], systems::MODIFIER_KEY_NUMBER)
                            && v.get("text").is_some())
                })
            });
            if !coded {
                self.about(&codes::CLN202, i, "");
                return None;
            }
        }
        if let Some(Node::Array(all)) = code.get_mut("extension") {
            for e in all {
                let Some(v) = e.get_mut("valueCodeableConcept") else {
                    continue;
                };
                let name = v.get("text").cloned();
                if let Some(Node::Array(codings)) = v.get_mut("coding") {
                    name_all(codings, name.as_ref());
                }
            }
        }
        if let Some(Node::Array(codings)) = code.get_mut("coding") {
            // The entered name belongs to the management number; other codings have one of their own.
            for c in codings
                .iter_mut()
                .filter(|c| c.is(&["system"], systems::DISEASE_KEY_NUMBER))
            {
                name_all(std::slice::from_mut(c), text.as_ref());
            }
            codings.retain(|c| {
                let keep = c.get("display").is_some()
                    && c.get("system").is_some()
                    && c.get("code").is_some();
                if !keep {
                    let name = c
                        .str_at(&["system"])
                        .map(|s| s.rsplit(['/', ':']).next().unwrap_or("").to_owned());
                    gone.push(format!("code.coding:{}", name.unwrap_or_default()));
                }
                keep
            });
        }
        if !code
            .items("coding")
            .iter()
            .any(|c| is_named(c, systems::DISEASE_KEY_NUMBER))
        {
            self.about(&codes::CLN201, i, "");
            return None;
        }
        if text.is_none() {
            self.about(&codes::CLN209, i, "code.text");
            return None;
        }
        Some(gone)
    }

    /// Whether a stay names it as its first diagnosis.
    fn is_main(&self, i: usize) -> bool {
        self.all("Encounter")
            .into_iter()
            .filter_map(|e| self.node(e))
            .flat_map(|e| e.items("diagnosis"))
            .any(|d| d.is(&["rank"], "1") && self.target(d, &["condition"], "Condition") == Some(i))
    }
}

fn is_named(c: &Node, system: &str) -> bool {
    c.is(&["system"], system) && c.get("code").is_some() && c.get("display").is_some()
}

/// Gives codings without display the name that came with them.
fn name_all(codings: &mut [Node], name: Option<&Node>) {
    for c in codings {
        if let (None, Some(name)) = (c.get("display"), name) {
            c.set("display", name.clone());
        }
    }
}

/// A concept of one coding, made from other leaves.
pub(super) fn concept(system: &str, code: &str, display: &str, from: Origin) -> Node {
    let coding = Node::object([
        ("system", Some(Node::text(system))),
        ("code", Some(Node::made(code, from))),
        ("display", Some(Node::text(display))),
    ]);
    Node::object([("coding", Some(Node::Array(vec![coding])))])
}

/// The same day five years before a FHIR date.
fn five_years_before(date: &str) -> String {
    let (year, rest) = date.split_at_checked(4).unwrap_or(("0000", ""));
    let year: u32 = year.parse().unwrap_or(0);
    format!("{:04}{rest}", year.saturating_sub(5))
}
