//! Diagnostics of Warifu: one type for every finding, and the catalogue of their codes.
#![forbid(unsafe_code)]
