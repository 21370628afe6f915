//! What is wrong with a value before anything is made of it, and what to do about a refusal.

use anyhow::bail;
use warifu_consent::json::Value;
use warifu_consent::{Date, Policy, Purpose, Reason, Typ, is_subject, unfit};
use warifu_diag::nearest::nearest;

use super::Cx;
use super::desk::Desk;

/// `--name value`: what is wrong, the nearest name, all names.
fn unknown(cx: &Cx<'_>, option: &str, value: &str, known: &[&str]) -> anyhow::Error {
    let close = nearest(value, known.iter().copied());
    let (ja, en) = close.map_or_else(Default::default, |n| {
        (format!("もしかして: {n}。"), format!("Did you mean {n}? "))
    });
    let all = known.join(", ");
    anyhow::anyhow!(cx.say(
        &format!("--{option} の {value} は決められた値ではありません。{ja}一覧: {all}"),
        &format!("--{option} {value}: there is no such value. {en}There are: {all}")
    ))
}

fn purposes(policy: &Policy) -> Vec<&str> {
    policy.purposes().map(|p| p.code.as_str()).collect()
}

fn categories(policy: &Policy) -> Vec<&str> {
    policy
        .categories()
        .iter()
        .map(|c| c.code.as_str())
        .collect()
}

/// A pseudonym of `--sub` or `--for`.
pub(super) fn subject<'c>(cx: &'c Cx<'_>, option: &str) -> anyhow::Result<&'c str> {
    let sub = cx.text(option).unwrap_or_default();
    if !is_subject(sub) {
        bail!(cx.say(
            &format!("--{option} が仮名の形ではありません。enrol が表示した s1. で始まる 25 文字を指定してください"),
            &format!("--{option} is no pseudonym. Give the 25 characters from s1. on that enrol printed")
        ));
    }
    Ok(sub)
}

/// A day of an option.
pub(super) fn day(cx: &Cx<'_>, option: &str) -> anyhow::Result<Option<Date>> {
    let Some(text) = cx.text(option) else {
        return Ok(None);
    };
    let day = Date::parse(text);
    if day.is_none() {
        bail!(cx.say(
            &format!("--{option} は 2026-04-01 の形で指定してください"),
            &format!("--{option} looks like 2026-04-01")
        ));
    }
    Ok(day)
}

/// The purpose of `--pur`.
pub(super) fn purpose(cx: &Cx<'_>, policy: &Policy) -> anyhow::Result<Purpose> {
    let code = cx.text("pur").unwrap_or_default();
    let found = policy.purpose(code);
    found.ok_or_else(|| unknown(cx, "pur", code, &purposes(policy)))
}

/// Categories of `--cat`: known, and at least one.
pub(super) fn cats(cx: &Cx<'_>, policy: &Policy) -> anyhow::Result<Vec<String>> {
    let codes = cx.codes("cat");
    let known = categories(policy);
    if let Some(code) = codes.iter().find(|c| !known.contains(&c.as_str())) {
        return Err(unknown(cx, "cat", code, &known));
    }
    if codes.is_empty() {
        bail!(cx.say(
            &format!(
                "項目の種類がありません。--cat か --item を指定してください。一覧: {}",
                known.join(", ")
            ),
            &format!(
                "the item has no category. Give --cat or --item. There are: {}",
                known.join(", ")
            )
        ));
    }
    Ok(codes)
}

/// Purposes and categories of `--scope`.
pub(super) fn scope(cx: &Cx<'_>, policy: &Policy, codes: &[String]) -> anyhow::Result<()> {
    let mut known = purposes(policy);
    known.extend(categories(policy));
    match codes.iter().find(|c| !known.contains(&c.as_str())) {
        Some(code) => Err(unknown(cx, "scope", code, &known)),
        None => Ok(()),
    }
}

/// A recipient of `--as`.
pub(super) fn recipient(cx: &Cx<'_>, policy: &Policy, code: &str) -> anyhow::Result<()> {
    if policy.is_recipient(code) {
        return Ok(());
    }
    bail!(cx.say(
        &format!("--as の {code} は相手のコードではありません。mi: と 10 桁 (医療機関)、kg:、app:、rs:、rg:、cert:、または subject、proxy を指定してください"),
        &format!("--as {code}: no code of a recipient. Give mi: and 10 digits (an institution), kg:, app:, rs:, rg: or cert:, or subject or proxy")
    ))
}

/// Facilities and labels that are left out.
pub(super) fn exclusions(cx: &Cx<'_>, desk: &Desk) -> anyhow::Result<()> {
    for code in cx.codes("exclude-facility") {
        facility(cx, desk, "exclude-facility", &code)?;
    }
    let labels: Vec<&str> = desk
        .policy
        .labels()
        .iter()
        .map(|l| l.code.as_str())
        .collect();
    for label in cx.codes("exclude-label") {
        if !labels.contains(&label.as_str()) {
            return Err(unknown(cx, "exclude-label", &label, &labels));
        }
    }
    if let Some(key) = cx
        .codes("exclude-item")
        .iter()
        .find(|k| !k.starts_with("r."))
    {
        bail!(cx.say(
            &format!("--exclude-item の {key} は記録のキーではありません。filter --withheld が示す r. で始まるものを指定してください"),
            &format!("--exclude-item {key}: no key of a record. Give one that begins with r., as filter --withheld shows")
        ));
    }
    Ok(())
}

fn facility(cx: &Cx<'_>, desk: &Desk, option: &str, code: &str) -> anyhow::Result<()> {
    if code == "*" || desk.master.has(code) {
        return Ok(());
    }
    bail!(cx.say(
        &format!("--{option} の {code} が施設の台帳にないか、台帳の名が名として読めません (改行や制御文字、200 字超)。desk/master.json に書いてください"),
        &format!("--{option} {code} is not in the master of facilities, or its name there is none (line feeds, control characters, more than 200). Write it into desk/master.json")
    ))
}

/// The facility of `--src`.
pub(super) fn source<'c>(cx: &'c Cx<'_>, desk: &Desk) -> anyhow::Result<&'c str> {
    let code = cx.text("src").unwrap_or_default();
    facility(cx, desk, "src", code)?;
    Ok(code)
}

/// Bodies and sources of an objection, and its purposes.
pub(super) fn objection(cx: &Cx<'_>, desk: &Desk, purposes: &[String]) -> anyhow::Result<()> {
    for option in ["to", "src"] {
        for code in cx.codes(option) {
            facility(cx, desk, option, &code)?;
        }
    }
    let opt_out: Vec<&str> = desk
        .policy
        .purposes()
        .map(|p| p.code.as_str())
        .filter(|p| {
            let kind = desk.policy.purpose(p).and_then(|p| desk.policy.consent(p));
            kind == Some(warifu_consent::Consent::OptOut)
        })
        .collect();
    if let Some(code) = purposes.iter().find(|p| !opt_out.contains(&p.as_str())) {
        return Err(unknown(cx, "pur", code, &opt_out));
    }
    Ok(())
}

/// Refuses claims that could never be accepted, before anybody signs them.
pub(super) fn codes(cx: &Cx<'_>, desk: &Desk, typ: Typ, claims: &Value) -> anyhow::Result<()> {
    let Some(bad) = unfit(&desk.policy, &desk.master, typ, claims) else {
        return Ok(());
    };
    let code = bad.code.as_str();
    let policy = &desk.policy;
    Err(match bad.refusal.reason {
        Reason::PurposeUnknown if policy.purpose(code).is_some() => anyhow::anyhow!(cx.say(
            &format!("{code} は法令によるもので、同意では求めません"),
            &format!("{code} rests on a statute; it is not asked for by consent")
        )),
        Reason::PurposeUnknown => unknown(cx, "pur", code, &purposes(policy)),
        Reason::CategoryUnknown => unknown(cx, "cat", code, &categories(policy)),
        Reason::AudUnknown if policy.is_recipient(code) => {
            return facility(cx, desk, "aud", code);
        }
        Reason::IndividualBundled => anyhow::anyhow!(cx.say(
            &format!("{code} は、それだけを一つの同意で求めます。--cat {code} だけの求めを別に作ってください"),
            &format!("{code} takes a consent of its own. Make a request of its own, with --cat {code} alone")
        )),
        Reason::OptoutAsGrant => anyhow::anyhow!(cx.say(
            &format!("{code} は同意ではなく、拒否の申出で止めるものです: warifu consent object --pur {code}"),
            &format!("{code} is not granted; it is stopped by an objection: warifu consent object --pur {code}")
        )),
        Reason::AudWildcard => anyhow::anyhow!(cx.say(
            "--aud mi:* は --pur ETREAT,DISASTER だけで使えます。ほかの目的では相手を一つずつ指定してください",
            "--aud mi:* goes with --pur ETREAT,DISASTER only. For other purposes name each recipient"
        )),
        _ => anyhow::anyhow!(cx.say(
            &format!("--aud の {code} は相手のコードではありません。mi: と 10 桁 (医療機関)、kg:、app:、rs:、rg: を指定してください"),
            &format!("--aud {code}: no code of a recipient. Give mi: and 10 digits (an institution), kg:, app:, rs: or rg:")
        )),
    })
}

/// Refuses to ask for what no grant would open: more than the ceiling of each purpose and recipient.
pub(super) fn ceiling(cx: &Cx<'_>, policy: &Policy) -> anyhow::Result<()> {
    let purposes = cx.codes("pur");
    let purposes: Vec<Purpose> = purposes.iter().filter_map(|p| policy.purpose(p)).collect();
    let to = cx.codes("aud");
    for code in cx.codes("cat") {
        let opens = |p: Purpose, to: &str| {
            let category = policy.category(&code);
            let most = policy.ceiling(p, to);
            category.zip(most).is_some_and(|(c, most)| most.has(c.0))
        };
        if !purposes.iter().any(|p| to.iter().any(|to| opens(*p, to))) {
            bail!(cx.say(
                &format!("{code} は、この目的ではこの相手に見せられません (方針の上限)。同意があっても開かないので、--cat から外してください"),
                &format!("{code} is beyond what this recipient may have for this purpose (ceiling of the policy). No consent opens it: leave it out of --cat")
            ));
        }
    }
    Ok(())
}

/// Why a token was refused, and what to do.
pub(super) fn told(cx: &Cx<'_>, reason: Reason) -> String {
    let sentence = reason.sentence(cx.patient_lang());
    format!("{reason}: {sentence} {}", remedy(cx, reason))
}

/// What to do about a token that was refused.
pub(super) fn remedy(cx: &Cx<'_>, reason: Reason) -> String {
    let (ja, en) = match reason {
        Reason::KeyUnknown => (
            "鍵を登録してください: warifu consent enrol (本人・代理) または register",
            "register the key: warifu consent enrol (a person or proxy) or register",
        ),
        Reason::KeyRetired | Reason::KeyCompromised | Reason::KeyWeak => (
            "新しい鍵を作り、登録し、署名し直してください: warifu consent keygen, enrol",
            "make a new key, bind it and sign again: warifu consent keygen, enrol",
        ),
        Reason::Sub | Reason::ProxyNone | Reason::ProxyScope | Reason::ProxyAgedOut => (
            "本人の鍵か、登録された代理の鍵 (--proxy) で署名し直してください。鍵がなければ窓口で: --identified",
            "sign again with the person's key, or a bound proxy's (--proxy). Without a key, at the counter: --identified",
        ),
        Reason::NotYet | Reason::Expired => (
            "有効な期間と、このコンピューターの時計を確かめ、要るなら作り直してください",
            "look at its term and at this computer's clock; if it is needed, make it again",
        ),
        Reason::AnnexMissing | Reason::AnnexHash => (
            "同意と一緒に作られた除外の一覧を付けてください: --annex FILE",
            "give the list of exclusions that was made with the grant: --annex FILE",
        ),
        Reason::TextUnknown | Reason::TextMismatch => (
            "いまの方針と施設の台帳で、求めから作り直してください: warifu consent request",
            "make it again from a request, under the policy and master of now: warifu consent request",
        ),
        Reason::Nonce | Reason::StatusIndex | Reason::TermTooLong | Reason::Seq => (
            "新しい求めから作り直してください: warifu consent request (拒否の申出は object)",
            "make it again from a new request: warifu consent request (an objection: object)",
        ),
        Reason::Replay => (
            "すでに受け付けたものかを確かめてください: warifu consent log history --sub SUB",
            "see whether it was accepted before: warifu consent log history --sub SUB",
        ),
        Reason::TargetUnknown => (
            "終わらせるトークンを先に受け付けるか、jti を確かめてください: warifu consent log history --sub SUB",
            "accept the token to end first, or look at its jti: warifu consent log history --sub SUB",
        ),
        Reason::Revoked => (
            "取り消されたものは戻りません。要るなら新しい求めから: warifu consent request",
            "what was withdrawn stays so. If it is needed, make a new one: warifu consent request",
        ),
        Reason::StatusUnavailable | Reason::StatusStale | Reason::StatusList => (
            "取消し一覧を取り直して、もう一度確かめてください",
            "fetch the status list anew and verify again",
        ),
        Reason::PurposeUnknown
        | Reason::CategoryUnknown
        | Reason::AudUnknown
        | Reason::AudWildcard
        | Reason::IndividualBundled
        | Reason::OptoutAsGrant
        | Reason::OptinAsObjection => (
            "方針 (desk/policy.json) と施設の台帳 (desk/master.json) にある値で、求めから作り直してください",
            "make it again from a request, with values of desk/policy.json and desk/master.json",
        ),
        Reason::Json
        | Reason::JsonDup
        | Reason::ClaimUnknown
        | Reason::ClaimType
        | Reason::ClaimMissing
        | Reason::ClaimRange
        | Reason::ClaimOrder
        | Reason::Version
        | Reason::Iss => (
            "署名は合っています。途中で書き換わったのではなく、署名した側がこのように作りました (種類 typ に合わない中身や作りもののことがあります)。使わずに、求めから作り直してもらってください: warifu consent request",
            "its signature holds: it was not changed on its way, its signer made it so (content of another typ, or a forgery). Do not use it; have it made again from a request: warifu consent request",
        ),
        Reason::Typ => (
            "別の種類のトークンです。warifu consent show FILE で種類を確かめ、このコマンドが求めるものを指定してください",
            "it is a token of another kind. See which with warifu consent show FILE, and give the one that this command takes",
        ),
        Reason::Sig => (
            "署名のあとに書き換わったか、別の鍵で署名されています。使わずに、作った側からもう一度受け取ってください",
            "it was changed after it was signed, or signed with another key. Do not use it; get it again from its maker",
        ),
        _ => (
            "途中で書き換わっていないか (改行、空白、切れ) を確かめ、作った側からもう一度受け取ってください",
            "see whether it was changed on its way (line feeds, spaces, an end cut off), and get it again from its maker",
        ),
    };
    cx.say(ja, en)
}
