//! The examples of the vendors' documents, against the service: `tests/data/documents` describes the files.

use std::collections::BTreeMap;
use std::fs;
use std::mem::discriminant;

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::workspace_dir;
use meterhouse_tests::{Client, Merchant, Reply, Site, Token, Usage};
use serde::Deserialize;
use serde_json::Value;

/// Of "key".
const KEY: &str = "[[email_key]]\nemail = \"user@example.com\"\ncustomers = [\"cloudflare\"]\n\
                   sha256 = \"2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683\"\n";

/// A request with its documented answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    example: String,
    request: Request,
    status: u16,
    body: Value,
    #[serde(default)]
    other: Vec<String>,
    #[serde(default)]
    more: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default = "get")]
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

fn get() -> String {
    "GET".to_owned()
}

fn exchanges(document: &str) -> Result<Vec<Exchange>> {
    let path = workspace_dir().join(format!("tests/data/documents/{document}.json"));
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// Sends the requests of a document one after the other, and compares the answers. A header `{signature}` is this one, and
/// `{UsageReference}` in a path what the first answer with a usage said.
fn are_answered(document: &str, client: &Client, signature: &str) -> Result<Vec<Reply>> {
    let mut replies = Vec::new();
    let mut usage = String::new();
    for exchange in exchanges(document)? {
        let Request { method, path, headers, body } = &exchange.request;
        let value = |text| if text == "{signature}" { signature } else { text };
        let headers: Vec<_> = headers.iter().map(|(name, text)| (&**name, value(&**text))).collect();
        let body = body.as_ref().map(Value::to_string).unwrap_or_default();
        let reply = client.send(method, &path.replace("{UsageReference}", &usage), &headers, &body)?;
        assert_eq!(reply.status, exchange.status, "{}: {reply:?}", exchange.example);
        let answer = if reply.body.is_empty() { Value::Null } else { reply.json()? };
        if usage.is_empty() {
            usage = answer.pointer("/0/UsageReference").map(Value::to_string).unwrap_or_default();
        }
        let answer = comparable(answer, &exchange).with_context(|| exchange.example.clone())?;
        assert_eq!(answer, exchange.body, "{}", exchange.example);
        replies.push(reply);
    }
    Ok(replies)
}

/// The answer with the document's values where ours are other ones, and without the members that are ours alone.
fn comparable(mut answer: Value, exchange: &Exchange) -> Result<Value> {
    for pointer in &exchange.other {
        let ours = answer.pointer_mut(pointer).with_context(|| format!("the answer has no {pointer}"))?;
        let theirs =
            exchange.body.pointer(pointer).with_context(|| format!("the document has no {pointer}"))?;
        ensure!(discriminant(ours) == discriminant(theirs), "{pointer}: {ours} is no {theirs}");
        *ours = theirs.clone();
    }
    for pointer in &exchange.more {
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        let members = answer.pointer_mut(parent).and_then(Value::as_object_mut);
        let removed = members.and_then(|members| members.remove(name));
        ensure!(removed.is_some(), "the answer has no {pointer}");
    }
    Ok(answer)
}

#[test]
fn placewise() -> Result<()> {
    let site = Site::new("examples_placewise")?;
    site.write_catalog("code,service\ndns,domains\n")?;
    let more = "clubs = { club = \"1000941\" }\nproducts = [\"product\"]\n".to_owned();
    site.write_credentials(&[Token { more, ..Token::new("placewise") }])?;
    let service = site.serve()?;
    let usage = Usage::default().with("Customer", "1000941").with("OptionCode", "dns").with("Units", "0");
    site.publisher()?.publish(&[usage.on("2025-04-30").message()])?;
    site.wait_consumed()?;
    are_answered("placewise", &service.client(), "")?;
    Ok(())
}

#[test]
fn cloudflare() -> Result<()> {
    let mut site = Site::new("examples_cloudflare")?;
    site.set("ingest.max_age_days", 20_000)?;
    site.write_catalog("code,service,unit_price,currency\nplan,subscription,20.99,USD\n")?;
    let token = Token::for_bill("cloudflare", "cloudflare");
    site.write_credentials(&[Token { more: KEY.to_owned(), ..token }])?;
    let service = site.serve()?;
    let usage = Usage::default().with("Customer", "cloudflare").with("SubscriptionReference", "example.com");
    let usage = usage.with("OptionCode", "plan").between("2014-03-01T00:00:00Z", "2014-03-01T12:21:59.3456Z");
    site.publisher()?.publish(&[usage.message(), usage.clone().on("2014-04-01").message()])?;
    site.wait_consumed()?;
    let replies = are_answered("cloudflare", &service.client(), "")?;
    assert!(replies[0].body.contains(r#""amount":20.99,"#), "{}", replies[0].body);
    Ok(())
}

#[test]
fn checkout() -> Result<()> {
    let mut site = Site::new("examples_2checkout")?;
    site.set("ingest.max_age_days", 20_000)?;
    let life = "2018-01-01T00:00:00Z,2018-10-01T00:00:00Z";
    site.write_subscriptions(&format!("subscription,customer,start,expires\n83FE4FEF2,c,{life}\n"))?;
    let merchant = Merchant::new("YOURCODE123", "SECRET_KEY");
    fs::write(site.dir().join("credentials.toml"), merchant.table(&["c"], ""))?;
    let service = site.serve()?;
    let (_, signature) = merchant.header()?;
    let replies = are_answered("2checkout", &service.client(), &signature)?;
    assert!(replies[0].body.contains(r#""Units":15,"#), "an integer: {}", replies[0].body);
    Ok(())
}
