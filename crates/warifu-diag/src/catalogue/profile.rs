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
}

macro_rules! families {
    ($($module:ident $prefix:literal $name:literal $ja:literal $en:literal;)*) => {
        $(
            mod $module {
                use crate::{Entry, Severity};
                const STANDARD: &str = concat!($en, "; FHIR R4 §5.1, §2.27");
                families!{@codes $prefix $name $ja $en
                    "401" "element-missing" Error "{} を必須としています" "demands {}" "値を入れてください" "give it a value";
                    "402" "too-many-values" Error "{} の値がこれより少ないことを求めています" "allows fewer values of {}" "許される個数まで減らしてください" "leave no more than are allowed";
                    "403" "type" Error "{} の型を許していません" "does not allow this type: {}" "許された型で表してください" "use one of the allowed types";
                    "404" "fixed-value" Error "{} の値を一つに定めています" "fixes the value of {}" "定められた値にしてください" "write the value that is fixed";
                    "405" "pattern" Error "{} に定めた値を含むことを求めています" "demands a pattern in {}" "定められた値を含めてください" "include what the pattern has";
                    "406" "slice" Error "{} に定めのない値を許していません" "allows no value of {} beyond its slices" "どのスライスに当たるか確かめ、合わない点を直してください" "find the slice that is meant and mend what differs";
                    "407" "slice-order" Error "{} の並びを定めています" "orders the slices of {}" "定められた順に並べてください" "bring them into the order of the profile";
                    "408" "code-not-in-set" Error "{} のコードを値集合の中に限っています" "demands a code of its value set: {}" "値集合のコードから選んでください" "choose a code of the set";
                    "409" "code-outside-set" Warning "{} に値集合のコードを求めています (合うものがあれば)" "wants a code of its value set where one fits: {}" "値集合に合うコードがあれば、それに替えるか併記してください" "if the set has a fitting code, use it or add it";
                    "410" "code-not-preferred" Info "{} に値集合のコードを勧めています" "prefers a code of its value set: {}" "できれば値集合のコードにしてください" "use a code of the set if you can";
                    "411" "length" Error "{} の長さを限っています" "limits the length of {}" "短くしてください" "shorten it";
                    "412" "range" Error "{} の範囲を限っています" "limits the range of {}" "範囲内の値にしてください" "give a value within the range";
                    "413" "type-profile" Error "{} に型のプロファイルを求めています" "demands a profile of the type: {}" "プロファイルに合わない点を直してください" "mend what differs from the profile";
                    "414" "target-profile" Error "{} の参照先にプロファイルを求めています" "demands a profile of the target: {}" "参照先をプロファイルに合わせてください" "make the target follow the profile";
                    "415" "must-support" Info "{} を Must Support としています" "marks as must-support what has no value: {}" "値があれば入れてください" "give it if there is one";
                }
            }
        )*
    };
    (@codes $prefix:literal $name:literal $ja:literal $en:literal
        $($number:literal $code:literal $severity:ident $tja:literal $ten:literal $hja:literal $hen:literal;)*) => {
        /// The codes of this family, in order.
        pub(super) static ALL: &[&Entry] = &[$(
            &Entry::new(
                concat!($prefix, $number),
                concat!($name, "-", $code),
                Severity::$severity,
                [concat!($ja, "は ", $tja), concat!($en, " ", $ten), $hja, $hen, STANDARD],
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
