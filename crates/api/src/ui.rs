//! `/ui/`: a page on which a person sees the history as a picture and a table.
//!
//! Its files are in the program, so it needs no other host. It asks the documented route like every other client, with
//! the token that the person enters; nothing here looks at a credential.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// What the browser may do for the page: run and ask what comes from here, and nothing else. No markup is made of text
/// (`trusted-types`), and no other page may hold this one in a frame, where a click could be another one than it seems.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

const HEADERS: [(&str, &str); 4] = [
    ("content-security-policy", POLICY),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";
const LICENCE: &str = "text/plain; charset=utf-8";

/// A file of the page.
#[derive(Debug, Clone, Copy)]
struct Asset {
    path: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! asset {
    ($file:literal, $media_type:expr) => {
        asset!(concat!("/ui/", $file), $file, $media_type)
    };
    ($path:expr, $file:literal, $media_type:expr) => {
        Asset { path: $path, media_type: $media_type, bytes: include_bytes!(concat!("../ui/", $file)) }
    };
}

/// All of them. The licences demand to go wherever the library goes.
const ASSETS: [Asset; 14] = [
    asset!("/ui/", "index.html", "text/html; charset=utf-8"),
    asset!("icon.svg", "image/svg+xml"),
    asset!("style.css", "text/css; charset=utf-8"),
    asset!("app.js", SCRIPT),
    asset!("answer.js", SCRIPT),
    asset!("decimal.js", SCRIPT),
    asset!("elements.js", SCRIPT),
    asset!("picture.js", SCRIPT),
    asset!("refusals.js", SCRIPT),
    asset!("request.js", SCRIPT),
    asset!("table.js", SCRIPT),
    asset!("vendor/chart.umd.min.js", SCRIPT),
    asset!("vendor/chart.js.LICENSE.md", LICENCE),
    asset!("vendor/kurkle-color.LICENSE.md", LICENCE),
];

/// The page and its files.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let router = Router::new().route("/ui", get(to_the_page));
    ASSETS.into_iter().fold(router, |router, asset| router.route(asset.path, get(async move || asset)))
}

/// Relative, so that it also leads to the page where a proxy serves this under a longer path.
async fn to_the_page() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, "ui/"), (CACHE_CONTROL, "no-store")]).into_response()
}

impl IntoResponse for Asset {
    /// Nothing is kept by a cache: after an upgrade, no old script may read new answers.
    fn into_response(self) -> Response {
        let kind = [(CONTENT_TYPE, self.media_type), (CACHE_CONTROL, "no-store")];
        (HEADERS, kind, self.bytes).into_response()
    }
}
