//! The document's examples are what its schemas say, and its components are used.

use serde_json::{Map, Value, json};

use super::{document, validator};

/// A body of any object, which is too long for an example: the document itself.
const WITHOUT_EXAMPLE: &str = "/paths/~1openapi.json/";

#[test]
fn every_example_is_valid_and_every_json_body_has_one() {
    let document = document();
    let mut checked = 0;
    each_object(&document, "", &mut |place, object| {
        let examples = examples(object);
        let needs_one = place.ends_with("/application~1json") && !place.starts_with(WITHOUT_EXAMPLE);
        assert!(!needs_one || !examples.is_empty(), "no example: {place}");
        // A body, parameter or header has a schema; a schema is one.
        let schema = object.get("schema").cloned().unwrap_or_else(|| object.clone().into());
        for example in examples {
            let outcome = check(&document, &schema, example);
            assert_eq!(outcome, Ok(()), "{place}: {example}");
            checked += 1;
        }
    });
    assert!(checked > 60, "{checked} examples are not all");
}

/// The examples of an object: one, several with names, or, in a schema, several without.
fn examples(object: &Map<String, Value>) -> Vec<&Value> {
    let one = object.get("example").into_iter();
    let several: Vec<&Value> = match object.get("examples") {
        Some(Value::Object(named)) => named.values().map(|named| &named["value"]).collect(),
        Some(Value::Array(values)) => values.iter().collect(),
        _ => Vec::new(),
    };
    one.chain(several).collect()
}

/// Visits every object of the document that is not in an example, with its place.
fn each_object(value: &Value, place: &str, visit: &mut impl FnMut(&str, &Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(place, object);
            for (name, child) in object.iter().filter(|(name, _)| !name.starts_with("example")) {
                each_object(child, &format!("{place}/{}", name.replace('/', "~1")), visit);
            }
        }
        Value::Array(array) => array.iter().for_each(|child| each_object(child, place, visit)),
        _ => {}
    }
}

fn check(document: &Value, schema: &Value, example: &Value) -> Result<(), String> {
    validator(document, schema)?.validate(example).map_err(|error| error.to_string())
}

#[test]
fn a_wrong_example_would_be_found() {
    let document = document();
    let is_valid = |schema: Value, example: Value| check(&document, &schema, &example).is_ok();
    let usage = |usage: &str| {
        is_valid(
            json!({"$ref": "#/components/schemas/ServiceUsage"}),
            json!({"service": "s", "usage": usage}),
        )
    };
    assert!(usage("-0.5") && !usage("1e3"));
    let time = |time: &str| is_valid(json!({"type": "string", "format": "date-time"}), json!(time));
    assert!(time("2014-03-01T12:21:59.3456Z") && !time("2014-03-01"));
}

#[test]
fn every_component_is_used() {
    let document = document();
    let text = document.to_string();
    for (kind, components) in document["components"].as_object().unwrap() {
        for name in components.as_object().unwrap().keys() {
            let used = match kind.as_str() {
                "securitySchemes" => format!("\"{name}\":[]"),
                _ => format!("\"#/components/{kind}/{name}\""),
            };
            assert!(text.contains(&used), "{kind} {name}");
        }
    }
}
