//! Texts that would mean something elsewhere are refused as documented, and reveal or change nothing.

use anyhow::{Context, Result, ensure};
use meterhouse_tests::Reply;
use meterhouse_tests::texts::{Text, Texts};
use serde_json::Value;

use super::super::answers::Family;
use super::super::{BILL, HISTORY, SUBSCRIPTIONS};
use super::{CANARY, each, of_usages, request, site};

/// What only a server behind the service, or a file of its machine, would say.
const BEHIND: [&str; 4] = ["DB::Exception", "ClickHouse", "usage_events", "root:x:"];

/// Whether an answer has a documented shape, or is the listener's own to what is no request.
fn is_documented(family: Family, method: &str, reply: &Reply) -> bool {
    if reply.body.is_empty() {
        return [400, 414, 431].contains(&reply.status) || (reply.status == 200 && method == "DELETE");
    }
    let Ok(Value::Object(body)) = reply.json() else { return false };
    let mut names: Vec<&str> = body.keys().map(String::as_str).collect();
    names.sort_unstable();
    let is_success = reply.status == 200;
    match family {
        Family::History => match reply.status {
            200 => names == ["service_usage_history"],
            422 => names == ["details", "error"],
            401 | 404 | 413 | 470 | 471 => names == ["error"],
            _ => false,
        },
        Family::Bill if is_success => names == ["errors", "messages", "result", "result_info", "success"],
        Family::Bill => {
            names == ["errors", "messages", "result", "success"] && [400, 403, 404].contains(&reply.status)
        }
        Family::Usages if is_success => names == ["Items", "Pagination"],
        Family::Usages => names == ["error_code", "message"] && [400, 401, 404, 413].contains(&reply.status),
    }
}

/// A request with a text somewhere, of somebody who is known.
struct Hostile {
    family: Family,
    method: &'static str,
    bytes: Vec<u8>,
}

fn hostile(
    family: Family,
    method: &'static str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Hostile {
    let mut all = vec![("Authorization", "Bearer crimson")];
    if family == Family::History {
        all.extend([("X-User-Agent", "tests"), ("X-Product-Name", "tests"), ("X-Customer", "crimson")]);
    }
    all.retain(|(name, _)| headers.iter().all(|(other, _)| name != other));
    all.extend(headers);
    Hostile { family, method, bytes: request(method, target, &all, body) }
}

const NEW: &str =
    r#"[{"OptionCode":"cpu","UsageStart":"2026-10-03 10:00:00","UsageEnd":"2026-10-03 10:00:00","Units":1}]"#;

/// In paths and queries.
fn with_raw(text: &str) -> Vec<Hostile> {
    let usages = |method, rest: &str, body| {
        hostile(Family::Usages, method, &format!("{SUBSCRIPTIONS}/{rest}"), &[], body)
    };
    let interval = format!("IntervalStart={text}&IntervalEnd={text}");
    vec![
        hostile(Family::History, "GET", &format!("{HISTORY}?from_offset={text}&to_offset={text}"), &[], ""),
        hostile(Family::Bill, "GET", &format!("{BILL}?page={text}&order={text}&occurred_at={text}"), &[], ""),
        hostile(Family::Bill, "GET", &format!("{BILL}?type={text}"), &[], ""),
        usages("GET", &format!("{text}/usages"), ""),
        usages("POST", &format!("{text}/usages"), NEW),
        usages("PUT", &format!("{text}/usages/1"), r#"{"Units":1}"#),
        usages("DELETE", &format!("{text}/usages?OptionCode=cpu"), ""),
        usages("PUT", &format!("S/usages/{text}"), r#"{"Units":1}"#),
        usages("GET", &format!("S/usages?Page={text}"), ""),
        usages("GET", &format!("S/usages?OptionCode={text}&RenewalOrderReference={text}"), ""),
        usages("GET", &format!("S/usages?OptionCode={text}"), ""),
        usages("GET", &format!("S/usages?{interval}"), ""),
        usages("DELETE", &format!("S/usages?OptionCode={text}"), ""),
        usages("DELETE", &format!("S/usages?UsageReference={text}"), ""),
        usages("DELETE", &format!("S/usages?{interval}"), ""),
    ]
}

fn with_header(text: &str) -> Vec<Hostile> {
    let mut all = Vec::new();
    for name in [
        "X-Customer",
        "X-Loyalty-Club-Slug",
        "X-Product-Name",
        "Content-Type",
        "X-Client-Authorization",
        "Authorization",
    ] {
        all.push(hostile(Family::History, "GET", HISTORY, &[(name, text)], ""));
    }
    all.push(hostile(Family::Bill, "GET", BILL, &[("Authorization", text)], ""));
    all.push(hostile(
        Family::Bill,
        "GET",
        BILL,
        &[("Authorization", ""), ("X-Auth-Email", text), ("X-Auth-Key", "key")],
        "",
    ));
    all.push(hostile(
        Family::Bill,
        "GET",
        BILL,
        &[("Authorization", ""), ("X-Auth-Email", "a@b.c"), ("X-Auth-Key", text)],
        "",
    ));
    let usages = format!("{SUBSCRIPTIONS}/S/usages");
    for (name, body) in
        [("X-Avangate-Authentication", NEW), ("Authorization", NEW), ("Idempotency-Key", "[]")]
    {
        all.push(hostile(Family::Usages, "POST", &usages, &[(name, text)], body));
    }
    all
}

fn with_body(text: &str) -> Vec<Hostile> {
    let usages =
        |method, rest| hostile(Family::Usages, method, &format!("{SUBSCRIPTIONS}/{rest}"), &[], text);
    vec![
        hostile(Family::History, "GET", HISTORY, &[], text),
        usages("POST", "S/usages"),
        usages("PUT", "S/usages/1"),
        usages("DELETE", "S/usages"),
    ]
}

#[test]
fn no_text_breaks_the_service_or_reveals_or_changes_what_is_another_s() -> Result<()> {
    let (site, service) = site("injection")?;
    let client = service.client();
    let Texts { raw, headers, bodies, .. } = Texts::read()?;
    let made = |texts: &[Text], make: fn(&str) -> Vec<Hostile>| {
        texts.iter().flat_map(|text| make(&text.whole())).collect::<Vec<_>>()
    };
    let mut requests = made(&raw, with_raw);
    requests.extend(made(&headers, with_header));
    requests.extend(made(&bodies, with_body));
    let all = |token, subscription: &str| {
        of_usages(&client, token, "GET", &format!("{subscription}/usages"), &[], "")?.json()
    };
    let state = || Ok::<_, anyhow::Error>([all("crimson", "S")?, all("all", "S")?, all("all", CANARY)?]);
    let before = state()?;
    let records = site.log()?.len();
    each(&requests, |_, Hostile { family, method, bytes }| {
        let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(600)]).into_owned();
        let reply = client.send_bytes(bytes)?.with_context(|| format!("no answer to {}", shown()))?;
        ensure!(is_documented(*family, method, &reply), "{}\n{reply:?}", shown());
        let revealed = BEHIND.iter().chain(&[CANARY]).find(|text| {
            let is_told = reply.body.contains(**text);
            is_told && !String::from_utf8_lossy(bytes).contains(**text)
        });
        ensure!(revealed.is_none(), "{revealed:?} in the answer to {}\n{reply:?}", shown());
        ensure!(!reply.headers.contains_key("set-cookie"), "{}\n{reply:?}", shown());
        Ok(())
    })?;
    assert_eq!(state()?, before);
    assert_eq!(site.log()?.len(), records, "something was written");
    assert_eq!(service.metric("meterhouse_http_requests_total", &[("status", "500")])?, 0);
    Ok(())
}
