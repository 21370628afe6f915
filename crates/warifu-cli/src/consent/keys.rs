//! Keys: making, reading, registering, binding to persons.

use std::path::Path;

use anyhow::{Context as _, bail};
use warifu_consent::json::{Value, object};
use warifu_consent::{
    Date, KeyState, PublicKey, SecretKey, Signer as _, SignerClass, Typ, binding_claims, hash,
    make, wire,
};
use warifu_log::Kind;
use warifu_store::private;
use zeroize::Zeroizing;

use super::desk::{Desk, Registered};
use super::{Cx, fresh_id, random, wrong};
use crate::End;

/// Makes a key: the private half into a new file of its owner alone, the public one to stdout.
pub(super) fn keygen(cx: &Cx<'_>) -> anyhow::Result<End> {
    let path = cx.path("out").unwrap_or(Path::new(""));
    let key = SecretKey::from_seed(&mut Zeroizing::new(random::<32>()?));
    let text = match cx.text("format") {
        Some("jwk") => key.to_jwk(),
        _ => key.to_pem(),
    };
    write_private(cx, path, text.as_bytes())?;
    let public = key.public();
    let value = object([("kid", public.thumbprint().into()), ("jwk", public.jwk())]);
    cx.print(&value, &public.jwk().write())?;
    Ok(End::Clean)
}

/// Writes a secret into a file that did not exist and that only its owner reads.
pub(super) fn write_private(cx: &Cx<'_>, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    match private::write(path, bytes) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            let shown = path.display();
            bail!(cx.say(
                &format!("{shown} はすでにあります。鍵は上書きしません。別の名を指定してください"),
                &format!("{shown} is there already; a key is never overwritten. Give another name")
            ))
        }
        Err(e) => Err(e).with_context(|| path.display().to_string()),
    }
}

/// Reads a file with a secret; refused when others may read it.
pub(super) fn read_private(cx: &Cx<'_>, path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    if !path.exists() {
        bail!(crate::mistakes::not_found(path, cx.lang));
    }
    let shown = path.display();
    let read = private::read(path).with_context(|| shown.to_string())?;
    read.with_context(|| {
        cx.say(
            &format!("{shown} はほかの人も読めます。次を実行してください: chmod 600 {shown}"),
            &format!("others can read {shown}. Run: chmod 600 {shown}"),
        )
    })
}

/// A private key from its file: PEM (PKCS #8), DER (PKCS #8) or JWK.
pub(super) fn read_key(cx: &Cx<'_>, path: &Path) -> anyhow::Result<SecretKey> {
    let bytes = read_private(cx, path)?;
    let key = match core::str::from_utf8(&bytes) {
        Ok(text) if text.trim_start().starts_with('{') => SecretKey::from_jwk(text),
        Ok(text) => SecretKey::from_pem(text),
        Err(_) => SecretKey::from_pkcs8(&bytes),
    };
    key.map_err(|_| {
        let shown = path.display();
        anyhow::anyhow!(cx.say(
            &format!("{shown} は Ed25519 の秘密鍵 (PKCS #8 または JWK) ではありません。作り方: warifu consent keygen --out FILE"),
            &format!("{shown} is no private Ed25519 key (PKCS #8 or JWK). Make one: warifu consent keygen --out FILE")
        ))
    })
}

pub(super) fn read_public(cx: &Cx<'_>, path: &Path) -> anyhow::Result<PublicKey> {
    let bytes = cx.read(path)?;
    PublicKey::from_jwk(bytes.trim_ascii()).map_err(|_| {
        let shown = path.display();
        anyhow::anyhow!(cx.say(
            &format!("{shown} は Ed25519 の公開鍵の JWK ではありません。keygen が表示したものを指定してください"),
            &format!("{shown} is no public Ed25519 JWK. Give what keygen printed")
        ))
    })
}

/// Whether a code is the number of an area of JIS X 0402, of one of these lengths.
pub(super) fn is_area(code: &str, digits: &[usize]) -> bool {
    digits.contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit())
}

/// Puts a key into the register, or changes its state, which never goes back.
pub(super) fn register(cx: &Cx<'_>) -> anyhow::Result<End> {
    let mut desk = Desk::open(cx)?;
    let key = read_public(cx, cx.input())?;
    let class = cx.text("class").unwrap_or_default();
    let class = SignerClass::from_name(class).context("class")?;
    let at = match wrong::day(cx, "since")? {
        None => cx.now,
        Some(day) if day.starts() <= cx.now => day.starts(),
        Some(_) => bail!(cx.say(
            "--since は今日より前の日にしてください",
            "--since has to be a day that has begun"
        )),
    };
    let state = wire::key_state(cx.text("state").unwrap_or("active"), at);
    let state = state.context("state")?;
    let code = cx.text("code").map(str::to_owned);
    let coded = [SignerClass::Institution, SignerClass::Certified];
    if coded.contains(&class) && code.is_none() {
        bail!(cx.say(
            "施設や認定事業者の鍵には --code (mi:…、cert:… など) が必要です",
            "the key of an institution or a certified body needs --code (mi:…, cert:… and the like)"
        ));
    }
    let area = cx.text("area").map(str::to_owned);
    if area.as_deref().is_some_and(|a| !is_area(a, &[5])) {
        bail!(cx.say(
            "--area は市区町村の 5 桁の番号 (JIS X 0402) です",
            "--area is the number of a municipality, 5 digits (JIS X 0402)"
        ));
    }
    let kid = key.thumbprint();
    if desk.keys.iter().any(|k| k.kid == kid && k.class != class) {
        bail!(cx.say(
            "この鍵はほかの種類の署名者として登録されています。用途ごとに別の鍵を作ってください",
            "this key is registered for another class of signer. Make a key for each use"
        ));
    }
    match desk
        .keys
        .iter_mut()
        .find(|k| k.kid == kid && k.class == class)
    {
        Some(known) => {
            if known.state != KeyState::Active && state != known.state {
                bail!(cx.say(
                    "使い終えた鍵や盗まれたおそれのある鍵の状態は元に戻せません。新しい鍵を作ってください",
                    "a retired or compromised key never changes again. Make a new key"
                ));
            }
            if code.is_some() && code != known.code {
                bail!(cx.say(
                    "この鍵は別の施設のコードで登録されています。施設ごとに鍵を作ってください",
                    "this key is registered with the code of another institution. Make a key for each"
                ));
            }
            known.state = state;
            known.emergency |= cx.m.get_flag("emergency");
            known.area = area.or(known.area.take());
        }
        None => desk.keys.push(Registered {
            class,
            key: key.clone(),
            kid: kid.clone(),
            state,
            code,
            emergency: cx.m.get_flag("emergency"),
            area,
        }),
    }
    desk.write_keys()?;
    let (name, at) = wire::key_state_names(state);
    let value = object([
        ("kid", kid.as_str().into()),
        ("state", name.into()),
        ("at", at.into()),
    ]);
    cx.print(&value, &format!("{kid} {name}"))?;
    Ok(End::Clean)
}

/// Pseudonyms of the persons whose ids stand in a file, one a line; blank lines have none.
pub(super) fn pseudonyms(
    cx: &Cx<'_>,
    desk: &Desk,
    path: &Path,
) -> anyhow::Result<Vec<Option<String>>> {
    let ids = Zeroizing::new(String::from_utf8(cx.read(path)?).unwrap_or_default());
    let holder = desk.secret(cx, "holder.key")?;
    let named = ids.lines().map(str::trim).map(|id| {
        let made = || hash::pseudonym(&holder, &desk.origin, id).context("pseudonym");
        (!id.is_empty()).then(made).transpose()
    });
    named.collect()
}

/// Pseudonym of the person whose id is in `--person`, a file or stdin.
pub(super) fn pseudonym(cx: &Cx<'_>, desk: &Desk) -> anyhow::Result<String> {
    let from = cx.path("person").unwrap_or(Path::new("-"));
    let person = Zeroizing::new(String::from_utf8(cx.read(from)?).unwrap_or_default());
    let person = person.trim();
    if person.is_empty() {
        bail!(cx.say(
            "患者番号がありません。--person のファイルか標準入力に一行で書いてください",
            "there is no id. Write it as one line into the file of --person, or to stdin"
        ));
    }
    let holder = desk.secret(cx, "holder.key")?;
    hash::pseudonym(&holder, &desk.origin, person).context("pseudonym")
}

/// The keys that sign for a person, own and proxies', and what became of them: what is to be ended is
/// named by the `jti` shown here.
pub(super) fn of_person(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::open(cx)?;
    let sub = wrong::subject(cx, "sub")?;
    let mut rows = Vec::new();
    let mut text = String::new();
    for (binding, since, ended) in desk.bindings_for(sub) {
        let key = desk.keys.iter().find(|k| k.kid == binding.kid);
        let state = key.map_or("retired", |k| wire::key_state_names(k.state).0);
        let of_age = binding.until.is_some_and(|day| day <= Date::at(cx.now));
        let state = match state {
            "active" if ended => "ended",
            "active" if of_age || !binding.in_force(cx.now) => "expired",
            state => state,
        };
        let mut row = object([
            ("jti", binding.jti.as_str().into()),
            ("kid", binding.kid.as_str().into()),
            ("role", binding.role.as_str().into()),
            ("ial", binding.ial.as_str().into()),
            ("since", since.into()),
            ("state", state.into()),
        ]);
        if let (Value::Object(members), Some(scope)) = (&mut row, binding.scope) {
            members.insert("scope".to_owned(), scope.into());
        }
        let line = [&binding.jti, " ", &binding.role, " ", state, "\n"];
        text.extend(line);
        rows.push(row);
    }
    cx.print(&object([("keys", Value::Array(rows))]), &text)?;
    Ok(End::Clean)
}

/// Binds a key to a person: pseudonym, binding signed by the authority, line in the log.
pub(super) fn enrol(cx: &Cx<'_>) -> anyhow::Result<End> {
    let mut desk = Desk::open(cx)?;
    let key = read_public(cx, cx.input())?;
    let sub = pseudonym(cx, &desk)?;
    let role = cx.text("role").unwrap_or("patient");
    let represents = cx.text("for");
    if represents.is_some() {
        wrong::subject(cx, "for")?;
    }
    if (role == "patient") == represents.is_some() {
        bail!(cx.say(
            "代理の役割には --for (代理される方の仮名) が必要で、本人には使えません",
            "a proxy's role needs --for (pseudonym of the represented person), a patient's takes none"
        ));
    }
    let jti = fresh_id()?;
    let ial = cx.text("ial").unwrap_or("counter");
    let mut claims = binding_claims(&key, &sub, [role, ial], represents, cx.now, &jti);
    if let Value::Object(members) = &mut claims {
        for (flag, claim) in [("until", "until"), ("until-obj", "until_obj")] {
            if let Some(day) = cx.text(flag) {
                if Date::parse(day).is_none() {
                    bail!(cx.say(
                        &format!("--{flag} は 2030-04-01 の形で指定してください"),
                        &format!("--{flag} looks like 2030-04-01")
                    ));
                }
                members.insert(claim.to_owned(), day.into());
            }
        }
        let scope = cx.codes("scope");
        wrong::scope(cx, &desk.policy, &scope)?;
        if !scope.is_empty() {
            members.insert("scp".to_owned(), scope.into());
        }
    }
    let token = make(Typ::Key, claims, &desk.signer(cx, "authority.pem")?)?;
    let kid = key.thumbprint();
    let known = desk.keys.iter().find(|k| k.kid == kid);
    match known.map(|k| (k.class, k.state)) {
        None => desk.keys.push(Registered {
            class: SignerClass::Patient,
            key: key.clone(),
            kid: kid.clone(),
            state: KeyState::Active,
            code: None,
            emergency: false,
            area: None,
        }),
        Some((SignerClass::Patient, KeyState::Active)) => {}
        Some(_) => bail!(cx.say(
            "この鍵はほかの用途の鍵か、もう使えない鍵です。本人の新しい鍵を作ってください",
            "this key has another use, or is not used any more. Make a new key for the person"
        )),
    }
    desk.write_keys()?;
    let members = [
        ("kid", kid.as_str().into()),
        ("role", role.into()),
        ("ial", ial.into()),
    ];
    desk.keep(cx, &token, Some((Kind::Key, &members)), None)?;
    let value = object([
        ("sub", sub.as_str().into()),
        ("kid", kid.into()),
        ("jti", jti.as_str().into()),
        ("token", token.as_str().into()),
    ]);
    if cx.path("out").is_some() {
        cx.give(format!("{token}\n").as_bytes())?;
    }
    cx.print(&value, &format!("{sub} {jti}"))?;
    Ok(End::Clean)
}
