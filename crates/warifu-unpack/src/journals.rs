//! Journals of the transaction storage and exported index tables, held in memory.

use js_sys::{Array, Object};
use warifu_storage::memory::Journals;
use wasm_bindgen::prelude::*;

use crate::set;

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
    /// Takes a journal; gives `[kind, place]` of each record that cannot be used.
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> Array {
        self.journals
            .add(path, bytes)
            .into_iter()
            .map(|(kind, place)| Array::of2(&kind.slug().into(), &place.into()))
            .collect()
    }
    /// The institution that all records name.
    pub fn institution(&self) -> Option<String> {
        self.journals.institution().map(|n| n.as_str().to_owned())
    }
    /// `{id, institution?, files: {path, journal, start, end}[]}[]`: places in the journals, in the order
    /// of `add`; the institution when the records name several.
    pub fn patients(&mut self) -> Array {
        let number = |n: usize| JsValue::from(u32::try_from(n).unwrap_or(u32::MAX));
        let patients = Array::new();
        for p in self.journals.patients() {
            let files = Array::new();
            for f in p.files {
                let o = Object::new();
                set(&o, "path", &f.path.into());
                set(&o, "journal", &number(f.journal));
                set(&o, "start", &number(f.start));
                set(&o, "end", &number(f.end));
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
