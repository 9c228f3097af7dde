//! Owns how probe comments survive assembling: as marker instructions, put into the text and taken out of the code.
//!
//! Must not know what a comment asks. A marker is put only where an instruction can begin, so that it breaks no text;
//! a reading of parentheses and words alone says where that is.

use super::lines::Starts;
use crate::wasm::isa::Op;
use crate::wasm::program::{Program, SeqId};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

/// Instructions of one marker: two dropped constants, the first to say that it is one, the second which.
const MARKER: usize = 4;

/// A probe comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    /// What stands behind `;;`, trimmed.
    pub(super) text: String,
    /// Its line, from 1.
    pub(super) line: u32,
}

/// The text with markers, and their comments, in the order of the text; or a comment that asks where no code is.
pub(super) fn put(text: &str, keywords: &[&str]) -> Result<(String, Vec<Comment>), Comment> {
    let magic = unused_constant(text);
    let mut marked = String::new();
    let (mut comments, mut copied) = (Vec::new(), 0);
    for (at, comment) in places(text, keywords)? {
        marked.push_str(&text[copied..at]);
        marked.push_str(&format!(" (drop (i64.const {magic})) (drop (i64.const {})) ", comments.len()));
        copied = at;
        comments.push(comment);
    }
    marked.push_str(&text[copied..]);
    Ok((marked, comments))
}

/// Whether a comment asks for sure, rather than telling of questions: `INSPECT`, `INSPECT hit 2`, `FLAG_0`.
fn asks(comment: &str, keywords: &[&str]) -> bool {
    let mut words = comment.split_whitespace();
    let first = words.next().unwrap_or_default();
    let number = |keyword: &&str| first.strip_prefix(*keyword);
    let is_name = keywords.iter().filter_map(number).any(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    is_name && words.next().is_none_or(|word| word == "hit")
}

/// A constant that stands nowhere in the text: it is the text's own hash.
fn unused_constant(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("32 bytes hold 8")) >> 1
}

/// Takes the markers out of the code and returns (number, function, pc) of each, in the order of their numbers.
pub(super) fn take(program: &mut Program, text: &str) -> Vec<(usize, u32, u32)> {
    let magic = unused_constant(text);
    let mut places: HashMap<(SeqId, u32), Vec<usize>> = HashMap::new();
    for (seq, inside) in program.seqs.iter_mut().enumerate() {
        if !inside.code.iter().any(|instr| instr.op == Op::I64Const && instr.b == magic) {
            continue;
        }
        let mut kept = Vec::with_capacity(inside.code.len());
        let mut rest = inside.code.iter();
        while let Some(&instr) = rest.next() {
            if instr.op == Op::I64Const && instr.b == magic {
                let number = rest.nth(MARKER - 3).expect("a marker is whole").b as usize;
                rest.next();
                places.entry((seq as SeqId, kept.len() as u32)).or_default().push(number);
            } else {
                kept.push(instr);
            }
        }
        inside.code = kept;
    }
    let mut marks = Vec::new();
    for func in program.imported_funcs()..program.funcs.len() as u32 {
        for (pc, flat) in program.flatten(func).iter().enumerate() {
            let here = places.get(&(flat.place.seq, flat.place.index)).into_iter().flatten();
            marks.extend(here.map(|&number| (number, func, pc as u32)));
        }
    }
    marks.sort_unstable();
    marks
}

/// A piece of text that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    /// A keyword, number or name.
    Word,
    Text,
    /// From `;;` to the end of the line.
    Comment,
}

/// What a parenthesis holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paren {
    Module,
    /// A function, until it turns out to be an imported one.
    Func,
    ImportedFunc,
    /// An instruction with those that it takes its operands from, or an arm of an `if`: instructions can stand here.
    Code,
    /// A folded `if`: a condition, then arms.
    If,
    Other,
}

/// Where to put which probe comment: at or behind the comment, and in front of something else.
fn places(text: &str, keywords: &[&str]) -> Result<Vec<(usize, Comment)>, Comment> {
    let tokens = tokens(text);
    let word = |index: usize| match tokens.get(index) {
        Some((Token::Word, range)) => &text[range.clone()],
        _ => "",
    };
    let mut places = Vec::new();
    let mut waiting: Vec<Comment> = Vec::new();
    let mut parens: Vec<Paren> = Vec::new();
    // How many of them are functions.
    let mut funcs = 0;
    let starts = Starts::of(text);
    for (index, (token, range)) in tokens.iter().enumerate() {
        let inside = parens.last().copied();
        let in_code = matches!(inside, Some(Paren::Func | Paren::Code | Paren::If));
        let begins = match token {
            Token::Comment => {
                let comment = text[range.clone()].trim_start_matches(';').trim();
                let told = || Comment { text: comment.to_string(), line: starts.line(range.start) };
                if funcs > 0 && keywords.iter().any(|keyword| comment.starts_with(keyword)) {
                    waiting.push(told());
                } else if funcs == 0 && asks(comment, keywords) {
                    return Err(told());
                }
                false
            }
            Token::Open => {
                let head = word(index + 1);
                let paren = match (head, inside) {
                    ("module", None) => Paren::Module,
                    ("func", None | Some(Paren::Module)) => Paren::Func,
                    ("then" | "else", Some(Paren::If)) => Paren::Code,
                    ("if", _) if in_code => Paren::If,
                    _ if in_code && is_instruction(head) => Paren::Code,
                    _ => Paren::Other,
                };
                if head == "import" && inside == Some(Paren::Func) {
                    *parens.last_mut().expect("the function") = Paren::ImportedFunc;
                    funcs -= 1;
                }
                funcs += u32::from(paren == Paren::Func);
                parens.push(paren);
                head == "then" || matches!(paren, Paren::Code | Paren::If) && head != "else"
            }
            Token::Close => {
                let closed = parens.pop();
                funcs -= u32::from(closed == Some(Paren::Func));
                matches!(closed, Some(Paren::Func | Paren::Code))
            }
            Token::Word => {
                let is_head = index > 0 && tokens[index - 1].0 == Token::Open;
                in_code && !is_head && is_instruction(word(index))
            }
            Token::Text => false,
        };
        if begins {
            places.extend(waiting.drain(..).map(|comment| (range.start, comment)));
        }
        if funcs == 0 {
            waiting.clear();
        }
    }
    Ok(places)
}

fn is_instruction(word: &str) -> bool {
    static MNEMONICS: LazyLock<HashSet<&str>> = LazyLock::new(|| Op::ALL.iter().map(|op| op.mnemonic()).collect());
    MNEMONICS.contains(word)
}

/// The text's tokens (spec 6.3.1); block comments are left out.
fn tokens(text: &str) -> Vec<(Token, Range<usize>)> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let (token, len) = match bytes[at] {
            b' ' | b'\t' | b'\n' | b'\r' => (None, 1),
            b'(' if rest.starts_with("(;") => (None, block_comment(rest)),
            b'(' => (Some(Token::Open), 1),
            b')' => (Some(Token::Close), 1),
            b'"' => (Some(Token::Text), string(rest)),
            b';' if rest.starts_with(";;") => (Some(Token::Comment), rest.find(['\n', '\r']).unwrap_or(rest.len())),
            b';' => (None, 1),
            _ => (Some(Token::Word), rest.find([' ', '\t', '\n', '\r', '(', ')', '"', ';']).unwrap_or(rest.len())),
        };
        tokens.extend(token.map(|token| (token, at..at + len)));
        at += len;
    }
    tokens
}

/// Bytes of the string literal that the text begins with.
fn string(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// Bytes of the block comment that the text begins with; they nest.
fn block_comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0, 0);
    while at < bytes.len() {
        let pair = &bytes[at..bytes.len().min(at + 2)];
        (depth, at) = match pair {
            b"(;" => (depth + 1, at + 2),
            b";)" => (depth - 1, at + 2),
            _ => (depth, at + 1),
        };
        if depth == 0 {
            break;
        }
    }
    at
}
