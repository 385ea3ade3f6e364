//! The headers: for which product, club and customer a request is made, and with which token.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use meterhouse_query::CustomerId;

use super::refusal::Refusal;
use crate::headers::{self, HeaderFault, bearer_token};

const CONTENT_TYPE: &str = "Content-Type";
const USER_AGENT: &str = "X-User-Agent";
const PRODUCT: &str = "X-Product-Name";
/// Name of the header with a club's slug.
pub(super) const CLUB: &str = "X-Loyalty-Club-Slug";
const CUSTOMER: &str = "X-Customer";
const CLUB_OR_CUSTOMER: &str = "X-Loyalty-Club-Slug or X-Customer";
const CLIENT_AUTHORIZATION: &str = "X-Client-Authorization";

const GIVEN_TWICE: &str = "is given more than once";
const NOT_UTF8: &str = "is not UTF-8";
const NOT_JSON: &str = "must be application/json";
const NOT_ONE_CUSTOMER: &str = "must name one customer, as in 1000941 or id=1000941";

/// What the headers ask for. At least one of club and customer is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Context<'a> {
    pub(super) product: &'a str,
    pub(super) club: Option<&'a str>,
    pub(super) customer: Option<&'a str>,
}

impl<'a> Context<'a> {
    /// Judges the headers one after the other, in the documented order; the first fault decides.
    pub(super) fn from_headers(headers: &'a HeaderMap) -> Result<Self, Refusal> {
        if let Some(content_type) = single(headers, CONTENT_TYPE)? {
            check_content_type(content_type)?;
        }
        single(headers, USER_AGENT)?.ok_or(Refusal::MissingHeader(USER_AGENT))?;
        let product = single(headers, PRODUCT)?.ok_or(Refusal::MissingHeader(PRODUCT))?;
        let club = single(headers, CLUB)?;
        let customer = single(headers, CUSTOMER)?.map(one_customer).transpose()?;
        if club.is_none() && customer.is_none() {
            return Err(Refusal::MissingHeader(CLUB_OR_CUSTOMER));
        }
        Ok(Self { product, club, customer })
    }
}

/// The token of a request. Both headers may bear it, if they agree; an `Authorization` of another scheme is none.
pub(super) fn token(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let of_header = |name| headers::single(headers, name).map_err(|_| Refusal::NotAuthorized);
    let client = of_header(CLIENT_AUTHORIZATION)?;
    let bearer = of_header(AUTHORIZATION.as_str())?.and_then(bearer_token);
    match (client, bearer) {
        (Some(client), Some(bearer)) if client != bearer => Err(Refusal::NotAuthorized),
        (client, bearer) => Ok(client.or(bearer)),
    }
}

/// A header's value, if it is there. The first fault is the answer.
fn single<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    headers::single(headers, name).map_err(|fault| {
        let why = match fault {
            HeaderFault::GivenTwice => GIVEN_TWICE,
            HeaderFault::NotUtf8 => NOT_UTF8,
        };
        Refusal::IncorrectHeader(name, why)
    })
}

/// Parameters such as a charset are fine.
fn check_content_type(value: &str) -> Result<(), Refusal> {
    let media_type = value.split(';').next().unwrap_or_default().trim();
    let json = media_type.eq_ignore_ascii_case("application/json");
    if json { Ok(()) } else { Err(Refusal::IncorrectHeader(CONTENT_TYPE, NOT_JSON)) }
}

/// `1000941` or `id=1000941`. Several ids, `all=all` and filters are for reports about several customers: they must
/// not be taken for the odd name of one. A customer with such a name is asked for by its club alone.
fn one_customer(value: &str) -> Result<&str, Refusal> {
    let id = value.strip_prefix("id=").unwrap_or(value);
    let several = id.contains(['=', ',', ';', '&']) || id.starts_with(' ');
    let possible = !id.is_empty() && id.len() <= CustomerId::MAX_BYTES && !id.contains(char::is_control);
    if possible && !several { Ok(id) } else { Err(Refusal::IncorrectHeader(CUSTOMER, NOT_ONE_CUSTOMER)) }
}

#[cfg(test)]
mod tests;
