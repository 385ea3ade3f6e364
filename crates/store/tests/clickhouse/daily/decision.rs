//! The decision of the look, which is SQL, and that of the reader, which is not, are the same.

use super::*;
use crate::awkward::scattered;

#[tokio::test]
async fn a_look_and_a_read_agree_on_every_state() {
    let database = Database::migrated(shared()).await;
    // Rows of every kind with few different times and counts, so that all cases meet.
    let mut rows = Vec::new();
    for date in 0..2_000_u64 {
        for row in 0..scattered(date) % 9 {
            let dice = scattered(date * 100 + row);
            let kind = ["mark", "header", "data", "data"][(dice % 4) as usize];
            let option = if kind == "data" { ["", "a", "b"][(dice / 4 % 3) as usize] } else { "" };
            let time = |dice: u64| 1_000_000_000 + (dice % 4) * 4_000_000;
            rows.push(format!(
                "('c', 's{date}', '2026-10-01', '{kind}', '{option}', '1970-01-01', \
                 fromUnixTimestamp64Nano({}), {}, fromUnixTimestamp64Nano({}))",
                time(dice / 12),
                dice / 48 % 3,
                time(dice / 144)
            ));
        }
    }
    database.run("SYSTEM STOP MERGES usage_daily").await;
    for part in rows.chunks(500) {
        let columns = "customer, subscription, date, kind, option_code, billing_day, at, records, mark";
        database.run(&format!("INSERT INTO usage_daily ({columns}) VALUES {}", part.join(","))).await;
    }
    let store = database.store();
    let mut looked = unclean(&store).await;
    let dates: Vec<_> = (0..2_000)
        .map(|date| meterhouse_store::UsageDate {
            customer: "c".into(),
            subscription: format!("s{date}"),
            day: crate::database::utc().day_of(at("2026-10-01T12:00:00Z")),
        })
        .collect();
    let states = store.date_states(&dates, MARGIN).await.unwrap();
    let clean = states.iter().filter(|state| state.is_clean).count();
    assert!(clean > 10, "{clean}");
    let mut read: Vec<_> =
        states.into_iter().filter(|state| !state.is_clean && state.mark.is_some()).collect();
    looked.sort_by(|a, b| a.date.cmp(&b.date));
    read.sort_by(|a, b| a.date.cmp(&b.date));
    assert!(read.len() > 1_000, "{}", read.len());
    assert_eq!(looked, read);
}
