//! Owns reading: any WAT or WASM, into a [`Program`], with the probes that its comments name.
//!
//! Must not know what a probe asks. Text is read by the `wat` crate and validated by wasmparser; the code is then
//! decoded by our own table. Comments do not survive assembling, so each probe comment becomes, before it, an
//! instruction pair with a constant that stands nowhere else, and is taken out again.

mod code;
mod lines;
mod marks;
mod section;
#[cfg(test)]
mod tests;

use super::machine::MAX_ELEMENTS;
use super::print::printable;
use super::program::Program;
pub use lines::{lines, offsets};
use wasmparser::{BinaryReaderError, Parser, Validator, WasmFeatures};

/// What can be wrong with a module from outside.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The text is no WAT, or no valid module.
    #[error("line {line}, column {column}: {message}")]
    Text {
        /// Where, from 1.
        line: u32,
        /// Where, from 1.
        column: u32,
        /// What is wrong there.
        message: String,
    },
    /// The bytes are no valid module.
    #[error("{0}")]
    Invalid(String),
    /// Valid, but outside of what the machine runs.
    #[error("this module uses {0}, which is not supported")]
    Unsupported(String),
    /// Valid, but more than a program may have.
    #[error("the tables of this module begin with {0} elements; at most {MAX_ELEMENTS} are supported")]
    TooManyElements(u64),
}

impl From<BinaryReaderError> for ParseError {
    fn from(error: BinaryReaderError) -> Self {
        Self::Invalid(printable(&error.to_string()))
    }
}

/// A probe comment in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// What stands behind `;;`, trimmed.
    pub comment: String,
    /// The line of the comment, from 1.
    pub line: u32,
    /// The function.
    pub func: u32,
    /// Just before this entry of its flat code.
    pub pc: u32,
}

/// The text that these bytes are, without the byte order mark that some editors put before it.
///
/// # Errors
/// If they are no UTF-8.
pub fn decode(bytes: &[u8]) -> Result<&str, std::str::Utf8Error> {
    let text = std::str::from_utf8(bytes)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Reads a text whose comments `;;KEYWORD...` (or `;; KEYWORD...`) mark probes, for each of the keywords. A comment
/// among instructions marks the place before the next one that is executed; one inside an instruction, or in the head
/// of a function, the place where the next instruction begins. What stands outside of function bodies, in strings and
/// in block comments marks nothing. The marks are in the order of the text.
///
/// # Errors
/// See [`ParseError`].
pub fn parse_text(text: &str, keywords: &[&str]) -> Result<(Program, Vec<Marked>), ParseError> {
    let (marked, comments) = marks::put(text, keywords).map_err(|stray| ParseError::Text {
        line: stray.line,
        column: 1,
        message: format!(
            "`;;{}` stands outside of a function, where nothing is executed; put it among instructions",
            stray.text
        ),
    })?;
    if comments.is_empty() {
        return Ok((read_text(text)?, Vec::new()));
    }
    let mut program = read_text(&marked).map_err(|error| {
        // What is wrong is told of the text as it was given.
        let given = read_text(text).err();
        given.unwrap_or_else(|| ParseError::Invalid(format!("a probe comment stands where none can be: {error}")))
    })?;
    let found = marks::take(&mut program, text);
    let marked = |(number, func, pc): (usize, u32, u32)| {
        let marks::Comment { text, line } = comments[number].clone();
        Marked { comment: text, line, func, pc }
    };
    Ok((program, found.into_iter().map(marked).collect()))
}

fn read_text(text: &str) -> Result<Program, ParseError> {
    read(&assemble(text)?)
}

/// The valid module that a text says, in binary form.
///
/// # Errors
/// See [`ParseError`].
pub fn assemble(text: &str) -> Result<Vec<u8>, ParseError> {
    let bytes = wat::parse_str(text).map_err(|error| lines::mistake(text, &error))?;
    validate(&bytes).map_err(|error| lines::locate(text, &bytes, &error))?;
    Ok(bytes)
}

/// Reads a module in binary form.
///
/// # Errors
/// See [`ParseError`].
pub fn parse_binary(bytes: &[u8]) -> Result<Program, ParseError> {
    validate(bytes)?;
    read(bytes)
}

/// Whether a module in binary form is one that the machine runs.
///
/// # Errors
/// What is wrong with it.
pub fn validate(bytes: &[u8]) -> Result<(), BinaryReaderError> {
    Validator::new_with_features(FEATURES).validate_all(bytes).map(drop)
}

fn read(bytes: &[u8]) -> Result<Program, ParseError> {
    let mut program = Program::default();
    let mut body = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        section::read(&mut program, &payload?, &mut body)?;
    }
    let funcs = program.funcs.len();
    program.names.retain(|(index, _)| (*index as usize) < funcs);
    let elements = program.tables.iter().map(|table| u64::from(table.min)).sum();
    if elements > u64::from(MAX_ELEMENTS) {
        return Err(ParseError::TooManyElements(elements));
    }
    Ok(program)
}

/// WebAssembly 2.0 and tail calls.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM2.union(WasmFeatures::TAIL_CALL);
