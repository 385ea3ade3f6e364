//! Request headers, as all families of routes read them.

use axum::http::HeaderMap;

/// Why a header says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    /// It is there twice. That is refused even if both say the same: whoever stands between may have read only one.
    GivenTwice,
    /// Its bytes are not UTF-8. They may be beyond ASCII, as in the events: a customer with such a name can be asked for.
    NotUtf8,
}

/// A header's value without the blanks around it. An empty one counts as missing.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, HeaderFault> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(HeaderFault::GivenTwice);
    }
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| HeaderFault::NotUtf8)?.trim_ascii();
    Ok((!text.is_empty()).then_some(text))
}

/// The token of an `Authorization` header's value, if it has this scheme.
pub(crate) fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
