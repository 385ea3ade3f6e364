//! Usages of a subscription as a merchant reads and writes them: by the lines of the README, and by a client that is too old.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::workspace_dir;
use meterhouse_tests::clients::python;
use meterhouse_tests::{Merchant, Service, Site};
use serde_json::{Value, json};

/// What the README asks.
const BASE: &str = "http://127.0.0.1:8080";

fn site(name: &str) -> Result<(Site, Service, Merchant)> {
    let site = Site::new(name)?;
    site.write_subscriptions("subscription,customer,start,expires\n83FE4FEF2,1000941,,\n")?;
    let merchant = Merchant::new("YOURCODE123", "a secret with 'quotes'");
    fs::write(site.dir().join("credentials.toml"), merchant.table(&["1000941"], ""))?;
    let service = site.serve()?;
    Ok((site, service, merchant))
}

#[test]
fn md5_is_refused_in_the_documented_words() -> Result<()> {
    let (_site, service, merchant) = site("conformance_md5")?;
    let settings = json!({"code": merchant.code, "secret": merchant.secret});
    let answers: BTreeMap<String, (u16, Value)> =
        python("usages", &service.client().url("/rest/6.0"), &settings)?;
    let refused =
        json!({"error_code": "AUTHENTICATION_ERROR", "message": "Authentication needed for this resource"});
    let expected = ["DELETE", "GET", "POST", "PUT"].map(|method| (method.to_owned(), (401, refused.clone())));
    assert_eq!(answers, BTreeMap::from(expected));
    // With a hash that counts, the same merchant is let in.
    let (name, value) = merchant.header()?;
    let list =
        service.client().send("GET", "/rest/6.0/subscriptions/83FE4FEF2/usages/", &[(name, &value)], "")?;
    assert_eq!(list.status, 200, "{list:?}");
    Ok(())
}

/// The lines of the README for a merchant: how to sign, and the four requests.
fn lines() -> Result<(String, Vec<String>)> {
    let readme = fs::read_to_string(workspace_dir().join("README.md"))?;
    let (_, block) = readme.split_once("```sh\nsign()").context("the README signs nothing")?;
    let (block, _) = block.split_once("```").context("the lines have no end")?;
    let mut requests = block.split("\ncurl ");
    let preparation = format!("sign(){}", requests.next().unwrap_or_default());
    Ok((preparation, requests.map(|request| format!("curl {request}")).collect()))
}

/// Runs lines in a shell as they stand, but for the service's address, and returns what they print.
fn run(lines: &str, service: &Service, secret: &str, reference: &str) -> Result<String> {
    let lines = lines.replace(BASE, &service.client().url(""));
    let mut shell = Command::new("sh");
    shell.args(["-euc", &lines.replace("curl ", "curl --silent --show-error --fail-with-body ")]);
    let output = shell.env("SECRET", secret).env("REFERENCE", reference).output().context("run sh")?;
    let printed = String::from_utf8(output.stdout)?;
    ensure!(output.status.success(), "{lines}\n{printed}{}", String::from_utf8_lossy(&output.stderr));
    Ok(printed)
}

#[test]
fn the_lines_of_the_readme_save_list_change_and_delete() -> Result<()> {
    let (_site, service, merchant) = site("conformance_readme")?;
    let (preparation, requests) = lines()?;
    let [save, list, update, delete] = &requests[..] else { panic!("{requests:#?}") };
    let request = |request: &str, reference: &str| {
        run(&format!("{preparation}\n{request}"), &service, &merchant.secret, reference)
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).with_context(|| text.to_owned());
    let saved = json(&request(save, "")?)?;
    let reference = saved[0]["UsageReference"].to_string();
    assert_eq!(json(&request(save, "")?)?, saved, "its key makes it harmless");
    let page = json(&request(list, "")?)?;
    assert_eq!((&page["Items"][0]["Units"], &page["Pagination"]["Count"]), (&json!(15), &json!(1)));
    let updated = json(&request(update, &reference)?)?;
    assert_eq!((&updated["Units"], &updated["Description"]), (&json!(12.5), &json!("measured again")));
    assert_eq!(request(delete, &reference)?, "");
    assert_eq!(json(&request(list, "")?)?["Items"], json!([]));
    let forged = run(&format!("{preparation}\n{list}"), &service, "another secret", "");
    let refusal = forged.map_err(|error| error.to_string()).expect_err("a forged signature is accepted");
    assert!(refusal.contains("AUTHENTICATION_ERROR"), "{refusal}");
    Ok(())
}
