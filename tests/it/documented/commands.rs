//! Runs every command, and reads every sample file, that README.md and the pages of `docs/` show. `SMALLER` says what is
//! made smaller or led elsewhere first, `ELSEWHERE` who runs what is not run here; a line that is in neither fails.

use crate::command_line::{folder, harness};
use crate::faults::{Behaviour, FaultServer};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use wasmweaver::ask::chat::Message;
use wasmweaver::ask::models::Models;
use wasmweaver::ask::residents::Solvers;
use wasmweaver::ask::serve::Responder;
use wasmweaver::run::preset::Preset;

/// What stands on a page, and what stands there when it is run: smaller numbers, and no address outside this machine.
const SMALLER: &[(&str, &str)] = &[
    ("cargo run --release --", "harness"),
    ("s3://", "file://$PWD/"),
    ("ollama/llama3.2", "ollama/llama3.2 --base-url $OPENAI_BASE_URL"),
    // It reads thousands of items first.
    ("--model guess/learned", ""),
    ("generate --suite standard@1", "generate --suite smoke@1"),
    ("-n 1000000", "-n 20"),
    ("-n 10000", "-n 20"),
    ("--limit 200", "--limit 2"),
    ("--limit 40", "--limit 2"),
    ("--query-budget 500", "--query-budget 40"),
    // All parts are needed to merge them.
    ("--shard 3/16", "--shard 1/1"),
];

/// Flags that a verb is given too, unless its line has them, or one of the words behind them.
const ADDED: &[(&str, &str, &[&str])] = &[
    ("harness attack", "--query-budget 40", &["--query-budget", "--resume"]),
    ("harness eval", "--limit 2", &["--limit", "--replay", "--items", "--resume"]),
    ("harness export standard", "--limit 2", &[]),
    ("harness suite show", "--limit 2", &[]),
    ("harness train", "--steps 200 --programs 5", &["--steps"]),
];

/// Pages, or the beginnings of their lines, and the file that runs them.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("README.md", "cargo test", ".ci/run"),
    ("CONTRIBUTING.md", "", ".ci/run"),
    ("docs/adding.md", "", "tests/e2e/adding.sh"),
    ("docs/duckdb.md", "", "tests/e2e/exports.sh"),
    ("docs/exporting.md", "cd tasks", "tests/e2e/exports.sh"),
    ("docs/exporting.md", "lm_eval run", "tests/e2e/exports.sh"),
    ("docs/exporting.md", "inspect eval", "tests/e2e/exports.sh"),
    ("docs/exporting.md", "harness eval --suite standard --model o3-mini --import-batch", "tests/e2e/exports.sh"),
    ("docs/exporting.md", "pip install", "tests/e2e/python.sh"),
    ("python/README.md", "pip install", "tests/e2e/python.sh"),
    ("docs/solvers.md", "harness serve", "tests/e2e/exports.sh"),
    ("docs/tutorial.md", "", "tests/it/documented.rs"),
];

/// How a sample file is held.
type Held = fn(&Path);

/// Sample files by the name in the head of their block.
const FILES: &[(&str, Held)] = &[
    ("mine.yaml", |path| drop(Preset::load(&path.to_string_lossy()).expect("the preset on the page"))),
    ("models.yaml", |path| Models::shipped().extend_with(path).expect("the models on the page")),
];

/// A block of a page: what is set in code, and the word or words behind its fence.
struct Block {
    info: String,
    lines: Vec<String>,
}

/// The blocks of a page, fenced or indented.
fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut fence): (Vec<Block>, Option<&str>) = (Vec::new(), None);
    let mut is_open = false;
    for line in text.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if ticks == open => fence = None,
            None if ticks.len() >= 3 => {
                fence = Some(ticks);
                blocks.push(Block { info: line[ticks.len()..].to_owned(), lines: Vec::new() });
            }
            Some(_) => blocks.last_mut().expect("it was begun").lines.push(line.into()),
            None => match line.strip_prefix("    ") {
                Some(code) if is_open => blocks.last_mut().expect("it was begun").lines.push(code.into()),
                Some(code) => blocks.push(Block { info: String::new(), lines: vec![code.into()] }),
                None => {}
            },
        }
        is_open = fence.is_none() && line.starts_with("    ");
    }
    blocks
}

/// The commands of a block, each on one line.
fn commands(block: &Block) -> Vec<String> {
    let joined = block.lines.join("\n").replace("\\\n", " ");
    joined.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// What a command of a page is when it is run here.
fn smaller(command: &str) -> String {
    let mut command = command.split(" #").next().unwrap_or_default().trim_end().to_owned();
    for (shown, run) in SMALLER {
        command = command.replace(shown, run);
    }
    for (verb, flags, unless) in ADDED {
        if command.starts_with(verb) && !unless.iter().any(|word| command.contains(word)) {
            command = format!("{command} {flags}");
        }
    }
    command
}

/// The folder in which a page is followed: what its lines take for given is there.
fn place(name: &str) -> std::path::PathBuf {
    let folder = folder(&format!("followed-{}", name.replace(['/', '.'], "-")));
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("our folder");
        std::fs::write(path, text).expect("our folder");
    };
    let program = "(module (func (export \"run\") (result i32)\n i32.const 3 ;;INSPECT\n i32.const 4 i32.mul))";
    own("program.wat", program);
    own("modules/program.wat", program);
    own("mine.yaml", &std::fs::read_to_string(ours.join("policies/tiny.yaml")).expect("is shipped"));
    own("policies/README", "");
    for file in ["aligned.safetensors", "aligned.card.yaml"] {
        std::fs::copy(ours.join("policies").join(file), folder.join("policies").join(file)).expect("is shipped");
    }
    folder
}

/// The runs of which pages speak by name, made when a page speaks of one.
fn runs(folder: &Path, text: &str) {
    let attack = |name: &str, more: &[&str]| {
        let asked = ["attack", "--query-budget", "120", "--model", "sim/shift-unmasked", "--no-baseline"];
        let args: Vec<&str> = asked.iter().chain(more).copied().chain(["--log-dir", "made", "--json"]).collect();
        let figures = crate::command_line::json(&harness(folder, &args));
        std::fs::create_dir_all(folder.join("results")).expect("our folder");
        let made = folder.join(figures["run_dir"].as_str().expect("a path"));
        std::fs::rename(made, folder.join("results").join(name)).expect("our folder");
    };
    if text.contains("results/RUN_DIR") {
        attack("RUN_DIR", &["--strategy", "evolve"]);
    }
    if text.contains("results/EVAL_RUN") {
        let args = ["eval", "--suite", "smoke", "--limit", "4", "--model", "sim/novice", "--into", "results/EVAL_RUN"];
        assert_eq!(harness(folder, &args).status.code(), Some(0));
    }
    if text.contains("results/MATCHED_RUN") {
        attack("MATCHED_RUN", &["--strategy", "matched", "--like", "results/RUN_DIR"]);
    }
}

/// An item that the run has missed, in place of the one that a page names.
fn missed(folder: &Path) -> String {
    let records = std::fs::read_to_string(folder.join("results/RUN_DIR/records.jsonl")).expect("the run has records");
    let records = records.lines().map(|line| serde_json::from_str::<Value>(line).expect("a record"));
    let missed = records.into_iter().find(|record| record["answer"]["verdict"] == "wrong").expect("one is missed");
    missed["id"].as_str().expect("a name").to_owned()
}

async fn follow(name: &str) {
    let text = super::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name));
    let folder = place(name);
    runs(&folder, &text);
    let answer = |request: &Value| {
        let messages: Vec<Message> = serde_json::from_value(request["messages"].clone()).expect("messages");
        Solvers.respond("novice", &messages, Some(0)).expect("it reads every question")
    };
    let behaviour = Behaviour { faults: 0.0, delay: Duration::ZERO, answer: Box::new(answer) };
    let server = FaultServer::start(behaviour).await;
    for block in blocks(&text) {
        if let Some((_, file)) = block.info.split_once(' ') {
            let path = folder.join(file);
            std::fs::write(&path, block.lines.join("\n")).expect("our folder");
            let held = FILES.iter().find(|(name, _)| *name == file);
            held.unwrap_or_else(|| panic!("{name}: nobody reads {file}; add it to FILES")).1(&path);
            continue;
        }
        if block.info == "python" || block.lines[0].starts_with('─') {
            // `python/tests/test_documents.py` runs the one; the other is what a command printed.
            continue;
        }
        for command in commands(&block) {
            let elsewhere = |&&(page, line, _): &&(&str, &str, &str)| page == name && command.starts_with(line);
            if ELSEWHERE.iter().find(elsewhere).is_some() || command.starts_with("export ") {
                continue;
            }
            let mut small = smaller(&command);
            assert!(small.contains("harness"), "{name}: who runs this? {command}");
            if small.contains("a0012-0008") {
                small = small.replace("a0012-0008", &missed(&folder));
            }
            run(name, &folder, &small, &server.base_url());
        }
    }
}

fn run(page: &str, folder: &Path, command: &str, server: &str) {
    let bin = Path::new(env!("CARGO_BIN_EXE_harness")).parent().expect("it lies in a folder");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).env("PATH", path);
    shell.env("OPENAI_API_KEY", "none").env("OPENAI_BASE_URL", server).env("XDG_CACHE_HOME", folder.join("cache"));
    // A page's suites are woven once.
    shell.env_remove("WASMWEAVER_SUITE_CACHE");
    let output = shell.output().expect("there is a shell");
    assert!(output.status.success(), "{page}: {command}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// One test for each page, so that they run side by side.
macro_rules! pages {
    ($($test:ident: $page:literal)*) => {
        const PAGES: &[&str] = &[$($page),*];
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
            async fn $test() {
                follow($page).await;
            }
        )*
    };
}

pages! {
    the_readme: "README.md"
    attacking: "docs/attacking.md"
    datasets: "docs/datasets.md"
    evaluating: "docs/evaluating.md"
    exporting: "docs/exporting.md"
    presets: "docs/presets.md"
    scaling: "docs/scaling.md"
    solvers: "docs/solvers.md"
    training: "docs/training.md"
}

#[test]
fn no_page_is_left_out() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs =
        std::fs::read_dir(ours.join("docs")).expect("a folder").map(|entry| entry.expect("readable").file_name());
    let docs = docs.map(|name| format!("docs/{}", name.to_string_lossy())).filter(|name| name.ends_with(".md"));
    for page in docs.chain(["README.md", "CONTRIBUTING.md", "python/README.md", "deploy/README.md"].map(String::from)) {
        let text = super::read(&ours.join(&page));
        let left = blocks(&text)
            .iter()
            .filter(|block| block.info != "python")
            .flat_map(commands)
            .find(|command| !ELSEWHERE.iter().any(|(named, line, _)| *named == page && command.starts_with(line)));
        assert!(PAGES.contains(&&*page) || left.is_none(), "{page} is followed by nobody: {left:?}");
    }
    for (page, line, runner) in ELSEWHERE {
        let text = super::read(&ours.join(page));
        let is_there = blocks(&text).iter().flat_map(commands).any(|command| command.starts_with(line));
        assert!(is_there && ours.join(runner).exists(), "{page}: `{line}` is not there any more, or {runner}");
    }
}
