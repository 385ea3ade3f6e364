// The page: a question from the form, its answer as a picture and a table, and the same request for a shell.
//
// The token is in the form and in the question; it gets into no address, no storage and no text but the line for the
// shell, and into that only where the person asks for it.

import { read } from "./answer.js";
import { Picture } from "./picture.js";
import { misunderstood, refusal, unreachable } from "./refusals.js";
import { curl, request, send } from "./request.js";
import { element } from "./elements.js";
import { fill } from "./table.js";

const part = (id) => document.getElementById(id);
const picture = new Picture(part("chart"), part("legend"), part("tip"));

/** The question that the page is about, and what takes it back when there is another one. */
let asked = null;
let underWay = new AbortController();

async function ask() {
  underWay.abort();
  underWay = new AbortController();
  const { signal } = underWay;
  const question = filledIn();
  asked = request(question);
  begin();
  let answer;
  try {
    answer = await send(asked, signal);
  } catch (error) {
    if (!signal.aborted) tell(unreachable(error));
    return;
  }
  if (signal.aborted) return;
  if (answer.status !== 200) {
    tell(refusal(answer));
    return;
  }
  let history;
  try {
    history = read(JSON.parse(answer.text));
  } catch (error) {
    tell(misunderstood(error));
    return;
  }
  show(history, question);
}

/** What the form says. */
function filledIn() {
  const text = (id) => part(id).value.trim();
  return {
    token: text("token"),
    customer: text("customer"),
    club: text("club"),
    product: text("product"),
    query: part("range").value,
  };
}

/** Nothing of an earlier answer stays while another one is on its way. */
function begin() {
  part("problem").replaceChildren();
  part("result").hidden = true;
  part("status").textContent = "Asking the service…";
  part("copied").textContent = "";
  part("repeat").hidden = false;
  showCurl();
}

function tell({ what, advice, detail }) {
  part("status").textContent = "";
  part("problem").replaceChildren(
    element("p", {}, element("strong", {}, what), " ", advice),
    element("p", { className: "detail" }, detail),
  );
}

function show(history, { customer, club }) {
  const { months, services } = history;
  const who = customer || `club ${club}`;
  if (months.length === 0) {
    part("status").textContent = `There is no usage of ${who} in these months. “All” shows whether there was any before.`;
    return;
  }
  const [first, last] = [months[0].name, months.at(-1).name];
  const span = first === last ? first : `${first} to ${last}`;
  part("result-heading").textContent = `${who}, ${span}`;
  part("result").hidden = false;
  picture.draw(history);
  fill(part("table"), history, `Usage of ${who}, ${span}`);
  part("status").textContent = `${count(services.length, "service")} in ${count(months.length, "month")}.`;
}

const count = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;

function showCurl() {
  const showsToken = part("with-token").checked;
  part("curl").textContent = curl(asked, showsToken);
  part("variable").hidden = showsToken;
}

async function copy() {
  try {
    await navigator.clipboard.writeText(part("curl").textContent);
    part("copied").textContent = "Copied.";
  } catch {
    // Browsers give the clipboard to pages from this machine or over TLS alone.
    getSelection().selectAllChildren(part("curl"));
    part("copied").textContent = "Selected: copy it with the keyboard.";
  }
}

/** One of both is needed, which a form cannot say by itself. */
function checkCustomer() {
  const named = part("customer").value.trim() || part("club").value.trim();
  part("customer").setCustomValidity(named ? "" : "Enter a customer, or a club under “Product and club”.");
}

part("question").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
for (const id of ["customer", "club"]) part(id).addEventListener("input", checkCustomer);
// A browser cannot point at a field that is folded away.
part("product").addEventListener("invalid", () => (part("more").open = true));
part("with-token").addEventListener("change", showCurl);
part("copy").addEventListener("click", copy);
checkCustomer();
