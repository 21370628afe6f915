//! Expressions and documents made to hurt: they end in an error or a value, within the limits.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use proptest::prelude::*;
use warifu_fhirpath::{
    Bounds, Doc, Engine, Env, EvalError, Evaluator, Item, Limits, SyntaxErrorKind, Value,
};
use warifu_json::{ROOT, parse};
use warifu_r4::{Core, annotate};

const PATIENT: &str = r##"{"resourceType":"Patient","id":"p","birthDate":"1974-12-25","_birthDate":
    {"extension":[{"url":"http://example.org/x","valueDecimal":1.50}]},"active":true,
    "name":[{"given":["a","b",null],"_given":[null,{"id":"g"},{"id":"h"}],"family":"割符"}],
    "contained":[{"resourceType":"Observation","id":"o","valueQuantity":{"value":1,"code":"mg",
    "system":"http://unitsofmeasure.org"}}],"generalPractitioner":[{"reference":"#o"}]}"##;

/// Number of results, within a tenth of the usual limits.
fn run(expression: &str, source: &str) -> Result<usize, EvalError> {
    let core = Core::builtin();
    let engine = Engine::new(core);
    let program = engine.compile(expression, Bounds::DEFAULT).unwrap();
    let tree = parse(source.as_bytes(), warifu_json::Limits::FHIR, core).tree;
    let typed = annotate(core, &tree, None);
    let doc = Doc {
        tree: &tree,
        typed: &typed,
    };
    let mut env = Env::new(doc);
    env.limits = Limits {
        work: 5_000_000,
        values: 200_000,
        text: 1_000_000,
    };
    let mut evaluator = Evaluator::new(&engine, env);
    let result = evaluator.evaluate(&program, Value::Item(Item::root(doc, ROOT)));
    result.map(<[Value<'_>]>::len)
}

fn refused(expression: &str) -> SyntaxErrorKind {
    let engine = Engine::new(Core::builtin());
    engine
        .compile(expression, Bounds::DEFAULT)
        .unwrap_err()
        .kind
}

#[test]
fn nesting_is_bounded_when_compiled() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(5_000), close.repeat(5_000));
    for (open, close) in [
        ("(", ")"),
        ("-", ""),
        ("iif(true,", ")"),
        ("a[", "]"),
        ("a.where(", ")"),
        ("(1 + ", ")"),
    ] {
        assert_eq!(
            refused(&deep(open, close)),
            SyntaxErrorKind::Bounds,
            "{open}"
        );
    }
    assert_eq!(
        refused(&format!("1{}", " is Integer".repeat(200))),
        SyntaxErrorKind::Bounds
    );
    assert_eq!(refused(&"a".repeat(100_000)), SyntaxErrorKind::Bounds);
}

#[test]
fn long_chains_are_no_nesting() {
    assert_eq!(run(&format!("1{}", " | 2".repeat(10_000)), PATIENT), Ok(2));
    assert_eq!(run(&format!("1{}", " + 1".repeat(10_000)), PATIENT), Ok(1));
    assert_eq!(
        run(&format!("true{}", " and true".repeat(6_000)), PATIENT),
        Ok(1)
    );
    assert_eq!(
        run(&format!("Patient{}", ".children()".repeat(5_000)), PATIENT),
        Ok(0)
    );
}

#[test]
fn loops_and_growth_end_at_the_limits() {
    for expression in [
        "repeatAll($this)",
        "(1).repeat($this + 1)",
        "(1).repeatAll(1 | 2)",
        "('a').repeat($this + $this)",
        "descendants().select(%resource.descendants()).select(%resource.descendants()).select(%resource.descendants())",
        "(1|2|3|4|5|6|7|8|9).aggregate($total | $total.select($this & $this) | $this.toString())",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.replace('a','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').replace('a','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').replace('a','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').replace('a','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.replaceMatches('a','$0$0$0$0$0$0$0$0').replaceMatches('a','$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0').replaceMatches('.*','$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0').replaceMatches('a','$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0')",
    ] {
        let result = run(expression, PATIENT);
        assert!(
            matches!(result, Err(EvalError::Limit) | Ok(_)),
            "{expression}: {result:?}"
        );
    }
    assert_eq!(run("repeatAll($this)", PATIENT), Err(EvalError::Limit));
    assert_eq!(run("(1).repeatAll(1 | 2)", PATIENT), Err(EvalError::Limit));
}

#[test]
fn regular_expressions_take_linear_time() {
    let text = "a".repeat(5_000);
    assert_eq!(
        run(&format!("'{text}!'.matches('^(a+)+$')"), PATIENT),
        Ok(1)
    );
    assert_eq!(
        run(&format!("'{text}!'.matches('(a|aa)+$')"), PATIENT),
        Ok(1)
    );
    assert_eq!(
        refused("'a'.matches('((a{1000}){1000}){1000}')"),
        SyntaxErrorKind::Pattern
    );
    assert_eq!(
        run("'a'.matches('((a{1000}){1000})' & '{1000}')", PATIENT),
        Err(EvalError::Pattern)
    );
    assert_eq!(
        run("'a'.matches('(' & 'a')", PATIENT),
        Err(EvalError::Pattern)
    );
}

#[test]
fn numbers_out_of_range_have_no_value() {
    for expression in [
        "2147483647 + 1",
        "-2147483648 - 1",
        "99999 * 99999",
        "10.power(10)",
        "12345678901234567890.5 * 12345678901234567890.5 * 12345678901234567890.5",
        "(-1).sqrt()",
        "0.ln()",
        "1000.exp()",
        "@9999-12-31 + 1 day",
        "@0001-01-01 - 1 day",
        "@2020-01-01 + 99999999999 years",
        "1 / 0",
        "1 mod 0",
        "1.0 / 0.0",
    ] {
        assert_eq!(run(expression, PATIENT), Ok(0), "{expression}");
    }
}

#[test]
fn large_documents_with_equal_values() {
    let names: Vec<String> = (0..20_000)
        .map(|n| format!("{{\"family\":\"f{n}\"}}"))
        .collect();
    let source = format!(
        "{{\"resourceType\":\"Patient\",\"name\":[{}]}}",
        names.join(",")
    );
    assert_eq!(run("name.family.isDistinct()", &source), Ok(1));
    assert_eq!(run("name.distinct().count()", &source), Ok(1));
    let same = format!(
        "{{\"resourceType\":\"Patient\",\"name\":[{}]}}",
        vec!["{\"given\":[\"g\"]}"; 20_000].join(",")
    );
    assert_eq!(run("name.distinct()", &same), Ok(1));
    let keys: Vec<String> = (0..20_000)
        .map(|n| format!("\"k{n}\":1,\"_k{n}\":{{}}"))
        .collect();
    assert_eq!(
        run("children().count()", &format!("{{{}}}", keys.join(","))),
        Err(EvalError::Limit)
    );
}

#[test]
fn twins_nulls_and_references() {
    assert_eq!(run("name.given", PATIENT), Ok(3));
    assert_eq!(run("name.given.id", PATIENT), Ok(2));
    assert_eq!(run("name.given.where(hasValue())", PATIENT), Ok(2));
    assert_eq!(
        run(
            "birthDate.extension('http://example.org/x').value.where($this = 1.5)",
            PATIENT
        ),
        Ok(1)
    );
    assert_eq!(
        run(
            "generalPractitioner.resolve().where($this is Observation)",
            PATIENT
        ),
        Ok(1)
    );
    assert_eq!(
        run("contained.value.where($this = 1000 'ug')", PATIENT),
        Ok(1)
    );
    assert_eq!(
        run(
            "memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')",
            PATIENT
        ),
        Ok(1)
    );
    assert_eq!(
        run("'male'.memberOf('http://example.org/none')", PATIENT),
        Err(EvalError::NotAvailable)
    );
}

/// Pieces that make most strings expressions.
fn expression() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "Patient",
        "name",
        "given",
        "family",
        "value",
        "$this",
        "$index",
        "$total",
        "%resource",
        "%x",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        "+",
        "-",
        "*",
        "/",
        "&",
        "|",
        "=",
        "~",
        "!=",
        "!~",
        "<",
        "<=",
        ">",
        "in",
        "contains",
        "and",
        "or",
        "xor",
        "implies",
        "is",
        "as",
        "div",
        "mod",
        "String",
        "FHIR.string",
        "1",
        "0",
        "1.5",
        "'a'",
        "'%$('",
        "@2015-02",
        "@T10:30",
        "@2015-02-04T14:34:28Z",
        "4 days",
        "1 'mg'",
        "true",
        "{}",
        ".where(",
        ".select(",
        ".repeat(",
        ".exists(",
        ".count()",
        ".first()",
        ".toString()",
        ".length()",
        ".aggregate(",
        ".sort(",
        ".round(",
        ".power(",
        ".lowBoundary(",
        ".highBoundary()",
        ".replace(",
        ".matches(",
        ".resolve()",
        ".descendants()",
        ".children()",
        ".type()",
        ".toQuantity()",
        ".split(",
        ".join(",
        ".iif(",
        ".substring(",
        ".encode(",
        ".decode(",
        ".htmlChecks()",
        ".distinct()",
        "defineVariable('v', ",
        " ",
        "/*",
        "//",
        "`",
        "'",
        "@",
        "割",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_expression_panics(text in expression()) {
        let core = Core::builtin();
        let engine = Engine::new(core);
        if let Ok(program) = engine.compile(&text, Bounds::DEFAULT) {
            let tree = parse(PATIENT.as_bytes(), warifu_json::Limits::FHIR, core).tree;
            let typed = annotate(core, &tree, None);
            let doc = Doc { tree: &tree, typed: &typed };
            let root = Item::root(doc, ROOT);
            let _ = engine.check(&program, root.of);
            let mut env = Env::new(doc);
            env.limits = Limits { work: 100_000, values: 10_000, text: 10_000 };
            let mut evaluator = Evaluator::new(&engine, env);
            let _ = evaluator.evaluate(&program, Value::Item(root)).map(<[Value<'_>]>::len);
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let _ = Engine::new(Core::builtin()).compile(&text, Bounds::DEFAULT);
    }
}
