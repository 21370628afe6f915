//! Leaves with their rows and sources, packed: some 13 bytes each, where a value of its own takes
//! hundreds and an object of JavaScript a thousand.

use std::ops::Range;

use serde::{Serialize, Serializer};
use warifu_map::{File, Hit};
use warifu_order::Map;

use crate::{TraceHit, TraceRow, TraceSpan};

/// Most leaves of one conversion that are kept; what is behind them is told to be left out.
pub const MAX_HITS: usize = 4_000_000;

/// Stands in a text for a number.
const GAP: char = '\0';

/// Leaves in the order of the output.
///
/// Numbers have seven bits a byte, the lowest first, and the eighth says that more follow. A leaf is
/// its pointer, its row (0 for none, else the number of its text and one), how many sources it has,
/// and of each the file, the first byte, the length, and the path. A pointer or path is the number
/// of its text, which has a NUL where it has a number, and these numbers. The text of a row is
/// table, source, target and Japanese name with tabs between.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hits {
    bytes: Vec<u8>,
    texts: Map<String, u32>,
    files: Vec<String>,
    len: usize,
    room: usize,
}

impl Hits {
    /// Nothing yet, of these files. As all of tracing it is kept apart from what converts.
    #[inline(never)]
    pub fn of(files: &[File<'_>]) -> Self {
        Self {
            bytes: Vec::new(),
            texts: Map::new(),
            files: files.iter().map(|f| f.path.to_owned()).collect(),
            len: 0,
            room: MAX_HITS,
        }
    }
    /// The packed leaves.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// The texts by their numbers.
    pub fn texts(&self) -> Vec<&str> {
        let mut texts = vec![""; self.texts.len()];
        for (text, n) in self.texts.iter() {
            if let Some(slot) = usize::try_from(*n).ok().and_then(|n| texts.get_mut(n)) {
                *slot = text;
            }
        }
        texts
    }
    /// The paths of the files by their numbers.
    pub fn files(&self) -> &[String] {
        &self.files
    }
    /// How many leaves there are.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Whether all leaves are there: false when there are more than [`MAX_HITS`].
    pub fn is_complete(&self) -> bool {
        self.len <= self.room
    }
    /// Adds leaves while there is room, each below a pointer.
    pub(crate) fn add(&mut self, prefix: &str, hits: &mut dyn Iterator<Item = Hit>) {
        for hit in hits {
            if !self.take(prefix, hit) {
                return;
            }
        }
    }
    /// Adds a leaf below a pointer; says whether there was room.
    pub(crate) fn take(&mut self, prefix: &str, hit: Hit) -> bool {
        if self.len >= self.room {
            // One that is missing is enough to be incomplete.
            self.room = 0;
            return false;
        }
        self.len += 1;
        self.text([prefix, &hit.pointer]);
        let row = hit.row.map_or(0, |r| {
            self.number_of([r.table, r.source, r.target, r.ja].join("\t")) + 1
        });
        self.number(row);
        self.number(u32::try_from(hit.spans.len()).unwrap_or(u32::MAX));
        for s in hit.spans {
            self.number(s.message.into());
            self.number(s.start);
            self.number(s.end.saturating_sub(s.start));
            self.text(["", &s.path]);
        }
        true
    }
    fn number(&mut self, mut n: u32) {
        while n > 127 {
            self.bytes
                .push(u8::try_from(n & 127 | 128).unwrap_or_default());
            n >>= 7;
        }
        self.bytes.push(u8::try_from(n).unwrap_or_default());
    }
    fn number_of(&mut self, text: String) -> u32 {
        let next = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        *self.texts.entry(text).or_insert(next)
    }
    /// A pointer or a path.
    fn text(&mut self, parts: [&str; 2]) {
        let (mut text, mut numbers) = (String::new(), Vec::new());
        let mut open = false;
        for c in parts.iter().flat_map(|part| part.chars()) {
            let digit = c.to_digit(10);
            match (digit, numbers.last_mut()) {
                (Some(d), Some(n)) if open && *n > 0 && *n < 100_000_000 => *n = *n * 10 + d,
                (Some(d), _) if !open && !text.ends_with(|c: char| c.is_ascii_alphanumeric()) => {
                    text.push(GAP);
                    numbers.push(d);
                    open = true;
                }
                _ => {
                    text.push(if c == GAP {
                        char::REPLACEMENT_CHARACTER
                    } else {
                        c
                    });
                    open = false;
                }
            }
        }
        let text = self.number_of(text);
        self.number(text);
        for n in numbers {
            self.number(n);
        }
    }
    /// All leaves.
    pub fn iter(&self) -> impl Iterator<Item = TraceHit> {
        self.within(0..self.bytes.len())
    }
    /// The leaves of a range of the bytes, as [`crate::Piece::hits`] gives it.
    pub fn within(&self, range: Range<usize>) -> impl Iterator<Item = TraceHit> {
        let mut bytes = self.bytes.get(range).unwrap_or_default().iter();
        let texts = self.texts();
        std::iter::from_fn(move || {
            if bytes.as_slice().is_empty() {
                return None;
            }
            let mut number = || {
                let mut n = 0;
                for (b, at) in bytes.by_ref().zip((0..32).step_by(7)) {
                    n |= u32::from(b & 127) << at;
                    if *b < 128 {
                        break;
                    }
                }
                n
            };
            let text = |number: &mut dyn FnMut() -> u32| {
                let mut out = String::new();
                for c in at(&texts, number()).chars() {
                    if c == GAP {
                        out += &number().to_string();
                    } else {
                        out.push(c);
                    }
                }
                out
            };
            let pointer = text(&mut number);
            let row = number().checked_sub(1).map(|n| {
                let mut parts = at(&texts, n).split('\t').map(str::to_owned);
                let mut next = || parts.next().unwrap_or_default().into();
                TraceRow {
                    table: next(),
                    source: next(),
                    target: next(),
                    ja: next(),
                }
            });
            let spans = (0..number())
                .map(|_| {
                    let file = usize::try_from(number()).unwrap_or(usize::MAX);
                    let (start, length) = (u64::from(number()), u64::from(number()));
                    TraceSpan {
                        file: self.files.get(file).cloned().unwrap_or_default(),
                        record: None,
                        start,
                        end: start + length,
                        path: text(&mut number),
                    }
                })
                .collect();
            Some(TraceHit {
                output: None,
                resource: None,
                pointer,
                row,
                spans,
            })
        })
    }
}

fn at<'t>(texts: &[&'t str], n: u32) -> &'t str {
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    texts.get(n).copied().unwrap_or_default()
}

impl Serialize for Hits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warifu_fhir::Row;
    use warifu_map::HitSpan;

    const ROW: Row = Row {
        table: "PID_TO_JP_PATIENT",
        source: "PID-5",
        target: "Patient.name",
        ja: "患者氏名",
    };

    fn hit(pointer: &str, row: Option<Row>, spans: &[(u16, u32, u32, &str)]) -> Hit {
        Hit {
            pointer: pointer.to_owned(),
            row,
            spans: spans
                .iter()
                .map(|(message, start, end, path)| HitSpan {
                    message: *message,
                    start: *start,
                    end: *end,
                    path: (*path).to_owned(),
                })
                .collect(),
        }
    }

    #[test]
    fn what_is_packed_comes_out_as_it_went_in() {
        let files = ["a\0b", "患者"].map(|path| File { path, bytes: b"" });
        let all = [
            hit("/resourceType", None, &[]),
            hit("/name/0/family", Some(ROW), &[(1, 0, 1, "PID-5[2].1")]),
            hit(
                "/name/400000/valueBase64Binary",
                Some(ROW),
                &[
                    (0, 127, 128, "PV1-3"),
                    (1, 65_536, u32::MAX, "OBX[1234567890]-05.00"),
                ],
            ),
            hit("/x\0y/007/10/1a/a1", None, &[(7, 3, 3, "")]),
        ];
        let mut hits = Hits::of(&files);
        hits.add("", &mut all.iter().take(1).cloned());
        hits.add("/entry/12/resource", &mut all.iter().skip(1).cloned());
        let found: Vec<TraceHit> = hits.iter().collect();
        let want: Vec<TraceHit> = all
            .iter()
            .zip([
                "",
                "/entry/12/resource",
                "/entry/12/resource",
                "/entry/12/resource",
            ])
            .map(|(h, prefix)| {
                let pointer = format!("{prefix}{}", h.pointer).replace('\0', "\u{fffd}");
                crate::hit(
                    Hit {
                        pointer,
                        ..h.clone()
                    },
                    &files,
                )
            })
            .collect();
        assert_eq!(found, want);
        assert!(hits.is_complete());
    }

    #[test]
    fn of_a_long_list_a_leaf_takes_a_few_bytes_and_its_texts_are_kept_once() {
        let mut hits = Hits::of(&[File {
            path: "a",
            bytes: b"",
        }]);
        let mut all = (0..10_000).map(|n| {
            let path = format!("OBX[{n}]-5.{n}");
            hit(
                &format!("/entry/{n}/resource/name/{n}"),
                Some(ROW),
                &[(0, n * 90, n * 90 + 5, &path)],
            )
        });
        hits.add("", &mut all);
        assert_eq!(hits.texts().len(), 3);
        assert!(
            hits.bytes().len() < 20 * hits.len(),
            "{}",
            hits.bytes().len()
        );
    }

    #[test]
    fn beyond_the_bound_nothing_is_kept_and_that_is_said() {
        let mut hits = Hits::of(&[]);
        hits.room = 3;
        let some = |n| (0..n).map(|_| hit("/id", None, &[]));
        hits.add("", &mut some(3));
        assert!(hits.is_complete() && hits.len() == 3);
        hits.add("", &mut some(2));
        // Nothing more is asked for: leaves are made when they are.
        let mut rest = some(2);
        hits.add("", &mut rest);
        assert_eq!(rest.count(), 1);
        assert!(!hits.is_complete());
        assert_eq!(hits.iter().count(), 3);
    }
}
