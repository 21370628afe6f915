//! Emergencies wait for a review: who may judge, what the person sees, and what becomes of who does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod world;

use serde_json::{Value, json};
use warifu_consent::{CaseState, Typ, Verdict, make};
use warifu_server::{Office, Rights, Staff};
use world::*;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const REVIEWER: Staff<'static> = Staff {
    role: "医療安全管理者",
    person: "safety-1",
};

#[test]
fn all_of_it_holds_over_postgresql() {
    postgresql::again_without("all_of_it_holds_over_postgresql");
}

impl World {
    fn office(&self) -> &Office {
        self.office_app.office().unwrap()
    }

    /// An emergency of the clinic, by a doctor who has this number.
    fn emergency(&self, doctor: &str) -> (u16, Value) {
        let payload = json!({"sub": self.sub, "rsn": "unconscious", "idm": "insured", "iat": self.now(),
            "exp": self.now() + 3600, "jti": id(), "per": {"hpki": doctor, "role": "doctor"}});
        let assertion = make(Typ::BreakGlass, claims(&payload), &self.clinic).unwrap();
        let body = json!({"assertion": assertion}).to_string();
        let token = self.access(&self.clinic, &self.sub, "/api/emergency", &body, "ETREAT");
        self.with_access("/api/emergency", &token, &body)
    }

    /// Verdicts that the log tells the person, and `watch` lines about reviews.
    fn told(&self, kind: &str, member: &str) -> Vec<String> {
        let sql = "SELECT line FROM log_lines WHERE line LIKE ?1 ORDER BY idx";
        let like = format!("%\"kind\":\"{kind}\"%");
        let rows = self.db().query(sql, &[like.as_str().into()]).unwrap();
        let line =
            |r: &warifu_store::Row| -> Value { serde_json::from_str(r.text(0).unwrap()).unwrap() };
        rows.iter()
            .map(|r| line(r)[member].as_str().unwrap().to_owned())
            .collect()
    }
}

fn code<T>(done: Result<T, warifu_server::Problem>) -> Option<String> {
    done.err().map(|p| p.code().to_owned())
}

#[test]
fn somebody_else_judges_and_the_person_sees_every_statement() {
    let w = World::new();
    let office = w.office();
    assert_eq!(w.emergency("doctor-1").0, 200);
    let waiting = office.reviews(None).unwrap();
    let [one] = waiting.as_slice() else {
        panic!("{waiting:?}")
    };
    assert_eq!(one.state, CaseState::Open(w.now() + 72 * HOUR));
    assert_eq!(
        (one.case.facility.as_str(), one.role.as_str()),
        (CLINIC, "doctor")
    );
    assert_eq!(one.reason, "unconscious");
    let number = one.number;
    // Not to be seen by who asked, nor judged: the same number is the same person.
    assert_eq!(office.reviews(Some("doctor-1")).unwrap().len(), 0);
    let own = Staff {
        person: "doctor-1",
        ..REVIEWER
    };
    assert_eq!(
        code(office.judge(number, Verdict::Justified, own)).as_deref(),
        Some("PERSON")
    );
    for (verdict, by, want) in [
        (
            Verdict::Justified,
            Staff {
                person: "",
                ..REVIEWER
            },
            "PERSON",
        ),
        (Verdict::Objection, REVIEWER, "PERSON"),
        (
            Verdict::Justified,
            Staff {
                role: "",
                ..REVIEWER
            },
            "BODY",
        ),
    ] {
        assert_eq!(
            code(office.judge(number, verdict, by)).as_deref(),
            Some(want)
        );
    }
    assert_eq!(
        code(office.judge(0, Verdict::Justified, REVIEWER)).as_deref(),
        Some("NOT_FOUND")
    );
    assert!(w.told("review", "verdict").is_empty());
    // Unclear, the person objects, somebody else finds it unjustified.
    w.later(60);
    office.judge(number, Verdict::Unclear, REVIEWER).unwrap();
    assert_eq!(office.reviews(None).unwrap()[0].state, CaseState::Escalated);
    w.later(60);
    let mine = w.good("GET", "/api/log/mine", None);
    let lines = mine["lines"].as_array().unwrap();
    let n = lines.iter().position(|l| {
        l["own"]["line"]
            .as_str()
            .unwrap()
            .contains("\"breakglass\"")
    });
    let n = lines[n.unwrap()]["own"]["n"].as_u64().unwrap();
    w.good("POST", &format!("/api/log/{n}/objection"), Some(&json!({})));
    w.good("POST", &format!("/api/log/{n}/objection"), Some(&json!({})));
    let said: Vec<Verdict> = office.reviews(None).unwrap()[0]
        .case
        .statements
        .iter()
        .map(|s| s.verdict)
        .collect();
    assert_eq!(said, [Verdict::Unclear, Verdict::Objection]);
    let second = Staff {
        person: "safety-2",
        ..REVIEWER
    };
    office.judge(number, Verdict::NotJustified, second).unwrap();
    assert!(office.reviews(None).unwrap().is_empty());
    assert_eq!(
        code(office.judge(number, Verdict::Justified, REVIEWER)).as_deref(),
        Some("ANSWERED")
    );
    let verdicts = w.told("review", "verdict");
    assert_eq!(verdicts, ["unclear", "objection", "not-justified"]);
    let kinds = w.kinds();
    assert_eq!(kinds.iter().filter(|k| *k == "review").count(), 3);
    // Nobody's number is in the store.
    let rows = w
        .db()
        .query("SELECT reviewer, role FROM reviews", &[])
        .unwrap();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|r| !r.text(0).unwrap().contains("safety")));
}

#[test]
fn what_nobody_reviews_is_escalated_and_then_the_facility_waits() {
    let w = World::new();
    let office = w.office();
    assert_eq!(w.emergency("doctor-1").0, 200);
    let number = office.reviews(None).unwrap()[0].number;
    w.later(72 * HOUR);
    office.review_overdue().unwrap();
    assert!(w.told("watch", "what").is_empty());
    w.later(1);
    office.review_overdue().unwrap();
    office.review_overdue().unwrap();
    assert_eq!(w.told("watch", "what"), ["escalated"]);
    assert_eq!(w.told("watch", "rcp"), [CLINIC]);
    // Another one is opened still; seven days later none is, without anybody asking.
    assert_eq!(w.emergency("doctor-2").0, 200);
    w.later(7 * DAY);
    let (status, value) = w.emergency("doctor-2");
    assert_eq!(
        (status, &value["code"]),
        (403, &json!("NOT_AVAILABLE")),
        "{value}"
    );
    assert_eq!(office.suspended().unwrap(), [CLINIC]);
    assert_eq!(
        w.told("watch", "what"),
        ["escalated", "escalated", "suspended"]
    );
    // Every server over the store knows.
    let other = self::office(&w.data, &w.clock);
    assert_eq!(other.suspended().unwrap(), [CLINIC]);
    let waiting = office.reviews(None).unwrap();
    // The one that was refused opened nothing.
    assert_eq!(waiting.len(), 2);
    assert_eq!(
        (waiting[0].number, waiting[0].state),
        (number, CaseState::Suspended)
    );
    // An objection is no review; a review by somebody else is.
    office.judge(number, Verdict::Justified, REVIEWER).unwrap();
    assert!(office.suspended().unwrap().is_empty());
    assert_eq!(w.told("watch", "what").last().unwrap(), "resumed");
    assert_eq!(w.emergency("doctor-3").0, 200);
}

#[test]
fn objections_of_an_older_program_are_found_again() {
    let w = World::new();
    assert_eq!(w.emergency("doctor-1").0, 200);
    let mine = w.good("GET", "/api/log/mine", None);
    let lines = mine["lines"].as_array().unwrap();
    let n = lines.iter().find(|l| {
        l["own"]["line"]
            .as_str()
            .unwrap()
            .contains("\"breakglass\"")
    });
    let n = n.unwrap()["own"]["n"].as_u64().unwrap();
    w.good("POST", &format!("/api/log/{n}/objection"), Some(&json!({})));
    w.db().run("DELETE FROM reviews", &[]).unwrap();
    let again = self::office(&w.data, &w.clock);
    let waiting = again.reviews(None).unwrap();
    assert_eq!(waiting[0].case.statements.len(), 1);
    assert_eq!(waiting[0].case.statements[0].verdict, Verdict::Objection);
}

#[test]
fn the_portal_and_the_contacts_are_told_at_once() {
    let w = World::new();
    let office = w.office();
    let put =
        |contacts: Value| w.call("PUT", "/api/contacts", Some(&json!({"contacts": contacts})));
    let own = json!([{"name": "山田 花子", "by": "mail", "to": "hanako@example.jp"}]);
    for bad in [
        json!([{"name": "a", "by": "fax", "to": "b"}]),
        json!([{"name": "a", "by": "mail", "to": ""}]),
        json!([{"name": "a", "by": "mail", "to": "b\r\nBcc: c"}]),
        json!([{"name": "a", "by": "mail", "to": "b", "more": "c"}]),
        json!([{"name": "a", "by": "mail", "to": "b".repeat(201)}]),
        json!(vec![own[0].clone(); 6]),
        json!({}),
    ] {
        let (status, value) = put(bad.clone());
        assert_eq!((status, &value["code"]), (400, &json!("BODY")), "{bad}");
    }
    // Nobody is told of what went out before somebody was named.
    assert_eq!(w.good("GET", "/api/notices", None), json!({"notices": []}));
    assert_eq!(put(own.clone()).0, 200);
    assert_eq!(w.good("GET", "/api/contacts", None)["contacts"], own);
    let rows = w.db().query("SELECT body FROM contacts", &[]).unwrap();
    let body = rows[0].bytes(0).unwrap();
    assert!(!body.windows(6).any(|w| w == b"hanako"));
    assert!(office.unsent().unwrap().is_empty());
    assert_eq!(w.emergency("doctor-1").0, 200);
    let notices = w.good("GET", "/api/notices", None);
    let [one] = notices["notices"].as_array().unwrap().as_slice() else {
        panic!("{notices}")
    };
    assert_eq!(
        (&one["what"], &one["src"]),
        (&json!("emergency"), &json!(CLINIC))
    );
    let text = one["text"]["ja"].as_str().unwrap();
    assert!(
        text.contains("架空割符診療所") && text.contains("72時間以内"),
        "{text}"
    );
    assert!(one["text"]["en"].as_str().unwrap().contains("emergency"));
    let unsent = office.unsent().unwrap();
    assert_eq!((unsent.len(), unsent[0].text.as_str()), (1, text));
    assert_eq!(
        unsent[0].contacts,
        [["山田 花子", "mail", "hanako@example.jp"].map(str::to_owned)]
    );
    // One that was refused told nobody anything.
    office
        .register(
            &warifu_consent::Signer::public(&w.clinic),
            CLINIC,
            &Rights::default(),
        )
        .unwrap();
    assert_eq!(w.emergency("doctor-1").0, 403);
    assert_eq!(office.unsent().unwrap().len(), 1);
    office.sent(unsent[0].number).unwrap();
    assert!(office.unsent().unwrap().is_empty());
    assert_eq!(
        code(office.sent(unsent[0].number)).as_deref(),
        Some("NOT_FOUND")
    );
    assert_eq!(put(json!([])).0, 200);
    assert_eq!(
        w.good("GET", "/api/contacts", None),
        json!({"contacts": []})
    );
}
