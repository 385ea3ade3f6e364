// Cloudflare's client for Node.js reads a bill, and meets every refusal.
//
// Usage: node bill.js BASE_URL < SETTINGS, which are JSON: `token`, `email`, `key`. Prints JSON.

import { readFileSync } from "node:fs";
import Cloudflare from "cloudflare";

const client = (credentials) => new Cloudflare({ baseURL: process.argv[2], maxRetries: 0, ...credentials });

/** All items, page after page. */
async function items(of, parameters = {}) {
  const all = [];
  for await (const item of of.user.billing.history.list(parameters)) all.push(item);
  return all;
}

/** The class of the error, its status and codes. */
async function refusal(of, parameters) {
  try {
    await items(of, parameters);
  } catch (error) {
    if (!(error instanceof Cloudflare.APIError)) throw error;
    return [error.constructor.name, error.status, error.errors.map((each) => each.code)];
  }
  return null;
}

const settings = JSON.parse(readFileSync(0, "utf8"));
const token = client({ apiToken: settings.token });
const answer = {
  all: await items(token, { per_page: 5 }),
  by_email: await items(client({ apiEmail: settings.email, apiKey: settings.key })),
  credits: await items(token, { type: "credit", order: "occurred_at" }),
  latest: await items(token, { occurred_at: (await items(token))[0].occurred_at }),
  refusals: {
    per_page: await refusal(token, { per_page: 4 }),
    "unknown token": await refusal(client({ apiToken: "unknown" })),
    "unknown key": await refusal(client({ apiEmail: settings.email, apiKey: "unknown" })),
    "no address": await refusal(client({ apiEmail: "nobody", apiKey: "unknown" })),
  },
};
console.log(JSON.stringify(answer));
