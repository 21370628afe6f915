//! Which rows of a long list stand in the document.

/// Rows kept above and below the visible ones.
pub const OVERSCAN: usize = 20;

/// Rows `first..last` to render for a viewport, clamped to the list.
///
/// `top` and `height` are the scroll offset and the height of the viewport in px. Everything is
/// in whole px: text of floats would cost the page 20 kB.
pub fn window(count: usize, row_px: i32, top: i32, height: i32) -> std::ops::Range<usize> {
    if count == 0 || row_px <= 0 {
        return 0..0;
    }
    let first = rows(top, row_px);
    let shown = rows(height.max(0).saturating_add(row_px - 1), row_px) + 1;
    let start = first.min(count).saturating_sub(OVERSCAN);
    let end = first
        .saturating_add(shown)
        .saturating_add(OVERSCAN)
        .min(count);
    start..end.max(start)
}

/// Scroll offset that brings a row into view; `None` when it is visible already.
pub fn scroll_to(row: usize, row_px: i32, top: i32, height: i32, centre: bool) -> Option<i32> {
    let y = px(row, row_px);
    if y >= top && y.saturating_add(row_px) <= top.saturating_add(height) {
        return None;
    }
    if centre {
        return Some((y - (height - row_px) / 2).max(0));
    }
    Some(if y < top {
        y
    } else {
        (y.saturating_add(row_px) - height).max(0)
    })
}

/// Rows a page key moves by.
pub fn page(row_px: i32, height: i32) -> usize {
    if row_px <= 0 {
        1
    } else {
        rows(height, row_px).saturating_sub(1).max(1)
    }
}

/// Offset of a row in px.
pub fn px(row: usize, row_px: i32) -> i32 {
    i32::try_from(row)
        .unwrap_or(i32::MAX)
        .saturating_mul(row_px)
}

/// Whole rows in so many px.
fn rows(px: i32, row_px: i32) -> usize {
    usize::try_from(px.max(0) / row_px).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_rows_and_twenty_around_are_rendered() {
        assert_eq!(window(100_000, 28, 28_000, 560), 980..1041);
        assert_eq!(window(100_000, 28, 0, 560), 0..41);
        assert_eq!(window(5, 28, 0, 560), 0..5);
        assert_eq!(window(0, 28, 0, 560), 0..0);
        assert_eq!(window(10, 28, i32::MAX, 560), 0..10);
        assert_eq!(window(10, 0, 0, 560), 0..0);
    }

    #[test]
    fn scrolling_moves_only_when_needed() {
        assert_eq!(scroll_to(3, 10, 0, 100, false), None);
        assert_eq!(scroll_to(20, 10, 0, 100, false), Some(110));
        assert_eq!(scroll_to(2, 10, 50, 100, false), Some(20));
        assert_eq!(scroll_to(20, 10, 0, 100, true), Some(155));
        assert_eq!(page(10, 100), 9);
        assert_eq!(page(0, 100), 1);
    }
}
