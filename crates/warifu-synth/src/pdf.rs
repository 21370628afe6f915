//! The smallest PDF a viewer opens: one page, one line of Latin text, a right cross-reference table.

use std::fmt::Write as _;

/// A one-page PDF 1.4 that shows `line` (ASCII without parentheses or backslash).
pub fn one_page(line: &str) -> Vec<u8> {
    let content = format!("BT /F1 18 Tf 72 720 Td ({line}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!(
            "<< /Length {} >>\nstream\n{content}\nendstream",
            content.len()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = String::from("%PDF-1.4\n");
    // Writing to a `String` cannot fail.
    let mut table = String::from("0000000000 65535 f \n");
    for (number, object) in (1..).zip(&objects) {
        let _ = writeln!(table, "{:010} 00000 n ", out.len());
        let _ = write!(out, "{number} 0 obj\n{object}\nendobj\n");
    }
    let start = out.len();
    let size = objects.len() + 1;
    let _ = write!(
        out,
        "xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    );
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cross_reference_points_at_its_object() {
        let text = String::from_utf8(one_page("WARIFU")).expect("ASCII");
        let (body, tail) = text.split_once("xref\n0 6\n").expect("table");
        for (number, entry) in tail.lines().take(6).enumerate().skip(1) {
            let offset: usize = entry[..10].parse().expect("offset");
            assert!(body[offset..].starts_with(&format!("{number} 0 obj")));
        }
        let start: usize = tail
            .lines()
            .rev()
            .nth(1)
            .and_then(|line| line.parse().ok())
            .expect("startxref");
        assert_eq!(start, body.len());
    }
}
