//! Tables of texts without their addresses and lengths, which would be a quarter of the data after
//! gzip: a function that runs when the module starts puts them back.
//!
//! A *slot* is where the data hold an address of data, mostly with a length behind it. Slots are
//! chained in ascending order. The lowest byte of a slot says how many words farther the next one is,
//! zero at the end of a chain; the other 24 bits say what stands there:
//!
//! - 0 or 1: the next text of ASCII, or of anything else, and its length. Texts end with a zero; the
//!   next one begins behind it ([`crate::lay`] sees to that).
//! - below 2^18: a copy of the address and the length so many words before.
//! - else an address in the lower 22 bits; what stands behind it is left alone. With bit 23 it is that
//!   of a text, with bit 22 of one not of ASCII: the next text is looked for behind it.
//!
//! Large tables of bytes that mostly ascend are written as differences ([`deltas`]).

#![expect(
    clippy::indexing_slicing,
    reason = "places of slots were found in the image"
)]

use std::{collections::BTreeMap, io::Write as _, ops::Range};

use anyhow::{Result, ensure};
use flate2::{Compression, write::GzEncoder};
use wasm_encoder::{BlockType, Function, Instruction, MemArg, ValType};

const WORD: usize = 4;
/// Operations below this copy.
const ADDRESSES: u32 = 1 << 18;
const OTHER: u32 = 1 << 22;
const TEXT: u32 = 1 << 23;

/// Bytes after gzip that differences must save.
const LEAST_GAIN: usize = 64;

/// Memory as a module fills it.
pub(crate) struct Image<'i> {
    /// Address of the first byte.
    pub(crate) base: u32,
    pub(crate) bytes: &'i mut [u8],
}

impl Image<'_> {
    fn word(&self, at: usize) -> u32 {
        let mut word = [0; WORD];
        word.copy_from_slice(&self.bytes[at..at + WORD]);
        u32::from_le_bytes(word)
    }
    fn set(&mut self, at: usize, word: u32) {
        self.bytes[at..at + WORD].copy_from_slice(&word.to_le_bytes());
    }
}

/// Writes tables as differences from byte to byte where that is smaller after gzip; gives their
/// addresses, from and to.
pub(crate) fn deltas(image: &mut Image<'_>, tables: &[Range<usize>]) -> Result<Vec<[u32; 2]>> {
    let mut found = Vec::new();
    for table in tables {
        let plain = &image.bytes[table.clone()];
        let mut before = 0;
        let differences: Vec<u8> = plain
            .iter()
            .map(|byte| byte.wrapping_sub(std::mem::replace(&mut before, *byte)))
            .collect();
        if gzip_size(&differences)? + LEAST_GAIN < gzip_size(plain)? {
            image.bytes[table.clone()].copy_from_slice(&differences);
            let address = |at: usize| Ok::<_, anyhow::Error>(image.base + u32::try_from(at)?);
            found.push([address(table.start)?, address(table.end)?]);
        }
    }
    Ok(found)
}

fn gzip_size(content: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?.len())
}

/// The function of wasm that makes sums of what [`deltas`] wrote, between two addresses.
pub(crate) fn summer() -> Function {
    use Instruction as I;
    const AT: u32 = 0;
    const END: u32 = 1;
    const SUM: u32 = 2;
    let byte = MemArg {
        offset: 0,
        align: 0,
        memory_index: 0,
    };
    let mut function = Function::new([(1, ValType::I32)]);
    for instruction in [
        I::Loop(BlockType::Empty),
        I::LocalGet(AT),
        I::LocalGet(AT),
        I::I32Load8U(byte),
        I::LocalGet(SUM),
        I::I32Add,
        I::LocalTee(SUM),
        I::I32Store8(byte),
        I::LocalGet(AT),
        I::I32Const(1),
        I::I32Add,
        I::LocalTee(AT),
        I::LocalGet(END),
        I::I32LtU,
        I::BrIf(0),
        I::End,
        I::End,
    ] {
        function.instruction(&instruction);
    }
    function
}

/// Packs slots of an image; gives the addresses where chains start.
///
/// `slots` are places in the image, ascending, each with whether the word behind it is the module's own
/// and no slot. `text` is the length of the text at a place that ends with a zero, and whether it is
/// ASCII.
pub(crate) fn pack(
    image: &mut Image<'_>,
    slots: &[(usize, bool)],
    text: impl Fn(usize) -> Option<(u32, bool)>,
) -> Result<Vec<u32>> {
    let plain = image.bytes.to_vec();
    let mut starts: Vec<usize> = Vec::new();
    let mut last: Option<usize> = None;
    let mut next = [0, 0];
    let mut seen: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for &(slot, paired) in slots {
        let address = image.word(slot);
        ensure!(
            (ADDRESSES..OTHER).contains(&address),
            "the address {address} cannot be packed"
        );
        let steps = last
            .map(|last| (slot - last) / WORD)
            .and_then(|steps| u8::try_from(steps).ok());
        if let (Some(last), Some(steps)) = (last, steps) {
            image.bytes[last] = steps;
        } else {
            starts.push(slot);
            next = [0, 0];
        }
        last = Some(slot);

        let length = if paired { image.word(slot + WORD) } else { 0 };
        let found = Some(address)
            .filter(|_| paired)
            .and_then(|address| text(usize::try_from(address - image.base).ok()?))
            .filter(|(found, _)| *found == length);
        let back = seen
            .get(&(address, length))
            .filter(|_| paired)
            .and_then(|before| u32::try_from((slot - before) / WORD).ok())
            .filter(|words| *words < ADDRESSES);
        let operation = match (back, found) {
            (Some(words), _) => words,
            (None, Some((_, ascii))) => {
                let kind = u32::from(!ascii);
                let behind = &mut next[usize::from(!ascii)];
                let jump = address | TEXT | (OTHER * kind);
                // Backwards lies what others hold too: the next text is not behind that.
                let operation = match address.cmp(behind) {
                    std::cmp::Ordering::Less => address,
                    std::cmp::Ordering::Equal => kind,
                    std::cmp::Ordering::Greater => jump,
                };
                if operation != address {
                    *behind = address + length + 1;
                }
                operation
            }
            (None, None) => address,
        };
        image.set(slot, operation << 8);
        if paired {
            if operation != address {
                image.set(slot + WORD, 0);
            }
            seen.insert((address, length), slot);
        }
    }
    let starts = starts
        .into_iter()
        .map(|start| Ok(image.base + u32::try_from(start)?))
        .collect::<Result<Vec<u32>>>()?;

    let mut unpacked = Image {
        base: image.base,
        bytes: &mut image.bytes.to_vec(),
    };
    for start in &starts {
        unpack(&mut unpacked, usize::try_from(start - image.base)?);
    }
    ensure!(
        unpacked.bytes == plain,
        "what was packed does not unpack to the same"
    );
    Ok(starts)
}

/// Unpacks one chain: what [`unpacker`] does in the module.
fn unpack(image: &mut Image<'_>, start: usize) {
    let (mut at, mut next) = (start, [0, 0]);
    loop {
        let word = image.word(at);
        let operation = word >> 8;
        if (2..ADDRESSES).contains(&operation) {
            let from = at - usize::try_from(operation).unwrap_or(0) * WORD;
            image.set(at + WORD, image.word(from + WORD));
            image.set(at, image.word(from));
        } else if !(2..TEXT).contains(&operation) {
            let (kind, address) = if operation < 2 {
                let kind = usize::from(operation == 1);
                (kind, next[kind])
            } else {
                (usize::from(operation & OTHER != 0), operation % OTHER)
            };
            let text = usize::try_from(address - image.base).unwrap_or(0);
            let length = image.bytes[text..]
                .iter()
                .position(|byte| *byte == 0)
                .and_then(|length| u32::try_from(length).ok())
                .unwrap_or(0);
            image.set(at, address);
            image.set(at + WORD, length);
            next[kind] = address + length + 1;
        } else {
            image.set(at, operation);
        }
        let steps = usize::try_from(word & 0xFF).unwrap_or(0);
        if steps == 0 {
            return;
        }
        at += steps * WORD;
    }
}

/// [`unpack`] as a function of wasm; its parameter is the address where the chain starts.
pub(crate) fn unpacker() -> Function {
    use Instruction as I;
    const AT: u32 = 0;
    const WORD_READ: u32 = 1;
    const OPERATION: u32 = 2;
    const ADDRESS: u32 = 3;
    const END: u32 = 4;
    const KIND: u32 = 5;
    const NEXT_ASCII: u32 = 6;
    const NEXT_OTHER: u32 = 7;
    let memory = |offset: u64, align: u32| MemArg {
        offset,
        align,
        memory_index: 0,
    };
    let first = memory(0, 2);
    let second = memory(4, 2);
    let constant = |value: u32| I::I32Const(value.cast_signed());
    let mut function = Function::new([(7, ValType::I32)]);
    for instruction in [
        I::Loop(BlockType::Empty),
        // What stands in the slot.
        I::LocalGet(AT),
        I::I32Load(first),
        I::LocalTee(WORD_READ),
        I::I32Const(8),
        I::I32ShrU,
        I::LocalTee(OPERATION),
        I::I32Const(2),
        I::I32Sub,
        constant(ADDRESSES - 2),
        I::I32LtU,
        I::If(BlockType::Empty),
        // A copy.
        I::LocalGet(AT),
        I::LocalGet(AT),
        I::LocalGet(OPERATION),
        I::I32Const(2),
        I::I32Shl,
        I::I32Sub,
        I::LocalTee(ADDRESS),
        I::I32Load(first),
        I::I32Store(first),
        I::LocalGet(AT),
        I::LocalGet(ADDRESS),
        I::I32Load(second),
        I::I32Store(second),
        I::Else,
        // Of what kind the text is, and where.
        I::LocalGet(OPERATION),
        I::I32Const(2),
        I::I32LtU,
        I::If(BlockType::Empty),
        I::LocalGet(NEXT_OTHER),
        I::LocalGet(NEXT_ASCII),
        I::LocalGet(OPERATION),
        I::LocalTee(KIND),
        I::Select,
        I::LocalSet(ADDRESS),
        I::Else,
        I::LocalGet(OPERATION),
        constant(OTHER),
        I::I32And,
        I::LocalSet(KIND),
        I::LocalGet(OPERATION),
        constant(OTHER - 1),
        I::I32And,
        I::LocalSet(ADDRESS),
        I::End,
        I::LocalGet(AT),
        I::LocalGet(ADDRESS),
        I::I32Store(first),
        // Its length, unless it is no text.
        I::LocalGet(OPERATION),
        constant(TEXT),
        I::I32And,
        I::LocalGet(OPERATION),
        I::I32Const(2),
        I::I32LtU,
        I::I32Or,
        I::If(BlockType::Empty),
        I::LocalGet(ADDRESS),
        I::LocalSet(END),
        I::Loop(BlockType::Empty),
        I::LocalGet(END),
        I::I32Const(1),
        I::I32Add,
        I::LocalTee(END),
        I::I32Load8U(memory(0, 0)),
        I::BrIf(0),
        I::End,
        I::LocalGet(AT),
        I::LocalGet(END),
        I::LocalGet(ADDRESS),
        I::I32Sub,
        I::I32Store(second),
        I::LocalGet(END),
        I::I32Const(1),
        I::I32Add,
        I::LocalSet(END),
        I::LocalGet(KIND),
        I::If(BlockType::Empty),
        I::LocalGet(END),
        I::LocalSet(NEXT_OTHER),
        I::Else,
        I::LocalGet(END),
        I::LocalSet(NEXT_ASCII),
        I::End,
        I::End,
        I::End,
        // The next slot.
        I::LocalGet(AT),
        I::LocalGet(WORD_READ),
        I::I32Const(0xFF),
        I::I32And,
        I::I32Const(2),
        I::I32Shl,
        I::LocalTee(END),
        I::I32Add,
        I::LocalSet(AT),
        I::LocalGet(END),
        I::BrIf(0),
        I::End,
        I::End,
    ] {
        function.instruction(&instruction);
    }
    function
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: u32 = 1 << 20;

    /// Texts at the start, then slots with lengths; gives the image and the slots.
    fn table(texts: &[&str], rows: &[usize]) -> (Vec<u8>, Vec<(usize, bool)>) {
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        for text in texts {
            places.push((bytes.len(), text.len()));
            bytes.extend(text.as_bytes());
            bytes.push(0);
        }
        bytes.resize(bytes.len().next_multiple_of(WORD), 0);
        let mut slots = Vec::new();
        for row in rows {
            let (place, length) = places[*row];
            slots.push((bytes.len(), true));
            let address = BASE + u32::try_from(place).unwrap();
            bytes.extend(address.to_le_bytes());
            bytes.extend(u32::try_from(length).unwrap().to_le_bytes());
        }
        (bytes, slots)
    }

    fn packed(bytes: &mut [u8], slots: &[(usize, bool)]) -> Vec<u32> {
        let all = bytes.to_vec();
        let text = |at: usize| {
            let length = all[at..].iter().position(|byte| *byte == 0)?;
            let ascii = all[at..at + length].is_ascii();
            Some((u32::try_from(length).unwrap(), ascii))
        };
        pack(&mut Image { base: BASE, bytes }, slots, text).unwrap()
    }

    #[test]
    fn texts_in_their_order_leave_nothing_but_steps() {
        let (mut bytes, slots) = table(&["ab", "c", "def", "表", "示"], &[0, 3, 1, 2, 4, 3]);
        let start = slots[0].0;
        let starts = packed(&mut bytes, &slots);
        assert_eq!(starts, [BASE + u32::try_from(start).unwrap()]);
        let words: Vec<u32> = bytes[start..]
            .chunks(WORD)
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect();
        let jump = |address: u32, kind: u32| (((BASE + address) | TEXT | (OTHER * kind)) << 8) | 2;
        // Two jumps, three times the next of a kind, then what stands four slots before.
        assert_eq!(
            words,
            [
                jump(0, 0),
                0,
                jump(9, 1),
                0,
                2,
                0,
                2,
                0,
                (1 << 8) | 2,
                0,
                8 << 8,
                0
            ]
        );
    }

    #[test]
    fn far_slots_begin_a_chain_and_lone_ones_keep_what_follows() {
        let (mut bytes, mut slots) = table(&["a", "b"], &[0, 1]);
        slots[1].1 = false;
        let far = bytes.len() + 4 * 256;
        bytes.resize(far, 7);
        bytes.extend(BASE.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        slots.push((far, true));
        let starts = packed(&mut bytes, &slots);
        assert_eq!(starts.len(), 2);
        // The one without a length is an address, and what follows it stays.
        assert_eq!(bytes[slots[1].0 + WORD], 1);
        // Too far for a step, not for a copy: 260 words.
        assert_eq!(bytes[far..][..WORD], [0, 4, 1, 0]);
    }

    #[test]
    fn addresses_that_do_not_fit_are_refused() {
        let mut bytes = (OTHER + 5).to_le_bytes().to_vec();
        let mut image = Image {
            base: OTHER,
            bytes: &mut bytes,
        };
        assert!(pack(&mut image, &[(0, false)], |_| None).is_err());
    }

    #[test]
    fn what_ascends_is_written_as_differences() {
        let ascending = |n: u32| u8::try_from((n * n / 7 + n * 5) % 256).unwrap();
        let mut bytes: Vec<u8> = (0..2000).map(ascending).collect();
        bytes.resize(4000, 1);
        let plain = bytes.clone();
        let mut image = Image {
            base: BASE,
            bytes: &mut bytes,
        };
        let found = deltas(&mut image, &[0..2000, 2000..4000]).unwrap();
        assert_eq!(found, [[BASE, BASE + 2000]]);
        let mut sum = 0_u8;
        for byte in &mut bytes[..2000] {
            sum = sum.wrapping_add(*byte);
            *byte = sum;
        }
        assert_eq!(bytes, plain);
    }
}
