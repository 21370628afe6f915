//! What tells slices apart, FHIR R4 §5.1.0.14.

use warifu_definitions::{Binding, PackageId, Strength};
use warifu_r4::{Core, TypeId};

use crate::plan::{At, CORE_PROFILES, Tools, Trie};
use crate::value::Json;

/// A step of a discriminator's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// An element by number of name.
    Child(u16),
    /// `extension('url')`
    Extension(Box<str>),
    /// `resolve()`
    Resolve,
    /// `ofType(Type)`
    OfType(TypeId),
}

/// What must hold of one of the values at a path.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) steps: Vec<Step>,
    pub(crate) want: Want,
}

#[derive(Debug, Clone)]
pub(crate) enum Want {
    Fixed(Json),
    Pattern(Json),
    Member(Binding, PackageId),
    Type(Vec<TypeId>),
    Profile(Vec<Box<str>>),
    Exists(bool),
    /// All of these, of the same value.
    All(Vec<Test>),
}

impl Want {
    /// What is wanted, as text of a definition.
    pub(crate) fn show(&self, core: &'static Core) -> String {
        match self {
            Self::Fixed(json) | Self::Pattern(json) => json.show(),
            Self::Member(binding, _) => binding.value_set.to_string(),
            Self::Type(types) => types
                .iter()
                .map(|t| core.type_(*t).name())
                .collect::<Vec<_>>()
                .join(" | "),
            Self::Profile(profiles) => profiles.join(" | "),
            Self::Exists(true) => "exists".to_owned(),
            Self::Exists(false) => "does not exist".to_owned(),
            Self::All(tests) => tests
                .iter()
                .map(|t| format!("{}{}", show_steps(&t.steps, core), t.want.show(core)))
                .collect::<Vec<_>>()
                .join(", "),
        }
    }
}

/// A path as `a.b `; empty for `$this`.
pub(crate) fn show_steps(steps: &[Step], core: &'static Core) -> String {
    let mut out = String::new();
    for step in steps {
        if !out.is_empty() {
            out.push('.');
        }
        match step {
            Step::Child(name) => out.push_str(core.name_text(*name)),
            Step::Extension(url) => {
                out.push_str("extension('");
                out.push_str(url);
                out.push_str("')");
            }
            Step::Resolve => out.push_str("resolve()"),
            Step::OfType(of) => {
                out.push_str("ofType(");
                out.push_str(core.type_(*of).name());
                out.push(')');
            }
        }
    }
    if !out.is_empty() {
        out.push_str(" = ");
    }
    out
}

/// Reads a path; `None` where it is more than the restricted FHIRPath of discriminators.
pub(crate) fn steps(path: &str, core: &'static Core) -> Option<Vec<Step>> {
    let mut made = Vec::new();
    let mut rest = path.trim();
    while !rest.is_empty() {
        // Dots within a URL do not end a step.
        let end = match rest.find('(') {
            Some(open) if rest.find('.').is_none_or(|dot| open < dot) => {
                let close = rest.find(')')?;
                close + 1
            }
            _ => rest.find('.').unwrap_or(rest.len()),
        };
        let (step, behind) = rest.split_at(end);
        rest = behind.strip_prefix('.').unwrap_or(behind);
        let argument = |name: &str| {
            Some(
                step.strip_prefix(name)?
                    .strip_prefix('(')?
                    .strip_suffix(')')?
                    .trim_matches(['\'', '"', ' ']),
            )
        };
        match step {
            "$this" => {}
            "resolve()" => made.push(Step::Resolve),
            _ => {
                if let Some(url) = argument("extension") {
                    made.push(Step::Extension(url.into()));
                } else if let Some(of) = argument("ofType").or_else(|| argument("as")) {
                    made.push(Step::OfType(core.type_named(of)?));
                } else {
                    let plain = step.trim_end_matches("[x]");
                    let name = core.name(plain);
                    if name == 0 {
                        return None;
                    }
                    made.push(Step::Child(name));
                }
            }
        }
    }
    Some(made)
}

/// The node at a path, without looking into other profiles.
pub(crate) fn find(trie: &Trie, from: At, path: &[Step]) -> Option<At> {
    let mut at = from;
    for step in path {
        at = match step {
            Step::Child(name) => child(trie, at, *name)?,
            Step::Extension(url) => extension(trie, at, url)?,
            Step::OfType(_) | Step::Resolve => at,
        };
    }
    Some(at)
}

/// A child; a slice without it has that of the whole.
fn child(trie: &Trie, at: At, name: u16) -> Option<At> {
    trie.find(at, name).or_else(|| {
        let whole = trie.get(at)?.whole?;
        trie.find(whole, name)
    })
}

fn extension(trie: &Trie, at: At, url: &str) -> Option<At> {
    let extensions = trie
        .get(at)?
        .children
        .iter()
        .copied()
        .find(|c| !trie.get(*c).is_none_or(|b| b.slices.is_empty()))?;
    trie.get(extensions)?.slices.iter().copied().find(|s| {
        trie.definition(*s).is_some_and(|e| {
            e.types
                .iter()
                .any(|t| t.profiles.iter().any(|p| &**p == url))
        })
    })
}

/// What a slice wants of the value at a path.
pub(crate) fn value(
    trie: &Trie,
    slice: At,
    path: &[Step],
    tools: Tools<'_>,
    package: PackageId,
) -> Option<Want> {
    look(trie, slice, path, tools, package, 0)
}

fn look(
    trie: &Trie,
    at: At,
    path: &[Step],
    tools: Tools<'_>,
    package: PackageId,
    depth: u32,
) -> Option<Want> {
    if depth > 16 {
        return None;
    }
    let element = trie.definition(at);
    let Some((step, rest)) = path.split_first() else {
        return here(trie, at, package, depth);
    };
    // A value above settles all below it.
    if let Some(element) = element {
        for (value, fixed) in [(&element.fixed, true), (&element.pattern, false)] {
            if let Some(value) = value
                && let Some(inside) = inside(&Json::read(&value.json), path, tools.core)
            {
                let scalar = !matches!(inside, Json::List(_) | Json::Object(_));
                return Some(if fixed || scalar {
                    Want::Fixed(inside)
                } else {
                    Want::Pattern(inside)
                });
            }
        }
    }
    let own = match step {
        Step::Child(name) => trie.find(at, *name),
        Step::Extension(url) => extension(trie, at, url),
        Step::OfType(_) => Some(at),
        Step::Resolve => None,
    };
    if let Some(next) = own
        && let Some(want) = look(trie, next, rest, tools, package, depth + 1)
    {
        return Some(want);
    }
    // A slice of the child that must be there.
    if let Some(next) = own
        && let Some(branch) = trie.get(next)
    {
        for slice in &branch.slices {
            let min = trie.definition(*slice).and_then(|e| e.min).unwrap_or(0);
            if min > 0
                && let Some(want) = look(trie, *slice, rest, tools, package, depth + 1)
            {
                return Some(want);
            }
        }
    }
    // The profile of the type or of the target.
    let element = element?;
    let (profiles, path): (Vec<&str>, &[Step]) = if *step == Step::Resolve {
        let targets = element.types.iter().flat_map(|t| &t.targets);
        (targets.map(AsRef::as_ref).collect(), rest)
    } else {
        let profiles = element.types.iter().flat_map(|t| &t.profiles);
        (profiles.map(AsRef::as_ref).collect(), path)
    };
    let [profile] = *profiles else {
        return None;
    };
    let url = tools.core.name("url");
    if path == [Step::Child(url)] && element.types.iter().any(|t| &*t.code == "Extension") {
        let plain = warifu_definitions::split_canonical(profile).0;
        return Some(Want::Fixed(Json::Text(plain.into())));
    }
    if profile.starts_with(CORE_PROFILES)
        && tools
            .core
            .type_named(profile.trim_start_matches(CORE_PROFILES))
            .is_some()
    {
        return None;
    }
    let other = tools
        .definitions
        .structure(profile, Some(package))
        .found()?;
    let package = other.package;
    let other = if other.has_snapshot {
        other
    } else {
        crate::snapshot::expand(&other, tools.definitions, tools.core)
            .ok()?
            .into()
    };
    let trie = Trie::of(other, tools.core);
    look(&trie, 0, path, tools, package, depth + 1)
}

/// What a node itself, or what is below it, wants.
fn here(trie: &Trie, at: At, package: PackageId, depth: u32) -> Option<Want> {
    let element = trie.definition(at)?;
    if let Some(fixed) = &element.fixed {
        return Some(Want::Fixed(Json::read(&fixed.json)));
    }
    if let Some(pattern) = &element.pattern {
        return Some(Want::Pattern(Json::read(&pattern.json)));
    }
    let mut all = Vec::new();
    below(trie, at, package, &mut Vec::new(), &mut all, depth);
    if !all.is_empty() {
        return Some(Want::All(all));
    }
    required(element.binding.as_ref()).map(|b| Want::Member(b, package))
}

fn required(binding: Option<&Binding>) -> Option<Binding> {
    binding
        .cloned()
        .filter(|b| b.strength == Strength::Required && !b.value_set.is_empty())
}

fn below(
    trie: &Trie,
    at: At,
    package: PackageId,
    path: &mut Vec<Step>,
    all: &mut Vec<Test>,
    depth: u32,
) {
    let Some(branch) = trie.get(at) else { return };
    if depth > 24 {
        return;
    }
    for child in &branch.children {
        let (Some(element), Some(own)) = (trie.definition(*child), trie.get(*child)) else {
            continue;
        };
        path.push(Step::Child(own.name));
        let mut push = |want| {
            all.push(Test {
                steps: path.clone(),
                want,
            });
        };
        if let Some(fixed) = &element.fixed {
            push(Want::Fixed(Json::read(&fixed.json)));
        } else if let Some(pattern) = &element.pattern {
            push(Want::Pattern(Json::read(&pattern.json)));
        } else {
            let before = all.len();
            below(trie, *child, package, path, all, depth + 1);
            for slice in &own.slices {
                if trie.definition(*slice).and_then(|e| e.min).unwrap_or(0) > 0 {
                    below(trie, *slice, package, path, all, depth + 1);
                }
            }
            if all.len() == before
                && element.min.unwrap_or(0) > 0
                && own.core.and_then(warifu_r4::Element::strength)
                    != Some(warifu_r4::Strength::Required)
                && let Some(binding) = required(element.binding.as_ref())
            {
                all.push(Test {
                    steps: path.clone(),
                    want: Want::Member(binding, package),
                });
            }
        }
        path.pop();
    }
}

/// The value at a path within a value of a definition.
fn inside(value: &Json, path: &[Step], core: &'static Core) -> Option<Json> {
    let Some((step, rest)) = path.split_first() else {
        return Some(value.clone());
    };
    match (value, step) {
        (Json::List(items), _) => items.iter().find_map(|i| inside(i, path, core)),
        (_, Step::Child(name)) => inside(value.member(core.name_text(*name))?, rest, core),
        _ => None,
    }
    .map(|v| match v {
        Json::List(items) if items.len() == 1 && rest.is_empty() => {
            items.into_iter().next().unwrap_or(Json::Null)
        }
        v => v,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_discriminators_are_read() {
        let core = Core::builtin();
        let child = |name: &str| Step::Child(core.name(name));
        let check = |path: &str, wanted: &[Step]| {
            assert_eq!(steps(path, core).as_deref(), Some(wanted), "{path}");
        };
        check("$this", &[]);
        check("coding.system", &[child("coding"), child("system")]);
        check("$this.resolve()", &[Step::Resolve]);
        check("resolve().code", &[Step::Resolve, child("code")]);
        check(
            "extension('http://e.x/a.b').value",
            &[Step::Extension("http://e.x/a.b".into()), child("value")],
        );
        assert_eq!(steps("where(a = 1)", core), None);
    }
}
