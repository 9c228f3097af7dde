//! What is told before a run asks: what it would cost, and whether the model answers at all.

use super::{CENT, World, evaluation, one_by_one, plan, priced};
use crate::ask::chat::{ChatError, ChatErrorKind, ChatReply};
use crate::ask::models::{Models, Prices};
use crate::item::record::Verdict;
use crate::job::{attack, probe};
use crate::run::plan::tests::examinee;
use crate::run::plan::{AttackPlan, ShrinkBest};

/// A model whose prices are known.
const MODEL: &str = "openai/gpt-4o";

/// Dollars of so many tokens at its prices.
fn dollars(read: u64, written: u64) -> f64 {
    let entry = Models::shipped().resolve(MODEL, None, None).expect("is shipped");
    let Prices { input, output, .. } = entry.prices.expect("are known");
    (read as f64 * input + written as f64 * output) / 1e6
}

#[test]
fn the_bill_of_an_attack_counts_its_baseline_and_what_it_cuts_down() {
    let conditions = one_by_one();
    let attack = AttackPlan { model: examinee(MODEL), ..plan(200) };
    let shrink = Some(ShrinkBest { best: 3, query_budget: 100 });
    let bill =
        attack::bill(&AttackPlan { baseline: true, shrink, ..attack.clone() }, &conditions).expect("has a price");
    assert_eq!((bill.queries, bill.baseline_queries, bill.shrink_queries), (200, Some(200), Some(300)));
    let whole = bill.cost_usd.expect("is priced");
    assert!((whole - dollars(bill.prompt_tokens, bill.completion_tokens)).abs() < CENT / 100.0, "{bill:?}");
    let alone = attack::bill(&attack, &conditions).expect("has a price");
    assert_eq!((alone.baseline_queries, alone.shrink_queries), (Some(0), None));
    assert!((whole / alone.cost_usd.expect("is priced") - 3.5).abs() < 0.01, "{bill:?} {alone:?}");
    assert!((500..4000).contains(&(alone.prompt_tokens / 200)), "{alone:?}");
    // Where asking costs, the usual attack asks no baseline.
    let usual = attack::usual("stack", examinee(MODEL)).expect("is shipped");
    assert!(!usual.baseline && usual.query_budget == attack::QUERY_BUDGET && usual.shrink.is_none(), "{usual:?}");
}

#[test]
fn the_bills_of_an_evaluation_are_one_for_each_model() {
    let world = World::replying();
    let bills = evaluation(&world, &[MODEL, "openai/o3-mini"], 3).bills(&one_by_one()).expect("have prices");
    assert_eq!(bills.iter().map(|bill| bill.model.as_str()).collect::<Vec<_>>(), [MODEL, "openai/o3-mini"]);
    for bill in &bills {
        assert_eq!((bill.queries, bill.baseline_queries), (12 * 3, None));
        assert!(bill.cost_usd.is_some_and(|usd| usd > 0.0), "{bill:?}");
    }
    assert_eq!((world.model.asked(), world.runs()), (0, 0));
}

#[tokio::test]
async fn a_probe_asks_once_and_keeps_nothing() {
    let world = World::replying();
    let probed = probe::run(&priced("m/x"), &one_by_one(), &world.setting()).await.expect("it answers");
    assert_eq!((probed.verdict, world.model.asked(), world.runs()), (Verdict::Correct, 1, 0));
    let world = World::new(Box::new(|_, _| Ok(ChatReply::text("no idea"))));
    let probed = probe::run(&priced("m/x"), &one_by_one(), &world.setting()).await.expect("it answers");
    assert_ne!(probed.verdict, Verdict::Correct);
}

#[tokio::test]
async fn a_probe_tells_a_wrong_key_from_a_provider_that_is_down() {
    for (kind, is_usage) in [(ChatErrorKind::Auth, true), (ChatErrorKind::Provider, false)] {
        let world = World::new(Box::new(move |_, _| Err(ChatError::new(kind, "trouble"))));
        let refused = probe::run(&priced("m/x"), &one_by_one(), &world.setting()).await.expect_err("no reply comes");
        assert_eq!((refused.is_usage(), world.runs()), (is_usage, 0), "{refused}");
    }
}
