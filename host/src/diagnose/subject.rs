//! The name that is diagnosed. It goes into questions and routes, so that only plain names pass.

use std::fmt;
use std::str::FromStr;

/// Most characters of a name; a DNS name has at most 253.
const LONGEST: usize = 253;

/// The name of what is diagnosed, such as a Computer Name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject(String);

/// Why a name is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSubject {
    /// There is none.
    #[error("the name is empty")]
    Empty,
    /// It is longer than any name.
    #[error("the name has {0} characters, more than {LONGEST}")]
    Long(usize),
    /// It cannot stand in a question.
    #[error(
        "the name holds {0:?}, which cannot stand in a question: give it as the Computer Name sensor shows it"
    )]
    Character(char),
}

impl Subject {
    /// The name as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The same for every spelling of the name: computers do not tell case apart.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for Subject {
    type Err = BadSubject;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        let length = name.chars().count();
        match name.chars().find(|&one| !may_stand(one)) {
            _ if name.is_empty() => Err(BadSubject::Empty),
            _ if length > LONGEST => Err(BadSubject::Long(length)),
            Some(one) => Err(BadSubject::Character(one)),
            None => Ok(Self(name.to_owned())),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Letters and digits of any language, and what names of computers hold beside them. Nothing that ends a quoted text,
/// begins a parameter or a placeholder, or is a pattern.
fn may_stand(one: char) -> bool {
    one.is_alphanumeric()
        || matches!(one, '-' | '_' | '.' | ':' | ' ' | '\'' | '(' | ')' | '&' | '+' | '@' | '#' | '!' | '~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        text.parse::<Subject>().map(|subject| subject.0).map_err(|error| error.to_string())
    }

    #[test]
    fn names_of_computers_pass() {
        for name in ["PC-0001", "srv1.corp.example.com", "Ann's MacBook (2)", "büro-7", "10.1.2.3", "fe80::1"]
        {
            assert_eq!(read(name).as_deref(), Ok(name));
        }
        assert_eq!(read("  pc-1 \n").as_deref(), Ok("pc-1"));
        assert_eq!("PC-1".parse::<Subject>().unwrap().key(), "pc-1");
    }

    #[test]
    fn what_could_rewrite_a_question_is_refused() {
        for name in [
            "\" or Computer Name contains \"",
            "a\\b",
            "{setting:x}",
            "a[b]",
            "a*",
            "a|b",
            "a\nb",
            "../x",
            "a;b",
            "<a>",
        ] {
            assert!(read(name).unwrap_err().contains("cannot stand in a question"), "{name}");
        }
        assert_eq!(read(" ").unwrap_err(), "the name is empty");
        assert_eq!(read(&"x".repeat(300)).unwrap_err(), "the name has 300 characters, more than 253");
    }
}
