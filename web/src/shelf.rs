//! What stays on the device, sealed by the worker, so that own consents and receipts, and who looked, can be
//! read without a network: the server's answers as they came, verified again each time they are read. Records
//! only where the person wants it.

use warifu_consent::b64;
use warifu_consent::json::{self, Value, object};

use crate::care::{Given, Keys};
use crate::preview::Pages;

/// Answers, and when they came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shelf {
    /// When the tokens came.
    pub at: u64,
    /// `POST /session`, `POST /enrol`
    pub session: String,
    /// `GET /consent/mine`
    pub mine: String,
    /// `GET /policy`
    pub policy: String,
    /// `GET /master`
    pub master: String,
}

/// S7: lines of the log that were believed, and what they were believed by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Looks {
    /// When they came.
    pub at: u64,
    /// `GET /log/key`
    pub log: String,
    /// `GET /log/mine`
    pub lines: String,
    /// What was remembered of the log with them: a later tree would need tiles to be compared with.
    pub kept: String,
}

/// Pages of own records as text, kept apart from the rest: they go when the person says so.
pub fn write_pages(pages: &Pages) -> String {
    let sources = pages.sources.iter();
    let sources: Vec<String> = sources.map(|(key, src)| format!("{key} {src}")).collect();
    object([
        (
            "pages",
            Value::Array(pages.bundles.iter().map(bytes).collect()),
        ),
        ("sources", bytes(&sources.join("\n"))),
    ])
    .write()
}

/// What [`write_pages`] wrote; none where nothing was kept.
pub fn read_pages(text: &str) -> Option<Pages> {
    let v = json::read(text.as_bytes(), 3).ok()?;
    let bundles = v.get("pages")?.items().iter().map(of_bytes);
    let sources = of_bytes(v.get("sources")?)?;
    let sources = sources.lines().filter_map(|l| l.split_once(' '));
    Some(Pages {
        bundles: bundles.collect::<Option<_>>()?,
        sources: sources
            .map(|(key, src)| (key.to_owned(), src.to_owned()))
            .collect(),
    })
}

/// Grants that were made without a network and are with nobody yet.
pub fn write_offers(all: &[Given]) -> String {
    let rows = all.iter().map(|g| {
        let annex = g.annex.as_deref().map(b64::encode).unwrap_or_default();
        object([
            ("annex", annex.into()),
            ("at", g.at.into()),
            ("token", g.text.as_str().into()),
        ])
    });
    if all.is_empty() {
        return String::new();
    }
    Value::Array(rows.collect()).write()
}

/// What [`write_offers`] wrote: what these keys signed.
pub fn read_offers(text: &str, keys: &Keys) -> Vec<Given> {
    let Ok(v) = json::read(text.as_bytes(), 3) else {
        return Vec::new();
    };
    let rows = v.items().iter().filter_map(|row| {
        let text = |name: &str| row.get(name).and_then(Value::text);
        Given::offered(text("token")?, text("annex")?, row.get("at")?.int()?, keys)
    });
    rows.collect()
}

/// Answers stand in it as bytes: names in them hold characters that the reader of tokens refuses.
fn bytes(text: &String) -> Value {
    b64::encode(text.as_bytes()).into()
}

fn of_bytes(v: &Value) -> Option<String> {
    String::from_utf8(b64::decode(v.text()?)?).ok()
}

impl Shelf {
    /// What [`Self::write`] wrote.
    pub fn read(text: &str) -> Option<Self> {
        let v = json::read(text.as_bytes(), 3).ok()?;
        let text = |name: &str| of_bytes(v.get(name)?);
        Some(Self {
            at: v.get("at")?.int()?,
            session: text("session")?,
            mine: text("mine")?,
            policy: text("policy")?,
            master: text("master")?,
        })
    }

    /// As text.
    pub fn write(&self) -> String {
        object([
            ("at", self.at.into()),
            ("session", bytes(&self.session)),
            ("mine", bytes(&self.mine)),
            ("policy", bytes(&self.policy)),
            ("master", bytes(&self.master)),
        ])
        .write()
    }

    /// Whether everything is here that consents are read with.
    pub fn is_whole(&self) -> bool {
        [&self.session, &self.mine, &self.policy, &self.master]
            .iter()
            .all(|t| !t.is_empty())
    }
}

impl Looks {
    /// What [`Self::write`] wrote.
    pub fn read(text: &str) -> Option<Self> {
        let v = json::read(text.as_bytes(), 3).ok()?;
        let text = |name: &str| of_bytes(v.get(name)?);
        Some(Self {
            at: v.get("at")?.int()?,
            log: text("log")?,
            lines: text("lines")?,
            kept: text("kept")?,
        })
    }

    /// As text.
    pub fn write(&self) -> String {
        object([
            ("at", self.at.into()),
            ("log", bytes(&self.log)),
            ("lines", bytes(&self.lines)),
            ("kept", bytes(&self.kept)),
        ])
        .write()
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_as_it_was() {
        let shelf = Shelf {
            at: 1_800_000_000,
            session: "{\"keys\":[]}".to_owned(),
            mine: "{}".to_owned(),
            policy: "{\"ja\":\"診療\"}".to_owned(),
            master: "\u{fa19}\"\\".to_owned(),
        };
        let pages = Pages {
            bundles: vec!["{\"family\":\"\u{fa19}\"}".to_owned(), String::new()],
            sources: [("Patient/p".to_owned(), "mi:1319999999".to_owned())].into(),
        };
        assert_eq!(read_pages(&write_pages(&pages)), Some(pages));
        assert_eq!(read_pages(""), None);
        assert_eq!(Shelf::read(&shelf.write()), Some(shelf.clone()));
        assert!(shelf.is_whole() && !Shelf::default().is_whole());
        let looks = Looks {
            at: 1_800_000_000,
            log: "{}".to_owned(),
            lines: "{\"lines\":[\"\u{fa19}\"]}".to_owned(),
            kept: String::new(),
        };
        assert_eq!(Looks::read(&looks.write()), Some(looks));
        for none in ["", "{}", r#"{"at":1}"#, "x"] {
            assert_eq!(Shelf::read(none), None, "{none}");
            assert_eq!(Looks::read(none), None, "{none}");
        }
    }
}
