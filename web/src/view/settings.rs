//! The menu, S13 settings, S16 a problem, S17 finish.

use super::{
    AREA, Field, banner, buttons, choice, data, field, fill, h1, h2, link, p, primary, problem,
    secondary, summary, tick, when,
};
use crate::model::{Event, Model, Outcome, Prefs, Session, Theme};
use crate::node::{IntoNodes as _, Node, el};
use crate::report::KINDS;
use crate::route::Route;
use crate::text::{self, Lang, Text};
use crate::wish::WishStep;

pub(super) fn menu(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    h1(m, text::MENU).put(&mut out);
    let rows = [
        (text::PREF_LINK, Route::Emergency(WishStep::Start)),
        (text::CONTACTS, Route::Contacts),
        (text::SECONDARY, Route::Secondary(WishStep::Start)),
        (text::QRS, Route::Show),
        (text::FAMILY, Route::Family),
        (text::DEVICES, Route::Devices),
        (text::KEY_THERE_LINK, Route::Key),
        (text::SETTINGS, Route::Settings),
        (text::REPORT, Route::Report),
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
    let languages = [text::IN_JA, text::IN_EASY, text::IN_EN];
    let languages: Vec<_> = Lang::ALL
        .into_iter()
        .zip(languages)
        .map(|(lang, label)| (label, prefs.lang == lang, Event::SetLang(lang)))
        .collect();
    choice(m, "lang", text::LANGUAGE, &languages).put(&mut out);
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
    h2(m, text::SET_RUBY).class("legend").put(&mut out);
    tick(
        m,
        "ruby",
        text::SET_RUBY_ON,
        prefs.ruby,
        Event::SetRuby(!prefs.ruby),
    )
    .put(&mut out);
    h2(m, text::SET_RECORDS).class("legend").put(&mut out);
    p(m, text::SET_RECORDS_NOTE).put(&mut out);
    tick(
        m,
        "records",
        text::SET_RECORDS_ON,
        prefs.records,
        Event::SetRecords(!prefs.records),
    )
    .put(&mut out);
    out
}

/// A telephone number in the desk's address: digits and what stands between them.
fn telephone(contact: &str) -> Option<String> {
    let between = |c: char| !(c.is_ascii_digit() || matches!(c, '-' | '(' | ')' | ' '));
    let mut all = contact.split(between).map(str::trim);
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    all.find(|text| (9..=11).contains(&digits(text)) && text.starts_with(['0', '(']))
        .map(str::to_owned)
}

const REPORT_TEXT: Field = Field {
    id: "report-text",
    label: text::REPORT_TEXT,
    hint: text::REPORT_TEXT_HINT,
    kind: AREA,
    complete: "off",
    mode: "text",
};

const REPORT_CONTACT: Field = Field {
    id: "report-contact",
    label: text::REPORT_CONTACT,
    hint: text::REPORT_CONTACT_HINT,
    kind: "text",
    complete: "off",
    mode: "text",
};

/// Names of [`KINDS`].
const KIND_NAMES: [Text; 4] = [
    text::REPORT_ACCESS,
    text::REPORT_RECORD,
    text::REPORT_SCREEN,
    text::REPORT_OTHER,
];

pub(super) fn report(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    summary(m).put(&mut out);
    problem(m).put(&mut out);
    h1(m, text::REPORT).put(&mut out);
    if let Outcome::Reported(at) = m.outcome {
        let sentence = fill(m, text::REPORT_SENT, &[("when", when(m, at))]);
        banner("ok", el("p").with(sentence))
            .attr("role", "status")
            .attr("tabindex", "-1")
            .put(&mut out);
    }
    p(m, text::REPORT_HOW).put(&mut out);
    p(m, text::REPORT_SAFE).put(&mut out);
    let kinds: Vec<_> = KINDS
        .into_iter()
        .zip(KIND_NAMES)
        .map(|(kind, label)| (label, m.report.kind == kind, Event::ReportKind(kind)))
        .collect();
    choice(m, "report-kind", text::REPORT_KIND, &kinds)
        .id("report-kind")
        .attr("tabindex", "-1")
        .put(&mut out);
    field(m, &REPORT_TEXT, &m.report.text, Event::ReportText).put(&mut out);
    field(m, &REPORT_CONTACT, &m.report.contact, Event::ReportContact).put(&mut out);
    if m.session == Session::Open {
        tick(
            m,
            "report-mine",
            text::REPORT_MINE,
            m.report.mine,
            Event::ReportMine(!m.report.mine),
        )
        .put(&mut out);
    }
    if m.online {
        buttons(
            primary(m, text::REPORT_SEND, Event::ReportSend)
                .maybe("aria-busy", m.busy.then_some("true")),
        )
        .put(&mut out);
    } else {
        banner("warn", p(m, text::REPORT_OFFLINE)).put(&mut out);
    }
    if let Some(books) = &m.books {
        h2(m, text::REPORT_TALK).put(&mut out);
        let slot = ("contact", data(&books.master.contact));
        let sentence = fill(m, text::REPORT_DESK, &[slot]);
        let mut told = vec![el("p").class("strong").with(sentence)];
        told.push(match telephone(&books.master.contact) {
            Some(number) => {
                let to: String = number.chars().filter(char::is_ascii_digit).collect();
                let way = el("a").attr("href", format!("tel:{to}"));
                el("p").with(way.with(fill(m, text::REPORT_CALL, &[("number", data(&number))])))
            }
            None => p(m, text::REPORT_NO_CALL),
        });
        banner("info", told).put(&mut out);
    }
    let rows = [
        (text::DEVICES, Route::Devices),
        (text::HISTORY, Route::History),
    ]
    .map(|(label, route)| el("li").with(link(m, label, &route)));
    el("ul").class("menu").with(rows).put(&mut out);
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
    if m.erasing {
        h1(m, text::BYE_SURE).put(&mut out);
        p(m, text::BYE_ERASE_NOTE).put(&mut out);
        buttons([
            secondary(m, text::BYE_SURE_GO, Event::Erase)
                .maybe("aria-busy", m.busy.then_some("true")),
            link(m, text::BYE_KEEP, &Route::Menu).class("btn btn2"),
        ])
        .put(&mut out);
        return out;
    }
    h1(m, text::BYE).put(&mut out);
    p(m, text::BYE_CLOSED_HOW).put(&mut out);
    h2(m, text::BYE_ERASE).put(&mut out);
    p(m, text::BYE_ERASE_NOTE).put(&mut out);
    buttons([
        secondary(m, text::BYE_ERASE_GO, Event::AskErase),
        link(m, text::BYE_KEEP, &Route::Menu).class("btn btn2"),
    ])
    .put(&mut out);
    out
}
