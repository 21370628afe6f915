//! The message pane: field tree, text as it stands in the file, hex.

use leptos::ev;

use super::{
    dom::{self as html, prelude::*},
    host,
    list::{self, List},
    state::{App, MessageTab, Pane},
};
use crate::{
    findings::Severity,
    json::cut,
    keys::{self, Move},
    raw::{self, HexIndex, Look, TextRow},
    text,
};

pub(super) fn view(app: App) -> View {
    // Whether anything is open, whether it has fields, and the tab.
    let shown = Memo::new(move |_| {
        let (open, fields) = app
            .doc
            .with(|d| (!d.path.is_empty(), !d.message.rows.is_empty()));
        (open, fields, app.message_tab.get())
    });
    fresh(
        move || shown.get(),
        move |state| match state {
            (false, ..) => super::placeholder(app),
            (_, false, MessageTab::Fields) => without_fields(app),
            (.., MessageTab::Fields) => fields(app),
            (.., MessageTab::Text) => original(app),
            (.., MessageTab::Hex) => hex(app),
        },
    )
}

/// A document, or a file that is none of ours.
fn without_fields(app: App) -> View {
    html::div()
        .class("placeholder")
        .child(move || {
            app.doc.with(|d| {
                if d.resources > 0 {
                    return app.say(text::NO_FIELDS).to_owned();
                }
                let head: Vec<String> = d.raw.iter().take(4).map(|b| format!("{b:02X}")).collect();
                app.fill(text::NOT_OURS, &[&head.join(" ")])
            })
        })
        .into_any()
}

/// First row that shows the bytes the trace asks for.
fn row_of_span(rows: &[TextRow], start: u32) -> usize {
    rows.partition_point(|r| r.span.1 <= start)
}

fn fields(app: App) -> View {
    let count = Signal::derive(move || app.fields.with(crate::outline::Outline::rows));
    let list = List::new("field", count, app.row_px, app.fields_version.into());
    let hovered = RwSignal::new(None::<usize>);
    let seen = app.show_span.get_untracked().0;
    effect(move || {
        let (n, start, end) = app.show_span.get();
        if n == seen && app.marks.with_untracked(|m| m.is_empty()) {
            return;
        }
        let row = app
            .doc
            .with_untracked(|d| d.message.row_at(start, end))
            .and_then(|at| app.fields.with_untracked(|o| o.row_of(at)));
        if let Some(row) = row {
            list.active.set(row);
            list.reveal(row, true);
        }
    });
    let toggle = move |at: usize, open: bool| {
        app.fields.update(|o| o.set_open(at, open));
        app.fields_version.update(|v| *v += 1);
    };
    let on_key = move |e: ev::KeyboardEvent| {
        let row = list.active.get_untracked();
        let (at, place) = app.fields.with_untracked(|o| {
            let at = o.at_row(row);
            let place = keys::At {
                row,
                rows: o.rows(),
                page: list.page(),
                branch: at.is_some_and(|a| o.has_children(a)),
                open: at.is_some_and(|a| o.is_open(a)),
            };
            (at, place)
        });
        let Some(at) = at else { return };
        let Some(step) = keys::tree_move(&e.key(), place) else {
            return;
        };
        e.prevent_default();
        match step {
            Move::To(to) => list.go(to),
            Move::Open => toggle(at, true),
            Move::Close => toggle(at, false),
            Move::Child => list.go(row + 1),
            Move::Parent => {
                if let Some(to) = app
                    .fields
                    .with_untracked(|o| o.parent(at).and_then(|p| o.row_of(p)))
                {
                    list.go(to);
                }
            }
            Move::Enter => app.follow_field(at),
        }
        if matches!(step, Move::Open | Move::Close | Move::Enter) {
            list.focus();
        }
    };
    let rows = list::view(
        list,
        "field-list",
        "tree",
        Signal::derive(move || app.say(text::FIELDS).to_owned()),
        move |row| {
            let Some(at) = app.fields.with_untracked(|o| o.at_row(row)) else {
                return ().into_any();
            };
            let (item, branch, open) = app
                .fields
                .with_untracked(|o| (o.item(at), o.has_children(at), o.is_open(at)));
            let Some(item) = item else {
                return ().into_any();
            };
            let doc = app.doc.get_untracked();
            let Some(field) = doc.message.rows.get(at).cloned() else {
                return ().into_any();
            };
            let path = doc.path.clone();
            let span = field.span;
            let marked = Memo::new(move |_| {
                app.marks
                    .with(|m| item.level > 1 && m.covers(&path, span.0, span.1))
            });
            let finding = doc
                .findings
                .iter()
                .filter(|f| {
                    f.file == doc.path
                        && f.span.1 > f.span.0
                        && if branch {
                            f.span == span
                        } else {
                            f.span.0 < span.1 && span.0 < f.span.1
                        }
                })
                .min_by_key(|f| f.severity)
                .map(|f| (f.severity, f.code.clone(), f.message.clone()));
            let (ja, en) = (field.ja.clone(), field.en.clone());
            let name = move || match app.lang.get() {
                crate::settings::Lang::Ja => ja.clone(),
                crate::settings::Lang::En => en.clone(),
            };
            let value = if item.level == 1 || (branch && field.depth < 2) {
                String::new()
            } else {
                field.text.clone()
            };
            let spoken = format!("{} {} {} {}", field.path, field.ja, field.en, field.text);
            html::div()
                .class(format!("row field-row depth-{}", field.depth.min(4)))
                .class(("is-marked", move || marked.get()))
                .id(list.row_id(row))
                .attr("role", "treeitem")
                .attr("aria-level", item.level.to_string())
                .attr("aria-setsize", item.size.to_string())
                .attr("aria-posinset", item.pos.to_string())
                .attr(
                    "aria-expanded",
                    branch.then_some(if open { "true" } else { "false" }),
                )
                .attr(
                    "aria-selected",
                    move || if marked.get() { "true" } else { "false" },
                )
                .attr("aria-label", spoken)
                .attr("tabindex", move || {
                    if list.active.get() == row { "0" } else { "-1" }
                })
                .on(ev::click, move |e| {
                    list.active.set(row);
                    if super::on_twist(&e) && branch {
                        toggle(at, !open);
                    } else {
                        app.follow_field(at);
                    }
                    list.focus();
                })
                .on(ev::focus, move |_| hovered.set(Some(at)))
                .on(ev::mouseenter, move |_| hovered.set(Some(at)))
                .child((
                    html::span()
                        .class("twist")
                        .attr("aria-hidden", "true")
                        .child(match (branch, open) {
                            (false, _) => "",
                            (_, true) => "▾",
                            (_, false) => "▸",
                        }),
                    html::span().class("mono label").child(field.label.clone()),
                    html::span().class("name clip").child(name),
                    html::span().class("mono value clip").child(value),
                    finding.map(|(severity, code, message)| {
                        html::span()
                            .class("flag")
                            .class(("is-error", severity == Severity::Error))
                            .attr("title", message)
                            .child(format!("! {code}"))
                    }),
                ))
                .into_any()
        },
    );
    (
        html::div()
            .class("pane-body")
            .on(ev::keydown, move |e| {
                if super::on_row(&e) {
                    on_key(e);
                }
            })
            .child(rows),
        strip(app, hovered),
    )
        .into_any()
}

/// Both names of the field under the pointer or the focus, and where the trace leads from it.
fn strip(app: App, hovered: RwSignal<Option<usize>>) -> View {
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
fn cells(app: App, width: f64) -> u32 {
    let cell = app.settings.with(|s| s.size.cell_px());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few hundred at most"
    )]
    let n = ((width - 92.0) / cell).clamp(16.0, 400.0) as u32;
    n
}

fn original(app: App) -> View {
    let width = super::width_of("message");
    let rows = Memo::new(move |_| {
        let doc = app.doc.get();
        raw::text_rows(&doc.raw, doc.charset(), cells(app, width.get()))
    });
    let count = Signal::derive(move || rows.with(Vec::len));
    let version = Memo::new(move |old: Option<&u64>| {
        rows.track();
        app.doc_version.track();
        old.map_or(0, |o| o + 1)
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
    let on_key = move |e: ev::KeyboardEvent| {
        let row = list.active.get_untracked();
        let place = keys::At {
            row,
            rows: count.get_untracked(),
            page: list.page(),
            ..keys::At::default()
        };
        match keys::tree_move(&e.key(), place) {
            Some(Move::To(to)) => list.go(to),
            Some(Move::Enter) => {
                if let Some(r) = rows.with_untracked(|r| r.get(row).copied()) {
                    app.follow_span(&format!("{}", r.line), r.span);
                }
            }
            _ => return,
        }
        e.prevent_default();
    };
    let body = list::view(
        list,
        "text-list",
        "list",
        Signal::derive(move || app.say(text::ORIGINAL).to_owned()),
        move |i| {
            let Some(row) = rows.with_untracked(|r| r.get(i).copied()) else {
                return ().into_any();
            };
            let runs = move || {
                let doc = app.doc.get_untracked();
                let marks = app.marks.get();
                let charset = doc.charset();
                let path = doc.path.clone();
                raw::runs(
                    &doc.raw,
                    charset,
                    row,
                    &|s, e| marks.touches(&path, s, e),
                    &|b| host::decode(charset.decoder(), b),
                )
                .into_iter()
                .map(|run| {
                    html::span()
                        .class(look(run.look))
                        .class(("mark", run.marked))
                        .attr("data-at", run.span.0.to_string())
                        .attr("data-to", run.span.1.to_string())
                        .child(pictures(run.look, run.text))
                })
                .collect::<Vec<_>>()
            };
            html::div()
                .class("row text-row")
                .id(list.row_id(i))
                .attr("role", "listitem")
                .attr(
                    "tabindex",
                    move || if list.active.get() == i { "0" } else { "-1" },
                )
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
    );
    html::div()
        .class("pane-body")
        .on(ev::keydown, move |e| {
            if super::on_row(&e) {
                on_key(e);
            }
        })
        .child(body)
        .into_any()
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
    let index = Memo::new(move |_| {
        let doc = app.doc.get();
        let per_row = if width.get() < 620.0 { 8 } else { 16 };
        std::sync::Arc::new(HexIndex::new(&doc.raw, doc.charset(), per_row))
    });
    let count = Signal::derive(move || index.with(|i| i.rows()));
    let version = Memo::new(move |old: Option<&u64>| {
        index.track();
        app.doc_version.track();
        old.map_or(0, |o| o + 1)
    });
    let list = List::new("hex", count, app.row_px, version.into());
    let column = RwSignal::new(1usize);
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
    let focus_cell = move || {
        let id = format!(
            "hex-{}-{}",
            list.active.get_untracked(),
            column.get_untracked()
        );
        request_animation_frame(move || list::focus_id(&id));
    };
    let on_key = move |e: ev::KeyboardEvent| {
        let per_row = index.with_untracked(|i| i.per_row());
        let place = keys::At {
            row: list.active.get_untracked(),
            rows: count.get_untracked(),
            page: list.page(),
            ..keys::At::default()
        };
        if e.key() == "Enter" || e.key() == " " {
            e.prevent_default();
            let at = cut(place.row) * per_row
                + cut(column.get_untracked().saturating_sub(1)).min(per_row - 1);
            app.follow_bytes(at, at + 1);
            focus_cell();
            return;
        }
        if let Some((row, col)) = keys::grid_move(
            &e.key(),
            e.ctrl_key(),
            place,
            column.get_untracked(),
            per_row as usize + 3,
        ) {
            e.prevent_default();
            list.active.set(row);
            column.set(col);
            list.reveal(row, false);
            focus_cell();
        }
    };
    let body = list::view(
        list,
        "hex-list",
        "grid",
        Signal::derive(move || app.say(text::HEX).to_owned()),
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
            let tab = move |c: usize| {
                move || {
                    if list.active.get() == i && column.get() == c {
                        "0"
                    } else {
                        "-1"
                    }
                }
            };
            let cell = move |c: usize, class: &'static str| {
                html::span()
                    .class(class)
                    .id(format!("hex-{i}-{c}"))
                    .attr("role", "gridcell")
                    .attr("aria-colindex", (c + 1).to_string())
                    .attr("tabindex", tab(c))
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
                            focus_cell();
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
    );
    html::div()
        .class("pane-body")
        .on(ev::keydown, move |e| {
            if super::on_row(&e) {
                on_key(e);
            }
        })
        .child(body)
        .into_any()
}
