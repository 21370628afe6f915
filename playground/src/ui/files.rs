//! The file list: patients with their files.

use leptos::ev;

use super::{
    dom::{self as html, prelude::*},
    list::{self, List},
    state::{App, Pane},
};
use crate::{
    files::{Counts, Entry, State},
    keys::{self, Move},
    kinds,
    text::{self, number},
};

pub(super) fn view(app: App) -> View {
    let count = Signal::derive(move || app.files.with(|f| f.outline().rows()));
    let list = List::new("file", count, app.row_px, app.files_version.into());
    // The list follows the file shown.
    effect(move || {
        let _ = app.files_version.get();
        let Some(current) = app.current.get() else {
            return;
        };
        let row = app
            .files
            .with_untracked(|f| f.item_of(current).and_then(|at| f.outline().row_of(at)));
        if let Some(row) = row {
            list.active.set(row);
            list.reveal(row, true);
        }
    });
    let toggle = move |at: usize, open: bool| {
        app.files.update(|f| f.outline_mut().set_open(at, open));
        app.files_version.update(|v| *v += 1);
    };
    let choose = move |row: usize| {
        let (at, entry, open) = app.files.with_untracked(|f| {
            let at = f.outline().at_row(row);
            (
                at,
                at.and_then(|a| f.entry(a)),
                at.is_some_and(|a| f.outline().is_open(a)),
            )
        });
        match (at, entry) {
            (Some(_), Some(Entry::File(i))) => {
                app.show(i);
                if super::narrow() {
                    app.pane.set(Pane::Message);
                }
            }
            (Some(at), Some(Entry::Patient(_))) => toggle(at, !open),
            _ => {}
        }
    };
    let on_key = move |e: ev::KeyboardEvent| {
        let row = list.active.get_untracked();
        let (at, place) = app.files.with_untracked(|f| {
            let o = f.outline();
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
                    .files
                    .with_untracked(|f| f.outline().parent(at).and_then(|p| f.outline().row_of(p)))
                {
                    list.go(to);
                }
            }
            Move::Enter => choose(row),
        }
        if matches!(step, Move::Open | Move::Close | Move::Enter) {
            list.focus();
        }
    };
    let rows = list::view(
        list,
        "files-list",
        "tree",
        Signal::derive(move || app.say(text::FILES).to_owned()),
        move |row| {
            let Some((at, entry)) = app.files.with_untracked(|f| {
                f.outline()
                    .at_row(row)
                    .and_then(|at| f.entry(at).map(|e| (at, e)))
            }) else {
                return ().into_any();
            };
            let (item, open) = app.files.with_untracked(|f| {
                (
                    f.outline().item(at),
                    f.outline()
                        .has_children(at)
                        .then(|| f.outline().is_open(at)),
                )
            });
            let Some(item) = item else {
                return ().into_any();
            };
            let body = match entry {
                Entry::Patient(i) => patient(app, i, open == Some(true)),
                Entry::File(i) => file(app, i),
            };
            let selected = move || match entry {
                Entry::File(i) => app.current.get() == Some(i),
                Entry::Patient(_) => false,
            };
            html::div()
                .class("row file-row")
                .class(("is-patient", matches!(entry, Entry::Patient(_))))
                .class(("level-2", item.level > 1))
                .class(("is-current", selected))
                .id(list.row_id(row))
                .attr("role", "treeitem")
                .attr("aria-level", item.level.to_string())
                .attr("aria-setsize", item.size.to_string())
                .attr("aria-posinset", item.pos.to_string())
                .attr(
                    "aria-expanded",
                    open.map(|o| if o { "true" } else { "false" }),
                )
                .attr(
                    "aria-selected",
                    move || if selected() { "true" } else { "false" },
                )
                .attr("tabindex", move || {
                    if list.active.get() == row { "0" } else { "-1" }
                })
                .on(ev::click, move |_| {
                    list.active.set(row);
                    choose(row);
                    list.focus();
                })
                .child(body)
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
        .child(rows)
        .into_any()
}

fn patient(app: App, i: usize, open: bool) -> View {
    let (id, files) = app.files.with_untracked(|f| {
        f.patients
            .get(i)
            .map(|p| (p.id.clone(), p.files))
            .unwrap_or_default()
    });
    (
        html::span()
            .class("twist")
            .attr("aria-hidden", "true")
            .child(if open { "▾" } else { "▸" }),
        html::span().class("mono grow clip").child(id),
        html::span().class("dim small").child(number(files.into())),
        badge(app, move || {
            app.files.with(|f| f.patients.get(i).map(|p| p.counts))
        }),
    )
        .into_any()
}

fn file(app: App, i: usize) -> View {
    let Some(f) = app.files.with_untracked(|f| f.files.get(i).cloned()) else {
        return ().into_any();
    };
    let state = match f.state {
        State::Superseded => Some(text::STATE_SUPERSEDED),
        State::Cancelled => Some(text::STATE_CANCELLED),
        State::Old => Some(text::STATE_OLD),
        State::Foreign | State::Current => None,
    };
    let file_name = f.name().to_owned();
    let name = kinds::name(&f.kind);
    let title = f.path.clone();
    let main = if f.kind.is_empty() {
        html::span()
            .class("mono grow clip")
            .attr("title", title)
            .child(file_name)
            .into_any()
    } else {
        (
            html::span()
                .class("mono kind clip")
                .attr("title", title)
                .child(f.kind.clone()),
            html::span()
                .class("small dim grow clip")
                .child(move || name.map_or("", |t| app.say(t))),
            html::span()
                .class("mono dim small nowrap")
                .child(date(&f.date)),
        )
            .into_any()
    };
    (
        main,
        state.map(|t| html::span().class("tag").child(move || app.say(t))),
        badge(app, move || {
            app.files.with(|f| f.files.get(i).and_then(|f| f.counts))
        }),
    )
        .into_any()
}

/// `20260401` as `2026-04-01`; `-` as nothing.
fn date(raw: &str) -> String {
    match (raw.get(..4), raw.get(4..6), raw.get(6..8)) {
        (Some(y), Some(m), Some(d)) => format!("{y}-{m}-{d}"),
        _ if raw == "-" => String::new(),
        _ => raw.to_owned(),
    }
}

fn badge(app: App, counts: impl Fn() -> Option<Counts> + Send + Sync + Copy + 'static) -> View {
    move_badge(app, counts)
}

fn move_badge(
    app: App,
    counts: impl Fn() -> Option<Counts> + Send + Sync + Copy + 'static,
) -> View {
    let label = move || {
        counts().filter(|c| c.shown() > 0).map(|c| {
            format!(
                "{} {} · {} {}",
                app.say(text::ERROR),
                c.errors,
                app.say(text::WARNING),
                c.warnings
            )
        })
    };
    (move || {
        counts().filter(|c| c.shown() > 0).map(|c| {
            html::span()
                .class("count")
                .class(("is-error", c.errors > 0))
                .attr("title", label())
                .child((
                    format!("!{}", number(c.shown().into())),
                    html::span().class("sr").child(label()),
                ))
        })
    })
    .into_any()
}
