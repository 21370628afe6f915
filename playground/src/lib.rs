//! Warifu's playground: a page that turns SS-MIX2 messages into FHIR and shows the trace both
//! ways, without sending anything.
//!
//! The modules here are plain structs, tested natively: [`json`] reads what the worker sends,
//! [`message`], [`raw`], [`findings`] and [`table`] are the views' contents, [`trace`] links
//! both sides, [`files`] and [`outline`] are the lists, [`virt`] says which rows are rendered,
//! [`diff`], [`share`], [`settings`], [`keys`] and [`text`] what their names say. `ui` (only on
//! wasm32) holds the Leptos components, which show and do nothing else.
#![forbid(unsafe_code)]
#![allow(
    clippy::explicit_auto_deref,
    clippy::format_push_string,
    clippy::match_bool,
    clippy::needless_borrow,
    clippy::needless_pass_by_value,
    clippy::option_map_unit_fn,
    clippy::option_option,
    clippy::redundant_closure,
    clippy::redundant_closure_for_method_calls,
    clippy::semicolon_if_nothing_returned,
    clippy::single_match_else,
    clippy::type_complexity,
    clippy::borrow_deref_ref,
    reason = "views are made of owned closures and boxed callbacks; matters of style, none of them of sense"
)]
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
