//! The chain of rules behind a decision, for the person and for an auditor (consent.md §7.2).

use crate::decide::{Basis, Decision, Item, Request, State, Who, Why, decide};
use crate::reason::Lang;

/// A decision and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// Rules passed, in order: `D3 passed`, …; the last one decided. For auditors.
    pub chain: Vec<String>,
    /// One sentence for the person; absent where the item is not to be spoken of (`NOT_TOLD`).
    pub sentence: Option<String>,
}

/// Rule that gives an answer.
#[expect(
    clippy::match_same_arms,
    reason = "permits first, then denials, each in the order of the rules"
)]
fn rule(decision: &Decision) -> &'static str {
    match (&decision.basis, decision.why) {
        (Some(Basis::Own), _) => "D4",
        (Some(Basis::Grant), _) => "D8",
        (Some(Basis::Emergency), _) => "D9",
        (Some(Basis::Disaster), _) => "D10",
        (Some(Basis::Statute(_)), _) => "D5",
        (Some(Basis::OptOut), _) => "D6",
        (None, Why::Unclassified) => "D1",
        (None, Why::PurposeUnknown | Why::Ceiling) => "D2",
        (None, Why::NotTold) => "D3",
        (None, Why::NoStatute) => "D5",
        (None, Why::OptoutRecipient | Why::NoticePending | Why::Objected) => "D6",
        (None, Why::Prohibited | Why::ProhibitedEmg) => "D7",
        (None, Why::BgInvalid | Why::BgFacility | Why::BgRole) => "D9",
        (None, Why::BgCategory | Why::DisInactive) => "D10",
        (None, _) => "D11",
    }
}

/// The order in which the rules are asked.
const ORDER: [&str; 11] = [
    "D3", "D4", "D1", "D2", "D5", "D6", "D7", "D8", "D9", "D10", "D11",
];

/// Decides and tells why.
pub fn explain(state: &State<'_>, request: &Request, item: &Item, lang: Lang) -> Explanation {
    let decision = decide(state, request, item);
    let last = rule(&decision);
    let mut chain = Vec::new();
    for name in ORDER {
        if name == last {
            break;
        }
        chain.push(format!("{name}: passed"));
    }
    let effect = match &decision.basis {
        Some(basis) => format!("permit {}", basis.wire()),
        None => format!("deny {}", decision.why.wire()),
    };
    chain.push(format!("{last}: {effect}"));
    if !decision.grants.is_empty() {
        chain.push(format!("grants: {}", decision.grants.join(", ")));
    }
    if !decision.obligations.is_empty() {
        chain.push(format!("obligations: {}", decision.obligations.join(", ")));
    }
    chain.push(format!("policy: {}", decision.policy_hash));
    let own = !matches!(request.who, Who::Recipient(_));
    let sentence = (decision.why != Why::NotTold).then(|| spoken(&decision, own, lang).to_owned());
    Explanation {
        decision,
        chain,
        sentence,
    }
}

fn spoken(decision: &Decision, own: bool, lang: Lang) -> &'static str {
    let [ja, easy, en] = match &decision.basis {
        Some(Basis::Own) => [
            "ご自分（または登録された代理の方）の記録なので見られます。",
            "じぶんの きろくなので 見られます。",
            "Shown, because it is your own record or that of a person you represent.",
        ],
        Some(Basis::Grant) => [
            "あなたの同意があるので、相手に見えます。",
            "あなたが「いい」と 言ったので、見えます。",
            "Shown, because you consented.",
        ],
        Some(Basis::Emergency) => [
            "救急のため、決められた手続きで見えます。使われたことは記録されます。",
            "きゅうきゅうなので、きまりに したがって 見えます。きろくが のこります。",
            "Shown under the emergency rules; the use is recorded.",
        ],
        Some(Basis::Disaster) => [
            "災害のため、決められた手続きで見えます。使われたことは記録されます。",
            "さいがいなので、きまりに したがって 見えます。きろくが のこります。",
            "Shown under the disaster rules; the use is recorded.",
        ],
        Some(Basis::Statute(_)) => [
            "法律で決められた届出のため、渡されます。",
            "ほうりつで きまって いるので、わたします。",
            "Passed on, because a law requires the report.",
        ],
        Some(Basis::OptOut) => [
            "だれのものかわからない形にして使われます。拒否の申出は出ていません。",
            "だれのか わからないように して つかいます。",
            "Used in a form without names; no objection is recorded.",
        ],
        None => match decision.why {
            Why::NoGrant | Why::Aud | Why::Purpose if own => [
                "見られる範囲の外にあります。",
                "見ることが できる ものでは ありません。",
                "Not within what may be seen.",
            ],
            Why::NoGrant => [
                "同意がないので見えません。",
                "「いい」と 言って いないので、見えません。",
                "Not shown: there is no consent.",
            ],
            Why::Aud => [
                "この相手への同意がないので見えません。",
                "この あいてには、見えません。",
                "Not shown: no consent names this recipient.",
            ],
            Why::Purpose => [
                "この目的への同意がないので見えません。",
                "この ことの ためには、見えません。",
                "Not shown: no consent names this purpose.",
            ],
            Why::NotYet => [
                "同意の期間がまだ始まっていないので見えません。",
                "まだ はじまって いないので、見えません。",
                "Not shown: the consent has not begun.",
            ],
            Why::Expired => [
                "同意の期間が終わったので見えません。",
                "もう おわったので、見えません。",
                "Not shown: the consent has ended.",
            ],
            Why::Revoked => [
                "同意が取り消されたので見えません。",
                "やめたので、見えません。",
                "Not shown: the consent was withdrawn.",
            ],
            Why::StatusStale => [
                "同意が続いているか確かめられないので見えません。",
                "たしかめられないので、見えません。",
                "Not shown: it could not be checked whether the consent still holds.",
            ],
            Why::Category => [
                "この種類の情報への同意がないので見えません。",
                "この しゅるいは、見えません。",
                "Not shown: the consent does not include this kind of information.",
            ],
            Why::Individual => [
                "この情報には、それだけの同意がいります。",
                "これは、これだけの やくそくが いります。",
                "Not shown: this needs a consent of its own.",
            ],
            Why::Period => [
                "同意した日付の外にあるので見えません。",
                "その 日は 入って いないので、見えません。",
                "Not shown: it lies outside the dates you chose.",
            ],
            Why::AsOf => [
                "同意したあとに記録されたので見えません。",
                "あとから 書いたので、見えません。",
                "Not shown: it was recorded later than you chose.",
            ],
            Why::Excluded => [
                "あなたが外したので見えません。",
                "あなたが はずしたので、見えません。",
                "Not shown: you took it out.",
            ],
            Why::Uses => [
                "決めた回数を使い終えたので見えません。",
                "回数が おわったので、見えません。",
                "Not shown: the number of times is used up.",
            ],
            Why::Unclassified => [
                "種類がわからない記録なので見えません。",
                "しゅるいが わからないので、見えません。",
                "Not shown: its kind is not known.",
            ],
            Why::PurposeUnknown => [
                "目的が決められたものでないので見えません。",
                "なんのためか わからないので、見えません。",
                "Not shown: the purpose is not known.",
            ],
            Why::Ceiling => [
                "この目的や相手には、決まりで見せられません。",
                "きまりで、見せられません。",
                "Not shown: the rules do not allow it for this purpose or recipient.",
            ],
            Why::NoStatute => [
                "これを求める法律がないので渡されません。",
                "ほうりつに ないので、わたしません。",
                "Not passed on: no law requires it.",
            ],
            Why::OptoutRecipient => [
                "認定された事業者でないので渡されません。",
                "みとめられて いないので、わたしません。",
                "Not passed on: the body is not certified.",
            ],
            Why::NoticePending => [
                "お知らせから決められた日数がたっていないので渡されません。",
                "まだ 日が たって いないので、わたしません。",
                "Not passed on: the notice is too recent or has not been given.",
            ],
            Why::Objected => [
                "拒否の申出があるので渡されません。",
                "「つかわないで」と 言ったので、わたしません。",
                "Not passed on: you objected.",
            ],
            Why::Prohibited => [
                "見せないという申出があるので見えません。",
                "「見せない」と 言ったので、見えません。",
                "Not shown: you asked for it not to be shown.",
            ],
            Why::ProhibitedEmg => [
                "救急でも見せないという申出があるので見えません。",
                "きゅうきゅうでも「見せない」と 言ったので、見えません。",
                "Not shown: you asked for it not to be shown, even in an emergency.",
            ],
            Why::BgInvalid | Why::BgFacility | Why::BgRole => [
                "救急の手続きの条件を満たさないので見えません。",
                "きゅうきゅうの きまりに 合わないので、見えません。",
                "Not shown: the conditions of emergency access are not met.",
            ],
            Why::BgCategory => [
                "救急・災害で使う情報ではないので見えません。",
                "きゅうきゅうで つかう ものでは ないので、見えません。",
                "Not shown: it is not information for emergencies.",
            ],
            Why::DisInactive => [
                "災害の発動がないので見えません。",
                "さいがいでは ないので、見えません。",
                "Not shown: no disaster is declared here and now.",
            ],
            // Never spoken; `Permitted` has a basis.
            Why::NotTold | Why::Permitted => ["", "", ""],
        },
    };
    match lang {
        Lang::Ja => ja,
        Lang::JaEasy => easy,
        Lang::En => en,
    }
}
