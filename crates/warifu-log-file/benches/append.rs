//! Lines appended and synced, in groups of different sizes, on the disk below the temporary folder.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark may fail loudly"
)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ed25519_dalek::SigningKey;
use warifu_log::{Entry, Kind, Log, NoteKey, Purpose, Submission, Trust};
use warifu_log_file::{FileStorage, Folder};

fn submission(number: u64) -> Submission {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&number.to_be_bytes());
    let sub = format!("s1.{}", warifu_log::encode_url(&salt));
    let tok = "CEj75Hs_UnI49mAl75Fq9303TVXS3E89P6H6HE7FsYI";
    let members = [("tok", tok.into())];
    Submission {
        entry: Entry::new(Kind::Grant, 1_790_000_000, Some(&sub), members).unwrap(),
        salt,
        place_salt: None,
    }
}

fn append(c: &mut Criterion) {
    let signer = SigningKey::from_bytes(&[7; 32]);
    let public = signer.verifying_key().to_bytes();
    let key = NoteKey::new("log.example/consent-log", Purpose::Note, &public).unwrap();
    let trust = Trust::new(key, vec![], 0).unwrap();
    let mut group = c.benchmark_group("append-and-sync");
    group.sample_size(20);
    for size in [1_u64, 16, 256] {
        let folder = tempfile::tempdir().unwrap();
        let storage = FileStorage::open(Folder::new(folder.path()).unwrap()).unwrap();
        let mut log = Log::open(storage, trust.clone(), &[]).unwrap();
        let mut number = 0;
        group.throughput(Throughput::Elements(size));
        group.bench_function(format!("{size} lines a sync"), |b| {
            b.iter_batched(
                || {
                    number += size;
                    (number - size..number)
                        .map(|n| submission(n % 10_000))
                        .collect()
                },
                |batch: Vec<Submission>| {
                    log.append(batch).unwrap();
                    log.sync().unwrap();
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, append);
criterion_main!(benches);
