//! From leaf events to JSON pointers.

/// Bytes a leaf was made from: a half-open range of one message; `Src::NONE` for constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct Src {
    /// The caller's number of the message.
    pub message: u16,
    /// First byte.
    pub start: u32,
    /// One past the last byte; `end == 0` means "no source".
    pub end: u32,
}

impl Src {
    /// No source: a constant of the mapping.
    pub const NONE: Self = Self {
        message: 0,
        start: 0,
        end: 0,
    };
    /// Whether there is a source.
    pub fn is_some(self) -> bool {
        self.end > 0
    }
}

/// One row of a mapping table, as shown to readers of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Name of the table, e.g. `PID_TO_JP_PATIENT`.
    pub table: &'static str,
    /// Source field, e.g. `PID-5`; empty for constants.
    pub source: &'static str,
    /// Target element, e.g. `Patient.name`.
    pub target: &'static str,
    /// Official Japanese name of the source.
    pub ja: &'static str,
}

/// Which row it is. What readers see besides ([`Row`]) is looked up when a trace is shown: a
/// conversion does without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowId {
    /// Name of the table.
    pub table: &'static str,
    /// Source field; empty for constants.
    pub source: &'static str,
    /// Place among the rows of the table; [`RowId::TABLE`] for the table as such.
    pub n: u16,
}

impl RowId {
    /// Place of what is attributed to the table as such.
    pub const TABLE: u16 = u16::MAX;
}

/// One leaf (or one further source of the same leaf) of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Offset of the leaf's first byte in the resource's JSON.
    pub at: u32,
    /// Where it came from.
    pub src: Src,
    /// Row in force when it was written.
    pub row: Option<&'static RowId>,
}

/// A leaf of a JSON text with its RFC 6901 pointer and the range of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Pointer, e.g. `/name/0/family`.
    pub pointer: String,
    /// Offset of the value's first byte.
    pub start: usize,
    /// Offset after the value's last byte.
    pub end: usize,
}

/// Every leaf of `json` (compact JSON as this crate writes it) in file order. Linear time; malformed
/// text ends it early.
pub fn leaves(json: &[u8]) -> Leaves<'_> {
    Leaves {
        json,
        at: 0,
        pointer: String::new(),
        stack: Vec::new(),
    }
}

#[derive(Debug)]
enum Frame {
    Object { pointer_len: usize },
    Array { pointer_len: usize, index: usize },
}

/// What [`leaves`] gives: one at a time, so that a long text needs no list of them.
#[derive(Debug)]
pub struct Leaves<'j> {
    json: &'j [u8],
    at: usize,
    pointer: String,
    stack: Vec<Frame>,
}

impl Leaves<'_> {
    /// The value from here to `end`.
    fn leaf(&mut self, end: usize) -> Leaf {
        let start = std::mem::replace(&mut self.at, end);
        Leaf {
            pointer: self.pointer.clone(),
            start,
            end,
        }
    }
}

impl Iterator for Leaves<'_> {
    type Item = Leaf;

    fn next(&mut self) -> Option<Leaf> {
        let json = self.json;
        while let Some(&b) = json.get(self.at) {
            match b {
                b'{' => {
                    self.stack.push(Frame::Object {
                        pointer_len: self.pointer.len(),
                    });
                    self.at += 1;
                }
                b'[' => {
                    self.stack.push(Frame::Array {
                        pointer_len: self.pointer.len(),
                        index: 0,
                    });
                    self.pointer.push_str("/0");
                    self.at += 1;
                }
                b'}' | b']' => {
                    let (Frame::Object { pointer_len } | Frame::Array { pointer_len, .. }) =
                        self.stack.pop()?;
                    self.pointer.truncate(pointer_len);
                    self.at += 1;
                }
                b',' => {
                    match self.stack.last_mut() {
                        Some(Frame::Array { pointer_len, index }) => {
                            *index += 1;
                            self.pointer.truncate(*pointer_len);
                            self.pointer.push('/');
                            self.pointer.push_str(&index.to_string());
                        }
                        Some(Frame::Object { pointer_len }) => self.pointer.truncate(*pointer_len),
                        None => {}
                    }
                    self.at += 1;
                }
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                b'"' => {
                    let end = string_end(json, self.at);
                    let Some(Frame::Object { pointer_len }) =
                        self.stack.last().filter(|_| json.get(end) == Some(&b':'))
                    else {
                        return Some(self.leaf(end));
                    };
                    self.pointer.truncate(*pointer_len);
                    self.pointer.push('/');
                    let key = json
                        .get(self.at + 1..end.saturating_sub(1))
                        .unwrap_or_default();
                    self.pointer.push_str(
                        &String::from_utf8_lossy(key)
                            .replace('~', "~0")
                            .replace('/', "~1"),
                    );
                    self.at = end + 1;
                }
                _ => {
                    let mut end = self.at;
                    while json.get(end).is_some_and(|c| {
                        !matches!(c, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')
                    }) {
                        end += 1;
                    }
                    return (end > self.at).then(|| self.leaf(end));
                }
            }
        }
        None
    }
}

fn string_end(json: &[u8], at: usize) -> usize {
    let mut i = at + 1;
    while let Some(&b) = json.get(i) {
        match b {
            b'\\' => i += 2,
            b'"' => return i + 1,
            _ => i += 1,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_follow_objects_and_arrays() {
        let json = br#"{"a":"x","b":[{"c":1,"d":[true,false]},{"e/f":"\"q\""}],"g":{"h":null}}"#;
        let got: Vec<_> = leaves(json)
            .map(|l| {
                (
                    l.pointer,
                    String::from_utf8_lossy(&json[l.start..l.end]).into_owned(),
                )
            })
            .collect();
        let want = [
            ("/a", "\"x\""),
            ("/b/0/c", "1"),
            ("/b/0/d/0", "true"),
            ("/b/0/d/1", "false"),
            ("/b/1/e~1f", r#""\"q\"""#),
            ("/g/h", "null"),
        ];
        assert_eq!(got, want.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}
