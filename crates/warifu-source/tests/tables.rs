//! The tables in the crate are those the generator makes.
#![expect(
    clippy::expect_used,
    reason = "helpers of a test stop at the first error"
)]

#[path = "support/tables.rs"]
mod tables;

#[test]
fn tables_equal_what_the_generator_makes() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tables");
    for table in tables::tables() {
        let stored = std::fs::read(folder.join(table.name)).expect("the table is in the crate");
        assert!(
            stored == table.bytes,
            "{} differs: run `cargo run -p warifu-source --example generate_tables`",
            table.name
        );
    }
}
