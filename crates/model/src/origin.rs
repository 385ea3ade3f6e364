//! `Origin`: what our HTTP API keeps with the events that it writes, as JSON text.
//!
//! `{"Request":"<SHA-256 in hex>","Principal":"<name>"}`. Validation ignores it.

/// What stands before the digest in the text as the API writes it.
const BEFORE_DIGEST: &str = r#""Request":""#;
/// Hexadecimal digits of a digest.
const DIGEST_DIGITS: usize = 64;

/// The digest of the request that an origin speaks of.
///
/// SQL reads it, too, by the regular expression `"Request":"([0-9a-f]{64})"`: both must find the same.
pub(crate) fn request_of(origin: &str) -> Option<&str> {
    origin.match_indices(BEFORE_DIGEST).find_map(|(place, before)| {
        let (digest, behind) = origin.get(place + before.len()..)?.split_at_checked(DIGEST_DIGITS)?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (digest.bytes().all(is_digit) && behind.starts_with('"')).then_some(digest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_found_in_the_one_form_in_which_it_is_written() {
        let digest = "0123456789abcdef".repeat(4);
        let found =
            |before: &str, behind: &str| request_of(&format!("{before}{digest}{behind}")).map(str::to_owned);
        assert_eq!(found(r#"{"Request":""#, r#"","Principal":"p"}"#), Some(digest.clone()));
        assert_eq!(found(r#"{"a":"\"Request\":\"","Request":""#, r#""}"#), Some(digest.clone()));
        for (before, behind) in [
            (r#"{"Request": ""#, r#""}"#),
            (r#"{"request":""#, r#""}"#),
            (r#"{"Request":""#, r#"0"}"#),
            (r#"{"Request":""#, ""),
            (r#"{"Request":"0"#, r#""}"#),
        ] {
            assert_eq!(found(before, behind), None, "{before} {behind}");
        }
        assert_eq!(request_of(&format!("{BEFORE_DIGEST}{}\"", "é".repeat(64))), None);
        assert_eq!(request_of(&format!("{BEFORE_DIGEST}{}\"", digest.to_uppercase())), None);
        assert_eq!(request_of(""), None);
    }
}
