//! What endpoints answer to questions: the privileges that asking takes, and how much of an answer can be used.

use crate::facts::Tally;
use crate::{Input, Source, Undecided};

/// The privileges that a question needs.
pub const ASK: &[&str] = &["read sensor", "define question"];

/// The share of endpoints, in percent, that has to give a usable answer before a clean result counts.
pub const COMPLETE_PERCENT: u64 = 95;

/// What an endpoint answers whose sensor found nothing.
pub const NO_RESULTS: &str = "[no results]";

/// The families of operating systems: for checks that apply to some of them only.
pub const OS_FAMILIES: Input = Input::new("platform.os-families", "endpoints by family of operating system")
    .sources(&[Source::question("Get Is Windows and Is Linux from all machines").needs(ASK)]);

/// Refuses a clean result where too few of the endpoints that answered gave a usable value.
///
/// # Errors
/// When nobody answered, or more than 5 percent of the answers cannot be used; the reason names `what` was asked.
pub fn complete(what: &str, answered: u64, unknown: u64) -> Result<(), Undecided> {
    if answered == 0 {
        return Err(Undecided::not_evaluated(format!("{what}: no endpoint answered")));
    }
    if unknown * 100 > answered * (100 - COMPLETE_PERCENT) {
        return Err(Undecided::not_evaluated(format!(
            "{what}: {unknown} of {answered} endpoints answered without a usable value, at most {} percent may",
            100 - COMPLETE_PERCENT
        )));
    }
    Ok(())
}

/// Endpoints that answered nothing that can be used: errors, results that are not there yet, and answers beyond the
/// limit of distinct rows. `[no results]` counts as well.
#[must_use]
pub fn unusable(tally: &Tally) -> u64 {
    tally.other + tally.without_value.values().sum::<u64>()
}

/// [`unusable`] for sensors whose `[no results]` says something.
#[must_use]
pub fn failed(tally: &Tally) -> u64 {
    unusable(tally) - tally.without_value.get(NO_RESULTS).copied().unwrap_or(0)
}

/// The position of the first column whose name holds one of these words, whatever its case.
#[must_use]
pub fn column_with(tally: &Tally, words: &[&str]) -> Option<usize> {
    let position = |word: &&str| tally.columns.iter().position(|name| name.to_lowercase().contains(*word));
    words.iter().find_map(position)
}

/// The lines of one cell; a sensor's rows of one endpoint belong together line by line.
#[must_use]
pub fn lines(cells: &[String], column: usize) -> Vec<&str> {
    cells.get(column).map(|cell| cell.split('\n').map(str::trim).collect()).unwrap_or_default()
}

/// The names of the columns, for a message.
#[must_use]
pub fn columns_of(tally: &Tally) -> String {
    if tally.columns.is_empty() { "none".to_owned() } else { tally.columns.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tally;

    #[test]
    fn too_many_answers_without_a_value_are_refused() {
        assert!(complete("x", 0, 0).is_err());
        assert!(complete("x", 100, 5).is_ok());
        assert!(complete("x", 100, 6).is_err());
    }

    #[test]
    fn what_cannot_be_used_is_counted() {
        let mut answers = tally("Tool Name", &[("a\nb", 3)]);
        answers.without_value.insert(NO_RESULTS.to_owned(), 4);
        answers.without_value.insert("TSE-Error: x".to_owned(), 5);
        answers.other = 6;
        assert_eq!((unusable(&answers), failed(&answers)), (15, 11));
        assert_eq!(column_with(&answers, &["component", "tool"]), Some(0));
        assert_eq!(lines(&answers.rows[0].cells, 0), ["a", "b"]);
        assert_eq!((lines(&answers.rows[0].cells, 7).len(), columns_of(&answers).as_str()), (0, "Tool Name"));
    }
}
