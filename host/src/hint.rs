//! What somebody meant who mistyped a name.

/// `; did you mean "X"?` for the most similar candidate, or the accepted words where none is similar.
#[must_use]
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match similar(word, candidates.iter().copied()) {
        Some(best) => format!("; did you mean {best:?}?"),
        None if candidates.is_empty() => String::new(),
        None if candidates.len() <= 16 => format!("; known are {}", candidates.join(", ")),
        None => String::new(),
    }
}

/// The candidate that a person most likely meant. A name without its plugin is compared with what follows the plugin
/// as well: `failed` is near `connect.failed`.
#[must_use]
pub fn similar<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let likeness = |candidate: &str| {
        let candidate = candidate.to_ascii_lowercase();
        let rest = candidate.split_once('.').map_or(&*candidate, |(_, rest)| rest);
        likeness(&word, &candidate).max(likeness(&word, rest))
    };
    candidates
        .into_iter()
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(alike, _)| *alike >= 0.6)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

fn likeness(word: &str, candidate: &str) -> f64 {
    // Somebody who writes `stale` for `stale_after_days` means the longer word.
    let begins = word.len() >= 4 && candidate.starts_with(word);
    let same_beginning = strsim::jaro_winkler(word, candidate) >= 0.87;
    let alike = strsim::normalized_damerau_levenshtein(word, candidate);
    if begins || same_beginning { alike.max(0.6) } else { alike }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_find_what_was_meant() {
        let keys = ["token_file", "token_env", "url", "questions"];
        assert_eq!(similar("tokenfile", keys), Some("token_file"));
        assert_eq!(similar("question", keys), Some("questions"));
        assert_eq!(similar("ur", keys), Some("url"));
        assert_eq!(similar("proxy", keys), None);
        assert_eq!(hint("zzz", ["a", "b"]), "; known are a, b");
    }

    #[test]
    fn a_check_is_found_without_its_plugin() {
        let checks = ["connect.failed-connections", "patch.jobs"];
        assert_eq!(similar("failed-conections", checks), Some("connect.failed-connections"));
        assert_eq!(similar("Conect.failed-connections", checks), Some("connect.failed-connections"));
    }
}
