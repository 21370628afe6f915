//! Provenance: one a message, naming everything that was made from it. Mapping §1.
//!
//! The file is named by a keyed hash of its storage key (file names hold patient number, department
//! and kind); by the key itself only with readable ids.

use warifu_order::Map;

use warifu_diag::catalogue::map_other::{MAP451, MAP452};
use warifu_diag::{Diagnostic, SourceId, Span};
use warifu_fhir::element::provenance as el;
use warifu_fhir::{Buffers, Id, Src};
use warifu_hl7::Message;
use warifu_ssmix2::Action;
use warifu_terms::systems;

use crate::convert::Core;
use crate::cx::{Cx, Item, PatientContext, Sourced};
use crate::datatypes::{self, coded_concept, local_system};
use crate::kinds::practitioner::row;
use crate::options::IdMode;
use crate::output::Output;
use crate::table::{Ignored, Worded};

table! {
    /// MSH → Provenance (FHIR R4). HL7 v2.5 §2.15.9; mapping §1.
    MSH_TO_PROVENANCE: "Provenance" {
        "MSH-1" => "": ignored Ignored::Structural, "フィールド区切文字";
        "MSH-2" => "": ignored Ignored::Structural, "コード化文字";
        "MSH-3" => "": ignored Ignored::Transport, "送信アプリケーション";
        "MSH-4" => "Provenance.agent.who": part, "送信施設";
        "MSH-5" => "": ignored Ignored::Transport, "受信アプリケーション";
        "MSH-6" => "": ignored Ignored::Transport, "受信施設";
        "MSH-7" => "Provenance.recorded": part, "メッセージ日時";
        "MSH-9" => "Provenance.activity": part, "メッセージ型";
        "MSH-10" => "Provenance.entity.what.identifier": part, "メッセージ制御ID";
        "MSH-11" => "": ignored Ignored::Transport, "処理ID";
        "MSH-12" => "": ignored Ignored::Transport, "バージョンID";
        "MSH-18" => "": ignored Ignored::Transport, "文字セット";
        "MSH-20" => "": ignored Ignored::Transport, "代替文字セット操作法";
        "MSH-21" => "": ignored Ignored::Transport, "メッセージプロファイルID";
    }
}

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![MSH_TO_PROVENANCE];

/// Storage key of a file without its condition flag (a rename does not change what the file says);
/// `None` for files without a storage name.
fn storage_key(item: &Item<'_>) -> Option<String> {
    if item.patient.is_empty() || item.timestamp.is_empty() {
        return None;
    }
    Some(
        [
            item.patient,
            item.date,
            item.kind_text,
            item.order,
            item.timestamp,
            item.department,
        ]
        .join("_"),
    )
}

/// `meta.source` of what is made from a file: `urn:uuid:` of a keyed hash, or the storage key itself
/// with readable ids.
pub(crate) fn source(core: &Core, item: &Item<'_>) -> Option<String> {
    let key = storage_key(item)?;
    Some(match core.options.ids {
        IdMode::Keyed => {
            let id = core.id_key.id(core.issuer(), &["source", &key]);
            ["urn:uuid:", id.as_str()].concat()
        }
        IdMode::Readable => {
            use std::fmt::Write as _;
            let mut s = format!("urn:x-ssmix2:{}:", core.issuer());
            for b in key.bytes() {
                if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.') {
                    s.push(char::from(b));
                } else {
                    let _ = write!(s, "%{b:02X}");
                }
            }
            s
        }
    })
}

/// Emits the Provenance of each message, where they are wanted: its targets are the resources made from it
/// since `from`, and the deletions it asked for since `deletes`.
pub(crate) fn emit<'a>(
    core: &Core,
    pool: &mut Vec<Box<Buffers>>,
    out: &mut Output,
    context: &PatientContext,
    messages: &[(Item<'a>, Message<'a>)],
    from: (usize, usize),
) {
    if core.options.provenance {
        each(core, pool, out, context, messages, from);
    }
}

#[inline(never)]
fn each<'a>(
    core: &Core,
    pool: &mut Vec<Box<Buffers>>,
    out: &mut Output,
    context: &PatientContext,
    messages: &[(Item<'a>, Message<'a>)],
    (from, deletes): (usize, usize),
) {
    let mut targets: Map<u16, Vec<(&'static str, Id)>> = Map::new();
    let made = out
        .resources
        .iter()
        .skip(from)
        .map(|r| (r.message, r.resource_type, r.id));
    let withdrawn = out
        .deletes
        .iter()
        .skip(deletes)
        .map(|d| (d.message, d.resource_type, d.id));
    for (message, resource_type, id) in made.chain(withdrawn) {
        targets
            .entry(message)
            .or_default()
            .push((resource_type, id));
    }
    let patient_id = core.patient_id(&context.patient);
    for (item, message) in messages {
        let Some(targets) = targets.get(&message.number()) else {
            continue;
        };
        let mut cx = Cx::new(
            core,
            &mut *out,
            context,
            (*item, *message),
            patient_id,
            &mut *pool,
        );
        one(&mut cx, targets);
    }
}

fn one(cx: &mut Cx<'_, '_>, targets: &[(&'static str, Id)]) {
    let m = cx.message();
    let Some(msh) = m.first(b"MSH") else { return };
    let sent = msh.field(7).value();
    let Some(recorded) = datatypes::instant(cx, sent, "Provenance.recorded") else {
        cx.report(&MAP451, &msh.field(7));
        return;
    };
    let control = msh.field(10).value().trimmed();
    let key = storage_key(&cx.item).unwrap_or_default();
    let suffix = format!("provenance.{}", control.text);
    let id = cx.id(
        "Provenance",
        &[&key, if key.is_empty() { control.text } else { "" }],
        0,
        &suffix,
    );
    let sender = msh.field(4).comp(1).value().trimmed();
    let event = msh.field(9);
    let messages = local_system(cx, "message-control-id");
    write(
        cx,
        id,
        targets,
        &Origin {
            recorded,
            recorded_src: sent.src(),
            activity: activity(cx, m),
            activity_src: event.src(),
            sender: (sender.text, sender.src()),
            other: (messages, control.text, control.src()),
        },
    );
}

/// What a Provenance says beside its targets.
struct Origin<'a> {
    recorded: &'a str,
    recorded_src: Src,
    activity: Activity,
    activity_src: Src,
    /// Name of who keeps the source, when the institution is not known.
    sender: (&'a str, Src),
    /// System and value that name the source when it has no storage key.
    other: (&'a str, &'a str, Src),
}

/// Emits the Provenance of a document of the extended storage; `custodian` is its name.
pub(crate) fn document(
    cx: &mut Cx<'_, '_>,
    targets: &[(&'static str, Id)],
    recorded: &str,
    recorded_src: Src,
    activity: Activity,
    custodian: (&str, Src),
) {
    if targets.is_empty() {
        return;
    }
    if recorded.is_empty() {
        let d = Diagnostic::new(
            &MAP452,
            Span {
                source: SourceId(u32::from(cx.message().number())),
                start: 0,
                end: 0,
            },
        );
        cx.out.diagnostics.push(d);
        return;
    }
    let key = storage_key(&cx.item).unwrap_or_default();
    let first = targets.first().map_or("", |(_, id)| id.as_str());
    let id = cx.id(
        "Provenance",
        &[&key, if key.is_empty() { first } else { "" }],
        0,
        "provenance",
    );
    write(
        cx,
        id,
        targets,
        &Origin {
            recorded,
            recorded_src,
            activity,
            activity_src: Src::NONE,
            sender: custodian,
            other: ("", "", Src::NONE),
        },
    );
}

#[inline(never)]
fn write(cx: &mut Cx<'_, '_>, id: Id, targets: &[(&'static str, Id)], origin: &Origin<'_>) {
    let mut r = cx.open("Provenance", id);
    for (resource_type, id) in targets {
        cx.reference(&mut r, el::TARGET, resource_type, *id, Src::NONE);
    }
    r.row(row(&MSH_TO_PROVENANCE, "MSH-7"));
    r.string(el::RECORDED, origin.recorded, origin.recorded_src);
    r.row(row(&MSH_TO_PROVENANCE, "MSH-9"));
    let (code, display) = origin.activity.coding();
    r.object(el::ACTIVITY, |o| {
        coded_concept(
            o,
            systems::V3_DATA_OPERATION,
            code,
            display,
            origin.activity_src,
        );
    });
    r.row(row(&MSH_TO_PROVENANCE, "MSH-4"));
    let organization =
        crate::kinds::practitioner::institution(cx).map(|id| cx.reference_text("Organization", id));
    let (sender, sender_src) = origin.sender;
    r.object(el::AGENT, |o| {
        o.object("type", |o| {
            coded_concept(
                o,
                "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
                "custodian",
                "Custodian",
                Src::NONE,
            );
        });
        o.object("who", |o| {
            if let Some(text) = organization {
                o.string("reference", text, Src::NONE);
            }
            if !sender.is_empty() {
                o.string("display", sender, sender_src);
            } else if organization.is_none() {
                o.constant("display", "不明");
            }
        });
    });
    r.row(row(&MSH_TO_PROVENANCE, "MSH-10"));
    let key = storage_key(&cx.item).unwrap_or_default();
    let named = match (cx.options().ids, source(cx.conv, &cx.item)) {
        (IdMode::Readable, Some(_)) => Some((systems::ID_RESOURCE_INSTANCE, cx.text(&key))),
        (IdMode::Keyed, Some(urn)) => Some(("urn:ietf:rfc:3986", cx.text(&urn))),
        (_, None) => None,
    };
    let (system, value, at) = origin.other;
    r.object(el::ENTITY, |o| {
        o.constant("role", "source");
        o.object("what", |o| {
            o.object("identifier", |o| match named {
                Some((system, value)) => {
                    o.string("system", system, Src::NONE);
                    o.string("value", value, Src::NONE);
                }
                None if value.is_empty() => o.constant("value", "unknown"),
                None => {
                    o.string("system", system, at);
                    o.string("value", value, at);
                }
            });
        });
    });
    cx.emit(r);
}

/// What was done to the targets (v3-DataOperation).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    Create,
    Update,
    Delete,
}

impl Activity {
    fn coding(self) -> (&'static str, &'static str) {
        match self {
            Self::Create => ("CREATE", "create"),
            Self::Update => ("UPDATE", "revise"),
            Self::Delete => ("DELETE", "delete"),
        }
    }
}

/// CREATE, UPDATE or DELETE (v3-DataOperation): cancel events and cancelled orders delete, changes
/// update.
fn activity(cx: &Cx<'_, '_>, m: Message<'_>) -> Activity {
    let event = m.first(b"MSH").map(|s| s.field(9));
    let part = |n| {
        event
            .map(|e| e.comp(n).value().text.trim())
            .unwrap_or_default()
    };
    if cx
        .kind()
        .is_some_and(|k| k.action(part(1), part(2)) == Some(Action::Cancel))
    {
        return Activity::Delete;
    }
    match m.value(b"ORC", 1).text.trim() {
        control if warifu_terms::maps::withdrawal(control).is_some() => Activity::Delete,
        "XO" | "RP" => Activity::Update,
        _ if part(2) == "A08" => Activity::Update,
        _ => Activity::Create,
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]
mod tests {
    use crate::options::IdMode;
    use crate::testing::{all, at, one, options, path};
    use crate::trace::hits;
    use crate::{Converter, File, Options, Output};

    const ORDER: &str = "MSH|^~\\&|HIS|WRF|GW|GW|20260401101200||OMG^O19^OMG_O19|M1|P|2.5\rPID|1||0000990001^^^^PI||割符^花子^^^^^L^I||19680303|F\rORC|NW|31|||||||20260401093500\rOBR||31||110^検査^99WRF\r";

    fn run(options: Options, name: &str, text: &str) -> Output {
        let mut out = Output::new();
        Converter::new(options).convert(
            File {
                path: name,
                bytes: text.as_bytes(),
            },
            0,
            &mut out,
        );
        out
    }

    fn named() -> String {
        path("OMG-01", "20260401", "20260401090000000", "01", '1')
    }

    #[test]
    fn it_names_all_that_was_made_and_the_file_by_a_hash() {
        let out = run(
            Options {
                provenance: true,
                ..options()
            },
            &named(),
            ORDER,
        );
        let p = one(&out, "Provenance");
        let made = out.resources.len();
        assert!(made > 2);
        // The Organization of the agent may be new: everything else is a target.
        let targets = p["target"].as_array().map_or(0, Vec::len);
        assert!(targets >= 2 && targets < made, "{p:#}");
        assert_eq!(at(&p, "/recorded"), "2026-04-01T10:12:00+09:00");
        assert_eq!(at(&p, "/activity/coding/0/code"), "CREATE");
        assert!(at(&p, "/entity/0/what/identifier/value").starts_with("urn:uuid:"));
        assert!(
            !p.to_string().contains("0000990001"),
            "no patient number: {p:#}"
        );
        assert_eq!(
            at(&one(&out, "ServiceRequest"), "/meta/source"),
            at(&p, "/entity/0/what/identifier/value")
        );
        assert!(all(&run(options(), &named(), ORDER), "Provenance").is_empty());
    }

    #[test]
    fn readable_ids_show_the_name_and_cancelling_deletes() {
        let cancel = ORDER.replace("ORC|NW", "ORC|CA");
        let out = run(
            Options {
                provenance: true,
                ids: IdMode::Readable,
                ..options()
            },
            &named(),
            &cancel,
        );
        let p = one(&out, "Provenance");
        assert_eq!(at(&p, "/activity/coding/0/code"), "DELETE");
        assert_eq!(
            at(&p, "/entity/0/what/identifier/value"),
            "0000990001_20260401_OMG-01_999999999999999_20260401090000000_01"
        );
        assert!(
            at(&one(&out, "ServiceRequest"), "/meta/source")
                .ends_with(":0000990001_20260401_OMG-01_999999999999999_20260401090000000_01")
        );
    }

    #[test]
    fn a_file_without_storage_name_is_named_by_its_control_id() {
        let out = run(
            Options {
                provenance: true,
                ..options()
            },
            "loose.hl7",
            ORDER,
        );
        let p = one(&out, "Provenance");
        assert_eq!(at(&p, "/entity/0/what/identifier/value"), "M1");
        assert_eq!(one(&out, "ServiceRequest").pointer("/meta/source"), None);
    }

    #[test]
    fn the_source_in_meta_leaves_the_trace_in_place() {
        let out = run(options(), &named(), ORDER);
        let r = out
            .resources
            .iter()
            .find(|r| r.resource_type == "ServiceRequest")
            .unwrap();
        let found: Vec<_> = hits(&out, r).collect();
        let hit = found.iter().find(|h| h.pointer == "/authoredOn").unwrap();
        assert_eq!(hit.spans[0].path, "ORC-9");
        let with_profile = found
            .iter()
            .find(|h| h.pointer == "/meta/profile/0")
            .unwrap();
        assert!(with_profile.spans.is_empty());
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(out.json_of(r)).unwrap()["meta"]["profile"]
                .as_array()
                .map(Vec::len),
            Some(1)
        );
    }
}
