//! A listing: the sink that sorts, limits and writes rows, in any format.
//!
//! Without a sort, a row is written at once and not kept. With a sort, each row is kept as the bytes to write, which is
//! less than the row. With a limit too, at most twice that many rows are kept, or 1,024 if that is more.

use std::cmp::Ordering;
use std::io::{self, Write};

use crate::fields::socket::SocketColumn;
use crate::fields::value::SortKey;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink, Tail};

/// How one format writes a listing. Each function appends to `out`.
pub(crate) trait Encoder {
    /// Writes what precedes the rows.
    fn head(&mut self, head: &Head, out: &mut Vec<u8>);
    /// Encodes one row, in a form that `emit` understands.
    fn encode(&mut self, row: &Row<'_>, out: &mut Vec<u8>);
    /// Writes a row that `encode` made.
    fn emit(&mut self, encoded: &[u8], out: &mut Vec<u8>);
    /// Encodes and emits a row that is written at once. A format whose encoded rows are its output need not copy them.
    fn stream(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        let mut encoded = Vec::new();
        self.encode(row, &mut encoded);
        self.emit(&encoded, out);
    }
    /// Writes what follows the rows, of which `listed` were emitted.
    fn tail(&mut self, tail: &Tail, listed: u64, out: &mut Vec<u8>);
}

/// Sort order and limit of a listing.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListOrder {
    /// Column to sort by
    pub by: Option<SocketColumn>,
    /// From large to small
    pub descending: bool,
    /// Maximum number of rows
    pub limit: Option<u64>,
}

/// Approximate size of the portions that are passed to the output.
const PORTION_BYTES: usize = 128 * 1024;

/// Sink of a listing.
#[derive(Debug)]
pub(crate) struct Listing<W, E> {
    output: W,
    encoder: E,
    order: ListOrder,
    pending: Vec<u8>,
    scratch: Vec<u8>,
    kept: Vec<(SortKey, Box<[u8]>)>,
    listed: u64,
}

impl<W: Write, E: Encoder> Listing<W, E> {
    /// A listing that is written to `output`.
    pub(crate) fn new(output: W, encoder: E, order: ListOrder) -> Self {
        let (pending, scratch) = (Vec::with_capacity(PORTION_BYTES + 8192), Vec::new());
        Self { output, encoder, order, pending, scratch, kept: Vec::new(), listed: 0 }
    }

    /// The output.
    pub(crate) fn output(&self) -> &W {
        &self.output
    }

    fn emit(&mut self, encoded: &[u8]) -> io::Result<()> {
        self.encoder.emit(encoded, &mut self.pending);
        self.listed += 1;
        self.flush_beyond(PORTION_BYTES)
    }

    fn flush_beyond(&mut self, bytes: usize) -> io::Result<()> {
        if self.pending.len() > bytes {
            self.output.write_all(&self.pending)?;
            self.pending.clear();
        }
        Ok(())
    }

    fn keep(&mut self, key: SortKey, encoded: &[u8]) {
        self.kept.push((key, encoded.into()));
        let Some(limit) = self.order.limit.and_then(|limit| usize::try_from(limit).ok()) else { return };
        if self.kept.len() > limit.saturating_mul(2).max(1024) {
            self.sort();
            self.kept.truncate(limit);
        }
    }

    /// A stable sort: rows that compare equal stay in the kernel's order.
    fn sort(&mut self) {
        let descending = self.order.descending;
        self.kept.sort_by(|(a, _), (b, _)| -> Ordering { a.compare(b, descending) });
    }
}

impl<W: Write, E: Encoder> Sink for Listing<W, E> {
    fn head(&mut self, head: &Head) -> io::Result<()> {
        self.encoder.head(head, &mut self.pending);
        self.flush_beyond(PORTION_BYTES)
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        if self.order.by.is_none() && self.order.limit.is_some_and(|limit| self.listed >= limit) {
            return Ok(());
        }
        let Some(column) = &self.order.by else {
            self.encoder.stream(row, &mut self.pending);
            self.listed += 1;
            return self.flush_beyond(PORTION_BYTES);
        };
        let key = column.value(row).sort_key();
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        self.encoder.encode(row, &mut scratch);
        self.keep(key, &scratch);
        self.scratch = scratch;
        Ok(())
    }

    fn tail(&mut self, tail: &Tail) -> io::Result<()> {
        self.sort();
        let limit = self.order.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        for (_, encoded) in std::mem::take(&mut self.kept).into_iter().take(limit) {
            self.emit(&encoded)?;
        }
        self.encoder.tail(tail, self.listed, &mut self.pending);
        self.flush_beyond(0)?;
        self.output.flush()
    }
}
