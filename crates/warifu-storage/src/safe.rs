//! Paths of archive entries: what is let in.

#[cfg(feature = "memory-zip")]
use warifu_ssmix2::components;

#[cfg(feature = "memory-zip")]
use crate::note::StorageNoteKind;

/// A path with `/`, no `.`, no `..`, not absolute.
///
/// # Errors
/// [`StorageNoteKind::AbsolutePath`] or [`StorageNoteKind::UnsafePath`].
#[cfg(feature = "memory-zip")]
pub(crate) fn clean_path(path: &str) -> Result<String, StorageNoteKind> {
    let mut start = path.chars();
    let drive = matches!(
        (start.next(), start.next()),
        (Some(letter), Some(':')) if letter.is_ascii_alphabetic()
    );
    if drive || path.starts_with(['/', '\\']) {
        return Err(StorageNoteKind::AbsolutePath);
    }
    if path.contains('\0') || path.contains('\u{1}') || components(path).any(|part| part == "..") {
        return Err(StorageNoteKind::UnsafePath);
    }
    Ok(components(path).collect::<Vec<_>>().join("/"))
}

/// Whether a file or folder of this name is passed over: hidden ones, `Thumbs.db`,
/// `desktop.ini`, `__MACOSX`, `*.tmp`.
///
/// ```
/// assert!(warifu_storage::is_skipped("Thumbs.db"));
/// assert!(!warifu_storage::is_skipped("main_document.hl7"));
/// ```
pub fn is_skipped(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    name.starts_with('.')
        || name == "__MACOSX"
        || name.eq_ignore_ascii_case("Thumbs.db")
        || name.eq_ignore_ascii_case("desktop.ini")
        || extension.eq_ignore_ascii_case("tmp")
}

#[cfg(all(test, feature = "memory-zip"))]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_archive_are_refused() {
        for path in ["/etc/passwd", r"\x", "C:/x", r"c:\x", "C:x"] {
            assert_eq!(
                clean_path(path),
                Err(StorageNoteKind::AbsolutePath),
                "{path}"
            );
        }
        for path in ["../x", "a/../b", r"a\..\b", "a/..", "a\0b"] {
            assert_eq!(clean_path(path), Err(StorageNoteKind::UnsafePath), "{path}");
        }
        assert_eq!(clean_path(r"./a//b\c..d/").unwrap(), "a/b/c..d");
    }

    #[test]
    fn names_passed_over() {
        for name in [".DS_Store", "Thumbs.db", "thumbs.DB", "a.TMP", "__MACOSX"] {
            assert!(is_skipped(name), "{name}");
        }
        for name in ["tmp", "000", "-", "main_document.hl7"] {
            assert!(!is_skipped(name), "{name}");
        }
    }
}
