//! Files that are no part of a storage: what is said when nothing else was there.

use std::path::Path;

use warifu_report::Lang;
use warifu_storage::{StorageNote, StorageNoteKind as Kind};

use crate::inputs::is_own_record;
use crate::progress::grouped;
use crate::say;

/// How many files are named.
const NAMED: usize = 3;

/// Files that were looked at or passed over.
#[derive(Debug, Default)]
pub(crate) struct Strays {
    looked_at: u64,
    /// Hidden, temporary and excluded ones.
    passed_over: u64,
    /// The first of those looked at.
    named: Vec<String>,
    /// Findings at a place in a file: something was read there.
    placed: u64,
}

impl Strays {
    /// Takes a finding of the walk; `shown` is its path as it is shown.
    pub(crate) fn note(&mut self, note: &StorageNote, shown: impl FnOnce() -> String) {
        self.placed += u64::from(note.place.is_some());
        match note.kind {
            Kind::Skipped => self.passed_over += note.count,
            Kind::Unrecognised
            | Kind::OutsideStorage
            | Kind::OutsideMessage
            | Kind::NestedArchive => {
                self.looked_at += note.count;
                if !note.path.is_empty() && self.named.len() < NAMED {
                    self.named.push(shown());
                }
            }
            _ => {}
        }
    }
    /// Takes a file that is read by nobody.
    pub(crate) fn file(&mut self, shown: String) {
        self.looked_at += 1;
        if self.named.len() < NAMED {
            self.named.push(shown);
        }
    }
    /// Adds those of another part of the walk.
    pub(crate) fn add(&mut self, other: Self) {
        self.looked_at += other.looked_at;
        self.passed_over += other.passed_over;
        self.placed += other.placed;
        let room = NAMED.saturating_sub(self.named.len());
        self.named.extend(other.named.into_iter().take(room));
    }
    /// Whether something was read of which no file came: records that cannot be used.
    pub(crate) fn is_read(&self) -> bool {
        self.placed > 0
    }
    /// Wording for inputs in which nothing was found.
    pub(crate) fn nothing(&self, given: &[String], lang: Lang) -> String {
        let (shown, n) = (given.join(" "), grouped(self.looked_at));
        let is_ours = |folder: &String| is_own_record(Path::new(folder), "manifest.json");
        if self.looked_at == 0 && !given.is_empty() && given.iter().all(is_ours) {
            return say(
                lang,
                &format!(
                    "{shown} は warifu convert の出力ですが、リソースは一つも作られていません。調べるものがありません。理由は {shown} の diagnostics.ndjson にあります。"
                ),
                &format!(
                    "{shown} is what warifu convert wrote, and no resource was made: there is nothing to check. diagnostics.ndjson in {shown} says why."
                ),
            );
        }
        let mut text = say(
            lang,
            &format!(
                "{shown} に SS-MIX2 も FHIR も見つかりません (調べたファイル {n})。標準化ストレージなら 000/000/ の一つ上のフォルダーを指定してください。"
            ),
            &format!(
                "no SS-MIX2 or FHIR in {shown} ({n} files looked at). For a standard storage give the folder above 000/000/."
            ),
        );
        for path in &self.named {
            text.push_str(&say(
                lang,
                &format!("\n  {path}: SS-MIX2 でも FHIR でもありません"),
                &format!("\n  {path}: neither SS-MIX2 nor FHIR"),
            ));
        }
        if self.passed_over > 0 {
            let n = grouped(self.passed_over);
            text.push_str(&say(
                lang,
                &format!(
                    "\n  読み飛ばしたもの {n} (隠しファイル、一時ファイル、Thumbs.db、除外の指定)"
                ),
                &format!("\n  passed over: {n} (hidden, temporary, Thumbs.db, excluded)"),
            ));
        }
        text
    }
}
