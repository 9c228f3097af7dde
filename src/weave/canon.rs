//! Owns the canonical form: which programs count as the same.
//!
//! Must not know questions. Two programs are the same if the code that they *execute* is, after functions, locals,
//! globals, tables and segments are numbered in the order of their first use and constants are replaced by their
//! buckets. Dead code, unused declarations and the exact constants make no new program. What code uses is described
//! where it is used first; types are written out, so that their numbers do not count.

use super::literal::bucket_of;
use crate::wasm::isa::Imm;
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::program::{Data, Elem, Instr, Place, Program, SegmentMode};
use crate::wasm::types::{FuncType, ValType, Value};
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
    let mut form = Form { program, coverage, used: Default::default(), bytes: Vec::new() };
    let entries: Vec<u32> = program.start.into_iter().chain([entry]).collect();
    form.count(entries.len());
    entries.into_iter().for_each(|func| form.item(IndexSpace::Func, func));
    let mut next = 0;
    while let Some(&func) = form.used[IndexSpace::Func as usize].get(next) {
        form.function(func);
        next += 1;
    }
    blake3::hash(&form.bytes).to_hex()[..32].to_string()
}

/// What is numbered in the order of its first use.
#[derive(Clone, Copy)]
enum IndexSpace {
    Func,
    Global,
    Table,
    Memory,
    Elem,
    Data,
}

struct Form<'a> {
    program: &'a Program,
    coverage: &'a Coverage,
    /// Of each kind, what was used, in order.
    used: [Vec<u32>; 6],
    bytes: Vec<u8>,
}

impl<'a> Form<'a> {
    fn number(&mut self, number: u32) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        self.number(count as u32);
    }

    fn types(&mut self, types: &[ValType]) {
        self.count(types.len());
        self.bytes.extend(types.iter().map(|ty| ty.code()));
    }

    fn func_type(&mut self, ty: &FuncType) {
        self.types(&ty.params);
        self.types(&ty.results);
    }

    fn bucket(&mut self, value: Value) {
        self.number(bucket_of(value));
    }

    /// The number of something by its first use; what is new is described.
    fn item(&mut self, kind: IndexSpace, index: u32) {
        let (number, new) = first_use(&mut self.used[kind as usize], index);
        self.number(number);
        if new {
            self.describe(kind, index as usize);
        }
    }

    fn describe(&mut self, kind: IndexSpace, index: usize) {
        let program: &'a Program = self.program;
        match kind {
            // Its code follows when it is its turn.
            IndexSpace::Func => self.func_type(program.func_type(index as u32)),
            IndexSpace::Global => {
                let global = &program.globals[index];
                self.bytes.extend([global.ty.code(), u8::from(global.import.is_some())]);
                self.constant(&global.init);
            }
            IndexSpace::Table => {
                let table = &program.tables[index];
                self.bytes.extend([table.ty.code(), u8::from(table.import.is_some())]);
                self.limits(table.min, table.max);
                for elem in &program.elems {
                    self.active(&elem.mode, index, |form| form.items(elem));
                }
            }
            IndexSpace::Memory => {
                let memory = program.memory.as_ref().expect("it is used");
                self.bytes.push(u8::from(memory.import.is_some()));
                self.limits(memory.min, memory.max);
                for data in &program.datas {
                    self.active(&data.mode, index, |form| form.data(data));
                }
            }
            IndexSpace::Elem => self.items(&program.elems[index]),
            IndexSpace::Data => self.data(&program.datas[index]),
        }
    }

    fn limits(&mut self, min: u32, max: Option<u32>) {
        self.number(min);
        self.bytes.push(u8::from(max.is_some()));
        self.number(max.unwrap_or_default());
    }

    /// A segment that is copied to this target at the start.
    fn active(&mut self, mode: &SegmentMode, index: usize, content: impl FnOnce(&mut Self)) {
        if let SegmentMode::Active { target, offset } = mode
            && *target as usize == index
        {
            self.number(offset.b as u32);
            content(self);
        }
    }

    fn items(&mut self, elem: &'a Elem) {
        self.count(elem.items.len());
        elem.items.iter().for_each(|item| self.constant(item));
    }

    /// Bytes are constants too.
    fn data(&mut self, data: &Data) {
        self.count(data.bytes.len());
        data.bytes.iter().for_each(|&byte| self.bucket(Value::i32(byte.into())));
    }

    fn function(&mut self, func: u32) {
        if self.program.funcs[func as usize].import.is_some() {
            return;
        }
        let mut locals = Vec::new();
        for flat in self.program.flatten(func) {
            if self.coverage.contains(flat.place) {
                self.instruction(&flat.instr, func, &mut locals);
            }
        }
        self.bytes.push(0xff);
    }

    /// A constant instruction: it uses no local.
    fn constant(&mut self, instr: &Instr) {
        self.instruction(instr, 0, &mut Vec::new());
    }

    fn instruction(&mut self, instr: &Instr, func: u32, locals: &mut Vec<u32>) {
        let row = instr.op.row();
        let (first, second) = (instr.a, instr.b as u32);
        self.bytes.extend_from_slice(row.opcode);
        match row.imm {
            Imm::None => {}
            Imm::Local => {
                // A local is known by its type and by when it is first used.
                let ty = self.program.local_type(func, first).expect("the program is valid");
                self.bytes.push(ty.code());
                let (number, _) = first_use(locals, first);
                self.number(number);
            }
            Imm::Label => self.number(first),
            Imm::LabelTable => {
                let program: &'a Program = self.program;
                let labels = &program.label_tables[first as usize];
                self.count(labels.len());
                labels.iter().for_each(|&label| self.number(label));
            }
            Imm::BlockType => {
                let program: &'a Program = self.program;
                let (params, results) = program.block_arity(instr.block_type());
                self.types(params);
                self.types(results);
            }
            Imm::Func => self.item(IndexSpace::Func, first),
            Imm::Global => self.item(IndexSpace::Global, first),
            Imm::Table => self.item(IndexSpace::Table, first),
            Imm::TableTable => {
                self.item(IndexSpace::Table, first);
                self.item(IndexSpace::Table, second);
            }
            Imm::TypeTable => {
                let program: &'a Program = self.program;
                self.func_type(&program.types[first as usize]);
                self.item(IndexSpace::Table, second);
            }
            Imm::ElemTable => {
                self.item(IndexSpace::Elem, first);
                self.item(IndexSpace::Table, second);
            }
            Imm::Elem => self.item(IndexSpace::Elem, first),
            Imm::MemIndex | Imm::MemMem => self.item(IndexSpace::Memory, 0),
            Imm::DataMem => {
                self.item(IndexSpace::Data, first);
                self.item(IndexSpace::Memory, 0);
            }
            Imm::Data => self.item(IndexSpace::Data, first),
            Imm::MemArg { .. } | Imm::MemArgLane { .. } => {
                self.item(IndexSpace::Memory, 0);
                self.number(second);
                // Without a lane this is the alignment, which changes nothing.
                self.bytes.push(if matches!(row.imm, Imm::MemArg { .. }) { 0 } else { instr.lane() });
            }
            Imm::Lane { .. } => self.bytes.push(instr.lane()),
            Imm::HeapType | Imm::ValTypes => self.bytes.push(instr.val_type().code()),
            Imm::V128 => {
                let bits = self.program.vectors[first as usize];
                (0..4).for_each(|lane| self.bucket(Value::i32((bits >> (32 * lane)) as i32)));
            }
            Imm::Shuffle => self.bytes.extend(self.program.vectors[first as usize].to_le_bytes()),
            Imm::I32 | Imm::I64 | Imm::F32 | Imm::F64 => self.bucket(Value::new(row.results[0], instr.b.into())),
        }
    }
}

/// The number of something by its first use, and whether this is it.
fn first_use(seen: &mut Vec<u32>, index: u32) -> (u32, bool) {
    let known = seen.iter().position(|&other| other == index);
    let number = known.unwrap_or_else(|| {
        seen.push(index);
        seen.len() - 1
    });
    (number as u32, known.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::{parse, rerun::Execution};

    fn form_of(text: &str) -> String {
        let (program, _) = parse::parse_text(text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let entry = program.export("run").expect("a function to run");
        let mut covering = Covering { program: &program, coverage: Coverage::default() };
        Execution { machine: &mut Machine::default(), program: &program, entry, fuel_limit: 1000 }
            .run(&mut covering)
            .expect("does not trap");
        canonical(&program, entry, &covering.coverage)
    }

    fn form(body: &str) -> String {
        form_of(&format!("(module (global (mut i32) (i32.const 5)) (func (export \"run\") {body}))"))
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

    /// A module around the body of `run`: what it is given is put in front, behind what has to come first.
    fn module(fields: &str, body: &str) -> String {
        form_of(&format!(
            r#"(module {fields} (func $a (result i32) i32.const 3) (func $b (result i32) i32.const 0)
                (func (export "run") {body}))"#
        ))
    }

    #[test]
    fn numbers_of_what_is_used_make_no_new_program() {
        let call = |fields: &str, index: u32, ty: &str| {
            module(fields, &format!("(drop (call_indirect {index} (type {ty}) (i32.const 0)))"))
        };
        let one = call("(type $t (func (result i32))) (table funcref (elem $a))", 0, "$t");
        let other =
            "(type (func (param f64))) (type $t (func (result i32))) (table 3 funcref) (table funcref (elem $a))";
        assert_eq!(one, call(other, 1, "$t"), "unused types and tables");
        assert_ne!(one, call("(type $t (func (result i32))) (table funcref (elem $b))", 0, "$t"), "another function");
        let data = |bytes: &str, at: u32| {
            module(&format!(r#"(memory 1) (data (i32.const {at}) "{bytes}")"#), "(drop (i32.load (i32.const 0)))")
        };
        assert_eq!(data("\\03", 0), data("\\04", 0), "bytes are constants");
        assert_ne!(data("\\03", 0), data("\\00", 0), "of another bucket");
        assert_ne!(data("\\03", 0), data("\\03", 1), "at another place");
        let blocks = |ty: &str| module("", &format!("i32.const 1 (block {ty}) drop"));
        assert_ne!(blocks("(param i32) (result i32)"), blocks(""), "the type of a block");
    }

    #[test]
    fn every_immediate_counts() {
        let fields = "(memory 1) (table $t 4 funcref) (table $u 4 externref) (elem $e func $a) (elem $f func $b $b)
            (data $d \"abc\") (data $x \"\") (global $v v128 (v128.const i64x2 0 0))";
        let pairs = [
            ("(drop (ref.func $a))", "(drop (ref.null func))"),
            ("(drop (ref.null func))", "(drop (ref.null extern))"),
            ("(drop (ref.func $a))", "(drop (ref.func $run2))"),
            (
                "(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 0))",
                "(table.init $t $f (i32.const 0) (i32.const 0) (i32.const 0))",
            ),
            ("(drop (table.size $t))", "(drop (table.size $u))"),
            ("(elem.drop $e)", "(elem.drop $f)"),
            ("(data.drop $d)", "(data.drop $x)"),
            (
                "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 0))",
                "(memory.init $x (i32.const 0) (i32.const 0) (i32.const 0))",
            ),
            ("(drop (i32.load offset=4 (i32.const 0)))", "(drop (i32.load (i32.const 0)))"),
            ("(drop (i8x16.extract_lane_s 1 (global.get $v)))", "(drop (i8x16.extract_lane_s 2 (global.get $v)))"),
            ("(drop (v128.const i32x4 0 0 0 0))", "(drop (v128.const i32x4 0 0 0 1))"),
            (
                "(drop (i8x16.shuffle 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 (global.get $v) (global.get $v)))",
                "(drop (i8x16.shuffle 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 (global.get $v) (global.get $v)))",
            ),
            (
                "(v128.store8_lane 0 (i32.const 0) (global.get $v))",
                "(v128.store8_lane 1 (i32.const 0) (global.get $v))",
            ),
            ("(drop (i32.add (i32.const 1) (i32.const 1)))", "(drop (i32.sub (i32.const 1) (i32.const 1)))"),
        ];
        for (one, other) in pairs {
            let with =
                |body: &str| module(&format!("{fields} (func $run2 (param f32)) (elem declare func $run2)"), body);
            assert_eq!(with(one), with(one));
            assert_ne!(with(one), with(other), "{one} {other}");
        }
        let aligned = |align: u32| module("(memory 1)", &format!("(drop (i32.load align={align} (i32.const 0)))"));
        assert_eq!(aligned(1), aligned(4), "but for what changes nothing");
    }
}
