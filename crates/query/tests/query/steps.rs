//! What somebody sees who asks again and again while usage comes in and is summed up.

use std::time::Duration;

use crate::site::{Site, shared, usage, write};

#[tokio::test]
async fn answers_never_step_back_and_are_never_ahead() {
    let site = Site::new(shared(), Duration::from_secs(1), Duration::from_millis(2_100)).await;
    let worker = site.worker();
    let (acknowledged, asked) = (std::cell::Cell::new(0_u64), std::cell::Cell::new(0_u64));
    let writing = async {
        for round in 0..60_u64 {
            // The same dates again and again, and pauses that let them become clean.
            let events: Vec<_> = (0..10)
                .map(|minute| {
                    let day = round * 7 % 20 + 1;
                    let end = format!("2026-10-{day:02} {:02}:{minute:02}:00", 10 + round % 12);
                    usage("c", "s", "scale", &end, "1")
                })
                .collect();
            let before = site.raw_sums("customer = 'c'").values().map(|(_, records)| records).sum::<u64>();
            asked.set(before + 10);
            write(&site.store, &events).await;
            acknowledged.set(site.raw_sums("customer = 'c'").values().map(|(_, records)| records).sum());
            tokio::time::sleep(Duration::from_millis(round % 5 * 100)).await;
        }
    };
    let reading = async {
        let (mut last, mut answers) = (0, 0);
        loop {
            let least = acknowledged.get();
            let records: u64 = site.sums("c", &[]).await.values().map(|(_, records)| records).sum();
            assert!(records >= last, "{records} after {last}");
            assert!((least..=asked.get()).contains(&records), "{records}, of {least} to {}", asked.get());
            (last, answers) = (records, answers + 1);
            tokio::task::yield_now().await;
            if records == 600 || answers > 100_000 {
                return answers;
            }
        }
    };
    let ((), answers) = tokio::join!(writing, reading);
    assert!(answers > 100, "{answers}");
    site.rolled_up().await;
    assert_eq!(site.sums("c", &[]).await, site.raw_sums("customer = 'c'"));
    worker.end().await;
}
