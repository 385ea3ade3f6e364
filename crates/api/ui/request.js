// The one request of this page, as the browser sends it and as a line for a shell.

const PATH = "../v1/billing/service_usage/history";
const TOKEN_HEADER = "X-Client-Authorization";
// The service gives up after a minute by itself.
const TIMEOUT_MS = 90_000;

/** A question as `{url, headers, token}`. The token is apart, so that nothing shows it by mistake. */
export function request({ token, customer, club, product, query }) {
  const headers = [["X-User-Agent", "meterhouse-ui"], ["X-Product-Name", product]];
  if (customer) headers.push(["X-Customer", customer]);
  if (club) headers.push(["X-Loyalty-Club-Slug", club]);
  const url = new URL(PATH, document.baseURI);
  url.search = query;
  return { url: url.href, headers, token };
}

/** Sends it, and returns `{status, retryAfter, text}`. Throws if there is no whole answer, or `signal` takes it back. */
export async function send({ url, headers, token }, signal) {
  const sent = [...headers, [TOKEN_HEADER, token]].map(([name, value]) => [name, utf8(value)]);
  const response = await fetch(url, {
    headers: sent,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    referrerPolicy: "no-referrer",
  });
  return { status: response.status, retryAfter: response.headers.get("Retry-After"), text: await response.text() };
}

/** The same for a shell. Unless it may show the token, it takes it from a variable. */
export function curl({ url, headers, token }, showsToken) {
  const credential = showsToken ? quoted(`${TOKEN_HEADER}: ${token}`) : `"${TOKEN_HEADER}: $METERHOUSE_TOKEN"`;
  const options = [...headers.map(([name, value]) => quoted(`${name}: ${value}`)), credential];
  return [`curl -sS ${quoted(url)}`, ...options.map((option) => `  -H ${option}`)].join(" \\\n");
}

/** A header's value is bytes, which the browser takes as characters; the service reads them as UTF-8. */
const utf8 = (text) => String.fromCharCode(...new TextEncoder().encode(text));

/** One word of a shell, whatever is in it. */
const quoted = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
