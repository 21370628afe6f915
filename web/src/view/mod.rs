//! Screens: pure functions of the model.

mod consents;
mod contacts;
mod devices;
mod enrol;
mod family;
mod frame;
mod history;
mod home;
mod key;
mod records;
mod settings;
mod start;
pub mod symbols;
mod wishes;
mod wizard;

use crate::model::{Event, Lack, Model, Session};
use crate::node::{El, IntoNodes, Node, On, el};
use crate::record::{Record, Said, UNSORTED};
use crate::route::Route;
use crate::ruby;
use crate::seal::Secret;
use crate::text::{self, Lang, Text};
use crate::time;

/// The whole page.
pub fn page(m: &Model) -> Node {
    let open = m.session == Session::Open || m.shows_kept();
    if m.route.needs_session() && (!open || m.books.is_none()) {
        return frame::frame(m, home::prove(m));
    }
    let inside = match &m.route {
        Route::Start => start::start(m),
        Route::Key => key::key(m),
        Route::Enrol => enrol::enrol(m),
        Route::Home => home::home(m),
        Route::Records => records::records(m),
        Route::Category(code) => records::of_category(m, code),
        Route::Item(id) => records::one(m, id),
        Route::History => history::history(m),
        Route::Access(n) => history::access(m, *n),
        Route::Wizard(req, step) => wizard::wizard(m, req, *step),
        Route::Consents => consents::all(m),
        Route::Consent(jti) => consents::one(m, jti),
        Route::Withdraw(jti) => consents::withdraw(m, jti),
        Route::Ended(jti) => consents::ended(m, jti),
        Route::Qr(jti) => consents::qr(m, jti),
        Route::Show => consents::show(m),
        Route::Secondary(step) => wishes::secondary_use(m, *step),
        Route::Emergency(step) => wishes::emergency(m, *step),
        Route::Family => family::family(m),
        Route::Devices => devices::devices(m),
        Route::Notice(n) => history::notice(m, *n),
        Route::Contacts => contacts::contacts(m),
        Route::Report => settings::report(m),
        Route::Menu => settings::menu(m),
        Route::Settings => settings::settings(m),
        Route::Bye => settings::bye(m),
        Route::Unknown => start::unknown(m),
    };
    frame::frame(m, inside)
}

/// Title of the window with this page: `{h1}｜割符`.
pub fn title(m: &Model, page: &Node) -> String {
    let h1 = page.all().into_iter().find(|e| e.tag == "h1").cloned();
    let h1 = h1.map(|h| Node::El(Box::new(h)).text()).unwrap_or_default();
    text::TITLE.of(m.prefs.lang).replace("{page}", &h1)
}

// ── words ───────────────────────────────────────────────────────────────────────────────────────

/// Japanese text with readings over its kanji, where they are wanted.
fn words(m: &Model, text: &str) -> Vec<Node> {
    if m.prefs.lang != Lang::Easy || !m.prefs.ruby {
        return vec![Node::Text(text.to_owned())];
    }
    let mut out = Vec::new();
    for (piece, reading) in ruby::split(text) {
        match reading {
            None => piece.put(&mut out),
            Some(reading) => el("ruby")
                .with(piece)
                .with(el("rt").attr("aria-hidden", "true").with(reading))
                .put(&mut out),
        }
    }
    out
}

/// A text of the table.
fn say(m: &Model, text: Text) -> Vec<Node> {
    words(m, text.of(m.prefs.lang))
}

/// A text of the table whose slots are filled, in any order.
fn fill(m: &Model, text: Text, slots: &[(&str, Node)]) -> Vec<Node> {
    let mut out = Vec::new();
    let mut rest = text.of(m.prefs.lang);
    while let Some((before, after)) = rest.split_once('{') {
        out.extend(words(m, before));
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        if let Some((_, node)) = slots.iter().find(|(slot, _)| *slot == name) {
            out.push(node.clone());
        }
        rest = after;
    }
    out.extend(words(m, rest));
    out
}

/// The same for attributes: plain text.
fn plain(m: &Model, text: Text) -> String {
    text.of(m.prefs.lang).to_owned()
}

fn number(n: usize) -> Node {
    Node::Text(time::count(n))
}

/// `When`: an instant, always absolute.
fn when(m: &Model, at: u64) -> Node {
    Node::El(Box::new(
        el("time")
            .attr("datetime", time::machine(at))
            .with(time::instant(at, m.prefs.lang)),
    ))
}

/// Text that comes from elsewhere (names of institutions); no readings are known for it.
fn data(text: &str) -> Node {
    Node::Text(text.to_owned())
}

/// Official name of an institution, from the master; never a code (ux-portal §5).
fn institution(m: &Model, code: &str) -> Node {
    if code == crate::wish::ANYWHERE {
        return data(text::ANYWHERE.of(m.prefs.lang));
    }
    let name = m
        .books
        .as_ref()
        .and_then(|b| b.master.name(code, m.prefs.lang.signed()));
    data(name.unwrap_or("—"))
}

/// What kind of institution that is, by its number: the third digit of a medical one's tells medicine, dentistry
/// and pharmacy apart.
fn kind_of(code: &str) -> Option<Text> {
    let (class, number) = code.split_once(':')?;
    Some(match (class, number.as_bytes().get(2)) {
        ("mi", Some(b'1')) => text::KIND_MEDICAL,
        ("mi", Some(b'3')) => text::KIND_DENTAL,
        ("mi", Some(b'4')) => text::KIND_PHARMACY,
        ("kg", _) => text::KIND_CARE,
        ("rs", _) => text::KIND_STUDY,
        _ => return None,
    })
}

fn institutions(m: &Model, codes: &[String]) -> Node {
    let names: Vec<String> = codes.iter().map(|c| institution(m, c).text()).collect();
    data(&names.join(between(m)))
}

/// Purposes that have plainer words than their official name, which stands in what is signed.
const PLAIN: &[(&str, Text)] = &[("TREAT", text::PURPOSE_TREAT)];

/// Names of purposes.
fn purposes(m: &Model, codes: &[String]) -> Node {
    let lang = m.prefs.lang;
    let names = codes.iter().filter_map(|c| {
        if let Some((_, words)) = PLAIN.iter().find(|(code, _)| code == c) {
            return Some(words.of(lang));
        }
        let policy = &m.books.as_ref()?.policy;
        Some(
            policy
                .purpose_named(policy.purpose(c)?)?
                .name(lang.signed()),
        )
    });
    let names: Vec<&str> = names.collect();
    data(&names.join(between(m)))
}

/// Name of a category.
fn category(m: &Model, code: &str) -> Node {
    let lang = m.prefs.lang.signed();
    let books = m.books.as_ref();
    let found = books.and_then(|b| b.policy.categories().iter().find(|c| c.code == code));
    data(found.map_or("—", |c| c.name(lang)))
}

/// The same, or that it is not known.
fn kind_name(m: &Model, code: &str) -> Node {
    if code == UNSORTED {
        data(&plain(m, text::RECORDS_UNSORTED))
    } else {
        category(m, code)
    }
}

/// Names of categories, one after another.
fn categories(m: &Model, codes: &[String]) -> Node {
    let names: Vec<String> = codes.iter().map(|c| category(m, c).text()).collect();
    data(&names.join(between(m)))
}

/// What stands between names.
fn between(m: &Model) -> &'static str {
    if m.prefs.lang == Lang::En {
        ", "
    } else {
        "、"
    }
}

/// Why something was not taken.
fn problem(m: &Model) -> Option<El> {
    let problem = m.problem.as_ref()?;
    let slots = [("code", data(&problem.code)), ("when", when(m, problem.at))];
    let sentence = fill(m, problem.text, &slots);
    Some(
        banner("error", el("p").with(sentence))
            .attr("role", "alert")
            .attr("tabindex", "-1"),
    )
}

/// Nothing is here yet: it is on its way, or why it is not.
fn unloaded(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    if m.problem.is_none() {
        h1(m, text::LOADING).put(&mut out);
        return out;
    }
    problem(m).put(&mut out);
    h1(m, text::NOT_SHOWN).put(&mut out);
    buttons(primary(m, text::NOT_SHOWN_GO, Event::Retry)).put(&mut out);
    out
}

/// Own records that cannot be read: never the same as none.
fn unread(m: &Model, text: Text) -> El {
    banner("error", el("p").with(say(m, text)))
        .attr("role", "alert")
        .attr("tabindex", "-1")
}

/// `SignedText`: headings and lists over the very string that is hashed; every line stays whole, so
/// its text is byte for byte what is signed (P4), readings apart.
fn signed_text(m: &Model, text: &str, lang: Lang) -> El {
    let mut article = el("article")
        .attr("data-signed", "")
        .attr("lang", lang.tag())
        .class("signed");
    for line in text.split_inclusive('\n') {
        let (class, level, mark) = match line.as_bytes() {
            [b'#', b'#', b' ', ..] => ("l2", Some("3"), 3),
            [b'#', b' ', ..] => ("l1", Some("2"), 2),
            [b'-', b' ', ..] => ("item", None, 2),
            _ => ("line", None, 0),
        };
        // The mark is drawn as a heading or a bullet; it stays in the text.
        let (mark, line) = line.split_at(mark);
        let mark = (!mark.is_empty()).then(|| {
            el("span")
                .class("sr")
                .attr("aria-hidden", "true")
                .with(mark)
        });
        article = article.with(
            el("span")
                .class(class)
                .maybe("role", level.map(|_| "heading"))
                .maybe("aria-level", level)
                .with(mark)
                .with(words(m, line)),
        );
    }
    article
}

/// A day alone.
fn on_day(m: &Model, at: u64) -> Node {
    let date = time::machine(at);
    Node::El(Box::new(
        el("time")
            .attr("datetime", date.get(..10).unwrap_or_default())
            .with(time::day(at, m.prefs.lang)),
    ))
}

/// A day or an instant as FHIR writes it.
fn written(m: &Model, text: &str) -> Node {
    let day = || warifu_consent::instant(&format!("{}T00:00:00+09:00", text.get(..10)?));
    match warifu_consent::instant(text) {
        Some(at) => when(m, at),
        // A year or a month alone stays as it is.
        None => day().map_or_else(|| data(text), |at| on_day(m, at)),
    }
}

fn said(m: &Model, said: &Said) -> Vec<Node> {
    match said {
        Said::Data(text) => vec![data(text)],
        Said::Word(words) => say(m, *words),
        Said::When(text) => vec![written(m, text)],
    }
}

/// What a record is called: by its name, else by what kind of record it is.
fn title_of(m: &Model, r: &Record) -> Vec<Node> {
    if r.title.is_empty() {
        say(m, r.kind)
    } else {
        vec![data(&r.title)]
    }
}

/// A record in a list: what it is, what it says, which kind and, where the list is not of one day, its day.
fn record(m: &Model, r: &Record, dated: bool) -> El {
    let brief: Vec<El> = r
        .brief
        .iter()
        .map(|one| el("span").with(said(m, one)))
        .collect();
    let brief = (!brief.is_empty()).then(|| el("span").class("brief").with(brief));
    let mut mark = el("span").class("mark").with(say(m, r.kind));
    if dated && !r.day.is_empty() {
        mark = mark.with("　").with(written(m, &r.day));
    }
    let route = Route::Item(r.id.clone());
    el("li").with(
        el("a")
            .attr("href", route.path())
            .class("card-link")
            .with(el("span").class("strong").with(title_of(m, r)))
            .with(brief)
            .with(mark),
    )
}

// ── parts ───────────────────────────────────────────────────────────────────────────────────────

fn h1(m: &Model, text: Text) -> El {
    el("h1").attr("tabindex", "-1").with(say(m, text))
}

fn h2(m: &Model, text: Text) -> El {
    el("h2").with(say(m, text))
}

fn p(m: &Model, text: Text) -> El {
    el("p").with(say(m, text))
}

/// The one primary button of a screen.
fn primary(m: &Model, text: Text, event: Event) -> El {
    button(m, text, event).class("btn")
}

/// Any other button.
fn secondary(m: &Model, text: Text, event: Event) -> El {
    button(m, text, event).class("btn btn2")
}

fn button(m: &Model, text: Text, event: Event) -> El {
    el("button")
        .attr("type", "button")
        .with(say(m, text))
        .press(event)
}

fn link(m: &Model, text: Text, route: &Route) -> El {
    el("a").attr("href", route.path()).with(say(m, text))
}

/// A button that is on or off.
fn toggle(m: &Model, text: Text, on: bool, event: Event) -> El {
    button(m, text, event)
        .class("lang")
        .attr("aria-pressed", if on { "true" } else { "false" })
}

/// `Buttons`: one primary, or all equal (P3).
fn buttons(all: impl IntoNodes) -> El {
    el("div").class("buttons").with(all)
}

/// `Banner`: icon, word and border; never colour alone.
fn banner(kind: &'static str, inside: impl IntoNodes) -> El {
    let sign = match kind {
        "error" => "！",
        "ok" => "✓",
        "warn" => "▲",
        _ => "ｉ",
    };
    el("div")
        .class(format!("banner {kind}"))
        .with(
            el("span")
                .class("sign")
                .attr("aria-hidden", "true")
                .with(sign),
        )
        .with(el("div").with(inside))
}

/// `ErrorSummary`: what is missing, with links to the fields.
fn summary(m: &Model) -> Option<El> {
    if m.lacks.is_empty() {
        return None;
    }
    let items: Vec<El> = m
        .lacks
        .iter()
        .map(|l| {
            el("li").with(
                el("a")
                    .attr("href", format!("#{}", l.field))
                    .with(lack_text(m, l)),
            )
        })
        .collect();
    let inside = vec![
        el("p").class("strong").with(say(m, text::ERRORS)),
        el("ul").with(items),
    ];
    Some(
        banner("error", inside)
            .attr("role", "alert")
            .attr("tabindex", "-1"),
    )
}

fn lack_text(m: &Model, lack: &Lack) -> Vec<Node> {
    fill(m, lack.text, &[("n", number(lack.n))])
}

/// A text field with label and hint above, and what is missing between.
struct Field {
    id: &'static str,
    label: Text,
    hint: Text,
    kind: &'static str,
    complete: &'static str,
    mode: &'static str,
}

/// Kind of a field of several lines.
const AREA: &str = "area";

fn field(m: &Model, f: &Field, value: &str, input: fn(String) -> Event) -> El {
    field_of(m, f, |input| input.attr("value", value), input)
}

fn field_of(m: &Model, f: &Field, value: impl FnOnce(El) -> El, input: fn(String) -> Event) -> El {
    let lack = m.lacks.iter().find(|l| l.field == f.id);
    let hint = format!("{}-hint", f.id);
    let error = format!("{}-error", f.id);
    let told = if lack.is_some() {
        format!("{error} {hint}")
    } else {
        hint.clone()
    };
    el("div")
        .class(if lack.is_some() {
            "field lacking"
        } else {
            "field"
        })
        .with(el("label").attr("for", f.id).with(say(m, f.label)))
        .with(el("p").class("hint").id(hint).with(say(m, f.hint)))
        .with(lack.map(|l| el("p").class("error").id(error).with(lack_text(m, l))))
        .with(value(
            if f.kind == AREA {
                el("textarea").attr("rows", "6")
            } else {
                el("input").attr("type", f.kind)
            }
            .id(f.id)
            .attr("autocomplete", f.complete)
            .attr("inputmode", f.mode)
            .attr("spellcheck", "false")
            .attr("aria-describedby", told)
            .maybe("aria-invalid", lack.map(|_| "true"))
            .on(On::Input(input)),
        ))
}

/// A passphrase to be typed, pasted and shown.
fn pass_field(m: &Model, making: bool) -> Vec<El> {
    let hint = if making {
        text::KEY_PASS_HINT
    } else {
        text::KEY_PASS_ASK
    };
    let f = Field {
        id: "pass",
        label: text::KEY_PASS,
        hint,
        kind: if m.show_pass { "text" } else { "password" },
        complete: if making {
            "new-password"
        } else {
            "current-password"
        },
        mode: "text",
    };
    vec![
        field_of(
            m,
            &f,
            |input| input.secret(&m.pass),
            |text| Event::Pass(Secret::new(text)),
        ),
        tick(
            m,
            "pass-show",
            text::KEY_PASS_SHOW,
            m.show_pass,
            Event::ShowPass(!m.show_pass),
        ),
    ]
}

/// A box to tick; the whole row is the target, to which its words are added.
fn box_row(id: impl Into<String>, on: bool, event: Event) -> El {
    let id = id.into();
    el("label").class("row").attr("for", id.as_str()).with(
        el("input")
            .id(id)
            .attr("type", "checkbox")
            .flag("checked", on)
            .on(On::Change(event)),
    )
}

/// Id of the box of a category: the first is where the summary's link leads.
fn category_id(at: usize) -> String {
    if at == 0 {
        "cats".to_owned()
    } else {
        format!("cats-{at}")
    }
}

/// The same with its words.
fn tick(m: &Model, id: &'static str, label: Text, on: bool, event: Event) -> El {
    box_row(id, on, event).with(el("span").with(say(m, label)))
}

/// `Choice`: radios in a fieldset; nothing is chosen unless the model says so.
fn choice(m: &Model, name: &'static str, legend: Text, options: &[(Text, bool, Event)]) -> El {
    let options = options.iter().cloned();
    let options = options.map(|(label, on, event)| (say(m, label), on, event));
    choice_of(m, name, legend, options.collect())
}

/// The same, of labels that were filled.
fn choice_of(
    m: &Model,
    name: &'static str,
    legend: Text,
    options: Vec<(Vec<Node>, bool, Event)>,
) -> El {
    let rows = options
        .into_iter()
        .enumerate()
        .map(|(at, (label, on, event))| {
            let id = format!("{name}-{at}");
            el("label")
                .class("row")
                .attr("for", id.as_str())
                .with(
                    el("input")
                        .id(id)
                        .attr("type", "radio")
                        .attr("name", name)
                        .flag("checked", on)
                        .on(On::Change(event)),
                )
                .with(el("span").with(label))
        });
    el("fieldset")
        .with(el("legend").with(say(m, legend)))
        .with(rows.collect::<Vec<_>>())
}
