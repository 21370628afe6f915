//! HL7 data types → FHIR data types (HL7 v2.5 §2.A; JP Core 1.2.0).
//!
//! Every function takes parts of a message and writes into an open JSON place; leaves carry the bytes
//! they came from. What does not fit is reported and kept as text.

use warifu_diag::catalogue::hl7::HL7113;
use warifu_diag::catalogue::map_admin::MAP127;
use warifu_diag::catalogue::map_general::{MAP006, MAP007, MAP008, MAP010, MAP018, MAP020};
use warifu_diag::catalogue::map_lab::MAP219;
use warifu_fhir::{Element, Id, Object, Resource, RowId, Src};
use warifu_hl7::time::{self, Oddity, Time};
use warifu_hl7::{Part, Val};
use warifu_terms::systems::{self, SystemUri};

use crate::cx::{Cx, Known, Sourced};
use crate::output::Described;
use crate::table::Group;

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
    // Mostly there is no second code: then the first is not looked up for this.
    let swap = !b.code.is_empty() && !is_standard(&a) && is_standard(&b);
    let (first, second) = if swap { (b, a) } else { (a, b) };
    [first, second].into_iter().filter(|t| !t.is_empty())
}

/// Both triplets as sent, first and alternate.
pub fn both_triplets(cwe: Part<'_>) -> [Triplet<'_>; 2] {
    let mut c = [Val::default(); 8];
    for (slot, part) in c.iter_mut().zip(cwe.comps()) {
        *slot = part.text().trimmed();
    }
    let [code, text, system, code2, text2, system2, version, version2] = c;
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

/// Both triplets of a CWE whose parts are sub-components (TQ1-3.1, RXE-19.2, TQ1-6.2). Some senders
/// write a plain CWE there: it is read when the part stands alone in its field.
pub(crate) fn sub_triplets(component: Part<'_>) -> [Triplet<'_>; 2] {
    let mut c = [Val::default(); 6];
    for (slot, part) in c.iter_mut().zip(component.subs()) {
        *slot = part.text().trimmed();
    }
    let [code, text, system, code2, text2, system2] = c;
    let version = Val::default();
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
            version,
        },
    ]
}

/// The name of a concept, else its code.
#[inline(never)]
pub(crate) fn said<'a>([a, b]: &[Triplet<'a>; 2]) -> Val<'a> {
    let all = [a.text, b.text, a.code, b.code];
    all.into_iter().find(|v| !v.is_empty()).unwrap_or_default()
}

/// [`said`] of a field.
#[inline(never)]
pub(crate) fn said_of(cwe: Part<'_>) -> Val<'_> {
    said(&both_triplets(cwe))
}

/// Adds the name of a concept, else its code, as a note behind a label.
#[inline(never)]
pub(crate) fn note_said<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    element: Element,
    label: &'static str,
    cwe: Part<'a>,
) {
    let said = said_of(cwe);
    if !said.is_empty() {
        let text = crate::cx::concat(cx.message().arena(), &[label, said.text]);
        cx.used(&cwe);
        r.object(element, |o| o.string("text", text, said.src()));
    }
}

/// NTE-3 of every NTE of a group as notes, one a repetition.
#[inline(never)]
pub(crate) fn comments(r: &mut Resource, element: Element, group: &Group<'_>) {
    for nte in group.all(*b"NTE") {
        for rep in nte.field(3).reps() {
            let v = rep.text();
            r.object(element, |o| o.string("text", v.text, v.src()));
        }
    }
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
            // A name of its own, as `JC10-raw`, says what was done with a code of `JC10`.
            let name = label.split_once('-').map_or(label, |(name, _)| name);
            cx.report_with(&MAP006, &t.code, name);
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
    if cwe.is_empty() {
        return;
    }
    cx.members(b'c', o, (cwe, None), |o, cx| {
        concept_of(o, cx, cwe, &mut |_, _, _| {});
    });
}

/// Writes codings.
type More<'r, 'a> = &'r mut dyn FnMut(&mut warifu_fhir::Array<'_>, &mut Cx<'a, '_>, Part<'a>);

/// [`codeable_concept`] with further codings written by `extra` after the sent ones.
pub fn concept_of<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, cwe: Part<'a>, extra: More<'_, 'a>) {
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
    let text = text.or_else(|| cwe.comp(9).text().some());
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
    let t = time::parse(v.text);
    match t {
        None if v.text.trim().is_empty() => {}
        None => {
            cx.report_with(&HL7113, &v, target);
            cx.unread(v.trimmed(), target);
        }
        Some(t) if !matches!(t.oddity, Oddity::None | Oddity::Midnight) => {
            cx.report_with(&warifu_diag::catalogue::hl7::HL7114, &v, target);
        }
        Some(_) => {}
    }
    t
}

/// FHIR `dateTime` text of a TS value (first component), in the arena.
pub fn date_time<'a>(cx: &mut Cx<'a, '_>, v: Val<'a>, target: &'static str) -> Option<&'a str> {
    read_as(cx, v, target, Time::write_date_time)
}

/// FHIR `date` text of a TS or DT value.
pub fn date<'a>(cx: &mut Cx<'a, '_>, v: Val<'a>, target: &'static str) -> Option<&'a str> {
    read_as(cx, v, target, Time::write_date)
}

/// FHIR `instant` text of a TS value.
pub fn instant<'a>(cx: &mut Cx<'a, '_>, v: Val<'a>, target: &'static str) -> Option<&'a str> {
    read_as(cx, v, target, Time::write_instant)
}

/// Text in an arena.
type Text<'a> = bumpalo::collections::String<'a>;

#[inline(never)]
fn read_as<'a>(
    cx: &mut Cx<'a, '_>,
    v: Val<'a>,
    target: &'static str,
    write: fn(&Time, &mut Text<'a>),
) -> Option<&'a str> {
    let t = read_time(cx, v, target)?;
    Some(written(cx, &t, write))
}

#[inline(never)]
fn written<'a>(cx: &Cx<'a, '_>, t: &Time, write: fn(&Time, &mut Text<'a>)) -> &'a str {
    let mut s = Text::with_capacity_in(32, cx.message().arena());
    write(t, &mut s);
    s.into_bump_str()
}

/// Adds a `dateTime` element.
pub fn add_date_time<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    element: Element,
    v: Val<'a>,
) -> bool {
    let Some(s) = date_time(cx, v, element.name()) else {
        return false;
    };
    r.string(element, s, v.src())
}

/// When a message was sent ([`Time::sort_key`]); 0 when it does not say.
#[inline(never)]
pub(crate) fn sent_at(m: warifu_hl7::Message<'_>) -> u64 {
    time::parse(m.value(b"MSH", 7).text.trim()).map_or(0, |t| t.sort_key())
}

/// Priority of an order (table 0485).
#[inline(never)]
pub fn priority<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, element: Element, f: Part<'a>) {
    let v = f.comp(1).value().trimmed();
    let t = warifu_terms::maps::PRIORITY.translate(v.text);
    if t.to.is_empty() {
        if !t.known {
            cx.report_with(&MAP008, &v, "0485");
        }
        cx.keep_field_of(v, "");
        return;
    }
    r.string(element, t.to, v.src());
}

/// Start and end of a Period as read. Every Period is written by it, so that none ends before it starts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times<'a> {
    start: (&'a str, Src),
    end: (&'a str, Src),
}

impl<'a> Times<'a> {
    /// Reads both, reporting what is no time under its name. An end that lies before its start is none: that
    /// is told, and its field kept.
    #[inline(never)]
    pub fn read(
        cx: &mut Cx<'a, '_>,
        start: Val<'a>,
        end: Val<'a>,
        [first, last]: [&'static str; 2],
    ) -> Self {
        let read = (read_time(cx, start, first), read_time(cx, end, last));
        Self::told(cx, (start, end), read, last)
    }
    /// [`Times::read`] of what is reported elsewhere where it is no time.
    pub(crate) fn told(
        cx: &mut Cx<'a, '_>,
        (start, end): (Val<'a>, Val<'a>),
        read: (Option<Time>, Option<Time>),
        last: &'static str,
    ) -> Self {
        let (times, is_sound) = Self::of(cx, (start, end), read);
        if !is_sound && !cx.strays.is_unread(end) {
            cx.report(&MAP020, &end);
            cx.unread(end, last);
        }
        times
    }
    /// [`Times::read`] of what is reported and kept where it was read before.
    pub fn again(cx: &Cx<'a, '_>, start: Val<'a>, end: Val<'a>) -> Self {
        let read = (time::parse(start.text), time::parse(end.text));
        Self::of(cx, (start, end), read).0
    }
    /// The times as text, and whether the end is left out.
    #[inline(never)]
    fn of(
        cx: &Cx<'a, '_>,
        (start, end): (Val<'a>, Val<'a>),
        (from, to): (Option<Time>, Option<Time>),
    ) -> (Self, bool) {
        let text = |t: &Option<Time>| {
            t.as_ref()
                .map_or("", |t| written(cx, t, Time::write_date_time))
        };
        let mut times = Self {
            start: (text(&from), start.src()),
            end: (text(&to), end.src()),
        };
        if let (Some(from), Some(to)) = (from, to) {
            if to.is_before(&from) {
                times.end = ("", Src::NONE);
                return (times, false);
            }
            // The minute of the start: as FHIR writes it, it would lie before that.
            if to.hour.is_some() && to.sort_key() < from.sort_key() {
                times.end.0 = times.start.0;
            }
        }
        (times, true)
    }
    /// A moment that is known otherwise.
    pub const fn at(text: &'a str, src: Src) -> Self {
        Self {
            start: (text, src),
            end: ("", Src::NONE),
        }
    }
    /// Whether there is a start.
    pub const fn has_start(&self) -> bool {
        !self.start.0.is_empty()
    }
    /// Whether neither is there.
    pub const fn is_none(&self) -> bool {
        self.start.0.is_empty() && self.end.0.is_empty()
    }
    /// Writes the end alone.
    pub(crate) fn write_end(&self, r: &mut Resource, element: Element) {
        r.string(element, self.end.0, self.end.1);
    }
    /// Writes `start` and `end`.
    pub fn write(&self, o: &mut Object<'_>) {
        self.write_from(o, None);
    }
    /// [`Times::write`], the end attributed to a row of its own.
    #[inline(never)]
    pub fn write_from(&self, o: &mut Object<'_>, row: Option<&'static RowId>) {
        o.string("start", self.start.0, self.start.1);
        if row.is_some() {
            o.row(row);
        }
        o.string("end", self.end.0, self.end.1);
    }
    /// Writes a moment where nothing but the start is known, or both are the same, else a Period. Returns
    /// whether it was written.
    #[inline(never)]
    pub fn write_as(
        &self,
        r: &mut Resource,
        cx: &mut Cx<'a, '_>,
        [moment, period]: [Element; 2],
    ) -> bool {
        if self.is_moment(cx) {
            r.string(moment, self.start.0, self.start.1)
        } else {
            r.object(period, |o| self.write(o))
        }
    }
    /// [`Times::write_as`] in an object.
    pub fn write_in(
        &self,
        o: &mut Object<'_>,
        cx: &mut Cx<'a, '_>,
        [moment, period]: [&'static str; 2],
    ) {
        if self.is_moment(cx) {
            o.string(moment, self.start.0, self.start.1);
        } else {
            o.object(period, |o| self.write(o));
        }
    }
    fn is_moment(&self, cx: &mut Cx<'a, '_>) -> bool {
        let one = self.end.0.is_empty() || self.start.0 == self.end.0;
        if one && self.end.1.is_some() {
            cx.used(&self.end.1);
        }
        one
    }
}

/// A unit as read: display text, and the UCUM code where it is certain.
#[derive(Debug, Clone, Copy)]
pub struct Unit<'a> {
    /// Text shown.
    pub text: Val<'a>,
    /// System URI of `code`, with the bytes that name it.
    pub system: (&'a str, Src),
    /// Code, or empty.
    pub code: Val<'a>,
}

impl<'a> Unit<'a> {
    /// A unit without a code.
    pub(crate) fn uncoded(text: Val<'a>) -> Self {
        Self {
            text,
            system: ("", Src::NONE),
            code: Val::default(),
        }
    }
    /// A unit with a code that one of the triplets says or that its text means.
    #[inline(never)]
    pub(crate) fn coded(
        text: Val<'a>,
        system: &'static str,
        code: &'static str,
        sent: &[Triplet<'a>; 2],
    ) -> Self {
        let mut sent = sent.iter().flat_map(|t| [t.code, t.text]);
        let said = sent.find(|v| v.text == code);
        Self {
            text,
            system: (system, text.src()),
            code: said.unwrap_or_else(|| text.map(code)),
        }
    }
}

/// Reads a unit field (OBX-6 and others): UCUM where the translation is certain, MERIT-9 where sent,
/// text otherwise (reported).
pub fn unit<'a>(cx: &mut Cx<'a, '_>, cwe: Part<'a>) -> Unit<'a> {
    let pair = both_triplets(cwe);
    let mut text = said(&pair);
    let [a, b] = &pair;
    if text.is_empty() {
        return Unit::uncoded(text);
    }
    // `10^3/uL`, whose sender means the power.
    if a.code.text.ends_with("10")
        && a.text
            .text
            .as_bytes()
            .first()
            .is_some_and(u8::is_ascii_digit)
    {
        let pieces = [a.code.text, "^", a.text.text];
        text = a.code.map(crate::cx::concat(cx.message().arena(), &pieces));
        cx.report(&MAP219, &cwe);
        return match warifu_terms::units::text_to_ucum(text.text) {
            Some(code) => Unit::coded(text, systems::UCUM, code, &pair),
            None => Unit::uncoded(text),
        };
    }
    for t in &pair {
        if let Some(unit) = merit9(t) {
            return unit;
        }
    }
    if let Some(code) = warifu_terms::units::ucum(a.code.text, a.text.text)
        .or_else(|| warifu_terms::units::ucum(b.code.text, b.text.text))
    {
        keep_unit(cx, a, text.text, code);
        return Unit::coded(text, systems::UCUM, code, &pair);
    }
    cx.report(&MAP010, &text);
    keep_unit(cx, a, text.text, "");
    Unit::uncoded(text)
}

/// The unit of a triplet that names MERIT-9 as its system.
#[inline(never)]
pub(crate) fn merit9<'a>(t: &Triplet<'a>) -> Option<Unit<'a>> {
    let named = systems::trim_name(t.system.text) == "MR9P" && !t.code.is_empty();
    named.then(|| Unit {
        text: t.text.some().unwrap_or(t.code),
        system: (systems::MERIT9_UNIT, t.system.src()),
        code: t.code,
    })
}

/// Keeps the field of a unit whose code is neither what is written nor another spelling of it, and that of
/// a code without a place.
#[inline(never)]
pub(crate) fn keep_unit<'a>(cx: &mut Cx<'a, '_>, t: &Triplet<'a>, text: &str, code: &str) {
    use warifu_terms::units;
    let sent = t.code.text;
    let written = sent == code || sent == text && (!code.is_empty() || t.system.is_empty());
    let spelt = || {
        let meant = units::text_to_ucum(sent);
        meant.is_some_and(|meant| meant == code || Some(meant) == units::text_to_ucum(text))
    };
    if !sent.is_empty() && !written && !spelt() {
        cx.keep_field_of(t.code, "Quantity.code");
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
            cx.unread(value, "Quantity.value");
        }
        cx.unread(unit.text, "Quantity.unit");
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
        let (system, named) = unit.system;
        o.string("system", system, named);
        o.string("code", unit.code.text, unit.code.src());
    }
}

/// Writes the members of an Identifier.
pub fn identifier(o: &mut Object<'_>, system: &str, value: Val<'_>) {
    o.string("system", system, value.src());
    o.string("value", value.text, value.src());
}

/// The number of a resource among all of the institution: what its parts say, joined with `-`
/// (`order-rp-place`, `order-specimen-item`); the value is attributed to the part `main`.
pub(crate) fn instance_identifier<'a>(
    r: &mut Resource,
    cx: &Cx<'a, '_>,
    element: Element,
    parts: &[Val<'a>],
    main: usize,
) {
    r.object(element, |o| {
        joined_identifier(o, cx, systems::ID_RESOURCE_INSTANCE, parts, main);
    });
}

/// Members of an Identifier whose value is made of several parts.
#[inline(never)]
pub(crate) fn joined_identifier<'a>(
    o: &mut Object<'_>,
    cx: &Cx<'a, '_>,
    system: &str,
    parts: &[Val<'a>],
    main: usize,
) {
    // What the file name says has no place in the message.
    let src = |v: &Val<'a>| if v.end == 0 { Src::NONE } else { v.src() };
    let said = || parts.iter().enumerate().filter(|(_, v)| !v.is_empty());
    let length = said().map(|(_, v)| v.text.len() + 1).sum();
    let mut number = bumpalo::collections::String::with_capacity_in(length, cx.message().arena());
    for (_, v) in said() {
        if !number.is_empty() {
            number.push('-');
        }
        number.push_str(v.text);
    }
    let from = parts.get(main).map_or(Src::NONE, src);
    o.string("system", system, from);
    for (_, v) in said().filter(|(n, v)| *n != main && src(v).is_some()) {
        o.also(src(v));
    }
    o.string("value", &number, from);
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

/// Reads an XCN field and emits the Practitioner of the first person that it names: repetitions are forms
/// of one name, unless they bear another number. Of further persons the field is kept.
pub fn practitioner<'a>(cx: &mut Cx<'a, '_>, xcn: Part<'a>) -> Option<Person<'a>> {
    // Mostly it is one person, known by the same bytes.
    if xcn.is_some()
        && let Some(known) = known_person(cx, xcn)
    {
        return described(cx, xcn, known);
    }
    let mut first = None;
    for forms in people_of(xcn) {
        if first.is_none() {
            first = person(cx, forms);
        } else {
            keep_person(cx, forms);
        }
    }
    first
}

/// The persons that an XCN field names, each with its Practitioner.
#[inline(never)]
pub fn practitioners<'a>(cx: &mut Cx<'a, '_>, xcn: Part<'a>) -> Vec<Person<'a>> {
    let mut all = Vec::new();
    for forms in people_of(xcn) {
        all.extend(person(cx, forms));
    }
    all
}

/// Adds a reference to each person that an XCN field names.
#[inline(never)]
pub fn add_people<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, element: Element, xcn: Part<'a>) {
    for person in practitioners(cx, xcn) {
        r.object(element, |o| person_reference(o, &person));
    }
}

/// Keeps what an XCN says of the persons behind the first, whose Practitioner is known.
pub(crate) fn keep_other_people<'a>(cx: &mut Cx<'a, '_>, xcn: Part<'a>) {
    if xcn.has_repetitions() {
        for forms in people_of(xcn).into_iter().skip(1) {
            keep_person(cx, forms);
        }
    }
}

/// Whether a field names a person as another one does, or by the number alone.
#[inline(never)]
pub(crate) fn says_person(person: Part<'_>, again: Part<'_>) -> bool {
    again.comp(1).raw() == person.comp(1).raw()
        && warifu_hl7::find(person.raw(), again.raw(), 0).is_some()
}

fn keep_person<'a>(cx: &mut Cx<'a, '_>, forms: Part<'a>) {
    cx.unread(forms.text().trimmed(), "XCN");
}

/// The repetitions of an XCN, person by person: a number other than that of the person before begins the
/// next one, as does a name without number in the writing (XCN.15) of the person's first.
#[inline(never)]
pub(crate) fn people_of(xcn: Part<'_>) -> Vec<Part<'_>> {
    let mut all: Vec<Part<'_>> = Vec::new();
    // Of the person at the end: first repetition, number, and how that is written.
    let mut open: Option<(Part<'_>, &str, &str)> = None;
    for rep in xcn.reps().filter(Part::is_some) {
        let (own, form) = (
            rep.comp(1).value().trimmed().text,
            rep.comp(15).value().text,
        );
        match (&open, all.last_mut()) {
            (Some((first, number, written)), Some(person))
                if (own.is_empty() || own == *number)
                    && !(number.is_empty() && !form.is_empty() && form == *written) =>
            {
                *person = xcn.until(*first, rep);
            }
            _ => {
                all.push(rep);
                open = Some((rep, own, form));
            }
        }
    }
    all
}

/// Logical id and name of a person named by the same bytes before.
fn known_person<'a>(cx: &Cx<'a, '_>, xcn: Part<'a>) -> Option<(Option<Id>, &'a str)> {
    let reading = crate::cx::reading_of(xcn.message());
    let key: [&[u8]; 2] = [&reading, xcn.raw()];
    cx.conv.people.get(&key, |p| (p.id, cx.text(&p.display)))
}

/// One person, by all forms of the name.
fn person<'a>(cx: &mut Cx<'a, '_>, xcn: Part<'a>) -> Option<Person<'a>> {
    let known = known_person(cx, xcn).unwrap_or_else(|| {
        let (id, display) = read_person(cx, xcn);
        let known = Known {
            id,
            display: display.into(),
        };
        let reading = crate::cx::reading_of(xcn.message());
        cx.conv.people.put(&[&reading, xcn.raw()], known);
        (id, display)
    });
    described(cx, xcn, known)
}

fn described<'a>(
    cx: &mut Cx<'a, '_>,
    xcn: Part<'a>,
    (id, display): (Option<Id>, &'a str),
) -> Option<Person<'a>> {
    if let Some(id) = id {
        let known = cx.out.described(id);
        if known.is_none_or(|d| xcn.raw() != d.field) {
            describe_person(cx, id, xcn, display);
        }
    } else if display.is_empty() {
        return None;
    }
    Some(Person {
        id,
        display,
        src: xcn.src(),
    })
}

/// Bytes of a field in which the forms of a person's name are looked for.
const FORMS: usize = 512;

/// A name to compare by.
pub(crate) fn without_blanks(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    name.split_whitespace().for_each(|word| text.push_str(word));
    text
}

/// Emits a Practitioner, or as a newer field describes it; further forms of the name (kana) that are not in
/// it are told.
#[inline(never)]
fn describe_person<'a>(cx: &mut Cx<'a, '_>, id: Id, xcn: Part<'a>, display: &str) {
    let raw = xcn.raw();
    let described = Described {
        name: without_blanks(display),
        field: raw.get(..FORMS).unwrap_or(raw).to_vec(),
        // A second given name is one more.
        forms: xcn.reps().take(4).filter(Part::is_some).count()
            + usize::from(xcn.comp(4).is_some()),
        kind: xcn.comp(15).sub(1).raw().to_vec(),
        ..Described::default()
    };
    let make = &mut |cx: &mut Cx<'a, '_>| crate::kinds::practitioner::emit(cx, id, xcn);
    if describe(cx, ("Practitioner", id), described, xcn.src(), make) {
        return;
    }
    let other = cx
        .out
        .described(id)
        .is_some_and(|d| d.kind != xcn.comp(15).sub(1).raw());
    for rep in xcn
        .reps()
        .take(4)
        .skip(usize::from(!other))
        .filter(Part::is_some)
    {
        let raw = rep.raw();
        let Some(known) = cx.out.described(id) else {
            return;
        };
        if known.field.windows(raw.len()).any(|part| part == raw) || known.field.len() > FORMS {
            continue;
        }
        known.field.push(b'~');
        known.field.extend_from_slice(raw);
        let name = field_at(xcn.message(), rep.src());
        cx.report_with(&MAP018, &rep, name);
    }
}

/// Name of the field that something stands in.
fn field_at(message: warifu_hl7::Message<'_>, at: Src) -> String {
    message.locate(at.start).unwrap_or_default().field_name()
}

/// Emits a shared resource. The newest name of a number or code is its name: the resource is made again
/// where it had none, another one, or fewer forms of it; another name is told once. Whether it was made.
pub(crate) fn describe<'a>(
    cx: &mut Cx<'a, '_>,
    (resource_type, id): (&'static str, Id),
    mut described: Described,
    at: Src,
    make: &mut dyn FnMut(&mut Cx<'a, '_>),
) -> bool {
    if cx.emitted(resource_type, id) {
        let Some(known) = cx.out.described(id) else {
            return false;
        };
        (described.told, described.place) = (known.told, known.place);
        let same = known.name == described.name;
        let other = !same && !known.name.is_empty();
        let fuller = if same {
            described.forms > known.forms
        } else {
            !described.name.is_empty()
        };
        if !fuller || other && known.kind != described.kind {
            return false;
        }
        if other && !described.told {
            described.told = true;
            let name = field_at(cx.message(), at);
            cx.report_with(&MAP127, &at, name);
        }
        cx.out.take_out(resource_type, id);
        make(cx);
        cx.out.put_back(described.place);
    } else {
        make(cx);
        described.place = cx.out.resources.len().saturating_sub(1);
    }
    cx.out.describe(id, described);
    true
}

/// Logical id of the person an XCN names, where it has an id number, and the name or "".
fn read_person<'a>(cx: &mut Cx<'a, '_>, xcn: Part<'a>) -> (Option<Id>, &'a str) {
    let number = xcn.comp(1).value().trimmed();
    let display = xcn
        .reps()
        .map(|rep| full_name(cx, rep.comp(2).value(), rep.comp(3).value()))
        .find(|s| !s.is_empty())
        .unwrap_or("");
    if number.is_empty() {
        return (None, display);
    }
    let readable = crate::cx::concat(cx.message().arena(), &["practitioner.", number.text]);
    (
        Some(cx.shared_id("Practitioner", &[number.text], readable)),
        display,
    )
}

/// Writes a Reference to a person: `reference` and `display`, or `display` alone.
pub fn person_reference(o: &mut Object<'_>, p: &Person<'_>) {
    if let Some(id) = p.id {
        o.reference("Practitioner", &id, p.src);
    }
    o.string("display", p.display, p.src);
}

/// `family given` with one half-width space, in the arena; what is missing is left out.
pub fn full_name<'a>(cx: &Cx<'a, '_>, family: Val<'a>, given: Val<'a>) -> &'a str {
    let (f, g) = (family.text.trim(), given.text.trim());
    match (f.is_empty(), g.is_empty()) {
        (true, _) => g,
        (_, true) => f,
        _ => crate::cx::concat(cx.message().arena(), &[f, " ", g]),
    }
}

// --- names --------------------------------------------------------------------------------------

/// A name as read from one repetition of XPN or XCN.
#[derive(Debug, Clone, Copy)]
pub struct PersonName<'a> {
    /// Family name; empty when only the whole name is known.
    pub family: Val<'a>,
    /// Given name.
    pub given: Val<'a>,
    /// Second and further given names.
    pub further: Val<'a>,
    /// `family given`, or the whole name.
    pub text: &'a str,
    /// Value of the iso21090-EN-representation extension, or empty.
    pub representation: &'static str,
    /// Bytes the representation was read from.
    pub representation_src: Src,
}

impl PersonName<'_> {
    /// Nothing was sent.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// Reads one repetition of XPN (HL7 v2.5 §2.A.88): type in component 7, representation in 8.
pub fn patient_name<'a>(cx: &mut Cx<'a, '_>, rep: Part<'a>) -> PersonName<'a> {
    let name = read_name(cx, rep, 1, 7, 8);
    if !name.is_empty() && !name.representation_src.is_some() {
        cx.report(&warifu_diag::catalogue::map_admin::MAP102, &rep);
    }
    name
}

/// Reads the name of one repetition of XCN (HL7 v2.5 §2.A.86): type in component 10, representation
/// in 15.
pub fn staff_name<'a>(cx: &mut Cx<'a, '_>, rep: Part<'a>) -> PersonName<'a> {
    read_name(cx, rep, 2, 10, 15)
}

/// The name; kana in full width, as JP Core writes them (what was sent is what the trace shows).
fn read_name<'a>(
    cx: &mut Cx<'a, '_>,
    rep: Part<'a>,
    first: usize,
    kind_at: usize,
    code_at: usize,
) -> PersonName<'a> {
    let name = read_parts(cx, rep, first, kind_at, code_at);
    if name.representation != "SYL" {
        return name;
    }
    let full = |text: &'a str| match warifu_source::full_width_kana(text) {
        std::borrow::Cow::Borrowed(same) => same,
        std::borrow::Cow::Owned(text) => cx.text(&text),
    };
    PersonName {
        family: name.family.map(full(name.family.text)),
        given: name.given.map(full(name.given.text)),
        further: name.further.map(full(name.further.text)),
        text: full(name.text),
        ..name
    }
}

fn read_parts<'a>(
    cx: &mut Cx<'a, '_>,
    rep: Part<'a>,
    first: usize,
    kind_at: usize,
    code_at: usize,
) -> PersonName<'a> {
    use warifu_diag::catalogue::map_admin::{MAP101, MAP103};
    let mut family = rep.comp(first).value().trimmed();
    let mut given = rep.comp(first + 1).value().trimmed();
    let further = rep.comp(first + 2).value().trimmed();
    let mut text = full_name(cx, family, given);
    if given.is_empty() && !family.is_empty() {
        cx.report(&MAP103, &family);
        let mut words = family.text.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(f), Some(g), None) => {
                given = family.map(g);
                family = family.map(f);
                text = full_name(cx, family, given);
            }
            // Nothing tells where the family name ends: the whole name stays in `text`.
            _ => family = family.map(""),
        }
    }
    // The mirror of it; three words and more stay as they were sent.
    if family.is_empty() && !given.is_empty() {
        let mut words = given.text.split_whitespace();
        if let (Some(f), Some(g), None) = (words.next(), words.next(), words.next()) {
            cx.report(&MAP103, &given);
            family = given.map(f);
            given = given.map(g);
            text = full_name(cx, family, given);
        }
    }
    let code = rep.comp(code_at).value();
    if let Some(known) = warifu_terms::maps::NAME_REPRESENTATION
        .find(code.text)
        .flatten()
    {
        return PersonName {
            family,
            given,
            further,
            text,
            representation: known,
            representation_src: code.src(),
        };
    }
    let early = rep.comp(code_at.saturating_sub(1)).value();
    let shifted = rep.comp(kind_at.saturating_sub(1)).value().text.trim() == "L";
    if let Some(known) = warifu_terms::maps::NAME_REPRESENTATION
        .find(early.text)
        .flatten()
        .filter(|_| shifted)
    {
        cx.report(&MAP101, &early);
        cx.used(&rep.comp(kind_at.saturating_sub(1)));
        return PersonName {
            family,
            given,
            further,
            text,
            representation: known,
            representation_src: early.src(),
        };
    }
    if !code.trimmed().is_empty() {
        cx.report_with(&MAP008, &code, "4000");
        cx.unread(code.trimmed(), "XPN.8");
    }
    PersonName {
        family,
        given,
        further,
        text,
        representation: script_of(text),
        representation_src: Src::NONE,
    }
}

/// Representation by script: kana only → `SYL`, Latin only → `ABC`, else `IDE`; empty for no text.
fn script_of(text: &str) -> &'static str {
    let kana =
        |c: char| matches!(c, '\u{3040}'..='\u{30FF}' | '\u{FF66}'..='\u{FF9F}' | ' ' | '\u{3000}');
    if text.is_empty() {
        ""
    } else if text.chars().all(kana) {
        "SYL"
    } else if text.is_ascii() {
        "ABC"
    } else {
        "IDE"
    }
}

/// Writes the members of a HumanName.
pub fn human_name(o: &mut Object<'_>, name: &PersonName<'_>, name_use: &'static str) {
    if name.is_empty() {
        return;
    }
    if !name.representation.is_empty() {
        o.array("extension", |a| {
            a.object(|o| {
                o.constant("url", EN_REPRESENTATION);
                o.string("valueCode", name.representation, name.representation_src);
            });
        });
    }
    if !name_use.is_empty() {
        o.constant("use", name_use);
    }
    if !name.given.is_empty() {
        o.also(name.given.src());
    }
    o.string("text", name.text, name.family.src());
    o.string("family", name.family.text, name.family.src());
    o.array("given", |a| {
        a.string(name.given.text, name.given.src());
        a.string(name.further.text, name.further.src());
    });
}

// --- addresses, telephones, organizations -------------------------------------------------------

/// Writes the members of an Address from one repetition of XAD (HL7 v2.5 §2.A.83): `text` is the full
/// address of component 8, else the parts joined; the prefecture only where the text begins with it.
pub fn address<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, rep: Part<'a>) {
    address_of(o, cx, rep, true);
}

/// [`address`] of an organization, which has no home (org-2): such a `use` is left out.
pub fn organization_address<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, rep: Part<'a>) {
    address_of(o, cx, rep, false);
}

fn address_of<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, rep: Part<'a>, person: bool) {
    let mut c = [Val::default(); 8];
    for (slot, part) in c.iter_mut().zip(rep.comps()) {
        *slot = part.value().trimmed();
    }
    let [street, other, city, state, zip, country, kind, full] = c;
    if [street, other, city, state, zip, full]
        .iter()
        .all(Val::is_empty)
    {
        return;
    }
    match warifu_terms::maps::ADDRESS_USE.find(kind.text) {
        Some(Some("home")) if !person => cx.used(&kind),
        Some(Some(code)) => o.string("use", code, kind.src()),
        Some(None) => {}
        None if kind.is_empty() => {}
        None => {
            cx.report_with(&MAP008, &kind, "0190");
            cx.unread(kind, "XAD.7");
        }
    }
    let mut src = full.src();
    let mut text = full.text;
    if text.is_empty() {
        let mut joined = bumpalo::collections::String::new_in(cx.message().arena());
        for part in [state, city, street, other] {
            joined.push_str(part.text);
        }
        text = joined.into_bump_str();
        src = rep.src();
    }
    o.string("text", text, src);
    if full.is_empty() {
        o.array("line", |a| {
            a.string(street.text, street.src());
            a.string(other.text, other.src());
        });
    }
    o.string("city", city.text, city.src());
    if !state.is_empty() {
        o.string("state", state.text, state.src());
    } else if let Some(name) = prefecture(text) {
        o.string("state", name, src);
    }
    o.string("postalCode", zip.text, zip.src());
    let two_letters = warifu_terms::maps::country(country.text);
    o.string(
        "country",
        two_letters.unwrap_or(country.text),
        country.src(),
    );
}

/// The prefecture a full address begins with.
fn prefecture(text: &str) -> Option<&'static str> {
    warifu_terms::tables::T_PREFECTURE
        .entries
        .iter()
        .map(|e| e.ja)
        .find(|name| text.starts_with(name))
}

/// Writes the members of a ContactPoint from one repetition of XTN (HL7 v2.5 §2.A.89): the number is
/// component 12, else 1, else area and local number (6, 7). `field_use` is what the field itself says
/// (home, business) and holds only when component 2 is empty.
pub fn telecom<'a>(
    o: &mut Object<'_>,
    cx: &mut Cx<'a, '_>,
    rep: Part<'a>,
    field_use: Option<&'static str>,
) {
    telecom_of(o, cx, rep, field_use, true);
}

/// [`telecom`] of an organization, which has no home (org-3): such a `use` is left out.
pub fn organization_telecom<'a>(o: &mut Object<'_>, cx: &mut Cx<'a, '_>, rep: Part<'a>) {
    telecom_of(o, cx, rep, None, false);
}

fn telecom_of<'a>(
    o: &mut Object<'_>,
    cx: &mut Cx<'a, '_>,
    rep: Part<'a>,
    field_use: Option<&'static str>,
    person: bool,
) {
    use warifu_terms::maps::{TELECOM_SYSTEM, TELECOM_USE, is_emergency_number};
    let mut c = [Val::default(); 12];
    for (slot, part) in c.iter_mut().zip(rep.comps()) {
        *slot = part.value().trimmed();
    }
    let [
        plain,
        purpose,
        equipment,
        email,
        _,
        area,
        local,
        extension,
        ..,
        number,
    ] = c;
    let mut value = number;
    if value.is_empty() {
        value = if equipment.text == "Internet" || purpose.text == "NET" {
            email.some().unwrap_or(plain)
        } else {
            plain
        };
    }
    if value.is_empty() && !local.is_empty() {
        let joined = if area.is_empty() {
            local.text
        } else {
            bumpalo::format!(in cx.message().arena(), "{}-{}", area.text, local.text)
                .into_bump_str()
        };
        value = local.map(joined);
    }
    if value.is_empty() {
        value = email;
    }
    if value.is_empty() {
        // A purpose without a number says nothing.
        cx.used(&rep);
        return;
    }
    let mail = purpose.text == "NET" || value.text.as_bytes().contains(&b'@');
    let system = TELECOM_SYSTEM.translate(equipment.text);
    if !system.known && !equipment.is_empty() {
        cx.report_with(&MAP008, &equipment, "0202");
        cx.unread(equipment.trimmed(), "XTN.3");
    }
    let code = match (system.known, mail, purpose.text) {
        (true, ..) => system.to.system,
        (false, true, _) => "email",
        (false, _, "BPN") => "pager",
        _ => "phone",
    };
    o.string(
        "system",
        code,
        if equipment.is_empty() {
            Src::NONE
        } else {
            equipment.src()
        },
    );
    if extension.is_empty() {
        o.string("value", value.text, value.src());
    } else {
        o.also(extension.src());
        let joined =
            bumpalo::format!(in cx.message().arena(), "{} x{}", value.text, extension.text)
                .into_bump_str();
        o.string("value", joined, value.src());
    }
    let by_purpose = TELECOM_USE.find(purpose.text);
    if by_purpose.is_none() && !purpose.is_empty() {
        cx.report_with(&MAP008, &purpose, "0201");
    }
    if by_purpose.flatten().is_none() && !matches!(purpose.text, "" | "EMR" | "NET") {
        cx.unread(purpose, "XTN.2");
    }
    match (system.to.implied_use, by_purpose.flatten()) {
        (Some(implied), _) => {
            if !purpose.is_empty() {
                o.also(purpose.src());
            }
            o.string("use", implied, equipment.src());
        }
        (None, Some("home")) if !person => cx.used(&purpose),
        (None, Some(by_purpose)) => o.string("use", by_purpose, purpose.src()),
        (None, None) if purpose.is_empty() => {
            if let Some(field_use) = field_use {
                o.constant("use", field_use);
            }
        }
        (None, None) => {}
    }
    if is_emergency_number(purpose.text) {
        o.number("rank", "1", purpose.src());
    }
}

/// A concept with one coding of a FHIR code system (system and code are constants of the mapping).
pub fn coded_concept(
    o: &mut Object<'_>,
    system: &'static str,
    code: &str,
    display: &'static str,
    src: Src,
) {
    o.array("coding", |a| {
        a.object(|o| {
            o.constant("system", system);
            o.string("code", code, src);
            o.constant("display", display);
        });
    });
}

/// ASCII form of full-width digits, letters and hyphens; other characters stay.
pub fn half_width<'a>(cx: &Cx<'a, '_>, text: &'a str) -> &'a str {
    if text.is_ascii() {
        return text;
    }
    let mut s = bumpalo::collections::String::new_in(cx.message().arena());
    for c in text.chars() {
        s.push(match c {
            '\u{FF01}'..='\u{FF5E}' => u32::from(c)
                .checked_sub(0xFEE0)
                .and_then(char::from_u32)
                .unwrap_or(c),
            '\u{3000}' => ' ',
            '−' | '‐' => '-',
            _ => c,
        });
    }
    s.into_bump_str()
}
