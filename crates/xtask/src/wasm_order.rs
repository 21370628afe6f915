//! The order of a module's functions: likes beside each other.
//!
//! gzip finds repetitions no farther back than 32 kB, and a module is many times as long. The linker
//! leaves functions as the compiler made them; in this order the converter is 21 kB smaller after gzip.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context as _, Result, bail};

use crate::files;

/// Changed with what [`named`] gives, so that modules are made again.
pub(crate) const VERSION: u32 = 4;

/// In how many ways a module is put in order, each from what the one before gave: numbers of functions stand
/// in calls, so any order changes what is alike. The smallest after gzip is kept; they differ by one part in
/// five hundred.
pub(crate) const ROUNDS: usize = 3;

/// How far back is looked in each round: gzip does 32 kB, and the function that is next has to find a place
/// in them.
const WINDOWS: [usize; ROUNDS] = [28 << 10, 28 << 10, 30 << 10];

/// Length of the pieces that functions are compared by.
const PIECE: usize = 6;

/// A piece in more functions than this says nothing.
const COMMON: usize = 1000;

const CODE_SECTION: u8 = 10;

/// The module with a name section that numbers its functions in the order they should have, for
/// `wasm-opt --reorder-functions-by-name`.
#[expect(
    clippy::indexing_slicing,
    reason = "the numbers are of functions that were counted here"
)]
pub(crate) fn named(module: &[u8], round: usize) -> Result<Vec<u8>> {
    let (imported, bodies) = functions(module)?;
    let mut names = vec![0; bodies.len()];
    for (place, function) in order(&bodies, WINDOWS[round]).into_iter().enumerate() {
        names[function] = place;
    }
    let mut map = Vec::new();
    leb(&mut map, names.len());
    for (function, place) in names.iter().enumerate() {
        leb(&mut map, imported + function);
        string(&mut map, &format!("{place:06}"));
    }
    let mut content = Vec::new();
    string(&mut content, "name");
    content.push(1); // names of functions
    leb(&mut content, map.len());
    content.extend(map);
    let mut named = module.to_vec();
    named.push(0); // a custom section
    leb(&mut named, content.len());
    named.extend(content);
    Ok(named)
}

/// Each function after those it shares most with, as far as gzip still sees them.
#[expect(
    clippy::indexing_slicing,
    reason = "the numbers are of functions that were counted here"
)]
fn order(bodies: &[&[u8]], reach: usize) -> Vec<usize> {
    let pieces: Vec<Vec<u64>> = bodies.iter().map(|body| pieces(body)).collect();
    let mut holders: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (function, pieces) in pieces.iter().enumerate() {
        for piece in pieces {
            holders.entry(*piece).or_default().push(function);
        }
    }
    holders.retain(|_, functions| (2..=COMMON).contains(&functions.len()));

    // How many pieces of a function stand in the window, and how often a piece does.
    let mut shared = vec![0_usize; bodies.len()];
    let mut count: BTreeMap<u64, usize> = BTreeMap::new();
    let mut window = VecDeque::new();
    let mut length = 0;
    let mut left: Vec<usize> = (0..bodies.len()).collect();
    let mut order = Vec::with_capacity(bodies.len());
    // Per mille of the function's pieces; of equals the longest, then the first.
    let rank = |shared: &[usize], f: usize| {
        let share = shared[f] * 1000 / (pieces[f].len() + 3);
        (share, bodies[f].len(), usize::MAX - f)
    };
    while let Some(at) = (0..left.len()).max_by_key(|&at| rank(&shared, left[at])) {
        let next = left.swap_remove(at);
        order.push(next);
        window.push_back(next);
        length += bodies[next].len();
        for piece in &pieces[next] {
            let Some(functions) = holders.get(piece) else {
                continue;
            };
            let there = count.entry(*piece).or_insert(0);
            *there += 1;
            if *there == 1 {
                for &f in functions {
                    shared[f] += 1;
                }
            }
        }
        while length > reach && window.len() > 1 {
            let Some(gone) = window.pop_front() else {
                break;
            };
            length -= bodies[gone].len();
            for piece in &pieces[gone] {
                let Some(functions) = holders.get(piece) else {
                    continue;
                };
                let there = count.entry(*piece).or_insert(1);
                *there -= 1;
                if *there == 0 {
                    for &f in functions {
                        shared[f] -= 1;
                    }
                }
            }
        }
    }
    order
}

/// The pieces of a function, each once.
fn pieces(body: &[u8]) -> Vec<u64> {
    let mut hashes: Vec<u64> = body
        .windows(PIECE)
        .map(|piece| files::hash(files::HASH_SEED, piece))
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// How many functions a module imports, and the bodies of its own.
fn functions(module: &[u8]) -> Result<(usize, Vec<&[u8]>)> {
    let mut reader = Reader {
        bytes: module.get(8..).context("no wasm module")?,
    };
    let mut imported = 0;
    while !reader.bytes.is_empty() {
        let id = reader.byte()?;
        let length = reader.leb()?;
        let mut section = Reader {
            bytes: reader.take(length)?,
        };
        if id == 2 {
            for _ in 0..section.leb()? {
                imported += usize::from(section.import()?);
            }
        } else if id == CODE_SECTION {
            let count = section.leb()?;
            let bodies: Result<Vec<&[u8]>> = (0..count)
                .map(|_| {
                    let length = section.leb()?;
                    section.take(length)
                })
                .collect();
            return Ok((imported, bodies?));
        }
    }
    bail!("the module has no code")
}

struct Reader<'m> {
    bytes: &'m [u8],
}

impl<'m> Reader<'m> {
    fn take(&mut self, length: usize) -> Result<&'m [u8]> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(length)
            .context("the module ends early")?;
        self.bytes = rest;
        Ok(taken)
    }
    fn byte(&mut self) -> Result<u8> {
        self.take(1)?
            .first()
            .copied()
            .context("the module ends early")
    }
    fn leb(&mut self) -> Result<usize> {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            value |= usize::from(byte & 0x7F) << shift;
            shift += 7;
            if byte < 0x80 {
                return Ok(value);
            }
            if shift > 28 {
                bail!("a number of the module is too long");
            }
        }
    }
    /// Reads an import; whether it is a function.
    fn import(&mut self) -> Result<bool> {
        for _ in 0..2 {
            let length = self.leb()?;
            self.take(length)?;
        }
        let kind = self.byte()?;
        match kind {
            0 => drop(self.leb()?),
            1 => {
                self.byte()?;
                self.limits()?;
            }
            2 => self.limits()?,
            3 => drop(self.take(2)?),
            _ => bail!("the module imports something unknown"),
        }
        Ok(kind == 0)
    }
    fn limits(&mut self) -> Result<()> {
        let has_maximum = self.byte()? & 1 == 1;
        self.leb()?;
        if has_maximum {
            self.leb()?;
        }
        Ok(())
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    leb(out, text.len());
    out.extend(text.as_bytes());
}

fn leb(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = u8::try_from(value & 0x7F).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likes_stand_beside_each_other_and_nothing_is_lost() {
        let text = |seed: u8| -> Vec<u8> {
            (0..2000_u32)
                .map(|n| {
                    u8::try_from((n * n * 31 + u32::from(seed) * n * 7) >> 3 & 0xFF).unwrap_or(0)
                })
                .collect()
        };
        let bodies = [text(1), text(2), text(3), text(1), text(2), text(3)];
        let slices: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        let order = order(&slices, WINDOWS[0]);
        let kinds: Vec<usize> = order.iter().map(|f| f % 3).collect();
        let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(changes, 2, "{order:?}");
        let mut all = order;
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn functions_are_numbered_behind_the_imported_ones() {
        // One imported function of type 0; two own ones: `(func)` and `(func i32.const 0 drop)`.
        let module = b"\0asm\x01\0\0\0\
            \x01\x04\x01\x60\0\0\
            \x02\x07\x01\x01a\x01b\0\0\
            \x03\x03\x02\0\0\
            \x0A\x0A\x02\x02\0\x0B\x05\0\x41\0\x1A\x0B";
        let (imported, bodies) = functions(module).unwrap();
        assert_eq!(imported, 1);
        assert_eq!(bodies, [&b"\0\x0B"[..], &b"\0\x41\0\x1A\x0B"[..]]);
        let named = named(module, 0).unwrap();
        let section = &named[module.len()..];
        // The longer one comes first: nothing is shared.
        assert_eq!(
            section,
            b"\0\x18\x04name\x01\x11\x02\x01\x06000001\x02\x06000000"
        );
        assert!(functions(b"\0asm\x01\0\0\0\x0A\x7F").is_err());
    }
}
