//! The operators: each puts one fault into a document, where it can.

use serde_json::{Map, Value, json};

use crate::definitions::{Definitions, Element};
use crate::oracle::{Def, Node, Step, choice, find};

/// A document and what is defined for its values.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) nodes: Vec<Node>,
}

/// A change of a document.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Set(Vec<Step>, Value),
    Remove(Vec<Step>),
    /// At the end of a list.
    Push(Vec<Step>, Value),
    /// The name once more.
    Twice(Vec<Step>),
    All(Vec<Edit>),
}

/// One mutant.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    pub(crate) label: String,
    /// Places at which a finding names the fault, beside those that the oracle gives.
    pub(crate) places: Vec<String>,
    pub(crate) edit: Edit,
}

/// An operator.
pub(crate) struct Operator {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Case, &Definitions, &mut Vec<Mutant>),
}

const MARK: &str = "\u{1}";

impl Edit {
    /// The document after it.
    pub(crate) fn apply(&self, value: &Value) -> String {
        let mut value = value.clone();
        self.change(&mut value);
        value.to_string().replace("\\u0001\":", "\":")
    }

    fn change(&self, value: &mut Value) {
        match self {
            Self::Set(path, new) => put(value, path, new.clone()),
            Self::Remove(path) => {
                let (last, above) = path.split_last().unwrap();
                match (go(value, above), last) {
                    (Value::Object(map), Step::Key(key)) => {
                        map.remove(key);
                    }
                    (Value::Array(all), Step::Index(n)) => {
                        all.remove(*n);
                    }
                    _ => unreachable!("a path of this document"),
                }
            }
            Self::Push(path, new) => go(value, path).as_array_mut().unwrap().push(new.clone()),
            Self::Twice(path) => {
                let (last, above) = path.split_last().unwrap();
                let Step::Key(key) = last else { return };
                let map = go(value, above).as_object_mut().unwrap();
                let same = map[key].clone();
                map.insert(format!("{key}{MARK}"), same);
            }
            Self::All(edits) => edits.iter().for_each(|e| e.change(value)),
        }
    }
}

fn go<'v>(value: &'v mut Value, path: &[Step]) -> &'v mut Value {
    path.iter().fold(value, |v, step| match step {
        Step::Key(key) => &mut v[key],
        Step::Index(n) => &mut v[n],
    })
}

fn put(value: &mut Value, path: &[Step], new: Value) {
    let (last, above) = path.split_last().unwrap();
    match (go(value, above), last) {
        (Value::Object(map), Step::Key(key)) => {
            map.insert(key.clone(), new);
        }
        (Value::Array(all), Step::Index(n)) => all[*n] = new,
        _ => unreachable!("a path of this document"),
    }
}

impl Case {
    fn at(&self, node: &Node) -> Option<&Value> {
        find(&self.value, &node.path)
    }
    fn is_object(&self, node: &Node) -> bool {
        self.at(node).is_some_and(Value::is_object) && !node.path.is_empty()
    }
    fn is_primitive(&self, node: &Node) -> bool {
        self.at(node)
            .is_some_and(|v| !v.is_object() && !v.is_array() && !v.is_null())
            && !node.has_twin
            && node.of != "xhtml"
            && !node.place.ends_with(".resourceType")
    }
    fn primitives<'c>(&'c self, of: &'c [&str]) -> impl Iterator<Item = &'c Node> {
        self.nodes
            .iter()
            .filter(|n| of.contains(&&*n.of) && self.is_primitive(n))
    }
    /// How many names the object has in which a node stands.
    fn siblings(&self, node: &Node) -> usize {
        let steps = owner(node).len();
        find(&self.value, &node.path[..steps])
            .and_then(Value::as_object)
            .map_or(0, Map::len)
    }
    /// Nodes of resources.
    fn resources(&self) -> impl Iterator<Item = (&Node, &str)> {
        self.nodes.iter().filter_map(|n| {
            let of = self.at(n)?.get("resourceType")?.as_str()?;
            (n.of == of).then_some((n, of))
        })
    }
}

/// The path of the object in which a node stands.
fn owner(node: &Node) -> &[Step] {
    let n = node.path.len() - 1 - usize::from(node.of_list > 0);
    &node.path[..n]
}

/// The path of its list, or its own.
fn whole(node: &Node) -> &[Step] {
    &node.path[..=owner(node).len()]
}

fn below(path: &[Step], key: &str) -> Vec<Step> {
    let mut path = path.to_vec();
    path.push(Step::Key(key.to_owned()));
    path
}

/// Places of a node: its own, its list's, and those of what it stands in.
fn places(node: &Node) -> Vec<String> {
    let list = node
        .place
        .strip_suffix(']')
        .and_then(|p| p.rsplit_once('['))
        .map(|(p, _)| p.to_owned());
    let own = list.as_deref().unwrap_or(&node.place);
    let owner = own
        .strip_suffix(')')
        .map_or(own, |p| p.rsplit_once(".ofType(").map_or(p, |(p, _)| p));
    let stem = owner.to_owned();
    let owner = owner.rsplit_once('.').map(|(p, _)| p.to_owned());
    [Some(node.place.clone()), list, Some(stem), owner]
        .into_iter()
        .flatten()
        .collect()
}

fn mutant(node: &Node, edit: Edit) -> Mutant {
    Mutant {
        label: node.label(),
        places: places(node),
        edit,
    }
}

fn labelled(label: &str, place: &str, edit: Edit) -> Mutant {
    Mutant {
        label: label.to_owned(),
        places: vec![place.to_owned()],
        edit,
    }
}

fn set(out: &mut Vec<Mutant>, node: &Node, value: impl Into<Value>) {
    out.push(mutant(node, Edit::Set(node.path.clone(), value.into())));
}

fn e(def: &Def) -> &Element {
    &def.0.elements[def.1]
}

/// Takes away a value that stands alone or in a list; nothing empty is left.
fn without(case: &Case, node: &Node) -> Option<Edit> {
    if node.has_twin || (node.of_list <= 1 && case.siblings(node) < 2) {
        return None;
    }
    // The only value of a list goes with it.
    let path = if node.of_list == 1 {
        whole(node)
    } else {
        &node.path
    };
    Some(Edit::Remove(path.to_vec()))
}

fn required_core(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| !n.path.is_empty()) {
        if node.element().min > 0
            && node.of_list < 2
            && node.element().path.contains('.')
            && let Some(edit) = without(case, node)
        {
            out.push(mutant(node, edit));
        }
    }
}

fn required_profile(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| !n.path.is_empty()) {
        let wanted = node
            .profiles
            .iter()
            .any(|d| e(d).slice.is_none() && e(d).min > 0 && e(d).path.contains('.'));
        if wanted
            && node.element().min == 0
            && node.of_list < 2
            && let Some(edit) = without(case, node)
        {
            out.push(mutant(node, edit));
        }
    }
}

fn slice_min(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| !n.path.is_empty()) {
        if node
            .profiles
            .iter()
            .any(|d| e(d).slice.is_some() && e(d).min > 0 && node.element().is_list)
            && node.of_list > 1
            && let Some(edit) = without(case, node)
        {
            out.push(mutant(node, edit));
        }
    }
}

/// A value once more, where a profile allows one.
fn once_more(case: &Case, out: &mut Vec<Mutant>, slices: bool) {
    for node in case.nodes.iter().filter(|n| n.of_list > 0) {
        let one = node
            .profiles
            .iter()
            .any(|d| e(d).slice.is_some() == slices && e(d).max == Some(1));
        // Entries have names of their own.
        if one && node.element().is_list && !node.has_twin && node.element().path != "Bundle.entry"
        {
            let same = case.at(node).unwrap().clone();
            let mut own = mutant(node, Edit::Push(whole(node).to_vec(), same));
            own.places
                .push(format!("{}[{}]", own.places[1], node.of_list));
            out.push(own);
        }
    }
}

fn max_profile(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    once_more(case, out, false);
}

fn slice_max(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    once_more(case, out, true);
}

/// A small value of a type.
fn sample(of: &str) -> Option<Value> {
    Some(match of {
        "string" | "markdown" => json!("x"),
        "boolean" => json!(true),
        "dateTime" | "date" => json!("2024-01-01"),
        "instant" => json!("2024-01-01T00:00:00Z"),
        "time" => json!("10:00:00"),
        "integer" | "positiveInt" | "unsignedInt" | "decimal" => json!(3),
        "uri" | "url" => json!("http://example.org/x"),
        "CodeableConcept" | "Annotation" | "HumanName" | "Address" => json!({"text": "x"}),
        "Reference" | "Coding" => json!({"display": "x"}),
        "Identifier" => json!({"value": "x"}),
        "Period" => json!({"start": "2024-01-01"}),
        "Quantity" => json!({"value": 1}),
        "ContactPoint" => json!({"system": "phone", "value": "1"}),
        "Range" => json!({"low": {"value": 1}}),
        "Ratio" => json!({"numerator": {"value": 1}, "denominator": {"value": 2}}),
        _ => return None,
    })
}

/// An element that a profile forbids.
fn prohibited(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in &case.nodes {
        let Some(Value::Object(there)) = case.at(node) else {
            continue;
        };
        let Some(core) = node.below.first() else {
            continue;
        };
        for def in &node.below[1..] {
            for n in &e(def).children {
                let child = &def.0.elements[*n];
                let Some(own) = e(core)
                    .children
                    .iter()
                    .map(|c| &core.0.elements[*c])
                    .find(|c| c.name == child.name)
                else {
                    continue;
                };
                let Some(of) = own.types.first() else {
                    continue;
                };
                let (stem, key) = match child.name.strip_suffix("[x]") {
                    Some(stem) => (stem, format!("{stem}{}", choice(&of.code))),
                    None => (&*child.name, child.name.clone()),
                };
                if child.max != Some(0) || there.keys().any(|k| k.starts_with(stem)) {
                    continue;
                }
                let Some(value) = sample(&of.code) else {
                    continue;
                };
                let place = format!("{}.{stem}", node.place);
                let mut all = vec![place.clone(), node.place.clone(), format!("{place}[0]")];
                let value = if own.is_list { json!([value]) } else { value };
                if child.name.ends_with("[x]") {
                    all.push(format!("{place}.ofType({})", of.code));
                }
                out.push(Mutant {
                    label: own.path.clone(),
                    places: all,
                    edit: Edit::Set(below(&node.path, &key), value),
                });
            }
        }
    }
}

/// A value that belongs to no slice, where those are all.
fn slice_closed(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| n.of_list > 0) {
        let closed = node
            .profiles
            .iter()
            .any(|d| e(d).closed && !e(d).slices.is_empty());
        if !closed {
            continue;
        }
        let value = match &*node.of {
            "Coding" => json!({"system": "http://example.org/none", "code": "none"}),
            "Identifier" => json!({"system": "http://example.org/none", "value": "none"}),
            "Extension" => json!({"url": "http://example.org/none", "valueBoolean": true}),
            "BackboneElement" if node.element().path == "Composition.section" => {
                json!({"code": {"coding": [{"system": "http://example.org/none", "code": "none"}]},
                    "text": {"status": "generated", "div": NARRATIVE}})
            }
            "BackboneElement" if node.element().path == "Bundle.entry" => {
                json!({"fullUrl": "urn:uuid:0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0e",
                    "resource": {"resourceType": "Basic", "code": {"text": "x"}}})
            }
            _ => continue,
        };
        let mut own = mutant(node, Edit::Push(whole(node).to_vec(), value));
        let list = own.places[1].clone();
        own.places.push(format!("{list}[{}]", node.of_list));
        out.push(own);
    }
}

fn json_type(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| case.is_primitive(n)) {
        let other = match case.at(node).unwrap() {
            Value::String(_) => json!(1),
            v => json!(v.to_string()),
        };
        set(out, node, other);
    }
}

fn object_for_primitive(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| case.is_primitive(n)) {
        set(out, node, json!({"value": case.at(node).unwrap()}));
    }
}

fn primitive_for_object(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case
        .nodes
        .iter()
        .filter(|n| case.is_object(n) && !n.has_twin)
    {
        set(out, node, "text");
    }
}

fn list_for_one(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case
        .nodes
        .iter()
        .filter(|n| !n.path.is_empty() && !n.has_twin)
    {
        if !node.element().is_list && node.of_list == 0 && node.element().path.contains('.') {
            set(out, node, json!([case.at(node).unwrap()]));
        }
    }
}

fn one_for_list(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| n.of_list == 1 && !n.has_twin) {
        let one = case.at(node).unwrap().clone();
        out.push(mutant(node, Edit::Set(whole(node).to_vec(), one)));
    }
}

fn empty_string(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| case.is_primitive(n)) {
        if case.at(node).unwrap().is_string() {
            set(out, node, "");
        }
    }
}

fn empty_list(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| n.of_list > 0 && !n.has_twin) {
        out.push(mutant(node, Edit::Set(whole(node).to_vec(), json!([]))));
    }
}

fn empty_object(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| case.is_object(n)) {
        if !case
            .at(node)
            .unwrap()
            .as_object()
            .unwrap()
            .contains_key("resourceType")
        {
            set(out, node, json!({}));
        }
    }
}

fn null(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case
        .nodes
        .iter()
        .filter(|n| !n.path.is_empty() && !n.has_twin)
    {
        set(out, node, Value::Null);
    }
}

fn duplicate_key(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case
        .nodes
        .iter()
        .filter(|n| !n.path.is_empty() && n.of_list < 2)
    {
        if case.at(node).is_some() {
            out.push(mutant(node, Edit::Twice(whole(node).to_vec())));
        }
    }
}

fn unknown_element(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case
        .nodes
        .iter()
        .filter(|n| case.is_object(n) || n.path.is_empty())
    {
        let mut own = mutant_at(node, Edit::Set(below(&node.path, "remarks"), json!("x")));
        own.places.push(format!("{}.remarks", node.place));
        out.push(own);
    }
}

/// Like `mutant`, for the root as well.
fn mutant_at(node: &Node, edit: Edit) -> Mutant {
    Mutant {
        label: node.label(),
        places: vec![node.place.clone()],
        edit,
    }
}

fn misspelt(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case
        .nodes
        .iter()
        .filter(|n| !n.path.is_empty() && n.of_list < 2)
    {
        let path = whole(node);
        let Some(Step::Key(key)) = path.last() else {
            continue;
        };
        let wanted = node.element().min > 0 || node.profiles.iter().any(|d| e(d).min > 0);
        if wanted || node.has_twin || case.at(node).is_none() {
            continue;
        }
        let value = find(&case.value, path).unwrap().clone();
        let above = &path[..path.len() - 1];
        let edits = vec![
            Edit::Remove(path.to_vec()),
            Edit::Set(below(above, &format!("{key}X")), value),
        ];
        let mut own = mutant(node, Edit::All(edits));
        let owner = own.places.last().unwrap().clone();
        own.places.push(format!("{owner}.{key}X"));
        out.push(own);
    }
}

fn wrong_case(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for (node, of) in case.resources() {
        for wrong in [of.to_lowercase(), format!("{of}s"), String::new()] {
            let path = below(&node.path, "resourceType");
            let edit = if wrong.is_empty() {
                Edit::Remove(path)
            } else {
                Edit::Set(path, json!(wrong))
            };
            let mut own = mutant_at(node, edit);
            own.places.push(format!("{}.resourceType", node.place));
            // The place of a root without a type has no name.
            if node.path.is_empty() {
                own.places.push("(root)".to_owned());
                own.places.push("(root).resourceType".to_owned());
            }
            out.push(own);
        }
    }
}

/// Each bad value at each value of the types; a label is a path and the value's number.
fn replaced(case: &Case, out: &mut Vec<Mutant>, of: &[&str], bad: &[&str]) {
    for node in case.primitives(of) {
        for (n, text) in bad.iter().enumerate() {
            let mut own = mutant(node, Edit::Set(node.path.clone(), json!(text)));
            own.label = format!("{} {}", own.label, n + 1);
            out.push(own);
        }
    }
}

fn bad_number(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.primitives(&["integer", "positiveInt", "unsignedInt"]) {
        let bad = match &*node.of {
            "integer" => json!(1.5),
            "positiveInt" => json!(0),
            _ => json!(-1),
        };
        set(out, node, bad);
        set(out, node, json!(2_147_483_648_u64));
    }
}

fn bad_code(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for (n, node) in case.primitives(&["code"]).enumerate() {
        let Some(text) = case.at(node).unwrap().as_str() else {
            continue;
        };
        set(
            out,
            node,
            if n % 2 == 0 {
                format!(" {text}")
            } else {
                format!("{text}  x")
            },
        );
    }
}

fn bad_id(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    replaced(case, out, &["id"], &["a_b", "a/b", "識別"]);
}

fn long_id(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    let long = "a".repeat(65);
    replaced(case, out, &["id"], &[&long]);
}

const URIS: &[&str] = &["uri", "url", "canonical"];

fn bad_uri(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    replaced(case, out, URIS, &["http://example.org/a b", "a\tb"]);
}

fn bad_urn(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    replaced(
        case,
        out,
        URIS,
        &["urn:uuid:1234", "urn:oid:9.x", "urn:oid:1.02.3"],
    );
}

fn bad_base64(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    replaced(case, out, &["base64Binary"], &["QUJ", "あ", "Q?=="]);
    // Few examples carry data: signatures and attachments get some.
    for node in case.nodes.iter().filter(|n| n.of == "Attachment") {
        let there = case.at(node).and_then(|v| v.get("data"));
        if there.is_none() {
            for bad in ["QUJ", "Q?=="] {
                let mut own = mutant_at(node, Edit::Set(below(&node.path, "hash"), json!(bad)));
                own.places.push(format!("{}.hash", node.place));
                out.push(own);
            }
        }
    }
}

fn bad_date(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    replaced(
        case,
        out,
        &["date"],
        &[
            "2024-1-1",
            "20240101",
            "2024-13-01",
            "24",
            "2024-01-01T00:00:00Z",
        ],
    );
}

fn no_such_day(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    replaced(case, out, &["date"], &["2023-02-29", "2024-04-31"]);
    replaced(
        case,
        out,
        &["dateTime"],
        &["2023-02-29", "2024-06-31T10:00:00+09:00"],
    );
    replaced(case, out, &["instant"], &["2023-02-30T10:00:00+09:00"]);
}

fn bad_date_time(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    replaced(
        case,
        out,
        &["dateTime"],
        &[
            "2024-01-01T10:00:00",
            "2024-01-01T10:00Z",
            "2024-01-01 10:00:00",
            "2024-01-01T25:00:00Z",
            "2024/01/01",
        ],
    );
}

fn bad_instant(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    replaced(
        case,
        out,
        &["instant"],
        &["2024-01-01", "2024-01-01T10:00:00", "2024-01"],
    );
}

fn code_core(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.primitives(&["code"]) {
        if node.element().required.is_some() {
            set(out, node, "no-such-code");
        }
    }
}

/// The nodes of codings that a node has: itself, or those of a concept; or the code.
fn bound_by_profile(node: &Node) -> bool {
    node.profiles.iter().any(|d| e(d).required.is_some()) && node.element().required.is_none()
}

fn code_profile(case: &Case, d: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| bound_by_profile(n)) {
        let known = node
            .profiles
            .iter()
            .filter_map(|def| e(def).required.as_deref());
        // Sets that nobody can judge are no place for a fault.
        if !known
            .into_iter()
            .any(|s| d.member(s, Some("x"), "no-such-code") == Some(false))
        {
            continue;
        }
        let one = |own: &Value| {
            let mut own = own.clone();
            own["system"] = json!("http://example.org/codes");
            own["code"] = json!("no-such-code");
            own
        };
        let new = match (&*node.of, case.at(node).unwrap()) {
            ("Coding", v) => one(v),
            ("CodeableConcept", v) if v.get("coding").is_some() => {
                let mut v = v.clone();
                let codings = v["coding"].as_array().unwrap().iter().map(one).collect();
                v["coding"] = Value::Array(codings);
                v
            }
            ("code", _) => json!("no-such-code"),
            _ => continue,
        };
        set(out, node, new);
    }
}

fn unknown_code(case: &Case, d: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| n.of == "Coding") {
        let Some(v) = case.at(node) else { continue };
        let system = v.get("system").and_then(Value::as_str).unwrap_or_default();
        let code = v.get("code").and_then(Value::as_str).unwrap_or_default();
        if d.has_code(system, code) == Some(true) && v.get("_code").is_none() {
            let mut own = mutant(
                node,
                Edit::Set(below(&node.path, "code"), json!("no-such-code")),
            );
            own.places.push(format!("{}.code", node.place));
            out.push(own);
        }
    }
}

/// Whether a definition holds for a value wherever it belongs: in no slice, or in one that must be there.
fn binds(def: &Def) -> bool {
    let id = &e(def).id;
    let slice = id.rfind(':').map(|colon| {
        let end = id[colon..].find('.').map_or(id.len(), |dot| colon + dot);
        &id[..end]
    });
    match slice {
        // The url of an extension names its definition.
        None => id != "Extension.url",
        Some(slice) => def.0.elements.iter().any(|e| e.id == slice && e.min > 0),
    }
}

fn wrong_system(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.primitives(URIS) {
        let fixed = node
            .profiles
            .iter()
            .any(|d| (e(d).fixed.is_some() || e(d).pattern.is_some()) && binds(d));
        if node.element().name == "system" && fixed {
            set(out, node, "http://example.org/other");
        }
    }
}

fn altered(value: &Value) -> Option<Value> {
    Some(match value {
        Value::String(s) => json!(format!("{s}x")),
        Value::Bool(b) => json!(!b),
        Value::Number(n) => json!(n.as_f64()? + 1.0),
        Value::Array(all) => {
            let mut all = all.clone();
            all[0] = altered(&all[0])?;
            Value::Array(all)
        }
        Value::Object(map) => {
            let mut map = map.clone();
            let key = ["code", "coding", "system", "value"]
                .into_iter()
                .find(|k| map.contains_key(*k))?;
            let new = altered(&map[key])?;
            map.insert(key.to_owned(), new);
            Value::Object(map)
        }
        Value::Null => return None,
    })
}

fn fixed_altered(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| !n.path.is_empty()) {
        if node
            .profiles
            .iter()
            .any(|d| e(d).fixed.is_some() && binds(d))
            && node.of != "xhtml"
            && let Some(new) = case.at(node).and_then(altered)
        {
            set(out, node, new);
        }
    }
}

fn pattern_altered(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| !n.path.is_empty()) {
        if node
            .profiles
            .iter()
            .any(|d| e(d).pattern.is_some() && binds(d))
            && let Some(new) = case.at(node).and_then(altered)
        {
            set(out, node, new);
        }
    }
}

fn references(case: &Case) -> impl Iterator<Item = &Node> {
    case.nodes
        .iter()
        .filter(|n| n.of == "Reference" && case.at(n).is_some_and(|v| v.get("reference").is_some()))
}

fn refer(node: &Node, to: &str) -> Mutant {
    let mut own = mutant(node, Edit::Set(below(&node.path, "reference"), json!(to)));
    own.places.push(format!("{}.reference", node.place));
    own
}

fn reference_type(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in references(case) {
        let any = node.element().types.iter().any(|t| t.targets.is_empty());
        if !any {
            out.push(refer(node, "Binary/1"));
        }
    }
}

fn reference_contained(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    out.extend(references(case).map(|n| refer(n, "#nothing")));
}

fn reference_urn(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    if case.value["resourceType"] == "Bundle" {
        let to = "urn:uuid:0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0f";
        out.extend(references(case).map(|n| refer(n, to)));
    }
}

fn reference_form(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    out.extend(references(case).map(|n| refer(n, "patient1")));
}

/// Contained resources that break a rule of `DomainResource`.
fn contained(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    const NOT: &[&str] = &["Bundle", "Binary", "Parameters"];
    for (node, of) in case.resources() {
        let above = node.place.contains(".contained");
        if NOT.contains(&of) || above {
            continue;
        }
        let path = below(&node.path, "contained");
        let there = find(&case.value, &path).and_then(Value::as_array).cloned();
        let note = |inner: Value| {
            let mut v = json!({"resourceType": "Basic", "id": "added", "code": {"text": "x"}});
            v.as_object_mut()
                .unwrap()
                .extend(inner.as_object().unwrap().clone());
            v
        };
        // The one contained speaks of its container, so that only the rule meant is broken.
        let used = json!({"subject": {"reference": "#"}});
        let with = |mut v: Value| {
            v.as_object_mut()
                .unwrap()
                .extend(used.as_object().unwrap().clone());
            v
        };
        let all = [
            ("dom-3", note(json!({}))),
            (
                "dom-2",
                note(with(
                    json!({"contained": [{"resourceType": "Basic", "id": "inner", "code": {"text": "x"}, "subject": {"reference": "#"}}]}),
                )),
            ),
            ("dom-4", note(with(json!({"meta": {"versionId": "1"}})))),
            (
                "dom-5",
                note(with(json!({"meta": {"security": [{"code": "x"}]}}))),
            ),
        ];
        for (key, value) in all {
            let mut list = there.clone().unwrap_or_default();
            list.push(value);
            let n = list.len() - 1;
            let place = format!("{}.contained[{n}]", node.place);
            let mut own = labelled(
                key,
                &node.place,
                Edit::Set(path.clone(), Value::Array(list)),
            );
            own.places.push(place);
            out.push(own);
        }
    }
}

fn bundles(case: &Case) -> impl Iterator<Item = &Node> {
    case.resources()
        .filter(|(_, of)| *of == "Bundle")
        .map(|(n, _)| n)
}

fn entries(case: &Case) -> impl Iterator<Item = &Node> {
    case.nodes
        .iter()
        .filter(|n| n.element().path == "Bundle.entry")
}

fn full_url(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in entries(case) {
        let path = below(&node.path, "fullUrl");
        let place = format!("{}.fullUrl", node.place);
        let mut push = |label: &str, edit: Edit| {
            let mut own = labelled(label, &node.place, edit);
            own.places.push(place.clone());
            out.push(own);
        };
        if find(&case.value, &path).is_none() {
            continue;
        }
        push("missing", Edit::Remove(path.clone()));
        for (label, url) in [
            ("relative", "Patient/1"),
            ("word", "patient"),
            ("other id", "http://example.org/fhir/Basic/other"),
            ("bad uuid", "urn:uuid:abc"),
        ] {
            push(label, Edit::Set(path.clone(), json!(url)));
        }
    }
}

/// Rules of Bundles.
fn bundle_rules(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in bundles(case) {
        let v = case.at(node).unwrap();
        let key = |k: &str| below(&node.path, k);
        let mut own = Vec::new();
        let mut push = |label: &str, edit: Edit| own.push(labelled(label, &node.place, edit));
        push("bdl-1", Edit::Set(key("total"), json!(1)));
        for k in ["identifier", "timestamp"] {
            if v.get(k).is_some() {
                push(k, Edit::Remove(key(k)));
            }
        }
        let Some(all) = v.get("entry").and_then(Value::as_array) else {
            out.append(&mut own);
            continue;
        };
        for n in 0..all.len().min(4) {
            let mut at = key("entry");
            at.push(Step::Index(n));
            push(
                "bdl-2",
                Edit::Set(below(&at, "search"), json!({"mode": "match"})),
            );
            push(
                "bdl-3",
                Edit::Set(
                    below(&at, "request"),
                    json!({"method": "GET", "url": "Patient/1"}),
                ),
            );
            push(
                "bdl-4",
                Edit::Set(below(&at, "response"), json!({"status": "200"})),
            );
        }
        if all.len() > 1 {
            // The Composition goes to the end.
            let mut moved = all.clone();
            moved.rotate_left(1);
            push("bdl-11", Edit::Set(key("entry"), Value::Array(moved)));
            for n in 1..all.len().min(4) {
                let mut at = key("entry");
                at.push(Step::Index(n));
                if let Some(url) = all[0].get("fullUrl") {
                    push("bdl-7", Edit::Set(below(&at, "fullUrl"), url.clone()));
                }
            }
        }
        for (n, entry) in all.iter().enumerate().take(4) {
            let Some(url) = entry.get("fullUrl").and_then(Value::as_str) else {
                continue;
            };
            let mut at = key("entry");
            at.push(Step::Index(n));
            let versioned = format!("http://example.org/fhir/{}/_history/1", url.len());
            let edit = Edit::Set(below(&at, "fullUrl"), json!(versioned));
            let mut last = labelled("bdl-8", &node.place, edit);
            last.places.push(format!("{}.entry[{n}]", node.place));
            last.places
                .push(format!("{}.entry[{n}].fullUrl", node.place));
            own.push(last);
        }
        out.append(&mut own);
    }
}

fn extensions(case: &Case) -> impl Iterator<Item = (&Node, &Map<String, Value>)> {
    case.nodes
        .iter()
        .filter(|n| n.of == "Extension")
        .filter_map(|n| Some((n, case.at(n)?.as_object()?)))
}

fn value_key(map: &Map<String, Value>) -> Option<String> {
    map.keys().find(|k| k.starts_with("value")).cloned()
}

fn extension_empty(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for (node, map) in extensions(case) {
        if let Some(key) = value_key(map) {
            out.push(mutant(node, Edit::Remove(below(&node.path, &key))));
        }
    }
}

fn extension_both(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for (node, map) in extensions(case) {
        if value_key(map).is_some() && !map.contains_key("extension") {
            let inner = json!([{"url": "http://example.org/x", "valueBoolean": true}]);
            out.push(mutant(
                node,
                Edit::Set(below(&node.path, "extension"), inner),
            ));
        }
    }
}

fn extension_value_type(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for (node, map) in extensions(case) {
        if let Some(key) = value_key(map)
            && node.below.len() > 1
        {
            let (other, value) = if key == "valueTime" {
                ("valueBoolean", json!(true))
            } else {
                ("valueTime", json!("10:00:00"))
            };
            let mut own = mutant(
                node,
                Edit::All(vec![
                    Edit::Remove(below(&node.path, &key)),
                    Edit::Set(below(&node.path, other), value),
                ]),
            );
            for tail in ["value", "value.ofType(time)", "value.ofType(boolean)"] {
                own.places.push(format!("{}.{tail}", node.place));
            }
            out.push(own);
        }
    }
}

fn extension_url(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for (node, _) in extensions(case) {
        let path = below(&node.path, "url");
        for edit in [Edit::Remove(path.clone()), Edit::Set(path, json!("a b"))] {
            let mut own = mutant(node, edit);
            own.places.push(format!("{}.url", node.place));
            out.push(own);
        }
    }
}

fn modifier_unknown(case: &Case, d: &Definitions, out: &mut Vec<Mutant>) {
    for (node, map) in extensions(case) {
        let url = map.get("url").and_then(Value::as_str).unwrap_or_default();
        let known = d.profile(url).is_some_and(|p| !p.is_modifier);
        let path = whole(node);
        let Some((Step::Key(key), above)) = path.split_last() else {
            continue;
        };
        // A known extension as modifier, where elements may have such.
        let is_backbone = above.is_empty() || node.element().path.matches('.').count() > 1;
        if known && is_backbone && key == "extension" && node.of_list == 1 {
            let value = find(&case.value, path).unwrap().clone();
            let edits = vec![
                Edit::Remove(path.to_vec()),
                Edit::Set(below(above, "modifierExtension"), value),
            ];
            let mut own = mutant(node, Edit::All(edits));
            let place = own.places.last().unwrap().clone();
            own.places.push(format!("{place}.modifierExtension[0].url"));
            out.push(own);
        }
    }
}

/// Extensions of core at places that their context does not allow.
fn extension_context(case: &Case, d: &Definitions, out: &mut Vec<Mutant>) {
    const ALL: &[(&str, &str)] = &[
        (
            "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
            "valueAddress",
        ),
        (
            "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation",
            "valueCode",
        ),
        (
            "http://hl7.org/fhir/StructureDefinition/observation-bodyPosition",
            "valueCodeableConcept",
        ),
    ];
    for node in case.nodes.iter().filter(|n| {
        matches!(
            &*n.of,
            "Identifier" | "Period" | "Meta" | "Reference" | "CodeableConcept"
        )
    }) {
        let Some(v) = case.at(node) else { continue };
        if v.get("extension").is_some() {
            continue;
        }
        for (url, key) in ALL {
            if d.profile(url).is_none() {
                continue;
            }
            let value = match *key {
                "valueCode" => json!("SYL"),
                _ => json!({"text": "x"}),
            };
            let extension = json!([{"url": url, *key: value}]);
            let mut own = mutant_at(node, Edit::Set(below(&node.path, "extension"), extension));
            own.places.push(format!("{}.extension[0].url", node.place));
            own.places.push(format!("{}.extension[0]", node.place));
            out.push(own);
        }
    }
}

fn period(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case
        .nodes
        .iter()
        .filter(|n| n.of == "Period" && case.is_object(n))
    {
        set(
            out,
            node,
            json!({"start": "2024-02-02", "end": "2024-01-01"}),
        );
    }
}

fn two_choices(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| !n.path.is_empty()) {
        let Some(stem) = node.element().name.strip_suffix("[x]") else {
            continue;
        };
        let Some((of, value)) = node
            .element()
            .types
            .iter()
            .filter(|t| t.code != node.of)
            .find_map(|t| Some((&t.code, sample(&t.code)?)))
        else {
            continue;
        };
        let key = format!("{stem}{}", choice(of));
        let mut own = mutant(node, Edit::Set(below(owner(node), &key), value));
        let place = own.places.last().unwrap().clone();
        own.places.push(format!("{place}.{stem}.ofType({of})"));
        out.push(own);
    }
}

/// A type that core allows and a profile does not.
fn choice_of_profile(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case.nodes.iter().filter(|n| !n.path.is_empty()) {
        let Some(stem) = node.element().name.strip_suffix("[x]") else {
            continue;
        };
        let Some(def) = node
            .profiles
            .iter()
            .find(|d| e(d).slice.is_none() && e(d).types.len() < node.element().types.len())
        else {
            continue;
        };
        let allowed: Vec<_> = e(def).types.iter().map(|t| &t.code).collect();
        for (of, value) in node
            .element()
            .types
            .iter()
            .filter(|t| !allowed.contains(&&t.code))
            .filter_map(|t| Some((&t.code, sample(&t.code)?)))
        {
            let key = format!("{stem}{}", choice(of));
            let edits = vec![
                Edit::Remove(node.path.clone()),
                Edit::Set(below(owner(node), &key), value),
            ];
            let mut own = mutant(node, Edit::All(edits));
            let place = own.places.last().unwrap().clone();
            own.places.push(format!("{place}.{stem}.ofType({of})"));
            out.push(own);
        }
    }
}

/// Invariants of core types.
fn invariants(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in &case.nodes {
        let Some(Value::Object(map)) = case.at(node) else {
            continue;
        };
        let key = |k: &str| below(&node.path, k);
        let mut push = |label: &str, edit: Edit| out.push(labelled(label, &node.place, edit));
        let of = if node.element().path.contains('.') && node.of == "BackboneElement" {
            &node.element().path
        } else {
            &node.of
        };
        match &**of {
            "Quantity" if map.contains_key("code") && map.contains_key("system") => {
                push("qty-3", Edit::Remove(key("system")));
            }
            "ContactPoint" if map.contains_key("system") && map.contains_key("value") => {
                push("cpt-2", Edit::Remove(key("system")));
            }
            "Attachment" if map.contains_key("data") && map.contains_key("contentType") => {
                push("att-1", Edit::Remove(key("contentType")));
            }
            "Observation"
                if map.keys().any(|k| k.starts_with("value"))
                    && !map.contains_key("dataAbsentReason") =>
            {
                push(
                    "obs-6",
                    Edit::Set(key("dataAbsentReason"), json!({"text": "x"})),
                );
            }
            "Observation" if !map.contains_key("referenceRange") => push(
                "obs-3",
                Edit::Set(
                    key("referenceRange"),
                    json!([{"appliesTo": [{"text": "x"}]}]),
                ),
            ),
            "Patient" if !map.contains_key("contact") => {
                push(
                    "pat-1",
                    Edit::Set(key("contact"), json!([{"gender": "male"}])),
                );
            }
            "Composition" => push("cmp-1", Edit::Push(key("section"), json!({"title": "x"}))),
            "Timing" if !map.contains_key("repeat") => {
                push("tim-1", Edit::Set(key("repeat"), json!({"duration": 1})));
                push("tim-2", Edit::Set(key("repeat"), json!({"period": 1})));
            }
            _ => {}
        }
        if let Some(last) = out.last_mut() {
            let below = match &*last.label {
                "obs-3" => "referenceRange[0]".to_owned(),
                "pat-1" => "contact[0]".to_owned(),
                "cmp-1" => {
                    let n = map
                        .get("section")
                        .and_then(Value::as_array)
                        .map_or(0, Vec::len);
                    format!("section[{n}]")
                }
                "tim-1" | "tim-2" => "repeat".to_owned(),
                _ => continue,
            };
            last.places.push(format!("{}.{below}", node.place));
        }
    }
}

const NARRATIVE: &str = "<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>";

fn narrative(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for (node, _) in case.resources() {
        let div = below(&below(&node.path, "text"), "div");
        if !find(&case.value, &div).is_some_and(Value::is_string) {
            continue;
        }
        let open = "<div xmlns=\"http://www.w3.org/1999/xhtml\">";
        for (label, text) in [
            ("script", format!("{open}x<script>alert(1)</script></div>")),
            ("handler", format!("{open}<p onclick=\"x()\">x</p></div>")),
            ("form", format!("{open}<form><input/>x</form></div>")),
            (
                "iframe",
                format!("{open}x<iframe src=\"a\"></iframe></div>"),
            ),
            ("namespace", "<div>x</div>".to_owned()),
            ("empty", format!("{open} </div>")),
            ("open", format!("{open}<p>x</div>")),
            (
                "root",
                "<p xmlns=\"http://www.w3.org/1999/xhtml\">x</p>".to_owned(),
            ),
        ] {
            let place = format!("{}.text", node.place);
            let mut own = labelled(label, &place, Edit::Set(div.clone(), json!(text)));
            own.places.push(format!("{place}.div"));
            out.push(own);
        }
    }
}

fn profile_of_other_type(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for (node, of) in case.resources() {
        let other = if of == "Patient" {
            "Organization"
        } else {
            "Patient"
        };
        let path = below(&below(&node.path, "meta"), "profile");
        if find(&case.value, &path).is_none() {
            continue;
        }
        let url = format!("http://jpfhir.jp/fhir/core/StructureDefinition/JP_{other}");
        let n = find(&case.value, &path)
            .and_then(Value::as_array)
            .unwrap()
            .len();
        let mut own = labelled(
            of,
            &format!("{}.meta.profile", node.place),
            Edit::Push(path, json!(url)),
        );
        own.places.push(format!("{}.meta.profile[{n}]", node.place));
        out.push(own);
    }
}

/// `_name` beside what is no primitive, or that is no object.
fn twin(case: &Case, _: &Definitions, out: &mut Vec<Mutant>) {
    for node in case
        .nodes
        .iter()
        .filter(|n| !n.path.is_empty() && n.of_list == 0)
    {
        let Some(Step::Key(key)) = node.path.last() else {
            continue;
        };
        let beside = below(owner(node), &format!("_{key}"));
        if find(&case.value, &beside).is_some() || case.at(node).is_none() {
            continue;
        }
        let value = if case.is_primitive(node) {
            json!("x")
        } else if case.is_object(node) {
            json!({"id": "x"})
        } else {
            continue;
        };
        out.push(mutant(node, Edit::Set(beside, value)));
    }
}

macro_rules! operators {
    ($($name:literal $run:ident;)*) => {
        /// All operators.
        pub(crate) const OPERATORS: &[Operator] = &[$(Operator { name: $name, run: $run }),*];
    };
}

operators! {
    "required-core" required_core;
    "required-profile" required_profile;
    "prohibited" prohibited;
    "max-profile" max_profile;
    "slice-min" slice_min;
    "slice-max" slice_max;
    "slice-closed" slice_closed;
    "json-type" json_type;
    "object-for-primitive" object_for_primitive;
    "primitive-for-object" primitive_for_object;
    "list-for-one" list_for_one;
    "one-for-list" one_for_list;
    "empty-string" empty_string;
    "empty-list" empty_list;
    "empty-object" empty_object;
    "null" null;
    "duplicate-key" duplicate_key;
    "unknown-element" unknown_element;
    "misspelt-element" misspelt;
    "resource-type" wrong_case;
    "twin" twin;
    "two-choices" two_choices;
    "choice-of-profile" choice_of_profile;
    "bad-number" bad_number;
    "bad-code" bad_code;
    "bad-id" bad_id;
    "long-id" long_id;
    "bad-uri" bad_uri;
    "bad-urn" bad_urn;
    "bad-base64" bad_base64;
    "bad-date" bad_date;
    "bad-dateTime" bad_date_time;
    "bad-instant" bad_instant;
    "no-such-day" no_such_day;
    "code-of-core" code_core;
    "code-of-profile" code_profile;
    "unknown-code" unknown_code;
    "wrong-system" wrong_system;
    "fixed-altered" fixed_altered;
    "pattern-altered" pattern_altered;
    "reference-type" reference_type;
    "reference-contained" reference_contained;
    "reference-urn" reference_urn;
    "reference-form" reference_form;
    "contained" contained;
    "full-url" full_url;
    "bundle-rules" bundle_rules;
    "extension-empty" extension_empty;
    "extension-both" extension_both;
    "extension-value-type" extension_value_type;
    "extension-url" extension_url;
    "extension-as-modifier" modifier_unknown;
    "extension-context" extension_context;
    "period" period;
    "invariants" invariants;
    "narrative" narrative;
    "profile-of-other-type" profile_of_other_type;
}
