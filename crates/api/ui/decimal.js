// Exact decimals. A quantity has more digits than a float can hold, so it is a BigInt of units of 10^-18, which is the
// finest that the service stores.

const FRACTION_DIGITS = 18;
const DECIMAL = /^-?[0-9]+\.[0-9]{1,18}$/;

/** The number that a text of the answer states. */
export function parse(text) {
  if (typeof text !== "string" || !DECIMAL.test(text)) throw new RangeError(`no decimal: ${JSON.stringify(text)}`);
  const [whole, fraction] = text.split(".");
  return BigInt(whole + fraction.padEnd(FRACTION_DIGITS, "0"));
}

/** A number in the form that the answer has: a digit on each side of the point at least, no further zeros. */
export function format(number) {
  const digits = magnitude(number).toString().padStart(FRACTION_DIGITS + 1, "0");
  const whole = digits.slice(0, -FRACTION_DIGITS);
  const fraction = digits.slice(-FRACTION_DIGITS).replace(/0+$/, "") || "0";
  return `${number < 0n ? "-" : ""}${whole}.${fraction}`;
}

/** The exact sum. */
export const sum = (numbers) => numbers.reduce((total, number) => total + number, 0n);

/** The number without its sign. */
export const magnitude = (number) => (number < 0n ? -number : number);
