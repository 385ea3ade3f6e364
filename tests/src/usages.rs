//! Requests for single usages.

use std::net::TcpStream;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{Client, Reply, wait};

/// A client with credentials to read and write usages.
#[derive(Debug, Clone)]
pub struct Usages {
    client: Client,
    authorization: (&'static str, String),
}

impl Usages {
    /// Speaks to a service with a token.
    pub fn new(client: Client, token: &str) -> Self {
        Self::with(client, ("Authorization", format!("Bearer {token}")))
    }

    /// Speaks to a service with any header, such as a merchant's.
    pub fn with(client: Client, authorization: (&'static str, String)) -> Self {
        Self { client, authorization }
    }

    /// Sends any request, with more headers.
    ///
    /// # Errors
    /// There is no answer.
    pub fn send(&self, method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Result<Reply> {
        let (name, value) = &self.authorization;
        let mut headers = vec![(*name, value.as_str())];
        headers.extend(more);
        self.client.send(method, &format!("/rest/6.0/subscriptions/{path}"), &headers, body)
    }

    /// Sends a request of which nobody wants to know what becomes: dropping the connection ends it.
    ///
    /// # Errors
    /// Nobody is there to take it.
    pub fn abandon(
        &self,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: &Value,
    ) -> Result<TcpStream> {
        let (name, value) = &self.authorization;
        let mut headers = vec![(*name, value.as_str())];
        headers.extend(more);
        let path = format!("/rest/6.0/subscriptions/{path}");
        self.client.send_only(method, &path, &headers, &body.to_string())
    }

    /// A page of usages of a subscription; the query is `?Page=1` or so.
    ///
    /// # Errors
    /// There is no answer.
    pub fn list(&self, subscription: &str, query: &str) -> Result<Reply> {
        self.send("GET", &format!("{subscription}/usages/{query}"), &[], "")
    }

    /// All usages of a subscription, of several pages.
    ///
    /// # Errors
    /// There is no answer, or another one than 200.
    pub fn all(&self, subscription: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        for page in 1.. {
            let reply = self.list(subscription, &format!("?Page={page}&Limit=100"))?;
            ensure!(reply.status == 200, "page {page}: {} {}", reply.status, reply.body);
            let answer = reply.json()?;
            let Some(more) = answer["Items"].as_array().filter(|items| !items.is_empty()) else { break };
            items.extend(more.clone());
        }
        Ok(items)
    }

    /// Saves usages, with an `Idempotency-Key` if there is one.
    ///
    /// # Errors
    /// There is no answer.
    pub fn save(&self, subscription: &str, usages: &Value, key: Option<&str>) -> Result<Reply> {
        let key: Vec<_> = key.into_iter().map(|key| ("Idempotency-Key", key)).collect();
        self.send("POST", &format!("{subscription}/usages"), &key, &usages.to_string())
    }

    /// Saves usages without a key; they must be visible then. Returns them.
    ///
    /// # Errors
    /// They are not saved, or not visible.
    pub fn saved(&self, subscription: &str, usages: &Value) -> Result<Vec<Value>> {
        let reply = self.save(subscription, usages, None)?;
        ensure!(reply.status == 200, "{} {}", reply.status, reply.body);
        ensure!(is_visible(&reply), "saved and not visible");
        Ok(reply.json()?.as_array().cloned().unwrap_or_default())
    }

    /// Changes a usage.
    ///
    /// # Errors
    /// There is no answer.
    pub fn update(&self, subscription: &str, reference: &Value, changes: &Value) -> Result<Reply> {
        self.send("PUT", &format!("{subscription}/usages/{reference}"), &[], &changes.to_string())
    }

    /// Deletes usages; the query is `?UsageReference=1` or so.
    ///
    /// # Errors
    /// There is no answer.
    pub fn delete(&self, subscription: &str, query: &str) -> Result<Reply> {
        self.send("DELETE", &format!("{subscription}/usages{query}"), &[], "")
    }
}

/// Sends a request again until it is known what became of it: who has no answer, or 503, does not know. Returns the answer,
/// and how often the request was sent.
///
/// # Errors
/// It does not come to be known.
pub fn persist(what: &str, mut send: impl FnMut() -> Result<Reply>) -> Result<(Reply, u32)> {
    let (mut sent, mut last) = (0, String::new());
    let known = wait::until(what, || {
        sent += 1;
        match send() {
            Ok(reply) if reply.status != 503 => return Some(reply),
            other => last = format!("{other:?}"),
        }
        None
    });
    Ok((known.map_err(|error| error.context(format!("last answer: {last}")))?, sent))
}

/// Whether an answer says that what was written can be read.
pub fn is_visible(reply: &Reply) -> bool {
    reply.headers.get("x-meterhouse-visible").is_some_and(|value| value == "yes")
}

/// A usage of an option code, as a request states it: an hour that ends at a time of 3 October 2026.
pub fn usage(option_code: &str, end: &str, units: impl Into<Value>) -> Value {
    json!({
        "OptionCode": option_code,
        "UsageStart": "2026-10-03 00:00:00",
        "UsageEnd": format!("2026-10-03 {end}"),
        "Units": units.into(),
    })
}
