//! Text for people: wrapped paragraphs and tables.

use super::output::HEADING;
use std::fmt::Write;

/// The width of the terminal, or of a page where there is none.
pub(crate) fn width() -> usize {
    let columns = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
    columns.clamp(40, 110)
}

/// Wraps words into lines that begin with `indent` spaces.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    let width = width().saturating_sub(indent).max(20);
    let mut lines = String::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                writeln!(lines, "{:indent$}{line}", "").expect("a string grows");
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        writeln!(lines, "{:indent$}{line}", "").expect("a string grows");
    }
    lines
}

/// A numbered item; its further lines begin below its first word.
pub(crate) fn item(number: usize, text: &str, indent: usize) -> String {
    let lead = format!("{number}. ");
    let hanging = indent + lead.len();
    let lines = wrapped(text, hanging);
    format!("{:indent$}{lead}{}", "", lines.get(hanging..).unwrap_or_default())
}

/// Columns as wide as their widest cell; the last one is as long as it is. Without rows: nothing.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(column, head)| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.max().unwrap_or(0).max(head.chars().count())
        })
        .collect();
    let line = |cells: &[&str]| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            write!(line, "{cell:width$}  ").expect("a string grows");
        }
        line.trim_end().to_owned()
    };
    let mut text = format!("{HEADING}{}{HEADING:#}\n", line(heads));
    for row in rows {
        text.push_str(&line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_do_not_end_in_spaces() {
        let rows = [vec!["a".into(), "é".into(), "x".into()], vec!["long".into(), "".into(), "".into()]];
        let text = anstream::adapter::strip_str(&table(&["id", "b", "title"], &rows)).to_string();
        assert_eq!(text, "id    b  title\na     é  x\nlong\n");
        assert_eq!(table(&["id"], &[]), "");
    }

    #[test]
    fn lines_are_wrapped_between_words() {
        let text = wrapped(&"word ".repeat(60), 4);
        assert!(text.lines().count() > 1);
        assert!(text.lines().all(|line| line.starts_with("    word") && line.len() <= width()));
        assert_eq!(wrapped("a\nb", 2), "  a\n  b\n");
        assert_eq!(item(3, "a\nb", 2), "  3. a\n     b\n");
    }
}
