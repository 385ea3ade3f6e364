//! One fault after the other, and one into the other.

use anyhow::Result;
use meterhouse_localstack::{ClickHouse, ClickHouseOptions, Kafka, KafkaOptions};
use meterhouse_tests::check;

use crate::rig::{configured, ends_well};

const ROUNDS: u64 = 3;
const RECORDS_A_ROUND: u64 = 10_000;

#[test]
fn whatever_fails_one_after_the_other_the_sums_are_exact() -> Result<()> {
    let kafka = Kafka::launch(KafkaOptions::default())?;
    let clickhouse = ClickHouse::launch(ClickHouseOptions::default())?;
    let site = configured(&kafka, &clickhouse, "storm")?;
    let mut service = site.start(&["serve"], "serve")?;
    for round in 0..ROUNDS {
        service.wait_ready()?;
        let (events, seed) = (RECORDS_A_ROUND.to_string(), round.to_string());
        let size = ["--events", &events, "--seed", &seed, "--customers", "5"];
        site.generate(&[&size[..], &["--duplicates", "5%", "--invalid", "2%"]].concat())?;
        service.wait_stored(1000)?;
        clickhouse.kill()?;
        service.kill()?;
        service.start_again()?;
        service.wait_fault("clickhouse", "refused")?;
        kafka.pause()?;
        clickhouse.start()?;
        kafka.resume()?;
        service.wait_stored(1000)?;
        kafka.kill()?;
        service.wait_fault("kafka", "no broker answers")?;
        kafka.start()?;
    }
    service.wait_ready()?;
    let expected = check::all_is_as_expected(&site, &service.client())?;
    assert_eq!(expected.records, ROUNDS * RECORDS_A_ROUND);
    ends_well(service)
}
