//! A `QuestionnaireResponse` against its `Questionnaire`, where that is contained or in the same Bundle:
//! FHIR R4 QuestionnaireResponse §13.2.4.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use warifu_definitions::{Membership, PackageId};
use warifu_diag::catalogue::fhr;
use warifu_fhirpath::Dec;
use warifu_json::{Kind, NodeId};

use crate::run::{Cx, Raw, Run};

/// Groups inside each other.
const DEPTH: u32 = 48;

/// What an item's answers are: type of the item, types of the value.
const TYPES: &[(&str, &[&str])] = &[
    ("attachment", &["Attachment"]),
    ("boolean", &["boolean"]),
    ("choice", &["Coding"]),
    ("date", &["date"]),
    ("dateTime", &["dateTime"]),
    ("decimal", &["decimal"]),
    ("integer", &["integer"]),
    ("open-choice", &["Coding", "string"]),
    ("quantity", &["Quantity"]),
    ("reference", &["Reference"]),
    ("string", &["string"]),
    ("text", &["string"]),
    ("time", &["time"]),
    ("url", &["uri"]),
];

/// One response.
struct Response<'d> {
    /// Its items by `linkId`.
    items: BTreeMap<Cow<'d, str>, Vec<NodeId>>,
    /// Items by `linkId`, of the questionnaire.
    asked: BTreeMap<Cow<'d, str>, NodeId>,
    /// Whether all that is required must be there.
    is_done: bool,
}

impl<'d> Run<'d> {
    /// Holds a response (`node`) against its questionnaire, if that is at hand.
    pub(crate) fn answers(&mut self, node: NodeId, cx: Cx) {
        let tree = self.doc.tree;
        let Some(url) = tree.member(node, "questionnaire") else {
            return;
        };
        let url = tree.text(url);
        let references = &self.scope.references;
        let found = match url.strip_prefix('#') {
            Some(id) => references.contained(cx.root, id),
            None => references.questionnaire(warifu_definitions::split_canonical(&url).0),
        };
        let is_one = |n: &NodeId| {
            let of = tree.member(*n, "resourceType");
            of.is_some_and(|of| tree.is_text(of, "Questionnaire"))
        };
        let Some(questionnaire) = found.filter(is_one) else {
            return;
        };
        if !self.scope.spend(1) {
            return;
        }
        let status = tree.member(node, "status");
        let response = Response {
            items: self.by_link(node).into_iter().fold(
                BTreeMap::new(),
                |mut map: BTreeMap<_, Vec<_>>, (link, item)| {
                    map.entry(link).or_default().push(item);
                    map
                },
            ),
            asked: self.by_link(questionnaire).into_iter().collect(),
            is_done: status
                .is_some_and(|s| tree.is_text(s, "completed") || tree.is_text(s, "amended")),
        };
        self.level(&response, questionnaire, node, 0);
    }

    /// All items of a resource, those within answers too.
    fn by_link(&self, resource: NodeId) -> Vec<(Cow<'d, str>, NodeId)> {
        let tree = self.doc.tree;
        let mut next = vec![resource];
        let mut all = Vec::new();
        while let Some(node) = next.pop() {
            for key in ["item", "answer"] {
                for item in self.list(node, key) {
                    if let Some(link) = tree.member(item, "linkId") {
                        all.push((tree.text(link), item));
                    }
                    next.push(item);
                }
            }
        }
        self.scope.spend(all.len());
        all
    }

    /// Conditions of a questionnaire's items name another of its items.
    pub(crate) fn conditions(&mut self, questionnaire: NodeId) {
        let tree = self.doc.tree;
        let items = self.by_link(questionnaire);
        let known: BTreeMap<Cow<'d, str>, NodeId> = items.iter().cloned().collect();
        for (link, item) in &items {
            for condition in self.list(*item, "enableWhen") {
                let Some(question) = tree.member(condition, "question") else {
                    continue;
                };
                let text = tree.text(question);
                if text == *link || !known.contains_key(&text) {
                    self.report(
                        Raw::new(&fhr::FHR241, question).with("Questionnaire.item.enableWhen"),
                    );
                }
            }
        }
    }

    fn list(&self, node: NodeId, key: &str) -> impl Iterator<Item = NodeId> + use<'d> {
        let tree = self.doc.tree;
        let list = tree.member(node, key);
        let list = list.filter(|l| tree.kind(*l) == Kind::Array);
        list.into_iter().flat_map(|l| tree.children(l))
    }

    fn said(&mut self, node: NodeId, what: &str) {
        self.report(Raw::new(&fhr::FHR231, node).with(what));
    }

    fn flag(&self, node: NodeId, key: &str) -> bool {
        let tree = self.doc.tree;
        tree.member(node, key)
            .is_some_and(|n| tree.kind(n) == Kind::True)
    }

    /// Items of a questionnaire (within `asked`) and of a response (within `given`).
    fn level(&mut self, response: &Response<'d>, asked: NodeId, given: NodeId, depth: u32) {
        let tree = self.doc.tree;
        if depth > DEPTH || !self.scope.spend(1) {
            return;
        }
        let wanted: Vec<NodeId> = self.list(asked, "item").collect();
        self.scope.spend(wanted.len());
        let places: BTreeMap<Cow<'d, str>, usize> = wanted
            .iter()
            .enumerate()
            .filter_map(|(n, item)| Some((tree.text(tree.member(*item, "linkId")?), n)))
            .collect();
        let mut found: Vec<Vec<NodeId>> = vec![Vec::new(); wanted.len()];
        let mut latest = 0;
        for item in self.list(given, "item") {
            let Some(link) = tree.member(item, "linkId") else {
                continue;
            };
            let Some(n) = places.get(&tree.text(link)).copied() else {
                self.said(link, "linkId");
                continue;
            };
            if n < latest {
                self.said(item, "order");
            }
            latest = latest.max(n);
            if let Some(list) = found.get_mut(n) {
                list.push(item);
            }
        }
        for (asked, items) in wanted.into_iter().zip(found) {
            let enabled = self.is_enabled(response, asked);
            if items.is_empty() {
                if response.is_done && enabled == Some(true) && self.flag(asked, "required") {
                    self.said(given, "required");
                }
                continue;
            }
            if enabled == Some(false) {
                self.said(*items.first().unwrap_or(&given), "enableWhen");
                continue;
            }
            let of = tree.member(asked, "type").map(|t| tree.text(t));
            let of = of.unwrap_or_default();
            if let Some(second) = items.get(1)
                && !(of == "group" && self.flag(asked, "repeats"))
            {
                self.said(*second, "repeats");
            }
            for item in items {
                self.answered(response, asked, &of, item, depth);
            }
        }
    }

    /// One item of a response.
    fn answered(
        &mut self,
        response: &Response<'d>,
        asked: NodeId,
        of: &str,
        item: NodeId,
        depth: u32,
    ) {
        let tree = self.doc.tree;
        if let (Some(wanted), Some(text)) = (tree.member(asked, "text"), tree.member(item, "text"))
            && tree.text(wanted) != tree.text(text)
        {
            self.said(text, "text");
        }
        let answers: Vec<NodeId> = self.list(item, "answer").collect();
        if matches!(of, "group" | "display") {
            if let Some(answer) = answers.first() {
                self.said(*answer, "answer");
            }
            if of == "group" {
                self.level(response, asked, item, depth + 1);
            }
            return;
        }
        if answers.is_empty() && response.is_done && self.flag(asked, "required") {
            self.said(item, "required");
        }
        if let Some(second) = answers.get(1)
            && !self.flag(asked, "repeats")
        {
            self.said(*second, "repeats");
        }
        for answer in answers {
            self.answer(asked, of, answer);
            self.level(response, asked, answer, depth + 1);
        }
    }

    /// The value of an answer and the name of its type.
    fn value(&self, node: NodeId, name: &str) -> Option<(NodeId, &'static str)> {
        let core = self.v.core;
        let name = core.name(name);
        let value = self
            .doc
            .tree
            .children(node)
            .find(|c| self.typed(*c).name == name && !self.doc.tree.is_twin(*c))?;
        let of = self.typed(value).of;
        (of != warifu_r4::TypeId::NONE).then(|| (value, core.type_(of).name()))
    }

    fn answer(&mut self, asked: NodeId, of: &str, answer: NodeId) {
        let tree = self.doc.tree;
        let Some((value, type_name)) = self.value(answer, "value") else {
            return;
        };
        let Some((_, types)) = TYPES.iter().find(|(name, _)| *name == of) else {
            return;
        };
        let is_choice = matches!(of, "choice" | "open-choice");
        if is_choice && !self.scope.spend(1) {
            return;
        }
        let key = if is_choice { "answerOption" } else { "" };
        let options: Vec<(NodeId, &str)> = self
            .list(asked, key)
            .filter_map(|o| self.value(o, "value"))
            .collect();
        self.scope.spend(options.len());
        let is_of_option = is_choice && options.iter().any(|(_, name)| *name == type_name);
        if !types.contains(&type_name) && !is_of_option {
            self.said(value, "type");
            return;
        }
        if let Some(max) = tree.member(asked, "maxLength")
            && let Ok(max) = tree.text(max).parse::<usize>()
            && tree.kind(value) == Kind::String
            && tree.text(value).chars().count() > max
        {
            self.said(value, "maxLength");
        }
        if is_choice && (of == "choice" || type_name != "string") {
            let outside = if options.is_empty() {
                self.is_outside(asked, value)
            } else {
                let compare = |o: &(NodeId, &str)| self.compare(o.0, value);
                options.iter().all(|o| compare(o) != Some(Ordering::Equal))
            };
            if outside {
                self.said(value, "answerOption");
            }
        }
    }

    /// Whether a coding is known not to be in the set of an item.
    fn is_outside(&self, asked: NodeId, value: NodeId) -> bool {
        let tree = self.doc.tree;
        let text = |node: NodeId, key: &str| tree.member(node, key).map(|n| tree.text(n));
        let (Some(set), Some(code)) = (text(asked, "answerValueSet"), text(value, "code")) else {
            return false;
        };
        let system = text(value, "system");
        !set.starts_with('#')
            && self
                .v
                .member(&set, PackageId::CORE, system.as_deref(), &code)
                == Membership::NotIn
    }

    /// How two answers compare; codings by system and code. `None`: they do not.
    fn compare(&self, a: NodeId, b: NodeId) -> Option<Ordering> {
        let tree = self.doc.tree;
        if tree.kind(a) == Kind::Object {
            let same = |key: &str| {
                let text = |n: NodeId| tree.member(n, key).map(|n| tree.text(n));
                text(a) == text(b)
            };
            let keys: &[&str] = if tree.member(a, "reference").is_some() {
                &["reference"]
            } else {
                &["system", "code", "value"]
            };
            return keys.iter().all(|k| same(k)).then_some(Ordering::Equal);
        }
        let (x, y) = (tree.text(a), tree.text(b));
        match tree.kind(a) {
            Kind::Number => Some(Dec::parse(&x)?.compare(Dec::parse(&y)?)),
            Kind::String if x.len() == y.len() || x == y => Some(x.cmp(&y)),
            _ => (x == y).then_some(Ordering::Equal),
        }
    }

    /// Whether an item is to be answered; `None` where that cannot be told.
    fn is_enabled(&self, response: &Response<'d>, asked: NodeId) -> Option<bool> {
        let tree = self.doc.tree;
        let is_all = tree
            .member(asked, "enableBehavior")
            .is_some_and(|b| tree.is_text(b, "all"));
        let mut whole = None;
        let mut unknown = false;
        for condition in self.list(asked, "enableWhen") {
            match self.holds_when(response, condition) {
                Some(held) if held != is_all => return Some(held),
                Some(held) => whole = Some(held),
                None => unknown = true,
            }
        }
        if unknown {
            None
        } else {
            Some(whole.unwrap_or(true))
        }
    }

    fn holds_when(&self, response: &Response<'d>, condition: NodeId) -> Option<bool> {
        let tree = self.doc.tree;
        let link = tree.text(tree.member(condition, "question")?);
        let operator = tree.text(tree.member(condition, "operator")?);
        let (wanted, _) = self.value(condition, "answer")?;
        let items = response.items.get(&link).map_or(&[][..], |i| i);
        if !self.scope.spend(items.len()) || !response.asked.contains_key(&link) {
            return None;
        }
        let answers: Vec<NodeId> = items
            .iter()
            .flat_map(|item| self.list(*item, "answer"))
            .filter_map(|a| self.value(a, "value"))
            .map(|(value, _)| value)
            .collect();
        if operator == "exists" {
            return Some(answers.is_empty() != (tree.kind(wanted) == Kind::True));
        }
        if answers.is_empty() {
            return (operator != "!=").then_some(false);
        }
        let mut any = false;
        for answer in answers {
            let order = self.compare(answer, wanted);
            any |= match &*operator {
                "=" => order == Some(Ordering::Equal),
                "!=" => order != Some(Ordering::Equal),
                ">" => order? == Ordering::Greater,
                "<" => order? == Ordering::Less,
                ">=" => order? != Ordering::Less,
                "<=" => order? != Ordering::Greater,
                _ => return None,
            };
        }
        Some(any)
    }
}

#[cfg(test)]
mod tests {
    use crate::{CoreOnly, Options, Validator};

    /// What is said of a response to a questionnaire: argument, place.
    fn found(items: &str, status: &str, answers: &str) -> Vec<String> {
        let source = format!(
            r##"{{"resourceType": "QuestionnaireResponse", "contained": [{{"resourceType": "Questionnaire", "id": "q",
            "url": "http://h.jp/q", "status": "draft", "item": [{items}]}}], "questionnaire": "#q", "status": "{status}", "item": [{answers}]}}"##
        );
        said(&source)
    }

    fn said(source: &str) -> Vec<String> {
        let v = Validator::new(CoreOnly, CoreOnly, Options::default());
        let all = v.validate(source.as_bytes());
        all.list
            .iter()
            .filter(|f| f.code() == "FHR231")
            .map(|f| format!("{} {}", f.argument, f.location))
            .collect()
    }

    fn check(items: &str, answers: &str, wanted: &[&str]) {
        assert_eq!(
            found(items, "completed", answers),
            wanted,
            "{items} {answers}"
        );
    }

    const ITEM: &str = "QuestionnaireResponse.item[0]";

    #[test]
    fn items_are_those_that_are_asked_for() {
        let asked = r#"{"linkId": "1", "type": "string", "text": "a", "required": true}, {"linkId": "2", "type": "integer"}"#;
        let one = r#"{"linkId": "1", "text": "a", "answer": [{"valueString": "x"}]}"#;
        let two = r#"{"linkId": "2", "answer": [{"valueInteger": 1}]}"#;
        check(asked, one, &[]);
        check(asked, &format!("{one}, {two}"), &[]);
        check(
            asked,
            &format!("{two}, {one}"),
            &["order QuestionnaireResponse.item[1]"],
        );
        check(asked, two, &["required QuestionnaireResponse"]);
        assert!(found(asked, "in-progress", two).is_empty());
        check(
            asked,
            &format!(r#"{one}, {{"linkId": "9"}}"#),
            &["linkId QuestionnaireResponse.item[1].linkId"],
        );
        check(
            asked,
            &format!("{one}, {one}"),
            &["repeats QuestionnaireResponse.item[1]"],
        );
        check(
            asked,
            r#"{"linkId": "1", "text": "b", "answer": [{"valueString": "x"}]}"#,
            &[&format!("text {ITEM}.text")],
        );
    }

    #[test]
    fn answers_are_of_the_type_and_among_the_options() {
        let of = |more: &str| format!(r#"{{"linkId": "1", {more}}}"#);
        let given = |value: &str| format!(r#"{{"linkId": "1", "answer": [{{{value}}}]}}"#);
        let place = format!("{ITEM}.answer[0].value");
        let text = of(r#""type": "string", "maxLength": 2"#);
        check(&text, &given(r#""valueString": "xy""#), &[]);
        check(
            &text,
            &given(r#""valueString": "xyz""#),
            &[&format!("maxLength {place}.ofType(string)")],
        );
        check(
            &text,
            &given(r#""valueInteger": 1"#),
            &[&format!("type {place}.ofType(integer)")],
        );
        let choice = of(
            r#""type": "choice", "answerOption": [{"valueCoding": {"system": "http://e.x", "code": "a"}}]"#,
        );
        let coding = |code: &str| {
            given(&format!(
                r#""valueCoding": {{"system": "http://e.x", "code": "{code}"}}"#
            ))
        };
        check(&choice, &coding("a"), &[]);
        check(
            &choice,
            &coding("b"),
            &[&format!("answerOption {place}.ofType(Coding)")],
        );
        let set = of(
            r#""type": "choice", "answerValueSet": "http://hl7.org/fhir/ValueSet/administrative-gender""#,
        );
        let gender = |code: &str| {
            given(&format!(
                r#""valueCoding": {{"system": "http://hl7.org/fhir/administrative-gender", "code": "{code}"}}"#
            ))
        };
        check(&set, &gender("male"), &[]);
        check(
            &set,
            &gender("M"),
            &[&format!("answerOption {place}.ofType(Coding)")],
        );
        for of_type in ["group", "display"] {
            check(
                &of(&format!(r#""type": "{of_type}""#)),
                &given(r#""valueString": "x""#),
                &[&format!("answer {ITEM}.answer[0]")],
            );
        }
    }

    #[test]
    fn conditions_say_what_is_asked() {
        let asked = |when: &str| {
            format!(
                r#"{{"linkId": "1", "type": "integer"}}, {{"linkId": "2", "type": "string", "required": true, "enableWhen": [{{"question": "1", {when}}}]}}"#
            )
        };
        let one = |n: i32| format!(r#"{{"linkId": "1", "answer": [{{"valueInteger": {n}}}]}}"#);
        let two = r#"{"linkId": "2", "answer": [{"valueString": "x"}]}"#;
        for (when, yes, no) in [
            (r#""operator": "=", "answerInteger": 1"#, 1, 2),
            (r#""operator": "!=", "answerInteger": 1"#, 2, 1),
            (r#""operator": ">", "answerInteger": 9"#, 10, 9),
            (r#""operator": ">=", "answerInteger": 9"#, 9, 8),
            (r#""operator": "<", "answerInteger": 9"#, 8, 10),
            (r#""operator": "<=", "answerInteger": 9"#, 9, 10),
        ] {
            let asked = asked(when);
            check(&asked, &format!("{}, {two}", one(yes)), &[]);
            check(&asked, &one(yes), &["required QuestionnaireResponse"]);
            check(&asked, &one(no), &[]);
            check(
                &asked,
                &format!("{}, {two}", one(no)),
                &["enableWhen QuestionnaireResponse.item[1]"],
            );
        }
        let exists = asked(r#""operator": "exists", "answerBoolean": false"#);
        check(&exists, two, &[]);
        check(&exists, &one(1), &[]);
    }

    #[test]
    fn conditions_name_another_item() {
        let of = |question: &str| {
            let source = format!(
                r#"{{"resourceType": "Questionnaire", "status": "draft", "item": [{{"linkId": "1", "type": "string"}},
                {{"linkId": "2", "type": "string", "enableWhen": [{{"question": "{question}", "operator": "exists", "answerBoolean": true}}]}}]}}"#
            );
            let v = Validator::new(CoreOnly, CoreOnly, Options::default());
            v.validate(source.as_bytes())
                .list
                .iter()
                .filter(|f| f.code() == "FHR241")
                .count()
        };
        assert_eq!(["1", "2", "9"].map(of), [0, 1, 1]);
    }

    #[test]
    fn a_questionnaire_of_the_bundle_is_found() {
        let source = r#"{"resourceType": "Bundle", "type": "collection", "entry": [
            {"fullUrl": "http://h.jp/Questionnaire/1", "resource": {"resourceType": "Questionnaire", "id": "1", "url": "http://h.jp/q", "status": "draft"}},
            {"fullUrl": "http://h.jp/QuestionnaireResponse/1", "resource": {"resourceType": "QuestionnaireResponse", "id": "1",
             "questionnaire": "http://h.jp/q|1", "status": "completed", "item": [{"linkId": "1"}]}}]}"#;
        assert_eq!(
            said(source),
            ["linkId Bundle.entry[1].resource.item[0].linkId"]
        );
    }
}
