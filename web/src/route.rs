//! Addresses of the screens. No address holds a name; ids are the random ones of tokens.

use crate::wish::WishStep;
use crate::wizard::Step;

/// A screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// S1
    Start,
    /// S2
    Key,
    /// S3
    Enrol,
    /// S4
    Home,
    /// S5: the request's id, and the page.
    Wizard(String, Step),
    /// S6
    Records,
    /// S6: those of a category.
    Category(String),
    /// S6: one, by its key.
    Item(String),
    /// S7
    History,
    /// S7: one access, by the number of its first line among the person's.
    Access(u64),
    /// S8: all of them.
    Consents,
    /// S8: one, by its `jti`.
    Consent(String),
    /// S8: ending one.
    Withdraw(String),
    /// S8: it was ended.
    Ended(String),
    /// S9
    Secondary(WishStep),
    /// S10
    Emergency(WishStep),
    /// S11
    Family,
    /// S12: the symbols to show of one, by its `jti`.
    Qr(String),
    /// S12: what can be shown at a desk, also without a network.
    Show,
    /// S14
    Devices,
    /// S15: the line's number among the person's.
    Notice(u64),
    /// S15: whom else to tell of emergencies.
    Contacts,
    /// S16
    Report,
    /// The menu, a screen of its own on small displays.
    Menu,
    /// S13
    Settings,
    /// S17
    Bye,
    /// No such address.
    Unknown,
}

impl Route {
    /// Every screen without parameters, for tests and menus.
    pub const FIXED: [Self; 23] = [
        Self::Start,
        Self::Key,
        Self::Enrol,
        Self::Home,
        Self::Records,
        Self::History,
        Self::Consents,
        Self::Secondary(WishStep::Start),
        Self::Secondary(WishStep::Sign),
        Self::Secondary(WishStep::Done),
        Self::Emergency(WishStep::Start),
        Self::Emergency(WishStep::What),
        Self::Emergency(WishStep::Until),
        Self::Emergency(WishStep::Sign),
        Self::Emergency(WishStep::Done),
        Self::Family,
        Self::Show,
        Self::Devices,
        Self::Contacts,
        Self::Report,
        Self::Menu,
        Self::Settings,
        Self::Bye,
    ];

    /// The screen at a path.
    pub fn parse(path: &str) -> Self {
        let path = path.trim_end_matches('/');
        let path = if path.is_empty() { "/" } else { path };
        let fixed = Self::FIXED.into_iter().find(|r| r.path() == path);
        fixed
            .or_else(|| Self::with_id(path))
            .unwrap_or(Self::Unknown)
    }

    fn with_id(path: &str) -> Option<Self> {
        let mut parts = path.split('/').skip(1);
        let (area, id, rest) = (parts.next()?, parts.next()?, parts.next());
        let n = || id.parse().ok().filter(|n: &u64| n.to_string() == id);
        match (area, rest) {
            ("notice", None) => return n().map(Self::Notice),
            ("history", None) => return n().map(Self::Access),
            ("records", None) => return is_category(id).then(|| Self::Category(id.to_owned())),
            ("records", Some(key)) if id == "item" && parts.next().is_none() => {
                return is_key(key).then(|| Self::Item(key.to_owned()));
            }
            _ => {}
        }
        let id = warifu_consent::b64::decode_array::<16>(id).map(|_| id.to_owned())?;
        if parts.next().is_some() {
            return None;
        }
        match (area, rest) {
            ("requests", Some(step)) => {
                let found = Step::ALL.iter().find(|(name, _)| *name == step)?;
                Some(Self::Wizard(id, found.1))
            }
            // S12: a receipt stands on the page of its consent.
            ("consents" | "receipts", None) => Some(Self::Consent(id)),
            ("consents", Some("withdraw")) => Some(Self::Withdraw(id)),
            ("consents", Some("ended")) => Some(Self::Ended(id)),
            ("consents", Some("qr")) => Some(Self::Qr(id)),
            _ => None,
        }
    }

    /// Whether it is one of own records.
    pub fn is_records(&self) -> bool {
        matches!(self, Self::Records | Self::Category(_) | Self::Item(_))
    }

    /// Whether what it shows needs a session.
    pub fn needs_session(&self) -> bool {
        matches!(
            self,
            Self::Home
                | Self::Records
                | Self::Category(_)
                | Self::Item(_)
                | Self::History
                | Self::Access(_)
                | Self::Wizard(..)
                | Self::Consents
                | Self::Consent(_)
                | Self::Withdraw(_)
                | Self::Ended(_)
                | Self::Qr(_)
                | Self::Show
                | Self::Secondary(_)
                | Self::Emergency(_)
                | Self::Family
                | Self::Notice(_)
                | Self::Contacts
        )
    }

    /// Whether it shows more with a session.
    pub fn wants_session(&self) -> bool {
        self.needs_session() || *self == Self::Devices
    }

    /// Whether what is kept on the device is enough for it.
    pub fn is_kept(&self) -> bool {
        matches!(
            self,
            Self::Home
                | Self::Records
                | Self::Category(_)
                | Self::Item(_)
                | Self::History
                | Self::Access(_)
                | Self::Notice(_)
                | Self::Consents
                | Self::Consent(_)
                | Self::Qr(_)
                | Self::Show
        )
    }

    /// Whether it is one of several pages that lead to a signature or away.
    pub fn is_wizard(&self) -> bool {
        match self {
            Self::Key | Self::Enrol | Self::Wizard(..) => true,
            Self::Secondary(step) | Self::Emergency(step) => {
                !matches!(step, WishStep::Start | WishStep::Done)
            }
            _ => false,
        }
    }

    /// Its path.
    pub fn path(&self) -> String {
        match self {
            Self::Start | Self::Unknown => "/",
            Self::Key => "/key",
            Self::Enrol => "/enrol",
            Self::Home => "/home",
            Self::Records => "/records",
            Self::Category(code) => return format!("/records/{code}"),
            Self::Item(key) => return format!("/records/item/{key}"),
            Self::History => "/history",
            Self::Access(n) => return format!("/history/{n}"),
            Self::Consents => "/consents",
            Self::Wizard(id, step) => return format!("/requests/{id}/{}", step.name()),
            Self::Consent(id) => return format!("/consents/{id}"),
            Self::Withdraw(id) => return format!("/consents/{id}/withdraw"),
            Self::Ended(id) => return format!("/consents/{id}/ended"),
            Self::Qr(id) => return format!("/consents/{id}/qr"),
            Self::Secondary(step) => return format!("/secondary{}", step.path()),
            Self::Emergency(step) => return format!("/emergency{}", step.path()),
            Self::Notice(n) => return format!("/notice/{n}"),
            Self::Family => "/family",
            Self::Show => "/show",
            Self::Devices => "/devices",
            Self::Contacts => "/contacts",
            Self::Report => "/report",
            Self::Menu => "/menu",
            Self::Settings => "/settings",
            Self::Bye => "/bye",
        }
        .to_owned()
    }
}

/// Whether a part of an address can be the code of a category.
fn is_category(text: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
    text.len() <= 40 && text != "item" && text.chars().all(good)
}

/// Whether it can be the key of a record: `r.` and 16 characters of base64url.
fn is_key(text: &str) -> bool {
    let own = text.strip_prefix("r.");
    own.is_some_and(|own| warifu_consent::b64::decode_array::<12>(own).is_some())
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
    fn paths_come_back() {
        for route in Route::FIXED {
            assert_eq!(Route::parse(&route.path()), route);
        }
        let id = "AAECAwQFBgcICQoLDA0ODw";
        for (_, step) in Step::ALL {
            let route = Route::Wizard(id.to_owned(), step);
            assert_eq!(Route::parse(&route.path()), route);
        }
        for make in [Route::Consent, Route::Withdraw, Route::Ended, Route::Qr] {
            let route = make(id.to_owned());
            assert_eq!(Route::parse(&route.path()), route);
        }
        for route in [
            Route::Category("inf.lab".to_owned()),
            Route::Item("r.AAECAwQFBgcICQoL".to_owned()),
            Route::Access(7),
        ] {
            assert_eq!(Route::parse(&route.path()), route);
        }
        for none in [
            "/records/item",
            "/records/A",
            "/records/item/r.x",
            "/history/07",
        ] {
            assert_eq!(Route::parse(none), Route::Unknown, "{none}");
        }
        let receipt = Route::parse(&format!("/receipts/{id}"));
        assert_eq!(receipt, Route::Consent(id.to_owned()));
        assert_eq!(Route::parse("/notice/12"), Route::Notice(12));
        assert_eq!(Route::parse("/notice/+12"), Route::Unknown);
        assert_eq!(Route::parse("/requests/short/who"), Route::Unknown);
        assert_eq!(
            Route::parse(&format!("/requests/{id}/other")),
            Route::Unknown
        );
        assert_eq!(Route::parse(""), Route::Start);
        assert_eq!(Route::parse("/settings/"), Route::Settings);
        assert_eq!(Route::parse("/nothing"), Route::Unknown);
    }

    #[test]
    fn the_service_worker_knows_every_screen() {
        let worker = include_str!("../static/sw.js");
        let list = worker.split_once("const SCREENS = new Set([").unwrap().1;
        let list = list.split_once(']').unwrap().0;
        let known: Vec<&str> = list.split(", ").map(|n| n.trim_matches('"')).collect();
        for route in Route::FIXED
            .into_iter()
            .chain([Route::Wizard(String::new(), Step::Who), Route::Notice(0)])
        {
            let path = route.path();
            let first = path.split('/').nth(1).unwrap();
            assert!(known.contains(&first), "{path}");
        }
    }
}
