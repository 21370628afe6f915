//! Why a token is refused: one enum, stable names on the wire, one sentence for patients.

/// Language of what a patient reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lang {
    /// 日本語
    Ja,
    /// やさしい日本語
    JaEasy,
    /// English
    En,
}

impl Lang {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ja, Self::JaEasy, Self::En];

    /// `ja`, `ja-easy`, `en`
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::JaEasy => "ja-easy",
            Self::En => "en",
        }
    }

    /// The language of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.name() == name)
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident $wire:literal $step:literal $http:literal $ja:literal $easy:literal $en:literal;)*) => {
        /// Why a token is refused (consent.md §6.1 and §3.0).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Reason { $($(#[$doc])* $variant,)* }

        impl Reason {
            /// Every reason, in the order of the steps.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Name on the wire; never changes.
            pub const fn wire(self) -> &'static str {
                match self { $(Self::$variant => $wire),* }
            }

            /// Step of §6.1 that gives it; reasons of other types stand where their check stands.
            pub const fn step(self) -> u8 {
                match self { $(Self::$variant => $step),* }
            }

            /// HTTP status: 400 form, 401 key or signature, 403 decision, 409 replay, 503 status.
            pub const fn http(self) -> u16 {
                match self { $(Self::$variant => $http),* }
            }

            /// One sentence for the person whose token it is.
            pub fn sentence(self, lang: Lang) -> &'static str {
                match lang {
                    Lang::Ja => match self { $(Self::$variant => concat!("受け付けられませんでした（", $ja, "）。")),* },
                    Lang::JaEasy => match self { $(Self::$variant => concat!("うけつけられませんでした。", $easy, "。")),* },
                    Lang::En => match self { $(Self::$variant => concat!("Not accepted: it ", $en, ".")),* },
                }
            }
        }
    };
}

reasons! {
    /// Longer than tokens of this type may be.
    Size "SIZE" 1 400 "長すぎる" "長すぎます" "is too long";
    /// Not three parts.
    Form "FORM" 1 400 "形が違う" "形がちがいます" "does not have three parts";
    /// A part is not base64url.
    B64 "B64" 2 400 "文字が壊れている" "文字がこわれています" "is damaged";
    /// The header is not JSON.
    HdrJson "HDR_JSON" 3 400 "見出しが読めない" "見出しが読めません" "has an unreadable header";
    /// The header has other members than alg, kid, typ.
    HdrMember "HDR_MEMBER" 3 400 "見出しに余分または不足がある" "見出しがちがいます" "has a header that is not allowed";
    /// Another algorithm than EdDSA.
    Alg "ALG" 4 400 "署名方式が違う" "署名のやり方がちがいます" "uses another signature algorithm";
    /// Another type of token than asked for.
    Typ "TYP" 5 400 "種類が違う" "種類がちがいます" "is of another type";
    /// No key of this signer class has this kid.
    KeyUnknown "KEY_UNKNOWN" 6 401 "鍵が登録されていない" "鍵が登録されていません" "was signed with a key that is not registered";
    /// Received after the key was retired.
    KeyRetired "KEY_RETIRED" 6 401 "使い終えた鍵で署名されている" "もう使わない鍵です" "was signed with a retired key";
    /// Received at or after the key was compromised.
    KeyCompromised "KEY_COMPROMISED" 6 401 "盗まれたおそれのある鍵で署名されている" "ぬすまれたかもしれない鍵です" "was signed with a key that may be stolen";
    /// The key is of small order.
    KeyWeak "KEY_WEAK" 7 401 "鍵が弱い" "鍵が弱いです" "was signed with a weak key";
    /// The signature does not hold.
    Sig "SIG" 8 401 "署名が合わない" "署名が合いません" "has a signature that does not match";
    /// The payload is not JSON of the profile.
    Json "JSON" 9 400 "中身が読めない" "中身が読めません" "has unreadable content";
    /// A name occurs twice in an object.
    JsonDup "JSON_DUP" 9 400 "中身に重複がある" "同じ項目が二つあります" "names one item twice";
    /// A claim that this type does not have.
    ClaimUnknown "CLAIM_UNKNOWN" 10 400 "知らない項目がある" "知らない項目があります" "has an item that is not known";
    /// A claim is of another JSON type.
    ClaimType "CLAIM_TYPE" 10 400 "項目の種類が違う" "項目の種類がちがいます" "has an item of the wrong type";
    /// A claim is missing.
    ClaimMissing "CLAIM_MISSING" 10 400 "項目が足りない" "項目が足りません" "lacks an item";
    /// A claim's value is not allowed.
    ClaimRange "CLAIM_RANGE" 10 400 "項目の値が範囲の外にある" "項目の値がちがいます" "has a value that is not allowed";
    /// An array is not sorted or not unique.
    ClaimOrder "CLAIM_ORDER" 10 400 "項目の並びが違う" "項目の順番がちがいます" "has a list in the wrong order";
    /// Another version than 1.
    Version "VERSION" 11 400 "版が違う" "版がちがいます" "is of another version";
    /// iss is not kid.
    Iss "ISS" 12 401 "署名した人が一致しない" "署名した人がちがいます" "names another signer";
    /// The key is not bound to this person.
    Sub "SUB" 13 403 "この方の鍵ではない" "この人の鍵ではありません" "was not signed by this person";
    /// No proxy binding covers this signature.
    ProxyNone "PROXY_NONE" 13 403 "代理の登録がない" "代わりの人の登録がありません" "was signed by someone who is not registered as a proxy";
    /// The proxy may not sign for this.
    ProxyScope "PROXY_SCOPE" 13 403 "代理できる範囲の外にある" "代わりの人ができないことです" "goes beyond what the proxy may decide";
    /// The represented minor is of age.
    ProxyAgedOut "PROXY_AGED_OUT" 13 403 "ご本人が決める年齢になっている" "本人が決める年になりました" "must now be signed by the person, who is of age";
    /// Not valid yet.
    NotYet "NOT_YET" 14 403 "まだ始まっていない" "まだ始まっていません" "is not valid yet";
    /// Not valid any more.
    Expired "EXPIRED" 14 403 "期限が過ぎている" "期限がすぎました" "has expired";
    /// Valid for longer than allowed.
    TermTooLong "TERM_TOO_LONG" 14 403 "期間が長すぎる" "期間が長すぎます" "lasts longer than allowed";
    /// The nonce was not given out, is used, or is old.
    Nonce "NONCE" 15 409 "画面の有効時間が過ぎている" "画面が古くなりました" "answers a request that is no longer open";
    /// The jti was seen before.
    Replay "REPLAY" 16 409 "同じものが一度使われている" "もう使われています" "was used before";
    /// The policy has no such purpose.
    PurposeUnknown "PURPOSE_UNKNOWN" 17 400 "目的が決められたものでない" "目的がわかりません" "names an unknown purpose";
    /// The policy has no such category.
    CategoryUnknown "CATEGORY_UNKNOWN" 17 400 "情報の種類が決められたものでない" "情報の種類がわかりません" "names an unknown category";
    /// No such recipient.
    AudUnknown "AUD_UNKNOWN" 17 400 "相手の施設が登録されていない" "相手がわかりません" "names an unknown recipient";
    /// Every institution is allowed for emergencies only.
    AudWildcard "AUD_WILDCARD" 17 400 "「すべての医療機関」は救急・災害だけに使える" "「すべての病院」は救急だけです" "names every institution, which is for emergencies only";
    /// An individual category has to stand alone.
    IndividualBundled "INDIVIDUAL_BUNDLED" 17 400 "手術など一つずつ同意する情報が混ざっている" "手術などは一つずつ決めます" "mixes an item that needs its own consent with others";
    /// An opt-out purpose cannot be granted.
    OptoutAsGrant "OPTOUT_AS_GRANT" 17 400 "同意ではなく届出で扱う目的である" "この目的は同意ではありません" "grants a purpose that is decided by objection";
    /// The annex was not sent.
    AnnexMissing "ANNEX_MISSING" 18 400 "除外の一覧が届いていない" "見せないものの表がありません" "came without its list of exclusions";
    /// The annex is not the signed one.
    AnnexHash "ANNEX_HASH" 18 400 "除外の一覧が署名と違う" "見せないものの表がちがいます" "came with another list of exclusions";
    /// No such template, language or master version.
    TextUnknown "TEXT_UNKNOWN" 19 400 "同意文の版が見つからない" "説明の文が見つかりません" "refers to a text that is not known";
    /// The text shown is not what these claims say.
    TextMismatch "TEXT_MISMATCH" 19 400 "表示した文と内容が違う" "見た文と中身がちがいます" "does not match the text that was shown";
    /// Not the status index that was issued.
    StatusIndex "STATUS_INDEX" 20 400 "取消しの番号が違う" "取り消しの番号がちがいます" "has a status number that was not issued";
    /// Revoked.
    Revoked "REVOKED" 21 403 "取り消されている" "取り消されました" "was withdrawn";
    /// No usable status list.
    StatusUnavailable "STATUS_UNAVAILABLE" 21 503 "取消しの有無を確かめられない" "取り消しを調べられません" "cannot be checked for withdrawal now";
    /// The status list is old.
    StatusStale "STATUS_STALE" 21 503 "取消しの情報が古い" "取り消しの情報が古いです" "was checked against an old list of withdrawals";
    /// What it ends is unknown or another person's.
    TargetUnknown "TARGET_UNKNOWN" 16 403 "終わらせる相手の同意が見つからない" "とめる同意が見つかりません" "ends something that is not known";
    /// The seq is not above the last.
    Seq "SEQ" 16 409 "より新しい申し出がある" "もっと新しい申し出があります" "is older than what was already recorded";
    /// The purpose is not opt-out.
    OptinAsObjection "OPTIN_AS_OBJECTION" 16 400 "この目的は同意がなければ使われない" "この目的はことわる必要がありません" "objects to a purpose that needs consent anyway";
    /// Made for another method or address.
    Htu "HTU" 16 401 "別の宛先への要求である" "あて先がちがいます" "was made for another address";
    /// The grant it names is unknown.
    Ath "ATH" 16 403 "示された同意が見つからない" "同意が見つかりません" "names a grant that is not known";
    /// The institution is not a recipient.
    Aud "AUD" 17 403 "この施設あての同意ではない" "この病院への同意ではありません" "does not name this institution";
    /// Goes beyond the parent grant.
    Attenuation "ATTENUATION" 21 403 "元の同意の範囲を超えている" "元の同意より広いです" "goes beyond the grant it stands on";
    /// Not a status list of this address.
    StatusList "STATUS_LIST" 10 503 "取消しの一覧が正しくない" "取り消しの表がちがいます" "is not the list of this address";
}

impl core::fmt::Display for Reason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.wire())
    }
}

/// A refusal: the reason, its step, and the claim it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Name of the claim, where one is to blame; never its value.
    pub claim: Option<&'static str>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            claim: None,
        }
    }
}

impl Reason {
    /// The refusal of one claim.
    pub fn of(self, claim: &'static str) -> Refusal {
        Refusal {
            reason: self,
            claim: Some(claim),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_names_are_unique_and_sentences_differ() {
        let mut names: Vec<_> = Reason::ALL.iter().map(|r| r.wire()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::ALL.len());
        for lang in Lang::ALL {
            let mut texts: Vec<_> = Reason::ALL.iter().map(|r| r.sentence(lang)).collect();
            texts.sort_unstable();
            texts.dedup();
            assert_eq!(texts.len(), Reason::ALL.len(), "{}", lang.name());
            assert_eq!(Lang::from_name(lang.name()), Some(lang));
        }
    }
}
