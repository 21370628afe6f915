//! Keyed collections and sorting whose code exists once, however many types they are used with.
//!
//! The standard library's maps and sorts are compiled anew for every type: some five kilobytes each
//! in wasm, for lists of a dozen items. Here one function without type parameters does the work on
//! positions (`u32`), and asks a closure which of two items comes first.
//!
//! Time is that of the standard library's: *n* log *n* to build or sort, log *n* to look up.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod index;
mod map;
mod sort;

pub use map::{Entry, Map, Set};
pub use sort::{sort, sort_by, sort_by_key};
