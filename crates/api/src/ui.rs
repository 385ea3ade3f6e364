//! `/ui/`: a page on which a person sees the history as a picture and a table.
//!
//! Its files are in the program, so it needs no other host. It asks the documented route like every other client, with
//! the token that the person enters; nothing here looks at a credential.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::asset::{self, Asset, PAGE, SCRIPT, STYLE};

/// What the browser may do for the page: run and ask what comes from here, and nothing else. No markup is made of text
/// (`trusted-types`), and no other page may hold this one in a frame, where a click could be another one than it seems.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// Nothing is kept by a cache: after an upgrade, no old script may read new answers.
const HEADERS: [(&str, &str); 5] = [
    ("cache-control", "no-store"),
    ("content-security-policy", POLICY),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

const LICENCE: &str = "text/plain; charset=utf-8";

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
    asset!("/ui/", "index.html", PAGE),
    asset!("icon.svg", "image/svg+xml"),
    asset!("style.css", STYLE),
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
pub(crate) fn routes() -> Router {
    asset::routes(ASSETS, HEADERS).route("/ui", get(to_the_page))
}

/// Relative, so that it also leads to the page where a proxy serves this under a longer path.
async fn to_the_page() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, "ui/"), (CACHE_CONTROL, "no-store")]).into_response()
}
