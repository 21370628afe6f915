//! Warifu's portal: who sees which of my records, decided and signed by me.
//!
//! [`model`] holds the state (with [`care`], what the server keeps, and [`wizard`], choices and text
//! to sign, [`wish`] what is decided unasked, [`history`] the log, [`shelf`] what stays for offline use) and what follows from each event, [`view`] the screens as plain data
//! ([`node`]), [`text`] every word in three languages, [`ruby`] the readings, [`time`] clock times,
//! [`route`] the addresses, [`seal`] the key under a passphrase. All of it runs natively in tests.
//! `ui` (only on wasm32) paints the data and carries events and effects; `sign` is what the worker
//! that holds the key calls.
#![forbid(unsafe_code)]

pub mod care;
pub mod contact;
pub mod history;
pub mod model;
pub mod node;
pub mod preview;
pub mod record;
pub mod report;
pub mod route;
pub mod ruby;
pub mod seal;
pub mod shelf;
pub mod text;
pub mod time;
pub mod view;
pub mod wire;
pub mod wish;
pub mod wizard;

#[cfg(target_arch = "wasm32")]
pub mod sign;
#[cfg(target_arch = "wasm32")]
pub mod ui;
