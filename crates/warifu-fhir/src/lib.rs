//! FHIR R4 resources written as JSON bytes.
//!
//! * [`Resource`] collects top-level elements in any order and writes them in the order of the R4
//!   definition ([`element`]); items of one repeating element may come from several places.
//! * [`Value`] and [`Object`] write JSON directly; empty objects and arrays vanish.
//! * Each leaf may carry a [`Src`] (the bytes it was made from); with tracing on this becomes an
//!   [`Event`], from which [`trace::leaves`] derives JSON pointers.
//! * [`Id`]s are UUIDs version 8 from an HMAC, or readable ones ([`ids`]).
#![forbid(unsafe_code)]

pub mod element;
pub mod ids;
mod json;
pub mod number;
mod resource;
pub mod trace;

pub use element::Element;
pub use ids::{Id, IdKey};
pub use json::{Array, Object, Value};
pub use resource::{Buffers, Resource};
pub use trace::{Event, Row, RowId, Src};
