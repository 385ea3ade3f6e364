//! Texts that would mean something elsewhere (to SQL, to a shell, to HTTP, to JSON) mean nothing here: the legal ones come
//! back as they were sent, the others are refused as documented, and nobody sees or changes what is another's.

mod hostile;
mod legal;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};
use meterhouse_tests::{Client, Reply, Service, Site, Token, Usage};

use super::{SUBSCRIPTIONS, token, write_credentials};

/// Requests at a time.
const THREADS: usize = 12;
/// In all that the requests must not reveal.
const CANARY: &str = "canary";

/// Does all of them, several at a time; the first failure is told.
fn each<T: Sync>(items: &[T], act: impl Fn(usize, &T) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    let work = || {
        while let (index, Some(item)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            (index, items.get(index))
        } {
            act(index, item)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| bail!("it panicked")))
    })
}

/// A site whose registry is empty, so that a token for all customers may use any subscription.
fn site(name: &str) -> Result<(Site, Service)> {
    let mut site = Site::new(name)?;
    // Many write at a time, beside other tests.
    site.set("api.visible_wait_ms", 60_000)?;
    write_credentials(&site, &Token::file(&[token("crimson", &["crimson"]), token("all", &["*"])]))?;
    let service = site.serve()?;
    let of_crimson = Usage::default().with("Customer", "crimson").with("EventId", "e");
    let of_emerald = Usage::default().with("Customer", "emerald").with("OptionCode", CANARY);
    let of_emerald = of_emerald.with("Description", CANARY);
    let all = [of_crimson, of_emerald.clone(), of_emerald.with("SubscriptionReference", CANARY)];
    site.publisher()?.publish(&all.map(|usage| usage.message()))?;
    site.wait_consumed()?;
    Ok((site, service))
}

/// A request as bytes.
fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Asks about usages as somebody with a token.
fn of_usages(
    client: &Client,
    token: &str,
    method: &str,
    rest: &str,
    more: &[(&str, &str)],
    body: &str,
) -> Result<Reply> {
    let bearer = format!("Bearer {token}");
    let headers = [&[("Authorization", bearer.as_str())], more].concat();
    let bytes = request(method, &format!("{SUBSCRIPTIONS}/{rest}"), &headers, body);
    client.send_bytes(&bytes)?.with_context(|| format!("{method} {rest} is not answered"))
}
