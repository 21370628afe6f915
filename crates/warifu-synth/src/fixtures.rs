//! The whole of `tests/fixtures` as a list of files.

use crate::jis::Jis;
use crate::{broken, extended, story};

/// Every fixture file, `(path below tests/fixtures, bytes)`, sorted by path.
pub fn files() -> Vec<(String, Vec<u8>)> {
    let jis = Jis::new();
    let book = story::storage(&jis);
    let contents = extended::contents(&jis);
    let mut out: Vec<(String, Vec<u8>)> = book
        .files()
        .into_iter()
        .map(|(path, bytes)| (format!("standard_root/{path}"), bytes))
        .collect();
    for content in &contents {
        for (name, bytes) in &content.files {
            out.push((
                format!(
                    "extended_root/{}/{}/{name}",
                    content.item.folder(),
                    content.name()
                ),
                bytes.clone(),
            ));
        }
    }
    // Two files of one journal: 割符花子's admission with updates told as DEL + INS and CR LF after
    // each header, and 架空みどり's afternoon with plain INS and CR.
    for (name, from, to, pairs, header_end) in [
        (
            "TR_20260407000000000_00001.DAT",
            "20260407",
            "20260416",
            true,
            "\r\n",
        ),
        (
            "TR_20260508000000000_00002.DAT",
            "20260508",
            "20260509",
            false,
            "\r",
        ),
    ] {
        out.push((
            format!("transaction_root/2026/{name}"),
            book.transactions(from, to, pairs, header_end),
        ));
    }
    out.push((
        "index/SSMIXIDX.csv".to_owned(),
        (book.index() + &extended::index(&contents)).into_bytes(),
    ));
    out.extend(
        broken::files(&jis)
            .into_iter()
            .map(|(path, bytes)| (format!("broken/{path}"), bytes)),
    );
    out.push((
        "README.md".to_owned(),
        include_bytes!("fixtures.md").to_vec(),
    ));
    out.sort();
    out
}
