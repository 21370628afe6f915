//! What is measured: the messages of the two nho folders of `../shared` (skipped when absent) and a
//! thousand generated ones.
use std::path::Path;

/// Path and content of each file.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

fn read(folder: &Path, files: &mut Files) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            read(&path, files);
        } else if let Ok(bytes) = std::fs::read(&path) {
            files.push((path.to_string_lossy().into_owned(), bytes));
        }
    }
}

/// The inputs by name.
pub(crate) fn all() -> Vec<(&'static str, Files)> {
    let mut all = Vec::new();
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/ssmix2");
    let mut samples = Files::new();
    for folder in ["nho-documents", "nho-testing-tool"] {
        read(&shared.join(folder).join("standard_root"), &mut samples);
    }
    samples.retain(|(_, bytes)| bytes.starts_with(b"MSH"));
    samples.sort();
    if samples.is_empty() {
        eprintln!("samples: skipped: ../shared is absent");
    } else {
        all.push(("samples", samples));
    }
    all.push(("generated", generated(1)));
    all
}

/// A thousand messages.
pub(crate) fn generated(seed: u64) -> Files {
    let plan = warifu_synth::Plan {
        seed,
        patients: 25,
        messages: 1000,
    };
    plan.files().collect()
}

/// Length of all files.
pub(crate) fn bytes(files: &Files) -> u64 {
    files
        .iter()
        .map(|(_, b)| u64::try_from(b.len()).unwrap_or(0))
        .sum()
}

/// Number of files.
pub(crate) fn count(files: &Files) -> u64 {
    u64::try_from(files.len()).unwrap_or(0)
}
