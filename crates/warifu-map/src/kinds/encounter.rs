//! Encounter (`JP_Encounter`): all dated ADT kinds of a patient merged into stays and visits. Mapping §3, §12.
//!
//! An admission (ADT-22) opens a stay; every later event belongs to the stay that contains its time,
//! so that one Encounter tells the whole story: `statusHistory`, `classHistory` and `location[]` follow
//! the sequence of events. Outpatient arrivals (ADT-12) are Encounters of their own. A cancel event
//! takes its counterpart out of the story; alone it leaves what mapping §12 says of it.

use std::cell::Cell;

use warifu_diag::Code;
use warifu_diag::catalogue::hl7::HL7113;
use warifu_diag::catalogue::map_admin::{
    MAP109, MAP110, MAP116, MAP117, MAP120, MAP121, MAP126, MAP129, MAP130, MAP131,
};
use warifu_diag::catalogue::map_general::{MAP008, MAP016};
use warifu_fhir::element::encounter as el;
use warifu_fhir::{Buffers, Id, Object, Resource, RowId, Src};
use warifu_hl7::{Message, Part, Val, time};
use warifu_order::Set;
use warifu_ssmix2::DataKind;
use warifu_terms::{maps, systems, tables};

use crate::convert::Core;
use crate::cx::{Cx, DAY, Item, MINUTE, NEAR, PatientContext, Sourced, Stay};
use crate::datatypes::{Person, Times, person_reference, practitioners, sent_at};
use crate::output::Output;
use crate::table::{Ignored, Worded, keep, keep_rest};

use super::practitioner as shared;

/// Canonical of `JP_Encounter`.
pub const JP_ENCOUNTER: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Encounter";

table! {
    /// EVN, PV1 and PV2 of the dated ADT kinds → `JP_Encounter` (JP Core 1.2.0). HL7 v2.5 §3.4.1, §3.4.3,
    /// §3.4.4; SS-MIX2 仕様書 ADT-01…52. All rows are merged over the events of a stay.
    PV1_TO_JP_ENCOUNTER: "Encounter" keeps "EVN", "PV1", "PV2" {
        "MSH-9" => "Encounter.status": part, "メッセージ型";
        "EVN-1" => "": ignored Ignored::Deprecated, "イベント型コード";
        "EVN-2" => "Encounter.statusHistory.period.start": part, "記録日時";
        "EVN-3" => "": ignored Ignored::Redundant, "事象予定日時";
        "EVN-4" => "": lost, "事象理由コード";
        "EVN-5" => "": lost, "操作者ID";
        "EVN-6" => "Encounter.location.period.start": part, "事象発生日時";
        "EVN-7" => "": lost, "事象発生施設";
        "PV1-1" => "": ignored Ignored::Structural, "セットID";
        "PV1-2" => "Encounter.class": part, "患者区分";
        "PV1-3" => "Encounter.location.location": part, "患者の所在場所";
        "PV1-6" => "Encounter.location.location": part, "患者の以前の所在場所";
        "PV1-7" => "Encounter.participant": part, "主治医";
        "PV1-10" => "Encounter.serviceType": part, "診療科";
        "PV1-17" => "Encounter.participant": part, "入院時の主治医";
        "PV1-36" => "Encounter.hospitalization.dischargeDisposition": part, "退院区分";
        "PV1-44" => "Encounter.period.start": part, "入院日時";
        "PV1-45" => "Encounter.period.end": part, "退院日時";
        "PV2-1" => "Encounter.location.location": part, "予定された所在場所";
        "PV2-8" => "Encounter.period.start": part, "入院予定日時";
        "PV2-9" => "Encounter.period.end": part, "退院予定日時";
        "PV2-47" => "Encounter.location.period.end": part, "帰院予定日時";
        "PRB-10" => "Encounter.diagnosis.use": part, "プロブレムの分類";
        "PRB-18" => "Encounter.diagnosis.rank": part, "プロブレムのランキング";
    }
}

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![PV1_TO_JP_ENCOUNTER];

fn row(source: &str) -> Option<&'static RowId> {
    shared::row(&PV1_TO_JP_ENCOUNTER, source)
}

/// What an event does to a stay; those of one moment come in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// ADT-21.
    PlanAdmission,
    /// ADT-12.
    Visit,
    /// ADT-22.
    Admission,
    /// ADT-41.
    PlanMove,
    /// ADT-51.
    PlanDischarge,
    /// ADT-01.
    Doctor,
    /// ADT-42.
    Move,
    /// ADT-31.
    Leave,
    /// ADT-32.
    Return,
    /// ADT-52.
    Discharge,
}

/// When the event was entered, which may be days after it happened.
const RECORDED: &str = "EVN-2";

/// A kind of event.
struct Happening {
    kind: DataKind,
    step: Step,
    /// Its trigger event, and that which takes it back.
    codes: [&'static str; 2],
    /// The fields that say when it happened, best first.
    times: [&'static str; 3],
}

const fn event(
    kind: DataKind,
    step: Step,
    codes: [&'static str; 2],
    times: [&'static str; 3],
) -> Happening {
    Happening {
        kind,
        step,
        codes,
        times,
    }
}

static HAPPENINGS: &[Happening] = &[
    event(
        DataKind::Adt01,
        Step::Doctor,
        ["A54", "A55"],
        ["EVN-6", RECORDED, ""],
    ),
    event(
        DataKind::Adt12,
        Step::Visit,
        ["A04", "A11"],
        ["PV1-44", "EVN-6", RECORDED],
    ),
    event(
        DataKind::Adt21,
        Step::PlanAdmission,
        ["A14", "A27"],
        ["PV2-8", "EVN-3", "EVN-6"],
    ),
    event(
        DataKind::Adt22,
        Step::Admission,
        ["A01", "A11"],
        ["PV1-44", "EVN-6", RECORDED],
    ),
    event(
        DataKind::Adt31,
        Step::Leave,
        ["A21", "A52"],
        ["EVN-6", RECORDED, ""],
    ),
    event(
        DataKind::Adt32,
        Step::Return,
        ["A22", "A53"],
        ["EVN-6", "PV2-47", RECORDED],
    ),
    event(
        DataKind::Adt41,
        Step::PlanMove,
        ["A15", "A26"],
        ["PV2-8", "EVN-3", "EVN-6"],
    ),
    event(
        DataKind::Adt42,
        Step::Move,
        ["A02", "A12"],
        ["EVN-6", RECORDED, ""],
    ),
    event(
        DataKind::Adt51,
        Step::PlanDischarge,
        ["A16", "A25"],
        ["PV2-9", "EVN-3", "EVN-6"],
    ),
    event(
        DataKind::Adt52,
        Step::Discharge,
        ["A03", "A13"],
        ["PV1-45", "EVN-6", RECORDED],
    ),
];

/// One ADT message.
#[derive(Clone, Copy)]
struct Event<'a> {
    item: Item<'a>,
    message: Message<'a>,
    of: &'static Happening,
    step: Step,
    /// The event takes one back.
    cancels: bool,
    /// Trigger event that fits the kind (the kind wins over MSH-9).
    code: &'static str,
    /// When it happened or is to happen.
    time: Val<'a>,
    /// [`time::Time::sort_key`] of `time`; 0 when there is none.
    key: u64,
    /// Likewise of the admission that it names (PV1-44).
    admitted: u64,
    /// What it is put in order by ([`put_in_order`]).
    order: u64,
    /// When the message was sent.
    sent: u64,
    /// A cancel event whose counterpart is not there.
    lone: bool,
    /// Taken back, overtaken, or behind the discharge of its stay: what is told of it; it changes nothing.
    void: Option<(Code, &'static str)>,
}

impl<'a> Event<'a> {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "names stand in memory and are looked up as they are"
    )]
    fn field(&self, segment: &[u8; 3], field: usize) -> Part<'a> {
        self.message
            .first(segment)
            .map_or_else(|| self.message.empty_part(), |s| s.field(field))
    }
    fn pv1(&self, field: usize) -> Part<'a> {
        self.field(b"PV1", field)
    }
    /// What a field of PV1 says: the first leaf, without blanks around.
    #[inline(never)]
    fn said(&self, field: usize) -> Val<'a> {
        self.pv1(field).value().trimmed()
    }
    fn pv2(&self, field: usize) -> Part<'a> {
        self.field(b"PV2", field)
    }
    /// Tells of the future: its PV1 shows the state when it was written, not at its time.
    const fn is_plan(&self) -> bool {
        matches!(
            self.step,
            Step::PlanAdmission | Step::PlanMove | Step::PlanDischarge
        )
    }
    fn evn(&self, field: usize) -> Part<'a> {
        self.field(b"EVN", field)
    }
    /// Begins an Encounter.
    const fn is_whole(&self) -> bool {
        matches!(
            self.step,
            Step::Visit | Step::Admission | Step::PlanAdmission
        )
    }
    /// No more than the day is known.
    fn is_day(&self) -> bool {
        time::parse(self.time.text).is_some_and(|t| t.hour.is_none())
    }
    /// Names that minute as the one of its admission.
    const fn admits(&self, start: u64) -> bool {
        self.admitted > 0 && start / MINUTE == self.admitted / MINUTE
    }
    /// Stands in no storage: nothing but when it was sent tells whether it is in force.
    const fn is_loose(&self) -> bool {
        self.item.timestamp.is_empty()
    }
    /// A field by its name.
    #[inline(never)]
    fn named(&self, name: &str) -> Part<'a> {
        let (segment, n) = name.as_bytes().split_first_chunk().unwrap_or((b"   ", &[]));
        let digits = n.iter().skip(1);
        self.field(
            segment,
            digits.fold(0, |n, digit| n * 10 + usize::from(digit & 15)),
        )
    }
    /// The fields that say when it happened, best first.
    const fn times(&self) -> [&'static str; 3] {
        self.of.times
    }
}

/// A stay or visit with its events in order of time.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts about a stay that do not exclude each other"
)]
struct Story<'a> {
    events: Vec<Event<'a>>,
    visit: bool,
    id: Id,
    start: Val<'a>,
    start_key: u64,
    end: Val<'a>,
    end_key: Option<u64>,
    cancelled: bool,
    /// Only planned so far.
    planned: bool,
    /// No admission is known: made of the events alone.
    implicit: bool,
    department: &'a str,
    /// What its Encounter says, to find what it does not ([`keep_unsaid`]).
    said: Cell<Set<Said<'a>>>,
    /// The event whose time was the last end that was told ([`times`]).
    ended: Cell<usize>,
}

/// Something that an Encounter says: PV1, what it is, its bytes. The tables keep sets of this type as well.
type Said<'a> = ([u8; 3], usize, &'a [u8]);

/// In [`Story::said`]: a time (its minute and its day, too), a place; else the number of a field of PV1.
const TIME: u8 = 0;
const PLACE: u8 = 1;

impl<'a> Story<'a> {
    /// A stay that has begun.
    const fn is_stay(&self) -> bool {
        !(self.visit || self.planned || self.cancelled)
    }
    /// A stay without a discharge; of one whose admission nobody knows that is told already.
    fn goes_on(&self) -> bool {
        let ends = |e: &Event<'_>| e.step == Step::Discharge && !e.cancels;
        self.is_stay() && !self.implicit && !self.events.iter().any(ends)
    }
    /// Whether an event names the bed that the stay is in.
    fn is_in_bed_of(&self, event: &Event<'a>) -> bool {
        let beds = self.events.iter().rev().take(OPEN).map(|e| e.pv1(3));
        let bed = beds.into_iter().find(Part::is_some);
        let is = |n| bed.is_some_and(|bed| same_place(bed, event.pv1(n)));
        is(6) || event.step != Step::Move && is(3)
    }
    /// Whether an event names the number of the stay (PV1-19).
    fn is_numbered_as(&self, event: &Event<'a>) -> bool {
        let number = event.said(19).text;
        let own = self.events.first().map(|e| e.said(19).text);
        !number.is_empty() && own == Some(number)
    }
    const fn waits(&self) -> bool {
        self.planned && !self.cancelled
    }
    #[inline(never)]
    fn say(&self, what: u8, text: &'a str) {
        let mut said = self.said.take();
        let text = if what == TIME { exact(text) } else { text };
        let bytes = text.as_bytes();
        said.insert((*b"PV1", what.into(), bytes));
        for end in [8, 12] {
            if let Some(beginning) = bytes.get(..end).filter(|_| what == TIME) {
                said.insert((*b"PV1", what.into(), beginning));
            }
        }
        self.said.set(said);
    }
}

/// Merges dated ADT messages into stays and emits their Encounters; fills `context.stays`, which may
/// hold stays already (an older version of a file is then put into the stay it belonged to).
pub(crate) fn convert<'a>(
    core: &Core,
    pool: &mut Vec<Box<Buffers>>,
    out: &mut Output,
    context: &mut PatientContext,
    messages: &[(Item<'a>, Message<'a>)],
) {
    let patient_id = core.patient_id(&context.patient);
    let events: Vec<Event<'a>> = messages
        .iter()
        .filter_map(|(item, message)| read(*item, *message))
        .collect();
    let mut kept = without_cancelled(events);
    put_in_order(&mut kept);
    let now = messages
        .iter()
        .map(|(_, m)| sent_at(*m))
        .max()
        .unwrap_or(0)
        .max(context.newest);
    let mut stays = std::mem::take(&mut context.stays);
    let mut stories: Vec<Story<'a>> = Vec::new();
    for event in kept {
        let mut cx = Cx::new(
            core,
            &mut *out,
            &*context,
            (event.item, event.message),
            patient_id,
            &mut *pool,
        );
        place_event(&mut cx, &mut stories, &stays, event);
    }
    // The first stay that goes on, and when the first was told of that goes on or is still to come.
    let (mut open, mut going, mut waiting) = (u64::MAX, u64::MAX, u64::MAX);
    let known = stays.len();
    for s in &stories {
        let told = s.events.first().map_or(0, |e| e.sent);
        if s.waits() {
            waiting = waiting.min(told);
        }
        if s.goes_on() {
            (open, going) = (open.min(s.start_key), going.min(told));
        }
        if s.cancelled || s.planned || stays.iter().take(known).any(|k| k.id == s.id) {
            continue;
        }
        stays.push(Stay {
            id: s.id,
            inpatient: !s.visit,
            start: s.start_key,
            end: s.end_key.filter(|end| end / DAY >= s.start_key / DAY),
            department: s.department.to_owned(),
        });
    }
    warifu_order::sort_by_key(&mut stays, |s| (s.start, s.id));
    context.stays = stays;
    for story in &stories {
        let Some(first) = primary(story) else {
            continue;
        };
        let mut cx = Cx::new(
            core,
            &mut *out,
            &*context,
            (first.item, first.message),
            patient_id,
            &mut *pool,
        );
        super::patient::ensure(&mut cx);
        if story.waits() && missed(&cx, story, now) {
            cx.report(&MAP121, &first.time);
        }
        let others = match first.step {
            Step::Admission => going,
            Step::PlanAdmission => waiting,
            _ => u64::MAX,
        };
        let other_day = first.lone && first.sent > others;
        if other_day || story.is_stay() && story.start_key > open {
            let [field, ..] = first.times();
            cx.report_with(&MAP129, &first.time, field);
        }
        // Alone it says what a receiver is to take back; else that would be among the others.
        for e in story.events.iter().filter(|e| e.lone && !e.item.replaces) {
            let told = e.is_whole() && (other_day || messages.len() == 1);
            if !told && (messages.len() > 1 || e.is_plan()) {
                cx.report(&MAP130, &event_src(e));
            }
        }
        tell(&mut cx, story, now);
    }
}

/// Whether a plan did not come true as planned: its day has passed, or the patient was admitted after it
/// was made and before its day.
fn missed(cx: &Cx<'_, '_>, plan: &Story<'_>, now: u64) -> bool {
    let made = plan.events.first().map_or(0, |e| e.sent);
    let day = plan.start_key / DAY;
    let stays = &cx.context.stays;
    let between = |s: &Stay| s.inpatient && made <= s.start && s.start / DAY < day;
    day > 0 && (day < now / DAY || stays.iter().any(between))
}

/// The message that stands for the stay: the admission or arrival, else the first event.
fn primary<'s, 'a>(story: &'s Story<'a>) -> Option<&'s Event<'a>> {
    story
        .events
        .iter()
        .find(|e| matches!(e.step, Step::Admission | Step::Visit))
        .or_else(|| story.events.first())
}

/// Puts events in order, those of each kind by themselves or all.
#[inline(never)]
fn sort(events: &mut [Event<'_>], by_kind: bool) {
    let kind = |e: &Event<'_>| if by_kind { e.step } else { Step::Visit };
    warifu_order::sort_by_key(events, |e| (kind(e), e.order, e.step, e.sent, e.cancels));
}

fn read<'a>(item: Item<'a>, message: Message<'a>) -> Option<Event<'a>> {
    let of = HAPPENINGS.iter().find(|h| Some(h.kind) == item.kind)?;
    let [code, cancel] = of.codes;
    let nine = message
        .first(b"MSH")
        .map_or_else(|| message.empty_part(), |s| s.field(9));
    // A file withdrawn as a whole (flag 0) says what its cancel event would say.
    let cancels = nine.comp(2).value().text.trim() == cancel || item.flag == b'0';
    let mut event = Event {
        item,
        message,
        of,
        step: of.step,
        cancels,
        code: if cancels { cancel } else { code },
        time: Val::default(),
        key: 0,
        order: 0,
        admitted: 0,
        sent: sent_at(message),
        lone: false,
        void: None,
    };
    event.admitted = time::parse(event.said(44).text).map_or(0, |t| t.sort_key());
    for name in event.times() {
        let v = event.named(name).value();
        if let Some(t) = time::parse(v.text) {
            event.time = v;
            event.key = t.sort_key();
            event.order = event.key / MINUTE;
            break;
        }
    }
    Some(event)
}

/// Marks what a later cancel event of the same kind and moment takes back, and leaves out that cancel event;
/// one that withdraws a whole Encounter stays. So does a cancel event without counterpart, marked as alone.
/// Outside a storage it marks what a newer message of the same event overtook, too.
fn without_cancelled(mut events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    sort(&mut events, true);
    let mut kept: Vec<Event<'_>> = Vec::with_capacity(events.len());
    // The events of the kind at hand that nothing has taken back yet, in order of time.
    let (mut open, mut kind) = (Vec::new(), Step::PlanAdmission);
    for event in events {
        if event.step != kind {
            open.clear();
            kind = event.step;
        }
        if !event.cancels {
            let mut event = event;
            let last = open.get(open.len().saturating_sub(CORRECTED)..);
            for of in last.unwrap_or_default() {
                let Some(of) = kept.get_mut(*of).filter(|of| is_same(of, &event)) else {
                    continue;
                };
                let older = if of.sent < event.sent { of } else { &mut event };
                older.void = Some((&MAP016, "Encounter"));
            }
            open.push(kept.len());
            kept.push(event);
            continue;
        }
        // A counterpart is among the last of the same moment. A cancel event of a move, leave or plan may
        // say when it was cancelled: then the last one of the day is meant.
        let of_a_day =
            event.is_plan() || matches!(event.step, Step::Move | Step::Leave | Step::Return);
        let near = if of_a_day { DAY } else { MINUTE };
        let meant = |e: &Event<'_>| {
            let is_near = e.key / near == event.key / near && e.sent <= event.sent;
            e.key == event.key || is_near && is_back_from(&event, e)
        };
        let mut at = open.len();
        let mut counterpart = None;
        while counterpart.is_none() && at > 0 && at + NEAR > open.len() {
            at -= 1;
            let of = open.get(at).and_then(|of| kept.get_mut(*of));
            counterpart = of.filter(|of| meant(of));
        }
        let lone = counterpart.is_none();
        if let Some(of) = counterpart {
            of.void = Some((&MAP116, of.item.kind.map_or("", DataKind::code)));
            open.remove(at);
        }
        // The Encounter as a whole is withdrawn: it stays, cancelled, until it is sent anew.
        if event.is_whole() {
            open.push(kept.len());
        } else if !lone {
            continue;
        }
        kept.push(Event { lone, ..event });
    }
    kept
}

/// How many of the last events of a kind may be corrected by one that stands in no storage.
const CORRECTED: usize = 64;

/// Whether two events that are not both of one storage, where names tell what is in force, are the same
/// event, sent twice: the later counts. Of one stay there is one discharge; else they are of one minute, and
/// a transfer leads from one bed.
fn is_same<'a>(a: &Event<'a>, b: &Event<'a>) -> bool {
    if a.void.is_some() || b.void.is_some() || !a.is_loose() && !b.is_loose() {
        return false;
    }
    let [of, by] = [a, b].map(|e| e.admitted / MINUTE);
    if matches!(a.step, Step::Discharge | Step::PlanDischarge) && of == by && of > 0 {
        return true;
    }
    a.key / MINUTE == b.key / MINUTE
        && if a.is_whole() {
            a.step != Step::Visit || department_of(a) == department_of(b)
        } else {
            let stay = of == by || of == 0 || by == 0;
            stay && a.key > 0 && !a.is_day() && same_place(a.pv1(6), b.pv1(6))
        }
}

/// Puts events in order where their times alone do not: none comes before the admission that it names (a
/// discharge that would comes last), and one of which only the day is known comes behind what has to come
/// before it that day.
fn put_in_order(events: &mut [Event<'_>]) {
    for e in &mut *events {
        e.order = e.key;
    }
    sort(events, false);
    let mut away = false;
    let mut orders = Vec::with_capacity(events.len());
    // The first leave, return and admission of the day at hand; the events come in order of time.
    let (mut day, mut firsts) = (u64::MAX, [0; 3]);
    for (at, e) in events.iter().enumerate() {
        let (admitted, is_day) = (e.admitted, e.is_day());
        if e.key / DAY != day {
            day = e.key / DAY;
            firsts = [Step::Leave, Step::Return, Step::Admission].map(|step| {
                let rest = events.iter().skip(at).take_while(|o| o.key / DAY == day);
                let mut there = rest.filter(|o| !o.cancels && o.void.is_none());
                let first = there.find(|o| o.step == step);
                first.map_or(0, |o| o.key)
            });
        }
        let [leave, back, admission] = firsts;
        let behind = match e.step {
            Step::Visit | Step::Admission | Step::PlanAdmission => 0,
            Step::Discharge
                if e.key / DAY < admitted / DAY
                    || !is_day && e.key / MINUTE < admitted / MINUTE =>
            {
                u64::MAX
            }
            Step::Discharge if is_day => e.key + DAY - 1,
            Step::Return if is_day && !away => leave,
            Step::Leave if is_day && away => back + 1,
            _ if is_day => admission.max(admitted),
            _ => admitted,
        };
        // An Encounter begins at its minute: a plan for it comes before it, what happens in it behind.
        let at = if e.is_whole() {
            e.key / MINUTE * MINUTE
        } else {
            e.key
        };
        orders.push(at.max(behind));
        match e.step {
            _ if e.void.is_some() => {}
            Step::Leave => away = !e.cancels,
            Step::Return | Step::Admission | Step::Discharge => away = e.cancels && away,
            _ => {}
        }
    }
    for (e, order) in events.iter_mut().zip(orders) {
        e.order = order;
    }
    sort(events, false);
}

/// Whether a cancel event of a move leads back from where the move went.
fn is_back_from(cancel: &Event<'_>, of: &Event<'_>) -> bool {
    let (from, to) = (cancel.pv1(6).raw(), of.pv1(3).raw());
    cancel.step != Step::Move || from.is_empty() || to.is_empty() || from == to
}

/// Finds the story an event belongs to, or begins one.
fn place_event<'a>(
    cx: &mut Cx<'a, '_>,
    stories: &mut Vec<Story<'a>>,
    known: &[Stay],
    event: Event<'a>,
) {
    if let Some((code, what)) = event.void {
        cx.report_with(code, &event_src(&event), what);
        return;
    }
    if event.key == 0 {
        let [missing, ..] = event.times();
        // What is there and no time is told where it is kept.
        if event.named(missing).value().trimmed().is_empty() {
            cx.report_message(&MAP110, missing);
        }
    }
    let department = department_of(&event);
    let far = stories.len().saturating_sub(NEAR);
    let near = stories.get(far..).unwrap_or_default();
    if event.is_whole() {
        let visit = event.step == Step::Visit;
        let id = if visit {
            encounter_id(cx, &event, &["visit", minute(event.time.text), department])
        } else {
            stay_id(cx, &event, event.time.text)
        };
        // A plan for that very minute has the id of the stay, and is no admission yet.
        let same = near.iter().position(|s| s.id == id);
        let of_the_day =
            |s: &Story<'_>| s.waits() && s.start_key / DAY == event.key / DAY && event.key > 0;
        let admits = event.step == Step::Admission && !event.cancels;
        // A plan for that day is fulfilled by the admission: what was planned becomes this stay.
        let plan = same.or_else(|| near.iter().rposition(of_the_day).filter(|_| admits));
        let begun = |s: &&mut Story<'_>| !s.planned || !admits;
        let there = same.and_then(|at| stories.get_mut(far + at));
        if let Some(story) = there.filter(begun) {
            story.cancelled = event.cancels;
            story.events.push(event);
            return;
        }
        let mut story = begin(id, &event, visit, department);
        if event.step == Step::PlanAdmission {
            story.planned = !known
                .iter()
                .any(|s| s.inpatient && s.start / DAY == event.key / DAY && event.key > 0);
        }
        if let Some(at) = plan {
            let plan = stories.remove(far + at);
            if plan.id != id {
                let message = plan.events.first().map_or(0, |e| e.message.number());
                cx.withdraw("Encounter", plan.id, message);
            }
            if plan.cancelled {
                // Withdrawn for this very minute: its Encounter is the admission's.
                for e in &plan.events {
                    cx.report_with(&MAP016, &event_src(e), "Encounter");
                }
            } else {
                story.events = plan.events;
            }
        }
        story.events.push(event);
        stories.push(story);
        return;
    }
    // The attending doctor of an outpatient: the visit of that day and department.
    let outpatient =
        event.step == Step::Doctor && class_of(&event).is_some_and(|c| c.code != "IMP");
    let day = event.key / DAY;
    let fits = |(stay, visit): (bool, bool), start: u64, end: Option<u64>, of: &str| {
        if outpatient {
            return visit && start / DAY == day && of == department;
        }
        // A stay that began a day or more before the admission that the event names is another.
        let inside = event.key > 0
            && start / DAY <= day
            && end.is_none_or(|e| e / DAY >= day)
            && event.admitted < start + DAY;
        stay && (inside || event.admits(start))
    };
    // A discharge that names its day alone is put behind what happened that day: an admission of the same day
    // is the next stay's, if one is open.
    let is_behind = event.step == Step::Discharge && event.order > event.key;
    let (mut best, mut at, mut unclear) = (0, None, false);
    let all = near.iter().enumerate().rev();
    let all =
        all.filter(|(_, s)| fits((s.is_stay(), s.visit), s.start_key, s.end_key, s.department));
    for (n, s) in all.take(OPEN) {
        let rank = [
            event.admits(s.start_key),
            event.admitted / DAY == s.start_key / DAY,
            s.start_key <= event.order && s.end_key.is_none_or(|e| e >= event.order),
            s.is_in_bed_of(&event),
            s.is_numbered_as(&event),
            is_behind && s.end_key.is_none() && s.start_key / DAY < day,
        ];
        let rank = rank.iter().fold(1, |n, is| n * 2 + u8::from(*is));
        unclear = rank == best || rank < best && unclear;
        if rank > best {
            (best, at) = (rank, Some(far + n));
        }
    }
    if unclear && !outpatient {
        cx.report(&MAP131, &event_src(&event));
    }
    if at.is_none() {
        let mut known = known.iter().rev();
        let living =
            known.find(|s| fits((s.inpatient, !s.inpatient), s.start, s.end, &s.department));
        let (start, key) = if event.admitted > 0 {
            (event.said(44), event.admitted)
        } else {
            (event.time, event.key)
        };
        let id = living.map_or_else(
            || {
                cx.report(&MAP109, &event_src(&event));
                stay_id(cx, &event, start.text)
            },
            |stay| stay.id,
        );
        let mut story = begin(id, &event, outpatient, department);
        story.implicit = event.admitted == 0;
        story.start_key = key;
        story.start = if story.implicit {
            Val::default()
        } else {
            start
        };
        at = Some(stories.len());
        stories.push(story);
    }
    let Some(story) = at.and_then(|at| stories.get_mut(at)) else {
        return;
    };
    let mut event = event;
    if event.step == Step::Discharge && event.cancels {
        // The stay goes on: no discharge before counts.
        let ends = |e: &Event<'_>| e.step == Step::Discharge && !e.cancels && e.sent <= event.sent;
        if let Some(at) = story.events.iter().rposition(ends) {
            let ended = story.events.remove(at);
            cx.report_with(&MAP116, &event_src(&ended), "ADT-52");
            event.lone = false;
            (story.end, story.end_key) = (Val::default(), None);
        }
    } else if event.step == Step::Discharge {
        story.end = event.time;
        story.end_key = (event.key > 0).then_some(event.key);
    } else if story.end_key.is_some_and(|end| event.key > end) {
        event.void = Some((&MAP120, ""));
        cx.report(&MAP120, &event_src(&event));
    }
    story.events.push(event);
}

fn begin<'a>(id: Id, event: &Event<'a>, visit: bool, department: &'a str) -> Story<'a> {
    Story {
        visit,
        id,
        start: event.time,
        start_key: event.key,
        end: Val::default(),
        end_key: None,
        cancelled: event.cancels && event.is_whole(),
        planned: false,
        implicit: false,
        department,
        said: Cell::default(),
        ended: Cell::default(),
        events: Vec::new(),
    }
}

/// Of so many stays that go on at once the last are looked at for an event that names none.
const OPEN: usize = 16;

/// A time to the minute: as exactly as a stay is known by when it began.
fn minute(time: &str) -> &str {
    time.get(..12).unwrap_or(time)
}

/// Identity of a stay: the patient (added by the engine) and the minute of admission.
fn stay_id<'a>(cx: &mut Cx<'a, '_>, event: &Event<'a>, start: &str) -> Id {
    encounter_id(cx, event, &["stay", minute(start)])
}

#[inline(never)]
fn encounter_id<'a>(cx: &mut Cx<'a, '_>, event: &Event<'a>, parts: &[&str]) -> Id {
    let pv1 = event.message.first(b"PV1");
    cx.id("Encounter", parts, pv1.map_or(0, |s| s.position()), "")
}

fn department_of<'a>(event: &Event<'a>) -> &'a str {
    let service = event.said(10);
    if !service.is_empty() {
        return service.text;
    }
    let place = event.pv1(3);
    if shared::is_clinic(place) {
        return place.comp(1).value().trimmed().text;
    }
    event.item.department
}

fn class_of(event: &Event<'_>) -> Option<maps::Coded> {
    maps::ENCOUNTER_CLASS.find(event.said(2).text)
}

/// A span of time in one state.
#[derive(Clone, Copy)]
struct Span<'a> {
    status: &'static str,
    src: Src,
    start: Val<'a>,
    end: Val<'a>,
}

/// A place in the story.
#[derive(Clone, Copy)]
struct Spot<'s, 'a> {
    of: &'s Event<'a>,
    /// The field of it that names the place.
    source: &'static str,
    /// The patient left a bed that the stay does not know.
    is_news: bool,
    status: &'static str,
    start: Val<'a>,
    end: Val<'a>,
    end_source: &'static str,
}

impl<'a> Spot<'_, 'a> {
    fn place(&self) -> Part<'a> {
        self.of.named(self.source)
    }
}

/// An attending doctor in the story.
struct Attending<'a> {
    person: Person<'a>,
    start: Val<'a>,
    end: Val<'a>,
}

fn tell<'a>(cx: &mut Cx<'a, '_>, story: &Story<'a>, now: u64) {
    let mut r = cx.open("Encounter", story.id);
    // Before the fields are read, so that what is kept whole is not kept again in part.
    for e in &story.events {
        cx.stray_visit(e.message, e.item.kind);
    }
    let (status, history) = states(cx, story, now);
    let before = r.row(row("MSH-9"));
    r.string(el::STATUS, status.status, status.src);
    for h in &history {
        r.object(el::STATUS_HISTORY, |o| {
            o.string("status", h.status, h.src);
            period(o, cx, story, h.start, h.end);
        });
    }
    r.row(row("PV1-2"));
    classes(&mut r, cx, story);
    r.row(row("PV1-10"));
    service(&mut r, cx, story);
    cx.subject(&mut r, el::SUBJECT);
    participants(&mut r, cx, story);
    r.row(row("PV1-44"));
    let (end, source) = if story.end.is_empty() {
        (planned_discharge(story), "PV2-9")
    } else {
        (story.end, "PV1-45")
    };
    let times = times(cx, story, story.start, end);
    r.object(el::PERIOD, |o| {
        o.row(row(if story.planned { "PV2-8" } else { "PV1-44" }));
        times.write_from(o, row(source));
    });
    if let Some(e) = story
        .events
        .iter()
        .rev()
        .find(|e| e.step == Step::Discharge && !e.cancels)
    {
        disposition(&mut r, cx, story, e);
    }
    if !story.visit {
        for mut spot in spots(story) {
            if spot.is_news {
                cx.report_with(&MAP129, &spot.place(), spot.source);
            }
            // Nobody lies in the bed of a stay that was not to be.
            if status.status == "cancelled" && spot.status == "active" {
                spot.status = "";
            }
            location(&mut r, cx, story, &spot);
        }
    }
    diagnoses(&mut r, cx, story);
    let mut segments = Vec::new();
    for e in &story.events {
        for name in [b"EVN", b"PV1", b"PV2"] {
            segments.extend(e.message.first(name));
        }
    }
    keep_rest(&PV1_TO_JP_ENCOUNTER, &mut r, cx, &segments);
    for e in &story.events {
        for s in e.message.segments().filter(|s| !super::is_head(s.name())) {
            cx.stray(s);
        }
    }
    keep_unsaid(cx, story);
    cx.keep_strays_before(&mut r, u32::MAX);
    for e in &story.events {
        tell_time(cx, e);
    }
    r.row(before);
    // status and class are always there.
    r.profile(JP_ENCOUNTER);
    cx.emit(r);
}

/// Ward, room and bed.
fn place_key<'a>(cx: &Cx<'a, '_>, place: Part<'a>) -> &'a str {
    let [ward, room, bed] = [1, 2, 3].map(|n| place.comp(n).value().trimmed().text);
    crate::cx::concat(cx.message.arena(), &[ward, "^", room, "^", bed])
}

/// Fields of which a stay tells one value of several, or none where another event overtook it.
static TOLD_ONCE: &[([u8; 3], u8, u8)] = &[
    (*b"EVN", 3, TIME),
    (*b"EVN", 6, TIME),
    (*b"PV1", 2, 2),
    (*b"PV1", 3, PLACE),
    (*b"PV1", 6, PLACE),
    (*b"PV1", 7, 7),
    (*b"PV1", 10, 10),
    (*b"PV1", 36, 36),
    (*b"PV1", 44, TIME),
    (*b"PV1", 45, TIME),
    (*b"PV2", 1, PLACE),
    (*b"PV2", 8, TIME),
    (*b"PV2", 9, TIME),
    (*b"PV2", 47, TIME),
];

/// Keeps what an event says otherwise than the Encounter: another time, ward, doctor, department. What is
/// taken back goes with its cancel event.
fn keep_unsaid<'a>(cx: &mut Cx<'a, '_>, story: &Story<'a>) {
    let said = story.said.take();
    for e in story.events.iter().filter(|e| !e.cancels) {
        for (name, n, what) in TOLD_ONCE {
            let (Some(s), n) = (e.message.first(name), usize::from(*n)) else {
                continue;
            };
            let field = s.field(n);
            let text = match *what {
                PLACE if story.visit => "",
                PLACE if field.is_some() => place_key(cx, field),
                TIME => exact(field.comp(1).value().trimmed().text),
                _ => field.comp(1).value().trimmed().text,
            };
            let is_said = said.contains(&(*b"PV1", (*what).into(), text.as_bytes()));
            let passed = || crate::table::passed(*name, e.item.kind) >> n & 1 == 1;
            if !text.is_empty() && field.is_some() && !is_said && !passed() {
                cx.stray_field(s, n, field);
            }
        }
    }
}

/// A time to the second, or the minute where there is none: as exactly as times are compared.
#[inline(never)]
fn exact(time: &str) -> &str {
    let seconds = time.get(..14).unwrap_or(time);
    seconds
        .get(..12)
        .filter(|_| seconds.ends_with("00"))
        .unwrap_or(seconds)
}

/// What is no time is told ([`Cx::stray_visit`] keeps it); so is that the time of recording stands in.
fn tell_time<'a>(cx: &mut Cx<'a, '_>, e: &Event<'a>) {
    let [wanted, ..] = e.times();
    let mut said = false;
    for name in e.times() {
        let v = e.named(name).value();
        let is_time = time::parse(v.text).is_some();
        if said {
            break;
        }
        let ends_nothing = e.step == Step::Discharge && e.cancels;
        if is_time && name == RECORDED && !ends_nothing {
            cx.report_with(&MAP126, &v, wanted);
        }
        said = is_time;
        if !is_time && !v.trimmed().is_empty() {
            cx.report_with(&HL7113, &v, name);
        }
    }
}

fn period<'a>(
    o: &mut Object<'_>,
    cx: &mut Cx<'a, '_>,
    story: &Story<'a>,
    start: Val<'a>,
    end: Val<'a>,
) {
    let times = times(cx, story, start, end);
    o.object("period", |o| times.write(o));
}

/// Reads a start and an end, which may stand in two messages of the story: a field is named by its own.
fn times<'a>(cx: &mut Cx<'a, '_>, story: &Story<'a>, start: Val<'a>, end: Val<'a>) -> Times<'a> {
    let before = cx.message;
    for v in [start, end] {
        story.say(TIME, v.trimmed().text);
    }
    if let Some(message) = ended_by(story, end) {
        cx.message = message;
    }
    let target = ["Encounter.period.start", "Encounter.period.end"];
    let times = Times::read(cx, start, end, target);
    cx.message = before;
    times
}

/// The message that an end stands in. Ends come in the order of the events: each is found not far behind the one
/// before.
fn ended_by<'a>(story: &Story<'a>, end: Val<'a>) -> Option<Message<'a>> {
    let last = story.ended.get();
    if end.is_empty() {
        return None;
    }
    let said = |e: &Event<'a>| e.message.number() == end.message;
    let near = story.events.get(last..).unwrap_or_default();
    let at = near.iter().position(said).map(|n| n + last);
    let at = at.or_else(|| story.events.iter().position(said))?;
    story.ended.set(at);
    story.events.get(at).map(|e| e.message)
}

fn event_src(e: &Event<'_>) -> Src {
    e.field(b"MSH", 9).src()
}

/// The present status and those before it, with their times.
fn states<'a>(cx: &mut Cx<'a, '_>, story: &Story<'a>, now: u64) -> (Span<'a>, Vec<Span<'a>>) {
    let mut history: Vec<Span<'a>> = Vec::new();
    let mut current: Option<Span<'a>> = None;
    let unknown = Span {
        status: "unknown",
        src: Src::NONE,
        start: Val::default(),
        end: Val::default(),
    };
    for e in story.events.iter().filter(|e| e.void.is_none()) {
        if e.cancels && e.is_whole() {
            cx.report_with(&MAP116, &event_src(e), "Encounter");
            current = Some(Span {
                status: "cancelled",
                src: event_src(e),
                ..unknown
            });
            continue;
        }
        let status = match e.code {
            // An arrival or admission that lies behind the newest message has come true.
            "A04" if e.key / DAY < now / DAY => "finished",
            "A01" if e.key <= now => "in-progress",
            code => maps::ENCOUNTER_STATUS.translate(code).to,
        };
        // Plans and doctors do not change the state of a stay that has begun.
        let changes = match e.step {
            Step::Doctor | Step::PlanMove | Step::PlanDischarge => current.is_none(),
            // What finds nothing to take back, too.
            _ => !e.lone || current.is_none(),
        };
        if !changes {
            continue;
        }
        let start = match e.step {
            Step::PlanAdmission => e.evn(2).value(),
            _ if e.lone => Val::default(),
            _ => e.time,
        };
        if let Some(mut past) = current.take() {
            if past.status == status {
                current = Some(past);
                continue;
            }
            past.end = start;
            history.push(past);
        }
        current = Some(Span {
            status,
            src: event_src(e),
            start,
            ..unknown
        });
    }
    (current.unwrap_or(unknown), history)
}

#[inline(never)]
fn class_coding(o: &mut Object<'_>, class: maps::Coded, src: Src) {
    o.constant("system", systems::V3_ACT_CODE);
    o.string("code", class.code, src);
    o.constant("display", class.display);
}

/// The present class; the ones before it with their times.
fn classes<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, story: &Story<'a>) {
    let mut all: Vec<(maps::Coded, Src, Val<'a>)> = Vec::new();
    for e in story.events.iter().filter(|e| e.void.is_none()) {
        let v = e.said(2);
        let Some(class) = maps::ENCOUNTER_CLASS.find(v.text) else {
            continue;
        };
        story.say(2, v.text);
        if all.last().is_none_or(|(c, ..)| c.code != class.code) {
            all.push((class, v.src(), e.time));
        }
    }
    if all.is_empty() {
        let unknown = maps::ENCOUNTER_CLASS
            .find(if story.visit { "O" } else { "I" })
            .unwrap_or(maps::ENCOUNTER_CLASS.unknown);
        cx.report_message(&MAP117, unknown.code);
        all.push((unknown, Src::NONE, Val::default()));
    }
    for pair in all.windows(2) {
        let [(class, src, start), (_, _, end)] = pair else {
            continue;
        };
        r.object(el::CLASS_HISTORY, |o| {
            o.object("class", |o| class_coding(o, *class, *src));
            period(o, cx, story, *start, *end);
        });
    }
    if let Some((class, src, _)) = all.last() {
        r.object(el::CLASS, |o| class_coding(o, *class, *src));
    }
}

/// PV1-10 (table 0069), for outpatients else the clinic of PV1-3; the department is who provides the
/// service.
fn service<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, story: &Story<'a>) {
    let mut code = Val::default();
    for e in story.events.iter().filter(|e| e.void.is_none()) {
        let v = e.said(10);
        let clinic = e.pv1(3);
        if e.is_plan() && !code.is_empty() {
            continue;
        }
        if !v.is_empty() {
            code = v;
        } else if shared::is_clinic(clinic) && story.visit {
            code = clinic.comp(1).value().trimmed();
        }
    }
    if code.is_empty() {
        return;
    }
    story.say(10, code.text);
    let known = tables::T_0069.entry(code.text);
    if known.is_none() {
        cx.report_with(&MAP008, &code, "0069");
    }
    let system = if known.is_some() {
        systems::CLINICAL_DEPARTMENT
    } else {
        crate::datatypes::local_system(cx, "department")
    };
    r.object(el::SERVICE_TYPE, |o| {
        o.array("coding", |a| {
            a.object(|o| {
                o.string("system", system, code.src());
                o.string("code", code.text, code.src());
            });
        });
        // PV1-10 is a bare code: the table's name helps readers, and is no display of the sender's.
        o.string("text", known.map_or("", |k| k.ja), code.src());
    });
    if let Some(department) = shared::department(cx, code, Val::default(), "") {
        cx.reference(
            r,
            el::SERVICE_PROVIDER,
            "Organization",
            department,
            code.src(),
        );
    }
}

/// PV1-7 of each event (attending, with times when it changes) and PV1-17 (admitting).
fn participants<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, story: &Story<'a>) {
    let mut attending: Vec<Attending<'a>> = Vec::new();
    // Who is named beside the first, once.
    let mut beside: Vec<Attending<'a>> = Vec::new();
    let none = Val::default();
    let at_no_time = |person| Attending {
        person,
        start: none,
        end: none,
    };
    for e in story.events.iter().filter(|e| e.void.is_none()) {
        // A55 takes the doctor back.
        if e.cancels && e.step == Step::Doctor || e.is_plan() && !attending.is_empty() {
            continue;
        }
        story.say(7, e.said(7).text);
        let mut people = practitioners(cx, e.pv1(7)).into_iter();
        let Some(person) = people.next() else {
            continue;
        };
        for other in people {
            let known =
                |a: &Attending<'_>| a.person.id == other.id && a.person.display == other.display;
            if !beside.iter().any(known) {
                beside.push(at_no_time(other));
            }
        }
        let same = attending.last().is_some_and(|a| {
            a.person.id == person.id && (person.id.is_some() || a.person.display == person.display)
        });
        if same {
            continue;
        }
        let code = e.said(10);
        let department = shared::department(cx, code, Val::default(), "");
        if let (Some(id), Some(department)) = (person.id, department) {
            shared::emit_role(cx, (id, person.src), department, code.text, code.src());
        }
        let start = if attending.is_empty() {
            story.start
        } else {
            e.time
        };
        if let Some(last) = attending.last_mut() {
            last.end = e.time;
        }
        attending.push(Attending {
            start,
            ..at_no_time(person)
        });
    }
    // Times are told where the doctor changes, or took over (ADT-01 alone: at the event).
    let mut changes = story.events.iter();
    let change = changes.find(|e| e.step == Step::Doctor && !e.cancels);
    if let [only] = &mut *attending
        && (only.start.is_empty() || change.is_none())
    {
        only.start = change.map_or(none, |e| e.time);
    }
    attending.append(&mut beside);
    let attenders = attending.len();
    let admitting = story.events.iter().map(|e| e.pv1(17)).find(Part::is_some);
    if let Some(field) = admitting {
        attending.extend(practitioners(cx, field).into_iter().map(at_no_time));
    }
    for (at, a) in attending.iter().enumerate() {
        let (source, code, display) = if at < attenders {
            ("PV1-7", "ATND", "attender")
        } else {
            ("PV1-17", "ADM", "admitter")
        };
        r.row(row(source));
        r.object(el::PARTICIPANT, |o| {
            participant(o, cx, code, display, a, story);
        });
    }
    r.row(row("PV1-17"));
    // Another admitting doctor than the one told.
    let number = |f: Part<'a>| f.comp(1).value().trimmed().text;
    let mut told: Set<&str> = admitting.map(number).into_iter().collect();
    for e in &story.events {
        let field = e.pv1(17);
        if field.is_some() && told.insert(number(field)) {
            keep(r, cx, "PV1-17", field);
        }
    }
}

fn participant<'a>(
    o: &mut Object<'_>,
    cx: &mut Cx<'a, '_>,
    code: &'static str,
    display: &'static str,
    attending: &Attending<'a>,
    story: &Story<'a>,
) {
    o.array("type", |a| {
        a.object(|o| {
            crate::datatypes::coded_concept(
                o,
                systems::V3_PARTICIPATION_TYPE,
                code,
                display,
                Src::NONE,
            );
        });
    });
    period(o, cx, story, attending.start, attending.end);
    o.object("individual", |o| person_reference(o, &attending.person));
}

/// PV2-9 of a planned admission, or of a planned discharge while the stay is not over.
fn planned_discharge<'a>(story: &Story<'a>) -> Val<'a> {
    if story.end_key.is_some() {
        return Val::default();
    }
    let plans =
        |e: &&Event<'_>| matches!(e.step, Step::PlanAdmission | Step::PlanDischarge) && !e.cancels;
    let mut ends = story.events.iter().rev().filter(plans).map(|e| e.pv2(9));
    ends.find(Part::is_some)
        .map_or_else(Val::default, |end| end.value())
}

/// PV1-36: the code of table 0112 and its translation.
fn disposition<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, story: &Story<'a>, e: &Event<'a>) {
    let v = e.said(36);
    story.say(36, v.text);
    if v.is_empty() {
        return;
    }
    let translated = maps::discharge_disposition(v.text);
    if !translated.known && tables::T_0112.entry(v.text).is_none() {
        cx.report_with(&MAP008, &v, "0112");
    }
    let before = r.row(row("PV1-36"));
    r.object(el::HOSPITALIZATION, |o| {
        o.object("dischargeDisposition", |o| {
            o.array("coding", |a| {
                a.object(|o| {
                    o.constant("system", systems::V2_0112);
                    o.string("code", v.text, v.src());
                });
                a.object(|o| {
                    o.constant("system", systems::DISCHARGE_DISPOSITION);
                    o.string("code", translated.to.code, v.src());
                    o.constant("display", translated.to.display);
                });
            });
            o.string(
                "text",
                tables::T_0112.entry(v.text).map_or("", |t| t.ja),
                v.src(),
            );
        });
    });
    r.row(before);
}

/// Whether two PL fields name the same bed.
fn same_place(a: Part<'_>, b: Part<'_>) -> bool {
    (1..=3).all(|n| a.comp(n).value().text.trim() == b.comp(n).value().text.trim())
}

/// The patient left the last of some places.
fn close<'a>(all: &mut [Spot<'_, 'a>], end: Val<'a>, source: &'static str) {
    if let Some(last) = all.last_mut() {
        (last.status, last.end, last.end_source) = ("completed", end, source);
    }
}

/// The places of a stay in order.
fn spots<'s, 'a>(story: &'s Story<'a>) -> Vec<Spot<'s, 'a>> {
    let mut all: Vec<Spot<'s, 'a>> = Vec::new();
    // What is planned and has not come true.
    let mut plans: Vec<Spot<'s, 'a>> = Vec::new();
    let none = Val::default();
    for e in story.events.iter().filter(|e| e.void.is_none()) {
        let status = maps::LOCATION_STATUS.translate(e.code).to;
        let here = e.pv1(3);
        let mut spot = Spot {
            of: e,
            source: "PV1-3",
            is_news: false,
            status,
            start: e.time,
            end: none,
            end_source: "EVN-6",
        };
        let begins = matches!(
            e.step,
            Step::Admission | Step::Leave | Step::Return | Step::Move | Step::Discharge
        );
        if begins && !(e.cancels && e.step != Step::Admission) {
            plans.clear();
        }
        let none_yet = all.is_empty() && plans.is_empty();
        let mut is_plan = false;
        // The patient left the bed before.
        let mut left = false;
        let bed = all.last().map(Spot::place).filter(Part::is_some);
        match (e.step, e.cancels) {
            (Step::Visit, _) => continue,
            (Step::PlanAdmission, _) => {
                is_plan = true;
                (spot.end, spot.end_source) = (e.pv2(9).value(), "PV2-9");
            }
            (Step::Leave, false) => {
                left = true;
                (spot.end, spot.end_source) = (e.pv2(47).value(), "PV2-47");
            }
            (Step::Return, false) => left = true,
            (Step::Move, false) => {
                let prior = e.pv1(6);
                // When the patient came there from where the stay knows, nobody says.
                left = true;
                if prior.is_some() && !bed.is_some_and(|bed| same_place(bed, prior)) {
                    close(&mut all, none, "EVN-6");
                    all.push(Spot {
                        source: "PV1-6",
                        is_news: bed.is_some(),
                        start: none,
                        ..spot
                    });
                }
            }
            // The move did not happen: back to where the patient was.
            (Step::Move, true) => {
                spot.source = "PV1-6";
            }
            (Step::PlanMove, false) => {
                if e.pv2(1).is_some() {
                    if none_yet && here.is_some() {
                        all.push(Spot {
                            status: "active",
                            start: none,
                            ..spot
                        });
                    }
                    spot.source = "PV2-1";
                }
                is_plan = true;
            }
            (Step::PlanDischarge, false) => {
                (spot.start, spot.end, spot.end_source) = (none, e.time, "PV2-9");
                if let Some(last) = all.last_mut() {
                    if last.end.is_empty() {
                        (last.end, last.end_source) = (e.time, "PV2-9");
                    }
                    continue;
                }
            }
            (Step::Discharge, false) => {
                let there = bed.is_some_and(|bed| same_place(bed, here))
                    || !here.is_some() && !all.is_empty();
                close(&mut all, if there { e.time } else { none }, "PV1-45");
                if there {
                    continue;
                }
                spot.is_news = bed.is_some();
                (spot.start, spot.end, spot.end_source) = (none, e.time, "PV1-45");
            }
            // The patient is where PV1-3 says; so where a plan, leave or discharge is taken back.
            (Step::Admission | Step::Doctor, _)
            | (
                Step::Leave | Step::Return | Step::Discharge | Step::PlanMove | Step::PlanDischarge,
                true,
            ) => {}
        }
        // What is taken back was somewhere, if nothing else tells where.
        if e.step == Step::Doctor || e.cancels && !e.is_whole() {
            if !none_yet {
                continue;
            }
            spot.start = none;
        }
        if left {
            close(&mut all, e.time, "EVN-6");
        }
        if is_plan {
            plans.push(spot);
        } else {
            all.push(spot);
        }
    }
    all.append(&mut plans);
    all
}

fn location<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, story: &Story<'a>, spot: &Spot<'_, 'a>) {
    let field = spot.place();
    let Some(place) = shared::place(cx, field) else {
        return;
    };
    story.say(PLACE, place_key(cx, field));
    let before = r.row(row(spot.source));
    r.object(el::LOCATION, |o| {
        o.object("location", |o| {
            o.string(
                "reference",
                cx.reference_text("Location", place.id),
                field.src(),
            );
            o.string("display", place.name, field.src());
        });
        o.row(row("MSH-9"));
        o.string("status", spot.status, event_src(spot.of));
        let times = times(cx, story, spot.start, spot.end);
        o.object("period", |o| {
            o.row(row("EVN-6"));
            times.write_from(o, row(spot.end_source));
        });
    });
    r.row(before);
}

/// Diseases with a role in this stay: PRB-10.4 (admission, discharge, operation) and PRB-18 (main).
fn diagnoses<'a>(r: &mut Resource, cx: &mut Cx<'a, '_>, story: &Story<'a>) {
    let context = cx.context;
    let before = r.row(row("PRB-18"));
    for d in context
        .diagnoses
        .iter()
        .filter(|d| cx.encounter_at(&d.moment) == Some(story.id))
    {
        r.object(el::DIAGNOSIS, |o| {
            o.object("condition", |o| {
                o.string(
                    "reference",
                    cx.reference_text("Condition", d.condition),
                    d.src,
                );
            });
            if let Some(role) = d.role {
                o.row(row("PRB-10"));
                o.object("use", |o| {
                    crate::datatypes::coded_concept(
                        o,
                        systems::DIAGNOSIS_ROLE,
                        role.code,
                        role.display,
                        d.role_src,
                    );
                });
            }
            if d.main {
                o.row(row("PRB-18"));
                o.number("rank", "1", d.src);
            }
        });
    }
    r.row(before);
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::testing::{all, at, convert, convert_patient, one, path, reported, resolve};

    const DOCTOR: &str = "D0101^見立^一郎^^^^^^^L^^^^^I";
    const OTHER: &str = "D0103^鏡^胃太郎^^^^^^^L^^^^^I";

    /// An ADT message: event, MSH-7, EVN-6, PV1 by (field, value), PV2 by (field, value).
    fn adt(
        event: &str,
        sent: &str,
        occurred: &str,
        pv1: &[(usize, &str)],
        pv2: &[(usize, &str)],
    ) -> String {
        let segment = |name: &str, fields: &[(usize, &str)]| {
            let last = fields.iter().map(|(n, _)| *n).max().unwrap_or(0);
            let mut s = name.to_owned();
            for n in 1..=last {
                s.push('|');
                s.push_str(fields.iter().find(|(f, _)| *f == n).map_or("", |(_, v)| v));
            }
            s
        };
        format!(
            "MSH|^~\\&|A|B|C|D|{sent}||ADT^{event}|1|P|2.5\r\nEVN||{sent}||||{occurred}\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F\r\n{}\r\n{}",
            segment("PV1", pv1),
            if pv2.is_empty() {
                String::new()
            } else {
                segment("PV2", pv2)
            }
        )
    }

    fn inpatient<'v>(more: &[(usize, &'v str)]) -> Vec<(usize, &'v str)> {
        let mut v = vec![
            (2, "I"),
            (3, "4W^412^3^^^N"),
            (7, DOCTOR),
            (10, "08"),
            (17, DOCTOR),
        ];
        for (n, text) in more {
            v.retain(|(f, _)| f != n);
            v.push((*n, text));
        }
        v
    }

    #[test]
    fn each_event_alone_has_the_published_status() {
        // Location status; "" where there is none.
        for (kind, event, status, spot) in [
            ("ADT-01", "A54", "in-progress", "active"),
            ("ADT-01", "A55", "in-progress", "active"),
            ("ADT-21", "A14", "planned", "planned"),
            ("ADT-21", "A27", "cancelled", "planned"),
            ("ADT-22", "A11", "cancelled", ""),
            ("ADT-31", "A21", "onleave", "active"),
            ("ADT-31", "A52", "in-progress", "active"),
            ("ADT-32", "A22", "in-progress", "active"),
            ("ADT-32", "A53", "onleave", "active"),
            ("ADT-41", "A15", "in-progress", "planned"),
            ("ADT-41", "A26", "in-progress", "planned"),
            ("ADT-42", "A02", "in-progress", "active"),
            ("ADT-42", "A12", "in-progress", "active"),
            ("ADT-51", "A16", "in-progress", "planned"),
            ("ADT-51", "A25", "in-progress", "planned"),
            ("ADT-52", "A03", "finished", "completed"),
            ("ADT-52", "A13", "in-progress", "active"),
        ] {
            let text = adt(
                event,
                "20260409100000",
                "202604091000",
                &inpatient(&[
                    (6, "4W^412^3^^^N"),
                    (44, "202604071005"),
                    (45, "202604091000"),
                ]),
                &[
                    (8, "202604091000"),
                    (9, "202604091000"),
                    (47, "202604111600"),
                ],
            );
            let e = one(&convert(kind, &text), "Encounter");
            assert_eq!(at(&e, "/status"), status, "{event}");
            let last = e["location"].as_array().unwrap().last().unwrap();
            assert_eq!(last["status"].as_str().unwrap_or(""), spot, "{event}");
            assert_eq!(at(&e, "/class/code"), "IMP");
            assert_eq!(at(&e, "/meta/profile/0"), super::JP_ENCOUNTER);
        }
    }

    #[test]
    fn an_admission_is_arrived_until_its_time_and_then_in_progress() {
        for (sent, want) in [
            ("20260407100000", "arrived"),
            ("20260407101500", "in-progress"),
        ] {
            let e = one(
                &convert(
                    "ADT-22",
                    &adt("A01", sent, "", &inpatient(&[(44, "202604071005")]), &[]),
                ),
                "Encounter",
            );
            assert_eq!(at(&e, "/status"), want);
            assert_eq!(at(&e, "/period/start"), "2026-04-07T10:05:00+09:00");
            assert_eq!(at(&e, "/location/0/status"), "active");
            assert_eq!(
                at(&e, "/location/0/period/start"),
                "2026-04-07T10:05:00+09:00"
            );
        }
    }

    #[test]
    fn an_outpatient_visit_names_its_department() {
        let text = adt(
            "A04",
            "20260401091015",
            "",
            &[(2, "O"), (3, "08^^^^^C"), (7, DOCTOR), (44, "202604010910")],
            &[],
        );
        let out = convert("ADT-12", &text);
        let e = one(&out, "Encounter");
        assert_eq!(at(&e, "/status"), "arrived");
        assert_eq!(at(&e, "/class/code"), "AMB");
        assert_eq!(at(&e, "/serviceType/coding/0/code"), "08");
        assert!(e.pointer("/location").is_none());
        let department = resolve(&out, e.pointer("/serviceProvider/reference").unwrap());
        assert_eq!(at(&department, "/name"), "循環器科");
        assert_eq!(
            at(&department, "/identifier/0/system"),
            "http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment"
        );
        assert_eq!(
            at(
                &resolve(&out, department.pointer("/partOf/reference").unwrap()),
                "/identifier/0/value"
            ),
            crate::testing::INSTITUTION
        );
        assert!(all(&out, "Location").is_empty());
        // The kind wins over an event that does not fit it; a later message makes the day past.
        let out = convert_patient(&[
            (
                path("ADT-12", "20260401", "20260401091015000", "08", '1'),
                &text.replace("A04", "A01"),
            ),
            (
                path("ADT-12", "20260402", "20260402091015000", "08", '1'),
                &text.replace("20260401", "20260402"),
            ),
        ]);
        let status: Vec<Value> = all(&out, "Encounter")
            .into_iter()
            .map(|e| e["status"].clone())
            .collect();
        assert_eq!(status, ["finished", "arrived"]);
    }

    /// Times and places of ADT-31, 42, 51 alone, as published.
    #[test]
    fn events_alone_carry_their_times() {
        let leave = one(
            &convert(
                "ADT-31",
                &adt(
                    "A21",
                    "20260409100000",
                    "202604091000",
                    &inpatient(&[]),
                    &[(47, "202604111600")],
                ),
            ),
            "Encounter",
        );
        assert_eq!(
            at(&leave, "/location/0/period/start"),
            "2026-04-09T10:00:00+09:00"
        );
        assert_eq!(
            at(&leave, "/location/0/period/end"),
            "2026-04-11T16:00:00+09:00"
        );
        let back = one(
            &convert(
                "ADT-32",
                &adt(
                    "A22",
                    "20260411160000",
                    "202604111550",
                    &inpatient(&[]),
                    &[],
                ),
            ),
            "Encounter",
        );
        assert_eq!(
            at(&back, "/location/0/period/start"),
            "2026-04-11T15:50:00+09:00"
        );
        let moved = one(
            &convert(
                "ADT-42",
                &adt(
                    "A02",
                    "20260415103200",
                    "202604151000",
                    &inpatient(&[(3, "5E^501^1^^^N"), (6, "4W^412^3^^^N")]),
                    &[],
                ),
            ),
            "Encounter",
        );
        assert_eq!(at(&moved, "/location/0/status"), "completed");
        assert_eq!(at(&moved, "/location/0/location/display"), "4W-412-3");
        assert_eq!(
            at(&moved, "/location/0/period/end"),
            "2026-04-15T10:00:00+09:00"
        );
        assert_eq!(at(&moved, "/location/1/location/display"), "5E-501-1");
        assert_eq!(
            at(&moved, "/location/1/period/start"),
            "2026-04-15T10:00:00+09:00"
        );
        let planned = one(
            &convert(
                "ADT-21",
                &adt(
                    "A14",
                    "20260401105000",
                    "",
                    &inpatient(&[]),
                    &[(8, "202604071000"), (9, "202604141000")],
                ),
            ),
            "Encounter",
        );
        assert_eq!(at(&planned, "/period/start"), "2026-04-07T10:00:00+09:00");
        assert_eq!(at(&planned, "/period/end"), "2026-04-14T10:00:00+09:00");
        assert_eq!(
            at(&planned, "/location/0/period/start"),
            "2026-04-07T10:00:00+09:00"
        );
        let transfer = one(
            &convert(
                "ADT-41",
                &adt(
                    "A15",
                    "20260413170000",
                    "",
                    &inpatient(&[]),
                    &[(1, "5E^501^1^^^N"), (8, "202604151000")],
                ),
            ),
            "Encounter",
        );
        assert_eq!(at(&transfer, "/location/1/location/display"), "5E-501-1");
        assert_eq!(
            at(&transfer, "/location/1/period/start"),
            "2026-04-15T10:00:00+09:00"
        );
        let leaving = one(
            &convert(
                "ADT-51",
                &adt(
                    "A16",
                    "20260422150000",
                    "",
                    &inpatient(&[]),
                    &[(9, "202604251000")],
                ),
            ),
            "Encounter",
        );
        assert_eq!(
            at(&leaving, "/location/0/period/end"),
            "2026-04-25T10:00:00+09:00"
        );
        assert_eq!(at(&leaving, "/period/end"), "2026-04-25T10:00:00+09:00");
        let over = one(
            &convert(
                "ADT-52",
                &adt(
                    "A03",
                    "20260425103000",
                    "",
                    &inpatient(&[(36, "01"), (44, "202604071005"), (45, "202604251010")]),
                    &[],
                ),
            ),
            "Encounter",
        );
        assert_eq!(at(&over, "/period/start"), "2026-04-07T10:05:00+09:00");
        assert_eq!(at(&over, "/period/end"), "2026-04-25T10:10:00+09:00");
        assert_eq!(
            at(&over, "/location/0/period/end"),
            "2026-04-25T10:10:00+09:00"
        );
        assert_eq!(
            at(&over, "/hospitalization/dischargeDisposition/coding/0/code"),
            "01"
        );
        assert_eq!(
            at(&over, "/hospitalization/dischargeDisposition/coding/1/code"),
            "home"
        );
    }

    /// The files of one stay: planned, admitted, on leave, back, moved, discharged.
    fn stay() -> Vec<(String, String)> {
        vec![
            (
                path("ADT-21", "20260407", "20260401105000000", "08", '1'),
                adt(
                    "A14",
                    "20260401105000",
                    "",
                    &inpatient(&[]),
                    &[(8, "202604071000")],
                ),
            ),
            (
                path("ADT-22", "20260407", "20260407101500000", "08", '1'),
                adt(
                    "A01",
                    "20260407101500",
                    "",
                    &inpatient(&[(44, "202604071005")]),
                    &[],
                ),
            ),
            (
                path("ADT-31", "20260410", "20260410100800000", "08", '1'),
                adt(
                    "A21",
                    "20260410100800",
                    "202604101000",
                    &inpatient(&[]),
                    &[(47, "202604111600")],
                ),
            ),
            (
                path("ADT-32", "20260411", "20260411155500000", "08", '1'),
                adt(
                    "A22",
                    "20260411155500",
                    "202604111550",
                    &inpatient(&[]),
                    &[],
                ),
            ),
            (
                path("ADT-42", "20260415", "20260415103200000", "06", '1'),
                adt(
                    "A02",
                    "20260415103200",
                    "202604151000",
                    &inpatient(&[
                        (3, "5E^501^1^^^N"),
                        (6, "4W^412^3^^^N"),
                        (7, OTHER),
                        (10, "06"),
                    ]),
                    &[],
                ),
            ),
            (
                path("ADT-52", "20260425", "20260425103000000", "06", '1'),
                adt(
                    "A03",
                    "20260425103000",
                    "",
                    &inpatient(&[
                        (3, "5E^501^1^^^N"),
                        (7, OTHER),
                        (10, "06"),
                        (36, "01"),
                        (44, "202604071005"),
                        (45, "202604251010"),
                    ]),
                    &[],
                ),
            ),
        ]
    }

    fn told(files: &[(String, String)]) -> crate::Output {
        let files: Vec<(String, &str)> =
            files.iter().map(|(p, t)| (p.clone(), t.as_str())).collect();
        convert_patient(&files)
    }

    #[test]
    fn the_events_of_a_stay_become_one_encounter() {
        let out = told(&stay());
        let e = one(&out, "Encounter");
        assert_eq!(at(&e, "/status"), "finished");
        assert_eq!(at(&e, "/period/start"), "2026-04-07T10:05:00+09:00");
        assert_eq!(at(&e, "/period/end"), "2026-04-25T10:10:00+09:00");
        let history: Vec<&str> = e["statusHistory"]
            .as_array()
            .unwrap()
            .iter()
            .map(|h| h["status"].as_str().unwrap())
            .collect();
        assert_eq!(
            history,
            ["planned", "in-progress", "onleave", "in-progress"]
        );
        assert_eq!(
            at(&e, "/statusHistory/2/period/start"),
            "2026-04-10T10:00:00+09:00"
        );
        assert_eq!(
            at(&e, "/statusHistory/2/period/end"),
            "2026-04-11T15:50:00+09:00"
        );
        let spots: Vec<(&str, &str)> = e["location"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| {
                (
                    l["location"]["display"].as_str().unwrap(),
                    l["status"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            spots,
            [
                ("4W-412-3", "completed"),
                ("4W-412-3", "completed"),
                ("4W-412-3", "completed"),
                ("5E-501-1", "completed")
            ]
        );
        assert_eq!(at(&e, "/participant/0/individual/display"), "見立 一郎");
        assert_eq!(
            at(&e, "/participant/0/period/end"),
            "2026-04-15T10:00:00+09:00"
        );
        assert_eq!(at(&e, "/participant/1/individual/display"), "鏡 胃太郎");
        assert_eq!(at(&e, "/participant/2/type/0/coding/0/code"), "ADM");
        assert_eq!(at(&e, "/serviceType/coding/0/code"), "06");
        // What was announced under the planned time is this stay now.
        assert_eq!(
            out.deletes
                .iter()
                .filter(|d| d.resource_type == "Encounter")
                .count(),
            1
        );
        assert!(!reported(&out, "MAP109"));
        // The bed is nested in its room, the room in its ward.
        let bed = resolve(&out, e.pointer("/location/3/location/reference").unwrap());
        assert_eq!(at(&bed, "/physicalType/coding/0/code"), "bd");
        let room = resolve(&out, bed.pointer("/partOf/reference").unwrap());
        let ward = resolve(&out, room.pointer("/partOf/reference").unwrap());
        assert_eq!((at(&room, "/name"), at(&ward, "/name")), ("5E-501", "5E"));
    }

    #[test]
    fn a_stay_planned_for_the_minute_at_which_it_began_is_one() {
        let mut files = stay();
        for (_, text) in &mut files {
            *text = text.replace("202604071005", "202604071000");
        }
        let out = told(&files);
        let e = one(&out, "Encounter");
        assert_eq!(at(&e, "/status"), "finished");
        assert_eq!(at(&e, "/period/start"), "2026-04-07T10:00:00+09:00");
        assert_eq!(at(&e, "/statusHistory/0/status"), "planned");
        assert_eq!(at(&e, "/statusHistory/2/status"), "onleave");
        assert!(!reported(&out, "MAP121") && out.deletes.is_empty());
        // A plan that was withdrawn takes nothing from the admission.
        if let Some((_, plan)) = files.first_mut() {
            *plan = plan.replace("A14", "A27");
        }
        let out = told(&files);
        assert_eq!(at(&one(&out, "Encounter"), "/status"), "finished");
        assert!(reported(&out, "MAP016"));
    }

    /// Admission, then further files of the stay.
    fn admitted(rest: &[(&str, &str, String)]) -> crate::Output {
        let mut files = vec![(
            path("ADT-22", "20260407", "20260407100600000", "06", '1'),
            adt(
                "A01",
                "20260407100600",
                "",
                &inpatient(&[(44, "202604071005")]),
                &[],
            ),
        )];
        for (kind, date, text) in rest {
            let stamp = format!("{date}100000000");
            files.push((path(kind, date, &stamp, "06", '1'), text.clone()));
        }
        let files: Vec<(String, &str)> =
            files.iter().map(|(p, t)| (p.clone(), t.as_str())).collect();
        convert_patient(&files)
    }

    #[test]
    fn a_discharge_before_the_admission_ends_no_period() {
        for (end, told) in [
            ("202604061000", true),
            ("20260406", true),
            ("20260407", false),
            ("202604", false),
            ("202604201000", false),
        ] {
            let times = [(44, "202604071005"), (45, end)];
            let discharge = adt("A03", "20260420100000", "", &inpatient(&times), &[]);
            let out = convert("ADT-52", &discharge);
            let e = one(&out, "Encounter");
            assert_eq!(at(&e, "/status"), "finished", "{end}");
            assert_eq!(e["period"]["end"].is_null(), told, "{end}");
            assert_eq!(reported(&out, "MAP020"), told, "{end}");
            assert!(!reported(&out, "MAP120"));
            let kept = e.to_string().contains("urn:x-ssmix2:field:PV1-45");
            assert_eq!(kept, told, "{end}");
            for h in e["statusHistory"].as_array().map_or(&[][..], Vec::as_slice) {
                let (start, end) = (at(h, "/period/start"), &h["period"]["end"]);
                assert!(end.as_str().is_none_or(|end| !told || start <= end), "{h}");
            }
        }
    }

    /// What a stay keeps, as `field=value`.
    fn kept(stay: &Value) -> Vec<String> {
        let all = stay["extension"].as_array().into_iter().flatten();
        let text = |e: &Value| {
            let name = e["url"].as_str()?.strip_prefix("urn:x-ssmix2:field:")?;
            Some(format!("{name}={}", e["valueString"].as_str()?))
        };
        all.filter_map(text).collect()
    }

    #[test]
    fn another_time_in_a_second_field_is_kept() {
        for (occurred, differs) in [
            ("202604071807", true),
            ("202604081807", true),
            ("202604081000", false),
            ("20260408100000", false),
            ("20260408100030", true),
            ("20260408", false),
            ("", false),
        ] {
            let times = [(44, "202604011005"), (45, "202604081000")];
            let text = adt("A03", "20260410100000", occurred, &inpatient(&times), &[]);
            let out = convert("ADT-52", &text);
            let e = one(&out, "Encounter");
            assert_eq!(at(&e, "/period/end"), "2026-04-08T10:00:00+09:00");
            let other = format!("EVN-6={occurred}");
            let wanted: Vec<String> = differs.then_some(other).into_iter().collect();
            assert_eq!(kept(&e), wanted);
            assert_eq!(reported(&out, "MAP003"), differs);
        }
        // Two messages of one stay: the minute of its admission.
        for (admission, differs) in [("202604071006", true), ("202604071005", false)] {
            let times = [(44, admission), (45, "202604081000")];
            let left = adt("A03", "20260408100000", "", &inpatient(&times), &[]);
            let e = one(&admitted(&[("ADT-52", "20260408", left)]), "Encounter");
            assert_eq!(at(&e, "/period/start"), "2026-04-07T10:05:00+09:00");
            assert_eq!(kept(&e).len(), usize::from(differs), "{e:#}");
        }
    }

    #[test]
    fn two_stays_at_once_are_told() {
        let again = |start: &str| {
            let times = [(44, start)];
            adt("A01", &format!("{start}00"), "", &inpatient(&times), &[])
        };
        let left = inpatient(&[(44, "202604071005"), (45, "202604201000")]);
        let left = adt("A03", "20260420100000", "", &left, &[]);
        let second = ("ADT-22", "20260501", again("202605011000"));
        for (files, told) in [
            (vec![second.clone()], true),
            (
                vec![("ADT-52", "20260420", left.clone()), second.clone()],
                false,
            ),
            // The second is over, the first is not.
            (
                vec![
                    second.clone(),
                    (
                        "ADT-52",
                        "20260510",
                        adt(
                            "A03",
                            "20260510100000",
                            "",
                            &inpatient(&[(44, "202605011000"), (45, "202605101000")]),
                            &[],
                        ),
                    ),
                ],
                true,
            ),
            // A plan is no stay, and one of the admission's message again is the same.
            (
                vec![(
                    "ADT-21",
                    "20260501",
                    adt(
                        "A14",
                        "20260420100000",
                        "",
                        &inpatient(&[]),
                        &[(8, "20260501")],
                    ),
                )],
                false,
            ),
        ] {
            let out = admitted(&files);
            let all: Vec<_> = out
                .diagnostics
                .iter()
                .filter(|d| d.code.code == "MAP129")
                .collect();
            assert_eq!(all.len(), usize::from(told), "{files:?}");
            if let [one] = &*all {
                assert_eq!(one.argument.as_deref(), Some("PV1-44"));
            }
        }
    }

    #[test]
    fn a_withdrawn_move_is_told_and_one_from_an_unknown_bed_too() {
        let moved = |event: &str, prior: &str| {
            let places = [(3, "5E^501^1^^^N"), (6, prior)];
            adt(
                event,
                "20260410100000",
                "202604101000",
                &inpatient(&places),
                &[],
            )
        };
        let told = |out: &crate::Output, code: &str| -> Vec<String> {
            let of = out.diagnostics.iter().filter(|d| d.code.code == code);
            of.filter_map(|d| d.argument.as_deref().map(str::to_owned))
                .collect()
        };
        for (prior, known) in [("4W^412^3^^^N", true), ("", true), ("8Z^801^1^^^N", false)] {
            let out = admitted(&[("ADT-42", "20260410", moved("A02", prior))]);
            let wanted = if known {
                vec![]
            } else {
                vec!["PV1-6".to_owned()]
            };
            assert_eq!(told(&out, "MAP129"), wanted);
            assert!(told(&out, "MAP116").is_empty());
        }
        // Alone nobody knows where the patient was.
        let alone = convert("ADT-42", &moved("A02", "8Z^801^1^^^N"));
        assert!(!reported(&alone, "MAP129"));
        let files = [moved("A02", ""), moved("A12", "")].map(|text| ("ADT-42", "20260410", text));
        let mut named = files.to_vec();
        named[1].1 = "20260411";
        assert_eq!(told(&admitted(&named), "MAP116"), ["ADT-42"]);
    }

    #[test]
    fn a_plan_withdrawn_for_another_day_than_it_was_made_for_is_told() {
        let plan =
            |event: &str, day: &str, sent: &str| adt(event, sent, "", &inpatient(&[]), &[(8, day)]);
        for (day, sent, told) in [
            ("20260412", "20260401100000", true),
            ("20260410", "20260401100000", false),
            // Planned anew behind the cancel event.
            ("20260412", "20260403100000", false),
        ] {
            let files = [
                (
                    path("ADT-21", "20260410", "20260401100000000", "06", '1'),
                    plan("A14", "20260410", sent),
                ),
                (
                    path("ADT-21", day, "20260402100000000", "06", '1')
                        .replace("999999999999999", "000000000000009"),
                    plan("A27", day, "20260402100000"),
                ),
            ];
            let out = super::tests::told(&files);
            assert_eq!(reported(&out, "MAP129"), told, "{day}");
            let status = |e: &Value| at(e, "/status").to_owned();
            let mut all: Vec<String> = all(&out, "Encounter").iter().map(status).collect();
            all.sort();
            let both = ["cancelled", "planned"];
            let two = day != "20260410";
            assert_eq!(all, if two { &both[..] } else { &both[..1] });
        }
        let alone = convert("ADT-21", &plan("A27", "20260410", "20260402100000"));
        assert!(!reported(&alone, "MAP129"));
    }

    #[test]
    fn what_was_planned_and_overtaken_is_kept() {
        let planned = inpatient(&[(3, "9X^991^1^^^N"), (10, "01")]);
        let times = [(8, "202604070931"), (9, "202604201000")];
        let to_come = adt("A14", "20260405100000", "", &planned, &times);
        let away = adt(
            "A21",
            "20260409100000",
            "202604091000",
            &inpatient(&[]),
            &[(47, "202604101700")],
        );
        let back = adt(
            "A22",
            "20260410180500",
            "202604101800",
            &inpatient(&[]),
            &[(47, "202604101802")],
        );
        let to_move = inpatient(&[(3, "6N^601^1^^^N")]);
        let to_move = adt("A15", "20260411100000", "", &to_move, &[(8, "20260412")]);
        let left = inpatient(&[(44, "202604071005"), (45, "202604151000")]);
        let left = adt("A03", "20260415100000", "", &left, &[]);
        let e = one(
            &admitted(&[
                ("ADT-21", "20260407", to_come),
                ("ADT-31", "20260409", away),
                ("ADT-32", "20260410", back),
                ("ADT-41", "20260412", to_move),
                ("ADT-52", "20260415", left),
            ]),
            "Encounter",
        );
        let mut all = kept(&e);
        all.sort();
        assert_eq!(
            all,
            [
                "PV1-10=01",
                "PV1-3=6N^601^1^^^N",
                "PV1-3=9X^991^1^^^N",
                "PV2-47=202604101700",
                "PV2-47=202604101802",
                "PV2-8=202604070931",
                "PV2-8=20260412",
                "PV2-9=202604201000",
            ]
        );
    }

    #[test]
    fn a_move_from_a_bed_that_the_stay_does_not_know_ends_no_other_bed_at_its_time() {
        let moved = inpatient(&[(3, "5E^501^1^^^N"), (6, "8Z^801^1^^^N")]);
        let moved = adt("A02", "20260410100000", "202604101000", &moved, &[]);
        let e = one(&admitted(&[("ADT-42", "20260410", moved)]), "Encounter");
        let told = |n: usize| {
            let place = &e["location"][n];
            let end = place["period"]["end"].as_str().unwrap_or_default();
            (at(place, "/location/display").to_owned(), end.to_owned())
        };
        assert_eq!(told(0), ("4W-412-3".to_owned(), String::new()));
        let end = "2026-04-10T10:00:00+09:00".to_owned();
        assert_eq!(told(1), ("8Z-801-1".to_owned(), end));
    }

    #[test]
    fn a_plan_is_taken_back_by_a_cancel_event_of_its_day_or_that_is_told() {
        for (cancelled, found) in [
            ("202604120900", true),
            ("202604121500", true),
            ("202604111500", false),
        ] {
            let plan = |event: &str, sent: &str, time: &str| {
                let to = inpatient(&[(3, "6N^601^1^^^N")]);
                adt(event, sent, "", &to, &[(8, time)])
            };
            let out = admitted(&[
                (
                    "ADT-41",
                    "20260412",
                    plan("A15", "20260410100000", "202604120900"),
                ),
                (
                    "ADT-41",
                    "20260411",
                    plan("A26", "20260410110000", cancelled),
                ),
            ]);
            let e = one(&out, "Encounter");
            let places = e["location"].as_array().unwrap();
            assert_eq!(places.len(), if found { 1 } else { 2 }, "{cancelled}");
            assert_eq!(reported(&out, "MAP130"), !found, "{cancelled}");
        }
    }

    /// Gives events of some messages, by number of the text and of the message.
    fn of_texts(
        texts: &[(&str, String)],
        check: impl FnOnce(&dyn Fn(usize, u16) -> super::Event<'static>),
    ) {
        let event = |n: usize, number: u16| {
            let (kind, text) = &texts[n];
            let item = crate::cx::Item {
                kind: warifu_ssmix2::DataKind::from_code(kind),
                timestamp: "20260410093000000",
                ..crate::cx::Item::default()
            };
            let mut index = warifu_hl7::Index::new();
            let text: &'static [u8] = text.clone().into_bytes().leak();
            index.build(text, None);
            let (index, arena) = (Box::leak(Box::new(index)), Box::default());
            let message = warifu_hl7::Message::new(text, index, Box::leak(arena), number);
            super::read(item, message).unwrap()
        };
        check(&event);
    }

    /// So many that looking through the others for each would take minutes.
    const MANY: usize = 400_000;

    #[test]
    fn hundreds_of_thousands_of_events_of_one_day_are_put_in_order() {
        let text = |event: &str, time: &str| adt(event, time, time, &inpatient(&[]), &[]);
        let texts = [
            ("ADT-42", text("A02", "20260410")),
            ("ADT-22", text("A01", "20260410093000")),
        ];
        of_texts(&texts, |event| {
            let mut events = vec![event(0, 0); MANY];
            events.push(event(1, 0));
            super::put_in_order(&mut events);
            // The moves of which the day is known come behind the admission of that day.
            assert_eq!(events[0].step, super::Step::Admission);
            assert_eq!(events.len(), MANY + 1);
        });
    }

    #[test]
    fn hundreds_of_thousands_of_cancel_events_of_one_day_find_what_they_take_back() {
        let text = |event: &str, time: &str| adt(event, time, time, &inpatient(&[]), &[]);
        let texts = [
            ("ADT-42", text("A02", "20260410093000")),
            ("ADT-31", text("A52", "20260410093000")),
            ("ADT-42", text("A12", "20260410093000")),
        ];
        of_texts(&texts, |event| {
            let events = [
                vec![event(0, 0); MANY],
                vec![event(1, 0); MANY],
                vec![event(2, 0); 3],
            ];
            let kept = super::without_cancelled(events.concat());
            assert_eq!(kept.len(), 2 * MANY);
            let count = |f: fn(&super::Event<'_>) -> bool| kept.iter().filter(|e| f(e)).count();
            assert_eq!(count(|e| e.lone), MANY);
            assert_eq!(count(|e| e.void.is_some()), 3);
        });
    }

    #[test]
    fn hundreds_of_thousands_of_plans_that_another_event_overtook_leave_one_after_the_other() {
        let to_move = inpatient(&[(3, "6N^601^1^^^N")]);
        let texts = [
            (
                "ADT-22",
                adt(
                    "A01",
                    "20260401093000",
                    "",
                    &inpatient(&[(44, "202604010930")]),
                    &[],
                ),
            ),
            (
                "ADT-41",
                adt(
                    "A15",
                    "20260410093000",
                    "",
                    &to_move,
                    &[(8, "202604101000")],
                ),
            ),
            (
                "ADT-42",
                adt(
                    "A02",
                    "20260410100000",
                    "202604101000",
                    &inpatient(&[]),
                    &[],
                ),
            ),
        ];
        of_texts(&texts, |event| {
            let id = warifu_fhir::IdKey::new(b"k").id("", &["Encounter"]);
            let mut story = super::begin(id, &event(0, 0), false, "");
            story.events.push(event(0, 0));
            let pair = [event(1, 0), event(2, 0)];
            story.events.extend(pair.repeat(MANY / 4));
            story.events.push(event(1, 0));
            let spots = super::spots(&story);
            // The last plan stands behind where the patient was.
            assert_eq!(spots.len(), MANY / 4 + 2);
            assert_eq!(spots.last().unwrap().status, "planned");
        });
    }

    #[test]
    fn the_message_of_an_end_is_looked_for_behind_that_of_the_end_before() {
        let moved = adt(
            "A02",
            "20260410093000",
            "202604101000",
            &inpatient(&[]),
            &[],
        );
        of_texts(&[("ADT-42", moved)], |event| {
            let id = warifu_fhir::IdKey::new(b"k").id("", &["Encounter"]);
            let mut story = super::begin(id, &event(0, 0), false, "");
            story.events.extend((0..2_000).map(|n| event(0, n)));
            for n in [0, 1, 2, 1_000, 1_999, 3] {
                let end = story.events[n].time;
                let found = super::ended_by(&story, end).unwrap();
                assert_eq!((usize::from(found.number()), story.ended.get()), (n, n));
            }
            // Nothing ends: nothing is looked for.
            assert!(super::ended_by(&story, warifu_hl7::Val::default()).is_none());
            assert_eq!(story.ended.get(), 3);
        });
    }

    #[test]
    fn an_event_that_names_another_admission_is_of_a_stay_of_its_own() {
        for (admission, others) in [
            ("202606200900", true),
            ("202604081005", true),
            ("202604080900", false),
            ("202604071000", false),
            ("", false),
        ] {
            let times = [(3, "5E^501^1^^^N"), (44, admission), (45, "202606301000")];
            let discharge = adt("A03", "20260630103000", "", &inpatient(&times), &[]);
            let moved = adt(
                "A02",
                "20260622103000",
                "202606221000",
                &inpatient(&[(3, "5E^501^1^^^N"), (44, admission)]),
                &[],
            );
            let out = admitted(&[
                ("ADT-42", "20260622", moved),
                ("ADT-52", "20260630", discharge),
            ]);
            let stays = all(&out, "Encounter");
            assert_eq!(stays.len(), if others { 2 } else { 1 }, "{admission}");
            assert_eq!(reported(&out, "MAP109"), others, "{admission}");
            let first = stays
                .iter()
                .find(|e| at(e, "/period/start") == "2026-04-07T10:05:00+09:00")
                .unwrap();
            assert_eq!(first["period"]["end"].is_null(), others, "{admission}");
            assert_eq!(at(first, "/status") == "in-progress", others);
            assert_eq!(first.to_string().contains("5E-501"), !others);
        }
    }

    #[test]
    fn a_discharge_before_its_admission_invents_no_history() {
        let times = [(44, "202604071005"), (45, "202604061000")];
        let discharge = adt("A03", "20260420100000", "", &inpatient(&times), &[]);
        let moved = adt(
            "A02",
            "20260410150000",
            "202604101500",
            &inpatient(&[(3, "5E^501^1^^^N"), (44, "202604071005")]),
            &[],
        );
        let out = admitted(&[
            ("ADT-52", "20260420", discharge),
            ("ADT-42", "20260410", moved),
        ]);
        let e = one(&out, "Encounter");
        assert_eq!(at(&e, "/status"), "finished");
        assert_eq!(at(&e, "/period/start"), "2026-04-07T10:05:00+09:00");
        assert!(e["period"]["end"].is_null());
        let history = e["statusHistory"].as_array().unwrap();
        assert_eq!(history.len(), 1, "{history:?}");
        assert_eq!(at(&history[0], "/status"), "in-progress");
        assert_eq!(
            at(&history[0], "/period/start"),
            "2026-04-07T10:05:00+09:00"
        );
        assert!(history[0]["period"]["end"].is_null());
        let places = e["location"].as_array().unwrap();
        let shown = |l: &Value| (l["status"].clone(), l["period"].clone());
        let want = |l: &Value| {
            let period = &l["period"];
            let (start, end) = (period["start"].as_str(), period["end"].as_str());
            start.is_none_or(|s| end.is_none_or(|e| s <= e))
        };
        assert!(places.iter().all(want), "{places:?}");
        let last = places.last().unwrap();
        assert_eq!(shown(last).0, "completed", "{places:?}");
        // Said once, its field kept once under its own name; nothing is said of an event after a discharge.
        let told = out.diagnostics.iter().filter(|d| d.code.code == "MAP020");
        assert_eq!(told.count(), 1);
        assert!(!reported(&out, "MAP120"));
        let json = e.to_string();
        let kept = "\"urn:x-ssmix2:field:PV1-45\",\"valueString\":\"202604061000\"";
        assert_eq!(json.matches(kept).count(), 1, "{json}");
        assert!(!json.contains("field:Encounter"), "{json}");
    }

    #[test]
    fn events_of_which_only_the_day_is_known_come_behind_what_led_to_them() {
        let named = (44, "202604071005");
        let event = |code: &str, time: &str, more: &[(usize, &str)]| {
            adt(code, "20260420100000", time, &inpatient(more), &[])
        };
        let out = |code: &str, time: &str| event(code, time, &[]);
        let discharge = |day: &str| event("A03", "", &[(45, day)]);
        let span = |h: &Value| {
            let of = |key: &str| h["period"][key].as_str().unwrap_or("").to_owned();
            (
                h["status"].as_str().unwrap().to_owned(),
                of("start"),
                of("end"),
            )
        };
        for (files, status, history) in [
            // Discharged on the day of admission.
            (
                vec![("ADT-52", "20260407", discharge("20260407"))],
                "finished",
                vec![("in-progress", "2026-04-07T10:05:00+09:00", "2026-04-07")],
            ),
            (
                vec![(
                    "ADT-52",
                    "20260407",
                    event("A03", "", &[named, (45, "20260407")]),
                )],
                "finished",
                vec![("in-progress", "2026-04-07T10:05:00+09:00", "2026-04-07")],
            ),
            // Back on the day of the leave.
            (
                vec![
                    ("ADT-31", "20260410", out("A21", "202604101000")),
                    ("ADT-32", "20260410", out("A22", "20260410")),
                ],
                "in-progress",
                vec![
                    (
                        "in-progress",
                        "2026-04-07T10:05:00+09:00",
                        "2026-04-10T10:00:00+09:00",
                    ),
                    ("onleave", "2026-04-10T10:00:00+09:00", "2026-04-10"),
                ],
            ),
            // Back from a leave, and on leave again that day.
            (
                vec![
                    ("ADT-31", "20260409", out("A21", "202604091000")),
                    ("ADT-32", "20260410", out("A22", "20260410")),
                    ("ADT-31", "20260410", out("A21", "202604101500")),
                ],
                "onleave",
                vec![
                    (
                        "in-progress",
                        "2026-04-07T10:05:00+09:00",
                        "2026-04-09T10:00:00+09:00",
                    ),
                    ("onleave", "2026-04-09T10:00:00+09:00", "2026-04-10"),
                    ("in-progress", "2026-04-10", "2026-04-10T15:00:00+09:00"),
                ],
            ),
            // On leave on the day of admission; on leave again on the day of the return.
            (
                vec![("ADT-31", "20260407", out("A21", "20260407"))],
                "onleave",
                vec![("in-progress", "2026-04-07T10:05:00+09:00", "2026-04-07")],
            ),
            (
                vec![
                    ("ADT-31", "20260409", out("A21", "202604091000")),
                    ("ADT-32", "20260410", out("A22", "202604100900")),
                    ("ADT-31", "20260410", out("A21", "20260410")),
                    ("ADT-52", "20260410", discharge("20260410")),
                ],
                "finished",
                vec![
                    (
                        "in-progress",
                        "2026-04-07T10:05:00+09:00",
                        "2026-04-09T10:00:00+09:00",
                    ),
                    (
                        "onleave",
                        "2026-04-09T10:00:00+09:00",
                        "2026-04-10T09:00:00+09:00",
                    ),
                    ("in-progress", "2026-04-10T09:00:00+09:00", "2026-04-10"),
                    ("onleave", "2026-04-10", "2026-04-10"),
                ],
            ),
        ] {
            let out = admitted(&files);
            let e = one(&out, "Encounter");
            assert_eq!(at(&e, "/status"), status, "{files:?}");
            let told: Vec<_> = e["statusHistory"]
                .as_array()
                .unwrap()
                .iter()
                .map(span)
                .collect();
            let want: Vec<_> = history
                .iter()
                .map(|(s, a, b)| ((*s).to_owned(), (*a).to_owned(), (*b).to_owned()))
                .collect();
            assert_eq!(told, want);
            let silent = ["MAP020", "MAP109", "MAP120"];
            assert!(silent.iter().all(|code| !reported(&out, code)), "{files:?}");
        }
    }

    #[test]
    fn a_discharge_of_the_day_of_the_next_admission_ends_the_stay_before() {
        let again = adt(
            "A01",
            "20260420150500",
            "",
            &inpatient(&[(44, "202604201500")]),
            &[],
        );
        for named in [
            &[(45, "20260420")][..],
            &[(44, "202604071005"), (45, "20260420")],
        ] {
            let discharge = adt("A03", "20260420100000", "", &inpatient(named), &[]);
            let out = admitted(&[
                ("ADT-52", "20260420", discharge),
                ("ADT-22", "20260420", again.clone()),
            ]);
            let told: Vec<(String, String, Value)> = all(&out, "Encounter")
                .iter()
                .map(|e| {
                    let start = at(e, "/period/start")[..10].to_owned();
                    (
                        start,
                        at(e, "/status").to_owned(),
                        e["period"]["end"].clone(),
                    )
                })
                .collect();
            let want =
                |start: &str, status: &str, end: Value| (start.to_owned(), status.to_owned(), end);
            assert_eq!(
                told,
                [
                    want("2026-04-07", "finished", "2026-04-20".into()),
                    want("2026-04-20", "in-progress", Value::Null),
                ]
            );
        }
    }

    #[test]
    fn an_event_after_the_discharge_leaves_the_stay_finished() {
        let end = (45, "202604201000");
        let discharge = adt(
            "A03",
            "20260420100000",
            "",
            &inpatient(&[(44, "202604071005"), end]),
            &[],
        );
        let moved = [
            (3, "5E^501^1^^^N"),
            (6, "4W^412^3^^^N"),
            (44, "202604071005"),
        ];
        let moved = adt(
            "A02",
            "20260420150000",
            "202604201500",
            &[&[(2, "I")][..], &moved[..]].concat(),
            &[],
        );
        let out = admitted(&[
            ("ADT-52", "20260420", discharge),
            ("ADT-42", "20260420", moved),
        ]);
        let e = one(&out, "Encounter");
        assert_eq!(at(&e, "/status"), "finished");
        let places = e["location"].as_array().unwrap();
        assert_eq!(places.len(), 1);
        assert_eq!(at(&places[0], "/status"), "completed");
        assert_eq!(at(&places[0], "/period/end"), "2026-04-20T10:00:00+09:00");
        assert!(reported(&out, "MAP120"));
        // Neither its ward nor its time is lost.
        assert_eq!(kept(&e), ["EVN-6=202604201500", "PV1-3=5E^501^1^^^N"]);
    }

    #[test]
    fn a_plan_for_another_day_than_the_admission_is_told() {
        let plan = |day: &str| adt("A14", "20260405100000", "", &inpatient(&[]), &[(8, day)]);
        for (day, told) in [("202604071000", false), ("202604091000", true)] {
            let out = admitted(&[("ADT-21", "20260405", plan(day))]);
            assert_eq!(reported(&out, "MAP121"), told, "{day}");
            assert_eq!(all(&out, "Encounter").len(), if told { 2 } else { 1 });
        }
        // A plan that lies ahead is no finding.
        let alone = convert("ADT-21", &plan("202604091000"));
        assert!(!reported(&alone, "MAP121"));
    }

    #[test]
    fn the_order_of_the_files_does_not_matter() {
        let json = |files: &[(String, String)]| all(&told(files), "Encounter");
        let mut files = stay();
        let want = json(&files);
        files.reverse();
        assert_eq!(json(&files), want);
    }

    #[test]
    fn while_the_stay_is_open_the_planned_end_shows() {
        let mut files = stay();
        files.truncate(2);
        files.push((
            path("ADT-51", "20260425", "20260422150000000", "08", '1'),
            adt(
                "A16",
                "20260422150000",
                "",
                &inpatient(&[]),
                &[(9, "202604251000")],
            ),
        ));
        let e = one(&told(&files), "Encounter");
        assert_eq!(at(&e, "/status"), "in-progress");
        assert_eq!(at(&e, "/period/end"), "2026-04-25T10:00:00+09:00");
        assert_eq!(at(&e, "/location/0/status"), "active");
        assert_eq!(
            at(&e, "/location/0/period/end"),
            "2026-04-25T10:00:00+09:00"
        );
        // On leave: the bed is kept, and the expected return shows.
        let mut files = stay();
        files.truncate(3);
        let e = one(&told(&files), "Encounter");
        assert_eq!(at(&e, "/status"), "onleave");
        assert_eq!(
            at(&e, "/location/1/period/end"),
            "2026-04-11T16:00:00+09:00"
        );
    }

    #[test]
    fn cancel_events_take_their_counterparts_back() {
        let with = |event: &str, kind: &str, sent: &str, occurred: &str, pv1: &[(usize, &str)]| {
            let mut files = stay();
            let later = path(
                kind,
                sent.get(..8).unwrap(),
                &format!("{sent}000"),
                "06",
                '1',
            )
            .replace("999999999999999", "000000000000009");
            files.push((later, adt(event, sent, occurred, pv1, &[])));
            told(&files)
        };
        // A13: the stay is open again.
        let e = one(
            &with(
                "A13",
                "ADT-52",
                "20260425110000",
                "",
                &inpatient(&[
                    (3, "5E^501^1^^^N"),
                    (44, "202604071005"),
                    (45, "202604251010"),
                ]),
            ),
            "Encounter",
        );
        assert_eq!(at(&e, "/status"), "in-progress");
        assert!(e.pointer("/period/end").is_none() && e.pointer("/hospitalization").is_none());
        // A12: back in the bed before, by the time of the move or by that of the cancel.
        for occurred in ["202604151000", "202604151045", ""] {
            let prior = if occurred.ends_with("45") {
                ""
            } else {
                "5E^501^1^^^N"
            };
            let e = one(
                &with(
                    "A12",
                    "ADT-42",
                    "20260415110000",
                    occurred,
                    &inpatient(&[(3, "4W^412^3^^^N"), (6, prior)]),
                ),
                "Encounter",
            );
            let places: Vec<&str> = e["location"]
                .as_array()
                .unwrap()
                .iter()
                .map(|l| l["location"]["display"].as_str().unwrap())
                .collect();
            assert_eq!(places, ["4W-412-3", "4W-412-3", "4W-412-3", "5E-501-1"]);
            assert!(
                e["location"][3]["period"]["start"].is_null(),
                "known only from the discharge"
            );
        }
        // A52 and A53: no leave at all once both are taken back.
        for occurred in ["202604101000", "202604101050"] {
            let e = one(
                &with("A52", "ADT-31", "20260410110000", occurred, &inpatient(&[])),
                "Encounter",
            );
            assert!(
                !e["statusHistory"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|h| h["status"] == "onleave")
            );
        }
        // A11: the whole stay is cancelled.
        let e = all(
            &with(
                "A11",
                "ADT-22",
                "20260407110000",
                "",
                &inpatient(&[(44, "202604071005")]),
            ),
            "Encounter",
        );
        assert!(e.iter().any(|e| e["status"] == "cancelled"));
    }

    #[test]
    fn a_withdrawn_file_alone_never_cancels_the_stay_it_belongs_to() {
        let mut out = crate::Output::new();
        let text = adt(
            "A03",
            "20260425103000",
            "",
            &inpatient(&[(44, "202604071005"), (45, "202604251010")]),
            &[],
        );
        let name = path("ADT-52", "20260425", "20260425103000000", "06", '0');
        crate::Converter::new(crate::testing::options()).convert(
            crate::File {
                path: &name,
                bytes: text.replace("\r\n", "\r").as_bytes(),
            },
            0,
            &mut out,
        );
        let e = one(&out, "Encounter");
        assert_eq!(at(&e, "/status"), "in-progress");
        assert!(e.pointer("/period/end").is_none());
    }

    /// The stay of 7 April in bed 4W-412-3 and more files: kind, day of the path, text. An empty kind is a file
    /// without a storage.
    fn with_stay(files: &[(&str, &str, String)]) -> Vec<(String, String)> {
        let admission = adt(
            "A01",
            "20260407101500",
            "",
            &inpatient(&[(44, "202604071005")]),
            &[],
        );
        let admission = ("ADT-22", "20260407", admission);
        let loose = files.iter().all(|(kind, ..)| kind.is_empty());
        let path_of = |(n, (kind, day, _)): (usize, &(&str, &str, String))| {
            let order = format!("{n:015}");
            let stamp = format!("{day}100000000");
            let path = path(kind, day, &stamp, "06", '1').replace("999999999999999", &order);
            if loose { format!("{n}.hl7") } else { path }
        };
        let all: Vec<_> = [&[admission], files].concat();
        let paths = all.iter().enumerate().map(path_of);
        paths
            .zip(all.iter().map(|(.., text)| text.clone()))
            .collect()
    }

    /// Beds of a stay with their state and whether they have a start and an end.
    fn beds(stay: &Value) -> Vec<String> {
        let bed = |l: &Value| {
            let time = |end: &str| {
                l["period"][end]
                    .as_str()
                    .map_or("", |t| &t[5..16])
                    .to_owned()
            };
            let name = l["location"]["display"].as_str().unwrap_or("");
            let status = l["status"].as_str().unwrap_or("");
            format!("{name} {status} {}/{}", time("start"), time("end"))
        };
        let all = stay["location"].as_array();
        all.map_or_else(Vec::new, |all| all.iter().map(bed).collect())
    }

    /// Where a finding is told: the number of the file, and its argument.
    fn places(out: &crate::Output, code: &str) -> Vec<(u32, String)> {
        let of = out.diagnostics.iter().filter(|d| d.code.code == code);
        of.map(|d| {
            (
                d.span.source.0,
                d.argument.as_deref().unwrap_or("").to_owned(),
            )
        })
        .collect()
    }

    #[test]
    fn a_cancel_event_that_finds_nothing_is_told_and_changes_nothing() {
        let bed = [(3, "5E^501^1^^^N"), (6, "4W^412^3^^^N")];
        let without = with_stay(&[(
            "ADT-42",
            "20260410",
            adt(
                "A02",
                "20260410100000",
                "202604101000",
                &inpatient(&bed),
                &[],
            ),
        )]);
        let alone = one(&told(&without), "Encounter");
        for (kind, event, argument) in [
            ("ADT-01", "A55", ""),
            ("ADT-31", "A52", ""),
            ("ADT-32", "A53", ""),
            ("ADT-41", "A26", ""),
            ("ADT-42", "A12", ""),
            ("ADT-51", "A25", ""),
            ("ADT-52", "A13", ""),
        ] {
            let plan = [(8, "20260415"), (9, "20260415")];
            let text = adt(
                event,
                "20260412110000",
                "202604121000",
                &inpatient(&bed),
                &plan,
            );
            let mut files = without.clone();
            let path = path(kind, "20260412", "20260412110000000", "06", '1');
            files.push((path.clone(), text.clone()));
            let out = told(&files);
            assert_eq!(
                places(&out, "MAP130"),
                [(2, argument.to_owned())],
                "{event}"
            );
            let at = out
                .diagnostics
                .iter()
                .find(|d| d.code.code == "MAP130")
                .unwrap();
            let place = [at.span.start, at.span.end].map(|n| usize::try_from(n).unwrap());
            let msh = &text.replace("\r\n", "\r")[place[0]..place[1]];
            assert_eq!(msh, format!("ADT^{event}"));
            let e = one(&out, "Encounter");
            for what in ["status", "statusHistory", "location", "class", "period"] {
                assert_eq!(e[what], alone[what], "{event} {what}");
            }
            // The storage has an older version, which it took back.
            files.push((
                path.replace("20260412110000000_06_1", "20260412100000000_06_2"),
                text.clone(),
            ));
            assert!(!reported(&told(&files), "MAP130"), "{event}");
            // Alone it says what a receiver is to take back; of a plan it says nothing.
            let plan = matches!(event, "A25" | "A26");
            assert_eq!(reported(&convert(kind, &text), "MAP130"), plan, "{event}");
        }
    }

    #[test]
    fn the_cancel_event_of_another_admission_is_told() {
        let cancel = |event: &str, day: &str| {
            adt(
                event,
                &format!("{}110000", &day[..8]),
                "",
                &inpatient(&[(44, day)]),
                &[],
            )
        };
        let files = with_stay(&[("ADT-22", "20260410", cancel("A11", "20260410"))]);
        let out = told(&files);
        assert_eq!(places(&out, "MAP129"), [(1, "PV1-44".to_owned())]);
        assert!(!reported(&out, "MAP130"));
        // Of a stay that is over.
        let left = inpatient(&[(44, "202604071005"), (45, "202604091000")]);
        let left = adt("A03", "20260409103000", "", &left, &[]);
        let out = told(&with_stay(&[
            ("ADT-52", "20260409", left),
            ("ADT-22", "20260410", cancel("A11", "20260410")),
        ]));
        assert_eq!(places(&out, "MAP130"), [(2, String::new())]);
        // What takes back this one is found.
        let out = told(&with_stay(&[(
            "ADT-22",
            "20260408",
            cancel("A11", "202604071005"),
        )]));
        assert!(!reported(&out, "MAP129") && !reported(&out, "MAP130"));
        assert_eq!(
            places(&out, "MAP116"),
            [(0, "ADT-22".to_owned()), (1, "Encounter".to_owned())]
        );
        assert_eq!(at(&one(&out, "Encounter"), "/status"), "cancelled");
    }

    #[test]
    fn a_discharge_that_is_taken_back_without_its_time_is_told() {
        let left = inpatient(&[(44, "202604071005"), (45, "202604091000")]);
        let left = adt("A03", "20260409103000", "", &left, &[]);
        let back = adt(
            "A13",
            "20260410110000",
            "",
            &inpatient(&[(44, "202604071005")]),
            &[],
        );
        let out = told(&with_stay(&[
            ("ADT-52", "20260409", left),
            ("ADT-52", "20260410", back),
        ]));
        assert_eq!(places(&out, "MAP116"), [(1, "ADT-52".to_owned())]);
        assert!(!reported(&out, "MAP130"));
        assert_eq!(at(&one(&out, "Encounter"), "/status"), "in-progress");
    }

    #[test]
    fn of_two_stays_the_bed_or_the_number_tells_whose_an_event_is() {
        let second = [(3, "41^401^1^^^N"), (19, "N2"), (44, "202604080900")];
        let second = adt("A01", "20260408091000", "", &inpatient(&second), &[]);
        let ended = |more: &[(usize, &str)], kind: &str, event: &str| {
            let mut fields = inpatient(&[(45, "202604101000")]);
            for (n, text) in more {
                fields.retain(|(f, _)| f != n);
                fields.push((*n, text));
            }
            let text = adt(event, "20260410103000", "202604101000", &fields, &[]);
            let out = told(&with_stay(&[
                ("ADT-22", "20260408", second.clone()),
                (kind, "20260410", text),
            ]));
            let stays = all(&out, "Encounter");
            let first = stays
                .iter()
                .position(|e| at(e, "/period/start").contains("-07T"))
                .unwrap();
            let has = |e: &Value| {
                e["location"].as_array().unwrap().len() > 1
                    || e["status"] != "in-progress"
                    || e["participant"].as_array().unwrap().len() > 2
            };
            let (a, b) = (has(&stays[first]), has(&stays[1 - first]));
            assert!(a != b, "{stays:#?}");
            (a, places(&out, "MAP131"))
        };
        let unclear = vec![(2, String::new())];
        for (bed, first, told) in [
            (vec![(3, "4W^412^3^^^N")], true, vec![]),
            (vec![(3, "41^401^1^^^N")], false, vec![]),
            (vec![(3, ""), (6, "4W^412^3")], true, vec![]),
            (vec![(3, "8Z^801^1"), (19, "N2")], false, vec![]),
            (vec![(3, "8Z^801^1"), (19, "N1")], false, unclear.clone()),
            (vec![(3, "")], false, unclear.clone()),
        ] {
            assert_eq!(ended(&bed, "ADT-52", "A03"), (first, told), "{bed:?}");
        }
        for (bed, first, told) in [
            (vec![(3, "5E^501^1"), (6, "4W^412^3^^^N")], true, vec![]),
            (vec![(3, "4W^412^3"), (6, "41^401^1^^^N")], false, vec![]),
            (vec![(3, "4W^412^3"), (6, "")], false, unclear),
        ] {
            assert_eq!(ended(&bed, "ADT-42", "A02"), (first, told), "{bed:?}");
        }
        let leave = [(3, "4W^412^3")];
        assert_eq!(ended(&leave, "ADT-31", "A21"), (true, vec![]));
        let doctor = [(3, "4W^412^3"), (7, OTHER)];
        assert_eq!(ended(&doctor, "ADT-01", "A54"), (true, vec![]));
    }

    #[test]
    fn a_discharge_from_a_bed_that_the_stay_does_not_know_is_told() {
        for (bed, told_at) in [
            ("4W^412^3^^^N", vec![]),
            ("", vec![]),
            ("8Z^801^1", vec![(1, "PV1-3".to_owned())]),
        ] {
            let left = inpatient(&[(3, bed), (44, "202604071005"), (45, "202604091000")]);
            let left = adt("A03", "20260409103000", "", &left, &[]);
            let out = told(&with_stay(&[("ADT-52", "20260409", left.clone())]));
            assert_eq!(places(&out, "MAP129"), told_at, "{bed}");
            assert!(!reported(&convert("ADT-52", &left), "MAP129"));
        }
    }

    /// Every order of some files.
    fn orders<T: Clone>(files: &[T]) -> Vec<Vec<T>> {
        let Some((first, rest)) = files.split_first() else {
            return vec![Vec::new()];
        };
        let with = |order: Vec<T>| {
            (0..=order.len()).map(move |at| {
                let mut order = order.clone();
                order.insert(at, first.clone());
                order
            })
        };
        orders(rest).into_iter().flat_map(with).collect()
    }

    #[test]
    fn outside_a_storage_the_newer_of_one_event_replaces_the_older_in_every_order() {
        let event = |event: &str, sent: &str, occurred: &str, fields: &[(usize, &str)]| {
            adt(event, sent, occurred, &inpatient(fields), &[])
        };
        let admitted = |name: &str, hour: &str, bed: &str, time: &str| {
            event(
                name,
                &format!("20260407{hour}0000"),
                "",
                &[(3, bed), (44, time)],
            )
        };
        let first = admitted("A01", "11", "4W^412^3", "202604071005");
        let moved = |name: &str, hour: &str, to: &str, from: &str| {
            let sent = format!("20260410{hour}0000");
            event(name, &sent, "202604101000", &[(3, to), (6, from)])
        };
        let left = |name: &str, sent: &str, time: &str, how: &str| {
            let fields = [(3, "4W^412^3"), (36, how), (44, "202604071005"), (45, time)];
            event(name, sent, "", &fields)
        };
        let begun = "4W-412-3 completed 04-07T10:05/04-10T10:00";
        let ill = |bed: &str| format!("{bed} active 04-07T10:05/");
        // The files, what is told as overtaken, the state, the beds.
        let cases: Vec<(Vec<String>, usize, &str, Vec<String>)> = vec![
            (
                vec![
                    first.clone(),
                    admitted("A01", "12", "5E^501^1", "202604071005"),
                ],
                1,
                "in-progress",
                vec![ill("5E-501-1")],
            ),
            // To the minute and to the second, either of them newer.
            (
                vec![
                    first.clone(),
                    admitted("A01", "12", "5E^501^1", "20260407100500"),
                ],
                1,
                "in-progress",
                vec![ill("5E-501-1")],
            ),
            (
                vec![
                    admitted("A01", "11", "4W^412^3", "20260407100531"),
                    admitted("A01", "12", "5E^501^1", "202604071005"),
                ],
                1,
                "in-progress",
                vec![ill("5E-501-1")],
            ),
            (
                vec![
                    first.clone(),
                    admitted("A01", "12", "5E^501^1", "20260407100531"),
                ],
                1,
                "in-progress",
                vec![ill("5E-501-1")],
            ),
            // Withdrawn, and sent anew; and withdrawn at last.
            (
                vec![
                    first.clone(),
                    admitted("A11", "12", "4W^412^3", "202604071005"),
                    admitted("A01", "13", "5E^501^1", "202604071005"),
                ],
                1,
                "in-progress",
                vec![ill("5E-501-1")],
            ),
            (
                vec![
                    first.clone(),
                    admitted("A01", "12", "5E^501^1", "20260407100531"),
                    admitted("A11", "13", "5E^501^1", "202604071005"),
                ],
                1,
                "cancelled",
                vec!["5E-501-1  04-07T10:05/".to_owned()],
            ),
            (
                vec![
                    first.clone(),
                    moved("A02", "11", "5E^501^1", "4W^412^3"),
                    moved("A02", "12", "6N^601^1", "4W^412^3"),
                ],
                1,
                "in-progress",
                vec![begun.to_owned(), "6N-601-1 active 04-10T10:00/".to_owned()],
            ),
            // Of several corrections the last; one that is taken back leaves none.
            (
                vec![
                    first.clone(),
                    moved("A02", "11", "5E^501^1", "4W^412^3"),
                    moved("A02", "12", "6N^601^1", "4W^412^3"),
                    moved("A02", "13", "7N^701^1", "4W^412^3"),
                ],
                2,
                "in-progress",
                vec![begun.to_owned(), "7N-701-1 active 04-10T10:00/".to_owned()],
            ),
            (
                vec![
                    first.clone(),
                    moved("A02", "11", "5E^501^1", "4W^412^3"),
                    moved("A02", "12", "6N^601^1", "4W^412^3"),
                    moved("A12", "13", "4W^412^3", "6N^601^1"),
                ],
                1,
                "in-progress",
                vec![ill("4W-412-3")],
            ),
            (
                vec![
                    first.clone(),
                    moved("A02", "11", "5E^501^1", "4W^412^3"),
                    moved("A12", "12", "4W^412^3", "5E^501^1"),
                    moved("A02", "13", "6N^601^1", "4W^412^3"),
                ],
                0,
                "in-progress",
                vec![begun.to_owned(), "6N-601-1 active 04-10T10:00/".to_owned()],
            ),
            // Two moves of one minute, one after the other.
            (
                vec![
                    first.clone(),
                    moved("A02", "11", "5E^501^1", "4W^412^3"),
                    moved("A02", "12", "6N^601^1", "5E^501^1"),
                ],
                0,
                "in-progress",
                vec![
                    begun.to_owned(),
                    "5E-501-1 completed 04-10T10:00/04-10T10:00".to_owned(),
                    "6N-601-1 active 04-10T10:00/".to_owned(),
                ],
            ),
            // A discharge of another time, earlier or later; taken back, too.
            (
                vec![
                    first.clone(),
                    left("A03", "20260412110000", "202604121000", "01"),
                    left("A03", "20260412120000", "202604111000", "05"),
                ],
                1,
                "finished",
                vec!["4W-412-3 completed 04-07T10:05/04-11T10:00".to_owned()],
            ),
            (
                vec![
                    first.clone(),
                    left("A03", "20260412110000", "202604111000", "01"),
                    left("A03", "20260412120000", "202604121000", "05"),
                ],
                1,
                "finished",
                vec!["4W-412-3 completed 04-07T10:05/04-12T10:00".to_owned()],
            ),
            (
                vec![
                    first.clone(),
                    left("A03", "20260412110000", "202604111000", "01"),
                    left("A13", "20260412120000", "202604111000", ""),
                    left("A03", "20260412130000", "202604121000", "05"),
                ],
                0,
                "finished",
                vec!["4W-412-3 completed 04-07T10:05/04-12T10:00".to_owned()],
            ),
            (
                vec![
                    first.clone(),
                    admitted("A01", "12", "5E^501^1", "20260407100531"),
                    moved("A02", "11", "6N^601^1", "5E^501^1"),
                    moved("A02", "12", "4W^412^3", "5E^501^1"),
                    left("A03", "20260412110000", "202604111000", "05"),
                ],
                2,
                "finished",
                vec![
                    "5E-501-1 completed 04-07T10:05/04-10T10:00".to_owned(),
                    "4W-412-3 completed 04-10T10:00/04-11T10:00".to_owned(),
                ],
            ),
        ];
        let mut ids = std::collections::BTreeSet::new();
        for (files, overtaken, status, wanted) in cases {
            let files: Vec<_> = files
                .into_iter()
                .enumerate()
                .map(|(n, text)| (format!("{n}.hl7"), text))
                .collect();
            let mut same = None;
            for files in orders(&files) {
                let out = told(&files);
                let e = one(&out, "Encounter");
                assert_eq!(places(&out, "MAP016").len(), overtaken, "{files:#?}");
                assert!(
                    places(&out, "MAP016")
                        .iter()
                        .all(|(_, what)| what == "Encounter")
                );
                for code in ["MAP109", "MAP120", "MAP129", "MAP130", "MAP131"] {
                    assert!(!reported(&out, code), "{code} {files:#?}");
                }
                assert_eq!(at(&e, "/status"), status, "{files:#?}");
                assert_eq!(beds(&e), wanted, "{files:#?}");
                ids.insert(at(&e, "/id").to_owned());
                let same = same.get_or_insert_with(|| e.clone());
                assert_eq!(*same, e, "{files:#?}");
            }
        }
        assert_eq!(ids.len(), 1, "one stay has one id");
    }

    #[test]
    fn in_a_storage_names_tell_what_is_in_force_and_two_moves_of_a_minute_stay() {
        let to = |bed| inpatient(&[(3, bed), (6, "4W^412^3")]);
        let moved = |sent: &str, bed| adt("A02", sent, "202604101000", &to(bed), &[]);
        let files = with_stay(&[
            ("ADT-42", "20260410", moved("20260410110000", "5E^501^1")),
            ("ADT-42", "20260410", moved("20260410120000", "6N^601^1")),
        ]);
        for files in orders(&files) {
            let out = told(&files);
            assert!(!reported(&out, "MAP016"));
            let last = "6N-601-1 active 04-10T10:00/".to_owned();
            assert_eq!(beds(&one(&out, "Encounter")).last(), Some(&last));
            assert!(beds(&one(&out, "Encounter")).len() > 2);
        }
    }

    #[test]
    fn diseases_with_a_role_stand_in_the_stay() {
        let mut files = stay();
        let ppr = "MSH|^~\\&|A|B|C|D|20260413161000||PPR^ZD1^PPR_ZD1|1|P|2.5\r\nPID|1||0000990001||割符^花子^^^^^L^I||19680303|F\r\nPRB|AD|20260413161000|20064049^十二指腸潰瘍^MDCDX2|P1|||20260413|||K269^十二指腸潰瘍^I10^H^入院時^JHSD0004^2013||||||||1^主診断^JHSD0007".to_owned();
        files.push((path("PPR-01", "-", "20260413161000000", "06", '1'), ppr));
        let out = told(&files);
        let (e, c) = (one(&out, "Encounter"), one(&out, "Condition"));
        assert_eq!(
            at(&e, "/diagnosis/0/condition/reference"),
            format!("Condition/{}", at(&c, "/id"))
        );
        assert_eq!(at(&e, "/diagnosis/0/use/coding/0/code"), "AD");
        assert_eq!(e.pointer("/diagnosis/0/rank").unwrap(), 1);
        assert_eq!(
            at(&c, "/encounter/reference"),
            format!("Encounter/{}", at(&e, "/id"))
        );
    }

    #[test]
    fn the_time_of_recording_stands_in_only_with_a_word() {
        for (kind, event, pv1, code) in [
            ("ADT-22", "A01", vec![(2, "I")], "MAP126"),
            (
                "ADT-22",
                "A01",
                vec![(2, "I"), (44, "2026年4月1日")],
                "HL7113",
            ),
            (
                "ADT-12",
                "A04",
                vec![(2, "O"), (44, "2026/04/01")],
                "HL7113",
            ),
            ("ADT-52", "A03", vec![(2, "I"), (45, "20261399")], "HL7113"),
        ] {
            let out = convert(kind, &adt(event, "20260411070707", "", &pv1, &[]));
            assert!(
                reported(&out, "MAP126") && reported(&out, code),
                "{kind} {event}"
            );
            let sent = pv1.get(1).map_or("", |(_, sent)| *sent);
            assert!(one(&out, "Encounter").to_string().contains(sent), "{sent}");
        }
        let out = convert(
            "ADT-42",
            &adt("A02", "20260411070707", "20261399", &[(2, "I")], &[]),
        );
        assert!(reported(&out, "MAP126") && reported(&out, "HL7113"));
        assert!(one(&out, "Encounter").to_string().contains("20261399"));
        let out = convert(
            "ADT-21",
            &adt(
                "A14",
                "20260411070707",
                "",
                &[(2, "I")],
                &[(8, "2026-04-20")],
            ),
        );
        assert!(reported(&out, "HL7113") && !reported(&out, "MAP110"));
        assert!(one(&out, "Encounter").to_string().contains("2026-04-20"));
        let out = convert(
            "ADT-22",
            &adt(
                "A01",
                "20260411070707",
                "",
                &[(2, "I"), (44, "20260401")],
                &[],
            ),
        );
        assert!(!reported(&out, "MAP126"));
    }

    #[test]
    fn missing_times_and_classes_are_told() {
        let out = convert("ADT-42", &adt("A02", "", "", &[(3, "5E^501^1^^^N")], &[]));
        assert!(reported(&out, "MAP110") && reported(&out, "MAP117") && reported(&out, "MAP109"));
        assert_eq!(at(&one(&out, "Encounter"), "/class/code"), "IMP");
    }
}
