//! `JP_AllergyIntolerance_eCS`: drug and other allergies.

use warifu_terms::systems;

use super::shared::{finish, first_code};
use super::tree::{Node, Origin};
use super::{Shaper, Stamp, codes};

/// Canonical; without a version for the reason told in [`super::condition`].
const PROFILE: &str = "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_AllergyIntolerance_eCS";

/// What the profile has a place for.
const KEPT: &[&str] = &[
    "resourceType",
    "id",
    "meta",
    "contained",
    "extension",
    "identifier",
    "clinicalStatus",
    "verificationStatus",
    "type",
    "category",
    "criticality",
    "code",
    "patient",
    "encounter",
    "onsetDateTime",
    "onsetString",
    "recordedDate",
    "recorder",
    "asserter",
    "note",
    "reaction",
];

/// J-FAGY lists; any other coding is refused by the required binding.
const JFAGY: [&str; 4] = [
    systems::JFAGY_FOOD,
    systems::JFAGY_OTHER,
    systems::JFAGY_DRUG_YJ,
    systems::JFAGY_DRUG_GENERAL,
];

impl Shaper<'_> {
    /// An allergy, or `None` with the reason said.
    pub(super) fn allergy(&mut self, i: usize, stamp: &Stamp) -> Option<Node> {
        let mut n = self.node(i)?.clone();
        if first_code(&n, "verificationStatus") == "entered-in-error" {
            self.about(&codes::CLN206, i, "");
            return None;
        }
        let mut gone = Vec::new();
        // "biologic" is not used by CLINS.
        n.retain("category", |c| {
            let keep = c.str().is_none_or(|c| c != "biologic");
            if !keep {
                gone.push("category:biologic".to_owned());
            }
            keep
        });
        let drug = n
            .items("category")
            .iter()
            .any(|c| c.str().is_some_and(|c| c == "medication"));
        let food = n
            .items("category")
            .iter()
            .any(|c| c.str().is_some_and(|c| c == "food"));
        let Some(text) = n.at(&["code", "text"]).cloned() else {
            self.about(&codes::CLN209, i, "code.text");
            return None;
        };
        let mut codings: Vec<Node> = Vec::new();
        let mut local = false;
        let mut yj: Option<Node> = None;
        for c in n.get("code").map_or(&[][..], |c| c.items("coding")) {
            let system = c.str_at(&["system"]).unwrap_or_default();
            if JFAGY.contains(&system.as_ref()) && c.get("code").is_some() {
                let mut c = c.clone();
                if c.get("display").is_none() {
                    c.set("display", text.clone());
                }
                codings.push(c);
            } else if (system == systems::YJ || system == systems::YJ_STRENGTH_INGREDIENT)
                && c.str_at(&["code"]).is_some_and(|v| v.len() == 12)
            {
                yj = Some(c.clone());
            } else {
                local = true;
            }
        }
        if let (true, Some(c)) = (codings.is_empty(), yj) {
            let code = c.str_at(&["code"]).unwrap_or_default().into_owned();
            let (prefix, system) = if code.ends_with("ZZZ") {
                ("GCM", systems::JFAGY_DRUG_GENERAL)
            } else {
                ("YCM", systems::JFAGY_DRUG_YJ)
            };
            let from = c.get("code").map_or_else(Origin::default, Node::origin);
            codings.push(Node::object([
                ("system", Some(Node::text(system))),
                ("code", Some(Node::made(&format!("{prefix}{code}"), from))),
                ("display", Some(c.get("display").unwrap_or(&text).clone())),
            ]));
        }
        if codings.is_empty() {
            let (code, system) = match (drug, food) {
                (true, _) => ("D9M000000000", systems::JFAGY_DRUG_YJ),
                (_, true) => ("D9F000000000", systems::JFAGY_FOOD),
                _ => ("D9N000000000", systems::JFAGY_OTHER),
            };
            self.about(&codes::CLN304, i, "");
            codings.push(Node::object([
                ("system", Some(Node::text(system))),
                ("code", Some(Node::text(code))),
                ("display", Some(text.clone())),
            ]));
        }
        if local {
            gone.push("code.coding".to_owned());
        }
        n.set(
            "code",
            Node::object([("coding", Some(Node::Array(codings))), ("text", Some(text))]),
        );
        if drug && n.get("criticality").is_none() {
            self.about(&codes::CLN305, i, "");
        }
        self.instance_identifier(&mut n, i, stamp);
        self.contain_person(&mut n, "recorder", "recorder");
        self.contain_person(&mut n, "asserter", "asserter");
        let extensions = [Some(self.institution()), self.department(i)];
        n.set(
            "extension",
            Node::Array(extensions.into_iter().flatten().collect()),
        );
        // An Encounter is recommended, not demanded: only a stay or visit that is known.
        if let (Some(old), Some(encounter)) = (n.remove("encounter"), self.encounter(i)) {
            n.set(
                "encounter",
                super::shared::contained_reference("encounter", &old),
            );
            n.push("contained", encounter);
        }
        n.set("meta", super::shared::meta(self.updated(i, stamp), PROFILE));
        gone.extend(n.keep_only(KEPT));
        self.left_out(i, &gone);
        Some(finish(n))
    }
}
