//! Which rows of a collapsible tree are visible, and their place for a screen reader.

/// One node in preorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Index of the first item behind this one's subtree.
    pub next: u32,
    /// Index of the parent; roots name themselves.
    pub parent: u32,
    /// 1-based level (`aria-level`).
    pub level: u16,
    /// 1-based place among the siblings (`aria-posinset`).
    pub pos: u32,
    /// Number of siblings (`aria-setsize`).
    pub size: u32,
}

/// A tree with its open and closed branches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    items: Vec<Item>,
    closed: Vec<bool>,
    visible: Vec<u32>,
    row_of: Vec<u32>,
}

/// Marks an item that is not shown.
const HIDDEN: u32 = u32::MAX;

impl Outline {
    /// Builds the outline from the 0-based depths of the nodes in preorder; all branches open.
    pub fn from_depths(depths: &[u16]) -> Self {
        let mut items: Vec<Item> = Vec::with_capacity(depths.len());
        let mut path: Vec<u32> = Vec::new();
        let mut last_root = 0u32;
        // `size` first counts children; a second pass turns it into the number of siblings.
        let mut children: Vec<u32> = vec![0; depths.len()];
        let mut roots = 0u32;
        for (i, &depth) in depths.iter().enumerate() {
            let me = u32::try_from(i).unwrap_or(u32::MAX);
            while path.len() > usize::from(depth) {
                if let Some(done) = path.pop().and_then(|d| items.get_mut(d as usize)) {
                    done.next = me;
                }
            }
            let parent = path.last().copied().unwrap_or(me);
            let pos = if parent == me {
                roots += 1;
                last_root = me;
                roots
            } else if let Some(c) = children.get_mut(parent as usize) {
                *c += 1;
                *c
            } else {
                1
            };
            let level = u16::try_from(path.len() + 1).unwrap_or(u16::MAX);
            items.push(Item {
                next: me + 1,
                parent,
                level,
                pos,
                size: 0,
            });
            path.push(me);
        }
        let end = u32::try_from(items.len()).unwrap_or(u32::MAX);
        for open in path {
            if let Some(item) = items.get_mut(open as usize) {
                item.next = end;
            }
        }
        let _ = last_root;
        for (i, item) in items.iter_mut().enumerate() {
            item.size = if item.parent as usize == i {
                roots
            } else {
                children.get(item.parent as usize).copied().unwrap_or(1)
            };
        }
        let mut out = Self {
            closed: vec![false; items.len()],
            items,
            visible: Vec::new(),
            row_of: Vec::new(),
        };
        out.refresh();
        out
    }

    /// Number of items, visible or not.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The item at `at`.
    pub fn item(&self, at: usize) -> Option<Item> {
        self.items.get(at).copied()
    }

    /// Number of visible rows.
    pub fn rows(&self) -> usize {
        self.visible.len()
    }

    /// Item shown in a row.
    pub fn at_row(&self, row: usize) -> Option<usize> {
        self.visible.get(row).map(|&i| i as usize)
    }

    /// Row of an item, if it is visible.
    pub fn row_of(&self, at: usize) -> Option<usize> {
        self.row_of
            .get(at)
            .filter(|&&r| r != HIDDEN)
            .map(|&r| r as usize)
    }

    /// Whether the item has children.
    pub fn has_children(&self, at: usize) -> bool {
        self.items.get(at).is_some_and(|i| i.next as usize > at + 1)
    }

    /// Whether the item's branch is open.
    pub fn is_open(&self, at: usize) -> bool {
        self.closed.get(at).is_some_and(|c| !c)
    }

    /// Opens or closes one branch.
    pub fn set_open(&mut self, at: usize, open: bool) {
        if let Some(c) = self.closed.get_mut(at) {
            *c = !open;
            self.refresh();
        }
    }

    /// Closes every branch that starts below `level` (1 keeps only the roots' rows).
    pub fn close_below(&mut self, level: u16) {
        for (c, item) in self.closed.iter_mut().zip(&self.items) {
            *c = item.level >= level;
        }
        self.refresh();
    }

    /// Opens all ancestors of the items, so that they are visible.
    pub fn reveal(&mut self, ats: impl IntoIterator<Item = usize>) {
        let mut changed = false;
        for at in ats {
            let mut i = at;
            while let Some(item) = self.items.get(i) {
                let parent = item.parent as usize;
                if parent == i {
                    break;
                }
                if let Some(c) = self.closed.get_mut(parent)
                    && *c
                {
                    *c = false;
                    changed = true;
                }
                i = parent;
            }
        }
        if changed {
            self.refresh();
        }
    }

    /// Parent of an item, unless it is a root.
    pub fn parent(&self, at: usize) -> Option<usize> {
        self.items
            .get(at)
            .map(|i| i.parent as usize)
            .filter(|&p| p != at)
    }

    fn refresh(&mut self) {
        self.visible.clear();
        self.row_of.clear();
        self.row_of.resize(self.items.len(), HIDDEN);
        let mut i = 0;
        while let Some(item) = self.items.get(i) {
            let row = u32::try_from(self.visible.len()).unwrap_or(HIDDEN);
            if let Some(r) = self.row_of.get_mut(i) {
                *r = row;
            }
            self.visible.push(u32::try_from(i).unwrap_or(u32::MAX));
            i = if self.is_open(i) {
                i + 1
            } else {
                item.next as usize
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn levels_and_places_are_those_of_aria() {
        let o = Outline::from_depths(&[0, 1, 1, 2, 0]);
        let places: Vec<_> = (0..5)
            .filter_map(|i| o.item(i))
            .map(|i| (i.level, i.pos, i.size))
            .collect();
        assert_eq!(
            places,
            [(1, 1, 2), (2, 1, 2), (2, 2, 2), (3, 1, 1), (1, 2, 2)]
        );
        assert!(o.has_children(2) && !o.has_children(3) && !o.has_children(4));
    }

    #[test]
    fn a_closed_branch_hides_its_rows_and_reveal_opens_it() {
        let mut o = Outline::from_depths(&[0, 1, 2, 2, 0, 1]);
        o.set_open(0, false);
        assert_eq!(
            (0..o.rows())
                .filter_map(|r| o.at_row(r))
                .collect::<Vec<_>>(),
            [0, 4, 5]
        );
        assert_eq!(o.row_of(3), None);
        o.set_open(1, false);
        o.reveal([3]);
        assert_eq!(o.row_of(3), Some(3));
        o.close_below(1);
        assert_eq!(o.rows(), 2);
        assert_eq!(o.parent(3), Some(1));
        assert_eq!(o.parent(4), None);
    }

    proptest! {
        #[test]
        fn every_row_and_its_item_agree(steps in prop::collection::vec((0u16..5, any::<bool>()), 0..60)) {
            let mut depth = 0u16;
            let depths: Vec<u16> = steps.iter().map(|(d, _)| { depth = (*d).min(depth + 1); depth }).collect();
            let mut o = Outline::from_depths(&depths);
            for (i, (_, open)) in steps.iter().enumerate() { o.set_open(i, *open); }
            for r in 0..o.rows() {
                let at = o.at_row(r).unwrap();
                prop_assert_eq!(o.row_of(at), Some(r));
                if let Some(p) = o.parent(at) { prop_assert!(o.is_open(p) && o.row_of(p).is_some()); }
            }
        }
    }
}
