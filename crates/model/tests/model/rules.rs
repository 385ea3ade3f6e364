//! Limits of age, length and size: to the microsecond, and for whom they are meant.

use std::sync::Arc;

use meterhouse_model::{BillingZone, CloudEventHeaders, Reason, Record, Rules, parse};

/// 2026-10-03T18:00:05Z
const RECORDED_MS: i64 = 1_791_050_405_000;

fn verdict(rules: &Rules, times: [&str; 2], more: &str, timestamp_ms: Option<i64>) -> Option<Reason> {
    let [start, end] = times;
    let value = format!(
        r#"{{"EventId":"e-1","SubscriptionReference":"s","OptionCode":"o","UsageStart":"{start}","UsageEnd":"{end}","Units":1{more}}}"#
    );
    let record = Record {
        topic: "t",
        partition: 0,
        offset: 0,
        timestamp_ms,
        value: Some(value.as_bytes()),
        content_type: None,
        cloud_event: CloudEventHeaders::default(),
    };
    parse(&record, rules).err().map(|reject| reject.reason)
}

fn rules() -> Rules {
    Rules::new(Arc::new(BillingZone::new("UTC").unwrap()))
}

#[test]
fn limits_are_inclusive_and_exact() {
    let table = [
        // 31 days.
        ("2026-09-02T18:00:05Z", "2026-10-03T18:00:05Z", None),
        ("2026-09-02T18:00:04.999999Z", "2026-10-03T18:00:05Z", Some(Reason::IntervalTooLong)),
        // 1,830 days.
        ("2021-09-29T18:00:05Z", "2021-09-29T18:00:05Z", None),
        ("2021-09-29T18:00:04.999999Z", "2021-09-29T18:00:04.999999Z", Some(Reason::TooOld)),
        // An hour.
        ("2026-10-03T19:00:05Z", "2026-10-03T19:00:05Z", None),
        ("2026-10-03T19:00:05Z", "2026-10-03T19:00:05.000001Z", Some(Reason::InFuture)),
        ("2026-10-03T18:00:00.000001Z", "2026-10-03T18:00:00.000001Z", None),
        ("2026-10-03T18:00:00.000001Z", "2026-10-03T18:00:00Z", Some(Reason::StartAfterEnd)),
    ];
    for (start, end, expected) in table {
        assert_eq!(verdict(&rules(), [start, end], "", Some(RECORDED_MS)), expected, "{start} {end}");
    }
}

#[test]
fn limits_bind_creations_only() {
    for times in [
        ["2026-01-01T00:00:00Z", "2026-10-03T18:00:05Z"],
        ["2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"],
        ["2101-01-01T00:00:00Z", "2101-01-01T00:00:00Z"],
    ] {
        assert!(verdict(&rules(), times, "", Some(RECORDED_MS)).is_some());
        for action in ["amend", "delete"] {
            let more = format!(r#","Action":"{action}","Revision":1"#);
            assert_eq!(verdict(&rules(), times, &more, Some(RECORDED_MS)), None);
        }
    }
}

#[test]
fn age_is_that_of_the_record() {
    let times = ["2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"];
    assert_eq!(verdict(&rules(), times, "", Some(978_307_200_000)), None);
    assert_eq!(verdict(&rules(), times, "", None), None, "nothing to compare with");
    assert_eq!(verdict(&rules(), times, "", Some(i64::MAX)), Some(Reason::TooOld));
    assert_eq!(verdict(&rules(), times, "", Some(i64::MIN)), Some(Reason::InFuture));
}

#[test]
fn the_largest_limits_are_none() {
    let most = u32::MAX;
    let rules = Rules { max_age_days: most, max_future_seconds: most, max_interval_days: most, ..rules() };
    let times = ["1970-01-01T00:00:00Z", "2099-12-31T23:59:59Z"];
    assert_eq!(verdict(&rules, times, "", Some(RECORDED_MS)), None);
}
