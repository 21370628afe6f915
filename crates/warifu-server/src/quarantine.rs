//! Files kept apart, because they name another person than their folder, until somebody says whose they are.
//!
//! What is said can be taken back: records that came of it are marked with their file, and go with it. Each
//! step is a line of the log for whoever it is about, with the role of who took it and why, and with an opaque
//! word for the person, never a name.

use bumpalo::Bump;
use warifu_consent::hash;
use warifu_convert::{Job, Pieces};
use warifu_hl7::{Index, Message, split_stream};
use warifu_log::Kind;
use warifu_ssmix2::{level1_of, level2_of};
use warifu_store::{Row, StoreError};

use crate::ingest::{job_of, of_others, pieces};
use crate::office::{Office, Tx, View};
use crate::problem::{Code, Problem};

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $item:ident $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $item,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$item),*];
            /// Its word on the command line and in the log.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$item => $word),* }
            }
            /// By its word.
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|w| w.word() == word)
            }
        }
    };
}

words! {
    /// Whose a file is that was kept apart.
    Whose {
        /// The folder is right: PID-3 was wrong.
        Folder "folder",
        /// PID-3 is right: it lay in a wrong folder.
        Message "message",
        /// Nobody's here.
        Nobody "nobody",
    }
}

words! {
    /// Why somebody says so, or takes it back.
    Why {
        /// The number in the message was mistyped.
        Mistyped "mistyped",
        /// The file lay in a wrong folder.
        Misfiled "misfiled",
        /// The number was replaced by another one of the same person.
        Renumbered "renumbered",
        /// It is there already.
        Duplicate "duplicate",
        /// It is of nobody whom the institution knows.
        Foreign "foreign",
        /// What was said before was wrong.
        Mistake "mistake",
    }
}

/// Who takes a step.
#[derive(Debug, Clone, Copy)]
pub struct Staff<'a> {
    /// The role, which the log tells.
    pub role: &'a str,
    /// The person, whom the log tells by a keyed hash.
    pub person: &'a str,
}

/// A file that is kept apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    /// By which it is named.
    pub id: String,
    /// Institution whose storage it came with.
    pub institution: String,
    /// Since when.
    pub at: u64,
    /// Whose it is, as somebody said, and why.
    pub said: Option<(Whose, Why)>,
}

/// A row of the table.
struct Kept {
    sub: String,
    src: String,
    file: String,
    body: Vec<u8>,
}

/// What somebody said of a file.
struct Said {
    whose: Whose,
    /// The person to whom it went; of nobody the folder's.
    to: String,
    digest: String,
}

/// How records are marked that came of a file.
fn mark(file: &str) -> String {
    format!("file:{file}")
}

/// The id of a file: nobody finds its path by it.
pub(crate) fn id_of(office: &Office, src: &str, path: &str) -> Result<String, Problem> {
    office.guarded(&["apart", src, path])
}

/// Its content, likewise.
fn digest_of(office: &Office, text: &[u8]) -> Result<String, Problem> {
    office.guarded(&["apart-content", &hash::sha256_text(&[text])])
}

/// Path and bytes as they are sealed together.
pub(crate) fn joined(path: &str, bytes: &[u8]) -> Vec<u8> {
    let mut text = path.as_bytes().to_vec();
    text.push(0);
    text.extend_from_slice(bytes);
    text
}

fn parted(text: &[u8]) -> Option<(&str, &[u8])> {
    let end = text.iter().position(|b| *b == 0)?;
    let path = core::str::from_utf8(text.get(..end)?).ok()?;
    Some((path, text.get(end + 1..)?))
}

fn text(row: &Row, n: usize) -> Result<String, StoreError> {
    let found = row.text(n).map(str::to_owned);
    found.ok_or(StoreError::Form("quarantine"))
}

/// The file of an id.
fn kept(view: &View<'_>, id: &str) -> Result<Kept, Problem> {
    let sql = "SELECT sub, src, body FROM quarantine WHERE file = ?1";
    let rows = view.db.query(sql, &[id.into()])?;
    let row = rows.first().ok_or(Code::NotFound)?;
    let body = row.bytes(2).ok_or(StoreError::Form("quarantine"))?;
    Ok(Kept {
        sub: text(row, 0)?,
        src: text(row, 1)?,
        file: id.to_owned(),
        body: body.to_vec(),
    })
}

impl Kept {
    fn opened(&self, view: &View<'_>) -> Result<Vec<u8>, Problem> {
        let sealer = view.sealer(&self.sub)?;
        let sealer = sealer.ok_or_else(|| Problem::internal("a person's key is missing"))?;
        let place = ["quarantine", self.src.as_str(), self.file.as_str()];
        Ok(sealer.open(&place, &self.body)?)
    }
}

fn said(view: &View<'_>, id: &str) -> Result<Option<Said>, Problem> {
    let sql = "SELECT whose, sub, digest FROM resolved WHERE file = ?1";
    let rows = view.db.query(sql, &[id.into()])?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Said {
        whose: Whose::of(&text(row, 0)?).ok_or(StoreError::Form("resolved"))?,
        to: text(row, 1)?,
        digest: text(row, 2)?,
    }))
}

/// Whether somebody said whose a file is, and it is still the same.
pub(crate) fn is_resolved(tx: &Tx<'_>, id: &str, text: &[u8]) -> Result<bool, Problem> {
    let digest = digest_of(tx.view.office, text)?;
    Ok(said(&tx.view, id)?.is_some_and(|s| s.digest == digest))
}

/// Forgets what was said of a file, with the records that came of it.
fn undone(tx: &Tx<'_>, id: &str) -> Result<(), Problem> {
    let db = tx.view.db;
    db.run("DELETE FROM records WHERE via = ?1", &[mark(id).into()])?;
    db.run("DELETE FROM resolved WHERE file = ?1", &[id.into()])?;
    Ok(())
}

/// After a folder was taken in: what was said of its files that are gone, or are others now, counts no more;
/// what came of the files that were said to be this person's, whatever their folder, is there again where the
/// folder has nothing of its own.
pub(crate) fn settled(tx: &Tx<'_>, sub: &str, src: &str, job: &mut Job) -> Result<(), Problem> {
    let db = tx.view.db;
    // The files that lay in this folder, and those that are this person's.
    let sql = "SELECT file FROM resolved WHERE src = ?1 AND folder = ?2 ORDER BY file";
    for row in db.query(sql, &[src.into(), sub.into()])? {
        let id = text(&row, 0)?;
        let same = match kept(&tx.view, &id) {
            Ok(file) => is_resolved(tx, &id, &file.opened(&tx.view)?)?,
            Err(p) if p.code() == Code::NotFound.wire() => false,
            Err(p) => return Err(p),
        };
        if !same {
            undone(tx, &id)?;
        }
    }
    let sql = "SELECT file FROM resolved
               WHERE src = ?1 AND sub = ?2 AND whose <> 'nobody' ORDER BY file";
    for row in db.query(sql, &[src.into(), sub.into()])? {
        put(tx, &kept(&tx.view, &text(&row, 0)?)?, job)?;
    }
    Ok(())
}

/// Writes the records that come of a file, for the person whose it was said to be.
fn put(tx: &Tx<'_>, file: &Kept, job: &mut Job) -> Result<(), Problem> {
    let said = said(&tx.view, &file.file)?.ok_or(Code::NotFound)?;
    let opened = file.opened(&tx.view)?;
    let (path, bytes) = parted(&opened).ok_or(StoreError::Form("quarantine"))?;
    let (made, _) = made(job, path, bytes, said.whose)?;
    let via = mark(&file.file);
    let (db, sealer) = (tx.view.db, tx.sealer(&said.to)?);
    db.run("DELETE FROM records WHERE via = ?1", &[via.as_str().into()])?;
    for piece in made.pieces.iter().filter(|p| p.resource_type != "Bundle") {
        let json = made.json.get(piece.range.clone()).unwrap_or_default();
        let (kind, id) = (piece.resource_type.as_str(), piece.id.as_str());
        let src = file.src.as_str();
        // What the folder, or a Bundle, says of the same resource is better.
        db.run(
            "INSERT INTO records (sub, src, typ, id, recorded, body, via)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (sub, src, typ, id) DO NOTHING",
            &[
                said.to.as_str().into(),
                src.into(),
                kind.into(),
                id.into(),
                tx.view.now.into(),
                sealer.seal(&["record", src, kind, id], json)?.into(),
                via.as_str().into(),
            ],
        )?;
    }
    Ok(())
}

/// What comes of a file for whom it was said to be, and that person's number.
fn made(
    job: &mut Job,
    path: &str,
    bytes: &[u8],
    whose: Whose,
) -> Result<(Pieces, String), Problem> {
    let folder = folder_of(path).ok_or(Code::Body)?;
    let (path, bytes, number) = match whose {
        Whose::Folder => (
            path.to_owned(),
            renumbered(bytes, folder),
            folder.to_owned(),
        ),
        Whose::Message => {
            let number = number_in(bytes).ok_or(Code::Body)?;
            // As the folders of this institution are written.
            let number = format!("{number:0>width$}", width = folder.len());
            (moved(path, folder, &number), bytes.to_vec(), number)
        }
        Whose::Nobody => return Ok((Pieces::default(), folder.to_owned())),
    };
    let made = pieces(job, &[(path, bytes)]);
    let persons = made.pieces.iter().filter(|p| p.resource_type == "Patient");
    if persons.count() > 1 || !of_others(&made).is_empty() {
        // It names several persons: it can be nobody's as a whole.
        return Err(Problem::from(Code::Body).because("several persons"));
    }
    Ok((made, number))
}

/// The number that a path's folder has.
fn folder_of(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let (number, _) = name.split_once('_')?;
    let own = path.split('/').any(|part| part == number);
    (own && !number.is_empty()).then_some(number)
}

/// The path in another person's folder.
fn moved(path: &str, from: &str, to: &str) -> String {
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if let Some(at) = parts.iter().position(|part| part == from) {
        for (back, part) in [(0, to), (1, level2_of(to)), (2, level1_of(to))] {
            if let Some(old) = at.checked_sub(back).and_then(|at| parts.get_mut(at)) {
                part.clone_into(old);
            }
        }
    }
    if let Some(name) = parts.last_mut()
        && let Some(rest) = name.strip_prefix(from)
    {
        *name = format!("{to}{rest}");
    }
    parts.join("/")
}

/// Where PID-3 has its number, in each segment, with the number.
fn numbers(bytes: &[u8]) -> Vec<(usize, usize, String)> {
    let mut all = Vec::new();
    for (start, end) in split_stream(bytes) {
        let (mut index, arena) = (Index::new(), Bump::new());
        let part = bytes.get(..end).unwrap_or(bytes);
        index.build_part(part, start, None);
        let message = Message::new(part, &index, &arena, 0);
        for segment in message.segments().filter(|s| s.name() == *b"PID") {
            let number = segment.field(3).comp(1);
            let (from, to) = number.span();
            let (from, to) = (usize::try_from(from), usize::try_from(to));
            if let (Ok(from), Ok(to)) = (from, to) {
                all.push((from, to, number.value().text.trim().to_owned()));
            }
        }
    }
    all
}

fn number_in(bytes: &[u8]) -> Option<String> {
    let first = numbers(bytes).into_iter().next()?;
    let sound = |n: &String| !n.is_empty() && n.bytes().all(|b| b.is_ascii_alphanumeric());
    Some(first.2).filter(sound)
}

/// With the number of the first PID replaced wherever PID-3 has it.
fn renumbered(bytes: &[u8], number: &str) -> Vec<u8> {
    let all = numbers(bytes);
    let mut out = bytes.to_vec();
    let Some((_, _, wrong)) = all.first() else {
        return out;
    };
    for (from, to, found) in all.iter().rev() {
        if found == wrong && from <= to && *to <= out.len() {
            out.splice(*from..*to, number.bytes());
        }
    }
    out
}

impl Office {
    /// Files that are kept apart, the oldest first.
    ///
    /// # Errors
    /// The store.
    pub fn apart(&self) -> Result<Vec<Apart>, Problem> {
        self.read(|view| {
            let sql = "SELECT q.file, q.src, q.at, r.whose, r.why FROM quarantine q
                       LEFT JOIN resolved r ON r.file = q.file ORDER BY q.at, q.file";
            let row = |r: &Row| {
                let said = match (r.text(3), r.text(4)) {
                    (Some(whose), Some(why)) => Some((Whose::of(whose)?, Why::of(why)?)),
                    _ => None,
                };
                Some(Apart {
                    id: r.text(0)?.to_owned(),
                    institution: r.text(1)?.to_owned(),
                    at: r.int(2)?,
                    said,
                })
            };
            let all: Option<Vec<Apart>> = view.db.query(sql, &[])?.iter().map(row).collect();
            Ok(all.ok_or(StoreError::Form("quarantine"))?)
        })
    }

    /// Path and bytes of a file that is kept apart; that somebody looked is a line.
    ///
    /// # Errors
    /// The store; `NOT_FOUND`; `BODY` for a role that is none.
    pub fn look(&self, id: &str, by: Staff<'_>) -> Result<(String, Vec<u8>), Problem> {
        self.write(|tx| {
            let file = kept(&tx.view, id)?;
            let opened = file.opened(&tx.view)?;
            let (path, bytes) = parted(&opened).ok_or(StoreError::Form("quarantine"))?;
            told(tx, &file.sub, by, "quarantine look")?;
            Ok((path.to_owned(), bytes.to_vec()))
        })
    }

    /// Says whose a file is. What comes of it is that person's at once, where nothing else tells of the same.
    ///
    /// # Errors
    /// The store; `NOT_FOUND`; `ANSWERED` where something was said before; `BODY` for a role that is none, and
    /// for a file that names several persons, or none, and is said to be one's.
    pub fn resolve(&self, id: &str, whose: Whose, why: Why, by: Staff<'_>) -> Result<(), Problem> {
        self.write(|tx| {
            let file = kept(&tx.view, id)?;
            if said(&tx.view, id)?.is_some() {
                return Err(Code::Answered.into());
            }
            let opened = file.opened(&tx.view)?;
            let (path, bytes) = parted(&opened).ok_or(StoreError::Form("quarantine"))?;
            let mut job = job_of(&file.src)?;
            let to = match whose {
                Whose::Message => {
                    let (_, number) = made(&mut job, path, bytes, whose)?;
                    tx.view.office.pseudonym_at(&file.src, &number)?
                }
                Whose::Folder | Whose::Nobody => {
                    made(&mut job, path, bytes, whose)?;
                    file.sub.clone()
                }
            };
            tx.view.db.run(
                "INSERT INTO resolved (file, src, folder, sub, digest, whose, why, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                &[
                    id.into(),
                    file.src.as_str().into(),
                    file.sub.as_str().into(),
                    to.as_str().into(),
                    digest_of(tx.view.office, &opened)?.into(),
                    whose.word().into(),
                    why.word().into(),
                    tx.view.now.into(),
                ],
            )?;
            if whose != Whose::Nobody {
                put(tx, &file, &mut job)?;
            }
            let what = format!("quarantine {} {}", whose.word(), why.word());
            told(tx, &file.sub, by, &what)?;
            if to != file.sub {
                told(tx, &to, by, &what)?;
            }
            Ok(())
        })
    }

    /// Takes back what was said of a file: nobody sees it again.
    ///
    /// # Errors
    /// The store; `NOT_FOUND` where nothing was said; `BODY` for a role that is none.
    pub fn take_back(&self, id: &str, why: Why, by: Staff<'_>) -> Result<(), Problem> {
        self.write(|tx| {
            let file = kept(&tx.view, id)?;
            let before = said(&tx.view, id)?.ok_or(Code::NotFound)?;
            undone(tx, id)?;
            let what = format!("quarantine back {}", why.word());
            told(tx, &file.sub, by, &what)?;
            if before.to != file.sub {
                told(tx, &before.to, by, &what)?;
            }
            Ok(())
        })
    }
}

/// The line that tells of a step.
pub(crate) fn told(tx: &mut Tx<'_>, sub: &str, by: Staff<'_>, what: &str) -> Result<(), Problem> {
    let role = by.role.trim();
    let sound =
        !role.is_empty() && role.chars().count() <= 64 && !role.chars().any(char::is_control);
    if !sound || by.person.trim().is_empty() {
        return Err(Code::Body.into());
    }
    let person = tx.view.office.guarded(&["staff", by.person.trim()])?;
    let members = [
        ("role", role.into()),
        ("per", person.as_str().into()),
        ("what", what.into()),
    ];
    tx.line(Kind::StaffRead, Some(sub), &members).map(|_| ())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    const PATH: &str = "000/099/0000990001/20260412/OML-11/0000990001_20260412_OML-11_1_2_08_1";

    #[test]
    fn a_path_moves_to_the_folder_of_its_number() {
        assert_eq!(folder_of(PATH), Some("0000990001"));
        assert_eq!(folder_of("0000990001_x"), None);
        assert_eq!(
            moved(PATH, "0000990001", "1234567890"),
            "123/456/1234567890/20260412/OML-11/1234567890_20260412_OML-11_1_2_08_1"
        );
    }

    #[test]
    fn the_number_changes_where_it_stands_and_nowhere_else() {
        let text = "MSH|^~\\&|A\rPID|1|12|12^^^^PI~12|12\rPV1|12\rPID|2||34^^^^PI\rPID|3||12\r";
        let want = "MSH|^~\\&|A\rPID|1|12|0056^^^^PI~12|12\rPV1|12\rPID|2||34^^^^PI\rPID|3||0056\r";
        assert_eq!(number_in(text.as_bytes()).as_deref(), Some("12"));
        assert_eq!(renumbered(text.as_bytes(), "0056"), want.as_bytes());
        assert_eq!(number_in(b"MSH|^~\\&|A\rPV1|1\r"), None);
        assert_eq!(number_in(b"MSH|^~\\&|A\rPID|1||../x\r"), None);
        assert_eq!(renumbered(b"nothing", "1"), b"nothing");
    }
}
