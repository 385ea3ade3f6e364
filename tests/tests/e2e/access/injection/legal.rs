//! Legal texts come back as they were sent.

use anyhow::{Context, Result, ensure};
use meterhouse_tests::Client;
use meterhouse_tests::texts::Texts;
use serde_json::{Value, json};

use super::{CANARY, each, of_usages, site};

/// Of so many usages one is changed and deleted.
const CHANGED: usize = 6;
/// Each byte of a text as a path or a query may have it.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Saves a usage of a subscription and reads it by its option code: its texts are those.
fn comes_back(client: &Client, subscription: &str, option: &str, description: &str) -> Result<()> {
    let usages = format!("{}/usages", encoded(subscription));
    let sent = json!([{"OptionCode": option, "Description": description, "Units": 1,
        "UsageStart": "2026-10-03 10:00:00", "UsageEnd": "2026-10-03 10:00:00"}]);
    // A key, too, where it can be one.
    let is_key = !option.trim().is_empty() && option.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let key: Vec<_> = Some(("Idempotency-Key", option)).filter(|_| is_key).into_iter().collect();
    let saved = of_usages(client, "all", "POST", &usages, &key, &sent.to_string())?;
    ensure!(saved.status == 200, "save: {saved:?}");
    let saved = saved.json()?[0].clone();
    let told = [&saved["SubscriptionReference"], &saved["OptionCode"], &saved["Description"]];
    ensure!(told == [subscription, option, description], "saved as {saved}");

    let mut expected = saved;
    expected["RenewalOrderReference"] = Value::Null;
    let items = items_of(client, &usages, option)?;
    ensure!(items == json!([expected]), "listed as {items}");
    Ok(())
}

/// The usages with an option code.
fn items_of(client: &Client, usages: &str, option: &str) -> Result<Value> {
    let query = format!("{usages}?OptionCode={}", encoded(option));
    Ok(of_usages(client, "all", "GET", &query, &[], "")?.json()?["Items"].clone())
}

/// Changes that usage to a text, and deletes it by its option code.
fn goes_away(client: &Client, subscription: &str, option: &str, description: &str) -> Result<()> {
    let usages = format!("{}/usages", encoded(subscription));
    let reference = items_of(client, &usages, option)?[0]["UsageReference"].clone();
    let change = json!({"Description": description, "Units": 2}).to_string();
    let changed = of_usages(client, "all", "PUT", &format!("{usages}/{reference}"), &[], &change)?;
    let is_changed = changed.status == 200 && changed.json()?["Description"] == description;
    ensure!(is_changed, "change: {changed:?}");
    let criteria = json!({"OptionCode": option}).to_string();
    let deleted = of_usages(client, "all", "DELETE", &usages, &[], &criteria)?;
    ensure!(deleted.status == 200, "delete: {deleted:?}");
    ensure!(items_of(client, &usages, option)? == json!([]), "not deleted");
    Ok(())
}

#[test]
fn legal_texts_come_back_exactly_as_they_were_sent() -> Result<()> {
    let (_site, service) = site("injection_legal")?;
    let client = service.client();
    let Texts { legal, descriptions, .. } = Texts::read()?;
    let names = legal.iter().map(|text| (text.whole(), text.whole()));
    let all: Vec<_> = names.chain(descriptions.iter().map(|text| ("cpu".to_owned(), text.whole()))).collect();
    each(&all, |index, (name, description)| {
        let told = || format!("{name:?} {description:?}");
        // Of these the subscription is another one each.
        let subscription = if name == "cpu" { format!("cpu {index}") } else { name.clone() };
        comes_back(&client, &subscription, name, description).with_context(told)?;
        // Each write waits until it can be read: a part of them will do.
        if index % CHANGED == 0 {
            goes_away(&client, &subscription, name, description).with_context(told)?;
        }
        Ok(())
    })?;
    let foreign = of_usages(&client, "all", "GET", &format!("{CANARY}/usages"), &[], "")?;
    assert_eq!(foreign.json()?["Pagination"]["Count"], 1, "{foreign:?}");
    Ok(())
}
