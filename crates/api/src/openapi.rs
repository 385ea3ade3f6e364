//! `/openapi.json`, the document of all routes, and `/docs`, a page that shows it to people.
//!
//! The document is `schemas/openapi.yaml`, which the build turns into JSON. The page is Swagger UI; its files are in the
//! program, so it needs no other host, and its policy has the browser see to that.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// What the browser may do for the page: run and ask what comes from here. The style sheet has its pictures in it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// All files may be kept for ten minutes: so long may one of the version before be seen.
const HEADERS: [(&str, &str); 5] = [
    ("cache-control", "public, max-age=600"),
    ("content-security-policy", POLICY),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What is answered on one path, to everybody.
#[derive(Debug, Clone, Copy)]
struct File {
    path: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
}

const FILES: [File; 5] = [
    File {
        path: "/openapi.json",
        media_type: "application/json",
        bytes: include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json")),
    },
    File {
        path: "/docs",
        media_type: "text/html; charset=utf-8",
        bytes: include_bytes!("../docs/index.html"),
    },
    File { path: "/docs/show.js", media_type: SCRIPT, bytes: include_bytes!("../docs/show.js") },
    File {
        path: "/docs/swagger-ui-bundle.js",
        media_type: SCRIPT,
        bytes: include_bytes!("../docs/vendor/swagger-ui-bundle.js"),
    },
    File {
        path: "/docs/swagger-ui.css",
        media_type: "text/css; charset=utf-8",
        bytes: include_bytes!("../docs/vendor/swagger-ui.css"),
    },
];

/// The document, the page and the page's files.
pub(crate) fn routes() -> Router {
    FILES.into_iter().fold(Router::new(), |router, file| router.route(file.path, get(async move || file)))
}

impl IntoResponse for File {
    fn into_response(self) -> Response {
        (HEADERS, [(CONTENT_TYPE, self.media_type)], self.bytes).into_response()
    }
}
