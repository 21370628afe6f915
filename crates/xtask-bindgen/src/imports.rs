//! Short names of what a module imports: wasm-bindgen puts a hash into each, which does not compress,
//! into the module and into its glue. The numbers go by the names, so that two modules that import the
//! same have the same glue.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use wasm_encoder::{
    ImportSection, Module,
    reencode::{Error, Reencode},
};
use wasmparser::{CustomSectionReader, ImportSectionReader, Parser, Payload};

/// The module and its glue with other names for imports that have a hash.
pub(crate) fn shorten(module: &[u8], glue: &str) -> Result<(Vec<u8>, String)> {
    let mut names = BTreeSet::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(imports) = payload? {
            for import in imports.into_imports() {
                let name = import?.name;
                if has_hash(name) {
                    names.insert(name.to_owned());
                }
            }
        }
    }
    let numbered = names.into_iter().enumerate();
    let names: BTreeMap<String, String> = numbered
        .map(|(number, name)| (name, format!("w{number}")))
        .collect();
    let glue = names.iter().fold(glue.to_owned(), |glue, (name, short)| {
        glue.replace(name.as_str(), short)
    });
    let mut made = Module::new();
    Names(names)
        .parse_core_module(&mut made, Parser::new(0), module)
        .map_err(|error| anyhow!("the module cannot be written anew: {error}"))?;
    Ok((made.finish(), glue))
}

/// Whether a name ends with `_` and sixteen hexadecimal digits.
fn has_hash(name: &str) -> bool {
    name.rsplit_once('_')
        .is_some_and(|(_, hash)| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

struct Names(BTreeMap<String, String>);

impl Reencode for Names {
    type Error = std::convert::Infallible;

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        for import in section.into_imports() {
            let import = import?;
            let ty = self.entity_type(import.ty)?;
            let name = self.0.get(import.name).map_or(import.name, String::as_str);
            imports.import(import.module, name, ty);
        }
        Ok(())
    }

    /// What is in no section of wasm's own is copied as it is.
    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        module.section(&wasm_encoder::CustomSection {
            name: section.name().into(),
            data: section.data().into(),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_hash_become_short_in_module_and_glue() {
        // Imports `m.c_0123456789abcdef`, `m.a_0123456789abcdef` and `m.b`, all functions of type 0.
        let mut module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x35\x03".to_vec();
        module.extend(b"\x01m\x12c_0123456789abcdef\0\0");
        module.extend(b"\x01m\x12a_0123456789abcdef\0\0");
        module.extend(b"\x01m\x01b\0\0");
        let glue = "{ c_0123456789abcdef: h, a_0123456789abcdef: f, b: g }";
        let (made, glue) = shorten(&module, glue).unwrap();
        assert_eq!(glue, "{ w1: h, w0: f, b: g }");
        let imports = b"\x02\x15\x03\x01m\x02w1\0\0\x01m\x02w0\0\0\x01m\x01b\0\0";
        assert!(made.ends_with(imports));
    }
}
