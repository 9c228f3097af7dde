//! Owns what an answer says of a question, slot by slot: which are wrong, and which of the predicted wrong values it has.
//!
//! Must not know how a reply is read: the judge holds it against the truth, and against each predicted answer, so that what
//! counts as the same value counts here too.

use super::candidate::{Candidate, SLOTS, Said};
use crate::ask::chat::ChatReply;
use crate::ask::judge::judge;
use crate::item::record::{Answer, Truth};

/// What was heard of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Wrong slots, one bit each.
    pub wrong: u8,
    /// For each predicted answer ([`Candidate::said`]) the wrong slots in which the reply has its value.
    pub matches: Vec<u8>,
}

impl Heard {
    /// Of an answer that was judged against the truth; `None` where there is no answer that could be read.
    pub fn of(candidate: &Candidate, answer: &Answer) -> Option<Self> {
        if !answer.verdict.answered() {
            return None;
        }
        let wrong = bits(answer.slots.iter().map(|is_right| !is_right)) & all(candidate.slots);
        let reply = ChatReply {
            content: answer.reply.clone(),
            finish_reason: answer.finish_reason.clone(),
            ..ChatReply::default()
        };
        let matches = |said: &Truth| bits(judge(&reply, said).slots.iter().copied());
        let of = |said: &Said| if wrong == 0 { 0 } else { matches(&said.truth) & said.wrong & wrong };
        Some(Self { wrong, matches: candidate.said.iter().map(of).collect() })
    }
}

/// The bits of all slots.
pub(super) fn all(slots: usize) -> u8 {
    ((1u32 << slots.min(SLOTS)) - 1) as u8
}

fn bits(slots: impl Iterator<Item = bool>) -> u8 {
    slots.take(SLOTS).enumerate().fold(0, |bits, (slot, is)| bits | u8::from(is) << slot)
}

#[cfg(test)]
mod tests {
    use super::super::candidate::tests::candidate;
    use super::*;
    use crate::item::record::Verdict;

    fn heard(reply: &str) -> Option<Heard> {
        let candidate = candidate(10.0, &[[7, 99], [-5, 99], [-5, 8]], &[(0, 0), (1, 1), (2, 2)]);
        let judged = judge(&ChatReply::text(reply), &candidate.item().truth);
        let answer = Answer { slots: judged.slots, reply: Some(reply.into()), ..Answer::of(judged.verdict) };
        Heard::of(&candidate, &answer)
    }

    fn stack(values: [&str; 2]) -> String {
        let value = |value: &str| format!("{{\"type\":\"i32\",\"value\":\"{value}\"}}");
        format!("<OUTPUT>{{\"stack_values\":[{},{}]}}</OUTPUT>", value(values[0]), value(values[1]))
    }

    #[test]
    fn wrong_slots_are_held_against_each_predicted_answer() {
        let of = |values| heard(&stack(values)).map(|heard| (heard.wrong, heard.matches));
        assert_eq!(of(["7", "8"]), Some((0, vec![0, 0, 0])));
        assert_eq!(of(["7", "99"]), Some((0b10, vec![0b10, 0b10, 0])));
        assert_eq!(of(["-5", "99"]), Some((0b11, vec![0b10, 0b11, 0b01])));
        // As the judge has it: in hexadecimal, too.
        assert_eq!(of(["7", "0x63"]), of(["7", "99"]));
        assert_eq!(of(["1", "2"]), Some((0b11, vec![0, 0, 0])));
        assert_eq!(heard("I do not know"), None);
        assert_eq!(Heard::of(&candidate(1.0, &[], &[]), &Answer::of(Verdict::Timeout)), None);
    }
}
