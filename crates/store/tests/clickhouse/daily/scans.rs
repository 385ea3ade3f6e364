//! Scans, and what is written after them.

use std::borrow::Cow;

use meterhouse_model::{Change, Event};

use super::*;

/// Events that no scan must see any more.
async fn take_events_away(database: &Database<'_>) {
    database.run("TRUNCATE TABLE usage_events").await;
}

fn option(code: &'static str, event: Event<'static>) -> Event<'static> {
    Event { option_code: Cow::Borrowed(code), ..event }
}

#[tokio::test]
async fn clean_dates_are_answered_from_their_sums_and_others_from_the_events() {
    let events = [noon("s", "2026-09-30", "1"), noon("s", "2026-10-01", "2"), noon("t", "2026-10-02", "4")];
    let (database, store) = rolled_up(&events).await;
    assert_eq!(shown(&exact(&store, "c", &[]).await), ["09.2026 scale 1.0 1", "10.2026 scale 6.0 2"]);
    let more = option("disk", Event { description: Cow::Borrowed("new"), ..noon("t", "2026-10-02", "8") });
    write(&database, &[more]).await;
    let expected = ["09.2026 scale 1.0 1", "10.2026 disk 8.0 1", "10.2026 scale 6.0 2"];
    assert_eq!(shown(&exact(&store, "c", &[]).await), expected, "at once");
    take_events_away(&database).await;
    let clean = read_as(&store, "c", &[], MARGIN).await;
    assert_eq!(shown(&clean), ["09.2026 scale 1.0 1", "10.2026 scale 2.0 1"], "the date of t is live");
    assert_eq!(read_as(&store, "c", &[], NEVER).await, Sums::new());
}

#[tokio::test]
async fn a_date_without_a_scan_is_live() {
    let database = Database::migrated(shared()).await;
    let store = database.store();
    write(&database, &[noon("s", "2026-10-01", "2")]).await;
    assert_eq!(shown(&exact(&store, "c", &[]).await), ["10.2026 scale 2.0 1"]);
    let states = unclean(&store).await;
    assert_eq!((states.len(), states[0].scanned_at, states[0].date.day.0), (1, None, 20_727));
    assert_eq!(store.date_states(&[states[0].date.clone()], MARGIN).await.unwrap(), states);
}

#[tokio::test]
async fn what_has_vanished_or_changed_counts_as_it_is() {
    let both = [option("disk", noon("s", "2026-10-01", "2")), noon("s", "2026-10-01", "3")];
    let (database, store) = rolled_up(&[&both[..], &[noon("s", "2026-10-05", "7")]].concat()).await;
    let changes = [
        Event { change: Change::Delete(1), ..both[0].clone() },
        Event { change: Change::Amend(1), ..noon("s", "2026-10-01", "0.5") },
        Event { change: Change::Delete(1), ..noon("s", "2026-10-05", "7") },
    ];
    write(&database, &changes).await;
    let expected = ["10.2026 scale 0.5 1"];
    assert_eq!(shown(&exact(&store, "c", &[]).await), expected);
    roll_up(&store).await;
    assert_eq!(shown(&exact(&store, "c", &[]).await), expected);
    take_events_away(&database).await;
    assert_eq!(
        shown(&read_as(&store, "c", &[], MARGIN).await),
        expected,
        "all dates are clean, also the empty one"
    );
    database.run("OPTIMIZE TABLE usage_daily FINAL").await;
    assert_eq!(shown(&read_as(&store, "c", &[], MARGIN).await), expected);
}

#[tokio::test]
async fn a_mark_between_the_scan_and_its_header_keeps_the_date_live() {
    let (database, store) = rolled_up(&[noon("s", "2026-10-01", "2")]).await;
    let late = Event { description: Cow::Borrowed("late"), ..option("disk", noon("s", "2026-10-01", "1")) };
    write(&database, std::slice::from_ref(&late)).await;
    tokio::time::sleep(MARGIN * 2).await;
    // A worker reads the marks; then there is a new one, of a write that is not complete yet.
    let known = unclean(&store).await;
    let more = written(&[option("net", noon("s", "2026-10-01", "4"))]);
    store.insert(&more.marks.all()).await.unwrap();
    scan(&store, known).await;
    assert_eq!(unclean(&store).await.len(), 1);
    store.insert(&more.events).await.unwrap();
    assert_eq!(exact(&store, "c", &[]).await.len(), 3);
    store.insert(&more.marks.all()).await.unwrap();
    roll_up(&store).await;
    take_events_away(&database).await;
    assert_eq!(read_as(&store, "c", &[], MARGIN).await.len(), 3);
}

#[tokio::test]
async fn a_scan_within_the_margin_does_not_count() {
    let database = Database::migrated(shared()).await;
    let store = database.store();
    write(&database, &[noon("s", "2026-10-01", "2")]).await;
    scan(&store, unclean(&store).await).await;
    let margin = Duration::from_secs(60);
    let page = store.date_page(None).await.unwrap();
    let states = store.unclean_dates(&page, &DateFilter::default(), margin).await.unwrap();
    assert!(states[0].scanned_at > states[0].mark);
    assert_eq!(states[0].due_at(margin), Some(states[0].mark.unwrap().plus(margin)));
    take_events_away(&database).await;
    assert_eq!(read_as(&store, "c", &[], margin).await, Sums::new(), "live");
}

#[tokio::test]
async fn merges_change_no_answer() {
    let (database, store) = rolled_up(&[noon("s", "2026-10-01", "2"), noon("t", "2026-10-01", "2")]).await;
    for units in ["3", "4", "5"] {
        database.run("SYSTEM STOP MERGES usage_daily").await;
        let change =
            Event { change: Change::Amend(units.parse().unwrap()), ..noon("s", "2026-10-01", units) };
        write(&database, &[change]).await;
        let stopped = exact(&store, "c", &[]).await;
        roll_up(&store).await;
        assert_eq!(exact(&store, "c", &[]).await, stopped);
        database.run("SYSTEM START MERGES usage_daily").await;
        database.run("OPTIMIZE TABLE usage_daily FINAL").await;
        assert_eq!(exact(&store, "c", &[]).await, stopped);
        assert_eq!(unclean(&store).await, []);
    }
}
