//! The JSON text of a usage event.

use std::fmt::Write;

use meterhouse_model::{BillingZone, Day};

const MICROS: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;

/// What a generated event says. Texts must not need escapes in JSON.
pub(super) struct Fields<'a> {
    pub(super) event_id: (u64, u64),
    /// `"Customer":"...","SubscriptionReference":"..."`: the same for many events.
    pub(super) owner: &'a str,
    pub(super) option_code: &'a str,
    /// Seconds since the epoch.
    pub(super) start: i64,
    /// Seconds since the epoch.
    pub(super) end: i64,
    /// Whole part, digits behind the point, and how many there are.
    pub(super) units: (u64, u64, usize),
    pub(super) region: u64,
    pub(super) host: u64,
}

/// Writes an event: some 260 bytes, members in the order of the documentation.
pub(super) fn write(fields: &Fields<'_>, zone: &BillingZone, text: &mut String) {
    let (load, position) = fields.event_id;
    // To write into a String cannot fail.
    let _ = write!(text, "{{\"EventId\":\"{load:016x}-{position:x}\",{},", fields.owner);
    let _ = write!(text, "\"OptionCode\":\"{}\",\"UsageStart\":\"", fields.option_code);
    write_time(fields.start, zone, text);
    text.push_str("\",\"UsageEnd\":\"");
    write_time(fields.end, zone, text);
    let (whole, fraction, digits) = fields.units;
    let _ = match digits {
        0 => write!(text, "\",\"Units\":\"{whole}\""),
        _ => write!(text, "\",\"Units\":\"{whole}.{fraction:0digits$}\""),
    };
    let _ = write!(text, ",\"Description\":\"region {}, host {:06x}\"}}", fields.region, fields.host);
}

/// The time that the billing zone's clock shows, or RFC 3339 where that would mean another instant: in the second of two
/// hours that the clock shows twice.
fn write_time(second: i64, zone: &BillingZone, text: &mut String) {
    let offset = zone.offset_seconds(second.saturating_mul(MICROS));
    let local = second + offset;
    let (year, month, day, time) = split(local);
    let [hour, minute, of_minute] =
        [time / 3600, time / 60 % 60, time % 60].map(|part| u8::try_from(part).unwrap_or(0));
    let is_same = offset == 0 && zone.name() == "UTC"
        || zone.resolve_local(year, month, day, hour, minute, of_minute) == Ok(second.saturating_mul(MICROS));
    let _ = if is_same {
        write!(text, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{of_minute:02}")
    } else {
        let (year, month, day, time) = split(second);
        let (hour, minute, of_minute) = (time / 3600, time / 60 % 60, time % 60);
        write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{of_minute:02}Z")
    };
}

/// Date, and the second of the day.
fn split(second: i64) -> (i32, u8, u8, i64) {
    let (year, month, day) = Day(i32::try_from(second.div_euclid(DAY_SECONDS)).unwrap_or_default()).date();
    (year, month, day, second.rem_euclid(DAY_SECONDS))
}

/// The JSON text of a member of a generated event; empty where there is none.
pub(super) fn member<'t>(event: &'t str, name: &str) -> &'t str {
    let key = format!("\"{name}\":");
    let value = event.split_once(&key).map_or("", |(_, rest)| rest);
    // No text of ours holds a quote.
    value.match_indices('"').nth(1).map_or("", |(end, _)| &value[..=end])
}

/// A generated event with another value of a member.
pub(super) fn replaced(event: &str, name: &str, value: &str) -> String {
    let old = format!("\"{name}\":{}", member(event, name));
    event.replacen(&old, &format!("\"{name}\":{value}"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(second: i64, zone: &str) -> String {
        let mut text = String::new();
        write_time(second, &BillingZone::new(zone).unwrap(), &mut text);
        text
    }

    #[test]
    fn times_are_local_unless_that_is_ambiguous() {
        assert_eq!(time(0, "UTC"), "1970-01-01 00:00:00");
        assert_eq!(time(1_792_152_000, "Europe/Berlin"), "2026-10-16 14:00:00");
        // 2026-10-25, 02:30 for the first and for the second time.
        assert_eq!(time(1_792_888_200, "Europe/Berlin"), "2026-10-25 02:30:00");
        assert_eq!(time(1_792_891_800, "Europe/Berlin"), "2026-10-25T01:30:00Z");
    }

    #[test]
    fn a_member_can_be_replaced() {
        let event = r#"{"A":"1","B":"2"}"#;
        assert_eq!(member(event, "B"), r#""2""#);
        assert_eq!(replaced(event, "A", "null"), r#"{"A":null,"B":"2"}"#);
    }
}
