//! The collections and the sort against those of the standard library.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use warifu_order::{Map, Set, sort_by_key};

proptest! {
    #[test]
    fn sort_is_that_of_the_standard_library(mut items: Vec<(u8, u16)>) {
        let mut wanted = items.clone();
        wanted.sort_by_key(|item| item.0);
        sort_by_key(&mut items, |item| item.0);
        prop_assert_eq!(items, wanted);
    }

    #[test]
    fn map_is_that_of_the_standard_library(steps: Vec<(u16, bool)>) {
        let mut map = Map::new();
        let mut wanted = BTreeMap::new();
        for (n, (key, replace)) in steps.into_iter().enumerate() {
            let key = format!("{}", key % 700);
            prop_assert_eq!(map.get(key.as_str()), wanted.get(key.as_str()));
            if replace {
                prop_assert_eq!(map.insert(key.clone(), n), wanted.insert(key, n));
            } else {
                *map.entry(key.clone()).or_insert(n) += 1;
                *wanted.entry(key).or_insert(n) += 1;
            }
        }
        prop_assert_eq!(map.len(), wanted.len());
        prop_assert!(map.iter().eq(wanted.iter()));
        for first in ["", "3", "42", "699", "7"] {
            prop_assert!(map.iter_from(first).eq(wanted.range(first.to_owned()..)));
        }
        prop_assert!(map.clone().into_sorted().eq(wanted));
        map.clear();
        prop_assert!(map.is_empty() && map.keys().next().is_none());
    }

    #[test]
    fn set_is_that_of_the_standard_library(items: Vec<i16>) {
        let mut set = Set::new();
        let mut wanted = BTreeSet::new();
        for item in items {
            prop_assert_eq!(set.contains(&item), wanted.contains(&item));
            prop_assert_eq!(set.insert(item), wanted.insert(item));
        }
        prop_assert!(set.into_sorted().eq(wanted));
    }
}

#[test]
fn many_keys_in_any_order_are_found_again() {
    let mut up = Set::new();
    let mut down = Set::new();
    for n in 0..20_000_u32 {
        assert!(up.insert(n) && down.insert(20_000 - n));
    }
    assert!(up.iter().copied().eq(0..20_000));
    assert!(down.iter().copied().eq(1..=20_000));
}
