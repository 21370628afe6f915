//! What the linker noted of a module that it was told to keep relocations of (`--emit-relocs`).

#![expect(
    clippy::indexing_slicing,
    reason = "numbers of functions and data were counted here"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::{Context as _, Result, bail, ensure};
use wasmparser::{
    DataKind, ElementItems, ElementKind, KnownCustom, Linking, Operator, Parser, Payload,
    RelocSectionReader, RelocationEntry, RelocationType, SymbolFlags, SymbolInfo, TypeRef,
};

use crate::names;

/// A constant or variable: its address and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Datum {
    pub(crate) address: u32,
    pub(crate) size: u32,
}

impl Datum {
    pub(crate) fn end(self) -> u32 {
        self.address + self.size
    }
}

/// A segment of data: where its bytes stand in the module and in memory.
pub(crate) struct Segment<'m> {
    pub(crate) at: usize,
    pub(crate) base: u32,
    pub(crate) bytes: &'m [u8],
}

/// A linked module as the linker describes it: symbols, and places that hold addresses.
pub(crate) struct Object<'m> {
    pub(crate) imported: u32,
    pub(crate) bodies: Vec<Range<usize>>,
    /// Slots of functions whose address is taken.
    slots: BTreeMap<u32, u32>,
    pub(crate) segments: Vec<Segment<'m>>,
    pub(crate) symbols: Vec<SymbolInfo<'m>>,
    pub(crate) relocations: Vec<RelocSectionReader<'m>>,
    /// Sections of code and of data: their numbers, and where their content starts.
    pub(crate) code: (u32, usize),
    pub(crate) data: (u32, usize),
}

impl<'m> Object<'m> {
    pub(crate) fn read(module: &'m [u8]) -> Result<Self> {
        let mut object = Object {
            imported: 0,
            bodies: Vec::new(),
            slots: BTreeMap::new(),
            segments: Vec::new(),
            symbols: Vec::new(),
            relocations: Vec::new(),
            code: (0, 0),
            data: (0, 0),
        };
        // Relocations name a section by its number.
        let mut section = 0;
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            match &payload {
                Payload::ImportSection(imports) => {
                    object.imported = imported_functions(imports.clone())?;
                }
                Payload::ElementSection(elements) => {
                    for element in elements.clone() {
                        object.slots.extend(
                            active_slots(element?, 0)?
                                .into_iter()
                                .map(|(slot, function)| (function, slot)),
                        );
                    }
                }
                Payload::CodeSectionStart { range, .. } => object.code = (section, range.start),
                Payload::CodeSectionEntry(body) => object.bodies.push(body.range()),
                Payload::DataSection(data) => {
                    object.data = (section, data.range().start);
                    for segment in data.clone() {
                        let segment = segment?;
                        object.segments.push(Segment {
                            at: segment.range.end - segment.data.len(),
                            base: base_of(&segment.kind)?,
                            bytes: segment.data,
                        });
                    }
                }
                Payload::CustomSection(custom) => match custom.as_known() {
                    KnownCustom::Linking(linking) => {
                        for subsection in linking.subsections() {
                            if let Linking::SymbolTable(table) = subsection? {
                                object.symbols = table.into_iter().collect::<Result<_, _>>()?;
                            }
                        }
                    }
                    KnownCustom::Reloc(reloc) => object.relocations.push(reloc),
                    _ => {}
                },
                _ => {}
            }
            if payload.as_section().is_some() && !matches!(payload, Payload::CodeSectionEntry(_)) {
                section += 1;
            }
        }
        if object.symbols.is_empty() || object.relocations.is_empty() {
            bail!("the module has no relocations: link it with --emit-relocs");
        }
        Ok(object)
    }

    /// What a symbol names, if it is data that lies in a segment.
    pub(crate) fn datum(&self, symbol: u32) -> Result<Option<Datum>> {
        let Some(SymbolInfo::Data {
            symbol: Some(at),
            flags,
            ..
        }) = self.symbols.get(usize::try_from(symbol)?)
        else {
            return Ok(None);
        };
        if flags.contains(SymbolFlags::ABSOLUTE) {
            return Ok(None);
        }
        let segment = self
            .segments
            .get(usize::try_from(at.index)?)
            .context("a symbol lies in no segment")?;
        let end = u64::from(at.offset) + u64::from(at.size);
        ensure!(
            at.size == 0 || end <= u64::try_from(segment.bytes.len())?,
            "a symbol reaches over the end of its segment"
        );
        Ok(Some(Datum {
            address: segment.base + at.offset,
            size: at.size,
        }))
    }

    /// All data, each once: several symbols may name one.
    pub(crate) fn all_data(&self) -> Result<Vec<Datum>> {
        let mut all = BTreeSet::new();
        for number in 0..u32::try_from(self.symbols.len())? {
            all.extend(self.datum(number)?);
        }
        Ok(all.into_iter().collect())
    }

    /// The address in memory of a relocation of the section of data.
    pub(crate) fn address_of(&self, entry: &RelocationEntry) -> Result<u32> {
        let at = self.data.1 + usize::try_from(entry.offset)?;
        let segment = self
            .segments
            .iter()
            .rfind(|segment| segment.at <= at)
            .context("a relocation lies in no segment")?;
        Ok(segment.base + u32::try_from(at - segment.at)?)
    }

    /// The bytes of a datum.
    pub(crate) fn content(&self, datum: Datum) -> Option<&'m [u8]> {
        self.segments.iter().find_map(|segment| {
            let start = usize::try_from(datum.address.checked_sub(segment.base)?).ok()?;
            segment
                .bytes
                .get(start..start + usize::try_from(datum.size).ok()?)
        })
    }
}

/// What a place in code or data holds the address of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Datum(usize),
    /// A function, by its slot in the table: no tool can move it, since code holds its bare number.
    Slot(u32),
}

/// What a function holds.
#[derive(Debug, Default)]
pub(crate) struct Holding {
    pub(crate) targets: BTreeSet<Target>,
    /// Those of them that cannot be seen in the code itself: slots, and data held by an address outside
    /// of them.
    pub(crate) unseen: BTreeSet<Target>,
}

/// Data, and the addresses that functions and data hold.
pub(crate) struct Linked {
    pub(crate) data: Vec<Datum>,
    /// Highest end of the data up to each.
    ends: Vec<u32>,
    /// Memory as the linker fills it: addresses and bytes.
    pub(crate) memory: Vec<(u32, Vec<u8>)>,
    pub(crate) held_by_functions: BTreeMap<String, Holding>,
    pub(crate) held_by_data: Vec<BTreeSet<Target>>,
    /// Where in memory an address of data is held.
    pub(crate) slots: BTreeSet<u32>,
    /// Data that are places in the source, as panics name them: always held by their very address.
    pub(crate) places: BTreeSet<usize>,
}

impl Linked {
    pub(crate) fn read(module: &[u8]) -> Result<Self> {
        let object = Object::read(module)?;
        let function_names: BTreeMap<u32, String> = names::functions(module)?.into_iter().collect();
        Self::of(&object, &function_names)
    }

    pub(crate) fn of(object: &Object<'_>, function_names: &BTreeMap<u32, String>) -> Result<Self> {
        let name_of = |function: u32| {
            function_names
                .get(&function)
                .cloned()
                .with_context(|| format!("function {function} has no name"))
        };
        let data = object.all_data()?;
        let ends = data
            .iter()
            .scan(0, |highest: &mut u32, datum| {
                *highest = (*highest).max(datum.end());
                Some(*highest)
            })
            .collect();
        let mut linked = Linked {
            held_by_functions: BTreeMap::new(),
            held_by_data: vec![BTreeSet::new(); data.len()],
            slots: BTreeSet::new(),
            places: BTreeSet::new(),
            memory: object
                .segments
                .iter()
                .map(|segment| (segment.base, segment.bytes.to_vec()))
                .collect(),
            data,
            ends,
        };
        for reloc in &object.relocations {
            for entry in reloc.entries() {
                let entry = entry?;
                let Some((target, inside)) = linked.target(object, &entry)? else {
                    continue;
                };
                if reloc.section_index() == object.code.0 {
                    let at = object.code.1 + usize::try_from(entry.offset)?;
                    let body = object.bodies.partition_point(|range| range.end <= at);
                    let name = name_of(u32::try_from(body)? + object.imported)?;
                    let holding = linked.held_by_functions.entry(name).or_default();
                    holding.targets.insert(target);
                    if !inside {
                        holding.unseen.insert(target);
                    }
                } else if reloc.section_index() == object.data.0 {
                    let address = object.address_of(&entry)?;
                    if entry.ty == RelocationType::MemoryAddrI32 {
                        linked.slots.insert(address);
                    }
                    let holders: Vec<usize> = linked.covering(address).collect();
                    if holders.is_empty() {
                        bail!("the address at {address} lies in no symbol");
                    }
                    for number in holders {
                        linked.held_by_data[number].insert(target);
                    }
                } else {
                    bail!("relocations of section {}", reloc.section_index());
                }
            }
        }
        for (number, datum) in linked.data.iter().enumerate() {
            let held = &linked.held_by_data[number];
            if datum.size == 16
                && let [Some(Target::Datum(file)), None] = {
                    let mut held = held.iter();
                    [held.next(), held.next()]
                }
                && object.content(linked.data[*file]).is_some_and(|name| {
                    name.trim_ascii_end()
                        .strip_suffix(b"\0")
                        .unwrap_or(name)
                        .ends_with(b".rs")
                })
            {
                linked.places.insert(number);
            }
        }
        Ok(linked)
    }

    /// What a relocation names, and whether the address it makes lies within that.
    fn target(
        &self,
        object: &Object<'_>,
        entry: &RelocationEntry,
    ) -> Result<Option<(Target, bool)>> {
        use RelocationType as R;
        let symbol = object.symbols.get(usize::try_from(entry.index)?);
        match (entry.ty, symbol) {
            // Calls and types are read from the code; of globals there are no parts.
            (R::FunctionIndexLeb | R::TypeIndexLeb | R::GlobalIndexLeb | R::TableNumberLeb, _) => {
                Ok(None)
            }
            (
                R::MemoryAddrLeb | R::MemoryAddrSleb | R::MemoryAddrI32,
                Some(SymbolInfo::Data { .. }),
            ) => {
                // What the linker itself defines lies in no segment.
                let Some(datum) = object.datum(entry.index)? else {
                    return Ok(None);
                };
                let number = self.data.binary_search(&datum).ok();
                let number = number.context("a symbol is not among the data")?;
                let inside = (0..i64::from(datum.size)).contains(&entry.addend);
                Ok(Some((Target::Datum(number), inside)))
            }
            (R::TableIndexSleb | R::TableIndexI32, Some(SymbolInfo::Func { index, .. })) => {
                let slot = object.slots.get(index).copied();
                let slot =
                    slot.with_context(|| format!("function {index} is held but in no table"))?;
                Ok(Some((Target::Slot(slot), false)))
            }
            (kind, symbol) => bail!("a relocation of kind {kind:?} names {symbol:?}"),
        }
    }

    /// Data that an address lies in.
    pub(crate) fn covering(&self, address: u32) -> impl Iterator<Item = usize> + '_ {
        (0..self.data.partition_point(|d| d.address <= address))
            .rev()
            .take_while(move |number| self.ends[*number] > address)
            .filter(move |number| self.data[*number].end() > address)
    }
}

/// The functions of an element section's entry by slot, which must be of table `table`.
pub(crate) fn active_slots(
    element: wasmparser::Element<'_>,
    table: u32,
) -> Result<Vec<(u32, u32)>> {
    let (
        ElementKind::Active {
            table_index,
            offset_expr,
        },
        ElementItems::Functions(functions),
    ) = (element.kind, element.items)
    else {
        bail!("the module has elements of an unknown kind");
    };
    if table_index.unwrap_or(0) != table {
        bail!("the module has elements in another table");
    }
    let offset = constant(&offset_expr)?;
    (offset..)
        .zip(functions)
        .map(|(slot, function)| Ok((slot, function?)))
        .collect()
}

pub(crate) fn imported_functions(imports: wasmparser::ImportSectionReader<'_>) -> Result<u32> {
    let mut count = 0;
    for import in imports.into_imports() {
        count += u32::from(matches!(
            import?.ty,
            TypeRef::Func(_) | TypeRef::FuncExact(_)
        ));
    }
    Ok(count)
}

pub(crate) fn base_of(kind: &DataKind<'_>) -> Result<u32> {
    match kind {
        DataKind::Active { offset_expr, .. } => constant(offset_expr),
        DataKind::Passive => bail!("the module has data without an address"),
    }
}

pub(crate) fn constant(expression: &wasmparser::ConstExpr<'_>) -> Result<u32> {
    match expression.get_operators_reader().read()? {
        Operator::I32Const { value } => Ok(value.cast_unsigned()),
        other => bail!("an address is {other:?}, not a constant"),
    }
}
