//! An endpoint that does wrong on purpose, and keeps a ledger of all that it did. HTTP is written by hand, since no
//! framework resets a connection, sends half of its JSON, or answers twice.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use wasmweaver::item::record::Verdict;
use wasmweaver::seed::Seed;

/// What a server may do instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    BusyForAWhile,
    Busy,
    Failed,
    BadGateway,
    Unavailable,
    Reset,
    Hang,
    HalfJson,
    WebPage,
    NoChoices,
    Nothing,
    ErrorBeside,
    ErrorWithin,
    NullContent,
    CutOff,
    OpenThought,
    Filtered,
    Refused,
    Flagged,
    FilteredBefore,
}

/// What it may do beside answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Quirk {
    None,
    Drip,
    SeveralOutputs,
    Twice,
}

impl Fault {
    const ALL: [Self; 20] = [
        Self::BusyForAWhile,
        Self::Busy,
        Self::Failed,
        Self::BadGateway,
        Self::Unavailable,
        Self::Reset,
        Self::Hang,
        Self::HalfJson,
        Self::WebPage,
        Self::NoChoices,
        Self::Nothing,
        Self::ErrorBeside,
        Self::ErrorWithin,
        Self::NullContent,
        Self::CutOff,
        Self::OpenThought,
        Self::Filtered,
        Self::Refused,
        Self::Flagged,
        Self::FilteredBefore,
    ];

    /// What becomes of a question whose last attempt met this.
    pub(super) fn verdict(self) -> Verdict {
        match self {
            Self::Hang => Verdict::Timeout,
            Self::NullContent => Verdict::NoResponse,
            Self::CutOff | Self::OpenThought => Verdict::Truncated,
            Self::Filtered | Self::Refused | Self::Flagged | Self::FilteredBefore => Verdict::Refusal,
            _ => Verdict::ProviderError,
        }
    }

    /// Whether the same request may succeed later.
    pub(super) fn passes(self) -> bool {
        use Fault::{CutOff, Filtered, FilteredBefore, Flagged, NullContent, OpenThought, Refused};
        !matches!(self, NullContent | CutOff | OpenThought | Filtered | Refused | Flagged | FilteredBefore)
    }
}

/// What was done with one request.
#[derive(Clone, Debug)]
pub(super) struct Served {
    /// The last message.
    pub(super) content: String,
    /// `None` where it was answered.
    pub(super) fault: Option<Fault>,
}

type Ledger = Arc<Mutex<Vec<Served>>>;
type Answer = dyn Fn(&Value) -> String + Send + Sync;

/// How a server behaves.
pub(super) struct Behaviour {
    /// The share of requests that meet a fault.
    pub(super) faults: f64,
    /// How long it thinks.
    pub(super) delay: Duration,
    /// What it replies, of the whole request.
    pub(super) answer: Box<Answer>,
}

/// The running server. It stops when dropped.
pub(super) struct FaultServer {
    addr: SocketAddr,
    ledger: Ledger,
    task: JoinHandle<()>,
}

impl FaultServer {
    pub(super) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let addr = listener.local_addr().expect("bound");
        let (ledger, behaviour) = (Ledger::default(), Arc::new(behaviour));
        let task = tokio::spawn({
            let ledger = ledger.clone();
            async move {
                loop {
                    let Ok((stream, _)) = listener.accept().await else { return };
                    tokio::spawn(converse(stream, behaviour.clone(), ledger.clone()));
                }
            }
        });
        Self { addr, ledger, task }
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    /// All that it did so far, in its order.
    pub(super) fn ledger(&self) -> Vec<Served> {
        self.ledger.lock().expect("not poisoned").clone()
    }

    /// How many requests it has read.
    pub(super) fn requests(&self) -> usize {
        self.ledger.lock().expect("not poisoned").len()
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// All of one connection; a reply that cannot be written is the client's affair.
async fn converse(mut stream: TcpStream, behaviour: Arc<Behaviour>, ledger: Ledger) {
    let _ = stream.set_nodelay(true);
    let mut unread = Vec::new();
    while let Some(body) = request(&mut stream, &mut unread).await {
        let request: Value = serde_json::from_slice(&body).expect("our client writes JSON");
        let content =
            request["messages"].as_array().and_then(|all| all.last()).expect("one at least")["content"].clone();
        let content = content.as_str().expect("text").to_owned();
        let (fault, quirk) = {
            let mut ledger = ledger.lock().expect("not poisoned");
            let number = ledger.len() as u64;
            let mut rng = Seed::new(7).indexed("request", number).rng();
            let fault = (rng.unit() < behaviour.faults).then(|| *rng.pick(&Fault::ALL));
            // Each hang costs the time limit of an attempt: one in ten is enough.
            let fault = fault.map(|fault| if fault == Fault::Hang && rng.unit() > 0.1 { Fault::Busy } else { fault });
            let quirk = *rng.pick(&[Quirk::None, Quirk::None, Quirk::Drip, Quirk::SeveralOutputs, Quirk::Twice]);
            ledger.push(Served { content, fault });
            (fault, if behaviour.faults > 0.0 { quirk } else { Quirk::None })
        };
        tokio::time::sleep(behaviour.delay).await;
        let written = match fault {
            None => answer(&mut stream, &(behaviour.answer)(&request), quirk).await,
            Some(Fault::Reset) => {
                // What is still unread makes the system send a reset in place of an orderly end.
                let _ = stream.set_zero_linger();
                return;
            }
            Some(Fault::Hang) => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                return;
            }
            Some(fault) => stream.write_all(&failure(fault)).await,
        };
        if written.is_err() {
            return;
        }
    }
}

/// The body of the next request on a connection.
async fn request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        let head = unread.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&unread[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            let end = head + length.unwrap_or(0);
            if unread.len() >= end {
                let body = unread[head..end].to_vec();
                unread.drain(..end);
                return Some(body);
            }
        }
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    }
}

async fn answer(stream: &mut TcpStream, reply: &str, quirk: Quirk) -> std::io::Result<()> {
    let reply = match quirk {
        Quirk::SeveralOutputs => format!("At first <OUTPUT>{{\"x\": 0}}</OUTPUT>, no: {reply}"),
        _ => reply.to_owned(),
    };
    let bytes = response("200 OK", "", &choice(json!({"message": {"content": reply}, "finish_reason": "stop"})));
    match quirk {
        Quirk::Twice => stream.write_all(&[&bytes[..], &bytes[..]].concat()).await,
        Quirk::Drip => {
            for part in bytes.chunks(bytes.len().div_ceil(4)) {
                stream.write_all(part).await?;
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
            Ok(())
        }
        _ => stream.write_all(&bytes).await,
    }
}

fn failure(fault: Fault) -> Vec<u8> {
    let whole = choice(json!({"message": {"content": "<OUTPUT>[1]</OUTPUT>"}, "finish_reason": "stop"}));
    match fault {
        Fault::BusyForAWhile => response("429 Too Many Requests", "Retry-After: 0.01\r\n", "{}"),
        Fault::Busy => response("429 Too Many Requests", "", "slow down"),
        Fault::Failed => response("500 Internal Server Error", "", "<h1>oops</h1>"),
        Fault::BadGateway => response("502 Bad Gateway", "", r#"{"error": {"message": "x", "code": 502}}"#),
        Fault::Unavailable => response("503 Service Unavailable", "", ""),
        Fault::HalfJson => response("200 OK", "", &whole[..whole.len() / 2]),
        Fault::WebPage => response("200 OK", "", "<html>Log in</html>"),
        Fault::NoChoices => response("200 OK", "", &json!({"choices": [], "created": 1.5}).to_string()),
        Fault::Nothing => response("200 OK", "", ""),
        Fault::ErrorBeside => response("200 OK", "", r#"{"user_id": "u", "error": {"code": 502, "message": "x"}}"#),
        Fault::ErrorWithin => {
            let within = json!({"message": {"content": "<OUTPUT>"}, "finish_reason": "error", "error": {"code": 502}});
            response("200 OK", "", &choice(within))
        }
        Fault::OpenThought => said(json!({"content": "<think><OUTPUT>[1]</OUTPUT>, or"}), "stop"),
        Fault::Flagged => {
            let reasons = json!({"code": 403, "message": "Your input was flagged", "metadata": {"reasons": ["x"]}});
            response("403 Forbidden", "", &json!({ "error": reasons }).to_string())
        }
        Fault::FilteredBefore => response("400 Bad Request", "", r#"{"error": {"code": "content_filter"}}"#),
        Fault::NullContent => said(json!({"content": null}), "stop"),
        Fault::CutOff => said(json!({"content": "<OUTPUT>[1]</OUTPUT>"}), "length"),
        Fault::Filtered => said(json!({"content": "<OUTPUT>[1]</OUTPUT>"}), "content_filter"),
        Fault::Refused => said(json!({"content": null, "refusal": "No."}), "stop"),
        Fault::Reset | Fault::Hang => unreachable!("nothing is said then"),
    }
}

fn said(message: Value, finish_reason: &str) -> Vec<u8> {
    response("200 OK", "", &choice(json!({"message": message, "finish_reason": finish_reason})))
}

fn choice(choice: Value) -> String {
    json!({"object": "chat.completion", "choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 4}})
        .to_string()
}

fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

/// For each question the verdict that the ledger says it must have: that of what was done with it last.
pub(super) fn expected(ledger: &[Served], answered: impl Fn(&str) -> Verdict) -> HashMap<String, Verdict> {
    let verdict = |served: &Served| served.fault.map_or_else(|| answered(&served.content), Fault::verdict);
    ledger.iter().map(|served| (served.content.clone(), verdict(served))).collect()
}
