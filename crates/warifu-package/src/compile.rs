//! Files to a compiled package.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use sha2::{Digest as _, Sha256};
use warifu_json::{Kind as Json, Limits as JsonLimits, NodeId, ROOT, Tree, parse};

use crate::archive::{File, Limits, is_wanted, may_define};
use crate::facts::{Context, contexts};
use crate::layout::{CASE_SENSITIVE, MAGIC, MOST, NONE, Word, short, size};
use crate::package::Kind;
use crate::problem::{Problem, ProblemKind};

/// Looked up only, never walked: no order of a hash reaches the output.
type Table<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// What [`compile`] made.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The compiled package, for [`Package::read`](crate::Package::read).
    pub bytes: Vec<u8>,
    /// What is wrong with the files, by path.
    pub problems: Vec<Problem>,
}

/// Name and version of a package whose files do not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallback<'a> {
    /// Name, as `local`.
    pub name: &'a str,
    /// Version, as `0.0.0`.
    pub version: &'a str,
}

/// The package is too large for the format: more than 2^29 texts or values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the package is too large to compile")]
pub struct TooLarge;

/// Makes the compiled form of a package's files. Same files, same bytes, whatever their order.
///
/// The root is the folder of the `package.json` that is nearest to the top; without one it is the
/// common top, and an ImplementationGuide gives name, version and dependencies. An `.index.json`
/// is not needed and not believed. Linear in the input but for sorting.
pub fn compile(
    mut files: Vec<File>,
    fallback: Fallback<'_>,
    limits: &Limits,
) -> Result<Compiled, TooLarge> {
    let root = arrange(&mut files);
    let mut maker = Maker {
        limits: *limits,
        ..Maker::default()
    };
    let mut manifest = None;
    let mut guide = None;
    for file in &files {
        let Some(name) = file.path.strip_prefix(&root) else {
            continue;
        };
        if u64::try_from(file.bytes.len()).unwrap_or(u64::MAX) > limits.file {
            maker.problem(name, ProblemKind::FileTooLarge);
            continue;
        }
        let json = JsonLimits {
            nodes: limits.values,
            issues: 1,
            ..JsonLimits::FHIR
        };
        let parsed = parse(&file.bytes, json, &());
        let fault = parsed
            .issues
            .iter()
            .find(|i| !matches!(i.kind, warifu_json::IssueKind::ByteOrderMark));
        if let Some(fault) = fault {
            let at = fault.span.start;
            maker.problem(name, ProblemKind::BadJson { at });
            continue;
        }
        let tree = &parsed.tree;
        if name == "package.json" {
            manifest = Some(maker.document(tree, Context::Manifest)?);
            maker.is_manifest(tree);
            continue;
        }
        let kind = tree
            .member(ROOT, "resourceType")
            .and_then(|t| tree.plain(t));
        match kind {
            Some("StructureDefinition") => maker.resource(name, tree, Kind::Structure)?,
            Some("ValueSet") => maker.resource(name, tree, Kind::ValueSet)?,
            Some("CodeSystem") => maker.resource(name, tree, Kind::CodeSystem)?,
            Some("NamingSystem") => maker.resource(name, tree, Kind::NamingSystem)?,
            Some("ImplementationGuide") if guide.is_none() => guide = Some(Guide::of(tree)),
            _ => {}
        }
    }
    let manifest = match manifest {
        Some(m) if maker.named => m,
        _ => {
            if guide.as_ref().is_none_or(|g| g.name.is_empty()) {
                maker.problem("package.json", ProblemKind::NoManifest);
            }
            let guide = guide.unwrap_or_default();
            maker.guide(&guide, fallback)?
        }
    };
    maker.write(manifest)
}

/// SHA-256 of the files with definitions, by path below the root: the same for an archive, a folder and
/// the cache, and for every version of the compiled form. The other files are dropped.
pub fn digest(files: &mut Vec<File>) -> [u8; 32] {
    let root = arrange(files);
    let mut sum = Sha256::new();
    for file in files.iter() {
        if let Some(name) = file.path.strip_prefix(&root) {
            sum.update(Sha256::digest(name.as_bytes()));
            sum.update(Sha256::digest(&file.bytes));
        }
    }
    sum.finalize().into()
}

/// Keeps what may hold definitions, in the order of paths, each once; the root, with its `/`.
fn arrange(files: &mut Vec<File>) -> String {
    files.retain(|f| may_define(&f.path) && is_wanted(&f.path, &f.bytes));
    warifu_order::sort_by(files, |a, b| a.path.cmp(&b.path));
    files.dedup_by(|later, first| later.path == first.path);
    files
        .iter()
        .filter_map(|f| f.path.strip_suffix("package.json"))
        .filter(|r| r.is_empty() || r.ends_with('/'))
        .min_by_key(|r| (r.matches('/').count(), *r))
        .unwrap_or_default()
        .to_owned()
}

/// What an ImplementationGuide says of its package.
#[derive(Default)]
struct Guide {
    name: String,
    version: String,
    dependencies: BTreeMap<String, String>,
}

impl Guide {
    fn of(tree: &Tree<'_>) -> Self {
        let text = |of: NodeId, key: &str| {
            tree.member(of, key)
                .map_or_else(String::new, |n| tree.text(n).into_owned())
        };
        let needs = tree.member(ROOT, "dependsOn");
        Self {
            name: text(ROOT, "packageId"),
            version: text(ROOT, "version"),
            dependencies: needs
                .into_iter()
                .flat_map(|n| tree.children(n))
                .map(|n| (text(n, "packageId"), text(n, "version")))
                .filter(|(name, version)| !name.is_empty() && !version.is_empty())
                .collect(),
        }
    }
}

#[derive(Clone, Copy)]
struct Resource {
    url: u32,
    kind: Kind,
    version: u32,
    file: u32,
    value: Word,
    first: u32,
    count: u32,
    flags: u32,
}

struct Concept {
    code: u32,
    display: u32,
    rest: Word,
    parents: Vec<u32>,
}

#[derive(Default)]
struct Maker {
    limits: Limits,
    text_ids: Table<Rc<str>, u32>,
    texts: Vec<Rc<str>>,
    node_ids: Table<Box<[u32]>, u32>,
    nodes: Vec<u32>,
    resources: Vec<Resource>,
    seen: Table<(Kind, u32, u32), u32>,
    /// Concepts of all code systems; each system is sorted when texts have their final numbers.
    concepts: Vec<Concept>,
    problems: Vec<Problem>,
    /// Whether `package.json` has name and version.
    named: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self::PACKAGE
    }
}

impl Maker {
    fn problem(&mut self, file: &str, kind: ProblemKind) {
        if self.problems.len() < self.limits.problems {
            self.problems.push(Problem::new(file, kind));
        }
    }

    fn text(&mut self, text: &str) -> Result<u32, TooLarge> {
        if let Some(id) = self.text_ids.get(text) {
            return Ok(*id);
        }
        let id = short(self.texts.len());
        if id >= MOST {
            return Err(TooLarge);
        }
        let text: Rc<str> = Rc::from(text);
        self.texts.push(Rc::clone(&text));
        self.text_ids.insert(text, id);
        Ok(id)
    }

    /// The place of a node; equal ones have one place.
    fn node(&mut self, words: Vec<u32>) -> Result<u32, TooLarge> {
        if let Some(at) = self.node_ids.get(words.as_slice()) {
            return Ok(*at);
        }
        let at = short(self.nodes.len());
        if at >= MOST || short(words.len()) >= MOST {
            return Err(TooLarge);
        }
        self.nodes.extend(&words);
        self.node_ids.insert(words.into_boxed_slice(), at);
        Ok(at)
    }

    fn object(&mut self, members: &[(u32, Word)]) -> Result<Word, TooLarge> {
        let mut words = Vec::with_capacity(1 + 2 * members.len());
        words.push(short(members.len()).saturating_mul(2).saturating_add(1));
        words.extend(members.iter().map(|(key, _)| *key));
        words.extend(members.iter().map(|(_, value)| value.pack()));
        Ok(Word::Object(self.node(words)?))
    }

    fn array(&mut self, items: &[Word]) -> Result<Word, TooLarge> {
        let mut words = Vec::with_capacity(1 + items.len());
        words.push(short(items.len()).saturating_mul(2));
        words.extend(items.iter().map(|w| w.pack()));
        Ok(Word::Array(self.node(words)?))
    }

    /// Values of a document's nodes that are kept; concepts are left to [`Maker::concepts_of`].
    fn values(
        &mut self,
        tree: &Tree<'_>,
        contexts: &[Context],
    ) -> Result<Vec<Option<Word>>, TooLarge> {
        let mut values: Vec<Option<Word>> = vec![None; contexts.len()];
        // Backwards, so that what is inside comes first: no recursion.
        for (place, context) in contexts.iter().enumerate().rev() {
            if *context == Context::Drop {
                continue;
            }
            let id = short(place);
            let inner = |child: NodeId| values.get(size(child)).copied().flatten();
            let word = match tree.kind(id) {
                Json::Null => Word::Null,
                Json::False => Word::False,
                Json::True => Word::True,
                Json::Number => Word::Number(self.text(&tree.text(id))?),
                Json::String => Word::Text(self.text(&tree.text(id))?),
                Json::Array => {
                    if *context == Context::Concept {
                        continue;
                    }
                    let items: Vec<Word> = tree.children(id).filter_map(inner).collect();
                    self.array(&items)?
                }
                Json::Object => {
                    let members: Vec<(NodeId, Word)> = tree
                        .children(id)
                        .filter_map(|c| Some((c, inner(c)?)))
                        .collect();
                    let mut made = Vec::with_capacity(members.len());
                    for (child, word) in members {
                        let key = tree.key(child);
                        // Code and display have columns of their own.
                        if *context == Context::Concept && matches!(&*key, "code" | "display") {
                            continue;
                        }
                        made.push((self.text(&key)?, word));
                    }
                    self.object(&made)?
                }
            };
            if let Some(slot) = values.get_mut(place) {
                *slot = Some(word);
            }
        }
        Ok(values)
    }

    fn document(&mut self, tree: &Tree<'_>, root: Context) -> Result<Word, TooLarge> {
        let contexts = contexts(tree, root);
        let values = self.values(tree, &contexts)?;
        Ok(values.first().copied().flatten().unwrap_or(Word::Null))
    }

    fn is_manifest(&mut self, tree: &Tree<'_>) {
        let text = |key: &str| tree.member(ROOT, key).and_then(|n| tree.plain(n));
        self.named = ["name", "version"]
            .iter()
            .all(|k| text(k).is_some_and(|t| !t.is_empty()));
        let versions: Vec<NodeId> = ["fhirVersions", "fhir-version-list"]
            .iter()
            .filter_map(|k| tree.member(ROOT, k))
            .flat_map(|list| tree.children(list).collect::<Vec<_>>())
            .collect();
        let fits = |n: &NodeId| tree.plain(*n).is_some_and(|v| v.starts_with("4.0"));
        if !versions.is_empty() && !versions.iter().any(fits) {
            self.problem("package.json", ProblemKind::OtherFhirVersion);
        }
    }

    /// The manifest of a package that has none.
    fn guide(&mut self, guide: &Guide, fallback: Fallback<'_>) -> Result<Word, TooLarge> {
        let or = |text: &str, other: &str| {
            if text.is_empty() {
                other.to_owned()
            } else {
                text.to_owned()
            }
        };
        let mut needs = Vec::new();
        for (name, version) in &guide.dependencies {
            needs.push((self.text(name)?, Word::Text(self.text(version)?)));
        }
        let needs = self.object(&needs)?;
        let name = self.text(&or(&guide.name, fallback.name))?;
        let version = self.text(&or(&guide.version, fallback.version))?;
        let members = [
            (self.text("name")?, Word::Text(name)),
            (self.text("version")?, Word::Text(version)),
            (self.text("dependencies")?, needs),
        ];
        self.object(&members)
    }

    fn resource(&mut self, file: &str, tree: &Tree<'_>, kind: Kind) -> Result<(), TooLarge> {
        let url = tree.member(ROOT, "url").map(|n| tree.text(n));
        let url = match (url, kind) {
            (Some(url), _) if !url.is_empty() => url.into_owned(),
            // NamingSystem has no URL in R4: its name stands for it.
            (_, Kind::NamingSystem) => tree
                .member(ROOT, "name")
                .map_or_else(String::new, |n| tree.text(n).into_owned()),
            _ => {
                self.problem(file, ProblemKind::NoUrl);
                return Ok(());
            }
        };
        let version = tree
            .member(ROOT, "version")
            .map_or_else(String::new, |n| tree.text(n).into_owned());
        let (url, version) = (self.text(&url)?, self.text(&version)?);
        let file_id = self.text(file)?;
        if let Some(first) = self.seen.get(&(kind, url, version)) {
            let first = self.texts.get(size(*first)).map(ToString::to_string);
            let first = first.unwrap_or_default();
            self.problem(file, ProblemKind::Duplicate { first });
            return Ok(());
        }
        self.seen.insert((kind, url, version), file_id);
        let contexts = contexts(tree, Context::Resource);
        let values = self.values(tree, &contexts)?;
        let mut flags = 0;
        let first = short(self.concepts.len());
        if kind == Kind::CodeSystem {
            let sensitive = tree.member(ROOT, "caseSensitive");
            if sensitive.is_some_and(|n| tree.kind(n) == Json::True) {
                flags |= CASE_SENSITIVE;
            }
            self.concepts_of(file, tree, &values, flags & CASE_SENSITIVE != 0)?;
        }
        self.resources.push(Resource {
            url,
            kind,
            version,
            file: file_id,
            value: values.first().copied().flatten().unwrap_or(Word::Null),
            first,
            count: short(self.concepts.len()) - first,
            flags,
        });
        Ok(())
    }

    /// Adds the concepts of a code system, sorted by code.
    fn concepts_of(
        &mut self,
        file: &str,
        tree: &Tree<'_>,
        values: &[Option<Word>],
        case_sensitive: bool,
    ) -> Result<(), TooLarge> {
        let Some(top) = tree.member(ROOT, "concept") else {
            return Ok(());
        };
        let fold = |code: &str| {
            if case_sensitive {
                code.to_owned()
            } else {
                code.to_ascii_lowercase()
            }
        };
        // Rows in the order of the document: folded code, node, row above.
        let mut rows: Vec<(String, NodeId, Option<usize>)> = Vec::new();
        let mut todo: Vec<(NodeId, Option<usize>)> = vec![(top, None)];
        while let Some((list, above)) = todo.pop() {
            for node in tree.children(list) {
                let Some(code) = tree.member(node, "code") else {
                    continue;
                };
                let row = rows.len();
                rows.push((fold(&tree.text(code)), node, above));
                if let Some(inner) = tree.member(node, "concept") {
                    todo.push((inner, Some(row)));
                }
            }
        }
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let key = |row: &usize| rows.get(*row).map(|(code, node, _)| (code.as_str(), *node));
        warifu_order::sort_by(&mut order, |a, b| key(a).cmp(&key(b)));
        let before = order.len();
        // Of equal codes the first in the document stays; what is below another one moves to it.
        let mut place: Vec<usize> = vec![0; rows.len()];
        let mut kept: Vec<usize> = Vec::with_capacity(before);
        for row in order {
            let same = kept.last().is_some_and(|last| {
                rows.get(*last).map(|r| r.0.as_str()) == rows.get(row).map(|r| r.0.as_str())
            });
            if !same {
                kept.push(row);
            }
            if let Some(slot) = place.get_mut(row) {
                *slot = kept.len().saturating_sub(1);
            }
        }
        if kept.len() < before {
            let count = short(before - kept.len());
            self.problem(file, ProblemKind::DuplicateCode { count });
        }
        let find = |code: &str| {
            let code = fold(code);
            kept.binary_search_by(|row| {
                rows.get(*row)
                    .map(|r| r.0.as_str())
                    .unwrap_or_default()
                    .cmp(&code)
            })
            .ok()
        };
        let mut parents: Vec<Vec<u32>> = vec![Vec::new(); kept.len()];
        let mut link = |child: usize, parent: usize| {
            if child != parent
                && let Some(list) = parents.get_mut(child)
                && !list.contains(&short(parent))
            {
                list.push(short(parent));
            }
        };
        for (row, (_, node, above)) in rows.iter().enumerate() {
            let own = place.get(row).copied().unwrap_or_default();
            if let Some(parent) = above.and_then(|a| place.get(a)) {
                link(own, *parent);
            }
            let properties = tree.member(*node, "property");
            for property in properties.into_iter().flat_map(|p| tree.children(p)) {
                let text = |key: &str| tree.member(property, key).map(|n| tree.text(n));
                let (Some(name), Some(value)) = (text("code"), text("valueCode")) else {
                    continue;
                };
                let Some(other) = find(&value) else {
                    continue;
                };
                match &*name {
                    "parent" | "subsumedBy" => link(own, other),
                    "child" => link(other, own),
                    _ => {}
                }
            }
        }
        for (row, mut parents) in kept.iter().zip(parents) {
            let Some((_, node, _)) = rows.get(*row) else {
                continue;
            };
            let text = |key: &str| tree.member(*node, key).map(|n| tree.text(n));
            let code = self.text(&text("code").unwrap_or_default())?;
            let display = match text("display") {
                Some(text) => self.text(&text)?,
                None => NONE,
            };
            warifu_order::sort(&mut parents);
            self.concepts.push(Concept {
                code,
                display,
                rest: values
                    .get(size(*node))
                    .copied()
                    .flatten()
                    .unwrap_or(Word::Null),
                parents,
            });
        }
        Ok(())
    }

    fn write(self, manifest: Word) -> Result<Compiled, TooLarge> {
        // Texts in their order; numbers become places in it.
        let mut order: Vec<u32> = (0..short(self.texts.len())).collect();
        let text = |id: &u32| self.texts.get(size(*id));
        warifu_order::sort_by(&mut order, |a, b| text(a).cmp(&text(b)));
        let mut rank = vec![0_u32; self.texts.len()];
        for (place, id) in order.iter().enumerate() {
            if let Some(slot) = rank.get_mut(size(*id)) {
                *slot = short(place);
            }
        }
        let text = |id: u32| {
            if id == NONE {
                NONE
            } else {
                rank.get(size(id)).copied().unwrap_or_default()
            }
        };
        let word = |word: Word| match word {
            Word::Text(id) => Word::Text(text(id)),
            Word::Number(id) => Word::Number(text(id)),
            other => other,
        };
        let (mut ends, mut texts) = (Vec::new(), Vec::new());
        for id in &order {
            texts.extend(
                self.texts
                    .get(size(*id))
                    .map(|t| t.as_bytes())
                    .unwrap_or_default(),
            );
            put(&mut ends, short(texts.len()));
        }
        let mut nodes = Vec::with_capacity(4 * self.nodes.len());
        let mut rest = self.nodes.as_slice();
        while let Some((head, inner)) = rest.split_first() {
            put(&mut nodes, *head);
            let count = size(head >> 1);
            let keys = if head & 1 == 1 { count } else { 0 };
            let (keys, inner) = inner.split_at_checked(keys).ok_or(TooLarge)?;
            let (values, inner) = inner.split_at_checked(count).ok_or(TooLarge)?;
            for key in keys {
                put(&mut nodes, text(*key));
            }
            for value in values {
                put(&mut nodes, word(Word::unpack(*value)).pack());
            }
            rest = inner;
        }
        let mut list = self.resources;
        warifu_order::sort_by_key(&mut list, |r| (text(r.url), r.kind, text(r.file)));
        let mut resources = Vec::new();
        for r in &list {
            for n in [
                text(r.url),
                r.kind.number(),
                text(r.version),
                text(r.file),
                word(r.value).pack(),
                r.first,
                r.count,
                r.flags,
            ] {
                put(&mut resources, n);
            }
        }
        let (mut concepts, mut parents) = (Vec::new(), Vec::new());
        for c in &self.concepts {
            let first = short(parents.len() / 4);
            for parent in &c.parents {
                put(&mut parents, *parent);
            }
            for n in [
                text(c.code),
                text(c.display),
                word(c.rest).pack(),
                first,
                short(c.parents.len()),
            ] {
                put(&mut concepts, n);
            }
        }
        let mut package = Vec::new();
        put(&mut package, word(manifest).pack());
        let sections = [ends, texts, nodes, resources, concepts, parents, package];
        let mut body = Vec::new();
        for section in &sections {
            if section.len() >= size(NONE) {
                return Err(TooLarge);
            }
            put(&mut body, short(section.len()));
        }
        body.extend(sections.concat());
        let mut bytes = MAGIC.to_vec();
        bytes.extend(Sha256::digest(&body));
        bytes.extend(body);
        let mut problems = self.problems;
        warifu_order::sort_by(&mut problems, |a, b| a.file.cmp(&b.file));
        Ok(Compiled { bytes, problems })
    }
}

fn put(out: &mut Vec<u8>, number: u32) {
    out.extend(number.to_le_bytes());
}
