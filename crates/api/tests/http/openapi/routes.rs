//! The document's paths and methods are those of the router.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ask, document};
use crate::common::{Service, refusing};

/// HEAD is left out: who answers a GET answers that, too, unless the vendor's document has GET alone.
const METHODS: [&str; 7] = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE"];

/// Patterns that are no resources of their own: what the page is made of, and a family's answer to every other path.
const UNDOCUMENTED: [&str; 9] = [
    "/docs/show.js",
    "/docs/swagger-ui-bundle.js",
    "/docs/swagger-ui.css",
    "/client/v4",
    "/client/v4/",
    "/client/v4/{}",
    "/rest/6.0",
    "/rest/6.0/",
    "/rest/6.0/{}",
];

/// The page for a person and its files, which are no interface.
const PAGE: &str = "/ui";

/// Beginning of the paths that are there with a trailing slash, too, of which the document says so in words.
const SLASHED: &str = "/rest/6.0/";

/// A pattern without the names of its parameters.
fn nameless(pattern: &str) -> String {
    let parts = pattern.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The patterns of the router, which nothing but its `Debug` tells: without them in there, the tests fail. Behind the
/// routes are the framework's own patterns for everything else.
fn patterns(service: &Service) -> BTreeSet<String> {
    let text = format!("{:?}", service.router);
    let (routes, _) = text.split_once("fallback_router").unwrap();
    let patterns = routes.split('"').filter(|part| part.starts_with('/') && !part.starts_with(PAGE));
    patterns.map(nameless).collect()
}

#[test]
fn every_route_is_documented_and_every_documented_path_is_a_route() {
    let service = refusing();
    let mut expected: BTreeSet<String> = UNDOCUMENTED.map(str::to_owned).into();
    for path in document()["paths"].as_object().unwrap().keys() {
        let pattern = nameless(path);
        if path.starts_with(SLASHED) {
            assert!(expected.insert(format!("{pattern}/")));
        }
        assert!(expected.insert(pattern), "two documented paths are one route: {path}");
    }
    assert_eq!(patterns(&service), expected);
}

#[tokio::test]
async fn the_documented_methods_are_possible_and_no_others() {
    let (service, document) = (refusing(), document());
    for (path, item) in document["paths"].as_object().unwrap() {
        let url =
            path.replace("{SubscriptionReference}", "83FE4FEF2").replace("{UsageReference}", "123459876");
        only_documented_methods(&service, &url, item).await;
        if path.starts_with(SLASHED) {
            only_documented_methods(&service, &format!("{url}/"), item).await;
        }
    }
}

/// Without credentials or required headers, each documented method has a documented answer; the others are 405.
async fn only_documented_methods(service: &Service, url: &str, item: &Value) {
    let operation = |method: &str| item.get(method.to_lowercase());
    let documented: BTreeSet<&str> =
        METHODS.into_iter().filter(|method| operation(method).is_some()).collect();
    for method in METHODS {
        let answer = ask(service, method, url).await;
        if let Some(operation) = operation(method) {
            let is_told = operation["responses"].get(answer.status.to_string()).is_some();
            assert!(is_told && answer.status != 404, "{method} {url}: {answer:?}");
        } else {
            let allowed = answer.header("allow").split(',').map(str::trim).filter(|name| *name != "HEAD");
            assert_eq!((answer.status, allowed.collect()), (405, documented.clone()), "{method} {url}");
        }
    }
}
