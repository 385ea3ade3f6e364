//! Records as a topic has them: other names, times, amounts, and lengths of all these.

use meterhouse_model::{CloudEventHeaders, Record};

/// The value of a record, with an event that the default rules accept.
pub fn value(number: u32) -> String {
    let (day, hour) = (number % 28 + 1, number % 23);
    let id = format!("evt-{}", u64::from(number).pow(2));
    let subscription = subscription(number);
    // Each subscription has one customer.
    let customer = 1_000_000 + subscription_number(number) % 300;
    let description =
        ["", "Compute usage", "Gr\u{f6}\u{df}e: 3", "Compute usage of the second machine in zone 3"]
            [number as usize % 4];
    format!(
        r#"{{"EventId":"{id}","SubscriptionReference":"{subscription}","OptionCode":"scale","UsageStart":"2026-09-{day:02} {hour:02}:00:00","UsageEnd":"2026-09-{day:02} {:02}:00:00","Units":"{}.{}","Customer":"{customer}","Description":"{description}","RenewalOrderReference":{}}}"#,
        hour + 1,
        number % 97,
        number % 1000,
        number + 1,
    )
}

/// The subscription of that event.
pub fn subscription(number: u32) -> String {
    format!("S{}", subscription_number(number))
}

fn subscription_number(number: u32) -> u64 {
    u64::from(number) * 7919 % 100_000
}

/// A record with this value.
pub fn record(value: &str) -> Record<'_> {
    Record {
        topic: "usage-events",
        partition: 3,
        offset: 12345,
        timestamp_ms: Some(1_791_050_405_000),
        value: Some(value.as_bytes()),
        content_type: None,
        cloud_event: CloudEventHeaders::default(),
    }
}
