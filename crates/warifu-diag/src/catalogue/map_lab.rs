//! `MAP2xx`: laboratory and observations.

codes! {
}
