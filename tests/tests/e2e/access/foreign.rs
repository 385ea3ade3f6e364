//! What is another's: it cannot be told from what does not exist, and nothing that is asked for changes it.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use meterhouse_tests::usages::Usages;
use meterhouse_tests::{Reply, Service, Token, wait};
use serde_json::{Value, json};

use super::{HISTORY, by_merchant, merchant, site, token};

/// Tokens and merchants, each called as the one customer that they are for.
fn credentials() -> String {
    let clubs = |mut token: Token, club: &str, customer: &str| {
        token.more = format!("clubs = {{ {club} = \"{customer}\" }}\n");
        token
    };
    let tokens = [
        clubs(token("crimson", &["crimson"]), "crimson-mall", "crimson"),
        clubs(token("emerald", &["emerald"]), "emerald-mall", "emerald"),
        token("all", &["*"]),
    ];
    let merchants = ["crimson", "emerald", "azure"].map(|name| merchant(name).table(&[name], ""));
    Token::file(&tokens) + &merchants.concat()
}

/// All of an answer but its date and the request's id.
fn seen(reply: &Reply) -> (u16, BTreeMap<String, String>, String) {
    let headers = reply.headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}")));
    (reply.status, headers.collect(), reply.body.clone())
}

fn reference(items: &[Value]) -> Result<Value> {
    items.first().map(|item| item["UsageReference"].clone()).context("no usage")
}

fn usage_on(day: &str, hours: [&str; 2]) -> Value {
    let [start, end] = hours.map(|hour| format!("{day} {hour}:00:00"));
    json!({"OptionCode": "cpu", "UsageStart": start, "UsageEnd": end, "Units": 1})
}

/// The answers to all requests that there are about a usage of a subscription.
fn all_about(usages: &Usages, subscription: &str, reference: &Value) -> Result<[Reply; 5]> {
    Ok([
        usages.list(subscription, "?Page=1")?,
        usages.save(subscription, &json!([usage_on("2026-10-03", ["10", "11"])]), None)?,
        usages.update(subscription, reference, &json!({"Units": 1}))?,
        usages.delete(subscription, &format!("?UsageReference={reference}"))?,
        usages.delete(subscription, "?OptionCode=cpu")?,
    ])
}

#[test]
fn what_is_another_s_cannot_be_told_from_what_does_not_exist() -> Result<()> {
    let (site, service) = site("access_foreign", &credentials())?;
    let emerald = Usages::new(service.client(), "emerald");
    let of_emerald = emerald.all("E-emerald")?;
    let records = site.log()?.len();
    let both = [Usages::new(service.client(), "crimson"), by_merchant(&service, "crimson")?];
    for crimson in &both {
        let foreign = all_about(crimson, "E-emerald", &reference(&of_emerald)?)?;
        let unknown = all_about(crimson, "unknown", &json!(1))?;
        for (foreign, unknown) in foreign.iter().zip(&unknown) {
            assert_eq!(foreign.status, 404);
            assert_eq!(seen(foreign), seen(unknown));
        }
    }
    assert_eq!(site.log()?.len(), records, "nothing was written");
    let in_shared = emerald.all("shared")?;
    for crimson in &both {
        let [_, _, foreign_put, foreign_delete, _] = all_about(crimson, "shared", &reference(&in_shared)?)?;
        let [_, _, unknown_put, unknown_delete, _] = all_about(crimson, "shared", &json!(1))?;
        assert_eq!(foreign_put.json()?["error_code"], "USAGE_NOT_FOUND");
        assert_eq!(seen(&foreign_put), seen(&unknown_put));
        assert_eq!(seen(&foreign_delete), seen(&unknown_delete));
    }
    assert_eq!(emerald.all("shared")?, in_shared);
    let history = |header: &str, value: &str| {
        let required = [("X-User-Agent", "tests"), ("X-Product-Name", "tests")];
        let own = [("X-Client-Authorization", "crimson"), (header, value)];
        service.client().send("GET", HISTORY, &[required, own].concat(), "")
    };
    for (header, [own, foreign, unknown]) in [
        ("X-Customer", ["crimson", "emerald", "grey"]),
        ("X-Loyalty-Club-Slug", ["crimson-mall", "emerald-mall", "grey-mall"]),
    ] {
        assert_eq!(history(header, own)?.status, 200);
        let foreign = history(header, foreign)?;
        assert_eq!(foreign.status, 401);
        assert_eq!(seen(&foreign), seen(&history(header, unknown)?));
    }
    Ok(())
}

/// Fails unless a usage is refused as one that the subscription has no place for.
fn assert_out_of_bounds(usages: &Usages, usage: Value) -> Result<()> {
    let reply = usages.save("shared", &json!([usage]), None)?;
    let expected = json!({"error_code": "USAGE_VALIDATION_ERROR", "message": "Usage interval out of bounds"});
    assert_eq!((reply.status, reply.json()?), (400, expected), "{usage}");
    Ok(())
}

fn merchants(service: &Service) -> Result<[Usages; 3]> {
    Ok([by_merchant(service, "crimson")?, by_merchant(service, "emerald")?, by_merchant(service, "azure")?])
}

#[test]
fn who_has_handed_a_subscription_over_writes_nothing_behind_that() -> Result<()> {
    let (site, service) = site("access_handover", &credentials())?;
    let [crimson, emerald, azure] = merchants(&service)?;
    // It goes from crimson to emerald at the first instant of the 10th.
    for (usages, day, hours) in [
        (&crimson, "2026-10-15", ["10", "11"]),
        (&crimson, "2026-10-10", ["00", "00"]),
        (&emerald, "2026-10-09", ["10", "11"]),
        (&azure, "2026-10-15", ["10", "11"]),
    ] {
        assert_out_of_bounds(usages, usage_on(day, hours))?;
    }
    let mut across = usage_on("2026-10-09", ["23", "23"]);
    across["UsageEnd"] = json!("2026-10-10 01:00:00");
    assert_out_of_bounds(&crimson, across.clone())?;
    assert_out_of_bounds(&emerald, across)?;
    let before = [emerald.all("shared")?, azure.all("shared")?];
    assert_eq!(crimson.update("shared", &reference(&before[0])?, &json!({"Units": 1}))?.status, 404);

    // Criteria match what is crimson's, and nothing else.
    assert_eq!(crimson.delete("shared", "?OptionCode=cpu")?.status, 200);
    assert_eq!(crimson.all("shared")?, [] as [Value; 0]);
    let every_time = "?IntervalStart=2026-01-01%2000:00:00&IntervalEnd=2026-12-31%2000:00:00";
    assert_eq!(crimson.delete("shared", every_time)?.status, 200);
    assert_eq!([emerald.all("shared")?, azure.all("shared")?], before);

    // While the service runs, emerald hands it over to azure.
    let usage = usage_on("2026-10-19", ["10", "11"]);
    let saved = emerald.saved("shared", &json!([usage]))?;
    let rows = "shared,crimson,2026-01-01T00:00:00Z,2026-10-10T00:00:00Z\nshared,emerald,2026-10-10T00:00:00Z,2026-10-18T00:00:00Z\n\
                shared,azure,2026-10-18T00:00:00Z,\n";
    site.write_subscriptions(&format!("subscription,customer,start,expires\n{rows}"))?;
    let change = |usages: &Usages, units: u64| {
        Ok(usages.update("shared", &reference(&saved)?, &json!({"Units": units}))?.status)
    };
    wait::until_is("the new owner to change it", || change(&azure, 2), |status| *status == 200)?;
    assert_eq!(change(&emerald, 3)?, 404);
    assert_out_of_bounds(&emerald, usage.clone())?;
    assert_eq!(azure.save("shared", &json!([usage]), None)?.status, 200);
    Ok(())
}
