//! The story the fixtures tell. One module per patient, events in the order in which they were written.
//!
//! To change a fixture, edit the event here and run `cargo run -p warifu-synth -- fixtures DIR`.

mod hanako;
mod jiro;
mod midori;

use crate::jis::Jis;
use crate::storage::Book;

/// The whole bundled storage, as its sending module left it.
pub fn storage(jis: &Jis) -> Book<'_> {
    let mut book = Book::new(jis);
    jiro::write(&mut book);
    hanako::write(&mut book);
    midori::write(&mut book);
    book
}
