//! Ingest does not store what was written, not in time or not at all.

use std::fs;

use anyhow::Result;
use meterhouse_tests::check::history_lines;
use meterhouse_tests::{shared, wait};
use nix::sys::signal::Signal;
use serde_json::json;

use super::{all_is_well, is_repeatable, one, reference, site, usages};
use crate::rig::ends_well;

#[test]
fn what_cannot_be_read_back_is_found_when_it_is_sent_again() -> Result<()> {
    let site = site(shared().kafka(), shared().clickhouse(), "usages_unstored")?;
    assert!(site.run(&["migrate"])?.status.success());
    let mut ingest = site.start(&["ingest"], "ingest")?;
    let mut rollup = site.start(&["rollup"], "rollup")?;
    let mut api = site.start(&["api"], "api")?;
    for service in [&mut ingest, &mut rollup, &mut api] {
        service.wait_ready()?;
    }
    let usages = usages(&api);
    let [changed, deleted] = [10, 11].map(|hour| usages.save("S", &one(hour, 1), None));
    let [changed, deleted] = [reference(&changed?)?, reference(&deleted?)?];
    let deletion = format!("?UsageReference={deleted}");
    let before = site.log()?.len();
    ingest.signal(Signal::SIGSTOP)?;

    let pending = usages.save("S", &one(12, 10), None)?;
    assert_eq!((pending.status, &pending.headers["X-Meterhouse-Visible"]), (200, &"pending".parse()?));
    let with_key = || usages.save("S", &one(13, 100), Some("k"));
    let change = || usages.update("S", &changed, &json!({"Units": 1000}));
    let delete = || usages.delete("S", &deletion);
    is_repeatable(&with_key()?)?;
    is_repeatable(&change()?)?;
    is_repeatable(&delete()?)?;
    assert_eq!(site.log()?.len(), before + 4, "all of it is on the topic");
    assert_eq!(history_lines(&site, &api.client(), "c")?, ["10.2026 cpu 2.0"]);

    ingest.signal(Signal::SIGCONT)?;
    let history = || history_lines(&site, &api.client(), "c");
    wait::until_is("all of it to be stored", history, |lines| lines == &["10.2026 cpu 1110.0"])?;
    // What a key is known by is stored after the rows.
    site.wait_consumed()?;
    let saved = with_key()?;
    assert_eq!([saved.status, change()?.status, delete()?.status], [200, 200, 404]);
    assert_eq!(site.log()?.len(), before + 4, "it was found, not done again");
    let listed = usages.all("S")?;
    assert_eq!(listed.len(), 3, "{listed:?}");
    assert!(listed.iter().any(|item| item["UsageReference"] == saved.json().unwrap()[0]["UsageReference"]));
    all_is_well(&site, api)?;
    ends_well(ingest)?;
    ends_well(rollup)
}

/// Whoever writes and whoever stores are processes of their own, and may have files of their own.
#[test]
fn what_ingest_refuses_is_no_success() -> Result<()> {
    let mut site = site(shared().kafka(), shared().clickhouse(), "usages_refused")?;
    assert!(site.run(&["migrate"])?.status.success());
    let mut ingest = site.start(&["ingest"], "ingest")?;
    let mut api = site.start(&["api"], "api")?;
    ingest.wait_ready()?;
    api.wait_ready()?;
    let usages = usages(&api);
    let saved = reference(&usages.save("S", &one(10, 1), None)?)?;
    let other = site.dir().join("other.csv");
    fs::write(&other, "subscription,customer,start,expires\nT,c,,\n")?;
    site.set("subscriptions.path", other.to_string_lossy().into_owned())?;
    site.set("ingest.require_known_subscription", true)?;
    ends_well(ingest)?;
    let mut ingest = site.start(&["ingest"], "strict")?;
    ingest.wait_ready()?;
    let requests = [
        usages.save("S", &one(11, 1), None)?,
        usages.save("S", &one(12, 1), Some("k"))?,
        usages.update("S", &saved, &json!({"Units": 2}))?,
        usages.delete("S", &format!("?UsageReference={saved}"))?,
    ];
    for reply in requests {
        assert_eq!((reply.status, reply.body.contains("unknown_subscription")), (400, true), "{reply:?}");
    }
    let listed = usages.all("S")?;
    assert_eq!((listed.len(), &listed[0]["Units"]), (1, &json!(1)), "{listed:?}");
    ends_well(ingest)?;
    ends_well(api)
}
