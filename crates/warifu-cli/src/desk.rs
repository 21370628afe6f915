//! `warifu serve desk` and `warifu serve reports`: what the institution's desk does for people who come
//! without a key, and what they found wrong.

use anyhow::bail;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use warifu_report::Lang;
use warifu_server::{Done, IDENTIFIED, Mandate, Office, PROXIES, Visitor};

use crate::config::Loaded;
use crate::serve::{institution, open, person, print, text, told};
use crate::words::Words;
use crate::{End, say};

/// `warifu serve desk …`
pub(crate) fn command(w: Words, data: &dyn Fn() -> Arg, of: &dyn Fn() -> Arg) -> Command {
    let whom = |birth: bool| {
        let (ja, en) = if birth {
            (
                "代理をされる方の患者番号と生年月日 (2000-01-31) を空白で区切って書いたファイル、または - (標準入力)",
                "file with the number of the person who is represented and, behind a space, the day of birth (2000-01-31), or - (stdin)",
            )
        } else {
            (
                "患者番号を書いたファイル、または - (標準入力)",
                "file with the patient's number, or - (stdin)",
            )
        };
        w.file("patient", "FILE", ja, en).required(true)
    };
    let at_desk = |command: Command, birth: bool| {
        command.arg(whom(birth)).arg(of()).arg(data()).arg(
            w.value(
                "identified",
                "HOW",
                "本人確認の方法: counter (窓口で対面)、jpki (マイナンバーカード)。ログに残ります",
                "how the person was identified: counter (face to face), jpki (the card); the log tells it",
            )
            .required(true)
            .value_parser(PossibleValuesParser::new(IDENTIFIED)),
        )
    };
    let named = |name: &'static str, value: &'static str, ja: &str, en: &str| {
        Arg::new(name)
            .value_name(value)
            .required(true)
            // A hash in base64url may begin with one.
            .allow_hyphen_values(true)
            .help(w.text(ja, en))
    };
    Command::new("desk")
        .about(w.text(
            "本人確認をした窓口で行うこと: やめる、異議、鍵を終える、代理の登録",
            "What a desk does for somebody who was identified there: withdraw, object, end a key, bind a proxy",
        ))
        .subcommand_required(true)
        .subcommand(at_desk(
            Command::new("list").about(w.text(
                "いま効いている同意と「見せない」を示します: ハッシュ、種類、相手、目的、種別、期限",
                "Shows consents and prohibitions that hold: hash, type, recipients, purposes, categories, end",
            )),
            false,
        ))
        .subcommand(at_desk(
            Command::new("withdraw")
                .about(w.text(
                    "同意か「見せない」をやめます。「見せない」をやめるときは読み上げる文があり、--agree がなければ示すだけです",
                    "Ends a consent or a prohibition; the end of a prohibition has a text that is read out, and without --agree that is shown and nothing else",
                ))
                .arg(named("tok", "HASH", "やめるもの (list が示すハッシュ)", "which, as list shows it"))
                .arg(w.flag("lost", "鍵をなくしたため", "because the key is lost"))
                .arg(w.flag("agree", "本人がこの文に同意した", "the person agreed to the text")),
            false,
        ))
        .subcommand(at_desk(
            Command::new("object")
                .about(w.text(
                    "名前を消した利用への異議を出します。--agree がなければ、読み上げる文を示すだけです",
                    "Objects to uses without names; without --agree it shows the text that is read out, and nothing else",
                ))
                .arg(w.many("pur", "CODE", "目的 (省略時: すべて)", "purposes (default: all)"))
                .arg(w.many("to", "CODE", "渡す先 (省略時: すべて)", "recipients (default: all)"))
                .arg(w.many("src", "CODE", "記録の施設 (省略時: すべて)", "institutions of the records (default: all)"))
                .arg(w.flag("agree", "本人がこの文に同意した", "the person agreed to the text")),
            false,
        ))
        .subcommand(at_desk(
            Command::new("keys").about(w.text(
                "本人の鍵と代理の鍵を示します: 鍵、役割、状態、登録した時刻",
                "Shows the person's keys and those of proxies: key, role, state, when it was bound",
            )),
            false,
        ))
        .subcommand(at_desk(
            Command::new("end-key")
                .about(w.text("本人の鍵を終えます。元には戻りません", "Ends a key of the person; it never goes back"))
                .arg(named("kid", "KID", "鍵 (keys が示すもの)", "the key, as keys shows it"))
                .arg(
                    w.value("state", "STATE", "retired: 使い終えた、compromised: ほかの人の手にあるかもしれない", "retired, or compromised (somebody else may have it)")
                        .required(true)
                        .value_parser(["retired", "compromised"]),
                )
                .arg(
                    w.value("since", "TIME", "この時から (2026-11-01 または 2026-11-01T09:00:00+09:00。省略時: いま)。この時から後の同意は閉じます", "since then (2026-11-01 or 2026-11-01T09:00:00+09:00; default: now): consents from then on close")
                        .value_parser(instant),
                ),
            false,
        ))
        .subcommand(at_desk(
            Command::new("proxy")
                .about(w.text(
                    "代理の方の鍵を登録します。代理の方が自分の画面に出した 8 桁の番号で、どの鍵かが決まります",
                    "Binds a proxy's keys: those of whoever shows the 8 digits of the own portal",
                ))
                .arg(
                    w.value("as", "ROLE", "guardian: 未成年の親権者 (16 歳・18 歳で終わります)、adult_guardian: 成年後見人、delegate: 本人が頼んだ人、family: 亡くなった方の家族 (異議だけ)", "guardian of a minor (ends at 16 and 18), adult_guardian, delegate, or family of somebody who died (objections alone)")
                        .required(true)
                        .value_parser(PossibleValuesParser::new(PROXIES)),
                )
                .arg(w.value("code", "DIGITS", "代理の方の画面の 8 桁", "the 8 digits of the proxy's portal").required(true))
                .arg(w.many("scope", "CODE", "代理できる種別と目的 (delegate では必須。省略時: すべて)", "categories and purposes that the proxy may act for (a delegate needs some; default: all)")),
            true,
        ))
}

/// `warifu serve reports …`
pub(crate) fn reports_command(w: Words, data: &dyn Fn() -> Arg) -> Command {
    Command::new("reports")
        .about(w.text(
            "画面から届いた「困ったこと」を JSON で一行ずつ出します",
            "Writes what people told to be wrong, a line of JSON each",
        ))
        .arg(w.value(
            "close",
            "ID",
            "対応を終えたもの",
            "one that the desk is done with",
        ))
        .arg(data())
}

/// Runs `warifu serve reports`.
pub(crate) fn reports(m: &ArgMatches, loaded: &Loaded) -> anyhow::Result<End> {
    let office = open(m, loaded)?;
    if let Some(id) = text(m, "close") {
        told(office.close_report(id))?;
        return Ok(End::Clean);
    }
    for report in told(office.reports())? {
        let line = serde_json::json!({
            "report": report.id, "kind": report.kind, "at": report.at, "sub": report.sub,
            "line": report.line, "text": report.text, "contact": report.contact,
        });
        print(&line.to_string())?;
    }
    Ok(End::Clean)
}

/// Runs `warifu serve desk …`.
pub(crate) fn run(m: &ArgMatches, loaded: &Loaded, lang: Lang) -> anyhow::Result<End> {
    let Some((what, s)) = m.subcommand() else {
        bail!("desk");
    };
    let written = person(s, lang)?;
    let (number, birth) = match written.split_once(char::is_whitespace) {
        Some((number, birth)) => (number, birth.trim_start()),
        None => (written.as_str(), ""),
    };
    let office = open(s, loaded)?;
    let at = institution(s, &office);
    let visitor = Visitor {
        institution: &at,
        patient: number,
        identified: text(s, "identified").unwrap_or_default(),
    };
    match what {
        "withdraw" => {
            let tok = text(s, "tok").unwrap_or_default();
            let heard = heard(lang);
            if let Some(text) = told(office.withdrawal_text(&visitor, tok, heard))?
                && !s.get_flag("agree")
            {
                return shown(&text, lang);
            }
            let lost = s.get_flag("lost");
            ended(
                &told(office.withdraw_at_desk(&visitor, tok, lost, heard))?,
                lang,
            )
        }
        "object" => object(s, &office, &visitor, lang),
        "keys" => {
            for key in told(office.keys_at_desk(&visitor))? {
                print(&format!(
                    "{} {} {} {}",
                    key.kid, key.role, key.state, key.since
                ))?;
            }
            Ok(End::Clean)
        }
        "end-key" => {
            let of = |name| text(s, name).unwrap_or_default();
            let since = s.get_one::<u64>("since").copied();
            told(office.end_key_at_desk(&visitor, of("kid"), of("state"), since))?;
            Ok(End::Clean)
        }
        "proxy" => {
            let mandate = Mandate {
                role: text(s, "as").unwrap_or_default(),
                birth,
                scope: listed(s, "scope"),
            };
            let code = text(s, "code").unwrap_or_default();
            let count = told(office.bind_proxy(&visitor, code, &mandate))?;
            print(&say(
                lang,
                &format!("{count} 個の鍵を代理として登録しました"),
                &format!("keys bound for the proxy: {count}"),
            ))
        }
        _ => {
            for one in told(office.standing(&visitor))? {
                let [aud, pur, cat] = one.codes.map(|codes| codes.join(","));
                let ends = one.ends.map_or_else(|| "-".to_owned(), |at| at.to_string());
                print(&format!("{} {} {aud} {pur} {cat} {ends}", one.tok, one.typ))?;
            }
            Ok(End::Clean)
        }
    }
}

/// A day, from its beginning in Japan, or an instant.
fn instant(text: &str) -> Result<u64, String> {
    let day = || warifu_consent::Date::parse(text).map(warifu_consent::Date::starts);
    let found = warifu_consent::instant(text).or_else(day);
    found.ok_or_else(|| "2026-11-01, 2026-11-01T09:00:00+09:00".to_owned())
}

fn listed(m: &ArgMatches, name: &str) -> Vec<String> {
    let found = m.get_many::<String>(name);
    found.map(|v| v.cloned().collect()).unwrap_or_default()
}

fn object(
    m: &ArgMatches,
    office: &Office,
    visitor: &Visitor<'_>,
    lang: Lang,
) -> anyhow::Result<End> {
    let [pur, to, src] = ["pur", "to", "src"].map(|name| listed(m, name));
    let uses = [pur.as_slice(), to.as_slice(), src.as_slice()];
    let heard = heard(lang);
    if !m.get_flag("agree") {
        return shown(&told(office.objection_text(visitor, uses, heard))?, lang);
    }
    ended(&told(office.object_at_desk(visitor, uses, heard))?, lang)
}

/// The language of texts that are read out.
fn heard(lang: Lang) -> warifu_consent::Lang {
    match lang {
        Lang::Ja => warifu_consent::Lang::Ja,
        Lang::En => warifu_consent::Lang::En,
    }
}

/// A text to read out; nothing was done.
fn shown(text: &str, lang: Lang) -> anyhow::Result<End> {
    print(text)?;
    crate::terminal::note(&say(
        lang,
        "まだ何も行っていません。本人がこの文に同意したら --agree を付けて実行してください",
        "nothing is done yet. When the person agrees to this text, run it again with --agree",
    ));
    Ok(End::Findings)
}

/// What a problem means to whoever runs a command; its own sentence is for those who ask over the net.
pub(crate) fn sentence(
    problem: &warifu_server::Problem,
    lang: warifu_consent::Lang,
) -> &'static str {
    let [ja, en] = match problem.code() {
        "BODY" => [
            "指定の形か値が違います",
            "what was given does not have the form or value that is expected",
        ],
        "CODE" => [
            "番号が違うか、10 分が過ぎたか、使われています。代理の方の画面で新しい番号を出してください",
            "the code is another one, ten minutes old, or used. Let the proxy's portal show a new one",
        ],
        "NOT_FOUND" => [
            "この方のものとしては見つかりません。番号を確かめ、list や keys で示されるものを指定してください",
            "there is nothing of the kind for this person. Check the number, and name what list or keys shows",
        ],
        "ANSWERED" => ["前に終えています", "it was ended before"],
        "PERSON" => [
            "本人が自分の代理になる、同じ人がもう一度判断する、別の施設や状態で登録済みの鍵、のどれかです",
            "a person for himself, a second finding by the same person, or a key that has another code or state",
        ],
        "AUD_UNKNOWN" => [
            "施設の番号の形が違います (mi: と 10 桁 など)",
            "no code of an institution (mi: and 10 digits and the like)",
        ],
        _ => return problem.sentence(lang),
    };
    match lang {
        warifu_consent::Lang::En => en,
        _ => ja,
    }
}

/// The receipt for the person, or when it was done.
fn ended(done: &Done, lang: Lang) -> anyhow::Result<End> {
    match &done.receipt {
        Some(receipt) => print(receipt),
        None => print(&say(
            lang,
            &format!("記録しました: {}", done.at),
            &format!("recorded: {}", done.at),
        )),
    }
}
