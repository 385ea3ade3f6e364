// Why there is no history, and what to do, in plain words.

const REFUSALS = {
  400: ["The service did not understand the request.", "Load this page again. If that does not help, tell whoever runs the service."],
  401: ["The token is not accepted.", "Check that it is complete and has not expired, and that it is for this customer, product and club."],
  402: ["Billing is not enabled for this club.", "Ask whoever runs the service to enable it for this token."],
  403: ["The token may not see the usage history.", "Ask whoever gave you the token for one with the permit that is named below."],
  422: ["The service does not accept this choice of months.", "Choose other months."],
  429: ["Too many requests with this token.", "Wait, then ask again."],
  470: ["Something is missing in the request.", "Fill in what is named below: the customer or the club, and the product name."],
  471: ["Something in the request is not correct.", "Correct what is named below. There is one customer at a time, and a club has to be the customer's own."],
  503: ["The service cannot read the whole history now, so it shows no part of it.", "Ask again in a moment."],
};
const OTHER_ADVICE = "Ask again in a moment. If that does not help, tell whoever runs the service.";

/** An answer that is no history, as `{what, advice, detail}`. */
export function refusal({ status, retryAfter, text }) {
  const [what, advice] = REFUSALS[status] ?? [`The service answered with status ${status}.`, OTHER_ADVICE];
  const seconds = Number(retryAfter);
  const wait = seconds > 0 ? ` The service asks to wait ${seconds === 1 ? "a second" : `${seconds} seconds`}.` : "";
  return { what, advice: advice + wait, detail: `${status}: ${inItsOwnWords(text)}` };
}

/** No answer, or only a part of one. */
export function unreachable(error) {
  const what = error.name === "TimeoutError" ? "The service did not answer in time." : "The service cannot be reached.";
  return { what, advice: "Check the connection, then ask again.", detail: error.message };
}

/** An answer of another shape than the documented one. */
export function misunderstood(error) {
  return {
    what: "The service answered, but not as documented.",
    advice: "Nothing is shown, since a part could be taken for the whole. Tell whoever runs the service.",
    detail: error.message,
  };
}

/** The error, and for wrong parameters which and why. Not every status has a body. */
function inItsOwnWords(text) {
  try {
    const { error, details } = JSON.parse(text);
    return details ? `${error} ${JSON.stringify(details)}` : error;
  } catch {
    return text || "no further words";
  }
}
