//! Sums by day, seen from outside: answers are the same before, while and after days are summed up.

use anyhow::Result;
use meterhouse_tests::check::{
    all_is_as_expected, all_is_as_expected_rolled_up, histories_are_as_expected, history_lines,
};
use meterhouse_tests::{Service, Site, Usage, wait};

/// A load over more than a year, with resends and late usage.
fn generate(site: &Site, events: &str) -> Result<()> {
    let shares = ["--duplicates", "5%", "--late", "10%", "--invalid", "2%"];
    let size = ["--events", events, "--customers", "5", "--months", "14"];
    site.generate(&[&shares[..], &size[..]].concat()).map(|_| ())
}

fn wait_all_ready(services: &mut [&mut Service]) -> Result<()> {
    services.iter_mut().try_for_each(|service| service.wait_ready())
}

#[test]
fn serve_rolls_up_by_itself_and_nobody_sees_it() -> Result<()> {
    let site = Site::new("rollup_serve")?;
    let mut service = site.serve()?;
    generate(&site, "20000")?;
    let expected = all_is_as_expected_rolled_up(&site, &service.client())?;
    assert!(service.metric("meterhouse_rollup_scanned_dates_total", &[])? > 0);
    let backlog = || service.metric("meterhouse_rollup_backlog_days", &[]);
    wait::until_is("an empty backlog", backlog, |backlog| *backlog == 0)?;
    // The sums are all that there is.
    site.query("TRUNCATE TABLE usage_events")?;
    histories_are_as_expected(&site, &service.client(), &expected)?;
    assert_eq!(service.terminate()?.code(), Some(0), "{}", service.log_tail());
    Ok(())
}

#[test]
fn a_change_counts_at_once_and_is_rolled_up_later() -> Result<()> {
    let site = Site::new("rollup_changes")?;
    let service = site.serve()?;
    let publisher = site.publisher()?;
    let usage = |id: &str, units: &str| Usage::default().with("EventId", id).with("Units", units);
    publisher.publish(&[
        usage("a", "1").message(),
        usage("b", "2").message(),
        usage("z", "4").on("2026-09-01").message(),
    ])?;
    all_is_as_expected_rolled_up(&site, &service.client())?;
    let amend = usage("a", "0.5").with("Action", "amend").with_json("Revision", "1");
    let delete = usage("z", "4").on("2026-09-01").with("Action", "delete").with_json("Revision", "1");
    publisher.publish(&[amend.message(), delete.message()])?;
    site.wait_consumed()?;
    for _ in 0..2 {
        assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 cpu 2.5"]);
        site.wait_rolled_up()?;
    }
    Ok(())
}

#[test]
fn a_worker_that_is_killed_again_and_again_leaves_nothing_wrong() -> Result<()> {
    let mut site = Site::new("rollup_killed")?;
    site.set("ingest.batch_rows", 2000)?;
    let [mut ingest, mut api, mut worker] = [
        site.start(&["ingest"], "ingest")?,
        site.start(&["api"], "api")?,
        site.start(&["rollup"], "rollup")?,
    ];
    worker.wait_fault("schema", "meterhouse migrate")?;
    assert!(site.run(&["migrate"])?.status.success());
    wait_all_ready(&mut [&mut ingest, &mut api, &mut worker])?;
    generate(&site, "20000")?;
    let expected = all_is_as_expected(&site, &api.client())?;
    // Scans begin when the margin has passed; from then on it is killed in their middle.
    let begun = || Ok(site.rolled_up()?.1);
    wait::until_is("the first clean date", begun, |clean| *clean > 0)?;
    for round in 0..6 {
        worker.kill()?;
        let (dates, clean) = site.rolled_up()?;
        assert!(round > 0 || clean < dates, "it was not in the middle");
        histories_are_as_expected(&site, &api.client(), &expected)?;
        worker.start_again()?;
        let scans = || worker.metric("meterhouse_rollup_scans_total", &[]);
        wait::until_is(
            "a scan",
            || Ok((scans()?, site.rolled_up()?)),
            |(scans, (dates, clean))| *scans > 0 || dates == clean,
        )?;
    }
    site.wait_rolled_up()?;
    histories_are_as_expected(&site, &api.client(), &expected)?;
    for mut service in [ingest, api, worker] {
        assert_eq!(service.terminate()?.code(), Some(0), "{}", service.log_tail());
    }
    Ok(())
}

#[test]
fn a_rebuild_repairs_what_somebody_has_damaged() -> Result<()> {
    let site = Site::new("rollup_rebuild")?;
    let mut service = site.serve()?;
    generate(&site, "5000")?;
    let expected = all_is_as_expected_rolled_up(&site, &service.client())?;
    // Wrong sums under a right header, and days of which nothing is left.
    site.query("INSERT INTO usage_daily SELECT * REPLACE(units + 1 AS units) FROM usage_daily FINAL WHERE kind = 'data'")?;
    site.query("OPTIMIZE TABLE usage_daily FINAL")?;
    site.query(
        "ALTER TABLE usage_daily DELETE WHERE cityHash64(subscription) % 2 = 0 SETTINGS mutations_sync = 1",
    )?;
    let is_damaged = expected.history.iter().any(|(customer, right)| {
        service.client().history(site.token(), customer).ok().as_ref() != Some(right)
    });
    assert!(is_damaged);

    let output = site.run(&["rollup", "rebuild", "--no-wait"])?;
    assert!(output.status.success(), "{output:?}");
    histories_are_as_expected(&site, &service.client(), &expected)?;
    // It does not need a worker.
    service.kill()?;
    let output = site.run(&["rollup", "rebuild"])?;
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("all days are summed up\n"), "{output:?}");
    let (dates, clean) = site.rolled_up()?;
    assert_eq!(dates, clean);
    service.start_again()?;
    service.wait_ready()?;
    site.query("TRUNCATE TABLE usage_events")?;
    histories_are_as_expected(&site, &service.client(), &expected)
}

#[test]
fn a_rebuild_of_a_part_leaves_the_rest_alone() -> Result<()> {
    let site = Site::new("rollup_part")?;
    let service = site.serve()?;
    let days = ["2026-09-29", "2026-09-30", "2026-10-01", "2026-10-02"];
    let usage = |customer: &str, day: &str| Usage::default().with("Customer", customer).on(day).message();
    let messages: Vec<_> = days.iter().flat_map(|day| [usage("c", day), usage("d", day)]).collect();
    site.publisher()?.publish(&messages)?;
    all_is_as_expected_rolled_up(&site, &service.client())?;
    let marked = |arguments: &[&str]| -> Result<String> {
        let output = site.run(&[&["rollup", "rebuild", "--no-wait"], arguments].concat())?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let october = ["--from", "2026-10-01", "--to", "2026-10-01"];
    assert_eq!(marked(&october)?, "2 days are marked and read from the events\n");
    assert_eq!(marked(&["--customer", "nobody"])?, "0 days are marked and read from the events\n");
    assert_eq!(site.rolled_up()?, (8, 6));
    assert_eq!(
        marked(&["--customer", "c", "--subscription", "S", "--to", "2026-09-30"])?,
        "2 days are marked and read from the events\n"
    );
    assert_eq!(site.rolled_up()?, (8, 4));
    assert_eq!(site.run(&["rollup", "rebuild", "--from", "yesterday"])?.status.code(), Some(2));
    all_is_as_expected_rolled_up(&site, &service.client()).map(|_| ())
}
