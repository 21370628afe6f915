//! Sorting in little code: one small function a type, where the standard library's sorts take
//! some four kilobytes each.

/// Sorts by a total order, in place, in `O(n log n)`. Equal items may change places.
pub fn sort<T>(items: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let len = items.len();
    for root in (0..len / 2).rev() {
        sink(items, root, len, &less);
    }
    for end in (1..len).rev() {
        items.swap(0, end);
        sink(items, 0, end, &less);
    }
}

/// Lets the item at `root` sink to its place in the heap `items[..end]`.
fn sink<T>(items: &mut [T], mut root: usize, end: usize, less: &impl Fn(&T, &T) -> bool) {
    loop {
        let mut top = root;
        for child in [2 * root + 1, 2 * root + 2] {
            if child < end
                && let (Some(a), Some(b)) = (items.get(top), items.get(child))
                && less(a, b)
            {
                top = child;
            }
        }
        if top == root {
            return;
        }
        items.swap(root, top);
        root = top;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorts_as_the_standard_library(mut items in prop::collection::vec(any::<i8>(), 0..60)) {
            let mut expected = items.clone();
            expected.sort_unstable();
            sort(&mut items, |a, b| a < b);
            prop_assert_eq!(items, expected);
        }
    }
}
