//! Records that are not usable, one kind for each reason that a record alone can give.

use meterhouse_model::{Reason, Record, Rules, parse};

use super::event::{member, replaced};

/// Events of one record that are one too many.
const TOO_MANY: usize = 1001;

/// Makes a record's value unusable for a reason. None: the record has no value. The outer one: no record alone can give
/// this reason, it takes a file or a server.
pub(super) fn spoiled(valid: &str, reason: Reason) -> Option<Option<Vec<u8>>> {
    let with = |name, value: &str| replaced(valid, name, value).into_bytes();
    let text_of = |letters: usize| format!("\"{}\"", "x".repeat(letters));
    let both_at = |time: &str| replaced(&replaced(valid, "UsageStart", time), "UsageEnd", time).into_bytes();
    let value = match reason {
        Reason::EmptyRecord => return Some(None),
        Reason::TooLarge => format!("{{\"Usages\":[{}]}}", vec!["{}"; TOO_MANY].join(",")).into_bytes(),
        Reason::InvalidUtf8 => valid.bytes().map(|byte| if byte == b':' { 0xff } else { byte }).collect(),
        Reason::InvalidJson => valid.trim_end_matches('}').as_bytes().to_vec(),
        Reason::NotAnObject => format!("[{valid}]").into_bytes(),
        Reason::DuplicateMember => valid.replacen('{', "{\"OptionCode\":\"scale\",", 1).into_bytes(),
        Reason::MissingMember => valid.replacen("\"Units\"", "\"Amount\"", 1).into_bytes(),
        Reason::InvalidType => with("SubscriptionReference", "4711"),
        Reason::InvalidSubscription => with("SubscriptionReference", "\"\""),
        Reason::InvalidOptionCode => with("OptionCode", &text_of(129)),
        Reason::InvalidCustomer => with("Customer", "\"\""),
        Reason::InvalidTime => with("UsageStart", "\"2026-02-30 00:00:00\""),
        Reason::StartAfterEnd => with("UsageStart", "\"2199-12-31T00:00:00Z\""),
        Reason::IntervalTooLong => with("UsageStart", "\"1970-01-01T00:00:00Z\""),
        Reason::TooOld => both_at("\"1970-01-01T00:00:00Z\""),
        Reason::InFuture => both_at("\"2199-12-31T00:00:00Z\""),
        Reason::InvalidUnits => with("Units", "\"12,5\""),
        Reason::NegativeUnits => with("Units", "\"-1\""),
        Reason::UnitsTooLarge => with("Units", "\"1e20\""),
        Reason::UnitsTooPrecise => with("Units", "\"1e-19\""),
        Reason::InvalidEventId => with("EventId", "\"\""),
        Reason::InvalidDescription => with("Description", &text_of(1025)),
        Reason::InvalidAction => valid.replacen('{', "{\"Action\":\"remove\",", 1).into_bytes(),
        Reason::InvalidEnvelope => {
            let id = member(valid, "EventId");
            format!("{{\"specversion\":\"0.3\",\"id\":{id},\"source\":\"/generate\",\"data\":{valid}}}")
                .into_bytes()
        }
        Reason::ConflictingDuplicate => format!("{{\"Usages\":[{valid},{valid}]}}").into_bytes(),
        Reason::UnknownOptionCode
        | Reason::UnknownSubscription
        | Reason::OutsideSubscription
        | Reason::RefusedByStore => return None,
    };
    Some(Some(value))
}

/// The reasons that a spoiled record is really rejected for by these rules: some depend on the configuration.
pub(super) fn reasons(valid: &str, rules: &Rules, now_ms: i64) -> Vec<Reason> {
    let is_given = |reason: &Reason| {
        let Some(value) = spoiled(valid, *reason) else { return false };
        let record = Record {
            topic: "",
            partition: 0,
            offset: 0,
            timestamp_ms: Some(now_ms),
            value: value.as_deref(),
            content_type: None,
            cloud_event: Default::default(),
        };
        parse(&record, rules).is_err_and(|reject| reject.reason == *reason)
    };
    Reason::ALL.iter().copied().filter(is_given).collect()
}
