//! The share fragment: `#v1.` + base64url(deflate-raw(JSON)).
//!
//! The browser deflates and inflates; this module writes and reads what is inside and judges
//! lengths.

use crate::json::{Json, quote};
use crate::settings::Settings;

/// Longest fragment that is made or read, in characters.
pub const LIMIT: usize = 8_192;
/// Head of a fragment.
pub const PREFIX: &str = "v1.";

/// What a link carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shared {
    /// Settings.
    pub settings: Settings,
    /// Example to open.
    pub example: Option<String>,
    /// Own content: name and bytes. Only after the warning was answered.
    pub content: Option<(String, Vec<u8>)>,
}

impl Shared {
    /// Writes the JSON. Bytes become one character each, which deflates best for ISO-2022-JP.
    pub fn to_json(&self) -> String {
        let mut out = format!("{{\"settings\":{}", self.settings.to_json());
        if let Some(example) = &self.example {
            out.push_str(",\"example\":");
            quote(example, &mut out);
        }
        if let Some((name, bytes)) = &self.content {
            out.push_str(",\"name\":");
            quote(name, &mut out);
            out.push_str(",\"bytes\":");
            quote(
                &bytes.iter().map(|&b| char::from(b)).collect::<String>(),
                &mut out,
            );
        }
        out.push('}');
        out
    }

    /// Reads the JSON; `None` when it is not ours.
    pub fn read(bytes: Vec<u8>) -> Option<Self> {
        let json = Json::parse(bytes).ok()?;
        let root = json.root();
        root.get("settings").at()?;
        let content = match root.get("bytes").text() {
            Some(text) => {
                let bytes = text
                    .chars()
                    .map(|c| u8::try_from(u32::from(c)).ok())
                    .collect::<Option<Vec<u8>>>()?;
                Some((root.get("name").string(), bytes))
            }
            None => None,
        };
        Some(Self {
            settings: Settings::read(root.get("settings")),
            example: root.get("example").text(),
            content,
        })
    }
}

/// Fragment for deflated bytes; `None` when it is longer than [`LIMIT`].
pub fn fragment(deflated: &[u8]) -> Option<String> {
    let out = format!("{PREFIX}{}", encode(deflated));
    (out.len() <= LIMIT).then_some(out)
}

/// Deflated bytes of a fragment (with or without `#`); `None` when it is not one.
pub fn payload(fragment: &str) -> Option<Vec<u8>> {
    if fragment.len() > LIMIT + 1 {
        return None;
    }
    decode(fragment.trim_start_matches('#').strip_prefix(PREFIX)?)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0u32, |n, &b| n << 8 | u32::from(b)) << (8 * (3 - chunk.len()));
        for i in 0..=chunk.len() {
            let six = n >> (18 - 6 * i) & 63;
            out.push(ALPHABET.get(six as usize).map_or('A', |&b| char::from(b)));
        }
    }
    out
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        if chunk.len() == 1 {
            return None;
        }
        let mut n = 0u32;
        for &c in chunk {
            let six = ALPHABET.iter().position(|&a| a == c)?;
            n = n << 6 | u32::try_from(six).ok()?;
        }
        n <<= 6 * (4 - chunk.len());
        let whole = n.to_be_bytes();
        out.extend(whole.iter().skip(1).take(chunk.len() - 1));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
    use proptest::prelude::*;
    use std::io::{Read, Write};

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut e = DeflateEncoder::new(Vec::new(), Compression::best());
        e.write_all(bytes).unwrap();
        e.finish().unwrap()
    }

    fn inflate(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        DeflateDecoder::new(bytes).read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn a_link_carries_settings_and_content_unchanged() {
        let shared = Shared {
            settings: Settings {
                strict: true,
                ..Settings::default()
            },
            example: Some("adt-00".into()),
            content: Some(("a\"b".into(), (0..=255).collect())),
        };
        let link = fragment(&deflate(shared.to_json().as_bytes())).unwrap();
        assert!(link.starts_with("v1."));
        assert_eq!(
            Shared::read(inflate(&payload(&format!("#{link}")).unwrap())),
            Some(shared)
        );
    }

    #[test]
    fn a_message_of_3500_bytes_fits_and_noise_does_not() {
        let message = "OBX|1|NM|3A010000002327201^\x1b$BAmC1Gr\x1b(B^JC10||7.1|g/dL^g/dL^UCUM|6.7-8.3|N|||F\r".repeat(45);
        let shared = Shared {
            content: Some(("m".into(), message.into_bytes())),
            ..Shared::default()
        };
        assert!(
            fragment(&deflate(shared.to_json().as_bytes()))
                .unwrap()
                .len()
                < 1_400
        );
        let noise: Vec<u8> = (0u32..9_000)
            .map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[2])
            .collect();
        assert_eq!(fragment(&noise), None);
    }

    #[test]
    fn foreign_fragments_are_refused() {
        for text in ["", "#", "#v2.AAAA", "#v1.A", "#v1.AA*A", "#v1.山"] {
            assert_eq!(payload(text), None, "{text}");
        }
        assert_eq!(payload(&format!("#v1.{}", "A".repeat(9_000))), None);
        assert_eq!(Shared::read(b"{}".to_vec()), None);
        assert_eq!(
            Shared::read("{\"settings\":{},\"bytes\":\"山\"}".into()),
            None
        );
    }

    proptest! {
        #[test]
        fn base64url_reads_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = encode(&bytes);
            prop_assert!(text.bytes().all(|b| ALPHABET.contains(&b)));
            prop_assert_eq!(decode(&text), Some(bytes));
        }
    }
}
