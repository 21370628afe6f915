//! The recipient's side: no proof, no data (consent.md §9.5). What comes with a Bundle is checked before the
//! Bundle is handed on; no desk is needed.

use std::path::Path;

use anyhow::bail;
use warifu_consent::json::{self, Value, object};
use warifu_consent::{
    KeyEntry, KeyRing, KeyState, Moment, PublicKey, SignerClass, Typ, bundle_hash, open,
    without_provenance,
};
use warifu_log::api;

use super::Cx;
use super::keys::read_public;
use crate::End;

/// The one key that whoever has no desk believes, and for what.
pub(super) struct Only(pub(super) SignerClass, pub(super) PublicKey);

impl KeyRing for Only {
    fn find(&self, class: SignerClass, kid: &str) -> Option<KeyEntry> {
        let own = class == self.0 && self.1.thumbprint() == kid;
        own.then(|| KeyEntry::new(self.1.clone(), KeyState::Active))
    }
}

/// Checks a Bundle that was received, and hands it on (`--out`) only if all of it holds.
pub(super) fn receive(cx: &Cx<'_>) -> anyhow::Result<End> {
    let mut bundle = cx.read(cx.input())?;
    if bundle.last() == Some(&b'\n') {
        bundle.pop();
    }
    let evidence = cx.read(cx.path("evidence").unwrap_or(Path::new("")))?;
    let rcp = cx.text("as").unwrap_or_default();
    // An answer without entries has no Provenance.
    let parts = without_provenance(&bundle);
    let (bytes, token) = match &parts {
        Some((bytes, token)) => (bytes.as_slice(), Some(token)),
        None => (bundle.as_slice(), None),
    };
    let areq = bundle_hash(bytes);
    let mut setting = object([
        ("log", cx.text("log-key").unwrap_or_default().into()),
        ("witnesses", cx.codes("witness").into()),
        ("rcp", rcp.into()),
        ("sub", cx.text("sub").unwrap_or_default().into()),
        ("pur", cx.text("pur").unwrap_or_default().into()),
        ("areq", areq.as_str().into()),
        ("at", cx.int("asked").unwrap_or(cx.now).into()),
    ]);
    if let Value::Object(members) = &mut setting {
        members.extend(cx.int("quorum").map(|n| ("quorum".to_owned(), n.into())));
        let pin = cx.int("pin-size");
        members.extend(pin.map(|n| ("pin_size".to_owned(), n.into())));
        let root = cx.text("pin-root");
        members.extend(root.map(|r| ("pin_root".to_owned(), r.into())));
    }
    let verdict = api::check_disclosure(setting.write().as_bytes(), evidence.trim_ascii(), cx.now);
    let mut value = json::read(verdict.as_bytes(), 2).unwrap_or(Value::Null);
    let mut reason = value.get("reason").and_then(Value::text).map(str::to_owned);
    if reason.as_deref() == Some("SETTING") {
        bail!(cx.say(
            "引数が読めません (--log-key, --witness, --pin-size と --pin-root, --quorum の形を確かめてください)",
            "the arguments cannot be read (look at the form of --log-key, --witness, --pin-size with --pin-root, --quorum)"
        ));
    }
    if reason.is_none()
        && let Some(path) = cx.path("server-key")
    {
        let leaf = value.get("leaf").and_then(Value::text).unwrap_or_default();
        let key = read_public(cx, path)?;
        reason = signed(
            &Only(SignerClass::Server, key),
            token.map(String::as_str),
            rcp,
            &areq,
            leaf,
            cx.now,
        );
        if let (Some(reason), Value::Object(members)) = (&reason, &mut value) {
            members.insert("ok".to_owned(), 0.into());
            members.insert("reason".to_owned(), reason.as_str().into());
        }
    }
    if let Some(reason) = &reason {
        let told = cx.say(
            &format!("{reason}: 記録の証明がないか、合いません。中を見ずに、渡した側に確かめてください"),
            &format!("{reason}: the proof that this was logged is missing or does not hold. Do not look at it; ask who sent it"),
        );
        cx.print(&value, &told)?;
    } else {
        if cx.path("out").is_some() {
            bundle.push(b'\n');
            cx.give(&bundle)?;
        }
        let owed = value.get("due").and_then(Value::int).is_some();
        let told = if owed {
            cx.say(
                "ログに載せる約束を確かめました。期限までに証明を受け取り、warifu consent log check で確かめてください",
                "the log's promise holds. Get the proof by its date, and check it: warifu consent log check",
            )
        } else {
            cx.say("ログにあることを確かめました", "it is in the log")
        };
        cx.print(&value, &told)?;
    }
    Ok(if reason.is_none() {
        End::Clean
    } else {
        End::Findings
    })
}

/// Why the signature over the Bundle does not hold: `UNSIGNED`, a reason of the token, or
/// `SIGNED_OTHERWISE`, where it is about other bytes, another recipient or another line.
fn signed(
    server: &Only,
    token: Option<&str>,
    rcp: &str,
    areq: &str,
    leaf: &str,
    now: u64,
) -> Option<String> {
    let Some(token) = token else {
        return Some("UNSIGNED".to_owned());
    };
    match open(token, &[Typ::Disclosure], server, Moment::now(now)) {
        Err(refusal) => Some(refusal.reason.wire().to_owned()),
        Ok(token) => {
            let to = token.claims.get("aud").map(Value::texts);
            let fits = to.into_iter().flatten().eq([rcp])
                && token.text("data") == areq
                && token.text("leaf") == leaf;
            (!fits).then(|| "SIGNED_OTHERWISE".to_owned())
        }
    }
}
