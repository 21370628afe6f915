//! `MAP4xx`: imaging, diet, documents.

codes! {}
