// The stacked bars. Only their heights are floats; all texts are those of the answer, or exact sums.

import * as decimal from "./decimal.js";
import { element, swatch } from "./elements.js";

/** Services with a colour of their own; the rest is one more. */
const OWN_COLOURS = 7;
const AXIS = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });

/** Draws into a canvas, with a legend and a box for the figures of the month under the pointer. */
export class Picture {
  #canvas;
  #legend;
  #tip;
  #chart = null;

  constructor(canvas, legend, tip) {
    [this.#canvas, this.#legend, this.#tip] = [canvas, legend, tip];
    // The canvas knows nothing of the style sheet: it is drawn again in the colours of the other mode.
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#recolour());
  }

  /** Draws a history in place of the one before. */
  draw({ months, services }) {
    this.#chart?.destroy();
    const series = stacked(services);
    const data = { labels: months.map(({ name }) => name), datasets: series.map(dataset) };
    this.#chart = new Chart(this.#canvas, { type: "bar", data, options: this.#options() });
    this.#recolour();
    this.#legend.replaceChildren(...series.map(({ name }, index) => this.#entry(name, index)));
    const [first, last] = [months[0], months.at(-1)].map(({ name }) => name);
    this.#canvas.ariaLabel = `Stacked bars: ${series.map(({ name }) => name).join(", ")}, by month from ${first} to ${last}. `
      + "The table below has the figures.";
  }

  #options() {
    return {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { stacked: true, grid: { display: false } },
        y: { stacked: true, ticks: { callback: (value) => AXIS.format(value) } },
      },
      plugins: { legend: { display: false }, tooltip: { enabled: false, external: (context) => this.#point(context) } },
    };
  }

  #recolour() {
    if (!this.#chart) return;
    const style = getComputedStyle(this.#canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const { data, options } = this.#chart;
    for (const [index, bars] of data.datasets.entries()) {
      bars.backgroundColor = bars.hoverBackgroundColor = colour(`--series-${index}`);
      bars.borderColor = colour("--surface");
    }
    Object.assign(options, { color: colour("--text"), font: { family: style.fontFamily, size: 12 } });
    for (const axis of Object.values(options.scales)) axis.ticks.color = colour("--muted");
    options.scales.y.grid = { color: colour("--line") };
    this.#chart.update();
  }

  /** A button that hides and shows a service: services count in units of their own, and a large one hides the small. */
  #entry(name, index) {
    const button = element("button", { type: "button", ariaPressed: "true" }, swatch(index), name);
    button.addEventListener("click", () => {
      const shown = !this.#chart.isDatasetVisible(index);
      this.#chart.setDatasetVisibility(index, shown);
      this.#chart.update();
      button.ariaPressed = String(shown);
    });
    return element("li", {}, button);
  }

  /** Shows the figures of a month in a box of the page: it wraps, and long figures stay whole on a narrow screen. */
  #point({ chart, tooltip }) {
    this.#tip.hidden = tooltip.opacity === 0;
    if (this.#tip.hidden) return;
    const lines = tooltip.dataPoints.toReversed().map(({ dataset, dataIndex, datasetIndex }) =>
      element("li", {}, element("span", {}, swatch(datasetIndex), dataset.label), element("span", {}, dataset.usages[dataIndex])));
    this.#tip.replaceChildren(element("p", {}, tooltip.title[0]), element("ul", {}, ...lines));
    const room = chart.width - this.#tip.offsetWidth;
    const beside = tooltip.caretX < chart.width / 2 ? tooltip.caretX + 12 : tooltip.caretX - 12 - this.#tip.offsetWidth;
    this.#tip.style.left = `${Math.max(0, Math.min(room, beside))}px`;
  }
}

/** The services of the picture from the axis outwards; those with the smallest shares are one, the last. */
export function stacked(services) {
  if (services.length <= OWN_COLOURS + 1) return services;
  const rest = services.slice(OWN_COLOURS);
  const numbers = rest[0].numbers.map((_, month) => decimal.sum(rest.map((service) => service.numbers[month])));
  const name = `other (${rest.length} services)`;
  return [...services.slice(0, OWN_COLOURS), { name, numbers, usages: numbers.map(decimal.format) }];
}

const dataset = ({ name, usages }) => ({
  label: name,
  usages,
  data: usages.map(Number),
  // A gap between the parts of a bar: they can be told apart without their colours.
  borderWidth: 1,
  borderSkipped: false,
  maxBarThickness: 56,
});
