//! What operators, and accidents, do to a topic.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use meterhouse_localstack::Kafka;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewPartitions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, FromClientConfig};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use crate::wait;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Deletes a topic and creates it anew, empty.
///
/// # Errors
/// The broker refuses.
pub fn recreate(kafka: &Kafka, topic: &str, partitions: u16) -> Result<()> {
    let (admin, options) = admin(kafka)?;
    let answers = block_on(admin.delete_topics(&[topic], &options))??;
    answers.into_iter().try_for_each(|answer| answer.map(|_| ())).map_err(failed)?;
    // Its files are removed later, and until then the name is taken.
    wait::until("the name of a deleted topic to be free", || kafka.create_topic(topic, partitions).ok())
}

/// Adds partitions up to a number.
///
/// # Errors
/// The broker refuses.
pub fn grow(kafka: &Kafka, topic: &str, partitions: usize) -> Result<()> {
    let (admin, options) = admin(kafka)?;
    let answers = block_on(admin.create_partitions(&[NewPartitions::new(topic, partitions)], &options))??;
    answers.into_iter().try_for_each(|answer| answer.map(|_| ())).map_err(failed)
}

/// Sets one of a topic's settings; all others have their defaults from then on.
///
/// # Errors
/// The broker refuses.
pub fn configure(kafka: &Kafka, topic: &str, name: &str, value: &str) -> Result<()> {
    let (admin, options) = admin(kafka)?;
    let config = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(name, value);
    let answers = block_on(admin.alter_configs(&[config], &options))??;
    answers
        .into_iter()
        .try_for_each(|answer| answer.map(|_| ()))
        .map_err(|(_, code)| anyhow!("{topic}: {code}"))
}

/// Deletes a partition's records before an offset, as retention does.
///
/// # Errors
/// The broker refuses.
pub fn cut(kafka: &Kafka, topic: &str, partition: i32, before: i64) -> Result<()> {
    let (admin, options) = admin(kafka)?;
    let list = list(topic, partition, before)?;
    let answer = block_on(admin.delete_records(&list, &options))??;
    answer.elements().iter().try_for_each(|element| element.error()).context("delete records")
}

/// Commits an offset for a group that has no member.
///
/// # Errors
/// The broker refuses.
pub fn commit(kafka: &Kafka, group: &str, topic: &str, partition: i32, offset: i64) -> Result<()> {
    let mut config = client(kafka);
    config.set("group.id", group);
    let consumer: BaseConsumer = config.create()?;
    consumer.commit(&list(topic, partition, offset)?, CommitMode::Sync).context("commit an offset")
}

/// How many members a group has.
///
/// # Errors
/// The broker does not answer.
pub fn members(kafka: &Kafka, group: &str) -> Result<usize> {
    let consumer: BaseConsumer = client(kafka).create()?;
    let groups = consumer.fetch_group_list(Some(group), TIMEOUT).context("ask for a group")?;
    Ok(groups.groups().iter().map(|group| group.members().len()).sum())
}

fn list(topic: &str, partition: i32, offset: i64) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    Ok(list)
}

fn client(kafka: &Kafka) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka.bootstrap());
    config
}

fn admin(kafka: &Kafka) -> Result<(AdminClient<DefaultClientContext>, AdminOptions)> {
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT)).operation_timeout(Some(TIMEOUT));
    Ok((AdminClient::from_config(&client(kafka))?, options))
}

fn block_on<T>(answer: impl Future<Output = T>) -> Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().build()?.block_on(answer))
}

fn failed((topic, code): (String, RDKafkaErrorCode)) -> anyhow::Error {
    anyhow!("{topic}: {code}")
}
