//! Properties: reading what was written gives the same structure; hostile input ends in linear work;
//! `hl7-parser` agrees on well-formed messages.

#![expect(clippy::as_conversions, reason = "u32 offsets widen to usize")]

use bumpalo::Bump;
use proptest::prelude::*;
use warifu_hl7::{Index, MAX_BYTES, Message, NoteKind};
use warifu_source::Charset;

type Component = Vec<String>;
type Repetition = Vec<Component>;
type Field = Vec<Repetition>;

fn text() -> impl Strategy<Value = String> {
    // ASCII with every delimiter, Japanese whose JIS bytes hold delimiters (入 = 46 7E), empty.
    prop_oneof![
        "[ -~]{0,6}",
        "[入院患者表ソ東京ア-ン亜-熙]{1,4}"
            .prop_map(|s| s.chars().filter(|c| encodable(*c)).collect()),
        Just(String::new()),
    ]
    .prop_filter(
        "null and blanks are read differently on purpose",
        |s: &String| s != "\"\"" && s.trim() == s,
    )
}

fn encodable(c: char) -> bool {
    let mut out = Vec::new();
    warifu_source::Encoder::standard()
        .encode_iso2022jp(&c.to_string(), &mut out)
        .is_empty()
}

fn field() -> impl Strategy<Value = Field> {
    prop::collection::vec(
        prop::collection::vec(prop::collection::vec(text(), 1..3), 1..4),
        1..3,
    )
}

fn segments() -> impl Strategy<Value = Vec<(String, Vec<Field>)>> {
    prop::collection::vec(
        (
            "(PID|OBX|ZZ1|NTE|A0B)".prop_map(String::from),
            prop::collection::vec(field(), 1..6),
        ),
        0..6,
    )
}

fn escape(s: &str) -> String {
    s.chars()
        .map(|c| match c {
            '\\' => "\\E\\".to_owned(),
            '|' => "\\F\\".to_owned(),
            '^' => "\\S\\".to_owned(),
            '~' => "\\R\\".to_owned(),
            '&' => "\\T\\".to_owned(),
            c => c.to_string(),
        })
        .collect()
}

fn print(segments: &[(String, Vec<Field>)]) -> Vec<u8> {
    let encoder = warifu_source::Encoder::standard();
    let mut out = b"MSH|^~\\&|A|B\r".to_vec();
    for (name, fields) in segments {
        out.extend_from_slice(name.as_bytes());
        for f in fields {
            out.push(b'|');
            for (r, rep) in f.iter().enumerate() {
                if r > 0 {
                    out.push(b'~');
                }
                for (c, comp) in rep.iter().enumerate() {
                    if c > 0 {
                        out.push(b'^');
                    }
                    for (s, sub) in comp.iter().enumerate() {
                        if s > 0 {
                            out.push(b'&');
                        }
                        // Each leaf is wrapped by its own pair of escape sequences, as SS-MIX2 asks.
                        assert!(encoder.encode_iso2022jp(&escape(sub), &mut out).is_empty());
                    }
                }
            }
        }
        out.push(b'\r');
    }
    out
}

fn read(bytes: &[u8]) -> Vec<(String, Vec<Field>)> {
    let mut index = Index::new();
    index.build(bytes, None);
    let arena = Bump::new();
    let m = Message::new(bytes, &index, &arena, 0);
    m.segments()
        .skip(1)
        .map(|s| {
            let fields = s
                .fields()
                .map(|(_, f)| {
                    f.reps()
                        .map(|r| {
                            r.comps()
                                .map(|c| c.subs().map(|x| x.text().text.to_owned()).collect())
                                .collect()
                        })
                        .collect()
                })
                .collect();
            (s.name_str().to_owned(), fields)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_what_was_printed_gives_the_same_structure(segments in segments()) {
        prop_assert_eq!(read(&print(&segments)), segments);
    }

    #[test]
    fn any_bytes_are_read_with_spans_inside_the_input(bytes in prop::collection::vec(any::<u8>(), 0..400), head in any::<bool>()) {
        let mut input = if head { b"MSH|^~\\&|A\rPID|".to_vec() } else { Vec::new() };
        input.extend_from_slice(&bytes);
        for charset in [None, Some(Charset::Utf8), Some(Charset::Cp932), Some(Charset::EucJp), Some(Charset::Iso2022Jp)] {
            let mut index = Index::new();
            index.build(&input, charset);
            let arena = Bump::new();
            let m = Message::new(&input, &index, &arena, 0);
            let mut last = 0;
            for s in m.segments() {
                let (start, end) = s.span();
                prop_assert!(start <= end && end as usize <= input.len() && start >= last);
                last = end;
                let filled = s.fields().filter(|(_, f)| !f.raw().is_empty());
                prop_assert_eq!(s.filled().collect::<Vec<_>>(), filled.map(|(n, _)| n).collect::<Vec<_>>());
                let bits = |all: u64| (0..64).filter(|n| all >> n & 1 == 1).collect::<Vec<usize>>();
                let low = || s.filled().take_while(|n| *n < 64);
                prop_assert_eq!(bits(s.filled_bits()), low().collect::<Vec<_>>());
                let parted = low().filter(|n| s.field(*n).has_parts());
                prop_assert_eq!(bits(s.parted_bits()), parted.collect::<Vec<_>>());
                for (n, f) in s.fields() {
                    let (a, b) = f.span();
                    prop_assert!(a <= b && b <= end && a >= start);
                    for r in f.reps() {
                        let has_value = (1..).zip(r.comps()).filter(|(_, c)| !c.is_empty());
                        let bits = has_value.fold(0u32, |all, (n, _)| all | 1 << 31.min(n));
                        prop_assert_eq!(r.filled_components(), bits);
                        for c in r.comps() {
                            for x in c.subs() {
                                let v = x.text();
                                prop_assert!(v.start >= a && v.end <= b);
                            }
                        }
                    }
                    if !f.raw().is_empty() {
                        let path = m.locate(a).unwrap();
                        prop_assert_eq!(path.field as usize, n);
                    }
                }
            }
        }
    }

    #[test]
    fn hl7_parser_agrees_on_well_formed_messages(segments in segments()) {
        let segments: Vec<_> = segments.into_iter().filter(|(_, f)| !f.is_empty()).collect();
        let bytes = print(&segments);
        let text = warifu_source::decode(&bytes, Charset::Iso2022Jp).text;
        #[expect(clippy::disallowed_methods, reason = "the oracle: clean text, CR terminators, no bare segment")]
        let oracle = hl7_parser::Message::parse(text.trim_end_matches('\r')).unwrap();
        let mut index = Index::new();
        index.build(&bytes, None);
        let arena = Bump::new();
        let m = Message::new(&bytes, &index, &arena, 0);
        prop_assert_eq!(oracle.segments().count(), m.segments().len());
        for (ours, theirs) in m.segments().zip(oracle.segments()).skip(1) {
            prop_assert_eq!(ours.name_str(), theirs.name);
            for (n, f) in ours.fields() {
                let raw = theirs.field(n).map_or("", |f| f.raw_value());
                let mut mine = String::new();
                warifu_source::decode_into(f.raw(), Charset::Iso2022Jp, &mut mine);
                prop_assert_eq!(mine, raw);
            }
        }
    }
}

fn work(input: &[u8]) -> (usize, usize) {
    let mut index = Index::new();
    index.build(input, None);
    let arena = Bump::new();
    let m = Message::new(input, &index, &arena, 0);
    let mut leaves = 0;
    for s in m.segments() {
        for (_, f) in s.fields() {
            for r in f.reps() {
                for c in r.comps() {
                    leaves += c.subs().count();
                }
            }
        }
    }
    (index.field_count(), leaves)
}

/// Ten megabytes of each kind of hostility; a quadratic step would not end within the test's time.
#[test]
fn ten_megabytes_of_hostility_end() {
    const N: usize = 10_000_000;
    let head = b"MSH|^~\\&|A\rPID|".to_vec();
    let with = |unit: &[u8]| -> Vec<u8> {
        head.iter()
            .copied()
            .chain(unit.iter().copied().cycle().take(N))
            .collect()
    };
    assert_eq!(work(&with(b"|")).0, N + 4);
    assert!(work(&with(b"^")).1 >= N);
    // Repetitions are read to the bound of segments; besides these the MSH has two fields.
    assert_eq!(work(&with(b"~")).1, warifu_hl7::MAX_SEGMENTS + 2);
    assert!(work(&with(b"&")).1 >= N);
    for unit in [
        &b"a"[..],
        b"\\",
        b"\\F\\",
        b"\\X41",
        b"\x1b",
        b"\x1b$B",
        b"\x1b$B\x1b(B",
        b"\r",
        b"\n",
        b"\rPID|",
        b"\rx",
        b"~^&",
        b"\x0e",
        b"\x82",
        b"\x82|",
        b" ",
    ] {
        let (_, leaves) = work(&with(unit));
        assert!(leaves > 0);
        let mut index = Index::new();
        let input = with(unit);
        index.build(&input, None);
        let arena = Bump::new();
        let m = Message::new(&input, &index, &arena, 0);
        for s in m.segments().take(3) {
            for (_, f) in s.fields().take(3) {
                assert!(f.value().text.len() <= 3 * N);
                assert!(f.text().text.len() <= 3 * N);
            }
        }
        assert!(index.notes().len() <= 256);
    }
}

#[test]
fn files_beyond_the_limit_are_named_and_not_indexed() {
    let mut index = Index::new();
    index.build(&vec![b'|'; MAX_BYTES + 1], None);
    assert_eq!(index.segment_count(), 0);
    assert_eq!(index.notes()[0].kind, NoteKind::TooLarge);
}

fn notes(input: &[u8]) -> Vec<NoteKind> {
    let mut index = Index::new();
    index.build(input, None);
    index.notes().iter().map(|n| n.kind).collect()
}

#[test]
fn every_terminator_gives_the_same_segments() {
    for t in ["\r", "\n", "\r\n", "\r\r", "\r\n\r\n", "  \r"] {
        let text = format!("MSH|^~\\&|A{t}PID|1||x{t}EVN|y{t}");
        let got = read(text.as_bytes());
        assert_eq!(
            got.iter().map(|s| s.0.as_str()).collect::<Vec<_>>(),
            ["PID", "EVN"],
            "{t:?}"
        );
        assert_eq!(got[0].1[2], vec![vec![vec!["x".to_owned()]]]);
        assert_eq!(
            notes(text.as_bytes()).contains(&NoteKind::TerminatorNotCr),
            t.contains('\n'),
            "{t:?}"
        );
    }
}

#[test]
fn transport_bytes_at_the_end_are_named_once() {
    assert_eq!(
        notes(b"MSH|^~\\&|A\rPID|1\r\x1c"),
        [NoteKind::TrailingBytes]
    );
    assert_eq!(
        notes(b"MSH|^~\\&|A\rPID|1"),
        [NoteKind::LastTerminatorMissing]
    );
    assert_eq!(notes(b""), [NoteKind::Empty]);
    assert_eq!(
        notes(b"hello"),
        [NoteKind::MissingMsh, NoteKind::LastTerminatorMissing]
    );
}

#[test]
fn a_raw_line_break_continues_the_field_before() {
    let got = read(b"MSH|^~\\&|A\rNTE|1|L|first\rsecond line|x\rPID|1\r");
    assert_eq!(got.len(), 2);
    assert_eq!(
        got[0].1[2],
        vec![vec![vec!["first\rsecond line".to_owned()]]]
    );
    assert_eq!(got[0].1[3], vec![vec![vec!["x".to_owned()]]]);
}

#[test]
fn kanji_second_byte_pipe_does_not_split_field() {
    // 入 = 46 7E holds a tilde; the field after it must still be the second.
    let mut bytes = b"MSH|^~\\&|A\rPV1|".to_vec();
    warifu_source::Encoder::standard().encode_iso2022jp("入院患者", &mut bytes);
    bytes.extend_from_slice(b"|I\r");
    let got = read(&bytes);
    assert_eq!(got[0].1[0], vec![vec![vec!["入院患者".to_owned()]]]);
    assert_eq!(got[0].1[1], vec![vec![vec!["I".to_owned()]]]);
}

#[test]
fn cp932_trail_bytes_do_not_split() {
    // 表 = 95 5C and ソ = 83 5C hold the escape character.
    let bytes = b"MSH|^~\\&|A\rNTE|1||\x95\x5c\x83\x5c\x95\x7c|z\r";
    let got = read(bytes);
    assert_eq!(got[0].1[2][0][0][0], "表ソ怖");
    assert_eq!(got[0].1[3][0][0][0], "z");
}

#[test]
fn null_and_empty_differ() {
    let bytes = b"MSH|^~\\&|A\rPID|\"\"||^^|x^\"\"\r";
    let mut index = Index::new();
    index.build(bytes, None);
    let arena = Bump::new();
    let m = Message::new(bytes, &index, &arena, 0);
    let pid = m.first(b"PID").unwrap();
    assert!(pid.field(1).is_null() && !pid.field(1).is_empty() && pid.field(1).value().is_empty());
    assert!(pid.field(2).is_empty() && !pid.field(2).is_null());
    assert!(pid.field(3).is_empty());
    assert!(pid.field(4).comp(2).is_null());
    assert!(pid.field(99).is_empty());
}

#[test]
fn escapes_are_resolved_in_ascii_state_only() {
    for (given, want) in [
        ("a\\F\\b\\S\\c\\R\\d\\T\\e\\E\\", "a|b^c~d&e\\"),
        ("x\\.br\\y", "x\ny"),
        ("\\H\\bold\\N\\", "bold"),
        ("\\X4142\\", "AB"),
        ("\\C2842\\z", "z"),
        ("m\\S\\2", "m^2"),
        ("\\Q\\", "\\Q\\"),
        ("open\\F", "open\\F"),
        ("\\\\", "\\\\"),
    ] {
        let text = format!("MSH|^~\\&|A\rNTE|1||{given}|\r");
        assert_eq!(read(text.as_bytes())[0].1[2][0][0][0], want, "{given}");
    }
}
