//! The columns that outsiders may read by name.

use std::borrow::Cow;

use meterhouse_model::{Event, Identity};

use crate::awkward::TEXTS;
use crate::database::{Database, shared};
use crate::sample::{at, event, sealed};

const USAGE_EVENTS: &str = "customer, subscription, option_code, event_id, usage_start, usage_end, billed_at, billing_day, \
                            units, description, usage_reference, revision, topic, partition, offset, version, is_deleted";
const REJECTS: &str = "topic, partition, offset, index, reason, detail, raw, headers, record_time, rejected_at, replayed_at, \
                       replay_outcome";

#[tokio::test]
async fn documented_columns_are_there() {
    let database = Database::migrated(shared()).await;
    for (columns, table) in [(USAGE_EVENTS, "usage_events"), (REJECTS, "rejects")] {
        database.run(&format!("SELECT {columns} FROM {table} FINAL")).await;
        let described: Vec<String> = database
            .all(&format!(
                "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = '{table}'"
            ))
            .await;
        for column in columns.split(", ") {
            assert!(described.iter().any(|name| name == column), "{table}.{column}");
        }
    }
}

#[tokio::test]
async fn values_read_as_documented() {
    let database = Database::migrated(shared()).await;
    database.store().insert(&sealed(&[event("s", "e-1", at("2026-10-01T00:00:00Z"), "12.5")])).await.unwrap();
    let row: String =
        database.one(&format!("SELECT toJSONString(tuple({USAGE_EVENTS})) FROM usage_events FINAL")).await;
    let start = r#"["","s","scale","e-1","2026-09-30 23:00:00.000000","2026-10-01 00:00:00.000000","2026-09-30 23:59:59.999999","2026-09-30",12.5,"","#;
    assert!(row.starts_with(start), "{row}");
}

/// The producer's id of each event, by the server's own reading of the identity.
async fn event_ids(identities: Vec<Identity<'static>>) -> Vec<String> {
    let events: Vec<Event<'static>> = identities
        .into_iter()
        .zip(1000..)
        .map(|(identity, subscription)| Event {
            identity,
            ..event(&subscription.to_string(), "", at("2026-10-03T18:00:00Z"), "1")
        })
        .collect();
    let database = Database::migrated(shared()).await;
    database.store().insert(&sealed(&events)).await.unwrap();
    database.all("SELECT event_id FROM usage_events ORDER BY subscription").await
}

/// Texts of all lengths at which the digits of a length change, and such as look like parts of an identity.
fn texts(longest: usize) -> Vec<String> {
    let lengths = [1, 9, 10, 11, 99, 100, 101, longest];
    let alike = ["e:1:a", "1:", ":", "::", ",", ",,0", "0", "5:ab,cd", "3:x,1:y,0", "12,3:4", "ü:ö,ß"];
    let sized = lengths.into_iter().flat_map(|length| ["7".repeat(length), "é".repeat(length / 2) + "x"]);
    sized
        .chain(alike.into_iter().chain(TEXTS).map(str::to_owned))
        .filter(|text| text.len() <= longest)
        .collect()
}

#[tokio::test]
async fn event_ids_are_read_out_of_identities() {
    let ids = texts(128);
    assert_eq!(event_ids(ids.iter().cloned().map(Cow::Owned).map(Identity::EventId).collect()).await, ids);
}

#[tokio::test]
async fn ids_of_cloud_events_are_read_out_of_identities() {
    let (sources, ids) = (texts(512), texts(256));
    let pairs: Vec<(&String, &String)> =
        sources.iter().flat_map(|source| ids.iter().map(move |id| (source, id))).collect();
    let identity = |(number, (source, id)): (usize, &(&String, &String))| Identity::CloudEvent {
        source: Cow::Owned((*source).clone()),
        id: Cow::Owned((*id).clone()),
        index: [0, 9, 10, 999][number % 4],
    };
    let read = event_ids(pairs.iter().enumerate().map(identity).collect()).await;
    for (read, (source, id)) in read.iter().zip(&pairs) {
        assert_eq!(read, *id, "source {source:?}");
    }
}

#[tokio::test]
async fn coordinates_have_no_event_id() {
    let identity = |topic: &'static str| Identity::Coordinates {
        topic: Cow::Borrowed(topic),
        partition: 1,
        offset: 2,
        timestamp_ms: -1,
        index: 0,
    };
    assert_eq!(event_ids(vec![identity("usage-events"), identity("e"), identity("c")]).await, ["", "", ""]);
}
