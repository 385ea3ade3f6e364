//! The routes as a client sees them, with a ClickHouse that nobody can reach: a request that passes every check ends
//! in 503.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use meterhouse_api::{
    ApiState, Authority, Credentials, Health, Limits, Metrics, RateLimit, Slots, UsageWriter,
};
use meterhouse_ingest::{KafkaConfig, TopicProducer};
use meterhouse_model::{BillingZone, Catalog, Registry, Rules};
use meterhouse_query::{History, Usages};
use meterhouse_store::{ClickHouseConfig, Store};
use tokio::sync::watch;
use tower::ServiceExt;

/// The documented path.
pub(crate) const PATH: &str = "/v1/billing/service_usage/history";

/// A service and what a test looks at beside its answers.
pub(crate) struct Service {
    pub(crate) router: Router,
    pub(crate) registry: prometheus::Registry,
    pub(crate) health: Health,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) fn authority(credentials: &str) -> Authority {
    Authority::Credentials(latest(
        Credentials::from_toml(credentials, |_| Err("no secrets elsewhere".into())).unwrap(),
    ))
}

/// Where nobody listens.
pub(crate) const UNREACHABLE: &str = "http://127.0.0.1:1";

pub(crate) fn service(authority: Authority, rate_limit: RateLimit) -> Service {
    service_before(UNREACHABLE, Duration::from_secs(1), authority, rate_limit)
}

/// A service that knows nobody's token.
pub(crate) fn refusing() -> Service {
    service(authority(""), RateLimit::new(0, 0))
}

/// A service before the ClickHouse at an address.
pub(crate) fn service_before(
    url: &str,
    query_timeout: Duration,
    authority: Authority,
    rate_limit: RateLimit,
) -> Service {
    service_within(Limits::default(), url, query_timeout, authority, rate_limit)
}

/// A service with limits of its own, which works on two requests at a time.
pub(crate) fn service_within(
    limits: Limits,
    url: &str,
    query_timeout: Duration,
    authority: Authority,
    rate_limit: RateLimit,
) -> Service {
    let registry = prometheus::Registry::new();
    let health = Health::new(&["clickhouse"]);
    let metrics = Metrics::register(&registry).unwrap();
    let store = store(url, query_timeout, &registry);
    let zone = Arc::new(BillingZone::new("UTC").unwrap());
    let usages = Usages::new(store.clone(), Arc::clone(&zone), latest(Registry::default()));
    let rules = latest(Rules::new(Arc::clone(&zone)));
    let slots = Slots::new(2);
    let state = ApiState {
        history: History::new(
            store,
            zone,
            latest(Catalog::default()),
            latest(Registry::default()),
            Duration::from_secs(75),
        ),
        writer: UsageWriter::new(
            TopicProducer::new(&kafka()),
            usages.clone(),
            rules,
            Duration::from_secs(1),
            slots.clone(),
        ),
        usages,
        authority,
        checkout_clock_skew: Duration::from_secs(300),
        rate_limit,
        limits,
        slots,
        health: health.clone(),
        metrics,
    };
    Service { router: meterhouse_api::router(state), registry, health }
}

fn store(url: &str, query_timeout: Duration, registry: &prometheus::Registry) -> Store {
    let config = ClickHouseConfig {
        url: url.into(),
        tls: None,
        database: "none".into(),
        user: "default".into(),
        password: None,
        cluster: None,
        insert_timeout: Duration::from_secs(1),
        query_timeout,
    };
    Store::new(&config, meterhouse_store::Metrics::register(registry).unwrap())
}

/// Where nobody listens, either.
fn kafka() -> KafkaConfig {
    KafkaConfig {
        brokers: "127.0.0.1:1".into(),
        topic: "t".into(),
        group_id: "g".into(),
        properties: BTreeMap::new(),
        session_timeout: Duration::from_secs(10),
        mirror_topic: None,
    }
}

/// A value that does not change any more.
fn latest<T>(value: T) -> watch::Receiver<Arc<T>> {
    watch::channel(Arc::new(value)).1
}

impl Service {
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        read(self.router.clone().oneshot(request).await.unwrap()).await
    }
}

pub(crate) async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8(bytes.to_vec()).unwrap();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

impl Answer {
    /// Reads an answer as it was sent.
    pub(crate) fn from_text(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
        };
        Self { status, headers: lines.map(header).collect(), body: body.to_owned() }
    }

    /// The text of `{"error":"..."}`, which is the whole body.
    pub(crate) fn error(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"));
        let members = body.as_object().unwrap();
        assert_eq!(members.len(), 1, "{self:?}");
        members["error"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}")).to_str().unwrap()
    }
}

/// A request that every check lets pass, changed by the given headers; an empty value removes one.
pub(crate) fn request(query: &str, changes: &[(&str, &str)]) -> Request<Body> {
    let good = [
        ("x-user-agent", "tests"),
        ("x-product-name", "mall"),
        ("x-customer", "1000941"),
        ("x-client-authorization", "good token"),
    ];
    let kept = good
        .iter()
        .filter(|(name, _)| changes.iter().all(|(changed, _)| !changed.eq_ignore_ascii_case(name)));
    let mut builder = Request::get(format!("{PATH}{query}"));
    for (name, value) in kept.chain(changes.iter().filter(|(_, value)| !value.is_empty())) {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::empty()).unwrap()
}

/// The status that says: every check passed.
pub(crate) const PASSED: u16 = StatusCode::SERVICE_UNAVAILABLE.as_u16();
