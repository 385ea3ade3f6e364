//! Files that are in the program: pages for people, and what these are made of. They need no other host, and the headers
//! that go with each set have the browser see to that.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

pub(crate) const SCRIPT: &str = "text/javascript; charset=utf-8";
pub(crate) const STYLE: &str = "text/css; charset=utf-8";
pub(crate) const PAGE: &str = "text/html; charset=utf-8";

/// What is answered on one path, to everybody.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    pub(crate) path: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: &'static [u8],
}

/// A route for each file, with these headers.
pub(crate) fn routes<const FILES: usize, const HEADERS: usize>(
    assets: [Asset; FILES],
    headers: [(&'static str, &'static str); HEADERS],
) -> Router {
    assets.into_iter().fold(Router::new(), |router, Asset { path, media_type, bytes }| {
        router.route(path, get(async move || (headers, [(CONTENT_TYPE, media_type)], bytes).into_response()))
    })
}
