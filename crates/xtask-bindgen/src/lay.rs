//! Constants laid out anew in a linked module, so that [`crate::pack`] can write the tables of texts
//! without addresses and lengths.
//!
//! The linker leaves constants as the compiler made them. Here each text that a table holds is put
//! behind the one the table holds before it and ends with a zero, texts of ASCII apart from others;
//! then come what only code holds, and at last the tables. Nothing is left out, every constant keeps
//! its alignment, and relocations and symbols of the result are true again.

#![expect(
    clippy::indexing_slicing,
    reason = "numbers of data and places in them were counted here"
)]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};
use wasm_encoder::{
    ConstExpr, CustomSection, DataSection, DataSymbolDefinition, Encode as _, LinkingSection,
    Module, RawSection, SymbolTable,
};
use wasmparser::{Parser, Payload, RelocationType, SymbolInfo};

use crate::{
    linked::{Datum, Linked, Object, constant},
    names,
};

/// Alignment that constants may need.
const MOST_ALIGNED: u32 = 16;

/// The module with its constants (the first segment of data) in their new places.
pub(crate) fn lay(module: &[u8]) -> Result<Vec<u8>> {
    let object = Object::read(module)?;
    let function_names = names::functions(module)?.into_iter().collect();
    let linked = Linked::of(&object, &function_names)?;
    let moved = Moved::of(&object, &linked, room(module)?)?;
    Writer {
        module,
        object: &object,
        moved: &moved,
    }
    .write()
}

/// The lowest address that constants may have: the stack lies below it.
fn room(module: &[u8]) -> Result<u32> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::GlobalSection(globals) = payload? {
            for global in globals {
                let global = global?;
                if global.ty.mutable {
                    return constant(&global.init_expr);
                }
            }
        }
    }
    bail!("the module has no pointer to its stack");
}

/// Constants that overlap, or one alone: they move together.
#[derive(Debug, Clone, Copy)]
struct Block {
    old: Datum,
    /// How many constants are in it.
    count: usize,
}

impl Block {
    /// An address must keep its rest by this. A type's size is a multiple of its alignment.
    fn alignment(self) -> u32 {
        let size = if self.count == 1 { self.old.size } else { 0 };
        1 << (self.old.address | size | MOST_ALIGNED).trailing_zeros()
    }
}

/// Where the constants go.
struct Moved {
    blocks: Vec<Block>,
    /// New address of each block.
    new: Vec<u32>,
    base: u32,
    end: u32,
}

impl Moved {
    fn of(object: &Object<'_>, linked: &Linked, lowest: u32) -> Result<Self> {
        let constants = object.segments.first().context("the module has no data")?;
        let end = constants.base + u32::try_from(constants.bytes.len())?;
        let mut blocks: Vec<Block> = Vec::new();
        for datum in linked.data.iter().filter(|d| d.address < end) {
            match blocks.last_mut() {
                Some(last) if datum.address < last.old.end() => {
                    last.old.size = last.old.end().max(datum.end()) - last.old.address;
                    last.count += 1;
                }
                _ => blocks.push(Block {
                    old: *datum,
                    count: 1,
                }),
            }
        }
        ensure!(
            blocks.last().is_none_or(|last| last.old.end() <= end),
            "a constant reaches over the end of its segment"
        );

        let texts = texts(object, linked, &blocks)?;
        let holding: BTreeSet<usize> = linked
            .slots
            .iter()
            .filter_map(|slot| find(&blocks, *slot))
            .collect();
        let (ascii, other): (Vec<usize>, Vec<usize>) = texts.iter().partition(|at| {
            object
                .content(blocks[**at].old)
                .is_some_and(<[u8]>::is_ascii)
        });
        let taken: BTreeSet<usize> = texts.into_iter().collect();
        let free = |at: &usize| !taken.contains(at);
        let rest = (0..blocks.len()).filter(|at| free(at) && !holding.contains(at));
        let tables = (0..blocks.len()).filter(|at| free(at) && holding.contains(at));

        // Addresses from zero, then moved to the end of where they were.
        let mut new = vec![0; blocks.len()];
        let mut next = 0_u32;
        for at in ascii.into_iter().chain(other) {
            new[at] = next;
            next += blocks[at].old.size + 1;
        }
        for at in rest.chain(tables) {
            let alignment = blocks[at].alignment();
            next += blocks[at].old.address.wrapping_sub(next) % alignment;
            new[at] = next;
            next += blocks[at].old.size;
        }
        let base = end
            .checked_sub(next)
            .map(|base| base - base % MOST_ALIGNED)
            .filter(|base| *base >= lowest)
            .with_context(|| {
                format!("{next} bytes of constants do not fit above the stack: raise --global-base")
            })?;
        for address in &mut new {
            *address += base;
        }
        Ok(Moved {
            blocks,
            new,
            base,
            end: base + next,
        })
    }

    /// Where an old address is now; what is not of the constants stays.
    fn address(&self, old: u32) -> u32 {
        find(&self.blocks, old).map_or(old, |at| self.new[at] + (old - self.blocks[at].old.address))
    }
}

/// The block that an address lies in, or begins.
fn find(blocks: &[Block], address: u32) -> Option<usize> {
    let at = blocks
        .partition_point(|block| block.old.address <= address)
        .checked_sub(1)?;
    (address < blocks[at].old.end() || address == blocks[at].old.address).then_some(at)
}

/// Blocks that are texts which a table holds with their length, in the order in which tables hold them.
fn texts(object: &Object<'_>, linked: &Linked, blocks: &[Block]) -> Result<Vec<usize>> {
    let mut held: BTreeMap<u32, u32> = BTreeMap::new();
    for reloc in &object.relocations {
        for entry in reloc.entries() {
            let entry = entry?;
            if reloc.section_index() == object.data.0
                && entry.ty == RelocationType::MemoryAddrI32
                && entry.addend == 0
                && let Some(datum) = object.datum(entry.index)?
            {
                held.insert(object.address_of(&entry)?, datum.address);
            }
        }
    }
    let places: BTreeSet<u32> = linked
        .places
        .iter()
        .map(|number| linked.data[*number].address)
        .collect();
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for (slot, target) in &held {
        if places.contains(slot) || linked.slots.contains(&(slot + 4)) {
            continue;
        }
        let Some(at) = find(blocks, *target) else {
            continue;
        };
        let block = blocks[at];
        let length = object.content(Datum {
            address: slot + 4,
            size: 4,
        });
        let is_text = |bytes: &[u8]| !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok();
        if block.count == 1
            && block.old.address == *target
            && block.old.size > 0
            && length == Some(&block.old.size.to_le_bytes())
            && object.content(block.old).is_some_and(is_text)
            && seen.insert(at)
        {
            found.push(at);
        }
    }
    Ok(found)
}

struct Writer<'w, 'm> {
    module: &'m [u8],
    object: &'w Object<'m>,
    moved: &'w Moved,
}

impl Writer<'_, '_> {
    fn write(&self) -> Result<Vec<u8>> {
        let mut written = Module::new();
        for payload in Parser::new(0).parse_all(self.module) {
            let payload = payload?;
            match &payload {
                Payload::CodeSectionEntry(_) => {}
                Payload::CodeSectionStart { range, .. } => {
                    let mut code = self.module[range.clone()].to_vec();
                    self.patch_code(&mut code)?;
                    written.section(&RawSection {
                        id: 10,
                        data: &code,
                    });
                }
                Payload::DataSection(_) => {
                    written.section(&self.data()?);
                }
                Payload::CustomSection(custom) if custom.name() == "linking" => {
                    let mut linking = LinkingSection::new();
                    linking.symbol_table(&self.symbols());
                    written.section(&linking);
                }
                Payload::CustomSection(custom) if custom.name() == "reloc.DATA" => {
                    written.section(&CustomSection {
                        name: "reloc.DATA".into(),
                        data: Cow::Owned(self.relocations_of_data(&written)?),
                    });
                }
                _ => {
                    if let Some((id, range)) = payload.as_section() {
                        let data = &self.module[range];
                        written.section(&RawSection { id, data });
                    }
                }
            }
        }
        Ok(written.finish())
    }

    /// New addresses in place of the old ones; each is checked to be what its relocation says.
    fn patch_code(&self, code: &mut [u8]) -> Result<()> {
        for reloc in &self.object.relocations {
            if reloc.section_index() != self.object.code.0 {
                continue;
            }
            for entry in reloc.entries() {
                let entry = entry?;
                let signed = match entry.ty {
                    RelocationType::MemoryAddrLeb => false,
                    RelocationType::MemoryAddrSleb => true,
                    _ => continue,
                };
                let Some(datum) = self.object.datum(entry.index)? else {
                    continue;
                };
                let place = code
                    .get_mut(entry.relocation_range())
                    .and_then(|place| <&mut [u8; 5]>::try_from(place).ok())
                    .context("a relocation lies outside of the code")?;
                let of = |address: u32| -> Result<[u8; 5]> {
                    let value = u32::try_from(i64::from(address) + entry.addend)?;
                    Ok(padded(value, signed))
                };
                ensure!(
                    *place == of(datum.address)?,
                    "the code holds another address than its relocation says"
                );
                *place = of(self.moved.address(datum.address))?;
            }
        }
        Ok(())
    }

    fn data(&self) -> Result<DataSection> {
        let moved = self.moved;
        let mut segments: Vec<(u32, Vec<u8>)> = self
            .object
            .segments
            .iter()
            .map(|segment| (segment.base, segment.bytes.to_vec()))
            .collect();
        let mut constants = vec![0; usize::try_from(moved.end - moved.base)?];
        for (block, new) in moved.blocks.iter().zip(&moved.new) {
            let content = self
                .object
                .content(block.old)
                .context("a constant lies outside of its segment")?;
            let start = usize::try_from(new - moved.base)?;
            constants[start..start + content.len()].copy_from_slice(content);
        }
        if let Some(first) = segments.first_mut() {
            *first = (moved.base, constants);
        }
        for reloc in &self.object.relocations {
            if reloc.section_index() != self.object.data.0 {
                continue;
            }
            for entry in reloc.entries() {
                let entry = entry?;
                if entry.ty != RelocationType::MemoryAddrI32 {
                    continue;
                }
                let Some(datum) = self.object.datum(entry.index)? else {
                    continue;
                };
                let address = moved.address(self.object.address_of(&entry)?);
                let place = segments
                    .iter_mut()
                    .rfind(|(base, _)| *base <= address)
                    .and_then(|(base, bytes)| {
                        let start = usize::try_from(address - *base).ok()?;
                        bytes.get_mut(start..start + 4)
                    })
                    .context("a relocation lies outside of the data")?;
                let of = |address: u32| u32::try_from(i64::from(address) + entry.addend);
                ensure!(
                    *place == of(datum.address)?.to_le_bytes(),
                    "data hold another address than their relocation says"
                );
                place.copy_from_slice(&of(moved.address(datum.address))?.to_le_bytes());
            }
        }
        let mut data = DataSection::new();
        for (base, bytes) in segments {
            data.active(0, &ConstExpr::i32_const(base.cast_signed()), bytes);
        }
        Ok(data)
    }

    fn symbols(&self) -> SymbolTable {
        let mut table = SymbolTable::new();
        for symbol in &self.object.symbols {
            match *symbol {
                SymbolInfo::Func { flags, index, name } => {
                    table.function(flags.bits(), index, name);
                }
                SymbolInfo::Global { flags, index, name } => {
                    table.global(flags.bits(), index, name);
                }
                SymbolInfo::Table { flags, index, name } => {
                    table.table(flags.bits(), index, name);
                }
                SymbolInfo::Data {
                    flags,
                    name,
                    symbol,
                } => {
                    let definition = symbol.map(|at| DataSymbolDefinition {
                        index: at.index,
                        offset: if at.index == 0 {
                            let base = self.object.segments[0].base;
                            self.moved.address(base + at.offset) - self.moved.base
                        } else {
                            at.offset
                        },
                        size: at.size,
                    });
                    table.data(flags.bits(), name, definition);
                }
                // Neither code nor data hold any: only the numbers of those behind them count.
                SymbolInfo::Section { .. } | SymbolInfo::Event { .. } => {
                    table.data(SymbolTable::WASM_SYM_UNDEFINED, "", None);
                }
            }
        }
        table
    }

    /// The relocations with the places where the section of data that was written holds them.
    fn relocations_of_data(&self, written: &Module) -> Result<Vec<u8>> {
        let (mut start, mut segments) = (0, Vec::new());
        for payload in Parser::new(0).parse_all(written.as_slice()) {
            if let Payload::DataSection(data) = payload? {
                start = data.range().start;
                for segment in data {
                    let segment = segment?;
                    let base = crate::linked::base_of(&segment.kind)?;
                    segments.push((base, segment.range.end - segment.data.len()));
                }
            }
        }
        let mut content = Vec::new();
        for reloc in &self.object.relocations {
            if reloc.section_index() != self.object.data.0 {
                continue;
            }
            reloc.section_index().encode(&mut content);
            reloc.entries().count().encode(&mut content);
            for entry in reloc.entries() {
                let entry = entry?;
                let address = self.moved.address(self.object.address_of(&entry)?);
                let (base, at) = segments
                    .iter()
                    .rfind(|(base, _)| *base <= address)
                    .context("a relocation lies in no segment")?;
                let offset = at + usize::try_from(address - base)? - start;
                content.push(match entry.ty {
                    RelocationType::TableIndexI32 => 2,
                    RelocationType::MemoryAddrI32 => 5,
                    other => bail!("data hold a relocation of kind {other:?}"),
                });
                offset.encode(&mut content);
                entry.index.encode(&mut content);
                if entry.ty == RelocationType::MemoryAddrI32 {
                    entry.addend.encode(&mut content);
                }
            }
        }
        Ok(content)
    }
}

/// A number in five bytes, as the linker writes the ones it may change.
fn padded(value: u32, signed: bool) -> [u8; 5] {
    let mut bytes = [0; 5];
    let mut rest = value;
    for byte in &mut bytes[..4] {
        *byte = u8::try_from(rest & 0x7F).unwrap_or(0) | 0x80;
        rest >>= 7;
    }
    bytes[4] = u8::try_from(rest).unwrap_or(0);
    if signed && value > u32::MAX >> 1 {
        bytes[4] |= 0x70;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{
        CodeSection, ExportKind, ExportSection, FunctionSection, GlobalSection, GlobalType,
        MemorySection, MemoryType, NameMap, NameSection, RefType, TableSection, TableType,
        TypeSection, ValType,
    };

    const BASE: u32 = 1 << 20;

    /// `表`, `beta`, `al`, a number, and a table of two texts and a third for the second time; the code
    /// holds the address of `beta` + 1 and that of the table. The stack ends at `stack`.
    fn linked(stack: u32) -> Vec<u8> {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        module.section(&types);
        let mut functions = FunctionSection::new();
        functions.function(0);
        module.section(&functions);
        let mut tables = TableSection::new();
        tables.table(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: 1,
            maximum: Some(1),
            shared: false,
        });
        module.section(&tables);
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 17,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        module.section(&memories);
        let mut globals = GlobalSection::new();
        let ty = GlobalType {
            val_type: ValType::I32,
            mutable: true,
            shared: false,
        };
        globals.global(ty, &ConstExpr::i32_const(stack.cast_signed()));
        module.section(&globals);
        let mut exports = ExportSection::new();
        exports.export("f", ExportKind::Func, 0);
        module.section(&exports);
        let mut body = vec![0];
        for held in [BASE + 4, BASE + 16] {
            // i32.const, drop
            body.push(0x41);
            body.extend(padded(held, true));
            body.push(0x1A);
        }
        body.push(0x0B);
        let mut code = CodeSection::new();
        code.raw(&body);
        module.section(&code);

        let mut bytes = "表betaal\0\0\0\x07\0\0\0".as_bytes().to_vec();
        let rows = [(7_u32, 2_u32), (0, 3), (3, 4), (7, 2)];
        for (offset, length) in rows {
            bytes.extend((BASE + offset).to_le_bytes());
            bytes.extend(length.to_le_bytes());
        }
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(BASE.cast_signed()), bytes);
        module.section(&data);

        let mut symbols = SymbolTable::new();
        for (offset, size) in [(0, 3), (3, 4), (7, 2), (12, 4), (16, 32)] {
            let definition = DataSymbolDefinition {
                index: 0,
                offset,
                size,
            };
            symbols.data(0, "d", Some(definition));
        }
        let mut linking = LinkingSection::new();
        linking.symbol_table(&symbols);
        module.section(&linking);
        let mut custom = |name: &'static str, data: Vec<u8>| {
            module.section(&CustomSection {
                name: name.into(),
                data: data.into(),
            });
        };
        // Number of the section, count; kind, place, symbol, addend each.
        custom("reloc.CODE", vec![6, 2, 4, 4, 1, 1, 4, 11, 4, 0]);
        // One segment: count, flag, address in six bytes, length.
        let first = 1 + 1 + 6 + 1 + 16;
        let mut held = vec![7, 4];
        for (row, symbol) in (0..).zip([2, 0, 1, 2]) {
            held.extend([5, first + row * 8, symbol, 0]);
        }
        custom("reloc.DATA", held);
        let mut names = NameMap::new();
        names.append(0, "f");
        let mut section = NameSection::new();
        section.functions(&names);
        module.section(&section);
        module.finish()
    }

    #[test]
    fn texts_follow_their_table_and_everything_still_points_to_the_same() {
        let module = linked(16);
        let laid = lay(&module).unwrap();
        let before = Linked::read(&module).unwrap();
        let object = Object::read(&laid).unwrap();
        let after = Linked::read(&laid).unwrap();
        let base = object.segments[0].base;
        assert_eq!(base % 16, 0);
        let content = object.segments[0].bytes;
        assert!(
            content.starts_with("al\0beta\0表\0".as_bytes()),
            "{content:?}"
        );
        assert_eq!(after.data.len(), before.data.len());
        assert_eq!(after.slots.len(), 4);
        let texts: Vec<&[u8]> = after
            .slots
            .iter()
            .map(|slot| {
                let word = |address| {
                    let bytes = object.content(Datum { address, size: 4 }).unwrap();
                    u32::from_le_bytes(bytes.try_into().unwrap())
                };
                let (address, size) = (word(*slot), word(slot + 4));
                object.content(Datum { address, size }).unwrap()
            })
            .collect();
        assert_eq!(texts, [b"al", "表".as_bytes(), b"beta", b"al"]);
        // The number kept its alignment; the code holds the same place of the same text.
        let number = after
            .data
            .iter()
            .find(|d| d.size == 4 && object.content(**d) == Some(&7_u32.to_le_bytes()));
        assert_eq!(number.unwrap().address % 4, 0);
        let place = object.bodies[0].start + 2;
        let held = padded(base + 3 + 1, true);
        assert_eq!(laid[place..place + 5], held);
    }

    #[test]
    fn constants_stay_above_the_stack() {
        let error = lay(&linked(BASE + 1)).unwrap_err();
        assert!(error.to_string().contains("--global-base"), "{error}");
    }

    /// What a linker does not write today is refused, wherever it stands.
    #[test]
    fn what_is_not_as_expected_is_an_error() {
        let module = linked(16);
        let changed = |what: &[u8], with: &[u8]| {
            let mut places = module.windows(what.len()).enumerate();
            let (at, _) = places.find(|(_, window)| *window == what).unwrap();
            let mut changed = module.clone();
            changed[at..at + with.len()].copy_from_slice(with);
            lay(&changed).unwrap_err().to_string()
        };
        // The code or a table holds another address than its relocation says.
        let error = changed(&padded(BASE + 4, true), &padded(BASE + 5, true));
        assert!(error.contains("the code holds another address"), "{error}");
        let row = [BASE + 7, 2].map(u32::to_le_bytes).concat();
        let error = changed(&row, &(BASE + 8).to_le_bytes());
        assert!(error.contains("data hold another address"), "{error}");
        // Addresses relative to a base, as in libraries that are loaded at run time.
        let error = changed(b"reloc.CODE\x06\x02\x04", b"reloc.CODE\x06\x02\x0B");
        assert!(error.contains("MemoryAddrRelSleb"), "{error}");
        // A symbol that is longer than the data.
        let error = changed(b"\x01d\0\x10\x20", b"\x01d\0\x10\x21");
        assert!(error.contains("over the end"), "{error}");
    }

    /// The whole way: laid out, packed, and unpacked by the module itself where there is Node.js.
    #[test]
    fn a_packed_module_fills_memory_as_the_linker_meant() {
        let laid = lay(&linked(16)).unwrap();
        let again = lay(&linked(16)).unwrap();
        assert_eq!(laid, again);
        let made = crate::split::split(&laid, &laid, &[]).unwrap();
        assert_eq!(
            made.core,
            crate::split::split(&laid, &laid, &[]).unwrap().core
        );
        let folder = std::env::temp_dir().join(format!("warifu-memory-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (core, memory) = (folder.join("core.wasm"), folder.join("memory"));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/memory.cjs");
        let run = |expected: &[u8]| {
            std::fs::write(&core, &made.core).unwrap();
            std::fs::write(&memory, expected).unwrap();
            std::process::Command::new("node")
                .arg(script)
                .args([&memory, &core])
                .output()
        };
        let Ok(same) = run(&made.memory) else {
            println!("skipped: there is no Node.js");
            return;
        };
        let errors = String::from_utf8_lossy(&same.stderr);
        assert!(same.status.success(), "{errors}");
        // Behind an address and 16 bytes of texts and a number: the first row's address.
        let mut other = made.memory.clone();
        other[4 + 16] ^= 1;
        assert!(!run(&other).unwrap().status.success());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn numbers_in_five_bytes_are_as_the_linker_writes_them() {
        assert_eq!(padded(1024, true), [0x80, 0x88, 0x80, 0x80, 0]);
        assert_eq!(padded(u32::MAX, false), [0xFF, 0xFF, 0xFF, 0xFF, 0x0F]);
        assert_eq!(padded(u32::MAX, true), [0xFF, 0xFF, 0xFF, 0xFF, 0x7F]);
    }
}
