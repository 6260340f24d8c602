//! Changes of the configuration file by this program: settings and their reasons, and nothing else. What people wrote,
//! comments and layout, stays as it is.

use super::file::value_of;
use super::origin::{ConfigError, Origin, Problem};
use crate::files;
use serde_json::{Map, Value};
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value as Written};

/// A setting, and why it is so.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The plugin.
    pub plugin: String,
    /// The setting's key.
    pub key: String,
    /// The value, of the setting's type.
    pub value: Value,
    /// The reason, in one line.
    pub reason: String,
}

impl Change {
    /// `modules.<plugin>.<key>`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("modules.{}.{}", self.plugin, self.key)
    }
}

/// Writes changes to the file: whole or not at all, one writer after the other.
///
/// # Errors
/// When the file cannot be read, is no configuration any more, or must not or cannot be written.
pub fn write(path: &Path, changes: &[Change]) -> Result<(), ConfigError> {
    let failed = |error: std::io::Error| {
        let message =
            format!("failed to write the configuration {}: {error}; nothing was changed", path.display());
        ConfigError::one(message)
    };
    writable(path)?;
    // A link stays a link: what it leads to is replaced.
    let path = std::fs::canonicalize(path).map_err(failed)?;
    let _lock = files::lock_beside(&path).map_err(failed)?;
    let text = std::fs::read_to_string(&path).map_err(failed)?;
    let edited = edited(&path, &text, changes)?;
    files::write(&path, None, |to| to.write_all(edited.as_bytes())).map_err(failed)
}

/// Refuses a file that somebody made read-only: its folder may allow to replace it, they did not.
///
/// # Errors
/// When nobody may write it, or it is none.
pub fn writable(path: &Path) -> Result<(), ConfigError> {
    let metadata = std::fs::metadata(path)
        .map_err(|error| ConfigError::one(format!("failed to look at {}: {error}", path.display())))?;
    let shown = path.display();
    if !metadata.is_file() {
        return Err(ConfigError::one(format!("{shown} is no file that could be changed")));
    }
    if metadata.permissions().readonly() {
        return Err(ConfigError::one(format!(
            "{shown} is read-only and stays as it is; allow it with `chmod u+w {shown}`, or paste what is proposed \
             where the file is kept"
        )));
    }
    Ok(())
}

/// Changes as lines to paste.
///
/// # Panics
/// Never: an empty file can be changed.
#[must_use]
pub fn snippet(changes: &[Change]) -> String {
    let empty = Path::new("");
    edited(empty, "", changes).expect("an empty file is a configuration without a setting")
}

/// The text of a file with changes.
fn edited(path: &Path, text: &str, changes: &[Change]) -> Result<String, ConfigError> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let message = error.message().trim().replace('\n', "; ");
        ConfigError::one(format!("{}: {message}; nothing was changed", path.display()))
    })?;
    for change in changes {
        let modules = section(path, document.as_table_mut(), "modules")?;
        let settings = section(path, modules, &change.plugin)?;
        put(settings, &change.key, &change.value);
        let reasons = section(path, document.as_table_mut(), "reasons")?;
        put(reasons, &change.path(), &Value::from(change.reason.as_str()));
    }
    let edited = document.to_string();
    // Whatever the layout of a file: exactly this was to change.
    let (mut wanted, mut found) = (tree(path, text)?, tree(path, &edited)?);
    for change in changes {
        at(&mut wanted, &["modules", &change.plugin]).insert(change.key.clone(), sorted(&change.value));
        at(&mut wanted, &["reasons"]).insert(change.path(), change.reason.as_str().into());
        let written = at(&mut found, &["modules", &change.plugin]);
        written.entry(&change.key).and_modify(|value| *value = sorted(value));
    }
    if wanted != found {
        return Err(ConfigError::one(format!(
            "{} is laid out in a way that cannot be changed safely; paste what is proposed by hand",
            path.display()
        )));
    }
    Ok(edited)
}

/// A list in one order: its own means nothing, and items that stay keep their place.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(texts) => {
            let mut texts = texts_of(texts);
            texts.sort_unstable();
            texts.into_iter().collect()
        }
        other => other.clone(),
    }
}

/// What a text says, without layout.
fn tree(path: &Path, text: &str) -> Result<Map<String, Value>, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| {
        let message = error.message().trim().replace('\n', "; ");
        ConfigError(vec![Problem::at(&Origin::Default, format!("{}: {message}", path.display()))])
    })?;
    match value_of(&Spanned::new(0..0, DeValue::Table(table.into_inner()))) {
        Value::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

fn at<'a>(map: &'a mut Map<String, Value>, names: &[&str]) -> &'a mut Map<String, Value> {
    names.iter().fold(map, |map, name| {
        let inner = map.entry(*name).or_insert_with(|| Value::Object(Map::new()));
        if !inner.is_object() {
            *inner = Value::Object(Map::new());
        }
        inner.as_object_mut().expect("it was just made one")
    })
}

/// The section of this name, made where it is missing; its header stands in the file once it holds values.
fn section<'a>(
    path: &Path,
    table: &'a mut dyn TableLike,
    name: &str,
) -> Result<&'a mut dyn TableLike, ConfigError> {
    let item = table.entry(name).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    item.as_table_like_mut()
        .ok_or_else(|| ConfigError::one(format!("{}: {name} has to be a section: [{name}]", path.display())))
}

/// Sets a key, and leaves its comments.
fn put(table: &mut dyn TableLike, key: &str, value: &Value) {
    match (table.get_mut(key), value) {
        (Some(Item::Value(Written::Array(array))), Value::Array(texts)) => refill(array, &texts_of(texts)),
        (Some(item), Value::Object(wanted)) if item.is_table_like() => {
            let inner = item.as_table_like_mut().expect("it is one");
            let gone: Vec<String> = inner
                .iter()
                .map(|(name, _)| name.to_owned())
                .filter(|name| !wanted.contains_key(name))
                .collect();
            for name in gone {
                inner.remove(&name);
            }
            for (name, value) in wanted {
                put_exactly(inner, name, value);
            }
        }
        (Some(item), value) if item.is_value() => {
            let decor = item.as_value().map(|old| old.decor().clone()).unwrap_or_default();
            let mut new = fresh(value);
            *new.decor_mut() = decor;
            *item = Item::Value(new);
        }
        (_, Value::Object(wanted)) => {
            let mut inner = Table::new();
            for (name, value) in wanted {
                put_exactly(&mut inner, name, value);
            }
            table.insert(key, Item::Table(inner));
        }
        (_, value) => {
            table.insert(key, Item::Value(fresh(value)));
        }
    }
}

/// Sets an entry of a table: the order of its texts may mean something, so that they are replaced where they differ.
fn put_exactly(table: &mut dyn TableLike, key: &str, value: &Value) {
    let wanted = value.as_array().map(|texts| texts_of(texts)).unwrap_or_default();
    let item = table.entry(key).or_insert(Item::Value(Written::Array(Array::new())));
    let present = item.as_array().map(|array| array.iter().filter_map(Written::as_str).collect::<Vec<_>>());
    if present.as_ref() == Some(&wanted) {
        return;
    }
    let decor = item.as_value().map(|old| old.decor().clone()).unwrap_or_default();
    let mut new = Written::Array(wanted.into_iter().collect());
    *new.decor_mut() = decor;
    *item = Item::Value(new);
}

fn texts_of(values: &[Value]) -> Vec<&str> {
    values.iter().filter_map(Value::as_str).collect()
}

/// A value in a layout of ours.
fn fresh(value: &Value) -> Written {
    match value {
        Value::Array(texts) => {
            let mut array = Array::new();
            refill(&mut array, &texts_of(texts));
            Written::Array(array)
        }
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => number.as_i64().unwrap_or_default().into(),
        Value::String(text) => text.as_str().into(),
        Value::Object(_) | Value::Null => Written::InlineTable(toml_edit::InlineTable::new()),
    }
}

/// The widest list that stands in one line.
const LINE: usize = 80;

/// One item of a list as it stands in the file.
struct Place {
    value: Written,
    /// What stands above it and before it: line feed, comments, indentation.
    above: String,
    /// What follows in its line: a comment.
    behind: String,
}

/// Makes a list hold these texts. Items that stay keep their place and their comments; a comment in the line of an item
/// that goes, goes with it.
fn refill(array: &mut Array, texts: &[&str]) {
    let (opening, places, closing) = taken_apart(array);
    let indent = places.iter().map(|place| place.above.as_str()).find(|above| above.contains('\n'));
    let indent = indent.and_then(|above| above.rsplit('\n').next()).unwrap_or("  ").to_owned();
    let mut kept: Vec<Place> = Vec::new();
    let mut orphaned = String::new();
    for mut place in places {
        let stays = place.value.as_str().is_some_and(|text| texts.contains(&text))
            && !kept.iter().any(|other| other.value.as_str() == place.value.as_str());
        if stays {
            place.above.insert_str(0, &std::mem::take(&mut orphaned));
            kept.push(place);
        } else if place.above.contains('#') {
            // A line of its own may be about all that follows.
            orphaned.push_str(place.above.trim_end());
        }
    }
    for text in texts {
        if kept.iter().any(|place| place.value.as_str() == Some(text)) {
            continue;
        }
        let above = format!("{}\n{indent}", std::mem::take(&mut orphaned));
        kept.push(Place { value: (*text).into(), above, behind: String::new() });
    }
    let has_comments = opening.contains('#')
        || closing.contains('#')
        || !orphaned.is_empty()
        || kept.iter().any(|place| place.above.contains('#') || place.behind.contains('#'));
    let width: usize = texts.iter().map(|text| text.chars().count() + 4).sum();
    if !has_comments && width <= LINE {
        return one_line(array, kept);
    }
    array.clear();
    let mut before = opening;
    for mut place in kept {
        if !place.above.contains('\n') {
            place.above = format!("\n{indent}");
        }
        place.value.decor_mut().set_prefix(format!("{before}{}", place.above));
        array.push_formatted(place.value);
        before = place.behind;
    }
    let closing = if closing.contains('\n') { closing } else { "\n".to_owned() };
    array.set_trailing(format!("{before}{orphaned}{closing}"));
    array.set_trailing_comma(true);
}

fn one_line(array: &mut Array, kept: Vec<Place>) {
    array.clear();
    for (index, mut place) in kept.into_iter().enumerate() {
        place.value.decor_mut().set_prefix(if index == 0 { "" } else { " " });
        array.push_formatted(place.value);
    }
    array.set_trailing("");
    array.set_trailing_comma(false);
}

/// What stands between the bracket and the first line, the items, and what stands before the last bracket.
fn taken_apart(array: &Array) -> (String, Vec<Place>, String) {
    let raw =
        |text: Option<&toml_edit::RawString>| text.and_then(|raw| raw.as_str()).unwrap_or("").to_owned();
    // The rest of a line belongs to what stands before it.
    let split = |text: String| match text.find('\n') {
        Some(end) => (text[..end].to_owned(), text[end..].to_owned()),
        None => (String::new(), text),
    };
    let mut opening = String::new();
    let mut places: Vec<Place> = Vec::new();
    for value in array {
        let (rest, above) = split(raw(value.decor().prefix()));
        match places.last_mut() {
            Some(before) => before.behind.push_str(&rest),
            None => opening = rest,
        }
        let behind = raw(value.decor().suffix()).trim_end().to_owned();
        let mut value = value.clone();
        value.decor_mut().clear();
        places.push(Place { value, above, behind });
    }
    let (rest, closing) = split(raw(Some(array.trailing())));
    match places.last_mut() {
        Some(before) => before.behind.push_str(&rest),
        None => opening = rest,
    }
    (opening, places, closing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(key: &str, value: Value) -> Change {
        Change { plugin: "subnets".into(), key: key.into(), value, reason: "as ann said".into() }
    }

    #[track_caller]
    fn becomes(before: &str, changes: &[Change], after: &str) {
        let edited = edited(Path::new("t.toml"), before, changes).unwrap();
        assert_eq!(edited, after, "\n{edited}");
    }

    #[test]
    fn what_is_not_there_is_added() {
        let changes = [
            change("approved", json!(["10.0.0.0/24", "10.0.1.0/24"])),
            change("prefix", json!(24)),
            change("plan", json!({"a b": ["1"], "c": ["2", "3"]})),
        ];
        becomes(
            "",
            &changes,
            r#"[modules.subnets]
approved = ["10.0.0.0/24", "10.0.1.0/24"]
prefix = 24

[modules.subnets.plan]
"a b" = ["1"]
c = ["2", "3"]

[reasons]
"modules.subnets.approved" = "as ann said"
"modules.subnets.prefix" = "as ann said"
"modules.subnets.plan" = "as ann said"
"#,
        );
        assert_eq!(snippet(&changes[1..2]).lines().count(), 5);
    }

    #[test]
    fn comments_and_layout_survive() {
        let before = r#"# Kept in git.
[deployment]
url = "https://t.example"   # the only one

[modules]
enable = ["subnets"]

# Networks.
[modules.subnets]
prefix   = 25  # as routed
approved = [  # by the network team
  # offices
  "10.0.0.0/24",  # Bern
  "10.0.9.0/24",  # Basel, closed
  # homes
  '10.8.0.0/16',
  # end
]

[limits]
retries = 2

# The end.
"#;
        let after = before
            .replace("  \"10.0.9.0/24\",  # Basel, closed\n", "")
            .replace("'10.8.0.0/16',\n", "'10.8.0.0/16',\n  \"10.1.0.0/24\",\n")
            .replace("prefix   = 25 ", "prefix   = 24 ")
            .replace("\n# The end.", "\n[reasons]\n\"modules.subnets.approved\" = \"as ann said\"\n\"modules.subnets.prefix\" = \"as ann said\"\n\n# The end.");
        let changes = [
            change("approved", json!(["10.0.0.0/24", "10.1.0.0/24", "10.8.0.0/16"])),
            change("prefix", json!(24)),
        ];
        becomes(before, &changes, &after);
        // The same again changes nothing.
        becomes(&after, &changes, &after);
    }

    #[test]
    fn a_list_grows_and_shrinks_as_it_is_laid_out() {
        let list = |items: &[&str]| change("approved", json!(items));
        let reasons = "\n[reasons]\n\"modules.subnets.approved\" = \"as ann said\"\n";
        let of = |text: &str| format!("[modules.subnets]\napproved = {text}\n{reasons}");
        becomes("[modules.subnets]\napproved = [\"a\"]\n", &[list(&["a", "b"])], &of(r#"["a", "b"]"#));
        becomes("[modules.subnets]\napproved = [\"a\", \"b\"]\n", &[list(&["b"])], &of(r#"["b"]"#));
        becomes("[modules.subnets]\napproved = [\"a\"]\n", &[list(&[])], &of("[]"));
        let long: Vec<String> = (10..22).map(|number| format!("10.0.{number}.0/24")).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let lines: String = long.iter().map(|one| format!("  \"{one}\",\n")).collect();
        becomes("[modules.subnets]\napproved = []\n", &[list(&long)], &of(&format!("[\n{lines}]")));
        becomes(
            "[modules.subnets]\napproved = [\n    \"a\" # first\n]\n",
            &[list(&["a", "b"])],
            &of("[\n    \"a\", # first\n    \"b\",\n]"),
        );
    }

    #[test]
    fn other_ways_to_write_a_section() {
        let prefix = [change("prefix", json!(24))];
        for before in [
            "modules = { enable = [\"subnets\"], subnets = { prefix = 25 } }\n",
            "modules.enable = [\"subnets\"]\nmodules.subnets.prefix = 25\n",
            "[modules]\nsubnets.prefix = 25 # x\n",
            "[modules]\n[reasons]\n\"limits.retries\" = \"x\" # y\n",
        ] {
            let edited = edited(Path::new("t.toml"), before, &prefix).unwrap();
            assert!(edited.contains("24") && edited.contains("as ann said"), "{edited}");
            for comment in ["# x", "# y"] {
                assert_eq!(edited.contains(comment), before.contains(comment), "{edited}");
            }
        }
    }

    #[test]
    fn what_is_no_configuration_stays_as_it_is() {
        for (before, words) in [
            ("[modules", "nothing was changed"),
            ("modules = 7\n", "modules has to be a section"),
            ("[modules]\nsubnets = 7\n", "subnets has to be a section"),
            ("reasons = []\n", "reasons has to be a section"),
        ] {
            let error = edited(Path::new("t.toml"), before, &[change("prefix", json!(24))]).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn the_order_of_the_texts_of_a_table_stays() {
        let limits = json!({"Plant": ["5", "0", "5"]});
        for before in ["", "[modules.subnets.plan]\nPlant = [\"0\", \"5\"] # agreed\n"] {
            let edited = edited(Path::new("t"), before, &[change("plan", limits.clone())]).unwrap();
            assert!(edited.contains("Plant = [\"5\", \"0\", \"5\"]"), "{edited}");
            assert_eq!(edited.contains("# agreed"), before.contains("# agreed"), "{edited}");
        }
    }

    #[test]
    fn a_table_keeps_the_comments_of_what_stays() {
        let before = "[modules.subnets.plan]\na = [\"1\"] # one\nb = [\"2\"]\n";
        let edited =
            edited(Path::new("t"), before, &[change("plan", json!({"a": ["1"], "c": ["3"]}))]).unwrap();
        assert!(edited.starts_with("[modules.subnets.plan]\na = [\"1\"] # one\nc = [\"3\"]\n\n"), "{edited}");
    }

    #[test]
    fn a_link_and_a_read_only_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("real.toml"), folder.path().join("tancheck.toml"));
        std::fs::write(&file, "[modules]\n").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, &[change("prefix", json!(24))]).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        let written = std::fs::read_to_string(&file).unwrap();
        assert!(written.contains("prefix = 24"));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o444)).unwrap();
        let refused = write(&link, &[change("prefix", json!(25))]).unwrap_err().to_string();
        assert!(refused.contains("read-only") && refused.contains("chmod u+w"), "{refused}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), written);
        assert!(write(&folder.path().join("none"), &[]).is_err());
        assert!(write(folder.path(), &[]).is_err());
    }
}
