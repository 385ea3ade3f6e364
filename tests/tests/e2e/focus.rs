//! The FOCUS sample: real usage, against the oracle and against sums that know nothing of events.

use anyhow::{Context, Result};
use meterhouse_tests::check::{all_is_as_expected, history_lines};
use meterhouse_tests::{Site, focus, oracle};

#[test]
fn the_sample_is_stored_and_summed_exactly() -> Result<()> {
    let mut site = Site::new("focus")?;
    // All times of the sample say that they are UTC, and so must the months be.
    site.set("billing.time_zone", "UTC")?;
    let sample = focus::read(&focus::path())?;
    site.write_catalog(&sample.catalog)?;
    site.publisher()?.publish(&sample.messages)?;
    let service = site.serve()?;

    let expected = all_is_as_expected(&site, &service.client())?;
    assert_eq!(expected.records, 1000);
    assert_eq!(expected.events, 987);

    let accounts = oracle::focus_sums(&focus::path())?;
    assert_eq!(accounts.keys().collect::<Vec<_>>(), sample.customers.keys().collect::<Vec<_>>());
    for (account, sums) in &accounts {
        let expected: Vec<_> =
            sums.usage.iter().map(|(service, usage)| format!("09.2024 {service} {}", shown(usage))).collect();
        assert_eq!(history_lines(&site, &service.client(), account)?, expected, "{account}");
    }
    let rejected = |reason| accounts.values().filter_map(|account| account.rejected.get(reason)).sum::<u64>();
    assert_eq!([rejected("negative_units"), rejected("missing_member")], [12, 1]);
    let counted = |reason| service.metric("meterhouse_rejects_total", &[("reason", reason)]);
    assert_eq!([counted("negative_units")?, counted("missing_member")?], [12, 1]);
    Ok(())
}

#[test]
fn the_sample_published_twice_counts_once() -> Result<()> {
    let site = Site::new("focus_twice")?;
    let sample = focus::read(&focus::path())?;
    site.write_catalog(&sample.catalog)?;
    let publisher = site.publisher()?;
    publisher.publish(&sample.messages)?;
    let service = site.serve()?;
    site.wait_consumed()?;
    let customer = sample.customers.keys().next().context("no customer")?;
    let once = service.client().history(site.token(), customer)?;
    publisher.publish(sample.messages.iter().rev())?;
    let expected = all_is_as_expected(&site, &service.client())?;
    assert_eq!(expected.history[customer], once);
    Ok(())
}

/// The text of a history for the text of a sum, which has 15 digits behind the point.
fn shown(sum: &str) -> String {
    let Some((whole, fraction)) = sum.split_once('.') else { return format!("{sum}.0") };
    let fraction = fraction.trim_end_matches('0');
    format!("{whole}.{}", if fraction.is_empty() { "0" } else { fraction })
}
