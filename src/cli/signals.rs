//! Owns Ctrl-C and SIGTERM: how often this process was told to stop, and with which exit code it then ends.
//!
//! Must not know what is stopped. One thread listens, from the first time that anybody wants to know to the end of the
//! process, so that no signal falls between two stages of a run. Schedulers send SIGTERM; it means the same as Ctrl-C.

use super::{Failure, say};
use crate::ask::stop::{Stop, Stopper};
use std::sync::{Once, OnceLock};
use tokio::sync::watch;

/// Exit code after Ctrl-C: 128 and the signal's number, as shells have it.
const INTERRUPTED: u8 = 130;
/// Exit code after SIGTERM.
#[cfg(unix)]
const TERMINATED: u8 = 143;

/// Told so often, the process ends at once, whatever it does: a user who asks a third time will not wait.
const AT_ONCE: u32 = 3;

/// What was heard so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// How often this process was told to stop.
    pub(super) times: u32,
    /// The exit code that goes with it.
    code: u8,
}

impl Heard {
    /// Ends the process at once.
    pub(super) fn exit(self) -> ! {
        std::process::exit(self.code.into())
    }
}

fn heard() -> &'static watch::Sender<Heard> {
    static HEARD: OnceLock<watch::Sender<Heard>> = OnceLock::new();
    HEARD.get_or_init(|| watch::Sender::new(Heard::default()))
}

/// Listens from now on; what was heard before is told too.
pub(super) fn listen() -> watch::Receiver<Heard> {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        // Without one the system ends the process at the first signal.
        if let Ok(runtime) = runtime {
            std::thread::spawn(move || runtime.block_on(hear()));
        }
    });
    heard().subscribe()
}

/// Counts signals for ever.
#[cfg(unix)]
async fn hear() {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = kinds else { return };
    loop {
        let code = tokio::select! {
            Some(()) = interrupt.recv() => INTERRUPTED,
            Some(()) = terminate.recv() => TERMINATED,
            else => return,
        };
        count(code);
    }
}

/// Counts Ctrl-C for ever.
#[cfg(not(unix))]
async fn hear() {
    while tokio::signal::ctrl_c().await.is_ok() {
        count(INTERRUPTED);
    }
}

fn count(code: u8) {
    let mut now = Heard::default();
    heard().send_modify(|heard| {
        *heard = Heard { times: heard.times + 1, code };
        now = *heard;
    });
    if now.times >= AT_ONCE {
        now.exit();
    }
}

/// Who stops a job that asks, within a runtime: one signal lets nothing new be asked, two drop what is in flight, the third
/// ends the process; what was asked is on disk.
pub(super) fn stopper() -> Stopper {
    let stopper = Stopper::telling(|why| say(&format!("{why}: stopping")));
    let (given, mut told) = (stopper.clone(), listen());
    tokio::spawn(async move {
        loop {
            let heard = *told.borrow_and_update();
            match heard.times {
                0 => {}
                1 => {
                    given.order(Stop::Finish);
                    say("stopping (again to drop what is in flight)");
                }
                _ => {
                    given.order(Stop::Now);
                    say("stopping now");
                }
            }
            if told.changed().await.is_err() {
                return;
            }
        }
    });
    stopper
}

/// Who stops a job that computes: the first signal; told again while the stopper is held, the process ends.
pub(super) fn worker_stopper() -> Result<Stopper, Failure> {
    let stopper = Stopper::default();
    let (mut told, held) = (listen(), stopper.downgrade());
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            loop {
                let heard = *told.borrow_and_update();
                // What comes later stops in its own way.
                let Some(stopper) = held.upgrade() else { return };
                if heard.times > 1 {
                    heard.exit();
                }
                if heard.times == 1 && !stopper.halt().is_wished() {
                    stopper.order(Stop::Finish);
                    say("stopping (again to drop what is not yet written)");
                }
                drop(stopper);
                if told.changed().await.is_err() {
                    return;
                }
            }
        });
    });
    Ok(stopper)
}

/// How a process ends that a signal stopped, and what to do then; `None` if none did.
pub(super) fn interrupted(after: &str) -> Option<Failure> {
    let Heard { times, code } = *heard().borrow();
    (times > 0).then(|| Failure::Interrupted { code, after: after.into() })
}

/// The same of what did not come to its end; if no signal stopped it, a limit of the user's own did, which is fine.
pub(super) fn ended_early(after: &str) -> Result<(), Failure> {
    match interrupted(after) {
        Some(failure) => Err(failure),
        None => {
            say(&format!("stopped; {after}"));
            Ok(())
        }
    }
}
