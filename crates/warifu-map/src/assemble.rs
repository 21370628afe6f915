//! Bundles and NDJSON from an [`Output`].

use warifu_fhir::IdKey;

use crate::options::{Options, ReferenceStyle};
use crate::output::Output;

/// Type of a Bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BundleType {
    /// `transaction`: entries PUT by logical id, deletions as DELETE.
    #[default]
    Transaction,
    /// `collection`: resources only.
    Collection,
}

/// Writes one Bundle of everything; the pointer of resource `i` is `/entry/<i>/resource`.
pub fn bundle(out: &Output, options: &Options, kind: BundleType, dst: &mut Vec<u8>) {
    bundle_of(out, options, kind, None, dst);
}

/// Writes one Bundle of what was made from one message (`Some(number)`), or of everything.
pub fn bundle_of(
    out: &Output,
    options: &Options,
    kind: BundleType,
    message: Option<u16>,
    dst: &mut Vec<u8>,
) {
    let wanted = |m: u16| message.is_none_or(|n| n == m);
    dst.extend_from_slice(b"{\"resourceType\":\"Bundle\",\"id\":\"");
    let key = IdKey::new(
        options
            .id_key
            .as_deref()
            .unwrap_or(warifu_fhir::ids::PUBLIC_KEY),
    );
    // The Bundle's own id: of the sending when one is given, else of the content.
    let mut parts: Vec<&str> = vec!["Bundle", options.sending_id.as_deref().unwrap_or("")];
    for r in out.resources.iter().filter(|r| wanted(r.message)) {
        parts.push(r.id.as_str());
    }
    let id = key.id(options.institution.as_deref().unwrap_or("unknown"), &parts);
    dst.extend_from_slice(id.as_str().as_bytes());
    dst.extend_from_slice(b"\",\"type\":\"");
    dst.extend_from_slice(match kind {
        BundleType::Transaction => b"transaction",
        BundleType::Collection => b"collection",
    });
    dst.push(b'"');
    let newest = out
        .message_times
        .iter()
        .filter(|(m, _)| wanted(*m))
        .map(|(_, t)| *t)
        .max_by_key(warifu_hl7::time::Time::sort_key);
    let timestamp = options.sent_at.clone().or_else(|| {
        newest.map(|t| {
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
    let deletes: Vec<&crate::Delete> = match kind {
        BundleType::Transaction => out.deletes.iter().filter(|d| wanted(d.message)).collect(),
        BundleType::Collection => Vec::new(),
    };
    let resources: Vec<&crate::OutResource> =
        out.resources.iter().filter(|r| wanted(r.message)).collect();
    if !resources.is_empty() || !deletes.is_empty() {
        dst.extend_from_slice(b",\"entry\":[");
        for (i, r) in resources.iter().enumerate() {
            if i > 0 {
                dst.push(b',');
            }
            dst.extend_from_slice(b"{\"fullUrl\":\"");
            match options.references {
                ReferenceStyle::UrnUuid => dst.extend_from_slice(b"urn:uuid:"),
                ReferenceStyle::Relative => {
                    dst.extend_from_slice(b"urn:x-warifu:");
                    dst.extend_from_slice(r.resource_type.as_bytes());
                    dst.push(b':');
                }
            }
            dst.extend_from_slice(r.id.as_str().as_bytes());
            dst.extend_from_slice(b"\",\"resource\":");
            dst.extend_from_slice(out.json_of(r));
            if kind == BundleType::Transaction {
                request(dst, "PUT", r.resource_type, r.id.as_str());
            }
            dst.push(b'}');
        }
        for (i, d) in deletes.iter().enumerate() {
            if i > 0 || !resources.is_empty() {
                dst.push(b',');
            }
            dst.push(b'{');
            let at = dst.len();
            request(dst, "DELETE", d.resource_type, d.id.as_str());
            // `request` begins with a comma, which an otherwise empty entry must not have.
            dst.remove(at);
            dst.push(b'}');
        }
        dst.push(b']');
    }
    dst.push(b'}');
}

fn request(dst: &mut Vec<u8>, method: &str, resource_type: &str, id: &str) {
    dst.extend_from_slice(b",\"request\":{\"method\":\"");
    dst.extend_from_slice(method.as_bytes());
    dst.extend_from_slice(b"\",\"url\":\"");
    dst.extend_from_slice(resource_type.as_bytes());
    dst.push(b'/');
    dst.extend_from_slice(id.as_bytes());
    dst.extend_from_slice(b"\"}");
}

/// Writes the deletions alone as a transaction Bundle (the `deleted` file of a Bulk Data export).
pub fn deletions(out: &Output, options: &Options, dst: &mut Vec<u8>) {
    let mut only = Output::new();
    only.deletes.clone_from(&out.deletes);
    only.message_times.clone_from(&out.message_times);
    bundle(&only, options, BundleType::Transaction, dst);
}

/// Writes all resources as NDJSON, mixed types, one a line, in the order of the output.
pub fn ndjson(out: &Output, dst: &mut Vec<u8>) {
    for r in &out.resources {
        dst.extend_from_slice(out.json_of(r));
        dst.push(b'\n');
    }
}
