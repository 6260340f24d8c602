//! Flags that every command has.

use super::output::Output;
use super::stop::Stop;
use crate::config::{Assignment, Config, Flags, Layers};
use clap::{ArgAction, Args, ValueEnum};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

/// Flags that every command has.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Sets a key of the configuration, such as limits.retries=2; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<Assignment>,
    /// Format of the result, and the file it goes to instead of stdout; may be repeated
    #[arg(short, long, global = true, value_name = "FORMAT[=PATH]")]
    pub output: Vec<Output>,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Tells what is done; twice for details
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Never asks; fails where it would have to
    #[arg(long, global = true)]
    pub no_input: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` say no; everywhere with `CLICOLOR_FORCE`.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl Color {
    /// Makes it the choice of all streams of this process.
    pub(super) fn apply(self) {
        let choice = match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }

    pub(super) const fn for_help(self) -> clap::ColorChoice {
        match self {
            Self::Auto => clap::ColorChoice::Auto,
            Self::Always => clap::ColorChoice::Always,
            Self::Never => clap::ColorChoice::Never,
        }
    }
}

/// The choice of colour, read before the arguments are parsed: errors and help follow it as well.
pub(super) fn color_of(arguments: &[OsString]) -> Color {
    let mut texts = arguments.iter().filter_map(|argument| argument.to_str());
    while let Some(text) = texts.next() {
        let value = match text.strip_prefix("--color") {
            Some("") => texts.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if let Some(color) = value.and_then(|value| Color::from_str(value, true).ok()) {
            return color;
        }
    }
    Color::Auto
}

impl Global {
    /// The part that concerns the configuration; commands add the keys that their own flags set.
    #[must_use]
    pub fn flags(&self) -> Flags {
        Flags { config: self.config.clone(), set: self.set.clone() }
    }

    /// Everything that was said about the configuration.
    ///
    /// # Errors
    /// When it is wrong.
    pub fn layers(&self) -> Result<Layers, Stop> {
        Ok(Layers::load(&self.flags())?)
    }

    /// Whether a person can be asked.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        !self.no_input && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Sends what the library logs to stderr.
    pub(super) fn start_log(&self) {
        let level = match (self.quiet, self.verbose) {
            (true, _) => LevelFilter::ERROR,
            (false, 0) => LevelFilter::WARN,
            (false, 1) => LevelFilter::INFO,
            (false, 2) => LevelFilter::DEBUG,
            (false, _) => LevelFilter::TRACE,
        };
        let colored = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        let with_details = level >= Level::DEBUG;
        let started = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(std::io::stderr)
            .with_ansi(colored)
            .with_target(with_details)
            .without_time()
            .try_init();
        if started.is_err() {
            // Only tests start a second one in the same process; the first one then stays.
            tracing::debug!("the log was started before");
        }
    }
}

fn assignment(text: &str) -> Result<Assignment, String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, such as limits.retries=2")?;
    let key = key.trim().to_owned();
    Ok(Assignment { flag: format!("--set {key}"), key, value: value.to_owned() })
}

/// Whether the configuration names a deployment; for commands that can do without.
impl Global {
    /// The whole configuration, without a look at manifests.
    ///
    /// # Errors
    /// When it is wrong, or does not name a deployment.
    pub fn deployment_config(&self) -> Result<Config, Stop> {
        Ok(self.layers()?.config(&[])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn color_is_found_before_parsing() {
        let color = |words: &[&str]| color_of(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(color(&["tancheck", "run", "--color=never"]), Color::Never);
        assert_eq!(color(&["tancheck", "--color", "always"]), Color::Always);
        assert_eq!(color(&["tancheck", "--color"]), Color::Auto);
        assert_eq!(color(&["tancheck", "--color=pink"]), Color::Auto);
    }

    #[test]
    fn a_key_and_its_value() {
        let set = assignment("deployment.id=a=b").unwrap();
        assert_eq!((set.key.as_str(), set.value.as_str()), ("deployment.id", "a=b"));
        assert!(assignment("nonsense").is_err());
    }
}
