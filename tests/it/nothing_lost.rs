//! What an endpoint does wrong costs nothing but time, and a killed run goes on where it was.

use crate::command_line::{folder, harness};
use crate::damaged::as_killed;
use crate::faults::{Behaviour, Fault, FaultServer, Served, expected};
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use wasmweaver::ask::chat::{ChatRequest, Message, Params, Role};
use wasmweaver::ask::judge::Strictness;
use wasmweaver::ask::limits::Limits;
use wasmweaver::ask::models::ParamStyle;
use wasmweaver::ask::openai::{Endpoint, OpenAi};
use wasmweaver::ask::pipeline::{Ended, Query, ask_all};
use wasmweaver::ask::residents::Solvers;
use wasmweaver::ask::serve::Responder;
use wasmweaver::ask::stop::Stop;
use wasmweaver::item::record::{Answer, Truth, Verdict};
use wasmweaver::seed::Seed;
use wasmweaver::wasm::types::Value;

/// A secret that must be found nowhere.
const KEY: &str = "sk-planted-0123456789abcdef";

/// The number that a question asks for; of every tenth another one.
fn echo(request: &Json) -> String {
    let content = request["messages"][0]["content"].as_str().expect("text");
    let number: i64 = content.parse().expect("a number");
    format!("<OUTPUT>{{\"stack_values\":[{}]}}</OUTPUT>", if is_wrong(content) { number + 1 } else { number })
}

fn is_wrong(content: &str) -> bool {
    content.ends_with('3')
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_questions_at_thirty_percent_faults_have_one_verdict_each() {
    const QUESTIONS: usize = 10_000;
    const RETRIES: u32 = 3;
    let server = FaultServer::start(Behaviour { faults: 0.3, delay: Duration::ZERO, answer: Box::new(echo) }).await;
    let endpoint = Endpoint { base_url: server.base_url(), key: None, style: ParamStyle::Standard };
    let limits = Limits {
        max_connections: 64,
        max_retries: RETRIES,
        attempt_timeout: Duration::from_secs(3),
        total_timeout: Duration::from_secs(120),
        first_backoff: Duration::from_millis(1),
    };
    let model = Arc::new(OpenAi::new(endpoint, limits.clone()).expect("sets up"));
    let question = |about: usize| Query {
        request: ChatRequest {
            model: "m".into(),
            messages: vec![Message { role: Role::User, content: about.to_string() }],
            params: Params::default(),
            epoch: 0,
        },
        truth: Truth::StackValues(vec![Value::i64(about as i64)]),
        strictness: Strictness::default(),
        about,
    };
    let mut answers: HashMap<usize, (Answer, u32)> = HashMap::new();
    let stop = watch::channel(Stop::Go).1;
    let questions = (0..QUESTIONS).map(|about| Ok::<_, Infallible>(question(about)));
    let ended = ask_all(model.clone(), questions, &limits, stop, |about, answer, clock| {
        assert!(answers.insert(about, (answer, clock.attempts)).is_none(), "{about} has two answers");
        Ok(())
    });
    assert_eq!(ended.await, Ok(Ended::Complete));
    let ledger = server.ledger();
    let verdict = |content: &str| if is_wrong(content) { Verdict::Wrong } else { Verdict::Correct };
    let expected = expected(&ledger, verdict);
    assert_eq!((answers.len(), expected.len()), (QUESTIONS, QUESTIONS));
    let mut met: HashMap<&str, Vec<&Served>> = HashMap::new();
    ledger.iter().for_each(|served| met.entry(&served.content).or_default().push(served));
    for (about, (answer, attempts)) in &answers {
        let about = about.to_string();
        let met = &met[about.as_str()];
        assert_eq!(answer.verdict, expected[&about], "{about}: {met:?} {answer:?}");
        let (last, earlier) = met.split_last().expect("it was asked");
        assert!(earlier.iter().all(|served| served.fault.is_some_and(Fault::passes)), "{about}: {met:?}");
        // A connection that breaks between two requests is tried again without the server having seen anything.
        assert!(*attempts as usize >= met.len() && *attempts <= 1 + RETRIES, "{about}: {attempts} of {met:?}");
        if last.fault.is_some_and(Fault::passes) {
            assert_eq!(*attempts, 1 + RETRIES, "{about}: given up too early");
        }
        let paid = answer.wrong_share.is_some();
        assert_eq!(paid, answer.verdict.answered(), "only what was read can pay");
        assert!(answer.verdict != Verdict::Wrong || is_wrong(&about), "a fault scored as wrong");
    }
    let share = ledger.iter().filter(|served| served.fault.is_some()).count() as f64 / ledger.len() as f64;
    assert!((share - 0.3).abs() < 0.02, "{share}");
    assert!(model.meter().retries() > 1000);
}

/// The simulated novice behind a server that remembers.
async fn novice(faults: f64) -> FaultServer {
    let answer = |request: &Json| {
        let messages: Vec<Message> = serde_json::from_value(request["messages"].clone()).expect("messages");
        Solvers.respond("novice", &messages, Some(0)).expect("it reads every question")
    };
    FaultServer::start(Behaviour { faults, delay: Duration::from_millis(4), answer: Box::new(answer) }).await
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.current_dir(folder).args(args).env("OPENAI_API_KEY", KEY).env_remove("OPENAI_BASE_URL");
    command.env("WASMWEAVER_SUITE_CACHE", "off").stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The only run below a folder, once it is there. A directory without a manifest was left by a kill before the beginning.
fn run_dir(folder: &Path) -> Option<PathBuf> {
    let all = std::fs::read_dir(folder.join("results")).ok()?;
    let all = all.map(|entry| entry.expect("readable").path());
    let runs: Vec<PathBuf> = all.filter(|path| path.join("manifest.yaml").exists()).collect();
    assert!(runs.len() < 2, "{runs:?}");
    runs.into_iter().next()
}

/// The complete lines of a run's records.
fn lines(run: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(run.join("records.jsonl")).unwrap_or_default();
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    text[..whole].lines().map(str::to_owned).collect()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// What a question shows of its program.
fn program(content: &str) -> &str {
    let start = content.find("```wat\n").expect("a program") + "```wat\n".len();
    &content[start..start + content[start..].find("\n```").expect("its end")]
}

/// Kills a run with SIGKILL at random moments and goes on each time; its records are those of `args` left alone, and
/// nothing that stands on disk is asked again. Half of the kills come `within_ms` of the start.
async fn survives_kills(name: &str, args: &[&str], within_ms: u32) {
    const KILLS: usize = 20;
    const CONNECTIONS: usize = 4;
    let server = novice(0.0).await;
    let url = server.base_url();
    let asking = ["--model", "openai/novice", "--base-url", &url, "--max-connections", "4"];
    let args: Vec<&str> = args.iter().copied().chain(asking).collect();
    let alone = folder(&format!("{name}-alone"));
    assert!(command(&alone, &args).status().expect("runs").success());
    let whole = sorted(lines(&run_dir(&alone).expect("one run")));
    let (questions, before) = (server.requests(), server.requests());
    assert_eq!(questions, whole.len());

    let killed = folder(&format!("{name}-killed"));
    let mut rng = Seed::new(11).child(name).rng();
    // What stood on disk at each kill, and how many requests had been read by then.
    let mut known: Vec<(HashSet<String>, usize)> = Vec::new();
    let mut kills = 0;
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let run = run_dir(&killed);
        let resume = run.as_ref().map(|run| run.to_string_lossy().into_owned());
        let args: Vec<&str> = match &resume {
            Some(run) => vec![args[0], "--resume", run],
            None => args.clone(),
        };
        let told = std::fs::File::create(killed.join("said")).expect("our folder");
        let mut child = command(&killed, &args).stderr(told).spawn().expect("starts");
        if kills == KILLS {
            assert!(child.wait().expect("ends").success());
            break;
        }
        // Half of the kills come at any time, before the first question too; half among the questions.
        if kills % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(rng.below(within_ms).into())).await;
        } else {
            let at = server.requests() + rng.below((2 * questions / KILLS) as u32 + 1) as usize;
            while server.requests() < at && child.try_wait().expect("is ours").is_none() && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        let ended = child.try_wait().expect("is ours");
        let said = || std::fs::read_to_string(killed.join("said")).expect("our file");
        assert!(ended.is_none_or(|status| status.success()), "after {kills} kills: {ended:?}: {}", said());
        child.kill().expect("is ours");
        child.wait().expect("ends");
        kills += 1;
        // What was sent before the kill may be read after it.
        tokio::time::sleep(Duration::from_millis(20)).await;
        if let Some(run) = run_dir(&killed) {
            let of = |line: &String| serde_json::from_str::<Json>(line).expect("a whole line")["program"].to_string();
            known.push((lines(&run).iter().map(of).collect(), server.requests()));
        }
        if ended.is_some() {
            break;
        }
    }
    assert!(kills > KILLS / 2, "it ended after {kills} kills");
    let run = run_dir(&killed).expect("one run");
    assert_eq!(sorted(lines(&run)), whole);
    let ledger = server.ledger();
    let asked = ledger.len() - before;
    assert!(asked <= questions + kills * CONNECTIONS, "{asked} requests for {questions} questions and {kills} kills");
    // A confirmation asks about a program that is on disk already.
    if args[0] == "eval" {
        for (known, at) in known {
            let again =
                ledger[at..].iter().find(|served| known.contains(&Json::from(program(&served.content)).to_string()));
            assert!(again.is_none(), "asked again: {again:?}");
        }
    }
    let status = std::fs::read_to_string(run.join("manifest.yaml")).expect("a manifest");
    assert!(status.contains("status: complete"), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_evaluation_goes_on_where_it_was() {
    survives_kills("kill-eval", &["eval", "--preset", "stack", "--limit", "900"], 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_attack_goes_on_where_it_was() {
    survives_kills("kill-attack", &["attack", "--query-budget", "200", "--no-baseline", "--seed", "5"], 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_pay_no_attacker_and_no_key_is_written_anywhere() {
    let server = novice(0.3).await;
    let folder = folder("faulty-attack");
    let url = server.base_url();
    let args = ["attack", "--query-budget", "150", "--model", "openai/novice", "--base-url", &url, "--timeout", "2"];
    let output = command(&folder, &args).stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = run_dir(&folder).expect("one run");
    for line in lines(&run) {
        let record: Json = serde_json::from_str(&line).expect("a record");
        let verdict = &record["answer"]["verdict"];
        let answered = *verdict == "correct" || *verdict == "wrong";
        assert!(answered || record["reward"].is_null(), "{line}");
    }
    let mut searched = 0;
    for file in std::fs::read_dir(&run).expect("is there") {
        let path = file.expect("readable").path();
        let bytes = std::fs::read(&path).expect("readable");
        assert!(!bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes()), "{} holds the key", path.display());
        searched += 1;
    }
    assert!(searched >= 4);
    for said in [&output.stdout, &output.stderr] {
        assert!(!String::from_utf8_lossy(said).contains(KEY));
    }
}

#[test]
fn what_cannot_be_written_is_told_and_loses_nothing() {
    let folder = folder("unwritable");
    let eval = ["eval", "--suite", "smoke", "--task", "stack", "--limit", "3"];
    assert!(harness(&folder, &eval).status.success());
    let run = run_dir(&folder).expect("one run");
    let whole = lines(&run);
    // Half of a line, as a kill in the middle of a write leaves it.
    let text = std::fs::read_to_string(run.join("records.jsonl")).expect("records");
    std::fs::write(run.join("records.jsonl"), &text[..text.len() - 40]).expect("can be written");
    as_killed(&run);
    let resumed = harness(&folder, &["eval", "--resume", &run.to_string_lossy()]);
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    assert_eq!(sorted(lines(&run)), sorted(whole.clone()));

    // A full disk: everything that is written there fails at once.
    std::fs::remove_file(run.join("records.jsonl")).expect("is ours");
    std::fs::remove_file(run.join("timings.jsonl")).expect("is ours");
    std::os::unix::fs::symlink("/dev/full", run.join("timings.jsonl")).expect("can be made");
    as_killed(&run);
    let full = harness(&folder, &["eval", "--resume", &run.to_string_lossy()]);
    let said = String::from_utf8_lossy(&full.stderr).into_owned();
    assert_eq!(full.status.code(), Some(1), "{said}");
    assert!(said.contains("timings.jsonl") && said.contains("space"), "{said}");

    // A log directory that cannot be made.
    std::fs::write(folder.join("taken"), "").expect("can be written");
    let refused = harness(&folder, &["eval", "--suite", "smoke", "--limit", "1", "--log-dir", "taken"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("taken") && said.contains("--log-dir"), "{said}");
}
