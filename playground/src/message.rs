//! The message as a tree of segments and fields, made from what the engine's `parse` returns.

use crate::json::{Json, Value};
use crate::outline::Outline;

/// One row of the field tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// What stands at the row's head: `PID`, `5[2]`, `.1`.
    pub label: String,
    /// Full HL7 path, `PID-5[2].1`; for a segment its name with the ordinal.
    pub path: String,
    /// Japanese name, may be empty.
    pub ja: String,
    /// English name, may be empty.
    pub en: String,
    /// Decoded text of a field; empty for a segment.
    pub text: String,
    /// Byte range in the file as received.
    pub span: (u32, u32),
    /// 0 for segments.
    pub depth: u16,
}

/// A parsed message, ready to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Detected charset.
    pub charset: String,
    /// Data kind code, if the file is of one.
    pub kind: String,
    /// Japanese name of the data kind.
    pub kind_ja: String,
    /// English name of the data kind.
    pub kind_en: String,
    /// `ADT^A08`
    pub message_type: String,
    /// Size of the file in bytes.
    pub bytes: u32,
    /// Decoded text with the escapes removed.
    pub text: String,
    /// Rows in preorder.
    pub rows: Vec<Row>,
    /// Number of segments.
    pub segments: usize,
}

impl Message {
    /// Reads a `MessageView`.
    pub fn read(view: Value<'_>) -> Self {
        let mut out = Self {
            charset: view.get("charset").string(),
            kind: view.get("kind").string(),
            kind_ja: view.get("kindName").get("ja").string(),
            kind_en: view.get("kindName").get("en").string(),
            message_type: view.get("messageType").string(),
            bytes: view.get("bytes").uint(),
            text: view.get("text").string(),
            rows: Vec::new(),
            segments: 0,
        };
        for segment in view.get("segments").items() {
            out.segments += 1;
            let name = segment.get("name").string();
            let ordinal = segment.get("ordinal").uint();
            let path = if ordinal > 1 {
                format!("{name}[{ordinal}]")
            } else {
                name.clone()
            };
            out.rows.push(Row {
                label: path.clone(),
                path,
                ja: segment.get("ja").string(),
                en: segment.get("en").string(),
                text: String::new(),
                span: segment.get("span").pair(),
                depth: 0,
            });
            for field in segment.get("fields").items() {
                out.field(field, &name, 1);
            }
        }
        let rest = view.get("rest");
        if rest.items().next().is_some() {
            out.rows.push(Row {
                label: "…".into(),
                path: "…".into(),
                ja: "ここから先は大きすぎるため表示していません".into(),
                en: "Too large: not shown from here on".into(),
                text: String::new(),
                span: rest.pair(),
                depth: 0,
            });
        }
        out
    }

    fn field(&mut self, field: Value<'_>, above: &str, depth: u16) {
        let path = field.get("path").string();
        let label = path.strip_prefix(above).map_or_else(
            || path.clone(),
            |rest| {
                if depth == 1 {
                    rest.trim_start_matches('-').into()
                } else {
                    rest.into()
                }
            },
        );
        // A repetition `PID-5[2]` under `PID-5` would read `[2]`; its number alone says too little.
        let label = if label.starts_with('[') {
            format!("{}{label}", above.rsplit('-').next().unwrap_or_default())
        } else if label == path {
            path.split_once('-')
                .map_or(label, |(_, rest)| rest.to_owned())
        } else {
            label
        };
        self.rows.push(Row {
            label,
            path: path.clone(),
            ja: field.get("ja").string(),
            en: field.get("en").string(),
            text: field.get("text").string(),
            span: field.get("span").pair(),
            depth,
        });
        if depth < 8 {
            for child in field.get("children").items() {
                self.field(child, &path, depth + 1);
            }
        }
    }

    /// The outline of the rows, all open.
    pub fn outline(&self) -> Outline {
        Outline::from_depths(&self.rows.iter().map(|r| r.depth).collect::<Vec<_>>())
    }

    /// The deepest row whose bytes hold the whole span, or else the first that touches it.
    pub fn row_at(&self, start: u32, end: u32) -> Option<usize> {
        let mut best: Option<(u32, usize)> = None;
        for (i, row) in self.rows.iter().enumerate() {
            if row.span.0 <= start && end <= row.span.1 {
                let width = row.span.1 - row.span.0;
                if best.is_none_or(|(w, _)| width <= w) {
                    best = Some((width, i));
                }
            }
        }
        best.map(|(_, i)| i).or_else(|| {
            self.rows
                .iter()
                .position(|r| r.depth > 0 && r.span.0 < end.max(start + 1) && start < r.span.1)
        })
    }
}

/// Reads a JSON text holding a `MessageView`; `None` when it is not JSON.
pub fn read(bytes: Vec<u8>) -> Option<Message> {
    Json::parse(bytes).ok().map(|j| Message::read(j.root()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEW: &str = r#"{"charset":"ISO-2022-JP","kind":"ADT-00","kindName":{"ja":"患者基本情報の更新","en":"Patient"},
      "messageType":"ADT^A08","bytes":294,"text":"MSH","segments":[
      {"name":"PID","ja":"患者識別","en":"Patient Identification","ordinal":1,"line":3,"span":[100,290],"fields":[
        {"path":"PID-3","ja":"患者ID","en":"ID","span":[106,116],"text":"0000000123","children":[]},
        {"path":"PID-5","ja":"氏名","en":"Name","span":[120,260],"text":"山田","children":[
          {"path":"PID-5[2]","ja":"","en":"","span":[230,260],"text":"","children":[
            {"path":"PID-5[2].1","ja":"姓","en":"Family","span":[243,253],"text":"ﾔﾏﾀﾞ","children":[]}]}]}]},
      {"name":"OBX","ja":"","en":"","ordinal":2,"line":4,"span":[291,294],"fields":[]}]}"#;

    #[test]
    fn rows_are_in_order_with_short_labels() {
        let m = read(VIEW.as_bytes().to_vec()).unwrap();
        let labels: Vec<_> = m.rows.iter().map(|r| (r.label.as_str(), r.depth)).collect();
        assert_eq!(
            labels,
            [
                ("PID", 0),
                ("3", 1),
                ("5", 1),
                ("5[2]", 2),
                (".1", 3),
                ("OBX[2]", 0)
            ]
        );
        assert_eq!(m.outline().rows(), 6);
        assert_eq!(m.segments, 2);
    }

    #[test]
    fn what_the_tree_leaves_out_is_a_row() {
        let cut = VIEW.trim_end().strip_suffix('}').unwrap().to_owned() + r#","rest":[300,900]}"#;
        let m = read(cut.into_bytes()).unwrap();
        let row = m.rows.last().unwrap();
        assert_eq!((row.span, row.depth, m.segments), ((300, 900), 0, 2));
        assert_eq!(m.row_at(500, 501), Some(m.rows.len() - 1));
    }

    #[test]
    fn a_span_leads_to_the_deepest_row_around_it() {
        let m = read(VIEW.as_bytes().to_vec()).unwrap();
        let path = |s, e| m.row_at(s, e).map(|i| m.rows[i].path.clone());
        assert_eq!(path(243, 253).as_deref(), Some("PID-5[2].1"));
        assert_eq!(path(244, 250).as_deref(), Some("PID-5[2].1"));
        assert_eq!(path(230, 260).as_deref(), Some("PID-5[2]"));
        assert_eq!(path(500, 501), None);
    }
}
