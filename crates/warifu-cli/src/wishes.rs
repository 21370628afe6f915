//! What `warifu serve` is to do: a flag, else a variable of the environment, else `[serve]` of `warifu.toml`,
//! else the default; and where each value came from.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use warifu_report::Lang;
use warifu_server::Limits;

use crate::config::Loaded;
use crate::say;

/// One setting of the server.
struct Setting {
    name: &'static str,
    /// What it is where nobody says anything.
    default: fn() -> String,
    /// Whether it names a file or folder: one of `warifu.toml` lies beside that.
    is_path: bool,
}

const fn setting(name: &'static str, default: fn() -> String) -> Setting {
    Setting {
        name,
        default,
        is_path: false,
    }
}

const fn path(name: &'static str) -> Setting {
    Setting {
        name,
        default: String::new,
        is_path: true,
    }
}

fn no() -> String {
    false.to_string()
}

/// Every setting, in the order of the help: flag, key of `[serve]`, and `WARIFU_…` in capitals.
const SETTINGS: &[Setting] = &[
    path("data"),
    setting("db", String::new),
    setting("bind", || "127.0.0.1:8440".to_owned()),
    setting("origin", String::new),
    setting("public", no),
    path("tls-cert"),
    path("tls-key"),
    setting("client-certs", || "off".to_owned()),
    path("portal"),
    path("playground"),
    setting("max-body", || Limits::REFERENCE.body.to_string()),
    setting("max-unfolded", || Limits::REFERENCE.unfolded.to_string()),
    setting("max-jobs", || Limits::REFERENCE.jobs.to_string()),
    setting("max-files", || Limits::REFERENCE.files.to_string()),
    setting("max-rate", || Limits::REFERENCE.rate.to_string()),
    setting("forwarded", no),
    setting("compat", || "off".to_owned()),
];

/// Names of all settings.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|s| s.name)
}

/// Lets every setting come from the environment, too.
pub(crate) fn from_environment(command: Command) -> Command {
    command.mut_args(|arg| {
        let name = arg.get_id().as_str();
        if SETTINGS.iter().any(|s| s.name == name) {
            let variable = variable(name);
            arg.env(variable)
        } else {
            arg
        }
    })
}

fn variable(name: &str) -> String {
    format!("WARIFU_{}", name.to_uppercase().replace('-', "_"))
}

/// Settings as they were wished.
pub(crate) struct Wishes<'a> {
    m: &'a ArgMatches,
    loaded: &'a Loaded,
    file: serde_json::Value,
}

/// Where a value came from.
enum Origin {
    Flag,
    Environment,
    File,
}

impl<'a> Wishes<'a> {
    pub(crate) fn new(m: &'a ArgMatches, loaded: &'a Loaded) -> anyhow::Result<Self> {
        let file = serde_json::to_value(&loaded.config.serve)?;
        let wishes = Self { m, loaded, file };
        // Before anything is connected to.
        if let Some((url, from)) = wishes.find("db")
            && !matches!(from, Origin::Environment)
            && has_password(&url)
        {
            bail!(
                "arguments and files of settings are seen by others: give an address with a password in WARIFU_DB"
            );
        }
        Ok(wishes)
    }

    fn find(&self, name: &str) -> Option<(String, Origin)> {
        let from = match self.m.value_source(name) {
            Some(ValueSource::CommandLine) => Some(Origin::Flag),
            Some(ValueSource::EnvVariable) => Some(Origin::Environment),
            _ => None,
        };
        if let Some(from) = from {
            let mut raw = self.m.get_raw(name)?;
            return Some((raw.next()?.to_string_lossy().into_owned(), from));
        }
        let value = self.file.get(name).filter(|v| !v.is_null())?;
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let is_path = SETTINGS.iter().any(|s| s.name == name && s.is_path);
        let text = if is_path {
            let beside = self.loaded.folder().join(text);
            beside.to_string_lossy().into_owned()
        } else {
            text
        };
        Some((text, Origin::File))
    }

    /// A wish, as it was written.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        Some(self.find(name)?.0)
    }

    /// A file or folder.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// A number, or a yes or no.
    pub(crate) fn value<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
        &self,
        name: &str,
    ) -> anyhow::Result<Option<T>> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let value = text.parse();
        Ok(Some(value.with_context(|| format!("{name} = {text}"))?))
    }

    /// Whether something was said with yes.
    pub(crate) fn flag(&self, name: &str) -> anyhow::Result<bool> {
        Ok(self.value(name)?.unwrap_or(false))
    }

    /// A line for each setting: its value and where it came from. `origin` is the one in force: the folder of
    /// data has one.
    pub(crate) fn shown(&self, origin: &str, lang: Lang) -> Vec<String> {
        let line = |s: &Setting| {
            let (value, origin) = match self.find(s.name) {
                None if s.name == "origin" => {
                    let place = if self.text("data").is_some() {
                        "server.json"
                    } else {
                        "bind"
                    };
                    (origin.to_owned(), place.to_owned())
                }
                None => ((s.default)(), say(lang, "既定値", "default")),
                Some((value, from)) => {
                    let origin = match from {
                        Origin::Flag => format!("--{}", s.name),
                        Origin::Environment => variable(s.name),
                        Origin::File => self.place(s.name),
                    };
                    (value, origin)
                }
            };
            // An address may have a password.
            let value = match s.name {
                "db" if has_password(&value) => say(lang, "(表示しません)", "(not shown)"),
                _ => value,
            };
            format!("{:<13} = {value} ({origin})", s.name)
        };
        SETTINGS.iter().map(line).collect()
    }

    fn place(&self, name: &str) -> String {
        let path = self.loaded.path.as_ref();
        let path = path.map_or_else(String::new, |p| p.display().to_string());
        match self.loaded.line_of("serve", name) {
            Some(line) => format!("{path}:{line}"),
            None => path,
        }
    }
}

fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || rest.contains("password=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_a_flag_a_key_and_a_variable() {
        let command = crate::serve::command(Lang::En);
        let keys = serde_json::to_value(crate::config::Serve::default()).unwrap_or_default();
        let keys: Vec<&String> = keys
            .as_object()
            .into_iter()
            .flat_map(|k| k.keys())
            .collect();
        assert_eq!(keys.len(), SETTINGS.len());
        for setting in SETTINGS {
            assert!(keys.iter().any(|k| *k == setting.name), "{}", setting.name);
            let arg = command.get_arguments().find(|a| a.get_id() == setting.name);
            let variable = arg.and_then(|a| a.get_env()).and_then(|v| v.to_str());
            assert_eq!(variable, Some(super::variable(setting.name).as_str()));
        }
        // Nor is there a flag of the server that is none of them.
        // `card-double` stands in for a citizen's card: it is asked for by hand each time.
        let beside = ["ig", "check-config", "card-double", "help"];
        for arg in command.get_arguments() {
            let name = arg.get_id().as_str();
            let known = SETTINGS.iter().any(|s| s.name == name) || beside.contains(&name);
            assert!(known, "{name}");
        }
    }
}
