//! A folder of data of each earlier schema, with an older policy, goes on: what was promised and decided holds.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod world;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use warifu_consent::{Typ, Verdict, make};
use warifu_server::{Office, Staff};
use warifu_store::{Database, SCHEMA, Sqlite};
use world::*;

/// Tables of the first steps with the columns that they have then.
fn tables(steps: usize) -> Vec<(String, Vec<String>)> {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for sql in SCHEMA[..steps].iter().flat_map(|step| step.iter()) {
        let word = |text: &str| text.split_whitespace().next().unwrap().to_owned();
        if let Some(rest) = sql.strip_prefix("CREATE TABLE ") {
            let (_, columns) = rest.split_once('(').unwrap();
            let columns = columns.rsplit_once(')').unwrap().0;
            let typed = |part: &&str| {
                let typ = part.split_whitespace().nth(1);
                typ.is_some_and(|t| ["TEXT", "BIGINT", "BYTES"].contains(&t))
            };
            let columns = columns.split(',').filter(typed).map(word).collect();
            all.push((word(rest), columns));
        } else if let Some(rest) = sql.strip_prefix("ALTER TABLE ") {
            let (table, column) = rest.split_once(" ADD COLUMN ").unwrap();
            let table = all.iter_mut().find(|t| t.0 == table).unwrap();
            table.1.push(word(column));
        }
    }
    all
}

/// The rows of a database in one as an earlier program had it.
fn older(full: &dyn Database, path: &Path, steps: usize) {
    let db = Sqlite::open(path).unwrap();
    let run = |sql: &str| db.run(sql, &[]).unwrap();
    run("CREATE TABLE meta (name TEXT PRIMARY KEY, value BIGINT NOT NULL)");
    run(&format!(
        "INSERT INTO meta (name, value) VALUES ('schema', {steps})"
    ));
    for sql in SCHEMA[..steps].iter().flat_map(|step| step.iter()) {
        run(sql);
    }
    for (table, columns) in tables(steps) {
        let names = columns.join(", ");
        let places: Vec<String> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
        let insert = format!(
            "INSERT INTO {table} ({names}) VALUES ({})",
            places.join(", ")
        );
        let rows = full.query(&format!("SELECT {names} FROM {table}"), &[]);
        for row in rows.unwrap() {
            db.run(&insert, &row.0).unwrap();
        }
    }
}

/// What the person decided, and what became of it.
fn decided(w: &World) -> Vec<Value> {
    let mine = w.good("GET", "/api/consent/mine", None);
    mine["tokens"].as_array().unwrap().clone()
}

#[test]
fn a_folder_of_each_earlier_schema_goes_on() {
    let w = World::at(None);
    let office = w.office_app.office().unwrap();
    office.announce().unwrap();
    // Something of most of what there is.
    let first = w.grant(&w.asked(&["inf.lab"])[0]);
    assert_eq!(w.disclose(&w.clinic, "Observation").0, 200);
    let second = w.grant(&w.asked(&["inf.rx"])[0]);
    assert_eq!(w.withdraw(second["jti"].as_str().unwrap()).0, 201);
    assert_eq!(w.disclose(&w.other, "Observation").0, 403);
    w.asked(&["inf.allergy"]);
    let assertion = json!({"sub": w.sub, "rsn": "unconscious", "idm": "insured", "iat": w.now(),
        "exp": w.now() + 3600, "jti": id(), "per": {"hpki": "1", "role": "doctor"}});
    let assertion = make(Typ::BreakGlass, claims(&assertion), &w.clinic).unwrap();
    let body = json!({"assertion": assertion}).to_string();
    let token = w.access(&w.clinic, &w.sub, "/api/emergency", &body, "ETREAT");
    assert_eq!(w.with_access("/api/emergency", &token, &body).0, 200);
    let number = office.reviews(None).unwrap()[0].number;
    let by = Staff {
        role: "医師",
        person: "2",
    };
    office.judge(number, Verdict::Justified, by).unwrap();
    let contacts = json!({"contacts": [{"name": "花子", "by": "phone", "to": "03-0000-0000"}]});
    w.good("PUT", "/api/contacts", Some(&contacts));
    let report = json!({"kind": "other", "text": "x", "mine": true});
    w.good("POST", "/api/reports", Some(&report));
    office.publish(true, 0).unwrap();
    let (kinds, tokens) = (w.kinds(), decided(&w));
    let policy = std::fs::read_to_string(w.data.join("policy.json")).unwrap();
    let full = w.db();
    for steps in 1..SCHEMA.len() {
        let now = w.beside_over(|data| {
            older(&*full, &data.join("warifu.db"), steps);
            // The policy of a program that did not know a member yet is not read, and is brought along.
            let old = policy.replace("\"longest_days\"", "\"days\"");
            assert_ne!(old, policy);
            std::fs::write(data.join("policy.json"), old).unwrap();
            let clock = || {
                let clock = Arc::clone(&w.clock);
                Box::new(move || clock.load(Ordering::SeqCst))
            };
            let refused = Office::open(data, clock()).err().unwrap();
            assert!(format!("{refused:#}").contains("policy-update"), "{steps}");
            let done = Office::update_policy(data, None, clock()).unwrap();
            assert_eq!(done, Some(2), "{steps}");
        });
        let office = now.office_app.office().unwrap();
        office.announce().unwrap();
        // The session goes on; what was decided stays, and every line is there.
        assert_eq!(
            (now.kinds(), decided(&now)),
            (kinds.clone(), tokens.clone()),
            "{steps}"
        );
        assert_eq!(office.reviews(None).unwrap().len(), 0, "{steps}");
        let (status, value) = now.disclose(&now.clinic, "Patient/$everything?_count=500");
        assert_eq!(status, 200, "{steps}: {value}");
        assert!(
            value["bundle"]
                .as_str()
                .unwrap()
                .contains("\"Observation\""),
            "{steps}"
        );
        now.checked(&value, CLINIC).unwrap();
        let own = json!({"search": "Procedure"});
        let own = now.good("POST", "/api/disclose", Some(&own));
        assert!(
            own["bundle"].as_str().unwrap().contains("秘密の手術"),
            "{steps}"
        );
        // And what is decided now counts, for what went out before as well.
        assert_eq!(
            now.withdraw(first["jti"].as_str().unwrap()).0,
            201,
            "{steps}"
        );
        let (status, value) = now.disclose(&now.clinic, "Observation");
        assert_eq!(
            (status, &value["code"]),
            (403, &json!("REVOKED")),
            "{steps}"
        );
        let asked = now.good("GET", "/api/erasures", None);
        let asked = asked["erasures"].as_array().unwrap();
        assert_eq!(
            (asked.len(), &asked[0]["rcp"]),
            (1, &json!(CLINIC)),
            "{steps}"
        );
        assert_eq!(office.publish(true, 0), Ok(true));
        // It opens again, with the whole log.
        let lines = office.lines().unwrap();
        let clock = Arc::clone(&w.clock);
        let again = Office::open(&now.data, Box::new(move || clock.load(Ordering::SeqCst)));
        assert_eq!(again.unwrap().lines(), Ok(lines), "{steps}");
    }
}
