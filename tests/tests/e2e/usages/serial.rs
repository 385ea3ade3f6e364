//! Several writers on one usage: whatever they do at once is as if they had done it one after the other.

use std::thread;
use std::time::Instant;

use anyhow::Result;
use meterhouse_tests::serial::{Change, Request, State, Told, has_order};
use meterhouse_tests::usages::{Usages, usage};
use meterhouse_tests::{Reply, Service, crash, wait};
use serde_json::{Value, json};

use super::apart::{Apart, joined};

/// A new usage of one unit, and its reference.
fn saved(usages: &Usages) -> Result<Value> {
    let saved = usages.saved("S", &json!([usage("cpu", "10:00:00", 1)]))?;
    Ok(saved[0]["UsageReference"].clone())
}

/// What there is of a usage.
fn state(usages: &Usages, reference: &Value) -> Result<State> {
    let all = usages.all("S")?;
    Ok(all.iter().find(|item| item["UsageReference"] == *reference).and_then(stated))
}

fn stated(usage: &Value) -> State {
    Some((usage["Units"].as_u64()?, usage["Description"].as_str()?.to_owned()))
}

fn statuses(replies: &[Reply]) -> Vec<u16> {
    replies.iter().map(|reply| reply.status).collect()
}

#[test]
fn two_changes_that_have_not_seen_each_other_are_both_kept() -> Result<()> {
    let apart = Apart::new("serial_changes", &["S"])?;
    let [one, other] = apart.usages();
    let reference = saved(&one)?;
    let replies = apart.collide(&[&|| one.update("S", &reference, &json!({"Units": 2})), &|| {
        other.update("S", &reference, &json!({"Description": "d"}))
    }])?;
    assert_eq!(statuses(&replies), [200, 200]);
    assert_eq!(stated(&replies[0].json()?), Some((2, String::new())), "the first one has seen nothing else");
    assert_eq!(stated(&replies[1].json()?), Some((2, "d".to_owned())));
    assert_eq!(state(&one, &reference)?, Some((2, "d".to_owned())));
    assert_eq!(apart.site.count("SELECT revision FROM usage_events FINAL")?, 2);
    apart.ends_well()
}

#[test]
fn of_a_change_and_a_deletion_either_may_come_first() -> Result<()> {
    let apart = Apart::new("serial_deletion", &["S"])?;
    let [one, other] = apart.usages();
    for is_first in [true, false] {
        let reference = saved(&one)?;
        let change = || one.update("S", &reference, &json!({"Units": 2}));
        let deletion = || other.delete("S", &format!("?UsageReference={reference}"));
        let replies = match is_first {
            true => apart.collide(&[&change, &deletion])?,
            false => apart.collide(&[&deletion, &change])?,
        };
        let statuses = statuses(&replies);
        // Of two that are stored at once the deletion counts as the first.
        let allowed: &[[u16; 2]] = if is_first { &[[200, 200], [404, 200]] } else { &[[200, 404]] };
        assert!(allowed.contains(&[statuses[0], statuses[1]]), "{statuses:?}");
        assert_eq!(state(&one, &reference)?, None);
    }
    apart.ends_well()
}

/// A deletion counts above a change that is as new and was there before it. Somebody may have read that change meanwhile, and
/// build upon it.
#[test]
fn a_deletion_also_takes_away_what_is_built_upon_what_it_overtakes() -> Result<()> {
    let mut apart = Apart::new("serial_overtaken", &["S"])?;
    // Each record is stored by itself, and those who wait know which of them are.
    apart.ingest.kill()?;
    apart.site.set("ingest.batch_rows", 1)?;
    apart.ingest.start_again()?;
    let [one, other] = apart.usages();
    let reference = saved(&one)?;
    apart.ingest.kill()?;
    let before = apart.site.log()?.len();
    let change = |units: u64| {
        let (one, reference) = (one.clone(), reference.clone());
        move || one.update("S", &reference, &json!({"Units": units}))
    };
    let overtaken = thread::spawn(change(2));
    apart.wait_logged(before + 1)?;
    let query = format!("?UsageReference={reference}");
    let deletion = thread::spawn(move || other.delete("S", &query));
    apart.wait_logged(before + 2)?;
    store_one(&mut apart.ingest)?;
    assert_eq!(overtaken.join().unwrap()?.status, 200);
    let built_upon = thread::spawn(change(3));
    apart.wait_logged(before + 3)?;
    store_one(&mut apart.ingest)?;
    let goes_on = || Ok(deletion.is_finished() || apart.site.log()?.len() > before + 3);
    wait::until_is("the deletion to end, or to go on", goes_on, |goes_on| *goes_on)?;
    apart.ingest.set_variables(&[]);
    apart.ingest.start_again()?;
    assert_eq!(deletion.join().unwrap()?.status, 200);
    let status = built_upon.join().unwrap()?.status;
    assert!([200, 404].contains(&status), "{status}");
    assert_eq!(state(&one, &reference)?, None, "it is deleted, and nobody has saved it since");
    apart.ends_well()
}

/// A process that stores one record and dies.
fn store_one(ingest: &mut Service) -> Result<()> {
    ingest.set_variables(&[(crash::VARIABLE, "ledger_inserted:1:kill")]);
    ingest.start_again()?;
    ingest.wait_end().map(|_| ())
}

#[test]
fn many_changes_at_once_come_one_after_the_other() -> Result<()> {
    let apart = Apart::new("serial_many", &["S"])?;
    let usages = apart.usages();
    let changes = |deletes: bool| {
        let units = [2, 3, 5, 7].map(Change::Units);
        let descriptions = ["a", "b", "c"].map(|text| Change::Description(text.to_owned()));
        let deletion = deletes.then_some(Change::Deletion);
        units.into_iter().chain(descriptions).chain(deletion).collect::<Vec<_>>()
    };
    for deletes in [false, true, true] {
        let reference = saved(&usages[0])?;
        let requests: Vec<Request> = thread::scope(|scope| {
            let sending: Vec<_> = changes(deletes)
                .into_iter()
                .zip(usages.iter().cycle())
                .map(|(change, usages)| scope.spawn(|| request(usages, &reference, change)))
                .collect();
            sending.into_iter().map(joined).collect::<Result<_>>()
        })?;
        let end = state(&usages[1], &reference)?;
        assert!(has_order(&Some((1, String::new())), &requests, &end), "{end:?} after {requests:#?}");
        let done = requests.iter().filter(|request| matches!(request.told, Told::Done(_))).count();
        assert!(done > 0, "nothing was done: {requests:#?}");
        if !deletes && requests.iter().all(|request| matches!(request.told, Told::Done(_))) {
            let sql = format!("SELECT revision FROM usage_events FINAL WHERE usage_reference = {reference}");
            assert_eq!(apart.site.count(&sql)?, done as u64, "every change has a revision of its own");
        }
    }
    apart.ends_well()
}

/// Makes a change, and keeps what was told.
fn request(usages: &Usages, reference: &Value, change: Change) -> Result<Request> {
    let begun = Instant::now();
    let reply = match &change {
        Change::Units(units) => usages.update("S", reference, &json!({"Units": units})),
        Change::Description(text) => usages.update("S", reference, &json!({"Description": text})),
        Change::Deletion => usages.delete("S", &format!("?UsageReference={reference}")),
    }?;
    let told = match (reply.status, &change) {
        (200, Change::Deletion) => Told::Done(None),
        (200, _) => Told::Done(stated(&reply.json()?)),
        (404, _) => Told::NotFound,
        (503, _) => Told::Unknown,
        _ => anyhow::bail!("{change:?}: {} {}", reply.status, reply.body),
    };
    Ok(Request { change, begun, ended: Instant::now(), told })
}
