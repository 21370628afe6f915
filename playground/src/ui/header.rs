//! The bar at the top: menus, what was sent, language.

use leptos::ev;
use wasm_bindgen::JsCast;

use super::{
    dom::{self as html, prelude::*},
    list::focus_id,
    state::{App, Dialog},
};
use crate::{
    kinds,
    settings::Lang,
    text::{self, Text, number},
};

pub(super) fn view(app: App) -> View {
    html::header()
        .class("bar")
        .child((
            html::h1().class("brand").child((
                html::img()
                    .attr("src", "icon.svg")
                    .attr("alt", "")
                    .attr("width", "22")
                    .attr("height", "22"),
                html::span().say(app, text::BRAND),
            )),
            html::div()
                .id("tools")
                .class("tools")
                .class(("is-open", move || app.menu_open.get()))
                .child((
                    menu(app, "menu-examples", text::EXAMPLES, example_items),
                    menu(app, "menu-open", text::OPEN, open_items),
                    button(app, text::SETTINGS, "tool-settings", Dialog::Settings),
                    button(app, text::SHARE, "tool-share", Dialog::Share),
                    menu(app, "menu-save", text::SAVE, save_items),
                )),
            html::span().class("grow"),
            html::button()
                .id("badge")
                .class("badge")
                .class(("is-bad", move || app.network.get().0 > 0))
                .attr("type", "button")
                .attr("aria-haspopup", "dialog")
                .on(ev::click, move |_| {
                    app.read_network();
                    app.probe.set(None);
                    app.dialog.set(Some(Dialog::Network));
                })
                .child((
                    html::span().child(move || {
                        app.fill(text::SENT, &[&number(app.network.get().0.into())])
                    }),
                    html::span()
                        .class("tick")
                        .attr("aria-hidden", "true")
                        .child(move || if app.network.get().0 == 0 { "✓" } else { "!" }),
                )),
            html::select()
                .id("language")
                .class("language")
                .attr_say("aria-label", app, text::LANGUAGE)
                .prop("value", move || app.lang.get().word())
                .on(ev::change, move |e| {
                    if let Some(lang) = Lang::of(&super::value_of(&e)) {
                        app.set(|s| s.lang = lang);
                    }
                })
                .child((
                    html::option()
                        .attr("value", "ja")
                        .attr("lang", "ja")
                        .child("日本語"),
                    html::option()
                        .attr("value", "en")
                        .attr("lang", "en")
                        .child("English"),
                )),
            html::button()
                .id("burger")
                .class("burger")
                .attr("type", "button")
                .attr("aria-controls", "tools")
                .attr("aria-expanded", move || {
                    if app.menu_open.get() { "true" } else { "false" }
                })
                .attr_say("aria-label", app, text::MENU)
                .on(ev::click, move |_| app.menu_open.update(|o| *o = !*o))
                .child("☰"),
            chooser(app, "pick-files", "multiple"),
            chooser(app, "pick-folder", "webkitdirectory"),
        ))
        .into_any()
}

fn open_items(app: App) -> Vec<Item> {
    vec![
        Item::new(app, text::OPEN_FILES, || press("pick-files")),
        Item::new(app, text::OPEN_FOLDER, || press("pick-folder")),
        Item::new(app, text::OPEN_PASTE, move || {
            app.dialog.set(Some(Dialog::Paste));
        }),
    ]
}

fn save_items(app: App) -> Vec<Item> {
    let mut items: Vec<Item> = [
        (text::SAVE_SHOWN, "shown"),
        (text::SAVE_ALL, "all"),
        (text::SAVE_NDJSON, "ndjson"),
        (text::SAVE_TRACE, "trace"),
        (text::FIX_SAVE, "fixed"),
    ]
    .into_iter()
    .map(|(label, what)| Item::new(app, label, move || app.save(what)))
    .collect();
    items.push(Item::heading(app, text::SAVE_REPORT));
    for (label, what) in [
        ("JSON", "json"),
        ("SARIF", "sarif"),
        ("JUnit", "junit"),
        ("Checkstyle", "checkstyle"),
        ("GitLab", "gitlab"),
        ("Markdown", "markdown"),
        ("OperationOutcome", "operation-outcome"),
    ] {
        items.push(Item {
            label: label.to_owned(),
            ..Item::new(app, text::SAVE, move || app.save(what))
        });
    }
    items
}

/// Clicks an element, as if it had been clicked.
pub(super) fn press(id: &str) {
    if let Some(el) = document()
        .get_element_by_id(id)
        .and_then(|i| i.dyn_into::<web_sys::HtmlElement>().ok())
    {
        el.click();
    }
}

/// An input that lets files be chosen; it is pressed by the menu.
fn chooser(app: App, id: &'static str, how: &'static str) -> El {
    let input = Ref::<web_sys::HtmlInputElement>::new();
    html::input()
        .id(id)
        .attr("type", "file")
        .attr(how, "")
        .attr("hidden", "")
        .node_ref(input)
        .on(ev::change, move |_| {
            let Some(input) = input.get() else { return };
            if let Some(files) = input.files()
                && files.length() > 0
            {
                app.open_files(&files);
            }
            // Choosing the same file again is a change again.
            input.set_value("");
        })
}

fn button(app: App, label: Text, id: &'static str, opens: Dialog) -> View {
    html::button()
        .id(id)
        .class("tool")
        .attr("type", "button")
        .attr("aria-haspopup", "dialog")
        .on(ev::click, move |_| {
            app.menu_open.set(false);
            app.dialog.set(Some(opens));
        })
        .say(app, label)
        .into_any()
}

/// One entry of a menu.
struct Item {
    label: String,
    code: &'static str,
    heading: bool,
    act: std::rc::Rc<dyn Ask<()>>,
}

impl Item {
    fn new(app: App, label: Text, act: impl Fn() + 'static) -> Self {
        Self {
            label: app.say(label).to_owned(),
            code: "",
            heading: false,
            act: std::rc::Rc::new(act),
        }
    }

    fn heading(app: App, label: Text) -> Self {
        Self {
            heading: true,
            ..Self::new(app, label, || ())
        }
    }
}

/// Whole storages, one entry per data kind, and the broken ones.
fn example_items(app: App) -> Vec<Item> {
    let all = app.examples.get();
    let mut items = Vec::new();
    for (folder, label) in [
        ("standard_root", text::EXAMPLE_STORAGE),
        ("extended_root", text::EXAMPLE_EXTENDED),
    ] {
        if all.iter().any(|p| p.starts_with(folder)) {
            items.push(Item::new(app, label, move || app.open_example(folder)));
        }
    }
    let (kinds, broken) = kinds::examples(&all);
    let entry = |e: kinds::Example| Item {
        label: app.say(e.label).to_owned(),
        code: e.code,
        heading: false,
        act: std::rc::Rc::new(move || app.open_example(&e.name)),
    };
    if !kinds.is_empty() {
        items.push(Item::heading(app, text::EXAMPLE_KINDS));
        items.extend(kinds.into_iter().map(entry));
    }
    if !broken.is_empty() {
        items.push(Item::heading(app, text::EXAMPLE_BROKEN));
        items.extend(broken.into_iter().map(entry));
    }
    if items.is_empty() {
        items.push(Item::new(app, text::EXAMPLE_NONE, || ()));
    }
    items
}

/// A menu button with its menu; arrows move, Escape closes.
#[inline(never)]
fn menu(app: App, id: &'static str, label: Text, items: fn(App) -> Vec<Item>) -> View {
    let open = sig(false);
    let close = move || {
        open.set(false);
        focus_id(id);
    };
    let focus_item = move |at: usize| {
        frame(move || focus_id(&format!("{id}-{at}")));
    };
    let count = move || items(app).iter().filter(|i| !i.heading).count();
    html::div()
        .class("menu-box")
        .on(ev::focusout, move |e: ev::FocusEvent| {
            let inside = e
                .related_target()
                .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
                .is_some_and(|el| {
                    el.closest(&format!("[data-menu='{id}']"))
                        .ok()
                        .flatten()
                        .is_some()
                });
            if !inside {
                open.set(false);
            }
        })
        .attr("data-menu", id)
        .child((
            html::button()
                .id(id)
                .class("tool")
                .attr("type", "button")
                .attr("aria-haspopup", "menu")
                .attr(
                    "aria-expanded",
                    move || if open.get() { "true" } else { "false" },
                )
                .on(ev::click, move |_| {
                    let now = !open.get_untracked();
                    open.set(now);
                    if now {
                        focus_item(0);
                    }
                })
                .on(ev::keydown, move |e| {
                    if e.key() == "ArrowDown" && !open.get_untracked() {
                        e.prevent_default();
                        open.set(true);
                        focus_item(0);
                    }
                })
                .child((
                    move || app.say(label),
                    html::span()
                        .class("caret")
                        .attr("aria-hidden", "true")
                        .child("▾"),
                )),
            move || {
                open.get().then(|| {
                    let mut at = 0;
                    let rows: Vec<_> = items(app)
                        .into_iter()
                        .map(|item| {
                            if item.heading {
                                return html::div()
                                    .class("menu-head")
                                    .attr("role", "presentation")
                                    .child(item.label)
                                    .into_any();
                            }
                            let me = at;
                            at += 1;
                            let act = item.act;
                            html::button()
                                .id(format!("{id}-{me}"))
                                .class("menu-item")
                                .attr("type", "button")
                                .attr("role", "menuitem")
                                .attr("tabindex", "-1")
                                .on(ev::click, move |_| {
                                    close();
                                    app.menu_open.set(false);
                                    act.ask();
                                })
                                .on(ev::keydown, move |e| {
                                    let last = count().saturating_sub(1);
                                    let to = match e.key().as_str() {
                                        "ArrowDown" => {
                                            if me == last {
                                                0
                                            } else {
                                                me + 1
                                            }
                                        }
                                        "ArrowUp" => me.checked_sub(1).unwrap_or(last),
                                        "Home" => 0,
                                        "End" => last,
                                        "Escape" => {
                                            e.prevent_default();
                                            e.stop_propagation();
                                            close();
                                            return;
                                        }
                                        "Tab" => {
                                            open.set(false);
                                            return;
                                        }
                                        _ => return,
                                    };
                                    e.prevent_default();
                                    focus_item(to);
                                })
                                .child((
                                    (!item.code.is_empty())
                                        .then(|| html::span().class("mono code").child(item.code)),
                                    item.label,
                                ))
                                .into_any()
                        })
                        .collect();
                    html::div()
                        .class(if count() > 12 { "menu is-long" } else { "menu" })
                        .attr("role", "menu")
                        .attr("aria-labelledby", id)
                        .child(rows)
                })
            },
        ))
        .into_any()
}
