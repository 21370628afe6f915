//! HL7 data types → FHIR data types (HL7 v2.5 §2.A; JP Core 1.2.0).
//!
//! Every function takes parts of a message and writes into an open JSON place; leaves carry the bytes
//! they came from. What does not fit is reported and kept as text.

use warifu_diag::catalogue::hl7::HL7113;
use warifu_diag::catalogue::map_general::{MAP006, MAP007, MAP010};
use warifu_fhir::{Element, Id, Object, Resource, Src};
use warifu_hl7::time::{self, Oddity, Time};
use warifu_hl7::{Part, Val};
use warifu_terms::systems::{self, SystemUri};

use crate::cx::{Cx, Sourced};

/// Which of the two triplets of a CWE / CE.
#[derive(Debug, Clone, Copy)]
pub struct Triplet<'a> {
    /// Code (component 1 or 4).
    pub code: Val<'a>,
    /// Text (component 2 or 5).
    pub text: Val<'a>,
    /// Name of the coding system (component 3 or 6), blanks trimmed.
    pub system: Val<'a>,
    /// Version (component 7 or 8).
    pub version: Val<'a>,
}

impl Triplet<'_> {
    /// Neither code nor text.
    pub fn is_empty(&self) -> bool {
        self.code.is_empty() && self.text.is_empty()
    }
}

/// The triplets of a CWE, standard coding first, empty ones left out (mapping §1).
pub fn triplets(cwe: Part<'_>) -> impl Iterator<Item = Triplet<'_>> {
    let [a, b] = both_triplets(cwe);
    let swap = !is_standard(&a) && is_standard(&b);
    let (first, second) = if swap { (b, a) } else { (a, b) };
    [first, second].into_iter().filter(|t| !t.is_empty())
}

/// Both triplets as sent, first and alternate.
pub fn both_triplets(cwe: Part<'_>) -> [Triplet<'_>; 2] {
    let mut c = [Val::default(); 9];
    for (slot, part) in c.iter_mut().zip(cwe.comps()) {
        *slot = part.text().trimmed();
    }
    let [
        code,
        text,
        system,
        code2,
        text2,
        system2,
        version,
        version2,
        _,
    ] = c;
    [
        Triplet {
            code,
            text,
            system,
            version,
        },
        Triplet {
            code: code2,
            text: text2,
            system: system2,
            version: version2,
        },
    ]
}

fn is_standard(t: &Triplet<'_>) -> bool {
    !t.code.is_empty()
        && matches!(
            systems::system_uri(t.system.text, t.code.text, t.version.text),
            SystemUri::Known(_)
        )
}

/// URI of a triplet's coding system; unknown ones are named under the institution
/// (`urn:x-ssmix2:<institution>:<system>`).
pub fn system_of<'a>(cx: &mut Cx<'a, '_>, t: &Triplet<'a>) -> &'a str {
    match systems::system_uri(t.system.text, t.code.text, t.version.text) {
        SystemUri::Known(uri) => uri,
        SystemUri::Local => local_system(cx, t.system.text),
        SystemUri::LocalAs(label) => {
            cx.report_with(&MAP006, &t.code, label);
            local_system(cx, label)
        }
    }
}

/// `urn:x-ssmix2:<institution>:<name>`; characters that a URI may not hold are percent-encoded.
pub fn local_system<'a>(cx: &Cx<'a, '_>, name: &str) -> &'a str {
    let arena = cx.message().arena();
    let mut s = bumpalo::collections::String::new_in(arena);
    s.push_str("urn:x-ssmix2:");
    s.push_str(cx.institution().unwrap_or("unknown"));
    s.push(':');
    let name = name.trim();
    if name.is_empty() {
        s.push('L');
    }
    for b in name.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+') {
            s.push(char::from(b));
        } else {
            const HEX: [char; 16] = [
                '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
            ];
            s.push('%');
            s.push(HEX.get(usize::from(b >> 4)).copied().unwrap_or('0'));
            s.push(HEX.get(usize::from(b & 15)).copied().unwrap_or('0'));
        }
    }
    s.into_bump_str()
}

/// Writes the members of a CodeableConcept: one coding a triplet, `text` the standard text, else the
/// local one (never empty if any text exists). Nothing is written for an empty field.
pub fn codeable_concept<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, cwe: Part<'a>) {
    concept_of(o, cx, cwe, |_, _, _| {});
}

/// [`codeable_concept`] with further codings written by `extra` after the sent ones.
pub fn concept_of<'a>(
    o: &mut Object<'_>,
    cx: &mut Cx<'a, '_>,
    cwe: Part<'a>,
    extra: impl FnOnce(&mut warifu_fhir::Array<'_>, &mut Cx<'a, '_>, Part<'a>),
) {
    let mut text: Option<Val<'a>> = None;
    o.array("coding", |a| {
        for t in triplets(cwe) {
            if text.is_none() {
                text = t.text.some();
            }
            coding(a, cx, &t);
        }
        extra(a, cx, cwe);
    });
    let original = cwe.comp(9).text();
    let text = text.or_else(|| original.some());
    if let Some(t) = text {
        o.string("text", t.text, t.src());
    }
}

/// Writes one coding item, unless the triplet has no code.
pub fn coding<'a>(a: &mut warifu_fhir::Array<'_>, cx: &mut Cx<'a, '_>, t: &Triplet<'a>) {
    if t.code.is_empty() {
        return;
    }
    let system = system_of(cx, t);
    a.object(|o| {
        o.string(
            "system",
            system,
            if t.system.is_empty() {
                t.code.src()
            } else {
                t.system.src()
            },
        );
        if system == systems::ICD10 || system == systems::ICD10_2013_FULL {
            o.string("version", t.version.text, t.version.src());
        }
        o.string("code", t.code.text, t.code.src());
        o.string("display", t.text.text, t.text.src());
    });
}

/// Reads a time; reports what is no time (unless empty) under the name of its target.
pub fn read_time<'a>(cx: &mut Cx<'a, '_>, v: Val<'a>, target: &'static str) -> Option<Time> {
    if v.text.trim().is_empty() {
        return None;
    }
    let t = time::parse(v.text);
    match t {
        None => cx.report_with(&HL7113, &v, target),
        Some(t) if !matches!(t.oddity, Oddity::None | Oddity::Midnight) => {
            cx.report_with(&warifu_diag::catalogue::hl7::HL7114, &v, target)
        }
        Some(_) => {}
    }
    t
}

/// FHIR `dateTime` text of a TS value (first component), in the arena.
pub fn date_time<'a>(cx: &mut Cx<'a, '_>, v: Val<'a>, target: &'static str) -> Option<&'a str> {
    let t = read_time(cx, v, target)?;
    let mut s = String::with_capacity(32);
    t.write_date_time(&mut s);
    Some(cx.text(&s))
}

/// FHIR `date` text of a TS or DT value.
pub fn date<'a>(cx: &mut Cx<'a, '_>, v: Val<'a>, target: &'static str) -> Option<&'a str> {
    let t = read_time(cx, v, target)?;
    let mut s = String::with_capacity(16);
    t.write_date(&mut s);
    Some(cx.text(&s))
}

/// FHIR `instant` text of a TS value.
pub fn instant<'a>(cx: &mut Cx<'a, '_>, v: Val<'a>, target: &'static str) -> Option<&'a str> {
    let t = read_time(cx, v, target)?;
    let mut s = String::with_capacity(32);
    t.write_instant(&mut s);
    Some(cx.text(&s))
}

/// Adds a `dateTime` element.
pub fn add_date_time<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    element: Element,
    v: Val<'a>,
) -> bool {
    let Some(s) = date_time(cx, v, element.name) else {
        return false;
    };
    r.string(element, s, v.src())
}

/// Writes `start` and `end` of a Period.
pub fn period<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, start: Val<'a>, end: Val<'a>) {
    if let Some(s) = date_time(cx, start, "Period.start") {
        o.string("start", s, start.src());
    }
    if let Some(s) = date_time(cx, end, "Period.end") {
        o.string("end", s, end.src());
    }
}

/// A unit as read: display text, and the UCUM code where it is certain.
#[derive(Debug, Clone, Copy)]
pub struct Unit<'a> {
    /// Text shown.
    pub text: Val<'a>,
    /// System URI of `code`.
    pub system: &'static str,
    /// Code, or empty.
    pub code: &'a str,
}

/// Reads a unit field (OBX-6 and others): UCUM where the translation is certain, MERIT-9 where sent,
/// text otherwise (reported).
pub fn unit<'a>(cx: &mut Cx<'a, '_>, cwe: Part<'a>) -> Unit<'a> {
    let [a, b] = both_triplets(cwe);
    let text = [a.text, a.code, b.text, b.code]
        .into_iter()
        .find(|v| !v.is_empty())
        .unwrap_or_default();
    if text.is_empty() {
        return Unit {
            text,
            system: "",
            code: "",
        };
    }
    for t in [&a, &b] {
        if systems::trim_name(t.system.text) == "MR9P" && !t.code.is_empty() {
            return Unit {
                text: if t.text.is_empty() { t.code } else { t.text },
                system: systems::MERIT9_UNIT,
                code: t.code.text,
            };
        }
    }
    if let Some(code) = warifu_terms::units::ucum(a.code.text, a.text.text)
        .or_else(|| warifu_terms::units::ucum(b.code.text, b.text.text))
    {
        return Unit {
            text,
            system: systems::UCUM,
            code,
        };
    }
    cx.report(&MAP010, &text);
    Unit {
        text,
        system: "",
        code: "",
    }
}

/// Writes the members of a Quantity. `value` must be an NM; returns `false` (and reports) otherwise.
pub fn quantity<'a>(
    o: &mut Object<'_>,
    cx: &mut Cx<'a, '_>,
    value: Val<'a>,
    unit: &Unit<'a>,
) -> bool {
    let Some(literal) = warifu_fhir::number::decimal(value.text) else {
        if !value.is_empty() {
            cx.report_with(&MAP007, &value, "Quantity.value");
        }
        return false;
    };
    o.number("value", &literal, value.src());
    quantity_unit(o, unit);
    true
}

/// Writes `unit`, `system` and `code` of a Quantity.
pub fn quantity_unit(o: &mut Object<'_>, unit: &Unit<'_>) {
    o.string("unit", unit.text.text, unit.text.src());
    if !unit.code.is_empty() {
        o.string("system", unit.system, unit.text.src());
        o.string("code", unit.code, unit.text.src());
    }
}

/// Writes the members of an Identifier.
pub fn identifier(o: &mut Object<'_>, system: &str, value: Val<'_>) {
    o.string("system", system, value.src());
    o.string("value", value.text, value.src());
}

/// The extension that tells kanji (IDE), kana (SYL) and alphabetic (ABC) names apart.
pub const EN_REPRESENTATION: &str =
    "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation";

/// A person named by an XCN: a reference to a Practitioner (emitted once) when there is an id, else
/// only a display.
pub struct Person<'a> {
    /// Logical id of the Practitioner, when XCN.1 is there.
    pub id: Option<Id>,
    /// `family given`, or empty.
    pub display: &'a str,
    /// Source bytes.
    pub src: Src,
}

/// Reads an XCN field (all repetitions name one person in several forms) and emits its Practitioner.
pub fn practitioner<'a>(cx: &mut Cx<'a, '_>, xcn: Part<'a>) -> Option<Person<'a>> {
    if !xcn.is_some() {
        return None;
    }
    let number = xcn.comp(1).value().trimmed();
    let display = xcn
        .reps()
        .map(|rep| full_name(cx, rep.comp(2).value(), rep.comp(3).value()))
        .find(|s| !s.is_empty())
        .unwrap_or("");
    let src = xcn.src();
    if number.is_empty() {
        return (!display.is_empty()).then_some(Person {
            id: None,
            display,
            src,
        });
    }
    let readable =
        bumpalo::format!(in cx.message().arena(), "practitioner.{}", number.text).into_bump_str();
    let id = cx.shared_id("Practitioner", &[number.text], readable);
    if !cx.emitted("Practitioner", id) {
        crate::kinds::practitioner::emit(cx, id, xcn);
    }
    Some(Person {
        id: Some(id),
        display,
        src,
    })
}

/// Writes a Reference to a person: `reference` and `display`, or `display` alone.
pub fn person_reference(o: &mut Object<'_>, cx: &Cx<'_, '_>, p: &Person<'_>) {
    if let Some(id) = p.id {
        o.string("reference", cx.reference_text("Practitioner", id), p.src);
    }
    o.string("display", p.display, p.src);
}

/// `family given` with one half-width space, in the arena; what is missing is left out.
pub fn full_name<'a>(cx: &Cx<'a, '_>, family: Val<'a>, given: Val<'a>) -> &'a str {
    let (f, g) = (family.text.trim(), given.text.trim());
    match (f.is_empty(), g.is_empty()) {
        (true, _) => g,
        (_, true) => f,
        _ => bumpalo::format!(in cx.message().arena(), "{} {}", f, g).into_bump_str(),
    }
}
