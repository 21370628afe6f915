//! Journals into the spool.

use std::io::{self, Read};

use warifu_ssmix2::InstitutionNumber;
use warifu_ssmix2::journal::Splitter;

use crate::replay::{Told, places_of};
use crate::sink::Sink;
use crate::spool::Spool;

/// Reads a journal piece by piece into the spool; returns the institutions named.
///
/// `order` sorts the journal among others; `max_record` limits one record.
pub(crate) fn ingest(
    reader: &mut dyn Read,
    order: &str,
    path: &str,
    max_record: u64,
    spool: &mut Spool,
    sink: &mut Sink,
    institutions: &mut Vec<InstitutionNumber>,
) -> io::Result<()> {
    let mut intake = Intake::new(order, path, max_record);
    let mut piece = vec![0; 64 << 10];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => {
                let bytes = piece.get(..read).unwrap_or_default();
                intake.push(bytes, spool, sink, institutions)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    intake.finish(spool, sink, institutions)
}

/// One journal on its way into the spool.
pub(crate) struct Intake {
    splitter: Splitter,
    told: Told,
    order: String,
    path: String,
}

impl Intake {
    pub(crate) fn new(order: &str, path: &str, max_record: u64) -> Self {
        Self {
            splitter: Splitter::with_limit(usize::try_from(max_record).unwrap_or(usize::MAX)),
            told: Told::default(),
            order: order.to_owned(),
            path: path.to_owned(),
        }
    }

    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        spool: &mut Spool,
        sink: &mut Sink,
        institutions: &mut Vec<InstitutionNumber>,
    ) -> io::Result<()> {
        self.splitter.push(bytes);
        self.take(spool, sink, institutions)
    }

    pub(crate) fn finish(
        &mut self,
        spool: &mut Spool,
        sink: &mut Sink,
        institutions: &mut Vec<InstitutionNumber>,
    ) -> io::Result<()> {
        self.splitter.finish();
        self.take(spool, sink, institutions)
    }

    fn take(
        &mut self,
        spool: &mut Spool,
        sink: &mut Sink,
        institutions: &mut Vec<InstitutionNumber>,
    ) -> io::Result<()> {
        let (order, path) = (&self.order, &self.path);
        while let Some(record) = self.splitter.next_record() {
            let mut note = |note| sink.note_at(note);
            for (placed, record) in places_of(record, order, path, &mut self.told, &mut note) {
                if let Some(number) = placed.institution
                    && institutions.last() != Some(&number)
                {
                    institutions.push(number);
                    institutions.sort_unstable();
                    institutions.dedup();
                }
                if record.dropped > 0 {
                    spool.add_unread(placed.key)?;
                } else {
                    spool.add(placed.key, record.message)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;
    use crate::note::StorageNoteKind;
    use crate::replay::replay;

    /// Replays records `(operation, department, millisecond)` of one item and gives
    /// `department_flag` per file, in the order of the records.
    fn check(kind: &str, order: &str, records: &[(&str, &str, u32)], files: &[&str]) {
        let journal: Vec<String> = records
            .iter()
            .map(|(operation, department, millisecond)| {
                format!(
                    "#SSMIX,2.00,1310000003,77,20260401,{kind},{order},{operation},{department},20260401093015{millisecond:03}\r\nMSH|\r\n"
                )
            })
            .collect();
        let journal = journal.concat();
        let mut spool = Spool::new(1 << 20, None);
        let mut sink = Sink::default();
        let mut institutions = Vec::new();
        ingest(
            &mut journal.as_bytes(),
            "1",
            "x",
            1 << 20,
            &mut spool,
            &mut sink,
            &mut institutions,
        )
        .unwrap();
        assert_eq!(sink.notes, []);
        spool.finish();
        let entries: Vec<Entry> = spool.merge().collect();
        let found: Vec<String> = replay(&entries, &mut |_| b"<xml".to_vec())
            .into_iter()
            .map(|file| {
                let leaf = file.path.split('/').nth(4).unwrap().to_owned();
                leaf.rsplitn(3, '_').take(2).collect::<Vec<_>>().join("<")
            })
            .collect();
        assert_eq!(found, files);
    }

    /// What is found in a journal.
    fn taken(journal: &str) -> Sink {
        let mut sink = Sink::default();
        ingest(
            &mut journal.as_bytes(),
            "1",
            "x",
            1 << 20,
            &mut Spool::new(1 << 20, None),
            &mut sink,
            &mut Vec::new(),
        )
        .unwrap();
        sink
    }

    #[test]
    fn what_is_wrong_with_a_record_is_named() {
        let head = |operation: &str| {
            format!(
                "#SSMIX,2.00,1310000003,77,20260401,OMP-01,1,{operation},01,20260401093015123\r\n"
            )
        };
        let journal = [
            head("UPD"),
            "MSH|\r".to_owned(),
            head("DEL"),
            head("INS"),
            "MSH|\r".to_owned(),
            "#SSMIX,2.00\r\n".to_owned(),
        ]
        .concat();
        let sink = taken(&journal);
        let kinds: Vec<_> = sink.notes.iter().map(|note| note.kind).collect();
        assert_eq!(
            kinds,
            [
                StorageNoteKind::JournalOperation,
                StorageNoteKind::JournalDelete,
                StorageNoteKind::JournalHeader,
            ]
        );
        #[cfg(feature = "memory-zip")]
        {
            let found = crate::memory::Journals::new().add("x", journal.as_bytes());
            assert_eq!(found, sink.notes);
        }
    }

    const ORDER: &str = "000000000000001";
    const NONE: &str = "999999999999999";

    #[test]
    fn insert_replaces_and_delete_withdraws_with_its_message() {
        let records = [("INS", "01", 1), ("INS", "02", 2)];
        check("OMP-01", ORDER, &records, &["2<01", "1<02"]);
        let records = [("INS", "01", 1), ("INS", "02", 2), ("DEL", "01", 3)];
        check("OMP-01", ORDER, &records, &["0<01", "0<02", "0<01"]);
        let records = [
            ("INS", "01", 1),
            ("DEL", "01", 2),
            ("INS", "01", 3),
            ("INS", "01", 4),
        ];
        check("OMP-01", ORDER, &records, &["0<01", "0<01", "2<01", "1<01"]);
    }

    #[test]
    fn visits_without_order_number_replace_each_other_within_a_department_only() {
        let records = [("INS", "01", 1), ("INS", "02", 2), ("INS", "01", 3)];
        check("ADT-12", NONE, &records, &["2<01", "1<02", "1<01"]);
        check("ADT-22", NONE, &records, &["2<01", "2<02", "1<01"]);
        let records = [("INS", "01", 1), ("INS", "02", 2), ("DEL", "02", 3)];
        check("ADT-12", NONE, &records, &["1<01", "0<02", "0<02"]);
        // A department without a visit means all.
        let records = [("INS", "01", 1), ("INS", "02", 2), ("DEL", "-", 3)];
        check("ADT-12", NONE, &records, &["0<01", "0<02", "0<-"]);
    }

    #[test]
    fn a_step_back_in_time_is_told_at_the_time() {
        let head = |time: &str| {
            format!("#SSMIX,2.00,1310000003,77,-,ADT-00,999999999999999,INS,-,{time}\r\nMSH|\r")
        };
        let times = [
            "20260401093015124",
            "20260401093015123",
            "2026",
            "20260401093015123",
            "20260401093015125",
        ];
        let journal: String = times.into_iter().map(head).collect();
        let sink = taken(&journal);
        let [note] = &sink.notes[..] else {
            panic!("{:?}", sink.notes)
        };
        assert_eq!(note.kind, StorageNoteKind::JournalOrder);
        let place = note.place.unwrap();
        let [start, end] = [place.start, place.end].map(|n| usize::try_from(n).unwrap());
        assert_eq!(&journal[start..end], times[1]);
        assert_eq!(journal.find(times[1]), Some(start));
    }

    #[test]
    fn extended_delete_leaves_no_message() {
        let records = [("INS", "-", 1), ("DEL", "-", 2)];
        check("L^X^99", "20260401", &records, &["0<-"]);
    }

    #[test]
    fn same_record_twice_gives_one_file() {
        let records = [("INS", "01", 1), ("INS", "01", 2), ("INS", "01", 2)];
        check("OMP-01", ORDER, &records, &["2<01", "1<01"]);
    }
}
