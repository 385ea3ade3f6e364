//! librdkafka alone: it takes all messages, many at a time, and looks at each byte of their values. No reader can be cheaper.
#![expect(unsafe_code, reason = "the batch interface of librdkafka has no safe form in the rdkafka crate")]

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::ptr;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;
use meterhouse_benches::process::Usage;
use rdkafka::bindings as sys;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use crate::PARTITIONS;
use crate::contender::{Measured, Topic};

/// Messages that are taken together.
const CHUNK: usize = 10_000;
const TAKE_MS: i32 = 100;

#[derive(Debug, Args)]
pub(crate) struct ClientArguments {
    #[arg(long)]
    brokers: String,
    #[arg(long)]
    topic: String,
    #[arg(long)]
    partitions: u16,
    #[arg(long)]
    events: u64,
}

/// Runs this contender in a process of its own.
pub(crate) fn run(topic: &Topic<'_>) -> Result<Measured> {
    let kafka = topic.kafka;
    let before = Usage::of(kafka.pid()?)?;
    let begun = Instant::now();
    let mut child = Command::new(env::current_exe()?)
        .args(["client", "--brokers", &kafka.bootstrap(), "--topic", topic.name])
        .args(["--partitions", &PARTITIONS.to_string(), "--events", &topic.events.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut said)?;
    let wall = begun.elapsed();
    let (reader, broker) = (Usage::of(child.id())?, Usage::of(kafka.pid()?)?);
    drop(child.stdin.take());
    ensure!(child.wait()?.success() && !said.is_empty(), "the client has failed");
    let broker = broker.since(&before);
    Ok(Measured { wall, first: None, reader: Some(reader), broker, stored: None })
}

/// Reads so many messages, says how many bytes they had, and stays to be looked at until standard input ends.
pub(crate) fn read(arguments: &ClientArguments) -> Result<()> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &arguments.brokers)
        // A name is asked for, too, where nobody joins.
        .set("group.id", &arguments.topic)
        .set("enable.auto.commit", "false")
        .set("check.crcs", "true")
        .set("fetch.queue.backoff.ms", "10")
        .create()?;
    // Changes of a group would come as events, which nobody serves here.
    let mut partitions = TopicPartitionList::new();
    for partition in 0..i32::from(arguments.partitions) {
        partitions.add_partition_offset(&arguments.topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&partitions)?;
    // SAFETY: the client lives as long as the consumer; the queue is given back below.
    let queue = unsafe { sys::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
    let (mut events, mut bytes) = (0, 0);
    let mut messages = vec![ptr::null_mut(); CHUNK];
    while events < arguments.events {
        // SAFETY: there is room for as many pointers as are asked for.
        let count = unsafe {
            sys::rd_kafka_consume_batch_queue(queue, TAKE_MS, messages.as_mut_ptr(), messages.len())
        };
        for message in messages.iter().take(usize::try_from(count)?) {
            // SAFETY: each of these messages is live, and is destroyed once.
            unsafe {
                ensure!(
                    (**message).err == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR,
                    "a message cannot be read"
                );
                let value = std::slice::from_raw_parts((**message).payload.cast::<u8>(), (**message).len);
                bytes += value.iter().map(|byte| u64::from(*byte != 0)).sum::<u64>();
                sys::rd_kafka_message_destroy(*message);
            }
        }
        events += u64::try_from(count)?;
    }
    // SAFETY: nothing uses it any more.
    unsafe { sys::rd_kafka_queue_destroy(queue) }
    println!("{bytes}");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
