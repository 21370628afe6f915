//! Arguments with their help in the language of the run.

use std::path::PathBuf;

use clap::{Arg, ArgAction};
use warifu_report::Lang;

use crate::say;

/// Makes arguments in one language.
#[derive(Clone, Copy)]
pub(crate) struct Words(pub(crate) Lang);

impl Words {
    /// One of two texts.
    pub(crate) fn text(self, ja: &str, en: &str) -> String {
        say(self.0, ja, en)
    }

    /// `--name SHOWN`
    pub(crate) fn value(self, name: &'static str, shown: &'static str, ja: &str, en: &str) -> Arg {
        let help = self.text(ja, en);
        Arg::new(name).long(name).value_name(shown).help(help)
    }

    /// `--name PATH`
    pub(crate) fn file(self, name: &'static str, shown: &'static str, ja: &str, en: &str) -> Arg {
        let value = self.value(name, shown, ja, en);
        value.value_parser(clap::value_parser!(PathBuf))
    }

    /// `--name A,B`, more than once too.
    pub(crate) fn many(self, name: &'static str, shown: &'static str, ja: &str, en: &str) -> Arg {
        let value = self.value(name, shown, ja, en);
        value.action(ArgAction::Append).value_delimiter(',')
    }

    /// `--name 1`
    pub(crate) fn number(self, name: &'static str, shown: &'static str, ja: &str, en: &str) -> Arg {
        let value = self.value(name, shown, ja, en);
        value.value_parser(clap::value_parser!(u64))
    }

    /// `--name`
    pub(crate) fn flag(self, name: &'static str, ja: &str, en: &str) -> Arg {
        let flag = Arg::new(name).long(name).action(ArgAction::SetTrue);
        flag.help(self.text(ja, en))
    }

    /// The path that a command is about.
    pub(crate) fn first(self, shown: &'static str, ja: &str, en: &str) -> Arg {
        Arg::new("input")
            .value_name(shown)
            .required(true)
            .value_parser(clap::value_parser!(PathBuf))
            .help(self.text(ja, en))
    }
}
