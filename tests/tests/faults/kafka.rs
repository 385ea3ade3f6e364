//! Kafka does not answer.

use anyhow::Result;
use meterhouse_localstack::{Kafka, KafkaOptions};
use meterhouse_tests::shared;

use crate::rig::{all_is_as_expected, ends_well, loaded, wait_middle};

#[test]
fn down_at_the_start_it_is_waited_for() -> Result<()> {
    let kafka = Kafka::launch(KafkaOptions::default())?;
    let site = loaded(&kafka, shared().clickhouse(), "kafka_down")?;
    kafka.stop()?;
    let mut service = site.start(&["serve"], "serve")?;
    service.wait_fault("kafka", "no broker answers")?;
    service.wait_readiness("the tables to be there", |_, body| body["checks"]["schema"] == "ok")?;
    assert_eq!(service.operations().get("/healthz")?.status, 200);
    assert_eq!(service.client().ask_history(site.token(), "c", "")?.status, 200, "what there is can be read");
    kafka.start()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service)?;
    ends_well(service)
}

#[test]
fn killed_in_the_middle_it_is_read_to_its_end() -> Result<()> {
    let kafka = Kafka::launch(KafkaOptions::default())?;
    let site = loaded(&kafka, shared().clickhouse(), "kafka_killed")?;
    let mut service = site.start(&["serve"], "serve")?;
    let pid = service.pid();
    wait_middle(&service)?;
    kafka.kill()?;
    service.wait_fault("kafka", "no broker answers")?;
    kafka.start()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service)?;
    assert_eq!(service.pid(), pid, "it was not started anew");
    ends_well(service)
}

#[test]
fn held_up_for_longer_than_the_session_it_is_read_to_its_end() -> Result<()> {
    let kafka = Kafka::launch(KafkaOptions::default())?;
    let site = loaded(&kafka, shared().clickhouse(), "kafka_held")?;
    let mut service = site.start(&["serve"], "serve")?;
    wait_middle(&service)?;
    kafka.pause()?;
    service.wait_fault("kafka", "no broker answers")?;
    kafka.resume()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service)?;
    ends_well(service)
}

#[test]
fn asked_to_end_while_it_is_down_the_process_ends_within_its_bound() -> Result<()> {
    let kafka = Kafka::launch(KafkaOptions::default())?;
    let site = loaded(&kafka, shared().clickhouse(), "kafka_gone")?;
    let mut service = site.start(&["serve"], "serve")?;
    wait_middle(&service)?;
    kafka.kill()?;
    service.wait_fault("kafka", "no broker answers")?;
    let status = service.terminate()?;
    assert_eq!(status.code(), Some(0), "{}", service.log_tail());
    kafka.start()?;
    service.start_again()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service)?;
    ends_well(service)
}
