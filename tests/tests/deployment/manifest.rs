//! From what a manifest says of a process to a container.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::container::Container;

/// The members of an array; none where there is none.
pub(crate) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A text, or what is wrong.
pub(crate) fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("not a text: {value}"))
}

fn texts(value: &Value) -> Result<Vec<String>> {
    items(value).map(|item| text(item).map(str::to_owned)).collect()
}

/// A service of Docker Compose. `folder` is that of the file, with the secrets that `init.sh` has made.
pub(crate) fn of_compose(project: &Value, name: &str, folder: &Path) -> Result<Container> {
    let service = &project["services"][name];
    let mut container = Container::new()?;
    container.arguments = texts(&service["command"])?;
    for (name, value) in service["environment"].as_object().into_iter().flatten() {
        container.variables.insert(name.clone(), text(value)?.to_owned());
    }
    for volume in items(&service["volumes"]) {
        let parts: Vec<&str> = text(volume)?.split(':').collect();
        let [from, to, "ro"] = parts[..] else { bail!("a volume that is not read-only: {volume}") };
        for entry in fs::read_dir(folder.join(from))? {
            let entry = entry?;
            container
                .add(&format!("{to}/{}", entry.file_name().to_string_lossy()), &fs::read(entry.path())?)?;
        }
    }
    for secret in items(&service["secrets"]) {
        let path = text(&project["secrets"][text(secret)?]["file"])?;
        container.add(&format!("/run/secrets/{}", text(secret)?), &fs::read(folder.join(path))?)?;
    }
    Ok(container)
}

/// The template of the pods that a resource of Kubernetes makes.
pub(crate) fn pod(resource: &Value) -> Option<&Value> {
    let spec = &resource["spec"];
    let template = match resource["kind"].as_str()? {
        "Deployment" | "Job" => &spec["template"],
        "CronJob" => &spec["jobTemplate"]["spec"]["template"],
        _ => return None,
    };
    Some(template)
}

/// A resource of Kubernetes by its kind and name.
pub(crate) fn find<'a>(resources: &'a [Value], kind: &str, name: &str) -> Result<&'a Value> {
    let is_it = |resource: &&Value| resource["kind"] == kind && resource["metadata"]["name"] == name;
    resources.iter().find(is_it).with_context(|| format!("no {kind} {name}"))
}

/// The one container of a pod, with what is mounted there.
pub(crate) fn of_pod(resources: &[Value], template: &Value) -> Result<Container> {
    let spec = &template["spec"];
    let pod_container = &spec["containers"][0];
    let mut container = Container::new()?;
    container.arguments = texts(&pod_container["args"])?;
    for variable in items(&pod_container["env"]) {
        container.variables.insert(text(&variable["name"])?.to_owned(), text(&variable["value"])?.to_owned());
    }
    for mount in items(&pod_container["volumeMounts"]) {
        let volume = items(&spec["volumes"]).find(|volume| volume["name"] == mount["name"]);
        let volume = volume.with_context(|| format!("no volume {}", mount["name"]))?;
        let folder = text(&mount["mountPath"])?;
        for (name, content) in volume_files(resources, volume)? {
            container.add(&format!("{folder}/{name}"), &content)?;
        }
    }
    Ok(container)
}

fn volume_files(resources: &[Value], volume: &Value) -> Result<BTreeMap<String, Vec<u8>>> {
    if let Some(name) = volume["configMap"]["name"].as_str() {
        let map = find(resources, "ConfigMap", name)?;
        let files = map["data"].as_object().into_iter().flatten();
        return files.map(|(name, content)| Ok((name.clone(), text(content)?.into()))).collect();
    }
    let secret = find(resources, "Secret", text(&volume["secret"]["secretName"])?)?;
    ensure!(volume["secret"]["defaultMode"] == 0o440, "a secret that others can read: {volume}");
    let items = items(&volume["secret"]["items"]);
    items
        .map(|item| {
            let content = STANDARD.decode(text(&secret["data"][text(&item["key"])?])?)?;
            Ok((text(&item["path"])?.to_owned(), content))
        })
        .collect()
}

/// A unit of systemd, out of its lines and those of the drop-in, in a root that `install.sh` has made.
pub(crate) fn of_unit(installed: &Path, unit: &str) -> Result<Container> {
    const CREDENTIALS: &str = "/run/credentials";
    let units = installed.join("usr/lib/systemd/system");
    let lines = fs::read_to_string(units.join(unit))?
        + &fs::read_to_string(units.join("meterhouse-.service.d/common.conf"))?;
    let all = |key: &str| -> Vec<String> {
        let values = lines.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        values.map(|value| value.replace("%d", CREDENTIALS)).collect()
    };
    let mut container = Container::new()?;
    let command = all("ExecStart").concat();
    let arguments = command.strip_prefix("/usr/bin/meterhouse ").context("another program")?;
    container.arguments = arguments.split(' ').map(str::to_owned).collect();
    // The drop-in is read after the unit: a variable of both is the drop-in's.
    for assignment in all("Environment") {
        let (name, value) = assignment.split_once('=').context("no variable")?;
        container.variables.insert(name.to_owned(), value.to_owned());
    }
    for credential in all("LoadCredential") {
        let (name, from) = credential.split_once(':').context("no path")?;
        let content = fs::read(installed.join(from.trim_start_matches('/')))?;
        container.add(&format!("{CREDENTIALS}/{name}"), &content)?;
    }
    for entry in fs::read_dir(installed.join("etc/meterhouse"))?.flatten() {
        if entry.path().is_file() {
            let path = format!("/etc/meterhouse/{}", entry.file_name().to_string_lossy());
            container.add(&path, &fs::read(entry.path())?)?;
        }
    }
    Ok(container)
}
