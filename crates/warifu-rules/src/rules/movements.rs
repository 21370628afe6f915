//! `SSM69x`: visits and stays (PV1, PV2, EVN) within one message.

use warifu_diag::Example::Lines;
use warifu_hl7::time::Time;
use warifu_hl7::{Part, Segment};
use warifu_ssmix2::DataKind as K;

use crate::cx::{Cx, is_after, is_later, time_of};
use crate::rule::{Check, field, segment};

pub(crate) const CHECKS: &[Check] = &[
    segment("PV1", visit),
    segment("PV2", leave),
    field("EVN", 6, occurred),
    field("EVN", 2, recorded),
];

warifu_diag::codes! {
    SSM691 = "SSM691" "discharge-before-admission" Error { "退院日時 (PV1-45) が入院日時 (PV1-44) より前です", "the discharge (PV1-45) lies before the admission (PV1-44)", "入院と退院の日時を確かめてください", "check both times", "SS-MIX2 PV1-44, PV1-45";
        "入院日数が負になります。", "The length of stay is negative.";
        Lines("ADT-52", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||01||||||||202604020900|202604011000") => Lines("ADT-52", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||01||||||||202603250900|202604011000") }
    SSM692 = "SSM692" "inpatient-event-for-outpatient" Warning { "入院の移動なのに患者区分 (PV1-2) が I ではありません", "an event of a stay, but the patient class (PV1-2) is not I", "PV1-2 に I を書いてください", "write I into PV1-2", "SS-MIX2 PV1-2; HL7 表 0004";
        "入院中の患者が外来として数えられます。", "An inpatient counts as an outpatient.";
        Lines("ADT-22", "PV1|1|O|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202604010900") => Lines("ADT-22", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202604010900") }
    SSM693 = "SSM693" "arrival-for-inpatient" Warning { "外来受付なのに患者区分 (PV1-2) が O ではありません", "an outpatient arrival, but the patient class (PV1-2) is not O", "PV1-2 に O を書いてください", "write O into PV1-2", "SS-MIX2 PV1-2; HL7 表 0004";
        "外来の受診が入院として数えられます。", "A visit counts as a stay.";
        Lines("ADT-12", "PV1|1|I|01^^^^^C|||||||01||||||||||||||||||||||||||||||||||202604010900") => Lines("ADT-12", "PV1|1|O|01^^^^^C|||||||01||||||||||||||||||||||||||||||||||202604010900") }
    SSM694 = "SSM694" "disposition-missing" Info { "退院なのに退院区分 (PV1-36) がありません", "a discharge without its disposition (PV1-36)", "表 0112 の退院区分を書いてください", "use table 0112", "SS-MIX2 PV1-36; HL7 表 0112";
        "自宅への退院か、転院か、死亡か分かりません。", "Home, transfer and death cannot be told apart.";
        Lines("ADT-52", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202603250900|202604011000") => Lines("ADT-52", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||01||||||||202603250900|202604011000") }
    SSM695 = "SSM695" "ward-missing" Info { "入院の移動なのに病棟 (PV1-3) がありません", "an event of a stay without a ward (PV1-3)", "病棟・病室・病床を書いてください", "write ward, room and bed", "SS-MIX2 PV1-3";
        "患者がどこにいるか分かりません。", "It does not say where the patient is.";
        Lines("ADT-22", "PV1|1|I|||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202604010900") => Lines("ADT-22", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202604010900") }
    SSM696 = "SSM696" "event-after-message" Warning { "実施の日時 {} がメッセージの日時 (MSH-7) より後です", "time {} of what happened lies after the message (MSH-7)", "実施した日時を書いてください", "write when it happened", "SS-MIX2 EVN-6, PV1-44, PV1-45; HL7 v2.5 §3.4.1.6";
        "予定を実施として伝えています。診療日を誤ります。", "A plan is told as done, and the care date is wrong.";
        Lines("ADT-22", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202604011900") => Lines("ADT-22", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202604010900") }
    SSM697 = "SSM697" "location-type-missing" Info [strict] { "場所の種類 (PV1-3 の 6 番目、N か C) がありません", "the type of location (PV1-3, component 6, N or C) is empty", "病棟は N、外来は C を書いてください", "write N for wards, C for clinics", "SS-MIX2 PL.6";
        "病棟か外来か受け手が推測します。", "Receivers have to guess ward or clinic.";
        Lines("ADT-22", "PV1|1|I|3E^301^1||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202604010900") => Lines("ADT-22", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202604010900") }
    SSM698 = "SSM698" "attending-doctor-missing" Info { "担当医の通知 (ADT-01) に担当医 (PV1-7) がありません", "a change of the attending doctor (ADT-01) without the doctor (PV1-7)", "担当医を書いてください", "write the attending doctor", "SS-MIX2 ADT-01 PV1-7";
        "だれが担当医になったか分かりません。", "It does not say who attends.";
        Lines("ADT-01", "PV1|1|I|3E^301^1^^^N|||||||01") => Lines("ADT-01", "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01") }
    SSM170 = "SSM170" "department-of-name-differs" Info { "ファイル名の診療科が PV1-10 の診療科と違います", "the department of the file name is not that of PV1-10", "どちらの診療科か確かめてください", "find out which department it was", "SS-MIX2 ファイル命名規約 (診療科コード); PV1-10";
        "ファイル名で診療科を選ぶ受け手と中身を読む受け手とで、診療科が変わります。", "Receivers that go by the name and those that read the message file it under different departments.";
        Lines("ADT-12", "PV1|1|O|02^^^^^C||||D01^見立^一郎^^^^^^^L^^^^^I|||02||||||||||||||||||||||||||||||||||202604010900") => Lines("ADT-12", "PV1|1|O|01^^^^^C||||D01^見立^一郎^^^^^^^L^^^^^I|||01||||||||||||||||||||||||||||||||||202604010900") }
    SSM699 = "SSM699" "recorded-after-message" Warning { "記録日時 (EVN-2) の日がメッセージの日時 (MSH-7) より後です", "the event was recorded (EVN-2) on a later day than its message (MSH-7)", "送り手の時計と EVN-2 の書き方を確かめてください", "check the clocks of the sender and what it writes into EVN-2", "SS-MIX2 EVN-2; HL7 v2.5 §3.4.1.2";
        "メッセージは記録の後に書かれます。後の日の記録は、予定の日を書いたか、時計の誤りです。", "A message is written after its event was recorded; a later day is that of a plan, or a clock is wrong.";
        Lines("ADT-22", "EVN||20260402093000|||||HOSP") => Lines("ADT-22", "EVN||20260401093000|||||HOSP") }
    SSM700 = "SSM700" "return-before-leave" Warning { "帰院の日時 (PV2-47) が外出泊の日時 (EVN-6) より前です", "the return (PV2-47) lies before the leave (EVN-6)", "外出泊と帰院の日時を確かめてください", "check both times", "SS-MIX2 ADT-31 EVN-6, PV2-47";
        "外出泊の期間が負になり、食事や入院料の計算を誤ります。", "The leave has a negative length, and meals and charges go wrong.";
        Lines("ADT-31", "EVN||20260401093000||||202604010900|HOSP\nPV2|||||||||||||||||||||||||||||||||||||||||||||||202603301600") => Lines("ADT-31", "EVN||20260401093000||||202604010900|HOSP\nPV2|||||||||||||||||||||||||||||||||||||||||||||||202604021600") }
}

const STAY: &[K] = &[K::Adt22, K::Adt31, K::Adt32, K::Adt42, K::Adt52];

fn visit<'m>(cx: &mut Cx<'m, '_>, pv1: Segment<'m>) {
    let two = pv1.field(2);
    let class = two.value().trimmed().text;
    if cx.is(STAY) && class == "O" {
        cx.report(&SSM692, two);
    }
    if cx.is(&[K::Adt12]) && class == "I" {
        cx.report(&SSM693, two);
    }
    if cx.is(STAY) && !pv1.field(3).is_some() {
        cx.report_absent(&SSM695, pv1, 3);
    }
    let three = pv1.field(3);
    if three.is_some() && !three.comp(6).is_some() {
        cx.report_absent_component(&SSM697, three, 6);
    }
    if cx.is(&[K::Adt52]) && !pv1.field(36).is_some() {
        let discharge = cx
            .message
            .first(b"MSH")
            .is_some_and(|s| s.field(9).comp(2).value().text == "A03");
        if discharge {
            cx.report_absent(&SSM694, pv1, 36);
        }
    }
    if cx.is(&[K::Adt01]) && !pv1.field(7).is_some() {
        cx.report_absent(&SSM698, pv1, 7);
    }
    let (admitted, discharged) = (
        time_of(pv1.field(44).value()),
        time_of(pv1.field(45).value()),
    );
    if let (Some(admitted), Some(discharged)) = (admitted, discharged)
        && is_after(&admitted, &discharged)
    {
        cx.report(&SSM691, pv1.field(45));
    }
    for (kinds, number) in [(&[K::Adt12, K::Adt22][..], 44), (&[K::Adt52][..], 45)] {
        if cx.is(kinds) && is_late(cx, time_of(pv1.field(number).value())) {
            cx.report_with(&SSM696, pv1.field(number), format!("PV1-{number}"));
        }
    }
    // The first two characters are the department, a third one refines it.
    let of = |text: &str| text.get(..2).map(str::to_owned);
    let ten = pv1.field(10);
    if let Some(own) = cx.name.and_then(|n| n.department).and_then(of)
        && cx.is(&[K::Adt12, K::Adt22, K::Adt42, K::Adt52])
        && of(ten.value().trimmed().text).is_some_and(|other| other != own)
    {
        cx.report(&SSM170, ten);
    }
    if cx.facts.wanted {
        cx.facts.admitted = cx.spot(pv1.field(44).value());
        cx.facts.discharged = cx.spot(pv1.field(45).value());
    }
}

/// `SSM700`: the return that is expected of a leave.
fn leave<'m>(cx: &mut Cx<'m, '_>, pv2: Segment<'m>) {
    let left = time_of(cx.message.value(b"EVN", 6));
    let back = pv2.field(47);
    if let (Some(left), Some(until)) = (left, time_of(back.value()))
        && cx.is(&[K::Adt31])
        && is_after(&left, &until)
    {
        cx.report(&SSM700, back);
    }
}

/// `SSM696`: when it happened, for what is no plan.
fn occurred<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    const DONE: &[K] = &[
        K::Adt01,
        K::Adt12,
        K::Adt22,
        K::Adt31,
        K::Adt32,
        K::Adt42,
        K::Adt52,
        K::Adt61,
    ];
    if cx.is(DONE) && is_late(cx, time_of(at.value())) {
        cx.report_with(&SSM696, at, "EVN-6");
    }
}

/// `SSM699`: of another clock than MSH-7, perhaps, and never of another day.
fn recorded<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    if let (Some(time), Some(sent)) = (time_of(at.value()), cx.sent)
        && is_after(&time, &sent)
        && (time.year, time.month, time.day) != (sent.year, sent.month, sent.day)
    {
        cx.report(&SSM699, at);
    }
}

/// Whether a time lies after the message by more than its clocks may differ.
fn is_late(cx: &Cx<'_, '_>, time: Option<Time>) -> bool {
    time.zip(cx.sent)
        .is_some_and(|(time, sent)| is_later(&time, &sent))
}
