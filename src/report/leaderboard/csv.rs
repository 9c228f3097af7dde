//! Owns `leaderboard.csv`: one line for each row of each table, for spreadsheets and scripts.
//!
//! Must not know how figures are computed. What is not known is an empty field.

use super::{Leaderboard, LeaderboardError, Role};
use crate::item::record::Verdict;

/// All rows, the names of the columns first.
///
/// # Errors
/// None that a caller could mend: it is written into memory.
pub(crate) fn csv(leaderboard: &Leaderboard) -> Result<String, LeaderboardError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let verdicts = Verdict::ALL.iter().map(|verdict| verdict.name());
    let head = [
        "suite",
        "seed",
        "fingerprint",
        "task",
        "rank",
        "model",
        "run",
        "role",
        "incomplete",
        "items",
        "replies",
        "epochs",
        "accuracy_strict",
        "ci95_low",
        "ci95_high",
        "accuracy_answered",
        "prompt_tokens",
        "completion_tokens",
        "reasoning_tokens",
        "cost_usd",
        "cost_estimated",
        "between_items",
        "pass_at_k",
        "pass_all_k",
        "wasmweaver",
        "commit",
        "started",
        "command",
    ];
    writer.write_record(head.into_iter().chain(verdicts))?;
    for board in &leaderboard.boards {
        for row in &board.rows {
            let noise = row.noise.as_ref();
            let role = match row.role {
                Role::Model => "model",
                Role::Floor => "floor",
                Role::Ceiling => "ceiling",
            };
            let fields = [
                board.suite.clone(),
                board.seed.to_string(),
                board.fingerprint.clone(),
                board.task.to_string(),
                known(row.rank),
                row.model.clone(),
                row.run.clone(),
                role.into(),
                known(row.incomplete.as_ref()),
                row.items.to_string(),
                row.replies.to_string(),
                row.epochs.to_string(),
                known(row.accuracy_strict),
                known(row.ci95.map(|ci| ci[0])),
                known(row.ci95.map(|ci| ci[1])),
                known(row.accuracy_answered),
                known(row.tokens.prompt_tokens),
                known(row.tokens.completion_tokens),
                known(row.tokens.reasoning_tokens),
                known(row.cost_usd),
                row.cost_estimated.to_string(),
                known(noise.and_then(|noise| noise.between_items)),
                known(noise.map(|noise| noise.pass_at_k)),
                known(noise.map(|noise| noise.pass_all_k)),
                row.wasmweaver.clone(),
                known(row.commit.as_ref()),
                row.started.to_string(),
                row.command.clone(),
            ];
            let verdicts = Verdict::ALL.iter().map(|verdict| known(row.verdicts.get(verdict)));
            writer.write_record(fields.into_iter().chain(verdicts))?;
        }
    }
    let bytes = writer.into_inner().expect("memory takes all");
    Ok(String::from_utf8(bytes).expect("it was text"))
}

fn known<T: ToString>(field: Option<T>) -> String {
    field.map_or(String::new(), |field| field.to_string())
}
