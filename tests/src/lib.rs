//! Tests that cross crates: differential, architecture, browser.
