//! A storage of any size, yielded message by message: for benchmarks and load tests.
//!
//! One patient is alive at a time, so memory does not grow with the storage. Patients walk through
//! visits and stays, and the mix of kinds follows what a hospital's storage looks like: mostly
//! laboratory results, prescriptions, injections and arrivals.

use crate::codes::{
    Amount, BIOCHEMISTRY, BLOOD_COUNT, DIABETES, DISEASES, Drug, INJECTED_DRUGS, Lab, ORAL_DRUGS,
    SALINE, SOLITA, merit9, route, specimen, usage,
};
use crate::hl7::Message;
use crate::jis::Jis;
use crate::kinds::{Act, message_of};
use crate::messages::{
    Dose, Drip, GENERAL_INJECTION, Given, Insurance, Problem, Rp, dispensed, injected, injection,
    insurances, obx, prescription, problem, report, result, rp, spm,
};
use crate::people::{
    ASOBI, CARDIO, CHOZAI, GASTRO, INSTITUTION, INTERNAL, KAGAMI, MIMAMORI, MITATE, MONSHIN,
    PAEDIATRICS, WARD_4W, WARD_4W_2, WARD_5E,
};
use crate::prng::Prng;
use crate::record::{Code, Patient, Place, Sex, Staff, Visit};
use crate::segments::{Edition, Order, evn, evn_planned, msh, orc, pid, pv1};
use crate::storage::{Item, NO_ORDER};
use crate::time::Stamp;
use std::collections::VecDeque;

/// What to generate; equal plans yield equal bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Start of every random choice.
    pub seed: u64,
    /// Number of patients, at least one is assumed.
    pub patients: u32,
    /// Number of messages over all patients, history and deletions included.
    pub messages: u32,
}

/// One message of a generated storage.
#[derive(Debug, Clone)]
pub struct Generated {
    /// Whose, when, what.
    pub item: Item,
    /// Timestamp of the file name.
    pub written: Stamp,
    /// Department part of the file name.
    pub department: &'static str,
    /// Condition flag the file ends with.
    pub flag: char,
    /// `INS` or `DEL` in the transaction storage.
    pub act: &'static str,
    /// The message.
    pub bytes: Vec<u8>,
}

impl Generated {
    /// Path below the storage root.
    pub fn path(&self) -> String {
        format!(
            "{}/{}_{}",
            self.item.folder(),
            self.item.stem(self.written, self.department),
            self.flag
        )
    }

    /// The header line of the transaction record, CR included.
    pub fn transaction_header(&self) -> String {
        let date = self
            .item
            .date
            .map_or_else(|| "-".to_owned(), |date| date.date().to_string());
        format!(
            "#SSMIX,2.00,{INSTITUTION},{},{date},{},{},{},{},{}\r",
            self.item.patient,
            self.item.kind,
            self.item.order,
            self.act,
            self.department,
            self.written.milli()
        )
    }
}

impl Plan {
    /// The messages, patient by patient, each patient's in the order in which they were written.
    pub fn items(self) -> Items {
        Items {
            plan: self,
            jis: Jis::new(),
            started: 0,
            person: None,
            queue: VecDeque::new(),
        }
    }

    /// The files, `(path below the root, bytes)`.
    pub fn files(self) -> impl Iterator<Item = (String, Vec<u8>)> {
        self.items().map(|one| (one.path(), one.bytes))
    }

    /// How many messages patient `index` gets; the shares add up to `messages`.
    fn share(self, index: u32) -> u32 {
        let patients = u64::from(self.patients.max(1));
        let upto = |n: u64| u64::from(self.messages) * n / patients;
        let index = u64::from(index);
        u32::try_from(upto(index + 1) - upto(index)).unwrap_or_default()
    }
}

/// Iterator of [`Plan::items`].
#[derive(Debug)]
pub struct Items {
    plan: Plan,
    jis: Jis,
    started: u32,
    person: Option<Person>,
    queue: VecDeque<Generated>,
}

impl Iterator for Items {
    type Item = Generated;

    fn next(&mut self) -> Option<Generated> {
        loop {
            if let Some(message) = self.queue.pop_front() {
                return Some(message);
            }
            if let Some(person) = self.person.as_mut().filter(|person| person.left > 0) {
                person.step(&self.jis, &mut self.queue);
                continue;
            }
            if self.started == self.plan.patients.max(1) {
                return None;
            }
            let left = self.plan.share(self.started);
            self.person = Some(Person::new(self.plan.seed, self.started, left));
            self.started += 1;
        }
    }
}

/// Family names with their kana.
const FAMILIES: [(&str, &str); 12] = [
    ("割符", "ワリフ"),
    ("見本", "ミホン"),
    ("架空", "カクウ"),
    ("例示", "レイジ"),
    ("仮名", "カメイ"),
    ("模擬", "モギ"),
    ("試作", "シサク"),
    ("検証", "ケンショウ"),
    ("雛形", "ヒナガタ"),
    ("標準", "ヒョウジュン"),
    ("空想", "クウソウ"),
    ("創作", "ソウサク"),
];

/// Given names with their kana.
const FEMALE: [(&str, &str); 6] = [
    ("花子", "ハナコ"),
    ("桜", "サクラ"),
    ("京子", "キョウコ"),
    ("雪", "ユキ"),
    ("若葉", "ワカバ"),
    ("みどり", "ミドリ"),
];

/// Given names with their kana.
const MALE: [(&str, &str); 6] = [
    ("太郎", "タロウ"),
    ("次郎", "ジロウ"),
    ("三郎", "サブロウ"),
    ("薫", "カオル"),
    ("光", "ヒカル"),
    ("一郎", "イチロウ"),
];

/// Departments with the doctor who works there.
const DEPARTMENTS: [(Code, Staff); 4] = [
    (INTERNAL, MONSHIN),
    (GASTRO, KAGAMI),
    (CARDIO, MITATE),
    (PAEDIATRICS, ASOBI),
];

/// Beds.
const BEDS: [Place; 4] = [WARD_4W, WARD_4W_2, WARD_5E, Place::Ward("5E", "512", "2")];

/// Regular usages with the number of doses a day.
const USAGES: [(Code, i64); 4] = [
    (usage::AFTER_BREAKFAST, 1),
    (usage::AFTER_BREAKFAST_SUPPER, 2),
    (usage::AFTER_MEALS, 3),
    (usage::AT_BEDTIME, 1),
];

/// One patient on the way through the hospital.
#[derive(Debug)]
struct Person {
    patient: Patient,
    edition: Edition,
    prng: Prng,
    clock: Stamp,
    left: u32,
    orders: u64,
    department: usize,
    stay: Option<Stay>,
    registered: bool,
    has_doctor: bool,
}

/// A stay in the hospital.
#[derive(Debug, Clone, Copy)]
struct Stay {
    since: Stamp,
    bed: Place,
}

/// What a message says of itself.
struct Head<'a> {
    kind: &'static str,
    dated: bool,
    order: &'a str,
    flag: char,
    act: &'static str,
}

impl Person {
    fn new(seed: u64, index: u32, left: u32) -> Self {
        // A seed of its own for each patient: streams of neighbours do not touch.
        let mut prng = Prng::new(Prng::new(seed ^ (u64::from(index) << 20)).next_u64());
        let female = prng.percent(52);
        let family = prng.pick(&FAMILIES).copied().unwrap_or_default();
        let given = prng
            .pick(if female { &FEMALE } else { &MALE })
            .copied()
            .unwrap_or_default();
        // Multiplication modulo a prime spreads the numbers over the folders without a collision.
        let number = (u64::from(index) * 7_368_787 + 1) % 9_999_999_967;
        let registered = Stamp::new("2025")
            .plus_days(prng.between(0, 200))
            .plus_minutes(prng.between(8 * 60, 16 * 60))
            .plus_ms(prng.between(0, 59_999));
        Self {
            patient: Patient {
                id: format!("{number:010}"),
                family: family.0,
                given: given.0,
                family_kana: family.1,
                given_kana: given.1,
                sex: if female { Sex::Female } else { Sex::Male },
                birth: Stamp::new("1930").plus_days(prng.between(0, 34_000)),
                address: format!(
                    "東京都架空区割符町{}丁目{}番０号",
                    prng.between(1, 9),
                    prng.between(1, 99)
                ),
                updated: registered,
            },
            edition: if prng.percent(50) {
                Edition::C
            } else {
                Edition::H
            },
            clock: registered,
            left,
            orders: u64::from(index) * 100_000,
            department: usize::try_from(prng.below(4)).unwrap_or_default(),
            stay: None,
            registered: false,
            has_doctor: false,
            prng,
        }
    }

    fn visit(&self) -> Visit {
        let (department, doctor) = DEPARTMENTS
            .get(self.department)
            .copied()
            .unwrap_or((INTERNAL, MONSHIN));
        match self.stay {
            Some(stay) => Visit {
                admitting: Some(doctor),
                ..Visit::at(stay.bed, doctor, department)
            },
            None => Visit::at(Place::Clinic(department.0), doctor, department),
        }
    }

    /// A new order number, 15 digits.
    fn order_number(&mut self) -> String {
        self.orders += 1;
        format!("{:015}", self.orders)
    }

    /// Time passes: hours on the ward, days between visits.
    fn wait(&mut self) {
        let minutes = match self.stay {
            Some(_) => self.prng.between(20, 700),
            None => self.prng.between(1, 20) * 1440 + self.prng.between(-120, 120),
        };
        self.clock = self
            .clock
            .plus_minutes(minutes)
            .plus_ms(self.prng.between(1, 999));
    }

    /// Writes one message; silently nothing once the patient's share is used up.
    fn push(
        &mut self,
        jis: &Jis,
        queue: &mut VecDeque<Generated>,
        head: &Head<'_>,
        body: impl FnOnce(&mut Message<'_>, &Self),
    ) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let mut m = Message::new(jis);
        let act = if head.act == "DEL" && !message_of(head.kind, Act::Cancel).is_empty() {
            Act::Cancel
        } else {
            Act::Insert
        };
        msh(&mut m, message_of(head.kind, act), self.clock, self.edition);
        body(&mut m, self);
        let department = match head.kind {
            "ADT-00" | "ADT-61" => "-",
            _ => self.visit().department.0,
        };
        queue.push_back(Generated {
            item: Item {
                patient: self.patient.id.clone(),
                date: head.dated.then_some(self.clock),
                kind: head.kind,
                order: head.order.to_owned(),
            },
            written: self.clock,
            department,
            flag: head.flag,
            act: head.act,
            bytes: m.into_bytes(),
        });
    }

    /// An order kind: mostly one valid file, sometimes replaced, sometimes withdrawn.
    fn push_order(
        &mut self,
        jis: &Jis,
        queue: &mut VecDeque<Generated>,
        kind: &'static str,
        order: &str,
        body: impl Fn(&mut Message<'_>, &Self, &'static str, bool),
    ) {
        let fate = self.prng.below(100);
        let head = |flag, act| Head {
            kind,
            dated: true,
            order,
            flag,
            act,
        };
        let pair = self.left >= 2;
        match fate {
            0..=7 if pair => {
                self.push(jis, queue, &head('2', "INS"), |m, p| {
                    body(m, p, "NW", false);
                });
                self.clock = self.clock.plus_ms(61_017);
                self.push(jis, queue, &head('1', "INS"), |m, p| {
                    body(m, p, "XO", true);
                });
            }
            8..=10 if pair => {
                self.push(jis, queue, &head('0', "INS"), |m, p| {
                    body(m, p, "NW", true);
                });
                self.clock = self.clock.plus_ms(92_003);
                self.push(jis, queue, &head('0', "DEL"), |m, p| {
                    body(m, p, "CA", true);
                });
            }
            _ => self.push(jis, queue, &head('1', "INS"), |m, p| {
                body(m, p, "NW", true);
            }),
        }
    }

    fn step(&mut self, jis: &Jis, queue: &mut VecDeque<Generated>) {
        if !self.registered {
            self.registered = true;
            self.registration(jis, queue);
            return;
        }
        self.wait();
        match (self.stay, self.prng.below(100)) {
            (None, 0..=14) => self.arrival(jis, queue),
            (None, 15..=30) => self.admission(jis, queue),
            (Some(stay), 0..=3) => self.discharge(jis, queue, stay),
            (Some(_), 4..=5) => self.transfer(jis, queue),
            (Some(_), 21..=30) | (_, 31..=57) => self.laboratory(jis, queue),
            (_, 58..=72) => self.prescription(jis, queue),
            (Some(_), 6..=20 | 73..=92) => self.injection(jis, queue),
            (_, 73..=78) => self.disease(jis, queue),
            (_, 79..=84) => self.electrocardiogram(jis, queue),
            (_, 85..=92) => self.x_ray(jis, queue),
            (Some(_), _) => self.diet(jis, queue),
            _ => self.laboratory(jis, queue),
        }
    }

    fn registration(&mut self, jis: &Jis, queue: &mut VecDeque<Generated>) {
        let head = |kind| Head {
            kind,
            dated: false,
            order: NO_ORDER,
            flag: '1',
            act: "INS",
        };
        let mut prng = Prng::new(self.prng.next_u64());
        self.push(jis, queue, &head("ADT-00"), |m, p| {
            evn(m, p.clock, p.clock);
            pid(m, &p.patient);
            pv1(m, &p.visit());
            obx(
                m,
                1,
                "NM",
                "9N001000000000001^身長^JC10",
                Amount::Of(prng.between(1400, 1850), 1),
            )
            .f(6, "cm^cm^ISO+")
            .f(11, "F");
            obx(
                m,
                2,
                "NM",
                "9N006000000000001^体重^JC10",
                Amount::Of(prng.between(400, 900), 1),
            )
            .f(6, "kg^kg^ISO+")
            .f(11, "F");
            insurances(
                m,
                &[Insurance {
                    kind: Code("C0", "国民健康保険", "JHSD0001"),
                    payer: "139998",
                    name: "架空区国民健康保険",
                    insured: "割符０１・２３４５６７",
                    group: "",
                    period: ("20250401", "20270331"),
                    class: "MI",
                    relationship: "SEL^本人^HL70063",
                }],
            );
        });
        if self.prng.percent(40) {
            self.push(jis, queue, &head("ADT-61"), |m, p| {
                evn(m, p.clock, p.clock);
                pid(m, &p.patient);
                for (set, (kind, allergen)) in (1..).zip([
                    (
                        "DA^薬物アレルギー^HL70127",
                        "YCM2260701F1271^イソジンガーグル液７％^J-FAGY",
                    ),
                    ("FA^食物アレルギー^HL70127", "J9FC11310000^さば^J-FAGY"),
                ]) {
                    m.seg("IAM")
                        .f(1, set)
                        .f(2, kind)
                        .f(3, allergen)
                        .f(4, "MO^中等度^HL70128")
                        .f(6, "A^追加^HL70323")
                        .f(7, format_args!("AL{}{set}", p.patient.id))
                        .f(17, "C^確定^HL70438");
                }
            });
        }
    }

    fn movement(
        &mut self,
        jis: &Jis,
        queue: &mut VecDeque<Generated>,
        kind: &'static str,
        visit: &Visit,
        planned: Option<Place>,
    ) {
        let head = Head {
            kind,
            dated: kind != "ADT-01",
            order: NO_ORDER,
            flag: '1',
            act: "INS",
        };
        self.push(jis, queue, &head, |m, p| {
            match planned {
                Some(_) => evn_planned(m, p.clock, p.clock),
                None => evn(m, p.clock.plus_minutes(5), p.clock),
            }
            pid(m, &p.patient);
            pv1(m, visit);
            if let Some(bed) = planned {
                m.seg("PV2").f(1, bed).f(8, p.clock.minute());
            }
        });
    }

    fn arrival(&mut self, jis: &Jis, queue: &mut VecDeque<Generated>) {
        self.department = usize::try_from(self.prng.below(4)).unwrap_or_default();
        let visit = Visit {
            admit: Some(self.clock),
            ..self.visit()
        };
        self.movement(jis, queue, "ADT-12", &visit, None);
    }

    fn admission(&mut self, jis: &Jis, queue: &mut VecDeque<Generated>) {
        let bed = self.prng.pick(&BEDS).copied().unwrap_or(WARD_4W);
        let since = self.clock;
        self.stay = Some(Stay { since, bed });
        let visit = self.visit();
        self.movement(jis, queue, "ADT-21", &visit, Some(bed));
        let admitted = Visit {
            admit: Some(since),
            ..visit
        };
        self.clock = self.clock.plus_ms(1017);
        self.movement(jis, queue, "ADT-22", &admitted, None);
        if !self.has_doctor {
            self.has_doctor = true;
            self.clock = self.clock.plus_ms(1018);
            self.movement(jis, queue, "ADT-01", &visit, None);
        }
    }

    fn transfer(&mut self, jis: &Jis, queue: &mut VecDeque<Generated>) {
        // The next morning, so that no two moves share a day.
        self.clock = self.clock.plus_days(1);
        let bed = self.prng.pick(&BEDS).copied().unwrap_or(WARD_5E);
        let visit = Visit {
            prior: self.stay.map(|stay| stay.bed),
            place: bed,
            ..self.visit()
        };
        if let Some(stay) = self.stay.as_mut() {
            stay.bed = bed;
        }
        self.movement(jis, queue, "ADT-42", &visit, None);
        self.clock = self.clock.plus_days(1);
    }

    fn discharge(&mut self, jis: &Jis, queue: &mut VecDeque<Generated>, stay: Stay) {
        let visit = Visit {
            disposition: "01",
            admit: Some(stay.since),
            discharge: Some(self.clock),
            ..self.visit()
        };
        self.movement(jis, queue, "ADT-52", &visit, None);
        self.stay = None;
        self.clock = self.clock.plus_days(1);
    }

    fn laboratory(&mut self, jis: &Jis, queue: &mut VecDeque<Generated>) {
        let number = self.order_number();
        let seed = self.prng.next_u64();
        let collected = self.clock;
        let ordered = self.clock.plus_minutes(-40);
        if self.prng.percent(30) {
            let clock = self.clock;
            self.clock = ordered;
            self.push_order(jis, queue, "OML-01", &number, |m, p, control, _| {
                let visit = p.visit();
                pid(m, &p.patient);
                pv1(m, &visit);
                let order = Order::new(&number, p.clock, &visit).control(control);
                spm(m, 1, "", specimen::SERUM, collected);
                orc(m, &order, "");
                m.seg("TQ1").f(1, "1").f(9, "R^ルーチン^HL70485");
                m.seg("OBR")
                    .f(1, "1")
                    .f(2, &number)
                    .f(4, "E002^生化学的検査^99WRF")
                    .f(16, order.by);
                for (set, item) in (1..).zip(&BIOCHEMISTRY) {
                    m.seg("OBX").f(1, set).f(3, item.code).f(11, "O");
                }
            });
            self.clock = clock.max(self.clock);
        }
        // The care date is the day of collection, whatever day the report is written.
        self.push_order(jis, queue, "OML-11", &number, |m, p, control, is_final| {
            let mut prng = Prng::new(seed);
            let visit = p.visit();
            pid(m, &p.patient);
            pv1(m, &visit);
            let order = Order::new(&number, ordered, &visit)
                .control(if control == "CA" { "CA" } else { "SC" })
                .filler(&number)
                .status(if is_final { "CM" } else { "A" });
            let status = if is_final { "F" } else { "P" };
            let panels: [(Code, Code, &[Lab], u32); 3] = [
                (
                    specimen::SERUM,
                    Code("E002", "生化学的検査", "99WRF"),
                    &BIOCHEMISTRY,
                    90,
                ),
                (
                    specimen::WHOLE_BLOOD,
                    Code("E001", "血液学的検査", "99WRF"),
                    &BLOOD_COUNT,
                    60,
                ),
                (
                    specimen::PLASMA,
                    Code("E004", "糖尿病検査", "99WRF"),
                    &DIABETES,
                    30,
                ),
            ];
            let mut specimens = 0;
            for (material, panel, items, chance) in panels {
                if !prng.percent(chance) && specimens > 0 {
                    continue;
                }
                specimens += 1;
                spm(m, specimens, &number, material, p.clock);
                report(m, panel, &order, p.clock, p.clock.plus_minutes(35));
                for (set, item) in (1..).zip(items) {
                    if prng.percent(40) {
                        continue;
                    }
                    let (low, high) = item.range;
                    let width = high - low;
                    let value = prng.between((low - width / 4).max(0), high + width / 2);
                    result(m, set, item, value, status, p.clock);
                }
            }
            if prng.percent(25) {
                m.seg("NTE").f(3, "溶血（１＋）。参考値として報告します。");
            }
        });
    }

    fn prescription(&mut self, jis: &Jis, queue: &mut VecDeque<Generated>) {
        let number = self.order_number();
        let mut prng = Prng::new(self.prng.next_u64());
        let days = [7, 14, 28]
            .get(usize::try_from(prng.below(3)).unwrap_or_default())
            .copied()
            .unwrap_or(7);
        let duration = format!("{days}^d");
        let groups: Vec<(Code, Vec<Dose>)> = (0..prng.between(1, 3))
            .map(|_| {
                let (usage, times) = prng
                    .pick(&USAGES)
                    .copied()
                    .unwrap_or((usage::AFTER_MEALS, 3));
                let doses = (0..prng.between(1, 2))
                    .map(|_| {
                        let drug = prng.pick(&ORAL_DRUGS).copied().unwrap_or(ORAL_DRUGS[0]);
                        let (each, places) = if drug.unit == merit9::G {
                            (prng.between(2, 20), 1)
                        } else {
                            (prng.between(1, 2), 0)
                        };
                        Dose {
                            drug,
                            each: Amount::Of(each, places),
                            daily: Amount::Of(each * times, places),
                            total: Amount::Of(each * times * days, places),
                        }
                    })
                    .collect();
                (usage, doses)
            })
            .collect();
        let start = self.clock;
        let rps: Vec<Rp<'_>> = groups
            .iter()
            .map(|(usage, doses)| rp(*usage, &duration, start, route::ORAL, doses))
            .collect();
        self.push_order(jis, queue, "OMP-01", &number, |m, p, control, _| {
            let visit = p.visit();
            pid(m, &p.patient);
            pv1(m, &visit);
            let order = Order::new(&number, p.clock, &visit).control(control);
            let class = if visit.is_inpatient() {
                "IHP^入院処方^MR9P~FTP^定時処方^99I01"
            } else {
                "OHP^外来処方^MR9P~OHI^院内処方^MR9P"
            };
            prescription(m, &order, class, &rps);
        });
        if self.prng.percent(25) {
            self.clock = self.clock.plus_minutes(37);
            self.push_order(jis, queue, "OMP-11", &number, |m, p, control, _| {
                let visit = p.visit();
                pid(m, &p.patient);
                pv1(m, &visit);
                let order = Order::new(&number, start, &visit).control(control);
                dispensed(m, &order, p.clock, CHOZAI, &rps);
            });
        }
    }

    fn injection(&mut self, jis: &Jis, queue: &mut VecDeque<Generated>) {
        let number = self.order_number();
        let mut prng = Prng::new(self.prng.next_u64());
        let base = if prng.percent(60) { SOLITA } else { SALINE };
        let additives: Vec<Drug> = (0..prng.between(1, 2))
            .filter_map(|_| {
                prng.pick(INJECTED_DRUGS.get(2..).unwrap_or_default())
                    .copied()
            })
            .collect();
        let mut components = vec![("B", base, Amount::Of(1, 0))];
        components.extend(
            additives
                .into_iter()
                .map(|drug| ("A", drug, Amount::Of(prng.between(1, 2), 0))),
        );
        let rate = prng.between(40, 200);
        let times = prng.between(1, 3);
        let start = self.clock.plus_minutes(60);
        let drips: Vec<Drip<'_>> = (0..times)
            .map(|nth| Drip {
                kind: GENERAL_INJECTION,
                volume: Amount::Of(510, 0),
                rate: Amount::Of(rate, 0),
                start: start.plus_minutes(nth * 300),
                end: start.plus_minutes(nth * 300 + 300),
                route: route::VEIN,
                device: Some(route::PUMP),
                instruction: "^一定速度で^99WRF",
                components: &components,
            })
            .collect();
        let ordered = self.clock;
        self.push_order(jis, queue, "OMP-02", &number, |m, p, control, _| {
            let visit = p.visit();
            pid(m, &p.patient);
            pv1(m, &visit);
            let order = Order::new(&number, p.clock, &visit).control(control);
            injection(m, &order, "IHP^入院処方^MR9P~FTP^定時処方^99I01", &drips);
        });
        if !self.prng.percent(70) {
            return;
        }
        self.clock = start.max(self.clock);
        self.push_order(jis, queue, "OMP-12", &number, |m, p, control, _| {
            let visit = p.visit();
            pid(m, &p.patient);
            pv1(m, &visit);
            let order = Order::new(&number, ordered, &visit).control(control);
            for (nth, drip) in (1..).zip(drips.iter().take(1)) {
                let given = Given {
                    start: p.clock,
                    end: p.clock.plus_minutes(300),
                    by: MIMAMORI,
                    note: "^左前腕に実施^99IC2",
                    lot: ("", "", ""),
                    reason: "",
                    completion: "CP",
                };
                injected(m, &order, nth, drip, &given);
            }
        });
    }

    fn disease(&mut self, jis: &Jis, queue: &mut VecDeque<Generated>) {
        let number = self.order_number();
        let mut prng = Prng::new(self.prng.next_u64());
        let count = usize::try_from(prng.between(1, 3)).unwrap_or(1);
        let head = Head {
            kind: "PPR-01",
            dated: false,
            order: &number,
            flag: '1',
            act: "INS",
        };
        self.push(jis, queue, &head, |m, p| {
            let visit = p.visit();
            pid(m, &p.patient);
            pv1(m, &visit);
            for nth in 0..count {
                let disease = prng.pick(&DISEASES).copied().unwrap_or(DISEASES[0]);
                let instance = format!("{number}-{nth}");
                let suspected = prng.percent(20);
                problem(
                    m,
                    &Problem {
                        suspected,
                        main: nth == 0,
                        suffixes: if suspected {
                            &[(
                                Code("27000002", "の疑い", "MDCDX2"),
                                Code("8002", "の疑い", "MDCDX2"),
                            )]
                        } else {
                            &[]
                        },
                        ..Problem::new(disease, &instance, p.clock, p.clock)
                    },
                );
                orc(m, &Order::new(&instance, p.clock, &visit), "");
            }
        });
    }

    fn electrocardiogram(&mut self, jis: &Jis, queue: &mut VecDeque<Generated>) {
        let number = self.order_number();
        let rate = self.prng.between(48, 110);
        self.push_order(jis, queue, "OMG-13", &number, |m, p, control, _| {
            let visit = p.visit();
            pid(m, &p.patient);
            pv1(m, &visit);
            orc(
                m,
                &Order::new(&number, p.clock, &visit).control(control),
                "",
            );
            m.seg("OBR")
                .f(1, "1")
                .f(2, &number)
                .f(4, "9A110^標準１２誘導心電図^JC10")
                .f(7, p.clock.minute())
                .f(16, visit.attending)
                .f(22, p.clock.plus_minutes(12).second())
                .f(25, "F");
            obx(m, 1, "TX", "9A100&IMP^心電図所見^JC10", "正常範囲。").f(11, "F");
            obx(m, 2, "NM", "32769^心拍数^99MFR", rate)
                .f(6, "bpm^bpm^99MFR")
                .f(11, "F");
            obx(m, 3, "NM", "56008^ＱＴ時間^99MFR", 460 - rate)
                .f(6, "msec^msec^99MFR")
                .f(11, "F");
        });
    }

    fn x_ray(&mut self, jis: &Jis, queue: &mut VecDeque<Generated>) {
        let number = self.order_number();
        let child = self.order_number();
        let request = "1000000000000000^Ｘ線単純撮影^JJ1017";
        let view = "10000002000202000000030000000000^胸部．Ｘ線単純撮影．臥位正面(A→P)^JJ1017";
        self.push_order(jis, queue, "OMG-01", &number, |m, p, control, _| {
            let visit = p.visit();
            pid(m, &p.patient);
            pv1(m, &visit);
            let order = Order::new(&number, p.clock, &visit);
            for control in [control, "PA"] {
                orc(m, &order.control(control), "");
                m.seg("TQ1").f(1, "1").f(9, "R^ルーチン^HL70485");
                m.seg("OBR").f(2, &number).f(4, request).f(16, order.by);
            }
            orc(m, &order.child(&child), "");
            m.seg("TQ1").f(1, "1").f(9, "R^ルーチン^HL70485");
            m.seg("OBR")
                .f(2, &child)
                .f(4, view)
                .f(16, order.by)
                .f(29, &number);
        });
        self.clock = self.clock.plus_minutes(33);
        self.push_order(jis, queue, "OMG-11", &number, |m, p, control, _| {
            let visit = p.visit();
            pid(m, &p.patient);
            pv1(m, &visit);
            let order = Order::new(&number, p.clock, &visit).status("CM");
            let study = |m: &mut Message<'_>| {
                m.seg("IPC")
                    .f(1, format_args!("A{number}"))
                    .f(3, format_args!("1.2.392.999999.9999.{}", p.orders))
                    .f(5, "CR^^DCM");
            };
            for control in [control, "PA"] {
                orc(m, &order.control(control), "");
                m.seg("TQ1").f(1, "1").f(9, "R^ルーチン^HL70485");
                m.seg("OBR")
                    .f(2, &number)
                    .f(4, request)
                    .f(7, p.clock.minute())
                    .f(16, order.by);
                study(m);
            }
            orc(m, &order.child(&child), "");
            m.seg("TQ1").f(1, "1").f(9, "R^ルーチン^HL70485");
            m.seg("OBR")
                .f(2, &child)
                .f(4, view)
                .f(7, p.clock.minute())
                .f(29, &number);
            m.seg("ZE1").f(1, "1").f(2, "RS").f(3, view).f(4, "1");
            study(m);
        });
    }

    fn diet(&mut self, jis: &Jis, queue: &mut VecDeque<Generated>) {
        let number = self.order_number();
        self.push_order(jis, queue, "OMD", &number, |m, p, control, _| {
            let visit = p.visit();
            pid(m, &p.patient);
            pv1(m, &visit);
            orc(
                m,
                &Order::new(&number, p.clock, &visit).control(control),
                "",
            );
            m.seg("TQ1")
                .f(1, "1")
                .f(3, "TID&１日３回&HL70335")
                .f(7, p.clock.minute());
            m.seg("ODS").f(1, "D").f(3, "E061^心臓食（塩分６ｇ）^99WRF");
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_plan_yields_the_number_of_messages_asked_for() {
        for (patients, messages) in [(1, 1), (3, 100), (7, 5), (40, 1000)] {
            let plan = Plan {
                seed: 5,
                patients,
                messages,
            };
            let paths: BTreeSet<String> = plan.files().map(|(path, _)| path).collect();
            assert_eq!(paths.len(), usize::try_from(messages).expect("small"));
        }
    }

    #[test]
    fn equal_seeds_give_equal_bytes_and_others_do_not() {
        let plan = |seed| Plan {
            seed,
            patients: 5,
            messages: 300,
        };
        assert!(plan(1).files().eq(plan(1).files()));
        assert!(plan(1).files().ne(plan(2).files()));
    }

    #[test]
    fn sizes_are_those_of_real_messages() {
        let plan = Plan {
            seed: 1,
            patients: 100,
            messages: 4000,
        };
        let sizes: Vec<usize> = plan.files().map(|(_, bytes)| bytes.len()).collect();
        let usual = sizes
            .iter()
            .filter(|size| (850..=5200).contains(*size))
            .count();
        assert!(usual * 100 > sizes.len() * 80, "{usual} of {}", sizes.len());
    }
}
