//! Writes `tables/` anew: `cargo run -p warifu-source --example generate_tables`.
#![expect(
    clippy::expect_used,
    reason = "a developer's tool stops at the first error"
)]

#[path = "../tests/support/tables.rs"]
mod tables;

fn main() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tables");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    for table in tables::tables() {
        std::fs::write(folder.join(table.name), table.bytes).expect("the table can be written");
    }
}
