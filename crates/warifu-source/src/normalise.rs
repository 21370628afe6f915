//! Folding for the comparison of codes and units, never for stored text.

use alloc::borrow::Cow;
use alloc::string::String;

use crate::tables::compatibility;

/// The Windows form of the six characters decoders disagree on; any other character unchanged.
///
/// JIS 215D, 2141, 2142, 2171, 2172, 224C: U+2212 → U+FF0D, U+301C → U+FF5E, U+2016 → U+2225,
/// U+00A2 → U+FFE0, U+00A3 → U+FFE1, U+00AC → U+FFE2.
///
/// ```
/// assert_eq!(warifu_source::fold_disputed('\u{301C}'), '\u{FF5E}');
/// ```
#[inline]
pub fn fold_disputed(character: char) -> char {
    match character {
        '\u{2212}' => '\u{FF0D}',
        '\u{301C}' => '\u{FF5E}',
        '\u{2016}' => '\u{2225}',
        '\u{00A2}' => '\u{FFE0}',
        '\u{00A3}' => '\u{FFE1}',
        '\u{00AC}' => '\u{FFE2}',
        _ => character,
    }
}

/// Text for comparing codes and units: NFKC of the characters Japanese charsets have, and of
/// units (`㎎` → `mg`, `²` → `2`), with all dashes `-`, blanks collapsed and trimmed, separated
/// voicing marks joined (`ﾊﾞ`, `ハ゛` and `ハ ゛` → `バ`). Case is kept.
///
/// Beyond NFKC: the two forms of the six disputed characters become equal, `⁄` becomes `/`,
/// a lone voicing mark becomes U+309B or U+309C, and a prolonged sound mark `ー` that does not
/// follow kana is a dash.
/// Short of NFKC: combining marks other than kana voicing are not composed, and rare blocks
/// outside the Japanese charsets are left as they are.
///
/// ```
/// use warifu_source::normalise_for_compare;
///
/// assert_eq!(normalise_for_compare("　ｍｇ／㎗ "), "mg/dl");
/// assert_eq!(normalise_for_compare("ﾊﾞｲﾀﾙ－１"), "バイタル-1");
/// ```
pub fn normalise_for_compare(text: &str) -> String {
    let mut folded = Folded {
        text: String::with_capacity(text.len()),
        blank: false,
    };
    for character in text.chars() {
        if character.is_ascii_graphic() {
            folded.push_plain(character);
        } else if let Some(replacement) = compatibility(character) {
            replacement.chars().for_each(|part| folded.push(part));
        } else {
            folded.push(character);
        }
    }
    folded.text
}

/// Text so far; `blank` when blanks were read since its last character.
struct Folded {
    text: String,
    blank: bool,
}

impl Folded {
    fn push(&mut self, character: char) {
        match character {
            blank if blank.is_whitespace() => self.blank = true,
            // Zero width: space, joiners, word joiner, byte order mark.
            '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' => {}
            '\u{FF9E}' | '\u{3099}' | '\u{309B}' => self.push_voicing('\u{309B}'),
            '\u{FF9F}' | '\u{309A}' | '\u{309C}' => self.push_voicing('\u{309C}'),
            '\u{00AD}'
            | '\u{02D7}'
            | '\u{2010}'..='\u{2015}'
            | '\u{2043}'
            | '\u{2212}'
            | '\u{2500}'
            | '\u{2501}'
            | '\u{FE58}'
            | '\u{FE63}' => self.push_plain('-'),
            '\u{30FC}' | '\u{FF70}' => {
                let after_kana = !self.blank && self.text.chars().next_back().is_some_and(is_kana);
                self.push_plain(if after_kana { 'ー' } else { '-' });
            }
            '\u{2044}' => self.push_plain('/'),
            '\u{301C}' => self.push_plain('~'),
            '\u{2225}' => self.push_plain('\u{2016}'),
            '\u{309F}' => "より".chars().for_each(|part| self.push_plain(part)),
            '\u{30FF}' => "コト".chars().for_each(|part| self.push_plain(part)),
            wide @ '\u{FF01}'..='\u{FF5E}' => {
                let narrow = char::from_u32(u32::from(wide) - 0xFEE0).unwrap_or(wide);
                self.push_plain(narrow);
            }
            kana @ '\u{FF61}'..='\u{FF9F}' => self.push_plain(full_width(kana)),
            other => self.push_plain(other),
        }
    }

    /// Appends a character that needs no folding, after at most one blank.
    fn push_plain(&mut self, character: char) {
        if self.blank && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.blank = false;
        self.text.push(character);
    }

    /// Joins a voicing mark with the kana before it, across blanks, if there is such a kana.
    fn push_voicing(&mut self, mark: char) {
        let last = self.text.chars().next_back();
        match last.and_then(|kana| voiced(kana, mark)) {
            Some(joined) => {
                self.text.pop();
                self.text.push(joined);
                self.blank = false;
            }
            None => self.push_plain(mark),
        }
    }
}

/// Hiragana or katakana, the prolonged sound mark included.
fn is_kana(character: char) -> bool {
    matches!(character, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '\u{30FC}')
}

/// Text with half-width katakana (and its punctuation) in full width, voicing marks joined; all other
/// characters stay.
///
/// ```
/// assert_eq!(warifu_source::full_width_kana("ﾊﾟﾘ ｼﾞｭﾝ"), "パリ ジュン");
/// ```
pub fn full_width_kana(text: &str) -> Cow<'_, str> {
    let half = |c: char| matches!(c, '\u{FF61}'..='\u{FF9F}');
    if !text.contains(half) {
        return Cow::Borrowed(text);
    }
    let mut full = String::with_capacity(text.len());
    for c in text.chars() {
        if !half(c) {
            full.push(c);
            continue;
        }
        let wide = full_width(c);
        match full.chars().next_back().and_then(|kana| voiced(kana, wide)) {
            Some(joined) if matches!(c, '\u{FF9E}' | '\u{FF9F}') => {
                full.pop();
                full.push(joined);
            }
            _ => full.push(wide),
        }
    }
    Cow::Owned(full)
}

/// Full-width form of half-width katakana and its punctuation.
fn full_width(half: char) -> char {
    const FULL: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";
    // Each of them takes three bytes of UTF-8.
    let index = u32::from(half).wrapping_sub(0xFF61);
    let at = usize::try_from(index)
        .unwrap_or(usize::MAX)
        .saturating_mul(3);
    FULL.get(at..)
        .and_then(|rest| rest.chars().next())
        .unwrap_or(half)
}

/// The kana with a voicing mark (゛ U+309B, ゜ U+309C), if it exists.
fn voiced(kana: char, mark: char) -> Option<char> {
    // Katakana lie 60 behind hiragana; ワ to ヲ have voiced forms in katakana only.
    let (hiragana, offset) = match kana {
        '\u{30A1}'..='\u{30FE}' => (char::from_u32(u32::from(kana) - 0x60)?, 0x60),
        _ => (kana, 0),
    };
    let step = match (hiragana, mark) {
        ('は' | 'ひ' | 'ふ' | 'へ' | 'ほ', '\u{309C}') => 2,
        (_, '\u{309C}') => return None,
        ('う', _) => 0x4E,
        ('わ' | 'ゐ' | 'ゑ' | 'を', _) if offset > 0 => 8,
        (
            'か' | 'き' | 'く' | 'け' | 'こ' | 'さ' | 'し' | 'す' | 'せ' | 'そ' | 'た' | 'ち'
            | 'つ' | 'て' | 'と' | 'は' | 'ひ' | 'ふ' | 'へ' | 'ほ' | 'ゝ',
            _,
        ) => 1,
        _ => return None,
    };
    char::from_u32(u32::from(hiragana) + offset + step)
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use super::*;
    use crate::tables::cp932_cells;

    #[track_caller]
    fn becomes(text: &str, expected: &str) {
        assert_eq!(normalise_for_compare(text), expected, "{text}");
    }

    #[test]
    fn width_is_folded_and_case_is_kept() {
        becomes("ＷＢＣ　ｗｂｃ　１２３", "WBC wbc 123");
        becomes("ｱｲｳｴｵｯｰ｡｢｣､･", "アイウエオッー。「」、・");
    }

    #[test]
    fn voicing_marks_join_in_every_form() {
        for text in ["ﾊﾞ", "ハ゛", "ハ ゛", "ハ　゛", "ハﾞ", "ハ\u{3099}", "バ"] {
            becomes(text, "バ");
        }
        for text in ["ﾊﾟ", "ハ゜", "ハ ゜", "ハ\u{309A}"] {
            becomes(text, "パ");
        }
        becomes("ｳﾞ", "ヴ");
        becomes("は゛う゛ゝ゛", "ばゔゞ");
        becomes("ヮ゛ア゛カ゜", "ヮ゛ア゛カ゜");
        becomes("わ゛ワ゛", "わ゛ヷ");
    }

    #[test]
    fn every_dash_is_a_hyphen() {
        becomes("‐‑‒–—―−－﹣─", "----------");
        becomes("３ー５", "3-5");
        becomes("ー", "-");
    }

    #[test]
    fn prolonged_sound_mark_after_kana_stays() {
        becomes("ﾍﾞｰﾀー", "ベーター");
        becomes("らーめん", "らーめん");
        becomes("ア ー１", "ア -1");
    }

    #[test]
    fn blanks_are_collapsed_and_trimmed() {
        becomes(" \t　a \u{A0} b\r\n", "a b");
        becomes("　", "");
        becomes("a\u{200B}b\u{FEFF}", "ab");
    }

    #[test]
    fn units_are_spelled_out() {
        becomes("㎎／㎗", "mg/dl");
        becomes("×10³／µＬ", "×103/μL");
        becomes("㎡", "m2");
        becomes("℃", "°C");
        becomes("½", "1/2");
        becomes("㍉㍑", "ミリリットル");
        becomes("①Ⅳ㈱", "1IV(株)");
    }

    #[test]
    fn both_forms_of_the_disputed_characters_are_equal() {
        let jis = [
            '\u{2212}', '\u{301C}', '\u{2016}', '\u{A2}', '\u{A3}', '\u{AC}',
        ];
        for form in jis {
            let windows = fold_disputed(form);
            assert_ne!(form, windows);
            let folded = normalise_for_compare(&String::from(form));
            assert_eq!(normalise_for_compare(&String::from(windows)), folded);
            assert_eq!(fold_disputed(windows), windows);
        }
    }

    /// Every character of CP932 becomes its NFKC, apart from the folds that go further.
    #[test]
    fn characters_of_cp932_become_their_nfkc() {
        let further = |c: char| {
            c.is_whitespace()
                || matches!(c, '‐' | '―' | '－' | 'ー' | 'ｰ' | '─' | '━' | '～' | '∥')
                || matches!(c, '゛' | '゜' | 'ﾞ' | 'ﾟ')
        };
        let kana = '\u{FF61}'..='\u{FF9F}';
        let cells = cp932_cells().filter_map(|(unit, _)| char::from_u32(u32::from(unit)));
        for character in cells.chain(kana).filter(|&c| !further(c)) {
            let text = String::from(character);
            let nfkc: String = text.nfkc().collect();
            becomes(&text, nfkc.trim_start());
        }
    }
}
