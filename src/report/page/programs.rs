//! Owns how programs travel in a page: many at once, column by column, so that they compress to less than half.
//!
//! Must not know what a program is: a text of lines, each with its indentation, a first word and the rest. First words
//! become single characters; the rest of a line stands with other rests behind the same word, where it finds its
//! like. The page's script puts the lines together again, letter for letter.

use serde::Serialize;
use std::collections::HashMap;

/// Characters of one byte that stand for words: from `#` on, but for the backslash, which JSON would write twice.
const SHORT: (u32, u32) = (57, 91);

/// Some programs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Block {
    /// First words, with the space behind them where something follows; and indentations, a space and their number.
    words: Vec<String>,
    /// The words of each program by their numbers, and a line end behind each program.
    text: String,
    /// What follows each word, line by line, in the order of the text.
    rest: Vec<String>,
}

impl Block {
    /// Of these programs.
    pub(super) fn of(programs: &[String]) -> Self {
        let mut making = Making::default();
        for program in programs {
            making.program(program);
        }
        making.block
    }
}

#[derive(Default)]
struct Making {
    block: Block,
    numbers: HashMap<String, usize>,
}

impl Making {
    fn program(&mut self, program: &str) {
        let mut indent = 0;
        for line in program.split('\n') {
            let code = line.trim_start_matches(' ');
            let here = line.len() - code.len();
            if here != indent {
                indent = here;
                self.word(&format!(" {here}"));
            }
            let (word, rest) = code.split_at(code.find(' ').map_or(code.len(), |at| at + 1));
            let number = self.word(word);
            if word.ends_with(' ') {
                self.block.rest[number] += rest;
                self.block.rest[number].push('\n');
            }
        }
        self.block.text.push('\n');
    }

    fn word(&mut self, word: &str) -> usize {
        let next = self.numbers.len();
        let number = *self.numbers.entry(word.into()).or_insert(next);
        if number == next {
            self.block.words.push(word.into());
            self.block.rest.push(String::new());
        }
        self.block.text.push(symbol(number as u32));
        number
    }
}

/// The character of a word.
fn symbol(number: u32) -> char {
    let code = match number {
        _ if number < SHORT.0 => u32::from('#') + number,
        _ if number < SHORT.1 => u32::from(']') + number - SHORT.0,
        _ => 0xa1 + number - SHORT.1,
    };
    // Surrogates are no characters.
    char::from_u32(if code < 0xd800 { code } else { code + 0x800 }).expect("no text has a million different words")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::Value;

    /// What the page's script does with a block.
    pub(in crate::report::page) fn read(block: &Value) -> Vec<String> {
        let texts = |key: &str| -> Vec<String> {
            block[key].as_array().expect(key).iter().map(|text| text.as_str().expect("text").to_owned()).collect()
        };
        let (words, rest) = (texts("words"), texts("rest"));
        let mut rest: Vec<_> = rest.iter().map(|rest| rest.split('\n')).collect();
        let number = |symbol: char| match u32::from(symbol) {
            code if code < 0x5c => code - 0x23,
            code if code < 0x7f => code - 0x5d + SHORT.0,
            code if code < 0xd800 => code - 0xa1 + SHORT.1,
            code => code - 0x800 - 0xa1 + SHORT.1,
        } as usize;
        let programs = block["text"]
            .as_str()
            .expect("text")
            .strip_suffix('\n')
            .map_or(Vec::new(), |text| text.split('\n').collect());
        let program = |symbols: &str| {
            let (mut indent, mut lines) = (String::new(), Vec::new());
            for at in symbols.chars().map(number) {
                match words[at].strip_prefix(' ') {
                    Some(width) => indent = " ".repeat(width.parse().expect("a number")),
                    None => {
                        let rest = if words[at].ends_with(' ') { rest[at].next().expect("it has one") } else { "" };
                        lines.push(format!("{indent}{}{rest}", words[at]));
                    }
                }
            }
            lines.join("\n")
        };
        programs.into_iter().map(program).collect()
    }

    #[test]
    fn symbols_are_different_characters() {
        let symbols: Vec<char> = (0..60_000).map(symbol).collect();
        let different: std::collections::BTreeSet<&char> = symbols.iter().collect();
        assert_eq!(different.len(), symbols.len());
        assert!(symbols.iter().all(|symbol| !"\"\\\n".contains(*symbol)));
        assert_eq!((symbol(0), symbol(56), symbol(57), symbol(90), symbol(91)), ('#', '[', ']', '~', '\u{a1}'));
    }

    #[test]
    fn programs_read_back_letter_for_letter() {
        let programs = [
            "(module\n  (func (export \"run\")\n    i32.const 1\n    i32.const -7\n    drop\n    drop\n  )\n)\n",
            "",
            "\n\n   \n a  b \n\tc\r\n  i32.const 1 ;;INSPECT\n  i32.const ",
            &(0..50_000).map(|n| format!("w{n} {n}\n")).collect::<String>(),
        ]
        .map(String::from);
        let block = serde_json::to_value(Block::of(&programs)).expect("plain data");
        assert_eq!(read(&block), programs);
        assert!(read(&serde_json::to_value(Block::of(&[])).expect("plain data")).is_empty());
    }
}
