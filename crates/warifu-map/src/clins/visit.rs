//! What a message says of the visit it belongs to: CLINS asks for a department and an Encounter in
//! every resource, also where the storage has no ADT file that would make an Encounter.

use warifu_fhir::Src;
use warifu_hl7::Part;
use warifu_terms::{systems, tables};

use crate::cx::{Cx, Sourced};
use crate::datatypes::{local_system, triplets};

/// A department as a coding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Department {
    /// System URI.
    pub system: String,
    /// Code.
    pub code: String,
    /// Name of the code's table, else as sent, else empty.
    pub name: String,
    /// Bytes of the code; [`Src::NONE`] when it stands in the file's name.
    pub src: Src,
}

/// What one message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Number of the message in the output.
    pub(crate) said: u64,
    /// Bytes of MSH-7.
    pub sent: Src,
    /// The department: ORC-17 when all orders agree, else that of the file's name, else PV1-10.
    pub department: Option<Department>,
    /// PV1-2, else ORC-29 (`I`, `O`, `E` …), and its bytes.
    pub class: Option<(String, Src)>,
}

/// Visits of messages that had numbers of their own name their files again. In wasm a root of the part.
#[inline(never)]
pub(crate) fn number_by_file(visits: &mut [Visit], files: &[u16]) {
    for v in visits {
        let department = v.department.iter_mut().map(|d| &mut d.src);
        let class = v.class.iter_mut().map(|c| &mut c.1);
        let all = department.chain(class).chain([&mut v.sent]);
        let all = all.map(|s| &mut s.message);
        all.for_each(|n| crate::output::name_file(n, files));
    }
}

/// Keeps what the message says of its visit in [`crate::Output::visits`].
///
/// Like [`super::parts`] the root of a part.
#[inline(never)]
pub(crate) fn note_visit(cx: &mut Cx<'_, '_>) {
    let m = cx.message();
    let mut ordered: Option<Part<'_>> = None;
    let mut agree = true;
    for orc in m.segments().filter(|s| s.name() == *b"ORC") {
        let field = orc.field(17);
        let code = field.comp(1).value().trimmed();
        if code.is_empty() {
            continue;
        }
        match ordered {
            None => ordered = Some(field),
            Some(first) => agree &= first.comp(1).value().trimmed().text == code.text,
        }
    }
    let of_order = ordered.filter(|_| agree).and_then(|f| {
        let t = triplets(f).next()?;
        Some(department(
            cx,
            t.code.text,
            t.text.text,
            t.system.text,
            t.code.src(),
        ))
    });
    let of_name = |cx: &Cx<'_, '_>| {
        let code = cx.item.department.trim();
        (!code.is_empty()).then(|| department(cx, code, "", "", Src::NONE))
    };
    let of_visit = |cx: &Cx<'_, '_>| {
        let v = cx.message().value(b"PV1", 10).trimmed();
        (!v.is_empty()).then(|| department(cx, v.text, "", "", v.src()))
    };
    let found = of_order.or_else(|| of_name(cx)).or_else(|| of_visit(cx));
    let sent = m
        .first(b"MSH")
        .map(|s| s.field(7))
        .filter(Part::is_some)
        .map_or(Src::NONE, |f| f.src());
    let class = [
        m.first(b"PV1").map(|s| s.field(2)),
        m.first(b"ORC").map(|s| s.field(29)),
    ]
    .into_iter()
    .flatten()
    .map(|f| f.comp(1).value().trimmed())
    .find(|v| !v.is_empty());
    for src in [
        Some(sent),
        found.as_ref().map(|d| d.src),
        class.map(|c| c.src()),
    ]
    .into_iter()
    .flatten()
    .filter(|s| s.is_some())
    {
        if cx.options().trace {
            cx.out.used.push(src);
        }
    }
    let class = class.map(|v| (v.text.to_owned(), v.src()));
    cx.out.visits.push(Visit {
        said: cx.out.said(m.number()),
        sent,
        department: found,
        class,
    });
}

fn department(cx: &Cx<'_, '_>, code: &str, text: &str, system_name: &str, src: Src) -> Department {
    let known = tables::T_0069.entry(code);
    let standard = match systems::trim_name(system_name) {
        "" => known.is_some(),
        name => {
            systems::system_uri(name, code, "")
                == systems::SystemUri::Known(systems::CLINICAL_DEPARTMENT)
        }
    };
    let local = if system_name.is_empty() {
        "department"
    } else {
        system_name
    };
    Department {
        system: if standard {
            systems::CLINICAL_DEPARTMENT.to_owned()
        } else {
            local_system(cx, local).to_owned()
        },
        code: code.to_owned(),
        name: known
            .filter(|_| standard)
            .map_or(text.trim(), |k| k.ja)
            .to_owned(),
        src,
    }
}
