//! What SS-MIX2 forbids, in small: written from the tables of the specification for these tests alone.
//!
//! Nothing of `warifu-rules` or of the crates under it is used here. The oracle names the faults of a
//! file or of a patient's files; a mutant without a fault that its original does not have is allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::sheet::{Segment, Sheet, split};

/// Faults and how often.
pub(crate) type Faults = BTreeMap<String, usize>;

/// Message structures of the events that SS-MIX2 uses; NTE may stand anywhere.
#[rustfmt::skip]
const STRUCTURES: &[(&str, &str)] = &[
    ("A01", "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2] [PDA]"),
    ("A02", "MSH [{SFT}] EVN PID [PD1] [{ROL}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [PDA]"),
    ("A03", "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{OBX}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [PDA]"),
    ("A04", "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2] [PDA]"),
    ("A11", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2] [{DB1}] [{OBX}] [{DG1}]"),
    ("A14", "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2]"),
    ("A15", "MSH [{SFT}] EVN PID [PD1] [{ROL}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{DG1}]"),
    ("A16", "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC]"),
    ("A21", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2] [{DB1}] [{OBX}]"),
    ("A52", "MSH [{SFT}] EVN PID [PD1] PV1 [PV2]"),
    ("A54", "MSH [{SFT}] EVN PID [PD1] [{ROL}] PV1 [PV2] [{ROL}]"),
    ("A60", "MSH [{SFT}] EVN PID [PV1] [PV2] [{IAM}]"),
    ("O03", "MSH [{SFT}] [PID [PD1] [PV1 [{PV2}]] [{IN1 [IN2] [IN3]}] [GT1] [{AL1}]] {ORC [{TQ1 [{TQ2}]}] [{ODS} [{OBX}]]} [{ORC [{TQ1 [{TQ2}]}] {ODT}}]"),
    ("O19", "MSH [{SFT}] [PID [PD1] [{NK1}] [PV1 [PV2]] [{IN1 [IN2] [IN3]}] [GT1] [{AL1}]] {ORC {TQ1 [{TQ2}]} OBR [CTD] [{DG1}] [{OBX}] [{SPM [{OBX}] [{SAC [{OBX}]}]}] [{[PID [PD1]] [PV1 [PV2]] [{AL1}] {[ORC] OBR [{TQ1 [{TQ2}]}] [CTD] {OBX}}}] [{FT1}] [{CTI}] [BLG]}"),
    ("Z23", "MSH [{SFT}] [PID [PD1] [PV1 [PV2]] [{IN1 [IN2] [IN3]}] [GT1] [{AL1}]] {ORC {TQ1 [{TQ2}]} OBR [CTD] [{DG1}] [{OBX}] [{ZE1 [{OBX}] [{ZE2}]}] {IPC}}"),
    ("O33", "MSH [{SFT}] [PID [PD1] [{NK1}] [PV1 [PV2]] [{IN1 [IN2] [IN3]}] [GT1] [{AL1}]] {SPM [{OBX}] [{SAC}] {ORC [{TQ1 [{TQ2}]}] [OBR [TCD] [{DG1}] [{OBX [TCD]}] [{[PID [PD1]] [PV1 [PV2]] [{AL1}] {[ORC] OBR [{TQ1 [{TQ2}]}] {OBX}}}]] [{FT1}] [{CTI}] [BLG]}}"),
    ("R01", "MSH [{SFT}] {[PID [PD1] [{NK1}] [PV1 [PV2]]] {[ORC] OBR [{TQ1 [{TQ2}]}] [CTD] [{OBX}] [{FT1}] [{CTI}] [{SPM [{OBX}]}]}} [DSC]"),
    ("R22", "MSH [{SFT}] [PID [PD1]] [PV1 [PV2]] {SPM [{OBX}] [{SAC [INV]}] {OBR [ORC] [{TQ1 [{TQ2}]}] [{OBX [TCD] [{SID}]}] [{CTI}]}} [DSC]"),
    ("ZD1", "MSH [{SFT}] PID [PV1 [PV2]] {PRB [ZPR] [{ZPD}] [{VAR}] [{ROL [{VAR}]}] [{PTH [{VAR}]}] [{ZI1}] [{OBX}] [{GOL [{VAR}] [{ROL [{VAR}]}] [{OBX}]}] [{ORC [ANY [{VAR}] [{OBX [{VAR}]}]]}]}"),
    ("O17", "MSH [{SFT}] [PID [PD1] [{AL1}] [PV1 [PV2]]] {ORC [{TQ1 [{TQ2}]}] [RXO {RXR} [{RXC}]] [RXE [{TQ1 [{TQ2}]}] {RXR} [{RXC}]] {{RXA} RXR [{OBX}]} [{CTI}]}"),
    ("O11", "MSH [{SFT}] [PID [PD1] [PV1 [PV2]] [{IN1 [IN2] [IN3]}] [GT1] [{AL1}]] {ORC [{TQ1 [{TQ2}]}] [RXO {RXR} [{RXC}]] RXE {TQ1 [{TQ2}]} {RXR} [{RXC}] [{OBX}] [{FT1}] [BLG] [{CTI}]}"),
];

/// Events that share the structure of another.
const SAME: &[(&str, &str)] = &[
    ("A08", "A01"),
    ("A13", "A01"),
    ("A12", "A11"),
    ("A22", "A21"),
    ("A23", "A21"),
    ("A25", "A21"),
    ("A26", "A21"),
    ("A27", "A21"),
    ("A53", "A52"),
    ("A55", "A52"),
];

/// Structure ids of events whose id is not their own name.
const IDS: &[(&str, &str)] = &[
    ("A01", "ADT_A01"),
    ("A04", "ADT_A01"),
    ("A08", "ADT_A01"),
    ("A13", "ADT_A01"),
    ("A14", "ADT_A05"),
    ("A11", "ADT_A09"),
    ("A12", "ADT_A09"),
    ("A22", "ADT_A21"),
    ("A23", "ADT_A21"),
    ("A25", "ADT_A21"),
    ("A26", "ADT_A21"),
    ("A27", "ADT_A21"),
    ("A53", "ADT_A52"),
    ("A55", "ADT_A52"),
];

/// Kind, type, events, care date fields.
#[rustfmt::skip]
pub(crate) const KINDS: &[(&str, &str, &[&str], &[&str])] = &[
    ("ADT-00", "ADT", &["A08", "A23"], &[]),
    ("ADT-01", "ADT", &["A54", "A55"], &[]),
    ("ADT-12", "ADT", &["A04"], &["PV1-44"]),
    ("ADT-21", "ADT", &["A14", "A27"], &["PV2-8"]),
    ("ADT-22", "ADT", &["A01", "A11"], &["PV1-44"]),
    ("ADT-31", "ADT", &["A21", "A52"], &["EVN-6"]),
    ("ADT-32", "ADT", &["A22", "A53"], &["EVN-6", "PV2-47"]),
    ("ADT-41", "ADT", &["A15", "A26"], &["PV2-8"]),
    ("ADT-42", "ADT", &["A02", "A12"], &["EVN-6"]),
    ("ADT-51", "ADT", &["A16", "A25"], &["PV2-9"]),
    ("ADT-52", "ADT", &["A03", "A13"], &["PV1-45"]),
    ("ADT-61", "ADT", &["A60"], &[]),
    ("PPR-01", "PPR", &["ZD1"], &[]),
    ("OMD", "OMD", &["O03"], &["ORC-9"]),
    ("OMP-01", "RDE", &["O11"], &["ORC-9"]),
    ("OMP-11", "RAS", &["O17"], &["RXA-3"]),
    ("OMP-02", "RDE", &["O11"], &["ORC-9"]),
    ("OMP-12", "RAS", &["O17"], &["RXA-3"]),
    ("OML-01", "OML", &["O33"], &["ORC-9"]),
    ("OML-11", "OUL", &["R22"], &["SPM-17"]),
    ("OMG-01", "OMG", &["O19"], &["ORC-9"]),
    ("OMG-11", "OMI", &["Z23"], &["OBR-7"]),
    ("OMG-02", "OMG", &["O19"], &["ORC-9"]),
    ("OMG-12", "OMI", &["Z23"], &["OBR-7"]),
    ("OMG-03", "OMG", &["O19"], &["ORC-9"]),
    ("OMG-13", "ORU", &["R01"], &["OBR-7"]),
];

/// Fields that SS-MIX2 uses: segment, number of fields, `number:type:length:use`. A use may be limited
/// to kinds by an index into [`GROUPS`].
#[rustfmt::skip]
const FIELDS: &[(&str, usize, &str)] = &[
    ("MSH", 21, "1:ST:1:R 2:ST:4:R 3:HD:227:O 4:HD:227:O 5:HD:227:O 6:HD:227:O 7:TS:26:R 9:MSG:15:R 10:ST:20:R 11:PT:3:R 12:VID:60:R 18:ID:16:R 20:ID:20:O"),
    ("EVN", 7, "2:TS:26:R 3:TS:26:C 4:IS:3:O 5:XCN:250:O 6:TS:26:C 7:HD:241:RE"),
    ("PID", 39, "1:SI:4:O 3:CX:250:R 5:XPN:250:R 7:TS:26:R 8:IS:1:R 11:XAD:250:O 13:XTN:250:O 14:XTN:250:O 33:TS:26:C"),
    ("NK1", 39, "1:SI:4:R 2:XPN:250:O 3:CWE:250:O 4:XAD:250:O 5:XTN:250:O 6:XTN:250:O 13:XON:250:O"),
    ("PV1", 52, "1:SI:4:O 2:IS:1:R 3:PL:80:O 6:PL:80:O 7:XCN:250:O 10:IS:3:C 17:XCN:250:O 36:IS:3:O 44:TS:26:O 45:TS:26:O"),
    ("PV2", 49, "1:PL:80:C 8:TS:26:C 9:TS:26:C 47:TS:26:O"),
    ("DB1", 8, "1:SI:4:R 2:IS:2:R 4:ID:1:R"),
    ("OBX", 19, "1:SI:4:O@0 2:ID:2:C@1+R@2 3:CWE:250:R@0 4:ST:20:C@3 5:*:65536:C@4+R@5 6:CWE:250:O@0 11:ID:1:R@0 14:TS:26:O@6"),
    ("AL1", 6, "1:SI:4:R 2:CWE:250:O 3:CWE:250:R"),
    ("IN1", 53, "1:SI:4:R 2:CWE:250:R 3:CX:250:O 4:XON:250:C 10:CX:250:C 11:XON:250:C 12:DT:8:O 13:DT:8:O 15:IS:3:C 17:CWE:250:O"),
    ("IAM", 20, "1:SI:4:R 2:CWE:250:O 3:CWE:250:R 4:CWE:250:O 5:ST:15:O 6:CNE:250:R 7:EI:427:C 8:ST:60:O 9:CWE:250:O 10:CWE:250:O 11:DT:8:O 12:ST:60:O 13:TS:8:O 14:XPN:250:O 15:CWE:250:O 17:CWE:250:O 18:XCN:250:O 19:XON:250:O 20:TS:8:O"),
    ("PRB", 25, "1:ID:2:R 2:TS:26:R 3:CWE:260:R 4:EI:60:R 5:EI:60:O 6:NM:60:O 7:TS:26:O 8:TS:26:O 9:TS:26:O 10:CWE:250:O 11:CWE:250:O 12:CWE:250:O 13:CWE:250:O 14:CWE:250:O 15:TS:26:O 16:TS:26:O 17:TS:80:O 18:CWE:250:O 19:CWE:250:O 20:NM:5:O 21:CWE:250:O 22:CWE:250:O 23:CWE:250:O 24:ST:250:O 25:CWE:250:O"),
    ("ZPR", 7, "1:CWE:250:O 2:CWE:250:R 3:CWE:250:O 4:CWE:250:O 5:CWE:250:O 6:CWE:250:O 7:ST:199:O"),
    ("ZPD", 2, "1:SI:4:O 2:CWE:250:O"),
    ("ORC", 30, "1:ID:2:R@0 2:EI:22:R@0 3:EI:22:O@7 4:EI:22:O@8+R@9 5:ID:2:RE@1+O@3 8:EIP:200:C@10 9:TS:26:O@11+R@10 10:XCN:250:O@0 12:XCN:250:O@11+R@10 13:PL:80:O@7 15:TS:26:O@0 16:CWE:250:O@0 17:CWE:250:O@12+R@13 18:CWE:250:O@0 21:XON:250:O@7 22:XAD:250:O@7 23:XTN:250:O@7 29:CWE:250:O@14+R@15+RE@1"),
    ("TQ1", 14, "1:SI:4:O@16+R@17 2:CQ:20:O@18 3:RPT:540:O@19+C@15 4:TM:20:O@6 5:CQ:20:O@6 6:CQ:20:O@20 7:TS:26:O@21+RE@22 8:TS:26:O@23 9:CWE:250:O@24+RE@22+R@10 10:TX:250:O@6 11:TX:250:O@25+C@15 12:ID:10:C@26+O@6 13:CQ:20:O@6 14:NM:10:O@27"),
    ("ODS", 4, "1:ID:1:R 2:CWE:250:O 3:CWE:250:R 4:ST:80:O"),
    ("RXE", 44, "2:CWE:250:R@0 3:NM:20:R@0 4:NM:20:O@28 5:CWE:250:R@0 6:CWE:250:O@0 7:CWE:250:O@0 10:NM:20:R@28+O@15 11:CWE:250:R@28+O@15 13:XCN:250:O@0 14:XCN:250:O@0 15:ST:20:O@0 16:NM:20:O@0 17:NM:20:O@0 18:TS:26:O@0 19:CQ:10:C@28+O@15 20:ID:1:O@15 21:CWE:250:O@0 22:ST:20:O@0 23:ST:6:O@15 24:CWE:250:O@15 25:NM:20:O@0 26:CWE:250:O@0 27:CWE:250:O@0 28:NM:20:O@0 29:CWE:250:O@0 30:ID:2:O@0 32:TS:26:O@0 33:NM:5:O@0 34:CWE:250:O@0 35:CWE:60:O@0 36:ID:1:O@0 37:CWE:60:O@0 38:CWE:250:O@0 39:NM:250:O@0 40:CWE:250:O@0 41:XAD:250:O@0 42:PL:80:O@0 43:XAD:250:O@0 44:ID:1:O@0"),
    ("RXR", 6, "1:CWE:250:R@0 2:CWE:250:O@0 3:CWE:250:O@0 4:CWE:250:O@0"),
    ("RXA", 26, "1:NM:4:R 2:NM:4:R 3:TS:26:R 4:TS:26:R 5:CWE:250:R 6:NM:20:R 7:CWE:250:C 8:CWE:250:O 9:CWE:250:O 10:XCN:250:O 11:LA2:200:C 12:ST:20:C 13:NM:20:O 14:CWE:250:O 15:ST:20:O 16:TS:26:O 17:CWE:250:O 18:CWE:250:O 19:CWE:250:O 20:ID:2:O 21:ID:2:O 22:TS:26:O 23:NM:5:O 24:CWE:250:O 25:CWE:60:O 26:ID:1:O"),
    ("RXC", 9, "1:ID:1:R 2:CWE:250:R 3:NM:20:R 4:CWE:250:R 5:NM:20:O 6:CWE:250:O 7:CWE:250:O 8:NM:5:O 9:CWE:250:O"),
    ("CTI", 3, "1:EI:60:R 2:CWE:250:C 3:CWE:250:O"),
    ("SPM", 29, "1:SI:4:RE 2:EIP:80:RE 4:CWE:250:R 8:CWE:250:RE 17:DR:26:RE"),
    ("OBR", 49, "1:SI:4:C@1+O@5+R@3 2:EI:22:R@0 3:EI:22:O@0 4:CWE:250:R@0 7:TS:26:C@29+O@5 8:TS:26:O@30 12:CWE:250:O@0 13:ST:300:O@3 16:XCN:250:O@0 22:TS:26:O@0 24:ID:10:O@3 25:ID:1:O@5+C@3 26:PRL:400:O@3 28:XCN:250:O@3 29:EIP:200:C@10 36:TS:26:O@10"),
    ("IPC", 9, "1:EI:80:R 2:EI:22:O 3:EI:70:R 4:EI:22:O 5:CWE:16:R 6:CWE:250:O 7:EI:22:O 8:CWE:250:O 9:ST:16:O"),
    ("ZE1", 12, "1:SI:4:O@31+R@32 2:IS:20:R@0 3:CWE:483:R@0 4:NM:16:O@0 5:CWE:483:O@31 6:JCC:292:C@31 7:XCN:3002:O@31 8:IS:20:C@31 9:ZRD:250:O@31 10:XTN:850:O@0 11:ST:199:O@0 12:ST:199:O@0"),
    ("ZE2", 7, "1:SI:4:O 2:CQ:500:O 3:CQ:500:O 4:CQ:500:O 5:CQ:500:O 6:NM:16:O 7:ST:199:O"),
];

/// Fields with the use C whose condition was settled: field, kinds, whether real data seldom have it. What
/// the condition is, `is_due` says.
#[rustfmt::skip]
pub(crate) const CONDITIONS: &[(&str, &str, bool)] = &[
    ("EVN-3", "ADT-21 ADT-41 ADT-51", false),
    ("EVN-6", "ADT-01", false),
    ("EVN-6", "ADT-12 ADT-22 ADT-52 ADT-61", true),
    ("PV1-10", "ADT-12", false),
    ("PV1-10", "ADT-21 ADT-22 ADT-31 ADT-32 ADT-41 ADT-42 ADT-51 ADT-52", true),
    ("PV2-1", "ADT-21 ADT-41", false),
    ("OBX-2", "OML-11", false),
    ("OBX-4", "OMG-13", false),
    ("OBX-5", "OML-11 OMG-13", false),
    ("IN1-4", "ADT-00", true),
    ("IN1-10", "ADT-00", false),
    ("IN1-15", "ADT-00", true),
    ("ORC-8", "OMG-01 OMG-02 OMG-03 OMG-11 OMG-12", false),
    ("RXE-19", "OMP-01 OMP-11", false),
    ("RXA-11", "OMP-11 OMP-12", true),
    ("OBR-7", "OML-11 OMG-13", false),
    ("OBR-25", "OMG-13", false),
    ("OBR-29", "OMG-01 OMG-02 OMG-03 OMG-11 OMG-12", false),
    ("ZE1-6", "OMG-11", false),
    ("ZE1-8", "OMG-11", false),
];

/// Groups of kinds that [`FIELDS`] refers to.
#[rustfmt::skip]
const GROUPS: &[&[&str]] = &[
    &["PPR-01", "OMD", "OMP-01", "OMP-11", "OMP-02", "OMP-12", "OML-01", "OML-11", "OMG-01", "OMG-11", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["OML-01", "OML-11"],
    &["OMP-02", "OMP-12", "OMG-01", "OMG-11", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["OMG-03", "OMG-13"],
    &["OML-01", "OML-11", "OMP-02", "OMP-12", "OMG-03", "OMG-13"],
    &["OMG-01", "OMG-11", "OMG-02", "OMG-12"],
    &["OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["PPR-01", "OMP-01", "OMP-11", "OMP-02", "OMP-12", "OML-01", "OML-11", "OMG-01", "OMG-11", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["PPR-01", "OML-01", "OML-11", "OMG-03", "OMG-13"],
    &["OMP-01", "OMP-11", "OMP-02", "OMP-12"],
    &["OMG-01", "OMG-11", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["PPR-01", "OMD", "OMP-01", "OMP-11", "OMP-02", "OMP-12", "OML-01", "OML-11"],
    &["PPR-01", "OMD", "OMP-01", "OMP-11", "OML-01", "OML-11", "OMG-01", "OMG-11", "OMG-02", "OMG-12"],
    &["OMP-02", "OMP-12", "OMG-03", "OMG-13"],
    &["PPR-01", "OMP-01", "OMP-11", "OMG-01", "OMG-11", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["OMP-02", "OMP-12"],
    &["OMD", "OMP-01", "OMP-11", "OMP-02", "OMP-12"],
    &["OML-01", "OMG-01", "OMG-11", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["OMP-01", "OMP-11", "OMP-02", "OMP-12", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["OMD", "OMP-01", "OMP-11", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["OMP-01", "OMP-11", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["OMD", "OMP-01", "OMP-11", "OMP-02", "OMP-12", "OMG-01", "OMG-11", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["OML-01"],
    &["OMP-01", "OMP-11", "OMP-02", "OMP-12", "OML-01", "OMG-01", "OMG-11", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["OMD"],
    &["OMP-01", "OMP-11", "OML-01", "OMG-01", "OMG-11", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["OMD", "OMP-01", "OMP-11", "OML-01", "OMG-01", "OMG-11"],
    &["OMP-02", "OMP-12", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["OMP-01", "OMP-11"],
    &["OML-01", "OML-11", "OMG-03", "OMG-13"],
    &["OML-01", "OML-11", "OMG-02", "OMG-12", "OMG-03", "OMG-13"],
    &["OMG-11"],
    &["OMG-12"],
];

/// A field that SS-MIX2 uses.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) n: usize,
    pub(crate) datatype: &'static str,
    pub(crate) length: usize,
    uses: &'static str,
}

impl Field {
    /// `R`, `RE`, `C`, `O`, or nothing for a kind.
    pub(crate) fn usage(&self, kind: &str) -> &'static str {
        for one in self.uses.split('+') {
            match one.split_once('@') {
                None => return one,
                Some((usage, group)) => {
                    if GROUPS[group.parse::<usize>().unwrap()].contains(&kind) {
                        return usage;
                    }
                }
            }
        }
        ""
    }
}

/// How many fields a segment has, and those in use; `None` for segments without a table.
pub(crate) fn fields(segment: &str) -> Option<(usize, Vec<Field>)> {
    let segment = if segment == "ZI1" { "IN1" } else { segment };
    let (_, count, text) = FIELDS.iter().find(|(name, ..)| *name == segment)?;
    let list = text
        .split(' ')
        .map(|field| {
            let parts: Vec<&'static str> = field.splitn(4, ':').collect();
            Field {
                n: parts[0].parse().unwrap(),
                datatype: parts[1],
                length: parts[2].parse().unwrap(),
                uses: parts[3],
            }
        })
        .collect();
    Some((*count, list))
}

/// Fields of [`FIELDS`] that HL7 v2.5 gives no repetition (RP/# is empty).
const ALONE: &[(&str, &str)] = &[
    ("MSH", "3 4 5 6 7 9 10 11 12 20"),
    ("EVN", "2 3 4 6 7"),
    ("PID", "1 7 8 33"),
    ("NK1", "1 3"),
    ("PV1", "1 2 3 6 10 36 44 45"),
    ("PV2", "1 8 9 47"),
    ("DB1", "1 2 4"),
    ("OBX", "1 2 3 4 6 11 14"),
    ("AL1", "1 2 3"),
    ("IN1", "1 2 12 13 15 17"),
    ("IAM", "1 2 3 4 6 7 8 9 10 11 12 13 14 15 17 18 19 20"),
    (
        "PRB",
        "1 2 3 4 5 6 7 8 9 10 12 13 14 15 16 17 18 19 20 21 22 23 24 25",
    ),
    ("ORC", "1 2 3 4 5 8 9 13 15 16 17 18 29"),
    ("TQ1", "1 2 7 8 10 11 12 13 14"),
    ("ODS", "1"),
    (
        "RXE",
        "2 3 4 5 6 10 11 15 16 17 18 19 20 22 23 24 25 26 28 29 30 32 33 35 36 37 38 39 40 41 42 43 44",
    ),
    ("RXR", "1 2 3 4"),
    ("RXA", "1 2 3 4 5 6 7 8 11 12 13 14 20 21 22 23 24 25 26"),
    ("RXC", "1 2 3 4 5 6 8 9"),
    ("CTI", "1 2 3"),
    ("SPM", "1 2 4 8 17"),
    ("OBR", "1 2 3 4 7 8 12 13 22 24 25 26 29 36"),
    ("IPC", "1 2 3 4 5 7 9"),
    ("ZPD", "1"),
    ("ZE1", "1 4"),
    ("ZE2", "1 6"),
];

/// Whether a field holds one value only.
pub(crate) fn is_alone(segment: &str, n: usize) -> bool {
    let segment = if segment == "ZI1" { "IN1" } else { segment };
    ALONE
        .iter()
        .find(|(name, _)| *name == segment)
        .is_some_and(|(_, list)| list.split(' ').any(|f| f == n.to_string()))
}

/// Values of tables by number of table, or by the name of a coding system.
#[rustfmt::skip]
const TABLES: &[(&str, &str)] = &[
    ("0001", "F M O U A N"), ("0004", "I O"), ("0038", "A CA CM DC ER HD IP RP SC"),
    ("0063", "SEL SPO DOM CHD GCH NCH SCH FCH DEP WRD PAR MTH FTH CGV GRD GRP EXF SIB BRO SIS FND OAD EME EMR ASC EMC OWN TRA MGR NON UNK OTH"),
    ("0085", "C D F I N O P R S X U W"),
    ("0119", "CA RE CH CN DC RP SC SN NA NW OC OK XO PA OH OD RL RU DE UA UC UD UX UN UR OR OE HD HR CR CQ CM DR OF PY RF RO RQ RR SR SS XX XR NR LI AF AM PR DF FU FO IN"),
    ("0125", "AD CE CWE CF CK CN CP CX DT ED FT MO NM PN RP SN ST TM TN TS TX XAD XCN XON XPN XTN"),
    ("0127", "DA FA MA MC EA AA PA LA"),
    ("0162", "AP MM B NS DT NG EP NP ET NT GTT OP GU OT IMR OTH IA PF IB PO IC PR ICV RM ID SD IH SC IHA SL IM TP IN TRA IO TD IP TL IS UR IT VG IU VM IV WND MTH"),
    ("0164", "AP BT HL IPPB IVP IVS MI NEB PCA"), ("0166", "A B"), ("0287", "AD CO DE LI UC UN UP"),
    ("0322", "CP PA RE NA"), ("0323", "A D U X"), ("0334", "PT GT IN AP"), ("0482", "I O"),
    ("0485", "S A R P C T PRN"), ("ODS", "D S P"),
    ("JHSD0004", "H L O B A F"), ("JHSD0005", "1"), ("JHSD0006", "I M C O"), ("JHSD0007", "1"),
    ("JHSI0002", "00 01 02 03 04 05 06 07 09"),
    ("JHSD0001", "C0 PI LI TI PS OE D0 OT 67 01 02 03 04 06 07 39 31 32 33 34 63 72 73 74 75 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 28 29 30 51 52 53 66 79"),
];

/// Fields with a table: segment, field, table; those of coded fields go by the system named in them.
#[rustfmt::skip]
pub(crate) const CODED: &[(&str, usize, &str)] = &[
    ("PID", 8, "0001"), ("PV1", 2, "0004"), ("OBX", 2, "0125"), ("OBX", 11, "0085"), ("ORC", 1, "0119"),
    ("ORC", 5, "0038"), ("RXC", 1, "0166"), ("PRB", 1, "0287"), ("RXA", 20, "0322"), ("DB1", 2, "0334"),
    ("ODS", 1, "ODS"),
];

/// Coded fields with a table of HL7.
pub(crate) const SYSTEMS: &[(&str, usize, &str)] = &[
    ("NK1", 3, "0063"),
    ("IAM", 2, "0127"),
    ("RXR", 1, "0162"),
    ("RXR", 3, "0164"),
    ("ORC", 29, "0482"),
    ("TQ1", 9, "0485"),
];

fn in_table(table: &str, value: &str) -> bool {
    TABLES
        .iter()
        .find(|(name, _)| *name == table)
        .is_none_or(|(_, values)| values.split(' ').any(|v| v == value))
}

/// The table of a coding system, when the oracle has it.
pub(crate) fn table_of(system: &str) -> Option<&str> {
    let name = system.strip_prefix("HL7").unwrap_or(system);
    TABLES.iter().any(|(t, _)| *t == name).then_some(name)
}

/// One piece of a structure.
enum Node {
    Name(String),
    Optional(Vec<Node>),
    Repeated(Vec<Node>),
}

fn structure(text: &str) -> Vec<Node> {
    let spaced: String = text
        .chars()
        .map(|c| {
            if "[]{}".contains(c) {
                format!(" {c} ")
            } else {
                c.to_string()
            }
        })
        .collect();
    let mut stack: Vec<Vec<Node>> = vec![Vec::new()];
    for word in spaced.split_whitespace() {
        match word {
            "[" | "{" => stack.push(Vec::new()),
            "]" | "}" => {
                let inner = stack.pop().unwrap();
                let node = if word == "]" {
                    Node::Optional(inner)
                } else {
                    Node::Repeated(inner)
                };
                stack.last_mut().unwrap().push(node);
            }
            name => stack.last_mut().unwrap().push(Node::Name(name.to_owned())),
        }
    }
    stack.pop().unwrap()
}

/// Where a message can go on after `nodes`, from each place in `from`.
fn run(nodes: &[Node], from: &BTreeSet<usize>, names: &[&str]) -> BTreeSet<usize> {
    let mut at = from.clone();
    for node in nodes {
        at = match node {
            Node::Name(name) => at
                .iter()
                .filter(|i| names.get(**i).is_some_and(|n| name == "ANY" || n == name))
                .map(|i| i + 1)
                .collect(),
            Node::Optional(inner) => &at | &run(inner, &at, names),
            Node::Repeated(inner) => {
                let mut all = BTreeSet::new();
                let mut edge = at;
                loop {
                    edge = &run(inner, &edge, names) - &all;
                    if edge.is_empty() {
                        break all;
                    }
                    all = &all | &edge;
                }
            }
        };
    }
    at
}

/// Whether a day exists.
fn is_day(text: &str) -> bool {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let n = |r: Range<usize>| text[r].parse::<u32>().unwrap();
    let (y, m, d) = (n(0..4), n(4..6), n(6..8));
    let leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    let last = match m {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1850..2200).contains(&y) && (1..=last).contains(&d)
}

/// `YYYY[MM[DD[HHMM[SS[.S]]]]]`.
fn is_time(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 4 {
        return false;
    }
    let pad = match whole.len() {
        4 => format!("{whole}0101"),
        6 => format!("{whole}01"),
        8 | 12 | 14 => whole[..8].to_owned(),
        _ => return false,
    };
    let below = |r: Range<usize>, limit: u32| {
        whole
            .get(r)
            .is_none_or(|t| t.parse::<u32>().is_ok_and(|n| n < limit))
    };
    is_day(&pad) && below(8..10, 24) && below(10..12, 60) && below(12..14, 60)
}

fn is_number(text: &str) -> bool {
    let t = text.trim();
    let t = t.strip_prefix(['+', '-']).unwrap_or(t);
    t.bytes().any(|b| b.is_ascii_digit())
        && t.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && t.bytes().filter(|b| *b == b'.').count() <= 1
}

/// The check digit that closes a number: weights 2, 1, 2, 1 … from the right.
pub(crate) fn check_digit(body: &str) -> u32 {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| {
            let n = u32::from(b - b'0') * if i % 2 == 0 { 2 } else { 1 };
            n / 10 + n % 10
        })
        .sum();
    (10 - sum % 10) % 10
}

fn is_checked(number: &str) -> bool {
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    digits && number.len() > 1 && {
        let (body, last) = number.split_at(number.len() - 1);
        check_digit(body) == last.parse::<u32>().unwrap()
    }
}

/// Whether a code has the shape of its system.
fn has_shape(system: &str, code: &str) -> bool {
    let digits = |n: usize| code.len() == n && code.bytes().all(|b| b.is_ascii_digit());
    match system {
        // 15 characters where no result is meant, 17 with the result.
        "JC10" => {
            (code.len() == 15 || code.len() == 17 || code.len() == 3)
                && code
                    .bytes()
                    .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        }
        "HOT7" | "HOT07" => digits(7),
        "HOT9" | "HOT09" => digits(9),
        "HOT13" => digits(13),
        "YJ" => {
            code.len() == 12
                && code
                    .bytes()
                    .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        }
        "I10" => {
            let bare = code.replace('.', "");
            (3..=5).contains(&bare.len())
                && bare.starts_with(|c: char| c.is_ascii_uppercase())
                && bare[1..3].bytes().all(|b| b.is_ascii_digit())
        }
        "JAMISDP01" => {
            matches!(code.len(), 8 | 16) && code.bytes().all(|b| b.is_ascii_alphanumeric())
        }
        _ => true,
    }
}

/// A unit as the ASCII convention of SS-MIX2 writes it: ASCII, litre as L.
fn is_unit(text: &str) -> bool {
    text.is_ascii()
        && !text.contains('\u{1b}')
        && !text.split('/').any(|part| {
            let part = part
                .trim_start_matches('u')
                .trim_start_matches(['m', 'd', 'f', 'p', 'k']);
            part == "l"
        })
}

/// Whether a kind of JHSD0001 is medical insurance.
fn is_medical(kind: &str) -> bool {
    matches!(
        kind,
        "C0" | "01" | "02" | "03" | "04" | "06" | "07" | "39" | "31" | "32" | "33" | "34"
    ) || matches!(kind, "63" | "67" | "72" | "73" | "74" | "75")
}

/// Times of the patient's life.
pub(crate) const IN_LIFE: &[(&str, usize)] = &[
    ("OBX", 14),
    ("OBR", 7),
    ("SPM", 17),
    ("ORC", 9),
    ("RXA", 3),
    ("PRB", 7),
];

/// Whether a name begins like one of a standard system and is none.
pub(crate) fn is_misspelt(name: &str) -> bool {
    const WHOLE: &str = "JC10 JC11 HOT7 HOT07 HOT9 HOT09 HOT11 HOT13 I10 MDCDX2 JAMISDP01 MR9P JJ1017 LENDO ISO+ JANIS YJ";
    let beginnings = [
        "JC1", "HOT", "I10", "MDC", "JAMI", "MR9", "JJ1", "LENDO", "ISO", "JANI", "YJ",
    ];
    let digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
    if let Some(rest) = name
        .strip_prefix("HL7")
        .or_else(|| name.strip_prefix("JHSD"))
    {
        return !digits(rest, 4);
    }
    beginnings.iter().any(|b| name.starts_with(b)) && !WHOLE.split(' ').any(|w| w == name)
}

struct Reading<'a> {
    bytes: &'a [u8],
    faults: Faults,
}

impl Reading<'_> {
    fn add(&mut self, fault: impl Into<String>) {
        *self.faults.entry(fault.into()).or_default() += 1;
    }
    fn text(&self, range: Range<usize>) -> String {
        String::from_utf8_lossy(&self.bytes[range]).into_owned()
    }
    /// A component of the first repetition, from 1.
    fn comp(&self, field: Range<usize>, n: usize) -> String {
        let first = split(self.bytes, field, b'~').swap_remove(0);
        let parts = split(self.bytes, first, b'^');
        parts
            .get(n - 1)
            .map_or_else(String::new, |r| self.text(r.clone()))
    }

    /// Characters: ASCII and JIS X 0208 rows 1–8 and 16–84, each run closed before a delimiter.
    fn characters(&mut self) {
        let bytes = self.bytes;
        let (mut at, mut wide) = (0, false);
        while at < bytes.len() {
            let b = bytes[at];
            if b == 0x1b {
                let rest = &bytes[at..];
                if rest.starts_with(b"\x1b$B") {
                    wide = true;
                } else if rest.starts_with(b"\x1b(B") {
                    if !wide {
                        self.add("escape to ASCII in ASCII");
                    }
                    wide = false;
                } else {
                    self.add("escape sequence");
                    wide = false;
                }
                at += 3;
                continue;
            }
            if matches!(b, b'\r' | b'\n') {
                if wide {
                    self.add("shift not closed");
                    wide = false;
                }
                if b == b'\n' {
                    self.add("line feed");
                }
                at += 1;
                continue;
            }
            if wide {
                let second = bytes.get(at + 1).copied().unwrap_or(0);
                if !matches!(b, 0x21..=0x28 | 0x30..=0x74) || !(0x21..=0x7e).contains(&second) {
                    self.add("character outside JIS X 0208");
                }
                at += if second < 0x20 { 1 } else { 2 };
                continue;
            }
            if bytes[at..].starts_with(b"$B") {
                // The pairs of a text whose escape bytes are gone.
                let pairs = bytes[at + 2..].chunks(2);
                let pairs: Vec<_> = pairs
                    .take_while(|p| p.iter().all(|b| (0x21..=0x7e).contains(b)))
                    .collect();
                let ended = pairs.iter().position(|p| *p == b"(B");
                let back = at + 2 + 2 * pairs.len();
                if ended.is_some_and(|n| n > 0)
                    || bytes[back.min(bytes.len())..].starts_with(b"\x1b(B")
                {
                    self.add("escape bytes lost");
                }
            }
            if b >= 0x80 || (b < 0x20 && b != b'\t') {
                self.add("byte outside ASCII");
            }
            at += 1;
        }
        if wide {
            self.add("shift not closed");
        }
        if bytes.last() != Some(&b'\r') {
            self.add("no last CR");
        }
    }

    fn escapes(&mut self, field: Range<usize>) {
        let parts = split(self.bytes, field, b'\\');
        for pair in parts.chunks(2).filter(|p| p.len() == 2) {
            let name = self.text(pair[1].clone());
            let known = matches!(name.as_str(), "F" | "S" | "R" | "T" | "E" | "H" | "N")
                || matches!(name.as_str(), ".br" | ".fi" | ".nf" | ".ce")
                || [".sp", ".in", ".ti", ".sk"].contains(&name.get(..3).unwrap_or(""))
                || name.starts_with(['X', 'C', 'M', 'Z']);
            if !known {
                self.add("HL7 escape");
            }
        }
        if parts.len().is_multiple_of(2) {
            self.add("HL7 escape");
        }
    }

    fn segment(&mut self, segment: &Segment, kind: &str) {
        let name = segment.name.as_str();
        let Some((count, used)) = fields(name) else {
            return;
        };
        for (place, kinds, rare) in CONDITIONS {
            let Some((own, n)) = place.split_once('-') else {
                continue;
            };
            let n: usize = n.parse().unwrap();
            if own == name
                && kinds.split(' ').any(|k| k == kind)
                && self.is_empty(segment.field(n))
                && self.is_due(segment, n)
            {
                let rare = if *rare { " (rare)" } else { "" };
                self.add(format!("{place} required by its condition{rare}"));
            }
        }
        for field in &used {
            let filled = !self.is_empty(segment.field(field.n));
            if !filled && field.usage(kind) == "R" && (name, field.n) != ("MSH", 2) {
                self.add(format!("{name}-{} required", field.n));
            }
        }
        for (n, range) in segment.fields.iter().enumerate().skip(1) {
            if self.is_empty(range.clone()) || (name == "MSH" && n <= 2) {
                continue;
            }
            if n > count {
                self.add(format!("{name}-{n} beyond the segment"));
                continue;
            }
            if name != "NTE" {
                self.escapes(range.clone());
            }
            let Some(field) = used.iter().find(|f| f.n == n) else {
                self.add(format!("{name}-{n} not used"));
                continue;
            };
            self.field(segment, field, range.clone(), kind);
        }
    }

    /// Whether the condition of a field of [`CONDITIONS`] holds, as far as its own segment says; the
    /// mutants come from messages where it was filled.
    fn is_due(&self, segment: &Segment, n: usize) -> bool {
        let own = |n: usize| self.comp(segment.field(n), 1);
        match (segment.name.as_str(), n) {
            ("OBX", 2) => !own(5).is_empty(),
            ("OBX", 5) => matches!(own(11).as_str(), "F" | "C" | "P" | "R" | "S" | "U" | ""),
            ("IN1", 10) => is_medical(&own(2)),
            ("IN1", 4) => !matches!(own(2).as_str(), "PI" | "LI" | "TI" | "PS" | "OE" | "OT"),
            ("ORC", 8) => own(1) == "CH",
            // What other segments say is looked at in `relations`.
            ("RXE", 19) | ("OBR", 29) | ("OBX", 4) => false,
            ("ZE1", 6) => !own(7).is_empty(),
            ("ZE1", 8) => !own(9).is_empty(),
            ("RXA", 11) => !matches!(own(20).as_str(), "NA" | "RE"),
            _ => true,
        }
    }

    fn is_empty(&self, range: Range<usize>) -> bool {
        let text = &self.bytes[range];
        text.iter().all(|b| matches!(b, b'^' | b'~' | b'&' | b' '))
    }

    fn field(&mut self, segment: &Segment, field: &Field, range: Range<usize>, kind: &str) {
        let (name, n) = (segment.name.as_str(), field.n);
        let datatype = match (name, n) {
            ("OBX", 5) => self.text(segment.field(2)),
            ("PRB", 17) => "ST".to_owned(),
            _ => field.datatype.to_owned(),
        };
        if field.usage(kind).is_empty() && !(name == "OBX" && n <= 14) {
            self.add(format!("{name}-{n} not used"));
        }
        let repetitions = split(self.bytes, range.clone(), b'~');
        let is_single = |kind: &str| matches!(kind, "NM" | "SN" | "DT" | "TM" | "TS");
        let observed = (name, n) == ("OBX", 5) && is_single(&datatype);
        if repetitions.len() > 1 && (observed || is_alone(name, n)) {
            self.add(format!("{name}-{n} repeats"));
        }
        for repetition in repetitions {
            let at = format!("{name}-{n}");
            let text = self.text(repetition.clone());
            if text == "\"\"" {
                continue;
            }
            let longer = ["CWE", "CX", "XAD", "XCN", "XPN", "CNE", "CQ"].contains(&field.datatype);
            let limit = if longer {
                field.length.max(250)
            } else {
                field.length
            };
            let limit = if (name, n) == ("RXE", 23) { 8 } else { limit };
            let limit = if (name, n) == ("OBX", 2) { 3 } else { limit };
            if self.width(repetition.clone()) > limit {
                self.add(format!("{at} too long"));
            }
            let parts = split(self.bytes, repetition.clone(), b'^');
            let most = match datatype.as_str() {
                "SI" | "NM" | "ST" | "ID" | "IS" | "DT" | "TM" => 1,
                "TS" | "DR" | "CQ" => 2,
                "CWE" | "CNE" => 9,
                "EI" => 4,
                _ => usize::MAX,
            };
            if parts.len() > most {
                self.add(format!("{at} has too many components"));
            }
            if is_single(&datatype) && text.contains('&') {
                self.add(format!("{at} has sub-components"));
            }
            let first = self.comp(repetition.clone(), 1);
            let second = self.comp(repetition.clone(), 2);
            match datatype.as_str() {
                "TS" | "DT" if !is_time(&first) => self.add(format!("{at} no time")),
                "DR" if !(is_time(&first) && (second.is_empty() || is_time(&second))) => {
                    self.add(format!("{at} no time"));
                }
                "NM" if !is_number(&first) => self.add(format!("{at} no number")),
                "CQ" if !first.is_empty() && !is_number(&first) => {
                    self.add(format!("{at} no number"));
                }
                "SI" if !first.bytes().all(|b| b.is_ascii_digit()) => {
                    self.add(format!("{at} no number"));
                }
                "CWE" | "CNE" => self.coded(&at, &repetition, kind),
                "RPT" => {
                    let code = self.comp(repetition.clone(), 1);
                    let inner: Vec<&str> = code.split('&').collect();
                    if inner.len() >= 3 && !has_shape(inner[inner.len() - 1], inner[0]) {
                        self.add(format!("{at} shape"));
                    }
                }
                "XAD" => {
                    let zip = self.comp(repetition.clone(), 5);
                    let bare: String = zip.chars().filter(|c| *c != '-').collect();
                    let hyphen = zip.find('-').is_none_or(|p| p == 3);
                    let digits = bare.len() == 7 && bare.bytes().all(|b| b.is_ascii_digit());
                    if !(zip.is_empty() || hyphen && digits) {
                        self.add(format!("{at} postal code"));
                    }
                }
                _ => {}
            }
            if let Some((.., table)) = CODED.iter().find(|(s, f, _)| (*s, *f) == (name, n))
                && !in_table(table, &first)
            {
                self.add(format!("{at} not in table"));
            }
            if (name, n) == ("PV1", 10) {
                let digits = first.bytes().take(2).all(|b| b.is_ascii_digit());
                if !(digits && matches!(first.len(), 2 | 3)) {
                    self.add(format!("{at} not in table"));
                }
            }
            if (name, n) == ("PID", 3) && text != first && first != self.comp(range.clone(), 1) {
                self.add("two patient ids");
            }
            let system = self.comp(repetition.clone(), 3);
            if let Some((.., table)) = SYSTEMS.iter().find(|(s, f, _)| (*s, *f) == (name, n))
                && system.starts_with("HL7")
                && system != format!("HL7{table}")
            {
                self.add(format!("{at} system"));
            }
            if (name, n) == ("OBX", 6)
                && self.comp(repetition.clone(), 3) == "ISO+"
                && !is_unit(&first)
            {
                self.add(format!("{at} unit"));
            }
            if matches!(name, "IN1" | "ZI1") && n == 3 && !first.is_empty() {
                let demonstration = matches!(first.as_str(), "99999999" | "12345678");
                let insurance = self.comp(segment.field(2), 1);
                let long = if insurance == "C0" { 6 } else { 8 };
                if first.len() != long || !(is_checked(&first) || demonstration) {
                    self.add(format!("{at} check digit"));
                }
            }
        }
    }

    /// Both codes of a coded value.
    fn coded(&mut self, at: &str, repetition: &Range<usize>, kind: &str) {
        for first in [1, 4] {
            let code = self.comp(repetition.clone(), first);
            let system = self.comp(repetition.clone(), first + 2);
            if code.is_empty() || system.is_empty() {
                continue;
            }
            if code.contains("\x1b$B!!") {
                self.add(format!("{at} blank of double-byte text"));
            }
            if is_misspelt(&system) {
                self.add(format!("{at} name of the system"));
            }
            if table_of(&system).is_some_and(|table| !in_table(table, &code)) {
                self.add(format!("{at} not in table"));
            }
            let digits = |n: usize| code.len() == n && code.bytes().all(|b| b.is_ascii_digit());
            let managed = matches!(at, "PRB-3" | "ZPR-1" | "ZPR-2" | "ZPR-3");
            let medis = system == "MDCDX2" && managed && !digits(8);
            // Physiology names what was measured by the analyte alone.
            let partial = system == "JC10" && kind.starts_with("OMG");
            if medis || !(partial || has_shape(&system, &code)) {
                self.add(format!("{at} shape"));
            }
        }
    }

    /// Characters of a range, escapes not counted.
    fn width(&self, range: Range<usize>) -> usize {
        let (mut at, mut wide, mut count) = (range.start, false, 0);
        while at < range.end {
            if self.bytes[at] == 0x1b {
                wide = self.bytes.get(at + 1) == Some(&b'$');
                at += 3;
                continue;
            }
            at += if wide { 2 } else { 1 };
            count += 1;
        }
        count
    }

    /// What fields of a message say of one another.
    fn relations(&mut self, sheet: &Sheet, kind: &str) {
        let all = |name: &str| {
            sheet
                .segments
                .iter()
                .filter(|s| s.name == name)
                .cloned()
                .collect::<Vec<_>>()
        };
        let minute = |t: &str| {
            t.chars()
                .filter(char::is_ascii_digit)
                .take(12)
                .collect::<String>()
        };
        let birth = all("PID")
            .first()
            .map_or_else(String::new, |s| self.comp(s.field(7), 1));
        for (name, n) in IN_LIFE {
            for s in all(name) {
                let day: String = self.comp(s.field(*n), 1).chars().take(8).collect();
                if day.len() == 8 && birth.len() >= 8 && day.as_str() < &birth[..8] {
                    self.add(format!("{name}-{n} before birth"));
                }
            }
        }
        for group in sheet.segments.split(|s| s.name == "OBR").skip(1) {
            let items: Vec<(bool, String)> = group
                .iter()
                .filter(|s| s.name == "OBX" && kind == "OMG-13")
                .map(|s| (self.is_empty(s.field(4)), self.text(s.field(3))))
                .collect();
            for (i, (empty, code)) in items.iter().enumerate() {
                let told_apart = |(n, (empty, other)): (usize, &(bool, String))| {
                    n != i && (!empty || other == code)
                };
                if *empty && items.iter().enumerate().any(told_apart) {
                    self.add("OBX-4 required by its condition");
                }
            }
        }
        let (mut child, mut dosed) = (false, false);
        for s in &sheet.segments {
            match s.name.as_str() {
                "ORC" => child = self.comp(s.field(1), 1) == "CH",
                "OBR" if child && self.is_empty(s.field(29)) => {
                    self.add("OBR-29 required by its condition");
                }
                "RXE" => dosed = is_number(&self.comp(s.field(3), 1)) && self.is_empty(s.field(19)),
                "TQ1"
                    if dosed
                        && matches!(kind, "OMP-01" | "OMP-11")
                        && self.text(s.field(3)).starts_with("101") =>
                {
                    self.add("RXE-19 required by its condition");
                    dosed = false;
                }
                _ => {}
            }
        }
        let content = |s: &Segment| self.text(s.field(2).start..s.span.end);
        let insurances: Vec<String> = all("IN1").iter().map(content).collect();
        for s in all("OBX") {
            let number = |t: &str| t.trim().parse::<f64>().ok();
            let range = self.comp(s.field(7), 1);
            let flag = self.comp(s.field(8), 1);
            if let (Some(value), Some((low, high))) =
                (number(&self.comp(s.field(5), 1)), range.split_once('-'))
                && let (Some(low), Some(high)) = (number(low), number(high))
                && (flag == "H" && value < high || flag == "L" && value > low)
            {
                self.add("OBX-8 against OBX-7");
            }
        }
        for (i, one) in insurances.iter().enumerate() {
            if insurances[..i].contains(one) {
                self.add("IN1 twice");
            }
        }
        let sent = all("MSH")
            .first()
            .map_or_else(String::new, |s| self.comp(s.field(7), 1));
        let later = |a: &str, b: &str| {
            let n = a.len().min(b.len()).min(14);
            n >= 8 && a[..n] > b[..n]
        };
        for (name, from, to) in [
            ("PV1", 44, 45),
            ("TQ1", 7, 8),
            ("RXA", 3, 4),
            ("PRB", 7, 9),
            ("IN1", 12, 13),
            ("ZI1", 12, 13),
        ] {
            for s in all(name) {
                if later(&self.comp(s.field(from), 1), &self.comp(s.field(to), 1)) {
                    self.add(format!("{name}-{to} before {name}-{from}"));
                }
            }
        }
        for (name, n) in [
            ("PID", 7),
            ("ORC", 9),
            ("SPM", 17),
            ("OBX", 14),
            ("RXA", 3),
            ("EVN", 2),
        ] {
            for s in all(name) {
                let value = self.comp(s.field(n), 1);
                // When it was recorded is of another clock, and only its day tells.
                let told = |t: &str| match name {
                    "EVN" => t.chars().take(8).collect(),
                    _ => minute(t),
                };
                if later(&told(&value), &told(&sent)) && (name, kind) != ("SPM", "OML-01") {
                    self.add(format!("{name}-{n} after the message"));
                }
            }
        }
        let numbers: Vec<String> = all("ORC")
            .iter()
            .map(|s| self.comp(s.field(2), 1))
            .collect();
        for s in all("ORC") {
            let parent = self.comp(s.field(8), 1);
            if !parent.is_empty() && !numbers.contains(&parent) {
                self.add("ORC-8 names no order");
            }
        }
        for s in all("OBR") {
            let own = self.comp(s.field(2), 1);
            let position = sheet
                .segments
                .iter()
                .position(|o| o.span == s.span)
                .unwrap();
            let orc = if kind == "OML-11" {
                sheet.segments[position..].iter().find(|o| o.name == "ORC")
            } else {
                sheet.segments[..position].iter().rfind(|o| o.name == "ORC")
            };
            if let Some(orc) = orc
                && !own.is_empty()
                && own != self.comp(orc.field(2), 1)
            {
                self.add("OBR-2 is not ORC-2");
            }
        }
    }
}

/// A path taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) root: Vec<String>,
    /// PPP, PPP, patient, date, kind.
    pub(crate) folders: Vec<String>,
    /// Patient, date, kind, order, timestamp, department, flag.
    pub(crate) name: Vec<String>,
}

impl Path {
    pub(crate) fn read(path: &str) -> Self {
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        let name = parts.pop().unwrap().split('_').map(str::to_owned).collect();
        let folders = parts.split_off(parts.len().saturating_sub(5));
        Self {
            root: parts,
            folders,
            name,
        }
    }
    pub(crate) fn text(&self) -> String {
        let mut parts = self.root.clone();
        parts.extend(self.folders.iter().cloned());
        parts.push(self.name.join("_"));
        parts.join("/")
    }
}

/// The faults of one file.
pub(crate) fn faults(path: &str, bytes: &[u8]) -> Faults {
    let mut r = Reading {
        bytes,
        faults: Faults::new(),
    };
    let parts = Path::read(path);
    path_faults(&parts, &mut r);
    let part = |n: usize| parts.name.get(n).cloned().unwrap_or_default();
    let kind = part(2);
    r.characters();
    let sheet = Sheet::read(bytes);
    let Some(msh) = sheet.segments.first().filter(|s| s.name == "MSH").cloned() else {
        r.add("no MSH");
        return r.faults;
    };
    let (message, event) = (r.comp(msh.field(9), 1), r.comp(msh.field(9), 2));
    let row = KINDS.iter().find(|row| row.0 == kind);
    if row.is_none_or(|row| row.1 != message || !row.2.contains(&event.as_str())) {
        r.add("event not of the kind");
    }
    let own = SAME
        .iter()
        .find(|(e, _)| *e == event)
        .map_or(event.as_str(), |(_, s)| s);
    let known: BTreeSet<&str> = STRUCTURES
        .iter()
        .flat_map(|(_, text)| text.split(|c: char| !c.is_ascii_alphanumeric()))
        .collect();
    let structure_of = |event: &str| STRUCTURES.iter().find(|(e, _)| *e == event);
    let names: Vec<&str> = sheet
        .segments
        .iter()
        .map(|s| s.name.as_str())
        .filter(|n| known.contains(n) && *n != "ANY")
        .collect();
    let text = structure_of(own).or_else(|| structure_of(row?.2[0]));
    if let Some((_, text)) = text {
        let ends = run(&structure(text), &BTreeSet::from([0]), &names);
        if !ends.contains(&names.len()) {
            r.add("structure");
        }
    }
    let id = IDS
        .iter()
        .find(|(e, _)| *e == event)
        .map_or_else(|| format!("{message}_{event}"), |(_, id)| (*id).to_owned());
    let written = r.comp(msh.field(9), 3);
    if !written.is_empty() && written != id {
        r.add("MSH-9.3");
    }
    if r.comp(msh.field(12), 1) != "2.5" {
        r.add("MSH-12");
    }
    if r.text(msh.field(18)) != "~ISO IR87" {
        r.add("MSH-18");
    }
    let scheme = r.text(msh.field(20));
    if !scheme.is_empty() && scheme != "ISO 2022-1994" {
        r.add("MSH-20");
    }
    if r.text(msh.field(2)) != "^~\\&" {
        r.add("MSH-2");
    }
    for segment in &sheet.segments {
        r.segment(segment, &kind);
        for (name, n) in [("MSH", 4), ("EVN", 7)] {
            let number = r.comp(segment.field(n), 1);
            let ten = number.len() == 10 && number.bytes().all(|b| b.is_ascii_digit());
            if segment.name == name && ten && !is_checked(&number) {
                r.add(format!("check digit of {name}-{n}"));
            }
        }
    }
    r.relations(&sheet, &kind);
    // The message against the path.
    if let Some(pid) = sheet.segments.iter().find(|s| s.name == "PID") {
        let id = r.comp(pid.field(3), 1);
        if !id.is_empty() && id != parts.folders[2] {
            r.add("PID-3 is not the folder's");
        }
    }
    if let Some(orc) = sheet.segments.iter().find(|s| s.name == "ORC")
        && part(3) != "9".repeat(15)
        && r.comp(orc.field(2), 1) != part(3)
    {
        r.add("ORC-2 is not the name's");
    }
    let care = row.map_or(&[][..], |row| row.3);
    let dates: Vec<String> = care
        .iter()
        .filter_map(|field| {
            let (name, n) = field.split_once('-')?;
            let s = sheet.segments.iter().find(|s| s.name == name)?;
            Some(r.comp(s.field(n.parse().unwrap()), 1))
        })
        .filter(|d| !d.is_empty())
        .collect();
    if !care.is_empty() && !dates.first().is_some_and(|d| d.starts_with(&part(1))) {
        r.add("care date");
    }
    let digits = |t: &str| t.chars().filter(char::is_ascii_digit).collect::<String>();
    let (written, stamp) = (digits(&r.comp(msh.field(7), 1)), digits(&part(4)));
    let exact = if stamp.len() == 17 { 17 } else { 12 };
    let n = written.len().min(stamp.len()).min(exact);
    if written[..n] != stamp[..n] {
        r.add("MSH-7 is not the name's");
    }
    r.faults
}

fn path_faults(path: &Path, r: &mut Reading<'_>) {
    if path.folders.len() != 5 || path.name.len() != 7 {
        r.add("grammar of the name");
        return;
    }
    let [one, two, patient, date, kind] = [0, 1, 2, 3, 4].map(|n| path.folders[n].as_str());
    let name: Vec<&str> = path.name.iter().map(String::as_str).collect();
    if patient.get(..3) != Some(one) {
        r.add("level 1");
    }
    if patient.get(3..6) != Some(two) {
        r.add("level 2");
    }
    for (fault, folder, own) in [
        ("patient", patient, name[0]),
        ("date", date, name[1]),
        ("kind", kind, name[2]),
    ] {
        if folder != own {
            r.add(format!("{fault} of folder and name"));
        }
    }
    let row = KINDS.iter().find(|row| row.0 == name[2]);
    let dated = row.is_some_and(|row| !row.3.is_empty());
    if if dated {
        !is_day(name[1])
    } else {
        name[1] != "-"
    } {
        r.add("date of the name");
    }
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if name[3].len() != 15 || !digits(name[3]) {
        r.add("order number");
    }
    let ordered = !name[2].starts_with("ADT");
    if ordered == (name[3] == "9".repeat(15)) && name[2] != "PPR-01" {
        r.add("order number for the kind");
    }
    let stamp = name[4];
    if stamp.len() != 17 || !digits(stamp) || !is_time(&stamp[..14]) {
        r.add("timestamp");
    }
    let alphanumeric = name[5].bytes().all(|b| b.is_ascii_alphanumeric());
    if name[5] != "-" && !(matches!(name[5].len(), 2 | 3) && alphanumeric) {
        r.add("department");
    }
    if !matches!(name[6], "0" | "1" | "2") {
        r.add("flag");
    }
}

/// The faults that only all files of a patient show.
pub(crate) fn patient_faults(files: &[(String, Vec<u8>)]) -> Faults {
    let mut faults = Faults::new();
    let mut add = |fault: String| *faults.entry(fault).or_default() += 1;
    let mut names = BTreeMap::<String, usize>::new();
    let mut current = BTreeMap::<Vec<String>, usize>::new();
    let mut people = BTreeMap::<&str, BTreeSet<String>>::new();
    let mut stays: Vec<(String, String, i32)> = Vec::new();
    let mut orders = BTreeSet::<(String, String)>::new();
    let mut results = BTreeSet::<(String, String)>::new();
    let mut covers: Vec<(String, String, String)> = Vec::new();
    let mut newest = String::new();
    let mut days = BTreeSet::<String>::new();
    let mut ids = BTreeMap::<String, usize>::new();
    let (mut older, mut gone) = (
        BTreeSet::<Vec<String>>::new(),
        BTreeSet::<Vec<String>>::new(),
    );
    for (path, bytes) in files {
        let p = Path::read(path);
        *names.entry(p.name.join("_")).or_default() += 1;
        let sheet = Sheet::read(bytes);
        let r = Reading {
            bytes,
            faults: Faults::new(),
        };
        let value = |name: &str, n: usize, c: usize| {
            let s = sheet.segments.iter().find(|s| s.name == name);
            s.map_or_else(String::new, |s| r.comp(s.field(n), c))
        };
        *ids.entry(value("MSH", 10, 1)).or_default() += 1;
        let kind = p.name[2].clone();
        let flag = p.name.last().map_or("", String::as_str);
        if flag != "1" {
            let set = if flag == "2" { &mut older } else { &mut gone };
            set.insert(p.name[..4].to_vec());
            continue;
        }
        // Basic data are a snapshot: the newest holds.
        if kind == "ADT-00" && newest <= p.name[4] {
            newest.clone_from(&p.name[4]);
            covers = sheet
                .segments
                .iter()
                .filter(|s| s.name == "IN1")
                .map(|s| [2, 12, 13].map(|n| r.comp(s.field(n), 1)).into())
                .collect();
        }
        let mut key = p.name[..4].to_vec();
        // Movements of a day share the number; each time is an item of its own.
        if matches!(
            kind.as_str(),
            "ADT-12" | "ADT-31" | "ADT-32" | "ADT-41" | "ADT-42"
        ) {
            key.extend([p.name[4].clone(), p.name[5].clone()]);
        }
        *current.entry(key).or_default() += 1;
        people
            .entry("birth date")
            .or_default()
            .insert(value("PID", 7, 1));
        people.entry("sex").or_default().insert(value("PID", 8, 1));
        let code = value("PID", 11, 5);
        if !code.is_empty() {
            people.entry("postal code").or_default().insert(code);
        }
        let name = format!("{}^{}", value("PID", 5, 1), value("PID", 5, 2));
        people.entry("name").or_default().insert(name);
        match kind.as_str() {
            "ADT-22" => stays.push((p.name[1].clone(), p.name[4].clone(), 1)),
            "ADT-52" => stays.push((p.name[1].clone(), p.name[4].clone(), -1)),
            _ => {}
        }
        // A plan is no care yet.
        if p.name[1] != "-" && !matches!(kind.as_str(), "ADT-21" | "ADT-41" | "ADT-51") {
            days.insert(p.name[1].clone());
        }
        let number = value("ORC", 2, 1);
        if let Some(family) = kind.split_once('-').filter(|_| kind.starts_with("OM")) {
            let pair = format!("{}{}", family.0, &family.1[1..]);
            if family.1.starts_with('0') {
                orders.insert((pair, number));
            } else {
                results.insert((pair, number));
            }
        }
    }
    for key in older.difference(&current.keys().map(|k| k[..4].to_vec()).collect()) {
        if !gone.contains(key) {
            add("replaced, and nothing instead".to_owned());
        }
    }
    names
        .values()
        .filter(|n| **n > 1)
        .for_each(|_| add("name twice".to_owned()));
    current
        .values()
        .filter(|n| **n > 1)
        .for_each(|_| add("two current versions".to_owned()));
    ids.values()
        .filter(|n| **n > 1)
        .for_each(|_| add("control id twice".to_owned()));
    for (what, values) in people {
        for _ in 1..values.len() {
            add(format!("{what} differs"));
        }
    }
    results
        .difference(&orders)
        .for_each(|_| add("result without order".to_owned()));
    stays.sort();
    let mut open = 0;
    for (.., step) in stays {
        open += step;
        if !(0..=1).contains(&open) {
            add("stays".to_owned());
            open = open.clamp(0, 1);
        }
    }
    for day in days {
        let medical = |c: &&(String, String, String)| c.0 != "OE";
        let covered = covers.iter().filter(medical).any(|(_, from, to)| {
            (from.is_empty() || *from <= day) && (to.is_empty() || day <= *to)
        });
        if !covered && covers.iter().any(|c| !c.2.is_empty()) {
            add("day without coverage".to_owned());
        }
    }
    faults
}
