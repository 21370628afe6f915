//! The FHIR pane: tree, JSON, table of resources, difference of two settings.

use std::rc::Rc;

use leptos::ev;

use super::{
    dom::{self as html, prelude::*},
    list::{self, List, Tree},
    state::{App, FhirTab, OUTPUT, Pane},
};
use crate::{
    diff::{self, Change},
    findings::Finding,
    json::{self, Kind},
    order::sort,
    outline::Outline,
    settings::{BundleType, CharsetChoice, Ids, Output, Per, Settings},
    table,
    text::{self, Text, number},
};

pub(super) fn view(app: App) -> View {
    // 0: nothing open, 1: nothing made, 2 and more: the tab.
    let shown = move || {
        let (open, some) = app.doc.with(|d| (!d.path.is_empty(), !d.json.is_empty()));
        match (open, some, app.fhir_tab.get()) {
            (false, ..) => 0,
            (_, false, _) => 1,
            (.., FhirTab::Tree) => 2,
            (.., FhirTab::Json) => 3,
            (.., FhirTab::Table) => 4,
            (.., FhirTab::Diff) => 5,
        }
    };
    fresh(shown, move |state| match state {
        0 => super::placeholder(app),
        1 => super::message::nothing(app, text::NO_OUTPUT),
        2 => tree(app),
        3 => json_view(app),
        4 => table_view(app),
        _ => diff_view(app),
    })
}

/// Nodes with findings, in order, the worst of a node first.
type Flags = Vec<(usize, Finding)>;

/// Class of a value's colour.
const fn colour(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "value text",
        Kind::Number | Kind::Bool | Kind::Null => "value literal",
        Kind::Object | Kind::Array => "value dim",
    }
}

/// The label of a marked element.
#[inline(never)]
fn source_label(app: App, node: usize) -> View {
    (move || {
        app.marks
            .with(|m| m.label(node).filter(|l| *l != m.origin).map(str::to_owned))
            .map(|label| html::span().class("from").child(label))
    })
    .into_any()
}

/// The findings on elements of the JSON shown.
fn flags(app: App) -> Sig<Flags> {
    derived(move || {
        let doc = app.doc.get();
        let own = |f: &&Finding| f.file == OUTPUT || doc.is_fhir() && f.file == doc.path;
        let on_node = |f: &Finding| (doc.json.node_at(f.span.0, f.span.1), f.clone());
        let mut flags: Flags = app
            .here
            .with(|all| all.iter().filter(own).map(on_node).collect());
        sort(&mut flags, |a, b| (a.0, a.1.severity) < (b.0, b.1.severity));
        flags
    })
}

/// The worst finding on an element.
fn flag_of(app: App, flags: Sig<Flags>, node: usize) -> View {
    (move || {
        flags
            .with(|all| {
                let at = all.partition_point(|f| f.0 < node);
                all.get(at).filter(|f| f.0 == node).map(|f| f.1.clone())
            })
            .map(|f| super::message::flag(app, f))
    })
    .into_any()
}

fn is_marked(app: App, node: usize) -> bool {
    app.marks.with(|m| m.label(node).is_some())
}

fn tree(app: App) -> View {
    let tree = Tree::new(
        "node",
        app.row_px,
        &app.fhir_version,
        Box::leak(Box::new(move |use_it: &mut dyn FnMut(&mut Outline)| {
            app.fhir.touch(|o| use_it(o));
        })),
        Box::leak(Box::new(move |at| app.follow_node(at))),
    );
    effect(move || {
        let (n, node) = app.show_node.get();
        if n > 0 {
            tree.show(node as usize);
        }
    });
    let flags = flags(app);
    let rows = tree.view("node-list", app.label(text::TREE), move |row| {
        let Some((el, at)) = tree.row(row) else {
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
            Kind::Array => app.fill(text::ITEMS, &[&number(node.count.into())]),
            _ => json::leaf_text(&doc.json, at),
        };
        el.class("node-row")
            .class(format!("depth-{}", (node.depth + 1).min(12)))
            .class(("is-marked", move || is_marked(app, at)))
            .attr("aria-selected", move || super::word(is_marked(app, at)))
            .child(
                html::span()
                    .class("mono key")
                    .class(("index", node.key.0 == 0))
                    .child(key),
            )
            .child(
                html::span()
                    .class("mono clip grow")
                    .class(colour(node.kind))
                    .child(value),
            )
            .child(flag_of(app, flags, at))
            .child(source_label(app, at))
            .into_any()
    });
    (rows, strip(app)).into_any()
}

/// Where the marked element came from: the way back on a narrow screen.
fn strip(app: App) -> View {
    html::div()
        .class("strip")
        .child(move || {
            let marks = app.marks.get();
            if marks.is_empty() {
                return html::span()
                    .class("dim small clip")
                    .say(app, text::HINT_ELEMENT)
                    .into_any();
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
                html::span().class("mono strong clip").child(origin.clone()),
                html::span()
                    .class("clip grow")
                    .child(Some(label).filter(|l| *l != origin)),
                (!constant).then(|| {
                    html::button()
                        .class("chip to-source")
                        .attr("type", "button")
                        .on(ev::click, move |_| app.pane.set(Pane::Message))
                        .say(app, text::SHOW_SOURCE)
                }),
            )
                .into_any()
        })
        .into_any()
}

fn json_view(app: App) -> View {
    let lines = derived(move || Rc::new(app.doc.with(|d| json::lines(&d.json))));
    let count = Calc::new(move || lines.with(|l| l.len()));
    let list = List::new("json", count, app.row_px, Calc::from(&app.doc_version));
    effect(move || {
        let (n, node) = app.show_node.get();
        let row = lines.with_untracked(|l| l.iter().position(|x| x.node == node && !x.closes));
        if n > 0
            && let Some(row) = row
        {
            list.active.set(row);
            list.reveal(row, true);
        }
    });
    let flags = flags(app);
    let at_row = move |row: usize| lines.with_untracked(|l| l.get(row).copied());
    list::flat(
        list,
        "json-list",
        "list",
        app.label(text::JSON),
        move |row| {
            if let Some(line) = at_row(row) {
                app.follow_node(line.node as usize);
            }
        },
        move |i| {
            let Some(line) = at_row(i) else {
                return ().into_any();
            };
            let doc = app.doc.get_untracked();
            let t = json::line_text(&doc.json, line);
            let node = line.node as usize;
            let kind = doc.json.nodes().get(node).map_or(Kind::Null, |n| n.kind);
            let body = html::span()
                .class("mono pre clip grow")
                .child("  ".repeat(t.depth))
                .child(
                    t.key
                        .map(|k| (html::span().class("key").child(format!("\"{k}\"")), ": ")),
                )
                .child(html::span().class(colour(kind)).child(t.value))
                .child(if t.comma { "," } else { "" });
            let row = list
                .row(i, "listitem")
                .class("json-row")
                .class(("is-marked", move || !line.closes && is_marked(app, node)))
                .on(ev::click, move |_| {
                    list.active.set(i);
                    app.follow_node(node);
                    list.focus();
                })
                .child(body);
            if line.closes {
                row.into_any()
            } else {
                row.child((flag_of(app, flags, node), source_label(app, node)))
                    .into_any()
            }
        },
    )
}

const COLUMNS: [Text; 4] = [
    text::COLUMN_TYPE,
    text::COLUMN_CODE,
    text::COLUMN_DATE,
    text::COLUMN_SOURCE,
];

fn table_view(app: App) -> View {
    let rows = derived(move || {
        let trace = app.trace.get();
        Rc::new(app.doc.with(|d| table::rows(&d.json, &trace)))
    });
    let count = Calc::new(move || rows.with(|r| r.len() + 1));
    let version = changes(move || rows.track());
    let list = List::new("res", count, app.row_px, version.into());
    let column = sig(0usize);
    list.active.set(1);
    let open = move |row: usize| {
        let node = row
            .checked_sub(1)
            .and_then(|i| rows.with_untracked(|r| r.get(i).map(|r| r.node)));
        if let Some(node) = node {
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
    list::grid(
        list,
        "res-list",
        app.label(text::TABLE),
        Calc::new(|| COLUMNS.len()),
        column,
        move |(row, _)| open(row),
        move |i| {
            let cell = move |c: usize, class: &'static str, role: &'static str| {
                list::cell(list, column, i, c, class, role)
            };
            let row = html::div()
                .class("row res-row")
                .id(list.row_id(i))
                .attr("role", "row")
                .attr("aria-rowindex", (i + 1).to_string());
            let Some(at) = i.checked_sub(1) else {
                let heads: Vec<_> = COLUMNS
                    .iter()
                    .enumerate()
                    .map(|(c, t)| {
                        let t = *t;
                        cell(c, "clip", "columnheader").say(app, t)
                    })
                    .collect();
                return row.class("is-head").child(heads).into_any();
            };
            let Some(r) = rows.with_untracked(|r| r.get(at).cloned()) else {
                return ().into_any();
            };
            let id = html::span().class("mono dim small").child(r.id);
            row.on(ev::click, move |_| {
                list.active.set(i);
                open(i);
            })
            .child(
                cell(0, "clip", "gridcell")
                    .child(html::span().class("strong").child(r.kind))
                    .child(" ")
                    .child(id),
            )
            .child(
                cell(1, "clip", "gridcell")
                    .attr("title", r.code.clone())
                    .child(r.code),
            )
            .child(
                cell(2, "clip mono small", "gridcell")
                    .attr("title", r.date.clone())
                    .child(table::minutes(&r.date)),
            )
            .child(
                cell(3, "clip mono small", "gridcell")
                    .attr("title", r.file)
                    .child(r.source),
            )
            .into_any()
        },
    )
}

/// A choice of the other settings.
fn pick(
    app: App,
    label: Text,
    options: &'static [(&'static str, Text)],
    value: fn(&Settings) -> &'static str,
    set: fn(&mut Settings, &str),
) -> View {
    super::dialogs::select(
        app,
        label,
        options,
        &app.compare,
        value,
        Box::new(move |word| {
            app.compare.update(|s| set(s, word));
            app.again();
        }),
    )
}

/// Sign and text of each line shown, with the numbers of lines removed and added.
type Lines = (Rc<Vec<(char, String)>>, usize, usize);

fn difference(app: App) -> Lines {
    let doc = app.doc.get();
    let Some(other) = &doc.other else {
        return Lines::default();
    };
    let (a, b) = (json::pretty(&doc.json), json::pretty(other));
    let changes = diff::diff(&a, &b);
    let (mut removed, mut added) = (0, 0);
    let line = |all: &[String], i: u32| all.get(i as usize).cloned().unwrap_or_default();
    for change in &changes {
        match change {
            Change::Removed(_) => removed += 1,
            Change::Added(_) => added += 1,
            Change::Same(..) => {}
        }
    }
    let lines = diff::fold(&changes, 3)
        .into_iter()
        .map(|row| match row {
            diff::Row::Gap(n) => ('…', n.to_string()),
            diff::Row::Line(Change::Same(i, _)) => (' ', line(&a, i)),
            diff::Row::Line(Change::Removed(i)) => ('−', line(&a, i)),
            diff::Row::Line(Change::Added(i)) => ('+', line(&b, i)),
        })
        .collect();
    (Rc::new(lines), removed, added)
}

fn diff_view(app: App) -> View {
    // The other side starts from the settings in force, so that one choice is one difference.
    app.compare.set(app.settings.get_untracked());
    let rows = derived(move || difference(app));
    let same = move || {
        app.compare
            .with(|c| app.settings.with(|s| c.same_result(s)))
    };
    let count = Calc::new(move || rows.with(|r| r.0.len()));
    let version = changes(move || rows.track());
    let list = List::new("diff", count, app.row_px, version.into());
    // 0: the same settings, 1: no difference, 2: lines.
    let state = move || match (same(), rows.with(|r| r.0.is_empty())) {
        (true, _) => 0,
        (_, true) => 1,
        _ => 2,
    };
    let body = fresh(state, move |state| match state {
        0 => super::said(app, text::DIFF_PICK),
        1 => super::said(app, text::DIFF_SAME),
        _ => list::flat(
            list,
            "diff-list",
            "list",
            app.label(text::DIFF),
            |_| (),
            move |i| {
                let Some((sign, line)) = rows.with_untracked(|r| r.0.get(i).cloned()) else {
                    return ().into_any();
                };
                let line = if sign == '…' {
                    app.fill(text::DIFF_GAP, &[&line])
                } else {
                    line
                };
                list.row(i, "listitem")
                    .class("diff-row mono")
                    .class(("is-removed", sign == '−'))
                    .class(("is-added", sign == '+'))
                    .class(("is-gap", sign == '…'))
                    .child(html::span().class("sign").child(sign.to_string()))
                    .child(html::span().class("pre clip grow").child(line))
                    .into_any()
            },
        ),
    });
    let bar = html::div()
        .class("diff-bar")
        .attr("role", "group")
        .attr_say("aria-label", app, text::DIFF_WITH)
        .child(pick(
            app,
            text::SET_TO,
            OUTPUTS,
            |s| s.to.word(),
            |s, w| s.to = Output::of(w).unwrap_or_default(),
        ))
        .child(pick(
            app,
            text::SET_BUNDLE,
            BUNDLES,
            |s| s.bundle.word(),
            |s, w| s.bundle = BundleType::of(w).unwrap_or_default(),
        ))
        .child(pick(
            app,
            text::SET_PER,
            PERS,
            |s| s.per.word(),
            |s, w| s.per = Per::of(w).unwrap_or_default(),
        ))
        .child(pick(
            app,
            text::SET_IDS,
            IDS,
            |s| s.ids.word(),
            |s, w| s.ids = Ids::of(w).unwrap_or_default(),
        ))
        .child(pick(
            app,
            text::SET_CHARSET,
            CHARSETS,
            |s| s.charset.word(),
            |s, w| s.charset = CharsetChoice::of(w).unwrap_or_default(),
        ))
        .child(html::span().class("dim nowrap").child(move || {
            (!same()).then(|| {
                rows.with(|r| {
                    app.fill(
                        text::DIFF_COUNTS,
                        &[&number(r.1 as u64), &number(r.2 as u64)],
                    )
                })
            })
        }));
    html::div()
        .class("pane-body")
        .child(bar)
        .child(body)
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
