//! Label selectors as Kubernetes writes them: `a=b,c!=d,e in (f,g),h,!i,j>1`.

use std::collections::BTreeMap;

/// A selector of labels; all of its requirements must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    GreaterThan,
    LessThan,
}

/// Why a label selector cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelSelectorError {
    /// Another word was expected.
    #[error("unable to parse requirement: found '{found}', expected: {expected}")]
    Unexpected {
        /// What stands there.
        found: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// `>` and `<` compare whole numbers.
    #[error("for 'Gt', 'Lt' operators, the value must be an integer")]
    NotANumber,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Symbol(&'static str),
    End,
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Word(word) => word,
            Self::Symbol(symbol) => symbol,
            Self::End => "",
        }
    }
}

impl LabelSelector {
    /// Reads a selector; the empty one selects all.
    pub(crate) fn parse(text: &str) -> Result<Self, LabelSelectorError> {
        let mut tokens = Tokens { rest: text };
        let mut requirements = Vec::new();
        loop {
            match tokens.peek() {
                Token::End => return Ok(Self(requirements)),
                Token::Word(_) | Token::Symbol("!") => requirements.push(tokens.requirement()?),
                other @ Token::Symbol(_) => {
                    return Err(unexpected(&other, "!, identifier, or 'end of string'"));
                }
            }
            match tokens.next() {
                Token::End => return Ok(Self(requirements)),
                Token::Symbol(",") => {
                    let ahead = tokens.peek();
                    if !matches!(ahead, Token::Word(_) | Token::Symbol("!")) {
                        return Err(unexpected(&ahead, "identifier after ','"));
                    }
                }
                other => return Err(unexpected(&other, "',' or 'end of string'")),
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| requirement.matches(labels.get(&requirement.key)))
    }
}

impl Requirement {
    fn matches(&self, value: Option<&String>) -> bool {
        let compare = |holds: fn(i64, i64) -> bool| {
            let number = |text: &String| text.parse::<i64>().ok();
            let wanted = self.values.first().and_then(number);
            value.and_then(number).zip(wanted).is_some_and(|(have, want)| holds(have, want))
        };
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => compare(|have, want| have > want),
            Operator::LessThan => compare(|have, want| have < want),
        }
    }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl Tokens<'_> {
    fn peek(&self) -> Token {
        Self { rest: self.rest }.next()
    }

    fn next(&mut self) -> Token {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        for symbol in ["==", "!=", "=", "!", "(", ")", ",", "<", ">"] {
            if let Some(rest) = self.rest.strip_prefix(symbol) {
                self.rest = rest;
                return Token::Symbol(symbol);
            }
        }
        let special = |c: char| " \t\r\n=!(),<>".contains(c);
        let end = self.rest.find(special).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if word.is_empty() { Token::End } else { Token::Word(word.to_owned()) }
    }

    fn requirement(&mut self) -> Result<Requirement, LabelSelectorError> {
        let mut denied = false;
        let mut first = self.next();
        if first == Token::Symbol("!") {
            denied = true;
            first = self.next();
        }
        let Token::Word(key) = first else { return Err(unexpected(&first, "identifier")) };
        let requirement = |operator, values| Requirement { key: key.clone(), operator, values };
        if denied {
            return Ok(requirement(Operator::DoesNotExist, Vec::new()));
        }
        if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Ok(requirement(Operator::Exists, Vec::new()));
        }
        let token = self.next();
        let operator = match token.text() {
            "=" | "==" | "in" => Operator::In,
            "!=" | "notin" => Operator::NotIn,
            ">" => Operator::GreaterThan,
            "<" => Operator::LessThan,
            _ => return Err(unexpected(&token, "'=', '!=', '==', 'in', notin'")),
        };
        let values =
            if matches!(token.text(), "in" | "notin") { self.set()? } else { vec![self.value()?] };
        let compares = matches!(operator, Operator::GreaterThan | Operator::LessThan);
        if compares && values.iter().any(|value| value.parse::<i64>().is_err()) {
            return Err(LabelSelectorError::NotANumber);
        }
        Ok(requirement(operator, values))
    }

    /// One value; none is the empty one.
    fn value(&mut self) -> Result<String, LabelSelectorError> {
        match self.peek() {
            Token::End | Token::Symbol(",") => Ok(String::new()),
            Token::Word(word) => {
                self.next();
                Ok(word)
            }
            other @ Token::Symbol(_) => Err(unexpected(&other, "identifier")),
        }
    }

    /// Values in parentheses.
    fn set(&mut self) -> Result<Vec<String>, LabelSelectorError> {
        let open = self.next();
        if open != Token::Symbol("(") {
            return Err(unexpected(&open, "'('"));
        }
        let mut values = Vec::new();
        loop {
            match self.peek() {
                Token::Word(word) => {
                    self.next();
                    values.push(word);
                }
                Token::Symbol("," | ")") => values.push(String::new()),
                other => return Err(unexpected(&other, "',', ')' or identifier")),
            }
            match self.next() {
                Token::Symbol(",") => {}
                Token::Symbol(")") => return Ok(values),
                other => return Err(unexpected(&other, "',' or ')'")),
            }
        }
    }
}

fn unexpected(found: &Token, expected: &'static str) -> LabelSelectorError {
    LabelSelectorError::Unexpected { found: found.text().to_owned(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_read_and_asked() {
        let labels = BTreeMap::from([
            ("app".to_owned(), "web".to_owned()),
            ("n".to_owned(), "3".to_owned()),
        ]);
        for (selector, matches) in [
            ("", true),
            ("app=web", true),
            ("app == web , n", true),
            ("app!=web", false),
            ("app in (a, web)", true),
            ("app notin (a,b)", true),
            ("!app", false),
            ("!x", true),
            ("x!=1", true),
            ("n>2", true),
            ("n<2", false),
            ("app=", false),
        ] {
            assert_eq!(
                LabelSelector::parse(selector).unwrap().matches(&labels),
                matches,
                "{selector}"
            );
        }
        for selector in ["a b", "a in b", "a=b,", "(a)", "a>b", "a in (b"] {
            assert!(LabelSelector::parse(selector).is_err(), "{selector}");
        }
    }
}
