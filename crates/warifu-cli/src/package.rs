//! `warifu package`: the user's cache of FHIR packages.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use warifu_package::{File, Library, Limits, Opened, unpack_all};
use warifu_report::Lang;

use crate::config::Loaded;
use crate::packages::{Cache, is_label, made, read, tell, written};
use crate::whole::{self, Readers};
use crate::{End, say, terminal};

/// The registry of FHIR packages.
pub(crate) const REGISTRY: &str = "https://packages.fhir.org";

/// Prints the packages in the cache, each with what it needs and is not there.
pub(crate) fn list(cache: &Cache, lang: Lang) -> anyhow::Result<End> {
    let mut packages = Vec::new();
    for label in cache.labels() {
        // A folder that is no package is told and left out.
        match read(&label, cache, &Loaded::default(), lang) {
            Ok(read) => packages.push((read.package, true)),
            Err(e) => terminal::note(&say(
                lang,
                &format!("警告: {e:#}"),
                &format!("warning: {e:#}"),
            )),
        }
    }
    let library = Library::new(packages);
    let mut out = std::io::stdout().lock();
    for (_, member) in library.members().skip(1) {
        writeln!(out, "{}", member.package().manifest().label())?;
        for missing in &member.closure().missing {
            let package = &missing.package;
            writeln!(
                out,
                "{}",
                say(
                    lang,
                    &format!("  足りない依存先: {package} [FHR522]"),
                    &format!("  needs, not there: {package} [FHR522]")
                )
            )?;
        }
    }
    Ok(End::Clean)
}

/// Puts archives and folders into the cache, one after the other until one cannot be.
pub(crate) fn add<'t>(
    targets: impl Iterator<Item = &'t str>,
    cache: &Cache,
    loaded: &Loaded,
    lang: Lang,
) -> anyhow::Result<End> {
    let mut loaded = loaded.clone();
    for target in targets {
        add_one(target, cache, &loaded, lang)?;
        // Its checksum may have been written.
        if let Some(path) = &loaded.path {
            loaded.text = std::fs::read_to_string(path)?;
            loaded.config = crate::config::read(&loaded.text, path, lang)?;
        }
    }
    Ok(End::Clean)
}

fn add_one(target: &str, cache: &Cache, loaded: &Loaded, lang: Lang) -> anyhow::Result<End> {
    let path = Path::new(target);
    if !path.exists() {
        bail!(crate::mistakes::not_found(path, lang));
    }
    let found = read(target, cache, loaded, lang)?;
    let files = if path.is_dir() {
        None
    } else {
        let bytes = std::fs::read(path)?;
        Some(unpack_all(&bytes, &Limits::PACKAGE).files)
    };
    match files {
        Some(files) if !files.is_empty() => store(&found, &files, cache, loaded, lang),
        None => {
            let mut files = Vec::new();
            every_file(path, "", &mut files, 0)?;
            store(&found, &files, cache, loaded, lang)
        }
        Some(_) => bail!(say(
            lang,
            "書庫かフォルダーを指定してください (コンパイル済みのものは --ig で使えます)",
            "give an archive or a folder (a compiled package is used with --ig)",
        )),
    }
}

/// All files of a folder; hidden ones and links are left out.
fn every_file(
    path: &Path,
    inside: &str,
    files: &mut Vec<File>,
    depth: usize,
) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{inside}{name}");
        let kind = entry.file_type()?;
        if name.starts_with('.') && name != ".index.json" {
            continue;
        }
        if kind.is_dir() && depth < 8 {
            every_file(&entry.path(), &format!("{path}/"), files, depth + 1)?;
        } else if kind.is_file() && entry.metadata()?.len() <= Limits::PACKAGE.file {
            let bytes = std::fs::read(entry.path())?;
            files.push(File { path, bytes });
        }
    }
    Ok(())
}

/// Writes a package into the cache by way of a folder beside it, and says its checksum.
fn store(
    found: &Opened,
    files: &[File],
    cache: &Cache,
    loaded: &Loaded,
    lang: Lang,
) -> anyhow::Result<End> {
    let label = found.package.manifest().label();
    if !is_label(&label) {
        bail!(say(
            lang,
            &format!("名前か版が使えません: {label}"),
            &format!("name or version cannot be used: {label}")
        ));
    }
    tell(&found.problems, lang);
    std::fs::create_dir_all(&cache.folder).with_context(|| cache.folder.display().to_string())?;
    let part = tempfile::Builder::new()
        .prefix(".warifu-")
        .tempdir_in(&cache.folder)?;
    let root = files
        .iter()
        .filter_map(|f| f.path.strip_suffix("package.json"))
        .filter(|r| r.is_empty() || r.ends_with('/'))
        .min_by_key(|r| (r.matches('/').count(), *r))
        .unwrap_or_default()
        .to_owned();
    for file in files {
        let Some(name) = file.path.strip_prefix(&root) else {
            continue;
        };
        // Paths were looked at when unpacking; nothing leads out.
        let to = part.path().join("package").join(name);
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&to, &file.bytes)?;
    }
    let to = cache.folder.join(&label);
    if let Some(old) = cache.find(&label) {
        std::fs::remove_dir_all(old)?;
    }
    std::fs::rename(part.keep(), &to).with_context(|| to.display().to_string())?;
    let sum = found.digest.as_ref().map(written).unwrap_or_default();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{label} {sum}")?;
    pin(&label, &sum, loaded, lang)?;
    Ok(End::Clean)
}

/// Writes the checksum into the `warifu.toml` in force; without one nothing is written.
fn pin(label: &str, sum: &str, loaded: &Loaded, lang: Lang) -> anyhow::Result<()> {
    let Some(path) = &loaded.path else {
        return Ok(());
    };
    if loaded.config.fhir.pins.get(label).is_some_and(|p| p == sum) {
        return Ok(());
    }
    let line = format!("\"{label}\" = \"{sum}\"");
    let mut lines: Vec<&str> = loaded.text.lines().collect();
    match lines.iter().position(|l| l.trim() == "[fhir.pins]") {
        Some(at) => lines.insert(at + 1, &line),
        None => lines.extend(["[fhir.pins]", &line]),
    }
    let text = lines.join("\n") + "\n";
    // What cannot be read back is not written (pins in an inline table).
    crate::config::read(&text, path, lang)?;
    whole::replace(path, text.as_bytes(), Readers::Umask)
        .with_context(|| path.display().to_string())?;
    terminal::note(&say(
        lang,
        &format!("{} の [fhir.pins] に書きました", path.display()),
        &format!("written to [fhir.pins] in {}", path.display()),
    ));
    Ok(())
}

/// Removes a package from the cache.
pub(crate) fn remove(label: &str, cache: &Cache, lang: Lang) -> anyhow::Result<End> {
    match cache.find(label).filter(|_| is_label(label)) {
        Some(folder) => {
            std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
            Ok(End::Clean)
        }
        None => bail!(say(
            lang,
            &format!("{label} はありません。一覧: warifu package list"),
            &format!("{label} is not in the cache. List: warifu package list")
        )),
    }
}

/// Saves a package in its compiled form.
pub(crate) fn compile(
    target: &str,
    out: &Path,
    cache: &Cache,
    loaded: &Loaded,
    lang: Lang,
) -> anyhow::Result<End> {
    let found = read(target, cache, loaded, lang)?;
    tell(&found.problems, lang);
    whole::replace(out, found.package.bytes(), Readers::Umask)
        .with_context(|| out.display().to_string())?;
    writeln!(
        std::io::stdout().lock(),
        "{} {}",
        found.package.manifest().label(),
        written(&found.package.checksum())
    )?;
    Ok(End::Clean)
}

/// Downloads a package; the only command that uses the network.
pub(crate) fn install(
    label: &str,
    registry: &str,
    cache: &Cache,
    loaded: &Loaded,
    lang: Lang,
) -> anyhow::Result<End> {
    let Some((name, version)) = label.split_once('#').filter(|_| is_label(label)) else {
        bail!(say(
            lang,
            &format!("{label}: NAME#VERSION の形で、版を正確に指定してください"),
            &format!("{label}: give NAME#VERSION with the exact version")
        ));
    };
    let registry = match (registry, &loaded.config.fhir.registry) {
        ("", Some(registry)) => registry,
        ("", None) => REGISTRY,
        (given, _) => given,
    };
    let address = format!("{}/{name}/{version}", registry.trim_end_matches('/'));
    let bytes = download(&address).with_context(|| {
        say(
            lang,
            &format!("{address} から取得できません [FHR524]"),
            &format!("cannot download {address} [FHR524]"),
        )
    })?;
    let unpacked = unpack_all(&bytes, &Limits::PACKAGE);
    let files = unpacked.files.clone();
    let found = made(files, unpacked.problems, Path::new(name), lang)?;
    let got = found.package.manifest().label();
    if !got.eq_ignore_ascii_case(label) {
        bail!(say(
            lang,
            &format!("{label} ではなく {got} が届きました [FHR525]"),
            &format!("asked for {label}, got {got} [FHR525]")
        ));
    }
    crate::packages::check_pin(&found, loaded, lang)?;
    store(&found, &unpacked.files, cache, loaded, lang)
}

/// Bytes at an address; at most what an archive may have unpacked.
fn download(address: &str) -> anyhow::Result<Vec<u8>> {
    let agent = crate::client::agent()
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_mins(1)))
        .timeout_global(Some(Duration::from_mins(15)))
        .build()
        .new_agent();
    let limit = Limits::PACKAGE.file;
    let mut bytes = Vec::new();
    agent
        .get(address)
        .call()?
        .into_body()
        .into_with_config()
        .limit(limit)
        .reader()
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
