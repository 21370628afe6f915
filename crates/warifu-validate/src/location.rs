//! Places as FHIRPath.

use warifu_fhirpath::Doc;
use warifu_json::{Kind, NONE, NodeId};
use warifu_r4::{Core, TypeId};

/// `Patient.identifier[0].system`; of a choice `Observation.value.ofType(Quantity)`.
pub(crate) fn location(core: &'static Core, doc: Doc<'_>, node: NodeId) -> String {
    let tree = doc.tree;
    let typed = |id: NodeId| {
        usize::try_from(id)
            .ok()
            .and_then(|n| doc.typed.get(n))
            .copied()
    };
    let mut way = Vec::new();
    let mut at = node;
    while at != NONE {
        way.push(at);
        at = tree.parent(at);
    }
    let mut out = String::new();
    for id in way.into_iter().rev() {
        let parent = tree.parent(id);
        if parent == NONE {
            match typed(id).filter(|t| t.of != TypeId::NONE) {
                Some(t) => out.push_str(core.type_(t.of).name()),
                None => out.push_str("(root)"),
            }
            continue;
        }
        if tree.kind(parent) == Kind::Array {
            let n = tree.index_in_array(id).unwrap_or_default();
            out.push('[');
            out.push_str(&n.to_string());
            out.push(']');
            continue;
        }
        out.push('.');
        let key = tree.key(id);
        let key = key.strip_prefix('_').unwrap_or(&key);
        let element = typed(id).filter(|t| t.element != warifu_r4::ElementId::NONE);
        match element.filter(|t| core.element(t.element).is_choice()) {
            Some(t) => {
                out.push_str(core.name_text(t.name));
                out.push_str(".ofType(");
                out.push_str(core.type_(t.of).name());
                out.push(')');
            }
            None => out.push_str(key),
        }
    }
    out
}
