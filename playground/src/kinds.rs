//! Names of the data kinds and of the examples.

use warifu_ssmix2::{DataKind, KINDS};

use crate::text::{Text, holds};

/// Names of a data kind by its code, `OML-11`.
pub fn name(code: &str) -> Option<Text> {
    KINDS
        .iter()
        .find(|row| row.kind.code() == code)
        .map(|row| Text {
            ja: row.ja,
            en: row.en,
        })
}

/// Codes of all data kinds in the order of the standard.
pub fn codes() -> impl Iterator<Item = &'static str> {
    DataKind::ALL.iter().map(|kind| kind.code())
}

/// The broken fixtures offered as examples: folder, what is wrong.
pub const BROKEN: [(&str, Text); 5] = [
    (
        "half-width-kana",
        Text {
            ja: "半角カナの氏名",
            en: "Half-width kana in a name",
        },
    ),
    (
        "unclosed-shift",
        Text {
            ja: "漢字シフトの閉じ忘れ",
            en: "Kanji shift never closed",
        },
    ),
    (
        "cp932",
        Text {
            ja: "文字コードが Shift_JIS",
            en: "Shift_JIS instead of ISO-2022-JP",
        },
    ),
    (
        "wrong-patient",
        Text {
            ja: "患者番号がフォルダーと違う",
            en: "Another patient than the folder's",
        },
    ),
    (
        "truncated",
        Text {
            ja: "途中で切れている",
            en: "Cut off in the middle",
        },
    ),
];

/// What the menu of examples offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Path or folder below `examples/`.
    pub name: String,
    /// Code in front, may be empty.
    pub code: &'static str,
    /// What it is.
    pub label: Text,
}

/// One example per data kind that occurs, in the order of the standard, and the broken ones,
/// from the paths of the index.
pub fn examples(paths: &[String]) -> (Vec<Example>, Vec<Example>) {
    let kinds = codes()
        .filter_map(|code| {
            let folder = format!("/{code}/");
            let path = paths
                .iter()
                .find(|p| p.starts_with("standard_root/") && holds(p, &folder))?;
            Some(Example {
                name: path.clone(),
                code,
                label: name(code)?,
            })
        })
        .collect();
    let broken = BROKEN
        .iter()
        .map(|(folder, label)| Example {
            name: format!("broken/{folder}"),
            code: "",
            label: *label,
        })
        .filter(|e| {
            let folder = format!("{}/", e.name);
            paths.iter().any(|p| p.starts_with(&folder))
        })
        .collect();
    (kinds, broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name() {
        assert_eq!(codes().count(), 26);
        assert!(codes().all(|c| name(c).is_some()));
        assert_eq!(name("OML-11").map(|t| t.ja), Some("検体検査結果通知"));
        assert_eq!(name("XXX"), None);
    }

    #[test]
    fn examples_are_those_that_exist() {
        let paths: Vec<String> = [
            "standard_root/000/099/1/20260401/OMD/a",
            "standard_root/000/099/1/-/ADT-00/b",
            "broken/cp932/000/099/1/20260401/OML-11/c",
            "extended_root/x",
        ]
        .map(String::from)
        .to_vec();
        let (kinds, broken) = examples(&paths);
        assert_eq!(
            kinds.iter().map(|e| e.code).collect::<Vec<_>>(),
            ["ADT-00", "OMD"]
        );
        assert_eq!(
            broken.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(),
            ["broken/cp932"]
        );
        assert_eq!(examples(&[]), (Vec::new(), Vec::new()));
    }

    #[test]
    fn the_broken_examples_are_in_the_fixtures() {
        let root =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/broken");
        for (folder, _) in BROKEN {
            assert!(root.join(folder).is_dir(), "{folder}");
        }
    }
}
