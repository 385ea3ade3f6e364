// Parts of the page. All texts of an answer go in as text, never as markup.

/** An element with properties and children. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** The square in the colour that a service has in the picture, by its place there. */
export function swatch(index) {
  return element("span", { className: `swatch series-${index}`, ariaHidden: "true" });
}
