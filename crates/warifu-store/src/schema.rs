//! The tables, and how an older database gets them.

use crate::database::{Cell, Database, StoreError, write};

/// Steps from nothing to the newest schema: statements that SQLite and PostgreSQL both take, `BYTES`
/// standing for either's type of bytes. A step that was ever released never changes.
pub const SCHEMA: &[&[&str]] = &[
    FIRST,
    WATCH,
    SENDERS,
    RESOLVED,
    REVIEWS,
    CERTIFICATES,
    NOTICES,
    ASKS,
    REPORTS,
    WITNESSES,
    RELEASES,
    POLICIES,
    ERASURES,
    COUNTED,
    UNOPENED,
];

const FIRST: &[&str] = &[
    // Public keys by class; `state` as in docs/consent.md.
    "CREATE TABLE keys (
        class TEXT NOT NULL, kid TEXT NOT NULL, x TEXT NOT NULL, state TEXT NOT NULL,
        at BIGINT NOT NULL, code TEXT, emergency BIGINT NOT NULL, PRIMARY KEY (class, kid))",
    "CREATE INDEX keys_kid ON keys (kid)",
    // Accepted tokens in their order; `person` is who they are about (a proxy's binding: the
    // represented person), `bound` the key that a binding binds, `annex` is sealed.
    "CREATE TABLE tokens (
        seq BIGINT PRIMARY KEY, tok TEXT NOT NULL UNIQUE, typ TEXT NOT NULL, sub TEXT NOT NULL,
        person TEXT NOT NULL, jti TEXT NOT NULL, rev TEXT NOT NULL, nonce TEXT NOT NULL,
        kid TEXT NOT NULL, at BIGINT NOT NULL, line BIGINT NOT NULL, token TEXT NOT NULL, receipt TEXT,
        annex BYTES, used BIGINT NOT NULL,
        bound TEXT NOT NULL)",
    "CREATE INDEX tokens_sub ON tokens (sub)",
    "CREATE INDEX tokens_person ON tokens (person)",
    "CREATE INDEX tokens_jti ON tokens (jti)",
    "CREATE INDEX tokens_rev ON tokens (rev)",
    "CREATE INDEX tokens_nonce ON tokens (nonce)",
    "CREATE INDEX tokens_bound ON tokens (bound)",
    // Nonces given out with a place in a status list.
    "CREATE TABLE issued (
        nonce TEXT PRIMARY KEY, list BIGINT NOT NULL, idx BIGINT NOT NULL, session TEXT NOT NULL,
        req TEXT NOT NULL, at BIGINT NOT NULL, UNIQUE (list, idx))",
    // What institutions ask for and nobody answered yet.
    "CREATE TABLE requests (
        req TEXT PRIMARY KEY, grp TEXT NOT NULL, sub TEXT NOT NULL, asker TEXT NOT NULL,
        body TEXT NOT NULL, at BIGINT NOT NULL, ends BIGINT NOT NULL, state TEXT NOT NULL)",
    "CREATE INDEX requests_sub ON requests (sub)",
    // Sessions by the hash of their cookie.
    "CREATE TABLE sessions (
        id TEXT PRIMARY KEY, sub TEXT NOT NULL, kid TEXT NOT NULL, begun BIGINT NOT NULL,
        seen BIGINT NOT NULL)",
    // Enrolment and desk codes by keyed hash; `secret` is the keyed hash of the birth date.
    "CREATE TABLE codes (
        hash TEXT PRIMARY KEY, kind TEXT NOT NULL, sub TEXT NOT NULL, secret TEXT NOT NULL,
        at BIGINT NOT NULL, ends BIGINT NOT NULL, failures BIGINT NOT NULL)",
    // What is taken once: nonces of session proofs that wait, `jti` of access requests that came.
    "CREATE TABLE once (
        kind TEXT NOT NULL, id TEXT NOT NULL, ends BIGINT NOT NULL, PRIMARY KEY (kind, id))",
    // Notices that reached a person.
    "CREATE TABLE notices (
        sub TEXT NOT NULL, src TEXT NOT NULL, what TEXT NOT NULL, at BIGINT NOT NULL,
        PRIMARY KEY (sub, src, what, at))",
    // Data keys of persons, wrapped.
    "CREATE TABLE subjects (sub TEXT PRIMARY KEY, data_key BYTES NOT NULL)",
    // Records, sealed; `via` tells whether a storage, a Bundle or a file that was kept apart brought them.
    "CREATE TABLE records (
        sub TEXT NOT NULL, src TEXT NOT NULL, typ TEXT NOT NULL, id TEXT NOT NULL,
        recorded BIGINT NOT NULL, via TEXT NOT NULL, body BYTES NOT NULL,
        PRIMARY KEY (sub, src, typ, id))",
    // What was taken in of one person at one source: hash of all files.
    "CREATE TABLE ingested (
        sub TEXT NOT NULL, src TEXT NOT NULL, digest TEXT NOT NULL, at BIGINT NOT NULL,
        PRIMARY KEY (sub, src))",
    // Files of two persons' names, sealed, until somebody resolves it.
    "CREATE TABLE quarantine (
        sub TEXT NOT NULL, src TEXT NOT NULL, file TEXT NOT NULL, at BIGINT NOT NULL,
        body BYTES NOT NULL, PRIMARY KEY (sub, src, file))",
    // The log (docs/log.md).
    "CREATE TABLE log_lines (
        idx BIGINT PRIMARY KEY, salt BYTES NOT NULL, place_salt BYTES, place_n BIGINT,
        place_prev BYTES, back BIGINT, line TEXT NOT NULL)",
    "CREATE TABLE log_tiles (path TEXT PRIMARY KEY, body BYTES NOT NULL)",
    "CREATE TABLE log_notes (id BIGINT PRIMARY KEY, note TEXT NOT NULL)",
];

/// The second step: the watch over institutions.
const WATCH: &[&str] = &[
    // What the credentials of institutions did within the hour; `id` is the person, or any of a refusal.
    "CREATE TABLE watched (
        kid TEXT NOT NULL, act TEXT NOT NULL, id TEXT NOT NULL, at BIGINT NOT NULL,
        PRIMARY KEY (kid, act, id))",
    "CREATE INDEX watched_at ON watched (at)",
    // Credentials that get nothing until somebody lifts it.
    "CREATE TABLE held (
        kid TEXT PRIMARY KEY, code TEXT NOT NULL, rule TEXT NOT NULL, at BIGINT NOT NULL)",
];

/// The third step: institutions that send records.
const SENDERS: &[&str] = &["ALTER TABLE keys ADD COLUMN sends BIGINT NOT NULL DEFAULT 0"];

/// The fourth step: whose the files are that were kept apart.
const RESOLVED: &[&str] = &[
    // What somebody said of a file: it lay in the folder of one person, and is now another's or nobody's.
    "CREATE TABLE resolved (
        file TEXT PRIMARY KEY, src TEXT NOT NULL, folder TEXT NOT NULL, sub TEXT NOT NULL,
        digest TEXT NOT NULL, whose TEXT NOT NULL, why TEXT NOT NULL, at BIGINT NOT NULL)",
    "CREATE INDEX resolved_folder ON resolved (folder)",
    "CREATE INDEX resolved_sub ON resolved (sub)",
    "CREATE INDEX quarantine_file ON quarantine (file)",
    // Records that came of such a file are marked with it.
    "CREATE INDEX records_via ON records (via)",
];

/// The fifth step: reviews of emergencies.
const REVIEWS: &[&str] = &[
    // What was said of an emergency; both are named by their lines. `reviewer` is a keyed hash, empty for
    // the person.
    "CREATE TABLE reviews (
        line BIGINT PRIMARY KEY, about BIGINT NOT NULL, at BIGINT NOT NULL, verdict TEXT NOT NULL,
        role TEXT NOT NULL, reviewer TEXT NOT NULL)",
    "CREATE INDEX reviews_about ON reviews (about)",
    // Emergencies that went to the next higher body, and facilities without emergency access.
    "CREATE TABLE escalated (about BIGINT PRIMARY KEY, at BIGINT NOT NULL)",
    "CREATE TABLE suspended (code TEXT PRIMARY KEY, at BIGINT NOT NULL)",
    "CREATE INDEX tokens_typ ON tokens (typ)",
];

/// The sixth step: certificates that keys of institutions are bound to.
const CERTIFICATES: &[&str] = &["ALTER TABLE keys ADD COLUMN cert TEXT"];

/// The seventh step: notices of emergencies, and to whom they go.
const NOTICES: &[&str] = &[
    // Disclosures in an emergency by their line; `sent` is when the contacts had it, or 0.
    "CREATE TABLE emergencies (
        line BIGINT PRIMARY KEY, sub TEXT NOT NULL, facility TEXT NOT NULL, role TEXT NOT NULL,
        rsn TEXT NOT NULL, idm TEXT NOT NULL, cats TEXT NOT NULL, at BIGINT NOT NULL,
        sent BIGINT NOT NULL)",
    "CREATE INDEX emergencies_sub ON emergencies (sub)",
    // Contacts that a person named, sealed.
    "CREATE TABLE contacts (sub TEXT PRIMARY KEY, body BYTES NOT NULL, at BIGINT NOT NULL)",
];

/// The eighth step: what institutions asked for, whether or not it reached anybody.
const ASKS: &[&str] = &[
    // `wish` is the hash of what was asked for, `req` the name that the institution got for it.
    "CREATE TABLE asks (
        code TEXT NOT NULL, sub TEXT NOT NULL, wish TEXT NOT NULL, req TEXT NOT NULL,
        ends BIGINT NOT NULL, PRIMARY KEY (code, sub, wish))",
    "CREATE INDEX asks_sub ON asks (sub)",
    "CREATE INDEX asks_ends ON asks (ends)",
];

/// The ninth step: what people found wrong.
const REPORTS: &[&str] = &[
    // `sub` is empty for those who did not sign in; `data_key` is the report's own, wrapped, and `body` is sealed.
    "CREATE TABLE reports (
        id TEXT PRIMARY KEY, sub TEXT NOT NULL, kind TEXT NOT NULL, at BIGINT NOT NULL,
        closed BIGINT NOT NULL, data_key BYTES NOT NULL, body BYTES NOT NULL)",
    "CREATE INDEX reports_sub ON reports (sub, at)",
];

/// The tenth step: checkpoints that witnesses are to sign.
const WITNESSES: &[&str] = &[
    // `seen` is 1 for the newest one that enough of them signed; older ones go.
    "CREATE TABLE witnessing (size BIGINT PRIMARY KEY, note TEXT NOT NULL, seen BIGINT NOT NULL)",
];

/// The eleventh step: releases without names, and what was done with them.
const RELEASES: &[&str] = &[
    // `leaves` are 32 bytes each, ascending.
    "CREATE TABLE releases (
        rel TEXT PRIMARY KEY, tok TEXT NOT NULL UNIQUE, code TEXT NOT NULL, token TEXT NOT NULL,
        at BIGINT NOT NULL, line BIGINT NOT NULL, leaves BYTES NOT NULL)",
    "CREATE TABLE usages (
        line BIGINT PRIMARY KEY, rel TEXT NOT NULL, at BIGINT NOT NULL, entries BIGINT NOT NULL,
        body TEXT NOT NULL)",
    "CREATE INDEX usages_rel ON usages (rel)",
];

/// The twelfth step: policies by their numbers.
const POLICIES: &[&str] = &[
    // Which content was in force under an id and a version: there is one.
    "CREATE TABLE policies (
        id TEXT NOT NULL, version BIGINT NOT NULL, hash TEXT NOT NULL, at BIGINT NOT NULL,
        PRIMARY KEY (id, version))",
];

/// The thirteenth step: copies that recipients have of what a withdrawn consent opened.
const ERASURES: &[&str] = &[
    // `told` and `at` are 0 before the recipient fetched it and answered; `access` and `body` are what it
    // signed.
    "CREATE TABLE erasures (
        id TEXT PRIMARY KEY, tok TEXT NOT NULL, jti TEXT NOT NULL, sub TEXT NOT NULL,
        rcp TEXT NOT NULL, ended BIGINT NOT NULL, last BIGINT NOT NULL, told BIGINT NOT NULL,
        state TEXT NOT NULL, at BIGINT NOT NULL, why TEXT NOT NULL, access TEXT NOT NULL,
        body TEXT NOT NULL, UNIQUE (tok, rcp))",
    "CREATE INDEX erasures_sub ON erasures (sub)",
    "CREATE INDEX erasures_rcp ON erasures (rcp, state)",
    "CREATE INDEX tokens_kid ON tokens (kid)",
];

/// The fourteenth step: how much went out by a line.
const COUNTED: &[&str] = &[
    // `cats` is each category and its number, with spaces between; `page` where in the answer a further page of
    // it begins, 0 for the first.
    "CREATE TABLE counted (
        line BIGINT PRIMARY KEY, sub TEXT NOT NULL, items BIGINT NOT NULL, cats TEXT NOT NULL,
        page BIGINT NOT NULL)",
    "CREATE INDEX counted_sub ON counted (sub)",
];

/// The fifteenth step: emergencies that opened nothing.
const UNOPENED: &[&str] = &[
    // By the line of the assertion; there is nothing to review.
    "CREATE TABLE unopened (line BIGINT PRIMARY KEY, at BIGINT NOT NULL)",
];

/// Names of the tables that [`SCHEMA`] makes, in its order.
fn tables() -> impl Iterator<Item = &'static str> {
    let all = SCHEMA.iter().flat_map(|step| step.iter());
    all.filter_map(|sql| sql.strip_prefix("CREATE TABLE ")?.split_whitespace().next())
}

/// Copies all rows into a database that has none; both have the newest schema.
///
/// # Errors
/// [`StoreError::Exists`] where a row is there already; then nothing was copied.
pub fn copy(from: &dyn Database, to: &dyn Database) -> Result<(), StoreError> {
    write(to, |to| {
        for table in tables() {
            // Columns stand in the order of the schema in both.
            from.each(&format!("SELECT * FROM {table}"), &[], &mut |row| {
                let places: Vec<String> = (1..=row.0.len()).map(|n| format!("?{n}")).collect();
                let sql = format!("INSERT INTO {table} VALUES ({})", places.join(", "));
                to.run(&sql, &row.0).map(|_| ())
            })?;
        }
        Ok(())
    })
}

/// Takes away all tables.
///
/// # Errors
/// [`StoreError`]; then they are there.
pub fn clear(db: &dyn Database) -> Result<(), StoreError> {
    write(db, |db| {
        for table in tables().chain(["meta"]) {
            db.run(&format!("DROP TABLE {table}"), &[])?;
        }
        Ok(())
    })
}

/// Brings the database to the newest schema; gives the version it had.
///
/// # Errors
/// [`StoreError::Schema`] for a database of a newer program; nothing is changed.
pub fn migrate(db: &dyn Database) -> Result<u64, StoreError> {
    let known = u64::try_from(SCHEMA.len()).unwrap_or(u64::MAX);
    write(db, |db| {
        db.run(
            "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
            &[],
        )?;
        let rows = db.query("SELECT value FROM meta WHERE name = 'schema'", &[])?;
        let found = rows.first().and_then(|r| r.int(0)).unwrap_or(0);
        if found > known {
            return Err(StoreError::Schema { found, known });
        }
        let done = usize::try_from(found).unwrap_or(usize::MAX);
        for sql in SCHEMA.iter().skip(done).flat_map(|step| step.iter()) {
            db.run(sql, &[])?;
        }
        if rows.is_empty() {
            db.run(
                "INSERT INTO meta (name, value) VALUES ('schema', ?1)",
                &[Cell::from(known)],
            )?;
        } else if found < known {
            db.run(
                "UPDATE meta SET value = ?1 WHERE name = 'schema'",
                &[Cell::from(known)],
            )?;
        }
        Ok(found)
    })
}
