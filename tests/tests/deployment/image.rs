//! `deploy/Dockerfile`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::container::{Container, can_be_entered};
use crate::tools::{file, hadolint, read, run_well, with_mistake};

const DOCKERFILE: &str = "deploy/Dockerfile";

#[test]
fn the_linter_finds_nothing() -> Result<()> {
    let verdict = hadolint(&file(DOCKERFILE))?;
    assert!(verdict.is_good, "{}", verdict.text);
    Ok(())
}

#[test]
fn the_linter_would_find_something() -> Result<()> {
    for (right, wrong, code) in [
        ("FROM rust:1.95.0-slim-bookworm AS build", "FROM rust AS build", "DL3006"),
        ("WORKDIR /src", "RUN cd /src", "DL3003"),
        ("    && apt-get install --yes", "    && apt-get install", "DL3014"),
    ] {
        let (_folder, copy) = with_mistake(DOCKERFILE, right, wrong)?;
        let verdict = hadolint(&copy)?;
        assert!(!verdict.is_good && verdict.text.contains(code), "{wrong}: {}", verdict.text);
    }
    Ok(())
}

#[test]
fn the_program_is_the_one_of_make_build() -> Result<()> {
    let mut make = Command::new("make");
    let made = run_well(make.args(["--dry-run", "--no-print-directory", "build"]).current_dir(file("")))?;
    let build = made.lines().find(|line| line.starts_with("cargo build")).context("make builds nothing")?;
    assert!(build.contains(" --locked "), "{build}");
    assert!(read(DOCKERFILE)?.contains(&format!("    {build} \\\n")), "another one than {build}");
    Ok(())
}

#[test]
fn the_compiler_and_the_version_are_those_of_the_repository() -> Result<()> {
    let toolchain: toml::Table = read("rust-toolchain.toml")?.parse()?;
    let channel = toolchain["toolchain"]["channel"].as_str().context("no channel")?;
    let dockerfile = read(DOCKERFILE)?;
    assert!(dockerfile.contains(&format!("FROM rust:{channel}-slim-bookworm AS build\n")), "{channel}");
    assert!(dockerfile.contains(&format!("RUSTUP_TOOLCHAIN={channel}\n")), "{channel}");
    let version = env!("CARGO_PKG_VERSION");
    assert!(dockerfile.contains(&format!("ARG VERSION={version}\n")), "{version}");
    for (path, image) in [
        ("deploy/compose.yaml", format!("image: meterhouse:{version}\n")),
        ("deploy/kubernetes/base/kustomization.yaml", format!("newTag: {version}\n")),
        ("deploy/kubernetes/example/kustomization.yaml", format!("newTag: {version}\n")),
    ] {
        assert!(read(path)?.contains(&image), "{path} does not say {image}");
    }
    Ok(())
}

#[test]
fn the_context_is_enough_for_cargo_and_holds_no_secret() -> Result<()> {
    let context = tempfile::tempdir()?;
    for line in read(".dockerignore")?.lines().filter_map(|line| line.strip_prefix('!')) {
        let to = context.path().join(line);
        fs::create_dir_all(to.parent().unwrap_or(context.path()))?;
        run_well(Command::new("cp").arg("--recursive").arg(file(line)).arg(&to))?;
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--locked", "--offline", "--no-deps", "--format-version=1"]);
    run_well(cargo.current_dir(context.path()))?;
    assert!(context.path().join("deploy/image/root.sh").exists());
    for path in ["deploy/compose", "deploy/kubernetes", ".git", "target", ".local"] {
        assert!(!context.path().join(path).exists(), "{path}");
    }
    Ok(())
}

#[test]
fn the_image_holds_all_that_the_program_needs_and_no_shell() -> Result<()> {
    if !can_be_entered() {
        return Ok(());
    }
    let image = Container::new()?;
    let version = run_well(&mut image.command(&["--version"]))?;
    assert_eq!(version, format!("meterhouse {}\n", env!("CARGO_PKG_VERSION")));
    // A TLS client of each kind finds the certificates: the server is not there, and nothing else is told.
    image.add("/etc/meterhouse/meterhouse.toml", b"clickhouse.url = 'https://127.0.0.1:1'\n")?;
    let arguments = ["--config", "/etc/meterhouse/meterhouse.toml", "migrate"];
    let output = image.command(&arguments).output()?;
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    for shell in ["bin/sh", "usr/bin/sh", "bin/bash", "usr/bin/env"] {
        assert!(!image.outside(shell).exists(), "{shell}");
    }
    let packages = fs::read_dir(image.outside("var/lib/dpkg/status.d"))?;
    let names: Vec<_> = packages.flatten().map(|entry| entry.file_name()).collect();
    for name in &names {
        let licence = image.outside("usr/share/doc").join(name).join("copyright");
        assert!(fs::metadata(&licence)?.len() > 0, "{}", licence.display());
    }
    assert!(names.iter().any(|name| Path::new(name) == Path::new("libssl3")), "{names:?}");
    Ok(())
}
