//! Records that ClickHouse refuses for good, found by halving their batch: they go to quarantine, the rest is stored.

use meterhouse_model::{Reason, Reject};
use meterhouse_store::{ErrorClass, RejectBatch, SealedEvents, Source, Table, crash};

use crate::backoff::Backoff;
use crate::lookup::FoundRecord;
use crate::progress::Progress;
use crate::writer::{Attempts, CHECK, Writer};
use crate::{Error, rebuild};

/// So many refused records of one batch tell that it is the table that is at fault.
const REFUSED_MAX: usize = 1000;
/// The same tell so many, of one batch or of several, among which not one is accepted.
const REFUSED_IN_A_ROW_MAX: usize = 100;
/// Bytes of rejects that are read again and kept at a time.
const QUARANTINE_BYTES: usize = 16 * 1024 * 1024;

/// A record at fault, and the server's words.
struct Refused {
    record: Source,
    error: meterhouse_store::Error,
}

impl Writer {
    /// Stores a batch but for the records that the database refuses, and these in quarantine.
    ///
    /// # Errors
    /// The table is at fault, or something that waiting cannot change. Nothing is lost: the batch does not count as stored.
    pub(crate) async fn store_accepted(
        &mut self,
        events: &SealedEvents,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        let mut refused = self.insert_accepted(events).await?;
        crash::point("accepted_inserted");
        refused.sort_by_key(|refused| refused.record.position());
        tracing::warn!(records = refused.len(), "clickhouse refuses records for good: they go to quarantine");
        for quarantined in self.quarantine(events, &refused).await? {
            progress.refuse(&quarantined);
        }
        crash::point("refused_quarantined");
        let positions: Vec<_> = refused.iter().map(|refused| refused.record.position()).collect();
        let parts = self.store.write_parts(events);
        let mut attempts = Attempts::new(Table::Identities, events.events.rows);
        while let Err(error) = parts.finish(&positions).await {
            self.failed(&mut attempts, error).await.map_err(|error| self.give_up(&attempts, error))?;
        }
        (self.report)(CHECK, Ok(()));
        Ok(())
    }

    /// Inserts all events but those of the records that are returned.
    async fn insert_accepted(&mut self, events: &SealedEvents) -> Result<Vec<Refused>, Error> {
        let records = events.sources.records();
        let mut parts = self.store.write_parts(events);
        let mut refused: Vec<Refused> = Vec::new();
        let mut waiting = vec![records.as_slice()];
        let mut attempts = Attempts::new(Table::UsageEvents, events.events.rows);
        while let Some(part) = waiting.pop() {
            let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
            let Err(error) = parts.insert(first.position(), last.position()).await else {
                self.succeeded(&attempts);
                attempts.begin_again();
                continue;
            };
            if error.class() != ErrorClass::Poisonous {
                self.failed(&mut attempts, error).await.map_err(|error| self.give_up(&attempts, error))?;
                waiting.push(part);
            } else if let [record] = part {
                refused.push(Refused { record: *record, error });
            } else {
                let (left, right) = part.split_at(part.len() / 2);
                waiting.extend([right, left]);
            }
            if refused.len() > REFUSED_MAX
                && let Some(last) = refused.pop()
            {
                return Err(self.blame_the_table(&attempts, last));
            }
        }
        // The order of records in a batch tells nothing, so it is batches that are in a row.
        let is_one_accepted = refused.len() < records.len();
        self.refused_in_a_row = if is_one_accepted { 0 } else { self.refused_in_a_row + refused.len() };
        if self.refused_in_a_row >= REFUSED_IN_A_ROW_MAX
            && let Some(last) = refused.pop()
        {
            return Err(self.blame_the_table(&attempts, last));
        }
        Ok(refused)
    }

    /// The end, with the server's words about one record of many.
    fn blame_the_table(&self, attempts: &Attempts, last: Refused) -> Error {
        tracing::error!("so many refused records: it is not they that are wrong");
        self.give_up(attempts, last.error)
    }

    /// Puts refused records into quarantine and onto the mirror topic.
    async fn quarantine(&mut self, events: &SealedEvents, refused: &[Refused]) -> Result<Vec<Source>, Error> {
        let mut rejects = RejectBatch::default();
        for (number, Refused { record, error }) in refused.iter().enumerate() {
            match self.read_again(record).await {
                Some(found) => {
                    let reject = Reject::new(Reason::RefusedByStore, error.to_string());
                    rejects.push(&reject, &found.record(&self.kafka.topic), found.rest.clone());
                }
                None => rebuild::push(&mut rejects, events, record, &self.kafka.topic, &error.to_string()),
            }
            if rejects.bytes() >= QUARANTINE_BYTES || number + 1 == refused.len() {
                self.keep(std::mem::take(&mut rejects)).await?;
            }
        }
        Ok(refused.iter().map(|refused| refused.record).collect())
    }

    async fn keep(&mut self, mut rejects: RejectBatch) -> Result<(), Error> {
        if let Some(encoded) = rejects.seal() {
            self.insert(&encoded).await?;
        }
        self.mirror(&rejects).await;
        Ok(())
    }

    /// Reads a record from Kafka again, waiting for it as long as it takes. `None`: it is gone.
    async fn read_again(&mut self, record: &Source) -> Option<FoundRecord> {
        let (partition, offset) = record.position();
        let mut backoff = Backoff::new();
        loop {
            let why = match self.lookup.find(partition, offset).await {
                // Another record may be there, where the topic was made anew.
                Ok(found) => {
                    return found
                        .filter(|found| found.timestamp_ms.unwrap_or_default() == record.record_time);
                }
                Err(why) => why,
            };
            tracing::warn!(partition, offset, error = why, "cannot read a refused record again, waiting");
            (self.report)(CHECK, Err(format!("a refused record cannot be read again: {why}")));
            backoff.wait().await;
        }
    }
}
