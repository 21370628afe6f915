//! Names of functions in a module.

use anyhow::Result;
use wasmparser::{KnownCustom, Name, Parser, Payload};

/// Functions with the names that the module gives them, as the compiler mangled them.
pub(crate) fn functions(module: &[u8]) -> Result<Vec<(u32, String)>> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) = payload? else {
            continue;
        };
        let KnownCustom::Name(subsections) = section.as_known() else {
            continue;
        };
        for subsection in subsections {
            if let Name::Function(map) = subsection? {
                for naming in map {
                    let naming = naming?;
                    found.push((naming.index, naming.name.to_owned()));
                }
            }
        }
    }
    Ok(found)
}

/// The path in Rust of a mangled name, without hashes: `warifu_map::clins::parts`.
pub(crate) fn path(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}
