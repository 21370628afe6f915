//! One line of progress on a terminal, after half a second of work.

use std::io::Write;
use std::time::{Duration, Instant};

use warifu_report::Lang;

use crate::{say, terminal};

/// A progress line.
pub(crate) struct Progress {
    lang: Lang,
    /// What is being done, in Japanese and English.
    verb: [&'static str; 2],
    shown: bool,
    enabled: bool,
    start: Instant,
    last: Instant,
}

impl Progress {
    /// `wanted` = not switched off by the user.
    pub(crate) fn new(lang: Lang, wanted: bool, verb: [&'static str; 2]) -> Self {
        let enabled = wanted && terminal::stderr_is_terminal() && std::env::var_os("CI").is_none();
        let now = Instant::now();
        Self {
            lang,
            verb,
            shown: false,
            enabled,
            start: now,
            last: now,
        }
    }
    /// Shows how many files are done.
    pub(crate) fn files(&mut self, done: u64, patients: u64) {
        let now = Instant::now();
        if !self.enabled
            || now - self.start < Duration::from_millis(500)
            || now - self.last < Duration::from_millis(100)
        {
            return;
        }
        self.last = now;
        self.shown = true;
        let seconds = (now - self.start).as_secs().max(1);
        let rate = done / seconds;
        let line = say(
            self.lang,
            &format!(
                "{} {} 件 · 患者 {} 人 · {} 件/秒",
                self.verb[0],
                grouped(done),
                grouped(patients),
                grouped(rate)
            ),
            &format!(
                "{} {} files · {} patients · {} files/s",
                self.verb[1],
                grouped(done),
                grouped(patients),
                grouped(rate)
            ),
        );
        let mut e = std::io::stderr().lock();
        let _ = write!(e, "\r\x1b[2K{line}");
        let _ = e.flush();
    }
    /// Removes the line.
    pub(crate) fn clear(&mut self) {
        if self.shown {
            let mut e = std::io::stderr().lock();
            let _ = write!(e, "\r\x1b[2K");
            let _ = e.flush();
            self.shown = false;
        }
    }
    /// Seconds since the start.
    pub(crate) fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }
}

/// `1234567` → `1,234,567`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut s = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            s.push(',');
        }
        s.push(c);
    }
    s
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_are_grouped_by_three() {
        for (n, want) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(super::grouped(n), want);
        }
    }
}
