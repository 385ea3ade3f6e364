//! Edges of months, by hand: each expectation is written out, and the oracle must agree.

use anyhow::Result;
use meterhouse_tests::check::{all_is_as_expected, history_lines};
use meterhouse_tests::{Message, Site, Usage};

/// Publishes usage from one time to another, one unit each, in records of one time, and returns the customer's history.
fn history(name: &str, zone: &str, recorded_ms: i64, usages: &[(&str, &str)]) -> Result<Vec<String>> {
    let mut site = Site::new(name)?;
    site.set("billing.time_zone", zone)?;
    let message =
        |(start, end): &(&str, &str)| Usage::default().between(start, end).message().at(recorded_ms);
    let messages: Vec<Message> = usages.iter().map(message).collect();
    site.publisher()?.publish(&messages)?;
    let service = site.serve()?;
    let expected = all_is_as_expected(&site, &service.client())?;
    assert_eq!(expected.rejects.values().sum::<u64>(), 0, "{:?}", expected.rejects);
    history_lines(&site, &service.client(), "c")
}

/// 2026-11-24T12:00:00Z.
const NOW_MS: i64 = 1_795_521_600_000;

#[test]
fn an_interval_ends_in_its_month_and_a_point_begins_one() -> Result<()> {
    let usages = [
        // Ends exactly on the edge: September. One microsecond more: October.
        ("2026-09-30 23:00:00", "2026-10-01 00:00:00"),
        ("2026-09-30T21:00:00Z", "2026-09-30T22:00:00.000001Z"),
        // Points: one on the edge, one a microsecond before.
        ("2026-10-01 00:00:00", "2026-10-01 00:00:00"),
        ("2026-09-30T21:59:59.999999Z", "2026-09-30T21:59:59.999999Z"),
        // The same instant with the offset of another place, and the edge of UTC, which is none here.
        ("2026-09-30T23:00:00-01:00", "2026-10-01T00:00:00Z"),
    ];
    let history = history("edges_berlin", "Europe/Berlin", NOW_MS, &usages)?;
    assert_eq!(history, ["09.2026 cpu 2.0", "10.2026 cpu 3.0"]);
    Ok(())
}

#[test]
fn a_time_that_the_clock_shows_twice_is_the_earlier_one() -> Result<()> {
    let usages = [
        ("2026-10-25 02:30:00", "2026-10-25 02:30:00"),
        ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
        // A year's last microsecond, and the leap second that is clamped to it.
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:60Z"),
    ];
    // Five years before are in reach of a record of that time only.
    let recent = history("edges_fold", "Europe/Berlin", NOW_MS, &usages[..2])?;
    assert_eq!(recent, ["10.2026 cpu 2.0"]);
    let leap = history("edges_leap", "UTC", 1_483_228_800_000, &usages[2..])?;
    assert_eq!(leap, ["12.2016 cpu 1.0"]);
    Ok(())
}

#[test]
fn a_month_without_a_first_midnight_begins_behind_the_gap() -> Result<()> {
    // In Asuncion 2017-10-01 began at 01:00, which was 04:00 UTC.
    let usages = [
        ("2017-10-01T03:00:00Z", "2017-10-01T04:00:00Z"),
        ("2017-10-01 01:00:00", "2017-10-01 01:00:00"),
        ("2017-10-01T03:59:59.999999Z", "2017-10-01T03:59:59.999999Z"),
    ];
    let history = history("edges_asuncion", "America/Asuncion", 1_506_900_000_000, &usages)?;
    assert_eq!(history, ["09.2017 cpu 2.0", "10.2017 cpu 1.0"]);
    Ok(())
}

#[test]
fn a_clock_that_runs_back_over_midnight_does_not_end_the_month_again() -> Result<()> {
    // In Havana the clock went from 2026-11-01 01:00 back to 00:00: 04:30 UTC and 05:30 UTC are both 00:30.
    let havana = [
        ("2026-11-01T03:59:59Z", "2026-11-01T04:00:00Z"),
        ("2026-11-01 00:30:00", "2026-11-01 00:30:00"),
        ("2026-11-01T05:30:00Z", "2026-11-01T05:30:00Z"),
    ];
    let lines = history("edges_havana", "America/Havana", NOW_MS, &havana)?;
    assert_eq!(lines, ["10.2026 cpu 1.0", "11.2026 cpu 2.0"]);
    Ok(())
}

#[test]
fn a_date_that_was_left_out_belongs_to_no_month() -> Result<()> {
    // Apia had no 2011-12-30: 2011-12-29 ended at 10:00 UTC of the 30th, where the 31st began.
    let apia = [
        ("2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z"),
        ("2011-12-31 23:59:59", "2011-12-31 23:59:59"),
        ("2012-01-01 00:00:00", "2012-01-01 00:00:00"),
    ];
    let lines = history("edges_apia", "Pacific/Apia", 1_325_419_200_000, &apia)?;
    assert_eq!(lines, ["12.2011 cpu 2.0", "01.2012 cpu 1.0"]);
    Ok(())
}

#[test]
fn odd_offsets_have_edges_of_their_own() -> Result<()> {
    // Midnight in Kolkata is 18:30 UTC, in St John's 02:30 UTC in summer.
    let kolkata = [
        ("2026-09-30T18:29:59.999999Z", "2026-09-30T18:29:59.999999Z"),
        ("2026-10-01 00:00:00", "2026-10-01 00:00:00"),
    ];
    let lines = history("edges_kolkata", "Asia/Kolkata", NOW_MS, &kolkata)?;
    assert_eq!(lines, ["09.2026 cpu 1.0", "10.2026 cpu 1.0"]);
    let st_johns =
        [("2026-10-01T01:30:00Z", "2026-10-01T02:30:00Z"), ("2026-10-01T02:30:00Z", "2026-10-01T02:30:00Z")];
    let lines = history("edges_st_johns", "America/St_Johns", NOW_MS, &st_johns)?;
    assert_eq!(lines, ["09.2026 cpu 1.0", "10.2026 cpu 1.0"]);
    Ok(())
}
