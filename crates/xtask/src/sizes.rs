//! Sizes of the wasm pieces as a browser loads them, against their budgets.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use flate2::{Compression, write::GzEncoder};

use crate::{files, repo::Repo};

/// A piece, its files, and what it may weigh: gzip -9, kB = 1,000 bytes.
///
/// Raising a budget needs a line in CHANGELOG. The goals of the converter are 350, with the shell
/// 500 kB: what stands here keeps it, and what is loaded with it, from growing.
struct Piece {
    name: &'static str,
    folder: &'static str,
    /// Names in that folder that count.
    counts: fn(&str) -> bool,
    budget_kb: usize,
}

const PIECES: [Piece; 19] = [
    Piece {
        name: "core (parse + convert, wasm alone)",
        folder: "pkg/dist/wasm",
        counts: |name| name == "convert.wasm",
        budget_kb: 350,
    },
    Piece {
        name: "playground converter (wasm, glue, worker)",
        folder: "playground/dist",
        counts: is_converter,
        budget_kb: 363,
    },
    Piece {
        name: "playground shell (everything else of the first load)",
        folder: "playground/dist",
        counts: |name| is_first(name) && !is_converter(name),
        budget_kb: 145,
    },
    Piece {
        name: "playground first load",
        folder: "playground/dist",
        counts: is_first,
        budget_kb: 508,
    },
    Piece {
        name: "reader of packed storages (wasm and glue, loaded with the first)",
        folder: "playground/dist",
        counts: is_unpack,
        budget_kb: 102,
    },
    Piece {
        name: "pages of the converter's rules (wasm and glue, loaded with the first)",
        folder: "playground/dist",
        counts: is_rules,
        budget_kb: 83,
    },
    Piece {
        name: "output as JP-CLINS (part of the core, loaded with the first)",
        folder: "playground/dist",
        counts: |name| name == "clins_bg.wasm",
        budget_kb: 49,
    },
    Piece {
        name: "documents (part of the core, loaded with the first)",
        folder: "playground/dist",
        counts: |name| name == "documents_bg.wasm",
        budget_kb: 40,
    },
    Piece {
        name: "tree of a message, names of fields, trace and Provenances (part of the core, loaded with the first that is shown)",
        folder: "playground/dist",
        counts: |name| matches!(name, "view_bg.wasm" | "worker-trace.mjs"),
        budget_kb: 54,
    },
    Piece {
        name: "playground check (wasm and glue, loaded after the first file is shown)",
        folder: "playground/dist",
        counts: is_check,
        budget_kb: 531,
    },
    Piece {
        name: "check (all rules and formats, wasm alone)",
        folder: "pkg/dist/wasm",
        counts: |name| name == "check.wasm",
        budget_kb: 527,
    },
    Piece {
        name: "playground validation (wasm and glue, loaded with the first file of FHIR)",
        folder: "playground/dist",
        counts: is_validate,
        budget_kb: 905,
    },
    Piece {
        name: "validate (FHIR R4 core, profiles, all formats, wasm alone)",
        folder: "pkg/dist/wasm",
        counts: |name| name == "validate.wasm",
        budget_kb: 901,
    },
    Piece {
        name: "consent (verify, decide, render, sign, filter, proofs, wasm alone)",
        folder: "pkg/dist/wasm",
        counts: |name| name == "consent.wasm",
        budget_kb: 250,
    },
    Piece {
        name: "core for Node.js (made for speed, read from the disk)",
        folder: "pkg/dist/wasm",
        counts: |name| name == "convert-fast.wasm",
        budget_kb: 720,
    },
    Piece {
        name: "validate for Node.js (made for speed, read from the disk)",
        folder: "pkg/dist/wasm",
        counts: |name| name == "validate-fast.wasm",
        budget_kb: 1070,
    },
    Piece {
        name: "portal wasm, with its consent core",
        folder: "web/dist",
        counts: |name| name == "portal_bg.wasm",
        budget_kb: 385,
    },
    Piece {
        name: "portal style sheet",
        folder: "web/dist",
        counts: |name| name == "style.css",
        budget_kb: 4,
    },
    Piece {
        name: "portal first load",
        folder: "web/dist",
        counts: |_| true,
        budget_kb: 399,
    },
];

fn is_converter(name: &str) -> bool {
    name.starts_with("convert") || (name.starts_with("worker") && !is_later(name))
}

/// The writer of zips, loaded when the first is saved, the reader of tars, when the first is opened, what puts
/// messages together by person and gathers what patients share, when all are converted, and the reader of the trace, which comes with
/// `view_bg.wasm`.
fn is_later(name: &str) -> bool {
    matches!(
        name,
        "worker-zip.mjs"
            | "worker-tar.mjs"
            | "worker-trace.mjs"
            | "worker-persons.mjs"
            | "worker-shared.mjs"
    )
}

fn is_unpack(name: &str) -> bool {
    name.starts_with("unpack")
}

fn is_check(name: &str) -> bool {
    name.starts_with("check")
}

fn is_validate(name: &str) -> bool {
    name.starts_with("validate")
}

fn is_rules(name: &str) -> bool {
    name.starts_with("rules")
}

fn is_part(name: &str) -> bool {
    matches!(name, "clins_bg.wasm" | "documents_bg.wasm" | "view_bg.wasm")
}

/// What a page needs before it can be used.
fn is_first(name: &str) -> bool {
    !(name.starts_with("examples/")
        || is_unpack(name)
        || is_rules(name)
        || is_check(name)
        || is_validate(name)
        || is_part(name)
        || is_later(name))
}

/// Prints the table; an error if a piece is above its budget.
pub(crate) fn run(repo: &Repo) -> Result<()> {
    let mut over = Vec::new();
    println!("{:>9} {:>9} {:>10}  piece", "gzip kB", "budget", "bytes");
    for piece in &PIECES {
        let files = counted(&repo.root.join(piece.folder), piece.counts)?;
        let mut plain = 0;
        let mut packed = 0;
        for file in &files {
            plain += usize::try_from(fs::metadata(file)?.len())?;
            packed += gzip_size(file)?;
        }
        println!(
            "{:>7}.{} {:>9} {:>10}  {}",
            packed / 1000,
            packed % 1000 / 100,
            piece.budget_kb,
            plain,
            piece.name
        );
        if packed > piece.budget_kb * 1000 {
            over.push(piece.name);
        }
    }
    if !over.is_empty() {
        bail!("above the budget: {}", over.join(", "));
    }
    Ok(())
}

/// The files of a piece; an error if there is none.
fn counted(folder: &Path, counts: fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let all = files::list(folder).context("run `cargo xtask wasm --release` first")?;
    let found: Vec<PathBuf> = all
        .iter()
        .filter(|file| counts(&files::slashed(file)))
        .map(|file| folder.join(file))
        .collect();
    if found.is_empty() {
        bail!("{} has no file to weigh", folder.display());
    }
    Ok(found)
}

/// Bytes of a file after `gzip -9`: what that program makes of it. Where there is none, what we would send,
/// which is up to 1 % more.
pub(crate) fn gzip_size(file: &Path) -> Result<usize> {
    let mut program = Command::new("gzip");
    program.args(["-9", "-n", "-c"]).arg(file);
    match program.output() {
        Ok(made) if made.status.success() => Ok(made.stdout.len()),
        Ok(made) => bail!(
            "gzip -9 {}: {}",
            file.display(),
            String::from_utf8_lossy(&made.stderr)
        ),
        Err(_) => Ok(gzip(&fs::read(file)?)?.len()),
    }
}

/// A content compressed as well as is quick; the same bytes whenever it is made.
pub(crate) fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_weighs_what_it_sends_with_or_without_the_program() {
        let file = std::env::temp_dir().join(format!("warifu-gzip-{}", std::process::id()));
        let content: Vec<u8> = (0..50_000_u32)
            .flat_map(|n| (n * n % 1009).to_le_bytes())
            .collect();
        files::write(&file, &content).unwrap();
        let (size, ours) = (gzip_size(&file).unwrap(), gzip(&content).unwrap().len());
        fs::remove_file(file).unwrap();
        assert!(ours < content.len() / 10, "{ours}");
        assert!(size.abs_diff(ours) < ours / 4, "{size} {ours}");
    }

    #[test]
    fn every_file_of_the_first_load_is_in_one_piece() {
        let [
            _,
            converter,
            shell,
            all,
            unpack,
            rules,
            clins,
            documents,
            view,
            check,
            _,
            validate,
            ..,
        ] = &PIECES;
        for name in ["index.html", "convert_bg.wasm", "worker.mjs", "icons/a.svg"] {
            assert!((converter.counts)(name) != (shell.counts)(name), "{name}");
            assert!((all.counts)(name), "{name}");
        }
        assert!(!(all.counts)("examples/a"));
        assert!(!(all.counts)("unpack_bg.wasm") && (unpack.counts)("unpack_bg.wasm"));
        assert!(!(all.counts)("rules_bg.wasm") && (rules.counts)("rules_bg.wasm"));
        for name in ["check_bg.wasm", "check-work.mjs"] {
            assert!(!(all.counts)(name) && (check.counts)(name), "{name}");
        }
        for name in ["validate_bg.wasm", "validate-work.mjs"] {
            assert!(!(all.counts)(name) && (validate.counts)(name), "{name}");
        }
        for name in [
            "worker-zip.mjs",
            "worker-tar.mjs",
            "worker-trace.mjs",
            "worker-persons.mjs",
            "worker-shared.mjs",
        ] {
            assert!(!(all.counts)(name) && !(converter.counts)(name), "{name}");
        }
        assert!(!(all.counts)("clins_bg.wasm") && (clins.counts)("clins_bg.wasm"));
        assert!(!(all.counts)("documents_bg.wasm") && (documents.counts)("documents_bg.wasm"));
        for name in ["view_bg.wasm", "worker-trace.mjs"] {
            assert!(!(all.counts)(name) && (view.counts)(name), "{name}");
        }
    }
}
