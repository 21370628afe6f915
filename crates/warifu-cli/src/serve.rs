//! `warifu serve`: the server, and what its institution does beside it.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use clap::builder::PossibleValuesParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use warifu_consent::{CaseState, PublicKey};
use warifu_report::Lang;
use warifu_server::{
    App, Bind, Certificates, Config, Limits, Office, Rights, Settings, Staff, Vendor, Whose, Why,
    serve,
};
use zeroize::Zeroizing;

use crate::config::{CLIENT_CERTS, COMPAT, Loaded};
use crate::stop::Stop;
use crate::wishes::{self, Wishes};
use crate::words::Words;
use crate::{End, desk, packages, pages, say, terminal};

/// `warifu serve` and its commands.
pub(crate) fn command(lang: Lang) -> Command {
    let w = Words(lang);
    let data = || {
        w.file("data", "DIR", "データのフォルダー", "folder of data")
            .env("WARIFU_DATA")
    };
    let db = || {
        w.value(
            "db",
            "URL",
            "PostgreSQL の番地 (省略時: データのフォルダーが覚えている番地か、その中の SQLite)",
            "address of a PostgreSQL database (default: the one that the folder of data keeps, or SQLite in it)",
        )
        .env("WARIFU_DB")
        .hide_env_values(true)
    };
    let person = |ja: &str, en: &str| w.file("patient", "FILE", ja, en).required(true);
    let of = || {
        w.value(
            "institution",
            "CODE",
            "記録と患者番号の施設 (mi: と 10 桁。省略時: 自施設)",
            "institution of the records and of the patient's number (mi: and 10 digits; default: this one)",
        )
    };
    let command = Command::new("serve")
        .about(w.text(
            "サーバーを動かします: 変換・検査・検証と、同意・提供・ログ",
            "Runs the server: conversion, check and validation, and consent, disclosure and log",
        ))
        .after_help(w.text(
            "例:\n  warifu serve\n  warifu serve init data --institution mi:1319999999 --name 架空割符病院\n  warifu serve ingest standard_root --data data\n  echo 0000990001 1968-03-03 | warifu serve enrol-code --data data --patient -\n  warifu serve --data data",
            "Examples:\n  warifu serve\n  warifu serve init data --institution mi:1319999999 --name 架空割符病院\n  warifu serve ingest standard_root --data data\n  echo 0000990001 1968-03-03 | warifu serve enrol-code --data data --patient -\n  warifu serve --data data",
        ))
        // They are the commands' as well, before or behind their name; every other one is the server's alone.
        .arg(data().global(true))
        .arg(db().global(true))
        .arg(w.value("bind", "ADDRESS", "待ち受ける番地 (省略時: 127.0.0.1:8440)", "address to listen at (default: 127.0.0.1:8440)"))
        .arg(w.value("origin", "URL", "外から見た番地 (省略時: データのフォルダーか --bind から)", "address as others see it (default: from the folder of data, or --bind)"))
        .arg(w.flag("public", "ほかの機械からの接続を許す (TLS が必要)", "let other machines connect (needs TLS)"))
        .arg(w.file("tls-cert", "FILE", "証明書の鎖 (PEM)", "certificate chain (PEM)"))
        .arg(w.file("tls-key", "FILE", "証明書の秘密鍵 (PEM)", "private key of the certificate (PEM)"))
        .arg(w.value("client-certs", "WHOM", "施設の証明書 (mTLS): off 求めない、bound 登録時に結びつけた鍵だけ、required すべての施設 (省略時: off)", "certificates of institutions (mTLS): off, bound (whose key is bound to one), required (all of them) (default: off)").value_parser(CLIENT_CERTS.to_vec()))
        .arg(w.file("card-double", "FILE", "試験用: マイナンバーカードの代わり (JSON)。本人確認にはならず、登録した鍵は施設に何も開きません", "for tests: stands in for citizens' cards (JSON); it identifies nobody, and keys bound by it open nothing to institutions"))
        .arg(w.file("portal", "DIR", "/ に置く画面のフォルダー (省略時: 内蔵のもの)", "folder of the portal, served at / (default: the one built in)"))
        .arg(w.file("playground", "DIR", "/playground/ に置く画面のフォルダー (省略時: 内蔵のもの)", "folder of the playground, served at /playground/ (default: the one built in)"))
        .arg(w.value("ig", "PACKAGE", "FHIR パッケージ (名前#版、.tgz、フォルダー)", "FHIR package (name#version, .tgz or folder)").action(ArgAction::Append))
        .arg(w.value("max-body", "BYTES", "本文の上限 (省略時: 67108864)", "bytes of a body (default: 67108864)").value_parser(clap::value_parser!(usize)))
        .arg(w.number("max-unfolded", "BYTES", "書庫を展開した大きさと答えの上限 (省略時: 268435456)", "bytes that an archive unfolds to, and of the answer (default: 268435456)"))
        .arg(w.value("max-jobs", "N", "画面と施設からの要求を同時に扱う数 (省略時: 64)", "requests of portal and institutions worked on at once (default: 64)").value_parser(clap::value_parser!(usize)))
        .arg(w.value("max-files", "N", "変換・検査・検証を同時に行う数 (省略時: 8)", "files converted, checked or validated at once (default: 8)").value_parser(clap::value_parser!(usize)))
        .arg(w.value("max-rate", "N", "一つの接続元からの要求の数、1 分あたり。0 は上限なし (省略時: 3000)", "requests a minute of one client, 0 for no bound (default: 3000)").value_parser(clap::value_parser!(u32)))
        .arg(w.flag("forwarded", "この機械の中継が X-Forwarded-For に接続元を書く", "a proxy on this machine tells its clients in X-Forwarded-For"))
        .arg(w.value("compat", "WHOSE", "ほかの検証サーバーの経路も受ける: hl7 (HL7 の Java 検証器・validator-wrapper・Inferno の /validateResource と /validate) (省略時: off)", "answer routes of other validators, too: hl7 (/validateResource and /validate of HL7's Java validator, validator-wrapper and Inferno) (default: off)").value_parser(COMPAT.to_vec()))
        .arg(w.flag("check-config", "設定を確かめて終わる", "check the configuration and end"))
        .subcommand(
            Command::new("init")
                .about(w.text("データのフォルダーを作ります", "Makes a folder of data"))
                .arg(w.first("DIR", "まだないフォルダー", "a folder that is not there"))
                .arg(w.value("institution", "CODE", "自施設 (mi: と 10 桁)", "this institution (mi: and 10 digits)").required(true))
                .arg(w.value("name", "NAME", "自施設の名", "name of the institution").required(true))
                .arg(w.value("name-en", "NAME", "英語の名", "its English name"))
                .arg(w.value("contact", "TEXT", "患者の問い合わせ先", "whom patients ask"))
                .arg(w.value("log", "NAME", "ログの名 (省略時: localhost/consent-log)", "name of the log (default: localhost/consent-log)"))
                .arg(w.value("origin", "URL", "外から見た番地 (省略時: http://127.0.0.1:8440)", "address as others see it (default: http://127.0.0.1:8440)"))
                .arg(w.value("witness", "KEY", "ログの立会人の公開鍵 (名+ハッシュ+鍵)", "public key of a witness of the log (name+hash+key)").action(ArgAction::Append))
                .arg(w.value("quorum", "N", "署名が要る立会人の数 (省略時: 立会人がいれば 1)", "witnesses who must sign a checkpoint (default: 1 where there are any)").value_parser(clap::value_parser!(usize))),
        )
        .subcommand(
            Command::new("ingest")
                .about(w.text("SS-MIX2 のストレージを取り込みます (差分だけ)", "Takes in an SS-MIX2 storage (what changed)"))
                .arg(w.first("PATH", "ストレージのフォルダーまたは書庫", "folder or archive of the storage"))
                .arg(data())
                .arg(of()),
        )
        .subcommand(
            Command::new("ingest-bundle")
                .about(w.text("FHIR の Bundle を一人の記録として取り込みます", "Takes in a FHIR Bundle as records of one patient"))
                .arg(w.first("FILE", "Bundle の JSON", "JSON of the Bundle"))
                .arg(data())
                .arg(of())
                .arg(person(
                    "患者番号を書いたファイル、または - (標準入力)",
                    "file with the patient's number, or - (stdin)",
                )),
        )
        .subcommand(
            Command::new("enrol-code")
                .about(w.text("患者に渡す登録番号を発行します (一度だけ、24 時間)", "Issues a code with which a patient enrols (once, 24 hours)"))
                .arg(data())
                .arg(of())
                .arg(person(
                    "患者番号と生年月日 (2000-01-31) を空白で区切って書いたファイル、または - (標準入力)",
                    "file with the patient's number and, behind a space, the day of birth (2000-01-31), or - (stdin)",
                ))
                .arg(w.flag(
                    "unchecked",
                    "記録がないか、生年月日が記録と違っていても発行する (ログに残ります)",
                    "issue it although nobody of this number is on record, or the day of birth is another there (the log tells it)",
                )),
        )
        .subcommand(
            Command::new("register")
                .about(w.text(
                    "施設の公開鍵を登録します。同じ鍵をもう一度登録すると、救急の施設かどうかと、記録を送れるかどうかが変わります",
                    "Registers the public key of an institution; once more, it changes whether that is an emergency facility, and whether it may send records",
                ))
                .arg(w.first("JWK", "公開鍵 (warifu consent keygen の出力)", "public key (what warifu consent keygen prints)"))
                .arg(data())
                .arg(
                    w.value("code", "CODE", "施設 (mi: と 10 桁 など)", "the institution (mi: and 10 digits and the like)")
                        .required_unless_present("state"),
                )
                .arg(w.flag("emergency", "救急の施設", "an emergency facility"))
                .arg(w.file("cert", "FILE", "この証明書 (PEM) での接続でなければ受け付けない", "take it only over a connection with this certificate (PEM)"))
                .arg(w.flag("sends", "自施設の患者の記録を送れる (POST /api/ingest)", "may send records of its patients (POST /api/ingest)"))
                .arg(
                    w.value(
                        "state",
                        "STATE",
                        "登録した鍵を終える: retired (使い終えた)、compromised (盗まれたおそれ)。元には戻りません",
                        "end a registered key: retired or compromised; it never goes back",
                    )
                    .value_parser(["retired", "compromised"])
                    .conflicts_with_all(["code", "emergency", "sends", "cert"]),
                ),
        )
        .subcommand(
            Command::new("backup")
                .about(w.text("データベースの控えを作ります (動かしたまま)", "Copies the database while it is in use"))
                .arg(w.first("FILE", "まだないファイル", "a file that is not there"))
                .arg(data()),
        )
        .subcommand(
            Command::new("policy-update")
                .about(w.text(
                    "データのフォルダーの policy.json を、この版のものにします (認定機関・研究・法令はそのまま)",
                    "Brings policy.json of the folder of data to that of this version (certified bodies, studies and statutes stay)",
                ))
                .arg(data()),
        )
        .subcommand(
            Command::new("held")
                .about(w.text("止められている施設の鍵を示します", "Shows the keys of institutions that are held"))
                .arg(data()),
        )
        .subcommand(
            Command::new("lift")
                .about(w.text("施設の鍵の停止を解きます", "Lifts the hold of an institution's key"))
                .arg(Arg::new("kid").value_name("KID").required(true).help(w.text("鍵 (held が示すもの)", "the key, as held shows it")))
                .arg(data()),
        )
        .subcommand(desk::command(w, &data, &of))
        .subcommand(desk::reports_command(w, &data))
        .subcommand(
            Command::new("members")
                .about(w.text(
                    "認定機関に、名前のない利用のために記録を渡せる方を、塩とともに示します",
                    "Shows whose records may go to a certified body for uses without names, each with a salt",
                ))
                .arg(w.value("to", "CODE", "認定機関 (cert: で始まる)", "the certified body (begins with cert:)").required(true))
                .arg(w.value("pur", "PURPOSE", "目的 (ANON、PSEUDO)", "purpose (ANON, PSEUDO)").required(true))
                .arg(data()),
        )
        .subcommand(
            Command::new("releases")
                .about(w.text(
                    "名前のない提供と、その利用の報告を示します",
                    "Shows releases without names, and how they were used",
                ))
                .arg(data()),
        )
        .subcommand(
            Command::new("erasures")
                .about(w.text(
                    "取りやめた同意で渡した写しについて、相手の施設がまだ答えていないものを JSON で一行ずつ出します",
                    "Writes which institutions have not yet answered what became of copies after a withdrawal, a line of JSON each",
                ))
                .arg(data()),
        )
        .subcommand(quarantine_command(w, &data))
        .subcommand(review_command(w, &data))
        .subcommand(
            Command::new("notices")
                .about(w.text(
                    "救急の通知で、本人の決めた連絡先へまだ送っていないものを JSON で一行ずつ出します",
                    "Writes the notices of emergencies that the persons' contacts have not got yet, a line of JSON each",
                ))
                .arg(w.number("sent", "NUMBER", "送り終えた通知の番号", "number of a notice that was sent"))
                .arg(data()),
        )
        .subcommand(crate::witness::command(w))
        .subcommand(
            Command::new("restore")
                .about(w.text(
                    "控えからデータベースを戻します (鍵と設定はデータのフォルダーにあること)",
                    "Puts a copy back as the database (keys and settings are in the folder of data)",
                ))
                .arg(w.first("FILE", "backup で作った控え", "what backup made"))
                .arg(data()),
        )
        .mut_subcommands(|s| {
            if s.has_subcommands() {
                s.mut_subcommands(|s| s.arg(db()))
            } else {
                s.arg(db())
            }
        });
    wishes::from_environment(command)
}

/// Words that an argument may have.
fn one_of<T: Copy>(all: &'static [T], word: fn(T) -> &'static str) -> PossibleValuesParser {
    PossibleValuesParser::new(all.iter().map(|w| word(*w)))
}

/// Who takes a step, for the log.
fn staff(w: Words) -> [Arg; 2] {
    [
        w.value(
            "role",
            "ROLE",
            "手を下す人の役割。ログに残ります",
            "role of who does it; the log tells it",
        )
        .required(true),
        w.value(
            "by",
            "ID",
            "手を下す人の職員番号。ログには鍵つきのハッシュだけが残ります",
            "number of who does it; the log has a keyed hash of it alone",
        )
        .required(true)
        .env("WARIFU_STAFF"),
    ]
}

/// `warifu serve quarantine …`
fn quarantine_command(w: Words, data: &dyn Fn() -> Arg) -> Command {
    let id = || {
        Arg::new("id")
            .value_name("ID")
            .required(true)
            // One in 64 begins with a hyphen.
            .allow_hyphen_values(true)
            .help(w.text("ファイル (list が示すもの)", "the file, as list shows it"))
    };
    let why = || {
        w.value("why", "WHY", "理由", "why")
            .required(true)
            .value_parser(one_of(Why::ALL, Why::word))
    };
    Command::new("quarantine")
        .about(w.text(
            "PID-3 とフォルダーの患者が違うので保留したファイルを扱います",
            "Handles files that were kept apart, since PID-3 and the folder name two persons",
        ))
        .subcommand_required(true)
        .subcommand(
            Command::new("list")
                .about(w.text(
                    "保留したファイルを示します: ID、施設、いつから、決めたこと。--role と --by があれば、どのファイルかも (ログに残ります)",
                    "Shows them: id, institution, since when, what was said; with --role and --by which files they are, too (the log tells it)",
                ))
                .arg(data())
                .args(staff(w).map(|arg| arg.required(false)))
                .mut_arg("role", |arg| arg.requires("by")),
        )
        .subcommand(
            Command::new("show")
                .about(w.text(
                    "一つの中身を標準出力に出します (ログに残ります)",
                    "Writes one to stdout (the log tells it)",
                ))
                .arg(id())
                .arg(data())
                .args(staff(w)),
        )
        .subcommand(
            Command::new("resolve")
                .about(w.text("誰のものかを決めます", "Says whose one is"))
                .arg(id())
                .arg(
                    w.value(
                        "whose",
                        "WHOSE",
                        "folder: フォルダーの患者、message: PID-3 の患者、nobody: どちらでもない",
                        "folder: the person of the folder, message: that of PID-3, nobody: neither",
                    )
                    .required(true)
                    .value_parser(one_of(Whose::ALL, Whose::word)),
                )
                .arg(why())
                .arg(data())
                .args(staff(w)),
        )
        .subcommand(
            Command::new("back")
                .about(w.text(
                    "決めたことを取り消し、保留に戻します",
                    "Takes back what was said; it is kept apart again",
                ))
                .arg(id())
                .arg(why())
                .arg(data())
                .args(staff(w)),
        )
}

/// Runs `warifu serve notices`.
fn notices(m: &ArgMatches, loaded: &Loaded) -> anyhow::Result<End> {
    let office = open(m, loaded)?;
    if let Some(number) = m.get_one::<u64>("sent") {
        told(office.sent(*number))?;
        return Ok(End::Clean);
    }
    for notice in told(office.unsent())? {
        let contacts = notice.contacts.iter();
        let contacts: Vec<serde_json::Value> = contacts
            .map(|[name, by, to]| serde_json::json!({"name": name, "by": by, "to": to}))
            .collect();
        let line = serde_json::json!({
            "number": notice.number, "text": notice.text, "contacts": contacts,
        });
        print(&line.to_string())?;
    }
    Ok(End::Clean)
}

/// `warifu serve review …`
fn review_command(w: Words, data: &dyn Fn() -> Arg) -> Command {
    Command::new("review")
        .about(w.text(
            "救急アクセスの事後確認を扱います (72 時間以内)",
            "Handles reviews of emergency accesses (due within 72 hours)",
        ))
        .subcommand_required(true)
        .subcommand(
            Command::new("list")
                .about(w.text(
                    "確認を待つものを、急ぐ順に示します: 番号、施設、役割、理由、時刻、状態、これまでの判断",
                    "Shows what waits, the most pressing first: number, facility, role, reason, time, state, what was said",
                ))
                .arg(data())
                .arg(w.value("by", "ID", "この人が自分で行ったものを除く", "without those that this person asserted").env("WARIFU_STAFF")),
        )
        .subcommand(
            Command::new("judge")
                .about(w.text("判断を記録します (本人のログに残ります)", "Records a finding (a line of the person)"))
                .arg(Arg::new("number").value_name("NUMBER").required(true).value_parser(clap::value_parser!(u64)).help(w.text("list が示す番号", "the number that list shows")))
                .arg(
                    w.value("verdict", "VERDICT", "justified: 正当、not-justified: 不当、unclear: 不明 (ほかの人がもう一度確認する)", "justified, not-justified, or unclear (somebody else looks again)")
                        .required(true)
                        .value_parser(["justified", "not-justified", "unclear"]),
                )
                .arg(data())
                .args(staff(w)),
        )
        .subcommand(
            Command::new("suspended")
                .about(w.text("確認が遅れて救急アクセスを止められている施設を示します", "Shows facilities without emergency access, since reviews are overdue"))
                .arg(data()),
        )
}

/// Runs `warifu serve review …`.
fn review(m: &ArgMatches, loaded: &Loaded) -> anyhow::Result<End> {
    let Some((what, s)) = m.subcommand() else {
        bail!("review");
    };
    let office = open(s, loaded)?;
    match what {
        "judge" => {
            let verdict = text(s, "verdict").and_then(warifu_server::verdict_of);
            let by = Staff {
                role: text(s, "role").unwrap_or_default(),
                person: text(s, "by").unwrap_or_default(),
            };
            let number = s.get_one::<u64>("number").copied().unwrap_or_default();
            told(office.judge(number, verdict.context("--verdict")?, by))?;
        }
        "suspended" => {
            for code in told(office.suspended())? {
                print(&code)?;
            }
        }
        _ => {
            for waiting in told(office.reviews(text(s, "by")))? {
                let state = match waiting.state {
                    CaseState::Open(due) => format!("due {due}"),
                    CaseState::Escalated => "escalated".to_owned(),
                    CaseState::Suspended => "suspended".to_owned(),
                    CaseState::Judged(verdict) => verdict.word().to_owned(),
                };
                let said = waiting.case.statements.iter();
                let said: Vec<&str> = said.map(|s| s.verdict.word()).collect();
                let said = if said.is_empty() {
                    "-".to_owned()
                } else {
                    said.join(",")
                };
                print(&format!(
                    "{} {} {} {} {} {state} {said}",
                    waiting.number,
                    waiting.case.facility,
                    waiting.role,
                    waiting.reason,
                    waiting.case.at
                ))?;
            }
        }
    }
    Ok(End::Clean)
}

/// Runs `warifu serve quarantine …`.
fn quarantine(m: &ArgMatches, loaded: &Loaded) -> anyhow::Result<End> {
    let Some((what, s)) = m.subcommand() else {
        bail!("quarantine");
    };
    let office = open(s, loaded)?;
    let id = text(s, "id").unwrap_or_default();
    let by = Staff {
        role: text(s, "role").unwrap_or_default(),
        person: text(s, "by").unwrap_or_default(),
    };
    let why = || text(s, "why").and_then(Why::of).context("--why");
    match what {
        "show" => {
            let (_, bytes) = told(office.look(id, by))?;
            std::io::stdout().lock().write_all(&bytes)?;
        }
        "resolve" => {
            let whose = text(s, "whose").and_then(Whose::of).context("--whose")?;
            told(office.resolve(id, whose, why()?, by))?;
        }
        "back" => told(office.take_back(id, why()?, by))?,
        _ => {
            for file in told(office.apart())? {
                let said = file.said.map_or_else(
                    || "-".to_owned(),
                    |(whose, why)| format!("{} {}", whose.word(), why.word()),
                );
                let mut line = format!("{} {} {} {said}", file.id, file.institution, file.at);
                // A path has the patient's number: whoever sees it is told of in the log.
                if !by.role.is_empty() {
                    let (path, _) = told(office.look(&file.id, by))?;
                    line.push(' ');
                    line.push_str(&path);
                }
                print(&line)?;
            }
        }
    }
    Ok(End::Clean)
}

/// Runs `warifu serve …`.
pub(crate) fn run(m: &ArgMatches, loaded: &Loaded, lang: Lang) -> anyhow::Result<End> {
    TOLD.get_or_init(|| lang);
    if let Some((command, _)) = m.subcommand() {
        let own = wishes::names().chain(["ig", "card-double", "check-config"]);
        let given = |id: &&str| {
            !matches!(*id, "data" | "db") && m.value_source(id) == Some(ValueSource::CommandLine)
        };
        if let Some(flag) = own.into_iter().find(given) {
            bail!(say(
                lang,
                &format!("--{flag} はサーバーのものです。{command} とは一緒に使えません"),
                &format!("--{flag} is the server's and does not go with {command}"),
            ));
        }
    }
    match m.subcommand() {
        Some(("init", s)) => init(s, loaded, lang),
        Some(("ingest", s)) => ingest(s, loaded, lang),
        Some(("ingest-bundle", s)) => {
            let bundle = std::fs::read(path(s, "input"))?;
            let office = open(s, loaded)?;
            let at = institution(s, &office);
            let done = told(office.ingest_bundle_of(&at, Some(&person(s, lang)?), &bundle))?;
            let (kept, gone) = (done.records, done.deleted);
            print(&say(
                lang,
                &format!("{kept} 件を取り込み、{gone} 件を消しました"),
                &format!("{kept} resources taken in, {gone} taken away"),
            ))
        }
        Some(("enrol-code", s)) => {
            let both = person(s, lang)?;
            let (number, birth) = both.split_once(char::is_whitespace).with_context(|| {
                say(
                    lang,
                    "患者番号のうしろに、空白で区切って生年月日 (2000-01-31) を書いてください",
                    "behind the number, after a space, stands the day of birth (2000-01-31)",
                )
            })?;
            let office = open(s, loaded)?;
            let at = institution(s, &office);
            let unchecked = s.get_flag("unchecked");
            match office.enrol_code_at(&at, number, birth.trim_start(), unchecked) {
                Err(p) => bail!(not_issued(&p, lang)),
                Ok(code) => print(&code),
            }
        }
        Some(("register", s)) => register(s, loaded, lang),
        Some(("backup", s)) => {
            open(s, loaded)?.backup(path(s, "input"))?;
            Ok(End::Clean)
        }
        Some(("policy-update", s)) => {
            let wishes = Wishes::new(s, loaded)?;
            let folder = folder(&wishes)?;
            let url = wishes.text("db");
            let done = Office::update_policy(&folder, url.as_deref(), Box::new(now));
            let done = done.with_context(|| folder.display().to_string())?;
            print(&match done {
                None => say(
                    lang,
                    "policy.json はこの版のものです",
                    "policy.json is up to date",
                ),
                Some(version) => say(
                    lang,
                    &format!(
                        "policy.json を版 {version} にしました。前のものは policy-*.json に残してあります。次の起動でログに残ります"
                    ),
                    &format!(
                        "policy.json is version {version} now; the one before is kept as policy-*.json. The next start of the server logs it"
                    ),
                ),
            })
        }
        Some(("held", s)) => {
            for held in told(open(s, loaded)?.held())? {
                print(&format!(
                    "{} {} {} {}",
                    held.kid, held.code, held.rule, held.at
                ))?;
            }
            Ok(End::Clean)
        }
        Some(("lift", s)) => {
            told(open(s, loaded)?.lift(text(s, "kid").unwrap_or_default()))?;
            Ok(End::Clean)
        }
        Some(("desk", s)) => desk::run(s, loaded, lang),
        Some(("reports", s)) => desk::reports(s, loaded),
        Some(("members", s)) => {
            let of = |name| text(s, name).unwrap_or_default();
            for member in told(open(s, loaded)?.members(of("to"), of("pur")))? {
                print(&serde_json::json!({"sub": member.sub, "salt": member.salt}).to_string())?;
            }
            Ok(End::Clean)
        }
        Some(("releases", s)) => {
            for one in told(open(s, loaded)?.releases())? {
                let line = serde_json::json!({
                    "release": one.release, "at": one.at, "by": one.by, "to": one.to,
                    "persons": one.persons, "uses": one.uses, "used": one.used, "ends": one.ends,
                });
                print(&line.to_string())?;
            }
            Ok(End::Clean)
        }
        Some(("witness", s)) => crate::witness::run(s, lang),
        Some(("erasures", s)) => {
            for one in told(open(s, loaded)?.unanswered())? {
                let line = serde_json::json!({
                    "notice": one.notice, "recipient": one.recipient, "ended": one.ended, "told": one.told,
                });
                print(&line.to_string())?;
            }
            Ok(End::Clean)
        }
        Some(("quarantine", s)) => quarantine(s, loaded),
        Some(("review", s)) => review(s, loaded),
        Some(("notices", s)) => notices(s, loaded),
        Some(("restore", s)) => {
            let wishes = Wishes::new(s, loaded)?;
            let (folder, copy) = (folder(&wishes)?, path(s, "input"));
            let url = wishes.text("db");
            let office = Office::restore_over(&folder, url.as_deref(), copy, Box::new(now))?;
            let lines = told(office.lines())?;
            print(&say(
                lang,
                &format!("戻しました。ログは {lines} 行です"),
                &format!("restored; lines of the log: {lines}"),
            ))
        }
        _ => start(m, loaded, lang),
    }
}

pub(crate) fn text<'m>(m: &'m ArgMatches, name: &str) -> Option<&'m str> {
    m.try_get_one::<String>(name)
        .ok()
        .flatten()
        .map(String::as_str)
}

fn path<'m>(m: &'m ArgMatches, name: &str) -> &'m Path {
    let found = m.try_get_one::<PathBuf>(name).ok().flatten();
    found.map_or(Path::new(""), PathBuf::as_path)
}

/// `--institution`, or the office's own.
pub(crate) fn institution(m: &ArgMatches, office: &Office) -> String {
    text(m, "institution").map_or_else(|| office.institution().to_owned(), str::to_owned)
}

pub(crate) fn print(line: &str) -> anyhow::Result<End> {
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(End::Clean)
}

/// Why no enrolment code was issued, and what to do.
fn not_issued(problem: &warifu_server::Problem, lang: Lang) -> String {
    let [ja, en] = match problem.code() {
        "BODY" => [
            "生年月日は 2000-01-31 の形で書いてください",
            "the day of birth is written as 2000-01-31",
        ],
        "BIRTH_DATE" => [
            "生年月日が、取り込んだ記録と違います。患者番号と生年月日を確かめてください。記録のほうが誤りのときは --unchecked をつけます",
            "the day of birth is another one in the records. Check the number and the day; --unchecked is for records that are wrong",
        ],
        "NO_RECORD" => [
            "この番号の方の、生年月日のある記録がありません。患者番号を確かめるか、先に warifu serve ingest で取り込んでください。記録がないまま発行するときは --unchecked をつけます",
            "nobody of this number is on record with a day of birth. Check the number, or take in the records first (warifu serve ingest); --unchecked issues it all the same",
        ],
        _ => return problem.to_string(),
    };
    format!("{} ({problem})", say(lang, ja, en))
}

/// In which language problems are told; a command has one.
static TOLD: std::sync::OnceLock<Lang> = std::sync::OnceLock::new();

/// A problem of the server as an error of the command: its code, and what to do.
pub(crate) fn told<T>(result: Result<T, warifu_server::Problem>) -> anyhow::Result<T> {
    let lang = match TOLD.get() {
        Some(Lang::En) => warifu_consent::Lang::En,
        _ => warifu_consent::Lang::Ja,
    };
    result.map_err(|p| anyhow::anyhow!("{p}: {}", desk::sentence(&p, lang)))
}

/// Seconds UTC.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| d.as_secs())
}

/// The folder of data.
fn folder(wishes: &Wishes<'_>) -> anyhow::Result<PathBuf> {
    let found = wishes.path("data");
    found.context("--data DIR, WARIFU_DATA, or data in [serve] of warifu.toml")
}

pub(crate) fn open(m: &ArgMatches, loaded: &Loaded) -> anyhow::Result<Office> {
    let wishes = Wishes::new(m, loaded)?;
    opened(&folder(&wishes)?, &wishes)
}

fn opened(folder: &Path, wishes: &Wishes<'_>) -> anyhow::Result<Office> {
    if !folder.join("server.json").exists() {
        bail!(
            "{}: no folder of data is there. Make one: warifu serve init {} --institution CODE --name NAME",
            folder.display(),
            folder.display()
        );
    }
    let url = wishes.text("db");
    let office = Office::open_over(folder, url.as_deref(), Box::new(now));
    office.with_context(|| folder.display().to_string())
}

/// A patient's number, and what stands behind it, never from an argument: arguments are seen by others.
pub(crate) fn person(m: &ArgMatches, lang: Lang) -> anyhow::Result<Zeroizing<String>> {
    let from = path(m, "patient");
    let mut number = Zeroizing::new(String::new());
    if from == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(4096)
            .read_to_string(&mut number)?;
    } else {
        *number = std::fs::read_to_string(from).with_context(|| from.display().to_string())?;
    }
    let number = number.trim();
    if number.is_empty() {
        bail!(say(
            lang,
            "患者番号がありません",
            "there is no patient's number"
        ));
    }
    Ok(Zeroizing::new(number.to_owned()))
}

fn init(m: &ArgMatches, loaded: &Loaded, lang: Lang) -> anyhow::Result<End> {
    let of = |name, other: &str| text(m, name).unwrap_or(other).to_owned();
    let origin = of("origin", "http://127.0.0.1:8440");
    let witnesses: Vec<String> = m
        .get_many("witness")
        .map(|keys| keys.cloned().collect())
        .unwrap_or_default();
    let settings = Settings {
        institution: of("institution", ""),
        names: [of("name", ""), of("name-en", "")],
        contact: of("contact", &of("name", "-")),
        log: of("log", "localhost/consent-log"),
        lists: format!("{}/api/status", origin.trim_end_matches('/')),
        quorum: m
            .get_one::<usize>("quorum")
            .copied()
            .unwrap_or_else(|| witnesses.len().min(1)),
        witnesses,
    };
    let folder = path(m, "input");
    let url = Wishes::new(m, loaded)?.text("db");
    let url = url.as_deref();
    // Before anything is made: a folder without the address would be one with a database of its own.
    url.map(warifu_store::Postgres::open).transpose()?;
    warifu_server::make(folder, &settings)?;
    if let Some(url) = url {
        warifu_server::keep_database(folder, url)?;
    }
    if !has_telephone(&settings.contact) {
        terminal::note(&say(
            lang,
            "患者の問い合わせ先に電話番号がありません。master.json の contact に書くと、画面に出ます (init --contact '… 03-0000-0000')",
            "whom patients ask has no telephone number; with one in `contact` of master.json the portal shows it (init --contact '… 03-0000-0000')",
        ));
    }
    if settings.witnesses.is_empty() {
        terminal::note(&say(
            lang,
            "ログを見守る立会人がありません。院外のだれかに頼み、その公開鍵を --witness で指定してください (warifu serve witness。あとからは server.json の witnesses)",
            "nobody watches the log. Ask somebody outside, and name the public key with --witness (warifu serve witness; later: witnesses in server.json)",
        ));
    }
    let shown = folder.display();
    print(&say(
        lang,
        &format!(
            "{shown} を作りました。相手の施設の名を {shown}/master.json に書き、鍵を登録してください: warifu serve register"
        ),
        &format!(
            "{shown} is made. Write the names of other institutions into {shown}/master.json, and register their keys: warifu serve register"
        ),
    ))
}

/// Whether a text has a number that can be called, as the portal finds it.
fn has_telephone(contact: &str) -> bool {
    let between = |c: char| !(c.is_ascii_digit() || matches!(c, '-' | '(' | ')' | ' '));
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    contact
        .split(between)
        .map(str::trim)
        .any(|text| (9..=11).contains(&digits(text)) && text.starts_with(['0', '(']))
}

fn ingest(m: &ArgMatches, loaded: &Loaded, lang: Lang) -> anyhow::Result<End> {
    let office = open(m, loaded)?;
    let options = warifu_storage::Options::standard();
    let storage = warifu_storage::Storage::open_all(&[path(m, "input")], &options)?;
    let done = match office.ingest_of(&institution(m, &office), &storage) {
        Err(p) if p.code() == "BODY" => bail!(say(
            lang,
            "書庫が壊れているか、途中で切れているか、展開すると大きすぎます (BODY)。何も取り込んでいません。作り直すか、フォルダーのまま指定してください",
            "the archive is damaged, cut off, or unfolds too far (BODY); nothing was taken in. Make it anew, or name the folder",
        )),
        done => told(done)?,
    };
    print(&say(
        lang,
        &format!(
            "患者 {} 人 (変わりなし {} 人)、記録 {} 件、保留 {} 件、読めないもの {} 件、患者フォルダーの外 {} 件",
            done.patients,
            done.unchanged,
            done.records,
            done.quarantined,
            done.unreadable,
            done.loose
        ),
        &format!(
            "patients {} ({} unchanged), records {}, kept apart {}, unreadable {}, outside folders of patients {}",
            done.patients,
            done.unchanged,
            done.records,
            done.quarantined,
            done.unreadable,
            done.loose
        ),
    ))?;
    Ok(if done.unreadable > 0 {
        End::CouldNotRun
    } else {
        End::Clean
    })
}

fn register(m: &ArgMatches, loaded: &Loaded, lang: Lang) -> anyhow::Result<End> {
    let bytes = std::fs::read(path(m, "input"))?;
    let key = PublicKey::from_jwk(bytes.trim_ascii()).map_err(|_| {
        anyhow::anyhow!(say(
            lang,
            "Ed25519 の公開鍵の JWK ではありません",
            "not a public Ed25519 JWK"
        ))
    })?;
    let office = open(m, loaded)?;
    if let Some(state) = text(m, "state") {
        told(office.end_key(&key, state))?;
    } else {
        let code = text(m, "code").unwrap_or_default();
        let rights = Rights {
            emergency: m.get_flag("emergency"),
            sends: m.get_flag("sends"),
            certificate: certificate(m)?,
        };
        told(office.register(&key, code, &rights))?;
        if !office.names(code) && !code.starts_with("cert:") {
            terminal::note(&say(
                lang,
                &format!(
                    "{code} は master.json にありません。名を書いてサーバーを起動し直すまで、この施設のお願いは断られます (AUD_UNKNOWN)"
                ),
                &format!(
                    "{code} is not in master.json. Until its name is there and the server is started anew, what it asks for is refused (AUD_UNKNOWN)"
                ),
            ));
        }
    }
    print(&key.thumbprint())
}

/// Thumbprint of the certificate that `--cert` names.
fn certificate(m: &ArgMatches) -> anyhow::Result<Option<String>> {
    let file = path(m, "cert");
    if file.as_os_str().is_empty() {
        return Ok(None);
    }
    let own = CertificateDer::from_pem_file(file);
    let own = own.with_context(|| file.display().to_string())?;
    Ok(Some(warifu_server::thumbprint(&own)))
}

fn tls(wishes: &Wishes<'_>, asks: bool) -> anyhow::Result<Option<Arc<rustls::ServerConfig>>> {
    let (cert, key) = match (wishes.path("tls-cert"), wishes.path("tls-key")) {
        (Some(cert), Some(key)) => (cert, key),
        (None, None) => return Ok(None),
        _ => bail!("--tls-cert and --tls-key go together"),
    };
    let chain: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_file_iter(cert)
        .context("--tls-cert")?
        .collect();
    let key = PrivateKeyDer::from_pem_file(key).context("--tls-key")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let config = if asks {
        config.with_client_cert_verifier(warifu_server::asking(&provider))
    } else {
        config.with_no_client_auth()
    };
    let config = config.with_single_cert(chain.context("--tls-cert")?, key)?;
    Ok(Some(Arc::new(config)))
}

fn start(m: &ArgMatches, loaded: &Loaded, lang: Lang) -> anyhow::Result<End> {
    let wishes = Wishes::new(m, loaded)?;
    let address = wishes.text("bind");
    let address = address.as_deref().unwrap_or("127.0.0.1:8440");
    let address: SocketAddr = address
        .parse()
        .with_context(|| format!("--bind {address}"))?;
    let certificates = match wishes.text("client-certs").as_deref() {
        None | Some("off") => Certificates::Off,
        Some("bound") => Certificates::Bound,
        Some("required") => Certificates::Required,
        Some(other) => bail!("client-certs = {other}: {}", CLIENT_CERTS.join(", ")),
    };
    let hl7 = match wishes.text("compat").as_deref() {
        None | Some("off") => false,
        Some("hl7") => true,
        Some(other) => bail!("compat = {other}: {}", COMPAT.join(", ")),
    };
    let asks = certificates != Certificates::Off;
    let double = path(m, "card-double");
    let card = card_double(double, wishes.flag("public")?, lang)?;
    let bind = Bind {
        address,
        public: wishes.flag("public")?,
        tls: tls(&wishes, asks)?,
    };
    bind.check()?;
    let forwarded = wishes.flag("forwarded")?;
    if asks && bind.tls.is_none() && !forwarded {
        bail!(
            "--client-certs needs --tls-cert, or a proxy on this machine that tells them (--forwarded)"
        );
    }
    let scheme = if bind.tls.is_some() { "https" } else { "http" };
    let office = match wishes.path("data") {
        None => {
            if wishes.text("db").is_some() {
                bail!("--db needs --data: keys and settings are there");
            }
            None
        }
        Some(folder) => Some(opened(&folder, &wishes)?),
    };
    if bind.public
        && let Some(office) = &office
        && told(office.institutions())? == 0
    {
        bail!(say(
            lang,
            "--public には、登録した施設が一つは要ります。先に warifu serve register で施設の鍵を登録してください",
            "--public needs an institution that is registered. Register its key first: warifu serve register",
        ));
    }
    let wished = wishes.text("origin");
    let origin = bind.origin(wished.as_deref(), office.as_ref().map(Office::origin))?;
    let given: Vec<String> = m
        .get_many::<String>("ig")
        .map(|v| v.cloned().collect())
        .unwrap_or_default();
    let fhir = &loaded.config.fhir;
    let vendor = Vendor::new(packages::library(&given, loaded, lang)?).telling(
        fhir.must_support == Some(true),
        fhir.vital_signs != Some(false),
    );
    let mut limits = Limits::REFERENCE;
    if let Some(bytes) = wishes.value("max-body")? {
        limits.body = bytes;
    }
    limits.held = limits.held.max(limits.body);
    if let Some(bytes) = wishes.value("max-unfolded")? {
        limits.unfolded = bytes;
    }
    if let Some(jobs) = wishes.value::<usize>("max-jobs")? {
        limits.jobs = jobs.max(1);
    }
    if let Some(files) = wishes.value::<usize>("max-files")? {
        limits.files = files.max(1);
    }
    if let Some(rate) = wishes.value("max-rate")? {
        limits.rate = rate;
    }
    // Without an office the portal has nobody to speak to, unless somebody asks for it.
    let (portal, playground) = (wishes.path("portal"), wishes.path("playground"));
    let portal = if office.is_some() || portal.is_some() {
        pages::portal(portal.as_deref())?
    } else {
        None
    };
    let app = App::new(Config {
        origin: origin.clone(),
        office,
        vendor,
        portal,
        playground: pages::playground(playground.as_deref())?,
        forwarded,
        certificates,
        card,
        hl7,
        metrics: address.ip().is_loopback(),
        log: Some(Box::new(terminal::note)),
        limits,
    });
    if m.get_flag("check-config") {
        for line in wishes.shown(&origin, lang) {
            print(&line)?;
        }
        return print(&say(lang, "設定は正しいです", "the configuration is right"));
    }
    let bound = move |at: SocketAddr| {
        let shown = if at.port() == address.port() {
            origin
        } else {
            format!("{scheme}://{at}")
        };
        // Whoever started this waits for the line.
        let _ = writeln!(std::io::stdout().lock(), "{shown}");
    };
    listen(app, bind, bound)?;
    Ok(End::Clean)
}

/// A double of the citizen's card. It stands on the command line alone, so that no file or variable that is
/// forgotten somewhere brings it in, and never where other machines connect.
fn card_double(
    file: &Path,
    public: bool,
    lang: Lang,
) -> anyhow::Result<Option<Box<dyn warifu_server::Card>>> {
    if file.as_os_str().is_empty() {
        return Ok(None);
    }
    if public {
        bail!(say(
            lang,
            "--card-double は試験用です。--public とは一緒に使えません",
            "--card-double is for tests and does not go with --public",
        ));
    }
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let double = warifu_server::CardDouble::read(&bytes).with_context(|| {
        say(
            lang,
            "--card-double: {\"testDouble\": true, \"cards\": {…}} の形ではありません",
            "--card-double: not of the form {\"testDouble\": true, \"cards\": {…}}",
        )
    })?;
    terminal::note(&say(
        lang,
        "試験用のカードの代わりを使っています。本人確認にはなりません",
        "a test double stands in for cards; it identifies nobody",
    ));
    Ok(Some(Box::new(double)))
}

/// Serves until a signal ends it, and publishes a last checkpoint. `bound` is told the address.
pub(crate) fn listen(
    app: App,
    bind: Bind,
    bound: impl FnOnce(SocketAddr) + Send + 'static,
) -> anyhow::Result<()> {
    let has_office = app.office().is_ok();
    if has_office {
        told(app.office().and_then(Office::announce))?;
    }
    let stop = Stop::on_signals();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let (ending, ended) = tokio::sync::watch::channel(false);
    let published = app.clone();
    let served: anyhow::Result<()> = runtime.block_on(async {
        let serving = tokio::spawn(serve(app, bind, bound, ended));
        let mut last = now();
        let mut reviewed = 0;
        while !serving.is_finished() && stop.signal().is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if has_office && now() > last {
                // Every second: whether a checkpoint is due, for which lines since the last one count.
                last = tick(&published, last).await;
                if now() >= reviewed + 60 {
                    reviewed = now();
                    overdue(&published).await;
                }
            }
        }
        let _ = ending.send(true);
        serving.await?
    });
    // Requests that still run had their time.
    runtime.shutdown_background();
    served?;
    if has_office {
        told(published.office().and_then(|o| o.publish(true, 0)))?;
    }
    Ok(())
}

/// Escalates and suspends where reviews are overdue.
async fn overdue(app: &App) {
    let app = app.clone();
    let done = tokio::task::spawn_blocking(move || app.office().and_then(Office::review_overdue));
    if let Ok(Err(problem)) = done.await {
        terminal::note(&format!("reviews: {problem}"));
    }
}

/// Publishes a checkpoint when one is due; gives when the last one was.
async fn tick(app: &App, last: u64) -> u64 {
    let app = app.clone();
    let done =
        tokio::task::spawn_blocking(move || app.office().and_then(|o| o.publish(false, last)));
    match done.await {
        Ok(Ok(true)) => now(),
        Ok(Err(problem)) => {
            terminal::note(&format!("checkpoint: {problem}"));
            last
        }
        _ => last,
    }
}
