//! The decision: laws over generated states, both truth tables, and a second implementation in Python.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use warifu_consent::json::Value;
use warifu_consent::*;

const CASES: u64 = 100_000;
const NOW: u64 = 1_790_000_000;

/// The reference policy with a certified body, a study and a statute.
fn policy_text() -> String {
    REFERENCE
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
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    fn chance(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
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

fn time(d: &mut Dice) -> u64 {
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

fn item(p: &Policy, d: &mut Dice) -> Item {
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

fn grant(p: &Policy, d: &mut Dice, r: &Request, i: &Item, n: u64) -> Grant {
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
    }
}

fn denial(p: &Policy, d: &mut Dice, r: &Request, i: &Item) -> Denial {
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

fn objection(p: &Policy, d: &mut Dice, r: &Request, i: &Item) -> Objection {
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

fn case<'p>(p: &'p Policy, d: &mut Dice) -> (State<'p>, Request, Item) {
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

fn value(p: &Policy, s: &State<'_>, r: &Request, i: &Item) -> Value {
    let Value::Object(mut members) = wire::state_value(s) else {
        panic!()
    };
    members.insert("request".into(), wire::request_value(p, r));
    members.insert("item".into(), wire::item_value(p, i));
    members.into()
}

fn line(p: &Policy, s: &State<'_>, r: &Request, i: &Item) -> String {
    value(p, s, r, i).write()
}

#[test]
fn states_requests_and_items_come_back_from_their_json() {
    let text = policy_text();
    let policy = Policy::read(text.as_bytes()).unwrap();
    let mut dice = Dice(7);
    for _ in 0..CASES / 10 {
        let (s, r, i) = case(&policy, &mut dice);
        let v = json::read(line(&policy, &s, &r, &i).as_bytes(), 8).unwrap();
        let mut back = wire::read_state(&policy, &v).unwrap();
        for (g, own) in back.grants.iter_mut().zip(&s.grants) {
            // The salt is not part of the form.
            g.annex.salt = own.annex.salt;
        }
        assert_eq!(back, s);
        assert_eq!(
            wire::read_request(&policy, v.get("request").unwrap()).unwrap(),
            r
        );
        assert_eq!(wire::read_item(&policy, v.get("item").unwrap()).unwrap(), i);
    }
}

fn answer(d: &Decision) -> String {
    let basis = d.basis.as_ref().map_or("-".into(), Basis::wire);
    format!(
        "{basis}|{}|{}|{}|{}",
        d.why.wire(),
        d.grants.join(","),
        d.obligations.join(","),
        d.stale
    )
}

#[test]
fn a_second_implementation_in_python_answers_the_same() {
    let text = policy_text();
    let policy = Policy::read(text.as_bytes()).unwrap();
    let file = std::env::temp_dir().join(format!("warifu-policy-{}.json", std::process::id()));
    std::fs::write(&file, &text).unwrap();
    let mut python = Command::new("python3")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/decide_oracle.py"
        ))
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs the second implementation");
    let mut to = python.stdin.take().unwrap();
    let states = text.clone();
    let writer = std::thread::spawn(move || {
        let policy = Policy::read(states.as_bytes()).unwrap();
        let mut dice = Dice(1);
        for _ in 0..CASES {
            let (s, r, i) = case(&policy, &mut dice);
            writeln!(to, "{}", line(&policy, &s, &r, &i)).unwrap();
        }
    });
    let out = python.wait_with_output().unwrap();
    writer.join().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(out.status.success());
    let theirs = String::from_utf8(out.stdout).unwrap();
    let mut theirs = theirs.lines();
    let mut dice = Dice(1);
    let mut reached = std::collections::BTreeSet::new();
    for n in 0..CASES {
        let (s, r, i) = case(&policy, &mut dice);
        let d = decide(&s, &r, &i);
        assert_eq!(
            answer(&d),
            theirs.next().unwrap(),
            "case {n}: {}",
            line(&policy, &s, &r, &i)
        );
        reached.insert((d.why, d.basis.map(|b| b.wire())));
    }
    // The states reach every reason and every basis.
    let missing: Vec<_> = Why::ALL
        .iter()
        .filter(|w| !reached.iter().any(|(x, _)| x == *w))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    for basis in [
        "SELF",
        "GRANT",
        "EMERGENCY",
        "DISASTER",
        "STATUTE:idsc",
        "OPT_OUT",
    ] {
        assert!(
            reached.iter().any(|(_, b)| b.as_deref() == Some(basis)),
            "{basis}"
        );
    }
}

#[test]
fn the_laws_hold_over_generated_states() {
    let text = policy_text();
    let policy = Policy::read(text.as_bytes()).unwrap();
    let mut dice = Dice(2);
    for n in 0..CASES {
        let (mut s, r, i) = case(&policy, &mut dice);
        // Two grants of one jti are one grant; a parent hash names one grant.
        let before = decide(&s, &r, &i);
        let mut turned = s.clone();
        turned.grants.reverse();
        turned.denials.reverse();
        turned.objections.reverse();
        turned.notices.reverse();
        turned.keys.reverse();
        assert_eq!(decide(&turned, &r, &i), before, "order, case {n}");
        let mut more = s.clone();
        more.grants.push(grant(&policy, &mut dice, &r, &i, 9));
        assert!(
            !before.permits() || decide(&more, &r, &i).permits(),
            "a grant removed a permit, case {n}"
        );
        let mut less = s.clone();
        less.denials.push(denial(&policy, &mut dice, &r, &i));
        assert!(
            before.permits() || !decide(&less, &r, &i).permits(),
            "a prohibition added a permit, case {n}"
        );
        let mut less = s.clone();
        let mut on = objection(&policy, &mut dice, &r, &i);
        on.on = true;
        less.objections.push(on);
        assert!(
            before.permits() || !decide(&less, &r, &i).permits(),
            "an objection added a permit, case {n}"
        );
        let at = time(&mut dice);
        s.keys.push((
            "k2".into(),
            if n % 2 == 0 {
                KeyState::Retired(at)
            } else {
                KeyState::Compromised(at)
            },
        ));
        assert!(
            before.permits() || !decide(&s, &r, &i).permits(),
            "a lost key added a permit, case {n}"
        );
        // Explaining never changes the answer, and never speaks of what was not told.
        let e = explain(&s, &r, &i, Lang::Ja);
        assert_eq!(e.decision, decide(&s, &r, &i));
        assert_eq!(e.sentence.is_none(), e.decision.why == Why::NotTold);
        assert_ne!(e.sentence.as_deref(), Some(""));
    }
}

#[test]
fn the_truth_table_of_opt_in_purposes() {
    let policy = Policy::reference().unwrap();
    let place = |c: &str| Bits::one(policy.category(c).unwrap().0);
    let treat = policy.purpose("TREAT").unwrap();
    let mut rows = 0;
    for mode in 0..3 {
        for prohibition in [None, Some(false), Some(true)] {
            for covered in [false, true] {
                for (valid, facility, role) in [
                    (true, true, true),
                    (false, true, true),
                    (true, false, true),
                    (true, true, false),
                ] {
                    for in_e in [false, true] {
                        let cats = if in_e { place("inf.rx") } else { place("care") };
                        let mut dice = Dice(3);
                        let mut i = item(&policy, &mut dice);
                        i = Item {
                            cats,
                            unknown: false,
                            labels: Some(Bits::NONE),
                            origin: Origin::Ehr,
                            uninformed: false,
                            undelivered: false,
                            ..i
                        };
                        let ok = valid && facility && role;
                        let r = Request {
                            who: Who::Recipient("mi:1312345678".into()),
                            purpose: Some(treat),
                            mode: match mode {
                                0 => Mode::Normal,
                                1 => Mode::BreakGlass {
                                    valid,
                                    facility,
                                    role: if role { "doctor" } else { "clerk" }.into(),
                                },
                                _ => Mode::Disaster { active: ok },
                            },
                            at: NOW,
                        };
                        let mut g = grant(&policy, &mut dice, &r, &i, 0);
                        g = Grant {
                            aud: vec!["mi:1312345678".into()],
                            pur: Bits::one(treat.0),
                            cat: cats,
                            window: (None, None),
                            recorded: None,
                            nbf: 0,
                            exp: NOW + 1,
                            annex: Annex::empty([0; 16]),
                            uses_left: None,
                            ended: false,
                            status_age: None,
                            parent: None,
                            ..g
                        };
                        let d = Denial {
                            jti: "d".into(),
                            aud: vec!["*".into()],
                            pur: Bits::one(treat.0),
                            cat: cats,
                            nbf: 0,
                            exp: None,
                            emg: prohibition == Some(true),
                            ended: false,
                            status_age: None,
                        };
                        let s = State {
                            policy: &policy,
                            grants: if covered { vec![g] } else { vec![] },
                            denials: if prohibition.is_some() {
                                vec![d]
                            } else {
                                vec![]
                            },
                            objections: vec![],
                            notices: vec![],
                            keys: vec![],
                        };
                        let bg = if !valid {
                            "BG_INVALID"
                        } else if !facility {
                            "BG_FACILITY"
                        } else {
                            "BG_ROLE"
                        };
                        let expected = match (mode, prohibition, covered) {
                            (0, Some(_), _) => "-|PROHIBITED".to_owned(),
                            (1 | 2, Some(true), _) => "-|PROHIBITED_EMG".to_owned(),
                            (_, _, true) => "GRANT|PERMITTED".to_owned(),
                            (0, None, false) => "-|NO_GRANT".to_owned(),
                            (1, _, false) if !ok => format!("-|{bg}"),
                            (2, _, false) if !ok => "-|DIS_INACTIVE".to_owned(),
                            (_, _, false) if !in_e => "-|BG_CATEGORY".to_owned(),
                            (1, _, false) => "EMERGENCY|PERMITTED".to_owned(),
                            _ => "DISASTER|PERMITTED".to_owned(),
                        };
                        let got = decide(&s, &r, &i);
                        let got = format!(
                            "{}|{}",
                            got.basis.as_ref().map_or("-".into(), Basis::wire),
                            got.why.wire()
                        );
                        assert_eq!(
                            got, expected,
                            "{mode} {prohibition:?} {covered} {ok} {in_e}"
                        );
                        rows += 1;
                    }
                }
            }
        }
    }
    assert_eq!(rows, 144);
}

#[test]
fn the_truth_table_of_opt_out_purposes() {
    let text = policy_text();
    let policy = Policy::read(text.as_bytes()).unwrap();
    let anon = policy.purpose("ANON").unwrap();
    let cats = Bits::one(policy.category("inf.lab").unwrap().0);
    for row in 0..16_u32 {
        let [certified, noticed, objected, prohibited] = [0, 1, 2, 3].map(|b| row >> b & 1 == 1);
        let mut i = item(&policy, &mut Dice(4));
        i = Item {
            cats,
            unknown: false,
            origin: Origin::Ehr,
            uninformed: false,
            undelivered: false,
            ..i
        };
        let r = Request {
            who: Who::Recipient(if certified { "cert:a" } else { "cert:b" }.into()),
            purpose: Some(anon),
            mode: Mode::Normal,
            at: NOW,
        };
        let days = if noticed { 30 } else { 29 };
        let o = Objection {
            kid: "k".into(),
            received: 0,
            seq: 1,
            pur: Bits::one(anon.0),
            to: vec!["*".into()],
            src: vec!["*".into()],
            on: true,
        };
        let d = Denial {
            jti: "d".into(),
            aud: vec!["*".into()],
            pur: Bits::one(anon.0),
            cat: cats,
            nbf: 0,
            exp: None,
            emg: false,
            ended: false,
            status_age: None,
        };
        let s = State {
            policy: &policy,
            grants: vec![],
            denials: if prohibited { vec![d] } else { vec![] },
            objections: if objected { vec![o] } else { vec![] },
            notices: vec![Notice {
                src: i.src.clone(),
                at: NOW - days * DAY,
            }],
            keys: vec![],
        };
        let expected = match (certified, noticed, objected, prohibited) {
            (false, ..) => Why::OptoutRecipient,
            (_, false, ..) => Why::NoticePending,
            (_, _, true, _) => Why::Objected,
            (.., true) => Why::Prohibited,
            _ => Why::Permitted,
        };
        assert_eq!(decide(&s, &r, &i).why, expected, "{row}");
    }
}
