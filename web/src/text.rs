//! Every text of the portal, one row each: 日本語, やさしい日本語, English.
//!
//! `{x}` is a slot. Texts that are signed are not here: they are the templates of `warifu-consent`,
//! hashed as shown. Readings (furigana) are laid over by `ruby`, so no row holds any.
//!
//! Rules, each tested below: three languages and the same slots in each; none of the words of
//! ux-portal §5; nothing is the reader's fault (P8); easy sentences of at most 30 characters, with
//! a reading for every kanji.

/// Language of the screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// 日本語
    Ja,
    /// やさしい日本語
    Easy,
    /// English
    En,
}

impl Lang {
    /// All, in the order of the switch.
    pub const ALL: [Self; 3] = [Self::Ja, Self::Easy, Self::En];

    /// Name in stored settings and in tokens.
    pub const fn name(self) -> &'static str {
        self.signed().name()
    }

    /// The language of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.name() == name)
    }

    /// `lang` of the document: やさしい日本語 is Japanese.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ja | Self::Easy => "ja",
            Self::En => "en",
        }
    }

    /// The same language for texts that are signed.
    pub const fn signed(self) -> warifu_consent::Lang {
        match self {
            Self::Ja => warifu_consent::Lang::Ja,
            Self::Easy => warifu_consent::Lang::JaEasy,
            Self::En => warifu_consent::Lang::En,
        }
    }
}

/// One text in three languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// 日本語
    pub ja: &'static str,
    /// やさしい日本語
    pub easy: &'static str,
    /// English
    pub en: &'static str,
}

impl Text {
    /// The text in a language.
    pub const fn of(self, lang: Lang) -> &'static str {
        match lang {
            Lang::Ja => self.ja,
            Lang::Easy => self.easy,
            Lang::En => self.en,
        }
    }
}

macro_rules! texts {
    ($($name:ident = $ja:literal, $easy:literal, $en:literal;)+) => {
        $(
            #[doc = $ja]
            pub const $name: Text = Text { ja: $ja, easy: $easy, en: $en };
        )+
        /// Every text with its name, for the tests.
        pub const ALL: &[(&str, Text)] = &[$((stringify!($name), $name)),+];
    };
}

texts! {
    // ── every screen ────────────────────────────────────────────────────────────────────────────
    BRAND = "割符", "わりふ", "Warifu";
    TITLE = "{page}｜割符", "{page}｜わりふ", "{page} | Warifu";
    SKIP = "本文へ進む", "本文へ", "Skip to content";
    NAV = "画面の一覧", "がめん", "Screens";
    NAV_HOME = "ホーム", "はじめ", "Home";
    NAV_RECORDS = "記録", "きろく", "Records";
    NAV_HISTORY = "見た人", "見た 人", "Who looked";
    NAV_CONSENTS = "同意", "見せる", "Consents";
    NAV_MENU = "メニュー", "ほか", "Menu";
    LARGER = "文字を大きく", "字を 大きく", "Larger text";
    NORMAL_SIZE = "文字を標準に", "字を もとに", "Standard text";
    LANGUAGE = "ことば", "ことば", "Language";
    IN_JA = "日本語", "日本語", "日本語";
    IN_EASY = "やさしい", "やさしい", "やさしい";
    IN_EN = "English", "English", "English";
    HELP_DESK = "困ったときは、受付でたずねてください", "こまったら、受付で きいて ください", "For help, ask the desk";
    OFFLINE_NONE = "{when}からインターネットにつながっていません。", "{when}から インターネットが ありません。", "You are offline since {when}.";
    SERVER = "返事がありません。{when}に自動で試します。", "へんじが ありません。{when}に もう 一度 します。", "No answer. We try again at {when}.";
    SERVER_NOT_DONE = "混み合っていて、何も記録されていません。{when}に自動で試します。", "まだ なにも かわって いません。{when}に もう 一度 します。", "The server is busy; nothing was recorded. We try again at {when}.";
    SERVER_UNSURE = "返事がなく、届いたかどうかわかりません。{when}に自動で確かめます。", "へんじが ありません。{when}に もう 一度 見ます。", "No answer: we do not know whether it arrived. We look again at {when}.";
    OFFLINE_KEPT = "インターネットにつながっていません。{when}の内容です。", "インターネットが ありません。{when}の ものです。", "You are offline. This is as of {when}.";
    OFFLINE_NEEDS = "インターネットにつながると、この画面を見られます", "インターネットが あると 見られます", "You can see this screen when you are online";
    OFFLINE_THERE = "同意とその控えは、この端末に残してあれば、つながらなくても見られます。", "見せる やくそくは 見られます。", "Consents and their receipts that were kept on this device can be read offline.";
    OFFLINE_RECORDS = "記録は、この端末に残していません。インターネットにつながると見られます。", "きろくは ここに ありません。インターネットが あると 見られます。", "Your records are not kept on this device. You can see them when you are online.";
    OFFLINE_END = "やめるときは、インターネットにつなぐか、受付に知らせてください：{contact}", "やめる ときは 受付に いって ください：{contact}", "To withdraw, go online or tell the desk: {contact}";
    ANYWHERE = "すべての医療機関（救急・災害のときだけ）", "ぜんぶの びょういん（きゅうきゅうなど）", "every medical institution (in emergencies and disasters only)";
    KEEP_SO = "いまのままにする", "いまの ままに する", "Leave it as it is";
    SIGN_WISH = "署名する", "サインする", "Sign";
    SIGN_NOT = "署名しない", "サインしない", "Do not sign";
    WISH_NUMBER = "あなたの記録の{n}番に残りました。", "{n}番に のこりました。", "It is number {n} in your log.";
    NOT_SHOWN = "いま、この画面を出せません", "いま この がめんを 出せません", "This screen cannot be shown now";
    NOT_SHOWN_GO = "もう一度読みこむ", "もう 一度 よむ", "Load again";
    STAY = "操作がないと、安全のため{when}に閉じます。", "{when}に とじます。", "For safety this closes at {when} unless you go on.";
    STAY_GO = "続ける", "つづける", "Go on";
    CLOSED = "安全のため{when}に閉じました", "{when}に とじました", "Closed for safety at {when}";
    CLOSED_KEPT = "選んだ内容は残っています。", "えらんだ ものは のこって います。", "Your choices are kept.";
    LOADING = "読みこんでいます", "よんで います", "Loading";
    LEAVE = "やめる（何も送りません）", "やめる（なにも おくりません）", "Leave (nothing is sent)";
    BACK = "もどる", "もどる", "Back";
    NEXT = "つぎへ", "つぎへ", "Next";
    STEP = "{n}／{of}", "{n}／{of}", "Step {n} of {of}";
    NOT_FOUND = "この画面はありません", "この がめんは ありません", "There is no such screen";
    TO_HOME = "ホームへ", "はじめへ", "Go to home";
    ERRORS = "続ける前に", "つづける まえに", "Before you go on";
    NEW_VERSION = "新しい版があります。", "新しい ものが あります。", "There is a new version.";
    RELOAD = "新しい版にする", "新しく する", "Use the new version";

    // ── S1 start ────────────────────────────────────────────────────────────────────────────────
    START = "あなたの医療の記録を、だれに見せるか、あなたが決めます", "びょういんの きろくを だれに 見せるか、あなたが きめます", "You decide who sees your health records";
    START_CARE = "見せなくても、診察や薬は変わりません。", "見せなくても、びょういんで 見て もらえます。", "Your care is the same if you say no.";
    START_SEE = "自分の記録と、だれがいつ見たかを、ここで確かめられます。", "じぶんの きろくと、見た 人が わかります。", "Here you see your own records, and who looked at them and when.";
    START_GO = "はじめる", "はじめる", "Start";
    START_AGAIN = "前に使ったことがある", "まえに つかった ことが ある", "I used this before";

    // ── S2 key ──────────────────────────────────────────────────────────────────────────────────
    KEY = "この端末に、あなたの「鍵」を作ります", "この 機械に「かぎ」を 作ります", "Make your key on this device";
    KEY_WHAT = "鍵は署名の代わりで、端末の外に出ません。病院も役所も、あなたの代わりに同意できません。", "かぎは サインの かわりです。ほかの 人は つかえません。", "It signs for you and stays here. Nobody can agree in your place.";
    KEY_LOST = "なくしても、記録も同意も残ります。受付で本人とわかれば、作り直せます。", "なくしても だいじょうぶです。受付で また 作れます。", "If you lose it, the desk can confirm who you are, and you make another.";
    KEY_MAKE = "鍵を作る", "かぎを 作る", "Make the key";
    KEY_MAKING = "鍵を作っています", "かぎを 作って います", "Making the key";
    KEY_MADE_NEXT = "次に、受付でもらった番号を入れます。", "つぎに、受付の 番号を 入れます。", "Next, enter the code from the desk.";
    KEY_THERE = "この端末には、もうあなたの鍵があります", "この 機械に かぎが あります", "Your key is already on this device";
    KEY_FALLBACK = "この端末では合言葉で鍵を守ります（12文字以上）。", "あいことばを きめます。12文字か もっと 長く します。", "A passphrase (12+ characters) protects the key here.";
    KEY_PASS = "合言葉", "あいことば", "Passphrase";
    KEY_PASS_HINT = "12文字以上。どんな文字でも使えます。貼り付けもできます。", "12文字か もっと 長く します。", "12 characters or more, of any kind. You may paste it.";
    KEY_PASS_SHOW = "合言葉を表示する", "あいことばを 見る", "Show the passphrase";
    KEY_PASS_SHORT = "合言葉は、あと{n}文字あると使えます", "あと {n}文字 入れて ください", "{n} more characters and the passphrase can be used";
    KEY_PASS_ASK = "署名するために、合言葉を入れてください", "サインする ために、あいことばを 入れます", "Enter your passphrase to sign";
    KEY_PASS_AGAIN = "返事がありませんでした。合言葉を入れて、もう一度押してください", "へんじが ありません。あいことばを 入れて、もう 一度 おして ください", "There was no answer. Enter your passphrase and press again";
    KEY_PASS_OTHER = "この合言葉では鍵を開けられませんでした", "この あいことばでは あきません", "This passphrase does not open the key";
    KEY_GONE = "この画面を閉じると鍵は消えます。", "とじると かぎは きえます。", "The key is gone when you close this page.";
    KEY_GONE_WHY = "このブラウザーでは、鍵を残せません。ふつうの画面で開くと残せます。", "ふつうの がめんで ひらいて ください。", "This window keeps nothing. Open this page in a normal window to keep the key.";
    KEY_UNREAD = "この端末の鍵を読めませんでした。鍵は消えていません。画面を閉じて、もう一度開いてください。", "かぎが よめません。がめんを とじて、もう 一度 ひらいて ください。", "The key of this device could not be read. It is not gone; close this page and open it again.";
    KEY_FAILED = "この端末では鍵を作れませんでした。受付で手続きできます。", "かぎが できません。受付で できます。", "The key could not be made on this device. The desk can help.";

    KEY_THERE_LINK = "この端末の鍵", "この 機械の かぎ", "The key of this device";

    // ── S3 enrol ────────────────────────────────────────────────────────────────────────────────
    ENROL = "受付でもらった番号を入れてください", "受付の 番号を 入れて ください", "Enter the code from the desk";
    ENROL_CODE = "番号", "番号", "Code";
    ENROL_CODE_HINT = "16けたの数字です。すきまがあっても、全角でもかまいません。", "数字が 16こ あります。", "16 digits. Spaces do not matter.";
    ENROL_BIRTH = "生年月日", "生まれた 日", "Date of birth";
    ENROL_BIRTH_HINT = "例：昭和35年5月7日、1960年5月7日、19600507", "れい：19600507", "For 7 May 1960 enter 19600507 or 1960-05-07";
    ENROL_GO = "登録する", "とうろくする", "Register";
    ENROL_BUSY = "登録しています", "とうろくして います", "Registering";
    ENROL_CODE_LEFT = "番号は16けたです。いまは{n}けたです", "番号は 16こです。いま {n}こです", "The code has 16 digits; there are {n}";
    ENROL_BIRTH_LEFT = "生年月日は、昭和35年5月7日や 19600507 のように入れます", "生まれた 日を 数字 8こで 入れます", "Enter the date of birth like 19600507 or 1960-05-07";
    ENROL_NO = "この番号では登録できませんでした。記録は守られています。番号と生年月日を確かめて、もう一度試せます（一つの番号は5回まで）。だめなら、受付で新しい番号をもらえます。", "この 番号では できませんでした。もう 一度 入れて ください。5回まで できます。だめなら 受付で 新しい 番号を もらいます。", "The code did not work; your records are safe. Check the code and your date of birth and try again (a code can be tried 5 times); else ask the desk for a new code.";
    ENROL_DONE = "登録できました", "とうろく できました", "You are registered";
    ENROL_KEYS = "あなたの鍵は{n}個です", "あなたの かぎは {n}こです", "You have {n} keys";
    ENROL_KEY_ROW = "{when}に登録", "{when}に とうろく", "registered {when}";
    ENROL_KEY_THIS = "この端末の鍵", "この 機械の かぎ", "the key of this device";
    ENROL_KEY_STOPPED = "{when}に止めました", "{when}に 止めました", "stopped {when}";
    ENROL_KEY_OTHER = "おぼえのない鍵があるときは、受付に知らせてください。", "しらない かぎは 受付に いって ください。", "If you do not know one of them, tell the desk.";
    ENROL_FIRST = "先に鍵を作ります", "さきに かぎを 作ります", "Make a key first";

    // ── session ─────────────────────────────────────────────────────────────────────────────────
    PROVE = "あなただと確かめます", "あなたかどうか、たしかめます", "Confirm it is you";
    PROVE_GO = "確かめる", "たしかめる", "Confirm";
    PROVE_REFUSED = "この鍵は、まだ登録されていないか、止められています。受付でもらった番号で登録できます。", "この かぎは つかえません。受付の 番号を 入れて ください。", "This key is not registered, or was stopped. Register it with a code from the desk.";
    PROVE_NO_STAY = "このブラウザーが接続を覚えない設定（クッキーなし）なので、進めません。設定を変えると使えます。", "この がめんでは つかえません。受付で きいて ください。", "This browser keeps no cookies, so you cannot go on. Allow them for this page.";
    PROVE_ENROL = "番号を入れる", "番号を 入れる", "Enter a code";

    // ── S4 home ─────────────────────────────────────────────────────────────────────────────────
    HOME = "いま見られるところ：{n}か所", "いま 見る ところ：{n}こ", "Who can see your records now: {n}";
    HOME_NONE = "いま、記録を見られるところはありません。", "いま、見る ところは ありません。", "Nobody can see your records now.";
    HOME_WAITING = "返事を待っているお願い（{n}）", "おねがい（{n}）", "Requests waiting ({n})";
    HOME_WAITING_NONE = "待っているお願いはありません。", "おねがいは ありません。", "No requests waiting.";
    HOME_FOR = "{purpose}のため", "{purpose}", "for {purpose}";
    HOME_ASKED = "{when}に届きました", "{when}に きました", "Asked {when}";
    HOME_WANTS = "見たいもの：{categories}", "見たい もの：{categories}", "Wants to see: {categories}";
    HOME_AGAIN = "同じお願いが{n}件あります", "おなじ おねがいが {n}こ あります", "asked {n} times";
    PURPOSE_TREAT = "診察や治療", "びょういんで 見て もらう ため", "care and treatment";
    HOME_ALSO = "別に決めるもの：{categories}", "べつに きめる：{categories}", "Decided apart: {categories}";
    HOME_REFUSE_ALL = "この相手のお願いは、どれも見せない", "この あいてには 見せない", "Refuse everything they ask";
    REFUSED_ALL = "この相手のお願いを、全部「見せない」と記録しました", "ぜんぶ 見せません", "Recorded: none of their requests is granted";
    HOME_SHOWN = "見せている相手", "見せて いる あいて", "Who you show them to";
    HOME_UNPROVED = "この端末で確かめられない同意が{n}件あります。受付に知らせてください。", "たしかめられない ものが {n}こ あります。受付に いって ください。", "{n} consents could not be confirmed on this device. Please tell the desk.";

    // ── S5 wizard ───────────────────────────────────────────────────────────────────────────────
    ASK_OVER = "このお願いは、もう終わっています", "この おねがいは おわりました", "This request is over";
    WHO = "{institution}が、あなたの記録を見たいと言っています", "{institution}が あなたの きろくを 見たい です", "{institution} asks to see your records";
    KIND_MEDICAL = "病院・診療所", "びょういん", "Hospital or clinic";
    KIND_DENTAL = "歯科", "はの びょういん", "Dentist";
    KIND_PHARMACY = "薬局", "くすりの みせ", "Pharmacy";
    KIND_CARE = "介護の事業所", "かいごの ところ", "Nursing care";
    KIND_STUDY = "研究をするところ", "けんきゅうの ところ", "Research";
    WHO_INDIVIDUAL = "{category}の記録も見せますか", "{category}も 見せますか", "Show records of {category} too?";
    WHO_INDIVIDUAL_NOTE = "{category}は別に決めます。ほかの同意には入りません。", "{category}は べつに きめます。", "{category} is decided apart. It is in no other consent.";
    WHO_PURPOSE = "目的は「{purpose}」です。", "わけは「{purpose}」です。", "The purpose is {purpose}.";
    WHO_CARE = "見せなくても、診察や薬は変わりません。", "見せなくても、びょういんで 見て もらえます。", "Your care is the same if you say no.";
    WHO_LOOK = "内容を見る", "なかみを 見る", "See details";
    SHOW = "見せる", "見せる", "Show";
    SHOW_NOT = "見せない", "見せない", "Do not show";
    REFUSED = "「見せない」と記録しました。このお願いでは何も見せません", "「見せない」と きろくしました。なにも 見せません", "Recorded: do not show. This request opens nothing";
    WHY = "目的は「{purpose}」です。見せますか", "わけは「{purpose}」です。いいですか", "The purpose is {purpose}. Go on?";
    WHY_GO = "この目的なら続ける", "いいです", "Go on for this";
    WHAT = "どの記録を見せますか", "どの きろくを 見せますか", "Which records?";
    WHAT_ALL = "全部えらぶ", "ぜんぶ えらぶ", "Choose all";
    WHAT_ASKED = "お願いあり", "おねがい あり", "asked for";
    WHAT_OPTIONAL = "なくてもよい", "なくても いい", "optional";
    WHAT_SEEN = "{institution}に見えるもの（{n}件）", "{institution}に 見える もの（{n}）", "What {institution} would see ({n})";
    HIDE = "これは見せない", "これは 見せない", "Hide this";
    HIDE_NOT = "やはり見せる", "やっぱり 見せる", "Show it after all";
    HIDE_NAMED = "{action}：{name}", "{action}：{name}", "{action}: {name}";
    HIDE_NOTE = "一件ずつ「これは見せない」をえらべます（隠したことは相手にわかりません）。", "一つずつ かくせます（あいてに わかりません）。", "You can hide single records (they cannot tell).";
    HIDE_BY_YOU = "あなたが隠しました", "あなたが かくしました", "hidden by you";
    HIDE_BEFORE = "ほかの同意で、もう見えています", "もう 見えて います", "shown already by another consent";
    WHY_ALSO = "「{categories}」でもある（かもしれない）ので、見せません", "「{categories}」かも しれません", "hidden: it is, or may be, {categories} too";
    WHY_UNKNOWN = "種類がまだわからない記録なので、見せません", "まだ わからない ものは 見せません", "hidden: its kind is not known yet";
    WHY_LABEL = "あなたが隠した内容か、内容がわからない記録なので、見せません", "かくした なかみか、わからない ものです", "hidden: about a subject that you hide, or its subject is not known";
    WHY_DATES = "お願いにある期間の外か、日付がわからない記録なので、見せません", "たのまれた 日では ありません", "hidden: not of the time that is asked for, or without a date";
    WHY_RULES = "きまりで、この相手には見せられない記録です", "きまりで 見せません", "hidden by the rules for this recipient";
    WHAT_KEPT = "えらんだ種類の記録でも、{n}件は見せません。わけは「見えないもの」に一件ずつあります。", "えらんでも {n}こは 見せません。わけは 下に あります。", "{n} records of what you chose stay hidden; each says why below.";
    HIDE_MORE = "病院や内容でまとめて隠す（{n}）", "まとめて かくす（{n}）", "Hide by hospital or by subject ({n})";
    HIDE_FACILITIES = "この病院の記録は見せない", "この 病院の ものは 見せない", "Hide the records of this hospital";
    HIDE_LABELS = "この内容の記録は見せない", "この なかみは 見せない", "Hide records about this";
    HIDE_LABELS_NOTE = "内容がわからない記録も、いっしょに隠れます。", "わからない ものも かくれます。", "Records whose subject is not known are hidden too.";
    WHAT_BEFORE = "このうち{n}件は、いま続いているほかの同意で、もう見えています。見せたくないときは、その同意をやめてください。", "{n}こは もう 見えて います。やめる ことも できます。", "{n} of these are shown already by another consent that goes on. To hide them, withdraw that one.";
    WHAT_HIDDEN = "見えないもの（{n}件）", "見えない もの（{n}）", "What stays hidden ({n})";
    WHAT_APART = "手術・移植歴・ゲノムは、別に決めます。", "しゅじゅつなどは べつに きめます。", "Surgery, transplants and genome are decided apart.";
    WHAT_LATER = "期限までに増える記録も見えます。", "あとで ふえた きろくも 見えます。", "Records added until the end date are included.";
    WHAT_ALWAYS = "医師がまだ説明していない記録は、ここに出ません。医師どうしでは見ることがあります。", "いしゃが まだ 話して いない ものは 出ません。いしゃは 見る ことが あります。", "Records not yet explained to you are not listed here; doctors may see them.";
    AHEAD_UNREAD = "だれに何が見えるかを、いまここで確かめられません。署名には進めません。受付に知らせてください。", "なにが 見えるか わかりません。サインは できません。受付に いって ください。", "What would be seen cannot be said here now, so nothing is signed. Please tell the desk.";
    WHAT_LEFT = "見せる記録を、一つ以上えらぶと進めます", "一つ えらんで ください", "Choose at least one kind of record to go on";
    UNTIL = "いつまで見せますか", "いつまで 見せますか", "Until when?";
    UNTIL_DAY = "24時間（{when}まで）", "24じかん（{when}まで）", "24 hours (until {when})";
    UNTIL_QUARTER = "90日（{when}まで）", "90にち（{when}まで）", "90 days (until {when})";
    UNTIL_YEAR = "1年（{when}まで）", "1ねん（{when}まで）", "1 year (until {when})";
    UNTIL_PICK = "日を選ぶ", "日を えらぶ", "Pick a date";
    UNTIL_DATE = "最後の日", "さいごの 日", "Last day";
    UNTIL_DATE_HINT = "この日の終わりまで見せます。", "この 日の おわりまで 見せます。", "Shown until the end of this day.";
    UNTIL_LEFT = "期限を一つえらぶと進めます", "一つ えらんで ください", "Choose an end to go on";
    UNTIL_PICK_LEFT = "これからの日で、{n}日以内の日を入れると進めます", "これから {n}日までの 日を 入れて ください", "Enter a day to come, within {n} days";
    SIGN = "読んで、署名します", "よんで サインします", "Read and sign";
    SIGN_GO = "署名して見せる", "サインして 見せる", "Sign and show";
    SIGNING = "署名しています", "サインして います", "Signing";
    DONE = "同意を記録しました（{n}番）", "きろくしました（{n}番）", "Consent recorded (no. {n})";
    DONE_RECEIPT = "控えを見る", "ひかえを 見る", "See receipt";
    DONE_NEXT = "一緒に届いたお願いがあります。", "もう 一つ おねがいが あります。", "There is another request with it.";

    // ── S6 own records ──────────────────────────────────────────────────────────────────────────
    RECORDS = "わたしの記録", "わたしの きろく", "My records";
    RECORDS_OWN = "同意に関係なく、自分の記録はいつでも見られます。", "いつでも 見られます。", "You can always see your own records.";
    RECORDS_SURGERY = "手術：ほかの人に見えるのは、別に同意したときと救急のときだけです。", "しゅじゅつ：サインした ときなどだけ、ほかの 人が 見ます。", "Surgery: others see it only with separate consent or in an emergency.";
    RECORDS_NONE = "まだ記録がありません。病院が送ると出ます。", "まだ ありません。", "No records yet. They appear when a hospital sends them.";
    RECORDS_UNREAD = "いま、ここに記録を出せません。記録はなくなっていません。受付に知らせてください。", "いま 出せません。きろくは あります。受付に いって ください。", "The records cannot be shown here now. They are not lost; please tell the desk.";
    RECORDS_KIND = "種類で見る", "しゅるいで 見る", "By kind";
    RECORDS_DATE = "時間で見る", "日で 見る", "By date";
    RECORDS_NO_DATE = "日付のない記録", "日が ない きろく", "Records without a date";
    RECORDS_KINDS = "種類", "しゅるい", "Kinds";
    RECORDS_COUNT = "{n}件", "{n}こ", "{n}";
    RECORDS_BACK = "記録の一覧へ", "きろくへ もどる", "All my records";
    RECORDS_BACK_TO = "「{category}」へ", "「{category}」へ", "Back to {category}";
    RECORDS_NOT_FOUND = "この記録は、いまありません", "この きろくは ありません", "This record is not here now";
    RECORDS_GUESSED = "手術かどうか、病院の番号からはわからないもの（レントゲンや内視鏡など）も、ここに入れています。手術と同じように、別に同意したときだけ見せます。", "しゅじゅつか わからない ものも ここです。しゅじゅつと おなじように まもります。", "What the hospital's codes do not tell from surgery (X-rays or endoscopies, say) stands here too. It is protected as surgery is: shown only with separate consent.";
    RECORDS_GUESSED_ONE = "手術かどうか、病院の番号からはわかりません。見せるかどうかは、手術と同じように別に決めます。", "しゅじゅつか わかりません。しゅじゅつと おなじように まもります。", "The hospital's code does not tell whether this is surgery. Showing it is decided apart, as for surgery.";
    RECORDS_UNSORTED = "種類がわからない記録", "まだ わからない もの", "Kind not known";
    RECORD_SEVERAL = "どの種類か、病院の番号からは決まりません。下の「分類」を全部えらんだときだけ、ほかの人に見せます。", "なにか わかりません。下の しゅるいを ぜんぶ えらぶと、見せます。", "The hospital's code does not tell its kind. It is shown to others only with a consent to all categories below.";
    RECORD_PARTS = "この報告に入っている記録", "この なかの きろく", "Records in this report";
    RECORD_CATEGORIES = "分類", "しゅるい", "Category";
    RECORD_FROM = "記録した病院", "きろくした 病院", "Recorded by";
    KIND_ALLERGY = "アレルギー", "からだに あわない もの", "Allergy";
    KIND_CONDITION = "病名", "びょうき", "Diagnosis";
    KIND_COVERAGE = "保険", "ほけん", "Insurance";
    KIND_DISPENSED = "薬の受け取り", "くすりを もらった", "Medicine handed over";
    KIND_DOCUMENT = "文書", "文", "Document";
    KIND_FAMILY = "家族の病気", "かぞくの びょうき", "Family history";
    KIND_GIVEN = "病院で使った薬", "病院で つかった くすり", "Medicine given";
    KIND_IMAGE = "画像の検査", "しゃしんの けんさ", "Imaging";
    KIND_MEAL = "食事の指示", "しょくじの きまり", "Meals";
    KIND_ORDER = "検査などの依頼", "けんさの おねがい", "Order";
    KIND_OTHER = "そのほかの記録", "ほかの きろく", "Other record";
    KIND_PRESCRIBED = "薬の処方", "くすりの きまり", "Prescription";
    KIND_PROCEDURE = "手術・処置・撮影", "しゅじゅつ など", "Procedure";
    KIND_REPORT = "検査の報告", "けんさの ほうこく", "Test report";
    KIND_RESULT = "結果", "けっか", "Result";
    KIND_TAKEN = "使っている薬", "つかって いる くすり", "Medicine taken";
    KIND_VACCINE = "予防接種", "よぼうの ちゅうしゃ", "Vaccination";
    KIND_VISIT = "受診・入院", "病院に いった とき", "Visit";
    FACT_AMOUNT = "量", "りょう", "Amount";
    FACT_BEGAN = "始まり", "はじまり", "Began";
    FACT_CERTAIN = "確かさ", "たしかさ", "Certainty";
    FACT_CLASS = "外来・入院", "いきかた", "Kind of visit";
    FACT_DAYS = "日数", "なん日", "Days";
    FACT_DEPARTMENT = "診療科", "みた ところ", "Department";
    FACT_DOCTOR = "担当", "みた 人", "By";
    FACT_DONE = "内容", "なかみ", "What";
    FACT_DONE_ON = "行った日", "した 日", "Done on";
    FACT_DOSE = "使い方", "つかいかた", "How to take it";
    FACT_ENDED = "終わり", "おわり", "Ended";
    FACT_FOUND = "わかったこと", "わかった こと", "Finding";
    FACT_ILLNESS = "病名", "びょうき", "Illness";
    FACT_JUDGED = "判定", "はんてい", "Judgement";
    FACT_LOT = "製造番号", "つくった 番号", "Lot number";
    FACT_MEDICINE = "薬の中身", "くすりの なかみ", "Contents";
    FACT_NORMAL = "基準の範囲", "ふつうの はんい", "Normal range";
    FACT_NOTE = "メモ", "かいて ある こと", "Note";
    FACT_PLACE = "体の場所", "からだの ところ", "Part of the body";
    FACT_RELATION = "続柄", "だれの こと", "Relation";
    FACT_RESULT = "結果", "けっか", "Result";
    FACT_SPECIMEN = "調べたもの", "しらべた もの", "Specimen";
    FACT_STATE = "状態", "いま", "State";
    FACT_SYMPTOM = "症状", "おきた こと", "Symptoms";
    FACT_TEXT = "本文", "文", "Text";
    FACT_WARD = "場所", "ところ", "Place";
    FACT_WHY = "理由", "わけ", "Reason";
    FACT_WRITTEN = "書いた日", "書いた 日", "Written on";
    JUDGED_ABNORMAL = "基準の外", "ふつうと ちがう", "abnormal";
    JUDGED_BETWEEN = "薬の効き方は中くらい", "くすりは ふつう", "intermediate";
    JUDGED_RESISTANT = "薬が効きません", "くすりが ききません", "resistant";
    JUDGED_SUSCEPTIBLE = "薬が効きます", "くすりが ききます", "susceptible";
    JUDGED_HIGH = "高い", "たかい", "high";
    JUDGED_LOW = "低い", "ひくい", "low";
    JUDGED_NEGATIVE = "陰性", "いんせい", "negative";
    JUDGED_NORMAL = "基準の範囲", "ふつう", "normal";
    JUDGED_POSITIVE = "陽性", "ようせい", "positive";
    JUDGED_VERY_HIGH = "とても高い", "とても たかい", "very high";
    JUDGED_VERY_LOW = "とても低い", "とても ひくい", "very low";
    ABSENT_ERROR = "はかれませんでした", "はかれませんでした", "could not be measured";
    ABSENT_LATER = "結果はまだありません", "けっかは まだ です", "no result yet";
    ABSENT_MASKED = "ここには出ません", "ここには でません", "left out here";
    ABSENT_NOT_DONE = "検査は行われませんでした", "しらべませんでした", "not done";
    ABSENT_TEXT = "文章で書かれています", "ぶんしょうで かいて あります", "told as a text";
    ABSENT_UNKNOWN = "結果の記録がありません", "けっかが わかりません", "no result recorded";
    STATE_ACTIVE = "続いています", "つづいて います", "active";
    STATE_INACTIVE = "いまはありません", "いまは ありません", "inactive";
    STATE_RECURRENCE = "また起きました", "また おきました", "recurred";
    STATE_REMISSION = "落ち着いています", "おちついて います", "in remission";
    STATE_RESOLVED = "治りました", "なおりました", "resolved";
    CERTAIN_REFUTED = "この病気ではありませんでした", "ちがいました", "ruled out";
    CERTAIN_SUSPECTED = "疑い", "かも しれません", "suspected";
    CLASS_EMERGENCY = "救急", "きゅうきゅう", "Emergency visit";
    CLASS_HOME = "自宅での診療", "いえで", "Care at home";
    CLASS_INPATIENT = "入院", "とまる", "Hospital stay";
    CLASS_OUTPATIENT = "外来", "とまらない", "Outpatient visit";

    // ── S7 who looked, S15 emergency ────────────────────────────────────────────────────────────
    HISTORY = "わたしの記録を見た人", "わたしの きろくを 見た 人", "Who looked at my records";
    HISTORY_OTHERS = "見た人と、見ようとした人", "見た 人と、たのんだ 人", "Who looked, or asked to";
    HISTORY_OWN = "本人・家族が見た（{n}回）", "あなたと かぞくが 見た（{n}）", "You and your family ({n})";
    HISTORY_NONE = "まだだれも見ていません。", "まだ だれも 見て いません。", "Nobody has looked yet.";
    STAFF = "病院の職員が確かめたファイル", "びょういんの 人が たしかめました", "Files that hospital staff checked";
    STAFF_WHY = "名前や番号が合わないファイルは、だれの記録か決まるまで、だれにも見せません。", "だれの ものか わかるまで、だれも 見ません。", "A file whose name and number do not match is shown to nobody until it is settled whose it is.";
    STAFF_LOOKED = "職員がファイルを見ました", "びょういんの 人が 見ました", "A member of staff looked at a file";
    STAFF_FOLDER = "置いてあった場所の人の記録だと決めました", "おいて あった 人の きろくに しました", "Settled: it belongs to the person under whom it was kept";
    STAFF_MESSAGE = "ファイルに書いてある人の記録だと決めました", "書いて ある 人の きろくに しました", "Settled: it belongs to the person named in the file";
    STAFF_NOBODY = "ここのだれの記録でもないと決めました", "だれの きろくにも しません", "Settled: it belongs to nobody here";
    STAFF_BACK = "前に決めたことを取り消しました", "まえに きめた ことを やめました", "An earlier decision was taken back";
    STAFF_OTHER = "職員が確かめました", "びょういんの 人が たしかめました", "A member of staff checked it";
    STAFF_MISTYPED = "番号が違って書かれていた", "番号が ちがいました", "The number was mistyped";
    STAFF_MISFILED = "別の人の場所に置かれていた", "ほかの 人の ところに ありました", "It lay in another person's place";
    STAFF_RENUMBERED = "同じ人の番号が新しくなった", "番号が 新しく なりました", "The person has a new number";
    STAFF_DUPLICATE = "同じものがすでにあった", "おなじ ものが ありました", "It was there already";
    STAFF_FOREIGN = "この病院の知らない人のものだった", "しらない 人の ものでした", "It is of nobody whom this hospital knows";
    STAFF_MISTAKE = "前に決めたことを直した", "まえに きめた ことを なおしました", "What was settled before had to be put right";
    HISTORY_CHECK = "証明を確認", "ほんとうか たしかめる", "Check the proof";
    HISTORY_CHECKING = "証明を確認しています", "たしかめて います", "Checking the proof";
    HISTORY_OK = "{when}に確かめました。書きかえはありません（立会い{n}者）。", "{when}に たしかめました。かわって いません（たちあい {n}）。", "Checked at {when}: not altered ({n} witnesses).";
    HISTORY_OK_ALONE = "{when}に確かめました。この端末が前に見た一覧から、書きかえや抜けはありません。見守る機関（立会い）がまだないので、ほかの人にも同じ一覧を見せているかは、確かめられません。", "{when}に たしかめました。まえと おなじです。ほかの 人も おなじかは わかりません。", "Checked at {when}: nothing was altered or left out since this device first looked. No witness watches the log yet, so whether others are shown the same one cannot be told.";
    HISTORY_PARTS = "{n}回に分けて送られました", "{n}かいに わけました", "sent in {n} parts";
    HISTORY_TIMES = "この日に{n}回（最後は{when}）", "{n}かい（さいごは {when}）", "{n} times that day (last at {when})";
    HISTORY_LINE = "記録の番号", "きろくの 番号", "Entry number";
    HISTORY_BACK = "見た人の一覧へ", "見た 人へ もどる", "Everybody who looked";
    HISTORY_WAIT = "{when}に確かめました。いちばん新しい記録の証明は、{by}までにできます。", "{when}に たしかめました。あたらしい ものは {by}までに たしかめます。", "Checked at {when}. The proof of the newest entries will be ready by {by}.";
    HISTORY_BAD = "この記録を確かめられませんでした", "この きろくを たしかめられません", "We could not confirm this record";
    HISTORY_BAD_WHAT = "だれが見たかの一覧は、ここに出しません。同意はそのままです。証拠を保存して、受付に知らせてください。", "見た 人は 出しません。しょうこを のこして、受付に いって ください。", "Who looked is not listed here. Your consents stand. Save the evidence and tell the desk.";
    HISTORY_SAVE = "証拠を保存する", "しょうこを のこす", "Save the evidence";
    CAUSE_ALTERED = "書きかえられた記録があります。", "かわった きろくが あります。", "An entry was altered.";
    CAUSE_MISSING = "抜けている記録があります。", "たりない きろくが あります。", "Entries are missing.";
    CAUSE_FORK = "前にこの端末で見たものと、つながりません。", "前に 見た ものと ちがいます。", "This does not continue what this device saw before.";
    CAUSE_UNSIGNED = "この一覧を作ったところの署名がありません。", "だれが 作ったか わかりません。", "The signature of the keeper of the list is missing.";
    CAUSE_WITNESSES = "立会いの署名が足りません。", "たちあいの サインが たりません。", "Signatures of witnesses are missing.";
    HISTORY_SEEN = "記録を見ました", "きろくを 見ました", "Looked at your records";
    HISTORY_EMPTY = "見ようとしましたが、見える記録がありませんでした", "たのんだけれど、なにも ありません", "Asked, and there was nothing to see";
    HISTORY_REFUSED = "見ようとしましたが、見せませんでした", "たのんだけれど、見せません", "Asked, and was not shown anything";
    HISTORY_UNNAMED = "一覧にない施設", "しらない ところ", "An institution that is not listed";
    HISTORY_WHEN = "日時", "いつ", "When";
    HISTORY_ROLE = "職種", "しごと", "Role";
    HISTORY_PURPOSE = "目的", "なんの ため", "Purpose";
    HISTORY_KINDS = "見た記録", "見た きろく", "What was seen";
    HISTORY_ERASED = "渡した写しを消した、と答えました", "コピーを けしました", "Answered: the copies are erased";
    HISTORY_KEPT = "渡した写しは法律で残る、と答えました", "コピーは きまりで のこります", "Answered: the copies are kept by law";
    HISTORY_NOTICES = "お知らせ", "お知らせ", "Notices";
    HISTORY_UNDENIED = "窓口で「見せない」をやめる手続きがありました", "受付で「見せない」を やめました", "“Not to be shown” was ended at the desk";
    ROLE_OTHER = "そのほかの職員", "ほかの 人", "other staff";
    HISTORY_COUNT = "件数", "いくつ", "Number";
    HISTORY_COUNTED = "{n}件（病院が数えました。「証明を確認」では確かめられません）", "{n}こ（びょういんが かぞえました）", "{n} (counted by the hospital; the proof does not cover it)";
    HISTORY_BASIS = "理由", "わけ", "Ground";
    HISTORY_REASON = "救急の理由", "わけ", "Reason";
    HISTORY_IDENTIFIED = "本人の確かめ方", "だれか たしかめた もの", "How you were identified";
    BASIS_GRANT = "同意", "あなたの やくそく", "Your consent";
    BASIS_EMERGENCY = "救急", "きゅうきゅう", "Emergency";
    BASIS_DISASTER = "災害", "さいがい", "Disaster";
    BASIS_SELF = "本人・家族", "あなたと かぞく", "You or your family";
    BASIS_OTHER = "そのほか", "ほか", "Other";
    EMERGENCY = "救急で、あなたの記録が見られました", "きゅうきゅうで きろくを 見ました", "Your records were opened in an emergency";
    EMERGENCY_REFUSED = "救急だと伝えて見ようとしましたが、見せませんでした", "きゅうきゅうと いいましたが、見せません", "Claimed an emergency, and was not shown anything";
    HOME_EMERGENCY = "救急で見られました：{when}", "きゅうきゅうで 見ました：{when}", "Opened in an emergency: {when}";
    HOME_LOOKS = "最近見た人", "さいきん 見た 人", "Who looked last";

    NOTICE_SEEN = "見られた記録", "見た きろく", "What was seen";
    NOTICE_OBJECT = "納得できない", "いやです", "I object";
    NOTICE_OBJECT_NOTE = "納得できないときは、押すと記録に残ります。この記録は消えません。", "いやな ときは おします。ずっと のこります。", "If you object, press the button. It is recorded and is never erased.";
    NOTICE_OBJECTED = "{when}に、納得できないと記録しました。この記録は消えません。", "{when}に「いやです」と きろくしました。", "Recorded at {when}: you object. This is never erased.";
    NOTICE_JUSTIFIED = "{when}に、別の担当者が、必要だったと記録しました。", "{when}に しらべました。いる ことでした。", "Reviewed at {when}: it was needed.";
    NOTICE_NOT_JUSTIFIED = "{when}に、別の担当者が、必要ではなかったと記録しました。", "{when}に しらべました。いらない ことでした。", "Reviewed at {when}: it was not needed.";
    NOTICE_UNCLEAR = "{when}に、別の担当者が、まだわからないと記録しました。", "{when}に しらべました。まだ わかりません。", "Reviewed at {when}: not clear yet.";

    // ── S8 consents, S12 receipt ────────────────────────────────────────────────────────────────
    CONSENTS = "同意", "見せる やくそく", "Consents";
    CONSENTS_NONE = "同意はまだありません。", "まだ ありません。", "There are no consents yet.";
    CONSENTS_ELSE = "ほかに署名したもの", "ほかに サインした もの", "What else you signed";
    SIGNED_NEVER = "救急でも見せない、と申し出ました", "きゅうきゅうでも 見せません", "Not shown even in an emergency";
    SIGNED_NEVER_END = "「救急でも見せない」をやめました", "「見せない」を やめました", "Ended “not even in an emergency”";
    SIGNED_DENY = "見せない、と申し出ました", "見せません", "Not to be shown";
    SIGNED_OBJECT = "「{purpose}」に使わないでほしい、と申し出ました", "「{purpose}」に つかわないで ください", "Not to be used for: {purpose}";
    SIGNED_ALLOW = "「{purpose}」に使ってよい、と申し出ました", "「{purpose}」に つかって いいです", "May be used for: {purpose}";
    SIGNED_END = "{institution}に見せるのをやめました", "{institution}に 見せません", "Stopped showing to {institution}";
    SIGNED_END_ELSE = "見せるのをやめました", "見せるのを やめました", "Stopped showing";
    CONSENT_OPEN = "見せています：{when}まで", "見せて います：{when}まで", "Shown until {when}";
    CONSENT_ENDED = "{when}に終わりました", "{when}に おわりました", "Ended {when}";
    CONSENT_TEXT = "署名した内容", "サインした もの", "What you signed";
    CONSENT_TEXT_GONE = "署名したときの施設名の一覧がないため、文をここに出せません。署名した内容は変わりません。", "いま ここに 出せません。サインした ものは かわりません。", "The list of names of that time is not here, so the text cannot be shown. What you signed is unchanged.";
    CONSENT_LOOK = "内容を見る", "なかみを 見る", "See details";
    CONSENT_END = "やめる", "やめる", "Withdraw";
    RECEIPT = "控え", "ひかえ", "Receipt";
    RECEIPT_AT = "受け取った日時", "きた 日", "Received";
    RECEIPT_NUMBER = "控えの番号", "番号", "Number of the receipt";
    RECEIPT_PROOF = "確かめるための値", "たしかめる ための もの", "Value to check it by";
    RECEIPT_PRINT = "印刷・PDF", "かみに 出す", "Print or PDF";
    RECEIPT_FILE = "ファイル（JSON）", "はこに 入れる", "File (JSON)";
    RECEIPT_QR = "QRで見せる", "QRで 見せる", "Show as QR";
    QR = "QRを見せる", "QRを 見せる", "Show the QR codes";
    QR_WHAT = "{institution}だけが使えます。二つとも読み取ってもらいます。", "{institution}だけが つかえます。二つとも 見せます。", "Only {institution} can use them. Let them read both.";
    QR_KEY = "1／2　あなたの鍵の証明", "1／2　かぎ", "1 of 2: proof of your key";
    QR_CONSENT = "2／2　同意", "2／2　見せる やくそく", "2 of 2: the consent";
    QR_SIGNED = "2／2　署名した内容", "2／2　サインした もの", "2 of 2: what you signed";
    QR_SIGNED_WHAT = "署名した控えです。二つとも読み取ってもらいます。", "サインした ものです。二つとも 見せます。", "This is what you signed. Let them read both.";
    QR_OTHER_KEY = "この同意は別の鍵で署名したので、この端末ではQRを出せません。", "べつの かぎの ものです。ここでは 出せません。", "Another key signed this consent, so this device has no QR code for it.";
    QR_MANY = "相手が複数の同意は、QRにできません。", "あいてが たくさん います。QRは ありません。", "A consent for several institutions has no QR code.";
    QR_OVER = "この同意は終わったので、QRは出せません。", "もう おわって います。QRは ありません。", "This consent has ended, so there is no QR code.";
    WITHDRAW = "{institution}に見せるのをやめますか", "{institution}に 見せるのを やめますか", "Stop showing your records to {institution}?";
    WITHDRAW_BY = "遅くとも{when}までに全機関で停止します。", "おそくても {when}に ぜんぶ とまります。", "All institutions stop by {when} at the latest.";
    WITHDRAW_EMERGENCY = "通信できない救急・災害の現場では、最長で{when}まで見られることがあります。", "きゅうきゅうなどでは {when}まで 見る ことが あります。", "Emergency teams without a connection may still look until {when}.";
    QRS = "受付でQRを見せる", "受付で QRを 見せる", "Show a consent as QR";
    QRS_WHAT = "いまの同意を、QRにして受付で見せられます。インターネットがなくても使えます。", "インターネットが なくても 見せられます。", "Your consents can be shown at a desk as QR, also without a network.";
    QRS_ONE = "{institution}に見せる", "{institution}に 見せる", "Show to {institution}";
    QRS_NONE = "いま見せられる同意はありません。", "いまは ありません。", "There is no consent to show now.";
OFFER = "新しく作って見せる（24時間）", "新しく 作って 見せる（24じかん）", "Make a new one (24 hours)";
    OFFER_WHAT = "24時間だけ見せる同意を、この端末で作って、QRで見せます。インターネットがなくても作れます。つながったときに、病院に自動で届けます。", "24じかんだけ 見せます。インターネットが なくても 作れます。", "A consent for 24 hours is made on this device and shown as QR, also without a network. It is sent to the hospital by itself once you are online.";
    OFFER_TO = "だれに見せますか", "だれに 見せますか", "Who is to see?";
    OFFER_TO_NONE = "見せる相手を一つえらぶと進めます", "あいてを 一つ えらんで ください", "Choose who is to see to go on";
    OFFER_FIND = "病院や薬局の名前でさがす", "なまえで さがす", "Find by name";
    OFFER_FIND_HINT = "名前の一部でもかまいません。", "すこしだけでも いいです。", "A part of the name is enough.";
    OFFER_GENERAL = "見せる記録をえらぶ", "きろくを えらぶ", "Choose the records";
    OFFER_ONE = "{category}の記録を見せる（別に決めます）", "{category}を 見せる（べつに きめます）", "Show {category} (decided apart)";
    OFFER_DAY = "24時間たつと、自動で終わります。それまでに増える記録も見えます。", "24じかんで おわります。あとで ふえた ものも 見えます。", "It ends by itself after 24 hours. Records added until then are included.";
    OFFER_BLIND = "いまはつながっていないので、一件ずつの記録は、ここに出せません。えらんだ種類の記録が見えます。", "いまは 一つずつ 出せません。えらんだ ものが 見えます。", "You are offline, so single records cannot be listed here. What is of the kinds you choose is seen.";
    OFFER_SIGN = "署名してQRを作る", "サインして QRを 作る", "Sign and make the QR codes";
    OFFER_WAITS = "まだ病院に届けていません。インターネットにつながると、自動で届けます。", "まだ とどいて いません。インターネットが あれば おくります。", "The hospital does not have this yet. It is sent by itself once you are online.";
    WITHDRAW_COPIES = "カルテに書かれた内容は消えません。もう渡した写しは、消すよう相手に求めて、返事を「控え」に出します。", "もう 書いた ことは きえません。コピーは「けして」と いいます。へんじは ここに 出ます。", "What is in a chart stays. We ask for copies to be erased and show the answers with the receipt.";
    WITHDRAW_GIVEN = "{institution}には、これまでに{n}回渡しました（最後は{when}）。", "{institution}に {n}かい わたしました（{when}）。", "{institution} got records {n} times (last {when}).";
    COPIES = "渡した写し", "わたした コピー", "Copies that were given";
    COPIES_WHAT = "見せるのをやめたので、持っているところに、写しを消すよう求めました。", "コピーを「けして」と いいました。", "You withdrew, so whoever has copies was asked to erase them.";
    COPIES_WAITING = "返事待ち（求めは、まだ相手に届いていません）", "まだ とどいて いません", "Waiting: the request has not reached them yet";
    COPIES_TOLD = "返事待ち（求めは、{when}に届きました）", "へんじを まって います（{when}に とどきました）", "Waiting for an answer (asked {when})";
    COPIES_ERASED = "消しました（{when}の返事）", "けしました（{when}）", "Erased (answered {when})";
    COPIES_CHART = "カルテの一部なので、法律で5年残ります（{when}の返事）", "きまりで 5ねん のこります（{when}）", "Kept by law for 5 years, as part of a chart (answered {when})";
    COPIES_DISPENSING = "薬局の調剤の記録なので、法律で残ります（{when}の返事）", "くすりの きろくなので のこります（{when}）", "Kept by law, as a record of dispensing (answered {when})";
    COPIES_LAW = "法律で残ります（{when}の返事）", "きまりで のこります（{when}）", "Kept by law (answered {when})";
    COPIES_LOOK = "写しの返事を見る", "コピーの へんじを 見る", "See what became of copies";
    WITHDRAW_KEEP = "見せたままにする", "このまま 見せる", "Keep showing";
    ENDED = "{when}にここで止まりました。ほかも{by}までに止まります。", "{when}に とまりました。ほかは {by}に とまります。", "Stopped here at {when}, elsewhere by {by}.";

    // ── S9 objection, S10 emergencies ───────────────────────────────────────────────────────────
    SECONDARY = "名前を消した、研究などへの利用", "なまえを けして つかう こと", "Use for research without your name";
    SECONDARY_OFF = "いまは、断っていません。", "いまは ことわって いません。", "Now you do not refuse.";
    SECONDARY_ON = "いまは、断っています（{purpose}）。", "いまは ことわって います（{purpose}）。", "Now you refuse ({purpose}).";
    SECONDARY_DESK = "受付で断ったものも入っています。", "受付の ものも 入って います。", "This includes what the desk recorded for you.";
    SECONDARY_WHAT = "名前などを消してから、研究などに使われることがあります。断っても診察は変わりません。", "けんきゅうなどに つかいます。ことわっても だいじょうぶです。", "Your records may be used for research and the like after your name is removed. Refusing does not change your care.";
    SECONDARY_WHEN = "使うところが決まっても、お知らせから30日たつまでは使われません。", "お知らせから 30日は つかいません。", "Nothing is used until 30 days after a notice.";
    SECONDARY_TOLD = "{institution}が{when}にお知らせしました。早くても{by}までは使われません。", "{institution}の お知らせ：{when}。{by}までは つかいません。", "{institution} informed you on {when}. Nothing is used before {by}.";
    SECONDARY_FINISHED = "でき上がったデータからは取り消せません。", "もう できた ものは けせません。", "Finished data sets cannot be recalled.";
    SECONDARY_NO = "使わないでほしい", "つかわないで ください", "Do not use";
    SECONDARY_YES = "使ってよい", "つかって いいです", "May use";
    SECONDARY_DONE_ON = "受け付けました。{when}より後の利用から外れます", "わかりました。{when}から つかいません", "Recorded: left out after {when}";
    SECONDARY_DONE_OFF = "受け付けました。{when}から、使ってよいことになりました", "わかりました。{when}から つかって いいです", "Recorded: may be used from {when}";
    PREF_LINK = "救急のときのこと", "きゅうきゅうの とき", "In an emergency";
    PREF = "救急のとき、どうしますか（いま：{state}）", "きゅうきゅうの とき（いま：{state}）", "In an emergency (now: {state})";
    PREF_RULES = "きまりのまま", "きまりの まま", "by the rules";
    PREF_ADVANCE = "前もって見せておく", "まえから 見せる", "allowed in advance";
    PREF_NEVER = "救急でも見せない", "きゅうきゅうでも 見せない", "not even then";
    PREF_RULES_WHAT = "きまりのままなら、命にかかわるときに、決まった項目だけが見られます。見られたことは、必ずここでわかります。", "きまりの ままなら、いのちが あぶない ときだけ 見ます。見た ことは ここで わかります。", "If it stays by the rules: set items only, only when your life is at risk, and you always see here that it happened.";
    PREF_NEVER_WHAT = "いまは、命にかかわるときでも、見られません。あなたがそう署名しました。", "いまは だれも 見ません。いのちが あぶない ときも 見ません。あなたが サインしました。", "Now nobody sees them, not even when your life is at risk. You signed this.";
    PREF_SET = "きまりのままなら、救急で見られる項目", "きまりの ままなら 見る もの", "What may be seen by the rules";
    PREF_ADVANCE_GO = "前もって見せておく", "まえから 見せる", "Allow in advance";
    PREF_NEVER_GO = "救急でも見せない（注意を読みます）", "きゅうきゅうでも 見せない（よみます）", "Not even then (read the warning)";
    PREF_UNDENIED = "{when}に、窓口で「見せない」をやめる手続きがありました。心当たりがないときは、知らせてください。", "{when}に 受付で「見せない」を やめました。ちがう ときは おしえて ください。", "On {when} “not to be shown” was ended at the desk. If that was not you, tell us.";
    PREF_NEVER_END = "「救急でも見せない」をやめる", "「見せない」を やめる", "End “not even then”";
    PREF_WHAT = "救急のとき、どの記録を見せておきますか", "どの きろくを 見せますか", "Which records in an emergency?";
    PREF_APART = "次のものは、一つずつ別に決めます。", "つぎの ものは べつに きめます。", "These are decided apart, one by one.";
    PREF_ONE = "{category}も前もって見せておく", "{category}も まえから 見せる", "Allow {category} in advance too";
    PREF_LOOK = "すべての医療機関に見せる同意なので、2回読んでから決めます。{when}に、もう一度読んで署名できます。", "ぜんぶの びょういんです。{when}に もう 一度 よみます。", "This opens them to every institution, so it is read twice. You can read it again and sign from {when}.";
    PREF_LOOK_GO = "もう一度読む", "もう 一度 よむ", "Read it again";
    PREF_LOOK_WAITS = "読みかけの同意があります。{when}から署名できます。", "{when}から サインできます。", "There is a consent to read again. You can sign it from {when}.";
    PREF_DONE_ADVANCE = "{when}に記録しました。救急と災害のときに見られます", "{when}に きろくしました。きゅうきゅうで 見ます", "Recorded at {when}: shown in emergencies and disasters";
    PREF_DONE_NEVER = "{when}に記録しました。救急でも見られません", "{when}に きろくしました。きゅうきゅうでも 見ません", "Recorded at {when}: not shown even in an emergency";
    PREF_DONE_RULES = "{when}に記録しました。これからは、きまりのままです", "{when}に きろくしました。きまりの ままです", "Recorded at {when}: by the rules from now on";

    // ── S11 family ──────────────────────────────────────────────────────────────────────────────
    FAMILY = "家族の分", "かぞくの ぶん", "For family";
    FAMILY_NONE = "この端末の鍵は、だれの代理にもなっていません。代理の登録は受付でできます。", "だれの かわりでも ありません。受付で できます。", "This key acts for nobody. The desk can register that.";
    FAMILY_CHILD = "お子さん", "こども", "your child";
    FAMILY_WARD = "後見を受けている方", "たすけて いる 人", "the person under your guardianship";
    FAMILY_DELEGATE = "あなたに任せている方", "あなたに たのんだ 人", "the person who asked you";
    FAMILY_LATE = "亡くなったご家族", "なくなった かぞく", "your late relative";
    FAMILY_GO = "この方の分に切りかえる", "この 人に かえる", "Act for this person";
    FAMILY_BACK = "自分の分にもどる", "じぶんに もどる", "Back to my own";
    FAMILY_NOW = "いま、この方の分を見ています。", "いま この 人です。", "You act for this person now.";
    FAMILY_DESK = "この方の手続きは、受付でします。", "受付で して ください。", "The desk does this for you.";
    FAMILY_UNTIL = "この代理は、本人が18歳になる{when}に終わります。", "18さいの {when}に おわります。", "Ends at 18, on {when}.";
    FAMILY_OBJECT = "研究などの返事は、16歳になる{when}から本人がします。", "けんきゅうの ことは {when}から 本人が きめます。", "Research choices are theirs from 16, on {when}.";
    FAMILY_OVER = "{when}に代理が終わりました。これからは本人が決めます。", "{when}に おわりました。本人が きめます。", "Ended on {when}; they decide now.";
    MANDATES = "あなたの代わりに手続きできる人", "かわりに できる 人", "Who may act for you";
    MANDATE_ONE = "あなたが任せた方", "あなたが たのんだ 人", "The person whom you asked";
    MANDATE_WHAT = "任せるのをやめると、その人は、見ることも署名することもできなくなります。これまでに署名したものは残るので、「同意」で一つずつやめられます。", "やめると、もう 見る ことも できません。まえの サインは のこります。", "Once you end it, that person sees and signs nothing more. What was signed before stays; end it one by one under Consents.";
    MANDATE_END = "任せるのをやめる", "たのむのを やめる", "End it";
    MANDATE_ENDED = "{when}に、任せるのをやめました。この人はもう見ることも署名することもできません。", "{when}に やめました。もう 見る ことは できません。", "Ended at {when}. This person sees and signs nothing more.";
    ACTING = "代理：{person}の分", "かわり：{person}", "For {person}";
    ACTING_CHANGE = "切りかえる", "かえる", "Change";

    // ── S14 devices ─────────────────────────────────────────────────────────────────────────────
    DEVICES = "新しい端末・鍵をなくしたとき", "新しい 機械・かぎが ない とき", "New device or lost key";
    DEVICES_WHY = "どうしましたか", "どう しましたか", "What happened?";
    DEVICES_NEW = "新しい端末で使いたい", "新しい 機械で つかいたい", "I have a new device";
    DEVICES_LOST = "鍵のある端末をなくした", "機械を なくしました", "I lost the device with my key";
    DEVICES_STOLEN = "盗まれたかもしれない", "とられたかも しれません", "It may have been stolen";
    DEVICES_GO_ON = "いまの同意は続きます。新しい鍵でも受付でも、やめられます。", "見せる やくそくは つづきます。", "Consents continue; withdraw by new key or at the desk.";
    DEVICES_HOW = "新しい鍵の作り方", "新しい かぎの 作りかた", "How to make a new key";
    DEVICES_STEP_CODE = "受付で本人とわかるものを見せて、番号をもらいます。", "受付で 番号を もらいます。", "Show at the desk who you are, and get a code.";
    DEVICES_STEP_OPEN = "新しい端末でこの画面を開いて、鍵を作ります。", "新しい 機械で かぎを 作ります。", "Open this page on the new device and make a key.";
    DEVICES_STEP_ENTER = "番号と生年月日を入れます。", "番号と 生まれた 日を 入れます。", "Enter the code and your date of birth.";
    DEVICES_LOST_HOW = "なくした端末の鍵を止めます。止めた鍵は、見つかっても使えません。", "なくした かぎを 止めます。もう つかえません。", "Stop the key of the lost device. A stopped key cannot be used again, even if you find it.";
    DEVICES_STOLEN_HOW = "すぐに鍵を止めます。止めた鍵では、もうだれも署名できません。", "すぐに かぎを 止めます。もう つかえません。", "Stop the key at once. Nobody can sign with a stopped key.";
    DEVICES_KEYS = "あなたの鍵", "あなたの かぎ", "Your keys";
    DEVICES_OTHER = "ほかの端末の鍵", "ほかの 機械の かぎ", "The key of another device";
    DEVICES_THIS = "いま使っている鍵です。別の端末で登録すると、そちらから止められます。", "いま つかって いる かぎです。", "You are using this key. It can be stopped from another device that is registered.";
    DEVICES_STOP = "この鍵を止める", "この かぎを 止める", "Stop this key";
    DEVICES_PROVE = "鍵の一覧は、本人と確かめると出ます。", "本人と わかると かぎが 見えます。", "Your keys are listed once you confirm it is you.";
    DEVICES_DESK = "この端末に鍵がないときは、受付で止められます。", "受付で 止められます。", "Without a key on this device, the desk can stop a key.";
    DEVICES_SINCE = "いつから見あたりませんか（わからなければ空のまま）", "いつから ありませんか", "Since when is it gone? (may stay empty)";
    DEVICES_SINCE_HINT = "例：2026年11月20日、20261120。この日からあとに、その鍵で署名されたものは、使えなくなります。", "れい：20261120。この 日からの サインは つかえません。", "For 20 Nov 2026 enter 20261120. What that key signed from that day on no longer counts.";
    DEVICES_SINCE_LEFT = "今日までの日を、20261120 のように入れると止められます", "きょうまでの 日を 数字 8こで 入れます", "Enter a day up to now, like 20261120";
    DEVICES_EARLIER = "この日から止めたことにする", "この 日から 止める", "Stop it as of that day";
    DEVICES_STOPPED_SINCE = "鍵を止めました。{when}より後に、その鍵で署名されたものは、もう使えません。最近30日の同意を見直しましょう。", "かぎを 止めました。{when}からの サインは つかえません。", "Key stopped. What it signed after {when} no longer counts. Let us review the last 30 days.";
    DEVICES_STOPPED = "{when}に鍵を止めました。最近30日の同意を見直しましょう。", "{when}に かぎを 止めました。30日の ものを 見ましょう。", "Key stopped at {when}. Let us review the last 30 days.";
    DEVICES_REVIEW = "最近30日に署名した同意", "30日の もの", "Consents of the last 30 days";
    DEVICES_REVIEW_NONE = "最近30日に署名した同意はありません。", "ありません。", "No consent was signed in the last 30 days.";

    // ── S13 settings, menu ──────────────────────────────────────────────────────────────────────
    // ── refusals: seven sentences for all reasons of consent.md §6.1 ────────────────────────────
    NO_AGAIN = "お願いを取り直しました。選んだ内容は残っています。もう一度読んで署名できます。", "もう 一度 よんで サインできます。", "We fetched the request again; your choices are kept. Read and sign once more.";
    NO_TEXT = "相手側の文と違うので、同意は記録されていません。", "文が ちがいます。きろくして いません。", "Their text differs; no consent was recorded.";
    NO_KEY = "この鍵は止められています。受付で新しい鍵を登録できます。", "この かぎは とまって います。受付で 新しく できます。", "This key was stopped. The desk can register a new one.";
    NO_PROXY = "代理の期間が終わりました。これからは本人が決めます。", "かわりは おわりました。本人が きめます。", "Acting for this person has ended; they decide now.";
    NO_AUD = "相手の施設の登録が変わりました。新しいお願いを待ちます。", "あいてが かわりました。つぎの おねがいを まちます。", "The institution's registration changed. A new request is needed.";
    NO_ENDED = "この同意は、もう終わっています。", "もう おわって います。", "This consent has already ended.";
    NO_RATE = "続けて送られたものが多すぎて、受け付けていません。{when}から試せます。", "いまは できません。{when}に もう 一度 して ください。", "Too many requests came, so this was not taken. You can try again from {when}.";
    NO_OURS = "こちらの不具合です。番号{code}", "こちらの せいです。番号{code}", "This is our fault. Code {code}";

    // ── menu ────────────────────────────────────────────────────────────────────────────────────
    MENU = "メニュー", "ほか", "Menu";
    SETTINGS = "設定", "せってい", "Settings";
    SET_SIZE = "文字", "字の 大きさ", "Text size";
    SET_SIZE_1 = "標準", "ふつう", "Standard";
    SET_SIZE_2 = "大", "大きい", "Large";
    SET_SIZE_3 = "特大", "もっと 大きい", "Extra large";
    SET_THEME = "配色", "いろ", "Colours";
    SET_THEME_AUTO = "端末に合わせる", "機械と おなじ", "As the device";
    SET_THEME_LIGHT = "標準", "ふつう", "Standard";
    SET_THEME_DARK = "暗い", "くらい", "Dark";
    SET_THEME_CONTRAST = "くっきり", "はっきり", "High contrast";
    SET_RUBY = "ふりがな", "ふりがな", "Readings (furigana)";
    SET_RUBY_ON = "ふりがなを付ける", "ふりがなを つける", "Show readings";
    SET_NOW = "選ぶとすぐに変わります。", "すぐに かわります。", "Changes apply at once.";

    SET_RECORDS = "記録をこの端末に残す", "きろくを のこす", "Keep my records on this device";
    SET_RECORDS_NOTE = "残すと、インターネットがないときも自分の記録を見られます。記録は、この端末の中で暗号にします。", "インターネットが なくても 見られます。", "If kept, you can see your records offline. They are encrypted on this device.";
    SET_RECORDS_ON = "残す", "のこす", "Keep them";

    // ── S16 a problem ───────────────────────────────────────────────────────────────────────────
    REPORT = "困ったこと・おかしいと思ったこと", "こまった こと", "Report a problem";
    REPORT_HOW = "気づいたことを、病院の窓口に送れます。だれが送ったかは、あなたが書くか選ぶかしないかぎり伝わりません。", "こまった ことを 病院に おくれます。", "Tell the desk what you noticed. Who you are is not told unless you write or choose so.";
    REPORT_KIND = "何についてですか", "なんの ことですか", "What is it about?";
    REPORT_KIND_NONE = "何についてかを選んでください", "なんの ことか えらんで ください", "Choose what it is about";
    REPORT_ACCESS = "記録を見た人のこと", "見た 人の こと", "Who looked at my records";
    REPORT_RECORD = "記録に書いてあること", "きろくの こと", "What my records say";
    REPORT_SCREEN = "この画面のこと", "この がめんの こと", "This page";
    REPORT_OTHER = "ほかのこと", "ほかの こと", "Something else";
    REPORT_TEXT = "どんなことですか", "どんな ことですか", "What happened?";
    REPORT_TEXT_HINT = "病気や薬の名前は、書かなくてかまいません。", "びょうきの なまえは いりません。", "There is no need to name illnesses or medicines.";
    REPORT_TEXT_NONE = "どんなことかを書いてください", "どんな ことか 書いて ください", "Write what happened";
    REPORT_CONTACT = "返事の送り先（なくてもかまいません）", "へんじを どこに おくりますか", "Where to answer (may stay empty)";
    REPORT_CONTACT_HINT = "電話番号か、電子メールのあて先", "電話の 番号など", "A telephone number or an e-mail address";
    REPORT_MINE = "わたしが送ったと伝える", "わたしだと つたえる", "Say that it is from me";
    REPORT_SEND = "窓口に送る", "おくる", "Send to the desk";
    REPORT_SENT = "{when}に送りました。窓口の人が読みます。", "{when}に おくりました。", "Sent at {when}. People at the desk will read it.";
    REPORT_OFFLINE = "インターネットにつながると送れます。書いたことは、この画面を閉じるまで残ります。", "インターネットが あれば おくれます。", "This can be sent once you are online. What you wrote stays until you close this page.";
    REPORT_MANY = "前に送ったものを、窓口がまだ読んでいます。電話か来院で知らせてください。", "いまは 電話で いって ください。", "The desk is still reading what you sent before. Please call or go there.";
    REPORT_TALK = "話して知らせる", "はなして しらせる", "Tell somebody";
    REPORT_DESK = "窓口：{contact}", "きく ところ：{contact}", "Desk: {contact}";
    REPORT_CALL = "電話をかける：{number}", "電話を かける：{number}", "Call {number}";
    REPORT_NO_CALL = "電話番号は、診察券や病院からの案内にあります。", "電話の 番号は、病院の かみに あります。", "The telephone number is on your patient card.";
    REPORT_SAFE = "同意や記録は、話した内容で変わることはありません。", "話しても、きろくは かわりません。", "What you tell them changes neither your consents nor your records.";

    // ── S15 whom else to tell ───────────────────────────────────────────────────────────────────
    CONTACTS = "救急のときに知らせる人", "きゅうきゅうの とき しらせる 人", "Whom we tell in an emergency";
    CONTACTS_WHAT = "救急であなたの記録が見られたら、ここに書いた人にも知らせます。", "きゅうきゅうで きろくを 見た とき、しらせます。", "When your records are opened in an emergency, the people here are told as well.";
    CONTACTS_SAFE = "知らせるのは、どこが、いつ、なぜ見たかと、記録の種類だけです。病気や薬の内容は知らせません。", "びょうきの ことは しらせません。", "They learn who looked, when, why and which kinds of records; never what is in them.";
    CONTACTS_NONE = "いまは、だれにも知らせません。", "いまは だれにも しらせません。", "At present nobody is told.";
    CONTACTS_FULL = "{n}人までです。加えるには、だれかを消してください。", "{n}人までです。", "There are {n}, which is the most. Remove one to add another.";
    CONTACTS_KEPT = "記録しました", "きろくしました", "Saved";
    CONTACT_NEW = "知らせる人を加える", "しらせる 人を ふやす", "Add somebody";
    CONTACT_NAME = "知らせる人の名前", "しらせる 人の なまえ", "Name";
    CONTACT_NAME_HINT = "家族や、かかりつけの先生など", "かぞくなど", "Somebody of your family, your doctor, or another";
    CONTACT_NAME_NONE = "名前を書いてください", "なまえを 書いて ください", "Write the name";
    CONTACT_BY = "知らせる方法", "どう しらせますか", "How we tell them";
    CONTACT_BY_NONE = "知らせる方法を選んでください", "どう しらせるか えらんで ください", "Choose how";
    BY_MAIL = "電子メール", "インターネットの てがみ", "E-mail";
    BY_PHONE = "電話", "電話", "Phone";
    BY_POST = "郵便", "てがみ", "Post";
    CONTACT_TO = "あて先", "あてさき", "Where to";
    CONTACT_TO_HINT = "電子メールのあて先、電話番号、または住所", "電話の 番号や、すむ ところ", "E-mail address, phone number or postal address";
    CONTACT_TO_NONE = "あて先を書いてください", "あてさきを 書いて ください", "Write where to";
    CONTACT_LONG = "{n}文字までで書いてください", "{n}字までで 書いて ください", "At most {n} characters";
    CONTACT_ADD = "この人にも知らせる", "この 人に しらせる", "Tell this person";
    CONTACT_DROP = "{name}を消す", "{name}を けす", "Remove {name}";

    // ── S17 finish ──────────────────────────────────────────────────────────────────────────────
    BYE = "終わる", "おわる", "Finish";
    BYE_CLOSED_HOW = "画面を閉じるだけで終われます。鍵はこの端末に残ります。", "がめんを とじます。かぎは のこります。", "Just close this page. The key stays on this device.";
    BYE_ERASE = "この端末から全部消す", "ぜんぶ けす", "Erase this device";
    BYE_ERASE_NOTE = "同意は続きます。止めるなら先に「やめる」へ。鍵は戻せません。", "見せる ことは つづきます。かぎは もどせません。", "Consents continue: withdraw first. The key cannot come back.";
    BYE_ERASE_GO = "全部消す", "ぜんぶ けす", "Erase everything";
    BYE_SURE = "本当に、この端末から全部消しますか", "ほんとうに ぜんぶ けしますか", "Erase everything on this device?";
    BYE_SURE_GO = "はい、全部消す", "はい、ぜんぶ けす", "Yes, erase everything";
    BYE_KEEP = "消さない", "けさない", "Keep it";
    BYE_NOT_ERASED = "全部は消せませんでした。この画面のほかの窓を閉じて、もう一度押してください。", "まだ のこって います。ほかの がめんを とじて、もう 一度 おして ください。", "Not everything could be erased. Close other windows of this page and press again.";
    BYE_LINGERS = "サーバーに知らせられませんでした。サーバーとの接続は、遅くとも{when}に切れます。", "{when}までに せつぞくも きれます。", "The server could not be told. The session there ends by {when} at the latest.";
    BYE_ERASED = "この端末から全部消しました", "ぜんぶ けしました", "Everything is erased from this device";
}

/// Whether a character is a kanji.
pub fn is_kanji(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '々')
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod tests {
    use super::*;
    use crate::ruby;

    /// ux-portal §5, and P8.
    const FORBIDDEN: &[&str] = &[
        "しばらく",
        "まもなく",
        "後ほど",
        "適宜",
        "おすすめ",
        "無効",
        "不正",
        "エラー",
        "失敗",
        "トークン",
        "ハッシュ",
        "オプトアウト",
        "ログ",
        "未告知",
        "間違",
        "正しく",
        "はい／いいえ",
        "soon",
        "shortly",
        "invalid",
        "token",
        "opt-out",
        "wrong",
        "incorrect",
        "failed",
        "hash",
        "recommended",
    ];

    fn slots(text: &str) -> Vec<&str> {
        let mut all: Vec<&str> = text
            .split('{')
            .skip(1)
            .filter_map(|s| Some(s.split_once('}')?.0))
            .collect();
        all.sort_unstable();
        all
    }

    /// A text without its slots.
    fn bare(text: &str) -> String {
        let mut out = String::new();
        for (at, part) in text.split('{').enumerate() {
            let rest = if at == 0 {
                part
            } else {
                part.split_once('}').map_or("", |(_, rest)| rest)
            };
            out.push_str(rest);
        }
        out
    }

    #[test]
    fn every_text_has_three_languages_with_the_same_slots() {
        for (name, t) in ALL {
            for lang in Lang::ALL {
                assert!(!t.of(lang).trim().is_empty(), "{name} {}", lang.name());
                assert_eq!(slots(t.of(lang)), slots(t.ja), "{name} {}", lang.name());
            }
            assert!(
                t.en.chars().all(|c| !is_kanji(c)) || name == &"IN_JA",
                "{name}: kanji in English"
            );
        }
    }

    #[test]
    fn forbidden_words_do_not_occur() {
        for (name, t) in ALL {
            for lang in Lang::ALL {
                let text = t.of(lang).to_lowercase();
                for word in FORBIDDEN {
                    assert!(!text.contains(word), "{name} {}: {word}", lang.name());
                }
            }
        }
    }

    #[test]
    fn easy_sentences_are_short_and_every_kanji_has_a_reading() {
        const KATAKANA: &[&str] = &["サイン", "スマホ", "インターネット", "コピー"];
        for (name, t) in ALL {
            for sentence in bare(t.easy).split('。') {
                let length = sentence.chars().filter(|c| !c.is_whitespace()).count();
                assert!(length <= 30, "{name}: {length} in {sentence}");
            }
            for (text, reading) in ruby::split(&bare(t.easy)) {
                assert!(
                    reading.is_some() || !text.chars().any(is_kanji),
                    "{name}: no reading for {text}"
                );
            }
            let mut rest = bare(t.easy);
            for word in KATAKANA {
                rest = rest.replace(word, "");
            }
            assert!(
                !rest.chars().any(|c| matches!(c, 'ァ'..='ヺ')),
                "{name}: katakana in {rest}"
            );
        }
    }

    #[test]
    fn every_text_is_used() {
        let mut code = String::new();
        let mut open = vec![std::path::PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src"
        ))];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if path.file_name().is_some_and(|n| n != "text.rs") {
                    code.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let words: std::collections::BTreeSet<&str> = code
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .collect();
        for (name, _) in ALL {
            assert!(words.contains(name), "{name} is not used");
        }
    }
}
