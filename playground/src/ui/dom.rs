//! Elements on Leptos' reactive core, with every closure behind one type.
//!
//! Leptos compiles each element and each reactive closure of a view into code of its own, some
//! 5 kB a closure; with the views here that is three times the page's budget. So the views make
//! their elements through this builder: same calls, but attributes, children and handlers are
//! boxed, and the code that creates, updates and removes them exists once. Signals, memos,
//! effects and owners are Leptos'. Nothing here parses HTML or writes a `style` attribute, which
//! the page's policy forbids.

use std::collections::BTreeMap;

use leptos::ev::EventDescriptor;
use leptos::prelude::{LocalStorage, Owner, RenderEffect};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Element, Event, Node};

/// What the views use of Leptos.
pub(super) mod prelude {
    pub(in crate::ui) use super::{IntoView, Ref, View, effect, fresh, keyed};
    pub(in crate::ui) use leptos::prelude::{
        Get, GetUntracked, GetValue, Memo, RwSignal, Set, SetValue, Signal, StoredValue, Track,
        Update, With, WithUntracked, WithValue, document, event_target, event_target_checked,
        event_target_value, on_cleanup, request_animation_frame, set_timeout, untrack, window,
        window_event_listener,
    };
}
use prelude::*;

/// Nodes that are made but not yet in the document.
pub(super) enum View {
    /// Nothing.
    Empty,
    /// One node, or a fragment.
    Node(Node),
    /// Several, in order.
    Many(Vec<View>),
}

impl View {
    fn append_to(self, parent: &Node) {
        match self {
            Self::Empty => {}
            Self::Node(node) => {
                let _ = parent.append_child(&node);
            }
            Self::Many(all) => all.into_iter().for_each(|v| v.append_to(parent)),
        }
    }

    fn insert_before(self, parent: &Node, next: &Node) {
        match self {
            Self::Empty => {}
            Self::Node(node) => {
                let _ = parent.insert_before(&node, Some(next));
            }
            Self::Many(all) => all.into_iter().for_each(|v| v.insert_before(parent, next)),
        }
    }
}

/// What can stand inside an element.
pub(super) trait IntoView: Sized {
    /// Makes its nodes.
    fn into_view(self) -> View;

    /// The same, by the name the views know from Leptos.
    fn into_any(self) -> View {
        self.into_view()
    }
}

impl IntoView for View {
    fn into_view(self) -> View {
        self
    }
}

impl IntoView for El {
    fn into_view(self) -> View {
        View::Node(self.node.into())
    }
}

fn text(text: &str) -> View {
    View::Node(document().create_text_node(text).into())
}

impl IntoView for &str {
    fn into_view(self) -> View {
        text(self)
    }
}

impl IntoView for String {
    fn into_view(self) -> View {
        text(&self)
    }
}

impl IntoView for () {
    fn into_view(self) -> View {
        View::Empty
    }
}

impl<T: IntoView> IntoView for Option<T> {
    fn into_view(self) -> View {
        self.map_or(View::Empty, IntoView::into_view)
    }
}

impl<T: IntoView> IntoView for Vec<T> {
    fn into_view(self) -> View {
        View::Many(self.into_iter().map(IntoView::into_view).collect())
    }
}

impl<F, T> IntoView for F
where
    F: Fn() -> T + 'static,
    T: IntoView,
{
    fn into_view(self) -> View {
        region(Box::new(move || self().into_view()))
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: IntoView),+> IntoView for ($($name,)+) {
            fn into_view(self) -> View {
                #[expect(non_snake_case, reason = "type parameters name the parts")]
                let ($($name,)+) = self;
                View::Many(vec![$($name.into_view()),+])
            }
        }
    )+};
}
tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) (A B C D E F G H I) (A B C D E F G H I J) (A B C D E F G H I J K) }

/// Keeps an effect as long as the current owner lives.
fn keep(effect: RenderEffect<()>) {
    let _ = StoredValue::<_, LocalStorage>::new_local(effect);
}

/// Runs now, and again whenever what it reads changes.
fn bind(mut run: Box<dyn FnMut()>) {
    keep(RenderEffect::new(move |_| run()));
}

/// Runs soon, when the elements are in the document, and again whenever what it reads changes.
pub(super) fn effect(run: impl FnMut() + 'static) {
    fn boxed(mut run: Box<dyn FnMut()>) {
        leptos::prelude::Effect::new(move |_: Option<()>| run());
    }
    boxed(Box::new(run));
}

fn comment() -> Node {
    document().create_comment("").into()
}

/// Nodes between two markers, made anew whenever what `make` reads changes.
fn region(make: Box<dyn Fn() -> View>) -> View {
    let fragment: Node = document().create_document_fragment().into();
    let (start, end) = (comment(), comment());
    let _ = fragment.append_child(&start);
    let _ = fragment.append_child(&end);
    bind(Box::new(move || {
        let view = make();
        let Some(parent) = end.parent_node() else {
            return;
        };
        clear(&parent, &start, &end);
        view.insert_before(&parent, &end);
    }));
    View::Node(fragment)
}

/// Removes the nodes between two markers.
fn clear(parent: &Node, start: &Node, end: &Node) {
    while let Some(node) = start.next_sibling() {
        if &node == end {
            break;
        }
        let _ = parent.remove_child(&node);
    }
}

/// A view made anew, with new elements, whenever its key changes, and only then.
pub(super) fn fresh<K: Clone + PartialEq + Send + Sync + 'static>(
    key: impl Fn() -> K + Send + Sync + 'static,
    make: impl Fn(K) -> View + 'static,
) -> View {
    let key = Memo::new(move |_| key());
    region(Box::new(move || {
        let key = key.get();
        untrack(|| make(key))
    }))
}

/// Key of a row: version of the list, and row.
pub(super) type Key = (u64, usize);

/// Elements kept by their key: only those that come or go are made or removed.
pub(super) fn keyed(
    parent: &El,
    each: impl Fn() -> Vec<Key> + 'static,
    make: impl Fn(Key) -> El + 'static,
) {
    keyed_boxed(parent.node.clone(), Box::new(each), Box::new(make));
}

fn keyed_boxed(parent: Element, each: Box<dyn Fn() -> Vec<Key>>, make: Box<dyn Fn(Key) -> El>) {
    // The rows' owners are not the effect's own, which ends at each run.
    let outer = Owner::current().unwrap_or_default();
    let mut rows: BTreeMap<Key, (Owner, Element)> = BTreeMap::new();
    bind(Box::new(move || {
        let keys = each();
        let gone: Vec<Key> = rows.keys().filter(|k| !keys.contains(k)).copied().collect();
        for key in gone {
            if let Some((owner, element)) = rows.remove(&key) {
                owner.cleanup();
                element.remove();
            }
        }
        let mut next = parent.first_child();
        for key in keys {
            let element = match rows.get(&key) {
                Some((_, element)) => element.clone(),
                None => {
                    let owner = outer.child();
                    let element = untrack(|| owner.with(|| make(key))).node;
                    rows.insert(key, (owner, element.clone()));
                    element
                }
            };
            let node: &Node = element.as_ref();
            if next.as_ref() == Some(node) {
                next = node.next_sibling();
            } else {
                let _ = parent.insert_before(node, next.as_ref());
            }
        }
    }));
}

/// A place for an element, filled when it is made.
pub(super) struct Ref<T: 'static>(StoredValue<Option<T>, LocalStorage>);

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ref<T> {}

impl<T: JsCast + Clone + 'static> Ref<T> {
    pub(super) fn new() -> Self {
        Self(StoredValue::new_local(None))
    }

    pub(super) fn get(self) -> Option<T> {
        self.0.try_get_value().flatten()
    }
}

/// A value that is fixed or follows signals.
pub(super) enum Value<T> {
    Fixed(T),
    Follows(Box<dyn Fn() -> T>),
}

/// Text of an attribute; `None` leaves it out.
pub(super) trait IntoAttr {
    fn into_attr(self) -> Option<String>;
}

impl IntoAttr for &str {
    fn into_attr(self) -> Option<String> {
        Some(self.to_owned())
    }
}

impl IntoAttr for String {
    fn into_attr(self) -> Option<String> {
        Some(self)
    }
}

impl<T: IntoAttr> IntoAttr for Option<T> {
    fn into_attr(self) -> Option<String> {
        self.and_then(IntoAttr::into_attr)
    }
}

/// An attribute's value, fixed or following signals.
pub(super) trait IntoAttrValue {
    fn into_value(self) -> Value<Option<String>>;
}

macro_rules! fixed {
    ($($t:ty),+) => {$(
        impl IntoAttrValue for $t {
            fn into_value(self) -> Value<Option<String>> {
                Value::Fixed(self.into_attr())
            }
        }
    )+};
}
fixed!(&str, String, Option<&str>, Option<String>);

impl<F, T> IntoAttrValue for F
where
    F: Fn() -> T + 'static,
    T: IntoAttr,
{
    fn into_value(self) -> Value<Option<String>> {
        Value::Follows(Box::new(move || self().into_attr()))
    }
}

/// A class list, or one class that comes and goes.
pub(super) trait IntoClass {
    fn apply(self, el: &Element);
}

fn add_classes(el: &Element, names: &str) {
    for name in names.split_whitespace() {
        let _ = el.class_list().add_1(name);
    }
}

impl IntoClass for &str {
    fn apply(self, el: &Element) {
        add_classes(el, self);
    }
}

impl IntoClass for String {
    fn apply(self, el: &Element) {
        add_classes(el, &self);
    }
}

impl IntoClass for (&'static str, bool) {
    fn apply(self, el: &Element) {
        if self.1 {
            add_classes(el, self.0);
        }
    }
}

impl<F: Fn() -> bool + 'static> IntoClass for (&'static str, F) {
    fn apply(self, el: &Element) {
        let (name, on) = self;
        toggle(el.clone(), name, Box::new(on));
    }
}

fn toggle(el: Element, name: &'static str, on: Box<dyn Fn() -> bool>) {
    bind(Box::new(move || {
        let _ = el.class_list().toggle_with_force(name, on());
    }));
}

/// A value of a property.
pub(super) trait IntoProp {
    fn into_prop(self) -> Value<JsValue>;
}

impl IntoProp for String {
    fn into_prop(self) -> Value<JsValue> {
        Value::Fixed(self.into())
    }
}

impl<F, T> IntoProp for F
where
    F: Fn() -> T + 'static,
    T: Into<JsValue>,
{
    fn into_prop(self) -> Value<JsValue> {
        Value::Follows(Box::new(move || self().into()))
    }
}

/// A listener that is taken off its element before it is dropped.
struct Listener {
    target: Element,
    name: String,
    closure: Closure<dyn FnMut(Event)>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self
            .target
            .remove_event_listener_with_callback(&self.name, self.closure.as_ref().unchecked_ref());
    }
}

/// An element.
#[derive(Clone)]
pub(super) struct El {
    node: Element,
}

impl El {
    fn new(tag: &str) -> Self {
        let node = document()
            .create_element(tag)
            .unwrap_or_else(|_| wasm_bindgen::throw_str("element"));
        Self { node }
    }

    pub(super) fn class(self, class: impl IntoClass) -> Self {
        class.apply(&self.node);
        self
    }

    pub(super) fn id(self, id: impl AsRef<str>) -> Self {
        self.node.set_id(id.as_ref());
        self
    }

    pub(super) fn attr(self, name: &'static str, value: impl IntoAttrValue) -> Self {
        self.set_attr(name, value.into_value());
        self
    }

    fn set_attr(&self, name: &'static str, value: Value<Option<String>>) {
        fn put(el: &Element, name: &str, value: Option<String>) {
            let _ = match value {
                Some(value) => el.set_attribute(name, &value),
                None => el.remove_attribute(name),
            };
        }
        let el = self.node.clone();
        match value {
            Value::Fixed(value) => put(&el, name, value),
            Value::Follows(value) => bind(Box::new(move || put(&el, name, value()))),
        }
    }

    /// A style property, through the object model.
    pub(super) fn style(
        self,
        (name, value): (&'static str, impl Fn() -> String + 'static),
    ) -> Self {
        self.set_style(name, Box::new(value));
        self
    }

    fn set_style(&self, name: &'static str, value: Box<dyn Fn() -> String>) {
        let el: web_sys::HtmlElement = self.node.clone().unchecked_into();
        bind(Box::new(move || {
            let _ = el.style().set_property(name, &value());
        }));
    }

    pub(super) fn prop(self, name: &'static str, value: impl IntoProp) -> Self {
        self.set_prop(name, value.into_prop());
        self
    }

    fn set_prop(&self, name: &'static str, value: Value<JsValue>) {
        fn put(el: &Element, name: &str, value: &JsValue) {
            let _ = js_sys::Reflect::set(el, &name.into(), value);
        }
        let el = self.node.clone();
        match value {
            Value::Fixed(value) => put(&el, name, &value),
            Value::Follows(value) => bind(Box::new(move || put(&el, name, &value()))),
        }
    }

    pub(super) fn on<E>(self, event: E, mut handler: impl FnMut(E::EventType) + 'static) -> Self
    where
        E: EventDescriptor,
        E::EventType: JsCast,
    {
        self.listen(
            &event.name(),
            Box::new(move |e: Event| handler(e.unchecked_into())),
        );
        self
    }

    fn listen(&self, name: &str, handler: Box<dyn FnMut(Event)>) {
        let closure = Closure::wrap(handler);
        let _ = self
            .node
            .add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
        let listener = Listener {
            target: self.node.clone(),
            name: name.to_owned(),
            closure,
        };
        let _ = StoredValue::<_, LocalStorage>::new_local(listener);
    }

    pub(super) fn child(self, child: impl IntoView) -> Self {
        child.into_view().append_to(&self.node);
        self
    }

    pub(super) fn node_ref<T: JsCast + Clone + 'static>(self, place: Ref<T>) -> Self {
        place.0.set_value(Some(self.node.clone().unchecked_into()));
        self
    }
}

/// Puts the page into the body, under Leptos' owner; it stays for ever.
pub(super) fn mount(make: impl FnOnce() -> View + 'static) {
    leptos::mount::mount_to_body(move || {
        if let Some(body) = document().body() {
            make().append_to(&body);
        }
    });
}

macro_rules! elements {
    ($($name:ident)+) => {$(
        pub(super) fn $name() -> El {
            El::new(stringify!($name))
        }
    )+};
}
elements! {
    button dd dialog div dl dt fieldset footer h1 h2 header img input kbd label legend main mark nav option p section
    select span textarea
}
