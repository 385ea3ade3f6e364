//! Makes the JSON that `/openapi.json` answers with out of `schemas/openapi.yaml`.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

const SOURCE: &str = "../../schemas/openapi.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    let document: serde_json::Value = serde_saphyr::from_str(&fs::read_to_string(SOURCE)?)?;
    let target = Path::new(&env::var("OUT_DIR")?).join("openapi.json");
    fs::write(target, serde_json::to_vec(&document)?)?;
    Ok(())
}
