//! `warifu demo` and `warifu demo requester` as README tells it, with a patient who is played here: asked,
//! refused, granted, disclosed exactly that, withdrawn, refused.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use support::{run, text, warifu};
use warifu_consent::{
    Annex, Lang, Master, Policy, SecretKey, Signer as _, TEXT_VERSION, Typ, b64, bind_text, family,
    make,
};

/// Day of birth of the demo's patient.
const BIRTH: &str = "1968-03-03";

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

/// A port that was free a moment ago: the server's address has to be known before it starts.
fn free_port() -> String {
    let probe = TcpListener::bind("127.0.0.1:0").unwrap();
    probe.local_addr().unwrap().port().to_string()
}

/// A program whose words are read as they come; it ends with this value.
struct Told {
    child: Child,
    input: ChildStdin,
    out: BufReader<ChildStdout>,
    /// All that was read.
    said: String,
}

impl Told {
    fn start(args: &[&str]) -> Self {
        let mut child = warifu(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            out: BufReader::new(child.stdout.take().unwrap()),
            child,
            said: String::new(),
        }
    }

    /// Reads to a line with this text, and gives it.
    fn until(&mut self, what: &str) -> String {
        loop {
            let mut line = String::new();
            let more = self.out.read_line(&mut line).unwrap();
            assert!(more > 0, "no {what} in:\n{}", self.said);
            self.said.push_str(&line);
            if line.contains(what) {
                return line;
            }
        }
    }

    fn enter(&mut self) {
        self.input.write_all(b"\n").unwrap();
        self.input.flush().unwrap();
    }

    /// Reads the rest; the exit code.
    fn end(&mut self) -> Option<i32> {
        std::io::Read::read_to_string(&mut self.out, &mut self.said).unwrap();
        self.child.wait().unwrap().code()
    }

    /// As Ctrl-C in its terminal.
    fn interrupt(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(sent.success());
        self.end()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The hospital, and its words that are needed.
fn hospital(dir: &str, more: &[&str]) -> (Told, String, String) {
    let mut told = Told::start(&[&["demo", "--dir", dir], more].concat());
    let value = |line: &str| line.split_whitespace().nth(2).unwrap().to_owned();
    let portal = value(&told.until("portal  "));
    let code = value(&told.until("code  "));
    told.until("--fresh: start anew");
    (told, portal.trim_end_matches('/').to_owned(), code)
}

/// The patient with a key of her own, as the portal speaks for her.
struct Patient {
    origin: String,
    agent: ureq::Agent,
    key: SecretKey,
    cookie: String,
    sub: String,
}

/// A value of serde as one of `warifu-consent`.
fn claims(value: &Value) -> warifu_consent::json::Value {
    warifu_consent::json::read(value.to_string().as_bytes(), 8).unwrap()
}

impl Patient {
    fn enrolled(origin: &str, code: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .build()
            .new_agent();
        let mut patient = Self {
            origin: origin.to_owned(),
            agent,
            key: SecretKey::from_seed(&mut random()),
            cookie: String::new(),
            sub: String::new(),
        };
        let nonce = patient.post("/api/nonce", &json!({}));
        let x = patient.key.public().x();
        let proof = json!({
            "iat": now(), "exp": now() + 60, "aud": origin, "nonce": nonce["nonce"],
            "jwk": {"kty": "OKP", "crv": "Ed25519", "x": x},
        });
        let proof = make(Typ::Session, claims(&proof), &patient.key).unwrap();
        let body = json!({"code": code, "birth": BIRTH, "proof": proof});
        let enrolled = patient.post("/api/enrol", &body);
        enrolled["sub"]
            .as_str()
            .unwrap()
            .clone_into(&mut patient.sub);
        patient
    }

    fn post(&mut self, path: &str, body: &Value) -> Value {
        let answer = self
            .agent
            .post(format!("{}{path}", self.origin))
            .header("Content-Type", "application/json")
            .header("Origin", &self.origin)
            .header("Cookie", &self.cookie)
            .send(body.to_string())
            .unwrap();
        if let Some(cookie) = answer.headers().get("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            cookie
                .split(';')
                .next()
                .unwrap()
                .clone_into(&mut self.cookie);
        }
        serde_json::from_str(&answer.into_body().read_to_string().unwrap()).unwrap()
    }

    fn get(&self, path: &str) -> String {
        let answer = self
            .agent
            .get(format!("{}{path}", self.origin))
            .header("Cookie", &self.cookie)
            .call()
            .unwrap();
        answer.into_body().read_to_string().unwrap()
    }

    /// Grants the one request that is not for an individual category, and of that these categories only.
    fn grant(&mut self, cats: &[&str]) -> String {
        let waiting: Value = serde_json::from_str(&self.get("/api/requests")).unwrap();
        let all = waiting["requests"].as_array().unwrap();
        assert_eq!(all.len(), 2, "one apart for the surgery: {waiting}");
        let plain = all.iter().find(|r| r["individual"] == json!(false));
        let req = plain.unwrap()["req"].as_str().unwrap().to_owned();
        let opened = self.post(&format!("/api/requests/{req}/open"), &json!({}));
        let (_, asked) = warifu_consent::peek(opened["token"].as_str().unwrap()).unwrap();
        let asked: Value = serde_json::from_str(&asked.write()).unwrap();
        let policy = Policy::read(self.get("/api/policy").as_bytes()).unwrap();
        let master = Master::read(self.get("/api/master").as_bytes()).unwrap();
        let annex = Annex::empty(random());
        let mut grant = json!({
            "sub": self.sub, "aud": asked["aud"], "pur": asked["pur"], "cat": cats,
            "dat": asked["dat"], "iat": now(), "nbf": now(),
            "exp": now() + asked["terms"].as_u64().unwrap(), "jti": b64::encode(&random::<16>()),
            "nonce": asked["nonce"], "status": asked["status"],
        });
        let id = family(&policy, Typ::Grant, &claims(&grant)).unwrap();
        grant["txt"] =
            json!({"id": id, "ver": TEXT_VERSION, "lang": Lang::Ja.name(), "m": 1, "h": ""});
        let (bound, _) =
            bind_text(&policy, &master, Typ::Grant, claims(&grant), Some(&annex)).unwrap();
        let token = make(Typ::Grant, bound, &self.key).unwrap();
        let body = json!({"token": token, "annex": b64::encode(&annex.to_bytes())});
        let taken = self.post("/api/consent/tokens", &body);
        taken["jti"].as_str().unwrap().to_owned()
    }

    fn withdraw(&mut self, jti: &str) {
        let end = json!({"sub": self.sub, "iat": now(), "jti": b64::encode(&random::<16>()), "rev": jti, "rsn": "withdrawn"});
        let token = make(Typ::Revoke, claims(&end), &self.key).unwrap();
        let taken = self.post("/api/consent/tokens", &json!({"token": token}));
        assert_eq!(taken["state"], json!("ended"));
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_clinic_is_refused_granted_and_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let name = dir.to_str().unwrap();
    let port = free_port();
    let (mut server, origin, code) = hospital(name, &["--port", &port]);
    assert_eq!(origin, format!("http://127.0.0.1:{port}"));
    assert!(
        server
            .said
            .contains(&format!("demo requester --dir {name}"))
    );

    let mut clinic = Told::start(&["demo", "requester", "--dir", name, "--wait", "2"]);
    let refused = clinic.until("架空割符診療所: ");
    assert!(refused.contains("断られました") && refused.contains("NO_GRANT"));
    clinic.until("Then press Enter");
    // Nothing has changed: refused again.
    clinic.enter();
    assert!(clinic.until("架空割符診療所: ").contains("NO_GRANT"));

    let mut patient = Patient::enrolled(&origin, &code);
    assert!(patient.get("/api/master").contains("03-0000-0000"));
    let jti = patient.grant(&["inf.lab"]);
    clinic.enter();
    let shown = clinic.until("架空割符診療所: 同意された記録だけ");
    assert!(shown.contains("検査 "), "{shown}");
    for other in ["アレルギー", "傷病名", "処方", "手術 "] {
        assert!(!shown.contains(other), "{shown}");
    }
    assert!(shown.contains("ログの署名を確かめました") && shown.contains("手術の記録は別の同意"));
    assert!(clinic.until("架空別診療所: ").contains("(AUD)"));
    clinic.until("Then press Enter");
    // At its end the server publishes its tree: what was promised to the clinic is proven to it.
    assert_eq!(server.interrupt(), Some(0));
    let (next, ..) = hospital(name, &[]);
    let before = std::mem::replace(&mut server, next).said.clone();
    clinic.until("公開された木");
    patient.withdraw(&jti);
    clinic.enter();
    assert!(clinic.until("(REVOKED)").contains("架空割符診療所: "));
    clinic.until("写しを消し、署名して返事をしました");
    let copies: Value = serde_json::from_str(&patient.get("/api/erasures")).unwrap();
    let copies = copies["erasures"].as_array().unwrap();
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert_eq!(
        (&copies[0]["jti"], &copies[0]["state"]),
        (&json!(jti), &json!("erased"))
    );
    assert_eq!(clinic.end(), Some(0), "{}", clinic.said);

    // No key, no pseudonym, no number; nor in the log of the server.
    let log = std::fs::read_to_string(dir.join("server.log")).unwrap();
    assert!(log.contains("\"route\":\"/api/disclose\""));
    let all = [&before, &server.said, &clinic.said, &log]
        .map(String::as_str)
        .concat();
    for secret in ["PRIVATE KEY", "s1.", "0000990001"] {
        assert!(!all.contains(secret), "{secret}");
    }
    assert!(!log.contains(&code));
    assert_eq!(mode(&dir), 0o700);
    for file in [
        "clinic.pem",
        "other.pem",
        "clinic.json",
        "data/secret/log.pem",
    ] {
        assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
    }
    assert_eq!(server.interrupt(), Some(0));
    assert!(server.said.contains("終わりました"));

    // It goes on where it stopped, without a code: the patient is enrolled.
    let moved = run(&["demo", "--dir", name, "--port", "1"]);
    assert_eq!(moved.status.code(), Some(2));
    assert!(text(&moved.stderr).contains("--fresh"));
    let before = std::fs::read(dir.join("clinic.json")).unwrap();
    let (mut server, again, other) = hospital(name, &[]);
    assert_eq!((&again, other.as_str()), (&origin, "-"));
    assert!(server.said.contains("serve enrol-code --data"));
    let mut clinic = Told::start(&["demo", "requester", "--dir", name, "--wait", "0"]);
    assert!(clinic.until("架空割符診療所: ").contains("(REVOKED)"));
    // Nobody answers within no time.
    assert_eq!(clinic.end(), Some(1));
    assert_eq!(server.interrupt(), Some(0));
    assert!(!server.said.contains("取り込みました"));
    assert_eq!(before, std::fs::read(dir.join("clinic.json")).unwrap());
    // Or anew, for another address.
    let (mut server, ..) = hospital(name, &["--fresh", "--port", &free_port()]);
    assert_ne!(before, std::fs::read(dir.join("clinic.json")).unwrap());
    assert_eq!(server.interrupt(), Some(0));
}

#[test]
fn only_a_folder_of_the_demo_is_taken_or_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("mine");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("letter"), "dear").unwrap();
    let name = dir.to_str().unwrap();
    for more in [&[][..], &["--fresh"]] {
        let done = run(&[&["demo", "--dir", name], more].concat());
        assert_eq!(done.status.code(), Some(2));
        assert!(text(&done.stderr).contains("no folder of the demo"));
    }
    assert_eq!(std::fs::read(dir.join("letter")).unwrap(), b"dear");
    let done = run(&["demo", "requester", "--dir", name]);
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("Start warifu demo first"));
}
