//! How runs of schedules and jobs ended, in the words of the Console. No public document lists them.

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Well.
    Well,
    /// Not well.
    Badly,
    /// It has not ended.
    NotYet,
    /// A word that is not known.
    Unknown,
}

impl Ended {
    /// Reads the word of a column.
    pub(crate) fn of(word: &str) -> Self {
        let word = word.to_lowercase();
        let begins = |words: &[&str]| words.iter().any(|known| word.starts_with(known));
        if begins(&["success", "succeeded", "complete", "finished"]) && !word.contains("error") {
            Self::Well
        } else if begins(&["fail", "error", "timed out", "timeout", "cancel", "abort"]) {
            Self::Badly
        } else if begins(&["running", "in progress", "pending", "queued", "scheduled", "upcoming"]) {
            Self::NotYet
        } else {
            Self::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_strange_ones_are_not_guessed() {
        for (word, ended) in [
            ("Success", Ended::Well),
            ("Completed", Ended::Well),
            ("Completed with errors", Ended::Unknown),
            ("FAILED", Ended::Badly),
            ("In Progress", Ended::NotYet),
            ("", Ended::Unknown),
            ("Purple", Ended::Unknown),
        ] {
            assert_eq!(Ended::of(word), ended, "{word}");
        }
    }
}
