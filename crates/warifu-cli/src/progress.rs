//! One line of progress on a terminal, after half a second of work.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
    /// Files there are, once they have been counted; 0 until then.
    total: Arc<AtomicU64>,
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
            total: Arc::default(),
        }
    }
    /// Where to put how many files there are; `None` when nobody looks on.
    pub(crate) fn total(&self) -> Option<Arc<AtomicU64>> {
        self.enabled.then(|| Arc::clone(&self.total))
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
        let total = self.total.load(Ordering::Relaxed);
        let line = line(self.lang, self.verb, [done, patients, total], seconds);
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

/// How wide a bar is.
const WIDTH: u64 = 16;

/// How far work is after so many seconds: with a bar and the time that is left once the total is known. Within
/// eighty columns, since a line that wraps could not be removed.
fn line(lang: Lang, verb: [&str; 2], [done, patients, total]: [u64; 3], seconds: u64) -> String {
    let rate = done / seconds;
    let [done_of, patients, shown_rate] = [done, patients, rate].map(grouped);
    let [ja, en] = verb;
    if total < done || total == 0 || done == 0 {
        return say(
            lang,
            &format!("{ja} {done_of} 件 · 患者 {patients} 人 · {shown_rate} 件/秒"),
            &format!("{en} {done_of} files · {patients} patients · {shown_rate} files/s"),
        );
    }
    let full = done * WIDTH / total;
    let bar: String = (0..WIDTH)
        .map(|n| if n < full { '█' } else { '░' })
        .collect();
    let (percent, all) = (done * 100 / total, grouped(total));
    let left = (total - done) * seconds / done;
    let left = format!("{}:{:02}", left / 60, left % 60);
    say(
        lang,
        &format!(
            "{ja} {bar} {percent} % · {done_of} / {all} 件 · {shown_rate} 件/秒 · 残り {left}"
        ),
        &format!(
            "{en} {bar} {percent} % · {done_of} / {all} files · {shown_rate} files/s · {left} left"
        ),
    )
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
    use super::*;

    #[test]
    fn a_bar_is_shown_once_the_total_is_known() {
        let verb = ["変換中", "converting"];
        assert_eq!(
            line(Lang::En, verb, [1500, 12, 0], 3),
            "converting 1,500 files · 12 patients · 500 files/s"
        );
        assert_eq!(
            line(Lang::En, verb, [1500, 12, 6000], 30),
            "converting ████░░░░░░░░░░░░ 25 % · 1,500 / 6,000 files · 50 files/s · 1:30 left"
        );
        assert_eq!(
            line(Lang::Ja, verb, [6000, 12, 6000], 30),
            "変換中 ████████████████ 100 % · 6,000 / 6,000 件 · 200 件/秒 · 残り 0:00"
        );
        // More than were counted: the storage grows.
        assert!(!line(Lang::Ja, verb, [7000, 12, 6000], 30).contains('%'));
    }

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
