//! `warifu serve`: the server, and what its institution does beside it.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use warifu_consent::PublicKey;
use warifu_report::Lang;
use warifu_server::{App, Bind, Config, Limits, Office, Settings, Vendor, serve};
use zeroize::Zeroizing;

use crate::config::Loaded;
use crate::stop::Stop;
use crate::words::Words;
use crate::{End, packages, pages, say, terminal};

/// `warifu serve` and its commands.
pub(crate) fn command(lang: Lang) -> Command {
    let w = Words(lang);
    let data = || {
        w.file("data", "DIR", "データのフォルダー", "folder of data")
            .env("WARIFU_DATA")
    };
    let needed = || data().required(true);
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
    Command::new("serve")
        .about(w.text(
            "サーバーを動かします: 変換・検査・検証と、同意・提供・ログ",
            "Runs the server: conversion, check and validation, and consent, disclosure and log",
        ))
        .after_help(w.text(
            "例:\n  warifu serve\n  warifu serve init data --institution mi:1319999999 --name 架空割符病院\n  warifu serve ingest standard_root --data data\n  echo 0000990001 1980-01-01 | warifu serve enrol-code --data data --patient -\n  warifu serve --data data",
            "Examples:\n  warifu serve\n  warifu serve init data --institution mi:1319999999 --name 架空割符病院\n  warifu serve ingest standard_root --data data\n  echo 0000990001 1980-01-01 | warifu serve enrol-code --data data --patient -\n  warifu serve --data data",
        ))
        .args_conflicts_with_subcommands(true)
        .arg(data())
        .arg(db())
        .arg(w.value("bind", "ADDRESS", "待ち受ける番地 (省略時: 127.0.0.1:8440)", "address to listen at (default: 127.0.0.1:8440)").env("WARIFU_BIND"))
        .arg(w.value("origin", "URL", "外から見た番地 (省略時: データのフォルダーか --bind から)", "address as others see it (default: from the folder of data, or --bind)").env("WARIFU_ORIGIN"))
        .arg(w.flag("public", "ほかの機械からの接続を許す (TLS が必要)", "let other machines connect (needs TLS)"))
        .arg(w.file("tls-cert", "FILE", "証明書の鎖 (PEM)", "certificate chain (PEM)").requires("tls-key"))
        .arg(w.file("tls-key", "FILE", "証明書の秘密鍵 (PEM)", "private key of the certificate (PEM)").requires("tls-cert"))
        .arg(w.file("portal", "DIR", "/ に置く画面のフォルダー (省略時: 内蔵のもの)", "folder of the portal, served at / (default: the one built in)"))
        .arg(w.file("playground", "DIR", "/playground/ に置く画面のフォルダー (省略時: 内蔵のもの)", "folder of the playground, served at /playground/ (default: the one built in)"))
        .arg(w.value("ig", "PACKAGE", "FHIR パッケージ (名前#版、.tgz、フォルダー)", "FHIR package (name#version, .tgz or folder)").action(ArgAction::Append))
        .arg(w.value("max-body", "BYTES", "本文の上限 (省略時: 67108864)", "bytes of a body (default: 67108864)").value_parser(clap::value_parser!(usize)))
        .arg(w.number("max-unfolded", "BYTES", "書庫を展開した大きさと答えの上限 (省略時: 268435456)", "bytes that an archive unfolds to, and of the answer (default: 268435456)"))
        .arg(w.value("max-jobs", "N", "画面と施設からの要求を同時に扱う数 (省略時: 64)", "requests of portal and institutions worked on at once (default: 64)").value_parser(clap::value_parser!(usize)))
        .arg(w.value("max-files", "N", "変換・検査・検証を同時に行う数 (省略時: 8)", "files converted, checked or validated at once (default: 8)").value_parser(clap::value_parser!(usize)))
        .arg(w.value("max-rate", "N", "一つの接続元からの要求の数、1 分あたり。0 は上限なし (省略時: 3000)", "requests a minute of one client, 0 for no bound (default: 3000)").value_parser(clap::value_parser!(u32)))
        .arg(w.flag("forwarded", "この機械の中継が X-Forwarded-For に接続元を書く", "a proxy on this machine tells its clients in X-Forwarded-For"))
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
                .arg(w.value("origin", "URL", "外から見た番地 (省略時: http://127.0.0.1:8440)", "address as others see it (default: http://127.0.0.1:8440)")),
        )
        .subcommand(
            Command::new("ingest")
                .about(w.text("SS-MIX2 のストレージを取り込みます (差分だけ)", "Takes in an SS-MIX2 storage (what changed)"))
                .arg(w.first("PATH", "ストレージのフォルダーまたは書庫", "folder or archive of the storage"))
                .arg(needed()),
        )
        .subcommand(
            Command::new("ingest-bundle")
                .about(w.text("FHIR の Bundle を一人の記録として取り込みます", "Takes in a FHIR Bundle as records of one patient"))
                .arg(w.first("FILE", "Bundle の JSON", "JSON of the Bundle"))
                .arg(needed())
                .arg(person(
                    "患者番号を書いたファイル、または - (標準入力)",
                    "file with the patient's number, or - (stdin)",
                )),
        )
        .subcommand(
            Command::new("enrol-code")
                .about(w.text("患者に渡す登録番号を発行します (一度だけ、24 時間)", "Issues a code with which a patient enrols (once, 24 hours)"))
                .arg(needed())
                .arg(person(
                    "患者番号と生年月日 (2000-01-31) を空白で区切って書いたファイル、または - (標準入力)",
                    "file with the patient's number and, behind a space, the day of birth (2000-01-31), or - (stdin)",
                )),
        )
        .subcommand(
            Command::new("register")
                .about(w.text(
                    "施設の公開鍵を登録します。同じ鍵をもう一度登録すると、救急の施設かどうかが変わります",
                    "Registers the public key of an institution; once more, it changes whether that is an emergency facility",
                ))
                .arg(w.first("JWK", "公開鍵 (warifu consent keygen の出力)", "public key (what warifu consent keygen prints)"))
                .arg(needed())
                .arg(
                    w.value("code", "CODE", "施設 (mi: と 10 桁 など)", "the institution (mi: and 10 digits and the like)")
                        .required_unless_present("state"),
                )
                .arg(w.flag("emergency", "救急の施設", "an emergency facility"))
                .arg(
                    w.value(
                        "state",
                        "STATE",
                        "登録した鍵を終える: retired (使い終えた)、compromised (盗まれたおそれ)。元には戻りません",
                        "end a registered key: retired or compromised; it never goes back",
                    )
                    .value_parser(["retired", "compromised"])
                    .conflicts_with_all(["code", "emergency"]),
                ),
        )
        .subcommand(
            Command::new("backup")
                .about(w.text("データベースの控えを作ります (動かしたまま)", "Copies the database while it is in use"))
                .arg(w.first("FILE", "まだないファイル", "a file that is not there"))
                .arg(needed()),
        )
        .subcommand(
            Command::new("held")
                .about(w.text("止められている施設の鍵を示します", "Shows the keys of institutions that are held"))
                .arg(needed()),
        )
        .subcommand(
            Command::new("lift")
                .about(w.text("施設の鍵の停止を解きます", "Lifts the hold of an institution's key"))
                .arg(Arg::new("kid").value_name("KID").required(true).help(w.text("鍵 (held が示すもの)", "the key, as held shows it")))
                .arg(needed()),
        )
        .subcommand(
            Command::new("restore")
                .about(w.text(
                    "控えからデータベースを戻します (鍵と設定はデータのフォルダーにあること)",
                    "Puts a copy back as the database (keys and settings are in the folder of data)",
                ))
                .arg(w.first("FILE", "backup で作った控え", "what backup made"))
                .arg(needed()),
        )
        .mut_subcommands(|s| s.arg(db()))
}

/// Runs `warifu serve …`.
pub(crate) fn run(m: &ArgMatches, loaded: &Loaded, lang: Lang) -> anyhow::Result<End> {
    match m.subcommand() {
        Some(("init", s)) => init(s, lang),
        Some(("ingest", s)) => ingest(s, lang),
        Some(("ingest-bundle", s)) => {
            let bundle = std::fs::read(path(s, "input"))?;
            let kept = told(open(s)?.ingest_bundle(&person(s, lang)?, &bundle))?;
            print(&say(
                lang,
                &format!("{kept} 件を取り込みました"),
                &format!("{kept} resources taken in"),
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
            print(&told(open(s)?.enrol_code(number, birth.trim_start()))?)
        }
        Some(("register", s)) => register(s, lang),
        Some(("backup", s)) => {
            open(s)?.backup(path(s, "input"))?;
            Ok(End::Clean)
        }
        Some(("held", s)) => {
            for held in told(open(s)?.held())? {
                print(&format!(
                    "{} {} {} {}",
                    held.kid, held.code, held.rule, held.at
                ))?;
            }
            Ok(End::Clean)
        }
        Some(("lift", s)) => {
            told(open(s)?.lift(text(s, "kid").unwrap_or_default()))?;
            Ok(End::Clean)
        }
        Some(("restore", s)) => {
            let (folder, copy) = (path(s, "data"), path(s, "input"));
            let office = Office::restore_over(folder, database(s)?, copy, Box::new(now))?;
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

fn text<'m>(m: &'m ArgMatches, name: &str) -> Option<&'m str> {
    m.try_get_one::<String>(name)
        .ok()
        .flatten()
        .map(String::as_str)
}

fn path<'m>(m: &'m ArgMatches, name: &str) -> &'m Path {
    let found = m.try_get_one::<PathBuf>(name).ok().flatten();
    found.map_or(Path::new(""), PathBuf::as_path)
}

fn print(line: &str) -> anyhow::Result<End> {
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(End::Clean)
}

/// A problem of the server as an error of the command.
pub(crate) fn told<T>(result: Result<T, warifu_server::Problem>) -> anyhow::Result<T> {
    result.map_err(|p| anyhow::anyhow!("{p}"))
}

/// Seconds UTC.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| d.as_secs())
}

fn open(m: &ArgMatches) -> anyhow::Result<Office> {
    let folder = path(m, "data");
    let office = Office::open_over(folder, database(m)?, Box::new(now));
    office.with_context(|| folder.display().to_string())
}

/// `--db`, or `WARIFU_DB`.
fn database(m: &ArgMatches) -> anyhow::Result<Option<&str>> {
    let url = text(m, "db");
    let shown = |url| has_password(url) && m.value_source("db") == Some(ValueSource::CommandLine);
    if url.is_some_and(shown) {
        bail!("arguments are seen by others: give an address with a password in WARIFU_DB");
    }
    Ok(url)
}

fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || rest.contains("password=")
}

/// A patient's number, and what stands behind it, never from an argument: arguments are seen by others.
fn person(m: &ArgMatches, lang: Lang) -> anyhow::Result<Zeroizing<String>> {
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

fn init(m: &ArgMatches, lang: Lang) -> anyhow::Result<End> {
    let of = |name, other: &str| text(m, name).unwrap_or(other).to_owned();
    let origin = of("origin", "http://127.0.0.1:8440");
    let settings = Settings {
        institution: of("institution", ""),
        names: [of("name", ""), of("name-en", "")],
        contact: of("contact", &of("name", "-")),
        log: of("log", "localhost/consent-log"),
        lists: format!("{}/api/status", origin.trim_end_matches('/')),
    };
    let folder = path(m, "input");
    let url = database(m)?;
    // Before anything is made: a folder without the address would be one with a database of its own.
    url.map(warifu_store::Postgres::open).transpose()?;
    warifu_server::make(folder, &settings)?;
    if let Some(url) = url {
        warifu_server::keep_database(folder, url)?;
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

fn ingest(m: &ArgMatches, lang: Lang) -> anyhow::Result<End> {
    let office = open(m)?;
    let options = warifu_storage::Options::standard();
    let storage = warifu_storage::Storage::open_all(&[path(m, "input")], &options)?;
    let done = told(office.ingest(&storage))?;
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

fn register(m: &ArgMatches, lang: Lang) -> anyhow::Result<End> {
    let bytes = std::fs::read(path(m, "input"))?;
    let key = PublicKey::from_jwk(bytes.trim_ascii()).map_err(|_| {
        anyhow::anyhow!(say(
            lang,
            "Ed25519 の公開鍵の JWK ではありません",
            "not a public Ed25519 JWK"
        ))
    })?;
    let office = open(m)?;
    if let Some(state) = text(m, "state") {
        told(office.end_key(&key, state))?;
    } else {
        let code = text(m, "code").unwrap_or_default();
        told(office.register(&key, code, m.get_flag("emergency")))?;
    }
    print(&key.thumbprint())
}

fn tls(m: &ArgMatches) -> anyhow::Result<Option<Arc<rustls::ServerConfig>>> {
    let (cert, key) = (path(m, "tls-cert"), path(m, "tls-key"));
    if cert.as_os_str().is_empty() {
        return Ok(None);
    }
    let chain: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_file_iter(cert)
        .context("--tls-cert")?
        .collect();
    let key = PrivateKeyDer::from_pem_file(key).context("--tls-key")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain.context("--tls-cert")?, key)?;
    Ok(Some(Arc::new(config)))
}

fn start(m: &ArgMatches, loaded: &Loaded, lang: Lang) -> anyhow::Result<End> {
    let address = text(m, "bind").unwrap_or("127.0.0.1:8440");
    let address: SocketAddr = address
        .parse()
        .with_context(|| format!("--bind {address}"))?;
    let bind = Bind {
        address,
        public: m.get_flag("public"),
        tls: tls(m)?,
    };
    bind.check()?;
    let scheme = if bind.tls.is_some() { "https" } else { "http" };
    let office = match path(m, "data") {
        none if none.as_os_str().is_empty() => {
            if database(m)?.is_some() {
                bail!("--db needs --data: keys and settings are there");
            }
            None
        }
        _ => Some(open(m)?),
    };
    let origin = bind.origin(text(m, "origin"), office.as_ref().map(Office::origin))?;
    let given: Vec<String> = m
        .get_many::<String>("ig")
        .map(|v| v.cloned().collect())
        .unwrap_or_default();
    let vendor = Vendor::new(packages::library(&given, loaded, lang)?);
    let mut limits = Limits::REFERENCE;
    if let Some(bytes) = m.get_one::<usize>("max-body") {
        limits.body = *bytes;
    }
    limits.held = limits.held.max(limits.body);
    if let Some(bytes) = m.get_one::<u64>("max-unfolded") {
        limits.unfolded = *bytes;
    }
    if let Some(jobs) = m.get_one::<usize>("max-jobs") {
        limits.jobs = (*jobs).max(1);
    }
    if let Some(files) = m.get_one::<usize>("max-files") {
        limits.files = (*files).max(1);
    }
    if let Some(rate) = m.get_one::<u32>("max-rate") {
        limits.rate = *rate;
    }
    // Without an office the portal has nobody to speak to, unless somebody asks for it.
    let portal = if office.is_some() || m.contains_id("portal") {
        pages::portal(m)?
    } else {
        None
    };
    let app = App::new(Config {
        origin: origin.clone(),
        office,
        vendor,
        portal,
        playground: pages::playground(m)?,
        forwarded: m.get_flag("forwarded"),
        metrics: address.ip().is_loopback(),
        log: Some(Box::new(terminal::note)),
        limits,
    });
    if m.get_flag("check-config") {
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
        while !serving.is_finished() && stop.signal().is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if has_office && now() > last {
                // Every second: whether a checkpoint is due, for which lines since the last one count.
                last = tick(&published, last).await;
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
