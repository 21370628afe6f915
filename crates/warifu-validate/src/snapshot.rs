//! Snapshots of profiles that carry only a differential, FHIR R4 §5.1.0.6.

use warifu_definitions::{
    Binding, Definitions, Derivation, ElementDefinition, PackageId, Strength, StructureDefinition,
    TypeRef, split_canonical,
};
use warifu_r4::{Core, Element, TypeId, TypeKind};

use crate::plan::{CORE_PROFILES, Defect};

/// Profiles derived from each other.
const DEPTH: u32 = 32;
/// Elements of a snapshot.
const ELEMENTS: usize = 20_000;

/// The structure with a snapshot in place of its differential.
///
/// # Errors
/// A base that is not at hand, or what is wrong with the definition, in English.
pub(crate) fn expand(
    structure: &StructureDefinition,
    definitions: &dyn Definitions,
    core: &'static Core,
) -> Result<StructureDefinition, Defect> {
    expand_at(structure, definitions, core, 0)
}

fn expand_at(
    structure: &StructureDefinition,
    definitions: &dyn Definitions,
    core: &'static Core,
    depth: u32,
) -> Result<StructureDefinition, Defect> {
    if depth > DEPTH {
        let why = format!("{}: derived from itself, or too deeply", structure.url);
        return Err(Defect::Unusable(why));
    }
    let mut maker = Snapshot {
        elements: base(structure, definitions, core, depth)?,
        definitions,
        core,
        package: structure.package,
        depth,
    };
    for element in &structure.elements {
        maker.apply(element)?;
        if maker.elements.len() > ELEMENTS {
            let why = format!("{}: too many elements", structure.url);
            return Err(Defect::Unusable(why));
        }
    }
    Ok(StructureDefinition {
        has_snapshot: true,
        elements: maker.elements,
        ..structure.clone()
    })
}

fn base(
    structure: &StructureDefinition,
    definitions: &dyn Definitions,
    core: &'static Core,
    depth: u32,
) -> Result<Vec<ElementDefinition>, Defect> {
    let own = || {
        core.type_named(&structure.of)
            .map(|of| elements_of(core, of))
    };
    if structure.derivation == Derivation::Specialization {
        return own().ok_or_else(|| Defect::Unusable(format!("{}: no such type", structure.of)));
    }
    let url = split_canonical(&structure.base).0;
    if url.strip_prefix(CORE_PROFILES) == Some(&structure.of)
        && let Some(elements) = own()
    {
        return Ok(elements);
    }
    let Some(base) = definitions
        .structure(&structure.base, Some(structure.package))
        .found()
    else {
        return Err(Defect::NotAtHand(structure.base.to_string()));
    };
    if base.has_snapshot {
        return Ok(base.elements.clone());
    }
    Ok(expand_at(&base, definitions, core, depth + 1)?.elements)
}

/// The elements of a type of core, with those of its backbones.
pub(crate) fn elements_of(core: &'static Core, of: TypeId) -> Vec<ElementDefinition> {
    let name = core.type_(of).name();
    let mut elements = vec![ElementDefinition {
        id: name.into(),
        path: name.into(),
        min: Some(0),
        max: Some(None),
        ..ElementDefinition::default()
    }];
    below(core, of, name, &mut elements, 0);
    elements
}

fn below(
    core: &'static Core,
    of: TypeId,
    path: &str,
    elements: &mut Vec<ElementDefinition>,
    depth: u32,
) {
    for element in core.type_(of).elements() {
        let x = if element.is_choice() { "[x]" } else { "" };
        let path = format!("{path}.{}{x}", element.name());
        let backbone = element
            .types()
            .map(warifu_r4::TypeRef::of)
            .find(|t| core.type_(*t).kind() == TypeKind::Backbone);
        elements.push(definition(core, element, &path, backbone));
        if let Some(backbone) = backbone
            && !element.is_content_reference()
            && depth < 16
        {
            below(core, backbone, &path, elements, depth + 1);
        }
    }
}

fn definition(
    core: &'static Core,
    element: Element,
    path: &str,
    backbone: Option<TypeId>,
) -> ElementDefinition {
    let reference = backbone.filter(|_| element.is_content_reference());
    ElementDefinition {
        id: path.into(),
        path: path.into(),
        min: Some(u32::from(element.min())),
        max: Some(element.max().map(u32::from)),
        types: if reference.is_some() {
            Vec::new()
        } else {
            element
                .types()
                .map(|t| TypeRef {
                    code: if backbone.is_some() {
                        "BackboneElement".into()
                    } else {
                        core.type_(t.of()).name().into()
                    },
                    profiles: t.profile().map(Into::into).into_iter().collect(),
                    targets: t
                        .targets()
                        .map(|t| format!("{CORE_PROFILES}{}", core.type_(t).name()).into())
                        .collect(),
                    aggregation: Vec::new(),
                })
                .collect()
        },
        content_reference: reference.map(|of| format!("#{}", core.type_(of).name()).into()),
        is_modifier: element.is_modifier(),
        binding: element.value_set().and_then(|set| {
            let strength = match element.strength()? {
                warifu_r4::Strength::Required => Strength::Required,
                warifu_r4::Strength::Extensible => Strength::Extensible,
                warifu_r4::Strength::Preferred => Strength::Preferred,
                warifu_r4::Strength::Example => Strength::Example,
            };
            Some(Binding {
                strength,
                value_set: set.url().into(),
                max_value_set: None,
            })
        }),
        ..ElementDefinition::default()
    }
}

struct Snapshot<'a> {
    elements: Vec<ElementDefinition>,
    definitions: &'a dyn Definitions,
    core: &'static Core,
    package: PackageId,
    depth: u32,
}

/// What an element of a differential is about.
struct Step<'s> {
    /// Name with `[x]` where core has it.
    name: String,
    slice: Option<&'s str>,
}

impl Snapshot<'_> {
    fn position(&self, id: &str) -> Option<usize> {
        self.elements.iter().position(|e| &*e.id == id)
    }

    /// First element behind an element, what is below it and its slices.
    fn behind(&self, at: usize, with_slices: bool) -> usize {
        let id = self.elements.get(at).map_or("", |e| &e.id);
        let inside = |e: &ElementDefinition| {
            e.id.strip_prefix(id).is_some_and(|rest| {
                rest.starts_with('.') || (with_slices && rest.starts_with([':', '/']))
            })
        };
        let rest = self.elements.get(at + 1..).unwrap_or_default();
        at + 1 + rest.iter().take_while(|e| inside(e)).count()
    }

    /// Applies one element of the differential.
    fn apply(&mut self, own: &ElementDefinition) -> Result<(), Defect> {
        let names: Vec<&str> = own.path.split('.').collect();
        let marks = marks(&own.id, names.len());
        let mut at = 0;
        for (n, name) in names.iter().enumerate().skip(1) {
            let last = n + 1 == names.len();
            let slice = if last {
                own.slice_name.as_deref()
            } else {
                marks.get(n).copied().flatten()
            };
            let step = self.step(at, name, slice);
            at = self.descend(at, &step).ok_or_else(|| {
                Defect::Unusable(format!("{}: nothing of this name in the base", own.id))
            })?;
        }
        if let Some(target) = self.elements.get_mut(at) {
            merge(target, own);
        }
        Ok(())
    }

    /// Finds `valueQuantity` as the slice of `value[x]` that it is.
    fn step<'s>(&self, parent: usize, name: &'s str, slice: Option<&'s str>) -> Step<'s> {
        let plain = Step {
            name: name.to_owned(),
            slice,
        };
        let Some(parent) = self.elements.get(parent) else {
            return plain;
        };
        let mut names: Vec<TypeId> = parent
            .types
            .iter()
            .filter_map(|t| self.core.type_named(&t.code))
            .collect();
        names.extend(self.core.type_named(&parent.path));
        for of in names {
            let Some(property) = self.core.property(of, self.core.name(name)) else {
                continue;
            };
            let element = self.core.element(property.element);
            if element.is_choice() && element.name() != name {
                return Step {
                    name: format!("{}[x]", element.name()),
                    slice: slice.or(Some(name)),
                };
            }
        }
        plain
    }

    fn descend(&mut self, parent: usize, step: &Step<'_>) -> Option<usize> {
        let id = self.elements.get(parent)?.id.clone();
        let whole = format!("{id}.{}", step.name);
        if self.position(&whole).is_none() {
            self.unfold(parent)?;
        }
        let at = self.position(&whole)?;
        let Some(slice) = step.slice else {
            return Some(at);
        };
        let id = format!("{whole}:{slice}");
        if let Some(at) = self.position(&id) {
            return Some(at);
        }
        // A slice of a slice starts from the outer one.
        let from = slice
            .rsplit_once('/')
            .and_then(|(outer, _)| self.position(&format!("{whole}:{outer}")))
            .unwrap_or(at);
        let mut made = self.elements.get(from)?.clone();
        made.slicing = None;
        made.min = Some(0);
        made.slice_name = Some(slice.into());
        made.id = id.into();
        if let Some(of) = step
            .name
            .strip_suffix("[x]")
            .and_then(|name| slice.strip_prefix(name))
        {
            // `valueQuantity` leaves one type.
            made.types.retain(|t| t.code.eq_ignore_ascii_case(of));
        }
        let place = self.behind(at, true);
        self.elements.insert(place, made);
        Some(place)
    }

    /// Gives an element those below it: of the whole that it slices, of its content reference, or of its type.
    fn unfold(&mut self, at: usize) -> Option<()> {
        let element = self.elements.get(at)?.clone();
        let whole = element
            .slice_name
            .as_ref()
            .and_then(|name| element.id.strip_suffix(&format!(":{name}")))
            .and_then(|id| self.position(id));
        let copied = whole.map(|whole| (whole, self.inside(whole)));
        let (from, found) = match copied {
            Some((whole, found)) if !found.is_empty() => {
                (self.elements.get(whole)?.id.clone(), found)
            }
            _ => self.content(&element)?,
        };
        let path = from_path(&from);
        let made = found.into_iter().filter_map(|mut e| {
            e.id = format!("{}{}", element.id, e.id.strip_prefix(&*from)?).into();
            e.path = format!("{}{}", element.path, e.path.strip_prefix(&path)?).into();
            Some(e)
        });
        let made: Vec<_> = made.collect();
        let place = at + 1;
        self.elements.splice(place..place, made);
        Some(())
    }

    fn inside(&self, at: usize) -> Vec<ElementDefinition> {
        let end = self.behind(at, false);
        self.elements.get(at + 1..end).unwrap_or_default().to_vec()
    }

    fn content(&self, element: &ElementDefinition) -> Option<(Box<str>, Vec<ElementDefinition>)> {
        if let Some(reference) = &element.content_reference {
            let id = reference.rsplit('#').next()?;
            let at = self.position(id)?;
            return Some((id.into(), self.inside(at)));
        }
        let [only] = &*element.types else {
            return None;
        };
        let of = self.core.type_named(&only.code)?;
        if let [profile] = &*only.profiles
            && let Some(found) = self
                .definitions
                .structure(profile, Some(self.package))
                .found()
            && self.depth < DEPTH
        {
            let found = if found.has_snapshot {
                (*found).clone()
            } else {
                expand_at(&found, self.definitions, self.core, self.depth + 1).ok()?
            };
            let root = found.elements.first()?.id.clone();
            return Some((root, found.elements.get(1..)?.to_vec()));
        }
        let elements = elements_of(self.core, of);
        let root = elements.first()?.id.clone();
        Some((root, elements.get(1..)?.to_vec()))
    }
}

/// Path of an id.
fn from_path(id: &str) -> String {
    id.split('.')
        .map(|part| part.split(':').next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(".")
}

/// Slice names within an id, step by step; none where the id does not follow the path.
fn marks(id: &str, steps: usize) -> Vec<Option<&str>> {
    let parts: Vec<&str> = id.split('.').collect();
    if parts.len() != steps {
        return vec![None; steps];
    }
    parts
        .into_iter()
        .map(|part| part.split_once(':').map(|(_, slice)| slice))
        .collect()
}

fn merge(target: &mut ElementDefinition, own: &ElementDefinition) {
    macro_rules! take {
        ($($field:ident)*) => {$(
            if own.$field.is_some() {
                target.$field.clone_from(&own.$field);
            }
        )*};
    }
    take!(slicing min max fixed pattern min_value max_value max_length binding content_reference);
    if !own.types.is_empty() {
        target.types.clone_from(&own.types);
    }
    for constraint in &own.constraints {
        if !target.constraints.iter().any(|c| c.key == constraint.key) {
            target.constraints.push(constraint.clone());
        }
    }
    target.must_support |= own.must_support;
    target.is_modifier |= own.is_modifier;
}
