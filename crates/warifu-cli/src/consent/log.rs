//! `warifu consent log`: lines, checkpoints, proofs, histories.

use std::path::Path;

use anyhow::{Context as _, bail};
use warifu_consent::Disagreement;
use warifu_consent::json::{self, Value, object};
use warifu_log::{Entry, Hash, Kind, Pin, api};

use super::Cx;
use super::desk::{Desk, NoteSigner};
use super::versions::Breach;
use crate::End;

/// Runs `warifu consent log …`.
pub(super) fn run(cx: &Cx<'_>) -> anyhow::Result<End> {
    let Some((name, s)) = cx.m.subcommand() else {
        return Ok(End::CouldNotRun);
    };
    let cx = &cx.within(s);
    match name {
        "append" => append(cx),
        "publish" => publish(cx),
        "prove" => prove(cx),
        "check" => check(cx),
        "verify" => verify(cx),
        "history" => history(cx),
        _ => check_history(cx),
    }
}

/// A line from JSON: `kind`, `sub` and the members of the kind; the time is now.
fn append(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::read(cx)?;
    let bytes = cx.read(cx.input())?;
    let value = json::read(bytes.trim_ascii(), 2);
    let Ok(Value::Object(mut members)) = value else {
        bail!(cx.say(
            "行の JSON ではありません。例: {\"kind\":\"decline\",\"sub\":\"s1.…\",\"req\":\"…\"}",
            "not the JSON of a line. Example: {\"kind\":\"decline\",\"sub\":\"s1.…\",\"req\":\"…\"}"
        ));
    };
    let kind = members.remove("kind");
    let kind = kind.as_ref().and_then(Value::text).and_then(Kind::find);
    let Some(kind) = kind else {
        bail!(cx.say(
            "kind がログの行の種類ではありません。一覧: docs/log.md",
            "kind is no kind of line. List: docs/log.md"
        ));
    };
    // What is accepted is logged by what accepts it.
    if matches!(
        kind,
        Kind::Key | Kind::Grant | Kind::Deny | Kind::Revoke | Kind::Objection | Kind::BreakGlass
    ) {
        bail!(cx.say(
            "トークンの行は受け付けるときに記録されます: warifu consent verify FILE --accept",
            "lines of tokens are logged on acceptance: warifu consent verify FILE --accept"
        ));
    }
    let sub = members.remove("sub");
    let sub = sub.as_ref().and_then(Value::text);
    let members: Vec<(String, warifu_log::Value)> = members
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                Value::Int(n) => Some(warifu_log::Value::Int(n)),
                Value::Text(t) => Some(warifu_log::Value::Text(t)),
                list @ Value::Array(_) => Some(warifu_log::Value::List(
                    list.texts().map(str::to_owned).collect(),
                )),
                _ => None,
            };
            value.map(|v| (name, v)).context("line")
        })
        .collect::<Result<_, _>>()?;
    let entry = Entry::new(
        kind,
        cx.now,
        sub,
        members.iter().map(|(n, v)| (n.as_str(), v.clone())),
    )?;
    let (appended, opened) = desk.line(cx, entry)?;
    let text = format!("{} {}", appended.index, appended.leaf.url());
    cx.print(&opened.unwrap_or(Value::Null), &text)?;
    Ok(End::Clean)
}

fn publish(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::read(cx)?;
    let signer = NoteSigner(desk.signer(cx, "log.pem")?);
    let mut book = desk.book(cx, &[])?;
    let note = book.publish(&signer)?;
    desk.keep_checkpoint(&note)?;
    if cx.path("out").is_some() {
        cx.give(note.as_bytes())?;
    }
    let value = object([
        ("size", book.size().into()),
        ("root", book.root().base64().into()),
        ("checkpoint", note.as_str().into()),
    ]);
    cx.print(&value, &note)?;
    Ok(End::Clean)
}

fn prove(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::read(cx)?;
    let book = desk.book(cx, &[])?;
    let index = match cx.text("sub") {
        None => cx.int("index").unwrap_or(0),
        Some(sub) => match book.history(sub)?.last() {
            Some((index, _)) => *index,
            None => bail!(cx.say("本人の行はありません", "there is no line of this person")),
        },
    };
    let proof = match book.prove(index) {
        Ok(proof) => proof.write(),
        Err(warifu_log::LogError::Range) => bail!(cx.say(
            "その行はまだ区切りの中にありません。先に: warifu consent log publish",
            "no published checkpoint has that line. First: warifu consent log publish"
        )),
        Err(e) => return Err(e.into()),
    };
    let mut value = object([("proof", proof.as_str().into())]);
    if let (Some(old), Some(path)) = (cx.int("pin-size"), cx.path("consistency")) {
        let new = book.published().map_or(0, |(c, _)| c.size);
        let way = match book.consistency(old, new) {
            Ok(way) => way,
            Err(warifu_log::LogError::Range) => bail!(cx.say(
                &format!("--pin-size は 1 から {new} (公表した行数) までです"),
                &format!("--pin-size is 1 to {new}, the published size")
            )),
            Err(e) => return Err(e.into()),
        };
        let way: Vec<String> = way.iter().map(Hash::base64).collect();
        super::replace(path, (way.join("\n") + "\n").as_bytes())?;
        if let Value::Object(members) = &mut value {
            members.insert("consistency".to_owned(), way.into());
        }
    }
    if cx.path("out").is_some() {
        cx.give(proof.as_bytes())?;
        cx.print(&value, "")?;
    } else {
        cx.print(&value, &proof)?;
    }
    Ok(End::Clean)
}

/// Prints an answer of [`api`]; a reason is a refusal.
fn answer(cx: &Cx<'_>, answer: &str, good: &str) -> anyhow::Result<End> {
    let value = json::read(answer.as_bytes(), 2).unwrap_or(Value::Null);
    let reason = value.get("reason").and_then(Value::text);
    if reason == Some("SETTING") {
        bail!(cx.say(
            "引数が読めません (鍵、ハッシュ、番号の形を確かめてください)",
            "the arguments cannot be read (look at the form of keys, hashes and numbers)"
        ));
    }
    cx.print(&value, reason.unwrap_or(good))?;
    Ok(if reason.is_none() {
        End::Clean
    } else {
        End::Findings
    })
}

fn check(cx: &Cx<'_>) -> anyhow::Result<End> {
    let proof = cx.read(cx.input())?;
    let leaf = cx.text("leaf").unwrap_or_default();
    let verdict = included(cx, leaf, &proof)?;
    answer(cx, &verdict, &cx.say("ログにあります", "in the log"))
}

/// Whether a line is in the tree of a checkpoint, by its proof.
fn included(cx: &Cx<'_>, leaf: &str, proof: &[u8]) -> anyhow::Result<String> {
    let key = match cx.text("log-key") {
        Some(key) => key.to_owned(),
        None => Desk::read(cx)?.log_key(cx)?.text(),
    };
    let way = match cx.path("consistency") {
        None => Vec::new(),
        Some(path) => {
            let text = String::from_utf8(cx.read(path)?).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        }
    };
    let mut setting = object([
        ("log", key.into()),
        ("consistency", way.into()),
        ("witnesses", cx.codes("witness").into()),
    ]);
    if let Value::Object(members) = &mut setting {
        members.extend(cx.int("quorum").map(|n| ("quorum".to_owned(), n.into())));
        members.extend(
            cx.int("pin-size")
                .map(|n| ("pin_size".to_owned(), n.into())),
        );
        members.extend(
            cx.text("pin-root")
                .map(|r| ("pin_root".to_owned(), r.into())),
        );
    }
    Ok(api::check_inclusion(
        setting.write().as_bytes(),
        leaf,
        proof,
    ))
}

/// Checks every line of the log, a pinned size and root, and that every accepted token has its line.
/// Nothing is written: what stands behind the acknowledged lines is told, and stays.
fn verify(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::read(cx)?;
    let pins = match (cx.int("pin-size"), cx.text("pin-root")) {
        (Some(size), Some(root)) => {
            let root = Hash::from_base64(root)
                .with_context(|| cx.say("--pin-root が読めません", "--pin-root cannot be read"))?;
            vec![Pin { size, root }]
        }
        _ => Vec::new(),
    };
    // A checkpoint that was published and is gone from the log: a copy of it stands apart.
    let apart = desk.published_apart(cx)?;
    let mut pins = pins;
    pins.extend(apart);
    match desk.look(cx, &pins) {
        Ok((book, left)) => {
            let found = found(cx, &desk, &book, apart)?;
            let published = book.published().map(|(c, _)| c.size);
            let mut value = object([
                ("ok", found.is_none().into()),
                ("size", book.size().into()),
                ("published", published.map_or(Value::Null, Value::from)),
                ("root", book.root().base64().into()),
                ("unacknowledged_lines", left.kept_lines.into()),
                ("unfinished_bytes", left.cut_bytes.into()),
            ]);
            let mut text = format!("{} {}", book.size(), book.root().base64());
            if left.kept_lines > 0 || left.cut_bytes > 0 {
                let (lines, bytes) = (left.kept_lines, left.cut_bytes);
                text.push('\n');
                text.push_str(&cx.say(
                    &format!("確定した行のあとに、確定していない行が {lines} 行、書きかけが {bytes} バイトあります (止まった書き込みの残り)。次に書くとき、行は残り、書きかけは消えます。調べるなら、いま log フォルダーの写しを取ってください"),
                    &format!("behind the acknowledged lines stand {lines} lines that were never acknowledged and {bytes} bytes of an unfinished one (left by an interrupted write). The next write keeps the lines and cuts the bytes. To look into it, copy the log folder now")
                ));
            }
            let good = found.is_none();
            if let (Some((code, told)), Value::Object(members)) = (found, &mut value) {
                members.insert("code".to_owned(), code.into());
                members.insert("reason".to_owned(), told.as_str().into());
                text = told;
            }
            cx.print(&value, &text)?;
            Ok(if good { End::Clean } else { End::Findings })
        }
        Err(e) => {
            // What is wrong with the log is the answer; that it cannot be read is not.
            if !is_damage(&e) {
                return Err(e);
            }
            let value = object([("ok", false.into()), ("reason", format!("{e:#}").into())]);
            let told = cx.say(
                &format!(
                    "ログが書き換えられています: {e:#}。控えと照合し、このログは使わないでください"
                ),
                &format!(
                    "the log was tampered with: {e:#}. Compare it with a copy, and do not use it"
                ),
            );
            cx.print(&value, &told)?;
            Ok(End::Findings)
        }
    }
}

/// What is wrong with a log whose lines are all as they were written: a stable code, and what to do.
fn found(
    cx: &Cx<'_>,
    desk: &Desk,
    book: &super::desk::Book,
    apart: Option<Pin>,
) -> anyhow::Result<Option<(&'static str, String)>> {
    if let Some(gap) = desk.unwitnessed(book)? {
        let code = match gap {
            Disagreement::Lost(_) => "TOKEN_LOST",
            Disagreement::Unheard(_) => "LINE_LOST",
        };
        return Ok(Some((code, super::desk::tell(&gap, cx))));
    }
    let published = book.published().map_or(0, |(c, _)| c.size);
    if let Some(pin) = apart.filter(|pin| published < pin.size) {
        let size = pin.size;
        let told = cx.say(
            &format!("公表した区切り ({size} 行) がログのフォルダーにありません。行はそろっています。もう一度公表すると元に戻ります: warifu consent log publish"),
            &format!("the published checkpoint of {size} lines is gone from the log's folder. The lines are all there; publishing again puts one back: warifu consent log publish"),
        );
        return Ok(Some(("CHECKPOINT_GONE", told)));
    }
    if let Some(bad) = book.misdated(cx.now) {
        let told = cx.say(
            &format!("{}: {} 行目の日時が、前の行や今の時計と合いません ({bad})。書かれた順は変わりませんが、日時はあとから作られたか、時計が狂っていました。その行を調べてください", bad.wire(), bad.line()),
            &format!("{}: {bad}. The order of the lines stands, but this time was made up or the clock was wrong. Look into that line", bad.wire()),
        );
        return Ok(Some((bad.wire(), told)));
    }
    let breach = desk.versions.breach(&desk.policy, &desk.master);
    // A file that nothing was done by yet has no line, and needs none.
    let against = desk
        .versions
        .against(book)
        .filter(|b| !matches!(b, Breach::Unlogged(_)));
    Ok(breach.or(against).map(|b| (b.code(), b.told(cx))))
}

fn is_damage(error: &anyhow::Error) -> bool {
    use warifu_log::OpenError;
    use warifu_log_file::FileError;
    let file = |e: &FileError| matches!(e, FileError::Damaged { .. } | FileError::Mark);
    if let Some(e) = error.downcast_ref::<FileError>() {
        return file(e);
    }
    match error.downcast_ref::<OpenError<FileError>>() {
        Some(OpenError::Storage(e)) => file(e),
        Some(_) => true,
        None => false,
    }
}

fn history(cx: &Cx<'_>) -> anyhow::Result<End> {
    let desk = Desk::read(cx)?;
    let book = desk.book(cx, &[])?;
    let mut text = String::new();
    for (_, own) in book.history(cx.text("sub").unwrap_or_default())? {
        text.push_str(&api::write_own_line(&own));
        text.push('\n');
    }
    cx.give(text.as_bytes())?;
    Ok(End::Clean)
}

fn check_history(cx: &Cx<'_>) -> anyhow::Result<End> {
    let lines = cx.read(Path::new(cx.input()))?;
    let mut setting = object([
        ("sub", cx.text("sub").unwrap_or_default().into()),
        ("now", cx.now.into()),
    ]);
    if let Value::Object(members) = &mut setting {
        members.extend(cx.int("pin-n").map(|n| ("pin_n".to_owned(), n.into())));
        members.extend(
            cx.text("pin-head")
                .map(|h| ("pin_head".to_owned(), h.into())),
        );
    }
    let verdict = api::check_history(setting.write().as_bytes(), &lines);
    let Ok(Value::Object(mut found)) = json::read(verdict.as_bytes(), 2) else {
        return answer(cx, &verdict, "");
    };
    if found.contains_key("reason") {
        return answer(cx, &verdict, "");
    }
    let n = found.get("n").and_then(Value::int);
    let head = found.get("head").and_then(Value::text).map(str::to_owned);
    let pinned = found.get("newest").and_then(Value::text) == Some("pinned");
    let newest = match (cx.path("proof"), &head) {
        (Some(path), Some(head)) => {
            let verdict = included(cx, head, &cx.read(path)?)?;
            let told = json::read(verdict.as_bytes(), 2).unwrap_or(Value::Null);
            if told.get("reason").is_some() {
                return answer(cx, &verdict, "");
            }
            "proven"
        }
        _ if pinned => "pinned",
        _ => "unproven",
    };
    found.insert("newest".to_owned(), newest.into());
    let at = format!("{} {}", n.unwrap_or(0), head.unwrap_or_default());
    if newest == "unproven" {
        let why = cx.say(
            "いちばん新しい行は、書き換えられても、その後を切り取られても、この行だけでは分かりません。覚えておいた番号と先頭 (--pin-n, --pin-head)、またはその行の証明 (warifu consent log prove --sub …、--proof) で確かめてください",
            "the newest line may have been altered, or lines after it cut off: these lines alone cannot tell. Check it with what was pinned (--pin-n, --pin-head) or with a proof of that line (warifu consent log prove --sub …, --proof)",
        );
        found.insert("reason".to_owned(), "HISTORY_UNPROVEN".into());
        found.insert("advice".to_owned(), why.as_str().into());
        cx.print(
            &Value::Object(found),
            &format!("HISTORY_UNPROVEN {at}\n{why}"),
        )?;
        return Ok(End::Findings);
    }
    cx.print(&Value::Object(found), &at)?;
    Ok(End::Clean)
}
