//! The published samples beside the checkout, read in place; skipped where they are absent.
#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "helpers of a test stop at the first error and say why they skip"
)]

use std::path::{Path, PathBuf};

use warifu_source::{Charset, NoteKind, Notes, check, decode, decode_into, detect};

/// Every file that begins with MSH, and its bytes; `None` without the samples.
fn samples() -> Option<Vec<(PathBuf, Vec<u8>)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/ssmix2");
    if !root.is_dir() {
        eprintln!("skipped: ../shared is absent");
        return None;
    }
    let (mut folders, mut files) = (vec![root], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).expect("the file can be read");
                if bytes.starts_with(b"MSH|") {
                    files.push((path, bytes));
                }
            }
        }
    }
    Some(files)
}

#[test]
fn every_sample_is_read_without_loss() {
    let Some(samples) = samples() else { return };
    assert!(samples.len() >= 200, "only {} samples", samples.len());
    for (path, bytes) in samples {
        let charset = detect(&bytes);
        let mut notes = Notes::new();
        check(&bytes, 0, charset, &mut notes);
        for kind in [
            NoteKind::Unmapped,
            NoteKind::Malformed,
            NoteKind::EightBitByte,
            NoteKind::UnknownEscape,
            NoteKind::UnclosedShift,
        ] {
            assert_eq!(notes.found(kind), 0, "{kind:?} in {}", path.display());
        }
        let decoded = decode(&bytes, charset);
        assert!(!decoded.text.contains('\u{FFFD}'), "{}", path.display());
        let segments = decoded.text.matches(['\r', '\n']).count();
        assert_eq!(
            segments,
            bytes.iter().filter(|b| matches!(b, b'\r' | b'\n')).count()
        );
    }
}

#[test]
fn the_charset_of_each_sample_is_the_one_its_source_tells() {
    let Some(samples) = samples() else { return };
    for (path, bytes) in samples {
        // SOURCE.md of the synthetic set names the one patient written in CP932.
        let cp932 = path.iter().any(|part| part == "1437922981");
        let expected = if cp932 {
            Charset::Cp932
        } else {
            Charset::Iso2022Jp
        };
        let has_japanese = bytes.iter().any(|byte| !byte.is_ascii());
        let expected = if has_japanese {
            expected
        } else {
            Charset::Iso2022Jp
        };
        assert_eq!(detect(&bytes), expected, "{}", path.display());
    }
}

#[test]
fn components_of_samples_decode_like_the_whole() {
    let Some(samples) = samples() else { return };
    for (path, bytes) in samples {
        let charset = detect(&bytes);
        let decoded = decode(&bytes, charset);
        let mut at = 0;
        for component in decoded.text.split_inclusive(['|', '^', '\r', '\n']) {
            let range = decoded.byte_range(at..at + component.len());
            at += component.len();
            let range = usize::try_from(range.start).unwrap_or(usize::MAX)
                ..usize::try_from(range.end).unwrap_or(usize::MAX);
            let mut text = String::new();
            decode_into(bytes.get(range).unwrap_or_default(), charset, &mut text);
            assert_eq!(text, component, "{}", path.display());
        }
    }
}
