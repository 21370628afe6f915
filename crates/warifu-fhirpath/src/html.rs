//! What a narrative may contain: FHIR R4 §2.4.0 (`txt-1`, `txt-2`).

use crate::text::entity_char;

/// Why a `div` is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HtmlError {
    /// Not one `div` of the XHTML namespace.
    #[error("not a div in the XHTML namespace")]
    Root,
    /// Not well-formed, at this byte.
    #[error("not well-formed at byte {0}")]
    Syntax(usize),
    /// A CDATA section, a processing instruction or a declaration, at this byte.
    #[error("CDATA, a processing instruction or a declaration at byte {0}")]
    Markup(usize),
    /// An element that is not allowed, at this byte.
    #[error("an element that is not allowed at byte {0}")]
    Element(usize),
    /// An attribute that is not allowed, at this byte.
    #[error("an attribute that is not allowed at byte {0}")]
    Attribute(usize),
    /// An element that may not stand in the one around it, at this byte.
    #[error("an element inside one that cannot hold it at byte {0}")]
    Nesting(usize),
    /// A link or image that leads nowhere, at this byte.
    #[error("a link to nothing at byte {0}")]
    Link(usize),
    /// Neither text nor an image.
    #[error("no content")]
    Empty,
}

/// Elements that no paragraph holds, HTML 4.01 §9.3.1.
const BLOCKS: &[&str] = &[
    "address",
    "blockquote",
    "div",
    "dl",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "ol",
    "p",
    "pre",
    "table",
    "ul",
];

const XHTML: &str = "http://www.w3.org/1999/xhtml";

const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "area",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "kbd",
    "li",
    "map",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
    "var",
];

const ATTRIBUTES: &[&str] = &[
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "colspan",
    "compact",
    "coords",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "ismap",
    "lang",
    "longdesc",
    "name",
    "nohref",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "type",
    "usemap",
    "valign",
    "value",
    "vspace",
    "width",
    "xml:base",
    "xml:lang",
    "xml:space",
    "xmlns",
];

/// Elements inside each other, at most.
const DEPTH: usize = 200;

fn name_end(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, ':' | '-' | '_' | '.'))
        .unwrap_or(text.len())
}

/// Whether XML 1.0 §2.2 has the character; of its exceptions those that JSON can hold.
fn is_of_xml(c: char) -> bool {
    c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}') || matches!(c, '\t' | '\n' | '\r')
}

/// Whether each `&` begins a reference to a character.
fn references(text: &str, at: usize) -> Result<(), HtmlError> {
    let mut from = 0;
    while let Some(n) = text.get(from..).and_then(|t| t.find('&')) {
        let start = from + n + 1;
        let rest = text.get(start..).unwrap_or_default();
        let end = rest.find(';').filter(|e| *e > 0 && *e < 12);
        // XML has five names for characters; those of HTML are not defined here.
        let good = end
            .and_then(|e| rest.get(..e))
            .is_some_and(|name| name != "nbsp" && entity_char(name).is_some_and(is_of_xml));
        if !good {
            return Err(HtmlError::Syntax(at + start - 1));
        }
        from = start;
    }
    Ok(())
}

/// Checks the text of `Narrative.div`: one well-formed `div`, only the elements and attributes that
/// are allowed, no script, some content. Gives the places and ids (`#id`) that it points at and that are
/// not in the text itself: they may be elsewhere in the resource.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_narrative(text: &str) -> Result<Vec<(usize, &str)>, HtmlError> {
    let mut open: Vec<&str> = Vec::new();
    let mut content = false;
    let mut ids: Vec<&str> = Vec::new();
    let mut links: Vec<(usize, &str)> = Vec::new();
    let mut at = text.len() - text.trim_start().len();
    let body = text.trim_end();
    let begins = |mark| body.get(at..).is_some_and(|b| b.starts_with(mark));
    if begins("<?") || begins("<!") && !begins("<!--") {
        return Err(HtmlError::Markup(at));
    }
    if !begins("<div") {
        return Err(HtmlError::Root);
    }
    if let Some((at, _)) = body.char_indices().find(|(_, c)| !is_of_xml(*c)) {
        return Err(HtmlError::Syntax(at));
    }
    let mut first = true;
    while at < body.len() {
        if open.is_empty() && !first {
            return Err(HtmlError::Root);
        }
        let rest = body.get(at..).unwrap_or_default();
        let Some(tag) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let run = rest.get(..end).unwrap_or_default();
            references(run, at)?;
            content |= !run.trim().is_empty();
            at += end;
            continue;
        };
        if let Some(comment) = tag.strip_prefix("!--") {
            // XML 1.0 §2.5: two hyphens end a comment.
            let end = comment.find("--").ok_or(HtmlError::Syntax(at))?;
            if comment.as_bytes().get(end + 2) != Some(&b'>') {
                return Err(HtmlError::Syntax(at));
            }
            at += end + 7;
            continue;
        }
        if tag.starts_with(['!', '?']) {
            return Err(HtmlError::Markup(at));
        }
        if let Some(close) = tag.strip_prefix('/') {
            let end = name_end(close);
            let name = close.get(..end).unwrap_or_default();
            let space = close.get(end..).unwrap_or_default();
            let trimmed = space.trim_start();
            if open.pop() != Some(name) || !trimmed.starts_with('>') {
                return Err(HtmlError::Syntax(at));
            }
            at += 2 + end + (space.len() - trimmed.len()) + 1;
            continue;
        }
        let end = name_end(tag);
        let name = tag.get(..end).unwrap_or_default();
        if !ELEMENTS.contains(&name) {
            return Err(if name.is_empty() {
                HtmlError::Syntax(at)
            } else {
                HtmlError::Element(at)
            });
        }
        let inside = |outer: &str| open.contains(&outer);
        if BLOCKS.contains(&name) && inside("p") || name == "a" && inside("a") {
            return Err(HtmlError::Nesting(at));
        }
        content |= name == "img";
        let start = at;
        at += 1 + end;
        let mut namespace = false;
        let mut seen: Vec<&str> = Vec::new();
        let closed = loop {
            let rest = body.get(at..).unwrap_or_default();
            let trimmed = rest.trim_start();
            let space = rest.len() - trimmed.len();
            at += space;
            if trimmed.starts_with("/>") {
                at += 2;
                break true;
            }
            if trimmed.starts_with('>') {
                at += 1;
                break false;
            }
            let end = name_end(trimmed);
            let key = trimmed.get(..end).unwrap_or_default();
            if end == 0 || space == 0 || seen.contains(&key) {
                return Err(HtmlError::Syntax(at));
            }
            seen.push(key);
            if !ATTRIBUTES.contains(&key) {
                return Err(HtmlError::Attribute(at));
            }
            let after = trimmed.get(end..).unwrap_or_default().trim_start();
            let quoted = after.strip_prefix('=').map(str::trim_start);
            let quoted = quoted.ok_or(HtmlError::Syntax(at))?;
            let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''));
            let quote = quote.ok_or(HtmlError::Syntax(at))?;
            let inner = quoted.get(1..).unwrap_or_default();
            let length = inner.find(quote).ok_or(HtmlError::Syntax(at))?;
            let value = inner.get(..length).unwrap_or_default();
            if value.contains('<') {
                return Err(HtmlError::Syntax(at));
            }
            references(value, at)?;
            let lower = value.trim().to_ascii_lowercase();
            if matches!(key, "href" | "src" | "cite" | "longdesc")
                && (lower.starts_with("javascript:") || lower.starts_with("vbscript:"))
            {
                return Err(HtmlError::Attribute(at));
            }
            match key {
                "xmlns" if value == XHTML => namespace = true,
                "xmlns" if !first => return Err(HtmlError::Attribute(at)),
                "id" => ids.push(value),
                "name" if name == "a" => ids.push(value),
                "href" | "src" => match value.strip_prefix('#') {
                    Some(id) => links.push((at, id)),
                    None if value.is_empty() => return Err(HtmlError::Link(at)),
                    None => {}
                },
                _ => {}
            }
            at += trimmed.len() - inner.len() + length + 1;
        };
        if first && !(name == "div" && namespace) {
            return Err(HtmlError::Root);
        }
        first = false;
        if !closed {
            open.push(name);
            if open.len() > DEPTH {
                return Err(HtmlError::Syntax(start));
            }
        }
    }
    if !open.is_empty() {
        return Err(HtmlError::Syntax(body.len()));
    }
    links.retain(|(_, id)| !ids.contains(id));
    if content {
        Ok(links)
    } else {
        Err(HtmlError::Empty)
    }
}

#[cfg(test)]
mod tests {
    use super::{HtmlError as E, check_narrative};

    fn div(inner: &str) -> Result<(), E> {
        links(inner).map(|_| ())
    }

    fn links(inner: &str) -> Result<Vec<String>, E> {
        let text = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inner}</div>");
        let links = check_narrative(&text)?;
        Ok(links.into_iter().map(|(_, id)| id.to_owned()).collect())
    }

    #[test]
    fn what_is_allowed() {
        for good in [
            "氏名",
            "<p class='a'>x<br/>y &lt; &#x5272; &#xa9;</p>",
            "<!-- c --><img src=\"a.png\" alt=\"b\" />",
            "<kbd>Ctrl</kbd><bdo dir='rtl'>x</bdo>",
            "<address>x</address><a href='#b'>y</a><p id='b'>z</p>",
            "<table ><tr><td colspan=\"2\">1</td ></tr></table>",
        ] {
            assert_eq!(div(good), Ok(()), "{good}");
        }
        assert_eq!(check_narrative("<p>x</p>"), Err(E::Root));
        assert_eq!(check_narrative("<div>x</div>"), Err(E::Root));
        assert_eq!(div(" <br/> "), Err(E::Empty));
        assert_eq!(div("<script>x</script>"), Err(E::Element(42)));
        assert!(matches!(div("<p onclick='x'>x</p>"), Err(E::Attribute(_))));
        assert!(matches!(
            div("<a href=' JavaScript:x'>x</a>"),
            Err(E::Attribute(_))
        ));
        for bad in [
            "<p><ul><li>x</li></ul></p>",
            "<p><b><p>x</p></b></p>",
            "<a>x<b><a>y</a></b></a>",
        ] {
            assert!(matches!(div(bad), Err(E::Nesting(_))), "{bad}");
        }
        assert!(matches!(div("<a href=''>x</a>"), Err(E::Link(_))));
        for bad in ["<![CDATA[x]]>", "x<?p q?>", "<!DOCTYPE p>x"] {
            assert!(matches!(div(bad), Err(E::Markup(_))), "{bad}");
        }
        let root = "<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>";
        let with = |before: &str| format!("{before}{root}");
        assert_eq!(
            check_narrative(&with("<?xml version='1.0'?>")),
            Err(E::Markup(0))
        );
        assert_eq!(check_narrative(&with("<!-- c -->")), Err(E::Root));
        let elsewhere = "<a href='#b'>x</a><img src='#c'/><a name='d'>y</a><a href='#d'>z</a>";
        assert_eq!(links(elsewhere), Ok(vec!["b".to_owned(), "c".to_owned()]));
        assert!(matches!(
            div("<p xmlns='http://o.org'>x</p>"),
            Err(E::Attribute(_))
        ));
        for bad in [
            "<p>x",
            "x & y",
            "&nbsp;",
            "&foo;",
            "&AMP;",
            "&#0;",
            "<p>x</b>",
            "<p class=a>x</p>",
            "</div><div>x",
            "<",
            "<!-- ",
            "<!-- a -- b -->x",
            "<!-- a --->x",
            "x&#1;",
            "x&#xFFFF;",
            "x\u{1}",
            "<p id='a' id='b'>x</p>",
        ] {
            assert!(
                matches!(div(bad), Err(E::Syntax(_) | E::Root)),
                "{bad}: {:?}",
                div(bad)
            );
        }
    }
}
