//! Bacteriology: organisms, their amounts, susceptibility.
//!
//! An organism (OBX-5 coded by JANIS) and its amount are a pair joined by OBX-4; the amount becomes a
//! component of the organism, or a member of its own where status or time differ. Susceptibility is an
//! OBR of its own whose OBR-26 names the organism's OBX-3 and OBX-4. Mapping §7; SS-MIX2 OML-11.

use warifu_order::Map;

use warifu_diag::catalogue::map_lab::MAP211;
use warifu_fhir::element::observation as el;
use warifu_fhir::{Id, Resource};
use warifu_hl7::Segment;
use warifu_terms::systems;

use crate::cx::{Cx, Sourced};
use crate::kinds::observation::{self, Item};

use super::result::{Context, Memory};
use super::walk::{Line, Walk};
use super::{ALLOWS, Shared};

/// What a result is among the results of its order.
#[derive(Debug, Clone)]
pub(super) enum Role {
    /// A result by itself.
    Plain,
    /// Sent along with an order.
    Finding,
    /// An organism with the results that belong to it.
    Organism(Members),
    /// Written as a component of its organism.
    Part,
}

/// Results that belong to an organism, as indices into the order's lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    /// Written as components.
    parts: Vec<usize>,
    /// Observations of their own, referred to by `hasMember`.
    apart: Vec<usize>,
}

/// Roles of the lines of a microbiological order.
pub(super) struct Plan {
    roles: Vec<Role>,
}

impl Plan {
    pub(super) fn role(&self, i: usize) -> Role {
        self.roles.get(i).cloned().unwrap_or(Role::Plain)
    }
}

/// Whether a JLAC10 code is microbiological (first digit 6).
pub(super) fn is_code(jlac10: &str) -> bool {
    jlac10.starts_with('6')
}

fn is_organism(obx: Segment<'_>) -> bool {
    let value = obx.field(5);
    value.is_some()
        && [3, 6]
            .iter()
            .any(|n| systems::trim_name(value.comp(*n).text().text) == "JANIS")
}

/// Finds the pairs of an order. `None` when it has no organism.
pub(super) fn plan(context: &Context<'_>, lines: &[Line<'_>]) -> Option<Plan> {
    if context.parent.is_some() || !lines.iter().any(|l| is_organism(l.obx)) {
        return None;
    }
    let mut roles: Vec<Role> = Vec::with_capacity(lines.len());
    let mut organisms: Map<&str, usize> = Map::new();
    for (i, l) in lines.iter().enumerate() {
        let sub = l.obx.field(4).value().text.trim();
        if is_organism(l.obx) {
            roles.push(Role::Organism(Members::default()));
            if !sub.is_empty() {
                organisms.entry(sub).or_insert(i);
            }
        } else {
            roles.push(Role::Plain);
        }
    }
    for (i, l) in lines.iter().enumerate() {
        if !matches!(roles.get(i), Some(Role::Plain)) {
            continue;
        }
        let sub = l.obx.field(4).value().text.trim();
        let Some(at) = organisms.get(sub).copied().filter(|_| !sub.is_empty()) else {
            continue;
        };
        let same = lines.get(at).is_some_and(|o| same_state(o.obx, l.obx));
        if let Some(Role::Organism(members)) = roles.get_mut(at) {
            if same {
                members.parts.push(i);
            } else {
                members.apart.push(i);
            }
        }
        if let Some(slot) = roles.get_mut(i).filter(|_| same) {
            *slot = Role::Part;
        }
    }
    Some(Plan { roles })
}

/// A component has neither status nor time of its own: only results that agree in both are folded.
fn same_state(a: Segment<'_>, b: Segment<'_>) -> bool {
    let equal = |n| a.field(n).value().text.trim() == b.field(n).value().text.trim();
    equal(11)
        && equal(14)
        && !a.field(3).value().text.is_empty()
        && a.field(3).value().text != b.field(3).value().text
}

/// Second and third category.
pub(super) fn categories(r: &mut Resource, role: &Role, susceptibility: bool) {
    r.add(el::CATEGORY, |v| v.raw(r#"{"coding":[{"system":"http://loinc.org","code":"18725-2","display":"Microbiology studies (set)"}]}"#));
    let third = match role {
        Role::Organism(_) => {
            r#"{"coding":[{"system":"http://jpfhir.jp/fhir/core/CodeSystem/JP_MicrobiologyCategory_CS","code":"organism","display":"Organism"}]}"#
        }
        _ if susceptibility => {
            r#"{"coding":[{"system":"http://jpfhir.jp/fhir/core/CodeSystem/JP_MicrobiologyCategory_CS","code":"susceptibility-measurements","display":"Susceptibility measurements"}]}"#
        }
        _ => return,
    };
    r.add(el::CATEGORY, |v| v.raw(third));
}

/// Writes the members of an organism as components; their comments become comments of the organism.
/// Those with another status or time are Observations of their own and referred to.
#[expect(
    clippy::too_many_arguments,
    reason = "one call site; a struct would only rename the arguments"
)]
pub(super) fn members<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    shared: &Shared<'a>,
    walk: &Walk<'a>,
    context: &Context<'a>,
    members: &Members,
    lines: &[Line<'a>],
    status: &str,
) {
    for line in members.apart.iter().filter_map(|m| lines.get(*m)) {
        let obx = line.obx;
        // No Observation is made of request details: nothing to refer to.
        if matches!(obx.field(11).value().text.trim(), "O" | "N") {
            continue;
        }
        let item = Item::read(cx, obx.field(3), systems::JANIS_ORGANISM);
        let id = super::result::id_of(cx, shared, context, &item, obx);
        let reference = cx.reference_text("Observation", id);
        r.object(el::HAS_MEMBER, |o| {
            o.string("reference", reference, obx.field(4).src());
        });
    }
    for line in members.parts.iter().filter_map(|m| lines.get(*m)) {
        let obx = line.obx;
        let item = Item::read(cx, obx.field(3), systems::JANIS_ORGANISM);
        r.object(el::COMPONENT, |o| {
            o.object("code", |o| item.concept(o, None));
            observation::component_value(o, cx, obx, ALLOWS, status);
        });
        cx.used(&obx.field(4));
        cx.used(&obx.field(11));
        cx.used(&obx.field(14));
        for nte in walk.notes(line.notes) {
            super::observation_note(r, cx, nte);
        }
    }
}

/// Remembers an organism for OBR-26 of a later order.
pub(super) fn remember<'a>(memory: &mut Memory<'a>, code: &'a str, sub: &'a str, id: Id) {
    memory.parents.entry((code, sub)).or_insert(id);
    // The sub-id alone: OBR-26.1 may name the culture by another of its codes.
    memory.parents.entry(("", sub)).or_insert(id);
}

/// The organism that OBR-26 (PRL: `code&name&JC10^sub-id^text`) names.
pub(super) fn parent_of<'a>(
    cx: &mut Cx<'a, '_>,
    context: &Context<'a>,
    memory: &Memory<'a>,
) -> Option<Id> {
    let prl = context.parent?;
    let code = prl.comp(1).sub(1).text().text.trim();
    let sub = prl.comp(2).text().text.trim();
    let found = memory
        .parents
        .get(&(code, sub))
        .or_else(|| memory.parents.get(&("", sub)).filter(|_| !sub.is_empty()));
    if found.is_none() {
        cx.report(&MAP211, &prl);
    }
    found.copied()
}

/// `derivedFrom` the organism; when it is not in the message, its name as sent becomes a note.
pub(super) fn derived_from<'a>(
    r: &mut Resource,
    cx: &mut Cx<'a, '_>,
    context: &Context<'a>,
    parent: Option<Id>,
) {
    let Some(prl) = context.parent else { return };
    if let Some(id) = parent {
        let reference = cx.reference_text("Observation", id);
        r.object(el::DERIVED_FROM, |o| {
            o.string("reference", reference, prl.src());
        });
        return;
    }
    let mut s = bumpalo::collections::String::new_in(cx.message().arena());
    for c in prl.comps() {
        for part in c.subs() {
            let t = part.text().text.trim();
            if !t.is_empty() {
                if !s.is_empty() {
                    s.push(' ');
                }
                s.push_str(t);
            }
        }
    }
    let s = s.into_bump_str();
    r.object(el::NOTE, |o| o.string("text", s, prl.src()));
}
