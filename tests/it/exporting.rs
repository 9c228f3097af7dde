//! `harness export` and `harness eval --import-batch` as their user meets them. That other tools load what is written,
//! and come to the same verdicts, tests/e2e/exports.sh shows.

use crate::command_line::{folder, harness, json};
use serde_json::{Value, json as object};
use std::path::{Path, PathBuf};
use wasmweaver::ask::residents::Residents;
use wasmweaver::ask::serve::Server;

/// A run with a few items: weaving them once is enough.
fn run(folder: &Path) -> Value {
    let items = ["--suite", "smoke@1", "--seed", "7", "--limit", "3", "--task", "stack", "--task", "fuel"];
    json(&harness(folder, &[&["eval"], &items[..], &["--model", "guess/zero", "--json"]].concat()))
}

fn directory(figures: &Value) -> &str {
    figures["run_dir"].as_str().expect("text")
}

fn export(folder: &Path, to: &str, out: &str, args: &[&str]) -> Value {
    let asks = to == "openai-batch" && !args.contains(&"--model");
    let model: &[&str] = if asks { &["--model", "sim/novice"] } else { &[] };
    json(&harness(folder, &[&["export", "--to", to, "--out", out, "--json"], args, model].concat()))
}

/// Every file below a folder with its bytes, in order.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("is there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).expect("readable");
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

fn names(folder: &Path) -> Vec<String> {
    let name = |(path, _): (PathBuf, Vec<u8>)| {
        path.strip_prefix(folder).expect("is within").to_string_lossy().replace('\\', "/")
    };
    files(folder).into_iter().map(name).collect()
}

#[test]
fn formats_have_their_files_and_the_same_items_the_same_bytes() {
    let folder = folder("exports");
    let figures = run(&folder);
    let items = [directory(&figures)];
    for (to, expected) in [
        (
            "lm-eval",
            &[
                "README.md",
                "data/fuel.jsonl",
                "data/stack.jsonl",
                "utils.py",
                "wasmweaver_smoke_1.yaml",
                "wasmweaver_smoke_1_fuel.yaml",
                "wasmweaver_smoke_1_stack.yaml",
            ][..],
        ),
        ("inspect", &["README.md", "items.jsonl", "wasmweaver.py"]),
        (
            "hf",
            &[
                "README.md",
                "data/fuel/test-00000-of-00001.parquet",
                "data/stack/test-00000-of-00001.parquet",
                "grade.py",
            ],
        ),
        ("openai-batch", &["README.md", "requests-00000.jsonl"]),
    ] {
        let told = export(&folder, to, to, &items);
        assert_eq!((told["items"].as_u64(), &told["tasks"]), (Some(6), &object!({"stack": 3, "fuel": 3})), "{to}");
        let of = |told: &Value| ["suite", "seed", "fingerprint"].map(|key| told[key].clone());
        assert_eq!(of(&told), of(&figures), "{to}");
        assert_eq!(names(&folder.join(to)), expected, "{to}");
        let again = folder.join("again").join(to);
        export(&folder, to, &again.to_string_lossy(), &items);
        let bytes = |folder: &Path| files(folder).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
        let differs = bytes(&folder.join(to)) != bytes(&again);
        // The command in the folder of requests names no folder, so that even this is the same.
        assert!(!differs, "{to}");
    }
    let left: Vec<_> =
        std::fs::read_dir(&folder).expect("is there").map(|e| e.expect("readable").file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".partial")), "{left:?}");
}

#[test]
fn mistakes_are_told_and_leave_nothing() {
    let folder = folder("exports-refused");
    std::fs::create_dir(folder.join("full")).expect("can be made");
    std::fs::write(folder.join("full/x"), "").expect("can be written");
    std::fs::write(folder.join("none.jsonl"), "").expect("can be written");
    let few_shot = concat!(env!("CARGO_MANIFEST_DIR"), "/prompts/stack-few-shot.v1.md");
    for (args, told) in [
        (&["export", "smokee", "--to", "hf", "--out", "a"][..], "did you mean `smoke`"),
        (&["export", "smoke", "--to", "hf", "--out", "full"], "full is not empty"),
        (&["export", "none.jsonl", "--to", "hf", "--out", "a"], "no items"),
        (&["export", "full", "--to", "hf", "--out", "a"], "manifest.yaml"),
        (&["export", "smoke", "--to", "parquet", "--out", "a"], "name its directory"),
        (&["export", "smoke", "--to", "openai-batch", "--model", "sim/nobody", "--out", "a"], "nobody"),
        (
            &[
                "export", "smoke", "--limit", "1", "--task", "stack", "--to", "lm-eval", "--prompt", few_shot, "--out",
                "a",
            ],
            "choose another one with --prompt",
        ),
        (&["eval", "--import-batch", "none.jsonl", "--model", "sim/novice", "--model", "sim/oracle"], "--model once"),
        (&["eval", "--import-batch", "no/such.jsonl"], "no/such.jsonl"),
    ] {
        let output = harness(&folder, args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{args:?}: {said}");
        assert!(said.contains(told), "{args:?}: {said}");
    }
    assert_eq!(names(&folder), ["full/x", "none.jsonl"]);
}

/// The records of a run, as a set of lines.
fn records(folder: &Path, figures: &Value) -> Vec<String> {
    let path = folder.join(figures["run_dir"].as_str().expect("text")).join("records.jsonl");
    let text = std::fs::read_to_string(path).expect("is there");
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    lines.sort();
    lines
}

/// Sends a file of requests through the endpoint; the lines that come back.
async fn batch(requests: String) -> Vec<String> {
    // An error means that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Server::start("127.0.0.1:0".parse().expect("an address"), std::sync::Arc::new(Residents::default()));
    let server = server.await.expect("starts");
    let (client, base) = (reqwest::Client::new(), server.base_url());
    let form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\nContent-Disposition: form-data; \
         name=\"file\"; filename=\"r.jsonl\"\r\n\r\n{requests}\r\n--b--\r\n"
    );
    let upload =
        client.post(format!("{base}/files")).header("content-type", "multipart/form-data; boundary=b").body(form);
    let file: Value = upload.send().await.expect("is sent").json().await.expect("JSON");
    let asked = object!({"input_file_id": file["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"});
    let begin = client.post(format!("{base}/batches")).json(&asked);
    let mut told: Value = begin.send().await.expect("is sent").json().await.expect("JSON");
    while told["status"] != "completed" {
        assert_ne!(told["status"], "failed", "{told}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let url = format!("{base}/batches/{}", told["id"].as_str().expect("text"));
        told = client.get(url).send().await.expect("is sent").json().await.expect("JSON");
    }
    let url = format!("{base}/files/{}/content", told["output_file_id"].as_str().expect("text"));
    let output = client.get(url).send().await.expect("is sent").text().await.expect("text");
    output.lines().map(String::from).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_comes_back_as_the_same_records() {
    let folder = folder("batch");
    let figures = run(&folder);
    let asked = ["--items", directory(&figures), "--epochs", "2", "--model", "sim/oracle+noise=0.5"];
    export(&folder, "openai-batch", "requests", &asked);
    let requests = std::fs::read_to_string(folder.join("requests/requests-00000.jsonl")).expect("is there");
    let mut replies = batch(requests).await;
    replies.reverse();
    let eval = |args: &[&str]| harness(&folder, &[&["eval"], &asked[..], args, &["--json"]].concat());
    let write =
        |name: &str, lines: &[String]| std::fs::write(folder.join(name), lines.join("\n")).expect("can be written");
    write("all.jsonl", &replies);
    let (live, imported) = (json(&eval(&[])), json(&eval(&["--import-batch", "all.jsonl"])));
    assert_eq!(imported["rows"], live["rows"]);
    assert_eq!(records(&folder, &imported), records(&folder, &live));

    let runs = || std::fs::read_dir(folder.join("results")).expect("is there").count();
    let before = runs();
    write("some.jsonl", &replies[1..]);
    write("double.jsonl", &replies[..1]);
    write("foreign.jsonl", &[replies[0].replace("fuel-l", "heap-l")]);
    for (files, told) in [
        (&["some.jsonl"][..], "of 12 requests 1 have no reply (fuel-l"),
        (&["all.jsonl", "double.jsonl"], "has a reply at all.jsonl:1 already"),
        (&["all.jsonl", "foreign.jsonl"], "1 replies are to no request of these items (heap-l"),
    ] {
        let output = eval(&[&["--import-batch"], files].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(told), "{said}");
    }
    assert_eq!(runs(), before, "what cannot be imported leaves no run");
}

#[test]
fn the_records_of_a_run_are_a_table() {
    let folder = folder("tables");
    let figures = run(&folder);
    let told = export(&folder, "parquet", "table", &[directory(&figures)]);
    assert_eq!(told["records"].as_u64(), Some(6));
    let bytes = std::fs::read(folder.join("table/records.parquet")).expect("is there");
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
}
