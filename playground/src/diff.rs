//! Line differences between two texts (Myers), with a bound on the work.

/// A line of the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// In both: lines of A and B.
    Same(u32, u32),
    /// Only in A.
    Removed(u32),
    /// Only in B.
    Added(u32),
}

/// More differing lines than this are shown as one block removed and one added.
const MAX_EDITS: usize = 1_000;

/// Differences of two lists of lines, in order.
pub fn diff<T: PartialEq>(a: &[T], b: &[T]) -> Vec<Change> {
    let n = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let rest = (a.len() - head).min(b.len() - head);
    let tail = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take(rest)
        .take_while(|(x, y)| x == y)
        .count();
    let (a_mid, b_mid) = (
        a.get(head..a.len() - tail).unwrap_or(&[]),
        b.get(head..b.len() - tail).unwrap_or(&[]),
    );
    let mut out: Vec<Change> = (0..head).map(|i| Change::Same(n(i), n(i))).collect();
    if let Some(mut changes) = middle(a_mid, b_mid) {
        for c in &mut changes {
            *c = match *c {
                Change::Same(x, y) => Change::Same(x + n(head), y + n(head)),
                Change::Removed(x) => Change::Removed(x + n(head)),
                Change::Added(y) => Change::Added(y + n(head)),
            };
        }
        out.extend(changes);
    } else {
        out.extend((head..a.len() - tail).map(|i| Change::Removed(n(i))));
        out.extend((head..b.len() - tail).map(|i| Change::Added(n(i))));
    }
    out.extend((0..tail).map(|i| Change::Same(n(a.len() - tail + i), n(b.len() - tail + i))));
    out
}

/// Myers' greedy search; `None` beyond [`MAX_EDITS`].
fn middle<T: PartialEq>(a: &[T], b: &[T]) -> Option<Vec<Change>> {
    let max = (a.len() + b.len()).min(MAX_EDITS);
    let offset = max + 1;
    let mut best = vec![0usize; 2 * max + 3];
    let mut steps: Vec<Vec<usize>> = Vec::new();
    for d in 0..=max {
        steps.push(best.clone());
        // Diagonals -d, -d+2 … d, shifted by `offset`.
        let mut k = offset - d;
        while k <= offset + d {
            let down = k == offset - d || (k != offset + d && at(&best, k - 1) < at(&best, k + 1));
            let mut x = if down {
                at(&best, k + 1)
            } else {
                at(&best, k - 1) + 1
            };
            let mut y = (x + offset).saturating_sub(k);
            while x < a.len() && y < b.len() && a.get(x) == b.get(y) {
                x += 1;
                y += 1;
            }
            if let Some(slot) = best.get_mut(k) {
                *slot = x;
            }
            if x >= a.len() && y >= b.len() {
                return Some(walk_back(&steps, a.len(), b.len(), offset));
            }
            k += 2;
        }
    }
    None
}

fn at(best: &[usize], k: usize) -> usize {
    best.get(k).copied().unwrap_or(0)
}

fn walk_back(steps: &[Vec<usize>], mut x: usize, mut y: usize, offset: usize) -> Vec<Change> {
    let n = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
    let mut out = Vec::new();
    for (d, best) in steps.iter().enumerate().rev() {
        let k = x + offset - y;
        let down = k == offset - d || (k != offset + d && at(best, k - 1) < at(best, k + 1));
        let from = if down { k + 1 } else { k - 1 };
        let px = at(best, from);
        let py = (px + offset).saturating_sub(from);
        while d > 0 && x > px && y > py || d == 0 && x > 0 && y > 0 {
            x -= 1;
            y -= 1;
            out.push(Change::Same(n(x), n(y)));
        }
        if d > 0 {
            if down {
                y -= 1;
                out.push(Change::Added(n(y)));
            } else {
                x -= 1;
                out.push(Change::Removed(n(x)));
            }
        }
    }
    out.reverse();
    out
}

/// A row of the shown difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// A line.
    Line(Change),
    /// So many equal lines are left out.
    Gap(u32),
}

/// Keeps `around` equal lines beside each change and folds the rest.
pub fn fold(changes: &[Change], around: usize) -> Vec<Row> {
    let mut keep = vec![false; changes.len()];
    for (i, c) in changes.iter().enumerate() {
        if !matches!(c, Change::Same(..)) {
            for k in keep
                .iter_mut()
                .take(i + around + 1)
                .skip(i.saturating_sub(around))
            {
                *k = true;
            }
        }
    }
    let mut out = Vec::new();
    let mut hidden = 0;
    for (change, keep) in changes.iter().zip(keep) {
        if keep {
            if hidden > 0 {
                out.push(Row::Gap(hidden));
                hidden = 0;
            }
            out.push(Row::Line(*change));
        } else {
            hidden += 1;
        }
    }
    if hidden > 0 && !out.is_empty() {
        out.push(Row::Gap(hidden));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(a: &[u8], b: &[u8]) -> usize {
        let changes = diff(a, b);
        let (mut left, mut right, mut edits) = (Vec::new(), Vec::new(), 0);
        for c in &changes {
            match *c {
                Change::Same(x, y) => {
                    assert_eq!(a[x as usize], b[y as usize]);
                    left.push(a[x as usize]);
                    right.push(b[y as usize]);
                }
                Change::Removed(x) => {
                    left.push(a[x as usize]);
                    edits += 1;
                }
                Change::Added(y) => {
                    right.push(b[y as usize]);
                    edits += 1;
                }
            }
        }
        assert_eq!((left.as_slice(), right.as_slice()), (a, b));
        edits
    }

    #[test]
    fn the_shortest_edit_is_found() {
        assert_eq!(check(b"ABCABBA", b"CBABAC"), 5);
        assert_eq!(check(b"", b""), 0);
        assert_eq!(check(b"abc", b""), 3);
        assert_eq!(check(b"abc", b"abc"), 0);
        assert_eq!(check(b"axc", b"ayc"), 2);
    }

    #[test]
    fn quite_different_texts_end_in_two_blocks() {
        let a: Vec<u32> = (0..5_000).collect();
        let b: Vec<u32> = (10_000..15_000).collect();
        let d = diff(&a, &b);
        assert_eq!(d.len(), 10_000);
        assert_eq!(d[0], Change::Removed(0));
    }

    #[test]
    fn equal_stretches_are_folded() {
        let mut a: Vec<u32> = (0..100).collect();
        let b = a.clone();
        a[50] = 999;
        let rows = fold(&diff(&a, &b), 2);
        assert_eq!(rows.first(), Some(&Row::Gap(48)));
        assert_eq!(rows.len(), 8);
        assert_eq!(fold(&diff(&b, &b), 2), []);
    }

    proptest! {
        #[test]
        fn both_texts_can_be_rebuilt(a in prop::collection::vec(0u8..4, 0..40), b in prop::collection::vec(0u8..4, 0..40)) {
            check(&a, &b);
        }
    }
}
