//! A message as a tree for readers: segments, fields, components with names in both languages.

use bumpalo::Bump;
use serde::Serialize;
use warifu_hl7::{Index, Message, Part};
use warifu_source::Charset;
use warifu_ssmix2::DataKind;

use crate::finding::Names;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageView {
    /// Charset read by.
    pub charset: String,
    /// Data kind, e.g. `OMP-01`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind_name: Option<Names>,
    /// MSH-9 as `ADT^A08`.
    pub message_type: String,
    /// Size of the file.
    pub bytes: usize,
    /// Decoded text without escape sequences of the charset.
    pub text: String,
    /// Segments in file order.
    pub segments: Vec<SegmentNode>,
}

/// A segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SegmentNode {
    /// Name.
    pub name: String,
    /// Japanese name.
    pub ja: String,
    /// English name.
    pub en: String,
    /// Ordinal among equals from 1.
    pub ordinal: u32,
    /// Line from 1.
    pub line: u32,
    /// Byte range.
    pub span: [u32; 2],
    /// Fields that are not empty.
    pub fields: Vec<FieldNode>,
}

/// A field, repetition, component or sub-component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldNode {
    /// Path, e.g. `PID-5[2].1`.
    pub path: String,
    /// Japanese name.
    pub ja: String,
    /// English name.
    pub en: String,
    /// Byte range.
    pub span: [u32; 2],
    /// Decoded, unescaped text of the whole part.
    pub text: String,
    /// Inner parts, when there is more than one.
    pub children: Vec<Self>,
}

/// Most nodes a view holds; what follows is left out (hostile input).
pub const MAX_NODES: usize = 200_000;

/// Builds the tree. `kind` comes from the storage; `None` leaves it out.
pub fn view(bytes: &[u8], charset: Option<Charset>, kind: Option<DataKind>) -> MessageView {
    let mut index = Index::new();
    index.build(bytes, charset);
    let arena = Bump::new();
    let m = Message::new(bytes, &index, &arena, 0);
    let mut nodes = 0usize;
    let mut counts: warifu_order::Map<[u8; 3], u32> = warifu_order::Map::new();
    let mut segments = Vec::new();
    let text = crate::position::SourceText::new(bytes, index.charset());
    for s in m.segments() {
        if nodes > MAX_NODES {
            break;
        }
        nodes += 1;
        let ordinal = counts.entry(s.name()).or_insert(0);
        *ordinal += 1;
        let ordinal = *ordinal;
        let info = warifu_terms::fields::segment(s.name_str());
        let base = if ordinal > 1 {
            format!("{}({ordinal})", s.name_str())
        } else {
            s.name_str().to_owned()
        };
        let mut fields = Vec::new();
        for (n, f) in s.fields() {
            if f.is_empty() {
                continue;
            }
            fields.push(field_node(&base, s.name_str(), n, f, &mut nodes));
        }
        let (start, end) = s.span();
        segments.push(SegmentNode {
            name: s.name_str().to_owned(),
            ja: info.map_or("", |i| i.ja).to_owned(),
            en: info.map_or("", |i| i.en).to_owned(),
            ordinal,
            line: text.position(start, crate::position::Units::Utf8).line,
            span: [start, end],
            fields,
        });
    }
    let nine = m.first(b"MSH").map(|s| s.field(9));
    let message_type = nine
        .map(|f| format!("{}^{}", f.comp(1).value().text, f.comp(2).value().text))
        .unwrap_or_default();
    MessageView {
        charset: match index.charset() {
            Charset::Iso2022Jp => "ISO-2022-JP",
            Charset::Utf8 => "UTF-8",
            Charset::Cp932 => "CP932",
            Charset::EucJp => "EUC-JP",
        }
        .to_owned(),
        kind: kind.map(|k| k.code().to_owned()),
        kind_name: kind.map(|k| Names {
            ja: k.ja().to_owned(),
            en: k.en().to_owned(),
        }),
        message_type,
        bytes: bytes.len(),
        text: text.decoded.text,
        segments,
    }
}

fn node(path: String, ja: &str, en: &str, part: Part<'_>, children: Vec<FieldNode>) -> FieldNode {
    let (start, end) = part.span();
    FieldNode {
        path,
        ja: ja.to_owned(),
        en: en.to_owned(),
        span: [start, end],
        text: part.text().text.to_owned(),
        children,
    }
}

fn field_node(base: &str, segment: &str, n: usize, f: Part<'_>, nodes: &mut usize) -> FieldNode {
    *nodes += 1;
    let info = warifu_terms::fields::field(segment, n);
    let (ja, en, datatype) = info.map_or(("", "", ""), |i| (i.ja, i.en, i.datatype));
    let path = format!("{base}-{n}");
    if segment == "MSH" && n <= 2 {
        return node(path, ja, en, f, Vec::new());
    }
    let reps: Vec<Part<'_>> = f.reps().take(MAX_NODES).collect();
    let children = if reps.len() > 1 {
        let mut list = Vec::with_capacity(reps.len().min(64));
        for (i, rep) in reps.iter().enumerate() {
            *nodes += 1;
            if *nodes > MAX_NODES {
                break;
            }
            let path = format!("{path}[{}]", i + 1);
            let children = component_nodes(&path, datatype, *rep, nodes);
            list.push(node(path, ja, en, *rep, children));
        }
        list
    } else {
        component_nodes(&path, datatype, f, nodes)
    };
    node(path, ja, en, f, children)
}

fn component_nodes(path: &str, datatype: &str, rep: Part<'_>, nodes: &mut usize) -> Vec<FieldNode> {
    let comps: Vec<Part<'_>> = rep.comps().take(MAX_NODES).collect();
    if comps.len() < 2 && rep.subs().nth(1).is_none() {
        return Vec::new();
    }
    let infos = warifu_terms::fields::datatype(datatype);
    let mut out = Vec::new();
    for (i, c) in comps.iter().enumerate() {
        if c.is_empty() {
            continue;
        }
        *nodes += 1;
        if *nodes > MAX_NODES {
            break;
        }
        let info = infos.and_then(|d| d.component(i + 1));
        let (ja, en, inner) = info.map_or(("", "", ""), |c| (c.ja, c.en, c.datatype));
        let path = format!("{path}.{}", i + 1);
        let subs: Vec<Part<'_>> = c.subs().take(MAX_NODES).collect();
        let children = if subs.len() > 1 {
            let infos = warifu_terms::fields::datatype(inner);
            subs.iter()
                .enumerate()
                .filter(|(_, s)| !s.is_empty())
                .take_while(|_| {
                    *nodes += 1;
                    *nodes <= MAX_NODES
                })
                .map(|(k, s)| {
                    let info = infos.and_then(|d| d.component(k + 1));
                    let (ja, en) = info.map_or(("", ""), |c| (c.ja, c.en));
                    node(format!("{path}.{}", k + 1), ja, en, *s, Vec::new())
                })
                .collect()
        } else {
            Vec::new()
        };
        out.push(node(path, ja, en, *c, children));
    }
    out
}
