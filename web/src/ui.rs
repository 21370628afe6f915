//! Paints the screens on Leptos' reactive core, and carries events and effects.
//!
//! The screens are data; what changed is patched into the document element by element, so focus
//! and half-typed text stay. Attributes and texts are set as such: nothing is parsed as HTML.

use std::cell::RefCell;

use gloo::events::{EventListener, EventListenerOptions};
use leptos::prelude::{LocalStorage, RenderEffect, RwSignal, StoredValue, Update, With};
use wasm_bindgen::{JsCast, prelude::*};
use web_sys::{Element, HtmlInputElement, HtmlTextAreaElement};
use zeroize::Zeroizing;

use crate::model::{Effect, Event, Model, Moment};
use crate::node::{El, Node, On};
use crate::route::Route;
use crate::seal::Secret;
use crate::{view, wire};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = warifuHost)]
    fn listen(callback: &Closure<dyn FnMut(String, String)>);
    #[wasm_bindgen(js_namespace = warifuHost)]
    fn run(json: &str);
    #[wasm_bindgen(js_namespace = warifuHost)]
    fn now() -> f64;
    #[wasm_bindgen(js_namespace = warifuHost)]
    fn random() -> Vec<u8>;
}

thread_local! {
    /// What is in the document now.
    static PAINTED: RefCell<Option<Node>> = const { RefCell::new(None) };
}

type App = RwSignal<Model, LocalStorage>;

/// Puts the portal into the document. Called once by `boot.mjs`.
#[wasm_bindgen]
pub fn mount() {
    leptos::mount::mount_to_body(|| {
        let app: App = RwSignal::new_local(Model::default());
        let Some(root) = document().get_element_by_id("app") else {
            return;
        };
        let place = root.clone();
        let effect = RenderEffect::new(move |_: Option<()>| {
            let (new, title) = app.with(|m| {
                let page = view::page(m);
                let title = view::title(m, &page);
                (page, title)
            });
            document().set_title(&title);
            PAINTED.with_borrow_mut(|old| {
                if let (Some(old), Some(node)) = (old.as_ref(), place.first_child()) {
                    patch(&node, old, &new);
                } else {
                    place.set_text_content(None);
                    let _ = place.append_child(&create(&new));
                }
                *old = Some(new);
            });
        });
        // Kept for as long as the page.
        let _: StoredValue<_, LocalStorage> = StoredValue::new_local(effect);
        let callback =
            Closure::<dyn FnMut(String, String)>::new(move |json: String, body: String| {
                if let Some(event) = wire::read(&json, &body) {
                    happen(app, event);
                }
            });
        listen(&callback);
        callback.forget();
        for name in ["click", "input", "change", "keydown"] {
            on(&root, name, move |e| used(app, name, e));
        }
    });
}

fn document() -> web_sys::Document {
    let document = web_sys::window().and_then(|w| w.document());
    let Some(document) = document else {
        wasm_bindgen::throw_str("document")
    };
    document
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a JavaScript number saturates"
)]
fn moment() -> Moment {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(random()) {
        *to = from;
    }
    Moment {
        now: now() as u64,
        random: bytes,
    }
}

fn happen(app: App, event: Event) {
    let moment = moment();
    let mut effects: Vec<Effect> = Vec::new();
    app.update(|m| effects = m.update(event, &moment));
    for effect in &effects {
        // A passphrase may be in it.
        run(&Zeroizing::new(wire::write(effect)));
    }
}

fn on(root: &Element, name: &'static str, handler: impl FnMut(&web_sys::Event) + 'static) {
    let options = EventListenerOptions::enable_prevent_default();
    EventListener::new_with_options(root, name, options, handler).forget();
}

// ── events ──────────────────────────────────────────────────────────────────────────────────────

fn used(app: App, name: &str, e: &web_sys::Event) {
    let Some(target) = e.target().and_then(|t| t.dyn_into::<Element>().ok()) else {
        return;
    };
    if name == "keydown" {
        enter(e, &target);
        return;
    }
    if name == "click" && follow(app, e, &target) {
        return;
    }
    let Some(action) = action_at(&target) else {
        return;
    };
    match (name, action) {
        ("click", On::Press(event)) | ("change", On::Change(event)) => happen(app, event),
        ("input", On::Input(make)) => {
            if let Some(input) = target.dyn_ref::<HtmlInputElement>() {
                happen(app, make(input.value()));
            } else if let Some(area) = target.dyn_ref::<HtmlTextAreaElement>() {
                happen(app, make(area.value()));
            }
        }
        _ => {}
    }
}

/// Enter in a text field presses the primary button.
fn enter(e: &web_sys::Event, target: &Element) {
    let key = js_sys::Reflect::get(e, &"key".into()).ok();
    let composing = js_sys::Reflect::get(e, &"isComposing".into()).ok();
    let text = target.matches("input:not([type=checkbox]):not([type=radio])");
    if key.and_then(|k| k.as_string()).as_deref() == Some("Enter")
        && composing.and_then(|c| c.as_bool()) != Some(true)
        && text == Ok(true)
        && let Ok(Some(button)) = document().query_selector("main button.btn:not(.btn2)")
        && let Ok(button) = button.dyn_into::<web_sys::HtmlElement>()
    {
        e.prevent_default();
        button.click();
    }
}

/// Links to our own screens and to fields of this one; anything else is the browser's.
fn follow(app: App, e: &web_sys::Event, target: &Element) -> bool {
    let Ok(Some(link)) = target.closest("a[href]") else {
        return false;
    };
    let Some(mouse) = e.dyn_ref::<web_sys::MouseEvent>() else {
        return false;
    };
    if mouse.button() != 0 || mouse.ctrl_key() || mouse.meta_key() || mouse.shift_key() {
        return false;
    }
    let href = link.get_attribute("href").unwrap_or_default();
    if let Some(id) = href.strip_prefix('#') {
        e.prevent_default();
        if let Some(el) = document().get_element_by_id(id)
            && let Ok(el) = el.dyn_into::<web_sys::HtmlElement>()
        {
            let _ = el.focus();
        }
        return true;
    }
    let route = Route::parse(&href);
    if route == Route::Unknown {
        return false;
    }
    e.prevent_default();
    happen(app, Event::Go(route));
    true
}

/// The document and the painted data have one shape: the way up gives the way down.
fn action_at(target: &Element) -> Option<On> {
    let root = document().get_element_by_id("app")?;
    let root: &web_sys::Node = root.as_ref();
    let mut way = Vec::new();
    let mut at: web_sys::Node = target.clone().into();
    while at != *root {
        let mut place = 0_usize;
        let mut before = at.previous_sibling();
        while let Some(b) = before {
            place += 1;
            before = b.previous_sibling();
        }
        way.push(place);
        at = at.parent_node()?;
    }
    // The last step is from #app to the page.
    way.pop();
    PAINTED.with(|painted| {
        // A field that is taken away while it is painted says `change`: nobody did anything.
        let painted = painted.try_borrow().ok()?;
        let mut node = painted.as_ref()?;
        let mut found = None;
        loop {
            let el = node.element()?;
            if el.on.is_some() {
                found.clone_from(&el.on);
            }
            match way.pop() {
                None => return found,
                Some(place) => node = el.kids.get(place)?,
            }
        }
    })
}

// ── painting ────────────────────────────────────────────────────────────────────────────────────

fn create(node: &Node) -> web_sys::Node {
    match node {
        Node::Text(text) => document().create_text_node(text).into(),
        Node::El(el) => {
            let made = if matches!(el.tag, "svg" | "path") {
                document().create_element_ns(Some("http://www.w3.org/2000/svg"), el.tag)
            } else {
                document().create_element(el.tag)
            };
            let Ok(made) = made else {
                wasm_bindgen::throw_str("element")
            };
            for (name, value) in &el.attrs {
                if is_marked(el, name) {
                    let _ = made.set_attribute(name, value);
                }
            }
            state(&made, el);
            for kid in &el.kids {
                let _ = made.append_child(&create(kid));
            }
            made.into()
        }
    }
}

/// Whether an attribute stands in the document: fields of several lines have no `value` there.
fn is_marked(el: &El, name: &str) -> bool {
    el.tag != "textarea" || name != "value"
}

/// What a form field holds is not its attribute once it was used.
fn state(made: &Element, el: &El) {
    if let Some(area) = made.dyn_ref::<HtmlTextAreaElement>() {
        let value = el.get("value").unwrap_or_default();
        if area.value() != value {
            area.set_value(value);
        }
        return;
    }
    if el.tag != "input" {
        return;
    }
    let Some(input) = made.dyn_ref::<HtmlInputElement>() else {
        return;
    };
    input.set_checked(el.get("checked").is_some());
    let secret = el.secret.as_ref().map(Secret::expose);
    if let Some(value) = el.get("value").or(secret)
        && input.type_() != "radio"
        && input.value() != value
    {
        input.set_value(value);
    }
}

fn patch(at: &web_sys::Node, old: &Node, new: &Node) {
    match (old, new) {
        (Node::Text(a), Node::Text(b)) => {
            if a != b {
                at.set_node_value(Some(b));
            }
        }
        (Node::El(a), Node::El(b)) if a.tag == b.tag => {
            let Some(element) = at.dyn_ref::<Element>() else {
                return;
            };
            for (name, _) in &a.attrs {
                if b.get(name).is_none() {
                    let _ = element.remove_attribute(name);
                }
            }
            for (name, value) in &b.attrs {
                if a.get(name) != Some(value) && is_marked(b, name) {
                    let _ = element.set_attribute(name, value);
                }
            }
            inside(at, &a.kids, &b.kids);
            state(element, b);
        }
        _ => {
            if let Some(parent) = at.parent_node() {
                let _ = parent.replace_child(&create(new), at);
            }
        }
    }
}

fn inside(at: &web_sys::Node, old: &[Node], new: &[Node]) {
    let mut next = at.first_child();
    let mut olds = old.iter();
    for new in new {
        match (olds.next(), next) {
            (Some(old), Some(node)) => {
                next = node.next_sibling();
                patch(&node, old, new);
            }
            (_, rest) => {
                next = rest;
                let _ = at.append_child(&create(new));
            }
        }
    }
    for _ in olds {
        if let Some(node) = next {
            next = node.next_sibling();
            let _ = at.remove_child(&node);
        } else {
            break;
        }
    }
}
