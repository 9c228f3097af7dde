//! Owns the canonical form: which programs count as the same.
//!
//! Must not know questions. Two programs are the same if the code that they *execute* is, after functions, locals and
//! globals are numbered in the order of their first use and constants are replaced by their buckets. Dead code, unused
//! declarations and the exact constants make no new program.

use super::literal::bucket_of;
use crate::wasm::isa::{Category, Imm};
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::program::{BlockType, Instr, Place, Program};
use crate::wasm::types::Value;
use std::collections::HashSet;

/// Which places a run reached; an observer.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    reached: HashSet<Place>,
    /// Instructions executed, implicit ends not counted.
    pub steps: u32,
}

impl Coverage {
    /// Whether the instruction at this place was executed.
    pub fn contains(&self, place: Place) -> bool {
        self.reached.contains(&place)
    }

    /// Notes one step of a program.
    pub fn note(&mut self, program: &Program, place: Place) {
        self.reached.insert(place);
        self.steps += u32::from((place.index as usize) < program.seqs[place.seq as usize].code.len());
    }
}

/// An observer that only covers.
pub struct Covering<'a> {
    /// The program that runs.
    pub program: &'a Program,
    /// What was reached.
    pub coverage: Coverage,
}

impl Observer for Covering<'_> {
    fn before(&mut self, _: &Machine, _: u32, place: Place) {
        self.coverage.note(self.program, place);
    }
}

/// The hash of the canonical form: 32 hexadecimal digits.
pub fn canonical(program: &Program, entry: u32, coverage: &Coverage) -> String {
    let mut form = Form { program, coverage, funcs: vec![entry], globals: Vec::new(), bytes: Vec::new() };
    let mut next = 0;
    while next < form.funcs.len() {
        form.function(form.funcs[next]);
        next += 1;
    }
    blake3::hash(&form.bytes).to_hex()[..32].to_string()
}

struct Form<'a> {
    program: &'a Program,
    coverage: &'a Coverage,
    /// Functions and globals in the order of their first use.
    funcs: Vec<u32>,
    globals: Vec<u32>,
    bytes: Vec<u8>,
}

impl Form<'_> {
    fn function(&mut self, func: u32) {
        let ty = self.program.func_type(func);
        self.bytes.extend(ty.params.iter().chain(&ty.results).map(|ty| ty.code()));
        self.bytes.push(0);
        let mut locals = Vec::new();
        for flat in self.program.flatten(func) {
            if self.coverage.contains(flat.place) {
                self.instruction(&flat.instr, func, &mut locals);
            }
        }
        self.bytes.push(0xff);
    }

    fn instruction(&mut self, instr: &Instr, func: u32, locals: &mut Vec<u32>) {
        let row = instr.op.row();
        self.bytes.push(instr.op.index() as u8);
        let immediate = match row.imm {
            Imm::Local => {
                // A local is known by its type and by when it is first used; parameters keep their place.
                let ty = self.program.local_type(func, instr.a).expect("the program is valid");
                self.bytes.push(ty.code());
                first_use(locals, instr.a)
            }
            Imm::Global => {
                let global = &self.program.globals[instr.a as usize];
                let bucket = bucket_of(Value::new(global.ty, global.init.b.into())) as u8;
                self.bytes.extend([global.ty.code(), bucket]);
                first_use(&mut self.globals, instr.a)
            }
            Imm::Func => first_use(&mut self.funcs, instr.a),
            Imm::Label => instr.a,
            Imm::LabelTable => {
                let labels = &self.program.label_tables[instr.a as usize];
                labels.iter().for_each(|&label| self.bytes.push(label as u8));
                labels.len() as u32
            }
            Imm::MemArg { .. } => instr.b as u32,
            Imm::I32 | Imm::I64 | Imm::F32 | Imm::F64 => {
                debug_assert_eq!(row.category, Category::Const);
                bucket_of(Value::new(row.results[0], instr.b.into()))
            }
            Imm::BlockType => match instr.block_type() {
                BlockType::Empty => 0,
                BlockType::Value(ty) => 1 + ty.index() as u32,
                BlockType::Func(index) => 16 + index,
            },
            _ => return,
        };
        self.bytes.extend(immediate.to_le_bytes());
    }
}

fn first_use(seen: &mut Vec<u32>, index: u32) -> u32 {
    let known = seen.iter().position(|&other| other == index);
    known.unwrap_or_else(|| {
        seen.push(index);
        seen.len() - 1
    }) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::{parse, rerun};

    fn form(body: &str) -> String {
        let text = format!("(module (global (mut i32) (i32.const 5)) (func (export \"run\") {body}))");
        let (program, _) = parse::parse_text(&text, &[]).expect("valid");
        let mut covering = Covering { program: &program, coverage: Coverage::default() };
        rerun::run(&mut Machine::default(), &program, 0, 1000, &mut covering).expect("does not trap");
        canonical(&program, 0, &covering.coverage)
    }

    #[test]
    fn what_makes_no_difference_makes_no_new_program() {
        let base = form("(local i32 i32) i32.const 5 local.set 0");
        assert_eq!(base, form("(local i32 i32) i32.const 7 local.set 1"), "local number and constant within a bucket");
        let dead = |code: &str| form(&format!("i32.const 0 if {code} end"));
        assert_eq!(dead("nop"), dead("i32.const 9 drop"), "dead code");
    }

    #[test]
    fn what_makes_a_difference_makes_a_new_program() {
        let base = form("(local i32 i64) i32.const 5 local.set 0");
        assert_ne!(base, form("(local i32 i64) i32.const 0 local.set 0"), "another bucket");
        assert_ne!(base, form("(local i32 i64) i64.const 5 local.set 1"), "another type");
        assert_ne!(base, form("(local i32 i64) i32.const 5 drop"), "another instruction");
        assert_ne!(base, form("(local i32 i64) i32.const 5 global.set 0"), "another kind of variable");
    }
}
