//! The tree: nodes in document order.

use std::borrow::Cow;
use std::ops::Range;

use crate::text::unescape;

/// Number of a node; nodes are numbered in document order, from [`ROOT`].
pub type NodeId = u32;

/// The document's value, if there is one.
pub const ROOT: NodeId = 0;

/// No node.
pub const NONE: NodeId = u32::MAX;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A number; its text is kept.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// The string contains a backslash.
pub(crate) const ESCAPED: u8 = 1;
/// The key contains a backslash.
pub(crate) const KEY_ESCAPED: u8 = 2;
/// The key begins with `_`; `name` is that of the key without it.
pub(crate) const TWIN: u8 = 4;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    /// Of the value, with quotes and brackets; while it is being read, the number of values in it.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Of the key, without quotes. Items of arrays have their place here, and 0 for the end.
    pub(crate) key_start: u32,
    pub(crate) key_end: u32,
    /// The first node that is not inside this one.
    pub(crate) after: NodeId,
    pub(crate) parent: NodeId,
    pub(crate) name: u16,
    pub(crate) kind: Kind,
    pub(crate) flags: u8,
}

/// A parsed document.
#[derive(Debug, Clone)]
pub struct Tree<'s> {
    pub(crate) bytes: &'s [u8],
    /// The same, where all of it is UTF-8.
    pub(crate) text: Option<&'s str>,
    pub(crate) nodes: Vec<Node>,
}

/// An offset as an index.
pub(crate) fn at(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl<'s> Tree<'s> {
    /// Number of nodes; 0 when no value was found.
    pub fn len(&self) -> u32 {
        u32::try_from(self.nodes.len()).unwrap_or(NONE)
    }

    /// Whether no value was found.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The bytes it was read from.
    pub fn source(&self) -> &'s [u8] {
        self.bytes
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(at(id))
    }

    /// What the node is; `Null` for a number that is no node's.
    pub fn kind(&self, id: NodeId) -> Kind {
        self.node(id).map_or(Kind::Null, |n| n.kind)
    }

    /// Bytes of the value, with its quotes or brackets.
    pub fn span(&self, id: NodeId) -> Range<u32> {
        self.node(id).map_or(0..0, |n| n.start..n.end)
    }

    /// Bytes of the key without its quotes; empty for items of arrays and the root.
    pub fn key_span(&self, id: NodeId) -> Range<u32> {
        self.node(id).map_or(0..0, Node::key)
    }

    /// Number that [`Names`](crate::Names) gave the key (without a leading `_`); 0 if none.
    pub fn name(&self, id: NodeId) -> u16 {
        self.node(id).map_or(0, |n| n.name)
    }

    /// Whether the key begins with `_`, so that the value belongs to a primitive of that name.
    pub fn is_twin(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|n| n.flags & TWIN != 0)
    }

    /// The array or object that holds the node; [`NONE`] for the root.
    pub fn parent(&self, id: NodeId) -> NodeId {
        self.node(id).map_or(NONE, |n| n.parent)
    }

    /// First node behind this one and all inside it.
    pub fn after(&self, id: NodeId) -> NodeId {
        self.node(id).map_or(NONE, |n| n.after)
    }

    /// Items of an array, values of an object, in order; none for other values.
    pub fn children(&self, id: NodeId) -> Children<'_> {
        let (next, end) = self.node(id).map_or((0, 0), |n| (id + 1, n.after));
        Children {
            nodes: &self.nodes,
            next,
            end,
        }
    }

    /// The first value with this key, compared unescaped.
    pub fn member(&self, id: NodeId, key: &str) -> Option<NodeId> {
        (self.kind(id) == Kind::Object)
            .then(|| self.children(id).find(|c| self.is_key(*c, key)))
            .flatten()
    }

    /// Whether the key is this text, compared unescaped.
    pub fn is_key(&self, id: NodeId, key: &str) -> bool {
        match self.node(id) {
            // Most keys differ by their length already.
            Some(n) if n.flags & KEY_ESCAPED == 0 && self.text.is_some() => {
                self.slice(n.key()) == key.as_bytes()
            }
            _ => self.key(id) == key,
        }
    }

    fn slice(&self, range: Range<u32>) -> &'s [u8] {
        self.bytes
            .get(at(range.start)..at(range.end))
            .unwrap_or_default()
    }

    /// Text between two offsets; bytes that are no UTF-8 become U+FFFD.
    fn str(&self, range: Range<u32>) -> Cow<'s, str> {
        let span = at(range.start)..at(range.end);
        match self.text.and_then(|t| t.get(span)) {
            Some(t) => Cow::Borrowed(t),
            None => String::from_utf8_lossy(self.slice(range)),
        }
    }

    /// The key, unescaped; empty for items of arrays.
    pub fn key(&self, id: NodeId) -> Cow<'s, str> {
        let Some(n) = self.node(id) else {
            return Cow::Borrowed("");
        };
        let raw = self.str(n.key());
        if n.flags & KEY_ESCAPED == 0 {
            raw
        } else {
            Cow::Owned(unescape(&raw))
        }
    }

    /// Value of a string, unescaped; text of any other value as it stands in the source.
    pub fn text(&self, id: NodeId) -> Cow<'s, str> {
        let Some(n) = self.node(id) else {
            return Cow::Borrowed("");
        };
        if n.kind != Kind::String {
            return self.str(n.start..n.end);
        }
        let raw = self.str(n.start + 1..n.end.saturating_sub(1).max(n.start + 1));
        if n.flags & ESCAPED == 0 {
            raw
        } else {
            Cow::Owned(unescape(&raw))
        }
    }

    /// Value of a string without escapes, else `None`; costs nothing.
    pub fn plain(&self, id: NodeId) -> Option<&'s str> {
        let n = self.node(id)?;
        if n.kind != Kind::String || n.flags & ESCAPED != 0 {
            return None;
        }
        self.text?.get(at(n.start) + 1..at(n.end).checked_sub(1)?)
    }

    /// Whether the value is a string with this text.
    pub fn is_text(&self, id: NodeId, text: &str) -> bool {
        match self.plain(id) {
            Some(plain) => plain == text,
            None => self.kind(id) == Kind::String && self.text(id) == text,
        }
    }

    /// Place of an item in its array, from 0; `None` if it is in none.
    pub fn index_in_array(&self, id: NodeId) -> Option<usize> {
        let parent = self.parent(id);
        (parent != NONE && self.kind(parent) == Kind::Array)
            .then(|| self.node(id).map(|n| at(n.key_start)))
            .flatten()
    }
}

impl Node {
    fn key(&self) -> Range<u32> {
        if self.key_end == 0 {
            0..0
        } else {
            self.key_start..self.key_end
        }
    }
}

/// Items of an array or values of an object.
#[derive(Debug, Clone)]
pub struct Children<'t> {
    nodes: &'t [Node],
    next: NodeId,
    end: NodeId,
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    #[inline]
    fn next(&mut self) -> Option<NodeId> {
        if self.next >= self.end {
            return None;
        }
        let id = self.next;
        self.next = self.nodes.get(at(id))?.after;
        Some(id)
    }
}
