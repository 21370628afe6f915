//! What a patient reads before signing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
mod common;

use common::*;
use warifu_consent::json::{Value, object};
use warifu_consent::*;

fn shown(lang: Lang, claims: &Value, typ: Typ, annex: Option<&Annex>) -> Result<String, Reason> {
    let mut claims = claims.clone();
    let Value::Object(members) = &mut claims else {
        panic!()
    };
    let Some(Value::Object(txt)) = members.get_mut("txt") else {
        panic!()
    };
    txt.insert("lang".into(), lang.name().into());
    render(
        &Policy::reference().unwrap(),
        &master(),
        typ,
        &claims,
        annex,
    )
}

#[test]
fn the_whole_text_of_a_grant_in_japanese() {
    let text = shown(Lang::Ja, &grant(), Typ::Grant, Some(&annex())).unwrap();
    let expected = "# 同意書：診療のための情報提供
あなたの診療に役立てるため、下の医療機関が記録を見られるようにします。
## 相手
- 架空割符診療所
## 目的
- 診療
## 見えるもの
- 傷病名
- アレルギー
- 処方・調剤
## 見えないもの
- 診療情報提供書（紹介状）
- 退院時サマリー
- 健診結果報告書
- 感染症
- 薬剤禁忌
- 検査
- 手術
- 移植
- 透析
- 受診歴・診療行為
- 特定健診
- 自治体の検診
- 乳幼児健診
- 学校健診
- 事業主健診
- 妊婦健診
- 予防接種
- 介護
- 画像・病理
- ゲノム
- バイタルサイン
- 遠隔モニタリング
- 基本情報・血液型
- 架空精神科病院 の記録
- 精神科に関する記録
## 対象になる日付
2024-01-01 から いま まで（日付のわからない記録は含みません）
## 期間
2026-09-21 23:13 から 2026-12-20 23:13 まで
## 記録の範囲
これから新しくできる記録も、期間の終わりまで含みます。
## 渡したあとのこと
相手は、あなたの同意なしにほかへ渡しません。
## 知っておいてください
まだあなたに説明されていない記録があるかもしれません。そのような記録はここに出ません。
同意しなくても、これまでどおり診療を受けられます。医師に伝わる情報が少なくなることがあります。
## やめるとき
いつでも、この画面から、または窓口で、やめられます。やめたあとは新しく見られなくなります。すでに診療録に書かれたものは残ることがあります。
## 問い合わせ
架空割符病院 患者相談窓口 03-0000-0000
## 署名する人
ご本人
";
    assert_eq!(text, expected);
}

#[test]
fn every_family_renders_in_every_language_and_each_claim_shows() {
    let policy = Policy::reference().unwrap();
    let base = |purpose: &str| {
        let mut g = grant();
        set(&mut g, "pur", codes(&[purpose]));
        let family = policy.family(purpose).unwrap().to_owned();
        set(&mut g, "txt", txt(&family));
        g
    };
    for lang in Lang::ALL {
        for purpose in policy.purposes() {
            if policy.family(&purpose.code).is_none() {
                continue;
            }
            let g = base(&purpose.code);
            let plain = shown(lang, &g, Typ::Grant, Some(&annex())).unwrap();
            assert!(plain.ends_with('\n') && !plain.ends_with("\n\n") && !plain.contains('{'));
            assert!(plain.contains(purpose.name(lang)), "{}", purpose.code);
            // Each of these changes what is read.
            let changes: [(&str, Value); 10] = [
                ("aud", codes(&[CLINIC, OTHER])),
                ("cat", codes(&["inf.allergy", "inf.rx"])),
                ("dat", object([])),
                ("exp", 1_797_776_060.into()),
                ("nbf", 1_790_000_060.into()),
                ("rec", object([("to", 1_790_000_000.into())])),
                ("del", 1_800_000_000.into()),
                ("use", object([("max", 3.into())])),
                ("dlg", true.into()),
                (
                    "act",
                    object([("rel", "guardian".into()), ("bnd", id(1).into())]),
                ),
            ];
            for (name, value) in changes {
                let mut changed = g.clone();
                set(&mut changed, name, value);
                let text = shown(lang, &changed, Typ::Grant, Some(&annex())).unwrap();
                assert_ne!(text, plain, "{name} in {}", lang.name());
            }
            for other in [
                Annex::empty([0; 16]),
                Annex {
                    res: vec!["r.x".into()],
                    ..annex()
                },
                Annex {
                    wid: vec!["w".into()],
                    ..annex()
                },
                Annex {
                    lbl: vec!["HIV".into()],
                    ..annex()
                },
            ] {
                assert_ne!(shown(lang, &g, Typ::Grant, Some(&other)).unwrap(), plain);
            }
        }
        for (typ, claims) in [(Typ::Deny, deny()), (Typ::Objection, objection())] {
            assert!(shown(lang, &claims, typ, None).is_ok());
        }
        let mut refuse = deny();
        set(&mut refuse, "emg", true.into());
        set(&mut refuse, "txt", txt("emg-refuse"));
        assert!(shown(lang, &refuse, Typ::Deny, None).is_ok());
    }
}

#[test]
fn without_template_name_or_version_nothing_is_shown() {
    let mut g = grant();
    set(&mut g, "aud", codes(&["mi:9999999999"]));
    assert_eq!(
        shown(Lang::Ja, &g, Typ::Grant, Some(&annex())),
        Err(Reason::TextUnknown)
    );
    let mut g = grant();
    set(&mut g, "pur", codes(&["CAREMGT", "TREAT"]));
    assert_eq!(
        shown(Lang::Ja, &g, Typ::Grant, Some(&annex())),
        Err(Reason::TextUnknown)
    );
    for (name, value) in [("ver", 2.into()), ("m", 1.into()), ("id", "treat2".into())] {
        let mut g = grant();
        let mut t = txt("treat");
        set(&mut t, name, value);
        set(&mut g, "txt", t);
        assert_eq!(
            shown(Lang::Ja, &g, Typ::Grant, Some(&annex())),
            Err(Reason::TextUnknown)
        );
    }
}
