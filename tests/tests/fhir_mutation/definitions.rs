//! StructureDefinitions, value sets and code systems, read with `serde_json` alone.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::rc::Rc;

use serde_json::Value;

/// One type that an element may have.
#[derive(Debug, Clone)]
pub(crate) struct Type {
    pub(crate) code: String,
    pub(crate) profiles: Vec<String>,
    pub(crate) targets: Vec<String>,
}

/// An element of a snapshot.
#[derive(Debug, Clone, Default)]
pub(crate) struct Element {
    pub(crate) id: String,
    pub(crate) path: String,
    /// Last part of the path, as `value[x]`.
    pub(crate) name: String,
    pub(crate) min: u64,
    /// `None`: any number.
    pub(crate) max: Option<u64>,
    /// What the base of all allows: one or a list.
    pub(crate) is_list: bool,
    pub(crate) types: Vec<Type>,
    pub(crate) fixed: Option<Value>,
    pub(crate) pattern: Option<Value>,
    /// Value set of a required binding.
    pub(crate) required: Option<String>,
    /// Kind and path.
    pub(crate) discriminators: Option<Vec<(String, String)>>,
    pub(crate) closed: bool,
    pub(crate) slice: Option<String>,
    pub(crate) content: Option<String>,
    /// Numbers of the elements below, slices left out.
    pub(crate) children: Vec<usize>,
    /// Numbers of its slices.
    pub(crate) slices: Vec<usize>,
}

/// A StructureDefinition with its snapshot.
#[derive(Debug)]
pub(crate) struct Structure {
    pub(crate) url: String,
    pub(crate) of: String,
    pub(crate) kind: String,
    pub(crate) is_profile: bool,
    pub(crate) is_modifier: bool,
    /// Kind and expression.
    pub(crate) contexts: Vec<(String, String)>,
    pub(crate) elements: Vec<Element>,
}

fn text(v: &Value, key: &str) -> String {
    v.get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn list<'v>(v: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    v.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn texts(v: &Value, key: &str) -> Vec<String> {
    list(v, key)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn max(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// Types that FHIRPath alone knows stand for those of FHIR: `id` of resources, `url` of extensions.
fn code(code: &str, element: &Value) -> String {
    let base = element
        .get("base")
        .map(|b| text(b, "path"))
        .unwrap_or_default();
    match (code, &*base) {
        ("http://hl7.org/fhirpath/System.String", "Resource.id") => "id",
        ("http://hl7.org/fhirpath/System.String", "Extension.url") => "uri",
        ("http://hl7.org/fhirpath/System.String", _) => "string",
        _ => code,
    }
    .to_owned()
}

fn element(v: &Value) -> Element {
    let valued = |prefix: &str| {
        v.as_object()
            .into_iter()
            .flatten()
            .find(|(k, _)| k.starts_with(prefix))
            .map(|(_, v)| v.clone())
    };
    let path = text(v, "path");
    let base_max = v
        .get("base")
        .map_or_else(|| text(v, "max"), |b| text(b, "max"));
    let slicing = v.get("slicing");
    Element {
        id: text(v, "id"),
        name: path.rsplit('.').next().unwrap_or_default().to_owned(),
        path,
        min: v.get("min").and_then(Value::as_u64).unwrap_or_default(),
        max: max(&text(v, "max")),
        is_list: base_max != "1" && base_max != "0",
        types: list(v, "type")
            .map(|t| Type {
                code: code(&text(t, "code"), v),
                profiles: texts(t, "profile"),
                targets: texts(t, "targetProfile"),
            })
            .collect(),
        fixed: valued("fixed"),
        pattern: valued("pattern"),
        required: v
            .get("binding")
            .filter(|b| text(b, "strength") == "required")
            .map(|b| text(b, "valueSet")),
        discriminators: slicing.map(|s| {
            list(s, "discriminator")
                .map(|d| (text(d, "type"), text(d, "path")))
                .collect()
        }),
        closed: slicing.is_some_and(|s| text(s, "rules") == "closed"),
        slice: v
            .get("sliceName")
            .and_then(Value::as_str)
            .map(str::to_owned),
        content: v
            .get("contentReference")
            .and_then(Value::as_str)
            .and_then(|c| c.rsplit('#').next())
            .map(str::to_owned),
        children: Vec::new(),
        slices: Vec::new(),
    }
}

fn structure(v: &Value) -> Option<Structure> {
    let mut elements: Vec<Element> = list(v.get("snapshot")?, "element").map(element).collect();
    let by_id: BTreeMap<String, usize> = elements
        .iter()
        .enumerate()
        .map(|(n, e)| (e.id.clone(), n))
        .collect();
    for n in 1..elements.len() {
        let id = elements[n].id.clone();
        let (parent, last) = id.rsplit_once('.').unwrap_or(("", &id));
        match last.split_once(':') {
            // A slice of a slice narrows what its own slice says: it is left out.
            Some((_, slice)) if slice.contains('/') => {}
            Some((name, _)) => {
                if let Some(of) = by_id.get(&format!("{parent}.{name}")) {
                    elements[*of].slices.push(n);
                }
            }
            None => {
                if let Some(of) = by_id.get(parent) {
                    elements[*of].children.push(n);
                }
            }
        }
    }
    let root_modifier = list(v.get("snapshot")?, "element")
        .next()
        .and_then(|e| e.get("isModifier"))
        == Some(&Value::Bool(true));
    Some(Structure {
        url: text(v, "url"),
        of: text(v, "type"),
        kind: text(v, "kind"),
        is_profile: text(v, "derivation") == "constraint",
        is_modifier: root_modifier,
        contexts: list(v, "context")
            .map(|c| (text(c, "type"), text(c, "expression")))
            .collect(),
        elements,
    })
}

/// Everything that some packages define; the first to define a canonical has it.
#[derive(Default, Clone)]
pub(crate) struct Definitions {
    structures: BTreeMap<String, Rc<Structure>>,
    sets: BTreeMap<String, Rc<Value>>,
    systems: BTreeMap<String, Rc<Value>>,
}

impl Definitions {
    /// Adds an archive to what is there.
    pub(crate) fn add(&mut self, archive: &Path) {
        let file = std::fs::File::open(archive).unwrap();
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(file));
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            let is_json = Path::new(&name).extension().is_some_and(|e| e == "json");
            if !is_json || name.matches('/').count() != 1 {
                continue;
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
                continue;
            };
            let url = text(&value, "url");
            match &*text(&value, "resourceType") {
                "StructureDefinition" => {
                    if let Some(own) = structure(&value) {
                        self.structures.entry(url).or_insert_with(|| Rc::new(own));
                    }
                }
                "ValueSet" => {
                    self.sets.entry(url).or_insert_with(|| Rc::new(value));
                }
                "CodeSystem" => {
                    self.systems.entry(url).or_insert_with(|| Rc::new(value));
                }
                _ => {}
            }
        }
    }

    /// The type of core with this name.
    pub(crate) fn core(&self, name: &str) -> Option<Rc<Structure>> {
        let name = name.rsplit('/').next().unwrap_or(name);
        self.structures
            .get(&format!("http://hl7.org/fhir/StructureDefinition/{name}"))
            .filter(|s| !s.is_profile)
            .cloned()
    }

    /// The profile or extension with this canonical.
    pub(crate) fn profile(&self, canonical: &str) -> Option<Rc<Structure>> {
        let url = canonical.split('|').next().unwrap_or(canonical);
        self.structures.get(url).filter(|s| s.is_profile).cloned()
    }

    /// Whether a system has a code; `None`: that is not known.
    pub(crate) fn has_code(&self, system: &str, code: &str) -> Option<bool> {
        let held = self.systems.get(system)?;
        (text(held, "content") == "complete").then(|| has(held, code))
    }

    /// Whether a set has a code; `None`: that is not known.
    pub(crate) fn member(&self, set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        let url = set.split('|').next().unwrap_or(set);
        let held = self.sets.get(url)?;
        let compose = held.get("compose")?;
        if list(compose, "exclude").next().is_some() {
            return None;
        }
        let mut unknown = false;
        for include in list(compose, "include") {
            let own = text(include, "system");
            if system.is_some_and(|s| !own.is_empty() && s != own) {
                continue;
            }
            let mut answer = Some(true);
            for other in texts(include, "valueSet") {
                answer = match (answer, self.member(&other, system, code)) {
                    (Some(true), other) => other,
                    (answer, _) => answer,
                };
            }
            if answer == Some(true) && !own.is_empty() {
                let concepts: Vec<_> = list(include, "concept").map(|c| text(c, "code")).collect();
                answer = if list(include, "filter").next().is_some() {
                    None
                } else if concepts.is_empty() {
                    self.has_code(&own, code)
                } else {
                    Some(concepts.iter().any(|c| c == code))
                };
            }
            match answer {
                Some(true) => return Some(true),
                Some(false) => {}
                None => unknown = true,
            }
        }
        (!unknown).then_some(false)
    }
}

fn has(v: &Value, code: &str) -> bool {
    list(v, "concept").any(|c| text(c, "code") == code || has(c, code))
}
