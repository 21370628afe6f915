//! Generated states for the decision, the same on every machine, and how an answer is written.
//!
//! Used by the tests here, and by the program that hands states to the tests in JavaScript.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "for tests: it may fail loudly"
)]

use warifu_consent::json::Value;
use warifu_consent::{
    Annex, Basis, Bits, DAY, Date, Decision, Denial, Grant, Item, KeyState, Mode, Notice,
    Objection, Origin, Policy, Purpose, REFERENCE, Request, State, Told, Who, wire,
};

pub(crate) const NOW: u64 = 1_790_000_000;

/// The reference policy with a certified body, a study and a statute, and a table before it.
pub(crate) fn policy_text() -> String {
    REFERENCE
        .replace(
            "\"version\": 1,",
            r#""version": 2, "texts": 2, "earlier": [{"texts": 1, "match": []}],"#,
        )
        .replace(
            "\"certified\": []",
            r#""certified": [{"to":"cert:a","pur":["ANON","PSEUDO"]}]"#,
        )
        .replace(
            "\"studies\": []",
            r#""studies": [{"to":"rs:a","cat":["inf.lab","inf.rx"]}]"#,
        )
        .replace(
            "\"statutes\": []",
            r#""statutes": [{"id":"idsc","to":"mi:9900000000","cat":["inf.infection","inf.lab"]}]"#,
        )
}

/// SplitMix64: the same states on every machine.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    pub(crate) fn chance(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[usize::try_from(self.below(u64::try_from(from.len()).unwrap())).unwrap()]
    }
}

const PEOPLE: [&str; 7] = [
    "mi:1312345678",
    "mi:9900000000",
    "kg:a",
    "app:a",
    "rs:a",
    "rg:a",
    "cert:a",
];
const SOURCES: [&str; 3] = ["mi:1318765432", "mi:1312345678", "mi:0000000001"];

fn purposes(p: &Policy, d: &mut Dice, likely: Option<Purpose>) -> Bits {
    let mut bits = likely
        .filter(|_| !d.chance(4))
        .map_or(Bits::NONE, |x| Bits::one(x.0));
    if bits.is_empty() || d.chance(3) {
        let codes: Vec<&str> = p.purposes().map(|n| n.code.as_str()).collect();
        bits = bits.with(Bits::one(p.purpose(d.pick(&codes)).unwrap().0));
    }
    bits
}

fn recipients(d: &mut Dice, who: &Who, star: bool) -> Vec<String> {
    let own = match who {
        Who::Recipient(code) if !d.chance(4) => code.as_str(),
        _ => d.pick(&PEOPLE),
    };
    match d.below(8) {
        0 => vec!["mi:*".into()],
        1 if star => vec!["*".into()],
        _ => vec![own.into()],
    }
}

pub(crate) fn time(d: &mut Dice) -> u64 {
    NOW - 10 + d.below(21)
}

fn age(d: &mut Dice) -> Option<u64> {
    [
        None,
        None,
        Some(10),
        Some(900),
        Some(901),
        Some(86_400),
        Some(86_401),
    ][usize::try_from(d.below(7)).unwrap()]
}

pub(crate) fn item(p: &Policy, d: &mut Dice) -> Item {
    let mut cats = Bits::NONE;
    for _ in 0..[1, 1, 1, 2, 0][usize::try_from(d.below(5)).unwrap()] {
        cats = cats.with(Bits::one(u8::try_from(d.below(26)).unwrap()));
    }
    if d.chance(6) {
        cats = cats.with(Bits::one(p.category("inf.condition").unwrap().0));
    }
    let first = i32::try_from(d.below(6)).unwrap();
    Item {
        key: d.pick(&["r.a", "r.b", "r.c"]).into(),
        cats,
        inside: if d.chance(8) {
            Bits::one(u8::try_from(d.below(26)).unwrap())
        } else {
            Bits::NONE
        },
        unknown: d.chance(20),
        src: d.pick(&SOURCES).into(),
        encounter: (!d.chance(3)).then(|| d.pick(&["e.a", "e.b"]).into()),
        clinical: (!d.chance(4)).then(|| {
            let last = first + i32::try_from(d.below(3)).unwrap();
            (Date::from_days(first), Date::from_days(last))
        }),
        recorded: (!d.chance(4)).then(|| time(d)),
        labels: (!d.chance(4)).then(|| {
            if d.chance(2) {
                Bits::NONE
            } else {
                Bits::one(u8::try_from(d.below(11)).unwrap())
            }
        }),
        origin: [Origin::Ehr, Origin::Ehr, Origin::Claims, Origin::Phr]
            [usize::try_from(d.below(4)).unwrap()],
        told: [Told::Yes, Told::No, Told::Unknown][usize::try_from(d.below(3)).unwrap()],
        uninformed: d.chance(10),
        undelivered: d.chance(20),
        before: match d.below(8) {
            0 => vec![],
            1 => vec![(1, Bits::one(u8::try_from(d.below(26)).unwrap()))],
            2 => vec![(1, cats.with(Bits::one(u8::try_from(d.below(26)).unwrap())))],
            _ => vec![(1, cats)],
        },
    }
}

fn request(p: &Policy, d: &mut Dice) -> Request {
    let codes = [
        "TREAT", "TREAT", "TREAT", "ETREAT", "CAREMGT", "DISASTER", "PATRQT", "FAMRQT", "HRESCH",
        "HPAYMT", "PUBHLTH", "DSREG", "ANON", "PSEUDO",
    ];
    let purpose = (!d.chance(30)).then(|| p.purpose(d.pick(&codes)).unwrap());
    let who = match d.below(8) {
        0 => Who::Subject,
        1 => Who::Proxy {
            scope: d.chance(2).then(|| Bits(d.next() & p.all_categories().0)),
            sixteen: d.chance(2),
        },
        _ => {
            let code = purpose
                .and_then(|x| p.purpose_named(x))
                .map(|n| n.code.as_str());
            let fit = match code {
                Some("CAREMGT") => "kg:a",
                Some("HRESCH") => "rs:a",
                Some("DSREG") => "rg:a",
                Some("PATRQT") => "app:a",
                Some("ANON" | "PSEUDO") => "cert:a",
                Some("PUBHLTH") => "mi:9900000000",
                _ => "mi:1312345678",
            };
            Who::Recipient(if d.chance(5) {
                d.pick(&PEOPLE).into()
            } else {
                fit.into()
            })
        }
    };
    let mode = match d.below(6) {
        0 => Mode::BreakGlass {
            valid: !d.chance(5),
            facility: !d.chance(5),
            role: d.pick(&["doctor", "nurse", "clerk"]).into(),
        },
        1 => Mode::Disaster {
            active: !d.chance(3),
        },
        _ => Mode::Normal,
    };
    Request {
        who,
        purpose,
        mode,
        at: NOW,
    }
}

pub(crate) fn grant(p: &Policy, d: &mut Dice, r: &Request, i: &Item, n: u64) -> Grant {
    let mut cat = if d.chance(3) {
        Bits::one(u8::try_from(d.below(26)).unwrap())
    } else {
        i.cats
    };
    if d.chance(4) {
        cat = cat.with(Bits::one(u8::try_from(d.below(26)).unwrap()));
    }
    let day = |d: &mut Dice| {
        d.chance(3)
            .then(|| Date::from_days(i32::try_from(d.below(8)).unwrap()))
    };
    let list = |d: &mut Dice, from: &[&str]| {
        if d.chance(8) {
            vec![d.pick(from).to_owned()]
        } else {
            vec![]
        }
    };
    Grant {
        jti: format!("g{}", d.below(1000)),
        hash: format!("h{n}"),
        kid: d.pick(&["k1", "k2"]).into(),
        received: time(d),
        aud: recipients(d, &r.who, false),
        pur: purposes(p, d, r.purpose),
        cat,
        window: (day(d), day(d)),
        recorded: d.chance(5).then(|| time(d)),
        nbf: if d.chance(6) { time(d) } else { NOW - 9 },
        exp: if d.chance(6) { time(d) } else { NOW + 99 },
        annex: Annex {
            salt: [0; 16],
            src: list(d, &SOURCES),
            res: list(d, &["r.a", "r.b"]),
            lbl: list(d, &["PSY", "HIV", "R"]),
            wid: list(d, &["e.a", "e.b"]),
        },
        obl: list(d, &["NORDSCLCD", "NOPERSISTP"]),
        uses_left: d.chance(8).then(|| d.below(3)),
        ended: d.chance(10),
        status_age: age(d),
        parent: d
            .chance(8)
            .then(|| (format!("h{}", d.below(4)), d.pick(&PEOPLE).to_owned())),
        texts: [2, 2, 2, 1, 1, 3][usize::try_from(d.below(6)).unwrap()],
    }
}

pub(crate) fn denial(p: &Policy, d: &mut Dice, r: &Request, i: &Item) -> Denial {
    Denial {
        jti: format!("d{}", d.below(100)),
        aud: recipients(d, &r.who, true),
        pur: purposes(p, d, r.purpose),
        cat: match d.below(5) {
            0 => p.all_categories(),
            1 => i.cats,
            _ => Bits::one(u8::try_from(d.below(26)).unwrap()),
        },
        nbf: time(d),
        exp: d.chance(2).then(|| time(d)),
        emg: d.chance(3),
        ended: d.chance(3),
        status_age: age(d),
    }
}

pub(crate) fn objection(p: &Policy, d: &mut Dice, r: &Request, i: &Item) -> Objection {
    let recipient = match &r.who {
        Who::Recipient(c) => c.as_str(),
        _ => "cert:a",
    };
    Objection {
        kid: d.pick(&["k1", "k2"]).into(),
        received: time(d),
        seq: d.below(6),
        pur: purposes(p, d, r.purpose),
        to: vec![d.pick(&["*", recipient, "cert:b"]).to_owned()],
        src: vec![d.pick(&["*", i.src.as_str(), "mi:0000000002"]).to_owned()],
        on: d.chance(2),
    }
}

pub(crate) fn case<'p>(p: &'p Policy, d: &mut Dice) -> (State<'p>, Request, Item) {
    let (i, r) = (item(p, d), request(p, d));
    let mut state = State {
        policy: p,
        grants: vec![],
        denials: vec![],
        objections: vec![],
        notices: vec![],
        keys: vec![],
    };
    for n in 0..d.below(5) {
        state.grants.push(grant(p, d, &r, &i, n));
    }
    for _ in 0..d.below(3) {
        if d.chance(2) {
            state.denials.push(denial(p, d, &r, &i));
        }
    }
    for _ in 0..d.below(4) {
        state.objections.push(objection(p, d, &r, &i));
    }
    if !d.chance(4) {
        let days = [29, 30, 31][usize::try_from(d.below(3)).unwrap()];
        state.notices.push(Notice {
            src: i.src.clone(),
            at: NOW - days * DAY,
        });
    }
    if d.chance(3) {
        let at = time(d);
        state.keys.push((
            "k1".into(),
            if d.chance(2) {
                KeyState::Retired(at)
            } else {
                KeyState::Compromised(at)
            },
        ));
    }
    (state, r, i)
}

pub(crate) fn value(p: &Policy, s: &State<'_>, r: &Request, i: &Item) -> Value {
    let Value::Object(mut members) = wire::state_value(s) else {
        panic!()
    };
    members.insert("request".into(), wire::request_value(p, r));
    members.insert("item".into(), wire::item_value(p, i));
    members.into()
}

pub(crate) fn answer(d: &Decision) -> String {
    let basis = d.basis.as_ref().map_or("-".into(), Basis::wire);
    format!(
        "{basis}|{}|{}|{}|{}",
        d.why.wire(),
        d.grants.join(","),
        d.obligations.join(","),
        d.stale
    )
}
