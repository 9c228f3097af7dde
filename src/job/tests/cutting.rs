//! Cutting programs down: within a budget, from where it stopped, and each model by itself.

use super::{CENT, World, attacked, one_by_one, plan, priced, said, trouble};
use crate::ask::chat::ChatErrorKind;
use crate::ask::stop::Stop;
use crate::job::shrink::{self, Picked, ShrinkLimits, ShrinkPlan};
use crate::run::manifest::{Manifest, Status};
use crate::run::plan::{AttackPlan, Conditions, Request, ShrinkBest};
use crate::run::shrunk::{read_all_shrunk, read_shrunk};
use std::path::PathBuf;

fn shrinking(run: PathBuf) -> ShrinkPlan {
    let (what, limits) = (Picked::Best(3), ShrinkLimits::default());
    ShrinkPlan { run, what, limits, model: None, changes: Request::default(), prompt: None }
}

#[tokio::test]
async fn shrinking_has_a_budget_of_money_and_stops_in_order() {
    let world = World::replying();
    let dir = attacked(&world).await;
    // To the cent: what was cut down by then is kept, if anything was.
    let world = world.then(Box::new(|_, request| Ok(said(request))));
    let limited = Conditions { cost_limit: Some(7.0 * CENT), ..one_by_one() };
    let plan = shrinking(dir.path().into());
    let (_, stopped) = shrink::run(&plan, &limited, &world.setting()).await.expect("all answer");
    assert!(stopped.stopped && world.model.asked() == 7, "{} asked", world.model.asked());
    // And whole, as the run asked: each of the three is as small as it gets.
    let world = world.then(Box::new(|_, request| Ok(said(request))));
    let (_, all) = shrink::run(&plan, &Conditions::default(), &world.setting()).await.expect("all answer");
    assert!(!all.stopped && all.shrunk.len() + all.same.len() == 3, "{all:?}");
    assert_eq!(all.spent.cost_usd.map(|usd| (usd / CENT).round() as usize), Some(world.model.asked()));
    assert_eq!((world.events.count("cutting"), world.events.count("answered")), (3, world.model.asked()));
    let kept = read_shrunk(&dir).expect("can be read");
    assert!(kept.iter().filter(|line| line.smallest).count() == all.shrunk.len());
    let other = ShrinkPlan { what: Picked::Items(vec!["nothing".into()]), ..plan };
    let wrong = shrink::run(&other, &one_by_one(), &world.setting()).await.expect_err("there is no such item");
    assert!(wrong.is_usage() && wrong.to_string().contains("has no item nothing"), "{wrong}");
}

#[tokio::test]
async fn what_a_limit_ended_goes_on_from_there() {
    let world = World::replying();
    let dir = attacked(&world).await;
    let plan = ShrinkPlan { what: Picked::Best(1), ..shrinking(dir.path().into()) };
    let limited = Conditions { cost_limit: Some(20.0 * CENT), ..one_by_one() };
    let (mut world, mut sizes, mut asked) = (world, Vec::new(), 0);
    loop {
        world = world.then(Box::new(|_, request| Ok(said(request))));
        let (_, part) = shrink::run(&plan, &limited, &world.setting()).await.expect("all answer");
        asked += world.model.asked();
        let [line] = &read_shrunk(&dir).expect("can be read")[..] else { panic!("one program is cut down") };
        sizes.push(line.after.instructions);
        assert!(sizes.len() < 50 && sizes.is_sorted_by(|before, after| before >= after), "{sizes:?}");
        if !part.stopped {
            assert!(line.smallest && line.queries == asked as u64, "{} of {asked}", line.queries);
            assert!(line.before.instructions > line.after.instructions);
            break;
        }
    }
    assert!(sizes.len() > 1, "{sizes:?}");
}

#[tokio::test]
async fn no_reply_does_not_mean_that_the_model_is_right() {
    let world = World::replying();
    let dir = attacked(&world).await;
    let world = world.then(Box::new(|_, _| trouble(ChatErrorKind::Provider)));
    let silent = shrink::run(&shrinking(dir.path().into()), &one_by_one(), &world.setting()).await;
    let silent = silent.expect_err("nothing came");
    assert!(!silent.is_usage() && silent.to_string().starts_with("m/x does not answer: "), "{silent}");
    assert_eq!(read_shrunk(&dir).expect("can be read"), []);
}

#[tokio::test]
async fn what_another_model_misses_is_kept_apart() {
    let world = World::replying();
    let dir = attacked(&world).await;
    let own = ShrinkPlan { what: Picked::Best(1), ..shrinking(dir.path().into()) };
    let other = ShrinkPlan { model: Some(priced("m/y")), ..own.clone() };
    for plan in [&other, &own] {
        shrink::run(plan, &Conditions::default(), &world.setting()).await.expect("all answer");
    }
    let models: Vec<_> = read_all_shrunk(&dir).expect("can be read").into_iter().map(|line| line.model).collect();
    assert_eq!(models, [Some("m/y".to_owned()), None]);
    assert_eq!(read_shrunk(&dir).expect("can be read").len(), 1);
}

#[tokio::test]
async fn an_attack_that_is_stopped_while_it_cuts_goes_on_cutting() {
    let plan = AttackPlan { shrink: Some(ShrinkBest { best: 2, query_budget: 400 }), ..plan(300) };
    let whole = World::replying();
    let all = whole.attack(&plan, &one_by_one(), whole.below()).await.expect("all answer");
    assert_eq!((all.status, all.shrinking.stopped), (Status::Complete, false));
    for at in [300, 307] {
        let world = World::stopping_at(at, Stop::Finish);
        let first = world.attack(&plan, &one_by_one(), world.below()).await.expect("all answer");
        assert!(first.status == Status::Complete && first.shrinking.stopped, "{at}");
        let world = world.then(Box::new(|_, request| Ok(said(request))));
        let second = world.attack(&plan, &one_by_one(), world.earlier(&first.dir)).await.expect("all answer");
        assert!(second.status == Status::Complete && !second.shrinking.stopped, "{at}");
        assert_eq!(second.figures.queries, all.figures.queries);
        let from = |dir| read_shrunk(dir).expect("can be read").into_iter().map(|line| (line.from, line.smallest));
        assert_eq!(from(&second.dir).collect::<Vec<_>>(), from(&all.dir).collect::<Vec<_>>(), "{at}");
        assert_eq!(Manifest::read(&second.dir).expect("is there").shrinking, Some(Status::Complete));
        let asked = world.model.asked();
        world.attack(&plan, &one_by_one(), world.earlier(&first.dir)).await.expect("is complete");
        assert_eq!(world.model.asked(), asked, "nothing is left to ask");
    }
}
