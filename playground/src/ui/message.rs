//! The message pane: field tree, text as it stands in the file, hex.

use std::rc::Rc;

use leptos::ev;

use super::{
    dom::{self as html, prelude::*},
    host,
    list::{self, List, Tree},
    state::{App, MessageTab, Pane},
};
use crate::{
    findings::{self, Finding},
    json::cut,
    outline::Outline,
    raw::{self, HexIndex, Look, TextRow},
    settings::Lang,
    text::{self, Text},
};

pub(super) fn view(app: App) -> View {
    // 0: nothing open, 1: a file without fields, 2 and more: the tab.
    let shown = move || {
        let (open, fields) = app.doc.with(|d| {
            let fields = !d.message.rows.is_empty() && d.content != "other" && !d.is_fhir();
            (!d.path.is_empty(), fields)
        });
        match (open, fields, app.message_tab.get()) {
            (false, ..) => 0,
            (_, false, MessageTab::Fields) => 1,
            (.., MessageTab::Fields) => 2,
            (.., MessageTab::Text) => 3,
            (.., MessageTab::Hex) => 4,
        }
    };
    fresh(shown, move |state| match state {
        0 => super::placeholder(app),
        1 => nothing(app, text::NO_FIELDS),
        2 => fields(app),
        3 => original(app),
        _ => hex(app),
    })
}

/// Says that a file is none of ours, or else what the pane says of a file it has nothing of.
pub(super) fn nothing(app: App, otherwise: Text) -> View {
    html::div()
        .class("placeholder")
        .child(move || {
            app.doc.with(|d| {
                if d.raw.is_empty() {
                    return app.say(text::EMPTY_FILE).to_owned();
                }
                if d.resources > 0 || !matches!(d.content.as_str(), "other" | "empty" | "") {
                    return app.say(otherwise).to_owned();
                }
                let head: Vec<String> = d.raw.iter().take(4).map(|b| format!("{b:02X}")).collect();
                app.fill(text::NOT_OURS, &[&text::join(&head, " ")])
            })
        })
        .into_any()
}

/// First row that shows the bytes the trace asks for.
fn row_of_span(rows: &[TextRow], start: u32) -> usize {
    rows.partition_point(|r| r.span.1 <= start)
}

fn fields(app: App) -> View {
    let tree = Tree::new(
        "field",
        app.row_px,
        &app.fields_version,
        Box::leak(Box::new(move |use_it: &mut dyn FnMut(&mut Outline)| {
            app.fields.touch(|o| use_it(o));
        })),
        Box::leak(Box::new(move |at| app.follow_field(at))),
    );
    let hovered = sig(None::<usize>);
    effect(move || {
        let (_, start, end) = app.show_span.get();
        if app.marks.with_untracked(|m| m.is_empty()) {
            return;
        }
        if let Some(at) = app.doc.with_untracked(|d| d.message.row_at(start, end)) {
            tree.show(at);
        }
    });
    let rows = tree.view("field-list", app.label(text::FIELDS), move |row| {
        let Some((el, at)) = tree.row(row) else {
            return ().into_any();
        };
        let doc = app.doc.get_untracked();
        let Some(field) = doc.message.rows.get(at) else {
            return ().into_any();
        };
        let branch = doc
            .message
            .rows
            .get(at + 1)
            .is_some_and(|next| next.depth > field.depth);
        let span = field.span;
        let path = doc.path.clone();
        let depth = field.depth;
        let marked =
            Rc::new(move || depth > 0 && app.marks.with(|m| m.covers(&path, span.0, span.1)));
        let (ja, en) = (field.ja.clone(), field.en.clone());
        let value = if depth == 0 || (branch && depth < 2) {
            ""
        } else {
            field.text.as_str()
        };
        let (on, on_too) = (marked.clone(), marked);
        el.class("field-row")
            .class(format!("depth-{}", depth.min(4)))
            .class(("is-marked", move || on()))
            .attr(
                "aria-selected",
                move || {
                    if on_too() { "true" } else { "false" }
                },
            )
            .attr("data-path", field.path.clone())
            .on(ev::focus, move |_| hovered.set(Some(at)))
            .on(ev::mouseenter, move |_| hovered.set(Some(at)))
            .child(html::span().class("sr").child(format!("{} ", field.path)))
            .child(
                html::span()
                    .class("mono label")
                    .attr("aria-hidden", "true")
                    .child(field.label.as_str()),
            )
            .child(
                html::span()
                    .class("name clip")
                    .child(move || match app.lang.get() {
                        Lang::Ja => ja.clone(),
                        Lang::En => en.clone(),
                    }),
            )
            .child(value_of(app, value.to_owned(), span, branch))
            .into_any()
    });
    (rows, strip(app, hovered)).into_any()
}

/// A value, underlined if there is a finding on it, and the finding's code.
fn value_of(app: App, value: String, span: (u32, u32), branch: bool) -> impl IntoView {
    move || {
        let found = flag_of(app, span, branch);
        let text = html::span().class("mono value clip");
        match found {
            None => text.child(value.clone()).into_any(),
            Some(f) => (
                text.child(
                    html::span()
                        .class("found")
                        .class(f.severity.class())
                        .child(value.clone()),
                ),
                flag(app, f),
            )
                .into_any(),
        }
    }
}

/// The code of a finding, beside what it stands on.
pub(super) fn flag(app: App, f: Finding) -> View {
    html::span()
        .class("flag")
        .class(f.severity.class())
        .attr("title", f.message)
        .child((
            html::span()
                .class("sign")
                .attr("aria-hidden", "true")
                .child(f.severity.sign()),
            html::span()
                .class("sr")
                .say(app, super::bottom::said(f.severity)),
            f.code,
        ))
        .into_any()
}

/// The worst finding on a field: of a branch only one that means all of it.
fn flag_of(app: App, span: (u32, u32), branch: bool) -> Option<Finding> {
    let path = app.doc.with_untracked(|d| d.path.clone());
    app.here.with(|all| {
        if branch {
            let whole = |f: &&Finding| f.span == span && span.1 > span.0 && f.file == path;
            all.iter().filter(whole).min_by_key(|f| f.severity).cloned()
        } else {
            findings::worst(all, &path, span.0, span.1).cloned()
        }
    })
}

/// Both names of the field under the pointer or the focus, and where the trace leads from it.
fn strip(app: App, hovered: Sig<Option<usize>>) -> View {
    html::div()
        .class("strip")
        .child((
            move || {
                let doc = app.doc.get();
                hovered
                    .get()
                    .and_then(|at| doc.message.rows.get(at).cloned())
                    .map(|r| {
                        let names = match (r.ja.is_empty(), r.en.is_empty()) {
                            (true, true) => String::new(),
                            (false, true) => r.ja.clone(),
                            (true, false) => r.en.clone(),
                            _ => format!("{} / {}", r.ja, r.en),
                        };
                        (
                            html::span().class("mono strong").child(r.path.clone()),
                            html::span().class("clip grow").child(names),
                            html::span()
                                .class("dim mono small nowrap")
                                .child(format!("{}–{}", r.span.0, r.span.1)),
                        )
                    })
            },
            move || {
                (hovered.get().is_none() && app.marks.with(|m| m.is_empty())).then(|| {
                    html::span()
                        .class("dim small clip")
                        .say(app, text::HINT_FIELD)
                })
            },
            targets(app),
        ))
        .into_any()
}

/// `→ Patient.name[1].family`, a button each: the way to the other side on a narrow screen.
fn targets(app: App) -> View {
    (move || {
        let marks = app.marks.get();
        let doc = app.doc.get();
        (marks.from_field && !marks.elements.is_empty()).then(|| {
            let shown = 3;
            let buttons: Vec<_> = marks
                .elements
                .iter()
                .take(shown)
                .map(|(node, _)| {
                    let node = *node;
                    html::button()
                        .class("chip")
                        .attr("type", "button")
                        .on(ev::click, move |_| {
                            app.pane.set(Pane::Fhir);
                            app.show_node.update(|s| *s = (s.0 + 1, node));
                        })
                        .child(format!("→ {}", doc.json.fhir_path(node as usize)))
                })
                .collect();
            let more = marks.elements.len().saturating_sub(shown);
            html::div().class("targets").child((
                buttons,
                (more > 0).then(|| html::span().class("dim").child(format!("+{more}"))),
            ))
        })
    })
    .into_any()
}

/// Half-width cells that fit beside the line numbers.
fn cells(app: App, width: i32) -> u32 {
    let cell = app.settings.with(|s| s.size.cell_px());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few hundred at most"
    )]
    let n = (f64::from(width - 92) / cell).clamp(16.0, 400.0) as u32;
    n
}

fn original(app: App) -> View {
    let width = super::width_of("message");
    let rows = derived(move || {
        let doc = app.doc.get();
        raw::text_rows(&doc.raw, doc.charset(), cells(app, width.get()))
    });
    let count = Calc::new(move || rows.with(Vec::len));
    let version = changes(move || {
        rows.track();
        app.doc_version.track();
    });
    let list = List::new("line", count, app.row_px, version.into());
    effect(move || {
        let (n, start, _) = app.show_span.get();
        if n > 0 && !app.marks.with_untracked(|m| m.is_empty()) {
            let row = rows.with_untracked(|r| row_of_span(r, start));
            list.active.set(row);
            list.reveal(row, true);
        }
    });
    list::flat(
        list,
        "text-list",
        "list",
        app.label(text::ORIGINAL),
        move |row| {
            if let Some(r) = rows.with_untracked(|r| r.get(row).copied()) {
                app.follow_span(&r.line.to_string(), r.span);
            }
        },
        move |i| {
            let Some(row) = rows.with_untracked(|r| r.get(i).copied()) else {
                return ().into_any();
            };
            let runs = move || {
                let doc = app.doc.get_untracked();
                let marks = app.marks.get();
                let charset = doc.charset();
                let path = doc.path.clone();
                let here = app.here.get();
                let in_row: Vec<Finding> = here
                    .iter()
                    .filter(|f| f.touches(&path, row.span.0, row.span.1))
                    .cloned()
                    .collect();
                raw::runs(
                    &doc.raw,
                    charset,
                    row,
                    &|s, e| marks.touches(&path, s, e),
                    &|s, e| findings::worst(&in_row, &path, s, e).map(|f| f.severity),
                    &|b| host::decode(charset.decoder(), b),
                )
                .into_iter()
                .map(|run| {
                    html::span()
                        .class(look(run.look))
                        .class(("mark", run.marked))
                        .class(run.found.map_or("", |s| s.class()))
                        .class(("found", run.found.is_some()))
                        .attr("data-at", run.span.0.to_string())
                        .attr("data-to", run.span.1.to_string())
                        .child(pictures(run.look, run.text))
                })
                .collect::<Vec<_>>()
            };
            list.row(i, "listitem")
                .class("text-row")
                .on(ev::click, move |e| {
                    list.active.set(i);
                    if let Some((start, end)) = clicked_bytes(app, &e) {
                        app.follow_bytes(start, end);
                    }
                    list.focus();
                })
                .child((
                    html::span()
                        .class("gutter mono")
                        .attr("aria-hidden", "true")
                        .child(if row.first {
                            row.line.to_string()
                        } else {
                            String::new()
                        }),
                    html::span().class("mono pre").child(runs),
                ))
                .into_any()
        },
    )
}

/// Control pictures drawn as their names in a small frame; the text itself keeps the picture.
fn pictures(look: Look, text: String) -> View {
    if !matches!(look, Look::Escape | Look::Control) {
        return text.into_any();
    }
    text.chars()
        .map(|c| match raw::control_name(c) {
            Some(name) => html::span()
                .class("ctl")
                .attr("data-c", name)
                .child(c.to_string())
                .into_any(),
            None => c.to_string().into_any(),
        })
        .collect::<Vec<_>>()
        .into_any()
}

/// The bytes under a click: the character the caret stands at, or else the whole run.
fn clicked_bytes(app: App, e: &ev::MouseEvent) -> Option<(u32, u32)> {
    use wasm_bindgen::JsCast;
    let el = e
        .target()?
        .dyn_into::<web_sys::Element>()
        .ok()?
        .closest("[data-at]")
        .ok()??;
    let start: u32 = el.get_attribute("data-at")?.parse().ok()?;
    let end: u32 = el.get_attribute("data-to")?.parse().ok()?;
    let rect = el.get_bounding_client_rect();
    let doc = app.doc.get_untracked();
    let units: Vec<raw::Unit> = raw::Units::new(
        &doc.raw,
        doc.charset(),
        start as usize,
        shift_at(app, start),
    )
    .take_while(|u| u.span.0 < end)
    .collect();
    let total: f64 = units.iter().map(|u| f64::from(u.cells)).sum();
    let x = (f64::from(e.client_x()) - rect.left()) / rect.width().max(1.0) * total;
    let mut at = 0.0;
    for unit in &units {
        at += f64::from(unit.cells);
        if x < at {
            return Some(unit.span);
        }
    }
    Some((start, end))
}

/// Shift state in force at a byte.
fn shift_at(app: App, at: u32) -> raw::Shift {
    let doc = app.doc.get_untracked();
    let mut shift = raw::Shift::Ascii;
    for unit in raw::Units::new(&doc.raw, doc.charset(), 0, raw::Shift::Ascii) {
        if unit.span.0 >= at {
            break;
        }
        shift = unit.shift;
    }
    shift
}

const fn look(look: Look) -> &'static str {
    match look {
        Look::Plain => "run",
        Look::Delimiter => "run delimiter",
        Look::Escape => "run escape",
        Look::Control => "run control",
        Look::Bad => "run bad",
    }
}

fn hex(app: App) -> View {
    let width = super::width_of("message");
    let index = derived(move || {
        let doc = app.doc.get();
        let per_row = if width.get() < 620 { 8 } else { 16 };
        Rc::new(HexIndex::new(&doc.raw, doc.charset(), per_row))
    });
    let count = Calc::new(move || index.with(|i| i.rows()));
    let version = changes(move || {
        index.track();
        app.doc_version.track();
    });
    let list = List::new("hex", count, app.row_px, version.into());
    let column = sig(1usize);
    effect(move || {
        let (n, start, _) = app.show_span.get();
        if n > 0 && !app.marks.with_untracked(|m| m.is_empty()) {
            let per_row = index.with_untracked(|i| i.per_row());
            let row = (start / per_row) as usize;
            list.active.set(row);
            column.set((start % per_row) as usize + 1);
            list.reveal(row, true);
        }
    });
    list::grid(
        list,
        "hex-list",
        app.label(text::HEX),
        Calc::new(move || index.with(|i| i.per_row()) as usize + 3),
        column,
        move |(row, at)| {
            let per_row = index.with_untracked(|i| i.per_row());
            let at = cut(row) * per_row + cut(at.saturating_sub(1)).min(per_row - 1);
            app.follow_bytes(at, at + 1);
        },
        move |i| {
            let doc = app.doc.get_untracked();
            let index = index.get_untracked();
            let charset = doc.charset();
            let Some(row) = index.row(&doc.raw, charset, i, &|b| {
                host::decode(charset.decoder(), b)
            }) else {
                return ().into_any();
            };
            let per_row = index.per_row() as usize;
            let cell = move |c: usize, class: &'static str| {
                list::cell(list, column, i, c, class, "gridcell")
            };
            let offset = row.offset;
            let bytes: Vec<_> = row
                .cells
                .iter()
                .enumerate()
                .map(|(k, c)| {
                    let at = offset + cut(k);
                    let path = doc.path.clone();
                    cell(k + 1, "byte")
                        .class(("escape", c.look == Look::Escape))
                        .class(("control", c.look == Look::Control))
                        .class(("delimiter", c.look == Look::Delimiter))
                        .class(("bad", c.look == Look::Bad))
                        .class(("wide", c.wide))
                        .class(("mark", move || {
                            app.marks.with(|m| m.touches(&path, at, at + 1))
                        }))
                        .on(ev::click, move |_| {
                            list.active.set(i);
                            column.set(k + 1);
                            app.follow_bytes(at, at + 1);
                            list::focus_cell(list, column);
                        })
                        .child(format!("{:02X}", c.byte))
                })
                .collect();
            let missing: Vec<_> = (row.cells.len()..per_row)
                .map(|k| cell(k + 1, "byte").child("  "))
                .collect();
            html::div()
                .class("row hex-row mono")
                .class(("is-wide", per_row > 8))
                .id(list.row_id(i))
                .attr("role", "row")
                .attr("aria-rowindex", (i + 1).to_string())
                .child((
                    cell(0, "offset").child(format!("{offset:06X}")),
                    html::span()
                        .class("bytes")
                        .attr("role", "presentation")
                        .child((bytes, missing)),
                    cell(per_row + 1, "shift").child(row.shift.name()),
                    cell(per_row + 2, "decoded clip").child(row.text),
                ))
                .into_any()
        },
    )
}
