//! The arguments of `warifu consent`.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};
use warifu_report::Lang;

use crate::words::Words;

/// Where what a command makes goes.
fn out(w: Words) -> Arg {
    w.file(
        "out",
        "FILE",
        "書き出すファイル (省略時: 標準出力)",
        "file to write (default: stdout)",
    )
}

/// `warifu consent` and its commands.
pub(crate) fn command(lang: Lang) -> Command {
    let w = Words(lang);
    let sub = || {
        w.value(
            "sub",
            "SUB",
            "本人の仮名 (s1.…)",
            "pseudonym of the person (s1.…)",
        )
    };
    let key = || {
        w.file(
            "key",
            "FILE",
            "秘密鍵のファイル (本人だけが読めること)",
            "file with the private key (readable by its owner only)",
        )
    };
    let identified = |ja: &str, en: &str| {
        w.value("identified", "HOW", ja, en)
            .value_parser(["jpki", "counter"])
    };
    // Without the person's key, once the person was identified anew.
    let or_counter = |c: Command| {
        c.arg(key().required_unless_present("identified"))
            .arg(
                identified(
                    "鍵なしで、窓口で署名する。本人確認の方法: jpki, counter (--person が要ります)",
                    "sign at the counter, without the person's key; how the person was identified: jpki, counter (needs --person)",
                )
                .requires("person")
                .conflicts_with_all(["key", "proxy"]),
            )
            .arg(
                w.file(
                    "person",
                    "FILE",
                    "窓口の方の患者番号のファイル (-: 標準入力)",
                    "file with the id of the person at the counter (-: stdin)",
                )
                .requires("identified"),
            )
    };
    let out = || out(w);
    let agree = || {
        w.flag(
            "agree",
            "表示された文に同意して署名する",
            "agree to the text that was shown, and sign",
        )
    };
    let text_lang = || {
        w.value(
            "text-lang",
            "LANG",
            "同意文の言語: ja, ja-easy, en",
            "language of the text: ja, ja-easy, en",
        )
        .value_parser(["ja", "ja-easy", "en"])
    };
    let aud = || {
        w.many(
            "aud",
            "CODE",
            "相手 (mi:1312345678 など)",
            "recipients (mi:1312345678 and the like)",
        )
    };
    let pur = || {
        w.many(
            "pur",
            "CODE",
            "目的 (TREAT など)",
            "purposes (TREAT and the like)",
        )
    };
    let cat = || {
        w.many(
            "cat",
            "CODE",
            "情報の種類 (inf.lab など)",
            "categories (inf.lab and the like)",
        )
    };
    let proxy = || {
        w.value(
            "proxy",
            "JTI",
            "代理の鍵の登録の jti (enrol --role guardian --for SUB が仮名のあとに示す 22 文字)",
            "jti of the proxy's key binding (the 22 characters that enrol --role guardian --for SUB shows after the pseudonym)",
        )
        // base64url may begin with a hyphen.
        .allow_hyphen_values(true)
    };
    let asks = |c: Command| {
        c.arg(sub().required(true))
            .arg(
                w.value(
                    "as",
                    "WHO",
                    "だれとして: 相手のコード、subject (本人)、proxy (代理)",
                    "who asks: a recipient's code, subject or proxy",
                )
                .required(true),
            )
            .arg(w.value("pur", "CODE", "目的", "purpose").required(true))
            .arg(proxy())
            .arg(w.flag(
                "sixteen",
                "代理される方が 16 歳以上",
                "the represented person is 16 or older",
            ))
            .arg(w.file(
                "break-glass",
                "FILE",
                "救急の表明のトークン",
                "token that asserts the emergency",
            ))
            .arg(
                w.file(
                    "disaster",
                    "FILE",
                    "災害の発動のトークン",
                    "token that declares the disaster",
                )
                .conflicts_with("break-glass"),
            )
    };
    let decides = |name: &'static str, ja: &str, en: &str| {
        asks(Command::new(name).about(w.text(ja, en)))
            .arg(text_lang())
            .arg(cat())
            .arg(w.value(
                "src",
                "CODE",
                "記録の出所の施設",
                "facility the item comes from",
            ))
            .arg(w.many(
                "label",
                "LABEL",
                "項目の印 (PSY など)、印がないとわかっていれば none",
                "labels of the item (PSY and the like); none: it is known to have none",
            ))
            .arg(w.value(
                "date",
                "DATE",
                "診療の日 (2026-04-01)",
                "clinical date (2026-04-01)",
            ))
            .arg(w.file(
                "item",
                "FILE",
                "項目の JSON (docs/consent.md)",
                "JSON of the item (docs/consent.md)",
            ))
    };
    Command::new("consent")
        .about(w.text("同意のトークンを作り、確かめ、判断し、記録します", "Makes, verifies, decides and logs consent"))
        .after_help(w.text(
            "例:\n  warifu consent init desk --origin c.example.jp/consent-log --uri https://c.example.jp/s/1\n  warifu consent keygen --out patient.pem\n  warifu consent grant request.jwt --key patient.pem --agree --out grant.jwt --annex annex.json\n  warifu consent verify grant.jwt --annex annex.json --accept\n  warifu consent decide --sub SUB --as mi:1312345678 --pur TREAT --cat inf.lab\n\n終了コード: 0 受理・許可、1 拒否、2 実行できない",
            "Examples:\n  warifu consent init desk --origin c.example.jp/consent-log --uri https://c.example.jp/s/1\n  warifu consent keygen --out patient.pem\n  warifu consent grant request.jwt --key patient.pem --agree --out grant.jwt --annex annex.json\n  warifu consent verify grant.jwt --annex annex.json --accept\n  warifu consent decide --sub SUB --as mi:1312345678 --pur TREAT --cat inf.lab\n\nExit codes: 0 accepted or permitted, 1 refused, 2 could not run",
        ))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(w.flag("json", "JSON で表示する", "print JSON").global(true))
        .arg(w.number("now", "SECONDS", "今の時刻 (UTC の秒、試験用)", "the time, seconds UTC (for tests)").global(true))
        .arg(
            w.file("desk", "DIR", "窓口のフォルダー (既定: desk)", "folder of the desk (default: desk)")
                .global(true)
                .env("WARIFU_DESK"),
        )
        .subcommand(
            Command::new("init")
                .about(w.text("窓口のフォルダーを作ります (鍵の台帳、方針、施設の台帳、ログ)", "Makes a desk: register of keys, policy, master of facilities, log"))
                .arg(w.first("DIR", "作るフォルダー", "folder to make"))
                .arg(w.value("origin", "NAME", "ログの名 (c.example.jp/consent-log)", "name of the log (c.example.jp/consent-log)").required(true))
                .arg(w.value("uri", "URL", "取消し一覧の場所", "address of the status list").required(true))
                .arg(w.value("contact", "TEXT", "同意文に載せる連絡先", "whom to ask; stands in every text")),
        )
        .subcommand(
            Command::new("keygen")
                .about(w.text("鍵を作ります。秘密鍵は表示しません", "Makes a key; the private half is never shown"))
                .arg(w.file("out", "FILE", "秘密鍵を書くファイル", "file for the private key").required(true))
                .arg(w.value("format", "FORM", "形: pem (PKCS #8), jwk", "form: pem (PKCS #8), jwk").value_parser(["pem", "jwk"]).default_value("pem")),
        )
        .subcommand(
            Command::new("register")
                .about(w.text("鍵を台帳に載せるか、状態を変えます", "Registers a key, or changes its state"))
                .arg(w.first("JWK", "公開鍵の JWK のファイル", "file with the public JWK"))
                .arg(w.value("class", "CLASS", "署名者の種類", "class of signer").required(true).value_parser(["institution", "server", "authority", "registry", "certified", "disaster", "status", "patient"]))
                .arg(w.value("code", "CODE", "施設のコード", "code of the institution"))
                .arg(w.flag("emergency", "救急の施設", "an emergency facility"))
                .arg(w.value("area", "CODE", "施設のある市区町村の番号 (5 桁)。災害の発動はこれで判断します", "number of the municipality where the institution is (5 digits): a disaster covers it by this"))
                .arg(w.value("since", "DATE", "この日の初めから使えなくする (2026-09-01)。鍵が盗まれた日など", "from the beginning of this day (2026-09-01), such as the day the key was stolen"))
                .arg(w.value("state", "STATE", "状態: active, retired, compromised", "state: active, retired, compromised").value_parser(["active", "retired", "compromised"]).default_value("active")),
        )
        .subcommand(
            Command::new("enrol")
                .about(w.text("本人または代理の鍵を結び付けます", "Binds a key to a person or a proxy"))
                .arg(w.first("JWK", "公開鍵の JWK のファイル", "file with the public JWK"))
                .arg(w.file("person", "FILE", "患者番号のファイル (-: 標準入力)。仮名にします", "file with the person's id (-: stdin); becomes a pseudonym").required(true))
                .arg(w.value("ial", "HOW", "本人確認: jpki, counter, self", "identification: jpki, counter, self").value_parser(["jpki", "counter", "self"]).default_value("counter"))
                .arg(w.value("role", "ROLE", "役割", "role").value_parser(["patient", "guardian", "adult_guardian", "delegate", "family"]).default_value("patient"))
                .arg(w.value("for", "SUB", "代理される方の仮名", "pseudonym of the represented person"))
                .arg(w.value("until", "DATE", "代理される方が 18 歳になる日", "the day the represented minor turns 18"))
                .arg(w.value("until-obj", "DATE", "代理される方が 16 歳になる日", "the day the represented minor turns 16"))
                .arg(w.many("scope", "CODE", "代理できる目的と種類 (例: TREAT,inf.rx,inf.lab)。delegate には必要です", "purposes and categories the proxy may sign for (such as TREAT,inf.rx,inf.lab); a delegate needs it"))
                .arg(out()),
        )
        .subcommand(
            Command::new("keys")
                .about(w.text("本人のために署名する鍵 (代理のものも) を、登録の jti、役割、状態で示します", "Shows the keys that sign for a person, proxies' too: jti of the binding, role, state"))
                .arg(sub().required(true)),
        )
        .subcommand(
            Command::new("request")
                .about(w.text("同意の求めを作ります", "Makes a request for consent"))
                .arg(sub().required(true))
                .arg(aud().required(true))
                .arg(pur().required(true))
                .arg(cat().required(true))
                .arg(w.value("from", "DATE", "この日から", "from this day"))
                .arg(w.value("to", "DATE", "この日まで", "to this day"))
                .arg(w.number("days", "N", "期間 (日)", "term in days").default_value("90"))
                .arg(out()),
        )
        .subcommand(
            Command::new("grant")
                .about(w.text("求めの文を表示し、--agree があれば同意に署名します", "Shows the text of a request and, with --agree, signs the grant"))
                .arg(w.first("REQUEST", "求めのトークン", "token of the request").required(false).required_unless_present("offline"))
                .arg(key().required(true))
                .arg(cat())
                .arg(
                    w.flag("offline", "求めなしで、つながらない場所で見せる同意を作る (24 時間まで、--sub, --aud, --pur, --cat が要ります)", "without a request, for where there is no connection: 24 hours at most (needs --sub, --aud, --pur, --cat)")
                        .requires_all(["sub", "aud", "pur", "cat"])
                        .conflicts_with_all(["input", "days"]),
                )
                .arg(sub().requires("offline"))
                .arg(aud().requires("offline"))
                .arg(pur().requires("offline"))
                .arg(w.number("hours", "N", "--offline の時間 (24 まで)", "hours of --offline, at most 24").requires("offline"))
                .arg(w.many("exclude-facility", "CODE", "この施設の記録は見せない", "leave out this facility's records"))
                .arg(w.many("exclude-label", "LABEL", "この印の記録は見せない (PSY など)", "leave out records of this label (PSY and the like)"))
                .arg(w.many("exclude-item", "KEY", "この記録は見せない (r.…)", "leave out this record (r.…)"))
                .arg(w.number("days", "N", "期間 (日)。求めより長くできません", "term in days; at most what the request offers"))
                .arg(w.number("uses", "N", "見せる回数", "number of disclosures"))
                .arg(w.flag("onward", "相手が、もう一つの施設に渡してよい (onward)", "the recipient may pass it on to one more institution (onward)"))
                .arg(proxy())
                .arg(text_lang())
                .arg(agree())
                .arg(w.file("annex", "FILE", "除外の一覧を書くファイル", "file for the list of exclusions").required(true))
                .arg(out()),
        )
        .subcommand(
            Command::new("onward")
                .about(w.text("渡してよいとされた同意を、受けた施設の鍵で、もう一つの施設に渡します", "Passes a grant that allows it on to one more institution, with the key of the one that has it"))
                .arg(w.first("GRANT", "同意のトークンのファイル、または受け付けたものの jti かハッシュ", "file with the grant, or jti or hash of an accepted one").allow_hyphen_values(true))
                .arg(key().required(true))
                .arg(w.value("aud", "CODE", "渡す相手 (mi: か kg:)", "whom it is passed on to (mi: or kg:)").required(true))
                .arg(pur())
                .arg(cat())
                .arg(w.number("days", "N", "期間 (日)。省くと、もとの同意の終わりまで", "term in days (default: to the end of the grant)"))
                .arg(out()),
        )
        .subcommand(
            Command::new("deny")
                .about(w.text("「見せない」という申出に署名します。--aud, --pur, --cat を省くと、すべての相手・目的・種類です", "Signs a prohibition; without --aud, --pur or --cat it is for every recipient, purpose or category"))
                .arg(w.first("REQUEST", "求めのトークン (番号を使います)", "token of the request, whose numbers are used"))
                .arg(key().required(true))
                .arg(aud())
                .arg(pur())
                .arg(cat())
                .arg(w.flag("emergency", "救急でも見せない", "hold in emergencies too"))
                .arg(proxy())
                .arg(text_lang())
                .arg(agree())
                .arg(out()),
        )
        .subcommand(
            or_counter(Command::new("revoke"))
                .about(w.text("同意や委任 (delegate) をやめます (禁止の終わりは求めが要ります)", "Ends a grant or a delegate's mandate (ending a prohibition needs a request)"))
                .arg(w.first("TOKEN", "終わらせるトークンのファイル、または受け付けたものの jti (委任は consent keys が示すもの) かハッシュ (log history の tok)", "file with the token to end, or jti (of a mandate: as consent keys shows it) or hash of an accepted one (tok of log history)").allow_hyphen_values(true))
                .arg(w.value("reason", "WHY", "理由", "reason").value_parser(["withdrawn", "key_lost", "mistake", "other"]).default_value("withdrawn"))
                .arg(w.file("request", "FILE", "求めのトークン (禁止を終えるとき)", "token of a request (to end a prohibition)"))
                .arg(proxy())
                .arg(text_lang())
                .arg(agree())
                .arg(out()),
        )
        .subcommand(
            or_counter(Command::new("object"))
                .about(w.text("匿名加工などへの拒否の申出に署名します", "Signs an objection to secondary use, or its withdrawal"))
                .arg(sub().required_unless_present("person"))
                .arg(pur())
                .arg(w.many("to", "CODE", "事業者 (既定: すべて)", "bodies (default: all)"))
                .arg(w.many("src", "CODE", "出所 (既定: すべて)", "sources (default: all)"))
                .arg(w.flag("withdraw", "申出を取りやめる", "withdraw the objection"))
                .arg(proxy())
                .arg(text_lang())
                .arg(agree())
                .arg(out()),
        )
        .subcommand(
            Command::new("emergency")
                .about(w.text("救急の表明に、施設の鍵で署名します", "Signs the assertion of an emergency with a facility's key"))
                .arg(sub().required(true))
                .arg(key().required(true))
                .arg(w.value("reason", "WHY", "理由: unconscious (意識障害), life (生命・身体の保護), unidentified (身元不明で照会), disaster (災害)", "reason: unconscious, life, unidentified, disaster").required(true).value_parser(["unconscious", "life", "unidentified", "disaster"]))
                .arg(w.value("idm", "HOW", "本人の確かめ方: mynumber (マイナ保険証), four (4 情報), insured (被保険者番号)", "how the person was identified: mynumber, four (four items), insured").required(true).value_parser(["mynumber", "four", "insured"]))
                .arg(w.value("role", "CODE", "職種 (doctor など、方針の emergency_roles)", "role (doctor and the like, emergency_roles of the policy)").required(true))
                .arg(w.number("hours", "N", "有効な時間 (24 まで)", "hours it holds, at most 24").default_value("24"))
                .arg(out()),
        )
        .subcommand(
            Command::new("disaster")
                .about(w.text("災害の発動に、権限のある機関の鍵で署名します", "Signs the declaration of a disaster with the authority's key"))
                .arg(key().required(true))
                .arg(w.many("area", "CODE", "都道府県 (2 桁) か市区町村 (5 桁) の番号", "numbers of prefectures (2 digits) or municipalities (5 digits)").required(true))
                .arg(w.value("from", "DATE", "この日から (既定: いま)", "from this day (default: now)"))
                .arg(w.value("to", "DATE", "この日まで", "to this day, which is in").required(true))
                .arg(out()),
        )
        .subcommand(
            Command::new("verify")
                .about(w.text("トークンを確かめ、--accept があれば受け付けて記録します", "Verifies a token and, with --accept, keeps and logs it"))
                .arg(w.first("TOKEN", "トークンのファイル (QR の文字列も可)", "file with the token (or the text of its QR symbol)"))
                .arg(w.file("annex", "FILE", "除外の一覧", "list of exclusions"))
                .arg(w.flag("accept", "受け付けてログに記録する", "accept it and append it to the log"))
                .arg(identified("窓口で署名したトークンの、本人確認の方法: jpki, counter", "how the person was identified, for a token that the counter signed: jpki, counter").requires("accept"))
                .arg(w.flag("offline", "通信なしで示された同意として確かめる (受け付けはしません)", "judge a grant shown without a connection (never accepts it)").conflicts_with("accept"))
                .arg(out()),
        )
        .subcommand(
            Command::new("show")
                .about(w.text("トークンの内容を、確かめずに表示します", "Shows what a token says, without verifying it"))
                .arg(w.first("TOKEN", "トークンのファイル", "file with the token"))
                .arg(w.flag("qr", "QR の文字列を表示する", "print the text of its QR symbol")),
        )
        .subcommand(decides("decide", "見せてよいかを判断します", "Decides whether an item may go"))
        .subcommand(decides("explain", "判断とその理由を順に表示します", "Decides, and tells the rules in their order"))
        .subcommand(
            asks(Command::new("filter").about(w.text("Bundle から、見せてよいものだけを出します", "Filters a Bundle to what may go")))
                .arg(w.first("BUNDLE", "FHIR R4 の Bundle", "FHIR R4 Bundle"))
                .arg(w.value("src", "CODE", "記録の出所の施設", "facility the Bundle comes from").required(true))
                .arg(w.value("origin", "KIND", "由来: ehr, claims, phr", "origin: ehr, claims, phr").value_parser(["ehr", "claims", "phr"]).default_value("ehr"))
                .arg(w.value("told", "HOW", "告知: yes, no, unknown", "told to the person: yes, no, unknown").value_parser(["yes", "no", "unknown"]).default_value("unknown"))
                .arg(w.value("role", "CODE", "見る人の職種 (physician など)。ログに残ります", "role of who looks (physician and the like); stands in the log").default_value("-"))
                .arg(w.file("evidence", "FILE", "相手に渡す、ログに載せる約束 (receive で確かめます)", "for the recipient: the log's promise, which receive checks"))
                .arg(w.file("withheld", "FILE", "本人に伝える、見せなかったものの一覧", "list of what was withheld, for the person"))
                .arg(out()),
        )
        .subcommand(
            Command::new("receive")
                .about(w.text("受け取った Bundle を、見る前に確かめます (ログにあるか、約束されているか)", "Checks a Bundle that was received before anybody looks at it: that it is logged, or promised to be"))
                .arg(w.first("BUNDLE", "受け取った Bundle (-: 標準入力)", "the Bundle (-: stdin)"))
                .arg(w.file("evidence", "FILE", "一緒に受け取った証明 (filter --evidence)", "the evidence that came with it (filter --evidence)").required(true))
                .arg(sub().required(true))
                .arg(w.value("as", "CODE", "受け取った施設のコード", "code of the institution that received it").required(true))
                .arg(w.value("pur", "CODE", "目的", "purpose").required(true))
                .arg(w.value("log-key", "KEY", "ログの公開鍵 (init が示したもの)", "public key of the log, as init shows it").required(true))
                .arg(w.number("asked", "SECONDS", "求めた時刻 (UTC の秒、既定: いま)", "when it was asked for, in seconds UTC (default: now)"))
                .arg(w.file("server-key", "JWK", "渡した側の公開鍵。Provenance の署名も確かめます", "public key of the sender: the signature of the Provenance is verified, too"))
                .arg(w.number("pin-size", "N", "覚えておいた行数", "pinned size"))
                .arg(w.value("pin-root", "HASH", "覚えておいた根", "pinned root"))
                .arg(w.value("witness", "KEY", "立会人の公開鍵", "public keys of witnesses").action(ArgAction::Append))
                .arg(w.number("quorum", "N", "要る立会人の数 (省略時: 立会人がいれば 1)", "witnesses needed (default: 1 where there are any)"))
                .arg(w.file("out", "FILE", "確かめられたときだけ Bundle を書くファイル", "file for the Bundle, written only if all holds")),
        )
        .subcommand(
            Command::new("export")
                .about(w.text("署名した同意・禁止・拒否を FHIR R4 の Consent にします", "Writes a signed grant, prohibition or objection as a FHIR R4 Consent"))
                .arg(w.first("TOKEN", "トークンのファイル", "file with the token"))
                .arg(w.value("dialect", "NAME", "書き方: core, pcf", "dialect: core, pcf").value_parser(["core", "pcf"]).default_value("core"))
                .arg(w.value("organization", "CODE", "同意を預かる施設 (mi:…)", "institution that keeps the consent (mi:…)").required(true))
                .arg(w.file("annex", "FILE", "除外の一覧。本人に渡す写しだけに付けます", "list of exclusions; for the person's own copy only"))
                .arg(out()),
        )
        .subcommand(
            Command::new("import")
                .about(w.text("FHIR R4 の Consent を読み、署名を確かめるか、署名のない下書きにします", "Reads a FHIR R4 Consent: verifies its token, or makes drafts without signature"))
                .arg(w.first("FILE", "FHIR R4 の Consent", "FHIR R4 Consent"))
                .arg(w.value("src", "CODE", "その Consent が指す記録の施設", "facility whose records the Consent names"))
                .arg(text_lang())
                .arg(out()),
        )
        .subcommand(release(lang))
        .subcommand(log(lang))
}

fn release(lang: Lang) -> Command {
    let w = Words(lang);
    let out = || out(w);
    let leaves = |ja: &str, en: &str| w.file("leaves", "FILE", ja, en).required(true);
    let to = || {
        w.value(
            "to",
            "CODE",
            "認定事業者 (cert:…)",
            "certified body (cert:…)",
        )
        .required(true)
    };
    let src = || {
        w.value(
            "src",
            "CODE",
            "記録の出所の施設",
            "facility the records come from",
        )
        .required(true)
    };
    let pur = || {
        w.value(
            "pur",
            "CODE",
            "目的 (ANON, PSEUDO)",
            "purpose (ANON, PSEUDO)",
        )
        .required(true)
    };
    let sub = || {
        w.value("sub", "SUB", "本人の仮名", "pseudonym of the person")
            .required(true)
    };
    Command::new("release")
        .about(w.text(
            "匿名加工・仮名加工での提供: だれの記録を出せるか、目録の作成と確かめ、拒否した方の停止の求め",
            "Releases without names: whose records may go, manifests made and verified, orders to stop for who objected",
        ))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("members")
                .about(w.text("認定事業者に記録を出せる方を、仮名と塩の行で出します (知らせから日が経ち、拒否も禁止もない方)", "Lists whose records may go to a certified body, a line of pseudonym and salt each: told long enough ago, neither objected nor forbidden"))
                .arg(to())
                .arg(pur())
                .arg(src())
                .arg(w.file("persons", "FILE", "患者番号のファイル、一行に一人 (-: 標準入力)", "file with the ids of patients, one a line (-: stdin)").required(true))
                .arg(w.flag("deliver", "渡したものとして、本人の行をログに書く", "they are handed over: a line of the log for each person"))
                .arg(out()),
        )
        .subcommand(
            Command::new("make")
                .about(w.text("目録に、認定事業者の鍵で署名します (窓口のフォルダーは要りません)", "Signs the manifest of a release with the body's key; needs no desk"))
                .arg(w.first("FORM", "目録の中身の JSON (docs/consent.md)", "JSON of what the manifest says (docs/consent.md)"))
                .arg(w.file("members", "FILE", "入っている方の行 (members が出したもの。出所ごとに繰り返す)", "lines of who is in it, as members prints them; once for each holder").required(true).action(ArgAction::Append))
                .arg(w.file("contract", "FILE", "契約の文書", "text of the contract").required(true))
                .arg(w.file("data", "FILE", "提供するデータ", "the data").required(true))
                .arg(w.file("key", "FILE", "秘密鍵のファイル (本人だけが読めること)", "file with the private key (readable by its owner only)").required(true))
                .arg(leaves("葉を書くファイル", "file for the leaves"))
                .arg(out()),
        )
        .subcommand(
            Command::new("verify")
                .about(w.text("目録を葉と拒否の申出に照らして確かめ、--accept があれば受け付けて記録します", "Holds a manifest against its leaves and against objections and, with --accept, keeps and logs it"))
                .arg(w.first("TOKEN", "目録のトークンのファイル", "file with the manifest"))
                .arg(leaves("葉のファイル", "file with the leaves"))
                .arg(w.flag("accept", "受け付けてログに記録する", "accept it and append it to the log")),
        )
        .subcommand(Command::new("list").about(w.text("受け付けた提供を示します", "Shows the releases that were accepted")))
        .subcommand(
            Command::new("proof")
                .about(w.text("本人が提供に入っているか、いないかの証明を出します", "Proves whether a person is in a release"))
                .arg(w.value("release", "JTI", "提供の jti", "jti of the release").required(true).allow_hyphen_values(true))
                .arg(sub())
                .arg(out()),
        )
        .subcommand(
            Command::new("check")
                .about(w.text("その証明を確かめます (窓口のフォルダーは要りません)", "Verifies such a proof; needs no desk"))
                .arg(w.first("PROOF", "proof が出したファイル", "file as proof prints it"))
                .arg(w.file("body-key", "JWK", "認定事業者の公開鍵", "public key of the certified body").required(true)),
        )
        .subcommand(
            Command::new("stop")
                .about(w.text("拒否した方について、認定事業者に出す停止と消去の求めを出します", "Lists the orders to stop and delete, for who objected"))
                .arg(out()),
        )
        .subcommand(
            Command::new("answer")
                .about(w.text("停止の求めへの認定事業者の答えを、本人の行として記録します", "Logs what a certified body answered to such an order"))
                .arg(sub())
                .arg(to())
                .arg(src())
                .arg(pur())
                .arg(w.value("erased", "DATE", "消去した日", "day on which it erased the data").required_unless_present("kept"))
                .arg(w.value("kept", "LAW", "残す根拠の法令", "law by which it keeps the data").conflicts_with("erased")),
        )
}

fn log(lang: Lang) -> Command {
    let w = Words(lang);
    let out = || out(w);
    let pin = |c: Command| {
        c.arg(w.number("pin-size", "N", "覚えておいた行数", "pinned size"))
            .arg(w.value("pin-root", "HASH", "覚えておいた根", "pinned root"))
    };
    // Whose signatures count.
    let trusted = || {
        [
            w.value(
                "log-key",
                "KEY",
                "ログの公開鍵 (省略時: 窓口のもの)",
                "public key of the log (default: the desk's)",
            ),
            w.value(
                "witness",
                "KEY",
                "立会人の公開鍵",
                "public keys of witnesses",
            )
            .action(ArgAction::Append),
            w.number(
                "quorum",
                "N",
                "要る立会人の数 (省略時: 立会人がいれば 1)",
                "witnesses needed (default: 1 where there are any)",
            ),
        ]
    };
    Command::new("log")
        .about(w.text(
            "ログに書き、証明し、確かめます",
            "Appends to the log, proves and verifies it",
        ))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("append")
                .about(w.text("一行を加えます", "Appends a line"))
                .arg(w.first(
                    "FILE",
                    "行の JSON: kind, sub, と種類ごとの項目",
                    "JSON of the line: kind, sub and the members of the kind",
                )),
        )
        .subcommand(
            Command::new("publish")
                .about(w.text(
                    "署名した区切り (checkpoint) を出します",
                    "Publishes a signed checkpoint",
                ))
                .arg(out()),
        )
        .subcommand(
            Command::new("prove")
                .about(w.text(
                    "行がログにあることの証明を出します",
                    "Proves that a line is in the log",
                ))
                .arg(
                    Arg::new("index")
                        .value_name("INDEX")
                        .required_unless_present("sub")
                        .conflicts_with("sub")
                        .value_parser(clap::value_parser!(u64))
                        .help(w.text("行の番号", "index of the line")),
                )
                .arg(w.value(
                    "sub",
                    "SUB",
                    "番号の代わりに、この人のいちばん新しい行",
                    "instead of an index: the newest line of this person",
                ))
                .arg(
                    w.value(
                        "pin-size",
                        "N",
                        "覚えておいた行数。そこから続いていることも証明します (--consistency)",
                        "pinned size: proves as well that the log goes on from there (--consistency)",
                    )
                    .value_parser(clap::value_parser!(u64))
                    .requires("consistency"),
                )
                .arg(
                    w.value(
                        "consistency",
                        "FILE",
                        "続いていることの証明を書くファイル",
                        "file for the proof that it goes on",
                    )
                    .value_parser(clap::value_parser!(PathBuf))
                    .requires("pin-size"),
                )
                .arg(out()),
        )
        .subcommand(
            pin(Command::new("check").about(w.text(
                "証明を確かめます (ログは要りません)",
                "Verifies a proof; needs no log",
            )))
            .arg(w.first("PROOF", "証明のファイル", "file with the proof"))
            .arg(
                w.value(
                    "consistency",
                    "FILE",
                    "覚えておいた行数から続いていることの証明 (prove --consistency)",
                    "proof that the log goes on from the pinned size (prove --consistency)",
                )
                .value_parser(clap::value_parser!(PathBuf))
                .requires("pin-size"),
            )
            .arg(w.value("leaf", "HASH", "行のハッシュ", "leaf data of the line").required(true).allow_hyphen_values(true))
            .args(trusted()),
        )
        .subcommand(pin(Command::new("verify").about(w.text(
            "ログのすべての行を確かめます",
            "Verifies every line of the log",
        ))))
        .subcommand(
            Command::new("history")
                .about(w.text("本人の行を出します", "Prints a person's lines"))
                .arg(
                    w.value("sub", "SUB", "本人の仮名", "pseudonym of the person")
                        .required(true),
                )
                .arg(out()),
        )
        .subcommand(
            Command::new("check-history")
                .about(w.text(
                    "本人の行に抜けや書き換えがないかを確かめます",
                    "Verifies that a person's lines are complete",
                ))
                .arg(w.first("FILE", "history が出した行", "lines as history prints them"))
                .arg(
                    w.value("sub", "SUB", "本人の仮名", "pseudonym of the person")
                        .required(true),
                )
                .arg(
                    w.value("pin-n", "N", "覚えておいた番号", "pinned place")
                        .value_parser(clap::value_parser!(u64)),
                )
                .arg(w.value("pin-head", "HASH", "覚えておいた先頭", "pinned head").allow_hyphen_values(true))
                .arg(
                    w.value(
                        "proof",
                        "FILE",
                        "いちばん新しい行がログにあることの証明 (prove --sub)",
                        "proof that the newest line is in the log (prove --sub)",
                    )
                    .value_parser(clap::value_parser!(PathBuf)),
                )
                .args(trusted()),
        )
}
