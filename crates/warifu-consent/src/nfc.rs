//! Normalization Form C (UAX #15): what tokens and texts are written in.
//!
//! The algorithm over the crate's tables for single characters: its iterators choose between canonical
//! and compatible at run time, and so bring 60 kB of tables that nothing here asks for.

use unicode_normalization::char::{canonical_combining_class, compose, decompose_canonical};

/// The text in Normalization Form C; time is that of sorting the marks behind each letter.
pub(crate) fn nfc(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut all: Vec<(u8, char)> = Vec::with_capacity(text.len());
    // Where the marks behind the newest letter begin.
    let mut marks = 0;
    let settle = |all: &mut Vec<(u8, char)>, marks: usize| {
        if let Some(run) = all.get_mut(marks..) {
            run.sort_by_key(|(class, _)| *class);
        }
    };
    for c in text.chars() {
        decompose_canonical(c, |part| {
            let class = canonical_combining_class(part);
            if class == 0 {
                settle(&mut all, marks);
                marks = all.len() + 1;
            }
            all.push((class, part));
        });
    }
    settle(&mut all, marks);
    let mut out: Vec<char> = Vec::with_capacity(all.len());
    let mut letter = None;
    // Class of the newest mark that stays between the letter and what comes.
    let mut between = None;
    for (class, c) in all {
        let open = between.is_none_or(|b| b < class);
        let base = letter
            .filter(|_| open)
            .and_then(|at: usize| out.get_mut(at));
        if let Some(base) = base
            && let Some(both) = compose(*base, c)
        {
            *base = both;
            continue;
        }
        if class == 0 {
            letter = Some(out.len());
            between = None;
        } else {
            between = Some(class);
        }
        out.push(c);
    }
    out.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization as _;

    #[test]
    fn every_character_and_every_mark_behind_it_is_as_the_library_has_it() {
        let marks = [
            '\u{301}', '\u{323}', '\u{3099}', '\u{309a}', '\u{345}', '\u{1161}', '\u{11a8}',
            '\u{338}', '\u{5b0}', 'か', 'a',
        ];
        let same = |text: &str| {
            let whole: String = text.nfc().collect();
            assert_eq!(nfc(text), whole, "{:?}", text.escape_unicode().to_string());
        };
        for c in '\0'..=char::MAX {
            same(c.encode_utf8(&mut [0; 4]));
        }
        for c in ('\0'..'\u{3400}').chain('\u{ac00}'..'\u{ad00}') {
            for a in marks {
                same(&String::from_iter([c, a]));
            }
        }
        // Orders of marks, blocked and not.
        for a in marks {
            for b in marks {
                for c in marks {
                    for letter in ['a', 'か', '\u{1100}', 'ế', '\u{301}'] {
                        same(&String::from_iter([letter, a, b, c, letter, c, a]));
                    }
                }
            }
        }
    }
}
