//! `MAP1xx`: patient, administration, allergies, diseases.

codes! {}
