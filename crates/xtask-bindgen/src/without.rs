//! Classes that a dependency exports and nobody takes: wasm-bindgen keeps all that is marked, and with it
//! the code behind. Without them the page's module is 1.6 kB smaller after gzip, its glue 0.5.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, anyhow, bail};
use wasm_encoder::{
    ExportSection, Module,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{ExportSectionReader, Parser};

/// The module and its glue without these classes, and without the exports that only they call.
pub(crate) fn without(module: &[u8], glue: &str, classes: &[String]) -> Result<(Vec<u8>, String)> {
    let mut kept = glue.to_owned();
    let mut cut = String::new();
    for class in classes {
        let dispose = format!("if (Symbol.dispose) {class}.prototype[Symbol.dispose]");
        for (start, end) in [
            (format!("export class {class} {{\n"), "\n}\n"),
            (dispose, "\n"),
            (format!("const {class}Finalization = "), "\n});\n"),
        ] {
            let at = kept
                .find(&start)
                .with_context(|| format!("the glue has no `{}`", start.trim()))?;
            let (before, rest) = kept.split_at(at);
            let (piece, after) = rest
                .split_once(end)
                .with_context(|| format!("`{}` does not end", start.trim()))?;
            cut.push_str(piece);
            kept = format!("{before}{after}");
        }
    }
    if let Some(class) = classes.iter().find(|class| kept.contains(class.as_str())) {
        bail!("the glue needs its class {class}");
    }
    let needed = calls(&kept);
    let unneeded = calls(&cut)
        .into_iter()
        .filter(|name| !needed.contains(name))
        .collect();
    let mut made = Module::new();
    Exports(unneeded)
        .parse_core_module(&mut made, Parser::new(0), module)
        .map_err(|error| anyhow!("the module cannot be written anew: {error}"))?;
    Ok((made.finish(), kept))
}

/// Names of the exports that a script names.
fn calls(script: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let behind = script.split("wasm.").skip(1);
    behind
        .map(|rest| rest.split(|c| !is_word(c)).next().unwrap_or("").to_owned())
        .collect()
}

struct Exports(BTreeSet<String>);

impl Reencode for Exports {
    type Error = std::convert::Infallible;

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        for export in section {
            let export = export?;
            if !self.0.contains(export.name) {
                utils::parse_export(self, exports, export)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        CodeSection, ExportKind, Function, FunctionSection, Instruction, TypeSection,
    };
    use wasmparser::Payload;

    use super::*;

    const GLUE: &str = "
export class Left {
    free() {
        wasm.__wbg_left_free(this.ptr, 0);
    }
    push() {
        wasm.left_push(this.ptr); wasm.malloc(1);
    }
}
if (Symbol.dispose) Left.prototype[Symbol.dispose] = Left.prototype.free;

export function mount() {
    wasm.mount(); wasm.malloc(2);
}
const LeftFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(({ ptr, instance }) => {
    if (instance === __wbg_instance_id) wasm.__wbg_left_free(ptr, 1);
});
";

    fn module() -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let (mut functions, mut exports) = (FunctionSection::new(), ExportSection::new());
        let mut code = CodeSection::new();
        for name in ["mount", "left_push", "__wbg_left_free", "malloc"] {
            exports.export(name, ExportKind::Func, functions.len());
            functions.function(0);
            let mut function = Function::new([]);
            function.instruction(&Instruction::End);
            code.function(&function);
        }
        let mut module = Module::new();
        module
            .section(&types)
            .section(&functions)
            .section(&exports)
            .section(&code);
        module.finish()
    }

    #[test]
    fn what_only_the_class_calls_goes_with_it() {
        let classes = ["Left".to_owned()];
        let (made, glue) = without(&module(), GLUE, &classes).unwrap();
        assert_eq!(
            glue.trim(),
            "export function mount() {\n    wasm.mount(); wasm.malloc(2);\n}"
        );
        let mut names = Vec::new();
        for payload in Parser::new(0).parse_all(&made) {
            if let Payload::ExportSection(section) = payload.unwrap() {
                names.extend(section.into_iter().map(|e| e.unwrap().name.to_owned()));
            }
        }
        assert_eq!(names, ["mount", "malloc"]);
    }

    #[test]
    fn a_class_that_is_needed_or_not_there_is_told() {
        let needed = format!("{GLUE}\nx = Left.__wrap(1);\n");
        let said = without(&module(), &needed, &["Left".to_owned()]).unwrap_err();
        assert_eq!(said.to_string(), "the glue needs its class Left");
        let said = without(&module(), GLUE, &["Right".to_owned()]).unwrap_err();
        assert_eq!(said.to_string(), "the glue has no `export class Right {`");
    }
}
