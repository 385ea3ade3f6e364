//! The example producers: what they have published comes out exactly, and nothing of it is rejected.

use std::fs;
use std::io::{self, Write as _};
use std::process::Command;

use anyhow::{Context, Result};
use meterhouse_tests::check::{all_is_as_expected, history_lines};
use meterhouse_tests::clients::run;
use meterhouse_tests::{Message, Service, Site, guides, shared};

const CATALOG: &str = "code,service\nvcpu-hours,compute\n";
const CUSTOMER: &str = "1000941";

fn site(name: &str) -> Result<(Site, Service)> {
    let site = Site::new(name)?;
    site.write_catalog(CATALOG)?;
    let service = site.serve()?;
    Ok((site, service))
}

/// Runs an example, which publishes three usages, one of them again, and an amendment of one.
fn check(name: &str, mut example: Command) -> Result<()> {
    let (site, service) = site(name)?;
    run(example.arg(shared().kafka().bootstrap()).arg(&site.name))?;
    let expected = all_is_as_expected(&site, &service.client())?;
    assert_eq!((expected.records, expected.events), (5, 3), "{expected:?}");
    assert_eq!(expected.rejected, [], "quarantine is empty");
    // 12 + 0.1 + 0.2, which is no such number for a float.
    assert_eq!(history_lines(&site, &service.client(), CUSTOMER)?, ["10.2026 compute 12.3"]);
    let log = site.log()?;
    assert!(log.iter().all(|record| record.key.as_deref() == Some(b"83FE4FEF2")));
    assert!(log.iter().all(|record| record.partition == log[0].partition), "one key, one partition");
    Ok(())
}

#[test]
fn python() -> Result<()> {
    check("guide_python", guides::python()?)
}

#[test]
fn go() -> Result<()> {
    match guides::go()? {
        Some(example) => check("guide_go", example),
        None => Ok(writeln!(io::stderr(), "SKIPPED, there is no Go that is new enough")?),
    }
}

#[test]
#[ignore = "make guides"]
fn java() -> Result<()> {
    check("guide_java", guides::java()?)
}

#[test]
#[ignore = "make guides"]
fn node() -> Result<()> {
    check("guide_node", guides::node()?)
}

#[test]
#[ignore = "make guides: it compiles librdkafka once more"]
fn rust() -> Result<()> {
    check("guide_rust", guides::rust()?)
}

/// The records that a page shows, in its order.
fn records(page: &str) -> Result<Vec<Message>> {
    let text = fs::read_to_string(guides::folder().join(page))?;
    let blocks = text.split("```json\n").skip(1);
    blocks
        .map(|block| {
            let (record, _) = block.split_once("```").context("a block without an end")?;
            Ok(Message::new("83FE4FEF2", record))
        })
        .collect()
}

#[test]
fn records_of_the_page() -> Result<()> {
    let (site, service) = site("guide_records")?;
    let records = records("README.md")?;
    site.publisher()?.publish(&records)?;
    let expected = all_is_as_expected(&site, &service.client())?;
    assert_eq!(expected.rejected, [], "quarantine is empty");
    // Created, amended, deleted; two of a batch; a CloudEvent that is amended.
    assert_eq!((expected.records, expected.events), (6, 3), "{expected:?}");
    assert_eq!(history_lines(&site, &service.client(), CUSTOMER)?, ["10.2026 compute 4.25"]);
    Ok(())
}
