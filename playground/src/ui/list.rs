//! A list of any length of which only the visible rows, twenty around them and the focused one
//! stand in the document. Focus moves by roving tabindex.

use leptos::ev;
use wasm_bindgen::{JsCast, prelude::Closure};

use super::dom::{self as html, prelude::*};
use crate::virt;

/// What a list shares with the view around it.
#[derive(Clone, Copy)]
pub(super) struct List {
    /// Prefix of the rows' ids.
    pub(super) id: &'static str,
    /// Number of rows.
    pub(super) count: Signal<usize>,
    /// Height of a row in px.
    pub(super) row_px: Signal<f64>,
    /// Changes when rows must be made anew.
    pub(super) version: Signal<u64>,
    /// Row that has or will get the focus.
    pub(super) active: RwSignal<usize>,
    top: RwSignal<f64>,
    height: RwSignal<f64>,
    node: Ref<web_sys::HtmlElement>,
}

thread_local! {
    /// Id of the list that last had the focus, so that focus survives when its rows are made anew.
    static FOCUSED: std::cell::Cell<&'static str> = const { std::cell::Cell::new("") };
}

impl List {
    pub(super) fn new(
        id: &'static str,
        count: Signal<usize>,
        row_px: Signal<f64>,
        version: Signal<u64>,
    ) -> Self {
        Self {
            id,
            count,
            row_px,
            version,
            active: RwSignal::new(0),
            top: RwSignal::new(0.0),
            height: RwSignal::new(600.0),
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
        let height = f64::from(node.client_height());
        let top = f64::from(node.scroll_top());
        if let Some(to) = virt::scroll_to(row, self.row_px.get_untracked(), top, height, centre) {
            // The spacer must be tall enough before the scroll, so wait for the pending render.
            request_animation_frame(move || {
                #[expect(clippy::cast_possible_truncation, reason = "px")]
                node.set_scroll_top(to as i32);
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
        request_animation_frame(move || focus_id(&id));
    }

    pub(super) fn row_id(self, row: usize) -> String {
        format!("{}-{row}", self.id)
    }
}

/// Focuses an element without scrolling to it.
pub(super) fn focus_id(id: &str) {
    if let Some(el) = document()
        .get_element_by_id(id)
        .and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok())
    {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = el.focus_with_options(&options);
    }
}

/// The scrolling container; `fill` makes one row.
pub(super) fn view(
    list: List,
    class: &'static str,
    role: &'static str,
    label: Signal<String>,
    fill: impl Fn(usize) -> View + 'static + Send + Sync + Clone,
) -> View {
    let rows = Memo::new(move |_| {
        let range = virt::window(
            list.count.get(),
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
        let mut all: Vec<(u64, usize)> = Vec::with_capacity(end - start + 1);
        if active < start && active < count {
            all.push((version, active));
        }
        all.extend((start..end.min(count)).map(|i| (version, i)));
        if active >= end && active < count {
            all.push((version, active));
        }
        all
    };
    let hidden = StoredValue::new(false);
    let measure = move || {
        let Some(node) = list.node.get() else {
            return;
        };
        let height = f64::from(node.client_height());
        if height <= 0.0 {
            hidden.set_value(true);
            return;
        }
        if (height - list.height.get_untracked()).abs() > 0.5 {
            list.height.set(height);
        }
        // What was to be shown while the pane was hidden is shown now.
        if hidden.get_value() {
            hidden.set_value(false);
            list.reveal(list.active.get_untracked(), true);
        }
    };
    effect(move || {
        let Some(node) = list.node.get() else { return };
        measure();
        let callback = Closure::<dyn FnMut()>::new(measure);
        if let Ok(observer) = web_sys::ResizeObserver::new(callback.as_ref().unchecked_ref()) {
            observer.observe(&node);
            let keep = StoredValue::new_local((observer, callback));
            on_cleanup(move || keep.with_value(|(o, _)| o.disconnect()));
        }
    });
    // Rows made anew lose the focus; give it back to the active one.
    let seen = StoredValue::new(list.version.get_untracked());
    effect(move || {
        let version = list.version.get();
        if seen.get_value() != version && FOCUSED.get() == list.id {
            request_animation_frame(move || {
                if document()
                    .active_element()
                    .is_none_or(|e| e.tag_name() == "BODY")
                {
                    focus_id(&list.row_id(list.active.get_untracked()));
                }
            });
        }
        seen.set_value(version);
    });
    let spacer = html::div()
        .class("spacer")
        .attr("role", "presentation")
        .style(("height", move || {
            format!("{}px", virt::px(list.count.get(), list.row_px.get()))
        }));
    keyed(&spacer, each, move |(_, i)| {
        html::div()
            .class("slot")
            .attr("role", "presentation")
            .style(("top", move || {
                format!("{}px", virt::px(i, list.row_px.get()))
            }))
            .child(fill(i))
    });
    html::div()
        .class(format!("list {class}"))
        .node_ref(list.node)
        .attr("role", role)
        .attr("aria-label", move || label.get())
        .attr("aria-rowcount", move || {
            matches!(role, "grid").then(|| list.count.get().to_string())
        })
        .on(ev::scroll, move |_| {
            if let Some(node) = list.node.get() {
                list.top.set(f64::from(node.scroll_top()));
            }
        })
        .on(ev::focusin, move |_| FOCUSED.set(list.id))
        .child(spacer)
        .into_any()
}
