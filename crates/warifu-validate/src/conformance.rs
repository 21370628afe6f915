//! Definitions as documents: what R4 demands of CodeSystems, ValueSets, SearchParameters and
//! StructureDefinitions beyond their own structure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use warifu_definitions::{Code as Coded, CodeAnswer, split_canonical};
use warifu_diag::catalogue::fhr;
use warifu_fhirpath::Bounds;
use warifu_json::{Kind, NodeId};
use warifu_r4::{Element, TypeId, TypeKind};

use crate::Known;
use crate::plan::CORE_PROFILES;
use crate::primitive::is_absolute;
use crate::run::{Raw, Run};

/// Types whose elements the table of R4 core does not have in the order of R4.
const REORDERED: &[&str] = &["Evidence", "EvidenceVariable"];

/// Steps of a path that are followed: R4's own have eight at most.
const STEPS: usize = 32;

/// What a path of a definition leads to in R4 core.
enum Way {
    /// Its type, and its element unless it is the root.
    To(Option<Element>, TypeId),
    /// No such element.
    Nowhere,
    /// It cannot be told: the path goes through a choice of types.
    Unknown,
}

impl<'d> Run<'d> {
    /// What is demanded of a resource as a definition.
    pub(crate) fn definition(&mut self, node: NodeId, of: TypeId) {
        match self.v.core.type_(of).name() {
            "CodeSystem" => self.code_system(node),
            "ConceptMap" => self.concept_map(node),
            "Questionnaire" => self.conditions(node),
            "SearchParameter" => self.search_parameter(node),
            "StructureDefinition" => self.structure(node),
            "ValueSet" => self.value_set(node),
            _ => {}
        }
    }

    fn text_at(&self, node: NodeId, key: &str) -> Option<Cow<'d, str>> {
        let tree = self.doc.tree;
        let at = tree.member(node, key)?;
        (tree.kind(at) == Kind::String).then(|| tree.text(at))
    }

    fn items_at(&self, node: NodeId, key: &str) -> impl Iterator<Item = NodeId> + use<'d> {
        let tree = self.doc.tree;
        let list = tree.member(node, key);
        let list = list.filter(|l| tree.kind(*l) == Kind::Array);
        list.into_iter().flat_map(|l| tree.children(l))
    }

    fn defect(&mut self, node: NodeId, what: &str) {
        self.report(Raw::new(&fhr::FHR241, node).with(what));
    }

    fn code_system(&mut self, node: NodeId) {
        let tree = self.doc.tree;
        let content = self.text_at(node, "content").unwrap_or_default();
        if content == "supplement" && tree.member(node, "supplements").is_none() {
            self.defect(node, "CodeSystem.supplements");
        }
        // FHIR R4 §4.8.5: of a system that is not present no concept is.
        if content == "not-present"
            && let Some(concept) = tree.member(node, "concept")
        {
            self.defect(concept, "CodeSystem.content: not-present");
        }
        let Some(count) = tree.member(node, "count") else {
            return;
        };
        let mut concepts = 0_u64;
        let mut next = vec![node];
        while let Some(at) = next.pop() {
            for concept in self.items_at(at, "concept") {
                concepts += 1;
                next.push(concept);
            }
        }
        if content == "complete" && tree.text(count).parse() != Ok(concepts) {
            let raw = Raw::new(&fhr::FHR241, count).with("CodeSystem.count");
            self.report(raw.expects(concepts.to_string()));
        }
    }

    fn value_set(&mut self, node: NodeId) {
        let tree = self.doc.tree;
        let core = self.v.core;
        let Some(compose) = tree.member(node, "compose") else {
            return;
        };
        for key in ["include", "exclude"] {
            for part in self.items_at(compose, key) {
                let Some(at) = tree.member(part, "system") else {
                    continue;
                };
                let system = tree.text(at);
                if system.contains('|') {
                    self.defect(at, "system: the version stands in version");
                } else if !is_absolute(&system) {
                    let place = format!("ValueSet.compose.{key}.system");
                    self.report(Raw::new(&fhr::FHR015, at).with(place));
                } else if core.value_set(&system).is_some() && core.code_system(&system).is_none() {
                    self.defect(at, "system: a value set");
                }
            }
        }
    }

    fn concept_map(&mut self, node: NodeId) {
        for group in self.items_at(node, "group") {
            let source = self.text_at(group, "source");
            let target = self.text_at(group, "target");
            for element in self.items_at(group, "element") {
                self.mapped(element, source.as_deref());
                for to in self.items_at(element, "target") {
                    self.mapped(to, target.as_deref());
                }
            }
        }
    }

    /// A code of a map, in a system that is at hand.
    fn mapped(&mut self, node: NodeId, system: Option<&str>) {
        let tree = self.doc.tree;
        let (Some(system), Some(at)) = (system, tree.member(node, "code")) else {
            return;
        };
        let code = tree.text(at);
        let answer = self.v.code(Coded {
            system: Some(system),
            version: None,
            code: &code,
            display: None,
        });
        if answer == CodeAnswer::UnknownCode {
            let found = self.show(at);
            self.report(Raw::new(&fhr::FHR104, at).with(system).finds(found));
        }
    }

    fn search_parameter(&mut self, node: NodeId) {
        let tree = self.doc.tree;
        let core = self.v.core;
        let is_composite = self.text_at(node, "type").as_deref() == Some("composite");
        if is_composite && self.items_at(node, "component").count() < 2 {
            self.defect(node, "SearchParameter.component");
        }
        let Some(at) = tree.member(node, "expression") else {
            return;
        };
        let text = tree.text(at);
        let program = match self.v.engine.compile(&text, Bounds::DEFAULT) {
            Ok(program) => program,
            Err(why) => return self.defect(at, &format!("expression: {why}")),
        };
        let bases: Vec<TypeId> = self
            .items_at(node, "base")
            .filter_map(|b| core.type_named(&tree.text(b)))
            .collect();
        // Expressions for several types name each of them: only one for one type is meant for it as a whole.
        if let [of] = bases.as_slice()
            && !text.contains('|')
            && let Err(why) = self.v.engine.check(&program, *of)
        {
            self.defect(at, &format!("expression: {why}"));
        }
    }

    fn structure(&mut self, node: NodeId) {
        let tree = self.doc.tree;
        let core = self.v.core;
        let is_profile = self.text_at(node, "derivation").as_deref() == Some("constraint");
        let of = self.text_at(node, "type").unwrap_or_default();
        let base = self.text_at(node, "baseDefinition").unwrap_or_default();
        let kind = self.text_at(node, "kind").unwrap_or_default();
        if let Some(at) = tree.member(node, "baseDefinition") {
            let url = self.text_at(node, "url").unwrap_or_default();
            if !url.is_empty() && split_canonical(&base).0 == url {
                return self.defect(at, "baseDefinition: the definition itself");
            }
            self.derivation(node, &base, &of);
        }
        if is_profile && kind != "logical" {
            let place = tree.member(node, "type").unwrap_or(node);
            let base_of = match self.v.known(&base, None) {
                Known::Type(of) => Some(core.type_(of).name()),
                Known::Profile(plan) => Some(core.type_(plan.of).name()),
                Known::Unknown | Known::Missing => None,
            };
            if core.type_named(&of).is_none() && !of.contains('/')
                || base_of.is_some_and(|base| base != of)
            {
                self.defect(place, "StructureDefinition.type");
                return;
            }
        }
        let on_core = is_profile
            && base
                .strip_prefix(CORE_PROFILES)
                .is_some_and(|name| name == of);
        if on_core && let Some(view) = tree.member(node, "differential") {
            if !REORDERED.contains(&&*of) {
                self.order(view);
            }
            self.sliced(view);
        }
        for key in ["snapshot", "differential"] {
            let Some(view) = tree.member(node, key) else {
                continue;
            };
            for element in self.items_at(view, "element") {
                self.constraints(element);
                if on_core && key == "differential" {
                    self.element(element);
                }
            }
        }
    }

    /// What has a base says how it relates to it, and a type of its own is not the one it comes from.
    fn derivation(&mut self, node: NodeId, base: &str, of: &str) {
        let derivation = self.text_at(node, "derivation");
        let named = base.strip_prefix(CORE_PROFILES) == Some(of);
        match derivation.as_deref() {
            None => self.defect(node, "StructureDefinition.derivation"),
            Some("specialization") if named => {
                let place = self.doc.tree.member(node, "derivation").unwrap_or(node);
                self.defect(place, "derivation: a specialization of its own type");
            }
            Some(_) => {}
        }
    }

    /// Elements of a differential stand in the order of R4, those of a slice among themselves (R4 §5.1.0.8).
    fn order(&mut self, view: NodeId) {
        let core = self.v.core;
        // Number of the last child of each element, by its id.
        let mut last: BTreeMap<String, usize> = BTreeMap::new();
        for element in self.items_at(view, "element") {
            let path = self.text_at(element, "path").unwrap_or_default();
            let id = self.text_at(element, "id").unwrap_or_default();
            if path.matches('.').count() > STEPS || id.matches('.').count() > STEPS {
                continue;
            }
            // Ids name the slices; without them they cannot be told from each other.
            let (names, marks): (Vec<&str>, Vec<&str>) =
                (path.split('.').collect(), id.split('.').collect());
            if names.len() != marks.len() {
                continue;
            }
            let mut of = names.first().and_then(|root| core.type_named(root));
            let mut above = String::new();
            for (n, name) in names.iter().enumerate().skip(1) {
                above.push('.');
                above.push_str(marks.get(n - 1).copied().unwrap_or_default());
                let Some(holder) = of else { break };
                let plain = core.name(name.trim_end_matches("[x]"));
                let mut elements = core.type_(holder).elements();
                let Some(at) = elements.position(|e| e.name_id() == plain && plain != 0) else {
                    break;
                };
                let before = last.entry(above.clone()).or_insert(at);
                if at < *before {
                    let place = self.doc.tree.member(element, "path").unwrap_or(element);
                    self.defect(
                        place,
                        "ElementDefinition.path: not in the order of the base",
                    );
                    break;
                }
                *before = at;
                let own = core.type_(holder).elements().nth(at);
                let mut types = own.into_iter().flat_map(Element::types);
                of = match (types.next(), types.next()) {
                    (Some(only), None) => Some(only.of()),
                    _ => None,
                };
            }
        }
    }

    /// Slices are of an element that is sliced, and all that must be there have room.
    fn sliced(&mut self, view: NodeId) {
        let tree = self.doc.tree;
        // Of each sliced element, by its id: whether slicing is said, its max, and the sum of the minima.
        let mut sliced: BTreeMap<String, (bool, Option<u64>, u64)> = BTreeMap::new();
        for element in self.items_at(view, "element") {
            let path = self.text_at(element, "path").unwrap_or_default();
            let id = self.text_at(element, "id").unwrap_or_default();
            let number = |key: &str| {
                let text = tree.member(element, key).map(|n| tree.text(n))?;
                text.parse::<u64>().ok()
            };
            let Some(slice) = tree.member(element, "sliceName") else {
                let is = tree.member(element, "slicing").is_some();
                let most = match self.way(&path) {
                    Way::To(Some(own), _) => own.max().map(u64::from),
                    _ => None,
                };
                sliced.insert(id.into_owned(), (is, number("max").or(most), 0));
                continue;
            };
            let name = tree.text(slice);
            let whole = id.strip_suffix(&*name).and_then(|i| i.strip_suffix(':'));
            // A slice of a slice, an extension and a choice of types are told apart without being said.
            let last = path.rsplit('.').next().unwrap_or_default();
            let is_open = matches!(last, "extension" | "modifierExtension")
                || last.ends_with("[x]")
                || !matches!(self.way(&path), Way::To(Some(own), _) if own.name() == last);
            let Some(whole) = whole.filter(|_| !name.contains('/') && !is_open) else {
                continue;
            };
            let most = match self.way(&path) {
                Way::To(Some(own), _) => own.max().map(u64::from),
                _ => None,
            };
            let (is, most, sum) = sliced.entry(whole.to_owned()).or_insert((false, most, 0));
            if !*is {
                // It is said once.
                *is = true;
                self.defect(slice, "ElementDefinition.slicing: missing");
                continue;
            }
            *sum = sum.saturating_add(number("min").unwrap_or_default());
            let (most, sum) = (*most, *sum);
            if most.is_some_and(|most| sum > most) {
                let place = tree.member(element, "min").unwrap_or(slice);
                self.defect(place, "ElementDefinition.min: slices need more than max");
            }
        }
    }

    /// Types, targets and the binding of an element narrow those of core.
    fn narrows(&mut self, node: NodeId, own: Element) {
        let tree = self.doc.tree;
        let core = self.v.core;
        if own.strength() == Some(warifu_r4::Strength::Required)
            && let Some(binding) = tree.member(node, "binding")
            && let Some(strength) = tree.member(binding, "strength")
            && tree.text(strength) != "required"
        {
            self.defect(strength, "ElementDefinition.binding.strength");
        }
        let types: Vec<TypeId> = own.types().map(warifu_r4::TypeRef::of).collect();
        let is_backbone = |of: &TypeId| core.type_(*of).kind() == TypeKind::Backbone;
        if types.is_empty() || types.iter().any(is_backbone) {
            return;
        }
        for given in self.items_at(node, "type") {
            let Some(code) = tree.member(given, "code") else {
                continue;
            };
            let Some(of) = core.type_named(&tree.text(code)) else {
                continue;
            };
            if !types.iter().any(|t| core.is_a(of, *t)) {
                self.defect(code, "ElementDefinition.type");
                continue;
            }
            if of != self.v.ids.type_reference {
                continue;
            }
            let allowed: Vec<TypeId> = own
                .types()
                .filter(|t| t.of() == of)
                .flat_map(warifu_r4::TypeRef::targets)
                .collect();
            for target in self.items_at(given, "targetProfile") {
                let to = match self.v.known(&tree.text(target), None) {
                    Known::Type(of) => of,
                    Known::Profile(plan) => plan.of,
                    Known::Unknown | Known::Missing => continue,
                };
                if !allowed.is_empty() && !allowed.iter().any(|a| core.is_a(to, *a)) {
                    self.defect(target, "ElementDefinition.type.targetProfile");
                }
            }
        }
    }

    /// Invariants of an element are FHIRPath.
    fn constraints(&mut self, element: NodeId) {
        let tree = self.doc.tree;
        for constraint in self.items_at(element, "constraint") {
            let Some(at) = tree.member(constraint, "expression") else {
                continue;
            };
            let program = match self.v.engine.compile(&tree.text(at), Bounds::DEFAULT) {
                Ok(program) => program,
                Err(why) => {
                    self.defect(at, &format!("expression: {why}"));
                    continue;
                }
            };
            // R4's own are as R4 published them.
            let key = self.text_at(constraint, "key").unwrap_or_default();
            if self.v.core_keys.contains(&*key) {
                continue;
            }
            let path = self.text_at(element, "path").unwrap_or_default();
            if let Way::To(_, of) = self.way(&path)
                && self.is_complex(of)
                && let Err(why) = self.v.engine.check(&program, of)
            {
                self.defect(at, &format!("expression: {why}"));
            }
        }
    }

    /// Where a path leads.
    fn way(&self, path: &str) -> Way {
        let core = self.v.core;
        let mut steps = path.split('.');
        let Some(mut of) = steps.next().and_then(|root| core.type_named(root)) else {
            return Way::Unknown;
        };
        let mut at = None;
        for step in steps {
            if of == TypeId::NONE {
                return Way::Unknown;
            }
            let plain = step.trim_end_matches("[x]");
            let name = core.name(plain);
            let found = core.type_(of).elements().find(|e| e.name_id() == name);
            let Some(element) = found.filter(|_| name != 0) else {
                match core.property(of, name).filter(|_| name != 0) {
                    Some(own) => {
                        (at, of) = (Some(core.element(own.element)), own.of);
                        continue;
                    }
                    None => return Way::Nowhere,
                }
            };
            let mut types = element.types();
            of = match (types.next(), types.next()) {
                (Some(only), None) => only.of(),
                _ => TypeId::NONE,
            };
            at = Some(element);
        }
        if at.is_some() && of == TypeId::NONE {
            return at.map_or(Way::Unknown, |e| Way::To(Some(e), TypeId::NONE));
        }
        Way::To(at, of)
    }

    /// An element of a differential narrows the one of core.
    fn element(&mut self, node: NodeId) {
        let tree = self.doc.tree;
        let core = self.v.core;
        let path = self.text_at(node, "path").unwrap_or_default();
        let own = match self.way(&path) {
            Way::To(Some(own), _) => own,
            Way::Nowhere => {
                let place = tree.member(node, "path").unwrap_or(node);
                return self.defect(place, "ElementDefinition.path");
            }
            Way::To(None, _) | Way::Unknown => return,
        };
        self.narrows(node, own);
        let id = self.text_at(node, "id").unwrap_or_default();
        let is_slice = id.contains(':') || tree.member(node, "sliceName").is_some();
        if !is_slice {
            if let Some(min) = tree.member(node, "min")
                && tree
                    .text(min)
                    .parse()
                    .is_ok_and(|n: u32| n < u32::from(own.min()))
            {
                self.defect(min, "ElementDefinition.min");
            }
            if let (Some(max), Some(most)) = (tree.member(node, "max"), own.max()) {
                let text = tree.text(max);
                if text == "*" || text.parse().is_ok_and(|n: u32| n > u32::from(most)) {
                    self.defect(max, "ElementDefinition.max");
                }
            }
        }
        for child in tree.children(node) {
            let key = tree.key(child);
            let Some(of) = key
                .strip_prefix("fixed")
                .or_else(|| key.strip_prefix("pattern"))
            else {
                continue;
            };
            let mut types = own.types().map(|t| core.type_(t.of()).name()).peekable();
            if types.peek().is_some() && !types.any(|t| of.eq_ignore_ascii_case(t)) {
                self.defect(child, "ElementDefinition.fixed[x]");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{CoreOnly, Options, Validator};

    fn check(source: &str, wanted: &[&str]) {
        let v = Validator::new(CoreOnly, CoreOnly, Options::default());
        let all = v.validate(source.as_bytes());
        let found: Vec<_> = all
            .list
            .iter()
            .filter(|f| matches!(f.code(), "FHR015" | "FHR104" | "FHR241"))
            .map(|f| format!("{} {}", f.code(), f.location))
            .collect();
        assert_eq!(found, wanted, "{source}");
    }

    #[test]
    fn code_systems_and_value_sets() {
        let of = |more: &str| format!(r#"{{"resourceType": "CodeSystem", {more}}}"#);
        let concept = r#""concept": [{"code": "a", "concept": [{"code": "b"}]}]"#;
        check(
            &of(&format!(r#""content": "complete", "count": 2, {concept}"#)),
            &[],
        );
        check(
            &of(&format!(r#""content": "complete", "count": 1, {concept}"#)),
            &["FHR241 CodeSystem.count"],
        );
        check(
            &of(&format!(r#""content": "fragment", "count": 9, {concept}"#)),
            &[],
        );
        check(&of(r#""content": "supplement""#), &["FHR241 CodeSystem"]);
        check(
            &of(&format!(r#""content": "not-present", {concept}"#)),
            &["FHR241 CodeSystem.concept"],
        );
        check(&of(r#""content": "not-present""#), &[]);
        let set = |system: &str| {
            format!(
                r#"{{"resourceType": "ValueSet", "compose": {{"include": [{{"system": "{system}"}}]}}}}"#
            )
        };
        let place = "ValueSet.compose.include[0].system";
        check(&set("http://hl7.org/fhir/administrative-gender"), &[]);
        check(&set("gender"), &[&format!("FHR015 {place}")]);
        check(
            &set("http://hl7.org/fhir/ValueSet/administrative-gender"),
            &[&format!("FHR241 {place}")],
        );
        check(
            r#"{"resourceType": "ConceptMap", "group": [{"source": "http://hl7.org/fhir/administrative-gender", "element": [{"code": "male"}, {"code": "malez"}]}]}"#,
            &["FHR104 ConceptMap.group[0].element[1].code"],
        );
        check(
            r#"{"resourceType": "ConceptMap", "group": [{"source": "http://h.jp/sex", "target": "http://hl7.org/fhir/administrative-gender",
            "element": [{"code": "1", "target": [{"code": "male", "equivalence": "equal"}, {"code": "mael", "equivalence": "equal"}, {"equivalence": "unmatched"}]}]}]}"#,
            &["FHR104 ConceptMap.group[0].element[0].target[1].code"],
        );
        check(
            &set("http://hl7.org/fhir/administrative-gender|4.0.1"),
            &[&format!("FHR241 {place}")],
        );
    }

    #[test]
    fn search_parameters() {
        let of = |more: &str| format!(r#"{{"resourceType": "SearchParameter", {more}}}"#);
        let expression = |text: &str| {
            of(&format!(
                r#""type": "string", "base": ["Patient"], "expression": "{text}""#
            ))
        };
        let bad = ["FHR241 SearchParameter.expression"];
        check(&expression("Patient.name | Person.name"), &[]);
        check(&expression("Patient.name.where("), &bad);
        check(&expression("Patient.foo"), &bad);
        check(
            &of(r#""type": "composite", "component": [{"definition": "http://a.b"}]"#),
            &["FHR241 SearchParameter"],
        );
    }

    #[test]
    fn structure_definitions() {
        let of = |of: &str, element: &str| {
            format!(
                r#"{{"resourceType": "StructureDefinition", "kind": "resource", "derivation": "constraint", "type": "{of}",
                "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient", "differential": {{"element": [{{"path": "Patient"}}, {{{element}}}]}}}}"#
            )
        };
        let place = "StructureDefinition.differential.element[1]";
        for (element, wanted) in [
            (r#""path": "Patient.name", "min": 1"#, None),
            (r#""path": "Patient.deceased[x]", "max": "0""#, None),
            (r#""path": "Patient.name.family", "fixedString": "x""#, None),
            (r#""path": "Patient.foo""#, Some("path")),
            (r#""path": "Patient.link.other", "min": 0"#, Some("min")),
            (r#""path": "Patient.birthDate", "max": "*""#, Some("max")),
            (
                r#""path": "Patient.birthDate", "fixedString": "x""#,
                Some("fixed.ofType(string)"),
            ),
            (
                r#""path": "Patient.name", "constraint": [{"expression": "family.exists()"}]"#,
                None,
            ),
            (
                r#""path": "Patient.name", "constraint": [{"expression": "family.exists("}]"#,
                Some("constraint[0].expression"),
            ),
            (
                r#""path": "Patient.name", "constraint": [{"expression": "famly.exists()"}]"#,
                Some("constraint[0].expression"),
            ),
        ] {
            let wanted: Vec<String> = wanted
                .map(|w| format!("FHR241 {place}.{w}"))
                .into_iter()
                .collect();
            let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
            check(&of("Patient", element), &wanted);
        }
        // What narrows, and what does not.
        let many = |elements: &[&str]| {
            let elements: Vec<String> = elements.iter().map(|e| format!("{{{e}}}")).collect();
            of("Patient", r#""path": "END""#).replace(r#"{"path": "END"}"#, &elements.join(", "))
        };
        let at = |n: usize, rest: &str| {
            format!("FHR241 StructureDefinition.differential.element[{n}].{rest}")
        };
        let name = |id: &str, rest: &str| {
            let path: Vec<&str> = id
                .split('.')
                .map(|s| s.split(':').next().unwrap_or(s))
                .collect();
            format!(r#""id": "{id}", "path": "{}"{rest}"#, path.join("."))
        };
        let slicing = r#", "slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}"#;
        let a = r#", "sliceName": "a", "min": 1, "max": "1""#;
        let b = r#", "sliceName": "b", "min": 1, "max": "1""#;
        let sliced = |max: &str| {
            [
                name("Patient.identifier", &format!("{slicing}{max}")),
                name("Patient.identifier:a", a),
                name("Patient.identifier:a.system", ""),
                name("Patient.identifier:b", b),
                name("Patient.identifier:b.use", ""),
                name("Patient.identifier:b.system", ""),
            ]
        };
        let target = |to: &str| {
            let to = format!("http://hl7.org/fhir/StructureDefinition/{to}");
            name(
                "Patient.generalPractitioner",
                &format!(r#", "type": [{{"code": "Reference", "targetProfile": ["{to}"]}}]"#),
            )
        };
        let typed = |id: &str, of: &str| name(id, &format!(r#", "type": [{{"code": "{of}"}}]"#));
        let bound = |strength: &str| {
            name(
                "Patient.gender",
                &format!(r#", "binding": {{"strength": "{strength}"}}"#),
            )
        };
        for (elements, wanted) in [
            (
                vec![typed("Patient.birthDate", "string")],
                Some(at(1, "type[0].code")),
            ),
            (vec![typed("Patient.birthDate", "date")], None),
            (vec![typed("Patient.deceased[x]", "boolean")], None),
            (vec![typed("Patient.contact", "BackboneElement")], None),
            (vec![typed("Patient.contained", "Organization")], None),
            (vec![bound("required")], None),
            (vec![bound("example")], Some(at(1, "binding.strength"))),
            (vec![target("Practitioner")], None),
            (
                vec![target("Observation")],
                Some(at(1, "type[0].targetProfile[0]")),
            ),
            (sliced("").to_vec(), None),
            (sliced(r#", "max": "2""#).to_vec(), None),
            (sliced(r#", "max": "1""#).to_vec(), Some(at(4, "min"))),
            (
                vec![name("Patient.identifier:a", a)],
                Some(at(1, "sliceName")),
            ),
            (
                vec![name(
                    "Patient.extension:a",
                    r#", "sliceName": "a", "type": [{"code": "Extension", "profile": ["http://e.org/a"]}]"#,
                )],
                None,
            ),
            (
                vec![name(
                    "Patient.deceased[x]:deceasedBoolean",
                    r#", "sliceName": "deceasedBoolean""#,
                )],
                None,
            ),
            (
                vec![
                    name("Patient.birthDate", ""),
                    name("Patient.identifier", ""),
                ],
                Some(at(2, "path")),
            ),
            (
                vec![
                    name("Patient.name.family", ""),
                    name("Patient.name.use", ""),
                ],
                Some(at(2, "path")),
            ),
        ] {
            let elements: Vec<&str> = elements.iter().map(String::as_str).collect();
            let wanted: Vec<&str> = wanted.as_deref().into_iter().collect();
            check(&many(&elements), &wanted);
        }
        let whole = of("Patient", r#""path": "Patient.name""#);
        let derived = r#""derivation": "constraint", "#;
        check(&whole.replace(derived, ""), &["FHR241 StructureDefinition"]);
        check(
            &whole.replace(r#""constraint""#, r#""specialization""#),
            &["FHR241 StructureDefinition.derivation"],
        );
        let own = r#""url": "http://hl7.org/fhir/StructureDefinition/Patient", "derivation""#;
        check(
            &whole.replace(r#""derivation""#, own),
            &["FHR241 StructureDefinition.baseDefinition"],
        );
        for other in ["Observation", "Foo"] {
            check(
                &of(other, r#""path": "Patient.name""#),
                &["FHR241 StructureDefinition.type"],
            );
        }
    }
}
