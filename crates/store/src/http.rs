//! The HTTP connections to ClickHouse.

use std::time::Duration;

use clickhouse::Client;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::{Builder, Client as HyperClient, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;

use crate::ClientTls;

/// Idle connections end before ClickHouse ends them: 3 s was once its shortest default.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(2);
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// A client without an address. It is that of the `clickhouse` crate, but sends the last few bytes of an insert without
/// waiting for a receipt of those before (Nagle's algorithm): small inserts take 5 ms instead of 50. Without TLS it reaches
/// `http://` addresses alone.
pub(crate) fn client(tls: Option<&ClientTls>) -> Client {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_keepalive(Some(TCP_KEEPALIVE));
    let Some(ClientTls(config)) = tls else {
        return Client::with_http_client(builder_of_pools().build(connector));
    };
    connector.enforce_http(false);
    let builder = HttpsConnectorBuilder::new().with_tls_config(ClientConfig::clone(config));
    let connector = builder.https_only().enable_http1().wrap_connector(connector);
    Client::with_http_client(builder_of_pools().build(connector))
}

fn builder_of_pools() -> Builder {
    let mut builder = HyperClient::builder(TokioExecutor::new());
    builder.pool_idle_timeout(POOL_IDLE_TIMEOUT);
    builder
}
