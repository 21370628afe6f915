//! `warifu-synth`: writes invented SS-MIX2 storages.
//!
//! - `warifu-synth fixtures DIR` writes the bundled fixtures below `DIR`
//! - `warifu-synth storage [--messages N] [--patients N] [--seed N] DIR` writes a storage
//! - `… storage … --tar` or `--transaction` writes it to standard output instead
#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use warifu_synth::{Plan, fixtures};

const USAGE: &str = "usage: warifu-synth fixtures DIR
       warifu-synth storage [--messages N] [--patients N] [--seed N] (DIR | --tar | --transaction)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "warifu-synth: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    match arguments {
        ["fixtures", directory] => {
            let root = Path::new(directory);
            for (path, bytes) in fixtures::files() {
                write_file(root, &path, &bytes)?;
            }
            Ok(())
        }
        ["storage", rest @ ..] => storage(rest),
        _ => Err(USAGE.into()),
    }
}

fn storage(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut plan = Plan {
        seed: 1,
        patients: 0,
        messages: 1000,
    };
    let mut target = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--messages" => plan.messages = rest.next().ok_or(USAGE)?.parse()?,
            "--patients" => plan.patients = rest.next().ok_or(USAGE)?.parse()?,
            "--seed" => plan.seed = rest.next().ok_or(USAGE)?.parse()?,
            option
                if option.starts_with("--") && option != "--tar" && option != "--transaction" =>
            {
                return Err(USAGE.into());
            }
            other => target = Some(other),
        }
    }
    if plan.patients == 0 {
        // A patient of a large storage has about forty messages.
        plan.patients = plan.messages.div_ceil(40);
    }
    match target {
        Some("--tar") => tar(plan, BufWriter::with_capacity(1 << 20, io::stdout().lock()))?,
        Some("--transaction") => {
            let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
            for one in plan.items() {
                out.write_all(one.transaction_header().as_bytes())?;
                out.write_all(&one.bytes)?;
            }
            out.flush()?;
        }
        Some(directory) => {
            let root = Path::new(directory);
            for (path, bytes) in plan.files() {
                write_file(root, &path, &bytes)?;
            }
        }
        None => return Err(USAGE.into()),
    }
    Ok(())
}

fn write_file(root: &Path, path: &str, bytes: &[u8]) -> io::Result<()> {
    let path: PathBuf = root.join(path);
    // The folder mostly exists already; asking each time would cost as much as the write.
    if let Err(error) = fs::write(&path, bytes) {
        if error.kind() != io::ErrorKind::NotFound {
            return Err(error);
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, bytes)?;
    }
    Ok(())
}

/// A POSIX tar (ustar) of the storage; the names of a standard storage are plain ASCII and fit
/// prefix and name.
fn tar(plan: Plan, mut out: impl Write) -> Result<(), Box<dyn Error>> {
    const BLOCK: usize = 512;
    for (path, bytes) in plan.files() {
        let (prefix, name) = path.rsplit_once('/').ok_or("a path without folder")?;
        let mut header = Vec::with_capacity(BLOCK);
        field(&mut header, name, 100);
        field(&mut header, "0000644", 8);
        field(&mut header, "0000000", 8);
        field(&mut header, "0000000", 8);
        field(&mut header, &format!("{:011o}", bytes.len()), 12);
        field(&mut header, "00000000000", 12);
        let sum_at = header.len();
        header.extend_from_slice(b"        0");
        field(&mut header, "", 100);
        header.extend_from_slice(b"ustar\x0000");
        field(&mut header, "", 80);
        field(&mut header, prefix, 155);
        header.resize(BLOCK, 0);
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header.splice(sum_at..sum_at + 8, format!("{sum:06o}\0 ").into_bytes());
        out.write_all(&header)?;
        out.write_all(&bytes)?;
        let padding = bytes.len().next_multiple_of(BLOCK) - bytes.len();
        out.write_all(&vec![0; padding])?;
    }
    out.write_all(&[0; 2 * BLOCK])?;
    out.flush()?;
    Ok(())
}

/// Appends `text`, cut or padded with NUL to `width`.
fn field(header: &mut Vec<u8>, text: &str, width: usize) {
    let end = header.len() + width;
    header.extend(text.bytes().take(width));
    header.resize(end, 0);
}
