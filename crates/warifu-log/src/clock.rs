//! The times of lines: later lines are not dated earlier, and none is dated after it was seen
//! (consent.md §9.4, §13). A chain shows what stands before what, not when; the time in a line is the log's
//! own word, so it is held against the lines around it, the clock at hand and the witnesses' clocks.

/// How far clocks may differ, in seconds (consent.md §2).
pub const TOLERANCE: u64 = 60;

/// A line whose time cannot be: which, from 0, and by how many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misdated {
    /// Dated earlier than a line before it: written afterwards, and made to look older.
    #[error("line {line} is dated {by} s earlier than a line before it")]
    Back {
        /// Which.
        line: u64,
        /// By how much.
        by: u64,
    },
    /// Dated later than now.
    #[error("line {line} is dated {by} s later than now")]
    Future {
        /// Which.
        line: u64,
        /// By how much.
        by: u64,
    },
    /// Dated later than a witness saw it in the tree.
    #[error("line {line} is dated {by} s later than the checkpoint that has it")]
    AfterCheckpoint {
        /// Which.
        line: u64,
        /// By how much.
        by: u64,
    },
}

impl Misdated {
    /// Stable name on the wire.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Back { .. } => "LINE_BACKDATED",
            Self::Future { .. } => "LINE_FUTURE",
            Self::AfterCheckpoint { .. } => "LINE_AFTER_CHECKPOINT",
        }
    }

    /// The line, from 0.
    pub fn line(self) -> u64 {
        match self {
            Self::Back { line, .. }
            | Self::Future { line, .. }
            | Self::AfterCheckpoint { line, .. } => line,
        }
    }
}

/// The newest time so far, and the first line that is dated before it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    /// Line and time.
    newest: Option<(u64, u64)>,
    back: Option<(u64, u64)>,
}

impl Clock {
    /// The next line and its time. Compared with the newest time of all lines before, not with the last
    /// one: else each line could go back by a little.
    pub(crate) fn tick(&mut self, line: u64, at: u64) {
        match self.newest {
            Some((_, newest)) if at <= newest => {
                let by = newest - at;
                if by > TOLERANCE && self.back.is_none() {
                    self.back = Some((line, by));
                }
            }
            _ => self.newest = Some((line, at)),
        }
    }

    /// The first line that is dated back.
    pub(crate) fn back(&self) -> Option<Misdated> {
        let (line, by) = self.back?;
        Some(Misdated::Back { line, by })
    }

    /// The line that is dated latest, where that is after this instant: its number, and by how much.
    pub(crate) fn beyond(&self, instant: u64) -> Option<(u64, u64)> {
        let (line, at) = self.newest?;
        let by = at.saturating_sub(instant);
        (by > TOLERANCE).then_some((line, by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_lag_by_the_tolerance_and_no_more_even_step_by_step() {
        let mut clock = Clock::default();
        for (line, at) in [(0, 1_000), (1, 940), (2, 1_000)] {
            clock.tick(line, at);
        }
        assert_eq!(clock.back(), None);
        clock.tick(3, 939);
        clock.tick(4, 900);
        assert_eq!(clock.back(), Some(Misdated::Back { line: 3, by: 61 }));
        // Each a little earlier than the one before.
        let mut clock = Clock::default();
        for line in 0..4 {
            clock.tick(line, 1_000 - line * 30);
        }
        assert_eq!(clock.back(), Some(Misdated::Back { line: 3, by: 90 }));
    }

    #[test]
    fn the_latest_line_counts_against_the_clock_at_hand() {
        let mut clock = Clock::default();
        assert_eq!(clock.beyond(0), None);
        for (line, at) in [(0, 1_000), (1, 1_061), (2, 1_030)] {
            clock.tick(line, at);
        }
        assert_eq!(clock.beyond(1_001), None);
        assert_eq!(clock.beyond(1_000), Some((1, 61)));
    }
}
