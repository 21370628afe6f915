//! What stands around every screen: header, navigation, live regions, footer.

use super::{banner, button, fill, plain, say, when};
use crate::model::{ENDS_SOON, Event, Model, Session, Unanswered};
use crate::node::{El, IntoNodes as _, Node, el};
use crate::route::Route;
use crate::text::{self, Lang, Text};

/// Where the bar leads: text, icon, screen.
const NAV: &[(Text, &str, Route)] = &[
    (text::NAV_HOME, "home", Route::Home),
    (text::NAV_RECORDS, "records", Route::Records),
    (text::NAV_HISTORY, "history", Route::History),
    (text::NAV_CONSENTS, "consents", Route::Consents),
    (text::NAV_MENU, "menu", Route::Menu),
];

pub(super) fn frame(m: &Model, inside: Vec<Node>) -> Node {
    let wizard = m.route.is_wizard();
    let whole = el("div")
        .class(if wizard { "page wizard" } else { "page" })
        .with(
            el("a")
                .class("skip")
                .attr("href", "#main")
                .with(say(m, text::SKIP)),
        )
        .with(header(m))
        .with((!wizard).then(|| nav(m)))
        .with(
            el("main")
                .id("main")
                .attr("tabindex", "-1")
                .with(super::family::band(m))
                .with(banners(m))
                .with(inside),
        )
        .with(el("footer").with(el("p").with(super::link(m, text::HELP_DESK, &Route::Report))))
        .with(
            el("p")
                .class("status")
                .attr("role", "status")
                .with(m.said.map(|t| say(m, t)).unwrap_or_default()),
        );
    let mut out = Vec::new();
    whole.put(&mut out);
    out.pop().unwrap_or(Node::Text(String::new()))
}

fn header(m: &Model) -> El {
    let size = m.prefs.size;
    // One press: larger, and from the largest back.
    let (size_text, next) = match size {
        100 => (text::LARGER, 125),
        125 => (text::LARGER, 150),
        _ => (text::NORMAL_SIZE, 100),
    };
    let languages = [
        (Lang::Ja, text::IN_JA),
        (Lang::Easy, text::IN_EASY),
        (Lang::En, text::IN_EN),
    ]
    .map(|(lang, text)| {
        el("button")
            .attr("type", "button")
            .class("lang")
            .attr("lang", lang.tag())
            .attr(
                "aria-pressed",
                if m.prefs.lang == lang {
                    "true"
                } else {
                    "false"
                },
            )
            .with(say(m, text))
            .press(Event::SetLang(lang))
    });
    el("header")
        .with(
            el("p")
                .class("brand")
                .with(el("a").attr("href", "/").with(say(m, text::BRAND))),
        )
        .with(button(m, size_text, Event::SetSize(next)).class("lang size"))
        .with(
            el("div")
                .class("langs")
                .attr("role", "group")
                .attr("aria-label", plain(m, text::LANGUAGE))
                .with(languages),
        )
}

fn nav(m: &Model) -> El {
    let items: Vec<El> = NAV
        .iter()
        .map(|(label, icon, route)| {
            let here = *route == m.route
                || (*route == Route::Consents
                    && matches!(
                        m.route,
                        Route::Consent(_) | Route::Withdraw(_) | Route::Ended(_) | Route::Qr(_)
                    ))
                || (*route == Route::Records && m.route.is_records())
                || (*route == Route::History
                    && matches!(m.route, Route::Notice(_) | Route::Access(_)))
                || (*route == Route::Menu
                    && matches!(
                        m.route,
                        Route::Settings
                            | Route::Bye
                            | Route::Secondary(_)
                            | Route::Emergency(_)
                            | Route::Family
                            | Route::Show
                            | Route::Contacts
                            | Route::Devices
                            | Route::Report
                    ));
            el("li").with(
                el("a")
                    .attr("href", route.path())
                    .class(format!("nav-{icon}"))
                    .maybe("aria-current", here.then_some("page"))
                    .with(el("span").with(say(m, *label))),
            )
        })
        .collect();
    el("nav")
        .attr("aria-label", plain(m, text::NAV))
        .with(el("ul").with(items))
}

fn banners(m: &Model) -> Vec<El> {
    let mut all = Vec::new();
    if !m.online {
        let looks = m.history.as_ref().map(|h| h.at);
        let looks = looks.filter(|_| {
            matches!(
                m.route,
                Route::History | Route::Access(_) | Route::Notice(_)
            )
        });
        let sentence = match m.shelved.map(|at| looks.unwrap_or(at)) {
            Some(at) => fill(m, text::OFFLINE_KEPT, &[("when", when(m, at))]),
            None => fill(m, text::OFFLINE_NONE, &[("when", when(m, m.offline))]),
        };
        all.push(banner("warn", el("p").with(sentence)));
    } else if let Some((at, known)) = m.again() {
        let text = match known {
            Unanswered::Read => text::SERVER,
            Unanswered::NotDone => text::SERVER_NOT_DONE,
            Unanswered::Unsure => text::SERVER_UNSURE,
        };
        let sentence = fill(m, text, &[("when", when(m, at))]);
        all.push(banner("warn", el("p").with(sentence)).attr("role", "alert"));
    }
    if m.session == Session::Open
        && m.route.needs_session()
        && m.session_ends <= m.now.saturating_add(ENDS_SOON)
    {
        let inside = vec![
            el("p").with(fill(m, text::STAY, &[("when", when(m, m.session_ends))])),
            button(m, text::STAY_GO, Event::Stay).class("btn btn2 small"),
        ];
        all.push(banner("warn", inside).attr("role", "alert"));
    }
    if m.waiting {
        let inside = vec![
            el("p").with(say(m, text::NEW_VERSION)),
            button(m, text::RELOAD, Event::Reload).class("btn btn2 small"),
        ];
        all.push(banner("info", inside));
    }
    all
}
