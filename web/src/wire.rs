//! Events and effects as text, between `ui` and the page's scripts.

use warifu_consent::json::{self, Value, object};

use crate::model::{Effect, Event, Key, Tag};
use crate::seal::Secret;

/// What the scripts say, `{"type",…}`, with the body of an answer beside it; `None` for what is no event.
pub fn read(text: &str, body: &str) -> Option<Event> {
    let v = json::read(text.as_bytes(), 4).ok()?;
    let named = |key: &str| {
        let value = v.get(key).and_then(Value::text);
        value.unwrap_or_default().to_owned()
    };
    let is = |key: &str| v.get(key).is_some_and(Value::is_true);
    let tag = || Tag::from_name(&named("tag"));
    Some(match named("type").as_str() {
        "started" => Event::Started {
            path: named("path"),
            prefs: body.to_owned(),
            browser: named("browser"),
            origin: named("origin"),
            keeps: is("keeps"),
            log: named("log"),
            resume: is("resume"),
        },
        "at" => Event::At(named("path")),
        "online" => Event::Online(is("on")),
        "tick" => Event::Tick,
        "waiting" => Event::Waiting,
        "key" => Event::KeyIs(match named("state").as_str() {
            "here" => Key::Here {
                x: named("x"),
                sealed: is("sealed"),
                fleeting: is("fleeting"),
            },
            "needs-pass" => Key::NeedsPass,
            "none" => Key::None,
            "unread" => Key::Unread,
            _ => Key::Failed,
        }),
        "pass-no" => Event::PassNo,
        "signed" => Event::Signed {
            tag: tag()?,
            token: named("token"),
        },
        "not-signed" => Event::NotSigned {
            tag: tag()?,
            code: named("code"),
        },
        "answer" => Event::Answer {
            tag: tag()?,
            status: u16::try_from(v.get("status")?.int()?).ok()?,
            body: body.to_owned(),
            after: v.get("after").and_then(Value::int),
        },
        "shelf" => Event::Shelf(body.to_owned()),
        "offers" => Event::Offers(body.to_owned()),
        "erased" => Event::Erased(is("closed")),
        "not-erased" => Event::NotErased,
        _ => return None,
    })
}

/// What the scripts are to do, `{"do",…}`.
pub fn write(effect: &Effect) -> String {
    let maybe = |text: &Option<String>| match text {
        Some(text) => Value::from(text.as_str()),
        None => Value::Null,
    };
    let secret = |pass: &Option<Secret>| match pass {
        Some(pass) => Value::from(pass.expose()),
        None => Value::Null,
    };
    match effect {
        Effect::Path(path) => object([("do", "path".into()), ("path", path.as_str().into())]),
        Effect::Focus(what) => object([("do", "focus".into()), ("what", (*what).into())]),
        Effect::Prefs(prefs) => object([
            ("do", "prefs".into()),
            ("prefs", prefs.write()),
            ("lang", prefs.lang.tag().into()),
            ("size", u64::from(prefs.size).into()),
            ("theme", prefs.theme.name().into()),
        ]),
        Effect::Http {
            tag,
            method,
            path,
            body,
        } => object([
            ("do", "http".into()),
            ("tag", tag.name().into()),
            ("method", (*method).into()),
            ("path", path.as_str().into()),
            ("body", maybe(&body.as_ref().map(Value::write))),
        ]),
        Effect::MakeKey(pass) => object([("do", "make-key".into()), ("pass", secret(pass))]),
        Effect::FindKey => object([("do", "find-key".into())]),
        Effect::Sign {
            tag,
            typ,
            claims,
            pass,
        } => object([
            ("do", "sign".into()),
            ("tag", tag.name().into()),
            ("typ", (*typ).into()),
            ("claims", claims.write().into()),
            ("pass", secret(pass)),
        ]),
        Effect::Keep(text) => object([("do", "keep".into()), ("text", text.as_str().into())]),
        Effect::Seal(name, text) => object([
            ("do", "seal".into()),
            ("name", (*name).into()),
            ("text", text.as_str().into()),
        ]),
        Effect::Unseal(names) => object([("do", "unseal".into()), ("names", (*names).into())]),
        Effect::Print => object([("do", "print".into())]),
        Effect::Save { name, body } => object([
            ("do", "save".into()),
            ("name", (*name).into()),
            ("body", body.as_str().into()),
        ]),
        Effect::Erase => object([("do", "erase".into())]),
        Effect::Reload => object([("do", "reload".into())]),
    }
    .write()
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
    fn what_is_no_event_is_none() {
        assert_eq!(read("", ""), None);
        assert_eq!(read(r#"{"type":"other"}"#, ""), None);
        assert_eq!(
            read(r#"{"type":"signed","tag":"other","token":"a"}"#, ""),
            None
        );
        assert_eq!(
            read(r#"{"type":"answer","tag":"enrol","status":200}"#, "{}"),
            Some(Event::Answer {
                tag: Tag::Enrol,
                status: 200,
                body: "{}".to_owned(),
                after: None,
            })
        );
    }
}
