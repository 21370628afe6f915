//! The portal's state: `update` takes what happened and says what is to be done. No clock, no
//! randomness, no browser here: they come in with the event (ux-portal §8).

use std::collections::BTreeMap;

use warifu_consent::json::{self, Value, object};
use warifu_consent::{FilterError, Reason, b64};

use crate::care::{self, Bond, Books, Given, Keys, Mine, Waiting};
use crate::contact::{self, Contact};
use crate::history::{self, Found, History, Kept, Verdict};
use crate::preview::{Pages, Preview, Reach, Sight};
use crate::record::Record;
use crate::report::{self, Report};
use crate::route::Route;
use crate::seal::Secret;
use crate::shelf::{Looks, Shelf};
use crate::text::{self, Lang, Text};
use crate::wish::{Plan, SECOND_LOOK, Wish, WishStep};
use crate::wizard::{self, Draft, Hidden, Step, Unbound, Until};

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
    /// 記録をこの端末に残す
    pub records: bool,
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
            records: false,
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
        prefs.records = named("records") == Some("on");
        prefs
    }

    /// What is kept.
    pub fn write(self) -> Value {
        object([
            ("lang", self.lang.name().into()),
            ("size", u64::from(self.size).into()),
            ("theme", self.theme.name().into()),
            ("ruby", if self.ruby { "on" } else { "off" }.into()),
            ("records", if self.records { "on" } else { "off" }.into()),
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
        /// It goes with this page: the browser keeps nothing.
        fleeting: bool,
    },
    /// It could not be made.
    Failed,
    /// Whether there is one could not be read.
    Unread,
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
    /// The server does not know this key, or it was stopped.
    Refused,
    /// It was not opened for another reason, which is the problem shown.
    Failed,
}

/// What the last signed or refused thing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    None,
    /// A consent was recorded: its `jti`, and the number in the person's log.
    Given(String, u64),
    /// A request was refused: its id.
    Declined(String),
    /// A consent was ended: here at, elsewhere by, emergencies by.
    Ended(u64, u64, Option<u64>),
    /// S9, S10: what was decided, when the server took it, and its number in the person's log.
    Wished(Wish, u64, Option<u64>),
    /// S14: a key was stopped, as of this instant.
    Stopped(u64),
    /// S11: a mandate was ended, at this instant.
    Mandate(u64),
    /// S15: an emergency was objected to: its number.
    Objected(u64),
    /// S15: whom else to tell is kept.
    Contacts,
    /// S16: the desk has it, since this instant.
    Reported(u64),
}

/// S14: why somebody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// 新しい端末
    New,
    /// なくした
    Lost,
    /// 盗まれたかもしれない
    Stolen,
}

/// Why something signed or sent was not taken, in one of seven sentences (ux-portal §4), or too many came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The sentence.
    pub text: Text,
    /// Its slot `code`: the number of the reason.
    pub code: String,
    /// Its slot `when`.
    pub at: u64,
}

impl Problem {
    /// The sentence for a reason's name on the wire; `at` is when it may be tried again.
    pub fn of(code: &str, at: u64) -> Self {
        let reason = Reason::ALL.iter().find(|r| r.wire() == code);
        let text = match (reason, code) {
            (Some(reason), _) => sentence(*reason),
            (None, "RATE") => text::NO_RATE,
            (None, "REPORTS") => text::REPORT_MANY,
            (None, _) => text::NO_OURS,
        };
        Self {
            text,
            code: code.to_owned(),
            at,
        }
    }
}

/// Code of an answer that does not prove what it says.
const UNPROVEN: &str = "ANSWER";

/// Whether a key is not, or not any more, that of a person here.
fn is_of_key(code: &str) -> bool {
    code.starts_with("KEY_") || code == Reason::Sub.wire()
}

/// What is known of something that had no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unanswered {
    /// Nothing but reading was asked for.
    Read,
    /// The server says that it did nothing.
    NotDone,
    /// Whether it arrived is not known.
    Unsure,
}

/// What is asked again.
#[derive(Debug, Clone, PartialEq)]
struct Again {
    tag: Tag,
    known: Unanswered,
    effect: Effect,
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
    /// The session goes on.
    Stay,
    /// The session of before the page was loaded again.
    Resume,
    /// Key of the log.
    LogKey,
    /// The person's lines of the log.
    LogMine,
    /// A tile of the log.
    Tile,
    /// Nonce of what is decided unasked.
    WishNonce,
    /// What is decided unasked.
    Wish,
    /// Keys of the person who is acted for.
    TheirKeys,
    /// A key is stopped.
    StopKey,
    /// An objection to an emergency.
    Object,
    /// Whom else to tell of emergencies.
    Contacts,
    /// The same, changed.
    SetContacts,
    /// Something is wrong.
    Report,
    /// A grant that was made without a network.
    Offer,
    /// What recipients say of their copies.
    Erasures,
}

impl Tag {
    const ALL: [(&'static str, Self); 28] = [
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
        ("stay", Self::Stay),
        ("resume", Self::Resume),
        ("log-key", Self::LogKey),
        ("log-mine", Self::LogMine),
        ("tile", Self::Tile),
        ("wish-nonce", Self::WishNonce),
        ("wish", Self::Wish),
        ("their-keys", Self::TheirKeys),
        ("stop-key", Self::StopKey),
        ("object", Self::Object),
        ("contacts", Self::Contacts),
        ("set-contacts", Self::SetContacts),
        ("report", Self::Report),
        ("offer", Self::Offer),
        ("erasures", Self::Erasures),
    ];

    /// Whether it changes something.
    fn acts(self) -> bool {
        matches!(
            self,
            Self::Enrol
                | Self::Decline
                | Self::Give
                | Self::End
                | Self::Wish
                | Self::StopKey
                | Self::Object
                | Self::SetContacts
                | Self::Report
                | Self::Offer
        )
    }

    /// Whether it is about the person whose records these are, who may be acted for.
    fn is_of_person(self) -> bool {
        matches!(
            self,
            Self::Mine
                | Self::Requests
                | Self::Open
                | Self::Records
                | Self::Decline
                | Self::Give
                | Self::End
                | Self::Erasures
                | Self::LogMine
                | Self::WishNonce
                | Self::Wish
                | Self::TheirKeys
                | Self::Object
                | Self::Contacts
                | Self::SetContacts
        )
    }

    /// Whether its answer shows that the session goes on.
    fn in_session(self) -> bool {
        matches!(
            self,
            Self::Mine
                | Self::Requests
                | Self::Records
                | Self::Open
                | Self::Decline
                | Self::Give
                | Self::Erasures
                | Self::LogMine
                | Self::WishNonce
                | Self::Wish
                | Self::TheirKeys
                | Self::StopKey
                | Self::Object
                | Self::Contacts
                | Self::SetContacts
        )
    }

    /// Whether its button waits for the answer.
    fn is_busy(self) -> bool {
        matches!(
            self,
            Self::End | Self::StopKey | Self::Object | Self::SetContacts | Self::Report
        )
    }

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
        /// What is remembered of the log, or nothing.
        log: String,
        /// This window had a session before it was loaded again.
        resume: bool,
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
    Pass(Secret),
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
        /// Seconds after which the server wants to be asked again.
        after: Option<u64>,
    },
    /// Open the session now: the passphrase is typed.
    Prove,
    /// The session is to go on.
    Stay,
    /// What could not be read is to be read again.
    Retry,
    /// S5: a category is ticked or not.
    Category(String),
    /// S5: every category that is asked for and not individual.
    All,
    /// S5: this is left out, or not any more.
    Hide(Hidden),
    /// S5: the end.
    SetUntil(Until),
    /// S5: the day that is picked.
    Picked(String),
    /// S5: on to another page of the wizard.
    Step(Step),
    /// S5: refuse.
    Decline,
    /// S12: part of an institution's name, as typed.
    OfferFind(String),
    /// S12: the institution that is to see.
    OfferTo(String),
    /// S12: choose what it is to see: one individual category, or all that is not.
    Offer(Option<String>),
    /// Grants that were made without a network, as they were kept.
    Offers(String),
    /// S4: refuse whatever these recipients ask.
    DeclineAll(Vec<String>),
    /// S5: sign and show.
    Sign,
    /// S8: end the consent of this screen.
    Withdraw,
    /// S9, S10: this is to be decided.
    Wish(Wish),
    /// S9, S10: on to another page.
    WishStep(WishStep),
    /// S10: read for the second time.
    WishLook,
    /// S9, S10: sign.
    WishSign,
    /// S11: act for this person, or for oneself again.
    ActFor(Option<String>),
    /// S14: what happened.
    Trouble(Trouble),
    /// S14: stop this key.
    StopKey(String),
    /// S14: since when it may be in other hands, as typed.
    Since(String),
    /// S11: end this mandate, by the `jti` of its binding.
    EndMandate(String),
    /// S15: object to the emergency of this screen.
    Object,
    /// S15: name of a contact so far.
    ContactName(String),
    /// S15: how to reach them.
    ContactBy(&'static str),
    /// S15: address or number so far.
    ContactTo(String),
    /// S15: add the contact.
    ContactAdd,
    /// S15: leave out the contact of this place.
    ContactDrop(usize),
    /// S16: what it is about.
    ReportKind(&'static str),
    /// S16: what is told, so far.
    ReportText(String),
    /// S16: where an answer goes to, so far.
    ReportContact(String),
    /// S16: whether it is said from whom it is.
    ReportMine(bool),
    /// S16: tell the desk.
    ReportSend,
    /// What is kept on the device: answers, and pages of records in a second line.
    Shelf(String),
    /// Whether own records are kept on the device.
    SetRecords(bool),
    /// S6: by date, or by kind.
    ByDate(bool),
    /// Print the screen.
    Print,
    /// Save a consent as a file.
    Save(String),
    /// S7: look at the proofs again.
    CheckLog,
    /// S7: save what could not be confirmed.
    Evidence,
    /// S17: erasing everything is wanted; it is asked once more.
    AskErase,
    /// S17: erase everything.
    Erase,
    /// Everything is erased; whether the session was closed at the server too.
    Erased(bool),
    /// Not everything could be erased.
    NotErased,
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
    MakeKey(Option<Secret>),
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
        pass: Option<Secret>,
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
    /// Remember of the log.
    Keep(String),
    /// Keep on the device, sealed, under this name; nothing under it where the text is empty.
    Seal(&'static str, String),
    /// Give what is kept on the device under these names: [`SHELF`] or [`OFFERS`].
    Unseal(&'static str),
    /// Erase keys, caches, databases, worker.
    Erase,
    /// Activate the waiting version.
    Reload,
}

/// Names of all that is kept, in the order in which it is given.
pub const SHELF: &str = "last looks offers records";
/// Name of grants that were made without a network.
pub const OFFERS: &str = "offers";

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
    /// Since when there is none.
    pub offline: u64,
    /// Seconds UTC of the last event.
    pub now: u64,
    /// A new version waits.
    pub waiting: bool,
    /// The key.
    pub key: Key,
    /// The passphrase as typed; emptied when it was used.
    pub pass: Secret,
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
    /// S3: whether the registration arrived is not known.
    enrol_unsure: bool,
    /// The session.
    pub session: Session,
    /// When it was opened.
    session_at: u64,
    /// When it ends unless something is asked.
    pub session_ends: u64,
    /// When the last one ended.
    pub closed: Option<u64>,
    /// Keys of the person.
    pub keys: Keys,
    /// What binds the key of this device.
    pub bonds: Vec<Bond>,
    /// S11: the person who is acted for.
    pub acting: Option<Bond>,
    /// Keys of that person.
    their_keys: Keys,
    /// What is kept on the device from now on.
    shelf: Shelf,
    /// The same of who looked.
    looks: Looks,
    /// When what is shown was kept: there is no network and no session.
    pub shelved: Option<u64>,
    /// Policy, until the master is there too.
    policy: Option<warifu_consent::Policy>,
    /// Master, until the policy is there too.
    master: Option<warifu_consent::Master>,
    /// Names and texts.
    pub books: Option<Books>,
    /// Tokens of the person.
    pub mine: Option<Mine>,
    /// What recipients say of their copies; newest withdrawal first.
    pub erasures: Vec<care::Erasure>,
    /// Waiting requests.
    pub waiting_requests: Option<Vec<Waiting>>,
    /// Own records; kept only where the person wants it.
    pub records: Pages,
    /// All of them are here.
    pub records_whole: bool,
    /// The same as people know them, read once; or why they cannot be read.
    pub listed: Option<Result<Vec<Record>, FilterError>>,
    /// They are being read.
    reading: bool,
    /// S7: who looked, and whether that is to be believed.
    pub history: Option<History>,
    /// What is remembered of the log.
    pub kept: Kept,
    /// Key of the log.
    log_key: Option<Value>,
    /// The person's lines as they came, and when.
    log_mine: Option<(Value, u64)>,
    /// Tiles of the log, by path.
    tiles: BTreeMap<String, Vec<u8>>,
    /// Whether there may be a session of before the page was loaded again.
    resume: bool,
    /// S6: by date, else by kind.
    pub by_date: bool,
    /// S6: the screen before was one of records too.
    within: bool,
    /// S5: what the recipients would see, or why it cannot be said; then nothing is signed.
    pub preview: Option<Result<Preview, FilterError>>,
    /// S5: what its ticks could come to.
    pub reach: Option<Reach>,
    /// S5: choices.
    pub draft: Option<Draft>,
    /// S9, S10: choices.
    pub plan: Option<Plan>,
    /// S12: part of the name of an institution, as typed.
    pub offer_find: String,
    /// S12: the institution that is to see.
    pub offer_to: String,
    /// S12: grants that were made without a network, until the server has them.
    pub offers: Vec<Given>,
    /// S15: whom else to tell of emergencies.
    pub contacts: Option<Vec<Contact>>,
    /// S15: one more, as typed.
    pub contact: Contact,
    /// S16: what is to be told, as typed.
    pub report: Report,
    /// S14: why the person is there.
    pub trouble: Option<Trouble>,
    /// S14: since when a key may be in other hands, as typed.
    pub since: String,
    /// S4: requests that are being refused together.
    pub refusing: Vec<String>,
    /// S5, S8: what came of it.
    pub outcome: Outcome,
    /// S5, S8: why it was not taken.
    pub problem: Option<Problem>,
    /// S8, S17: on its way.
    pub busy: bool,
    /// S5: request and group of the grant that is on its way.
    giving: Option<(String, String)>,
    /// S5: the request is opened again once the books are new.
    reopen: bool,
    /// What is on its way.
    sent: Vec<(Tag, Effect)>,
    /// What had no answer.
    unanswered: Vec<Again>,
    /// When it is asked again.
    again_at: u64,
    /// What the polite live region says.
    pub said: Option<Text>,
    /// Group of the request that was answered last.
    pub last_group: String,
    /// `jti` of the wish or end that was taken last: its receipt is offered.
    pub signed: Option<String>,
    /// S17: whether it is meant is asked.
    pub erasing: bool,
    /// S17: everything is erased.
    pub erased: bool,
    /// S17: the server could not be told; the session ends by itself by then.
    pub lingers: Option<u64>,
}

/// Characters a passphrase needs.
pub const PASS_LEAST: usize = 12;
/// Seconds until all institutions have stopped, where the server does not say (consent.md §8.2).
pub const STOPS_AFTER: u64 = 16 * 60;
/// Seconds after which a session ends in which nothing is asked. The server notes the last use once a
/// minute.
const IDLE: u64 = 900;
/// Seconds after which it ends in any case.
const LONGEST: u64 = 8 * 3600;
/// Seconds before its end at which that is said.
pub const ENDS_SOON: u64 = 120;
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
            offline: 0,
            now: 0,
            waiting: false,
            key: Key::Unknown,
            pass: Secret::default(),
            show_pass: false,
            lacks: Vec::new(),
            code: String::new(),
            birth: String::new(),
            enrol: Enrol::Form,
            enrol_unsure: false,
            session: Session::None,
            session_at: 0,
            session_ends: 0,
            closed: None,
            keys: Keys::default(),
            bonds: Vec::new(),
            acting: None,
            their_keys: Keys::default(),
            shelf: Shelf::default(),
            looks: Looks::default(),
            shelved: None,
            policy: None,
            master: None,
            books: None,
            mine: None,
            erasures: Vec::new(),
            waiting_requests: None,
            records: Pages::default(),
            records_whole: false,
            listed: None,
            reading: false,
            history: None,
            kept: Kept::default(),
            log_key: None,
            log_mine: None,
            tiles: BTreeMap::new(),
            resume: false,
            by_date: false,
            within: false,
            preview: None,
            reach: None,
            draft: None,
            plan: None,
            offer_find: String::new(),
            offer_to: String::new(),
            offers: Vec::new(),
            contacts: None,
            contact: Contact::default(),
            report: Report::default(),
            trouble: None,
            since: String::new(),
            refusing: Vec::new(),
            outcome: Outcome::None,
            problem: None,
            busy: false,
            giving: None,
            reopen: false,
            sent: Vec::new(),
            unanswered: Vec::new(),
            again_at: 0,
            said: None,
            last_group: String::new(),
            signed: None,
            erasing: false,
            erased: false,
            lingers: None,
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
        let mut effects = Vec::new();
        if self.session == Session::Open && self.now >= self.session_ends {
            effects = self.close(self.session_ends);
        }
        effects.extend(self.happened(event, moment));
        if let Some(person) = self.acting.as_ref().and_then(|b| b.person.as_ref()) {
            for effect in &mut effects {
                if let Effect::Http { tag, path, .. } = effect
                    && tag.is_of_person()
                    && !path.contains('?')
                {
                    path.push_str("?for=");
                    path.push_str(person);
                }
            }
        }
        for effect in &effects {
            if let Effect::Http { tag, .. } = effect {
                self.sent.retain(|(t, _)| t != tag);
                self.unanswered.retain(|a| a.tag != *tag);
                self.sent.push((*tag, effect.clone()));
            }
        }
        effects
    }

    fn happened(&mut self, event: Event, moment: &Moment) -> Vec<Effect> {
        match event {
            Event::Started {
                path,
                prefs,
                browser,
                origin,
                keeps,
                log,
                resume,
            } => {
                self.started = true;
                self.kept = Kept::read(&log);
                self.resume = resume;
                self.prefs = Prefs::read(&prefs, &browser);
                self.origin = origin;
                self.keeps = keeps;
                self.route = Route::parse(&path);
                let mut effects = vec![Effect::Prefs(self.prefs), Effect::FindKey];
                if self.route == Route::Report {
                    effects.extend(self.arrive());
                }
                effects
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
                if self.online && !online {
                    self.offline = self.now;
                }
                self.online = online;
                if online { self.back() } else { self.unshelve() }
            }
            Event::Tick if self.again_at <= self.now => self.retry(),
            Event::Tick => Vec::new(),
            Event::Stay => vec![get(Tag::Stay, "/session")],
            Event::Retry => self.read_again(),
            Event::Waiting => {
                self.waiting = true;
                Vec::new()
            }
            Event::Reload => vec![Effect::Reload],
            Event::SetLang(lang) => {
                let mut effects = self.set(|p| p.lang = lang);
                effects.extend(self.word_again(moment));
                effects
            }
            Event::SetSize(size) => self.set(|p| p.size = size),
            Event::SetTheme(theme) => self.set(|p| p.theme = theme),
            Event::SetRuby(on) => self.set(|p| p.ruby = on),
            Event::SetRecords(on) => {
                let mut effects = self.set(|p| p.records = on);
                if on {
                    effects.extend(self.put_records());
                } else {
                    effects.push(Effect::Seal("records", String::new()));
                }
                effects
            }
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
                self.still(None);
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
                self.still(None);
                match tag {
                    Tag::EnrolNonce | Tag::Enrol => self.enrol_refused(&code),
                    Tag::SessionNonce | Tag::Session => self.session_refused(&code),
                    _ => self.not_taken(&code),
                }
            }
            Event::Answer {
                tag,
                status,
                body,
                after,
            } => self.answer(tag, status, &body, after, moment),
            Event::Prove => self.open_session(),
            Event::Category(cat) if self.is_planning() => self.replan(|p| {
                if !p.cats.remove(&cat) {
                    p.cats.insert(cat);
                }
            }),
            Event::All if self.is_planning() => self.plan_all(),
            Event::SetUntil(until) if self.is_planning() => self.replan(|p| p.until = Some(until)),
            Event::Picked(day) if self.is_planning() => self.replan(|p| p.picked = day),
            Event::Category(cat) => self.change(|d| {
                if !d.cats.remove(&cat) {
                    d.cats.insert(cat);
                }
            }),
            Event::All => self.tick_all(),
            Event::Hide(one) => self.change(|d| {
                if !d.hidden.remove(&one) {
                    d.hidden.insert(one);
                }
            }),
            Event::SetUntil(until) => self.change(|d| d.until = Some(until)),
            Event::Picked(day) => self.change(|d| d.picked = day),
            Event::Wish(wish) => self.wish(wish),
            Event::WishStep(step) => self.wish_step(step),
            Event::WishLook => self.look_again(),
            Event::WishSign => self.sign_wish(moment),
            Event::ActFor(person) => self.act_for(person.as_deref()),
            Event::Trouble(trouble) => {
                self.trouble = Some(trouble);
                Vec::new()
            }
            Event::StopKey(kid) => self.stop_key(&kid),
            Event::Since(text) => {
                self.since = text;
                Vec::new()
            }
            Event::EndMandate(jti) => self.end_mandate(&jti, moment),
            Event::Object => self.object(),
            Event::ContactName(text) => {
                self.contact.name = text;
                Vec::new()
            }
            Event::ContactBy(by) => {
                by.clone_into(&mut self.contact.by);
                Vec::new()
            }
            Event::ContactTo(text) => {
                self.contact.to = text;
                Vec::new()
            }
            Event::ContactAdd => self.add_contact(),
            Event::ContactDrop(at) => self.drop_contact(at),
            Event::ReportKind(kind) => {
                kind.clone_into(&mut self.report.kind);
                Vec::new()
            }
            Event::ReportText(text) => {
                self.report.text = text;
                Vec::new()
            }
            Event::ReportContact(text) => {
                self.report.contact = text;
                Vec::new()
            }
            Event::ReportMine(mine) => {
                self.report.mine = mine;
                Vec::new()
            }
            Event::ReportSend => self.send_report(),
            Event::Shelf(text) => self.shelf_is(&text),
            Event::OfferFind(text) => {
                self.offer_find = text;
                Vec::new()
            }
            Event::OfferTo(code) => {
                self.offer_to = code;
                self.lacks.clear();
                Vec::new()
            }
            Event::Offer(cat) => self.offer(cat, moment),
            Event::Offers(text) => self.offers_are(&text),
            Event::Step(step) => self.step(step),
            Event::Decline => self.decline(),
            Event::DeclineAll(aud) => self.decline_all(&aud),
            Event::Sign => self.sign_grant(moment),
            Event::Withdraw => self.withdraw(moment),
            Event::ByDate(on) => {
                self.by_date = on;
                Vec::new()
            }
            Event::Print => vec![Effect::Print],
            Event::Save(jti) => self.save(&jti),
            Event::CheckLog => {
                self.problem = None;
                self.said = Some(text::HISTORY_CHECKING);
                Self::log()
            }
            Event::Evidence => self.evidence(),
            Event::AskErase => {
                self.problem = None;
                self.erasing = true;
                vec![Effect::Focus("h1")]
            }
            Event::Erase if self.busy || !self.erasing => Vec::new(),
            Event::Erase => {
                self.problem = None;
                self.busy = true;
                vec![Effect::Erase]
            }
            Event::NotErased => {
                self.still(None);
                self.problem = Some(Problem {
                    text: text::BYE_NOT_ERASED,
                    ..Problem::of("", 0)
                });
                vec![Effect::Focus("[role=alert]")]
            }
            Event::Erased(closed) => {
                let by = whole_minute(self.now.saturating_add(IDLE));
                *self = Self {
                    prefs: self.prefs,
                    started: true,
                    origin: std::mem::take(&mut self.origin),
                    keeps: self.keeps,
                    online: self.online,
                    offline: self.offline,
                    now: self.now,
                    route: Route::Bye,
                    key: Key::None,
                    erased: true,
                    lingers: (!closed).then_some(by),
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
        self.within = self.route.is_records() && route.is_records();
        self.route = route;
        self.lacks.clear();
        self.said = None;
        self.pass = Secret::default();
        self.show_pass = false;
        self.problem = None;
        self.erasing = false;
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
        if self.route == Route::Report {
            self.outcome = Outcome::None;
            // The desk's address is public.
            let mut effects = if self.books.is_none() && self.online {
                vec![get(Tag::Policy, "/policy"), get(Tag::Master, "/master")]
            } else {
                Vec::new()
            };
            // Saying from whom it is takes a session: one of before is gone on with, none is asked for.
            let known = self.session != Session::Open && matches!(self.key, Key::Here { .. });
            if known && self.online && std::mem::take(&mut self.resume) {
                self.session = Session::Proving;
                effects.push(get(Tag::Resume, "/session"));
            }
            return effects;
        }
        if !self.route.wants_session() || !matches!(self.key, Key::Here { .. }) {
            return Vec::new();
        }
        if let Route::Wizard(req, step) = &self.route
            && self.is_offering()
        {
            let (req, step) = (req.clone(), *step);
            return self.at_step(&req, step);
        }
        if self.session != Session::Open && !self.online {
            return self.unshelve();
        }
        if self.session != Session::Open && std::mem::take(&mut self.resume) {
            self.session = Session::Proving;
            return vec![get(Tag::Resume, "/session")];
        }
        if self.session != Session::Open {
            return if self.sealed() || self.closed.is_some() {
                // The screen asks for the passphrase, or tells that the session was closed.
                Vec::new()
            } else {
                self.open_session()
            };
        }
        match self.route.clone() {
            Route::Wizard(req, step) => self.at_step(&req, step),
            Route::Devices if self.mine.is_none() => Self::all(),
            Route::Home => {
                let mut effects = Self::fetch();
                effects.extend(Self::log());
                effects
            }
            Route::Consents => Self::fetch(),
            Route::Consent(_) => vec![get(Tag::Erasures, "/erasures")],
            Route::History => {
                let mut effects = Self::log();
                effects.extend(self.looked_at());
                effects
            }
            // Between its own pages nothing is read again: each reading is a line of the log.
            Route::Records | Route::Category(_) | Route::Item(_)
                if self.within && self.listed.is_some() =>
            {
                Vec::new()
            }
            Route::Records | Route::Category(_) | Route::Item(_) => self.read_records(),
            // What the holder told of stands in the log.
            Route::Secondary(WishStep::Start) => {
                let mut effects = self.at_wish(WishStep::Start);
                effects.extend(Self::log());
                effects
            }
            Route::Secondary(step) | Route::Emergency(step) => self.at_wish(step),
            Route::Contacts => {
                self.outcome = Outcome::None;
                vec![get(Tag::Contacts, "/contacts")]
            }
            Route::Notice(_) | Route::Access(_) if self.history.is_none() => Self::log(),
            Route::Notice(n) => self.noticed(n),
            _ => Vec::new(),
        }
    }

    fn fetch() -> Vec<Effect> {
        vec![
            get(Tag::Mine, "/consent/mine"),
            get(Tag::Requests, "/requests"),
        ]
    }

    fn log() -> Vec<Effect> {
        vec![get(Tag::LogKey, "/log/key"), get(Tag::LogMine, "/log/mine")]
    }

    fn open_session(&mut self) -> Vec<Effect> {
        if self.session == Session::Proving {
            return Vec::new();
        }
        if self.sealed() && self.pass.is_empty() {
            return self.lack(vec![lack("pass", text::KEY_PASS_ASK, 0)]);
        }
        self.lacks.clear();
        self.problem = None;
        self.session = Session::Proving;
        self.said = Some(text::LOADING);
        vec![post(Tag::SessionNonce, "/nonce", object([]))]
    }

    fn session_opened(&mut self, value: Option<&Value>) {
        self.session = Session::Open;
        self.session_at = self.now;
        self.closed = None;
        self.shelved = None;
        self.keys = value.map(Keys::read).unwrap_or_default();
        self.bonds = value.map(Bond::all).unwrap_or_default();
        self.acting = None;
        self.their_keys = Keys::default();
        self.shelf.session = value.map(Value::write).unwrap_or_default();
        let exp = value.and_then(|v| v.get("exp")?.int());
        self.session_ends = exp.unwrap_or(self.now.saturating_add(IDLE));
    }

    fn session_refused(&mut self, code: &str) -> Vec<Effect> {
        if is_of_key(code) {
            self.session = Session::Refused;
            if std::mem::take(&mut self.enrol_unsure) && self.enrol == Enrol::Busy {
                // It had not arrived.
                self.session = Session::None;
                self.enrol = Enrol::Form;
                return self.ask_to_enrol();
            }
            return vec![Effect::Focus("[role=alert]")];
        }
        self.session = Session::Failed;
        if self.enrol == Enrol::Busy {
            self.enrol = Enrol::Form;
        }
        self.not_taken(code)
    }

    /// The session is over: what is the person's leaves the page; what was chosen stays.
    fn close(&mut self, at: u64) -> Vec<Effect> {
        self.session = Session::None;
        self.closed = Some(at);
        self.mine = None;
        self.erasures.clear();
        self.waiting_requests = None;
        self.preview = None;
        self.problem = None;
        self.said = None;
        self.history = None;
        self.log_mine = None;
        self.tiles.clear();
        self.forget_contacts();
        self.forget_records();
        // Ending a consent needs no session.
        self.unanswered.retain(|a| a.tag == Tag::End);
        self.sent.retain(|(tag, _)| *tag == Tag::End);
        self.shelf = Shelf::default();
        self.looks = Looks::default();
        if self.keeps {
            self.offers.clear();
        }
        self.acting = None;
        self.trouble = None;
        self.outcome = Outcome::None;
        self.signed = None;
        if let Some(draft) = &mut self.draft {
            draft.loosen();
            draft.busy = false;
        }
        if let Some(plan) = &mut self.plan {
            plan.loosen();
        }
        let mut effects = self.unshelve();
        if self.route.needs_session() {
            effects.push(Effect::Focus("h1"));
        }
        effects
    }

    /// What was on its way is not any more; without a tag, nothing is.
    fn still(&mut self, tag: Option<Tag>) {
        self.said = None;
        if tag.is_none_or(Tag::is_busy) {
            self.busy = false;
        }
        if tag.is_none_or(|t| t == Tag::Wish)
            && let Some(plan) = &mut self.plan
        {
            plan.busy = false;
        }
        if tag.is_none_or(|t| matches!(t, Tag::Give | Tag::Decline))
            && let Some(draft) = &mut self.draft
        {
            draft.busy = false;
        }
    }

    fn not_taken(&mut self, code: &str) -> Vec<Effect> {
        self.problem = Some(Problem::of(code, whole_minute(self.now + AGAIN_AFTER)));
        vec![Effect::Focus("[role=alert]")]
    }

    /// Everything the screen needs, after a problem.
    fn read_again(&mut self) -> Vec<Effect> {
        self.problem = None;
        if self.session != Session::Open {
            return self.open_session();
        }
        let mut effects = Self::all();
        let lists = match &self.route {
            Route::Wizard(_, step) => self
                .draft
                .as_ref()
                .is_some_and(|d| d.preview_step() == *step),
            route => *route == Route::Records,
        };
        if lists {
            effects.extend(self.read_records());
        }
        if self.route == Route::Contacts {
            effects.push(get(Tag::Contacts, "/contacts"));
        }
        effects
    }

    // ── S5 ──────────────────────────────────────────────────────────────────────────────────────

    fn change(&mut self, how: impl FnOnce(&mut Draft)) -> Vec<Effect> {
        if let Some(draft) = &mut self.draft {
            how(draft);
            draft.loosen();
            self.lacks.clear();
        }
        self.look_ahead();
        Vec::new()
    }

    /// What the recipients would see now, and what each tick would add: other choices of the same records.
    fn look_ahead(&mut self) {
        let (books, mine, draft) = (&self.books, &self.mine, &self.draft);
        let (Some(books), Some(mine), Some(draft)) = (books, mine, draft) else {
            self.preview = None;
            return;
        };
        let seen = |listed: &[Record], reach: &mut Option<Reach>| {
            let sight = Sight {
                policy: &books.policy,
                mine,
                keys: &self.keys,
                own: &self.records,
                listed,
                now: self.now,
            };
            if !draft.asked.individual && !reach.as_ref().is_some_and(|r| r.is_of(draft)) {
                *reach = Some(sight.reach(draft)?);
            }
            sight.preview(draft)
        };
        let mut reach = self.reach.take();
        let listed = self.listed.as_ref().filter(|_| self.records_whole);
        self.preview = listed.map(|listed| match listed {
            Ok(all) => seen(all, &mut reach),
            Err(e) => Err(*e),
        });
        self.reach = reach;
    }

    /// The same, of records or consents that were read again.
    fn look_anew(&mut self) {
        self.reach = None;
        self.look_ahead();
    }

    /// What would be seen cannot be said: the screen tells it, and nothing is signed.
    fn is_unseen(&self) -> bool {
        matches!(self.preview, Some(Err(_)))
    }

    /// Own records from the beginning.
    fn read_records(&mut self) -> Vec<Effect> {
        if self.reading {
            return Vec::new();
        }
        self.forget_records();
        self.reading = true;
        self.preview = None;
        vec![disclose(None)]
    }

    fn forget_records(&mut self) {
        self.records = Pages::default();
        self.records_whole = false;
        self.listed = None;
        self.reading = false;
    }

    fn list_records(&mut self) {
        self.listed = match &self.books {
            Some(books) if self.records_whole => Some(self.records.listed(&books.policy)),
            _ => None,
        };
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
        if let Some(draft) = self.draft.as_ref().filter(|_| self.is_offering()) {
            return match step {
                Step::Sign => self.open_request(),
                _ if draft.preview_step() != step => Vec::new(),
                _ if self.session == Session::Open && self.online => self.read_records(),
                _ => {
                    self.look_ahead();
                    Vec::new()
                }
            };
        }
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
        if self.is_nameless() {
            return self.not_taken(Reason::AudUnknown.wire());
        }
        match step {
            Step::Sign => self.open_request(),
            _ if self
                .draft
                .as_ref()
                .is_some_and(|d| d.preview_step() == step) =>
            {
                self.read_records()
            }
            _ => Vec::new(),
        }
    }

    /// A recipient has no name here: nobody can say who that is.
    fn is_nameless(&self) -> bool {
        let named = |(books, draft): (&Books, &Draft)| draft.asked.aud.iter().all(|a| books.has(a));
        !self
            .books
            .as_ref()
            .zip(self.draft.as_ref())
            .is_none_or(named)
    }

    fn step(&mut self, step: Step) -> Vec<Effect> {
        let Some(draft) = &self.draft else {
            return Vec::new();
        };
        if step != Step::Who && self.is_nameless() {
            return self.not_taken(Reason::AudUnknown.wire());
        }
        if matches!(step, Step::Until) && draft.cats.is_empty() {
            return self.lack(vec![lack("cats", text::WHAT_LEFT, 0)]);
        }
        if matches!(step, Step::Until | Step::Sign) && self.is_unseen() {
            return vec![Effect::Focus("[role=alert]")];
        }
        // Without a network the records are not here, unless they were kept, which is told.
        let unseen = self.preview.is_none() && !self.is_blind();
        if matches!(step, Step::Until | Step::Sign) && unseen {
            // Nobody decides before what would be seen is there.
            let lists = draft.preview_step();
            if self.route == Route::Wizard(draft.asked.req.clone(), lists) {
                self.said = Some(text::LOADING);
                return Vec::new();
            }
            return self.step(lists);
        }
        let step = match step {
            Step::Until if draft.offered.is_some() => Step::Sign,
            step => step,
        };
        if matches!(step, Step::Sign) {
            match draft.until {
                None => return self.lack(vec![lack("until-0", text::UNTIL_LEFT, 0)]),
                Some(until)
                    if until
                        .ends(self.now, &draft.picked, self.longest())
                        .is_none() =>
                {
                    let days = usize::try_from(self.longest()).unwrap_or_default();
                    return self.lack(vec![lack("picked", text::UNTIL_PICK_LEFT, days)]);
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
            let step = draft.preview_step();
            return self.step(step);
        }
        if draft.bound.is_some() {
            return Vec::new();
        }
        if let Some(random) = draft.offered {
            let now = self.now;
            return self.word(&Moment { now, random });
        }
        let path = format!("/requests/{}/open", draft.asked.req);
        self.said = Some(text::LOADING);
        vec![post(Tag::Open, &path, object([]))]
    }

    /// Days that a consent may last: what the policy allows, and not above a year, which would have to be
    /// read twice.
    pub fn longest(&self) -> u64 {
        let books = self.books.as_ref();
        books.map_or(wizard::LONGEST_DAYS, |b| {
            b.policy.longest_days.min(wizard::LONGEST_DAYS)
        })
    }

    fn opened(&mut self, body: &str, req: &str, moment: &Moment) -> Vec<Effect> {
        let token = care::answer(body);
        let token = token.as_ref().and_then(|v| v.get("token")?.text());
        let claims = token.and_then(care::request_claims);
        let Some(draft) = self.draft.as_mut().filter(|d| d.asked.req == req) else {
            // The person went on to another one.
            return Vec::new();
        };
        let Some(claims) = claims else {
            return self.not_taken(UNPROVEN);
        };
        draft.token = Some(claims);
        self.word(moment)
    }

    /// The text to sign, in the language of the screens.
    fn word(&mut self, moment: &Moment) -> Vec<Effect> {
        let act = self.acting.as_ref().map(Bond::act);
        let (Some(books), Some(mine), Some(draft)) = (&self.books, &self.mine, &mut self.draft)
        else {
            // They are on their way.
            return Vec::new();
        };
        match draft.bind(books, &mine.sub, self.prefs.lang, act, moment) {
            Ok(bound) => {
                draft.bound = Some(bound);
                Vec::new()
            }
            Err(Unbound::Stale) if !draft.renewed => {
                draft.renewed = true;
                draft.loosen();
                self.renew_books()
            }
            Err(why) => {
                draft.loosen();
                match why {
                    Unbound::Other => self.not_taken(Reason::TextMismatch.wire()),
                    Unbound::Stale => self.not_taken(Reason::TextUnknown.wire()),
                    Unbound::Refused(refusal) => self.not_taken(refusal.reason.wire()),
                }
            }
        }
    }

    /// The same, for a request that was opened before what the text is made of was here.
    fn word_late(&mut self, moment: &Moment) -> Vec<Effect> {
        match &self.draft {
            Some(draft) if draft.token.is_some() && draft.bound.is_none() => self.word(moment),
            _ => Vec::new(),
        }
    }

    /// Policy and master are not those of the server any more.
    fn renew_books(&mut self) -> Vec<Effect> {
        self.policy = None;
        self.master = None;
        self.reopen = true;
        vec![get(Tag::Policy, "/policy"), get(Tag::Master, "/master")]
    }

    /// After a change of language: what is signed is what is shown.
    fn word_again(&mut self, moment: &Moment) -> Vec<Effect> {
        if self
            .plan
            .as_ref()
            .is_some_and(|p| p.bound.is_some() && !p.busy)
        {
            return self.word_wish(moment);
        }
        match &self.draft {
            Some(draft) if draft.bound.is_some() && !draft.busy => self.word(moment),
            _ => Vec::new(),
        }
    }

    fn decline(&mut self) -> Vec<Effect> {
        if self.is_offering() {
            self.draft = None;
            return self.go(Route::Show);
        }
        let waits = self.waits_for(Tag::Decline);
        let Some(draft) = &mut self.draft else {
            return Vec::new();
        };
        if waits || std::mem::replace(&mut draft.busy, true) {
            return Vec::new();
        }
        vec![refusal(&draft.asked.req)]
    }

    /// Whatever these recipients ask, one request after another.
    fn decline_all(&mut self, aud: &[String]) -> Vec<Effect> {
        if self.waits_for(Tag::Decline) || !self.refusing.is_empty() {
            return Vec::new();
        }
        self.problem = None;
        let all = self.waiting_requests.iter().flatten();
        self.refusing = all
            .filter(|w| w.aud == aud)
            .map(|w| w.req.clone())
            .collect();
        self.refuse_next()
    }

    fn refuse_next(&mut self) -> Vec<Effect> {
        let Some(next) = self.refusing.first() else {
            return Vec::new();
        };
        vec![refusal(next)]
    }

    fn sign_grant(&mut self, moment: &Moment) -> Vec<Effect> {
        let waits = self.waits_for(Tag::Give);
        if self.is_unseen() {
            let step = self.draft.as_ref().map_or(Step::Who, Draft::preview_step);
            return self.step(step);
        }
        if self.sealed() && self.pass.is_empty() {
            return self.lack(vec![lack("pass", text::KEY_PASS_ASK, 0)]);
        }
        let Some(draft) = &mut self.draft else {
            return Vec::new();
        };
        let Some(bound) = draft.bound.as_ref().filter(|_| !draft.busy && !waits) else {
            return Vec::new();
        };
        if bound.lang != self.prefs.lang {
            return self.word(moment);
        }
        let claims = bound.claims.clone();
        draft.busy = true;
        self.giving = Some((draft.asked.req.clone(), draft.asked.group.clone()));
        self.lacks.clear();
        self.problem = None;
        self.said = Some(text::SIGNING);
        vec![self.sign(Tag::Give, "consent-grant+jwt", claims)]
    }

    // ── S12 ─────────────────────────────────────────────────────────────────────────────────────

    /// Whether the wizard of this screen is about what nobody asked for.
    pub fn is_offering(&self) -> bool {
        let here = |d: &Draft| matches!(&self.route, Route::Wizard(req, _) if *req == d.asked.req);
        let draft = self.draft.as_ref().filter(|d| here(d));
        draft.is_some_and(|d| d.offered.is_some())
    }

    /// Whether what would be seen cannot be said, since records are not kept on the device.
    pub fn is_blind(&self) -> bool {
        let read = self.session == Session::Open && self.online;
        self.is_offering() && !read && !self.records_whole
    }

    /// Choices for one institution, without a request.
    fn offer(&mut self, cat: Option<String>, moment: &Moment) -> Vec<Effect> {
        let Some(books) = self.books.as_ref().filter(|_| self.acting.is_none()) else {
            return Vec::new();
        };
        if !books.master.has(&self.offer_to) {
            return self.lack(vec![lack("offer-0", text::OFFER_TO_NONE, 0)]);
        }
        let (single, cats) = match cat {
            Some(cat) => (true, vec![cat]),
            None => (false, books.general()),
        };
        let draft = Draft::offer(&self.offer_to, cats, single, moment.random);
        let route = Route::Wizard(draft.asked.req.clone(), draft.preview_step());
        self.draft = Some(draft);
        self.preview = None;
        self.outcome = Outcome::None;
        self.go(route)
    }

    /// It is signed: it is shown as QR, kept, and the server gets it as soon as there is a network.
    fn offered(&mut self, token: &str) -> Vec<Effect> {
        let bound = self.draft.as_ref().and_then(|d| d.bound.as_ref());
        let annex = bound.map_or_else(String::new, |b| b64::encode(&b.annex.to_bytes()));
        let Some(given) = Given::offered(token, &annex, self.now, &self.keys) else {
            return self.not_taken(UNPROVEN);
        };
        let route = Route::Qr(given.jti().to_owned());
        self.draft = None;
        self.giving = None;
        self.offers.push(given);
        self.show_offers();
        let mut effects = vec![self.seal_offers()];
        effects.extend(self.go(route));
        effects.extend(self.deliver());
        effects
    }

    fn seal_offers(&self) -> Effect {
        Effect::Seal(OFFERS, crate::shelf::write_offers(&self.offers))
    }

    /// They stand among the person's consents.
    fn show_offers(&mut self) {
        let Some(mine) = &mut self.mine else { return };
        for offer in &self.offers {
            if offer.token.text("sub") == mine.sub && mine.find(offer.jti()).is_none() {
                mine.given.push(offer.clone());
            }
        }
    }

    /// What was kept, of the key that is here.
    fn offers_are(&mut self, text: &str) -> Vec<Effect> {
        for offer in crate::shelf::read_offers(text, &self.keys) {
            if !self.offers.iter().any(|o| o.jti() == offer.jti()) {
                self.offers.push(offer);
            }
        }
        self.show_offers();
        self.deliver()
    }

    /// The oldest that the server does not have.
    fn deliver(&self) -> Vec<Effect> {
        let ready = self.online && self.session == Session::Open && self.acting.is_none();
        let first = self
            .offers
            .first()
            .filter(|_| ready && !self.waits_for(Tag::Offer));
        let Some(offer) = first else {
            return Vec::new();
        };
        let annex = offer.annex.as_deref().map(b64::encode).unwrap_or_default();
        let body = object([
            ("annex", annex.into()),
            ("token", offer.text.as_str().into()),
        ]);
        vec![post(Tag::Offer, "/consent/tokens", body)]
    }

    /// The server has it, or will never take it.
    fn delivered(&mut self, sent: Option<&Effect>) -> Vec<Effect> {
        let jti = sent.and_then(jti_of);
        self.offers.retain(|o| Some(o.jti()) != jti.as_deref());
        let mut effects = vec![self.seal_offers()];
        effects.extend(Self::fetch());
        effects.extend(self.deliver());
        effects
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
        let act = self.acting.as_ref().map(Bond::act);
        let claims = wizard::revoke(&mine.sub, &jti, act, moment);
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
        let all = std::mem::take(&mut self.unanswered);
        all.into_iter().map(|a| a.effect).collect()
    }

    /// Whether an earlier one has no answer yet.
    fn waits_for(&self, tag: Tag) -> bool {
        self.unanswered.iter().any(|a| a.tag == tag) || self.sent.iter().any(|(t, _)| *t == tag)
    }

    /// When something that had no answer is asked again, and what is known of it.
    pub fn again(&self) -> Option<(u64, Unanswered)> {
        let worst = self.unanswered.iter().map(|a| a.known).max()?;
        Some((self.again_at, worst))
    }

    // ── S2 ──────────────────────────────────────────────────────────────────────────────────────

    fn make_key(&mut self) -> Vec<Effect> {
        let pass = match self.key {
            Key::NeedsPass => {
                let missing = PASS_LEAST.saturating_sub(self.pass.count());
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
                self.pass = Secret::default();
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
        let code = digits(&self.code);
        let mut lacks = Vec::new();
        if code.len() != 16 {
            lacks.push(lack("code", text::ENROL_CODE_LEFT, code.len()));
        }
        if birth_date(&self.birth).is_none() {
            lacks.push(lack("birth", text::ENROL_BIRTH_LEFT, 0));
        }
        if self.sealed() && self.pass.is_empty() {
            lacks.push(lack("pass", text::KEY_PASS_ASK, 0));
        }
        if !lacks.is_empty() {
            return self.lack(lacks);
        }
        self.lacks.clear();
        self.problem = None;
        self.enrol = Enrol::Busy;
        self.said = Some(text::ENROL_BUSY);
        if self.enrol_unsure {
            // A code counts once: whether the key is known by now is looked at first.
            self.session = Session::Proving;
            return vec![post(Tag::SessionNonce, "/nonce", object([]))];
        }
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
            Tag::Give if self.draft.as_ref().is_some_and(|d| d.offered.is_some()) => {
                self.offered(&token)
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
            Tag::Wish => self.wish_signed(&token),
            // The registration was given up meanwhile.
            Tag::EnrolNonce if self.enrol != Enrol::Busy => Vec::new(),
            Tag::EnrolNonce => {
                let birth = birth_date(&self.birth).unwrap_or_default();
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

    fn answer(
        &mut self,
        tag: Tag,
        status: u16,
        body: &str,
        after: Option<u64>,
        moment: &Moment,
    ) -> Vec<Effect> {
        self.still(Some(tag));
        let place = self.sent.iter().position(|(t, _)| *t == tag);
        let sent = place.map(|at| self.sent.remove(at).1);
        let value = care::answer(body);
        let text = |name: &str| {
            let value = value.as_ref()?.get(name)?.text()?;
            Some(value.to_owned())
        };
        let code = text("code").unwrap_or_default();
        let known = match (status, code.as_str()) {
            (503, "BUSY" | "STORE") => Some(Unanswered::NotDone),
            (503, _) if Reason::ALL.iter().any(|r| r.wire() == code) => None,
            (0 | 502..=504, _) => Some(Unanswered::Unsure),
            _ => None,
        };
        if let Some(known) = known {
            return self.no_answer(tag, sent, known);
        }
        if tag == Tag::Records && status != 200 {
            self.reading = false;
        }
        if tag.in_session() && self.session == Session::Open && matches!(status, 200 | 201) {
            let idle = self.now.saturating_add(IDLE - 60);
            let ends = idle.min(self.session_at.saturating_add(LONGEST));
            self.session_ends = self.session_ends.max(ends);
        }
        let value = value.as_ref();
        match (tag, status) {
            (Tag::EnrolNonce | Tag::SessionNonce, 200) => {
                let Some(nonce) = text("nonce") else {
                    return self.nonce_missing(tag);
                };
                self.prove(tag, &nonce, moment)
            }
            (Tag::Enrol, 200 | 201) => self.enrolled(value),
            (Tag::EnrolNonce | Tag::Enrol, _) => self.enrol_refused(&code),
            (Tag::Session, 200 | 201) if self.enrol_unsure && self.enrol == Enrol::Busy => {
                self.enrolled(value)
            }
            (Tag::Session, 200 | 201) => {
                self.session_opened(value);
                self.begin()
            }
            (Tag::SessionNonce | Tag::Session, _) => self.session_refused(&code),
            (Tag::Resume, _) => {
                self.session = Session::None;
                let own = value.filter(|v| status == 200 && self.is_own_session(v));
                if own.is_none() {
                    return self.arrive();
                }
                self.session_opened(own);
                self.begin()
            }
            (_, 401) if code == "SESSION" => self.session_ended(),
            (Tag::Stay, 200) => {
                let exp = value.and_then(|v| v.get("exp")?.int());
                self.session_ends = self.session_ends.max(exp.unwrap_or(0));
                Vec::new()
            }
            (Tag::Policy, 200) => {
                body.clone_into(&mut self.shelf.policy);
                self.policy = care::policy(body);
                self.bind_books(self.policy.is_some(), moment)
            }
            (Tag::Master, 200) => {
                body.clone_into(&mut self.shelf.master);
                self.master = care::master(body);
                self.bind_books(self.master.is_some(), moment)
            }
            (Tag::Mine, 200) => {
                let ring = self.keys.and(&self.their_keys);
                let mine = value.and_then(|v| Mine::read(v, &ring, self.now));
                let person = self.acting.as_ref().and_then(|b| b.person.as_ref());
                let mine = mine.filter(|m| person.is_none_or(|p| *p == m.sub));
                let Some(mine) = mine else {
                    return self.not_taken(UNPROVEN);
                };
                self.mine = Some(mine);
                self.show_offers();
                self.look_anew();
                let mut effects = self.word_late(moment);
                effects.extend(self.wish_late(moment));
                if self.acting.is_none() {
                    body.clone_into(&mut self.shelf.mine);
                    self.shelf.at = self.now;
                    effects.extend(self.put_away());
                }
                if self.history.is_none() {
                    effects.extend(self.look_back());
                }
                effects
            }
            (Tag::LogKey, 200) => {
                self.log_key = value.cloned();
                body.clone_into(&mut self.looks.log);
                self.look_back()
            }
            (Tag::LogMine, 200) => {
                let Some(lines) = value else {
                    return self.not_taken(UNPROVEN);
                };
                self.log_mine = Some((lines.clone(), self.now));
                body.clone_into(&mut self.looks.lines);
                self.looks.at = self.now;
                self.look_back()
            }
            (Tag::Tile, 200) => {
                let path = sent.as_ref().and_then(tile_of);
                let (Some(path), Some(bytes)) = (path, b64::decode(body)) else {
                    return self.not_taken(UNPROVEN);
                };
                self.tiles.insert(path, bytes);
                self.look_back()
            }
            (Tag::Erasures, 200) => {
                let Some(all) = value.and_then(care::erasures) else {
                    return self.not_taken(UNPROVEN);
                };
                self.erasures = all;
                Vec::new()
            }
            (Tag::Requests, 200) => {
                let Some(waiting) = value.and_then(care::waiting) else {
                    return self.not_taken(UNPROVEN);
                };
                self.waiting_requests = Some(waiting);
                match self.route.clone() {
                    Route::Wizard(req, step) => self.at_step(&req, step),
                    _ => Vec::new(),
                }
            }
            (Tag::Records, 200) => self.record_page(body),
            (Tag::Open | Tag::Decline, _) => {
                let req = sent.as_ref().and_then(request_of);
                let req = req.unwrap_or_default();
                match (tag, status, code.as_str()) {
                    (Tag::Open, 200 | 201, _) => self.opened(body, &req, moment),
                    (_, 200 | 201, _) if text("req").as_deref() == Some(&req) => self.declined(req),
                    (Tag::Decline, _, "ANSWERED" | "NOT_FOUND") if self.refusing.contains(&req) => {
                        self.declined(req)
                    }
                    (_, _, "ANSWERED" | "NOT_FOUND") => {
                        self.answered(&req, String::new());
                        vec![Effect::Focus("h1")]
                    }
                    (_, 200 | 201, _) => {
                        self.refusing.clear();
                        self.unproven()
                    }
                    _ => {
                        self.refusing.clear();
                        self.not_taken(&code)
                    }
                }
            }
            (Tag::Give, 200 | 201) => {
                let done = sent.as_ref().zip(value).and_then(|(s, v)| taken(s, v));
                match done {
                    Some((jti, n)) => self.given(jti, n),
                    None => self.unproven(),
                }
            }
            (Tag::End, 200 | 201) => {
                let mine = self.mine.as_ref();
                let done = sent.as_ref().zip(value);
                let done = done.and_then(|(s, v)| ended(s, v, mine));
                let Some((jti, outcome)) = done else {
                    return self.unproven();
                };
                self.signed = sent.as_ref().and_then(jti_of);
                if let Outcome::Ended(at, ..) = outcome
                    && self.person_keys().0.iter().any(|k| k.jti == jti)
                {
                    return self.mandate_ended(&jti, at);
                }
                self.outcome = outcome;
                let mut effects = Vec::new();
                if self.route == Route::Withdraw(jti.clone()) {
                    effects = self.go(Route::Ended(jti));
                }
                if self.session == Session::Open {
                    effects.extend(Self::fetch());
                }
                effects
            }
            (Tag::WishNonce, 200) => self.wish_nonce(value, moment),
            (Tag::Wish, 200 | 201) => self.wished(sent.as_ref(), value),
            (Tag::Wish, _) => self.not_wished(&code),
            (Tag::TheirKeys, 200) => {
                self.their_keys = value.map(Keys::read).unwrap_or_default();
                Self::all()
            }
            (Tag::StopKey, 200) => self.key_stopped(sent.as_ref(), value),
            (Tag::Object, 200 | 201) => {
                let n = sent.as_ref().and_then(line_of);
                let Some(n) = n.filter(|_| text("line").is_some()) else {
                    return self.not_taken(UNPROVEN);
                };
                self.outcome = Outcome::Objected(n);
                Self::log()
            }
            (Tag::Contacts | Tag::SetContacts, 200) => {
                let all = value.and_then(contact::read);
                self.contacts_are(tag, sent.as_ref(), all)
            }
            (Tag::Report, 201) => {
                let at = value.and_then(|v| v.get("at")?.int());
                let Some(at) = at.filter(|_| text("report").is_some()) else {
                    return self.not_taken(UNPROVEN);
                };
                self.report = Report::default();
                self.outcome = Outcome::Reported(at);
                vec![Effect::Focus("main [role=status]")]
            }
            (Tag::Offer, 200 | 201) => {
                match sent.as_ref().zip(value).and_then(|(s, v)| taken(s, v)) {
                    Some(_) => self.delivered(sent.as_ref()),
                    None => self.unproven(),
                }
            }
            (Tag::Offer, _) => {
                let mut effects = self.not_taken(&code);
                // It does not become good by waiting.
                if Reason::ALL.iter().any(|r| r.wire() == code) {
                    effects.extend(self.delivered(sent.as_ref()));
                }
                effects
            }
            (Tag::Give, _) => self.not_given(&code),
            (_, _) => {
                let mut effects = self.not_taken(&code);
                if let (Some(problem), Some(after)) = (&mut self.problem, after) {
                    problem.at = whole_minute(self.now.saturating_add(after));
                }
                if tag == Tag::End && self.session == Session::Open {
                    effects.extend(Self::fetch());
                }
                effects
            }
        }
    }

    /// What the screens of a session need, once it is open.
    fn begin(&mut self) -> Vec<Effect> {
        let mut effects = Self::all();
        effects.push(Effect::Unseal(OFFERS));
        match self.route {
            Route::Records => effects.extend(self.read_records()),
            Route::Contacts => effects.push(get(Tag::Contacts, "/contacts")),
            Route::Consent(_) => effects.push(get(Tag::Erasures, "/erasures")),
            Route::Secondary(step) | Route::Emergency(step)
                if !matches!(step, WishStep::Start | WishStep::Done) =>
            {
                effects.extend(self.at_wish(step));
            }
            _ => {}
        }
        effects
    }

    /// Whether a session is that of the key of this device: another person may have used it before.
    fn is_own_session(&self, v: &Value) -> bool {
        let Key::Here { x, .. } = &self.key else {
            return false;
        };
        let kid = v.get("kid").and_then(Value::text);
        let keys = Keys::read(v);
        keys.0
            .iter()
            .any(|k| k.x == *x && kid == Some(k.kid.as_str()))
    }

    // ── S9, S10 ─────────────────────────────────────────────────────────────────────────────────

    fn is_planning(&self) -> bool {
        matches!(self.route, Route::Emergency(_))
    }

    fn replan(&mut self, how: impl FnOnce(&mut Plan)) -> Vec<Effect> {
        if let Some(plan) = &mut self.plan {
            how(plan);
            plan.loosen();
            plan.look = None;
            self.lacks.clear();
        }
        Vec::new()
    }

    fn plan_all(&mut self) -> Vec<Effect> {
        let all = self.books.as_ref();
        let all = all.map(|b| crate::wish::emergency_categories(&b.policy).0);
        self.replan(|p| p.cats = all.unwrap_or_default().into_iter().collect())
    }

    fn wish(&mut self, wish: Wish) -> Vec<Effect> {
        let step = match wish {
            Wish::Advance => WishStep::What,
            Wish::AdvanceOne(_) => WishStep::Until,
            _ => WishStep::Sign,
        };
        self.plan = Some(Plan::new(wish));
        self.outcome = Outcome::None;
        self.wish_step(step)
    }

    /// No page is skipped: what is missing is said.
    fn wish_step(&mut self, step: WishStep) -> Vec<Effect> {
        let longest = self.longest();
        let Some(plan) = &self.plan else {
            return Vec::new();
        };
        let further = matches!(step, WishStep::Until | WishStep::Sign);
        if plan.wish == Wish::Advance && further && plan.cats.is_empty() {
            return self.lack(vec![lack("cats", text::WHAT_LEFT, 0)]);
        }
        if plan.wish.is_wide() && step == WishStep::Sign {
            match plan.until {
                None => return self.lack(vec![lack("until-0", text::UNTIL_LEFT, 0)]),
                Some(until) if until.ends(self.now, &plan.picked, longest).is_none() => {
                    let days = usize::try_from(longest).unwrap_or_default();
                    return self.lack(vec![lack("picked", text::UNTIL_PICK_LEFT, days)]);
                }
                _ => {}
            }
        }
        let secondary = plan.wish.is_secondary();
        self.problem = None;
        self.go(if secondary {
            Route::Secondary(step)
        } else {
            Route::Emergency(step)
        })
    }

    /// What a page of S9 or S10 needs when it is entered; without its choices the first one stands there.
    fn at_wish(&mut self, step: WishStep) -> Vec<Effect> {
        let secondary = matches!(self.route, Route::Secondary(_));
        let fits = |p: &Plan| p.wish.is_secondary() == secondary;
        match step {
            WishStep::Start => return Self::fetch(),
            WishStep::Done => return Vec::new(),
            _ => {}
        }
        if !self.plan.as_ref().is_some_and(fits) {
            let start = if secondary {
                Route::Secondary(WishStep::Start)
            } else {
                Route::Emergency(WishStep::Start)
            };
            return self.go(start);
        }
        if step != WishStep::Sign {
            return Vec::new();
        }
        let now = self.now;
        let Some(plan) = &mut self.plan else {
            return Vec::new();
        };
        if plan.wish.is_wide() && plan.until.is_none() {
            return self.wish_step(WishStep::Until);
        }
        if plan.wish.is_wide() && plan.look.is_none() {
            plan.look = Some(whole_minute(now.saturating_add(SECOND_LOOK)));
        }
        if plan.bound.is_some() {
            return Vec::new();
        }
        self.wish_text()
    }

    /// The nonce, where one is needed now, then the text.
    fn wish_text(&mut self) -> Vec<Effect> {
        self.said = Some(text::LOADING);
        let Some(plan) = &self.plan else {
            return Vec::new();
        };
        // What is read for the first time has no nonce yet, and an objection none at all: the tokens that
        // are known now give its number.
        let first = plan.look.is_some_and(|at| self.now < at);
        if plan.wish.has_nonce() && !first {
            return vec![post(Tag::WishNonce, "/consent/nonce", object([]))];
        }
        vec![get(Tag::Mine, "/consent/mine")]
    }

    fn look_again(&mut self) -> Vec<Effect> {
        let Some(plan) = &mut self.plan else {
            return Vec::new();
        };
        if plan.look.is_some_and(|at| self.now < at) {
            return Vec::new();
        }
        plan.loosen();
        self.problem = None;
        let mut effects = self.wish_text();
        effects.push(Effect::Focus("h1"));
        effects
    }

    fn wish_nonce(&mut self, value: Option<&Value>, moment: &Moment) -> Vec<Effect> {
        let read = || {
            let v = value?;
            Some((v.get("nonce")?.text()?.to_owned(), v.get("status")?.clone()))
        };
        let Some(nonce) = read() else {
            return self.not_taken(UNPROVEN);
        };
        if let Some(plan) = &mut self.plan {
            plan.nonce = Some(nonce);
        }
        self.word_wish(moment)
    }

    /// The text, once what it is made of is here.
    fn wish_late(&mut self, moment: &Moment) -> Vec<Effect> {
        let at_sign = matches!(
            self.route,
            Route::Secondary(WishStep::Sign) | Route::Emergency(WishStep::Sign)
        );
        let waits = self.plan.as_ref().is_some_and(|p| {
            let first = p.look.is_some_and(|at| self.now < at);
            p.bound.is_none() && (p.nonce.is_some() || first || !p.wish.has_nonce())
        });
        if at_sign && waits {
            self.said = None;
            return self.word_wish(moment);
        }
        Vec::new()
    }

    fn word_wish(&mut self, moment: &Moment) -> Vec<Effect> {
        let act = self.acting.as_ref().map(Bond::act);
        let (Some(books), Some(mine), Some(plan)) = (&self.books, &self.mine, &mut self.plan)
        else {
            // They are on their way.
            return Vec::new();
        };
        match plan.bind(books, mine, self.prefs.lang, act, moment) {
            Ok(bound) => {
                plan.bound = Some(bound);
                Vec::new()
            }
            Err(refusal) => {
                plan.loosen();
                self.not_taken(refusal.reason.wire())
            }
        }
    }

    fn sign_wish(&mut self, moment: &Moment) -> Vec<Effect> {
        let waits = self.waits_for(Tag::Wish);
        if self.sealed() && self.pass.is_empty() {
            return self.lack(vec![lack("pass", text::KEY_PASS_ASK, 0)]);
        }
        let Some(plan) = &mut self.plan else {
            return Vec::new();
        };
        if plan.busy || waits || !plan.is_ready() {
            return Vec::new();
        }
        let Some(bound) = &plan.bound else {
            return Vec::new();
        };
        if bound.lang != self.prefs.lang {
            return self.word_wish(moment);
        }
        let claims = bound.claims.clone();
        let typ = plan.wish.typ().wire();
        plan.busy = true;
        self.lacks.clear();
        self.problem = None;
        self.said = Some(text::SIGNING);
        vec![self.sign(Tag::Wish, typ, claims)]
    }

    fn wish_signed(&self, token: &str) -> Vec<Effect> {
        let grant = self.plan.as_ref().filter(|p| p.wish.is_wide());
        let annex = grant.and_then(|p| p.bound.as_ref());
        let mut body = object([("token", token.into())]);
        if let (Value::Object(members), Some(bound)) = (&mut body, annex) {
            let bytes = b64::encode(&bound.annex.to_bytes());
            members.insert("annex".to_owned(), bytes.into());
        }
        vec![post(Tag::Wish, "/consent/tokens", body)]
    }

    fn wished(&mut self, sent: Option<&Effect>, value: Option<&Value>) -> Vec<Effect> {
        let Some(wish) = self.plan.as_ref().map(|p| p.wish.clone()) else {
            return Self::fetch();
        };
        let both = sent.zip(value);
        let done = match wish {
            Wish::NotNever(_) => {
                let ended = both.and_then(|(s, v)| ended(s, v, self.mine.as_ref()));
                ended.and_then(|(_, outcome)| match outcome {
                    Outcome::Ended(at, ..) => Some((at, None)),
                    _ => None,
                })
            }
            _ => both.and_then(|(s, v)| {
                let (_, n) = taken(s, v)?;
                Some((v.get("at")?.int()?, Some(n)))
            }),
        };
        let Some((at, n)) = done else {
            return self.unproven();
        };
        self.plan = None;
        let route = if wish.is_secondary() {
            Route::Secondary(WishStep::Done)
        } else {
            Route::Emergency(WishStep::Done)
        };
        let here = matches!(self.route, Route::Secondary(_) | Route::Emergency(_));
        self.outcome = Outcome::Wished(wish, at, n);
        self.signed = sent.and_then(jti_of);
        let mut effects = if here { self.go(route) } else { Vec::new() };
        effects.extend(Self::fetch());
        effects
    }

    /// What only grew old is fetched again, for the same choices.
    fn not_wished(&mut self, code: &str) -> Vec<Effect> {
        let mut effects = self.not_taken(code);
        let again = self.problem.as_ref().map(|p| p.text) == Some(text::NO_AGAIN);
        if let (true, Some(plan)) = (again || code == Reason::Seq.wire(), &mut self.plan) {
            plan.loosen();
            effects.extend(self.wish_text());
        }
        effects
    }

    // ── S11 ─────────────────────────────────────────────────────────────────────────────────────

    /// Everything on the screens is of one person: of another it is read anew.
    fn act_for(&mut self, person: Option<&str>) -> Vec<Effect> {
        let now = self.now;
        let mut bonds = self.bonds.iter();
        let bond = bonds.find(|b| person.is_some() && b.person.as_deref() == person);
        if person.is_some() && !bond.is_some_and(|b| b.is_for_all(now)) {
            return Vec::new();
        }
        self.acting = bond.cloned();
        self.their_keys = Keys::default();
        self.mine = None;
        self.erasures.clear();
        self.waiting_requests = None;
        self.history = None;
        self.log_mine = None;
        self.tiles.clear();
        self.preview = None;
        self.draft = None;
        self.plan = None;
        self.outcome = Outcome::None;
        self.unanswered.clear();
        self.sent.clear();
        self.forget_contacts();
        self.forget_records();
        let mut effects = vec![Effect::Path(Route::Home.path()), Effect::Focus("h1")];
        self.enter(Route::Home);
        if self.acting.is_some() {
            effects.push(get(Tag::TheirKeys, "/keys"));
        } else {
            effects.extend(Self::all());
        }
        effects
    }

    // ── S14, S15 ────────────────────────────────────────────────────────────────────────────────

    fn stop_key(&mut self, kid: &str) -> Vec<Effect> {
        if self.busy || !self.keys.own().any(|k| k.kid == kid) {
            return Vec::new();
        }
        let mut body = object([]);
        // What came since then is taken back too; nobody has to know the day.
        let typed = self.since.trim();
        if self.trouble == Some(Trouble::Stolen) && !typed.is_empty() {
            let day = birth_date(typed);
            let day = day.as_deref().and_then(warifu_consent::Date::parse);
            let Some(since) = day
                .map(warifu_consent::Date::starts)
                .filter(|at| *at <= self.now)
            else {
                return self.lack(vec![lack("since", text::DEVICES_SINCE_LEFT, 0)]);
            };
            body = object([("since", since.into())]);
        }
        self.busy = true;
        self.problem = None;
        self.lacks.clear();
        let path = format!("/keys/{kid}/compromised");
        vec![post(Tag::StopKey, &path, body)]
    }

    /// Keys of the person whose records these are.
    pub fn person_keys(&self) -> &Keys {
        if self.acting.is_some() {
            &self.their_keys
        } else {
            &self.keys
        }
    }

    /// The person's own word is enough: whoever was asked signs nothing from then on.
    fn end_mandate(&mut self, jti: &str, moment: &Moment) -> Vec<Effect> {
        let Some(mine) = self.mine.as_ref().filter(|_| !self.busy) else {
            return Vec::new();
        };
        if !self
            .person_keys()
            .delegates(&mine.sub)
            .any(|k| k.jti == jti)
        {
            return Vec::new();
        }
        if self.sealed() && self.pass.is_empty() {
            return self.lack(vec![lack("pass", text::KEY_PASS_ASK, 0)]);
        }
        let act = self.acting.as_ref().map(Bond::act);
        let claims = wizard::revoke(&mine.sub, jti, act, moment);
        self.busy = true;
        self.lacks.clear();
        self.problem = None;
        self.outcome = Outcome::None;
        self.said = Some(text::SIGNING);
        vec![self.sign(Tag::End, "consent-revoke+jwt", claims)]
    }

    /// It is ended: the key is none of the person's any more.
    fn mandate_ended(&mut self, jti: &str, at: u64) -> Vec<Effect> {
        for keys in [&mut self.keys, &mut self.their_keys] {
            keys.0.retain(|k| k.jti != jti || k.role != "delegate");
        }
        self.outcome = Outcome::Mandate(at);
        let mut effects = Self::fetch();
        effects.push(Effect::Focus("main [role=status]"));
        effects
    }

    fn key_stopped(&mut self, sent: Option<&Effect>, value: Option<&Value>) -> Vec<Effect> {
        let keys = value.map(Keys::read).unwrap_or_default();
        let kid = sent.and_then(key_of);
        let stopped = keys.0.iter().find(|k| Some(&k.kid) == kid.as_ref());
        let Some(warifu_consent::KeyState::Compromised(at)) = stopped.map(|k| k.state) else {
            return self.not_taken(UNPROVEN);
        };
        self.keys = keys;
        self.outcome = Outcome::Stopped(at);
        let mut effects = Self::fetch();
        effects.push(Effect::Focus("main [role=status]"));
        effects
    }

    fn object(&mut self) -> Vec<Effect> {
        let Route::Notice(n) = self.route else {
            return Vec::new();
        };
        if self.busy {
            return Vec::new();
        }
        self.busy = true;
        self.problem = None;
        vec![post(
            Tag::Object,
            &format!("/log/{n}/objection"),
            object([]),
        )]
    }

    fn add_contact(&mut self) -> Vec<Effect> {
        let one = self.contact.trimmed();
        let mut lacks = Vec::new();
        for (field, text, missing) in [
            ("contact-name", &one.name, text::CONTACT_NAME_NONE),
            ("contact-by", &one.by, text::CONTACT_BY_NONE),
            ("contact-to", &one.to, text::CONTACT_TO_NONE),
        ] {
            if text.is_empty() {
                lacks.push(lack(field, missing, 0));
            } else if text.chars().count() > contact::LONGEST {
                lacks.push(lack(field, text::CONTACT_LONG, contact::LONGEST));
            }
        }
        if !lacks.is_empty() {
            return self.lack(lacks);
        }
        let mut all = self.contacts.clone().unwrap_or_default();
        all.push(one);
        self.set_contacts(&all)
    }

    fn drop_contact(&mut self, at: usize) -> Vec<Effect> {
        let mut all = self.contacts.clone().unwrap_or_default();
        if at >= all.len() {
            return Vec::new();
        }
        all.remove(at);
        self.set_contacts(&all)
    }

    /// They are sent whole: these, and no others.
    fn set_contacts(&mut self, all: &[Contact]) -> Vec<Effect> {
        if self.busy || all.len() > contact::MOST {
            return Vec::new();
        }
        self.busy = true;
        self.problem = None;
        self.lacks.clear();
        let effect = Effect::Http {
            tag: Tag::SetContacts,
            method: "PUT",
            path: "/contacts".to_owned(),
            body: Some(contact::write(all)),
        };
        vec![effect]
    }

    /// What the server keeps; a change is believed where it is the one that was sent.
    fn contacts_are(
        &mut self,
        tag: Tag,
        sent: Option<&Effect>,
        all: Option<Vec<Contact>>,
    ) -> Vec<Effect> {
        let wanted = match sent {
            Some(Effect::Http {
                body: Some(body), ..
            }) if tag == Tag::SetContacts => contact::read(body),
            _ => all.clone(),
        };
        if all.is_none() || all != wanted {
            return self.not_taken(UNPROVEN);
        }
        self.contacts = all;
        if tag == Tag::Contacts {
            return Vec::new();
        }
        self.contact = Contact::default();
        self.outcome = Outcome::Contacts;
        vec![Effect::Focus("main [role=status]")]
    }

    // ── S16 ─────────────────────────────────────────────────────────────────────────────────────

    fn send_report(&mut self) -> Vec<Effect> {
        let mut report = self.report.trimmed();
        // From whom it is can be said in a session only.
        report.mine &= self.session == Session::Open;
        let mut lacks = Vec::new();
        if report.kind.is_empty() {
            lacks.push(lack("report-kind", text::REPORT_KIND_NONE, 0));
        }
        if report.text.is_empty() {
            lacks.push(lack("report-text", text::REPORT_TEXT_NONE, 0));
        }
        for (field, text, most) in [
            ("report-text", &report.text, report::LONGEST),
            ("report-contact", &report.contact, report::CONTACT),
        ] {
            if text.chars().count() > most {
                lacks.push(lack(field, text::CONTACT_LONG, most));
            }
        }
        if !lacks.is_empty() {
            return self.lack(lacks);
        }
        if self.busy || !self.online {
            return Vec::new();
        }
        self.busy = true;
        self.problem = None;
        self.lacks.clear();
        self.outcome = Outcome::None;
        vec![post(Tag::Report, "/reports", report.write())]
    }

    fn forget_contacts(&mut self) {
        self.contacts = None;
        self.contact = Contact::default();
    }

    // ── without a network ───────────────────────────────────────────────────────────────────────

    /// Keeps what is here on the device.
    fn put_away(&mut self) -> Vec<Effect> {
        if !self.keeps || self.session != Session::Open || !self.shelf.is_whole() {
            return Vec::new();
        }
        vec![Effect::Seal("last", self.shelf.write())]
    }

    /// The same for records, where the person wants it.
    fn put_records(&self) -> Vec<Effect> {
        let own = self.acting.is_none() && self.session == Session::Open;
        if !(self.keeps && self.prefs.records && own && self.records_whole) {
            return Vec::new();
        }
        let pages = crate::shelf::write_pages(&self.records);
        vec![Effect::Seal("records", pages)]
    }

    /// The same for who looked, once it was believed.
    fn put_looks(&mut self, kept: &Kept) -> Vec<Effect> {
        if !self.keeps || self.acting.is_some() || self.session != Session::Open {
            return Vec::new();
        }
        self.looks.kept = kept.write();
        vec![Effect::Seal("looks", self.looks.write())]
    }

    /// There is no network and no session: what is kept is asked for.
    fn unshelve(&self) -> Vec<Effect> {
        let key = matches!(self.key, Key::Here { .. });
        if self.online || self.session == Session::Open || !key || self.shelved.is_some() {
            return Vec::new();
        }
        vec![Effect::Unseal(SHELF)]
    }

    fn shelf_is(&mut self, text: &str) -> Vec<Effect> {
        if self.online || self.session == Session::Open {
            return Vec::new();
        }
        let mut parts = text.splitn(4, '\n');
        let mut part = || parts.next().unwrap_or_default();
        let (text, looks, offers, pages) = (part(), part(), part(), part());
        let Some(shelf) = Shelf::read(text) else {
            return Vec::new();
        };
        let session = care::answer(&shelf.session);
        let (keys, bonds) =
            session.map_or_else(Default::default, |v| (Keys::read(&v), Bond::all(&v)));
        let mine = care::answer(&shelf.mine);
        let mine = mine.and_then(|v| Mine::read(&v, &keys, self.now));
        let books = care::policy(&shelf.policy).zip(care::master(&shelf.master));
        let (Some(mine), Some((policy, master))) = (mine, books) else {
            return Vec::new();
        };
        let own = |k: &care::OneKey| matches!(&self.key, Key::Here { x, .. } if k.x == *x);
        if !keys.0.iter().any(own) {
            // Of somebody who used this device before.
            return Vec::new();
        }
        self.keys = keys;
        self.bonds = bonds;
        self.mine = Some(mine);
        self.books = Some(Books { policy, master });
        self.records = crate::shelf::read_pages(pages).unwrap_or_default();
        self.records_whole = !self.records.bundles.is_empty();
        self.list_records();
        self.shelved = Some(shelf.at);
        self.offers_are(offers);
        if let Some(looks) = Looks::read(looks) {
            self.looks_are(&looks);
        }
        Vec::new()
    }

    /// Lines that were kept are checked again; those that are not believed are as good as none.
    fn looks_are(&mut self, looks: &Looks) {
        let (key, lines) = (care::answer(&looks.log), care::answer(&looks.lines));
        let (Some(key), Some(lines), Some(mine)) = (key, lines, &self.mine) else {
            return;
        };
        let found = history::check(&history::Check {
            key: &key,
            mine: &lines,
            sub: &mine.sub,
            receipts: &receipts(mine, looks.at),
            kept: &Kept::read(&looks.kept),
            tiles: &BTreeMap::new(),
            now: looks.at,
        });
        if let Found::Done(history, Some(_)) = found {
            self.history = Some(history);
        }
    }

    /// Whether the screen is one whose content was kept, and is here.
    pub fn shows_kept(&self) -> bool {
        let there = match self.route {
            Route::Wizard(..) => self.is_offering(),
            Route::History | Route::Access(_) | Route::Notice(_) => self.history.is_some(),
            _ => self.route.is_kept(),
        };
        self.shelved.is_some() && there
    }

    /// The network is back: what was kept leaves the screen, and the session is opened.
    fn back(&mut self) -> Vec<Effect> {
        let mut effects = self.retry();
        effects.extend(self.deliver());
        if self.shelved.take().is_some() {
            self.mine = None;
            self.history = None;
            self.forget_records();
            effects.extend(self.arrive());
        }
        effects
    }

    // ── S7 ──────────────────────────────────────────────────────────────────────────────────────

    /// Checks the lines of the log, once all that it takes is here.
    fn look_back(&mut self) -> Vec<Effect> {
        let (Some(key), Some((lines, asked)), Some(mine)) =
            (&self.log_key, &self.log_mine, &self.mine)
        else {
            return Vec::new();
        };
        let found = history::check(&history::Check {
            key,
            mine: lines,
            sub: &mine.sub,
            receipts: &receipts(mine, *asked),
            kept: &self.kept,
            tiles: &self.tiles,
            now: *asked,
        });
        let (history, kept) = match found {
            Found::Needs(path) => return vec![get(Tag::Tile, &format!("/log/{path}"))],
            Found::Done(history, kept) => (history, kept),
        };
        self.said = None;
        self.tiles.clear();
        self.history = Some(history);
        let mut effects = match kept {
            Some(kept) => {
                let mut effects = self.put_looks(&kept);
                effects.extend(self.keep(kept));
                effects
            }
            None => Vec::new(),
        };
        match self.route {
            Route::History => effects.extend(self.looked_at()),
            Route::Notice(n) => {
                effects.extend(self.noticed(n));
                if self.outcome == Outcome::Objected(n) {
                    self.outcome = Outcome::None;
                    effects.push(Effect::Focus("main [role=status]"));
                }
            }
            _ => {}
        }
        effects
    }

    fn keep(&mut self, kept: Kept) -> Vec<Effect> {
        if self.kept == kept {
            return Vec::new();
        }
        self.kept = kept;
        vec![Effect::Keep(self.kept.write())]
    }

    /// The person is looking at the list: nothing in it is new any more.
    fn looked_at(&mut self) -> Vec<Effect> {
        let newest = self.history.as_ref().and_then(|h| h.rows.last());
        let Some(seen) = newest.map(|r| r.n.saturating_add(1)) else {
            return Vec::new();
        };
        let kept = Kept {
            seen: seen.max(self.kept.seen),
            ..self.kept.clone()
        };
        self.keep(kept)
    }

    /// The person is looking at one emergency. Where an older one was not looked at, it is still told.
    fn noticed(&mut self, n: u64) -> Vec<Effect> {
        let older = self
            .history
            .iter()
            .flat_map(|h| h.emergencies(self.kept.seen));
        if older.into_iter().any(|r| r.n < n) {
            return Vec::new();
        }
        let kept = Kept {
            seen: n.saturating_add(1).max(self.kept.seen),
            ..self.kept.clone()
        };
        self.keep(kept)
    }

    /// What could not be confirmed, as it came.
    fn evidence(&self) -> Vec<Effect> {
        let (Some(key), Some((lines, at))) = (&self.log_key, &self.log_mine) else {
            return Vec::new();
        };
        let body = object([
            ("at", (*at).into()),
            ("key", key.clone()),
            ("lines", lines.clone()),
            ("kept", self.kept.write().into()),
        ]);
        vec![Effect::Save {
            name: "warifu-evidence.json",
            body: body.write(),
        }]
    }

    /// Whether the lines of the log are not to be believed.
    pub fn is_doubtful(&self) -> bool {
        let verdict = self.history.as_ref().map(|h| h.verdict);
        matches!(verdict, Some(Verdict::Bad(_)))
    }

    fn nonce_missing(&mut self, tag: Tag) -> Vec<Effect> {
        if tag == Tag::EnrolNonce {
            self.enrol_refused(UNPROVEN)
        } else {
            self.session_refused(UNPROVEN)
        }
    }

    /// Has the proof signed that a nonce asks for.
    fn prove(&mut self, tag: Tag, nonce: &str, moment: &Moment) -> Vec<Effect> {
        if self.sealed() && self.pass.is_empty() {
            self.ask_pass_again();
            return vec![Effect::Focus("[role=alert]")];
        }
        let mut claims = self.proof(nonce, moment);
        if tag == Tag::EnrolNonce {
            self.said = Some(text::ENROL_BUSY);
            if let Value::Object(members) = &mut claims {
                members.insert("jwk".to_owned(), self.jwk());
            }
        } else {
            self.said = Some(text::LOADING);
        }
        vec![self.sign(tag, "session-proof+jwt", claims)]
    }

    /// The passphrase is gone: the person types it and presses again.
    fn ask_pass_again(&mut self) {
        if self.enrol == Enrol::Busy {
            self.enrol = Enrol::Form;
        }
        if self.session == Session::Proving {
            self.session = Session::None;
        }
        self.lacks = vec![lack("pass", text::KEY_PASS_AGAIN, 0)];
    }

    fn enrolled(&mut self, value: Option<&Value>) -> Vec<Effect> {
        self.session_opened(value);
        let own = match &self.key {
            Key::Here { x, .. } => x.as_str(),
            _ => "",
        };
        if !self.keys.0.iter().any(|k| k.x == own) {
            self.session = Session::None;
            return self.enrol_refused(UNPROVEN);
        }
        self.enrol = Enrol::Done;
        self.enrol_unsure = false;
        self.code.clear();
        self.birth.clear();
        let mut effects = vec![Effect::Focus("h1")];
        effects.extend(Self::all());
        effects
    }

    /// The server says that there is no session. What was chosen stays.
    fn session_ended(&mut self) -> Vec<Effect> {
        if self.session != Session::Open {
            return Vec::new();
        }
        // A session that ends as soon as it is opened (no cookies) is not asked for again and again.
        let lasted = self.now >= self.session_at.saturating_add(SESSION_LEAST);
        let effects = self.close(self.now);
        if lasted {
            return effects;
        }
        self.closed = None;
        self.session = Session::Failed;
        self.problem = Some(Problem {
            text: text::PROVE_NO_STAY,
            ..Problem::of("", 0)
        });
        vec![Effect::Focus("[role=alert]")]
    }

    fn record_page(&mut self, body: &str) -> Vec<Effect> {
        if !self.reading {
            // Of a session that is over.
            return Vec::new();
        }
        let Some(page) = care::page(body) else {
            self.reading = false;
            return self.not_taken(UNPROVEN);
        };
        self.records.bundles.push(page.bundle);
        self.records.sources.extend(page.sources);
        if page.next.is_some() {
            return vec![disclose(page.next)];
        }
        self.reading = false;
        self.records_whole = true;
        self.list_records();
        self.look_anew();
        self.put_records()
    }

    /// An answer of success that does not prove what it says: what the server keeps is looked at.
    fn unproven(&mut self) -> Vec<Effect> {
        let mut effects = self.not_taken(UNPROVEN);
        effects.extend(Self::fetch());
        effects
    }

    fn declined(&mut self, req: String) -> Vec<Effect> {
        self.outcome = Outcome::Declined(req.clone());
        let group = self.draft.as_ref().filter(|d| d.asked.req == req);
        let group = group.map_or_else(String::new, |d| d.asked.group.clone());
        self.answered(&req, group);
        if self.refusing.contains(&req) {
            self.refusing.retain(|r| *r != req);
            if self.refusing.is_empty() {
                self.said = Some(text::REFUSED_ALL);
                return vec![Effect::Focus("h1")];
            }
            return self.refuse_next();
        }
        match &self.route {
            Route::Wizard(here, _) if *here == req => self.go(Route::Wizard(req, Step::Refused)),
            _ => Vec::new(),
        }
    }

    fn given(&mut self, jti: String, n: u64) -> Vec<Effect> {
        self.outcome = Outcome::Given(jti, n);
        let (req, group) = self.giving.take().unwrap_or_default();
        self.answered(&req, group);
        let mut effects = match &self.route {
            Route::Wizard(here, _) if *here == req => self.go(Route::Wizard(req, Step::Done)),
            _ => Vec::new(),
        };
        effects.extend(Self::fetch());
        effects
    }

    /// A grant was refused. What only grew old is fetched again, for the same choices.
    fn not_given(&mut self, code: &str) -> Vec<Effect> {
        self.giving = None;
        let mut effects = self.not_taken(code);
        let again = self.problem.as_ref().map(|p| p.text) == Some(text::NO_AGAIN);
        let stale = code == Reason::TextUnknown.wire();
        if let (true, Some(draft)) = (again || stale, &mut self.draft) {
            draft.loosen();
            effects.extend(if stale {
                self.renew_books()
            } else {
                self.open_request()
            });
        }
        effects
    }

    /// Everything the screens of a session show.
    fn all() -> Vec<Effect> {
        let mut effects = vec![get(Tag::Policy, "/policy"), get(Tag::Master, "/master")];
        effects.extend(Self::fetch());
        effects.extend(Self::log());
        effects
    }

    fn bind_books(&mut self, read: bool, moment: &Moment) -> Vec<Effect> {
        if !read {
            return self.not_taken(UNPROVEN);
        }
        if let (Some(policy), Some(master)) = (&self.policy, &self.master) {
            self.books = Some(Books {
                policy: policy.clone(),
                master: master.clone(),
            });
            self.list_records();
            self.look_anew();
            if self.plan.is_some() {
                let mut effects = self.wish_late(moment);
                effects.extend(self.put_away());
                return effects;
            }
            if std::mem::take(&mut self.reopen)
                && matches!(self.route, Route::Wizard(_, Step::Sign))
            {
                return self.open_request();
            }
            let mut effects = self.word_late(moment);
            effects.extend(self.put_away());
            return effects;
        }
        Vec::new()
    }

    /// A request waits no longer (P9: it never returns); what it was asked together with is offered next.
    fn answered(&mut self, req: &str, group: String) {
        if let Some(all) = &mut self.waiting_requests {
            all.retain(|w| w.req != req);
        }
        if self.draft.as_ref().is_some_and(|d| d.asked.req == req) {
            self.draft = None;
        }
        self.last_group = group;
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

    fn enrol_refused(&mut self, code: &str) -> Vec<Effect> {
        if code == "CODE" {
            self.enrol = Enrol::Refused;
            return vec![Effect::Focus("[role=alert]")];
        }
        self.enrol = Enrol::Form;
        self.not_taken(code)
    }

    /// Nothing was lost: the form stays, and it is asked again at a time that is shown. What may have
    /// arrived is sent as it was, since the server takes one token once.
    fn no_answer(&mut self, tag: Tag, sent: Option<Effect>, known: Unanswered) -> Vec<Effect> {
        let known = if tag.acts() { known } else { Unanswered::Read };
        let effect = match tag {
            // A proof is too old by then, and a code counts once.
            Tag::Session | Tag::Enrol => {
                let unsure = tag == Tag::Enrol && known == Unanswered::Unsure;
                self.enrol_unsure |= unsure;
                if self.sealed() {
                    self.ask_pass_again();
                    return vec![Effect::Focus("[role=alert]")];
                }
                let tag = if unsure || tag == Tag::Session {
                    self.session = Session::Proving;
                    Tag::SessionNonce
                } else {
                    Tag::EnrolNonce
                };
                Some(post(tag, "/nonce", object([])))
            }
            Tag::Give | Tag::Decline => {
                if let Some(draft) = &mut self.draft {
                    draft.busy = true;
                }
                sent
            }
            _ if tag.is_busy() => {
                self.busy = true;
                sent
            }
            Tag::Wish => {
                if let Some(plan) = &mut self.plan {
                    plan.busy = true;
                }
                sent
            }
            _ => sent,
        };
        let Some(effect) = effect else {
            return Vec::new();
        };
        if self.unanswered.is_empty() {
            self.again_at = self.now.saturating_add(AGAIN_AFTER);
        }
        self.unanswered.retain(|a| a.tag != tag);
        self.unanswered.push(Again { tag, known, effect });
        Vec::new()
    }
}

/// The end of the minute: clock times are shown without seconds.
fn whole_minute(at: u64) -> u64 {
    at.div_ceil(60) * 60
}

/// The request that an effect is about.
fn request_of(effect: &Effect) -> Option<String> {
    let Effect::Http { path, .. } = effect else {
        return None;
    };
    let (req, _) = path.strip_prefix("/requests/")?.split_once('/')?;
    Some(req.to_owned())
}

/// The tile that an effect asks for.
fn tile_of(effect: &Effect) -> Option<String> {
    let Effect::Http { path, .. } = effect else {
        return None;
    };
    Some(path.strip_prefix("/log/")?.to_owned())
}

/// The key that an effect stops.
fn key_of(effect: &Effect) -> Option<String> {
    let Effect::Http { path, .. } = effect else {
        return None;
    };
    let (kid, _) = path.strip_prefix("/keys/")?.split_once('/')?;
    Some(kid.to_owned())
}

/// The line that an effect objects to.
fn line_of(effect: &Effect) -> Option<u64> {
    let Effect::Http { path, .. } = effect else {
        return None;
    };
    let (n, _) = path.strip_prefix("/log/")?.split_once('/')?;
    n.parse().ok()
}

/// Hash and claims of the token that was sent.
fn token_of(effect: &Effect) -> Option<(String, Value)> {
    let Effect::Http {
        body: Some(body), ..
    } = effect
    else {
        return None;
    };
    let token = body.get("token")?.text()?;
    let (_, claims) = warifu_consent::peek(token).ok()?;
    Some((warifu_consent::token_hash(token)?, claims))
}

/// `jti` of the token that was sent.
fn jti_of(effect: &Effect) -> Option<String> {
    let (_, claims) = token_of(effect)?;
    Some(claims.get("jti")?.text()?.to_owned())
}

/// Of which token a receipt is, and the number in the log.
fn receipt_of(value: &Value) -> Option<(String, u64)> {
    let (typ, claims) = warifu_consent::peek(value.get("receipt")?.text()?).ok()?;
    let tok = claims.get("tok")?.text()?.to_owned();
    (typ == warifu_consent::Typ::Receipt).then_some((tok, claims.get("n")?.int()?))
}

/// Whether an answer says that this very token was taken: `jti`, and the number in the log.
fn taken(sent: &Effect, value: &Value) -> Option<(String, u64)> {
    let (hash, claims) = token_of(sent)?;
    let is = |name: &str, text: &str| value.get(name).and_then(Value::text) == Some(text);
    let jti = claims.get("jti")?.text()?.to_owned();
    value.get("at")?.int()?;
    let (tok, n) = receipt_of(value)?;
    let right = is("tok", &hash) && is("jti", &jti) && is("state", "accepted") && tok == hash;
    right.then_some((jti, n))
}

/// The same for an end: what was ended, and when it stops. The receipt is that of the end, or, where it
/// was ended before, of what was ended.
fn ended(sent: &Effect, value: &Value, mine: Option<&Mine>) -> Option<(String, Outcome)> {
    let (hash, claims) = token_of(sent)?;
    let is = |name: &str, text: &str| value.get(name).and_then(Value::text) == Some(text);
    let jti = claims.get("rev")?.text()?.to_owned();
    let at = value.get("at")?.int()?;
    let proven = value.get("receipt").is_none() || {
        let (tok, _) = receipt_of(value)?;
        let target = mine.and_then(|m| m.find(&jti));
        tok == hash || target.is_some_and(|t| t.token.hash == tok)
    };
    let stops = |name: &str| value.get("stops")?.get(name)?.int();
    let online = stops("online").unwrap_or(at.saturating_add(STOPS_AFTER));
    let right = proven && is("tok", &hash) && is("state", "ended");
    right.then(|| (jti, Outcome::Ended(at, online, stops("offline"))))
}

/// Leaves that receipts name, of consents that lines asked for at this time must have: what was taken a moment
/// before may be in one answer and not yet in the other.
fn receipts(mine: &Mine, asked: u64) -> Vec<(u64, warifu_log::Hash)> {
    let known = mine.given.iter();
    let known = known.filter(|g| g.at.saturating_add(60) < asked);
    known.filter_map(Given::place).collect()
}

/// `1968-03-03` of eight digits that are a date.
/// Years before the first of an era, by how it is written.
const ERAS: &[(&str, u64)] = &[
    ("明治", 1867),
    ("大正", 1911),
    ("昭和", 1925),
    ("平成", 1988),
    ("令和", 2018),
    ("M", 1867),
    ("T", 1911),
    ("S", 1925),
    ("H", 1988),
    ("R", 2018),
];

/// A date as people write it: 19680303, 1968/3/3, 1968年3月3日, 昭和43年3月3日, S43.3.3.
fn birth_date(typed: &str) -> Option<String> {
    let plain: String = typed
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            // Full-width forms are as good.
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            '元' => '1',
            c => c,
        })
        .collect();
    let upper = plain.to_ascii_uppercase();
    let era = ERAS
        .iter()
        .find_map(|(name, before)| Some((upper.strip_prefix(name)?, *before)));
    let (rest, before) = era.unwrap_or((&upper, 0));
    let parts: Vec<&str> = rest
        .split(|c: char| !c.is_ascii_digit())
        .filter(|p| !p.is_empty())
        .collect();
    let (y, m, d) = match parts.as_slice() {
        [y, m, d] => (*y, *m, *d),
        // 19680303, and S430303.
        [one] if one.len() == if before == 0 { 8 } else { 6 } => {
            let (y, rest) = one.split_at_checked(one.len() - 4)?;
            let (m, d) = rest.split_at_checked(2)?;
            (y, m, d)
        }
        _ => return None,
    };
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.len() <= 4);
    let (y, m, d) = (number(y)?.saturating_add(before), number(m)?, number(d)?);
    let text = format!("{y:04}-{m:02}-{d:02}");
    (y >= 1868).then_some(())?;
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

fn refusal(req: &str) -> Effect {
    post(
        Tag::Decline,
        &format!("/requests/{req}/decline"),
        object([]),
    )
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
    use warifu_consent::{Signer as _, Typ};

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
            log: String::new(),
            resume: false,
        };
        m.update(event, &moment(1_800_000_000));
        m.update(
            Event::KeyIs(Key::Here {
                x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned(),
                sealed: false,
                fleeting: false,
            }),
            &moment(1_800_000_000),
        );
        m
    }

    fn answer(m: &mut Model, tag: Tag, status: u16, body: &str, now: u64) -> Vec<Effect> {
        let body = body.to_owned();
        let event = Event::Answer {
            tag,
            status,
            body,
            after: None,
        };
        m.update(event, &moment(now))
    }

    const GONE: &str = r#"{"code":"SESSION"}"#;

    /// Whether a text without slots is on the screen.
    fn told(m: &Model, text: Text) -> bool {
        view::page(m).text().contains(text.ja)
    }

    fn paths(effects: &[Effect]) -> Vec<&str> {
        let paths = effects.iter().filter_map(|e| match e {
            Effect::Http { path, .. } => Some(path.as_str()),
            _ => None,
        });
        paths.collect()
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
        answer(&mut m, Tag::Mine, 200, &mine(), now);
        m
    }

    fn mine() -> String {
        format!(r#"{{"sub":"{SUB}","tokens":[]}}"#)
    }

    #[test]
    fn a_day_of_birth_is_taken_as_people_write_it() {
        for typed in [
            "19680303",
            "１９６８０３０３",
            "1968/3/3",
            "1968-03-03",
            "1968年3月3日",
            "昭和43年3月3日",
            "昭和 ４３年 ３月 ３日",
            "S43.3.3",
            "s430303",
        ] {
            assert_eq!(birth_date(typed).as_deref(), Some("1968-03-03"), "{typed}");
        }
        assert_eq!(birth_date("平成元年1月8日").as_deref(), Some("1989-01-08"));
        assert_eq!(birth_date("令和2年2月29日").as_deref(), Some("2020-02-29"));
        for none in [
            "",
            "1968",
            "1968/3",
            "19681303",
            "43年3月3日",
            "昭和43年2月30日",
            "3/3/1968",
            "平成",
        ] {
            assert_eq!(birth_date(none), None, "{none}");
        }
    }

    #[test]
    fn a_session_that_does_not_last_is_not_asked_for_again_and_again() {
        let mut m = started("/home");
        assert_eq!(m.session, Session::Proving);
        answer(&mut m, Tag::Session, 200, r#"{"keys":[]}"#, 1_800_000_001);
        assert_eq!(m.session, Session::Open);
        let effects = answer(&mut m, Tag::Mine, 401, GONE, 1_800_000_002);
        assert_eq!(m.session, Session::Failed);
        assert!(told(&m, text::PROVE_NO_STAY));
        assert!(!effects.iter().any(|e| matches!(e, Effect::Http { .. })));

        // One that lasted is told with the time, and opened again when the person says so.
        let mut m = started("/home");
        answer(&mut m, Tag::Session, 200, r#"{"keys":[]}"#, 1_800_000_001);
        let effects = answer(&mut m, Tag::Mine, 401, GONE, 1_800_000_200);
        assert!(!effects.iter().any(|e| matches!(e, Effect::Http { .. })));
        assert_eq!(m.closed, Some(1_800_000_200));
        // The other answer of the same moment changes nothing.
        assert!(answer(&mut m, Tag::Requests, 401, GONE, 1_800_000_200).is_empty());
        let effects = m.update(Event::Prove, &moment(1_800_000_300));
        assert_eq!(paths(&effects), ["/nonce"]);
        // Another 401 is not the end of a session.
        let mut m = opened("/home");
        answer(
            &mut m,
            Tag::Mine,
            401,
            r#"{"code":"KEY_UNKNOWN"}"#,
            1_800_000_200,
        );
        assert_eq!(m.session, Session::Open);
        assert!(told(&m, text::NO_KEY));
    }

    #[test]
    fn what_cannot_be_read_is_told_and_nothing_is_signed() {
        let mut m = opened(&at(Step::What));
        let now = m.now;
        ask(&mut m, now);
        m.update(Event::Category("imm".to_owned()), &moment(now));
        m.update(Event::Step(Step::What), &moment(now));
        answer(&mut m, Tag::Records, 200, r#"{"bundle":"{}"}"#, now);
        assert_eq!(m.preview, Some(Err(FilterError::NotBundle)));
        assert!(told(&m, text::AHEAD_UNREAD));
        m.update(Event::Step(Step::Until), &moment(now));
        assert_eq!(m.route.path(), at(Step::What));
        m.update(Event::SetUntil(Until::Day), &moment(now));
        m.update(Event::Step(Step::Sign), &moment(now));
        assert_eq!(m.route.path(), at(Step::What));
        m.update(Event::Go(Route::Records), &moment(now));
        answer(&mut m, Tag::Records, 200, r#"{"bundle":"{}"}"#, now);
        assert!(told(&m, text::RECORDS_UNREAD));
        assert!(!told(&m, text::RECORDS_NONE));
    }

    // ── S5 ──────────────────────────────────────────────────────────────────────────────────────

    const REQ: &str = "AAECAwQFBgcICQoLDA0ODw";
    const CLINIC: &str = "mi:1312345678";

    fn at(step: Step) -> String {
        Route::Wizard(REQ.to_owned(), step).path()
    }

    fn ask(m: &mut Model, now: u64) {
        ask_for(m, "imm", false, now);
    }

    fn ask_for(m: &mut Model, cat: &str, individual: bool, now: u64) -> Vec<Effect> {
        let body = format!(
            r#"{{"requests":[{{"req":"{REQ}","group":"g","at":{now},"aud":["{CLINIC}"],"pur":["TREAT"],"cat":["{cat}"],"min":[],"dat":{{}},"individual":{individual}}}]}}"#
        );
        answer(m, Tag::Requests, 200, &body, now)
    }

    fn key() -> warifu_consent::SecretKey {
        warifu_consent::SecretKey::from_seed(&mut [9; 32])
    }

    fn member(v: &mut Value, name: &str, new: Value) {
        let Value::Object(members) = v else {
            panic!("not an object")
        };
        members.insert(name.to_owned(), new);
    }

    /// What the server answers to the opening of [`REQ`], with one claim changed.
    fn request(now: u64, change: Option<(&str, Value)>) -> String {
        let id = |n: u8| b64::encode(&[n; 16]);
        let status = object([
            ("idx", 5.into()),
            ("uri", "https://c.example.jp/s/1".into()),
        ]);
        let mut claims = object([
            ("sub", SUB.into()),
            ("iat", (now - 1).into()),
            ("exp", (now + 899).into()),
            ("jti", id(1).into()),
            ("req", REQ.into()),
            ("aud", vec![CLINIC.to_owned()].into()),
            ("pur", vec!["TREAT".to_owned()].into()),
            ("cat", vec!["imm".to_owned()].into()),
            ("min", vec!["imm".to_owned()].into()),
            ("dat", object([])),
            ("terms", 7_776_000.into()),
            ("nonce", id(2).into()),
            ("status", object([("status_list", status)])),
            ("txt", texts("treat", 1)),
        ]);
        if let Some((name, new)) = change {
            member(&mut claims, name, new);
        }
        let token = warifu_consent::make(Typ::Request, claims, &key()).unwrap();
        object([("token", token.into())]).write()
    }

    fn texts(id: &str, m: u64) -> Value {
        let langs = ["en", "ja", "ja-easy"].map(str::to_owned).to_vec();
        object([
            ("id", id.into()),
            ("ver", 1.into()),
            ("m", m.into()),
            ("langs", langs.into()),
        ])
    }

    const NO_RECORDS: &str =
        r#"{"bundle":"{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"entry\":[]}"}"#;

    /// What would be seen is there.
    fn look(m: &mut Model) {
        let now = m.now;
        m.update(Event::Step(Step::What), &moment(now));
        answer(m, Tag::Records, 200, NO_RECORDS, now);
        assert!(matches!(m.preview, Some(Ok(_))));
    }

    #[test]
    fn nobody_goes_on_before_what_would_be_seen_is_there() {
        // A general request, and an individual one, whose first page lists it.
        for (individual, lists) in [(false, Step::What), (true, Step::Who)] {
            let mut m = opened(&at(Step::Who));
            let now = m.now;
            let cat = if individual { "prc.surgery" } else { "imm" };
            let effects = ask_for(&mut m, cat, individual, now);
            assert_eq!(paths(&effects).contains(&"/disclose"), individual);
            if !individual {
                m.update(Event::Category(cat.to_owned()), &moment(now));
            }
            m.update(Event::SetUntil(Until::Day), &moment(now));
            for step in [Step::Until, Step::Sign, Step::Until] {
                m.update(Event::Step(step), &moment(now));
                assert_eq!(m.route.path(), at(lists), "{individual}");
            }
            answer(&mut m, Tag::Records, 200, NO_RECORDS, now);
            m.update(Event::Step(Step::Until), &moment(now));
            assert_eq!(m.route.path(), at(Step::Until));
        }
    }

    /// On the last page of the wizard, before the request is opened.
    fn choosing(now: u64) -> Model {
        let mut m = opened(&at(Step::Who));
        ask(&mut m, now);
        look(&mut m);
        m.update(Event::Category("imm".to_owned()), &moment(now));
        m.update(Event::SetUntil(Until::Day), &moment(now));
        let effects = m.update(Event::Step(Step::Sign), &moment(now));
        assert_eq!(paths(&effects), [format!("/requests/{REQ}/open")]);
        m
    }

    fn bound(m: &Model) -> Option<&crate::wizard::Bound> {
        m.draft.as_ref().and_then(|d| d.bound.as_ref())
    }

    fn problem(m: &Model) -> Option<&str> {
        m.problem.as_ref().map(|p| p.code.as_str())
    }

    /// The grant, signed and sent; the token.
    fn signed(m: &mut Model, now: u64) -> String {
        answer(m, Tag::Open, 200, &request(now, None), now);
        let claims = bound(m).unwrap().claims.clone();
        let effects = m.update(Event::Sign, &moment(now));
        assert!(matches!(effects[0], Effect::Sign { tag: Tag::Give, .. }));
        let token = warifu_consent::make(Typ::Grant, claims, &key()).unwrap();
        let signed = Event::Signed {
            tag: Tag::Give,
            token: token.clone(),
        };
        assert_eq!(paths(&m.update(signed, &moment(now))), ["/consent/tokens"]);
        token
    }

    fn receipt(token: &str, hash: &str, now: u64) -> String {
        let (typ, claims) = warifu_consent::peek(token).unwrap();
        let rec = object([
            ("schema", "ISO/IEC TS 27560:2023".into()),
            ("controller", CLINIC.into()),
            ("contact", "架空割符病院".into()),
            ("notice", claims.get("txt").cloned().unwrap()),
            ("withdrawal", "POST /api/consent/tokens".into()),
            ("state", "accepted".into()),
        ]);
        let claims = object([
            ("sub", SUB.into()),
            ("iat", now.into()),
            ("jti", b64::encode(&[3; 16]).into()),
            ("tok", hash.into()),
            ("of", typ.wire().into()),
            ("at", now.into()),
            ("n", 7.into()),
            ("head", b64::encode(&[4; 32]).into()),
            ("leaf", b64::encode(&[4; 32]).into()),
            ("rec", rec),
        ]);
        warifu_consent::make(Typ::Receipt, claims, &key()).unwrap()
    }

    /// What the server answers when it took the token.
    fn accepted(token: &str, now: u64) -> Value {
        let hash = warifu_consent::token_hash(token).unwrap();
        let (typ, claims) = warifu_consent::peek(token).unwrap();
        object([
            ("typ", typ.wire().into()),
            ("jti", claims.get("jti").cloned().unwrap()),
            ("tok", hash.as_str().into()),
            ("receipt", receipt(token, &hash, now).into()),
            ("again", false.into()),
            ("state", "accepted".into()),
            ("at", now.into()),
        ])
    }

    #[test]
    fn success_is_believed_only_for_the_token_that_was_sent() {
        let now = 1_800_000_000;
        let done = at(Step::Done);
        let mut m = choosing(now);
        let token = signed(&mut m, now);
        let body = accepted(&token, now);
        let effects = answer(&mut m, Tag::Give, 201, &body.write(), now);
        assert_eq!(m.route.path(), done);
        assert!(matches!(&m.outcome, Outcome::Given(_, 7)));
        assert!(paths(&effects).contains(&"/consent/mine"));

        let other = warifu_consent::token_hash("a.b.c").unwrap();
        let wrong: &[(&str, Value)] = &[
            ("tok", other.as_str().into()),
            ("state", "ended".into()),
            ("at", Value::Null),
            ("jti", b64::encode(&[8; 16]).into()),
            ("receipt", receipt(&token, &other, now).into()),
            ("receipt", Value::Null),
        ];
        for (name, new) in wrong {
            let mut m = choosing(now);
            let token = signed(&mut m, now);
            let mut body = accepted(&token, now);
            member(&mut body, name, new.clone());
            let effects = answer(&mut m, Tag::Give, 201, &body.write(), now);
            assert_eq!(m.route.path(), at(Step::Sign), "{name}");
            assert_eq!(problem(&m), Some(UNPROVEN), "{name}");
            assert_eq!(m.outcome, Outcome::None, "{name}");
            // What the server keeps is looked at.
            assert!(paths(&effects).contains(&"/consent/mine"), "{name}");
        }
    }

    #[test]
    fn what_may_have_arrived_is_sent_again_as_it_was() {
        let now = 1_800_000_000;
        let mut m = choosing(now);
        let token = signed(&mut m, now);
        assert!(answer(&mut m, Tag::Give, 0, "", now).is_empty());
        let slot = |text: Text| text.ja.split('{').next().unwrap().to_owned();
        let screen = view::page(&m).text();
        assert!(screen.contains(&slot(text::SERVER_UNSURE)));
        assert_eq!(m.again(), Some((now + AGAIN_AFTER, Unanswered::Unsure)));
        // Nothing is signed a second time meanwhile, and another answer changes nothing.
        answer(&mut m, Tag::Mine, 200, &mine(), now + 1);
        assert!(m.update(Event::Sign, &moment(now + 2)).is_empty());
        assert!(m.update(Event::Decline, &moment(now + 2)).is_empty());
        assert!(m.update(Event::Tick, &moment(now + 59)).is_empty());
        let effects = m.update(Event::Tick, &moment(now + 60));
        let Some(Effect::Http { tag, body, .. }) = effects.first() else {
            panic!("nothing is sent")
        };
        assert_eq!(*tag, Tag::Give);
        let sent = body.as_ref().and_then(|b| b.get("token")?.text());
        assert_eq!(sent, Some(token.as_str()));
        let mut body = accepted(&token, now);
        member(&mut body, "again", true.into());
        answer(&mut m, Tag::Give, 200, &body.write(), now + 61);
        assert_eq!(m.route.path(), at(Step::Done));
        assert_eq!(m.again(), None);

        // Where the server says that it did nothing, that is said.
        let mut m = choosing(now);
        signed(&mut m, now);
        answer(&mut m, Tag::Give, 503, r#"{"code":"STORE"}"#, now);
        assert_eq!(m.again().map(|a| a.1), Some(Unanswered::NotDone));
        // A reason that comes with 503 is a refusal.
        let mut m = choosing(now);
        signed(&mut m, now);
        answer(&mut m, Tag::Give, 503, r#"{"code":"STATUS_STALE"}"#, now);
        assert_eq!(m.again(), None);
        assert!(told(&m, text::NO_AGAIN));
    }

    #[test]
    fn what_is_read_is_asked_again_each_for_itself() {
        let mut m = opened("/home");
        let now = m.now;
        m.update(Event::Go(Route::Home), &moment(now));
        answer(&mut m, Tag::Mine, 0, "", now);
        // The other answer of the same moment does not forget it.
        ask(&mut m, now + 1);
        assert_eq!(m.again(), Some((now + AGAIN_AFTER, Unanswered::Read)));
        let effects = m.update(Event::Online(true), &moment(now + 5));
        assert_eq!(paths(&effects), ["/consent/mine"]);
        answer(&mut m, Tag::Mine, 200, &mine(), now + 6);
        assert_eq!(m.again(), None);

        // Records too, from the page that is missing; and they are read once at a time.
        let effects = m.update(Event::Go(Route::Records), &moment(now + 7));
        assert_eq!(paths(&effects), ["/disclose"]);
        assert!(m.update(Event::Go(Route::Records), &moment(now + 7)).len() < 3);
        let page = r#"{"bundle":"{\"resourceType\":\"Bundle\"}","next":"500"}"#;
        answer(&mut m, Tag::Records, 200, page, now + 8);
        answer(&mut m, Tag::Records, 0, "", now + 9);
        let effects = m.update(Event::Tick, &moment(now + 69));
        let Some(Effect::Http { body, .. }) = effects.first() else {
            panic!("nothing is asked")
        };
        let next = body.as_ref().and_then(|b| b.get("page")?.text());
        assert_eq!(next, Some("500"));
        let last = r#"{"bundle":"{\"resourceType\":\"Bundle\"}"}"#;
        answer(&mut m, Tag::Records, 200, last, now + 70);
        assert_eq!((m.records.bundles.len(), m.records_whole), (2, true));
        // A page that nobody waits for is not added.
        answer(&mut m, Tag::Records, 200, last, now + 71);
        assert_eq!(m.records.bundles.len(), 2);
    }

    #[test]
    fn with_a_passphrase_it_is_asked_again_too() {
        let mut m = started("/home");
        let now = m.now;
        m.key = Key::Here {
            x: String::new(),
            sealed: true,
            fleeting: false,
        };
        m.session = Session::None;
        let pass = Secret::new("むかしむかしあるところに".to_owned());
        m.update(Event::Pass(pass), &moment(now));
        m.update(Event::Prove, &moment(now));
        answer(&mut m, Tag::SessionNonce, 0, "", now);
        assert_eq!(m.again(), Some((now + AGAIN_AFTER, Unanswered::Read)));
        let effects = m.update(Event::Tick, &moment(now + 60));
        assert_eq!(paths(&effects), ["/nonce"]);
        let nonce = r#"{"nonce":"AAECAwQFBgcICQoLDA0ODw"}"#;
        let effects = answer(&mut m, Tag::SessionNonce, 200, nonce, now + 61);
        assert!(matches!(effects[0], Effect::Sign { pass: Some(_), .. }));
        // Once the passphrase is used, the person is asked.
        answer(&mut m, Tag::Session, 0, "", now + 62);
        assert!(told(&m, text::KEY_PASS_AGAIN));
        assert_eq!(m.session, Session::None);
        let page = view::page(&m);
        let typed = page.all().into_iter().find(|e| e.get("id") == Some("pass"));
        assert_eq!(typed.and_then(|e| e.get("value")), None);
    }

    #[test]
    fn a_passphrase_is_in_no_attribute() {
        let mut m = started("/key");
        m.key = Key::NeedsPass;
        let pass = Secret::new("むかしむかしあるところに".to_owned());
        m.update(Event::Pass(pass.clone()), &moment(m.now));
        let page = view::page(&m);
        let all = page.all();
        let field = all.iter().find(|e| e.get("id") == Some("pass")).unwrap();
        assert_eq!(field.secret, Some(pass));
        let attrs = all.iter().flat_map(|e| &e.attrs);
        assert!(attrs.into_iter().all(|(_, v)| !v.contains("むかし")));
        assert!(!format!("{m:?}{page:?}").contains("むかし"));
    }

    #[test]
    fn a_registration_says_what_happened_by_its_code() {
        let form = || {
            let mut m = started("/enrol");
            let now = m.now;
            m.update(Event::Code("1234567890123456".to_owned()), &moment(now));
            m.update(Event::Birth("19680303".to_owned()), &moment(now));
            let effects = m.update(Event::Enrol, &moment(now));
            assert_eq!(paths(&effects), ["/nonce"]);
            m
        };
        for (status, code, text) in [
            (403, "CODE", text::ENROL_NO),
            (429, "RATE", text::NO_RATE),
            (500, "INTERNAL", text::NO_OURS),
            (401, "KEY_COMPROMISED", text::NO_KEY),
        ] {
            let mut m = form();
            let now = m.now;
            let body = format!(r#"{{"code":"{code}"}}"#);
            answer(&mut m, Tag::Enrol, status, &body, now);
            let page = view::page(&m);
            let slot = text.ja.split('{').next().unwrap();
            assert!(page.text().contains(slot), "{code}");
            let time = page.all().iter().any(|e| e.tag == "time");
            assert_eq!(time, code == "RATE", "{code}");
            assert_eq!(page.text().contains(text::ENROL_NO.ja), code == "CODE");
            assert_eq!(m.code, "1234567890123456");
        }
        // Whether it arrived is not known: a code counts once, so the key is looked for first.
        let mut m = form();
        let now = m.now;
        let nonce = r#"{"nonce":"AAECAwQFBgcICQoLDA0ODw"}"#;
        answer(&mut m, Tag::EnrolNonce, 200, nonce, now);
        let proof = Event::Signed {
            tag: Tag::EnrolNonce,
            token: "a.b.c".to_owned(),
        };
        assert_eq!(paths(&m.update(proof, &moment(now))), ["/enrol"]);
        answer(&mut m, Tag::Enrol, 0, "", now);
        let effects = m.update(Event::Tick, &moment(now + 60));
        assert!(matches!(
            effects[0],
            Effect::Http {
                tag: Tag::SessionNonce,
                ..
            }
        ));
        let mut arrived = m.clone();
        let keys = r#"{"keys":[{"kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","since":1,"state":"active","at":0}]}"#;
        answer(&mut arrived, Tag::Session, 200, keys, now + 61);
        assert_eq!(arrived.enrol, Enrol::Done);
        let unknown = r#"{"code":"KEY_UNKNOWN"}"#;
        let effects = answer(&mut m, Tag::Session, 401, unknown, now + 61);
        assert!(matches!(
            effects[0],
            Effect::Http {
                tag: Tag::EnrolNonce,
                ..
            }
        ));
        // An answer of success without this key is none.
        answer(&mut m, Tag::Enrol, 200, r#"{"keys":[]}"#, now + 62);
        assert_eq!(problem(&m), Some(UNPROVEN));
    }

    #[test]
    fn only_a_key_that_is_refused_is_told_as_one() {
        for (status, code, session) in [
            (401, "KEY_RETIRED", Session::Refused),
            (403, "SUB", Session::Refused),
            (409, "NONCE", Session::Failed),
            (429, "RATE", Session::Failed),
        ] {
            let mut m = started("/home");
            let now = m.now;
            let body = format!(r#"{{"code":"{code}"}}"#);
            answer(&mut m, Tag::Session, status, &body, now);
            assert_eq!(m.session, session, "{code}");
            let refused = session == Session::Refused;
            assert_eq!(told(&m, text::PROVE_REFUSED), refused, "{code}");
            assert_eq!(m.problem.is_some(), !refused, "{code}");
        }
    }

    #[test]
    fn what_could_not_be_read_is_told_where_it_is_missing() {
        let mut m = opened("/home");
        let now = m.now;
        answer(&mut m, Tag::Requests, 500, r#"{"code":"INTERNAL"}"#, now);
        assert!(told(&m, text::NOT_SHOWN));
        let effects = m.update(Event::Retry, &moment(now));
        assert!(paths(&effects).contains(&"/requests"));
        assert!(!told(&m, text::NOT_SHOWN));
        ask(&mut m, now);
        answer(&mut m, Tag::Mine, 200, "{}", now);
        assert_eq!(problem(&m), Some(UNPROVEN));
        assert!(view::page(&m).text().contains(UNPROVEN));
        // Before there are names, on the screen that stands before all others.
        let mut m = started("/home");
        answer(&mut m, Tag::Session, 200, r#"{"keys":[]}"#, now);
        answer(&mut m, Tag::Policy, 200, "{}", now);
        assert!(told(&m, text::NOT_SHOWN));
    }

    #[test]
    fn after_the_session_nothing_of_the_person_is_on_the_screen() {
        let now = 1_800_000_000;
        let mut m = choosing(now);
        answer(&mut m, Tag::Open, 200, &request(now, None), now);
        assert!(bound(&m).is_some());
        let ends = m.session_ends;
        // What is asked keeps it open; two minutes before its end that is said.
        assert!(ends > now && ends <= now + 900);
        m.update(Event::Tick, &moment(ends - 100));
        let soon = |m: &Model| view::page(m).text().contains(text::STAY_GO.ja);
        assert!(soon(&m));
        let effects = m.update(Event::Stay, &moment(ends - 90));
        assert_eq!(paths(&effects), ["/session"]);
        let body = format!(r#"{{"exp":{}}}"#, ends + 800);
        answer(&mut m, Tag::Stay, 200, &body, ends - 90);
        assert!(!soon(&m));
        m.update(Event::Tick, &moment(ends));
        assert_eq!(m.closed, None);
        let effects = m.update(Event::Tick, &moment(ends + 800));
        assert!(paths(&effects).is_empty());
        let page = view::page(&m).text();
        let when = crate::time::instant(ends + 800, Lang::Ja);
        assert!(page.contains(&text::CLOSED.ja.replace("{when}", &when)));
        assert!(page.contains(text::CLOSED_KEPT.ja));
        assert!(!page.contains("架空割符診療所"));
        assert_eq!((&m.mine, &m.waiting_requests), (&None, &None));
        assert!(m.records.bundles.is_empty() && bound(&m).is_none());
        // It is opened by the person alone, and what was chosen is still there.
        assert!(paths(&m.update(Event::Go(Route::Home), &moment(ends + 900))).is_empty());
        let effects = m.update(Event::Prove, &moment(ends + 900));
        assert_eq!(paths(&effects), ["/nonce"]);
        assert!(m.draft.as_ref().unwrap().cats.contains("imm"));
    }

    #[test]
    fn a_request_that_asks_for_something_else_is_not_signed() {
        let now = 1_800_000_000;
        let list = |code: &str| Value::from(vec![code.to_owned()]);
        let wrong: &[(&str, Value)] = &[
            ("req", b64::encode(&[9; 16]).into()),
            ("sub", "s1.AAAAAAAAAAAAAAAAAAAAAA".into()),
            ("exp", now.into()),
            ("aud", list("mi:1319999999")),
            ("pur", list("RESEARCH")),
            ("cat", list("inf.rx")),
            ("dat", object([("from", "2026-01-01".into())])),
            ("txt", texts("indiv-treat", 1)),
        ];
        for (name, new) in wrong {
            let mut m = choosing(now);
            let body = request(now, Some((name, new.clone())));
            answer(&mut m, Tag::Open, 200, &body, now);
            assert_eq!(bound(&m), None, "{name}");
            assert_eq!(problem(&m), Some("TEXT_MISMATCH"), "{name}");
        }
        // With another master the names are read again, once.
        let mut m = choosing(now);
        let newer = request(now, Some(("txt", texts("treat", 2))));
        let effects = answer(&mut m, Tag::Open, 200, &newer, now);
        assert_eq!(paths(&effects), ["/policy", "/master"]);
        answer(&mut m, Tag::Policy, 200, warifu_consent::REFERENCE, now);
        let master = MASTER.replace(r#""version":1"#, r#""version":2"#);
        let effects = answer(&mut m, Tag::Master, 200, &master, now);
        assert_eq!(paths(&effects), [format!("/requests/{REQ}/open")]);
        let mut same = m.clone();
        answer(&mut same, Tag::Open, 200, &newer, now);
        assert!(bound(&same).is_some());
        let newest = request(now, Some(("txt", texts("treat", 3))));
        assert!(paths(&answer(&mut m, Tag::Open, 200, &newest, now)).is_empty());
        assert_eq!(problem(&m), Some("TEXT_UNKNOWN"));
    }

    #[test]
    fn who_has_no_name_is_not_gone_on_with() {
        let mut m = opened(&at(Step::Who));
        let now = m.now;
        let master = MASTER.replace("1312345678", "1312345679");
        answer(&mut m, Tag::Master, 200, &master, now);
        ask(&mut m, now);
        assert!(told(&m, text::NO_AUD));
        m.update(Event::Step(Step::Why), &moment(now));
        assert_eq!(m.route.path(), at(Step::Who));
    }

    #[test]
    fn the_text_is_signed_in_the_language_it_is_shown_in() {
        let now = 1_800_000_000;
        let mut m = choosing(now);
        answer(&mut m, Tag::Open, 200, &request(now, None), now);
        let article = |m: &Model| {
            let page = view::page(m);
            let all = page.all();
            let found = all.into_iter().find(|e| e.tag == "article").unwrap();
            found.get("lang").unwrap().to_owned()
        };
        let ja = bound(&m).unwrap().clone();
        assert_eq!(article(&m), "ja");
        m.update(Event::SetLang(Lang::En), &moment(now + 5));
        let en = bound(&m).unwrap().clone();
        assert_eq!(article(&m), "en");
        assert_ne!(ja.text, en.text);
        let lang = en.claims.get("txt").and_then(|t| t.get("lang")?.text());
        assert_eq!(lang, Some("en"));
        assert_eq!(en.claims.get("nonce"), ja.claims.get("nonce"));
    }

    #[test]
    fn all_that_one_institution_asks_is_refused_one_after_another() {
        let now = 1_800_000_000;
        let mut m = opened("/home");
        let ids = [
            "AAECAwQFBgcICQoLDA0ODw",
            "AQECAwQFBgcICQoLDA0ODw",
            "AgECAwQFBgcICQoLDA0ODw",
        ];
        let rows = ids
            .iter()
            .zip(["mi:1312345678", "mi:1319999999", "mi:1312345678"]);
        let rows = rows.map(|(req, aud)| {
            format!(
                r#"{{"req":"{req}","group":"{req}","at":{now},"aud":["{aud}"],"pur":["TREAT"],"cat":["imm"],"min":[],"dat":{{}}}}"#
            )
        });
        let rows: Vec<String> = rows.collect();
        let body = format!(r#"{{"requests":[{}]}}"#, rows.join(","));
        answer(&mut m, Tag::Requests, 200, &body, now);
        answer(&mut m, Tag::Mine, 200, &mine(), now);
        assert!(told(&m, text::HOME_REFUSE_ALL));
        let clinic = Event::DeclineAll(vec![CLINIC.to_owned()]);
        let sent = m.update(clinic.clone(), &moment(now));
        assert_eq!(paths(&sent), [format!("/requests/{}/decline", ids[0])]);
        // Pressed again, it is not sent again.
        assert!(m.update(clinic, &moment(now)).is_empty());
        let told_of = |req: &str| format!(r#"{{"req":"{req}"}}"#);
        let sent = answer(&mut m, Tag::Decline, 200, &told_of(ids[0]), now);
        assert_eq!(paths(&sent), [format!("/requests/{}/decline", ids[2])]);
        // One that was over meanwhile is as good as refused.
        answer(&mut m, Tag::Decline, 409, r#"{"code":"ANSWERED"}"#, now);
        assert_eq!(m.said, Some(text::REFUSED_ALL));
        let left: Vec<&str> = m
            .waiting_requests
            .iter()
            .flatten()
            .map(|w| w.req.as_str())
            .collect();
        assert_eq!(left, [ids[1]]);
        assert!(m.refusing.is_empty() && !told(&m, text::HOME_REFUSE_ALL));
    }

    #[test]
    fn what_is_asked_again_in_the_same_words_is_one_row() {
        let mut m = opened("/home");
        let now = m.now;
        let id = |n: u8| b64::encode(&[n; 16]);
        let row = |n: u8, cat: &str| {
            let req = id(n);
            format!(
                r#"{{"req":"{req}","group":"{req}","at":{now},"aud":["{CLINIC}"],"pur":["TREAT"],"cat":["{cat}"],"min":[],"dat":{{}},"individual":false}}"#
            )
        };
        let rows = [
            row(1, "imm"),
            row(2, "inf.lab"),
            row(3, "imm"),
            row(4, "imm"),
        ];
        let body = format!(r#"{{"requests":[{}]}}"#, rows.join(","));
        answer(&mut m, Tag::Requests, 200, &body, now);
        let page = view::page(&m).text();
        let times = |text: &str| page.matches(text).count();
        assert_eq!(times("同じお願いが3件あります"), 1);
        assert_eq!(
            (times("見たいもの：予防接種"), times("見たいもの：検査")),
            (1, 1)
        );
        assert_eq!(times(text::HOME_REFUSE_ALL.ja), 1);
        // All of them are refused, those that are not shown too.
        m.update(Event::DeclineAll(vec![CLINIC.to_owned()]), &moment(now));
        assert_eq!(m.refusing.len(), 4);
    }

    #[test]
    fn what_became_of_copies_stands_with_the_consent() {
        let jti = b64::encode(&[1; 16]);
        let mut m = opened("/home");
        let now = m.now;
        let effects = m.update(Event::Go(Route::Consent(jti.clone())), &moment(now));
        assert_eq!(paths(&effects), ["/erasures"]);
        let row =
            |more: &str| format!(r#"{{"erasures":[{{"jti":"{jti}","rcp":"{CLINIC}"{more}}}]}}"#);
        for (more, known) in [
            (r#","state":"waiting""#.to_owned(), care::Copies::Waiting),
            (
                format!(r#","state":"erased","at":{now}"#),
                care::Copies::Erased(now),
            ),
            (
                format!(r#","state":"kept","at":{now},"why":"chart""#),
                care::Copies::Kept(now, "chart".to_owned()),
            ),
        ] {
            answer(&mut m, Tag::Erasures, 200, &row(&more), now);
            assert_eq!(m.erasures[0].answer, known, "{more}");
        }
        // An answer of another form is no answer.
        answer(
            &mut m,
            Tag::Erasures,
            200,
            &row(r#","state":"erased""#),
            now,
        );
        assert_eq!(problem(&m), Some(UNPROVEN));
        m.update(Event::ActFor(None), &moment(now));
        assert!(m.erasures.is_empty(), "of another person nothing stays");
    }

    #[test]
    fn a_request_that_is_over_is_told_as_such() {
        let now = 1_800_000_000;
        for code in ["ANSWERED", "NOT_FOUND"] {
            let mut m = choosing(now);
            m.update(Event::Decline, &moment(now));
            let body = format!(r#"{{"code":"{code}"}}"#);
            answer(&mut m, Tag::Decline, 409, &body, now);
            assert!(told(&m, text::ASK_OVER), "{code}");
            assert_eq!(m.problem, None);
        }
        // Refused is what the server says of this request.
        let mut m = choosing(now);
        m.update(Event::Decline, &moment(now));
        answer(&mut m, Tag::Decline, 200, r#"{"req":"other"}"#, now);
        assert_eq!(problem(&m), Some(UNPROVEN));
        m.update(Event::At(at(Step::Refused)), &moment(now));
        assert!(!told(&m, text::REFUSED));
        let mut m = choosing(now);
        m.update(Event::Decline, &moment(now));
        answer(
            &mut m,
            Tag::Decline,
            200,
            &format!(r#"{{"req":"{REQ}"}}"#),
            now,
        );
        assert!(told(&m, text::REFUSED));
    }

    #[test]
    fn a_term_that_is_not_allowed_is_not_offered() {
        let mut m = opened(&at(Step::Who));
        let now = m.now;
        let offered = |m: &Model| {
            let page = view::page(m);
            let radios = page
                .all()
                .into_iter()
                .filter(|e| e.get("name") == Some("until"));
            radios.count()
        };
        ask(&mut m, now);
        look(&mut m);
        m.update(Event::Category("imm".to_owned()), &moment(now));
        m.update(Event::Step(Step::Until), &moment(now));
        assert_eq!((offered(&m), m.longest()), (4, 365));
        let short =
            warifu_consent::REFERENCE.replace(r#""longest_days": 1826"#, r#""longest_days": 100"#);
        answer(&mut m, Tag::Policy, 200, &short, now);
        assert_eq!((offered(&m), m.longest()), (3, 100));
        m.update(Event::SetUntil(Until::Pick), &moment(now));
        let day = warifu_consent::Date::at(now + 150 * crate::time::DAY).to_string();
        m.update(Event::Picked(day), &moment(now));
        m.update(Event::Step(Step::Sign), &moment(now));
        assert_eq!(m.route.path(), at(Step::Until));
        assert_eq!(m.lacks[0].n, 100);
    }

    #[test]
    fn erased_is_said_only_when_it_is() {
        let mut m = started("/bye");
        let now = m.now;
        // It is asked once more, and only on this screen.
        assert!(m.update(Event::Erase, &moment(now)).is_empty());
        m.update(Event::AskErase, &moment(now));
        assert!(told(&m, text::BYE_SURE));
        m.update(Event::Go(Route::Menu), &moment(now));
        m.update(Event::Go(Route::Bye), &moment(now));
        assert!(!told(&m, text::BYE_SURE));
        assert!(m.update(Event::Erase, &moment(now)).is_empty());
        m.update(Event::AskErase, &moment(now));
        assert_eq!(m.update(Event::Erase, &moment(now)), [Effect::Erase]);
        m.update(Event::NotErased, &moment(now));
        assert!(told(&m, text::BYE_NOT_ERASED));
        assert!(!m.erased);
        m.update(Event::Erase, &moment(now));
        let mut told_server = m.clone();
        told_server.update(Event::Erased(true), &moment(now));
        assert!(told(&told_server, text::BYE_ERASED));
        assert_eq!(told_server.lingers, None);
        m.update(Event::Erased(false), &moment(now));
        let when = crate::time::instant(m.lingers.unwrap(), Lang::Ja);
        assert!(view::page(&m).text().contains(&when));
    }

    #[test]
    fn a_session_of_before_is_gone_on_with_where_it_is_of_this_key() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let resumed_at = |path: &str, kid: &str, status: u16| {
            let mut m = Model::default();
            let event = Event::Started {
                path: path.to_owned(),
                prefs: String::new(),
                browser: "ja".to_owned(),
                origin: "https://c.example.jp".to_owned(),
                keeps: true,
                log: String::new(),
                resume: true,
            };
            m.update(event, &moment(1_800_000_000));
            let key = Key::Here {
                x: x.to_owned(),
                sealed: true,
                fleeting: false,
            };
            let effects = m.update(Event::KeyIs(key), &moment(1_800_000_000));
            assert!(paths(&effects).ends_with(&["/session"]));
            let body = format!(
                r#"{{"kid":"{kid}","exp":1800000600,"keys":[{{"kid":"a","x":"{x}","since":1,"state":"active","at":0}}]}}"#
            );
            answer(&mut m, Tag::Resume, status, &body, 1_800_000_000);
            m
        };
        let resumed = |kid: &str, status: u16| resumed_at("/home", kid, status);
        // Whoever reports something can say from whom it is, after a reload too; nobody has to.
        let mine = |m: &Model| {
            view::page(m)
                .all()
                .iter()
                .any(|e| e.get("id") == Some("report-mine"))
        };
        assert!(mine(&resumed_at("/report", "a", 200)));
        for m in [
            resumed_at("/report", "b", 200),
            resumed_at("/report", "a", 401),
        ] {
            assert!(!mine(&m) && told(&m, text::REPORT_SEND));
            assert_eq!(m.session, Session::None);
        }
        let m = resumed("a", 200);
        assert_eq!((m.session, m.session_ends), (Session::Open, 1_800_000_600));
        // That of another person on the same device, and one that is over.
        for m in [resumed("b", 200), resumed("a", 401)] {
            assert_eq!(m.session, Session::None);
            assert!(told(&m, text::PROVE_GO));
        }
    }

    #[test]
    fn lines_that_are_not_believed_are_told_and_remembered_as_nothing() {
        let mut m = opened("/history");
        let now = m.now;
        assert!(!m.is_doubtful() && told(&m, text::LOADING));
        let key = r#"{"log":"none","witnesses":[],"quorum":0}"#;
        let lines = format!(r#"{{"sub":"{SUB}","lines":[]}}"#);
        answer(&mut m, Tag::LogKey, 200, key, now);
        let effects = answer(&mut m, Tag::LogMine, 200, &lines, now);
        assert!(m.is_doubtful() && effects.is_empty());
        assert_eq!(m.kept, Kept::default());
        assert!(told(&m, text::HISTORY_BAD) && told(&m, text::CAUSE_UNSIGNED));
        let effects = m.update(Event::Evidence, &moment(now));
        assert!(matches!(&effects[..], [Effect::Save { body, .. }] if body.contains(SUB)));
        let effects = m.update(Event::CheckLog, &moment(now));
        assert_eq!(paths(&effects), ["/log/key", "/log/mine"]);
        // On home it is told beside everything else.
        ask(&mut m, now);
        m.update(Event::Go(Route::Home), &moment(now));
        assert!(told(&m, text::HISTORY_BAD) && !told(&m, text::HISTORY_NONE));
    }

    // ── S9, S10, S11, S14, without a network ────────────────────────────────────────────────────

    /// Whether a button says that.
    fn offered(m: &Model, text: Text) -> bool {
        let page = view::page(m);
        let all = page.all().into_iter().filter(|e| e.tag == "button");
        all.cloned()
            .any(|e| crate::node::Node::El(Box::new(e)).text() == text.ja)
    }

    fn wish_text(m: &Model) -> Option<&crate::wizard::Bound> {
        m.plan.as_ref().and_then(|p| p.bound.as_ref())
    }

    /// Signs what is on the screen; the token.
    fn sign_wish(m: &mut Model, typ: Typ, now: u64) -> String {
        let effects = m.update(Event::WishSign, &moment(now));
        let claims = match &effects[..] {
            [
                Effect::Sign {
                    tag: Tag::Wish,
                    typ: t,
                    claims,
                    ..
                },
            ] => {
                assert_eq!(*t, typ.wire());
                claims.clone()
            }
            other => panic!("{other:?}"),
        };
        let token = warifu_consent::make(typ, claims, &key()).unwrap();
        let signed = Event::Signed {
            tag: Tag::Wish,
            token: token.clone(),
        };
        assert_eq!(paths(&m.update(signed, &moment(now))), ["/consent/tokens"]);
        token
    }

    const NONCE: &str = r#"{"nonce":"CwsLCwsLCwsLCwsLCwsLCw","status":{"status_list":{"idx":5,"uri":"https://c.example.jp/s/1"}},"exp":9}"#;

    #[test]
    fn an_objection_is_believed_only_for_the_token_that_was_sent() {
        let mut m = opened("/secondary");
        let now = m.now;
        assert!(told(&m, text::SECONDARY_OFF));
        assert!(told(&m, text::SECONDARY_NO) && !told(&m, text::SECONDARY_YES));
        let effects = m.update(Event::Wish(Wish::Object), &moment(now));
        assert_eq!(m.route.path(), "/secondary/sign");
        // The number of the next objection is asked for again.
        assert_eq!(paths(&effects), ["/consent/mine"]);
        let seven = format!(r#"{{"sub":"{SUB}","tokens":[],"seq":7}}"#);
        answer(&mut m, Tag::Mine, 200, &seven, now);
        let bound = wish_text(&m).unwrap();
        assert_eq!(bound.claims.get("seq").and_then(Value::int), Some(7));
        assert_eq!(bound.claims.get("nonce"), None);
        let token = sign_wish(&mut m, Typ::Objection, now);
        let mut other = m.clone();
        let mut wrong = accepted(&token, now);
        member(&mut wrong, "tok", b64::encode(&[1; 32]).into());
        answer(&mut other, Tag::Wish, 201, &wrong.write(), now);
        assert_eq!(problem(&other), Some(UNPROVEN));
        assert!(!matches!(other.outcome, Outcome::Wished(..)));
        answer(&mut m, Tag::Wish, 201, &accepted(&token, now).write(), now);
        assert_eq!(m.route.path(), "/secondary/done");
        assert_eq!(m.outcome, Outcome::Wished(Wish::Object, now, Some(7)));
        // What is in force decides what is offered.
        let key = key().public();
        m.keys = Keys(vec![care::OneKey {
            kid: key.thumbprint(),
            x: key.x(),
            since: 1,
            state: warifu_consent::KeyState::Active,
            jti: String::new(),
            role: "patient".to_owned(),
            person: None,
        }]);
        let row = format!(
            r#"{{"sub":"{SUB}","tokens":[{{"token":"{token}","at":{now},"ended":false}}],"seq":8}}"#
        );
        answer(&mut m, Tag::Mine, 200, &row, now);
        m.update(Event::Go(Route::Secondary(WishStep::Start)), &moment(now));
        assert!(told(&m, text::SECONDARY_YES) && !told(&m, text::SECONDARY_NO));
        // A page of the middle without choices is the first one.
        m.update(Event::At("/secondary/sign".to_owned()), &moment(now));
        assert_eq!(m.route.path(), "/secondary");
    }

    #[test]
    fn a_consent_to_every_institution_is_read_twice() {
        let mut m = opened("/emergency");
        let now = m.now;
        m.update(Event::Wish(Wish::Advance), &moment(now));
        m.update(Event::WishStep(WishStep::Until), &moment(now));
        assert_eq!(m.route.path(), "/emergency/what");
        assert!(told(&m, text::WHAT_LEFT));
        m.update(Event::Category("inf.rx".to_owned()), &moment(now));
        m.update(Event::WishStep(WishStep::Until), &moment(now));
        m.update(Event::WishStep(WishStep::Sign), &moment(now));
        assert!(told(&m, text::UNTIL_LEFT));
        m.update(Event::SetUntil(Until::Quarter), &moment(now));
        let effects = m.update(Event::WishStep(WishStep::Sign), &moment(now));
        // Without a nonce nothing can be signed yet.
        assert_eq!(paths(&effects), ["/consent/mine"]);
        answer(&mut m, Tag::Mine, 200, &mine(), now);
        assert!(wish_text(&m).is_some());
        assert!(!offered(&m, text::SIGN_WISH) && !offered(&m, text::PREF_LOOK_GO));
        assert!(m.update(Event::WishSign, &moment(now)).is_empty());
        assert!(m.update(Event::WishLook, &moment(now + 60)).is_empty());
        let later = m.plan.as_ref().unwrap().look.unwrap();
        assert!(later >= now + SECOND_LOOK);
        m.update(Event::Tick, &moment(later));
        assert!(offered(&m, text::PREF_LOOK_GO));
        let effects = m.update(Event::WishLook, &moment(later));
        assert_eq!(paths(&effects), ["/consent/nonce"]);
        answer(&mut m, Tag::WishNonce, 200, NONCE, later);
        assert!(offered(&m, text::SIGN_WISH));
        // Another choice is another first reading.
        let mut changed = m.clone();
        changed.update(Event::Go(Route::Emergency(WishStep::What)), &moment(later));
        changed.update(Event::Category("inf.lab".to_owned()), &moment(later));
        changed.update(Event::WishStep(WishStep::Until), &moment(later));
        changed.update(Event::WishStep(WishStep::Sign), &moment(later));
        assert!(!offered(&changed, text::SIGN_WISH));
        let token = sign_wish(&mut m, Typ::Grant, later);
        let (_, claims) = warifu_consent::peek(&token).unwrap();
        assert!(claims.get("anx").is_some() && claims.get("status").is_some());
        answer(
            &mut m,
            Tag::Wish,
            201,
            &accepted(&token, later).write(),
            later,
        );
        assert_eq!(m.route.path(), "/emergency/done");
    }

    fn bond(role: &str, person: &str) -> String {
        let key = key().public();
        let claims = object([
            ("sub", SUB.into()),
            ("cnf", object([("jwk", key.jwk())])),
            ("iat", 1_u64.into()),
            ("nbf", 1_u64.into()),
            ("exp", 2_000_000_000_u64.into()),
            ("jti", b64::encode(&[6; 16]).into()),
            ("ial", "counter".into()),
            ("role", role.into()),
            ("for", person.into()),
            ("until", "2030-01-01".into()),
        ]);
        warifu_consent::make(Typ::Key, claims, &key_of_authority()).unwrap()
    }

    fn key_of_authority() -> warifu_consent::SecretKey {
        warifu_consent::SecretKey::from_seed(&mut [8; 32])
    }

    #[test]
    fn who_acts_for_a_child_asks_and_signs_for_that_child() {
        const CHILD: &str = "s1.AQEBAQEBAQEBAQEBAQEBAQ";
        let mut m = opened(&at(Step::Who));
        let now = m.now;
        m.bonds = Bond::read(&bond("guardian", CHILD)).into_iter().collect();
        assert_eq!(m.bonds.len(), 1);
        let effects = m.update(Event::ActFor(Some(CHILD.to_owned())), &moment(now));
        assert_eq!(paths(&effects), [format!("/keys?for={CHILD}")]);
        assert_eq!((&m.mine, &m.draft), (&None, &None));
        let effects = answer(&mut m, Tag::TheirKeys, 200, r#"{"keys":[]}"#, now);
        assert!(paths(&effects).contains(&format!("/consent/mine?for={CHILD}").as_str()));
        assert!(paths(&effects).contains(&"/log/key"));
        // Tokens of somebody else are not taken for the child's.
        answer(&mut m, Tag::Mine, 200, &mine(), now);
        assert_eq!(problem(&m), Some(UNPROVEN));
        let theirs = mine().replace(SUB, CHILD);
        answer(&mut m, Tag::Mine, 200, &theirs, now);
        m.update(Event::Go(Route::Secondary(WishStep::Start)), &moment(now));
        m.update(Event::Wish(Wish::Object), &moment(now));
        answer(&mut m, Tag::Mine, 200, &theirs, now);
        let claims = &wish_text(&m).unwrap().claims;
        assert_eq!(claims.get("sub").and_then(Value::text), Some(CHILD));
        assert_eq!(claims.get("act"), Some(&m.bonds[0].act()));
        assert!(told(&m, text::ACTING_CHANGE));
        // What had no answer is asked again for the same person, once.
        answer(&mut m, Tag::Mine, 0, "", now);
        m.update(Event::Go(Route::Consents), &moment(now));
        answer(&mut m, Tag::Mine, 0, "", now);
        let effects = m.update(Event::Tick, &moment(now + 60));
        assert_eq!(paths(&effects), [format!("/consent/mine?for={CHILD}")]);
        m.update(Event::ActFor(None), &moment(now));
        assert!(m.unanswered.is_empty() && !told(&m, text::ACTING_CHANGE));
        // Of age, or bounded to some things: not on this screen.
        let aged = 1_900_000_000;
        assert!(!m.bonds[0].is_for_all(aged) && m.bonds[0].is_for_all(now));
        m.bonds = Bond::read(&bond("delegate", CHILD)).into_iter().collect();
        assert!(
            m.update(Event::ActFor(Some(CHILD.to_owned())), &moment(now))
                .is_empty()
        );
    }

    #[test]
    fn what_is_kept_is_shown_offline_to_the_same_key_alone() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let mut m = started("/consents");
        let now = m.now;
        let session = format!(
            r#"{{"keys":[{{"kid":"k","x":"{x}","since":1,"state":"active","at":0}}],"exp":{}}}"#,
            now + 600
        );
        answer(&mut m, Tag::Session, 200, &session, now);
        answer(&mut m, Tag::Policy, 200, warifu_consent::REFERENCE, now);
        answer(&mut m, Tag::Master, 200, MASTER, now);
        let effects = answer(&mut m, Tag::Mine, 200, &mine(), now);
        let kept = effects.iter().find_map(|e| match e {
            Effect::Seal("last", text) => Some(text.clone()),
            _ => None,
        });
        let kept = kept.unwrap();
        let offline = |x: &str| {
            let mut m = Model::default();
            let event = Event::Started {
                path: "/consents".to_owned(),
                prefs: String::new(),
                browser: "ja".to_owned(),
                origin: "https://c.example.jp".to_owned(),
                keeps: true,
                log: String::new(),
                resume: true,
            };
            m.update(event, &moment(now + 9_000));
            m.update(Event::Online(false), &moment(now + 9_000));
            let key = Key::Here {
                x: x.to_owned(),
                sealed: false,
                fleeting: false,
            };
            assert_eq!(
                m.update(Event::KeyIs(key), &moment(now + 9_000)),
                [Effect::Unseal(SHELF)]
            );
            assert!(told(&m, text::OFFLINE_NEEDS));
            m.update(Event::Shelf(kept.clone()), &moment(now + 9_000));
            m
        };
        let mut same = offline(x);
        assert_eq!(same.shelved, Some(now));
        assert!(told(&same, text::CONSENTS_NONE) && !told(&same, text::OFFLINE_NEEDS));
        same.update(Event::Go(Route::History), &moment(now + 9_000));
        assert!(told(&same, text::OFFLINE_NEEDS));
        same.update(Event::Go(Route::Records), &moment(now + 9_000));
        assert!(told(&same, text::OFFLINE_RECORDS));
        let effects = same.update(Event::Online(true), &moment(now + 9_060));
        assert_eq!((same.shelved, &same.mine), (None, &None));
        assert_eq!(paths(&effects), ["/session"]);
        let other = offline(&b64::encode(&[5; 32]));
        assert!(other.mine.is_none() && told(&other, text::OFFLINE_NEEDS));
        // Nothing that was kept is taken while there is a network.
        m.update(Event::Shelf(kept), &moment(now));
        assert_eq!(m.shelved, None);
    }

    /// The registry's word on a key.
    fn one_key(key: &warifu_consent::SecretKey, more: &str) -> Keys {
        let public = warifu_consent::Signer::public(key);
        let (kid, x) = (public.thumbprint(), public.x());
        let row = format!(
            r#"{{"keys":[{{"kid":"{kid}","x":"{x}","since":1,"state":"active","at":0{more}}}]}}"#
        );
        Keys::read(&care::answer(&row).unwrap())
    }

    #[test]
    fn what_nobody_asked_for_is_signed_without_a_network_and_sent_once_there_is_one() {
        let mut m = opened("/show");
        let now = m.now;
        m.keys = one_key(&key(), "");
        m.update(Event::Online(false), &moment(now));
        m.update(Event::Offer(None), &moment(now));
        assert_eq!(m.lacks, [lack("offer-0", text::OFFER_TO_NONE, 0)]);
        m.update(Event::OfferTo(CLINIC.to_owned()), &moment(now));
        m.update(Event::Offer(None), &moment(now));
        let draft = m.draft.clone().unwrap();
        let at = |step| Route::Wizard(draft.asked.req.clone(), step);
        assert_eq!(m.route, at(Step::What));
        assert!(!draft.asked.cat.iter().any(|c| c == "prc.surgery"));
        // Records are not here, which is said; nothing is chosen beforehand.
        assert!(told(&m, text::OFFER_BLIND) && draft.cats.is_empty());
        m.update(Event::Step(Step::Until), &moment(now));
        assert_eq!(m.route, at(Step::What));
        m.update(Event::Category("imm".to_owned()), &moment(now));
        let effects = m.update(Event::Step(Step::Until), &moment(now));
        assert_eq!((m.route.clone(), paths(&effects)), (at(Step::Sign), vec![]));
        let claims = bound(&m).unwrap().claims.clone();
        for none in ["nonce", "status"] {
            assert!(claims.get(none).is_none(), "{none}");
        }
        let int = |name: &str| claims.get(name).and_then(Value::int).unwrap();
        assert_eq!(int("exp") - int("nbf"), crate::time::DAY);
        m.update(Event::Sign, &moment(now));
        let token = warifu_consent::make(Typ::Grant, claims, &key()).unwrap();
        let tag = Tag::Give;
        let signed = Event::Signed {
            tag,
            token: token.clone(),
        };
        let effects = m.update(signed, &moment(now));
        assert!(
            paths(&effects).is_empty(),
            "nothing is sent without a network"
        );
        let kept = effects.iter().find_map(|e| match e {
            Effect::Seal("offers", text) => Some(text.clone()),
            _ => None,
        });
        let jti = m.offers[0].jti().to_owned();
        assert_eq!(m.route, Route::Qr(jti.clone()));
        m.update(Event::Go(Route::Consent(jti)), &moment(now));
        assert!(told(&m, text::OFFER_WAITS));
        // Another start of the page: it comes from the device, and of no other key.
        let mut later = opened("/home");
        let effects = later.update(Event::Offers(kept.clone().unwrap()), &moment(now));
        assert!(later.offers.is_empty() && effects.is_empty());
        later.keys = m.keys.clone();
        let effects = later.update(Event::Offers(kept.unwrap()), &moment(now));
        assert_eq!(paths(&effects), ["/consent/tokens"]);
        // With a network it is sent, until it is taken or can never be.
        let effects = m.update(Event::Online(true), &moment(now));
        assert_eq!(paths(&effects), ["/consent/tokens"]);
        let mut later = m.clone();
        answer(&mut later, Tag::Offer, 429, r#"{"code":"RATE"}"#, now);
        assert_eq!(later.offers.len(), 1);
        let mut refused = m.clone();
        answer(&mut refused, Tag::Offer, 403, r#"{"code":"EXPIRED"}"#, now);
        assert!(refused.offers.is_empty());
        assert_eq!(problem(&refused), Some("EXPIRED"));
        let effects = answer(&mut m, Tag::Offer, 201, &accepted(&token, now).write(), now);
        assert!(m.offers.is_empty() && problem(&m).is_none());
        assert!(effects.contains(&Effect::Seal("offers", String::new())));
    }

    #[test]
    fn a_mandate_is_ended_by_its_binding_and_is_no_key_of_the_person() {
        let mut m = opened("/family");
        let now = m.now;
        let sub = m.mine.as_ref().unwrap().sub.clone();
        let jti = b64::encode(&[6; 16]);
        let more = format!(r#","jti":"{jti}","role":"delegate","for":"{sub}""#);
        m.keys = one_key(&key(), &more);
        assert!(told(&m, text::MANDATE_ONE));
        assert!(
            m.update(Event::StopKey(m.keys.0[0].kid.clone()), &moment(now))
                .is_empty()
        );
        let none = m.update(Event::EndMandate("other".to_owned()), &moment(now));
        assert!(none.is_empty());
        let effects = m.update(Event::EndMandate(jti.clone()), &moment(now));
        let Effect::Sign { tag, claims, .. } = &effects[0] else {
            panic!("it is signed")
        };
        assert_eq!(
            (*tag, claims.get("rev").and_then(Value::text)),
            (Tag::End, Some(jti.as_str()))
        );
        let token = warifu_consent::make(Typ::Revoke, claims.clone(), &key()).unwrap();
        let signed = Event::Signed {
            tag: Tag::End,
            token: token.clone(),
        };
        assert_eq!(paths(&m.update(signed, &moment(now))), ["/consent/tokens"]);
        let hash = warifu_consent::token_hash(&token).unwrap();
        let done = format!(
            r#"{{"typ":"consent-revoke+jwt","jti":"a","tok":"{hash}","state":"ended","at":{now}}}"#
        );
        answer(&mut m, Tag::End, 201, &done, now);
        assert_eq!(m.outcome, Outcome::Mandate(now));
        assert!(!told(&m, text::MANDATE_ONE));
    }

    #[test]
    fn a_key_in_other_hands_is_stopped_as_of_the_day_that_is_told() {
        let mut m = opened("/devices");
        let now = m.now;
        m.keys = one_key(&key(), "");
        let kid = m.keys.0[0].kid.clone();
        m.update(Event::Trouble(Trouble::Stolen), &moment(now));
        let body = |effects: &[Effect]| match effects {
            [
                Effect::Http {
                    body: Some(body), ..
                },
            ] => Some(body.write()),
            _ => None,
        };
        for bad in ["99999999", "2999年1月1日"] {
            m.update(Event::Since(bad.to_owned()), &moment(now));
            let effects = m.update(Event::StopKey(kid.clone()), &moment(now));
            assert_eq!(body(&effects), None, "{bad}");
            assert_eq!(m.lacks, [lack("since", text::DEVICES_SINCE_LEFT, 0)]);
        }
        let mut never = m.clone();
        never.update(Event::Since(String::new()), &moment(now));
        let effects = never.update(Event::StopKey(kid.clone()), &moment(now));
        assert_eq!(body(&effects).as_deref(), Some("{}"));
        // 2027-01-10 begins in Tokyo at 15:00 of the day before.
        m.update(Event::Since("2027年1月10日".to_owned()), &moment(now));
        let effects = m.update(Event::StopKey(kid.clone()), &moment(now));
        assert_eq!(body(&effects).as_deref(), Some(r#"{"since":1799506800}"#));
        let since = 1_799_506_800_u64;
        let x = warifu_consent::Signer::public(&key()).x();
        let keys = format!(
            r#"{{"keys":[{{"kid":"{kid}","x":"{x}","since":1,"state":"compromised","at":{since}}}]}}"#
        );
        answer(&mut m, Tag::StopKey, 200, &keys, now);
        assert_eq!(m.outcome, Outcome::Stopped(since));
        // It may turn out to be longer ago still.
        assert!(told(&m, text::DEVICES_EARLIER));
    }

    #[test]
    fn a_key_is_told_as_stopped_only_where_it_is() {
        let mut m = opened("/devices");
        let now = m.now;
        let keys = |state: &str| {
            format!(
                r#"{{"keys":[{{"kid":"old","x":"x","since":1,"state":"{state}","at":{now}}}]}}"#
            )
        };
        let read = care::answer(&keys("active").replace(&now.to_string(), "0")).unwrap();
        m.keys = Keys::read(&read);
        assert_eq!(m.keys.0.len(), 1);
        assert!(
            m.update(Event::StopKey("unknown".to_owned()), &moment(now))
                .is_empty()
        );
        let effects = m.update(Event::StopKey("old".to_owned()), &moment(now));
        assert_eq!(paths(&effects), ["/keys/old/compromised"]);
        let mut same = m.clone();
        answer(&mut same, Tag::StopKey, 200, r#"{"keys":[]}"#, now);
        assert_eq!(problem(&same), Some(UNPROVEN));
        answer(&mut m, Tag::StopKey, 200, &keys("compromised"), now);
        assert_eq!(m.outcome, Outcome::Stopped(now));
        assert!(told(&m, text::DEVICES_REVIEW));
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
            assert!(seven.contains(&Problem::of(reason.wire(), 0).text));
        }
        assert_eq!(Problem::of("UNHEARD", 0).text, text::NO_OURS);
        assert_eq!(Problem::of("UNHEARD", 0).code, "UNHEARD");
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
                assert!(
                    !view::title(&m, &view::page(&m)).starts_with('｜'),
                    "{route:?}"
                );
            }
        }
    }

    #[test]
    fn a_report_is_of_nobody_unless_ticked_in_a_session() {
        let mut m = started("/report");
        let at = moment(1_800_000_000);
        let send = |m: &mut Model| m.update(Event::ReportSend, &at);
        send(&mut m);
        let fields: Vec<_> = m.lacks.iter().map(|l| l.field).collect();
        assert_eq!(fields, ["report-kind", "report-text"]);
        m.update(Event::ReportKind("access"), &at);
        m.update(Event::ReportText(format!("{} ", "あ".repeat(2_001))), &at);
        send(&mut m);
        let long: Vec<_> = m.lacks.iter().map(|l| (l.field, l.n)).collect();
        assert_eq!(long, [("report-text", 2_000)]);
        m.update(Event::ReportText(" 知らない\n人です ".to_owned()), &at);
        m.update(Event::ReportMine(true), &at);
        let body = |effects: &[Effect]| match effects {
            [
                Effect::Http {
                    path,
                    body: Some(body),
                    ..
                },
            ] => format!("{path} {}", body.write()),
            other => panic!("{other:?}"),
        };
        let plain = r#"/reports {"kind":"access","text":"知らない\n人です"}"#;
        assert_eq!(body(&send(&mut m)), plain);
        // Once, until it is answered; what could not be sent stays.
        assert!(send(&mut m).is_empty());
        answer(
            &mut m,
            Tag::Report,
            409,
            r#"{"code":"REPORTS"}"#,
            1_800_000_001,
        );
        assert_eq!(m.problem.as_ref().map(|p| p.text), Some(text::REPORT_MANY));
        assert!(m.report.text.contains("知らない"));
        m.update(Event::Online(false), &at);
        assert!(send(&mut m).is_empty());
        m.update(Event::Online(true), &at);
        m.session = Session::Open;
        m.session_ends = 1_900_000_000;
        m.update(Event::ReportContact("03-0000-0000".to_owned()), &at);
        let named = r#"/reports {"contact":"03-0000-0000","kind":"access","mine":true,"text":"知らない\n人です"}"#;
        assert_eq!(body(&send(&mut m)), named);
        // An answer that says nothing of it is none.
        answer(&mut m, Tag::Report, 201, "{}", 1_800_000_002);
        assert!(m.problem.is_some() && m.outcome == Outcome::None);
        send(&mut m);
        answer(
            &mut m,
            Tag::Report,
            201,
            r#"{"report":"r","at":1800000003}"#,
            1_800_000_003,
        );
        assert_eq!(m.outcome, Outcome::Reported(1_800_000_003));
        assert_eq!(m.report, Report::default());
    }
}
