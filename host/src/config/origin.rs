//! Where a value comes from, and what is wrong with it.

use std::fmt;
use std::path::PathBuf;

/// Where a value comes from. The later in this list, the stronger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The character within the line, from 1.
        column: usize,
    },
    /// An environment variable, by name.
    Variable(String),
    /// A flag, as it is written on the command line.
    Flag(String),
}

impl Origin {
    /// How strong it is: of two values for one key, the stronger one counts.
    #[must_use]
    pub const fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File { .. } => 1,
            Self::Variable(_) => 2,
            Self::Flag(_) => 3,
        }
    }

    /// The kind of origin, for machines.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File { .. } => "file",
            Self::Variable(_) => "variable",
            Self::Flag(_) => "flag",
        }
    }

    /// Whether the value arrived as plain text, so that numbers and lists have to be read out of it.
    #[must_use]
    pub const fn is_text(&self) -> bool {
        matches!(self, Self::Variable(_) | Self::Flag(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File { path, line, column } => {
                write!(formatter, "{}:{line}:{column}", path.display())
            }
            Self::Variable(name) => write!(formatter, "variable {name}"),
            Self::Flag(flag) => formatter.write_str(flag),
        }
    }
}

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// What, what is accepted instead, and what to do.
    pub message: String,
}

impl Problem {
    /// A problem at a place.
    #[must_use]
    pub fn at(origin: &Origin, message: impl Into<String>) -> Self {
        Self { origin: origin.clone(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Default => formatter.write_str(&self.message),
            origin => write!(formatter, "{origin}: {}", self.message),
        }
    }
}

/// Everything that is wrong with the configuration, in the order of the file; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct ConfigError(pub Vec<Problem>);

impl ConfigError {
    /// `Ok` when there are no problems.
    ///
    /// # Errors
    /// When there are.
    pub fn none_of(mut problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort_by(|one, other| one.origin.cmp(&other.origin));
        problems.dedup();
        Err(Self(problems))
    }

    /// A single problem without a place.
    #[must_use]
    pub fn one(message: impl Into<String>) -> Self {
        Self(vec![Problem::at(&Origin::Default, message)])
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
