//! Owns the prompts behind the items of a page: the text of each once, with a mark where the program stood.
//!
//! Must not know models. A manifest keeps only the hash of a prompt; its text is at hand if it came with the program or
//! the caller gave its file. The page shows a prompt word for word, or says that it cannot.

use crate::ask::chat::Message;
use crate::ask::prompt::Prompt;
use crate::item::record::Item;
use crate::run::plan;
use serde::Serialize;

/// Stands for the program; no prompt that people write has it.
const PLACE: &str = "\u{f8ff}";
/// The ways to ask that come with the program.
const STYLES: [&str; 2] = ["step-by-step", "answer-only"];

/// A prompt as the page keeps it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Text {
    /// Its name and version.
    name: String,
    /// Its messages, the program left out; empty if its text is not at hand.
    messages: Vec<Message>,
}

/// The prompts of a page's items.
#[derive(Debug)]
pub(super) struct Prompts {
    known: Vec<Prompt>,
    texts: Vec<Text>,
}

impl Prompts {
    /// Those that come with the program, and these.
    pub(super) fn new(own: Vec<Prompt>) -> Self {
        let shipped = STYLES.iter().flat_map(|style| Prompt::named(style).expect("it comes with the program"));
        Self { known: own.into_iter().chain(shipped).collect(), texts: Vec::new() }
    }

    /// The number of the prompt that asked about an item, one of those that its run used; `None` if the run names none.
    pub(super) fn of(&mut self, used: &[plan::Prompt], item: &Item) -> Option<usize> {
        let known = |used: &plan::Prompt| self.known.iter().find(|known| known.hash == used.hash);
        let asks = |used: &&plan::Prompt| known(used).is_some_and(|known| known.task == item.task);
        let text = match used.iter().find(asks).and_then(known) {
            Some(prompt) => rendered(prompt, item)?,
            // A prompt of which the text is known does not ask this task, so it is one of the others.
            None => Text { name: used.iter().find(|used| known(used).is_none())?.name.clone(), messages: Vec::new() },
        };
        Some(self.number(text))
    }

    fn number(&mut self, text: Text) -> usize {
        self.texts.iter().position(|known| *known == text).unwrap_or_else(|| {
            self.texts.push(text);
            self.texts.len() - 1
        })
    }

    /// All that were found, by their numbers.
    pub(super) fn into_texts(self) -> Vec<Text> {
        self.texts
    }
}

/// The messages about an item with the program left out where that loses nothing. `None` if the prompt does not render,
/// which it did when it was asked.
fn rendered(prompt: &Prompt, item: &Item) -> Option<Text> {
    let asked = prompt.render(item).ok()?;
    let hit = item.probes.first().map_or(1, |probe| probe.hit);
    let left_out = prompt.messages(PLACE, hit).ok()?;
    let back = left_out.iter().map(|message| message.content.replace(PLACE, &item.program));
    let same = back.eq(asked.iter().map(|message| message.content.clone()));
    Some(Text { name: prompt.id(), messages: if same { left_out } else { asked } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::record::{Purpose, Task, Verdict};
    use crate::run::sink::tests::sample;

    fn used(prompt: &Prompt) -> plan::Prompt {
        plan::Prompt::of(prompt)
    }

    #[test]
    fn prompts_are_kept_once_and_read_back_word_for_word() {
        let text = "---\nname: x\nversion: 1\ntask: stack\ndescription: d\n---\nAt {{ hit }}: {{ program }}, twice: {{ program }}";
        let own = Prompt::parse(std::path::Path::new("p.md"), text).expect("is a prompt");
        let used = [used(&Prompt::shipped(Task::Fuel)), used(&own)];
        let mut prompts = Prompts::new(vec![own.clone()]);
        let mut item = sample(Purpose::Eval, 0, 0, Verdict::Wrong).item;
        for (hit, number) in [(1, 0), (1, 0), (2, 1), (1, 0)] {
            item.probes[0].hit = hit;
            item.program = format!("(module (;{hit};))");
            assert_eq!(prompts.of(&used, &item), Some(number));
            let back: Vec<String> =
                prompts.texts[number].messages.iter().map(|m| m.content.replace(PLACE, &item.program)).collect();
            let asked: Vec<String> = own.render(&item).expect("renders").into_iter().map(|m| m.content).collect();
            assert_eq!(back, asked);
        }
    }

    #[test]
    fn what_would_not_read_back_is_kept_whole() {
        let text = "---\nname: x\nversion: 1\ntask: stack\ndescription: d\n---\n{{ program | upper }} {{ program }}";
        let own = Prompt::parse(std::path::Path::new("p.md"), text).expect("is a prompt");
        let item = sample(Purpose::Eval, 0, 0, Verdict::Wrong).item;
        let used = [used(&own)];
        let mut prompts = Prompts::new(vec![own]);
        assert_eq!(prompts.of(&used, &item), Some(0));
        assert_eq!(prompts.texts[0].messages[0].content, "(MODULE) (module)");
    }

    #[test]
    fn a_text_that_is_not_at_hand_is_not_made_up() {
        let item = sample(Purpose::Eval, 0, 0, Verdict::Wrong).item;
        let own = plan::Prompt { name: "mine.v3".into(), hash: "ab".into(), file: None };
        let mut prompts = Prompts::new(Vec::new());
        assert_eq!(prompts.of(&[own], &item), Some(0));
        assert_eq!(prompts.texts[0], Text { name: "mine.v3".into(), messages: Vec::new() });
        assert_eq!(prompts.of(&[], &item), None);
    }
}
