//! What is shown before signing: templates filled from the claims, hashed as shown (consent.md §5).

use crate::annex::Annex;
use crate::b64;
use crate::claims::Typ;
use crate::date::Date;
use crate::hash::sha256_text;
use crate::json::Value;
use crate::nfc::nfc;
use crate::policy::{Bits, Match, Policy};
use crate::reason::{Lang, Reason};

/// The obligation not to pass it on without the person's consent.
const NO_ONWARD: &str = "NORDSCLCD";

/// Templates by language and version; a version that was ever signed stays.
const TEXTS: &[(Lang, u64, &str)] = &[
    (Lang::Ja, 1, include_str!("../texts/ja.txt")),
    (Lang::JaEasy, 1, include_str!("../texts/ja-easy.txt")),
    (Lang::En, 1, include_str!("../texts/en.txt")),
];

/// The newest version of the templates. Versions count texts and the table of categories (§4.2): one
/// that changed nothing in a text shows the templates before it.
pub const TEXT_VERSION: u64 = 1;

/// The file of templates of a language and version, as it is.
pub fn templates(lang: Lang, version: u64) -> Option<&'static str> {
    Texts::find(lang, version).map(|t| t.0)
}

/// A facility's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facility {
    /// `mi:…` and so on.
    pub code: String,
    /// Japanese name.
    pub ja: String,
    /// English name; empty if there is none.
    pub en: String,
}

/// The master of facilities that names are taken from, never from a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Master {
    /// Its version: `txt.m`.
    pub version: u64,
    /// Whom to ask, shown at the end of every text.
    pub contact: String,
    facilities: warifu_order::Map<String, Facility>,
}

impl Master {
    /// A master of these facilities. A facility whose name could be read as anything but a name (empty,
    /// over 200 characters, with control or directional characters) is left out, so that no text can
    /// be made or accepted that shows it; such a contact is empty.
    pub fn new(version: u64, contact: &str, facilities: Vec<Facility>) -> Self {
        Self {
            version,
            contact: Some(contact)
                .filter(|c| is_plain(c))
                .unwrap_or_default()
                .to_owned(),
            facilities: facilities
                .into_iter()
                .filter(|f| is_plain(&f.ja) && (f.en.is_empty() || is_plain(&f.en)))
                .map(|f| (f.code.clone(), f))
                .collect(),
        }
    }

    /// From JSON: `{"v":1,"version":…,"contact":…,"facilities":[{"code","ja","en"}…]}`.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let value = crate::json::read(bytes, 4).ok()?;
        let text = |v: &Value, key: &str| v.get(key).and_then(Value::text).map(str::to_owned);
        let facilities = value
            .get("facilities")?
            .items()
            .iter()
            .map(|f| {
                Some(Facility {
                    code: text(f, "code")?,
                    ja: text(f, "ja")?,
                    en: text(f, "en").unwrap_or_default(),
                })
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self::new(
            value.get("version")?.int()?,
            &text(&value, "contact")?,
            facilities,
        ))
    }

    /// Name of a facility in a language.
    pub fn name(&self, code: &str, lang: Lang) -> Option<&str> {
        let f = self.facilities.get(code)?;
        Some(if lang == Lang::En && !f.en.is_empty() {
            &f.en
        } else {
            &f.ja
        })
    }

    /// Codes of all facilities, sorted.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.facilities.keys().map(String::as_str)
    }

    /// Whether the facility is in the master.
    pub fn has(&self, code: &str) -> bool {
        self.facilities.contains_key(code)
    }
}

/// Whether a name shows as the one line it is: no line feed that would begin a section of the text, no
/// control, directional, joining or private character that would hide or turn a part of it.
fn is_plain(name: &str) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c,
                '\u{ad}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    !name.trim().is_empty()
        && name.chars().count() <= MOST_NAME
        && !name.starts_with(['#', '-', '['])
        && !name.chars().any(hidden)
}

/// Most characters of a name.
const MOST_NAME: usize = 200;

/// Templates of one language and version.
#[derive(Clone, Copy)]
struct Texts(&'static str);

impl Texts {
    fn find(lang: Lang, version: u64) -> Option<Self> {
        TEXTS
            .iter()
            .filter(|(l, v, _)| *l == lang && *v <= version)
            .max_by_key(|(_, v, _)| *v)
            .map(|(_, _, text)| Self(text))
    }

    /// Body under `[key]`, without its last line feed.
    fn get(self, key: &str) -> Option<&'static str> {
        let mut rest = self.0;
        loop {
            let at = rest.find("\n[")?;
            rest = rest.get(at + 2..)?;
            let end = rest.find("]\n")?;
            if rest.get(..end)? == key {
                let body = rest.get(end + 2..)?;
                let stop = body.find("\n[").unwrap_or_else(|| body.trim_end().len());
                return body.get(..stop);
            }
        }
    }

    fn word(self, key: &str) -> Result<&'static str, Reason> {
        self.get(&format!("word.{key}")).ok_or(Reason::TextUnknown)
    }

    fn words(self, key: &str, a: &str) -> Result<String, Reason> {
        Ok(self.word(key)?.replace("{a}", a))
    }
}

/// Which template family a token's text must come from: `txt.id`.
///
/// # Errors
/// `TEXT_UNKNOWN` where purposes of several families are mixed, or a purpose has none.
pub fn family(policy: &Policy, typ: Typ, claims: &Value) -> Result<String, Reason> {
    match typ {
        Typ::Grant => {
            let mut families = claims
                .get("pur")
                .map(|p| p.texts().map(|p| policy.family(p)).collect::<Vec<_>>())
                .unwrap_or_default();
            families.dedup();
            let [Some(family)] = families.as_slice() else {
                return Err(Reason::TextUnknown);
            };
            let individual = claims
                .get("cat")
                .and_then(|c| policy.category_set(c.texts()))
                .is_some_and(|c| c.meets(policy.individual()));
            Ok(if individual {
                format!("indiv-{family}")
            } else {
                (*family).to_owned()
            })
        }
        Typ::Deny if claims.get("emg").is_some_and(Value::is_true) => Ok("emg-refuse".to_owned()),
        Typ::Deny => Ok("deny".to_owned()),
        Typ::Objection if claims.get("state").and_then(Value::text) == Some("on") => {
            Ok("objection-on".to_owned())
        }
        Typ::Objection => Ok("objection-off".to_owned()),
        Typ::Revoke => Ok("undeny".to_owned()),
        _ => Err(Reason::TextUnknown),
    }
}

/// The exact string to show for these claims, by `txt` of the claims: NFC, LF, one final LF.
///
/// `txt.h` is not looked at, so the same call serves before signing and for the check afterwards.
///
/// # Errors
/// `TEXT_UNKNOWN`: no such template, version, language, master version or name.
pub fn render(
    policy: &Policy,
    master: &Master,
    typ: Typ,
    claims: &Value,
    annex: Option<&Annex>,
) -> Result<String, Reason> {
    let shown = claims.get("txt").ok_or(Reason::TextUnknown)?;
    let text = |key: &str| shown.get(key).and_then(Value::text);
    let int = |key: &str| shown.get(key).and_then(Value::int);
    let lang = text("lang")
        .and_then(Lang::from_name)
        .ok_or(Reason::TextUnknown)?;
    let texts = int("ver")
        .filter(|v| *v <= policy.texts)
        .and_then(|v| Texts::find(lang, v))
        .ok_or(Reason::TextUnknown)?;
    let id = family(policy, typ, claims)?;
    if text("id") != Some(&id) || int("m") != Some(master.version) {
        return Err(Reason::TextUnknown);
    }
    let page = Page {
        policy,
        master,
        claims,
        annex,
        lang,
        texts,
    };
    let (template, purpose) = match typ {
        Typ::Grant => ("grant", Some(id.strip_prefix("indiv-").unwrap_or(&id))),
        _ => (id.as_str(), None),
    };
    let template = texts.get(template).ok_or(Reason::TextUnknown)?;
    let mut out = String::with_capacity(template.len() * 2);
    for line in template.lines() {
        let mut rest = line;
        let mut filled = String::new();
        while let Some((before, slot)) = rest.split_once('{') {
            let (slot, after) = slot.split_once('}').ok_or(Reason::TextUnknown)?;
            filled.push_str(before);
            filled.push_str(&page.slot(slot, purpose, id.starts_with("indiv-"))?);
            rest = after;
        }
        filled.push_str(rest);
        // A slot that has nothing to say takes its line with it.
        if !filled.is_empty() {
            out.push_str(&filled);
            out.push('\n');
        }
    }
    Ok(nfc(&out))
}

/// Hash of what was shown: `txt.h`. The salt is the annex's, or `jti` where there is no annex.
pub fn text_hash(salt: &[u8; 16], rendered: &str) -> String {
    sha256_text(&[salt, rendered.as_bytes()])
}

/// Salt of the text's hash for this token.
pub fn text_salt(claims: &Value, annex: Option<&Annex>) -> Option<[u8; 16]> {
    match annex {
        Some(annex) => Some(annex.salt),
        None => b64::decode_array(claims.get("jti")?.text()?),
    }
}

struct Page<'a> {
    policy: &'a Policy,
    master: &'a Master,
    claims: &'a Value,
    annex: Option<&'a Annex>,
    lang: Lang,
    texts: Texts,
}

impl Page<'_> {
    fn slot(&self, slot: &str, purpose: Option<&str>, individual: bool) -> Result<String, Reason> {
        let t = self.texts;
        let fixed = |key: &str| {
            let key = format!("{}.{key}", purpose.unwrap_or_default());
            t.get(&key).map(str::to_owned).ok_or(Reason::TextUnknown)
        };
        let int = |key: &str| self.claims.get(key).and_then(Value::int);
        Ok(match slot {
            "title" | "why" | "refuse" => fixed(slot)?,
            "indiv" if individual => t.get("indiv").unwrap_or_default().to_owned(),
            "documents" if self.has_documents()? => {
                t.get("documents").ok_or(Reason::TextUnknown)?.to_owned()
            }
            "indiv" | "documents" => String::new(),
            "recipients" => {
                let codes = self.claims.get("aud").or_else(|| self.claims.get("to"));
                self.facilities(codes, "all-recipients")?
            }
            "sources" => self.facilities(self.claims.get("src"), "all-sources")?,
            "purposes" => {
                let codes = self.claims.get("pur").ok_or(Reason::TextUnknown)?;
                let names = codes.texts().map(|code| {
                    if code == "*" {
                        return t.word("all-purposes");
                    }
                    let purpose = self.policy.purpose(code).ok_or(Reason::TextUnknown)?;
                    let named = self.policy.purpose_named(purpose);
                    Ok(named.ok_or(Reason::TextUnknown)?.name(self.lang))
                });
                list(&names.collect::<Result<Vec<_>, _>>()?, t)?
            }
            "visible" => {
                let cats = self.cats()?;
                list(
                    &self.names(if self.is_deny() {
                        self.rest(cats)
                    } else {
                        cats
                    }),
                    t,
                )?
            }
            "hidden" => self.hidden()?,
            "window" => self.window()?,
            "from" => moment(int("nbf").unwrap_or(0)),
            "until" => match int("exp") {
                Some(exp) => moment(exp),
                None => t.word("no-end")?.to_owned(),
            },
            "recorded" => match self.claims.get("rec").and_then(|r| r.get("to")?.int()) {
                Some(to) => t.words("recorded", &moment(to))?,
                None => t.word("recorded-all")?.to_owned(),
            },
            "obligations" => {
                let codes = self
                    .claims
                    .get("obl")
                    .map(|o| o.texts().collect::<Vec<_>>());
                // What the next sentence allows, this one would forbid.
                let onward = self.claims.get("dlg").is_some();
                let codes = codes.unwrap_or_default().into_iter();
                let said = codes.filter(|c| !(onward && *c == NO_ONWARD));
                let lines = said.map(|c| t.word(c));
                lines.collect::<Result<Vec<_>, _>>()?.join("\n")
            }
            "erase" => match int("del") {
                Some(del) => t.words("erase", &moment(del))?,
                None => String::new(),
            },
            "uses" => match self.claims.get("use").and_then(|u| u.get("max")?.int()) {
                Some(max) => t.words("uses", &max.to_string())?,
                None => String::new(),
            },
            "onward" => {
                let bound = self
                    .claims
                    .get("obl")
                    .is_some_and(|o| o.texts().any(|c| c == NO_ONWARD));
                if self.claims.get("dlg").is_some() {
                    t.word("onward")?.to_owned()
                } else if bound {
                    // The obligation says it, and how far.
                    String::new()
                } else {
                    t.word("no-onward")?.to_owned()
                }
            }
            "emergency" => {
                let emg = self.claims.get("emg").is_some_and(Value::is_true);
                t.word(if emg { "emg-true" } else { "emg-false" })?
                    .to_owned()
            }
            "target" => {
                let target = self.claims.get("rev").and_then(Value::text);
                target.unwrap_or_default().to_owned()
            }
            "contact" => self.master.contact.clone(),
            "signer" => {
                let rel = self.claims.get("act").and_then(|a| a.get("rel")?.text());
                let by = self.claims.get("by").and_then(Value::text);
                t.word(rel.or(by).unwrap_or("self"))?.to_owned()
            }
            _ => return Err(Reason::TextUnknown),
        })
    }

    fn is_deny(&self) -> bool {
        self.claims.get("emg").is_some()
    }

    fn cats(&self) -> Result<Bits, Reason> {
        let codes = self.claims.get("cat").ok_or(Reason::TextUnknown)?;
        self.policy
            .category_set(codes.texts())
            .ok_or(Reason::TextUnknown)
    }

    /// Whether a document may be seen, with what is in it.
    fn has_documents(&self) -> Result<bool, Reason> {
        let cats = self.cats()?;
        let of_documents = |m: &&Match| m.types.iter().any(|t| t == "Composition");
        let mut rows = self.policy.matches.iter().filter(of_documents);
        Ok(rows.any(|m| m.cats.meets(cats)))
    }

    fn rest(&self, cats: Bits) -> Bits {
        Bits(self.policy.all_categories().0 & !cats.0)
    }

    fn names(&self, cats: Bits) -> Vec<&str> {
        cats.places()
            .filter_map(|p| self.policy.categories().get(usize::from(p)))
            .map(|c| c.name(self.lang))
            .collect()
    }

    /// Names of facilities; `all` is the word for every one.
    fn facilities(&self, codes: Option<&Value>, all: &str) -> Result<String, Reason> {
        let codes = codes.ok_or(Reason::TextUnknown)?;
        let names = codes.texts().map(|code| match code {
            "*" => self.texts.word(all),
            "mi:*" => self.texts.word("all-institutions"),
            code => self.master.name(code, self.lang).ok_or(Reason::TextUnknown),
        });
        list(&names.collect::<Result<Vec<_>, _>>()?, self.texts)
    }

    /// Categories not granted, then what the annex takes out of those that are.
    fn hidden(&self) -> Result<String, Reason> {
        let t = self.texts;
        let cats = self.cats()?;
        let shut = if self.is_deny() {
            cats
        } else {
            self.rest(cats)
        };
        let mut lines: Vec<String> = self.names(shut).into_iter().map(str::to_owned).collect();
        if let Some(annex) = self.annex {
            for src in &annex.src {
                let name = self
                    .master
                    .name(src, self.lang)
                    .ok_or(Reason::TextUnknown)?;
                lines.push(t.words("excluded-facility", name)?);
            }
            for label in &annex.lbl {
                let place = self.policy.label(label).ok_or(Reason::TextUnknown)?;
                let named = self.policy.labels().get(usize::from(place));
                let name = named.ok_or(Reason::TextUnknown)?.name(self.lang);
                lines.push(t.words("excluded-label", name)?);
            }
            if !annex.res.is_empty() {
                lines.push(t.words("excluded-items", &annex.res.len().to_string())?);
            }
            if !annex.wid.is_empty() {
                lines.push(t.words("excluded-visits", &annex.wid.len().to_string())?);
            }
        }
        list(&lines.iter().map(String::as_str).collect::<Vec<_>>(), t)
    }

    fn window(&self) -> Result<String, Reason> {
        let t = self.texts;
        let date = |key: &str| self.claims.get("dat").and_then(|d| d.get(key)?.text());
        if date("from").is_none() && date("to").is_none() {
            return Ok(t.word("window-all")?.to_owned());
        }
        let a = date("from").map_or_else(|| t.word("open-start"), Ok)?;
        let b = date("to").map_or_else(|| t.word("open-end"), Ok)?;
        Ok(t.word("window")?.replace("{a}", a).replace("{b}", b))
    }
}

/// `2026-09-21 22:13`, in Tokyo.
pub(crate) fn moment(unix: u64) -> String {
    let minutes = unix.saturating_add(9 * 3600) / 60 % 1440;
    format!("{} {:02}:{:02}", Date::at(unix), minutes / 60, minutes % 60)
}

/// A list is always rendered, the empty one too.
fn list(names: &[&str], texts: Texts) -> Result<String, Reason> {
    if names.is_empty() {
        return Ok(texts.word("none")?.to_owned());
    }
    let lines: Vec<String> = names.iter().map(|n| format!("- {n}")).collect();
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_be_read_as_more_is_no_name() {
        let named = |ja: &str, en: &str| {
            let facility = Facility {
                code: "mi:1312345678".to_owned(),
                ja: ja.to_owned(),
                en: en.to_owned(),
            };
            Master::new(1, "", vec![facility]).has("mi:1312345678")
        };
        assert!(named("架空割符診療所（本院）", "Kaku Warifu Clinic - Main"));
        for bad in [
            "悪意\n## 見せるもの",
            "# 見出し",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{2066}b",
            " ",
        ] {
            assert!(!named(bad, ""), "{bad:?}");
            assert!(!named("架空", bad), "{bad:?}");
        }
        assert!(!named("", "") && !named(&"あ".repeat(201), ""));
    }

    #[test]
    fn the_three_languages_have_the_same_templates_and_slots() {
        let keys = |text: &str| {
            let mut keys: Vec<String> = text
                .lines()
                .filter_map(|l| l.strip_prefix('[')?.strip_suffix(']'))
                .map(str::to_owned)
                .collect();
            keys.sort();
            keys
        };
        let slots = |body: &str| {
            let mut found: Vec<String> = body
                .split('{')
                .skip(1)
                .filter_map(|s| Some(s.split_once('}')?.0.to_owned()))
                .collect();
            found.sort();
            found
        };
        let [ja, rest @ ..] = TEXTS else { panic!() };
        for (lang, _, text) in rest {
            assert_eq!(keys(ja.2), keys(text), "{}", lang.name());
            for key in keys(text) {
                let (a, b) = (
                    Texts(ja.2).get(&key).unwrap(),
                    Texts(text).get(&key).unwrap(),
                );
                assert_eq!(slots(a), slots(b), "{} {key}", lang.name());
                assert!(!b.is_empty() && !b.ends_with('\n'), "{} {key}", lang.name());
            }
        }
        let policy = Policy::reference().unwrap();
        for purpose in policy.purposes() {
            if let Some(family) = policy.family(&purpose.code) {
                for part in ["title", "why", "refuse"] {
                    assert!(
                        Texts(ja.2).get(&format!("{family}.{part}")).is_some(),
                        "{family}"
                    );
                }
            }
        }
    }
}
