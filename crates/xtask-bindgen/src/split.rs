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

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use anyhow::{Result, anyhow, bail, ensure};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, ImportSection, Instruction, MemArg, Module,
    StartSection, TableSection, TypeSection, ValType,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{
    ExternalKind, FunctionBody, GlobalType, MemoryType, Operator, Parser, Payload, TableType,
    TypeRef,
};

use crate::{
    linked::{Datum, Linked, Target, active_slots, base_of},
    names, pack,
};

/// Bytes from which on differences are tried.
const LARGE: usize = 512;

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
    /// What memory must be once they have started, as `memory.cjs` reads it.
    pub(crate) memory: Vec<u8>,
}

/// Splits a bound and optimised module that still has its names; `linked` is what the linker wrote.
pub(crate) fn split(bound: &[u8], linked: &[u8], wanted: &[Wanted<'_>]) -> Result<Split> {
    let linked = Linked::read(linked)?;
    let bound = Bound::read(bound, &linked)?;
    let graph = Graph::of(&bound, &linked);
    let owners = Owners::of(&bound, &graph, wanted)?;
    Writer::new(&bound, &linked, &owners)?.write(wanted.len())
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
    /// Data whose addresses stand in each own function.
    seen: Vec<BTreeSet<usize>>,
    globals_of: Vec<BTreeSet<u32>>,
    /// All globals are the module's own.
    globals: Vec<GlobalType>,
    memory: MemoryType,
    /// The one table of functions: number and type.
    table: (u32, TableType),
    /// Functions in it by slot.
    slots: BTreeMap<u32, u32>,
    /// Functions that use another table: parts have this one only.
    bound_to_tables: BTreeSet<u32>,
    exported: BTreeSet<u32>,
    export_names: BTreeSet<String>,
    start: Option<u32>,
    /// Memory as the module fills it, from address [`Bound::base`].
    image: Vec<u8>,
    base: u32,
}

impl<'b> Bound<'b> {
    fn read(module: &'b [u8], linked: &Linked) -> Result<Self> {
        let mut bound = Bound {
            module,
            names: names::functions(module)?.into_iter().collect(),
            imported: 0,
            types: Vec::new(),
            bodies: Vec::new(),
            calls: Vec::new(),
            seen: Vec::new(),
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
            bound_to_tables: BTreeSet::new(),
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
                        bound.slots.extend(active_slots(element?, bound.table.0)?);
                    }
                }
                Payload::CodeSectionEntry(body) => bound.read_body(body, linked)?,
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
        ensure!(
            linked.memory.iter().all(|(base, content)| {
                (*base..)
                    .zip(content)
                    .all(|(address, byte)| bound.byte(address) == *byte)
            }),
            "the bound module fills memory otherwise than the linked one"
        );
        Ok(bound)
    }

    fn read_body(&mut self, body: FunctionBody<'b>, linked: &Linked) -> Result<()> {
        let (mut calls, mut seen, mut globals) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::TableGet { table }
                | Operator::TableSet { table }
                | Operator::TableGrow { table }
                | Operator::TableSize { table }
                | Operator::TableFill { table }
                    if table != self.table.0 =>
                {
                    let number = u32::try_from(self.bodies.len())?;
                    self.bound_to_tables.insert(self.imported + number);
                }
                Operator::Call { function_index } | Operator::RefFunc { function_index } => {
                    calls.insert(function_index);
                }
                // Whatever could be an address is taken for one: the names of functions that held it may be
                // gone, since an optimiser puts functions into others.
                Operator::I32Const { value } => seen.extend(linked.covering(value.cast_unsigned())),
                Operator::I64Const { value } => {
                    for half in [value, value >> 32] {
                        let half = u32::try_from(half & i64::from(u32::MAX))?;
                        seen.extend(linked.covering(half));
                    }
                }
                Operator::GlobalGet { global_index } | Operator::GlobalSet { global_index } => {
                    globals.insert(global_index);
                }
                Operator::MemoryInit { .. } | Operator::DataDrop { .. } => {
                    bail!("the code takes data by segment");
                }
                other => {
                    let mut offsets = Offsets(Vec::new());
                    offsets
                        .instruction(other)
                        .map_err(|error| anyhow!("{error}"))?;
                    for offset in offsets.0 {
                        seen.extend(linked.covering(u32::try_from(offset)?));
                    }
                }
            }
        }
        self.bodies.push(body);
        self.calls.push(calls);
        self.seen.push(seen);
        self.globals_of.push(globals);
        Ok(())
    }

    /// What memory holds when the module begins.
    fn byte(&self, address: u32) -> u8 {
        let at = address
            .checked_sub(self.base)
            .and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.image.get(at)).copied().unwrap_or(0)
    }

    fn count(&self) -> u32 {
        u32::try_from(self.types.len()).unwrap_or(u32::MAX)
    }

    /// Number of an own function among the bodies.
    fn body(&self, function: u32) -> Option<usize> {
        usize::try_from(function.checked_sub(self.imported)?).ok()
    }
}

/// The numbers that instructions add to addresses of memory.
struct Offsets(Vec<u64>);

impl Reencode for Offsets {
    type Error = std::convert::Infallible;

    fn mem_arg(&mut self, place: wasmparser::MemArg) -> Result<MemArg, Error<Self::Error>> {
        self.0.push(place.offset);
        utils::mem_arg(self, place)
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
    /// What is held where it is not known by whom.
    loose: BTreeSet<Node>,
}

impl Graph {
    fn of(bound: &Bound<'_>, linked: &Linked) -> Self {
        let there: BTreeSet<&str> = bound.names.values().map(String::as_str).collect();
        let nodes = |targets: &BTreeSet<Target>| -> Vec<Node> {
            targets
                .iter()
                .filter_map(|target| match target {
                    Target::Datum(number) => Some(Node::Datum(*number)),
                    Target::Slot(slot) => bound.slots.get(slot).copied().map(Node::Function),
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
            own.extend(bound.seen[body].iter().map(|d| Node::Datum(*d)));
            if let Some(held) = bound
                .names
                .get(&function)
                .and_then(|name| linked.held_by_functions.get(name))
            {
                own.extend(nodes(&held.targets).into_iter().filter(
                    |node| !matches!(node, Node::Datum(number) if linked.places.contains(number)),
                ));
            }
        }
        for (number, held) in linked.held_by_data.iter().enumerate() {
            edges.insert(Node::Datum(number), nodes(held).into_iter().collect());
        }
        // A function that is gone may have been put into any other.
        let loose = linked
            .held_by_functions
            .iter()
            .filter(|(name, _)| !there.contains(name.as_str()))
            .flat_map(|(_, held)| nodes(&held.unseen))
            .collect();
        let mut graph = Graph { edges, loose };
        let bound_to_tables = bound.bound_to_tables.iter().copied();
        graph.loose.extend(bound_to_tables.map(Node::Function));
        let known = graph.reach(bound, &BTreeSet::new());
        graph.loose.extend(
            bound
                .slots
                .values()
                .map(|function| Node::Function(*function))
                .filter(|function| !known.contains(function)),
        );
        graph
    }

    /// Everything that is reached from outside without passing through `cut`.
    fn reach(&self, bound: &Bound<'_>, cut: &BTreeSet<u32>) -> BTreeSet<Node> {
        let mut seen = BTreeSet::new();
        let outside = bound.exported.iter().chain(&bound.start);
        let mut todo: Vec<Node> = outside
            .map(|function| Node::Function(*function))
            .chain(self.loose.iter().copied())
            .collect();
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

/// What the start of a module has to unpack.
struct Packed {
    /// Where chains of slots begin.
    chains: Vec<u32>,
    /// Tables of differences, from and to.
    deltas: Vec<[u32; 2]>,
}

struct Writer<'w, 'b> {
    bound: &'w Bound<'b>,
    owners: &'w Owners,
    /// Slots of the roots.
    root_slots: BTreeMap<u32, u32>,
    /// Names under which the core exports what parts need.
    functions: BTreeMap<u32, String>,
    globals: BTreeMap<u32, String>,
    table_name: String,
    memory_name: String,
    /// Memory of the core and of each part, from [`Bound::base`].
    images: Vec<Vec<u8>>,
    /// Number of the image that a byte is of; none for what lies between data, or is dead.
    holders: Vec<Option<usize>>,
    /// [`Split::memory`]
    memory: Vec<u8>,
    /// What is packed in each image.
    packed: Vec<Packed>,
}

impl<'w, 'b> Writer<'w, 'b> {
    fn new(bound: &'w Bound<'b>, linked: &Linked, owners: &'w Owners) -> Result<Self> {
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
        let (table_name, memory_name) = (name(), name());
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
        let mut memory = bound.base.to_le_bytes().to_vec();
        memory.extend((0..bound.image.len()).map(|at| images[holders[at].unwrap_or(0)][at]));
        for holder in &holders {
            memory.push(u8::try_from(holder.unwrap_or(0))?);
        }
        let packed = (0..images.len())
            .map(|number| pack_image(bound.base, linked, &holders, &mut images, number))
            .collect::<Result<_>>()?;
        Ok(Writer {
            bound,
            owners,
            root_slots,
            functions,
            globals,
            table_name,
            memory_name,
            images,
            holders,
            memory,
            packed,
        })
    }

    fn write(&self, parts: usize) -> Result<Split> {
        Ok(Split {
            core: self.core()?,
            parts: (0..parts)
                .map(|part| self.part(part))
                .collect::<Result<_>>()?,
            memory: self.memory.clone(),
        })
    }

    /// The functions that unpack an image, the last one being the start; they are numbered from `free`.
    /// None where nothing is packed.
    fn unpacking(&self, image: usize, free: u32, start: Option<u32>) -> Option<[Function; 3]> {
        let packed = self.packed.get(image)?;
        if packed.chains.is_empty() && packed.deltas.is_empty() {
            return None;
        }
        let mut begin = Function::new([]);
        // Tables may hold texts.
        for table in &packed.deltas {
            for address in table {
                begin.instruction(&Instruction::I32Const(address.cast_signed()));
            }
            begin.instruction(&Instruction::Call(free + 1));
        }
        for chain in &packed.chains {
            begin.instruction(&Instruction::I32Const(chain.cast_signed()));
            begin.instruction(&Instruction::Call(free));
        }
        if let Some(start) = start {
            begin.instruction(&Instruction::Call(start));
        }
        begin.instruction(&Instruction::End);
        Some([pack::unpacker(), pack::summer(), begin])
    }

    fn core(&self) -> Result<Vec<u8>> {
        let bound = self.bound;
        let kept = (0..bound.count()).filter(|f| self.owners.of_function(*f).is_none());
        let mut numbers = Numbers {
            functions: kept.zip(0..).collect(),
            globals: None,
            table: None,
        };
        let free = u32::try_from(numbers.functions.len())?;
        let start = bound
            .start
            .map(|start| numbers.function_index(start).map_err(own))
            .transpose()?;
        let unpacking = self.unpacking(0, free, start);
        let mut free_type = 0;
        let mut module = Module::new();
        let mut code = CodeSection::new();
        for payload in Parser::new(0).parse_all(bound.module) {
            match payload? {
                Payload::TypeSection(section) => {
                    let mut types = TypeSection::new();
                    numbers
                        .parse_type_section(&mut types, section)
                        .map_err(own)?;
                    if unpacking.is_some() {
                        free_type = add_types(&mut types);
                    }
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
                    if unpacking.is_some() {
                        functions
                            .function(free_type)
                            .function(free_type + 1)
                            .function(free_type + 2);
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
                    exports.export(&self.table_name, ExportKind::Table, bound.table.0);
                    exports.export(&self.memory_name, ExportKind::Memory, 0);
                    for (global, name) in &self.globals {
                        exports.export(name, ExportKind::Global, *global);
                    }
                    for (function, name) in &self.functions {
                        let number = numbers.function_index(*function).map_err(own)?;
                        exports.export(name, ExportKind::Func, number);
                    }
                    module.section(&exports);
                    let start = unpacking.as_ref().map(|_| free + 2).or(start);
                    if let Some(function_index) = start {
                        module.section(&StartSection { function_index });
                    }
                }
                Payload::ElementSection(_) => {
                    module.section(&self.elements(None, bound.table.0, &mut numbers)?);
                }
                Payload::CodeSectionEntry(_) if code.is_empty() => {
                    for function in numbers.functions.clone().into_keys() {
                        self.body(function, None, &mut numbers, &mut code)?;
                    }
                    for function in unpacking.iter().flatten() {
                        code.function(function);
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
        let free = u32::try_from(numbers.functions.len())?;
        let unpacking = self.unpacking(part + 1, free, None);
        let mut free_type = 0;
        let mut module = Module::new();
        for payload in Parser::new(0).parse_all(bound.module) {
            if let Payload::TypeSection(section) = payload? {
                let mut types = TypeSection::new();
                numbers
                    .parse_type_section(&mut types, section)
                    .map_err(self::own)?;
                if unpacking.is_some() {
                    free_type = add_types(&mut types);
                }
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
            &self.table_name,
            EntityType::Table(numbers.table_type(table).map_err(self::own)?),
        );
        imports.import(
            "c",
            &self.memory_name,
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
        if unpacking.is_some() {
            functions
                .function(free_type)
                .function(free_type + 1)
                .function(free_type + 2);
        }
        module.section(&functions);
        if unpacking.is_some() {
            let function_index = free + 2;
            module.section(&StartSection { function_index });
        }
        module.section(&self.elements(Some(part), 0, &mut numbers)?);
        let mut code = CodeSection::new();
        for function in &own {
            self.body(*function, Some(part), &mut numbers, &mut code)?;
        }
        for function in unpacking.iter().flatten() {
            code.function(function);
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

/// The types of what [`Writer::unpacking`] gives; the number of the first.
fn add_types(types: &mut TypeSection) -> u32 {
    let free = types.len();
    types.ty().function([ValType::I32], []);
    types.ty().function([ValType::I32, ValType::I32], []);
    types.ty().function([], []);
    free
}

/// Packs one image as it is when it is loaded.
fn pack_image(
    base: u32,
    linked: &Linked,
    holders: &[Option<usize>],
    images: &mut [Vec<u8>],
    number: usize,
) -> Result<Packed> {
    // What an image of a part lacks is there from the core.
    let mut memory = images[0].clone();
    for (at, byte) in images[number].iter().enumerate() {
        if holders[at] == Some(number) {
            memory[at] = *byte;
        }
    }
    let held = |at: usize| {
        holders
            .get(at..at + 4)
            .is_some_and(|holders| holders.iter().all(|holder| *holder == Some(number)))
    };
    let mut slots = Vec::new();
    for slot in &linked.slots {
        let Some(at) = slot.checked_sub(base) else {
            continue;
        };
        let at = usize::try_from(at)?;
        if slot % 4 == 0 && held(at) {
            slots.push((at, held(at + 4) && !linked.slots.contains(&(slot + 4))));
        }
    }
    let plain = memory.clone();
    let text = |at: usize| {
        let length = plain.get(at..)?.iter().position(|byte| *byte == 0)?;
        // A zero that is of nothing stays one.
        if length == 0 || holders[at + length].is_some() {
            return None;
        }
        let ascii = plain[at..at + length].is_ascii();
        Some((u32::try_from(length).ok()?, ascii))
    };
    let mut tables: Vec<Range<usize>> = Vec::new();
    for datum in &linked.data {
        let Some(start) = datum.address.checked_sub(base) else {
            continue;
        };
        let start = usize::try_from(start)?;
        let table = start..start + usize::try_from(datum.size)?;
        let alone = holders
            .get(table.clone())
            .is_some_and(|holders| holders.iter().all(|holder| *holder == Some(number)))
            && linked
                .slots
                .range(datum.address..datum.end())
                .next()
                .is_none()
            && tables.last().is_none_or(|last| last.end <= table.start);
        if table.len() >= LARGE && alone {
            tables.push(table);
        }
    }
    let mut image = pack::Image {
        base,
        bytes: &mut memory,
    };
    let packed = Packed {
        chains: pack::pack(&mut image, &slots, text)?,
        deltas: pack::deltas(&mut image, &tables)?,
    };
    for (at, byte) in images[number].iter_mut().enumerate() {
        if holders[at].unwrap_or(0) == number {
            *byte = memory[at];
        }
    }
    Ok(packed)
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
        named(["_ZN1p4mainE", "_ZN1p4rootE", "_ZN1p4helpE"])
    }

    fn named(function_names: [&str; 3]) -> Vec<u8> {
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
        for (number, name) in (0..).zip(function_names) {
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
        let mut known = Linked::read(&linked).unwrap();
        known.memory.clear();
        let core = Bound::read(&made.core, &known).unwrap();
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

    /// An optimiser may put a function into another one: then its name is gone, not what it holds.
    #[test]
    fn data_are_found_in_code_without_its_name() {
        let wanted = [Wanted {
            name: "part",
            roots: vec!["p::root"],
        }];
        let bound = named(["_ZN1p3newE", "_ZN1p4rootE", "_ZN1p4helpE"]);
        let made = split(&bound, &linked(), &wanted).unwrap();
        assert_eq!(
            data_of(&made.core),
            [(1024, b"core\x01\0\x03\x04".to_vec())]
        );
    }

    #[test]
    fn other_memory_than_the_linkers_is_an_error() {
        let linked = linked();
        let mut bound = linked.clone();
        let at = bound.windows(4).position(|bytes| bytes == b"core").unwrap();
        bound[at] = b'C';
        let error = split(&bound, &linked, &[]).err().unwrap();
        assert!(error.to_string().contains("otherwise"), "{error}");
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
