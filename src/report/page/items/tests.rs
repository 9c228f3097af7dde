use super::super::programs::tests::read;
use super::*;
use crate::run::sink::tests::sample;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read;

/// The lines as the page's script reads them: items with their programs, then what they have in common.
fn lines(items: &Items) -> Vec<Value> {
    let bytes = STANDARD.decode(items.data()).expect("is base64");
    let mut text = String::new();
    GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("is gzip of text");
    let (mut lines, mut waiting): (Vec<Value>, usize) = (Vec::new(), 0);
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("is JSON");
        if line.get("words").is_none() {
            lines.push(line);
            continue;
        }
        let mut programs = read(&line).into_iter();
        for item in lines[waiting..].iter_mut().filter(|item| item.get("told").is_some()) {
            item["program"] = programs.next().expect("one for each item").into();
        }
        assert_eq!(programs.next(), None);
        waiting = lines.len();
    }
    lines
}

#[test]
fn items_read_back_and_cannot_be_markup() {
    let mut record = sample(Purpose::Attack, 3, 4, Verdict::Wrong);
    let reply = r#"</script><b> <OUTPUT>{"stack_values": [{"type": "i32", "value": 31}, 7]}</OUTPUT>"#;
    record.answer.reply = Some(reply.into());
    let mut book = ItemBook::new(Vec::new());
    let run = book.run("results/a b", &[]);
    let view = book.view(run, &record, false);
    assert!(book.add(view));
    let items = book.finish("all");
    assert!(!items.data().contains('<') && items.len() == 1);
    let [line, common] = &lines(&items)[..] else { panic!("an item and what they have in common") };
    assert_eq!(line["slots"], serde_json::json!([["0", "i32(30)", "i32(31)", false]]));
    assert_eq!(line["beyond"], serde_json::json!(["7"]));
    assert_eq!((&line["reply"]["text"], &line["verdict"]), (&reply.into(), &"wrong".into()));
    assert_eq!(common["runs"], serde_json::json!(["results/a b"]));
}

#[test]
fn a_program_is_told_once() {
    let mut book = ItemBook::new(Vec::new());
    let run = book.run("r", &[]);
    for (at, program) in ["(a)", "(b)", "(a)"].into_iter().enumerate() {
        let mut record = sample(Purpose::Attack, 0, at as u32, Verdict::Wrong);
        record.item.program = program.into();
        let view = book.view(run, &record, false);
        book.add(view);
    }
    let told: Vec<[Value; 2]> =
        lines(&book.finish("")).iter().map(|line| ["program", "same"].map(|key| line[key].clone())).collect();
    assert_eq!(told[..3], [["(a)".into(), Value::Null], ["(b)".into(), Value::Null], [Value::Null, 0.into()]]);
}

#[test]
fn replies_are_cut_between_characters() {
    let long = "ü".repeat(600);
    let quote = Quote::of(&format!("x{long}"));
    assert_eq!((quote.text.len(), quote.of), (1023, Some(1201)));
    assert_eq!(Quote::of("short"), Quote { text: "short".into(), of: None });
}

/// Programs that do not compress at all: the page says what it left out, and stays under 8 MB.
#[test]
fn a_page_has_an_end() {
    let mut rng = crate::seed::Rng::from_u64(1);
    let noise: Vec<u8> = (0..6_000_000).map(|_| b' ' + rng.below(94) as u8).collect();
    let mut book = ItemBook::new(Vec::new());
    let run = book.run("r", &[]);
    book.expect(900);
    let mut added = 0;
    for (at, program) in noise.chunks(15_000).cycle().take(900).enumerate() {
        let mut record = sample(Purpose::Attack, 0, at as u32, Verdict::Wrong);
        // The same noise again is another program, which no window of the compressor reaches back to.
        record.item.program = format!("{at} {}", String::from_utf8_lossy(program));
        let view = book.view(run, &record, false);
        added += u64::from(book.add(view));
    }
    let items = book.finish("Noise.");
    assert_eq!(items.len(), added);
    assert!(items.data().len() < 7_800_000, "{}", items.data().len());
    let read = lines(&items);
    let with = read.iter().filter(|line| line.get("program").is_some()).count() as u64;
    let without = added - with;
    assert!((350..550).contains(&with), "{with}");
    assert!(items.note().contains(&format!("The last {without} come without")), "{}", items.note());
}

#[test]
fn without_an_answer_only_the_truth_is_told() {
    let mut record = sample(Purpose::Attack, 0, 0, Verdict::InvalidFormat);
    record.answer.reply = Some(r#"{"stack_values": [1]}"#.into());
    assert_eq!(slots(&record), (vec![Slot("0".into(), "i32(30)".into(), None, None)], vec![]));
}
