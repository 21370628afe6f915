//! Sorting by positions.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::index::{index, position};

/// Sorts; equal items keep their order.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// Sorts by a key; equal items keep their order.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    sort_by(items, |a, b| key(a).cmp(&key(b)));
}

/// Sorts by a comparison; equal items keep their order.
///
/// ```
/// let mut words = ["bb", "a", "cc", ""];
/// warifu_order::sort_by(&mut words, |a, b| a.len().cmp(&b.len()));
/// assert_eq!(words, ["", "a", "bb", "cc"]);
/// ```
pub fn sort_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let mut order = sorted(
        items.len(),
        &mut |a, b| match (items.get(index(a)), items.get(index(b))) {
            (Some(a), Some(b)) => compare(a, b),
            _ => Ordering::Equal,
        },
    );
    place(&mut order, &mut |a, b| items.swap(a, b));
}

/// The positions of so many items in the order of `compare`, by merging runs of twice the length each
/// time: a sort of the standard library is four kilobytes of a module for browsers.
#[inline(never)]
fn sorted(length: usize, compare: &mut dyn FnMut(u32, u32) -> Ordering) -> Vec<u32> {
    if length < 2 {
        return Vec::new();
    }
    let mut order: Vec<u32> = (0..position(length)).collect();
    let mut merged = Vec::new();
    let mut run = 1;
    while run < length {
        merged.clear();
        for pair in order.chunks(run * 2) {
            let (mut left, mut right) = pair.split_at(run.min(pair.len()));
            let mut in_order = |(a, b): (Option<&u32>, Option<&u32>)| match (a, b) {
                (Some(&a), Some(&b)) => compare(a, b) != Ordering::Greater,
                _ => true,
            };
            // What is in order already costs a comparison a run.
            if !in_order((left.last(), right.first())) {
                while let ([a, other @ ..], [b, rest @ ..]) = (left, right) {
                    if in_order((Some(a), Some(b))) {
                        merged.push(*a);
                        left = other;
                    } else {
                        merged.push(*b);
                        right = rest;
                    }
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        core::mem::swap(&mut order, &mut merged);
        run *= 2;
    }
    order
}

/// Brings every item to its place, with a swap each.
#[inline(never)]
fn place(order: &mut [u32], swap: &mut dyn FnMut(usize, usize)) {
    for start in 0..order.len() {
        let mut at = start;
        // Follows the circle of places that begins at `start`; a place that is done names itself.
        while let Some(from) = order.get_mut(at) {
            let next = index(core::mem::replace(from, position(at)));
            if next == start || next == at {
                break;
            }
            swap(at, next);
            at = next;
        }
    }
}
