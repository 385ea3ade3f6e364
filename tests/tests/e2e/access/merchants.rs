//! Merchants with signatures that somebody else's code has made.

use std::fs;

use anyhow::Result;
use chrono::{SecondsFormat, TimeDelta, Utc};
use meterhouse_tests::{Client, Merchant, Reply, Site, wait};

const HEADER: &str = "X-Avangate-Authentication";
const USAGES: &str = "/rest/6.0/subscriptions/S/usages";
const REFUSED: &str =
    r#"{"error_code":"AUTHENTICATION_ERROR","message":"Authentication needed for this resource"}"#;

/// The answer to a list of usages with these values of the header.
fn list(client: &Client, values: &[&str]) -> Result<Reply> {
    let headers: Vec<(&str, &str)> = values.iter().map(|value| (HEADER, *value)).collect();
    client.send("GET", USAGES, &headers, "")
}

fn status(client: &Client, value: &str) -> Result<u16> {
    Ok(list(client, &[value])?.status)
}

/// Fails unless the answer is the documented refusal, to the byte.
fn assert_refused(client: &Client, values: &[&str], why: &str) -> Result<()> {
    let reply = list(client, values)?;
    assert_eq!((reply.status, reply.body.as_str()), (401, REFUSED), "{why}: {values:?}");
    Ok(())
}

/// A site with one subscription of customer `c`.
fn site(name: &str) -> Result<Site> {
    let site = Site::new(name)?;
    site.write_subscriptions("subscription,customer,start,expires\nS,c,,\n")?;
    Ok(site)
}

fn write(site: &Site, credentials: &str) -> Result<()> {
    Ok(fs::write(site.dir().join("credentials.toml"), credentials)?)
}

#[test]
fn signatures_count_in_every_spelling_and_as_often_as_they_are_shown() -> Result<()> {
    let mut site = site("signatures")?;
    site.set("api.checkout_clock_skew_seconds", 60)?;
    let merchant = Merchant::new("Größe-1", "a secret with 'quotes', \\ and ü");
    let of_variable = Merchant::new("VARIABLE", "another secret");
    let table = "[[merchant]]\ncode = \"VARIABLE\"\nsecret_variable = \"MERCHANT\"\ncustomers = [\"c\"]\n";
    write(&site, &(merchant.table(&["c"], "") + table))?;
    let mut service = site.start_with(&["serve"], "serve", &[("MERCHANT", &of_variable.secret)])?;
    service.wait_ready()?;
    let client = service.client();

    let sha256 = merchant.value_in(0)?;
    let sha3 = merchant.value("sha3-256", Utc::now())?;
    let hash = sha256.split('"').nth(5).unwrap_or_default();
    let mut members: Vec<&str> = sha256.split("\" ").collect();
    members.rotate_left(2);
    let spellings = [
        sha256.clone(),
        sha3.clone(),
        sha256.replace("\" algo", "\"algo"),
        sha3.replace("\" algo", "\"algo"),
        sha256.replace('"', "'"),
        sha256.replace(hash, &hash.to_uppercase()),
        members.iter().map(|member| format!("{}\" ", member.trim_end_matches('"'))).collect(),
        of_variable.value_in(0)?,
    ];
    for spelling in &spellings {
        assert_eq!(status(&client, spelling)?, 200, "{spelling}");
        assert_eq!(status(&client, spelling)?, 200, "shown again: {spelling}");
    }
    // The hash covers neither method nor path.
    let reply = client.send("DELETE", &format!("{USAGES}/?OptionCode=x"), &[(HEADER, &sha256)], "")?;
    assert_eq!(reply.status, 200, "{reply:?}");

    let md5 = merchant.value("md5", Utc::now())?;
    let nameless = md5.split(" algo").next().unwrap_or_default();
    let exchanged = sha256.replace("sha256", "sha3-256");
    let of_another = Merchant::new(&merchant.code, &of_variable.secret).value_in(0)?;
    let unknown = Merchant::new("UNKNOWN", &merchant.secret).value_in(0)?;
    let long = sha256.replace("\" algo", &format!("\"{}algo", " ".repeat(512)));
    let moved = sha256.replace("date=\"2", "date=\"3");
    for (why, values) in [
        ("md5", vec![md5.as_str()]),
        ("md5 that is not named", vec![nameless]),
        ("md5 as its oldest client sends it", vec![nameless.replace('"', "'").as_str()]),
        ("the other algorithm", vec![exchanged.as_str()]),
        ("another's secret", vec![of_another.as_str()]),
        ("nobody's code", vec![unknown.as_str()]),
        ("another date", vec![moved.as_str()]),
        ("two headers", vec![sha256.as_str(), sha256.as_str()]),
        ("two headers of two merchants", vec![sha256.as_str(), spellings[7].as_str()]),
        ("a cut header", vec![&sha256[..sha256.len() - 1]]),
        ("too long a header", vec![long.as_str()]),
        ("too early", vec![merchant.value_in(80)?.as_str()]),
        ("too late", vec![merchant.value_in(-80)?.as_str()]),
    ] {
        assert_refused(&client, &values, why)?;
    }
    // The bound itself is tried without a clock: here a loaded machine may take some seconds in between.
    for seconds in [-40, 50] {
        assert_eq!(status(&client, &merchant.value_in(seconds)?)?, 200, "{seconds} s from now");
    }
    Ok(())
}

#[test]
fn changed_and_revoked_secrets_count_while_the_service_runs() -> Result<()> {
    let site = site("signatures_changed")?;
    let [first, second] = ["first", "second"].map(|secret| Merchant::new("FILE", secret));
    let other = Merchant::new("OTHER", "other");
    let secret_file = "[[merchant]]\ncode = \"FILE\"\nsecret_file = \"file.secret\"\ncustomers = [\"c\"]\n";
    let secret = |merchant: &Merchant| fs::write(site.dir().join("file.secret"), &merchant.secret);
    secret(&first)?;
    write(&site, &(secret_file.to_owned() + &other.table(&["c"], "")))?;
    let service = site.serve()?;
    let client = service.client();
    let [by_first, by_second, by_other] = [first.value_in(0)?, second.value_in(0)?, other.value_in(0)?];
    let statuses = || {
        let [first, second, other] = [&by_first, &by_second, &by_other].map(|value| status(&client, value));
        Ok([first?, second?, other?])
    };
    assert_eq!(statuses()?, [200, 401, 200]);

    secret(&second)?;
    wait::until_is("the second secret to count", statuses, |seen| *seen == [401, 200, 200])?;
    assert_refused(&client, &[&by_first], "the secret before")?;

    write(&site, &other.table(&["c"], ""))?;
    wait::until_is("a merchant to be revoked", statuses, |seen| *seen == [401, 401, 200])?;

    // It expires without any change of the file.
    let expires = Utc::now() + TimeDelta::seconds(10);
    let expires = format!("expires = {:?}", expires.to_rfc3339_opts(SecondsFormat::Secs, true));
    let brief = Merchant::new("BRIEF", "brief");
    write(&site, &(brief.table(&["c"], &expires) + &other.table(&["c"], "")))?;
    let by_brief = brief.value_in(0)?;
    wait::until_is("a merchant to be known", || status(&client, &by_brief), |seen| *seen == 200)?;
    wait::until_is("a merchant to expire", || status(&client, &by_brief), |seen| *seen == 401)?;
    assert_eq!(statuses()?, [401, 401, 200]);
    Ok(())
}
