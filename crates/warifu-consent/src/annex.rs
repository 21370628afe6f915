//! The annex: what a grant leaves out, known to the holder of the data alone (consent.md §4.5).

use crate::b64;
use crate::hash::{sha256, sha256_text};
use crate::json::{self, Value, object};
use crate::reason::Reason;

/// Private exclusions of a grant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Annex {
    /// 16 random bytes; also of an annex that excludes nothing.
    pub salt: [u8; 16],
    /// Facilities whose items are left out.
    pub src: Vec<String>,
    /// Keys of single resources ([`resource_key`](crate::hash::resource_key)).
    pub res: Vec<String>,
    /// Labels: v3 Confidentiality `R`, `V`; ActCode sensitivity `PSY`, `ETH` ….
    pub lbl: Vec<String>,
    /// Keys of encounters.
    pub wid: Vec<String>,
}

/// Most entries of one list.
pub(crate) const MOST: usize = 10_000;

impl Annex {
    /// An annex that excludes nothing.
    pub fn empty(salt: [u8; 16]) -> Self {
        Self {
            salt,
            src: Vec::new(),
            res: Vec::new(),
            lbl: Vec::new(),
            wid: Vec::new(),
        }
    }

    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.src.is_empty() && self.res.is_empty() && self.lbl.is_empty() && self.wid.is_empty()
    }

    /// The bytes that the holder keeps and `anx` is the hash of. `wid` is left out when empty.
    pub fn to_bytes(&self) -> Vec<u8> {
        let list = |items: &[String]| {
            let mut items = items.to_vec();
            items.sort_unstable();
            items.dedup();
            Value::from(items)
        };
        let mut value = object([
            ("v", 1.into()),
            ("salt", b64::encode(&self.salt).into()),
            ("src", list(&self.src)),
            ("res", list(&self.res)),
            ("lbl", list(&self.lbl)),
        ]);
        if let Value::Object(members) = &mut value
            && !self.wid.is_empty()
        {
            members.insert("wid".to_owned(), list(&self.wid));
        }
        value.write().into_bytes()
    }

    /// `anx` of a grant: hash of [`Self::to_bytes`].
    pub fn hash(&self) -> String {
        sha256_text(&[&self.to_bytes()])
    }

    /// Reads the bytes that came with a grant.
    ///
    /// # Errors
    /// `ANNEX_HASH` if they are not the signed ones, or not an annex.
    pub fn read(bytes: &[u8], anx: &str) -> Result<Self, Reason> {
        if b64::decode_array::<32>(anx) != Some(sha256(&[bytes])) {
            return Err(Reason::AnnexHash);
        }
        Self::parse(bytes).ok_or(Reason::AnnexHash)
    }

    /// Reads bytes; `None` if they are not an annex.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let value = json::read(bytes, 2).ok()?;
        let members = value.members()?;
        let known = ["lbl", "res", "salt", "src", "v", "wid"];
        if members.keys().any(|k| !known.contains(&k.as_str()))
            || members.get("v")?.int() != Some(1)
        {
            return None;
        }
        let list = |name: &str| -> Option<Vec<String>> {
            let Some(value) = members.get(name) else {
                return (name == "wid").then(Vec::new);
            };
            let Value::Array(items) = value else {
                return None;
            };
            let texts: Vec<String> = value.texts().map(str::to_owned).collect();
            (texts.len() == items.len() && texts.len() <= MOST && texts.is_sorted())
                .then_some(texts)
        };
        Some(Self {
            salt: b64::decode_array(members.get("salt")?.text()?)?,
            src: list("src")?,
            res: list("res")?,
            lbl: list("lbl")?,
            wid: list("wid")?,
        })
    }
}
