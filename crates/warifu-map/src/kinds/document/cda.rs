//! The header of a CDA R2 document (HL7 CDA R2 §4.2), read with the places of its values.

use roxmltree::{Document, Node, ParsingOptions};
use warifu_source::{Charset, Decoded};

/// Deepest nesting of elements that is read.
const MAX_DEPTH: u32 = 512;
/// Most attributes in one tag.
const MAX_ATTRIBUTES: u32 = 256;
/// Most nodes of a document.
const MAX_NODES: u32 = 4_000_000;

/// A text and the bytes of the file it came from; `end` 0 when nothing was there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Text {
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// An instance identifier (II).
#[derive(Debug, Clone, Default)]
pub(super) struct Ident {
    pub(super) root: Text,
    pub(super) extension: Text,
}

impl Ident {
    pub(super) fn is_empty(&self) -> bool {
        self.root.is_empty() && self.extension.is_empty()
    }
}

/// A code (CE).
#[derive(Debug, Clone, Default)]
pub(super) struct Coded {
    pub(super) code: Text,
    pub(super) system: Text,
    pub(super) display: Text,
}

/// A person's name (PN).
#[derive(Debug, Clone, Default)]
pub(super) struct Name {
    pub(super) name_use: Text,
    pub(super) family: Text,
    pub(super) given: Text,
    /// The name as it stands, when it has no parts.
    pub(super) text: Text,
}

impl Name {
    /// `family given`, or the whole name.
    pub(super) fn display(&self) -> String {
        match (self.family.text.as_str(), self.given.text.as_str()) {
            ("", "") => self.text.text.clone(),
            ("", one) | (one, "") => one.to_owned(),
            (family, given) => format!("{family} {given}"),
        }
    }
    /// The first part that is there.
    pub(super) fn at(&self) -> &Text {
        let mut parts = [&self.family, &self.given].into_iter();
        parts.find(|t| !t.is_empty()).unwrap_or(&self.text)
    }
}

/// Author or authenticator.
#[derive(Debug, Clone, Default)]
pub(super) struct Person {
    pub(super) ids: Vec<Ident>,
    pub(super) names: Vec<Name>,
    /// Name of the device, where no person wrote.
    pub(super) device: Text,
}

/// Header of a document.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    pub(super) id: Ident,
    pub(super) set_id: Ident,
    pub(super) code: Coded,
    pub(super) title: Text,
    pub(super) effective: Text,
    pub(super) confidentiality: Coded,
    pub(super) language: Text,
    pub(super) patient_ids: Vec<Ident>,
    pub(super) patient_names: Vec<Name>,
    pub(super) gender: Text,
    pub(super) birth: Text,
    pub(super) authors: Vec<Person>,
    pub(super) authenticator: Option<Person>,
    pub(super) custodian: Ident,
    pub(super) custodian_name: Text,
    pub(super) service: (Text, Text),
    /// typeCode and the parent document's id.
    pub(super) related: Vec<(Text, Ident)>,
}

/// Why a document gives no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Not well-formed, with a DTD, or beyond the limits.
    NotReadable,
    /// Well-formed XML of another kind.
    NotCda,
}

/// Reads the header. Linear in the size of the file; DTDs (and so entities of the document's own) are
/// refused, depth and number of attributes are bounded.
pub(super) fn header(bytes: &[u8]) -> Result<Header, Failure> {
    let decoding = decode(bytes);
    if !is_modest(decoding.text()) {
        return Err(Failure::NotReadable);
    }
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let doc =
        Document::parse_with_options(decoding.text(), options).map_err(|_| Failure::NotReadable)?;
    let root = doc.root_element();
    if root.tag_name().name() != "ClinicalDocument" {
        return Err(Failure::NotCda);
    }
    Ok(Reader { map: &decoding }.header(root))
}

/// Text of the file: UTF-8 unless a byte order mark or the declaration says otherwise.
fn decode(bytes: &[u8]) -> Decoding {
    let units = |f: fn([u8; 2]) -> u16, rest: &[u8]| {
        let (pairs, _) = rest.as_chunks::<2>();
        let text = char::decode_utf16(pairs.iter().map(|p| f(*p)))
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        Decoding::Whole(text, u32::try_from(bytes.len()).unwrap_or(u32::MAX))
    };
    if let Some(rest) = bytes.strip_prefix(b"\xFF\xFE") {
        return units(u16::from_le_bytes, rest);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFE\xFF") {
        return units(u16::from_be_bytes, rest);
    }
    let charset = match declared(bytes) {
        Some(c) => c,
        None if std::str::from_utf8(bytes).is_ok() => Charset::Utf8,
        None => warifu_source::detect(bytes),
    };
    Decoding::Places(warifu_source::decode(bytes, charset))
}

/// Encoding named by the XML declaration.
fn declared(bytes: &[u8]) -> Option<Charset> {
    let head = bytes.get(..bytes.len().min(256))?;
    let end = head.windows(2).position(|w| w == b"?>")?;
    let text = String::from_utf8_lossy(head.get(..end)?).to_ascii_lowercase();
    let name = text
        .split_once("encoding")?
        .1
        .trim_start()
        .strip_prefix('=')?
        .trim_start();
    let quote = name.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    match name.get(1..)?.split(quote).next()? {
        "utf-8" | "utf8" | "us-ascii" => Some(Charset::Utf8),
        "shift_jis" | "shift-jis" | "sjis" | "windows-31j" | "cp932" | "ms932" => {
            Some(Charset::Cp932)
        }
        "euc-jp" => Some(Charset::EucJp),
        "iso-2022-jp" => Some(Charset::Iso2022Jp),
        _ => None,
    }
}

/// Text of a file with the way from places in it to places in the file.
enum Decoding {
    /// Text and length of the file: every place is the whole file (UTF-16).
    Whole(String, u32),
    Places(Decoded),
}

impl Decoding {
    fn text(&self) -> &str {
        match self {
            Self::Whole(text, _) => text,
            Self::Places(d) => &d.text,
        }
    }
    fn range(&self, range: std::ops::Range<usize>) -> (u32, u32) {
        match self {
            Self::Whole(_, length) => (0, *length),
            Self::Places(d) => {
                let r = d.byte_range(range);
                (r.start, r.end)
            }
        }
    }
}

/// Whether depth and attributes stay within bounds: a look at the tags before anything is built.
fn is_modest(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut depth, mut i) = (0u32, 0usize);
    while let Some(p) = bytes
        .get(i..)
        .and_then(|rest| rest.iter().position(|b| *b == b'<'))
    {
        i += p;
        let rest = bytes.get(i..).unwrap_or_default();
        let skip = |end: &[u8]| {
            rest.windows(end.len())
                .position(|w| w == end)
                .map(|n| n + end.len())
        };
        let length = if rest.starts_with(b"<!--") {
            skip(b"-->")
        } else if rest.starts_with(b"<![CDATA[") {
            skip(b"]]>")
        } else if rest.starts_with(b"<?") {
            skip(b"?>")
        } else {
            let (length, attributes, closed) = tag(rest);
            if attributes > MAX_ATTRIBUTES {
                return false;
            }
            if rest.starts_with(b"</") {
                depth = depth.saturating_sub(1);
            } else if !closed {
                depth += 1;
            }
            Some(length)
        };
        if depth > MAX_DEPTH {
            return false;
        }
        let Some(length) = length else { return true };
        i += length.max(1);
    }
    true
}

/// Length of a tag, number of quoted values in it, whether it closes itself.
fn tag(rest: &[u8]) -> (usize, u32, bool) {
    let (mut quote, mut values, mut last) = (None, 0u32, 0u8);
    for (i, b) in rest.iter().enumerate() {
        match (quote, *b) {
            (None, b'>') => return (i + 1, values, last == b'/'),
            (None, b'"' | b'\'') => {
                quote = Some(*b);
                values += 1;
            }
            (Some(q), b) if q == b => quote = None,
            _ => {}
        }
        last = *b;
    }
    (rest.len(), values, true)
}

struct Reader<'m> {
    map: &'m Decoding,
}

fn child<'a, 'i>(n: Option<Node<'a, 'i>>, name: &str) -> Option<Node<'a, 'i>> {
    n?.children()
        .find(|c| c.is_element() && c.tag_name().name() == name)
}

fn children<'a, 'i: 'a>(
    n: Option<Node<'a, 'i>>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    n.into_iter()
        .flat_map(|n| n.children())
        .filter(move |c| c.is_element() && c.tag_name().name() == name)
}

impl Reader<'_> {
    fn attribute(&self, n: Option<Node<'_, '_>>, name: &str) -> Text {
        let Some(a) = n.and_then(|n| n.attribute_node(name)) else {
            return Text::default();
        };
        self.at(a.value(), a.range_value())
    }
    fn at(&self, text: &str, range: std::ops::Range<usize>) -> Text {
        let text = text.trim();
        if text.is_empty() {
            return Text::default();
        }
        let (start, end) = self.map.range(range);
        Text {
            text: text.to_owned(),
            start,
            end,
        }
    }
    /// All text of a node and its descendants.
    fn content(&self, n: Option<Node<'_, '_>>) -> Text {
        let Some(n) = n else { return Text::default() };
        let mut text = String::new();
        let mut range: Option<std::ops::Range<usize>> = None;
        for d in n.descendants().filter(Node::is_text) {
            text.push_str(d.text().unwrap_or(""));
            let r = d.range();
            range = Some(range.map_or(r.clone(), |all| all.start..r.end));
        }
        range.map_or_else(Text::default, |r| self.at(&text, r))
    }
    fn ident(&self, n: Option<Node<'_, '_>>) -> Ident {
        Ident {
            root: self.attribute(n, "root"),
            extension: self.attribute(n, "extension"),
        }
    }
    fn coded(&self, n: Option<Node<'_, '_>>) -> Coded {
        Coded {
            code: self.attribute(n, "code"),
            system: self.attribute(n, "codeSystem"),
            display: self.attribute(n, "displayName"),
        }
    }
    fn name(&self, n: Node<'_, '_>) -> Name {
        let n = Some(n);
        let (family, given) = (
            self.content(child(n, "family")),
            self.content(child(n, "given")),
        );
        let text = if family.is_empty() && given.is_empty() {
            self.content(n)
        } else {
            Text::default()
        };
        Name {
            name_use: self.attribute(n, "use"),
            family,
            given,
            text,
        }
    }
    fn person(&self, entity: Option<Node<'_, '_>>) -> Person {
        let person = child(entity, "assignedPerson");
        let device = child(entity, "assignedAuthoringDevice");
        Person {
            ids: children(entity, "id")
                .map(|n| self.ident(Some(n)))
                .filter(|i| !i.is_empty())
                .collect(),
            names: children(person, "name")
                .map(|n| self.name(n))
                .filter(|n| !n.display().is_empty())
                .collect(),
            device: self.content(
                child(device, "softwareName").or_else(|| child(device, "manufacturerModelName")),
            ),
        }
    }
    fn header(&self, root: Node<'_, '_>) -> Header {
        let root = Some(root);
        let role = child(child(root, "recordTarget"), "patientRole");
        let patient = child(role, "patient");
        let custodian = child(
            child(child(root, "custodian"), "assignedCustodian"),
            "representedCustodianOrganization",
        );
        let service = child(
            child(child(root, "documentationOf"), "serviceEvent"),
            "effectiveTime",
        );
        let authenticator =
            child(root, "legalAuthenticator").or_else(|| child(root, "authenticator"));
        let moment = self.attribute(service, "value");
        let low = self.attribute(child(service, "low"), "value");
        Header {
            id: self.ident(child(root, "id")),
            set_id: self.ident(child(root, "setId")),
            code: self.coded(child(root, "code")),
            title: self.content(child(root, "title")),
            effective: self.attribute(child(root, "effectiveTime"), "value"),
            confidentiality: self.coded(child(root, "confidentialityCode")),
            language: self.attribute(child(root, "languageCode"), "code"),
            patient_ids: children(role, "id")
                .map(|n| self.ident(Some(n)))
                .filter(|i| !i.extension.is_empty())
                .collect(),
            patient_names: children(patient, "name")
                .map(|n| self.name(n))
                .filter(|n| !n.display().is_empty())
                .collect(),
            gender: self.attribute(child(patient, "administrativeGenderCode"), "code"),
            birth: self.attribute(child(patient, "birthTime"), "value"),
            authors: children(root, "author")
                .map(|n| self.person(child(Some(n), "assignedAuthor")))
                .collect(),
            authenticator: authenticator.map(|n| self.person(child(Some(n), "assignedEntity"))),
            custodian: self.ident(child(custodian, "id")),
            custodian_name: self.content(child(custodian, "name")),
            service: (
                if low.is_empty() { moment } else { low },
                self.attribute(child(service, "high"), "value"),
            ),
            related: children(root, "relatedDocument")
                .map(|n| {
                    (
                        self.attribute(Some(n), "typeCode"),
                        self.ident(child(child(Some(n), "parentDocument"), "id")),
                    )
                })
                .filter(|(_, i)| !i.is_empty())
                .collect(),
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]
mod tests {
    use super::*;

    const SMALL: &str = "<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><id root=\"1.2\" extension=\"割1\"/><title>経過<b>記録</b></title></ClinicalDocument>";

    #[test]
    fn places_point_into_the_file() {
        let h = header(SMALL.as_bytes()).unwrap();
        assert_eq!(h.id.extension.text, "割1");
        assert_eq!(
            &SMALL[h.id.extension.start as usize..h.id.extension.end as usize],
            "割1"
        );
        assert_eq!(h.title.text, "経過記録");
    }

    #[test]
    fn other_charsets_are_read_by_their_declaration() {
        let text = format!("<?xml version=\"1.0\" encoding=\"Shift_JIS\"?>{SMALL}");
        let mut bytes = Vec::new();
        let lost = warifu_source::Encoder::windows().encode(&text, Charset::Cp932, &mut bytes);
        assert!(lost.is_empty());
        let h = header(&bytes).unwrap();
        assert_eq!(h.title.text, "経過記録");
        assert_eq!(
            bytes[h.id.extension.start as usize..h.id.extension.end as usize],
            *b"\x8A\x84\x31"
        );
        let mut wide = vec![0xFF, 0xFE];
        wide.extend(SMALL.encode_utf16().flat_map(u16::to_le_bytes));
        let h = header(&wide).unwrap();
        assert_eq!(
            (h.id.extension.text.as_str(), h.id.extension.start),
            ("割1", 0)
        );
    }

    #[test]
    fn hostile_documents_are_refused_in_time() {
        let bomb = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><ClinicalDocument>&b;</ClinicalDocument>";
        assert_eq!(header(bomb.as_bytes()).unwrap_err(), Failure::NotReadable);
        let deep = "<a>".repeat(200_000);
        assert_eq!(header(deep.as_bytes()).unwrap_err(), Failure::NotReadable);
        let wide = format!("<ClinicalDocument{}/>", " a=\"\"".repeat(200_000));
        assert_eq!(header(wide.as_bytes()).unwrap_err(), Failure::NotReadable);
        assert_eq!(header(b"<html/>").unwrap_err(), Failure::NotCda);
        assert_eq!(
            header(b"<ClinicalDocument>").unwrap_err(),
            Failure::NotReadable
        );
        assert_eq!(header(b"").unwrap_err(), Failure::NotReadable);
    }
}
