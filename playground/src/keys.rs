//! Which key does what.

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Next pane.
    NextPane,
    /// Previous pane.
    PreviousPane,
    /// Next finding.
    NextFinding,
    /// Previous finding.
    PreviousFinding,
    /// Next file.
    NextFile,
    /// Previous file.
    PreviousFile,
    /// Search in the pane.
    Search,
    /// Open files.
    Open,
    /// Save.
    Save,
    /// Cancel what runs.
    Cancel,
    /// Show the keys.
    Help,
}

/// A key press as the browser tells it.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the modifiers of a key are four"
)]
pub struct Press<'a> {
    /// `KeyboardEvent.key`
    pub key: &'a str,
    /// Ctrl, or Command on a Mac
    pub ctrl: bool,
    /// Alt
    pub alt: bool,
    /// Shift
    pub shift: bool,
    /// Whether a text field or a list of choices has the focus.
    pub typing: bool,
    /// Whether a dialog or a menu is open.
    pub modal: bool,
    /// Whether the press is part of composing Japanese text.
    pub composing: bool,
}

/// The action of a key press; letters only act when `letters` is on and nobody is typing.
pub fn action(press: Press<'_>, letters: bool) -> Option<Action> {
    if press.composing || press.alt {
        return None;
    }
    match press.key {
        "F6" if !press.modal => Some(if press.shift {
            Action::PreviousPane
        } else {
            Action::NextPane
        }),
        "o" | "O" if press.ctrl && !press.modal => Some(Action::Open),
        "s" | "S" if press.ctrl && !press.modal => Some(Action::Save),
        "Escape" if !press.modal => Some(Action::Cancel),
        _ if press.ctrl || press.typing || press.modal || !letters => None,
        "n" => Some(Action::NextFinding),
        "p" => Some(Action::PreviousFinding),
        "]" => Some(Action::NextFile),
        "[" => Some(Action::PreviousFile),
        "/" => Some(Action::Search),
        "?" => Some(Action::Help),
        _ => None,
    }
}

/// How a key moves in a tree or list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// To a row.
    To(usize),
    /// Open the branch.
    Open,
    /// Close the branch.
    Close,
    /// To the parent row.
    Parent,
    /// To the first child.
    Child,
    /// Follow.
    Enter,
}

/// What stands at the active row.
#[derive(Debug, Clone, Copy, Default)]
pub struct At {
    /// Row with the focus.
    pub row: usize,
    /// Number of rows.
    pub rows: usize,
    /// Rows of a page.
    pub page: usize,
    /// Whether the row has children.
    pub branch: bool,
    /// Whether its branch is open.
    pub open: bool,
}

/// Moves as the ARIA tree pattern says.
pub fn tree_move(key: &str, at: At) -> Option<Move> {
    let last = at.rows.checked_sub(1)?;
    Some(match key {
        "ArrowDown" => Move::To((at.row + 1).min(last)),
        "ArrowUp" => Move::To(at.row.saturating_sub(1)),
        "PageDown" => Move::To((at.row + at.page).min(last)),
        "PageUp" => Move::To(at.row.saturating_sub(at.page)),
        "Home" => Move::To(0),
        "End" => Move::To(last),
        "ArrowRight" if at.branch && !at.open => Move::Open,
        "ArrowRight" if at.branch => Move::Child,
        "ArrowLeft" if at.branch && at.open => Move::Close,
        "ArrowLeft" => Move::Parent,
        "Enter" | " " => Move::Enter,
        _ => return None,
    })
}

/// Moves in a grid of `columns`; the result is the new `(row, column)`.
pub fn grid_move(
    key: &str,
    ctrl: bool,
    at: At,
    column: usize,
    columns: usize,
) -> Option<(usize, usize)> {
    let last = at.rows.checked_sub(1)?;
    let right = columns.checked_sub(1)?;
    Some(match key {
        "ArrowDown" => ((at.row + 1).min(last), column),
        "ArrowUp" => (at.row.saturating_sub(1), column),
        "PageDown" => ((at.row + at.page).min(last), column),
        "PageUp" => (at.row.saturating_sub(at.page), column),
        "ArrowRight" => (at.row, (column + 1).min(right)),
        "ArrowLeft" => (at.row, column.saturating_sub(1)),
        "Home" if ctrl => (0, 0),
        "End" if ctrl => (last, right),
        "Home" => (at.row, 0),
        "End" => (at.row, right),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(key: &str) -> Press<'_> {
        Press {
            key,
            ..Press::default()
        }
    }

    #[test]
    fn letters_can_be_turned_off_and_never_act_while_typing() {
        assert_eq!(action(press("n"), true), Some(Action::NextFinding));
        assert_eq!(action(press("n"), false), None);
        assert_eq!(
            action(
                Press {
                    typing: true,
                    ..press("/")
                },
                true
            ),
            None
        );
        assert_eq!(
            action(
                Press {
                    ctrl: true,
                    ..press("n")
                },
                true
            ),
            None
        );
        assert_eq!(action(press("F6"), false), Some(Action::NextPane));
        assert_eq!(
            action(
                Press {
                    shift: true,
                    ..press("F6")
                },
                false
            ),
            Some(Action::PreviousPane)
        );
        assert_eq!(
            action(
                Press {
                    ctrl: true,
                    typing: true,
                    ..press("o")
                },
                false
            ),
            Some(Action::Open)
        );
    }

    #[test]
    fn nothing_acts_while_composing_or_in_a_dialog() {
        assert_eq!(
            action(
                Press {
                    composing: true,
                    ..press("?")
                },
                true
            ),
            None
        );
        assert_eq!(
            action(
                Press {
                    modal: true,
                    ..press("Escape")
                },
                true
            ),
            None
        );
        assert_eq!(
            action(
                Press {
                    modal: true,
                    ..press("n")
                },
                true
            ),
            None
        );
    }

    #[test]
    fn a_tree_moves_as_aria_says() {
        let at = At {
            row: 3,
            rows: 10,
            page: 5,
            branch: true,
            open: false,
        };
        assert_eq!(tree_move("ArrowRight", at), Some(Move::Open));
        assert_eq!(
            tree_move("ArrowRight", At { open: true, ..at }),
            Some(Move::Child)
        );
        assert_eq!(
            tree_move("ArrowLeft", At { open: true, ..at }),
            Some(Move::Close)
        );
        assert_eq!(tree_move("ArrowLeft", at), Some(Move::Parent));
        assert_eq!(
            tree_move("PageDown", At { row: 8, ..at }),
            Some(Move::To(9))
        );
        assert_eq!(tree_move("ArrowUp", At { row: 0, ..at }), Some(Move::To(0)));
        assert_eq!(tree_move("x", at), None);
        assert_eq!(tree_move("End", At { rows: 0, ..at }), None);
    }

    #[test]
    fn a_grid_stays_inside_its_edges() {
        let at = At {
            row: 0,
            rows: 3,
            page: 2,
            ..At::default()
        };
        assert_eq!(grid_move("ArrowLeft", false, at, 0, 4), Some((0, 0)));
        assert_eq!(grid_move("End", true, at, 0, 4), Some((2, 3)));
        assert_eq!(grid_move("End", false, at, 1, 4), Some((0, 3)));
        assert_eq!(grid_move("PageDown", false, at, 1, 4), Some((2, 1)));
    }
}
