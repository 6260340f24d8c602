//! A text for people that grows, wrapped to its width.

use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;
use tancheck_plugin_api::Severity;

use super::text::Look;

/// Lines of one section on the first screen, before `and … more`.
pub(crate) const SCREEN: usize = 12;

/// The colour of a severity.
pub(crate) fn color_of(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().bold(),
        Severity::High => AnsiColor::Red.on_default(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::Low | Severity::Info => AnsiColor::Blue.on_default(),
    }
}

/// A text that grows, wrapped to its width.
pub(crate) struct Page {
    pub(crate) look: Look,
    pub(crate) text: String,
}

impl Page {
    /// An empty page.
    pub(crate) const fn new(look: Look) -> Self {
        Self { look, text: String::new() }
    }

    /// A text in a style, where colours are used.
    pub(crate) fn styled(&self, style: Style, text: &str) -> String {
        if self.look.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// A line that begins with a name in bold.
    pub(crate) fn lead(&mut self, name: &str, text: &str) {
        let name = clean(name);
        let columns = name.chars().count() + 2;
        let name = self.styled(Style::new().bold(), &name);
        self.wrapped(&format!("{name}: "), columns, text);
    }

    /// An empty line and a heading.
    pub(crate) fn title(&mut self, text: &str) {
        let text = self.styled(Style::new().bold(), &clean(text));
        let _ = writeln!(self.text, "\n{text}");
    }

    /// Words below each other, indented.
    pub(crate) fn paragraph(&mut self, indent: usize, text: &str) {
        self.wrapped(&" ".repeat(indent), indent, text);
    }

    /// A label of some columns, and a text that hangs beside it.
    pub(crate) fn item(&mut self, label: &str, columns: usize, text: &str) {
        self.wrapped(&format!("  {label} "), columns + 3, text);
    }

    /// How many lines were left out, if any.
    pub(crate) fn and_more(&mut self, count: usize, what: &str) {
        let more = count.saturating_sub(SCREEN);
        if more > 0 {
            self.paragraph(2, &format!("and {more} more {what}"));
        }
    }

    fn wrapped(&mut self, first: &str, indent: usize, text: &str) {
        let width = self.look.width.max(indent + 20);
        let mut line = first.to_owned();
        let mut used = indent;
        let mut fresh = true;
        for word in clean(text).split_whitespace() {
            let length = word.chars().count();
            if !fresh && used + 1 + length > width {
                let _ = writeln!(self.text, "{}", line.trim_end());
                line = " ".repeat(indent);
                (used, fresh) = (indent, true);
            }
            if !fresh {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
            fresh = false;
        }
        let _ = writeln!(self.text, "{}", line.trim_end());
    }
}

/// Names come from the deployment: nothing in them may steer the terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
