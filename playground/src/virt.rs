//! Which rows of a long list stand in the document.

/// Rows kept above and below the visible ones.
pub const OVERSCAN: usize = 20;

/// Rows `first..last` to render for a viewport, clamped to the list.
///
/// `top` and `height` are the scroll offset and the height of the viewport in px.
pub fn window(count: usize, row_px: f64, top: f64, height: f64) -> std::ops::Range<usize> {
    if count == 0 || row_px <= 0.0 {
        return 0..0;
    }
    let first = whole(top.max(0.0) / row_px);
    let shown = whole((height.max(0.0) / row_px).ceil()) + 1;
    let start = first.min(count).saturating_sub(OVERSCAN);
    let end = first
        .saturating_add(shown)
        .saturating_add(OVERSCAN)
        .min(count);
    start..end.max(start)
}

/// Scroll offset that brings a row into view; `None` when it is visible already.
pub fn scroll_to(row: usize, row_px: f64, top: f64, height: f64, centre: bool) -> Option<f64> {
    let y = px(row, row_px);
    if y >= top && y + row_px <= top + height {
        return None;
    }
    if centre {
        return Some((y - (height - row_px) / 2.0).max(0.0));
    }
    Some(if y < top {
        y
    } else {
        (y + row_px - height).max(0.0)
    })
}

/// Rows a page key moves by.
pub fn page(row_px: f64, height: f64) -> usize {
    if row_px <= 0.0 {
        1
    } else {
        whole(height / row_px).saturating_sub(1).max(1)
    }
}

/// Offset of a row in px.
#[expect(clippy::cast_precision_loss, reason = "rows are far fewer than 2^52")]
pub fn px(row: usize, row_px: f64) -> f64 {
    row as f64 * row_px
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..1e9 first"
)]
fn whole(n: f64) -> usize {
    n.clamp(0.0, 1e9) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_rows_and_twenty_around_are_rendered() {
        assert_eq!(window(100_000, 28.0, 28_000.0, 560.0), 980..1041);
        assert_eq!(window(100_000, 28.0, 0.0, 560.0), 0..41);
        assert_eq!(window(5, 28.0, 0.0, 560.0), 0..5);
        assert_eq!(window(0, 28.0, 0.0, 560.0), 0..0);
        assert_eq!(window(10, 28.0, 1e12, 560.0), 0..10);
        assert_eq!(window(10, 0.0, 0.0, 560.0), 0..0);
    }

    #[test]
    fn scrolling_moves_only_when_needed() {
        assert_eq!(scroll_to(3, 10.0, 0.0, 100.0, false), None);
        assert_eq!(scroll_to(20, 10.0, 0.0, 100.0, false), Some(110.0));
        assert_eq!(scroll_to(2, 10.0, 50.0, 100.0, false), Some(20.0));
        assert_eq!(scroll_to(20, 10.0, 0.0, 100.0, true), Some(155.0));
        assert_eq!(page(10.0, 100.0), 9);
        assert_eq!(page(0.0, 100.0), 1);
    }
}
