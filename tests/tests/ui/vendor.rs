//! The page's copy of its library is the published one.

use std::fs;

use anyhow::Result;
use meterhouse_localstack::workspace_dir;
use meterhouse_tests::clients::node_packages;

#[test]
fn the_library_is_the_one_that_npm_has() -> Result<()> {
    let packages = node_packages("ui-node", &workspace_dir().join("tests/ui"))?.join("node_modules");
    let vendor = workspace_dir().join("crates/api/ui/vendor");
    let files = [
        ("chart.umd.min.js", "chart.js/dist/chart.umd.min.js"),
        ("chart.js.LICENSE.md", "chart.js/LICENSE.md"),
        ("kurkle-color.LICENSE.md", "@kurkle/color/LICENSE.md"),
    ];
    for (file, published) in files {
        assert!(fs::read(vendor.join(file))? == fs::read(packages.join(published))?, "{file} is another one");
    }
    assert_eq!(fs::read_dir(&vendor)?.count(), files.len() + 1, "a file beside these and the README");
    Ok(())
}
