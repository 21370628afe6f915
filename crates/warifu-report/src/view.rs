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
    /// Byte range that the tree leaves out, where it would have more than [`MAX_NODES`] nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest: Option<[u32; 2]>,
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

/// Most nodes a view holds; what follows is left out (hostile input), which [`MessageView::rest`] says.
pub const MAX_NODES: usize = 200_000;

/// Nodes that there may still be.
struct Room {
    left: usize,
    /// Where the first node stands that had none.
    rest: Option<u32>,
}

impl Room {
    /// Whether a node that begins there has room. After the first that has none no other has.
    fn take(&mut self, (start, _): (u32, u32)) -> bool {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => _ = self.rest.get_or_insert(start),
        }
        self.rest.is_none()
    }
}

/// Builds the tree. `kind` comes from the storage; `None` leaves it out.
pub fn view(bytes: &[u8], charset: Option<Charset>, kind: Option<DataKind>) -> MessageView {
    let mut index = Index::new();
    index.build(bytes, charset);
    let arena = Bump::new();
    let m = Message::new(bytes, &index, &arena, 0);
    let mut room = Room {
        left: MAX_NODES,
        rest: None,
    };
    let mut counts: warifu_order::Map<[u8; 3], u32> = warifu_order::Map::new();
    let mut segments = Vec::new();
    let text = crate::position::SourceText::new(bytes, index.charset());
    for s in m.segments() {
        if !room.take(s.span()) {
            break;
        }
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
            if !room.take(f.span()) {
                break;
            }
            fields.push(field_node(&base, s.name_str(), n, f, &mut room));
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
        rest: room.rest.map(|from| {
            let end = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            [from, end]
        }),
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

fn field_node(base: &str, segment: &str, n: usize, f: Part<'_>, room: &mut Room) -> FieldNode {
    let info = warifu_terms::fields::field(segment, n);
    let (ja, en, datatype) = info.map_or(("", "", ""), |i| (i.ja, i.en, i.datatype));
    let path = format!("{base}-{n}");
    if segment == "MSH" && n <= 2 {
        return node(path, ja, en, f, Vec::new());
    }
    let children = if f.reps().nth(1).is_some() {
        let mut list = Vec::new();
        for (i, rep) in f.reps().enumerate() {
            if !room.take(rep.span()) {
                break;
            }
            let path = format!("{path}[{}]", i + 1);
            let children = component_nodes(&path, datatype, rep, room);
            list.push(node(path, ja, en, rep, children));
        }
        list
    } else {
        component_nodes(&path, datatype, f, room)
    };
    node(path, ja, en, f, children)
}

fn component_nodes(path: &str, datatype: &str, rep: Part<'_>, room: &mut Room) -> Vec<FieldNode> {
    if rep.comps().nth(1).is_none() && rep.subs().nth(1).is_none() {
        return Vec::new();
    }
    let infos = warifu_terms::fields::datatype(datatype);
    let mut out = Vec::new();
    for (i, c) in rep.comps().enumerate() {
        if c.is_empty() {
            continue;
        }
        if !room.take(c.span()) {
            break;
        }
        let info = infos.and_then(|d| d.component(i + 1));
        let (ja, en, inner) = info.map_or(("", "", ""), |c| (c.ja, c.en, c.datatype));
        let path = format!("{path}.{}", i + 1);
        let children = if c.subs().nth(1).is_some() {
            let infos = warifu_terms::fields::datatype(inner);
            c.subs()
                .enumerate()
                .filter(|(_, s)| !s.is_empty())
                .take_while(|(_, s)| room.take(s.span()))
                .map(|(k, s)| {
                    let info = infos.and_then(|d| d.component(k + 1));
                    let (ja, en) = info.map_or(("", ""), |c| (c.ja, c.en));
                    node(format!("{path}.{}", k + 1), ja, en, s, Vec::new())
                })
                .collect()
        } else {
            Vec::new()
        };
        out.push(node(path, ja, en, c, children));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(rest: &str) -> MessageView {
        let text = format!("MSH|^~\\&|A|B|C|D|20260501||ADT^A08|1|P|2.5\r{rest}\rNTE|1||end\r");
        view(text.as_bytes(), None, None)
    }

    #[test]
    fn a_tree_that_grows_too_large_says_what_it_leaves_out() {
        let whole = message("NTE|1||a^b~c");
        assert_eq!((whole.segments.len(), whole.rest), (3, None));
        // Repetitions have a bound of their own, so each has two components here.
        for (many, count) in [("|a", 1), ("~a^a", 3), ("^a", 1), ("&a", 1)] {
            let v = message(&format!("NTE|1||b{}", many.repeat(MAX_NODES / count + 10)));
            let [from, to] = v.rest.unwrap();
            assert_eq!(usize::try_from(to).unwrap(), v.bytes);
            // The last node of the tree ends where the rest begins.
            let mut last = v.segments.last().unwrap().fields.last().unwrap();
            while let Some(inner) = last.children.last() {
                last = inner;
            }
            assert_eq!((last.span[1], v.segments.len()), (from - 1, 2), "{many}");
        }
    }
}
