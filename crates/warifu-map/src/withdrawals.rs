//! Orders that messages outside a storage withdraw from each other, as the names of its files would tell it:
//! a withdrawal is of one kind, number and day.

use warifu_diag::catalogue::map_general::{MAP023, MAP024};
use warifu_diag::{Code, Diagnostic, Span};
use warifu_hl7::{Message, Segment, Val};
use warifu_order::{Map, Set};
use warifu_ssmix2::DataKind;

use crate::cx::{Item, Sourced as _, before, span};
use crate::datatypes::sent_at;
use crate::output::Output;

/// Most days that are kept of one order number, and withdrawals of it: one with more is used again and again.
const MOST: usize = 64;

/// Where withdrawals of a group stand for what has none.
const ANY: &str = "\u{1e}";

/// What becomes of a message that no storage weighs.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    /// Newer ones withdraw all of its orders, or are a newer snapshot.
    pub(crate) is_late: bool,
    /// The first of its orders that a newer one names as withdrawn or stopped, and that one, where it is not late.
    stays: Option<(Span, u16)>,
    /// A message of the same moment that says otherwise, and of what.
    tie: Option<(u16, &'static str)>,
}

impl Fate {
    /// A snapshot that another of its kind, as new or newer, takes the place of.
    pub(crate) fn replace(&mut self, kind: DataKind, message: Message<'_>, by: Message<'_>) {
        self.is_late = true;
        let of_one_moment = sent_at(message) == sent_at(by);
        if of_one_moment && said(message) != said(by) {
            self.tie = self.tie.or(Some((by.number(), kind.code())));
        }
    }
    /// Whether there is something to tell.
    pub(crate) const fn is_told(&self) -> bool {
        self.stays.is_some() || self.tie.is_some()
    }
}

/// What a message says of an order.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    Stands,
    /// It goes no further (`DC`), or not all of it is withdrawn; what was done stays.
    Stopped,
    Cancelled,
}

/// Kind of an order and the days it is known by.
#[derive(Clone, Copy, PartialEq)]
struct Use<'a> {
    kind: &'a str,
    /// The kind's day of care.
    care: &'a str,
    /// `ORC-9`.
    entered: &'a str,
}

impl Use<'_> {
    fn day(&self) -> &str {
        if self.care.is_empty() {
            self.entered
        } else {
            self.care
        }
    }
    /// Whether both are of one day, where both tell it in the same way.
    fn is_of_day(&self, other: &Self) -> Option<bool> {
        let same = |a: &str, b: &str| (!a.is_empty() && !b.is_empty()).then_some(a == b);
        same(self.care, other.care).or_else(|| same(self.entered, other.entered))
    }
}

/// An order as a message names it; of a withdrawal, what it takes with it.
#[derive(Clone)]
struct Order<'a> {
    /// Type of message and number.
    key: String,
    group: &'a str,
    used: Use<'a>,
    says: Says,
    /// Whether the message tells its kind, not only its type: it has a drug or an examination.
    is_named: bool,
    /// Of a withdrawal: whether older messages used the number on one day only.
    one_day: bool,
    at: Span,
    sent: &'a str,
    message: u16,
}

impl Order<'_> {
    /// Number and group.
    fn place(&self, group: &str) -> String {
        [&*self.key, "\u{1e}", group].concat()
    }
    /// Whether the kind of an order is this withdrawal's.
    fn is_of_kind(&self, used: &Use<'_>) -> bool {
        !self.is_named || self.used.kind == used.kind
    }
    fn is_of_day(&self, used: &Use<'_>) -> bool {
        self.used.is_of_day(used).unwrap_or(self.one_day)
    }
}

/// What a message says behind its header.
fn said(message: Message<'_>) -> &[u8] {
    let second = message.segments().nth(1);
    let from = second.and_then(|s| usize::try_from(s.span().0).ok());
    let all = from.and_then(|from| message.bytes().get(from..));
    all.unwrap_or_default().trim_ascii_end()
}

fn day(value: Val<'_>) -> &str {
    value.text.get(..8).unwrap_or_default()
}

fn says(orc: Segment<'_>) -> Says {
    let state = orc.field(5).value().text;
    match warifu_terms::maps::withdrawal(orc.field(1).value().text) {
        Some("stopped") => Says::Stopped,
        Some(_) => Says::Cancelled,
        None if state == "CA" => Says::Cancelled,
        None if state == "DC" => Says::Stopped,
        None => Says::Stands,
    }
}

/// The orders of a message; none where one has no number.
fn orders_of<'a>(item: Item<'a>, message: Message<'a>) -> Vec<Order<'a>> {
    let obr = message.first(b"OBR");
    let is_named = obr
        .or_else(|| message.first(b"RXE"))
        .or_else(|| message.first(b"RXA"))
        .is_some();
    let (care_field, care) = match item.kind {
        Some(kind) if kind.is_dateless() => ("", "-"),
        Some(kind) => {
            warifu_ssmix2::care_date(kind, message).map_or(("", ""), |(f, v)| (f, day(v)))
        }
        None => ("", ""),
    };
    let (of, sent) = (message.value(b"MSH", 9).text, message.value(b"MSH", 7).text);
    let mut orders: Vec<Order<'a>> = Vec::new();
    for orc in message.segments().filter(|s| s.name() == *b"ORC") {
        let number = orc.field(2).comp(1).value().trimmed().some();
        let placer = || Some(obr?.field(2).comp(1).value().trimmed()).and_then(Val::some);
        let Some(number) = number.or_else(placer) else {
            return Vec::new();
        };
        let entered = day(orc.field(9).value());
        let is_entered = care_field == "ORC-9" && !entered.is_empty();
        orders.push(Order {
            key: [of, "\u{1e}", number.text].concat(),
            group: orc.field(4).value().text,
            used: Use {
                kind: item.kind.map_or("", DataKind::code),
                care: if is_entered { entered } else { care },
                entered,
            },
            says: says(orc),
            is_named,
            one_day: false,
            at: span(orc.src()),
            sent,
            message: message.number(),
        });
    }
    // What one ORC withdraws and another says is not withdrawn as a whole.
    let mut standing: Set<String> = Set::new();
    if orders.iter().any(|o| o.says == Says::Cancelled) {
        for order in orders.iter().filter(|o| o.says == Says::Stands) {
            standing.insert(order.place(""));
            standing.insert(order.place(order.group));
        }
    }
    for one in orders.iter_mut().filter(|o| o.says == Says::Cancelled) {
        if standing.contains(&one.place(one.group)) {
            one.says = Says::Stopped;
        }
    }
    orders
}

/// Tells of each withdrawal what it can be of, from the oldest message on.
fn settle(all: &mut [Vec<Order<'_>>]) {
    let mut uses: Map<String, Vec<Use<'_>>> = Map::new();
    for orders in all.iter_mut().rev() {
        for one in orders.iter_mut().filter(|o| o.says == Says::Cancelled) {
            let known = uses.get(&one.key).map_or(&[][..], Vec::as_slice);
            let of_kind = || known.iter().filter(|used| one.is_of_kind(used));
            let first = of_kind().next().map(Use::day);
            let one_day = known.len() < MOST && of_kind().all(|used| Some(used.day()) == first);
            let hit = |used: &&Use<'_>| one.used.is_of_day(used).unwrap_or(one_day);
            let kind = of_kind().find(hit).map(|used| used.kind);
            // Without a drug or an examination it may be of any kind of its type, but not of two.
            let one_kind = of_kind().filter(hit).all(|used| Some(used.kind) == kind);
            if !one_kind || !one.is_named && known.len() >= MOST {
                one.says = Says::Stopped;
            }
            one.one_day = one_day;
        }
        for order in orders.iter().filter(|o| o.says == Says::Stands) {
            let known = uses.entry(order.key.clone()).or_default();
            if known.len() < MOST && !known.contains(&order.used) {
                known.push(order.used);
            }
        }
    }
}

/// Notes what a message withdraws.
fn put<'a>(withdrawn: &mut Map<String, Vec<Order<'a>>>, group: &str, order: Order<'a>) {
    let known = withdrawn.entry(order.place(group)).or_default();
    let same = |w: &Order<'_>| {
        (w.used, w.says, w.is_named, w.one_day)
            == (order.used, order.says, order.is_named, order.one_day)
    };
    // Of several that say the same the oldest, which may be of one moment with what it withdraws.
    if let Some(known) = known.iter_mut().find(|w| same(w)) {
        *known = order;
    } else if known.len() < MOST {
        known.push(order);
    }
}

/// A message, whether no storage weighs it, and whether it is cut.
type Weighed<'a> = ((bool, bool), (Item<'a>, Message<'a>));

/// Weighs messages against each other, the newest first; those that a storage weighs stand.
pub(crate) fn weigh(messages: &[Weighed<'_>]) -> Vec<Fate> {
    let loose = messages.iter().filter(|m| m.0.0).map(|m| m.1.1);
    let mut orcs = loose.flat_map(|m| m.segments().filter(|s| s.name() == *b"ORC"));
    if orcs.all(|orc| says(orc) == Says::Stands) {
        return Vec::new();
    }
    let orders = messages
        .iter()
        .map(|((is_loose, is_cut), (item, message))| {
            let mut orders = Vec::new();
            if *is_loose {
                orders = orders_of(*item, *message);
            }
            // What is missing of a cut one may say that a part of it stands.
            for one in orders
                .iter_mut()
                .filter(|o| *is_cut && o.says == Says::Cancelled)
            {
                one.says = Says::Stopped;
            }
            orders
        });
    let mut all: Vec<Vec<Order<'_>>> = orders.collect();
    settle(&mut all);
    let mut withdrawn: Map<String, Vec<Order<'_>>> = Map::new();
    let mut standing: Map<String, (&str, &str, u16)> = Map::new();
    let mut fates = Vec::with_capacity(all.len());
    for orders in all {
        let mut fate = Fate {
            is_late: !orders.is_empty(),
            ..Fate::default()
        };
        for order in &orders {
            let mut taken = None;
            let mut by = None;
            let group = if order.group.is_empty() {
                ANY
            } else {
                order.group
            };
            let lists = ["", group].map(|group| withdrawn.get(&order.place(group)));
            let of_kind = |w: &&Order<'_>| w.is_of_kind(&order.used);
            for w in lists.into_iter().flatten().flatten().filter(of_kind) {
                by = Some(w.message);
                if w.says == Says::Cancelled && w.is_of_day(&order.used) {
                    taken = Some(w);
                    break;
                }
            }
            fate.is_late &= taken.is_some();
            if let Some(by) = by.filter(|_| order.says == Says::Stands) {
                fate.stays = fate.stays.or(Some((order.at, by)));
            }
            let newer = standing.get(&order.key);
            let is_tie = |(sent, kind, _): &&(&str, &str, u16)| {
                order.says == Says::Cancelled
                    && *sent == order.sent
                    && (!order.is_named || *kind == order.used.kind)
            };
            let tie = taken.filter(|w| w.sent == order.sent && order.says == Says::Stands);
            let tie = tie.map(|w| w.message).or(newer.filter(is_tie).map(|n| n.2));
            fate.tie = fate.tie.or(tie.map(|other| (other, "ORC-1")));
        }
        if fate.is_late {
            fate.stays = None;
        }
        for order in orders {
            if order.says == Says::Stands {
                let seen = (order.sent, order.used.kind, order.message);
                standing.insert(order.key, seen);
                continue;
            }
            if !order.group.is_empty() {
                let stops = Order {
                    says: Says::Stopped,
                    ..order.clone()
                };
                put(&mut withdrawn, ANY, stops);
            }
            let group = order.group;
            put(&mut withdrawn, group, order);
        }
        fates.push(fate);
    }
    fates
}

/// Tells what stays of orders that are withdrawn or stopped, and where only the order of the input decided.
/// What was made of the messages stands in `out` from `from` on.
pub(crate) fn tell(told: &[(Message<'_>, Fate)], from: usize, out: &mut Output) {
    if told.is_empty() {
        return;
    }
    let mut counts: Map<u16, u32> = Map::new();
    for r in out.resources.iter().skip(from) {
        let of_none = matches!(r.resource_type, "Patient" | "Provenance");
        if !of_none && !crate::output::is_shared(r.resource_type) {
            *counts.entry(r.message).or_default() += 1;
        }
    }
    for (message, fate) in told {
        let number = message.number();
        let mut report = |code: Code, at: Span, other: u16, argument: String| {
            let mut d = Diagnostic::new(code, at).with(argument);
            d.path = message.locate(at.start);
            let file_of = |n: u16| out.file_of(warifu_diag::SourceId(n.into()));
            if file_of(other) != file_of(number) {
                d = d.with_label(before(other));
            }
            out.report(d);
        };
        if let Some((other, of)) = fate.tie {
            let at = span(message.value(b"MSH", 7).src());
            report(&MAP023, at, other, of.to_owned());
        }
        if let Some((at, other)) = fate.stays
            && let Some(count) = counts.get(&number)
        {
            report(&MAP024, at, other, count.to_string());
        }
    }
}
