//! S12: a consent as two QR symbols, for somebody without a connection (consent.md §6.3).

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc, QrSegment};
use warifu_consent::{Typ, to_qr};

use super::{banner, buttons, fill, h1, institutions, link, p, plain, say};
use crate::care::Given;
use crate::model::Model;
use crate::node::{El, IntoNodes as _, Node, el};
use crate::route::Route;
use crate::text::{self, Text};

/// Modules around a symbol that stay white.
const QUIET: i32 = 4;

/// What stands before the digits.
const SCHEME: &str = "consent:/";

/// The symbol of a token; `None` for one that has none.
pub fn symbol(token: &str) -> Option<QrCode> {
    let text = to_qr(token)?;
    let digits = text.strip_prefix(SCHEME)?;
    let segments = [
        QrSegment::make_bytes(SCHEME.as_bytes()),
        QrSegment::make_numeric(digits),
    ];
    QrCode::encode_segments(&segments, QrCodeEcc::Low).ok()
}

/// Black on white in every theme: a scanner reads nothing else well.
fn drawn(m: &Model, token: &str, label: Text) -> Option<El> {
    let code = symbol(token)?;
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        let mut x = 0;
        while x < size {
            let from = x;
            while x < size && code.get_module(x, y) {
                x += 1;
            }
            if x > from {
                let (left, top, wide) = (from + QUIET, y + QUIET, x - from);
                // Writing into a string does not fail.
                let _ = write!(path, "M{left} {top}h{wide}v1h-{wide}z");
            }
            x += 1;
        }
    }
    let whole = size + 2 * QUIET;
    let image = el("svg")
        .attr("role", "img")
        .attr("aria-label", plain(m, label))
        .attr("viewBox", format!("0 0 {whole} {whole}"))
        .attr("shape-rendering", "crispEdges")
        .with(
            el("path")
                .attr("fill", "#fff")
                .attr("d", format!("M0 0h{whole}v{whole}H0z")),
        )
        .with(el("path").attr("fill", "#000").attr("d", path));
    Some(
        el("figure")
            .class("qr")
            .with(el("figcaption").with(say(m, label)))
            .with(image),
    )
}

fn both(m: &Model, given: &Given) -> Result<[El; 2], Text> {
    if given.token.typ == Typ::Grant && !given.is_open(m.now) {
        return Err(text::QR_OVER);
    }
    let bond = m.bonds.iter().find(|b| b.kid == given.token.kid);
    let bond = bond.ok_or(text::QR_OTHER_KEY)?;
    let key = drawn(m, &bond.token, text::QR_KEY).ok_or(text::QR_OTHER_KEY)?;
    let label = if given.token.typ == Typ::Grant {
        text::QR_CONSENT
    } else {
        text::QR_SIGNED
    };
    let consent = drawn(m, &given.text, label).ok_or(text::QR_MANY)?;
    Ok([key, consent])
}

pub(super) fn symbols(m: &Model, given: &Given) -> Vec<Node> {
    let mut out = Vec::new();
    h1(m, text::QR).put(&mut out);
    match both(m, given) {
        Ok(figures) => {
            let what = if given.token.typ == Typ::Grant {
                let slot = ("institution", institutions(m, &given.list("aud")));
                fill(m, text::QR_WHAT, &[slot])
            } else {
                say(m, text::QR_SIGNED_WHAT)
            };
            el("p").class("strong").with(what).put(&mut out);
            el("div").class("qrs").with(figures).put(&mut out);
        }
        Err(why) => banner("info", p(m, why)).put(&mut out),
    }
    let back = Route::Consent(given.jti().to_owned());
    buttons(link(m, text::BACK, &back).class("btn btn2")).put(&mut out);
    out
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod tests {
    use super::*;

    /// The drawn squares as an image, each of them 4 × 4.
    fn image(el: &El) -> (usize, Vec<u8>) {
        let all = Node::El(Box::new(el.clone()));
        let all = all.all();
        let svg = all.iter().find(|e| e.tag == "svg").unwrap();
        let side: usize = svg
            .get("viewBox")
            .unwrap()
            .split(' ')
            .next_back()
            .unwrap()
            .parse()
            .unwrap();
        let black = all.iter().find(|e| e.get("fill") == Some("#000")).unwrap();
        let whole = side * 4;
        let mut pixels = vec![255; whole * whole];
        for run in black.get("d").unwrap().split('M').skip(1) {
            let mut numbers = run
                .split(|c: char| !c.is_ascii_digit())
                .filter(|n| !n.is_empty());
            let mut next = || numbers.next().unwrap().parse::<usize>().unwrap();
            let (left, top, wide) = (next(), next(), next());
            for y in top * 4..top * 4 + 4 {
                pixels[y * whole + left * 4..y * whole + (left + wide) * 4].fill(0);
            }
        }
        (whole, pixels)
    }

    #[test]
    fn what_is_drawn_is_read_by_a_scanner_as_the_token() {
        let m = Model::default();
        let claims = r#"{"aud":["mi:1312345678"],"cat":["inf.lab"]}"#;
        let claims = warifu_consent::b64::encode(claims.as_bytes());
        for length in [100, 1_000, 1_300] {
            let token = format!(
                "eyJhbGciOiJFZERTQSJ9.{claims}.{}",
                "aB0-_z".repeat(length / 6)
            );
            let (side, pixels) = image(&drawn(&m, &token, text::QR_KEY).unwrap());
            let mut seen = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
                pixels[y * side + x]
            });
            let grids = seen.detect_grids();
            assert_eq!(grids.len(), 1, "{length}");
            let (_, text) = grids[0].decode().unwrap();
            assert_eq!(warifu_consent::from_qr(&text), Some(token));
        }
    }

    #[test]
    fn a_token_of_the_usual_size_fits_with_digits_packed() {
        // Three digits in ten bits: 1,195 characters are 23-L (consent.md §2).
        let head = "eyJhbGciOiJFZERTQSJ9.e30.";
        let token = |n: usize| format!("{head}{}", "A".repeat(n - head.len()));
        assert_eq!(symbol(&token(1_195)).unwrap().version().value(), 23);
        assert!(symbol(&token(1_300)).unwrap().version().value() > 23);
        assert!(symbol("ä").is_none());
        assert!(symbol(&token(4_096)).is_none(), "more than a symbol holds");
    }
}
