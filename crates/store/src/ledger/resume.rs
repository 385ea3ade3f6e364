//! Where partitions are read on from.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::LastRecord;
use super::ranges::{Range, Touching};
use crate::{Error, Store};

const NEWEST: &str = include_str!("newest.sql");
const BEGINNING: &str = include_str!("beginning.sql");
const RANGES: &str = include_str!("ranges.sql");

/// How far a partition is accounted for, without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResumePoint {
    /// Its newest epoch.
    pub epoch: u32,
    /// End of the ranges that touch each other from the epoch's beginning: the offset to read on from.
    pub position: i64,
    /// The last record before it; `None`: none since the epoch's beginning.
    pub last_record: Option<LastRecord>,
    /// The topic that what is before it was read from, or that was accepted there, by Kafka's id; 0 where Kafka gives none.
    pub topic_id: u128,
}

/// The last range of a partition's newest epoch.
#[derive(Debug, Deserialize, clickhouse::Row)]
struct Newest {
    epoch: u32,
    resumed_at: i64,
}

/// How much of what is behind a gap is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Nothing: the end is known there.
    Touching,
    /// All, so that gaps can be named.
    Everything,
}

impl Store {
    /// Where partitions of a topic are read on from; nothing of those that nobody has ever begun to read.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn resume_points(
        &self,
        topic: &str,
        partitions: &[i32],
    ) -> Result<BTreeMap<i32, ResumePoint>, Error> {
        let mut points = BTreeMap::new();
        for partition in partitions {
            if let Some((epoch, touching)) = self.touching(topic, *partition, Extent::Touching).await? {
                let Touching { end: position, last_record, topic_id, .. } = touching;
                points.insert(*partition, ResumePoint { epoch, position, last_record, topic_id });
            }
        }
        Ok(points)
    }

    /// The newest epoch of a partition; `None`: nobody has ever begun to read it.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn newest_epoch(&self, topic: &str, partition: i32) -> Result<Option<u32>, Error> {
        Ok(self.newest(topic, partition).await?.map(|newest| newest.epoch))
    }

    /// The newest epoch of a partition, and its ranges that touch.
    ///
    /// The last range says from where its reader went on: everything before was on record. So only what came since is
    /// looked at, be there years of ranges before it. A position that no range ends at is not believed.
    pub(super) async fn touching(
        &self,
        topic: &str,
        partition: i32,
        extent: Extent,
    ) -> Result<Option<(u32, Touching)>, Error> {
        let Some(Newest { epoch, resumed_at }) = self.newest(topic, partition).await? else {
            return Ok(None);
        };
        let mut touching = self.touching_from(topic, partition, epoch, resumed_at, extent).await?;
        if !touching.starts_on_record {
            let beginning = self.beginning(topic, partition, epoch).await?;
            touching = self.touching_from(topic, partition, epoch, beginning, extent).await?;
        }
        Ok(Some((epoch, touching)))
    }

    async fn newest(&self, topic: &str, partition: i32) -> Result<Option<Newest>, Error> {
        let query = self.for_reads().query_raw(NEWEST).param("topic", topic).param("partition", partition);
        self.answer(query.fetch_optional()).await
    }

    async fn beginning(&self, topic: &str, partition: i32, epoch: u32) -> Result<i64, Error> {
        let query = self.for_reads().query_raw(BEGINNING);
        let query = query.param("topic", topic).param("partition", partition).param("epoch", epoch);
        self.answer(query.fetch_one()).await
    }

    async fn touching_from(
        &self,
        topic: &str,
        partition: i32,
        epoch: u32,
        start: i64,
        extent: Extent,
    ) -> Result<Touching, Error> {
        let query = self.for_reads().query_raw(RANGES);
        let query = query.param("topic", topic).param("partition", partition).param("epoch", epoch);
        let query = query.param("position", start);
        self.answer(async {
            let mut ranges = query.fetch::<Range>()?;
            let mut touching = Touching::from(start);
            while let Some(range) = ranges.next().await? {
                touching.add(&range);
                if extent == Extent::Touching && touching.is_final() {
                    break;
                }
            }
            Ok(touching)
        })
        .await
    }
}
