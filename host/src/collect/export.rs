//! Files that an administrator exported from the Console: CSV in the encodings and delimiters of the world, or JSON.

use super::transport::Problem;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tancheck_plugin_api::Outcome;

/// As many lines of a text are read, the last ones.
const MOST_LINES: usize = 1000;
/// Longer lines are cut.
const LONGEST_LINE: usize = 2000;

/// A file to be read, and how to make it.
#[derive(Clone, Debug)]
pub(super) struct Export<'a> {
    pub(super) folder: &'a Path,
    pub(super) file: &'a str,
    pub(super) page: &'a str,
    pub(super) steps: &'a str,
    pub(super) columns: &'a [String],
    /// Words of the lines that are read of a text; empty: it is a table.
    pub(super) holding: &'a [String],
    /// The largest file that is read.
    pub(super) largest: u64,
}

/// What a file held.
#[derive(Debug)]
pub(super) struct Exported {
    pub(super) rows: Vec<Value>,
    /// The file's own time.
    pub(super) at: Timestamp,
}

impl Export<'_> {
    /// Where the file is looked for.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(self.file)
    }

    /// What a person can do to get the input this way.
    pub(super) fn hint(&self) -> String {
        format!("export it from {} to {} ({})", self.page, self.path().display(), self.steps)
    }

    /// Reads the file.
    pub(super) fn read(&self) -> Result<Exported, Problem> {
        let path = self.path();
        if Path::new(self.file).file_name().is_none_or(|name| name != self.file) {
            return Err(self.unusable("the name is not that of a file in the exports folder"));
        }
        let (bytes, at) = self.load(&path)?;
        let text = decoded(&bytes);
        let rows = match text.trim_start().chars().next() {
            Some(_) if !self.holding.is_empty() => Ok(lines(&text, self.holding)),
            None => Err(self.unusable("the file is empty")),
            Some('[' | '{') => self.json(&text),
            Some(_) => self.csv(&text),
        }?;
        Ok(Exported { rows, at })
    }

    fn load(&self, path: &Path) -> Result<(Vec<u8>, Timestamp), Problem> {
        let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Problem::new(
                Outcome::NotEvaluated,
                format!("{} is not there: export it from {} ({})", path.display(), self.page, self.steps),
            ),
            _ => self.unusable(&format!("the file cannot be read ({error})")),
        })?;
        if !metadata.is_file() {
            return Err(self.unusable("it is no file"));
        }
        if metadata.len() > self.largest {
            let what = format!(
                "the file has {} bytes, limits.response_bytes allows {}",
                metadata.len(),
                self.largest
            );
            return Err(self.unusable(&what));
        }
        let bytes = std::fs::read(path)
            .map_err(|error| self.unusable(&format!("the file cannot be read ({error})")))?;
        let at = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        let at = at.ok_or_else(|| self.unusable("the file has no time"))?;
        Ok((bytes, at))
    }

    fn json(&self, text: &str) -> Result<Vec<Value>, Problem> {
        let document: Value = serde_json::from_str(text)
            .map_err(|error| self.unusable(&format!("line {}: no valid JSON ({error})", error.line())))?;
        let rows = match document {
            Value::Array(rows) => rows,
            Value::Object(mut fields) => match fields.remove("data") {
                Some(Value::Array(rows)) => rows,
                _ => return Err(self.unusable("a JSON list was expected, bare or under data")),
            },
            _ => return Err(self.unusable("a JSON list was expected")),
        };
        rows.into_iter().enumerate().map(|(index, row)| self.json_row(index, row)).collect()
    }

    fn json_row(&self, index: usize, row: Value) -> Result<Value, Problem> {
        let Value::Object(fields) = row else {
            return Err(self.unusable(&format!("element {} is no object", index + 1)));
        };
        let keys: Vec<&str> = fields.keys().map(String::as_str).collect();
        let names = self.names(&keys, &format!("element {}", index + 1))?;
        Ok(Value::Object(names.into_iter().zip(fields.into_values()).collect()))
    }

    fn csv(&self, text: &str) -> Result<Vec<Value>, Problem> {
        let (text, told) = told_delimiter(text);
        let delimiter = told.unwrap_or_else(|| likely_delimiter(text));
        let skipped = usize::from(told.is_some()) as u64;
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
        let broken = |error: &csv::Error| {
            let line = error.position().map_or(0, csv::Position::line) + skipped;
            self.unusable(&format!("line {line}: no valid CSV ({error})"))
        };
        let header = reader.headers().map_err(|error| broken(&error))?.clone();
        let header: Vec<&str> = header.iter().collect();
        let names = self.names(&header, &format!("line {}", skipped + 1))?;
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| broken(&error))?;
            if record.len() != names.len() {
                let line = record.position().map_or(0, csv::Position::line) + skipped;
                let what = format!("line {line}: {} fields, the header has {}", record.len(), names.len());
                return Err(self.unusable(&what));
            }
            let fields =
                names.iter().cloned().zip(record.iter().map(|field| Value::String(field.to_owned())));
            rows.push(Value::Object(fields.collect::<Map<_, _>>()));
        }
        Ok(rows)
    }

    /// The columns of the file under the spelling of the declaration; others keep their own.
    fn names(&self, found: &[&str], place: &str) -> Result<Vec<String>, Problem> {
        let loose: Vec<String> = found.iter().map(|name| loosely(name)).collect();
        let mut names: Vec<String> = found.iter().map(|name| name.trim().to_owned()).collect();
        for column in self.columns {
            let wanted = loosely(column);
            let mut places =
                loose.iter().enumerate().filter(|(_, name)| **name == wanted).map(|(index, _)| index);
            match (places.next(), places.next()) {
                (Some(index), None) => names[index].clone_from(column),
                (None, _) => {
                    let what =
                        format!("{place}: the column {column:?} is not there, only {}", found.join(", "));
                    return Err(self.unusable(&what));
                }
                (Some(_), Some(_)) => {
                    return Err(self.unusable(&format!("{place}: the column {column:?} is there twice")));
                }
            }
        }
        Ok(names)
    }

    fn unusable(&self, what: &str) -> Problem {
        let reason =
            format!("{}: {what}; export it again from {} ({})", self.path().display(), self.page, self.steps);
        Problem::new(Outcome::NotEvaluated, reason)
    }
}

/// The last lines of a text that hold one of the words, with their numbers. Signs that could steer a terminal are left
/// out.
fn lines(text: &str, words: &[String]) -> Vec<Value> {
    let holds = |line: &str| words.iter().any(|word| holds_word(line, word));
    let found: Vec<(usize, &str)> = text.lines().enumerate().filter(|(_, line)| holds(line)).collect();
    let kept = found.into_iter().rev().take(MOST_LINES).rev();
    let plain = |line: &str| -> String {
        line.chars().filter(|sign| !sign.is_control() || *sign == '\t').take(LONGEST_LINE).collect()
    };
    kept.map(|(at, line)| serde_json::json!({"Line": at + 1, "Text": plain(line)})).collect()
}

/// Whether a word stands in a line by itself, whatever its case.
fn holds_word(line: &str, word: &str) -> bool {
    let line = line.to_lowercase();
    let word = word.to_lowercase();
    let is_part = |sign: char| sign.is_alphanumeric();
    line.match_indices(&word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Case, spaces, `_` and `-` do not matter.
fn loosely(name: &str) -> String {
    name.chars()
        .filter(|sign| !sign.is_whitespace() && !matches!(sign, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The text of a file, whatever its encoding.
pub(crate) fn decoded(bytes: &[u8]) -> String {
    let (text, _, _) = encoding(bytes).decode(bytes);
    text.into_owned()
}

/// A byte order mark decides. Without one: zeros in every other byte are UTF-16, valid UTF-8 is UTF-8, and the rest is
/// what Windows programs write in the western world.
fn encoding(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    let zeros =
        |parity: usize| bytes.iter().take(512).skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
    let half = bytes.len().min(512) / 2;
    match (zeros(0), zeros(1)) {
        (0, odd) if half > 0 && odd > half / 2 => UTF_16LE,
        (even, 0) if half > 0 && even > half / 2 => UTF_16BE,
        _ if std::str::from_utf8(bytes).is_ok() => UTF_8,
        _ => WINDOWS_1252,
    }
}

/// Excel writes the delimiter into a first line of its own.
fn told_delimiter(text: &str) -> (&str, Option<u8>) {
    let Some((first, rest)) = text.split_once('\n') else { return (text, None) };
    match first.trim_end().strip_prefix("sep=").map(str::as_bytes) {
        Some(&[delimiter]) => (rest, Some(delimiter)),
        _ => (text, None),
    }
}

/// The one of comma, semicolon and tab that the header line holds most often, outside of quotes.
fn likely_delimiter(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut quoted = false;
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    for byte in header.bytes() {
        quoted ^= byte == b'"';
        if !quoted && let Some((_, count)) = counts.iter_mut().find(|(delimiter, _)| *delimiter == byte) {
            *count += 1;
        }
    }
    // The first of equals: a comma.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn with(bytes: &[u8]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("bundles.csv"), bytes).unwrap();
            Self(folder)
        }

        fn read(&self) -> Result<Vec<Value>, String> {
            let columns = ["module".to_owned(), "created at".to_owned()];
            let export = Export {
                folder: self.0.path(),
                file: "bundles.csv",
                page: "Administration > Bundles",
                steps: "select all, Export",
                columns: &columns,
                holding: &[],
                largest: 1 << 20,
            };
            let place = format!("{}/", self.0.path().display());
            export.read().map(|exported| exported.rows).map_err(|problem| problem.reason.replace(&place, ""))
        }
    }

    fn utf_16(text: &str, little: bool, mark: bool) -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    #[test]
    fn every_encoding_and_delimiter_is_read() {
        let text = "Module,Created At\r\n\"Übersicht, kurz\",2026-01-02\r\n";
        let expected = json!([{"module": "Übersicht, kurz", "created at": "2026-01-02"}]);
        let mut files = vec![
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            WINDOWS_1252.encode(text).0.into_owned(),
            text.replace("Module,Created At", "module;CREATED_AT").replace("\",", "\";").into_bytes(),
            text.replace("Module,Created At", "module\tcreated-at").replace("\",", "\"\t").into_bytes(),
            format!("sep=,\r\n{text}").into_bytes(),
            br#"[{"Module": "\u00dcbersicht, kurz", "createdAt": "2026-01-02"}]"#.to_vec(),
            br#"{"data": [{"Module": "\u00dcbersicht, kurz", "createdAt": "2026-01-02"}]}"#.to_vec(),
        ];
        for little in [true, false] {
            files.extend([utf_16(text, little, true), utf_16(text, little, false)]);
        }
        for (index, file) in files.iter().enumerate() {
            assert_eq!(Folder::with(file).read().map(Value::Array), Ok(expected.clone()), "file {index}");
        }
    }

    #[test]
    fn of_a_text_the_last_lines_that_hold_a_word_are_read() {
        let lines = |bytes: &[u8]| {
            let folder = Folder::with(bytes);
            let words = ["DEC".to_owned()];
            let export = Export {
                folder: folder.0.path(),
                file: "bundles.csv",
                page: "p",
                steps: "s",
                columns: &[],
                holding: &words,
                largest: 1 << 20,
            };
            export.read().map(|exported| exported.rows).map_err(|problem| problem.reason)
        };
        let text = "[dec] one\u{1b}[31m\r\ndecoder two\r\nthree, Dec: Ü\r\n";
        let expected =
            [json!({"Line": 1, "Text": "[dec] one[31m"}), json!({"Line": 3, "Text": "three, Dec: Ü"})];
        for bytes in [
            text.as_bytes().to_vec(),
            utf_16(text, true, true),
            utf_16(text, true, false),
            utf_16(text, false, true),
            WINDOWS_1252.encode(text).0.into_owned(),
        ] {
            assert_eq!(lines(&bytes).unwrap(), expected);
        }
        assert_eq!(lines(b"nothing of it"), Ok(Vec::new()), "a log that does not speak of it was read");
        assert!(lines(b" ").unwrap_err().contains("the file is empty"));
        let many = lines("dec\n".repeat(1200).as_bytes()).unwrap();
        assert_eq!((many.len(), &many[0]["Line"]), (1000, &json!(201)));
        let long = lines(format!("dec {}", "x".repeat(9000)).as_bytes()).unwrap();
        assert_eq!(long[0]["Text"].as_str().map(str::len), Some(2000));
    }

    #[test]
    fn other_columns_keep_their_names() {
        let rows = Folder::with(b"Module,Created At,Free Text\nConnect,x,hello\n").read().unwrap();
        assert_eq!(rows[0]["Free Text"], "hello");
        assert_eq!(
            Folder::with(b"module,created at\n").read(),
            Ok(vec![]),
            "an empty list was seen to be empty"
        );
    }

    #[test]
    fn errors_name_file_line_page_and_steps() {
        let again = "; export it again from Administration > Bundles (select all, Export)";
        for (file, what) in [
            (
                &b"Module,File\nConnect,x\n"[..],
                "line 1: the column \"created at\" is not there, only Module, File",
            ),
            (b"Module,Created At\na,b\nConnect\n", "line 3: 1 fields, the header has 2"),
            (b"sep=;\nModule;Created At\nConnect\n", "line 3: 1 fields, the header has 2"),
            (b"Module,Created At,created_at\n", "line 1: the column \"created at\" is there twice"),
            (b"  \n", "the file is empty"),
            (b"[{\"module\": 1}]", "element 1: the column \"created at\" is not there, only module"),
            (b"[1]", "element 1 is no object"),
            (b"{\"a\": 1}", "a JSON list was expected, bare or under data"),
            (b"[\n{", "line 2: no valid JSON (EOF while parsing an object at line 2 column 1)"),
        ] {
            assert_eq!(Folder::with(file).read().unwrap_err(), format!("bundles.csv: {what}{again}"));
        }
    }

    #[test]
    fn a_missing_file_says_how_to_make_it() {
        let folder = Folder(tempfile::tempdir().unwrap());
        assert_eq!(
            folder.read().unwrap_err(),
            "bundles.csv is not there: export it from Administration > Bundles (select all, Export)"
        );
    }
}
