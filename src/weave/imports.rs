//! Owns what a woven module imports, and the stand-ins that answer for it.
//!
//! Must not know what the imports are used for. The behaviour of every stand-in is fixed, so that a prompt can state it
//! in one sentence: an imported function does nothing and returns zeros, the imported memory and the imported globals
//! are zero at the start.

use super::action::MAX_PARAMS;
use super::budget::imports_size;
use super::scope::Types;
use crate::wasm::program::{Func, Global, Import, Instr, Memory, Program};
use crate::wasm::types::{FuncType, ValType};
use serde::{Deserialize, Serialize};

/// Whose everything imported is.
const MODULE: &str = "env";

/// What a module imports from `env`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Imports {
    /// `env.memory`, of one page.
    pub memory: bool,
    /// `env.g0`, `env.g1`, ... of these number types, immutable.
    pub globals: Vec<ValType>,
    /// `env.f0`, `env.f1`, ... of these types.
    pub functions: Vec<FuncType>,
}

impl Imports {
    /// Checks the types.
    ///
    /// # Errors
    /// What cannot be imported, and what can.
    pub fn check(&self) -> Result<(), String> {
        let number = |ty: &ValType| ValType::NUMBERS.contains(ty);
        if let Some(ty) = self.globals.iter().find(|ty| !number(ty)) {
            return Err(format!("a global of type {ty} cannot be imported; i32, i64, f32 and f64 can"));
        }
        for func in &self.functions {
            if !func.params.iter().chain(&func.results).all(number) {
                return Err("imported functions take and return i32, i64, f32 and f64".into());
            }
            if func.params.len() > MAX_PARAMS as usize || func.results.len() > Types::MAX {
                return Err(format!(
                    "an imported function has at most {MAX_PARAMS} parameters and {} results",
                    Types::MAX
                ));
            }
        }
        Ok(())
    }

    /// Declares them in an empty program.
    pub fn declare(&self, program: &mut Program) {
        let import = |name: String| Some(Box::new(Import { module: MODULE.into(), name }));
        for (index, ty) in self.functions.iter().enumerate() {
            let known = program.types.iter().position(|known| known == ty);
            let number = known.unwrap_or_else(|| {
                program.types.push(ty.clone());
                program.types.len() - 1
            }) as u32;
            program.funcs.push(Func { ty: number, locals: Vec::new(), body: 0, import: import(format!("f{index}")) });
        }
        for (index, &ty) in self.globals.iter().enumerate() {
            let init = Instr::constant(ty, 0);
            program.globals.push(Global { ty, mutable: false, init, import: import(format!("g{index}")) });
        }
        if self.memory {
            program.memory = Some(Memory { min: 1, max: None, import: import("memory".into()) });
        }
    }

    /// Bytes that they take in a module.
    pub fn bytes(&self) -> u32 {
        let mut program = Program::default();
        self.declare(&mut program);
        imports_size(&program)
    }
}
