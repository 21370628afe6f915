//! The shape mask: a line without its values, of the same width, so that carets still fit.
//!
//! Kanji become 漢, hiragana あ, katakana カ, half-width kana ｶ, letters A, digits 9. Delimiters, segment
//! names and short codes of HL7 and user-defined tables (data types ID and IS) stay.

use warifu_terms::fields;

/// Longest code of a table that is shown: name-type, identifier-type, status codes are shorter.
const LONGEST_CODE: usize = 3;

/// The mask of one character.
fn shape(c: char) -> char {
    match c {
        '0'..='9' => '9',
        'a'..='z' | 'A'..='Z' => 'A',
        '\u{ff66}'..='\u{ff9f}' => 'ｶ',
        '０'..='９' => '９',
        'ａ'..='ｚ' | 'Ａ'..='Ｚ' => 'Ａ',
        '・' | '･' => c,
        '\u{3041}'..='\u{3096}' | 'ゝ'..='ゟ' => 'あ',
        '゠'..='ヿ' | 'ㇰ'..='ㇿ' => 'カ',
        // Punctuation and marks without a width of their own; private use is gaiji.
        c if !c.is_alphanumeric() && !('\u{e000}'..='\u{f8ff}').contains(&c) => c,
        '\u{2e80}'.. => '漢',
        _ => 'A',
    }
}

/// Whether the component of a field is a code of a table.
fn is_code(datatype: &str, component: usize, only: bool) -> bool {
    let own = match fields::component(datatype, component) {
        Some(c) => c.datatype,
        None if only => datatype,
        None => return false,
    };
    matches!(own, "ID" | "IS")
}

fn push_part(out: &mut String, part: &str, code: bool) {
    let shown = code
        && part.len() <= LONGEST_CODE
        && part
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if shown {
        out.push_str(part);
    } else {
        out.extend(part.chars().map(shape));
    }
}

/// Masks one decoded line with the usual delimiters.
pub(super) fn mask(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let name = line
        .get(..3)
        .filter(|n| line.as_bytes().get(3) == Some(&b'|') && fields::segment(n).is_some());
    let Some(name) = name else {
        out.extend(line.chars().map(shape));
        return out;
    };
    out.push_str(name);
    // MSH-1 is the separator itself.
    let first = if name == "MSH" { 2 } else { 1 };
    for (i, field) in line.get(4..).unwrap_or("").split('|').enumerate() {
        out.push('|');
        let datatype = fields::field(name, i + first).map_or("", |f| f.datatype);
        for (r, repetition) in field.split('~').enumerate() {
            if r > 0 {
                out.push('~');
            }
            let only = !repetition.contains('^');
            for (c, component) in repetition.split('^').enumerate() {
                if c > 0 {
                    out.push('^');
                }
                push_part(&mut out, component, is_code(datatype, c + 1, only));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_is_masked() {
        assert_eq!(
            mask("PID|||0000000123^^^^PI||山田^太郎^^^^^L^I~ﾔﾏﾀﾞ^タロウ"),
            "PID|||9999999999^^^^PI||漢漢^漢漢^^^^^L^I~ｶｶｶｶ^カカカ"
        );
    }

    #[test]
    fn nothing_but_shape_is_left_where_a_value_may_stand() {
        assert_eq!(
            mask("OBX|1|ST|||LEE やまだ１２ｃ・ー"),
            "OBX|9|ST|||AAA あああ９９Ａ・カ"
        );
        assert_eq!(mask("free text 山"), "AAAA AAAA 漢");
        assert_eq!(mask("PID|||||YAMADA^LEE"), "PID|||||AAAAAA^AAA");
        // A name in the place of a code is longer than any code.
        assert_eq!(mask("PID||||||||YAMADA"), "PID||||||||AAAAAA");
    }
}
