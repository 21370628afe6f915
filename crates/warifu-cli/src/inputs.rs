//! Which files are read: PATHs and quoted globs, `[files] exclude`, `.warifuignore`.
//!
//! A folder or file given by name is always read; only what lies below it is weighed. A glob is its
//! folder without wildcards, of which only the matching files are taken: a storage stays a storage,
//! and versions are weighed among what matches.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use warifu_report::Lang;
use warifu_storage::{Choice, Choose, HEAD, Storage, sniff};

use crate::config::Loaded;
use crate::{mistakes, say};

/// Name of the file with patterns in the syntax of `.gitignore`.
const IGNORE_FILE: &str = ".warifuignore";

/// What to open, and what to take of it.
pub(crate) struct Inputs {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) choose: Option<Choose>,
}

/// Patterns and where they count from: `prefix` is the input as seen from their folder.
struct Rules {
    matcher: Arc<Gitignore>,
    prefix: PathBuf,
}

#[derive(Default)]
struct Selection {
    rules: Vec<Rules>,
    /// Of a glob: what is taken, and the archives in it, which are inputs of their own.
    include: Option<(GlobSet, BTreeSet<String>)>,
}

impl Selection {
    fn choice(&self, path: &str, folder: bool) -> Choice {
        for r in &self.rules {
            if r.matcher.matched(r.prefix.join(path), folder).is_ignore() {
                return Choice::PassOver;
            }
        }
        match &self.include {
            Some((set, archives))
                if !folder && (!set.is_match(path) || archives.contains(path)) =>
            {
                Choice::Leave
            }
            _ => Choice::Take,
        }
    }
}

/// Resolves what was given on the command line; `-` stays for the caller.
pub(crate) fn resolve(given: &[String], loaded: &Loaded, lang: Lang) -> anyhow::Result<Inputs> {
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut globs: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for p in given {
        if p == "-" {
            paths.push(PathBuf::from("-"));
        } else if std::fs::symlink_metadata(p).is_ok() {
            paths.push(PathBuf::from(p));
        } else if let Some((base, rest)) = split_glob(p) {
            if !base.is_dir() {
                bail!(mistakes::not_found(&base, lang));
            }
            globs.entry(base).or_default().push(rest);
        } else {
            bail!(mistakes::not_found(Path::new(p), lang));
        }
    }
    // The same path twice, however it is written, is one input.
    let mut seen = BTreeSet::new();
    paths.retain(|p| seen.insert(p.canonicalize().unwrap_or_else(|_| p.clone())));
    let named: BTreeSet<PathBuf> = paths.iter().cloned().collect();
    let mut selections: BTreeMap<PathBuf, Selection> = BTreeMap::new();
    for (base, patterns) in globs {
        if named.contains(&base) {
            continue;
        }
        let set = glob_set(&patterns)?;
        let archives = if patterns.iter().any(|p| leaf(p).contains('.')) {
            archives(&base, &set)?
        } else {
            BTreeSet::new()
        };
        paths.extend(archives.iter().map(|a| base.join(a)));
        paths.push(base.clone());
        selections.entry(base).or_default().include = Some((set, archives));
    }
    let common = common_rules(loaded, lang)?;
    let standard_input = PathBuf::new();
    for path in paths.iter().chain([&standard_input]) {
        let s = selections.entry(path.clone()).or_default();
        for (matcher, root, both) in &common {
            let prefix = prefix_of(path, root);
            if *both || prefix.is_none() {
                s.rules.push(Rules {
                    matcher: Arc::clone(matcher),
                    prefix: PathBuf::new(),
                });
            }
            if let Some(prefix) = prefix {
                s.rules.push(Rules {
                    matcher: Arc::clone(matcher),
                    prefix,
                });
            }
        }
        let own = path.join(IGNORE_FILE);
        let seen = common.iter().any(|(_, root, _)| {
            root.join(IGNORE_FILE).canonicalize().ok() == own.canonicalize().ok()
        });
        if !path.as_os_str().is_empty() && own.is_file() && !seen {
            s.rules.push(Rules {
                matcher: Arc::new(read_ignore(&own, lang)?),
                prefix: PathBuf::new(),
            });
        }
    }
    let choose: Choose = Arc::new(move |input: &Path, path: &str, folder: bool| {
        if !folder && is_own_record(input, path) {
            return Choice::PassOver;
        }
        selections
            .get(input)
            .map_or(Choice::Take, |s| s.choice(path, folder))
    });
    Ok(Inputs {
        paths,
        choose: Some(choose),
    })
}

/// Whether a file is what `warifu convert` writes beside its results: about them, and no resources.
pub(crate) fn is_own_record(input: &Path, path: &str) -> bool {
    let own = ["manifest.json", "diagnostics.ndjson", "trace.ndjson"];
    if !own.contains(&leaf(path)) {
        return false;
    }
    let mut manifest = Vec::new();
    let beside = input.join(path).with_file_name("manifest.json");
    let file = std::fs::File::open(beside);
    let read = file.and_then(|f| f.take(1 << 20).read_to_end(&mut manifest));
    let manifest: Option<serde_json::Value> = read
        .ok()
        .and_then(|_| serde_json::from_slice(&manifest).ok());
    manifest.is_some_and(|m| {
        m.get("format")
            .is_some_and(|f| f == crate::output::MANIFEST_FORMAT)
    })
}

/// Opens what PATHs name, or standard input.
pub(crate) fn open(
    given: &[String],
    stdin_name: Option<&str>,
    loaded: &Loaded,
    lang: Lang,
) -> anyhow::Result<(Storage, Inputs)> {
    let mut limits = warifu_storage::Options::standard();
    let files = &loaded.config.files;
    if let Some(n) = files.max_file {
        limits.max_file = n;
    }
    if let Some(n) = files.max_expansion {
        limits.max_expansion = n;
    }
    let inputs = resolve(given, loaded, lang)?;
    limits.choose.clone_from(&inputs.choose);
    if given == ["-"] {
        let name = stdin_name.unwrap_or("-");
        let storage = Storage::from_reader(&mut std::io::stdin().lock(), name, &limits);
        return Ok((storage.context("stdin")?, inputs));
    }
    if given.iter().any(|p| p == "-") {
        bail!(say(
            lang,
            "- (標準入力) は単独で指定してください",
            "- (stdin) stands alone"
        ));
    }
    let paths: Vec<&Path> = inputs.paths.iter().map(PathBuf::as_path).collect();
    let storage = Storage::open_all(&paths, &limits)?;
    Ok((storage, inputs))
}

/// Patterns that count for every input, with the folder they are relative to, and whether they also
/// count from the input itself.
fn common_rules(
    loaded: &Loaded,
    lang: Lang,
) -> anyhow::Result<Vec<(Arc<Gitignore>, PathBuf, bool)>> {
    let mut common = Vec::new();
    let exclude = &loaded.config.files.exclude;
    if !exclude.is_empty() {
        let mut builder = GitignoreBuilder::new("");
        for pattern in exclude {
            builder
                .add_line(None, pattern)
                .with_context(|| format!("[files] exclude: {pattern}"))?;
        }
        let root = loaded.folder();
        common.push((Arc::new(builder.build()?), root, true));
    }
    let here = std::env::current_dir().unwrap_or_default();
    if let Some(file) = crate::config::search(&here, IGNORE_FILE) {
        let root = file.parent().map(Path::to_path_buf).unwrap_or_default();
        common.push((Arc::new(read_ignore(&file, lang)?), root, false));
    }
    Ok(common)
}

fn read_ignore(file: &Path, lang: Lang) -> anyhow::Result<Gitignore> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let mut builder = GitignoreBuilder::new("");
    for (n, line) in text.lines().enumerate() {
        if builder.add_line(None, line).is_err() {
            let place = format!("{}:{}", file.display(), n + 1);
            bail!(say(
                lang,
                &format!("{place}: 読めない書き方です (.gitignore と同じ書き方にしてください)"),
                &format!("{place}: not a pattern of .gitignore syntax"),
            ));
        }
    }
    Ok(builder.build()?)
}

/// `input` as seen from `root`, when it lies below.
fn prefix_of(input: &Path, root: &Path) -> Option<PathBuf> {
    if input.as_os_str().is_empty() {
        return None;
    }
    let (input, root) = (input.canonicalize().ok()?, root.canonicalize().ok()?);
    input.strip_prefix(root).ok().map(Path::to_path_buf)
}

fn leaf(pattern: &str) -> &str {
    pattern.rsplit('/').next().unwrap_or(pattern)
}

/// Folder without wildcards, and the pattern below it; `None` without wildcards.
fn split_glob(path: &str) -> Option<(PathBuf, String)> {
    let at = path.find(['*', '?', '['])?;
    let cut = path.get(..at)?.rfind('/').map_or(0, |n| n + 1);
    let (base, rest) = path.split_at(cut);
    let base = match base {
        "" => ".",
        "/" => "/",
        other => other.trim_end_matches('/'),
    };
    Some((PathBuf::from(base), rest.to_owned()))
}

/// A set of patterns; a folder that matches means everything in it.
fn glob_set(patterns: &[String]) -> anyhow::Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for p in patterns {
        for p in [p.clone(), format!("{p}/**")] {
            set.add(GlobBuilder::new(&p).literal_separator(true).build()?);
        }
    }
    Ok(set.build()?)
}

/// Archives among what matches: they are opened, not read as files of the folder.
fn archives(base: &Path, set: &GlobSet) -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let at = base.join(&folder);
        for entry in std::fs::read_dir(&at).with_context(|| at.display().to_string())? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if warifu_storage::is_skipped(&name) {
                continue;
            }
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && set.is_match(&path) {
                let mut head = Vec::new();
                let limit = u64::try_from(HEAD).unwrap_or(u64::MAX);
                let file = std::fs::File::open(entry.path());
                let read = file.and_then(|f| f.take(limit).read_to_end(&mut head));
                if read.is_ok() && sniff(&head).is_archive() {
                    found.insert(path);
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_is_split_at_its_last_plain_folder() {
        for (given, base, rest) in [
            ("**/OML-11/*", ".", "**/OML-11/*"),
            ("a/b/*.zip", "a/b", "*.zip"),
            ("/x?/y", "/", "x?/y"),
            ("a/b[12]/c", "a", "b[12]/c"),
        ] {
            assert_eq!(
                split_glob(given),
                Some((PathBuf::from(base), rest.to_owned())),
                "{given}"
            );
        }
        assert_eq!(split_glob("a/b"), None);
    }

    #[test]
    fn stars_stay_within_a_name_and_a_folder_means_its_files() {
        let set = glob_set(&["**/OML-11/*".to_owned(), "2026*".to_owned()]).unwrap();
        for (path, want) in [
            ("0/1/OML-11/x", true),
            ("OML-11/x", true),
            ("OML-11/x/y", true),
            ("OML-12/x", false),
            ("20260401/a/b", true),
            ("a/20260401", false),
        ] {
            assert_eq!(set.is_match(path), want, "{path}");
        }
    }
}
