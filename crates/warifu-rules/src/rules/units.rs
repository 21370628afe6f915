//! `SSM44x`: units of results and amounts (UCUM; SS-MIX2 単位の ASCII 表記 ISO+; MERIT-9).

use warifu_diag::Example::Lines;
use warifu_hl7::Part;
use warifu_terms::{systems, tables, units};

use crate::cx::Cx;
use crate::rule::{Check, field};

pub(crate) const CHECKS: &[Check] = &[field("OBX", 6, unit)];

warifu_diag::codes! {
    SSM441 = "SSM441" "unit-full-width" Info [safe] { "単位が全角です", "the unit is written in full-width characters", "半角で書いてください", "write it in ASCII", "SS-MIX2 OBX-6 (ISO+)";
        "全角の単位は、同じ単位の値と並べたり換算したりできません。", "A full-width unit matches no other and cannot be converted.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|ｇ／ｄＬ^ｇ／ｄＬ^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM442 = "SSM442" "unit-spelling" Info [safe] { "単位のつづりが標準と違います ({} と書けます)", "unusual spelling of the unit (write {})", "示した表記で書いてください", "use the spelling shown", "UCUM 2.1; SS-MIX2 OBX-6 (ISO+)";
        "mg/dl と mg/dL のような違いでも、文字列で比べる受け手では別の単位になります。", "To receivers that compare texts mg/dl and mg/dL are two units.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dl^g/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM443 = "SSM443" "unit-unknown" Info { "単位を UCUM の単位として特定できません", "the unit has no certain UCUM form", "UCUM か ISO+ の単位で書いてください", "use units of UCUM or ISO+", "UCUM 2.1; SS-MIX2 OBX-6 (ISO+)";
        "受け手は値を換算も比較もできません。", "Receivers can neither convert nor compare the value.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|×10^^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM444 = "SSM444" "unit-contradiction" Warning { "単位の記号と表示名が違う単位です", "symbol and display name are different units", "送り手で単位を確かめてください", "let the sender check the unit", "SS-MIX2 OBX-6";
        "どちらの単位かで値が十倍、千倍違います。", "Depending on which holds the value is off by a factor.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^mg/dL^ISO+|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
    SSM445 = "SSM445" "unit-in-display-only" Info [strict] { "単位の記号 (1 番目) がなく表示名だけです", "only the display name of the unit, no symbol in component 1", "ISO+ の記号を 1 番目に書いてください", "write the symbol of ISO+ in component 1", "SS-MIX2 OBX-6 (ISO+)";
        "表示名は施設ごとに違い、機械で比べられません。", "Display names differ from site to site.";
        Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|^g/dL|||||F") => Lines("OML-11", "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|||||F") }
}

/// Whether codes of a system are spelt by ISO+ or UCUM, so that a spelling can be mended. Those of MERIT-9
/// (`MG`) and of institutions are keys of their tables.
pub(crate) fn is_spelt(system: &str) -> bool {
    matches!(system, "" | "ISO+" | "UCUM")
}

/// A unit of UCUM as SS-MIX2 writes it in ASCII (ISO+).
fn iso_plus(ucum: &str) -> String {
    let own = ucum.replace("[iU]", "iu").replace("m[Hg]", "m(hg)");
    match own.as_str() {
        "Cel" => "cel".into(),
        "U" => "u".into(),
        text if text.starts_with("U/") => format!("u{}", text.trim_start_matches('U')),
        text if text.starts_with("10*") => format!(".{text}"),
        _ => own,
    }
}

/// Spellings of ISO+ that differ from UCUM by convention: they are right in OBX-6.
fn is_iso_plus(text: &str, ucum: &str) -> bool {
    let folded = |t: &str| {
        t.replace(['(', ')', '[', ']', '{', '}'], "")
            .trim_start_matches('.')
            .to_ascii_lowercase()
    };
    // `(hb)`, `.10*3/(hpf)`, `mm(hg)`: ISO+ has its own words, and no capitals in some units.
    matches!(text, "permil" | "pcs" | "hr" | "ml/hr" | "/hr") || text.contains('(')
        // The litre is a capital everywhere.
        || (!text.ends_with('l')
            && ((text.starts_with('.') && folded(text) == folded(ucum))
                || text.contains("iu/")
                || text.starts_with("u.")))
}

fn unit<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    let (symbol, display) = (at.comp(1), at.comp(2));
    let (text, shown) = (
        symbol.value().trimmed().text,
        display.value().trimmed().text,
    );
    if text.is_empty() {
        if !shown.is_empty() {
            cx.report(&SSM445, display);
        }
        return;
    }
    let Some(ucum) = units::text_to_ucum(text) else {
        if cx.text(2) == "NM" && units::text_to_ucum(shown).is_none() {
            cx.report(&SSM443, symbol);
        }
        return;
    };
    if text != shown && units::ucum(text, shown).is_none() {
        cx.report(&SSM444, at);
        return;
    }
    let system = systems::trim_name(at.comp(3).value().text);
    let own = iso_plus(ucum);
    let wanted = if system == "UCUM" { ucum } else { &own };
    // What is in braces is UCUM's, not a spelling; two units in brackets have a name in ISO+.
    let settled = text == ucum || text == wanted || wanted.contains(['{', '[']);
    if settled || !is_spelt(system) {
        return;
    }
    let (code, argument, titles) = if !text.is_ascii() {
        let titles = ("半角の単位にする", "write the unit in ASCII");
        (&SSM441, None, titles)
    } else if system == "UCUM" || !is_iso_plus(text, ucum) {
        let titles = ("標準のつづりにする", "use the standard spelling");
        (&SSM442, Some(wanted.to_owned().into()), titles)
    } else {
        return;
    };
    // Without a system it may be a key of MERIT-9 (`MG`): what it becomes is for somebody to say.
    let key = narrowed(text);
    if system.is_empty() && tables::table("MR9P", &key).is_some() {
        match argument {
            Some(argument) => cx.report_with(code, symbol, argument),
            None => cx.report(code, symbol),
        }
        return;
    }
    let mut edits = vec![(symbol, wanted.as_bytes().to_vec())];
    // The same text beside it has the same fault; another one, as ℃ beside cel, is a name.
    if text == shown && key.eq_ignore_ascii_case(wanted) {
        edits.push((display, wanted.as_bytes().to_vec()));
    }
    cx.report_fixes(code, symbol, argument, titles, edits);
}

/// Full-width ASCII as ASCII.
fn narrowed(text: &str) -> String {
    text.chars().map(super::coding::narrow).collect()
}
