//! `tancheck config explain`: what the configuration says, and who says it.

use super::output::{FAINT, HEADING, Printer};
use super::site::Site;
use super::stop::{OK, Stop};
use super::{Global, text};
use crate::config::Explanation;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

/// Tells about the configuration
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows a key, a section or everything: value, where it comes from, what it does, what it accepts
    #[command(after_help = "Examples:
  tancheck config explain
  tancheck config explain limits
  tancheck config explain limits.retries -o json")]
    Explain {
        /// A key such as limits.retries, or a section such as limits
        key: Option<String>,
    },
}

/// What `config explain -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document {
    /// The version of this document's format.
    format: u32,
    /// The configuration file; `null` where none was found.
    file: Option<String>,
    /// The places where a file was looked for, the first one that exists counts.
    looked_for: Vec<String>,
    /// The keys.
    keys: Vec<Explanation>,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let Command::Explain { key } = arguments.command;
    let printer = Printer::text_or_json(global)?;
    let site = super::runtime()?.block_on(Site::unchecked(global.layers()?));
    let layers = &site.layers;
    let document = Document {
        format: 1,
        file: layers.file().map(|path| path.display().to_string()),
        looked_for: layers.looked_for().iter().map(|path| path.display().to_string()).collect(),
        keys: layers.explain(key.as_deref(), &site.manifests())?,
    };
    printer.document(&document, || match document.keys.as_slice() {
        [one] if key.as_deref() == Some(&one.key) => whole(one),
        keys => {
            let file = document.file.as_deref().unwrap_or("none");
            format!("{FAINT}configuration file: {file}{FAINT:#}\n\n{}", list(keys))
        }
    })?;
    Ok(OK)
}

fn list(keys: &[Explanation]) -> String {
    let rows: Vec<Vec<String>> =
        keys.iter().map(|one| vec![one.key.clone(), shown(&one.value), place(one)]).collect();
    text::table(&["key", "value", "from"], &rows)
}

fn whole(one: &Explanation) -> String {
    let mut lines = format!("{HEADING}{} = {}{HEADING:#}\n", one.key, shown(&one.value));
    lines.push_str(&text::wrapped(&one.about, 2));
    lines.push_str(&format!("\n  from      {}\n", place(one)));
    if let Some(reason) = &one.reason {
        lines.push_str(&format!("  reason    {reason}\n"));
    }
    for overruled in &one.overrules {
        lines.push_str(&format!("  overrules {overruled}\n"));
    }
    lines.push_str(&format!("  accepts   {}\n", one.accepts));
    if let Some(variable) = &one.variable {
        lines.push_str(&format!("  variable  {variable}\n"));
    }
    lines
}

fn place(one: &Explanation) -> String {
    one.place.clone().unwrap_or_else(|| one.from.clone())
}

fn shown(value: &Value) -> String {
    if value.is_null() { "(not set)".to_owned() } else { value.to_string() }
}
