// What the service answers, turned from months of services into services with a usage for each month.

import * as decimal from "./decimal.js";

const MONTH = new Intl.DateTimeFormat("en", { month: "short", year: "numeric", timeZone: "UTC" });
const PERIOD = /^(0[1-9]|1[0-2])\.([0-9]{4})$/;

/**
 * The months as `{date, name}`, ascending, and the services as `{name, usages, numbers, total}`, those with the largest
 * share first. `usages` are the texts of the answer, `numbers` the same as exact numbers.
 *
 * Throws where the answer is not of the documented shape: a part of it would be taken for the whole.
 */
export function read(body) {
  const periods = body.service_usage_history;
  const names = (periods[0]?.data ?? []).map(({ service }) => service);
  const services = names.map((name, index) => service(name, periods.map((period) => usage(period, index, names))));
  services.sort((a, b) => compare(share(b), share(a)));
  return { months: periods.map(month), services };
}

/** The usage of the service at an index. Every month lists the same services in the same order. */
function usage({ period, data }, index, names) {
  const found = data[index];
  if (data.length !== names.length || found.service !== names[index]) {
    throw new RangeError(`${period} lists other services than the first month`);
  }
  return found.usage;
}

function service(name, usages) {
  const numbers = usages.map(decimal.parse);
  return { name, usages, numbers, total: decimal.format(decimal.sum(numbers)) };
}

/** What a service takes up of the picture: what is taken back counts as much as what is used. */
const share = ({ numbers }) => decimal.sum(numbers.map(decimal.magnitude));

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

function month({ period }) {
  const [, number, year] = PERIOD.exec(period) ?? [];
  if (!year) throw new RangeError(`no period: ${JSON.stringify(period)}`);
  return { date: `${year}-${number}`, name: MONTH.format(new Date(`${year}-${number}-01T00:00:00Z`)) };
}
