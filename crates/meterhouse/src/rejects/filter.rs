//! Which rejects are meant, by options.

use chrono::{DateTime, Utc};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use meterhouse_model::Reason;
use meterhouse_store::{RejectFilter, RejectState};

#[derive(Debug, Args)]
pub(super) struct FilterArgs {
    /// With this reason; may be given several times
    #[arg(long = "reason", value_name = "REASON", value_parser = reasons(), hide_possible_values = true)]
    reasons: Vec<String>,
    /// Of records with this time or a later one, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Option<DateTime<Utc>>,
    /// Of records before this time, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    to: Option<DateTime<Utc>>,
    /// Of one partition
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,
    /// Of one subscription: by the record's key, or by SubscriptionReference where the value is JSON and complete
    #[arg(long, value_name = "NAME")]
    subscription: Option<String>,
    /// Whether the record is stored by now: open if it is not, be it because no replay could help
    #[arg(long, value_enum, default_value_t = State::Open)]
    state: State,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Open,
    Replayed,
    All,
}

fn reasons() -> PossibleValuesParser {
    PossibleValuesParser::new(Reason::ALL.iter().map(|reason| reason.as_str()))
}

impl FilterArgs {
    pub(super) fn filter(&self) -> RejectFilter {
        let state = match self.state {
            State::Open => RejectState::Open,
            State::Replayed => RejectState::Replayed,
            State::All => RejectState::All,
        };
        RejectFilter {
            reasons: self.reasons.clone(),
            from_ms: self.from.map_or(i64::MIN, first_ms),
            to_ms: self.to.map_or(i64::MAX, first_ms),
            partition: self.partition,
            subscription: self.subscription.clone(),
            state,
        }
    }

    /// The options, as they would be given again.
    pub(super) fn text(&self) -> String {
        let mut options: Vec<String> =
            self.reasons.iter().map(|reason| format!("--reason {reason}")).collect();
        let mut add = |name: &str, value: Option<String>| {
            options.extend(value.map(|value| format!("--{name} {value}")));
        };
        add("from", self.from.map(|time| time.to_rfc3339()));
        add("to", self.to.map(|time| time.to_rfc3339()));
        add("partition", self.partition.map(|partition| partition.to_string()));
        add("subscription", self.subscription.as_ref().map(|name| format!("{name:?}")));
        add("state", Some(self.filter().state.as_str().to_owned()));
        options.join(" ")
    }
}

/// The first millisecond that is not before a time.
fn first_ms(time: DateTime<Utc>) -> i64 {
    let is_between = !time.timestamp_subsec_nanos().is_multiple_of(1_000_000);
    time.timestamp_millis() + i64::from(is_between)
}

pub(super) fn parse_time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|error| error.to_string())?;
    Ok(time.to_utc())
}
