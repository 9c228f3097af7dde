//! Owns where things stand in what was given: the lines of a text, the offsets of a binary, and where a text is wrong.
//!
//! Must not know probes. A text is read once more, by the reader that assembled it, which knows where everything
//! stands; that is done only when it is wanted.

use super::ParseError;
use crate::wasm::print::printable;
use wasmparser::{BinaryReaderError, FunctionBody, Parser, Payload};
use wast::Wat;
use wast::core::{FuncKind, ModuleField, ModuleKind};
use wast::parser::{self, ParseBuffer};
use wast::token::Span;

/// The line, from 1, of every instruction of every function that the text defines: `[function][pc]`, imported functions
/// not counted, `else` and `end` of blocks counted. Empty if the text is no WAT.
pub fn lines(text: &str) -> Vec<Vec<u32>> {
    let starts = Starts::of(text);
    let spans = spans(text).unwrap_or_default();
    spans.into_iter().map(|spans| spans.iter().map(|span| starts.line(span.offset())).collect()).collect()
}

/// Where the lines of a text begin: behind a line feed, a carriage return, or both (spec 6.3.1).
pub(super) struct Starts(Vec<usize>);

impl Starts {
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends = |at: usize| bytes[at] == b'\n' || bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
        Self(std::iter::once(0).chain((0..bytes.len()).filter(|&at| ends(at)).map(|at| at + 1)).collect())
    }

    /// The line, from 1, that an offset belongs to.
    pub(super) fn line(&self, offset: usize) -> u32 {
        self.0.partition_point(|&start| start <= offset) as u32
    }

    /// What is wrong at an offset.
    fn wrong(&self, offset: usize, message: &str) -> ParseError {
        let line = self.line(offset);
        let column = (offset - self.0[line as usize - 1]) as u32 + 1;
        ParseError::Text { line, column, message: printable(message) }
    }
}

fn spans(text: &str) -> Result<Vec<Vec<Span>>, wast::Error> {
    let mut buffer = ParseBuffer::new(text)?;
    buffer.track_instr_spans(true);
    let Wat::Module(module) = parser::parse::<Wat<'_>>(&buffer)? else { return Ok(Vec::new()) };
    let ModuleKind::Text(fields) = module.kind else { return Ok(Vec::new()) };
    let spans = fields.into_iter().filter_map(|field| match field {
        ModuleField::Func(wast::core::Func { kind: FuncKind::Inline { expression, .. }, .. }) => {
            expression.instr_spans.map(Vec::from)
        }
        _ => None,
    });
    Ok(spans.collect())
}

/// What is wrong with a text that could not be assembled.
pub(super) fn mistake(text: &str, error: &wat::Error) -> ParseError {
    let found = ParseBuffer::new(text).and_then(|buffer| {
        let mut wat = parser::parse::<Wat<'_>>(&buffer)?;
        wat.encode().map(drop)
    });
    match found {
        Err(found) => Starts::of(text).wrong(found.span().offset(), &found.message()),
        Ok(()) => ParseError::Invalid(printable(&error.to_string())),
    }
}

/// Where in a text stands what is wrong with the module that was assembled from it.
pub(super) fn locate(text: &str, bytes: &[u8], error: &BinaryReaderError) -> ParseError {
    let located = instruction_at(bytes, error.offset() as u32).and_then(|(func, pc)| {
        let spans = spans(text).ok()?;
        // The end of the function itself has no place: it is that of its last instruction.
        let spans = spans.get(func)?;
        spans.get(pc).or(spans.last()).map(|span| span.offset())
    });
    match located {
        Some(offset) => Starts::of(text).wrong(offset, error.message()),
        None => ParseError::Invalid(printable(error.message())),
    }
}

/// The offset in the module of every instruction of every function with code: `[function][pc]`, imported functions not
/// counted. What is wrong ends its function's list.
pub fn offsets(bytes: &[u8]) -> Vec<Vec<u32>> {
    let bodies = Parser::new(0).parse_all(bytes).filter_map(|payload| match payload {
        Ok(Payload::CodeSectionEntry(body)) => Some(body),
        _ => None,
    });
    let starts = |body: FunctionBody<'_>| {
        let operators = body.get_operators_reader().into_iter().flat_map(|reader| reader.into_iter_with_offsets());
        operators.map_while(|read| read.ok().map(|(_, start)| start as u32)).collect()
    };
    bodies.map(starts).collect()
}

/// The instruction that an offset in a module belongs to: the index of its function among those with code, and its pc.
fn instruction_at(bytes: &[u8], offset: u32) -> Option<(usize, usize)> {
    let offsets = offsets(bytes);
    let func = offsets.iter().rposition(|offsets| offsets.first().is_some_and(|&first| first <= offset))?;
    Some((func, offsets[func].partition_point(|&start| start <= offset) - 1))
}
