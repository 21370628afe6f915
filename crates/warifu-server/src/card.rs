//! Enrolment by the citizen's card (マイナンバーカード, the certificates of 公的個人認証): a port.
//!
//! Whoever verifies such certificates (a platform provider) is outside of this program; what it has to say is
//! [`Card`]. [`CardDouble`] stands in for it in tests and on trial machines. It proves nothing, so its keys
//! are bound as those of people who identified themselves (`ial` `self`, which opens nothing to an
//! institution), and every line of the log about them says `bound-double`.

use std::collections::BTreeMap;

use warifu_consent::Date;
use warifu_consent::json::{self, Value, object};

use crate::App;
use crate::http::{Answer, Asked};
use crate::people::{self, Bound};
use crate::problem::{Code, Problem};

/// Whose card it is, as the office knows its patients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Whose patient number: `mi:` and 10 digits.
    pub institution: String,
    /// The number.
    pub patient: String,
    /// Day of birth, as the certificate has it.
    pub birth: String,
}

/// Identifies people by their cards.
pub trait Card: Send + Sync {
    /// Whose card signed the challenge, by the answer of the card's reader. `None` where it proves nothing, or
    /// its holder is nobody's patient here.
    fn holder(&self, challenge: &str, answer: &str) -> Option<Holder>;

    /// Whether it only stands in for a card and proves nothing; then all that it does is marked so.
    fn is_double(&self) -> bool;
}

/// What stands before every answer of a double.
const DOUBLE: &str = "TEST-DOUBLE";

/// A double of [`Card`]: cards of people who do not exist, which anybody can hold up.
#[derive(Debug)]
pub struct CardDouble(BTreeMap<String, Holder>);

impl CardDouble {
    /// From `{"testDouble": true, "cards": {CARD: {institution, patient, birth}}}`; the first member says what it
    /// is, so that no file of another kind is taken.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let all = json::read(bytes.trim_ascii(), 4).ok()?;
        if all.get("testDouble") != Some(&Value::Bool(true)) {
            return None;
        }
        let mut cards = BTreeMap::new();
        for (card, value) in all.get("cards")?.members()? {
            let text = |name: &str| value.get(name).and_then(Value::text).map(str::to_owned);
            let holder = Holder {
                institution: text("institution")?,
                patient: text("patient")?,
                birth: text("birth").filter(|b| Date::parse(b).is_some())?,
            };
            cards.insert(card.clone(), holder);
        }
        Some(Self(cards))
    }

    /// What the reader of such a card would answer.
    pub fn answer(card: &str, challenge: &str) -> String {
        format!("{DOUBLE}:{card}:{challenge}")
    }
}

impl Card for CardDouble {
    fn holder(&self, challenge: &str, answer: &str) -> Option<Holder> {
        let (card, signed) = answer
            .strip_prefix(DOUBLE)?
            .strip_prefix(':')?
            .rsplit_once(':')?;
        let holder = self.0.get(card)?;
        (signed == challenge).then(|| holder.clone())
    }

    fn is_double(&self) -> bool {
        true
    }
}

fn port(app: &App) -> Result<&dyn Card, Problem> {
    let card = app.config().card.as_deref();
    Ok(card.ok_or(Code::NotFound)?)
}

/// `GET /api/enrol/card`: whether cards are taken here, and whether by a double.
pub(crate) fn offered(app: &App, _: &Asked) -> Result<Answer, Problem> {
    let is_double = port(app)?.is_double();
    Ok(Answer::json(&object([("double", Value::Bool(is_double))])))
}

/// `POST /api/enrol/card`: binds the key of a session proof to the holder of the card that signed the hash of
/// the proof.
pub(crate) fn enrol(app: &App, asked: &Asked) -> Result<Answer, Problem> {
    let office = app.office()?;
    let card = port(app)?;
    let body = asked.body(&["answer", "proof"])?;
    let (key, proof) = people::brought(app, body.text("proof")?)?;
    let holder = card.holder(&proof.hash, body.text("answer")?);
    let (ial, what) = if card.is_double() {
        ("self", "bound-double")
    } else {
        ("jpki", "bound")
    };
    let bound = Bound {
        role: "patient",
        ial,
        proxy_for: None,
        more: &[],
        what,
    };
    let done = office.write(|tx| {
        people::proof_nonce(tx, proof.text("nonce"))?;
        if people::too_many(tx)? {
            return Ok(Err(Code::Rate.into()));
        }
        let known = holder.map(|holder| {
            let sub = office.pseudonym_at(&holder.institution, &holder.patient)?;
            // Whoever the card names has to be the person of the records.
            people::born(&tx.view, &sub, &holder.institution, &holder.birth)?;
            Ok::<_, Problem>(sub)
        });
        match known {
            Some(Ok(sub)) => people::enrolled(tx, &key, &sub, &bound).map(Ok),
            Some(Err(p)) if !["BIRTH_DATE", "NO_RECORD"].contains(&p.code()) => Err(p),
            _ => {
                // A failure counts, also when the answer is a refusal.
                people::enrol_failed(tx)?;
                Ok(Err(Code::Card.into()))
            }
        }
    })?;
    people::welcome(app, done)
}
