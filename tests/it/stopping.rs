//! Runs that are stopped by a signal or by a limit: what they end with, what they say, and how they go on.
#![cfg(unix)]

use super::command_line::{folder, harness};
use super::keeping::{asked, begin, ended, novice, only, told};
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn signal(child: &Child, kind: &str) {
    let sent = Command::new("kill").args([kind, &child.id().to_string()]).status();
    assert!(sent.expect("there is a kill").success());
}

/// The command that goes on, as it was told.
fn resume(said: &str) -> Vec<String> {
    let line = said.lines().find_map(|line| line.split_once("go on with: harness ")).expect(said).1;
    line.split(' ').map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_asks_ends_with_the_signal_s_code_and_says_how_it_goes_on() {
    let server = novice(Duration::from_millis(40)).await;
    let folder = folder("stopped");
    let url = server.base_url();
    let asking = ["--model", "openai/novice", "--base-url", &url, "--max-connections", "2"];
    let attack = ["attack", "--strategy", "random", "--query-budget", "120", "--no-baseline", "--log-dir", "attacks"];
    let eval = ["eval", "--suite", "smoke", "--task", "stack", "--epochs", "12", "--log-dir", "evals"];
    for (args, kind, code) in [(&attack[..], "-INT", 130), (&eval[..], "-TERM", 143)] {
        let before = server.requests();
        let mut child = begin(&folder, &[args, &asking].concat());
        asked(&server, &mut child, before, 9).await;
        signal(&child, kind);
        let (ended_with, said) = ended(child);
        assert_eq!(ended_with, Some(code), "{said}");
        assert!(said.contains("interrupted; go on with: harness"), "{said}");
        let manifest = only(&folder.join(args.last().expect("its folder"))).join("manifest.yaml");
        assert!(std::fs::read_to_string(&manifest).expect("a manifest").contains("status: interrupted"));
        let line = resume(&said);
        let output = begin(&folder, &line.iter().map(String::as_str).collect::<Vec<_>>());
        let (ended_with, said) = ended(output);
        assert_eq!(ended_with, Some(0), "{line:?}: {said}");
        assert!(std::fs::read_to_string(&manifest).expect("a manifest").contains("status: complete"));
    }
    // A limit of the user's own is no interruption; a threshold that cannot be judged is missed.
    for (more, code) in [(&["--time-limit", "1"][..], 0), (&["--time-limit", "1", "--fail-below", "0.1"], 100)] {
        let args = ["eval", "--suite", "smoke", "--task", "fuel", "--epochs", "40", "--log-dir", "limited"];
        let (ended_with, said) = ended(begin(&folder, &[&args[..], &asking, more].concat()));
        assert_eq!(ended_with, Some(code), "{said}");
        assert!(said.contains("stopped; go on with: harness eval --resume limited/"), "{said}");
    }
    // What was found is cut down and asked again.
    let run = only(&folder.join("attacks")).to_string_lossy().into_owned();
    let shrink = ["shrink", &run, "--best", "3"];
    let report = ["report", &run, "--pairs", "50"];
    for args in [&[&shrink[..], &asking[2..]].concat()[..], &report] {
        let before = server.requests();
        let mut child = begin(&folder, args);
        asked(&server, &mut child, before, 3).await;
        if server.requests() == before {
            // No claim, so that there are no pairs to ask.
            assert_eq!((args[0], ended(child).0), ("report", Some(0)));
            continue;
        }
        signal(&child, "-INT");
        let (code, said) = ended(child);
        assert!(code == Some(130) && said.contains("interrupted; what was"), "{args:?}: {code:?} {said}");
    }
}

/// A provider that is never available, at an address.
async fn unavailable() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = vec![0; 1 << 16];
                // Whatever was read of the question is enough to decline it.
                let _ = stream.read(&mut bytes).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                    .await;
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_time_and_a_signal_reach_what_is_tried_again() {
    let folder = folder("stopped-trying");
    let url = unavailable().await;
    let trying = ["--model", "openai/novice", "--base-url", &url, "--max-retries", "20", "--timeout", "2"];
    let attack = ["attack", "--query-budget", "40", "--no-baseline", "--strategy", "random"];
    let eval = ["eval", "--suite", "smoke", "--limit", "8"];
    for (args, code) in [(&attack[..], 0), (&eval[..], 0), (&attack[..], 130)] {
        let begun = Instant::now();
        let limit = if code == 0 { &["--time-limit", "2"][..] } else { &[] };
        let child = begin(&folder, &[args, &trying, limit].concat());
        if code == 130 {
            tokio::time::sleep(Duration::from_secs(2)).await;
            signal(&child, "-INT");
        }
        let (ended_with, said) = tokio::task::spawn_blocking(|| ended(child)).await.expect("no panic");
        assert_eq!(ended_with, Some(code), "{said}");
        // Twenty retries take minutes. This bound is missed only by a run that makes them.
        assert!(begun.elapsed() < Duration::from_secs(30), "{args:?}: {:?}: {said}", begun.elapsed());
        assert!(said.contains("go on with: harness"), "{said}");
    }
}

#[test]
fn what_weaves_or_learns_ends_with_130_and_keeps_what_it_has() {
    let folder = folder("stopped-weaving");
    let generate = ["generate", "-n", "1000000", "--out", "data"];
    let train = ["train", "--minutes", "60", "--preset", "tiny", "--log-dir", "trained"];
    for (args, ready) in [(&generate[..], "data/unfinished"), (&train[..], "trained")] {
        let child = begin(&folder, args);
        let until = Instant::now() + Duration::from_secs(60);
        while !folder.join(ready).exists() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        // So that it has begun; when does not matter.
        std::thread::sleep(Duration::from_millis(1500));
        signal(&child, "-INT");
        let (code, said) = ended(child);
        assert!(code == Some(130) && said.contains("interrupted; "), "{args:?}: {code:?} {said}");
    }
    assert!(folder.join("data/dataset.yaml").exists() && !folder.join("data/unfinished").exists());
    let run = only(&folder.join("trained"));
    assert!(run.join("checkpoint.safetensors").exists());
    let policy = run.join("checkpoint").to_string_lossy().into_owned();
    let args = ["generate", "--policy", &policy, "--preset", "tiny", "-n", "5", "--out", "woven"];
    let (code, said) = told(harness(&folder, &args));
    assert_eq!(code, Some(0), "{said}");
}
