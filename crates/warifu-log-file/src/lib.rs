//! Keeps the transparency log in files that survive `kill -9` and power loss at any instant.
//!
//! [`FileStorage`] is a [`Storage`](warifu_log::Storage) over a [`Disk`]: lines with a chained check
//! in `entries`, how many of them are acknowledged in `mark`, tiles under `tile/`, the newest
//! checkpoint in `checkpoint`. [`Group`] lets many threads share one sync. `docs/log.md` has the
//! format and what is guaranteed.
#![forbid(unsafe_code)]

mod disk;
mod frame;
mod group;
mod memory;
mod store;

pub use disk::{Disk, Folder};
pub use group::{Group, GroupError};
pub use memory::{Memory, MemoryLock};
pub use store::{Damage, FileError, FileStorage, Recovery};
