//! Token Status List, one bit a token (IETF draft-ietf-oauth-status-list; consent.md §8.5).

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use crate::accept::StatusNow;
use crate::b64;
use crate::claims::{DAY, Typ};
use crate::json::object;
use crate::jws::{KeyRing, MakeError, Moment, make, open};
use crate::key::Signer;
use crate::policy::Policy;
use crate::reason::{Reason, Refusal};

/// Fewest entries of a list, so that one entry hides among many.
pub const LEAST_ENTRIES: usize = 131_072;
/// Most bytes a list may unfold to: eight million entries.
const MOST_BYTES: usize = 1 << 20;
/// Seconds until a list should be fetched again.
const TTL: u64 = 300;

/// A verified list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    /// Its address.
    pub uri: String,
    /// When it was signed.
    pub iat: u64,
    bits: Vec<u8>,
}

impl StatusList {
    /// Reads a list that was fetched from `uri`; `seen` is the newest `iat` known of it.
    ///
    /// # Errors
    /// Steps 1–10; `STATUS_LIST` for another address, other bits, a list too large or too small;
    /// `STATUS_STALE` for one older than seen; `STATUS_UNAVAILABLE` for an expired one.
    pub fn read(
        token: &str,
        uri: &str,
        keys: &dyn KeyRing,
        now: u64,
        seen: Option<u64>,
    ) -> Result<Self, Refusal> {
        let token = open(token, &[Typ::StatusList], keys, Moment::now(now))?;
        let list = token.claims.get("status_list");
        let one_bit = list.and_then(|l| l.get("bits")?.int()) == Some(1);
        if token.text("sub") != uri || !one_bit {
            return Err(Reason::StatusList.of("sub"));
        }
        let lst = list
            .and_then(|l| l.get("lst")?.text())
            .and_then(b64::decode);
        let bits = lst
            .and_then(|z| unfold(&z))
            .filter(|b| b.len() * 8 >= LEAST_ENTRIES)
            .ok_or(Reason::StatusList.of("status_list"))?;
        let iat = token.int("iat").unwrap_or(0);
        if iat > now + 60 {
            return Err(Reason::NotYet.of("iat"));
        }
        if seen.is_some_and(|seen| iat < seen) {
            return Err(Reason::StatusStale.of("iat"));
        }
        if token.int("exp").is_none_or(|exp| exp <= now) {
            return Err(Reason::StatusUnavailable.of("exp"));
        }
        Ok(Self {
            uri: uri.to_owned(),
            iat,
            bits,
        })
    }

    /// Whether the entry's token ended.
    ///
    /// # Errors
    /// `STATUS_INDEX` beyond the end.
    pub fn ended(&self, idx: u64) -> Result<bool, Reason> {
        let byte = usize::try_from(idx / 8)
            .ok()
            .and_then(|at| self.bits.get(at));
        byte.map(|b| b >> (idx % 8) & 1 == 1)
            .ok_or(Reason::StatusIndex)
    }

    /// State of an entry by the age of the list: fresh, usable for emergencies, or not at all.
    ///
    /// # Errors
    /// `STATUS_INDEX` beyond the end.
    pub fn state(&self, idx: u64, policy: &Policy, now: u64) -> Result<StatusNow, Reason> {
        let age = now.saturating_sub(self.iat);
        Ok(match self.ended(idx)? {
            true => StatusNow::Revoked,
            false if age <= policy.status_fresh => StatusNow::Valid,
            false if age <= policy.status_usable => StatusNow::Stale,
            false => StatusNow::Unavailable,
        })
    }
}

/// The bytes of a zlib stream, if it is one and nothing else, and they are not too many.
fn unfold(zlib: &[u8]) -> Option<Vec<u8>> {
    let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut state = DecompressorOxide::new();
    let mut out = vec![0; LEAST_ENTRIES / 8];
    let (mut read, mut written) = (0, 0);
    loop {
        let (status, more, wrote) =
            decompress(&mut state, zlib.get(read..)?, &mut out, written, flags);
        read += more;
        written += wrote;
        match status {
            TINFLStatus::Done => {
                out.truncate(written);
                return (read == zlib.len()).then_some(out);
            }
            TINFLStatus::HasMoreOutput if out.len() < MOST_BYTES => {
                out.resize((out.len() * 2).min(MOST_BYTES), 0);
            }
            _ => return None,
        }
    }
}

/// Signs a list; `ended` are the indexes of ended tokens, `entries` its size.
///
/// # Errors
/// [`MakeError`]; `STATUS_INDEX` and `STATUS_LIST` for sizes that no reader takes.
pub fn make_status_list(
    uri: &str,
    entries: usize,
    ended: &[u64],
    iat: u64,
    signer: &dyn Signer,
) -> Result<String, MakeError> {
    if !(LEAST_ENTRIES..=MOST_BYTES * 8).contains(&entries) {
        return Err(Refusal::from(Reason::StatusList).into());
    }
    let mut bits = vec![0_u8; entries.div_ceil(8)];
    for idx in ended {
        let byte = usize::try_from(idx / 8)
            .ok()
            .and_then(|at| bits.get_mut(at));
        *byte.ok_or(Refusal::from(Reason::StatusIndex))? |= 1 << (idx % 8);
    }
    let list = object([
        ("bits", 1.into()),
        ("lst", b64::encode(&compress_to_vec_zlib(&bits, 6)).into()),
    ]);
    let claims = object([
        ("sub", uri.into()),
        ("iat", iat.into()),
        ("exp", (iat + DAY).into()),
        ("ttl", TTL.into()),
        ("status_list", list),
    ]);
    make(Typ::StatusList, claims, signer)
}
