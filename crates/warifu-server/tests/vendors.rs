//! Vendors get what the command line gives; what is wrong is told with a code and nothing of the body.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Request};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use warifu_check::{Check, CheckSection, Given, Options, Report};
use warifu_convert::{Job, JobOptions};
use warifu_report::Lang;
use warifu_report::format::Format;
use warifu_report::position::Units;
use warifu_server::{App, Config, Limits, Vendor, router};

fn app(limits: Limits) -> axum::Router {
    app_of(Vendor::new(warifu_package::Library::new([])), limits)
}

fn app_of(vendor: Vendor, limits: Limits) -> axum::Router {
    app_like(vendor, limits, true)
}

fn app_like(vendor: Vendor, limits: Limits, hl7: bool) -> axum::Router {
    router(App::new(Config {
        origin: "http://127.0.0.1:8440".to_owned(),
        office: None,
        vendor,
        portal: None,
        playground: None,
        forwarded: true,
        certificates: warifu_server::Certificates::Off,
        card: None,
        hl7,
        metrics: true,
        log: None,
        limits,
    }))
}

fn send(app: &axum::Router, request: Request<Body>) -> (u16, HeaderMap, Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let response = app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (parts.status.as_u16(), parts.headers, bytes.to_vec())
    })
}

fn post(app: &axum::Router, path: &str, body: impl Into<Body>) -> (u16, HeaderMap, Vec<u8>) {
    send(app, Request::post(path).body(body.into()).unwrap())
}

/// Files of a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                all.push(path);
            }
        }
    }
    all.sort();
    all
}

fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(name)
}

#[test]
fn a_message_gives_what_the_library_gives() {
    let app = app(Limits::REFERENCE);
    let mut count = 0;
    for path in files(&fixtures("standard_root")).into_iter().take(40) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = std::fs::read(&path).unwrap();
        let (status, head, body) =
            post(&app, &format!("/convert?stdin-name={name}"), bytes.clone());
        assert_eq!(status, 200, "{name}");
        let mut want = Job::new(JobOptions::default())
            .unwrap()
            .convert(&name, &bytes)
            .json;
        want.push(b'\n');
        assert!(body == want, "{name}");
        assert!(head.contains_key("warifu-findings"));
        let (status, _, body) = post(&app, &format!("/check?stdin-name={name}"), bytes.clone());
        assert_eq!(status, 200);
        let options = Options {
            selection: CheckSection::default().selection().unwrap(),
            lang: Lang::Ja,
            units: Units::Utf16,
            frames: None,
            show_values: false,
        };
        let given = Given {
            shown: name.clone(),
            path: name.clone(),
            bytes,
            within: None,
        };
        let reports = Check::new(options).unit(&[given], false);
        let want = Report::new(reports).format(Format::Json, Lang::Ja, Units::Utf16);
        assert!(body == want, "{name}: {}", String::from_utf8_lossy(&body));
        count += 1;
    }
    assert!(count > 10);
}

#[test]
fn messages_without_a_storage_are_converted_by_person() {
    let app = app(Limits::REFERENCE);
    let message = |sent: &str, value: &str| {
        format!(
            "MSH|^~\\&|A|B|C|D|{sent}||OUL^R22^OUL_R22|1|P|2.5||||||~ISO IR87\r\
             PID|1||77^^^^PI\rSPM|1|||023^x^JC10\rOBR|1|9||E^x^99|||20260401\rORC|SC|9\r\
             OBX|1|NM|3A015000002327101^Alb^JC10||{value}|g/dL|||||F|||20260401\r"
        )
    };
    let (old, new) = (
        message("202604011100", "6.0"),
        message("202604011300", "7.0"),
    );
    let request = |files: [(&str, &str); 2]| {
        let mut request = form(&files.map(|(name, text)| (name, text.as_bytes())));
        *request.uri_mut() = "/convert?to=ndjson".parse().unwrap();
        let (status, _, body) = send(&app, request);
        assert_eq!(status, 200);
        String::from_utf8(body).unwrap()
    };
    for files in [
        [("a.hl7", &*old), ("b.hl7", &*new)],
        [("a.hl7", &*new), ("b.hl7", &*old)],
    ] {
        let body = request(files);
        let lines = body.lines();
        let results: Vec<&str> = lines.filter(|l| l.contains("\"Observation\"")).collect();
        let [one] = results[..] else {
            panic!("{} results", results.len())
        };
        assert!(one.contains("\"value\":7.0"), "{one}");
    }
}

#[test]
fn an_archive_is_a_storage() {
    let app = app(Limits::REFERENCE);
    let root = fixtures("standard_root");
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("standard_root", &root).unwrap();
    let bytes = tar.into_inner().unwrap();
    let (status, _, body) = post(&app, "/convert?to=ndjson", bytes.clone());
    assert_eq!(status, 200);
    let lines: Vec<Value> = body
        .split(|&b| b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    assert!(lines.len() > 50);
    let (status, _, body) = post(&app, "/check?format=ndjson", bytes);
    assert_eq!(status, 200);
    assert!(body.starts_with(b"{"));
}

#[test]
fn resources_are_validated() {
    let app = app(Limits::REFERENCE);
    let good = json!({"resourceType": "Patient", "gender": "male"});
    let (status, head, body) = post(&app, "/fhir/$validate", good.to_string());
    assert_eq!(status, 200);
    assert!(
        head["warifu-findings"]
            .to_str()
            .unwrap()
            .starts_with("errors=0")
    );
    let outcome: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(outcome["resourceType"], json!("OperationOutcome"));
    let bad = json!({"resourceType": "Patient", "gender": "secret-word"});
    let (status, head, _) = post(&app, "/fhir/Patient/$validate", bad.to_string());
    assert_eq!(status, 200);
    assert!(
        !head["warifu-findings"]
            .to_str()
            .unwrap()
            .starts_with("errors=0")
    );
    let parameters = json!({"resourceType": "Parameters", "parameter": [
        {"name": "resource", "resource": bad}, {"name": "mode", "valueCode": "create"}]});
    let (status, head, _) = post(&app, "/fhir/Patient/$validate", parameters.to_string());
    assert_eq!(status, 200);
    assert!(
        !head["warifu-findings"]
            .to_str()
            .unwrap()
            .starts_with("errors=0")
    );
    let (status, _, body) = post(&app, "/fhir/Observation/$validate", good.to_string());
    let value: Value = serde_json::from_slice(&body).unwrap();
    let said = |value: &Value| value["issue"][0]["details"]["coding"][0]["code"].clone();
    assert_eq!((status, said(&value)), (422, json!("RESOURCE_TYPE")));
    // A profile that nobody loaded is not passed over; one of the core is there.
    let own = "http://hl7.org/fhir/StructureDefinition/Patient";
    for (profile, expected) in [("http://example.org/unknown", 422), (own, 200)] {
        let path = format!("/fhir/$validate?profile={profile}");
        let (status, _, body) = post(&app, &path, good.to_string());
        assert_eq!(status, expected, "{profile}");
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["resourceType"], json!("OperationOutcome"));
        assert_eq!(said(&value) == json!("PROFILE"), expected == 422);
    }
    // What clients of FHIR say of the form; what is wrong is told as FHIR does.
    for (path, accept, status) in [
        ("/fhir/metadata?_format=json", "*/*", 200),
        (
            "/fhir/metadata?_format=application/fhir%2Bjson",
            "text/html",
            200,
        ),
        ("/fhir/metadata?_format=application/fhir+json", "*/*", 200),
        (
            "/fhir/metadata",
            "application/fhir+xml;q=1, application/fhir+json;q=0.9",
            200,
        ),
        ("/fhir/metadata?_format=xml", "*/*", 406),
        ("/fhir/metadata", "application/fhir+xml", 406),
        ("/fhir/metadata?_pretty=true", "*/*", 400),
        ("/fhir/Patient/1", "*/*", 404),
    ] {
        let request = Request::get(path).header("accept", accept);
        let (found, head, body) = send(&app, request.body(Body::empty()).unwrap());
        assert_eq!(found, status, "{path} {accept}");
        assert_eq!(head["content-type"], "application/fhir+json", "{path}");
        let value: Value = serde_json::from_slice(&body).unwrap();
        let expected = if status == 200 {
            "CapabilityStatement"
        } else {
            "OperationOutcome"
        };
        assert_eq!(value["resourceType"], json!(expected), "{path}");
        if status != 200 {
            let clean = post(&app, "/fhir/OperationOutcome/$validate", body).1;
            let found = clean["warifu-findings"].to_str().unwrap();
            assert!(found.starts_with("errors=0"), "{path}: {found}");
        }
    }
    let xml = Request::post("/fhir/$validate").header("accept", "application/fhir+xml");
    assert_eq!(
        send(&app, xml.body(Body::from(good.to_string())).unwrap()).0,
        406
    );
    let (status, head, _) = send(&app, Request::get("/metadata").body(Body::empty()).unwrap());
    assert_eq!(
        (status, &head["location"]),
        (308, &HeaderValue::from_static("/fhir/metadata"))
    );
    let picture = Request::post("/check").header("content-type", "image/png");
    let (status, _, body) = send(&app, picture.body(Body::from("PNG")).unwrap());
    let value: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &value["code"]), (415, &json!("MEDIA_TYPE")));
    let (status, _, body) = post(&app, "/fhir/$validate", "{\"resourceType\": ");
    assert_eq!(status, 400);
    let outcome: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(outcome["resourceType"], json!("OperationOutcome"));
}

#[test]
fn clients_of_hl7s_validators_need_no_change() {
    let app = app(Limits::REFERENCE);
    let good = json!({"resourceType": "Patient", "gender": "male"}).to_string();
    let bad = json!({"resourceType": "Patient", "gender": "secret-word", "photo": []}).to_string();
    let own = "http://hl7.org/fhir/StructureDefinition/Patient";
    let read = |(status, head, body): (u16, HeaderMap, Vec<u8>)| {
        let kind = head["content-type"].to_str().unwrap().to_owned();
        let value: Value = serde_json::from_slice(&body).unwrap();
        (status, kind, value)
    };
    let fhir = "application/fhir+json";
    // The Java validator's server, and Inferno: the outcome is that of $validate, whatever is found.
    for path in ["/validateResource", "/validate"] {
        for (body, at) in [(&good, "/fhir/$validate"), (&bad, "/fhir/$validate")] {
            let (status, kind, value) = read(post(&app, path, body.clone()));
            assert_eq!((status, kind.as_str()), (200, fhir), "{path}");
            let (_, _, expected) = read(post(&app, &format!("{at}?lang=ja"), body.clone()));
            let of = |v: &Value| -> Vec<(Value, Value)> {
                let all = v["issue"].as_array().unwrap().iter();
                all.map(|i| (i["severity"].clone(), i["details"].clone()))
                    .collect()
            };
            assert_eq!(of(&value), of(&expected), "{path}");
        }
        let errors = format!("{path}?profile={own}&profile={own}&level=errors");
        let (status, _, value) = read(post(&app, &errors, bad.clone()));
        assert_eq!(status, 200);
        let issues = value["issue"].as_array().unwrap();
        assert!(!issues.is_empty() && issues.iter().all(|i| i["severity"] == json!("error")));
        let (status, _, value) = read(post(&app, path, "{\"resourceType\": ".to_owned()));
        assert_eq!(
            (status, &value["issue"][0]["severity"]),
            (200, &json!("error")),
            "{value}"
        );
        for (wish, expected) in [
            ("noInvariants=true", 400),
            ("level=some", 400),
            ("profile=http://example.org/unknown", 422),
        ] {
            assert_eq!(
                post(&app, &format!("{path}?{wish}"), good.clone()).0,
                expected,
                "{wish}"
            );
        }
        let xml = Request::post(path).header("content-type", "application/fhir+xml");
        let (status, head, _) = send(&app, xml.body(Body::from("<Patient/>")).unwrap());
        assert_eq!((status, head.contains_key("accept-post")), (415, true));
    }
    // The validator-wrapper, as Inferno's tests ask it.
    let file = |name: &str, content: &str| json!({"fileName": name, "fileContent": content, "fileType": "json"});
    let context = json!({"sv": "4.0.1", "doNative": false, "extensions": ["any"],
        "disableDefaultResourceFetcher": true, "igs": [], "profiles": [own]});
    let ask = json!({"cliContext": context, "sessionId": null,
        "filesToValidate": [file("Patient.json", &bad), file("b.json", &good)]});
    let (status, kind, value) = read(post(&app, "/validate", ask.to_string()));
    assert_eq!(
        (status, kind.as_str()),
        (200, "application/json"),
        "{value}"
    );
    let outcomes = value["outcomes"].as_array().unwrap();
    assert_eq!(outcomes.len(), 2);
    assert_eq!(outcomes[0]["fileInfo"], file("Patient.json", &bad));
    let mut issues = outcomes[0]["issues"].as_array().unwrap().iter();
    let issue = issues.find(|i| i["level"] == json!("ERROR")).unwrap();
    assert_eq!(issue["source"], json!("InstanceValidator"));
    assert!(
        issue["location"].as_str().unwrap().starts_with("Patient."),
        "{issue}"
    );
    assert!(
        issue["message"].is_string() && issue["line"] == json!(1),
        "{issue}"
    );
    let errors = |o: &Value| {
        let all = o["issues"].as_array().unwrap();
        all.iter().filter(|i| i["level"] == json!("ERROR")).count()
    };
    assert!(errors(&outcomes[0]) >= 2 && errors(&outcomes[1]) == 0);
    let session = value["sessionId"].as_str().unwrap();
    assert!(!session.is_empty());
    // Newer clients call it otherwise, and go on with their session.
    let mut again = json!({"validationContext": context, "sessionId": session,
        "filesToValidate": [file("b.json", &good)]});
    let (status, _, value) = read(post(&app, "/validate", again.to_string()));
    assert_eq!((status, &value["sessionId"]), (200, &json!(session)));
    for (name, wish, expected) in [
        ("profiles", json!(["http://example.org/unknown"]), 422),
        ("igs", json!(["hl7.fhir.us.core#4.0.0"]), 422),
        ("sv", json!("5.0.0"), 400),
    ] {
        let mut other = again.clone();
        other["validationContext"][name] = wish;
        assert_eq!(
            post(&app, "/validate", other.to_string()).0,
            expected,
            "{name}"
        );
    }
    again["filesToValidate"][0]["fileType"] = json!("xml");
    assert_eq!(post(&app, "/validate", again.to_string()).0, 415);
    let halves = json!({"filesToValidate": "x"});
    assert_eq!(post(&app, "/validate", halves.to_string()).0, 400);
    // Only where it was asked for.
    let vendor = Vendor::new(warifu_package::Library::new([]));
    let plain = app_like(vendor, Limits::REFERENCE, false);
    for path in ["/validateResource", "/validate"] {
        assert_eq!(post(&plain, path, good.clone()).0, 404);
    }
}

#[test]
fn what_is_wrong_has_a_code_and_nothing_of_the_body() {
    let small = Limits {
        body: 1_000,
        ..Limits::REFERENCE
    };
    let app = app(small);
    let code = |(status, head, body): (u16, HeaderMap, Vec<u8>)| {
        assert_eq!(head["content-type"], "application/problem+json");
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["status"], json!(status));
        assert!(!String::from_utf8(body).unwrap().contains("山田"));
        value["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        code(post(&app, "/check?no-such=1", "MSH|山田")),
        "PARAMETER"
    );
    assert_eq!(code(post(&app, "/check?format=山田", "MSH|")), "PARAMETER");
    assert_eq!(
        code(post(&app, "/convert?id-key=secret", "MSH|")),
        "PARAMETER"
    );
    assert_eq!(code(post(&app, "/convert", "")), "BODY");
    assert_eq!(code(post(&app, "/check", vec![b'x'; 1_001])), "TOO_LARGE");
    let get = |path: &str| send(&app, Request::get(path).body(Body::empty()).unwrap());
    assert_eq!(code(get("/check")), "METHOD");
    assert_eq!(code(get("/rules/NONE1")), "NOT_FOUND");
    assert_eq!(code(get("/api/requests")), "NOT_FOUND");
    let html = Request::post("/check").header("accept", "text/html");
    assert_eq!(
        code(send(&app, html.body(Body::from("MSH|")).unwrap())),
        "FORM_NOT_MADE"
    );
    let (status, _, body) = get("/rules");
    assert_eq!(status, 200);
    let rules: Value = serde_json::from_slice(&body).unwrap();
    assert!(rules.as_array().unwrap().len() > 100);
    let one = rules[0]["code"].as_str().unwrap();
    let page = Request::get(format!("/rules/{one}")).header("accept", "text/markdown");
    let (status, head, body) = send(&app, page.body(Body::empty()).unwrap());
    assert_eq!(status, 200);
    assert!(String::from_utf8(body).unwrap().contains(one));
    let tag = head["etag"].clone();
    let again = Request::get(format!("/rules/{one}")).header("accept", "text/markdown");
    let (status, _, body) = send(
        &app,
        again
            .header("if-none-match", tag)
            .body(Body::empty())
            .unwrap(),
    );
    assert_eq!((status, body.len()), (304, 0));
    let (status, _, body) = get("/metrics");
    assert_eq!(status, 200);
    let text = String::from_utf8(body).unwrap();
    assert!(
        text.contains("warifu_requests_total{route=\"/check\",status=\"413\"} 1"),
        "{text}"
    );
}

#[test]
fn an_overloaded_server_says_when_to_come_again() {
    let get = |app: &axum::Router, path: &str| {
        let (status, head, _) = send(app, Request::get(path).body(Body::empty()).unwrap());
        (status, head.get("retry-after").cloned())
    };
    let after = || Some("5".parse().unwrap());
    // What takes files has places of its own: neither keeps the other waiting.
    let busy = app(Limits {
        files: 0,
        ..Limits::REFERENCE
    });
    let (status, head, _) = post(&busy, "/check", "MSH|");
    assert_eq!((status, head.get("retry-after").cloned()), (503, after()));
    assert_eq!(get(&busy, "/packages"), (200, None));
    let busy = app(Limits {
        jobs: 0,
        ..Limits::REFERENCE
    });
    assert_eq!(get(&busy, "/packages"), (503, after()));
    assert_eq!(post(&busy, "/check", "MSH|").0, 200);
    assert_eq!(get(&busy, "/healthz"), (200, None));
}

/// A body that is sent piece by piece.
fn trickle() -> (http_body_util::channel::Sender<Bytes>, Body) {
    let (sender, body) = http_body_util::channel::Channel::<Bytes>::new(4);
    (sender, Body::new(body))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn a_slow_body_has_no_place_and_an_end() {
    let app_one = app(Limits {
        jobs: 1,
        ..Limits::REFERENCE
    });
    runtime().block_on(async {
        let (sender, body) = trickle();
        let slow = Request::get("/packages").body(body).unwrap();
        let slow = tokio::spawn(app_one.clone().oneshot(slow));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!slow.is_finished());
        let quick = Request::get("/packages").body(Body::empty()).unwrap();
        let quick = app_one.clone().oneshot(quick).await.unwrap();
        assert_eq!(quick.status(), 200);
        drop(sender);
        assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    });
    let none = app(Limits {
        time: Duration::ZERO,
        ..Limits::REFERENCE
    });
    let (_sender, body) = trickle();
    let (status, _, body) = post(&none, "/check", body);
    let value: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &value["code"]), (408, &json!("TIMEOUT")));
}

#[test]
fn bodies_have_bounds_of_their_own_and_together() {
    let app_all = app(Limits::REFERENCE);
    let long = vec![b' '; (256 << 10) + 1];
    assert_eq!(post(&app_all, "/api/nonce", long.clone()).0, 413);
    assert_eq!(post(&app_all, "/check", long).0, 200);
    let narrow = app(Limits {
        held: 32 << 10,
        ..Limits::REFERENCE
    });
    let long = vec![b' '; 20 << 10];
    runtime().block_on(async {
        let (mut sender, body) = trickle();
        sender.send_data(long.clone().into()).await.unwrap();
        let first = Request::post("/check").body(body).unwrap();
        let first = tokio::spawn(narrow.clone().oneshot(first));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let check = || Request::post("/check").body(Body::from(long.clone()));
        let second = narrow.clone().oneshot(check().unwrap()).await.unwrap();
        assert_eq!(second.status(), 503);
        drop(sender);
        assert_eq!(first.await.unwrap().unwrap().status(), 200);
        let third = narrow.clone().oneshot(check().unwrap()).await.unwrap();
        assert_eq!(third.status(), 200);
    });
}

#[test]
fn what_unfolds_or_answers_too_much_is_refused_as_a_whole() {
    let mut noise = vec![0; 16 << 10];
    getrandom::fill(&mut noise).unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in [("noise", noise), ("x.hl7", vec![b'x'; 3 << 20])] {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(bytes.len()).unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice())
            .unwrap();
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, &tar.into_inner().unwrap()).unwrap();
    let packed = packed.finish().unwrap();
    // Not more than on the command line.
    assert!(packed.len() * 200 > 3_400_000, "{}", packed.len());
    let all = app(Limits::REFERENCE);
    let few = app(Limits {
        unfolded: 2 << 20,
        ..Limits::REFERENCE
    });
    assert_eq!(post(&all, "/check", packed.clone()).0, 200);
    for path in ["/check", "/convert"] {
        let (status, _, body) = post(&few, path, packed.clone());
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (status, &value["code"]),
            (413, &json!("TOO_LARGE")),
            "{path}"
        );
        // Which bound that was is told.
        let detail = value["detail"].as_str().unwrap();
        assert!(detail.contains("max-unfolded"), "{path}: {detail}");
    }
    // A bomb leaves nothing to convert.
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(70 << 20);
    header.set_mode(0o644);
    let zeros = std::io::Read::take(std::io::repeat(0), 70 << 20);
    tar.append_data(&mut header, "a/b", zeros).unwrap();
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut bomb, &tar.into_inner().unwrap()).unwrap();
    let (status, _, body) = post(&all, "/convert", bomb.finish().unwrap());
    let value: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (status, &value["code"]),
        (413, &json!("TOO_LARGE")),
        "{value}"
    );
    // The answer counts too.
    let root = fixtures("standard_root");
    let message = std::fs::read(&files(&root)[0]).unwrap();
    let exact = app(Limits {
        unfolded: u64::try_from(message.len()).unwrap(),
        ..Limits::REFERENCE
    });
    assert_eq!(post(&exact, "/check", message.clone()).0, 200);
    assert_eq!(post(&exact, "/convert", message.clone()).0, 413);
    assert_eq!(post(&all, "/convert", message).0, 200);
}

#[test]
fn who_hangs_up_gives_no_place_back_before_the_work_is_done() {
    let app = app(Limits {
        jobs: 1,
        ..Limits::REFERENCE
    });
    let ask = || Request::get("/packages").body(Body::empty()).unwrap();
    // One thread works, and it waits for us.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let held = tokio::task::spawn_blocking(move || wait.recv());
        let first = tokio::spawn(app.clone().oneshot(ask()));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let second = app.clone().oneshot(ask()).await.unwrap();
        assert_eq!(second.status(), 503);
        go.send(()).unwrap();
        held.await.unwrap().unwrap();
        // What waited before this is done when this is.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        let third = app.clone().oneshot(ask()).await.unwrap();
        assert_eq!(third.status(), 200);
    });
}

/// A form of these files.
fn form(files: &[(&str, &[u8])]) -> Request<Body> {
    let mut all = Vec::new();
    for (name, bytes) in files {
        let head = format!(
            "--x--y\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\r\n"
        );
        all.extend_from_slice(head.as_bytes());
        all.extend_from_slice(bytes);
        all.extend_from_slice(b"\r\n");
    }
    all.extend_from_slice(b"--x--y--\r\n");
    Request::post("/")
        .header("content-type", "multipart/form-data; boundary=\"x--y\"")
        .body(Body::from(all))
        .unwrap()
}

#[test]
fn a_form_gives_what_its_files_give() {
    let app = app(Limits::REFERENCE);
    let ask = |path: &str, files: &[(&str, &[u8])]| {
        let mut request = form(files);
        *request.uri_mut() = path.parse().unwrap();
        send(&app, request)
    };
    let root = fixtures("standard_root");
    let all: Vec<(String, Vec<u8>)> = files(&root)
        .iter()
        .map(|p| {
            let name = p.strip_prefix(root.parent().unwrap()).unwrap();
            (name.to_str().unwrap().to_owned(), std::fs::read(p).unwrap())
        })
        .collect();
    let given: Vec<(&str, &[u8])> = all
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("standard_root", &root).unwrap();
    let tar = tar.into_inner().unwrap();
    for path in [
        "/convert?to=ndjson",
        "/convert?to=bundle&per=patient",
        "/check",
        "/check?format=sarif",
    ] {
        let (status, _, want) = post(&app, path, tar.clone());
        assert_eq!(status, 200, "{path}");
        let (status, _, body) = ask(path, &given);
        assert_eq!(status, 200, "{path}");
        assert!(body == want, "{path}");
    }
    // One file is that file, with its name; an archive among them is the archive.
    let (name, bytes) = given[0];
    let name = name.rsplit('/').next().unwrap();
    for path in ["/convert", "/check"] {
        let (_, _, want) = post(&app, &format!("{path}?stdin-name={name}"), bytes.to_vec());
        assert!(ask(path, &[(name, bytes)]).2 == want, "{path}");
        let (_, _, want) = post(&app, &format!("{path}?stdin-name=all.tar"), tar.clone());
        assert!(ask(path, &[("all.tar", &tar)]).2 == want, "{path}");
    }
    // What leaves its folder is refused where archives are.
    let (status, _, body) = ask("/check", &[("../../x.hl7", bytes), (name, bytes)]);
    assert_eq!(status, 200);
    let report: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(report["summary"]["unreadable"], json!(1), "{report}");
    assert_eq!(ask("/check", &[]).0, 400);
}

#[test]
fn a_body_that_does_not_fit_into_memory_is_as_good() {
    let app = app(Limits::REFERENCE);
    let root = fixtures("standard_root");
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("standard_root", &root).unwrap();
    let small = tar.get_ref().clone();
    let mut header = tar::Header::new_gnu();
    header.set_size(20 << 20);
    header.set_mode(0o644);
    let zeros = vec![0; 20 << 20];
    tar.append_data(&mut header, "standard_root/x.tmp", zeros.as_slice())
        .unwrap();
    let large = tar.into_inner().unwrap();
    let (status, _, want) = post(&app, "/convert?to=ndjson", small);
    assert_eq!(status, 200);
    let (status, _, body) = post(&app, "/convert?to=ndjson", large);
    assert_eq!(status, 200);
    assert!(body == want);
    let patient = json!({"resourceType": "Patient", "gender": "male"}).to_string();
    let (_, _, want) = post(&app, "/fhir/$validate", patient.clone());
    let (status, _, body) = post(&app, "/fhir/$validate", patient + &" ".repeat(9 << 20));
    assert_eq!(status, 200);
    assert!(body == want);
}

/// With a header.
fn asked(
    app: &axum::Router,
    path: &str,
    name: &str,
    value: &str,
    body: &[u8],
) -> (u16, HeaderMap, Vec<u8>) {
    let request = Request::post(path).header(name, value);
    send(app, request.body(Body::from(body.to_vec())).unwrap())
}

#[test]
fn a_conversion_comes_with_its_trace_or_as_events() {
    let app = app(Limits::REFERENCE);
    let path = files(&fixtures("standard_root"))
        .into_iter()
        .next()
        .unwrap();
    let (name, bytes) = (
        path.file_name().unwrap().to_str().unwrap(),
        std::fs::read(&path).unwrap(),
    );
    let plain = post(
        &app,
        &format!("/convert?to=ndjson&stdin-name={name}"),
        bytes.clone(),
    )
    .2;
    let whole = |query: &str| {
        let path = format!("/convert?to=ndjson&stdin-name={name}{query}");
        let (status, _, body) = asked(&app, &path, "accept", "application/json", &bytes);
        assert_eq!(status, 200);
        serde_json::from_slice::<Value>(&body).unwrap()
    };
    assert!(whole("").get("trace").is_none());
    let value = whole("&trace=true");
    assert_eq!(
        value["output"],
        json!(String::from_utf8(plain.clone()).unwrap())
    );
    let resources = value["trace"]["resources"].as_array().unwrap();
    assert!(value["trace"]["unused"].is_array());
    // Each pointer leads to a leaf of its resource.
    let lines: Vec<Value> = plain
        .split(|&b| b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    let mut count = 0;
    for one in resources {
        let own = lines
            .iter()
            .find(|l| l["id"] == one["id"] && l["resourceType"] == one["resourceType"]);
        for hit in one["hits"].as_array().unwrap() {
            let pointer = hit["pointer"].as_str().unwrap();
            assert!(own.unwrap().pointer(pointer).is_some(), "{pointer}");
            count += 1;
        }
    }
    assert!(resources.len() == lines.len() && count > 10);
    // A trace has a place in the one form alone.
    let (status, _, body) = post(&app, "/convert?trace=true", bytes.clone());
    assert!(status == 400 && String::from_utf8(body).unwrap().contains("PARAMETER"));
    let path = format!("/convert?to=ndjson&stdin-name={name}");
    let (status, head, body) = asked(&app, &path, "accept", "application/x-ndjson", &bytes);
    assert_eq!(
        (status, &head["content-type"]),
        (200, &HeaderValue::from_static("application/x-ndjson"))
    );
    let events: Vec<Value> = String::from_utf8(body)
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let of = |kind: &str| {
        events
            .iter()
            .filter(|e| e["type"] == json!(kind))
            .collect::<Vec<_>>()
    };
    let mut resources: Vec<&Value> = of("resource").iter().map(|e| &e["json"]).collect();
    assert!(
        of("resource")
            .iter()
            .all(|e| e["json"]["id"] == e["id"] && e["json"]["resourceType"] == e["resourceType"])
    );
    let mut want: Vec<&Value> = lines.iter().collect();
    let order = |v: &&Value| v.to_string();
    resources.sort_by_key(order);
    want.sort_by_key(order);
    assert_eq!(resources, want);
    assert_eq!(
        json!(of("diagnostic").len()),
        json!(value["diagnostics"].as_array().unwrap().len())
    );
    let end = events.last().unwrap();
    assert_eq!(
        (&end["type"], end["findings"].as_str().unwrap()),
        (&json!("end"), head["warifu-findings"].to_str().unwrap())
    );
    // What is not made is not made; of several the first that is.
    assert_eq!(
        asked(&app, "/convert", "accept", "text/turtle", &bytes).0,
        406
    );
    let first = "text/turtle, application/x-ndjson;q=0.9, */*";
    let (_, head, _) = asked(&app, "/convert", "accept", first, &bytes);
    assert_eq!(head["content-type"], "application/x-ndjson");
}

#[test]
fn what_patients_share_has_its_fullest_form_whoever_comes_first() {
    let app = app(Limits::REFERENCE);
    let message = |patient: &str, doctor: &str, hospital: &str| {
        format!(
            "MSH|^~\\&|A|B|C|D|20260401100000||OUL^R22^OUL_R22|1|P|2.5||||||UNICODE UTF-8\r\
             PID|1||{patient}^^^^PI\rSPM|1|||019^^JC10\rOBR|1|77||1^^99|||20260401||||||||{doctor}\r\
             ORC|SC|77||||||||||{doctor}|||||01^Medicine^99||||{hospital}\r\
             OBX|1|NM|3A015000002327101^Alb^JC10||4.4|g/dL|||||F\r"
        )
    };
    let files = [
        ("a.hl7", message("1", "607", "Toro")),
        ("b.hl7", message("2", "607^Doctor^Ichiro", "")),
        ("c.hl7", message("3", "607^Doctoress^Hanako", "")),
        ("d.hl7", message("4", "607", "")),
    ];
    let given = files.each_ref().map(|(n, t)| (*n, t.as_bytes()));
    let answer = |path: &str, accept: &str| {
        let mut request = form(&given);
        *request.uri_mut() = path.parse().unwrap();
        let accept = HeaderValue::from_str(accept).unwrap();
        request.headers_mut().insert("accept", accept);
        let (status, _, body) = send(&app, request);
        assert_eq!(status, 200);
        String::from_utf8(body).unwrap()
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let of = |lines: &str, kind: &str| -> Vec<Value> {
        let lines = lines.lines().map(json);
        lines.filter(|r| r["resourceType"] == kind).collect()
    };
    let plain = answer("/convert?to=ndjson", "*/*");
    let doctors = of(&plain, "Practitioner");
    assert_eq!(doctors.len(), 1);
    assert_eq!(doctors[0]["name"][0]["family"], "Doctoress");
    assert!(
        of(&plain, "Organization")
            .iter()
            .any(|o| o["name"] == "Toro")
    );
    // The bytes of the whole and of the events are the same; the trace is of what stands.
    let whole = json(&answer("/convert?to=ndjson&trace=true", "application/json"));
    assert_eq!(whole["output"], plain);
    let told = whole["diagnostics"].as_array().unwrap().iter();
    assert_eq!(told.filter(|f| f["code"] == "SSM183").count(), 1);
    let traced = whole["trace"]["resources"].as_array().unwrap().iter();
    let traced: Vec<&Value> = traced.filter(|r| r["id"] == doctors[0]["id"]).collect();
    assert_eq!(traced.len(), 1);
    let hits = traced[0]["hits"].as_array().unwrap();
    let family = hits.iter().find(|h| h["pointer"] == "/name/0/family");
    assert_eq!(family.unwrap()["spans"][0]["file"], "c.hl7");
    let events = answer("/convert?to=ndjson", "application/x-ndjson");
    let own: Vec<Value> = events.lines().map(json).collect();
    let own = own.iter().filter(|e| e["type"] == "resource");
    let mut own: Vec<String> = own.map(|e| e["json"].to_string()).collect();
    let mut lines: Vec<String> = plain.lines().map(|l| json(l).to_string()).collect();
    own.sort();
    lines.sort();
    assert_eq!(own, lines);
    // A later Bundle is never poorer; its trace is of what is its own.
    let whole = json(&answer("/convert?trace=true", "application/json"));
    let bundles: Vec<Value> = whole["output"]
        .as_str()
        .unwrap()
        .lines()
        .map(json)
        .collect();
    let names = bundles.iter().map(|b| {
        let mut entries = b["entry"].as_array().unwrap().iter();
        let doctor = entries.find(|e| e["resource"]["resourceType"] == "Practitioner");
        doctor.unwrap()["resource"]["name"][0]["family"].clone()
    });
    let names = Value::from(names.collect::<Vec<_>>());
    assert_eq!(names, json!([null, "Doctor", "Doctoress", "Doctoress"]));
    for (bundle, traced) in bundles
        .iter()
        .zip(whole["trace"]["resources"].as_array().unwrap())
    {
        for hit in traced["hits"].as_array().unwrap() {
            assert!(bundle.pointer(hit["pointer"].as_str().unwrap()).is_some());
        }
    }
}

#[test]
fn xml_is_not_taken_and_what_is_taken_is_said() {
    let app = app(Limits::REFERENCE);
    for (path, takes) in [
        ("/convert", "application/hl7-v2"),
        ("/check", "multipart/form-data"),
        ("/fhir/$validate", "application/fhir+json"),
    ] {
        for kind in [
            "application/fhir+xml",
            "text/xml; charset=utf-8",
            "Application/XML",
            "image/png",
        ] {
            let (status, head, body) = asked(&app, path, "content-type", kind, b"<Patient/>");
            assert_eq!(status, 415, "{path} {kind}");
            assert!(head["accept-post"].to_str().unwrap().contains(takes));
            assert!(String::from_utf8(body).unwrap().contains("MEDIA_TYPE"));
        }
    }
}

#[test]
fn a_rule_is_a_page_too() {
    let app = app(Limits::REFERENCE);
    for code in ["ENC110", "SSM517", "HL7199"] {
        let request =
            Request::get(format!("/rules/{code}?lang=en")).header("accept", "text/html,*/*");
        let (status, head, body) = send(&app, request.body(Body::empty()).unwrap());
        let body = String::from_utf8(body).unwrap();
        assert_eq!(
            (status, &head["content-type"]),
            (200, &HeaderValue::from_static("text/html; charset=utf-8"))
        );
        assert_eq!(head["vary"], "accept");
        assert!(
            body.starts_with("<!doctype html>\n<html lang=\"en\">")
                && body.contains(&format!("<h1>{code} "))
        );
        for (open, close) in [
            ("<p>", "</p>"),
            ("<strong>", "</strong>"),
            ("<code>", "</code>"),
            ("<pre>", "</pre>"),
        ] {
            assert_eq!(
                body.matches(open).count(),
                body.matches(close).count(),
                "{code} {open}"
            );
        }
        assert!(!body.contains("**") && !body.contains("```") && body.ends_with("</html>\n"));
        // The examples stand there as text.
        assert!(
            !body.contains("<MSH")
                && head["content-security-policy"]
                    .to_str()
                    .unwrap()
                    .contains("'none'")
        );
    }
}

#[test]
fn a_name_of_somebody_else_is_not_answered() {
    let app = app(Limits::REFERENCE);
    let status = |host: &str| {
        let request = Request::get("/packages").header("host", host);
        let (status, _, body) = send(&app, request.body(Body::empty()).unwrap());
        (status, String::from_utf8(body).unwrap())
    };
    for host in [
        "127.0.0.1:8440",
        "127.0.0.1",
        "localhost:8440",
        "[::1]:8440",
        "10.0.0.7:8440",
        "warifu:8440",
    ] {
        assert_eq!(status(host).0, 200, "{host}");
    }
    for host in [
        "evil.example",
        "evil.example:8440",
        "127.0.0.1.evil.example",
        "a b",
        "localhost.evil.example:8440",
    ] {
        let (status, body) = status(host);
        assert!(status == 421 && body.contains("HOST"), "{host}: {status}");
    }
}

#[test]
fn what_is_told_of_must_support_and_vital_signs_is_a_setting() {
    let observation = json!({
        "resourceType": "Observation", "status": "final",
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">72</div>"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    });
    let counts = |must_support: bool, vital_signs: bool| {
        let vendor = Vendor::new(warifu_package::Library::new([]));
        let app = app_of(vendor.telling(must_support, vital_signs), Limits::REFERENCE);
        let (status, head, _) = post(&app, "/fhir/Observation/$validate", observation.to_string());
        assert_eq!(status, 200);
        let text = head["warifu-findings"].to_str().unwrap().to_owned();
        let all: Vec<u64> = text
            .split(", ")
            .map(|part| part.split_once('=').unwrap().1.parse().unwrap())
            .collect();
        <[u64; 3]>::try_from(all).unwrap()
    };
    let usual = counts(false, true);
    assert!(usual[0] > 0, "{usual:?}");
    assert_eq!(counts(false, false)[0], 0);
    // More is told, and no more is wrong.
    let supported = counts(true, true);
    assert_eq!(supported[0], usual[0]);
    assert!(supported[2] > usual[2], "{supported:?} {usual:?}");
}
