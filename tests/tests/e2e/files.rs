//! Catalog, registry and credentials, changed while the service runs.

use anyhow::Result;
use meterhouse_tests::check::{histories_are_as_expected, history_lines};
use meterhouse_tests::{Service, Site, Token, Usage, wait};

fn usage(subscription: &str, option: &str, day: &str) -> Usage {
    Usage::default()
        .without("Customer")
        .with("SubscriptionReference", subscription)
        .with("OptionCode", option)
        .on(day)
}

/// Waits until a customer's history is as written out.
fn wait_history(site: &Site, service: &Service, customer: &str, lines: &[&str]) -> Result<()> {
    let look = || history_lines(site, &service.client(), customer);
    wait::until_is(&format!("history of {customer}: {lines:?}"), look, |seen| seen == lines).map(|_| ())
}

#[test]
fn a_changed_catalog_renames_all_usage_and_a_wrong_one_changes_nothing() -> Result<()> {
    let site = Site::new("catalog")?;
    site.write_catalog("code,service\ncpu,compute\n")?;
    let messages = ["cpu", "gpu", "disk"].map(|option| Usage::default().with("OptionCode", option).message());
    site.publisher()?.publish(&messages)?;
    let mut service = site.serve()?;
    site.wait_consumed()?;
    wait_history(&site, &service, "c", &["10.2026 compute 1.0", "10.2026 disk 1.0", "10.2026 gpu 1.0"])?;

    site.write_catalog("code,service\ncpu,compute\ngpu,compute\ndisk,storage\n")?;
    wait_history(&site, &service, "c", &["10.2026 compute 2.0", "10.2026 storage 1.0"])?;

    site.write_catalog("code,service\ncpu,compute\ncpu,other\n")?;
    wait::until("the wrong catalog to be logged", || service.log().contains("cannot be used").then_some(()))?;
    wait_history(&site, &service, "c", &["10.2026 compute 2.0", "10.2026 storage 1.0"])?;
    service.wait_ready()?;
    Ok(())
}

#[test]
fn a_registry_that_learns_late_owns_usage_by_its_days() -> Result<()> {
    let mut site = Site::new("registry")?;
    site.set("billing.time_zone", "Europe/Berlin")?;
    let days = ["2026-09-29", "2026-10-03", "2026-10-04", "2026-10-05"];
    let unnamed = days.map(|day| usage("S", "cpu", day).message());
    let named = usage("S", "cpu", "2026-10-04").with("Customer", "c").message();
    let publisher = site.publisher()?;
    publisher.publish(&unnamed)?;
    publisher.publish([&named])?;
    let service = site.serve()?;
    site.wait_consumed()?;
    wait_history(&site, &service, "c", &["10.2026 cpu 1.0"])?;
    wait_history(&site, &service, "d", &[])?;

    // On the 4th it changes hands at noon: the day is c's, which had its first instant.
    let noon = "2026-10-04T12:00:00+02:00";
    let rows = format!("S,c,2026-10-01T00:00:00+02:00,{noon}\nS,d,{noon},\nT,c,,\n");
    site.write_subscriptions(&format!("subscription,customer,start,expires\n{rows}"))?;
    wait_history(&site, &service, "c", &["10.2026 cpu 3.0"])?;
    wait_history(&site, &service, "d", &["10.2026 cpu 1.0"])?;
    histories_are_as_expected(&site, &service.client(), &site.expected()?)?;

    site.write_subscriptions("subscription,customer,start,expires\nS,d,,\n")?;
    wait_history(&site, &service, "d", &["09.2026 cpu 1.0", "10.2026 cpu 3.0"])?;
    histories_are_as_expected(&site, &service.client(), &site.expected()?)
}

#[test]
fn revoked_credentials_let_nobody_in() -> Result<()> {
    let site = Site::new("credentials")?;
    let service = site.serve()?;
    let status = |token: &str| Ok(service.client().ask_history(token, "c", "")?.status);
    assert_eq!(status(site.token())?, 200);
    assert_eq!(status("mh_other")?, 401);

    let other = Token { customers: vec!["c".to_owned()], ..Token::new("mh_other") };
    site.write_credentials(std::slice::from_ref(&other))?;
    wait::until_is("the first token to be revoked", || status(site.token()), |status| *status == 401)?;
    assert_eq!(status("mh_other")?, 200);
    assert_eq!(service.client().ask_history("mh_other", "d", "")?.status, 401, "another customer");

    let expired = Token { more: "expires = \"2026-11-01T00:00:00Z\"\n".to_owned(), ..other.clone() };
    site.write_credentials(&[expired])?;
    wait::until_is("the token to be expired", || status("mh_other"), |status| *status == 401)?;
    site.write_credentials(&[other])?;
    wait::until_is("the token to count again", || status("mh_other"), |status| *status == 200)?;

    // To delete the file is the quickest way to revoke everything.
    std::fs::remove_file(site.dir().join("credentials.toml"))?;
    wait::until_is("nobody to be let in", || status("mh_other"), |status| *status == 401)?;
    Ok(())
}

#[test]
fn a_merchant_s_secret_may_change_while_the_service_runs() -> Result<()> {
    let mut site = Site::new("secrets")?;
    site.set("log.level", "debug")?;
    let secret = |text: &str| std::fs::write(site.dir().join("secret"), text);
    secret("canary-1\n")?;
    let merchant = "[[merchant]]\ncode = \"M\"\nsecret_file = \"secret\"\ncustomers = [\"*\"]\n";
    std::fs::write(site.dir().join("credentials.toml"), merchant)?;
    let mut service = site.serve()?;
    let loaded = |outcome: &str| {
        service.metric("meterhouse_file_loads_total", &[("file", "credentials"), ("outcome", outcome)])
    };
    let stale = || service.metric("meterhouse_file_stale", &[("file", "credentials")]);

    secret("canary-2\n")?;
    wait::until_is("the second secret", || loaded("loaded"), |count| *count == 1)?;
    std::fs::remove_file(site.dir().join("secret"))?;
    wait::until_is("the missing file to be told", stale, |stale| *stale == 1)?;
    assert!(service.log().contains("credentials.toml:3: merchant"), "{}", service.log());
    secret("canary-3\n")?;
    wait::until_is("the third secret", stale, |stale| *stale == 0)?;
    assert_eq!((loaded("loaded")?, loaded("failed")?), (2, 1));
    service.wait_ready()?;
    assert!(!service.log().contains("canary"), "{}", service.log());
    Ok(())
}

#[test]
fn strict_keys_reject_what_the_files_do_not_know() -> Result<()> {
    let mut site = Site::new("strict")?;
    site.set("ingest.require_known_subscription", true)?;
    site.set("ingest.require_known_option", true)?;
    site.write_catalog("code,service\ncpu,compute\n")?;
    site.write_subscriptions("subscription,customer,start,expires\nS,c,2026-10-01T00:00:00Z,\n")?;
    let messages = [
        usage("S", "cpu", "2026-10-03").message(),
        usage("T", "cpu", "2026-10-03").message(),
        usage("S", "gpu", "2026-10-03").message(),
        usage("S", "cpu", "2026-09-03").message(),
    ];
    let publisher = site.publisher()?;
    publisher.publish(&messages)?;
    let service = site.serve()?;
    site.wait_consumed()?;
    let rejects = site.stored_rejects()?;
    let reasons: Vec<&str> = rejects.keys().map(String::as_str).collect();
    assert_eq!(reasons, ["outside_subscription", "unknown_option_code", "unknown_subscription"]);

    // What the files learn counts for records to come, a moment later.
    site.write_catalog("code,service\ncpu,compute\ngpu,compute\n")?;
    let accepted = || {
        publisher.publish([
            &usage("T", "gpu", "2026-10-04").message(),
            &usage("S", "gpu", "2026-10-04").with("EventId", "e").message(),
        ])?;
        site.wait_consumed()?;
        site.count("SELECT count() FROM usage_events FINAL WHERE option_code = 'gpu'")
    };
    wait::until_is("a usage of the new option", accepted, |count| *count == 1)?;
    wait_history(&site, &service, "c", &["10.2026 compute 2.0"])
}
