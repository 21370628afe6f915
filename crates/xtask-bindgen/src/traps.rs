//! Panics as traps: nothing on wasm32-unknown-unknown ever shows what a panic says, since no hook is
//! set and standard error leads nowhere. A call that can only end in the trap is made one, and what
//! prepared its text goes with it when the module is optimised.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use wasm_encoder::{
    Instruction, Module,
    reencode::{Reencode, utils},
};
use wasmparser::{CustomSectionReader, Operator, OperatorsReader, Parser};

use crate::names;

/// Functions that never return, by the start of their path: they only say why, then trap.
const NEVER_RETURN: [&str; 14] = [
    "core::panicking::",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::result::unwrap_failed",
    "core::cell::panic_already_",
    "core::slice::index::slice_index_fail",
    "core::slice::copy_from_slice_impl::len_mismatch_fail",
    "core::slice::sort::shared::smallsort::panic_on_ord_violation",
    "core::str::slice_error_fail",
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::handle_error",
    "<alloc::vec::Vec<_, _>>::insert_mut::assert_failed",
    "<alloc::vec::Vec<_, _>>::remove::assert_failed",
    "<alloc::vec::Vec<_, _>>::split_off::assert_failed",
];

/// The module with a trap in place of each such call.
pub(crate) fn traps(module: &[u8]) -> Result<Vec<u8>> {
    let ends = names::functions(module)?
        .into_iter()
        .filter(|(_, name)| {
            let path = names::path(name);
            NEVER_RETURN.iter().any(|start| path.starts_with(start))
        })
        .map(|(function, _)| function)
        .collect();
    let mut trapped = Module::new();
    Traps { ends }
        .parse_core_module(&mut trapped, Parser::new(0), module)
        .context("the module cannot be written anew")?;
    Ok(trapped.finish())
}

struct Traps {
    ends: BTreeSet<u32>,
}

impl Reencode for Traps {
    type Error = std::convert::Infallible;

    /// What the linker noted of its own module is no longer true of this one.
    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), wasm_encoder::reencode::Error<Self::Error>> {
        if section.name() == "linking" || section.name().starts_with("reloc.") {
            return Ok(());
        }
        utils::parse_custom_section(self, module, section)
    }

    fn parse_instruction<'a>(
        &mut self,
        reader: &mut OperatorsReader<'a>,
    ) -> Result<Instruction<'a>, wasm_encoder::reencode::Error<Self::Error>> {
        let mut ahead = reader.clone();
        if let Operator::Call { function_index } = ahead.read()?
            && self.ends.contains(&function_index)
        {
            *reader = ahead;
            return Ok(Instruction::Unreachable);
        }
        utils::parse_instruction(self, reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_only_panics_is_a_trap_and_others_stay() {
        // Three functions of type () → (): a panic, another, and one that calls both.
        let module = b"\0asm\x01\0\0\0\
            \x01\x04\x01\x60\0\0\
            \x03\x04\x03\0\0\0\
            \x0A\x0E\x03\x02\0\x0B\x02\0\x0B\x06\0\x10\0\x10\x01\x0B";
        let mut module = module.to_vec();
        let name = b"_ZN4core6option13unwrap_failedE";
        let mut map = vec![2, 0, u8::try_from(name.len()).unwrap()];
        map.extend(name);
        map.extend(b"\x01\x04a::b");
        let mut custom = b"\x04name\x01".to_vec();
        custom.push(u8::try_from(map.len()).unwrap());
        custom.extend(map);
        module.extend([0, u8::try_from(custom.len()).unwrap()]);
        module.extend(custom);
        let trapped = traps(&module).unwrap();
        let mut codes = Vec::new();
        for payload in Parser::new(0).parse_all(&trapped) {
            if let wasmparser::Payload::CodeSectionEntry(body) = payload.unwrap() {
                codes.push(body.as_bytes().to_vec());
            }
        }
        assert_eq!(codes[2], b"\0\0\x10\x01\x0B");
        assert_eq!(codes[1], b"\0\x0B");
    }
}
