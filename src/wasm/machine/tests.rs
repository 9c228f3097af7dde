use super::*;
use crate::wasm::isa::Op;
use crate::wasm::parse::parse_text;
use crate::wasm::program::{Data, Elem, SegmentMode};
use crate::wasm::rerun::Execution;

fn program(text: &str) -> Program {
    parse_text(text, &[]).expect("valid").0
}

/// Results of `run`, on this machine.
fn results(machine: &mut Machine, program: &Program) -> Result<Vec<Value>, Trap> {
    let entry = program.export("run").expect("exported");
    Execution { machine, program, entry, fuel_limit: 1_000_000 }.run_to_end().map(|outcome| outcome.results)
}

#[test]
fn what_nobody_provides_is_stood_in_for() {
    let program = program(
        r#"(module
            (import "env" "f" (func $f (param i32 i64) (result f32 i32 funcref v128)))
            (import "env" "memory" (memory 1 2))
            (import "env" "table" (table $t 3 funcref))
            (import "env" "v" (global $v v128))
            (import "env" "m" (global $m (mut i64)))
            (elem (table $t) (i32.const 0) func $f $tail)
            (func $tail (result f32 i32 funcref v128) (return_call $f (i32.const 1) (i64.const 2)))
            (func (export "run") (result i32 i64 f32 i32 funcref v128)
                (memory.grow (i32.const 1))
                (global.set $m (i64.add (global.get $m) (i64.const 7)))
                (global.get $m)
                (call_indirect $t (result f32 i32 funcref v128) (i32.const 1))))"#,
    );
    let wanted = [
        Value::i32(1),
        Value::i64(7),
        Value::f32(0.0),
        Value::i32(0),
        Value::zero(ValType::FuncRef),
        Value::zero(ValType::V128),
    ];
    let mut machine = Machine::default();
    let outcome = Execution { machine: &mut machine, program: &program, entry: 2, fuel_limit: 1000 }
        .run_to_end()
        .expect("does not trap");
    assert_eq!(outcome.results, wanted);
    // Two activations with code; the host's is free.
    assert_eq!(outcome.fuel, 2 + 9 + 3);
    assert_eq!((machine.memory_pages(), machine.table(0)), (2, &[1, 2, 0][..]));

    machine.invoke(&program, 0, &[Value::i32(1), Value::i64(2)]).expect("fuel is left");
    assert_eq!(machine.run(&program, &mut Blind), Stop::Finished);
    assert_eq!(machine.frame_operands().collect::<Vec<_>>(), wanted[2..]);
}

#[test]
fn the_next_program_finds_everything_clean() {
    let dirty = program(
        r#"(module (memory 1 4) (table 5 9 funcref) (global (mut i32) (i32.const 3))
            (func (export "run") (local i32)
                (global.set 0 (i32.const 9))
                (drop (table.grow 0 (ref.func 0) (i32.const 2)))
                (table.fill 0 (i32.const 0) (ref.func 0) (i32.const 7))
                (drop (memory.grow (i32.const 2)))
                (memory.fill (i32.const 1000) (i32.const 0xff) (i32.const 70000))
                (i64.store (i32.const 131068) (i64.const -1))
                (v128.store (i32.const 196592) (v128.const i64x2 -1 -1))
                (loop (i64.store (i32.mul (local.get 0) (i32.const 1021)) (i64.const -1))
                    (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 190))))))"#,
    );
    let clean =
        program(r#"(module (memory 3) (table 8 funcref) (global (mut i32) (i32.const 4)) (func (export "run")))"#);
    let mut machine = Machine::default();
    for (run, spare) in [(&dirty, 0), (&clean, 3), (&dirty, 0), (&clean, 0)] {
        results(&mut machine, run).expect("does not trap");
        machine.reset(&clean, spare);
        assert_eq!((machine.memory().len(), machine.memory().iter().max()), (3 << 16, Some(&0)));
        assert_eq!((machine.table(0), machine.globals()), (&[0; 8][..], &[4][..]));
    }
    machine.reset(&Program::default(), 0);
    assert_eq!((machine.memory().len(), machine.tables().len(), machine.globals().len()), (0, 0, 0));
    machine.declare_memory(4, None);
    assert_eq!((machine.memory().len(), machine.memory().iter().max()), (4 << 16, Some(&0)));
}

#[test]
fn only_marks_make_a_log() {
    let program = program(
        r#"(module (memory 1) (table 2 funcref) (global (mut i32) (i32.const 0)) (data "abc")
            (func (export "run") (i32.store (i32.const 5) (i32.const 1)) (global.set 0 (i32.const 2))
                (table.set 0 (i32.const 0) (ref.func 0)) (drop (memory.grow (i32.const 1))) (data.drop 0)))"#,
    );
    let mut machine = Machine::default();
    let is_empty = |log: &Log| log.lens() == [0; 4];
    results(&mut machine, &program).expect("does not trap");
    assert!(is_empty(&machine.log));
    for back in [true, false] {
        machine.reset(&program, 0);
        let outer = machine.mark();
        let inner = machine.mark();
        machine.invoke(&program, 0, &[]).expect("fuel is left");
        assert_eq!(machine.run(&program, &mut Blind), Stop::Finished);
        assert!(!is_empty(&machine.log));
        if back {
            machine.rollback(inner)
        } else {
            machine.forget(inner)
        }
        assert_eq!(is_empty(&machine.log), back, "what an inner mark keeps an outer one may take back");
        machine.rollback(outer);
        assert!(is_empty(&machine.log));
        assert_eq!((machine.memory_pages(), machine.memory()[5], machine.globals()[0]), (1, 0, 0));
        assert_eq!((machine.table(0), machine.data_dropped(0)), (&[0, 0][..], false));
    }
}

#[test]
fn the_largest_memory_costs_what_is_used_of_it() {
    let program = program(
        r#"(module (memory 1) (func (export "run") (result i32 i32 i32)
            (memory.grow (i32.const 65535)) (memory.grow (i32.const 1))
            (i32.store (i32.const -4) (i32.const 77)) (i32.load8_u offset=4294967292 (i32.const 0))))"#,
    );
    let mut machine = Machine::default();
    assert_eq!(results(&mut machine, &program), Ok(vec![Value::i32(1), Value::i32(-1), Value::i32(77)]));
    assert_eq!(machine.memory_pages(), 65_536);
}

#[test]
fn a_trap_knows_its_place() {
    let program = program(
        r#"(module (table 1 funcref) (func $f (result i32) (block (nop) (drop (i32.const 1))) (return_call_indirect (result i32) (i32.const 0)))
            (func $deep (param i32) (call $deep (local.get 0)))
            (func (export "run") (result i32) (call $f))
            (elem (i32.const 0) func $g)
            (func $g (result i32) (i32.const 1)))"#,
    );
    let mut machine = Machine::default();
    let mut trapped = |func: u32, args: &[Value], limit: u64| {
        machine.reset(&program, 0);
        machine.start(&program, 0, &mut Blind).expect("does not trap");
        machine.fuel_limit = limit;
        machine.invoke(&program, func, args).expect("fuel is left");
        let Stop::Trap(trap) = machine.run(&program, &mut Blind) else { panic!("it traps") };
        let flat = program.flatten(machine.func());
        let at = flat.iter().find(|flat| flat.place == machine.trapped_at()).expect("a place in the function");
        (trap, machine.func(), at.instr.op)
    };
    assert_eq!(trapped(1, &[Value::i32(0)], u64::MAX), (Trap::CallStackExhausted, 1, Op::Call));
    // Activation, call, activation, constant, constant, tail call: the next activation is one too many.
    assert_eq!(trapped(2, &[], 6), (Trap::OutOfFuel, 0, Op::ReturnCallIndirect));
    assert_eq!(trapped(2, &[], 5), (Trap::OutOfFuel, 0, Op::ReturnCallIndirect));
    assert_eq!(trapped(2, &[], 4), (Trap::OutOfFuel, 0, Op::I32Const));
}

#[test]
fn many_locals_do_not_make_many_calls_dear() {
    let program = program(&format!(
        r#"(module (func $f (export "run") (result i32) (local {}) (call $f)))"#,
        "i64 ".repeat(20_000)
    ));
    let mut machine = Machine::default();
    assert_eq!(results(&mut machine, &program), Err(Trap::CallStackExhausted));
    assert!(machine.slots.len() <= 4 * MAX_STACK as usize);
}

/// One program runs as the weaver has it: stopped at its open end, with declarations while a mark is set.
#[test]
fn what_is_declared_stays_through_a_rollback() {
    let mut program = program(r#"(module (func (export "run") (result i32) (unreachable)))"#);
    let body = program.funcs[0].body as usize;
    program.seqs[body].code.clear();
    program.seqs[body].open = true;
    let mut machine = Machine::default();
    machine.reset(&program, 2);
    machine.invoke(&program, 0, &[]).expect("fuel is left");
    let mark = machine.mark();
    machine.declare_global(6);
    machine.declare_memory(1, Some(2));
    machine.declare_table(2, None);
    machine.declare_element(0, 1, 1);
    let start = Instr::constant(ValType::I32, 8);
    let mode = SegmentMode::Active { target: 0, offset: start };
    program.datas.push(Data { bytes: vec![7, 8], mode });
    machine.declare_data(&program);
    let items = vec![Instr::index(Op::RefFunc, 0)];
    let mode = SegmentMode::Active { target: 0, offset: Instr::constant(ValType::I32, 0) };
    program.elems.push(Elem { ty: ValType::FuncRef, items, mode });
    machine.declare_elem(&program);
    let code = [
        Instr::constant(ValType::I32, 3),
        Instr::plain(Op::MemoryGrow),
        Instr::index(Op::GlobalSet, 0),
        Instr::constant(ValType::I32, 4),
        Instr::plain(Op::MemoryGrow),
    ];
    program.globals.push(crate::wasm::program::Global {
        ty: ValType::I32,
        mutable: true,
        init: Instr::constant(ValType::I32, 6),
        import: None,
    });
    program.seqs[body].code.extend(code);
    assert_eq!(machine.run(&program, &mut Blind), Stop::Frontier);
    assert_eq!((machine.operand(0), machine.globals()), (Value::i32(-1), &[Bits::from(u32::MAX)][..]));
    machine.rollback(mark);
    assert_eq!((machine.globals(), machine.table(0), machine.memory_pages()), (&[6][..], &[1, 1][..], 1));
    assert_eq!(machine.memory()[7..11], [0, 7, 8, 0]);
    assert_eq!((machine.place().index, machine.frame_operands().len()), (0, 0));
}

/// Out of bounds comes before out of fuel; a growth that is refused costs what it asks for, within the limit or beyond it.
#[test]
fn what_is_not_there_is_not_paid_for() {
    let program = program(
        r#"(module (memory 1) (table 1 2 externref)
            (func (export "fill") (memory.fill (i32.const 65535) (i32.const 1) (i32.const 2)))
            (func (export "grow") (result i32) (table.grow (ref.null extern) (i32.const 100))))"#,
    );
    let mut machine = Machine::default();
    let mut run = |func: u32, limit: u64, spares: bool| {
        machine.reset(&program, 0);
        (machine.fuel_limit, machine.spares_refused) = (limit, spares);
        machine.invoke(&program, func, &[]).expect("fuel is left");
        let stop = machine.run(&program, &mut Blind);
        (stop, machine.fuel(), machine.frame_operands().last())
    };
    assert_eq!(run(0, 5, false), (Stop::Trap(Trap::MemoryOutOfBounds), 5, None));
    assert_eq!(run(0, 4, false), (Stop::Trap(Trap::OutOfFuel), 5, Some(Value::i32(2))));
    assert_eq!(run(1, 104, false), (Stop::Finished, 104, Some(Value::i32(-1))));
    assert_eq!(run(1, 103, false).0, Stop::Trap(Trap::OutOfFuel));
    assert_eq!(run(1, 4, true), (Stop::Finished, 104, Some(Value::i32(-1))));
    assert_eq!(run(1, 3, true).0, Stop::Trap(Trap::OutOfFuel));
}
