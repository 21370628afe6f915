//! Counters in the text form of Prometheus: routes and codes, never paths or persons.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

/// Upper ends of the classes of duration, in milliseconds.
const CLASSES: [u64; 9] = [1, 5, 10, 25, 50, 100, 300, 1_000, 10_000];

#[derive(Debug, Default)]
struct Times {
    classes: [u64; CLASSES.len()],
    count: u64,
    sum: u64,
}

#[derive(Debug, Default)]
struct Counts {
    answers: BTreeMap<(String, u16), u64>,
    refusals: BTreeMap<String, u64>,
    times: BTreeMap<String, Times>,
}

/// What was counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics(Mutex<Counts>);

impl Metrics {
    /// Counts an answer of a route (its pattern, such as `/api/requests/{req}/open`).
    pub(crate) fn count(&self, route: &str, status: u16, code: Option<&str>, micros: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *all.answers.entry((route.to_owned(), status)).or_default() += 1;
        if let Some(code) = code {
            *all.refusals.entry(code.to_owned()).or_default() += 1;
        }
        let times = all.times.entry(route.to_owned()).or_default();
        times.count += 1;
        times.sum += micros;
        for (class, end) in times.classes.iter_mut().zip(CLASSES) {
            if micros <= end * 1_000 {
                *class += 1;
            }
        }
    }

    /// The text of `/metrics`.
    pub(crate) fn text(&self, [jobs, files]: [usize; 2]) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::new();
        let _ = writeln!(
            out,
            "# TYPE warifu_jobs_free gauge\nwarifu_jobs_free {jobs}\n\
             # TYPE warifu_files_free gauge\nwarifu_files_free {files}"
        );
        let _ = writeln!(out, "# TYPE warifu_requests_total counter");
        for ((route, status), n) in &all.answers {
            let _ = writeln!(
                out,
                "warifu_requests_total{{route=\"{route}\",status=\"{status}\"}} {n}"
            );
        }
        let _ = writeln!(out, "# TYPE warifu_problems_total counter");
        for (code, n) in &all.refusals {
            let _ = writeln!(out, "warifu_problems_total{{code=\"{code}\"}} {n}");
        }
        let _ = writeln!(out, "# TYPE warifu_request_seconds histogram");
        for (route, times) in &all.times {
            for (n, end) in times.classes.iter().zip(CLASSES) {
                let (whole, part) = (end / 1_000, end % 1_000);
                let _ = writeln!(
                    out,
                    "warifu_request_seconds_bucket{{route=\"{route}\",le=\"{whole}.{part:03}\"}} {n}"
                );
            }
            let (n, sum) = (times.count, times.sum);
            let _ = writeln!(
                out,
                "warifu_request_seconds_bucket{{route=\"{route}\",le=\"+Inf\"}} {n}\n\
                 warifu_request_seconds_sum{{route=\"{route}\"}} {}.{:06}\n\
                 warifu_request_seconds_count{{route=\"{route}\"}} {n}",
                sum / 1_000_000,
                sum % 1_000_000
            );
        }
        out
    }
}
