//! Bundles and NDJSON from an [`Output`].

use warifu_fhir::{Id, IdKey, Src};
use warifu_order::Map;

use crate::kinds;
use crate::options::{IdMode, Options};
use crate::output::{Delete, OutResource, Output};
use crate::trace::{self, Hit, HitSpan};

/// Type of a Bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BundleType {
    /// `transaction`: entries PUT by logical id, deletions as DELETE.
    #[default]
    Transaction,
    /// `collection`: resources only.
    Collection,
}

/// What goes into one Bundle: everything of an [`Output`], or what was made from one message.
#[derive(Debug)]
pub struct Entries<'o> {
    out: &'o Output,
    message: Option<u16>,
    patient: Option<Id>,
    resources: Vec<&'o OutResource>,
    deletes: Vec<&'o Delete>,
}

impl<'o> Entries<'o> {
    /// Everything.
    pub fn whole(out: &'o Output) -> Self {
        Self {
            out,
            message: None,
            patient: out.patient,
            resources: out.resources.iter().collect(),
            deletes: out.deletes.iter().collect(),
        }
    }
    /// One for each message that made or withdrew something, in the order of their numbers.
    pub fn by_message(out: &'o Output) -> Vec<Self> {
        let mut by: Map<u16, Self> = Map::new();
        let of = |number: u16| Self {
            out,
            message: Some(number),
            patient: out.patient,
            resources: Vec::new(),
            deletes: Vec::new(),
        };
        for r in &out.resources {
            let entries = by.entry(r.message).or_insert_with(|| of(r.message));
            entries.resources.push(r);
        }
        for d in &out.deletes {
            let entries = by.entry(d.message).or_insert_with(|| of(d.message));
            entries.deletes.push(d);
        }
        by.into_sorted().map(|(_, e)| e).collect()
    }
    /// One for each person of whom something was made or withdrawn: no record of another is in it.
    pub fn by_person(out: &'o Output) -> Vec<Self> {
        if out.people.len() < 2 {
            return vec![Self::whole(out)];
        }
        let mut by: Map<Option<Id>, Self> = Map::new();
        let mut of = |person: u32, r: Option<&'o OutResource>, d: Option<&'o Delete>| {
            let at = usize::try_from(person).ok();
            let patient = at.and_then(|at| out.people.get(at)).copied();
            let entries = by.entry(patient).or_insert_with(|| Self {
                out,
                message: None,
                patient,
                resources: Vec::new(),
                deletes: Vec::new(),
            });
            entries.resources.extend(r);
            entries.deletes.extend(d);
        };
        for r in &out.resources {
            of(r.person, Some(r), None);
        }
        for d in &out.deletes {
            of(d.person, None, Some(d));
        }
        by.into_sorted().map(|(_, e)| e).collect()
    }
    /// Logical id of the (first) patient.
    pub fn patient(&self) -> Option<Id> {
        self.patient
    }
    /// Number of the message; `None` for everything.
    pub fn message(&self) -> Option<u16> {
        self.message
    }
    /// Deletions stand only where they can be acted on.
    fn deletes(&self, kind: BundleType) -> &[&'o Delete] {
        match kind {
            BundleType::Transaction => &self.deletes,
            BundleType::Collection => &[],
        }
    }
    /// The newest MSH-7, with the number of its message.
    fn newest(&self) -> Option<(u16, warifu_hl7::time::Time)> {
        let times = self.out.message_times.iter();
        times
            .filter(|(m, ..)| self.message.is_none_or(|n| n == *m))
            .max_by_key(|(_, t, _)| t.sort_key())
            .map(|(m, t, _)| (*m, *t))
    }
    /// Writes the Bundle; the pointer of its resource `i` is `/entry/<i>/resource`.
    ///
    /// A reference to a resource of this Bundle is its `fullUrl` where that is a UUID
    /// ; any other stays `Type/id`, which the PUT of the other Bundle
    /// makes resolve.
    pub fn write(&self, options: &Options, kind: BundleType, dst: &mut Vec<u8>) {
        dst.extend_from_slice(b"{\"resourceType\":\"Bundle\",\"id\":\"");
        dst.extend_from_slice(self.id(options).as_str().as_bytes());
        dst.extend_from_slice(b"\",\"type\":\"");
        dst.extend_from_slice(match kind {
            BundleType::Transaction => b"transaction",
            BundleType::Collection => b"collection",
        });
        dst.push(b'"');
        let timestamp = options.sent_at.clone().or_else(|| {
            self.newest().map(|(_, t)| {
                let mut s = String::new();
                t.write_instant(&mut s);
                s
            })
        });
        if let Some(t) = timestamp {
            dst.extend_from_slice(b",\"timestamp\":\"");
            dst.extend_from_slice(t.as_bytes());
            dst.push(b'"');
        }
        let deletes = self.deletes(kind);
        if !self.resources.is_empty() || !deletes.is_empty() {
            dst.extend_from_slice(b",\"entry\":[");
            let inside: Map<(&str, &str), Id> = self
                .resources
                .iter()
                .map(|r| ((r.resource_type, r.id.as_str()), full_url(options, r)))
                .collect();
            for (i, r) in self.resources.iter().enumerate() {
                if i > 0 {
                    dst.push(b',');
                }
                dst.extend_from_slice(b"{\"fullUrl\":\"");
                dst.extend_from_slice(UUID);
                dst.extend_from_slice(full_url(options, r).as_str().as_bytes());
                dst.extend_from_slice(b"\",\"resource\":");
                let json = self.out.json_of(r);
                if r.resource_type == "DocumentReference" {
                    // `Attachment.url` names the Binary.
                    let mut linked = Vec::with_capacity(json.len());
                    resolved(json, &inside, URL, &mut linked);
                    resolved(&linked, &inside, REFERENCE, dst);
                } else {
                    resolved(json, &inside, REFERENCE, dst);
                }
                if kind == BundleType::Transaction {
                    dst.push(b',');
                    request(dst, "PUT", r.resource_type, r.id.as_str());
                }
                dst.push(b'}');
            }
            for (i, d) in deletes.iter().enumerate() {
                if i > 0 || !self.resources.is_empty() {
                    dst.push(b',');
                }
                dst.push(b'{');
                request(dst, "DELETE", d.resource_type, d.id.as_str());
                dst.push(b'}');
            }
            dst.push(b']');
        }
        dst.push(b'}');
    }
    /// The Bundle's own id: of the sending when one is given, and of what it makes and withdraws.
    fn id(&self, options: &Options) -> Id {
        let key = options.id_key.as_deref();
        let key = IdKey::new(key.unwrap_or(warifu_fhir::ids::PUBLIC_KEY));
        let mut parts: Vec<&str> = vec!["Bundle", options.sending_id.as_deref().unwrap_or("")];
        parts.extend(self.resources.iter().map(|r| r.id.as_str()));
        for d in &self.deletes {
            parts.extend(["DELETE", d.resource_type, d.id.as_str()]);
        }
        key.id(options.institution.as_deref().unwrap_or("unknown"), &parts)
    }
    /// Every leaf of the Bundle that [`Entries::write`] writes. `out` must have been made with tracing on.
    pub fn trace<'s>(
        &'s self,
        options: &Options,
        kind: BundleType,
    ) -> impl Iterator<Item = Hit> + 's {
        let constants = kinds::Words::default().text(&kinds::MSH_TO_BUNDLE.constants);
        let constant = move |pointer: String, spans: Vec<HitSpan>| Hit {
            pointer,
            row: Some(constants),
            spans,
        };
        let mut head: Vec<Hit> = ["/resourceType", "/id", "/type"]
            .map(|p| constant(p.to_owned(), Vec::new()))
            .into();
        if options.sent_at.is_some() {
            head.push(constant("/timestamp".to_owned(), Vec::new()));
        } else if let Some((message, _)) = self.newest() {
            head.push(self.timestamp(message));
        }
        let resources = self.resources.iter().enumerate().flat_map(move |(i, r)| {
            let entry = format!("/entry/{i}");
            let url = constant(format!("{entry}/fullUrl"), Vec::new());
            let request: &[&str] = if kind == BundleType::Transaction {
                &["method", "url"]
            } else {
                &[]
            };
            let request: Vec<Hit> = request
                .iter()
                .map(|leaf| constant(format!("{entry}/request/{leaf}"), Vec::new()))
                .collect();
            let own = trace::hits(self.out, r).map(move |h| Hit {
                pointer: format!("{entry}/resource{}", h.pointer),
                ..h
            });
            std::iter::once(url).chain(own).chain(request)
        });
        let deletes = (self.resources.len()..)
            .zip(self.deletes(kind))
            .flat_map(move |(i, d)| {
                // The file as a whole asks for it.
                let file = HitSpan {
                    message: d.message,
                    start: 0,
                    end: 0,
                    path: String::new(),
                };
                ["method", "url"]
                    .map(|leaf| constant(format!("/entry/{i}/request/{leaf}"), vec![file.clone()]))
            });
        head.into_iter().chain(resources).chain(deletes)
    }
    fn timestamp(&self, message: u16) -> Hit {
        let first = Src {
            message,
            ..Src::NONE
        };
        let own = self.out.paths.iter_from(&first);
        let mut own = own.take_while(|(src, _)| src.message == message);
        let mut words = kinds::Words::default();
        let sent = own.find(|(_, p)| {
            let path = (p.segment, p.field);
            path == (*b"MSH", 7)
        });
        Hit {
            pointer: "/timestamp".to_owned(),
            row: sent
                .and_then(|(_, path)| words.row(kinds::MSH_TO_BUNDLE.name, path))
                .or(Some(&kinds::MSH_TO_BUNDLE.constants))
                .map(|row| words.text(row)),
            spans: vec![HitSpan {
                message,
                start: sent.map_or(0, |(src, _)| src.start),
                end: sent.map_or(0, |(src, _)| src.end),
                path: sent.map(|(_, path)| path.to_string()).unwrap_or_default(),
            }],
        }
    }
}

/// A key as it stands before its value, and which of its bytes is the rarest in JSON.
type Key = (&'static [u8], usize);

const REFERENCE: Key = (b"\"reference\":\"", 3);
const URL: Key = (b"\"url\":\"", 1);
const UUID: &[u8] = b"urn:uuid:";

/// The UUID by which a Bundle names a resource: its id, which with [`IdMode::Readable`] is none.
fn full_url(options: &Options, r: &OutResource) -> Id {
    match options.ids {
        IdMode::Keyed => r.id,
        IdMode::Readable => {
            let key = options.id_key.as_deref();
            let key = IdKey::new(key.unwrap_or(warifu_fhir::ids::PUBLIC_KEY));
            let issuer = options.institution.as_deref().unwrap_or("unknown");
            key.id(issuer, &["fullUrl", r.resource_type, r.id.as_str()])
        }
    }
}

/// Writes a resource whose values `Type/id` of a key that name what is `inside` become `urn:uuid:` and
/// the UUID of the entry. Inside a JSON string every quote is escaped, so what looks like the key is the key.
fn resolved(json: &[u8], inside: &Map<(&str, &str), Id>, (key, rare): Key, dst: &mut Vec<u8>) {
    let mut rest = json;
    while let Some(at) = warifu_hl7::find(rest, key, rare) {
        let (before, value) = rest.split_at(at + key.len());
        dst.extend_from_slice(before);
        rest = value;
        let end = memchr::memchr(b'"', value).unwrap_or(value.len());
        let target = value.get(..end).and_then(|v| std::str::from_utf8(v).ok());
        if let Some((resource_type, id)) = target.and_then(|t| t.split_once('/'))
            && let Some(uuid) = inside.get(&(resource_type, id))
        {
            dst.extend_from_slice(UUID);
            dst.extend_from_slice(uuid.as_str().as_bytes());
            rest = value.get(end..).unwrap_or_default();
        }
    }
    dst.extend_from_slice(rest);
}

fn request(dst: &mut Vec<u8>, method: &str, resource_type: &str, id: &str) {
    dst.extend_from_slice(b"\"request\":{\"method\":\"");
    dst.extend_from_slice(method.as_bytes());
    dst.extend_from_slice(b"\",\"url\":\"");
    dst.extend_from_slice(resource_type.as_bytes());
    dst.push(b'/');
    dst.extend_from_slice(id.as_bytes());
    dst.extend_from_slice(b"\"}");
}

/// Writes one Bundle of everything; the pointer of resource `i` is `/entry/<i>/resource`.
pub fn bundle(out: &Output, options: &Options, kind: BundleType, dst: &mut Vec<u8>) {
    Entries::whole(out).write(options, kind, dst);
}

/// The deletions alone: a transaction Bundle of them is the `deleted` file of a Bulk Data export.
pub fn deletions(out: &Output) -> Entries<'_> {
    Entries {
        resources: Vec::new(),
        ..Entries::whole(out)
    }
}

/// What one Bundle is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Everything that was converted together.
    Whole,
    /// A message.
    Message,
    /// A person.
    Person,
}

/// The Bundles of an output. A collection cannot withdraw: what is to be deleted then stands in a
/// transaction of its own, the last, and no collection is empty.
pub fn bundles(out: &Output, unit: Unit, kind: BundleType) -> Vec<(Entries<'_>, BundleType)> {
    let all = match unit {
        Unit::Whole => vec![Entries::whole(out)],
        Unit::Message => Entries::by_message(out),
        Unit::Person => Entries::by_person(out),
    };
    let alone = kind == BundleType::Collection && !out.deletes.is_empty();
    all.into_iter()
        .filter(|e| !(alone && e.resources.is_empty()))
        .map(|e| (e, kind))
        .chain(alone.then(|| (deletions(out), BundleType::Transaction)))
        .collect()
}

/// Writes all resources as NDJSON, mixed types, one a line, in the order of the output.
pub fn ndjson(out: &Output, dst: &mut Vec<u8>) {
    for r in &out.resources {
        dst.extend_from_slice(out.json_of(r));
        dst.push(b'\n');
    }
}
