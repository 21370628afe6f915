//! What a consent server keeps: accepted tokens, log, records sealed per person.
//!
//! SQL is written once, in the part that both SQLite and PostgreSQL know, against [`Database`]; what it
//! means is the server's. A [`Database`] is one connection: a transaction that writes waits for every
//! other one that does, in this process and in others, so that a nonce is used once and the log has one
//! end.
//!
//! Beside the database stand the keys: [`Vault`] wraps one data key a person, [`Sealer`] seals with it.
#![forbid(unsafe_code)]

mod database;
mod lines;
mod postgres;
pub mod private;
mod schema;
mod seal;
mod sqlite;

pub use database::{Cell, Database, Row, StoreError, Taker, write};
pub use lines::{LineStore, Pending};
pub use postgres::Postgres;
pub use schema::{SCHEMA, clear, copy, migrate};
pub use seal::{DataKey, KeyFile, SealError, Sealer, Vault};
pub use sqlite::Sqlite;
