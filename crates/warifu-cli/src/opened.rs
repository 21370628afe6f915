//! Inputs of `check` and `convert`: the storage, and how its files are named on the screen.

use std::borrow::Cow;
use std::path::Path;

use warifu_diag::Code;
use warifu_diag::catalogue::ssm;
use warifu_report::Lang;
use warifu_report::finding::Within;
use warifu_report::mask::PathMask;
use warifu_storage::{FileRef, ReadError, Storage, StorageNote};

use crate::config::Loaded;
use crate::inputs::{self, Inputs};

/// What is to be opened.
pub(crate) struct Wanted {
    /// PATHs as given, or `-`.
    pub(crate) given: Vec<String>,
    /// Name of standard input.
    pub(crate) stdin_name: Option<String>,
    /// Hides patients in paths.
    pub(crate) mask: Option<PathMask>,
    /// The configuration.
    pub(crate) loaded: Loaded,
}

/// How the files of an input are named.
enum Base {
    /// Below a folder or in an archive.
    Below(String),
    /// The input is the file.
    Itself(String),
}

/// An open storage.
pub(crate) struct Opened {
    pub(crate) storage: Storage,
    bases: Vec<Base>,
    mask: Option<PathMask>,
    nameless: bool,
}

/// Opens what is wanted, and says what that is.
pub(crate) fn open(wanted: &Wanted, lang: Lang) -> anyhow::Result<(Opened, Inputs)> {
    let (storage, inputs) = inputs::open(
        &wanted.given,
        wanted.stdin_name.as_deref(),
        &wanted.loaded,
        lang,
    )?;
    let here = std::env::current_dir().unwrap_or_default();
    let bases = inputs
        .paths
        .iter()
        .map(|path| {
            if path.as_os_str() == "-" {
                return Base::Itself(wanted.stdin_name.clone().unwrap_or_else(|| "-".to_owned()));
            }
            let relative = path.strip_prefix(&here).unwrap_or(path);
            let shown = slashes(relative);
            if path.is_dir() {
                Base::Below(shown)
            } else {
                Base::Itself(shown)
            }
        })
        .collect();
    let opened = Opened {
        storage,
        bases,
        mask: wanted.mask.clone(),
        nameless: wanted.given == ["-"] && wanted.stdin_name.is_none(),
    };
    Ok((opened, inputs))
}

/// What a file that cannot be read is told by.
pub(crate) fn unread_code(error: &ReadError) -> Code {
    match error {
        ReadError::Vanished => &ssm::SSM109,
        _ => &ssm::SSM115,
    }
}

/// A path with `/`, without `./` before it.
fn slashes(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = if std::path::MAIN_SEPARATOR == '\\' {
        text.replace('\\', "/")
    } else {
        text.into_owned()
    };
    let text = text.strip_prefix("./").unwrap_or(&text);
    match text.trim_end_matches('/') {
        "." => String::new(),
        "" if text.starts_with('/') => "/".to_owned(),
        text => text.to_owned(),
    }
}

/// The last part of a path with `/`.
fn leaf(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn join(base: &str, path: &str) -> String {
    match (base, path) {
        ("", _) => path.to_owned(),
        (_, "") => base.to_owned(),
        ("/", _) => format!("/{path}"),
        _ => format!("{base}/{path}"),
    }
}

impl Opened {
    fn masked(&self, path: String) -> String {
        match &self.mask {
            Some(mask) => mask.path(&path),
            None => path,
        }
    }

    /// Path of a file relative to the current folder.
    pub(crate) fn shown(&self, file: &FileRef) -> String {
        let path = file.path();
        self.masked(match self.bases.get(file.input()) {
            Some(Base::Below(base)) => join(base, path),
            // In an archive or journal; a plain file or message is itself.
            Some(Base::Itself(base))
                if self.storage.disk_path(file).is_none() && path != base.as_str() =>
            {
                join(base, path)
            }
            Some(Base::Itself(base)) => base.clone(),
            None => path.to_owned(),
        })
    }

    /// Whether paths have to say in which of several inputs they are.
    pub(crate) fn has_several(&self) -> bool {
        self.bases.len() > 1
    }

    /// Where a record of a transaction file is placed.
    pub(crate) fn within(&self, file: &FileRef) -> Option<Within> {
        let place = file.record()?;
        Some(Within {
            file: self.masked(self.of_input(Some(file.input()), &place.journal)),
            record: self.masked(file.path().to_owned()),
            header: place.header,
            line: place.line,
            message: place.message,
        })
    }

    /// Path for the rules about names and folders; empty for a stream without a name.
    pub(crate) fn checked_path<'f>(&self, file: &'f FileRef) -> Cow<'f, str> {
        let path = file.path_in_root();
        match self.bases.get(file.input()) {
            _ if path == "-" && self.nameless => Cow::Borrowed(""),
            // Of a message given by itself the folders are not known to be those of a storage.
            Some(Base::Itself(_))
                if self.storage.disk_path(file).is_some() && file.located().is_none() =>
            {
                Cow::Borrowed(leaf(path))
            }
            // The folder given is the one that the file lies in; `..` has no name.
            Some(Base::Below(base)) if !path.contains('/') && leaf(base) != ".." => {
                Cow::Owned(join(leaf(base), path))
            }
            _ => Cow::Borrowed(path),
        }
    }

    /// Whether this is standard input without a name, and no archive or journal.
    pub(crate) fn is_nameless(&self) -> bool {
        self.nameless && !self.storage.has_storage()
    }

    /// Path in an input; what does not tell its input is named whole where there is only one.
    fn of_input(&self, input: Option<usize>, path: &str) -> String {
        let base = match (input, self.bases.as_slice()) {
            (Some(input), bases) => bases.get(input),
            (None, [one]) => Some(one),
            (None, _) => None,
        };
        match base {
            Some(Base::Below(base)) => join(base, path),
            // A file that is no archive is called by its name there.
            Some(Base::Itself(base)) if path == leaf(base) => base.clone(),
            Some(Base::Itself(base)) if !path.starts_with(base.as_str()) => join(base, path),
            Some(Base::Itself(_)) | None => path.to_owned(),
        }
    }

    /// Path of a finding of the walk.
    pub(crate) fn shown_note(&self, note: &StorageNote) -> String {
        let whole = self.of_input(note.input, &note.path);
        if whole.is_empty() {
            return ".".to_owned();
        }
        self.masked(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_as_they_were_given() {
        for (path, want) in [
            ("./a/b/", "a/b"),
            (".", ""),
            ("./", ""),
            ("../a", "../a"),
            ("/", "/"),
        ] {
            assert_eq!(slashes(Path::new(path)), want, "{path}");
        }
        assert_eq!(join("", "a"), "a");
        assert_eq!(join("a", ""), "a");
        assert_eq!(join("/", "a"), "/a");
    }
}
