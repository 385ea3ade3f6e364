//! ClickHouse does not answer.

use anyhow::Result;
use meterhouse_localstack::{ClickHouse, ClickHouseOptions};
use meterhouse_tests::check::history_lines;
use meterhouse_tests::{shared, wait};
use serde_json::json;

use super::{all_is_well, is_repeatable, one, reference, site, usages};

#[test]
fn what_needs_no_answer_is_pending_and_everything_else_may_be_repeated() -> Result<()> {
    let clickhouse = ClickHouse::launch(ClickHouseOptions::default())?;
    let site = site(shared().kafka(), &clickhouse, "usages_no_clickhouse")?;
    let mut service = site.serve()?;
    let usages = usages(&service);
    let [changed, deleted] = [10, 11].map(|hour| usages.save("S", &one(hour, 1), None));
    let [changed, deleted] = [reference(&changed?)?, reference(&deleted?)?];
    let deletion = format!("?UsageReference={deleted}");
    clickhouse.kill()?;
    service.wait_fault("clickhouse", "refused")?;

    let pending = usages.save("S", &one(12, 10), None)?;
    let saved = reference(&pending)?;
    assert_eq!(pending.headers["X-Meterhouse-Visible"], "pending");
    let with_key = || usages.save("S", &one(13, 100), Some("k"));
    let change = || usages.update("S", &changed, &json!({"Units": 1000}));
    let delete = || usages.delete("S", &deletion);
    is_repeatable(&with_key()?)?;
    is_repeatable(&change()?)?;
    is_repeatable(&delete()?)?;
    // None rather than a part; and nobody is found to be unknown because nobody can be asked.
    is_repeatable(&usages.list("S", "")?)?;
    is_repeatable(&usages.save("unlisted", &one(12, 1), None)?)?;

    clickhouse.start()?;
    service.wait_ready()?;
    let listed = || usages.all("S");
    let is_listed = |items: &Vec<serde_json::Value>| {
        items.iter().any(|item| item["UsageReference"] == saved && item["Units"] == json!(10))
    };
    let listed = wait::until_is("what was pending to be listed", listed, is_listed)?;
    assert_eq!(listed.len(), 3, "and nothing that was refused: {listed:?}");
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 cpu 12.0"]);
    assert_eq!([with_key()?.status, change()?.status, delete()?.status], [200, 200, 200]);
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 cpu 1110.0"]);
    assert_eq!(with_key()?.status, 200);
    assert_eq!(usages.all("S")?.len(), 3);
    all_is_well(&site, service)
}
