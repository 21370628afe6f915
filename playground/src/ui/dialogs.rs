//! The dialogs: settings, share, paste, what was sent, keys.

use leptos::ev;
use wasm_bindgen::JsCast;

use super::{
    dom::{self as html, prelude::*},
    fhir::{BUNDLES, CHARSETS, IDS, OUTPUTS, PERS},
    host,
    state::{App, Dialog, Package},
};
use crate::{
    settings::{BundleType, CharsetChoice, Ids, Output, Per, Settings, Size, Theme, digits},
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
                    Dialog::Rule => (text::RULE_TITLE, rule(app)),
                    Dialog::Fix => (text::FIX_TITLE, fixes(app)),
                };
                html::div().class("dialog-body").child((
                    html::div().class("dialog-head").child((
                        html::h2().id("dialog-title").say(app, title),
                        html::button()
                            .class("icon-button")
                            .attr("type", "button")
                            .attr_say("aria-label", app, text::CLOSE)
                            .on(ev::click, move |_| app.dialog.set(None))
                            .child("✕"),
                    )),
                    body,
                ))
            })
        })
        .into_any()
}

/// A labelled choice among some settings.
#[inline(never)]
pub(super) fn select(
    app: App,
    label: Text,
    options: &'static [(&'static str, Text)],
    of: Sig<Settings>,
    value: fn(&Settings) -> &'static str,
    set: Box<dyn Fn(&str)>,
) -> View {
    let mut choices = html::select().on(ev::change, move |e| set(&super::value_of(&e)));
    for (word, name) in options {
        choices = choices.child(
            html::option()
                .attr("value", *word)
                .prop("selected", move || of.with(value) == *word)
                .say(app, *name),
        );
    }
    html::label()
        .class("field")
        .child(html::span().class("field-label").say(app, label))
        .child(choices)
        .into_any()
}

#[inline(never)]
fn check(app: App, label: Text, value: Box<dyn Ask<bool>>, set: Box<dyn Tell<bool>>) -> View {
    html::label()
        .class("check")
        .child(
            html::input()
                .attr("type", "checkbox")
                .prop("checked", move || value.ask())
                .on(ev::change, move |e| set.tell(super::checked(&e))),
        )
        .child(html::span().say(app, label))
        .into_any()
}

/// A choice among the settings in force.
pub(super) fn choose(
    app: App,
    label: Text,
    options: &'static [(&'static str, Text)],
    value: fn(&Settings) -> &'static str,
    set: fn(&mut Settings, &str),
) -> View {
    select(
        app,
        label,
        options,
        app.settings,
        value,
        Box::new(move |word| app.set(|s| set(s, word))),
    )
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

fn letters(app: App) -> View {
    check(
        app,
        text::SET_LETTERS,
        Box::new(move || app.settings.with(|s| s.letters)),
        Box::new(move |on| app.set(|s| s.letters = on)),
    )
}

fn group(app: App, title: Text) -> El {
    html::fieldset().child(html::legend().say(app, title))
}

fn settings(app: App) -> View {
    let institution = html::label()
        .class("field")
        .child(
            html::span()
                .class("field-label")
                .say(app, text::SET_INSTITUTION),
        )
        .child(
            html::input()
                .attr("type", "text")
                .attr("inputmode", "numeric")
                .attr("maxlength", "10")
                .attr("autocomplete", "off")
                .class("mono")
                .prop("value", move || {
                    app.settings.with(|s| s.institution.clone())
                })
                .on(ev::change, move |e| {
                    app.set(|s| s.institution = digits(&super::value_of(&e)));
                }),
        );
    let conversion = html::div()
        .class("fields")
        .child(choose(
            app,
            text::SET_TO,
            OUTPUTS,
            |s| s.to.word(),
            |s, w| s.to = Output::of(w).unwrap_or_default(),
        ))
        .child(choose(
            app,
            text::SET_BUNDLE,
            BUNDLES,
            |s| s.bundle.word(),
            |s, w| s.bundle = BundleType::of(w).unwrap_or_default(),
        ))
        .child(choose(
            app,
            text::SET_PER,
            PERS,
            |s| s.per.word(),
            |s, w| s.per = Per::of(w).unwrap_or_default(),
        ))
        .child(choose(
            app,
            text::SET_IDS,
            IDS,
            |s| s.ids.word(),
            |s, w| s.ids = Ids::of(w).unwrap_or_default(),
        ))
        .child(choose(
            app,
            text::SET_CHARSET,
            CHARSETS,
            |s| s.charset.word(),
            |s, w| s.charset = CharsetChoice::of(w).unwrap_or_default(),
        ))
        .child(institution);
    let look = html::div()
        .class("fields")
        .child(choose(
            app,
            text::SET_THEME,
            THEMES,
            |s| s.theme.word(),
            |s, w| s.theme = Theme::of(w).unwrap_or_default(),
        ))
        .child(choose(
            app,
            text::SET_SIZE,
            SIZES,
            |s| s.size.word(),
            |s, w| s.size = Size::of(w).unwrap_or_default(),
        ));
    let strict = check(
        app,
        text::SET_STRICT,
        Box::new(move || app.settings.with(|s| s.strict)),
        Box::new(move |on| app.set(|s| s.strict = on)),
    );
    (
        group(app, text::SET_CONVERSION)
            .child(conversion)
            .child(strict),
        packages(app),
        group(app, text::SET_LOOK).child(look).child(letters(app)),
        html::p().class("dim small").say(app, text::SET_KEPT),
    )
        .into_any()
}

/// The packages of FHIR, with a field for more.
fn packages(app: App) -> View {
    let input = Ref::<web_sys::HtmlInputElement>::new();
    let row = move |p: Package| {
        let name = p.label.clone();
        html::li()
            .class("package")
            .child(html::span().class("mono grow clip").child(p.label.clone()))
            .child((!p.missing.is_empty()).then(|| {
                html::span()
                    .class("dim small")
                    .child(app.fill(text::PACKAGE_MISSING, &[&p.missing]))
            }))
            .child(
                html::button()
                    .class("small-button")
                    .attr("type", "button")
                    .attr("aria-label", app.fill(text::PACKAGE_REMOVE_ONE, &[&name]))
                    .on(ev::click, move |_| app.remove_package(&p.label))
                    .say(app, text::PACKAGE_REMOVE),
            )
    };
    let all = move || {
        let all = app.packages.with(Clone::clone);
        (!all.is_empty()).then(|| {
            html::ul()
                .class("packages")
                .child(all.into_iter().map(row).collect::<Vec<_>>())
        })
    };
    group(app, text::SET_PACKAGES)
        .child(html::p().class("dim small").say(app, text::PACKAGES_NOTE))
        .child(all)
        .child(
            html::label()
                .class("field")
                .child(
                    html::span()
                        .class("field-label")
                        .say(app, text::PACKAGE_ADD),
                )
                .child(
                    html::input()
                        .id("pick-packages")
                        .attr("type", "file")
                        .attr("multiple", "")
                        .attr("accept", ".tgz,.wfp")
                        .node_ref(input)
                        .on(ev::change, move |_| {
                            let Some(input) = input.get() else { return };
                            if let Some(files) = input.files()
                                && files.length() > 0
                            {
                                app.add_packages(&files);
                            }
                            input.set_value("");
                        }),
                ),
        )
        .into_any()
}

fn paste(app: App) -> View {
    let area = Ref::<web_sys::HtmlTextAreaElement>::new();
    // What was pasted last, or else the file shown: that is how a file is edited.
    let initial = {
        let pasted = app.pasted.get_untracked();
        let doc = app.doc.get_untracked();
        if app.from_paste.get_untracked() || doc.path.is_empty() {
            pasted
        } else {
            text::line_ends(&doc.message.text, '\n')
        }
    };
    (
        html::label()
            .attr("for", "paste-text")
            .class("field-label")
            .say(app, text::PASTE_LABEL),
        html::textarea()
            .id("paste-text")
            .class("mono")
            .node_ref(area)
            .attr("rows", "14")
            .attr("spellcheck", "false")
            .attr("autocomplete", "off")
            .attr("placeholder", "MSH|^~\\&|…")
            .prop("value", initial),
        html::p().class("dim small").say(app, text::PASTE_NOTE),
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
                .say(app, text::PASTE_RUN),
        ),
    )
        .into_any()
}

fn share_view(app: App) -> View {
    let own = sig(false);
    let sworn = sig(false);
    let link = sig(None::<Result<String, ()>>);
    let copied = sig(false);
    effect(move || {
        let with_content = own.get();
        copied.set(false);
        if with_content && !sworn.get() {
            link.set(None);
            return;
        }
        let json = app.shared(with_content).to_json();
        host::ask(
            |id| host::deflate(id, js_sys::Uint8Array::from(json.as_bytes())),
            move |deflated| {
                let made = deflated.and_then(|d| share::fragment(&d));
                let base = window().location().href().unwrap_or_default();
                let base = base.split('#').next().unwrap_or_default().to_owned();
                link.set(Some(made.map(|f| format!("{base}#{f}")).ok_or(())));
            },
        );
    });
    let has_doc = move || app.doc.with(|d| !d.raw.is_empty());
    (
        move || (!own.get()).then(|| html::p().say(app, text::SHARE_DEFAULT)),
        move || {
            has_doc().then(|| {
                check(
                    app,
                    text::SHARE_OWN,
                    Box::new(move || own.get()),
                    Box::new(move |on| {
                        own.set(on);
                        sworn.set(false);
                    }),
                )
            })
        },
        move || {
            own.get().then(|| {
                html::div().class("warning").attr("role", "group").child((
                    html::p().say(app, text::SHARE_WARNING),
                    check(
                        app,
                        text::SHARE_BOX,
                        Box::new(move || sworn.get()),
                        Box::new(move |on| sworn.set(on)),
                    ),
                ))
            })
        },
        move || match link.get() {
            Some(Ok(address)) => {
                let to_copy = address.clone();
                (
                    html::label().class("field wide").child((
                        html::span().class("field-label").say(app, text::SHARE_LINK),
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
                                host::ask(
                                    |id| host::copy(id, &to_copy),
                                    move |done| copied.set(done.is_some()),
                                );
                            })
                            .say(app, text::SHARE_COPY),
                    )),
                )
                    .into_any()
            }
            Some(Err(())) => html::p()
                .class("bad")
                .attr("role", "alert")
                .say(app, text::SHARE_TOO_LARGE)
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
    let line = move |label: Text, value: Calc<String>| {
        (
            html::dt().say(app, label),
            html::dd().class("mono").child(move || value.get()),
        )
    };
    (
        html::p().class("strong").say(app, text::NETWORK_STATEMENT),
        html::dl().class("facts").child((
            line(
                text::NETWORK_SENT,
                Calc::new(move || app.fill(text::BYTES, &[&number(app.network.get().0.into())])),
            ),
            line(
                text::NETWORK_REQUESTS,
                Calc::new(move || app.fill(text::TIMES, &[&number(app.network.get().1.into())])),
            ),
            line(
                text::NETWORK_VIOLATIONS,
                Calc::new(move || app.fill(text::TIMES, &[&number(app.network.get().2.into())])),
            ),
        )),
        html::div().class("actions start").child((
            html::button()
                .class("secondary")
                .id("try-sending")
                .attr("type", "button")
                .on(ev::click, move |_| app.try_sending())
                .say(app, text::NETWORK_TRY),
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
            let works = super::offline(app);
            works.map(|said| html::p().class("dim small").say(app, said))
        },
    )
        .into_any()
}

/// The page of a rule: its first line is the heading, the others are paragraphs.
fn rule(app: App) -> View {
    app.rule
        .get_untracked()
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            html::p()
                .class(("strong", line.starts_with('#')))
                .child(line.trim_start_matches(['#', ' ']).replace("**", ""))
        })
        .collect::<Vec<_>>()
        .into_any()
}

/// What fixes change, line by line as the command line's `--diff`, and the way to have them.
fn fixes(app: App) -> View {
    let diff = app.fixes.get_untracked();
    if diff.is_empty() {
        return html::p().say(app, text::FIX_NONE).into_any();
    }
    let lines: Vec<_> = diff
        .lines()
        .skip(2)
        .map(|line| {
            html::div()
                .class("diff-line")
                .class(("is-added", line.starts_with('+')))
                .class(("is-removed", line.starts_with('-')))
                .class(("dim", line.starts_with('@')))
                .child(line)
        })
        .collect();
    (
        html::p().say(app, text::FIX_NOTE),
        html::div()
            .class("diff mono")
            .attr("tabindex", "0")
            .attr("role", "group")
            .attr_say("aria-label", app, text::FIX_TITLE)
            .child(lines),
        html::div().class("actions").child(
            html::button()
                .class("primary")
                .id("fix-save")
                .attr("type", "button")
                .on(ev::click, move |_| app.save("fixed"))
                .say(app, text::FIX_SAVE),
        ),
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
                html::dd().say(app, what),
            )
        })
        .collect();
    (html::dl().class("keys").child(rows), letters(app)).into_any()
}
