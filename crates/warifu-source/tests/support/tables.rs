//! Makes the binary tables of `tables/` from `encoding_rs` and `unicode-normalization`.
//!
//! Shared by the example that writes them and by the test that compares them, so that both
//! can only agree with the sources, never with each other alone.

use std::collections::BTreeMap;

use encoding_rs::{EUC_JP, Encoding, SHIFT_JIS};
use unicode_normalization::UnicodeNormalization;

/// One generated file: its name below `tables/` and its bytes.
pub(crate) struct Table {
    /// File name.
    pub(crate) name: &'static str,
    /// Content.
    pub(crate) bytes: Vec<u8>,
}

/// All tables, in the order of the file names.
pub(crate) fn tables() -> Vec<Table> {
    let x0208 = grid(0x21..=0x7E, |row, cell| {
        decode(EUC_JP, &[row | 0x80, cell | 0x80])
    });
    let x0212 = grid(0x21..=0x7E, |row, cell| {
        decode(EUC_JP, &[0x8F, row | 0x80, cell | 0x80])
    });
    let ibm = ibm_extension();
    let folds = compatibility_folds(x0208.iter().chain(&x0212).chain(&ibm).copied());
    let (signs, kanji) = x0212.split_at(15 * 94);
    let (set, apart) = in_order(kanji);
    vec![
        Table {
            name: "fold_lengths.bin",
            bytes: folds.values().map(|fold| byte(fold.len())).collect(),
        },
        Table {
            name: "fold_runs.bin",
            bytes: little_endian(&runs(&folds)),
        },
        Table {
            name: "fold_text.txt",
            bytes: folds
                .values()
                .map(String::as_str)
                .collect::<String>()
                .into(),
        },
        Table {
            name: "ibm.bin",
            bytes: little_endian(&ibm),
        },
        Table {
            name: "x0208.bin",
            bytes: little_endian(&x0208),
        },
        Table {
            name: "x0212_apart.bin",
            bytes: little_endian(&apart),
        },
        Table {
            name: "x0212_kanji.bin",
            bytes: set.iter().flat_map(|word| word.to_le_bytes()).collect(),
        },
        Table {
            name: "x0212_signs.bin",
            bytes: little_endian(signs),
        },
    ]
}

/// 94 cells for each row, 0 where the set has no character.
fn grid(rows: std::ops::RangeInclusive<u8>, cell_of: impl Fn(u8, u8) -> Option<u16>) -> Vec<u16> {
    rows.flat_map(|row| (0x21..=0x7E).map(move |cell| (row, cell)))
        .map(|(row, cell)| cell_of(row, cell).unwrap_or(0))
        .collect()
}

/// Rows 115 to 119 of CP932 (lead bytes FA, FB and the first half of FC).
fn ibm_extension() -> Vec<u16> {
    let mut cells = Vec::new();
    for lead in 0xFA..=0xFC_u8 {
        for trail in (0x40..=0x7E).chain(0x80..=0xFC_u8) {
            cells.push(decode(SHIFT_JIS, &[lead, trail]).unwrap_or(0));
        }
    }
    let tail = cells.split_off(5 * 94);
    assert!(tail.iter().all(|&c| c == 0), "row 120 of CP932 is empty");
    cells
}

/// The one character these bytes stand for, if they stand for exactly one.
fn decode(encoding: &'static Encoding, bytes: &[u8]) -> Option<u16> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    let mut characters = text.chars();
    let first = characters.next()?;
    characters.next().is_none().then_some(())?;
    u16::try_from(u32::from(first)).ok()
}

/// NFKC of every character of the Japanese sets, and of the blocks units are written with,
/// where it differs and is not computed (full-width ASCII, half-width kana, blanks).
fn compatibility_folds(jis: impl Iterator<Item = u16>) -> BTreeMap<u16, String> {
    let blocks = [
        0x00A0..=0x00FF_u16, // Latin-1: superscripts, micro sign, fractions
        0x2000..=0x209F,     // punctuation, super- and subscripts
        0x2100..=0x218F,     // letter-like, number forms
        0x2460..=0x24FF,     // enclosed alphanumerics
        0x3200..=0x33FF,     // enclosed CJK, squared units
    ];
    let mut folds = BTreeMap::new();
    for unit in jis.chain(blocks.into_iter().flatten()) {
        let Some(c) = char::from_u32(u32::from(unit)).filter(|&c| c != '\0') else {
            continue;
        };
        // Computed by the product: width, kana and voicing, blanks.
        if matches!(c, '\u{3000}'..='\u{30FF}' | '\u{FF00}'..='\u{FF9F}') || c.is_whitespace() {
            continue;
        }
        let folded: String = c.nfkc().collect();
        if folded != c.to_string() {
            folds.insert(unit, folded);
        }
    }
    folds
}

/// The keys as runs of neighbours: (first character, how many keys come before it).
fn runs(folds: &BTreeMap<u16, String>) -> Vec<u16> {
    let mut runs = Vec::new();
    let mut next = None;
    for (before, &key) in folds.keys().enumerate() {
        if next != Some(key) {
            runs.extend([key, u16::try_from(before).expect("some hundred keys")]);
        }
        next = key.checked_add(1);
    }
    runs
}

/// The kanji of JIS X 0212, which stand almost in the order of Unicode: those that do as a set (bit `n` of
/// word `w` is U+4E00 + 64 `w` + `n`), and the others as (place among all, character).
#[expect(clippy::indexing_slicing, reason = "places were counted here")]
fn in_order(kanji: &[u16]) -> (Vec<u64>, Vec<u16>) {
    let filled = kanji
        .iter()
        .position(|&unit| unit == 0)
        .expect("the set does not fill its rows");
    let (kanji, rest) = kanji.split_at(filled);
    assert!(
        rest.iter().all(|&unit| unit == 0),
        "no cell is empty between two kanji"
    );
    // For each kanji the length of the longest ascent that ends with it, and what comes before it there.
    let mut best: Vec<(usize, Option<usize>)> = Vec::new();
    for (at, unit) in kanji.iter().enumerate() {
        let before = (0..at)
            .filter(|&i| kanji[i] < *unit)
            .max_by_key(|&i| best[i].0);
        best.push((before.map_or(1, |i| best[i].0 + 1), before));
    }
    let mut ascent = vec![false; kanji.len()];
    let mut last = (0..kanji.len()).max_by_key(|&i| best[i].0);
    while let Some(at) = last {
        ascent[at] = true;
        last = best[at].1;
    }
    let mut set = vec![0; (0xA000 - 0x4E00) / 64];
    let mut apart = Vec::new();
    for (at, (&unit, in_order)) in kanji.iter().zip(ascent).enumerate() {
        if in_order {
            let bit = usize::from(unit - 0x4E00);
            set[bit / 64] |= 1 << (bit % 64);
        } else {
            apart.extend([u16::try_from(at).expect("some thousand kanji"), unit]);
        }
    }
    (set, apart)
}

fn byte(length: usize) -> u8 {
    u8::try_from(length).expect("replacements are short")
}

fn little_endian(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|u| u.to_le_bytes()).collect()
}
