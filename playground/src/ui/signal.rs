//! Values that views follow: Leptos' triggers and effects, with the values behind one type.
//!
//! A `RwSignal<T>` compiles its bookkeeping for every `T`, a `Memo` for every closure. Here the
//! bookkeeping is one `ArcTrigger`, and the value a boxed cell beside it.

use std::{any::Any, cell::RefCell, rc::Rc};

use leptos::{
    prelude::{ArcTrigger, LocalStorage, Notify, RenderEffect, StoredValue, Track},
    reactive::graph::untrack as untracked,
};

/// A closure without arguments. Boxed as this, it needs a table of two entries, drop and call,
/// where `dyn Fn` has five, of which three are never called: code of thousands of bytes.
pub(super) trait Ask<R> {
    fn ask(&self) -> R;
}

impl<R, F: Fn() -> R> Ask<R> for F {
    fn ask(&self) -> R {
        self()
    }
}

/// A closure of one argument, boxed for the same reason.
pub(super) trait Tell<A, R = ()> {
    fn tell(&self, argument: A) -> R;
}

impl<A, R, F: Fn(A) -> R> Tell<A, R> for F {
    fn tell(&self, argument: A) -> R {
        self(argument)
    }
}

/// A closure that is run again and again.
pub(super) trait Run {
    fn run(&mut self);
}

impl<F: FnMut()> Run for F {
    fn run(&mut self) {
        self();
    }
}

/// Keeps something until the current owner ends.
pub(super) fn hold(value: impl Any) {
    fn boxed(value: Rc<dyn Any>) {
        let _: StoredValue<Rc<dyn Any>, LocalStorage> = StoredValue::new_local(value);
    }
    boxed(Rc::new(value));
}

/// Runs without following what is read.
pub(super) fn untrack<T>(run: impl FnOnce() -> T) -> T {
    untracked(run)
}

/// Runs now, and again whenever what it reads changes.
#[inline(never)]
pub(super) fn bind(mut run: Box<dyn Run>) {
    hold(RenderEffect::new(move |_: Option<()>| run.run()));
}

/// Runs soon, when the elements are in the document, and again whenever what it reads changes.
pub(super) fn effect(run: impl FnMut() + 'static) {
    #[inline(never)]
    fn boxed(mut run: Box<dyn Run>) {
        leptos::prelude::Effect::new(move |_: Option<()>| run.run());
    }
    boxed(Box::new(run));
}

/// Tells of changes to who follows.
struct Bell(ArcTrigger);

impl Bell {
    #[inline(never)]
    fn new() -> Self {
        Self(ArcTrigger::new())
    }

    #[inline(never)]
    fn follow(&self) {
        self.0.track();
    }

    #[inline(never)]
    fn ring(&self) {
        self.0.notify();
    }
}

/// A value that can be set and followed.
pub(super) struct Slot<T: 'static> {
    value: RefCell<T>,
    bell: Bell,
}

/// A slot as the views pass it around. It lives as long as the page: a view has a handful of
/// them, of a few bytes each; what is large is emptied when its view ends.
pub(super) type Sig<T> = &'static Slot<T>;

/// A slot of a view.
pub(super) fn sig<T>(value: T) -> Sig<T> {
    Box::leak(Box::new(Slot::new(value)))
}

impl<T: 'static> Slot<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            value: RefCell::new(value),
            bell: Bell::new(),
        }
    }

    pub(super) fn track(&self) {
        self.bell.follow();
    }

    pub(super) fn with<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        self.bell.follow();
        read(&self.value.borrow())
    }

    pub(super) fn with_untracked<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        read(&self.value.borrow())
    }

    /// Changes the value without telling.
    pub(super) fn touch(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.value.borrow_mut());
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.value.borrow_mut());
        self.bell.ring();
    }

    pub(super) fn set(&self, value: T) {
        *self.value.borrow_mut() = value;
        self.bell.ring();
    }
}

impl<T: Clone + 'static> Slot<T> {
    pub(super) fn get(&self) -> T {
        self.bell.follow();
        self.value.borrow().clone()
    }

    pub(super) fn get_untracked(&self) -> T {
        self.value.borrow().clone()
    }
}

impl<T: PartialEq + 'static> Slot<T> {
    /// Sets the value if it differs.
    fn settle(&self, value: T) {
        if *self.value.borrow() != value {
            self.set(value);
        }
    }
}

/// Empties a slot when the view that computed it ends.
struct Emptied<T: Default + 'static>(Sig<T>);

impl<T: Default + 'static> Drop for Emptied<T> {
    fn drop(&mut self) {
        *self.0.value.borrow_mut() = T::default();
    }
}

/// A value computed from others, told of only when it differs.
pub(super) fn derived<T: PartialEq + Default + 'static>(
    compute: impl Fn() -> T + 'static,
) -> Sig<T> {
    let slot = sig(T::default());
    bind(Box::new(move || slot.settle(compute())));
    hold(Emptied(slot));
    slot
}

/// Counts the changes of what `read` reads.
pub(super) fn changes(read: impl Fn() + 'static) -> Sig<u32> {
    let slot = sig(0u32);
    bind(Box::new(move || {
        read();
        slot.set(slot.get_untracked().wrapping_add(1));
    }));
    slot
}

/// A value computed each time it is asked for.
pub(super) struct Calc<T: 'static>(&'static dyn Ask<T>);

impl<T> Clone for Calc<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Calc<T> {}

impl<T: 'static> Calc<T> {
    pub(super) fn new(compute: impl Fn() -> T + 'static) -> Self {
        Self(Box::leak(Box::new(compute)))
    }

    pub(super) fn get(self) -> T {
        self.0.ask()
    }

    pub(super) fn get_untracked(self) -> T {
        untrack(|| self.0.ask())
    }
}

impl<T: Clone + 'static> From<Sig<T>> for Calc<T> {
    fn from(slot: Sig<T>) -> Self {
        Self::new(move || slot.get())
    }
}
