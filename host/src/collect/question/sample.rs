//! A few names of endpoints that gave a rare answer.

use super::{Question, Terms, Turn, answer};
use crate::collect::tally::SAMPLE_NAMES;
use crate::collect::transport::Transport;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::time::Duration;
use tancheck_plugin_api::facts::Tally;

/// Values that are asked for.
pub(in crate::collect) const VALUES: usize = 3;
/// Names are a service, not a fact: they are not waited for as long as answers.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer values are not put into a question.
const LONGEST: usize = 200;

/// What it took to name endpoints.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Named {
    /// How long the longest follow-up took, from asking until its end was seen.
    pub seconds: f64,
    /// How long endpoints took to answer each follow-up, and how long all of them took together, by key.
    pub paces: Vec<(String, f64)>,
}

/// Asks which endpoints gave the rarest values, of all values at the same time, and adds their names to the tally. A
/// follow-up that fails leaves its names away, for the counts are true without them.
pub async fn name<T: Transport>(
    transport: &T,
    question: &Question,
    terms: &Terms,
    turn: &Turn<'_>,
    tally: &mut Tally,
) -> Named {
    let terms = Terms { timeout: terms.timeout.min(PATIENCE), ..*terms };
    let follow = |value: String| {
        let text = worded(&question.sample, &value)?;
        Some((value, Question { text, group: question.group.clone(), sample: String::new() }))
    };
    let follows: Vec<(String, Question)> = rare(tally).into_iter().filter_map(follow).collect();
    let rows = format!("?row_start=0&row_count={SAMPLE_NAMES}");
    // By place, the rarest first: mostly the same values are rare as in the last run.
    let keys: Vec<String> = (1..=follows.len()).map(|place| question.name_key(place)).collect();
    let runs = follows.iter().zip(&keys);
    let runs = runs.map(|((_, follow), key)| answer(transport, follow, key, &rows, &terms, turn));
    let mut named = Named::default();
    let mut all = 0.0;
    for (((value, follow), key), run) in follows.iter().zip(&keys).zip(join_all(runs).await) {
        match run {
            Ok(run) => {
                named.seconds = named.seconds.max(run.seconds);
                all += run.seconds;
                named.paces.push((key.clone(), run.pace));
                let names: Vec<String> = run.set.tally.rows.into_iter().flat_map(|row| row.sample).collect();
                give(tally, value, &names);
            }
            Err(problem) => tracing::debug!(question = follow.text, %problem, "no names of endpoints"),
        }
    }
    named.paces.push((question.names_key(), all));
    named
}

/// The rarest values of the first column, never the commonest one.
fn rare(tally: &Tally) -> Vec<String> {
    let mut values: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
    for row in &tally.rows {
        let value = values.entry(row.cells.first().map_or("", String::as_str)).or_default();
        value.0 += row.count;
        value.1 |= !row.sample.is_empty();
    }
    let mut values: Vec<(u64, &str, bool)> =
        values.into_iter().map(|(value, (count, named))| (count, value, named)).collect();
    // The rarest first; among equals in the order of the alphabet, with the last as "the commonest".
    values.sort_by(|one, other| one.0.cmp(&other.0).then_with(|| one.1.cmp(other.1)));
    values.pop();
    let unnamed = values.into_iter().filter(|(_, value, named)| !named && !value.is_empty());
    unnamed.take(VALUES).map(|(_, value, _)| value.to_owned()).collect()
}

/// The question for a value. Values come from endpoints: one that could be read as more than a value is not asked for.
fn worded(template: &str, value: &str) -> Option<String> {
    let plain =
        value.len() <= LONGEST && !value.chars().any(|sign| matches!(sign, '"' | '\\') || sign.is_control());
    let quoted = format!("\"{value}\"");
    plain.then(|| {
        if template.contains("\"{value}\"") {
            template.replace("{value}", value)
        } else {
            template.replace("{value}", &quoted)
        }
    })
}

fn give(tally: &mut Tally, value: &str, names: &[String]) {
    let mut names = names.to_vec();
    names.sort();
    names.truncate(SAMPLE_NAMES);
    // Which of several rows with this value a name belongs to is unknown; the names stand at the commonest of them.
    if let Some(row) = tally.rows.iter_mut().find(|row| row.cells.first().is_some_and(|cell| cell == value)) {
        row.sample = names;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::TallyRow;

    fn tally(rows: &[(&str, u64)]) -> Tally {
        let row =
            |&(value, count): &(&str, u64)| TallyRow { cells: vec![value.to_owned()], count, sample: vec![] };
        Tally { columns: vec!["A".to_owned()], rows: rows.iter().map(row).collect(), ..Tally::default() }
    }

    #[test]
    fn the_rarest_three_and_never_the_commonest() {
        assert_eq!(rare(&tally(&[("a", 90), ("b", 5), ("c", 4), ("d", 3), ("e", 2)])), ["e", "d", "c"]);
        assert_eq!(rare(&tally(&[("a", 90), ("b", 5)])), ["b"]);
        assert!(rare(&tally(&[("a", 90)])).is_empty());
        assert_eq!(rare(&tally(&[("a", 1), ("b", 1)])), ["a"]);
        assert_eq!(
            rare(&tally(&[("a", 60), ("b", 40), ("b", 40), ("c", 70)])),
            ["a", "c"],
            "rows of one value count together"
        );
    }

    #[test]
    fn a_value_stays_a_value() {
        let bare = "Get Computer Name from all machines with State equals {value}";
        let quoted = "Get Computer Name from all machines with State equals \"{value}\"";
        let expected = "Get Computer Name from all machines with State equals \"On and off\"";
        assert_eq!(worded(bare, "On and off").as_deref(), Some(expected));
        assert_eq!(worded(quoted, "On and off").as_deref(), Some(expected));
        for value in ["x\" or Name contains \"", "a\nb", "back\\slash", &"x".repeat(201)] {
            assert_eq!(worded(quoted, value), None, "{value}");
        }
    }
}
