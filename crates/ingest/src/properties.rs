//! Properties for librdkafka that a user sets.

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

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
    fn names_and_values_are_checked() {
        assert_eq!(check_property("security.protocol", "sasl_ssl"), Ok(()));
        assert_eq!(check_property("partition.assignment.strategy", "range"), Ok(()));
        for (name, value) in [("no.such.property", "x"), ("linger.ms", "soon"), ("security.protocol", "x")] {
            assert!(check_property(name, value).is_err(), "{name}");
        }
    }
}
