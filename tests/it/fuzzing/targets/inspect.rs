//! Owns the target of inspecting: whatever a module is and whatever its comments ask, there is an answer or a refusal, and
//! wasmtime never says otherwise.

use super::{AtHand, rest, smith};
use arbitrary::Unstructured;
use wasmweaver::item::inspect::{Report, Source, Wish, inspect};
use wasmweaver::wasm::inspect::Call;
use wasmweaver::wasm::isa::Trap;
use wasmweaver::wasm::machine::{Blind, Machine};
use wasmweaver::wasm::parse::parse_binary;
use wasmweaver::wasm::print::print;
use wasmweaver::wasm::program::{Extern, Program};
use wasmweaver::wasm::types::{ValType, Value};

/// More pages of memory at the start than these are no matter of this target: they cost seconds.
const PAGES: u32 = 64;

pub(super) fn inspect_any(bytes: &mut Unstructured<'_>, at_hand: &mut AtHand) -> arbitrary::Result<bool> {
    let (hit, fuel) = (bytes.arbitrary::<Option<u8>>()?.map(u32::from), bytes.int_in_range(0..=5000)?);
    let strict = bytes.ratio(1, 8)?;
    let mut places = Unstructured::new(bytes.bytes(16)?);
    let module = if bytes.ratio(7, 8)? { smith::module(bytes)? } else { rest(bytes)?.to_vec() };
    at_hand.rest.binary = Some(module.clone());
    // What cannot be read is refused: with no function to call by then.
    let Ok(program) = parse_binary(&module) else {
        let wish = Wish { invoke: "run".into(), args: Vec::new(), hit, fuel, strict };
        assert!(inspect(Source::Binary(&module), &wish).is_err());
        return Ok(false);
    };
    if program.memory.as_ref().is_some_and(|memory| memory.min > PAGES) {
        return Ok(false);
    }
    let text = marked(&print(&program, &[]), &mut places)?;
    at_hand.rest.text = Some(text.clone());
    let mut confirmed = false;
    for export in program.exports.iter().filter(|export| export.kind == Extern::Func).take(2) {
        let args = arguments(&program, export.index, &mut places)?;
        if !ends(&program, export.index, &args, fuel) {
            continue;
        }
        let args = args.into_iter().map(Value::text).collect();
        let wish = Wish { invoke: export.name.clone(), args, hit, fuel, strict };
        for source in [Source::Binary(&module), Source::Text(&text)] {
            confirmed |= inspect(source, &wish).is_ok_and(|report| agrees(&report));
        }
    }
    Ok(confirmed)
}

/// Whether wasmtime says the same; it may have no say, but none of its own.
fn agrees(report: &Report) -> bool {
    assert_eq!(report.disagreement, None);
    assert!(report.confirmed || report.unconfirmed.is_some());
    report.confirmed
}

/// Whether a run comes to an end or a trap. One that runs out of fuel wasmtime follows for seconds, to see it run out.
pub(super) fn ends(program: &Program, entry: u32, args: &[Value], fuel_limit: u64) -> bool {
    let ended = Call { program, entry, args, fuel_limit }.run(&mut Machine::default(), &mut Blind);
    ended.is_ok_and(|ended| ended.err().is_none_or(|stopped| stopped.trap != Trap::OutOfFuel))
}

fn arguments(program: &Program, func: u32, bytes: &mut Unstructured<'_>) -> arbitrary::Result<Vec<Value>> {
    let value = |&ty: &ValType| {
        let bits = bytes.arbitrary::<u8>()?;
        Ok(if ty.is_ref() { Value::zero(ty) } else { Value::new(ty, bits.into()) })
    };
    program.func_type(func).params.iter().map(value).collect()
}

/// The text with probe comments behind some of its lines.
fn marked(text: &str, bytes: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let mut marked = text.to_owned();
    for comment in [";;INSPECT", ";;FLAG_0", ";;INSPECT hit 2", ";;FLAG_1"] {
        let ends: Vec<usize> = marked.match_indices('\n').map(|(at, _)| at).collect();
        if ends.is_empty() {
            break;
        }
        let at = ends[bytes.choose_index(ends.len())?];
        marked.insert_str(at, &format!(" {comment}"));
    }
    Ok(marked)
}
