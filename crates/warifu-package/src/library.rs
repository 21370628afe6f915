//! Several packages together, and what a definition of one of them can see.

use std::cmp::Reverse;
use std::sync::{Arc, OnceLock};

use warifu_definitions::{Definitions, Lookup, PackageId, StructureDefinition, read_structure};
use warifu_json::{Limits, ROOT, parse};

use crate::canonical::{Fit, fit, newer, split};
use crate::layout::size;
use crate::package::{Kind, Package, Resource};

/// Names by which packages depend on R4 core, which is always there.
const CORE: [&str; 2] = ["hl7.fhir.r4.core", "hl7.fhir.core"];

/// Packages deeper than this in a chain of dependencies are not looked at.
const DEEPEST: usize = 64;

/// A dependency that is not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The package that needs it.
    pub by: PackageId,
    /// `name#version`.
    pub package: String,
    /// Versions of it that are loaded.
    pub loaded: Vec<String>,
}

/// What a package's definitions can refer to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closure {
    /// The package, then what it depends on, nearest first.
    pub packages: Vec<PackageId>,
    /// What it depends on and is not loaded.
    pub missing: Vec<Missing>,
}

/// A loaded package.
#[derive(Debug)]
pub struct Member {
    package: Package,
    label: String,
    /// Named by the user, not only needed by another.
    named: bool,
    closure: Closure,
    structures: Vec<OnceLock<Option<Arc<StructureDefinition>>>>,
}

impl Member {
    /// The package.
    pub fn package(&self) -> &Package {
        &self.package
    }
    /// Whether it was asked for itself.
    pub fn is_named(&self) -> bool {
        self.named
    }
    /// What its definitions can refer to, besides R4 core.
    pub fn closure(&self) -> &Closure {
        &self.closure
    }
}

/// Loaded packages; number 0 is R4 core, the others have the order in which they were given.
#[derive(Debug)]
pub struct Library {
    members: Vec<Member>,
    /// Order of search for whoever is in no package.
    order: Vec<PackageId>,
}

impl Library {
    /// Packages with whether the user named them; R4 core's profiles and extensions are built in.
    ///
    /// Of packages with the same name and version the first is used. At most 65,535 packages.
    pub fn new(packages: impl IntoIterator<Item = (Package, bool)>) -> Self {
        let mut members: Vec<Member> = Vec::new();
        let core = Package::core().map(|core| (core, false));
        let all = core.into_iter().chain(packages);
        for (package, named) in all.take(usize::from(u16::MAX)) {
            let label = package.manifest().label();
            if let Some(same) = members
                .iter_mut()
                .find(|m| m.label.eq_ignore_ascii_case(&label))
            {
                same.named |= named;
                continue;
            }
            let count = package.resources().len();
            members.push(Member {
                package,
                label,
                named,
                closure: Closure::default(),
                structures: std::iter::repeat_with(OnceLock::new).take(count).collect(),
            });
        }
        let mut library = Self {
            members,
            order: Vec::new(),
        };
        let closures: Vec<Closure> = library.ids().map(|id| library.close(id)).collect();
        for (member, closure) in library.members.iter_mut().zip(closures) {
            member.closure = closure;
        }
        // Those named before their dependencies, the newest first, then as given; core comes last.
        let mut order: Vec<PackageId> = library.ids().filter(|id| *id != PackageId::CORE).collect();
        let manifest = |id: PackageId| library.member(id).map(|m| m.package.manifest());
        warifu_order::sort_by(&mut order, |a, b| {
            let named = |id: PackageId| Reverse(library.member(id).is_some_and(Member::is_named));
            let version = |id| manifest(id).map_or("", |m| &*m.version);
            named(*a)
                .cmp(&named(*b))
                .then_with(|| newer(version(*b), version(*a)))
                .then(a.cmp(b))
        });
        order.push(PackageId::CORE);
        library.order = order;
        library
    }

    fn ids(&self) -> impl Iterator<Item = PackageId> + use<> {
        let count = u16::try_from(self.members.len()).unwrap_or(u16::MAX);
        (0..count).map(PackageId)
    }

    /// A loaded package.
    pub fn member(&self, id: PackageId) -> Option<&Member> {
        self.members.get(usize::from(id.0))
    }

    /// All loaded packages, R4 core first.
    pub fn members(&self) -> impl Iterator<Item = (PackageId, &Member)> {
        self.ids().zip(&self.members)
    }

    /// The loaded package that answers a dependency.
    fn dependency(&self, name: &str, version: &str) -> Option<PackageId> {
        if CORE.iter().any(|c| c.eq_ignore_ascii_case(name)) {
            return Some(PackageId::CORE);
        }
        let open = version.split('.').any(|p| matches!(p, "x" | "X" | "*"));
        self.members()
            .filter(|(_, m)| {
                let manifest = m.package.manifest();
                let fit = fit(Some(version), &manifest.version);
                manifest.name.eq_ignore_ascii_case(name)
                    && (fit == Fit::Exact || open && fit == Fit::Beginning)
            })
            .max_by(|(a, x), (b, y)| {
                let version = |m: &Member| m.package.manifest().version.clone();
                newer(&version(x), &version(y)).then(b.cmp(a))
            })
            .map(|(id, _)| id)
    }

    fn close(&self, id: PackageId) -> Closure {
        let mut closure = Closure {
            packages: vec![id],
            missing: Vec::new(),
        };
        let mut at = 0;
        let mut depth = vec![0_usize];
        while let Some(by) = closure.packages.get(at).copied() {
            let deep = depth.get(at).copied().unwrap_or_default();
            at += 1;
            let Some(member) = self.member(by).filter(|_| deep < DEEPEST) else {
                continue;
            };
            for (name, version) in &member.package.manifest().dependencies {
                match self.dependency(name, version) {
                    Some(PackageId::CORE) => {}
                    Some(found) if closure.packages.contains(&found) => {}
                    Some(found) => {
                        closure.packages.push(found);
                        depth.push(deep + 1);
                    }
                    None => {
                        let package = format!("{name}#{version}");
                        if closure.missing.iter().all(|m| m.package != package) {
                            closure.missing.push(Missing {
                                by,
                                package,
                                loaded: self.versions(name),
                            });
                        }
                    }
                }
            }
        }
        closure
    }

    fn versions(&self, name: &str) -> Vec<String> {
        self.members
            .iter()
            .map(|m| m.package.manifest())
            .filter(|m| m.name.eq_ignore_ascii_case(name))
            .map(|m| m.version.clone())
            .collect()
    }

    /// A definition by its canonical, as `from` sees it: first in the own package, then in what it
    /// depends on; `None` sees all packages. Its package comes with it.
    ///
    /// The best version wins (see [`fit`]), then the nearest package, then the newest version.
    pub fn find(
        &self,
        kind: Kind,
        canonical: &str,
        from: Option<PackageId>,
    ) -> Lookup<(PackageId, Resource<'_>)> {
        let (url, wished) = split(canonical);
        let scope = from.and_then(|id| self.member(id)).map(|m| &m.closure);
        let packages = scope.map_or(&self.order, |c| &c.packages);
        let core = [PackageId::CORE];
        let mut best: Option<(Fit, PackageId, Resource<'_>)> = None;
        for id in packages.iter().chain(&core) {
            let Some(member) = self.member(*id) else {
                continue;
            };
            for found in member.package.find(kind, url) {
                let fit = fit(wished, found.version());
                let better = best.is_none_or(|(other, at, held)| {
                    let version = || newer(found.version(), held.version()).is_gt();
                    fit > other || fit == other && at == *id && version()
                });
                if better {
                    best = Some((fit, *id, found));
                }
            }
        }
        match (best, scope.and_then(|c| c.missing.first())) {
            (Some((_, id, found)), _) => Lookup::Found((id, found)),
            (None, Some(missing)) => Lookup::Missing {
                package: missing.package.as_str().into(),
            },
            (None, None) => Lookup::Unknown,
        }
    }

    /// The structure of a definition, read on first use; `None` if it has no type.
    fn read(&self, id: PackageId, found: Resource<'_>) -> Option<Arc<StructureDefinition>> {
        let slot = self.member(id)?.structures.get(size(found.index()))?;
        let read = || {
            let mut json = Vec::new();
            found.value().write_json(&mut json);
            let parsed = parse(&json, Limits::FHIR, &());
            read_structure(&parsed.tree, ROOT, id).map(Arc::new)
        };
        slot.get_or_init(read).clone()
    }
}

impl Definitions for Library {
    fn structure(
        &self,
        canonical: &str,
        from: Option<PackageId>,
    ) -> Lookup<Arc<StructureDefinition>> {
        match self.find(Kind::Structure, canonical, from) {
            Lookup::Found((id, found)) => {
                self.read(id, found).map_or(Lookup::Unknown, Lookup::Found)
            }
            Lookup::Unknown => Lookup::Unknown,
            Lookup::Missing { package } => Lookup::Missing { package },
        }
    }

    fn package_name(&self, id: PackageId) -> &str {
        self.member(id).map_or("", |m| &m.label)
    }
}
