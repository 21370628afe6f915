//! The FHIR pane: tree, JSON, table of resources, difference of two settings.

use std::sync::Arc;

use leptos::ev;

use super::{
    dom::{self as html, prelude::*},
    list::{self, List},
    state::{App, FhirTab, Pane},
};
use crate::{
    diff::{self, Change},
    json::{self, Kind},
    keys::{self, Move},
    settings::{BundleType, CharsetChoice, Ids, Output, Per, Settings},
    table,
    text::{self, Text, number},
};

pub(super) fn view(app: App) -> View {
    // 0: nothing open, 1: nothing made, 2: something to show.
    let state = Memo::new(move |_| {
        let some = app.doc.with(|d| {
            if d.path.is_empty() {
                0u8
            } else if d.json.is_empty() {
                1
            } else {
                2
            }
        });
        (some, app.fhir_tab.get())
    });
    fresh(
        move || state.get(),
        move |(some, tab)| match (some, tab) {
            (0, _) => super::placeholder(app),
            (1, _) => html::div()
                .class("placeholder")
                .child(move || app.say(text::NO_OUTPUT))
                .into_any(),
            (_, FhirTab::Tree) => tree(app),
            (_, FhirTab::Json) => json_view(app),
            (_, FhirTab::Table) => table_view(app),
            (_, FhirTab::Diff) => diff_view(app),
        },
    )
}

/// Class of a value's colour.
const fn colour(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "value text",
        Kind::Number | Kind::Bool | Kind::Null => "value literal",
        Kind::Object | Kind::Array => "value dim",
    }
}

/// The label of a marked element.
fn source_label(app: App, node: usize) -> impl Fn() -> Option<View> + Send + Sync + 'static {
    move || {
        app.marks
            .with(|m| m.label(node).map(str::to_owned))
            .map(|label| html::span().class("from").child(label).into_any())
    }
}

fn tree(app: App) -> View {
    let count = Signal::derive(move || app.fhir.with(crate::outline::Outline::rows));
    let list = List::new("node", count, app.row_px, app.fhir_version.into());
    effect(move || {
        let (n, node) = app.show_node.get();
        if n == 0 {
            return;
        }
        let row = app.fhir.with_untracked(|o| o.row_of(node as usize));
        if let Some(row) = row {
            list.active.set(row);
            list.reveal(row, true);
        }
    });
    let toggle = move |at: usize, open: bool| {
        app.fhir.update(|o| o.set_open(at, open));
        app.fhir_version.update(|v| *v += 1);
    };
    let on_key = move |e: ev::KeyboardEvent| {
        let row = list.active.get_untracked();
        let (at, place) = app.fhir.with_untracked(|o| {
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
                    .fhir
                    .with_untracked(|o| o.parent(at).and_then(|p| o.row_of(p)))
                {
                    list.go(to);
                }
            }
            Move::Enter => app.follow_node(at),
        }
        if matches!(step, Move::Open | Move::Close | Move::Enter) {
            list.focus();
        }
    };
    let body = list::view(
        list,
        "node-list",
        "tree",
        Signal::derive(move || app.say(text::TREE).to_owned()),
        move |row| {
            let Some(at) = app.fhir.with_untracked(|o| o.at_row(row)) else {
                return ().into_any();
            };
            let (item, branch, open) = app
                .fhir
                .with_untracked(|o| (o.item(at), o.has_children(at), o.is_open(at)));
            let Some(item) = item else {
                return ().into_any();
            };
            let doc = app.doc.get_untracked();
            let Some(node) = doc.json.nodes().get(at).copied() else {
                return ().into_any();
            };
            let key = if node.depth == 0 {
                "{ }".to_owned()
            } else if node.key.0 > 0 {
                doc.json.key(at)
            } else {
                format!("[{}]", node.index)
            };
            let value = match node.kind {
                Kind::Object => {
                    let v = doc.json.value(at);
                    let inner = v.get("resource").get("resourceType").text();
                    v.get("resourceType").text().or(inner).unwrap_or_default()
                }
                Kind::Array => number(node.count.into()),
                _ => json::leaf_text(&doc.json, at),
            };
            let marked = Memo::new(move |_| app.marks.with(|m| m.label(at).is_some()));
            html::div()
                .class(format!("row node-row depth-{}", item.level.min(12)))
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
                .attr("tabindex", move || {
                    if list.active.get() == row { "0" } else { "-1" }
                })
                .on(ev::click, move |e| {
                    list.active.set(row);
                    if super::on_twist(&e) && branch {
                        toggle(at, !open);
                    } else {
                        app.follow_node(at);
                    }
                    list.focus();
                })
                .child((
                    html::span()
                        .class("twist")
                        .attr("aria-hidden", "true")
                        .child(match (branch, open) {
                            (false, _) => "",
                            (_, true) => "▾",
                            (_, false) => "▸",
                        }),
                    html::span()
                        .class("mono key")
                        .class(("index", node.key.0 == 0))
                        .child(key),
                    html::span()
                        .class(format!("mono clip grow {}", colour(node.kind)))
                        .child(value),
                    source_label(app, at),
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
            .child(body),
        strip(app),
    )
        .into_any()
}

/// Where the marked element came from: the way back on a narrow screen.
fn strip(app: App) -> View {
    html::div()
        .class("strip")
        .child(move || {
            let marks = app.marks.get();
            if marks.is_empty() {
                return ().into_any();
            }
            let label = marks
                .elements
                .first()
                .map(|e| e.1.clone())
                .unwrap_or_default();
            let origin = marks.origin.clone();
            if marks.from_field {
                return (
                    html::span().class("mono strong clip").child(origin.clone()),
                    html::span().class("clip grow").child(move || {
                        if marks.elements.is_empty() {
                            app.fill(text::MADE_NONE, &[""])
                        } else {
                            app.fill(text::MADE, &["", &number(marks.elements.len() as u64)])
                        }
                    }),
                )
                    .into_any();
            }
            let constant = marks.spans.is_empty();
            (
                html::span().class("mono strong clip").child(origin),
                html::span().class("clip grow").child(label),
                (!constant).then(|| {
                    html::button()
                        .class("chip to-source")
                        .attr("type", "button")
                        .on(ev::click, move |_| app.pane.set(Pane::Message))
                        .child(move || app.say(text::SHOW_SOURCE))
                }),
            )
                .into_any()
        })
        .into_any()
}

fn json_view(app: App) -> View {
    let lines = Memo::new(move |_| Arc::new(app.doc.with(|d| json::lines(&d.json))));
    let count = Signal::derive(move || lines.with(|l| l.len()));
    let list = List::new("json", count, app.row_px, app.doc_version.into());
    effect(move || {
        let (n, node) = app.show_node.get();
        if n > 0
            && let Some(row) =
                lines.with_untracked(|l| l.iter().position(|x| x.node == node && !x.closes))
        {
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
                if let Some(line) = lines.with_untracked(|l| l.get(row).copied()) {
                    app.follow_node(line.node as usize);
                    list.focus();
                }
            }
            _ => return,
        }
        e.prevent_default();
    };
    let body = list::view(
        list,
        "json-list",
        "list",
        Signal::derive(move || app.say(text::JSON).to_owned()),
        move |i| {
            let Some(line) = lines.with_untracked(|l| l.get(i).copied()) else {
                return ().into_any();
            };
            let doc = app.doc.get_untracked();
            let t = json::line_text(&doc.json, line);
            let node = line.node as usize;
            let kind = doc.json.nodes().get(node).map_or(Kind::Null, |n| n.kind);
            let marked =
                Memo::new(move |_| !line.closes && app.marks.with(|m| m.label(node).is_some()));
            html::div()
                .class("row json-row")
                .class(("is-marked", move || marked.get()))
                .id(list.row_id(i))
                .attr("role", "listitem")
                .attr(
                    "tabindex",
                    move || if list.active.get() == i { "0" } else { "-1" },
                )
                .on(ev::click, move |_| {
                    list.active.set(i);
                    app.follow_node(node);
                    list.focus();
                })
                .child((
                    html::span().class("mono pre clip grow").child((
                        "  ".repeat(t.depth),
                        t.key
                            .map(|k| (html::span().class("key").child(format!("\"{k}\"")), ": ")),
                        html::span().class(colour(kind)).child(t.value),
                        t.comma.then_some(","),
                    )),
                    (!line.closes).then(|| source_label(app, node)),
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

const COLUMNS: [Text; 4] = [
    text::COLUMN_TYPE,
    text::COLUMN_CODE,
    text::COLUMN_DATE,
    text::COLUMN_SOURCE,
];

fn table_view(app: App) -> View {
    let rows = Memo::new(move |_| {
        let trace = app.trace.get();
        Arc::new(app.doc.with(|d| table::rows(&d.json, &trace)))
    });
    let count = Signal::derive(move || rows.with(|r| r.len() + 1));
    let version = Memo::new(move |old: Option<&u64>| {
        rows.track();
        old.map_or(0, |o| o + 1)
    });
    let list = List::new("res", count, app.row_px, version.into());
    let column = RwSignal::new(0usize);
    list.active.set(1);
    let focus_cell = move || {
        let id = format!(
            "res-{}-{}",
            list.active.get_untracked(),
            column.get_untracked()
        );
        request_animation_frame(move || list::focus_id(&id));
    };
    let open = move |row: usize| {
        if let Some(node) = row
            .checked_sub(1)
            .and_then(|i| rows.with_untracked(|r| r.get(i).map(|r| r.node)))
        {
            app.follow_node(node as usize);
            app.fhir.update(|o| {
                o.reveal([node as usize]);
                o.set_open(node as usize, true);
            });
            app.fhir_version.update(|v| *v += 1);
            app.fhir_tab.set(FhirTab::Tree);
            app.show_node.update(|s| *s = (s.0 + 1, node));
        }
    };
    let on_key = move |e: ev::KeyboardEvent| {
        let place = keys::At {
            row: list.active.get_untracked(),
            rows: count.get_untracked(),
            page: list.page(),
            ..keys::At::default()
        };
        if e.key() == "Enter" || e.key() == " " {
            e.prevent_default();
            open(place.row);
        } else if let Some((row, col)) = keys::grid_move(
            &e.key(),
            e.ctrl_key(),
            place,
            column.get_untracked(),
            COLUMNS.len(),
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
        "res-list",
        "grid",
        Signal::derive(move || app.say(text::TABLE).to_owned()),
        move |i| {
            let cell = move |c: usize, class: &'static str, role: &'static str| {
                html::span()
                    .class(class)
                    .id(format!("res-{i}-{c}"))
                    .attr("role", role)
                    .attr("aria-colindex", (c + 1).to_string())
                    .attr("tabindex", move || {
                        if list.active.get() == i && column.get() == c {
                            "0"
                        } else {
                            "-1"
                        }
                    })
            };
            let row = html::div()
                .id(list.row_id(i))
                .attr("role", "row")
                .attr("aria-rowindex", (i + 1).to_string());
            let Some(at) = i.checked_sub(1) else {
                let heads: Vec<_> = COLUMNS
                    .iter()
                    .enumerate()
                    .map(|(c, t)| {
                        let t = *t;
                        cell(c, "clip", "columnheader").child(move || app.say(t))
                    })
                    .collect();
                return row.class("row res-row is-head").child(heads).into_any();
            };
            let Some(r) = rows.with_untracked(|r| r.get(at).cloned()) else {
                return ().into_any();
            };
            let id = r.id.clone();
            row.class("row res-row")
                .on(ev::click, move |_| {
                    list.active.set(i);
                    open(i);
                })
                .child((
                    cell(0, "clip", "gridcell").child((
                        html::span().class("strong").child(r.kind),
                        " ",
                        html::span().class("mono dim small").child(id),
                    )),
                    cell(1, "clip", "gridcell")
                        .attr("title", r.code.clone())
                        .child(r.code.clone()),
                    cell(2, "clip mono small", "gridcell").child(r.date),
                    cell(3, "clip mono small", "gridcell")
                        .attr("title", r.file)
                        .child(r.source),
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

/// A choice of the other settings.
fn pick<F>(
    app: App,
    label: Text,
    options: &'static [(&'static str, Text)],
    value: impl Fn(&Settings) -> &'static str + Send + Sync + Copy + 'static,
    set: F,
) -> View
where
    F: Fn(&mut Settings, &str) + Send + Sync + Copy + 'static,
{
    super::dialogs::select(
        app,
        label,
        options,
        move || app.compare.with(value),
        move |word| {
            app.compare.update(|s| set(s, word));
            app.again();
        },
    )
}

fn diff_view(app: App) -> View {
    // The other side starts from the settings in force, so that one choice is one difference.
    app.compare.set(app.settings.get_untracked());
    let rows = Memo::new(move |_| {
        let doc = app.doc.get();
        let a = json::pretty(&doc.json);
        let b = doc
            .other
            .as_ref()
            .map_or_else(|| a.clone(), |o| json::pretty(o));
        let changes = diff::diff(&a, &b);
        let removed = changes
            .iter()
            .filter(|c| matches!(c, Change::Removed(_)))
            .count();
        let added = changes
            .iter()
            .filter(|c| matches!(c, Change::Added(_)))
            .count();
        let lines: Vec<(char, String)> = diff::fold(&changes, 3)
            .into_iter()
            .map(|row| match row {
                diff::Row::Gap(n) => ('…', n.to_string()),
                diff::Row::Line(Change::Same(i, _)) => {
                    (' ', a.get(i as usize).cloned().unwrap_or_default())
                }
                diff::Row::Line(Change::Removed(i)) => {
                    ('−', a.get(i as usize).cloned().unwrap_or_default())
                }
                diff::Row::Line(Change::Added(i)) => {
                    ('+', b.get(i as usize).cloned().unwrap_or_default())
                }
            })
            .collect();
        (Arc::new(lines), removed, added)
    });
    let same = move || {
        app.compare
            .with(|c| app.settings.with(|s| c.same_result(s)))
    };
    let count = Signal::derive(move || rows.with(|r| r.0.len()));
    let version = Memo::new(move |old: Option<&u64>| {
        rows.track();
        old.map_or(0, |o| o + 1)
    });
    let list = List::new("diff", count, app.row_px, version.into());
    let on_key = move |e: ev::KeyboardEvent| {
        let place = keys::At {
            row: list.active.get_untracked(),
            rows: count.get_untracked(),
            page: list.page(),
            ..keys::At::default()
        };
        if let Some(Move::To(to)) = keys::tree_move(&e.key(), place) {
            e.prevent_default();
            list.go(to);
        }
    };
    // 0: the same settings, 1: no difference, 2: lines.
    let state = Memo::new(move |_| {
        if same() {
            0u8
        } else if rows.with(|r| r.0.is_empty()) {
            1
        } else {
            2
        }
    });
    let make = move |state: u8| {
        if state < 2 {
            let said = if state == 0 {
                text::DIFF_PICK
            } else {
                text::DIFF_SAME
            };
            return html::div()
                .class("placeholder")
                .child(move || app.say(said))
                .into_any();
        }
        list::view(
            list,
            "diff-list",
            "list",
            Signal::derive(move || app.say(text::DIFF).to_owned()),
            move |i| {
                let Some((sign, line)) = rows.with_untracked(|r| r.0.get(i).cloned()) else {
                    return ().into_any();
                };
                let line = if sign == '…' {
                    app.fill(text::DIFF_GAP, &[&line])
                } else {
                    line
                };
                html::div()
                    .class("row diff-row mono")
                    .class(("is-removed", sign == '−'))
                    .class(("is-added", sign == '+'))
                    .class(("is-gap", sign == '…'))
                    .id(list.row_id(i))
                    .attr("role", "listitem")
                    .attr(
                        "tabindex",
                        move || if list.active.get() == i { "0" } else { "-1" },
                    )
                    .child((
                        html::span().class("sign").child(sign.to_string()),
                        html::span().class("pre clip grow").child(line),
                    ))
                    .into_any()
            },
        )
    };
    html::div()
        .class("pane-body")
        .on(ev::keydown, move |e| {
            if super::on_row(&e) {
                on_key(e);
            }
        })
        .child((
            html::div()
                .class("diff-bar")
                .attr("role", "group")
                .attr("aria-label", move || app.say(text::DIFF_WITH))
                .child((
                    pick(
                        app,
                        text::SET_TO,
                        OUTPUTS,
                        |s| s.to.word(),
                        |s, w| s.to = Output::of(w).unwrap_or_default(),
                    ),
                    pick(
                        app,
                        text::SET_BUNDLE,
                        BUNDLES,
                        |s| s.bundle.word(),
                        |s, w| s.bundle = BundleType::of(w).unwrap_or_default(),
                    ),
                    pick(
                        app,
                        text::SET_PER,
                        PERS,
                        |s| s.per.word(),
                        |s, w| s.per = Per::of(w).unwrap_or_default(),
                    ),
                    pick(
                        app,
                        text::SET_IDS,
                        IDS,
                        |s| s.ids.word(),
                        |s, w| s.ids = Ids::of(w).unwrap_or_default(),
                    ),
                    pick(
                        app,
                        text::SET_CHARSET,
                        CHARSETS,
                        |s| s.charset.word(),
                        |s, w| s.charset = CharsetChoice::of(w).unwrap_or_default(),
                    ),
                    html::span().class("dim nowrap").child(move || {
                        (!same()).then(|| {
                            rows.with(|r| {
                                app.fill(
                                    text::DIFF_COUNTS,
                                    &[&number(r.1 as u64), &number(r.2 as u64)],
                                )
                            })
                        })
                    }),
                )),
            fresh(move || state.get(), make),
        ))
        .into_any()
}

pub(super) const OUTPUTS: &[(&str, Text)] = &[
    ("bundle", text::CHOICE_BUNDLE),
    ("ndjson", text::CHOICE_NDJSON),
    ("clins", text::CHOICE_CLINS),
];
pub(super) const BUNDLES: &[(&str, Text)] = &[
    ("transaction", text::CHOICE_TRANSACTION),
    ("collection", text::CHOICE_COLLECTION),
];
pub(super) const PERS: &[(&str, Text)] = &[
    ("message", text::CHOICE_MESSAGE),
    ("patient", text::CHOICE_PATIENT),
];
pub(super) const IDS: &[(&str, Text)] = &[
    ("keyed", text::CHOICE_KEYED),
    ("readable", text::CHOICE_READABLE),
];
const JIS: Text = Text {
    ja: "ISO-2022-JP",
    en: "ISO-2022-JP",
};
const UTF8: Text = Text {
    ja: "UTF-8",
    en: "UTF-8",
};
const CP932: Text = Text {
    ja: "CP932 (Shift_JIS)",
    en: "CP932 (Shift_JIS)",
};
const EUC: Text = Text {
    ja: "EUC-JP",
    en: "EUC-JP",
};
pub(super) const CHARSETS: &[(&str, Text)] = &[
    ("auto", text::CHOICE_AUTO),
    ("iso-2022-jp", JIS),
    ("utf-8", UTF8),
    ("cp932", CP932),
    ("euc-jp", EUC),
];
