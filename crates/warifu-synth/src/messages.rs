//! Message bodies with repeating groups: prescriptions, injections, laboratory, diseases, insurance.
//!
//! The bundled story and the generator both write through these, so a benchmark storage has the
//! shape of the fixtures.

use crate::codes::{Amount, Disease, Drug, Lab, merit9};
use crate::hl7::{Maybe, Message, Repeated, Segment};
use crate::record::{Code, Staff};
use crate::segments::{Order, orc};
use crate::time::Stamp;
use std::fmt::{self, Display};

/// One drug of an Rp.
#[derive(Debug, Clone, Copy)]
pub struct Dose {
    /// The drug.
    pub drug: Drug,
    /// RXE-3 amount of one dose.
    pub each: Amount,
    /// RXE-19 amount of one day.
    pub daily: Amount,
    /// RXE-10 amount dispensed.
    pub total: Amount,
}

/// Drugs taken by the same directions (Rp).
#[derive(Debug, Clone, Copy)]
pub struct Rp<'a> {
    /// TQ1-3 JAMI usage, 16 digits.
    pub usage: Code,
    /// TQ1-3 further repetitions: supplementary usage, 8 digits.
    pub extra: &'a [Code],
    /// TQ1-6 as printed, `7^d` or `5^回`.
    pub duration: &'a str,
    /// TQ1-7.
    pub start: Stamp,
    /// RXR-1.
    pub route: Code,
    /// RXR-2, site of an external drug.
    pub site: &'a str,
    /// TQ1-11, free text.
    pub text: &'a str,
    /// RXE-7, instruction to the pharmacist or patient.
    pub instruction: &'a str,
    /// RXE-12 how often the prescription may be filled (リフィル), or blank.
    pub refill: Amount,
    /// The drugs.
    pub doses: &'a [Dose],
}

/// An Rp with nothing but usage, duration, start, route and drugs.
pub const fn rp<'a>(
    usage: Code,
    duration: &'a str,
    start: Stamp,
    route: Code,
    doses: &'a [Dose],
) -> Rp<'a> {
    Rp {
        usage,
        extra: &[],
        duration,
        start,
        route,
        site: "",
        text: "",
        instruction: "",
        refill: Amount::Blank,
        doses,
    }
}

/// `3^TAB&錠&MR9P`, or nothing without a number.
struct Quantity(Amount, Code);

impl Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Amount::Of(..) => write!(f, "{}^{}", self.0, self.1.sub()),
            Amount::Null | Amount::Blank => Ok(()),
        }
    }
}

/// TQ1-3: repetitions whose first component is a code with `&`.
struct Usages<'a>(Code, &'a [Code]);

impl Display for Usages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.sub().fmt(f)?;
        self.1
            .iter()
            .try_for_each(|code| write!(f, "~{}", code.sub()))
    }
}

/// OMP-01: `{ ORC RXE TQ1 RXR }`, one group per drug, the Rp number in ORC-4.
///
/// `class` is RXE-21, e.g. `OHP^外来処方^MR9P~OHI^院内処方^MR9P`.
pub fn prescription(m: &mut Message<'_>, order: &Order<'_>, class: &str, rps: &[Rp<'_>]) {
    for (number, rp) in (1..).zip(rps) {
        for dose in rp.doses {
            orc(m, order, number);
            m.seg("RXE")
                .f(2, dose.drug.code)
                .f(3, dose.each)
                .f(5, dose.drug.unit)
                .f(6, dose.drug.form)
                .f(7, rp.instruction)
                .f(10, dose.total)
                .f(11, dose.drug.unit)
                .f(12, rp.refill)
                .f(15, order.placer)
                .f(19, Quantity(dose.daily, dose.drug.unit))
                .f(21, class)
                .f(32, order.at.second());
            m.seg("TQ1")
                .f(1, "1")
                .f(3, Usages(rp.usage, rp.extra))
                .f(6, rp.duration)
                .f(7, rp.start.date())
                .f(11, rp.text);
            m.seg("RXR").f(1, rp.route).f(2, rp.site);
        }
    }
}

/// OMP-11: `{ ORC { RXA } RXR }`, one group per Rp.
pub fn dispensed(m: &mut Message<'_>, order: &Order<'_>, at: Stamp, by: Staff, rps: &[Rp<'_>]) {
    for (number, rp) in (1..).zip(rps) {
        orc(m, order, number);
        for dose in rp.doses {
            m.seg("RXA")
                .f(1, "0")
                .f(2, "1")
                .f(3, at.minute())
                .f(4, at.minute())
                .f(5, dose.drug.code)
                .f(6, dose.total)
                .f(7, dose.drug.unit)
                .f(8, dose.drug.form)
                .f(10, by)
                .f(11, order.visit.place)
                .f(20, "CP")
                .f(22, at.plus_minutes(2).second());
        }
        m.seg("RXR").f(1, rp.route).f(2, rp.site);
    }
}

/// One administration of an injection.
#[derive(Debug, Clone, Copy)]
pub struct Drip<'a> {
    /// RXE-2 injection kind (JHSI0002).
    pub kind: Code,
    /// RXE-3 total volume in mL.
    pub volume: Amount,
    /// RXE-23 rate in mL/h, or blank.
    pub rate: Amount,
    /// TQ1-7.
    pub start: Stamp,
    /// TQ1-8.
    pub end: Stamp,
    /// RXR-1.
    pub route: Code,
    /// RXR-3.
    pub device: Option<Code>,
    /// RXE-7.
    pub instruction: &'a str,
    /// RXC: base (`B`) or additive (`A`), drug, amount.
    pub components: &'a [(&'static str, Drug, Amount)],
}

/// 一般 (JHSI0002).
pub const GENERAL_INJECTION: Code = Code("00", "一般", "99I02");
/// 血液製剤 (JHSI0002).
pub const BLOOD_PRODUCT: Code = Code("01", "血液製剤", "99I02");
/// 予防接種 (JHSI0002).
pub const VACCINATION: Code = Code("06", "予防接種", "99I02");

/// OMP-02: `{ ORC RXE TQ1 RXR { RXC } }`, one group per administration; ORC-4 `order_rp_administration`.
pub fn injection(m: &mut Message<'_>, order: &Order<'_>, class: &str, drips: &[Drip<'_>]) {
    for (number, drip) in (1..).zip(drips) {
        orc(m, order, format_args!("{}_01_{number:03}", order.placer));
        let has_rate = matches!(drip.rate, Amount::Of(..));
        m.seg("RXE")
            .f(2, drip.kind)
            .f(3, drip.volume)
            .f(5, merit9::ML)
            .f(6, merit9::INJECTION)
            .f(7, drip.instruction)
            .f(15, order.placer)
            .f(21, class)
            .f(22, if has_rate { "H1" } else { "" })
            .f(23, drip.rate)
            .f(
                24,
                if has_rate {
                    "ml/hr^ミリリットル／時間^ISO+"
                } else {
                    ""
                },
            )
            .f(32, order.at.second())
            .f(42, order.visit.place);
        m.seg("TQ1")
            .f(1, "1")
            .f(7, drip.start.minute())
            .f(8, drip.end.minute());
        m.seg("RXR").f(1, drip.route).f(3, Maybe(drip.device));
        for (kind, drug, amount) in drip.components {
            m.seg("RXC")
                .f(1, kind)
                .f(2, drug.code)
                .f(3, amount)
                .f(4, drug.unit);
        }
    }
}

/// What happened to a drip.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// RXA-3.
    pub start: Stamp,
    /// RXA-4.
    pub end: Stamp,
    /// RXA-10.
    pub by: Staff,
    /// RXA-9.
    pub note: &'a str,
    /// RXA-15, 16, 17: lot, expiry, manufacturer.
    pub lot: (&'a str, &'a str, &'a str),
    /// RXA-18 why it was refused or stopped.
    pub reason: &'a str,
    /// RXA-20 `CP` `PA` `RE` `NA`.
    pub completion: &'a str,
}

/// OMP-12: `ORC { RXA } RXR` for administration `number` of the order.
pub fn injected(
    m: &mut Message<'_>,
    order: &Order<'_>,
    number: u32,
    drip: &Drip<'_>,
    given: &Given<'_>,
) {
    orc(m, order, format_args!("{}_01_{number:03}", order.placer));
    for (_, drug, amount) in drip.components {
        m.seg("RXA")
            .f(1, "0")
            .f(2, "1")
            .f(3, given.start.second())
            .f(4, given.end.second())
            .f(5, drug.code)
            .f(6, amount)
            .f(7, drug.unit)
            .f(9, given.note)
            .f(10, given.by)
            .f(11, order.visit.place)
            .f(12, Rate(drip.rate))
            .f(15, given.lot.0)
            .f(16, given.lot.1)
            .f(17, given.lot.2)
            .f(18, given.reason)
            .f(20, given.completion)
            .f(22, given.end.plus_minutes(3).second());
    }
    m.seg("RXR").f(1, drip.route).f(3, Maybe(drip.device));
}

/// `102ml/hr`, or nothing without a rate.
struct Rate(Amount);

impl Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Amount::Of(..) => write!(f, "{}ml/hr", self.0),
            Amount::Null | Amount::Blank => Ok(()),
        }
    }
}

/// SPM: specimen `set` of the message.
pub fn spm(m: &mut Message<'_>, set: u32, id: &str, material: Code, collected: Stamp) {
    m.seg("SPM")
        .f(1, set)
        .f(2, id)
        .f(4, material)
        .f(17, collected.minute());
}

/// OBR of a laboratory report, then its ORC, which follows it in OML-11 only.
pub fn report(
    m: &mut Message<'_>,
    panel: Code,
    order: &Order<'_>,
    collected: Stamp,
    issued: Stamp,
) {
    m.seg("OBR")
        .f(1, "1")
        .f(2, order.placer)
        .f(3, order.filler)
        .f(4, panel)
        .f(7, collected.minute())
        .f(8, collected.minute())
        .f(16, order.by)
        .f(22, issued.second())
        .f(25, "F");
    orc(m, order, "");
}

/// OBX-1 to OBX-5; the caller adds the rest.
pub fn obx<'m, 'j>(
    m: &'m mut Message<'j>,
    set: usize,
    value_type: &str,
    code: impl Display,
    value: impl Display,
) -> Segment<'m, 'j> {
    m.seg("OBX")
        .f(1, set)
        .f(2, value_type)
        .f(3, code)
        .f(5, value)
}

/// OBX of a numeric result: unit, reference range, abnormal flag, status, time.
pub fn result(
    m: &mut Message<'_>,
    set: usize,
    item: &Lab,
    value: i64,
    status: &str,
    collected: Stamp,
) {
    let (low, high) = item.range;
    let limit = |value| Amount::Of(value, item.places);
    obx(m, set, "NM", item.code, limit(value))
        .f(6, item.unit)
        .f(7, format_args!("{}-{}", limit(low), limit(high)))
        .f(
            8,
            if value < low {
                "L"
            } else if value > high {
                "H"
            } else {
                ""
            },
        )
        .f(11, status)
        .f(14, collected.minute());
}

/// One disease name (PRB and ZPR).
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// PRB-1 (table 0287).
    pub action: &'a str,
    /// PRB-2.
    pub at: Stamp,
    /// PRB-3.
    pub disease: Disease,
    /// PRB-3.2, the name with its modifiers as the chart shows it; empty: the plain name.
    pub shown: &'a str,
    /// PRB-4 instance id.
    pub instance: &'a str,
    /// PRB-7.
    pub start: Stamp,
    /// PRB-9.
    pub end: Option<Stamp>,
    /// PRB-10 second triplet, kind of diagnosis (JHSD0004).
    pub kind: &'a str,
    /// PRB-13 `1^疑い^JHSD0005` for a suspected disease.
    pub suspected: bool,
    /// PRB-14 outcome.
    pub outcome: &'a str,
    /// PRB-18 `1^主診断^JHSD0007`.
    pub main: bool,
    /// ZPR-1 and 4: prefix modifiers (management number, exchange code).
    pub prefixes: &'a [(Code, Code)],
    /// ZPR-3 and 6: suffix modifiers.
    pub suffixes: &'a [(Code, Code)],
}

impl Problem<'_> {
    /// A newly added, confirmed disease.
    pub const fn new(disease: Disease, instance: &str, at: Stamp, start: Stamp) -> Problem<'_> {
        Problem {
            action: "AD",
            at,
            disease,
            shown: "",
            instance,
            start,
            end: None,
            kind: "O^外来時^JHSD0004",
            suspected: false,
            outcome: "",
            main: false,
            prefixes: &[],
            suffixes: &[],
        }
    }
}

/// PRB and, with modifiers, ZPR.
pub fn problem(m: &mut Message<'_>, problem: &Problem<'_>) {
    let disease = problem.disease;
    let shown = if problem.shown.is_empty() {
        disease.name
    } else {
        problem.shown
    };
    m.seg("PRB")
        .f(1, problem.action)
        .f(2, problem.at.second())
        .f(3, format_args!("{}^{shown}^MDCDX2", disease.number))
        .f(4, problem.instance)
        .f(7, problem.start.date())
        .f(9, Maybe(problem.end.map(Stamp::date)))
        .f(
            10,
            format_args!(
                "{}^{}^I10^{}^2013",
                disease.icd10, disease.name, problem.kind
            ),
        )
        .f(
            13,
            if problem.suspected {
                "1^疑い^JHSD0005"
            } else {
                ""
            },
        )
        .f(14, problem.outcome)
        .f(16, problem.start.date())
        .f(
            18,
            if problem.main {
                "1^主診断^JHSD0007"
            } else {
                ""
            },
        );
    if problem.prefixes.is_empty() && problem.suffixes.is_empty() {
        return;
    }
    m.seg("ZPR")
        .f(1, Repeated(&numbers(problem.prefixes)))
        .f(
            2,
            format_args!("{}^{}^MDCDX2", disease.number, disease.name),
        )
        .f(3, Repeated(&numbers(problem.suffixes)))
        .f(4, Repeated(&exchange(problem.prefixes)))
        .f(
            5,
            format_args!("{}^{}^MDCDX2", disease.exchange, disease.name),
        )
        .f(6, Repeated(&exchange(problem.suffixes)));
}

fn numbers(modifiers: &[(Code, Code)]) -> Vec<Code> {
    modifiers.iter().map(|(number, _)| *number).collect()
}

fn exchange(modifiers: &[(Code, Code)]) -> Vec<Code> {
    modifiers.iter().map(|(_, exchange)| *exchange).collect()
}

/// One insurance (IN1).
#[derive(Debug, Clone, Copy)]
pub struct Insurance<'a> {
    /// IN1-2 kind (JHSD0001).
    pub kind: Code,
    /// IN1-3 insurer or payer number.
    pub payer: &'a str,
    /// IN1-4 insurer name.
    pub name: &'a str,
    /// IN1-10 symbol, number, branch (one text or repetitions), or recipient number.
    pub insured: &'a str,
    /// IN1-11.
    pub group: &'a str,
    /// IN1-12 and 13.
    pub period: (&'a str, &'a str),
    /// IN1-15 class, e.g. `MI`.
    pub class: &'a str,
    /// IN1-17.
    pub relationship: &'a str,
}

/// IN1 segments, numbered from 1.
pub fn insurances(m: &mut Message<'_>, list: &[Insurance<'_>]) {
    for (set, insurance) in (1..).zip(list) {
        m.seg("IN1")
            .f(1, set)
            .f(2, insurance.kind)
            .f(3, insurance.payer)
            .f(4, insurance.name)
            .f(10, insurance.insured)
            .f(11, insurance.group)
            .f(12, insurance.period.0)
            .f(13, insurance.period.1)
            .f(15, insurance.class)
            .f(17, insurance.relationship);
    }
}
