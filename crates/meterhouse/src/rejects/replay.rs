//! `meterhouse rejects replay`: rejects are judged again, and those that are usable now are stored where they came from.
//!
//! Events first, then the outcome: a replay that ends in between is made up for by the next one, whose rows are the same
//! rows. Rejects are taken in the order in which copies of an event count, so the first usable one gets the identity.

use std::sync::Arc;

use anyhow::anyhow;
use meterhouse_ingest::{FoundRecord, RecordLookup};
use meterhouse_model::{Reason, Reject, Rules};
use meterhouse_store::{
    ErrorClass, EventBatch, Outcome, RejectFilter, RejectKey, RejectPlace, ReplayCounts, ReplayOutcome,
    Store, StoredReject, crash,
};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::judge::{Case, Judged, Taken, judge};
use super::{ReplayArgs, text};
use crate::config::Config;
use crate::failure::{ExitKind, Failure};
use crate::files::Files;
use crate::principal;
use crate::rules::RuleSource;
use crate::schema::store_failure;
use crate::time::rfc3339;

/// Rejects whose places are read at a time.
const PAGE: u64 = 10_000;
/// Rejects that are judged and stored together: so many, or so many bytes.
const CHUNK_REJECTS: usize = 200;
const CHUNK_BYTES: u64 = 16 * 1024 * 1024;

/// Replays the rejects that a filter names.
///
/// # Errors
/// A server cannot be reached: what was done until then is done, and the same command goes on.
pub(super) async fn run(args: &ReplayArgs, config: &Config, store: &Store) -> Result<(), Failure> {
    let files = Files::load(config)?;
    let rules = RuleSource::new(config, &files).current();
    let failed = |error| store_failure(error, config);
    let (filter, filter_text, principal) = (args.filter.filter(), args.filter.text(), principal::name());
    let replay = store.new_replay().await.map_err(failed)?;
    if !args.dry_run {
        store.note_replay(&replay, &filter_text, &principal, None).await.map_err(failed)?;
    }
    let mut replayer = Replayer {
        args,
        config,
        store,
        rules,
        lookup: RecordLookup::new(&config.kafka.client_config(&config.ingest)),
        taken: Taken::default(),
        counts: ReplayCounts::default(),
    };
    replayer.replay_all(&filter, replay.started_at).await?;
    let counts = replayer.counts;
    if !args.dry_run {
        store.note_replay(&replay, &filter_text, &principal, Some(counts)).await.map_err(failed)?;
    }
    print_sum(&counts, args)
}

struct Replayer<'a> {
    args: &'a ReplayArgs,
    config: &'a Config,
    store: &'a Store,
    rules: Arc<Rules>,
    /// Reads what quarantine keeps in part.
    lookup: RecordLookup,
    taken: Taken,
    counts: ReplayCounts,
}

impl Replayer<'_> {
    async fn replay_all(&mut self, filter: &RejectFilter, until: i64) -> Result<(), Failure> {
        let mut left = self.args.limit.unwrap_or(u64::MAX);
        let mut last: Option<RejectKey> = None;
        while left > 0 {
            let limit = PAGE.min(left);
            let page = self.store.next_rejects(filter, last.as_ref(), until, limit).await;
            let page = page.map_err(|error| store_failure(error, self.config))?;
            for chunk in chunks(&page) {
                self.replay(chunk).await?;
            }
            left -= page.len() as u64;
            let is_last = (page.len() as u64) < limit;
            last = page.into_iter().next_back().map(|place| place.key);
            if is_last {
                break;
            }
        }
        Ok(())
    }

    async fn replay(&mut self, places: &[RejectPlace]) -> Result<(), Failure> {
        let failed = |error| store_failure(error, self.config);
        let mut cases = Vec::new();
        for reject in self.store.rejects_at(places).await.map_err(failed)? {
            let record = self.record(&reject).await?;
            cases.push(Case { reject, record });
        }
        let failed = |error| store_failure(error, self.config);
        let mut judged = judge(&cases, &self.rules, self.store, &mut self.taken).await.map_err(failed)?;
        if !self.args.dry_run {
            // The next chunk sees it in the database.
            self.taken.forget();
            self.write(&cases, &mut judged).await?;
            crash::point("replay_stored");
            let outcomes: Vec<Outcome> =
                cases.iter().zip(&judged).filter_map(|(case, judged)| outcome(case, judged)).collect();
            self.store.note_outcomes(&outcomes).await.map_err(failed)?;
            crash::point("replay_noted");
        }
        let mut lines = String::new();
        for (case, judged) in cases.iter().zip(&judged) {
            self.counts.count(judged.outcome);
            lines.push_str(&line(&case.reject, judged, self.args.json));
        }
        text::print(&lines)
    }

    /// The record of a reject, read from Kafka again where only a part of it is kept.
    async fn record(
        &mut self,
        reject: &StoredReject,
    ) -> Result<Result<FoundRecord, Judged<'static>>, Failure> {
        let (listed, key) = (&reject.listed, &reject.listed.key);
        if reject.is_whole() {
            return Ok(Ok(FoundRecord {
                partition: key.partition,
                offset: key.offset,
                timestamp_ms: listed.timestamp_ms(),
                value: Some(reject.raw.clone()),
                rest: reject.record.clone(),
            }));
        }
        let allowed = self.rules.max_record_bytes;
        if listed.raw_length > allowed as u64 {
            let detail = format!("the value has {} bytes, allowed are {allowed}", listed.raw_length);
            return Ok(Err(Judged::rejected(Reject::new(Reason::TooLarge, detail))));
        }
        let found = if key.topic == self.config.kafka.topic { self.find(key).await? } else { None };
        let is_same = |found: &FoundRecord| {
            let hash: [u8; 32] = Sha256::digest(found.value.as_deref().unwrap_or_default()).into();
            found.timestamp_ms == listed.timestamp_ms() && hash == reject.raw_sha256
        };
        Ok(found.filter(is_same).ok_or_else(Judged::unavailable))
    }

    async fn find(&mut self, key: &RejectKey) -> Result<Option<FoundRecord>, Failure> {
        self.lookup.find(key.partition, key.offset).await.map_err(|why| {
            let brokers = &self.config.kafka.brokers;
            Failure::new(ExitKind::Unreachable, anyhow!("kafka at {brokers}: {why}"))
        })
    }

    /// Stores the events of all records that are usable; the database may refuse some of them.
    async fn write(&self, cases: &[Case], judged: &mut [Judged<'_>]) -> Result<(), Failure> {
        if let Some(refusal) = self.write_together(cases, judged).await? {
            tracing::warn!(error = refusal, "clickhouse refuses rejects again: storing them one by one");
            for (case, judged) in cases.iter().zip(judged) {
                let alone = (std::slice::from_ref(case), std::slice::from_ref(judged));
                if let Some(refusal) = self.write_together(alone.0, alone.1).await? {
                    *judged = Judged::rejected(Reject::new(Reason::RefusedByStore, refusal));
                }
            }
        }
        Ok(())
    }

    /// Returns the server's words where it refuses the rows.
    async fn write_together(&self, cases: &[Case], judged: &[Judged<'_>]) -> Result<Option<String>, Failure> {
        let mut batch = EventBatch::default();
        for (case, judged) in cases.iter().zip(judged) {
            let Ok(found) = &case.record else { continue };
            let record = found.record(&case.reject.listed.key.topic);
            judged.events.iter().for_each(|event| batch.push(event, &record));
        }
        // What else there is of an event was read before, and may have come in another process since: the sweep is to
        // look at all of them.
        let Some(sealed) = batch.seal_suspecting_all() else { return Ok(None) };
        match self.store.write(&sealed).await {
            Ok(()) => Ok(None),
            Err(error) if error.class() == ErrorClass::Poisonous => Ok(Some(error.to_string())),
            Err(error) => Err(store_failure(error, self.config)),
        }
    }
}

/// What is to be noted; nothing where a record is stored, but would not be by the present rules.
fn outcome(case: &Case, judged: &Judged<'_>) -> Option<Outcome> {
    let was = &case.reject.listed.outcome;
    let was_stored =
        [ReplayOutcome::Stored, ReplayOutcome::Duplicate].iter().any(|stored| stored.as_str() == was);
    let is_news = judged.outcome.is_stored() || !was_stored;
    is_news.then(|| Outcome { reject: case.reject.clone(), outcome: judged.outcome, now: judged.now.clone() })
}

/// Cuts a page into parts that fit into memory, one reject at least.
fn chunks(mut places: &[RejectPlace]) -> impl Iterator<Item = &[RejectPlace]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = places.iter().take(CHUNK_REJECTS).take_while(|place| {
            bytes += place.raw_bytes;
            bytes <= CHUNK_BYTES
        });
        let (chunk, rest) = places.split_at(fitting.count().max(1).min(places.len()));
        places = rest;
        (!chunk.is_empty()).then_some(chunk)
    })
}

fn line(reject: &StoredReject, judged: &Judged<'_>, json: bool) -> String {
    let listed = &reject.listed;
    let (outcome, detail) = (judged.outcome.as_str(), judged.now.as_ref().map(ToString::to_string));
    if json {
        let key = &listed.key;
        let line = json!({
            "topic": key.topic, "partition": key.partition, "offset": key.offset, "index": key.index,
            "record_time": listed.timestamp_ms().map(rfc3339), "was": listed.reason, "outcome": outcome,
            "reason": judged.now.as_ref().map(|now| now.reason.as_str()),
            "detail": judged.now.as_ref().map(|now| now.detail.as_str()),
        });
        return format!("{line}\n");
    }
    let why =
        detail.map(|detail| format!(": {}", text::on_one_line(&detail, usize::MAX))).unwrap_or_default();
    format!(
        "{}  {}  {} -> {outcome}{why}\n",
        text::record_time(listed),
        text::place(&listed.key),
        listed.reason
    )
}

fn print_sum(counts: &ReplayCounts, args: &ReplayArgs) -> Result<(), Failure> {
    let ReplayCounts { stored, duplicates, conflicts, rejected, unavailable } = counts;
    if args.json {
        let sum = json!({
            "replayed": counts.total(), "stored": stored, "duplicates": duplicates, "conflicts": conflicts,
            "rejected": rejected, "unavailable": unavailable, "dry_run": args.dry_run,
        });
        return text::print(&format!("{sum}\n"));
    }
    let dry = if args.dry_run { "dry run, nothing is written: " } else { "" };
    text::print(&format!(
        "{dry}{} rejects: {stored} stored, {duplicates} duplicates, {conflicts} conflicts, {rejected} rejected, \
         {unavailable} unavailable\n",
        counts.total()
    ))
}
