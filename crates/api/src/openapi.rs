//! `/openapi.json`, the document of all routes, and `/docs`, a page that shows it to people.
//!
//! The document is `schemas/openapi.yaml`, which the build turns into JSON. The page is Swagger UI; its files are in the
//! program, so it needs no other host, and its policy has the browser see to that.

use axum::Router;

use crate::asset::{self, Asset, PAGE, SCRIPT, STYLE};

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

const FILES: [Asset; 5] = [
    Asset {
        path: "/openapi.json",
        media_type: "application/json",
        bytes: include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json")),
    },
    Asset { path: "/docs", media_type: PAGE, bytes: include_bytes!("../docs/index.html") },
    Asset { path: "/docs/show.js", media_type: SCRIPT, bytes: include_bytes!("../docs/show.js") },
    Asset {
        path: "/docs/swagger-ui-bundle.js",
        media_type: SCRIPT,
        bytes: include_bytes!("../docs/vendor/swagger-ui-bundle.js"),
    },
    Asset {
        path: "/docs/swagger-ui.css",
        media_type: STYLE,
        bytes: include_bytes!("../docs/vendor/swagger-ui.css"),
    },
];

/// The document, the page and the page's files.
pub(crate) fn routes() -> Router {
    asset::routes(FILES, HEADERS)
}
