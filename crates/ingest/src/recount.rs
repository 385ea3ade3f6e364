//! Reading a topic once more, to compare it with what is stored of it.
//!
//! The records are judged again and summed up in blocks of positions. The store sums its evidence up in the same way; a
//! block that differs is told with its positions.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use meterhouse_model::{Rules, parse};
use meterhouse_store::{Evidence, EvidenceSet, EvidenceSum};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use crate::lookup::found;
use crate::probe::Silent;
use crate::{FoundRecord, KafkaConfig};

/// Longest silence of the brokers.
const TIMEOUT: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(200);

/// Positions of a partition that are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The partition.
    pub partition: i32,
    /// First position, and the one behind the last.
    pub positions: (i64, i64),
    /// Records that are in quarantine and not stored: offset, and time in milliseconds since the epoch.
    pub quarantined: HashSet<(i64, i64)>,
    /// Whether each event is to be known again, and not only the sums: 8 bytes an event.
    pub keeps_events: bool,
}

/// What a partition's log says, for the positions that it still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recount {
    /// The partition.
    pub partition: i32,
    /// First position that was read: the first of the span, or the log's where retention has taken more.
    pub from_position: i64,
    /// Position behind the last of the span.
    pub next_position: i64,
    /// Records that are usable by the rules of today.
    pub usable: u64,
    /// Records that are not.
    pub rejected: u64,
    /// Usable records that are in quarantine and not stored: a replay would store them.
    pub replayable: u64,
    /// Sums of the events of usable records, by block.
    pub blocks: BTreeMap<i64, EvidenceSum>,
    /// These events, where they are kept.
    pub events: EvidenceSet,
}

/// Reads positions of a partition again and judges the records. Blocks for as long as it takes to read them all.
///
/// # Errors
/// The brokers do not answer.
pub fn recount(config: &KafkaConfig, rules: &Rules, span: &Span) -> KafkaResult<Recount> {
    let Span { partition, positions: (from_position, next_position), .. } = *span;
    let consumer: BaseConsumer<Silent> = BaseConsumer::from_config_and_context(&config.bystander(), Silent)?;
    let (low, _) = consumer.fetch_watermarks(&config.topic, partition, TIMEOUT)?;
    let mut recount = Recount {
        partition,
        from_position: from_position.max(low).min(next_position),
        next_position,
        usable: 0,
        rejected: 0,
        replayable: 0,
        blocks: BTreeMap::new(),
        events: EvidenceSet::default(),
    };
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&config.topic, partition, Offset::Offset(recount.from_position))?;
    consumer.assign(&list)?;
    recount.read(&consumer, config, rules, span)?;
    Ok(recount)
}

impl Recount {
    fn read(
        &mut self,
        consumer: &BaseConsumer<Silent>,
        config: &KafkaConfig,
        rules: &Rules,
        span: &Span,
    ) -> KafkaResult<()> {
        let mut heard = Instant::now();
        let mut position = self.from_position;
        while position < self.next_position {
            match consumer.poll(STEP) {
                Some(Ok(message)) => {
                    heard = Instant::now();
                    position = message.offset() + 1;
                    if message.offset() < self.next_position {
                        self.count(&found(&message), &config.topic, rules, span);
                    }
                }
                // Behind the last record there may be holes.
                Some(Err(KafkaError::PartitionEOF(_))) => break,
                Some(Err(error)) => return Err(error),
                None if heard.elapsed() > TIMEOUT => {
                    return Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn count(&mut self, found: &FoundRecord, topic: &str, rules: &Rules, span: &Span) {
        let record = found.record(topic);
        let Ok(events) = parse(&record, rules) else {
            self.rejected += 1;
            return;
        };
        if span.quarantined.contains(&(record.offset, record.timestamp_ms.unwrap_or_default())) {
            self.replayable += 1;
            return;
        }
        self.usable += 1;
        let block = self.blocks.entry(EvidenceSum::block(record.offset)).or_default();
        for event in &events {
            let evidence = Evidence::of(event, &record);
            block.add(&evidence, &record, event.index);
            if span.keeps_events {
                self.events.add(&evidence, &record, event.index);
            }
        }
    }
}
