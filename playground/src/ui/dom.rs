//! Elements on Leptos' reactive core, with every closure behind one type.
//!
//! Leptos compiles each element and each reactive closure of a view into code of its own, some
//! 5 kB a closure; with the views here that is three times the page's budget. So the views make
//! their elements through this builder: same calls, but attributes, children and handlers are
//! boxed, and the code that creates, updates and removes them exists once. Signals, memos,
//! effects and owners are Leptos'. Nothing here parses HTML or writes a `style` attribute, which
//! the page's policy forbids.

use std::borrow::Cow;

use gloo::{
    events::{EventListener, EventListenerOptions},
    timers::callback::Timeout,
};
use leptos::{ev::EventDescriptor, prelude::Owner};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Element, Event, EventTarget, Node};

use super::{
    signal::{Ask, Sig, Tell, bind, hold, sig, untrack},
    state::App,
};
use crate::text::Text;

/// What the views use.
pub(super) mod prelude {
    pub(in crate::ui) use super::super::signal::{
        Ask, Calc, Sig, Slot, Tell, changes, derived, effect, hold, sig, untrack,
    };
    pub(in crate::ui) use super::{
        El, IntoView, Ref, View, document, element_of, frame, fresh, keyed, later, on_window,
        window,
    };
}

pub(super) fn window() -> web_sys::Window {
    let Some(window) = web_sys::window() else {
        wasm_bindgen::throw_str("window")
    };
    window
}

pub(super) fn document() -> web_sys::Document {
    let Some(document) = window().document() else {
        wasm_bindgen::throw_str("document")
    };
    document
}

/// The element an event happened on.
pub(super) fn element_of(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// Runs before the next frame is drawn.
pub(super) fn frame(run: impl FnOnce() + 'static) {
    fn boxed(run: Box<dyn FnOnce()>) {
        let callback = Closure::once_into_js(run);
        let _ = window().request_animation_frame(callback.unchecked_ref());
    }
    boxed(Box::new(run));
}

/// Runs after so many milliseconds.
pub(super) fn later(milliseconds: u32, run: Box<dyn FnOnce()>) {
    Timeout::new(milliseconds, run).forget();
}

/// Listens on the window as long as the page lives.
pub(super) fn on_window<E>(event: E, mut handler: impl FnMut(E::EventType) + 'static)
where
    E: EventDescriptor + Copy,
    E::EventType: JsCast,
{
    fn boxed(name: Cow<'static, str>, handler: Box<dyn Handle>) {
        listener(&window(), name, handler).forget();
    }
    boxed(
        event.name(),
        Box::new(move |e: Event| handler(e.unchecked_into())),
    );
}

/// What can stand inside an element.
pub(super) trait IntoView: Sized {
    /// Appends its nodes to a parent.
    fn put(self, parent: &Node);

    /// Its nodes as one value.
    fn into_any(self) -> View {
        let fragment = fragment();
        self.put(&fragment);
        View(Some(fragment))
    }
}

/// Nodes that are made but not yet in the document: one, or a fragment.
pub(super) struct View(Option<Node>);

#[inline(never)]
fn fragment() -> Node {
    document().create_document_fragment().into()
}

#[inline(never)]
fn append(parent: &Node, node: &Node) {
    let _ = parent.append_child(node);
}

#[inline(never)]
fn append_text(parent: &Node, text: &str) {
    append(parent, &document().create_text_node(text));
}

impl IntoView for View {
    fn put(self, parent: &Node) {
        if let Some(node) = self.0 {
            append(parent, &node);
        }
    }

    fn into_any(self) -> View {
        self
    }
}

impl IntoView for El {
    fn put(self, parent: &Node) {
        append(parent, &self.node);
    }

    fn into_any(self) -> View {
        View(Some(self.node.into()))
    }
}

impl IntoView for &str {
    fn put(self, parent: &Node) {
        append_text(parent, self);
    }
}

impl IntoView for String {
    fn put(self, parent: &Node) {
        append_text(parent, &self);
    }
}

impl IntoView for () {
    fn put(self, _parent: &Node) {}

    fn into_any(self) -> View {
        View(None)
    }
}

impl<T: IntoView> IntoView for Option<T> {
    fn put(self, parent: &Node) {
        if let Some(view) = self {
            view.put(parent);
        }
    }
}

impl<T: IntoView> IntoView for Vec<T> {
    fn put(self, parent: &Node) {
        for view in self {
            view.put(parent);
        }
    }
}

impl<F, T> IntoView for F
where
    F: Fn() -> T + 'static,
    T: IntoView,
{
    fn put(self, parent: &Node) {
        region(parent, Box::new(move |place: &Node| self().put(place)));
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: IntoView),+> IntoView for ($($name,)+) {
            fn put(self, parent: &Node) {
                #[expect(non_snake_case, reason = "type parameters name the parts")]
                let ($($name,)+) = self;
                $($name.put(parent);)+
            }
        }
    )+};
}
tuples! { (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

fn comment() -> Node {
    document().create_comment("").into()
}

/// A stretch between two markers whose nodes are replaced.
struct Place {
    start: Node,
    end: Node,
}

impl Place {
    #[inline(never)]
    fn new(parent: &Node) -> Self {
        let (start, end) = (comment(), comment());
        append(parent, &start);
        append(parent, &end);
        Self { start, end }
    }

    #[inline(never)]
    fn fill(&self, node: &Node) {
        let Some(parent) = self.end.parent_node() else {
            return;
        };
        while let Some(node) = self.start.next_sibling() {
            if node == self.end {
                break;
            }
            let _ = parent.remove_child(&node);
        }
        let _ = parent.insert_before(node, Some(&self.end));
    }
}

/// A closure that fills a parent.
trait Fill {
    fn fill(&self, parent: &Node);
}

impl<F: Fn(&Node)> Fill for F {
    fn fill(&self, parent: &Node) {
        self(parent);
    }
}

/// Nodes made anew whenever what `make` reads changes.
#[inline(never)]
fn region(parent: &Node, make: Box<dyn Fill>) {
    let place = Place::new(parent);
    bind(Box::new(move || {
        let fragment = fragment();
        make.fill(&fragment);
        place.fill(&fragment);
    }));
}

/// A view made anew, with new elements, whenever its key changes, and only then.
pub(super) fn fresh(key: impl Fn() -> u32 + 'static, make: impl Fn(u32) -> View + 'static) -> View {
    fresh_boxed(Box::new(key), Box::new(make))
}

#[inline(never)]
fn fresh_boxed(key: Box<dyn Ask<u32>>, make: Box<dyn Tell<u32, View>>) -> View {
    // The view's owner is not the effect's own, which ends at each run.
    let outer = Owner::current().unwrap_or_default();
    let mut last: Option<(u32, Owner)> = None;
    let whole = fragment();
    let place = Place::new(&whole);
    bind(Box::new(move || {
        let now = key.ask();
        if last.as_ref().is_some_and(|(key, _)| *key == now) {
            return;
        }
        if let Some((_, owner)) = last.take() {
            owner.cleanup();
        }
        let owner = outer.child();
        let fragment = fragment();
        untrack(|| owner.with(|| make.tell(now))).put(&fragment);
        place.fill(&fragment);
        last = Some((now, owner));
    }));
    View(Some(whole))
}

/// Key of a row: version of the list, and row.
pub(super) type Key = (u32, usize);

/// Elements kept by their key: only those that come or go are made or removed.
pub(super) fn keyed(
    parent: &El,
    each: impl Fn() -> Vec<Key> + 'static,
    make: impl Fn(Key) -> El + 'static,
) {
    keyed_boxed(parent.node.clone(), Box::new(each), Box::new(make));
}

#[inline(never)]
fn keyed_boxed(parent: Element, each: Box<dyn Ask<Vec<Key>>>, make: Box<dyn Tell<Key, El>>) {
    // The rows' owners are not the effect's own, which ends at each run.
    let outer = Owner::current().unwrap_or_default();
    // A hundred rows at most: looked up by walking.
    let mut rows: Vec<(Key, Owner, Element)> = Vec::new();
    bind(Box::new(move || {
        let keys = each.ask();
        rows.retain(|(key, owner, element)| {
            let stays = keys.contains(key);
            if !stays {
                owner.cleanup();
                element.remove();
            }
            stays
        });
        let mut next = parent.first_child();
        for key in keys {
            let element = if let Some(row) = rows.iter().find(|r| r.0 == key) {
                row.2.clone()
            } else {
                let owner = outer.child();
                let element = untrack(|| owner.with(|| make.tell(key))).node;
                rows.push((key, owner, element.clone()));
                element
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
pub(super) struct Ref<T: 'static>(Sig<Option<T>>);

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ref<T> {}

impl<T: JsCast + Clone + 'static> Ref<T> {
    pub(super) fn new() -> Self {
        Self(sig(None))
    }

    pub(super) fn get(self) -> Option<T> {
        self.0.get_untracked()
    }
}

/// A value that is fixed or follows signals.
pub(super) enum Value<T> {
    Fixed(T),
    Follows(Box<dyn Ask<T>>),
}

/// Text of an attribute; `None` leaves it out.
type Attr = Option<Cow<'static, str>>;

/// What can be an attribute's text.
pub(super) trait IntoAttr {
    fn into_attr(self) -> Attr;
}

impl IntoAttr for &'static str {
    fn into_attr(self) -> Attr {
        Some(Cow::Borrowed(self))
    }
}

impl IntoAttr for String {
    fn into_attr(self) -> Attr {
        Some(Cow::Owned(self))
    }
}

impl<T: IntoAttr> IntoAttr for Option<T> {
    fn into_attr(self) -> Attr {
        self.and_then(IntoAttr::into_attr)
    }
}

/// An attribute's value, fixed or following signals.
pub(super) trait IntoAttrValue {
    fn put(self, el: &Element, name: &'static str);
}

#[inline(never)]
fn put_attr(el: &Element, name: &str, value: Attr) {
    let _ = match value {
        Some(value) => el.set_attribute(name, &value),
        None => el.remove_attribute(name),
    };
}

#[inline(never)]
fn put_text(el: &Element, name: &str, value: &str) {
    let _ = el.set_attribute(name, value);
}

impl IntoAttrValue for &'static str {
    fn put(self, el: &Element, name: &'static str) {
        put_text(el, name, self);
    }
}

impl IntoAttrValue for String {
    fn put(self, el: &Element, name: &'static str) {
        put_attr(el, name, self.into_attr());
    }
}

impl<T: IntoAttr> IntoAttrValue for Option<T> {
    fn put(self, el: &Element, name: &'static str) {
        put_attr(el, name, self.into_attr());
    }
}

impl<F, T> IntoAttrValue for F
where
    F: Fn() -> T + 'static,
    T: IntoAttr,
{
    fn put(self, el: &Element, name: &'static str) {
        follow_attr(el.clone(), name, Box::new(move || self().into_attr()));
    }
}

#[inline(never)]
fn follow_attr(el: Element, name: &'static str, value: Box<dyn Ask<Attr>>) {
    bind(Box::new(move || put_attr(&el, name, value.ask())));
}

/// A class list, or one class that comes and goes.
pub(super) trait IntoClass {
    fn apply(self, el: &Element);
}

#[inline(never)]
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

#[inline(never)]
fn toggle(el: Element, name: &'static str, on: Box<dyn Ask<bool>>) {
    bind(Box::new(move || {
        let _ = el.class_list().toggle_with_force(name, on.ask());
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

/// A closure that takes an event.
trait Handle {
    fn handle(&mut self, event: Event);
}

impl<F: FnMut(Event)> Handle for F {
    fn handle(&mut self, event: Event) {
        self(event);
    }
}

/// Listens until what it gives is dropped; a handler may prevent what the browser would do.
#[inline(never)]
fn listener(
    target: &EventTarget,
    name: Cow<'static, str>,
    mut handler: Box<dyn Handle>,
) -> EventListener {
    let options = EventListenerOptions::enable_prevent_default();
    EventListener::new_with_options(target, name, options, move |e| handler.handle(e.clone()))
}

/// An element.
#[derive(Clone)]
pub(super) struct El {
    node: Element,
}

impl El {
    #[inline(never)]
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
        value.put(&self.node, name);
        self
    }

    /// A text in the page's language.
    #[inline(never)]
    pub(super) fn say(self, app: App, text: Text) -> Self {
        let node = document().create_text_node("");
        append(&self.node, &node);
        bind(Box::new(move || node.set_data(app.say(text))));
        self
    }

    /// An attribute in the page's language.
    #[inline(never)]
    pub(super) fn attr_say(self, name: &'static str, app: App, text: Text) -> Self {
        let el = self.node.clone();
        bind(Box::new(move || put_text(&el, name, app.say(text))));
        self
    }

    /// A style property, through the object model.
    pub(super) fn style(
        self,
        (name, value): (&'static str, impl Fn() -> String + 'static),
    ) -> Self {
        self.set_style(name, Box::new(value));
        self
    }

    #[inline(never)]
    fn set_style(&self, name: &'static str, value: Box<dyn Ask<String>>) {
        let el: web_sys::HtmlElement = self.node.clone().unchecked_into();
        bind(Box::new(move || {
            let _ = el.style().set_property(name, &value.ask());
        }));
    }

    pub(super) fn prop(self, name: &'static str, value: impl IntoProp) -> Self {
        self.set_prop(name, value.into_prop());
        self
    }

    #[inline(never)]
    fn set_prop(&self, name: &'static str, value: Value<JsValue>) {
        fn put(el: &Element, name: &str, value: &JsValue) {
            let _ = js_sys::Reflect::set(el, &name.into(), value);
        }
        let el = self.node.clone();
        match value {
            Value::Fixed(value) => put(&el, name, &value),
            Value::Follows(value) => bind(Box::new(move || put(&el, name, &value.ask()))),
        }
    }

    pub(super) fn on<E>(self, event: E, mut handler: impl FnMut(E::EventType) + 'static) -> Self
    where
        E: EventDescriptor + Copy,
        E::EventType: JsCast,
    {
        self.listen(
            event.name(),
            Box::new(move |e: Event| handler(e.unchecked_into())),
        );
        self
    }

    #[inline(never)]
    fn listen(&self, name: Cow<'static, str>, handler: Box<dyn Handle>) {
        hold(listener(&self.node, name, handler));
    }

    pub(super) fn child(self, child: impl IntoView) -> Self {
        child.put(&self.node);
        self
    }

    pub(super) fn node_ref<T: JsCast + Clone + 'static>(self, place: Ref<T>) -> Self {
        place.0.set(Some(self.node.clone().unchecked_into()));
        self
    }
}

/// Puts the page into the body, under Leptos' owner; it stays for ever.
pub(super) fn mount(make: impl FnOnce() -> View + 'static) {
    leptos::mount::mount_to_body(move || {
        if let Some(body) = document().body() {
            make().put(&body);
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
    button dd dialog div dl dt fieldset footer h1 h2 header img input kbd label legend li main mark nav option p section
    select span textarea ul
}
