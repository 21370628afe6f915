//! SS-MIX2 storages without I/O: which file is what, and which of them count.
//!
//! * [`DataKind`], [`KINDS`]: the 26 data kinds and 36 message rows.
//! * [`FileName`], [`StorageKey`], [`locate`]: the grammar of names and paths.
//! * [`select`]: current, superseded and withdrawn files of one patient.
//! * [`journal`]: the records of the transaction storage, as a stream.
//! * [`index`]: the exported index table `SSMIXIDX`.
//! * [`Layout`]: a list of paths grouped by patient, for storages held in memory.
//!
//! Nothing here opens a file: `warifu-storage` does, and the browser hands in bytes.
#![forbid(unsafe_code)]

pub mod index;
mod institution;
pub mod journal;
mod kind;
mod layout;
mod message;
mod name;
mod note;
mod path;
mod select;

pub use institution::InstitutionNumber;
pub use journal::{Operation, RecordHeader};
pub use kind::{
    Action, DataKind, EXTENDED_KIND_LIMIT, ExtendedKind, KINDS, Kind, MessageRow, Stage,
};
pub use layout::{Layout, PatientKey, RootInstitutions};
pub use message::{
    Person, care_date, event, guess, is_patient_number, other_care_date, other_order_number,
    person_of, same_number, same_patient,
};
pub use name::{FileName, Flag, NO_ORDER, NameError, StorageKey, Timestamp, is_date_or_dash};
pub use note::NameNote;
pub use path::{
    JournalName, Located, Place, ROOT_DEPTH_LIMIT, components, institution_of_root, is_item_name,
    level1_of, level2_of, locate, locate_at,
};
pub use select::{Outcome, Selection, SelectionNote, SelectionNoteKind, State, select};
