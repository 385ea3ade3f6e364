//! Properties for librdkafka that a user sets.

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

use crate::{config, producer};

/// Further properties that nobody may set: other names of the fixed ones, and what would undo them.
const FORBIDDEN: [&str; 5] = [
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "request.required.acks",
    "transactional.id",
    "delivery.report.only.error",
];

/// Whether a property is ours alone: that no event is lost and none counted twice rests on it.
pub fn is_fixed_property(name: &str) -> bool {
    let mut fixed = config::FIXED.iter().chain(&producer::FIXED);
    fixed.any(|(fixed, _)| *fixed == name) || FORBIDDEN.contains(&name)
}

/// Checks a property's name and value with librdkafka, without a connection.
///
/// # Errors
/// librdkafka's words, which quote the value.
pub fn check_property(name: &str, value: &str) -> Result<(), String> {
    match ClientConfig::new().set(name, value).create_native_config() {
        Ok(_) => Ok(()),
        Err(KafkaError::ClientConfig(_, why, ..)) => Err(why),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fixed_has_a_name_that_librdkafka_knows() {
        let values = config::FIXED.into_iter().chain(producer::FIXED);
        for (name, value) in values {
            assert!(is_fixed_property(name), "{name}");
            assert_eq!(check_property(name, value), Ok(()), "{name}");
        }
        assert!(is_fixed_property("transactional.id") && !is_fixed_property("linger.ms"));
    }

    #[test]
    fn names_and_values_are_checked() {
        assert_eq!(check_property("security.protocol", "sasl_ssl"), Ok(()));
        assert_eq!(check_property("partition.assignment.strategy", "range"), Ok(()));
        for (name, value) in [("no.such.property", "x"), ("linger.ms", "soon"), ("security.protocol", "x")] {
            assert!(check_property(name, value).is_err(), "{name}");
        }
    }
}
