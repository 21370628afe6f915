//! `JP_Observation_LabResult_eCS`: the results of one laboratory report.

use warifu_order::{Map, Set};

use warifu_terms::clins::{Scheme, UNCODED, item};
use warifu_terms::systems;

use super::shared::{claims, contained_reference, finish};
use super::tree::{Node, Origin};
use super::{Shaper, Stamp, codes};

/// Canonical; without a version for the reason told in [`super::condition`].
const PROFILE: &str = "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_Observation_LabResult_eCS";
const JP_SPECIMEN: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Specimen";
const MICROBIOLOGY: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_Microbiology";

/// What the profile has a place for.
const KEPT: &[&str] = &[
    "resourceType",
    "id",
    "meta",
    "contained",
    "extension",
    "identifier",
    "status",
    "category",
    "code",
    "subject",
    "encounter",
    "effectiveDateTime",
    "issued",
    "performer",
    "valueQuantity",
    "valueCodeableConcept",
    "valueString",
    "dataAbsentReason",
    "interpretation",
    "note",
    "bodySite",
    "method",
    "specimen",
    "referenceRange",
    "component",
];

/// Specimens that each local item is run on.
pub(super) type ItemSpecimens = Map<String, Set<String>>;

/// Whether a DiagnosticReport is one of laboratory results.
pub(super) fn is_report(n: &Node) -> bool {
    n.get("code").is_some_and(|c| {
        c.items("coding").iter().any(|c| {
            c.is(&["system"], systems::DOCUMENT_CODES)
                && (c.is(&["code"], "11502-2") || c.is(&["code"], "18725-2"))
        })
    })
}

/// Whether an Observation is a laboratory result.
pub(super) fn is_laboratory(n: &Node) -> bool {
    n.items("category").iter().any(|c| {
        c.items("coding")
            .iter()
            .any(|c| c.is(&["code"], "laboratory"))
    })
}

/// Label of a coding system of the institution (`urn:x-ssmix2:<institution>:<label>`).
fn local_label(system: &str) -> Option<&str> {
    system
        .strip_prefix("urn:x-ssmix2:")?
        .split_once(':')
        .map(|(_, label)| label)
}

/// The sender's own item code.
fn local_coding(n: &Node) -> Option<&Node> {
    n.get("code")?.items("coding").iter().find(|c| {
        let system = c.str_at(&["system"]).unwrap_or_default();
        let code = c.str_at(&["code"]).unwrap_or_default();
        local_label(&system).is_some_and(|label| {
            !(label.starts_with("JC10") || label == "JC11" && code.len() == 17)
        }) && allowed(&code)
    })
}

/// Characters of local item codes.
fn allowed(code: &str) -> bool {
    !code.is_empty()
        && code
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// Text by the rules for laboratory items: full-width katakana, half-width letters, digits and signs,
/// no full-width blank, no control characters.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut kana = String::new();
    for c in text.chars() {
        if matches!(c, '\u{FF61}'..='\u{FF9F}') {
            kana.push(c);
            continue;
        }
        if !kana.is_empty() {
            out.push_str(&warifu_source::normalise_for_compare(&kana));
            kana.clear();
        }
        match c {
            '\u{3000}' => out.push(' '),
            '\u{FF01}'..='\u{FF5E}' => out.push(char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c)),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.push_str(&warifu_source::normalise_for_compare(&kana));
    out
}

fn plain_node(n: &Node) -> Node {
    match n.str() {
        Some(t) => Node::made(&plain(&t), n.origin()),
        None => n.clone(),
    }
}

impl Shaper<'_> {
    /// Results that a report names.
    pub(super) fn results(&self, report: usize) -> Vec<usize> {
        let mut seen = Set::new();
        let Some(n) = self.node(report) else {
            return Vec::new();
        };
        n.items("result")
            .iter()
            .filter_map(|r| self.resolve(&r.str_at(&["reference"])?, "Observation"))
            .filter(|i| seen.insert(*i))
            .collect()
    }

    /// Code of the specimen's kind.
    fn specimen_code(&self, n: &Node) -> Option<Node> {
        let s = self.node(self.target(n, &["specimen"], "Specimen")?)?;
        s.get("type")?
            .items("coding")
            .iter()
            .filter_map(|c| c.get("code"))
            .find(|c| c.str().is_some_and(|c| allowed(&c)))
            .cloned()
    }

    /// For each local item the specimens it is run on, as far as the patient's results show.
    pub(super) fn specimens_of_items(&self, observations: &[usize]) -> ItemSpecimens {
        let mut all = ItemSpecimens::new();
        for n in observations.iter().filter_map(|i| self.node(*i)) {
            if let (Some(code), Some(specimen)) = (
                local_coding(n).and_then(|c| c.str_at(&["code"])),
                self.specimen_code(n),
            ) {
                all.entry(code.into_owned())
                    .or_default()
                    .extend(specimen.str().map(std::borrow::Cow::into_owned));
            }
        }
        all
    }

    /// A result, or `None` with the reason said.
    pub(super) fn observation(
        &mut self,
        i: usize,
        stamp: &Stamp,
        specimens: &ItemSpecimens,
    ) -> Option<Node> {
        let mut n = self.node(i)?.clone();
        if claims(&n, MICROBIOLOGY) {
            self.about(&codes::CLN210, i, "");
            return None;
        }
        if n.is(&["status"], "entered-in-error") {
            self.about(&codes::CLN206, i, "");
            return None;
        }
        let mut gone = Vec::new();
        if let (None, Some(start)) = (
            n.get("effectiveDateTime"),
            n.at(&["effectivePeriod", "start"]).cloned(),
        ) {
            // The time of collection is when it began.
            n.set("effectiveDateTime", start);
            n.remove("effectivePeriod");
        }
        let value = [
            "valueQuantity",
            "valueCodeableConcept",
            "valueString",
            "dataAbsentReason",
            "component",
        ]
        .iter()
        .any(|k| n.get(k).is_some());
        let missing = [
            ("effectiveDateTime", n.get("effectiveDateTime").is_none()),
            ("value[x]", !value),
            ("code.text", n.at(&["code", "text"]).is_none()),
        ]
        .into_iter()
        .find(|m| m.1);
        if let Some((element, _)) = missing {
            self.about(&codes::CLN209, i, element);
            return None;
        }
        let Some(specimen) = self.specimen(&n) else {
            self.about(&codes::CLN209, i, "specimen");
            return None;
        };
        let orderer = self.orderer(&n);
        let suffix = self.specimen_code(&n);
        if !self.place(&mut n, i) {
            return None;
        }
        let old = n.remove("specimen").unwrap_or(Node::Object(Vec::new()));
        match specimen {
            Some(contained) => {
                n.push("contained", contained);
                n.set("specimen", contained_reference("specimen", &old));
            }
            None => n.set(
                "specimen",
                Node::object([("display", old.get("display").cloned())]),
            ),
        }
        if n.remove("performer").is_some() && orderer.is_none() {
            // In CLINS the performer is who ordered, which OBX-16 does not say.
            gone.push("performer".to_owned());
        }
        if let Some((contained, reference)) = orderer {
            n.set("performer", Node::Array(vec![reference]));
            if let Some(c) = contained {
                n.push("contained", c);
            }
        }
        self.item_code(&mut n, i, suffix.as_ref(), specimens, &mut gone);
        n.set(
            "category",
            Node::Array(vec![Node::coded(
                systems::OBSERVATION_CATEGORY,
                "laboratory",
                "",
            )]),
        );
        self.instance_identifier(&mut n, i, stamp);
        n.set("meta", super::shared::meta(self.updated(i, stamp), PROFILE));
        gone.extend(n.keep_only(KEPT));
        // The order is told by who ordered and by the identifier.
        gone.retain(|g| g != "basedOn");
        self.left_out(i, &gone);
        Some(finish(n))
    }

    /// The specimen to be contained; `Some(None)` when only its name is known.
    #[expect(clippy::option_option, reason = "no specimen, a named one, a full one")]
    fn specimen(&self, n: &Node) -> Option<Option<Node>> {
        let reference = n.get("specimen")?;
        let Some(s) = self
            .target(n, &["specimen"], "Specimen")
            .and_then(|s| self.node(s))
        else {
            return reference.get("display").map(|_| None);
        };
        let collected = s.get("collection").map(|c| {
            let mut c = c.clone();
            c.keep_only(&[
                "collectedDateTime",
                "collectedPeriod",
                "quantity",
                "bodySite",
            ]);
            c
        });
        let collected = collected.filter(|c| !matches!(c, Node::Object(m) if m.is_empty()));
        Some(Some(Node::object([
            ("resourceType", Some(Node::text("Specimen"))),
            ("id", Some(Node::text("specimen"))),
            (
                "meta",
                Some(Node::object([(
                    "profile",
                    Some(Node::Array(vec![Node::text(JP_SPECIMEN)])),
                )])),
            ),
            ("type", s.get("type").cloned()),
            ("collection", collected),
        ])))
    }

    /// Who ordered: the requester of the order that the result belongs to.
    fn orderer(&self, n: &Node) -> Option<(Option<Node>, Node)> {
        let order = n
            .items("basedOn")
            .iter()
            .find_map(|r| self.resolve(&r.str_at(&["reference"])?, "ServiceRequest"))?;
        self.person_of(self.node(order)?.get("requester")?, "performer")
    }

    /// `code`: the local code always, then the code of a core or infection item, else JLAC10, else
    /// "uncoded".
    fn item_code(
        &mut self,
        n: &mut Node,
        i: usize,
        specimen: Option<&Node>,
        specimens: &ItemSpecimens,
        gone: &mut Vec<String>,
    ) {
        let text = n
            .at(&["code", "text"])
            .map_or_else(|| Node::text(""), plain_node);
        let named = |c: &Node| c.get("display").map_or_else(|| text.clone(), plain_node);
        let mut codings = Vec::new();
        if let Some(c) = local_coding(n) {
            let code = c.str_at(&["code"]).unwrap_or_default().into_owned();
            let mut from = c.get("code").map_or_else(Origin::default, Node::origin);
            let mut written = code.clone();
            if let (true, Some(s)) = (specimens.get(&code).is_some_and(|s| s.len() > 1), specimen) {
                written.push('_');
                written.push_str(&s.str().unwrap_or_default());
                from = from.and(s.origin());
            }
            codings.push(Node::object([
                ("system", Some(Node::text(systems::CLINS_LABO_LOCAL))),
                ("code", Some(Node::made(&written, from))),
                ("display", Some(named(c))),
            ]));
        } else {
            self.say(
                &codes::CLN302,
                self.message(i),
                Some("Observation.code.coding:localLaboCode".to_owned()),
            );
        }
        let mut standard: Option<Node> = None;
        let mut others = 0usize;
        for c in n.get("code").map_or(&[][..], |c| c.items("coding")) {
            let (system, code) = (
                c.str_at(&["system"]).unwrap_or_default(),
                c.str_at(&["code"]).unwrap_or_default(),
            );
            let scheme = if system == systems::JLAC10 {
                Scheme::Jlac10
            } else if local_label(&system) == Some("JC11") && code.len() == 17 {
                Scheme::Jlac11
            } else {
                others += usize::from(local_label(&system).is_none_or(|l| l.starts_with("JC10")));
                continue;
            };
            if standard.is_some() {
                continue;
            }
            let from = c.get("code").map_or_else(Origin::default, Node::origin);
            let coding = |system: &str, display: Node| {
                Node::object([
                    ("system", Some(Node::text(system))),
                    ("code", Some(Node::made(&code, from.clone()))),
                    ("display", Some(display)),
                ])
            };
            standard = match item(&code) {
                Some(item) => Some(coding(
                    item.system(scheme),
                    Node::made(item.display, from.clone()),
                )),
                None if scheme == Scheme::Jlac10 => Some(coding(systems::JLAC10, named(c))),
                None => None,
            };
        }
        if others > 0 {
            gone.push("code.coding".to_owned());
        }
        codings.push(standard.unwrap_or_else(|| {
            self.about(&codes::CLN303, i, "");
            Node::coding(systems::CLINS_LABO_UNCODED, UNCODED.0, UNCODED.1)
        }));
        n.set(
            "code",
            Node::object([("coding", Some(Node::Array(codings))), ("text", Some(text))]),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_names_follow_the_text_rules() {
        assert_eq!(plain("ｱﾙﾌﾞﾐﾝ　（ＡＬＢ）\u{1}"), "アルブミン (ALB)");
        assert_eq!(plain("γ－ＧＴＰ"), "γ-GTP");
    }

    #[test]
    fn labels_of_local_systems() {
        assert_eq!(local_label("urn:x-ssmix2:1319999999:99LAB"), Some("99LAB"));
        assert_eq!(local_label(systems::JLAC10), None);
        assert!(allowed("0000181800_023-a") && !allowed("ア") && !allowed(""));
    }
}
