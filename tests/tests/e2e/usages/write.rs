//! What is written can be read back, and counts once.

use std::thread::{self, ScopedJoinHandle};

use anyhow::{Context, Result, anyhow};
use meterhouse_tests::usages::{Usages, is_visible, usage};
use meterhouse_tests::{Reply, Usage};
use serde_json::{Value, json};

use super::site;

#[test]
fn what_is_saved_is_read_back() -> Result<()> {
    let (_site, service, usages) = site("usages_saved")?;
    let sent = json!([
        {"OptionCode": "scale", "UsageStart": "2026-09-03 17:28:32", "UsageEnd": "2026-09-03 17:28:32", "Units": 15,
         "Description": "Subscription usage for September"},
        {"OptionCode": "scale", "UsageStart": "2026-09-04 17:28:32", "UsageEnd": "2026-09-04 18:28:32", "Units": "0.5"},
    ]);
    let saved = usages.saved("83FE4FEF2", &sent)?;
    assert_eq!(saved.len(), 2);
    let reference = saved[0]["UsageReference"].as_u64().unwrap_or_default();
    assert!((1..1 << 53).contains(&reference), "{saved:?}");
    assert_eq!(
        saved[0],
        json!({
            "UsageReference": reference, "SubscriptionReference": "83FE4FEF2", "OptionCode": "scale",
            "UsageStart": "2026-09-03 17:28:32", "UsageEnd": "2026-09-03 17:28:32", "Units": 15,
            "Description": "Subscription usage for September",
        })
    );
    let listed = usages.all("83FE4FEF2")?;
    let with_renewal = |mut item: Value| {
        item["RenewalOrderReference"] = Value::Null;
        item
    };
    assert_eq!(listed, saved.into_iter().map(with_renewal).collect::<Vec<_>>());
    let history = service.client().history("mh_test", "1000941")?;
    assert_eq!(history["service_usage_history"][0]["data"], json!([{"service": "scale", "usage": "15.5"}]));
    Ok(())
}

#[test]
fn a_change_and_a_deletion_are_read_back() -> Result<()> {
    let (_site, service, usages) = site("usages_changed")?;
    let saved = usages.saved("S", &json!([usage("cpu", "10:00:00", 1), usage("cpu", "11:00:00", 2)]))?;
    let [first, second] = [&saved[0]["UsageReference"], &saved[1]["UsageReference"]];
    let reply = usages.update("S", first, &json!({"Units": 7.25, "Description": "counted again"}))?;
    assert_eq!((reply.status, is_visible(&reply)), (200, true), "{}", reply.body);
    assert_eq!(reply.json()?["Units"], json!(7.25));
    let history = |service: &meterhouse_tests::Service| -> Result<Value> {
        let history = service.client().history("mh_test", "c")?;
        Ok(history["service_usage_history"][0]["data"][0]["usage"].clone())
    };
    assert_eq!(history(&service)?, "9.25");
    assert_eq!(usages.all("S")?[0]["Description"], "counted again");
    let reply = usages.update("S", first, &json!({}))?;
    assert_eq!((reply.status, &reply.json()?["Units"]), (200, &json!(7.25)));
    let reply = usages.delete("S", &format!("?UsageReference={first}"))?;
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    assert_eq!(history(&service)?, "2.0");
    assert_eq!(usages.all("S")?.len(), 1);
    assert_eq!(usages.update("S", first, &json!({"Units": 1}))?.status, 404);
    assert_eq!(usages.delete("S", &format!("?UsageReference={first}"))?.status, 404);
    let reply = usages.delete("S", "?OptionCode=cpu")?;
    assert_eq!(reply.status, 200);
    assert!(usages.all("S")?.is_empty() && second.is_u64());
    assert_eq!(service.client().history("mh_test", "c")?, json!({"service_usage_history": []}));
    Ok(())
}

#[test]
fn a_key_makes_a_request_count_once() -> Result<()> {
    let (_site, _service, usages) = site("usages_key")?;
    let sent = json!([usage("cpu", "10:00:00", 1), usage("cpu", "11:00:00", 2)]);
    let first = usages.save("S", &sent, Some("k"))?;
    assert_eq!(first.status, 200, "{}", first.body);
    let again = usages.save("S", &sent, Some("k"))?;
    assert_eq!((again.status, again.body), (200, first.body.clone()));
    for other in [
        json!([usage("cpu", "10:00:00", 1)]),
        json!([usage("cpu", "10:00:00", 1), usage("cpu", "11:00:00", 2), usage("cpu", "12:00:00", 4)]),
        json!([usage("cpu", "10:00:00", 3), usage("cpu", "11:00:00", 2)]),
    ] {
        let reply = usages.save("S", &other, Some("k"))?;
        assert_eq!(reply.status, 409, "{}", reply.body);
    }
    let first_reference = first.json()?[0]["UsageReference"].clone();
    assert_eq!(usages.delete("S", &format!("?UsageReference={first_reference}"))?.status, 200);
    let again = usages.save("S", &sent, Some("k"))?;
    assert_eq!((again.status, again.body), (200, first.body), "also after one of them was deleted");
    assert_eq!(usages.all("S")?.len(), 1);
    Ok(())
}

/// Sends three requests with one key at once: one of them counts, and of the others nothing stays.
fn race(usages: &Usages, subscription: &str, key: &str) -> Result<()> {
    let bodies: [Vec<Value>; 3] = [
        vec![usage("cpu", "10:00:00", 1)],
        (0..4).map(|hour| usage("cpu", &format!("1{hour}:00:00"), 10)).collect(),
        (0..7).map(|hour| usage("ram", &format!("1{hour}:00:00"), 100)).collect(),
    ];
    let before = usages.list(subscription, "")?.json()?["Pagination"]["Count"].as_u64().unwrap_or_default();
    let replies: Vec<_> = thread::scope(|scope| {
        let sending: Vec<_> = bodies
            .iter()
            .map(|body| scope.spawn(move || usages.save(subscription, &json!(body), Some(key))))
            .collect();
        let join = |thread: ScopedJoinHandle<'_, Result<Reply>>| {
            thread.join().map_err(|_| anyhow!("a thread panicked")).flatten()
        };
        sending.into_iter().map(join).collect::<Result<_>>()
    })?;
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 2, "{statuses:?}");
    let winner = statuses.iter().position(|status| *status == 200).context("nobody has won")?;
    let count = usize::try_from(before)? + bodies[winner].len();
    let listed = meterhouse_tests::wait::until_is(
        "the losers' usages to be gone",
        || usages.all(subscription),
        |listed| listed.len() == count,
    )?;
    let saved = replies[winner].json()?;
    for item in saved.as_array().into_iter().flatten() {
        assert!(
            listed.iter().any(|listed| listed["UsageReference"] == item["UsageReference"]
                && listed["Units"] == item["Units"])
        );
    }
    Ok(())
}

#[test]
fn of_requests_with_one_key_at_once_one_counts() -> Result<()> {
    let (_site, _service, usages) = site("usages_race")?;
    (0..5).try_for_each(|round| race(&usages, "S", &format!("k{round}")))
}

#[test]
fn of_requests_with_one_key_one_counts_also_where_all_usage_so_far_names_its_customer() -> Result<()> {
    let (site, _service, usages) = site("usages_race_named")?;
    let named = ["N1", "N2", "N3"];
    let messages = named
        .map(|name| Usage::default().with("SubscriptionReference", name).with("Customer", "x").message());
    site.publisher()?.publish(&messages)?;
    site.wait_consumed()?;
    named.iter().try_for_each(|subscription| race(&usages, subscription, "k"))
}

#[test]
fn changes_at_once_are_all_kept() -> Result<()> {
    let (_site, _service, usages) = site("usages_put_race")?;
    let saved = usages.saved("S", &json!([usage("cpu", "10:00:00", 1)]))?;
    let reference = &saved[0]["UsageReference"];
    for round in 2..5 {
        let changes = [json!({"Units": round}), json!({"Description": format!("round {round}")})];
        thread::scope(|scope| {
            let sending: Vec<_> = changes
                .iter()
                .map(|change| {
                    let usages = &usages;
                    scope.spawn(move || usages.update("S", reference, change))
                })
                .collect();
            for thread in sending {
                let reply = thread.join().unwrap()?;
                assert_eq!(reply.status, 200, "{}", reply.body);
            }
            Ok::<_, anyhow::Error>(())
        })?;
        let listed = usages.all("S")?;
        assert_eq!(
            (&listed[0]["Units"], &listed[0]["Description"]),
            (&json!(round), &json!(format!("round {round}")))
        );
    }
    Ok(())
}
