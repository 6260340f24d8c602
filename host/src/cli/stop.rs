//! Why a command has no result, and the exit code that says so.

use crate::config::ConfigError;

/// Everything is well.
pub(crate) const OK: u8 = 0;
/// Usage or configuration.
pub(crate) const USAGE: u8 = 2;
/// Something is incomplete, or not in order.
pub(crate) const INCOMPLETE: u8 = 3;
/// The deployment is unreachable, or the login was refused.
pub(crate) const UNREACHABLE: u8 = 5;
/// A fault of tancheck itself, or of the machine under it.
pub(crate) const INTERNAL: u8 = 70;

/// Why a command has no result.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The command line asks for something that does not exist.
    #[error("{0}")]
    Usage(String),
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The deployment does not answer, or refuses the login.
    #[error("{0}")]
    Unreachable(String),
    /// A fault of tancheck itself, or of the machine under it.
    #[error("{0}")]
    Internal(String),
}

impl Stop {
    /// The exit code.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Config(_) => USAGE,
            Self::Unreachable(_) => UNREACHABLE,
            Self::Internal(_) => INTERNAL,
        }
    }
}
