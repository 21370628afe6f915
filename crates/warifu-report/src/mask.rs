//! Values and patients made unrecognisable: the shape of a text, and paths without patient ids.
//! ux-tools §A.6.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use warifu_ssmix2::{FileName, Located, Place, components, locate};
use warifu_terms::fields;

use crate::view::{FieldNode, MessageView};

/// The shape of a text: kanji 漢, hiragana あ, katakana カ, half-width kana ｶ, letters A, digits 9,
/// everything else as it is; the width stays.
///
/// ```
/// use warifu_report::mask::shape;
/// assert_eq!(shape("山田^はな子 ﾔﾏﾀﾞ ワリフー 1-2a"), "漢漢^ああ漢 ｶｶｶｶ カカカカ 9-9A");
/// ```
pub fn shape(text: &str) -> String {
    text.chars().map(shape_of).collect()
}

fn shape_of(c: char) -> char {
    match c {
        '0'..='9' => '9',
        '０'..='９' => '９',
        'Ａ'..='Ｚ' | 'ａ'..='ｚ' => 'Ａ',
        'ぁ'..='ゟ' => 'あ',
        '・' | '･' => c,
        '゠'..='ヿ' | 'ㇰ'..='ㇿ' => 'カ',
        'ｦ'..='ﾟ' => 'ｶ',
        c if !c.is_alphanumeric() && !('\u{E000}'..='\u{F8FF}').contains(&c) => c,
        // Wide from here on: ideographs, their extensions, private use.
        '\u{2E80}'.. => '漢',
        _ => 'A',
    }
}

/// The shape of a line of JSON: keys, numbers of places and punctuation stay, values show their shape; what
/// tells nothing of a person, a type and a status, is shown.
///
/// ```
/// use warifu_report::mask::json_line;
/// assert_eq!(json_line(r#""family": "山田", "active": true, "n": 12"#), r#""family": "漢漢", "active": true, "n": 99"#);
/// ```
pub fn json_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    let mut key = "";
    while let Some(at) = rest.find('"') {
        let (before, from) = rest.split_at(at);
        plain(before, &mut out);
        let bytes = from.as_bytes();
        let mut end = 1;
        while end < bytes.len() && bytes.get(end) != Some(&b'"') {
            end += if bytes.get(end) == Some(&b'\\') { 2 } else { 1 };
        }
        // A line may end within a text.
        let end = (end + 1).min(from.len());
        let end = (end..=from.len())
            .find(|e| from.is_char_boundary(*e))
            .unwrap_or(from.len());
        let (text, behind) = from.split_at(end);
        let is_key = behind.trim_start().starts_with(':');
        if is_key || is_open(key, text) {
            out.push_str(text);
        } else {
            out.push_str(&shape(text));
        }
        key = if is_key { text } else { "" };
        rest = behind;
    }
    plain(rest, &mut out);
    out
}

/// Whether a text of JSON tells nothing of a person: a type, or a status as R4 writes them, in small letters.
fn is_open(key: &str, text: &str) -> bool {
    let is_of_status = |b: u8| b.is_ascii_lowercase() || b == b'-';
    let mut bytes = text.trim_matches('"').bytes();
    match key {
        "\"resourceType\"" => bytes.all(|b| b.is_ascii_alphabetic()),
        "\"status\"" => bytes.all(is_of_status),
        _ => false,
    }
}

/// What stands outside of texts: digits lose their value, `true` and the like stay.
fn plain(text: &str, out: &mut String) {
    out.extend(
        text.chars()
            .map(|c| if c.is_ascii_digit() { '9' } else { c }),
    );
}

/// Longest code of a table that is shown: name-type, identifier-type, status codes are shorter.
const LONGEST_CODE: usize = 3;

/// Whether a value of this data type is a code of a table, and looks like one.
fn is_table_code(datatype: &str, value: &str) -> bool {
    matches!(datatype, "ID" | "IS")
        && value.len() <= LONGEST_CODE
        && value
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'.')
}

fn shape_value(datatype: &str, value: &str) -> String {
    if is_table_code(datatype, value) {
        value.to_owned()
    } else {
        shape(value)
    }
}

/// Shapes lines of a message: segment names, delimiters and codes of HL7 tables stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineShape {
    field: char,
    component: char,
    repetition: char,
    sub: char,
}

impl Default for LineShape {
    /// The usual delimiters.
    fn default() -> Self {
        Self::of("")
    }
}

impl LineShape {
    /// For a decoded message: the delimiters are those of its MSH, else the usual ones.
    pub fn of(text: &str) -> Self {
        let after = text.split_once("MSH").map_or("", |(_, rest)| rest);
        let mut own = after.chars().filter(|c| !c.is_alphanumeric());
        let mut next = |usual| own.next().unwrap_or(usual);
        let (field, component, repetition) = (next('|'), next('^'), next('~'));
        next('\\');
        Self {
            field,
            component,
            repetition,
            sub: next('&'),
        }
    }

    /// The shape of one line (segment) of the message.
    ///
    /// ```
    /// use warifu_report::mask::LineShape;
    /// let line = "PID|||0000000123^^^^PI||山田^太郎^^^^^L^I~ﾔﾏﾀﾞ^タロウ^^^^^L^P||19800402|M";
    /// assert_eq!(
    ///     LineShape::of("MSH|^~\\&|").line(line),
    ///     "PID|||9999999999^^^^PI||漢漢^漢漢^^^^^L^I~ｶｶｶｶ^カカカ^^^^^L^P||99999999|M",
    /// );
    /// ```
    pub fn line(&self, line: &str) -> String {
        let Some((name, rest)) = line.split_once(self.field) else {
            return shape(line);
        };
        if fields::segment(name).is_none() {
            return shape(line);
        }
        let header = name == "MSH";
        let mut out = name.to_owned();
        for (i, field) in rest.split(self.field).enumerate() {
            out.push(self.field);
            // MSH-1 is the separator itself.
            let n = i + if header { 2 } else { 1 };
            if header && n == 2 {
                out.push_str(field);
                continue;
            }
            let datatype = fields::field(name, n).map_or("", |f| f.datatype);
            self.parts(
                field,
                &[self.repetition, self.component, self.sub],
                datatype,
                &mut out,
            );
        }
        out
    }

    fn parts(&self, text: &str, delimiters: &[char], datatype: &str, out: &mut String) {
        let Some((delimiter, inner)) = delimiters.split_first() else {
            out.push_str(&shape_value(datatype, text));
            return;
        };
        for (i, part) in text.split(*delimiter).enumerate() {
            if i > 0 {
                out.push(*delimiter);
            }
            let below = if *delimiter == self.repetition {
                datatype
            } else {
                part_datatype(datatype, i)
            };
            self.parts(part, inner, below, out);
        }
    }
}

/// Data type of part `i` (from 0); a type without parts is that of its first one.
///
/// Wards, rooms, beds, buildings and institutions are names of the site's own, whatever their type says.
fn part_datatype(datatype: &str, i: usize) -> &str {
    let of_site = match datatype {
        "PL" | "LA1" | "LA2" => matches!(i, 0..=2 | 6 | 7),
        "NDL" => matches!(i, 3..=5 | 9 | 10),
        "HD" => i == 0,
        "EI" => i == 1,
        _ => false,
    };
    if of_site {
        return "";
    }
    let parts = fields::datatype(datatype).filter(|d| !d.is_primitive());
    match parts {
        None if i == 0 => datatype,
        parts => parts
            .and_then(|parts| parts.component(i + 1))
            .map_or("", |part| part.datatype),
    }
}

/// Masks all values of a view.
pub fn view(view: &mut MessageView) {
    let line = LineShape::of(&view.text);
    let mut text = String::with_capacity(view.text.len());
    for l in view.text.split_inclusive(['\r', '\n']) {
        let (l, ending) = l.split_at(l.trim_end_matches(['\r', '\n']).len());
        text.push_str(&line.line(l));
        text.push_str(ending);
    }
    view.text = text;
    for s in &mut view.segments {
        for (f, n) in s.fields.iter_mut().filter_map(|f| {
            let n = f.path.rsplit_once('-')?.1.parse().ok()?;
            Some((f, n))
        }) {
            if s.name == "MSH" && n <= 2 {
                continue;
            }
            let datatype = fields::field(&s.name, n).map_or("", |i| i.datatype);
            node(f, datatype);
        }
    }
}

fn node(f: &mut FieldNode, datatype: &str) {
    if f.children.is_empty() {
        f.text = shape_value(part_datatype(datatype, 0), &f.text);
        return;
    }
    f.text = shape(&f.text);
    for child in &mut f.children {
        let component = child
            .path
            .get(f.path.len()..)
            .and_then(|rest| rest.strip_prefix('.'))
            .and_then(|n| n.parse::<usize>().ok());
        match component {
            Some(n) => node(child, part_datatype(datatype, n.saturating_sub(1))),
            // A repetition.
            None => node(child, datatype),
        }
    }
}

/// Paths with `p-` and a keyed hash in place of what names a patient.
#[derive(Clone)]
pub struct PathMask(Hmac<Sha256>);

impl std::fmt::Debug for PathMask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PathMask")
    }
}

impl PathMask {
    /// A mask with the key of `WARIFU_MASK_KEY`.
    pub fn new(key: &[u8]) -> Self {
        let mut block = [0; 64];
        if key.len() > block.len() {
            use sha2::Digest as _;
            block[..32].copy_from_slice(&Sha256::digest(key));
        } else {
            for (to, from) in block.iter_mut().zip(key) {
                *to = *from;
            }
        }
        Self(Hmac::new(&block.into()))
    }

    fn hash(&self, text: &str) -> String {
        use std::fmt::Write as _;
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        let all = mac.finalize().into_bytes();
        let mut out = "p-".to_owned();
        for b in all.iter().take(16) {
            let _ = write!(out, "{b:02x}");
        }
        out
    }

    /// A path of a storage keeps date, kind, order, time and flag; the patient is a hash, and so are
    /// the folders above that are cut from the id. A transaction file names no patient and keeps its path;
    /// any other path is a hash as a whole.
    pub fn path(&self, path: &str) -> String {
        if path.is_empty() {
            return String::new();
        }
        let parts: Vec<&str> = components(path).collect();
        match locate(&parts) {
            Place::Item(item) => return self.located(&parts, &item),
            Place::Journal(_) => return path.to_owned(),
            Place::Elsewhere => {}
        }
        match parts.last().map(|leaf| FileName::parse(leaf)) {
            Some(Ok(name)) => self.file_name(&name),
            _ => self.hash(path),
        }
    }

    fn file_name(&self, name: &FileName<'_>) -> String {
        let patient = self.hash(name.patient);
        FileName {
            patient: &patient,
            ..*name
        }
        .to_string()
    }

    fn located(&self, parts: &[&str], item: &Located<'_>) -> String {
        let patient = self.hash(item.patient);
        let mut out: Vec<String> = Vec::with_capacity(parts.len());
        out.extend(parts.iter().take(item.root_depth).map(|p| (*p).to_owned()));
        out.extend([patient.clone(), item.date.to_owned(), item.kind.to_owned()]);
        out.push(match item.name() {
            Ok(name) => self.file_name(&name),
            Err(_) => self.hash(item.leaf),
        });
        // Names inside a content folder are free: the id may stand there, too.
        out.extend(item.inside.iter().map(|part| {
            if item.patient.len() > 2 {
                part.replace(item.patient, &patient)
            } else {
                self.hash(part)
            }
        }));
        out.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: &str = "root/000/000/0000000123/-/ADT-00/0000000123_-_ADT-00_999999999999999_20260401093015123_-_1";

    #[test]
    fn a_masked_path_keeps_what_is_no_patient() {
        let mask = PathMask::new(b"0123456789abcdef");
        let masked = mask.path(STORED);
        assert!(
            !masked.contains("0000000123") && !masked.contains("/000/"),
            "{masked}"
        );
        let patient = masked.split('/').nth(1).unwrap();
        assert_eq!(
            masked,
            format!(
                "root/{patient}/-/ADT-00/{patient}_-_ADT-00_999999999999999_20260401093015123_-_1"
            )
        );
        assert_eq!(patient.len(), 34);
        assert_eq!(mask.path(STORED), masked);
        assert_ne!(PathMask::new(b"another key, long").path(STORED), masked);
        // The same patient by the name alone.
        assert!(
            mask.path(STORED.rsplit('/').next().unwrap())
                .starts_with(patient)
        );
    }

    #[test]
    fn what_is_no_storage_path_is_hashed_as_a_whole() {
        let mask = PathMask::new(b"0123456789abcdef");
        let masked = mask.path("export/yamada.hl7");
        assert!(masked.starts_with("p-") && masked.len() == 34, "{masked}");
        assert_eq!(mask.path(""), "");
    }

    #[test]
    fn an_id_inside_a_content_folder_is_masked() {
        let mask = PathMask::new(b"0123456789abcdef");
        let folder = "0000000123_20260401_L-X^X^99ZL01_000000020260401_20260401093015123_1";
        let path = format!("000/000/0000000123/20260401/L-X^X^99ZL01/{folder}/0000000123.pdf");
        let masked = mask.path(&path);
        assert!(!masked.contains("0000000123"), "{masked}");
        assert!(masked.split('.').next_back() == Some("pdf") && masked.contains("/L-X^X^99ZL01/"));
    }

    #[test]
    fn names_of_the_site_are_masked_where_their_type_is_one_of_codes() {
        let line = LineShape::default();
        for (given, wanted) in [
            (
                "PV1|1|I|4W^412^3^^^N|||||||||01",
                "PV1|9|I|9A^999^9^^^N|||||||||01",
            ),
            ("PV1|1|I|4W", "PV1|9|I|9A"),
            (
                "EVN||20260401||||20260401|HOSP",
                "EVN||99999999||||99999999|AAAA",
            ),
            ("EVN|||||||HSP", "EVN|||||||AAA"),
        ] {
            assert_eq!(line.line(given), wanted);
        }
    }

    #[test]
    fn every_value_of_a_view_is_masked() {
        let text = "MSH|^~\\&|HIS|山田病院||||ADT^A08^ADT_A01|1|P|2.5\rPID|1||0000000123^^^^PI||山田^太郎^^^^^L^I~ﾔﾏﾀﾞ^タロウ^^^^^L^P||19800402|M\rZXX|山田\r";
        let mut v = crate::view::view(text.as_bytes(), None, None);
        view(&mut v);
        let json = serde_json::to_string(&v).unwrap();
        for secret in ["山田", "太郎", "ﾔﾏﾀﾞ", "タロウ", "0000000123", "19800402"] {
            assert!(!json.contains(secret), "{secret}");
        }
        let pid = &v.segments[1];
        let five = pid.fields.iter().find(|f| f.path == "PID-5").unwrap();
        assert_eq!(five.children[0].children[0].text, "漢漢");
        assert_eq!(five.children[1].children[3].text, "P");
        assert_eq!(v.segments[0].fields[1].text, "^~\\&");
    }

    #[test]
    fn types_and_states_of_fhir_are_shown_where_they_are_words() {
        for (line, wanted) in [
            (
                r#"{"resourceType": "Pateint", "status": "entered-in-error", "gender": "male"}"#,
                r#"{"resourceType": "Pateint", "status": "entered-in-error", "gender": "AAAA"}"#,
            ),
            (
                r#""status": "山田", "status": "a b", "status": "Yamada", "status": ["final"], "status": "0123"#,
                r#""status": "漢漢", "status": "A A", "status": "AAAAAA", "status": ["final"], "status": "9999"#,
            ),
            (
                r#""x": "resourceType", "Yamada""#,
                r#""x": "AAAAAAAAAAAA", "AAAAAA""#,
            ),
        ] {
            assert_eq!(json_line(line), wanted);
        }
    }

    #[test]
    fn a_code_that_looks_like_a_number_or_a_name_is_masked() {
        let line = LineShape::of("");
        assert_eq!(line.line("PID||||||||0000000123"), "PID||||||||9999999999");
        assert_eq!(line.line("PID||||||||山田"), "PID||||||||漢漢");
        assert_eq!(line.line("PID||||||||YAMADA"), "PID||||||||AAAAAA");
        assert_eq!(line.line("PID|||||YAMADA^LEE"), "PID|||||AAAAAA^AAA");
        assert_eq!(line.line("free text 山"), "AAAA AAAA 漢");
        assert_eq!(
            line.line("OBX|1|ST|||LEE やまだ１２ｃ・ー"),
            "OBX|9|ST|||AAA あああ９９Ａ・カ"
        );
    }
}
