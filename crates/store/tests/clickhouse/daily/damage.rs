//! Rows of `usage_daily` that should not be there, or should and are not.

use super::*;

/// A row by hand; `at` is so many nanoseconds later than that of the newest header.
async fn add_row(database: &Database<'_>, kind: &str, option: &str, later_by: i64, units: i64, records: u64) {
    database
        .run(&format!(
            "INSERT INTO usage_daily (customer, subscription, date, kind, option_code, billing_day, at, units, records, mark)
             SELECT 'c', 's', '2026-10-01', '{kind}', '{option}', if('{kind}' = 'data', '2026-10-01', '1970-01-01'),
                 max(at) + toIntervalNanosecond({later_by}), {units}, {records},
                 (SELECT max(at) FROM usage_daily WHERE kind = 'mark')
             FROM usage_daily WHERE kind = 'header'"
        ))
        .await;
}

async fn merge(database: &Database<'_>) {
    database.run("OPTIMIZE TABLE usage_daily FINAL").await;
}

#[tokio::test]
async fn late_rows_of_a_stale_worker_change_nothing() {
    let (database, store) = rolled_up(&[noon("s", "2026-10-01", "2")]).await;
    for later_by in [-1, -1_000_000, -86_400_000_000_000] {
        add_row(&database, "data", "scale", later_by, 99, 1).await;
        add_row(&database, "data", "disk", later_by, 99, 1).await;
        add_row(&database, "header", "", later_by, 0, 2).await;
        assert_eq!(unclean(&store).await, []);
        assert_eq!(shown(&exact(&store, "c", &[]).await), ["10.2026 scale 2.0 1"]);
        merge(&database).await;
        assert_eq!(unclean(&store).await, []);
        assert_eq!(shown(&exact(&store, "c", &[]).await), ["10.2026 scale 2.0 1"]);
    }
}

#[tokio::test]
async fn rows_of_a_scan_that_was_cut_off_make_the_date_live_until_the_next_one() {
    let both = [noon("s", "2026-10-01", "2"), noon("s", "2026-10-02", "4")];
    let (database, store) = rolled_up(&both).await;
    add_row(&database, "data", "scale", 1, 99, 1).await;
    for _ in 0..2 {
        assert_eq!(unclean(&store).await.len(), 1);
        assert_eq!(shown(&exact(&store, "c", &[]).await), ["10.2026 scale 6.0 2"]);
        merge(&database).await;
    }
    roll_up(&store).await;
    assert_eq!(shown(&exact(&store, "c", &[]).await), ["10.2026 scale 6.0 2"]);
}

#[tokio::test]
async fn a_header_with_another_number_of_rows_is_ignored() {
    let (database, store) = rolled_up(&[noon("s", "2026-10-01", "2")]).await;
    for records in [0, 2, u64::MAX] {
        add_row(&database, "header", "", 1, 0, records).await;
        add_row(&database, "data", "scale", 0, 99, 1).await;
        assert_eq!(unclean(&store).await.len(), 1, "{records}");
        assert_eq!(shown(&exact(&store, "c", &[]).await), ["10.2026 scale 2.0 1"]);
        roll_up(&store).await;
        assert_eq!(shown(&exact(&store, "c", &[]).await), ["10.2026 scale 2.0 1"]);
    }
}

#[tokio::test]
async fn a_mark_in_the_future_keeps_its_dates_live_and_exact() {
    let (database, store) = rolled_up(&[noon("s", "2026-10-01", "2"), noon("s", "2026-10-02", "4")]).await;
    // The clock was an hour ahead when somebody else was marked, and was set back.
    database
        .run("INSERT INTO touched SELECT now64(9) + INTERVAL 1 HOUR, 'other', 'x', toDate32('2026-10-01')")
        .await;
    let first: i64 = database.one("SELECT toUnixTimestamp64Nano(max(at)) FROM touched").await;
    write(&database, &[noon("s", "2026-10-02", "4"), noon("s", "2026-10-03", "8")]).await;
    let states = unclean(&store).await;
    assert_eq!(states.len(), 2);
    assert!(states.iter().all(|state| state.mark > Some(ServerTime(first))), "{states:?}");
    scan(&store, states).await;
    assert_eq!(unclean(&store).await.len(), 2, "a scan of now may have missed rows");
    assert_eq!(shown(&exact(&store, "c", &[]).await), ["10.2026 scale 14.0 3"]);
    write(&database, &[noon("s", "2026-10-04", "16")]).await;
    assert_eq!(shown(&exact(&store, "c", &[]).await), ["10.2026 scale 30.0 4"]);
}

#[tokio::test]
async fn a_header_from_the_future_is_waited_for() {
    let (database, store) = rolled_up(&[noon("s", "2026-10-01", "2")]).await;
    add_row(&database, "header", "", 3_600_000_000_000, 0, 7).await;
    let states = unclean(&store).await;
    assert_eq!(states[0].due_at(MARGIN), states[0].scanned_at);
    scan(&store, states).await;
    assert_eq!(unclean(&store).await.len(), 1);
    assert_eq!(shown(&exact(&store, "c", &[]).await), ["10.2026 scale 2.0 1"]);
}

#[tokio::test]
async fn dates_that_are_marked_again_are_live_at_once() {
    let events = [noon("s", "2026-09-30", "1"), noon("s", "2026-10-01", "2"), noon("t", "2026-10-01", "4")];
    let (database, store) = rolled_up(&events).await;
    let right = exact(&store, "c", &[]).await;
    let day = |text: &str| crate::database::utc().day_of(at(text));
    let october = DateFilter { from: day("2026-10-01T00:00:00Z"), ..DateFilter::default() };
    // Wrong sums that look right; a date of which everything is gone; one of which only the mark is.
    add_row(&database, "data", "scale", 0, 99, 1).await;
    database.run("DELETE FROM usage_daily WHERE subscription = 't'").await;
    database.run("DELETE FROM usage_daily WHERE date = '2026-09-30' AND kind = 'mark'").await;
    store.mark_again(&DateFilter { subscription: Some("s".into()), ..october.clone() }).await.unwrap();
    assert_eq!(unclean(&store).await.len(), 1, "only what was asked for");
    store.mark_again(&DateFilter { customer: Some("c".into()), ..october }).await.unwrap();
    assert_eq!(unclean(&store).await.len(), 2);
    store.mark_again(&DateFilter::default()).await.unwrap();
    assert_eq!(unclean(&store).await.len(), 3);
    assert_eq!(exact(&store, "c", &[]).await, right);
    roll_up(&store).await;
    assert_eq!(exact(&store, "c", &[]).await, right);
    database.run("TRUNCATE TABLE usage_events").await;
    assert_eq!(read_as(&store, "c", &[], MARGIN).await, right);
    // Events that somebody has taken away count no more, once their dates are marked.
    store.mark_again(&DateFilter::default()).await.unwrap();
    roll_up(&store).await;
    assert_eq!(exact(&store, "c", &[]).await, Sums::new());
}
