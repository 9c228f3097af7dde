use super::measure::measure;
use super::*;
use crate::ask::chat::{ChatReply, Message, Role};
use crate::ask::judge::judge;
use crate::ask::residents::Residents;
use crate::ask::serve::Responder;
use crate::item::record::{Item, Probe, Recipe, Verdict};
use crate::seed::{Rng, Seed};
use crate::wasm::parse::parse_text;
use crate::wasm::types::Value;

/// A question about a module with its probes in it; the truth is told, as a record tells it.
fn item(text: &str, truth: Truth) -> Item {
    let (_, marks) = parse_text(text, &["INSPECT", "FLAG_"]).expect(text);
    Item {
        id: String::new(),
        task: truth.task(),
        program: text.into(),
        probes: marks.iter().map(|mark| Probe { func: mark.func, pc: mark.pc, hit: 1 }).collect(),
        truth,
        fuel: 0,
        bytes: 0,
        instructions: 0,
        canonical: String::new(),
        recipe: Recipe { generator: String::new(), seed: 0, actions: Vec::new() },
    }
}

fn guess(guesser: Guesser, item: &Item) -> Truth {
    guesser.answer(&Posed::of_item(item).expect("reads"), None).expect("has nothing to learn")
}

fn flags(states: &[bool]) -> Truth {
    Truth::FlagStates(states.iter().enumerate().map(|(at, state)| (format!("FLAG_{at}"), *state)).collect())
}

const STACK: &str = "(module
  (func (export \"run\") (result i32)
    i64.const 9
    i32.const 5
    i32.const 6
    f32.const -1.5
    block (result i64)
      i64.const 7
      i32.const 8
      drop
    end
    f64.const 2
    ;;INSPECT
    drop drop drop drop drop drop i32.const 1))";

#[test]
fn values_are_guessed_from_the_text() {
    let truth = [Value::i64(9), Value::i32(5), Value::i32(6), Value::f32(-1.5), Value::i64(7), Value::f64(2.0)];
    let stack = item(STACK, Truth::StackValues(truth.to_vec()));
    let zeros = truth.map(|value| Value::zero(value.ty)).to_vec();
    assert_eq!(guess(Guesser::Zero, &stack), Truth::StackValues(zeros.clone()));
    // From the top: f64 2, i64 7 (past i32 8), f32 -1.5, then i32 6, i32 5, i64 9.
    assert_eq!(guess(Guesser::LastConst, &stack), stack.truth);
    for other in [Guesser::AllTrue, Guesser::AllFalse, Guesser::UntilBranch, Guesser::FirstFlag] {
        assert_eq!(guess(other, &stack), Truth::StackValues(zeros.clone()), "{other:?}");
    }
    // The constants of another function stand before in the text too; where none is left, zero.
    let called = "(module (func (param i32) i32.const 3 drop)
       (func (export \"run\") (result i32 f32 i32) i32.const 4 call 0 i32.const 2 f32.const 1 i32.const 0 i32.popcnt
       return_call 2) (func (result i32 f32 i32) i32.const 1 f32.const 2 i32.const 9))";
    let truth = Truth::ReturnValues(vec![Value::i32(1), Value::f32(2.0), Value::i32(9)]);
    let result = item(called, truth);
    let expected = vec![Value::i32(2), Value::f32(1.0), Value::i32(0)];
    assert_eq!(guess(Guesser::LastConst, &result), Truth::ReturnValues(expected));
}

#[test]
fn flags_are_guessed_from_the_text() {
    let text = "(module (func (export \"run\") (param i32)
      ;;FLAG_0
      block
        local.get 0
        ;;FLAG_1
        br_if 0
        ;;FLAG_2
        return
      end)
      (func
      ;;FLAG_3
      nop))";
    let reached = item(text, flags(&[true, true, true, false]));
    let all = |state| flags(&[state; 4]);
    let expected = [
        (Guesser::Zero, all(false)),
        (Guesser::LastConst, all(false)),
        (Guesser::AllTrue, all(true)),
        (Guesser::AllFalse, all(false)),
        (Guesser::UntilBranch, flags(&[true, true, false, false])),
        (Guesser::FirstFlag, flags(&[true, false, false, false])),
    ];
    for (guesser, states) in expected {
        assert_eq!(guess(guesser, &reached), states, "{guesser:?}");
    }
    let straight = item("(module (func\n;;FLAG_0\nnop\n;;FLAG_1\n))", flags(&[true, true]));
    assert_eq!(guess(Guesser::UntilBranch, &straight), flags(&[true, true]), "no branch");
}

#[test]
fn fuel_is_guessed_by_counting_instructions() {
    let text = "(module (func (export \"run\") i32.const 1 if nop else nop end call 1) (func nop))";
    assert_eq!(guess(Guesser::Zero, &item(text, Truth::Fuel(6))), Truth::Fuel(6));
}

#[test]
fn guessers_are_asked_like_any_model() {
    let stack = item(STACK, guess(Guesser::LastConst, &item(STACK, Truth::StackValues(Vec::new()))));
    let ask = |model: &str| {
        let messages = [Message { role: Role::User, content: format!("What is it?\n```wat\n{STACK}\n```") }];
        Residents::default().respond(model, &messages, None)
    };
    let verdict = |model: &str| {
        judge(&ChatReply::text(ask(model).expect(model)), &stack.truth).verdict
    };
    assert_eq!(verdict("guess/last-const"), Verdict::Correct);
    assert_eq!(verdict("last-const"), Verdict::Correct, "as the endpoint is asked");
    assert_eq!(verdict("guess/zero"), Verdict::Wrong);
    assert_eq!(verdict("sim/oracle"), Verdict::Correct);
    assert!(ask("guess/learned").expect_err("has not learned").to_string().contains("--preset"));
    assert!(ask("guess/nobody").is_err());
    assert!("guess/nobody".parse::<Guesser>().expect_err("nobody").to_string().contains("guess/first-flag"));
    for guesser in Guesser::ALL {
        assert_eq!(guesser.model().parse(), Ok(guesser));
        assert!(guesser.description().ends_with('.'));
    }
}

/// Programs with a flag; `reached` decides from its condition, which stands in the text.
fn flagged(count: usize, seed: u64, reached: impl Fn(u32, &mut Rng) -> bool) -> Vec<Item> {
    let mut rng = Seed::new(seed).rng();
    let make = |_| {
        let conditions = ["local.get 0", "i32.const 0", "i32.const 7", "local.get 0 i32.eqz"];
        let condition = rng.below(4);
        let filler: String =
            (0..rng.below(6)).map(|_| *rng.pick(&["nop ", "block end ", "i32.const 5 drop "])).collect();
        let text = format!(
            "(module (func (export \"run\") (param i32) {filler}{} if\n;;FLAG_0\nnop end {filler}))",
            conditions[condition as usize]
        );
        let state = reached(condition, &mut rng);
        item(&text, flags(&[state]))
    };
    (0..count).map(make).collect()
}

/// Share of flags that the regression gets right on other items of the same kind.
fn learned_share(reached: impl Fn(u32, &mut Rng) -> bool + Copy) -> f64 {
    let learned = learned::train(flagged(3000, 1, reached).iter()).expect("reads");
    let floor = measure(&flagged(2000, 2, reached), Some(&learned)).expect("reads");
    let own = floor.guessers.last().expect("it has learned");
    assert_eq!((own.model.as_str(), floor.lessons, floor.items), ("guess/learned", 3000, 2000));
    own.flags.expect("flags")
}

#[test]
fn a_shortcut_in_the_text_is_learned() {
    let share = learned_share(|condition, _| condition == 2);
    assert!(share > 0.99, "{share}");
    // Right in nine of ten, which is all that there is to know.
    let share = learned_share(|condition, rng| (condition < 2) != (rng.below(10) == 0));
    assert!((0.88..0.92).contains(&share), "{share}");
}

#[test]
fn coins_cannot_be_learned() {
    let share = learned_share(|_, rng| rng.below(2) == 0);
    // Four standard deviations of 2000 coins.
    assert!((0.455..0.545).contains(&share), "{share}");
}

/// Programs whose result is the constant that stands `which` of four.
fn results(count: usize, seed: u64) -> Vec<Item> {
    let mut rng = Seed::new(seed).rng();
    let make = |_| {
        let numbers: [i32; 4] = std::array::from_fn(|_| rng.between(-1000, 1000) as i32);
        let [a, b, c, d] = numbers;
        let text = format!(
            "(module (func (export \"run\") (result i32) (local i32) i32.const {a} drop i32.const {b} local.set 0
             i32.const {c} drop i32.const {d} drop local.get 0))"
        );
        item(&text, Truth::ReturnValues(vec![Value::i32(b)]))
    };
    (0..count).map(make).collect()
}

#[test]
fn a_value_that_stands_in_the_text_is_found() {
    let learned = learned::train(results(500, 1).iter()).expect("reads");
    let floor = measure(&results(500, 2), Some(&learned)).expect("reads");
    let share = |model: &str| floor.guessers.iter().find(|guessed| guessed.model == model).expect(model).items;
    assert!(share("guess/learned") > 0.99 && share("guess/last-const") < 0.01);
    let missed = floor.missed();
    assert_eq!(missed.len(), 1, "{missed:?}");
    assert!(missed[0].contains("guess/learned gets") && missed[0].contains("at most 6.0 % is wanted"), "{missed:?}");
    let again = learned::Learned::from_json(&learned.to_json()).expect("reads back");
    assert_eq!(again, learned);
    assert_eq!(learned::train(results(500, 1).iter()).expect("reads"), learned);
}
