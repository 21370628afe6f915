//! The catalogue: one line group per code, one file per family.
//!
//! A code is added in one place: its family's file. `MAP` numbers are split by area so that a
//! reader finds neighbours together: 0xx general, 1xx patient / administration / allergy / disease,
//! 2xx laboratory and observations, 3xx medication, 4xx imaging, diet, documents, 5xx CLINS.

use crate::Entry;

/// Declares codes of a family:
/// `NAME = "CODE" "name" Severity [flags] { ja, en, help_ja, help_en, standard; why_ja, why_en; wrong => right }`.
///
/// Flags are the methods of [`Entry`] without arguments (`safe`, `preview`, `nho`, `strict`); the flags
/// and everything behind the standard may be left out. Crates with codes of their own use it too; it
/// needs the variants of [`Example`](crate::Example) in scope.
#[macro_export]
macro_rules! codes {
    ($($id:ident = $code:literal $name:literal $sev:ident $([$($flag:ident)*])? {
        $ja:expr, $en:expr, $hja:expr, $hen:expr, $std:expr
        $(; $wja:expr, $wen:expr $(; $wrong:expr => $right:expr)?)?
    })*) => {
        $(
            #[doc = $en]
            pub static $id: $crate::Entry = $crate::Entry::new(
                $code, $name, $crate::Severity::$sev, [$ja, $en, $hja, $hen, $std],
            )$(.why($wja, $wen)$(.examples($wrong, $right))?)?$($(.$flag())*)?;
        )*
        /// The codes of this family, in order.
        pub static ALL: &[&$crate::Entry] = &[$(&$id),*];
    };
}

pub mod cli;
pub mod clins;
pub mod enc;
pub mod fhr;
pub mod hl7;
pub mod map_admin;
pub mod map_general;
pub mod map_lab;
pub mod map_medication;
pub mod map_other;
pub mod package;
pub mod profile;
pub mod ssm;

/// Every code, in order of family and number.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    [
        enc::ALL,
        hl7::ALL,
        ssm::ALL,
        map_general::ALL,
        map_admin::ALL,
        map_lab::ALL,
        map_medication::ALL,
        map_other::ALL,
        clins::ALL,
        fhr::ALL,
        profile::FHR,
        package::ALL,
        cli::ALL,
        profile::JPC,
        profile::CLN,
    ]
    .into_iter()
    .flatten()
    .copied()
}
