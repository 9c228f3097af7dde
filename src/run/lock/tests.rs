use super::*;
use crate::run::dir::LOCK;
use crate::run::dir::tests::Scratch;
use std::cell::RefCell;
use std::sync::atomic::AtomicBool;

/// A lease that is over at once, and one that is not waited for.
const SHORT: Terms = Terms {
    beat: Duration::from_secs(3600),
    lease: Duration::from_millis(10),
    look: Duration::from_millis(1),
    settle: Duration::from_millis(1),
};
const LONG: Terms = Terms { lease: Duration::from_secs(3600), ..SHORT };

thread_local! {
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn hear(told: Told) {
    SAID.with_borrow_mut(|said| said.push(told.to_string()));
}

fn said() -> String {
    SAID.take().join("\n")
}

/// A holder on another machine.
fn foreign() -> Holder {
    Holder { host: "elsewhere".into(), boot: "another start".into(), ..Holder::me() }
}

fn folder(scratch: &Scratch) -> Folder {
    Folder::at(&format!("file://{}/store", scratch.path().display())).expect("is an address")
}

#[test]
fn the_holder_is_named_and_leaves_nothing_behind() {
    let scratch = Scratch::new();
    let there = || Lock::there(folder(&scratch), hear);
    let here = || Lock::here(scratch.path(), hear);
    for lock in [&there as &dyn Fn() -> Result<Lock, LockError>, &here] {
        let first = lock().expect("is free");
        let told = lock().expect_err("is taken").to_string();
        assert!(
            told.contains(&format!("worked on by process {} on {}, since 2", std::process::id(), host())),
            "{told}"
        );
        drop(first);
        drop(lock().expect("is free again"));
    }
    assert_eq!(said(), "", "nobody died");
    assert!(!scratch.path().join(LOCK).exists() && !scratch.path().join("store").join(LOCK).exists());
}

#[test]
fn who_died_on_this_machine_is_replaced_at_once() {
    let scratch = Scratch::new();
    scratch.file(LOCK, &String::from_utf8(Holder::me().line()).expect("is text"));
    let (_here, me) = here::take(scratch.path(), LONG, hear).expect("its holder is dead");
    assert_eq!(
        here::take(scratch.path(), LONG, hear).err().map(|error| error.to_string().contains(&me.to_string())),
        Some(true)
    );
    assert!(said().contains("was left locked by process"));
    let witness = scratch.file("witness", "");
    let dead = Holder { witness: Some(witness), ..Holder::me() };
    folder(&scratch).put(LOCK, dead.line(), None).expect("can be written");
    there::take(folder(&scratch), LONG, hear).expect("its holder is dead");
    assert!(said().contains("was left locked by process"));
}

#[test]
fn who_holds_it_on_another_machine_is_waited_for() {
    let scratch = Scratch::new();
    // At once: an empty file, which is there for a moment when one is written anew, would be a holder that has gone.
    let write = |holder: &Holder| {
        let next = scratch.file("next", &String::from_utf8(holder.line()).expect("is text"));
        std::fs::rename(next, scratch.path().join(LOCK)).expect("both are ours");
    };
    write(&foreign());
    here::take(scratch.path(), SHORT, hear).expect("it gave no sign of life");
    assert!(said().contains("on elsewhere, since"));
    let mut alive = foreign();
    write(&alive);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            alive.beat += 1;
            write(&alive);
        });
        let told = here::take(scratch.path(), LONG, hear).err().expect("it lives").to_string();
        assert!(told.contains("on elsewhere"), "{told}");
    });
    let store = folder(&scratch);
    store.put(LOCK, foreign().line(), None).expect("can be written");
    there::take(folder(&scratch), SHORT, hear).expect("it gave no sign of life");
}

#[test]
fn who_was_taken_for_dead_is_told() {
    static LOST: AtomicBool = AtomicBool::new(false);
    let scratch = Scratch::new();
    let terms = Terms { beat: Duration::from_millis(1), ..SHORT };
    let (place, me) = here::take(scratch.path(), terms, hear).expect("is free");
    let lock = Lock::hold(Box::new(place), me, scratch.path().into(), terms, |told| {
        LOST.store(matches!(told, Told::Lost(_)), Ordering::SeqCst);
    });
    // Renewals go on, until another name stands there.
    let until = Instant::now() + Duration::from_secs(60);
    while !LOST.load(Ordering::SeqCst) && Instant::now() < until {
        scratch.file(LOCK, &String::from_utf8(foreign().line()).expect("is text"));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(LOST.load(Ordering::SeqCst));
    drop(lock);
    assert!(scratch.path().join(LOCK).exists(), "it is another one's now");
}
