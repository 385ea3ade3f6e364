//! The mirror topic: each rejected record once more, where other tools look for dead letters.
//!
//! A record is there before its offset is committed. It may be there twice: a process that ended in between, or an
//! acknowledgement that was lost, makes the next attempt write it again.

mod headers;

use std::collections::BTreeMap;
use std::sync::Arc;

use meterhouse_store::{RejectBatch, Rejected};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::backoff::Backoff;
use crate::producer::Outgoing;
use crate::{KafkaConfig, Metrics, Producer, Reporter};

/// Records that are on their way together: so many, or so many bytes.
const CHUNK_RECORDS: usize = 1000;
const CHUNK_BYTES: usize = 16 * 1024 * 1024;
/// How much of a value is left where the topic refuses the whole.
const REDUCED_BYTES: usize = 64 * 1024;

/// Properties that a user may override.
const DEFAULTS: [(&str, &str); 3] = [
    // An attempt that takes longer is reported, and made again.
    ("message.timeout.ms", "10000"),
    // The topic's own limit decides. What is handed over at a time is bounded above.
    ("message.max.bytes", "1000000000"),
    ("queue.buffering.max.kbytes", "2097151"),
];

/// Publishes rejects. It connects when there is a first one.
pub(crate) struct Mirror {
    topic: String,
    brokers: String,
    properties: BTreeMap<String, String>,
    producer: Option<Producer>,
    metrics: Metrics,
    report: Reporter,
}

impl Mirror {
    /// The mirror of a configuration, if it names one.
    pub(crate) fn new(kafka: &KafkaConfig, metrics: &Metrics, report: &Reporter) -> Option<Self> {
        let topic = kafka.mirror_topic.clone()?;
        let mut properties = kafka.properties.clone();
        for (name, value) in DEFAULTS {
            properties.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        let (brokers, report) = (kafka.brokers.clone(), Arc::clone(report));
        Some(Self { topic, brokers, properties, producer: None, metrics: metrics.clone(), report })
    }

    /// Publishes rejects and returns when all are acknowledged, however long that takes.
    pub(crate) async fn publish(&mut self, rejects: &RejectBatch) {
        let mut chunk = Vec::new();
        let mut bytes = 0;
        for row in rejects.rows() {
            bytes += row.raw.map_or(0, <[u8]>::len);
            chunk.push(row);
            if chunk.len() >= CHUNK_RECORDS || bytes >= CHUNK_BYTES {
                self.publish_together(std::mem::take(&mut chunk)).await;
                bytes = 0;
            }
        }
        self.publish_together(chunk).await;
    }

    async fn publish_together(&mut self, mut rows: Vec<Rejected<'_>>) {
        let mut backoff = Backoff::new();
        while !rows.is_empty() {
            let records: Vec<Outgoing<'_>> = rows.iter().map(whole).collect();
            let (mut refused, mut waiting, mut trouble) = (Vec::new(), Vec::new(), None);
            for (row, report) in rows.iter().zip(self.send(&records).await) {
                match report {
                    Ok(()) => {}
                    // The broker refuses all that came with the one at fault.
                    Err(error) if is_about_the_record(&error) => refused.push(*row),
                    Err(error) => {
                        waiting.push(*row);
                        trouble = Some(error);
                    }
                }
            }
            for row in refused {
                self.publish_alone(row).await;
            }
            if let Some(error) = trouble {
                self.wait(&mut backoff, &error).await;
            }
            rows = waiting;
        }
        self.recovered(&backoff);
    }

    /// Publishes one record; without what the topic may refuse, if it refuses the whole.
    async fn publish_alone(&mut self, row: Rejected<'_>) {
        let mut backoff = Backoff::new();
        let mut record = whole(&row);
        let mut is_reduced = false;
        while let Some(Err(error)) = self.send(std::slice::from_ref(&record)).await.pop() {
            if is_about_the_record(&error) && !is_reduced {
                let (topic, partition, offset) = (&self.topic, row.partition, row.offset);
                tracing::warn!(%error, topic, partition, offset, "the mirror topic refuses a record, it gets a part of it");
                record = reduced(&row);
                is_reduced = true;
            } else {
                self.wait(&mut backoff, &error).await;
            }
        }
        self.recovered(&backoff);
    }

    /// Sends records once.
    async fn send(&mut self, records: &[Outgoing<'_>]) -> Vec<Result<(), KafkaError>> {
        let producer = match self.connected().await {
            Ok(producer) => producer,
            Err(error) => return records.iter().map(|_| Err(error.clone())).collect(),
        };
        let reports = producer.send_all(&self.topic, records).await;
        let is_acknowledged = reports.iter().filter(|report| report.is_ok()).count();
        self.metrics.mirrored.inc_by(is_acknowledged as u64);
        reports.into_iter().map(|report| report.map(|_| ())).collect()
    }

    async fn connected(&mut self) -> Result<Producer, KafkaError> {
        if let Some(producer) = &self.producer {
            return Ok(producer.clone());
        }
        let (brokers, properties) = (self.brokers.clone(), self.properties.clone());
        let connected = tokio::task::spawn_blocking(move || Producer::connect(&brokers, &properties)).await;
        let producer = match connected {
            Ok(connected) => connected.map_err(|error| KafkaError::ClientCreation(error.to_string()))?,
            Err(error) => return Err(KafkaError::ClientCreation(error.to_string())),
        };
        self.producer = Some(producer.clone());
        Ok(producer)
    }

    async fn wait(&mut self, backoff: &mut Backoff, error: &KafkaError) {
        // An idempotent producer may be of no use any more after an error.
        self.producer = None;
        let (topic, pause_ms) = (&self.topic, backoff.pause().as_millis());
        tracing::warn!(%error, topic, pause_ms, "mirroring rejects failed, trying again");
        (self.report)(crate::writer::CHECK, Err(format!("mirror topic {topic}: {error}")));
        backoff.wait().await;
    }

    fn recovered(&self, backoff: &Backoff) {
        if backoff.attempt > 1 {
            tracing::info!(topic = self.topic, "mirroring rejects succeeded");
            (self.report)(crate::writer::CHECK, Ok(()));
        }
    }
}

/// Whether other records may be accepted where this one is not.
fn is_about_the_record(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::MessageSizeTooLarge
                | RDKafkaErrorCode::InvalidTimestamp
                | RDKafkaErrorCode::InvalidRecord
        )
    )
}

/// The record as it was, and why it is here.
fn whole<'r>(row: &Rejected<'r>) -> Outgoing<'r> {
    let original = row.record.headers.iter().filter(|(name, _)| !headers::is_ours(name));
    let original = original.map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.clone()));
    Outgoing {
        key: row.record.key.as_deref(),
        value: row.raw,
        timestamp_ms: row.timestamp_ms,
        headers: original.chain(headers::of(row)).collect(),
    }
}

/// The beginning of its value, at the present time, without its own headers.
fn reduced<'r>(row: &Rejected<'r>) -> Outgoing<'r> {
    Outgoing {
        key: row.record.key.as_deref(),
        value: row.raw.map(|raw| &raw[..raw.len().min(REDUCED_BYTES)]),
        timestamp_ms: None,
        headers: headers::of(row).collect(),
    }
}
