//! The nearest name to a misspelt one.

/// The name with the smallest edit distance, when it is close enough to be a slip; of several the one
/// with the longest common beginning, then the first in order.
///
/// ```
/// use warifu_diag::nearest::nearest;
/// assert_eq!(nearest("ENC119", ["ENC109", "ENC110"].into_iter()), Some("ENC110"));
/// assert_eq!(nearest("xyz", ["standard_root"].into_iter()), None);
/// ```
pub fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (name.chars().count() / 3).max(1);
    let common = |n: &str| {
        name.chars()
            .zip(n.chars())
            .take_while(|(a, b)| a == b)
            .count()
    };
    names
        .map(|n| (distance(name, n), usize::MAX - common(n), n))
        .filter(|(d, ..)| *d <= limit)
        .min()
        .map(|(.., n)| n)
}

/// Edit distance (insert, delete, replace, swap of neighbours).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(80).collect();
    let b: Vec<char> = b.chars().take(80).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let get = |v: &[usize], k: usize| v.get(k).copied().unwrap_or(usize::MAX / 2);
            let mut d = (get(&last, j) + usize::from(x != y))
                .min(get(&last, j + 1) + 1)
                .min(get(&row, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                d = d.min(get(&before, j - 1) + 1);
            }
            row.push(d);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_of_two_letters_is_one_slip() {
        assert_eq!(distance("standrad_root", "standard_root"), 1);
        assert_eq!(
            nearest(
                "standrad_root",
                ["extended_root", "standard_root"].into_iter()
            ),
            Some("standard_root")
        );
    }
}
