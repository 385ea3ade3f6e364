//! The page's files and what their headers allow.

use axum::body::Body;
use axum::http::Request;

use crate::common::{Answer, refusing};

async fn ask(method: &str, path: &str) -> Answer {
    refusing().send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
}

/// What stands between `before` and the next quote.
fn quoted_after<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next())
}

#[tokio::test]
async fn the_path_without_a_slash_leads_to_the_page() {
    let answer = ask("GET", "/ui").await;
    assert_eq!((answer.status, answer.header("location")), (308, "ui/"));
    assert_eq!(ask("GET", "/ui/nothing.js").await.status, 404);
}

#[tokio::test]
async fn everything_that_the_page_names_is_there() {
    let page = ask("GET", "/ui/").await.body;
    let mut named: Vec<String> = quoted_after(&page, "src=\"")
        .chain(quoted_after(&page, "<link rel=\"stylesheet\" href=\""))
        .map(str::to_owned)
        .collect();
    let mut seen = 0;
    while let Some(name) = named.get(seen).cloned() {
        let answer = ask("GET", &format!("/ui/{name}")).await;
        assert_eq!(answer.status, 200, "{name}");
        let imported = quoted_after(&answer.body, "from \"./").map(str::to_owned);
        let new: Vec<String> = imported.filter(|name| !named.contains(name)).collect();
        named.extend(new);
        seen += 1;
    }
    assert!(seen >= 11, "{named:?}");
}

#[tokio::test]
async fn every_file_states_what_it_is_and_what_it_may_do() {
    let kinds = [
        ("/ui/", "text/html; charset=utf-8"),
        ("/ui/icon.svg", "image/svg+xml"),
        ("/ui/style.css", "text/css; charset=utf-8"),
        ("/ui/app.js", "text/javascript; charset=utf-8"),
        ("/ui/vendor/chart.umd.min.js", "text/javascript; charset=utf-8"),
        ("/ui/vendor/chart.js.LICENSE.md", "text/plain; charset=utf-8"),
    ];
    for (path, kind) in kinds {
        let answer = ask("GET", path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        let head = ask("HEAD", path).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        assert_eq!(head.header("content-length"), answer.body.len().to_string());
        assert_eq!(ask("POST", path).await.status, 405);
    }
}

#[tokio::test]
async fn the_page_has_no_script_or_style_of_its_own_and_no_field_with_a_name() {
    let page = ask("GET", "/ui/").await.body;
    for part in ["<style", " style=", " onclick=", " onsubmit=", "://"] {
        assert!(!page.contains(part), "{part}");
    }
    for tag in page.split('<').filter(|tag| tag.starts_with("input") || tag.starts_with("select")) {
        assert!(!tag.contains(" name="), "{tag}");
    }
    assert_eq!(page.matches("<script").count(), page.matches("<script src=").count());
}
