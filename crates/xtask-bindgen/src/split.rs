//! A module in parts: what only some functions need is loaded when the first of them is called for.
//!
//! A part is everything that cannot be reached but through its roots, code and constants. It shares
//! memory and function table with the core, at the addresses the linker gave: whoever instantiates a
//! part with the exports of the core (as module `c`) has the module that was linked. Until then a call
//! of a root traps.
//!
//! What reaches what is read from the linker's relocations (`--emit-relocs`) for constants and for
//! functions whose address is taken, and from the code itself for calls.

#![expect(
    clippy::indexing_slicing,
    reason = "numbers of functions and data were counted here"
)]

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, anyhow, bail};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, FunctionSection, ImportSection, Instruction, Module, StartSection, TableSection,
    TypeSection,
    reencode::{Error, Reencode},
};
use wasmparser::{
    DataKind, ElementItems, ElementKind, ExternalKind, FunctionBody, GlobalType, KnownCustom,
    Linking, MemoryType, Operator, Parser, Payload, RelocationEntry, RelocationType, SymbolInfo,
    TableType, TypeRef,
};

use crate::names;

/// Zeros that are written out rather than begin a new segment.
const GAP: usize = 64;

/// A part that is wanted: its name, and the paths of its roots.
pub(crate) struct Wanted<'w> {
    pub(crate) name: &'w str,
    pub(crate) roots: Vec<&'w str>,
}

/// The core and the parts, in the order they were wanted.
pub(crate) struct Split {
    pub(crate) core: Vec<u8>,
    pub(crate) parts: Vec<Vec<u8>>,
}

/// Splits a bound and optimised module that still has its names; `linked` is what the linker wrote.
pub(crate) fn split(bound: &[u8], linked: &[u8], wanted: &[Wanted<'_>]) -> Result<Split> {
    let linked = Linked::read(linked)?;
    let bound = Bound::read(bound, &linked)?;
    let graph = Graph::of(&bound, &linked);
    let owners = Owners::of(&bound, &graph, wanted)?;
    Writer::new(&bound, &linked, &owners).write(wanted.len())
}

// ── what the linker knows ───────────────────────────────────────────────────────────────────────

/// What a place in code or data holds the address of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Datum(usize),
    Function(String),
}

/// A constant or variable: its address and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Datum {
    address: u32,
    size: u32,
}

/// Data symbols, and the addresses that functions and data hold.
struct Linked {
    data: Vec<Datum>,
    held_by_functions: BTreeMap<String, BTreeSet<Target>>,
    held_by_data: Vec<BTreeSet<Target>>,
    /// Data that are places in the source, as panics name them: always held by their very address.
    places: BTreeSet<usize>,
}

impl Linked {
    fn read(module: &[u8]) -> Result<Self> {
        let function_names: BTreeMap<u32, String> = names::functions(module)?.into_iter().collect();
        let name_of = |function: u32| {
            function_names
                .get(&function)
                .cloned()
                .with_context(|| format!("function {function} has no name"))
        };
        let (mut imported, mut bodies, mut segments) = (0, Vec::new(), Vec::new());
        let (mut symbols, mut relocations) = (Vec::new(), Vec::new());
        let (mut code_start, mut data_start) = (0, 0);
        // Relocations name a section by its number.
        let (mut section, mut code_section, mut data_section) = (0, 0, 0);
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            match &payload {
                Payload::ImportSection(imports) => imported = imported_functions(imports.clone())?,
                Payload::CodeSectionStart { range, .. } => {
                    (code_start, code_section) = (range.start, section);
                }
                Payload::CodeSectionEntry(body) => bodies.push(body.range()),
                Payload::DataSection(data) => {
                    (data_start, data_section) = (data.range().start, section);
                    for segment in data.clone() {
                        let segment = segment?;
                        let base = base_of(&segment.kind)?;
                        let length = segment.data.len();
                        segments.push((segment.range.end - length, base, segment.data));
                    }
                }
                Payload::CustomSection(custom) => match custom.as_known() {
                    KnownCustom::Linking(linking) => {
                        for subsection in linking.subsections() {
                            if let Linking::SymbolTable(table) = subsection? {
                                symbols = table.into_iter().collect::<Result<_, _>>()?;
                            }
                        }
                    }
                    KnownCustom::Reloc(reloc) => relocations.push(reloc),
                    _ => {}
                },
                _ => {}
            }
            if payload.as_section().is_some() && !matches!(payload, Payload::CodeSectionEntry(_)) {
                section += 1;
            }
        }
        if symbols.is_empty() || relocations.is_empty() {
            bail!("the module has no relocations: link it with --emit-relocs");
        }

        // Data by address, each once: several symbols may name one.
        let mut datum_of_symbol = BTreeMap::new();
        let mut all = BTreeSet::new();
        for (number, symbol) in symbols.iter().enumerate() {
            if let SymbolInfo::Data {
                symbol: Some(at), ..
            } = symbol
            {
                let (_, base, _) = segments
                    .get(usize::try_from(at.index)?)
                    .context("a symbol lies in no segment")?;
                let datum = Datum {
                    address: base + at.offset,
                    size: at.size,
                };
                all.insert(datum);
                datum_of_symbol.insert(number, datum);
            }
        }
        let data: Vec<Datum> = all.into_iter().collect();
        let number_of = |datum: &Datum| data.binary_search(datum).ok();
        let target = |entry: &RelocationEntry| -> Result<Option<Target>> {
            let number = usize::try_from(entry.index)?;
            Ok(match symbols.get(number) {
                Some(SymbolInfo::Data { .. }) => datum_of_symbol
                    .get(&number)
                    .and_then(number_of)
                    .map(Target::Datum),
                Some(SymbolInfo::Func { index, .. }) => Some(Target::Function(name_of(*index)?)),
                _ => None,
            })
        };

        let mut linked = Linked {
            held_by_functions: BTreeMap::new(),
            held_by_data: vec![BTreeSet::new(); data.len()],
            places: BTreeSet::new(),
            data: data.clone(),
        };
        for reloc in relocations {
            for entry in reloc.entries() {
                let entry = entry?;
                // Calls and types are read from the code; of globals there are no parts.
                if matches!(
                    entry.ty,
                    RelocationType::FunctionIndexLeb
                        | RelocationType::TypeIndexLeb
                        | RelocationType::GlobalIndexLeb
                        | RelocationType::TableNumberLeb
                ) {
                    continue;
                }
                let Some(target) = target(&entry)? else {
                    continue;
                };
                let offset = usize::try_from(entry.offset)?;
                if reloc.section_index() == code_section {
                    let at = code_start + offset;
                    let body = bodies.partition_point(|range| range.end <= at);
                    let name = name_of(u32::try_from(body)? + imported)?;
                    linked
                        .held_by_functions
                        .entry(name)
                        .or_default()
                        .insert(target);
                } else if reloc.section_index() == data_section {
                    let at = data_start + offset;
                    let (start, base, _) = segments
                        .iter()
                        .rfind(|(start, ..)| *start <= at)
                        .context("a relocation lies in no segment")?;
                    let address = base + u32::try_from(at - start)?;
                    let mut held = false;
                    for (number, _) in data
                        .iter()
                        .enumerate()
                        .take(data.partition_point(|d| d.address <= address))
                        .rev()
                        .take_while(|(_, d)| d.address + 0x10_0000 > address)
                        .filter(|(_, d)| d.address + d.size > address)
                        .take(4)
                    {
                        linked.held_by_data[number].insert(target.clone());
                        held = true;
                    }
                    if !held {
                        bail!("the address at {address} lies in no symbol");
                    }
                } else {
                    bail!("relocations of section {}", reloc.section_index());
                }
            }
        }
        let content = |datum: &Datum| {
            segments.iter().find_map(|(_, base, content)| {
                let start = usize::try_from(datum.address.checked_sub(*base)?).ok()?;
                content.get(start..start + usize::try_from(datum.size).ok()?)
            })
        };
        for (number, datum) in linked.data.iter().enumerate() {
            let held = &linked.held_by_data[number];
            if datum.size == 16
                && let [Some(Target::Datum(file)), None] = {
                    let mut held = held.iter();
                    [held.next(), held.next()]
                }
                && content(&linked.data[*file]).is_some_and(|name| {
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
}

fn imported_functions(imports: wasmparser::ImportSectionReader<'_>) -> Result<u32> {
    let mut count = 0;
    for import in imports.into_imports() {
        count += u32::from(matches!(
            import?.ty,
            TypeRef::Func(_) | TypeRef::FuncExact(_)
        ));
    }
    Ok(count)
}

fn base_of(kind: &DataKind<'_>) -> Result<u32> {
    match kind {
        DataKind::Active { offset_expr, .. } => constant(offset_expr),
        DataKind::Passive => bail!("the module has data without an address"),
    }
}

fn constant(expression: &wasmparser::ConstExpr<'_>) -> Result<u32> {
    match expression.get_operators_reader().read()? {
        Operator::I32Const { value } => Ok(value.cast_unsigned()),
        other => bail!("an address is {other:?}, not a constant"),
    }
}

// ── the bound module ────────────────────────────────────────────────────────────────────────────

struct Bound<'b> {
    module: &'b [u8],
    /// Names by function.
    names: BTreeMap<u32, String>,
    imported: u32,
    /// Type of each function, imported ones first.
    types: Vec<u32>,
    bodies: Vec<FunctionBody<'b>>,
    /// Functions that each own function calls or holds by number.
    calls: Vec<BTreeSet<u32>>,
    /// Addresses of places in the source that each own function holds.
    places: Vec<BTreeSet<usize>>,
    globals_of: Vec<BTreeSet<u32>>,
    /// All globals are the module's own.
    globals: Vec<GlobalType>,
    memory: MemoryType,
    /// The one table of functions: number and type.
    table: (u32, TableType),
    /// Functions in it by slot.
    slots: BTreeMap<u32, u32>,
    exported: BTreeSet<u32>,
    export_names: BTreeSet<String>,
    start: Option<u32>,
    /// Memory as the module fills it, from address [`Bound::base`].
    image: Vec<u8>,
    base: u32,
}

impl<'b> Bound<'b> {
    fn read(module: &'b [u8], linked: &Linked) -> Result<Self> {
        let place_at: BTreeMap<u32, usize> = linked
            .places
            .iter()
            .map(|number| (linked.data[*number].address, *number))
            .collect();
        let mut bound = Bound {
            module,
            names: names::functions(module)?.into_iter().collect(),
            imported: 0,
            types: Vec::new(),
            bodies: Vec::new(),
            calls: Vec::new(),
            places: Vec::new(),
            globals_of: Vec::new(),
            globals: Vec::new(),
            memory: MemoryType {
                memory64: false,
                shared: false,
                initial: 0,
                maximum: None,
                page_size_log2: None,
            },
            table: (
                0,
                TableType {
                    element_type: wasmparser::RefType::FUNCREF,
                    table64: false,
                    initial: 0,
                    maximum: None,
                    shared: false,
                },
            ),
            slots: BTreeMap::new(),
            exported: BTreeSet::new(),
            export_names: BTreeSet::new(),
            start: None,
            image: Vec::new(),
            base: 0,
        };
        let (mut tables, mut memories) = (0, 0);
        let mut segments = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let TypeRef::Func(ty) = import?.ty else {
                            bail!("the module imports what is no function");
                        };
                        bound.types.push(ty);
                        bound.imported += 1;
                    }
                }
                Payload::FunctionSection(functions) => {
                    for ty in functions {
                        bound.types.push(ty?);
                    }
                }
                Payload::TableSection(section) => {
                    for (number, table) in section.into_iter().enumerate() {
                        let ty = table?.ty;
                        if ty.element_type == wasmparser::RefType::FUNCREF {
                            bound.table = (u32::try_from(number)?, ty);
                            tables += 1;
                        }
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        bound.memory = memory?;
                        memories += 1;
                    }
                }
                Payload::GlobalSection(section) => {
                    for global in section {
                        bound.globals.push(global?.ty);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        bound.export_names.insert(export.name.to_owned());
                        if export.kind == ExternalKind::Func {
                            bound.exported.insert(export.index);
                        }
                    }
                }
                Payload::StartSection { func, .. } => bound.start = Some(func),
                Payload::ElementSection(section) => {
                    for element in section {
                        bound.read_element(element?)?;
                    }
                }
                Payload::CodeSectionEntry(body) => bound.read_body(body, &place_at)?,
                Payload::DataSection(section) => {
                    for segment in section {
                        let segment = segment?;
                        segments.push((base_of(&segment.kind)?, segment.data));
                    }
                }
                _ => {}
            }
        }
        if (tables, memories) != (1, 1) {
            bail!("the module has {tables} tables of functions and {memories} memories");
        }
        segments.sort_unstable();
        bound.base = segments.first().map_or(0, |(base, _)| *base);
        for (base, content) in segments {
            let start = usize::try_from(base - bound.base)?;
            if start < bound.image.len() {
                bail!("data overlap");
            }
            bound.image.resize(start, 0);
            bound.image.extend_from_slice(content);
        }
        Ok(bound)
    }

    fn read_element(&mut self, element: wasmparser::Element<'_>) -> Result<()> {
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
        if table_index.unwrap_or(0) != self.table.0 {
            bail!("the module has elements in another table");
        }
        let offset = constant(&offset_expr)?;
        for (slot, function) in (offset..).zip(functions) {
            self.slots.insert(slot, function?);
        }
        Ok(())
    }

    fn read_body(&mut self, body: FunctionBody<'b>, place_at: &BTreeMap<u32, usize>) -> Result<()> {
        let (mut calls, mut places, mut globals) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Call { function_index } | Operator::RefFunc { function_index } => {
                    calls.insert(function_index);
                }
                Operator::I32Const { value } => {
                    places.extend(place_at.get(&value.cast_unsigned()));
                }
                Operator::GlobalGet { global_index } | Operator::GlobalSet { global_index } => {
                    globals.insert(global_index);
                }
                Operator::MemoryInit { .. } | Operator::DataDrop { .. } => {
                    bail!("the code takes data by segment");
                }
                _ => {}
            }
        }
        self.bodies.push(body);
        self.calls.push(calls);
        self.places.push(places);
        self.globals_of.push(globals);
        Ok(())
    }

    fn count(&self) -> u32 {
        u32::try_from(self.types.len()).unwrap_or(u32::MAX)
    }

    /// Number of an own function among the bodies.
    fn body(&self, function: u32) -> Option<usize> {
        usize::try_from(function.checked_sub(self.imported)?).ok()
    }
}

// ── what reaches what ───────────────────────────────────────────────────────────────────────────

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Function(u32),
    Datum(usize),
}

struct Graph {
    edges: BTreeMap<Node, BTreeSet<Node>>,
    /// Functions whose address is taken where no relocation tells.
    loose: BTreeSet<u32>,
}

impl Graph {
    fn of(bound: &Bound<'_>, linked: &Linked) -> Self {
        let mut by_name: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (function, name) in &bound.names {
            by_name.entry(name).or_default().push(*function);
        }
        let nodes = |targets: &BTreeSet<Target>| -> Vec<Node> {
            targets
                .iter()
                .flat_map(|target| match target {
                    Target::Datum(number) => vec![Node::Datum(*number)],
                    Target::Function(name) => by_name
                        .get(name.as_str())
                        .into_iter()
                        .flatten()
                        .map(|function| Node::Function(*function))
                        .collect(),
                })
                .collect()
        };
        let mut edges: BTreeMap<Node, BTreeSet<Node>> = BTreeMap::new();
        for function in bound.imported..bound.count() {
            let own = edges.entry(Node::Function(function)).or_default();
            let Some(body) = bound.body(function) else {
                continue;
            };
            own.extend(bound.calls[body].iter().map(|f| Node::Function(*f)));
            own.extend(bound.places[body].iter().map(|d| Node::Datum(*d)));
            if let Some(held) = bound
                .names
                .get(&function)
                .and_then(|name| linked.held_by_functions.get(name))
            {
                own.extend(nodes(held).into_iter().filter(
                    |node| !matches!(node, Node::Datum(number) if linked.places.contains(number)),
                ));
            }
        }
        for (number, held) in linked.held_by_data.iter().enumerate() {
            edges.insert(Node::Datum(number), nodes(held).into_iter().collect());
        }
        let mut graph = Graph {
            edges,
            loose: BTreeSet::new(),
        };
        let known = graph.reach(bound, &BTreeSet::new());
        graph.loose = bound
            .slots
            .values()
            .copied()
            .filter(|function| !known.contains(&Node::Function(*function)))
            .collect();
        graph
    }

    /// Everything that is reached from outside without passing through `cut`.
    fn reach(&self, bound: &Bound<'_>, cut: &BTreeSet<u32>) -> BTreeSet<Node> {
        let mut seen = BTreeSet::new();
        let outside = bound.exported.iter().chain(&bound.start).chain(&self.loose);
        let mut todo: Vec<Node> = outside.map(|f| Node::Function(*f)).collect();
        while let Some(node) = todo.pop() {
            if matches!(node, Node::Function(f) if cut.contains(&f)) || !seen.insert(node) {
                continue;
            }
            todo.extend(self.edges.get(&node).into_iter().flatten());
        }
        seen
    }
}

/// Which part what belongs to; what is in none belongs to the core.
struct Owners {
    functions: BTreeMap<u32, usize>,
    data: BTreeMap<usize, usize>,
    roots: BTreeSet<u32>,
    /// Data that nothing reaches.
    dead: BTreeSet<usize>,
}

impl Owners {
    fn of(bound: &Bound<'_>, graph: &Graph, wanted: &[Wanted<'_>]) -> Result<Self> {
        let all = graph.reach(bound, &BTreeSet::new());
        let mut owners = Owners {
            functions: BTreeMap::new(),
            data: BTreeMap::new(),
            roots: BTreeSet::new(),
            dead: graph
                .edges
                .keys()
                .filter(|node| !all.contains(node))
                .filter_map(|node| match node {
                    Node::Datum(number) => Some(*number),
                    Node::Function(_) => None,
                })
                .collect(),
        };
        for (part, Wanted { name, roots }) in wanted.iter().enumerate() {
            let mut cut = BTreeSet::new();
            for root in roots {
                let mut found = bound
                    .names
                    .iter()
                    .filter(|(_, name)| names::path(name) == *root)
                    .map(|(function, _)| *function);
                let (Some(function), None) = (found.next(), found.next()) else {
                    bail!("part {name}: {root} is not one function of the module; is it inlined?");
                };
                cut.insert(function);
            }
            let rest = graph.reach(bound, &cut);
            for node in all.difference(&rest) {
                let before = match node {
                    Node::Function(function) => owners.functions.insert(*function, part),
                    Node::Datum(number) => owners.data.insert(*number, part),
                };
                if before.is_some() {
                    bail!("part {name} lies within another part");
                }
            }
            owners.roots.extend(cut);
        }
        Ok(owners)
    }

    fn of_function(&self, function: u32) -> Option<usize> {
        self.functions.get(&function).copied()
    }
}

// ── writing ─────────────────────────────────────────────────────────────────────────────────────

/// New numbers of what a written module holds.
struct Numbers {
    functions: BTreeMap<u32, u32>,
    globals: Option<BTreeMap<u32, u32>>,
    table: Option<u32>,
}

/// Something the code needs is not in the module that is written.
#[derive(Debug)]
struct Missing;

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a part needs what is neither in it nor in the core")
    }
}

impl std::error::Error for Missing {}

impl Reencode for Numbers {
    type Error = Missing;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Missing>> {
        let new = self.functions.get(&function).copied();
        new.ok_or(Error::UserError(Missing))
    }
    fn global_index(&mut self, global: u32) -> Result<u32, Error<Missing>> {
        let Some(globals) = &self.globals else {
            return Ok(global);
        };
        globals
            .get(&global)
            .copied()
            .ok_or(Error::UserError(Missing))
    }
    fn table_index(&mut self, table: u32) -> Result<u32, Error<Missing>> {
        match self.table {
            None => Ok(table),
            Some(functions) if functions == table => Ok(0),
            Some(_) => Err(Error::UserError(Missing)),
        }
    }
}

struct Writer<'w, 'b> {
    bound: &'w Bound<'b>,
    owners: &'w Owners,
    /// Slots of the roots.
    root_slots: BTreeMap<u32, u32>,
    /// Names under which the core exports what parts need.
    functions: BTreeMap<u32, String>,
    globals: BTreeMap<u32, String>,
    table: String,
    memory: String,
    /// Memory of the core and of each part, from [`Bound::base`].
    images: Vec<Vec<u8>>,
    /// Number of the image that a byte is of; none for what lies between data, or is dead.
    holders: Vec<Option<usize>>,
}

impl<'w, 'b> Writer<'w, 'b> {
    fn new(bound: &'w Bound<'b>, linked: &Linked, owners: &'w Owners) -> Self {
        let root_slots = owners
            .roots
            .iter()
            .copied()
            .zip(u32::try_from(bound.table.1.initial).unwrap_or(u32::MAX)..)
            .collect();
        let mut fresh = (0_u32..)
            .map(|number| format!("_{}", short(number)))
            .filter(|name| !bound.export_names.contains(name));
        let mut name = || fresh.next().unwrap_or_default();
        let (table, memory) = (name(), name());
        let (mut functions, mut globals) = (BTreeMap::new(), BTreeMap::new());
        for (function, part) in &owners.functions {
            let Some(body) = bound.body(*function) else {
                continue;
            };
            for called in &bound.calls[body] {
                if owners.of_function(*called) != Some(*part) && !owners.roots.contains(called) {
                    functions.entry(*called).or_insert_with(&mut name);
                }
            }
            for global in &bound.globals_of[body] {
                globals.entry(*global).or_insert_with(&mut name);
            }
        }
        // What the core holds stays there, even if a part's datum covers it.
        let range = |number: usize| {
            let Datum { address, size } = linked.data[number];
            let start = usize::try_from(address.saturating_sub(bound.base)).unwrap_or(usize::MAX);
            let end = start.saturating_add(usize::try_from(size).unwrap_or(0));
            start.min(bound.image.len())..end.min(bound.image.len())
        };
        let mut holders = vec![None; bound.image.len()];
        let mut dead = BTreeSet::new();
        for (number, part) in &owners.data {
            holders[range(*number)].fill(Some(part + 1));
        }
        for number in 0..linked.data.len() {
            if !owners.data.contains_key(&number) && !owners.dead.contains(&number) {
                holders[range(number)].fill(Some(0));
            }
        }
        for number in &owners.dead {
            let free = range(*number).filter(|at| holders[*at].is_none());
            dead.extend(free);
        }
        let parts = owners.data.values().max().map_or(0, |last| last + 1);
        let mut images = vec![vec![0; bound.image.len()]; parts + 1];
        for (at, byte) in bound.image.iter().enumerate() {
            if !dead.contains(&at) {
                images[holders[at].unwrap_or(0)][at] = *byte;
            }
        }
        Writer {
            bound,
            owners,
            root_slots,
            functions,
            globals,
            table,
            memory,
            images,
            holders,
        }
    }

    fn write(&self, parts: usize) -> Result<Split> {
        Ok(Split {
            core: self.core()?,
            parts: (0..parts)
                .map(|part| self.part(part))
                .collect::<Result<_>>()?,
        })
    }

    fn core(&self) -> Result<Vec<u8>> {
        let bound = self.bound;
        let kept = (0..bound.count()).filter(|f| self.owners.of_function(*f).is_none());
        let mut numbers = Numbers {
            functions: kept.zip(0..).collect(),
            globals: None,
            table: None,
        };
        let mut module = Module::new();
        let mut code = CodeSection::new();
        for payload in Parser::new(0).parse_all(bound.module) {
            match payload? {
                Payload::TypeSection(section) => {
                    let mut types = TypeSection::new();
                    numbers
                        .parse_type_section(&mut types, section)
                        .map_err(own)?;
                    module.section(&types);
                }
                Payload::ImportSection(section) => {
                    let mut imports = ImportSection::new();
                    numbers
                        .parse_import_section(&mut imports, section)
                        .map_err(own)?;
                    module.section(&imports);
                }
                Payload::FunctionSection(_) => {
                    let mut functions = FunctionSection::new();
                    for function in numbers.functions.keys().filter(|f| **f >= bound.imported) {
                        functions.function(bound.types[usize::try_from(*function)?]);
                    }
                    module.section(&functions);
                }
                Payload::TableSection(section) => {
                    let mut tables = TableSection::new();
                    for (number, table) in section.into_iter().enumerate() {
                        let mut ty = table?.ty;
                        if u32::try_from(number)? == bound.table.0 {
                            let more = u64::try_from(self.root_slots.len())?;
                            ty.initial += more;
                            ty.maximum = ty.maximum.map(|most| most + more);
                        }
                        tables.table(numbers.table_type(ty).map_err(own)?);
                    }
                    module.section(&tables);
                }
                Payload::MemorySection(section) => {
                    let mut memories = wasm_encoder::MemorySection::new();
                    numbers
                        .parse_memory_section(&mut memories, section)
                        .map_err(own)?;
                    module.section(&memories);
                }
                Payload::GlobalSection(section) => {
                    let mut globals = wasm_encoder::GlobalSection::new();
                    numbers
                        .parse_global_section(&mut globals, section)
                        .map_err(own)?;
                    module.section(&globals);
                }
                Payload::ExportSection(section) => {
                    let mut exports = ExportSection::new();
                    numbers
                        .parse_export_section(&mut exports, section)
                        .map_err(own)?;
                    exports.export(&self.table, ExportKind::Table, bound.table.0);
                    exports.export(&self.memory, ExportKind::Memory, 0);
                    for (global, name) in &self.globals {
                        exports.export(name, ExportKind::Global, *global);
                    }
                    for (function, name) in &self.functions {
                        let number = numbers.function_index(*function).map_err(own)?;
                        exports.export(name, ExportKind::Func, number);
                    }
                    module.section(&exports);
                }
                Payload::StartSection { func, .. } => {
                    let function_index = numbers.function_index(func).map_err(own)?;
                    module.section(&StartSection { function_index });
                }
                Payload::ElementSection(_) => {
                    module.section(&self.elements(None, bound.table.0, &mut numbers)?);
                }
                Payload::CodeSectionEntry(_) if code.is_empty() => {
                    for function in numbers.functions.clone().into_keys() {
                        self.body(function, None, &mut numbers, &mut code)?;
                    }
                    module.section(&code);
                }
                Payload::DataSection(_) => {
                    module.section(&self.data(0)?);
                }
                _ => {}
            }
        }
        Ok(module.finish())
    }

    fn part(&self, part: usize) -> Result<Vec<u8>> {
        let bound = self.bound;
        let own: Vec<u32> = self
            .owners
            .functions
            .iter()
            .filter(|(_, owner)| **owner == part)
            .map(|(function, _)| *function)
            .collect();
        let mut calls = BTreeSet::new();
        let mut globals = BTreeSet::new();
        for function in &own {
            if let Some(body) = bound.body(*function) {
                calls.extend(bound.calls[body].iter().copied());
                globals.extend(bound.globals_of[body].iter().copied());
            }
        }
        calls.retain(|f| self.functions.contains_key(f));
        let mut numbers = Numbers {
            functions: calls.iter().chain(&own).copied().zip(0..).collect(),
            globals: Some(globals.iter().copied().zip(0..).collect()),
            table: Some(bound.table.0),
        };
        let mut module = Module::new();
        for payload in Parser::new(0).parse_all(bound.module) {
            if let Payload::TypeSection(section) = payload? {
                let mut types = TypeSection::new();
                numbers
                    .parse_type_section(&mut types, section)
                    .map_err(self::own)?;
                module.section(&types);
            }
        }
        let mut imports = ImportSection::new();
        for function in &calls {
            let ty = bound.types[usize::try_from(*function)?];
            imports.import("c", &self.functions[function], EntityType::Function(ty));
        }
        let mut table = bound.table.1;
        table.initial += u64::try_from(self.root_slots.len())?;
        table.maximum = table
            .maximum
            .map(|most| most + u64::try_from(self.root_slots.len()).unwrap_or(0));
        imports.import(
            "c",
            &self.table,
            EntityType::Table(numbers.table_type(table).map_err(self::own)?),
        );
        imports.import(
            "c",
            &self.memory,
            EntityType::Memory(numbers.memory_type(bound.memory).map_err(self::own)?),
        );
        for global in &globals {
            let ty = bound.globals[usize::try_from(*global)?];
            imports.import(
                "c",
                &self.globals[global],
                EntityType::Global(numbers.global_type(ty).map_err(self::own)?),
            );
        }
        module.section(&imports);
        let mut functions = FunctionSection::new();
        for function in &own {
            functions.function(bound.types[usize::try_from(*function)?]);
        }
        module.section(&functions);
        module.section(&self.elements(Some(part), 0, &mut numbers)?);
        let mut code = CodeSection::new();
        for function in &own {
            self.body(*function, Some(part), &mut numbers, &mut code)?;
        }
        module.section(&code);
        module.section(&self.data(part + 1)?);
        Ok(module.finish())
    }

    /// One function. A root of another owner is called through its slot.
    fn body(
        &self,
        function: u32,
        owner: Option<usize>,
        numbers: &mut Numbers,
        code: &mut CodeSection,
    ) -> Result<()> {
        let Some(body) = self.bound.body(function).map(|at| &self.bound.bodies[at]) else {
            return Ok(());
        };
        let mut written = numbers.new_function_with_parsed_locals(body).map_err(own)?;
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let mut ahead = reader.clone();
            if let Operator::Call { function_index } = ahead.read()?
                && let Some(slot) = self.root_slots.get(&function_index)
                && self.owners.of_function(function_index) != owner
            {
                reader = ahead;
                let type_index = self.bound.types[usize::try_from(function_index)?];
                let table_index = numbers.table_index(self.bound.table.0).map_err(own)?;
                written.instruction(&Instruction::I32Const(slot.cast_signed()));
                written.instruction(&Instruction::CallIndirect {
                    type_index,
                    table_index,
                });
            } else {
                written.instruction(&numbers.parse_instruction(&mut reader).map_err(own)?);
            }
        }
        code.function(&written);
        Ok(())
    }

    /// The slots of one owner, neighbours together.
    fn elements(
        &self,
        owner: Option<usize>,
        table: u32,
        numbers: &mut Numbers,
    ) -> Result<ElementSection> {
        let roots = self
            .root_slots
            .iter()
            .map(|(function, slot)| (*slot, *function));
        let slots = self
            .bound
            .slots
            .iter()
            .map(|(slot, f)| (*slot, *f))
            .chain(roots);
        let mut runs: Vec<(u32, Vec<u32>)> = Vec::new();
        for (slot, function) in slots {
            if self.owners.of_function(function) != owner {
                continue;
            }
            let number = numbers.function_index(function).map_err(own)?;
            match runs.last_mut() {
                Some((start, run))
                    if usize::try_from(slot - *start).is_ok_and(|next| next == run.len()) =>
                {
                    run.push(number);
                }
                _ => runs.push((slot, vec![number])),
            }
        }
        let mut elements = ElementSection::new();
        for (start, run) in runs {
            elements.active(
                Some(table).filter(|table| *table > 0),
                &ConstExpr::i32_const(start.cast_signed()),
                Elements::Functions(run.into()),
            );
        }
        Ok(elements)
    }

    /// Memory of an owner as segments between long runs of zeros; none goes over another's bytes.
    fn data(&self, number: usize) -> Result<DataSection> {
        let mut data = DataSection::new();
        let Some(image) = self.images.get(number) else {
            return Ok(data);
        };
        let own = |at: usize| self.holders[at].is_none_or(|holder| holder == number);
        let mut at = 0;
        while let Some(skipped) = image[at..].iter().position(|byte| *byte != 0) {
            let start = at + skipped;
            let (mut end, mut next) = (start, start);
            while next < image.len() && next - end < GAP && own(next) {
                next += 1;
                if image[next - 1] != 0 {
                    end = next;
                }
            }
            let address = self.bound.base + u32::try_from(start)?;
            data.active(
                0,
                &ConstExpr::i32_const(address.cast_signed()),
                image[start..end].iter().copied(),
            );
            at = end;
        }
        Ok(data)
    }
}

/// An error of the encoder as one of this program.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn own(error: Error<Missing>) -> anyhow::Error {
    anyhow!("{error}")
}

/// A number in digits and small letters.
fn short(mut number: u32) -> String {
    let mut digits = String::new();
    loop {
        digits.extend(char::from_digit(number % 36, 36));
        number /= 36;
        if number == 0 {
            return digits;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{CustomSection, Encode as _, NameMap, NameSection, ValType};

    /// `p::main`, exported, calls `p::help` and `p::root` and holds `data[0..4]`; `p::root` calls
    /// `p::help` and holds `data[8..12]`; between them lies a byte of the core.
    fn linked() -> Vec<u8> {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], [ValType::I32]);
        module.section(&types);
        let mut functions = FunctionSection::new();
        for _ in 0..3 {
            functions.function(0);
        }
        module.section(&functions);
        let mut tables = TableSection::new();
        tables.table(wasm_encoder::TableType {
            element_type: wasm_encoder::RefType::FUNCREF,
            table64: false,
            minimum: 1,
            maximum: Some(1),
            shared: false,
        });
        module.section(&tables);
        let mut memories = wasm_encoder::MemorySection::new();
        memories.memory(wasm_encoder::MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        module.section(&memories);
        let mut exports = ExportSection::new();
        exports.export("main", ExportKind::Func, 0);
        module.section(&exports);
        // Addresses as the linker writes them: 1024 and 1032 in five bytes.
        let main = b"\0\x10\x02\x1A\x10\x01\x1A\x41\x80\x88\x80\x80\0\x0B";
        let root = b"\0\x10\x02\x1A\x41\x88\x88\x80\x80\0\x0B";
        let mut code = CodeSection::new();
        code.raw(main).raw(root).raw(b"\0\x41\x07\x0B");
        module.section(&code);
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(1024), *b"core\x01\x02\x03\x04part");
        module.section(&data);

        let mut symbols = vec![3];
        for (name, offset) in [("a", 0_u32), ("b", 8), ("c", 5)] {
            symbols.extend([1, 0]);
            name.encode(&mut symbols);
            0_u32.encode(&mut symbols);
            offset.encode(&mut symbols);
            (if name == "c" { 1_u32 } else { 4 }).encode(&mut symbols);
        }
        let mut linking = vec![2, 8];
        symbols.len().encode(&mut linking);
        linking.extend(symbols);
        // From the start of the section: its count, then length and bytes of each body.
        let (at_main, at_root) = (1 + 1 + 8, 1 + 1 + 14 + 1 + 5);
        let mut relocations = vec![5, 2];
        for (offset, symbol) in [(at_main, 0), (at_root, 1)] {
            relocations.extend([4, offset, symbol, 0]);
        }
        let custom = |module: &mut Module, name: &str, data: Vec<u8>| {
            module.section(&CustomSection {
                name: name.into(),
                data: data.into(),
            });
        };
        custom(&mut module, "linking", linking);
        custom(&mut module, "reloc.CODE", relocations);
        let mut names = NameMap::new();
        for (number, name) in (0..).zip(["_ZN1p4mainE", "_ZN1p4rootE", "_ZN1p4helpE"]) {
            names.append(number, name);
        }
        let mut section = NameSection::new();
        section.functions(&names);
        module.section(&section);
        module.finish()
    }

    fn data_of(module: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let mut found = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            if let Payload::DataSection(section) = payload.unwrap() {
                for segment in section {
                    let segment = segment.unwrap();
                    found.push((base_of(&segment.kind).unwrap(), segment.data.to_vec()));
                }
            }
        }
        found
    }

    #[test]
    fn a_part_is_what_only_its_root_reaches() {
        let linked = linked();
        let wanted = [Wanted {
            name: "part",
            roots: vec!["p::root"],
        }];
        let made = split(&linked, &linked, &wanted).unwrap();
        // The byte that nothing reaches is gone, padding stays with the core.
        assert_eq!(
            data_of(&made.core),
            [(1024, b"core\x01\0\x03\x04".to_vec())]
        );
        assert_eq!(data_of(&made.parts[0]), [(1032, b"part".to_vec())]);
        let core = Bound::read(&made.core, &Linked::read(&linked).unwrap()).unwrap();
        assert_eq!(core.bodies.len(), 2);
        assert_eq!(core.table.1.initial, 2);
        // Memory, table and the function that the part calls are exported beside `main`.
        assert_eq!(core.export_names.len(), 4);
        let mut imports = Vec::new();
        for payload in Parser::new(0).parse_all(&made.parts[0]) {
            if let Payload::ImportSection(section) = payload.unwrap() {
                imports.extend(section.into_imports().map(|i| i.unwrap().name.to_owned()));
            }
        }
        assert!(imports.iter().all(|name| core.export_names.contains(name)));
        assert_eq!(imports.len(), 3);
    }

    #[test]
    fn a_root_that_is_not_there_is_an_error() {
        let linked = linked();
        let wanted = [Wanted {
            name: "part",
            roots: vec!["p::gone"],
        }];
        let error = split(&linked, &linked, &wanted).err().unwrap();
        assert!(error.to_string().contains("p::gone"), "{error}");
    }
}
