//! What is done to compiled modules with libraries:
//!
//! - `xtask-bindgen bind INPUT.wasm OUT_DIR OUT_NAME [--omit-default-path] [--debug] [--without=CLASS,…]`
//!   writes the JavaScript glue, its types and the bound module of one crate, for the `web` target; what is
//!   imported gets short names ([`imports`]), classes that nobody takes are left out ([`without`]).
//! - `xtask-bindgen traps MODULE.wasm` makes panics of a bound module traps ([`traps`]), and
//!   compares by words ([`compare`]).
//! - `xtask-bindgen copies MODULE.wasm` gives a bound module short copies of its own ([`copies`]).
//! - `xtask-bindgen hints MODULE.wasm` levels the hints of alignment ([`hints`]).
//! - `xtask-bindgen lay LINKED.wasm OUTPUT.wasm` puts constants in an order that packs well ([`lay`]).
//! - `xtask-bindgen split MODULE.wasm LINKED.wasm FILE=ROOT,…` takes parts out of a bound module and
//!   writes them into files beside it ([`split`]), and what memory must be once they have started into
//!   `MODULE.memory`, which `memory.cjs` compares.
//!
//! It is a program of its own because wasm-bindgen takes a minute to compile and `cargo xtask`
//! is wanted in seconds. Cargo itself keeps its version equal to the `wasm-bindgen` of the
//! crates it binds: both need exactly one `wasm-bindgen-shared`.
#![forbid(unsafe_code)]

mod compare;
mod copies;
mod hints;
mod imports;
mod lay;
mod linked;
mod names;
mod pack;
mod split;
mod traps;
mod without;

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

/// One run: what to bind, and where the result goes.
struct Job {
    input: PathBuf,
    out_dir: PathBuf,
    out_name: String,
    /// The caller passes the module itself; the glue names no file.
    omit_default_path: bool,
    /// Keep names and debug sections, and check the calls.
    debug: bool,
    /// Exported classes that are left out, unless names are kept.
    without: Vec<String>,
}

fn main() -> Result<()> {
    let mut arguments = env::args_os().skip(1);
    let verb = arguments.next().unwrap_or_default();
    let texts = |arguments: env::ArgsOs| -> Result<Vec<String>> {
        arguments
            .skip(2)
            .map(|argument| {
                argument
                    .into_string()
                    .ok()
                    .context("an argument is not Unicode")
            })
            .collect()
    };
    match verb.to_str() {
        Some("bind") => bind(&parse(arguments)?),
        Some("traps") => match &texts(env::args_os())?[..] {
            [module] => {
                let trapped = traps::traps(&fs::read(module)?)?;
                Ok(fs::write(module, compare::compare(&trapped)?)?)
            }
            _ => bail!("usage: xtask-bindgen traps MODULE.wasm"),
        },
        Some("copies") => match &texts(env::args_os())?[..] {
            [module] => Ok(fs::write(module, copies::copies(&fs::read(module)?)?)?),
            _ => bail!("usage: xtask-bindgen copies MODULE.wasm"),
        },
        Some("hints") => match &texts(env::args_os())?[..] {
            [module] => Ok(fs::write(module, hints::hints(&fs::read(module)?)?)?),
            _ => bail!("usage: xtask-bindgen hints MODULE.wasm"),
        },
        Some("lay") => match &texts(env::args_os())?[..] {
            [linked, output] => Ok(fs::write(output, lay::lay(&fs::read(linked)?)?)?),
            _ => bail!("usage: xtask-bindgen lay LINKED.wasm OUTPUT.wasm"),
        },
        Some("split") => match &texts(env::args_os())?[..] {
            [module, linked, parts @ ..] => take_apart(Path::new(module), Path::new(linked), parts),
            _ => bail!("usage: xtask-bindgen split MODULE.wasm LINKED.wasm FILE=ROOT,…"),
        },
        _ => bail!("usage: xtask-bindgen bind|lay|traps|copies|hints|split …"),
    }
}

fn take_apart(module: &Path, linked: &Path, parts: &[String]) -> Result<()> {
    let wanted = parts
        .iter()
        .map(|part| {
            let (name, roots) = part.split_once('=').context("a part is FILE=ROOT,…")?;
            let roots = roots.split(',').collect();
            Ok(split::Wanted { name, roots })
        })
        .collect::<Result<Vec<_>>>()?;
    let made = split::split(&fs::read(module)?, &fs::read(linked)?, &wanted)?;
    for (part, content) in wanted.iter().zip(made.parts) {
        fs::write(module.with_file_name(part.name), content)?;
    }
    fs::write(module, made.core)?;
    fs::write(module.with_extension("memory"), made.memory)?;
    Ok(())
}

fn bind(job: &Job) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(&job.input)
        .web(true)?
        .typescript(true)
        .omit_default_module_path(job.omit_default_path)
        // After a trap the package starts a new instance of the module.
        .reset_state_function(true)
        .debug(job.debug)
        .demangle(false)
        .keep_debug(job.debug)
        .remove_name_section(false)
        .remove_producers_section(true)
        .out_name(&job.out_name);
    bindgen
        .generate(&job.out_dir)
        .with_context(|| format!("wasm-bindgen could not bind {}", job.input.display()))?;
    if job.debug {
        return Ok(());
    }
    let module = job.out_dir.join(format!("{}_bg.wasm", job.out_name));
    let glue = job.out_dir.join(format!("{}.js", job.out_name));
    let (module_made, glue_made) =
        imports::shorten(&fs::read(&module)?, &fs::read_to_string(&glue)?)?;
    let (module_made, glue_made) = without::without(&module_made, &glue_made, &job.without)?;
    fs::write(module, module_made)?;
    Ok(fs::write(glue, glue_made)?)
}

fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Job> {
    let (mut omit_default_path, mut debug, mut plain) = (false, false, Vec::new());
    let mut without = Vec::new();
    for argument in arguments {
        match argument.to_str() {
            Some("--omit-default-path") => omit_default_path = true,
            Some("--debug") => debug = true,
            Some(option) if option.starts_with("--without=") => {
                let classes = option.split_once('=').map_or("", |(_, classes)| classes);
                without.extend(classes.split(',').map(str::to_owned));
            }
            Some(option) if option.starts_with("--") => bail!("unknown option {option}"),
            _ => plain.push(argument),
        }
    }
    let Ok([input, out_dir, out_name]) = <[OsString; 3]>::try_from(plain) else {
        bail!(
            "usage: xtask-bindgen bind INPUT.wasm OUT_DIR OUT_NAME [--omit-default-path] [--debug] \
             [--without=CLASS,…]"
        );
    };
    let Ok(out_name) = out_name.into_string() else {
        bail!("OUT_NAME is not Unicode");
    };
    Ok(Job {
        input: input.into(),
        out_dir: out_dir.into(),
        out_name,
        omit_default_path,
        debug,
        without,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str) -> Result<Job> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn flags_may_stand_anywhere() {
        let job = check("--debug a.wasm out --omit-default-path --without=A,B convert").unwrap();
        assert!(job.debug && job.omit_default_path);
        assert_eq!(job.without, ["A", "B"]);
        assert_eq!(job.input, PathBuf::from("a.wasm"));
        assert_eq!(job.out_dir, PathBuf::from("out"));
        assert_eq!(job.out_name, "convert");
    }

    #[test]
    fn wrong_number_of_arguments_and_unknown_options_are_refused() {
        assert!(check("a.wasm out").is_err());
        assert!(check("a.wasm out convert more").is_err());
        assert!(check("a.wasm out convert --fast").is_err());
    }
}
