//! TLS to ClickHouse, which has none here: a proxy speaks it in front of a real one.

use std::path::Path;

use anyhow::Result;
use meterhouse_tests::Site;
use meterhouse_tests::certificates::{self, Authority};
use meterhouse_tests::check::all_is_as_expected;
use meterhouse_tests::tls::TlsProxy;

use crate::world::world;

fn proxy(names: &[&str], clients: Option<&Authority>) -> Result<TlsProxy> {
    let world = world();
    TlsProxy::start(&world.authority.issue(names)?, clients, world.clickhouse().http_port())
}

/// Sets where ClickHouse is, and whom to trust.
fn reach(site: &mut Site, host: &str, proxy: &TlsProxy, ca_file: &Path) -> Result<()> {
    site.set("clickhouse.url", format!("https://{host}:{}", proxy.port()))?;
    site.set("clickhouse.ca_file", ca_file.to_string_lossy().into_owned())
}

/// What a command says that cannot reach it.
fn refusal(site: &Site) -> Result<String> {
    let output = site.run(&["migrate"])?;
    Ok(format!("{} {}", output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn clickhouse_is_reached_over_tls_by_whoever_trusts_its_authority() -> Result<()> {
    let world = world();
    let name = "sec_tls_right";
    world.kafka().create_topic(name, 4)?;
    let mut site = Site::on(world.kafka(), world.clickhouse(), name)?;
    let clients = Authority::new("Authority of clients")?;
    let proxy = proxy(&["localhost", "127.0.0.1"], Some(&clients))?;
    reach(&mut site, "localhost", &proxy, &world.ca_file)?;
    let error = refusal(&site)?;
    assert!(error.starts_with("3 ") && error.contains("CertificateRequired"), "{error}");

    let [certificate, key] = clients.issue(&["meterhouse"])?.write(site.dir(), "client")?;
    site.set("clickhouse.client_certificate_file", certificate.to_string_lossy().into_owned())?;
    site.set("clickhouse.client_key_file", key.to_string_lossy().into_owned())?;
    let service = site.serve()?;
    site.generate(&["--events", "2000", "--customers", "3"])?;
    all_is_as_expected(&site, &service.client())?;
    Ok(())
}

#[test]
fn a_server_that_cannot_be_trusted_is_not_used_and_the_reason_is_clear() -> Result<()> {
    let world = world();
    let mut site = Site::on(world.kafka(), world.clickhouse(), "sec_tls_wrong")?;
    let right = proxy(&["localhost"], None)?;
    let other = certificates::write(site.dir(), "other.pem", &Authority::new("Somebody else")?.pem())?;
    reach(&mut site, "localhost", &right, &other)?;
    let error = refusal(&site)?;
    assert!(error.starts_with("3 "), "{error}");
    assert!(error.contains("invalid peer certificate: UnknownIssuer"), "{error}");
    assert!(error.contains("see clickhouse.ca_file"), "{error}");

    // A service waits for better times, and says for which.
    let mut service = site.start(&["api"], "api")?;
    service.wait_fault("clickhouse", "UnknownIssuer")?;
    drop(service);

    reach(&mut site, "127.0.0.1", &right, &world.ca_file)?;
    let error = refusal(&site)?;
    assert!(error.contains("not valid for name \"127.0.0.1\""), "{error}");

    let expired = world.authority.issue_until(&["localhost"], 2025)?;
    let expired = TlsProxy::start(&expired, None, world.clickhouse().http_port())?;
    reach(&mut site, "localhost", &expired, &world.ca_file)?;
    let error = refusal(&site)?;
    assert!(error.contains("certificate expired"), "{error}");

    site.set("clickhouse.url", format!("https://localhost:{}", world.clickhouse().http_port()))?;
    let error = refusal(&site)?;
    assert!(error.contains("does not speak TLS"), "{error}");

    // Without a file, the authorities of the system: ours is none of them.
    site.set("clickhouse.ca_file", "")?;
    site.set("clickhouse.url", format!("https://localhost:{}", right.port()))?;
    let error = refusal(&site)?;
    assert!(error.contains("UnknownIssuer") || error.contains("trusts no authority"), "{error}");
    Ok(())
}
