//! The shape of the workspace: which crate may know which, and where `unsafe` may be.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// What each crate may depend on, of the workspace and of the libraries that only one crate may know.
const ALLOWED: [(&str, &[&str]); 7] = [
    ("meterhouse-model", &[]),
    ("meterhouse-store", &["meterhouse-model", "clickhouse"]),
    ("meterhouse-ingest", &["meterhouse-model", "meterhouse-store", "rdkafka"]),
    ("meterhouse-query", &["meterhouse-model", "meterhouse-store"]),
    (
        "meterhouse-api",
        &["meterhouse-model", "meterhouse-store", "meterhouse-ingest", "meterhouse-query", "axum", "hyper"],
    ),
    (
        "meterhouse",
        &["meterhouse-model", "meterhouse-store", "meterhouse-ingest", "meterhouse-query", "meterhouse-api"],
    ),
    ("meterhouse-localstack", &[]),
];

/// Libraries that one crate alone may know.
const GUARDED: [&str; 4] = ["clickhouse", "rdkafka", "axum", "hyper"];

/// Files and folders that may hold `unsafe`.
const UNSAFE: [&str; 4] = [
    "benches/src/bin/ingest_bench/client.rs",
    "crates/ingest/src/message.rs",
    "crates/ingest/src/topic_id.rs",
    "crates/localstack/src",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn packages() -> BTreeMap<String, Package> {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    metadata.packages.into_iter().map(|package| (package.name.to_string(), package)).collect()
}

#[test]
fn dependencies_point_one_way() {
    let packages = packages();
    for (name, allowed) in ALLOWED {
        let normal = packages[name].dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
        for dependency in normal {
            let is_watched =
                dependency.name.starts_with("meterhouse") || GUARDED.contains(&dependency.name.as_str());
            assert!(
                !is_watched || allowed.contains(&dependency.name.as_str()),
                "{name} must not depend on {}",
                dependency.name
            );
        }
    }
}

#[test]
fn every_crate_has_a_place_and_one_list_of_dependencies() {
    for (name, package) in packages() {
        let is_service = package.manifest_path.components().any(|part| part.as_str() == "crates");
        assert!(!is_service || ALLOWED.iter().any(|(known, _)| *known == name), "{name} is not listed here");
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name} has lints of its own");
        let sections = manifest.split("dependencies]").skip(1);
        let lines =
            sections.flat_map(|section| section.lines().skip(1).take_while(|line| !line.starts_with('[')));
        for line in lines.filter(|line| !line.is_empty()) {
            assert!(line.contains("workspace = true"), "{name} declares a version of its own: {line}");
        }
    }
}

#[test]
fn unsafe_is_in_few_places() {
    let mut folders = vec![root().join("crates"), root().join("tests"), root().join("benches")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let is_allowed = UNSAFE.iter().any(|allowed| path.to_string_lossy().contains(allowed));
                let text = fs::read_to_string(&path).unwrap();
                let opens = |line: &str| {
                    line.trim_start().starts_with("unsafe ") || line.contains(concat!("uns", "afe {"))
                };
                assert!(is_allowed || !text.lines().any(opens), "{} holds unsafe code", path.display());
            }
        }
    }
}
