//! Settings of the page: what is kept in localStorage (never content) and what the engine gets.

use std::fmt::Write as _;

use crate::json::{Value, quote};

/// Language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// 日本語
    #[default]
    Ja,
    /// English
    En,
}

/// A setting that is one of a few words.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }
        impl $name {
            /// All words, in the order shown.
            pub const WORDS: &'static [&'static str] = &[$($word),+];
            /// The word it is stored under.
            pub const fn word(self) -> &'static str { match self { $(Self::$variant => $word),+ } }
            /// From the word it is stored under.
            pub fn of(word: &str) -> Option<Self> { match word { $($word => Some(Self::$variant),)+ _ => None } }
        }
    };
}

choice! {
    /// Shape of the output.
    Output {
        /// FHIR Bundle
        #[default] Bundle = "bundle",
        /// One resource per line
        Ndjson = "ndjson",
        /// 6情報 as JP-CLINS shapes them
        Clins = "clins",
    }
}
choice! {
    /// Type of the Bundle.
    BundleType {
        /// To be sent to a server
        #[default] Transaction = "transaction",
        /// Resources only
        Collection = "collection",
    }
}
choice! {
    /// What one output holds.
    Per {
        /// One message
        #[default] Message = "message",
        /// All of a patient's files
        Patient = "patient",
    }
}
choice! {
    /// How resource ids are made.
    Ids {
        /// HMAC, no patient number in ids
        #[default] Keyed = "keyed",
        /// Readable keys
        Readable = "readable",
    }
}
choice! {
    /// Charset of the input.
    CharsetChoice {
        /// From the bytes and MSH-18
        #[default] Auto = "auto",
        /// ISO-2022-JP
        Jis = "iso-2022-jp",
        /// UTF-8
        Utf8 = "utf-8",
        /// CP932
        Cp932 = "cp932",
        /// EUC-JP
        Euc = "euc-jp",
    }
}
choice! {
    /// Rules that messages are checked by, beside those of the conversion.
    Rules {
        /// Those of the standard
        #[default] Standard = "ssmix2-1.2g",
        /// And those of the National Hospital Organization
        Nho = "nho",
        /// And what is doubtful
        Strict = "strict",
        /// None
        Off = "off",
    }
}
choice! {
    /// Colours.
    Theme {
        /// As the system says
        #[default] Auto = "auto",
        /// Light
        Light = "light",
        /// Dark
        Dark = "dark",
    }
}
choice! {
    /// Size of text.
    Size {
        /// 13 px
        Small = "small",
        /// 14 px
        #[default] Medium = "medium",
        /// 17 px
        Large = "large",
    }
}

impl Lang {
    /// `ja` or `en`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    /// From `ja` or `en`.
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "ja" => Some(Self::Ja),
            "en" => Some(Self::En),
            _ => None,
        }
    }
}

impl Size {
    /// Height of a row in px.
    pub const fn row_px(self) -> i32 {
        match self {
            Self::Small => 24,
            Self::Medium => 28,
            Self::Large => 34,
        }
    }

    /// Width of a half-width cell of the fixed font in px.
    pub const fn cell_px(self) -> f64 {
        match self {
            Self::Small => 6.5,
            Self::Medium => 7.0,
            Self::Large => 8.5,
        }
    }
}

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Output.
    pub to: Output,
    /// Bundle type.
    pub bundle: BundleType,
    /// Per message or patient.
    pub per: Per,
    /// Ids.
    pub ids: Ids,
    /// Institution's 10-digit number, may be empty.
    pub institution: String,
    /// Whether doubtful input is refused.
    pub strict: bool,
    /// Charset.
    pub charset: CharsetChoice,
    /// Rules of the check.
    pub rules: Rules,
    /// Language.
    pub lang: Lang,
    /// Theme.
    pub theme: Theme,
    /// Text size.
    pub size: Size,
    /// Whether single letters are keys.
    pub letters: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            to: Output::default(),
            bundle: BundleType::default(),
            per: Per::default(),
            ids: Ids::default(),
            institution: String::new(),
            strict: false,
            charset: CharsetChoice::default(),
            rules: Rules::default(),
            lang: Lang::default(),
            theme: Theme::default(),
            size: Size::default(),
            letters: true,
        }
    }
}

impl Settings {
    /// Reads stored settings; what is absent or unknown keeps its default.
    pub fn read(v: Value<'_>) -> Self {
        let d = Self::default();
        let word = |key: &str| v.get(key).string();
        Self {
            to: Output::of(&word("to")).unwrap_or(d.to),
            bundle: BundleType::of(&word("bundle")).unwrap_or(d.bundle),
            per: Per::of(&word("per")).unwrap_or(d.per),
            ids: Ids::of(&word("ids")).unwrap_or(d.ids),
            institution: digits(&word("institution")),
            strict: v.get("strict").flag().unwrap_or(d.strict),
            charset: CharsetChoice::of(&word("charset")).unwrap_or(d.charset),
            rules: Rules::of(&word("rules")).unwrap_or(d.rules),
            lang: Lang::of(&word("lang")).unwrap_or(d.lang),
            theme: Theme::of(&word("theme")).unwrap_or(d.theme),
            size: Size::of(&word("size")).unwrap_or(d.size),
            letters: v.get("letters").flag().unwrap_or(d.letters),
        }
    }

    /// Writes all settings as JSON.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        self.convert_members(&mut out, true);
        let _ = write!(
            out,
            ",\"charset\":\"{}\",\"rules\":\"{}\",\"lang\":\"{}\",\"theme\":\"{}\",\"size\":\"{}\",\"letters\":{}}}",
            self.charset.word(),
            self.rules.word(),
            self.lang.word(),
            self.theme.word(),
            self.size.word(),
            self.letters
        );
        out
    }

    /// Half a number is kept while it is being typed, but not given to the engine.
    fn convert_members(&self, out: &mut String, stored: bool) {
        let _ = write!(
            out,
            "\"to\":\"{}\",\"bundle\":\"{}\",\"per\":\"{}\",\"ids\":\"{}\",\"strict\":{}",
            self.to.word(),
            self.bundle.word(),
            self.per.word(),
            self.ids.word(),
            self.strict
        );
        if !self.institution.is_empty() && (stored || self.institution.len() == 10) {
            out.push_str(",\"institution\":");
            quote(&self.institution, out);
        }
    }

    /// Options for the engine. Values are shown in findings, since they stay on this machine.
    pub fn engine_options(&self, trace: bool) -> String {
        let mut out = String::from("{");
        self.convert_members(&mut out, false);
        let _ = write!(
            out,
            ",\"trace\":{trace},\"lang\":\"{}\",\"positions\":\"utf16\",\"showValues\":true,\"charset\":\"{}\"}}",
            self.lang.word(),
            self.charset.word()
        );
        out
    }

    /// Whether one output holds all files of a patient.
    pub fn by_patient(&self) -> bool {
        self.per == Per::Patient || self.to == Output::Clins
    }

    /// The same, but for the parts that change only how the page looks.
    pub fn same_result(&self, other: &Self) -> bool {
        self.engine_options(true) == other.engine_options(true)
    }
}

/// An institution number: at most ten ASCII digits.
pub fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    #[test]
    fn settings_survive_storage() {
        let s = Settings {
            to: Output::Ndjson,
            per: Per::Patient,
            institution: "1310000001".into(),
            lang: Lang::En,
            size: Size::Large,
            rules: Rules::Nho,
            letters: false,
            ..Settings::default()
        };
        let j = Json::parse(s.to_json().into_bytes()).unwrap();
        assert_eq!(Settings::read(j.root()), s);
    }

    #[test]
    fn strange_settings_become_defaults() {
        let j = Json::parse(
            br#"{"to":"exe","institution":"13<b>1","theme":7,"letters":"no"}"#.to_vec(),
        )
        .unwrap();
        let s = Settings::read(j.root());
        assert_eq!(
            s,
            Settings {
                institution: "131".into(),
                ..Settings::default()
            }
        );
    }

    #[test]
    fn the_engine_gets_options_it_knows() {
        let j = Json::parse(Settings::default().engine_options(true).into_bytes()).unwrap();
        assert_eq!(j.root().get("trace").flag(), Some(true));
        assert_eq!(j.root().get("institution").text(), None);
        assert_eq!(j.root().get("positions").string(), "utf16");
        assert!(j.root().get("theme").at().is_none());
        assert!(Settings::default().same_result(&Settings {
            theme: Theme::Dark,
            ..Settings::default()
        }));
    }
}
