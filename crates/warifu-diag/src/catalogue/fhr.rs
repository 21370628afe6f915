//! `FHR`: FHIR R4 itself. 0xx: form of the document and its elements; 1xx: codes; 2xx: extensions,
//! references, Bundles; 3xx: what is not checked. What profiles demand is in `profile`.

codes! {
    FHR001 = "FHR001" "fhir-not-json" Error { "JSON として読めません: {}", "not JSON: {}", "この位置の文法を直してください", "mend the syntax at this place", "RFC 8259; FHIR R4 §2.6.2" }
    FHR002 = "FHR002" "fhir-no-resource" Error { "FHIR R4 のリソースではありません: {}", "not a resource of FHIR R4: {}", "resourceType に R4 のリソース名を書いてください", "give resourceType the name of a resource of R4", "FHIR R4 §2.6.2.2" }
    FHR003 = "FHR003" "fhir-unknown-element" Error { "この型にない要素です: {}", "the type has no such element: {}", "綴りと置き場所を確かめてください。独自の項目は extension で表します", "check its spelling and place; what is your own goes into an extension", "FHIR R4 §2.6.2" }
    FHR004 = "FHR004" "fhir-element-missing" Error { "必須の要素がありません: {}", "a mandatory element is missing: {}", "値を入れるか、値がない理由を data-absent-reason で示してください", "give it a value, or say why there is none by data-absent-reason", "FHIR R4 §2.27 min" }
    FHR005 = "FHR005" "fhir-too-many-values" Error { "値が多すぎます: {}", "too many values: {}", "許される個数まで減らしてください", "leave no more than are allowed", "FHIR R4 §2.27 max" }
    FHR006 = "FHR006" "fhir-wrong-json-type" Error { "JSON の型が違います: {}", "the wrong type of JSON value: {}", "示された型で書いてください", "write it with the type that is named", "FHIR R4 §2.6.2" }
    FHR007 = "FHR007" "fhir-bad-value" Error { "型の形に合わない値です: {}", "a value that its type does not allow: {}", "型の定める形に直してください", "bring it into the form that the type defines", "FHIR R4 §2.24.0.1" }
    FHR008 = "FHR008" "fhir-empty-value" Error { "空の値です: {}", "an empty value: {}", "要素ごと省いてください", "leave out the element", "FHIR R4 §2.6.2" }
    FHR009 = "FHR009" "fhir-several-choices" Error { "型を選ぶ要素に値が複数あります: {}", "an element with a choice of types has several: {}", "どれか一つにしてください", "leave one of them", "FHIR R4 §2.6.2.1" }
    FHR010 = "FHR010" "fhir-duplicate-key" Error { "同じ名前の項目が二つあります", "the same name twice in one object", "一つにしてください", "leave one of them", "FHIR R4 §2.6.2" }
    FHR011 = "FHR011" "fhir-narrative" Error { "説明文 (text.div) に許されない内容があります: {}", "the narrative (text.div) holds what is not allowed: {}", "許された XHTML だけにしてください。スクリプトは使えません", "use the allowed XHTML only; no script", "FHIR R4 §2.4.0 txt-1, txt-2" }
    FHR012 = "FHR012" "fhir-attachment" Error { "添付の size か hash が data と合いません: {}", "size or hash of the attachment differs from its data: {}", "data から計算し直してください", "compute it from the data again", "FHIR R4 §2.24.0.5" }
    FHR013 = "FHR013" "fhir-bom" Warning { "先頭に BOM があります", "the file begins with a byte order mark", "BOM を除いてください", "remove it", "RFC 8259 §8.1" }
    FHR014 = "FHR014" "fhir-invariant" Error { "規則 {} を満たしていません", "breaks the invariant {}", "規則の求めるとおりに直してください", "mend it as the invariant demands", "FHIR R4 §2.27 constraint" }
    FHR101 = "FHR101" "fhir-code-not-in-set" Error { "必須の値集合にないコードです: {}", "a code that is not in the required value set: {}", "値集合のコードから選んでください", "choose a code of the set", "FHIR R4 §4.1.5 required" }
    FHR102 = "FHR102" "fhir-code-outside-set" Warning { "値集合にないコードです。合うコードがあればそれを使います: {}", "a code outside the value set, which is to be used where it has a fitting one: {}", "値集合に合うコードがあれば、それに替えるか併記してください", "if the set has a fitting code, use it or add it", "FHIR R4 §4.1.5 extensible" }
    FHR103 = "FHR103" "fhir-code-not-preferred" Info { "推奨の値集合にないコードです: {}", "a code outside the preferred value set: {}", "できれば値集合のコードにしてください", "use a code of the set if you can", "FHIR R4 §4.1.5 preferred" }
    FHR104 = "FHR104" "fhir-unknown-code" Error { "コード体系にないコードです: {}", "the code system has no such code: {}", "コードと system を確かめてください", "check code and system", "FHIR R4 §4.1" }
    FHR105 = "FHR105" "fhir-other-display" Warning { "コードの表示名がコード体系のものと違います: {}", "the display is not that of the code system: {}", "コードが正しいか確かめ、表示名をコード体系のものにしてください", "check the code, and use the text of the system", "FHIR R4 §2.24.0.7" }
    FHR201 = "FHR201" "fhir-extension-url" Error { "拡張の url が絶対 URI ではありません", "the url of an extension is no absolute URI", "定義の URL を書いてください", "write the URL of its definition", "FHIR R4 §2.24.0.18" }
    FHR202 = "FHR202" "fhir-extension-unknown" Info { "定義の見つからない拡張です: {}", "an extension without a definition at hand: {}", "定義を含むパッケージを --ig で渡してください", "give the package that defines it with --ig", "FHIR R4 §2.5" }
    FHR203 = "FHR203" "fhir-extension-context" Error { "この拡張はここには置けません: {}", "this extension may not stand here: {}", "定義の context が許す要素に移してください", "move it to an element that its context allows", "FHIR R4 §5.4.8 context" }
    FHR204 = "FHR204" "fhir-extension-modifier" Error { "modifierExtension と extension の使い分けが定義と違います: {}", "extension and modifierExtension are not used as the definition says: {}", "定義の isModifier に従ってください", "follow isModifier of the definition", "FHIR R4 §2.5.3" }
    FHR205 = "FHR205" "fhir-modifier-unknown" Warning { "定義の見つからない modifierExtension です: {}", "a modifierExtension without a definition at hand: {}", "意味がわからないまま処理してはいけません。定義を --ig で渡してください", "it must not be processed without knowing its meaning: give its definition with --ig", "FHIR R4 §2.5.3" }
    FHR211 = "FHR211" "fhir-reference-unresolved" Error { "参照先がありません: {}", "the reference points at nothing: {}", "参照先を contained か Bundle に入れるか、参照を直してください", "put the target into contained or the Bundle, or mend the reference", "FHIR R4 §2.3.0" }
    FHR212 = "FHR212" "fhir-reference-target" Error { "参照先のリソースの型が許されていません: {}", "a reference to a type of resource that is not allowed: {}", "許された型を参照してください", "refer to one of the allowed types", "FHIR R4 §2.3.0" }
    FHR213 = "FHR213" "fhir-reference-form" Error { "参照の形が違います", "not the form of a reference", "型/id、絶対 URL、urn:uuid、#id のどれかにしてください", "write Type/id, an absolute URL, urn:uuid or #id", "FHIR R4 §2.3.0" }
    FHR214 = "FHR214" "fhir-reference-outside-bundle" Warning { "文書の Bundle に参照先がありません", "the target is not in the document Bundle", "参照先を entry に加えてください", "add the target as an entry", "FHIR R4 §3.3.2" }
    FHR221 = "FHR221" "fhir-full-url" Error { "fullUrl の形が違うか、リソースと合いません: {}", "fullUrl has the wrong form, or does not match the resource: {}", "絶対 URL (型/id で終わる) か urn:uuid にしてください", "write an absolute URL that ends in Type/id, or urn:uuid", "FHIR R4 §2.36.4 Bundle.entry.fullUrl" }
    FHR222 = "FHR222" "fhir-full-url-missing" Error { "fullUrl がありません", "fullUrl is missing", "fullUrl を入れてください", "give the entry a fullUrl", "FHIR R4 §2.36.4 Bundle.entry.fullUrl" }
    FHR301 = "FHR301" "fhir-profile-unknown" Warning { "プロファイルが見つからないため、検査していません: {}", "not checked, the profile is not at hand: {}", "プロファイルを含むパッケージを --ig で渡してください", "give the package that holds it with --ig", "FHIR R4 §5.1.0.12" }
    FHR302 = "FHR302" "fhir-dependency-missing" Warning { "依存パッケージがないため、検査していません: {}", "not checked, a package it depends on is not at hand: {}", "依存パッケージを加えてください", "add the package", "FHIR NPM package specification" }
    FHR303 = "FHR303" "fhir-profile-other-type" Error { "別の型のためのプロファイルです: {}", "a profile for another type: {}", "meta.profile を確かめてください", "check meta.profile", "FHIR R4 §5.1.0.12" }
    FHR304 = "FHR304" "fhir-code-not-checked" Info { "コードの所属を確かめていません: {}", "not checked whether the code is in the set: {}", "値集合かコード体系を含むパッケージを渡してください", "give the package that holds the value set or code system", "FHIR R4 §4.1.5" }
    FHR305 = "FHR305" "fhir-definition-defect" Info { "定義の誤りのため、検査していません: {}", "not checked, the definition is defective: {}", "ガイドの発行者に知らせてください", "tell the publisher of the guide", "FHIR R4 §5.4" }
    FHR306 = "FHR306" "fhir-profile-version" Info { "指定された版のプロファイルがないため、別の版で検査しました: {}", "checked with another version of the profile than the one named: {}", "その版のパッケージを --ig で渡してください", "give the package of that version with --ig", "FHIR R4 §2.26.0.2" }
    FHR307 = "FHR307" "fhir-too-deep" Error { "入れ子が深すぎるため、検査していません", "not checked, nested too deeply", "入れ子を減らしてください", "nest less deeply", "warifu: limits" }
}
