//! The document of the routes: that it is answered, and that it is true.

use axum::body::Body;
use axum::http::Request;
use jsonschema::Validator;
use serde_json::Value;

use crate::common::{Answer, Service, refusing};

mod answers;
mod examples;
mod routes;

pub(crate) use answers::DocumentedAnswers;

fn document() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/openapi.yaml");
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What is valid by a schema of the document.
fn validator(document: &Value, schema: &Value) -> Result<Validator, String> {
    // With the components beside it, a reference means what it means in the document.
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    let options =
        jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
    options.build(&whole).map_err(|error| error.to_string())
}

async fn ask(service: &Service, method: &str, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).body(Body::empty());
    service.send(request.unwrap()).await
}

/// What stands between `before` and the next quote.
fn quoted_after<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next())
}

#[tokio::test]
async fn everybody_gets_the_document_and_may_keep_it() {
    let answer = ask(&refusing(), "GET", "/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.header("cache-control"), "public, max-age=600");
    let answered: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(answered, document());
    assert_eq!(answered["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn the_page_needs_nothing_but_this_service() {
    let service = refusing();
    let page = ask(&service, "GET", "/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("//"), "{policy}");
    let links = quoted_after(&page.body, "href=\"").filter(|link| *link != "data:,");
    let links: Vec<&str> = links.chain(quoted_after(&page.body, "src=\"")).collect();
    assert_eq!(links, ["docs/swagger-ui.css", "openapi.json", "docs/swagger-ui-bundle.js", "docs/show.js"]);
    for link in links {
        assert_eq!(ask(&service, "GET", &format!("/{link}")).await.status, 200, "{link}");
    }
}
