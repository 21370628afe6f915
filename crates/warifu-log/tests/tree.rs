//! The tree against its definition, a second implementation, published roots, and damage.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test may fail loudly"
)]

use std::process::Command;

use proptest::prelude::*;
use warifu_log::{
    Edge, Frontier, Hash, Nodes, ProofError, Tile, TileNodes, consistency_proof, empty_root,
    inclusion_proof, leaf_hash, verify_consistency, verify_inclusion,
};

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

fn leaves(n: u64) -> Vec<Hash> {
    (0..n)
        .map(|i| leaf_hash(i.to_string().as_bytes()))
        .collect()
}

fn root(leaves: &[Hash]) -> Hash {
    let mut tree = Frontier::new();
    for leaf in leaves {
        tree.append(*leaf);
    }
    tree.root()
}

/// The eight entries and roots that Certificate Transparency's implementations test with.
#[test]
fn roots_are_those_of_certificate_transparency() {
    let entries: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let hashes: Vec<Hash> = entries.iter().map(|e| leaf_hash(e)).collect();
    for (n, expected) in roots.iter().enumerate() {
        assert_eq!(hex(&root(&hashes[..n]).0), *expected, "{n}");
    }
    let abc: Vec<Hash> = [b"a", b"b", b"c"].iter().map(|e| leaf_hash(*e)).collect();
    let expected = "36642e73c2540ab121e3a6bf9545b0a24982cd830eb13d3cd19de3ce6c021ec1";
    assert_eq!(hex(&root(&abc).0), expected);
}

#[test]
fn every_proof_equals_that_of_the_second_implementation() {
    const SIZE: u64 = 40;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/log/reference.py");
    let run = Command::new("python3")
        .args([script, &SIZE.to_string()])
        .output();
    let out = match run {
        Err(_) if std::env::var_os("CI").is_none() => {
            println!("skipped: no python3");
            return;
        }
        out => out.expect("python3 runs"),
    };
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let mut compared = 0;
    for line in String::from_utf8(out.stdout).unwrap().lines() {
        let v: serde_json::Value = serde_json::from_str(line).unwrap();
        let n = v["n"].as_u64().unwrap();
        let hashes = leaves(n);
        assert_eq!(v["root"], hex(&root(&hashes).0));
        let same = |expected: &serde_json::Value, path: Vec<Hash>| {
            let path: Vec<String> = path.iter().map(|h| hex(&h.0)).collect();
            assert_eq!(*expected, serde_json::json!(path));
        };
        for i in 0..n {
            let path = inclusion_proof(&hashes[..], i, n).unwrap().unwrap();
            same(&v["inclusion"][usize::try_from(i).unwrap()], path);
        }
        for m in 1..=n {
            let path = consistency_proof(&hashes[..], m, n).unwrap().unwrap();
            same(&v["consistency"][usize::try_from(m - 1).unwrap()], path);
        }
        compared += 1;
    }
    assert_eq!(compared, SIZE + 1);
}

#[test]
fn proofs_of_places_that_do_not_exist_are_not_made() {
    let hashes = leaves(5);
    assert_eq!(inclusion_proof(&hashes[..], 5, 5), Ok(None));
    assert_eq!(inclusion_proof(&hashes[..], 0, 0), Ok(None));
    assert_eq!(consistency_proof(&hashes[..], 6, 5), Ok(None));
    assert_eq!(inclusion_proof(&hashes[..], 0, 6), Err(ProofError::Range));
    let zero = Hash::ZERO;
    assert_eq!(
        verify_inclusion(&zero, 0, 0, &[], &zero),
        Err(ProofError::Range)
    );
    assert_eq!(
        verify_consistency(2, 1, &[], &zero, &zero),
        Err(ProofError::Range)
    );
    assert_eq!(verify_consistency(0, 1, &[], &empty_root(), &zero), Ok(()));
    assert_eq!(
        verify_consistency(0, 1, &[], &zero, &zero),
        Err(ProofError::OldRoot)
    );
    let long = verify_inclusion(&zero, 0, u64::MAX, &[zero; 64], &zero);
    assert_eq!(long, Err(ProofError::Root));
    assert!(Frontier::from_parts(5, vec![zero]).is_none());
    let frontier = Frontier::from_parts(5, vec![zero; 2]).unwrap();
    assert_eq!((frontier.size(), frontier.peaks().len()), (5, 2));
}

/// Bounds of a proof's length: the height of the tree, and one hash more for consistency.
fn height(n: u64) -> usize {
    if n < 2 {
        0
    } else {
        (n - 1).ilog2() as usize + 1
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_leaf_is_proven_and_no_damage_passes(n in 1_u64..700, i in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        let hashes = leaves(n);
        let at = i.index(hashes.len());
        let index = at as u64;
        let root = root(&hashes);
        let path = inclusion_proof(&hashes[..], index, n).unwrap().unwrap();
        prop_assert!(path.len() <= height(n));
        prop_assert_eq!(verify_inclusion(&hashes[at], index, n, &path, &root), Ok(()));
        // One bit of leaf, root or path.
        let mut all = vec![hashes[at], root];
        all.extend(&path);
        let flipped = bit.index(all.len() * 256);
        all[flipped / 256].0[flipped % 256 / 8] ^= 1 << (flipped % 8);
        prop_assert_eq!(verify_inclusion(&all[0], index, n, &all[2..], &all[1]), Err(ProofError::Root));
        // Another index or a longer or shorter path.
        for other in [index ^ 1, index / 2, (index + 1) % n] {
            if other != index && other < n {
                prop_assert!(verify_inclusion(&hashes[at], other, n, &path, &root).is_err());
            }
        }
        let long: Vec<Hash> = path.iter().copied().chain([Hash::ZERO]).collect();
        prop_assert_eq!(verify_inclusion(&hashes[at], index, n, &long, &root), Err(ProofError::Length));
        if let Some((_, short)) = path.split_last() {
            prop_assert_eq!(verify_inclusion(&hashes[at], index, n, short, &root), Err(ProofError::Length));
        }
    }

    #[test]
    fn any_growth_is_proven_and_no_damage_passes(n in 1_u64..700, m in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        let hashes = leaves(n);
        let old = m.index(hashes.len() + 1);
        let m = old as u64;
        let (old_root, new_root) = (root(&hashes[..old]), root(&hashes));
        let path = consistency_proof(&hashes[..], m, n).unwrap().unwrap();
        prop_assert!(path.len() <= height(n) + 1);
        prop_assert_eq!(verify_consistency(m, n, &path, &old_root, &new_root), Ok(()));
        let mut all = vec![old_root, new_root];
        all.extend(&path);
        let flipped = bit.index(all.len() * 256);
        all[flipped / 256].0[flipped % 256 / 8] ^= 1 << (flipped % 8);
        // Of an empty tree every tree is a continuation.
        if m > 0 || flipped < 256 {
            prop_assert!(verify_consistency(m, n, &all[2..], &all[0], &all[1]).is_err());
        }
        // A tree with another old leaf is no continuation.
        if m > 0 && m < n {
            let mut forged = hashes.clone();
            forged[0] = Hash::ZERO;
            let path = consistency_proof(&forged[..], m, n).unwrap().unwrap();
            prop_assert!(verify_consistency(m, n, &path, &old_root, &root(&forged)).is_err());
        }
        let long: Vec<Hash> = path.iter().copied().chain([Hash::ZERO]).collect();
        prop_assert!(verify_consistency(m, n, &long, &old_root, &new_root).is_err());
    }

    #[test]
    fn any_bytes_are_judged_without_panic(index in any::<u64>(), size in any::<u64>(), path in prop::collection::vec(any::<[u8; 32]>(), 0..70)) {
        let path: Vec<Hash> = path.into_iter().map(Hash).collect();
        prop_assert!(verify_inclusion(&Hash::ZERO, index, size, &path, &Hash::ZERO).is_err());
        let _ = verify_consistency(index, size, &path, &Hash::ZERO, &Hash::ZERO);
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tiles_give_the_same_nodes_as_leaves(n in 1_u64..70_000, index in any::<prop::sample::Index>(), old in any::<prop::sample::Index>()) {
        // 70,000 leaves need three levels of tiles.
        let hashes: Vec<Hash> = (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect();
        let mut edge = Edge::default();
        let mut tiles = std::collections::BTreeMap::new();
        for hash in &hashes {
            tiles.extend(edge.append(*hash));
        }
        tiles.extend(edge.partials());
        let expected: Vec<Tile> = Tile::between(0, n);
        prop_assert_eq!(tiles.keys().copied().collect::<Vec<_>>(), { let mut e = expected; e.sort(); e });
        let nodes = TileNodes::new(n, |tile: Tile| tiles.get(&tile).cloned().ok_or(()));
        let root = root(&hashes);
        let at = index.index(hashes.len());
        let path = inclusion_proof(&nodes, at as u64, n).unwrap().unwrap();
        prop_assert_eq!(verify_inclusion(&hashes[at], at as u64, n, &path, &root), Ok(()));
        let m = old.index(hashes.len() + 1);
        let path = consistency_proof(&nodes, m as u64, n).unwrap().unwrap();
        let old_root = self::root(&hashes[..m]);
        prop_assert_eq!(verify_consistency(m as u64, n, &path, &old_root, &root), Ok(()));
        prop_assert!(nodes.node(0, n).is_err());
    }

    #[test]
    fn paths_of_tiles_come_back(level in 0_u8..8, index in any::<u64>(), width in 1_u16..=256) {
        let tile = Tile::new(level, index, width).unwrap();
        prop_assert_eq!(Tile::parse(&tile.path()), Some(tile));
    }
}

#[test]
fn tiles_are_those_of_the_specification() {
    assert_eq!(
        Tile::new(0, 1_234_067, 256).unwrap().path(),
        "tile/0/x001/x234/067"
    );
    assert_eq!(Tile::new(1, 0, 17).unwrap().path(), "tile/1/000.p/17");
    assert_eq!(
        Tile::new(0, 5, 8).unwrap().entries_path(),
        "tile/entries/005.p/8"
    );
    for bad in [
        "tile/0/67",
        "tile/0/1234",
        "tile/00/067",
        "tile/0/x001/67",
        "tile/0/067.p/0",
        "tile/0/067.p/256",
        "tile/0/067.p/07",
        "tile/8/000",
        "tile/0/+67",
        "tile/0/x000/067",
        "tile/0/",
        "tile/0/001/067",
        "/tile/0/067",
    ] {
        assert_eq!(Tile::parse(bad), None, "{bad}");
    }
    // A tree of 70,000: 273 full tiles and one of 112; one full of level 1 and one of 17; one of 1.
    let tiles = Tile::between(0, 70_000);
    let count = |level, full| {
        tiles
            .iter()
            .filter(|t| t.level() == level && t.is_full() == full)
            .count()
    };
    assert_eq!(
        [
            count(0, true),
            count(0, false),
            count(1, true),
            count(1, false)
        ],
        [273, 1, 1, 1]
    );
    let widths: Vec<u16> = tiles
        .iter()
        .filter(|t| !t.is_full())
        .map(|t| t.width())
        .collect();
    assert_eq!(widths, [112, 17, 1]);
    let tiles = Tile::between(0, 256);
    assert_eq!(
        tiles,
        [Tile::new(0, 0, 256).unwrap(), Tile::new(1, 0, 1).unwrap()]
    );
}
