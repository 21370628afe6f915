//! The lines of one subject: complete, in order, unforked (consent.md §9.4).

use crate::clock::{Clock, TOLERANCE};
use crate::hash::Hash;
use crate::line::{Line, LineError, Link, Place, leaf_data};

/// The newest line of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its `n`.
    pub n: u64,
    /// Its leaf data.
    pub head: Hash,
}

/// One line as its subject gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnLine {
    /// Bytes of the line.
    pub line: String,
    /// Its salt.
    pub salt: [u8; 16],
    /// For a line with `chn`: the salt of the place, and the place.
    pub opening: Option<([u8; 16], Place)>,
}

/// What is wrong with a subject's lines; `at` counts the lines given, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// Not a line.
    #[error("line {at} of the history: {reason}")]
    Line {
        /// Which.
        at: usize,
        /// Why.
        reason: LineError,
    },
    /// Of another subject, or of none.
    #[error("line {at} of the history is about somebody else")]
    Subject {
        /// Which.
        at: usize,
    },
    /// The place does not open `chn`, or is missing, or is not asked for.
    #[error("line {at} of the history does not tell its place")]
    Opening {
        /// Which.
        at: usize,
    },
    /// `n` jumps forward: lines are missing before it.
    #[error("line {at} of the history: lines {from} to {to} of the chain are missing")]
    Gap {
        /// Which.
        at: usize,
        /// First missing `n`.
        from: u64,
        /// Last missing `n`.
        to: u64,
    },
    /// `n` was there before: duplicated or out of order.
    #[error("line {at} of the history repeats a place of the chain")]
    Repeated {
        /// Which.
        at: usize,
    },
    /// `prev` is not the line before: one of the two was altered.
    #[error("line {at} of the history does not follow the line before it")]
    Broken {
        /// Which.
        at: usize,
    },
    /// Dated earlier than a line before it, by more than clocks may differ.
    #[error("line {at} of the history is dated earlier than a line before it")]
    Backdated {
        /// Which.
        at: usize,
    },
    /// Dated later than now, by more than clocks may differ.
    #[error("line {at} of the history is dated later than now")]
    Future {
        /// Which.
        at: usize,
    },
    /// The pinned head is not reached: the end was cut off.
    #[error("the history ends before the pinned line {n}")]
    Cut {
        /// `n` of the pin.
        n: u64,
    },
    /// At the pinned `n` stands another line.
    #[error("the history has another line at the pinned place {n}")]
    Forked {
        /// `n` of the pin.
        n: u64,
    },
    /// A witness was told of a line that is not shown.
    #[error("a witness knows a line that the history does not show")]
    NotShown(Hash),
}

/// Verifies the whole history of `sub`, from its first line on, and gives its head (`None` when
/// there is no line).
///
/// `pin` is the head seen last; `witnessed` the leaf data that a witness has for the subject
/// (§9.5). Complete means: nothing is missing before the head that is shown. Whether there is a
/// still newer line only a later pin, a receipt or a witness can tell.
///
/// Times never go back by more than [`TOLERANCE`](crate::TOLERANCE); whether one lies in the future
/// [`not_after`] tells, which needs a clock.
pub fn verify_history(
    sub: &str,
    lines: &[OwnLine],
    pin: Option<Head>,
    witnessed: &[Hash],
) -> Result<Option<Head>, ChainError> {
    let mut next = Place::FIRST;
    let mut head = None;
    let mut leaves = std::collections::BTreeSet::new();
    let mut clock = Clock::default();
    for (at, own) in lines.iter().enumerate() {
        let line = Line::parse(&own.line).map_err(|reason| ChainError::Line { at, reason })?;
        if line.entry.sub() != Some(sub) {
            return Err(ChainError::Subject { at });
        }
        let place = match (line.link, own.opening) {
            (Link::Open(place), None) => place,
            (Link::Hidden(chn), Some((salt, place))) if place.hidden(&salt) == chn => place,
            _ => return Err(ChainError::Opening { at }),
        };
        if place.n > next.n {
            let (from, to) = (next.n, place.n - 1);
            return Err(ChainError::Gap { at, from, to });
        }
        if place.n < next.n {
            return Err(ChainError::Repeated { at });
        }
        if place.prev != next.prev {
            return Err(ChainError::Broken { at });
        }
        clock.tick(place.n, line.entry.at());
        if clock.back().is_some() {
            return Err(ChainError::Backdated { at });
        }
        let leaf = leaf_data(&own.salt, &own.line);
        if pin.is_some_and(|pin| pin.n == place.n && pin.head != leaf) {
            return Err(ChainError::Forked { n: place.n });
        }
        leaves.insert(leaf);
        head = Some(Head {
            n: place.n,
            head: leaf,
        });
        next = Place {
            n: place.n + 1,
            prev: leaf,
        };
    }
    if let Some(pin) = pin
        && next.n <= pin.n
    {
        return Err(ChainError::Cut { n: pin.n });
    }
    if let Some(leaf) = witnessed.iter().find(|l| !leaves.contains(l)) {
        return Err(ChainError::NotShown(*leaf));
    }
    Ok(head)
}

/// Whether no line is dated later than now (seconds UTC), as far as clocks may differ.
pub fn not_after(lines: &[OwnLine], now: u64) -> Result<(), ChainError> {
    for (at, own) in lines.iter().enumerate() {
        let line = Line::parse(&own.line).map_err(|reason| ChainError::Line { at, reason })?;
        if line.entry.at() > now.saturating_add(TOLERANCE) {
            return Err(ChainError::Future { at });
        }
    }
    Ok(())
}
