//! The invented hospital: its records, two institutions that may ask, a patient, and the server.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ArgMatches;
use warifu_consent::json::{Value, object};
use warifu_consent::{SecretKey, Signer as _};
use warifu_report::Lang;
use warifu_server::{App, Bind, Config, Limits, Office, Rights, Settings, Vendor, Visitor};
use warifu_store::private;
use zeroize::Zeroizing;

use super::{Known, PORT, clinic, tell};
use crate::serve::{self, now, told};
use crate::witness::{Server, Witness, Wrong};
use crate::{End, pages, say, terminal};

/// 割符花子 of the bundled storage, who does not exist.
pub(super) const PATIENT: &str = "0000990001";
const BIRTH: &str = "1968-03-03";
const HOSPITAL: &str = "mi:1319999999";
const NAMES: [&str; 2] = ["架空割符病院", "Kaku Warifu Hospital"];
const CONTACT: &str = "架空割符病院 患者相談窓口 03-0000-0000";

/// What SS-MIX2 cannot carry: a surgery, which needs a consent of its own.
const SURGERY: &str = r#"{"resourceType":"Bundle","type":"collection","entry":[
{"resource":{"resourceType":"Patient","id":"x","identifier":[{"value":"0000990001"}]}},
{"resource":{"resourceType":"Procedure","id":"op1","status":"completed","subject":{"reference":"Patient/x"},
"performedDateTime":"2026-04-01","code":{"coding":[{"system":"http://jpfhir.jp/fhir/core/CodeSystem/JP_ProcedureCodesMedical_CS",
"code":"150000110"}],"text":"架空の手術"}}}]}"#;

/// Folder of the witness, and how often it looks.
const WITNESS: &str = "witness";
const LOOK: Duration = Duration::from_secs(2);

/// In a folder of the demo from its first moment: no other folder is ever emptied.
const MARK: &str = "warifu-demo";

/// Makes the hospital, or goes on with it, and serves until Ctrl-C.
pub(super) fn run(m: &ArgMatches, dir: &Path, lang: Lang) -> anyhow::Result<End> {
    let wish = m.get_one::<u16>("port").copied();
    let kept = own_folder(dir, m.get_flag("fresh"), lang)?;
    let (bind, known) = if let Some(known) = kept {
        let kept = known.server.strip_prefix("http://");
        let kept: SocketAddr = kept.unwrap_or_default().parse()?;
        if wish.is_some_and(|port| port != kept.port()) {
            bail!(say(
                lang,
                &format!(
                    "{} は {} のために作られています。--port をやめるか、--fresh で作り直してください",
                    dir.display(),
                    known.server
                ),
                &format!(
                    "{} was made for {}. Leave --port out, or start anew with --fresh",
                    dir.display(),
                    known.server
                )
            ));
        }
        (kept, known)
    } else {
        let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, wish.unwrap_or(PORT)));
        (bind, make(dir, &format!("http://{bind}"), lang)?)
    };
    let office = Office::open(&dir.join("data"), Box::new(now))?;
    let visitor = Visitor {
        institution: HOSPITAL,
        patient: PATIENT,
        identified: "counter",
    };
    let keys = told(office.keys_at_desk(&visitor))?;
    let enrolled = keys.iter().any(|key| key.state == "active");
    let code = if enrolled {
        None
    } else {
        Some(told(office.enrol_code(PATIENT, BIRTH))?)
    };
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join("server.log"))?;
    let log = Mutex::new(log);
    let folder = |name: &str| m.get_one::<PathBuf>(name).map(PathBuf::as_path);
    let app = App::new(Config {
        origin: known.server.clone(),
        office: Some(office),
        vendor: Vendor::new(warifu_package::Library::new([])),
        portal: pages::portal(folder("portal"))?,
        playground: pages::playground(folder("playground"))?,
        forwarded: false,
        certificates: warifu_server::Certificates::Off,
        card: None,
        hl7: false,
        metrics: true,
        // The terminal is for the story.
        log: Some(Box::new(move |line| {
            if let Ok(mut log) = log.lock() {
                let _ = writeln!(log, "{line}");
            }
        })),
        limits: Limits::REFERENCE,
    });
    let bind = Bind {
        address: bind,
        public: false,
        tls: None,
    };
    let requester = requester(dir, m.contains_id("dir"));
    let another = another(dir);
    let origin = known.server;
    let witness = dir.join(WITNESS);
    // One of a version without them has none.
    let witness = witness
        .exists()
        .then(|| Witness::open(&witness, lang))
        .transpose()?;
    serve::listen(app, bind, move |_| {
        if let Some(witness) = witness {
            let origin = origin.clone();
            std::thread::spawn(move || watched(witness, &origin));
        }
        // A closed stdout is no reason to end.
        let _ = welcome(&origin, code.as_deref(), &another, &requester);
    })?;
    tell("終わりました。", "Ended.")?;
    Ok(End::Clean)
}

/// The witness follows the log over HTTP, as one on another machine does, until the program ends.
fn watched(mut witness: Witness, origin: &str) {
    let server = Server::new(origin);
    loop {
        if let Err(wrong) = witness.look(&server) {
            terminal::note(&format!("witness: {wrong}"));
            if matches!(wrong, Wrong::Fork(_)) {
                break;
            }
        }
        std::thread::sleep(LOOK);
    }
}

/// What stands there when the server listens.
fn welcome(origin: &str, code: Option<&str>, another: &str, requester: &str) -> anyhow::Result<()> {
    let lines = [
        "割符の体験版が動いています。病院も患者も架空で、何もこの機械の外に出ません。".to_owned(),
        "  The demo runs. Hospital and patient are invented, and nothing leaves this machine."
            .to_owned(),
        String::new(),
        format!("  ポータル    portal      {origin}/"),
        format!("  変換と検査  playground  {origin}/playground/"),
        match code {
            Some(code) => {
                format!("  登録番号    code        {code}  (一度だけ、24 時間  once, 24 hours)")
            }
            None => format!(
                "  登録番号    code        -  (登録ずみ。新しい番号  enrolled; a new one: {another})"
            ),
        },
        format!("  生年月日    birth date  {BIRTH}"),
        String::new(),
        "1. ポータルを開き、鍵を作り、登録番号と生年月日を入れて登録してください。".to_owned(),
        "   Open the portal, make a key, and enrol with the code and the birth date.".to_owned(),
        "2. 別の端末で、記録を見たい診療所を動かしてください。".to_owned(),
        "   In another terminal, play the clinic that wants to see the records:".to_owned(),
        format!("     {requester}"),
        "Ctrl-C で終わります。同じコマンドで続きから始まります (--fresh: 作り直す)。".to_owned(),
        "  Ctrl-C ends it. The same command goes on from there (--fresh: start anew).".to_owned(),
    ];
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", lines.join("\n"))?;
    Ok(out.flush()?)
}

/// A word as a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-".contains(&b);
    if text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

fn program() -> String {
    let program = std::env::args().next();
    quoted(program.as_deref().unwrap_or("warifu"))
}

/// What is typed for a code for another device, or after the key was lost.
fn another(dir: &Path) -> String {
    let data = quoted(&dir.join("data").display().to_string());
    let program = program();
    format!("{program} serve enrol-code --data {data} --patient -")
}

/// What is typed to play the clinic.
fn requester(dir: &Path, is_given: bool) -> String {
    let program = program();
    if is_given {
        format!(
            "{program} demo requester --dir {}",
            quoted(&dir.display().to_string())
        )
    } else {
        format!("{program} demo requester")
    }
}

/// Makes the folder, or looks at the one that is there: what a finished demo knows, `None` for one to be
/// made. Nothing but a folder of the demo is ever emptied.
fn own_folder(dir: &Path, fresh: bool, lang: Lang) -> anyhow::Result<Option<Known>> {
    let made = || -> anyhow::Result<Option<Known>> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(dir)?;
        private::write(&dir.join(MARK), b"")?;
        Ok(None)
    };
    let context = || dir.display().to_string();
    let meta = match std::fs::symlink_metadata(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => return made().with_context(context),
        other => other.with_context(context)?,
    };
    let is_ours = meta.is_dir() && dir.join(MARK).is_file() && private::is_private(dir)?;
    if !is_ours {
        bail!(say(
            lang,
            &format!(
                "{} は体験版のフォルダーではありません。まだないフォルダーを --dir で指定してください",
                dir.display()
            ),
            &format!(
                "{} is no folder of the demo. Name one that is not there with --dir",
                dir.display()
            )
        ));
    }
    let known = if fresh { None } else { Known::read(dir)? };
    if known.is_none() {
        // Of an earlier run, or of one that was interrupted before it had finished.
        std::fs::remove_dir_all(dir).with_context(context)?;
        return made().with_context(context);
    }
    Ok(known)
}

/// The hospital's data below `data`, its storage, and the keys of the institutions.
fn make(dir: &Path, origin: &str, lang: Lang) -> anyhow::Result<Known> {
    let data = dir.join("data");
    // It stands beside the hospital for the demo; elsewhere it is somebody else's.
    let witness = Witness::make(&dir.join(WITNESS), "localhost/witness", lang)?;
    let settings = Settings {
        institution: HOSPITAL.to_owned(),
        names: NAMES.map(str::to_owned),
        contact: CONTACT.to_owned(),
        log: "localhost/consent-log".to_owned(),
        lists: format!("{origin}/api/status"),
        witnesses: vec![witness.key().text()],
        quorum: 1,
    };
    warifu_server::make(&data, &settings)?;
    let facility = |code: &str, [ja, en]: [&str; 2]| {
        object([("code", code.into()), ("ja", ja.into()), ("en", en.into())])
    };
    let [asking, other] = &clinic::INSTITUTIONS;
    let master = object([
        ("v", 1.into()),
        ("version", 1.into()),
        ("contact", CONTACT.into()),
        (
            "facilities",
            Value::Array(vec![
                facility(asking.code, asking.names),
                facility(other.code, other.names),
                facility(HOSPITAL, NAMES),
            ]),
        ),
    ]);
    std::fs::write(data.join("master.json"), master.write() + "\n")?;
    let office = Office::open(&data, Box::new(now))?;
    for institution in &clinic::INSTITUTIONS {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).context("random bytes")?;
        let key = SecretKey::from_seed(&mut seed);
        private::write(&dir.join(institution.key), key.to_pem().as_bytes())?;
        told(office.register(&key.public(), institution.code, &Rights::default()))?;
    }
    for (name, bytes) in warifu_synth::fixtures::files() {
        if !name.starts_with("standard_root/") {
            continue;
        }
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(dir))?;
        std::fs::write(path, bytes)?;
    }
    let options = warifu_storage::Options::standard();
    let storage = warifu_storage::Storage::open_all(&[&dir.join("standard_root")], &options)?;
    let done = told(office.ingest(&storage))?;
    let surgery = told(office.ingest_bundle(PATIENT, SURGERY.as_bytes()))?.records;
    tell(
        &format!(
            "架空の病院の記録を取り込みました: 患者 {} 人、{} 件と、手術の Bundle {surgery} 件。",
            done.patients, done.records
        ),
        &format!(
            "Records of the invented hospital are taken in: {} patients, {} resources, and {surgery} of a Bundle with a surgery.",
            done.patients, done.records
        ),
    )?;
    // Last: without it the folder was not finished.
    let known = Known {
        server: origin.to_owned(),
        sub: told(office.pseudonym(PATIENT))?,
    };
    known.write(dir)?;
    Ok(known)
}
