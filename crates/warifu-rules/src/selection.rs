//! Which rules are on, and how bad their findings are: profiles, `select`, `ignore`, `severity`, and
//! overrides by path.
//!
//! A pattern is a code (`ENC107`), a name (`half-width-katakana`) or the beginning of codes (`ENC`, `SSM3`).
//! Of two patterns that match a code the longer one wins, of equally long ones `ignore`. `select` chooses
//! among the rules of the profiles; a whole code or name turns a rule on whatever its profile. Of several
//! overrides that match a path and mention a code the last one wins, of several that name profiles, too.

use std::collections::BTreeMap;

use warifu_diag::nearest::nearest;
use warifu_diag::{Code, Diagnostic, Severity};

use crate::{Options, Profiles, entries};

/// Codes that are errors in the profile `strict` and less without it: there a message of somebody else may
/// be kept apart, here nothing but the right patient will do.
const STRICT_ERRORS: &[&str] = &["SSM103"];

/// The severity of a code when nobody re-grades it.
fn severity_in(profiles: Profiles, code: Code) -> Severity {
    if profiles.strict && STRICT_ERRORS.contains(&code.code) {
        Severity::Error
    } else {
        code.severity
    }
}

/// What a rule's findings become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Nothing: the rule is off.
    Off,
    /// Findings of this severity.
    At(Severity),
}

impl Grade {
    /// `error`, `warning`, `info` or `off`.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "off" => Self::Off,
            "error" => Self::At(Severity::Error),
            "warning" => Self::At(Severity::Warning),
            "info" => Self::At(Severity::Info),
            _ => return None,
        })
    }
}

/// Wishes for some paths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Override {
    /// Globs of paths, see [`glob`].
    pub paths: Vec<String>,
    /// Names of profiles in place of those of the wishes; none keeps these.
    pub profiles: Vec<String>,
    /// Patterns of rules to turn on.
    pub select: Vec<String>,
    /// Patterns of rules to turn off.
    pub ignore: Vec<String>,
    /// Patterns and their grades.
    pub severity: Vec<(String, Grade)>,
}

/// What a user asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wishes {
    /// Names of profiles; none is `ssmix2-1.2g`.
    pub profiles: Vec<String>,
    /// Whether rules that are not settled yet are on.
    pub preview: bool,
    /// Patterns of rules to choose; none chooses all of the profiles.
    pub select: Vec<String>,
    /// Patterns of rules to turn off.
    pub ignore: Vec<String>,
    /// Patterns and their grades.
    pub severity: Vec<(String, Grade)>,
    /// Wishes by path.
    pub overrides: Vec<Override>,
}

/// Why wishes cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectionError {
    /// No code, name or beginning of codes.
    UnknownRule {
        /// `select`, `ignore` or `severity`.
        option: &'static str,
        /// What was given.
        text: String,
        /// The code or name that may have been meant.
        nearest: Option<&'static str>,
    },
    /// No profile of that name.
    UnknownProfile {
        /// What was given.
        text: String,
        /// The name that may have been meant.
        nearest: Option<&'static str>,
    },
}

impl std::fmt::Display for SelectionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, text, nearest) = match self {
            Self::UnknownRule {
                option,
                text,
                nearest,
            } => (format!("{option}: no rule"), text, nearest),
            Self::UnknownProfile { text, nearest } => ("no profile".to_owned(), text, nearest),
        };
        write!(f, "{what} {text}")?;
        match nearest {
            Some(n) => write!(f, ", did you mean {n}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SelectionError {}

/// Names of the profiles of rules.
pub const PROFILES: [&str; 3] = ["ssmix2-1.2g", "nho", "strict"];

/// Length of a whole code.
const WHOLE: usize = 6;

/// A code, or the beginning of codes, in capitals.
type Pattern = String;

fn pattern(all: &[Code], option: &'static str, text: &str) -> Result<Pattern, SelectionError> {
    let text = text.trim();
    let own = |e: &&Code| e.code.eq_ignore_ascii_case(text) || e.name.eq_ignore_ascii_case(text);
    if let Some(e) = all.iter().find(own) {
        return Ok(e.code.to_owned());
    }
    let upper = text.to_uppercase();
    if !upper.is_empty() && all.iter().any(|e| e.code.starts_with(&upper)) {
        return Ok(upper);
    }
    // Who writes a family means one.
    let families = || all.iter().filter_map(|e| e.code.get(..3));
    let family = (upper.chars().count() <= 4).then(|| nearest(&upper, families()));
    let close = family
        .flatten()
        .or_else(|| nearest(&upper, all.iter().map(|e| e.code)))
        .or_else(|| nearest(&text.to_lowercase(), all.iter().map(|e| e.name)));
    Err(SelectionError::UnknownRule {
        option,
        text: text.to_owned(),
        nearest: close,
    })
}

fn patterns(
    all: &[Code],
    option: &'static str,
    texts: &[String],
) -> Result<Vec<Pattern>, SelectionError> {
    texts.iter().map(|t| pattern(all, option, t)).collect()
}

/// Length of the longest pattern that matches.
fn longest(patterns: &[Pattern], code: Code) -> Option<usize> {
    patterns
        .iter()
        .filter(|p| code.code.starts_with(p.as_str()))
        .map(String::len)
        .max()
}

fn grades(all: &[Code], list: &[(String, Grade)]) -> Result<Vec<(Pattern, Grade)>, SelectionError> {
    list.iter()
        .map(|(text, grade)| Ok((pattern(all, "severity", text)?, *grade)))
        .collect()
}

/// The grade of the longest pattern that matches; of equally long ones the last.
fn grade(list: &[(Pattern, Grade)], code: Code) -> Option<Grade> {
    list.iter()
        .filter(|(p, _)| code.code.starts_with(p.as_str()))
        .max_by_key(|(p, _)| p.len())
        .map(|(_, g)| *g)
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Compiled {
    paths: Vec<String>,
    base: Option<Base>,
    select: Vec<Pattern>,
    ignore: Vec<Pattern>,
    severity: Vec<(Pattern, Grade)>,
}

impl Compiled {
    fn matches(&self, path: &str) -> bool {
        self.paths.iter().any(|p| glob(p, path))
    }
    /// Whether the override turns the code on or off.
    fn switch(&self, code: Code) -> Option<bool> {
        match (longest(&self.select, code), longest(&self.ignore, code)) {
            (None, None) => None,
            (on, off) => Some(on > off),
        }
    }
}

/// What some profiles turn on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Base {
    profiles: Profiles,
    /// Severity of the codes that are on, without overrides.
    on: BTreeMap<&'static str, Severity>,
}

/// The rules that are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// What was asked for, and more for single rules and by path.
    options: Options,
    base: Base,
    severity: Vec<(Pattern, Grade)>,
    overrides: Vec<Compiled>,
}

/// The profiles of these names.
fn profiles_of(names: &[String]) -> Result<Profiles, SelectionError> {
    let mut profiles = Profiles::default();
    for name in names {
        match name.as_str() {
            "ssmix2-1.2g" => {}
            "nho" => profiles.nho = true,
            "strict" => profiles.strict = true,
            other => {
                return Err(SelectionError::UnknownProfile {
                    text: other.to_owned(),
                    nearest: nearest(other, PROFILES.into_iter()),
                });
            }
        }
    }
    Ok(profiles)
}

/// Wishes without paths.
struct Chosen<'a> {
    all: &'a [Code],
    preview: bool,
    select: Vec<Pattern>,
    ignore: Vec<Pattern>,
    severity: Vec<(Pattern, Grade)>,
}

impl Chosen<'_> {
    /// What they leave of profiles.
    fn base(&self, profiles: Profiles) -> Base {
        let options = Options {
            profiles,
            preview: self.preview,
        };
        let mut on = BTreeMap::new();
        for code in self.all.iter().copied() {
            let chosen = longest(&self.select, code);
            let wanted = match chosen {
                Some(n) => n >= WHOLE || options.has(code),
                None => self.select.is_empty() && options.has(code),
            };
            let ignored =
                longest(&self.ignore, code).is_some_and(|n| chosen.is_none_or(|c| n >= c));
            if !wanted || ignored {
                continue;
            }
            match grade(&self.severity, code) {
                Some(Grade::Off) => {}
                Some(Grade::At(s)) => {
                    on.insert(code.code, s);
                }
                None => {
                    on.insert(code.code, severity_in(profiles, code));
                }
            }
        }
        Base { profiles, on }
    }
}

impl Selection {
    /// Understands wishes about all codes, those of [`entries`].
    ///
    /// # Errors
    /// [`SelectionError`] for the first pattern or profile that does not exist.
    pub fn new(wishes: &Wishes) -> Result<Self, SelectionError> {
        Self::among(wishes, &entries().collect::<Vec<_>>())
    }

    /// Understands wishes about some codes, for who finds no others.
    ///
    /// # Errors
    /// [`SelectionError`] for the first pattern or profile that does not exist.
    pub fn among(wishes: &Wishes, all: &[Code]) -> Result<Self, SelectionError> {
        let chosen = Chosen {
            all,
            preview: wishes.preview,
            select: patterns(all, "select", &wishes.select)?,
            ignore: patterns(all, "ignore", &wishes.ignore)?,
            severity: grades(all, &wishes.severity)?,
        };
        let base = chosen.base(profiles_of(&wishes.profiles)?);
        let overrides = wishes
            .overrides
            .iter()
            .map(|o| {
                let own = !o.profiles.is_empty();
                Ok(Compiled {
                    paths: o.paths.clone(),
                    base: own
                        .then(|| profiles_of(&o.profiles).map(|p| chosen.base(p)))
                        .transpose()?,
                    select: patterns(all, "select", &o.select)?,
                    ignore: patterns(all, "ignore", &o.ignore)?,
                    severity: grades(all, &o.severity)?,
                })
            })
            .collect::<Result<Vec<Compiled>, SelectionError>>()?;
        let mut options = Options {
            profiles: base.profiles,
            preview: wishes.preview,
        };
        let bases = || overrides.iter().filter_map(|o| o.base.as_ref());
        for code in all.iter().copied() {
            let by_path = overrides
                .iter()
                .any(|o| longest(&o.select, code).is_some_and(|n| n >= WHOLE));
            let on = bases().chain([&base]).any(|b| b.on.contains_key(code.code));
            if on || by_path {
                options.profiles.nho |= code.profile == warifu_diag::Profile::Nho;
                options.profiles.strict |= code.profile == warifu_diag::Profile::Strict;
                options.preview |= code.status == warifu_diag::Status::Preview;
            }
        }
        Ok(Self {
            options,
            base,
            severity: chosen.severity,
            overrides,
        })
    }

    /// What the checker has to look for: at least everything that is on.
    pub fn options(&self) -> Options {
        self.options
    }

    /// The severity of a code's findings in a file, `None` when the rule is off there.
    pub fn severity(&self, code: Code, path: &str) -> Option<Severity> {
        let own = || self.overrides.iter().filter(|o| o.matches(path));
        let base = own().filter_map(|o| o.base.as_ref()).next_back();
        let base = base.unwrap_or(&self.base);
        let mut result = base.on.get(code.code).copied();
        for o in own() {
            match o.switch(code) {
                Some(true) if result.is_none() => {
                    result = match grade(&self.severity, code) {
                        Some(Grade::At(s)) => Some(s),
                        _ => Some(severity_in(base.profiles, code)),
                    };
                }
                Some(false) => result = None,
                _ => {}
            }
            match grade(&o.severity, code) {
                Some(Grade::Off) => result = None,
                Some(Grade::At(s)) if result.is_some() => result = Some(s),
                _ => {}
            }
        }
        result
    }

    /// Leaves out findings of rules that are off, and grades the others. `path` names the file of a
    /// finding as shown.
    pub fn apply<'p>(&self, found: &mut Vec<Diagnostic>, path: impl Fn(&Diagnostic) -> &'p str) {
        found.retain_mut(|d| match self.severity(d.code, path(d)) {
            Some(s) => {
                d.severity = s;
                true
            }
            None => false,
        });
    }
}

/// Whether a path matches a glob: `**` any folders, `*` within a name, `?` one character; a glob without
/// `/` may match at any depth.
///
/// ```
/// use warifu_rules::selection::glob;
/// assert!(glob("**/OMG-1?/**", "root/000/000/1/20260401/OMG-12/file"));
/// assert!(!glob("*.tmp/x", "a/b.tmp"));
/// ```
pub fn glob(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_start_matches("./");
    let path = path.trim_start_matches("./");
    if pattern.contains('/') {
        return folders(&split(pattern), &split(path));
    }
    path.split('/')
        .any(|part| name(pattern.as_bytes(), part.as_bytes()))
}

/// Whether a glob says what [`glob`] reads: not empty, and without the `[` and `{` of other globs, which would
/// match nothing here.
pub fn is_glob(pattern: &str) -> bool {
    !pattern.trim().is_empty() && !pattern.contains(['[', ']', '{', '}'])
}

fn split(text: &str) -> Vec<&str> {
    text.split('/').collect()
}

/// Matches folder by folder. `reachable[i]` tells whether the patterns so far match the first `i` parts, so
/// that time is patterns × parts.
fn folders(patterns: &[&str], parts: &[&str]) -> bool {
    let mut reachable = vec![false; parts.len() + 1];
    if let Some(first) = reachable.first_mut() {
        *first = true;
    }
    for (n, p) in patterns.iter().enumerate() {
        let mut next = vec![false; parts.len() + 1];
        let last = n + 1 == patterns.len();
        let mut before = false;
        for (i, to) in next.iter_mut().enumerate() {
            let here = reachable.get(i).copied().unwrap_or(false);
            let previous = i.checked_sub(1);
            let before_here = previous
                .and_then(|j| reachable.get(j))
                .copied()
                .unwrap_or(false);
            if *p == "**" {
                // A trailing `**` stands for at least one part.
                before |= before_here;
                *to = before || (here && !last);
            } else {
                let part = previous.and_then(|j| parts.get(j));
                *to = before_here && part.is_some_and(|t| name(p.as_bytes(), t.as_bytes()));
            }
        }
        reachable = next;
    }
    reachable.last().copied().unwrap_or(false)
}

/// Matches a name with `*` and `?`, going back to the last `*` only.
fn name(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), text.get(t)) {
            (Some(b'*'), _) => {
                star = Some((p + 1, t));
                p += 1;
            }
            (Some(b'?'), _) => (p, t) = (p + 1, t + 1),
            (Some(a), Some(b)) if a == b => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((after, at)) => {
                    star = Some((after, at + 1));
                    (p, t) = (after, at + 1);
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .unwrap_or_default()
        .iter()
        .all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup;

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    fn choose(select: &[&str], ignore: &[&str]) -> Selection {
        Selection::new(&Wishes {
            select: strings(select),
            ignore: strings(ignore),
            ..Wishes::default()
        })
        .unwrap()
    }

    fn on(s: &Selection, code: &str) -> bool {
        s.severity(lookup(code).unwrap(), "a/b").is_some()
    }

    #[test]
    fn the_longer_pattern_wins_and_ignore_wins_a_tie() {
        let s = choose(&["ENC", "SSM101"], &["ENC10"]);
        assert!(!on(&s, "ENC107") && on(&s, "ENC112"));
        assert!(on(&s, "SSM101") && !on(&s, "SSM102") && !on(&s, "HL7101"));
        let s = choose(&["ENC107"], &["ENC"]);
        assert!(on(&s, "ENC107") && !on(&s, "ENC112"));
        assert!(!on(
            &choose(&["ENC107"], &["half-width-katakana"]),
            "ENC107"
        ));
        assert!(on(&choose(&[], &["SSM"]), "ENC107"));
    }

    #[test]
    fn the_last_override_that_mentions_a_code_wins() {
        let s = Selection::new(&Wishes {
            ignore: strings(&["ENC112"]),
            severity: vec![("ENC".to_owned(), Grade::At(Severity::Error))],
            overrides: vec![
                Override {
                    paths: strings(&["**/OMG-1?/**"]),
                    ignore: strings(&["ENC"]),
                    ..Override::default()
                },
                Override {
                    paths: strings(&["**/OMG-12/**"]),
                    select: strings(&["ENC107", "ENC112"]),
                    severity: vec![("ENC112".to_owned(), Grade::At(Severity::Info))],
                    ..Override::default()
                },
            ],
            ..Wishes::default()
        })
        .unwrap();
        let severity = |code: &str, path: &str| s.severity(lookup(code).unwrap(), path);
        assert_eq!(severity("ENC107", "r/ADT-00/f"), Some(Severity::Error));
        assert_eq!(severity("ENC107", "r/OMG-11/f"), None);
        assert_eq!(severity("ENC107", "r/OMG-12/f"), Some(Severity::Error));
        assert_eq!(severity("ENC112", "r/ADT-00/f"), None);
        assert_eq!(severity("ENC112", "r/OMG-12/f"), Some(Severity::Info));
    }

    #[test]
    fn somebody_else_s_message_is_an_error_in_the_profile_strict() {
        let graded = |profiles: &[&str], severity: Vec<(String, Grade)>| {
            let wishes = Wishes {
                profiles: strings(profiles),
                severity,
                ..Wishes::default()
            };
            let code = lookup("SSM103").unwrap();
            Selection::new(&wishes).unwrap().severity(code, "a")
        };
        assert_eq!(graded(&[], Vec::new()), Some(Severity::Warning));
        assert_eq!(graded(&["strict"], Vec::new()), Some(Severity::Error));
        let own = vec![("SSM103".to_owned(), Grade::At(Severity::Info))];
        assert_eq!(graded(&["strict"], own), Some(Severity::Info));
        for code in STRICT_ERRORS {
            assert!(lookup(code).unwrap().why_ja.contains("strict"), "{code}");
        }
    }

    #[test]
    fn profiles_of_an_override_stand_in_place_of_the_others() {
        let of = |paths: &str, profiles: &[&str]| Override {
            paths: strings(&[paths]),
            profiles: strings(profiles),
            ..Override::default()
        };
        let s = Selection::new(&Wishes {
            profiles: strings(&["strict"]),
            ignore: strings(&["NHO102"]),
            overrides: vec![
                of("north/**", &["nho"]),
                of("north/old/**", &["ssmix2-1.2g"]),
                of("south/**", &[]),
            ],
            ..Wishes::default()
        })
        .unwrap();
        let severity = |code: &str, path: &str| s.severity(lookup(code).unwrap(), path);
        assert!(s.options().profiles.nho && s.options().profiles.strict);
        for (path, nho, strict, foreign) in [
            ("a", false, true, Severity::Error),
            ("south/a", false, true, Severity::Error),
            ("north/a", true, false, Severity::Warning),
            ("north/old/a", false, false, Severity::Warning),
        ] {
            assert_eq!(severity("NHO101", path).is_some(), nho, "{path}");
            assert_eq!(severity("SSM541", path).is_some(), strict, "{path}");
            assert_eq!(severity("SSM103", path), Some(foreign), "{path}");
            assert_eq!(severity("NHO102", path), None, "{path}");
        }
        let unknown = Selection::new(&Wishes {
            overrides: vec![of("**", &["nhoo"])],
            ..Wishes::default()
        });
        assert!(matches!(
            unknown,
            Err(SelectionError::UnknownProfile {
                nearest: Some("nho"),
                ..
            })
        ));
    }

    #[test]
    fn what_does_not_exist_is_named_with_the_nearest() {
        let unknown = |select: &[&str], profiles: &[&str]| {
            Selection::new(&Wishes {
                select: strings(select),
                profiles: strings(profiles),
                ..Wishes::default()
            })
            .unwrap_err()
        };
        assert_eq!(
            unknown(&["ENC129"], &[]),
            SelectionError::UnknownRule {
                option: "select",
                text: "ENC129".to_owned(),
                nearest: Some("ENC120")
            }
        );
        assert_eq!(
            unknown(&[], &["nhoo"]),
            SelectionError::UnknownProfile {
                text: "nhoo".to_owned(),
                nearest: Some("nho")
            }
        );
        assert!(matches!(
            unknown(&[""], &[]),
            SelectionError::UnknownRule { nearest: None, .. }
        ));
    }

    #[test]
    fn globs_match_folders_and_names() {
        for (p, t, want) in [
            ("backup/**", "backup/a/b", true),
            ("backup/**", "backup", false),
            ("**/OML-11/*", "0/1/OML-11/x", true),
            ("**/OML-11/*", "OML-11/x", true),
            ("**/OML-11/*", "OML-11/x/y", false),
            ("**/a/**/b", "x/a/b", true),
            ("**/a/**/b", "x/a/y/z/b", true),
            ("*.tmp", "a/b.tmp", true),
            ("OMG-1?/**", "OMG-12/x", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcdef", false),
        ] {
            assert_eq!(glob(p, t), want, "{p} {t}");
        }
        // Neither stars nor folders make it slow.
        let long = "a".repeat(2000);
        assert!(!glob(&format!("{}b", "a*".repeat(500)), &long));
        assert!(!glob(&format!("{}b", "**/".repeat(200)), &"a/".repeat(500)));
    }
}
