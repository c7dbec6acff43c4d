//! The head of a page of a Parquet file, read for what it claims before the Parquet reader believes it.
//!
//! That reader makes room for as many bytes and values as a head says. A head is a structure in Thrift's compact
//! protocol (`PageHeader` in `parquet.thrift`).

/// How deep structures may be in one another.
const DEPTH: u32 = 16;

/// What a page's head says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PageHead {
    /// Bytes of the head itself.
    pub length: usize,
    /// Bytes of the page when it is not compressed.
    pub uncompressed: u64,
    /// Bytes of the page in the file, behind the head.
    pub compressed: u64,
    /// Values of the page, if it is a dictionary.
    pub dictionary: Option<u64>,
}

/// Types of fields.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const WHOLE: std::ops::RangeInclusive<u8> = 4..=6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const STRUCT: u8 = 12;

impl PageHead {
    /// The head at the start of some bytes; none where there is none, or one that says what can't be.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut found = Self::default();
        let mut rest = bytes;
        let (mut uncompressed, mut compressed) = (None, None);
        fields(&mut rest, |rest, field, kind| match (field, WHOLE.contains(&kind)) {
            (2, true) => size(rest).map(|size| uncompressed = Some(size)),
            (3, true) => size(rest).map(|size| compressed = Some(size)),
            (7, false) if kind == STRUCT => fields(rest, |rest, field, kind| match field {
                1 if WHOLE.contains(&kind) => size(rest).map(|size| found.dictionary = Some(size)),
                _ => skip(rest, kind, DEPTH),
            }),
            _ => skip(rest, kind, DEPTH),
        })?;
        (found.uncompressed, found.compressed) = (uncompressed?, compressed?);
        found.length = bytes.len() - rest.len();
        Some(found)
    }
}

/// Goes through the fields of a structure; `take` reads what the field with this number and type holds.
fn fields(rest: &mut &[u8], mut take: impl FnMut(&mut &[u8], i64, u8) -> Option<()>) -> Option<()> {
    let mut field = 0i64;
    loop {
        let head = byte(rest)?;
        if head == 0 {
            return Some(());
        }
        field = match head >> 4 {
            0 => signed(rest)?,
            more => field.checked_add(i64::from(more))?,
        };
        take(rest, field, head & 15)?;
    }
}

fn skip(rest: &mut &[u8], kind: u8, depth: u32) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match kind {
        TRUE | FALSE => Some(()),
        BYTE => byte(rest).map(drop),
        kind if WHOLE.contains(&kind) => number(rest).map(drop),
        DOUBLE => bytes(rest, 8),
        BINARY => {
            let length = number(rest)?;
            bytes(rest, length)
        }
        LIST | SET => {
            let head = byte(rest)?;
            let length = if head >> 4 == 15 { number(rest)? } else { u64::from(head >> 4) };
            // Each takes a byte at least.
            if length > rest.len() as u64 {
                return None;
            }
            (0..length).try_for_each(|_| match head & 15 {
                // In a list they have a byte.
                TRUE | FALSE => byte(rest).map(drop),
                kind => skip(rest, kind, depth),
            })
        }
        STRUCT => fields(rest, |rest, _, kind| skip(rest, kind, depth)),
        _ => None,
    }
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, others) = rest.split_first()?;
    *rest = others;
    Some(*first)
}

fn bytes(rest: &mut &[u8], length: u64) -> Option<()> {
    *rest = rest.get(usize::try_from(length).ok()?..)?;
    Some(())
}

/// A number in LEB128.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = byte(rest)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A signed number, its sign in the lowest bit.
fn signed(rest: &mut &[u8]) -> Option<i64> {
    let value = number(rest)?;
    Some((value >> 1) as i64 ^ -((value & 1) as i64))
}

/// A number that is not negative, and has 31 bits at most.
fn size(rest: &mut &[u8]) -> Option<u64> {
    i32::try_from(signed(rest)?).ok().and_then(|size| u64::try_from(size).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data page of 100 bytes, 40 of them in the file, with 7 values: as the Parquet writer has it.
    const DATA: [u8; 18] = [0x15, 0, 0x15, 200, 1, 0x15, 80, 0x2c, 0x15, 14, 0x15, 0, 0x15, 6, 0x15, 6, 0, 0];

    #[test]
    fn a_head_says_how_long_its_page_is() {
        let bytes = [&DATA[..], &[9; 40]].concat();
        let head = PageHead { length: 18, uncompressed: 100, compressed: 40, dictionary: None };
        assert_eq!(PageHead::read(&bytes), Some(head));
        // A dictionary page with 3 values.
        let dictionary = [0x15, 4, 0x15, 20, 0x15, 24, 0x4c, 0x15, 6, 0x15, 0, 0x12, 0, 0];
        let head = PageHead { length: 14, uncompressed: 10, compressed: 12, dictionary: Some(3) };
        assert_eq!(PageHead::read(&dictionary), Some(head));
    }

    #[test]
    fn what_can_not_be_is_no_head() {
        for length in 0..DATA.len() {
            assert_eq!(PageHead::read(&DATA[..length]), None, "{length}");
        }
        // Negative, more than 31 bits, a list of more than there is, structures in structures without an end.
        assert_eq!(PageHead::read(&[0x15, 0, 0x15, 3, 0x15, 0, 0]), None);
        assert_eq!(PageHead::read(&[0x15, 0, 0x15, 0x80, 0x80, 0x80, 0x80, 0x10, 0x15, 0, 0]), None);
        assert_eq!(PageHead::read(&[0x25, 0, 0x15, 0, 0x19, 0xf5, 0xff, 0xff, 0xff, 0x0f, 0]), None);
        assert_eq!(PageHead::read(&[0x1c; 4096]), None);
    }
}
