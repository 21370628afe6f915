//! `warifu.toml`: the nearest one upwards, up to a folder with `.git`. Flags win over the environment,
//! this over the file, this over the defaults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use warifu_check::CheckSection;
use warifu_convert::{Attachments, BundleKind, Ids, Per, To};
use warifu_diag::nearest::nearest;
use warifu_report::Lang;

use crate::say;

/// Name of the file.
pub(crate) const FILE: &str = "warifu.toml";

/// The file's content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// Language of machine formats.
    pub(crate) lang: Option<String>,
    /// `[files]`.
    pub(crate) files: Files,
    /// `[check]`.
    pub(crate) check: CheckSection,
    /// `[convert]`.
    pub(crate) convert: Convert,
    /// `[fhir]`.
    pub(crate) fhir: Fhir,
    /// `[privacy]`.
    pub(crate) privacy: Privacy,
    /// `[serve]`.
    pub(crate) serve: Serve,
}

/// `[serve]`: every flag of `warifu serve`, by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Serve {
    /// Folder of data.
    pub(crate) data: Option<String>,
    /// Address of the database, without a password.
    pub(crate) db: Option<String>,
    /// Address to listen at.
    pub(crate) bind: Option<String>,
    /// Address as others see it.
    pub(crate) origin: Option<String>,
    /// Whether other machines may connect.
    pub(crate) public: Option<bool>,
    /// Certificate chain.
    pub(crate) tls_cert: Option<String>,
    /// Its key.
    pub(crate) tls_key: Option<String>,
    /// What certificates of clients are for.
    pub(crate) client_certs: Option<String>,
    /// Folder of the portal.
    pub(crate) portal: Option<String>,
    /// Folder of the playground.
    pub(crate) playground: Option<String>,
    /// Bytes of a body.
    pub(crate) max_body: Option<u64>,
    /// Bytes that an archive unfolds to.
    pub(crate) max_unfolded: Option<u64>,
    /// Requests at once.
    pub(crate) max_jobs: Option<u64>,
    /// Files at once.
    pub(crate) max_files: Option<u64>,
    /// Requests a minute of one client.
    pub(crate) max_rate: Option<u64>,
    /// Whether a proxy on this machine tells its clients.
    pub(crate) forwarded: Option<bool>,
    /// Whose other routes are answered.
    pub(crate) compat: Option<String>,
}

/// `[fhir]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Fhir {
    /// Packages: `name#version`, archive or folder.
    pub(crate) ig: Vec<String>,
    /// Whether must-support elements without a value are told.
    pub(crate) must_support: Option<bool>,
    /// Whether vital signs are held against R4's profiles by their codes.
    pub(crate) vital_signs: Option<bool>,
    /// Address that `package install` downloads from.
    pub(crate) registry: Option<String>,
    /// SHA-256 of a package's definitions by `name#version`.
    pub(crate) pins: BTreeMap<String, String>,
}

/// `[files]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Files {
    /// Globs of paths to leave out.
    pub(crate) exclude: Vec<String>,
    /// Longest file in bytes.
    pub(crate) max_file: Option<u64>,
    /// How many times its packed length an archive may expand to.
    pub(crate) max_expansion: Option<u64>,
}

/// `[convert]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Convert {
    /// Form of the output.
    pub(crate) to: Option<To>,
    /// Type of Bundle.
    pub(crate) bundle: Option<BundleKind>,
    /// Unit of a Bundle.
    pub(crate) per: Option<Per>,
    /// The institution's 10-digit number.
    pub(crate) institution: Option<String>,
    /// Kind of logical ids.
    pub(crate) ids: Option<Ids>,
    /// File with the site's key for ids.
    pub(crate) id_key: Option<PathBuf>,
    /// Where the files of a document go.
    pub(crate) attachments: Option<Attachments>,
    /// Whether the key of the source is left out of `identifier`.
    pub(crate) without_source_identifier: Option<bool>,
}

/// `[privacy]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Privacy {
    /// `auto`, `always` or `never`.
    pub(crate) show_values: Option<ShowValues>,
    /// Whether patient ids in paths are hashed.
    pub(crate) mask_paths: Option<bool>,
}

/// Where values of a message are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ShowValues {
    /// On a terminal, not elsewhere (default).
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// What `client-certs` may be.
pub(crate) const CLIENT_CERTS: &[&str] = &["off", "bound", "required"];

/// What `compat` may be.
pub(crate) const COMPAT: &[&str] = &["off", "hl7"];

/// Keys a file may hold.
#[cfg(test)]
const KEYS: &[&str] = &[
    "lang",
    "files",
    "exclude",
    "max-file",
    "max-expansion",
    "check",
    "profile",
    "select",
    "ignore",
    "preview",
    "fail-on",
    "baseline",
    "severity",
    "override",
    "paths",
    "convert",
    "to",
    "bundle",
    "per",
    "institution",
    "ids",
    "id-key",
    "attachments",
    "without-source-identifier",
    "fhir",
    "ig",
    "must-support",
    "vital-signs",
    "registry",
    "pins",
    "privacy",
    "show-values",
    "mask-paths",
    "serve",
    "data",
    "db",
    "bind",
    "origin",
    "public",
    "tls-cert",
    "tls-key",
    "client-certs",
    "portal",
    "playground",
    "max-body",
    "max-unfolded",
    "max-jobs",
    "max-files",
    "max-rate",
    "forwarded",
    "compat",
];

/// The configuration in force and the file it came from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) path: Option<PathBuf>,
    pub(crate) text: String,
}

impl Loaded {
    /// Line of a key in the file, for `warifu config`; `table` is empty for keys before any table.
    pub(crate) fn line_of(&self, table: &str, key: &str) -> Option<usize> {
        let mut inside = "";
        for (n, line) in self.text.lines().enumerate() {
            let line = line.trim();
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.split(']').next()) {
                inside = name.trim();
            } else if inside == table
                && line
                    .trim_start_matches(['"', '\''])
                    .strip_prefix(key)
                    .map(|rest| rest.trim_start_matches(['"', '\'']))
                    .is_some_and(|rest| rest.trim_start().starts_with('='))
            {
                return Some(n + 1);
            }
        }
        None
    }
    /// Language of texts: a flag or variable, else the file, else the locale.
    pub(crate) fn language(&self, lang: Lang, given: bool) -> Lang {
        match self.config.lang.as_deref() {
            Some("ja") if !given => Lang::Ja,
            Some("en") if !given => Lang::En,
            _ => lang,
        }
    }
    /// The folder that paths in the file are relative to.
    pub(crate) fn folder(&self) -> PathBuf {
        let parent = self.path.as_ref().and_then(|p| p.parent());
        match parent {
            Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
            _ => PathBuf::from("."),
        }
    }
}

/// Finds and reads the file. `choice` is `--config`: a path, or `none`.
pub(crate) fn load(choice: Option<&str>, lang: Lang) -> anyhow::Result<Loaded> {
    let path = match choice {
        Some("none") => return Ok(Loaded::default()),
        Some(p) => Some(PathBuf::from(p)),
        None => search(&std::env::current_dir().unwrap_or_default(), FILE),
    };
    let Some(path) = path else {
        return Ok(Loaded::default());
    };
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let config = read(&text, &path, lang)?;
    Ok(Loaded {
        config,
        path: Some(path),
        text,
    })
}

/// The nearest file of this name upwards, up to a folder with `.git`.
pub(crate) fn search(from: &Path, name: &str) -> Option<PathBuf> {
    for folder in from.ancestors() {
        let file = folder.join(name);
        if file.is_file() {
            return Some(file);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// Reads the text; an unknown key is an error with its line and the nearest key.
pub(crate) fn read(text: &str, path: &Path, lang: Lang) -> anyhow::Result<Config> {
    match toml::from_str::<Config>(text) {
        Ok(c) => Ok(c),
        Err(e) => {
            let line = e.span().map_or(1, |s| {
                text.get(..s.start).unwrap_or("").matches('\n').count() + 1
            });
            let message = e.message();
            let shown = path.display();
            if let Some(key) = message
                .strip_prefix("unknown field `")
                .and_then(|m| m.split('`').next())
            {
                // The key may be right elsewhere: what may stand here is what counts.
                let here: Vec<&str> = message
                    .split_once("expected ")
                    .map(|(_, names)| names.split('`').skip(1).step_by(2).collect())
                    .unwrap_or_default();
                let all = here.join(", ");
                match nearest(key, here.into_iter()) {
                    Some(h) => bail!(say(
                        lang,
                        &format!("{shown}:{line}: {key} という項目はありません。もしかして: {h}"),
                        &format!("{shown}:{line}: no key {key}. Did you mean {h}?")
                    )),
                    None => bail!(say(
                        lang,
                        &format!(
                            "{shown}:{line}: {key} という項目はここにはありません。書けるもの: {all}"
                        ),
                        &format!("{shown}:{line}: no key {key} here. There are: {all}")
                    )),
                }
            }
            let (ja, en) = other_type(message).unwrap_or_else(|| {
                (
                    format!("TOML として読めません ({message})"),
                    message.to_owned(),
                )
            });
            bail!(say(
                lang,
                &format!("{shown}:{line}: {ja}"),
                &format!("{shown}:{line}: {en}")
            ))
        }
    }
}

/// What to say of a value of another type, in Japanese and English: what stands there, what is wanted, and
/// how a single value becomes a list.
fn other_type(message: &str) -> Option<(String, String)> {
    let (found, wanted) = message
        .strip_prefix("invalid type: ")?
        .split_once(", expected ")?;
    let (found_ja, found_en) = match found.split([' ', '`']).next()? {
        "string" => ("文字列", "a text"),
        "integer" | "floating" => ("数", "a number"),
        "boolean" => ("true か false", "true or false"),
        "sequence" => ("配列", "a list"),
        "map" => ("表 ([名前] か {…})", "a table"),
        _ => return None,
    };
    let (wanted_ja, wanted_en) = match wanted {
        "a sequence" => ("配列 ([\"…\", \"…\"])", "a list: [\"…\", \"…\"]"),
        "a string" | "path string" | "string or map" => ("文字列 (\"…\")", "a text: \"…\""),
        "a boolean" => ("true か false", "true or false"),
        "u64" => ("0 以上の整数", "a whole number"),
        text if text.starts_with("struct ") || text == "a map" => {
            ("表 ([名前] の下に書きます)", "a table: [name]")
        }
        _ => return None,
    };
    let single = (wanted == "a sequence")
        .then(|| found.strip_prefix("string "))
        .flatten();
    let (hint_ja, hint_en) = single.map_or_else(Default::default, |text| {
        (
            format!("。[{text}] と書いてください"),
            format!("; write [{text}]"),
        )
    });
    Some((
        format!("ここには{wanted_ja}が要りますが、{found_ja}です{hint_ja}"),
        format!("{found_en} where there has to be {wanted_en}{hint_en}"),
    ))
}

/// JSON Schema of the file.
pub(crate) fn schema() -> serde_json::Value {
    let string = |d: &str| serde_json::json!({"type": "string", "description": d});
    let codes = |d: &str| serde_json::json!({"type": "array", "items": {"type": "string", "minLength": 1}, "description": format!("{d}: codes, names, or beginnings of codes")});
    let grades = serde_json::json!({"type": "object", "additionalProperties": {"enum": ["error", "warning", "info", "off"]}, "description": "severity by code"});
    let number = |d: &str, least: u64| serde_json::json!({"type": "integer", "minimum": least, "description": d});
    let choice = |words: &[&str], d: &str| serde_json::json!({"enum": words, "description": d});
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "warifu.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "lang": choice(&["ja", "en"], "language of machine formats"),
            "files": {"type": "object", "additionalProperties": false, "properties": {
                "exclude": {"type": "array", "items": {"type": "string"}, "description": "globs of paths to leave out"},
                "max-file": {"type": "integer", "minimum": 1, "description": "longest file in bytes (64 MiB)"},
                "max-expansion": {"type": "integer", "minimum": 1, "description": "how many times its packed length an archive may expand to (200)"}
            }},
            "check": {"type": "object", "additionalProperties": false, "properties": {
                "profile": {"type": "array", "items": {"enum": warifu_rules::selection::PROFILES}, "description": "profiles of rules, later ones add (ssmix2-1.2g)"},
                "select": codes("rules to choose (all stable rules of the profiles)"),
                "ignore": codes("rules to leave out"),
                "preview": {"type": "boolean", "description": "rules that are not settled yet, too (false)"},
                "fail-on": choice(&["error", "warning", "info", "never"], "level that gives exit code 1 (warning)"),
                "baseline": string("file with findings that do not count"),
                "severity": grades,
                "override": {"type": "array", "description": "wishes by path; the last match wins", "items": {"type": "object", "additionalProperties": false, "required": ["paths"], "properties": {
                    "paths": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^[^\\[\\]{}]+$"}, "description": "globs: ** any folders, * within a name, ? one character"},
                    "profile": {"type": "array", "items": {"enum": warifu_rules::selection::PROFILES}, "description": "profiles of rules in place of those of [check]"},
                    "select": codes("rules to turn on"),
                    "ignore": codes("rules to turn off"),
                    "severity": grades
                }}}
            }},
            "convert": {"type": "object", "additionalProperties": false, "properties": {
                "to": choice(&["bundle", "ndjson", "clins"], "form of the output"),
                "bundle": choice(&["transaction", "collection"], "type of Bundle"),
                "per": choice(&["message", "patient"], "unit of a Bundle"),
                "institution": {"type": "string", "pattern": "^[0-9]{10}$", "description": "the institution's 10-digit number (医療機関番号)"},
                "ids": choice(&["keyed", "readable"], "kind of logical ids"),
                "id-key": string("file with the site's key for ids"),
                "attachments": choice(&["inline", "file"], "files of documents: as Binary, or only their place in the storage"),
                "without-source-identifier": {"type": "boolean", "description": "leave the key of the source out of identifier (false)"}
            }},
            "fhir": {"type": "object", "additionalProperties": false, "properties": {
                "ig": {"type": "array", "items": {"type": "string"}, "description": "packages: name#version of the cache (no ranges), archives, folders, compiled packages"},
                "must-support": {"type": "boolean", "description": "elements that a profile marks must-support and that have no value are told, as information (false)"},
                "vital-signs": {"type": "boolean", "description": "observations with a LOINC code of a vital sign are held against R4's profiles, also where they claim none (true)"},
                "registry": string("address that `warifu package install` downloads from"),
                "pins": {"type": "object", "additionalProperties": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}, "description": "checksum of a package's definitions by name#version; another one is refused"}
            }},
            "privacy": {"type": "object", "additionalProperties": false, "properties": {
                "show-values": choice(&["auto", "always", "never"], "where values are shown: auto = on a terminal"),
                "mask-paths": {"type": "boolean", "description": "patient ids in paths become p- and a hash under WARIFU_MASK_KEY (false)"}
            }},
            "serve": {"type": "object", "additionalProperties": false, "properties": {
                "data": string("folder of data"),
                "db": {"type": "string", "pattern": "^postgres(ql)?://[^:@/]*(@|[^@]*$)", "description": "address of a PostgreSQL database, without a password"},
                "bind": string("address to listen at (127.0.0.1:8440)"),
                "origin": {"type": "string", "pattern": "^https?://", "description": "address as others see it"},
                "public": {"type": "boolean", "description": "let other machines connect (false)"},
                "tls-cert": string("certificate chain (PEM)"),
                "tls-key": string("private key of the certificate (PEM)"),
                "client-certs": choice(CLIENT_CERTS, "certificates of institutions: asked of nobody, of who is bound to one, of everyone (off)"),
                "portal": string("folder of the portal"),
                "playground": string("folder of the playground"),
                "max-body": number("bytes of a body (67108864)", 1),
                "max-unfolded": number("bytes that an archive unfolds to, and of the answer (268435456)", 1),
                "max-jobs": number("requests of portal and institutions worked on at once (64)", 1),
                "max-files": number("files converted, checked or validated at once (8)", 1),
                "max-rate": number("requests a minute of one client, 0 for no bound (3000)", 0),
                "forwarded": {"type": "boolean", "description": "a proxy on this machine tells its clients (false)"},
                "compat": choice(COMPAT, "routes of other validators that are answered, too (off)")
            }}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_line_and_nearest_key() {
        let e = read(
            "lang = \"ja\"\n[convert]\ninstitutoin = \"1310000001\"\n",
            Path::new("warifu.toml"),
            Lang::En,
        )
        .unwrap_err();
        assert_eq!(
            e.to_string(),
            "warifu.toml:3: no key institutoin. Did you mean institution?"
        );
        // Right elsewhere, not there.
        let text = "[[check.override]]\npaths = [\"**\"]\npreview = true\n";
        let e = read(text, Path::new("warifu.toml"), Lang::En).unwrap_err();
        assert_eq!(
            e.to_string(),
            "warifu.toml:3: no key preview here. There are: paths, profile, select, ignore, severity"
        );
    }

    #[test]
    fn the_schema_knows_every_key() {
        let schema = schema().to_string();
        for k in KEYS {
            assert!(schema.contains(&format!("\"{k}\"")), "{k}");
        }
        let full = "lang = \"ja\"\n[files]\nexclude = [\"a\"]\nmax-file = 1\nmax-expansion = 2\n[check]\nprofile = [\"nho\"]\nselect = [\"ENC\"]\nignore = [\"ENC112\"]\npreview = true\nfail-on = \"never\"\nbaseline = \"b.json\"\n[check.severity]\nENC107 = \"off\"\n[[check.override]]\npaths = [\"**\"]\n[convert]\nto = \"ndjson\"\nbundle = \"collection\"\nper = \"patient\"\ninstitution = \"1310000001\"\nids = \"readable\"\nid-key = \"k\"\nattachments = \"file\"\nwithout-source-identifier = true\n[fhir]\nig = [\"a#1\"]\nmust-support = true\nvital-signs = false\nregistry = \"r\"\n[fhir.pins]\n\"a#1\" = \"sha256:0\"\n[privacy]\nshow-values = \"never\"\nmask-paths = true\n[serve]\ndata = \"d\"\ndb = \"postgres://h/d\"\nbind = \"127.0.0.1:1\"\norigin = \"http://h\"\npublic = false\ntls-cert = \"c\"\ntls-key = \"k\"\nclient-certs = \"bound\"\nportal = \"p\"\nplayground = \"q\"\nmax-body = 1\nmax-unfolded = 1\nmax-jobs = 1\nmax-files = 1\nmax-rate = 0\nforwarded = true\ncompat = \"hl7\"\n";
        assert!(read(full, Path::new("x"), Lang::Ja).is_ok());
    }
}
