//! The checker: indexes a file once and walks the index once.

use bumpalo::Bump;
use warifu_diag::{Diagnostic, SourceId};
use warifu_hl7::{Index, Message, findings};
use warifu_source::Notes;

use crate::Options;

/// A file of a storage.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Path inside the storage, `/` or `\` between folders; perhaps only a name, perhaps empty.
    pub path: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Checks files; keeps its memory from one to the next.
#[derive(Debug)]
pub struct Checker {
    options: Options,
    index: Index,
    notes: Notes,
    arena: Bump,
}

impl Checker {
    /// A checker with these rules on.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            index: Index::new(),
            notes: Notes::new(),
            arena: Bump::new(),
        }
    }

    /// Checks one file: its name, its characters, its syntax and its message (or messages). `number`
    /// becomes the source of all spans.
    pub fn check_file(&mut self, file: File<'_>, number: u32, out: &mut Vec<Diagnostic>) {
        let first = out.len();
        let source = SourceId(number);
        for (start, end) in findings::messages_of(file.bytes, source, out) {
            let bytes = file.bytes.get(..end).unwrap_or_default();
            self.index.build_part(bytes, start, None);
            findings::reading(bytes, start, &self.index, &mut self.notes, source, out);
            self.arena.reset();
            let message = Message::new(bytes, &self.index, &self.arena, 0);
            for d in out.iter_mut().skip(first).filter(|d| d.path.is_none()) {
                if d.span.end > 0 {
                    d.path = message.locate(d.span.start);
                }
            }
        }
        finish(out, first, self.options);
    }

    /// Checks all files of one patient: each file, then what only several files can show.
    /// The source of a span is the index of its file.
    pub fn check_patient(&mut self, files: &[File<'_>], out: &mut Vec<Diagnostic>) {
        for (number, file) in (0..).zip(files) {
            self.check_file(*file, number, out);
        }
    }

    /// Checks several messages that follow one another in one input; no name is checked.
    pub fn check_stream(&mut self, bytes: &[u8], number: u32, out: &mut Vec<Diagnostic>) {
        self.check_file(File { path: "", bytes }, number, out);
    }
}

/// Leaves out what is not asked for and puts the rest in order of file, span, code.
fn finish(out: &mut Vec<Diagnostic>, first: usize, options: Options) {
    let mut own = out.split_off(first);
    own.retain(|d| options.has(d.code));
    own.sort_by_key(|d| (d.span.source, d.span.start, d.span.end, d.code.code));
    out.append(&mut own);
}
