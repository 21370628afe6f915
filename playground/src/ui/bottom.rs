//! The bottom pane: findings with their frame, and the fields nothing was made from.

use leptos::ev;

use super::{
    dom::{self as html, prelude::*},
    list::{self, List},
    state::{App, BottomTab, OUTPUT},
};
use crate::{
    findings::{self, Finding, Place, Severity},
    text::{self, Text, number},
    trace::Unused,
};

pub(super) fn view(app: App) -> View {
    fresh(
        move || u32::from(app.bottom_tab.get() == BottomTab::Unused),
        move |tab| {
            if tab == 0 {
                finding_list(app)
            } else {
                unused_list(app)
            }
        },
    )
}

pub(super) const fn said(severity: Severity) -> Text {
    match severity {
        Severity::Error => text::ERROR,
        Severity::Warning => text::WARNING,
        Severity::Info => text::INFO,
    }
}

/// The word of a severity, after its sign.
fn severity(app: App, severity: Severity) -> View {
    html::span()
        .class("severity")
        .class(severity.class())
        .child((
            html::span()
                .class("sign")
                .attr("aria-hidden", "true")
                .child(severity.sign()),
            html::span().say(app, said(severity)),
        ))
        .into_any()
}

fn finding_list(app: App) -> View {
    let shown = derived(move || app.shown_findings());
    let count = Calc::new(move || shown.with(Vec::len));
    let version = changes(move || {
        shown.track();
        app.scope_all.track();
        app.lang.track();
    });
    let list = List::new("finding", count, app.row_px, version.into());
    effect(move || {
        let at = app.finding.get();
        list.active.set(at);
        list.reveal(at, false);
    });
    let some = move || u32::from(count.get() > 0);
    let rows = move |some: u32| {
        if some == 0 {
            return html::div()
                .class("placeholder")
                .child(move || {
                    let all = app.scope_all.get();
                    let unchecked = why_not(app, all);
                    match (app.doc.with(|d| d.path.is_empty()), all, app.totals.get()) {
                        (true, ..) | (_, true, None) => String::new(),
                        _ if unchecked.is_some() => return not_checked(app, all),
                        _ if app.grade.get().is_some() => app.say(text::NONE_OF_GRADE).to_owned(),
                        (_, true, Some((files, _))) => {
                            app.fill(text::NO_FINDINGS, &[&number(files.into())])
                        }
                        _ if app.checking.get() => app.say(text::CHECKING).to_owned(),
                        _ => app.say(text::NO_FINDINGS_HERE).to_owned(),
                    }
                    .into_any()
                })
                .into_any();
        }
        list::flat(
            list,
            "finding-list",
            "listbox",
            app.label(text::FINDINGS),
            move |row| app.go_finding(row),
            move |i| {
                let Some((f, begins)) = shown.with_untracked(|s| {
                    let f = s.get(i)?;
                    let before = i.checked_sub(1).and_then(|b| s.get(b));
                    let begins = before.is_some_and(|b| b.severity != f.severity);
                    Some((f.clone(), begins))
                }) else {
                    return ().into_any();
                };
                let file = f.file.rsplit('/').next().unwrap_or_default().to_owned();
                list.row(i, "option")
                    .class("finding-row")
                    .class(("begins", begins))
                    .class(("is-current", move || app.finding.get() == i))
                    .attr("aria-selected", move || super::word(app.finding.get() == i))
                    .attr("aria-setsize", count.get_untracked().to_string())
                    .attr("aria-posinset", (i + 1).to_string())
                    .on(ev::focus, move |_| app.finding.set(i))
                    .on(ev::click, move |_| {
                        app.go_finding(i);
                        list.focus();
                    })
                    .child((
                        severity(app, f.severity),
                        html::span().class("mono code").child(f.code.clone()),
                        html::span().class("mono path clip").child(f.path.clone()),
                        html::span().class("dim name clip").child(name(app, &f)),
                        html::span().class("clip grow").child(f.message.clone()),
                        app.scope_all
                            .get_untracked()
                            .then(|| html::span().class("mono dim small clip file").child(file)),
                    ))
                    .into_any()
            },
        )
    };
    html::div()
        .class("pane-body findings")
        .child((
            html::div().class("stack").child((
                fresh(some, rows),
                move || {
                    let dropped = app.findings_dropped.get();
                    (app.scope_all.get() && dropped > 0).then(|| {
                        html::div()
                            .class("strip dim")
                            .child(app.fill(text::MORE_FINDINGS, &[&number(dropped.into())]))
                    })
                },
                // What was found is not all there is to find.
                move || {
                    let all = app.scope_all.get();
                    (count.get() > 0 && why_not(app, all).is_some())
                        .then(|| html::div().class("strip").child(not_checked(app, all)))
                },
            )),
            move || {
                shown
                    .with(|s| s.get(app.finding.get()).cloned())
                    .map(|f| frame(app, &f))
            },
        ))
        .into_any()
}

/// Why the file shown, or `all` of them, was not checked.
fn why_not(app: App, all: bool) -> Option<Text> {
    if all {
        app.unchecked_all.get()
    } else {
        app.unchecked.get()
    }
}

/// Says so. What was not chosen can be tried again.
fn not_checked(app: App, all: bool) -> View {
    let why = why_not(app, all);
    let said = why.map(|why| app.fill(text::UNCHECKED, &[app.say(why)]));
    let chosen = why == Some(text::UNCHECKED_OFF);
    (
        html::span().class("unchecked").child(said),
        (!chosen).then(|| super::again(app)),
    )
        .into_any()
}

/// Name of the field a finding stands on.
fn name(app: App, f: &Finding) -> String {
    match app.lang.get() {
        crate::settings::Lang::Ja => f.ja.clone(),
        crate::settings::Lang::En => f.en.clone(),
    }
}

/// A line of the frame with what it is about.
fn line(app: App, label: Text, body: impl IntoView) -> View {
    html::div()
        .class("frame-help")
        .child(html::span().class("tag").say(app, label))
        .child(body)
        .into_any()
}

/// The finding as the command line shows it: place, line with the part meant, reason and help.
fn frame(app: App, f: &Finding) -> View {
    let doc = app.doc.get();
    let text = if f.file == doc.path {
        &doc.message.text
    } else if f.file == OUTPUT {
        std::str::from_utf8(doc.json.bytes()).unwrap_or_default()
    } else {
        ""
    };
    let cut = findings::frame(text, f);
    // An invariant has no page of its own, its rule has.
    let rule = f.name.clone();
    let place = format!(
        "{}:{}:{}",
        f.file.rsplit('/').next().unwrap_or_default(),
        f.line,
        f.columns.0
    );
    let others: Vec<_> = f.others.iter().map(|o| other(app, o.clone())).collect();
    html::div()
        .class("frame")
        .attr("role", "group")
        .attr("aria-label", f.code.clone())
        .child((
            html::div().class("frame-head").child((
                severity(app, f.severity),
                html::span().class("mono strong").child(f.code.clone()),
                html::span().class("grow").child(f.message.clone()),
                html::button()
                    .class("small-button rule-button")
                    .attr("type", "button")
                    .attr("aria-haspopup", "dialog")
                    .on(ev::click, move |_| app.show_rule(&rule))
                    .say(app, text::RULE_TITLE),
                (!f.fix.is_empty() && f.file == doc.path).then(|| {
                    html::button()
                        .class("small-button fix-button")
                        .attr("type", "button")
                        .attr("aria-haspopup", "dialog")
                        .attr("title", f.fix.clone())
                        .on(ev::click, move |_| app.show_fixes())
                        .say(app, text::FIX_SHOW)
                }),
            )),
            cut.map(|c| {
                html::div().class("frame-line mono").child((
                    html::span()
                        .class("gutter")
                        .attr("aria-hidden", "true")
                        .child(f.line.to_string()),
                    html::span().class("pre").child((
                        c.before,
                        html::mark().class(f.severity.class()).child(c.marked),
                        c.after,
                    )),
                ))
            }),
            html::div().class("small").child((
                html::span().class("mono").child(f.path.clone()),
                " ",
                html::span().child(name(app, f)),
                (f.span.1 > f.span.0).then(|| {
                    html::span()
                        .class("dim")
                        .child(format!(" ({}–{})", f.span.0, f.span.1))
                }),
                html::span()
                    .class("mono dim place")
                    .attr("title", f.file.clone())
                    .child(place),
            )),
            (
                (!f.demand.is_empty()).then(|| line(app, text::DEMAND_LABEL, f.demand.clone())),
                (!f.reasons.is_empty()).then(|| line(app, text::REASONS_LABEL, f.reasons.clone())),
                (!f.why.is_empty()).then(|| line(app, text::WHY_LABEL, f.why.clone())),
                (!f.help.is_empty()).then(|| line(app, text::HELP_LABEL, f.help.clone())),
                (!others.is_empty()).then(|| line(app, text::OTHERS_LABEL, others)),
            ),
        ))
        .into_any()
}

/// A button to a further place of a finding.
fn other(app: App, place: Place) -> El {
    let label = if place.2.is_empty() {
        place.0.rsplit('/').next().unwrap_or_default().to_owned()
    } else {
        place.2.clone()
    };
    html::button()
        .class("chip")
        .attr("type", "button")
        .attr("title", place.0.clone())
        .on(ev::click, move |_| app.go_place(&place))
        .child(format!("→ {label}"))
}

fn unused_list(app: App) -> View {
    // Of a patient's output only the fields of the file shown are listed.
    let shown = derived(move || {
        let path = app.doc.with(|d| d.path.clone());
        app.trace.with(|t| {
            t.unused
                .iter()
                .filter(|u| u.file == path)
                .cloned()
                .collect::<Vec<Unused>>()
        })
    });
    let count = Calc::new(move || shown.with(Vec::len));
    let version = changes(move || {
        shown.track();
        app.lang.track();
    });
    let list = List::new("unused", count, app.row_px, version.into());
    let go = move |i: usize| {
        if let Some(u) = shown.with_untracked(|s| s.get(i).cloned()) {
            app.follow_span(&u.path, u.span);
            app.show_span.update(|s| *s = (s.0 + 1, u.span.0, u.span.1));
        }
    };
    let some = move || u32::from(count.get() > 0);
    let body = move |some: u32| {
        if some == 0 {
            return html::div()
                .class("placeholder")
                .child(move || {
                    let (read, empty) = app.trace.with(|t| (t.is_read(), t.is_empty()));
                    match app.untraced.get() {
                        Some(why) => app.say(why),
                        None if !read && app.doc.with(|d| !d.path.is_empty()) => {
                            app.say(text::WORKING)
                        }
                        None if empty => "",
                        None => app.say(text::NO_UNUSED),
                    }
                })
                .into_any();
        }
        list::flat(
            list,
            "unused-list",
            "list",
            app.label(text::UNUSED),
            go,
            move |i| {
                let Some(u) = shown.with_untracked(|s| s.get(i).cloned()) else {
                    return ().into_any();
                };
                let reason = match u.reason.as_str() {
                    "ignored" => text::REASON_IGNORED,
                    "lost" => text::REASON_LOST,
                    "passed-over" => text::REASON_PASSED_OVER,
                    "read" => text::REASON_READ,
                    "not-in-force" => text::REASON_NOT_IN_FORCE,
                    "not-in-form" => text::REASON_NOT_IN_FORM,
                    _ => text::REASON_UNKNOWN,
                };
                let (ja, en) = (u.ja.clone(), u.en.clone());
                list.row(i, "listitem")
                    .class("unused-row")
                    .on(ev::click, move |_| {
                        list.active.set(i);
                        go(i);
                        list.focus();
                    })
                    .child((
                        html::span().class("mono path").child(u.path),
                        html::span()
                            .class("tag")
                            .class(("is-lost", u.reason == "lost"))
                            .say(app, reason),
                        html::span()
                            .class("clip grow")
                            .child(move || match app.lang.get() {
                                crate::settings::Lang::Ja => ja.clone(),
                                crate::settings::Lang::En => en.clone(),
                            }),
                    ))
                    .into_any()
            },
        )
    };
    fresh(some, body)
}
