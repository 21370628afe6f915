//! Persons and places that all kinds share: Practitioner, `PractitionerRole`, Organization, Location.
//! Mapping §1.
//!
//! Each is emitted once a conversion; its id derives from the institution and its own number or
//! code, so that every message that names it gives the same resource.

use warifu_fhir::element::{
    self, location as loc, organization as org, practitioner as el, practitioner_role as role,
};
use warifu_fhir::{Id, Resource, RowId, Src};
use warifu_hl7::{Part, Segment, Val};
use warifu_terms::{maps, systems, tables};

use crate::cx::{Cx, Sourced, concat};
use crate::datatypes::{
    coded_concept, describe, human_name, local_system, organization_address, organization_telecom,
    staff_name, without_blanks,
};
use crate::output::Described;
use crate::table::{Ignored, Table, Worded, facility_of};

/// Canonical of `JP_Practitioner`.
pub const JP_PRACTITIONER: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Practitioner";
/// Canonical of `JP_PractitionerRole`.
pub const JP_PRACTITIONER_ROLE: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_PractitionerRole";
/// Canonical of `JP_Organization`.
pub const JP_ORGANIZATION: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Organization";
/// Canonical of `JP_Location`.
pub const JP_LOCATION: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Location";

const PREFECTURE_NO: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Organization_PrefectureNo";
const ORGANIZATION_CATEGORY: &str = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Organization_InsuranceOrganizationCategory";
const ORGANIZATION_NO: &str = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Organization_InsuranceOrganizationNo";

table! {
    /// XCN → `JP_Practitioner` (HL7 v2.5 §2.A.86; JP Core 1.2.0).
    XCN_TO_JP_PRACTITIONER: "Practitioner" {
        "XCN-1" => "Practitioner.identifier": part, "ID番号";
        "XCN-2" => "Practitioner.name.family": part, "姓";
        "XCN-3" => "Practitioner.name.given": part, "名";
        "XCN-4" => "Practitioner.name.given": part, "ミドルネーム";
        "XCN-10" => "": ignored Ignored::Redundant, "名前タイプコード";
        "XCN-15" => "Practitioner.name.extension": part, "名前表記コード";
    }
}

table! {
    /// ORC-21…23 → `JP_Organization` (the ordering institution; JP Core 1.2.0).
    ORC_TO_JP_ORGANIZATION: "Organization" {
        "ORC-21" => "Organization.name": part, "オーダ施設名";
        "ORC-22" => "Organization.address": part, "オーダ施設住所";
        "ORC-23" => "Organization.telecom": part, "オーダ施設電話番号";
    }
}

table! {
    /// Department code → `JP_Organization` that is part of the institution (table 0069).
    DEPARTMENT_TO_JP_ORGANIZATION: "Organization" {
        "PV1-10" => "Organization.identifier": part, "診療科";
        "PV1-3" => "Organization.identifier": part, "患者の所在場所";
        "ORC-17" => "Organization.identifier": part, "入力組織";
    }
}

table! {
    /// PL → `JP_Location`: ward, room and bed nested by `partOf` (HL7 v2.5 §2.A.53; JP Core 1.2.0).
    PL_TO_JP_LOCATION: "Location" {
        "PL-1" => "Location.name": part, "病棟";
        "PL-2" => "Location.name": part, "病室";
        "PL-3" => "Location.name": part, "病床";
    }
}

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![
    XCN_TO_JP_PRACTITIONER,
    ORC_TO_JP_ORGANIZATION,
    DEPARTMENT_TO_JP_ORGANIZATION,
    PL_TO_JP_LOCATION,
];

/// The row of a table by its source field.
pub(crate) fn row(table: &'static Table, source: &str) -> Option<&'static RowId> {
    table
        .rows
        .iter()
        .map(|r| &r.row)
        .find(|r| r.source == source)
}

/// Emits the Practitioner of an XCN field; repetitions are forms of one name.
pub(crate) fn emit<'a>(cx: &mut Cx<'a, '_>, id: Id, xcn: Part<'a>) {
    let (base, _) = xcn.span();
    let at = (xcn.message(), base);
    cx.emit_shared("Practitioner", id, at, &[xcn.raw()], |cx| {
        build(cx, id, xcn)
    });
}

fn build<'a>(cx: &mut Cx<'a, '_>, id: Id, xcn: Part<'a>) -> Resource {
    let mut r = cx.open("Practitioner", id);
    r.row(row(&XCN_TO_JP_PRACTITIONER, "XCN-1"));
    let number = xcn.comp(1).value().trimmed();
    let system = match cx.institution() {
        Some(n) => cx.text(&format!("{}{n}", systems::ID_DOCTOR_PREFIX)),
        None => "urn:x-ssmix2:unknown:practitioner",
    };
    r.object(el::IDENTIFIER, |o| {
        crate::datatypes::identifier(o, system, number);
    });
    r.row(row(&XCN_TO_JP_PRACTITIONER, "XCN-2"));
    for rep in xcn.reps() {
        let name = staff_name(cx, rep);
        r.object(el::NAME, |o| human_name(o, &name, "official"));
    }
    r.profile(JP_PRACTITIONER);
    r
}

/// Emits the role of a person (of these bytes) in a department (of those of `src`), and returns its id.
pub(crate) fn emit_role(
    cx: &mut Cx<'_, '_>,
    (person, doctor): (Id, Src),
    department: Id,
    code: &str,
    src: Src,
) -> Id {
    let readable = concat(
        cx.message().arena(),
        &["practitionerrole.", person.as_str(), ".", code],
    );
    let id = cx.shared_id(
        "PractitionerRole",
        &[person.as_str(), department.as_str()],
        readable,
    );
    if !cx.emitted("PractitionerRole", id) {
        let at = (cx.message(), 0);
        let sources = [person.as_bytes(), department.as_bytes()];
        cx.emit_shared("PractitionerRole", id, at, &sources, |cx| {
            let mut r = cx.open("PractitionerRole", id);
            cx.reference(&mut r, role::PRACTITIONER, "Practitioner", person, doctor);
            cx.reference(&mut r, role::ORGANIZATION, "Organization", department, src);
            r.profile(JP_PRACTITIONER_ROLE);
            r
        });
    }
    id
}

/// The institution that the storage belongs to: known by its number, or by ORC-21 of a message of
/// this conversion ([`emit_facility`]). `None` when neither is known.
pub(crate) fn institution(cx: &mut Cx<'_, '_>) -> Option<Id> {
    let id = cx.conv.institution;
    if cx.emitted("Organization", id) {
        return Some(id);
    }
    cx.institution()?;
    emit_institution(cx, id, None);
    Some(id)
}

/// Emits the institution with the name, address and telephone of an order (ORC-21, 22, 23). The first
/// order of a conversion that names it decides.
pub(crate) fn emit_facility<'a>(cx: &mut Cx<'a, '_>, orc: Segment<'a>) {
    let id = cx.conv.institution;
    if !cx.emitted("Organization", id) {
        cx.out.facility = facility_of(orc).to_vec();
        emit_institution(cx, id, Some(orc));
    }
}

fn emit_institution<'a>(cx: &mut Cx<'a, '_>, id: Id, orc: Option<Segment<'a>>) {
    let fields = [21, 22, 23].map(|n| orc.map_or(&[][..], |s| s.field(n).raw()));
    let named: &[u8] = if orc.is_some() { b"ORC" } else { b"" };
    let at = orc.map_or((cx.message(), 0), |s| (s.message(), s.span().0));
    let [name, address, phone] = fields;
    cx.emit_shared(
        "Organization",
        id,
        at,
        &[b"institution", named, name, address, phone],
        |cx| build_institution(cx, id, orc),
    );
}

fn build_institution<'a>(cx: &mut Cx<'a, '_>, id: Id, orc: Option<Segment<'a>>) -> Resource {
    let mut r = cx.open("Organization", id);
    if let Some(n) = cx.institution().map(|n| cx.text(n)) {
        r.object(org::IDENTIFIER, |o| {
            o.string("system", systems::ID_INSTITUTION, Src::NONE);
            o.string("value", n, Src::NONE);
        });
        if let (10, Some(prefecture), Some(category), Some(number), true) =
            (n.len(), n.get(..2), n.get(2..3), n.get(3..), n.is_ascii())
        {
            for (url, key, system, code) in [
                (
                    PREFECTURE_NO,
                    "valueCoding",
                    systems::PREFECTURE,
                    prefecture,
                ),
                (
                    ORGANIZATION_CATEGORY,
                    "valueCoding",
                    systems::FEE_SCORE_TYPE,
                    category,
                ),
                (
                    ORGANIZATION_NO,
                    "valueIdentifier",
                    systems::ID_ORGANIZATION_7,
                    number,
                ),
            ] {
                r.object(element::EXTENSION, |o| {
                    o.constant("url", url);
                    o.object(key, |o| {
                        o.constant("system", system);
                        o.string(
                            if key == "valueCoding" {
                                "code"
                            } else {
                                "value"
                            },
                            code,
                            Src::NONE,
                        );
                    });
                });
            }
        }
    }
    r.object(org::TYPE, |o| {
        coded_concept(
            o,
            "http://terminology.hl7.org/CodeSystem/organization-type",
            "prov",
            "Healthcare Provider",
            Src::NONE,
        );
    });
    if let Some(orc) = orc {
        r.row(row(&ORC_TO_JP_ORGANIZATION, "ORC-21"));
        let name = orc.field(21).value().trimmed();
        r.string(org::NAME, name.text, name.src());
        r.row(row(&ORC_TO_JP_ORGANIZATION, "ORC-22"));
        for rep in orc.field(22).reps() {
            r.object(org::ADDRESS, |o| organization_address(o, cx, rep));
        }
        r.row(row(&ORC_TO_JP_ORGANIZATION, "ORC-23"));
        for rep in orc.field(23).reps() {
            r.object(org::TELECOM, |o| organization_telecom(o, cx, rep));
        }
    }
    r.profile(JP_ORGANIZATION);
    r
}

/// The department of a code (table 0069, or the institution's own): an Organization that is part of
/// the institution. `text` is the name sent with the code; without it the table's name is used.
pub(crate) fn department<'a>(
    cx: &mut Cx<'a, '_>,
    code: Val<'a>,
    text: Val<'a>,
    system_name: &str,
) -> Option<Id> {
    let code = code.trimmed();
    if code.is_empty() {
        return None;
    }
    let known = tables::T_0069.entry(code.text);
    let standard = match systems::trim_name(system_name) {
        "" => known.is_some(),
        name => {
            systems::system_uri(name, code.text, "")
                == systems::SystemUri::Known(systems::CLINICAL_DEPARTMENT)
        }
    };
    let system = if standard {
        systems::CLINICAL_DEPARTMENT
    } else {
        local_system(
            cx,
            if system_name.is_empty() {
                "department"
            } else {
                system_name
            },
        )
    };
    let readable = concat(cx.message().arena(), &["department.", code.text]);
    let id = cx.shared_id("Organization", &["department", system, code.text], readable);
    let name = text.text.trim();
    let emitted = cx.emitted("Organization", id);
    // The name of the code's own table is the name of its department; another stays with its field.
    let own = match known.filter(|_| standard) {
        Some(entry) => {
            if !name.is_empty() && name != entry.ja {
                cx.keep_field_of(text, "Organization.name");
            }
            ""
        }
        None => name,
    };
    if emitted && own.is_empty() {
        return Some(id);
    }
    let described = Described {
        name: without_blanks(own),
        ..Described::default()
    };
    describe(cx, ("Organization", id), described, text.src(), &mut |cx| {
        let parent = institution(cx);
        let at = (cx.message(), 0);
        let above = parent.as_ref().map_or(&[][..], Id::as_bytes);
        let sources = [
            system.as_bytes(),
            code.text.as_bytes(),
            name.as_bytes(),
            above,
        ];
        cx.emit_shared("Organization", id, at, &sources, |cx| {
            let mut r = cx.open("Organization", id);
            r.row(row(&DEPARTMENT_TO_JP_ORGANIZATION, "PV1-10"));
            r.object(org::IDENTIFIER, |o| {
                o.string("system", system, code.src());
                o.string("value", code.text, code.src());
            });
            r.object(org::TYPE, |o| {
                coded_concept(
                    o,
                    "http://terminology.hl7.org/CodeSystem/organization-type",
                    "dept",
                    "Hospital Department",
                    Src::NONE,
                );
            });
            // The name of the code's own table first, so that every message gives the same resource.
            match known.filter(|entry| standard && entry.ja != name) {
                Some(entry) => r.string(org::NAME, entry.ja, code.src()),
                None => r.string(org::NAME, name, text.src()),
            };
            if let Some(parent) = parent {
                cx.reference(&mut r, org::PART_OF, "Organization", parent, code.src());
            }
            r.profile(JP_ORGANIZATION);
            r
        });
    });
    Some(id)
}

/// The department that a CWE names (ORC-17 …).
pub(crate) fn department_of<'a>(cx: &mut Cx<'a, '_>, cwe: Part<'a>) -> Option<Id> {
    let t = crate::datatypes::triplets(cwe).next()?;
    department(cx, t.code, t.text, t.system.text)
}

/// A place in the building.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Logical id of the innermost Location.
    pub(crate) id: Id,
    /// `ward-room-bed`.
    pub(crate) name: &'a str,
}

/// The place that a PL names: ward, room and bed, nested; `None` for an empty field and for an
/// outpatient clinic (type `C`), which is an Organization.
pub(crate) fn place<'a>(cx: &mut Cx<'a, '_>, pl: Part<'a>) -> Option<Place<'a>> {
    if !pl.is_some() || is_clinic(pl) {
        return None;
    }
    let mut parent: Option<Place<'a>> = None;
    let mut path: [&str; 3] = [""; 3];
    for level in 1..=3usize {
        let part = pl.comp(level).value().trimmed();
        if part.is_empty() {
            continue;
        }
        if let Some(slot) = path.get_mut(level - 1) {
            *slot = part.text;
        }
        let name: &'a str = match parent {
            Some(p) => concat(cx.message().arena(), &[p.name, "-", part.text]),
            None => part.text,
        };
        let readable = concat(cx.message().arena(), &["location.", name]);
        let id = cx.shared_id("Location", &path, readable);
        if !cx.emitted("Location", id) {
            let owner = institution(cx);
            let mut r = cx.open("Location", id);
            r.row(PL_TO_JP_LOCATION.rows.get(level - 1).map(|r| &r.row));
            r.string(loc::NAME, name, part.src());
            r.constant(loc::MODE, "instance");
            let kind = maps::LOCATION_LEVEL
                .translate(["1", "2", "3"].get(level - 1).copied().unwrap_or(""))
                .to;
            r.object(loc::PHYSICAL_TYPE, |o| {
                coded_concept(
                    o,
                    systems::LOCATION_PHYSICAL_TYPE,
                    kind.code,
                    kind.display,
                    Src::NONE,
                );
            });
            if let Some(owner) = owner {
                cx.reference(
                    &mut r,
                    loc::MANAGING_ORGANIZATION,
                    "Organization",
                    owner,
                    Src::NONE,
                );
            }
            if let Some(p) = parent {
                cx.reference(&mut r, loc::PART_OF, "Location", p.id, part.src());
            }
            r.profile(JP_LOCATION);
            cx.emit(r);
        }
        parent = Some(Place { id, name });
    }
    parent
}

/// Whether a PL names an outpatient clinic: component 1 is then the department.
pub(crate) fn is_clinic(pl: Part<'_>) -> bool {
    pl.comp(6).value().text.trim() == "C"
}
