//! Errors as `application/problem+json` (RFC 9457): a stable code, a sentence, nothing of the request.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use warifu_consent::json::{Value, object};
use warifu_consent::{Lang, MakeError, Reason, Refusal};
use warifu_log::{LogError, OpenError};
use warifu_store::{SealError, StoreError};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $wire:literal $status:literal $ja:literal $en:literal;)*) => {
        /// Why a request was not answered, beside the reasons of `warifu-consent`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
            /// Name on the wire, stable.
            pub const fn wire(self) -> &'static str {
                match self { $(Self::$name => $wire),* }
            }
            const fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }
            const fn sentence(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$name, Lang::En) => $en, (Self::$name, _) => $ja,)*
                }
            }
        }
    };
}

codes! {
    /// The body is not what the route takes.
    Body "BODY" 400 "送られた内容の形が違います。" "The body does not have the form that is expected.";
    /// A parameter is not known, or has no such value.
    Parameter "PARAMETER" 400 "指定が正しくありません。" "A parameter is not known, or its value is not.";
    /// No session, or an old one.
    Session "SESSION" 401 "ログインの時間が終わりました。もう一度はじめてください。" "There is no session, or it has ended. Start again.";
    /// No access request came with it.
    Access "ACCESS" 401 "施設の署名がありません。" "No access request of an institution came with it.";
    /// The institution did not show the certificate that its key is bound to.
    Certificate "CERTIFICATE" 401 "登録した証明書での接続ではありません。" "The connection has not the certificate that the key is bound to.";
    /// The access request is about another body.
    Query "QUERY" 401 "施設の署名が内容と合いません。" "The access request was signed for another body.";
    /// The session proof is for another server.
    Audience "AUDIENCE" 401 "別の宛先への証明です。" "The proof was made for another server.";
    /// Not sent by a page of this server.
    Csrf "CSRF" 403 "このサーバーの画面から送られたものではありません。" "It was not sent by a page of this server.";
    /// The enrolment code does not fit.
    EnrolCode "CODE" 403 "この番号では登録できませんでした。記録は守られています。受付で新しい番号をもらえます。" "The code did not work; your records are safe. Ask the desk for a new one.";
    /// The card did not tell who it is.
    Card "CARD" 403 "このカードでは登録できませんでした。記録は守られています。受付で登録の番号をもらえます。" "This card did not work; your records are safe. Ask the desk for a code.";
    /// The institution may not act for this person.
    Person "PERSON" 403 "この方については扱えません。" "This person cannot be acted for.";
    /// The institution may not send records.
    Sender "SENDER" 403 "この鍵は記録を送れません。サーバーの側で warifu serve register --sends を実行すると送れます。" "This key may not send records. `warifu serve register --sends`, on the side of the server, lets it.";
    /// The institution's key is held.
    Held "HELD" 403 "この鍵は止められています。サーバーの側で warifu serve lift を実行すると解けます。" "This key is held. `warifu serve lift`, on the side of the server, lifts the hold.";
    /// The records have another day of birth.
    Birth "BIRTH_DATE" 409 "生年月日が記録と違います。番号と生年月日を確かめてください。" "The records have another day of birth. Check the number and the day.";
    /// No record has a day of birth to hold it against.
    NoRecord "NO_RECORD" 404 "この番号の方の記録がありません。番号を確かめるか、先に記録を取り込んでください。" "Nobody of this number is on record. Check the number, or take in the records first.";
    /// Not certified for what it signed.
    Certified "CERTIFIED" 403 "この目的で認定された機関として登録されていません。" "It is not registered as a body that is certified for this purpose.";
    /// Leaves of a release that are not those of its manifest.
    Root "ROOT" 400 "葉が、目録の root と n に合いません。" "The leaves are not those of the manifest's `root` and `n`.";
    /// Somebody is in a release whose records may not be used so.
    Members "MEMBERS" 409 "使ってはならない方が入っています。施設が渡した名簿をとりなおし、作りなおしてください。" "Somebody is in it whose records may not be used so. Get the list of members anew from the institution, and make it anew.";
    /// Nothing is there.
    NotFound "NOT_FOUND" 404 "見つかりません。" "There is nothing here.";
    /// The route takes another method.
    Method "METHOD" 405 "この操作は受け付けていません。" "The route takes another method.";
    /// No form that is asked for is made.
    Form "FORM_NOT_MADE" 406 "求められた形式では返せません。" "None of the forms that are asked for is made.";
    /// The body took too long to arrive.
    Timeout "TIMEOUT" 408 "届くまでに時間がかかりすぎました。もう一度送ってください。" "It took too long to arrive. Send it again.";
    /// Not a checkpoint of this log that witnesses signed.
    Cosignature "COSIGNATURE" 400 "立会人の署名がある、このログのチェックポイントではありません。" "Not a checkpoint of this log with a signature of one of its witnesses.";
    /// What was asked for is answered already.
    Answered "ANSWERED" 409 "すでに返事をしています。" "It was answered before.";
    /// A desk cannot do it.
    Desk "DESK" 409 "窓口ではできません。本人の鍵での署名が要ります。" "A desk cannot do this; it takes the person's own signature.";
    /// Larger than is taken.
    TooLarge "TOO_LARGE" 413 "大きすぎます。分けて送ってください。" "It is larger than is taken. Send it in parts.";
    /// Not a type that is taken.
    Media "MEDIA_TYPE" 415 "この種類の内容は受け付けていません。" "This type of content is not taken.";
    /// For a server of another name.
    Host "HOST" 421 "この名前のサーバーではありません。" "This is not the server of that name.";
    /// A resource of another type than the address names.
    Kind "RESOURCE_TYPE" 422 "宛先の種類とリソースの種類が違います。" "The resource is of another type than the address names.";
    /// A profile that no loaded package has.
    Profile "PROFILE" 422 "そのプロファイルは読み込まれていません。GET /packages で確かめられます。" "No loaded package has this profile; GET /packages lists them.";
    /// An institution asked one person for much already.
    Asked "ASKED" 429 "この方へのお願いは、いまはこれ以上出せません。出したお願いの返事を待つか、古いお願いの期限（30日）が過ぎてから出してください。" "No more can be asked of this person now. Wait for answers, or until earlier requests have ended (30 days).";
    /// Many reports of one person wait.
    Reports "REPORTS" 429 "お知らせいただいたことを、窓口がまだ確かめています。お急ぎのときは窓口へ電話してください。" "The desk still looks into what you told. If it is urgent, call the desk.";
    /// Too many from one client.
    Rate "RATE" 429 "続けて送られたものが多すぎます。1 分おいてから試してください。" "Too many requests. Wait a minute, and try again.";
    /// A bug, or a failure of the machine.
    Internal "INTERNAL" 500 "サーバーの中で問題が起きました。" "Something went wrong inside the server.";
    /// More than can be done now.
    Busy "BUSY" 503 "混み合っています。数秒おいてから試してください。" "The server is busy. Wait a few seconds, and try again.";
    /// The store cannot be written.
    Store "STORE" 503 "いま記録できません。何も行われていません。1 分おいてから試し、続くときは窓口に知らせてください。" "Nothing can be recorded now, and nothing was done. Try again in a minute; if it goes on, tell the desk.";
    /// The store was lost while it wrote.
    Unsure "UNSURE" 503 "記録できたかどうか、いまは分かりません。1 分おいてから確かめ、なければもう一度送ってください。" "Whether it was recorded is not known now. Look in a minute, and send it again where it is missing.";
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone, PartialEq)]
struct Parts {
    status: u16,
    code: String,
    /// In Japanese, plain Japanese and English.
    sentences: [&'static str; 3],
    step: Option<u64>,
    claim: Option<&'static str>,
    proof: Option<Value>,
    /// For the log of the server: the cause, without content.
    cause: Option<String>,
}

impl Problem {
    /// With the code a recipient may know, of a refusal by the decision (403), and its proof.
    pub(crate) fn decided(code: &str, proof: Value) -> Self {
        let mut problem = Self::from(Code::Person);
        problem.0.sentences = [
            "この内容は提供できません。",
            "見せることが できません。",
            "This is not available.",
        ];
        if let Some(reason) = Reason::ALL.iter().find(|r| r.wire() == code) {
            problem = Self::from(*reason);
        }
        problem.0.status = 403;
        code.clone_into(&mut problem.0.code);
        problem.0.step = None;
        problem.0.proof = Some(proof);
        problem
    }

    /// An internal error with its cause for the server's own log.
    pub(crate) fn internal(cause: impl Into<String>) -> Self {
        Self::from(Code::Internal).because(cause)
    }

    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Name of the code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The response; [`finish`] adds the request's id.
    fn body(&self, lang: Lang, request: &str) -> Value {
        let parts = &self.0;
        let status = StatusCode::from_u16(parts.status).unwrap_or_default();
        let [ja, easy, en] = parts.sentences;
        let detail = match lang {
            Lang::Ja => ja,
            Lang::JaEasy => easy,
            Lang::En => en,
        };
        let mut body = object([
            ("type", "about:blank".into()),
            ("title", status.canonical_reason().unwrap_or("Error").into()),
            ("status", u64::from(parts.status).into()),
            ("code", parts.code.as_str().into()),
            ("detail", detail.into()),
            ("requestId", request.into()),
        ]);
        if let Value::Object(members) = &mut body {
            members.extend(parts.step.map(|s| ("step".to_owned(), s.into())));
            members.extend(parts.claim.map(|c| ("claim".to_owned(), c.into())));
            members.extend(parts.proof.clone().map(|p| ("proof".to_owned(), p)));
        }
        body
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self(Box::new(Parts {
            status: code.status(),
            code: code.wire().to_owned(),
            sentences: [Lang::Ja, Lang::JaEasy, Lang::En].map(|l| code.sentence(l)),
            step: None,
            claim: None,
            proof: None,
            cause: None,
        }))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let reason = refusal.reason;
        Self(Box::new(Parts {
            status: reason.http(),
            code: reason.wire().to_owned(),
            sentences: [Lang::Ja, Lang::JaEasy, Lang::En].map(|l| reason.sentence(l)),
            step: Some(u64::from(reason.step())),
            claim: refusal.claim,
            proof: None,
            cause: None,
        }))
    }
}

impl From<Reason> for Problem {
    fn from(reason: Reason) -> Self {
        Refusal::from(reason).into()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::Unsure => Code::Unsure,
            _ => Code::Store,
        };
        Self::from(code).because(error.to_string())
    }
}

impl From<LogError<StoreError>> for Problem {
    fn from(error: LogError<StoreError>) -> Self {
        match error {
            LogError::Storage(e) => e.into(),
            e => Self::internal(format!("log: {e}")),
        }
    }
}

impl From<OpenError<StoreError>> for Problem {
    fn from(error: OpenError<StoreError>) -> Self {
        match error {
            OpenError::Storage(e) => e.into(),
            e => Self::internal(format!("log: {e}")),
        }
    }
}

impl From<SealError> for Problem {
    fn from(error: SealError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<MakeError> for Problem {
    fn from(error: MakeError) -> Self {
        match error {
            MakeError::Claims(refusal) => refusal.into(),
            MakeError::Sign(e) => Self::internal(e.to_string()),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.code)?;
        self.0.cause.iter().try_for_each(|c| write!(f, " ({c})"))
    }
}

/// Where a response carries its problem until the request's id and language are known.
#[derive(Debug, Clone)]
struct Carried(Problem);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(Carried(self));
        response
    }
}

/// Writes the body of a problem; gives its code and cause for the log.
pub(crate) fn finish(
    response: &mut Response,
    lang: Lang,
    request: &str,
) -> Option<(String, Option<String>)> {
    let Carried(problem) = response.extensions_mut().remove::<Carried>()?;
    let text = problem.body(lang, request).write();
    *response.body_mut() = text.into();
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.remove(header::CONTENT_LENGTH);
    if problem.0.status == 503 || problem.0.code == Code::Rate.wire() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    Some((problem.0.code, problem.0.cause))
}
