//! What a screen looks like, as data: made by `view`, tested natively, painted by `ui`.
//!
//! Nothing here is HTML: there are elements, attributes and texts, so nothing is ever parsed, no
//! `innerHTML` exists, and the page's policy allows none.

use crate::model::Event;
use crate::seal::Secret;

/// A piece of a screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Text as it is.
    Text(String),
    /// An element.
    El(Box<El>),
}

/// What happens when somebody uses an element.
#[derive(Debug, Clone)]
pub enum On {
    /// Pressed, by pointer or key.
    Press(Event),
    /// Ticked or chosen.
    Change(Event),
    /// Its text changed.
    Input(fn(String) -> Event),
}

impl PartialEq for On {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Press(a), Self::Press(b)) | (Self::Change(a), Self::Change(b)) => a == b,
            (Self::Input(a), Self::Input(b)) => core::ptr::fn_addr_eq(*a, *b),
            _ => false,
        }
    }
}

/// An element.
#[derive(Debug, Clone, PartialEq)]
pub struct El {
    /// Its name.
    pub tag: &'static str,
    /// Attributes; of two with one name the later counts.
    pub attrs: Vec<(&'static str, String)>,
    /// What it does.
    pub on: Option<On>,
    /// What a field holds that must not stand in the document's attributes.
    pub secret: Option<Secret>,
    /// What is inside.
    pub kids: Vec<Node>,
}

/// An element of this name.
pub fn el(tag: &'static str) -> El {
    El {
        tag,
        attrs: Vec::new(),
        on: None,
        secret: None,
        kids: Vec::new(),
    }
}

impl El {
    /// With an attribute.
    pub fn attr(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attrs.push((name, value.into()));
        self
    }

    /// With an attribute if there is a value.
    pub fn maybe(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// With a boolean attribute.
    pub fn flag(self, name: &'static str, on: bool) -> Self {
        self.maybe(name, on.then_some(""))
    }

    /// With its class.
    pub fn class(self, value: impl Into<String>) -> Self {
        self.attr("class", value)
    }

    /// With an id.
    pub fn id(self, value: impl Into<String>) -> Self {
        self.attr("id", value)
    }

    /// With an action.
    pub fn on(mut self, on: On) -> Self {
        self.on = Some(on);
        self
    }

    /// Holding a passphrase, as a property only.
    pub fn secret(mut self, secret: &Secret) -> Self {
        self.secret = Some(secret.clone());
        self
    }

    /// Pressing it is this event.
    pub fn press(self, event: Event) -> Self {
        self.on(On::Press(event))
    }

    /// With more inside.
    pub fn with(mut self, more: impl IntoNodes) -> Self {
        more.put(&mut self.kids);
        self
    }

    /// Value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.attrs.iter().rev();
        all.find(|(n, _)| *n == name).map(|(_, v)| v.as_str())
    }
}

/// What can stand inside an element.
pub trait IntoNodes {
    /// Appends itself.
    fn put(self, to: &mut Vec<Node>);
}

impl IntoNodes for El {
    fn put(self, to: &mut Vec<Node>) {
        to.push(Node::El(Box::new(self)));
    }
}

impl IntoNodes for Node {
    fn put(self, to: &mut Vec<Node>) {
        to.push(self);
    }
}

impl IntoNodes for String {
    fn put(self, to: &mut Vec<Node>) {
        to.push(Node::Text(self));
    }
}

impl IntoNodes for &str {
    fn put(self, to: &mut Vec<Node>) {
        to.push(Node::Text(self.to_owned()));
    }
}

impl<T: IntoNodes> IntoNodes for Vec<T> {
    fn put(self, to: &mut Vec<Node>) {
        for one in self {
            one.put(to);
        }
    }
}

impl<T: IntoNodes> IntoNodes for Option<T> {
    fn put(self, to: &mut Vec<Node>) {
        if let Some(one) = self {
            one.put(to);
        }
    }
}

impl<T: IntoNodes, const N: usize> IntoNodes for [T; N] {
    fn put(self, to: &mut Vec<Node>) {
        for one in self {
            one.put(to);
        }
    }
}

impl Node {
    /// The element, if it is one.
    pub fn element(&self) -> Option<&El> {
        match self {
            Self::El(el) => Some(el),
            Self::Text(_) => None,
        }
    }

    /// Every element from here on, in the order of the document.
    pub fn all(&self) -> Vec<&El> {
        let mut found = Vec::new();
        let mut open = vec![self];
        while let Some(node) = open.pop() {
            if let Self::El(el) = node {
                found.push(&**el);
                open.extend(el.kids.iter().rev());
            }
        }
        found
    }

    /// Text without readings (`rt`), as `textContent` would give it.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut open = vec![self];
        while let Some(node) = open.pop() {
            match node {
                Self::Text(text) => out.push_str(text),
                Self::El(el) if el.tag == "rt" => {}
                Self::El(el) => open.extend(el.kids.iter().rev()),
            }
        }
        out
    }
}
