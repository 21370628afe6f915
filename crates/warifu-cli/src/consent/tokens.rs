//! Requests, grants, prohibitions, revokes, objections: made, verified, shown.

use std::path::Path;

use anyhow::{Context as _, bail};
use warifu_consent::json::{Value, object};
use warifu_consent::{
    Accepted, Annex, Date, Desk as Court, Ledger as _, Moment, Opened, Reason, SecretKey,
    Signer as _, StatusNow, Target, Typ, accept, attenuates, bind_text, check_offline, family,
    make, open, peek, text_of, to_qr, token_hash,
};
use warifu_log::Kind;

use super::desk::{Desk, days};
use super::keys::{is_area, pseudonym, read_key, write_private};
use super::{Cx, fresh_id, random, wrong};
use crate::End;

fn insert(claims: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(members) = claims {
        members.insert(name.to_owned(), value.into());
    }
}

/// A list that may be left out: everything.
fn or_all(codes: Vec<String>) -> Vec<String> {
    if codes.is_empty() {
        vec!["*".to_owned()]
    } else {
        codes
    }
}

/// Asks a patient for a grant; the nonce and the status index are kept.
pub(super) fn request(cx: &Cx<'_>) -> anyhow::Result<End> {
    let mut desk = Desk::in_force(cx)?;
    let sub = wrong::subject(cx, "sub")?;
    let mut window = object([]);
    let (from, to) = (wrong::day(cx, "from")?, wrong::day(cx, "to")?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        bail!(cx.say(
            "--from は --to より前の日にしてください",
            "--from has to be a day before --to"
        ));
    }
    for (end, day) in [("from", from), ("to", to)] {
        if let Some(day) = day {
            insert(&mut window, end, day.to_string());
        }
    }
    let (term, longest) = (cx.int("days").unwrap_or(90), desk.policy.longest_days);
    if term == 0 || term > longest {
        bail!(cx.say(
            &format!("--days は 1 から {longest} までです (方針の longest_days)"),
            &format!("--days is 1 to {longest} (longest_days of the policy)")
        ));
    }
    let asked = object([
        ("aud", cx.codes("aud").into()),
        ("pur", cx.codes("pur").into()),
        ("cat", cx.codes("cat").into()),
    ]);
    wrong::codes(cx, &desk, Typ::Grant, &asked)?;
    wrong::ceiling(cx, &desk.policy)?;
    let jti = fresh_id()?;
    let (nonce, idx) = desk.issue()?;
    let status = object([(
        "status_list",
        object([("idx", idx.into()), ("uri", desk.uri.as_str().into())]),
    )]);
    let mut claims = object([
        ("sub", sub.into()),
        ("iat", cx.now.into()),
        ("exp", (cx.now + 900).into()),
        ("jti", jti.as_str().into()),
        ("req", fresh_id()?.into()),
        ("aud", cx.codes("aud").into()),
        ("pur", cx.codes("pur").into()),
        ("cat", cx.codes("cat").into()),
        ("dat", window),
        ("min", cx.codes("cat").into()),
        ("terms", days(term).into()),
        ("nonce", nonce.into()),
        ("status", status),
    ]);
    let (id, version) = text_of(&desk.policy, Typ::Grant, &claims).map_err(|r| refused(cx, r))?;
    let text = object([
        ("id", id.into()),
        ("ver", version.into()),
        ("m", desk.master.version.into()),
        ("langs", Value::from(vec!["en", "ja", "ja-easy"])),
    ]);
    insert(&mut claims, "txt", text);
    let token =
        make(Typ::Request, claims, &desk.signer(cx, "server.pem")?).map_err(|e| unmade(cx, &e))?;
    let value = object([
        ("jti", jti.as_str().into()),
        ("token", token.as_str().into()),
    ]);
    cx.give_token(&token, &value, &jti)?;
    Ok(End::Clean)
}

/// Why nothing was made, with the claim to look at.
pub(super) fn unmade(cx: &Cx<'_>, error: &warifu_consent::MakeError) -> anyhow::Error {
    match error {
        warifu_consent::MakeError::Claims(refusal) => {
            let claim = refusal.claim.unwrap_or("-");
            anyhow::anyhow!(
                "{} ({claim}): {}",
                refusal.reason,
                refusal.reason.sentence(cx.patient_lang())
            )
        }
        warifu_consent::MakeError::Sign(other) => anyhow::anyhow!("{other}"),
    }
}

fn refused(cx: &Cx<'_>, reason: warifu_consent::Reason) -> anyhow::Error {
    anyhow::anyhow!("{}", wrong::told(cx, reason))
}

/// The request behind a grant, verified with the server's key.
fn asked(cx: &Cx<'_>, desk: &Desk, path: &Path) -> anyhow::Result<Opened> {
    let token = cx.read_token(path)?;
    let request = open(&token, &[Typ::Request], desk, Moment::now(cx.now))
        .map_err(|r| refused(cx, r.reason))?;
    if request.int("exp").is_none_or(|exp| exp <= cx.now) {
        bail!(cx.say(
            "求めの期限が過ぎています。もう一度作ってください: warifu consent request",
            "the request has expired. Make it again: warifu consent request"
        ));
    }
    Ok(request)
}

/// `txt` without its hash.
fn text_claim(cx: &Cx<'_>, desk: &Desk, typ: Typ, claims: &Value) -> anyhow::Result<Value> {
    let id = family(&desk.policy, typ, claims).map_err(|r| refused(cx, r))?;
    Ok(object([
        ("id", id.into()),
        ("ver", desk.policy.texts.into()),
        ("lang", cx.patient_lang().name().into()),
        ("m", desk.master.version.into()),
        ("h", "".into()),
    ]))
}

/// In whose place somebody signs: `act` of a proxy, `by` of the registry.
fn signed_for(cx: &Cx<'_>, desk: &Desk, claims: &mut Value) -> anyhow::Result<()> {
    if cx.text("identified").is_some() {
        insert(claims, "by", "registry");
    } else if let Some(act) = proxy(cx, desk)? {
        insert(claims, "act", act);
    }
    Ok(())
}

/// `act` of a proxy's signature.
fn proxy(cx: &Cx<'_>, desk: &Desk) -> anyhow::Result<Option<Value>> {
    let Some(jti) = cx.text("proxy") else {
        return Ok(None);
    };
    let role = desk.by_jti(jti).filter(|t| t.typ == Typ::Key);
    let role = role.map(|t| t.text("role").to_owned()).with_context(|| {
        cx.say(
            "--proxy の鍵の登録がありません。enrol が表示した jti を指定してください",
            "--proxy: no such key binding. Give the jti that enrol printed",
        )
    })?;
    if desk.status(jti, None) == StatusNow::Revoked {
        bail!(cx.say(
            "--proxy の委任は取り消されています。本人の鍵で署名するか、あらためて登録してください: warifu consent enrol",
            "--proxy: this mandate was ended. Sign with the person's key, or bind the proxy anew: warifu consent enrol"
        ));
    }
    Ok(Some(object([("rel", role.into()), ("bnd", jti.into())])))
}

/// A file that is about to be made is not there: another may be the only copy of what was signed.
pub(super) fn fresh(cx: &Cx<'_>, path: Option<&Path>) -> anyhow::Result<()> {
    if let Some(path) = path.filter(|p| p.is_file()) {
        let shown = path.display();
        bail!(cx.say(
            &format!(
                "{shown} はすでにあります。署名したものは上書きしません。別の名を指定してください"
            ),
            &format!(
                "{shown} is there already; what was signed is never overwritten. Give another name"
            )
        ));
    }
    Ok(())
}

/// The key that signs: the person's or proxy's own, or, once the person was identified at the counter,
/// the registry's.
fn signing_key(cx: &Cx<'_>, desk: &Desk) -> anyhow::Result<SecretKey> {
    match cx.text("identified") {
        Some(_) => desk.signer(cx, "registry.pem"),
        None => read_key(cx, cx.path("key").unwrap_or(Path::new(""))),
    }
}

/// Who stands at the counter, if anybody does; what is signed there is about nobody else.
fn at_counter(cx: &Cx<'_>, desk: &Desk, sub: Option<&str>) -> anyhow::Result<Option<String>> {
    if cx.text("identified").is_none() {
        return Ok(None);
    }
    let person = pseudonym(cx, desk)?;
    if sub.is_some_and(|s| s != person) {
        bail!(cx.say(
            "窓口で確かめた方は、そのトークンの本人ではありません。--person の番号を確かめてください",
            "the person identified at the counter is not the one of the token. Check the id in --person"
        ));
    }
    Ok(Some(person))
}

/// Shows the text, and signs when the person agreed to it.
fn sign(
    cx: &Cx<'_>,
    desk: &Desk,
    typ: Typ,
    mut claims: Value,
    annex: Option<&Annex>,
) -> anyhow::Result<End> {
    signed_for(cx, desk, &mut claims)?;
    let text = text_claim(cx, desk, typ, &claims)?;
    insert(&mut claims, "txt", text);
    let (claims, shown) = bind_text(&desk.policy, &desk.master, typ, claims, annex)
        .map_err(|r| refused(cx, r.reason))?;
    for path in [cx.path("annex").filter(|_| annex.is_some()), cx.path("out")] {
        fresh(cx, path)?;
    }
    if !cx.m.get_flag("agree") {
        let value = object([("text", shown.as_str().into()), ("signed", false.into())]);
        cx.print(&value, &shown)?;
        crate::terminal::note(&cx.say(
            "まだ署名していません。この文に同意するときは --agree を付けて実行してください",
            "nothing is signed yet. To agree to this text, run it again with --agree",
        ));
        return Ok(End::Findings);
    }
    // What is signed is shown, also where an earlier run showed something else.
    crate::terminal::note(&shown);
    let key = signing_key(cx, desk)?;
    let jti = claims
        .get("jti")
        .and_then(Value::text)
        .unwrap_or_default()
        .to_owned();
    let token = make(typ, claims, &key).map_err(|e| unmade(cx, &e))?;
    if let (Some(annex), Some(path)) = (annex, cx.path("annex")) {
        write_private(cx, path, &annex.to_bytes())?;
    }
    finish(
        cx,
        typ,
        &token,
        &jti,
        Some(&shown),
        &key.public().thumbprint(),
    )
}

fn finish(
    cx: &Cx<'_>,
    typ: Typ,
    token: &str,
    jti: &str,
    shown: Option<&str>,
    kid: &str,
) -> anyhow::Result<End> {
    let mut value = object([
        ("typ", typ.wire().into()),
        ("jti", jti.into()),
        ("kid", kid.into()),
        ("token", token.into()),
    ]);
    if let Some(shown) = shown {
        insert(&mut value, "text", shown);
        insert(&mut value, "signed", true);
    }
    cx.give_token(token, &value, jti)?;
    Ok(End::Clean)
}

/// Hours that a grant may last which nobody asked for: it has neither nonce nor status (§4.1).
const OFFLINE_HOURS: u64 = 24;

/// A grant that a person makes without a connection, hence without a request, for a day at most.
fn offline_grant(cx: &Cx<'_>, desk: &Desk) -> anyhow::Result<End> {
    let hours = cx.int("hours").unwrap_or(OFFLINE_HOURS);
    if hours == 0 || hours > OFFLINE_HOURS {
        bail!(cx.say(
            &format!("求めのない同意は {OFFLINE_HOURS} 時間までです。--hours は 1 から {OFFLINE_HOURS} で指定してください"),
            &format!("a grant without a request lasts {OFFLINE_HOURS} hours at most: --hours is 1 to {OFFLINE_HOURS}")
        ));
    }
    let mut claims = object([
        ("sub", wrong::subject(cx, "sub")?.into()),
        ("aud", cx.codes("aud").into()),
        ("pur", cx.codes("pur").into()),
        ("cat", cx.codes("cat").into()),
        ("dat", object([])),
        ("iat", cx.now.into()),
        ("nbf", cx.now.into()),
        ("exp", (cx.now + hours * 3600).into()),
        ("jti", fresh_id()?.into()),
        ("obl", Value::from(vec!["NORDSCLCD"])),
    ]);
    wrong::codes(cx, desk, Typ::Grant, &claims)?;
    wrong::ceiling(cx, &desk.policy)?;
    wrong::exclusions(cx, desk)?;
    chosen(cx, &mut claims);
    sign(cx, desk, Typ::Grant, claims, Some(&exclusions(cx)?))
}

/// The list of exclusions of the command line.
fn exclusions(cx: &Cx<'_>) -> anyhow::Result<Annex> {
    Ok(Annex {
        src: cx.codes("exclude-facility"),
        lbl: cx.codes("exclude-label"),
        res: cx.codes("exclude-item"),
        ..Annex::empty(random()?)
    })
}

/// What the person adds to a grant.
fn chosen(cx: &Cx<'_>, claims: &mut Value) {
    if cx.m.get_flag("onward") {
        insert(claims, "dlg", true);
    }
    if let Some(most) = cx.int("uses") {
        insert(claims, "use", object([("max", most.into())]));
    }
}

/// Signs a grant for a request, or for less than it asks.
pub(super) fn grant(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::in_force(cx)?;
    if cx.m.get_flag("offline") {
        return offline_grant(cx, &desk);
    }
    let request = asked(cx, &desk, cx.input())?;
    let of = |name: &str| request.claims.get(name).cloned().unwrap_or(Value::Null);
    let wanted: Vec<String> = of("cat").texts().map(str::to_owned).collect();
    let mut cats = cx.codes("cat");
    if cats.is_empty() {
        cats.clone_from(&wanted);
    }
    if let Some(more) = cats.iter().find(|c| !wanted.contains(c)) {
        bail!(cx.say(
            &format!(
                "{more} は求められていません。求められたもの: {}",
                wanted.join(", ")
            ),
            &format!("{more} was not asked for. Asked for: {}", wanted.join(", "))
        ));
    }
    let most = request.int("terms").unwrap_or(0);
    let term = cx.int("days").map_or(most, days);
    if term > most {
        bail!(cx.say(
            &format!("期間は求められた {} 日までです", most / days(1)),
            &format!("the term is {} days at most, as asked for", most / days(1))
        ));
    }
    wrong::exclusions(cx, &desk)?;
    let annex = exclusions(cx)?;
    let mut claims = object([
        ("sub", of("sub")),
        ("aud", of("aud")),
        ("pur", of("pur")),
        ("cat", cats.into()),
        ("dat", of("dat")),
        ("iat", cx.now.into()),
        ("nbf", cx.now.into()),
        ("exp", cx.now.saturating_add(term).into()),
        ("jti", fresh_id()?.into()),
        ("nonce", of("nonce")),
        ("status", of("status")),
        ("obl", Value::from(vec!["NORDSCLCD"])),
    ]);
    wrong::codes(cx, &desk, Typ::Grant, &claims)?;
    chosen(cx, &mut claims);
    sign(cx, &desk, Typ::Grant, claims, Some(&annex))
}

/// An institution passes a grant on to one more (§4.6).
pub(super) fn onward(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::in_force(cx)?;
    fresh(cx, cx.path("out"))?;
    let known = cx.input().to_str().and_then(|name| desk.named(name));
    let (typ, parent, hash) = if let Some(token) = known {
        (token.typ, token.claims.clone(), token.hash.clone())
    } else {
        let token = cx.read_token(cx.input())?;
        let (typ, claims) = peek(&token).map_err(|r| refused(cx, r.reason))?;
        (typ, claims, token_hash(&token).unwrap_or_default())
    };
    if typ != Typ::Grant {
        return Err(refused(cx, Reason::Typ));
    }
    let of = |name: &str| parent.get(name).cloned().unwrap_or(Value::Null);
    let or_all_of_it = |name: &str| match cx.codes(name).as_slice() {
        [] => of(name),
        codes => codes.to_vec().into(),
    };
    let int = |name: &str| parent.get(name).and_then(Value::int).unwrap_or(0);
    let begins = int("nbf").max(cx.now);
    let ends = cx.int("days").map(|n| begins.saturating_add(days(n)));
    let jti = fresh_id()?;
    let mut claims = object([
        ("par", hash.into()),
        ("sub", of("sub")),
        (
            "aud",
            vec![cx.text("aud").unwrap_or_default().to_owned()].into(),
        ),
        ("pur", or_all_of_it("pur")),
        ("cat", or_all_of_it("cat")),
        ("dat", of("dat")),
        ("iat", cx.now.into()),
        ("nbf", begins.into()),
        ("exp", ends.unwrap_or_else(|| int("exp")).into()),
        ("jti", jti.as_str().into()),
    ]);
    for name in ["rec", "obl"] {
        if parent.get(name).is_some() {
            insert(&mut claims, name, of(name));
        }
    }
    wrong::codes(cx, &desk, Typ::Onward, &claims)?;
    let key = read_key(cx, cx.path("key").unwrap_or(Path::new("")))?;
    let kid = key.public().thumbprint();
    let signer = desk.institution(&kid).unwrap_or_default();
    if let Err(claim) = attenuates(&claims, &parent, &signer, cx.now) {
        let reason = Reason::Attenuation;
        bail!("{reason} ({claim}): {}", reason.sentence(cx.patient_lang()));
    }
    let token = make(Typ::Onward, claims, &key).map_err(|e| unmade(cx, &e))?;
    finish(cx, Typ::Onward, &token, &jti, None, &kid)
}

/// Signs a prohibition.
pub(super) fn deny(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::in_force(cx)?;
    let request = asked(cx, &desk, cx.input())?;
    let of = |name: &str| request.claims.get(name).cloned().unwrap_or(Value::Null);
    let claims = object([
        ("sub", of("sub")),
        ("iat", cx.now.into()),
        ("nbf", cx.now.into()),
        ("jti", fresh_id()?.into()),
        ("aud", or_all(cx.codes("aud")).into()),
        ("pur", or_all(cx.codes("pur")).into()),
        ("cat", or_all(cx.codes("cat")).into()),
        ("emg", cx.m.get_flag("emergency").into()),
        ("status", of("status")),
        ("nonce", of("nonce")),
    ]);
    wrong::codes(cx, &desk, Typ::Deny, &claims)?;
    sign(cx, &desk, Typ::Deny, claims, None)
}

/// Signs the end of a grant, of a prohibition or of a delegate's mandate.
pub(super) fn revoke(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::in_force(cx)?;
    // Whoever has lost the file names the token as the history does.
    let known = cx.input().to_str().and_then(|name| desk.named(name));
    let (typ, target) = match known {
        Some(token) => (token.typ, token.claims.clone()),
        None => peek(&cx.read_token(cx.input())?).map_err(|r| refused(cx, r.reason))?,
    };
    let of = |name: &str| target.get(name).cloned().unwrap_or(Value::Null);
    let what = Target::new(typ, &target);
    if !what.can_end() {
        bail!(if typ == Typ::Key {
            cx.say(
                "取り消せる鍵の登録は、委任 (delegate) だけです。この鍵をもう使わないときは: warifu consent register JWK --class patient --state retired",
                "of key bindings only a delegate's can be ended so. For a key that is not used any more: warifu consent register JWK --class patient --state retired",
            )
        } else {
            cx.say(
                &format!("{} は取り消せません。同意、禁止、委任の登録 (delegate) のどれかを指定してください", typ.wire()),
                &format!("{} cannot be ended. Give a grant, a prohibition or a delegate's binding", typ.wire()),
            )
        });
    }
    at_counter(cx, &desk, Some(&what.sub))?;
    let mut claims = object([
        ("sub", what.sub.into()),
        ("iat", cx.now.into()),
        ("jti", fresh_id()?.into()),
        ("rev", of("jti")),
        ("rsn", cx.text("reason").unwrap_or("withdrawn").into()),
    ]);
    if typ == Typ::Deny {
        let Some(path) = cx.path("request") else {
            bail!(cx.say(
                "禁止を終えると見えるものが増えるので、求めが要ります: --request FILE (warifu consent request)",
                "ending a prohibition opens data and needs a request: --request FILE (warifu consent request)"
            ));
        };
        let request = asked(cx, &desk, path)?;
        insert(&mut claims, "nonce", request.text("nonce"));
        return sign(cx, &desk, Typ::Revoke, claims, None);
    }
    fresh(cx, cx.path("out"))?;
    signed_for(cx, &desk, &mut claims)?;
    let key = signing_key(cx, &desk)?;
    let jti = claims
        .get("jti")
        .and_then(Value::text)
        .unwrap_or_default()
        .to_owned();
    let token = make(Typ::Revoke, claims, &key).map_err(|e| unmade(cx, &e))?;
    finish(
        cx,
        Typ::Revoke,
        &token,
        &jti,
        None,
        &key.public().thumbprint(),
    )
}

/// Signs an objection to secondary use, or its withdrawal.
pub(super) fn object_to(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::in_force(cx)?;
    let counter = at_counter(cx, &desk, cx.text("sub"))?;
    let sub = counter.as_deref().or(cx.text("sub")).unwrap_or_default();
    if counter.is_some() && cx.m.get_flag("withdraw") {
        bail!(cx.say(
            "拒否の申出の取りやめは、本人の鍵で署名します (窓口では拒否だけを受け付けます): --key FILE",
            "an objection is withdrawn with the person's own key (the counter takes objections only): --key FILE"
        ));
    }
    let mut purposes = cx.codes("pur");
    if purposes.is_empty() {
        purposes = vec!["ANON".to_owned(), "PSEUDO".to_owned()];
    }
    if counter.is_none() {
        wrong::subject(cx, "sub")?;
    }
    wrong::objection(cx, &desk, &purposes)?;
    let state = if cx.m.get_flag("withdraw") {
        "off"
    } else {
        "on"
    };
    let claims = object([
        ("sub", sub.into()),
        ("iat", cx.now.into()),
        ("jti", fresh_id()?.into()),
        ("seq", desk.last_seq(sub).map_or(0, |n| n + 1).into()),
        ("pur", purposes.into()),
        ("to", or_all(cx.codes("to")).into()),
        ("src", or_all(cx.codes("src")).into()),
        ("state", state.into()),
    ]);
    sign(cx, &desk, Typ::Objection, claims, None)
}

/// A facility asserts an emergency (§10.2).
pub(super) fn emergency(cx: &Cx<'_>) -> anyhow::Result<End> {
    let sub = wrong::subject(cx, "sub")?;
    fresh(cx, cx.path("out"))?;
    let hours = cx.int("hours").unwrap_or(24).min(24);
    let jti = fresh_id()?;
    let claims = object([
        ("sub", sub.into()),
        ("rsn", cx.text("reason").unwrap_or_default().into()),
        ("idm", cx.text("idm").unwrap_or_default().into()),
        ("iat", cx.now.into()),
        ("exp", cx.now.saturating_add(hours * 3600).into()),
        ("jti", jti.as_str().into()),
        (
            "per",
            object([("role", cx.text("role").unwrap_or_default().into())]),
        ),
    ]);
    let key = read_key(cx, cx.path("key").unwrap_or(Path::new("")))?;
    let token = make(Typ::BreakGlass, claims, &key).map_err(|e| unmade(cx, &e))?;
    let kid = key.public().thumbprint();
    finish(cx, Typ::BreakGlass, &token, &jti, None, &kid)
}

/// An authority declares disaster mode for areas and days (§10.7).
pub(super) fn disaster(cx: &Cx<'_>) -> anyhow::Result<End> {
    fresh(cx, cx.path("out"))?;
    let area = cx.codes("area");
    if let Some(code) = area.iter().find(|a| !is_area(a, &[2, 5])) {
        bail!(cx.say(
            &format!("--area の {code} は、都道府県 (2 桁) か市区町村 (5 桁) の番号 (JIS X 0401、0402) ではありません"),
            &format!("--area {code}: no number of a prefecture (2 digits) or municipality (5 digits, JIS X 0401 and 0402)")
        ));
    }
    let (from, to) = (wrong::day(cx, "from")?, wrong::day(cx, "to")?);
    let begins = from.map_or(cx.now, Date::starts);
    // The last day is one of the days.
    let ends = to.map_or(begins, |to| to.starts().saturating_add(days(1)));
    if ends <= begins.max(cx.now) {
        bail!(cx.say(
            "--to は --from より前でも、今日より前でもない日にしてください",
            "--to has to be no day before --from, and none before today"
        ));
    }
    let jti = fresh_id()?;
    let claims = object([
        ("iat", cx.now.into()),
        ("jti", jti.as_str().into()),
        ("area", area.into()),
        ("from", begins.into()),
        ("to", ends.into()),
    ]);
    let key = read_key(cx, cx.path("key").unwrap_or(Path::new("")))?;
    let token = make(Typ::Disaster, claims, &key).map_err(|e| unmade(cx, &e))?;
    let kid = key.public().thumbprint();
    finish(cx, Typ::Disaster, &token, &jti, None, &kid)
}

/// Verifies a token; with `--accept` it is kept, logged and answered with a receipt.
pub(super) fn verify(cx: &Cx<'_>) -> anyhow::Result<End> {
    let mut desk = Desk::in_force(cx)?;
    let token = cx.read_token(cx.input())?;
    let annex = cx.path("annex").map(|p| cx.read(p)).transpose()?;
    let court = Court {
        keys: &desk,
        ledger: &desk,
        policy: &desk.policy,
        master: desk.master_of(&token),
        now: cx.now,
        endpoint: None,
    };
    let verdict = if cx.m.get_flag("offline") {
        let types = [Typ::Grant, Typ::Onward];
        check_offline(&court, &token, &types).map(|(token, _)| Accepted::New(token))
    } else {
        accept(&court, &token, Typ::ALL, annex.as_deref())
    };
    match verdict {
        Err(refusal) => {
            let reason = refusal.reason;
            let sentence = reason.sentence(cx.patient_lang());
            let mut value = object([
                ("ok", false.into()),
                ("reason", reason.wire().into()),
                ("step", u64::from(reason.step()).into()),
                ("text", sentence.into()),
            ]);
            if let Some(claim) = refusal.claim {
                insert(&mut value, "claim", claim);
            }
            let remedy = wrong::remedy(cx, reason);
            insert(&mut value, "remedy", remedy.as_str());
            let claim = refusal.claim.map(|c| format!(" ({c})")).unwrap_or_default();
            cx.print(&value, &format!("{reason}{claim}: {sentence}\n{remedy}"))?;
            Ok(End::Findings)
        }
        Ok(Accepted::Again(token, status)) => {
            let over = token.int("exp").is_some_and(|exp| exp <= cx.now);
            let word = match status {
                StatusNow::Valid if over => "expired",
                StatusNow::Valid => "valid",
                StatusNow::Revoked => "revoked",
                StatusNow::Stale => "stale",
                StatusNow::Unavailable => "unavailable",
            };
            let value = object([
                ("ok", true.into()),
                ("again", true.into()),
                ("status", word.into()),
                ("hash", token.hash.as_str().into()),
                ("claims", token.claims.clone()),
            ]);
            let text = cx.say(
                &format!("受付済みです (今の状態: {word})"),
                &format!("accepted before (state now: {word})"),
            );
            cx.print(&value, &text)?;
            // Handing it in again is no mistake; what is asked for otherwise is whether it counts.
            Ok(if word == "valid" || cx.m.get_flag("accept") {
                End::Clean
            } else {
                End::Findings
            })
        }
        Ok(Accepted::New(opened)) => {
            let mut value = object([
                ("ok", true.into()),
                ("typ", opened.typ.wire().into()),
                ("kid", opened.kid.as_str().into()),
                ("hash", opened.hash.as_str().into()),
                ("claims", opened.claims.clone()),
            ]);
            let mut text = cx.say("確かめました", "verified");
            if cx.m.get_flag("accept") {
                let receipt = keep(cx, &mut desk, &token, &opened, annex.as_deref())?;
                text = cx.say("受け付け、ログに記録しました", "accepted and logged");
                if let Some(receipt) = receipt {
                    insert(&mut value, "receipt", receipt.as_str());
                    if cx.path("out").is_some() {
                        cx.give(format!("{receipt}\n").as_bytes())?;
                    }
                }
            }
            cx.print(
                &value,
                &format!("{text}: {} {}", opened.typ.wire(), opened.text("jti")),
            )?;
            Ok(End::Clean)
        }
    }
}

/// Keeps and logs an accepted token; the receipt where its type has a text that was shown.
fn keep(
    cx: &Cx<'_>,
    desk: &mut Desk,
    token: &str,
    opened: &Opened,
    annex: Option<&[u8]>,
) -> anyhow::Result<Option<String>> {
    let hash = opened.hash.as_str();
    let mut tok = vec![("tok", hash.into())];
    if opened.claims.get("by").is_some() {
        let Some(how) = cx.text("identified") else {
            bail!(cx.say(
                "窓口で署名したトークンです。本人確認の方法を付けて受け付けてください: --accept --identified jpki または counter",
                "the counter signed this token. Accept it with how the person was identified: --accept --identified jpki or counter"
            ));
        };
        tok.push(("idp", how.into()));
    }
    let emergency = [
        (
            "rcp",
            desk.institution(&opened.kid).unwrap_or_default().into(),
        ),
        (
            "role",
            opened
                .claims
                .get("per")
                .and_then(|p| p.get("role")?.text())
                .unwrap_or("-")
                .into(),
        ),
        ("rsn", opened.text("rsn").into()),
        ("idm", opened.text("idm").into()),
        ("tok", hash.into()),
    ];
    let (kind, members): (Kind, &[(&str, warifu_log::Value)]) = match opened.typ {
        Typ::Grant | Typ::Onward => (Kind::Grant, &tok),
        Typ::Deny => (Kind::Deny, &tok),
        Typ::Revoke => (Kind::Revoke, &tok),
        Typ::Objection => (Kind::Objection, &tok),
        Typ::BreakGlass => (Kind::BreakGlass, &emergency),
        Typ::Disaster => (Kind::Disaster, &tok),
        Typ::Release => bail!(cx.say(
            "匿名加工情報などの提供の目録は、葉と一緒に確かめます: warifu consent release verify FILE --leaves FILE --accept",
            "the manifest of a release is judged with its leaves: warifu consent release verify FILE --leaves FILE --accept"
        )),
        other => bail!(cx.say(
            &format!("{} は受け付けて残すものではありません", other.wire()),
            &format!("{} is not kept", other.wire())
        )),
    };
    let appended = desk.keep(cx, token, Some((kind, members)), annex)?;
    // A revoke of a grant was not shown as a text: its receipt names the text of what it ended.
    let target = desk.by_jti(opened.text("rev")).map(|t| t.claims.clone());
    let of = |name: &str| {
        let own = opened.claims.get(name).cloned();
        own.or_else(|| target.as_ref()?.get(name).cloned())
    };
    let (Some(notice), Some(appended)) = (of("txt"), appended) else {
        return Ok(None);
    };
    let Some(place) = appended.place else {
        return Ok(None);
    };
    let mut record = object([
        ("schema", "ISO/IEC TS 27560:2023".into()),
        ("controller", desk.origin.as_str().into()),
        ("contact", desk.master.contact.as_str().into()),
        ("notice", notice),
        ("withdrawal", "warifu consent revoke".into()),
        (
            "state",
            if opened.typ == Typ::Revoke {
                "ended"
            } else {
                "accepted"
            }
            .into(),
        ),
    ]);
    for (from, to) in [
        ("pur", "purposes"),
        ("cat", "categories"),
        ("aud", "recipients"),
    ] {
        if let Some(codes) = of(from) {
            insert(&mut record, to, codes);
        }
    }
    let claims = object([
        ("sub", opened.text("sub").into()),
        ("iat", cx.now.into()),
        ("jti", fresh_id()?.into()),
        ("tok", hash.into()),
        ("of", opened.typ.wire().into()),
        ("at", cx.now.into()),
        ("n", place.n.into()),
        ("head", appended.leaf.url().into()),
        ("leaf", appended.leaf.url().into()),
        ("rec", record),
    ]);
    let receipt =
        make(Typ::Receipt, claims, &desk.signer(cx, "server.pem")?).map_err(|e| unmade(cx, &e))?;
    Ok(Some(receipt))
}

/// What a token says, not verified.
pub(super) fn show(cx: &Cx<'_>) -> anyhow::Result<End> {
    let token = cx.read_token(cx.input())?;
    let (typ, claims) = peek(&token).map_err(|r| refused(cx, r.reason))?;
    if cx.m.get_flag("qr") {
        let Some(text) = to_qr(&token) else {
            bail!(cx.say(
                "相手が複数あるトークンは QR にできません (それぞれが、ほかの相手の名を読めてしまいます)。相手を一つにした同意を作ってください: warifu consent request --aud CODE",
                "a token with several recipients has no QR symbol (each would read the others' names). Make a grant for one recipient: warifu consent request --aud CODE"
            ));
        };
        cx.print(&object([("qr", text.as_str().into())]), &text)?;
        return Ok(End::Clean);
    }
    let hash = warifu_consent::token_hash(&token).unwrap_or_default();
    let value = object([
        ("typ", typ.wire().into()),
        ("hash", hash.as_str().into()),
        ("verified", false.into()),
        ("claims", claims.clone()),
    ]);
    let mut text = format!("{} {hash}\n", typ.wire());
    for (name, value) in claims.members().into_iter().flatten() {
        let shown = match value {
            Value::Text(t) => t.clone(),
            other => other.write(),
        };
        text.extend(["  ", name, " ", &shown, "\n"]);
    }
    text.push_str(&cx.say("(確かめていません)", "(not verified)"));
    cx.print(&value, &text)?;
    Ok(End::Clean)
}
