//! Which fields a GraphQL document selects, and under which parent. Enough to know a field again; no validation.

/// A field that is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selected {
    /// The field's name, not its alias.
    pub(crate) field: String,
    /// What it is selected on: the field above, skipping `edges` and `node`; `query` or `mutation` at the top; or the
    /// type of the fragment around it.
    pub(crate) parent: String,
}

/// All fields that a document selects, in order.
///
/// # Errors
/// When its braces do not match, or it holds no selection.
pub(crate) fn selected(document: &str) -> Result<Vec<Selected>, String> {
    let tokens = tokens(document)?;
    let mut fields = Vec::new();
    let mut parents: Vec<String> = Vec::new();
    // What the next brace opens.
    let mut opens = "query".to_owned();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.as_str() {
            "{" => parents.push(opens.clone()),
            "}" if parents.pop().is_none() => {
                return Err("a brace is closed that was never opened".to_owned());
            }
            "}" => {}
            "(" => at = behind_parentheses(&tokens, at)?,
            "@" => at += 1,
            "..." => {
                (opens, at) = fragment(&tokens, at, parents.last().map_or("query", String::as_str));
            }
            "query" | "mutation" | "subscription" if parents.is_empty() => {
                opens.clone_from(token);
                at += usize::from(tokens.get(at).is_some_and(|next| is_name(next)));
            }
            "fragment" if parents.is_empty() => {
                opens = tokens.get(at + 2).cloned().unwrap_or_default();
                at += 3;
            }
            name if is_name(name) => {
                let Some(parent) = parents.last() else { continue };
                let is_alias = tokens.get(at).is_some_and(|next| next == ":");
                let field =
                    if is_alias { tokens.get(at + 1).cloned().unwrap_or_default() } else { name.to_owned() };
                at += if is_alias { 2 } else { 0 };
                let is_wrapper = matches!(field.as_str(), "edges" | "node");
                opens = if is_wrapper { parent.clone() } else { field.clone() };
                if !is_wrapper {
                    fields.push(Selected { field, parent: parent.clone() });
                }
            }
            _ => {}
        }
    }
    match (parents.is_empty(), fields.is_empty()) {
        (false, _) => Err("a brace is opened that is never closed".to_owned()),
        (true, true) => Err("it selects no field".to_owned()),
        (true, false) => Ok(fields),
    }
}

/// What a spread opens: `... on Type` opens that type, `...` alone its surroundings, `...Name` nothing.
fn fragment(tokens: &[String], at: usize, around: &str) -> (String, usize) {
    match tokens.get(at).map(String::as_str) {
        Some("on") => (tokens.get(at + 1).cloned().unwrap_or_default(), at + 2),
        Some(name) if is_name(name) => (around.to_owned(), at + 1),
        _ => (around.to_owned(), at),
    }
}

fn behind_parentheses(tokens: &[String], mut at: usize) -> Result<usize, String> {
    let mut depth = 1;
    while depth > 0 {
        match tokens.get(at).map(String::as_str) {
            Some("(") => depth += 1,
            Some(")") => depth -= 1,
            Some(_) => {}
            None => return Err("a parenthesis is opened that is never closed".to_owned()),
        }
        at += 1;
    }
    Ok(at)
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
}

/// Names, braces and the like. Texts, numbers and comments are left out.
fn tokens(document: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut rest = document;
    while let Some(first) = rest.chars().next() {
        if let Some(block) = rest.strip_prefix("\"\"\"") {
            rest = block.split_once("\"\"\"").ok_or("a text is not closed")?.1;
        } else if first == '"' {
            rest = behind_text(&rest[1..]).ok_or("a text is not closed")?;
        } else if first == '#' {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(after) = rest.strip_prefix("...") {
            tokens.push("...".to_owned());
            rest = after;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end =
                rest.find(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').unwrap_or(rest.len());
            tokens.push(rest[..end].to_owned());
            rest = &rest[end..];
        } else {
            if "{}():@$".contains(first) {
                tokens.push(first.to_string());
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(tokens)
}

fn behind_text(text: &str) -> Option<&str> {
    let mut escaped = false;
    for (at, sign) in text.char_indices() {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(&text[at + 1..]),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Vec<String> {
        let fields = selected(document).unwrap();
        fields.into_iter().map(|one| format!("{}.{}", one.parent, one.field)).collect()
    }

    #[test]
    fn fields_are_known_by_their_parents() {
        assert_eq!(
            read(
                "query Q($a: Int = 3) { endpoints(first: $a, filter: {path: \"{\", op: EQ}) { edges { node { id disk: diskSpace @skip(if: true) { free } } } } }"
            ),
            ["query.endpoints", "endpoints.id", "endpoints.diskSpace", "diskSpace.free"]
        );
        assert_eq!(read("{ now } # { not this }"), ["query.now"]);
        assert_eq!(
            read("mutation { createAction(input: {name: \"x\\\"}\"}) { id } }"),
            ["mutation.createAction", "createAction.id"]
        );
    }

    #[test]
    fn fragments_tell_their_type() {
        assert_eq!(
            read(
                "query { endpoints { ...E ... on Endpoint { memory { used } } ... { name } } } fragment E on Endpoint { software { name } }"
            ),
            [
                "query.endpoints",
                "Endpoint.memory",
                "memory.used",
                "endpoints.name",
                "Endpoint.software",
                "software.name"
            ]
        );
    }

    #[test]
    fn what_is_no_document_is_told() {
        for broken in ["", "query", "{ a", "{ a } }", "{ a(b: 1 }", "{ a(b: \"x) }"] {
            assert!(selected(broken).is_err(), "{broken}");
        }
    }
}
