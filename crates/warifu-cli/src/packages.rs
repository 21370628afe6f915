//! FHIR packages as files: archives, folders, compiled ones, and the cache of the user.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use warifu_package::{
    Fallback, File, Library, Limits, OpenError, Opened, Package, Problem, may_define, open,
    open_files,
};
use warifu_report::Lang;

use crate::config::Loaded;
use crate::{say, terminal};

/// Folders inside each other that are read.
const DEEPEST: usize = 8;

/// Where packages are kept: `~/.fhir/packages`, one folder `name#version` each.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    pub(crate) folder: PathBuf,
}

impl Cache {
    /// The folder given, else the one `WARIFU_PACKAGE_CACHE` names, else that of the user.
    pub(crate) fn of(given: Option<PathBuf>) -> Self {
        let named = || std::env::var_os("WARIFU_PACKAGE_CACHE").map(PathBuf::from);
        let home = || {
            let home = ["HOME", "USERPROFILE"]
                .iter()
                .find_map(std::env::var_os)
                .unwrap_or_default();
            PathBuf::from(home).join(".fhir").join("packages")
        };
        Self {
            folder: given.or_else(named).unwrap_or_else(home),
        }
    }

    /// Labels of the packages in it, sorted.
    pub(crate) fn labels(&self) -> Vec<String> {
        let mut labels: Vec<String> = std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .filter_map(|e| {
                let e = e.ok()?;
                let name = e.file_name().into_string().ok()?;
                (is_label(&name) && e.path().is_dir()).then_some(name)
            })
            .collect();
        labels.sort();
        labels
    }

    /// Folder of a package; names are the same in any case.
    pub(crate) fn find(&self, label: &str) -> Option<PathBuf> {
        let found = self
            .labels()
            .into_iter()
            .find(|l| l.eq_ignore_ascii_case(label))?;
        Some(self.folder.join(found))
    }

    /// Labels of the versions of a package.
    pub(crate) fn versions(&self, name: &str) -> Vec<String> {
        let mut labels = self.labels();
        labels.retain(|l| {
            l.split_once('#')
                .is_some_and(|(n, _)| n.eq_ignore_ascii_case(name))
        });
        labels
    }

    /// Wording for a package that is not there.
    pub(crate) fn not_there(&self, label: &str, lang: Lang) -> String {
        let name = label.split('#').next().unwrap_or_default();
        let labels = self.versions(name);
        let versions: Vec<&str> = labels
            .iter()
            .filter_map(|l| Some(l.split_once('#')?.1))
            .collect();
        let there = versions.join(", ");
        let (ja, en) = if versions.is_empty() {
            (String::new(), String::new())
        } else {
            (format!("ある版: {there}"), format!(" (there: {there})"))
        };
        say(
            lang,
            &format!(
                "{label} がありません。warifu package install {label} で取得してください (検査中は通信しません)。{ja} [FHR521]"
            ),
            &format!(
                "{label} is not in the cache{en}. Run warifu package install {label} (check never downloads). [FHR521]"
            ),
        )
    }
}

/// Whether a text is a name, or a version, and nothing that leads elsewhere.
fn is_part(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('.')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b))
}

/// Whether a text is `name#version` and nothing that leads elsewhere.
pub(crate) fn is_label(text: &str) -> bool {
    text.split_once('#')
        .is_some_and(|(name, version)| is_part(name) && is_part(version))
}

/// Reads a package: a path (archive, folder, compiled), else `name#version` of the cache, or `name` where
/// the cache has one version of it. Its checksum must be the pinned one, if there is one.
pub(crate) fn read(
    wish: &str,
    cache: &Cache,
    loaded: &Loaded,
    lang: Lang,
) -> anyhow::Result<Opened> {
    let path = Path::new(wish);
    let found = if path.exists() {
        path.to_owned()
    } else if is_label(wish) {
        match cache.find(wish) {
            Some(folder) => folder,
            None => bail!(cache.not_there(wish, lang)),
        }
    } else {
        let versions = cache.versions(wish);
        match versions.as_slice() {
            [only] => cache.folder.join(only),
            [] => bail!(no_package(wish, cache, lang)),
            several => {
                let there = several.join(", ");
                bail!(say(
                    lang,
                    &format!(
                        "{wish} はいくつかの版があります。版も指定してください: {there} [FHR521]"
                    ),
                    &format!("{wish} is there in several versions. Name one: {there} [FHR521]"),
                ))
            }
        }
    };
    let read = read_path(&found, lang).with_context(|| wish.to_owned())?;
    check_pin(&read, loaded, lang)?;
    Ok(read)
}

/// Wording for what is neither a path nor a package of the cache.
fn no_package(wish: &str, cache: &Cache, lang: Lang) -> String {
    let text = crate::mistakes::not_found(Path::new(wish), lang);
    let labels = cache.labels();
    // What looks like a path was meant as one.
    if !is_part(wish) || labels.is_empty() {
        return text;
    }
    let there = labels.join(", ");
    let at_hand = say(
        lang,
        &format!("手元のパッケージ: {there}"),
        &format!("packages at hand: {there}"),
    );
    format!("{text} ({at_hand}) [FHR521]")
}

fn read_path(path: &Path, lang: Lang) -> anyhow::Result<Opened> {
    let limits = Limits::PACKAGE;
    if path.is_dir() {
        let mut files = Vec::new();
        folder(path, "", &mut files, &limits, 0)?;
        return made(files, Vec::new(), path, lang);
    }
    if std::fs::metadata(path)?.len() > limits.unpacked {
        bail!(say(lang, "大きすぎます", "too large"));
    }
    opened(open(std::fs::read(path)?, fallback(path), &limits), lang)
}

/// The package that files make.
pub(crate) fn made(
    files: Vec<File>,
    problems: Vec<Problem>,
    path: &Path,
    lang: Lang,
) -> anyhow::Result<Opened> {
    let made = open_files(files, problems, fallback(path), &Limits::PACKAGE);
    opened(made, lang)
}

/// Name and version of a package whose files do not tell.
fn fallback(path: &Path) -> Fallback<'_> {
    Fallback {
        name: path.file_stem().and_then(|n| n.to_str()).unwrap_or("local"),
        version: "0.0.0",
    }
}

fn opened(opened: Result<Opened, OpenError>, lang: Lang) -> anyhow::Result<Opened> {
    opened.map_err(|e| {
        let [ja, en] = e.text();
        anyhow::anyhow!(say(lang, &ja, &en))
    })
}

/// Files of a folder that may define, in the order of their names; links are not followed.
fn folder(
    path: &Path,
    inside: &str,
    files: &mut Vec<File>,
    limits: &Limits,
    depth: usize,
) -> anyhow::Result<()> {
    let mut entries = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let inside = if inside.is_empty() {
            name
        } else {
            format!("{inside}/{name}")
        };
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < DEEPEST {
            folder(&entry.path(), &inside, files, limits, depth + 1)?;
        } else if kind.is_file()
            && may_define(&inside)
            && entry.metadata()?.len() <= limits.file
            && files.len() < usize::try_from(limits.entries)?
        {
            files.push(File {
                bytes: std::fs::read(entry.path())?,
                path: inside,
            });
        }
    }
    Ok(())
}

/// The packages that a check wants: those given, else those of `warifu.toml`, and what they depend on as
/// far as it is in the cache. What is not there is left to the check to tell.
pub(crate) fn library(given: &[String], loaded: &Loaded, lang: Lang) -> anyhow::Result<Library> {
    let cache = Cache::of(None);
    let mut packages: Vec<(Package, bool)> = Vec::new();
    let mut wanted: Vec<(String, bool)> = given.iter().map(|g| (g.clone(), true)).collect();
    if given.is_empty() {
        // Paths in the file are relative to it.
        let folder = loaded.folder();
        wanted.extend(loaded.config.fhir.ig.iter().map(|wish| {
            let path = folder.join(wish);
            let found = path.exists().then(|| path.to_str().map(str::to_owned));
            (found.flatten().unwrap_or_else(|| wish.clone()), true)
        }));
    }
    let mut at = 0;
    while let Some((wish, named)) = wanted.get(at).cloned() {
        at += 1;
        let read = read(&wish, &cache, loaded, lang)?;
        tell(&read.problems, lang);
        packages.push((read.package, named));
        if at < wanted.len() {
            continue;
        }
        // All that was asked for is read: now what it needs.
        let needs = packages
            .iter()
            .flat_map(|(p, _)| &p.manifest().dependencies)
            .map(|(name, version)| format!("{name}#{version}"));
        for label in needs {
            let held = packages
                .iter()
                .any(|(p, _)| p.manifest().label().eq_ignore_ascii_case(&label));
            // R4 core is built in.
            let core = label.starts_with("hl7.fhir.r4.core#");
            let asked = wanted.iter().any(|(w, _)| w.eq_ignore_ascii_case(&label));
            if !held && !core && !asked && cache.find(&label).is_some() {
                wanted.push((label, false));
            }
        }
    }
    let library = Library::new(packages);
    tell_missing(&library, lang);
    Ok(library)
}

/// Tells which packages the loaded ones depend on and are not at hand, each once.
fn tell_missing(library: &Library, lang: Lang) {
    let mut needed: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (_, member) in library.members() {
        for missing in &member.closure().missing {
            let by = library.member(missing.by);
            let by = by.map(|m| m.package().manifest().label());
            needed.entry(&missing.package).or_default().extend(by);
        }
    }
    for (package, by) in needed {
        let by = by.into_iter().collect::<Vec<_>>().join(", ");
        terminal::note(&say(
            lang,
            &format!(
                "警告[FHR522]: 依存先 {package} がありません (必要とするもの: {by})。その定義が求めることは検査しません"
            ),
            &format!(
                "warning[FHR522]: {package} is not at hand ({by} depends on it); what its definitions demand is not checked"
            ),
        ));
    }
}

/// A checksum as `warifu.toml` has it.
pub(crate) fn written(sum: &[u8; 32]) -> String {
    sum.iter().fold("sha256:".to_owned(), |mut text, b| {
        // Writing to a String does not fail.
        let _ = write!(text, "{b:02x}");
        text
    })
}

pub(crate) fn check_pin(read: &Opened, loaded: &Loaded, lang: Lang) -> anyhow::Result<()> {
    let label = read.package.manifest().label();
    let Some(sum) = &read.digest else {
        return Ok(());
    };
    match loaded.config.fhir.pins.get(&label) {
        Some(pinned) if *pinned != written(sum) => bail!(say(
            lang,
            &format!(
                "{label} の内容が warifu.toml の [fhir.pins] と違います。正しい内容なら {} に書き換えてください [FHR523]",
                written(sum)
            ),
            &format!(
                "{label} is not what [fhir.pins] in warifu.toml says. If it is right, write {} [FHR523]",
                written(sum)
            ),
        )),
        _ => Ok(()),
    }
}

/// Tells what is wrong with a package's files, at most ten of them.
pub(crate) fn tell(problems: &[Problem], lang: Lang) {
    for problem in problems.iter().take(10) {
        let [ja, en] = problem.kind.text();
        let file = &problem.file;
        let (ja, en) = if file.is_empty() {
            (ja, en)
        } else {
            (format!("{file}: {ja}"), format!("{file}: {en}"))
        };
        let code = problem.code();
        terminal::note(&say(
            lang,
            &format!("警告[{code}]: {ja}"),
            &format!("warning[{code}]: {en}"),
        ));
    }
    if let Some(more) = problems.len().checked_sub(11) {
        let more = more + 1;
        terminal::note(&say(
            lang,
            &format!("ほか {more} 件"),
            &format!("and {more} more"),
        ));
    }
}
