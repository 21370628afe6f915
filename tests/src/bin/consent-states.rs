//! `consent-states NUMBER`: generated states with the native decision, which `pkg/test/consent.test.mjs`
//! compares with the wasm.
//!
//! The first line is the policy as a JSON string, every other one a state with `expected`.
#![forbid(unsafe_code)]

#[path = "../../../crates/warifu-consent/tests/common/states.rs"]
mod states;

use std::io::Write as _;

use anyhow::{Context as _, Result};
use states::{Dice, answer, case, policy_text, value};
use warifu_consent::json::Value;
use warifu_consent::{Policy, decide};

fn main() -> Result<()> {
    let number = std::env::args()
        .nth(1)
        .context("usage: consent-states NUMBER")?;
    let number: u64 = number.parse()?;
    let text = policy_text();
    let policy = Policy::read(text.as_bytes())?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    writeln!(out, "{}", Value::from(text.as_str()).write())?;
    let mut dice = Dice(1);
    for _ in 0..number {
        let (state, request, item) = case(&policy, &mut dice);
        let expected = answer(&decide(&state, &request, &item));
        let mut line = value(&policy, &state, &request, &item);
        if let Value::Object(members) = &mut line {
            members.insert("expected".to_owned(), expected.into());
        }
        writeln!(out, "{}", line.write())?;
    }
    out.flush()?;
    Ok(())
}
