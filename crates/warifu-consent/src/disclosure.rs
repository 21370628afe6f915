//! What goes out with a filtered Bundle: marks on each resource and the Provenance of the disclosure
//! (consent.md §11.2, §11.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use warifu_json::{Kind, Limits, NodeId, ROOT, Tree, parse};

use crate::claims::Typ;
use crate::date::date_time;
use crate::emergency::uuid;
use crate::fhir::{
    CONFIDENTIALITY, OWN, PARTICIPATION, coding, concept, identifier, obligation, recipient,
};
use crate::filter::{Filtered, classify, inside, text_of};
use crate::hash::sha256_text;
use crate::json::{Value, object};
use crate::jws::{Draft, peek};
use crate::key::PublicKey;
use crate::policy::{Bits, Judging, Policy};
use crate::reason::Refusal;

/// One disclosure, as its log line has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disclosure<'a> {
    /// When, seconds UTC.
    pub at: u64,
    /// Code of the answering institution.
    pub server: &'a str,
    /// Code of the recipient.
    pub recipient: &'a str,
    /// Token hashes of the grants used; none where the basis is not a grant.
    pub grants: &'a [String],
    /// Hash of the policy that decided.
    pub policy: &'a str,
    /// Address of the log.
    pub log: &'a str,
    /// Leaf data of the `disclose` line in base64url: known before the line has its index.
    pub leaf: &'a str,
    /// Index of the line, where the log has it already.
    pub index: Option<u64>,
    /// Obligations of the answer: the Provenance of a whole document has them.
    pub obligations: &'a [String],
}

/// Marks every resource of a filtered Bundle: the obligations, and its confidentiality: `V` or `R` as
/// labelled, `R` with a sensitive label, `N` without. What the labeller could not judge, and who and
/// where, get obligations only. Marks that are there stay.
///
/// A document goes out whole, byte by byte: a mark in it would break its signature. Its Provenance has them.
pub fn mark(filtered: &Filtered, policy: &Policy) -> Vec<u8> {
    let bundle = &filtered.bytes;
    let parsed = parse(bundle, Limits::FHIR, &());
    let tree = &parsed.tree;
    if is_document(tree) {
        return bundle.clone();
    }
    let judging = Judging::by(policy);
    let entries = resources(tree);
    let mut out = Vec::with_capacity(bundle.len() + entries.len() * 128);
    let mut done = 0;
    for node in entries {
        let kind = text_of(tree, node, "resourceType").unwrap_or_default();
        let labels = classify(tree, &judging, node, &kind)
            .1
            .filter(|_| !policy.has_no_labels(&kind));
        let mut marks: Vec<Value> = Vec::new();
        marks.extend(labels.map(|l| coding(CONFIDENTIALITY, confidentiality(policy, l))));
        marks.extend(filtered.obligations.iter().map(|o| obligation(o)));
        insert(tree, node, &marks, &mut out, &mut done);
    }
    out.extend_from_slice(bundle.get(done..).unwrap_or_default());
    out
}

fn confidentiality(policy: &Policy, labels: Bits) -> &'static str {
    let has = |code: &str| policy.label(code).is_some_and(|p| labels.has(p));
    if has("V") {
        "V"
    } else if labels.is_empty() {
        "N"
    } else {
        "R"
    }
}

/// Whether a filtered Bundle is a document as its author made it: what was cut is a collection.
fn is_document(tree: &Tree<'_>) -> bool {
    !tree.is_empty() && text_of(tree, ROOT, "type").as_deref() == Some("document")
}

/// Resources of the entries.
fn resources(tree: &Tree<'_>) -> Vec<NodeId> {
    if tree.is_empty() {
        return Vec::new();
    }
    let entries = tree.member(ROOT, "entry").map(|e| tree.children(e));
    entries
        .into_iter()
        .flatten()
        .filter_map(|e| tree.member(e, "resource"))
        .filter(|r| tree.kind(*r) == Kind::Object)
        .collect()
}

/// Copies up to where the marks stand, and writes them: into `meta.security`, into `meta`, or as `meta`.
fn insert(tree: &Tree<'_>, node: NodeId, marks: &[Value], out: &mut Vec<u8>, done: &mut usize) {
    let meta = tree
        .member(node, "meta")
        .filter(|m| tree.kind(*m) == Kind::Object);
    let security = meta
        .and_then(|m| tree.member(m, "security"))
        .filter(|s| tree.kind(*s) == Kind::Array);
    let has = |mark: &Value| {
        security.is_some_and(|list| {
            tree.children(list).any(|n| {
                ["system", "code"].iter().all(|key| {
                    text_of(tree, n, key).as_deref() == mark.get(key).and_then(Value::text)
                })
            })
        })
    };
    let fresh: Vec<String> = marks.iter().filter(|m| !has(m)).map(Value::write).collect();
    // A malformed `meta` cannot be marked; the validator tells of it.
    if fresh.is_empty() || meta.is_none() && tree.member(node, "meta").is_some() {
        return;
    }
    let list = fresh.join(",");
    let (at, open, close) = match (security, meta) {
        (Some(s), _) => (s, String::new(), String::new()),
        (None, Some(m)) => (m, r#""security":["#.to_owned(), "]".to_owned()),
        (None, None) => (node, r#""meta":{"security":["#.to_owned(), "]}".to_owned()),
    };
    let empty = tree.children(at).next().is_none();
    let from = usize::try_from(tree.span(at).start)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    out.extend_from_slice(tree.source().get(*done..from).unwrap_or_default());
    out.extend_from_slice(open.as_bytes());
    out.extend_from_slice(list.as_bytes());
    out.extend_from_slice(close.as_bytes());
    if !empty {
        out.push(b',');
    }
    *done = from;
}

impl Disclosure<'_> {
    /// What the server signs over a Bundle: a `disclosure+jwt` of the hash of its bytes, the recipient,
    /// the policy and the log line.
    ///
    /// # Errors
    /// The refusal a verifier would give for these claims.
    pub fn draft(&self, bundle: &[u8], key: &PublicKey) -> Result<Draft, Refusal> {
        let claims = object([
            ("iat", self.at.into()),
            ("aud", vec![self.recipient.to_owned()].into()),
            ("data", sha256_text(&[bundle]).into()),
            ("pol", self.policy.into()),
            ("leaf", self.leaf.into()),
        ]);
        Draft::new(Typ::Disclosure, claims, key)
    }

    /// The Bundle with a Provenance as its last entry; `token` is what [`Self::draft`] became. A Bundle
    /// without entries stays as it is: it is the same as for an unknown person.
    ///
    /// The recipient takes the last entry away and holds the hash of the rest against `data`
    /// ([`without_provenance`]).
    pub fn with_provenance(&self, bundle: &[u8], token: &str) -> Option<Vec<u8>> {
        let parsed = parse(bundle, Limits::FHIR, &());
        let tree = &parsed.tree;
        if !parsed.issues.is_empty() || tree.is_empty() {
            return None;
        }
        let Some(list) = tree.member(ROOT, "entry") else {
            return Some(bundle.to_vec());
        };
        let mut targets = Vec::new();
        for entry in tree.children(list) {
            let resource = tree.member(entry, "resource")?;
            let kind = text_of(tree, resource, "resourceType").unwrap_or_default();
            let id = text_of(tree, resource, "id").unwrap_or_default();
            let to = text_of(tree, entry, "fullUrl");
            // What has neither cannot be referred to.
            let to = to.or_else(|| (!id.is_empty()).then(|| format!("{kind}/{id}")));
            targets.extend(to.map(|to| object([("reference", to.into())])));
        }
        let mut provenance = self.provenance(targets, token)?;
        if let Value::Object(members) = &mut provenance
            && is_document(tree)
            && !self.obligations.is_empty()
        {
            let marks: Vec<Value> = self.obligations.iter().map(|o| obligation(o)).collect();
            members.insert("meta".to_owned(), object([("security", marks.into())]));
        }
        let provenance = provenance.write();
        // Right behind the last entry, so that taking it off leaves every byte that was there.
        let last = tree.children(list).last()?;
        let end = usize::try_from(tree.span(last).end).ok()?;
        let mut out = bundle.get(..end)?.to_vec();
        let url = uuid("provenance", bundle);
        out.extend_from_slice(format!(r#",{{"fullUrl":"{url}","resource":"#).as_bytes());
        out.extend_from_slice(provenance.as_bytes());
        out.push(b'}');
        out.extend_from_slice(bundle.get(end..)?);
        Some(out)
    }

    fn provenance(&self, targets: Vec<Value>, token: &str) -> Option<Value> {
        let stamp = date_time(self.at)?;
        let what = |system: &str, value: &str| {
            let what = object([("identifier", identifier(system, value))]);
            object([("role", "source".into()), ("what", what)])
        };
        let mut entities: Vec<Value> = self
            .grants
            .iter()
            .map(|hash| what(&format!("{OWN}token"), hash))
            .collect();
        entities.push(what(&format!("{OWN}policy"), self.policy));
        entities.push(what(&format!("{OWN}leaf"), self.leaf));
        entities.extend(self.index.map(|n| what(self.log, &n.to_string())));
        let agent = |system: &str, code: &str, who: &str| {
            object([("type", concept(system, code)), ("who", recipient(who))])
        };
        let participant = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
        // ASTM E1762-95: signature to verify that the content is whole.
        let verification = coding("urn:iso-astm:E1762-95:2013", "1.2.840.10065.1.12.1.5");
        let signature = object([
            ("type", vec![verification].into()),
            ("when", stamp.clone().into()),
            ("who", recipient(self.server)),
            ("sigFormat", "application/jose".into()),
            ("data", STANDARD.encode(token).into()),
        ]);
        let disclose = concept(
            "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle",
            "disclose",
        );
        let agents = vec![
            agent(participant, "custodian", self.server),
            agent(PARTICIPATION, "IRCP", self.recipient),
        ];
        Some(object([
            ("resourceType", "Provenance".into()),
            ("target", targets.into()),
            ("recorded", stamp.into()),
            ("activity", disclose),
            ("agent", agents.into()),
            ("entity", entities.into()),
            ("signature", vec![signature].into()),
        ]))
    }
}

/// The Bundle as it was signed, and the token of its Provenance; `None` if the last entry is no such
/// Provenance, or says otherwise than its token. The caller opens the token ([`Typ::Disclosure`]) and compares `data` with
/// [`bundle_hash`] of the bytes.
pub fn without_provenance(bundle: &[u8]) -> Option<(Vec<u8>, String)> {
    let parsed = parse(bundle, Limits::FHIR, &());
    let tree = &parsed.tree;
    if !parsed.issues.is_empty() || tree.is_empty() {
        return None;
    }
    let list = tree.member(ROOT, "entry")?;
    let nodes: Vec<NodeId> = tree.children(list).collect();
    let (last, before) = match nodes.as_slice() {
        [.., before, last] => (*last, *before),
        _ => return None,
    };
    let resource = tree.member(last, "resource")?;
    if text_of(tree, resource, "resourceType")? != "Provenance" {
        return None;
    }
    let signature = tree.children(tree.member(resource, "signature")?).next()?;
    if text_of(tree, signature, "sigFormat")? != "application/jose" {
        return None;
    }
    let token = STANDARD.decode(text_of(tree, signature, "data")?).ok()?;
    let token = String::from_utf8(token).ok()?;
    if !says_the_same(tree, resource, &peek(&token).ok()?.1) {
        return None;
    }
    let at = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let mut out = bundle.get(..at(tree.span(before).end))?.to_vec();
    out.extend_from_slice(bundle.get(at(tree.span(last).end)..)?);
    Some((out, token))
}

/// Whether a Provenance names the recipient, the policy, the line and the time of its token, and no others.
fn says_the_same(tree: &Tree<'_>, resource: NodeId, claims: &Value) -> bool {
    let of = |name: &str| {
        let own = tree.member(resource, name).into_iter();
        own.flat_map(|list| tree.children(list))
    };
    let text = |name: &str| claims.get(name).and_then(Value::text).unwrap_or_default();
    let named = |node: NodeId, path: &[&str]| {
        let end = path.iter().try_fold(node, |n, key| tree.member(n, key))?;
        Some((text_of(tree, end, "system")?, text_of(tree, end, "value")?))
    };
    let to = claims.get("aud").and_then(|a| a.texts().next());
    let to = recipient(to.unwrap_or_default());
    let to = to.get("identifier");
    let part = |key: &str| {
        let part = to.and_then(|id| id.get(key)?.text());
        part.unwrap_or_default().to_owned()
    };
    let whom: Vec<_> = of("agent")
        .filter(|agent| {
            inside(tree, *agent).any(|n| text_of(tree, n, "code").as_deref() == Some("IRCP"))
        })
        .map(|agent| named(agent, &["who", "identifier"]))
        .collect();
    let entity = |name: &str| -> Vec<String> {
        let system = format!("{OWN}{name}");
        let all = of("entity").filter_map(|e| named(e, &["what", "identifier"]));
        all.filter(|(s, _)| *s == system).map(|(_, v)| v).collect()
    };
    let at = claims.get("iat").and_then(Value::int).and_then(date_time);
    whom == [Some((part("system"), part("value")))]
        && entity("policy") == [text("pol")]
        && entity("leaf") == [text("leaf")]
        && at == text_of(tree, resource, "recorded")
}

/// `data` of a `disclosure+jwt` over these bytes.
pub fn bundle_hash(bundle: &[u8]) -> String {
    sha256_text(&[bundle])
}
