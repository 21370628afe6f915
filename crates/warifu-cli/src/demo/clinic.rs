//! The invented clinic: asks for records, is refused, asks the patient, sees what was granted, is cut off.
//!
//! It has nothing of the hospital's but what the server answers: its own key, the address, and the
//! pseudonym, which it would have from a referral. It looks at no record whose line of the log it has not
//! checked (consent.md §9.5).

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use warifu_consent::json::{self, Value, object};
use warifu_consent::{SecretKey, Typ, b64, hash, make};
use warifu_log::recipient::{Asked, Backing, Evidence, Pending, Recipient, Refusal};
use warifu_log::{
    Hash, Note, NoteKey, Promise, Tile, TileNodes, TlogProof, Trust, inclusion_proof,
};
use warifu_report::Lang;
use warifu_store::private;

use super::{Known, hospital, tell};
use crate::serve::now;
use crate::{End, say};

/// An institution of the demo.
pub(super) struct Of {
    pub(super) code: &'static str,
    pub(super) names: [&'static str; 2],
    /// File with its private key.
    pub(super) key: &'static str,
}

/// The clinic that asks, and one that nobody granted anything.
pub(super) static INSTITUTIONS: [Of; 2] = [
    Of {
        code: "mi:1312345678",
        names: ["架空割符診療所", "Kaku Warifu Clinic"],
        key: "clinic.pem",
    },
    Of {
        code: "mi:1312345670",
        names: ["架空別診療所", "Kaku Other Clinic"],
        key: "other.pem",
    },
];

/// What the clinic asks the patient for.
const WANTED: [&str; 6] = [
    "demo",
    "inf.allergy",
    "inf.condition",
    "inf.lab",
    "inf.rx",
    "prc.surgery",
];
const DAYS: u64 = 30;

/// Subject of an access request for somebody of whom the institution knows no pseudonym.
const NOBODY: &str = "s1.AAAAAAAAAAAAAAAAAAAAAA";

/// What a person calls the resources that are records of their own; the rest goes along with them.
const KINDS: [(&str, &str, &str); 5] = [
    ("AllergyIntolerance", "アレルギー", "allergies"),
    ("Condition", "傷病名", "conditions"),
    ("MedicationRequest", "処方", "prescriptions"),
    ("Observation", "検査", "lab results"),
    (SURGERY, "手術", "surgeries"),
];
const SURGERY: &str = "Procedure";

/// Codes of refusals in words.
const REFUSALS: [(&str, &str, &str); 6] = [
    ("NO_GRANT", "同意がありません", "there is no consent"),
    (
        "AUD",
        "この施設への同意ではありません",
        "the consent is for another institution",
    ),
    (
        "EXPIRED",
        "同意の期限が切れています",
        "the consent has expired",
    ),
    (
        "REVOKED",
        "同意は取りやめられました",
        "the consent was withdrawn",
    ),
    (
        "NOT_AVAILABLE",
        "見せられる記録がありません",
        "nothing may be shown",
    ),
    (
        "HELD",
        "断られた回数が多いので、病院がこの鍵を止めました (warifu serve lift)",
        "refused too often: the hospital holds this key (warifu serve lift)",
    ),
];

/// How often it looks whether the log has grown.
const LOOK: Duration = Duration::from_secs(2);

/// An institution over HTTP.
struct Institution<'k> {
    of: &'static Of,
    known: &'k Known,
    key: SecretKey,
    agent: ureq::Agent,
    log: Recipient,
}

/// What became of a request for records.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Came {
    /// Why not.
    Refused(String),
    /// Resources by type; their line is checked.
    Shown(BTreeMap<String, usize>),
}

impl<'k> Institution<'k> {
    fn new(of: &'static Of, dir: &Path, known: &'k Known, lang: Lang) -> anyhow::Result<Self> {
        let path = dir.join(of.key);
        let context = || path.display().to_string();
        let Some(pem) = private::read(&path).with_context(context)? else {
            bail!(say(
                lang,
                &format!("{} をほかの人も読めます", path.display()),
                &format!("others can read {}", path.display())
            ));
        };
        let pem = core::str::from_utf8(&pem).unwrap_or_default();
        let key = SecretKey::from_pem(pem)
            .map_err(|e| anyhow::anyhow!("{e}"))
            .with_context(context)?;
        // The server is on this machine: no proxy stands between.
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .new_agent();
        let trusted = get(&agent, &format!("{}/api/log/key", known.server), lang)?;
        let trusted = json::read(trusted.as_bytes(), 4).ok();
        let told = |name: &str| trusted.as_ref().and_then(|v| v.get(name));
        let name = told("log").and_then(Value::text).unwrap_or_default();
        let witnesses = told("witnesses").into_iter().flat_map(Value::texts);
        let witnesses: Result<Vec<NoteKey>, _> = witnesses.map(NoteKey::parse).collect();
        let quorum = told("quorum").and_then(Value::int).unwrap_or(0);
        let quorum = usize::try_from(quorum)?;
        let log = Recipient {
            trust: Trust::new(NoteKey::parse(name)?, witnesses?, quorum)?,
            facilities: Vec::new(),
            pin: None,
        };
        Ok(Self {
            of,
            known,
            key,
            agent,
            log,
        })
    }

    /// Sends a body with an access request over it (consent.md §6.2); gives status, answer, and the time
    /// in the request.
    fn post(&self, path: &str, sub: &str, body: &Value) -> anyhow::Result<(u16, Value, u64)> {
        let (body, at) = (body.write(), now());
        let address = format!("{}{path}", self.known.server);
        let mut id = [0; 16];
        getrandom::fill(&mut id).context("random bytes")?;
        let claims = object([
            ("sub", sub.into()),
            ("pur", "TREAT".into()),
            ("ath", "registered".into()),
            ("q", hash::sha256_text(&[body.as_bytes()]).into()),
            ("jti", b64::encode(&id).into()),
            ("iat", at.into()),
            ("exp", (at + 300).into()),
            ("htm", "POST".into()),
            ("htu", address.as_str().into()),
            ("per", object([("role", "doctor".into())])),
        ]);
        let token = make(Typ::Access, claims, &self.key).map_err(|e| anyhow::anyhow!("{e}"))?;
        let sent = self
            .agent
            .post(&address)
            .header("Authorization", &format!("Bearer {token}"))
            .header("Content-Type", "application/json")
            .send(body.as_str())?;
        let status = sent.status().as_u16();
        let text = sent.into_body().read_to_string()?;
        let value = json::read(text.as_bytes(), 8);
        let value = value.map_err(|_| anyhow::anyhow!("{address}: {status}"))?;
        Ok((status, value, at))
    }

    /// Asks for all records of the patient; gives the place of the line about that, too. What was shown is
    /// promised to be in the log, and `owed` until that is proven.
    fn disclose(&self, owed: &mut Vec<Pending>) -> anyhow::Result<(Came, Option<u64>)> {
        let body = object([("search", "Patient/$everything?_count=500".into())]);
        let sub = &self.known.sub;
        let (status, answer, at) = self.post("/api/disclose", sub, &body)?;
        let text = |name: &str| answer.get(name).and_then(Value::text).unwrap_or_default();
        let evidence = answer.get("proof").map(Value::write).unwrap_or_default();
        let index = index_of(evidence.as_bytes());
        if status != 200 {
            return Ok((Came::Refused(text("code").to_owned()), index));
        }
        let asked = Asked {
            rcp: self.of.code.to_owned(),
            sub: sub.clone(),
            pur: "TREAT".to_owned(),
            areq: Hash::from_url(text("areq")).context("areq")?,
            at,
        };
        let accepted = self.log.check(evidence.as_bytes(), &asked, now())?;
        owed.extend(accepted.pending);
        Ok((Came::Shown(kinds(text("bundle"))?), index))
    }

    /// Asks the patient.
    fn ask(&self) -> anyhow::Result<()> {
        let list = |codes: &[&str]| -> Value {
            let codes = codes.iter().map(|c| Value::from(*c));
            Value::Array(codes.collect())
        };
        let body = object([
            ("patient", hospital::PATIENT.into()),
            ("aud", list(&[self.of.code])),
            ("pur", list(&["TREAT"])),
            ("cat", list(&WANTED)),
            ("days", DAYS.into()),
        ]);
        let (status, answer, _) = self.post("/api/consent/requests", NOBODY, &body)?;
        // 200: what it had asked for before still waits.
        if !matches!(status, 200 | 201) {
            let code = answer.get("code").and_then(Value::text);
            bail!(
                "/api/consent/requests: {status} {}",
                code.unwrap_or_default()
            );
        }
        Ok(())
    }

    /// Erases the copies that it is asked to erase, and says so; gives how many consents they were of. It kept
    /// none: what it shows is gone when it is shown.
    fn erase(&self) -> anyhow::Result<usize> {
        let (status, asked, at) = self.post("/api/revoked", NOBODY, &object([]))?;
        let notices = match asked.get("notices") {
            Some(Value::Array(all)) if status == 200 => all.as_slice(),
            _ => bail!("/api/revoked: {status}"),
        };
        for notice in notices {
            let id = notice.get("notice").cloned().context("notice")?;
            let body = object([("notice", id), ("erased", at.into())]);
            let (status, ..) = self.post("/api/erased", NOBODY, &body)?;
            if !matches!(status, 200 | 201) {
                bail!("/api/erased: {status}");
            }
        }
        Ok(notices.len())
    }

    /// The newest checkpoint and its number of lines; `None` before the first, and while nobody answers.
    fn published(&self) -> Option<(String, u64)> {
        let address = format!("{}/api/log/checkpoint", self.known.server);
        let note = String::from_utf8(fetch(&self.agent, &address).ok()?).ok()?;
        let size = self.log.trust.verify(note.as_bytes()).ok()?.size;
        Some((note, size))
    }

    /// Proves what is owed and stands in the published tree, by the tree's tiles; what is not there yet stays
    /// owed. Gives how many lines were proven.
    ///
    /// # Errors
    /// A promise was not kept.
    fn prove(&self, owed: &mut Vec<Pending>, note: &str, size: u64) -> anyhow::Result<usize> {
        let nodes = TileNodes::new(size, |tile: Tile| {
            let path = tile.path();
            fetch(
                &self.agent,
                &format!("{}/api/log/{path}", self.known.server),
            )
        });
        let mut proven = 0;
        for pending in std::mem::take(owed) {
            let proof = pending.index.and_then(|index| {
                let path = inclusion_proof(&nodes, index, size).ok()??;
                let proof = TlogProof {
                    index,
                    extra: None,
                    path,
                    checkpoint: note.to_owned(),
                };
                Some(proof.write())
            });
            match self.log.recheck(&pending, proof.as_deref(), None, now()) {
                Ok(_) => proven += 1,
                Err(Refusal::Missing) => owed.push(pending),
                Err(broken) => return Err(broken.into()),
            }
        }
        Ok(proven)
    }
}

fn fetch(agent: &ureq::Agent, address: &str) -> anyhow::Result<Vec<u8>> {
    Ok(agent.get(address).call()?.into_body().read_to_vec()?)
}

fn get(agent: &ureq::Agent, address: &str, lang: Lang) -> anyhow::Result<String> {
    let answer = fetch(agent, address).with_context(|| {
        say(
            lang,
            &format!("{address} が答えません。先に warifu demo を動かしてください"),
            &format!("{address} does not answer. Start warifu demo first"),
        )
    })?;
    Ok(String::from_utf8(answer)?)
}

/// Place of a line in the log, by its proof or promise.
fn index_of(evidence: &[u8]) -> Option<u64> {
    match Evidence::parse(evidence).ok()?.by {
        Backing::Proof(text) => Some(TlogProof::parse(text.as_bytes())?.index),
        Backing::Promise(text) | Backing::Deferred(text) => {
            let note = Note::parse(text.as_bytes()).ok()?;
            Some(Promise::parse(note.text())?.index)
        }
    }
}

/// Resources of a Bundle by type.
fn kinds(bundle: &str) -> anyhow::Result<BTreeMap<String, usize>> {
    let value: serde_json::Value = serde_json::from_str(bundle)?;
    let mut counts = BTreeMap::new();
    let entries = value.get("entry").and_then(serde_json::Value::as_array);
    for entry in entries.into_iter().flatten() {
        let kind = entry.pointer("/resource/resourceType");
        let kind = kind.and_then(serde_json::Value::as_str).unwrap_or("?");
        *counts.entry(kind.to_owned()).or_insert(0) += 1;
    }
    Ok(counts)
}

/// Plays the clinic to the end of the story.
pub(super) fn run(dir: &Path, minutes: u64, lang: Lang) -> anyhow::Result<End> {
    let Some(known) = Known::read(dir)? else {
        bail!(say(
            lang,
            &format!(
                "{} に体験版がありません。先に warifu demo を動かしてください",
                dir.display()
            ),
            &format!("no demo in {}. Start warifu demo first", dir.display())
        ));
    };
    let [clinic, other] = &INSTITUTIONS;
    let clinic = Institution::new(clinic, dir, &known, lang)?;
    let other = Institution::new(other, dir, &known, lang)?;
    let home = format!("{}/home", known.server);
    let enters = enters();
    let limit = Duration::from_secs(minutes.saturating_mul(60));
    let mut owed = Vec::new();
    let (mut came, mut line) = clinic.disclose(&mut owed)?;
    report(&clinic, &came)?;
    let mut was_shown = matches!(came, Came::Shown(_));
    if was_shown {
        withdraw(&known)?;
    } else if came != Came::Refused("HELD".to_owned()) {
        clinic.ask()?;
        tell(
            &format!(
                "診療所は患者に「記録を見せてください」とお願いしました (手術は別のお願い)。{home} を開き、お願いを選び、見せる記録と期限を決めて署名してください。"
            ),
            &format!(
                "The clinic asked the patient (for the surgery apart). Open {home}, choose the request, say what is shown and until when, and sign."
            ),
        )?;
        enter()?;
    }
    while came != Came::Refused("HELD".to_owned()) {
        if !wait(&clinic, &enters, line, &mut owed, limit)? {
            tell(
                &format!("{minutes} 分待ったので終わります。"),
                &format!("Ended after a wait of {minutes} minutes."),
            )?;
            return Ok(End::Findings);
        }
        (came, line) = clinic.disclose(&mut owed)?;
        let is_shown = matches!(came, Came::Shown(_));
        report(&clinic, &came)?;
        if is_shown && !was_shown {
            let (refused, own) = other.disclose(&mut owed)?;
            report(&other, &refused)?;
            line = own.or(line);
            withdraw(&known)?;
        }
        if was_shown && !is_shown {
            if clinic.erase()? > 0 {
                tell(
                    "病院から「写しを消してください」と届いたので、診療所は写しを消し、署名して返事をしました。返事はポータルの「同意」で見られます。",
                    "The hospital asked to erase the copies; the clinic did, and answered with its signature. The answer is in the portal below 同意.",
                )?;
            }
            tell(
                "診療所はもう何も見られません。見られた回数と断られた回数は、ポータルの「見た人」で確かめられます。",
                "The clinic sees nothing any more. Who looked, and who was refused, is in the portal below 見た人.",
            )?;
            return Ok(End::Clean);
        }
        was_shown = is_shown;
    }
    Ok(End::Findings)
}

/// Says what came.
fn report(by: &Institution<'_>, came: &Came) -> anyhow::Result<()> {
    let [ja, en] = by.of.names;
    match came {
        Came::Refused(code) => {
            let found = REFUSALS.iter().find(|(c, ..)| c == code);
            let (why, reason) =
                found.map_or(("見られません", "not shown"), |(_, j, e)| (*j, *e));
            tell(
                &format!("{ja}: 記録を求め、断られました。{why} ({code})。"),
                &format!("{en}: asked for the records and was refused: {reason} ({code})."),
            )
        }
        Came::Shown(kinds) => {
            let of = |n: usize| -> Vec<String> {
                let all = KINDS.iter().filter_map(|(kind, ja, en)| {
                    let count = kinds.get(*kind)?;
                    Some(format!("{} {count}", [ja, en].get(n)?))
                });
                all.collect()
            };
            let own: usize = KINDS.iter().filter_map(|(k, ..)| kinds.get(*k)).sum();
            let along = kinds.values().sum::<usize>() - own;
            let (apart, apart_en) = if kinds.contains_key(SURGERY) {
                ("", "")
            } else {
                (
                    "手術の記録は別の同意がないので届きません。",
                    " No surgery: it needs a consent of its own.",
                )
            };
            tell(
                &format!(
                    "{ja}: 同意された記録だけが届きました: {} (付き添う資源 {along})。ログの署名を確かめました。{apart}",
                    of(0).join("、")
                ),
                &format!(
                    "{en}: got what was granted and nothing else: {} (and {along} that go along). The log's signature is checked.{apart_en}",
                    of(1).join(", ")
                ),
            )
        }
    }
}

/// What the person may do now.
fn withdraw(known: &Known) -> anyhow::Result<()> {
    let consents = format!("{}/consents", known.server);
    tell(
        &format!("ポータルの「同意」({consents}) で「やめる」を押すと、次の求めから断られます。"),
        &format!("Withdraw in the portal, below 同意 ({consents}): the next request is refused."),
    )?;
    enter()
}

fn enter() -> anyhow::Result<()> {
    tell(
        "終わったら Enter を押してください (押さなくても、1 分ほどで気づきます)。",
        "Then press Enter (or wait: it is noticed within a minute or so).",
    )
}

/// A message for each line of stdin, until it ends.
fn enters() -> Receiver<()> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if line.is_err() || sender.send(()).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Waits for Enter, or until the log has a line behind the clinic's own; whether something came in time.
/// Asking again and again would be lines of the log that nobody wants to read. Meanwhile what is owed is
/// proven.
fn wait(
    clinic: &Institution<'_>,
    enters: &Receiver<()>,
    line: Option<u64>,
    owed: &mut Vec<Pending>,
    limit: Duration,
) -> anyhow::Result<bool> {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        match enters.recv_timeout(LOOK) {
            Ok(()) => return Ok(true),
            Err(RecvTimeoutError::Timeout) => {}
            // Nobody can press it: the log alone tells.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK),
        }
        let Some((note, size)) = clinic.published() else {
            continue;
        };
        if clinic.prove(owed, &note, size)? > 0 {
            tell(
                "ログは約束を守りました: 閲覧の記録が公開された木に入っていることを、証明で確かめました。",
                "The log kept its promise: the proof shows that the disclosure is in the published tree.",
            )?;
        }
        if line.is_some_and(|own| size > own + 1) {
            return Ok(true);
        }
    }
    Ok(false)
}
