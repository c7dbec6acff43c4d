//! A table's file, with bounds on what the Parquet reader makes of it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use opmeter_files::open_regular;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::reader::{ChunkReader, Length};

use crate::page_head::PageHead;

/// A table takes no more memory than this many bytes for each of its file's, and this many more: several times what the
/// longest runs of equal values can make of one, as Opmeter writes them.
const MOST_FOR_EACH: u64 = 256;
const MOST_MORE: u64 = 1 << 26;

/// Snappy makes at most 64 bytes of three.
const MOST_UNCOMPRESSED: u64 = 22;

/// The longest head of a page.
const LONGEST_HEAD: u64 = 1 << 16;

/// A table's file, opened.
#[derive(Clone)]
pub(crate) struct TableFile {
    file: Arc<File>,
    length: u64,
}

/// A part of it.
pub(crate) struct Part {
    file: Arc<File>,
    at: u64,
}

impl TableFile {
    /// Opens a regular file.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = open_regular(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), length })
    }

    /// Its length, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Reads what is at some byte of it.
    pub(crate) fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        self.file.read_exact_at(bytes, at)
    }

    /// How many bytes of memory may be made of it.
    pub(crate) fn most(&self) -> u64 {
        self.length.saturating_mul(MOST_FOR_EACH).saturating_add(MOST_MORE)
    }

    /// Checks what the file claims to hold against its length.
    pub(crate) fn check(&self, metadata: &ParquetMetaData) -> Result<()> {
        let mut bytes = 0u64;
        for group in metadata.row_groups() {
            let rows = u64::try_from(group.num_rows())?;
            bytes = bytes.saturating_add(rows.saturating_mul(8 * group.num_columns().max(1) as u64));
            group.columns().iter().try_for_each(|column| self.check_pages(column))?;
        }
        if bytes > self.most() {
            return Err(implausible(format!("{bytes} bytes of values in a file of {}", self.length)));
        }
        Ok(())
    }

    /// Checks what the pages of a column claim.
    fn check_pages(&self, column: &ColumnChunkMetaData) -> Result<()> {
        let first = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let (mut at, length) = (u64::try_from(first)?, u64::try_from(column.compressed_size())?);
        let end = at.checked_add(length).filter(|end| *end <= self.length);
        let end = end.ok_or_else(|| implausible("a column that ends behind the file".to_owned()))?;
        let mut bytes = Vec::new();
        while at < end {
            bytes.resize((end - at).min(LONGEST_HEAD) as usize, 0);
            // Most heads have fewer.
            let few = bytes.len().min(64);
            self.file.read_exact_at(&mut bytes[..few], at)?;
            let head = match PageHead::read(&bytes[..few]) {
                None => {
                    self.file.read_exact_at(&mut bytes, at)?;
                    PageHead::read(&bytes)
                }
                head => head,
            };
            let head = head.ok_or_else(|| implausible(format!("no page at byte {at}")))?;
            let next = at + head.length as u64 + head.compressed;
            let most = head.compressed.saturating_mul(MOST_UNCOMPRESSED).saturating_add(64);
            if next > end || head.uncompressed > most {
                let text = format!("a page of {} bytes at byte {at}", head.uncompressed.max(head.compressed));
                return Err(implausible(text));
            }
            // Each takes four bytes at least.
            if head.dictionary.is_some_and(|values| values > head.uncompressed / 4) {
                return Err(implausible(format!(
                    "a dictionary of {:?} values",
                    head.dictionary.unwrap_or(0)
                )));
            }
            at = next;
        }
        Ok(())
    }
}

fn implausible(what: String) -> ParquetError {
    ParquetError::General(format!("it claims to have {what}"))
}

impl Length for TableFile {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for TableFile {
    type T = BufReader<Part>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(Part { file: self.file.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(ParquetError::EOF("it is cut short".to_owned()));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

impl Read for Part {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(bytes, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
