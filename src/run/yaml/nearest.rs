//! Owns guessing which word was meant by a misspelt one.
//!
//! Must not know what the words name.

/// The candidate that the word most likely means; `None` if none is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of a word may be wrong; beyond that a suggestion only puzzles.
    let most = (word.chars().count() / 3).max(1);
    // Insertions, deletions, replacements and swaps of neighbours.
    let near = candidates.into_iter().map(|candidate| (strsim::osa_distance(word, candidate), candidate));
    near.filter(|&(d, _)| d <= most).min_by_key(|&(d, _)| d).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_words_are_suggested() {
        let names = ["fuel", "bytes", "i32.add", "i32.and"];
        assert_eq!(nearest("fule", names), Some("fuel"));
        assert_eq!(nearest("i32.ad", names), Some("i32.add"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("x", names), None);
    }
}
