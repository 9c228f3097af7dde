//! Run directories as several processes meet them: one works, the others are told who does; here and in an object store.

use super::command_line::{folder, harness, json};
use super::faults::{Behaviour, FaultServer};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use wasmweaver::ask::chat::Message;
use wasmweaver::ask::residents::Solvers;
use wasmweaver::ask::serve::Responder;

/// The simulated novice, who thinks for so long before each answer.
pub(super) async fn novice(delay: Duration) -> FaultServer {
    let answer = |request: &serde_json::Value| {
        let messages: Vec<Message> = serde_json::from_value(request["messages"].clone()).expect("messages");
        Solvers.respond("novice", &messages, Some(0)).expect("it reads every question")
    };
    FaultServer::start(Behaviour { faults: 0.0, delay, answer: Box::new(answer) }).await
}

/// Begins what `args` say, and goes on.
pub(super) fn begin(folder: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.current_dir(folder).args(args).env("OPENAI_API_KEY", "none").env_remove("OPENAI_BASE_URL");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary was built")
}

/// Waits until it has ended: its code, and what it told.
pub(super) fn ended(child: Child) -> (Option<i32>, String) {
    told(child.wait_with_output().expect("it was begun"))
}

pub(super) fn told(output: Output) -> (Option<i32>, String) {
    let texts = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    (output.status.code(), texts.concat())
}

/// The only folder in one.
pub(super) fn only(folder: &Path) -> PathBuf {
    let mut all = std::fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("readable").path());
    let first = all.next().expect("there is one");
    assert_eq!(all.next(), None);
    first
}

/// Waits until it has made that many requests since, or has ended.
pub(super) async fn asked(server: &FaultServer, child: &mut Child, since: usize, requests: usize) {
    let until = Instant::now() + Duration::from_secs(120);
    let mut ended = || child.try_wait().expect("is ours").is_some();
    while server.requests() < since + requests && !ended() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn lines(run: &Path) -> usize {
    std::fs::read_to_string(run.join("records.jsonl")).expect("records").lines().count()
}

/// Two processes that do the same at the same time: one does it, and the other says who.
fn one_of_two(folder: &Path, args: &[&str]) -> String {
    let both = [begin(folder, args), begin(folder, args)];
    let pids = both.each_ref().map(Child::id);
    let [one, other] = both.map(ended);
    let said = format!("{}{}", one.1, other.1);
    let (won, lost) = if one.0 == Some(0) { (pids[0], other) } else { (pids[1], one) };
    assert_eq!(lost.0, Some(2), "{lost:?}");
    let sentence = format!("is being worked on by process {won} on ");
    assert!(lost.1.contains(&sentence) && lost.1.contains("since 2") && lost.1.contains("wait"), "{lost:?}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_never_work_on_one_run() {
    let server = novice(Duration::from_millis(100)).await;
    let folder = folder("two");
    let url = server.base_url();
    let asking = ["--model", "openai/novice", "--base-url", &url, "--max-connections", "1"];
    let store = format!("file://{}/store/run", folder.display());
    for (into, run) in [("here", folder.join("here")), (&store, folder.join("store/run"))] {
        let before = server.requests();
        let eval = ["eval", "--suite", "smoke", "--task", "stack", "--limit", "10", "--into", into];
        one_of_two(&folder, &[&eval[..], &asking].concat());
        assert_eq!((lines(&run), server.requests() - before), (10, 10), "nothing is asked twice");
        assert!(!run.join(".lock").exists());
    }
    // One that was killed, and what stood on disk by then.
    let attack = ["attack", "--strategy", "random", "--query-budget", "40", "--no-baseline"];
    let before = server.requests();
    let mut child = begin(&folder, &[&attack[..], &asking].concat());
    asked(&server, &mut child, before, 5).await;
    child.kill().expect("is ours");
    let pid = child.id();
    child.wait().expect("ends");
    let run = only(&folder.join("results"));
    let path = run.to_string_lossy().into_owned();
    let said = one_of_two(&folder, &["attack", "--resume", &path]);
    assert!(said.contains(&format!("was left locked by process {pid} on ")), "{said}");
    assert_eq!(lines(&run), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_worked_on_is_looked_at_but_not_changed() {
    let server = novice(Duration::from_millis(100)).await;
    let folder = folder("watched");
    let url = server.base_url();
    let asking = ["--model", "openai/novice", "--base-url", &url, "--max-connections", "1"];
    let attack = ["attack", "--strategy", "random", "--query-budget", "60", "--no-baseline"];
    let mut child = begin(&folder, &[&attack[..], &asking].concat());
    asked(&server, &mut child, 0, 5).await;
    let run = only(&folder.join("results")).to_string_lossy().into_owned();
    for args in [
        &["attack", "--resume", &run][..],
        &["shrink", &run, "--best", "1"],
        &["report", &run, "--pairs", "1"],
        &["generate", "-n", "5", "--out", &run],
        &["merge", &run, "--out", &run],
    ] {
        let (code, said) = told(harness(&folder, args));
        assert!(code == Some(2), "{args:?}: {said}");
        assert!(args[0] == "merge" || said.contains("is being worked on by process"), "{args:?}: {said}");
    }
    for args in [&["report", &run, "--pairs", "0"][..], &["export", &run, "--to", "parquet", "--out", "table"]] {
        let (code, said) = told(harness(&folder, args));
        assert_eq!(code, Some(0), "{args:?}: {said}");
    }
    assert_eq!(ended(child).0, Some(0), "it was not disturbed");
}

/// Every verb that takes or makes a run directory or a folder of files, with an address.
#[test]
fn every_verb_takes_an_address() {
    let folder = folder("every-verb");
    let store = folder.join("store");
    let at = |name: &str| format!("file://{}/{name}", store.display());
    let ok = |args: &[&str]| {
        let (code, said) = told(harness(&folder, args));
        assert_eq!(code, Some(0), "{args:?}: {said}");
        said
    };
    let figures = json(&harness(
        &folder,
        &["attack", "--query-budget", "60", "--no-baseline", "--log-dir", &at("attacks"), "--json"],
    ));
    let run = only(&store.join("attacks"));
    let attack = at(&format!("attacks/{}", run.file_name().expect("has one").to_string_lossy()));
    assert_eq!(figures["queries"], 60);
    let id = json(&harness(&folder, &["eval", "--items", &attack, "--into", &at("transfer"), "--json"]));
    assert_eq!(id["chosen_against"], "sim/novice");
    let first = std::fs::read_to_string(run.join("records.jsonl")).expect("records");
    let first: serde_json::Value = serde_json::from_str(first.lines().next().expect("one")).expect("a record");
    let first = first["id"].as_str().expect("has one");
    ok(&["attack", "--resume", &attack]);
    ok(&["attack", "--strategy", "matched", "--like", &attack, "--query-budget", "20", "--log-dir", &at("matched")]);
    let other = only(&store.join("matched"));
    let other = at(&format!("matched/{}", other.file_name().expect("has one").to_string_lossy()));
    ok(&["report", &attack, "--pairs", "1", "--against", &other]);
    let (code, said) = told(harness(&folder, &["report", &attack, "--pairs", "0", "--against", &attack]));
    assert!(code == Some(2) && said.contains("is the run itself"), "{said}");
    ok(&["shrink", &attack, "--best", "1", "--query-budget", "5"]);
    ok(&["explain", &attack, "--item", first]);
    ok(&["export", &attack, "--to", "parquet", "--out", &at("table")]);
    let eval = ["eval", "--suite", "smoke", "--task", "fuel", "--limit", "4"];
    for part in ["1/2", "2/2"] {
        ok(&[&eval[..], &["--shard", part, "--into", &at(&format!("parts/{}", &part[..1]))]].concat());
    }
    ok(&["merge", &at("parts"), "--out", &at("merged")]);
    ok(&["eval", "--resume", &at("merged")]);
    ok(&["eval", "--replay", &at("merged"), "--log-dir", &at("replayed")]);
    ok(&["leaderboard", &at("merged"), &at("replayed"), "--out", &at("board")]);
    ok(&["generate", "-n", "20", "--out", &at("data")]);
    ok(&["train", "--steps", "1", "--programs", "10", "--log-dir", &at("trained")]);
    for args in
        [&["train", "--steps", "1", "--out", &at("policy")][..], &["report", &attack, "--out", &at("page.html")]]
    {
        let (code, said) = told(harness(&folder, args));
        assert!(code == Some(2) && said.contains("a file here"), "{args:?}: {said}");
    }
    for file in ["table/records.parquet", "merged/records.jsonl", "board/index.html", "data/dataset.yaml"] {
        assert!(store.join(file).exists(), "{file}");
    }
    assert!(run.join("report.html").exists() && run.join("summary.md").exists());
    let mut all = vec![store];
    while let Some(path) = all.pop() {
        assert_ne!(path.file_name(), Some(".lock".as_ref()), "{}", path.display());
        all.extend(std::fs::read_dir(path).into_iter().flatten().map(|entry| entry.expect("readable").path()));
    }
}
