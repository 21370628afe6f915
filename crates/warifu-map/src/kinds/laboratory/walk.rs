//! One walk over the segments of an OML message: specimens, orders, results and their comments.
//!
//! OML-11 is SPM { OBR ORC { OBX NTE } }, OML-01 is SPM { ORC TQ1 OBR OBX }; other orders of the same
//! segments (ORC before OBR, an SPM behind its results) are understood as well. Linear in segments.

use bumpalo::collections::Vec;
use warifu_hl7::{Message, Segment, Val};

/// A range of [`Walk::notes`].
pub(super) type Notes = (usize, usize);

/// A specimen with the comments after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Specimen<'a> {
    pub(super) spm: Segment<'a>,
    pub(super) notes: Notes,
}

/// A result with the comments after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) obx: Segment<'a>,
    pub(super) notes: Notes,
}

/// An order: what belongs to one OBR.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Order<'a> {
    /// Index into [`Walk::specimens`].
    pub(super) specimen: Option<usize>,
    pub(super) obr: Option<Segment<'a>>,
    /// What is asked for (OBR-4): its JLAC code, else another, else its text.
    pub(super) code: &'a str,
    pub(super) orc: Option<Segment<'a>>,
    pub(super) tq1: Option<Segment<'a>>,
    /// Comments between the order's segments and its first result.
    pub(super) notes: Notes,
    /// Range of [`Walk::lines`].
    pub(super) lines: (usize, usize),
}

impl<'a> Order<'a> {
    /// ORC-1.
    pub(super) fn control(&self) -> Val<'a> {
        self.orc(1)
    }
    /// A field of ORC.
    pub(super) fn orc(&self, n: usize) -> Val<'a> {
        self.orc
            .map(|s| s.field(n).value().trimmed())
            .unwrap_or_default()
    }
    /// The segments of the head.
    pub(super) fn segments(&self) -> [Option<Segment<'a>>; 3] {
        [self.orc, self.obr, self.tq1]
    }
    fn is_empty(&self) -> bool {
        self.obr.is_none()
            && self.orc.is_none()
            && self.tq1.is_none()
            && self.lines.0 == self.lines.1
    }
}

/// What a walk found.
pub(super) struct Walk<'a> {
    pub(super) specimens: Vec<'a, Specimen<'a>>,
    pub(super) orders: Vec<'a, Order<'a>>,
    pub(super) lines: Vec<'a, Line<'a>>,
    /// All comments, in file order.
    notes: Vec<'a, Segment<'a>>,
    /// Comments that follow neither specimen, order nor result (after PID).
    pub(super) loose: Notes,
    /// Each TQ1 of an order behind its first.
    pub(super) further: Vec<'a, Segment<'a>>,
}

/// What an NTE belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Message,
    Specimen,
    Order,
    Line,
}

impl<'a> Walk<'a> {
    /// Walks a message.
    pub(super) fn of(message: Message<'a>) -> Self {
        let arena = message.arena();
        let segments = message.segments();
        let mut w = Self {
            specimens: Vec::new_in(arena),
            orders: Vec::new_in(arena),
            lines: Vec::with_capacity_in(segments.len(), arena),
            notes: Vec::new_in(arena),
            loose: (0, 0),
            further: Vec::new_in(arena),
        };
        let mut order = Order::default();
        let mut last = Last::Message;
        for s in segments {
            match &s.name() {
                b"SPM" => {
                    // An SPM behind the results it belongs to (as in ORU).
                    if order.specimen.is_none()
                        && order.lines.0 < order.lines.1
                        && order.obr.is_some()
                    {
                        order.specimen = Some(w.specimens.len());
                        w.specimen(s);
                        last = Last::Specimen;
                        continue;
                    }
                    w.flush(&mut order);
                    order.specimen = Some(w.specimens.len());
                    w.specimen(s);
                    last = Last::Specimen;
                }
                b"OBR" => {
                    if order.obr.is_some() {
                        w.flush(&mut order);
                    }
                    order.obr = Some(s);
                    order.code = super::joined::code_of(s.field(4));
                    w.begin(&mut order, &mut last);
                }
                b"ORC" => {
                    if order.orc.is_some() || order.lines.0 < order.lines.1 {
                        w.flush(&mut order);
                    }
                    order.orc = Some(s);
                    w.begin(&mut order, &mut last);
                }
                b"TQ1" => {
                    if order.tq1.is_none() {
                        order.tq1 = Some(s);
                    } else {
                        w.further.push(s);
                    }
                    w.begin(&mut order, &mut last);
                }
                b"OBX" => {
                    if order.lines.0 == order.lines.1 {
                        order.lines = (w.lines.len(), w.lines.len());
                    }
                    order.lines.1 += 1;
                    w.lines.push(Line {
                        obx: s,
                        notes: (w.notes.len(), w.notes.len()),
                    });
                    last = Last::Line;
                }
                b"NTE" => {
                    w.notes.push(s);
                    let end = w.notes.len();
                    let range = match last {
                        Last::Message => &mut w.loose,
                        Last::Order => &mut order.notes,
                        Last::Specimen => match w.specimens.last_mut() {
                            Some(s) => &mut s.notes,
                            None => &mut w.loose,
                        },
                        Last::Line => match w.lines.last_mut() {
                            Some(l) => &mut l.notes,
                            None => &mut w.loose,
                        },
                    };
                    if range.0 == range.1 {
                        range.0 = end - 1;
                    }
                    range.1 = end;
                }
                _ => {}
            }
        }
        w.flush(&mut order);
        w
    }
    fn specimen(&mut self, spm: Segment<'a>) {
        let at = self.notes.len();
        self.specimens.push(Specimen {
            spm,
            notes: (at, at),
        });
    }
    /// A segment of the order's head was read: comments that follow are the order's.
    fn begin(&self, order: &mut Order<'a>, last: &mut Last) {
        if *last != Last::Order {
            order.notes = (self.notes.len(), self.notes.len());
            *last = Last::Order;
        }
    }
    /// Closes the order at hand; the next one stays with its specimen.
    fn flush(&mut self, order: &mut Order<'a>) {
        if !order.is_empty() {
            self.orders.push(*order);
        }
        *order = Order {
            specimen: order.specimen,
            ..Order::default()
        };
    }
    /// Comments of a range.
    pub(super) fn notes(&self, range: Notes) -> impl Iterator<Item = Segment<'a>> + '_ {
        self.notes
            .get(range.0..range.1)
            .unwrap_or_default()
            .iter()
            .copied()
    }
    /// Results of an order.
    pub(super) fn lines_of(&self, order: &Order<'a>) -> &[Line<'a>] {
        self.lines
            .get(order.lines.0..order.lines.1)
            .unwrap_or_default()
    }
}
