//! The watch over the stream of lines and its cut-off (consent.md §9.6), as a pure state machine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One hour in seconds.
const HOUR: u64 = 3_600;
/// Seconds by which Asia/Tokyo is ahead of UTC.
const TOKYO: u64 = 9 * HOUR;

/// When a credential is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most subjects that one credential may see within an hour.
    pub subjects_an_hour: usize,
    /// Most refusals that one credential may meet within an hour.
    pub refusals_an_hour: usize,
    /// Hours of Asia/Tokyo at which break-glass is held for review, from … to (exclusive, may pass
    /// midnight); equal means never.
    pub night: (u8, u8),
    /// Largest export, in bytes.
    pub export_bytes: u64,
    /// Credentials watched at a time; when more were active within an hour, the new one is held.
    pub credentials: usize,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Data is about to go out.
    Disclose,
    /// Data was refused.
    Refuse,
    /// An emergency was asserted.
    BreakGlass,
    /// Staff read a record.
    StaffRead,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, in seconds UTC.
    pub at: u64,
    /// Whose credential, by its opaque name.
    pub credential: String,
    /// About whom.
    pub sub: String,
    /// What.
    pub act: Act,
    /// Whether the network peer is registered.
    pub known_peer: bool,
    /// Bytes that are about to go out.
    pub bytes: u64,
}

/// Which rule held a credential; `rule` of the line `watch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The network peer is not registered.
    UnknownPeer,
    /// The subject is on the list: a colleague, a person of public interest.
    ListedSubject,
    /// Break-glass at night.
    NightBreakGlass,
    /// The export is too large.
    ExportSize,
    /// Too many subjects within an hour.
    Subjects,
    /// Too many refusals within an hour.
    Refusals,
    /// More credentials are active than can be watched.
    Capacity,
}

impl Rule {
    /// Name in the line.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownPeer => "unknown-peer",
            Self::ListedSubject => "listed-subject",
            Self::NightBreakGlass => "night-break-glass",
            Self::ExportSize => "export-size",
            Self::Subjects => "subjects-an-hour",
            Self::Refusals => "refusals-an-hour",
            Self::Capacity => "capacity",
        }
    }
}

/// What may happen with the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may go on.
    Pass,
    /// The credential is held from now on: nothing is released, the line `watch` is due.
    Hold(Rule),
    /// The credential was held before.
    Held(Rule),
}

/// Why a hold is not lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// Nobody lifts his own hold.
    #[error("a hold is lifted by somebody else")]
    Self_,
    /// There is none.
    #[error("the credential is not held")]
    NotHeld,
}

#[derive(Debug, Clone, Default)]
struct Window {
    /// Times and subjects of the last hour, in order; one entry a subject and at most one above the
    /// limit.
    subjects: VecDeque<(u64, String)>,
    /// Times of refusals of the last hour.
    refusals: VecDeque<u64>,
}

impl Window {
    fn prune(&mut self, now: u64) {
        let old = |at: u64| at.saturating_add(HOUR) <= now;
        while self.subjects.front().is_some_and(|(at, _)| old(*at)) {
            self.subjects.pop_front();
        }
        while self.refusals.front().is_some_and(|at| old(*at)) {
            self.refusals.pop_front();
        }
    }
    fn is_empty(&self) -> bool {
        self.subjects.is_empty() && self.refusals.is_empty()
    }
}

/// The watch. Ask it before each release: a credential that is held gets nothing.
///
/// It depends on the order of events only. Memory is bounded by [`Limits`].
#[derive(Debug, Clone)]
pub struct Watch {
    limits: Limits,
    listed: BTreeSet<String>,
    windows: BTreeMap<String, Window>,
    held: BTreeMap<String, Rule>,
    now: u64,
}

impl Watch {
    /// A watch with its limits and the list of subjects.
    pub fn new(limits: Limits, listed: BTreeSet<String>) -> Self {
        Self {
            limits,
            listed,
            windows: BTreeMap::new(),
            held: BTreeMap::new(),
            now: 0,
        }
    }

    /// Credentials that are held, and why.
    pub fn held(&self) -> impl Iterator<Item = (&str, Rule)> {
        self.held.iter().map(|(c, r)| (c.as_str(), *r))
    }

    /// Judges an event. Time never goes back: an earlier one counts as the latest.
    pub fn judge(&mut self, event: &Event) -> Verdict {
        self.now = self.now.max(event.at);
        if let Some(rule) = self.held.get(&event.credential) {
            return Verdict::Held(*rule);
        }
        match self.broken(event) {
            None => Verdict::Pass,
            Some(rule) => {
                self.held.insert(event.credential.clone(), rule);
                self.windows.remove(&event.credential);
                Verdict::Hold(rule)
            }
        }
    }

    fn broken(&mut self, event: &Event) -> Option<Rule> {
        if !event.known_peer {
            return Some(Rule::UnknownPeer);
        }
        if event.act != Act::Refuse && self.listed.contains(&event.sub) {
            return Some(Rule::ListedSubject);
        }
        if event.act == Act::BreakGlass && is_night(self.limits.night, self.now) {
            return Some(Rule::NightBreakGlass);
        }
        if event.bytes > self.limits.export_bytes {
            return Some(Rule::ExportSize);
        }
        let now = self.now;
        if !self.windows.contains_key(&event.credential)
            && self.windows.len() >= self.limits.credentials
        {
            self.windows.retain(|_, window| {
                window.prune(now);
                !window.is_empty()
            });
            if self.windows.len() >= self.limits.credentials {
                return Some(Rule::Capacity);
            }
        }
        let window = self.windows.entry(event.credential.clone()).or_default();
        window.prune(now);
        if event.act == Act::Refuse {
            window.refusals.push_back(now);
            return (window.refusals.len() > self.limits.refusals_an_hour)
                .then_some(Rule::Refusals);
        }
        // A subject that is seen again counts from its latest time.
        window.subjects.retain(|(_, sub)| *sub != event.sub);
        window.subjects.push_back((now, event.sub.clone()));
        (window.subjects.len() > self.limits.subjects_an_hour).then_some(Rule::Subjects)
    }

    /// Lifts a hold, by a human whose credential is another one; the line `watch` is due.
    pub fn release(&mut self, credential: &str, by: &str) -> Result<Rule, ReleaseError> {
        if credential == by {
            return Err(ReleaseError::Self_);
        }
        self.held.remove(credential).ok_or(ReleaseError::NotHeld)
    }
}

fn is_night((from, to): (u8, u8), at: u64) -> bool {
    let hour = at.saturating_add(TOKYO) % (24 * HOUR) / HOUR;
    let (from, to) = (u64::from(from), u64::from(to));
    if from <= to {
        (from..to).contains(&hour)
    } else {
        hour >= from || hour < to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-27 03:00 in Tokyo.
    const NIGHT: u64 = 1_795_716_000;
    const DAY: u64 = NIGHT + 8 * HOUR;

    fn limits() -> Limits {
        Limits {
            subjects_an_hour: 3,
            refusals_an_hour: 2,
            night: (22, 6),
            export_bytes: 1_000,
            credentials: 4,
        }
    }

    fn event(at: u64, credential: &str, sub: &str, act: Act) -> Event {
        Event {
            at,
            credential: credential.to_owned(),
            sub: sub.to_owned(),
            act,
            known_peer: true,
            bytes: 10,
        }
    }

    fn watch() -> Watch {
        Watch::new(limits(), BTreeSet::from(["vip".to_owned()]))
    }

    #[test]
    fn each_rule_holds_and_the_hold_lasts_until_another_person_lifts_it() {
        let far = Event {
            known_peer: false,
            ..event(DAY, "a", "s", Act::Disclose)
        };
        let large = Event {
            bytes: 1_001,
            ..event(DAY, "a", "s", Act::Disclose)
        };
        for (event, rule) in [
            (far, Rule::UnknownPeer),
            (event(DAY, "a", "vip", Act::StaffRead), Rule::ListedSubject),
            (
                event(NIGHT, "a", "s", Act::BreakGlass),
                Rule::NightBreakGlass,
            ),
            (large, Rule::ExportSize),
        ] {
            let mut watch = watch();
            assert_eq!(watch.judge(&event), Verdict::Hold(rule));
            let harmless = self::event(DAY + 9 * HOUR, "a", "s", Act::Disclose);
            assert_eq!(watch.judge(&harmless), Verdict::Held(rule));
            assert_eq!(watch.release("a", "a"), Err(ReleaseError::Self_));
            assert_eq!(watch.release("a", "b"), Ok(rule));
            assert_eq!(watch.release("a", "b"), Err(ReleaseError::NotHeld));
            assert_eq!(watch.judge(&harmless), Verdict::Pass);
        }
        assert_eq!(
            watch().judge(&event(DAY, "a", "s", Act::BreakGlass)),
            Verdict::Pass
        );
    }

    #[test]
    fn subjects_and_refusals_are_counted_within_the_hour() {
        let mut watch = watch();
        for (at, sub) in [(0, "1"), (1, "2"), (2, "3"), (3, "1"), (HOUR + 1, "4")] {
            let verdict = watch.judge(&event(DAY + at, "a", sub, Act::Disclose));
            assert_eq!(verdict, Verdict::Pass, "{sub}");
        }
        // 3 and 1 and 4 are within the hour.
        let fifth = event(DAY + HOUR + 1, "a", "5", Act::Disclose);
        assert_eq!(watch.judge(&fifth), Verdict::Hold(Rule::Subjects));
        for (at, expected) in [
            (0, Verdict::Pass),
            (1, Verdict::Pass),
            (HOUR + 1, Verdict::Pass),
            (HOUR + 2, Verdict::Pass),
            (HOUR + 3, Verdict::Hold(Rule::Refusals)),
        ] {
            let verdict = watch.judge(&event(DAY + HOUR + 1 + at, "b", "x", Act::Refuse));
            assert_eq!(verdict, expected, "{at}");
        }
    }

    #[test]
    fn more_credentials_than_can_be_watched_are_held_until_the_hour_is_over() {
        let mut watch = watch();
        for c in ["a", "b", "c", "d"] {
            assert_eq!(
                watch.judge(&event(DAY, c, "s", Act::Disclose)),
                Verdict::Pass
            );
        }
        let fifth = watch.judge(&event(DAY + 1, "e", "s", Act::Disclose));
        assert_eq!(fifth, Verdict::Hold(Rule::Capacity));
        let later = watch.judge(&event(DAY + HOUR, "f", "s", Act::Disclose));
        assert_eq!(later, Verdict::Pass);
    }

    #[test]
    fn night_may_pass_midnight_or_not() {
        for (night, hours) in [((22, 6), 8), ((1, 5), 4), ((3, 3), 0)] {
            let held = (0..24).filter(|h| is_night(night, DAY + h * HOUR)).count();
            assert_eq!(held, hours, "{night:?}");
        }
        assert!(is_night((3, 4), NIGHT));
    }
}
