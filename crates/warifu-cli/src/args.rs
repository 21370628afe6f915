//! The arguments, with texts in Japanese and English.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::builder::RangedU64ValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use warifu_check::{CheckSection, Frames, Options};
use warifu_convert::{Attachments, BundleKind, Ids, JobOptions, Per, To};
use warifu_diag::Severity;
use warifu_diag::nearest::nearest;
use warifu_report::Lang;
use warifu_report::format::Format;
use warifu_report::mask::PathMask;
use warifu_report::position::Units;

use crate::check::Fixes;
use crate::config::{self, Loaded, ShowValues};
use crate::{
    End, check, consent, convert, demo, mistakes, opened, package, packages, rule, say, serve,
    show, terminal,
};

/// Builds the command line.
pub(crate) fn command(lang: Lang) -> Command {
    let flag = |name: &'static str, short: char, ja: &str, en: &str, action: ArgAction| {
        let arg = Arg::new(name).long(name).short(short).action(action);
        arg.help(say(lang, ja, en))
    };
    let command = commands(lang)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .arg(flag(
            "version",
            'V',
            "版を表示",
            "print the version",
            ArgAction::Version,
        ))
        .arg(
            flag(
                "help",
                'h',
                "この説明を表示",
                "print this help",
                ArgAction::Help,
            )
            .global(true),
        );
    headed(command, lang)
}

/// Headings in the reader's language; values of variables are not printed.
fn headed(command: Command, lang: Lang) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|c| c.get_name().to_owned())
        .collect();
    let (arguments, options, common) = (
        say(lang, "引数", "Arguments"),
        say(lang, "オプション", "Options"),
        say(lang, "共通のオプション", "Global options"),
    );
    let command = command
        .subcommand_help_heading(say(lang, "コマンド", "Commands"))
        .help_template(format!(
            "{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}{{after-help}}",
            say(lang, "使い方", "Usage")
        ))
        .mut_args(move |a| {
            let heading = if a.is_positional() {
                &arguments
            } else if a.is_global_set() {
                &common
            } else {
                &options
            };
            let heading = heading.clone();
            let values = a.get_action().takes_values();
            a.help_heading(heading)
                .hide_possible_values(values)
                .hide_env_values(true)
        });
    names.into_iter().fold(command, |c, name| {
        c.mut_subcommand(name, |s| headed(s, lang))
    })
}

/// The commands with their arguments.
fn commands(lang: Lang) -> Command {
    let t = |ja: &str, en: &str| say(lang, ja, en);
    let flag = |name: &'static str, ja: &str, en: &str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .help(t(ja, en))
    };
    let value = |name: &'static str, shown: &'static str, ja: &str, en: &str| {
        Arg::new(name).long(name).value_name(shown).help(t(ja, en))
    };
    let many = |name: &'static str, shown: &'static str, ja: &str, en: &str| {
        value(name, shown, ja, en)
            .action(ArgAction::Append)
            .value_delimiter(',')
    };
    Command::new("warifu")
        .version(env!("CARGO_PKG_VERSION"))
        .about(t("SS-MIX2 を FHIR R4 (JP Core) に変換し、検査します", "Converts SS-MIX2 to FHIR R4 (JP Core), and checks it"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(Arg::new("quiet").short('q').long("quiet").global(true).action(ArgAction::Count).help(t("検出だけを表示する (-qq: 終了コードだけ)", "findings only (-qq: exit code only)")))
        .arg(Arg::new("verbose").short('v').long("verbose").global(true).action(ArgAction::Count).help(t("警告と情報、読んだファイルも表示する (-vv: かかった時間も)", "show warnings, infos and the files read as well (-vv: times, too)")))
        .arg(value("color", "WHEN", "色: auto, always, never", "colour: auto, always, never").global(true).value_parser(["auto", "always", "never"]).default_value("auto"))
        .arg(value("lang", "LANG", "言語: ja, en (既定: 端末は環境の言語、ファイルと機械向けの形式は ja)", "language: ja, en (default: the locale's on the terminal, ja in files and machine formats)").global(true).env("WARIFU_LANG").value_parser(["ja", "en"]))
        .arg(value("config", "FILE", "warifu.toml の場所 (none: 読まない)", "path of warifu.toml (none: do not read one)").global(true).env("WARIFU_CONFIG"))
        .arg(value("jobs", "N", "並列の数 (既定: CPU の数)", "number of threads (default: all cores)").global(true).env("WARIFU_JOBS").value_parser(RangedU64ValueParser::<usize>::new().range(1..)))
        .arg(flag("no-progress", "進み具合を表示しない", "no progress line").global(true))
        .arg(value("show-values", "WHEN", "メッセージの値を表示する: auto (端末にだけ), always, never", "show values of messages: auto (on a terminal only), always, never").global(true).value_parser(["auto", "always", "never"]))
        .arg(flag("mask-paths", "パスの患者IDを WARIFU_MASK_KEY によるハッシュにする", "hash patient ids in paths under WARIFU_MASK_KEY").global(true))
        .subcommand(
            Command::new("convert")
                .about(t("ストレージ・書庫・メッセージを FHIR に変換します", "Converts storages, archives and messages to FHIR"))
                .after_help(t(
                    "例:\n  warifu convert standard_root --to ndjson --out out\n  warifu convert standard_root extended_root --to bundle --per patient --out out --trace\n  cat message.hl7 | warifu convert - --to ndjson",
                    "Examples:\n  warifu convert standard_root --to ndjson --out out\n  warifu convert standard_root extended_root --to bundle --per patient --out out --trace\n  cat message.hl7 | warifu convert - --to ndjson",
                ))
                .arg(Arg::new("path").value_name("PATH").required(true).num_args(1..).help(t("フォルダー、ファイル、.zip、.tar(.gz|.zst)、トランザクション、または - (標準入力)", "folder, file, .zip, .tar(.gz|.zst), transaction storage, or - (stdin)")))
                .arg(value("to", "FORM", "出力の形: bundle, ndjson, clins", "form of the output: bundle, ndjson, clins").value_parser(["bundle", "ndjson", "clins"]))
                .arg(value("bundle", "TYPE", "Bundle の種類: transaction, collection", "type of Bundle: transaction, collection").value_parser(["transaction", "collection"]))
                .arg(value("per", "UNIT", "Bundle の単位: message, patient", "unit of a Bundle: message, patient").value_parser(["message", "patient"]))
                .arg(value("out", "DIR", "出力フォルダー (省略時: 標準出力)", "folder for results (default: stdout)").value_parser(clap::value_parser!(PathBuf)))
                .arg(Arg::new("trace").long("trace").value_name("KIND").num_args(0..=1).require_equals(true).default_missing_value("table").value_parser(["table", "provenance"]).help(t("由来を書き出す (table: trace.ndjson, provenance: Provenance)", "write the trace (table: trace.ndjson, provenance: Provenance resources)")))
                .arg(value("institution", "NO", "医療機関番号 (10 桁)", "the institution's number (10 digits)"))
                .arg(value("ids", "KIND", "ID の作り方: keyed, readable", "logical ids: keyed, readable").value_parser(["keyed", "readable"]))
                .arg(value("id-key", "FILE", "ID の鍵のファイル", "file with the site's key for ids").value_parser(clap::value_parser!(PathBuf)))
                .arg(value("index", "FILE", "索引 DB (SSMIXIDX) の書き出し", "export of the index database (SSMIXIDX)").value_parser(clap::value_parser!(PathBuf)))
                .arg(value("attachments", "WHERE", "文書のファイル: inline (Binary に入れる), file (ストレージ内の場所だけ)", "files of documents: inline (as Binary), file (only their place in the storage)").value_parser(["inline", "file"]))
                .arg(flag("without-source-identifier", "元データの鍵を identifier に書かない", "leave the key of the source out of identifier"))
                .arg(value("sent-at", "TIME", "送信時刻 (FHIR instant)", "time of sending (FHIR instant)"))
                .arg(value("sending-id", "ID", "送信の識別子", "identifier of the sending"))
                .arg(value("charset", "NAME", "文字コード: auto, iso-2022-jp, utf-8, cp932, euc-jp", "charset: auto, iso-2022-jp, utf-8, cp932, euc-jp").value_parser(["auto", "iso-2022-jp", "utf-8", "cp932", "euc-jp"]))
                .arg(flag("strict", "警告でも終了コード 1", "exit code 1 for warnings too"))
                .arg(value("fail-on", "LEVEL", "終了コード 1 にする程度: error, warning, info, never", "level that gives exit code 1: error, warning, info, never").value_parser(["error", "warning", "info", "never"]))
                .arg(flag("fresh", "前回の続きからでなく作り直す", "start anew instead of resuming"))
                .arg(value("stdin-name", "NAME", "標準入力のファイル名", "file name of stdin")),
        )
        .subcommand(
            Command::new("check")
                .about(t("ストレージ・書庫・メッセージを SS-MIX2 の規則で、FHIR R4 の JSON を仕様とプロファイルで検査します", "Checks storages, archives and messages against the rules of SS-MIX2, and FHIR R4 JSON against the specification and profiles"))
                .after_help(t(
                    "例:\n  warifu check standard_root\n  warifu check standard_root --profile nho --format sarif=warifu.sarif --format junit=warifu.xml\n  warifu check standard_root --diff\n  warifu check standard_root --baseline warifu.baseline.json --update-baseline\n\n終了コード: 0 問題なし、1 検出あり、2 実行できない・読めない",
                    "Examples:\n  warifu check standard_root\n  warifu check standard_root --profile nho --format sarif=warifu.sarif --format junit=warifu.xml\n  warifu check standard_root --diff\n  warifu check standard_root --baseline warifu.baseline.json --update-baseline\n\nExit codes: 0 clean, 1 findings, 2 could not run or read",
                ))
                .arg(Arg::new("path").value_name("PATH").required(true).num_args(1..).help(t("フォルダー、ファイル、.zip、.tar(.gz|.zst)、トランザクション、または - (標準入力)", "folder, file, .zip, .tar(.gz|.zst), transaction storage, or - (stdin)")))
                .arg(many("profile", "NAME", "規則のプロファイル: ssmix2-1.2g, nho, strict、または FHIR プロファイルの URL", "profile of rules: ssmix2-1.2g, nho, strict, or the URL of a FHIR profile"))
                .arg(many("ig", "PACKAGE", "FHIR パッケージ (名前#版、.tgz、フォルダー)。依存先は置き場所から読む", "FHIR package (name#version, .tgz or folder); what it depends on is read from the cache"))
                .arg(flag("must-support", "FHIR: mustSupport で値のない要素も知らせる", "FHIR: must-support elements without a value, too"))
                .arg(flag("no-vital-signs", "FHIR: コードだけを根拠に、R4 のバイタルサインのプロファイルに合わせて調べない", "FHIR: vital signs that claim no profile are not held against R4's by their codes"))
                .arg(many("select", "CODES", "使う規則 (コード、名前、コードの先頭)", "rules to use (codes, names, beginnings of codes)"))
                .arg(many("ignore", "CODES", "使わない規則", "rules not to use"))
                .arg(many("severity", "CODE=LEVEL", "規則の程度を変える (error, warning, info, off)", "re-grade a rule (error, warning, info, off)"))
                .arg(value("fail-on", "LEVEL", "終了コード 1 にする程度: error, warning, info, never", "level that gives exit code 1: error, warning, info, never").value_parser(["error", "warning", "info", "never"]))
                .arg(flag("fix", "意味の変わらない修正をファイルに書く", "mend in the files what cannot change the meaning"))
                .arg(flag("unsafe-fixes", "確かめが必要な修正も含める", "fixes somebody has to look at, too"))
                .arg(flag("diff", "修正を表示し、書き換えない", "show fixes and write nothing"))
                .arg(value("baseline", "FILE", "基準ファイル: そこにある検出は数えない", "baseline: findings in it do not count").value_parser(clap::value_parser!(PathBuf)))
                .arg(flag("update-baseline", "いまの検出を基準ファイルに書く", "write the present findings to the baseline"))
                .arg(flag("statistics", "規則とデータ種別ごとの件数", "totals by rule and data kind"))
                .arg(flag("preview", "試行中の規則も使う", "rules that are not settled yet, too"))
                .arg(many("format", "F[=FILE]", "形式: text, json, ndjson, sarif, junit, github, gitlab, checkstyle, markdown, operation-outcome", "format: text, json, ndjson, sarif, junit, github, gitlab, checkstyle, markdown, operation-outcome").env("WARIFU_FORMAT"))
                .arg(value("rule-pages", "URL", "規則のページの置き場所 ({code} がコード)。sarif がここを指す", "where the pages of rules are published ({code} stands for the code); sarif links them").env("WARIFU_RULE_PAGES"))
                .arg(value("columns", "UNIT", "列の数え方: utf16, utf8, codepoint", "what columns count: utf16, utf8, codepoint").value_parser(["utf16", "utf8", "codepoint"]))
                .arg(flag("watch", "変更を監視して検査し直す", "watch for changes and check again"))
                .arg(value("stdin-name", "NAME", "標準入力のファイル名", "file name of stdin")),
        )
        .subcommand(
            Command::new("show")
                .about(t("メッセージを項目名つきで表示します", "Shows a message with the names of its fields"))
                .after_help(t("例:\n  warifu show FILE --path 'PID-5[2].1'", "Example:\n  warifu show FILE --path 'PID-5[2].1'"))
                .arg(Arg::new("file").value_name("FILE").required(true).help(t("ファイル、または -", "file, or -")))
                .arg(value("path", "PATH", "項目 (PID-5[2].1 など)", "field such as PID-5[2].1"))
                .arg(flag("hex", "16 進で表示", "as hexadecimal"))
                .arg(flag("empty", "空の項目も表示", "empty fields too"))
                .arg(value("format", "FORMAT", "text, json", "text, json").value_parser(["text", "json"]).default_value("text"))
                .arg(value("stdin-name", "NAME", "標準入力のファイル名", "file name of stdin")),
        )
        .subcommand(
            Command::new("rule")
                .about(t("コードの意味を表示します", "Explains a code"))
                .arg(Arg::new("code").value_name("CODE").help(t("コード、名前、または族 (省略時: 一覧)", "code, name or family (default: list)")))
                .arg(value("format", "FORMAT", "text, markdown, json", "text, markdown, json").value_parser(["text", "markdown", "json"]).default_value("text")),
        )
        .subcommand(package_command(lang))
        .subcommand(
            Command::new("config")
                .about(t("有効な設定とその由来を表示します", "Shows the settings in force and where they come from"))
                .arg(flag("schema", "warifu.toml の JSON Schema", "JSON Schema of warifu.toml")),
        )
        .subcommand(
            Command::new("completions")
                .about(t("シェルの補完を出力します", "Writes shell completions"))
                .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(["bash", "zsh", "fish", "powershell"])),
        )
        .subcommand(consent::command(lang))
        .subcommand(serve::command(lang))
        .subcommand(demo::command(lang))
        .subcommand(
            Command::new("man")
                .about(t("man ページを書き出します", "Writes man pages"))
                .arg(Arg::new("dir").value_name("DIR").required(true).value_parser(clap::value_parser!(PathBuf))),
        )
}

/// `warifu package` and its commands.
fn package_command(lang: Lang) -> Command {
    let t = |ja: &str, en: &str| say(lang, ja, en);
    let one = |name: &'static str, ja: &str, en: &str| {
        let (name, ja, en) = (name, ja.to_owned(), en.to_owned());
        Arg::new("package")
            .value_name(name)
            .required(true)
            .help(say(lang, &ja, &en))
    };
    Command::new("package")
        .about(t("FHIR のパッケージを扱います", "Manages FHIR packages"))
        .after_help(t(
            "例:\n  warifu package add ig/jp-clins.r4-1.5.3.tgz\n  warifu package install jpfhir.jp.core#1.2.0\n  warifu package compile jp-clins.r4#1.5.3 -o clins.wfp\n\n通信するのは install だけです。終了コード: 0 できた、2 できない",
            "Examples:\n  warifu package add ig/jp-clins.r4-1.5.3.tgz\n  warifu package install jpfhir.jp.core#1.2.0\n  warifu package compile jp-clins.r4#1.5.3 -o clins.wfp\n\nOnly install uses the network. Exit codes: 0 done, 2 could not",
        ))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(Arg::new("package-cache").long("package-cache").value_name("DIR").global(true).env("WARIFU_PACKAGE_CACHE").value_parser(clap::value_parser!(PathBuf)).help(t("パッケージの置き場所 (既定: ~/.fhir/packages)", "cache of packages (default: ~/.fhir/packages)")))
        .subcommand(Command::new("list").about(t("置いてあるパッケージと、足りない依存先を表示します", "Lists the packages in the cache, and what they need and is not there")))
        .subcommand(
            Command::new("add")
                .about(t("書庫かフォルダーをパッケージとして置きます", "Puts an archive or folder into the cache"))
                .arg(one("FILE|DIR", ".tgz か、package.json のあるフォルダー (いくつでも)", ".tgz, or a folder with package.json; any number").num_args(1..)),
        )
        .subcommand(
            Command::new("install")
                .about(t("パッケージをレジストリから取得します", "Downloads a package from the registry"))
                .arg(one("NAME#VERSION", "パッケージ (版は正確に)", "package, with its exact version"))
                .arg(Arg::new("registry").long("registry").value_name("URL").help(t("レジストリの場所", "address of the registry"))),
        )
        .subcommand(
            Command::new("remove")
                .about(t("パッケージを消します", "Removes a package from the cache"))
                .arg(one("NAME#VERSION", "パッケージ", "package")),
        )
        .subcommand(
            Command::new("compile")
                .about(t("すぐ読める形にして保存します", "Saves a package in the form that loads at once"))
                .arg(one("PACKAGE", "NAME#VERSION、.tgz、またはフォルダー", "NAME#VERSION, .tgz or folder"))
                .arg(Arg::new("output").short('o').long("output").value_name("FILE").required(true).value_parser(clap::value_parser!(PathBuf)).help(t("保存先", "file to write"))),
        )
}

/// The language `--lang` asks for, which decides about help and mistakes as well, else that of the
/// environment.
pub(crate) fn language(environment: Lang) -> Lang {
    let mut args = std::env::args_os().filter_map(|a| a.into_string().ok());
    let mut lang = environment;
    while let Some(a) = args.next() {
        let v = a
            .strip_prefix("--lang=")
            .map(str::to_owned)
            .or_else(|| (a == "--lang").then(|| args.next()).flatten());
        match v.as_deref() {
            Some("ja") => lang = Lang::Ja,
            Some("en") => lang = Lang::En,
            _ => {}
        }
    }
    lang
}

/// Reads the arguments and runs the command.
pub(crate) fn run(lang: Lang) -> anyhow::Result<End> {
    let m = match command(lang).try_get_matches() {
        Ok(m) => m,
        Err(e) if e.kind() == ErrorKind::InvalidUtf8 => {
            let bad = std::env::args_os().find_map(|a| a.into_string().err());
            bail!(mistakes::not_utf8(&bad.unwrap_or_default(), lang));
        }
        Err(e) => {
            let _ = e.print();
            return Ok(if e.use_stderr() {
                End::CouldNotRun
            } else {
                End::Clean
            });
        }
    };
    let get = |m: &ArgMatches, k: &str| m.get_one::<String>(k).cloned();
    let colour = terminal::colour(get(&m, "color").as_deref().unwrap_or("auto"));
    match m.subcommand() {
        Some(("convert", s)) => {
            let loaded = config::load(get(s, "config").as_deref(), lang)?;
            let lang = loaded.language(lang, get(s, "lang").is_some());
            convert::run(convert_options(s, loaded, lang)?, lang)
        }
        Some(("check", s)) => {
            let loaded = config::load(get(s, "config").as_deref(), lang)?;
            let lang = loaded.language(lang, get(s, "lang").is_some());
            check::run(&check_options(s, loaded, colour, lang)?, lang)
        }
        Some(("show", s)) => {
            let file = get(s, "file").unwrap_or_default();
            let (path, name, format) = (get(s, "path"), get(s, "stdin-name"), get(s, "format"));
            let loaded = config::load(get(s, "config").as_deref(), lang)?;
            let lang = loaded.language(lang, get(s, "lang").is_some());
            // `show` prints no path; a key that is missing is a mistake all the same.
            path_mask(s, &loaded, lang)?;
            let machine = format.as_deref() == Some("json");
            let values = match show_values(s, &loaded) {
                ShowValues::Always => true,
                ShowValues::Never => false,
                ShowValues::Auto => !machine && terminal::stdout_is_terminal(),
            };
            show::run(
                &show::Show {
                    file: &file,
                    path: path.as_deref(),
                    hex: s.get_flag("hex"),
                    empty: s.get_flag("empty"),
                    format: format.as_deref().unwrap_or("text"),
                    stdin_name: name.as_deref(),
                    colour,
                    values,
                },
                lang,
            )
        }
        Some(("rule", s)) => rule::run(
            get(s, "code").as_deref(),
            get(s, "format").as_deref().unwrap_or("text"),
            lang,
        ),
        Some(("package", s)) => {
            let loaded = config::load(get(s, "config").as_deref(), lang)?;
            let lang = loaded.language(lang, get(s, "lang").is_some());
            let Some((name, s)) = s.subcommand() else {
                return Ok(End::CouldNotRun);
            };
            let cache = packages::Cache::of(s.get_one::<PathBuf>("package-cache").cloned());
            let text = |key: &str| {
                let found = s.try_get_one::<String>(key).ok().flatten();
                found.cloned().unwrap_or_default()
            };
            let target = text("package");
            match name {
                "list" => package::list(&cache, lang),
                "add" => {
                    let all = s.get_many::<String>("package").into_iter().flatten();
                    package::add(all.map(String::as_str), &cache, &loaded, lang)
                }
                "install" => package::install(&target, &text("registry"), &cache, &loaded, lang),
                "remove" => package::remove(&target, &cache, lang),
                _ => {
                    let out = s.get_one::<PathBuf>("output").cloned().unwrap_or_default();
                    package::compile(&target, &out, &cache, &loaded, lang)
                }
            }
        }
        Some(("consent", s)) => {
            let loaded = config::load(get(s, "config").as_deref(), lang)?;
            let lang = loaded.language(lang, get(s, "lang").is_some());
            consent::run(s, lang)
        }
        Some(("serve", s)) => {
            let loaded = config::load(get(s, "config").as_deref(), lang)?;
            let lang = loaded.language(lang, get(s, "lang").is_some());
            serve::run(s, &loaded, lang)
        }
        Some(("demo", s)) => {
            let loaded = config::load(get(s, "config").as_deref(), lang)?;
            demo::run(s, loaded.language(lang, get(s, "lang").is_some()))
        }
        Some(("config", s)) => {
            let mut out = std::io::stdout().lock();
            if s.get_flag("schema") {
                writeln!(out, "{}", serde_json::to_string_pretty(&config::schema())?)?;
                return Ok(End::Clean);
            }
            let loaded = config::load(get(s, "config").as_deref(), lang)?;
            show_config(&mut out, s, &loaded, lang)?;
            Ok(End::Clean)
        }
        Some(("completions", s)) => {
            let shell = match get(s, "shell").as_deref() {
                Some("zsh") => clap_complete::Shell::Zsh,
                Some("fish") => clap_complete::Shell::Fish,
                Some("powershell") => clap_complete::Shell::PowerShell,
                _ => clap_complete::Shell::Bash,
            };
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut command(lang), "warifu", &mut text);
            std::io::stdout().lock().write_all(&text)?;
            Ok(End::Clean)
        }
        Some(("man", s)) => {
            let dir = s.get_one::<PathBuf>("dir").cloned().unwrap_or_default();
            std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
            clap_mangen::generate_to(command(lang), &dir)
                .with_context(|| dir.display().to_string())?;
            Ok(End::Clean)
        }
        _ => Ok(End::CouldNotRun),
    }
}

fn word<T: serde::de::DeserializeOwned>(text: Option<String>) -> Option<T> {
    text.and_then(|t| serde_json::from_value(serde_json::Value::String(t)).ok())
}

/// Where values are shown: flag, file, default.
fn show_values(s: &ArgMatches, loaded: &Loaded) -> ShowValues {
    word(s.get_one::<String>("show-values").cloned())
        .or(loaded.config.privacy.show_values)
        .unwrap_or_default()
}

/// Name of the variable with the key for `--mask-paths`.
const MASK_KEY: &str = "WARIFU_MASK_KEY";

/// The mask for paths, when one is wanted.
fn path_mask(s: &ArgMatches, loaded: &Loaded, lang: Lang) -> anyhow::Result<Option<PathMask>> {
    if !s.get_flag("mask-paths") && loaded.config.privacy.mask_paths != Some(true) {
        return Ok(None);
    }
    let key = std::env::var_os(MASK_KEY).unwrap_or_default();
    if key.len() < 16 {
        bail!(say(
            lang,
            "--mask-paths には環境変数 WARIFU_MASK_KEY (16 バイト以上の秘密の文字列) が必要です",
            "--mask-paths needs the environment variable WARIFU_MASK_KEY (a secret of 16 bytes at least)"
        ));
    }
    Ok(Some(PathMask::new(key.as_encoded_bytes())))
}

fn convert_options(s: &ArgMatches, loaded: Loaded, lang: Lang) -> anyhow::Result<convert::Convert> {
    let get = |k: &str| s.get_one::<String>(k).cloned();
    let c = &loaded.config.convert;
    let base = loaded.folder();
    let key_file = s
        .get_one::<PathBuf>("id-key")
        .cloned()
        .or_else(|| c.id_key.as_ref().map(|p| base.join(p)));
    let id_key = match key_file {
        Some(p) => {
            if std::fs::symlink_metadata(&p).is_err() {
                bail!(mistakes::not_found(&p, lang));
            }
            let key = std::fs::read(&p).with_context(|| p.display().to_string())?;
            if key.len() < 16 {
                bail!(say(
                    lang,
                    "ID の鍵が短すぎます (16 バイト以上)",
                    "the key for ids is too short (16 bytes at least)"
                ));
            }
            Some(key)
        }
        None => None,
    };
    let to = word::<To>(get("to")).or(c.to).unwrap_or_default();
    // In the file they may stand for other runs; a flag is meant for this one.
    if to != To::Bundle
        && let Some(flag) = ["per", "bundle"].into_iter().find(|f| get(f).is_some())
    {
        bail!(say(
            lang,
            &format!(
                "--{flag} は --to bundle と一緒に指定してください (ndjson と clins に Bundle の種類と単位はありません)"
            ),
            &format!(
                "--{flag} goes with --to bundle (ndjson and clins have neither kind nor unit of a Bundle)"
            )
        ));
    }
    let trace = get("trace");
    let machine = get("lang")
        .or_else(|| loaded.config.lang.clone())
        .unwrap_or_else(|| "ja".to_owned());
    let job = JobOptions {
        to,
        bundle: word::<BundleKind>(get("bundle"))
            .or(c.bundle)
            .unwrap_or_default(),
        per: word::<Per>(get("per")).or(c.per).unwrap_or_default(),
        institution: get("institution").or_else(|| c.institution.clone()),
        ids: word::<Ids>(get("ids")).or(c.ids).unwrap_or_default(),
        id_key,
        sent_at: get("sent-at"),
        sending_id: get("sending-id"),
        strict: s.get_flag("strict"),
        attachments: word::<Attachments>(get("attachments"))
            .or(c.attachments)
            .unwrap_or_default(),
        without_source_identifier: s.get_flag("without-source-identifier")
            || c.without_source_identifier == Some(true),
        trace: trace.as_deref() == Some("table"),
        provenance: trace.as_deref() == Some("provenance"),
        lang: Some(machine),
        positions: None,
        show_values: show_values(s, &loaded) == ShowValues::Always,
        charset: get("charset"),
    };
    if let Err(e) = job.validate() {
        let text = match e {
            warifu_convert::OptionError::Institution => {
                let from = match (&loaded.path, get("institution")) {
                    (Some(path), None) => {
                        let line = loaded.line_of("convert", "institution").unwrap_or(1);
                        format!("{}:{line}: [convert] institution", path.display())
                    }
                    _ => "--institution".to_owned(),
                };
                say(
                    lang,
                    &format!("{from} は 10 桁の数字です"),
                    &format!("{from} takes 10 digits"),
                )
            }
            warifu_convert::OptionError::SentAt => say(
                lang,
                "--sent-at は 2026-04-01T09:30:00+09:00 の形で指定してください",
                "--sent-at looks like 2026-04-01T09:30:00+09:00",
            ),
            other => other.to_string(),
        };
        bail!(text);
    }
    let out = s.get_one::<PathBuf>("out").cloned();
    if out.is_none() && trace.is_some() && trace.as_deref() == Some("table") {
        bail!(say(
            lang,
            "--trace には --out が必要です",
            "--trace needs --out"
        ));
    }
    let fail_on = match get("fail-on").as_deref() {
        Some("never") => None,
        Some("info") => Some(Severity::Info),
        Some("warning") => Some(Severity::Warning),
        None if job.strict => Some(Severity::Warning),
        Some(_) | None => Some(Severity::Error),
    };
    Ok(convert::Convert {
        paths: s
            .get_many::<String>("path")
            .map(|v| v.cloned().collect())
            .unwrap_or_default(),
        job,
        out,
        fresh: s.get_flag("fresh"),
        jobs: s.get_one::<usize>("jobs").copied().unwrap_or_else(cores),
        quiet: s.get_count("quiet"),
        verbose: s.get_count("verbose"),
        progress: !s.get_flag("no-progress"),
        fail_on,
        stdin_name: get("stdin-name"),
        index: s.get_one::<PathBuf>("index").cloned(),
        mask: path_mask(s, &loaded, lang)?,
        loaded,
    })
}

fn check_options(
    s: &ArgMatches,
    loaded: Loaded,
    colour: bool,
    lang: Lang,
) -> anyhow::Result<check::CheckRun> {
    let get = |k: &str| s.get_one::<String>(k).cloned();
    let list = |k: &str| -> Vec<String> {
        s.get_many::<String>(k)
            .map(|v| v.cloned().collect())
            .unwrap_or_default()
    };
    let config = &loaded.config;
    // Lists given as flags replace those of the file.
    let or = |given: Vec<String>, there: &[String]| {
        if given.is_empty() {
            there.to_vec()
        } else {
            given
        }
    };
    let mut severity = config.check.severity.clone();
    for text in list("severity") {
        match text.split_once('=') {
            Some((code, level)) => severity.insert(code.to_owned(), level.to_owned()),
            None => bail!(say(
                lang,
                &format!("--severity {text}: CODE=LEVEL の形で指定してください"),
                &format!("--severity {text}: write CODE=LEVEL")
            )),
        };
    }
    // URLs are profiles of FHIR, words those of the rules.
    let (fhir_profiles, rule_profiles): (Vec<String>, Vec<String>) =
        list("profile").into_iter().partition(|p| p.contains(':'));
    let section = CheckSection {
        profile: or(rule_profiles, &config.check.profile),
        select: or(list("select"), &config.check.select),
        ignore: or(list("ignore"), &config.check.ignore),
        preview: Some(s.get_flag("preview") || config.check.preview == Some(true)),
        severity,
        ..config.check.clone()
    };
    let selection = match section.selection() {
        Ok(selection) => selection,
        Err(e) => {
            // What the file has wrong by itself is the file's, unless a flag took its place.
            let own = config.check.selection().is_err_and(|there| there == e);
            let file = loaded.path.as_deref().filter(|_| own);
            let file = file.map(|path| (path, loaded.text.as_str()));
            bail!(mistakes::wish(&e, file, lang))
        }
    };
    let mut formats = Vec::new();
    for text in list("format") {
        let (word, file) = match text.split_once('=') {
            Some((word, file)) => (word, Some(PathBuf::from(file))),
            None => (text.as_str(), None),
        };
        let Some(format) = Format::of(word) else {
            let near = nearest(word, Format::ALL.iter().map(|f| f.word()));
            let near = near.map(|n| {
                say(
                    lang,
                    &format!(" もしかして: {n}"),
                    &format!(" Did you mean {n}?"),
                )
            });
            let near = near.unwrap_or_default();
            let all: Vec<&str> = Format::ALL.iter().map(|f| f.word()).collect();
            let all = all.join(", ");
            bail!(say(
                lang,
                &format!("--format の {word} という形式はありません。{near} 一覧: {all}"),
                &format!("--format: no format {word}.{near} There are: {all}")
            ));
        };
        formats.push((format, file));
    }
    if formats.iter().filter(|(_, file)| file.is_none()).count() > 1 {
        bail!(say(
            lang,
            "標準出力に書ける形式は一つだけです。ほかは --format F=FILE としてください",
            "only one format goes to stdout; use --format F=FILE for the others"
        ));
    }
    if formats.iter().all(|(_, file)| file.is_some()) {
        formats.insert(0, (Format::Text, None));
    }
    let units = match get("columns").as_deref() {
        Some("utf8") => Units::Utf8,
        Some("codepoint") => Units::CodePoint,
        _ => Units::Utf16,
    };
    if let Some((format, _)) = formats
        .iter()
        .find(|(f, _)| units != Units::Utf16 && !f.takes_columns())
    {
        let word = format.word();
        bail!(say(
            lang,
            &format!("--columns は text、json、ndjson だけに使えます ({word} は UTF-16)"),
            &format!("--columns is for text, json and ndjson only ({word} counts UTF-16)")
        ));
    }
    let wanted = show_values(s, &loaded);
    let always = wanted == ShowValues::Always;
    let show_values = always || wanted == ShowValues::Auto && terminal::stdout_is_terminal();
    let (fix, diff) = (s.get_flag("fix"), s.get_flag("diff"));
    let unsafe_fixes = s.get_flag("unsafe-fixes");
    if unsafe_fixes && !fix && !diff {
        bail!(say(
            lang,
            "--unsafe-fixes は --fix か --diff と一緒に指定してください",
            "--unsafe-fixes goes with --fix or --diff"
        ));
    }
    let base = loaded.path.as_ref().and_then(|p| p.parent());
    let baseline = s.get_one::<PathBuf>("baseline").cloned().or_else(|| {
        let own = config.check.baseline.as_ref()?;
        Some(base.map_or_else(|| PathBuf::from(own), |b| b.join(own)))
    });
    let update_baseline = s.get_flag("update-baseline");
    if update_baseline && baseline.is_none() {
        bail!(say(
            lang,
            "--update-baseline には --baseline FILE が必要です",
            "--update-baseline needs --baseline FILE"
        ));
    }
    let fail_on = get("fail-on").or_else(|| config.check.fail_on.clone());
    let fail_on = match fail_on.as_deref() {
        Some("never") => None,
        Some("info") => Some(Severity::Info),
        Some("error") => Some(Severity::Error),
        None | Some("warning") => Some(Severity::Warning),
        // A flag is one of them by its parser.
        Some(other) => {
            let path = loaded.path.as_deref();
            bail!(mistakes::level(other, path, &loaded.text, lang))
        }
    };
    let rule_pages = get("rule-pages").filter(|url| !url.is_empty());
    let is_address = |url: &String| {
        let web = url.starts_with("https://") || url.starts_with("http://");
        web && url.contains("{code}") && !url.contains(char::is_whitespace)
    };
    if rule_pages.as_ref().is_some_and(|url| !is_address(url)) {
        bail!(say(
            lang,
            "--rule-pages は https:// で始まり {code} を含む URL です (例: https://example.jp/rules/{code}.md)",
            "--rule-pages is a URL that begins with https:// and has {code} in it (such as https://example.jp/rules/{code}.md)"
        ));
    }
    let must_support = s.get_flag("must-support") || config.fhir.must_support == Some(true);
    let vital_signs = !s.get_flag("no-vital-signs") && config.fhir.vital_signs != Some(false);
    let machine = get("lang").or_else(|| config.lang.clone());
    let text = formats.iter().any(|(f, _)| *f == Format::Text);
    let paths = list("path");
    if s.get_flag("watch") && paths.iter().any(|p| p == "-") {
        bail!(say(
            lang,
            "--watch は標準入力には使えません",
            "--watch does not work on stdin"
        ));
    }
    Ok(check::CheckRun {
        input: opened::Wanted {
            given: paths,
            stdin_name: get("stdin-name"),
            mask: path_mask(s, &loaded, lang)?,
            loaded,
        },
        options: Options {
            selection,
            lang: if machine.as_deref() == Some("en") {
                Lang::En
            } else {
                Lang::Ja
            },
            units,
            frames: text.then_some(Frames { lang, show_values }),
            // A terminal shows values by itself; what goes to a program or a file has to be asked for.
            show_values: always,
        },
        igs: list("ig"),
        fhir_profiles,
        must_support,
        vital_signs,
        formats,
        fail_on,
        fixes: match (diff, fix) {
            (true, _) => Fixes::Show,
            (false, true) => Fixes::Make,
            _ => Fixes::Leave,
        },
        unsafe_fixes,
        show_values,
        baseline,
        update_baseline,
        rule_pages,
        statistics: s.get_flag("statistics"),
        watch: s.get_flag("watch"),
        jobs: s.get_one::<usize>("jobs").copied().unwrap_or_else(|| {
            std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
        }),
        quiet: s.get_count("quiet"),
        progress: !s.get_flag("no-progress"),
        colour,
    })
}

fn show_config(
    out: &mut impl std::io::Write,
    s: &ArgMatches,
    loaded: &Loaded,
    lang: Lang,
) -> anyhow::Result<()> {
    let c = &loaded.config;
    let file = loaded
        .path
        .as_ref()
        .map(|p| p.display().to_string())
        .unwrap_or_default();
    // Flags that `config` takes as well, with the variable that may stand for them.
    let given = |key: &str| match s.value_source(key) {
        Some(ValueSource::CommandLine) => Some(format!("--{key}")),
        Some(ValueSource::EnvVariable) => Some(format!("WARIFU_{}", key.to_uppercase())),
        _ => None,
    };
    // What a person reads follows the locale where nothing else is said.
    if s.get_one::<String>("lang").is_none() && c.lang.is_none() {
        let (own, origin) = terminal::language_and_origin();
        let word = if own == Lang::Ja { "ja" } else { "en" };
        let origin = origin.map_or_else(|| say(lang, "既定値", "default"), str::to_owned);
        let what = say(lang, "端末の文", "texts on the terminal");
        writeln!(out, "{:<24} = {word:<16} ({origin}; {what})", "terminal")?;
    }
    let mut row = |table: &str, key: &str, value: String, set: bool| {
        let flag = given_key(key).and_then(given);
        let origin = match (flag, set, loaded.line_of(table, key)) {
            (Some(flag), ..) => flag,
            (None, true, Some(line)) => format!("{file}:{line}"),
            (None, true, None) => file.clone(),
            (None, false, _) => say(lang, "既定値", "default"),
        };
        let name = if table.is_empty() {
            key.to_owned()
        } else {
            format!("{table}.{key}")
        };
        writeln!(out, "{name:<24} = {value:<16} ({origin})")
    };
    let text = |key: &str| s.get_one::<String>(key).cloned();
    let shown = |v: serde_json::Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    row(
        "",
        "lang",
        text("lang")
            .or_else(|| c.lang.clone())
            .unwrap_or_else(|| "ja".to_owned()),
        c.lang.is_some(),
    )?;
    let jobs = s.get_one::<usize>("jobs").copied();
    row("", "jobs", jobs.unwrap_or_else(cores).to_string(), false)?;
    let f = &c.files;
    row(
        "files",
        "exclude",
        f.exclude.join(", "),
        !f.exclude.is_empty(),
    )?;
    let number = |n: Option<u64>, default: u64| n.unwrap_or(default).to_string();
    let limits = warifu_storage::Options::standard();
    row(
        "files",
        "max-file",
        number(f.max_file, limits.max_file),
        f.max_file.is_some(),
    )?;
    row(
        "files",
        "max-expansion",
        number(f.max_expansion, limits.max_expansion),
        f.max_expansion.is_some(),
    )?;
    let k = &c.check;
    let all = say(lang, "(プロファイルの全規則)", "(all rules of the profile)");
    for (key, list, default) in [
        ("profile", &k.profile, warifu_rules::selection::PROFILES[0]),
        ("select", &k.select, all.as_str()),
        ("ignore", &k.ignore, ""),
    ] {
        let set = !list.is_empty();
        let shown = if set {
            list.join(", ")
        } else {
            default.to_owned()
        };
        row("check", key, shown, set)?;
    }
    let preview = k.preview.unwrap_or(false).to_string();
    row("check", "preview", preview, k.preview.is_some())?;
    let fail_on = k.fail_on.clone().unwrap_or_else(|| "warning".to_owned());
    row("check", "fail-on", fail_on, k.fail_on.is_some())?;
    let baseline = k.baseline.clone().unwrap_or_default();
    row("check", "baseline", baseline, k.baseline.is_some())?;
    for (code, grade) in &k.severity {
        row("check.severity", code, grade.clone(), true)?;
    }
    for o in &k.overrides {
        let mut wishes: Vec<String> = [("select", &o.select), ("ignore", &o.ignore)]
            .into_iter()
            .filter(|(_, codes)| !codes.is_empty())
            .map(|(key, codes)| format!("{key} {}", codes.join(" ")))
            .collect();
        wishes.extend(
            o.severity
                .iter()
                .map(|(code, grade)| format!("{code}={grade}")),
        );
        row(
            "check.override",
            &o.paths.join(" "),
            wishes.join(", "),
            true,
        )?;
    }
    let v = &c.convert;
    let to = serde_json::to_value(v.to.unwrap_or_default())?;
    row("convert", "to", shown(to), v.to.is_some())?;
    let bundle = serde_json::to_value(v.bundle.unwrap_or_default())?;
    row("convert", "bundle", shown(bundle), v.bundle.is_some())?;
    let per = serde_json::to_value(v.per.unwrap_or_default())?;
    row("convert", "per", shown(per), v.per.is_some())?;
    let number = v.institution.clone().unwrap_or_default();
    row("convert", "institution", number, v.institution.is_some())?;
    let ids = serde_json::to_value(v.ids.unwrap_or_default())?;
    row("convert", "ids", shown(ids), v.ids.is_some())?;
    let key = v.id_key.as_ref().map(|p| p.display().to_string());
    row(
        "convert",
        "id-key",
        key.unwrap_or_default(),
        v.id_key.is_some(),
    )?;
    let attachments = serde_json::to_value(v.attachments.unwrap_or_default())?;
    row(
        "convert",
        "attachments",
        shown(attachments),
        v.attachments.is_some(),
    )?;
    let without = v.without_source_identifier.unwrap_or_default().to_string();
    row(
        "convert",
        "without-source-identifier",
        without,
        v.without_source_identifier.is_some(),
    )?;
    let h = &c.fhir;
    row("fhir", "ig", h.ig.join(", "), !h.ig.is_empty())?;
    for (key, set, default) in [
        ("must-support", h.must_support, false),
        ("vital-signs", h.vital_signs, true),
    ] {
        row(
            "fhir",
            key,
            set.unwrap_or(default).to_string(),
            set.is_some(),
        )?;
    }
    let registry = h.registry.clone();
    row(
        "fhir",
        "registry",
        registry.unwrap_or_else(|| package::REGISTRY.to_owned()),
        h.registry.is_some(),
    )?;
    for (package, sum) in &h.pins {
        row("fhir.pins", package, sum.clone(), true)?;
    }
    let p = &c.privacy;
    let values = serde_json::to_value(show_values(s, loaded))?;
    row(
        "privacy",
        "show-values",
        shown(values),
        p.show_values.is_some(),
    )?;
    let masked = s.get_flag("mask-paths") || p.mask_paths == Some(true);
    row(
        "privacy",
        "mask-paths",
        masked.to_string(),
        p.mask_paths.is_some(),
    )?;
    let serve = serde_json::to_value(&c.serve)?;
    for (key, value) in serve.as_object().into_iter().flatten() {
        if !value.is_null() {
            row("serve", key, shown(value.clone()), true)?;
        }
    }
    Ok(())
}

/// Keys of the file that are flags of every command as well.
fn given_key(key: &str) -> Option<&str> {
    ["lang", "jobs", "show-values", "mask-paths"]
        .contains(&key)
        .then_some(key)
}

/// Number of threads when nobody says one.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command(Lang::Ja).debug_assert();
        command(Lang::En).debug_assert();
    }
}
