//! Lines of the log (consent.md §9.1, §9.2): kinds, their members, and the one way to write them.

use std::collections::BTreeMap;

use crate::hash::{Hash, decode_url, sha256};
use crate::json::{self, Value};

/// Longest line, in bytes.
pub const MAX_LINE: usize = 16_384;

/// What a member must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// 43 characters of base64url: a hash.
    Hash,
    /// 22 characters of base64url: a `jti` or request id.
    Id,
    /// 1…128 characters, none of them a control character.
    Word,
    /// Words, sorted, each once, 1…64 of them.
    Words,
    /// Hashes, sorted, each once, 0…64 of them.
    Hashes,
    /// Seconds UTC.
    Time,
}

/// One member of a kind of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Name in the JSON.
    pub name: &'static str,
    /// What it looks like.
    pub shape: Shape,
    /// Whether every line of the kind has it.
    pub required: bool,
}

const fn must(name: &'static str, shape: Shape) -> Member {
    Member {
        name,
        shape,
        required: true,
    }
}

const fn may(name: &'static str, shape: Shape) -> Member {
    Member {
        name,
        shape,
        required: false,
    }
}

/// How a line hangs on the earlier lines of its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// It has no subject.
    None,
    /// `n` and `prev` stand in the line.
    Open,
    /// The line is shown to a recipient, so it has `chn` in their place.
    Hidden,
}

/// One row of the table of kinds.
struct Row {
    kind: Kind,
    name: &'static str,
    chain: Chain,
    members: &'static [Member],
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident $name:literal $chain:ident [$($m:expr),* $(,)?];)*) => {
        /// What a line says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($(#[doc = $doc])* $kind),* }

        impl Kind {
            /// All kinds, in the order of consent.md §9.1.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            const fn row(self) -> &'static Row {
                match self { $(Self::$kind => const { &Row {
                    kind: Self::$kind, name: $name, chain: Chain::$chain, members: &[$($m),*],
                } }),* }
            }
        }
    };
}

use Shape::{Hash as H, Hashes, Id, Time, Word, Words};

kinds! {
    /// A key was bound, retired or compromised: since `since`, where that is earlier than the line.
    Key "key" Open [
        must("kid", H), must("role", Word), must("ial", Word), may("what", Word), may("since", Time),
    ];
    /// A grant was accepted.
    Grant "grant" Open [must("tok", H)];
    /// A prohibition was accepted.
    Deny "deny" Open [must("tok", H)];
    /// A grant or prohibition was ended.
    Revoke "revoke" Open [must("tok", H), may("idp", Word)];
    /// An objection was set or withdrawn.
    Objection "objection" Open [must("tok", H), may("idp", Word)];
    /// A notice was given.
    Notice "notice" Open [must("what", Word), may("src", Word), may("hash", H)];
    /// Data went out.
    Disclose "disclose" Hidden [
        must("rcp", Word), must("role", Word), must("pur", Words), must("cats", Words),
        must("basis", Word), must("grants", Hashes), must("areq", H),
    ];
    /// Data was refused.
    Refuse "refuse" Hidden [
        must("rcp", Word), must("role", Word), must("pur", Words), may("cats", Words),
        must("basis", Word), must("grants", Hashes), must("areq", H),
    ];
    /// An emergency was asserted.
    BreakGlass "breakglass" Hidden [
        must("rcp", Word), must("role", Word), must("rsn", Word), must("idm", Word),
        must("tok", H), may("deferred", H),
    ];
    /// An emergency was reviewed, or the patient objected to it.
    Review "review" Open [must("of", H), must("verdict", Word)];
    /// Disaster mode was declared.
    Disaster "disaster" None [must("tok", H)];
    /// A release was made.
    Release "release" None [must("rel", Id), must("root", H)];
    /// A release was used.
    Usage "usage" None [must("rel", Id), must("root", H)];
    /// A request was declined.
    Decline "decline" Open [must("req", Id)];
    /// A policy, text, master or program came into force.
    Policy "policy" None [must("what", Word), must("hash", H)];
    /// The watch held or released a credential.
    Watch "watch" None [must("rule", Word), must("rcp", Word), may("what", Word)];
    /// Staff of the log's operator read a record.
    StaffRead "staff-read" Open [must("role", Word), must("per", Word), must("what", Word)];
}

impl Kind {
    /// Name in the JSON.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// How its lines hang together.
    pub fn chain(self) -> Chain {
        self.row().chain
    }

    /// Its own members, beside `v`, `kind`, `at`, `sub`, `n`, `prev`, `chn`.
    pub fn members(self) -> &'static [Member] {
        self.row().members
    }

    /// Kind of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .map(|k| k.row())
            .find(|row| row.name == name)
            .map(|row| row.kind)
    }
}

/// Why something is no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Longer than [`MAX_LINE`].
    #[error("the line is too long")]
    Size,
    /// Not an object of integers, strings and lists of strings.
    #[error("the line is not the JSON of a line")]
    Json,
    /// Not written as RFC 8785 has it.
    #[error("the line is not in canonical form")]
    Canonical,
    /// `v` is not 1.
    #[error("the line has another version")]
    Version,
    /// `kind` is none of §9.1.
    #[error("the kind of the line is unknown")]
    Kind,
    /// A member that the kind does not have.
    #[error("the line has a member that its kind does not have")]
    Unknown,
    /// A member is missing.
    #[error("the line lacks `{0}`")]
    Missing(&'static str),
    /// A member does not look as it must.
    #[error("`{0}` of the line has the wrong form")]
    Form(&'static str),
}

/// What is to be logged: a line without its place in the subject's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    kind: Kind,
    at: u64,
    sub: Option<String>,
    members: BTreeMap<&'static str, Value>,
}

impl Entry {
    /// Checks the members against the table of the kind; `at` is seconds UTC, `sub` the pseudonym
    /// of the subject (`s1.` and 22 characters).
    pub fn new<'m>(
        kind: Kind,
        at: u64,
        sub: Option<&str>,
        members: impl IntoIterator<Item = (&'m str, Value)>,
    ) -> Result<Self, LineError> {
        if at > json::MAX_INT {
            return Err(LineError::Form("at"));
        }
        match (kind.chain(), sub) {
            (Chain::None, Some(_)) => return Err(LineError::Unknown),
            (Chain::Open | Chain::Hidden, None) => return Err(LineError::Missing("sub")),
            (_, Some(sub)) if !is_subject(sub) => return Err(LineError::Form("sub")),
            _ => {}
        }
        let mut own = BTreeMap::new();
        for (name, value) in members {
            let member = kind
                .members()
                .iter()
                .find(|m| m.name == name)
                .ok_or(LineError::Unknown)?;
            if !fits(member.shape, &value) {
                return Err(LineError::Form(member.name));
            }
            if own.insert(member.name, value).is_some() {
                return Err(LineError::Unknown);
            }
        }
        if let Some(m) = kind
            .members()
            .iter()
            .find(|m| m.required && !own.contains_key(m.name))
        {
            return Err(LineError::Missing(m.name));
        }
        Ok(Self {
            kind,
            at,
            sub: sub.map(str::to_owned),
            members: own,
        })
    }

    /// What it says.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// When, in seconds UTC.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// About whom.
    pub fn sub(&self) -> Option<&str> {
        self.sub.as_deref()
    }

    /// A member of the kind's own.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::text)
    }

    /// Recipient.
    pub fn rcp(&self) -> Option<&str> {
        self.text("rcp")
    }

    /// Hash of the access request.
    pub fn areq(&self) -> Option<Hash> {
        Hash::from_url(self.text("areq")?)
    }
}

/// Whether it is `s1.` and 16 bytes in base64url.
pub fn is_subject(text: &str) -> bool {
    text.strip_prefix("s1.")
        .is_some_and(|rest| decode_url::<16>(rest).is_some())
}

fn is_word(text: &str) -> bool {
    (1..=128).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn ascending(items: &[String]) -> bool {
    items.windows(2).all(|w| w.first() < w.last())
}

fn fits(shape: Shape, value: &Value) -> bool {
    match (shape, value) {
        (H, Value::Text(t)) => Hash::from_url(t).is_some(),
        (Id, Value::Text(t)) => decode_url::<16>(t).is_some(),
        (Word, Value::Text(t)) => is_word(t),
        (Time, Value::Int(_)) => true,
        (Words, Value::List(l)) => {
            (1..=64).contains(&l.len()) && ascending(l) && l.iter().all(|t| is_word(t))
        }
        (Hashes, Value::List(l)) => {
            l.len() <= 64 && ascending(l) && l.iter().all(|t| Hash::from_url(t).is_some())
        }
        _ => false,
    }
}

/// A place in the chain of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// 0, 1, 2 …
    pub n: u64,
    /// Leaf data of the subject's line before; zeros for the first.
    pub prev: Hash,
}

impl Place {
    /// Of a subject's first line.
    pub const FIRST: Self = Self {
        n: 0,
        prev: Hash::ZERO,
    };

    /// `chn` of a hidden place: SHA-256 of the salt, `n` in 8 bytes (big-endian), `prev`.
    pub fn hidden(&self, salt: &[u8; 16]) -> Hash {
        sha256(&[salt, &self.n.to_be_bytes(), &self.prev.0])
    }
}

/// What a line tells of its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It has no subject.
    None,
    /// Its place.
    Open(Place),
    /// A commitment to its place.
    Hidden(Hash),
}

/// A line: entry and place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it says.
    pub entry: Entry,
    /// Where it stands.
    pub link: Link,
}

impl Line {
    /// The line's bytes (RFC 8785, no LF at the end).
    pub fn write(&self) -> String {
        let (v, kind) = (Value::Int(1), Value::from(self.entry.kind.name()));
        let at = Value::Int(self.entry.at);
        let sub = self.entry.sub.as_deref().map(Value::from);
        let (n, prev, chn) = match self.link {
            Link::None => (None, None, None),
            Link::Open(place) => (
                Some(Value::Int(place.n)),
                Some(Value::Text(place.prev.url())),
                None,
            ),
            Link::Hidden(chn) => (None, None, Some(Value::Text(chn.url()))),
        };
        let mut members: BTreeMap<&str, &Value> =
            self.entry.members.iter().map(|(k, v)| (*k, v)).collect();
        members.extend([("v", &v), ("kind", &kind), ("at", &at)]);
        for (name, value) in [("sub", &sub), ("n", &n), ("prev", &prev), ("chn", &chn)] {
            members.extend(value.as_ref().map(|v| (name, v)));
        }
        json::write(&members)
    }

    /// Reads exactly what [`Self::write`] writes.
    pub fn parse(text: &str) -> Result<Self, LineError> {
        if text.len() > MAX_LINE {
            return Err(LineError::Size);
        }
        let mut members = json::read(text.as_bytes()).ok_or(LineError::Json)?;
        if members.remove("v") != Some(Value::Int(1)) {
            return Err(LineError::Version);
        }
        let kind = members.remove("kind");
        let kind = kind
            .as_ref()
            .and_then(Value::text)
            .and_then(Kind::find)
            .ok_or(LineError::Kind)?;
        let at = members.remove("at").ok_or(LineError::Missing("at"))?;
        let at = at.int().ok_or(LineError::Form("at"))?;
        let sub = members.remove("sub");
        let sub = match &sub {
            None => None,
            Some(v) => Some(v.text().ok_or(LineError::Form("sub"))?),
        };
        let link = match kind.chain() {
            Chain::None => Link::None,
            Chain::Open => {
                let n = members.remove("n").ok_or(LineError::Missing("n"))?;
                Link::Open(Place {
                    n: n.int().ok_or(LineError::Form("n"))?,
                    prev: hash(&mut members, "prev")?,
                })
            }
            Chain::Hidden => Link::Hidden(hash(&mut members, "chn")?),
        };
        let own = members.iter().map(|(k, v)| (k.as_str(), v.clone()));
        let entry = Entry::new(kind, at, sub, own)?;
        let line = Self { entry, link };
        if line.write() == text {
            Ok(line)
        } else {
            Err(LineError::Canonical)
        }
    }
}

fn hash(members: &mut BTreeMap<String, Value>, name: &'static str) -> Result<Hash, LineError> {
    let value = members.remove(name).ok_or(LineError::Missing(name))?;
    value
        .text()
        .and_then(Hash::from_url)
        .ok_or(LineError::Form(name))
}

/// Leaf data of a line: SHA-256 of its salt and its bytes. This, and nothing else, is public.
pub fn leaf_data(salt: &[u8; 16], line: &str) -> Hash {
    sha256(&[salt, line.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;
    use crate::tree::Frontier;

    /// consent.md §15.
    const GRANT: &str = r#"{"at":1790000005,"kind":"grant","n":0,"prev":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","sub":"s1.EBESExQVFhcYGRobHB0eHw","tok":"CEj75Hs_UnI49mAl75Fq9303TVXS3E89P6H6HE7FsYI","v":1}"#;
    const REVOKE: &str = r#"{"at":1790003601,"kind":"revoke","n":1,"prev":"_Si7UW6fbai0MhkBOkLGZhvt2eFO8WP6W2rmUQfY_JE","sub":"s1.EBESExQVFhcYGRobHB0eHw","tok":"cuP1zyQkWZuTj3gTlr-IHjJtuDU5ov9Rh0AtxYofgzs","v":1}"#;

    #[test]
    fn golden_lines_leaves_and_root_come_out() {
        let sub = Some("s1.EBESExQVFhcYGRobHB0eHw");
        let tok = "CEj75Hs_UnI49mAl75Fq9303TVXS3E89P6H6HE7FsYI";
        let grant = Line {
            entry: Entry::new(Kind::Grant, 1_790_000_005, sub, [("tok", tok.into())]).unwrap(),
            link: Link::Open(Place::FIRST),
        };
        assert_eq!(grant.write(), GRANT);
        assert_eq!(Line::parse(GRANT), Ok(grant));
        let first = leaf_data(&[0; 16], GRANT);
        assert_eq!(first.url(), "_Si7UW6fbai0MhkBOkLGZhvt2eFO8WP6W2rmUQfY_JE");
        let revoke = Line::parse(REVOKE).unwrap();
        assert_eq!(revoke.link, Link::Open(Place { n: 1, prev: first }));
        let second = leaf_data(&[0; 16], REVOKE);
        assert_eq!(second.url(), "o_ouHL-6E0ySaSymOD4UoNo8UYUTPDe98c8VeIHI1QA");
        let mut tree = Frontier::new();
        tree.append(leaf_hash(&first.0));
        tree.append(leaf_hash(&second.0));
        let root = u128::from_be_bytes(*tree.root().0.first_chunk().unwrap());
        assert_eq!(root, 0x0e2f_689b_7251_41c2_8c68_fc72_1337_d5e4);
        let root = u128::from_be_bytes(*tree.root().0.last_chunk().unwrap());
        assert_eq!(root, 0x29d2_f4c1_0f1c_ebe1_f1a7_859e_a5dc_8cf6);
    }

    #[test]
    fn what_is_no_line_is_refused_with_its_reason() {
        let long = GRANT.replace("\"v\":1", &format!("\"z\":\"{}\"", "a".repeat(MAX_LINE)));
        for (text, expected) in [
            (long, LineError::Size),
            ("{".to_owned(), LineError::Json),
            (GRANT.replace("\"v\":1", "\"v\":true"), LineError::Json),
            (GRANT.replace("\"v\":1", "\"v\":1,\"v\":1"), LineError::Json),
            (format!("{GRANT} "), LineError::Canonical),
            (
                GRANT.replace(":1790000005", ": 1790000005"),
                LineError::Canonical,
            ),
            (GRANT.replace("grant", "gr\\u0061nt"), LineError::Canonical),
            (GRANT.replace("\"v\":1", "\"v\":2"), LineError::Version),
            (GRANT.replace("grant", "gift"), LineError::Kind),
            (GRANT.replace("grant", "policy"), LineError::Unknown),
            (
                GRANT.replace("\"v\"", "\"count\":3,\"v\""),
                LineError::Unknown,
            ),
            (GRANT.replace("\"n\":0,", ""), LineError::Missing("n")),
            (
                GRANT.replace("\"n\":0", "\"n\":\"0\""),
                LineError::Form("n"),
            ),
            (GRANT.replace("s1.E", "s2.E"), LineError::Form("sub")),
            (GRANT.replace("CEj75", "CEj7"), LineError::Form("tok")),
            (GRANT.replace("tok", "top"), LineError::Unknown),
        ] {
            assert_eq!(Line::parse(&text), Err(expected), "{text:.200}");
        }
    }

    #[test]
    fn names_of_kinds_are_their_own() {
        for kind in Kind::ALL {
            assert_eq!(Kind::find(kind.name()), Some(*kind));
        }
        assert_eq!(Kind::ALL.len(), 17);
    }
}
