//! The menu, S13 settings, S17 finish.

use super::{buttons, choice, fill, h1, h2, link, p, problem, secondary, tick, when};
use crate::model::{Event, Model, Prefs, Theme};
use crate::node::{IntoNodes as _, Node, el};
use crate::route::Route;
use crate::text;

pub(super) fn menu(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    h1(m, text::MENU).put(&mut out);
    let rows = [
        (text::KEY_THERE_LINK, Route::Key),
        (text::SETTINGS, Route::Settings),
        (text::BYE, Route::Bye),
    ]
    .map(|(label, route)| el("li").with(link(m, label, &route)));
    el("ul").class("menu").with(rows).put(&mut out);
    out
}

pub(super) fn settings(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    let prefs = m.prefs;
    h1(m, text::SETTINGS).put(&mut out);
    p(m, text::SET_NOW).put(&mut out);
    let sizes = [text::SET_SIZE_1, text::SET_SIZE_2, text::SET_SIZE_3];
    let sizes: Vec<_> = Prefs::SIZES
        .into_iter()
        .zip(sizes)
        .map(|(size, label)| (label, prefs.size == size, Event::SetSize(size)))
        .collect();
    choice(m, "size", text::SET_SIZE, &sizes).put(&mut out);
    let themes = [
        text::SET_THEME_AUTO,
        text::SET_THEME_LIGHT,
        text::SET_THEME_DARK,
        text::SET_THEME_CONTRAST,
    ];
    let themes: Vec<_> = Theme::ALL
        .into_iter()
        .zip(themes)
        .map(|(theme, label)| (label, prefs.theme == theme, Event::SetTheme(theme)))
        .collect();
    choice(m, "theme", text::SET_THEME, &themes).put(&mut out);
    h2(m, text::SET_RUBY).put(&mut out);
    tick(
        m,
        "ruby",
        text::SET_RUBY_ON,
        prefs.ruby,
        Event::SetRuby(!prefs.ruby),
    )
    .put(&mut out);
    out
}

pub(super) fn bye(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    if m.erased {
        h1(m, text::BYE_ERASED).put(&mut out);
        if let Some(by) = m.lingers {
            el("p")
                .with(fill(m, text::BYE_LINGERS, &[("when", when(m, by))]))
                .put(&mut out);
        }
        buttons(link(m, text::TO_HOME, &Route::Start).class("btn btn2")).put(&mut out);
        return out;
    }
    problem(m).put(&mut out);
    h1(m, text::BYE).put(&mut out);
    p(m, text::BYE_CLOSED_HOW).put(&mut out);
    h2(m, text::BYE_ERASE).put(&mut out);
    p(m, text::BYE_ERASE_NOTE).put(&mut out);
    buttons([
        secondary(m, text::BYE_ERASE_GO, Event::Erase).maybe("aria-busy", m.busy.then_some("true")),
        link(m, text::BYE_KEEP, &Route::Menu).class("btn btn2"),
    ])
    .put(&mut out);
    out
}
