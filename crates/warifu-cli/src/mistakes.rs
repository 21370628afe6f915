//! Wording of usage mistakes (exit code 2), with the nearest name.

use std::path::Path;

use warifu_report::Lang;

use crate::say;

/// Text for a path that is not there, with the nearest name beside it.
pub(crate) fn not_found(path: &Path, lang: Lang) -> String {
    let shown = path.display();
    let near = nearest_path(path);
    match near {
        Some(n) => say(
            lang,
            &format!("{shown} が見つかりません。もしかして: {n}"),
            &format!("{shown} not found. Did you mean {n}?"),
        ),
        None => say(
            lang,
            &format!("{shown} が見つかりません"),
            &format!("{shown} not found"),
        ),
    }
}

fn nearest_path(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let entries = std::fs::read_dir(parent.unwrap_or(Path::new("."))).ok()?;
    let names: Vec<String> = entries
        .take(1000)
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .collect();
    let best = nearest(name, names.iter().map(String::as_str))?;
    Some(parent.map_or_else(|| best.to_owned(), |p| p.join(best).display().to_string()))
}

/// The name with the smallest edit distance, when it is close enough to be a slip.
pub(crate) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (name.chars().count() / 3).max(1);
    names
        .map(|n| (distance(name, n), n))
        .filter(|(d, _)| *d <= limit)
        .min()
        .map(|(_, n)| n)
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
        assert_eq!(nearest("xyz", ["standard_root"].into_iter()), None);
    }
}
