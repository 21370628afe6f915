//! Short copies and fills in the module itself, for modules with SIMD.
//!
//! The compiler makes each copy, of three words too, one instruction of bulk memory. Node 20 leaves the
//! module for every one of them and comes back, which takes longer than a short copy. Here a length that
//! is known becomes loads and stores on the spot, and any other is looked at first.

use anyhow::{Context as _, Result, bail};
use wasm_encoder::{
    BlockType, CodeSection, Function, FunctionSection, Instruction, MemArg, Module, TypeSection,
    ValType,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{
    CodeSectionReader, CompositeInnerType, FunctionBody, FunctionSectionReader, Operator, Parser,
    Payload, TypeRef, TypeSectionReader,
};

/// Longest length that, when it is known, becomes loads and stores on the spot.
const ON_THE_SPOT: u32 = 128;

/// Longest length that is not left to the engine.
const SHORT: i32 = 512;

/// The module with short copies and fills of its own.
pub(crate) fn copies(module: &[u8]) -> Result<Vec<u8>> {
    let mut parameters = Vec::new();
    let (mut imported, mut memories) = (0, 0);
    let mut own = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group?.types() {
                        parameters.push(match &ty.composite_type.inner {
                            CompositeInnerType::Func(f) => u32::try_from(f.params().len())?,
                            _ => bail!("the module has types that are none of functions"),
                        });
                    }
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    match import?.ty {
                        TypeRef::Func(_) => imported += 1,
                        TypeRef::Memory(_) => memories += 1,
                        _ => {}
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    let ty = usize::try_from(ty?)?;
                    own.push(*parameters.get(ty).context("a function has no type")?);
                }
            }
            Payload::MemorySection(section) => memories += section.count(),
            _ => {}
        }
    }
    if memories != 1 {
        bail!("the module has {memories} memories, not one");
    }
    let copy = imported + u32::try_from(own.len())?;
    let mut made = Module::new();
    Copies {
        own_type: u32::try_from(parameters.len())?,
        copy,
        fill: copy + 1,
        parameters: own.into_iter(),
    }
    .parse_core_module(&mut made, Parser::new(0), module)
    .context("the module cannot be written anew")?;
    Ok(made.finish())
}

struct Copies {
    /// Number of the type of both functions, behind those of the module.
    own_type: u32,
    copy: u32,
    fill: u32,
    /// How many each function has that is still to come.
    parameters: std::vec::IntoIter<u32>,
}

impl Reencode for Copies {
    type Error = std::convert::Infallible;

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: TypeSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        utils::parse_type_section(self, types, section)?;
        types.ty().function([ValType::I32; 3], []);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        utils::parse_function_section(self, functions, section)?;
        functions.function(self.own_type).function(self.own_type);
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        utils::parse_code_section(self, code, section)?;
        code.function(&copy()).function(&fill());
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let mut locals = Vec::new();
        let mut next = self.parameters.next().unwrap_or(0);
        for pair in body.get_locals_reader()? {
            let (count, ty) = pair?;
            locals.push((count, self.val_type(ty)?));
            next += count;
        }
        // Where from and where to, then what to fill with.
        let places = [next, next + 1, next + 2];
        locals.extend([(2, ValType::I32), (1, ValType::V128)]);
        let mut made = Function::new(locals);
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let mut ahead = reader.clone();
            match ahead.read()? {
                Operator::MemoryCopy { .. } => {
                    made.instruction(&Instruction::Call(self.copy));
                    reader = ahead;
                    continue;
                }
                Operator::MemoryFill { .. } => {
                    made.instruction(&Instruction::Call(self.fill));
                    reader = ahead;
                    continue;
                }
                Operator::I32Const { value } if !ahead.eof() => {
                    let known = u32::try_from(value).ok().filter(|n| *n <= ON_THE_SPOT);
                    let spot = match (known, ahead.read()?) {
                        (Some(length), Operator::MemoryCopy { .. }) => copy_known(length, places),
                        (Some(length), Operator::MemoryFill { .. }) => fill_known(length, places),
                        _ => Vec::new(),
                    };
                    if !spot.is_empty() {
                        for instruction in &spot {
                            made.instruction(instruction);
                        }
                        reader = ahead;
                        continue;
                    }
                }
                _ => {}
            }
            made.instruction(&utils::parse_instruction(self, &mut reader)?);
        }
        code.function(&made);
        Ok(())
    }
}

const fn at(offset: u64) -> MemArg {
    MemArg {
        offset,
        align: 0,
        memory_index: 0,
    }
}

/// Offset and width of the loads that cover a length, some bytes perhaps twice.
fn pieces(length: u32) -> Vec<(u64, u32)> {
    let mut pieces = Vec::new();
    let mut done = 0;
    while done < length {
        let rest = length - done;
        let over = rest.next_power_of_two();
        if rest.count_ones() > 2 && over <= 16 && over <= length {
            pieces.push((u64::from(length - over), over));
            break;
        }
        let width = (1 << rest.ilog2()).min(16);
        pieces.push((u64::from(done), width));
        done += width;
    }
    pieces
}

fn load(offset: u64, width: u32) -> Instruction<'static> {
    match width {
        16 => Instruction::V128Load(at(offset)),
        8 => Instruction::I64Load(at(offset)),
        4 => Instruction::I32Load(at(offset)),
        2 => Instruction::I32Load16U(at(offset)),
        _ => Instruction::I32Load8U(at(offset)),
    }
}

fn store(offset: u64, width: u32) -> Instruction<'static> {
    match width {
        16 => Instruction::V128Store(at(offset)),
        8 => Instruction::I64Store(at(offset)),
        4 => Instruction::I32Store(at(offset)),
        2 => Instruction::I32Store16(at(offset)),
        _ => Instruction::I32Store8(at(offset)),
    }
}

/// A copy of so many bytes. All loads come first: the places may overlap.
fn copy_known(length: u32, [from, to, _]: [u32; 3]) -> Vec<Instruction<'static>> {
    let mut made = vec![Instruction::LocalSet(from), Instruction::LocalSet(to)];
    let pieces = pieces(length);
    for &(offset, width) in &pieces {
        made.extend([
            Instruction::LocalGet(to),
            Instruction::LocalGet(from),
            load(offset, width),
        ]);
    }
    made.extend(
        pieces
            .iter()
            .rev()
            .map(|&(offset, width)| store(offset, width)),
    );
    made
}

/// So many bytes of one value.
fn fill_known(length: u32, [_, to, value]: [u32; 3]) -> Vec<Instruction<'static>> {
    let mut made = vec![
        Instruction::I8x16Splat,
        Instruction::LocalSet(value),
        Instruction::LocalSet(to),
    ];
    for (offset, width) in pieces(length) {
        made.extend([Instruction::LocalGet(to), Instruction::LocalGet(value)]);
        made.extend(match width {
            16 => None,
            8 => Some(Instruction::I64x2ExtractLane(0)),
            _ => Some(Instruction::I32x4ExtractLane(0)),
        });
        made.push(store(offset, width));
    }
    made
}

/// `to + LENGTH - back`, for both places of a copy.
fn behind(place: u32, length: u32, back: i32) -> [Instruction<'static>; 5] {
    [
        Instruction::LocalGet(place),
        Instruction::LocalGet(length),
        Instruction::I32Add,
        Instruction::I32Const(back),
        Instruction::I32Sub,
    ]
}

/// What is done when `LENGTH` is at least, or at most, so much.
fn when(
    length: u32,
    than: &Instruction<'static>,
    bound: i32,
    body: Vec<Instruction<'static>>,
) -> Vec<Instruction<'static>> {
    let mut made = vec![
        Instruction::LocalGet(length),
        Instruction::I32Const(bound),
        than.clone(),
        Instruction::If(BlockType::Empty),
    ];
    made.extend(body);
    made.extend([Instruction::Return, Instruction::End]);
    made
}

fn written(locals: &[(u32, ValType)], body: &[Instruction<'_>]) -> Function {
    let mut function = Function::new(locals.iter().copied());
    for instruction in body {
        function.instruction(instruction);
    }
    function
}

/// `copy(to, from, length)`.
fn copy() -> Function {
    use Instruction as I;
    const TO: u32 = 0;
    const FROM: u32 = 1;
    const LENGTH: u32 = 2;
    const TAIL: u32 = 3;
    const LAST: u32 = 4;
    // Pieces from the start, then as many at the end, loaded before anything is stored.
    let both = |width: u32, count: u64| -> Vec<I<'static>> {
        let step = u64::from(width);
        let mut body = Vec::new();
        for n in 0..count {
            body.extend([I::LocalGet(TO), I::LocalGet(FROM), load(n * step, width)]);
        }
        let back = i32::try_from(width).unwrap_or(0) * i32::try_from(count).unwrap_or(0);
        for n in 0..count {
            body.extend(behind(TO, LENGTH, back));
            body.extend(behind(FROM, LENGTH, back));
            body.push(load(n * step, width));
        }
        for _ in 0..2 {
            body.extend((0..count).rev().map(|n| store(n * step, width)));
        }
        body
    };
    let middle = [I::LocalGet(LENGTH), I::I32Const(1), I::I32ShrU, I::I32Add];
    // Up to three bytes: the first, the middle and the last are all of them.
    let mut few = vec![I::LocalGet(TO), I::LocalGet(FROM), load(0, 1)];
    for place in [TO, FROM] {
        few.push(I::LocalGet(place));
        few.extend(middle.clone());
    }
    few.push(load(0, 1));
    few.extend(behind(TO, LENGTH, 1));
    few.extend(behind(FROM, LENGTH, 1));
    few.extend([load(0, 1), store(0, 1), store(0, 1), store(0, 1)]);
    let mut small = when(LENGTH, &I::I32GeU, 8, both(8, 1));
    small.extend(when(LENGTH, &I::I32GeU, 4, both(4, 1)));
    small.extend([I::LocalGet(LENGTH), I::If(BlockType::Empty)]);
    small.extend(few);
    small.push(I::End);

    let mut body = when(LENGTH, &I::I32LtU, 16, small);
    body.extend(when(LENGTH, &I::I32LeU, 32, both(16, 1)));
    body.extend(when(LENGTH, &I::I32LeU, 64, both(16, 2)));
    // The engine knows how to go backwards.
    body.extend([
        I::LocalGet(LENGTH),
        I::I32Const(SHORT),
        I::I32GtU,
        I::LocalGet(TO),
        I::LocalGet(FROM),
        I::I32Sub,
        I::LocalGet(LENGTH),
        I::I32LtU,
        I::I32Or,
        I::If(BlockType::Empty),
        I::LocalGet(TO),
        I::LocalGet(FROM),
        I::LocalGet(LENGTH),
        I::MemoryCopy {
            src_mem: 0,
            dst_mem: 0,
        },
        I::Return,
        I::End,
    ]);
    body.extend(behind(FROM, LENGTH, 16));
    body.extend([load(0, 16), I::LocalSet(TAIL)]);
    body.extend(behind(TO, LENGTH, 16));
    body.extend([
        I::LocalSet(LAST),
        I::Loop(BlockType::Empty),
        I::LocalGet(TO),
        I::LocalGet(FROM),
        load(0, 16),
        store(0, 16),
        I::LocalGet(FROM),
        I::I32Const(16),
        I::I32Add,
        I::LocalSet(FROM),
        I::LocalGet(TO),
        I::I32Const(16),
        I::I32Add,
        I::LocalTee(TO),
        I::LocalGet(LAST),
        I::I32LtU,
        I::BrIf(0),
        I::End,
        I::LocalGet(LAST),
        I::LocalGet(TAIL),
        store(0, 16),
        I::End,
    ]);
    written(&[(1, ValType::V128), (1, ValType::I32)], &body)
}

/// `fill(to, value, length)`.
fn fill() -> Function {
    use Instruction as I;
    const TO: u32 = 0;
    const VALUE: u32 = 1;
    const LENGTH: u32 = 2;
    const WIDE: u32 = 3;
    const LAST: u32 = 4;
    let narrow = |width: u32| match width {
        16 => None,
        8 => Some(I::I64x2ExtractLane(0)),
        _ => Some(I::I32x4ExtractLane(0)),
    };
    let both = |width: u32, count: u64| -> Vec<I<'static>> {
        let step = u64::from(width);
        let back = i32::try_from(width).unwrap_or(0) * i32::try_from(count).unwrap_or(0);
        let mut body = Vec::new();
        for end in [false, true] {
            for n in 0..count {
                if end {
                    body.extend(behind(TO, LENGTH, back));
                } else {
                    body.push(I::LocalGet(TO));
                }
                body.push(I::LocalGet(WIDE));
                body.extend(narrow(width));
                body.push(store(n * step, width));
            }
        }
        body
    };
    let mut few = vec![
        I::LocalGet(TO),
        I::LocalGet(VALUE),
        store(0, 1),
        I::LocalGet(TO),
    ];
    few.extend([I::LocalGet(LENGTH), I::I32Const(1), I::I32ShrU, I::I32Add]);
    few.extend([I::LocalGet(VALUE), store(0, 1)]);
    few.extend(behind(TO, LENGTH, 1));
    few.extend([I::LocalGet(VALUE), store(0, 1)]);
    let mut small = when(LENGTH, &I::I32GeU, 8, both(8, 1));
    small.extend(when(LENGTH, &I::I32GeU, 4, both(4, 1)));
    small.extend([I::LocalGet(LENGTH), I::If(BlockType::Empty)]);
    small.extend(few);
    small.push(I::End);

    let mut body = when(
        LENGTH,
        &I::I32GtU,
        SHORT,
        vec![
            I::LocalGet(TO),
            I::LocalGet(VALUE),
            I::LocalGet(LENGTH),
            I::MemoryFill(0),
        ],
    );
    body.extend([I::LocalGet(VALUE), I::I8x16Splat, I::LocalSet(WIDE)]);
    body.extend(when(LENGTH, &I::I32LtU, 16, small));
    body.extend(when(LENGTH, &I::I32LeU, 32, both(16, 1)));
    body.extend(behind(TO, LENGTH, 16));
    body.extend([
        I::LocalSet(LAST),
        I::Loop(BlockType::Empty),
        I::LocalGet(TO),
        I::LocalGet(WIDE),
        store(0, 16),
        I::LocalGet(TO),
        I::I32Const(16),
        I::I32Add,
        I::LocalTee(TO),
        I::LocalGet(LAST),
        I::I32LtU,
        I::BrIf(0),
        I::End,
        I::LocalGet(LAST),
        I::LocalGet(WIDE),
        store(0, 16),
        I::End,
    ]);
    written(&[(1, ValType::V128), (1, ValType::I32)], &body)
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use wasm_encoder::{ExportKind, ExportSection, MemorySection, MemoryType};

    use super::*;

    /// Lengths that are known in [`module`]: those on the spot, and one beyond.
    const KNOWN: i32 = 140;

    /// `copy` and `fill` of any length, and for each length up to [`KNOWN`] `copyN(to, from)` and
    /// `fillN(to, value)`.
    fn module() -> Vec<u8> {
        use Instruction as I;
        let mut types = TypeSection::new();
        types.ty().function([ValType::I32; 3], []);
        types.ty().function([ValType::I32; 2], []);
        let mut functions = FunctionSection::new();
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut exports = ExportSection::new();
        exports.export("memory", ExportKind::Memory, 0);
        let mut code = CodeSection::new();
        let copy = I::MemoryCopy {
            src_mem: 0,
            dst_mem: 0,
        };
        for (name, last) in [("copy", copy), ("fill", I::MemoryFill(0))] {
            for length in -1..=KNOWN {
                let (ty, name, length) = match length {
                    -1 => (0, name.to_owned(), I::LocalGet(2)),
                    n => (1, format!("{name}{n}"), I::I32Const(n)),
                };
                let body = [I::LocalGet(0), I::LocalGet(1), length, last.clone(), I::End];
                exports.export(&name, ExportKind::Func, functions.len());
                functions.function(ty);
                code.function(&written(&[], &body));
            }
        }
        let mut module = Module::new();
        module
            .section(&types)
            .section(&functions)
            .section(&memories)
            .section(&exports)
            .section(&code);
        module.finish()
    }

    #[test]
    fn lengths_are_covered_and_nothing_beyond() {
        for length in 0..=ON_THE_SPOT {
            let mut covered = vec![false; usize::try_from(length).unwrap()];
            for (offset, width) in pieces(length) {
                for at in offset..offset + u64::from(width) {
                    covered[usize::try_from(at).unwrap()] = true;
                }
            }
            assert!(covered.iter().all(|c| *c), "{length}");
        }
        assert_eq!(pieces(24), [(0, 16), (16, 8)]);
        assert_eq!(pieces(31), [(0, 16), (15, 16)]);
    }

    #[test]
    fn copies_and_fills_do_what_they_did() {
        let file = env::temp_dir().join(format!("warifu-copies-{}.wasm", process::id()));
        let made = copies(&module()).unwrap();
        let count = |module: &[u8]| {
            let mut count = 0;
            for payload in Parser::new(0).parse_all(module) {
                if let Payload::CodeSectionEntry(body) = payload.unwrap() {
                    for operator in body.get_operators_reader().unwrap() {
                        let operator = operator.unwrap();
                        count += usize::from(matches!(
                            operator,
                            Operator::MemoryCopy { .. } | Operator::MemoryFill { .. }
                        ));
                    }
                }
            }
            count
        };
        assert!(count(&module()) > 250);
        // What is long, in `copy` and in `fill`.
        assert_eq!(count(&made), 2);
        fs::write(&file, made).unwrap();
        let script = "
            const { readFileSync } = require('node:fs');
            const module = new WebAssembly.Module(readFileSync(process.argv[1]));
            const { memory, ...does } = new WebAssembly.Instance(module).exports;
            const bytes = Buffer.from(memory.buffer, 0, 8192);
            const wanted = Buffer.alloc(bytes.length);
            const fresh = () => wanted.forEach((_, at) => { wanted[at] = at * 37 + (at >> 6); });
            const same = (what) => { if (bytes.compare(wanted) !== 0) throw new Error(what); };
            const lengths = [...Array(300).keys(), 511, 512, 513, 600, 1000];
            for (const length of lengths) {
                for (const apart of [-2000, -600, -33, -17, -16, -9, -8, -5, -3, -1, 0, 1, 2, 4, 7, 8, 15, 16, 31, 100, 2500]) {
                    for (const known of [false, true]) {
                        const name = known ? `copy${length}` : 'copy';
                        if (!does[name]) continue;
                        fresh();
                        bytes.set(wanted);
                        wanted.copyWithin(3001 + apart, 3001, 3001 + length);
                        does[name](3001 + apart, 3001, length);
                        same(`${name} ${length} ${apart}`);
                    }
                }
                for (const value of [0, 1, 255, 0x1a7]) {
                    for (const name of ['fill', `fill${length}`]) {
                        if (!does[name]) continue;
                        fresh();
                        bytes.set(wanted);
                        wanted.fill(value & 255, 3001, 3001 + length);
                        does[name](3001, value, length);
                        same(`${name} ${length} ${value}`);
                    }
                }
            }
        ";
        let run = process::Command::new("node")
            .args(["-e", script])
            .arg(&file)
            .output();
        fs::remove_file(&file).unwrap();
        match run {
            Ok(run) => assert!(
                run.status.success(),
                "{}",
                String::from_utf8_lossy(&run.stderr)
            ),
            Err(_) => println!("skipped: there is no Node.js"),
        }
    }
}
