//! Kafka behind TLS, with a password and access lists.

use anyhow::Result;
use meterhouse_tests::check::all_is_as_expected;
use meterhouse_tests::usages::{Usages, is_visible, usage};
use meterhouse_tests::{Site, Token, wait};
use serde_json::json;

use crate::world::{KAFKA_USER, world};

const ACL: &str = "org.apache.kafka.tools.AclCommand";

/// Has a site's processes come by the listener that asks.
fn secure(site: &mut Site, password: &str) -> Result<()> {
    let world = world();
    let settings = [
        ("kafka.brokers", world.secured_brokers()),
        ("kafka.properties.security.protocol", "sasl_ssl".to_owned()),
        ("kafka.properties.sasl.mechanism", "PLAIN".to_owned()),
        ("kafka.properties.sasl.username", KAFKA_USER.to_owned()),
        ("kafka.properties.sasl.password", password.to_owned()),
        ("kafka.properties.ssl.ca.location", world.ca_file.to_string_lossy().into_owned()),
    ];
    settings.into_iter().try_for_each(|(key, value)| site.set(key, value))
}

/// The access list of the documentation.
pub(crate) fn allow(topic: &str, group: &str) -> Result<()> {
    let principal = format!("User:{KAFKA_USER}");
    let allow = |what: &[&str], operations: &[&str]| {
        let mut arguments = vec!["--add", "--allow-principal", &principal];
        operations.iter().for_each(|operation| arguments.extend(["--operation", operation]));
        arguments.extend(what);
        world().kafka().tool(ACL, &arguments)
    };
    allow(&["--topic", topic], &["Read", "Write", "DescribeConfigs"])?;
    allow(&["--group", group], &["Read"])?;
    Ok(())
}

#[test]
fn a_password_opens_kafka_and_the_access_list_is_all_that_it_takes() -> Result<()> {
    let world = world();
    let mut site = world.site("sec_kafka")?;
    let permits = ["Billing:Api:ServiceUsageHistory:Show", "usages:read", "usages:write"];
    let permits = permits.map(str::to_owned).to_vec();
    site.use_token(Token { permits, ..Token::new("mh_kafka") })?;

    secure(&mut site, "a wrong one")?;
    let mut service = site.start(&["serve"], "wrong")?;
    service.wait_fault("kafka", "")?;
    wait::until("the reason to be told", || service.log().contains("Authentication failed").then_some(()))?;
    assert!(!service.log().contains("a wrong one"), "{}", service.log());
    drop(service);

    // The password is right, but nothing is allowed yet.
    secure(&mut site, &world.kafka_password)?;
    let mut service = site.start(&["serve"], "denied")?;
    wait::until("the reason to be told", || {
        service.log().to_lowercase().contains("authorization").then_some(())
    })?;
    assert_eq!(service.readiness()?.0, 503);

    allow("sec_kafka", "sec_kafka")?;
    service.wait_ready()?;
    site.generate(&["--events", "2000", "--customers", "3"])?;
    let usages = Usages::new(service.client(), "mh_kafka");
    let saved = usages.save("own", &json!([usage("cpu", "01:00:00", 5)]), Some("one"))?;
    assert!(saved.status == 200 && is_visible(&saved), "{saved:?}");
    all_is_as_expected(&site, &service.client())?;
    assert!(!service.log().contains("cannot see whether the topic is compacted"), "{}", service.log());
    for command in [&["ledger", "show"][..], &["verify", "--from-kafka"]] {
        let output = site.run(command)?;
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(!service.log().contains(&world.kafka_password));
    Ok(())
}
