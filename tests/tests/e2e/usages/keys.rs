//! One `Idempotency-Key`, several requests at once, through two processes; and clients that do not wait for their answer.

use std::thread;

use anyhow::{Context, Result};
use meterhouse_tests::check::history_lines;
use meterhouse_tests::usages::{Usages, persist, usage};
use meterhouse_tests::{Reply, wait};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::apart::{Apart, joined};

/// Usages of an option code that end at these hours of a day of October 2026.
fn body(option_code: &str, day: &str, hours: &[u32], units: u64) -> Value {
    let one = |hour: &u32| {
        let mut usage = usage(option_code, "", units);
        let time = |minutes: u32| json!(format!("2026-10-{day} {hour:02}:{minutes:02}:00"));
        (usage["UsageStart"], usage["UsageEnd"]) = (time(0), time(30));
        usage
    };
    hours.iter().map(one).collect()
}

/// What an answer or a list states, in one order.
fn stated(usages: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> = usages
        .iter()
        .map(|usage| {
            let member = |name: &str| usage[name].to_string();
            ["UsageReference", "OptionCode", "UsageStart", "UsageEnd", "Units"].map(member).join(" ")
        })
        .collect();
    texts.sort();
    texts
}

fn saved(reply: &Reply) -> Result<Vec<String>> {
    Ok(stated(reply.json()?.as_array().context("an array")?))
}

/// Waits until a subscription has just these usages: a copy of a usage that has lost on another key is gone a moment later.
fn wait_left(usages: &Usages, subscription: &str, wanted: &[String]) -> Result<()> {
    let what = format!("{subscription} to have only what has won");
    wait::until_is(&what, || Ok(stated(&usages.all(subscription)?)), |left| *left == wanted).map(|_| ())
}

#[test]
fn the_same_request_twice_at_once_counts_once() -> Result<()> {
    let apart = Apart::new("keys_same", &["S"])?;
    let [one, other] = apart.usages();
    let body = body("cpu", "03", &[1, 2, 3], 10);
    let replies =
        apart.collide(&[&|| one.save("S", &body, Some("k")), &|| other.save("S", &body, Some("k"))])?;
    assert_eq!([replies[0].status, replies[1].status], [200, 200], "{replies:?}");
    assert_eq!(replies[0].body, replies[1].body);
    assert_eq!(stated(&one.all("S")?), saved(&replies[0])?);
    assert_eq!(history_lines(&apart.site, &apart.apis[1].client(), "c")?, ["10.2026 cpu 30.0"]);
    apart.ends_well()
}

#[test]
fn of_other_requests_with_the_same_key_the_first_one_remains() -> Result<()> {
    let pairs = [
        ("longer", body("cpu", "03", &[1], 1), body("cpu", "03", &[1, 2, 3, 4], 1)),
        ("shorter", body("cpu", "03", &[1, 2, 3, 4], 1), body("cpu", "03", &[1, 2], 1)),
        ("units", body("cpu", "03", &[1, 2], 1), body("cpu", "03", &[1, 2], 2)),
        ("option", body("cpu", "03", &[1, 2], 1), body("ram", "03", &[1, 2, 3], 2)),
        ("dates", body("cpu", "03", &[1, 2, 3], 1), body("cpu", "05", &[1, 2], 2)),
    ];
    let names = pairs.each_ref().map(|(name, ..)| *name);
    let apart = Apart::new("keys_other", &names)?;
    let [one, other] = apart.usages();
    let mut won = Vec::new();
    for (name, first, second) in &pairs {
        let replies = apart
            .collide(&[&|| one.save(name, first, Some("k")), &|| other.save(name, second, Some("k"))])?;
        assert_eq!([replies[0].status, replies[1].status], [200, 409], "{name}: {replies:?}");
        let winners = saved(&replies[0])?;
        wait_left(&one, name, &winners)?;
        // Whoever comes again hears the same, also from the other process.
        let again = [other.save(name, first, Some("k"))?, one.save(name, second, Some("k"))?];
        assert_eq!([again[0].status, again[1].status], [200, 409], "{name}: {again:?}");
        assert_eq!(again[0].body, replies[0].body);
        won.push((*name, winners));
    }
    for (name, winners) in &won {
        assert_eq!(stated(&other.all(name)?), *winners, "{name}");
    }
    apart.ends_well()
}

#[test]
fn of_requests_that_race_for_a_key_one_counts() -> Result<()> {
    const ROUNDS: u32 = 4;
    let apart = Apart::new("keys_race", &["S"])?;
    let usages = apart.usages();
    let bodies =
        [body("cpu", "03", &[1], 1), body("cpu", "04", &[1, 2, 3, 4], 10), body("ram", "03", &[1, 2], 100)];
    let mut won = Vec::new();
    for round in 0..ROUNDS {
        let key = format!("k{round}");
        let replies: Vec<Reply> = thread::scope(|scope| {
            let sending: Vec<_> = bodies
                .iter()
                .zip(usages.iter().cycle().skip(round as usize))
                .map(|(body, usages)| {
                    let save = || usages.save("S", body, Some(&key));
                    scope.spawn(move || persist("who has the key", save).map(|(reply, _)| reply))
                })
                .collect();
            sending.into_iter().map(joined).collect::<Result<_>>()
        })?;
        let winners: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 200).collect();
        let losers = replies.iter().filter(|reply| reply.status == 409).count();
        assert_eq!((winners.len(), losers), (1, 2), "{replies:?}");
        won.extend(saved(winners[0])?);
        won.sort();
        wait_left(&usages[0], "S", &won)?;
    }
    apart.ends_well()
}

#[test]
fn who_does_not_wait_for_the_answer_finds_it_done() -> Result<()> {
    let apart = Apart::new("keys_gone", &["S"])?;
    let [one, other] = apart.usages();
    let body = body("cpu", "03", &[1, 2], 1);
    let key = [("Idempotency-Key", "k")];
    // The record is on the topic and not stored; nobody is there any more when it is.
    apart.ingest.signal(Signal::SIGSTOP)?;
    let connection = one.abandon("POST", "S/usages", &key, &body)?;
    apart.wait_logged(1)?;
    drop(connection);
    apart.ingest.signal(Signal::SIGCONT)?;
    let listed = wait::until_is("the usages to be there", || one.all("S"), |listed| listed.len() == 2)?;
    let again = other.save("S", &body, Some("k"))?;
    assert_eq!((again.status, saved(&again)?), (200, stated(&listed)), "{again:?}");
    assert_eq!(apart.site.log()?.len(), 1, "it was found, not written again");
    // Whatever has become of one that goes away at once, it counts once.
    for number in 0..3 {
        let key = format!("at once {number}");
        drop(one.abandon("POST", "S/usages", &[("Idempotency-Key", &key)], &body)?);
        let (again, _) = persist("the usages to be saved", || other.save("S", &body, Some(&key)))?;
        assert_eq!(again.status, 200, "{again:?}");
    }
    assert_eq!(one.all("S")?.len(), 8);
    apart.ends_well()
}

/// Who loses has to take back what the winner does not have; that nobody waits for it is no excuse.
#[test]
fn who_loses_and_goes_away_leaves_nothing_behind() -> Result<()> {
    let apart = Apart::new("keys_lost", &["S"])?;
    let [one, other] = apart.usages();
    let (short, long) = (body("cpu", "03", &[1], 1), body("cpu", "03", &[1, 2, 3], 10));
    apart.ingest.signal(Signal::SIGSTOP)?;
    let winner = thread::spawn({
        let (one, short) = (one.clone(), short.clone());
        move || one.save("S", &short, Some("k"))
    });
    apart.wait_logged(1)?;
    let connection = other.abandon("POST", "S/usages", &[("Idempotency-Key", "k")], &long)?;
    apart.wait_logged(2)?;
    drop(connection);
    apart.ingest.signal(Signal::SIGCONT)?;
    let winner = winner.join().unwrap()?;
    assert_eq!(winner.status, 200, "{winner:?}");
    wait_left(&one, "S", &saved(&winner)?)?;
    // What is left is left for good: the loser's usages are deleted, not on their way.
    apart.wait_logged(3)?;
    wait_left(&one, "S", &saved(&winner)?)?;
    apart.ends_well()
}
