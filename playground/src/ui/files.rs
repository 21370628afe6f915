//! The file list: patients with their files.

use super::{
    dom::{self as html, prelude::*},
    list::Tree,
    state::{App, Pane},
};
use crate::{
    files::{Counts, Entry, State},
    kinds,
    outline::Outline,
    text::{self, number},
};

pub(super) fn view(app: App) -> View {
    let tree = Tree::new(
        "file",
        app.row_px,
        &app.files_version,
        Box::leak(Box::new(move |use_it: &mut dyn FnMut(&mut Outline)| {
            app.files.touch(|f| use_it(f.outline_mut()));
        })),
        Box::leak(Box::new(move |at| choose(app, at))),
    );
    // The list follows the file shown.
    effect(move || {
        if let Some(current) = app.current.get()
            && let Some(at) = app.files.with_untracked(|f| f.item_of(current))
        {
            tree.show(at);
        }
    });
    tree.view("files-list", app.label(text::FILES), move |row| {
        let Some((el, at)) = tree.row(row) else {
            return ().into_any();
        };
        let (level, entry) = app
            .files
            .with_untracked(|f| (f.outline().item(at).map_or(1, |i| i.level), f.entry(at)));
        let el = el.class("file-row").class(("level-2", level > 1));
        match entry {
            Some(Entry::Patient(i)) => el
                .class("is-patient")
                .attr("aria-selected", "false")
                .child(patient(app, i))
                .into_any(),
            Some(Entry::File(i)) => el
                .class(("is-current", move || app.current.get() == Some(i)))
                .attr("aria-selected", move || {
                    if app.current.get() == Some(i) {
                        "true"
                    } else {
                        "false"
                    }
                })
                .child(file(app, i))
                .into_any(),
            None => ().into_any(),
        }
    })
}

/// Shows a file; opens or closes a patient.
fn choose(app: App, at: usize) {
    match app.files.with_untracked(|f| f.entry(at)) {
        Some(Entry::File(i)) => {
            app.show(i);
            if super::narrow() {
                app.pane.set(Pane::Message);
            }
        }
        Some(Entry::Patient(_)) => {
            app.files.touch(|f| {
                let open = f.outline().is_open(at);
                f.outline_mut().set_open(at, !open);
            });
            app.files_version.update(|v| *v += 1);
        }
        None => {}
    }
}

fn patient(app: App, i: usize) -> View {
    let (id, files) = app.files.with_untracked(|f| {
        f.patients
            .get(i)
            .map(|p| (p.id.clone(), p.files))
            .unwrap_or_default()
    });
    (
        html::span().class("mono grow clip").child(id),
        html::span().class("dim small").child(number(files.into())),
        badge(
            app,
            Box::new(move || app.files.with(|f| f.patients.get(i).map(|p| p.counts))),
        ),
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
                .class("small grow clip")
                .child(move || name.map_or("", |t| app.say(t))),
            html::span()
                .class("mono dim small nowrap")
                .child(date(&f.date)),
        )
            .into_any()
    };
    (
        main,
        state.map(|t| html::span().class("tag").say(app, t)),
        badge(
            app,
            Box::new(move || app.files.with(|f| f.files.get(i).and_then(|f| f.counts))),
        ),
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

#[inline(never)]
fn badge(app: App, counts: Box<dyn Ask<Option<Counts>>>) -> View {
    (move || {
        counts.ask().filter(|c| c.shown() > 0).map(|c| {
            let said = format!(
                "{} {} · {} {}",
                app.say(text::ERROR),
                c.errors,
                app.say(text::WARNING),
                c.warnings
            );
            html::span()
                .class("count")
                .class(("is-error", c.errors > 0))
                .attr("title", said.clone())
                .child(format!("!{}", number(c.shown().into())))
                .child(html::span().class("sr").child(said))
        })
    })
    .into_any()
}
