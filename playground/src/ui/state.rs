//! The state of the page, and what happens on each event.

use std::sync::Arc;

use wasm_bindgen::{JsCast, JsValue};

use super::{dom::prelude::*, host};
use crate::{
    files::FileList,
    findings::{self, Finding},
    json::{self, Json},
    message::Message,
    outline::Outline,
    raw::Charset,
    settings::{Lang, Output, Settings},
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum MessageTab {
    Fields,
    Text,
    Hex,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum FhirTab {
    Tree,
    Json,
    Table,
    Diff,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum BottomTab {
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

/// What the worker was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Open,
    Run,
    Node,
    Trace,
    Export,
    Probe,
}

/// The file shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Doc {
    pub(super) path: String,
    pub(super) message: Message,
    pub(super) raw: Vec<u8>,
    pub(super) json: Json,
    pub(super) findings: Vec<Finding>,
    pub(super) resources: u32,
    pub(super) ms: f64,
    /// Result with the other settings of the diff tab.
    pub(super) other: Option<Arc<Json>>,
}

impl Doc {
    pub(super) fn charset(&self) -> Charset {
        Charset::of(&self.message.charset)
    }
}

/// More findings than this are counted, not kept.
pub(super) const KEPT_FINDINGS: usize = 5_000;

/// Everything, as signals.
#[derive(Clone, Copy)]
pub(super) struct App {
    pub(super) settings: RwSignal<Settings>,
    pub(super) lang: Memo<Lang>,
    pub(super) row_px: Signal<f64>,
    pub(super) ready: RwSignal<bool>,
    pub(super) offline: RwSignal<bool>,
    pub(super) busy: RwSignal<Busy>,
    /// Last word to the user: cancelled, saved, failed.
    pub(super) notice: RwSignal<String>,
    pub(super) notice_bad: RwSignal<bool>,
    /// Polite live region.
    pub(super) live: RwSignal<String>,
    pub(super) files: RwSignal<FileList>,
    pub(super) files_version: RwSignal<u64>,
    /// Position in the list of the file shown.
    pub(super) current: RwSignal<Option<usize>>,
    pub(super) doc: RwSignal<Arc<Doc>>,
    pub(super) doc_version: RwSignal<u64>,
    pub(super) trace: RwSignal<Arc<TraceIndex>>,
    pub(super) marks: RwSignal<Arc<Marks>>,
    pub(super) fields: RwSignal<Outline>,
    pub(super) fields_version: RwSignal<u64>,
    pub(super) fhir: RwSignal<Outline>,
    pub(super) fhir_version: RwSignal<u64>,
    /// Node the FHIR views bring into view, with a counter.
    pub(super) show_node: RwSignal<(u64, u32)>,
    /// Bytes the message views bring into view, with a counter.
    pub(super) show_span: RwSignal<(u64, u32, u32)>,
    pub(super) findings: RwSignal<Vec<Finding>>,
    pub(super) findings_dropped: RwSignal<u32>,
    pub(super) finding: RwSignal<usize>,
    pub(super) scope_all: RwSignal<bool>,
    pub(super) totals: RwSignal<Option<(u32, u32)>>,
    pub(super) pane: RwSignal<Pane>,
    pub(super) message_tab: RwSignal<MessageTab>,
    pub(super) fhir_tab: RwSignal<FhirTab>,
    pub(super) bottom_tab: RwSignal<BottomTab>,
    pub(super) dialog: RwSignal<Option<Dialog>>,
    pub(super) menu_open: RwSignal<bool>,
    /// Settings of the other side of the diff.
    pub(super) compare: RwSignal<Settings>,
    pub(super) network: RwSignal<(u32, u32, u32)>,
    pub(super) probe: RwSignal<Option<(bool, String)>>,
    /// Example that is open, for the link.
    pub(super) example: RwSignal<Option<String>>,
    /// Paths of all examples.
    pub(super) examples: RwSignal<Vec<String>>,
    /// Text last given by paste, kept across everything.
    pub(super) pasted: RwSignal<String>,
    jobs: RwSignal<Vec<(u32, Job)>>,
    next_id: RwSignal<u32>,
    started: RwSignal<bool>,
    last_live: RwSignal<f64>,
    /// Position to show once the files are listed again.
    return_to: RwSignal<Option<usize>>,
    /// Marks to keep when the next file of the same output is shown.
    keep_marks: RwSignal<bool>,
}

const STORE: &str = "warifu.settings";

impl App {
    pub(super) fn new() -> Self {
        let stored = window()
            .local_storage()
            .ok()
            .flatten()
            .and_then(|s| s.get_item(STORE).ok().flatten())
            .and_then(|t| Json::parse(t.into_bytes()).ok())
            .map(|j| Settings::read(j.root()));
        let settings = RwSignal::new(stored.unwrap_or_default());
        Self {
            settings,
            lang: Memo::new(move |_| settings.with(|s| s.lang)),
            row_px: Memo::new(move |_| settings.with(|s| s.size.row_px())).into(),
            ready: RwSignal::new(false),
            offline: RwSignal::new(false),
            busy: RwSignal::new(Busy::Loading(0, 0)),
            notice: RwSignal::new(String::new()),
            notice_bad: RwSignal::new(false),
            live: RwSignal::new(String::new()),
            files: RwSignal::new(FileList::default()),
            files_version: RwSignal::new(0),
            current: RwSignal::new(None),
            doc: RwSignal::new(Arc::default()),
            doc_version: RwSignal::new(0),
            trace: RwSignal::new(Arc::default()),
            marks: RwSignal::new(Arc::default()),
            fields: RwSignal::new(Outline::default()),
            fields_version: RwSignal::new(0),
            fhir: RwSignal::new(Outline::default()),
            fhir_version: RwSignal::new(0),
            show_node: RwSignal::new((0, 0)),
            show_span: RwSignal::new((0, 0, 0)),
            findings: RwSignal::new(Vec::new()),
            findings_dropped: RwSignal::new(0),
            finding: RwSignal::new(0),
            scope_all: RwSignal::new(false),
            totals: RwSignal::new(None),
            pane: RwSignal::new(Pane::Message),
            message_tab: RwSignal::new(MessageTab::Fields),
            fhir_tab: RwSignal::new(FhirTab::Tree),
            bottom_tab: RwSignal::new(BottomTab::Findings),
            dialog: RwSignal::new(None),
            menu_open: RwSignal::new(false),
            compare: RwSignal::new(Settings::default()),
            network: RwSignal::new((0, 0, 0)),
            probe: RwSignal::new(None),
            example: RwSignal::new(None),
            examples: RwSignal::new(Vec::new()),
            pasted: RwSignal::new(String::new()),
            jobs: RwSignal::new(Vec::new()),
            next_id: RwSignal::new(1),
            started: RwSignal::new(false),
            last_live: RwSignal::new(0.0),
            return_to: RwSignal::new(None),
            keep_marks: RwSignal::new(false),
        }
    }

    /// A text in the page's language; reactive.
    pub(super) fn say(self, t: Text) -> &'static str {
        t.of(self.lang.get())
    }

    /// A text with slots; reactive.
    pub(super) fn fill(self, t: Text, slots: &[&str]) -> String {
        t.fill(self.lang.get(), slots)
    }

    fn now(self, t: Text, slots: &[&str]) -> String {
        t.fill(self.lang.get_untracked(), slots)
    }

    pub(super) fn notify(self, t: Text, slots: &[&str], bad: bool) {
        let said = self.now(t, slots);
        self.live.set(said.clone());
        self.notice_bad.set(bad);
        self.notice.set(said);
    }

    /// Says progress politely, at most once in two seconds.
    fn announce(self, said: impl FnOnce() -> String) {
        let now = js_sys::Date::now();
        if now - self.last_live.get_untracked() >= 2_000.0 {
            self.last_live.set(now);
            self.live.set(said());
        }
    }

    fn job(self, job: Job) -> u32 {
        let id = self.next_id.get_untracked();
        self.next_id.set(id + 1);
        self.jobs.update(|j| {
            // Of these only the latest counts.
            if matches!(job, Job::Node | Job::Trace | Job::Run) {
                j.retain(|(_, other)| *other != job);
            }
            j.push((id, job));
        });
        id
    }

    fn kind_of(self, id: u32) -> Option<Job> {
        self.jobs
            .with_untracked(|j| j.iter().find(|(i, _)| *i == id).map(|(_, k)| *k))
    }

    fn end(self, id: u32) {
        self.jobs.update(|j| j.retain(|(i, _)| *i != id));
    }

    // ---- Opening ------------------------------------------------------------------------------

    /// Empties the page for new input and says under which job it comes.
    fn begin_open(self) -> u32 {
        self.cancel_running();
        self.notice.set(String::new());
        self.files.set(FileList::default());
        self.files_version.update(|v| *v += 1);
        self.current.set(None);
        self.findings.set(Vec::new());
        self.findings_dropped.set(0);
        self.totals.set(None);
        self.marks.set(Arc::default());
        self.example.set(None);
        self.return_to.set(None);
        self.busy.set(Busy::Listing(0, 0));
        self.started.set(true);
        self.job(Job::Open)
    }

    pub(super) fn open_files(self, files: &JsValue) {
        host::open_files(self.begin_open(), files);
    }

    pub(super) fn open_drop(self, transfer: &JsValue) {
        host::open_drop(self.begin_open(), transfer);
    }

    pub(super) fn open_bytes(self, path: &str, bytes: &[u8]) {
        host::open_bytes(self.begin_open(), path, js_sys::Uint8Array::from(bytes));
    }

    /// Opens pasted text: line ends become CR, as in a message.
    pub(super) fn open_text(self, text: &str) {
        let cr = text
            .trim_start_matches('\u{FEFF}')
            .replace("\r\n", "\r")
            .replace('\n', "\r");
        self.pasted.set(text.to_owned());
        self.open_bytes("pasted.hl7", cr.as_bytes());
    }

    /// Opens an example: a path of the index, or a folder of it with all its files.
    pub(super) fn open_example(self, name: &str) {
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

    /// Shows the file at a position of the list.
    pub(super) fn show(self, position: usize) {
        let Some(index) = self
            .files
            .with_untracked(|f| f.files.get(position).map(|f| f.id))
        else {
            return;
        };
        self.current.set(Some(position));
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
            "{{\"index\":{index},\"options\":{},\"byPatient\":{}",
            settings.engine_options(false),
            settings.by_patient()
        );
        if let Some(other) = compare {
            request.push_str(&format!(
                ",\"compare\":{{\"options\":{},\"byPatient\":{}}}",
                other.engine_options(false),
                other.by_patient()
            ));
        }
        request.push('}');
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
    pub(super) fn again(self) {
        if let Some(at) = self.current.get_untracked() {
            self.show(at);
        }
    }

    pub(super) fn step(self, by: isize) {
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

    fn run(self) {
        let settings = self.settings.get_untracked();
        self.files.update(FileList::clear_counts);
        self.findings.set(Vec::new());
        self.findings_dropped.set(0);
        self.totals.set(None);
        let total = self.files.with_untracked(|f| json::cut(f.files.len()));
        self.busy.set(Busy::Converting(0, total));
        host::send(
            "run",
            self.job(Job::Run),
            &format!("{{\"options\":{}}}", settings.engine_options(false)),
        );
    }

    pub(super) fn save(self, what: &str) {
        let Some(index) = self
            .current
            .get_untracked()
            .and_then(|at| self.files.with_untracked(|f| f.files.get(at).map(|f| f.id)))
        else {
            return;
        };
        let settings = self.settings.get_untracked();
        let id = self.job(Job::Export);
        if what != "shown" {
            self.busy.set(Busy::Saving(
                0,
                self.files.with_untracked(|f| json::cut(f.files.len())),
            ));
        }
        host::send(
            "export",
            id,
            &format!(
                "{{\"what\":\"{what}\",\"index\":{index},\"options\":{},\"byPatient\":{}}}",
                settings.engine_options(false),
                settings.by_patient()
            ),
        );
    }

    pub(super) fn try_sending(self) {
        self.probe.set(None);
        host::send("probe", self.job(Job::Probe), "{}");
    }

    // ---- Cancel -------------------------------------------------------------------------------

    /// Asks all long jobs to stop, without waiting.
    fn cancel_running(self) -> Vec<u32> {
        let ids: Vec<u32> = self.jobs.with_untracked(|j| {
            j.iter()
                .filter(|(_, k)| matches!(k, Job::Open | Job::Run | Job::Export))
                .map(|(i, _)| *i)
                .collect()
        });
        for id in &ids {
            host::send("cancel", *id, "{}");
        }
        ids
    }

    /// Cancels what runs; a worker that does not answer within 500 ms is ended and replaced.
    pub(super) fn cancel(self) {
        let ids = self.cancel_running();
        if ids.is_empty() {
            self.marks.set(Arc::default());
            return;
        }
        set_timeout(
            move || {
                if self
                    .jobs
                    .with_untracked(|j| j.iter().any(|(i, _)| ids.contains(i)))
                {
                    self.replace_worker();
                    self.notify(text::CANCELLED, &[], false);
                }
            },
            std::time::Duration::from_millis(500),
        );
    }

    /// A fresh worker with the same files.
    fn replace_worker(self) {
        self.jobs.set(Vec::new());
        self.busy.set(Busy::No);
        self.return_to
            .set(self.current.get_untracked().or(Some(usize::MAX)));
        let id = self.job(Job::Open);
        self.files.set(FileList::default());
        host::restart(id);
    }

    // ---- Events -------------------------------------------------------------------------------

    pub(super) fn event(self, event: &host::Event) {
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
            }
            "offline" => self.offline.set(true),
            "network" => self.read_network(),
            "saved" => self.notify(text::SAVED, &[&event.text("name")], false),
            "listing" if self.kind_of(id) == Some(Job::Open) => {
                self.busy
                    .set(Busy::Listing(event.uint("done"), event.uint("total")));
            }
            "rows" if self.kind_of(id) == Some(Job::Open) => {
                let rows = event.bytes("rows").unwrap_or_default();
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
                let first = event.uint("from") == 0;
                if first && self.return_to.get_untracked().is_none() {
                    self.show(0);
                }
            }
            "counts" if self.kind_of(id) == Some(Job::Run) => {
                self.counts(event.bytes("rows").unwrap_or_default())
            }
            "progress" => self.progress(id, event.uint("done"), event.uint("total")),
            "result" => self.result(id, event),
            "failed" => self.failed(id, &event.text("code"), &event.text("text")),
            "done" => self.done(id, event),
            _ => {}
        }
    }

    pub(super) fn read_network(self) {
        if let Ok(json) = Json::parse(host::network().into_bytes()) {
            let v = json.root();
            self.network.set((
                v.get("sent").uint(),
                v.get("requests").uint(),
                v.get("violations").uint(),
            ));
        }
    }

    fn progress(self, id: u32, done: u32, total: u32) {
        let (busy, said) = match self.kind_of(id) {
            Some(Job::Run) => (Busy::Converting(done, total), text::CONVERTING),
            Some(Job::Export) => (Busy::Saving(done, total), text::SAVING),
            _ => return,
        };
        self.busy.set(busy);
        self.announce(|| self.now(said, &[&number(done.into()), &number(total.into())]));
    }

    fn counts(self, rows: Vec<u8>) {
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

    fn result(self, id: u32, event: &host::Event) {
        let meta = event.bytes("meta").unwrap_or_default();
        match self.kind_of(id) {
            Some(Job::Node) => {
                let Ok(meta) = Json::parse(meta) else { return };
                let root = meta.root();
                let lines = self.settings.with_untracked(|s| s.to == Output::Ndjson);
                let read = |bytes: Option<Vec<u8>>, lines: bool| {
                    bytes.and_then(|b| {
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
                    path: root.get("path").string(),
                    message: Message::read(root.get("view")),
                    raw: event.bytes("raw").unwrap_or_default(),
                    json: read(event.bytes("json"), lines).unwrap_or_default(),
                    findings: findings::read_all(root.get("findings")),
                    resources: root
                        .get("stats")
                        .get("resources")
                        .items()
                        .map(|n| n.uint())
                        .sum(),
                    ms: root.get("ms").number().unwrap_or(0.0),
                    other: read(event.bytes("other"), other_lines).map(Arc::new),
                };
                self.set_doc(doc);
            }
            Some(Job::Trace) => {
                self.trace.set(Arc::new(TraceIndex::parse(meta)));
                self.keep_marks.set(false);
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

    fn set_doc(self, doc: Doc) {
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
            self.marks.set(Arc::default());
            self.trace.set(Arc::default());
            self.finding.set(0);
        }
        self.fields.set(fields);
        self.fhir.set(fhir);
        self.doc.set(Arc::new(doc));
        self.doc_version.update(|v| *v += 1);
        self.fields_version.update(|v| *v += 1);
        self.fhir_version.update(|v| *v += 1);
        if self.keep_marks.get_untracked() {
            self.scroll_to_marks();
        }
    }

    fn failed(self, id: u32, code: &str, _said: &str) {
        match code {
            "internal" => {
                self.replace_worker();
                self.notify(text::INTERNAL, &[&host::version()], true);
            }
            "load" | "init" => {
                self.busy.set(Busy::No);
                self.notify(text::LOAD_FAILED, &[], true);
            }
            "too-large" => self.notify(text::TOO_LARGE_FILE, &[], true),
            _ => self.notify(text::READ_FAILED, &[], true),
        }
        if id > 0 && matches!(self.kind_of(id), Some(Job::Open | Job::Run | Job::Export)) {
            self.busy.set(Busy::No);
        }
        self.end(id);
    }

    fn done(self, id: u32, event: &host::Event) {
        let job = self.kind_of(id);
        self.end(id);
        if event.flag("cancelled") {
            if job.is_some() {
                self.busy.set(Busy::No);
                self.notify(text::CANCELLED, &[], false);
            }
            return;
        }
        match job {
            Some(Job::Open) => {
                self.busy.set(Busy::No);
                self.files.update(FileList::rebuild);
                self.files_version.update(|v| *v += 1);
                if let Some(at) = self.return_to.get_untracked() {
                    // After a fresh worker the files are listed, but nothing runs by itself:
                    // what broke the old one would break this one too.
                    self.return_to.set(None);
                    self.files
                        .with_untracked(|f| f.files.len().checked_sub(1))
                        .map(|last| self.current.set(Some(at.min(last))));
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
    pub(super) fn set(self, change: impl FnOnce(&mut Settings)) {
        let before = self.settings.get_untracked();
        self.settings.update(change);
        let after = self.settings.get_untracked();
        if let Ok(Some(store)) = window().local_storage() {
            let _ = store.set_item(STORE, &after.to_json());
        }
        if !before.same_result(&after) && self.current.get_untracked().is_some() {
            self.again();
            self.run();
        }
    }

    /// What a link carries by default.
    pub(super) fn shared(self, with_content: bool) -> Shared {
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
    pub(super) fn follow_field(self, row: usize) {
        let doc = self.doc.get_untracked();
        if let Some(row) = doc.message.rows.get(row) {
            self.follow_span(&row.path, row.span);
        }
    }

    /// From bytes of the shown file to the elements made from them.
    pub(super) fn follow_span(self, path: &str, span: (u32, u32)) {
        let doc = self.doc.get_untracked();
        let trace = self.trace.get_untracked();
        let marks = Marks::of_field(&trace, &doc.json, &doc.path, path, span);
        self.fhir
            .update(|o| o.reveal(marks.elements.iter().map(|e| e.0 as usize)));
        self.fhir_version.update(|v| *v += 1);
        let first = marks.elements.first().map(|e| e.0);
        let n = marks.elements.len();
        self.live.set(if n == 0 {
            self.now(text::MADE_NONE, &[path])
        } else {
            self.now(text::MADE, &[path, &number(n as u64)])
        });
        self.marks.set(Arc::new(marks));
        if let Some(first) = first {
            self.show_node.update(|s| *s = (s.0 + 1, first));
        }
    }

    /// From bytes to the deepest field around them, and on to its elements.
    pub(super) fn follow_bytes(self, start: u32, end: u32) {
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
    pub(super) fn follow_node(self, node: usize) {
        let doc = self.doc.get_untracked();
        let trace = self.trace.get_untracked();
        let marks = Marks::of_element(
            &trace,
            &doc.json,
            node,
            text::CONSTANT.of(self.lang.get_untracked()),
        );
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
        self.marks.set(Arc::new(marks));
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
    fn scroll_to_marks(self) {
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

    /// Findings shown in the pane, as the scope says; reactive.
    pub(super) fn shown_findings(self) -> Vec<Finding> {
        if self.scope_all.get() {
            self.findings.get()
        } else {
            self.doc.with(|d| d.findings.clone())
        }
    }

    /// Goes to a finding: shows its file and marks its bytes.
    pub(super) fn go_finding(self, at: usize) {
        let all = untrack(|| self.shown_findings());
        let Some(finding) = all.get(at) else { return };
        self.finding.set(at);
        let doc = self.doc.get_untracked();
        let said = format!("{} {} {}", finding.code, finding.path, finding.message);
        if finding.file != doc.path {
            if let Some(position) = self.files.with_untracked(|f| f.by_path(&finding.file)) {
                let marks = Marks {
                    spans: vec![(finding.file.clone(), finding.span.0, finding.span.1)],
                    from_field: true,
                    origin: finding.path.clone(),
                    ..Marks::default()
                };
                self.marks.set(Arc::new(marks));
                self.keep_marks.set(true);
                self.show(position);
            }
        } else if finding.span.1 > finding.span.0 {
            self.follow_span(&finding.path, finding.span);
            self.show_span
                .update(|s| *s = (s.0 + 1, finding.span.0, finding.span.1));
            let row = doc.message.row_at(finding.span.0, finding.span.1);
            self.fields.update(|o| o.reveal(row));
            self.fields_version.update(|v| *v += 1);
        }
        self.live.set(said);
    }

    pub(super) fn step_finding(self, by: isize) {
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

    /// Opens what the address asks for, or the first example. Waits for the engine.
    pub(super) fn start(self) {
        let fragment = window().location().hash().unwrap_or_default();
        leptos::task::spawn_local(async move {
            if let Ok(index) = wasm_bindgen_futures::JsFuture::from(host::examples()).await
                && let Some(json) = index
                    .as_string()
                    .and_then(|t| Json::parse(t.into_bytes()).ok())
            {
                self.examples.set(
                    json.root()
                        .items()
                        .map(|e| e.get("path").string())
                        .filter(|p| !p.is_empty())
                        .collect(),
                );
            }
            let shared = match crate::share::payload(&fragment) {
                Some(deflated) => {
                    let inflated = wasm_bindgen_futures::JsFuture::from(host::inflate(
                        js_sys::Uint8Array::from(deflated.as_slice()),
                    ))
                    .await;
                    inflated
                        .ok()
                        .and_then(|v| v.dyn_into::<js_sys::Uint8Array>().ok())
                        .and_then(|a| Shared::read(a.to_vec()))
                }
                None => None,
            };
            if shared.is_none() && fragment.len() > 1 {
                self.notify(text::SHARE_BAD, &[], true);
            }
            effect(move || {
                if !self.ready.get() || self.started.get_untracked() {
                    return;
                }
                match &shared {
                    Some(Shared {
                        settings,
                        content: Some((name, bytes)),
                        ..
                    }) => {
                        self.adopt(settings);
                        let name = if name.is_empty() {
                            self.now(text::SHARED_NAME, &[])
                        } else {
                            name.clone()
                        };
                        self.open_bytes(&name, bytes);
                    }
                    Some(Shared {
                        settings,
                        example: Some(example),
                        ..
                    }) => {
                        self.adopt(settings);
                        self.open_example(example);
                    }
                    Some(Shared { settings, .. }) => {
                        self.adopt(settings);
                        self.open_first_example();
                    }
                    None => self.open_first_example(),
                }
            });
        });
    }

    /// Takes a link's conversion settings; how the page looks stays the reader's.
    fn adopt(self, theirs: &Settings) {
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

    fn open_first_example(self) {
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
