//! Documents: parsed, checked against the schema, resolved, and cut down to what was selected.

use super::resolve::{self, Resolver};
use super::schema::{self, Holds};
use graphql_parser::query::{
    Definition, Document, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
    Value as Literal, parse_query,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A document that is refused as a whole, with HTTP 400.
#[derive(Debug)]
pub(super) struct Refused(pub(super) String);

/// One field of a selection: the key of its value, its name, its arguments, and what is selected inside.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) key: String,
    pub(super) name: String,
    /// The type that the field is selected on.
    on: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) inside: Vec<Wanted>,
}

impl Wanted {
    /// An argument, null where it is missing.
    pub(super) fn argument(&self, name: &str) -> &Value {
        self.arguments.get(name).unwrap_or(&Value::Null)
    }
}

struct Reader<'a> {
    fragments: BTreeMap<&'a str, &'a FragmentDefinition<'a, String>>,
    variables: Map<String, Value>,
}

/// Reads a document and checks every field of it.
pub(super) fn read(
    text: &str,
    operation: Option<&str>,
    variables: Map<String, Value>,
) -> Result<Vec<Wanted>, Refused> {
    let document: Document<'_, String> =
        parse_query(text).map_err(|error| Refused(format!("Syntax Error: {}", error.to_string().trim())))?;
    let mut reader = Reader { fragments: BTreeMap::new(), variables };
    let mut operations = Vec::new();
    for definition in &document.definitions {
        match definition {
            Definition::Operation(found) => operations.push(found),
            Definition::Fragment(fragment) => {
                reader.fragments.insert(&fragment.name, fragment);
            }
        }
    }
    let named = |found: &&OperationDefinition<'_, String>| match found {
        OperationDefinition::Query(query) => query.name.as_deref() == operation,
        _ => false,
    };
    let chosen = match (operation, operations.as_slice()) {
        (None, [only]) => *only,
        (None, _) => {
            return Err(Refused("Must provide operation name if query contains multiple operations.".into()));
        }
        (Some(name), all) => *all
            .iter()
            .find(|found| named(found))
            .ok_or_else(|| Refused(format!("Unknown operation named \"{name}\".")))?,
    };
    let set = match chosen {
        OperationDefinition::SelectionSet(set) => set,
        OperationDefinition::Query(query) => {
            for variable in &query.variable_definitions {
                if let Some(default) = &variable.default_value
                    && !reader.variables.contains_key(&variable.name)
                {
                    reader.variables.insert(variable.name.clone(), reader.value(default));
                }
            }
            &query.selection_set
        }
        OperationDefinition::Mutation(_) | OperationDefinition::Subscription(_) => {
            return Err(Refused("The lab executes queries only.".into()));
        }
    };
    reader.selection(set, "Query")
}

impl Reader<'_> {
    fn selection(&self, set: &SelectionSet<'_, String>, of: &str) -> Result<Vec<Wanted>, Refused> {
        let mut wanted = Vec::new();
        for selection in &set.items {
            match selection {
                Selection::Field(field) if self.included(&field.directives) => {
                    wanted.push(self.field(field, of)?)
                }
                Selection::FragmentSpread(spread) if self.included(&spread.directives) => {
                    let fragment = self.fragments.get(spread.fragment_name.as_str());
                    let fragment = fragment
                        .ok_or_else(|| Refused(format!("Unknown fragment \"{}\".", spread.fragment_name)))?;
                    wanted.extend(self.selection(&fragment.selection_set, of)?);
                }
                Selection::InlineFragment(fragment) if self.included(&fragment.directives) => {
                    wanted.extend(self.selection(&fragment.selection_set, of)?);
                }
                _ => {}
            }
        }
        Ok(wanted)
    }

    fn field(&self, field: &Field<'_, String>, of: &str) -> Result<Wanted, Refused> {
        let Some((_, arguments, holds)) = schema::field(of, &field.name) else {
            return Err(Refused(format!("Cannot query field \"{}\" on type \"{of}\".", field.name)));
        };
        if let Some((name, _)) = field.arguments.iter().find(|(name, _)| !arguments.contains(&name.as_str()))
        {
            return Err(Refused(format!("Unknown argument \"{name}\" on field \"{of}.{}\".", field.name)));
        }
        let empty = field.selection_set.items.is_empty();
        let inside = match holds {
            Holds::Leaf if empty => Vec::new(),
            Holds::Leaf => {
                return Err(Refused(format!(
                    "Field \"{}\" must not have a selection since it has no subfields.",
                    field.name
                )));
            }
            Holds::Type(name) if empty => {
                return Err(Refused(format!(
                    "Field \"{}\" of type \"{name}\" must have a selection of subfields.",
                    field.name
                )));
            }
            Holds::Type(name) => self.selection(&field.selection_set, name)?,
        };
        Ok(Wanted {
            key: field.alias.clone().unwrap_or_else(|| field.name.clone()),
            name: field.name.clone(),
            on: of.to_owned(),
            arguments: field
                .arguments
                .iter()
                .map(|(name, value)| (name.clone(), self.value(value)))
                .collect(),
            inside,
        })
    }

    fn included(&self, directives: &[graphql_parser::query::Directive<'_, String>]) -> bool {
        directives.iter().all(|directive| {
            let condition = directive.arguments.iter().find(|(name, _)| name == "if");
            let holds = condition.is_some_and(|(_, value)| self.value(value) == Value::Bool(true));
            match directive.name.as_str() {
                "skip" => !holds,
                "include" => holds,
                _ => true,
            }
        })
    }

    fn value(&self, literal: &Literal<'_, String>) -> Value {
        match literal {
            Literal::Variable(name) => self.variables.get(name).cloned().unwrap_or_default(),
            Literal::Int(number) => number.as_i64().into(),
            Literal::Float(number) => json!(number),
            Literal::String(text) | Literal::Enum(text) => text.clone().into(),
            Literal::Boolean(flag) => (*flag).into(),
            Literal::Null => Value::Null,
            Literal::List(items) => items.iter().map(|item| self.value(item)).collect(),
            Literal::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), self.value(value)))
                .collect::<Map<_, _>>()
                .into(),
        }
    }
}

/// Resolves every root field. A field that fails becomes null and is told in `errors`, with HTTP 200.
pub(super) fn run(resolver: &Resolver<'_, '_>, wanted: &[Wanted]) -> Value {
    let mut data = Map::new();
    let mut errors = Vec::new();
    for field in wanted {
        match resolver.root(field).and_then(|value| cut(resolver, &value, field)) {
            Ok(value) => {
                data.insert(field.key.clone(), value);
            }
            Err(message) => {
                data.insert(field.key.clone(), Value::Null);
                errors.push(json!({"message": message, "path": [field.key]}));
            }
        }
    }
    let mut body = json!({ "data": data });
    if !errors.is_empty() {
        body["errors"] = errors.into();
    }
    body
}

/// Leaves only what was selected of a value. Collections are paged on the way.
fn cut(resolver: &Resolver<'_, '_>, value: &Value, field: &Wanted) -> Result<Value, String> {
    if field.inside.is_empty() {
        return Ok(value.clone());
    }
    match value {
        Value::Null => Ok(Value::Null),
        Value::Array(items) => items.iter().map(|item| cut(resolver, item, field)).collect(),
        Value::Object(object) if object.contains_key(resolve::ROWS) => {
            let page = resolver.page(value, field)?;
            cut(resolver, &page, field)
        }
        _ => {
            let mut out = Map::new();
            for inner in &field.inside {
                let value = match inner.name.as_str() {
                    "__typename" => inner.on.clone().into(),
                    name => cut(resolver, value.get(name).unwrap_or(&Value::Null), inner)?,
                };
                out.insert(inner.key.clone(), value);
            }
            Ok(out.into())
        }
    }
}
