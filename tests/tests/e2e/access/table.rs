//! Every route with every kind of credentials, in every state that they can be in: the exact answer.

use anyhow::{Context, Result};
use meterhouse_tests::usages::Usages;
use meterhouse_tests::{Client, Reply, Token, wait};
use serde_json::{Value, json};

use super::answers::{Family, KINDS, Kind, STATES, State};
use super::{
    BILL, HISTORY, SUBSCRIPTIONS, history_headers, merchant, owners, site, token, units, write_credentials,
};

/// A request, but for its credentials.
#[derive(Debug)]
struct Operation {
    family: Family,
    method: &'static str,
    path: String,
    body: String,
}

/// Credentials of all kinds in one state, each called as that.
fn tables(state: State) -> String {
    let name = format!("{state:?}");
    let customer = if state == State::Foreign { "emerald" } else { "crimson" };
    let more = match state {
        State::Expired => "expires = \"2026-11-01T00:00:00Z\"\n",
        _ => "",
    };
    let permits = match state {
        State::NotPermitted => "permits = [\"other\"]\n",
        _ => "",
    };
    let mut token = Token { more: more.to_owned(), ..token(&name, &[customer]) };
    if state == State::NotPermitted {
        token.permits = vec!["other".to_owned()];
    }
    // Of "key".
    let email = format!(
        "[[email_key]]\nemail = \"{name}@example.com\"\ncustomers = [\"{customer}\"]\n{more}{permits}\
         sha256 = \"2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683\"\n"
    );
    // A file has one name for each token.
    let token = Token::file(&[token]).replace("token-1", &name);
    token + &email + &merchant(&name).table(&[customer], &format!("{more}{permits}"))
}

fn credentials(states: &[State]) -> String {
    states.iter().map(|state| tables(*state)).collect()
}

/// Credentials of a kind in a state, as headers.
struct Shown {
    kind: Kind,
    state: State,
    headers: Vec<(&'static str, String)>,
}

/// All that there are, signed once: that takes a moment.
fn all_shown() -> Result<Vec<Shown>> {
    let all = STATES.into_iter().flat_map(|state| KINDS.map(|kind| (kind, state)));
    all.map(|(kind, state)| Ok(Shown { kind, state, headers: headers(kind, state)? })).collect()
}

fn headers(kind: Kind, state: State) -> Result<Vec<(&'static str, String)>> {
    let name = format!("{state:?}");
    Ok(match (kind, state) {
        (_, State::None) => Vec::new(),
        (Kind::Client, _) => vec![("X-Client-Authorization", name)],
        (Kind::Bearer, State::Malformed) => vec![("Authorization", "Bearer".to_owned())],
        (Kind::Bearer, _) => vec![("Authorization", format!("Bearer {name}"))],
        (Kind::Email, State::Malformed) => email(name),
        (Kind::Email, _) => email(format!("{name}@example.com")),
        (Kind::Merchant, State::Malformed) => vec![("X-Avangate-Authentication", "code".to_owned())],
        (Kind::Merchant, _) => vec![merchant(&name).header()?],
    })
}

fn email(address: String) -> Vec<(&'static str, String)> {
    vec![("X-Auth-Email", address), ("X-Auth-Key", "key".to_owned())]
}

/// What can be asked for, all about crimson's usage; `reference` is one of it.
fn operations(reference: &Value) -> [Operation; 6] {
    let usages = format!("{SUBSCRIPTIONS}/C-crimson/usages");
    let new = json!([{"OptionCode": "extra", "UsageStart": "2026-10-06 10:00:00", "UsageEnd": "2026-10-06 11:00:00",
        "Units": units("crimson", 11)}]);
    let operation = |family, method, path: &str, body: &Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Operation { family, method, path: path.to_owned(), body }
    };
    [
        operation(Family::History, "GET", HISTORY, &Value::Null),
        operation(Family::Bill, "GET", BILL, &Value::Null),
        operation(Family::Usages, "GET", &usages, &Value::Null),
        operation(Family::Usages, "POST", &usages, &new),
        operation(
            Family::Usages,
            "PUT",
            &format!("{usages}/{reference}"),
            &json!({"Units": units("crimson", 13)}),
        ),
        operation(Family::Usages, "DELETE", &format!("{usages}?OptionCode=extra"), &Value::Null),
    ]
}

fn ask(client: &Client, operation: &Operation, shown: &Shown) -> Result<Reply> {
    let mut headers: Vec<_> = shown.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if operation.family == Family::History {
        headers.extend(history_headers("crimson"));
    }
    client.send(operation.method, &operation.path, &headers, &operation.body)
}

/// Asks, and compares the answer.
fn check(client: &Client, operation: &Operation, shown: &Shown) -> Result<()> {
    let Shown { kind, state, .. } = shown;
    let reply = ask(client, operation, shown)?;
    let (status, body) = operation.family.answer(*kind, *state);
    let case = format!("{} {} with {state:?} {kind:?}", operation.method, operation.path);
    assert_eq!(reply.status, status, "{case}: {reply:?}");
    match body {
        Some(body) => assert_eq!(reply.json()?, body, "{case}"),
        None if operation.method == "DELETE" => assert_eq!(reply.body, "", "{case}"),
        None => {
            let owner = if *state == State::Foreign { "emerald" } else { "crimson" };
            assert_eq!(owners(&reply)?, [owner].into(), "{case}: {reply:?}");
        }
    }
    Ok(())
}

#[test]
fn every_route_has_its_exact_answer_to_credentials_of_every_kind_in_every_state() -> Result<()> {
    let known = [State::Foreign, State::Expired, State::NotPermitted, State::Right];
    let (site, service) = site("access_table", &(credentials(&known) + &tables(State::Revoked)))?;
    let client = service.client();
    let listed = Usages::new(client.clone(), "Right").all("C-crimson")?;
    let reference = &listed.first().context("crimson has no usage")?["UsageReference"];
    let operations = operations(reference);

    let shown = all_shown()?;

    // What will be revoked is good before.
    let revoked: Vec<&Shown> = shown.iter().filter(|shown| shown.state == State::Revoked).collect();
    let reads = || {
        let asked =
            operations[..3].iter().flat_map(|operation| revoked.iter().map(move |shown| (operation, *shown)));
        let accepted = asked.filter(|(operation, shown)| operation.family.accepts(shown.kind));
        accepted
            .map(|(operation, shown)| Ok(ask(&client, operation, shown)?.status))
            .collect::<Result<Vec<_>>>()
    };
    assert_eq!(reads()?, [200; 6]);
    write_credentials(&site, &credentials(&known))?;
    wait::until_is("credentials to be revoked", reads, |seen| !seen.contains(&200))?;

    let records = site.log()?.len();
    let (right, wrong): (Vec<_>, Vec<_>) = shown.iter().partition(|shown| shown.state == State::Right);
    for operation in &operations {
        wrong.iter().try_for_each(|shown| check(&client, operation, shown))?;
    }
    assert_eq!(site.log()?.len(), records, "somebody who may not write wrote something");
    assert_eq!(Usages::new(client.clone(), "Right").all("C-crimson")?, listed);
    for operation in &operations {
        right.iter().try_for_each(|shown| check(&client, operation, shown))?;
    }
    let left = Usages::new(client, "Right").all("C-crimson")?;
    let left: Vec<Value> = left.iter().map(|item| json!([item["OptionCode"], item["Units"]])).collect();
    assert_eq!(left, [json!(["cpu", units("crimson", 13)]), json!(["cpu", units("crimson", 3)])]);
    Ok(())
}

#[test]
fn other_methods_are_not_possible_whoever_asks() -> Result<()> {
    let (_site, service) = site("access_methods", &credentials(&[State::Right]))?;
    let usages = format!("{SUBSCRIPTIONS}/C-crimson/usages");
    let [none, right] = [State::None, State::Right]
        .map(|state| Ok(Shown { kind: Kind::Bearer, state, headers: headers(Kind::Bearer, state)? }));
    let shown: Vec<Shown> = [none, right].into_iter().collect::<Result<_>>()?;
    for (family, path, allowed) in [
        (Family::History, HISTORY.to_owned(), "GET"),
        (Family::Bill, BILL.to_owned(), "GET"),
        (Family::Usages, usages.clone(), "GET, POST, DELETE"),
        (Family::Usages, format!("{usages}/"), "GET, POST, DELETE"),
        (Family::Usages, format!("{usages}/1"), "PUT"),
        (Family::Usages, format!("{usages}/1/"), "PUT"),
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            if allowed.split(", ").any(|possible| possible == method) {
                continue;
            }
            for shown in &shown {
                let operation = Operation { family, method, path: path.clone(), body: String::new() };
                let reply = ask(&service.client(), &operation, shown)?;
                let told = reply.headers.get("allow").and_then(|value| value.to_str().ok());
                assert_eq!((reply.status, told), (405, Some(allowed)), "{operation:?}: {reply:?}");
                if method != "HEAD" {
                    assert_eq!(reply.json()?, family.wrong_method(), "{operation:?}");
                }
            }
        }
    }
    Ok(())
}
