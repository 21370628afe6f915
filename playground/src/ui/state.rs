//! The state of the page, and what happens on each event.

use std::{fmt::Write as _, rc::Rc};

use wasm_bindgen::JsValue;

use super::{dom::prelude::*, host};
use crate::{
    files::{self, FileList},
    findings::{self, Finding, Place, Severity},
    json::{self, Json},
    message::Message,
    outline::Outline,
    raw::Charset,
    settings::{Lang, Output, Rules, Settings},
    share::Shared,
    text::{self, Text, number},
    trace::{Marks, TraceIndex},
};

/// A pane, in the order of F6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pane {
    Files,
    Message,
    Fhir,
    Bottom,
}

impl Pane {
    pub(super) const ALL: [Self; 4] = [Self::Files, Self::Message, Self::Fhir, Self::Bottom];

    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Message => "message",
            Self::Fhir => "fhir",
            Self::Bottom => "bottom",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum MessageTab {
    #[default]
    Fields,
    Text,
    Hex,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum FhirTab {
    #[default]
    Tree,
    Json,
    Table,
    Diff,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum BottomTab {
    #[default]
    Findings,
    Unused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialog {
    Settings,
    Share,
    Paste,
    Network,
    Keys,
    Rule,
    Fix,
}

/// What the status line says while something runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    No,
    Loading(u32, u32),
    Listing(u32, u32),
    Converting(u32, u32),
    Saving(u32, u32),
}

/// How it stands with the file chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Face {
    /// None is open.
    Nothing,
    /// It is being read and converted. The panes are empty, unless they show this very file already.
    Working,
    /// The panes show it.
    Shown,
    /// It is not shown, for a reason.
    Halted(String),
}

/// What the worker was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Open,
    Run,
    Node,
    Trace,
    Export,
    Validate,
    Packages,
    Probe,
    Rule,
    Fix,
}

/// A package of FHIR that the validation has.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Package {
    /// `name#version`
    pub(super) label: String,
    /// What it needs and is not there.
    pub(super) missing: String,
}

/// What findings of the output give as their file.
pub(super) const OUTPUT: &str = "→ FHIR";

/// The file shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Doc {
    /// Its number with the worker.
    pub(super) id: u32,
    pub(super) path: String,
    pub(super) message: Message,
    pub(super) raw: Vec<u8>,
    pub(super) json: Json,
    pub(super) resources: u32,
    pub(super) us: u32,
    /// What the engine takes the file for by its first bytes.
    pub(super) content: String,
    /// Result with the other settings of the diff tab.
    pub(super) other: Option<Rc<Json>>,
}

impl Doc {
    pub(super) fn charset(&self) -> Charset {
        Charset::of(&self.message.charset)
    }

    /// Whether the file is JSON, shown as it is.
    pub(super) fn is_fhir(&self) -> bool {
        self.content == "json"
    }
}

/// What the address asks for.
#[derive(Clone)]
enum Wanted {
    /// Not read yet.
    Unread,
    /// There is no link, or it could not be read.
    Nothing,
    Link(Shared),
}

/// More findings than this are counted, not kept.
pub(super) const KEPT_FINDINGS: usize = 5_000;

/// Everything, as signals.
pub(super) struct State {
    pub(super) settings: Sig<Settings>,
    pub(super) lang: Sig<Lang>,
    pub(super) row_px: Calc<i32>,
    pub(super) ready: Slot<bool>,
    /// Whether the page works without a connection, and whether all of it does.
    pub(super) offline: Slot<(bool, bool)>,
    pub(super) busy: Slot<Busy>,
    /// Last word to the user: cancelled, saved, failed.
    pub(super) notice: Slot<String>,
    pub(super) notice_bad: Slot<bool>,
    /// Polite live region.
    pub(super) live: Slot<String>,
    pub(super) files: Slot<FileList>,
    /// The list as the engine sorts it out, while it comes.
    incoming: Slot<FileList>,
    pub(super) files_version: Slot<u32>,
    /// Position in the list of the file shown.
    pub(super) current: Slot<Option<usize>>,
    pub(super) face: Slot<Face>,
    pub(super) doc: Slot<Rc<Doc>>,
    pub(super) doc_version: Slot<u32>,
    pub(super) trace: Slot<Rc<TraceIndex>>,
    /// That of the file chosen, as far as it has come.
    tracing: Slot<TraceIndex>,
    pub(super) marks: Slot<Rc<Marks>>,
    pub(super) fields: Slot<Outline>,
    pub(super) fields_version: Slot<u32>,
    pub(super) fhir: Slot<Outline>,
    pub(super) fhir_version: Slot<u32>,
    /// Node the FHIR views bring into view, with a counter.
    pub(super) show_node: Slot<(u32, u32)>,
    /// Bytes the message views bring into view, with a counter.
    pub(super) show_span: Slot<(u32, u32, u32)>,
    /// Findings of all files.
    pub(super) findings: Slot<Vec<Finding>>,
    /// Those of the file shown.
    pub(super) here: Slot<Rc<Vec<Finding>>>,
    /// Whether the check of the file shown is still to come.
    pub(super) checking: Slot<bool>,
    /// Why the file shown was not checked.
    pub(super) unchecked: Slot<Option<Text>>,
    /// Why not all files were.
    pub(super) unchecked_all: Slot<Option<Text>>,
    /// Why nothing is known of where the elements come from.
    pub(super) untraced: Slot<Option<Text>>,
    /// The only severity shown.
    pub(super) grade: Slot<Option<Severity>>,
    pub(super) findings_dropped: Slot<u32>,
    pub(super) finding: Slot<usize>,
    pub(super) scope_all: Slot<bool>,
    pub(super) totals: Slot<Option<(u32, u32)>>,
    pub(super) pane: Slot<Pane>,
    pub(super) message_tab: Slot<MessageTab>,
    pub(super) fhir_tab: Slot<FhirTab>,
    pub(super) bottom_tab: Slot<BottomTab>,
    pub(super) dialog: Slot<Option<Dialog>>,
    pub(super) menu_open: Slot<bool>,
    /// Settings of the other side of the diff.
    pub(super) compare: Slot<Settings>,
    pub(super) network: Slot<(u32, u32, u32)>,
    pub(super) probe: Slot<Option<(bool, String)>>,
    /// Page of the rule asked for, in Markdown.
    pub(super) rule: Slot<String>,
    /// What fixes change, as unified text.
    pub(super) fixes: Slot<String>,
    /// Packages of FHIR.
    pub(super) packages: Slot<Vec<Package>>,
    /// Example that is open, for the link.
    pub(super) example: Slot<Option<String>>,
    /// Paths of all examples.
    pub(super) examples: Slot<Vec<String>>,
    /// Text last given by paste, kept across everything.
    pub(super) pasted: Slot<String>,
    /// Whether what is open was pasted.
    pub(super) from_paste: Slot<bool>,
    jobs: Slot<Vec<(u32, Job)>>,
    next_id: Slot<u32>,
    started: Slot<bool>,
    last_live: Slot<f64>,
    /// File to be the chosen one when the files are listed again.
    return_to: Slot<Option<u32>>,
    /// Marks to keep when the next file of the same output is shown.
    keep_marks: Slot<bool>,
    wanted: Slot<Wanted>,
}

/// What can take long and is ended by a cancel.
const LONG: &[Job] = &[
    Job::Open,
    Job::Run,
    Job::Export,
    Job::Node,
    Job::Trace,
    Job::Validate,
];

const STORE: &str = "warifu.settings";

/// The profile of a report that is asked for, even when the list shows none of the check.
fn checked_by(settings: &Settings) -> &'static str {
    match settings.rules {
        Rules::Off => Rules::default().word(),
        rules => rules.word(),
    }
}

/// The state, which lives as long as the page.
pub(super) type App = &'static State;

impl State {
    pub(super) fn new() -> App {
        let stored = window()
            .local_storage()
            .ok()
            .flatten()
            .and_then(|s| s.get_item(STORE).ok().flatten())
            .and_then(|t| Json::parse(t.into_bytes()).ok())
            .map(|j| Settings::read(j.root()));
        let settings = sig(stored.unwrap_or_default());
        Box::leak(Box::new(Self {
            settings,
            lang: derived(move || settings.with(|s| s.lang)),
            row_px: derived(move || settings.with(|s| s.size.row_px())).into(),
            ready: Slot::new(false),
            offline: Slot::new((false, false)),
            busy: Slot::new(Busy::Loading(0, 0)),
            notice: Slot::new(String::new()),
            notice_bad: Slot::new(false),
            live: Slot::new(String::new()),
            files: Slot::new(FileList::default()),
            incoming: Slot::new(FileList::default()),
            files_version: Slot::new(0),
            current: Slot::new(None),
            face: Slot::new(Face::Nothing),
            doc: Slot::new(Rc::default()),
            doc_version: Slot::new(0),
            trace: Slot::new(Rc::default()),
            tracing: Slot::new(TraceIndex::default()),
            marks: Slot::new(Rc::default()),
            fields: Slot::new(Outline::default()),
            fields_version: Slot::new(0),
            fhir: Slot::new(Outline::default()),
            fhir_version: Slot::new(0),
            show_node: Slot::new((0, 0)),
            show_span: Slot::new((0, 0, 0)),
            findings: Slot::new(Vec::new()),
            here: Slot::new(Rc::default()),
            checking: Slot::new(false),
            unchecked: Slot::new(None),
            unchecked_all: Slot::new(None),
            untraced: Slot::new(None),
            grade: Slot::new(None),
            findings_dropped: Slot::new(0),
            finding: Slot::new(0),
            scope_all: Slot::new(false),
            totals: Slot::new(None),
            pane: Slot::new(Pane::Message),
            message_tab: Slot::new(MessageTab::Fields),
            fhir_tab: Slot::new(FhirTab::Tree),
            bottom_tab: Slot::new(BottomTab::Findings),
            dialog: Slot::new(None),
            menu_open: Slot::new(false),
            compare: Slot::new(Settings::default()),
            network: Slot::new((0, 0, 0)),
            probe: Slot::new(None),
            rule: Slot::new(String::new()),
            fixes: Slot::new(String::new()),
            packages: Slot::new(Vec::new()),
            example: Slot::new(None),
            examples: Slot::new(Vec::new()),
            pasted: Slot::new(String::new()),
            from_paste: Slot::new(false),
            jobs: Slot::new(Vec::new()),
            next_id: Slot::new(1),
            started: Slot::new(false),
            last_live: Slot::new(0.0),
            return_to: Slot::new(None),
            keep_marks: Slot::new(false),
            wanted: Slot::new(Wanted::Unread),
        }))
    }

    /// A text in the page's language; reactive.
    pub(super) fn say(&'static self, t: Text) -> &'static str {
        t.of(self.lang.get())
    }

    /// A text as a name for screen readers.
    pub(super) fn label(&'static self, t: Text) -> Calc<String> {
        Calc::new(move || self.say(t).to_owned())
    }

    /// A text with slots; reactive.
    pub(super) fn fill(&'static self, t: Text, slots: &[&str]) -> String {
        t.fill(self.lang.get(), slots)
    }

    fn now(&'static self, t: Text, slots: &[&str]) -> String {
        t.fill(self.lang.get_untracked(), slots)
    }

    pub(super) fn notify(&'static self, t: Text, slots: &[&str], bad: bool) {
        let said = self.now(t, slots);
        self.live.set(said.clone());
        self.notice_bad.set(bad);
        self.notice.set(said);
    }

    /// Says progress politely, at most once in two seconds.
    fn announce(&'static self, said: impl FnOnce() -> String) {
        let now = js_sys::Date::now();
        if now - self.last_live.get_untracked() >= 2_000.0 {
            self.last_live.set(now);
            self.live.set(said());
        }
    }

    fn job(&'static self, job: Job) -> u32 {
        let id = self.next_id.get_untracked();
        self.next_id.set(id + 1);
        self.jobs.update(|j| {
            // Of these only the latest counts.
            if matches!(job, Job::Node | Job::Trace | Job::Run | Job::Validate) {
                j.retain(|(_, other)| *other != job);
            }
            j.push((id, job));
        });
        id
    }

    fn kind_of(&'static self, id: u32) -> Option<Job> {
        self.jobs
            .with_untracked(|j| j.iter().find(|(i, _)| *i == id).map(|(_, k)| *k))
    }

    fn end(&'static self, id: u32) {
        self.jobs.update(|j| j.retain(|(i, _)| *i != id));
    }

    // ---- Opening ------------------------------------------------------------------------------

    /// Empties the page for new input and says under which job it comes.
    fn begin_open(&'static self) -> u32 {
        // What still runs is cancelled; whatever it says from now on belongs to no job. Packages may
        // have come with the files.
        self.cancel_running(LONG);
        self.jobs
            .update(|j| j.retain(|(_, job)| *job == Job::Packages));
        self.notice.set(String::new());
        self.files.set(FileList::default());
        self.files_version.update(|v| *v += 1);
        self.current.set(None);
        self.findings.set(Vec::new());
        self.findings_dropped.set(0);
        self.totals.set(None);
        self.keep_marks.set(false);
        self.clear();
        self.face.set(Face::Working);
        self.example.set(None);
        self.from_paste.set(false);
        self.return_to.set(None);
        self.busy.set(Busy::Listing(0, 0));
        self.started.set(true);
        self.job(Job::Open)
    }

    pub(super) fn open_files(&'static self, files: &web_sys::FileList) {
        if self.take_packages(files) {
            host::open_files(self.begin_open(), files);
        }
    }

    /// Adds the packages of FHIR among the files; says whether anything else is to be opened.
    pub(super) fn take_packages(&'static self, files: &web_sys::FileList) -> bool {
        let packages = host::packages_in(files);
        if packages.length() > 0 {
            self.add_packages(&packages);
        }
        packages.length() == 0 || packages.length() < files.length()
    }

    pub(super) fn open_drop(&'static self, transfer: &JsValue) {
        host::open_drop(self.begin_open(), transfer);
    }

    pub(super) fn open_bytes(&'static self, path: &str, bytes: &[u8]) {
        host::open_bytes(self.begin_open(), path, js_sys::Uint8Array::from(bytes));
    }

    /// Opens pasted text: JSON as it is, of anything else line ends become CR, as in a message.
    pub(super) fn open_text(&'static self, pasted: &str) {
        let own = pasted.trim_start_matches('\u{FEFF}');
        self.pasted.set(pasted.to_owned());
        if own.trim_start().starts_with('{') {
            self.open_bytes("pasted.json", own.as_bytes());
        } else {
            let cr = text::line_ends(own, '\r');
            self.open_bytes("pasted.hl7", cr.as_bytes());
        }
        self.from_paste.set(true);
    }

    /// Opens an example: a path of the index, or a folder of it with all its files.
    pub(super) fn open_example(&'static self, name: &str) {
        let folder = format!("{name}/");
        let names: Vec<String> = self.examples.with_untracked(|all| {
            all.iter()
                .filter(|p| *p == name || p.starts_with(&folder))
                .cloned()
                .collect()
        });
        if names.is_empty() {
            return;
        }
        let id = self.begin_open();
        self.example.set(Some(name.to_owned()));
        let mut list = String::from("[");
        for (i, n) in names.iter().enumerate() {
            if i > 0 {
                list.push(',');
            }
            json::quote(n, &mut list);
        }
        list.push(']');
        host::open_example(id, &list);
    }

    // ---- Showing ------------------------------------------------------------------------------

    /// Empties the panes: what they show is of a file that is not the chosen one any more.
    fn clear(&'static self) {
        self.doc.set(Rc::default());
        self.here.set(Rc::default());
        self.trace.set(Rc::default());
        self.checking.set(false);
        self.unchecked.set(None);
        self.untraced.set(None);
        self.show_node.set((0, 0));
        self.show_span.set((0, 0, 0));
        if !self.keep_marks.get_untracked() {
            self.marks.set(Rc::default());
            self.finding.set(0);
        }
    }

    /// Says that the chosen file is not shown, and why; one that is shown stays.
    fn halt(&'static self, why: Text, slots: &[&str]) {
        if self.checking.get_untracked() {
            self.checking.set(false);
            self.unchecked.set(Some(why));
        }
        if self.has(Job::Trace) {
            self.untraced.set(Some(why));
        }
        if self.face.with_untracked(|f| *f == Face::Working) {
            self.keep_marks.set(false);
            self.clear();
            self.face.set(Face::Halted(self.now(why, slots)));
        }
    }

    fn has(&'static self, job: Job) -> bool {
        self.jobs
            .with_untracked(|j| j.iter().any(|(_, k)| *k == job))
    }

    /// The worker's number of the file shown, if it is the chosen one as the settings say.
    fn shown(&'static self) -> Option<u32> {
        let shown = self.face.with_untracked(|f| *f == Face::Shown);
        shown.then(|| self.doc.with_untracked(|d| d.id))
    }

    /// Tries again what was cancelled or failed.
    pub(super) fn retry(&'static self) {
        self.notice.set(String::new());
        let unchecked = self.unchecked.get_untracked().is_some()
            || self.unchecked_all.get_untracked().is_some();
        if self.current.get_untracked().is_none() {
            let id = self.job(Job::Open);
            self.return_to.set(None);
            self.face.set(Face::Working);
            self.busy.set(Busy::Listing(0, 0));
            self.files.set(FileList::default());
            host::restart(id);
            return;
        }
        self.again();
        if unchecked {
            self.run();
        }
    }

    /// Shows the file at a position of the list.
    pub(super) fn show(&'static self, position: usize) {
        let Some(index) = self
            .files
            .with_untracked(|f| f.files.get(position).map(|f| f.id))
        else {
            self.face.set(Face::Nothing);
            return;
        };
        // What is still to come of another file is not waited for; what is said of another output is
        // not said of this one.
        self.cancel_running(&[Job::Node, Job::Trace, Job::Validate]);
        self.jobs
            .update(|j| j.retain(|(_, job)| *job != Job::Validate));
        self.current.set(Some(position));
        if self
            .doc
            .with_untracked(|d| d.path.is_empty() || d.id != index)
        {
            self.clear();
        }
        self.face.set(Face::Working);
        let revealed = self.files.with_untracked(|f| {
            f.item_of(position)
                .is_some_and(|at| f.outline().row_of(at).is_none())
        });
        if revealed {
            self.files.update(|f| {
                if let Some(at) = f.item_of(position) {
                    f.outline_mut().reveal([at]);
                }
            });
            self.files_version.update(|v| *v += 1);
        }
        let settings = self.settings.get_untracked();
        let compare =
            (self.fhir_tab.get_untracked() == FhirTab::Diff).then(|| self.compare.get_untracked());
        let compare = compare.filter(|c| !c.same_result(&settings));
        let mut request = format!(
            "{{\"index\":{index},\"options\":{},\"byPatient\":{},\"rules\":\"{}\"",
            settings.engine_options(false),
            settings.by_patient(),
            settings.rules.word()
        );
        if let Some(other) = compare {
            let _ = write!(
                request,
                ",\"compare\":{{\"options\":{},\"byPatient\":{}}}",
                other.engine_options(false),
                other.by_patient()
            );
        }
        request.push('}');
        // The trace of a file that is read from the disk may come before what it is the trace of.
        self.trace.set(Rc::default());
        self.tracing.set(TraceIndex::default());
        self.untraced.set(None);
        host::send("node", self.job(Job::Node), &request);
        host::send(
            "trace",
            self.job(Job::Trace),
            &format!(
                "{{\"index\":{index},\"options\":{},\"byPatient\":{}}}",
                settings.engine_options(true),
                settings.by_patient()
            ),
        );
    }

    /// Shows the file shown again, after settings changed.
    pub(super) fn again(&'static self) {
        if let Some(at) = self.current.get_untracked() {
            self.show(at);
        }
    }

    pub(super) fn step(&'static self, by: isize) {
        let count = self.files.with_untracked(|f| f.files.len());
        if count == 0 {
            return;
        }
        let at = self.current.get_untracked().unwrap_or(0);
        let to = at.saturating_add_signed(by).min(count - 1);
        if Some(to) != self.current.get_untracked() {
            self.show(to);
        }
    }

    fn run(&'static self) {
        let settings = self.settings.get_untracked();
        self.files.update(FileList::clear_counts);
        self.findings.set(Vec::new());
        self.findings_dropped.set(0);
        self.totals.set(None);
        self.unchecked_all
            .set((settings.rules == Rules::Off).then_some(text::UNCHECKED_OFF));
        let total = self.files.with_untracked(|f| json::cut(f.files.len()));
        self.busy.set(Busy::Converting(0, total));
        host::send(
            "run",
            self.job(Job::Run),
            &format!(
                "{{\"options\":{},\"rules\":\"{}\"}}",
                settings.engine_options(false),
                settings.rules.word()
            ),
        );
    }

    pub(super) fn save(&'static self, what: &str) {
        if self.current.get_untracked().is_none() {
            return;
        }
        let one = what == "shown" || what == "fixed";
        let index = match self.shown() {
            Some(index) => index,
            None if one => return self.notify(text::NOT_SHOWN, &[], true),
            None => 0,
        };
        let settings = self.settings.get_untracked();
        let id = self.job(Job::Export);
        if !one {
            self.busy.set(Busy::Saving(
                0,
                self.files.with_untracked(|f| json::cut(f.files.len())),
            ));
        }
        host::send(
            "export",
            id,
            &format!(
                "{{\"what\":\"{what}\",\"index\":{index},\"options\":{},\"byPatient\":{},\"rules\":\"{}\"}}",
                settings.engine_options(false),
                settings.by_patient(),
                checked_by(&settings)
            ),
        );
    }

    /// Shows what the fixes of the file shown change, once the worker has made them.
    pub(super) fn show_fixes(&'static self) {
        let Some(index) = self.shown() else { return };
        let settings = self.settings.get_untracked();
        host::send(
            "fix",
            self.job(Job::Fix),
            &format!(
                "{{\"index\":{index},\"options\":{},\"rules\":\"{}\"}}",
                settings.engine_options(false),
                checked_by(&settings)
            ),
        );
    }

    /// Validates the output shown; its findings join those of the file.
    pub(super) fn validate(&'static self) {
        let Some(index) = self.shown() else { return };
        let settings = self.settings.get_untracked();
        self.bottom_tab.set(BottomTab::Findings);
        self.scope_all.set(false);
        self.checking.set(true);
        host::send(
            "validate",
            self.job(Job::Validate),
            &format!(
                "{{\"index\":{index},\"options\":{},\"byPatient\":{}}}",
                settings.engine_options(false),
                settings.by_patient()
            ),
        );
    }

    /// Adds packages of FHIR: compiled ones or archives.
    pub(super) fn add_packages(&'static self, files: &JsValue) {
        let id = self.job(Job::Packages);
        self.notify(text::PACKAGES_READING, &[], false);
        host::add_packages(id, self.lang.get_untracked().word(), files);
    }

    pub(super) fn remove_package(&'static self, label: &str) {
        let mut request = String::from("{\"remove\":");
        json::quote(label, &mut request);
        let _ = write!(
            request,
            ",\"lang\":\"{}\"}}",
            self.lang.get_untracked().word()
        );
        host::send("packages", self.job(Job::Packages), &request);
    }

    /// Takes the packages that the worker has now, and looks at everything again.
    fn set_packages(&'static self, from: json::Value<'_>) {
        let all = from.get("packages").items().map(|p| {
            let missing: Vec<String> = p.get("missing").items().map(json::Value::string).collect();
            Package {
                label: format!("{}#{}", p.get("name").string(), p.get("version").string()),
                missing: missing.join(", "),
            }
        });
        let all: Vec<_> = all.collect();
        self.notify(text::PACKAGES_NOW, &[&number(all.len() as u64)], false);
        self.packages.set(all);
        for failed in from.get("failed").items() {
            let (name, why) = (failed.item(0).string(), failed.item(1).string());
            self.notify(text::PACKAGE_FAILED, &[&name, &why], true);
        }
        if self.current.get_untracked().is_some() {
            self.again();
            self.run();
        }
    }

    pub(super) fn try_sending(&'static self) {
        self.probe.set(None);
        host::send("probe", self.job(Job::Probe), "{}");
    }

    /// Opens the page of a rule, once the worker has given it.
    pub(super) fn show_rule(&'static self, code: &str) {
        let mut request = String::from("{\"code\":");
        json::quote(code, &mut request);
        let _ = write!(
            request,
            ",\"lang\":\"{}\"}}",
            self.lang.get_untracked().word()
        );
        host::send("rule", self.job(Job::Rule), &request);
    }

    // ---- Cancel -------------------------------------------------------------------------------

    /// Asks jobs to stop, without waiting.
    fn cancel_running(&'static self, which: &[Job]) -> Vec<u32> {
        let ids: Vec<u32> = self.jobs.with_untracked(|j| {
            j.iter()
                .filter(|(_, k)| which.contains(k))
                .map(|(i, _)| *i)
                .collect()
        });
        for id in &ids {
            host::send("cancel", *id, "{}");
        }
        ids
    }

    /// Cancels what runs; a worker that does not answer within 500 ms is ended and replaced.
    pub(super) fn cancel(&'static self) {
        let ids = self.cancel_running(LONG);
        if self.busy.get_untracked() == Busy::No && self.face.with_untracked(|f| *f == Face::Shown)
        {
            self.marks.set(Rc::default());
        }
        later(
            500,
            Box::new(move || {
                if self
                    .jobs
                    .with_untracked(|j| j.iter().any(|(i, _)| ids.contains(i)))
                {
                    self.replace_worker(text::CANCELLED, &[]);
                    self.notify(text::CANCELLED, &[], false);
                }
            }),
        );
    }

    /// A fresh worker with the same files. What is shown stays; of what is not the panes say why.
    fn replace_worker(&'static self, why: Text, slots: &[&str]) {
        self.halt(why, slots);
        self.jobs.set(Vec::new());
        self.busy.set(Busy::No);
        let current = self
            .current
            .get_untracked()
            .and_then(|at| self.files.with_untracked(|f| f.files.get(at).map(|f| f.id)));
        self.return_to.set(current.or(Some(u32::MAX)));
        let id = self.job(Job::Open);
        self.files.set(FileList::default());
        host::restart(id);
    }

    // ---- Events -------------------------------------------------------------------------------

    pub(super) fn event(&'static self, event: &host::Event) {
        let id = event.uint("id");
        match event.text("type").as_str() {
            "loading" => self
                .busy
                .set(Busy::Loading(event.uint("done"), event.uint("total"))),
            "ready" => {
                if matches!(self.busy.get_untracked(), Busy::Loading(..)) {
                    self.busy.set(Busy::No);
                }
                self.ready.set(true);
                self.begin();
            }
            "answer" => host::answered(event),
            "offline" => self.offline.set((true, event.flag("whole"))),
            "network" => self.read_network(),
            "saved" => self.notify(text::SAVED, &[&event.text("name")], false),
            "listing" if self.kind_of(id) == Some(Job::Open) => {
                self.busy
                    .set(Busy::Listing(event.uint("done"), event.uint("total")));
            }
            "rows" if self.kind_of(id) == Some(Job::Open) => {
                let rows = event.bytes("rows").unwrap_or_default();
                self.rows(rows, event.uint("from") == 0, event.flag("first"));
            }
            "counts" if self.kind_of(id) == Some(Job::Run) => {
                self.counts(event.bytes("rows").unwrap_or_default());
            }
            "progress" => self.progress(id, event.uint("done"), event.uint("total")),
            "result" => self.result(id, event),
            "failed" => self.failed(id, &event.text("code")),
            "done" => self.done(id, event),
            _ => {}
        }
    }

    /// Rows of the list: of the first one, shown as it comes, or of the one sorted out by the
    /// engine, which takes its place at the end.
    fn rows(&'static self, rows: Vec<u8>, start: bool, first: bool) {
        if !first {
            if start {
                self.incoming.set(FileList::default());
            }
            self.incoming.touch(|f| f.add(rows));
            return;
        }
        // The rows are laid out again whenever their number has doubled, and at the end.
        let mut grown = false;
        self.files.update(|f| {
            f.add(rows);
            grown = f.files.len() >= 2 * f.listed();
            if grown {
                f.rebuild();
            }
        });
        if grown {
            self.files_version.update(|v| *v += 1);
        }
        if start && self.return_to.get_untracked().is_none() {
            self.show(0);
        }
    }

    /// Puts the list that the engine sorted out in place of the first one.
    fn adopt_list(&'static self) {
        let mut list = FileList::default();
        self.incoming.touch(|f| std::mem::swap(f, &mut list));
        list.rebuild();
        let shown = self
            .current
            .get_untracked()
            .and_then(|at| self.files.with_untracked(|f| f.files.get(at).map(|f| f.id)));
        self.files.set(list);
        self.files_version.update(|v| *v += 1);
        if self.return_to.get_untracked().is_some() {
            return;
        }
        let at = self.files.with_untracked(|f| {
            // Shown again: what belongs to its patient is known only now.
            shown.and_then(|id| f.position(id)).or_else(|| {
                f.files
                    .iter()
                    .position(|f| f.state == files::State::Current)
            })
        });
        self.show(at.unwrap_or(0));
    }

    pub(super) fn read_network(&'static self) {
        if let Ok(json) = Json::parse(host::network().into_bytes()) {
            let v = json.root();
            self.network.set((
                v.get("sent").uint(),
                v.get("requests").uint(),
                v.get("violations").uint(),
            ));
        }
    }

    fn progress(&'static self, id: u32, done: u32, total: u32) {
        let (busy, said) = match self.kind_of(id) {
            Some(Job::Run) => (Busy::Converting(done, total), text::CONVERTING),
            Some(Job::Export) => (Busy::Saving(done, total), text::SAVING),
            _ => return,
        };
        self.busy.set(busy);
        self.announce(|| self.now(said, &[&number(done.into()), &number(total.into())]));
    }

    fn counts(&'static self, rows: Vec<u8>) {
        let Ok(json) = Json::parse(rows) else { return };
        self.files
            .update(|f| f.add_counts(json.root().get("counts")));
        let new = findings::read_all(json.root().get("findings"));
        if new.is_empty() {
            return;
        }
        let room = KEPT_FINDINGS.saturating_sub(self.findings.with_untracked(Vec::len));
        if new.len() > room {
            self.findings_dropped
                .update(|d| *d += json::cut(new.len() - room));
        }
        if room > 0 {
            self.findings
                .update(|all| all.extend(new.into_iter().take(room)));
        }
    }

    fn result(&'static self, id: u32, event: &host::Event) {
        let meta = event.bytes("meta").unwrap_or_default();
        match self.kind_of(id) {
            Some(Job::Node) if meta.is_empty() => {
                let found = event.bytes("found").unwrap_or_default();
                if let Ok(found) = Json::parse(found) {
                    let mut found = findings::read_all(found.root().get("findings"));
                    // The output may have been validated before the file was checked.
                    self.here.with_untracked(|h| {
                        found.extend(h.iter().filter(|f| f.file == OUTPUT).cloned());
                    });
                    self.set_found(found, false);
                }
            }
            Some(Job::Node) => {
                let Ok(meta) = Json::parse(meta) else { return };
                let root = meta.root();
                let lines = self.settings.with_untracked(|s| s.to == Output::Ndjson);
                let read = |bytes: Option<Vec<u8>>, lines: bool| {
                    bytes.filter(|b| !b.is_empty()).and_then(|b| {
                        if lines {
                            Json::parse_lines(b).ok()
                        } else {
                            Json::parse(b.clone())
                                .ok()
                                .or_else(|| Json::parse_lines(b).ok())
                        }
                    })
                };
                let other_lines = self.compare.with_untracked(|s| s.to == Output::Ndjson);
                let doc = Doc {
                    id: root.get("index").uint(),
                    path: root.get("path").string(),
                    message: Message::read(root.get("view")),
                    raw: event.bytes("raw").unwrap_or_default(),
                    json: read(event.bytes("json"), lines).unwrap_or_default(),
                    resources: root
                        .get("stats")
                        .get("resources")
                        .items()
                        .map(json::Value::uint)
                        .sum(),
                    us: root.get("us").uint(),
                    content: root.get("content").string(),
                    other: read(event.bytes("other"), other_lines).map(Rc::new),
                };
                let found = findings::read_all(root.get("findings"));
                let off = self.settings.with_untracked(|s| s.rules == Rules::Off);
                self.unchecked.set(off.then_some(text::UNCHECKED_OFF));
                self.set_found(found, event.flag("checks"));
                self.set_doc(doc);
                self.face.set(Face::Shown);
            }
            Some(Job::Validate) => {
                let found = Json::parse(event.bytes("found").unwrap_or_default());
                let found = found.map(|f| findings::read_all(f.root().get("findings")));
                self.set_output(found.unwrap_or_default());
            }
            Some(Job::Packages) => {
                if let Ok(meta) = Json::parse(meta) {
                    self.set_packages(meta.root());
                }
            }
            Some(Job::Trace) => {
                self.untraced.set(None);
                self.tracing.touch(|t| t.add_text(meta));
                if !event.flag("more") {
                    let mut whole = TraceIndex::default();
                    self.tracing.touch(|t| std::mem::swap(t, &mut whole));
                    self.trace.set(Rc::new(whole));
                }
            }
            Some(Job::Rule) => {
                self.rule.set(String::from_utf8(meta).unwrap_or_default());
                self.dialog.set(Some(Dialog::Rule));
            }
            Some(Job::Fix) => {
                self.fixes.set(String::from_utf8(meta).unwrap_or_default());
                self.dialog.set(Some(Dialog::Fix));
            }
            Some(Job::Probe) => {
                if let Ok(meta) = Json::parse(meta) {
                    self.probe.set(Some((
                        meta.root().get("sent").flag().unwrap_or(false),
                        meta.root().get("directive").string(),
                    )));
                }
            }
            _ => {}
        }
    }

    /// Takes the findings of the file shown; `more` come when it is checked.
    fn set_found(&'static self, found: Vec<Finding>, more: bool) {
        let chosen = self.chosen();
        self.here.set(Rc::new(found));
        self.checking.set(more);
        // What was chosen stays chosen, wherever it stands now.
        if let Some(chosen) = chosen
            && !self.marks.with_untracked(|m| m.is_empty())
            && let Some(at) = self.place_of(|f| *f == chosen)
        {
            self.finding.set(at);
        }
    }

    /// Takes the findings of the output shown.
    fn set_output(&'static self, found: Vec<Finding>) {
        let [errors, warnings, infos] = findings::counts(&found);
        let mut all = self.here.with_untracked(|h| h.as_ref().clone());
        all.retain(|f| f.file != OUTPUT);
        all.extend(found);
        self.set_found(all, false);
        let said = [errors, warnings, infos].map(|n| number(n.into()));
        self.notify(text::VALIDATED, &[&said[0], &said[1], &said[2]], errors > 0);
    }

    fn set_doc(&'static self, doc: Doc) {
        let mut fields = doc.message.outline();
        if fields.len() > 5_000 {
            fields.close_below(1);
        }
        let mut fhir =
            Outline::from_depths(&doc.json.nodes().iter().map(|n| n.depth).collect::<Vec<_>>());
        if fhir.len() > 5_000 {
            fhir.close_below(4);
        }
        if !self.keep_marks.get_untracked() {
            self.marks.set(Rc::default());
            self.finding.set(0);
        }
        self.fields.set(fields);
        self.fhir.set(fhir);
        self.doc.set(Rc::new(doc));
        self.doc_version.update(|v| *v += 1);
        self.fields_version.update(|v| *v += 1);
        self.fhir_version.update(|v| *v += 1);
        if self.keep_marks.get_untracked() {
            self.keep_marks.set(false);
            self.scroll_to_marks();
            let first = self
                .marks
                .with_untracked(|m| m.elements.first().map(|e| e.0));
            if let Some(node) = first {
                self.fhir.update(|o| o.reveal([node as usize]));
                self.fhir_version.update(|v| *v += 1);
                self.show_node.update(|s| *s = (s.0 + 1, node));
            }
        }
    }

    fn failed(&'static self, id: u32, code: &str) {
        if id > 0 && self.kind_of(id).is_none() && code != "internal" {
            return;
        }
        let job = self.kind_of(id);
        let why = match code {
            "check" => text::RULES_FAILED,
            "validate" => text::VALIDATION_FAILED,
            "internal" => {
                let version = host::version();
                self.replace_worker(text::INTERNAL, &[&version]);
                return self.notify(text::INTERNAL, &[&version], true);
            }
            "load" | "init" => {
                self.busy.set(Busy::No);
                text::LOAD_FAILED
            }
            "too-large" => text::TOO_LARGE_FILE,
            "part" => text::PART_FAILED,
            "memory" => text::MEMORY,
            "trace" => text::TRACE_LARGE,
            _ if job == Some(Job::Trace) => text::TRACE_FAILED,
            _ => text::READ_FAILED,
        };
        match job {
            // A run goes on without.
            Some(Job::Run) if matches!(code, "check" | "validate") => {
                self.unchecked_all.set(Some(why));
                return self.notify(why, &[], true);
            }
            Some(Job::Open | Job::Run | Job::Export) => self.busy.set(Busy::No),
            _ => {}
        }
        match job {
            Some(Job::Node | Job::Open) => self.halt(why, &[]),
            Some(Job::Validate) => self.checking.set(false),
            Some(Job::Trace) => self.untraced.set(Some(why)),
            _ => {}
        }
        self.notify(why, &[], true);
        self.end(id);
    }

    fn done(&'static self, id: u32, event: &host::Event) {
        let job = self.kind_of(id);
        self.end(id);
        if event.flag("cancelled") {
            match job {
                Some(Job::Open | Job::Run | Job::Export) => self.busy.set(Busy::No),
                Some(Job::Trace) => self.untraced.set(Some(text::CANCELLED)),
                None => return,
                _ => {}
            }
            if matches!(job, Some(Job::Node | Job::Open | Job::Validate)) {
                self.halt(text::CANCELLED, &[]);
            }
            self.notify(text::CANCELLED, &[], false);
            return;
        }
        match job {
            Some(Job::Open) => {
                self.busy.set(Busy::No);
                self.adopt_list();
                if let Some(id) = self.return_to.get_untracked() {
                    // After a fresh worker the files are listed, but nothing runs by itself:
                    // what broke the old one would break this one too.
                    self.return_to.set(None);
                    self.current
                        .set(self.files.with_untracked(|f| f.position(id)));
                    return;
                }
                self.run();
            }
            Some(Job::Run) => {
                self.busy.set(Busy::No);
                let (files, resources) = (event.uint("total"), event.uint("resources"));
                self.totals.set(Some((files, resources)));
                self.live.set(self.now(
                    text::FILES_DONE,
                    &[&number(files.into()), &number(resources.into())],
                ));
            }
            Some(Job::Export) => self.busy.set(Busy::No),
            _ => {}
        }
    }

    // ---- Settings -----------------------------------------------------------------------------

    /// Changes settings, keeps them in the browser and converts again if the result may differ.
    pub(super) fn set(&'static self, change: impl FnOnce(&mut Settings)) {
        let before = self.settings.get_untracked();
        self.settings.update(change);
        let after = self.settings.get_untracked();
        if let Ok(Some(store)) = window().local_storage() {
            let _ = store.set_item(STORE, &after.to_json());
        }
        let same = before.same_result(&after) && before.rules == after.rules;
        if !same && self.current.get_untracked().is_some() {
            self.again();
            self.run();
        }
    }

    /// What a link carries by default.
    pub(super) fn shared(&'static self, with_content: bool) -> Shared {
        let doc = self.doc.get_untracked();
        Shared {
            settings: self.settings.get_untracked(),
            example: if with_content {
                None
            } else {
                self.example.get_untracked()
            },
            content: with_content.then(|| {
                (
                    doc.path.rsplit('/').next().unwrap_or_default().to_owned(),
                    doc.raw.clone(),
                )
            }),
        }
    }

    // ---- Trace --------------------------------------------------------------------------------

    /// From a field (row of the tree) to its elements.
    pub(super) fn follow_field(&'static self, row: usize) {
        let doc = self.doc.get_untracked();
        if let Some(row) = doc.message.rows.get(row) {
            self.follow_span(&row.path, row.span);
        }
    }

    /// From bytes of the shown file to the elements made from them.
    pub(super) fn follow_span(&'static self, path: &str, span: (u32, u32)) {
        let doc = self.doc.get_untracked();
        let trace = self.trace.get_untracked();
        let marks = Marks::of_field(&trace, &doc.json, &doc.path, path, span);
        self.fhir
            .update(|o| o.reveal(marks.elements.iter().map(|e| e.0 as usize)));
        self.fhir_version.update(|v| *v += 1);
        if let Some(at) = self.place_of(|f| f.touches(&doc.path, span.0, span.1)) {
            self.finding.set(at);
        }
        let first = marks.elements.first().map(|e| e.0);
        let n = marks.elements.len();
        self.live.set(if n == 0 {
            self.now(text::MADE_NONE, &[path])
        } else {
            self.now(text::MADE, &[path, &number(n as u64)])
        });
        self.marks.set(Rc::new(marks));
        if let Some(first) = first {
            self.show_node.update(|s| *s = (s.0 + 1, first));
        }
    }

    /// From bytes to the deepest field around them, and on to its elements.
    pub(super) fn follow_bytes(&'static self, start: u32, end: u32) {
        let doc = self.doc.get_untracked();
        match doc.message.row_at(start, end) {
            Some(row) => {
                self.follow_field(row);
                let span = doc.message.rows.get(row).map_or((start, end), |r| r.span);
                self.show_span.update(|s| *s = (s.0 + 1, span.0, span.1));
            }
            None => self.follow_span("", (start, end)),
        }
    }

    /// From an element to its sources.
    pub(super) fn follow_node(&'static self, node: usize) {
        let doc = self.doc.get_untracked();
        let trace = self.trace.get_untracked();
        let marks = Marks::of_element(&trace, &doc.json, node, self.lang.get_untracked());
        let label = marks
            .elements
            .first()
            .map(|e| e.1.clone())
            .unwrap_or_default();
        self.live.set(if marks.spans.is_empty() {
            self.now(text::FROM_CONSTANT, &[&marks.origin, &label])
        } else {
            self.now(
                text::FROM_SPANS,
                &[&marks.origin, &number(marks.spans.len() as u64)],
            )
        });
        let here = marks.spans.iter().any(|s| s.0 == doc.path);
        let elsewhere = marks.spans.first().map(|s| s.0.clone());
        self.marks.set(Rc::new(marks));
        match elsewhere {
            Some(file) if !here => {
                let position = self.files.with_untracked(|f| f.by_path(&file));
                if let Some(position) = position {
                    self.keep_marks.set(true);
                    self.show(position);
                }
            }
            _ => self.scroll_to_marks(),
        }
    }

    /// Opens and scrolls the message views to the first marked bytes.
    fn scroll_to_marks(&'static self) {
        let doc = self.doc.get_untracked();
        let marks = self.marks.get_untracked();
        let Some((_, start, end)) = marks.spans.iter().find(|s| s.0 == doc.path) else {
            return;
        };
        self.show_span.update(|s| *s = (s.0 + 1, *start, *end));
        let rows: Vec<usize> = marks
            .spans
            .iter()
            .filter_map(|s| doc.message.row_at(s.1, s.2))
            .collect();
        self.fields.update(|o| o.reveal(rows));
        self.fields_version.update(|v| *v += 1);
    }

    // ---- Findings -----------------------------------------------------------------------------

    /// Findings shown in the pane, as scope and severity say; reactive.
    pub(super) fn shown_findings(&'static self) -> Vec<Finding> {
        let only = self.grade.get();
        if self.scope_all.get() {
            self.findings.with(|all| findings::grouped(all, only))
        } else {
            self.here.with(|all| findings::grouped(all, only))
        }
    }

    /// The finding chosen.
    fn chosen(&'static self) -> Option<Finding> {
        let at = self.finding.get_untracked();
        untrack(|| self.shown_findings()).into_iter().nth(at)
    }

    /// Where in the list a finding stands.
    fn place_of(&'static self, is_it: impl Fn(&Finding) -> bool) -> Option<usize> {
        untrack(|| self.shown_findings()).iter().position(is_it)
    }

    /// Goes to a finding: shows its file and marks its bytes.
    pub(super) fn go_finding(&'static self, at: usize) {
        let all = untrack(|| self.shown_findings());
        let Some(finding) = all.get(at) else { return };
        self.go_place(&finding.place());
        self.finding.set(at);
        self.live.set(format!(
            "{} {} {}",
            finding.code, finding.path, finding.message
        ));
    }

    /// Shows a file and marks bytes of it.
    pub(super) fn go_place(&'static self, (file, span, path): &Place) {
        let doc = self.doc.get_untracked();
        let own = *file == doc.path;
        if file == OUTPUT || own && doc.is_fhir() {
            self.go_element(&doc, *span, path, own);
        } else if !own {
            if let Some(position) = self.files.with_untracked(|f| f.by_path(file)) {
                let marks = Marks {
                    spans: vec![(file.clone(), span.0, span.1)],
                    from_field: true,
                    origin: path.clone(),
                    ..Marks::default()
                };
                self.marks.set(Rc::new(marks));
                self.keep_marks.set(true);
                self.show(position);
            }
        } else if span.1 > span.0 {
            // The whole field is marked, even if only a part of it is meant.
            let row = doc.message.row_at(span.0, span.1);
            let whole = row
                .and_then(|at| doc.message.rows.get(at))
                .filter(|r| r.depth > 0)
                .map_or(*span, |r| r.span);
            self.follow_span(path, whole);
            self.fields.touch(|o| o.reveal(row));
            self.fields_version.update(|v| *v += 1);
            self.show_span.update(|s| *s = (s.0 + 1, whole.0, whole.1));
        }
    }

    /// Marks the element of the JSON shown that has these bytes; with `own` also the bytes of the file.
    fn go_element(&'static self, doc: &Doc, span: (u32, u32), path: &str, own: bool) {
        if doc.json.is_empty() {
            return;
        }
        let node = doc.json.node_at(span.0, span.1);
        let mut marks = Marks {
            elements: vec![(json::cut(node), path.to_owned())],
            origin: path.to_owned(),
            ..Marks::default()
        };
        if own {
            marks.spans.push((doc.path.clone(), span.0, span.1));
            self.show_span.update(|s| *s = (s.0 + 1, span.0, span.1));
        }
        self.marks.set(Rc::new(marks));
        self.fhir.update(|o| o.reveal([node]));
        self.fhir_version.update(|v| *v += 1);
        self.show_node.update(|s| *s = (s.0 + 1, json::cut(node)));
    }

    pub(super) fn step_finding(&'static self, by: isize) {
        let n = untrack(|| self.shown_findings().len());
        if n == 0 {
            return;
        }
        self.bottom_tab.set(BottomTab::Findings);
        let at = self.finding.get_untracked();
        let to = if self.marks.with_untracked(|m| m.is_empty()) {
            at
        } else {
            at.saturating_add_signed(by).min(n - 1)
        };
        self.go_finding(to);
    }

    // ---- Start --------------------------------------------------------------------------------

    /// Asks for the examples and reads the link, then waits for the engine.
    pub(super) fn start(&'static self) {
        let fragment = window().location().hash().unwrap_or_default();
        host::ask(host::examples, move |index| {
            if let Some(json) = index.and_then(|i| Json::parse(i).ok()) {
                let paths = json.root().items().map(|e| e.get("path").string());
                self.examples.set(paths.filter(|p| !p.is_empty()).collect());
            }
            if fragment.len() <= 1 {
                self.wanted.set(Wanted::Nothing);
                self.begin();
                return;
            }
            let deflated = crate::share::payload(&fragment).unwrap_or_default();
            host::ask(
                |id| host::inflate(id, js_sys::Uint8Array::from(deflated.as_slice())),
                move |inflated| {
                    let shared = inflated.and_then(Shared::read);
                    if shared.is_none() {
                        self.notify(text::SHARE_BAD, &[], true);
                    }
                    self.wanted
                        .set(shared.map_or(Wanted::Nothing, Wanted::Link));
                    self.begin();
                },
            );
        });
    }

    /// Opens what the address asks for, or the first example, once everything is there.
    fn begin(&'static self) {
        if !self.ready.get_untracked() || self.started.get_untracked() {
            return;
        }
        let shared = match self.wanted.get_untracked() {
            Wanted::Unread => return,
            Wanted::Nothing => return self.open_first_example(),
            Wanted::Link(shared) => shared,
        };
        self.adopt(&shared.settings);
        if let Some((name, bytes)) = shared.content {
            let name = if name.is_empty() {
                self.now(text::SHARED_NAME, &[])
            } else {
                name
            };
            self.open_bytes(&name, &bytes);
        } else if let Some(example) = shared.example {
            self.open_example(&example);
        } else {
            self.open_first_example();
        }
    }

    /// Takes a link's conversion settings; how the page looks stays the reader's.
    fn adopt(&'static self, theirs: &Settings) {
        self.settings.update(|mine| {
            *mine = Settings {
                lang: mine.lang,
                theme: mine.theme,
                size: mine.size,
                letters: mine.letters,
                ..theirs.clone()
            };
        });
    }

    fn open_first_example(&'static self) {
        let first = self.examples.with_untracked(|all| {
            all.iter()
                .find(|p| p.starts_with("standard_root/") && p.contains("/ADT-00/"))
                .or_else(|| all.iter().find(|p| p.starts_with("standard_root/")))
                .or_else(|| all.first())
                .map(|p| {
                    if p.starts_with("standard_root/") {
                        "standard_root".to_owned()
                    } else {
                        p.clone()
                    }
                })
        });
        if let Some(name) = first {
            self.open_example(&name);
        }
    }
}
