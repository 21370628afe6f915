//! The chain of rules behind a decision, in words for the person and for an auditor (consent.md §7.2).

use crate::decide::{
    Basis, Decision, Denial, Grant, Item, Request, State, Who, Why, is_closed_to_guardian, misses,
    prohibitions, traced,
};
use crate::policy::{Bits, Policy};
use crate::reason::Lang;
use crate::text::{Master, moment};

/// A decision and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// In words: what was asked (dates, facility and labels of the item included); the rules that were
    /// asked, in their order, each prohibition under D7 and each grant with how far it came under D8; the
    /// answer, and what it obliges to. A line of a rule begins with its number in `docs/consent.md`.
    pub chain: Vec<String>,
    /// One sentence for the person; absent where the item is not to be spoken of (`NOT_TOLD`), and
    /// then the chain is not for the person either.
    pub sentence: Option<String>,
}

/// Decides and tells why. Names of facilities are taken from the master; without it codes stand there.
pub fn explain(
    state: &State<'_>,
    request: &Request,
    item: &Item,
    master: Option<&Master>,
    lang: Lang,
) -> Explanation {
    let (decision, asked) = traced(state, request, item);
    let say = Say {
        policy: state.policy,
        master,
        lang,
    };
    let own = !matches!(request.who, Who::Recipient(_));
    let mut chain = vec![say.question(request, item)];
    let (last, passed) = asked.split_last().unwrap_or((&"D11", &[]));
    for rule in passed {
        let closed = *rule == "D4" && is_closed_to_guardian(state, request, item);
        let words = if closed {
            say.closed(item)
        } else {
            say.passed(rule, state)
        };
        chain.push(format!("{rule}: {words}"));
        match *rule {
            "D7" => chain.extend(say.denials(state, request, item)),
            "D8" => chain.extend(say.grants(state, request, item)),
            _ => {}
        }
    }
    let effect = match &decision.basis {
        Some(basis) => format!("permit {}", basis.wire()),
        None => format!("deny {}", decision.why.wire()),
    };
    let words = say.pick(spoken(&decision, own));
    chain.push(format!("{last}: {words} ({effect})"));
    if decision.permits() && !decision.grants.is_empty() {
        chain.extend(say.grants(state, request, item));
    }
    if matches!(decision.why, Why::Prohibited | Why::ProhibitedEmg) {
        chain.extend(say.denials(state, request, item));
    }
    for code in &decision.obligations {
        chain.push(format!("  {}", say.obligation(code)));
    }
    let sentence = (decision.why != Why::NotTold).then(|| words.to_owned());
    Explanation {
        decision,
        chain,
        sentence,
    }
}

struct Say<'a> {
    policy: &'a Policy,
    master: Option<&'a Master>,
    lang: Lang,
}

impl Say<'_> {
    fn pick(&self, [ja, easy, en]: [&'static str; 3]) -> &'static str {
        match self.lang {
            Lang::Ja => ja,
            Lang::JaEasy => easy,
            Lang::En => en,
        }
    }

    fn list(&self, all: &[String]) -> String {
        all.join(self.pick(["、", "、", ", "]))
    }

    fn facility(&self, code: &str) -> String {
        let any = ["すべての相手", "だれでも", "everyone"];
        let named = self.master.and_then(|m| m.name(code, self.lang));
        match (code, named) {
            ("*" | "mi:*", _) => self.pick(any).to_owned(),
            (_, Some(name)) => format!("{name} ({code})"),
            (_, None) => code.to_owned(),
        }
    }

    fn facilities(&self, codes: &[String]) -> String {
        let names: Vec<String> = codes.iter().map(|c| self.facility(c)).collect();
        self.list(&names)
    }

    fn cats(&self, bits: Bits) -> String {
        let rows = self.policy.categories();
        let named = bits.places().filter_map(|p| rows.get(usize::from(p)));
        let names: Vec<String> = named.map(|c| c.name(self.lang).to_owned()).collect();
        if names.is_empty() {
            return self
                .pick([
                    "種類のわからない記録",
                    "しゅるいの わからない きろく",
                    "a record of no known kind",
                ])
                .to_owned();
        }
        self.list(&names)
    }

    fn labels(&self, bits: Bits) -> String {
        let rows = self.policy.labels();
        let named = bits.places().filter_map(|p| rows.get(usize::from(p)));
        let names: Vec<String> = named.map(|l| l.name(self.lang).to_owned()).collect();
        self.list(&names)
    }

    /// Labels of an item: what is not labelled is another thing than what has none.
    fn marks(&self, labels: Option<Bits>) -> String {
        match labels {
            None => {
                let unjudged = [
                    "印の判定ができていない",
                    "しるしを しらべられない",
                    "labels could not be judged",
                ];
                self.pick(unjudged).to_owned()
            }
            Some(Bits::NONE) => self.pick(["印なし", "しるし なし", "no label"]).to_owned(),
            Some(bits) => {
                let word = ["印: ", "しるし: ", "labelled "];
                format!("{}{}", self.pick(word), self.labels(bits))
            }
        }
    }

    /// Why a guardian does not see it: the labels that are the minor's own, by their names.
    fn closed(&self, item: &Item) -> String {
        match item.labels {
            None => self
                .pick([
                    "印の判定ができていない記録は、16 歳以上の方の保護者には見せられません。",
                    "しるしを しらべられない きろくは、16さいから、おやには 見えません。",
                    "What could not be labelled is closed to the guardian of a person of 16 or more.",
                ])
                .to_owned(),
            Some(labels) => {
                let own = Bits(labels.0 & self.policy.minor_labels().0);
                self.pick([
                    "次の印の記録は、16 歳以上の方の保護者には見せられません: {names}",
                    "この しるしの きろくは、16さいから、おやには 見えません: {names}",
                    "Records of these labels are closed to the guardian of a person of 16 or more: {names}",
                ])
                .replace("{names}", &self.labels(own))
            }
        }
    }

    /// What a recipient is obliged to, with its code.
    fn obligation(&self, code: &str) -> String {
        let row = OBLIGATIONS.iter().find(|(known, _)| *known == code);
        match row {
            Some((_, words)) => format!("{} ({code})", self.pick(*words)),
            None => code.to_owned(),
        }
    }

    fn purposes(&self, bits: Bits) -> String {
        let named = self.policy.purposes().zip(0_u8..);
        let names: Vec<String> = named
            .filter(|(_, p)| bits.has(*p))
            .map(|(n, _)| n.name(self.lang).to_owned())
            .collect();
        if names.is_empty() {
            return self
                .pick([
                    "決められていない目的",
                    "きまりに ない こと",
                    "no known purpose",
                ])
                .to_owned();
        }
        self.list(&names)
    }

    /// Who wants to see what, for what, when.
    fn question(&self, request: &Request, item: &Item) -> String {
        let who = match &request.who {
            Who::Recipient(code) => self.facility(code),
            Who::Subject => self.pick(["ご本人", "あなた", "the person"]).to_owned(),
            Who::Proxy { .. } => self.pick(["代理の方", "だいりの 人", "a proxy"]).to_owned(),
        };
        let purpose = self.purposes(request.purpose.map_or(Bits::NONE, |p| Bits::one(p.0)));
        let mut what = self.cats(item.cats);
        let undated = ["日付不明", "日が わからない", "no date"];
        let days = match item.clinical {
            Some((a, b)) if a == b => a.to_string(),
            Some((a, b)) => format!("{a}–{b}"),
            None => self.pick(undated).to_owned(),
        };
        let src = Some(item.src.as_str()).filter(|s| !s.is_empty());
        let mut more = vec![days];
        more.extend(src.map(|s| self.facility(s)));
        more.push(self.marks(item.labels));
        what = format!("{what} ({})", self.list(&more));
        let at = moment(request.at);
        self.pick([
            "{who} に、{what} を、「{purpose}」として見せてよいか（{at}）",
            "{who} が、{what} を、「{purpose}」で 見て いいか（{at}）",
            "May {who} see {what}, for {purpose}, at {at}?",
        ])
        .replace("{who}", &who)
        .replace("{what}", &what)
        .replace("{purpose}", &purpose)
        .replace("{at}", &at)
    }

    /// What it means that a rule did not decide.
    fn passed(&self, rule: &str, state: &State<'_>) -> String {
        let (words, n) = match rule {
            "D3" => (
                [
                    "告知の決まりで止められる記録ではありません。",
                    "まだ 話して いない きろくでは ありません。",
                    "It is not held back because the person was not told of it.",
                ],
                0,
            ),
            "D4" => (
                [
                    "ご本人・代理として見られる範囲にはありません。",
                    "だいりの 人が 見て いい ものでは ありません。",
                    "It is not what a proxy may see.",
                ],
                0,
            ),
            "D1" => (
                [
                    "種類のわかっている記録です。",
                    "しゅるいは わかって います。",
                    "Its kind is known.",
                ],
                0,
            ),
            "D2" => (
                [
                    "この目的で、この相手が求めてよい種類です。",
                    "この あいてが たのんで いい ものです。",
                    "This recipient may ask for this kind for this purpose.",
                ],
                0,
            ),
            "D7" => (
                [
                    "「見せない」の申出 {n} 件に、これに当たるものはありません。",
                    "「見せない」と 言った もの（{n}こ）では ありません。",
                    "None of {n} prohibitions covers it.",
                ],
                state.denials.len(),
            ),
            _ => (
                [
                    "同意 {n} 件では、まだ足りません。",
                    "「いい」と 言った もの（{n}こ）では たりません。",
                    "The consents ({n}) do not cover all of it.",
                ],
                state.grants.len(),
            ),
        };
        self.pick(words).replace("{n}", &n.to_string())
    }

    /// One line for each grant: what it says, and how far it came for this item.
    fn grants(&self, state: &State<'_>, request: &Request, item: &Item) -> Vec<String> {
        let all = state.grants.iter().zip(misses(state, request, item));
        all.map(|(grant, miss)| {
            let end = match miss {
                Some(why) => refused(why, false),
                None => ["これに当たります。", "これです。", "It covers this."],
            };
            format!("  {}: {}", self.grant(grant), self.pick(end))
        })
        .collect()
    }

    fn grant(&self, grant: &Grant) -> String {
        let mut parts = vec![
            self.facilities(&grant.aud),
            self.purposes(grant.pur),
            self.cats(grant.cat),
            format!("{}–{}", moment(grant.nbf), moment(grant.exp)),
        ];
        let filled = |words: [&'static str; 3], value: &str| self.pick(words).replace("{}", value);
        if grant.window != (None, None) {
            let (from, to) = grant.window;
            let day = |d: Option<crate::date::Date>| d.map(|d| d.to_string()).unwrap_or_default();
            let words = ["記録の日付 {}", "きろくの 日 {}", "dates of records {}"];
            parts.push(filled(words, &format!("{}–{}", day(from), day(to))));
        }
        if let Some(to) = grant.recorded {
            let words = ["{} までの記録", "{} までに 書いた もの", "recorded by {}"];
            parts.push(filled(words, &moment(to)));
        }
        if let Some(left) = grant.uses_left {
            let words = ["残り {} 回", "あと {} 回", "{} disclosures left"];
            parts.push(filled(words, &left.to_string()));
        }
        let annex = &grant.annex;
        let label = |code: &String| {
            let named = self.policy.label(code).map(Bits::one);
            named.map_or_else(|| code.clone(), |bits| self.labels(bits))
        };
        let mut without: Vec<String> = annex.lbl.iter().map(label).collect();
        without.extend(annex.src.iter().map(|code| self.facility(code)));
        for (list, words) in [
            (&annex.res, ["記録 {} 件", "きろく {} こ", "{} records"]),
            (
                &annex.wid,
                ["受診 {} 件", "びょういんの 日 {} こ", "{} visits"],
            ),
        ] {
            if !list.is_empty() {
                without.push(filled(words, &list.len().to_string()));
            }
        }
        if !without.is_empty() {
            let words = ["外したもの {}", "はずした もの {}", "without {}"];
            parts.push(filled(words, &self.list(&without)));
        }
        format!("{} [{}]", parts.join(" / "), grant.jti)
    }

    /// One line for each prohibition: what it says, and whether it is this one.
    fn denials(&self, state: &State<'_>, request: &Request, item: &Item) -> Vec<String> {
        let all = state.denials.iter().zip(prohibitions(state, request, item));
        all.map(|(denial, holds)| {
            let end = if holds {
                ["これに当たります。", "これです。", "It covers this."]
            } else {
                [
                    "当たりません。",
                    "これでは ありません。",
                    "It does not cover this.",
                ]
            };
            format!("  {}: {}", self.denial(denial), self.pick(end))
        })
        .collect()
    }

    fn denial(&self, denial: &Denial) -> String {
        let until = match denial.exp {
            Some(exp) => moment(exp),
            None => String::new(),
        };
        let emergency = if denial.emg {
            ["救急でも", "きゅうきゅうでも", "in emergencies too"]
        } else {
            [
                "救急を除く",
                "きゅうきゅうの ときは べつ",
                "but for emergencies",
            ]
        };
        let parts = [
            self.facilities(&denial.aud),
            self.purposes(denial.pur),
            self.cats(denial.cat),
            format!("{}–{until}", moment(denial.nbf)),
            self.pick(emergency).to_owned(),
        ];
        format!("{} [{}]", parts.join(" / "), denial.jti)
    }
}

/// Obligations in words.
const OBLIGATIONS: &[(&str, [&str; 3])] = &[
    (
        "DEID",
        [
            "だれのものかわからない形にしてから渡します。",
            "だれのか わからないように してから わたします。",
            "It goes out in a form without names only.",
        ],
    ),
    (
        "NOPERSISTP",
        [
            "相手は、見たあとに保存しません。",
            "あいては、見た あとに のこしません。",
            "The recipient does not keep it after looking.",
        ],
    ),
    (
        "NORDSCLCD",
        [
            "相手は、ご本人の同意なしにほかへ渡しません。",
            "あいては、本人に きかないで ほかに わたしません。",
            "The recipient does not pass it on without the person's consent.",
        ],
    ),
    (
        "NORELINK",
        [
            "相手は、だれのものかを調べません。",
            "あいては、だれのか しらべません。",
            "The recipient does not try to find out whose it is.",
        ],
    ),
    (
        "NOREUSE",
        [
            "相手は、ほかの目的に使いません。",
            "あいては、ほかの ことに つかいません。",
            "The recipient does not use it for anything else.",
        ],
    ),
    (
        "NOTIFY",
        [
            "見たことをご本人に知らせます。",
            "見た ことを 本人に しらせます。",
            "The person is told that it was seen.",
        ],
    ),
    (
        "NO_PATIENT_DISPLAY",
        [
            "まだ告知していないので、患者さんに見せません。",
            "まだ 話して いないので、かんじゃさんに 見せません。",
            "The patient was not told of it yet: it is not shown to the patient.",
        ],
    ),
    (
        "REVIEW",
        [
            "見たことを、ほかの人があとで確かめます。",
            "見た ことを、ほかの 人が あとで しらべます。",
            "Somebody else reviews afterwards that it was seen.",
        ],
    ),
    (
        "TRACE",
        [
            "使われ方の記録が残ります。",
            "どう つかったか、きろくが のこります。",
            "How it is used is recorded.",
        ],
    ),
];

fn spoken(decision: &Decision, own: bool) -> [&'static str; 3] {
    match &decision.basis {
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
        None => refused(decision.why, own),
    }
}

/// Why something is not shown; `own`: to the person or a proxy.
fn refused(why: Why, own: bool) -> [&'static str; 3] {
    match why {
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
            "あなたが外したか、外したものでないと言えないので見えません。",
            "あなたが はずしたか、はずした ものかも しれないので、見えません。",
            "Not shown: you took it out, or nobody can tell that it is not among what you took out.",
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
        Why::NotTold => [
            "告知がすんでいない記録です。",
            "まだ 話して いない きろくです。",
            "Held back: the person was not told of it, or it is not to be given.",
        ],
        Why::Permitted => ["見えます。", "見えます。", "Shown."],
    }
}
