//! The decision: laws over generated states, both truth tables, and a second implementation in Python.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "common/states.rs"]
mod states;

use std::io::Write as _;
use std::process::{Command, Stdio};

use states::{Dice, NOW, answer, case, denial, grant, item, objection, policy_text, time, value};
use warifu_consent::*;

const CASES: u64 = 100_000;

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
        let e = explain(&s, &r, &i, None, Lang::Ja);
        assert_eq!(e.decision, decide(&s, &r, &i));
        assert_eq!(e.sentence.is_none(), e.decision.why == Why::NotTold);
        assert_ne!(e.sentence.as_deref(), Some(""));
        for code in &e.decision.obligations {
            let end = format!("。 ({code})");
            let words = e.chain.iter().filter(|l| l.ends_with(&end)).count();
            assert_eq!(words, 1, "{code} in {:?}", e.chain);
        }
    }
}

#[test]
fn the_rules_that_were_asked_are_told_in_words_with_names() {
    let policy = Policy::reference().unwrap();
    let code = "mi:1312345678";
    let facility = |code: &str, ja: &str, en: &str| Facility {
        code: code.into(),
        ja: ja.into(),
        en: en.into(),
    };
    let master = Master::new(
        1,
        "",
        vec![
            facility(code, "架空割符診療所", "Kaku Warifu Clinic"),
            facility("mi:1319999999", "架空割符病院", ""),
        ],
    );
    let cat = |c: &str| Bits::one(policy.category(c).unwrap().0);
    let given = Grant {
        jti: "j1".into(),
        hash: "h".into(),
        kid: "k".into(),
        received: 0,
        aud: vec![code.into()],
        pur: Bits::one(policy.purpose("TREAT").unwrap().0),
        cat: cat("inf.lab"),
        window: (None, None),
        recorded: None,
        nbf: NOW,
        exp: NOW + 90 * DAY,
        annex: Annex::empty([0; 16]),
        obl: vec!["NORDSCLCD".into()],
        uses_left: None,
        ended: false,
        status_age: None,
        parent: None,
        texts: 1,
    };
    let state = State {
        policy: &policy,
        grants: vec![given],
        denials: vec![],
        objections: vec![],
        notices: vec![],
        keys: vec![],
    };
    let item = |c: &str| Item {
        key: String::new(),
        cats: cat(c),
        inside: Bits::NONE,
        unknown: false,
        src: "mi:1319999999".into(),
        encounter: None,
        clinical: Date::interval("2026-08-01"),
        recorded: None,
        labels: Some(Bits::NONE),
        origin: Origin::Ehr,
        told: Told::Unknown,
        uninformed: false,
        undelivered: false,
        before: vec![],
    };
    let request = |mode: Mode| Request {
        who: Who::Recipient(code.into()),
        purpose: policy.purpose("TREAT"),
        mode,
        at: NOW,
    };
    let tell = |c: &str, mode: Mode, lang: Lang| {
        explain(&state, &request(mode), &item(c), Some(&master), lang).chain
    };
    let rules = |chain: &[String]| -> Vec<String> {
        let numbered = chain.iter().filter(|l| l.starts_with('D'));
        numbered
            .filter_map(|l| Some(l.split_once(':')?.0.to_owned()))
            .collect()
    };
    // Only what was asked stands there: no proxy, statute, opt-out or emergency.
    let chain = tell("prc.surgery", Mode::Normal, Lang::En);
    assert_eq!(rules(&chain), ["D3", "D1", "D2", "D7", "D8", "D11"]);
    let all = chain.join("\n");
    for name in [
        "May Kaku Warifu Clinic (mi:1312345678) see",
        "架空割符病院 (mi:1319999999)",
        "2026-08-01",
        "treatment",
        "[j1]: Not shown: the consent does not include this kind",
        "(deny CATEGORY)",
    ] {
        assert!(all.contains(name), "{name} in {all}");
    }
    let chain = tell("inf.lab", Mode::Normal, Lang::Ja);
    assert_eq!(rules(&chain), ["D3", "D1", "D2", "D7", "D8"]);
    let all = chain.join("\n");
    for name in [
        "架空割符診療所",
        "「診療」",
        "検査",
        "[j1]: これに当たります",
        "(permit GRANT)",
    ] {
        assert!(all.contains(name), "{name} in {all}");
    }
    // In an emergency D9 is asked in place of D11, and decides what D8 did not.
    let mode = |role: &str| Mode::BreakGlass {
        valid: true,
        facility: true,
        role: role.into(),
    };
    for (c, role, last) in [
        ("prc.surgery", "doctor", "(permit EMERGENCY)"),
        ("prc.surgery", "clerk", "(deny BG_ROLE)"),
        ("doc.referral", "doctor", "(deny BG_CATEGORY)"),
    ] {
        let chain = tell(c, mode(role), Lang::JaEasy);
        assert_eq!(
            rules(&chain).last().map(String::as_str),
            Some("D9"),
            "{chain:?}"
        );
        assert!(chain.iter().any(|l| l.contains(last)), "{chain:?}");
    }
    // Every language has its own words for everything but names, codes and numbers.
    let of = |lang| tell("prc.surgery", Mode::Normal, lang);
    let (ja, easy, en) = (of(Lang::Ja), of(Lang::JaEasy), of(Lang::En));
    for ((a, b), c) in ja.iter().zip(&easy).zip(&en) {
        assert!(a != b && b != c && a != c, "{a} / {b} / {c}");
    }
}

/// What labels, dates, prohibitions and obligations say stands there by name, in each language.
#[test]
fn labels_dates_prohibitions_and_obligations_are_told_in_words() {
    let policy = Policy::reference().unwrap();
    let cat = |c: &str| Bits::one(policy.category(c).unwrap().0);
    let label = |c: &str| Bits::one(policy.label(c).unwrap());
    let pur = |c: &str| Bits::one(policy.purpose(c).unwrap().0);
    let mut annex = Annex::empty([0; 16]);
    annex.lbl = vec!["PSY".into()];
    annex.res = vec!["r.x".into(), "r.y".into()];
    let grant = Grant {
        jti: "j1".into(),
        hash: "h".into(),
        kid: "k".into(),
        received: 0,
        aud: vec!["mi:1312345678".into()],
        pur: pur("TREAT"),
        cat: cat("inf.condition"),
        window: (Date::parse("2024-01-01"), None),
        recorded: Some(NOW),
        nbf: NOW,
        exp: NOW + 90 * DAY,
        annex,
        obl: vec!["NORDSCLCD".into()],
        uses_left: Some(3),
        ended: false,
        status_age: None,
        parent: None,
        texts: 1,
    };
    let denial = Denial {
        jti: "d1".into(),
        aud: vec!["*".into()],
        pur: policy.purpose_set(["*"].into_iter()).unwrap(),
        cat: cat("inf.lab"),
        nbf: NOW,
        exp: None,
        emg: true,
        ended: false,
        status_age: None,
    };
    let state = State {
        policy: &policy,
        grants: vec![grant],
        denials: vec![denial],
        objections: vec![],
        notices: vec![],
        keys: vec![],
    };
    let item = |c: &str, labels: Option<Bits>| Item {
        key: String::new(),
        cats: cat(c),
        inside: Bits::NONE,
        unknown: false,
        src: String::new(),
        encounter: None,
        clinical: None,
        recorded: Some(0),
        labels,
        origin: Origin::Ehr,
        told: Told::Unknown,
        uninformed: false,
        undelivered: false,
        before: vec![],
    };
    let tell = |who: &Who, purpose: &str, item: &Item, lang: Lang| {
        let request = Request {
            who: who.clone(),
            purpose: policy.purpose(purpose),
            mode: Mode::Normal,
            at: NOW,
        };
        explain(&state, &request, item, None, lang).chain.join("\n")
    };
    let clinic = Who::Recipient("mi:1312345678".into());
    let guardian = Who::Proxy {
        scope: None,
        sixteen: true,
    };
    let dated = Item {
        clinical: Date::interval("2026-08-01"),
        ..item("inf.condition", Some(Bits::NONE))
    };
    let psy = item("inf.condition", Some(label("PSY").with(label("R"))));
    let unlabelled = item("inf.condition", None);
    let lab = item("inf.lab", Some(Bits::NONE));
    for (who, purpose, item, words) in [
        // An obligation in words, and the conditions of the grant.
        (
            &clinic,
            "TREAT",
            &dated,
            [
                &[
                    "印なし",
                    "相手は、ご本人の同意なしにほかへ渡しません。 (NORDSCLCD)",
                    "記録の日付 2024-01-01–",
                    "までの記録",
                    "残り 3 回",
                    "外したもの 精神科、記録 2 件",
                    "(permit GRANT)",
                ][..],
                &[
                    "しるし なし",
                    "(NORDSCLCD)",
                    "きろくの 日 2024-01-01–",
                    "までに 書いた もの",
                    "あと 3 回",
                    "はずした もの こころの びょうき、きろく 2 こ",
                ],
                &[
                    "no label",
                    "does not pass it on without",
                    "dates of records 2024-01-01–",
                    "recorded by",
                    "3 disclosures left",
                    "without mental health, 2 records",
                ],
            ],
        ),
        // Labels by their names; what could not be judged is told as that.
        (
            &guardian,
            "FAMRQT",
            &psy,
            [
                &[
                    "日付不明、印: 取扱い注意、精神科",
                    "保護者には見せられません: 精神科",
                ],
                &[
                    "日が わからない、しるし: とくに きをつける きろく、こころの びょうき",
                    "おやには 見えません: こころの びょうき",
                ],
                &[
                    "no date, labelled restricted records, mental health",
                    "a person of 16 or more: mental health",
                ],
            ],
        ),
        (
            &guardian,
            "FAMRQT",
            &unlabelled,
            [
                &[
                    "印の判定ができていない",
                    "印の判定ができていない記録は、16 歳以上の方の保護者",
                ],
                &["しるしを しらべられない", "16さいから、おやには 見えません"],
                &[
                    "labels could not be judged",
                    "What could not be labelled is closed to the guardian",
                ],
            ],
        ),
        // The prohibition that holds, by what it says.
        (
            &clinic,
            "TREAT",
            &lab,
            [
                &[
                    "(deny PROHIBITED)",
                    "すべての相手",
                    "救急でも [d1]: これに当たります。",
                ],
                &["だれでも", "きゅうきゅうでも [d1]: これです。"],
                &[
                    "everyone",
                    "laboratory results",
                    "in emergencies too [d1]: It covers this.",
                ],
            ],
        ),
        // And the one that does not.
        (
            &clinic,
            "TREAT",
            &unlabelled,
            [
                &["救急でも [d1]: 当たりません。", "(deny PERIOD)"],
                &["きゅうきゅうでも [d1]: これでは ありません。"],
                &["in emergencies too [d1]: It does not cover this."],
            ],
        ),
    ] {
        for (lang, words) in [Lang::Ja, Lang::JaEasy, Lang::En].into_iter().zip(words) {
            let all = tell(who, purpose, item, lang);
            for word in words {
                assert!(all.contains(word), "{word} in {all}");
            }
        }
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
                            inside: Bits::NONE,
                            unknown: false,
                            labels: Some(Bits::NONE),
                            origin: Origin::Ehr,
                            uninformed: false,
                            undelivered: false,
                            before: Vec::new(),
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
                            texts: 1,
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
                            // Who only says that it is an emergency opens nothing that was prohibited.
                            (_, Some(_), _) if !ok => "-|PROHIBITED".to_owned(),
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
            inside: Bits::NONE,
            unknown: false,
            origin: Origin::Ehr,
            uninformed: false,
            undelivered: false,
            before: Vec::new(),
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
