//! `JP_MedicationRequest_eCS`: prescriptions, one a line, since the Bundle's invariants refuse them.

use warifu_order::Set;

use warifu_terms::clins::UNCODED_USAGE;
use warifu_terms::systems;

use super::patient::Insured;
use super::shared::{contained_reference, finish};
use super::tree::{Node, Origin};
use super::{Part, Shaper, Stamp, codes};

/// Canonical with the version the guide asks for.
const PROFILE: &str = "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_MedicationRequest_eCS|1";
const PERIOD_OF_USE: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationDosage_PeriodOfUse";
const USAGE_DURATION: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationDosage_UsageDuration";
const NOCODED: (&str, &str) = ("NOCODED", "標準コードなし");

/// What the profile has a place for.
const KEPT: &[&str] = &[
    "resourceType",
    "id",
    "meta",
    "contained",
    "extension",
    "identifier",
    "status",
    "statusReason",
    "intent",
    "category",
    "priority",
    "medicationCodeableConcept",
    "subject",
    "encounter",
    "authoredOn",
    "requester",
    "recorder",
    "reasonCode",
    "groupIdentifier",
    "courseOfTherapyType",
    "note",
    "dosageInstruction",
    "dispenseRequest",
    "substitution",
];

impl Shaper<'_> {
    /// The part of all prescriptions of a patient, if there is one.
    pub(super) fn prescriptions(
        &mut self,
        patient: usize,
        candidates: &[usize],
        made: &mut Vec<Part>,
    ) {
        let mut part = Part {
            patient: self.id(patient).to_owned(),
            name: "MedicationRequest.ndjson".to_owned(),
            bytes: Vec::new(),
            counts: warifu_order::Map::new(),
            hits: Vec::new(),
        };
        for i in candidates {
            let messages = Set::from([self.told_by(*i), self.told_by(patient)]);
            let Some(stamp) = self.stamp(&messages) else {
                self.say(
                    &codes::CLN106,
                    self.message(*i),
                    Some("MedicationRequest".to_owned()),
                );
                continue;
            };
            if let Some(n) = self.prescription(*i, patient, &stamp) {
                part.line(&n, self.options.trace);
                part.bytes.push(b'\n');
                *part.counts.entry("MedicationRequest").or_insert(0) += 1;
            }
        }
        if !part.bytes.is_empty() {
            made.push(part);
        }
    }

    fn prescription(&mut self, i: usize, patient: usize, stamp: &Stamp) -> Option<Node> {
        let mut n = self.node(i)?.clone();
        if n.get("medicationReference").is_some() {
            self.about(&codes::CLN211, i, "");
            return None;
        }
        match n.str_at(&["status"]).as_deref() {
            Some("active" | "completed") => {}
            Some("entered-in-error") => {
                self.about(&codes::CLN206, i, "");
                return None;
            }
            _ => {
                self.about(&codes::CLN213, i, "");
                return None;
            }
        }
        // The insurance at the time of the prescription, not of the sending.
        let at = Stamp {
            text: n.str_at(&["authoredOn"]).unwrap_or_default().into_owned(),
            ..stamp.clone()
        };
        let Insured::InForce(member) =
            self.insured(patient, if at.text.len() >= 10 { &at } else { stamp })
        else {
            self.about(&codes::CLN214, i, "");
            return None;
        };
        let from = n.get("subject").map_or_else(Origin::default, Node::origin);
        n.set(
            "subject",
            Node::object([
                ("type", Some(Node::made("Patient", from))),
                ("identifier", Some(member)),
            ]),
        );
        let mut gone = Vec::new();
        let missing = [
            ("authoredOn", n.get("authoredOn").is_none()),
            ("identifier:rpNumber", count(&n, systems::ID_RP_NUMBER) != 1),
            (
                "identifier:orderInRp",
                count(&n, systems::ID_ORDER_IN_RP) != 1,
            ),
            (
                "medication.text",
                n.at(&["medicationCodeableConcept", "text"]).is_none(),
            ),
            ("dosageInstruction", n.items("dosageInstruction").is_empty()),
        ];
        if let Some((element, _)) = missing.into_iter().find(|m| m.1) {
            self.about(&codes::CLN209, i, element);
            return None;
        }
        if let Err(element) = self.dosages(&mut n, i, &mut gone) {
            self.about(&codes::CLN209, i, element);
            return None;
        }
        let Some(department) = self.department(i) else {
            self.about(&codes::CLN204, i, "");
            return None;
        };
        let status = n.get("status").map_or_else(Origin::default, Node::origin);
        n.set("status", Node::made("completed", status));
        self.drug(&mut n, i, &mut gone);
        n.set(
            "extension",
            Node::Array(vec![self.institution(), department]),
        );
        if let Some(old) = n.get("encounter").cloned() {
            match self.encounter(i) {
                Some(e) => {
                    n.push("contained", e);
                    n.set("encounter", contained_reference("encounter", &old));
                }
                None => {
                    n.remove("encounter");
                }
            }
        } else if let Some(e) = self.encounter(i) {
            n.push("contained", e);
            n.set(
                "encounter",
                contained_reference("encounter", &Node::Object(Vec::new())),
            );
        }
        self.contain_person(&mut n, "requester", "requester");
        self.recorder(&mut n, &mut gone);
        self.instance_identifier(&mut n, i, stamp);
        notes(&mut n);
        dispense(&mut n, &mut gone);
        if n.at(&["substitution", "allowedCodeableConcept"]).is_none()
            && n.remove("substitution").is_some()
        {
            gone.push("substitution".to_owned());
        }
        n.set("meta", super::shared::meta(self.updated(i, stamp), PROFILE));
        gone.extend(n.keep_only(KEPT));
        self.left_out(i, &gone);
        Some(finish(n))
    }

    /// `recorder`: the profile has one contained practitioner. It is the requester; another recorder is
    /// named by text.
    fn recorder(&self, n: &mut Node, gone: &mut Vec<String>) {
        let number = |c: &Node| {
            let first = c.items("identifier").first();
            first.and_then(|d| d.str_at(&["value"]).map(std::borrow::Cow::into_owned))
        };
        let mut held = n.items("contained").iter();
        let held = held.find(|c| c.is(&["resourceType"], "Practitioner"));
        let Some((true, requester)) = held.map(|c| (c.is(&["id"], "requester"), number(c))) else {
            self.contain_person(n, "recorder", "recorder");
            return;
        };
        let Some(reference) = n.remove("recorder") else {
            return;
        };
        let Some((contained, named)) = self.person_of(&reference, "requester") else {
            return;
        };
        let Some(person) = contained else {
            n.set("recorder", named);
            return;
        };
        if requester.is_some() && number(&person) == requester {
            n.set("recorder", named);
            return;
        }
        gone.push("recorder.reference".to_owned());
        if let Some(display) = reference.get("display") {
            n.set(
                "recorder",
                Node::object([("display", Some(display.clone()))]),
            );
        }
    }

    /// `medicationCodeableConcept`: a YJ or a general-name code, else `NOCODED`; others beside it.
    fn drug(&mut self, n: &mut Node, i: usize, gone: &mut Vec<String>) {
        let text = n.at(&["medicationCodeableConcept", "text"]).cloned();
        let Some(concept) = n.get_mut("medicationCodeableConcept") else {
            return;
        };
        let mut codings: Vec<Node> = concept.items("coding").to_vec();
        for c in &mut codings {
            if let (None, Some(t)) = (c.get("display"), &text) {
                c.set("display", t.clone());
            }
        }
        let shape = |c: &Node| match c.str_at(&["system"]).as_deref() {
            // The binding is to codes of 12 characters.
            Some(systems::YJ) => c.str_at(&["code"]).is_some_and(|v| v.len() == 12),
            _ => c.get("code").is_some(),
        };
        codings.retain(shape);
        let standard = [systems::YJ, systems::GENERAL_NAME_DRUG]
            .into_iter()
            .find(|s| codings.iter().any(|c| c.is(&["system"], s)));
        let mut taken = false;
        codings.retain(|c| {
            let is_standard =
                c.is(&["system"], systems::YJ) || c.is(&["system"], systems::GENERAL_NAME_DRUG);
            let keep = !is_standard || (!taken && standard.is_some_and(|s| c.is(&["system"], s)));
            taken |= is_standard && keep;
            if !keep {
                gone.push("medicationCodeableConcept.coding".to_owned());
            }
            keep
        });
        if standard.is_none() {
            codings.insert(
                0,
                Node::coding(systems::ECS_DRUG_NOCODED, NOCODED.0, NOCODED.1),
            );
        }
        concept.set("coding", Node::Array(codings));
        if standard.is_none() {
            self.about(&codes::CLN306, i, "");
        }
    }

    /// `dosageInstruction`: start of use, text, and a usage code of the e-prescription or the dummy.
    fn dosages(
        &mut self,
        n: &mut Node,
        i: usize,
        gone: &mut Vec<String>,
    ) -> Result<(), &'static str> {
        let mut dummy = false;
        if let Some(Node::Array(all)) = n.get_mut("dosageInstruction") {
            for d in all {
                dosage(d, &mut dummy, gone)?;
            }
        }
        if dummy {
            self.say(
                &codes::CLN307,
                self.message(i),
                Some("MedicationRequest.dosageInstruction.timing.code".to_owned()),
            );
        }
        Ok(())
    }
}

fn count(n: &Node, system: &str) -> usize {
    n.items("identifier")
        .iter()
        .filter(|d| d.is(&["system"], system) && d.get("value").is_some())
        .count()
}

fn dosage(d: &mut Node, dummy: &mut bool, gone: &mut Vec<String>) -> Result<(), &'static str> {
    d.retain("extension", |e| {
        let keep = e.is(&["url"], PERIOD_OF_USE) || e.is(&["url"], USAGE_DURATION);
        if !keep {
            gone.push(format!(
                "dosageInstruction.extension:{}",
                e.str_at(&["url"])
                    .unwrap_or_default()
                    .rsplit('/')
                    .next()
                    .unwrap_or("")
            ));
        }
        keep
    });
    let starts = d
        .items("extension")
        .iter()
        .filter(|e| e.is(&["url"], PERIOD_OF_USE) && e.at(&["valuePeriod", "start"]).is_some())
        .count();
    if starts != 1 {
        return Err("dosageInstruction.extension:periodOfUse");
    }
    let Some(text) = d.get("text").cloned() else {
        return Err("dosageInstruction.text");
    };
    usage(d, &text, dummy, gone);
    additional(d);
    amounts(d, gone);
    Ok(())
}

/// `timing.code`.
fn usage(d: &mut Node, text: &Node, dummy: &mut bool, gone: &mut Vec<String>) {
    let mut code = d
        .at(&["timing", "code"])
        .cloned()
        .unwrap_or(Node::Object(Vec::new()));
    let name = code
        .get("text")
        .cloned()
        .or_else(|| {
            code.items("coding")
                .iter()
                .find_map(|c| c.get("display").cloned())
        })
        .unwrap_or_else(|| text.clone());
    code.retain("coding", |c| {
        let jami = c.is(&["system"], systems::JAMI_USAGE);
        let whole = c.get("code").is_some()
            && c.get("system").is_some()
            && (!jami || c.get("display").is_some());
        if !whole {
            gone.push("dosageInstruction.timing.code.coding".to_owned());
        }
        whole
    });
    if !code
        .items("coding")
        .iter()
        .any(|c| c.is(&["system"], systems::USAGE_E_PRESCRIPTION))
    {
        *dummy = true;
        code.push(
            "coding",
            Node::coding(
                systems::CLINS_USAGE_UNCODED,
                UNCODED_USAGE.0,
                UNCODED_USAGE.1,
            ),
        );
    }
    code.set("text", name);
    match d.get_mut("timing") {
        Some(t) => t.set("code", code),
        None => d.set("timing", Node::object([("code", Some(code))])),
    }
}

/// `additionalInstruction` needs a code and a text; what is text only becomes `patientInstruction`.
fn additional(d: &mut Node) {
    let mut kept = Vec::new();
    let mut texts: Vec<Node> = d.remove("patientInstruction").into_iter().collect();
    let Some(Node::Array(all)) = d.remove("additionalInstruction") else {
        if let Some(t) = texts.pop() {
            d.set("patientInstruction", t);
        }
        return;
    };
    for mut a in all {
        let coded = a
            .items("coding")
            .iter()
            .any(|c| c.get("system").is_some() && c.get("code").is_some());
        let name = a.get("text").cloned().or_else(|| {
            a.items("coding")
                .iter()
                .find_map(|c| c.get("display").cloned())
        });
        match (coded, name) {
            (true, Some(name)) => {
                a.retain("coding", |c| {
                    c.get("system").is_some() && c.get("code").is_some()
                });
                a.set("text", name);
                kept.push(a);
            }
            (true, None) => texts.extend(
                a.items("coding")
                    .iter()
                    .find_map(|c| c.get("code").cloned()),
            ),
            (false, Some(name)) => texts.push(name),
            (false, None) => {}
        }
    }
    if !kept.is_empty() {
        d.set("additionalInstruction", Node::Array(kept));
    }
    if let Some(t) = joined(&texts) {
        d.set("patientInstruction", t);
    }
}

/// Texts one a line, with all their sources.
fn joined(texts: &[Node]) -> Option<Node> {
    let whole: Vec<String> = texts
        .iter()
        .filter_map(|t| t.str().map(std::borrow::Cow::into_owned))
        .collect();
    let from = texts
        .iter()
        .fold(Origin::default(), |o, t| o.and(t.origin()));
    (!whole.is_empty()).then(|| Node::made(&whole.join("\n"), from))
}

fn is_quantity(q: Option<&Node>) -> bool {
    q.is_some_and(|q| {
        ["value", "unit", "system", "code"]
            .iter()
            .all(|k| q.get(k).is_some())
            && q.get("comparator").is_none()
    })
}

/// Units that count pieces of the product, so that the amount can only be one of product (製剤量). A
/// mass or volume may be one of substance (原薬量): SS-MIX2 does not say which.
const PIECES: &[&str] = &[
    "AMP", "BAG", "BLST", "BTL", "CAP", "HON", "KIT", "KO", "PCK", "PILL", "SHET", "SHT", "SYRG",
    "TAB",
];

/// The type of an amount in pieces, told by its unit.
fn piece_type(a: &Node) -> Option<Node> {
    let units = [&["doseQuantity"][..], &["rateRatio", "numerator"]];
    let mut from = Origin::default();
    let mut found = false;
    for path in units {
        let Some(q) = a.at(path) else { continue };
        let piece = q.is(&["system"], systems::MERIT9_UNIT)
            && q.str_at(&["code"])
                .is_some_and(|c| PIECES.contains(&c.as_ref()));
        if !piece {
            return None;
        }
        found = true;
        from = from.and(q.get("code").map_or_else(Origin::default, Node::origin));
    }
    found.then(|| super::condition::concept(systems::STRENGTH_TYPE, "1", "製剤量", from))
}

/// `doseAndRate`: amounts with a coded unit and a type; the text tells the others.
fn amounts(d: &mut Node, gone: &mut Vec<String>) {
    if let Some(Node::Array(all)) = d.get_mut("doseAndRate") {
        for a in all.iter_mut() {
            if a.get("doseQuantity").is_some() && !is_quantity(a.get("doseQuantity")) {
                a.remove("doseQuantity");
                gone.push("dosageInstruction.doseAndRate.doseQuantity".to_owned());
            }
            let per_day = a.get("rateRatio").is_none_or(|r| {
                is_quantity(r.get("numerator"))
                    && r.is(&["denominator", "value"], "1")
                    && r.is(&["denominator", "code"], "d")
            });
            if !per_day {
                a.remove("rateRatio");
                gone.push("dosageInstruction.doseAndRate.rateRatio".to_owned());
            }
            if let (None, Some(t)) = (a.get("type"), piece_type(a)) {
                a.set("type", t);
            }
        }
    }
    d.retain("doseAndRate", |a| {
        let typed = a.get("type").is_some_and(|t| {
            !t.items("coding").is_empty()
                && t.items("coding").iter().all(|c| c.get("display").is_some())
        });
        let amount = ["doseQuantity", "rateRatio", "rateRange", "rateQuantity"]
            .iter()
            .any(|k| a.get(k).is_some());
        if !typed && amount {
            gone.push("dosageInstruction.doseAndRate".to_owned());
        }
        typed && amount
    });
}

/// One note at most.
fn notes(n: &mut Node) {
    let texts: Vec<Node> = n
        .items("note")
        .iter()
        .filter_map(|t| t.get("text").cloned())
        .collect();
    if let (true, Some(t)) = (texts.len() > 1, joined(&texts)) {
        n.set("note", Node::Array(vec![Node::object([("text", Some(t))])]));
    }
}

/// `dispenseRequest` without what refers elsewhere or lacks a code.
fn dispense(n: &mut Node, gone: &mut Vec<String>) {
    let Some(r) = n.get_mut("dispenseRequest") else {
        return;
    };
    if r.remove("performer").is_some() {
        gone.push("dispenseRequest.performer".to_owned());
    }
    if r.get("quantity").is_some() && !is_quantity(r.get("quantity")) {
        r.remove("quantity");
        gone.push("dispenseRequest.quantity".to_owned());
    }
    let empty = matches!(r, Node::Object(m) if m.is_empty());
    if empty {
        n.remove("dispenseRequest");
    }
}
