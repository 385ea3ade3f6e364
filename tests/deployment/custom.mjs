// Compares resources of KEDA and of the Prometheus operator, one JSON object a line, with their published models.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ScaledObject } from "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject";
import { PodMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor";

const models = { ScaledObject, PodMonitor };
const packages = join(dirname(fileURLToPath(import.meta.url)), "node_modules");
const folders = [
  "@kubernetes-models/keda/keda.sh/v1alpha1",
  "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
  "@kubernetes-models/apimachinery/apis/meta/v1",
  "kubernetes-models/autoscaling/v2",
];

// The models judge types and what has to be there, but let unknown members pass: a name must be declared somewhere.
const declarations = folders.flatMap((folder) =>
  readdirSync(join(packages, folder))
    .filter((name) => name.endsWith(".d.ts"))
    .map((name) => readFileSync(join(packages, folder, name), "utf8")),
);
const declared = new Set(declarations.join("\n").match(/[A-Za-z]+(?="?\??:)/g));

function unknown(value, path) {
  if (Array.isArray(value)) return value.flatMap((item, index) => unknown(item, `${path}[${index}]`));
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    // Names of labels, and of what a trigger takes, are free.
    if (["labels", "matchLabels"].includes(name) || path.endsWith("triggers[0]")) return [];
    return (declared.has(name) ? [] : [`${path}.${name} is not declared`]).concat(unknown(inner, `${path}.${name}`));
  });
}

for (const line of readFileSync(0, "utf8").trim().split("\n")) {
  const { apiVersion, kind, ...rest } = JSON.parse(line);
  const Model = models[kind];
  if (!Model || Model.apiVersion !== apiVersion) throw new Error(`no model of ${apiVersion} ${kind}`);
  new Model(rest).validate();
  const names = unknown(rest, kind);
  if (names.length) throw new Error(names.join("\n"));
}
