//! What the document says of the answers to an operation, to hold answers against.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::{document, validator};
use crate::common::Answer;

/// The answers that an operation may give.
pub(crate) struct DocumentedAnswers {
    operation: String,
    by_status: BTreeMap<u16, DocumentedAnswer>,
}

struct DocumentedAnswer {
    /// Headers that have to be there, and their values.
    headers: BTreeMap<String, Validator>,
    /// None: there is no body.
    body: Option<Validator>,
}

impl DocumentedAnswers {
    /// Those of a documented method and path.
    pub(crate) fn of(method: &str, path: &str) -> Self {
        let document = document();
        let operation = &document["paths"][path][method.to_lowercase()];
        let responses = operation["responses"].as_object().unwrap();
        let answer =
            |(status, response): (&String, _)| (status.parse().unwrap(), documented(&document, response));
        Self { operation: format!("{method} {path}"), by_status: responses.iter().map(answer).collect() }
    }

    /// Fails unless an answer is one of them.
    pub(crate) fn assert_has(&self, answer: &Answer) {
        let operation = &self.operation;
        let documented = self.by_status.get(&answer.status);
        let documented = documented.unwrap_or_else(|| panic!("{operation} has no such answer: {answer:?}"));
        for (name, value) in &documented.headers {
            assert!(value.is_valid(&header_value(answer.header(name))), "{operation}: {name}: {answer:?}");
        }
        let Some(body) = &documented.body else {
            return assert_eq!(answer.body, "", "{operation}: {answer:?}");
        };
        assert_eq!(answer.header("content-type"), "application/json", "{operation}: {answer:?}");
        let json = serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{operation}: {answer:?}"));
        let outcome = body.validate(&json);
        assert!(outcome.is_ok(), "{operation}: {outcome:?}: {answer:?}");
    }
}

fn documented(document: &Value, response: &Value) -> DocumentedAnswer {
    let response = resolved(document, response);
    let headers = response["headers"].as_object().into_iter().flatten();
    let headers = headers
        .map(|(name, header)| (name, resolved(document, header)))
        .filter(|(_, header)| header["required"] == json!(true))
        .map(|(name, header)| (name.clone(), validator(document, &header["schema"]).unwrap()));
    let body = response["content"].get("application/json");
    DocumentedAnswer {
        headers: headers.collect(),
        body: body.map(|body| validator(document, &body["schema"]).unwrap()),
    }
}

/// What a reference to a component means; everything else is what it is.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// A header's value as the schema means it: a number where it is one.
fn header_value(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| json!(text), Value::from)
}
