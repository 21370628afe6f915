//! A hospital with its office, two institutions, and a person with a key.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which may fail loudly; each test file uses some"
)]

#[path = "../../../warifu-store/tests/postgresql/mod.rs"]
pub mod postgresql;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use warifu_consent::{
    Annex, Lang, Master, Policy, SecretKey, Signer as _, TEXT_VERSION, Typ, b64, bind_text, family,
    hash, make,
};
use warifu_log::recipient::{Asked, Recipient};
use warifu_log::{Hash, NoteKey, Trust};
use warifu_server::{App, Config, Limits, Office, Rights, Settings, router};
use warifu_store::{Database, Postgres, Sqlite};

pub const ORIGIN: &str = "http://127.0.0.1:8440";
pub const HOSPITAL: &str = "mi:1319999999";
pub const CLINIC: &str = "mi:1312345678";
pub const OTHER: &str = "mi:1312345670";
pub const PATIENT: &str = "0000990001";

pub const LAB: &str = "000/099/0000990001/20260412/OML-11/0000990001_20260412_OML-11_000000260412011_20260415164500204_08_1";
pub const DRUG: &str = "000/099/0000990001/20260401/OMP-01/0000990001_20260401_OMP-01_000000260401021_20260401104510330_08_1";

/// A file of the fixtures, by its path below their root.
pub fn fixture(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/standard_root");
    std::fs::read(root.join(path)).unwrap()
}

/// With every occurrence replaced; there is at least one.
pub fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|w| w == from.as_bytes()) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to.as_bytes());
        rest = &rest[at + from.len()..];
    }
    assert_ne!(rest.len(), bytes.len(), "{from}");
    out.extend_from_slice(rest);
    out
}

pub struct World {
    folder: Option<tempfile::TempDir>,
    pub data: PathBuf,
    pub clock: Arc<AtomicU64>,
    pub app: axum::Router,
    pub office_app: App,
    pub clinic: SecretKey,
    pub other: SecretKey,
    pub patient: SecretKey,
    pub cookie: String,
    pub sub: String,
    pub runtime: tokio::runtime::Runtime,
}

pub fn secret() -> SecretKey {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    SecretKey::from_seed(&mut seed)
}

pub fn id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    b64::encode(&bytes)
}

pub fn office(data: &Path, clock: &Arc<AtomicU64>) -> Office {
    let clock = Arc::clone(clock);
    Office::open(data, Box::new(move || clock.load(Ordering::SeqCst))).unwrap()
}

pub fn app(office: Office) -> App {
    App::new(Config {
        // The office has its own, and that one counts.
        origin: "http://elsewhere.example".to_owned(),
        office: Some(office),
        vendor: warifu_server::Vendor::new(warifu_package::Library::new([])),
        portal: None,
        playground: None,
        forwarded: true,
        certificates: warifu_server::Certificates::Off,
        card: None,
        hl7: false,
        metrics: true,
        log: Some(Box::new(|line| eprintln!("{line}"))),
        limits: Limits::REFERENCE,
    })
}

/// A value of serde as one of `warifu-consent`.
pub fn claims(value: &Value) -> warifu_consent::json::Value {
    warifu_consent::json::read(value.to_string().as_bytes(), 8).unwrap()
}

/// Copies a folder of data without its database: what another machine gets.
pub fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let mode = std::fs::metadata(from).unwrap().permissions();
    std::fs::set_permissions(to, mode).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_dir() {
            copied(&path, &to.join(name));
        } else if !name.to_str().unwrap().starts_with("warifu.db") {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// The database of a folder of data, by a connection of its own.
pub fn database(data: &Path) -> Box<dyn Database> {
    match std::fs::read_to_string(data.join("secret/database.url")) {
        Ok(url) => Box::new(Postgres::open(url.trim()).unwrap()),
        Err(_) => Box::new(Sqlite::open(&data.join("warifu.db")).unwrap()),
    }
}

impl World {
    /// Over SQLite, or over PostgreSQL where the tests run over it.
    pub fn new() -> Self {
        Self::at(postgresql::given().as_deref())
    }

    /// Over a fresh database of PostgreSQL, else over SQLite.
    pub fn at(url: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let settings = Settings {
            institution: HOSPITAL.to_owned(),
            names: ["架空割符病院".to_owned(), "Kaku Warifu Hospital".to_owned()],
            contact: "架空割符病院 患者相談窓口".to_owned(),
            log: "c.example.jp/consent-log".to_owned(),
            lists: format!("{ORIGIN}/api/status"),
            witnesses: Vec::new(),
            quorum: 0,
        };
        warifu_server::make(&data, &settings).unwrap();
        if let Some(url) = url {
            warifu_server::keep_database(&data, url).unwrap();
        }
        let facility = |code: &str, ja: &str| json!({"code": code, "ja": ja, "en": ""});
        let master = json!({"v": 1, "version": 1, "contact": "窓口", "facilities": [
            facility(CLINIC, "架空割符診療所"), facility(HOSPITAL, "架空割符病院"), facility(OTHER, "架空別診療所"),
        ]});
        std::fs::write(data.join("master.json"), master.to_string()).unwrap();
        let clock = Arc::new(AtomicU64::new(1_790_000_000));
        let office = office(&data, &clock);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/standard_root");
        let storage =
            warifu_storage::Storage::open_all(&[&root], &warifu_storage::Options::standard())
                .unwrap();
        let done = office.ingest(&storage).unwrap();
        assert!(done.patients > 0 && done.records > 10, "{done:?}");
        let again = office.ingest(&storage).unwrap();
        assert_eq!((again.patients, again.unchanged), (0, done.patients));
        let stranger = json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {
            "resourceType": "Patient", "id": "y", "identifier": [{"value": "0000999999"}]}}]});
        assert!(
            office
                .ingest_bundle(PATIENT, stranger.to_string().as_bytes())
                .is_err()
        );
        let person = json!({"resource": {"resourceType": "Patient", "id": "x", "identifier": [{"value": PATIENT}]}});
        let surgery = json!({"resourceType": "Bundle", "type": "collection", "entry": [person, {"resource": {
            "resourceType": "Procedure", "id": "op1", "status": "completed",
            "subject": {"reference": "Patient/x"}, "performedDateTime": "2026-04-01",
            "code": {"coding": [{"system": "http://jpfhir.jp/fhir/core/CodeSystem/JP_ProcedureCodesMedical_CS",
                "code": "150000110"}], "text": "秘密の手術"}}}]});
        let kept = office
            .ingest_bundle(PATIENT, surgery.to_string().as_bytes())
            .unwrap();
        assert_eq!((kept.records, kept.deleted), (2, 0));
        drop(office);
        let mut world = Self::over(&data, clock);
        world.folder = Some(folder);
        world
    }

    /// Over a folder of data that is there, with institutions and a person of fresh keys.
    pub fn over(data: &Path, clock: Arc<AtomicU64>) -> Self {
        let office = office(data, &clock);
        let (clinic, other, patient) = (secret(), secret(), secret());
        for (key, code, emergency) in [(&clinic, CLINIC, true), (&other, OTHER, false)] {
            office
                .register(
                    &key.public(),
                    code,
                    &Rights {
                        emergency,
                        ..Rights::default()
                    },
                )
                .unwrap();
        }
        let code = office.enrol_code(PATIENT, "1968-03-03").unwrap();
        let sub = office.pseudonym(PATIENT).unwrap();
        let office_app = app(office);
        let mut world = Self {
            folder: None,
            data: data.to_owned(),
            clock,
            app: router(office_app.clone()),
            office_app,
            clinic,
            other,
            patient,
            cookie: String::new(),
            sub,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        };
        world.enrol(&code);
        world
    }

    /// Another server with the same keys, settings and database, on a machine of its own; its clients are the
    /// same.
    pub fn beside(&self) -> Self {
        self.beside_over(|_| ())
    }

    /// The same over a copy of the folder of data, which has no database of its own before it is prepared.
    pub fn beside_over(&self, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        copied(&self.data, &data);
        prepare(&data);
        let office_app = app(office(&data, &self.clock));
        let same = |key: &SecretKey| SecretKey::from_pem(&key.to_pem()).unwrap();
        Self {
            folder: Some(folder),
            data,
            clock: Arc::clone(&self.clock),
            app: router(office_app.clone()),
            office_app,
            clinic: same(&self.clinic),
            other: same(&self.other),
            patient: same(&self.patient),
            cookie: self.cookie.clone(),
            sub: self.sub.clone(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        }
    }

    pub fn db(&self) -> Box<dyn Database> {
        database(&self.data)
    }

    pub fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub fn later(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn send(&self, request: Request<Body>) -> (Response<()>, Vec<u8>) {
        self.runtime.block_on(async {
            let response = self.app.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            (Response::from_parts(parts, ()), bytes.to_vec())
        })
    }

    /// A request of the portal with its session.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, format!("warifu_session={}", self.cookie))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ORIGIN, ORIGIN);
        let body = body.map_or_else(Body::empty, |b| Body::from(b.to_string()));
        let (head, bytes) = self.send(request.body(body).unwrap());
        (
            head.status().as_u16(),
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    pub fn good(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, value) = self.call(method, path, body);
        assert!(status < 300, "{path}: {status} {value}");
        value
    }

    pub fn proof(&self, more: &Value) -> String {
        let (_, given) = self.call("POST", "/api/nonce", None);
        let mut payload = json!({
            "iat": self.now(), "exp": self.now() + 60, "aud": ORIGIN, "nonce": given["nonce"],
        });
        payload
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        make(Typ::Session, claims(&payload), &self.patient).unwrap()
    }

    pub fn enrol(&mut self, code: &str) {
        let x = self.patient.public().x();
        let jwk = json!({"jwk": {"kty": "OKP", "crv": "Ed25519", "x": x}});
        let wrong = json!({"code": code, "birth": "1968-03-04", "proof": self.proof(&jwk)});
        let (status, value) = self.call("POST", "/api/enrol", Some(&wrong));
        assert_eq!((status, &value["code"]), (403, &json!("CODE")));
        let right = json!({"code": code.replace('-', " "), "birth": "1968-03-03", "proof": self.proof(&jwk)});
        let value = self.good("POST", "/api/enrol", Some(&right));
        assert_eq!(value["sub"], json!(self.sub));
        let kid = json!(self.patient.public().thumbprint());
        let keys = value["keys"].as_array().unwrap();
        assert!(keys.iter().any(|k| k["kid"] == kid));
        // Used up.
        let (status, _) = self.call("POST", "/api/enrol", Some(&right));
        assert_ne!(status, 200);
        let proof = self.again();
        // The same proof is worth nothing twice.
        let (status, value) = self.call("POST", "/api/session", Some(&proof));
        assert_eq!((status, &value["code"]), (409, &json!("NONCE")));
    }

    /// Begins a session of the person's key; gives what began it.
    pub fn again(&mut self) -> Value {
        let proof = json!({"proof": self.proof(&json!({}))});
        let request = Request::post("/api/session")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(proof.to_string()))
            .unwrap();
        let (head, _) = self.send(request);
        assert_eq!(head.status(), StatusCode::OK);
        let cookie = head.headers()[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        let value = cookie.split(';').next().unwrap().split_once('=').unwrap().1;
        value.clone_into(&mut self.cookie);
        proof
    }

    /// An access request over a body.
    pub fn access(
        &self,
        key: &SecretKey,
        sub: &str,
        path: &str,
        body: impl AsRef<[u8]>,
        pur: &str,
    ) -> String {
        let payload = json!({
            "sub": sub, "pur": pur, "ath": "registered", "q": hash::sha256_text(&[body.as_ref()]),
            "jti": id(), "iat": self.now(), "exp": self.now() + 300, "htm": "POST",
            "htu": format!("{ORIGIN}{path}"), "per": {"role": "doctor"},
        });
        make(Typ::Access, claims(&payload), key).unwrap()
    }

    pub fn with_access(&self, path: &str, token: &str, body: &str) -> (u16, Value) {
        let request = Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let (head, bytes) = self.send(request);
        (
            head.status().as_u16(),
            serde_json::from_slice(&bytes).unwrap(),
        )
    }

    pub fn disclose(&self, key: &SecretKey, search: &str) -> (u16, Value) {
        let body = json!({"search": search}).to_string();
        let token = self.access(key, &self.sub, "/api/disclose", &body, "TREAT");
        self.with_access("/api/disclose", &token, &body)
    }

    /// The clinic asks; gives the waiting requests.
    pub fn asked(&self, cats: &[&str]) -> Vec<Value> {
        let body =
            json!({"patient": PATIENT, "aud": [CLINIC], "pur": ["TREAT"], "cat": cats, "days": 30});
        let body = body.to_string();
        let path = "/api/consent/requests";
        let nobody = "s1.AAAAAAAAAAAAAAAAAAAAAA";
        let token = self.access(&self.clinic, nobody, path, &body, "TREAT");
        let (status, value) = self.with_access(path, &token, &body);
        // 200 where it was asked before, by a server that was killed.
        assert!(matches!(status, 200 | 201), "{value}");
        let all = self.good("GET", "/api/requests", None);
        all["requests"].as_array().unwrap().clone()
    }

    /// Opens a request and signs the grant; gives token and annex.
    pub fn signed(&self, req: &Value) -> (String, Vec<u8>) {
        let req = req["req"].as_str().unwrap();
        let value = self.good(
            "POST",
            &format!("/api/requests/{req}/open"),
            Some(&json!({})),
        );
        let (typ, asked) = warifu_consent::peek(value["token"].as_str().unwrap()).unwrap();
        assert_eq!(typ, Typ::Request);
        let asked: Value = serde_json::from_str(&asked.write()).unwrap();
        let policy = Policy::reference().unwrap();
        let master = Master::read(&std::fs::read(self.data.join("master.json")).unwrap()).unwrap();
        let annex = Annex::empty([7; 16]);
        let mut payload = json!({
            "sub": asked["sub"], "aud": asked["aud"], "pur": asked["pur"], "cat": asked["cat"],
            "dat": asked["dat"], "iat": self.now(), "nbf": self.now(),
            "exp": self.now() + asked["terms"].as_u64().unwrap(), "jti": id(),
            "nonce": asked["nonce"], "status": asked["status"],
        });
        let text = json!({"id": family(&policy, Typ::Grant, &claims(&payload)).unwrap(),
            "ver": TEXT_VERSION, "lang": Lang::Ja.name(), "m": 1, "h": ""});
        payload["txt"] = text;
        let (bound, _) =
            bind_text(&policy, &master, Typ::Grant, claims(&payload), Some(&annex)).unwrap();
        let token = make(Typ::Grant, bound, &self.patient).unwrap();
        (token, annex.to_bytes())
    }

    pub fn grant(&self, req: &Value) -> Value {
        let (token, annex) = self.signed(req);
        let body = json!({"token": token, "annex": b64::encode(&annex)});
        self.good("POST", "/api/consent/tokens", Some(&body))
    }

    pub fn withdraw(&self, jti: &str) -> (u16, Value) {
        let payload = json!({"sub": self.sub, "iat": self.now(), "jti": id(), "rev": jti, "rsn": "withdrawn"});
        let token = make(Typ::Revoke, claims(&payload), &self.patient).unwrap();
        self.call(
            "POST",
            "/api/consent/tokens",
            Some(&json!({"token": token})),
        )
    }

    /// What the recipient's library says of a disclosure.
    pub fn checked(&self, value: &Value, rcp: &str) -> Result<(), warifu_log::recipient::Refusal> {
        let key = self.good("GET", "/api/log/key", None);
        let key = NoteKey::parse(key["log"].as_str().unwrap()).unwrap();
        let recipient = Recipient {
            trust: Trust::new(key, Vec::new(), 0).unwrap(),
            facilities: Vec::new(),
            pin: None,
        };
        let asked = Asked {
            rcp: rcp.to_owned(),
            sub: self.sub.clone(),
            pur: "TREAT".to_owned(),
            areq: Hash::from_url(value["areq"].as_str().unwrap()).unwrap(),
            at: self.now(),
        };
        let evidence = value["proof"].to_string();
        recipient
            .check(evidence.as_bytes(), &asked, self.now())
            .map(|_| ())
    }

    pub fn kinds(&self) -> Vec<String> {
        let mine = self.good("GET", "/api/log/mine", None);
        let lines = mine["lines"].as_array().unwrap();
        let kind = |l: &Value| {
            let line: Value = serde_json::from_str(l["own"]["line"].as_str().unwrap()).unwrap();
            line["kind"].as_str().unwrap().to_owned()
        };
        lines.iter().map(kind).collect()
    }
}
