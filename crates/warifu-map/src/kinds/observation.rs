//! OBX → Observation: code, value with unit, reference range, interpretation, status.
//!
//! Shared by laboratory results, vital signs, the OBX of ADT-00 and physiology results. Mapping §7;
//! SS-MIX2 deviations of result values in [`reading`].

mod reading;

use std::borrow::Cow;

use warifu_diag::catalogue::map_general::{MAP005, MAP007, MAP008, MAP009};
use warifu_diag::catalogue::map_lab::{
    MAP201, MAP202, MAP203, MAP204, MAP205, MAP206, MAP207, MAP214, MAP215, MAP218,
};
use warifu_diag::catalogue::map_other::MAP409;
use warifu_fhir::element::observation as el;
use warifu_fhir::{Array, Object, Resource, Src};
use warifu_hl7::{Part, Segment, Val};
use warifu_terms::maps::{self, INTERPRETATION, OBSERVATION_STATUS};
use warifu_terms::systems::{self, SystemUri};

use crate::cx::{Cx, Sourced};
use crate::datatypes::{self, Triplet, Unit};

pub(crate) use reading::fold;
use reading::{Class, Comparator, Reading};

/// Members of an element that R4 demands and nobody told.
pub(crate) const UNKNOWN: &str = r#""extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]"#;

/// Canonical of JP_Observation_Common.
pub(crate) const JP_OBSERVATION_COMMON: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_Common";

/// What stands for `Observation.value[x]` of FHIR R5 in R4 (hl7.org/fhir/versions.html#extensions).
const VALUE_OF_R5: &str = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.value";
/// Standard extension that keeps the text a value was read from.
const ORIGINAL_TEXT: &str = "http://hl7.org/fhir/StructureDefinition/originalText";

/// What a profile allows in `value[x]` beside Quantity, CodeableConcept and string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allows {
    /// Nothing (JP_Observation_LabResult, JP_Observation_Microbiology): times become strings.
    Basic,
    /// `dateTime` as well (JP_Observation_Common).
    DateTime,
}

// --- code ---------------------------------------------------------------------------------------

/// OBX-3 (or another CWE) read once: its codings, standard ones first, and its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'a> {
    codings: [Option<Coding<'a>>; 2],
    /// The text: that of the standard code, else of the local one, else component 9.
    pub(crate) text: Val<'a>,
}

#[derive(Debug, Clone, Copy)]
struct Coding<'a> {
    system: &'a str,
    triplet: Triplet<'a>,
    standard: bool,
}

impl<'a> Item<'a> {
    /// Reads a CWE. `janis` is the code system that the name `JANIS` stands for here.
    pub(crate) fn read(cx: &mut Cx<'a, '_>, cwe: Part<'a>, janis: &'static str) -> Self {
        Self::read_as(cx, cwe, janis, false)
    }
    /// Reads what is ordered (OBR-4; OBX-3 of an order), where JLAC10 without the result id is normal.
    pub(crate) fn ordered(cx: &mut Cx<'a, '_>, cwe: Part<'a>) -> Self {
        Self::read_as(cx, cwe, systems::JANIS_ORGANISM, true)
    }
    fn read_as(cx: &mut Cx<'a, '_>, cwe: Part<'a>, janis: &'static str, ordered: bool) -> Self {
        let [a, b] = datatypes::both_triplets(cwe).map(|t| Self::coding(cx, t, janis, ordered));
        let codings = if b.is_some_and(|c| c.standard) && !a.is_some_and(|c| c.standard) {
            [b, a]
        } else {
            [a, b]
        };
        let text = codings.iter().flatten().find_map(|c| c.triplet.text.some());
        let text = text.unwrap_or_else(|| cwe.comp(9).text().trimmed());
        Self { codings, text }
    }
    fn coding(
        cx: &mut Cx<'a, '_>,
        triplet: Triplet<'a>,
        janis: &'static str,
        ordered: bool,
    ) -> Option<Coding<'a>> {
        if triplet.is_empty() {
            return None;
        }
        if triplet.code.is_empty() {
            return Some(Coding {
                system: "",
                triplet,
                standard: false,
            });
        }
        let name = triplet.system.text;
        let sent = systems::system_uri(name, triplet.code.text, triplet.version.text);
        let (system, standard) = match sent {
            SystemUri::Local if name == "JANIS" => (janis, true),
            SystemUri::Known(uri) => (uri, true),
            SystemUri::LocalAs(label)
                if ordered && warifu_terms::jlac::is_jlac10_order(triplet.code.text) =>
            {
                (datatypes::local_system(cx, label), true)
            }
            _ => (datatypes::system_of(cx, &triplet), false),
        };
        Some(Coding {
            system,
            triplet,
            standard,
        })
    }
    /// Whether there is neither code nor text.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty() && !self.is_coded()
    }
    /// Whether there is a code.
    pub(crate) fn is_coded(&self) -> bool {
        self.codings
            .iter()
            .flatten()
            .any(|c| !c.triplet.code.is_empty())
    }
    /// Whether there is a code of a published system.
    pub(crate) fn is_standard(&self) -> bool {
        self.codings.iter().flatten().any(|c| c.standard)
    }
    /// The code that identifies the item: the standard one, else the local one, else the text.
    pub(crate) fn key(&self) -> Val<'a> {
        self.codings
            .iter()
            .flatten()
            .find_map(|c| c.triplet.code.some())
            .unwrap_or(self.text)
    }
    /// The code beside [`Item::key`], or empty: results of one standard code differ in it.
    pub(crate) fn second(&self) -> Val<'a> {
        self.codings
            .iter()
            .flatten()
            .filter_map(|c| c.triplet.code.some())
            .nth(1)
            .unwrap_or_default()
    }
    /// The JLAC10 code (17 or 15 characters, as sent), or nothing.
    pub(crate) fn jlac10(&self) -> Option<&'a str> {
        self.codings
            .iter()
            .flatten()
            .find(|c| c.triplet.system.text.eq_ignore_ascii_case("JC10"))
            .map(|c| c.triplet.code.text)
    }
    /// Writes the codings as items of `coding`.
    pub(crate) fn codings(&self, a: &mut Array<'_>) {
        for c in self.codings.iter().flatten() {
            let t = &c.triplet;
            if t.code.is_empty() {
                continue;
            }
            a.object(|o| {
                o.string(
                    "system",
                    c.system,
                    if t.system.is_empty() {
                        t.code.src()
                    } else {
                        t.system.src()
                    },
                );
                o.string("code", t.code.text, t.code.src());
                o.string("display", t.text.text, t.text.src());
            });
        }
    }
    /// Writes the members of a CodeableConcept, `further` codings `(system, code, display)` last.
    pub(crate) fn concept(
        &self,
        o: &mut Object<'_>,
        further: Option<(&'static str, &'static str, &'static str)>,
    ) {
        o.array("coding", |a| {
            self.codings(a);
            if let Some((system, code, display)) = further {
                let src = self.key().src();
                a.object(|o| {
                    o.string("system", system, src);
                    o.string("code", code, src);
                    o.string("display", display, src);
                });
            }
        });
        o.string("text", self.text.text, self.text.src());
    }
}

/// `Observation.code` from OBX-3; a JLAC10-less item is reported. `further`: see [`Item::concept`].
pub(crate) fn code<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    item: &Item<'a>,
    further: Option<(&'static str, &'static str, &'static str)>,
) {
    if !item.is_standard() && item.is_coded() {
        cx.report_with(&MAP005, &item.key(), "OBX-3");
    }
    r.object(el::CODE, |o| item.concept(o, further));
}

// --- value --------------------------------------------------------------------------------------

/// What OBX-2, OBX-5 and OBX-6 give.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    /// Nothing sent, or nothing that can be sent on.
    None,
    /// A number.
    Quantity(Quantity<'a>),
    /// A coded value.
    Concept(Item<'a>),
    /// A qualitative text; the coding is added where its class is certain.
    Class(Val<'a>, Class),
    /// A text.
    Text(Val<'a>),
    /// A text with digits, which has a unit: as sent, the unit, and both together.
    Measured(Val<'a>, Val<'a>, &'a str),
    /// A `dateTime`.
    DateTime(&'a str, Src),
    /// Data in base64 with their MIME type, for which R4 has an extension only.
    Attachment(Val<'a>, Val<'a>),
}

/// A number with comparator and unit.
#[derive(Debug, Clone)]
pub(crate) struct Quantity<'a> {
    comparator: Option<Comparator>,
    literal: Cow<'a, str>,
    unit: Unit<'a>,
    /// The value as sent.
    sent: Val<'a>,
    /// Whether `sent` says more than the Quantity and is kept beside it.
    keep: bool,
}

/// Reads the unit of an OBX (OBX-6); nothing is reported for an empty one.
pub(crate) fn unit<'a>(cx: &mut Cx<'a, '_>, obx: Segment<'a>) -> Unit<'a> {
    let f = obx.field(6);
    if !f.is_some() {
        return Unit::uncoded(Val::default());
    }
    // Both spellings and the name of the table were weighed, whichever is shown.
    cx.used(&f);
    datatypes::unit(cx, f)
}

/// Reads the value of an OBX; a unit without a number is kept.
pub(crate) fn read_value<'a>(
    cx: &mut Cx<'a, '_>,
    obx: Segment<'a>,
    unit: Unit<'a>,
    allows: Allows,
) -> Value<'a> {
    let value = value_of(cx, obx, unit, allows);
    if !matches!(value, Value::Quantity(_) | Value::Measured(..)) {
        cx.unread(unit.text, "Quantity.unit");
    }
    value
}

fn value_of<'a>(
    cx: &mut Cx<'a, '_>,
    obx: Segment<'a>,
    unit: Unit<'a>,
    allows: Allows,
) -> Value<'a> {
    let field = obx.field(5);
    if !field.is_some() {
        return Value::None;
    }
    let ty_field = obx.field(2).value();
    let mut ty = ty_field.text.trim();
    if ty.is_empty() {
        cx.report(&MAP214, &field);
        ty = guess_type(field);
    } else {
        cx.used(&ty_field);
    }
    match ty {
        "NM" => number(cx, field, unit),
        "SN" => structured(cx, field, unit),
        "CWE" | "CE" | "CNE" | "CF" => {
            if field.reps().nth(1).is_some() {
                cx.report(&MAP215, &field);
                return whole_text(cx, field);
            }
            let item = Item::read(cx, field, systems::JANIS_ORGANISM);
            if item.is_empty() {
                Value::None
            } else {
                Value::Concept(item)
            }
        }
        "TX" | "FT" => whole_text(cx, field),
        "TS" | "DT" | "DTM" if allows == Allows::DateTime => {
            let v = field.value();
            if let Some(s) = datatypes::date_time(cx, v, "Observation.valueDateTime") {
                Value::DateTime(s, v.src())
            } else {
                cx.strays.kept_otherwise(v);
                Value::Text(v.trimmed())
            }
        }
        "ED" | "RP" => {
            cx.report_with(&MAP206, &field, ty.to_owned());
            attachment(cx, field).unwrap_or_else(|| composite(cx, field))
        }
        "ST" | "ID" | "IS" | "" => text(cx, field, unit),
        "TS" | "DT" | "DTM" | "TM" => Value::Text(field.value().trimmed()),
        _ => {
            cx.listed(ty_field.trimmed(), crate::table::VALUE_TYPE);
            composite(cx, field)
        }
    }
}

/// ED with data in base64: source ^ type ^ subtype ^ `Base64` ^ data.
fn attachment<'a>(cx: &Cx<'a, '_>, field: Part<'a>) -> Option<Value<'a>> {
    let part = |n: usize| field.comp(n).text().trimmed();
    let (kind, subtype, data) = (part(2), part(3), part(5));
    let end = data.text.find('=').unwrap_or(data.text.len());
    let (body, padding) = data.text.split_at_checked(end)?;
    let alphabet = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let is_base64 = !body.is_empty()
        && data.text.len() % 4 == 0
        && body.bytes().all(alphabet)
        && matches!(padding, "" | "=" | "==");
    if !is_base64 || !part(4).text.eq_ignore_ascii_case("base64") {
        return None;
    }
    let family = match kind.text.to_ascii_lowercase().as_str() {
        "im" | "image" => "image",
        "ap" | "application" => "application",
        "au" | "audio" => "audio",
        "text" => "text",
        "multipart" => "multipart",
        _ => return None,
    };
    // RFC 6838 §4.2.
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
    let mime = if subtype.is_empty() {
        "application/octet-stream"
    } else if subtype.text.bytes().all(sound)
        && !subtype
            .text
            .starts_with(|c: char| !c.is_ascii_alphanumeric())
    {
        let mut mime = bumpalo::format!(in cx.message().arena(), "{}/{}", family, subtype.text);
        mime.make_ascii_lowercase();
        mime.into_bump_str()
    } else {
        return None;
    };
    Some(Value::Attachment(kind.map(mime), data))
}

/// The type that an OBX without OBX-2 most likely has.
fn guess_type(field: Part<'_>) -> &'static str {
    if field.comp(3).is_some() || field.comp(6).is_some() {
        "CWE"
    } else if warifu_fhir::number::decimal(field.text().text).is_some() {
        "NM"
    } else {
        "ST"
    }
}

fn number<'a>(cx: &mut Cx<'a, '_>, field: Part<'a>, unit: Unit<'a>) -> Value<'a> {
    let v = field.text().trimmed();
    match reading::read(v.text, true) {
        Reading::Number(literal) => Value::Quantity(Quantity {
            comparator: None,
            literal,
            unit,
            sent: v,
            keep: false,
        }),
        Reading::Compared {
            comparator,
            literal,
            plain,
        } => compared(cx, v, comparator, literal, plain, unit),
        Reading::Power {
            comparator,
            mantissa,
            exponent,
        } => power(cx, v, comparator, &mantissa, exponent, unit),
        Reading::Class(_) | Reading::Interval | Reading::Mixed | Reading::Text => {
            if v.is_empty() {
                return Value::None;
            }
            cx.report_with(&MAP007, &v, "OBX-5");
            Value::Text(v)
        }
    }
}

/// ST: comparators and qualitative results are read; a number is one only with a unit.
fn text<'a>(cx: &mut Cx<'a, '_>, field: Part<'a>, unit: Unit<'a>) -> Value<'a> {
    let v = field.text().trimmed();
    if v.is_empty() {
        return Value::None;
    }
    match reading::read(v.text, false) {
        Reading::Number(literal) if !unit.text.is_empty() => {
            let keep = v.text.bytes().any(|b| !b.is_ascii());
            Value::Quantity(Quantity {
                comparator: None,
                literal,
                unit,
                sent: v,
                keep,
            })
        }
        Reading::Compared {
            comparator,
            literal,
            plain,
        } => compared(cx, v, comparator, literal, plain, unit),
        Reading::Power {
            comparator,
            mantissa,
            exponent,
        } => power(cx, v, comparator, &mantissa, exponent, unit),
        Reading::Class(class) => {
            if class == Class::Dash {
                cx.report(&MAP218, &v);
            }
            Value::Class(v, class)
        }
        Reading::Interval => {
            cx.report(&MAP202, &v);
            with_unit(cx, v, &unit)
        }
        Reading::Mixed => {
            cx.report(&MAP203, &v);
            with_unit(cx, v, &unit)
        }
        Reading::Number(_) | Reading::Text => with_unit(cx, v, &unit),
    }
}

/// A text value, as sent; its unit, which a string has no place for, is kept beside it where the value
/// has digits.
fn with_unit<'a>(cx: &mut Cx<'a, '_>, v: Val<'a>, unit: &Unit<'a>) -> Value<'a> {
    if unit.text.is_empty()
        || !v.text.bytes().any(|b| b.is_ascii_digit())
        || v.text.ends_with(unit.text.text)
    {
        return Value::Text(v);
    }
    let arena = cx.message().arena();
    Value::Measured(v, unit.text, joined(arena, v.text, unit.text.text))
}

fn joined<'a>(arena: &'a bumpalo::Bump, a: &str, b: &str) -> &'a str {
    bumpalo::format!(in arena, "{} {}", a, b).into_bump_str()
}

fn compared<'a>(
    cx: &mut Cx<'a, '_>,
    v: Val<'a>,
    comparator: Comparator,
    literal: Cow<'a, str>,
    plain: bool,
    unit: Unit<'a>,
) -> Value<'a> {
    if !plain {
        cx.report(&MAP201, &v);
    }
    Value::Quantity(Quantity {
        comparator: Some(comparator),
        literal,
        unit,
        sent: v,
        keep: !plain,
    })
}

/// The power goes into the number, never into the unit: the reference range stands in the unit sent.
fn power<'a>(
    cx: &mut Cx<'a, '_>,
    v: Val<'a>,
    comparator: Option<Comparator>,
    mantissa: &str,
    exponent: i8,
    unit: Unit<'a>,
) -> Value<'a> {
    cx.report(&MAP204, &v);
    let arena = cx.message().arena();
    let literal = bumpalo::format!(in arena, "{}E{}", mantissa, exponent).into_bump_str();
    Value::Quantity(Quantity {
        comparator,
        literal: Cow::Borrowed(literal),
        unit,
        sent: v,
        keep: true,
    })
}

/// SN: comparator ^ number ^ separator ^ number (not allowed in SS-MIX2, but met).
fn structured<'a>(cx: &mut Cx<'a, '_>, field: Part<'a>, unit: Unit<'a>) -> Value<'a> {
    let mut c = [Val::default(); 4];
    for (slot, part) in c.iter_mut().zip(field.comps()) {
        *slot = part.text().trimmed();
    }
    let [sign, first, separator, second] = c;
    if first.is_empty() && separator.is_empty() && second.is_empty() {
        return text(cx, field, unit);
    }
    let comparator = match sign.text {
        "" | "=" => Some(None),
        "<" => Some(Some("<")),
        ">" => Some(Some(">")),
        "<=" | "=<" => Some(Some("<=")),
        ">=" | "=>" => Some(Some(">=")),
        _ => None,
    };
    if let (Some(comparator), true) = (comparator, separator.is_empty() && second.is_empty())
        && let Reading::Number(literal) = reading::read(first.text, true)
    {
        cx.used(&sign);
        return Value::Quantity(Quantity {
            comparator,
            literal,
            unit,
            sent: field.text(),
            keep: false,
        });
    }
    cx.report(&MAP202, &field);
    let whole = bumpalo::format!(in cx.message().arena(), "{}{}{}{}", sign.text, first.text, separator.text, second.text).into_bump_str();
    with_unit(cx, field.text().map(whole), &unit)
}

/// TX, FT and repeated values: all repetitions, one a line.
fn whole_text<'a>(cx: &Cx<'a, '_>, field: Part<'a>) -> Value<'a> {
    lines(cx, field).some().map_or(Value::None, Value::Text)
}

/// The repetitions of a field, a line each.
pub(crate) fn lines<'a>(cx: &Cx<'a, '_>, field: Part<'a>) -> Val<'a> {
    let whole = field.text().trimmed();
    if field.reps().nth(1).is_none() {
        return whole;
    }
    let mut s = bumpalo::collections::String::new_in(cx.message().arena());
    for rep in field.reps() {
        if !s.is_empty() {
            s.push('\n');
        }
        s.push_str(rep.text().text.trim());
    }
    whole.map(s.into_bump_str())
}

/// Any other type (XCN, CX …): its components, blanks between.
fn composite<'a>(cx: &mut Cx<'a, '_>, field: Part<'a>) -> Value<'a> {
    let whole = field.text();
    let mut s = bumpalo::collections::String::new_in(cx.message().arena());
    for c in field.reps().flat_map(|r| r.comps()).flat_map(|c| c.subs()) {
        let t = c.text().text.trim();
        if t.is_empty() {
            continue;
        }
        if !s.is_empty() {
            s.push(' ');
        }
        s.push_str(t);
    }
    let s = s.into_bump_str();
    if s.is_empty() {
        Value::None
    } else {
        Value::Text(whole.map(s))
    }
}

/// Writes `value[x]` of an Observation.
pub(crate) fn write_value(r: &mut Resource, value: &Value<'_>) -> bool {
    match value {
        Value::None => false,
        Value::Quantity(q) => r.object(el::VALUE_QUANTITY, |o| quantity(o, q)),
        Value::Concept(item) => r.object(el::VALUE_CODEABLE_CONCEPT, |o| item.concept(o, None)),
        Value::Class(v, class) => {
            r.object(el::VALUE_CODEABLE_CONCEPT, |o| qualitative(o, *v, *class))
        }
        Value::Text(v) => r.string(el::VALUE_STRING, v.text, v.src()),
        Value::Measured(v, unit, _) => {
            let mut text = String::from("単位: ");
            text.push_str(unit.text);
            r.object(el::NOTE, |o| o.string("text", &text, unit.src()));
            r.string(el::VALUE_STRING, v.text, v.src())
        }
        Value::DateTime(s, src) => r.string(el::VALUE_DATE_TIME, s, *src),
        Value::Attachment(mime, data) => {
            r.object(warifu_fhir::element::EXTENSION, |o| {
                attached(o, *mime, *data);
            });
            false
        }
    }
}

/// `Observation.value[x]` of R5 has a type Attachment.
fn attached(o: &mut Object<'_>, mime: Val<'_>, data: Val<'_>) {
    o.constant("url", VALUE_OF_R5);
    o.object("valueAttachment", |o| {
        o.string("contentType", mime.text, mime.src());
        o.string("data", data.text, data.src());
    });
}

/// Writes `value[x]` into an open object (a component).
pub(crate) fn write_value_in(o: &mut Object<'_>, value: &Value<'_>) {
    match value {
        Value::None => {}
        Value::Quantity(q) => {
            o.object("valueQuantity", |o| quantity(o, q));
        }
        Value::Concept(item) => {
            o.object("valueCodeableConcept", |o| item.concept(o, None));
        }
        Value::Class(v, class) => {
            o.object("valueCodeableConcept", |o| qualitative(o, *v, *class));
        }
        Value::Text(v) => o.string("valueString", v.text, v.src()),
        // A component has no note.
        Value::Measured(v, unit, both) => {
            o.also(unit.src());
            o.string("valueString", both, v.src());
        }
        Value::DateTime(s, src) => o.string("valueDateTime", s, *src),
        Value::Attachment(mime, data) => {
            o.array("extension", |a| {
                a.object(|o| attached(o, *mime, *data));
            });
        }
    }
}

fn quantity(o: &mut Object<'_>, q: &Quantity<'_>) {
    if q.keep {
        o.array("extension", |a| {
            a.object(|o| {
                o.constant("url", ORIGINAL_TEXT);
                o.string("valueString", q.sent.text, q.sent.src());
            });
        });
    }
    o.number("value", &q.literal, q.sent.src());
    if let Some(c) = q.comparator {
        o.string("comparator", c, q.sent.src());
    }
    datatypes::quantity_unit(o, &q.unit);
}

fn qualitative(o: &mut Object<'_>, v: Val<'_>, class: Class) {
    let coding = match class {
        Class::Negative => Some(("NEG", "Negative")),
        Class::Positive => Some(("POS", "Positive")),
        // ± is no code of the system, and what a dash alone means only the laboratory knows: the text
        // says it.
        Class::Borderline | Class::Dash => None,
    };
    if let Some((code, display)) = coding {
        o.array("coding", |a| {
            a.object(|o| {
                o.constant("system", systems::V3_OBSERVATION_INTERPRETATION);
                o.string("code", code, v.src());
                o.string("display", display, v.src());
            });
        });
    }
    o.string("text", v.text, v.src());
}

/// Reads and writes value, unit and reference range of an OBX; without a value `dataAbsentReason` by
/// `status` (see [`data_absent`]).
pub(crate) fn value<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    obx: Segment<'a>,
    allows: Allows,
    status: &str,
) {
    let unit = unit(cx, obx);
    measured(r, cx, obx, allows, status, unit);
}

/// The same with a unit that was read. Gives the code of UCUM that the value has, nothing for a value that
/// is no such quantity, and an empty code where there is no value.
pub(crate) fn measured<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    obx: Segment<'a>,
    allows: Allows,
    status: &str,
    unit: Unit<'a>,
) -> Option<&'a str> {
    let value = read_value(cx, obx, unit, allows);
    if !write_value(r, &value) {
        data_absent(r, cx, obx, status);
    }
    if let Some(range) = read_range(cx, obx, &unit) {
        r.object(el::REFERENCE_RANGE, |o| write_range(o, &range));
    }
    match value {
        Value::None | Value::Attachment(..) => Some(""),
        Value::Quantity(q) => (q.unit.system.0 == systems::UCUM).then_some(q.unit.code.text),
        _ => None,
    }
}

/// `dataAbsentReason`: cancelled → not-performed, pending → temp-unknown, an unsupported type →
/// unsupported, else unknown.
pub(crate) fn data_absent(r: &mut Resource, cx: &mut Cx<'_, '_>, obx: Segment<'_>, status: &str) {
    let code = absent_code(cx, obx, status);
    r.object(el::DATA_ABSENT_REASON, |o| {
        absent_concept(o, code, &obx.field(11));
    });
}

fn absent_code(cx: &mut Cx<'_, '_>, obx: Segment<'_>, status: &str) -> &'static str {
    match status {
        "cancelled" => "not-performed",
        "registered" | "preliminary" => "temp-unknown",
        _ if obx.field(5).is_some() => "unsupported",
        _ => {
            cx.report(&MAP207, &obx.field(5));
            "unknown"
        }
    }
}

fn absent_concept(o: &mut Object<'_>, code: &'static str, from: &impl Sourced) {
    o.array("coding", |a| {
        a.object(|o| {
            o.constant("system", systems::DATA_ABSENT_REASON);
            o.string("code", code, from.src());
        });
    });
}

/// Writes `value[x]`, or `dataAbsentReason`, into a component.
pub(crate) fn component_value<'a>(
    o: &mut Object<'_>,
    cx: &mut Cx<'a, '_>,
    obx: Segment<'a>,
    allows: Allows,
    status: &str,
) {
    let unit = unit(cx, obx);
    let value = read_value(cx, obx, unit, allows);
    write_value_in(o, &value);
    if matches!(value, Value::None | Value::Attachment(..)) {
        let code = absent_code(cx, obx, status);
        o.object("dataAbsentReason", |o| {
            absent_concept(o, code, &obx.field(11));
        });
    }
    if obx.field(8).is_some() {
        o.array("interpretation", |a| interpretations(a, cx, obx));
    }
    if let Some(range) = read_range(cx, obx, &unit) {
        o.array("referenceRange", |a| {
            a.object(|o| write_range(o, &range));
        });
    }
}

// --- reference range, interpretation, status, notes -----------------------------------------------

/// OBX-7 as read.
#[derive(Debug)]
pub(crate) struct Range<'a> {
    low: Option<Cow<'a, str>>,
    high: Option<Cow<'a, str>>,
    /// The text, when the bounds do not say it all.
    text: bool,
    sent: Val<'a>,
    unit: Unit<'a>,
}

/// Reads OBX-7; the unit is that of the value.
pub(crate) fn read_range<'a>(
    cx: &mut Cx<'a, '_>,
    obx: Segment<'a>,
    unit: &Unit<'a>,
) -> Option<Range<'a>> {
    let f = obx.field(7);
    if !f.is_some() {
        return None;
    }
    let sent = f.text().trimmed();
    if sent.is_empty() {
        return None;
    }
    Some(if let Some(b) = reading::bounds(sent.text) {
        Range {
            text: !b.exact,
            low: b.low,
            high: b.high,
            sent,
            unit: *unit,
        }
    } else {
        if !reading::is_class(sent.text) {
            cx.report(&MAP205, &sent);
        }
        Range {
            low: None,
            high: None,
            text: true,
            sent,
            unit: *unit,
        }
    })
}

/// Writes the members of a `referenceRange`.
pub(crate) fn write_range(o: &mut Object<'_>, range: &Range<'_>) {
    for (key, bound) in [("low", &range.low), ("high", &range.high)] {
        if let Some(n) = bound {
            o.object(key, |o| {
                o.number("value", n, range.sent.src());
                datatypes::quantity_unit(o, &range.unit);
            });
        }
    }
    if range.text {
        o.string("text", range.sent.text, range.sent.src());
    }
}

/// OBX-8 → `interpretation`, one item a flag.
pub(crate) fn interpretation<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, obx: Segment<'a>) {
    let f = obx.field(8);
    if !f.is_some() {
        return;
    }
    for rep in f.reps() {
        r.object(el::INTERPRETATION, |o| flag(o, cx, rep));
    }
}

fn interpretations<'a>(a: &mut Array<'_>, cx: &mut Cx<'a, '_>, obx: Segment<'a>) {
    for rep in obx.field(8).reps() {
        a.object(|o| flag(o, cx, rep));
    }
}

fn flag<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, rep: Part<'a>) {
    let v = rep.comp(1).value().trimmed();
    if v.is_empty() {
        return;
    }
    match INTERPRETATION.find(v.text).flatten() {
        Some(c) => {
            o.array("coding", |a| {
                a.object(|o| {
                    o.constant("system", systems::V3_OBSERVATION_INTERPRETATION);
                    o.string("code", c.code, v.src());
                    o.string("display", c.display, v.src());
                });
            });
        }
        None => cx.report_with(&MAP008, &v, "0078"),
    }
    o.string("text", v.text, v.src());
}

/// `Observation.status` by OBX-11; `None` when the OBX is no result (`O`, `N`).
pub(crate) fn status<'a>(cx: &mut Cx<'a, '_>, obx: Segment<'a>) -> Option<&'static str> {
    let f = obx.field(11);
    let v = f.value();
    let code = v.text.trim();
    if code == "F" {
        return Some("final");
    }
    if code.is_empty() {
        cx.report_with(&MAP009, &obx.field(3), "OBX-11");
        return Some("unknown");
    }
    let t = OBSERVATION_STATUS.translate(code);
    if !t.known {
        cx.unlisted(v.trimmed(), "0085");
    }
    t.to
}

/// State of a result or report and where it stands, `own` unless ORC-1 withdraws the order: then it was sent
/// in error. One that never came to be stays cancelled. Mapping §12.
pub(crate) fn unless_withdrawn(control: Val<'_>, own: (&'static str, Src)) -> (&'static str, Src) {
    match maps::withdrawal(control.text) {
        Some(_) if own.0 != "cancelled" => ("entered-in-error", control.src()),
        _ => own,
    }
}

/// The same, cancelled where ORC-5 says that the order came to nothing; that the result says it was done is
/// told, and that OBR-25 withdraws a report of an order that is completed, or with results (`worst`).
pub(crate) fn told_unless_withdrawn<'a>(
    cx: &mut Cx<'a, '_>,
    [control, order, report]: [Val<'a>; 3],
    own: (&'static str, Src),
    worst: Option<&str>,
) -> (&'static str, Src) {
    let mut state = unless_withdrawn(control, own);
    if matches!(order.text, "CA" | "DC") && state.0 != "entered-in-error" {
        state = ("cancelled", order.src());
    }
    let there = worst.is_some_and(|s| !matches!(s, "cancelled" | "entered-in-error"));
    let void = report.text == "X" && maps::withdrawal(control.text).is_none();
    if state.0 != own.0 && !matches!(own.0, "registered" | "unknown")
        || void && (order.text == "CM" || there)
    {
        cx.report(&MAP409, &own.1);
    }
    state
}

/// Looks OBX-11 up where no Observation is made of the line.
pub(crate) fn state_is_known<'a>(cx: &mut Cx<'a, '_>, obx: Segment<'a>) {
    let f = obx.field(11);
    if f.is_some() {
        cx.used(&f);
        let _ = status(cx, obx);
    }
}

/// Whether OBX-11 takes the line back: deleted, wrong, or not to be had.
pub(crate) fn is_withdrawn(obx: Segment<'_>) -> bool {
    matches!(obx.field(11).value().text.trim(), "D" | "W" | "X")
}

/// NTE-3 → `note`, one a segment; repetitions are lines.
pub(crate) fn note<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    element: warifu_fhir::Element,
    nte: Segment<'a>,
) {
    let f = nte.field(3);
    if !f.is_some() {
        return;
    }
    if let Some(v) = lines(cx, f).some() {
        r.object(element, |o| o.string("text", v.text, v.src()));
    }
}

/// A category of JP_SimpleObservationCategory_CS as one constant item.
pub(crate) fn category(r: &mut Resource, code: &'static str) {
    r.object(el::CATEGORY, |o| {
        o.array("coding", |a| {
            a.object(|o| {
                o.constant("system", systems::OBSERVATION_CATEGORY);
                o.constant("code", code);
            });
        });
    });
}
