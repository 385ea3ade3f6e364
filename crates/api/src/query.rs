//! The query of a request, as all families of routes read it.

use std::borrow::Cow;

/// A parameter is given twice. That is wrong even if both say the same: whoever stands between may have read only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GivenTwice;

/// The value of the parameter with one of the names, decoded, if it is there.
pub(crate) fn single<'q>(query: &'q str, names: &[&str]) -> Result<Option<Cow<'q, str>>, GivenTwice> {
    let parameters = form_urlencoded::parse(query.as_bytes());
    let mut values = parameters.filter(|(name, _)| names.contains(&&**name)).map(|(_, value)| value);
    let first = values.next();
    if values.next().is_some() { Err(GivenTwice) } else { Ok(first) }
}
