//! Connections that break at every possible place: never a short sum, never a batch that is taken for stored.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use meterhouse_store::{ClickHouseConfig, ErrorClass};

use crate::database::{Database, NEVER, shared, store};
use crate::sample::{at, event, of_customer, sealed, written};

/// Bytes that still pass in one direction; then the connection breaks.
type Allowance = Arc<AtomicUsize>;

/// A proxy before the shared server.
struct Proxy {
    url: String,
    requests: Allowance,
    answers: Allowance,
}

/// What becomes of a connection whose request is cut.
#[derive(Clone, Copy, PartialEq)]
enum Cut {
    /// It breaks in both directions.
    Both,
    /// The server sees the request's end, and its answer still comes.
    Half,
}

fn proxy(cut: Cut) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let unlimited = || Arc::new(AtomicUsize::new(usize::MAX));
    let proxy = Proxy {
        url: format!("http://{}", listener.local_addr().unwrap()),
        requests: unlimited(),
        answers: unlimited(),
    };
    let (requests, answers) = (Arc::clone(&proxy.requests), Arc::clone(&proxy.answers));
    // Ends with the test program.
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", shared().http_port())).unwrap();
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let (requests, answers) = (Arc::clone(&requests), Arc::clone(&answers));
            thread::spawn(move || pass(client, server, &requests, cut));
            thread::spawn(move || pass(back.0, back.1, &answers, Cut::Both));
        }
    });
    proxy
}

/// Passes bytes on while they are allowed.
fn pass(mut from: TcpStream, mut to: TcpStream, allowance: &AtomicUsize, cut: Cut) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let take = |left: usize| Some(left - left.min(count));
        let left = allowance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).unwrap();
        if to.write_all(&buffer[..left.min(count)]).is_err() {
            break;
        }
        if left < count && cut == Cut::Both {
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        }
        if left < count {
            let _ = to.shutdown(Shutdown::Write);
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[tokio::test]
async fn a_read_is_whole_or_an_error() {
    let database = Database::migrated(shared()).await;
    let months: Vec<_> = (10..=12)
        .map(|month| of_customer(event("s", "e", at(&format!("2026-{month}-03T18:00:00Z")), "1"), "c"))
        .collect();
    database.store().write(&written(&months)).await.unwrap();
    let proxy = proxy(Cut::Both);
    let store = store(&ClickHouseConfig { url: proxy.url.clone(), ..database.config() });
    let whole = |mut usage: Vec<meterhouse_store::Usage>| {
        usage.sort_by_key(|usage| usage.month);
        usage.iter().map(|usage| usage.month.to_string()).collect::<Vec<_>>()
            == ["10.2026", "11.2026", "12.2026"]
    };
    assert!(whole(store.usage_by_month("c", &[], NEVER).await.unwrap()));
    let mut errors = 0;
    for bytes in 0.. {
        proxy.answers.store(bytes, Ordering::Relaxed);
        match store.usage_by_month("c", &[], NEVER).await {
            Ok(usage) => {
                assert!(whole(usage), "short after {bytes} bytes");
                break;
            }
            Err(error) => assert_eq!(error.class(), ErrorClass::Retryable, "{error}"),
        }
        errors += 1;
    }
    assert!(errors > 500, "headers and body are longer than {errors} bytes");
}

#[tokio::test]
async fn an_insert_is_acknowledged_when_it_is_whole() {
    let events: Vec<_> = (0..300)
        .map(|id| {
            let end = at("2026-10-03T18:00:00Z") + i64::from(id % 3) * 2_678_400_000_000;
            event(&format!("s{id}"), &id.to_string(), end, "1")
        })
        .collect();
    let batch = sealed(&events);
    for cut in [Cut::Both, Cut::Half] {
        let database = Database::migrated(shared()).await;
        let proxy = proxy(cut);
        let store = store(&ClickHouseConfig { url: proxy.url.clone(), ..database.config() });
        // The head of the request, all places near its end, and some in between.
        let places = (0..2_000).step_by(97).chain((2_000..batch.bytes.len()).step_by(1_499));
        let mut errors = 0;
        for bytes in places.chain(batch.bytes.len()..) {
            proxy.requests.store(bytes, Ordering::Relaxed);
            match store.insert(&batch).await {
                Err(error) => {
                    assert_eq!(error.class(), ErrorClass::Retryable, "after {bytes} bytes: {error}");
                }
                Ok(()) => break,
            }
            errors += 1;
        }
        assert!(errors > 100, "{errors}");
        let stored: u64 = database.one("SELECT count() FROM usage_events FINAL").await;
        assert_eq!(stored, 300);
    }
}
