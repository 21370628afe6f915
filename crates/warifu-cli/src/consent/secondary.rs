//! `warifu consent release`: whose records may go without names, manifests of releases, and the orders to stop
//! for who objected (consent.md §12.2, §12.3).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use warifu_consent::json::{self, Value, object};
use warifu_consent::{
    Accepted, Consent, Date, Delivery, Desk as Court, Ledger as _, Moment, Opened, Purpose, Reason,
    Release, SignerClass, StopAnswer, Typ, Unreleased, accept, b64, contracted, hash, make,
    may_be_released, member_leaf, member_leaves, member_salt, of_these_leaves, open, place,
    read_leaves, released_categories, stop_orders,
};
use warifu_log::{Entry, Hash, Kind, inclusion_proof, leaf_hash, root_of, verify_inclusion};

use super::desk::{Book, Desk};
use super::keys::{pseudonyms, read_key, read_public};
use super::receive::Only;
use super::{Cx, fresh_id, wrong};
use crate::End;
use crate::whole::{Readers, Whole};

/// Runs `warifu consent release …`.
pub(super) fn run(cx: &Cx<'_>) -> anyhow::Result<End> {
    let Some((name, s)) = cx.m.subcommand() else {
        return Ok(End::CouldNotRun);
    };
    let cx = &cx.within(s);
    match name {
        "members" => members(cx),
        "make" => release(cx),
        "verify" => verify(cx),
        "list" => list(cx),
        "proof" => proof(cx),
        "check" => check(cx),
        "stop" => stop(cx),
        _ => answer(cx),
    }
}

fn text<'v>(v: &'v Value, name: &str) -> &'v str {
    v.get(name).and_then(Value::text).unwrap_or_default()
}

/// The purpose of `--pur`, for which the body of `--to` is certified.
fn certified(cx: &Cx<'_>, desk: &Desk) -> anyhow::Result<(String, Purpose)> {
    let purpose = wrong::purpose(cx, &desk.policy)?;
    let to = cx.text("to").unwrap_or_default();
    let code = cx.text("pur").unwrap_or_default();
    if desk.policy.consent(purpose) != Some(Consent::OptOut) {
        bail!(cx.say(
            &format!("{code} は本人の同意で出す目的です。匿名加工などの目的を指定してください: ANON, PSEUDO"),
            &format!("{code} takes the person's consent. Give a purpose that is open until somebody objects: ANON, PSEUDO")
        ));
    }
    if !desk.policy.is_certified(to, purpose) {
        bail!(cx.say(
            &format!("{to} は {code} の認定を受けた事業者ではありません。認定を受けているなら、方針 (desk/policy.json) の certified に書いてください"),
            &format!("{to} is not certified for {code}. If it is, write it into certified of the policy (desk/policy.json)")
        ));
    }
    Ok((to.to_owned(), purpose))
}

/// Whose records may go now: each with the salt that goes with them. With `--deliver` the log has a line for
/// each person before anything is handed over.
fn members(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::in_force(cx)?;
    let (to, purpose) = certified(cx, &desk)?;
    let src = wrong::source(cx, &desk)?;
    let persons = pseudonyms(cx, &desk, cx.path("persons").unwrap_or(Path::new("-")))?;
    let holder = desk.secret(cx, "holder.key")?;
    let book = desk.judging(cx)?;
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    for (n, sub) in persons.iter().enumerate() {
        let Some(sub) = sub.as_ref().filter(|sub| seen.insert(*sub)) else {
            continue;
        };
        let state = desk.state_in(cx, &book, sub)?;
        let open = released_categories(&state, &to, purpose, src, cx.now);
        let mut open: Vec<String> = open.collect();
        open.sort_unstable();
        if open.is_empty() {
            continue;
        }
        let salt = member_salt(&holder, sub).context("salt")?;
        rows.push(object([
            ("cats", open.into()),
            ("line", u64::try_from(n + 1)?.into()),
            ("salt", b64::encode(&salt).into()),
            ("sub", sub.as_str().into()),
        ]));
    }
    drop(book);
    let out = match cx.path("out") {
        None => None,
        Some(path) => {
            let made = Whole::create(path, Readers::Owner);
            Some(made.with_context(|| path.display().to_string())?)
        }
    };
    if cx.m.get_flag("deliver") && !rows.is_empty() {
        let code = cx.text("pur").unwrap_or_default();
        let lines = rows.iter().map(|row| {
            let cats: Vec<&str> = row.get("cats").into_iter().flat_map(Value::texts).collect();
            let none: [&str; 0] = [];
            let members = [
                ("rcp", to.as_str().into()),
                ("role", "-".into()),
                ("pur", warifu_log::Value::from(&[code][..])),
                ("cats", warifu_log::Value::from(cats.as_slice())),
                ("basis", "OPT_OUT".into()),
                ("grants", warifu_log::Value::from(&none[..])),
                ("areq", hash::sha256_text(&[row.write().as_bytes()]).into()),
            ];
            Entry::new(Kind::Disclose, cx.now, Some(text(row, "sub")), members)
        });
        desk.lines(cx, lines.collect::<Result<_, _>>()?)?;
        let kept = rows.iter().map(|row| {
            object([
                ("sub", text(row, "sub").into()),
                ("to", to.as_str().into()),
                ("src", src.into()),
                ("pur", code.into()),
                ("at", cx.now.into()),
            ])
        });
        desk.delivered(&kept.collect::<Vec<_>>())?;
    }
    let mut bytes = Vec::new();
    for row in &rows {
        writeln!(bytes, "{}", row.write())?;
    }
    match out {
        Some(mut file) => {
            file.write_all(&bytes)?;
            file.finish()?;
            let of = persons.iter().flatten().collect::<BTreeSet<_>>().len();
            let value = object([
                ("members", u64::try_from(rows.len())?.into()),
                ("persons", u64::try_from(of)?.into()),
            ]);
            let told = cx.say(
                &format!("{of} 人のうち {} 人", rows.len()),
                &format!("{} of {of} persons", rows.len()),
            );
            cx.print(&value, &told)?;
        }
        None if cx.json => cx.print(&object([("members", Value::Array(rows))]), "")?,
        None => cx.give(&bytes)?,
    }
    Ok(End::Clean)
}

/// Salts of who is in a release, as holders told them.
fn salts(cx: &Cx<'_>) -> anyhow::Result<Vec<[u8; 16]>> {
    let files = cx.m.get_many::<PathBuf>("members");
    let mut all = Vec::new();
    for path in files.into_iter().flatten() {
        let lines = cx.read(path)?;
        for (n, line) in lines.split(|b| *b == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let row = json::read(line.trim_ascii(), 3).ok();
            let salt = row.and_then(|row| b64::decode_array::<16>(text(&row, "salt")));
            all.push(salt.with_context(|| {
                let (shown, n) = (path.display(), n + 1);
                cx.say(
                    &format!("{shown} の {n} 行目に塩 (salt) がありません。release members が出したファイルを指定してください"),
                    &format!("{shown}, line {n}: no salt. Give a file as release members prints it"),
                )
            })?);
        }
    }
    if all.is_empty() {
        bail!(cx.say(
            "だれも入っていません。--members のファイルを確かめてください",
            "nobody is in it. Look at the files of --members"
        ));
    }
    Ok(all)
}

/// Signs a manifest; what can be hashed here is not taken from anybody's word.
fn release(cx: &Cx<'_>) -> anyhow::Result<End> {
    for path in [cx.path("leaves"), cx.path("out")] {
        super::tokens::fresh(cx, path)?;
    }
    let form = cx.read(cx.input())?;
    let form = json::read(form.trim_ascii(), 5).unwrap_or(Value::Null);
    let mut release = Release::read(&form).map_err(|member| {
        anyhow::anyhow!(cx.say(
            &format!("目録の中身が読めません ({member})。形は docs/consent.md にあります"),
            &format!(
                "what the manifest says cannot be read ({member}). docs/consent.md has its form"
            )
        ))
    })?;
    let bytes = |name: &str| cx.read(cx.path(name).unwrap_or(Path::new("")));
    release.contract.hash = hash::sha256(&[&bytes("contract")?]);
    release.sha256 = hash::sha256(&[&bytes("data")?]);
    release.jti = fresh_id()?;
    release.at = cx.now;
    let leaves = member_leaves(&salts(cx)?, &release.jti).context("leaves")?;
    release.root = root_of(&leaves).0;
    release.n = u64::try_from(leaves.len())?;
    let key = read_key(cx, cx.path("key").unwrap_or(Path::new("")))?;
    let token =
        make(Typ::Release, release.claims(), &key).map_err(|e| super::tokens::unmade(cx, &e))?;
    super::replace(cx.path("leaves").unwrap_or(Path::new("")), &leaves.concat())?;
    let value = object([
        ("jti", release.jti.as_str().into()),
        ("n", release.n.into()),
        ("token", token.as_str().into()),
    ]);
    cx.give_token(&token, &value, &release.jti)?;
    Ok(End::Clean)
}

/// Members of a release who may not be in it.
fn objectors(
    cx: &Cx<'_>,
    desk: &Desk,
    book: &Book,
    manifest: &Opened,
    (body, purposes): (&str, &[Purpose]),
    leaves: &[[u8; 32]],
) -> anyhow::Result<Vec<String>> {
    let holder = desk.secret(cx, "holder.key")?;
    let mut all = Vec::new();
    for sub in desk.persons(book)? {
        let salt = member_salt(&holder, &sub).context("salt")?;
        let leaf = member_leaf(&salt, manifest.text("jti")).context("leaf")?;
        if place(leaves, &leaf).is_err() {
            continue;
        }
        let state = desk.state_in(cx, book, &sub)?;
        // From a facility that told nothing, nothing goes (D6b).
        let sources: Vec<&str> = state.notices.iter().map(|n| n.src.as_str()).collect();
        if !may_be_released(&state, body, purposes, &sources, cx.now) {
            all.push(sub);
        }
    }
    Ok(all)
}

/// Holds a manifest against its leaves, its signer, its contract and the objections of the persons in it.
fn verify(cx: &Cx<'_>) -> anyhow::Result<End> {
    let mut desk = Desk::in_force(cx)?;
    let token = cx.read_token(cx.input())?;
    let leaves = cx.read(cx.path("leaves").unwrap_or(Path::new("")))?;
    let leaves = read_leaves(&leaves).with_context(|| {
        cx.say(
            "--leaves が葉のファイルではありません (32 バイトずつ、昇順、重複なし)。目録と一緒に受け取ったものを指定してください",
            "--leaves has no leaves (32 bytes each, ascending, none twice). Give the file that came with the manifest",
        )
    })?;
    let known = warifu_consent::token_hash(&token).unwrap_or_default();
    if let Some(known) = desk.find(&known) {
        let value = object([
            ("ok", true.into()),
            ("again", true.into()),
            ("release", known.text("jti").into()),
        ]);
        cx.print(&value, &cx.say("受付済みです", "accepted before"))?;
        return Ok(End::Clean);
    }
    let court = Court {
        keys: &desk,
        ledger: &desk,
        policy: &desk.policy,
        master: &desk.master,
        now: cx.now,
        endpoint: None,
    };
    let manifest = match accept(&court, &token, &[Typ::Release], None) {
        Ok(Accepted::New(manifest) | Accepted::Again(manifest, _)) => manifest,
        Err(refusal) => return not_taken(cx, refusal.reason),
    };
    let root = root_of(&leaves);
    let body = desk.institution(&manifest.kid).unwrap_or_default();
    let judged = of_these_leaves(&manifest.claims, &leaves, &root.0)
        .and_then(|()| contracted(&desk.policy, &body, &manifest.claims, cx.now));
    let purposes = match judged {
        Ok(purposes) => purposes,
        Err(why) => {
            let (reason, told) = unreleased(cx, why);
            return refused(cx, reason, &told, &[]);
        }
    };
    let book = desk.judging(cx)?;
    let out = objectors(cx, &desk, &book, &manifest, (&body, &purposes), &leaves)?;
    drop(book);
    if !out.is_empty() {
        let told = cx.say(
            &format!("出せない方が {} 人入っています (拒否、禁止、知らせのないうち)。除いて作り直してもらってください", out.len()),
            &format!("{} persons are in it whose records may not go (objected, forbidden, or not told yet). Have it made again without them", out.len()),
        );
        return refused(cx, "MEMBERS", &told, &out);
    }
    let release = manifest.text("jti").to_owned();
    let mut told = cx.say("確かめました", "verified");
    if cx.m.get_flag("accept") {
        desk.keep_leaves(&release, &leaves)?;
        let line = [
            ("rel", release.as_str().into()),
            ("root", root.url().into()),
        ];
        desk.keep(cx, &token, Some((Kind::Release, &line)), None)?;
        told = cx.say("受け付け、ログに記録しました", "accepted and logged");
    }
    let value = object([
        ("ok", true.into()),
        ("release", release.as_str().into()),
        ("by", body.into()),
        ("claims", manifest.claims),
    ]);
    cx.print(&value, &format!("{told}: {release}"))?;
    Ok(End::Clean)
}

fn unreleased(cx: &Cx<'_>, why: Unreleased) -> (&'static str, String) {
    match why {
        Unreleased::Root => ("ROOT", cx.say(
            "葉が目録の n と root に合いません。目録と一緒に作られた葉のファイルを指定してください",
            "the leaves are not those of n and root in the manifest. Give the file that was made with it",
        )),
        Unreleased::Contract => ("EXPIRED", cx.say(
            "契約の期限が過ぎています。契約を確かめてください",
            "the contract is over. Look at the contract",
        )),
        Unreleased::Certified => ("CERTIFIED", cx.say(
            "署名した事業者は、契約の目的のすべてには認定されていません (方針の certified)。契約の目的を確かめてください",
            "who signed it is not certified for all that the contract permits (certified of the policy). Look at the purposes of the contract",
        )),
    }
}

fn not_taken(cx: &Cx<'_>, reason: Reason) -> anyhow::Result<End> {
    refused(cx, reason.wire(), &wrong::told(cx, reason), &[])
}

fn refused(cx: &Cx<'_>, reason: &str, told: &str, subs: &[String]) -> anyhow::Result<End> {
    let mut value = object([
        ("ok", false.into()),
        ("reason", reason.into()),
        ("text", told.into()),
    ]);
    if let (Value::Object(members), false) = (&mut value, subs.is_empty()) {
        members.insert("subs".to_owned(), subs.to_vec().into());
    }
    let mut shown = vec![format!("{reason}: {told}")];
    shown.extend_from_slice(subs);
    cx.print(&value, &shown.join("\n"))?;
    Ok(End::Findings)
}

fn list(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::open(cx)?;
    let mut rows = Vec::new();
    let mut shown = Vec::new();
    for (token, at) in desk.releases() {
        let by = desk.institution(&token.kid).unwrap_or_default();
        let contract = token.claims.get("contract");
        let ends = contract.and_then(|c| c.get("exp")?.int()).unwrap_or(0);
        let (jti, to) = (token.text("jti"), token.text("to"));
        let n = token.int("n").unwrap_or(0);
        shown.push(format!("{jti} {by} {to} {n} {}", Date::at(at)));
        rows.push(object([
            ("release", jti.into()),
            ("tok", token.hash.as_str().into()),
            ("at", at.into()),
            ("by", by.into()),
            ("to", to.into()),
            ("persons", n.into()),
            ("ends", ends.into()),
        ]));
    }
    let value = object([("releases", Value::Array(rows))]);
    cx.print(&value, &shown.join("\n"))?;
    Ok(End::Clean)
}

/// The person's leaf with its path, or the leaves between which it would stand with theirs.
fn proof(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::open(cx)?;
    let sub = wrong::subject(cx, "sub")?;
    let jti = cx.text("release").unwrap_or_default();
    let known = desk.releases().any(|(token, _)| token.text("jti") == jti);
    if !known {
        bail!(cx.say(
            &format!("{jti} は受け付けた提供ではありません。一覧: warifu consent release list"),
            &format!(
                "{jti} is no release that was accepted. There are: warifu consent release list"
            )
        ));
    }
    let token = desk.text_of(jti)?;
    let leaves = desk.leaves(jti)?;
    let salt = member_salt(&desk.secret(cx, "holder.key")?, sub).context("salt")?;
    let leaf = member_leaf(&salt, jti).context("leaf")?;
    let found = place(&leaves, &leaf);
    let member = found.is_ok();
    let tree: Vec<Hash> = leaves.iter().map(|l| leaf_hash(l)).collect();
    let size = u64::try_from(leaves.len())?;
    let mut near = Vec::new();
    for n in found.map_or_else(|beside| beside, |n| vec![n]) {
        let index = u64::try_from(n)?;
        let path = inclusion_proof(tree.as_slice(), index, size)?.context("path")?;
        let leaf = leaves.get(n).context("leaf")?;
        near.push(object([
            ("index", index.into()),
            ("leaf", b64::encode(leaf).into()),
            (
                "path",
                path.iter().map(Hash::url).collect::<Vec<_>>().into(),
            ),
        ]));
    }
    let value = object([
        ("token", token.into()),
        ("salt", b64::encode(&salt).into()),
        ("member", member.into()),
        ("size", size.into()),
        ("near", Value::Array(near)),
    ]);
    cx.give((value.write() + "\n").as_bytes())?;
    if cx.path("out").is_some() {
        let told = if member { "member" } else { "no member" };
        cx.print(&object([("member", member.into())]), told)?;
    }
    Ok(End::Clean)
}

/// Whether a person is in the release of a manifest, by the own salt and paths to the manifest's root;
/// `None`: the proof shows neither.
fn shows(manifest: &Opened, value: &Value) -> Option<bool> {
    let salt = b64::decode_array(text(value, "salt"))?;
    let own = member_leaf(&salt, manifest.text("jti"))?;
    let root = Hash::from_url(manifest.text("root"))?;
    let size = manifest.int("n")?;
    let mut beside: Vec<(u64, [u8; 32])> = Vec::new();
    for near in value.get("near")?.items() {
        let (index, leaf) = (
            near.get("index")?.int()?,
            b64::decode_array(text(near, "leaf"))?,
        );
        let path = near.get("path")?.texts().map(Hash::from_url);
        let path: Vec<Hash> = path.collect::<Option<_>>()?;
        verify_inclusion(&leaf_hash(&leaf), index, size, &path, &root).ok()?;
        beside.push((index, leaf));
    }
    match beside.as_slice() {
        [(_, leaf)] if *leaf == own => Some(true),
        // Before the first, behind the last, or between two neighbours.
        [(0, first)] if own < *first => Some(false),
        [(index, last)] if index + 1 == size && *last < own => Some(false),
        [(i, before), (j, after)] if i + 1 == *j && *before < own && own < *after => Some(false),
        _ => None,
    }
}

fn check(cx: &Cx<'_>) -> anyhow::Result<End> {
    let value = cx.read(cx.input())?;
    let value = json::read(value.trim_ascii(), 4).unwrap_or(Value::Null);
    let key = read_public(cx, cx.path("body-key").unwrap_or(Path::new("")))?;
    let ring = Only(SignerClass::Certified, key);
    let manifest = match open(
        text(&value, "token"),
        &[Typ::Release],
        &ring,
        Moment::now(cx.now),
    ) {
        Ok(manifest) => manifest,
        Err(refusal) => return not_taken(cx, refusal.reason),
    };
    let Some(member) = shows(&manifest, &value) else {
        let told = cx.say(
            "入っているとも、いないとも示していません。証明を出した施設に確かめてください",
            "it shows neither that the person is in it nor that the person is not. Ask who made it",
        );
        return refused(cx, Reason::Form.wire(), &told, &[]);
    };
    let told = if member {
        cx.say("この提供に入っています", "the person is in this release")
    } else {
        cx.say(
            "この提供に入っていません",
            "the person is not in this release",
        )
    };
    let shown = object([
        ("ok", true.into()),
        ("member", member.into()),
        ("release", manifest.text("jti").into()),
        ("to", manifest.text("to").into()),
    ]);
    cx.print(&shown, &told)?;
    Ok(End::Clean)
}

/// What was delivered of each person, with what the body answered, and the releases that have the person.
fn deliveries(cx: &Cx<'_>, desk: &Desk) -> anyhow::Result<BTreeMap<String, Vec<Delivery>>> {
    let holder = desk.secret(cx, "holder.key")?;
    let mut finished = Vec::new();
    for (token, _) in desk.releases() {
        let contract = token.claims.get("contract").and_then(|c| c.get("pur"));
        let purposes: Vec<String> = contract
            .into_iter()
            .flat_map(Value::texts)
            .map(str::to_owned)
            .collect();
        let jti = token.text("jti").to_owned();
        let by = desk.institution(&token.kid).unwrap_or_default();
        let leaves = desk.leaves(&jti)?;
        finished.push((by, purposes, jti, leaves));
    }
    let mut all: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
    for row in desk.deliveries()? {
        let (sub, to, src, pur) = (
            text(&row, "sub"),
            text(&row, "to"),
            text(&row, "src"),
            text(&row, "pur"),
        );
        let at = row.get("at").and_then(Value::int).unwrap_or(0);
        let own = all.entry(sub.to_owned()).or_default();
        let Some(purpose) = desk.policy.purpose(pur) else {
            continue;
        };
        let answer = match (text(&row, "kept"), row.get("erased").and_then(Value::int)) {
            (_, Some(when)) => Some(StopAnswer::Erased(when)),
            ("", None) => None,
            (law, None) => Some(StopAnswer::Kept(law.to_owned())),
        };
        if answer.is_some() {
            // It is about what the body had by then.
            let meant = own
                .iter_mut()
                .filter(|d| (&*d.to, &*d.src, d.purpose) == (to, src, purpose));
            meant.for_each(|d| d.answer.clone_from(&answer));
            continue;
        }
        let salt = member_salt(&holder, sub).context("salt")?;
        let mut releases = Vec::new();
        for (by, purposes, jti, leaves) in &finished {
            let leaf = member_leaf(&salt, jti).context("leaf")?;
            if by == to && purposes.iter().any(|p| p == pur) && place(leaves, &leaf).is_ok() {
                releases.push(jti.clone());
            }
        }
        own.push(Delivery {
            to: to.to_owned(),
            src: src.to_owned(),
            purpose,
            at,
            releases,
            answer: None,
        });
    }
    Ok(all)
}

fn purpose_code(desk: &Desk, purpose: Purpose) -> String {
    let named = desk.policy.purpose_named(purpose);
    named.map(|n| n.code.clone()).unwrap_or_default()
}

/// Orders for who objected, that were not answered.
fn stop(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::in_force(cx)?;
    let book = desk.judging(cx)?;
    let mut rows = Vec::new();
    for (sub, deliveries) in deliveries(cx, &desk)? {
        let state = desk.state_in(cx, &book, &sub)?;
        for order in stop_orders(&state, &deliveries) {
            rows.push(object([
                ("sub", sub.as_str().into()),
                ("to", order.to.into()),
                ("src", order.src.into()),
                ("pur", purpose_code(&desk, order.purpose).into()),
                ("do", Value::from(vec!["stop", "delete"])),
                ("beyond_recall", order.beyond_recall.into()),
            ]));
        }
    }
    let mut bytes = Vec::new();
    for row in &rows {
        writeln!(bytes, "{}", row.write())?;
    }
    let count = rows.len();
    if cx.path("out").is_some() {
        cx.give(&bytes)?;
        let told = cx.say(&format!("{count} 件"), &format!("{count} orders"));
        cx.print(&object([("orders", u64::try_from(count)?.into())]), &told)?;
    } else if cx.json {
        cx.print(&object([("orders", Value::Array(rows))]), "")?;
    } else {
        cx.give(&bytes)?;
    }
    Ok(End::Clean)
}

/// What a body answered: a line of the person's, who sees it.
fn answer(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::in_force(cx)?;
    let sub = wrong::subject(cx, "sub")?;
    let of = |name: &str| cx.text(name).unwrap_or_default();
    let (to, src, pur) = (of("to"), of("src"), of("pur"));
    let purpose = wrong::purpose(cx, &desk.policy)?;
    let all = deliveries(cx, &desk)?;
    let own = all.get(sub).into_iter().flatten();
    let held = own.filter(|d| (&*d.to, &*d.src, d.purpose) == (to, src, purpose));
    if held.count() == 0 {
        bail!(cx.say(
            "この方の記録を、その事業者に渡した記録がありません。--sub, --to, --src, --pur を確かめてください: warifu consent release stop",
            "nothing of this person was delivered to that body. Look at --sub, --to, --src, --pur: warifu consent release stop"
        ));
    }
    let erased = wrong::day(cx, "erased")?;
    let what = if erased.is_some() { "erased" } else { "kept" };
    let line = [("what", what.into()), ("src", to.into())];
    let entry = Entry::new(Kind::Notice, cx.now, Some(sub), line)?;
    desk.lines(cx, vec![entry])?;
    let told = match erased {
        Some(day) => ("erased", Value::from(day.starts())),
        None => ("kept", of("kept").into()),
    };
    let row = object([
        ("sub", sub.into()),
        ("to", to.into()),
        ("src", src.into()),
        ("pur", pur.into()),
        ("at", cx.now.into()),
        told,
    ]);
    desk.delivered(&[row])?;
    cx.print(
        &object([("ok", true.into())]),
        &cx.say("記録しました", "logged"),
    )?;
    Ok(End::Clean)
}
