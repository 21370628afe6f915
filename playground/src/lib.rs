//! Warifu's playground: a page that turns SS-MIX2 messages into FHIR and shows the trace both
//! ways, without sending anything.
//!
//! The modules here are plain structs, tested natively: [`json`] reads what the worker sends,
//! [`message`], [`raw`], [`findings`] and [`table`] are the views' contents, [`trace`] links
//! both sides, [`files`] and [`outline`] are the lists, [`virt`] says which rows are rendered,
//! [`diff`], [`share`], [`settings`], [`keys`] and [`text`] what their names say. `ui` (only on
//! wasm32) holds the Leptos components, which show and do nothing else.
#![forbid(unsafe_code)]
#![expect(
    clippy::as_conversions,
    reason = "u32 → usize on a 32-bit page and numbers for the screen; narrowing goes through json::cut"
)]

pub mod diff;
pub mod files;
pub mod findings;
pub mod json;
pub mod keys;
pub mod kinds;
pub mod message;
pub mod order;
pub mod outline;
pub mod raw;
pub mod settings;
pub mod share;
pub mod table;
pub mod text;
pub mod trace;
pub mod virt;

#[cfg(target_arch = "wasm32")]
mod ui;

/// Puts the page into the document. Called once by `boot.mjs`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn mount() {
    ui::mount();
}
