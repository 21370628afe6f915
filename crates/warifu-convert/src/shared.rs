//! What patients share, over a run: one form of each doctor, department, ward, whoever comes first.
//!
//! A conversion knows one patient. Of the forms that several of them give a resource, each element has
//! its fullest: the longest in bytes, of equally long ones the least. That is the greatest of a total
//! order, so neither the order of patients nor the number of threads changes it. What the form of an
//! element that was passed over says beyond the one that stands is a contradiction, and told (SSM183).
//!
//! The forms are kept in a [`Log`], which an edge keeps on a disk where there may be many; in memory are
//! some eighty bytes a resource.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use memchr::memmem;
use sha2_011::{Digest as _, Sha256};

use crate::{SHARED, type_and_id};

/// What forms are recognised by.
pub fn digest(bytes: &[u8]) -> u128 {
    let hash = Sha256::digest(bytes);
    let first = hash.iter().take(16);
    first.fold(0, |n, b| (n << 8) | u128::from(*b))
}

// ── JSON as this workspace writes it ────────────────────────────────────────────────────────────────

/// The bytes outside of texts that give a value its shape, with the depth they stand at.
fn shape(json: &[u8]) -> impl Iterator<Item = (usize, u8, usize)> {
    let (mut text, mut escaped, mut depth) = (false, false, 0_usize);
    json.iter().enumerate().filter_map(move |(i, &b)| {
        if text {
            text = escaped || b != b'"';
            escaped = !escaped && b == b'\\';
            return None;
        }
        let at = match b {
            b'"' => {
                text = true;
                return None;
            }
            b'{' | b'[' => {
                depth += 1;
                depth - 1
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                depth
            }
            b',' | b':' => depth,
            _ => return None,
        };
        Some((i, b, at))
    })
}

/// Members of an object, or items of a list, whose names are empty; nothing of what is neither.
fn parts(json: &[u8]) -> Vec<(&str, &[u8])> {
    let Some((b'{' | b'[', [inner @ .., _])) = json.split_first() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let (mut from, mut colon) = (0, None);
    let mut part = |from: usize, colon: Option<usize>, to: usize| {
        let name = colon.and_then(|colon| inner.get(from + 1..colon.checked_sub(1)?));
        let value = inner.get(colon.map_or(from, |colon| colon + 1)..to);
        let name = std::str::from_utf8(name.unwrap_or_default());
        found.push((name.unwrap_or_default(), value.unwrap_or_default()));
    };
    let object = json.first() == Some(&b'{');
    for (i, b, depth) in shape(inner) {
        match (b, depth) {
            (b':', 0) if object => colon = Some(i),
            (b',', 0) => {
                part(from, colon.take(), i);
                from = i + 1;
            }
            _ => {}
        }
    }
    if !inner.is_empty() {
        part(from, colon, inner.len());
    }
    found
}

/// Whether a value says all that another says.
fn covers(whole: &[u8], part: &[u8]) -> bool {
    if whole == part {
        return true;
    }
    let kind = whole.first();
    if kind != part.first() || !matches!(kind, Some(b'{' | b'[')) {
        return false;
    }
    let has = parts(whole);
    parts(part)
        .iter()
        .all(|(name, value)| has.iter().any(|(n, v)| n == name && covers(v, value)))
}

/// Whether a value goes before another.
fn fuller(one: &[u8], other: &[u8]) -> bool {
    let by_length = one.len().cmp(&other.len());
    by_length.then_with(|| other.cmp(one)) == Ordering::Greater
}

/// Elements of every resource, and of those that are shared, in the order of R4.
const ORDER: [(&str, &str); 5] = [
    (
        "",
        "resourceType id meta implicitRules language text contained extension modifierExtension",
    ),
    (
        "Practitioner",
        "identifier active name telecom address gender birthDate photo qualification communication",
    ),
    (
        "PractitionerRole",
        "identifier active period practitioner organization code specialty location healthcareService telecom availableTime notAvailable availabilityExceptions endpoint",
    ),
    (
        "Organization",
        "identifier active type name alias telecom address partOf contact endpoint",
    ),
    (
        "Location",
        "identifier status operationalStatus name alias description mode type telecom address physicalType position managingOrganization partOf hoursOfOperation availabilityExceptions endpoint",
    ),
];

/// Place of an element: elements of all resources, those of this type, others by their names.
fn place<'n>(resource_type: &str, name: &'n str) -> (usize, usize, &'n str) {
    let lists = ORDER.iter().enumerate();
    let mut own = lists.filter(|(_, (ty, _))| ty.is_empty() || *ty == resource_type);
    let found = own.find_map(|(list, (_, names))| {
        let at = names.split(' ').position(|n| n == name)?;
        Some((list, at, ""))
    });
    found.unwrap_or((usize::MAX, 0, name))
}

/// Of two forms of a resource what stands.
#[derive(Debug, Default, PartialEq, Eq)]
struct Joined {
    json: Vec<u8>,
    /// Elements of the first that the second has otherwise and fuller, and the reverse.
    replaced: [Vec<String>; 2],
    /// Elements that the second has alone.
    added: Vec<String>,
    /// Whether the first, or the second, says something that does not stand.
    lost: [bool; 2],
}

fn join(first: &[u8], second: &[u8]) -> Joined {
    let mut joined = Joined::default();
    let (resource_type, _) = type_and_id(first);
    let mut members = parts(first);
    for (name, new) in parts(second) {
        let Some((_, stands)) = members.iter_mut().find(|(n, _)| *n == name) else {
            joined.added.push(name.to_owned());
            members.push((name, new));
            continue;
        };
        if *stands == new {
            continue;
        }
        let newer = fuller(new, stands);
        let (over, under) = if newer {
            (new, *stands)
        } else {
            (*stands, new)
        };
        let [of_first, of_second] = &mut joined.replaced;
        let [first_lost, second_lost] = &mut joined.lost;
        let (passed, lost) = if newer {
            (of_first, first_lost)
        } else {
            (of_second, second_lost)
        };
        passed.push(name.to_owned());
        *lost |= !covers(over, under);
        *stands = over;
    }
    members.sort_by_key(|(name, _)| place(resource_type, name));
    for (i, (name, value)) in members.iter().enumerate() {
        let open: &[u8] = if i == 0 { b"{\"" } else { b",\"" };
        for bytes in [open, name.as_bytes(), b"\":", value] {
            joined.json.extend_from_slice(bytes);
        }
    }
    joined.json.push(b'}');
    joined
}

/// What stands behind the key of a text in JSON, up to its end.
fn text_at(json: &[u8], from: usize) -> &[u8] {
    let rest = json.get(from..).unwrap_or_default();
    let end = memchr::memchr(b'"', rest).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// The same with references as `to` has them.
fn referring<'m>(json: &[u8], to: impl Fn(&[u8]) -> Option<&'m [u8]>) -> Vec<u8> {
    const KEY: &[u8] = b"\"reference\":\"";
    let mut own = Vec::with_capacity(json.len());
    let mut from = 0;
    for at in memmem::find_iter(json, KEY) {
        let at = at + KEY.len();
        let named = text_at(json, at);
        own.extend_from_slice(json.get(from..at).unwrap_or_default());
        own.extend_from_slice(to(named).unwrap_or(named));
        from = at + named.len();
    }
    own.extend_from_slice(json.get(from..).unwrap_or_default());
    own
}

/// Lines of a trace whose pointers, into a resource, name elements that are wanted.
fn of_elements(trace: &[u8], wanted: impl Fn(&str) -> bool, out: &mut Vec<u8>) {
    const KEY: &[u8] = b"\"pointer\":\"/";
    for line in trace.split_inclusive(|&b| b == b'\n') {
        let at = memmem::find(line, KEY).map_or(line.len(), |at| at + KEY.len());
        let pointer = std::str::from_utf8(text_at(line, at)).unwrap_or_default();
        if wanted(pointer.split('/').next().unwrap_or_default()) {
            out.extend_from_slice(line);
        }
    }
}

// ── what stands over a run ──────────────────────────────────────────────────────────────────────────

/// Where forms are kept.
pub trait Log {
    /// Why it cannot.
    type Error;
    /// Adds bytes; says where they begin.
    fn append(&mut self, bytes: &[u8]) -> Result<u64, Self::Error>;
    /// Gives bytes that were added.
    fn read(&mut self, at: u64, length: u64) -> Result<Vec<u8>, Self::Error>;
}

impl Log for Vec<u8> {
    type Error = std::convert::Infallible;
    fn append(&mut self, bytes: &[u8]) -> Result<u64, Self::Error> {
        let at = as_u64(self.len());
        self.extend_from_slice(bytes);
        Ok(at)
    }
    fn read(&mut self, at: u64, length: u64) -> Result<Vec<u8>, Self::Error> {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let rest = self.get(at..).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or(rest).to_vec())
    }
}

fn as_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The form of a resource that stands, or one that was passed over, as they are in the log: a kind, two
/// numbers, and what they count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Record {
    /// Bytes of the form and of its trace.
    Stands(u64, u64),
    /// Bytes of the form, and where the one before it is that was passed over, from 1.
    Passed(u64, u64),
}

impl Record {
    const LENGTH: u64 = 17;

    fn head(self) -> [u8; 17] {
        let (kind, one, two) = match self {
            Self::Stands(form, trace) => (b'+', form, trace),
            Self::Passed(form, before) => (b'-', form, before),
        };
        let numbers = [one.to_be_bytes(), two.to_be_bytes()];
        let mut bytes = std::iter::once(kind).chain(numbers.into_iter().flatten());
        std::array::from_fn(|_| bytes.next().unwrap_or_default())
    }
    fn read(head: &[u8]) -> Option<Self> {
        let (kind, numbers) = head.split_first()?;
        let (one, two) = numbers.split_first_chunk::<8>()?;
        let (one, two) = (
            u64::from_be_bytes(*one),
            u64::from_be_bytes(two.try_into().ok()?),
        );
        match kind {
            b'+' => Some(Self::Stands(one, two)),
            b'-' => Some(Self::Passed(one, two)),
            _ => None,
        }
    }
}

/// What is known of a resource.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// Its number among all, in the order in which they came.
    number: u64,
    /// Where the form that stands begins, its length, and that of the trace behind it.
    at: u64,
    form: u64,
    trace: u64,
    digest: u128,
    /// Where the last one is that was passed over though it says something else, from 1.
    passed: u64,
}

/// The resources that patients share.
#[derive(Debug, Default)]
pub struct Ledger {
    known: BTreeMap<u128, Known>,
}

/// What became of a form.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// It is the first of its resource.
    pub first: bool,
    /// What stands, where that is another form.
    pub stands: Option<Vec<u8>>,
    /// Elements that stand otherwise.
    pub replaced: Vec<String>,
}

/// A Bundle with forms from others.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Better {
    /// The Bundle.
    pub json: Vec<u8>,
    /// Pointers of what it had otherwise.
    pub replaced: Vec<String>,
}

impl Better {
    /// Whether what stands at a pointer is not the Bundle's own.
    pub fn replaces(&self, pointer: &str) -> bool {
        self.replaced.iter().any(|at| {
            let rest = pointer.strip_prefix(at.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// A resource at the end of a run.
#[derive(Debug)]
pub struct Settled<'s> {
    /// Its type.
    pub resource_type: &'s str,
    /// Its id.
    pub id: &'s str,
    /// The form that stands.
    pub json: &'s [u8],
    /// The lines of its trace.
    pub trace: &'s [u8],
    /// Whether another form says something that this one does not.
    pub contradicted: bool,
}

impl Ledger {
    /// Takes a form, with lines of its trace whose pointers are into it.
    pub fn offer<L: Log>(
        &mut self,
        log: &mut L,
        form: &[u8],
        trace: &[u8],
    ) -> Result<Offered, L::Error> {
        let own = digest(form);
        let key = key_of(form);
        let Some(known) = self.known.get(&key).copied() else {
            let number = as_u64(self.known.len());
            let known = stand(log, number, 0, form, trace)?;
            self.known.insert(key, known);
            return Ok(Offered {
                first: true,
                ..Offered::default()
            });
        };
        if known.digest == own {
            return Ok(Offered::default());
        }
        let stood = log.read(known.at, known.form)?;
        let mut joined = join(&stood, form);
        let mut now = known;
        for (form, lost) in [stood.as_slice(), form].into_iter().zip(joined.lost) {
            if lost && !is_noted(log, now.passed, form)? {
                let head = Record::Passed(as_u64(form.len()), now.passed).head();
                now.passed = log.append(&[head.as_slice(), form].concat())? + 1;
            }
        }
        if joined.json != stood {
            let [of_first, _] = &joined.replaced;
            let mut lines = Vec::new();
            let before = log.read(known.at + known.form, known.trace)?;
            let is_new = |name: &str| of_first.iter().chain(&joined.added).any(|n| n == name);
            of_elements(&before, |name| !is_new(name), &mut lines);
            of_elements(trace, is_new, &mut lines);
            now = stand(log, known.number, now.passed, &joined.json, &lines)?;
        }
        self.known.insert(key, now);
        let [_, replaced] = std::mem::take(&mut joined.replaced);
        Ok(Offered {
            first: false,
            stands: (joined.json != form).then_some(joined.json),
            replaced,
        })
    }

    /// Knows again what the first bytes of a log hold.
    pub fn restore<L: Log>(log: &mut L, end: u64) -> Result<Self, L::Error> {
        let mut own = Self::default();
        let mut at = 0_u64;
        while at.saturating_add(Record::LENGTH) <= end {
            let Some(record) = Record::read(&log.read(at, Record::LENGTH)?) else {
                break;
            };
            let (Record::Stands(length, _) | Record::Passed(length, _)) = record;
            let form = log.read(at + Record::LENGTH, length)?;
            let number = as_u64(own.known.len());
            let key = key_of(&form);
            match (record, own.known.get_mut(&key)) {
                (Record::Stands(form_length, trace), known) => {
                    let before = known.map_or((number, 0), |k| (k.number, k.passed));
                    let now = Known {
                        number: before.0,
                        at: at + Record::LENGTH,
                        form: form_length,
                        trace,
                        digest: digest(&form),
                        passed: before.1,
                    };
                    own.known.insert(key, now);
                    at = at.saturating_add(trace);
                }
                (Record::Passed(..), Some(known)) => known.passed = at + 1,
                (Record::Passed(..), None) => {}
            }
            at = at.saturating_add(Record::LENGTH + length);
        }
        Ok(own)
    }

    /// Gives all resources in the order in which they came.
    pub fn settle<L: Log, E: From<L::Error>>(
        &self,
        log: &mut L,
        mut put: impl FnMut(&Settled<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut order: Vec<&Known> = self.known.values().collect();
        order.sort_unstable_by_key(|known| known.number);
        for known in order {
            let json = log.read(known.at, known.form)?;
            let trace = log.read(known.at + known.form, known.trace)?;
            let (resource_type, id) = type_and_id(&json);
            put(&Settled {
                resource_type,
                id,
                json: &json,
                trace: &trace,
                contradicted: any_passed(log, known.passed, |form| !covers(&json, form))?,
            })?;
        }
        Ok(())
    }

    /// A Bundle in which each resource that is shared has the form that stands by now; `None` where it has
    /// all of them.
    pub fn bundle<L: Log>(
        &mut self,
        log: &mut L,
        bundle: &[u8],
    ) -> Result<Option<Better>, L::Error> {
        let entries = entries(bundle);
        let pairs = || {
            entries
                .iter()
                .map(|e| (e.url.as_bytes(), e.name.as_bytes()))
        };
        let names: BTreeMap<&[u8], &[u8]> = pairs().collect();
        let urls: BTreeMap<&[u8], &[u8]> = pairs().map(|(url, name)| (name, url)).collect();
        let (mut better, mut from) = (Better::default(), 0);
        for (number, entry) in entries.iter().enumerate() {
            let (resource_type, _) = entry.name.split_once('/').unwrap_or_default();
            if !SHARED.contains(&resource_type) {
                continue;
            }
            let form = bundle.get(entry.resource.clone()).unwrap_or_default();
            // Whether a reference is to an entry is the Bundle's own affair.
            let own = referring(form, |url| names.get(url).copied());
            let offered = self.offer(log, &own, b"")?;
            let Some(stands) = offered.stands else {
                continue;
            };
            let before = bundle.get(from..entry.resource.start);
            better.json.extend_from_slice(before.unwrap_or_default());
            better
                .json
                .extend_from_slice(&referring(&stands, |name| urls.get(name).copied()));
            from = entry.resource.end;
            let elements = offered.replaced.into_iter();
            let pointers = elements.map(|name| format!("/entry/{number}/resource/{name}"));
            better.replaced.extend(pointers);
        }
        let rest = bundle.get(from..).unwrap_or_default();
        better.json.extend_from_slice(rest);
        Ok((from > 0).then_some(better))
    }
}

/// What a resource is known by.
fn key_of(form: &[u8]) -> u128 {
    let (resource_type, id) = type_and_id(form);
    digest(&[resource_type.as_bytes(), b"/", id.as_bytes()].concat())
}

/// Writes down a form that stands.
fn stand<L: Log>(
    log: &mut L,
    number: u64,
    passed: u64,
    form: &[u8],
    trace: &[u8],
) -> Result<Known, L::Error> {
    let (length, traced) = (as_u64(form.len()), as_u64(trace.len()));
    let head = Record::Stands(length, traced).head();
    let at = log.append(&[head.as_slice(), form, trace].concat())?;
    Ok(Known {
        number,
        at: at + Record::LENGTH,
        form: length,
        trace: traced,
        digest: digest(form),
        passed,
    })
}

/// Looks at the forms that were passed over, the last first, until one is as it is wanted.
fn any_passed<L: Log>(
    log: &mut L,
    mut next: u64,
    mut wanted: impl FnMut(&[u8]) -> bool,
) -> Result<bool, L::Error> {
    while let Some(at) = next.checked_sub(1) {
        let head = log.read(at, Record::LENGTH)?;
        let Some(Record::Passed(length, before)) = Record::read(&head) else {
            break;
        };
        if wanted(&log.read(at + Record::LENGTH, length)?) {
            return Ok(true);
        }
        next = before;
    }
    Ok(false)
}

/// Whether a form is among the last few that were passed over.
fn is_noted<L: Log>(log: &mut L, passed: u64, form: &[u8]) -> Result<bool, L::Error> {
    let (mut looked, mut same) = (0, false);
    any_passed(log, passed, |other| {
        looked += 1;
        same = other == form;
        same || looked == 8
    })?;
    Ok(same)
}

/// A resource in a Bundle.
struct Entry {
    /// `fullUrl`.
    url: String,
    /// `Type/id`.
    name: String,
    resource: Range<usize>,
}

/// The resources of a Bundle. Inside a text every quote is escaped, so what looks like an entry is one.
fn entries(bundle: &[u8]) -> Vec<Entry> {
    const URL: &[u8] = b"{\"fullUrl\":\"";
    const RESOURCE: &[u8] = b"\",\"resource\":";
    let mut found = Vec::new();
    for at in memmem::find_iter(bundle, URL) {
        let url = text_at(bundle, at + URL.len());
        let from = at + URL.len() + url.len() + RESOURCE.len();
        let rest = bundle.get(from..).unwrap_or_default();
        let (resource_type, id) = type_and_id(rest);
        // Of the others nobody asks where they end.
        let end = if SHARED.contains(&resource_type) {
            shape(rest).find_map(|(i, b, depth)| (b == b'}' && depth == 0).then_some(i + 1))
        } else {
            None
        };
        found.push(Entry {
            url: String::from_utf8_lossy(url).into_owned(),
            name: format!("{resource_type}/{id}"),
            resource: from..from + end.unwrap_or_default(),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    fn doctor(rest: &str) -> Vec<u8> {
        format!(r#"{{"resourceType":"Practitioner","id":"7"{rest}}}"#).into_bytes()
    }

    /// What stands of these forms, whether that is told, and its trace.
    fn settled(forms: &[&[u8]], restored: bool) -> Vec<(String, bool, String)> {
        let mut log = Vec::new();
        let mut ledger = Ledger::default();
        for (n, form) in forms.iter().enumerate() {
            let mut trace = String::new();
            for (name, _) in parts(form) {
                let _ = writeln!(trace, "{{\"pointer\":\"/{name}/0\",\"n\":{n}}}");
            }
            ledger.offer(&mut log, form, trace.as_bytes()).unwrap();
            if restored {
                let end = as_u64(log.len());
                // What a run wrote that was stopped counts for nothing.
                log.extend_from_slice(b"+0123456789abcdef{}");
                ledger = Ledger::restore(&mut log, end).unwrap();
                log.truncate(usize::try_from(end).unwrap());
            }
        }
        let mut all = Vec::new();
        let put = |s: &Settled<'_>| -> Result<(), std::convert::Infallible> {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            assert_eq!((s.resource_type, s.id), type_and_id(s.json));
            all.push((text(s.json), s.contradicted, text(s.trace)));
            Ok(())
        };
        ledger.settle(&mut log, put).unwrap();
        all
    }

    #[test]
    fn the_fullest_form_of_each_element_stands_whatever_the_order() {
        let poor = doctor(r#","identifier":[{"value":"607"}]"#);
        let named = doctor(
            r#","identifier":[{"value":"607"}],"name":[{"text":"医師 \"],{一郎","family":"医師"}]"#,
        );
        let known = doctor(
            r#","identifier":[{"value":"607"}],"name":[{"text":"医師 \"],{一郎"}],"telecom":[{"value":"1,2"}],"gender":"male""#,
        );
        let whole = doctor(
            r#","identifier":[{"value":"607"}],"name":[{"text":"医師 \"],{一郎","family":"医師"}],"telecom":[{"value":"1,2"}],"gender":"male""#,
        );
        let whole = String::from_utf8(whole).unwrap();
        let forms: [&[u8]; 3] = [&poor, &named, &known];
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let forms = order.map(|n| forms[n]);
            for restored in [false, true] {
                let all = settled(&forms, restored);
                assert_eq!(all.len(), 1);
                // A poorer form is no loss: nothing is told.
                assert_eq!((&all[0].0, all[0].1), (&whole, false), "{order:?}");
                // Each leaf has the one line of the form it is from.
                let at = |n: usize| order.iter().position(|o| *o == n).unwrap();
                let line = |name: &str, form: usize| {
                    format!("{{\"pointer\":\"/{name}/0\",\"n\":{}}}\n", at(form))
                };
                let trace = &all[0].2;
                assert_eq!(trace.lines().count(), 6, "{trace}");
                assert!(trace.contains(&line("name", 1)), "{order:?} {trace}");
                assert!(trace.contains(&line("telecom", 2)), "{order:?} {trace}");
            }
        }
    }

    #[test]
    fn what_is_said_otherwise_is_told_and_only_if_it_does_not_stand_in_the_end() {
        let name = |n: &str| doctor(&format!(r#","name":{n}"#));
        let (old, new) = (
            name(r#"[{"text":"旧姓 花子"}]"#),
            name(r#"[{"text":"新しい姓 花子"}]"#),
        );
        let (kana, both) = (
            name(r#"[{"text":"シン"}]"#),
            name(r#"[{"text":"新しい姓 花子"},{"text":"シン"}]"#),
        );
        for (forms, told, stands) in [
            (&[&*old, &*new][..], true, &new),
            (&[&*kana, &*new, &*both], false, &both),
            (&[&*kana, &*new, &*both, &*old], true, &both),
            (&[&*kana, &*kana, &*new, &*new], true, &new),
        ] {
            let mut order: Vec<&[u8]> = forms.to_vec();
            for _ in 0..forms.len() {
                order.rotate_left(1);
                for restored in [false, true] {
                    let all = settled(&order, restored);
                    assert_eq!(all[0].0.as_bytes(), *stands);
                    assert_eq!(all[0].1, told, "{order:?}");
                }
            }
            order.reverse();
            assert_eq!(settled(&order, false)[0].1, told);
        }
        // Said again and again it is noted once.
        let (mut log, mut ledger) = (Vec::new(), Ledger::default());
        ledger.offer(&mut log, &new, b"").unwrap();
        let mut lengths = Vec::new();
        for _ in 0..3 {
            for form in [&old, &kana, &new] {
                ledger.offer(&mut log, form, b"").unwrap();
            }
            lengths.push(log.len());
        }
        assert!(lengths[0] == lengths[2], "{lengths:?}");
        // Of two that are as long the one whose bytes are less.
        let (a, b) = (name(r#"[{"text":"甲"}]"#), name(r#"[{"text":"乙"}]"#));
        assert_eq!(settled(&[&a, &b], false), {
            let mut other = settled(&[&b, &a], false);
            other[0].2 = settled(&[&a, &b], false)[0].2.clone();
            other
        });
    }

    #[test]
    fn elements_are_joined_in_the_order_of_the_crate_that_writes_them() {
        use warifu_fhir::element::{location, organization, practitioner, practitioner_role};
        let lists = [
            ("Practitioner", practitioner::IDENTIFIER, practitioner::NAME),
            ("Practitioner", practitioner::NAME, practitioner::TELECOM),
            (
                "Practitioner",
                practitioner::TELECOM,
                practitioner::QUALIFICATION,
            ),
            (
                "PractitionerRole",
                practitioner_role::PRACTITIONER,
                practitioner_role::ORGANIZATION,
            ),
            (
                "PractitionerRole",
                practitioner_role::ORGANIZATION,
                practitioner_role::CODE,
            ),
            ("Organization", organization::TYPE, organization::NAME),
            ("Organization", organization::NAME, organization::TELECOM),
            ("Organization", organization::ADDRESS, organization::PART_OF),
            ("Location", location::NAME, location::MODE),
            ("Location", location::MODE, location::TYPE),
            ("Location", location::TYPE, location::PHYSICAL_TYPE),
            (
                "Location",
                location::PHYSICAL_TYPE,
                location::MANAGING_ORGANIZATION,
            ),
            (
                "Location",
                location::MANAGING_ORGANIZATION,
                location::PART_OF,
            ),
        ];
        for (resource_type, first, second) in lists {
            assert!(first.order() < second.order());
            let (first, second) = (
                place(resource_type, first.name()),
                place(resource_type, second.name()),
            );
            assert!(first < second && second.0 < usize::MAX, "{resource_type}");
        }
        assert!(place("Location", "id") < place("Location", "extension"));
        assert!(place("Location", "endpoint") < place("Location", "unheardOf"));
    }

    #[test]
    fn a_bundle_has_what_stands_with_its_own_references() {
        let entry = |url: &str, resource: &str| {
            format!(
                r#"{{"fullUrl":"urn:uuid:{url}","resource":{resource},"request":{{"method":"PUT","url":"x"}}}}"#
            )
        };
        let bundle = |entries: &[String]| {
            let all = entries.join(",");
            format!(r#"{{"resourceType":"Bundle","id":"b","entry":[{all}]}}"#).into_bytes()
        };
        let ward = |rest: &str| {
            format!(r#"{{"resourceType":"Location","id":"w","name":"東{{\"}}病棟"{rest}}}"#)
        };
        let house = r#"{"resourceType":"Organization","id":"h"}"#;
        let patient = r#"{"resourceType":"Patient","id":"p"}"#;
        let inside = ward(r#","managingOrganization":{"reference":"urn:uuid:H"}"#);
        let outside = ward(r#","managingOrganization":{"reference":"Organization/h"}"#);
        let rich = bundle(&[entry("P", patient), entry("W", &inside), entry("H", house)]);
        let poor = bundle(&[entry("P", patient), entry("W", &ward(""))]);
        let (mut log, mut ledger) = (Vec::new(), Ledger::default());
        assert_eq!(ledger.bundle(&mut log, &poor).unwrap(), None);
        assert_eq!(ledger.bundle(&mut log, &rich).unwrap(), None);
        assert_eq!(ledger.bundle(&mut log, &rich).unwrap(), None);
        // Where the other entry is missing the reference is by name.
        let better = ledger.bundle(&mut log, &poor).unwrap().unwrap();
        assert_eq!(
            better.json,
            bundle(&[entry("P", patient), entry("W", &outside)])
        );
        assert!(better.replaced.is_empty());
        // Where it is there, by the entry.
        let both = bundle(&[entry("H", house), entry("W", &ward(r#","mode":"x""#))]);
        let better = ledger.bundle(&mut log, &both).unwrap().unwrap();
        let now = ward(r#","mode":"x","managingOrganization":{"reference":"urn:uuid:H"}"#);
        assert_eq!(better.json, bundle(&[entry("H", house), entry("W", &now)]));
        // What was otherwise is named.
        let other = bundle(&[entry("W", &ward(r#","mode":"""#))]);
        let better = ledger.bundle(&mut log, &other).unwrap().unwrap();
        assert_eq!(better.replaced, ["/entry/0/resource/mode"]);
    }
}
