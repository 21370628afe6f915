//! `pkg/dist`, `playground/dist` and `web/dist`: compile, bind, optimise, lay out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    files,
    process::{self, Output, cargo},
    repo::Repo,
    sizes,
    tools::{self, WasmCompiler},
    wasm_order,
};

/// How much work goes into the modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Compiles fast, keeps names; not optimised.
    Dev,
    /// What is published and measured.
    Release,
}

/// One crate that becomes a module.
struct Module {
    /// Package name.
    package: &'static str,
    /// Folder of its manifest.
    folder: &'static str,
    /// The feature that makes this module, where a crate makes several.
    feature: Option<&'static str>,
    /// Stem of the bound files.
    out_name: &'static str,
    /// What it is made for.
    aim: Aim,
    /// Whether the glue must not name the module's file, since its caller passes it.
    omit_default_path: bool,
    /// Cargo's profile for the release.
    profile: &'static str,
    /// Further flags of rustc.
    flags: &'static [&'static str],
    /// Level of wasm-opt.
    level: &'static [&'static [&'static str]],
    /// Whether imports and exports get short names: for a module whose glue no one else reads.
    short_names: bool,
    /// Classes that a dependency exports and no script takes.
    without: &'static [&'static str],
    /// Whether its tables are written without addresses and lengths.
    packed: bool,
    /// What is taken out of it, to be loaded when it is needed.
    parts: &'static [Part],
}

/// What a module is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// What is loaded over a network, and waited for.
    Size,
    /// What a program reads from its disk: nothing is packed or taken out of it, and it has SIMD. It
    /// shares the glue of the module that is made for size.
    Speed,
}

impl Module {
    /// Name of its folder, and of its file in the package.
    fn name(&self) -> String {
        match self.aim {
            Aim::Size => self.out_name.to_owned(),
            Aim::Speed => format!("{}-fast", self.out_name),
        }
    }

    /// Its parts that are files of their own.
    fn parts_beside(&self) -> &'static [Part] {
        match self.aim {
            Aim::Size => self.parts,
            Aim::Speed => &[],
        }
    }
}

/// What of a module only some functions reach.
#[derive(Debug)]
struct Part {
    /// Name, and stem of its file.
    name: &'static str,
    /// The functions, by their paths, with commas between.
    roots: &'static str,
}

impl Part {
    fn file(&self) -> String {
        format!("{}_bg.wasm", self.name)
    }
}

/// What the converter needs for some files and outputs only.
const PARTS: [Part; 3] = [
    Part {
        name: "clins",
        roots: "warifu_convert::write_clins,warifu_convert::clins_pieces,\
                warifu_map::clins::parts,warifu_map::clins::visit::note_visit,\
                warifu_map::clins::visit::number_by_file",
    },
    Part {
        name: "documents",
        roots: "warifu_map::kinds::document::convert_one,warifu_map::kinds::document::convert_folders",
    },
    // What shows a message: its tree, the names of fields, the trace, and Provenances.
    Part {
        name: "view",
        roots: "warifu_report::finding::names,warifu_wasm::convert::parsed,warifu_wasm::convert::traced,\
                warifu_wasm::convert::traces_of,warifu_convert::trace,warifu_convert::clins_trace,\
                warifu_convert::bundle_hits,warifu_convert::resource_hits,warifu_convert::keep,\
                warifu_convert::hits::Hits::of,warifu_convert::unused,\
                warifu_map::trace::each_hit,warifu_map::trace::note_sources,\
                warifu_map::trace::note_passed_files,warifu_map::trace::note_passed,\
                warifu_map::kinds::provenance::each,warifu_map::kinds::provenance::write",
    },
];

/// SHA-2 as loops: unrolled it is three times as much code.
const SMALL: &[&str] = &["--cfg=sha2_backend_soft=\"compact\""];

/// Passes of wasm-opt that make a module smaller and nothing slower.
const SMALLER: &[&str] = &[
    "--dae-optimizing",
    "--coalesce-locals",
    "--reorder-locals",
    "--rse",
    "--precompute-propagate",
    "--simplify-locals-nostructure",
    "--vacuum",
    "--coalesce-locals",
    "--reorder-locals",
];

/// Passes that put together what is there twice.
const ONCE: &[&str] = &[
    "--duplicate-function-elimination",
    "--merge-blocks",
    "--remove-unused-brs",
    "--code-folding",
    "--vacuum",
];

/// Level of wasm-opt: above -O1 it makes fewer bytes, but more after gzip.
const LEVEL: &[&[&str]] = &[&["-O1"], SMALLER, ONCE];

/// The converter.
const CONVERT: Module = Module {
    package: "warifu-wasm",
    folder: "crates/warifu-wasm",
    feature: Some("convert-alone"),
    out_name: "convert",
    aim: Aim::Size,
    omit_default_path: true,
    profile: "wasm",
    flags: SMALL,
    level: LEVEL,
    short_names: false,
    without: &[],
    packed: true,
    parts: &PARTS,
};

/// The converter for programs, with its parts inside.
const CONVERT_FAST: Module = Module {
    aim: Aim::Speed,
    profile: "wasm-node",
    flags: &["-Ctarget-feature=+simd128"],
    level: &[&["-O3", SIMD]],
    packed: false,
    ..CONVERT
};

/// The check: as the converter, from the same crate.
const CHECK: Module = Module {
    feature: Some("check"),
    out_name: "check",
    parts: &[],
    ..CONVERT
};

/// The validation of FHIR: loaded with the first file of it. It is judged by its speed, too.
const VALIDATE: Module = Module {
    feature: Some("validate"),
    out_name: "validate",
    profile: "wasm-fast",
    // Its tables are full of zeros: a segment for each run between them costs more than the zeros.
    level: &[&["-O1", "--skip-pass=memory-packing"], SMALLER],
    packed: false,
    parts: &[],
    ..CONVERT
};

/// The validation for programs.
const VALIDATE_FAST: Module = Module {
    feature: Some("validate-whole"),
    out_name: "validate",
    parts: &[],
    ..CONVERT_FAST
};

/// The reader of packed storages: loaded when the first is opened.
const UNPACK: Module = Module {
    package: "warifu-unpack",
    folder: "crates/warifu-unpack",
    feature: None,
    out_name: "unpack",
    aim: Aim::Size,
    omit_default_path: true,
    profile: "wasm",
    flags: SMALL,
    level: LEVEL,
    short_names: false,
    without: &[],
    packed: true,
    parts: &[],
};

/// The pages of the converter's rules: loaded when the first is read.
const RULES: Module = Module {
    feature: Some("rules"),
    out_name: "rules",
    parts: &[],
    ..CONVERT
};

/// Consent: verify, decide, render, sign, filter, proofs.
const CONSENT: Module = Module {
    package: "warifu-consent-wasm",
    folder: "crates/warifu-consent-wasm",
    out_name: "consent",
    ..UNPACK
};

/// The playground's user interface: size counts.
const SHELL: Module = Module {
    package: "warifu-playground",
    folder: "playground",
    feature: None,
    out_name: "shell",
    aim: Aim::Size,
    omit_default_path: false,
    profile: "wasm-size",
    // Leptos then boxes the views of components: less code, and half the time to compile.
    flags: &["--cfg=erase_components"],
    // Functions called once stay apart: the module is larger, but 5 kB smaller after gzip.
    level: &[&["-Oz", "--one-caller-inline-max-function-size=20"]],
    short_names: true,
    // Of wasm-streams, which comes with Leptos.
    without: &[
        "IntoUnderlyingByteSource",
        "IntoUnderlyingSink",
        "IntoUnderlyingSource",
    ],
    packed: true,
    parts: &[],
};

/// The portal: its screens, and the consent core that they and the worker with the key use.
const PORTAL: Module = Module {
    package: "warifu-web",
    folder: "web",
    out_name: "portal",
    // Its tables are small.
    packed: false,
    ..SHELL
};

/// What rustc 1.95 emits by default for wasm32, and Node 20 runs.
///
/// Each feature is named: `--all-features` writes modules that Node 20 refuses.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// For wasm-opt, what only the modules that are made for speed use.
const SIMD: &str = "--enable-simd";

/// What nothing reads in a module that is finished.
const STRIP: [&str; 3] = [
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// Replaced in `sw.js` by the list of files to keep for offline use.
const PRECACHE: &str = "__WARIFU_PRECACHE__";

/// What the linker keeps and leaves room for, since constants are laid out anew: relocations, and
/// addresses between the stack, which takes the first megabyte, and the constants.
const LINKER: [&str; 2] = [
    "-Clink-arg=--emit-relocs",
    "-Clink-arg=--global-base=1081344",
];

const MODULES: [&Module; 10] = [
    &CONVERT,
    &CONVERT_FAST,
    &CHECK,
    &VALIDATE,
    &VALIDATE_FAST,
    &RULES,
    &UNPACK,
    &CONSENT,
    &SHELL,
    &PORTAL,
];

/// Builds everything that is made of wasm.
pub(crate) fn build(repo: &Repo, profile: Profile) -> Result<()> {
    let maker = Maker::new(repo, profile)?;
    for module in MODULES {
        maker.make(module)?;
    }
    package(repo, &maker.work)?;
    let tools = maker.modules.as_deref();
    playground(repo, &maker.work, tools)?;
    portal(repo, &maker.work, tools)?;
    if profile == Profile::Release && maker.modules.is_none() {
        println!("wasm: left unoptimised and unpacked, since there is no Node.js for wasm-opt");
    }
    println!("wasm: pkg/dist, playground/dist and web/dist are ready");
    Ok(())
}

/// Makes one module, and says what it weighs; of the folders `dist` only the portal's follows, with its
/// own module.
pub(crate) fn weigh(repo: &Repo, profile: Profile, name: &str) -> Result<()> {
    let Some(module) = MODULES.into_iter().find(|m| m.name() == name) else {
        let names = MODULES.map(Module::name).join(", ");
        bail!("there is no module {name}; there are {names}");
    };
    let maker = Maker::new(repo, profile)?;
    maker.make(module)?;
    let file = format!("{}_bg.wasm", module.out_name);
    let file = maker.work.join(name).join(file);
    let packed = sizes::gzip_size(&file)?;
    println!("wasm: {} weighs {packed} bytes after gzip", file.display());
    for part in module.parts_beside() {
        let packed = sizes::gzip_size(&file.with_file_name(part.file()))?;
        println!("wasm: {} beside it {packed}", part.file());
    }
    if module.out_name == PORTAL.out_name {
        portal(repo, &maker.work, maker.modules.as_deref())?;
    }
    Ok(())
}

/// Compiles `xtask-bindgen`, and checks that it is of the locked version.
fn binder(repo: &Repo) -> Result<PathBuf> {
    let wanted = repo.locked_version("wasm-bindgen")?;
    let there = repo.locked_version("wasm-bindgen-cli-support")?;
    if wanted.is_none() || wanted != there {
        bail!(
            "Cargo.lock has wasm-bindgen {} but wasm-bindgen-cli-support {}; set both to one \
             version in the root Cargo.toml",
            wanted.as_deref().unwrap_or("(none)"),
            there.as_deref().unwrap_or("(none)")
        );
    }
    println!("wasm: wasm-bindgen {} …", wanted.unwrap_or_default());
    let mut command = cargo(&repo.root);
    command
        .args(["build", "--package", "xtask-bindgen"])
        .env("CARGO_TARGET_DIR", &repo.target);
    process::run(&mut command, Output::Shown)?;
    Ok(repo.target.join("debug/xtask-bindgen"))
}

/// What modules are made with.
struct Maker<'r> {
    repo: &'r Repo,
    compiler: WasmCompiler,
    profile: Profile,
    binder: PathBuf,
    /// Of the sources of that program: what it makes changes with them.
    changes: u64,
    /// Programs of npm, where there is Node.js.
    modules: Option<PathBuf>,
    /// A folder a module.
    work: PathBuf,
}

impl<'r> Maker<'r> {
    fn new(repo: &'r Repo, profile: Profile) -> Result<Maker<'r>> {
        let compiler = tools::wasm_compiler(repo)?;
        if compiler == WasmCompiler::Debian {
            println!("wasm: compiler is Debian's, the standard library is built too");
        }
        let modules = match profile {
            Profile::Dev => None,
            Profile::Release => tools::dev_tools(repo)?,
        };
        Ok(Maker {
            repo,
            compiler,
            profile,
            binder: binder(repo)?,
            changes: hash_of(&repo.root.join("crates/xtask-bindgen/src"))?,
            modules,
            work: repo.target.join("wasm-bound"),
        })
    }

    /// Compiles one module, then binds and optimises it into a folder of its own, unless that is
    /// there from the same input.
    fn make(&self, module: &Module) -> Result<()> {
        let Maker {
            repo,
            compiler,
            profile,
            binder,
            changes,
            modules,
            work,
        } = self;
        let modules = modules.as_deref();
        if !repo.has_crate(module.folder, module.package) {
            bail!("{} has no crate {}", module.folder, module.package);
        }
        let start = Instant::now();
        let packed = modules.is_some() && module.packed;
        println!("wasm: {} ({}) …", module.package, module.name());
        let (cargo_profile, folder) = match *profile {
            Profile::Dev => ("dev", "debug"),
            Profile::Release => (module.profile, module.profile),
        };
        let flags = match *profile {
            // What is not optimised is the same for both aims: compiled once.
            Profile::Dev if module.aim == Aim::Speed => SMALL,
            _ => module.flags,
        };
        let mut build = tools::wasm_cargo(repo, *compiler, "rustc", flags);
        build.args([
            "--lib",
            "--package",
            module.package,
            "--profile",
            cargo_profile,
        ]);
        if let Some(feature) = module.feature {
            build.args(["--no-default-features", "--features", feature]);
        }
        if packed {
            build.arg("--").args(LINKER);
        }
        process::run(&mut build, Output::Shown)?;
        let file = format!("{}.wasm", module.package.replace('-', "_"));
        let unbound = tools::wasm_output(repo, *compiler, folder).join(file);

        let folder = work.join(module.name());
        let stamp = folder.join("stamp");
        let input = stamp_of(&unbound, *profile, module, modules, *changes)?;
        if fs::read_to_string(&stamp).ok().as_deref() == Some(input.as_str()) {
            println!("wasm: {} is up to date", module.name());
            return Ok(());
        }
        files::fresh(&folder)?;
        let laid = folder.join("laid.wasm");
        if packed {
            let mut lay = Command::new(binder);
            process::run(lay.arg("lay").arg(&unbound).arg(&laid), Output::Shown)?;
        }
        let mut bind = Command::new(binder);
        bind.arg("bind")
            .arg(if packed { &laid } else { &unbound })
            .arg(&folder)
            .arg(module.out_name);
        if module.omit_default_path {
            bind.arg("--omit-default-path");
        }
        if *profile == Profile::Dev {
            bind.arg("--debug");
        }
        if !module.without.is_empty() {
            bind.arg(format!("--without={}", module.without.join(",")));
        }
        process::run(&mut bind, Output::Shown)?;

        let bound = folder.join(format!("{}_bg.wasm", module.out_name));
        if !module.parts.is_empty() {
            let glue = folder.join(format!("{}.js", module.out_name));
            files::write(&glue, with_parts(&fs::read_to_string(&glue)?)?.as_bytes())?;
            let types = folder.join(format!("{}.d.ts", module.out_name));
            let declared = fs::read_to_string(&types)? + PART_TYPES;
            files::write(&types, declared.as_bytes())?;
        }
        for part in module.parts {
            // Until it is taken out the module has it, and the part is empty.
            files::write(&folder.join(part.file()), b"\0asm\x01\0\0\0")?;
        }
        let before = fs::metadata(&bound)?.len();
        if let Some(modules) = modules {
            let mut traps = Command::new(binder);
            process::run(traps.arg("traps").arg(&bound), Output::Shown)?;
            if module.aim == Aim::Speed {
                let mut copies = Command::new(binder);
                process::run(copies.arg("copies").arg(&bound), Output::Shown)?;
            }
            optimise(modules, &bound, module.level)?;
            let mut files = vec![bound.clone()];
            if packed {
                let mut split = Command::new(binder);
                split.arg("split").arg(&bound).arg(&laid);
                for part in module.parts {
                    split.arg(format!("{}={}", part.file(), part.roots));
                    files.push(folder.join(part.file()));
                }
                process::run(&mut split, Output::Shown)?;
            }
            for file in &files {
                match module.aim {
                    Aim::Size => put_in_order(binder, modules, file)?,
                    Aim::Speed => {
                        let [debug, producers, features] = STRIP;
                        wasm_opt(modules, file, &[debug, producers, features, SIMD])?;
                    }
                }
                compiles(file)?;
            }
            if packed {
                let memory = bound.with_extension("memory");
                let script = repo.root.join("crates/xtask-bindgen/src/memory.cjs");
                let mut check = Command::new("node");
                check.arg(script).arg(&memory).args(&files);
                process::run(&mut check, Output::Shown)
                    .context("a packed module fills memory otherwise than the linker meant")?;
                fs::remove_file(&memory)?;
            }
            if module.short_names {
                shorten_names(
                    modules,
                    &bound,
                    &folder.join(format!("{}.js", module.out_name)),
                )?;
            }
        }
        if packed {
            fs::remove_file(&laid)?;
        }
        println!(
            "wasm: {} done in {:.0} s, {} → {} bytes",
            module.name(),
            start.elapsed().as_secs_f32(),
            before,
            fs::metadata(&bound)?.len()
        );
        files::write(&stamp, input.as_bytes())
    }
}

/// Of all files of a folder.
fn hash_of(folder: &Path) -> Result<u64> {
    let mut hash = files::HASH_SEED;
    for file in files::list(folder)? {
        hash = files::hash(hash, &fs::read(folder.join(file))?);
    }
    Ok(hash)
}

/// What the bound module is made from: the compiled one, and the tools with their options.
fn stamp_of(
    unbound: &Path,
    profile: Profile,
    module: &Module,
    modules: Option<&Path>,
    changes: u64,
) -> Result<String> {
    let hash = files::hash(files::HASH_SEED, &fs::read(unbound)?);
    let optimiser = match modules {
        Some(modules) => fs::read_to_string(modules.join("binaryen/package.json"))?,
        None => String::new(),
    };
    let tools = format!(
        "{profile:?} {:?} {:?} {:?} {} {} {:?} {FEATURES:?} {LINKER:?} {} {changes:016x} {optimiser}",
        module.aim,
        module.level,
        module.parts,
        module.omit_default_path,
        module.short_names,
        module.without,
        wasm_order::VERSION
    );
    let tools = files::hash(files::HASH_SEED, tools.as_bytes());
    Ok(format!("{hash:016x} {tools:016x}"))
}

/// Runs wasm-opt in place. Names of functions stay: parts are found by them.
fn optimise(modules: &Path, wasm: &Path, level: &[&[&str]]) -> Result<()> {
    let mut arguments = level.concat();
    arguments.push("--debuginfo");
    wasm_opt(modules, wasm, &arguments)
}

/// Puts likes beside each other and drops all names and hints.
fn put_in_order(binder: &Path, modules: &Path, wasm: &Path) -> Result<()> {
    let mut hints = Command::new(binder);
    process::run(hints.arg("hints").arg(wasm), Output::Shown)?;
    wasm_opt(modules, wasm, &STRIP)?;
    let mut arguments = vec!["--reorder-functions-by-name"];
    arguments.extend(STRIP);
    let mut best: Option<(usize, Vec<u8>)> = None;
    for round in 0..wasm_order::ROUNDS {
        files::write(wasm, &wasm_order::named(&fs::read(wasm)?, round)?)?;
        wasm_opt(modules, wasm, &arguments)?;
        let size = sizes::gzip_size(wasm)?;
        if best.as_ref().is_none_or(|(least, _)| size < *least) {
            best = Some((size, fs::read(wasm)?));
        }
    }
    match best {
        Some((_, smallest)) => files::write(wasm, &smallest),
        None => Ok(()),
    }
}

/// Lets Node.js compile a module: a broken one is found here.
fn compiles(wasm: &Path) -> Result<()> {
    let mut check = Command::new("node");
    check
        .arg("-e")
        .arg("new WebAssembly.Module(require('node:fs').readFileSync(process.argv[1]))")
        .arg(wasm);
    process::run(&mut check, Output::Shown).context("wasm-opt wrote a broken module")
}

/// Runs wasm-opt in place.
fn wasm_opt(modules: &Path, wasm: &Path, arguments: &[&str]) -> Result<()> {
    let output = wasm.with_extension("opt");
    let mut optimiser = Command::new("node");
    optimiser
        .arg(modules.join("binaryen/bin/wasm-opt"))
        .args(arguments)
        .args(FEATURES)
        .arg(wasm)
        .arg("-o")
        .arg(&output);
    process::run(&mut optimiser, Output::Shown)?;
    fs::rename(&output, wasm)?;
    Ok(())
}

/// What the glue of a module with parts gets.
const PART_GLUE: &str = "
const parts = new Map();

function joinParts() {
    for (const module of parts.values()) new WebAssembly.Instance(module, { c: wasm });
}

/** Joins a part of this module to its instance, and to each later one. */
export function addPart(name, module) {
    if (parts.has(name)) return;
    new WebAssembly.Instance(module, { c: wasm });
    parts.set(name, module);
}
";

const PART_TYPES: &str = "
/** Joins a part of this module to its instance, and to each later one. */
export function addPart(name: string, module: WebAssembly.Module): void;
";

/// A custom section by which the package sees that a module has its parts inside.
const WHOLE: &[u8] = b"\0\x06\x05whole";

/// The glue with [`PART_GLUE`]; wherever it starts an instance, the parts join that.
fn with_parts(glue: &str) -> Result<String> {
    const START: &str = "wasm.__wbindgen_start();";
    if !glue.contains(START) {
        bail!("the glue of wasm-bindgen starts instances in another way than it did");
    }
    Ok(glue.replace(START, &format!("{START}\n    joinParts();")) + PART_GLUE)
}

/// Renames imports and exports in a module and its glue: a hash in each name does not compress.
fn shorten_names(modules: &Path, wasm: &Path, glue: &Path) -> Result<()> {
    let output = wasm.with_extension("short");
    let made = Command::new("node")
        .arg(modules.join("binaryen/bin/wasm-opt"))
        .args(FEATURES)
        .arg("--minify-imports-and-exports-and-modules")
        .arg(wasm)
        .arg("-o")
        .arg(&output)
        .output()
        .context("node")?;
    if !made.status.success() {
        bail!(
            "wasm-opt could not shorten names: {}",
            String::from_utf8_lossy(&made.stderr)
        );
    }
    let names = String::from_utf8(made.stdout)?;
    let script = with_short_names(&fs::read_to_string(glue)?, &names);
    files::write(glue, script.as_bytes())?;
    fs::rename(&output, wasm)?;
    Ok(())
}

/// A script of wasm-bindgen with the names that wasm-opt chose.
///
/// `names` is what it prints: a line `["module", "import", "new"]` or `["export", "new"]` each.
/// All modules become `a`.
fn with_short_names(script: &str, names: &str) -> String {
    let (mut imports, mut exports, mut from) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for line in names.lines() {
        let parts: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        match parts[..] {
            [module, old, new] => {
                imports.insert(old, new);
                from.push(module);
            }
            [old, new] => {
                exports.insert(old, new);
            }
            _ => {}
        }
    }
    from.dedup();
    let mut out = String::with_capacity(script.len());
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let mut rest = script;
    while let Some(start) = rest.find(is_word) {
        let (before, tail) = rest.split_at(start);
        out.push_str(before);
        let end = tail.find(|c| !is_word(c)).unwrap_or(tail.len());
        let (word, tail) = tail.split_at(end);
        let new = if out.ends_with("wasm.") {
            exports.get(word)
        } else {
            imports.get(word)
        };
        out.push_str(new.unwrap_or(&word));
        rest = tail;
    }
    out.push_str(rest);
    for module in from {
        out = out.replace(&format!("\"{module}\""), "\"a\"");
    }
    out
}

/// `pkg/dist`: the modules and the hand-written modules of `pkg/src`.
fn package(repo: &Repo, work: &Path) -> Result<()> {
    let pkg = repo.root.join("pkg");
    let dist = pkg.join("dist");
    files::fresh(&dist)?;
    let wasm = dist.join("wasm");
    for module in MODULES.iter().filter(|m| m.aim == Aim::Speed) {
        let bound = work.join(module.name());
        let (glue, bytes) = (
            format!("{}.js", module.out_name),
            format!("{}_bg.wasm", module.out_name),
        );
        if fs::read(bound.join(&glue))? != fs::read(work.join(module.out_name).join(&glue))? {
            bail!(
                "{} wants another glue than {}",
                module.name(),
                module.out_name
            );
        }
        let mut whole = fs::read(bound.join(bytes))?;
        whole.extend(WHOLE);
        files::write(&wasm.join(format!("{}.wasm", module.name())), &whole)?;
    }
    for module in [&CONVERT, &CHECK, &VALIDATE, &RULES, &UNPACK, &CONSENT] {
        let name = module.out_name;
        let bound = work.join(name);
        for (from, to) in [(".js", ".js"), (".d.ts", ".d.ts"), ("_bg.wasm", ".wasm")] {
            files::copy(
                &bound.join(format!("{name}{from}")),
                &wasm.join(format!("{name}{to}")),
            )?;
        }
        for part in module.parts {
            let to = format!("{name}-{}.wasm", part.name);
            files::copy(&bound.join(part.file()), &wasm.join(to))?;
        }
        copy_snippets(&bound, &wasm)?;
    }
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        files::copy(&repo.root.join(name), &dist.join(name))?;
    }
    let source = pkg.join("src");
    if source.is_dir() {
        files::copy_all(&source, &dist)?;
    }
    if pkg.join("build.mjs").is_file() && tools::node().is_some() {
        let mut build = Command::new("node");
        build.arg("build.mjs").current_dir(&pkg);
        process::run(&mut build, Output::Shown)?;
    }
    Ok(())
}

/// `playground/dist`: shell, converter, check, validation, pages of rules, reader of packed storages, static files, examples, offline list.
fn playground(repo: &Repo, work: &Path, tools: Option<&Path>) -> Result<()> {
    let dist = repo.root.join("playground/dist");
    files::fresh(&dist)?;
    // Consent is for portals, not for the playground.
    let elsewhere = [CONSENT.out_name, PORTAL.out_name];
    let here = |m: &&&Module| m.aim == Aim::Size && !elsewhere.contains(&m.out_name);
    for module in MODULES.iter().filter(here) {
        let bound = work.join(module.out_name);
        for end in [".js", "_bg.wasm"] {
            let name = format!("{}{end}", module.out_name);
            files::copy(&bound.join(&name), &dist.join(&name))?;
        }
        for part in module.parts {
            files::copy(&bound.join(part.file()), &dist.join(part.file()))?;
        }
        copy_snippets(&bound, &dist)?;
    }
    for name in ["tar.mjs", "trace.mjs", "persons.mjs", "shared.mjs"] {
        let own = dist.join(format!("worker-{name}"));
        files::copy(&repo.root.join("pkg/src").join(name), &own)?;
    }
    page_files(repo, "playground/static", &dist, tools)?;
    let fixtures = repo.root.join("tests/fixtures");
    if fixtures.is_dir() {
        examples(&fixtures, &dist.join("examples"))?;
    }
    offline_list(&dist)?;
    Ok(())
}

/// `web/dist`: module, static files, offline list.
fn portal(repo: &Repo, work: &Path, tools: Option<&Path>) -> Result<()> {
    let dist = repo.root.join("web/dist");
    files::fresh(&dist)?;
    let bound = work.join(PORTAL.out_name);
    for end in [".js", "_bg.wasm"] {
        let name = format!("{}{end}", PORTAL.out_name);
        files::copy(&bound.join(&name), &dist.join(&name))?;
    }
    copy_snippets(&bound, &dist)?;
    page_files(repo, "web/static", &dist, tools)?;
    offline_list(&dist)
}

/// The hand-written files of a page, and all its styles and scripts made lean.
fn page_files(repo: &Repo, from: &str, dist: &Path, tools: Option<&Path>) -> Result<()> {
    files::copy_all(&repo.root.join(from), dist)?;
    let style = dist.join("style.css");
    files::write(&style, lean_style(&fs::read_to_string(&style)?).as_bytes())?;
    let mut scripts = Vec::new();
    for name in files::list(dist)? {
        if !name.extension().is_some_and(|e| e == "js" || e == "mjs") {
            continue;
        }
        let file = dist.join(name);
        let lean = without_comments(&fs::read_to_string(&file)?);
        files::write(&file, lean.as_bytes())?;
        scripts.push(file);
    }
    if let Some(modules) = tools {
        let mut lean = Command::new("node");
        lean.arg(repo.root.join("crates/xtask/src/lean.mjs"));
        lean.arg(modules.join("vite/dist/node/index.js"));
        process::run(lean.args(scripts), Output::Shown)?;
    }
    Ok(())
}

/// The service worker learns what to keep.
fn offline_list(dist: &Path) -> Result<()> {
    let worker = dist.join("sw.js");
    if worker.is_file() {
        let text = fs::read_to_string(&worker)?;
        let text = text.replace(PRECACHE, &precache(dist)?);
        files::write(&worker, text.as_bytes())?;
    }
    Ok(())
}

/// JavaScript that dependencies bring along.
fn copy_snippets(work: &Path, to: &Path) -> Result<()> {
    let snippets = work.join("snippets");
    if snippets.is_dir() {
        files::copy_all(&snippets, &to.join("snippets"))?;
    }
    Ok(())
}

/// A style sheet without comments and needless spaces. No text in quotes holds `/*`, `;` or `{`.
fn lean_style(css: &str) -> String {
    let mut bare = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, comment)) = rest.split_once("/*") {
        bare.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    bare.push_str(rest);
    let mut out = bare.split_whitespace().collect::<Vec<_>>().join(" ");
    for sign in ["{", "}", ";", ","] {
        out = out
            .replace(&format!(" {sign}"), sign)
            .replace(&format!("{sign} "), sign);
    }
    // A space before a colon may stand between two selectors; one after it never does.
    out.replace(": ", ":").replace(";}", "}")
}

/// A script without its comment lines and indentation: two kilobytes after gzip. Where there is Node.js,
/// `lean.mjs` then shortens its local names and the like: a fifth of what is left.
///
/// Good for what wasm-bindgen writes and for our own scripts, where no text in quotes goes over a
/// line's end and no line of code starts with `* ` (one of a generator, `*name()`, may).
fn without_comments(script: &str) -> String {
    script
        .lines()
        .map(str::trim_start)
        .filter(|line| {
            !(line.is_empty()
                || line.starts_with("//")
                || line.starts_with("/*")
                || line == &"*"
                || line.starts_with("* ")
                || line.starts_with("*/"))
        })
        .fold(String::with_capacity(script.len()), |mut out, line| {
            out.push_str(line);
            out.push('\n');
            out
        })
}

/// `{"version":…,"files":[…]}` of everything but the service worker itself.
///
/// The examples count for the version, but are not listed: their own index does that. The validation
/// of FHIR, two thirds of the bytes, is kept (`later`) once it was needed.
fn precache(dist: &Path) -> Result<String> {
    let mut version = files::HASH_SEED;
    let (mut names, mut later) = (Vec::new(), Vec::new());
    for file in files::list(dist)? {
        let name = files::slashed(&file);
        if name == "sw.js" {
            continue;
        }
        version = files::hash(version, name.as_bytes());
        version = files::hash(version, &fs::read(dist.join(&file))?);
        if name.starts_with(VALIDATE.out_name) {
            later.push(files::json_string(&name));
        } else if !name.starts_with("examples/") {
            names.push(files::json_string(&name));
        }
    }
    Ok(format!(
        r#"{{"version":"{version:016x}","files":[{}],"later":[{}]}}"#,
        names.join(","),
        later.join(",")
    ))
}

/// Copies the fixtures and writes `index.json`: `[{"path":…,"bytes":…}]`, sorted by path.
fn examples(fixtures: &Path, to: &Path) -> Result<()> {
    let mut entries = Vec::new();
    for file in files::list(fixtures)? {
        let name = files::slashed(&file);
        let target = to.join(&file);
        files::copy(&fixtures.join(&file), &target)?;
        entries.push(format!(
            r#"{{"path":{},"bytes":{}}}"#,
            files::json_string(&name),
            fs::metadata(&target)?.len()
        ));
    }
    let index = format!("[{}]\n", entries.join(",\n"));
    files::write(&to.join("index.json"), index.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    #[test]
    fn precache_lists_all_but_the_worker_and_changes_with_the_content() {
        let dist = env::temp_dir().join(format!("warifu-precache-{}", std::process::id()));
        files::fresh(&dist).unwrap();
        files::write(&dist.join("sw.js"), b"a").unwrap();
        files::write(&dist.join("icons/a.svg"), b"a").unwrap();
        files::write(&dist.join("index.html"), b"a").unwrap();
        files::write(&dist.join("validate_bg.wasm"), b"a").unwrap();
        let first = precache(&dist).unwrap();
        assert!(
            first
                .ends_with(r#""files":["icons/a.svg","index.html"],"later":["validate_bg.wasm"]}"#),
            "{first}"
        );
        files::write(&dist.join("sw.js"), b"b").unwrap();
        assert_eq!(precache(&dist).unwrap(), first);
        files::write(&dist.join("index.html"), b"b").unwrap();
        assert_ne!(precache(&dist).unwrap(), first);
        fs::remove_dir_all(dist).unwrap();
    }

    #[test]
    fn parts_join_every_instance() {
        let glue = "function a() { wasm.__wbindgen_start(); }\nfunction b() { wasm.__wbindgen_start(); }\n";
        let made = with_parts(glue).unwrap();
        assert_eq!(
            made.matches("__wbindgen_start();\n    joinParts();")
                .count(),
            2
        );
        assert!(made.contains("export function addPart(name, module)"));
        assert!(with_parts("function a() {}").is_err());
    }

    #[test]
    fn glue_keeps_its_code() {
        let glue = "/**\n * @param {number} a\n *\n */\nfunction f(a) {\n    // why\n    return a * 2;\n}\n  *all() {}\n\n";
        assert_eq!(
            without_comments(glue),
            "function f(a) {\nreturn a * 2;\n}\n*all() {}\n"
        );
    }

    #[test]
    fn styles_keep_their_selectors() {
        let css = "/* a */\n.a :focus, .b > c {\n  color: red; margin: 0 1px;\n}\n@media (max-width: 9px) { .a { top: calc(1px + 2px); } }\n";
        assert_eq!(
            lean_style(css),
            ".a :focus,.b > c{color:red;margin:0 1px}@media (max-width:9px){.a{top:calc(1px + 2px)}}"
        );
    }

    #[test]
    fn names_are_shortened_as_words() {
        let names = "{\n \"imports\": [\n  [\"./s_bg.js\", \"__wbg_go_12\", \"$\"],\n  [\"./s_bg.js\", \"go\", \"a\"]\n ],\n \"exports\": [\n  [\"memory\", \"b\"],\n  [\"mount\", \"c\"]\n ]\n}\n";
        let script = "export function mount() { wasm.mount(wasm.memory); }\nx = { \"./s_bg.js\": { __wbg_go_12: () => {}, go: () => {} } }; gone; memory";
        assert_eq!(
            with_short_names(script, names),
            "export function mount() { wasm.c(wasm.b); }\nx = { \"a\": { $: () => {}, a: () => {} } }; gone; memory"
        );
    }

    #[test]
    fn examples_are_indexed_with_their_sizes() {
        let folder = env::temp_dir().join(format!("warifu-examples-{}", std::process::id()));
        files::fresh(&folder).unwrap();
        files::write(&folder.join("from/b/例"), b"12345").unwrap();
        files::write(&folder.join("from/a"), b"").unwrap();
        examples(&folder.join("from"), &folder.join("to")).unwrap();
        let index = fs::read_to_string(folder.join("to/index.json")).unwrap();
        assert_eq!(
            index,
            "[{\"path\":\"a\",\"bytes\":0},\n{\"path\":\"b/例\",\"bytes\":5}]\n"
        );
        assert_eq!(fs::read(folder.join("to/b/例")).unwrap(), b"12345");
        fs::remove_dir_all(folder).unwrap();
    }
}
