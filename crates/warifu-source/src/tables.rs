//! The Japanese character sets as binary tables, made by `examples/generate_tables.rs`.
//!
//! A grid is rows of 94 cells, `u16` little endian, 0 for an empty cell. What is in the order of Unicode is
//! written as a set or as runs: a third to a tenth of a grid after gzip.

/// Cells of a full 94 × 94 set.
const CELLS: usize = 94 * 94;

/// Cells before the kanji of JIS X 0212.
const SIGNS: usize = 15 * 94;

/// Rows of the IBM extension in CP932: 115 to 119.
const IBM_CELLS: usize = 5 * 94;

/// First CP932 pointer of the user-defined area (lead byte F0).
const USER_FIRST: usize = CELLS;

/// First CP932 pointer of the IBM extension (lead byte FA), after ten user-defined leads.
const IBM_FIRST: usize = USER_FIRST + 10 * 188;

static X0208: Grid<CELLS> = Grid::new(include_bytes!("../tables/x0208.bin"));
/// Rows 1 to 15 of JIS X 0212.
static X0212_SIGNS: Grid<SIGNS> = Grid::new(include_bytes!("../tables/x0212_signs.bin"));
/// Its kanji, from row 16 on without a gap: those in the order of Unicode, as bits from U+4E00 on.
static X0212_KANJI: &[u8; 2624] = include_bytes!("../tables/x0212_kanji.bin");
/// Its other kanji: place among all kanji, and character.
static X0212_APART: [u16; 154] = units(include_bytes!("../tables/x0212_apart.bin"));
static IBM: Grid<IBM_CELLS> = Grid::new(include_bytes!("../tables/ibm.bin"));

/// High and low bytes of units apart: neighbours share their high byte, which saves a third after
/// gzip.
struct Grid<const UNITS: usize> {
    high: [u8; UNITS],
    low: [u8; UNITS],
}

impl<const UNITS: usize> Grid<UNITS> {
    /// Takes a table apart while compiling.
    #[expect(
        clippy::indexing_slicing,
        reason = "evaluated by the compiler only: an index out of range would not build"
    )]
    const fn new<const BYTES: usize>(bytes: &[u8; BYTES]) -> Self {
        assert!(BYTES == 2 * UNITS);
        let (mut high, mut low) = ([0; UNITS], [0; UNITS]);
        let mut i = 0;
        while i < UNITS {
            low[i] = bytes[2 * i];
            high[i] = bytes[2 * i + 1];
            i += 1;
        }
        Self { high, low }
    }
    #[inline]
    fn get(&self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes([
            *self.high.get(at)?,
            *self.low.get(at)?,
        ]))
    }
    fn iter(&self) -> impl Iterator<Item = u16> {
        self.high
            .iter()
            .zip(&self.low)
            .map(|(&high, &low)| u16::from_be_bytes([high, low]))
    }
}

/// Characters with a replacement, as runs of neighbours: the first, and how many come before it; sorted.
static FOLD_RUNS: [u16; 2 * RUNS] = units(include_bytes!("../tables/fold_runs.bin"));
/// Lengths of their replacements in [`FOLD_TEXT`], in bytes.
static FOLD_LENGTHS: &[u8; FOLDS] = include_bytes!("../tables/fold_lengths.bin");
static FOLD_TEXT: &str = include_str!("../tables/fold_text.txt");
const RUNS: usize = 56;
const FOLDS: usize = 860;

/// Where every 32nd replacement begins.
static FOLD_STARTS: [u16; FOLDS.div_ceil(32)] = fold_starts();

#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "evaluated by the compiler only"
)]
const fn fold_starts() -> [u16; FOLDS.div_ceil(32)] {
    let mut starts = [0; FOLDS.div_ceil(32)];
    let (mut i, mut start) = (0, 0);
    while i < FOLDS {
        if i % 32 == 0 {
            starts[i / 32] = start;
        }
        start += FOLD_LENGTHS[i] as u16;
        i += 1;
    }
    starts
}

/// Reads a table while compiling.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler only: an index out of range would not build"
)]
const fn units<const BYTES: usize, const UNITS: usize>(bytes: &[u8; BYTES]) -> [u16; UNITS] {
    assert!(BYTES == 2 * UNITS);
    let mut units = [0; UNITS];
    let mut i = 0;
    while i < UNITS {
        units[i] = u16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]);
        i += 1;
    }
    units
}

/// Which part of the sets a double byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    /// JIS X 0208 rows 1 to 8 and 16 to 84, or JIS X 0212: standard.
    Standard,
    /// Row 13 and rows 89 to 92.
    Nec,
    /// Rows 115 to 119 of CP932.
    Ibm,
    /// User-defined characters of CP932, U+E000 and up.
    User,
}

/// The character at a zero-based grid position (`row * 94 + cell`) of JIS X 0208 with the NEC
/// rows.
#[inline]
pub(crate) fn x0208(pointer: usize) -> Option<char> {
    character(X0208.get(pointer)?)
}

/// The character at a zero-based grid position of JIS X 0212.
pub(crate) fn x0212(pointer: usize) -> Option<char> {
    let Some(place) = pointer.checked_sub(SIGNS) else {
        return character(X0212_SIGNS.get(pointer)?);
    };
    let (apart, _) = X0212_APART.as_chunks::<2>();
    let before = apart.partition_point(|&[at, _]| usize::from(at) < place);
    if let Some(&[_, unit]) = apart
        .get(before)
        .filter(|[at, _]| usize::from(*at) == place)
    {
        return character(unit);
    }
    let mut left = u32::try_from(place - before).ok()?;
    let (words, _) = X0212_KANJI.as_chunks::<8>();
    for (first, word) in (0x4E00..).step_by(64).zip(words) {
        let mut bits = u64::from_le_bytes(*word);
        let here = bits.count_ones();
        if left >= here {
            left -= here;
            continue;
        }
        for _ in 0..left {
            bits &= bits - 1;
        }
        return char::from_u32(first + bits.trailing_zeros());
    }
    None
}

/// The character and its area at a pointer of CP932 (grid position over rows 1 to 120).
#[inline]
pub(crate) fn cp932(pointer: usize) -> Option<(char, Area)> {
    if pointer < USER_FIRST {
        return Some((x0208(pointer)?, x0208_area(pointer)));
    }
    if let Some(at) = pointer.checked_sub(IBM_FIRST) {
        return Some((character(IBM.get(at)?)?, Area::Ibm));
    }
    let user = u32::try_from(pointer - USER_FIRST).ok()?;
    Some((char::from_u32(0xE000 + user)?, Area::User))
}

/// The area of a grid position of JIS X 0208 with the NEC rows.
#[inline]
pub(crate) fn x0208_area(pointer: usize) -> Area {
    match pointer / 94 + 1 {
        13 | 89..=92 => Area::Nec,
        _ => Area::Standard,
    }
}

/// For each lead byte the last trail byte up to which every cell of the row is clean in the
/// sense of [`is_clean`], 0 when the first cell is not.
static CLEAN_TO: [u8; 256] = clean_to();

#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler only; cells are below 94 and rows below 84"
)]
const fn clean_to() -> [u8; 256] {
    let mut limits = [0; 256];
    let mut row = 0;
    while row < 84 {
        let mut cell = 0;
        while cell < 94
            && row != 12
            && is_clean_unit(u16::from_be_bytes([
                X0208.high[row * 94 + cell],
                X0208.low[row * 94 + cell],
            ]))
        {
            limits[0x21 + row] = 0x21 + cell as u8;
            cell += 1;
        }
        row += 1;
    }
    limits
}

const fn is_clean_unit(unit: u16) -> bool {
    !matches!(unit, 0 | 0x25A0 | 0x3013)
}

/// Whether a 7-bit double byte is a character of JIS X 0208 proper, ■ and 〓 excepted.
#[inline]
pub(crate) fn is_clean(lead: u8, trail: u8) -> bool {
    let limit = CLEAN_TO.get(usize::from(lead)).copied().unwrap_or(0);
    if 0x21 <= trail && trail <= limit {
        return true;
    }
    pointer7(lead, trail).is_some_and(|pointer| {
        let unit = X0208.get(pointer).unwrap_or(0);
        is_clean_unit(unit) && x0208_area(pointer) == Area::Standard
    })
}

/// Grid position of a 7-bit double byte; both bytes must be in 21 to 7E.
#[inline]
pub(crate) fn pointer7(lead: u8, trail: u8) -> Option<usize> {
    if !is_gl(lead) || !is_gl(trail) {
        return None;
    }
    Some(usize::from(lead - 0x21) * 94 + usize::from(trail - 0x21))
}

/// Pointer of a CP932 double byte, or `None` when the bytes cannot be one.
#[inline]
pub(crate) fn pointer_cp932(lead: u8, trail: u8) -> Option<usize> {
    let row_pair = match lead {
        0x81..=0x9F => lead - 0x81,
        0xE0..=0xFC => lead - 0xC1,
        _ => return None,
    };
    let cell = match trail {
        0x40..=0x7E => trail - 0x40,
        0x80..=0xFC => trail - 0x41,
        _ => return None,
    };
    Some(usize::from(row_pair) * 188 + usize::from(cell))
}

/// A byte of a 7-bit 94-character set.
#[inline]
pub(crate) fn is_gl(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7E)
}

/// Half-width katakana of a byte 21 to 5F of JIS X 0201 katakana.
#[inline]
pub(crate) fn katakana7(byte: u8) -> Option<char> {
    match byte {
        0x21..=0x5F => char::from_u32(0xFF61 + u32::from(byte - 0x21)),
        _ => None,
    }
}

/// Every filled cell of CP932 outside the user-defined area, as (character, pointer).
pub(crate) fn cp932_cells() -> impl Iterator<Item = (u16, u16)> {
    let standard = X0208.iter().zip(0_u16..);
    let ibm = IBM.iter().zip(10_716_u16..);
    standard.chain(ibm).filter(|&(unit, _)| unit != 0)
}

/// NFKC of a character, where the tables have one that differs.
pub(crate) fn compatibility(character: char) -> Option<&'static str> {
    // Kana and kanji, most of Japanese text, have none.
    if matches!(character, '\0'..='\u{9F}' | '\u{3000}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}') {
        return None;
    }
    let unit = u16::try_from(u32::from(character)).ok()?;
    let (runs, _) = FOLD_RUNS.as_chunks::<2>();
    let (within, after) = runs.split_at(runs.partition_point(|&[first, _]| first <= unit));
    let &[first, before] = within.last()?;
    let index = usize::from(before) + usize::from(unit - first);
    let end = after
        .first()
        .map_or(FOLDS, |&[_, before]| usize::from(before));
    if index >= end {
        return None;
    }
    let block = index / 32;
    let lengths = FOLD_LENGTHS.get(32 * block..index)?.iter();
    let start =
        usize::from(*FOLD_STARTS.get(block)?) + lengths.map(|&n| usize::from(n)).sum::<usize>();
    FOLD_TEXT
        .get(start..)?
        .get(..usize::from(*FOLD_LENGTHS.get(index)?))
}

#[inline]
fn character(unit: u16) -> Option<char> {
    if unit == 0 {
        return None;
    }
    char::from_u32(u32::from(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ibm_cells_follow_the_user_defined_area() {
        assert_eq!(IBM_FIRST, 10_716);
        assert_eq!(cp932(IBM_FIRST), Some(('ⅰ', Area::Ibm)));
        assert_eq!(cp932(USER_FIRST), Some(('\u{E000}', Area::User)));
        assert_eq!(cp932(IBM_FIRST - 1), Some(('\u{E757}', Area::User)));
    }

    #[test]
    fn pointers_past_the_last_row_are_empty() {
        assert_eq!(cp932(usize::MAX), None);
        assert_eq!(x0208(CELLS), None);
        assert_eq!(x0212(CELLS), None);
    }
}
