//! The question grammar: `Get S[params]?modifiers op value and … from all machines with condition`.

use crate::areas::questions::sensors::{self, Sensor};

/// A sensor as it stands in a question.
#[derive(Debug, Clone)]
pub(crate) struct SensorUse {
    pub(crate) sensor: &'static Sensor,
    pub(crate) params: Vec<String>,
    /// Rows of a selected sensor that do not pass are left out.
    pub(crate) filter: Option<Comparison>,
}

/// A comparison with a value.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    pub(crate) not: bool,
    pub(crate) operator: Operator,
    pub(crate) value: String,
    pub(crate) pattern: Option<regex::Regex>,
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Contains,
    Equals,
    StartsWith,
    EndsWith,
    Matches,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// What an endpoint must fulfil to answer.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    Always,
    Never,
    Sensor { used: SensorUse, all: bool },
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

/// A question that was understood.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) selects: Vec<SensorUse>,
    pub(crate) condition: Condition,
    pub(crate) force_computer_id: bool,
}

/// Why a question was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ParseError {
    /// The name of a sensor that the lab does not know.
    UnknownSensor(String),
    /// Anything else: what was expected, and the rest of the text.
    Expected(&'static str, String),
}

type Parsed<T> = Result<T, ParseError>;

/// Reads a whole question.
pub(crate) fn question(text: &str) -> Parsed<Question> {
    let mut cursor = Cursor { rest: text.trim() };
    if !cursor.eat_word("get") {
        return Err(cursor.expected("a question that starts with Get"));
    }
    let force_computer_id =
        cursor.modifiers().split('&').any(|part| part.eq_ignore_ascii_case("forceComputerIdFlag=1"));
    let mut selects = vec![cursor.select()?];
    while cursor.eat_word("and") {
        selects.push(cursor.select()?);
    }
    if !(cursor.eat_word("from")
        && cursor.eat_word("all")
        && (cursor.eat_word("machines") || cursor.eat_word("entities")))
    {
        return Err(cursor.expected("'from all machines'"));
    }
    let condition = if cursor.eat_word("with") { cursor.any_of()? } else { Condition::Always };
    if !cursor.rest.is_empty() {
        return Err(cursor.expected("the end of the question"));
    }
    Ok(Question { selects, condition, force_computer_id })
}

/// Reads the text of a computer group; an empty one holds for every endpoint.
pub(crate) fn condition(text: &str) -> Parsed<Condition> {
    let mut cursor = Cursor { rest: text.trim() };
    if cursor.rest.is_empty() {
        return Ok(Condition::Always);
    }
    let condition = cursor.any_of()?;
    if cursor.rest.is_empty() { Ok(condition) } else { Err(cursor.expected("the end of the group's text")) }
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn expected(&self, what: &'static str) -> ParseError {
        ParseError::Expected(what, self.rest.chars().take(60).collect())
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Removes a prefix whatever its case.
    fn eat(&mut self, prefix: &str) -> bool {
        match self.rest.get(..prefix.len()) {
            Some(head) if head.eq_ignore_ascii_case(prefix) => {
                self.rest = &self.rest[prefix.len()..];
                true
            }
            _ => false,
        }
    }

    /// Removes a whole word and the spaces around it.
    fn eat_word(&mut self, word: &str) -> bool {
        self.skip_spaces();
        let before = self.rest;
        if self.eat(word) && !self.rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            self.skip_spaces();
            return true;
        }
        self.rest = before;
        false
    }

    fn modifiers(&mut self) -> &'a str {
        let Some(rest) = self.rest.strip_prefix('?') else { return "" };
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (modifiers, rest) = rest.split_at(end);
        self.rest = rest;
        modifiers
    }

    fn select(&mut self) -> Parsed<SensorUse> {
        self.sensor_use()
    }

    fn sensor_use(&mut self) -> Parsed<SensorUse> {
        self.skip_spaces();
        let Some(sensor) = sensors::longest_at(self.rest) else {
            let end = ["[", "?", " and ", " from ", " contains ", " equals "];
            let end = end.iter().filter_map(|mark| self.rest.find(mark)).min().unwrap_or(self.rest.len());
            return Err(ParseError::UnknownSensor(self.rest[..end].trim().to_owned()));
        };
        self.rest = &self.rest[sensor.name.len()..];
        let mut params = Vec::new();
        if let Some(rest) = self.rest.strip_prefix('[') {
            let end = rest.find(']').ok_or_else(|| self.expected("']' after the parameters"))?;
            params = rest[..end].split(',').map(|param| param.trim().trim_matches('"').to_owned()).collect();
            self.rest = &rest[end + 1..];
        }
        // Answers of the lab are always fresh, and comparisons ignore case: modifiers change nothing.
        let _modifiers = self.modifiers();
        let filter = self.comparison()?;
        Ok(SensorUse { sensor, params, filter })
    }

    fn comparison(&mut self) -> Parsed<Option<Comparison>> {
        const WORDS: [(&str, Operator); 18] = [
            ("contains", Operator::Contains),
            ("contain", Operator::Contains),
            ("equals", Operator::Equals),
            ("equal to", Operator::Equals),
            ("equal", Operator::Equals),
            ("is", Operator::Equals),
            ("starts with", Operator::StartsWith),
            ("start with", Operator::StartsWith),
            ("starting with", Operator::StartsWith),
            ("ends with", Operator::EndsWith),
            ("end with", Operator::EndsWith),
            ("ending with", Operator::EndsWith),
            ("matches", Operator::Matches),
            ("match", Operator::Matches),
            ("less than", Operator::Less),
            ("greater than", Operator::Greater),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let before = self.rest;
        self.skip_spaces();
        for (sign, not, operator) in [
            ("<=", false, Operator::LessEqual),
            (">=", false, Operator::GreaterEqual),
            ("!=", true, Operator::Equals),
            ("=", false, Operator::Equals),
        ] {
            if self.eat(sign) {
                return self.compared(not, operator).map(Some);
            }
        }
        let _filler = self.eat_word("does");
        let not = self.eat_word("not");
        match WORDS.iter().find(|(word, _)| self.eat_word(word)) {
            Some((_, operator)) => self.compared(not, *operator).map(Some),
            None => {
                self.rest = before;
                Ok(None)
            }
        }
    }

    fn compared(&mut self, not: bool, operator: Operator) -> Parsed<Comparison> {
        let value = self.value();
        let pattern = match operator {
            Operator::Matches => {
                let whole = regex::Regex::new(&format!("(?is)^(?:{value})$"));
                Some(whole.map_err(|_| ParseError::Expected("a regular expression", value.clone()))?)
            }
            _ => None,
        };
        Ok(Comparison { not, operator, value, pattern })
    }

    /// A quoted value, or everything up to the next keyword.
    fn value(&mut self) -> String {
        self.skip_spaces();
        if let Some((value, rest)) = self.rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            self.rest = rest;
            return value.to_owned();
        }
        let lower = self.rest.to_ascii_lowercase();
        let ends = [" and ", " or ", " from all ", ")", " )"];
        let end = ends.iter().filter_map(|mark| lower.find(mark)).min().unwrap_or(self.rest.len());
        let (value, rest) = self.rest.split_at(end);
        self.rest = rest;
        value.trim().to_owned()
    }

    fn any_of(&mut self) -> Parsed<Condition> {
        let mut parts = vec![self.all_of()?];
        while self.eat_word("or") {
            parts.push(self.all_of()?);
        }
        Ok(one_or(parts, Condition::Any))
    }

    fn all_of(&mut self) -> Parsed<Condition> {
        let mut parts = vec![self.single()?];
        while self.eat_word("and") {
            parts.push(self.single()?);
        }
        Ok(one_or(parts, Condition::All))
    }

    fn single(&mut self) -> Parsed<Condition> {
        self.skip_spaces();
        if self.eat("(") {
            let inner = self.any_of()?;
            self.skip_spaces();
            return if self.eat(")") { Ok(inner) } else { Err(self.expected("')'")) };
        }
        if self.eat_word("not") {
            return Ok(Condition::Not(Box::new(self.single()?)));
        }
        let all = self.eat_word("all");
        let _any = !all && self.eat_word("any");
        let used = self.sensor_use()?;
        if used.filter.is_none() {
            return Err(self.expected("a comparison after the sensor"));
        }
        Ok(Condition::Sensor { used, all })
    }
}

fn one_or(mut parts: Vec<Condition>, many: fn(Vec<Condition>) -> Condition) -> Condition {
    if parts.len() == 1 { parts.remove(0) } else { many(parts) }
}

impl Comparison {
    /// Does a value fulfil this?
    pub(crate) fn holds(&self, value: &str) -> bool {
        let (found, wanted) = (value.to_lowercase(), self.value.to_lowercase());
        let order = || compare_versions(&found, &wanted);
        let holds = match self.operator {
            Operator::Contains => found.contains(&wanted),
            Operator::Equals => found == wanted,
            Operator::StartsWith => found.starts_with(&wanted),
            Operator::EndsWith => found.ends_with(&wanted),
            Operator::Matches => self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(value)),
            Operator::Less => order().is_lt(),
            Operator::LessEqual => order().is_le(),
            Operator::Greater => order().is_gt(),
            Operator::GreaterEqual => order().is_ge(),
        };
        holds != self.not
    }
}

/// Numbers and versions compare field by field, anything else as text.
fn compare_versions(a: &str, b: &str) -> std::cmp::Ordering {
    let fields =
        |text: &str| text.split('.').map(|field| field.parse::<u64>()).collect::<Result<Vec<_>, _>>();
    match (fields(a), fields(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_product_asks() {
        for text in [
            "Get Client Extensions - Status from all machines",
            "Get Tanium Client Explicit Setting[LogVerbosityLevel] from all machines",
            "get?forceComputerIdFlag=1 Computer Name and Tanium Client Version?maxAge=600&ignoreCase=0 contains 7.4 from all machines",
            "Get Online from all machines with ( Is Windows contains false and Is Virtual contains yes and all Tanium Client Explicit Setting[MaxAgeMultiplier] not equals 2 )",
        ] {
            assert!(question(text).is_ok(), "{text}: {:?}", question(text).err());
        }
    }

    #[test]
    fn names_the_sensor_that_is_missing() {
        let error = question("Get Haunted Sensor[x] from all machines").unwrap_err();
        assert_eq!(error, ParseError::UnknownSensor("Haunted Sensor".to_owned()));
    }

    #[test]
    fn reads_modifiers_filters_and_the_flag() {
        let read = question(
            "Get?forceComputerIdFlag=1 Tanium Client Version?maxAge=60 contains 7.4 from all machines",
        )
        .unwrap();
        assert!(read.force_computer_id);
        assert!(read.selects[0].filter.as_ref().unwrap().holds("7.4.4.1362"));
        assert!(!read.selects[0].filter.as_ref().unwrap().holds("7.2.314.2962"));
    }

    #[test]
    fn versions_compare_by_fields() {
        assert!(compare_versions("7.10.0", "7.9.9").is_gt());
    }
}
