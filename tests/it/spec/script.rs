//! Owns one script while it runs: its instances on one machine, and what its directives mean.
//!
//! Everything that is called is called three times: to its end under a mark, the second half of that once more under
//! another, and at last for good. What the marks took back has to come out the same again, so the suite tests the undo
//! log with every instruction it has. The last time, wasmtime says what it costs.

use super::twin::Twin;
use super::value::{argument, matches};
use super::{Counts, SPECTEST};
use std::collections::HashMap;
use std::fmt;
use wasmtime::Engine;
use wasmweaver::wasm::isa::Trap;
use wasmweaver::wasm::machine::{Blind, Machine, Provided, Stop};
use wasmweaver::wasm::parse::{parse_binary, parse_text};
use wasmweaver::wasm::program::{Extern, Import, Program};
use wasmweaver::wasm::types::Value;
use wast::token::Id;
use wast::{QuoteWat, QuoteWatTest, WastDirective, WastExecute, WastInvoke};

/// What an action comes to.
type Action = Result<Vec<Value>, Failure>;

/// Why there are no results.
enum Failure {
    Trap(Trap),
    /// The module is not valid, or cannot be linked.
    Refused(String),
    /// wasmtime used other fuel, or trapped.
    Fuel {
        ours: u64,
        theirs: Result<u64, String>,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trap(trap) => write!(f, "{trap}"),
            Self::Refused(why) => f.write_str(why),
            Self::Fuel { ours, theirs } => write!(f, "fuel {ours}, but wasmtime {theirs:?}"),
        }
    }
}

/// Steps of a call before the second mark is set.
const STEPS: usize = 9;

pub(super) struct Script {
    machine: Machine,
    /// The program of each instance.
    programs: Vec<Program>,
    /// The latest instance, which a directive without a name is about.
    latest: u32,
    names: HashMap<String, u32>,
    registered: HashMap<String, u32>,
    twin: Twin,
}

impl Script {
    pub(super) fn new(engine: &Engine) -> Self {
        let (spectest, _) = parse_text(SPECTEST, &[]).expect("valid");
        let mut machine = Machine::default();
        machine.reset(&spectest, 0);
        machine.start(&spectest, 0, &mut Blind).expect("nothing to start");
        let registered = HashMap::from([("spectest".to_string(), 0)]);
        let mut twin = Twin::new(engine);
        twin.instantiate(0, &wat::parse_str(SPECTEST).expect("valid"));
        twin.register(0, "spectest");
        Self { machine, programs: vec![spectest], latest: 0, names: HashMap::new(), registered, twin }
    }

    /// Carries out one directive, and counts it; what is wrong if it is not as the script says.
    pub(super) fn directive(&mut self, directive: WastDirective<'_>, counts: &mut Counts) -> Result<(), String> {
        match directive {
            WastDirective::Module(mut module) => {
                counts.modules += 1;
                let name = module.name();
                let number = self.instantiate(&mut module).map_err(|failure| failure.to_string())?;
                self.latest = number;
                self.names.extend(name.map(|id| (id.name().to_string(), number)));
                Ok(())
            }
            WastDirective::Register { name, module, .. } => {
                let number = self.instance(module);
                self.registered.insert(name.to_string(), number);
                self.twin.register(number, name);
                Ok(())
            }
            WastDirective::Invoke(invoke) => {
                self.invoke(&invoke, counts).map(drop).map_err(|failure| failure.to_string())
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                counts.returns += 1;
                let values = self.execute(exec, counts).map_err(|failure| failure.to_string())?;
                let same = values.len() == results.len() && values.iter().zip(&results).all(|(&v, r)| matches(v, r));
                expect(same, || format!("{values:?} instead of {results:?}"))
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                counts.traps += 1;
                traps(&self.execute(exec, counts), message)
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                counts.exhaustions += 1;
                traps(&self.invoke(&call, counts), message)
            }
            WastDirective::AssertUnlinkable { module, message, .. } => {
                counts.unlinkable += 1;
                match self.instantiate(&mut QuoteWat::Wat(module)) {
                    Err(Failure::Refused(why)) => {
                        expect(why.contains(message), || format!("{why} instead of {message}"))
                    }
                    Err(failure) => Err(format!("{failure} instead of {message}")),
                    Ok(_) => Err(format!("linked instead of {message}")),
                }
            }
            WastDirective::AssertInvalid { mut module, message, .. } => {
                counts.invalid += 1;
                expect(parse(&mut module).is_err(), || format!("valid instead of {message}"))
            }
            WastDirective::AssertMalformed { mut module, message, .. } => {
                counts.malformed += 1;
                expect(parse(&mut module).is_err(), || format!("read instead of {message}"))
            }
            other => Err(format!("no directive of WebAssembly 2.0: {other:?}")),
        }
    }

    fn instance(&self, name: Option<Id<'_>>) -> u32 {
        name.map_or(self.latest, |id| self.names[id.name()])
    }

    fn execute(&mut self, exec: WastExecute<'_>, counts: &mut Counts) -> Action {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(&invoke, counts),
            WastExecute::Wat(module) => self.instantiate(&mut QuoteWat::Wat(module)).map(|_| Vec::new()),
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module);
                let (_, index) = self.export(instance, global).expect("a script names what there is");
                let ty = self.programs[instance as usize].globals[index as usize].ty;
                Ok(vec![Value::new(ty, self.machine.global(instance, index))])
            }
        }
    }

    fn export(&self, instance: u32, name: &str) -> Option<(Extern, u32)> {
        let exports = &self.programs[instance as usize].exports;
        exports.iter().find(|export| export.name == name).map(|export| (export.kind, export.index))
    }

    /// Reads a module and adds an instance of it. One that traps stays: what it wrote elsewhere refers to it.
    fn instantiate(&mut self, module: &mut QuoteWat<'_>) -> Result<u32, Failure> {
        let program = parse(module).map_err(Failure::Refused)?;
        let missing = imports(&program).find_map(|(import, kind)| match self.find(import) {
            Some((there, _)) if there == kind => None,
            Some(_) => Some("incompatible import type"),
            None => Some("unknown import"),
        });
        if let Some(why) = missing {
            return Err(Failure::Refused(why.into()));
        }
        self.programs.push(program);
        let Self { machine, programs, registered, .. } = self;
        let find = |import: &Import, _| find(programs, registered, import).map(|(_, provided)| provided);
        let number = match machine.link(&programs[..], find) {
            Ok(number) => number,
            Err(error) => {
                programs.pop();
                return Err(Failure::Refused(error.to_string()));
            }
        };
        self.twin.instantiate(number, &module.encode().expect("it was read"));
        machine.start(&programs[..], number, &mut Blind).map_err(Failure::Trap)?;
        Ok(number)
    }

    fn find(&self, import: &Import) -> Option<(Extern, Provided)> {
        find(&self.programs, &self.registered, import)
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>, counts: &mut Counts) -> Action {
        let instance = self.instance(invoke.module);
        let (kind, func) = self.export(instance, invoke.name).expect("a script names what there is");
        assert_eq!(kind, Extern::Func);
        let args: Vec<Value> = invoke.args.iter().map(argument).collect();
        let outer = self.machine.mark();
        let first = self.call(instance, func, &args, true);
        self.machine.rollback(outer);
        let before = self.machine.fuel();
        let second = self.call(instance, func, &args, false);
        let ours = self.machine.fuel() - before;
        assert_eq!(first, second, "a rollback left something of {}", invoke.name);
        // wasmtime does not count to the end where it traps.
        let theirs = self.twin.call(instance, invoke.name, &args);
        let values = second.map_err(Failure::Trap)?;
        if theirs != Ok(ours) {
            return Err(Failure::Fuel { ours, theirs });
        }
        counts.fuel += 1;
        Ok(values)
    }

    /// Calls a function; `twice` takes back and repeats all but its beginning.
    fn call(&mut self, instance: u32, func: u32, args: &[Value], twice: bool) -> Result<Vec<Value>, Trap> {
        let Self { machine, programs, .. } = self;
        machine.invoke_in(&programs[..], instance, func, args)?;
        let mut stop = None;
        if twice {
            stop = (0..STEPS).find_map(|_| machine.step(&programs[..], &mut Blind));
            let inner = machine.mark();
            let stop_of_first = stop.unwrap_or_else(|| machine.run(&programs[..], &mut Blind));
            let left: Vec<Value> = machine.frame_operands().collect();
            machine.rollback(inner);
            if stop.is_none() {
                let inner = machine.mark();
                let again = machine.run(&programs[..], &mut Blind);
                assert_eq!(stop_of_first, again, "a rollback in the middle changed the end");
                assert_eq!(left, machine.frame_operands().collect::<Vec<_>>(), "and here what is left");
                machine.forget(inner);
                stop = Some(again);
            }
        }
        match stop.unwrap_or_else(|| machine.run(&programs[..], &mut Blind)) {
            Stop::Finished => Ok(machine.frame_operands().collect()),
            Stop::Trap(trap) => Err(trap),
            Stop::Frontier => panic!("a finished program has no open sequence"),
        }
    }
}

fn find(programs: &[Program], registered: &HashMap<String, u32>, import: &Import) -> Option<(Extern, Provided)> {
    let instance = *registered.get(&import.module)?;
    let export = programs[instance as usize].exports.iter().find(|export| export.name == import.name)?;
    Some((export.kind, Provided { instance, index: export.index }))
}

/// Everything that a program imports.
fn imports(program: &Program) -> impl Iterator<Item = (&Import, Extern)> {
    let funcs = program.funcs.iter().map(|func| (&func.import, Extern::Func));
    let tables = program.tables.iter().map(|table| (&table.import, Extern::Table));
    let memories = program.memory.iter().map(|memory| (&memory.import, Extern::Memory));
    let globals = program.globals.iter().map(|global| (&global.import, Extern::Global));
    let all = funcs.chain(tables).chain(memories).chain(globals);
    all.filter_map(|(import, kind)| import.as_deref().map(|import| (import, kind)))
}

/// Reads a module the way its script gives it: as text, or in binary form.
fn parse(module: &mut QuoteWat<'_>) -> Result<Program, String> {
    match module.to_test().map_err(|error| error.to_string())? {
        QuoteWatTest::Binary(bytes) => parse_binary(&bytes).map_err(|error| error.to_string()),
        QuoteWatTest::Text(text) => {
            let text = String::from_utf8(text).map_err(|error| error.to_string())?;
            parse_text(&text, &["INSPECT"]).map(|(program, _)| program).map_err(|error| error.to_string())
        }
    }
}

fn traps(action: &Action, message: &str) -> Result<(), String> {
    match action {
        // Some messages go on with what was undefined.
        Err(Failure::Trap(trap)) if message.starts_with(&trap.to_string()) => Ok(()),
        Err(failure) => Err(format!("{failure} instead of {message}")),
        Ok(values) => Err(format!("{values:?} instead of {message}")),
    }
}

fn expect(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
