//! Reads of quarantine. Always FINAL: of the rows of a reject the one with the highest standing counts.

use std::time::Duration;

use clickhouse::query::Query;
use serde::Deserialize;

use super::{ListedReject, RejectFilter, RejectKey, RejectPlace, StoredReject};
use crate::{Error, RejectScope, RejectedRecord, Store};

const FROM: &str = include_str!("from.sql");
const OF_SUBSCRIPTION: &str = include_str!("of_subscription.sql");
/// Each begins with the columns of place.sql; the whole also has those of the list.
const KEYS: &str = concat!(include_str!("place.sql"), include_str!("keys.sql"));
const BEHIND: &str = include_str!("behind.sql");
const LISTED: &str = concat!(include_str!("place.sql"), include_str!("listed.sql"));
const NEWEST: &str = include_str!("newest.sql");
const WHOLE: &str = concat!(include_str!("place.sql"), include_str!("listed.sql"), include_str!("whole.sql"));
const AT_PLACES: &str = include_str!("at_places.sql");
const AT_POSITION: &str = include_str!("at_position.sql");
const REQUESTS: &str = include_str!("requests.sql");
/// Requests that are told at most.
const REQUESTS_MAX: u64 = 1000;
const COUNT: &str = "SELECT count() ";

#[derive(Deserialize, clickhouse::Row)]
struct KeyRow {
    record_time_ms: i64,
    topic_name: String,
    partition: i32,
    offset: i64,
    index: i32,
    is_event: bool,
    raw_bytes: u64,
}

#[derive(Deserialize, clickhouse::Row)]
struct ListedRow {
    record_time_ms: i64,
    topic_name: String,
    partition: i32,
    offset: i64,
    index: i32,
    is_event: bool,
    has_timestamp: bool,
    reason_text: String,
    first_reason_text: String,
    detail: String,
    raw_length: u64,
    rejected_at_ms: i64,
    replayed_at_ms: i64,
    outcome: String,
}

#[derive(Deserialize, clickhouse::Row)]
struct WholeRow {
    record_time_ms: i64,
    topic_name: String,
    partition: i32,
    offset: i64,
    index: i32,
    is_event: bool,
    has_timestamp: bool,
    reason_text: String,
    first_reason_text: String,
    detail: String,
    raw_length: u64,
    rejected_at_ms: i64,
    replayed_at_ms: i64,
    outcome: String,
    record_key_hex: String,
    headers_hex: Vec<(String, String)>,
    raw_hex: String,
    raw_sha256_hex: String,
}

impl Store {
    /// The newest rejects, and how many there are in all.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn list_rejects(
        &self,
        filter: &RejectFilter,
        limit: u64,
    ) -> Result<(Vec<ListedReject>, u64), Error> {
        let listed = self.filtered(filter, LISTED, NEWEST).param("limit", limit);
        let count = self.filtered(filter, COUNT, "");
        let (rows, count): (Vec<ListedRow>, u64) =
            tokio::try_join!(self.answer(listed.fetch_all()), self.answer(count.fetch_one()))?;
        Ok((rows.into_iter().map(ListedReject::from).collect(), count))
    }

    /// The next rejects behind one, in the order of a replay. `until` leaves out what was rejected later, in milliseconds
    /// since the epoch by the server's clock.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn next_rejects(
        &self,
        filter: &RejectFilter,
        after: Option<&RejectKey>,
        until: i64,
        limit: u64,
    ) -> Result<Vec<RejectPlace>, Error> {
        let query = self
            .filtered(filter, KEYS, BEHIND)
            .param("until", until)
            .param("after_time", after.map_or(i64::MIN, |key| key.record_time))
            .param("after_topic", after.map_or("", |key| key.topic.as_str()))
            .param("after_partition", after.map_or(i32::MIN, |key| key.partition))
            .param("after_offset", after.map_or(i64::MIN, |key| key.offset))
            .param("after_index", after.map_or(i32::MIN, |key| key.index))
            .param("after_event", after.is_some_and(|key| key.scope == RejectScope::Event))
            .param("limit", limit);
        let rows: Vec<KeyRow> = self.answer(query.fetch_all()).await?;
        let place = |row: KeyRow| RejectPlace {
            key: RejectKey {
                record_time: row.record_time_ms,
                topic: row.topic_name,
                partition: row.partition,
                offset: row.offset,
                index: row.index,
                scope: scope(row.is_event),
            },
            raw_bytes: row.raw_bytes,
        };
        Ok(rows.into_iter().map(place).collect())
    }

    /// The rejects at some places, in the order of the places. One that is gone is left out.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn rejects_at(&self, places: &[RejectPlace]) -> Result<Vec<StoredReject>, Error> {
        let of_place = |place: &RejectPlace| (place.key.topic.clone(), place.key.partition, place.key.offset);
        let positions: Vec<(String, i32, i64)> = places.iter().map(of_place).collect();
        let query = self.for_reads().query_raw(&format!("{WHOLE}{AT_PLACES}")).param("places", positions);
        let mut found = self.whole(query).await?;
        // At one offset there may be rejects of another record, where the topic was made anew.
        found.retain(|reject| places.iter().any(|place| place.key == reject.listed.key));
        found.sort_by(|a, b| a.listed.key.cmp(&b.listed.key));
        Ok(found)
    }

    /// All rejects of an offset of a partition.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn rejects_of(&self, partition: i32, offset: i64) -> Result<Vec<StoredReject>, Error> {
        let query = self.for_reads().query_raw(&format!("{WHOLE}{AT_POSITION}"));
        self.whole(query.param("partition", partition).param("offset", offset)).await
    }

    /// The values of records of HTTP requests whose first usage was found in conflict not longer ago than that, up to 1000.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn conflicting_requests(&self, topic: &str, back: Duration) -> Result<Vec<Vec<u8>>, Error> {
        let query = self.for_reads().query_raw(REQUESTS).param("topic", topic);
        let query = query.param("seconds", back.as_secs()).param("limit", REQUESTS_MAX);
        let values: Vec<String> = self.answer(query.fetch_all()).await?;
        values.iter().map(|value| bytes(value)).collect()
    }

    async fn whole(&self, query: Query) -> Result<Vec<StoredReject>, Error> {
        let rows: Vec<WholeRow> = self.answer(query.fetch_all()).await?;
        rows.into_iter().map(StoredReject::try_from).collect()
    }

    fn filtered(&self, filter: &RejectFilter, select: &str, end: &str) -> Query {
        let of_subscription = if filter.subscription.is_some() { OF_SUBSCRIPTION } else { "" };
        let mut query = self
            .for_reads()
            .query_raw(&[select, FROM, of_subscription, end].concat())
            .param("reasons", &filter.reasons)
            .param("from", filter.from_ms)
            .param("to", filter.to_ms)
            .param("partition", filter.partition.unwrap_or(-1))
            .param("state", filter.state.as_str());
        if let Some(subscription) = &filter.subscription {
            query = query.param("subscription", subscription);
        }
        query
    }
}

fn scope(is_event: bool) -> RejectScope {
    if is_event { RejectScope::Event } else { RejectScope::Record }
}

impl From<ListedRow> for ListedReject {
    fn from(row: ListedRow) -> Self {
        Self {
            key: RejectKey {
                record_time: row.record_time_ms,
                topic: row.topic_name,
                partition: row.partition,
                offset: row.offset,
                index: row.index,
                scope: scope(row.is_event),
            },
            has_timestamp: row.has_timestamp,
            reason: row.reason_text,
            first_reason: row.first_reason_text,
            detail: row.detail,
            raw_length: row.raw_length,
            rejected_at: row.rejected_at_ms,
            replayed_at: row.replayed_at_ms,
            outcome: row.outcome,
        }
    }
}

impl TryFrom<WholeRow> for StoredReject {
    type Error = Error;

    fn try_from(row: WholeRow) -> Result<Self, Error> {
        let headers = row.headers_hex.iter().map(|(name, value)| Ok((bytes(name)?, bytes(value)?)));
        let key = bytes(&row.record_key_hex)?;
        let hash = bytes(&row.raw_sha256_hex)?;
        Ok(Self {
            record: RejectedRecord {
                key: (!key.is_empty()).then_some(key),
                headers: headers.collect::<Result<_, Error>>()?,
            },
            raw: bytes(&row.raw_hex)?,
            raw_sha256: hash.try_into().map_err(|_| Error::Unexpected("a hash of another length".into()))?,
            listed: ListedRow {
                record_time_ms: row.record_time_ms,
                topic_name: row.topic_name,
                partition: row.partition,
                offset: row.offset,
                index: row.index,
                is_event: row.is_event,
                has_timestamp: row.has_timestamp,
                reason_text: row.reason_text,
                first_reason_text: row.first_reason_text,
                detail: row.detail,
                raw_length: row.raw_length,
                rejected_at_ms: row.rejected_at_ms,
                replayed_at_ms: row.replayed_at_ms,
                outcome: row.outcome,
            }
            .into(),
        })
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, Error> {
    hex::decode(text).map_err(|error| Error::Unexpected(format!("bytes in hex: {error}")))
}
