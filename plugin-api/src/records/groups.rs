//! Computer groups: what they are, when they were made, and their definitions.

use super::Reference;
use crate::{Input, Source, lenient};
use jiff::Timestamp;
use serde::Deserialize;

/// The file in which an administrator writes down the groups.
const FILE: Source = Source::export(
    "computer-groups.csv",
    "the Computer Groups page of the Console",
    "write the list into a file with these columns",
    &["ID", "Name", "Type", "Definition", "Members", "Created By", "Created", "Modified"],
);

/// Filter groups, with the time at which each was made.
pub const FILTER_GROUPS: Input =
    Input::new("platform.filter-groups", "filter groups and when they were made")
        .sources(&[Source::rest("/api/v2/filter_groups").paged().needs(&["read filter group"]), FILE]);

/// Computer management groups, with the time at which each was made. A group may be in both lists.
pub const MANAGEMENT_GROUPS: Input =
    Input::new("platform.management-groups", "computer management groups and when they were made").sources(
        &[Source::rest("/api/v2/management_rights_groups").paged().needs(&["read computer group"]), FILE],
    );

/// A group of [`super::actions::GROUPS`] (which tells no times), [`FILTER_GROUPS`] or [`MANAGEMENT_GROUPS`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ComputerGroup {
    /// Its id.
    #[serde(deserialize_with = "lenient::id", alias = "ID")]
    pub id: String,
    /// Its name; anonymous groups have none.
    #[serde(deserialize_with = "lenient::text", alias = "Name")]
    pub name: String,
    /// 0: by a definition; 1: action group; 2, 3: made by the platform; 4: by a list of computers.
    #[serde(rename = "type", deserialize_with = "lenient::text", alias = "Type")]
    pub kind: String,
    /// The definition as text.
    #[serde(deserialize_with = "lenient::text", alias = "Definition")]
    pub text: String,
    /// The definition as filters.
    #[serde(deserialize_with = "lenient::list")]
    pub filters: Vec<GroupFilter>,
    /// Groups within this one.
    #[serde(deserialize_with = "lenient::list")]
    pub sub_groups: Vec<ComputerGroup>,
    /// The group is deleted.
    #[serde(deserialize_with = "lenient::flag")]
    pub deleted_flag: Option<bool>,
    /// Who made it.
    #[serde(deserialize_with = "lenient::named", alias = "Created By")]
    pub created_user: Reference,
    /// When it was made; 2001-01-01 is unknown.
    #[serde(deserialize_with = "lenient::time", alias = "Created")]
    pub created_time: Option<Timestamp>,
}

/// One filter of a definition.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct GroupFilter {
    /// The value that it compares with.
    #[serde(deserialize_with = "lenient::text")]
    pub value: String,
}

impl ComputerGroup {
    /// Whether people made it, by a definition or by a list of computers: it has a name and is not deleted.
    #[must_use]
    pub fn is_of_people(&self) -> bool {
        let by_platform = ["1", "2", "3"].contains(&self.kind.trim());
        !self.name.is_empty() && !by_platform && self.deleted_flag != Some(true)
    }

    /// Every value that its filters, and those of the groups within, compare with.
    #[must_use]
    pub fn values(&self) -> Vec<&str> {
        let own = self.filters.iter().map(|filter| filter.value.as_str());
        own.chain(self.sub_groups.iter().flat_map(Self::values)).collect()
    }
}

/// A definition in a form in which two that say the same are equal: lower case, single blanks, without parentheses that
/// change nothing, and with the terms of `and` and `or` in alphabetical order.
#[must_use]
pub fn normalized(definition: &str) -> String {
    let text = definition.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    ordered(&text)
}

fn ordered(text: &str) -> String {
    let text = unwrapped(text);
    for word in [" or ", " and "] {
        let terms = split(text, word);
        if terms.len() > 1 {
            let mut terms: Vec<String> = terms.into_iter().map(ordered).collect();
            terms.sort();
            terms.dedup();
            return if let [one] = &terms[..] { one.clone() } else { format!("({})", terms.join(word)) };
        }
    }
    text.to_owned()
}

/// Without parentheses around the whole.
fn unwrapped(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    match inner {
        Some(inner) if depths(inner).all(|(_, depth, _)| depth >= 0) => unwrapped(inner),
        _ => text,
    }
}

/// The parts between a word that stands outside of parentheses and quotes.
fn split<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    for (at, depth, quoted) in depths(text) {
        if depth == 0 && !quoted && at >= begin && text[at..].starts_with(word) {
            parts.push(&text[begin..at]);
            begin = at + word.len();
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// Each character's place, the parentheses that are open after it, and whether it stands in quotes.
fn depths(text: &str) -> impl Iterator<Item = (usize, i32, bool)> {
    let mut depth = 0;
    let mut quoted = false;
    text.char_indices().map(move |(at, character)| {
        match character {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        (at, depth, quoted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_that_say_the_same_are_equal() {
        let same = |left: &str, right: &str| assert_eq!(normalized(left), normalized(right));
        same(" Is Windows  contains TRUE", "( is windows contains true )");
        same("a contains 1 and b contains 2", "(B contains 2) and (A contains 1)");
        same("(a is 1 or b is 2) and c is 3", "c is 3 and ((b is 2) or (a is 1))");
        same("a is 1 and a is 1", "a is 1");
        same("", "  ");
    }

    #[test]
    fn definitions_that_differ_stay_apart() {
        let apart = |left: &str, right: &str| assert_ne!(normalized(left), normalized(right));
        apart("a is 1 and b is 2", "a is 1 or b is 2");
        apart("a is 1 or b is 2 and c is 3", "(a is 1 or b is 2) and c is 3");
        apart("name contains \"x and y\"", "name contains \"y and x\"");
        apart("(a is 1) and (b is 2)", "a is 1");
    }

    #[test]
    fn groups_of_people_have_names_and_are_not_made_by_the_platform() {
        let group = |kind: &str, name: &str| {
            ComputerGroup { kind: kind.to_owned(), name: name.to_owned(), ..ComputerGroup::default() }
                .is_of_people()
        };
        assert!(group("0", "All") && group("4", "Pilot") && group("STANDARD", "All"));
        assert!(!group("0", "") && !group("1", "Default") && !group("3", "x"));
    }
}
