//! One person's chain: each line names its number and the leaf data of the one before (§9.4).

use warifu_consent::b64;
use warifu_consent::hash::sha256_text;

use crate::line::Line;
use crate::tree::Hash;

/// `prev` of a person's first line.
pub const START: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What is wrong with a chain, and at which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// A line of another person, or without one.
    #[error("line {0}: of another person")]
    Person(u64),
    /// A number is missing, doubled or out of order.
    #[error("line {0}: missing, doubled or out of order")]
    Gap(u64),
    /// `prev` is not the leaf data of the line before: something was altered.
    #[error("line {0}: does not follow the line before")]
    Fork(u64),
    /// The pinned head is not in the chain: the tail was cut, or there are two chains.
    #[error("the pinned head is not there")]
    Head,
}

/// A line as its person gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line.
    pub line: Line,
    /// Salt of its leaf.
    pub salt: [u8; 16],
    /// `salt_c`, `n`, `prev` of a line that recipients see too, and that has `chn` instead.
    pub veiled: Option<([u8; 16], u64, String)>,
}

impl Entry {
    /// Number and predecessor; `None` if the line does not say so.
    fn place(&self) -> Option<(u64, &str)> {
        match &self.veiled {
            None => Some((self.line.int("n")?, self.line.text_of("prev"))),
            Some((salt, n, prev)) => {
                (self.line.text_of("chn") == veil(salt, *n, prev)).then_some((*n, prev))
            }
        }
    }
}

/// Checks one person's lines, in order; gives `(n, head)` to pin.
///
/// `pinned` is what was seen before: it has to be part of the chain.
///
/// # Errors
/// The first line that does not fit.
pub fn check_chain(
    sub: &str,
    entries: &[Entry],
    pinned: Option<(u64, &str)>,
) -> Result<Option<(u64, String)>, ChainError> {
    let mut last = START.to_owned();
    let mut head = None;
    let mut found = pinned.is_none();
    for (entry, n) in entries.iter().zip(0_u64..) {
        if entry.line.text_of("sub") != sub {
            return Err(ChainError::Person(n));
        }
        let (number, prev) = entry.place().ok_or(ChainError::Fork(n))?;
        if number != n {
            return Err(ChainError::Gap(n));
        }
        if prev != last {
            return Err(ChainError::Fork(n));
        }
        let leaf: Hash = entry.line.leaf(&entry.salt);
        last = b64::encode(&leaf);
        if let Some((at, hash)) = pinned
            && at == n
        {
            if hash != last {
                return Err(ChainError::Head);
            }
            found = true;
        }
        head = Some((n, last.clone()));
    }
    if found {
        Ok(head)
    } else {
        Err(ChainError::Head)
    }
}

/// `chn` of a line that a recipient gets in place of `n` and `prev`: tells nothing of the chain's length.
pub fn veil(salt: &[u8; 16], n: u64, prev: &str) -> String {
    sha256_text(&[salt, n.to_string().as_bytes(), prev.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree;

    const SUB: &str = "s1.EBESExQVFhcYGRobHB0eHw";

    fn golden() -> Vec<Entry> {
        [
            r#"{"at":1790000005,"kind":"grant","n":0,"prev":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","sub":"s1.EBESExQVFhcYGRobHB0eHw","tok":"CEj75Hs_UnI49mAl75Fq9303TVXS3E89P6H6HE7FsYI","v":1}"#,
            r#"{"at":1790003601,"kind":"revoke","n":1,"prev":"_Si7UW6fbai0MhkBOkLGZhvt2eFO8WP6W2rmUQfY_JE","sub":"s1.EBESExQVFhcYGRobHB0eHw","tok":"cuP1zyQkWZuTj3gTlr-IHjJtuDU5ov9Rh0AtxYofgzs","v":1}"#,
        ]
        .map(entry)
        .to_vec()
    }

    fn entry(text: &str) -> Entry {
        Entry {
            line: Line::read(text.as_bytes()).unwrap(),
            salt: [0; 16],
            veiled: None,
        }
    }

    #[test]
    fn the_golden_lines_have_the_golden_leaves_head_and_root() {
        let lines = golden();
        let leaves: Vec<Hash> = lines.iter().map(|e| e.line.leaf(&e.salt)).collect();
        assert_eq!(
            b64::encode(&leaves[0]),
            "_Si7UW6fbai0MhkBOkLGZhvt2eFO8WP6W2rmUQfY_JE"
        );
        assert_eq!(
            check_chain(SUB, &lines, None),
            Ok(Some((
                1,
                "o_ouHL-6E0ySaSymOD4UoNo8UYUTPDe98c8VeIHI1QA".into()
            )))
        );
        let mut tree = Tree::new();
        for leaf in &leaves {
            tree.push(leaf);
        }
        let hex = crate::tests_hex(&tree.root());
        assert_eq!(
            hex,
            "0e2f689b725141c28c68fc721337d5e429d2f4c10f1cebe1f1a7859ea5dc8cf6"
        );
    }

    #[test]
    fn dropped_altered_reordered_doubled_and_cut_lines_are_found() {
        let lines = golden();
        let head = "o_ouHL-6E0ySaSymOD4UoNo8UYUTPDe98c8VeIHI1QA";
        let pinned = Some((1, head));
        assert!(check_chain(SUB, &lines, pinned).is_ok());
        assert_eq!(
            check_chain(SUB, &lines[1..], pinned),
            Err(ChainError::Gap(0))
        );
        assert_eq!(check_chain(SUB, &lines[..1], pinned), Err(ChainError::Head));
        let turned = vec![lines[1].clone(), lines[0].clone()];
        assert_eq!(check_chain(SUB, &turned, pinned), Err(ChainError::Gap(0)));
        let doubled = vec![lines[0].clone(), lines[0].clone(), lines[1].clone()];
        assert_eq!(check_chain(SUB, &doubled, pinned), Err(ChainError::Gap(1)));
        let altered = lines[0].line.text().replace("1790000005", "1790000006");
        let altered = vec![entry(&altered), lines[1].clone()];
        assert_eq!(check_chain(SUB, &altered, pinned), Err(ChainError::Fork(1)));
        let other = "s1.AAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(check_chain(other, &lines, None), Err(ChainError::Person(0)));
        assert_eq!(check_chain(SUB, &[], None), Ok(None));
    }

    #[test]
    fn lines_with_wrong_members_are_none() {
        for bad in [
            "{}",
            "[]",
            r#"{"at":1,"kind":"x","v":1}"#,
            r#"{"at":1,"kind":"policy","v":1}"#,
            r#"{"at":1,"hash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","kind":"policy","v":1,"what":"p","x":1}"#,
            r#"{"kind":"decline","at":1,"req":"r","v":1}"#,
            r#"{"at":1,"kind":"grant","sub":"s1.EBESExQVFhcYGRobHB0eHw","tok":"CEj75Hs_UnI49mAl75Fq9303TVXS3E89P6H6HE7FsYI","v":1}"#,
        ] {
            assert!(Line::read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Line::read(br#"{"at":1,"kind":"decline","req":"r","v":1}"#).is_ok());
    }

    #[test]
    fn a_veil_hides_the_number() {
        assert_ne!(veil(&[1; 16], 3, START), veil(&[2; 16], 3, START));
        let chn = veil(&[1; 16], 0, START);
        let mut one = entry(&format!(
            r#"{{"areq":"a","at":1,"basis":"GRANT","cats":[],"chn":"{chn}","grants":[],"kind":"disclose","pur":"TREAT","rcp":"mi:1312345678","role":"doctor","sub":"{SUB}","v":1}}"#
        ));
        one.veiled = Some(([1; 16], 0, START.to_owned()));
        assert!(check_chain(SUB, &[one.clone()], None).is_ok());
        one.veiled = Some(([2; 16], 0, START.to_owned()));
        assert_eq!(check_chain(SUB, &[one], None), Err(ChainError::Fork(0)));
    }
}
