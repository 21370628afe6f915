//! What profiles demand, once for each family: `JPC4xx` for JP Core, `CLN4xx` for JP-CLINS and the
//! documents built on it, `FHR4xx` for any other profile. Numbers mean the same in each.

/// Number of a demand, the same in every family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Demand {
    /// Less values than the profile wants.
    Missing,
    /// More values than it allows.
    TooMany,
    /// A type that it does not allow.
    Type,
    /// Not the fixed value.
    Fixed,
    /// The pattern is not contained.
    Pattern,
    /// A value of no slice where slicing is closed.
    Slice,
    /// Slices out of order, or a value of no slice before the end.
    Order,
    /// A code outside a required set.
    Required,
    /// A code outside an extensible set.
    Extensible,
    /// A code outside a preferred set.
    Preferred,
    /// Longer than allowed.
    Length,
    /// Below the least or above the greatest value.
    Range,
    /// The value follows none of the profiles of its type.
    TypeProfile,
    /// The target of a reference follows none of the profiles.
    TargetProfile,
    /// An element that must be supported has no value.
    Support,
    /// The target of a reference is not where the profile wants it: contained, in the Bundle, elsewhere.
    Aggregation,
}

macro_rules! families {
    ($($module:ident $prefix:literal $name:literal $ja:literal $en:literal;)*) => {
        $(
            mod $module {
                use crate::{Entry, Example, Profiled, Severity};
                const STANDARD: &str = concat!($en, "; FHIR R4 §5.1, §2.27");
                families!{@codes $prefix $name $ja $en
                    "401" "element-missing" Error "{} を必須としています" "demands {}" "値を入れてください" "give it a value" "受け手はこの値を当てにして処理します。なければ、差し戻されるか、その処理ができません。" "Receivers rely on this value: without it they return the resource or cannot process it."
                        "Patient.birthDate" r#""differential": {"element": [{"id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1}]}"#
                        r#"{"resourceType": "Patient", "gender": "female"}"#
                        r#"{"resourceType": "Patient", "gender": "female", "birthDate": "1968-03-03"}"#;
                    "402" "too-many-values" Error "{} の値がこれより少ないことを求めています" "allows fewer values of {}" "許される個数まで減らしてください" "leave no more than are allowed" "受け手は決められた個数しか読みません。残りの値は失われます。" "Receivers read as many as the profile allows; the other values are lost."
                        "Patient.name[1]" r#""differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "max": "1"}]}"#
                        r#"{"resourceType": "Patient", "name": [{"text": "試験 花子"}, {"text": "シケン ハナコ"}]}"#
                        r#"{"resourceType": "Patient", "name": [{"text": "試験 花子"}]}"#;
                    "403" "type" Error "{} の型を許していません" "does not allow this type: {}" "許された型で表してください" "use one of the allowed types" "受け手が読むのは決められた型だけで、ほかの型の値は空として扱われます。" "Receivers read the allowed types only; a value of another counts as none."
                        "Observation.value.ofType(string)" r#""differential": {"element": [{"id": "Observation.value[x]", "path": "Observation.value[x]", "type": [{"code": "Quantity"}]}]}"#
                        r#"{"resourceType": "Observation", "status": "final", "code": {"text": "血糖"}, "valueString": "98 mg/dL"}"#
                        r#"{"resourceType": "Observation", "status": "final", "code": {"text": "血糖"}, "valueQuantity": {"value": 98, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}}"#;
                    "404" "fixed-value" Error "{} の値を一つに定めています" "fixes the value of {}" "定められた値にしてください" "write the value that is fixed" "決まった値は、受け手がこの情報を見分ける目印です。違うと、別のものとして扱われます。" "Receivers recognise the record by the fixed value; with another it is taken for something else."
                        "Patient.identifier[0].system" r#""differential": {"element": [{"id": "Patient.identifier.system", "path": "Patient.identifier.system", "fixedUri": "http://hospital.example.jp/patient"}]}"#
                        r#"{"resourceType": "Patient", "identifier": [{"system": "http://hospital.example.jp/id", "value": "0001"}]}"#
                        r#"{"resourceType": "Patient", "identifier": [{"system": "http://hospital.example.jp/patient", "value": "0001"}]}"#;
                    "405" "pattern" Error "{} に定めた値を含むことを求めています" "demands a pattern in {}" "定められた値を含めてください" "include what the pattern has" "受け手は決められた値でこの情報を探します。なければ見つけられません。" "Receivers look for the values of the pattern and do not find the record without them."
                        "Observation.category[0]" r#""differential": {"element": [{"id": "Observation.category", "path": "Observation.category", 
  "patternCodeableConcept": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}}]}"#
                        r#"{"resourceType": "Observation", "status": "final", "code": {"text": "血糖"},
 "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}]}"#
                        r#"{"resourceType": "Observation", "status": "final", "code": {"text": "血糖"},
 "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}]}"#;
                    "406" "slice" Error "{} に定めのない値を許していません" "allows no value of {} beyond its slices" "どのスライスに当たるか確かめ、合わない点を直してください" "find the slice that is meant and mend what differs" "どのスライスにも当たらない値は、置き場所が決まっていないので、受け手が読みません。" "A value of no slice has no place in the profile, and receivers do not read it."
                        "Patient.identifier[0]" r#""differential": {"element": [
  {"id": "Patient.identifier", "path": "Patient.identifier",
  "slicing": {"discriminator": [{"type": "value", "path": "system"}], "ordered": false, "rules": "closed"}},
  {"id": "Patient.identifier:patient", "path": "Patient.identifier", "sliceName": "patient"},
  {"id": "Patient.identifier:patient.system", "path": "Patient.identifier.system", "fixedUri": "http://hospital.example.jp/patient"}
]}"#
                        r#"{"resourceType": "Patient", "identifier": [{"system": "http://hospital.example.jp/card", "value": "0001"}]}"#
                        r#"{"resourceType": "Patient", "identifier": [{"system": "http://hospital.example.jp/patient", "value": "0001"}]}"#;
                    "407" "slice-order" Error "{} の並びを定めています" "orders the slices of {}" "定められた順に並べてください" "bring them into the order of the profile" "位置で読む受け手は、並びが違うと値を取り違えます。" "Receivers that read by position mix up the values."
                        "Patient.identifier[1]" r#""differential": {"element": [
  {"id": "Patient.identifier", "path": "Patient.identifier",
  "slicing": {"discriminator": [{"type": "value", "path": "system"}], "ordered": true, "rules": "open"}},
  {"id": "Patient.identifier:patient", "path": "Patient.identifier", "sliceName": "patient"},
  {"id": "Patient.identifier:patient.system", "path": "Patient.identifier.system", "fixedUri": "http://hospital.example.jp/patient"},
  {"id": "Patient.identifier:card", "path": "Patient.identifier", "sliceName": "card"},
  {"id": "Patient.identifier:card.system", "path": "Patient.identifier.system", "fixedUri": "http://hospital.example.jp/card"}
]}"#
                        r#"{"resourceType": "Patient", "identifier": [
  {"system": "http://hospital.example.jp/card", "value": "0001"},
  {"system": "http://hospital.example.jp/patient", "value": "0002"}]}"#
                        r#"{"resourceType": "Patient", "identifier": [
  {"system": "http://hospital.example.jp/patient", "value": "0001"},
  {"system": "http://hospital.example.jp/card", "value": "0002"}]}"#;
                    "408" "code-not-in-set" Error "{} のコードを値集合の中に限っています" "demands a code of its value set: {}" "値集合のコードから選んでください" "choose a code of the set" "受け手のプログラムは値集合のコードだけを扱います。外のコードは差し戻されます。" "Programs of receivers handle the codes of the value set only; others are returned."
                        "MedicationRequest.category[0]" r#""differential": {"element": [{"id": "MedicationRequest.category", "path": "MedicationRequest.category",
  "binding": {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/medicationrequest-category"}}]}"#
                        r#"{"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": {"text": "試験薬"},
 "subject": {"reference": "Patient/1"}, "category": [{"coding": [{"system": "http://hospital.example.jp/category", "code": "1"}]}]}"#
                        r#"{"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": {"text": "試験薬"},
 "subject": {"reference": "Patient/1"}, "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/medicationrequest-category", "code": "inpatient"}]}]}"#;
                    "409" "code-outside-set" Warning "{} に値集合のコードを求めています (合うものがあれば)" "wants a code of its value set where one fits: {}" "値集合に合うコードがあれば、それに替えるか併記してください" "if the set has a fitting code, use it or add it" "集合に合うコードがあるのに別のコードを使うと、検索や集計から漏れます。" "With another code where the set has a fitting one, searches and counts miss the record."
                        "MedicationRequest.category[0]" r#""differential": {"element": [{"id": "MedicationRequest.category", "path": "MedicationRequest.category",
  "binding": {"strength": "extensible", "valueSet": "http://hl7.org/fhir/ValueSet/medicationrequest-category"}}]}"#
                        r#"{"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": {"text": "試験薬"},
 "subject": {"reference": "Patient/1"}, "category": [{"coding": [{"system": "http://hospital.example.jp/category", "code": "1"}]}]}"#
                        r#"{"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": {"text": "試験薬"},
 "subject": {"reference": "Patient/1"}, "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/medicationrequest-category", "code": "inpatient"}]}]}"#;
                    "410" "code-not-preferred" Info "{} に値集合のコードを勧めています" "prefers a code of its value set: {}" "できれば値集合のコードにしてください" "use a code of the set if you can" "勧められたコードでないと、ほかの施設のデータとまとめて扱えないことがあります。" "Without the preferred code the record may not be combined with those of others."
                        "MedicationRequest.category[0]" r#""differential": {"element": [{"id": "MedicationRequest.category", "path": "MedicationRequest.category",
  "binding": {"strength": "preferred", "valueSet": "http://hl7.org/fhir/ValueSet/medicationrequest-category"}}]}"#
                        r#"{"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": {"text": "試験薬"},
 "subject": {"reference": "Patient/1"}, "category": [{"coding": [{"system": "http://hospital.example.jp/category", "code": "1"}]}]}"#
                        r#"{"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": {"text": "試験薬"},
 "subject": {"reference": "Patient/1"}, "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/medicationrequest-category", "code": "inpatient"}]}]}"#;
                    "411" "length" Error "{} の長さを限っています" "limits the length of {}" "短くしてください" "shorten it" "受け手の欄に入りきらず、途中で切れるおそれがあります。" "It may not fit the receiver's field and be cut off."
                        "Patient.identifier[0].value" r#""differential": {"element": [{"id": "Patient.identifier.value", "path": "Patient.identifier.value", "maxLength": 10}]}"#
                        r#"{"resourceType": "Patient", "identifier": [{"value": "000000000001"}]}"#
                        r#"{"resourceType": "Patient", "identifier": [{"value": "0000000001"}]}"#;
                    "412" "range" Error "{} の範囲を限っています" "limits the range of {}" "範囲内の値にしてください" "give a value within the range" "範囲の外の値は、打ち間違いか単位の取り違えかもしれず、受け手が受け取りません。" "A value outside the range may be mistyped or in another unit, and receivers refuse it."
                        "Patient.birthDate" r#""differential": {"element": [{"id": "Patient.birthDate", "path": "Patient.birthDate", "minValueDate": "1900-01-01"}]}"#
                        r#"{"resourceType": "Patient", "birthDate": "0068-03-03"}"#
                        r#"{"resourceType": "Patient", "birthDate": "1968-03-03"}"#;
                    "413" "type-profile" Error "{} に型のプロファイルを求めています" "demands a profile of the type: {}" "プロファイルに合わない点を直してください" "mend what differs from the profile" "中身が決められた形でないと、受け手は必要な値をその場所で見つけられません。" "Unless its content follows the profile, receivers do not find what they need at its place."
                        "Bundle.entry[0].resource" r#""differential": {"element": [{"id": "Bundle.entry.resource", "path": "Bundle.entry.resource", "type": [{"code": "Resource",
  "profile": ["http://hl7.org/fhir/StructureDefinition/Patient", "http://hl7.org/fhir/StructureDefinition/Practitioner"]}]}]}"#
                        r#"{"resourceType": "Bundle", "type": "collection", "entry": [
  {"fullUrl": "http://hospital.example.jp/fhir/Organization/1", "resource": {"resourceType": "Organization", "id": "1", "name": "試験病院"}}
]}"#
                        r#"{"resourceType": "Bundle", "type": "collection", "entry": [
  {"fullUrl": "http://hospital.example.jp/fhir/Patient/1", "resource": {"resourceType": "Patient", "id": "1", "gender": "female"}}
]}"#;
                    "414" "target-profile" Error "{} の参照先にプロファイルを求めています" "demands a profile of the target: {}" "参照先をプロファイルに合わせてください" "make the target follow the profile" "参照先が決められた形でないと、受け手はその患者や施設を確かめられません。" "Unless the target follows the profile, receivers cannot identify the patient or institution that is meant."
                        "Observation.subject.reference" r#""differential": {"element": [{"id": "Observation.subject", "path": "Observation.subject", "type": [{"code": "Reference",
  "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Patient"]}]}]}"#
                        r#"{"resourceType": "Observation", "status": "final", "code": {"text": "体温"}, "subject": {"reference": "Group/1"}}"#
                        r#"{"resourceType": "Observation", "status": "final", "code": {"text": "体温"}, "subject": {"reference": "Patient/1"}}"#;
                    "415" "must-support" Info "{} を Must Support としています" "marks as must-support what has no value: {}" "値があれば入れてください" "give it if there is one" "受け手はこの要素を扱えることになっています。値があるのに送らないと、使える情報が届きません。" "Receivers are able to handle this element; if there is a value and it is not sent, they miss it."
                        "Patient.telecom" r#""differential": {"element": [{"id": "Patient.telecom", "path": "Patient.telecom", "mustSupport": true}]}"#
                        r#"{"resourceType": "Patient", "gender": "female"}"#
                        r#"{"resourceType": "Patient", "gender": "female", "telecom": [{"system": "phone", "value": "03-0000-0000"}]}"#;
                    "416" "reference-place" Error "{} の参照先の置き場所を定めています" "says where the target of {} has to be" "参照先を示された場所に置いてください (contained: 同じリソースの中、bundled: 同じ Bundle の entry、referenced: 外)" "put the target where it is wanted (contained: within the resource; bundled: an entry of the Bundle; referenced: elsewhere)" "受け手は決められた場所の参照先しか読みません。ほかの場所にあると、誰のことか、どの施設のことかが届きません。" "Receivers read the target at its place only; elsewhere it does not tell them who or which institution is meant."
                        "Observation.subject.reference" r#""differential": {"element": [{"id": "Observation.subject", "path": "Observation.subject", "type": [{"code": "Reference",
  "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Patient"], "aggregation": ["contained"]}]}]}"#
                        r#"{"resourceType": "Observation", "status": "final", "code": {"text": "体温"}, "subject": {"reference": "Patient/1"}}"#
                        r##"{"resourceType": "Observation", "status": "final", "code": {"text": "体温"}, "subject": {"reference": "#patient"},
 "contained": [{"resourceType": "Patient", "id": "patient", "gender": "female"}]}"##;
                }
            }
        )*
    };
    (@codes $prefix:literal $name:literal $ja:literal $en:literal
        $($number:literal $code:literal $severity:ident $tja:literal $ten:literal $hja:literal $hen:literal $wja:literal $wen:literal
            $at:literal $definition:literal $wrong:literal $right:literal;)*) => {
        /// The codes of this family, in order.
        pub(super) static ALL: &[&Entry] = &[$(
            &Entry::new(
                concat!($prefix, $number),
                concat!($name, "-", $code),
                Severity::$severity,
                [concat!($ja, "は ", $tja), concat!($en, " ", $ten), $hja, $hen, STANDARD],
            )
            .why($wja, $wen)
            .examples(
                Example::Profiled(&Profiled { at: $at, definition: $definition, resource: $wrong }),
                Example::Profiled(&Profiled { at: "", definition: $definition, resource: $right }),
            )
        ),*];
    };
}

families! {
    fhr "FHR" "profile" "プロファイル" "a profile";
    jpc "JPC" "jp-core" "JP Core " "JP Core";
    cln "CLN" "clins-profile" "JP-CLINS " "JP-CLINS";
}

/// `FHR4xx`
pub static FHR: &[&crate::Entry] = fhr::ALL;
/// `JPC4xx`
pub static JPC: &[&crate::Entry] = jpc::ALL;
/// `CLN4xx`
pub static CLN: &[&crate::Entry] = cln::ALL;

/// Code of a demand of a profile with this canonical.
pub fn code(profile: &str, demand: Demand) -> crate::Code {
    let family = match profile.strip_prefix("http://jpfhir.jp/fhir/") {
        None => FHR,
        Some(rest) if rest.starts_with("core/") => JPC,
        Some(_) => CLN,
    };
    let number = match demand {
        Demand::Missing => 0,
        Demand::TooMany => 1,
        Demand::Type => 2,
        Demand::Fixed => 3,
        Demand::Pattern => 4,
        Demand::Slice => 5,
        Demand::Order => 6,
        Demand::Required => 7,
        Demand::Extensible => 8,
        Demand::Preferred => 9,
        Demand::Length => 10,
        Demand::Range => 11,
        Demand::TypeProfile => 12,
        Demand::TargetProfile => 13,
        Demand::Support => 14,
        Demand::Aggregation => 15,
    };
    family.get(number).copied().unwrap_or(&super::fhr::FHR305)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_is_that_of_the_profile() {
        let of = |url, demand| code(url, demand).code;
        assert_eq!(
            of(
                "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Patient",
                Demand::Missing
            ),
            "JPC401"
        );
        assert_eq!(
            of(
                "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_Patient_eCS",
                Demand::Order
            ),
            "CLN407"
        );
        assert_eq!(
            of(
                "http://hl7.org/fhir/StructureDefinition/vitalsigns",
                Demand::Support
            ),
            "FHR415"
        );
    }
}
