//! Whose usage is read.

/// A customer whose usage may be shown to whoever asks.
///
/// Every query takes this type and none takes plain text, so that no request reaches the store without a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerId(String);

impl CustomerId {
    /// Longest name of a customer in bytes: that of an event's `Customer` member.
    pub const MAX_BYTES: usize = 128;

    /// The customer of a principal that was verified and may read it.
    ///
    /// Only the check of a principal in the HTTP layer calls this. `None` for a name that no event can bear: an empty
    /// one stands for "nobody" in the tables and must never be asked for.
    pub fn of_verified_principal(name: &str) -> Option<Self> {
        let possible = !name.is_empty() && name.len() <= Self::MAX_BYTES && !name.contains(char::is_control);
        possible.then(|| Self(name.to_owned()))
    }

    /// The name, as events and the registry spell it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_an_event_can_bear() {
        let longest = "é".repeat(64);
        for name in ["1000941", "Müller & Söhne", longest.as_str()] {
            assert_eq!(CustomerId::of_verified_principal(name).unwrap().as_str(), name);
        }
        let too_long = format!("{longest}x");
        for name in ["", "a\nb", "\u{85}", "\0", too_long.as_str()] {
            assert_eq!(CustomerId::of_verified_principal(name), None, "{name:?}");
        }
    }
}
