//! The Leptos components: they show what the other modules hold, and do nothing else.

mod bottom;
mod dialogs;
mod dom;
mod fhir;
mod files;
mod header;
mod host;
mod list;
mod message;
mod signal;
mod state;

use std::rc::Rc;

use leptos::ev;
use wasm_bindgen::{JsCast, JsValue, prelude::*};

use self::dom::{self as html, prelude::*};
use self::state::{App, BottomTab, Busy, Dialog, Face, FhirTab, MessageTab, Pane};
use crate::{
    findings::{self, Severity},
    keys::{self, Action},
    settings::{Rules, Size, Theme},
    text::{self, Text, millis, number},
};

/// Puts the page into the document.
pub(crate) fn mount() {
    html::mount(|| {
        let app = state::State::new();
        let callback = Closure::<dyn FnMut(JsValue)>::new(move |e| app.event(&host::Event(e)));
        host::listen(&callback);
        callback.forget();
        look(app);
        global_keys(app);
        global_input(app);
        app.start();
        page(app)
    });
}

/// Width below which one pane is shown at a time, in px.
const NARROW: f64 = 900.0;

fn narrow() -> bool {
    window()
        .inner_width()
        .ok()
        .and_then(|w| w.as_f64())
        .is_some_and(|w| w < NARROW)
}

/// Whether a key press happened on a row of a list (not in a search field).
fn on_row(e: &ev::KeyboardEvent) -> bool {
    !e.ctrl_key_outside_grid()
        && element_of(e).is_some_and(|t| t.closest(".row").ok().flatten().is_some())
}

/// Keys with Alt or Command are the browser's.
trait Plain {
    fn ctrl_key_outside_grid(&self) -> bool;
}

impl Plain for ev::KeyboardEvent {
    fn ctrl_key_outside_grid(&self) -> bool {
        self.alt_key()
            || self.meta_key()
            || (self.ctrl_key() && !matches!(self.key().as_str(), "Home" | "End"))
    }
}

/// Whether a click hit the triangle of a branch.
fn on_twist(e: &ev::MouseEvent) -> bool {
    element_of(e).is_some_and(|t| t.class_list().contains("twist"))
}

/// Width of an element, kept up to date.
fn width_of(id: &'static str) -> Sig<i32> {
    let read = move || {
        document()
            .get_element_by_id(id)
            .map_or(0, |e| e.client_width())
    };
    let width = sig(read());
    effect(move || {
        let Some(el) = document().get_element_by_id(id) else {
            return;
        };
        let follow = move || {
            let now = read();
            if (now - width.get_untracked()).abs() > 4 && now > 0 {
                width.set(now);
            }
        };
        list::on_resize(&el, Rc::new(follow));
    });
    width
}

/// Text of the field an event happened in.
fn value_of(e: &web_sys::Event) -> String {
    let Some(el) = element_of(e) else {
        return String::new();
    };
    match el.dyn_into::<web_sys::HtmlInputElement>() {
        Ok(input) => input.value(),
        Err(el) => el
            .dyn_into::<web_sys::HtmlSelectElement>()
            .map(|s| s.value())
            .unwrap_or_default(),
    }
}

/// Whether the box an event happened in is ticked.
fn checked(e: &web_sys::Event) -> bool {
    element_of(e)
        .and_then(|el| el.dyn_into::<web_sys::HtmlInputElement>().ok())
        .is_some_and(|input| input.checked())
}

fn clear(e: &web_sys::Event) {
    if let Some(input) =
        element_of(e).and_then(|el| el.dyn_into::<web_sys::HtmlInputElement>().ok())
    {
        input.set_value("");
    }
}

/// Theme, text size and language stand on the root element.
fn look(app: App) {
    effect(move || {
        let Some(root) = document().document_element() else {
            return;
        };
        app.settings.with(|s| {
            let theme = match s.theme {
                Theme::Auto => "auto",
                other => other.word(),
            };
            let _ = root.set_attribute("data-theme", theme);
            let _ = root.set_attribute(
                "data-size",
                match s.size {
                    Size::Small => "small",
                    Size::Medium => "medium",
                    Size::Large => "large",
                },
            );
            let _ = root.set_attribute("lang", s.lang.word());
        });
    });
}

fn global_keys(app: App) {
    on_window(ev::keydown, move |e| {
        let target = e
            .target()
            .and_then(|t| t.dyn_into::<web_sys::Element>().ok());
        let tag = target
            .as_ref()
            .map(web_sys::Element::tag_name)
            .unwrap_or_default();
        let in_menu = target
            .as_ref()
            .is_some_and(|t| t.closest("[role=menu]").ok().flatten().is_some());
        let press = keys::Press {
            key: &e.key(),
            ctrl: e.ctrl_key() || e.meta_key(),
            alt: e.alt_key(),
            shift: e.shift_key(),
            typing: matches!(tag.as_str(), "INPUT" | "TEXTAREA" | "SELECT"),
            modal: app.dialog.get_untracked().is_some() || in_menu,
            composing: e.is_composing(),
        };
        let Some(action) = keys::action(press, app.settings.with_untracked(|s| s.letters)) else {
            return;
        };
        e.prevent_default();
        match action {
            Action::NextPane => move_pane(app, 1),
            Action::PreviousPane => move_pane(app, 3),
            Action::NextFinding => app.step_finding(1),
            Action::PreviousFinding => app.step_finding(-1),
            Action::NextFile => app.step(1),
            Action::PreviousFile => app.step(-1),
            Action::Search => {
                // The findings have no search of their own.
                let pane = match app.pane.get_untracked() {
                    Pane::Bottom => Pane::Message,
                    pane => pane,
                };
                list::focus_id(&format!("search-{}", pane.id()));
            }
            Action::Open => header::press("pick-files"),
            Action::Save => app.save("shown"),
            Action::Cancel if app.menu_open.get_untracked() => {
                app.menu_open.set(false);
                list::focus_id("burger");
            }
            Action::Cancel => app.cancel(),
            Action::Help => app.dialog.set(Some(Dialog::Keys)),
        }
    });
}

/// Focuses the pane so many places further.
fn move_pane(app: App, by: usize) {
    let at = Pane::ALL
        .iter()
        .position(|p| *p == app.pane.get_untracked())
        .unwrap_or(0);
    let Some(pane) = Pane::ALL.get((at + by) % Pane::ALL.len()).copied() else {
        return;
    };
    app.pane.set(pane);
    frame(move || focus_pane(pane));
}

fn focus_pane(pane: Pane) {
    let inside = document()
        .query_selector(&format!("#{} .list [tabindex='0']", pane.id()))
        .ok()
        .flatten();
    match inside.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        Some(el) => {
            let _ = el.focus();
        }
        None => list::focus_id(pane.id()),
    }
}

/// Drop anywhere, paste anywhere.
fn global_input(app: App) {
    on_window(ev::dragover, move |e| {
        e.prevent_default();
        if let Some(body) = document().body() {
            let _ = body.class_list().add_1("is-dropping");
        }
    });
    let calm = || {
        if let Some(body) = document().body() {
            let _ = body.class_list().remove_1("is-dropping");
        }
    };
    on_window(ev::dragleave, move |e| {
        if e.related_target().is_none() {
            calm();
        }
    });
    on_window(ev::drop, move |e| {
        e.prevent_default();
        calm();
        if let Some(transfer) = e.data_transfer()
            && transfer.files().is_none_or(|f| app.take_packages(&f))
        {
            app.open_drop(&transfer);
        }
    });
    on_window(ev::paste, move |e| {
        let tag = e
            .target()
            .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
            .map(|t| t.tag_name())
            .unwrap_or_default();
        if matches!(tag.as_str(), "INPUT" | "TEXTAREA") {
            return;
        }
        let Some(data) = e
            .dyn_ref::<web_sys::ClipboardEvent>()
            .and_then(web_sys::ClipboardEvent::clipboard_data)
        else {
            return;
        };
        if let Some(files) = data.files()
            && files.length() > 0
        {
            e.prevent_default();
            app.open_files(&files);
        } else if let Ok(text) = data.get_data("text/plain")
            && !text.trim().is_empty()
        {
            e.prevent_default();
            app.open_text(&text);
        }
    });
}

fn page(app: App) -> View {
    (
        header::view(app),
        mobile_tabs(app),
        html::main()
            .id("panes")
            .class("panes")
            .attr("data-pane", move || app.pane.get().id())
            .child((
                pane(app, Pane::Files, files_head(app), files::view(app)),
                separator(app, text::SPLIT_FILES, "--w-files", Axis::X, 12, 40, 22),
                pane(app, Pane::Message, message_head(app), message::view(app)),
                separator(app, text::SPLIT_MESSAGE, "--w-message", Axis::X, 20, 70, 38),
                pane(app, Pane::Fhir, fhir_head(app), fhir::view(app)),
                separator(app, text::SPLIT_BOTTOM, "--h-bottom", Axis::Y, 10, 60, 28),
                pane(app, Pane::Bottom, bottom_head(app), bottom::view(app)),
            )),
        footer(app),
        dialogs::view(app),
        html::div()
            .class("sr")
            .attr("role", "status")
            .attr("aria-live", "polite")
            .id("live")
            .child(move || app.live.get()),
        html::div()
            .class("drop-hint")
            .attr("aria-hidden", "true")
            .say(app, text::DROP),
    )
        .into_any()
}

fn pane_name(app: App, pane: Pane) -> &'static str {
    app.say(match pane {
        Pane::Files => text::FILES,
        Pane::Message => text::MESSAGE,
        Pane::Fhir => text::FHIR,
        Pane::Bottom => text::RESULTS,
    })
}

fn pane(app: App, which: Pane, head: View, body: View) -> View {
    html::section()
        .id(which.id())
        .class("pane")
        .class(("is-current", move || app.pane.get() == which))
        .attr("aria-label", move || pane_name(app, which))
        .attr("tabindex", "-1")
        .on(ev::focusin, move |_| {
            if app.pane.get_untracked() != which && !narrow() {
                app.pane.set(which);
            }
        })
        .child((head, body))
        .into_any()
}

/// `true` or `false`, as ARIA wants it.
const fn word(on: bool) -> &'static str {
    if on { "true" } else { "false" }
}

/// A text in place of a view.
fn said(app: App, t: Text) -> View {
    html::div().class("placeholder").say(app, t).into_any()
}

/// What is said where nothing is shown: why, or what is being done.
fn placeholder(app: App) -> View {
    html::div()
        .class("placeholder")
        .child(move || {
            let said = match (app.busy.get(), app.face.get()) {
                (Busy::Loading(..), _) => loading(app),
                (_, Face::Nothing) => app.say(text::EMPTY).to_owned(),
                (_, Face::Halted(why)) => return (why, again(app)).into_any(),
                _ => working(app),
            };
            said.into_any()
        })
        .into_any()
}

/// Says of which file what is to be shown is being made.
fn working(app: App) -> String {
    let name = app.current.get().and_then(|at| {
        app.files.with(|f| {
            let path = &f.files.get(at)?.path;
            path.rsplit('/').next().map(str::to_owned)
        })
    });
    match name {
        Some(name) => app.fill(text::SHOWING, &[&name]),
        None => app.say(text::WORKING).to_owned(),
    }
}

/// A button that tries again what was cancelled or failed.
fn again(app: App) -> View {
    html::div()
        .child(
            html::button()
                .class("small-button again")
                .attr("type", "button")
                .on(ev::click, move |_| app.retry())
                .say(app, text::AGAIN),
        )
        .into_any()
}

fn loading(app: App) -> String {
    let Busy::Loading(done, total) = app.busy.get() else {
        return String::new();
    };
    let kb = |n: u32| number(u64::from(n / 1_000));
    if total > 0 {
        app.fill(text::LOADING_OF, &[&kb(done), &kb(total)])
    } else {
        app.fill(text::LOADING, &[&kb(done)])
    }
}

/// Tabs inside a pane's head; arrows move between them.
#[inline(never)]
fn tabs(
    app: App,
    label: Text,
    id: &'static str,
    count: usize,
    current: Calc<usize>,
    choose: &'static dyn Tell<usize>,
    caption: &'static dyn Tell<usize, String>,
) -> View {
    let mut bar =
        html::div()
            .class("tabs")
            .attr("role", "tablist")
            .attr_say("aria-label", app, label);
    for i in 0..count {
        bar = bar.child(
            html::button()
                .id(format!("{id}-tab-{i}"))
                .class("tab")
                .attr("type", "button")
                .attr("role", "tab")
                .attr("aria-selected", move || word(current.get() == i))
                .attr(
                    "tabindex",
                    move || if current.get() == i { "0" } else { "-1" },
                )
                .on(ev::click, move |_| choose.tell(i))
                .on(ev::keydown, move |e| {
                    let to = match e.key().as_str() {
                        "ArrowRight" => (i + 1) % count,
                        "ArrowLeft" => (i + count - 1) % count,
                        "Home" => 0,
                        "End" => count - 1,
                        _ => return,
                    };
                    e.prevent_default();
                    choose.tell(to);
                    list::focus_id(&format!("{id}-tab-{to}"));
                })
                .child(move || caption.tell(i)),
        );
    }
    bar.into_any()
}

/// Index of a tab in its row.
fn index_of<T: PartialEq + Copy>(all: &[(T, Text)], tab: T) -> usize {
    all.iter().position(|(t, _)| *t == tab).unwrap_or(0)
}

/// Looks for a text; whether it was found. `true` asks for the next place.
type Go = Rc<dyn Fn(&str, bool) -> bool>;

/// The search field of a pane. `go` is told the text; Enter asks for the next place.
#[inline(never)]
fn search(app: App, which: Pane, label: Text, go: Go) -> View {
    let missed = sig(false);
    let go_too = go.clone();
    html::input()
        .id(format!("search-{}", which.id()))
        .class("search")
        .class(("is-missed", move || missed.get()))
        .attr("type", "search")
        .attr("autocomplete", "off")
        .attr("spellcheck", "false")
        .attr("aria-label", move || {
            format!("{} — {}", pane_name(app, which), app.say(label))
        })
        .attr_say("placeholder", app, label)
        .on(ev::input, move |e| {
            missed.set(!go_too(&value_of(&e), false));
        })
        .on(ev::keydown, move |e| {
            let value = value_of(&e);
            match e.key().as_str() {
                "Enter" if !e.is_composing() => {
                    e.prevent_default();
                    let found = go(&value, true);
                    missed.set(!found);
                    if !found {
                        app.notify(text::SEARCH_NONE, &[], false);
                    }
                }
                "ArrowDown" => {
                    e.prevent_default();
                    focus_pane(which);
                }
                "Escape" => {
                    e.stop_propagation();
                    clear(&e);
                    missed.set(false);
                    go("", false);
                    focus_pane(which);
                }
                _ => {}
            }
        })
        .into_any()
}

fn files_head(app: App) -> View {
    html::div()
        .class("pane-head")
        .child((
            html::h2().child(move || {
                app.fill(
                    text::FILES_COUNT,
                    &[&number(app.files.with(|f| f.files.len()) as u64)],
                )
            }),
            search(
                app,
                Pane::Files,
                text::FILTER,
                Rc::new(move |needle: &str, _| {
                    app.files.update(|f| f.set_filter(needle));
                    app.files_version.update(|v| *v += 1);
                    needle.is_empty() || app.files.with_untracked(|f| f.outline().rows() > 0)
                }),
            ),
        ))
        .into_any()
}

const MESSAGE_TABS: &[(MessageTab, Text)] = &[
    (MessageTab::Fields, text::FIELDS),
    (MessageTab::Text, text::ORIGINAL),
    (MessageTab::Hex, text::HEX),
];

fn message_head(app: App) -> View {
    let find = move |needle: &str, next: bool| {
        if needle.is_empty() {
            return true;
        }
        let doc = app.doc.get_untracked();
        let rows = &doc.message.rows;
        let from = if next {
            app.show_span
                .with_untracked(|s| rows.iter().position(|r| r.span == (s.1, s.2)))
                .map_or(0, |i| i + 1)
        } else {
            0
        };
        let hit = (0..rows.len())
            .map(|k| (from + k) % rows.len().max(1))
            .find(|&i| {
                rows.get(i).is_some_and(|r| {
                    [&r.path, &r.text, &r.ja, &r.en]
                        .iter()
                        .any(|t| text::holds(t, needle))
                })
            });
        let Some(row) = hit.and_then(|i| rows.get(i).map(|r| (i, r.span, r.path.clone()))) else {
            return false;
        };
        app.fields.update(|o| o.reveal([row.0]));
        app.fields_version.update(|v| *v += 1);
        app.follow_span(&row.2, row.1);
        app.show_span.update(|s| *s = (s.0 + 1, row.1.0, row.1.1));
        true
    };
    html::div()
        .class("pane-head")
        .child((
            html::h2().say(app, text::MESSAGE),
            tabs(
                app,
                text::MESSAGE,
                "message",
                MESSAGE_TABS.len(),
                Calc::new(move || index_of(MESSAGE_TABS, app.message_tab.get())),
                Box::leak(Box::new(move |i| {
                    if let Some((tab, _)) = MESSAGE_TABS.get(i) {
                        app.message_tab.set(*tab);
                    }
                })),
                Box::leak(Box::new(move |i| {
                    MESSAGE_TABS
                        .get(i)
                        .map_or("", |(_, name)| app.say(*name))
                        .to_owned()
                })),
            ),
            search(app, Pane::Message, text::SEARCH, Rc::new(find)),
        ))
        .into_any()
}

const FHIR_TABS: &[(FhirTab, Text)] = &[
    (FhirTab::Tree, text::TREE),
    (FhirTab::Json, text::JSON),
    (FhirTab::Table, text::TABLE),
    (FhirTab::Diff, text::DIFF),
];

fn fhir_head(app: App) -> View {
    let find = move |needle: &str, next: bool| {
        if needle.is_empty() {
            return true;
        }
        let doc = app.doc.get_untracked();
        let n = doc.json.len();
        let from = if next {
            app.show_node.get_untracked().1 as usize + 1
        } else {
            0
        };
        let hit = (0..n).map(|k| (from + k) % n.max(1)).find(|&i| {
            doc.json.nodes().get(i).is_some_and(|node| {
                text::holds(doc.json.raw(node.key), needle)
                    || (!node.kind.is_container() && text::holds(doc.json.raw(node.span), needle))
            })
        });
        let Some(node) = hit else { return false };
        app.fhir.update(|o| o.reveal([node]));
        app.fhir_version.update(|v| *v += 1);
        app.follow_node(node);
        app.show_node
            .update(|s| *s = (s.0 + 1, crate::json::cut(node)));
        true
    };
    html::div()
        .class("pane-head")
        .child((
            html::h2().say(app, text::FHIR),
            tabs(
                app,
                text::FHIR,
                "fhir",
                FHIR_TABS.len(),
                Calc::new(move || index_of(FHIR_TABS, app.fhir_tab.get())),
                Box::leak(Box::new(move |i| {
                    if let Some((tab, _)) = FHIR_TABS.get(i) {
                        app.fhir_tab.set(*tab);
                        if *tab == FhirTab::Diff {
                            app.again();
                        }
                    }
                })),
                Box::leak(Box::new(move |i| {
                    FHIR_TABS
                        .get(i)
                        .map_or("", |(_, name)| app.say(*name))
                        .to_owned()
                })),
            ),
            // A file of FHIR is validated when it is opened.
            move || {
                let made = app.doc.with(|d| !d.json.is_empty() && !d.is_fhir());
                made.then(|| {
                    html::button()
                        .id("validate-output")
                        .class("small-button")
                        .attr("type", "button")
                        .attr_say("title", app, text::VALIDATE_TITLE)
                        .on(ev::click, move |_| app.validate())
                        .say(app, text::VALIDATE)
                })
            },
            search(app, Pane::Fhir, text::SEARCH, Rc::new(find)),
        ))
        .into_any()
}

const BOTTOM_TABS: &[(BottomTab, Text)] = &[
    (BottomTab::Findings, text::FINDINGS),
    (BottomTab::Unused, text::UNUSED),
];

/// How many findings there are of each severity, as the scope says.
fn finding_counts(app: App) -> [u32; 3] {
    if app.scope_all.get() {
        let all = app.files.with(crate::files::FileList::totals);
        [all.errors, all.warnings, all.infos]
    } else {
        app.here.with(|all| findings::counts(all))
    }
}

/// The same, unless nothing is known: that nothing was found says something of what was checked only.
fn known_counts(app: App) -> Option<[u32; 3]> {
    let counts = finding_counts(app);
    let all = app.scope_all.get();
    let open = all || app.doc.with(|d| !d.path.is_empty());
    let unchecked = if all {
        app.unchecked_all.get().is_some() || app.totals.get().is_none()
    } else {
        app.checking.get() || app.unchecked.get().is_some()
    };
    (open && !(unchecked && counts == [0; 3])).then_some(counts)
}

/// A name with its count, if that is known.
fn counted(app: App, name: Text, with_count: Text, count: Option<u32>) -> String {
    match count {
        Some(n) => app.fill(with_count, &[&number(n.into())]),
        None => app.say(name).to_owned(),
    }
}

fn findings_name(app: App) -> String {
    let count = known_counts(app).map(|c| c.iter().sum());
    counted(app, text::FINDINGS, text::FINDINGS_COUNT, count)
}

const RULES: &[(&str, Text)] = &[
    ("ssmix2-1.2g", text::RULES_STANDARD),
    ("nho", text::RULES_NHO),
    ("strict", text::RULES_STRICT),
    ("off", text::RULES_OFF),
];

/// A button a severity, with its count: pressed, it shows that one alone.
fn grades(app: App) -> View {
    let mut bar =
        html::div()
            .class("scopes")
            .attr("role", "group")
            .attr_say("aria-label", app, text::FILTER);
    for (at, severity) in Severity::ALL.into_iter().enumerate() {
        let on = move || app.grade.get() == Some(severity);
        bar = bar.child(
            html::button()
                .class("scope grade")
                .class(severity.class())
                .attr("type", "button")
                .attr("aria-pressed", move || word(on()))
                .on(ev::click, move |_| {
                    let only = (!untrack(on)).then_some(severity);
                    app.finding.set(0);
                    app.grade.set(only);
                })
                .child((
                    html::span()
                        .class("sign")
                        .attr("aria-hidden", "true")
                        .child(severity.sign()),
                    move || {
                        let name = app.say(bottom::said(severity));
                        match known_counts(app).and_then(|c| c.get(at).copied()) {
                            Some(n) => app.fill(text::ONLY, &[name, &number(n.into())]),
                            None => name.to_owned(),
                        }
                    },
                )),
        );
    }
    bar.into_any()
}

fn bottom_head(app: App) -> View {
    html::div()
        .class("pane-head")
        .child((
            tabs(
                app,
                text::RESULTS,
                "bottom",
                BOTTOM_TABS.len(),
                Calc::new(move || index_of(BOTTOM_TABS, app.bottom_tab.get())),
                Box::leak(Box::new(move |i| {
                    if let Some((tab, _)) = BOTTOM_TABS.get(i) {
                        app.bottom_tab.set(*tab);
                    }
                })),
                Box::leak(Box::new(move |i| {
                    if i == 0 {
                        return findings_name(app);
                    }
                    let path = app.doc.with(|d| d.path.clone());
                    let count = app.trace.with(|t| {
                        let count = || t.unused.iter().filter(|u| u.file == path).count();
                        t.is_read().then(|| crate::json::cut(count()))
                    });
                    counted(app, text::UNUSED, text::UNUSED_COUNT, count)
                })),
            ),
            html::span().class("grow"),
            move || {
                (app.bottom_tab.get() == BottomTab::Findings).then(|| {
                    (
                        dialogs::choose(
                            app,
                            text::RULES,
                            RULES,
                            |s| s.rules.word(),
                            |s, word| s.rules = Rules::of(word).unwrap_or_default(),
                        ),
                        grades(app),
                    )
                })
            },
            move || {
                (app.bottom_tab.get() == BottomTab::Findings
                    && app.files.with(|f| f.files.len() > 1))
                .then(|| {
                    let choice = move |all: bool, name: Text| {
                        html::button()
                            .class("scope")
                            .attr("type", "button")
                            .attr("aria-pressed", move || word(app.scope_all.get() == all))
                            .on(ev::click, move |_| {
                                app.finding.set(0);
                                app.scope_all.set(all);
                            })
                            .say(app, name)
                    };
                    html::div().class("scopes").child((
                        choice(false, text::SCOPE_FILE),
                        choice(true, text::SCOPE_ALL),
                    ))
                })
            },
        ))
        .into_any()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Axis {
    X,
    Y,
}

/// A splitter: drag it, or move it with the arrows. Its place is a CSS variable in percent.
fn separator(
    app: App,
    label: Text,
    variable: &'static str,
    axis: Axis,
    min: i32,
    max: i32,
    start: i32,
) -> View {
    let value = sig(start);
    let set = move |to: i32| {
        let to = to.clamp(min, max);
        value.set(to);
        if let Some(panes) = document()
            .get_element_by_id("panes")
            .and_then(|p| p.dyn_into::<web_sys::HtmlElement>().ok())
        {
            let _ = panes.style().set_property(variable, &format!("{to}%"));
        }
    };
    let node = Ref::<web_sys::HtmlElement>::new();
    let from_pointer = move |e: &ev::PointerEvent| {
        let Some(panes) = document().get_element_by_id("panes") else {
            return;
        };
        let rect = panes.get_bounding_client_rect();
        let before = match (axis, variable) {
            (Axis::X, "--w-message") => node
                .get()
                .and_then(|n| n.previous_element_sibling())
                .map_or(rect.left(), |p| p.get_bounding_client_rect().left()),
            _ => rect.left(),
        };
        #[expect(clippy::cast_possible_truncation, reason = "percent")]
        let percent = match axis {
            Axis::X => (f64::from(e.client_x()) - before) / rect.width().max(1.0) * 100.0,
            Axis::Y => (rect.bottom() - f64::from(e.client_y())) / rect.height().max(1.0) * 100.0,
        } as i32;
        set(percent);
    };
    html::div()
        .class("separator")
        .class(("is-row", axis == Axis::Y))
        .attr("role", "separator")
        .attr("tabindex", "0")
        .attr_say("aria-label", app, label)
        .attr(
            "aria-orientation",
            if axis == Axis::X {
                "vertical"
            } else {
                "horizontal"
            },
        )
        .attr("aria-valuemin", min.to_string())
        .attr("aria-valuemax", max.to_string())
        .attr("aria-valuenow", move || value.get().to_string())
        .node_ref(node)
        .on(ev::keydown, move |e| {
            let now = value.get_untracked();
            let to = match (e.key().as_str(), axis) {
                ("ArrowLeft", Axis::X) | ("ArrowDown", Axis::Y) => now - 2,
                ("ArrowRight", Axis::X) | ("ArrowUp", Axis::Y) => now + 2,
                ("Home", _) => min,
                ("End", _) => max,
                _ => return,
            };
            e.prevent_default();
            set(to);
        })
        .on(ev::pointerdown, move |e| {
            e.prevent_default();
            if let Some(node) = node.get() {
                let _ = node.set_pointer_capture(e.pointer_id());
            }
        })
        .on(ev::pointermove, move |e| {
            if node
                .get()
                .is_some_and(|n| n.has_pointer_capture(e.pointer_id()))
            {
                from_pointer(&e);
            }
        })
        .into_any()
}

/// The tabs of a narrow screen: one pane at a time.
fn mobile_tabs(app: App) -> View {
    let tab = move |which: Pane, name: Text| {
        html::button()
            .class("mobile-tab")
            .attr("type", "button")
            .attr("aria-pressed", move || word(app.pane.get() == which))
            .on(ev::click, move |_| app.pane.set(which))
            .child(move || {
                if which == Pane::Bottom {
                    findings_name(app)
                } else {
                    app.say(name).to_owned()
                }
            })
    };
    html::nav()
        .class("mobile-tabs")
        .attr_say("aria-label", app, text::MENU)
        .child((
            tab(Pane::Files, text::FILES),
            tab(Pane::Message, text::ORIGINAL),
            tab(Pane::Fhir, text::FHIR),
            tab(Pane::Bottom, text::FINDINGS),
        ))
        .into_any()
}

/// What is going on, in words.
fn activity(app: App) -> Option<String> {
    let of = |t: Text, done: u32, total: u32| {
        app.fill(t, &[&number(done.into()), &number(total.into())])
    };
    match app.busy.get() {
        Busy::No => app.face.with(|f| *f == Face::Working).then(|| working(app)),
        Busy::Loading(..) => Some(loading(app)),
        Busy::Listing(done, total) => Some(of(text::LISTING, done, total)),
        Busy::Converting(done, total) => Some(of(text::CONVERTING, done, total)),
        Busy::Saving(done, total) => Some(of(text::SAVING, done, total)),
    }
}

fn footer(app: App) -> View {
    let running = move || !matches!(app.busy.get(), Busy::Loading(..));
    html::footer()
        .class("status")
        .attr_say("aria-label", app, text::STATUS)
        .child((
            html::div().class("stepper").child((
                step_button(app, text::PREVIOUS_FILE, "◀", -1),
                html::span().class("nowrap").child(move || {
                    let n = app.files.with(|f| f.files.len());
                    (n > 0).then(|| {
                        app.fill(
                            text::STEP_OF,
                            &[
                                &number(app.current.get().map_or(0, |c| c + 1) as u64),
                                &number(n as u64),
                            ],
                        )
                    })
                }),
                step_button(app, text::NEXT_FILE, "▶", 1),
            )),
            move || {
                activity(app).map(|said| {
                    (
                        html::span().class("activity").child((
                            html::span().class("spinner").attr("aria-hidden", "true"),
                            said,
                        )),
                        running().then(|| {
                            html::button()
                                .id("cancel")
                                .class("small-button")
                                .attr("type", "button")
                                .on(ev::click, move |_| app.cancel())
                                .say(app, text::CANCEL)
                        }),
                    )
                })
            },
            move || {
                let notice = app.notice.get();
                (!notice.is_empty()).then(|| {
                    html::span()
                        .class("notice")
                        .class(("bad", app.notice_bad.get()))
                        .child(notice)
                })
            },
            move || (app.busy.get() == Busy::No).then(|| facts(app)),
            html::span().class("grow"),
            move || {
                let works = offline(app);
                works.map(|said| html::span().class("dim offline").child(app.say(said)))
            },
            html::button()
                .class("small-button keys-button")
                .attr("type", "button")
                .attr("aria-haspopup", "dialog")
                .on(ev::click, move |_| app.dialog.set(Some(Dialog::Keys)))
                .child(move || format!("? {}", app.say(text::KEYS_HINT))),
        ))
        .into_any()
}

/// How much of the page works without a connection.
fn offline(app: App) -> Option<Text> {
    match app.offline.get() {
        (false, _) => None,
        (_, true) => Some(text::OFFLINE),
        (_, false) => Some(text::OFFLINE_BUT),
    }
}

fn step_button(app: App, label: Text, sign: &'static str, by: isize) -> View {
    html::button()
        .class("icon-button")
        .attr("type", "button")
        .attr_say("aria-label", app, label)
        .on(ev::click, move |_| app.step(by))
        .child(sign)
        .into_any()
}

/// `294 バイト · ISO-2022-JP · 4 セグメント · 3 リソース · 0.3 ms`
fn facts(app: App) -> View {
    html::span()
        .class("facts-line")
        .child(move || {
            let doc = app.doc.get();
            if doc.path.is_empty() {
                return String::new();
            }
            let m = &doc.message;
            let mut parts: Vec<String> = Vec::new();
            if !m.kind.is_empty() {
                let name = match app.lang.get() {
                    crate::settings::Lang::Ja => &m.kind_ja,
                    crate::settings::Lang::En => &m.kind_en,
                };
                parts.push(format!("{} {name}", m.kind));
            }
            if !m.message_type.is_empty() {
                parts.push(m.message_type.clone());
            }
            parts.push(app.fill(text::BYTES, &[&number(doc.raw.len() as u64)]));
            let ours = doc.content != "other";
            if ours && !m.charset.is_empty() {
                parts.push(m.charset.clone());
            }
            // Of a file of FHIR nothing is read and nothing made.
            if !doc.is_fhir() {
                if ours && m.segments > 0 {
                    parts.push(app.fill(text::SEGMENTS, &[&number(m.segments as u64)]));
                }
                parts.push(app.fill(text::RESOURCES, &[&number(doc.resources.into())]));
            }
            parts.push(millis(doc.us));
            text::join(&parts, " · ")
        })
        .into_any()
}
