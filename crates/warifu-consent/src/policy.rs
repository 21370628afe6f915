//! The policy: purposes, categories, ceilings, recipients and tables, as one versioned data file
//! (consent.md §4.2, §7.1). Its bytes are hashed, and the hash stands in every decision.

use std::cell::RefCell;
use std::rc::Rc;

use warifu_order::{Map, Set};

use crate::hash::sha256_text;
use crate::json::{self, Value};
use crate::reason::Lang;

/// A category by its place in the policy's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category(pub u8);

/// A purpose by its place in the policy's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purpose(pub u8);

/// A set of categories, purposes or labels of one policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Bits(pub u64);

impl Bits {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// One place.
    pub const fn one(place: u8) -> Self {
        Self(if place < 64 { 1 << place } else { 0 })
    }

    /// Whether the place is in the set.
    pub const fn has(self, place: u8) -> bool {
        self.0 & Self::one(place).0 != 0
    }

    /// Whether every place is in the other.
    pub const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether the sets share a place.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// How many.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The places, in order.
    pub fn places(self) -> impl Iterator<Item = u8> {
        (0..64_u8).filter(move |p| self.has(*p))
    }
}

/// A code with its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The code.
    pub code: String,
    names: [String; 3],
}

impl Named {
    /// Name in a language.
    pub fn name(&self, lang: Lang) -> &str {
        let [ja, easy, en] = &self.names;
        match lang {
            Lang::Ja => ja,
            Lang::JaEasy => easy,
            Lang::En => en,
        }
    }
}

/// How a purpose comes to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// By a grant.
    OptIn,
    /// The person's own data.
    Own,
    /// By statute only.
    Statute,
    /// Unless the person objects.
    OptOut,
}

/// Most that a purpose may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ceiling {
    Set(Bits),
    /// What the policy lists for the study.
    Study,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PurposeRow {
    named: Named,
    consent: Consent,
    family: String,
    ceiling: Ceiling,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct KindRow {
    prefix: String,
    digits: u64,
    purposes: Bits,
}

/// A body and what it is certified for, or a study and what it may get.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    to: String,
    bits: Bits,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Statute {
    id: String,
    to: String,
    cats: Bits,
}

/// A row of the table that finds a resource's categories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) types: Vec<String>,
    pub(crate) cats: Bits,
    pub(crate) systems: Systems,
    pub(crate) prefixes: Vec<String>,
    pub(crate) category: Vec<String>,
    /// Only where no coding is of these systems; `*` is none of them.
    pub(crate) without: Systems,
    /// Only where a coding is of one of these systems.
    pub(crate) with: Systems,
    /// Where an identifier is of one of these systems, a contained resource's too.
    pub(crate) numbers: Systems,
    /// Only where one of these elements is there.
    pub(crate) has: Vec<String>,
    /// Only where a concept in one of these elements has no code, or one that no other row knows: what
    /// nobody judged may be what has a consent of its own.
    pub(crate) unjudged: Vec<String>,
    /// Only where a concept in one of these elements has no code that another row knows.
    pub(crate) unknown: Vec<String>,
    /// It holds where one of these elements has words, and for a concept no code that a row knows beside them.
    pub(crate) words: Vec<String>,
    /// What a code needs beside that has no display, which would say that it is none of these.
    pub(crate) unnamed: Bits,
    /// Categories that this one stands for.
    pub(crate) instead: Bits,
    /// It goes by what a coding says in these elements, wherever they stand; absent = by what the
    /// resource is. Without systems: by every coding that no other row knows.
    pub(crate) inside: Vec<String>,
    /// It goes by the code of a procedure or an observation.
    pub(crate) clinical: bool,
}

/// An extension whose content is the element's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extension {
    pub(crate) url: String,
    /// Types that have it; none = every type.
    pub(crate) types: Vec<String>,
    /// The member that has its value: `valueCode`.
    pub(crate) value: String,
    /// Values that it can have; none = any.
    pub(crate) codes: Vec<String>,
    /// It says where: it goes with who and where.
    pub(crate) place: bool,
}

/// What becomes of an element while something may be withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Only what the table names inside it.
    Inner,
    /// It stays, with the members of data types.
    Leaf,
    /// As a leaf that FHIR demands: where nothing of it stays, it is masked.
    Needed {
        /// What it stands in goes with it.
        parent: bool,
    },
    /// As a leaf; of published codes in it only those that describe an item.
    Worded,
    /// As a leaf; of its codes those that a row knows, of others their words where there are none beside
    /// them. Where a listed code names it (the kind of a report), that alone.
    Judged,
    /// A value that R4 has no members for: what is an object there goes, and what is no code of R4.
    Plain,
    /// As a leaf; it goes where institutions are masked.
    Own,
    /// A reference: it stays where its target does.
    Reference {
        /// To who or where.
        place: bool,
        /// Masked, not dropped.
        required: bool,
        /// What it stands in goes with it.
        parent: bool,
    },
    /// Codes of published systems stay, words do not.
    Coded {
        /// Masked, not dropped, where nothing stays.
        required: bool,
        /// What it stands in goes with it.
        parent: bool,
    },
    /// It is masked.
    Masked,
}

const CHOICES: &[&str] = &[
    "CodeableConcept",
    "DateTime",
    "Quantity",
    "Boolean",
    "Decimal",
    "Duration",
    "Instant",
    "Integer",
    "PositiveInt",
    "Period",
    "Range",
    "Ratio",
    "SampledData",
    "String",
    "Timing",
    "Time",
    "Date",
    "Money",
    "Age",
];

/// Choices without members.
const PLAIN: &[&str] = &[
    "DateTime",
    "Boolean",
    "Decimal",
    "Instant",
    "Integer",
    "PositiveInt",
    "String",
    "Time",
    "Date",
];

/// A code as it is compared: ASCII for full-width letters, capitals, no dots, no space around it.
pub(crate) fn plain_code(code: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
    if code.bytes().all(is_plain) {
        return code.to_owned();
    }
    code.chars()
        .map(narrow)
        .collect::<String>()
        .trim()
        .to_ascii_uppercase()
        .replace('.', "")
}

/// ASCII for a letter of full width.
fn narrow(c: char) -> char {
    match u32::from(c) {
        n @ 0xFF01..=0xFF5E => char::from_u32(n - 0xFEE0).unwrap_or(c),
        0x3000 => ' ',
        _ => c,
    }
}

/// A system without a version behind `|`, blanks around it, or a slash at its end: ways of writing that
/// hide nothing.
fn bare_system(system: &str) -> &str {
    let plain = system.split_once('|').map_or(system, |(s, _)| s);
    plain.trim().trim_end_matches('/')
}

/// Whether a row's system is the one of a coding; `*name` is every system with that name in it.
fn is_system(row: &str, system: &str) -> bool {
    match row.strip_prefix('*') {
        Some("") => false,
        Some(name) => {
            let same = |(a, b): (&u8, u8)| a.to_ascii_lowercase() == b;
            let mut places = system.as_bytes().windows(name.len());
            places.any(|w| w.iter().zip(name.bytes()).all(same))
        }
        None => row == bare_system(system),
    }
}

/// Systems that a row names, as places in the list of all that rows name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Systems(Vec<usize>);

impl Systems {
    /// Whether the row names none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a coding's system is one of them.
    pub(crate) fn have(&self, of: &System) -> bool {
        self.0.iter().any(|place| of.0.contains(place))
    }
}

/// All that rows name a coding's system, as places in their list.
#[derive(Debug, Clone, Default)]
pub(crate) struct System(Rc<[usize]>);

/// Systems of which a [`Judging`] knows by heart what they are. A Bundle has a dozen.
const KNOWN: usize = 256;

/// A policy while a Bundle is judged: a system is held against the rows once, not once for each coding and
/// row.
#[derive(Debug)]
pub(crate) struct Judging<'p> {
    policy: &'p Policy,
    known: RefCell<Map<String, System>>,
}

impl<'p> Judging<'p> {
    pub(crate) const fn by(policy: &'p Policy) -> Self {
        let known = RefCell::new(Map::new());
        Self { policy, known }
    }

    /// What the rows call a system.
    pub(crate) fn system(&self, system: &str) -> System {
        let mut known = self.known.borrow_mut();
        if let Some(found) = known.get(system) {
            return found.clone();
        }
        let rows = self.policy.systems.iter().enumerate();
        let named = rows.filter(|(_, row)| is_system(row, system));
        let found = System(named.map(|(place, _)| place).collect());
        if known.len() == KNOWN {
            known.clear();
        }
        known.insert(system.to_owned(), found.clone());
        found
    }
}

impl std::ops::Deref for Judging<'_> {
    type Target = Policy;

    fn deref(&self) -> &Policy {
        self.policy
    }
}

/// Gives each system that a row names its place.
fn placed(all: &mut Vec<String>, named: Vec<String>) -> Systems {
    let mut place = |system: String| {
        let found = all.iter().position(|s| *s == system);
        found.unwrap_or_else(|| {
            all.push(system);
            all.len() - 1
        })
    };
    Systems(named.into_iter().map(&mut place).collect())
}

/// A row of the labeller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LabelRule {
    pub(crate) label: u8,
    pub(crate) systems: Systems,
    pub(crate) prefixes: Vec<String>,
}

impl LabelRule {
    /// Whether the row has the code, written as [`plain_code`] writes it.
    pub(crate) fn has(&self, system: &System, code: &str) -> bool {
        self.systems.have(system) && self.prefixes.iter().any(|p| code.starts_with(p.as_str()))
    }
}

/// Which codes of some systems a table speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Codes {
    /// Only in these elements; none = wherever it is asked for.
    elements: Vec<String>,
    /// None = codes that R4 has no system beside.
    systems: Systems,
    /// These codes, and what begins with one of these; neither = every code.
    codes: Vec<String>,
    prefixes: Vec<String>,
    /// What begins as this does: `A` a letter, `0` a digit.
    shape: String,
}

impl Codes {
    fn read(of: &Reader<'_>, all: &mut Vec<String>) -> Self {
        Self {
            elements: of.texts("in"),
            systems: placed(all, of.texts("system")),
            codes: of.codes("code"),
            prefixes: of.codes("prefix"),
            shape: of.text("shape").unwrap_or_default().to_owned(),
        }
    }

    fn is_in(&self, element: &str) -> bool {
        self.elements.iter().any(|e| e == element)
    }

    fn has(&self, system: &System, code: &str) -> bool {
        let shaped = |(like, b): (u8, u8)| match like {
            b'0' => b.is_ascii_digit(),
            _ => b.is_ascii_uppercase(),
        };
        self.systems.have(system)
            && (self.codes.is_empty() && self.prefixes.is_empty()
                || self.codes.iter().any(|c| c == code)
                || self.prefixes.iter().any(|p| code.starts_with(p.as_str())))
            && code.len() >= self.shape.len()
            && self.shape.bytes().zip(code.bytes()).all(shaped)
    }
}

/// What it says that words stand in an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spoken {
    types: Vec<String>,
    /// The types are those of which they say nothing.
    not: bool,
    pub(crate) cats: Bits,
    pub(crate) labels: Bits,
}

/// A table of words, in heaps by their first letter, of a heap the longest first: a word, whether it may stand
/// inside another, and its row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Words {
    rows: Vec<Spoken>,
    heaps: Vec<Vec<(String, bool, usize)>>,
}

/// How many heaps there are.
const HEAPS: usize = 1024;

impl Words {
    fn heap(c: char) -> usize {
        usize::try_from(u32::from(c.to_ascii_uppercase())).unwrap_or(0) % HEAPS
    }

    fn add(&mut self, words: &[String], row: usize, says: bool) {
        while self.heaps.len() < HEAPS {
            self.heaps.push(Vec::new());
        }
        for word in words {
            let inner = word.starts_with('*');
            let word = plain_text(word.strip_prefix('*').unwrap_or(word));
            let heap = word.chars().next().map_or(0, Self::heap);
            // What says nothing is compared as it is written: eGFR is no EGFR.
            let word = if says {
                word.to_ascii_uppercase()
            } else {
                word
            };
            if let Some(heap) = self.heaps.get_mut(heap) {
                let longer = heap.iter().take_while(|w| w.0.len() >= word.len());
                heap.insert(longer.count(), (word, inner, row));
            }
        }
    }

    /// What the words of a text say of a type of resource. A word that says nothing stands for the shorter
    /// ones in it: 病院 is no 病.
    pub(crate) fn said(&self, text: &str, kind: &str) -> (Bits, Bits) {
        let written = plain_text(text);
        let text = written.to_ascii_uppercase();
        let (mut cats, mut labels) = (Bits::NONE, Bits::NONE);
        let mut here = text.as_str();
        let mut before = ' ';
        while let Some(c) = here.chars().next() {
            let begins = !c.is_ascii_alphanumeric() || !before.is_ascii_alphanumeric();
            let mut step = c.len_utf8();
            before = c;
            for (word, inner, row) in self.heaps.get(Self::heap(c)).into_iter().flatten() {
                let Some(row) = self.rows.get(*row) else {
                    continue;
                };
                if !(begins || *inner) {
                    continue;
                }
                if row.cats.is_empty() && row.labels.is_empty() {
                    let at = text.len() - here.len();
                    if written
                        .get(at..)
                        .is_some_and(|w| w.starts_with(word.as_str()))
                    {
                        step = word.len();
                        break;
                    }
                    continue;
                }
                if !begins_with(here, word) {
                    continue;
                }
                if row.types.is_empty() || row.types.iter().any(|t| t == kind) != row.not {
                    cats = cats.with(row.cats);
                    labels = labels.with(row.labels);
                }
            }
            here = here.get(step..).unwrap_or_default();
        }
        (cats, labels)
    }
}

/// Whether a text begins with a word, in which `#` is a number, `@` letters, and `~` what follows
/// the place in the name of a variant (`c.188T>A`, `c.35delG`, `c.76+1G>T`).
#[inline(never)]
fn begins_with(text: &str, word: &str) -> bool {
    let mut text = text.as_bytes();
    word.bytes().all(|w| {
        let is = |b: &&u8| match w {
            b'#' => b.is_ascii_digit(),
            b'@' => b.is_ascii_alphabetic(),
            b'~' => b"ACDGITU_+-=".contains(b),
            _ => **b == w,
        };
        let most = if matches!(w, b'#' | b'@') {
            text.len()
        } else {
            1
        };
        let n = text.iter().take(most).take_while(is).count();
        text = text.get(n..).unwrap_or_default();
        n > 0
    })
}

/// Katakana of half width from U+FF66 on, as places from U+30A0 on.
const KANA: &[u8] = b"\x52\x01\x03\x05\x07\x09\x43\x45\x47\x23\x5c\x02\x04\x06\x08\x0a\x0b\x0d\x0f\x11\x13\x15\x17\x19\x1b\x1d\x1f\x21\x24\x26\x28\x2a\x2b\x2c\x2d\x2e\x2f\x32\x35\x38\x3b\x3e\x3f\x40\x41\x42\x44\x46\x48\x49\x4a\x4b\x4c\x4d\x4f\x53";

/// A text as words are sought in it: ASCII of half width, kana of full width, and nothing that takes no place.
/// Single letters with dots, hyphens or blanks between them are one word.
fn plain_text(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        let step = match c {
            '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' => continue,
            'ﾞ' | '\u{3099}' => 1,
            'ﾟ' | '\u{309A}' => 2,
            _ => 0,
        };
        let marked = if step > 0 { plain.pop() } else { None };
        let half = u32::from(c).wrapping_sub(0xFF66);
        let half = usize::try_from(half).ok().and_then(|n| KANA.get(n));
        let other = match (marked, half) {
            (Some(last), _) => char::from_u32(u32::from(last) + step),
            (None, Some(n)) => char::from_u32(0x30A0 + u32::from(*n)),
            _ => None,
        };
        plain.push(other.unwrap_or_else(|| narrow(c)));
    }
    let bytes = plain.clone().into_bytes();
    let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let alone = |at: usize| letter(at) && !letter(at.wrapping_sub(1)) && !letter(at + 1);
    let mut next = 0;
    plain.retain(|c| {
        let at = next;
        next += c.len_utf8();
        let gap = c == ' ' || c == '.' || c == '-';
        !(gap && at > 0 && alone(at - 1) && alone(at + 1))
    });
    plain
}

/// A policy version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// Version of texts and categories that is shown and signed now: `txt.ver` (§4.2, §5).
    pub texts: u64,
    /// base64url SHA-256 of its bytes.
    pub hash: String,
    purposes: Vec<PurposeRow>,
    categories: Vec<Named>,
    emergency: Bits,
    individual: Bits,
    labels: Vec<Named>,
    kinds: Vec<KindRow>,
    certified: Vec<Listed>,
    studies: Vec<Listed>,
    statutes: Vec<Statute>,
    emergency_roles: Vec<String>,
    minor_labels: Bits,
    /// Days a notice has to stand before an opt-out purpose may use data.
    pub notice_days: u64,
    /// Seconds a status list counts as fresh.
    pub status_fresh: u64,
    /// Seconds it may be used for emergencies.
    pub status_usable: u64,
    /// Longest term of a grant, in days.
    pub longest_days: u64,
    pub(crate) matches: Vec<Match>,
    /// The tables of earlier versions of texts.
    pub(crate) earlier: Vec<(u64, Vec<Match>)>,
    pub(crate) label_rules: Vec<LabelRule>,
    /// Codes that the labeller judges though no row has them.
    label_lists: Vec<Codes>,
    /// Codes that describe an item and say nothing of a disease or an operation.
    describes: Vec<Codes>,
    /// Systems of a holder's own codes, which tell nothing to others; their words do.
    pub(crate) local: Systems,
    /// Words that name what something is.
    pub(crate) words: Words,
    /// Systems whose codes say what a judged code beside them says: other numbers of the same masters.
    pub(crate) label_beside: Systems,
    /// Types that no concept of says what the person has: nothing in them is to be judged.
    pub(crate) label_free: Vec<String>,
    /// What the places in [`Systems`] are.
    systems: Vec<String>,
    pub(crate) administrative: Vec<String>,
    pub(crate) category_systems: Vec<String>,
    keep: Map<String, Map<String, Keep>>,
    /// Systems of identifiers that number the parts of an order: what is no small number there goes.
    pub(crate) places: Set<String>,
    /// Members of data types, and what becomes of them.
    pub(crate) datatypes: Map<String, Keep>,
    pub(crate) extensions: Vec<Extension>,
}

/// Why a policy file is not one: the member to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy: {0}")]
pub struct PolicyError(pub String);

fn wrong(at: &str) -> PolicyError {
    PolicyError(at.to_owned())
}

/// The policy that comes with Warifu; a deployment brings its own.
pub const REFERENCE: &str = include_str!("../policy/reference-1.json");

struct Reader<'v>(&'v Value);

impl<'v> Reader<'v> {
    fn text(&self, key: &str) -> Result<&'v str, PolicyError> {
        self.0
            .get(key)
            .and_then(Value::text)
            .ok_or_else(|| wrong(key))
    }
    fn int(&self, key: &str) -> Result<u64, PolicyError> {
        self.0
            .get(key)
            .and_then(Value::int)
            .ok_or_else(|| wrong(key))
    }
    fn rows(&self, key: &str) -> Result<impl Iterator<Item = Reader<'v>>, PolicyError> {
        match self.0.get(key) {
            Some(Value::Array(items)) => Ok(items.iter().map(Reader)),
            _ => Err(wrong(key)),
        }
    }
    fn texts(&self, key: &str) -> Vec<String> {
        self.0
            .get(key)
            .map(|v| v.texts().map(str::to_owned).collect())
            .unwrap_or_default()
    }
    fn codes(&self, key: &str) -> Vec<String> {
        self.texts(key).iter().map(|c| plain_code(c)).collect()
    }
    fn flag(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(Value::is_true)
    }
    fn named(&self) -> Result<Named, PolicyError> {
        Ok(Named {
            code: self.text("code")?.to_owned(),
            names: [
                self.text("ja")?.to_owned(),
                self.text("easy")?.to_owned(),
                self.text("en")?.to_owned(),
            ],
        })
    }
}

fn place(rows: &[Named], code: &str) -> Option<u8> {
    u8::try_from(rows.iter().position(|r| r.code == code)?).ok()
}

/// A list with `*`, `prefix.*` and `!code`.
fn pattern(rows: &[Named], emergency: Bits, list: &[String]) -> Result<Bits, PolicyError> {
    let mut bits = Bits::NONE;
    for code in list {
        let (out, code) = match code.strip_prefix('!') {
            Some(code) => (true, code),
            None => (false, code.as_str()),
        };
        let found = match (code, code.strip_suffix('*')) {
            ("@E", _) => emergency,
            (_, Some(prefix)) => rows
                .iter()
                .zip(0_u8..)
                .filter(|(r, _)| r.code.starts_with(prefix))
                .fold(Bits::NONE, |b, (_, p)| b.with(Bits::one(p))),
            _ => Bits::one(place(rows, code).ok_or_else(|| wrong(code))?),
        };
        bits = if out {
            Bits(bits.0 & !found.0)
        } else {
            bits.with(found)
        };
    }
    Ok(bits)
}

/// The table that finds a resource's categories.
fn matching(
    of: &Reader<'_>,
    categories: &[Named],
    emergency: Bits,
    all: &mut Vec<String>,
) -> Result<Vec<Match>, PolicyError> {
    of.rows("match")?
        .map(|r| {
            let (types, systems) = (r.texts("type"), r.texts("system"));
            let category = r.codes("category");
            let of_clinical = |t: &String| t == "Procedure" || t == "Observation";
            Ok(Match {
                clinical: !systems.is_empty()
                    && category.is_empty()
                    && r.texts("inside").is_empty()
                    && types.iter().any(of_clinical),
                types,
                cats: pattern(categories, emergency, &r.texts("cats"))?,
                systems: placed(all, systems),
                prefixes: r.codes("prefix"),
                category,
                without: placed(all, r.texts("without")),
                with: placed(all, r.texts("with")),
                numbers: placed(all, r.texts("number")),
                has: r.texts("has"),
                unjudged: r.texts("unjudged"),
                unknown: r.texts("unknown"),
                words: r.texts("words"),
                unnamed: pattern(categories, emergency, &r.texts("unnamed"))?,
                instead: pattern(categories, emergency, &r.texts("instead"))?,
                inside: r.texts("inside"),
            })
        })
        .collect()
}

/// A table of codes.
fn lists(
    top: &Reader<'_>,
    table: &str,
    systems: &mut Vec<String>,
) -> Result<Vec<Codes>, PolicyError> {
    Ok(top.rows(table)?.map(|r| Codes::read(&r, systems)).collect())
}

/// An element with its marks.
fn marked(element: &str) -> (String, Keep) {
    let path = element.trim_end_matches(['@', '%', '!', '^', '~', '#', '=', '+', '$', '&']);
    let marks = element.get(path.len()..).unwrap_or_default();
    let what = if marks.contains('~') {
        Keep::Masked
    } else if marks.contains(['@', '%']) {
        Keep::Reference {
            place: marks.contains('%'),
            required: marks.contains('!'),
            parent: marks.contains('^'),
        }
    } else if marks.contains('=') {
        Keep::Coded {
            required: marks.contains('!'),
            parent: marks.contains('^'),
        }
    } else if marks.contains('#') {
        Keep::Own
    } else if marks.contains('+') {
        Keep::Worded
    } else if marks.contains('&') {
        Keep::Judged
    } else if marks.contains('$') {
        Keep::Plain
    } else if !marks.is_empty() {
        Keep::Needed {
            parent: marks.contains('^'),
        }
    } else {
        Keep::Leaf
    };
    (path.to_owned(), what)
}

/// The table of elements: type, path, what becomes of it.
fn keep(top: &Reader<'_>) -> Result<Map<String, Map<String, Keep>>, PolicyError> {
    let mut keep = Map::new();
    for row in top.rows("keep")? {
        let mut paths = Map::new();
        for element in row.texts("elements") {
            let (path, what) = marked(&element);
            for (at, _) in path.match_indices('.') {
                let outer = path.get(..at).unwrap_or_default();
                paths.entry(outer.to_owned()).or_insert(Keep::Inner);
            }
            paths.insert(path, what);
        }
        for kind in row.texts("type") {
            keep.insert(kind, paths.clone());
        }
    }
    Ok(keep)
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// The member that is missing or names an unknown code.
    pub fn read(bytes: &[u8]) -> Result<Self, PolicyError> {
        let value = json::read(bytes, 8).map_err(|_| wrong("not JSON of the profile"))?;
        let top = Reader(&value);
        if top.int("v")? != 1 {
            return Err(wrong("v"));
        }
        let mut categories = Vec::new();
        let (mut emergency, mut individual) = (Bits::NONE, Bits::NONE);
        for (row, p) in top.rows("categories")?.zip(0_u8..) {
            categories.push(row.named()?);
            if row.flag("emergency") {
                emergency = emergency.with(Bits::one(p));
            }
            if row.flag("individual") {
                individual = individual.with(Bits::one(p));
            }
        }
        let labels = top
            .rows("labels")?
            .map(|r| r.named())
            .collect::<Result<Vec<_>, _>>()?;
        if categories.len() > 64 || labels.len() > 64 {
            return Err(wrong("more than 64 rows"));
        }
        let mut purposes = Vec::new();
        for row in top.rows("purposes")? {
            let ceiling = row.texts("ceiling");
            purposes.push(PurposeRow {
                named: row.named()?,
                consent: match row.text("kind")? {
                    "opt-in" => Consent::OptIn,
                    "self" => Consent::Own,
                    "statute" => Consent::Statute,
                    "opt-out" => Consent::OptOut,
                    _ => return Err(wrong("kind")),
                },
                family: row.text("family")?.to_owned(),
                ceiling: if ceiling.iter().any(|c| c == "@study") {
                    Ceiling::Study
                } else {
                    Ceiling::Set(pattern(&categories, emergency, &ceiling)?)
                },
            });
        }
        let names: Vec<Named> = purposes.iter().map(|p| p.named.clone()).collect();
        let kinds = top
            .rows("kinds")?
            .map(|r| {
                Ok(KindRow {
                    prefix: r.text("prefix")?.to_owned(),
                    digits: r.int("digits")?,
                    purposes: pattern(&names, Bits::NONE, &r.texts("purposes"))?,
                })
            })
            .collect::<Result<_, PolicyError>>()?;
        let listed = |key: &str, of: &str, rows: &[Named]| {
            top.rows(key)?
                .map(|r| {
                    Ok(Listed {
                        to: r.text("to")?.to_owned(),
                        bits: pattern(rows, emergency, &r.texts(of))?,
                    })
                })
                .collect::<Result<Vec<_>, PolicyError>>()
        };
        let certified = listed("certified", "pur", &names)?;
        let studies = listed("studies", "cat", &categories)?;
        let statutes = top
            .rows("statutes")?
            .map(|r| {
                Ok(Statute {
                    id: r.text("id")?.to_owned(),
                    to: r.text("to")?.to_owned(),
                    cats: pattern(&categories, emergency, &r.texts("cat"))?,
                })
            })
            .collect::<Result<_, PolicyError>>()?;
        let mut systems = Vec::new();
        let matches = matching(&top, &categories, emergency, &mut systems)?;
        let texts = top.0.get("texts").map_or(Ok(1), |_| top.int("texts"))?;
        let mut earlier = Vec::new();
        if top.0.get("earlier").is_some() {
            for row in top.rows("earlier")? {
                let of = row.int("texts")?;
                if of >= texts || earlier.iter().any(|(v, _)| *v == of) {
                    return Err(wrong("earlier"));
                }
                earlier.push((of, matching(&row, &categories, emergency, &mut systems)?));
            }
        }
        let mut words = Words::default();
        for (row, place) in top.rows("words")?.zip(0..) {
            let label = match row.0.get("label") {
                Some(_) => {
                    self::place(&labels, row.text("label")?).ok_or_else(|| wrong("label"))?
                }
                None => u8::MAX,
            };
            let cats = pattern(&categories, emergency, &row.texts("cats"))?;
            let not = row.0.get("not").is_some();
            let says = !cats.is_empty() || label != u8::MAX;
            words.add(&row.texts("words"), place, says);
            words.rows.push(Spoken {
                types: row.texts(if not { "not" } else { "type" }),
                not,
                cats,
                labels: Bits::one(label),
            });
        }
        let label_rules = top
            .rows("label_rules")?
            .map(|r| {
                Ok(LabelRule {
                    label: place(&labels, r.text("label")?).ok_or_else(|| wrong("label"))?,
                    systems: placed(&mut systems, r.texts("system")),
                    prefixes: r.codes("prefix"),
                })
            })
            .collect::<Result<Vec<_>, PolicyError>>()?;
        Ok(Self {
            id: top.text("id")?.to_owned(),
            version: top.int("version")?,
            texts,
            hash: sha256_text(&[bytes]),
            minor_labels: pattern(&labels, Bits::NONE, &top.texts("minor_labels"))?,
            purposes,
            categories,
            emergency,
            individual,
            labels,
            kinds,
            certified,
            studies,
            statutes,
            emergency_roles: top.texts("emergency_roles"),
            notice_days: top.int("notice_days")?,
            status_fresh: top.int("status_fresh")?,
            status_usable: top.int("status_usable")?,
            longest_days: top.int("longest_days")?,
            matches,
            earlier,
            label_rules,
            label_lists: lists(&top, "label_lists", &mut systems)?,
            describes: lists(&top, "describes", &mut systems)?,
            local: placed(&mut systems, top.texts("local")),
            words,
            label_beside: placed(&mut systems, top.texts("label_beside")),
            label_free: top.texts("label_free"),
            systems,
            administrative: top.texts("administrative"),
            category_systems: top.texts("category_systems"),
            keep: keep(&top)?,
            places: top.texts("places").into_iter().collect(),
            datatypes: top.texts("datatypes").iter().map(|m| marked(m)).collect(),
            extensions: top
                .rows("extensions")?
                .map(|r| {
                    Ok(Extension {
                        url: r.text("url")?.to_owned(),
                        types: r.texts("type"),
                        value: r.text("value")?.to_owned(),
                        codes: r.texts("code"),
                        place: r.flag("place"),
                    })
                })
                .collect::<Result<_, PolicyError>>()?,
        })
    }

    /// The reference policy.
    ///
    /// # Errors
    /// None; a test reads it.
    pub fn reference() -> Result<Self, PolicyError> {
        Self::read(REFERENCE.as_bytes())
    }

    /// Whether this version may come into force after that one: what was shown and signed under it is still
    /// judged by the tables that its signers saw (§4.2). Categories and labels are added at the end, never
    /// taken away; names and tables change with `texts` only; tables that were in force stand under
    /// `earlier`, as they were.
    ///
    /// # Errors
    /// The first member that says otherwise.
    pub fn follows(&self, before: &Self) -> Result<(), PolicyError> {
        let longer = |own: &[Named], old: &[Named]| {
            own.len() >= old.len() && own.iter().zip(old).all(|(a, b)| a.code == b.code)
        };
        let same = |own: &[Named], old: &[Named]| own.get(..old.len()) == Some(old);
        let names = |p: &Self| -> Vec<Named> { p.purposes().cloned().collect() };
        let families = |p: &Self| -> Vec<String> {
            let own = p.purposes.iter().take(before.purposes.len());
            own.map(|row| row.family.clone()).collect()
        };
        let table = |of: u64| self.earlier.iter().find(|(v, _)| *v == of).map(|(_, t)| t);
        let kept = |(of, rows): &(u64, Vec<Match>)| table(*of) == Some(rows);
        if self.version <= before.version {
            return Err(wrong("version"));
        }
        if self.texts < before.texts {
            return Err(wrong("texts"));
        }
        if !longer(&self.categories, &before.categories)
            || !before.individual.within(self.individual)
        {
            return Err(wrong("categories"));
        }
        if !longer(&self.labels, &before.labels) {
            return Err(wrong("labels"));
        }
        if !before.earlier.iter().all(kept) {
            return Err(wrong("earlier"));
        }
        if self.texts > before.texts {
            let known = table(before.texts) == Some(&before.matches);
            return known.then_some(()).ok_or_else(|| wrong("earlier"));
        }
        let unchanged = self.matches == before.matches
            && self.categories == before.categories
            && self.individual == before.individual
            && same(&self.labels, &before.labels)
            && same(&names(self), &names(before))
            && families(self) == families(before);
        unchanged.then_some(()).ok_or_else(|| wrong("texts"))
    }

    /// Whether the labeller judges this code: a row has it, or a list of codes that tell nothing.
    pub(crate) fn labels_know(&self, system: &System, code: &str) -> bool {
        let code = plain_code(code);
        self.label_rules.iter().any(|rule| rule.has(system, &code))
            || self.label_lists.iter().any(|list| list.has(system, &code))
    }

    /// Whether a type says of who and where, and of nobody what they have.
    pub(crate) fn has_no_labels(&self, kind: &str) -> bool {
        let mut types = self.administrative.iter().chain(&self.label_free);
        types.any(|t| t == kind)
    }

    /// Whether a code is one that this element may describe an item with: it says nothing of a disease or an
    /// operation.
    pub(crate) fn describes(&self, element: &str, system: &System, code: &str) -> bool {
        let code = plain_code(code);
        let mut lists = self.describes.iter();
        lists.any(|list| list.is_in(element) && list.has(system, &code))
    }

    /// Whether R4 has the code for this element; what R4 has no codes for can be anything.
    pub(crate) fn is_value(&self, element: &str, value: &str) -> bool {
        let lists = self.describes.iter();
        let mut lists = lists.filter(|list| list.systems.is_empty() && list.is_in(element));
        let value = plain_code(value);
        lists.next().is_none_or(|list| {
            list.codes.contains(&value) || lists.any(|l| l.codes.contains(&value))
        })
    }

    /// Whether the table of elements has the type.
    pub(crate) fn has_elements(&self, kind: &str) -> bool {
        self.keep.contains_key(kind)
    }

    /// What becomes of an element of a resource type while something may be withheld; absent = it goes.
    pub(crate) fn keeps(&self, kind: &str, path: &str) -> Option<Keep> {
        let paths = self.keep.get(kind)?;
        paths.get(path).copied().or_else(|| {
            CHOICES.iter().find_map(|c| {
                let base = path.strip_suffix(c)?;
                let what = paths.get(&format!("{base}[x]")).copied()?;
                let leaf = matches!(what, Keep::Leaf | Keep::Needed { .. } | Keep::Judged);
                let plain = leaf && PLAIN.contains(c);
                Some(if plain { Keep::Plain } else { what })
            })
        })
    }

    /// A category by its code.
    pub fn category(&self, code: &str) -> Option<Category> {
        place(&self.categories, code).map(Category)
    }

    /// A purpose by its code.
    pub fn purpose(&self, code: &str) -> Option<Purpose> {
        let at = self.purposes.iter().position(|p| p.named.code == code)?;
        u8::try_from(at).ok().map(Purpose)
    }

    /// A label by its code, as a place of a label set.
    pub fn label(&self, code: &str) -> Option<u8> {
        place(&self.labels, code)
    }

    /// Categories in the policy's order.
    pub fn categories(&self) -> &[Named] {
        &self.categories
    }

    /// Labels in the policy's order.
    pub fn labels(&self) -> &[Named] {
        &self.labels
    }

    /// Purposes in the policy's order.
    pub fn purposes(&self) -> impl Iterator<Item = &Named> {
        self.purposes.iter().map(|p| &p.named)
    }

    /// Code and names of a purpose.
    pub fn purpose_named(&self, purpose: Purpose) -> Option<&Named> {
        self.purposes.get(usize::from(purpose.0)).map(|p| &p.named)
    }

    /// Codes of a set of categories.
    pub fn category_codes(&self, bits: Bits) -> Vec<String> {
        bits.places()
            .filter_map(|p| self.categories.get(usize::from(p)))
            .map(|c| c.code.clone())
            .collect()
    }

    /// Set of these codes; `None` if one is unknown. `*` is everything.
    pub fn category_set<'c>(&self, codes: impl Iterator<Item = &'c str>) -> Option<Bits> {
        let all = self.all_categories();
        codes.into_iter().try_fold(Bits::NONE, |bits, code| {
            Some(bits.with(if code == "*" {
                all
            } else {
                Bits::one(self.category(code)?.0)
            }))
        })
    }

    /// Set of these codes; `None` if one is unknown. `*` is everything.
    pub fn purpose_set<'c>(&self, codes: impl Iterator<Item = &'c str>) -> Option<Bits> {
        codes.into_iter().try_fold(Bits::NONE, |bits, code| {
            Some(bits.with(if code == "*" {
                Bits((1 << self.purposes.len().min(63)) - 1)
            } else {
                Bits::one(self.purpose(code)?.0)
            }))
        })
    }

    /// Set of these labels; unknown ones are left out.
    pub fn label_set<'c>(&self, codes: impl Iterator<Item = &'c str>) -> Bits {
        codes
            .filter_map(|c| self.label(c))
            .fold(Bits::NONE, |b, p| b.with(Bits::one(p)))
    }

    /// Every category.
    pub fn all_categories(&self) -> Bits {
        Bits((1 << self.categories.len().min(63)) - 1)
    }

    /// 救急で使える情報 (E).
    pub fn emergency(&self) -> Bits {
        self.emergency
    }

    /// Categories that take a grant of their own (§4.3).
    pub fn individual(&self) -> Bits {
        self.individual
    }

    /// Labels closed to the guardian of a person of 16 and more (§3.1).
    pub fn minor_labels(&self) -> Bits {
        self.minor_labels
    }

    /// How a purpose comes to be allowed.
    pub fn consent(&self, purpose: Purpose) -> Option<Consent> {
        self.purposes.get(usize::from(purpose.0)).map(|p| p.consent)
    }

    /// Family of texts of a purpose.
    pub fn family(&self, purpose: &str) -> Option<&str> {
        self.purposes
            .iter()
            .find(|p| p.named.code == purpose)
            .map(|p| p.family.as_str())
            .filter(|f| !f.is_empty())
    }

    /// Most that this recipient may get for this purpose; `None` where its kind is excluded.
    pub fn ceiling(&self, purpose: Purpose, recipient: &str) -> Option<Bits> {
        let row = self.purposes.get(usize::from(purpose.0))?;
        if let Some(kind) = self.kind(recipient)
            && !kind.purposes.has(purpose.0)
        {
            return None;
        }
        match row.ceiling {
            Ceiling::Set(bits) => Some(bits),
            Ceiling::Study => self
                .studies
                .iter()
                .find(|s| s.to == recipient)
                .map(|s| s.bits),
        }
    }

    fn kind(&self, recipient: &str) -> Option<&KindRow> {
        self.kinds.iter().find(|k| recipient.starts_with(&k.prefix))
    }

    /// Whether a code is one that a recipient can have (`mi:*` aside).
    pub fn is_recipient(&self, code: &str) -> bool {
        let Some(kind) = self.kind(code) else {
            return false;
        };
        let rest = code.get(kind.prefix.len()..).unwrap_or_default();
        let digits = usize::try_from(kind.digits).unwrap_or(0);
        if digits == 0 {
            !rest.is_empty() && !rest.contains('*')
        } else {
            rest.len() == digits && rest.bytes().all(|b| b.is_ascii_digit())
        }
    }

    /// Whether the body is certified for the purpose.
    pub fn is_certified(&self, recipient: &str, purpose: Purpose) -> bool {
        self.certified
            .iter()
            .any(|c| c.to == recipient && c.bits.has(purpose.0))
    }

    /// The statute that lets this recipient have all these categories.
    pub fn statute(&self, recipient: &str, cats: Bits) -> Option<&str> {
        self.statutes
            .iter()
            .find(|s| s.to == recipient && cats.within(s.cats))
            .map(|s| s.id.as_str())
    }

    /// Whether a role may use emergency access.
    pub fn is_emergency_role(&self, role: &str) -> bool {
        self.emergency_roles.iter().any(|r| r == role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_policy_has_the_lists_of_the_specification() {
        let p = Policy::reference().unwrap();
        assert_eq!(p.categories().len(), 26);
        assert_eq!(p.purposes().count(), 12);
        assert_eq!(
            p.category_codes(p.individual()),
            ["prc.surgery", "prc.transplant", "gen"]
        );
        assert_eq!(p.emergency().len(), 12);
        let treat = p.purpose("TREAT").unwrap();
        let care = p.purpose("CAREMGT").unwrap();
        assert_eq!(p.ceiling(treat, "mi:1312345678"), Some(p.all_categories()));
        assert_eq!(p.ceiling(treat, "kg:1"), None);
        let gen_ = p.category("gen").unwrap();
        assert!(!p.ceiling(care, "kg:1").unwrap().has(gen_.0));
        assert!(
            p.is_recipient("mi:1312345678") && !p.is_recipient("mi:*") && !p.is_recipient("xx:1")
        );
        assert!(!p.is_recipient("mi:131234567") && p.is_recipient("app:x"));
    }

    #[test]
    fn every_type_that_can_go_out_has_its_elements() {
        let p = Policy::reference().unwrap();
        let types = p.matches.iter().flat_map(|m| &m.types);
        for kind in types.chain(&p.administrative) {
            assert!(kind == "Provenance" || p.keep.contains_key(kind), "{kind}");
        }
        assert_eq!(p.keeps("Observation", "valueQuantity"), Some(Keep::Judged));
        assert_eq!(p.keeps("Observation", "valueAttachment"), None);
        assert_eq!(p.keeps("Observation", "component"), Some(Keep::Inner));
        assert_eq!(p.keeps("Observation", "note"), None);
    }

    #[test]
    fn codes_and_systems_are_compared_without_their_spelling() {
        for (code, plain) in [
            ("3B045-1", "3B045-1"),
            ("c34.1", "C341"),
            ("Ｃ３４．１", "C341"),
            (" e11 ", "E11"),
            ("E 11", "E 11"),
            ("割符", "割符"),
            ("", ""),
        ] {
            assert_eq!(plain_code(code), plain, "{code}");
        }
        assert!(is_system("*icd", "http://example.jp/ICD10"));
        assert!(is_system("*icd", "iCd"));
        assert!(!is_system("*icd", "ic"));
        assert!(!is_system("*", "anything"));
        assert!(is_system("urn:x", "urn:x") && !is_system("urn:x", "urn:X"));
        for system in [" urn:x", "urn:x ", "urn:x|2019", "urn:x/", "urn:x/ | 1"] {
            assert!(is_system("urn:x", system), "{system}");
        }
    }

    #[test]
    fn a_version_follows_another_only_with_what_was_signed_under_it() {
        type Members = crate::json::Members;
        let whole = json::read(REFERENCE.as_bytes(), 8).unwrap();
        let with = |version: u64, change: &dyn Fn(&mut Members)| {
            let mut value = whole.clone();
            if let Value::Object(members) = &mut value {
                members.insert("version".to_owned(), version.into());
                change(members);
            }
            Policy::read(value.write().as_bytes()).unwrap()
        };
        // A member of the first (or last) row of a table.
        let set = |members: &mut Members, table: &str, last: bool, name: &str, to: Value| {
            let Some(Value::Array(rows)) = members.get_mut(table) else {
                panic!("{table}");
            };
            let row = if last {
                rows.last_mut()
            } else {
                rows.first_mut()
            };
            let Some(Value::Object(row)) = row else {
                panic!("{table}");
            };
            row.insert(name.to_owned(), to);
        };
        let one = Policy::reference().unwrap();
        let blame = |p: &Policy, before: &Policy| p.follows(before).err().map(|e| e.0);
        let two = |change: &dyn Fn(&mut Members)| blame(&with(2, change), &one);
        assert_eq!(two(&|_| {}), None);
        assert_eq!(blame(&one, &one).as_deref(), Some("version"));
        // What rules now may move; what was shown may not, without new texts.
        let days = |m: &mut Members| drop(m.insert("notice_days".to_owned(), 60.into()));
        assert_eq!(two(&days), None);
        for (table, name, to) in [
            ("purposes", "ja", Value::from("他の目的")),
            ("purposes", "family", "study".into()),
            ("categories", "en", "letters".into()),
            ("categories", "individual", true.into()),
            ("labels", "easy", "しるし".into()),
            ("match", "prefix", vec!["11506-3"].into()),
        ] {
            let change = |m: &mut Members| set(m, table, false, name, to.clone());
            assert_eq!(two(&change).as_deref(), Some("texts"), "{table} {name}");
        }
        for (table, name) in [("categories", "demo"), ("labels", "VIO")] {
            let text = REFERENCE.replace(name, "other");
            let text = text.replacen("\"version\": 1", "\"version\": 2", 1);
            let renamed = Policy::read(text.as_bytes()).unwrap();
            assert_eq!(blame(&renamed, &one).as_deref(), Some(table));
        }

        // New texts keep the table before them, as it was, for ever.
        let keep = |m: &mut Members, texts: u64, rows: &[Value]| {
            m.insert("texts".to_owned(), texts.into());
            m.insert("earlier".to_owned(), Value::Array(rows.to_vec()));
        };
        let table = whole.get("match").cloned().unwrap();
        let old = crate::json::object([("texts", 1.into()), ("match", table)]);
        let moved = |m: &mut Members| set(m, "match", false, "prefix", vec!["11506-3"].into());
        let next = with(2, &|m| {
            keep(m, 2, std::slice::from_ref(&old));
            moved(m);
        });
        assert_eq!(blame(&next, &one), None);
        let lost = with(2, &|m| {
            keep(m, 2, &[]);
            moved(m);
        });
        assert_eq!(blame(&lost, &one).as_deref(), Some("earlier"));
        let third = |rows: &[Value]| {
            let third = with(3, &|m| {
                keep(m, 2, rows);
                moved(m);
            });
            blame(&third, &next)
        };
        assert_eq!(third(std::slice::from_ref(&old)), None);
        assert_eq!(third(&[]).as_deref(), Some("earlier"));
        let back = with(3, &|_| {});
        assert_eq!(blame(&back, &next).as_deref(), Some("texts"));
    }

    #[test]
    fn a_policy_with_an_unknown_code_is_refused() {
        let text = REFERENCE.replace("\"!gen\"", "\"!gem\"");
        assert_eq!(
            Policy::read(text.as_bytes()),
            Err(PolicyError("gem".into()))
        );
    }
}
