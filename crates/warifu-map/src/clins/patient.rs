//! `JP_Patient_eCS`: who the patient is, with the insured person's identifier.

use warifu_terms::systems;

use super::tree::{Node, Origin};
use super::{Shaper, Stamp, codes};

/// Canonical with the version the guide asks for.
const PROFILE: &str = "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_Patient_eCS|1";
/// Which representation a name is in.
const REPRESENTATION: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation";

/// The insurances of a patient at a time.
pub(super) enum Insured {
    /// The one in force that began last.
    InForce(Node),
    /// There are some, none in force.
    Ended,
    /// There is none with a complete identifier.
    None,
}

impl Shaper<'_> {
    /// The first entry of a Bundle; `None`, with the reason said, when a mandatory value is missing.
    pub(super) fn patient(&mut self, i: usize, stamp: &Stamp, kind: &str) -> Option<Node> {
        let message = self.message(i);
        let whole = format!("{kind} Bundle");
        let mut n = self.node(i)?.clone();
        if n.is(&["active"], "false") {
            self.say(&codes::CLN108, message, Some(whole));
            return None;
        }
        let member = match self.insured(i, stamp) {
            Insured::InForce(member) => member,
            Insured::Ended => {
                self.say(&codes::CLN104, message, Some(whole));
                return None;
            }
            Insured::None => {
                self.say(&codes::CLN103, message, Some(whole));
                return None;
            }
        };
        let mut gone = n.keep_only(&[
            "resourceType",
            "id",
            "meta",
            "identifier",
            "name",
            "telecom",
            "gender",
            "birthDate",
            "deceasedBoolean",
            "deceasedDateTime",
            "address",
        ]);
        gone.retain(|k| !matches!(k.as_str(), "extension" | "active"));
        self.left_out(i, &gone);
        n.retain("identifier", |d| {
            d.str_at(&["system"])
                .is_some_and(|s| s.starts_with(systems::ID_PATIENT_PREFIX))
                && d.get("value").is_some()
        });
        n.push("identifier", member);
        names(&mut n);
        address(&mut n);
        let missing = [
            ("name", "name.family, name.given"),
            ("gender", "gender"),
            ("birthDate", "birthDate"),
            ("address", "address.text"),
        ]
        .into_iter()
        .find(|(key, _)| n.get(key).is_none());
        if let Some((_, element)) = missing {
            self.say(&codes::CLN105, message, Some(element.to_owned()));
            return None;
        }
        n.set("meta", super::shared::meta(self.updated(i, stamp), PROFILE));
        n.set("extension", Node::Array(vec![self.institution()]));
        Some(super::shared::finish(n))
    }

    /// The insured person's identifier at a time (`insurer8:symbol:number:branch`).
    pub(super) fn insured(&self, patient: usize, stamp: &Stamp) -> Insured {
        let mut best: Option<(String, Node)> = None;
        let mut any = false;
        for c in self.all("Coverage") {
            let Some(n) = self.node(c) else { continue };
            if self.target(n, &["beneficiary"], "Patient") != Some(patient) {
                continue;
            }
            let member = n.items("identifier").iter().find(|d| {
                d.is(&["system"], systems::ID_INSURANCE_MEMBER)
                    && d.str_at(&["value"]).is_some_and(|v| is_member(&v))
            });
            let Some(member) = member else { continue };
            any = true;
            let start = n
                .str_at(&["period", "start"])
                .unwrap_or_default()
                .into_owned();
            let end = n
                .str_at(&["period", "end"])
                .unwrap_or_default()
                .into_owned();
            let begun = start.get(..10).unwrap_or(&start) <= stamp.date();
            let open = end.is_empty() || latest(&end).as_str() >= stamp.date();
            if begun && open && best.as_ref().is_none_or(|(s, _)| *s < start) {
                best = Some((start, member.clone()));
            }
        }
        match best {
            Some((_, member)) => Insured::InForce(member),
            None if any => Insured::Ended,
            None => Insured::None,
        }
    }
}

/// `^[0-9]{8}:[^:\s　]*:[^:\s　]*:(|[0-9][0-9])$`.
fn is_member(v: &str) -> bool {
    let parts: Vec<&str> = v.split(':').collect();
    let digits = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
    let clean = |s: &str| !s.contains(|c: char| c.is_whitespace() || c == '^');
    match parts.as_slice() {
        [insurer, symbol, number, branch] => {
            digits(insurer, 8)
                && clean(symbol)
                && clean(number)
                && (branch.is_empty() || digits(branch, 2))
        }
        _ => false,
    }
}

/// The last day a FHIR date or dateTime may mean.
pub(super) fn latest(date: &str) -> String {
    let day = date.get(..10).unwrap_or(date);
    match day.len() {
        4 => format!("{day}-12-31"),
        7 => format!("{day}-31"),
        _ => day.to_owned(),
    }
}

/// Names with family, given and text; a full-width space in `text` is an error in CLINS.
fn names(n: &mut Node) {
    n.retain("name", |d| {
        d.get("family").is_some() && !d.items("given").is_empty()
    });
    let Some(Node::Array(all)) = n.get_mut("name") else {
        return;
    };
    for d in all.iter_mut() {
        let from = [d.get("family"), d.get("given")]
            .into_iter()
            .flatten()
            .fold(Origin::default(), |o, p| o.and(p.origin()));
        match d.str_at(&["text"]).map(|t| t.replace('　', " ")) {
            Some(t) if d.is(&["text"], &t) => {}
            Some(t) => {
                let from = d.get("text").map_or_else(Origin::default, Node::origin);
                d.set("text", Node::made(&t, from));
            }
            None => {
                let mut t = d.str_at(&["family"]).unwrap_or_default().replace('　', " ");
                for g in d.items("given") {
                    t.push(' ');
                    t.push_str(&g.str().unwrap_or_default().replace('　', " "));
                }
                d.set("text", Node::made(&t, from));
            }
        }
    }
    // Kanji, kana, others.
    let rank = |d: &Node| match d
        .items("extension")
        .iter()
        .find(|e| e.is(&["url"], REPRESENTATION))
        .and_then(|e| e.str_at(&["valueCode"]))
        .as_deref()
    {
        Some("IDE") => 0,
        Some("SYL") => 1,
        _ => 2,
    };
    warifu_order::sort_by_key(all, rank);
}

/// One address with text: where the patient lives, else the first.
fn address(n: &mut Node) {
    n.retain("address", |a| {
        a.str_at(&["text"]).is_some_and(|t| !t.trim().is_empty())
    });
    if let Some(Node::Array(all)) = n.get_mut("address") {
        let home = all.iter().position(|a| a.is(&["use"], "home")).unwrap_or(0);
        all.swap(0, home);
        all.truncate(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn member_identifiers_have_four_parts() {
        for good in [
            "00012345:あいう:１８７:05",
            "39123456::1234567:",
            "01130012:1:2:",
        ] {
            assert!(is_member(good), "{good}");
        }
        for bad in [
            "0012345:あ:1:05",
            "00012345:あ:1",
            "00012345:あ 1:1:05",
            "00012345:あ:1:5",
            "00012345:あ:1:05:",
            "00012345:あ　い:1:",
        ] {
            assert!(!is_member(bad), "{bad}");
        }
    }

    #[test]
    fn dates_count_to_their_last_day() {
        assert_eq!(
            [
                latest("2020"),
                latest("2020-02"),
                latest("2020-02-03T00:00:00+09:00")
            ],
            ["2020-12-31", "2020-02-31", "2020-02-03"]
        );
    }
}
