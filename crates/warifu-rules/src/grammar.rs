//! Message structures as readable text, and the machine that follows them.
//!
//! `[x]` optional, `{x}` repeats, `*` any segment that the structure does not name. A structure becomes a
//! set of places (one a segment in the text) and what may follow each; a message is followed with a set
//! of places, since the same name may stand in several. Linear in the number of segments.

use warifu_ssmix2::DataKind;

/// Message structures of the 36 rows and of the vital signs.
///
/// # Standard
/// SS-MIX2 標準化ストレージ仕様書, メッセージ構造; HL7 v2.5 chapters 3, 4, 7, 12. Two slips of circulating
/// definitions are mended: NTE is optional after OBX (OUL^R22) and after RXO (RAS^O17).
#[rustfmt::skip]
pub static STRUCTURES: &[(&str, &str)] = &[
    ("ADT^A01", "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2] [PDA]"),
    ("ADT^A02", "MSH [{SFT}] EVN PID [PD1] [{ROL}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [PDA]"),
    ("ADT^A03", "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{OBX}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [PDA]"),
    ("ADT^A04", "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2] [PDA]"),
    ("ADT^A08", "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2] [PDA]"),
    ("ADT^A11", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2] [{DB1}] [{OBX}] [{DG1}]"),
    ("ADT^A12", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2] [{DB1}] [{OBX}] [{DG1}]"),
    ("ADT^A13", "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2] [PDA]"),
    ("ADT^A14", "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2]"),
    ("ADT^A15", "MSH [{SFT}] EVN PID [PD1] [{ROL}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{DG1}]"),
    ("ADT^A16", "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC]"),
    ("ADT^A21", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2] [{DB1}] [{OBX}]"),
    ("ADT^A22", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2] [{DB1}] [{OBX}]"),
    ("ADT^A23", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2] [{DB1}] [{OBX}]"),
    ("ADT^A25", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2] [{DB1}] [{OBX}]"),
    ("ADT^A26", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2] [{DB1}] [{OBX}]"),
    ("ADT^A27", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2] [{DB1}] [{OBX}]"),
    ("ADT^A52", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2]"),
    ("ADT^A53", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2]"),
    ("ADT^A54", "MSH [{SFT}] EVN PID [PD1] [{ROL}] PV1 [PV2] [{ROL}]"),
    ("ADT^A55", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2]"),
    ("ADT^A60", "MSH [{SFT}] EVN PID [PV1] [PV2] [{IAM}]"),
    ("OMD^O03", "MSH [{SFT}] [{NTE}] [PID [PD1] [{NTE}] [PV1 [{PV2}]] [{IN1 [IN2] [IN3]}] [GT1] [{AL1}]] {ORC [{TQ1 [{TQ2}]}] [{ODS} [{NTE}] [{OBX [{NTE}]}]]} [{ORC [{TQ1 [{TQ2}]}] {ODT} [{NTE}]}]"),
    ("OMG^O19", "MSH [{SFT}] [{NTE}] [PID [PD1] [{NTE}] [{NK1}] [PV1 [PV2]] [{IN1 [IN2] [IN3]}] [GT1] [{AL1}]] {ORC {TQ1 [{TQ2}]} OBR [{NTE}] [CTD] [{DG1}] [{OBX [{NTE}]}] [{SPM [{OBX}] [{SAC [{OBX}]}]}] [{PID [PD1] [PV1 [PV2]] [{AL1}] {[ORC] OBR [{TQ1 [{TQ2}]}] [{NTE}] [CTD] {OBX [{NTE}]}}}] [{FT1}] [{CTI}] [BLG]}"),
    ("OMI^Z23", "MSH [{SFT}] [{NTE}] [PID [PD1] [{NTE}] [PV1 [PV2]] [{IN1 [IN2] [IN3]}] [GT1] [{AL1}]] {ORC {TQ1 [{TQ2}]} OBR [{NTE}] [CTD] [{DG1}] [{OBX [{NTE}]}] [{ZE1 [{OBX}] [{ZE2}]}] {IPC}}"),
    ("OML^O33", "MSH [{SFT}] [{NTE}] [PID [PD1] [{NTE}] [{NK1}] [PV1 [PV2]] [{IN1 [IN2] [IN3]}] [GT1] [{AL1}]] {SPM [{OBX}] [{SAC}] {ORC [{TQ1 [{TQ2}]}] [OBR [TCD] [{NTE}] [{DG1}] [{OBX [TCD] [{NTE}]}] [{PID [PD1] [PV1 [PV2]] [{AL1}] {[ORC] OBR [{NTE}] [{TQ1 [{TQ2}]}] {OBX [{NTE}]}}}]] [{FT1}] [{CTI}] [BLG]}}"),
    ("ORU^R01", "MSH [{SFT}] {[PID [PD1] [{NTE}] [{NK1}] [PV1 [PV2]]] {[ORC] OBR [{NTE}] [{TQ1 [{TQ2}]}] [CTD] [{OBX [{NTE}]}] [{FT1}] [{CTI}] [{SPM [{OBX}]}]}} [DSC]"),
    ("ORU^R30", "MSH [{SFT}] PID [PD1] [PV1 [PV2]] ORC OBR [{NTE}] [{TQ1 [{TQ2}]}] {OBX [{NTE}]}"),
    ("OUL^R22", "MSH [{SFT}] [NTE] [PID [PD1] [{NTE}]] [PV1 [PV2]] {SPM [{OBX}] [{SAC [INV]}] {OBR [ORC] [{NTE}] [{TQ1 [{TQ2}]}] [{OBX [TCD] [{SID}] [{NTE}]}] [{CTI}]}} [DSC]"),
    ("PPR^ZD1", "MSH [{SFT}] PID [PV1 [PV2]] {PRB [ZPR] [{ZPD}] [{NTE}] [{VAR}] [{ROL [{VAR}]}] [{PTH [{VAR}]}] [{ZI1}] [{OBX [{NTE}]}] [{GOL [{NTE}] [{VAR}] [{ROL [{VAR}]}] [{OBX [{NTE}]}]}] [{ORC [* [{NTE}] [{VAR}] [{OBX [{NTE}] [{VAR}]}]]}]}"),
    ("RAS^O17", "MSH [{SFT}] [{NTE}] [PID [PD1] [{NTE}] [{AL1}] [PV1 [PV2]]] {ORC [{TQ1 [{TQ2}]}] [RXO [{NTE}] {RXR} [{RXC [{NTE}]}]] [RXE [{TQ1 [{TQ2}]}] {RXR} [{RXC}]] {{RXA} RXR [{OBX [{NTE}]}]} [{CTI}]}"),
    ("RDE^O11", "MSH [{SFT}] [{NTE}] [PID [PD1] [{NTE}] [PV1 [PV2]] [{IN1 [IN2] [IN3]}] [GT1] [{AL1}]] {ORC [{TQ1 [{TQ2}]}] [RXO [{NTE}] {RXR} [{RXC [{NTE}]}]] RXE [{NTE}] {TQ1 [{TQ2}]} {RXR} [{RXC}] [{OBX [{NTE}]}] [{FT1}] [BLG] [{CTI}]}"),
];

/// Set of places.
type Set = u128;

/// Name of the wildcard.
const ANY: [u8; 3] = *b"***";

/// A structure made ready.
#[derive(Debug)]
pub(crate) struct Structure {
    /// Type and event, e.g. `ADT^A01`.
    pub(crate) event: &'static str,
    /// Names with the places that have them.
    names: Vec<([u8; 3], Set)>,
    /// Name of each place.
    name_of: Vec<[u8; 3]>,
    /// The optional groups (numbered as they open) that each place stands in.
    inside: Vec<Set>,
    /// What may follow each place.
    follow: Vec<Set>,
    /// Where a message may begin and end.
    first: Set,
    last: Set,
    /// Names that may stand at more than one moment.
    repeating: Set,
}

/// What a piece of a structure may begin and end with, and whether it may be left out.
#[derive(Clone, Copy)]
struct Piece {
    first: Set,
    last: Set,
    nullable: bool,
}

struct Builder<'t> {
    tokens: Vec<&'t str>,
    at: usize,
    name_of: Vec<[u8; 3]>,
    inside: Vec<Set>,
    /// Optional groups that are open, and how many there were.
    open: Set,
    groups: u8,
    follow: Vec<Set>,
}

const EMPTY: Piece = Piece {
    first: 0,
    last: 0,
    nullable: true,
};

fn bits(set: Set) -> impl Iterator<Item = usize> {
    let mut rest = set;
    std::iter::from_fn(move || {
        if rest == 0 {
            return None;
        }
        let place = rest.trailing_zeros();
        rest &= rest - 1;
        usize::try_from(place).ok()
    })
}

impl Builder<'_> {
    fn link(&mut self, from: Set, to: Set) {
        for place in bits(from) {
            if let Some(follow) = self.follow.get_mut(place) {
                *follow |= to;
            }
        }
    }
    /// Reads pieces one after the other up to a closing bracket or the end.
    fn sequence(&mut self) -> Piece {
        let mut whole = EMPTY;
        while let Some(&token) = self.tokens.get(self.at) {
            self.at += 1;
            let next = match token {
                "]" | "}" => break,
                "[" => {
                    let around = self.open;
                    self.open |= 1 << self.groups;
                    self.groups += 1;
                    let inner = self.sequence();
                    self.open = around;
                    Piece {
                        nullable: true,
                        ..inner
                    }
                }
                "{" => {
                    let inner = self.sequence();
                    self.link(inner.last, inner.first);
                    inner
                }
                name => self.place(name),
            };
            self.link(whole.last, next.first);
            whole = Piece {
                first: if whole.nullable {
                    whole.first | next.first
                } else {
                    whole.first
                },
                last: if next.nullable {
                    whole.last | next.last
                } else {
                    next.last
                },
                nullable: whole.nullable && next.nullable,
            };
        }
        whole
    }
    fn place(&mut self, name: &str) -> Piece {
        let name = if name == "*" {
            ANY
        } else {
            name.as_bytes().first_chunk().copied().unwrap_or(ANY)
        };
        let set = 1 << self.name_of.len();
        self.name_of.push(name);
        self.inside.push(self.open);
        self.follow.push(0);
        Piece {
            first: set,
            last: set,
            nullable: false,
        }
    }
}

/// Brackets and names of a structure's text.
fn tokens(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '[' | ']' | '{' | '}' | ' ' | '*' => 1,
            _ => rest.find(['[', ']', '{', '}', ' ']).unwrap_or(rest.len()),
        };
        let (token, more) = rest.split_at(len);
        if token != " " {
            found.push(token);
        }
        rest = more;
    }
    found
}

/// What is wrong with a segment, or with the end of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A required segment is missing before this one (or before the end).
    Missing([u8; 3]),
    /// The structure has no such segment.
    Foreign,
    /// It may stand here only once.
    TooOften,
    /// It belongs elsewhere.
    OutOfPlace,
}

impl Structure {
    fn new(event: &'static str, text: &str) -> Self {
        let mut builder = Builder {
            tokens: tokens(text),
            at: 0,
            name_of: Vec::new(),
            inside: Vec::new(),
            open: 0,
            groups: 0,
            follow: Vec::new(),
        };
        let whole = builder.sequence();
        let Builder {
            name_of,
            inside,
            follow,
            ..
        } = builder;
        let mut names: Vec<([u8; 3], Set)> = Vec::new();
        for (place, name) in name_of.iter().enumerate() {
            let set = 1 << place;
            match names.iter_mut().find(|(known, _)| known == name) {
                Some((_, places)) => *places |= set,
                None => names.push((*name, set)),
            }
        }
        let mut structure = Self {
            event,
            names,
            name_of,
            inside,
            follow,
            first: whole.first,
            last: whole.last,
            repeating: 0,
        };
        for (place, _) in structure.name_of.iter().enumerate() {
            if structure.reachable(1 << place) & (1 << place) != 0 {
                structure.repeating |= 1 << place;
            }
        }
        structure
    }

    /// All structures.
    pub(crate) fn all() -> Vec<Self> {
        STRUCTURES
            .iter()
            .map(|(event, text)| Self::new(event, text))
            .collect()
    }

    fn places(&self, name: [u8; 3]) -> Set {
        let named = |wanted: [u8; 3]| {
            self.names
                .iter()
                .find(|(known, _)| *known == wanted)
                .map(|(_, places)| *places)
        };
        named(name).or_else(|| named(ANY)).unwrap_or(0)
    }

    fn next(&self, set: Set) -> Set {
        bits(set)
            .filter_map(|place| self.follow.get(place))
            .fold(0, |all, follow| all | follow)
    }

    /// Everything that can come after, sooner or later.
    fn reachable(&self, set: Set) -> Set {
        let mut all = 0;
        let mut edge = set;
        while edge != 0 {
            edge = self.next(edge) & !all;
            all |= edge;
        }
        all
    }

    /// Follows the names of a message; `found` is told the position (the number of names for the end)
    /// and the fault.
    pub(crate) fn follow(&self, names: &[[u8; 3]], mut found: impl FnMut(usize, Fault)) {
        let mut seen: Set = 0;
        let mut state: Set = 0;
        let mut previous = None;
        // Segments that stood where they do not belong: they are there, none is missing.
        let mut strays: Vec<[u8; 3]> = Vec::new();
        for (at, &name) in names.iter().enumerate() {
            let places = self.places(name);
            let open = if at == 0 {
                self.first
            } else {
                self.next(state)
            };
            let hit = open & places;
            if hit != 0 {
                state = hit;
            } else if places == 0 {
                found(at, Fault::Foreign);
            } else {
                let once = places & self.repeating == 0 || is_head(name);
                let again = seen & places != 0;
                let missing = if once && again {
                    None
                } else {
                    self.missing(state, |set| self.next(set) & places)
                };
                match missing {
                    Some((lacking, reached)) if names.get(at + 1) != lacking.first() => {
                        let rest = names.get(at..).unwrap_or_default();
                        // A segment of the head that comes later is out of place there.
                        let later = |one: [u8; 3]| is_head(one) && rest.contains(&one);
                        if let Some(one) = first_lacking(&lacking, &mut strays, later) {
                            found(at, Fault::Missing(one));
                        }
                        state = reached;
                    }
                    None if previous == Some(name) => found(at, Fault::TooOften),
                    _ => {
                        strays.push(name);
                        found(at, Fault::OutOfPlace);
                    }
                }
            }
            seen |= places;
            previous = Some(name);
        }
        if state & self.last == 0
            && !names.is_empty()
            && let Some((lacking, _)) = self.missing(state, |set| set & self.last)
            && let Some(one) = first_lacking(&lacking, &mut strays, |_| false)
        {
            found(names.len(), Fault::Missing(one));
        }
    }

    /// The segments (at most three) after which `goal` is met, and the places that it is met with;
    /// `goal` is asked for the places reached. The way is the one that enters the fewest optional
    /// groups and begins the fewest again, then the shortest, then one that goes on rather than back:
    /// what stands on it is required.
    fn missing(&self, state: Set, goal: impl Fn(Set) -> Set) -> Option<(Vec<[u8; 3]>, Set)> {
        let here = bits(state).last().unwrap_or(0);
        let inside = |place: usize| self.inside.get(place).copied().unwrap_or(0);
        let around = bits(state).map(inside).fold(0, |all, one| all | one);
        let mut ways: Vec<(u32, Vec<usize>)> = vec![(0, Vec::new())];
        let mut known: Set = 0;
        let mut best: Option<Way> = None;
        for steps in 1..=3 {
            let mut further: Vec<(u32, Vec<usize>)> = Vec::new();
            for (entered, way) in &ways {
                let (next, own, from) = match way.last() {
                    Some(last) => (self.next(1 << *last), inside(*last), *last),
                    None => (self.next(state), around, here),
                };
                for place in bits(next & !known) {
                    let groups = (inside(place) & !own).count_ones();
                    let cost = entered + groups + u32::from(place <= from);
                    let way: Vec<usize> = way.iter().copied().chain([place]).collect();
                    match further.iter_mut().find(|(_, w)| w.last() == Some(&place)) {
                        Some(other) if other.0 <= cost => {}
                        Some(other) => *other = (cost, way),
                        None => further.push((cost, way)),
                    }
                }
            }
            for (entered, way) in &further {
                let (Some(first), Some(last)) = (way.first(), way.last()) else {
                    continue;
                };
                let (rank, back) = ((*entered, steps), *first <= here);
                let met = goal(1 << *last);
                if met == 0 {
                    continue;
                }
                let names: Vec<[u8; 3]> = way
                    .iter()
                    .filter_map(|p| self.name_of.get(*p))
                    .copied()
                    .collect();
                match &mut best {
                    // The same segments, read at two moments.
                    Some(best) if best.rank == rank && best.names == names => best.met |= met,
                    Some(best) if (best.rank, best.back) <= (rank, back) => {}
                    _ => {
                        best = Some(Way {
                            rank,
                            back,
                            names,
                            met,
                        });
                    }
                }
            }
            // A longer way to a place is none that costs less unless it enters fewer groups.
            known |= further
                .iter()
                .filter(|(entered, _)| *entered == 0)
                .filter_map(|(_, way)| way.last())
                .fold(0, |all, place| all | 1 << *place);
            ways = further;
        }
        best.map(|way| (way.names, way.met))
    }
}

/// A way from the places of a message to what comes next.
struct Way {
    /// Optional groups entered and groups begun again; steps.
    rank: (u32, usize),
    /// Whether it begins by going back.
    back: bool,
    names: Vec<[u8; 3]>,
    met: Set,
}

/// The first segment of a way that is lacking indeed; strays on the way are used up.
fn first_lacking(
    way: &[[u8; 3]],
    strays: &mut Vec<[u8; 3]>,
    later: impl Fn([u8; 3]) -> bool,
) -> Option<[u8; 3]> {
    way.iter().copied().find(|one| {
        let stray = strays.iter().position(|stray| stray == one);
        if let Some(stray) = stray {
            strays.swap_remove(stray);
        }
        stray.is_none() && !later(*one)
    })
}

/// Segments of a message's head, which stand once whatever groups repeat them.
pub(crate) const fn is_head(name: [u8; 3]) -> bool {
    matches!(
        &name,
        b"MSH" | b"SFT" | b"EVN" | b"PID" | b"PD1" | b"PV1" | b"PV2"
    )
}

/// The structure of a message: that of its own event, else that of its data kind.
pub(crate) fn structure_of<'s>(
    all: &'s [Structure],
    message_type: &str,
    event: &str,
    kind: Option<DataKind>,
) -> Option<&'s Structure> {
    all.iter()
        .find(|s| s.event.split_once('^') == Some((message_type, event)))
        .or_else(|| {
            let insert = kind?.insert_event();
            all.iter().find(|s| s.event == insert)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use warifu_ssmix2::KINDS;

    fn faults(event: &str, message: &str) -> Vec<(usize, Fault)> {
        let all = Structure::all();
        let structure = all.iter().find(|s| s.event == event).unwrap();
        let names: Vec<[u8; 3]> = message
            .split(' ')
            .map(|n| *n.as_bytes().first_chunk().unwrap())
            .collect();
        let mut found = Vec::new();
        structure.follow(&names, |at, fault| found.push((at, fault)));
        found
    }

    #[test]
    fn every_row_has_a_structure_that_fits_its_places() {
        let all = Structure::all();
        for row in &KINDS {
            assert!(all.iter().any(|s| s.event == row.event), "{}", row.event);
        }
        for s in &all {
            assert!(s.name_of.len() <= 128, "{}", s.event);
        }
    }

    #[test]
    fn clean_messages_pass() {
        for (event, message) in [
            ("ADT^A08", "MSH EVN PID NK1 NK1 PV1 DB1 OBX AL1 AL1 IN1 IN1"),
            (
                "RDE^O11",
                "MSH PID PV1 ORC RXE TQ1 RXR ORC RXE TQ1 RXR RXC RXC",
            ),
            ("RAS^O17", "MSH PID PV1 ORC RXA RXA RXR ORC RXA RXR"),
            (
                "OUL^R22",
                "MSH NTE PID PV1 SPM OBR ORC OBX OBX NTE OBR ORC OBX SPM OBR ORC OBX",
            ),
            ("OML^O33", "MSH PID PV1 SPM ORC TQ1 OBR OBX OBX SPM ORC OBR"),
            (
                "OMG^O19",
                "MSH PID PV1 ORC TQ1 OBR ORC TQ1 OBR OBX ORC TQ1 OBR",
            ),
            (
                "OMI^Z23",
                "MSH PID PV1 ORC TQ1 OBR IPC ORC TQ1 OBR ZE1 OBX ZE2 IPC",
            ),
            ("PPR^ZD1", "MSH PID PV1 PRB ZPR PRB ZPR ZI1 ORC OBR"),
            ("OMD^O03", "MSH PID PV1 ORC TQ1 ODS ODS ORC TQ1 ODS"),
        ] {
            assert_eq!(faults(event, message), [], "{event} {message}");
        }
    }

    #[test]
    fn only_required_segments_are_missing() {
        use Fault::Missing;
        for (event, message, expected) in [
            (
                "RDE^O11",
                "MSH PID PV1 ORC RXE TQ1 RXR RXE TQ1 RXR",
                (7, Missing(*b"ORC")),
            ),
            (
                "RDE^O11",
                "MSH PID PV1 ORC RXE TQ1 RXR RXC RXE TQ1 RXR RXC",
                (8, Missing(*b"ORC")),
            ),
            (
                "OMG^O19",
                "MSH PID PV1 ORC TQ1 OBR TQ1 OBR OBX ORC TQ1 OBR",
                (6, Missing(*b"ORC")),
            ),
            (
                "OMG^O19",
                "MSH PID PV1 ORC TQ1 OBR OBX TQ1 OBR OBX",
                (7, Missing(*b"ORC")),
            ),
            (
                "OMD^O03",
                "MSH PID PV1 ORC TQ1 ODS ODS TQ1 ODS",
                (7, Missing(*b"ORC")),
            ),
            (
                "RAS^O17",
                "MSH PID PV1 ORC RXR ORC RXA RXR",
                (4, Missing(*b"RXA")),
            ),
            ("OUL^R22", "MSH PID PV1 SPM ORC OBX", (4, Missing(*b"OBR"))),
            (
                "OML^O33",
                "MSH PID PV1 SPM ORC TQ1 OBX OBX ORC OBR",
                (6, Missing(*b"OBR")),
            ),
            ("PPR^ZD1", "MSH PID PV1 ZPR", (3, Missing(*b"PRB"))),
            ("ADT^A08", "MSH EVN PID PV1 IN2", (4, Missing(*b"IN1"))),
        ] {
            assert_eq!(faults(event, message), [expected], "{event} {message}");
        }
    }

    #[test]
    fn what_stands_elsewhere_is_not_missing() {
        use Fault::OutOfPlace;
        for (event, message, at) in [
            ("ADT^A08", "MSH PID EVN PV1 IN1", 1),
            ("ADT^A08", "MSH EVN PV1 PID", 2),
            ("ADT^A08", "MSH PID PV1 EVN", 3),
            ("ADT^A08", "MSH PID PV1 IN1 EVN", 4),
            ("ADT^A08", "MSH EVN PV1 IN1 PID", 4),
            ("OUL^R22", "MSH PID PV1 SPM ORC OBR OBX", 4),
        ] {
            assert_eq!(
                faults(event, message),
                [(at, OutOfPlace)],
                "{event} {message}"
            );
        }
    }

    #[test]
    fn single_faults_are_named_where_they_are() {
        use Fault::{Foreign, Missing, OutOfPlace, TooOften};
        for (event, message, expected) in [
            ("ADT^A08", "MSH PID PV1", (1, Missing(*b"EVN"))),
            ("ADT^A08", "MSH EVN PID", (3, Missing(*b"PV1"))),
            ("ADT^A08", "MSH EVN PV1", (2, Missing(*b"PID"))),
            ("ADT^A08", "MSH EVN PID PV1 PV1", (4, TooOften)),
            ("ADT^A08", "MSH EVN PV1 PID", (2, OutOfPlace)),
            ("ADT^A08", "MSH EVN PID PV1 ORC", (4, Foreign)),
            ("ADT^A08", "MSH EVN PID PV1 AL1 DB1", (5, OutOfPlace)),
            ("RDE^O11", "MSH PID PV1 ORC TQ1 RXR", (5, Missing(*b"RXE"))),
            (
                "RDE^O11",
                "MSH PID PV1 ORC RXE TQ1 ORC RXE TQ1 RXR",
                (6, Missing(*b"RXR")),
            ),
            ("OUL^R22", "MSH PID PV1 OBR ORC OBX", (3, Missing(*b"SPM"))),
            ("OUL^R22", "MSH PID PV1 SPM ORC OBR OBX", (4, OutOfPlace)),
            (
                "OMI^Z23",
                "MSH PID PV1 ORC TQ1 OBR ZE1",
                (7, Missing(*b"IPC")),
            ),
        ] {
            let found = faults(event, message);
            assert_eq!(
                found.first(),
                Some(&expected),
                "{event} {message}: {found:?}"
            );
        }
    }
}
