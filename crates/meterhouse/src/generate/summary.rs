//! What a load consisted of, for a person.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::load::Kind;

/// Counts of records by kind.
#[derive(Debug, Default)]
pub(super) struct Summary {
    counts: BTreeMap<Kind, u64>,
    took: Duration,
}

impl Summary {
    pub(super) fn count(&mut self, kind: Kind) {
        *self.counts.entry(kind).or_default() += 1;
    }

    pub(super) fn finish(&mut self, took: Duration) {
        self.took = took;
    }

    fn of(&self, kind: Kind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or_default()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = self.counts.iter().filter_map(|(kind, count)| match kind {
            Kind::Invalid(reason) => Some((reason.as_str(), *count)),
            _ => None,
        });
        let reasons: Vec<_> = reasons.collect();
        let events: u64 = self.counts.values().sum();
        let invalid: u64 = reasons.iter().map(|(_, count)| count).sum();
        let late = self.of(Kind::Late);
        let valid = self.of(Kind::InTime) + late;
        let duplicates = self.of(Kind::Duplicate);
        writeln!(f, "events:     {events}")?;
        writeln!(f, "valid:      {valid}, {late} of them late")?;
        writeln!(f, "duplicates: {duplicates}")?;
        writeln!(f, "invalid:    {invalid}")?;
        for (reason, count) in reasons {
            writeln!(f, "  {reason}: {count}")?;
        }
        let seconds = self.took.as_secs_f64();
        writeln!(f, "seconds:    {seconds:.1}, {:.0} events/s", events as f64 / seconds.max(0.001))
    }
}

#[cfg(test)]
mod tests {
    use meterhouse_model::Reason;

    use super::*;

    #[test]
    fn everything_is_counted_once() {
        let mut summary = Summary::default();
        for kind in [
            Kind::InTime,
            Kind::Late,
            Kind::Duplicate,
            Kind::Invalid(Reason::TooOld),
            Kind::Invalid(Reason::TooOld),
        ] {
            summary.count(kind);
        }
        summary.finish(Duration::from_secs(2));
        let expected = "events:     5\nvalid:      2, 1 of them late\nduplicates: 1\ninvalid:    2\n  too_old: 2\n\
            seconds:    2.0, 2 events/s\n";
        assert_eq!(summary.to_string(), expected);
    }
}
