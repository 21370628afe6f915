//! The fuzz targets' own functions over generated and damaged files: what CI can afford of fuzzing.

#[path = "../fuzz/src/bodies.rs"]
mod bodies;
mod common;
#[path = "../fuzz/src/foreign.rs"]
mod foreign;
#[path = "../fuzz/src/log.rs"]
mod log;
#[path = "../fuzz/src/token.rs"]
mod token;

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;

/// Every fixture as an input of the targets.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut seeds = Vec::new();
    for f in common::load(&common::fixtures()) {
        let path = f.path.split_once('/').map_or("", |(_, path)| path);
        if f.bytes.len() < 100_000 {
            seeds.push(bodies::seed(0x08, path, &f.bytes));
        }
    }
    assert!(seeds.len() > 100, "the fixtures are there");
    seeds
});

/// A change of a file.
#[derive(Debug, Clone)]
enum Damage {
    Insert(Index, Vec<u8>),
    Remove(Index, u8),
    Replace(Index, u8),
    Repeat(Index, u8, u8),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "|",
            "^",
            "~",
            "&",
            "\\",
            "\r",
            "\r\n",
            "\n",
            "||",
            "^^",
            "\"\"",
            "\\X0D\\",
            "\\.br\\",
            "\\F\\",
            "\x1b$B",
            "\x1b(B",
            "\x1b(I",
            "\x1b$(D",
            "\x0e",
            "\x1c",
            "\0",
            "MSH|^~\\&|",
            "MSH",
            "OBX|1|NM|",
            "PID|",
            "ORC|CA|",
            "<",
            "]]>",
            "<!DOCTYPE a [",
            "&#0;",
            "#SSMIX,",
            "20261399",
            "99999999999999999999",
            "-1",
            "1e999",
            "ソ",
            "\u{feff}",
        ])
        .prop_map(|s| s.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 1..6),
    ];
    prop_oneof![
        4 => (any::<Index>(), piece).prop_map(|(at, piece)| Damage::Insert(at, piece)),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, n)| Damage::Remove(at, n)),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        1 => (any::<Index>(), any::<u8>(), 1..20_u8).prop_map(|(at, n, times)| Damage::Repeat(at, n, times)),
        1 => any::<Index>().prop_map(Damage::Cut),
    ]
}

fn apply(data: &mut Vec<u8>, damage: &Damage) {
    let length = data.len();
    if length == 0 {
        return;
    }
    let range = |at: &Index, n: u8| {
        let at = at.index(length);
        at..(at + usize::from(n)).min(length)
    };
    match damage {
        Damage::Insert(at, piece) => {
            let at = at.index(length);
            data.splice(at..at, piece.iter().copied());
        }
        Damage::Remove(at, n) => {
            data.drain(range(at, *n));
        }
        Damage::Replace(at, byte) => {
            data.splice(range(at, 1), [*byte]);
        }
        Damage::Repeat(at, n, times) => {
            let range = range(at, *n);
            let piece = data
                .get(range.clone())
                .unwrap_or_default()
                .repeat(usize::from(*times));
            data.splice(range, piece);
        }
        Damage::Cut(at) => data.truncate(at.index(length)),
    }
}

/// Any bytes, or a fixture with other switches and some damage.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let damaged = (
        any::<Index>(),
        any::<u8>(),
        prop::collection::vec(damage(), 0..8),
    )
        .prop_map(|(which, flags, damages)| {
            let mut data = which.get(&SEEDS).clone();
            for d in &damages {
                apply(&mut data, d);
            }
            if let Some(first) = data.first_mut() {
                *first = flags;
            }
            data
        });
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..200),
        9 => damaged,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_bytes_decode(data in input()) {
        bodies::decode(&data);
    }

    #[test]
    fn damaged_messages_parse(data in input()) {
        bodies::parse(&data);
    }

    #[test]
    fn damaged_journals_are_split_alike(data in input()) {
        bodies::journal(&data);
    }

    #[test]
    fn paths_of_damaged_messages_are_answered(data in input(), path in "(MSH|PID|OBX|ORC|ZZZ)(\\[[0-9]{1,2}\\])?[-.][0-9]{1,2}(\\[[0-9]{1,2}\\])?(\\.[0-9]{1,2}){0,2}|.{0,12}") {
        let mut data = data;
        let rest = data.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1);
        let body = data.split_off(rest);
        bodies::path_query(&bodies::seed(0, &path.replace('\n', " "), &body));
    }

    #[test]
    fn damaged_names_are_read(names in prop::collection::vec("[0-9_-]{0,24}|[0-9]{1,10}_[0-9-]{1,8}_(ADT-00|OML-11|PPR-01|[A-Z^-]{0,9})_[0-9]{0,15}_[0-9]{8,17}(_[0-9-]{0,3})?_[0-3]|.{0,30}", 0..20)) {
        bodies::storage_name(names.join("\n").as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_convert(data in input()) {
        bodies::convert(&data);
    }

    #[test]
    fn damaged_documents_convert(data in input()) {
        bodies::document(&data);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_resources_are_read(damage in prop::collection::vec(damage(), 0..6), path in "(name|Patient|\\$this|descendants\\(\\)|[.()|&=']|[a-z]{1,4}|[0-9]){0,12}") {
        let mut body = br#"{"resourceType":"Patient","id":"p","_birthDate":{"extension":[{"url":"u","valueDecimal":1.50}]},"name":[{"given":["a",null],"_given":[null,{"id":"g"}]}]}"#.to_vec();
        for d in &damage {
            apply(&mut body, d);
        }
        bodies::fhirpath(&bodies::seed(0, &path.replace('\n', " "), &body));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_proofs_prove_nothing(damage in prop::collection::vec(damage(), 0..6), which in 0..4_usize, random in prop::collection::vec(any::<u8>(), 0..200)) {
        let hash = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        let note = format!("log.example/consent-log\n5\n{hash}\n\n\u{2014} log.example/consent-log {}=\n", "A".repeat(91));
        let mut body = match which {
            0 => note.into_bytes(),
            1 => format!("c2sp.org/tlog-proof@v1\nindex 4\n{hash}\n\n{note}").into_bytes(),
            2 => br#"{"line":"{}","promise":"x","salt":"AAAAAAAAAAAAAAAAAAAAAA"}"#.to_vec(),
            _ => random,
        };
        for d in &damage {
            apply(&mut body, d);
        }
        log::log_proof(&body);
        log::log_checkpoint(&body);
    }

    #[test]
    fn damaged_files_of_lines_are_cut_or_refused(data in prop::collection::vec(any::<u8>(), 0..80)) {
        log::log_recovery(&data);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_consents_are_imported_without_trust(data in prop::collection::vec(any::<u8>(), 0..40)) {
        foreign::consent_import(&data);
    }

    #[test]
    fn unsigned_tokens_never_open(data in prop::collection::vec(any::<u8>(), 0..60), payload in "(\\{(\"(v|iss|sub|iat|jti|rev|rsn)\":(1|1790000100|\"[a-z]{0,9}\"),?){0,7}\\})?") {
        token::consent_token(&data);
        token::consent_token(&[data.get(..1).unwrap_or(&[3]), payload.as_bytes()].concat());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lists_that_unfold_to_anything_are_bounded(data in prop::collection::vec(any::<u8>(), 0..120)) {
        token::consent_status(&data);
    }
}

#[test]
fn whole_fixtures_pass_every_target() {
    for data in SEEDS.iter() {
        for body in [
            bodies::decode,
            bodies::parse,
            bodies::path_query,
            bodies::storage_name,
            bodies::journal,
            bodies::convert,
            bodies::document,
            bodies::fhirpath,
            log::log_proof,
            log::log_checkpoint,
            token::consent_token,
        ] {
            body(data);
        }
    }
}
