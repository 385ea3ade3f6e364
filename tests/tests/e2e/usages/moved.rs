//! A usage that a producer has moved to another key, and that the sweep has not seen yet: both of its copies are there.

use anyhow::Result;
use meterhouse_tests::usages::Usages;
use meterhouse_tests::{Message, Site, Token, Usage, wait};
use serde_json::Value;

use super::TOKEN;

fn usage() -> Usage {
    Usage::default().without("Customer").with("EventId", "moved")
}

fn amended() -> Message {
    usage().with("OptionCode", "ram").with("Action", "amend").with_json("Revision", "1").message()
}

fn options(listed: &[Value]) -> Vec<&str> {
    listed.iter().filter_map(|item| item["OptionCode"].as_str()).collect()
}

#[test]
fn a_deletion_is_about_usages_as_they_are_now() -> Result<()> {
    let site = Site::new("usages_moved")?;
    site.write_credentials(&[Token::for_usages(TOKEN, &["*"])])?;
    assert!(site.run(&["migrate"])?.status.success());
    // Nobody sweeps.
    let (mut ingest, mut api) = (site.start(&["ingest"], "ingest")?, site.start(&["api"], "api")?);
    ingest.wait_ready()?;
    api.wait_ready()?;
    let usages = Usages::new(api.client(), TOKEN);
    site.publisher()?.publish(&[usage().message(), amended()])?;
    site.wait_consumed()?;
    let listed = usages.all("S")?;
    let mut both = options(&listed);
    both.sort_unstable();
    assert_eq!(both, ["cpu", "ram"]);
    assert_eq!(usages.delete("S", "?OptionCode=cpu")?.status, 200, "nothing matches");
    let query = format!("?OptionCode=cpu&UsageReference={}", listed[0]["UsageReference"]);
    assert_eq!(usages.delete("S", &query)?.status, 404);
    let mut rollup = site.start(&["rollup"], "rollup")?;
    rollup.wait_ready()?;
    let swept = wait::until_is(
        "the older copy to be gone",
        || usages.all("S"),
        |listed| !options(listed).contains(&"cpu"),
    )?;
    assert_eq!(options(&swept), ["ram"]);
    assert_eq!(usages.delete("S", "?OptionCode=ram")?.status, 200);
    assert!(usages.all("S")?.is_empty());
    Ok(())
}
