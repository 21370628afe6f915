//! Whether a document breaks what the definitions say: a second reader of them, which shares nothing
//! with the validator. It knows what the operators break, and nothing more; where it cannot know, it
//! says nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;
use std::sync::LazyLock;

use regex_lite::Regex;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::definitions::{Definitions, Element, Structure};

/// Place and kind of a fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    pub(crate) place: String,
    pub(crate) what: String,
}

pub(crate) type Faults = BTreeMap<Fault, usize>;

/// A step from a value to one in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// An element of a definition.
pub(crate) type Def = (Rc<Structure>, usize);

fn at(def: &Def) -> &Element {
    &def.0.elements[def.1]
}

/// A value of the document, with what is defined for it.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) path: Vec<Step>,
    pub(crate) place: String,
    /// Type; of backbone elements `BackboneElement`.
    pub(crate) of: String,
    /// Its element of core; of resources the first of the type.
    pub(crate) core: Def,
    /// Elements of profiles, slices as well.
    pub(crate) profiles: Vec<Def>,
    /// Definitions of what is below it: core first.
    pub(crate) below: Vec<Def>,
    /// How many stand in its list; 0: no list.
    pub(crate) of_list: usize,
    /// Whether something stands beside it (`_name`).
    pub(crate) has_twin: bool,
}

impl Node {
    /// Path of the core element: operators are spread over it.
    pub(crate) fn label(&self) -> String {
        at(&self.core).path.clone()
    }
    pub(crate) fn element(&self) -> &Element {
        at(&self.core)
    }
}

/// What the walk over a document gives.
pub(crate) struct Seen {
    pub(crate) faults: Faults,
    pub(crate) nodes: Vec<Node>,
}

/// JSON with the same name twice in one object: the paths of the objects.
struct Strict {
    value: Value,
    twice: Vec<String>,
}

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Strict;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Strict, A::Error> {
                let mut map = Map::new();
                let mut twice = Vec::new();
                while let Some((key, own)) = from.next_entry::<String, Strict>()? {
                    twice.extend(own.twice);
                    if map.insert(key.clone(), own.value).is_some() {
                        twice.push(key);
                    }
                }
                Ok(Strict {
                    value: Value::Object(map),
                    twice,
                })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Strict, A::Error> {
                let mut all = Vec::new();
                let mut twice = Vec::new();
                while let Some(own) = from.next_element::<Strict>()? {
                    twice.extend(own.twice);
                    all.push(own.value);
                }
                Ok(Strict {
                    value: Value::Array(all),
                    twice,
                })
            }
            fn visit_str<E>(self, v: &str) -> Result<Strict, E> {
                Ok(plain(Value::from(v)))
            }
            fn visit_bool<E>(self, v: bool) -> Result<Strict, E> {
                Ok(plain(Value::from(v)))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Strict, E> {
                Ok(plain(Value::from(v)))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Strict, E> {
                Ok(plain(Value::from(v)))
            }
            fn visit_f64<E>(self, v: f64) -> Result<Strict, E> {
                Ok(plain(Value::from(v)))
            }
            fn visit_unit<E>(self) -> Result<Strict, E> {
                Ok(plain(Value::Null))
            }
        }
        fn plain(value: Value) -> Strict {
            Strict {
                value,
                twice: Vec::new(),
            }
        }
        from.deserialize_any(Reader)
    }
}

/// Reads a document and says what is wrong with it, and what is defined for each value.
pub(crate) fn see(definitions: &Definitions, document: &str) -> Seen {
    let read: Strict = serde_json::from_str(document).unwrap();
    let mut walk = Walk {
        d: definitions,
        root: &read.value,
        seen: Seen {
            faults: Faults::new(),
            nodes: Vec::new(),
        },
        path: Vec::new(),
    };
    for key in read.twice {
        walk.fault("", &format!("twice {key}"));
    }
    let rt = text(&read.value, "resourceType").to_owned();
    walk.resource(&read.value, &rt, &Holder::default());
    walk.seen
}

fn text<'v>(v: &'v Value, key: &str) -> &'v str {
    v.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(v: &'v Value, key: &str) -> &'v [Value] {
    v.get(key).and_then(Value::as_array).map_or(&[], |l| l)
}

/// What a resource stands in.
#[derive(Clone, Copy, Default)]
struct Holder<'v> {
    /// The resource that contains it.
    container: Option<&'v Value>,
    bundle: Option<&'v Value>,
    /// `fullUrl` of its entry.
    url: &'v str,
}

/// What the values of a resource ask about it.
#[derive(Clone, Copy)]
struct Around<'v> {
    holder: Holder<'v>,
    /// The resource, or the one that contains it.
    outer: &'v Value,
}

struct Walk<'d, 'v> {
    d: &'d Definitions,
    root: &'v Value,
    seen: Seen,
    path: Vec<Step>,
}

impl<'v> Walk<'_, 'v> {
    fn fault(&mut self, place: &str, what: &str) {
        let fault = Fault {
            place: place.to_owned(),
            what: what.to_owned(),
        };
        *self.seen.faults.entry(fault).or_default() += 1;
    }

    fn resource(&mut self, v: &'v Value, place: &str, holder: &Holder<'v>) {
        let name = text(v, "resourceType");
        let core = self
            .d
            .core(name)
            .filter(|s| s.kind == "resource" && !matches!(name, "Resource" | "DomainResource"));
        let Some(core) = core else {
            self.fault(place, "resourceType");
            return;
        };
        let around = Around {
            holder: *holder,
            outer: holder.container.unwrap_or(v),
        };
        let mut below = vec![(core, 0)];
        for claim in v
            .get("meta")
            .map_or(&[][..], |m| list(m, "profile"))
            .iter()
            .filter_map(Value::as_str)
        {
            if let Some(profile) = self.d.profile(claim) {
                if profile.of == name {
                    below.push((profile, 0));
                } else {
                    self.fault(
                        &format!("{place}.meta.profile"),
                        &format!("type of {claim}"),
                    );
                }
            }
        }
        self.seen.nodes.push(Node {
            path: self.path.clone(),
            place: place.to_owned(),
            of: name.to_owned(),
            core: below[0].clone(),
            profiles: Vec::new(),
            below: below.clone(),
            of_list: 0,
            has_twin: false,
        });
        self.object(v, &below, place, around, true);
        self.contained(v, place, holder);
        if name == "Bundle" {
            self.bundle(v, place);
        }
    }

    /// The children of an object, by what is defined below it: core first.
    fn object(
        &mut self,
        v: &'v Value,
        below: &[Def],
        place: &str,
        around: Around<'v>,
        is_resource: bool,
    ) {
        let Some(map) = v.as_object() else { return };
        if map.is_empty() {
            self.fault(place, "empty");
        }
        let core = &below[0];
        let children: Vec<usize> = at(core).children.clone();
        // Name of the element, key, type.
        let mut found: BTreeMap<usize, BTreeSet<(String, String)>> = BTreeMap::new();
        for key in map.keys() {
            let name = key.strip_prefix('_').unwrap_or(key);
            if is_resource && key == "resourceType" {
                continue;
            }
            let known = children
                .iter()
                .find_map(|n| Some((*n, type_by_key(&core.0.elements[*n], name)?)));
            match known {
                Some((n, of)) => {
                    if key.starts_with('_') && !is_primitive(self.d, &of) {
                        self.fault(&format!("{place}.{name}"), "unknown");
                    }
                    found.entry(n).or_default().insert((name.to_owned(), of));
                }
                None => self.fault(&format!("{place}.{key}"), "unknown"),
            }
        }
        for n in children {
            let element = core.0.elements[n].clone();
            let keys = found.get(&n).cloned().unwrap_or_default();
            let short = element.name.trim_end_matches("[x]").to_owned();
            if keys.len() > 1 {
                self.fault(&format!("{place}.{short}"), "several types");
            }
            // What profiles say of the same element.
            let same: Vec<Def> = below[1..]
                .iter()
                .flat_map(|def| {
                    at(def)
                        .children
                        .iter()
                        .map(|c| (def.0.clone(), *c))
                        .collect::<Vec<_>>()
                })
                .filter(|def| {
                    let name = &at(def).name;
                    *name == element.name
                        || (element.name.ends_with("[x]")
                            && keys.iter().any(|(key, _)| key == name))
                })
                .collect();
            let mut count = 0;
            let mut slots: Vec<Vec<u64>> =
                same.iter().map(|d| vec![0; at(d).slices.len()]).collect();
            let mut sure = vec![true; same.len()];
            let where_ = match keys.iter().next() {
                Some((_, of)) if element.name.ends_with("[x]") => {
                    format!("{place}.{short}.ofType({of})")
                }
                _ => format!("{place}.{short}"),
            };
            for (key, of) in &keys {
                let (value, twin) = (map.get(key), map.get(&format!("_{key}")));
                let many = |v: Option<&'v Value>| v.is_none_or(Value::is_array);
                if element.is_list != many(value) && value.is_some()
                    || element.is_list != many(twin) && twin.is_some()
                {
                    self.fault(&where_, "one or many");
                    continue;
                }
                let one = |v: Option<&'v Value>| match v {
                    None => Vec::new(),
                    Some(Value::Array(all)) if element.is_list => all.iter().collect(),
                    Some(v) => vec![v],
                };
                let (values, twins) = (one(value), one(twin));
                if values.is_empty() && twins.is_empty() {
                    self.fault(&where_, "empty");
                }
                for i in 0..values.len().max(twins.len()) {
                    count += 1;
                    self.path.push(Step::Key(key.clone()));
                    let mut own = where_.clone();
                    if element.is_list {
                        self.path.push(Step::Index(i));
                        own = format!("{where_}[{i}]");
                    }
                    let mut defs = same.clone();
                    let value = values.get(i).copied().filter(|v| !v.is_null());
                    let twin = twins.get(i).copied().filter(|v| !v.is_null());
                    for (s, def) in same.iter().enumerate() {
                        match self.slice_of(def, value, of) {
                            Slot::Slice(slice) => {
                                slots[s][slice] += 1;
                                defs.push((def.0.clone(), at(def).slices[slice]));
                            }
                            Slot::None if at(def).closed && !at(def).slices.is_empty() => {
                                self.fault(&own, "no slice");
                            }
                            Slot::None => {}
                            Slot::Unsure => sure[s] = false,
                        }
                    }
                    let core = (core.0.clone(), n);
                    let counts = (
                        if element.is_list { values.len() } else { 0 },
                        twin.is_some(),
                    );
                    if value.is_none() && twin.is_none() {
                        self.fault(&own, "null");
                    } else {
                        self.item((value, twin), of, &core, &defs, &own, around, counts);
                    }
                    if element.is_list {
                        self.path.pop();
                    }
                    self.path.pop();
                }
            }
            let range = |walk: &mut Self, e: &Element, count: u64| {
                if count < e.min {
                    walk.fault(&where_, &format!("less than {} of {}", e.min, e.id));
                }
                if e.max.is_some_and(|max| count > max) {
                    walk.fault(&where_, &format!("more of {}", e.id));
                }
            };
            range(self, &element, count);
            for (s, def) in same.iter().enumerate() {
                range(self, at(def), count);
                if sure[s] {
                    for (i, slice) in at(def).slices.iter().enumerate() {
                        range(self, &def.0.elements[*slice], slots[s][i]);
                    }
                }
            }
        }
        self.invariants(v, &core.0.clone(), at(&core.clone()), place);
    }

    /// One value of an element.
    #[allow(clippy::too_many_arguments, reason = "one call")]
    fn item(
        &mut self,
        (value, twin): (Option<&'v Value>, Option<&'v Value>),
        of: &str,
        core: &Def,
        profiles: &[Def],
        place: &str,
        around: Around<'v>,
        (of_list, has_twin): (usize, bool),
    ) {
        let element = at(core);
        let is_resource = matches!(of, "Resource" | "DomainResource");
        let mut below: Vec<Def> = Vec::new();
        if let Some(content) = &element.content {
            let target = core.0.elements.iter().position(|e| e.id == *content);
            below.push((core.0.clone(), target.unwrap()));
        } else if !element.children.is_empty() {
            below.push(core.clone());
        } else if let Some(own) = self.d.core(of) {
            below.push((own, 0));
        }
        for def in profiles {
            let e = at(def);
            if !e.children.is_empty() {
                below.push(def.clone());
            }
            let own: Vec<_> = e
                .types
                .iter()
                .filter(|t| t.code == of && !is_resource)
                .flat_map(|t| &t.profiles)
                .collect();
            if let [one] = own[..]
                && let Some(profile) = self.d.profile(one)
            {
                below.push((profile, 0));
            }
        }
        if of == "Extension"
            && let Some(profile) = value.and_then(|v| self.d.profile(text(v, "url")))
        {
            self.extension(value.unwrap(), &profile, core, place);
            below.push((profile, 0));
        }
        let mut known = BTreeSet::new();
        below.retain(|(s, n)| known.insert((s.url.clone(), *n)));
        self.seen.nodes.push(Node {
            path: self.path.clone(),
            place: place.to_owned(),
            of: of.to_owned(),
            core: core.clone(),
            profiles: profiles.to_vec(),
            below: below.clone(),
            of_list,
            has_twin,
        });
        if is_resource {
            if let Some(v) = value {
                self.within(v, core, place, around);
            }
            return;
        }
        let primitive = is_primitive(self.d, of);
        if primitive {
            if let Some(v) = value {
                self.primitive(v, of, place);
            }
            if let Some(twin) = twin {
                if twin.is_object() {
                    self.object(twin, &below, place, around, false);
                } else {
                    self.fault(place, "json type");
                }
            }
        } else if value.is_some_and(Value::is_object) {
            self.object(value.unwrap(), &below, place, around, false);
        } else {
            self.fault(place, "json type");
            return;
        }
        let Some(v) = value else { return };
        if let Some(set) = &element.required {
            self.bound(v, of, set, place);
        }
        if of == "Coding" {
            self.coding(v, place);
        }
        if of == "Reference" {
            self.reference(v, core, profiles, place, around);
        }
        for def in profiles {
            let e = at(def);
            if !e.types.is_empty() && !e.types.iter().any(|t| t.code == of) {
                self.fault(place, &format!("type of {}", e.id));
            }
            if let Some(fixed) = &e.fixed
                && v != fixed
            {
                self.fault(place, &format!("fixed {}", e.id));
            }
            if let Some(pattern) = &e.pattern
                && !contains(v, pattern)
            {
                self.fault(place, &format!("pattern {}", e.id));
            }
            if let Some(set) = &e.required {
                self.bound(v, of, set, place);
            }
        }
    }

    /// A resource in a resource.
    fn within(&mut self, v: &'v Value, core: &Def, place: &str, around: Around<'v>) {
        let mut holder = around.holder;
        if at(core).name == "contained" {
            holder.container = Some(around.outer);
        } else {
            holder.container = None;
            let entry = self.path.len() - 1;
            let steps = &self.path[..entry];
            if at(core).path == "Bundle.entry.resource" {
                holder.bundle = Some(around.outer);
                let entry = find(self.root, steps).unwrap_or(&Value::Null);
                holder.url = text(entry, "fullUrl");
            }
        }
        self.resource(v, place, &holder);
    }

    fn primitive(&mut self, v: &Value, of: &str, place: &str) {
        let good = match of {
            "boolean" => v.is_boolean(),
            "decimal" | "integer" | "unsignedInt" | "positiveInt" => v.is_number(),
            _ => v.is_string(),
        };
        if !good {
            self.fault(place, "json type");
            return;
        }
        let form = match v {
            Value::String(text) if text.is_empty() => false,
            Value::String(text) if of == "xhtml" => narrative(text),
            Value::String(text) => form(of, text),
            Value::Number(n) => match of {
                "decimal" => true,
                "integer" => n.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
                "unsignedInt" => n.as_i64().is_some_and(|n| (0..=2_147_483_647).contains(&n)),
                _ => n.as_i64().is_some_and(|n| (1..=2_147_483_647).contains(&n)),
            },
            _ => true,
        };
        if !form {
            self.fault(place, "form");
        }
    }

    fn bound(&mut self, v: &Value, of: &str, set: &str, place: &str) {
        let coded: Vec<(Option<&str>, &str)> = match of {
            "CodeableConcept" => list(v, "coding")
                .iter()
                .filter(|c| c.get("code").is_some())
                .map(|c| (Some(text(c, "system")), text(c, "code")))
                .collect(),
            "Coding" | "Quantity" => vec![(Some(text(v, "system")), text(v, "code"))],
            _ => vec![(None, v.as_str().unwrap_or_default())],
        };
        let answers: Vec<_> = coded
            .iter()
            .map(|(system, code)| self.d.member(set, *system, code))
            .collect();
        if answers.iter().all(|a| *a == Some(false)) {
            self.fault(place, &format!("not in {set}"));
        }
    }

    fn coding(&mut self, v: &Value, place: &str) {
        let (system, code) = (text(v, "system"), text(v, "code"));
        if !code.is_empty() && self.d.has_code(system, code) == Some(false) {
            self.fault(&format!("{place}.code"), "unknown code");
        }
    }

    /// Where an extension stands, and how.
    fn extension(&mut self, _: &Value, profile: &Structure, core: &Def, place: &str) {
        let is_modifier = at(core).name == "modifierExtension";
        if is_modifier != profile.is_modifier {
            self.fault(&format!("{place}.url"), "modifier");
        }
        // The element that holds it: `Patient`, `HumanName`, or `Patient.contact`.
        let path = &at(core).path;
        let holder = path.rsplit_once('.').map_or("", |(h, _)| h);
        let of = core.0.of.clone();
        let allowed = profile.contexts.is_empty()
            || profile.contexts.iter().any(|(kind, expression)| {
                kind != "element"
                    || matches!(&**expression, "Element" | "*")
                    || expression.rsplit('/').next() == Some(holder)
                    || (expression == "DomainResource" || expression == "Resource")
                        && core.0.kind == "resource"
                        && holder == of
                    // A path into a type or a backbone: the walk does not know whence it came.
                    || expression.contains('.')
                        && !(core.0.kind == "resource" && holder == of)
            });
        if !allowed {
            self.fault(&format!("{place}.url"), "context");
        }
    }

    fn contained(&mut self, v: &'v Value, place: &str, holder: &Holder<'v>) {
        let all = list(v, "contained");
        for (n, one) in all.iter().enumerate() {
            if holder.container.is_some() || one.get("contained").is_some() {
                self.fault(place, "dom-2");
            }
            let meta = one.get("meta").unwrap_or(&Value::Null);
            if meta.get("versionId").is_some() || meta.get("lastUpdated").is_some() {
                self.fault(place, "dom-4");
            }
            if meta.get("security").is_some() {
                self.fault(place, "dom-5");
            }
            let id = format!("#{}", text(one, "id"));
            let named = all
                .iter()
                .enumerate()
                .any(|(i, c)| i != n && mentions(c, &id))
                || v.as_object()
                    .unwrap()
                    .iter()
                    .any(|(k, v)| k != "contained" && mentions(v, &id))
                || mentions(one, "#");
            if !named {
                self.fault(place, "dom-3");
            }
        }
    }

    fn reference(
        &mut self,
        v: &'v Value,
        core: &Def,
        profiles: &[Def],
        place: &str,
        around: Around<'v>,
    ) {
        let to = text(v, "reference");
        let place_of = format!("{place}.reference");
        if to.is_empty() {
            return;
        }
        let target = if let Some(id) = to.strip_prefix('#') {
            let found = list(around.outer, "contained")
                .iter()
                .find(|c| text(c, "id") == id);
            if found.is_none() && !id.is_empty() {
                self.fault(place, "ref-1");
                return;
            }
            found.map(|f| text(f, "resourceType").to_owned())
        } else {
            let plain = to.split("/_history/").next().unwrap();
            let mut parts = plain.rsplit('/');
            let (id, name) = (parts.next().unwrap_or_default(), parts.next());
            let named = name
                .filter(|n| self.d.core(n).is_some_and(|s| s.kind == "resource") && !id.is_empty());
            let entries = around.holder.bundle.map(|b| list(b, "entry"));
            let base = around
                .holder
                .url
                .rsplitn(3, '/')
                .nth(2)
                .filter(|b| b.starts_with("http"));
            let entry = entries.into_iter().flatten().find(|e| {
                let url = text(e, "fullUrl");
                url == plain || base.is_some_and(|b| url == format!("{b}/{plain}"))
            });
            if to.starts_with("urn:") && entries.is_some() && entry.is_none() {
                self.fault(&place_of, "nothing there");
                return;
            }
            if named.is_none() && !to.contains(':') && !to.contains('?') {
                self.fault(&place_of, "form of reference");
                return;
            }
            entry
                .and_then(|e| e.get("resource"))
                .map(|r| text(r, "resourceType").to_owned())
                .or_else(|| named.map(str::to_owned))
        };
        let Some(target) = target else { return };
        for def in profiles.iter().chain([core]) {
            let allowed: Vec<_> = at(def)
                .types
                .iter()
                .filter(|t| t.code == "Reference")
                .flat_map(|t| &t.targets)
                .collect();
            let fits = |canonical: &&String| {
                match self.d.profile(canonical) {
                    Some(profile) => profile.of == target,
                    None => match self.d.core(canonical) {
                        Some(own) => own.of == target || own.of == "Resource",
                        // Of a package that is not at hand.
                        None => true,
                    },
                }
            };
            if !allowed.is_empty() && !allowed.iter().any(fits) {
                self.fault(place, &format!("target of {}", at(def).id));
            }
        }
    }

    fn bundle(&mut self, v: &'v Value, place: &str) {
        let of = text(v, "type");
        let entries = list(v, "entry");
        let rule = |walk: &mut Self, bad: bool, key: &str| {
            if bad {
                walk.fault(place, key);
            }
        };
        let document = of == "document";
        rule(
            self,
            v.get("total").is_some() && !matches!(of, "searchset" | "history"),
            "bdl-1",
        );
        let any = |key: &str| entries.iter().any(|e| e.get(key).is_some());
        rule(self, any("search") && of != "searchset", "bdl-2");
        let sent = matches!(of, "batch" | "transaction" | "history");
        rule(self, any("request") && !sent, "bdl-3");
        let answered = matches!(of, "batch-response" | "transaction-response" | "history");
        rule(self, any("response") && !answered, "bdl-4");
        let identifier = v.get("identifier").unwrap_or(&Value::Null);
        let known = !text(identifier, "system").is_empty() && !text(identifier, "value").is_empty();
        rule(self, document && !known, "bdl-9");
        rule(self, document && text(v, "timestamp").is_empty(), "bdl-10");
        let first = entries
            .first()
            .and_then(|e| e.get("resource"))
            .map_or("", |r| text(r, "resourceType"));
        rule(self, document && first != "Composition", "bdl-11");
        let mut urls = BTreeSet::new();
        for (n, entry) in entries.iter().enumerate() {
            let at = format!("{place}.entry[{n}]");
            let url = text(entry, "fullUrl");
            let resource = entry.get("resource");
            if url.is_empty() {
                if resource.is_some() && matches!(of, "document" | "message" | "collection") {
                    self.fault(&at, "no fullUrl");
                }
                continue;
            }
            let version = resource
                .and_then(|r| r.get("meta"))
                .map_or("", |m| text(m, "versionId"));
            if of != "history" && !urls.insert((url, version)) {
                self.fault(place, "bdl-7");
            }
            if url.contains("/_history/") {
                self.fault(&at, "bdl-8");
            }
            let bad = if url.starts_with("urn:uuid:") {
                !form("any case of uuid", url)
            } else if url.starts_with("urn:oid:") {
                false
            } else if url.contains("://") {
                let mut parts = url.rsplit('/');
                let (id, name) = (parts.next().unwrap(), parts.next().unwrap_or_default());
                resource.is_some_and(|r| {
                    self.d.core(name).is_some_and(|s| s.kind == "resource")
                        && (name != text(r, "resourceType")
                            || r.get("id").is_some() && text(r, "id") != id)
                })
            } else {
                true
            };
            if bad {
                self.fault(&format!("{at}.fullUrl"), "fullUrl");
            }
        }
    }

    /// Invariants of core that an operator breaks, written out.
    fn invariants(&mut self, v: &Value, of: &Structure, element: &Element, place: &str) {
        let has = |key: &str| v.get(key).is_some();
        let value = || {
            v.as_object()
                .unwrap()
                .keys()
                .any(|k| k.trim_start_matches('_').starts_with("value"))
        };
        let path = if element.path.contains('.') {
            &element.path
        } else {
            &of.of
        };
        let broken: &[(&str, bool)] = match &**path {
            "Extension" => &[("ext-1", has("extension") == value())],
            "Period" => &[("per-1", after(text(v, "start"), text(v, "end")))],
            "Quantity" | "Age" | "Count" | "Distance" | "Duration" | "MoneyQuantity"
            | "SimpleQuantity" => &[("qty-3", has("code") && !has("system"))],
            "Attachment" => &[("att-1", has("data") && !has("contentType"))],
            "ContactPoint" => &[("cpt-2", has("value") && !has("system"))],
            "Observation" => &[("obs-6", has("dataAbsentReason") && value())],
            "Observation.referenceRange" => {
                &[("obs-3", !has("low") && !has("high") && !has("text"))]
            }
            "Patient.contact" => &[(
                "pat-1",
                !has("name") && !has("telecom") && !has("address") && !has("organization"),
            )],
            "Organization" => &[("org-1", !has("identifier") && !has("name"))],
            "Timing.repeat" => &[
                ("tim-1", has("duration") && !has("durationUnit")),
                ("tim-2", has("period") && !has("periodUnit")),
            ],
            "Composition.section" => &[("cmp-1", !has("text") && !has("entry") && !has("section"))],
            _ => &[],
        };
        for (key, _) in broken.iter().filter(|(_, broken)| *broken) {
            self.fault(place, key);
        }
    }

    /// The slice that a value is in.
    fn slice_of(&self, def: &Def, value: Option<&Value>, of: &str) -> Slot {
        let e = at(def);
        if e.slices.is_empty() {
            return Slot::None;
        }
        let (Some(discriminators), Some(value)) = (&e.discriminators, value) else {
            return Slot::Unsure;
        };
        let mut sure = true;
        for (n, slice) in e.slices.iter().enumerate() {
            let slice = (def.0.clone(), *slice);
            let answers: Vec<Option<bool>> = discriminators
                .iter()
                .map(|(kind, path)| self.fits(&slice, kind, path, value, of))
                .collect();
            if answers.contains(&Some(false)) {
                continue;
            }
            if answers.iter().all(|a| *a == Some(true)) && !answers.is_empty() {
                return Slot::Slice(n);
            }
            sure = false;
        }
        if sure { Slot::None } else { Slot::Unsure }
    }

    fn fits(&self, slice: &Def, kind: &str, path: &str, value: &Value, of: &str) -> Option<bool> {
        if kind == "profile" && path == "resource" {
            let own = text(value.get(path)?, "resourceType");
            let wanted = child(slice, path)?;
            let types = &at(&wanted).types;
            // Another type of resource cannot follow the profile; whether one of the type does is not said.
            let mut profiles = types.iter().flat_map(|t| &t.profiles);
            let same = profiles.any(|p| self.d.profile(p).is_none_or(|p| p.of == own));
            return (!same).then_some(false);
        }
        if path.contains("resolve()") || kind == "profile" || kind == "exists" {
            return None;
        }
        if kind == "type" {
            if path == "$this" {
                return Some(at(slice).types.iter().any(|t| t.code == of));
            }
            let below = child(slice, path)?;
            let own = text(value.get(path)?, "resourceType");
            return Some(at(&below).types.iter().any(|t| t.code == own));
        }
        let steps: Vec<&str> = path.split('.').filter(|s| *s != "$this").collect();
        let wanted = self.wanted(slice, &steps)?;
        let mut there = vec![value];
        for step in steps {
            there = there
                .into_iter()
                .filter_map(|v| v.get(step))
                .flat_map(|v| match v {
                    Value::Array(all) => all.iter().collect(),
                    v => vec![v],
                })
                .collect();
        }
        match wanted {
            Wanted::Fixed(fixed) => Some(there.contains(&&fixed)),
            Wanted::Pattern(pattern) => Some(there.iter().any(|v| contains(v, &pattern))),
            Wanted::Set(set) => {
                let mut answer = Some(false);
                for v in there {
                    let codings = match v {
                        Value::Object(o) if o.contains_key("coding") => list(v, "coding").to_vec(),
                        v => vec![v.clone()],
                    };
                    for c in codings {
                        let (system, code) = match &c {
                            Value::String(code) => (None, &**code),
                            c => (Some(text(c, "system")), text(c, "code")),
                        };
                        match self.d.member(&set, system, code) {
                            Some(true) => return Some(true),
                            Some(false) => {}
                            None => answer = None,
                        }
                    }
                }
                answer
            }
        }
    }

    /// What a slice wants at a path.
    fn wanted(&self, slice: &Def, steps: &[&str]) -> Option<Wanted> {
        let e = at(slice);
        let inner = |v: &Value| {
            let mut v = v.clone();
            for step in steps {
                v = v.get(*step)?.clone();
                if let Value::Array(all) = v {
                    v = all.into_iter().next()?;
                }
            }
            Some(v)
        };
        if let Some(v) = e.pattern.as_ref().and_then(inner) {
            return Some(Wanted::Pattern(v));
        }
        if let Some(v) = e.fixed.as_ref().and_then(inner) {
            return Some(Wanted::Fixed(v));
        }
        let Some((first, rest)) = steps.split_first() else {
            return e.required.clone().map(Wanted::Set);
        };
        if let Some(below) = child(slice, first) {
            if let Some(wanted) = self.wanted(&below, rest) {
                return Some(wanted);
            }
            // The slices of a child may say it.
            for s in &at(&below).slices {
                if let Some(wanted) = self.wanted(&(below.0.clone(), *s), rest) {
                    return Some(wanted);
                }
            }
        }
        let own: Vec<_> = e.types.iter().flat_map(|t| &t.profiles).collect();
        if let [one] = own[..] {
            if steps == ["url"] {
                return Some(Wanted::Fixed(Value::from(one.split('|').next()?)));
            }
            return self.wanted(&(self.d.profile(one)?, 0), steps);
        }
        None
    }
}

/// Where a value is among the slices.
enum Slot {
    Slice(usize),
    None,
    /// That cannot be said.
    Unsure,
}

enum Wanted {
    Fixed(Value),
    Pattern(Value),
    Set(String),
}

fn child(def: &Def, name: &str) -> Option<Def> {
    at(def)
        .children
        .iter()
        .find(|c| def.0.elements[**c].name == name)
        .map(|c| (def.0.clone(), *c))
}

/// The value at the end of some steps.
pub(crate) fn find<'v>(v: &'v Value, steps: &[Step]) -> Option<&'v Value> {
    steps.iter().try_fold(v, |v, step| match step {
        Step::Key(key) => v.get(key),
        Step::Index(n) => v.get(n),
    })
}

fn mentions(v: &Value, what: &str) -> bool {
    match v {
        Value::String(s) => s == what,
        Value::Array(all) => all.iter().any(|v| mentions(v, what)),
        Value::Object(map) => map.values().any(|v| mentions(v, what)),
        _ => false,
    }
}

/// Type of the element that a key names: `valueQuantity` of `value[x]`.
pub(crate) fn type_by_key(element: &Element, key: &str) -> Option<String> {
    let Some(stem) = element.name.strip_suffix("[x]") else {
        if element.name != key {
            return None;
        }
        if element.content.is_some() {
            return Some("BackboneElement".to_owned());
        }
        return Some(element.types.first()?.code.clone());
    };
    let rest = key.strip_prefix(stem)?;
    element
        .types
        .iter()
        .map(|t| &t.code)
        .find(|code| choice(code) == rest)
        .cloned()
}

/// A type's name in the key of a choice.
pub(crate) fn choice(code: &str) -> String {
    let mut name = code.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

pub(crate) fn is_primitive(definitions: &Definitions, of: &str) -> bool {
    of == "xhtml"
        || definitions
            .core(of)
            .is_some_and(|s| s.kind == "primitive-type")
}

/// Whether a value has everything of a pattern.
pub(crate) fn contains(v: &Value, pattern: &Value) -> bool {
    match (v, pattern) {
        (Value::Object(v), Value::Object(p)) => p
            .iter()
            .all(|(k, p)| v.get(k).is_some_and(|v| contains(v, p))),
        (Value::Array(v), Value::Array(p)) => p.iter().all(|p| v.iter().any(|v| contains(v, p))),
        _ => v == pattern,
    }
}

/// Whether a time is after another, both as precise as each other and with one zone.
fn after(start: &str, end: &str) -> bool {
    start.len() == end.len() && start.get(19..) == end.get(19..) && start > end
}

/// The regular expressions of R4 §2.24.0.1.
static FORMS: LazyLock<BTreeMap<&'static str, Regex>> = LazyLock::new(|| {
    const YEAR: &str = "([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)";
    const MONTH: &str = "-(0[1-9]|1[0-2])";
    const DAY: &str = "-(0[1-9]|[1-2][0-9]|3[0-1])";
    const ZONE: &str = r"(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))";
    const TIME: &str = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?";
    const UUID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
    let date = format!("{YEAR}({MONTH}({DAY})?)?");
    let instant = format!("{YEAR}{MONTH}{DAY}T{TIME}{ZONE}");
    let text = r"[\s\S]+".to_owned();
    let uri = r"\S+".to_owned();
    [
        ("string", text.clone()),
        ("markdown", text),
        ("code", r"[^\s]+(\s[^\s]+)*".to_owned()),
        ("id", r"[A-Za-z0-9\-\.]{1,64}".to_owned()),
        ("oid", r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+".to_owned()),
        ("uuid", format!("urn:uuid:{UUID}")),
        ("any case of uuid", format!("(?i)urn:uuid:{UUID}")),
        ("uri", uri.clone()),
        ("url", uri.clone()),
        ("canonical", uri),
        ("base64Binary", r"(\s*([0-9a-zA-Z\+/=]){4}\s*)+".to_owned()),
        ("dateTime", format!("{date}|{instant}")),
        ("date", date),
        ("instant", instant),
        ("time", TIME.to_owned()),
    ]
    .into_iter()
    .map(|(of, form)| (of, Regex::new(&format!("^({form})$")).unwrap()))
    .collect()
});

/// Whether a text has the form of its type, and the calendar its day.
fn form(of: &str, text: &str) -> bool {
    let Some(whole) = FORMS.get(of) else {
        return true;
    };
    if !whole.is_match(text) {
        return false;
    }
    match of {
        // §2.24.0.1: an OID or UUID is given as such.
        "uri" | "url" | "canonical" => {
            (!text.starts_with("urn:uuid:") || form("any case of uuid", text))
                && (!text.starts_with("urn:oid:") || form("oid", text))
        }
        "date" | "dateTime" | "instant" => exists(text),
        _ => true,
    }
}

/// Whether the calendar has the day.
fn exists(text: &str) -> bool {
    let number =
        |range: std::ops::Range<usize>| text.get(range).and_then(|t| t.parse::<u32>().ok());
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else {
        return true;
    };
    let leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    day <= last
}

/// Whether a narrative is what `txt-1` and `txt-2` allow; only what the operators write is known.
fn narrative(text: &str) -> bool {
    let text = text.replace("&nbsp;", "&#160;");
    let Ok(read) = roxmltree::Document::parse(&text) else {
        return false;
    };
    let root = read.root_element();
    let good = root
        .descendants()
        .filter(roxmltree::Node::is_element)
        .all(|e| {
            let name = e.tag_name();
            name.namespace() == Some("http://www.w3.org/1999/xhtml")
                && !matches!(
                    name.name(),
                    "script" | "form" | "iframe" | "object" | "input"
                )
                && e.attributes().all(|a| !a.name().starts_with("on"))
        });
    let empty = !root
        .descendants()
        .any(|n| n.tag_name().name() == "img" || n.text().is_some_and(|t| !t.trim().is_empty()));
    good && root.tag_name().name() == "div" && !empty
}
