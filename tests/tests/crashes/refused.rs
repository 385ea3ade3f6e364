//! SIGKILL and SIGSTOP while records that the database refuses are looked for, and put into quarantine.

use anyhow::Result;
use meterhouse_tests::kafka::Logged;
use meterhouse_tests::oracle::{self, Question};
use meterhouse_tests::{Message, Service, Usage, audit, check, wait};
use nix::sys::signal::Signal;

use crate::case::{Case, start_armed, wait_stopped};
use crate::kill::is_killed;
use crate::stop::take_over;

const REASON: &str = "refused_by_store";
/// An option code that the table takes none of.
const POISON: &str = "poison";
const REFUSED: i32 = 5;

/// Tables that refuse some of the case's records.
fn poison(case: &Case) -> Result<()> {
    let site = &case.site;
    assert!(site.run(&["migrate"])?.status.success());
    site.query(&format!("ALTER TABLE usage_events ADD CONSTRAINT c CHECK option_code != '{POISON}'"))?;
    let messages: Vec<Message> = (0..REFUSED)
        .map(|number| Usage::default().with("OptionCode", POISON).message().to(number % 4))
        .collect();
    site.publisher()?.publish(&messages)
}

pub(crate) fn killed_at(case: Case, place: &str, hit: u32) -> Result<()> {
    poison(&case)?;
    let mut service = start_armed(&case.site, &["serve"], place, hit, "kill")?;
    is_killed(&mut service, place)?;
    service.set_variables(&[]);
    service.start_again()?;
    ends_well(&case, &mut [&mut service])
}

pub(crate) fn held_up_at(mut case: Case, place: &str) -> Result<()> {
    poison(&case)?;
    let mut first = start_armed(&case.site, &["serve"], place, 1, "stop")?;
    wait_stopped(&first)?;
    let mut second = take_over(&case)?;
    case.publish()?;
    all_but_the_refused_is_as_expected(&case, &second)?;
    first.signal(Signal::SIGCONT)?;
    ends_well(&case, &mut [&mut first, &mut second])
}

fn ends_well(case: &Case, services: &mut [&mut Service]) -> Result<()> {
    for service in &mut *services {
        service.wait_ready()?;
        all_but_the_refused_is_as_expected(case, service)?;
    }
    case.wait_summed_up()?;
    for service in &mut *services {
        all_but_the_refused_is_as_expected(case, service)?;
    }
    audit::verify(&case.site)?;
    for service in services {
        let status = service.terminate()?;
        assert_eq!(status.code(), Some(0), "{}", service.log_tail());
    }
    Ok(())
}

fn all_but_the_refused_is_as_expected(case: &Case, service: &Service) -> Result<()> {
    let site = &case.site;
    site.wait_consumed()?;
    let is_accepted = |record: &Logged| {
        !String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).contains(POISON)
    };
    let log = site.log()?;
    let (accepted, refused): (Vec<Logged>, Vec<Logged>) = log.iter().cloned().partition(is_accepted);
    let mut expected = oracle::judge(&accepted, &Question { zone: "UTC", ..Question::default() })?;
    expected.rejects.insert(REASON.to_owned(), u64::try_from(REFUSED)?);
    let place = |record: Logged| (record.topic, record.partition, record.offset, -1);
    expected.rejected.extend(refused.into_iter().map(|record| (place(record), REASON.to_owned())));
    // Copies that differ are seen to a moment after they are stored.
    let wanted = (expected.rejects.clone(), expected.events);
    let look = || Ok((site.stored_rejects()?, site.count("SELECT count() FROM usage_events FINAL")?));
    wait::until_is(&format!("rejects, and events that count: {wanted:?}"), look, |found| *found == wanted)?;
    check::quarantine_is_as_expected(&site.quarantine()?, &log, &expected);
    check::histories_are_as_expected(site, &service.client(), &expected)
}
