//! Readings laid over kanji: an overlay for the eye, never part of what is signed or hashed.

/// Words with their readings. At each place the longest one counts.
const READINGS: &[(&str, &str)] = &[
    ("一度", "いちど"),
    ("一つ", "ひとつ"),
    ("人", "ひと"),
    ("入", "い"),
    ("作", "つく"),
    ("分", "ふん"),
    ("受付", "うけつけ"),
    ("本人", "ほんにん"),
    ("本文", "ほんぶん"),
    ("機械", "きかい"),
    ("時計", "とけい"),
    ("時間", "じかん"),
    ("決", "き"),
    ("日本語", "にほんご"),
    ("日", "ひ"),
    ("字", "じ"),
    ("文字", "もじ"),
    ("文", "ぶん"),
    ("数字", "すうじ"),
    ("新", "あたら"),
    ("番号", "ばんごう"),
    ("番", "ばん"),
    ("生", "う"),
    ("電話", "でんわ"),
    ("見", "み"),
    ("長", "なが"),
    ("大", "おお"),
    ("下", "した"),
    ("知", "し"),
    ("書", "か"),
    ("話", "はな"),
    ("出", "で"),
    ("金", "かね"),
    ("回", "かい"),
    ("今", "いま"),
    ("記録", "きろく"),
    ("同意", "どうい"),
    ("病院", "びょういん"),
    ("医療", "いりょう"),
    ("医療機関", "いりょうきかん"),
    ("診察", "しんさつ"),
    ("診療", "しんりょう"),
    ("薬", "くすり"),
    ("変", "か"),
    ("自分", "じぶん"),
    ("確", "たし"),
    ("前", "まえ"),
    ("使", "つか"),
    ("端末", "たんまつ"),
    ("鍵", "かぎ"),
    ("署名", "しょめい"),
    ("代", "か"),
    ("外", "そと"),
    ("役所", "やくしょ"),
    ("情報", "じょうほう"),
    ("提供", "ていきょう"),
    ("調剤", "ちょうざい"),
    ("診療所", "しんりょうじょ"),
    ("同意書", "どういしょ"),
    ("大雨", "おおあめ"),
    ("残", "のこ"),
    ("窓口", "まどぐち"),
    ("直", "なお"),
    ("次", "つぎ"),
    ("合言葉", "あいことば"),
    ("守", "まも"),
    ("以上", "いじょう"),
    ("表示", "ひょうじ"),
    ("消", "け"),
    ("画面", "がめん"),
    ("閉", "と"),
    ("登録", "とうろく"),
    ("生年月日", "せいねんがっぴ"),
    ("例", "れい"),
    ("個", "こ"),
    ("先", "さき"),
    ("設定", "せってい"),
    ("標準", "ひょうじゅん"),
    ("特大", "とくだい"),
    ("配色", "はいしょく"),
    ("暗", "くら"),
    ("終", "お"),
    ("全部", "ぜんぶ"),
    ("続", "つづ"),
    ("止", "と"),
    ("戻", "もど"),
    ("返事", "へんじ"),
    ("何", "なに"),
    ("送", "おく"),
    ("自動", "じどう"),
    ("試", "ため"),
    ("内容", "ないよう"),
    ("読", "よ"),
    ("困", "こま"),
    ("見た人", "みたひと"),
    ("相手", "あいて"),
    ("手続", "てつづ"),
    ("期間", "きかん"),
    ("代理", "だいり"),
    ("施設", "しせつ"),
    ("手術", "しゅじゅつ"),
    ("救急", "きゅうきゅう"),
    ("災害", "さいがい"),
    ("目的", "もくてき"),
    ("機関", "きかん"),
    ("対象", "たいしょう"),
    ("範囲", "はんい"),
    ("問", "と"),
    ("説明", "せつめい"),
    ("医師", "いし"),
    ("傷病名", "しょうびょうめい"),
    ("検査", "けんさ"),
    ("処方", "しょほう"),
    ("感染症", "かんせんしょう"),
    ("健診", "けんしん"),
    ("写", "うつ"),
    ("決定", "けってい"),
    ("版", "はん"),
    ("家族", "かぞく"),
    ("二", "ふた"),
];

/// A text cut where readings begin and end: `(piece, its reading)`.
pub fn split(text: &str) -> Vec<(&str, Option<&'static str>)> {
    let mut out = Vec::new();
    let mut plain = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(c) = rest.chars().next() else {
            break;
        };
        let word = if crate::text::is_kanji(c) {
            let fits = READINGS.iter().filter(|(w, _)| rest.starts_with(w));
            fits.max_by_key(|(w, _)| w.len())
        } else {
            None
        };
        let Some((word, reading)) = word else {
            at += c.len_utf8();
            continue;
        };
        if let Some(before) = text.get(plain..at).filter(|b| !b.is_empty()) {
            out.push((before, None));
        }
        at += word.len();
        out.push((*word, Some(*reading)));
        plain = at;
    }
    if let Some(last) = text.get(plain..).filter(|b| !b.is_empty()) {
        out.push((last, None));
    }
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

    #[test]
    fn readings_stand_over_the_longest_word() {
        assert_eq!(
            split("この 文字を 見る"),
            [
                ("この ", None),
                ("文字", Some("もじ")),
                ("を ", None),
                ("見", Some("み")),
                ("る", None)
            ]
        );
        let text = "あなたの医療機関の記録";
        let whole: String = split(text).into_iter().map(|(t, _)| t).collect();
        assert_eq!(whole, text);
        assert!(split("").is_empty());
    }

    #[test]
    fn every_kanji_of_the_easy_texts_that_are_signed_has_a_reading() {
        let policy = warifu_consent::Policy::reference().unwrap();
        let easy = warifu_consent::Lang::JaEasy;
        let labels = policy.labels().iter().map(|l| l.name(easy).to_owned());
        let categories = policy.categories().iter().map(|c| c.name(easy).to_owned());
        let texts = include_str!("../../crates/warifu-consent/texts/ja-easy.txt");
        let lines = texts.lines().filter(|l| !l.starts_with(['#', '[']));
        for text in lines.map(str::to_owned).chain(labels).chain(categories) {
            for (piece, reading) in split(&text) {
                let bare = reading.is_none() && piece.chars().any(crate::text::is_kanji);
                assert!(!bare, "no reading for {piece} in {text}");
            }
        }
    }

    #[test]
    fn words_are_unique_and_readings_are_kana() {
        let mut words: Vec<&str> = READINGS.iter().map(|(w, _)| *w).collect();
        words.sort_unstable();
        let all = words.len();
        words.dedup();
        assert_eq!(words.len(), all);
        for (word, reading) in READINGS {
            assert!(word.chars().next().is_some_and(crate::text::is_kanji));
            assert!(
                reading.chars().all(|c| matches!(c, 'ぁ'..='ん' | 'ー')),
                "{word}"
            );
        }
    }
}
