//! SIGKILL while records that the database refuses are looked for, and put into quarantine.

use anyhow::Result;
use meterhouse_tests::kafka::Logged;
use meterhouse_tests::oracle::{self, Question};
use meterhouse_tests::{Message, Service, Usage, audit, check, wait};

use crate::case::{Case, start_armed};
use crate::kill::is_killed;

const REASON: &str = "refused_by_store";
/// An option code that the table takes none of.
const POISON: &str = "poison";
const REFUSED: i32 = 5;

pub(crate) fn killed_at(case: Case, place: &str, hit: u32) -> Result<()> {
    let site = &case.site;
    assert!(site.run(&["migrate"])?.status.success());
    site.query(&format!("ALTER TABLE usage_events ADD CONSTRAINT c CHECK option_code != '{POISON}'"))?;
    let messages: Vec<Message> = (0..REFUSED)
        .map(|number| Usage::default().with("OptionCode", POISON).message().to(number % 4))
        .collect();
    site.publisher()?.publish(&messages)?;
    let mut service = start_armed(site, &["serve"], place, hit, "kill")?;
    is_killed(&mut service, place)?;
    service.set_variables(&[]);
    service.start_again()?;
    service.wait_ready()?;
    all_but_the_refused_is_as_expected(&case, &service)?;
    case.wait_summed_up()?;
    all_but_the_refused_is_as_expected(&case, &service)?;
    audit::verify(site)?;
    let status = service.terminate()?;
    assert_eq!(status.code(), Some(0), "{}", service.log_tail());
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
