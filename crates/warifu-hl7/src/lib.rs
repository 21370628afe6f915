//! HL7 v2.5 messages as SS-MIX2 stores them: a zero-copy index of segments and fields over the
//! bytes of a file, and values decoded when they are asked for.
//!
//! * [`Index`] is built in one pass over the raw bytes, aware of ISO-2022-JP shift states and of
//!   CP932 trail bytes, so that half of a kanji is never taken for a delimiter. It keeps 4 bytes a
//!   field and a separator inside it, and is reused from message to message.
//! * [`Message`] lends [`Segment`]s and [`Part`]s (field, repetition, component, sub-component).
//!   [`Part::value`] gives text and the byte range it came from.
//! * Reading never fails: what is odd becomes a [`Note`].
#![forbid(unsafe_code)]

mod find;
pub mod findings;
mod index;
mod message;
pub mod text;
pub mod time;

pub use find::{find, has};
pub use index::{Delimiters, Index, MAX_BYTES, MAX_SEGMENTS, Note, NoteKind, split_stream};
pub use message::{Message, Part, Segment, Val};
