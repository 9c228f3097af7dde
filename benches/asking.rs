//! How many questions a second are asked, judged and recorded, and how that compares with a bare HTTP client in the same
//! process: `cargo bench --bench asking [-- --questions N --connections N]`. The server answers at once from a process of
//! its own, so that the processor time of this one is the client's alone. The last line is JSON.

#![allow(clippy::print_stdout)] // A bench prints what it measures.

#[path = "common/cpu.rs"]
mod cpu;

use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;
use wasmweaver::ask::budget::Budget;
use wasmweaver::ask::chat::Message;
use wasmweaver::ask::evaluate::{Subject, evaluate};
use wasmweaver::ask::examiner::Examiner;
use wasmweaver::ask::exchange::{Exchange, ExchangeError, Finish};
use wasmweaver::ask::limits::Limits;
use wasmweaver::ask::models::ParamStyle;
use wasmweaver::ask::openai::{Endpoint, OpenAi};
use wasmweaver::ask::prompt::Prompts;
use wasmweaver::ask::serve::{RespondError, Responder, Server};
use wasmweaver::item::record::{RecordSink, Task};
use wasmweaver::run::clock::Stamp;
use wasmweaver::run::dir::{RunDir, RunName};
use wasmweaver::run::sink::JsonlSink;
use wasmweaver::run::suite::{Select, Suite, Workers};
use wasmweaver::seed::Seed;

/// As in the `harness` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Set for the process that serves.
const SERVES: &str = "WASMWEAVER_BENCH_SERVES";
/// Different items that are asked in turn.
const ITEMS: u64 = 500;
/// How often both are measured, in turn.
const REPEATS: usize = 3;

/// Says the same whatever it is asked.
struct AtOnce;

impl Responder for AtOnce {
    fn models(&self) -> Vec<String> {
        vec!["m".into()]
    }

    fn respond(&self, _: &str, _: &[Message], _: Option<u64>) -> Result<String, RespondError> {
        let steps =
            "The constant 7 is pushed, then added to what lies below; the sum is 12 and nothing else.\n".repeat(4);
        Ok(format!("{steps}<OUTPUT>{{\"stack_values\":[{{\"type\":\"i32\",\"value\":\"12\"}}]}}</OUTPUT>"))
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("starts");
    if std::env::var_os(SERVES).is_some() {
        return runtime.block_on(serve());
    }
    let (mut server, base_url) = start();
    let flag = |name: &str, usual: usize| {
        let mut args = std::env::args().skip_while(|arg| arg != name);
        args.nth(1).map_or(usual, |value| value.parse().expect("a number"))
    };
    let (questions, connections) = (flag("--questions", 30_000), flag("--connections", 64));
    let subjects = subjects();
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        // Ours first: setting up a model names the implementation of TLS, without which no client is built.
        ours.push(runtime.block_on(ask_ours(&base_url, &subjects, (questions, connections))));
        bare.push(runtime.block_on(ask_bare(&base_url, &subjects, (questions, connections))));
    }
    server.kill().expect("is ours");
    let [bare, ours] = [bare, ours].map(median);
    let tell = |what: &str, rate: &Rate| {
        println!("{what:36} {:>8.0} /s   {:>8.0} /s of processor time", rate.wall, rate.core);
    };
    println!("{questions} questions, {connections} at once, median of {REPEATS}");
    tell("bare reqwest, replies read", &bare);
    tell("harness, judged and recorded", &ours);
    let line = json!({
        "questions": questions,
        "connections": connections,
        "bare_per_s": bare.wall.round(),
        "bare_per_core_s": bare.core.round(),
        "harness_per_s": ours.wall.round(),
        "harness_per_core_s": ours.core.round(),
        "share_of_bare_per_core": (1000.0 * ours.core / bare.core).round() / 1000.0,
    });
    println!("{line}");
}

async fn serve() {
    let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::new(AtOnce)).await.expect("starts");
    println!("{}", server.base_url());
    std::future::pending().await
}

/// The server in a process of its own, and its address.
fn start() -> (Child, String) {
    let me = std::env::current_exe().expect("known");
    let mut child = Command::new(me).env(SERVES, "1").stdout(Stdio::piped()).spawn().expect("starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("it says where it is");
    (child, line.trim().to_owned())
}

fn subjects() -> Vec<Subject> {
    let suite = Suite::of_preset(None, &[Task::Stack], 3, ITEMS).expect("a preset of each task is carried");
    let woven =
        suite.weave(Seed::new(0), &Select::default(), Workers { threads: 2, halt: &Default::default() }, |_, _| {
            std::ops::ControlFlow::Continue(())
        });
    let subject = |one: wasmweaver::run::suite::SuiteItem| Subject {
        chosen_by: suite.label(),
        level: Some(one.level),
        item: one.item,
    };
    woven.expect("weaves").items.into_iter().map(subject).collect()
}

/// Questions a second, and a second of this process's processor time.
#[derive(Clone, Copy)]
struct Rate {
    wall: f64,
    core: f64,
}

fn median(mut rates: Vec<Rate>) -> Rate {
    rates.sort_by(|a, b| a.core.total_cmp(&b.core));
    rates[rates.len() / 2]
}

struct Clock(Instant, f64);

impl Clock {
    fn start() -> Self {
        Self(Instant::now(), cpu::cpu_time())
    }

    fn rate(&self, count: usize) -> Rate {
        Rate { wall: count as f64 / self.0.elapsed().as_secs_f64(), core: count as f64 / (cpu::cpu_time() - self.1) }
    }
}

/// The same requests without anything around them.
async fn ask_bare(base_url: &str, subjects: &[Subject], (questions, connections): (usize, usize)) -> Rate {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("builds");
    let prompts = Prompts::new([]);
    let body = |subject: &Subject| {
        let messages = prompts.of(Task::Stack).render(&subject.item).expect("renders");
        json!({"model": "m", "messages": messages}).to_string()
    };
    let bodies: Arc<Vec<String>> = Arc::new(subjects.iter().map(body).collect());
    let url: Arc<str> = format!("{base_url}/chat/completions").into();
    let clock = Clock::start();
    let ask = |from: usize| {
        let (client, bodies, url) = (client.clone(), bodies.clone(), url.clone());
        tokio::spawn(async move {
            for at in (from..questions).step_by(connections) {
                let request = client.post(&*url).header("content-type", "application/json");
                let reply = request.body(bodies[at % bodies.len()].clone()).send().await.expect("sent");
                assert!(!reply.bytes().await.expect("read").is_empty());
            }
        })
    };
    let all: Vec<_> = (0..connections).map(ask).collect();
    for one in all {
        one.await.expect("does not panic");
    }
    clock.rate(questions)
}

async fn ask_ours(base_url: &str, subjects: &[Subject], (questions, connections): (usize, usize)) -> Rate {
    let limits = Limits { max_connections: connections, ..Limits::default() };
    let endpoint = Endpoint { base_url: base_url.into(), key: None, style: ParamStyle::Standard };
    let model = Arc::new(OpenAi::new(endpoint, limits.clone()).expect("sets up"));
    let examiner = Examiner { limits, ..Examiner::new("m", model) };
    let mut exchange = Exchange::new(examiner, Arc::new(Budget::unlimited()));
    let folder = std::env::temp_dir().join(format!("wasmweaver-bench-{}", std::process::id()));
    let name = RunName { verb: "bench", strategy: None, preset: "stack", model: None, seed: 0 };
    let dir = RunDir::create(&folder, &name, &Stamp::now()).expect("can be made");
    let mut sink = JsonlSink::open(&dir).expect("can be made");
    let clock = Clock::start();
    let all = subjects.iter().cycle().take(questions).cloned().map(Ok::<_, ExchangeError>);
    let all = futures::stream::iter((0..).zip(all));
    let mut kept = 0;
    let ended = evaluate(
        &mut exchange,
        1,
        all,
        |_| false,
        |record, timing| {
            sink.record(&record, &timing).expect("the disk has room");
            kept += 1;
            Ok(())
        },
    );
    assert_eq!(ended.await.expect("renders"), Finish::Complete);
    assert_eq!(kept, questions);
    let rate = clock.rate(questions);
    std::fs::remove_dir_all(folder).expect("is ours");
    rate
}
