//! A list of any length of which only the visible rows, twenty around them and the focused one
//! stand in the document. Focus moves by roving tabindex.

use std::{cell::Cell, rc::Rc};

use leptos::ev;
use wasm_bindgen::{JsCast, prelude::Closure};

use super::dom::{self as html, prelude::*};
use crate::{
    keys::{self, Move},
    outline::Outline,
    virt,
};

/// What a list shares with the view around it.
#[derive(Clone, Copy)]
pub(super) struct List {
    /// Prefix of the rows' ids.
    pub(super) id: &'static str,
    /// Number of rows.
    pub(super) count: Calc<usize>,
    /// Height of a row in px.
    pub(super) row_px: Calc<i32>,
    /// Changes when rows must be made anew.
    pub(super) version: Calc<u32>,
    /// Row that has or will get the focus.
    pub(super) active: Sig<usize>,
    top: Sig<i32>,
    height: Sig<i32>,
    node: Ref<web_sys::HtmlElement>,
}

thread_local! {
    /// Id of the list that last had the focus, so that focus survives when its rows are made anew.
    static FOCUSED: Cell<&'static str> = const { Cell::new("") };
}

/// Gives the focus on to the pane when the list that has it is taken away.
struct Left(&'static str);

impl Drop for Left {
    fn drop(&mut self) {
        if FOCUSED.get() == self.0 {
            frame(|| {
                if lost() {
                    focus(document().query_selector(".pane.is-current").ok().flatten());
                }
            });
        }
    }
}

/// Whether nothing has the focus: what had it was taken out of the document.
fn lost() -> bool {
    document()
        .active_element()
        .is_none_or(|e| e.tag_name() == "BODY")
}

impl List {
    pub(super) fn new(
        id: &'static str,
        count: Calc<usize>,
        row_px: Calc<i32>,
        version: Calc<u32>,
    ) -> Self {
        Self {
            id,
            count,
            row_px,
            version,
            active: sig(0),
            top: sig(0),
            height: sig(600),
            node: Ref::new(),
        }
    }

    /// Rows of a page.
    pub(super) fn page(self) -> usize {
        virt::page(self.row_px.get_untracked(), self.height.get_untracked())
    }

    /// Brings a row into view; in the middle if it was out of view and `centre` is set.
    pub(super) fn reveal(self, row: usize, centre: bool) {
        let Some(node) = self.node.get() else {
            return;
        };
        let height = node.client_height();
        let top = node.scroll_top();
        if let Some(to) = virt::scroll_to(row, self.row_px.get_untracked(), top, height, centre) {
            // The spacer must be tall enough before the scroll, so wait for the pending render.
            frame(move || {
                node.set_scroll_top(to);
            });
        }
    }

    /// Makes a row the active one, visible and focused.
    pub(super) fn go(self, row: usize) {
        self.active.set(row);
        self.reveal(row, false);
        self.focus();
    }

    /// Focuses the active row.
    pub(super) fn focus(self) {
        let id = self.row_id(self.active.get_untracked());
        frame(move || focus_id(&id));
    }

    /// Takes the focus back that the rows or the list lost when they were made anew.
    fn refocus(self) {
        if FOCUSED.get() != self.id {
            return;
        }
        frame(move || {
            let Some(node) = self.node.get() else { return };
            // The pane may keep it for the list.
            let kept = document()
                .active_element()
                .is_some_and(|e| e.tag_name() == "SECTION" && e.contains(Some(&node)));
            if lost() || kept {
                focus(node.query_selector("[tabindex='0']").ok().flatten());
            }
        });
    }

    /// The element of a row.
    #[inline(never)]
    pub(super) fn row(self, row: usize, role: &'static str) -> El {
        html::div()
            .class("row")
            .id(self.row_id(row))
            .attr("role", role)
            .attr("tabindex", move || {
                if self.active.get() == row { "0" } else { "-1" }
            })
    }

    pub(super) fn row_id(self, row: usize) -> String {
        format!("{}-{row}", self.id)
    }
}

/// Watches the size of an element as long as the current owner lives.
struct Watch {
    observer: web_sys::ResizeObserver,
    _callback: Closure<dyn FnMut()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

/// Runs whenever the size of an element changes.
pub(super) fn on_resize(node: &web_sys::Element, run: Rc<dyn Ask<()>>) {
    let callback = Closure::<dyn FnMut()>::new(move || run.ask());
    if let Ok(observer) = web_sys::ResizeObserver::new(callback.as_ref().unchecked_ref()) {
        observer.observe(node);
        hold(Watch {
            observer,
            _callback: callback,
        });
    }
}

/// Focuses an element without scrolling to it.
pub(super) fn focus_id(id: &str) {
    focus(document().get_element_by_id(id));
}

fn focus(element: Option<web_sys::Element>) {
    if let Some(el) = element.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = el.focus_with_options(&options);
    }
}

/// A closure that takes a key press.
trait Key {
    fn press(&self, e: &ev::KeyboardEvent);
}

impl<F: Fn(&ev::KeyboardEvent)> Key for F {
    fn press(&self, e: &ev::KeyboardEvent) {
        self(e);
    }
}

/// Hands a tree's outline to who asks.
type Reach = &'static dyn Fn(&mut dyn FnMut(&mut Outline));

/// A tree shown as a list: how its outline is reached, and what Enter does.
#[derive(Clone, Copy)]
pub(super) struct Tree {
    pub(super) list: List,
    reach: Reach,
    version: Sig<u32>,
    enter: &'static dyn Tell<usize>,
}

impl Tree {
    pub(super) fn new(
        id: &'static str,
        row_px: Calc<i32>,
        version: Sig<u32>,
        reach: Reach,
        enter: &'static dyn Tell<usize>,
    ) -> Self {
        let count = Calc::new(move || {
            let mut rows = 0;
            reach(&mut |o| rows = o.rows());
            rows
        });
        Self {
            list: List::new(id, count, row_px, Calc::from(version)),
            reach,
            version,
            enter,
        }
    }

    fn toggle(self, at: usize, open: bool) {
        (self.reach)(&mut |o| o.set_open(at, open));
        self.version.update(|v| *v += 1);
        self.list.focus();
    }

    /// Shows an item as the active one, if its row is visible.
    #[inline(never)]
    pub(super) fn show(self, at: usize) {
        let mut row = None;
        (self.reach)(&mut |o| row = o.row_of(at));
        if let Some(row) = row {
            self.list.active.set(row);
            self.list.reveal(row, true);
        }
    }

    /// Moves as the ARIA tree pattern says.
    #[inline(never)]
    fn key(self, e: &ev::KeyboardEvent) {
        let row = self.list.active.get_untracked();
        let mut place = keys::At {
            row,
            page: self.list.page(),
            ..keys::At::default()
        };
        let mut at = None;
        let mut parent = None;
        (self.reach)(&mut |o| {
            at = o.at_row(row);
            place.rows = o.rows();
            if let Some(at) = at {
                place.branch = o.has_children(at);
                place.open = o.is_open(at);
                parent = o.parent(at).and_then(|p| o.row_of(p));
            }
        });
        let Some(at) = at else { return };
        let Some(step) = keys::tree_move(&e.key(), place) else {
            return;
        };
        e.prevent_default();
        match step {
            Move::To(to) => self.list.go(to),
            Move::Open => self.toggle(at, true),
            Move::Close => self.toggle(at, false),
            Move::Child => self.list.go(row + 1),
            Move::Parent => {
                if let Some(to) = parent {
                    self.list.go(to);
                }
            }
            Move::Enter => {
                self.enter.tell(at);
                self.list.focus();
            }
        }
    }

    /// The element of a row with its place for screen readers, and the item it shows.
    #[inline(never)]
    pub(super) fn row(self, row: usize) -> Option<(El, usize)> {
        let mut found = None;
        (self.reach)(&mut |o| {
            found = o.at_row(row).and_then(|at| {
                o.item(at)
                    .map(|item| (at, item, o.has_children(at), o.is_open(at)))
            });
        });
        let (at, item, branch, open) = found?;
        let el = self
            .list
            .row(row, "treeitem")
            .attr("aria-level", item.level.to_string())
            .attr("aria-setsize", item.size.to_string())
            .attr("aria-posinset", item.pos.to_string())
            .attr(
                "aria-expanded",
                branch.then_some(if open { "true" } else { "false" }),
            )
            .on(ev::click, move |e| {
                self.list.active.set(row);
                if super::on_twist(&e) && branch {
                    self.toggle(at, !open);
                } else {
                    self.enter.tell(at);
                    self.list.focus();
                }
            })
            .child(
                html::span()
                    .class("twist")
                    .attr("aria-hidden", "true")
                    .child(match (branch, open) {
                        (false, _) => "",
                        (_, true) => "▾",
                        (_, false) => "▸",
                    }),
            );
        Some((el, at))
    }

    /// The tree with its keys.
    pub(super) fn view(
        self,
        class: &'static str,
        label: Calc<String>,
        fill: impl Fn(usize) -> View + 'static,
    ) -> View {
        let body = view(self.list, class, "tree", label, fill);
        pane_body(body, Box::new(move |e: &ev::KeyboardEvent| self.key(e)))
    }
}

/// A list with its keys; `enter` is told the row.
pub(super) fn flat(
    list: List,
    class: &'static str,
    role: &'static str,
    label: Calc<String>,
    enter: impl Fn(usize) + 'static,
    fill: impl Fn(usize) -> View + 'static,
) -> View {
    let body = view(list, class, role, label, fill);
    pane_body(body, flat_keys(list, Box::new(enter)))
}

#[inline(never)]
fn flat_keys(list: List, enter: Box<dyn Tell<usize>>) -> Box<dyn Key> {
    Box::new(move |e: &ev::KeyboardEvent| {
        let row = list.active.get_untracked();
        let place = keys::At {
            row,
            rows: list.count.get_untracked(),
            page: list.page(),
            ..keys::At::default()
        };
        match keys::tree_move(&e.key(), place) {
            Some(Move::To(to)) => list.go(to),
            Some(Move::Enter) => {
                enter.tell(row);
                list.focus();
            }
            _ => return,
        }
        e.prevent_default();
    })
}

/// A grid with its keys: `columns` cells a row, named `{list}-{row}-{column}`.
pub(super) fn grid(
    list: List,
    class: &'static str,
    label: Calc<String>,
    columns: Calc<usize>,
    column: Sig<usize>,
    enter: impl Fn((usize, usize)) + 'static,
    fill: impl Fn(usize) -> View + 'static,
) -> View {
    let body = view(list, class, "grid", label, fill);
    pane_body(body, grid_keys(list, columns, column, Box::new(enter)))
}

#[inline(never)]
fn grid_keys(
    list: List,
    columns: Calc<usize>,
    column: Sig<usize>,
    enter: Box<dyn Tell<(usize, usize)>>,
) -> Box<dyn Key> {
    Box::new(move |e: &ev::KeyboardEvent| {
        let row = list.active.get_untracked();
        let now = column.get_untracked();
        let place = keys::At {
            row,
            rows: list.count.get_untracked(),
            page: list.page(),
            ..keys::At::default()
        };
        let key = e.key();
        if key == "Enter" || key == " " {
            e.prevent_default();
            enter.tell((row, now));
            focus_cell(list, column);
        } else if let Some((row, to)) =
            keys::grid_move(&key, e.ctrl_key(), place, now, columns.get_untracked())
        {
            e.prevent_default();
            list.active.set(row);
            column.set(to);
            list.reveal(row, false);
            focus_cell(list, column);
        }
    })
}

/// Focuses the active cell of a grid.
#[inline(never)]
pub(super) fn focus_cell(list: List, column: Sig<usize>) {
    let id = format!(
        "{}-{}-{}",
        list.id,
        list.active.get_untracked(),
        column.get_untracked()
    );
    frame(move || focus_id(&id));
}

/// A cell of a grid.
#[inline(never)]
pub(super) fn cell(
    list: List,
    column: Sig<usize>,
    row: usize,
    at: usize,
    class: &'static str,
    role: &'static str,
) -> El {
    html::span()
        .class(class)
        .id(format!("{}-{row}-{at}", list.id))
        .attr("role", role)
        .attr("aria-colindex", (at + 1).to_string())
        .attr("tabindex", move || {
            if list.active.get() == row && column.get() == at {
                "0"
            } else {
                "-1"
            }
        })
}

#[inline(never)]
fn pane_body(body: View, key: Box<dyn Key>) -> View {
    html::div()
        .class("pane-body")
        .on(ev::keydown, move |e| {
            if super::on_row(&e) {
                key.press(&e);
            }
        })
        .child(body)
        .into_any()
}

/// The scrolling container; `fill` makes one row.
fn view(
    list: List,
    class: &'static str,
    role: &'static str,
    label: Calc<String>,
    fill: impl Fn(usize) -> View + 'static,
) -> View {
    boxed(list, class, role, label, Box::new(fill))
}

#[inline(never)]
fn boxed(
    list: List,
    class: &'static str,
    role: &'static str,
    label: Calc<String>,
    fill: Box<dyn Tell<usize, View>>,
) -> View {
    let total = move || {
        let _ = list.version.get();
        list.count.get()
    };
    let rows = derived(move || {
        let range = virt::window(
            total(),
            list.row_px.get(),
            list.top.get(),
            list.height.get(),
        );
        (range.start, range.end)
    });
    let each = move || {
        let (start, end) = rows.get();
        let version = list.version.get();
        let active = list.active.get();
        let count = list.count.get();
        let mut all: Vec<(u32, usize)> = Vec::with_capacity(end - start + 1);
        if active < start && active < count {
            all.push((version, active));
        }
        all.extend((start..end.min(count)).map(|i| (version, i)));
        if active >= end && active < count {
            all.push((version, active));
        }
        all
    };
    let hidden = Cell::new(false);
    let measure = Rc::new(move || {
        let Some(node) = list.node.get() else {
            return;
        };
        let height = node.client_height();
        if height <= 0 {
            hidden.set(true);
            return;
        }
        if height != list.height.get_untracked() {
            list.height.set(height);
        }
        // What was to be shown while the pane was hidden is shown now.
        if hidden.get() {
            hidden.set(false);
            list.reveal(list.active.get_untracked(), true);
        }
    });
    effect(move || {
        if let Some(node) = list.node.get() {
            measure.clone()();
            on_resize(&node, measure.clone());
        }
    });
    // What is made anew has lost the focus; it goes back to the active row.
    hold(Left(list.id));
    effect(move || {
        let _ = list.version.get();
        list.refocus();
    });
    let spacer = html::div()
        .class("spacer")
        .attr("role", "presentation")
        .style(("height", move || {
            format!("{}px", virt::px(total(), list.row_px.get()))
        }));
    keyed(&spacer, each, move |(_, i)| {
        html::div()
            .class("slot")
            .attr("role", "presentation")
            .style(("top", move || {
                format!("{}px", virt::px(i, list.row_px.get()))
            }))
            .child(fill.tell(i))
    });
    html::div()
        .class("list")
        .class(class)
        .node_ref(list.node)
        .attr("role", role)
        .attr("aria-label", move || label.get())
        .attr("aria-rowcount", move || {
            matches!(role, "grid").then(|| list.count.get().to_string())
        })
        .on(ev::scroll, move |_| {
            if let Some(node) = list.node.get() {
                list.top.set(node.scroll_top());
            }
        })
        .on(ev::focusin, move |_| FOCUSED.set(list.id))
        .child(spacer)
        .into_any()
}
