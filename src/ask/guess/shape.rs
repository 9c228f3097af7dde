//! Owns what validation alone tells of a place: how many operands stand there, of which types, and which instruction of
//! the text pushed each.
//!
//! Must not know values. wasmparser's validator does the walk, so that no second notion of typing stands here.

use crate::wasm::encode::encode;
use crate::wasm::parse::ParseError;
use crate::wasm::program::Program;
use crate::wasm::types::ValType;
use wasmparser::{FuncValidator, FunctionBody, Parser, ValidPayload, Validator, ValidatorResources, WasmFeatures};

/// One operand, or one result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Its type.
    pub(super) ty: ValType,
    /// The entry of the function's flat code that pushed it; `None` where none did, as behind a `return`.
    pub(super) producer: Option<u32>,
}

/// The operands of the frame just before entry `pc` of a function's flat code, bottom first. Behind an unconditional
/// branch some may have no type; they are left out.
///
/// # Errors
/// If the program is not valid.
pub(super) fn operands(program: &Program, func: u32, pc: u32) -> Result<Vec<Slot>, ParseError> {
    let stack = walk(program, func, pc)?;
    Ok(stack.into_iter().filter_map(|(ty, producer)| Some(Slot { ty: ty?, producer })).collect())
}

/// The results of a function, bottom first.
///
/// # Errors
/// If the program is not valid.
pub(super) fn results(program: &Program, func: u32) -> Result<Vec<Slot>, ParseError> {
    let end = program.flatten(func).len() as u32 - 1;
    let stack = walk(program, func, end)?;
    let types = &program.func_type(func).results;
    let missing = types.len().saturating_sub(stack.len());
    let producer = |at: usize| stack[at.checked_sub(missing)?].1;
    Ok(types.iter().enumerate().map(|(at, &ty)| Slot { ty, producer: producer(at) }).collect())
}

/// An operand's type, where it has one, and the entry that pushed it.
type Operand = (Option<ValType>, Option<u32>);

fn walk(program: &Program, func: u32, pc: u32) -> Result<Vec<Operand>, ParseError> {
    let bytes = encode(program);
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut bodies = program.imported_funcs();
    for payload in Parser::new(0).parse_all(&bytes) {
        if let ValidPayload::Func(to_validate, body) = validator.payload(&payload?)? {
            if bodies == func {
                return stack_at(to_validate.into_validator(Default::default()), &body, pc);
            }
            bodies += 1;
        }
    }
    Ok(Vec::new())
}

fn stack_at(
    mut validator: FuncValidator<ValidatorResources>,
    body: &FunctionBody<'_>,
    pc: u32,
) -> Result<Vec<Operand>, ParseError> {
    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    let mut operators = body.get_operators_reader()?;
    let mut producers: Vec<Option<u32>> = Vec::new();
    for at in 0..pc {
        if operators.eof() {
            break;
        }
        let offset = operators.original_position();
        let operator = operators.read()?;
        let pushed = operator.operator_arity(&validator.visitor(offset)).map_or(0, |(_, pushed)| pushed as usize);
        validator.op(offset, &operator)?;
        let height = validator.operand_stack_height() as usize;
        producers.resize(height.saturating_sub(pushed), None);
        producers.resize(height, Some(at));
    }
    let height = producers.len();
    let ty = |depth: usize| validator.get_operand_type(depth).flatten().and_then(val_type);
    Ok(producers.into_iter().enumerate().map(|(at, producer)| (ty(height - 1 - at), producer)).collect())
}

fn val_type(ty: wasmparser::ValType) -> Option<ValType> {
    ValType::parse(&ty.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::parse::parse_text;
    use ValType::{F32, F64, I32, I64};

    fn program(text: &str) -> Program {
        parse_text(text, &[]).expect("valid").0
    }

    #[test]
    fn operands_are_told_with_their_producers() {
        let module = program(
            "(module (func (export \"run\") (result i32 f64) (local i64)
               i32.const 4 f32.const 1 block (result i64) i64.const 2 local.tee 0 end
               drop drop i32.popcnt f64.const 3)
             (func (param i32) (result i32) local.get 0 call 1 i32.const 1 br 0 drop))",
        );
        let at = |func, pc| {
            let operands = operands(&module, func, pc).expect("valid");
            operands.iter().map(|slot| (slot.ty, slot.producer)).collect::<Vec<_>>()
        };
        assert_eq!(at(0, 0), []);
        assert_eq!(at(0, 5), [(I32, Some(0)), (F32, Some(1)), (I64, Some(4))], "inside of the block");
        assert_eq!(at(0, 6), [(I32, Some(0)), (F32, Some(1)), (I64, Some(5))], "what a block yields comes of its end");
        assert_eq!(at(0, 9), [(I32, Some(8))]);
        assert_eq!(at(1, 2), [(I32, Some(1))]);
        assert_eq!(at(1, 4), [], "nothing is known behind a branch");
        let results = results(&module, 0).expect("valid");
        let expected = [Slot { ty: I32, producer: Some(8) }, Slot { ty: F64, producer: Some(9) }];
        assert_eq!(results, expected);
        let left = program("(module (func (export \"run\") (result f32) f32.const 1 return))");
        assert_eq!(super::results(&left, 0).expect("valid"), [Slot { ty: F32, producer: None }]);
    }
}
