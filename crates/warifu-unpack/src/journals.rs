//! Journals of the transaction storage and exported index tables, held in memory.

use js_sys::{Array, Object};
use warifu_storage::memory::Journals;
use wasm_bindgen::prelude::*;

use crate::set;

/// A place in what is held in memory: below 4 GiB in wasm.
fn number(n: u64) -> JsValue {
    JsValue::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// Journals of one storage: `add` each, then `patients` gives what their replay leaves.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct JournalReplay {
    journals: Journals,
}

#[wasm_bindgen]
impl JournalReplay {
    /// None yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> JournalReplay {
        JournalReplay::default()
    }
    /// Takes a journal; gives `[kind, place]` of what is wrong with its records, the place as
    /// `[start, end, line, column]` or nothing.
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> Array {
        let notes = self.journals.add(path, bytes).into_iter();
        notes
            .map(|note| {
                let place = note.place.map_or(JsValue::UNDEFINED, |at| {
                    let [line, column] = [at.line, at.column].map(JsValue::from);
                    Array::of4(&number(at.start), &number(at.end), &line, &column).into()
                });
                Array::of2(&note.kind.slug().into(), &place)
            })
            .collect()
    }
    /// The institution that all records name.
    pub fn institution(&self) -> Option<String> {
        self.journals.institution().map(|n| n.as_str().to_owned())
    }
    /// `{id, institution?, files: {path, journal, start, end, header, line}[]}[]`: places in the journals, in
    /// the order of `add`, with the offset and the line of the record's header; the institution when the
    /// records name several.
    pub fn patients(&mut self) -> Array {
        let index = |n: usize| number(u64::try_from(n).unwrap_or(u64::MAX));
        let patients = Array::new();
        for p in self.journals.patients() {
            let files = Array::new();
            for f in p.files {
                let o = Object::new();
                set(&o, "path", &f.path.into());
                set(&o, "journal", &index(f.journal));
                set(&o, "start", &index(f.start));
                set(&o, "end", &index(f.end));
                if let Some(place) = f.place {
                    set(&o, "header", &number(place.header));
                    set(&o, "line", &place.line.into());
                }
                files.push(&o.into());
            }
            let o = Object::new();
            set(&o, "id", &p.key.patient.into());
            set(&o, "files", &files.into());
            if let Some(number) = p.key.institution {
                set(&o, "institution", &number.as_str().into());
            }
            patients.push(&o.into());
        }
        patients
    }
}

/// Institutions that an exported index table (`SSMIXIDX`) names; none when it is no such table.
#[wasm_bindgen(js_name = indexInstitutions)]
pub fn index_institutions(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let Ok(table) = warifu_ssmix2::index::IndexTable::new(&text) else {
        return Vec::new();
    };
    let numbers = table.filter_map(|row| row.institution());
    let mut found: Vec<String> = numbers.map(|n| n.as_str().to_owned()).collect();
    found.sort();
    found.dedup();
    found
}
