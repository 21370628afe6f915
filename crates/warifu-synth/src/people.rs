//! Everybody and everything that has a name: the hospital, its staff, its three patients.
//!
//! All of it is invented and meant to be seen as such: telephone numbers end in 0000, addresses lie
//! in 架空区, and the institution number belongs to no hospital.

use crate::record::{Code, Patient, Place, Sex, Staff};
use crate::time::Stamp;

/// Ten-digit institution number (prefecture 13, score table 1, invented rest, right check digit).
pub const INSTITUTION: &str = "1319999999";
/// Name of the hospital.
pub const HOSPITAL: &str = "架空割符病院";
/// ORC-22.
pub const HOSPITAL_ADDRESS: &str = "^^^^000-0000^JPN^^東京都架空区割符１丁目１番１号";
/// ORC-23.
pub const HOSPITAL_PHONE: &str = "^^^^^^^^^^^03-0000-0000";

const fn staff(id: &'static str, family: &'static str, given: &'static str) -> Staff {
    Staff { id, family, given }
}

/// Cardiologist, attends 割符花子 from her admission on.
pub const MITATE: Staff = staff("D0101", "見立", "一郎");
/// Internist, sees 見本次郎.
pub const MONSHIN: Staff = staff("D0102", "問診", "京子");
/// Gastroenterologist, takes 割符花子 over.
pub const KAGAMI: Staff = staff("D0103", "鏡", "胃太郎");
/// Paediatrician.
pub const ASOBI: Staff = staff("D0104", "遊", "こども");
/// Radiologist.
pub const UTSUSHI: Staff = staff("D0105", "写", "光");
/// Ward nurse.
pub const MIMAMORI: Staff = staff("N0201", "見守", "みどり");
/// Radiographer.
pub const HIKARI: Staff = staff("T0301", "光", "撮子");
/// Laboratory technician.
pub const SHIKEN: Staff = staff("T0302", "試験", "管太");
/// Clerk who enters what others decided.
pub const UKETSUKE: Staff = staff("C0401", "受付", "花代");
/// Pharmacist.
pub const CHOZAI: Staff = staff("P0501", "調剤", "薫");

/// 内科
pub const INTERNAL: Code = Code("01", "内科", "HL70069");
/// 消化器科
pub const GASTRO: Code = Code("06", "消化器科", "HL70069");
/// 循環器科
pub const CARDIO: Code = Code("08", "循環器科", "HL70069");
/// 小児科
pub const PAEDIATRICS: Code = Code("09", "小児科", "HL70069");

/// 循環器病棟 4 階西, four-bed room.
pub const WARD_4W: Place = Place::Ward("4W", "412", "3");
/// The bed next to it.
pub const WARD_4W_2: Place = Place::Ward("4W", "412", "2");
/// 消化器病棟 5 階東, single room.
pub const WARD_5E: Place = Place::Ward("5E", "501", "1");

/// 割符花子, 58: admitted with angina, transferred for a bleeding ulcer.
pub fn hanako() -> Patient {
    Patient {
        id: "0000990001".to_owned(),
        family: "割符",
        given: "花子",
        family_kana: "ワリフ",
        given_kana: "ハナコ",
        sex: Sex::Female,
        birth: Stamp::new("19680303"),
        address: "東京都架空区割符９丁目９番９９号　表札ハイツ１０１".to_owned(),
        updated: Stamp::new("20260401090512"),
    }
}

/// 見本次郎, 76: outpatient with diabetes.
pub fn jiro() -> Patient {
    Patient {
        id: "0000990002".to_owned(),
        family: "見本",
        given: "次郎",
        family_kana: "ミホン",
        given_kana: "ジロウ",
        sex: Sex::Male,
        birth: Stamp::new("19491105"),
        address: "東京都架空区見本町２丁目０番０号".to_owned(),
        updated: Stamp::new("20260112083300"),
    }
}

/// 架空みどり, 6: a child whose visit is mostly undone.
pub fn midori() -> Patient {
    Patient {
        id: "0000990003".to_owned(),
        family: "架空",
        given: "みどり",
        family_kana: "カクウ",
        given_kana: "ミドリ",
        sex: Sex::Female,
        birth: Stamp::new("20190811"),
        address: "東京都架空区例示町３丁目３番３号　暫定マンション".to_owned(),
        updated: Stamp::new("20260508164000"),
    }
}

/// The second number by which 架空みどり was registered once by mistake.
pub fn midori_twice() -> Patient {
    Patient {
        id: "0000990004".to_owned(),
        ..midori()
    }
}
