//! The table of resources: type and id, main code, date, source.

use crate::json::{Json, Kind, Value};
use crate::trace::TraceIndex;

/// One resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Node of the resource.
    pub node: u32,
    /// `resourceType`
    pub kind: String,
    /// `id`, may be empty.
    pub id: String,
    /// Main code or name in words.
    pub code: String,
    /// Main date.
    pub date: String,
    /// First source: HL7 path.
    pub source: String,
    /// Its file.
    pub file: String,
}

/// Elements that say what a resource is about, in order of preference.
const CODES: &[&str] = &[
    "code",
    "medicationCodeableConcept",
    "vaccineCode",
    "type",
    "category",
    "class",
];
/// Elements that say when.
const DATES: &[&str] = &[
    "effectiveDateTime",
    "authoredOn",
    "onsetDateTime",
    "performedDateTime",
    "occurrenceDateTime",
    "recordedDate",
    "issued",
    "date",
    "birthDate",
    "timestamp",
    "created",
    "receivedTime",
];
/// Periods that say when.
const PERIODS: &[&str] = &[
    "period",
    "effectivePeriod",
    "performedPeriod",
    "onsetPeriod",
];

/// A FHIR date or time for a narrow column: to the minute, as it stands there.
pub fn minutes(date: &str) -> String {
    date.chars()
        .take(16)
        .map(|c| if c == 'T' { ' ' } else { c })
        .collect()
}

/// Lists the resources of a Bundle, of NDJSON lines or a single one, contained ones left out.
pub fn rows(json: &Json, trace: &TraceIndex) -> Vec<Row> {
    let mut out = Vec::new();
    collect(json, 0, trace, &mut out, 0);
    out
}

fn collect(json: &Json, at: usize, trace: &TraceIndex, out: &mut Vec<Row>, depth: u8) {
    let value = json.value(at);
    let Some(node) = json.nodes().get(at) else {
        return;
    };
    if node.kind == Kind::Array {
        for child in json.children(at).collect::<Vec<_>>() {
            collect(json, child, trace, out, depth);
        }
        return;
    }
    let Some(kind) = value.get("resourceType").text() else {
        return;
    };
    if kind == "Bundle" && depth < 3 {
        for entry in value.get("entry").items() {
            if let Some(resource) = entry.get("resource").at() {
                collect(json, resource, trace, out, depth + 1);
            }
        }
        return;
    }
    let (source, file) = main_source(trace, &json.pointer(at));
    out.push(Row {
        node: crate::json::cut(at),
        id: value.get("id").string(),
        code: main_code(value, &kind),
        date: main_date(value),
        source,
        file,
        kind,
    });
}

/// The segment most of the resource's elements come from, and its file.
fn main_source(trace: &TraceIndex, pointer: &str) -> (String, String) {
    let mut counts: Vec<(&str, u32, u32)> = Vec::new();
    for place in trace
        .from_pointer(pointer)
        .into_iter()
        .flat_map(|h| trace.places(h))
    {
        let segment = trace.path(place).split('-').next().unwrap_or_default();
        match counts
            .iter_mut()
            .find(|c| c.0 == segment && c.1 == place.file)
        {
            Some(c) => c.2 += 1,
            None => counts.push((segment, place.file, 1)),
        }
    }
    let most = counts.iter().map(|c| c.2).max().unwrap_or(0);
    counts
        .iter()
        .find(|c| c.2 == most)
        .map_or_else(Default::default, |c| {
            (c.0.to_owned(), trace.file_name(c.1).to_owned())
        })
}

fn main_code(resource: Value<'_>, kind: &str) -> String {
    if matches!(
        kind,
        "Patient"
            | "Practitioner"
            | "Organization"
            | "Location"
            | "RelatedPerson"
            | "PractitionerRole"
    ) {
        let name = resource.get("name");
        if let Some(text) = name.text() {
            return text;
        }
        for one in name.items() {
            if let Some(text) = one.get("text").text() {
                return text;
            }
            let family = one.get("family").string();
            if !family.is_empty() {
                return format!("{family} {}", one.get("given").item(0).string())
                    .trim_end()
                    .to_owned();
            }
        }
    }
    CODES
        .iter()
        .map(|c| concept(resource.get(c)))
        .find(|t| !t.is_empty())
        .unwrap_or_default()
}

/// Words of a `CodeableConcept`, `Coding`, or of the first of a list of them.
fn concept(v: Value<'_>) -> String {
    let v = if v.item(0).at().is_some()
        && v.get("coding").at().is_none()
        && v.get("text").at().is_none()
        && v.get("code").at().is_none()
    {
        v.item(0)
    } else {
        v
    };
    if let Some(text) = v.get("text").text() {
        return text;
    }
    for coding in v.get("coding").items().chain(std::iter::once(v)) {
        if let Some(text) = coding
            .get("display")
            .text()
            .or_else(|| coding.get("code").text())
        {
            return text;
        }
    }
    v.text().unwrap_or_default()
}

fn main_date(resource: Value<'_>) -> String {
    DATES
        .iter()
        .find_map(|d| resource.get(d).text())
        .or_else(|| {
            PERIODS
                .iter()
                .find_map(|p| resource.get(p).get("start").text())
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_at_the_minute() {
        assert_eq!(minutes("2026-04-01T09:30:15.1+09:00"), "2026-04-01 09:30");
        assert_eq!(
            (minutes("2026-04"), minutes("")),
            ("2026-04".into(), String::new())
        );
    }

    #[test]
    fn each_resource_shows_code_date_and_source() {
        let doc = r#"{"resourceType":"Bundle","entry":[
          {"resource":{"resourceType":"Patient","id":"p","name":[{"family":"山田","given":["太郎"]}],"birthDate":"1980-04-02"}},
          {"resource":{"resourceType":"Observation","code":{"coding":[{"code":"3A01","display":"総蛋白"}]},"effectiveDateTime":"2026-04-01"}},
          {"resource":{"resourceType":"Encounter","class":{"code":"IMP"},"period":{"start":"2026-04-01"}}}]}"#;
        let trace =
            r#"{"files":["f"],"paths":["OBX-3.1"],"hits":[["/entry/1/resource/code",0,0,1,2,0]]}"#;
        let j = Json::parse(doc.into()).unwrap();
        let mut t = TraceIndex::default();
        t.add_text(trace.into());
        let rows = rows(&j, &t);
        let shown: Vec<_> = rows
            .iter()
            .map(|r| {
                (
                    r.kind.as_str(),
                    r.code.as_str(),
                    r.date.as_str(),
                    r.source.as_str(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("Patient", "山田 太郎", "1980-04-02", ""),
                ("Observation", "総蛋白", "2026-04-01", "OBX"),
                ("Encounter", "IMP", "2026-04-01", "")
            ]
        );
    }

    #[test]
    fn ndjson_and_single_resources_are_listed_too() {
        let j = Json::parse_lines(b"{\"resourceType\":\"A\"}\n{\"resourceType\":\"B\"}".to_vec())
            .unwrap();
        assert_eq!(rows(&j, &TraceIndex::default()).len(), 2);
        let j = Json::parse(b"{\"resourceType\":\"A\",\"category\":[{\"text\":\"t\"}]}".to_vec())
            .unwrap();
        assert_eq!(rows(&j, &TraceIndex::default())[0].code, "t");
    }
}
