//! Elements and types of the nodes of a JSON tree.

use warifu_json::{Kind, NONE, NodeId, Tree};

use crate::{Core, ElementId, TypeId, TypeKind, size};

/// What a node is in FHIR. Arrays have the element and type of their items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typed {
    /// Number of the element's name (of `valueString` that of `value`); of an unknown key its own.
    pub name: u16,
    /// Type of the value; of a resource that of `resourceType`.
    pub of: TypeId,
    /// Definition; none for roots and unknown keys.
    pub element: ElementId,
}

impl Typed {
    /// Nothing known.
    pub const UNKNOWN: Self = Self {
        name: 0,
        of: TypeId::NONE,
        element: ElementId::NONE,
    };
}

/// What each node of a tree is, by node; `root` is the type of the document where it has no
/// `resourceType`. The tree's names must be those of `core`. Linear in the tree.
pub fn annotate(core: &'static Core, tree: &Tree<'_>, root: Option<TypeId>) -> Vec<Typed> {
    let key = core.name("resourceType");
    let mut typed: Vec<Typed> = Vec::with_capacity(size(tree.len()));
    // The latest answers: the same few types come again and again.
    let mut latest = [(TypeId::NONE, 0_u16, Typed::UNKNOWN); 256];
    for id in 0..tree.len() {
        let parent = tree.parent(id);
        let above = typed.get(size(parent)).copied().unwrap_or(Typed::UNKNOWN);
        let mut own = if parent == NONE {
            Typed {
                of: root.unwrap_or(TypeId::NONE),
                ..Typed::UNKNOWN
            }
        } else if tree.kind(parent) == Kind::Array {
            above
        } else {
            let name = tree.name(id);
            let slot = usize::from(above.of.0.wrapping_mul(29).wrapping_add(name) & 0xFF);
            match latest.get_mut(slot) {
                Some((of, key, known)) if *of == above.of && *key == name => *known,
                other => {
                    let found = property(core, above.of, name);
                    if let Some(slot) = other {
                        *slot = (above.of, name, found);
                    }
                    found
                }
            }
        };
        let resource = own.of == TypeId::NONE
            || parent == NONE
            || core.type_(own.of).kind() == TypeKind::Resource;
        if resource && tree.kind(id) == Kind::Object {
            let named = tree
                .children(id)
                .find(|c| tree.name(*c) == key)
                .and_then(|c| resource_type(core, tree, c));
            own.of = named.unwrap_or(own.of);
        }
        typed.push(own);
    }
    typed
}

fn property(core: &'static Core, of: TypeId, name: u16) -> Typed {
    match core.property(of, name) {
        Some(p) => Typed {
            name: core.element(p.element).name_id(),
            of: p.of,
            element: p.element,
        },
        None => Typed {
            name,
            ..Typed::UNKNOWN
        },
    }
}

fn resource_type(core: &'static Core, tree: &Tree<'_>, id: NodeId) -> Option<TypeId> {
    let of = core.type_named(tree.plain(id)?)?;
    (core.type_(of).kind() == TypeKind::Resource).then_some(of)
}
