//! The segments that every message shares: MSH, EVN, PID, PV1, ORC.

use crate::hl7::{Maybe, Message};
use crate::people::{HOSPITAL, HOSPITAL_ADDRESS, HOSPITAL_PHONE, UKETSUKE};
use crate::record::{Patient, Sex, Staff, Visit};
use crate::time::Stamp;

/// Which edition of SS-MIX2 the sending module follows (MSH-21).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// 1.2c to 1.2g.
    C,
    /// 1.2h.
    H,
}

/// MSH: `message` is MSH-9 with its three components.
pub fn msh(m: &mut Message<'_>, message: &str, written: Stamp, edition: Edition) {
    m.seg("MSH")
        .f(3, "WRFHIS")
        .f(4, "WRF")
        .f(5, "SSMIX2GW")
        .f(6, "SSMIX2")
        .f(7, written.dotted())
        .f(9, message)
        .f(10, written.milli())
        .f(11, "P")
        .f(12, "2.5")
        .f(18, "~ISO IR87")
        .f(20, "ISO 2022-1994")
        .f(
            21,
            match edition {
                Edition::C => "SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO",
                Edition::H => "SS-MIX2_1.20_h^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO",
            },
        );
}

/// EVN of an event that happened at `occurred`.
pub fn evn(m: &mut Message<'_>, recorded: Stamp, occurred: Stamp) {
    m.seg("EVN")
        .f(2, recorded.second())
        .f(5, UKETSUKE)
        .f(6, occurred.minute())
        .f(7, "WRF");
}

/// EVN of an event that is planned for `planned`.
pub fn evn_planned(m: &mut Message<'_>, recorded: Stamp, planned: Stamp) {
    m.seg("EVN")
        .f(2, recorded.second())
        .f(3, planned.minute())
        .f(4, "02")
        .f(5, UKETSUKE)
        .f(7, "WRF");
}

/// PID, all the fields SS-MIX2 uses.
pub fn pid(m: &mut Message<'_>, patient: &Patient) {
    m.seg("PID")
        .f(1, "0001")
        .f(3, format_args!("{}^^^^PI", patient.id))
        .f(5, patient.name())
        .f(7, patient.birth.date())
        .f(
            8,
            match patient.sex {
                Sex::Female => "F",
                Sex::Male => "M",
            },
        )
        .f(11, format_args!("^^^^000-0000^JPN^H^{}", patient.address))
        .f(13, "^PRN^PH^^^^^^^^^03-0000-0000")
        .f(14, "^WPN^PH^^^^^^^^^03-0000-0001")
        .f(33, patient.updated.second());
}

/// PV1.
pub fn pv1(m: &mut Message<'_>, visit: &Visit) {
    m.seg("PV1")
        .f(1, "0001")
        .f(2, if visit.is_inpatient() { "I" } else { "O" })
        .f(3, visit.place)
        .f(6, Maybe(visit.prior))
        .f(7, visit.attending)
        .f(10, visit.department.0)
        .f(17, Maybe(visit.admitting))
        .f(36, visit.disposition)
        .f(44, Maybe(visit.admit.map(Stamp::minute)))
        .f(45, Maybe(visit.discharge.map(Stamp::minute)));
}

/// What changes from ORC to ORC.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// ORC-1 (table 0119).
    pub control: &'a str,
    /// ORC-2 placer order number.
    pub placer: &'a str,
    /// ORC-3 filler order number.
    pub filler: &'a str,
    /// ORC-5 status (table 0038).
    pub status: &'a str,
    /// ORC-8 parent order number of a child (`CH`).
    pub parent: &'a str,
    /// ORC-9.
    pub at: Stamp,
    /// ORC-12.
    pub by: Staff,
    /// ORC-13, 17, 29 follow from the visit.
    pub visit: &'a Visit,
}

impl<'a> Order<'a> {
    /// A new order (`NW`) placed at `at`.
    pub fn new(placer: &'a str, at: Stamp, visit: &'a Visit) -> Self {
        Self {
            control: "NW",
            placer,
            filler: "",
            status: "",
            parent: "",
            at,
            by: visit.attending,
            visit,
        }
    }

    /// The same order with another ORC-1.
    #[must_use]
    pub fn control(self, control: &'a str) -> Self {
        Self { control, ..self }
    }

    /// The same order with a filler number.
    #[must_use]
    pub fn filler(self, filler: &'a str) -> Self {
        Self { filler, ..self }
    }

    /// The same order with a status.
    #[must_use]
    pub fn status(self, status: &'a str) -> Self {
        Self { status, ..self }
    }

    /// A child order `number` of this one.
    #[must_use]
    pub fn child(self, number: &'a str) -> Self {
        Self {
            control: "CH",
            placer: number,
            parent: self.placer,
            ..self
        }
    }
}

/// ORC; `group` is ORC-4 (Rp number, or `order_rp_administration`) or empty.
pub fn orc(m: &mut Message<'_>, order: &Order<'_>, group: impl std::fmt::Display) {
    let visit = order.visit;
    m.seg("ORC")
        .f(1, order.control)
        .f(2, order.placer)
        .f(3, order.filler)
        .f(4, group)
        .f(5, order.status)
        .f(8, order.parent)
        .f(9, order.at.second())
        .f(10, UKETSUKE)
        .f(12, order.by)
        .f(13, visit.place)
        .f(17, visit.department)
        .f(18, "PC08^^99WRF")
        .f(21, HOSPITAL)
        .f(22, HOSPITAL_ADDRESS)
        .f(23, HOSPITAL_PHONE)
        .f(
            29,
            if visit.is_inpatient() {
                "I^入院患者オーダ^HL70482"
            } else {
                "O^外来患者オーダ^HL70482"
            },
        );
}
