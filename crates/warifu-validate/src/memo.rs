//! Answers kept between documents, which name the same codes and profiles again and again.

/// Questions kept at most; a new one drives out the one in its slot.
const SLOTS: usize = 4_096;
/// Bytes of the longest question that is kept.
const LONGEST: usize = 512;

/// A question of up to four texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question<'q> {
    /// What is asked, as a number.
    pub(crate) of: u64,
    pub(crate) texts: [&'q str; 4],
}

struct Kept<A> {
    hash: u64,
    of: u64,
    ends: [usize; 4],
    text: Box<str>,
    answer: A,
}

/// Answers by question: memory and time of each are bounded, whatever documents contain.
pub(crate) struct Memo<A> {
    slots: Vec<Option<Box<Kept<A>>>>,
}

impl<A> Default for Memo<A> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

fn fold(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Question<'_> {
    fn hash(&self) -> u64 {
        let mut hash = fold(0, self.of);
        for text in self.texts {
            let (words, rest) = text.as_bytes().as_chunks::<8>();
            for word in words {
                hash = fold(hash, u64::from_le_bytes(*word));
            }
            let rest = rest.iter().fold(0xFF, |w, b| (w << 8) | u64::from(*b));
            hash = fold(hash, rest);
        }
        hash ^ (hash >> 32)
    }

    fn is_of<A>(&self, kept: &Kept<A>) -> bool {
        let mut start = 0;
        kept.of == self.of
            && self.texts.iter().zip(kept.ends).all(|(text, end)| {
                let same = kept.text.get(start..end) == Some(text);
                start = end;
                same
            })
    }
}

fn slot(hash: u64) -> usize {
    usize::try_from(hash & 0xFFF).unwrap_or_default()
}

impl<A: Clone> Memo<A> {
    pub(crate) fn get(&self, question: Question<'_>) -> Option<A> {
        let hash = question.hash();
        let kept = self.slots.get(slot(hash))?.as_ref()?;
        (kept.hash == hash && question.is_of(kept)).then(|| kept.answer.clone())
    }

    pub(crate) fn keep(&mut self, question: Question<'_>, answer: A) {
        let length: usize = question.texts.iter().map(|t| t.len()).sum();
        if length > LONGEST {
            return;
        }
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        let mut end = 0;
        let ends = question.texts.map(|text| {
            end += text.len();
            end
        });
        let hash = question.hash();
        if let Some(kept) = self.slots.get_mut(slot(hash)) {
            *kept = Some(Box::new(Kept {
                hash,
                of: question.of,
                ends,
                text: question.texts.concat().into(),
                answer,
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(of: u64, texts: [&str; 4]) -> Question<'_> {
        Question { of, texts }
    }

    #[test]
    fn an_answer_is_that_of_its_question_only() {
        let mut memo = Memo::default();
        let asked = question(1, ["http://a", "b", "", "c"]);
        assert_eq!(memo.get(asked), None);
        memo.keep(asked, 7);
        assert_eq!(memo.get(asked), Some(7));
        for other in [
            question(2, ["http://a", "b", "", "c"]),
            question(1, ["http://ab", "", "", "c"]),
            question(1, ["http://a", "", "b", "c"]),
            question(1, ["http://a", "b", "c", ""]),
        ] {
            assert_eq!(memo.get(other), None, "{other:?}");
        }
    }

    #[test]
    fn no_more_is_kept_than_there_are_slots() {
        let mut memo = Memo::default();
        let codes: Vec<String> = (0..3 * SLOTS).map(|n| format!("code-{n}")).collect();
        for (n, code) in codes.iter().enumerate() {
            memo.keep(question(0, [code, "", "", ""]), n);
        }
        let kept = codes.iter().enumerate().filter(|(n, code)| {
            let answer = memo.get(question(0, [code, "", "", ""]));
            assert!(answer.is_none_or(|a| a == *n), "{code}");
            answer.is_some()
        });
        let kept = kept.count();
        assert!(kept > SLOTS / 2 && kept <= SLOTS, "{kept}");
        let long = "x".repeat(LONGEST + 1);
        memo.keep(question(0, [&long, "", "", ""]), 1);
        assert_eq!(memo.get(question(0, [&long, "", "", ""])), None);
    }
}
