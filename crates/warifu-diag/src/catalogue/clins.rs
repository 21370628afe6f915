//! `CLN`: JP-CLINS output.

codes! {}
