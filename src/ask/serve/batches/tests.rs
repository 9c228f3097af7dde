use super::*;
use crate::ask::chat::Message;

/// Says what it is asked, but to those who ask for nobody.
struct Parrot;

impl Responder for Parrot {
    fn models(&self) -> Vec<String> {
        vec!["parrot".into()]
    }

    fn respond(&self, model: &str, messages: &[Message], _: Option<u64>) -> Result<String, RespondError> {
        let said = messages.last().map(|message| message.content.clone()).unwrap_or_default();
        if model == "parrot" { Ok(said) } else { Err(RespondError::UnknownModel(model.into())) }
    }
}

use crate::ask::serve::RespondError;

fn line(id: &str, model: &str) -> String {
    let body = json!({"model": model, "messages": [{"role": "user", "content": format!("I am {id}")}]});
    json!({"custom_id": id, "method": "POST", "url": ENDPOINT, "body": body}).to_string() + "\n"
}

fn ran(input: &str) -> (Arc<Desk>, Value) {
    let desk = Arc::new(Desk { responder: Arc::new(Parrot), kept: Mutex::default() });
    desk.kept().batches.insert("batch_0".into(), json!({"id": "batch_0", "status": "validating"}));
    run(&desk, "batch_0", input.as_bytes());
    let batch = desk.kept().batches["batch_0"].clone();
    (desk, batch)
}

#[test]
fn every_request_has_a_line_in_one_of_two_files() {
    let (desk, batch) = ran(&(line("a", "parrot") + &line("b", "nobody") + "\n" + &line("c", "parrot")));
    assert_eq!((&batch["status"], &batch["request_counts"]["failed"]), (&json!("completed"), &json!(1)));
    let rows = |field: &str| -> Vec<Value> {
        let kept = desk.kept();
        let file = &kept.files[batch[field].as_str().expect("there is one")];
        file.bytes
            .split(|&b| b == b'\n')
            .filter(|l| !l.is_empty())
            .map(|l| serde_json::from_slice(l).expect("JSON"))
            .collect()
    };
    let output = rows("output_file_id");
    assert_eq!(output.iter().map(|row| row["custom_id"].clone()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(output[1]["response"]["body"]["choices"][0]["message"]["content"], "I am c");
    let errors = rows("error_file_id");
    assert_eq!((errors.len(), errors[0]["response"]["status_code"].as_u64()), (1, Some(404)));
}

#[test]
fn a_file_with_a_mistake_is_refused_by_line() {
    for (input, at, told) in [
        (String::new(), 0, "empty"),
        ("{".into(), 1, "EOF"),
        (line("a", "parrot") + &line("a", "parrot"), 2, "custom_id"),
        (line("a", "parrot").replace("POST", "GET"), 1, "method"),
        ("{\"method\":\"POST\"}".into(), 1, "custom_id"),
    ] {
        let (_, batch) = ran(&input);
        let error = &batch["errors"]["data"][0];
        assert_eq!((&batch["status"], error["line"].as_u64()), (&json!("failed"), Some(at)), "{input}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains(told)), "{error}");
    }
}
