//! All invariants of R4 core on a Patient of JP Core's shape: those of each element, its type and the
//! resource.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark may fail loudly; criterion's macros make undocumented functions"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use warifu_fhirpath::{Bounds, Doc, Engine, Env, Evaluator, Item, Program, Value};
use warifu_json::{Kind, Limits, NONE, parse};
use warifu_r4::{Core, ElementId, TypeId, annotate};

/// Invented; the elements that JP_Patient asks for.
const PATIENT: &str = r#"{
  "resourceType": "Patient",
  "id": "p1",
  "meta": {"profile": ["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Patient"]},
  "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>山田 太郎</p></div>"},
  "extension": [{"url": "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Patient_Race",
    "valueCodeableConcept": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Race", "code": "2039-6"}]}}],
  "identifier": [{"use": "usual", "system": "urn:oid:1.2.392.100495.20.3.51.11311234567", "value": "00000010"}],
  "active": true,
  "name": [
    {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "IDE"}],
     "use": "official", "text": "山田 太郎", "family": "山田", "given": ["太郎"]},
    {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "SYL"}],
     "use": "official", "text": "ヤマダ タロウ", "family": "ヤマダ", "given": ["タロウ"]}],
  "telecom": [{"system": "phone", "value": "03-0000-0000", "use": "home"}],
  "gender": "male",
  "birthDate": "1970-01-01",
  "address": [{"text": "東京都千代田区1-1", "state": "東京都", "city": "千代田区", "postalCode": "1000001", "country": "JP"}],
  "contact": [{"relationship": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "N"}]}],
    "name": {"text": "山田 花子"}, "telecom": [{"system": "phone", "value": "03-0000-0001"}]}],
  "managingOrganization": {"reference": "Organization/o1"}
}"#;

/// Which invariants each node must hold: its element's, its type's.
fn plan(core: &'static Core, doc: Doc<'_>, programs: &[Option<Program>]) -> Vec<(Item, usize)> {
    let mut plan = Vec::new();
    for id in 0..doc.tree.len() {
        let Some(typed) = doc.typed.get(usize::try_from(id).unwrap()) else {
            continue;
        };
        if typed.of == TypeId::NONE || doc.tree.kind(id) == Kind::Array {
            continue;
        }
        let mut own: Vec<u16> = core
            .type_(typed.of)
            .invariants()
            .map(warifu_r4::Invariant::id)
            .collect();
        if typed.element != ElementId::NONE {
            own.extend(
                core.element(typed.element)
                    .invariants()
                    .map(warifu_r4::Invariant::id),
            );
        }
        own.sort_unstable();
        own.dedup();
        let item = Item {
            node: id,
            twin: NONE,
            of: typed.of,
            doc: 0,
        };
        let own = own.into_iter().map(usize::from);
        plan.extend(
            own.filter(|n| programs.get(*n).is_some_and(Option::is_some))
                .map(|n| (item, n)),
        );
    }
    plan
}

fn invariants(c: &mut Criterion) {
    let core = Core::builtin();
    let engine = Engine::new(core);
    let programs: Vec<Option<Program>> = (0..core.invariant_count())
        .map(|n| {
            engine
                .compile(core.invariant(n).expression(), Bounds::DEFAULT)
                .ok()
        })
        .collect();
    c.bench_function("parse", |b| {
        b.iter(|| {
            black_box(parse(black_box(PATIENT.as_bytes()), Limits::FHIR, core))
                .tree
                .len()
        });
    });
    let tree = parse(PATIENT.as_bytes(), Limits::FHIR, core).tree;
    c.bench_function("annotate", |b| {
        b.iter(|| black_box(annotate(core, black_box(&tree), None)).len());
    });
    let typed = annotate(core, &tree, None);
    let doc = Doc {
        tree: &tree,
        typed: &typed,
    };
    let plan = plan(core, doc, &programs);
    let mut evaluator = Evaluator::new(&engine, Env::new(doc));
    c.bench_function(&format!("{} invariants of a Patient", plan.len()), |b| {
        b.iter(|| {
            for (item, n) in &plan {
                let Some(Some(program)) = programs.get(*n) else {
                    continue;
                };
                let holds = evaluator.holds(program, Value::Item(*item));
                assert!(holds.unwrap(), "{program:?}");
            }
        });
    });
}

criterion_group!(benches, invariants);
criterion_main!(benches);
