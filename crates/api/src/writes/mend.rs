//! Requests that lost their key to another one, and whose process ended before it took back what they alone have: all of
//! them leave a conflict in quarantine, with their record.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use meterhouse_model::{Event, Record, Rules, parse};
use meterhouse_query::Customers;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::save::Standing;
use super::{UsageWriter, WriteError, record};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(5);
/// How far back the first look goes, for as long as there may have been nobody to look.
const FIRST_LOOK: Duration = Duration::from_secs(31 * 86_400);
/// How far back the others go.
const LOOK: Duration = Duration::from_secs(600);
/// Name that the deletions bear.
const PRINCIPAL: &str = "meterhouse";

impl UsageWriter {
    /// Takes back what such requests have left behind, until the shutdown. Their own processes do so at once, where they
    /// can: what is done twice is done once.
    pub async fn mend(self, shutdown: CancellationToken) {
        let mut back = FIRST_LOOK;
        let mut done = HashSet::new();
        while shutdown.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_some() {
            // After a failure the next look goes as far back.
            if let Some(Ok(())) = shutdown.run_until_cancelled(self.mend_since(back, &mut done)).await {
                back = LOOK;
            }
        }
    }

    /// `done` holds hashes of what looks before have seen to: a conflict is found as long as a look goes back.
    async fn mend_since(&self, back: Duration, done: &mut HashSet<[u8; 32]>) -> Result<(), WriteError> {
        let found = self.usages.conflicting_requests(self.producer.topic(), back).await;
        // Before there are tables, that is no news.
        let found = found.map_err(|_| WriteError::Unavailable)?;
        let found: HashMap<[u8; 32], _> =
            found.into_iter().map(|value| (Sha256::digest(&value).into(), value)).collect();
        done.retain(|hash| found.contains_key(hash));
        for (hash, value) in found {
            if !done.contains(&hash) && self.mend_request(&value).await? {
                done.insert(hash);
            }
        }
        Ok(())
    }

    /// Takes back what a request has left behind, if another one has its key.
    async fn mend_request(&self, value: &[u8]) -> Result<bool, WriteError> {
        let events = self.events(value);
        let Some(first) = events.first() else { return Ok(false) };
        if self.standing(&events).await? != Standing::Anothers {
            return Ok(false);
        }
        let everybody = Customers::of_verified_principal(None);
        let subscription = self.usages.subscription_to_use(&everybody, &first.subscription);
        let Some(subscription) = self.ask("subscription", subscription).await? else { return Ok(false) };
        self.take_back(&subscription, &events, PRINCIPAL).await?;
        Ok(true)
    }

    /// The events of a record that was stored once: by whatever rules.
    fn events(&self, value: &[u8]) -> Vec<Event<'static>> {
        let now = self.rules();
        let rules = Rules {
            max_record_bytes: usize::MAX,
            max_interval_days: u32::MAX,
            allow_negative_units: true,
            ..Rules::new(Arc::clone(&now.zone))
        };
        let record = Record { timestamp_ms: None, ..record(self.producer.topic(), value, 0) };
        let events = parse(&record, &rules).unwrap_or_default();
        events.into_iter().map(Event::into_owned).collect()
    }
}
