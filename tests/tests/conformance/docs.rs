//! The page's copy of its library is the published one.

use std::fs;

use anyhow::Result;
use meterhouse_localstack::workspace_dir;
use meterhouse_tests::clients::node_packages;

#[test]
fn the_library_is_the_one_that_npm_has() -> Result<()> {
    let packages = node_packages("docs-node", &workspace_dir().join("tests/conformance/docs"))?;
    let published = packages.join("node_modules/swagger-ui-dist");
    let vendor = workspace_dir().join("crates/api/docs/vendor");
    let mut compared = 0;
    for entry in fs::read_dir(&vendor)? {
        let name = entry?.file_name();
        if name != "README.md" {
            assert!(
                fs::read(vendor.join(&name))? == fs::read(published.join(&name))?,
                "{name:?} is another one"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 5, "script, style sheet, licence, notice, licences of what is in the script");
    Ok(())
}
