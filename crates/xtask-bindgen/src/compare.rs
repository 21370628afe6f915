//! Comparisons by words.
//!
//! `memcmp` and `bcmp` of the standard library for wasm32 go byte by byte; what stands here in their place
//! compares eight bytes at a time.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use wasm_encoder::{
    BlockType, CodeSection, Function, Instruction, MemArg, Module, ValType,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{FunctionBody, Parser, Payload, TypeRef};

use crate::names;

/// The module with other bodies of `memcmp` and `bcmp`.
pub(crate) fn compare(module: &[u8]) -> Result<Vec<u8>> {
    let mut next = 0;
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(imports) = payload? {
            for import in imports.into_imports() {
                next += u32::from(matches!(import?.ty, TypeRef::Func(_)));
            }
        }
    }
    let mut bodies = BTreeMap::new();
    for (function, name) in names::functions(module)? {
        match name.as_str() {
            "memcmp" => drop(bodies.insert(function, order())),
            "bcmp" => drop(bodies.insert(function, differ())),
            _ => {}
        }
    }
    let mut made = Module::new();
    Bodies { next, bodies }
        .parse_core_module(&mut made, Parser::new(0), module)
        .context("the module cannot be written anew")?;
    Ok(made.finish())
}

struct Bodies {
    /// Number of the function that is read next.
    next: u32,
    /// What others become.
    bodies: BTreeMap<u32, Function>,
}

impl Reencode for Bodies {
    type Error = std::convert::Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let function = self.next;
        self.next += 1;
        match self.bodies.get(&function) {
            Some(other) => {
                code.function(other);
                Ok(())
            }
            None => utils::parse_function_body(self, code, body),
        }
    }
}

fn function(locals: u32, body: &[Instruction<'_>]) -> Function {
    let mut function = Function::new([(locals, ValType::I32)]);
    for instruction in body {
        function.instruction(instruction);
    }
    function
}

const fn at(offset: u64) -> MemArg {
    MemArg {
        offset,
        align: 0,
        memory_index: 0,
    }
}

/// `memcmp(a, b, length)`.
fn order() -> Function {
    use Instruction as I;
    const A: u32 = 0;
    const B: u32 = 1;
    const LENGTH: u32 = 2;
    const DIFFERENCE: u32 = 3;
    let step = |bytes: i32| {
        [
            I::LocalGet(A),
            I::I32Const(bytes),
            I::I32Add,
            I::LocalSet(A),
            I::LocalGet(B),
            I::I32Const(bytes),
            I::I32Add,
            I::LocalSet(B),
            I::LocalGet(LENGTH),
            I::I32Const(bytes),
            I::I32Sub,
            I::LocalSet(LENGTH),
            I::Br(0),
            I::End,
            I::End,
        ]
    };
    let mut body = vec![
        I::Block(BlockType::Empty),
        I::Loop(BlockType::Empty),
        I::LocalGet(LENGTH),
        I::I32Const(8),
        I::I32LtU,
        I::BrIf(1),
        I::LocalGet(A),
        I::I64Load(at(0)),
        I::LocalGet(B),
        I::I64Load(at(0)),
        I::I64Ne,
        I::BrIf(1),
    ];
    body.extend(step(8));
    body.extend([
        I::Block(BlockType::Empty),
        I::Loop(BlockType::Empty),
        I::LocalGet(LENGTH),
        I::I32Eqz,
        I::BrIf(1),
        I::LocalGet(A),
        I::I32Load8U(at(0)),
        I::LocalGet(B),
        I::I32Load8U(at(0)),
        I::I32Sub,
        I::LocalTee(DIFFERENCE),
        I::BrIf(1),
    ]);
    body.extend(step(1));
    body.extend([I::LocalGet(DIFFERENCE), I::End]);
    function(1, &body)
}

/// `bcmp(a, b, length)`: zero if there is no difference.
fn differ() -> Function {
    use Instruction as I;
    const A: u32 = 0;
    const B: u32 = 1;
    const LENGTH: u32 = 2;
    const LAST: u32 = 3;
    let word = [
        I::LocalGet(A),
        I::I64Load(at(0)),
        I::LocalGet(B),
        I::I64Load(at(0)),
        I::I64Ne,
    ];
    // A place in both, as an expression, and whether they differ there.
    let differs = |place: &[I<'static>], load: &I<'static>| {
        let mut body = Vec::new();
        for start in [A, B] {
            body.push(I::LocalGet(start));
            body.extend_from_slice(place);
            body.push(load.clone());
        }
        body.push(I::I32Xor);
        body
    };
    let tail = |length: i32| {
        [
            I::LocalGet(LENGTH),
            I::I32Add,
            I::I32Const(length),
            I::I32Sub,
        ]
    };
    let mut body = vec![
        I::LocalGet(LENGTH),
        I::I32Const(8),
        I::I32GeU,
        I::If(BlockType::Empty),
        I::LocalGet(A),
    ];
    body.extend(tail(8));
    body.extend([I::LocalSet(LAST), I::Loop(BlockType::Empty)]);
    body.extend(word.clone());
    body.extend([
        I::If(BlockType::Empty),
        I::I32Const(1),
        I::Return,
        I::End,
        I::LocalGet(B),
        I::I32Const(8),
        I::I32Add,
        I::LocalSet(B),
        I::LocalGet(A),
        I::I32Const(8),
        I::I32Add,
        I::LocalTee(A),
        I::LocalGet(LAST),
        I::I32LeU,
        I::BrIf(0),
        I::End,
        // The last word, part of which may have been compared.
        I::LocalGet(B),
        I::LocalGet(A),
        I::I32Sub,
        I::LocalGet(LAST),
        I::I32Add,
        I::LocalSet(B),
        I::LocalGet(LAST),
        I::LocalSet(A),
    ]);
    body.extend(word);
    body.extend([
        I::Return,
        I::End,
        I::LocalGet(LENGTH),
        I::I32Const(4),
        I::I32GeU,
        I::If(BlockType::Empty),
    ]);
    body.extend(differs(&[], &I::I32Load(at(0))));
    body.extend(differs(&tail(4), &I::I32Load(at(0))));
    body.extend([I::I32Or, I::Return, I::End]);
    body.extend([
        I::LocalGet(LENGTH),
        I::I32Eqz,
        I::If(BlockType::Empty),
        I::I32Const(0),
        I::Return,
        I::End,
    ]);
    // Up to three bytes: the first, the middle and the last are all of them.
    let byte = I::I32Load8U(at(0));
    body.extend(differs(&[], &byte));
    let middle = [I::LocalGet(LENGTH), I::I32Const(1), I::I32ShrU, I::I32Add];
    body.extend(differs(&middle, &byte));
    body.push(I::I32Or);
    body.extend(differs(&tail(1), &byte));
    body.extend([I::I32Or, I::End]);
    function(1, &body)
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use wasm_encoder::{
        ExportKind, ExportSection, FunctionSection, MemorySection, MemoryType, NameMap,
        NameSection, TypeSection,
    };

    use super::*;

    /// `memcmp` and `bcmp` that say 7.
    fn module() -> Vec<u8> {
        use Instruction as I;
        let mut types = TypeSection::new();
        types.ty().function([ValType::I32; 3], [ValType::I32]);
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
        let mut names = NameMap::new();
        let seven = [I::I32Const(7), I::End];
        for (number, name) in ["memcmp", "bcmp"].into_iter().enumerate() {
            let number = u32::try_from(number).unwrap();
            functions.function(0);
            exports.export(name, ExportKind::Func, number);
            code.function(&function(0, &seven));
            names.append(number, name);
        }
        let mut name = NameSection::new();
        name.functions(&names);
        let mut module = Module::new();
        module
            .section(&types)
            .section(&functions)
            .section(&memories)
            .section(&exports)
            .section(&code)
            .section(&name);
        module.finish()
    }

    #[test]
    fn comparisons_do_what_they_did() {
        let file = env::temp_dir().join(format!("warifu-compare-{}.wasm", process::id()));
        let made = compare(&module()).unwrap();
        fs::write(&file, made).unwrap();
        let script = "
            const { readFileSync } = require('node:fs');
            const module = new WebAssembly.Module(readFileSync(process.argv[1]));
            const { memory, memcmp, bcmp } = new WebAssembly.Instance(module).exports;
            const bytes = Buffer.from(memory.buffer, 0, 4096);
            bytes.forEach((_, at) => { bytes[at] = at * 37 + (at >> 6); });
            for (let length = 0; length <= 150; length += 1) {
                for (let at = -1; at < length; at += 1) {
                    for (const by of [1, 200]) {
                        bytes.copy(bytes, 2000, 101, 101 + length);
                        if (at >= 0) bytes[2000 + at] += by;
                        const other = bytes.subarray(2000, 2000 + length);
                        const order = bytes.subarray(101, 101 + length).compare(other);
                        if (Math.sign(memcmp(101, 2000, length)) !== order) throw new Error(`memcmp ${length} ${at}`);
                        if ((bcmp(101, 2000, length) !== 0) !== (at >= 0)) throw new Error(`bcmp ${length} ${at}`);
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
