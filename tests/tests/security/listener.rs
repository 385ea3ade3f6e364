//! TLS of our own listener.

use anyhow::Result;
use meterhouse_tests::certificates::{Authority, Identity};
use meterhouse_tests::{Service, Site, tls, wait};

use crate::world::world;

const EXPIRY: &str = "meterhouse_tls_certificate_not_after_timestamp_seconds";
/// The first second of a year, since 1970.
const OF_2098: u64 = 4_039_372_800;
const OF_2099: u64 = 4_070_908_800;

fn serve(site: &mut Site, identity: &Identity) -> Result<Service> {
    let [certificate, key] = identity.write(site.dir(), "server")?;
    site.set("http.tls_certificate_file", certificate.to_string_lossy().into_owned())?;
    site.set("http.tls_key_file", key.to_string_lossy().into_owned())?;
    site.serve()
}

fn status(service: &Service, trusted: &Authority) -> Result<u16> {
    Ok(tls::get(tls::connect(service.http_port(), trusted)?, "/healthz")?.status)
}

#[test]
fn customers_are_answered_over_tls_alone_and_operators_on_their_own_listener() -> Result<()> {
    let world = world();
    let mut site = world.site("sec_listener")?;
    let service = serve(&mut site, &world.authority.issue_until(&["localhost"], 2098)?)?;
    assert_eq!(status(&service, &world.authority)?, 200);
    assert!(status(&service, &Authority::new("another")?).is_err());
    assert!(service.client().get("/healthz").is_err(), "plain HTTP");
    assert_eq!(service.operations().get("/readyz")?.status, 200);
    assert_eq!(service.metric(EXPIRY, &[])?, OF_2098);
    Ok(())
}

#[test]
fn a_new_certificate_counts_without_a_restart_and_a_wrong_one_never() -> Result<()> {
    let world = world();
    let mut site = world.site("sec_reload")?;
    let (old, new) = (&world.authority, Authority::new("The next authority")?);
    let service = serve(&mut site, &old.issue(&["localhost"])?)?;
    let open = tls::connect(service.http_port(), old)?;
    let failed =
        || service.metric("meterhouse_file_loads_total", &[("file", "certificate"), ("outcome", "failed")]);
    let stale = || service.metric("meterhouse_file_stale", &[("file", "certificate")]);

    // A certificate whose key is another one.
    let next = new.issue(&["localhost"])?;
    let mixed = Identity { key: old.issue(&["localhost"])?.key, ..next.clone() };
    mixed.write(site.dir(), "server")?;
    wait::until_is("the wrong pair to be noticed", stale, |stale| *stale == 1)?;
    assert_eq!(status(&service, old)?, 200, "the last good pair counts");
    assert!(service.log().contains("server.key: is not the key of the certificate"), "{}", service.log());
    assert!(failed()? >= 1);

    next.write(site.dir(), "server")?;
    wait::until_is("the new pair to count", || Ok(status(&service, &new).ok()), |seen| *seen == Some(200))?;
    assert_eq!(stale()?, 0);
    assert_eq!(tls::get(open, "/healthz")?.status, 200, "a connection from before goes on");
    assert_eq!(service.metric(EXPIRY, &[])?, OF_2099);

    // Clients decide about one that has expired; the log and the metric tell of it.
    new.issue_until(&["localhost"], 2025)?.write(site.dir(), "server")?;
    let told = || service.log().contains("the certificate of the HTTP listener has expired").then_some(());
    wait::until("the expired certificate to be told", told)?;
    assert!(status(&service, &new).is_err());
    Ok(())
}

#[test]
fn what_is_wrong_with_the_files_is_told_at_the_start() -> Result<()> {
    let world = world();
    let dir = tempfile::tempdir()?;
    let site = Site::in_dir(dir.path(), "127.0.0.1:1", "http://127.0.0.1:1", "sec_wrong")?;
    let [certificate, key] = world.authority.issue(&["localhost"])?.write(dir.path(), "one")?;
    let [_, other] = world.authority.issue(&["localhost"])?.write(dir.path(), "two")?;
    let check = |certificate: &str, key: &str| -> Result<String> {
        let mut command = site.command(&["check-config"])?;
        let output = command
            .env("METERHOUSE_HTTP__TLS_CERTIFICATE_FILE", certificate)
            .env("METERHOUSE_HTTP__TLS_KEY_FILE", key)
            .output()?;
        let code = output.status.code().unwrap_or(-1);
        Ok(format!("{code} {}", String::from_utf8_lossy(&output.stderr)))
    };
    let (certificate, key, other) =
        (certificate.to_string_lossy(), key.to_string_lossy(), other.to_string_lossy());
    assert!(check(&certificate, &key)?.starts_with("0 "));
    let cases = [
        (&*certificate, "", "http.tls_certificate_file is set, but http.tls_key_file is not"),
        ("", &*key, "http.tls_key_file is set, but http.tls_certificate_file is not"),
        (&*certificate, &*other, "two.key: is not the key of the certificate"),
        (&*key, &*key, "one.key: holds no certificate in PEM"),
        (&*certificate, &*certificate, "one.pem: holds no private key in PEM that is not encrypted"),
        (&*certificate, "/nowhere", "/nowhere: there is no such file"),
        ("/nowhere", &*key, "/nowhere: there is no such file"),
    ];
    for (certificate, key, told) in cases {
        let error = check(certificate, key)?;
        assert!(error.starts_with("2 ") && error.contains(told), "{told}: {error}");
    }
    Ok(())
}
