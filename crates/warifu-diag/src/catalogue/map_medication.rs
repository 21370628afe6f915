//! `MAP3xx`: medication.

codes! {}
