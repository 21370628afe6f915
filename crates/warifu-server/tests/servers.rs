//! Several servers over one PostgreSQL: what one does the other knows, and a database that goes away.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod world;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use warifu_consent::b64;
use world::postgresql::Server;
use world::*;

fn lines(w: &World) -> u64 {
    w.office_app.office().unwrap().lines().unwrap()
}

/// A whole verification: opening does it.
fn verified(w: &World) -> u64 {
    office(&w.data, &w.clock).lines().unwrap()
}

#[test]
fn what_one_server_does_the_other_knows() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let a = World::at(Some(&server.database()));
    let b = a.beside();
    // Asked at one, granted at the other; a session holds at both.
    let waiting = a.asked(&["demo", "inf.lab"]);
    assert_eq!(
        b.good("GET", "/api/requests", None)["requests"],
        json!(waiting)
    );
    let (token, annex) = b.signed(&waiting[0]);
    let body = json!({"token": token, "annex": b64::encode(&annex)});
    let taken = b.good("POST", "/api/consent/tokens", Some(&body));
    // Sent again to the one that did not take it: the same, and its receipt.
    let again = a.good("POST", "/api/consent/tokens", Some(&body));
    assert_eq!(
        (&again["again"], &again["receipt"]),
        (&json!(true), &taken["receipt"])
    );
    let jti = taken["jti"].as_str().unwrap();
    // Disclosed at the one, with a proof that the recipient takes; what it asked with is used up at the other.
    let search = json!({"search": "Observation"}).to_string();
    let access = a.access(&a.clinic, &a.sub, "/api/disclose", &search, "TREAT");
    let (status, value) = a.with_access("/api/disclose", &access, &search);
    assert_eq!(status, 200, "{value}");
    assert!(
        value["bundle"]
            .as_str()
            .unwrap()
            .contains("\"Observation\"")
    );
    b.checked(&value, CLINIC).unwrap();
    let (status, value) = b.with_access("/api/disclose", &access, &search);
    assert_eq!((status, &value["code"]), (409, &json!("REPLAY")));
    // A nonce given out at the one is taken at the other, once.
    let proof = json!({"proof": a.proof(&json!({}))});
    assert_eq!(b.call("POST", "/api/session", Some(&proof)).0, 200);
    let (status, value) = a.call("POST", "/api/session", Some(&proof));
    assert_eq!((status, &value["code"]), (409, &json!("NONCE")));
    // Withdrawn at the other; in the same second nothing more at the one.
    assert_eq!(b.withdraw(jti).0, 201);
    let (status, value) = a.disclose(&a.clinic, "Patient/$everything");
    assert_eq!(
        (status, &value["code"]),
        (403, &json!("REVOKED")),
        "{value}"
    );
    let list = |w: &World| {
        w.send(Request::get("/api/status/1").body(Body::empty()).unwrap())
            .1
    };
    assert_eq!(list(&a), list(&b));
    // One log: the same lines at both, one checkpoint, also where each signs some.
    assert_eq!(a.kinds(), b.kinds());
    let signed = |w: &World| w.office_app.office().unwrap().publish(true, 0);
    assert_eq!(signed(&a), Ok(true));
    let waiting = b.asked(&["inf.rx"]);
    a.grant(&waiting[0]);
    assert_eq!(signed(&b), Ok(true));
    let note = |w: &World| {
        w.send(
            Request::get("/api/log/checkpoint")
                .body(Body::empty())
                .unwrap(),
        )
        .1
    };
    assert_eq!(note(&a), note(&b));
    let mine = a.good("GET", "/api/log/mine", None);
    assert_eq!(mine, b.good("GET", "/api/log/mine", None));
    let own: Vec<String> = mine["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["own"].to_string())
        .collect();
    let setting = json!({"sub": a.sub, "witnessed": []}).to_string();
    let verdict = warifu_log::api::check_history(setting.as_bytes(), own.join("\n").as_bytes());
    let verdict: Value = serde_json::from_str(&verdict).unwrap();
    assert_eq!(verdict["ok"], json!(1), "{verdict}");
    assert_eq!((verified(&a), verified(&b)), (lines(&a), lines(&a)));
    // Each keeps the newest checkpoint apart, whichever signed it.
    let kept = |w: &World| std::fs::read(w.data.join("checkpoint")).unwrap();
    assert_ne!(kept(&a), note(&a));
    assert_eq!(
        a.office_app.office().unwrap().publish(false, a.now()),
        Ok(false)
    );
    assert_eq!((kept(&a), kept(&b)), (note(&a), note(&b)));
}

#[test]
fn servers_that_work_at_once_write_one_log() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let a = World::at(Some(&server.database()));
    let before = lines(&a);
    // Two requests for each, answered at once at two servers; one nonce raced for at both.
    let b = a.beside();
    let waiting = a.asked(&["inf.lab"]);
    let (token, annex) = a.signed(&waiting[0]);
    let grant = json!({"token": token, "annex": b64::encode(&annex)});
    let search = json!({"search": "Observation"}).to_string();
    let access = a.access(&a.clinic, &a.sub, "/api/disclose", &search, "TREAT");
    let told: Vec<(u16, u16, u64)> = std::thread::scope(|scope| {
        let all: Vec<_> = [a, b]
            .into_iter()
            .map(|w| {
                let (grant, access, search) = (&grant, &access, &search);
                scope.spawn(move || {
                    let taken = w.call("POST", "/api/consent/tokens", Some(grant)).0;
                    let once = w.with_access("/api/disclose", access, search).0;
                    for n in 0..10 {
                        let (status, value) = w.disclose(&w.clinic, "Observation");
                        assert_eq!(status, 200, "{value}");
                        if n % 3 == 0 {
                            w.office_app.office().unwrap().publish(true, 0).unwrap();
                        }
                    }
                    (taken, once, verified(&w))
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut taken = [told[0].0, told[1].0];
    let mut once = [told[0].1, told[1].1];
    taken.sort_unstable();
    once.sort_unstable();
    assert_eq!((taken, once), ([200, 201], [200, 409]));
    // A grant, the disclosure that was raced for, and ten of each.
    assert_eq!(told[0].2.max(told[1].2), before + 22);
}

/// Names the folder in the process that is killed.
const FOLDER: &str = "WARIFU_TEST_SERVERS";

/// The server that is killed: it tells of each grant after it was acknowledged, for ever. In the ordinary run
/// there is no folder.
#[test]
fn server() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let w = World::over(Path::new(&folder), Arc::new(AtomicU64::new(1_790_000_000)));
    let mut out = std::io::stdout();
    loop {
        let waiting = w.asked(&["inf.lab"]);
        let tok = w.grant(&waiting[0])["tok"].as_str().unwrap().to_owned();
        writeln!(out, "acknowledged {tok}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn a_server_that_is_killed_holds_up_no_other_and_loses_nothing() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let w = World::at(Some(&server.database()));
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 1..=3 {
        // Its own machine, with keys and settings of this one.
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        copied(&w.data, &data);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["server", "--exact", "--nocapture"])
            .env(FOLDER, &data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = told.map_while(Result::ok).filter_map(|line| {
            let (_, tok) = line.split_once("acknowledged ")?;
            Some(tok.to_owned())
        });
        // This one serves meanwhile, and after.
        for tok in told.take(2 * round) {
            acknowledged.push(tok);
            assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
        }
        child.kill().unwrap();
        assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
        child.wait().unwrap();
        assert_eq!(verified(&w), lines(&w));
    }
    assert_eq!(acknowledged.len(), 12);
    for tok in acknowledged {
        let sql = "SELECT COUNT(*) FROM tokens WHERE tok = ?1";
        assert_eq!(w.db().query(sql, &[tok.into()]).unwrap()[0].int(0), Some(1));
    }
}

#[test]
fn a_database_that_is_stopped_and_started_leaves_no_half_state() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let w = World::at(Some(&server.database()));
    let waiting = w.asked(&["inf.lab"]);
    let taken = w.grant(&waiting[0]);
    let jti = taken["jti"].as_str().unwrap().to_owned();
    let ready = |w: &World| w.send(Request::get("/readyz").body(Body::empty()).unwrap());
    for _ in 0..3 {
        // In the middle of the work of another server.
        let other = w.beside();
        let stopped = AtomicBool::new(false);
        let before = lines(&w);
        let (good, lost, unsure) = std::thread::scope(|scope| {
            let (told, seen) = std::sync::mpsc::channel();
            let stopped = &stopped;
            let work = scope.spawn(move || {
                let (mut good, mut lost, mut unsure) = (0, 0, 0);
                while lost == 0 || !stopped.load(Ordering::SeqCst) {
                    let (status, value) = other.disclose(&other.clinic, "Observation");
                    match (status, value["code"].as_str()) {
                        (200, _) => good += 1,
                        (503, Some("STORE")) => lost += 1,
                        // Whether it was written was not known: one line more or none.
                        (503, Some("UNSURE")) => unsure += 1,
                        _ => panic!("{status} {value}"),
                    }
                    let _ = told.send(());
                }
                (good, lost, unsure)
            });
            for _ in 0..3 {
                seen.recv().unwrap();
            }
            server.stop();
            stopped.store(true, Ordering::SeqCst);
            work.join().unwrap()
        });
        assert!(good >= 3 && lost >= 1, "{good} {lost}");
        // Stopped: an error that says so, to whoever asks, and nothing about anybody in it.
        for (status, value) in [
            w.disclose(&w.clinic, "Observation"),
            w.disclose(&w.clinic, "Observation"),
            w.call("GET", "/api/consent/mine", None),
            w.call("POST", "/api/nonce", None),
            w.withdraw(&jti),
        ] {
            assert_eq!((status, &value["code"]), (503, &json!("STORE")), "{value}");
            assert!(!value.to_string().contains(&w.sub));
        }
        let (head, _) = ready(&w);
        assert_eq!(head.status(), 503);
        assert_eq!(head.headers()["retry-after"], "5");
        // Started: it goes on as it was, with what was acknowledged and no more than was asked for.
        server.go_on();
        assert_eq!(ready(&w).0.status(), 200);
        let after = lines(&w);
        let sure = before + good;
        assert!(
            (sure..=sure + unsure).contains(&after),
            "{sure} {unsure} {after}"
        );
        assert_eq!(verified(&w), after);
        assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
    }
    assert_eq!(w.withdraw(&jti).0, 201);
    assert_eq!(w.disclose(&w.clinic, "Observation").0, 403);
}

#[test]
fn a_full_disk_of_the_database_leaves_no_half_state() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let w = World::at(Some(&server.database()));
    let waiting = w.asked(&["inf.lab"]);
    let (token, annex) = w.signed(&waiting[0]);
    let body = json!({"token": token, "annex": b64::encode(&annex)});
    // As the database says when its disk is full: at the very last of what a transaction writes.
    let db = w.db();
    for sql in [
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$",
        "CREATE CONSTRAINT TRIGGER full_disk AFTER INSERT ON log_lines
         INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION full_disk()",
        "CREATE TRIGGER full_disk BEFORE INSERT ON once
         FOR EACH ROW EXECUTE FUNCTION full_disk()",
    ] {
        db.run(sql, &[]).unwrap();
    }
    let before = lines(&w);
    for _ in 0..2 {
        let (status, value) = w.call("POST", "/api/consent/tokens", Some(&body));
        assert_eq!((status, &value["code"]), (503, &json!("STORE")), "{value}");
    }
    assert_eq!((lines(&w), verified(&w)), (before, before));
    // Whoever shares the load among servers is told, until there is room.
    let ready = || {
        let (head, _) = w.send(Request::get("/readyz").body(Body::empty()).unwrap());
        head.status().as_u16()
    };
    assert_eq!((ready(), ready()), (503, 503));
    // A request that is refused before it writes does not hide it.
    let refused = json!({"token": "no.token.this"});
    let (status, _) = w.call("POST", "/api/consent/tokens", Some(&refused));
    assert_eq!((status / 100, ready()), (4, 503));
    for table in ["log_lines", "once"] {
        db.run(&format!("DROP TRIGGER full_disk ON {table}"), &[])
            .unwrap();
    }
    assert_eq!((ready(), ready()), (200, 200));
    // The same token, as if it came for the first time.
    let taken = w.good("POST", "/api/consent/tokens", Some(&body));
    assert_eq!(taken["again"], json!(false));
    assert_eq!((lines(&w), verified(&w)), (before + 1, before + 1));
}
