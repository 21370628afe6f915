//! The portal's state: `update` takes what happened and says what is to be done. No clock, no
//! randomness, no browser here: they come in with the event (ux-portal §8).

use warifu_consent::json::{self, Value, object};
use warifu_consent::{FilterError, Reason, b64};

use crate::care::{self, Books, Keys, Mine, Waiting};
use crate::preview::{self, Preview};
use crate::route::Route;
use crate::text::{self, Lang, Text};
use crate::wizard::{self, Draft, Step, Until};

/// Colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// As the device prefers.
    Auto,
    /// 標準
    Light,
    /// 暗い
    Dark,
    /// くっきり
    Contrast,
}

impl Theme {
    /// All, in the order of the settings.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Light, Self::Dark, Self::Contrast];

    /// Name in stored settings and in `data-theme`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Contrast => "contrast",
        }
    }
}

/// Settings, kept on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefs {
    /// ことば
    pub lang: Lang,
    /// Text size: 100, 125 or 150 %.
    pub size: u16,
    /// 配色
    pub theme: Theme,
    /// ふりがな
    pub ruby: bool,
}

impl Prefs {
    /// Text sizes that can be chosen, in percent.
    pub const SIZES: [u16; 3] = [100, 125, 150];

    /// What is shown before anybody chose, in the browser's language.
    pub fn first(browser: &str) -> Self {
        let ja = browser.is_empty() || browser.starts_with("ja");
        Self {
            lang: if ja { Lang::Ja } else { Lang::En },
            size: 100,
            theme: Theme::Auto,
            ruby: true,
        }
    }

    /// Reads what was kept; what is not understood is as at first.
    pub fn read(text: &str, browser: &str) -> Self {
        let mut prefs = Self::first(browser);
        let Ok(v) = json::read(text.as_bytes(), 2) else {
            return prefs;
        };
        let named = |key: &str| v.get(key).and_then(Value::text);
        if let Some(lang) = named("lang").and_then(Lang::from_name) {
            prefs.lang = lang;
        }
        if let Some(theme) = Theme::ALL
            .into_iter()
            .find(|t| Some(t.name()) == named("theme"))
        {
            prefs.theme = theme;
        }
        let size = v.get("size").and_then(Value::int);
        if let Some(size) = Self::SIZES
            .into_iter()
            .find(|s| Some(u64::from(*s)) == size)
        {
            prefs.size = size;
        }
        if named("ruby") == Some("off") {
            prefs.ruby = false;
        }
        prefs
    }

    /// What is kept.
    pub fn write(self) -> Value {
        object([
            ("lang", self.lang.name().into()),
            ("size", u64::from(self.size).into()),
            ("theme", self.theme.name().into()),
            ("ruby", if self.ruby { "on" } else { "off" }.into()),
        ])
    }
}

/// The person's key on this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Not looked up yet.
    Unknown,
    /// There is none.
    None,
    /// Being made.
    Making,
    /// This browser has no Ed25519: a passphrase protects the key.
    NeedsPass,
    /// There is one.
    Here {
        /// `x` of the public key.
        x: String,
        /// Under a passphrase.
        sealed: bool,
    },
    /// It could not be made.
    Failed,
}

/// What keeps somebody from going on, at a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// Id of the field.
    pub field: &'static str,
    /// What is missing.
    pub text: Text,
    /// Its one slot.
    pub n: usize,
}

/// How far the enrolment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrol {
    /// Being filled in.
    Form,
    /// On its way.
    Busy,
    /// The code was refused.
    Refused,
    /// Done.
    Done,
}

/// The session with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// None.
    None,
    /// Being proven.
    Proving,
    /// Open.
    Open,
    /// The server does not know this key.
    Refused,
}

/// What the last signed or refused thing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    None,
    /// A consent was recorded: its `jti`, and the number in the person's log.
    Given(String, Option<u64>),
    /// A consent was ended: here at, elsewhere by, emergencies by.
    Ended(u64, u64, Option<u64>),
}

/// Why something signed or sent was not taken, in one of seven sentences (ux-portal §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The sentence.
    pub text: Text,
    /// Its one slot: the number of the reason.
    pub code: String,
}

impl Problem {
    /// The sentence for a reason's name on the wire.
    pub fn of(code: &str) -> Self {
        let reason = Reason::ALL.iter().find(|r| r.wire() == code);
        let text = reason.map_or(text::NO_OURS, |r| sentence(*r));
        Self {
            text,
            code: code.to_owned(),
        }
    }
}

/// Seven sentences for all reasons; an own table, since what a person can do differs, not what failed.
fn sentence(reason: Reason) -> Text {
    use Reason as R;
    match reason {
        R::Nonce | R::StatusIndex | R::StatusStale | R::StatusUnavailable => text::NO_AGAIN,
        R::TextUnknown | R::TextMismatch => text::NO_TEXT,
        R::KeyUnknown | R::KeyRetired | R::KeyCompromised | R::KeyWeak => text::NO_KEY,
        R::ProxyNone | R::ProxyScope | R::ProxyAgedOut => text::NO_PROXY,
        R::Aud | R::AudUnknown | R::AudWildcard => text::NO_AUD,
        R::Expired | R::Revoked => text::NO_ENDED,
        _ => text::NO_OURS,
    }
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// The nonce of a session proof, for the enrolment.
    EnrolNonce,
    /// The enrolment.
    Enrol,
    /// The nonce of a session.
    SessionNonce,
    /// The session.
    Session,
    /// The policy.
    Policy,
    /// The master of facilities.
    Master,
    /// The person's tokens.
    Mine,
    /// Waiting requests.
    Requests,
    /// The token of a request.
    Open,
    /// Own records.
    Records,
    /// Refusing a request.
    Decline,
    /// A grant.
    Give,
    /// The end of a grant.
    End,
}

impl Tag {
    const ALL: [(&'static str, Self); 13] = [
        ("enrol-nonce", Self::EnrolNonce),
        ("enrol", Self::Enrol),
        ("session-nonce", Self::SessionNonce),
        ("session", Self::Session),
        ("policy", Self::Policy),
        ("master", Self::Master),
        ("mine", Self::Mine),
        ("requests", Self::Requests),
        ("open", Self::Open),
        ("records", Self::Records),
        ("decline", Self::Decline),
        ("give", Self::Give),
        ("end", Self::End),
    ];

    /// Name on the way to the browser and back.
    pub fn name(self) -> &'static str {
        let all = Self::ALL.iter();
        all.clone()
            .find(|(_, t)| *t == self)
            .map_or("", |(name, _)| name)
    }

    /// The tag of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(n, _)| *n == name)?;
        Some(found.1)
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The page started: address, kept settings, the browser's language, whether the browser keeps anything.
    Started {
        /// Path of the address.
        path: String,
        /// Kept settings, or nothing.
        prefs: String,
        /// Language of the browser.
        browser: String,
        /// Origin of the page.
        origin: String,
        /// Whether keys can be kept.
        keeps: bool,
    },
    /// A screen is wanted.
    Go(Route),
    /// The address changed by the browser's own buttons.
    At(String),
    /// The network came or went.
    Online(bool),
    /// A minute passed.
    Tick,
    /// A new version of the page waits.
    Waiting,
    /// The new version is wanted now.
    Reload,
    /// Language.
    SetLang(Lang),
    /// Text size in percent.
    SetSize(u16),
    /// Colours.
    SetTheme(Theme),
    /// Readings.
    SetRuby(bool),
    /// S2: make the key.
    MakeKey,
    /// The passphrase so far.
    Pass(String),
    /// Show the passphrase.
    ShowPass(bool),
    /// What the worker says of the key.
    KeyIs(Key),
    /// The passphrase does not open the key.
    PassNo,
    /// S3: the code so far.
    Code(String),
    /// S3: the date of birth so far.
    Birth(String),
    /// S3: register.
    Enrol,
    /// The worker signed.
    Signed {
        /// What for.
        tag: Tag,
        /// The token.
        token: String,
    },
    /// The worker could not sign.
    NotSigned {
        /// What for.
        tag: Tag,
        /// Name of the reason.
        code: String,
    },
    /// The server answered; status 0: it did not.
    Answer {
        /// To what.
        tag: Tag,
        /// HTTP status.
        status: u16,
        /// Body.
        body: String,
    },
    /// Open the session now: the passphrase is typed.
    Prove,
    /// S5: a category is ticked or not.
    Category(String),
    /// S5: every category that is asked for and not individual.
    All,
    /// S5: the end.
    SetUntil(Until),
    /// S5: the day that is picked.
    Picked(String),
    /// S5: on to another page of the wizard.
    Step(Step),
    /// S5: refuse.
    Decline,
    /// S5: sign and show.
    Sign,
    /// S8: end the consent of this screen.
    Withdraw,
    /// S6: by date, or by kind.
    ByDate(bool),
    /// Print the screen.
    Print,
    /// Save a consent as a file.
    Save(String),
    /// S17: erase everything.
    Erase,
    /// Everything is erased.
    Erased,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Put the path into the address.
    Path(String),
    /// Focus on the first element that fits, after painting.
    Focus(&'static str),
    /// Apply and keep the settings.
    Prefs(Prefs),
    /// Ask the server; paths stand below `/api`.
    Http {
        /// What for.
        tag: Tag,
        /// Method.
        method: &'static str,
        /// Path.
        path: String,
        /// Body, JSON.
        body: Option<Value>,
    },
    /// Make the key, under a passphrase or not.
    MakeKey(Option<String>),
    /// Look the key up.
    FindKey,
    /// Have claims signed; the worker makes the bytes itself.
    Sign {
        /// What for.
        tag: Tag,
        /// Type of the token.
        typ: &'static str,
        /// Claims without what the key decides.
        claims: Value,
        /// The passphrase of a sealed key.
        pass: Option<String>,
    },
    /// Print.
    Print,
    /// Hand a file to the person.
    Save {
        /// Name of the file.
        name: &'static str,
        /// Content.
        body: String,
    },
    /// Erase keys, caches, databases, worker.
    Erase,
    /// Activate the waiting version.
    Reload,
}

/// Clock and chance of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Seconds UTC.
    pub now: u64,
    /// Fresh random bytes.
    pub random: [u8; 32],
}

/// Everything the screens show.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts of the page that are independent of each other"
)]
pub struct Model {
    /// Settings.
    pub prefs: Prefs,
    /// The screen.
    pub route: Route,
    /// Whether the page started.
    pub started: bool,
    /// Origin of the page.
    pub origin: String,
    /// Whether keys can be kept here.
    pub keeps: bool,
    /// Whether there is a network.
    pub online: bool,
    /// Seconds UTC of the last event.
    pub now: u64,
    /// A new version waits.
    pub waiting: bool,
    /// The key.
    pub key: Key,
    /// The passphrase as typed; emptied when it was used.
    pub pass: String,
    /// Whether it is shown.
    pub show_pass: bool,
    /// What keeps from going on.
    pub lacks: Vec<Lack>,
    /// S3: code as typed.
    pub code: String,
    /// S3: date of birth as typed.
    pub birth: String,
    /// S3: how far.
    pub enrol: Enrol,
    /// The session.
    pub session: Session,
    /// When it was opened.
    session_at: u64,
    /// Keys of the person.
    pub keys: Keys,
    /// Policy, until the master is there too.
    policy: Option<warifu_consent::Policy>,
    /// Master, until the policy is there too.
    master: Option<warifu_consent::Master>,
    /// Names and texts.
    pub books: Option<Books>,
    /// Tokens of the person.
    pub mine: Option<Mine>,
    /// Waiting requests.
    pub waiting_requests: Option<Vec<Waiting>>,
    /// Own records, a Bundle a page; never kept.
    pub records: Vec<String>,
    /// All of them are here.
    pub records_whole: bool,
    /// S6: by date, else by kind.
    pub by_date: bool,
    /// S5: what the recipients would see, or why it cannot be said; then nothing is signed.
    pub preview: Option<Result<Preview, FilterError>>,
    /// S5: choices.
    pub draft: Option<Draft>,
    /// S5, S8: what came of it.
    pub outcome: Outcome,
    /// S5, S8: why it was not taken.
    pub problem: Option<Problem>,
    /// S8: on its way.
    pub busy: bool,
    /// No answer: when it is tried again, and what.
    pub again: Option<(u64, Vec<Effect>)>,
    /// What the polite live region says.
    pub said: Option<Text>,
    /// Group of the request that was answered last.
    pub last_group: String,
    /// S17: everything is erased.
    pub erased: bool,
}

/// Characters a passphrase needs.
pub const PASS_LEAST: usize = 12;
/// Seconds until all institutions have stopped, where the server does not say (consent.md §8.2).
pub const STOPS_AFTER: u64 = 16 * 60;
/// Seconds that a session has to last at least.
const SESSION_LEAST: u64 = 10;
/// Seconds until something that had no answer is tried again.
pub const AGAIN_AFTER: u64 = 60;

impl Default for Model {
    fn default() -> Self {
        Self {
            prefs: Prefs::first("ja"),
            route: Route::Start,
            started: false,
            origin: String::new(),
            keeps: true,
            online: true,
            now: 0,
            waiting: false,
            key: Key::Unknown,
            pass: String::new(),
            show_pass: false,
            lacks: Vec::new(),
            code: String::new(),
            birth: String::new(),
            enrol: Enrol::Form,
            session: Session::None,
            session_at: 0,
            keys: Keys::default(),
            policy: None,
            master: None,
            books: None,
            mine: None,
            waiting_requests: None,
            records: Vec::new(),
            records_whole: false,
            by_date: false,
            preview: None,
            draft: None,
            outcome: Outcome::None,
            problem: None,
            busy: false,
            again: None,
            said: None,
            last_group: String::new(),
            erased: false,
        }
    }
}

/// Digits of a field, full-width ones too.
pub fn digits(text: &str) -> String {
    let plain = text.chars().filter_map(|c| match c {
        '0'..='9' => Some(c),
        '０'..='９' => char::from_u32(u32::from(c) - 0xFF10 + 0x30),
        _ => None,
    });
    plain.collect()
}

impl Model {
    /// Takes what happened; says what is to be done.
    pub fn update(&mut self, event: Event, moment: &Moment) -> Vec<Effect> {
        self.now = moment.now;
        match event {
            Event::Started {
                path,
                prefs,
                browser,
                origin,
                keeps,
            } => {
                self.started = true;
                self.prefs = Prefs::read(&prefs, &browser);
                self.origin = origin;
                self.keeps = keeps;
                self.route = Route::parse(&path);
                vec![Effect::Prefs(self.prefs), Effect::FindKey]
            }
            Event::Go(route) => self.go(route),
            Event::At(path) => {
                let route = Route::parse(&path);
                if route == self.route {
                    return Vec::new();
                }
                self.enter(route);
                let mut effects = vec![Effect::Focus("h1")];
                effects.extend(self.arrive());
                effects
            }
            Event::Online(online) => {
                self.online = online;
                if online { self.retry() } else { Vec::new() }
            }
            Event::Tick => match &self.again {
                Some((at, _)) if *at <= self.now => self.retry(),
                _ => Vec::new(),
            },
            Event::Waiting => {
                self.waiting = true;
                Vec::new()
            }
            Event::Reload => vec![Effect::Reload],
            Event::SetLang(lang) => self.set(|p| p.lang = lang),
            Event::SetSize(size) => self.set(|p| p.size = size),
            Event::SetTheme(theme) => self.set(|p| p.theme = theme),
            Event::SetRuby(on) => self.set(|p| p.ruby = on),
            Event::MakeKey => self.make_key(),
            Event::Pass(text) => {
                self.pass = text;
                Vec::new()
            }
            Event::ShowPass(on) => {
                self.show_pass = on;
                Vec::new()
            }
            Event::KeyIs(key) => self.key_is(key),
            Event::PassNo => {
                self.still();
                self.enrol = Enrol::Form;
                if self.session == Session::Proving {
                    self.session = Session::None;
                }
                self.lack(vec![lack("pass", text::KEY_PASS_OTHER, 0)])
            }
            Event::Code(text) => {
                self.code = text;
                Vec::new()
            }
            Event::Birth(text) => {
                self.birth = text;
                Vec::new()
            }
            Event::Enrol => self.ask_to_enrol(),
            Event::Signed { tag, token } => self.signed(tag, token),
            Event::NotSigned { tag, code } => {
                self.still();
                match tag {
                    Tag::EnrolNonce | Tag::Enrol => self.enrol_refused(),
                    Tag::SessionNonce | Tag::Session => {
                        self.session = Session::Refused;
                        vec![Effect::Focus("[role=alert]")]
                    }
                    _ => self.not_taken(&code),
                }
            }
            Event::Answer { tag, status, body } => self.answer(tag, status, &body, moment),
            Event::Prove => self.open_session(),
            Event::Category(cat) => self.change(|d| {
                if !d.cats.remove(&cat) {
                    d.cats.insert(cat);
                }
            }),
            Event::All => self.tick_all(),
            Event::SetUntil(until) => self.change(|d| d.until = Some(until)),
            Event::Picked(day) => self.change(|d| d.picked = day),
            Event::Step(step) => self.step(step),
            Event::Decline => self.decline(),
            Event::Sign => self.sign_grant(),
            Event::Withdraw => self.withdraw(moment),
            Event::ByDate(on) => {
                self.by_date = on;
                Vec::new()
            }
            Event::Print => vec![Effect::Print],
            Event::Save(jti) => self.save(&jti),
            Event::Erase => vec![Effect::Erase],
            Event::Erased => {
                *self = Self {
                    prefs: self.prefs,
                    started: true,
                    origin: std::mem::take(&mut self.origin),
                    keeps: self.keeps,
                    online: self.online,
                    now: self.now,
                    route: Route::Bye,
                    key: Key::None,
                    erased: true,
                    ..Self::default()
                };
                vec![Effect::Focus("h1")]
            }
        }
    }

    fn set(&mut self, change: impl FnOnce(&mut Prefs)) -> Vec<Effect> {
        change(&mut self.prefs);
        vec![Effect::Prefs(self.prefs)]
    }

    /// What belongs to the screen before is left behind; what was filled in stays.
    fn enter(&mut self, route: Route) {
        self.route = route;
        self.lacks.clear();
        self.said = None;
        self.pass.clear();
        self.show_pass = false;
        self.problem = None;
        if self.enrol != Enrol::Busy {
            self.enrol = Enrol::Form;
        }
    }

    fn go(&mut self, route: Route) -> Vec<Effect> {
        self.enter(route);
        let mut effects = vec![Effect::Path(self.route.path()), Effect::Focus("h1")];
        effects.extend(self.arrive());
        effects
    }

    /// What a screen needs when it is entered.
    fn arrive(&mut self) -> Vec<Effect> {
        if !self.route.needs_session() || !matches!(self.key, Key::Here { .. }) {
            return Vec::new();
        }
        if self.session != Session::Open {
            return if self.sealed() {
                // The screen asks for the passphrase.
                Vec::new()
            } else {
                self.open_session()
            };
        }
        match self.route.clone() {
            Route::Wizard(req, step) => self.at_step(&req, step),
            Route::Home | Route::Consents => Self::fetch(),
            Route::Records => self.read_records(),
            _ => Vec::new(),
        }
    }

    fn fetch() -> Vec<Effect> {
        vec![
            get(Tag::Mine, "/consent/mine"),
            get(Tag::Requests, "/requests"),
        ]
    }

    fn open_session(&mut self) -> Vec<Effect> {
        if self.session == Session::Proving {
            return Vec::new();
        }
        if self.sealed() && self.pass.is_empty() {
            return self.lack(vec![lack("pass", text::KEY_PASS_ASK, 0)]);
        }
        self.lacks.clear();
        self.session = Session::Proving;
        self.said = Some(text::LOADING);
        vec![post(Tag::SessionNonce, "/nonce", object([]))]
    }

    /// Nothing is on its way any more.
    fn still(&mut self) {
        self.said = None;
        self.busy = false;
        if let Some(draft) = &mut self.draft {
            draft.busy = false;
        }
    }

    fn not_taken(&mut self, code: &str) -> Vec<Effect> {
        self.problem = Some(Problem::of(code));
        vec![Effect::Focus("[role=alert]")]
    }

    // ── S5 ──────────────────────────────────────────────────────────────────────────────────────

    fn change(&mut self, how: impl FnOnce(&mut Draft)) -> Vec<Effect> {
        if let Some(draft) = &mut self.draft {
            how(draft);
            draft.bound = None;
            self.lacks.clear();
        }
        self.look_ahead();
        Vec::new()
    }

    /// What the recipients would see now.
    fn look_ahead(&mut self) {
        self.preview = match (&self.books, &self.mine, &self.draft) {
            (Some(books), Some(mine), Some(draft)) if self.records_whole => {
                let (policy, keys) = (&books.policy, &self.keys);
                let records = &self.records;
                Some(preview::preview(
                    policy, mine, keys, draft, records, self.now,
                ))
            }
            _ => None,
        };
    }

    /// What would be seen cannot be said: the screen tells it, and nothing is signed.
    fn is_unseen(&self) -> bool {
        matches!(self.preview, Some(Err(_)))
    }

    /// Own records from the beginning.
    fn read_records(&mut self) -> Vec<Effect> {
        self.records.clear();
        self.records_whole = false;
        self.preview = None;
        vec![disclose(None)]
    }

    /// Asked for, and neither individual nor a choice for the person (R3).
    fn tick_all(&mut self) -> Vec<Effect> {
        self.change(|d| {
            if !d.asked.individual {
                d.cats = d.asked.cat.iter().cloned().collect();
            }
        })
    }

    /// A page of the wizard that was asked for by address or button: no page is skipped.
    fn at_step(&mut self, req: &str, step: Step) -> Vec<Effect> {
        let Some(waiting) = &self.waiting_requests else {
            return Self::fetch();
        };
        if matches!(step, Step::Done | Step::Refused) {
            return Vec::new();
        }
        let Some(asked) = waiting.iter().find(|w| w.req == req).cloned() else {
            // It is answered or over.
            self.draft = None;
            return Vec::new();
        };
        if self.draft.as_ref().is_none_or(|d| d.asked.req != req) {
            self.draft = Some(Draft::new(asked));
            if step != Step::Who {
                return self.step(Step::Who);
            }
        }
        match step {
            Step::Sign => self.open_request(),
            Step::What => self.read_records(),
            _ => Vec::new(),
        }
    }

    fn step(&mut self, step: Step) -> Vec<Effect> {
        let Some(draft) = &self.draft else {
            return Vec::new();
        };
        if matches!(step, Step::Until) && draft.cats.is_empty() {
            return self.lack(vec![lack("cats", text::WHAT_LEFT, 0)]);
        }
        if matches!(step, Step::Until | Step::Sign) && self.is_unseen() {
            return vec![Effect::Focus("[role=alert]")];
        }
        if matches!(step, Step::Sign) {
            match draft.until {
                None => return self.lack(vec![lack("until-0", text::UNTIL_LEFT, 0)]),
                Some(until) if until.ends(self.now, &draft.picked).is_none() => {
                    return self.lack(vec![lack("picked", text::UNTIL_PICK_LEFT, 0)]);
                }
                _ => {}
            }
        }
        let req = draft.asked.req.clone();
        self.problem = None;
        self.go(Route::Wizard(req, step))
    }

    fn open_request(&mut self) -> Vec<Effect> {
        let Some(draft) = &self.draft else {
            return Vec::new();
        };
        if draft.until.is_none() || draft.cats.is_empty() {
            return self.step(Step::Who);
        }
        if self.is_unseen() {
            return self.step(Step::What);
        }
        if draft.bound.is_some() {
            return Vec::new();
        }
        let path = format!("/requests/{}/open", draft.asked.req);
        self.said = Some(text::LOADING);
        vec![post(Tag::Open, &path, object([]))]
    }

    fn opened(&mut self, body: &str, moment: &Moment) -> Vec<Effect> {
        let token = care::answer(body);
        let token = token.as_ref().and_then(|v| v.get("token")?.text());
        let claims = token.and_then(care::request_claims);
        let (Some(claims), Some(books), Some(draft)) = (claims, &self.books, &mut self.draft)
        else {
            return self.not_taken("INTERNAL");
        };
        match draft.bind(books, &claims, self.prefs.lang, moment) {
            Ok(bound) => {
                draft.bound = Some(bound);
                Vec::new()
            }
            Err(None) => self.not_taken("TEXT_MISMATCH"),
            Err(Some(refusal)) => self.not_taken(refusal.reason.wire()),
        }
    }

    fn decline(&mut self) -> Vec<Effect> {
        let Some(draft) = &mut self.draft else {
            return Vec::new();
        };
        if std::mem::replace(&mut draft.busy, true) {
            return Vec::new();
        }
        let path = format!("/requests/{}/decline", draft.asked.req);
        vec![post(Tag::Decline, &path, object([]))]
    }

    fn sign_grant(&mut self) -> Vec<Effect> {
        if self.is_unseen() {
            return self.step(Step::What);
        }
        if self.sealed() && self.pass.is_empty() {
            return self.lack(vec![lack("pass", text::KEY_PASS_ASK, 0)]);
        }
        let Some(draft) = &mut self.draft else {
            return Vec::new();
        };
        let Some(bound) = draft.bound.as_ref().filter(|_| !draft.busy) else {
            return Vec::new();
        };
        let claims = bound.claims.clone();
        draft.busy = true;
        self.lacks.clear();
        self.problem = None;
        self.said = Some(text::SIGNING);
        vec![self.sign(Tag::Give, "consent-grant+jwt", claims)]
    }

    // ── S8 ──────────────────────────────────────────────────────────────────────────────────────

    fn withdraw(&mut self, moment: &Moment) -> Vec<Effect> {
        let Route::Withdraw(jti) = self.route.clone() else {
            return Vec::new();
        };
        if self.sealed() && self.pass.is_empty() {
            return self.lack(vec![lack("pass", text::KEY_PASS_ASK, 0)]);
        }
        let Some(mine) = self
            .mine
            .as_ref()
            .filter(|m| !self.busy && m.find(&jti).is_some())
        else {
            return Vec::new();
        };
        let claims = wizard::revoke(&mine.sub, &jti, moment);
        self.busy = true;
        self.lacks.clear();
        self.problem = None;
        self.said = Some(text::SIGNING);
        vec![self.sign(Tag::End, "consent-revoke+jwt", claims)]
    }

    fn save(&self, jti: &str) -> Vec<Effect> {
        let given = self.mine.as_ref().and_then(|m| m.find(jti));
        let Some(given) = given else {
            return Vec::new();
        };
        let maybe = |text: Option<String>| text.map_or(Value::Null, Value::from);
        let body = object([
            ("token", given.text.as_str().into()),
            ("annex", maybe(given.annex.as_deref().map(b64::encode))),
            ("receipt", maybe(given.receipt.clone())),
        ]);
        vec![Effect::Save {
            name: "warifu-consent.json",
            body: body.write(),
        }]
    }

    fn lack(&mut self, lacks: Vec<Lack>) -> Vec<Effect> {
        self.lacks = lacks;
        vec![Effect::Focus("[role=alert]")]
    }

    fn retry(&mut self) -> Vec<Effect> {
        self.again.take().map(|(_, what)| what).unwrap_or_default()
    }

    // ── S2 ──────────────────────────────────────────────────────────────────────────────────────

    fn make_key(&mut self) -> Vec<Effect> {
        let pass = match self.key {
            Key::NeedsPass => {
                let missing = PASS_LEAST.saturating_sub(self.pass.chars().count());
                if missing > 0 {
                    return self.lack(vec![lack("pass", text::KEY_PASS_SHORT, missing)]);
                }
                Some(self.pass.clone())
            }
            // The worker makes none where there is one already.
            Key::Unknown | Key::None | Key::Failed => None,
            _ => return Vec::new(),
        };
        self.lacks.clear();
        self.key = Key::Making;
        self.said = Some(text::KEY_MAKING);
        vec![Effect::MakeKey(pass)]
    }

    fn key_is(&mut self, key: Key) -> Vec<Effect> {
        let made = self.key == Key::Making;
        self.key = key;
        self.said = None;
        match (&self.key, made) {
            (Key::Here { .. }, true) => {
                self.pass.clear();
                self.show_pass = false;
                vec![Effect::Focus("h1")]
            }
            (Key::NeedsPass, true) => vec![Effect::Focus("#pass")],
            (Key::Failed, true) => vec![Effect::Focus("[role=alert]")],
            // At the start: the screen of the address gets what it needs.
            (Key::Here { .. }, false) => self.arrive(),
            _ => Vec::new(),
        }
    }

    // ── S3 ──────────────────────────────────────────────────────────────────────────────────────

    fn ask_to_enrol(&mut self) -> Vec<Effect> {
        if self.enrol == Enrol::Busy {
            return Vec::new();
        }
        let (code, birth) = (digits(&self.code), digits(&self.birth));
        let mut lacks = Vec::new();
        if code.len() != 16 {
            lacks.push(lack("code", text::ENROL_CODE_LEFT, code.len()));
        }
        if birth_date(&birth).is_none() {
            lacks.push(lack("birth", text::ENROL_BIRTH_LEFT, 0));
        }
        if self.sealed() && self.pass.is_empty() {
            lacks.push(lack("pass", text::KEY_PASS_ASK, 0));
        }
        if !lacks.is_empty() {
            return self.lack(lacks);
        }
        self.lacks.clear();
        self.enrol = Enrol::Busy;
        self.said = Some(text::ENROL_BUSY);
        vec![post(Tag::EnrolNonce, "/nonce", object([]))]
    }

    /// Whether a passphrase is needed to sign.
    pub fn sealed(&self) -> bool {
        matches!(self.key, Key::Here { sealed: true, .. })
    }

    fn sign(&mut self, tag: Tag, typ: &'static str, claims: Value) -> Effect {
        let pass = self.sealed().then(|| std::mem::take(&mut self.pass));
        Effect::Sign {
            tag,
            typ,
            claims,
            pass,
        }
    }

    fn jwk(&self) -> Value {
        let x = match &self.key {
            Key::Here { x, .. } => x.as_str(),
            _ => "",
        };
        object([
            ("crv", "Ed25519".into()),
            ("kty", "OKP".into()),
            ("x", x.into()),
        ])
    }

    fn signed(&mut self, tag: Tag, token: String) -> Vec<Effect> {
        match tag {
            Tag::SessionNonce => {
                let body = object([("proof", token.into())]);
                vec![post(Tag::Session, "/session", body)]
            }
            Tag::Give => {
                let annex = self.draft.as_ref().and_then(|d| d.bound.as_ref());
                let annex = annex.map_or_else(String::new, |b| b64::encode(&b.annex.to_bytes()));
                let body = object([("annex", annex.into()), ("token", token.into())]);
                vec![post(Tag::Give, "/consent/tokens", body)]
            }
            Tag::End => {
                let body = object([("token", token.into())]);
                vec![post(Tag::End, "/consent/tokens", body)]
            }
            Tag::EnrolNonce => {
                let birth = birth_date(&digits(&self.birth)).unwrap_or_default();
                let body = object([
                    ("birth", birth.into()),
                    ("code", digits(&self.code).into()),
                    ("proof", token.into()),
                ]);
                vec![post(Tag::Enrol, "/enrol", body)]
            }
            _ => Vec::new(),
        }
    }

    // ── answers ─────────────────────────────────────────────────────────────────────────────────

    fn answer(&mut self, tag: Tag, status: u16, body: &str, moment: &Moment) -> Vec<Effect> {
        self.still();
        if matches!(status, 0 | 502..=504) {
            return self.no_answer(tag);
        }
        self.again = None;
        let value = care::answer(body);
        let text = |name: &str| {
            let value = value.as_ref()?.get(name)?.text()?;
            Some(value.to_owned())
        };
        match (tag, status) {
            (Tag::EnrolNonce, 200) => {
                let Some(nonce) = text("nonce") else {
                    return self.enrol_refused();
                };
                self.said = Some(text::ENROL_BUSY);
                let mut claims = self.proof(&nonce, moment);
                if let Value::Object(members) = &mut claims {
                    members.insert("jwk".to_owned(), self.jwk());
                }
                vec![self.sign(Tag::EnrolNonce, "session-proof+jwt", claims)]
            }
            (Tag::Enrol, 200 | 201) => {
                self.keys = value.as_ref().map(Keys::read).unwrap_or_default();
                self.enrol = Enrol::Done;
                self.session = Session::Open;
                self.code.clear();
                self.birth.clear();
                let mut effects = vec![Effect::Focus("h1")];
                effects.extend(Self::all());
                effects
            }
            (Tag::EnrolNonce | Tag::Enrol, _) => self.enrol_refused(),
            (Tag::SessionNonce, 200) => {
                let nonce = text("nonce").unwrap_or_default();
                self.said = Some(text::LOADING);
                let claims = self.proof(&nonce, moment);
                vec![self.sign(Tag::SessionNonce, "session-proof+jwt", claims)]
            }
            (Tag::Session, 200 | 201) => {
                self.session = Session::Open;
                self.session_at = self.now;
                self.keys = value.as_ref().map(Keys::read).unwrap_or_default();
                let mut effects = Self::all();
                if self.route == Route::Records {
                    effects.extend(self.read_records());
                }
                effects
            }
            (Tag::SessionNonce | Tag::Session, _) => {
                self.session = Session::Refused;
                vec![Effect::Focus("[role=alert]")]
            }
            (_, 401) => {
                // It ended while the page was open: what was chosen stays. A session that ends as soon
                // as it is opened (no cookies) is not asked for again and again.
                if self.now < self.session_at.saturating_add(SESSION_LEAST) {
                    self.session = Session::Refused;
                    return vec![Effect::Focus("[role=alert]")];
                }
                if self.session == Session::Open {
                    self.session = Session::None;
                }
                self.arrive()
            }
            (Tag::Policy, 200) => {
                self.policy = care::policy(body);
                self.bind_books()
            }
            (Tag::Master, 200) => {
                self.master = care::master(body);
                self.bind_books()
            }
            (Tag::Mine, 200) => {
                let now = self.now;
                self.mine = value.as_ref().and_then(|v| Mine::read(v, &self.keys, now));
                Vec::new()
            }
            (Tag::Requests, 200) => {
                self.waiting_requests = value.as_ref().map(care::waiting);
                match self.route.clone() {
                    Route::Wizard(req, step) => self.at_step(&req, step),
                    _ => Vec::new(),
                }
            }
            (Tag::Records, 200) => {
                let Some((bundle, next)) = care::page(body) else {
                    return self.not_taken("INTERNAL");
                };
                self.records.push(bundle);
                if next.is_some() {
                    return vec![disclose(next)];
                }
                self.records_whole = true;
                self.look_ahead();
                Vec::new()
            }
            (Tag::Open, 200 | 201) => self.opened(body, moment),
            (Tag::Decline, 200 | 201) => {
                let effects = self.step(Step::Refused);
                self.answered();
                effects
            }
            (Tag::Give, 200 | 201) => {
                let jti = text("jti").unwrap_or_default();
                let receipt = text("receipt").and_then(|r| warifu_consent::peek(&r).ok());
                let n = receipt.and_then(|(_, claims)| claims.get("n")?.int());
                self.outcome = Outcome::Given(jti, n);
                let mut effects = self.step(Step::Done);
                self.answered();
                effects.extend(Self::fetch());
                effects
            }
            (Tag::End, 200 | 201) => {
                let at = value.as_ref().and_then(|v| v.get("at")?.int());
                let stops = |name: &str| value.as_ref()?.get("stops")?.get(name)?.int();
                let at = at.unwrap_or(self.now);
                let online = stops("online").unwrap_or(at + STOPS_AFTER);
                self.outcome = Outcome::Ended(at, online, stops("offline"));
                let Route::Withdraw(jti) = self.route.clone() else {
                    return Self::fetch();
                };
                let mut effects = self.go(Route::Ended(jti));
                effects.extend(Self::fetch());
                effects
            }
            (Tag::Give | Tag::Open, _) => {
                let code = text("code").unwrap_or_default();
                let effects = self.not_taken(&code);
                if self
                    .problem
                    .as_ref()
                    .is_some_and(|p| p.text == text::NO_AGAIN)
                {
                    // A fresh request token, for the same choices.
                    if let Some(draft) = &mut self.draft {
                        draft.bound = None;
                    }
                    if tag == Tag::Give {
                        return self.open_request();
                    }
                }
                effects
            }
            (_, _) => {
                let code = text("code").unwrap_or_default();
                self.not_taken(&code)
            }
        }
    }

    /// Everything the screens of a session show.
    fn all() -> Vec<Effect> {
        let mut effects = vec![get(Tag::Policy, "/policy"), get(Tag::Master, "/master")];
        effects.extend(Self::fetch());
        effects
    }

    fn bind_books(&mut self) -> Vec<Effect> {
        if let (Some(policy), Some(master)) = (&self.policy, &self.master) {
            self.books = Some(Books {
                policy: policy.clone(),
                master: master.clone(),
            });
        }
        Vec::new()
    }

    /// The request of the draft waits no longer (P9: it never returns).
    fn answered(&mut self) {
        if let (Some(draft), Some(all)) = (self.draft.take(), &mut self.waiting_requests) {
            all.retain(|w| w.req != draft.asked.req);
            // What it was asked together with is offered next.
            self.draft = None;
            self.last_group = draft.asked.group;
        }
    }

    /// Claims of a session proof (consent.md §3.0).
    fn proof(&self, nonce: &str, moment: &Moment) -> Value {
        object([
            ("aud", self.origin.as_str().into()),
            ("nonce", nonce.into()),
            ("iat", moment.now.into()),
            ("exp", moment.now.saturating_add(60).into()),
        ])
    }

    fn enrol_refused(&mut self) -> Vec<Effect> {
        self.enrol = Enrol::Refused;
        vec![Effect::Focus("[role=alert]")]
    }

    /// Nothing was lost: the form stays, and it is tried again at a time that is shown.
    fn no_answer(&mut self, tag: Tag) -> Vec<Effect> {
        match tag {
            // A new nonce, a new signature: what was signed may be too old by then.
            Tag::EnrolNonce | Tag::Enrol => self.enrol = Enrol::Form,
            Tag::SessionNonce | Tag::Session => self.session = Session::None,
            _ => {}
        }
        let again = match tag {
            // The passphrase is gone: the person presses again.
            _ if self.sealed() => Vec::new(),
            Tag::EnrolNonce | Tag::Enrol => {
                self.enrol = Enrol::Busy;
                vec![post(Tag::EnrolNonce, "/nonce", object([]))]
            }
            Tag::SessionNonce | Tag::Session => {
                self.session = Session::Proving;
                vec![post(Tag::SessionNonce, "/nonce", object([]))]
            }
            Tag::Policy | Tag::Master | Tag::Mine | Tag::Requests => Self::all(),
            // Whether it arrived is not known: the person looks, and signs or refuses again.
            _ => Self::fetch(),
        };
        self.again = Some((self.now.saturating_add(AGAIN_AFTER), again));
        Vec::new()
    }
}

/// `1968-03-03` of eight digits that are a date.
fn birth_date(digits: &str) -> Option<String> {
    let (y, rest) = digits.split_at_checked(4)?;
    let (m, d) = rest.split_at_checked(2)?;
    let text = format!("{y}-{m}-{d}");
    warifu_consent::Date::parse(&text).map(|_| text)
}

fn lack(field: &'static str, text: Text, n: usize) -> Lack {
    Lack { field, text, n }
}

/// Everything of the person, page by page.
fn disclose(page: Option<String>) -> Effect {
    let mut body = object([("search", "Patient/$everything?_count=500".into())]);
    if let (Value::Object(members), Some(page)) = (&mut body, page) {
        members.insert("page".to_owned(), page.into());
    }
    post(Tag::Records, "/disclose", body)
}

fn get(tag: Tag, path: &str) -> Effect {
    Effect::Http {
        tag,
        method: "GET",
        path: path.to_owned(),
        body: None,
    }
}

fn post(tag: Tag, path: &str, body: Value) -> Effect {
    Effect::Http {
        tag,
        method: "POST",
        path: path.to_owned(),
        body: Some(body),
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod tests {
    use super::*;
    use crate::view;

    fn moment(now: u64) -> Moment {
        Moment {
            now,
            random: [7; 32],
        }
    }

    fn started(path: &str) -> Model {
        let mut m = Model::default();
        let event = Event::Started {
            path: path.to_owned(),
            prefs: String::new(),
            browser: "ja".to_owned(),
            origin: "https://c.example.jp".to_owned(),
            keeps: true,
        };
        m.update(event, &moment(1_800_000_000));
        m.update(
            Event::KeyIs(Key::Here {
                x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned(),
                sealed: false,
            }),
            &moment(1_800_000_000),
        );
        m
    }

    fn answer(m: &mut Model, tag: Tag, status: u16, body: &str, now: u64) -> Vec<Effect> {
        let body = body.to_owned();
        m.update(Event::Answer { tag, status, body }, &moment(now))
    }

    const MASTER: &str = r#"{"v":1,"version":1,"contact":"架空割符病院","facilities":[{"code":"mi:1312345678","ja":"架空割符診療所","en":""}]}"#;
    const SUB: &str = "s1.EBESExQVFhcYGRobHB0eHw";

    /// A model in a session, with everything read and nothing given yet.
    fn opened(path: &str) -> Model {
        let mut m = started(path);
        let now = m.now;
        answer(&mut m, Tag::Session, 200, r#"{"keys":[]}"#, now);
        answer(&mut m, Tag::Policy, 200, warifu_consent::REFERENCE, now);
        answer(&mut m, Tag::Master, 200, MASTER, now);
        let mine = format!(r#"{{"sub":"{SUB}","tokens":[]}}"#);
        answer(&mut m, Tag::Mine, 200, &mine, now);
        m
    }

    #[test]
    fn a_session_that_does_not_last_is_not_asked_for_again_and_again() {
        let mut m = started("/home");
        assert_eq!(m.session, Session::Proving);
        answer(&mut m, Tag::Session, 200, r#"{"keys":[]}"#, 1_800_000_001);
        assert_eq!(m.session, Session::Open);
        let effects = answer(&mut m, Tag::Mine, 401, "{}", 1_800_000_002);
        assert_eq!(m.session, Session::Refused);
        assert!(!effects.iter().any(|e| matches!(e, Effect::Http { .. })));

        let mut m = started("/home");
        answer(&mut m, Tag::Session, 200, r#"{"keys":[]}"#, 1_800_000_001);
        let effects = answer(&mut m, Tag::Mine, 401, "{}", 1_800_002_000);
        assert!(
            effects
                .iter()
                .any(|e| matches!(e, Effect::Http { path, .. } if path == "/nonce"))
        );
        // The other answer of the same moment asks no second time.
        assert!(answer(&mut m, Tag::Requests, 401, "{}", 1_800_002_000).is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_told_and_nothing_is_signed() {
        let req = "AAECAwQFBgcICQoLDA0ODw";
        let mut m = opened(&format!("/requests/{req}/what"));
        let now = m.now;
        let asked = format!(
            r#"{{"requests":[{{"req":"{req}","group":"g","aud":["mi:1312345678"],"pur":["TREAT"],"cat":["imm"],"min":[],"dat":{{}}}}]}}"#
        );
        answer(&mut m, Tag::Requests, 200, &asked, now);
        m.update(Event::Category("imm".to_owned()), &moment(now));
        m.update(Event::Step(Step::What), &moment(now));
        answer(&mut m, Tag::Records, 200, r#"{"bundle":"{}"}"#, now);
        assert_eq!(m.preview, Some(Err(FilterError::NotBundle)));
        let told = |m: &Model, text: Text| view::page(m).text().contains(text.ja);
        assert!(told(&m, text::AHEAD_UNREAD));
        m.update(Event::Step(Step::Until), &moment(now));
        assert_eq!(m.route, Route::Wizard(req.to_owned(), Step::What));
        m.update(Event::SetUntil(Until::Day), &moment(now));
        m.update(Event::Step(Step::Sign), &moment(now));
        assert_eq!(m.route, Route::Wizard(req.to_owned(), Step::What));
        m.update(Event::Go(Route::Records), &moment(now));
        answer(&mut m, Tag::Records, 200, r#"{"bundle":"{}"}"#, now);
        assert!(told(&m, text::RECORDS_UNREAD));
        assert!(!told(&m, text::RECORDS_NONE));
    }

    #[test]
    fn every_reason_has_one_of_seven_sentences() {
        let seven = [
            text::NO_AGAIN,
            text::NO_TEXT,
            text::NO_KEY,
            text::NO_PROXY,
            text::NO_AUD,
            text::NO_ENDED,
            text::NO_OURS,
        ];
        for reason in Reason::ALL {
            assert!(seven.contains(&Problem::of(reason.wire()).text));
        }
        assert_eq!(Problem::of("UNHEARD").text, text::NO_OURS);
        assert_eq!(Problem::of("UNHEARD").code, "UNHEARD");
    }

    #[test]
    fn each_screen_has_one_heading_and_at_most_one_primary_button() {
        for route in Route::FIXED {
            for lang in Lang::ALL {
                let mut m = started(&route.path());
                m.prefs.lang = lang;
                let page = view::page(&m);
                let all = page.all();
                let of = |tag: &str| all.iter().filter(|e| e.tag == tag).count();
                assert_eq!(of("h1"), 1, "{route:?}");
                let primary = all.iter().filter(|e| e.get("class") == Some("btn"));
                assert!(primary.count() <= 1, "{route:?}");
                assert!(!view::title(&m).starts_with('｜'), "{route:?}");
            }
        }
    }
}
