//! S1: what this is.

use super::{buttons, h1, link, p};
use crate::model::Model;
use crate::node::{IntoNodes as _, Node};
use crate::route::Route;
use crate::text;

pub(super) fn start(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    h1(m, text::START).put(&mut out);
    p(m, text::START_CARE).class("lead").put(&mut out);
    p(m, text::START_SEE).put(&mut out);
    buttons([
        link(m, text::START_GO, &Route::Key).class("btn"),
        link(m, text::START_AGAIN, &Route::Home).class("btn btn2"),
    ])
    .put(&mut out);
    out
}

pub(super) fn unknown(m: &Model) -> Vec<Node> {
    let mut out = Vec::new();
    h1(m, text::NOT_FOUND).put(&mut out);
    buttons(link(m, text::TO_HOME, &Route::Start).class("btn")).put(&mut out);
    out
}
