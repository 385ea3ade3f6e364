// The history as a table: every service and every month, in the words of the answer.

import { element } from "./elements.js";

/** Fills a table with a history. */
export function fill(table, { months, services }, caption) {
  const columns = services.map(column);
  const head = [heading("Month", "col"), ...services.map(({ name }) => heading(name, "col"))];
  const rows = months.map(({ name, date }, index) =>
    row(heading(element("time", { dateTime: date }, name), "row"), columns.map(({ cells }) => cells[index])));
  table.replaceChildren(
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...rows),
    element("tfoot", {}, row(heading("Sum", "row"), columns.map(({ foot }) => foot))),
  );
}

/** The cells of a service, aligned at their points. */
function column({ usages, total }) {
  const digits = Math.max(...[...usages, total].map(fractionDigits));
  const quantity = (text) => {
    // Zeros step back, so that the eye finds what was used.
    const cell = element("td", { className: text === "0.0" ? "zero" : "" }, text);
    cell.style.setProperty("--missing-digits", digits - fractionDigits(text));
    return cell;
  };
  return { cells: usages.map(quantity), foot: quantity(total) };
}

const fractionDigits = (text) => text.length - text.indexOf(".") - 1;

const row = (head, cells) => element("tr", {}, head, ...cells);

const heading = (content, scope) => element("th", { scope }, content);
