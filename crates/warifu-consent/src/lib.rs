//! Consent that cannot be forged, misread or quietly ignored: tokens, texts, decision, filter.
//!
//! No clock, no randomness, no I/O: time, random bytes, keys, policy and master are arguments.
//! The reference of the format and of every rule is `docs/consent.md`.
#![forbid(unsafe_code)]

mod accept;
mod annex;
pub mod api;
pub mod b64;
mod claims;
mod date;
mod decide;
mod disclosure;
mod emergency;
mod explain;
mod fhir;
mod filter;
mod foreign;
pub mod hash;
pub mod json;
mod jws;
mod key;
mod nfc;
mod policy;
mod qr;
mod reason;
mod secondary;
mod status;
mod store;
mod text;
pub mod wire;

pub use accept::{
    Accepted, Binding, Desk, Ledger, Parent, StatusNow, Target, Unfit, accept, attenuates,
    bind_text, binding_claims, check_offline, reaches, status_of, text_of, unfit,
};
pub use annex::Annex;
pub use claims::{DAY, SignerClass, Typ, is_subject};
pub use date::{Date, date_time, instant};
pub use decide::{
    Basis, Decision, Denial, Grant, Item, Mode, Notice, Objection, Origin, Request, State, Told,
    Who, Why, decide, told_to_recipient,
};
pub use disclosure::{Disclosure, bundle_hash, mark, without_provenance};
pub use emergency::{
    CaseState, EMERGENCY_REASONS, EmergencyAccess, IDENTIFIED_BY, ROLES, ReviewCase, ReviewError,
    ReviewTerms, Statement, Verdict, break_glass, disaster, emergency_bundle, emergency_notice,
    review_queue, suspended,
};
pub use explain::{Explanation, explain};
pub use fhir::{About, Dialect, FhirError, to_consent};
pub use filter::{
    FEW_KINDS, Facts, FilterError, Filtered, Knowledge, Withheld, categories_of, filter,
    stands_under,
};
pub use foreign::{
    ConsentDraft, Excluded, ImportCode, ImportDesk, ImportFinding, Imported, SignedConsent,
    from_consent,
};
pub use jws::{
    Draft, KeyEntry, KeyRing, KeyState, MakeError, Moment, Opened, make, open, peek, token_hash,
};
pub use key::{KeyError, PublicKey, SecretKey, SignError, Signer};
pub use policy::{Bits, Category, Consent, Named, Policy, PolicyError, Purpose, REFERENCE};
pub use qr::{from_qr, to_qr};
pub use reason::{Lang, Reason, Refusal};
pub use secondary::{
    Contract, Delivery, Profile, Release, Step, StopAnswer, StopOrder, Unreleased, contracted,
    may_be_released, member_leaf, member_leaves, member_salt, of_these_leaves, place, read_leaves,
    released_categories, stop_orders,
};
pub use status::{LEAST_ENTRIES, StatusList, make_status_list};
pub use store::{Disagreement, Kept, Witness, state_of};
pub use text::{Facility, Master, TEXT_VERSION, family, render, templates, text_hash, text_salt};
