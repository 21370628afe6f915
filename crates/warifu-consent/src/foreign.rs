//! Reading a FHIR R4 `Consent`: one with our token is checked against its own export; any other becomes
//! unsigned drafts, which the person may sign, and findings for all that a draft cannot carry
//! (consent.md §12.1). Nothing that is read here is a consent by itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use warifu_json::{Kind, Limits, NodeId, ROOT, Tree, parse};
use warifu_order::{Map, Set};

use crate::annex::Annex;
use crate::b64;
use crate::claims::{DAY, Typ, names};
use crate::date::{Date, instant};
use crate::fhir::{ACT_CODE, ACT_REASON};
use crate::fhir::{
    About, CLASSES, CONFIDENTIALITY, Dialect, EXTRAS, INSTITUTION, LOCAL_PURPOSES, LOINC, Leaf,
    OWN, PARTICIPATION, ROOT as ROOT_ROWS, to_consent,
};
use crate::filter::{modifier, text_of};
use crate::hash::resource_key;
use crate::json::{Members, Value};
use crate::jws::{KeyRing, Moment, Opened, open};
use crate::policy::{Bits, Consent, Policy};
use crate::reason::{Lang, Reason};

/// Largest Consent that is read: room for the longest annex.
const MOST_BYTES: usize = 8 << 20;
const LIMITS: Limits = Limits {
    depth: 64,
    nodes: 600_000,
    issues: 1,
};
/// Most findings and drafts that are kept.
const MOST_FINDINGS: usize = 1000;
const MOST_DRAFTS: usize = 64;
/// Recipients of one grant.
const MOST_RECIPIENTS: usize = 8;
/// Recipients of one prohibition.
const MOST_NAMED: usize = 64;

/// Scopes of a Consent that speak of records.
const CONSENT_SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
const SCOPES: &[&str] = &["patient-privacy", "research"];
const CONSENT_ACTION: &str = "http://terminology.hl7.org/CodeSystem/consentaction";

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $wire:literal $ja:literal $en:literal;)*) => {
        /// What is the matter with an element of a Consent.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ImportCode { $($(#[$doc])* $variant,)* }

        impl ImportCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Name on the wire.
            pub const fn wire(self) -> &'static str {
                match self { $(Self::$variant => $wire),* }
            }

            /// What it means and what to do next; plain Japanese is the Japanese sentence.
            pub const fn sentence(self, lang: Lang) -> &'static str {
                match self { $(Self::$variant => match lang { Lang::En => $en, _ => $ja }),* }
            }
        }
    };
}

codes! {
    /// Not one Consent in sound JSON: nothing is imported.
    Form "FHIR_FORM" "FHIR R4 の Consent として読めません。送り手に確かめてください。" "Not a FHIR R4 Consent. Ask the sender.";
    /// Too large: nothing is imported.
    Size "FHIR_SIZE" "大きすぎます。分けて送ってもらってください。" "Too large. Ask the sender to split it.";
    /// An element that must be understood and is not: nothing is imported.
    Modifier "FHIR_MODIFIER" "意味を変える拡張があり、読み替えられません。同意を取り直してください。" "Has an extension that changes the meaning. Ask for consent anew.";
    /// Provisions inside each other too deeply: nothing is imported.
    Depth "FHIR_DEPTH" "規則の入れ子が深すぎます。同意を取り直してください。" "Provisions are nested too deeply. Ask for consent anew.";
    /// Consent to something else than the use of records: nothing is imported.
    Scope "FHIR_SCOPE" "情報を見せることについての同意ではありません (治療や事前指示など)。同意を取り直してください。" "Not a consent to the use of records (but to treatment, or an advance directive). Ask for consent anew.";
    /// Not in force: nothing is imported.
    Status "FHIR_STATUS" "有効な同意ではありません。" "Not a consent in force.";
    /// The attached token does not hold: nothing is imported.
    Token "FHIR_TOKEN" "付いている署名が確かめられません。送り手に確かめてください。" "The attached token does not verify. Ask the sender.";
    /// The structure says something else than the token: nothing is imported.
    Mismatch "FHIR_MISMATCH" "署名された内容と書かれた内容が違います。送り手に確かめてください。" "Says something else than what was signed. Ask the sender.";
    /// An element that no draft carries.
    Unmappable "UNMAPPABLE" "下書きに移せない項目です。説明の文で確かめてください。" "A draft cannot carry this element. Check it against the text that is shown.";
    /// An element that a draft carries, with a value that it cannot carry.
    Value "FHIR_VALUE" "下書きに移せない値です。画面で選び直してください。" "A draft cannot carry this value. Choose it anew on the screen.";
    /// Made anew when the person signs.
    Anew "FHIR_ANEW" "署名するときに新しく作られる項目です。" "Made anew when the person signs.";
}

/// One finding about a Consent. It quotes no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportFinding {
    /// What.
    pub code: ImportCode,
    /// `FHIRPath` of the element: `Consent.provision.actor[0].role`.
    pub path: String,
    /// Whether it stands in a rule: without it a draft may open more, or forbid more, than the source.
    pub limits: bool,
    /// For `FHIR_TOKEN`: why the token does not hold.
    pub reason: Option<Reason>,
}

/// What a person may sign after reading the text; it decides nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentDraft {
    /// `Grant`, `Deny` or `Objection`.
    pub typ: Typ,
    /// Claims as far as the source has them; who signs, when, `jti`, `nonce`, `status` and `txt` never.
    pub claims: Value,
    /// What a grant leaves out; the salt is the signer's to draw.
    pub excluded: Excluded,
    /// `FHIRPath` of the rule it comes from.
    pub path: String,
}

/// Lists of an annex without its salt, each sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Excluded {
    /// Facilities.
    pub src: Vec<String>,
    /// Resource keys.
    pub res: Vec<String>,
    /// Labels.
    pub lbl: Vec<String>,
    /// Encounter keys.
    pub wid: Vec<String>,
}

impl Excluded {
    /// The annex with this salt.
    pub fn with_salt(&self, salt: [u8; 16]) -> Annex {
        Annex {
            salt,
            src: self.src.clone(),
            res: self.res.clone(),
            lbl: self.lbl.clone(),
            wid: self.wid.clone(),
        }
    }
}

/// A Consent whose token opened and whose structure says what the token says. Whether it is in force is
/// for [`accept`](crate::accept) or [`check_offline`](crate::check_offline) and the status list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedConsent {
    /// The token.
    pub token: String,
    /// The same, opened.
    pub opened: Opened,
    /// How the Consent is laid out.
    pub dialect: Dialect,
    /// What the sender says of it.
    pub in_force: bool,
    /// In the person's own export.
    pub annex: Option<Annex>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// A Consent with its token.
    pub signed: Option<Box<SignedConsent>>,
    /// Drafts of one without.
    pub drafts: Vec<ConsentDraft>,
    /// In the order of the document.
    pub findings: Vec<ImportFinding>,
    /// Findings beyond the first 1,000.
    pub further: usize,
}

/// Who reads a Consent.
pub struct ImportDesk<'a> {
    /// Registered keys.
    pub keys: &'a dyn KeyRing,
    /// The policy in force.
    pub policy: &'a Policy,
    /// Seconds UTC.
    pub now: u64,
    /// Facility whose resources the Consent's references name, where that is known.
    pub source: Option<&'a str>,
}

/// Reads a Consent. Total: whatever the bytes are, the answer says what became of each element.
pub fn from_consent(bytes: &[u8], desk: &ImportDesk<'_>) -> Imported {
    let mut out = Imported::default();
    if bytes.len() > MOST_BYTES {
        refuse(&mut out, ImportCode::Size, "Consent");
        return out;
    }
    let parsed = parse(bytes, LIMITS, &());
    let tree = &parsed.tree;
    let is_consent = !tree.is_empty()
        && tree
            .member(ROOT, "resourceType")
            .is_some_and(|t| tree.is_text(t, "Consent"));
    if !parsed.issues.is_empty() || !is_consent {
        refuse(&mut out, ImportCode::Form, "Consent");
        return out;
    }
    let token = tree.member(ROOT, "sourceAttachment").filter(|a| {
        let kind = tree.member(*a, "contentType");
        kind.is_some_and(|k| tree.is_text(k, "application/jose"))
    });
    if let Some(attachment) = token {
        signed(tree, attachment, desk, &mut out);
    } else {
        foreign(tree, desk, &mut out);
    }
    out
}

fn refuse(out: &mut Imported, code: ImportCode, path: &str) {
    out.drafts.clear();
    out.signed = None;
    out.findings.push(ImportFinding {
        code,
        path: path.to_owned(),
        limits: false,
        reason: None,
    });
}

/// `Consent.a.b[0]` of a node.
fn path(tree: &Tree<'_>, node: NodeId) -> String {
    let mut steps = Vec::new();
    let mut at = node;
    while at != ROOT {
        steps.push(match tree.index_in_array(at) {
            Some(n) => format!("[{n}]"),
            None => format!(".{}", tree.key(at)),
        });
        at = tree.parent(at);
    }
    steps.push("Consent".to_owned());
    steps.reverse();
    // Names of members come from the sender; a path is not the place for long ones.
    steps.concat().chars().take(300).collect()
}

/// A Consent with its token: the structure equals the token's own export, or it is refused.
fn signed(tree: &Tree<'_>, attachment: NodeId, desk: &ImportDesk<'_>, out: &mut Imported) {
    let data = text_of(tree, attachment, "data").unwrap_or_default();
    let token = STANDARD
        .decode(data)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default();
    let types = [Typ::Grant, Typ::Deny, Typ::Objection];
    let opened = match open(&token, &types, desk.keys, Moment::now(desk.now)) {
        Ok(opened) => opened,
        Err(refusal) => {
            refuse(out, ImportCode::Token, "Consent.sourceAttachment.data");
            if let Some(last) = out.findings.last_mut() {
                last.reason = Some(refusal.reason);
            }
            return;
        }
    };
    // What no token says is taken from the Consent; the comparison then covers its form.
    let first = |key: &str| {
        let list = tree.member(ROOT, key)?;
        tree.children(list).next()
    };
    let log = first("identifier").and_then(|n| text_of(tree, n, "system"));
    let organization = first("organization")
        .and_then(|n| facility(tree, n))
        .unwrap_or_default();
    let verified = first("verification")
        .and_then(|n| text_of(tree, n, "verificationDate"))
        .and_then(|t| instant(&t));
    let in_force = text_of(tree, ROOT, "status").as_deref() == Some("active");
    let provision = tree.member(ROOT, "provision");
    let dialect = match provision.and_then(|p| tree.member(p, "type")) {
        Some(_) => Dialect::Pcf,
        None => Dialect::Core,
    };
    let annex = own_annex(tree, dialect, desk);
    let about = About {
        log: log.as_deref().unwrap_or_default(),
        organization: &organization,
        in_force,
        verified,
        annex: annex.as_ref(),
    };
    let Ok(again) = to_consent(&token, &opened, dialect, about) else {
        return refuse(out, ImportCode::Mismatch, "Consent");
    };
    let parsed = parse(again.as_bytes(), LIMITS, &());
    match difference(tree, &parsed.tree) {
        Some(at) => refuse(out, ImportCode::Mismatch, &path(tree, at)),
        None => {
            out.signed = Some(Box::new(SignedConsent {
                token,
                opened,
                dialect,
                in_force,
                annex,
            }));
        }
    }
}

/// The annex of a person's own export: nested denies and the salt.
fn own_annex(tree: &Tree<'_>, dialect: Dialect, desk: &ImportDesk<'_>) -> Option<Annex> {
    let extensions = tree.member(ROOT, "extension")?;
    let anx = tree
        .children(extensions)
        .find(|e| text_of(tree, *e, "url").is_some_and(|u| u.strip_prefix(OWN) == Some("anx")))?;
    let part = tree.children(tree.member(anx, "extension")?).find(|e| {
        let url = tree.member(*e, "url");
        url.is_some_and(|u| tree.is_text(u, "salt"))
    })?;
    let salt = b64::decode_array(&text_of(tree, part, "valueString")?)?;
    let root = tree.member(ROOT, "provision")?;
    let rule = match dialect {
        Dialect::Pcf => root,
        Dialect::Core => tree.children(tree.member(root, "provision")?).next()?,
    };
    let mut reader = Reader::new(tree, desk);
    let mut excluded = Excluded::default();
    for nested in reader.nested(rule) {
        reader.exclude(nested, &mut excluded);
    }
    excluded.sort();
    Some(excluded.with_salt(salt))
}

/// First node of `a` that `b` does not have alike; members may stand in any order. `id` and `meta` are
/// the store's own.
fn difference(a: &Tree<'_>, b: &Tree<'_>) -> Option<NodeId> {
    let mut todo = vec![(ROOT, ROOT)];
    while let Some((x, y)) = todo.pop() {
        if a.kind(x) != b.kind(y) {
            return Some(x);
        }
        match a.kind(x) {
            Kind::Object => {
                let own = |key: &str| x == ROOT && (key == "id" || key == "meta");
                let mut count = 0;
                for child in a.children(x).filter(|c| !own(&a.key(*c))) {
                    let Some(other) = b.member(y, &a.key(child)) else {
                        return Some(child);
                    };
                    count += 1;
                    todo.push((child, other));
                }
                if count != b.children(y).count() {
                    return Some(x);
                }
            }
            Kind::Array => {
                if a.children(x).count() != b.children(y).count() {
                    return Some(x);
                }
                todo.extend(a.children(x).zip(b.children(y)));
            }
            _ if a.text(x) != b.text(y) => return Some(x),
            _ => {}
        }
    }
    None
}

/// Code of a facility by `Reference.identifier`; `None` where it has none that is known.
fn facility(tree: &Tree<'_>, reference: NodeId) -> Option<String> {
    let identifier = tree.member(reference, "identifier")?;
    let value = text_of(tree, identifier, "value")?;
    match text_of(tree, identifier, "system")?.as_str() {
        INSTITUTION => Some(format!("mi:{value}")),
        system if system.strip_prefix(OWN) == Some("recipient") => Some(value),
        _ => None,
    }
}

/// A Consent without a token of ours.
fn foreign(tree: &Tree<'_>, desk: &ImportDesk<'_>, out: &mut Imported) {
    if let Some(node) = modifier(tree, ROOT) {
        return refuse(out, ImportCode::Modifier, &path(tree, node));
    }
    let status = text_of(tree, ROOT, "status");
    if !matches!(status.as_deref(), Some("active" | "draft" | "proposed")) {
        return refuse(out, ImportCode::Status, "Consent.status");
    }
    let mut r = Reader::new(tree, desk);
    let scope = tree.member(ROOT, "scope");
    let scopes = scope.map(|s| r.list(s, "coding")).unwrap_or_default();
    let other = scopes.iter().find(|n| {
        text_of(tree, **n, "system").as_deref() == Some(CONSENT_SCOPE)
            && !text_of(tree, **n, "code").is_some_and(|c| SCOPES.contains(&c.as_str()))
    });
    if let Some(node) = other {
        return refuse(out, ImportCode::Scope, &path(tree, *node));
    }
    let system = format!("{OWN}kind");
    r.objection = r.list(ROOT, "category").iter().any(|c| {
        r.list(*c, "coding").iter().any(|n| {
            text_of(tree, *n, "system").as_deref() == Some(&system)
                && text_of(tree, *n, "code").as_deref() == Some("objection")
        })
    });
    r.take_all(tree.member(ROOT, "resourceType"));
    r.take_all(tree.member(ROOT, "status"));
    if let Some(root) = tree.member(ROOT, "provision") {
        if r.depth(root) > 2 {
            return refuse(out, ImportCode::Depth, "Consent.provision");
        }
        // R4 as it stands: the rules are inside a provision that says nothing itself.
        let bare = tree
            .children(root)
            .all(|c| matches!(&*tree.key(c), "provision" | "id"));
        let tops = if bare { r.nested(root) } else { vec![root] };
        if tops.is_empty() {
            r.note(ImportCode::Value, root);
        }
        r.rules(&tops, &Frame::default(), &mut out.drafts);
    } else {
        r.note(ImportCode::Value, ROOT);
    }
    r.root_extras(&mut out.drafts);
    r.rest();
    r.findings.sort_by_key(|(node, f)| (*node, f.code));
    out.findings = r.findings.into_iter().map(|(_, f)| f).collect();
    out.further = r.further;
    if r.too_large || out.drafts.len() > MOST_DRAFTS {
        refuse(out, ImportCode::Size, "Consent.provision");
    }
}

/// A list of codes of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum List {
    /// Not limited.
    #[default]
    All,
    /// Limited by what cannot be read: the person chooses anew.
    Anew,
    /// These.
    These(Set<String>),
}

/// Whether a list has a code, by itself or by a wildcard.
fn has(list: &Set<String>, code: &str) -> bool {
    list.contains("*") || list.contains(code) || list.contains("mi:*") && code.starts_with("mi:")
}

impl List {
    fn codes(self) -> Set<String> {
        match self {
            Self::These(codes) => codes,
            Self::All | Self::Anew => Set::new(),
        }
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::These(codes) if codes.is_empty())
    }

    /// What both have; `None` where nobody can tell.
    fn and(&self, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::All, one) | (one, Self::All) => one.clone(),
            (Self::These(a), Self::These(b)) => {
                let of = |a: &Set<String>, b: &Set<String>| -> Set<String> {
                    a.iter().filter(|code| has(b, code)).cloned().collect()
                };
                let mut both = of(a, b);
                both.extend(of(b, a).into_sorted());
                Self::These(both)
            }
            _ => return None,
        })
    }
}

/// What a rule is about.
#[derive(Debug, Clone)]
struct Scope {
    /// Recipients, purposes, categories.
    lists: [List; 3],
    /// Its times and what else a claim says.
    claims: Members,
    /// Whether drafts can say every condition of it.
    carried: bool,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            lists: [List::All, List::All, List::All],
            claims: Members::new(),
            carried: true,
        }
    }
}

impl Scope {
    /// Whether it limits nothing.
    fn is_free(&self) -> bool {
        let empty = |v: &Value| v.members().is_some_and(Members::is_empty);
        self.carried
            && self.claims.values().all(empty)
            && self.lists.iter().all(|l| *l == List::All)
    }

    /// Both: a rule inside another holds where that holds.
    fn within(&self, outer: &Self) -> Self {
        let mut out = self.clone();
        out.carried &= outer.carried;
        for (own, outer) in out.lists.iter_mut().zip(&outer.lists) {
            match own.and(outer) {
                Some(both) => *own = both,
                None => out.carried = false,
            }
        }
        for (name, bound) in &outer.claims {
            let own = out.claims.remove(name);
            let both = own.map_or_else(|| bound.clone(), |own| narrower(name, own, bound));
            out.claims.insert(name.clone(), both);
        }
        out
    }

    /// Pushes what is left of the lists without what this takes out; `false` where not all of that can be
    /// said.
    fn out_of(&self, mut own: [List; 3], left: &mut Vec<[List; 3]>) -> bool {
        let mut said = true;
        for (at, cut) in self.lists.iter().enumerate() {
            let List::These(cut) = cut else { continue };
            let Some(list) = own.get(at).cloned() else {
                continue;
            };
            let List::These(codes) = list else {
                said = false;
                continue;
            };
            // A wildcard of which a part is taken out cannot be said without it.
            let touches = |code: &String| {
                has(cut, code) || cut.iter().any(|c| has(&Set::from([code.clone()]), c))
            };
            let (inside, outside): (Set<String>, Set<String>) =
                codes.into_sorted().partition(touches);
            if !outside.is_empty() {
                let mut rest = own.clone();
                if let Some(place) = rest.get_mut(at) {
                    *place = List::These(outside);
                }
                left.push(rest);
            }
            if inside.is_empty() {
                return said;
            }
            if let Some(place) = own.get_mut(at) {
                *place = List::These(inside);
            }
        }
        said
    }
}

/// The narrower of two values of a claim.
fn narrower(name: &str, own: Value, bound: &Value) -> Value {
    match (name, own, bound) {
        ("nbf", Value::Int(a), Value::Int(b)) => a.max(*b).into(),
        ("exp" | "to", Value::Int(a), Value::Int(b)) => a.min(*b).into(),
        ("from", Value::Text(a), Value::Text(b)) => a.max(b.clone()).into(),
        ("to", Value::Text(a), Value::Text(b)) => a.min(b.clone()).into(),
        ("obl", own, bound) => {
            let codes = own.texts().chain(bound.texts()).map(str::to_owned);
            codes
                .collect::<Set<_>>()
                .into_sorted()
                .collect::<Vec<_>>()
                .into()
        }
        ("dat" | "rec", Value::Object(mut own), Value::Object(bound)) => {
            for (name, bound) in bound {
                let inner = own.remove(name);
                let both = inner.map_or_else(|| bound.clone(), |own| narrower(name, own, bound));
                own.insert(name.clone(), both);
            }
            own.into()
        }
        (_, own, _) => own,
    }
}

/// Where a rule stands: what bounds it, and what is taken out of it.
#[derive(Debug, Clone, Default)]
struct Frame {
    scope: Scope,
    cuts: Vec<(NodeId, Scope)>,
    excluded: Excluded,
    /// Inside a permit: a deny is an exception to it, not a prohibition over all grants.
    inside: bool,
}

struct Reader<'a> {
    tree: &'a Tree<'a>,
    desk: &'a ImportDesk<'a>,
    /// Whether a draft carries a node, or a finding names it; what is inside them is done too.
    done: Map<NodeId, bool>,
    findings: Vec<(NodeId, ImportFinding)>,
    further: usize,
    /// The Consent is of our own kind `objection`.
    objection: bool,
    /// More than an annex holds.
    too_large: bool,
}

impl<'a> Reader<'a> {
    fn new(tree: &'a Tree<'a>, desk: &'a ImportDesk<'a>) -> Self {
        Self {
            tree,
            desk,
            done: Map::new(),
            findings: Vec::new(),
            further: 0,
            objection: false,
            too_large: false,
        }
    }

    fn take_all(&mut self, node: Option<NodeId>) {
        if let Some(node) = node {
            self.done.insert(node, true);
        }
    }

    fn note(&mut self, code: ImportCode, node: NodeId) {
        if node != ROOT && self.done.insert(node, true) == Some(true) {
            return;
        }
        if self.findings.len() >= MOST_FINDINGS {
            self.further += 1;
            return;
        }
        let mut at = node;
        while at != ROOT && self.tree.parent(at) != ROOT {
            at = self.tree.parent(at);
        }
        let finding = ImportFinding {
            code,
            path: path(self.tree, node),
            limits: node == ROOT || self.tree.key(at) == "provision",
            reason: None,
        };
        self.findings.push((node, finding));
    }

    /// Whether anything inside a node is done.
    fn takes(&self, node: NodeId, after: NodeId) -> bool {
        let mut from = self.done.iter_from(&node).take_while(|(n, _)| **n < after);
        from.any(|(_, done)| *done)
    }

    /// Every element that was not taken has its finding: the outermost that holds nothing taken.
    fn rest(&mut self) {
        let mut node = ROOT + 1;
        while node < self.tree.after(ROOT) {
            let after = self.tree.after(node);
            if self.done.get(&node) == Some(&true) {
                node = after;
            } else if self.takes(node, after) {
                node += 1;
            } else {
                let key = self.tree.key(node);
                let anew = self.tree.parent(node) == ROOT
                    && ROOT_ROWS.iter().any(|(_, element, _)| *element == key);
                let code = if anew {
                    ImportCode::Anew
                } else {
                    ImportCode::Unmappable
                };
                self.note(code, node);
                node = after;
            }
        }
    }

    fn list(&self, node: NodeId, key: &str) -> Vec<NodeId> {
        let list = self.tree.member(node, key);
        list.map(|l| self.tree.children(l).collect())
            .unwrap_or_default()
    }

    fn nested(&self, node: NodeId) -> Vec<NodeId> {
        self.list(node, "provision")
    }

    /// How many provisions stand inside each other below this one.
    fn depth(&self, root: NodeId) -> usize {
        let mut most = 0;
        let mut todo = vec![(root, 0)];
        while let Some((node, depth)) = todo.pop() {
            most = most.max(depth);
            if depth <= 2 {
                todo.extend(self.nested(node).into_iter().map(|n| (n, depth + 1)));
            }
        }
        most
    }

    fn has(&self, node: NodeId, key: &str) -> bool {
        self.tree.member(node, key).is_some()
    }

    fn says(&self, node: NodeId, kind: &str) -> bool {
        text_of(self.tree, node, "type").as_deref() == Some(kind)
    }

    /// Rules beside each other. What a deny says is taken out of every permit beside it, so that no draft
    /// opens more than all the rules together, whichever drafts the person signs.
    fn rules(&mut self, nodes: &[NodeId], frame: &Frame, drafts: &mut Vec<ConsentDraft>) {
        let made = self.made(nodes, frame.inside);
        let denies: Vec<NodeId> = nodes
            .iter()
            .copied()
            .filter(|n| frame.inside || made.contains_key(n))
            .collect();
        let frame = self.denied(&denies, frame);
        self.each(nodes, &frame, made, drafts);
    }

    fn denies(&self, nodes: &[NodeId]) -> Vec<NodeId> {
        let denies = nodes.iter().filter(|n| self.says(**n, "deny"));
        denies.copied().collect()
    }

    /// What denies become by themselves: objections, and prohibitions where they are no exception to a permit.
    fn made(&mut self, nodes: &[NodeId], inside: bool) -> Map<NodeId, Vec<ConsentDraft>> {
        let mut made = Map::new();
        for node in self.denies(nodes) {
            let nested = self.nested(node);
            let base = nested.iter().any(|n| self.says(*n, "permit"));
            if self.is_objection(node) || !inside && !base {
                let mut own = Vec::new();
                self.deny(node, &mut own);
                made.insert(node, own);
            }
        }
        made
    }

    fn each(
        &mut self,
        nodes: &[NodeId],
        frame: &Frame,
        mut made: Map<NodeId, Vec<ConsentDraft>>,
        drafts: &mut Vec<ConsentDraft>,
    ) {
        for node in nodes.iter().copied() {
            if drafts.len() > MOST_DRAFTS {
                return;
            }
            if self.says(node, "permit") {
                self.permit(node, frame, drafts);
            } else if self.says(node, "deny") {
                self.but(node, frame, made.get_mut(&node).map(std::mem::take), drafts);
            } else {
                self.note_type(node);
            }
        }
    }

    /// A deny: what was made of it, and the permits inside it, which hold within it.
    fn but(
        &mut self,
        node: NodeId,
        frame: &Frame,
        made: Option<Vec<ConsentDraft>>,
        drafts: &mut Vec<ConsentDraft>,
    ) {
        let base = !frame.inside && made.is_none();
        drafts.extend(made.unwrap_or_default());
        let nested = self.nested(node);
        if nested.is_empty() {
            return;
        }
        let mut inner = frame.clone();
        let own = inner.cuts.iter().position(|(n, _)| *n == node);
        let scope = if base {
            // Nothing flows here without a grant, so a root deny is said already; its conditions bound
            // the permits inside it.
            let scope = self.scope(node);
            if scope.carried {
                self.take_all(self.tree.member(node, "type"));
            } else {
                self.note_type(node);
            }
            scope
        } else {
            // What was taken out for this deny, the permits inside it give back, and no more.
            let cut = own.map(|at| inner.cuts.remove(at).1);
            cut.unwrap_or(Scope {
                carried: false,
                ..Scope::default()
            })
        };
        inner.scope = scope.within(&frame.scope);
        self.rules(&nested, &inner, drafts);
    }

    /// The frame with what these denies take out of it: items and sources by the annex, the rest from the
    /// lists. What of a deny is not understood does not narrow it.
    fn denied(&mut self, nodes: &[NodeId], frame: &Frame) -> Frame {
        let mut frame = frame.clone();
        for node in self.denies(nodes) {
            if self.is_objection(node) {
                continue;
            }
            if self.is_exclusion(node) && self.exclude(node, &mut frame.excluded) {
                if frame.inside {
                    self.take_all(self.tree.member(node, "type"));
                }
            } else {
                let cut = self.cut(node);
                frame.cuts.push((node, cut));
            }
        }
        // What is more confidential than what is left out is left out too.
        if frame.excluded.lbl.iter().any(|l| l == "R") && self.desk.policy.label("V").is_some() {
            frame.excluded.lbl.push("V".to_owned());
        }
        frame.excluded.sort();
        self.too_large |= frame.excluded.is_too_long();
        frame
    }

    /// A rule of which nobody can tell whether it permits, or which no token says.
    fn note_type(&mut self, node: NodeId) {
        let at = self.tree.member(node, "type").unwrap_or(node);
        self.note(ImportCode::Value, at);
    }

    /// A nested deny that names items or their sources goes into the annex.
    fn is_exclusion(&self, node: NodeId) -> bool {
        let custodian = self
            .list(node, "actor")
            .iter()
            .any(|a| self.is_role(*a, &["CST"]));
        custodian || self.has(node, "securityLabel") || self.has(node, "data")
    }

    /// The first member of a node that is none of those known.
    fn beyond(&self, node: NodeId, known: &[&str]) -> Option<NodeId> {
        let mut all = self.tree.children(node);
        all.find(|c| !known.contains(&&*self.tree.key(*c)))
    }

    /// What a rule is about. A value of a list that cannot be read is left out of the list, which narrows a
    /// permit; any other condition that cannot be read leaves the rule not [`Scope::carried`].
    fn scope(&mut self, node: NodeId) -> Scope {
        let known = [
            "type",
            "period",
            "actor",
            "action",
            "purpose",
            "class",
            "code",
            "dataPeriod",
            "extension",
            "id",
            "provision",
        ];
        let strange = self.beyond(node, &known).is_some();
        let mut scope = Scope::default();
        let before = self.findings.len() + self.further;
        self.period(node, &mut scope.claims);
        self.window(node, &mut scope.claims);
        self.extras(node, true, Typ::Grant, &mut scope.claims);
        let dated = scope.claims.get("dat").and_then(Value::members);
        let read = self.findings.len() + self.further == before
            && (!self.has(node, "dataPeriod") || dated.is_some_and(|d| !d.is_empty()));
        let aud = self.recipients(node, "aud", &["IRCP", "PRCP"]);
        let pur = self.purposes(node, |c| c == Consent::OptIn || c == Consent::Own);
        let (cat, both) = self.categories(node);
        let actors = self.list(node, "actor");
        let sources = actors.iter().any(|a| self.is_role(*a, &["CST"]));
        let limited = [
            !actors.is_empty(),
            self.has(node, "purpose"),
            self.has(node, "code") || self.has(node, "class"),
        ];
        let mut limited = limited.into_iter();
        scope.lists = [aud, pur, cat].map(|codes| match limited.next() {
            _ if !codes.is_empty() => List::These(codes),
            Some(true) => List::Anew,
            _ => List::All,
        });
        let access = self.reads_action(node);
        scope.carried = read && access && !strange && !both && !sources;
        scope
    }

    /// Whether the action is to look, or not limited.
    fn reads_action(&mut self, node: NodeId) -> bool {
        let actions = self.list(node, "action");
        let codings = |n: &NodeId| self.list(*n, "coding");
        let looks = actions.iter().flat_map(codings).any(|n| {
            text_of(self.tree, n, "system").as_deref() == Some(CONSENT_ACTION)
                && text_of(self.tree, n, "code").as_deref() == Some("access")
        });
        if looks {
            self.take_all(self.tree.member(node, "action"));
        }
        looks || actions.is_empty()
    }

    /// What a deny takes out of permits: at least what it says. What of it cannot be read, and what no list
    /// says (times, labels), does not narrow it.
    fn cut(&mut self, node: NodeId) -> Scope {
        let aud = self.recipients(node, "aud", &["IRCP", "PRCP"]);
        let pur = self.purposes(node, |_| true);
        let (cat, both) = self.categories(node);
        let actors = self.list(node, "actor");
        let others = actors
            .iter()
            .any(|a| !self.is_role(*a, &["CST", "IRCP", "PRCP"]));
        let noted = |keys: &[&str]| {
            let inside = |at: NodeId| {
                keys.iter().any(|key| {
                    let list = self.tree.member(node, key);
                    list.is_some_and(|list| list <= at && at < self.tree.after(list))
                })
            };
            let found =
                |(at, f): &(NodeId, ImportFinding)| f.code == ImportCode::Value && inside(*at);
            self.further > 0 || self.findings.iter().any(found)
        };
        let wide = [
            others || noted(&["actor", "extension"]),
            noted(&["purpose", "extension"]),
            both || noted(&["code", "class", "extension"]),
        ];
        let simple = [
            "type",
            "actor",
            "purpose",
            "code",
            "class",
            "extension",
            "id",
            "provision",
        ];
        let plain = self
            .tree
            .children(node)
            .all(|c| simple.contains(&&*self.tree.key(c)));
        let carried = plain && !self.is_exclusion(node) && !wide.contains(&true);
        let mut lists = [aud, pur, cat].into_iter();
        let lists = wide.map(|wide| match lists.next() {
            Some(codes) if !wide && !codes.is_empty() => List::These(codes),
            _ => List::All,
        });
        self.take_all(self.tree.member(node, "type"));
        Scope {
            lists,
            claims: Members::new(),
            carried,
        }
    }

    fn permit(&mut self, node: NodeId, frame: &Frame, drafts: &mut Vec<ConsentDraft>) {
        let nested = self.nested(node);
        if self.is_objection(node) {
            let free = frame.scope.is_free() && nested.is_empty();
            self.objection(node, free.then_some("off"), drafts);
            return;
        }
        let own = self.scope(node);
        let mut inner = frame.clone();
        inner.scope = own.within(&frame.scope);
        inner.inside = true;
        let inner = self.denied(&nested, &inner);
        let boxes = if inner.scope.carried {
            self.boxes(&inner)
        } else {
            Vec::new()
        };
        if boxes.is_empty() {
            self.note_type(node);
        } else {
            self.take_all(self.tree.member(node, "type"));
        }
        for lists in boxes {
            self.grants(node, lists, &inner, drafts);
        }
        let made = self.made(&nested, true);
        self.each(&nested, &inner, made, drafts);
    }

    /// Drafts of grants for one set of lists.
    fn grants(
        &mut self,
        node: NodeId,
        lists: [List; 3],
        frame: &Frame,
        drafts: &mut Vec<ConsentDraft>,
    ) {
        let policy = self.desk.policy;
        let [aud, pur, cat] = lists.map(List::codes);
        // One text explains one family of purposes.
        let mut families: Map<String, Vec<String>> = Map::new();
        for code in pur.into_sorted() {
            let family = policy.family(&code).unwrap_or_default().to_owned();
            families.entry(family).or_default().push(code);
        }
        let mut families: Vec<Vec<String>> =
            families.into_sorted().map(|(_, codes)| codes).collect();
        if families.is_empty() {
            families.push(Vec::new());
        }
        // §4.3: each individual category is asked, signed and withdrawn on its own.
        let (mut alone, mut together) = (Vec::new(), Vec::new());
        for code in cat.into_sorted() {
            let place = policy.category(&code).map(|c| Bits::one(c.0));
            if place.is_some_and(|b| b.meets(policy.individual())) {
                alone.push(vec![code]);
            } else {
                together.push(code);
            }
        }
        let mut sets = alone;
        if !together.is_empty() || sets.is_empty() {
            sets.insert(0, together);
        }
        let aud: Vec<String> = aud.into_sorted().collect();
        let mut groups: Vec<&[String]> = aud.chunks(MOST_RECIPIENTS).collect();
        if groups.is_empty() {
            groups.push(&[]);
        }
        for group in groups {
            for pur in &families {
                for cats in &sets {
                    if drafts.len() > MOST_DRAFTS {
                        return;
                    }
                    let mut claims = frame.scope.claims.clone();
                    for (name, codes) in [("aud", group), ("pur", pur), ("cat", cats)] {
                        if !codes.is_empty() {
                            claims.insert(name.to_owned(), codes.to_vec().into());
                        }
                    }
                    self.push(Typ::Grant, claims, node, drafts);
                    if let Some(last) = drafts.last_mut() {
                        last.excluded.clone_from(&frame.excluded);
                    }
                }
            }
        }
    }

    /// The lists of a frame without what its denies take out. Where a deny takes out of a list that is not
    /// limited, the rest cannot be said: it is not opened, and the deny is noted.
    fn boxes(&mut self, frame: &Frame) -> Vec<[List; 3]> {
        let mut boxes = vec![frame.scope.lists.clone()];
        for (node, cut) in &frame.cuts {
            let mut left = Vec::new();
            for own in boxes {
                if !cut.out_of(own, &mut left) {
                    let at = self.tree.member(*node, "type").unwrap_or(*node);
                    self.done.insert(at, false);
                    self.note(ImportCode::Value, at);
                }
            }
            boxes = left;
            if boxes.len() > MOST_DRAFTS {
                self.too_large = true;
                return Vec::new();
            }
        }
        boxes.retain(|lists| !lists.iter().any(List::is_nothing));
        boxes
    }

    /// A prohibition forbids at least what the source forbids, and only if each of its conditions is
    /// understood: one condition less would forbid everything.
    fn deny(&mut self, node: NodeId, drafts: &mut Vec<ConsentDraft>) {
        if self.is_objection(node) {
            self.objection(node, Some("on"), drafts);
            return;
        }
        let known = [
            "type",
            "period",
            "actor",
            "purpose",
            "class",
            "code",
            "extension",
            "id",
            "provision",
        ];
        let strange = self.beyond(node, &known);
        let before = self.findings.len() + self.further;
        let mut claims = Members::new();
        if strange.is_none() {
            self.period(node, &mut claims);
            self.extras(node, true, Typ::Deny, &mut claims);
            let aud = self.recipients(node, "aud", &["IRCP", "PRCP"]);
            let pur = self.purposes(node, |_| true);
            let cat = self.categories(node).0;
            for (name, codes) in [("aud", aud), ("pur", pur), ("cat", cat)] {
                let codes: Set<String> = codes;
                let codes = if codes.is_empty() || codes.contains("*") {
                    vec!["*".to_owned()]
                } else {
                    codes.into_sorted().collect()
                };
                claims.insert(name.to_owned(), codes.into());
            }
            claims.entry("emg".to_owned()).or_insert(false.into());
        }
        let long = claims
            .get("aud")
            .is_some_and(|a| a.items().len() > MOST_NAMED);
        if strange.is_some() || long || self.findings.len() + self.further > before {
            self.note_type(node);
            return;
        }
        self.take_all(self.tree.member(node, "type"));
        self.push(Typ::Deny, claims, node, drafts);
    }

    /// By our own kind, or where all purposes are decided by objection.
    fn is_objection(&self, node: NodeId) -> bool {
        let purposes = self.list(node, "purpose");
        let out = purposes.iter().all(|n| {
            let code = text_of(self.tree, *n, "code").unwrap_or_default();
            let purpose = self.desk.policy.purpose(&code);
            let kind = purpose.and_then(|p| self.desk.policy.consent(p));
            kind == Some(Consent::OptOut)
        });
        self.objection || !purposes.is_empty() && out
    }

    /// An objection (`on`), or its withdrawal (`off`): one objects to at least what the source names, and
    /// takes back at most that. `None`: the rule is bound by others, so nothing can be made of it.
    fn objection(&mut self, node: NodeId, state: Option<&str>, drafts: &mut Vec<ConsentDraft>) {
        let mut claims = Members::new();
        let known = ["type", "actor", "purpose", "extension", "id"];
        let simple = self
            .tree
            .children(node)
            .all(|c| known.contains(&&*self.tree.key(c)));
        let on = state == Some("on");
        let mut whole = true;
        for name in ["pur", "to", "src"] {
            let before = self.findings.len() + self.further;
            let codes = match name {
                "pur" => self.purposes(node, |c| c == Consent::OptOut),
                "to" => self.recipients(node, "to", &["IRCP", "PRCP"]),
                _ => self.recipients(node, "src", &["CST"]),
            };
            let read = self.findings.len() + self.further == before;
            whole &= read || !codes.is_empty();
            let all = codes.is_empty() || codes.contains("*") || on && !read;
            let codes = if all {
                vec!["*".to_owned()]
            } else {
                codes.into_sorted().collect()
            };
            claims.insert(name.to_owned(), codes.into());
        }
        let Some(state) = state.filter(|_| on || simple && whole) else {
            self.note_type(node);
            return;
        };
        self.take_all(self.tree.member(node, "type"));
        claims.insert("state".to_owned(), state.into());
        self.push(Typ::Objection, claims, node, drafts);
    }

    fn push(&self, typ: Typ, claims: Members, node: NodeId, drafts: &mut Vec<ConsentDraft>) {
        // Two more than fit are enough to know that they do not.
        if drafts.len() <= MOST_DRAFTS {
            drafts.push(ConsentDraft {
                typ,
                claims: claims.into(),
                excluded: Excluded::default(),
                path: path(self.tree, node),
            });
        }
    }

    fn period(&mut self, node: NodeId, claims: &mut Members) {
        let Some(period) = self.tree.member(node, "period") else {
            return;
        };
        for (end, claim) in [("start", "nbf"), ("end", "exp")] {
            let Some(text) = text_of(self.tree, period, end) else {
                continue;
            };
            // The end counts in: `exp` is the first second after it.
            let at = if text.contains('T') {
                instant(&text).map(|t| if end == "end" { t + 1 } else { t })
            } else {
                Date::interval(&text).map(|(first, last)| match end {
                    "start" => first.starts(),
                    _ => last.starts() + DAY,
                })
            };
            if let Some(at) = at {
                self.take_all(self.tree.member(period, end));
                claims.insert(claim.to_owned(), at.into());
            } else if let Some(n) = self.tree.member(period, end) {
                self.note(ImportCode::Value, n);
            }
        }
    }

    fn window(&mut self, node: NodeId, claims: &mut Members) {
        let mut window = Members::new();
        if let Some(period) = self.tree.member(node, "dataPeriod") {
            for (end, claim) in [("start", "from"), ("end", "to")] {
                let Some(text) = text_of(self.tree, period, end) else {
                    continue;
                };
                if let Some((first, last)) = Date::interval(&text) {
                    let day = if end == "start" { first } else { last };
                    window.insert(claim.to_owned(), day.to_string().into());
                    self.take_all(self.tree.member(period, end));
                } else if let Some(n) = self.tree.member(period, end) {
                    self.note(ImportCode::Value, n);
                }
            }
        }
        claims.insert("dat".to_owned(), window.into());
    }

    fn is_role(&self, actor: NodeId, roles: &[&str]) -> bool {
        let Some(role) = self.tree.member(actor, "role") else {
            return false;
        };
        self.list(role, "coding").iter().any(|n| {
            text_of(self.tree, *n, "system").as_deref() == Some(PARTICIPATION)
                && text_of(self.tree, *n, "code").is_some_and(|c| roles.contains(&c.as_str()))
        })
    }

    /// Actors of these roles, and the codes that stand in the claim's extension.
    fn recipients(&mut self, node: NodeId, claim: &str, roles: &[&str]) -> Set<String> {
        let mut codes = self.homeless(node, claim, &["*", "mi:*"]);
        for actor in self.list(node, "actor") {
            if !self.is_role(actor, roles) {
                continue;
            }
            let reference = self.tree.member(actor, "reference");
            let code = reference.and_then(|r| facility(self.tree, r));
            let Some(code) = code.filter(|c| is_code(c) && self.desk.policy.is_recipient(c)) else {
                self.note(ImportCode::Value, actor);
                continue;
            };
            self.take_actor(actor);
            codes.insert(code);
        }
        codes
    }

    fn take_actor(&mut self, actor: NodeId) {
        if let Some(role) = self.tree.member(actor, "role") {
            for n in self.list(role, "coding") {
                self.take_coding(n);
            }
        }
        if let Some(reference) = self.tree.member(actor, "reference") {
            self.take_all(self.tree.member(reference, "type"));
            if let Some(identifier) = self.tree.member(reference, "identifier") {
                self.take_all(self.tree.member(identifier, "system"));
                self.take_all(self.tree.member(identifier, "value"));
            }
        }
    }

    fn take_coding(&mut self, coding: NodeId) {
        for key in ["system", "code", "display"] {
            self.take_all(self.tree.member(coding, key));
        }
    }

    /// Codes of the extension that carries what has no element.
    fn homeless(&mut self, node: NodeId, claim: &str, known: &[&str]) -> Set<String> {
        let url = format!("{OWN}{claim}");
        let mut out = Set::new();
        for e in self.list(node, "extension") {
            if text_of(self.tree, e, "url").as_deref() != Some(&url) {
                continue;
            }
            match text_of(self.tree, e, "valueCode") {
                Some(code) if known.contains(&code.as_str()) => {
                    self.take_all(Some(e));
                    out.insert(code);
                }
                _ => self.note(ImportCode::Value, e),
            }
        }
        out
    }

    fn purposes(&mut self, node: NodeId, fits: fn(Consent) -> bool) -> Set<String> {
        let mut out = self.homeless(node, "pur", &["*"]);
        for n in self.list(node, "purpose") {
            let system = text_of(self.tree, n, "system").unwrap_or_default();
            let code = text_of(self.tree, n, "code").unwrap_or_default();
            let local = LOCAL_PURPOSES.contains(&code.as_str());
            let ours = if local {
                system.strip_prefix(OWN) == Some("purpose")
            } else {
                system == ACT_REASON
            };
            let policy = self.desk.policy;
            let kind = policy.purpose(&code).and_then(|p| policy.consent(p));
            if ours && kind.is_some_and(fits) {
                self.take_coding(n);
                out.insert(code);
            } else {
                self.note(ImportCode::Value, n);
            }
        }
        out
    }

    /// `code`, and `class` where there is no `code`; and whether both together are narrower than the codes.
    fn categories(&mut self, node: NodeId) -> (Set<String>, bool) {
        let names: Vec<String> = self
            .desk
            .policy
            .categories()
            .iter()
            .map(|c| c.code.clone())
            .collect();
        let mut known: Vec<&str> = names.iter().map(String::as_str).collect();
        known.push("*");
        let mut out = self.homeless(node, "cat", &known);
        let system = format!("{OWN}category");
        for concept in self.list(node, "code") {
            let mut found = false;
            for n in self.list(concept, "coding") {
                let code = text_of(self.tree, n, "code").unwrap_or_default();
                if text_of(self.tree, n, "system").as_deref() == Some(&system)
                    && known.contains(&code.as_str())
                {
                    self.take_coding(n);
                    out.insert(code);
                    found = true;
                }
            }
            if !found {
                self.note(ImportCode::Value, concept);
            }
        }
        let only = out.is_empty() && !self.has(node, "code");
        let mut narrower = false;
        for n in self.list(node, "class") {
            let code = text_of(self.tree, n, "code").unwrap_or_default();
            let loinc = text_of(self.tree, n, "system").as_deref() == Some(LOINC);
            let row = CLASSES.iter().find(|(_, c)| loinc && *c == code);
            match row {
                Some((cat, _)) if only || out.contains(*cat) => {
                    self.take_coding(n);
                    out.insert((*cat).to_owned());
                }
                _ => {
                    narrower |= !only;
                    self.note(ImportCode::Value, n);
                }
            }
        }
        (out, narrower)
    }

    /// Reads a nested deny into the lists of an annex; what it says beyond stays for [`Self::rest`]. Whether
    /// that leaves out all that it forbids: one of source, label and items is understood whole.
    fn exclude(&mut self, node: NodeId, out: &mut Excluded) -> bool {
        let lists = |out: &Excluded| [out.src.len(), out.lbl.len(), out.res.len() + out.wid.len()];
        let had = lists(out);
        let seen = |reader: &Self| reader.findings.len() + reader.further;
        let before = seen(self);
        let sources = self.recipients(node, "src", &["CST"]);
        out.src.extend(sources.into_sorted());
        let sources = seen(self);
        for n in self.list(node, "securityLabel") {
            let code = text_of(self.tree, n, "code").unwrap_or_default();
            let system = text_of(self.tree, n, "system").unwrap_or_default();
            let fits = if code.len() == 1 {
                system == CONFIDENTIALITY
            } else {
                system == ACT_CODE
            };
            if fits && self.desk.policy.label(&code).is_some() {
                self.take_coding(n);
                out.lbl.push(code);
            } else {
                self.note(ImportCode::Value, n);
            }
        }
        let labels = seen(self);
        for n in self.list(node, "data") {
            match self.item(n) {
                Some((true, key)) => out.wid.push(key),
                Some((false, key)) => out.res.push(key),
                None => self.note(ImportCode::Value, n),
            }
        }
        let read = [before == sources, sources == labels, labels == seen(self)];
        let has = lists(out);
        (0..3).any(|i| read.get(i) == Some(&true) && has.get(i) > had.get(i))
    }

    /// Key of an item, or (`true`) of an encounter.
    fn item(&mut self, data: NodeId) -> Option<(bool, String)> {
        let meaning = text_of(self.tree, data, "meaning")?;
        let related = match meaning.as_str() {
            "instance" => false,
            "related" => true,
            _ => return None,
        };
        let reference = self.tree.member(data, "reference")?;
        let key = if let Some(identifier) = self.tree.member(reference, "identifier") {
            let system = text_of(self.tree, identifier, "system")?;
            let fits = match system.strip_prefix(OWN)? {
                "resource" => !related,
                "encounter" => related,
                _ => false,
            };
            let value = text_of(self.tree, identifier, "value").filter(|v| fits && is_key(v))?;
            self.take_all(self.tree.member(identifier, "system"));
            self.take_all(self.tree.member(identifier, "value"));
            value
        } else {
            let text = text_of(self.tree, reference, "reference")?;
            let (kind, id) = text.split_once('/')?;
            let plain = |t: &str, more: &str| {
                !t.is_empty()
                    && t.len() <= 64
                    && t.chars()
                        .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
            };
            // What is related to anything but an encounter is not known from a key.
            if !plain(kind, "") || !plain(id, "-.") || related && kind != "Encounter" {
                return None;
            }
            let key = resource_key(self.desk.source?, kind, id);
            self.take_all(self.tree.member(reference, "reference"));
            key
        };
        self.take_all(self.tree.member(data, "meaning"));
        Some((related, key))
    }

    /// Extensions of ours that a draft takes over.
    fn extras(&mut self, node: NodeId, rule: bool, typ: Typ, claims: &mut Members) {
        for e in self.list(node, "extension") {
            let url = text_of(self.tree, e, "url").unwrap_or_default();
            let name = url.strip_prefix(OWN);
            let Some(row) = EXTRAS.iter().find(|x| {
                x.rule == rule
                    && x.drafted
                    && Some(x.claim) == name
                    && names(typ).any(|n| n == x.claim)
            }) else {
                continue;
            };
            match self.leaf(e, row.leaf) {
                Some(value) => {
                    self.take_all(Some(e));
                    match claims.get_mut(row.claim) {
                        Some(Value::Array(items)) => items.extend(value.items().iter().cloned()),
                        _ => {
                            claims.insert(row.claim.to_owned(), value);
                        }
                    }
                }
                None => self.note(ImportCode::Value, e),
            }
        }
        if let Some(Value::Array(items)) = claims.get_mut("obl") {
            let codes: Set<String> = items
                .iter()
                .filter_map(|v| v.text().map(str::to_owned))
                .collect();
            *items = codes.into_sorted().map(Value::from).collect();
        }
    }

    /// `del`, `dlg`, `use` stand on the Consent and hold for every grant in it.
    fn root_extras(&mut self, drafts: &mut Vec<ConsentDraft>) {
        let mut claims = Members::new();
        let before = self.findings.len() + self.further;
        self.extras(ROOT, false, Typ::Grant, &mut claims);
        if self.findings.len() + self.further > before {
            // A bound that cannot be read bounds nothing.
            drafts.retain(|d| d.typ != Typ::Grant);
        }
        for draft in drafts.iter_mut().filter(|d| d.typ == Typ::Grant) {
            if let Value::Object(members) = &mut draft.claims {
                members.extend(claims.clone());
            }
        }
    }

    fn leaf(&self, node: NodeId, leaf: Leaf) -> Option<Value> {
        let tree = self.tree;
        let member = |key: &str| tree.member(node, key);
        Some(match leaf {
            Leaf::Time => instant(&text_of(tree, node, "valueDateTime")?)?.into(),
            Leaf::Number => {
                let n = member("valueDecimal")?;
                let text = (tree.kind(n) == Kind::Number).then(|| tree.text(n))?;
                text.parse::<u64>()
                    .ok()
                    .filter(|n| (1..=crate::json::MAX_INT).contains(n))?
                    .into()
            }
            Leaf::Flag => match tree.kind(member("valueBoolean")?) {
                Kind::True => true.into(),
                Kind::False => false.into(),
                _ => return None,
            },
            Leaf::Code => text_of(tree, node, "valueCode")?.into(),
            Leaf::Codes => vec![text_of(tree, node, "valueCode").filter(|c| is_code(c))?].into(),
            Leaf::Text => text_of(tree, node, "valueString")?.into(),
            Leaf::Uri => text_of(tree, node, "valueUri")?.into(),
            Leaf::Group(parts) => {
                let mut out = Members::new();
                let inner = self.list(node, "extension");
                for e in &inner {
                    let url = text_of(tree, *e, "url")?;
                    let (name, leaf) = parts.iter().find(|(name, _)| *name == url)?;
                    out.insert((*name).to_owned(), self.leaf(*e, *leaf)?);
                }
                (out.len() == inner.len() && !out.is_empty())
                    .then_some(out)?
                    .into()
            }
        })
    }
}

impl Excluded {
    fn sort(&mut self) {
        for list in [&mut self.src, &mut self.res, &mut self.lbl, &mut self.wid] {
            list.sort_unstable();
            list.dedup();
        }
    }

    fn is_too_long(&self) -> bool {
        [&self.src, &self.res, &self.lbl, &self.wid]
            .iter()
            .any(|list| list.len() > crate::annex::MOST)
    }
}

/// `r.` and 12 bytes in base64url.
fn is_key(text: &str) -> bool {
    text.strip_prefix("r.")
        .is_some_and(|t| b64::decode_array::<12>(t).is_some())
}

/// What an array of codes in a token may hold.
fn is_code(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".:-_".contains(&b))
}
