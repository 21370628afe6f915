//! The dialogs: settings, share, paste, what was sent, keys.

use leptos::ev;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use super::{
    dom::{self as html, prelude::*},
    fhir::{BUNDLES, CHARSETS, IDS, OUTPUTS, PERS},
    host,
    state::{App, Dialog},
};
use crate::{
    settings::{BundleType, CharsetChoice, Ids, Output, Per, Size, Theme, digits},
    share,
    text::{self, Text, number},
};

/// The one `<dialog>`, filled with what is open. The browser keeps the focus inside.
pub(super) fn view(app: App) -> View {
    let node = Ref::<web_sys::HtmlDialogElement>::new();
    effect(move || {
        let open = app.dialog.get().is_some();
        if let Some(node) = node.get() {
            if open && !node.open() {
                let _ = node.show_modal();
            } else if !open && node.open() {
                node.close();
            }
        }
    });
    html::dialog()
        .class("dialog")
        .node_ref(node)
        .attr("aria-labelledby", "dialog-title")
        .on(ev::close, move |_| app.dialog.set(None))
        .on(ev::click, move |e| {
            // A click on the backdrop is a click on the dialog itself.
            if e.target()
                .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
                .is_some_and(|t| t.tag_name() == "DIALOG")
            {
                app.dialog.set(None);
            }
        })
        .child(move || {
            app.dialog.get().map(|open| {
                let (title, body) = match open {
                    Dialog::Settings => (text::SETTINGS, settings(app)),
                    Dialog::Share => (text::SHARE_TITLE, share_view(app)),
                    Dialog::Paste => (text::PASTE_TITLE, paste(app)),
                    Dialog::Network => (text::NETWORK_TITLE, network(app)),
                    Dialog::Keys => (text::HELP_TITLE, keys_view(app)),
                };
                html::div().class("dialog-body").child((
                    html::div().class("dialog-head").child((
                        html::h2().id("dialog-title").child(move || app.say(title)),
                        html::button()
                            .class("icon-button")
                            .attr("type", "button")
                            .attr("aria-label", move || app.say(text::CLOSE))
                            .on(ev::click, move |_| app.dialog.set(None))
                            .child("✕"),
                    )),
                    body,
                ))
            })
        })
        .into_any()
}

/// A labelled choice.
pub(super) fn select(
    app: App,
    label: Text,
    options: &'static [(&'static str, Text)],
    value: impl Fn() -> &'static str + Send + Sync + 'static,
    set: impl Fn(&str) + 'static,
) -> View {
    let value = std::sync::Arc::new(value);
    let choices: Vec<_> = options
        .iter()
        .map(|(word, name)| {
            let (word, name) = (*word, *name);
            let value = value.clone();
            html::option()
                .attr("value", word)
                .prop("selected", move || value() == word)
                .child(move || app.say(name))
        })
        .collect();
    html::label()
        .class("field")
        .child((
            html::span()
                .class("field-label")
                .child(move || app.say(label)),
            html::select()
                .on(ev::change, move |e| set(&event_target_value(&e)))
                .child(choices),
        ))
        .into_any()
}

fn check(
    app: App,
    label: Text,
    value: impl Fn() -> bool + Send + Sync + 'static,
    set: impl Fn(bool) + 'static,
) -> View {
    html::label()
        .class("check")
        .child((
            html::input()
                .attr("type", "checkbox")
                .prop("checked", value)
                .on(ev::change, move |e| set(event_target_checked(&e))),
            html::span().child(move || app.say(label)),
        ))
        .into_any()
}

const THEMES: &[(&str, Text)] = &[
    ("auto", text::CHOICE_AUTO),
    ("light", text::CHOICE_LIGHT),
    ("dark", text::CHOICE_DARK),
];
const SIZES: &[(&str, Text)] = &[
    ("small", text::CHOICE_SMALL),
    ("medium", text::CHOICE_MEDIUM),
    ("large", text::CHOICE_LARGE),
];

fn settings(app: App) -> View {
    let s = app.settings;
    (
        html::fieldset().child((
            html::legend().child(move || app.say(text::SET_CONVERSION)),
            html::div().class("fields").child((
                select(
                    app,
                    text::SET_TO,
                    OUTPUTS,
                    move || s.with(|s| s.to.word()),
                    move |w| app.set(|s| s.to = Output::of(w).unwrap_or_default()),
                ),
                select(
                    app,
                    text::SET_BUNDLE,
                    BUNDLES,
                    move || s.with(|s| s.bundle.word()),
                    move |w| {
                        app.set(|s| s.bundle = BundleType::of(w).unwrap_or_default());
                    },
                ),
                select(
                    app,
                    text::SET_PER,
                    PERS,
                    move || s.with(|s| s.per.word()),
                    move |w| app.set(|s| s.per = Per::of(w).unwrap_or_default()),
                ),
                select(
                    app,
                    text::SET_IDS,
                    IDS,
                    move || s.with(|s| s.ids.word()),
                    move |w| app.set(|s| s.ids = Ids::of(w).unwrap_or_default()),
                ),
                select(
                    app,
                    text::SET_CHARSET,
                    CHARSETS,
                    move || s.with(|s| s.charset.word()),
                    move |w| {
                        app.set(|s| s.charset = CharsetChoice::of(w).unwrap_or_default());
                    },
                ),
                html::label().class("field").child((
                    html::span()
                        .class("field-label")
                        .child(move || app.say(text::SET_INSTITUTION)),
                    html::input()
                        .attr("type", "text")
                        .attr("inputmode", "numeric")
                        .attr("maxlength", "10")
                        .attr("autocomplete", "off")
                        .class("mono")
                        .prop("value", move || s.with(|s| s.institution.clone()))
                        .on(ev::change, move |e| {
                            app.set(|s| s.institution = digits(&event_target_value(&e)))
                        }),
                )),
            )),
            check(
                app,
                text::SET_STRICT,
                move || s.with(|s| s.strict),
                move |on| app.set(|s| s.strict = on),
            ),
        )),
        html::fieldset().child((
            html::legend().child(move || app.say(text::SET_LOOK)),
            html::div().class("fields").child((
                select(
                    app,
                    text::SET_THEME,
                    THEMES,
                    move || s.with(|s| s.theme.word()),
                    move |w| app.set(|s| s.theme = Theme::of(w).unwrap_or_default()),
                ),
                select(
                    app,
                    text::SET_SIZE,
                    SIZES,
                    move || s.with(|s| s.size.word()),
                    move |w| app.set(|s| s.size = Size::of(w).unwrap_or_default()),
                ),
            )),
            check(
                app,
                text::SET_LETTERS,
                move || s.with(|s| s.letters),
                move |on| app.set(|s| s.letters = on),
            ),
        )),
        html::p()
            .class("dim small")
            .child(move || app.say(text::SET_KEPT)),
    )
        .into_any()
}

fn paste(app: App) -> View {
    let area = Ref::<web_sys::HtmlTextAreaElement>::new();
    // What was pasted last, or else the file shown: that is how a file is edited.
    let initial = {
        let pasted = app.pasted.get_untracked();
        let doc = app.doc.get_untracked();
        if doc.path == "pasted.hl7" || doc.path.is_empty() {
            pasted
        } else {
            doc.message.text.replace("\r\n", "\n").replace('\r', "\n")
        }
    };
    (
        html::label()
            .attr("for", "paste-text")
            .class("field-label")
            .child(move || app.say(text::PASTE_LABEL)),
        html::textarea()
            .id("paste-text")
            .class("mono")
            .node_ref(area)
            .attr("rows", "14")
            .attr("spellcheck", "false")
            .attr("autocomplete", "off")
            .attr("placeholder", "MSH|^~\\&|…")
            .prop("value", initial),
        html::p()
            .class("dim small")
            .child(move || app.say(text::PASTE_NOTE)),
        html::div().class("actions").child(
            html::button()
                .class("primary")
                .id("paste-run")
                .attr("type", "button")
                .on(ev::click, move |_| {
                    let text = area.get().map(|a| a.value()).unwrap_or_default();
                    if !text.trim().is_empty() {
                        app.dialog.set(None);
                        app.open_text(&text);
                    }
                })
                .child(move || app.say(text::PASTE_RUN)),
        ),
    )
        .into_any()
}

fn share_view(app: App) -> View {
    let own = RwSignal::new(false);
    let sworn = RwSignal::new(false);
    let link = RwSignal::new(None::<Result<String, ()>>);
    let copied = RwSignal::new(false);
    effect(move || {
        let with_content = own.get();
        copied.set(false);
        if with_content && !sworn.get() {
            link.set(None);
            return;
        }
        let json = app.shared(with_content).to_json();
        leptos::task::spawn_local(async move {
            let deflated =
                JsFuture::from(host::deflate(js_sys::Uint8Array::from(json.as_bytes()))).await;
            let made = deflated
                .ok()
                .and_then(|v| v.dyn_into::<js_sys::Uint8Array>().ok())
                .and_then(|a| share::fragment(&a.to_vec()));
            let base = window().location().href().unwrap_or_default();
            let base = base.split('#').next().unwrap_or_default().to_owned();
            link.set(Some(made.map(|f| format!("{base}#{f}")).ok_or(())));
        });
    });
    let has_doc = move || app.doc.with(|d| !d.raw.is_empty());
    (
        html::p().child(move || app.say(text::SHARE_DEFAULT)),
        move || {
            has_doc().then(|| {
                check(
                    app,
                    text::SHARE_OWN,
                    move || own.get(),
                    move |on| {
                        own.set(on);
                        sworn.set(false);
                    },
                )
            })
        },
        move || {
            own.get().then(|| {
                html::div().class("warning").attr("role", "group").child((
                    html::p().child(move || app.say(text::SHARE_WARNING)),
                    check(
                        app,
                        text::SHARE_BOX,
                        move || sworn.get(),
                        move |on| sworn.set(on),
                    ),
                ))
            })
        },
        move || match link.get() {
            Some(Ok(address)) => {
                let to_copy = address.clone();
                (
                    html::label().class("field wide").child((
                        html::span()
                            .class("field-label")
                            .child(move || app.say(text::SHARE_LINK)),
                        html::input()
                            .id("share-link")
                            .class("mono")
                            .attr("type", "text")
                            .attr("readonly", "")
                            .prop("value", address),
                    )),
                    html::div().class("actions").child((
                        html::span()
                            .class("ok")
                            .attr("role", "status")
                            .child(move || {
                                if copied.get() {
                                    app.say(text::SHARE_COPIED)
                                } else {
                                    ""
                                }
                            }),
                        html::button()
                            .class("primary")
                            .id("share-copy")
                            .attr("type", "button")
                            .on(ev::click, move |_| {
                                let promise = host::copy(&to_copy);
                                leptos::task::spawn_local(async move {
                                    let done = JsFuture::from(promise)
                                        .await
                                        .ok()
                                        .and_then(|v| v.as_bool());
                                    copied.set(done == Some(true));
                                });
                            })
                            .child(move || app.say(text::SHARE_COPY)),
                    )),
                )
                    .into_any()
            }
            Some(Err(())) => html::p()
                .class("bad")
                .attr("role", "alert")
                .child(move || app.say(text::SHARE_TOO_LARGE))
                .into_any(),
            None => html::p()
                .class("dim")
                .child(move || {
                    if own.get() {
                        app.say(text::SHARE_TICK)
                    } else {
                        ""
                    }
                })
                .into_any(),
        },
    )
        .into_any()
}

fn network(app: App) -> View {
    let line = move |label: Text, value: Signal<String>| {
        (
            html::dt().child(move || app.say(label)),
            html::dd().class("mono").child(move || value.get()),
        )
    };
    (
        html::p()
            .class("strong")
            .child(move || app.say(text::NETWORK_STATEMENT)),
        html::dl().class("facts").child((
            line(
                text::NETWORK_SENT,
                Signal::derive(move || {
                    app.fill(text::BYTES, &[&number(app.network.get().0.into())])
                }),
            ),
            line(
                text::NETWORK_REQUESTS,
                Signal::derive(move || {
                    app.fill(text::TIMES, &[&number(app.network.get().1.into())])
                }),
            ),
            line(
                text::NETWORK_VIOLATIONS,
                Signal::derive(move || {
                    app.fill(text::TIMES, &[&number(app.network.get().2.into())])
                }),
            ),
        )),
        html::div().class("actions start").child((
            html::button()
                .class("secondary")
                .id("try-sending")
                .attr("type", "button")
                .on(ev::click, move |_| app.try_sending())
                .child(move || app.say(text::NETWORK_TRY)),
            html::span()
                .id("probe-result")
                .attr("role", "status")
                .child(move || {
                    app.probe.get().map(|(sent, directive)| {
                        if sent {
                            html::span()
                                .class("bad")
                                .child(app.say(text::NETWORK_OPEN))
                                .into_any()
                        } else {
                            let directive = if directive.is_empty() {
                                "connect-src".to_owned()
                            } else {
                                directive
                            };
                            html::span()
                                .class("ok")
                                .child(app.fill(text::NETWORK_REFUSED, &[&directive]))
                                .into_any()
                        }
                    })
                }),
        )),
        move || {
            app.offline.get().then(|| {
                html::p()
                    .class("dim small")
                    .child(move || app.say(text::OFFLINE))
            })
        },
    )
        .into_any()
}

const KEYS: &[(&str, Text)] = &[
    ("F6", text::KEY_F6),
    ("↑ ↓ ← →", text::KEY_ARROWS),
    ("Enter", text::KEY_ENTER),
    ("n  p", text::KEY_FINDING),
    ("[  ]", text::KEY_FILE),
    ("/", text::KEY_SEARCH),
    ("Ctrl+O", text::KEY_OPEN),
    ("Ctrl+S", text::KEY_SAVE),
    ("Esc", text::KEY_ESCAPE),
    ("?", text::KEY_HELP),
];

fn keys_view(app: App) -> View {
    let rows: Vec<_> = KEYS
        .iter()
        .map(|(key, what)| {
            let what = *what;
            (
                html::dt().child(html::kbd().child(*key)),
                html::dd().child(move || app.say(what)),
            )
        })
        .collect();
    (
        html::dl().class("keys").child(rows),
        check(
            app,
            text::SET_LETTERS,
            move || app.settings.with(|s| s.letters),
            move |on| app.set(|s| s.letters = on),
        ),
    )
        .into_any()
}
