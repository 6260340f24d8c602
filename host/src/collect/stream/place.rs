//! Where in a document a list is, and where in the document a reader is.

use super::MAX_DEPTH;

/// One step from the root of a document to a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The value under this key.
    Key(String),
    /// Each element of an array.
    Every,
    /// One element of an array.
    Index(usize),
}

/// The places where a list may be; the first that is there is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    paths: Vec<Vec<Step>>,
}

impl Place {
    /// A list of objects, as most routes deliver it: bare, or under `data` or `body`; and, where `key` is not empty,
    /// under `key`, `data` → `key` or `body` → `key`. A `/` in the key reaches into objects.
    #[must_use]
    pub fn list(key: &str) -> Self {
        let mut paths = vec![vec![], keys(&["data"]), keys(&["body"])];
        if !key.is_empty() {
            let key: Vec<&str> = key.trim_matches('/').split('/').collect();
            for envelope in [&[][..], &["data"], &["body"]] {
                let path = keys(&[envelope, &key].concat());
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        Self { paths }
    }

    /// Exactly the list at a JSON pointer (`/data/items`; empty for a bare list). A number stands for an array's element.
    #[must_use]
    pub fn pointer(pointer: &str) -> Self {
        let step = |token: &str| {
            let token = token.replace("~1", "/").replace("~0", "~");
            token.parse().map_or_else(|_| Step::Key(token.clone()), Step::Index)
        };
        Self { paths: vec![pointer.split('/').skip(1).map(step).collect()] }
    }

    /// The rows of every result set of a question.
    #[must_use]
    pub fn result_sets() -> Self {
        let rows = |outer: &[&str]| {
            let mut path = keys(outer);
            path.extend([Step::Every, Step::Key("rows".to_owned())]);
            path
        };
        Self { paths: vec![rows(&["data", "result_sets"]), rows(&["result_sets"])] }
    }

    /// The edges of a connection in a Gateway answer.
    #[must_use]
    pub fn edges(connection: &str) -> Self {
        Self { paths: vec![keys(&["data", connection, "edges"])] }
    }

    /// Whether the array that was just opened is the list.
    pub(super) fn is_at(&self, walk: &Walk) -> bool {
        self.paths.iter().any(|path| walk.is(path))
    }

    /// Whether lists at both of these pointers belong together: they are the same path in other elements of an array.
    pub(super) fn both(&self, one: &str, other: &str) -> bool {
        self.paths.iter().any(|path| {
            path.contains(&Step::Every) && one != other && matches(path, one) && matches(path, other)
        })
    }

    /// The places, for people.
    pub(super) fn describe(&self) -> String {
        let name = |path: &Vec<Step>| match path.as_slice() {
            [] => "the top level".to_owned(),
            steps => {
                let steps = steps.iter().map(|step| match step {
                    Step::Key(key) => format!("/{key}"),
                    Step::Every => "/*".to_owned(),
                    Step::Index(index) => format!("/{index}"),
                });
                format!("`{}`", steps.collect::<String>())
            }
        };
        self.paths.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn paths(&self) -> &[Vec<Step>] {
        &self.paths
    }
}

fn keys(keys: &[&str]) -> Vec<Step> {
    keys.iter().map(|&key| Step::Key(key.to_owned())).collect()
}

fn matches(path: &[Step], pointer: &str) -> bool {
    let tokens: Vec<&str> = pointer.split('/').skip(1).collect();
    tokens.len() == path.len()
        && tokens.iter().zip(path).all(|(token, step)| match step {
            Step::Key(key) => key == token,
            Step::Every => token.parse::<usize>().is_ok(),
            Step::Index(index) => token.parse() == Ok(*index),
        })
}

/// Where in the document the last byte was. Right for every beginning of a valid document; what is not valid is found when
/// the outer document is parsed.
#[derive(Debug, Default)]
pub(super) struct Walk {
    open: Vec<Open>,
    text: Text,
    /// The last string that was read, with its quotes: a key, if a colon follows.
    string: Vec<u8>,
}

#[derive(Debug)]
enum Open {
    Object { key: String },
    Array { index: usize },
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Text {
    #[default]
    Outside,
    Inside,
    Escape,
}

impl Walk {
    /// The next byte; `true` when it opens an array.
    ///
    /// # Errors
    /// The depth, when it is too large.
    pub(super) fn take(&mut self, byte: u8) -> Result<bool, usize> {
        if self.text != Text::Outside {
            self.string.push(byte);
            self.text = match (&self.text, byte) {
                (Text::Inside, b'\\') => Text::Escape,
                (Text::Inside, b'"') => Text::Outside,
                _ => Text::Inside,
            };
            return Ok(false);
        }
        match byte {
            b'"' => {
                self.text = Text::Inside;
                self.string.clear();
                self.string.push(byte);
            }
            b':' => {
                if let Some(Open::Object { key }) = self.open.last_mut() {
                    *key = serde_json::from_slice(&self.string).unwrap_or_default();
                }
            }
            b',' => {
                if let Some(Open::Array { index }) = self.open.last_mut() {
                    *index += 1;
                }
            }
            b'{' => self.push(Open::Object { key: String::new() })?,
            b'[' => {
                self.push(Open::Array { index: 0 })?;
                return Ok(true);
            }
            b'}' | b']' => self.close(),
            _ => {}
        }
        Ok(false)
    }

    fn push(&mut self, open: Open) -> Result<(), usize> {
        self.open.push(open);
        if self.open.len() > MAX_DEPTH { Err(self.open.len()) } else { Ok(()) }
    }

    /// The innermost container is closed.
    pub(super) fn close(&mut self) {
        self.open.pop();
    }

    /// How many containers are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether the innermost open array is at this path.
    fn is(&self, path: &[Step]) -> bool {
        let Some((Open::Array { .. }, above)) = self.open.split_last() else { return false };
        above.len() == path.len()
            && above.iter().zip(path).all(|(open, step)| match (open, step) {
                (Open::Object { key }, Step::Key(wanted)) => key == wanted,
                (Open::Array { .. }, Step::Every) => true,
                (Open::Array { index }, Step::Index(wanted)) => index == wanted,
                _ => false,
            })
    }

    /// The JSON pointer of the innermost open array.
    pub(super) fn pointer(&self) -> String {
        let above = self.open.len().saturating_sub(1);
        let token = |open: &Open| match open {
            Open::Object { key } => format!("/{key}"),
            Open::Array { index } => format!("/{index}"),
        };
        self.open[..above].iter().map(token).collect()
    }

    /// The document up to here, with all that is open closed.
    pub(super) fn completed(&self, text: &[u8]) -> Vec<u8> {
        let close = |open: &Open| match open {
            Open::Object { .. } => b'}',
            Open::Array { .. } => b']',
        };
        text.iter().copied().chain(self.open.iter().rev().map(close)).collect()
    }
}
