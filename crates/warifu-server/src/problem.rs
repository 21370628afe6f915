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
    /// The policy says other than before under the same number.
    Version "VERSION_CHANGED" 409 "policy.json が、版の番号 (version) をそのままに書き換えられています。示した文と同意はその番号で決まります。元の内容に戻すか、version を上げてください。" "policy.json was changed under the same version, which names what was shown and signed. Put it back, or raise `version`.";
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

/// What a request was larger than.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    /// `max-body`
    Body,
    /// One file in an archive.
    File,
    /// Files of one request.
    Files,
    /// How far an archive unfolds.
    Expansion,
    /// `max-unfolded`, with the answer.
    Unfolded,
    /// Findings and files of one answer.
    Findings,
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
    /// Seconds after which it can be asked again.
    after: Option<u64>,
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

    /// With sentences of its own under the same code: Japanese, plain Japanese, English.
    pub(crate) fn said(mut self, sentences: [&'static str; 3]) -> Self {
        self.0.sentences = sentences;
        self
    }

    /// Larger than one of the bounds, which the sentences name.
    pub(crate) fn too_large(bound: Bound) -> Self {
        Self::from(Code::TooLarge).said(match bound {
            Bound::Body => [
                "本文が上限 (max-body) より大きいです。分けて送ってください。",
                "本文が 上限 (max-body)より 大きいです。分けて 送って ください。",
                "The body is larger than max-body. Send it in parts.",
            ],
            Bound::File => [
                "書庫の中に、64 MiB より大きいファイルがあります。そのファイルを除くか、分けて送ってください。",
                "書庫の 中に、64 MiBより 大きい ファイルが あります。分けて 送って ください。",
                "A file in the archive is larger than 64 MiB. Leave it out, or send it in parts.",
            ],
            Bound::Files => [
                "ファイルが 100,000 個より多いです。分けて送ってください。",
                "ファイルが 100,000より 多いです。分けて 送って ください。",
                "There are more than 100,000 files. Send them in parts.",
            ],
            Bound::Expansion => [
                "書庫が、元の 200 倍か上限 (max-unfolded) より大きく展開されます。分けて送ってください。",
                "書庫を ひらくと、上限 (200 倍、max-unfolded)より 大きく なります。分けて 送って ください。",
                "The archive unfolds to more than 200 times its size, or than max-unfolded. Send it in parts.",
            ],
            Bound::Unfolded => [
                "展開したファイルと答えが、上限 (max-unfolded) より大きいです。分けて送ってください。",
                "ひらいた ファイルと 答えが、上限 (max-unfolded)より 大きいです。分けて 送って ください。",
                "What it unfolds to, with the answer, is larger than max-unfolded. Send it in parts.",
            ],
            Bound::Findings => [
                "答えの指摘とファイルが 200,000 件より多いです。分けて送ってください。",
                "答えが 200,000より 多いです。分けて 送って ください。",
                "The answer has more than 200,000 findings and files. Send it in parts.",
            ],
        })
    }

    /// It can be asked again after so many seconds.
    pub(crate) fn after(mut self, seconds: u64) -> Self {
        self.0.after = Some(seconds.max(1));
        self
    }

    /// What went wrong and what to do, as a sentence.
    pub fn sentence(&self, lang: Lang) -> &'static str {
        let [ja, easy, en] = self.0.sentences;
        match lang {
            Lang::Ja => ja,
            Lang::JaEasy => easy,
            Lang::En => en,
        }
    }

    /// Name of the code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The response; [`finish`] adds the request's id.
    fn body(&self, lang: Lang, request: &str) -> Value {
        let parts = &self.0;
        let status = StatusCode::from_u16(parts.status).unwrap_or_default();
        let detail = self.sentence(lang);
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

impl Problem {
    /// The same as FHIR says it (`OperationOutcome`).
    fn outcome(&self, lang: Lang, request: &str) -> Value {
        let kind = match self.0.status {
            400 | 422 => "invalid",
            404 => "not-found",
            405 | 406 | 415 => "not-supported",
            408 => "timeout",
            413 => "too-long",
            429 => "throttled",
            500 => "exception",
            503 => "transient",
            _ => "processing",
        };
        let coding = object([("code", self.0.code.as_str().into())]);
        let details = object([
            ("coding", Value::Array(vec![coding])),
            ("text", self.sentence(lang).into()),
        ]);
        let issue = object([
            ("severity", "error".into()),
            ("code", kind.into()),
            ("details", details),
            ("diagnostics", format!("X-Request-Id {request}").into()),
        ]);
        object([
            ("resourceType", "OperationOutcome".into()),
            ("issue", Value::Array(vec![issue])),
        ])
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
            after: None,
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
            after: None,
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

impl From<std::convert::Infallible> for Problem {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
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

/// Writes the body of a problem, as FHIR does on routes of FHIR; gives its code and cause for the log.
pub(crate) fn finish(
    response: &mut Response,
    lang: Lang,
    request: &str,
    fhir: bool,
) -> Option<(String, Option<String>)> {
    let Carried(problem) = response.extensions_mut().remove::<Carried>()?;
    let (kind, value) = if fhir {
        ("application/fhir+json", problem.outcome(lang, request))
    } else {
        ("application/problem+json", problem.body(lang, request))
    };
    *response.body_mut() = value.write().into();
    let headers = response.headers_mut();
    let json = HeaderValue::from_static(kind);
    headers.insert(header::CONTENT_TYPE, json);
    headers.remove(header::CONTENT_LENGTH);
    // As the sentence says: a bucket is full again within a minute.
    let after = match problem.0.after {
        None if problem.0.code == Code::Rate.wire() => Some(60),
        None if problem.0.status == 503 => Some(5),
        after => after,
    };
    if let Some(after) = after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(after));
    }
    Some((problem.0.code, problem.0.cause))
}
