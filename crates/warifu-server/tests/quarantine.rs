//! Files kept apart: nobody sees them before somebody says whose they are, the right person after it, and
//! nobody again when it is taken back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod world;

use serde_json::{Value, json};
use warifu_server::{Ingested, Staff, Whose, Why};
use world::*;

const STRANGER: &str = "0000999999";
const BY: Staff<'static> = Staff {
    role: "診療情報管理士",
    person: "staff-0815",
};

#[test]
fn all_of_it_holds_over_postgresql() {
    postgresql::again_without("all_of_it_holds_over_postgresql");
}

/// A laboratory report with a mark, and with the number of somebody else in PID-3.
fn foreign() -> Vec<u8> {
    let marked = replaced(&fixture(LAB), "|(3+)|", "|MARKED|");
    replaced(&marked, "0000990001^^^^PI", "0000999999^^^^PI")
}

impl World {
    fn ingest(&self, files: &[(&str, &[u8])]) -> Ingested {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let options = warifu_storage::Options::standard();
        let storage = warifu_storage::Storage::open_all(&[folder.path()], &options).unwrap();
        self.office_app.office().unwrap().ingest(&storage).unwrap()
    }

    /// Whether the person, a clinic with a grant, and the other person's guardian see the mark.
    fn who_sees(&self) -> (bool, bool, bool) {
        let all = json!({"search": "Patient/$everything?_count=500"});
        let seen = |value: &Value| value["bundle"].as_str().unwrap().contains("MARKED");
        let own = self.good("POST", "/api/disclose", Some(&all));
        let (status, value) = self.disclose(&self.clinic, "Patient/$everything?_count=500");
        assert_eq!(status, 200, "{value}");
        let path = format!("/api/disclose?for={}", self.stranger());
        let other = self.good("POST", &path, Some(&all));
        (seen(&own), seen(&value), seen(&other))
    }

    fn stranger(&self) -> String {
        let office = self.office_app.office().unwrap();
        office.pseudonym(STRANGER).unwrap()
    }

    /// What the log tells a person of what staff did.
    fn steps(&self, whom: Option<&str>) -> Vec<Value> {
        let path = whom.map_or("/api/log/mine".to_owned(), |sub| {
            format!("/api/log/mine?for={sub}")
        });
        let mine = self.good("GET", &path, None);
        let lines = mine["lines"].as_array().unwrap().iter();
        let lines =
            lines.map(|l| serde_json::from_str(l["own"]["line"].as_str().unwrap()).unwrap());
        lines
            .filter(|l: &Value| l["kind"] == "staff-read")
            .collect()
    }
}

/// A clinic may see the laboratory, infections included (the file is of microbiology); a file of another person lies in the folder.
fn kept_apart() -> (World, String) {
    let w = World::new();
    let office = w.office_app.office().unwrap();
    let own = warifu_consent::Signer::public(&w.patient);
    let stranger = w.stranger();
    office
        .bind(&own, &w.sub, "adult_guardian", Some(&stranger), "counter")
        .unwrap();
    let waiting = w.asked(&["demo", "inf.infection", "inf.lab", "inf.rx"]);
    w.grant(&waiting[0]);
    let done = w.ingest(&[(LAB, &foreign()), (DRUG, &fixture(DRUG))]);
    assert_eq!(done.quarantined, 1, "{done:?}");
    assert_eq!(w.who_sees(), (false, false, false));
    let apart = office.apart().unwrap();
    assert_eq!((apart.len(), apart[0].said), (1, None));
    assert_eq!(apart[0].institution, HOSPITAL);
    let id = apart[0].id.clone();
    (w, id)
}

#[test]
fn what_is_the_folders_is_seen_there_until_it_is_taken_back() {
    let (w, id) = kept_apart();
    let office = w.office_app.office().unwrap();
    let (path, bytes) = office.look(&id, BY).unwrap();
    assert!(path == LAB && bytes == foreign());
    office
        .resolve(&id, Whose::Folder, Why::Mistyped, BY)
        .unwrap();
    assert_eq!(w.who_sees(), (true, true, false));
    let apart = office.apart().unwrap();
    assert_eq!(apart[0].said, Some((Whose::Folder, Why::Mistyped)));
    // Once; what is said stands until it is taken back.
    let again = office.resolve(&id, Whose::Nobody, Why::Foreign, BY);
    assert_eq!(again.unwrap_err().code(), "ANSWERED");
    // The same folder again, and the folder with something else changed: it stays.
    let drug = fixture(DRUG);
    w.ingest(&[(LAB, &foreign()), (DRUG, &drug)]);
    let changed = replaced(&drug, "\r", "\r\r");
    let done = w.ingest(&[(LAB, &foreign()), (DRUG, &changed)]);
    assert_eq!((done.patients, done.quarantined), (1, 0), "{done:?}");
    assert_eq!(w.who_sees(), (true, true, false));
    office.take_back(&id, Why::Mistake, BY).unwrap();
    assert_eq!(w.who_sees(), (false, false, false));
    let again = office.take_back(&id, Why::Mistake, BY);
    assert_eq!(again.unwrap_err().code(), "NOT_FOUND");
    // Each step is a line: the role and why, and nobody's name or number.
    let steps = w.steps(None);
    let what: Vec<&str> = steps.iter().map(|l| l["what"].as_str().unwrap()).collect();
    assert_eq!(
        what,
        [
            "quarantine look",
            "quarantine folder mistyped",
            "quarantine back mistake"
        ]
    );
    for step in &steps {
        assert_eq!(step["role"], json!(BY.role));
        assert!(!step.to_string().contains(BY.person), "{step}");
    }
}

#[test]
fn what_is_anothers_is_seen_there_until_the_file_is_another() {
    let (w, id) = kept_apart();
    let (office, stranger) = (w.office_app.office().unwrap(), w.stranger());
    office
        .resolve(&id, Whose::Message, Why::Misfiled, BY)
        .unwrap();
    assert_eq!(w.who_sees(), (false, false, true));
    for whom in [None, Some(stranger.as_str())] {
        assert_eq!(
            w.steps(whom)[0]["what"],
            json!("quarantine message misfiled")
        );
    }
    // The other person's own folder says it better, and when it says nothing more the file is there again.
    let theirs = LAB.replace("0000990001", STRANGER);
    let mine = replaced(&foreign(), "|MARKED|", "|BETTER|");
    let done = w.ingest(&[(&theirs, &mine)]);
    assert_eq!((done.patients, done.quarantined), (1, 0), "{done:?}");
    let seen = |text: &str| {
        let all = json!({"search": "Patient/$everything?_count=500"});
        let value = w.good("POST", &format!("/api/disclose?for={stranger}"), Some(&all));
        value["bundle"].as_str().unwrap().contains(text)
    };
    assert!(seen("BETTER") && !seen("MARKED"));
    let drug = replaced(&fixture(DRUG), "0000990001^^^^PI", "0000999999^^^^PI");
    let other = DRUG.replace("0000990001", STRANGER);
    w.ingest(&[(&other, &drug)]);
    assert!(!seen("BETTER") && seen("MARKED"));
    // Mended in its own folder: what was said of the file is of no more use.
    let mended = replaced(&fixture(LAB), "|(3+)|", "|MENDED|");
    let done = w.ingest(&[(LAB, &mended), (DRUG, &fixture(DRUG))]);
    assert_eq!(done.quarantined, 0, "{done:?}");
    assert_eq!(w.who_sees(), (false, false, false));
    assert!(office.apart().unwrap().is_empty());
    // And a file of the same name with other content has to be looked at anew.
    w.ingest(&[(LAB, &foreign()), (DRUG, &fixture(DRUG))]);
    let id = office.apart().unwrap()[0].id.clone();
    office
        .resolve(&id, Whose::Message, Why::Misfiled, BY)
        .unwrap();
    assert_eq!(w.who_sees(), (false, false, true));
    let changed = replaced(&foreign(), "|MARKED|", "|MARKED-2|");
    let done = w.ingest(&[(LAB, &changed), (DRUG, &fixture(DRUG))]);
    assert_eq!(done.quarantined, 1, "{done:?}");
    assert_eq!(w.who_sees(), (false, false, false));
}

#[test]
fn what_is_nobodys_stays_nobodys_and_asks_no_more() {
    let (w, id) = kept_apart();
    let office = w.office_app.office().unwrap();
    for (by, code) in [
        (Staff { role: " ", ..BY }, "BODY"),
        (Staff { person: "", ..BY }, "BODY"),
        (Staff { role: "a\nb", ..BY }, "BODY"),
    ] {
        let done = office.resolve(&id, Whose::Folder, Why::Mistyped, by);
        assert_eq!(done.unwrap_err().code(), code);
    }
    assert_eq!(w.who_sees(), (false, false, false));
    office
        .resolve(&id, Whose::Nobody, Why::Foreign, BY)
        .unwrap();
    assert_eq!(w.who_sees(), (false, false, false));
    let changed = replaced(&fixture(DRUG), "\r", "\r\r");
    let done = w.ingest(&[(LAB, &foreign()), (DRUG, &changed)]);
    assert_eq!((done.patients, done.quarantined), (1, 0), "{done:?}");
    assert_eq!(w.who_sees(), (false, false, false));
    let none = office.resolve("x", Whose::Nobody, Why::Foreign, BY);
    assert_eq!(none.unwrap_err().code(), "NOT_FOUND");
    // It can still be found to be somebody's.
    office.take_back(&id, Why::Mistake, BY).unwrap();
    office
        .resolve(&id, Whose::Message, Why::Misfiled, BY)
        .unwrap();
    assert_eq!(w.who_sees(), (false, false, true));
}
