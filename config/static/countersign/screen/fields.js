// A draft and what a person makes of it: the difference as one types, the draft back again, and the server's word on a value.
import { addRow } from "./rows.js";

let screenOf;

export const rowsOfFields = () => [...screenOf.querySelectorAll("[data-cs-field]")];

export function startFields(screen) {
  screenOf = screen;
  for (const row of rowsOfFields()) {
    row.csFirst = JSON.stringify(written(row));
    row.querySelector("[data-cs-restore]")?.addEventListener("click", () => restore(row));
    row.addEventListener("input", () => tell(row));
    row.addEventListener("focusout", (event) => {
      // From the amount to its currency is not leaving the field.
      if (!row.contains(event.relatedTarget) && row.csFirst !== JSON.stringify(written(row))) check(row);
    });
    tell(row);
  }
}

// What stands in the inputs of a field, in the shape in which the server gives the draft.
export function written(row) {
  if (row.dataset.csShape === "rows") {
    return [...row.querySelectorAll("tbody tr")].map((line) =>
      Object.fromEntries(inputs(line).map((input) => [input.name.replace(/^value-[a-z0-9_]+-(\d+|__row__)-/, ""), valueOf(input)])),
    );
  }
  return Object.fromEntries(inputs(row).map((input) => [input.name.replace(/^value-[a-z0-9_]+/, ""), valueOf(input)]));
}

export function put(row, values) {
  if (row.dataset.csShape === "rows") {
    const table = row.querySelector("[data-cs-rows]");
    table.tBodies[0].replaceChildren();
    for (const value of values) fill(addRow(table), value, /^value-[a-z0-9_]+-\d+-/);
  } else fill(row, values, /^value-[a-z0-9_]+/);
  row.dispatchEvent(new Event("input", { bubbles: true }));
}

export function restore(row) {
  if (!row?.dataset.csDraft || row.querySelector("[data-cs-edit]").hidden) return false;
  put(row, JSON.parse(row.dataset.csDraft));
  row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  check(row);
  return true;
}

function inputs(part) {
  return [...part.querySelectorAll("[name^=value-]")].filter((input) => input.type !== "hidden");
}

function valueOf(input) {
  return input.multiple ? [...input.selectedOptions].map((option) => option.value) : input.value;
}

function fill(part, values, prefix) {
  for (const input of inputs(part)) {
    const value = values[input.name.replace(prefix, "")] ?? "";
    if (input.multiple) for (const option of input.options) option.selected = value.includes(option.value);
    else input.value = value;
  }
}

// Blanks at the ends and rows in which nothing stands make no difference.
function comparable(value) {
  if (Array.isArray(value)) {
    return value.map(comparable).filter((one) => typeof one === "string" || Object.values(one).some((part) => part.length));
  }
  if (typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, comparable(one)]));
  return value.replace(/\s+/g, " ").trim();
}

function told(row) {
  const words = (part) =>
    inputs(part)
      .map((input) => (input.options ? [...input.selectedOptions].filter((one) => one.value).map((one) => one.text).join(", ") : input.value))
      .filter((text) => text.trim())
      .join(" ");
  if (row.dataset.csShape === "rows") return [...row.querySelectorAll("tbody tr")].map(words).filter(Boolean).join("\n") || "no rows";
  return words(row) || "empty";
}

function tell(row) {
  const line = row.querySelector("[data-cs-edit]");
  if (row.dataset.csDraft && inputs(row).length) {
    const changed = JSON.stringify(comparable(JSON.parse(row.dataset.csDraft))) !== JSON.stringify(comparable(written(row)));
    line.hidden = !changed;
    row.classList.toggle("cs-edited", changed);
    row.querySelector("[data-cs-restore]").hidden = !changed;
    row.querySelector("[data-cs-now]").textContent = told(row);
    row.querySelector("[data-cs-by]").textContent = row.csFirst !== JSON.stringify(written(row)) ? "by you · " : "· ";
  }
  const edits = rowsOfFields().filter((one) => one.classList.contains("cs-edited")).length;
  const name = document.querySelector("[data-cs-approve-name]");
  if (name) name.textContent = edits ? `Approve with ${edits} edit${edits === 1 ? "" : "s"}` : "Approve";
}

async function check(row) {
  const body = new FormData();
  const token = document.querySelector("#decide [name=csrfmiddlewaretoken]").value;
  for (const input of row.querySelectorAll("[name^=value-]")) for (const one of [valueOf(input)].flat()) body.append(input.name, one);
  try {
    const answer = await fetch(screenOf.dataset.check, { method: "POST", body, headers: { "X-CSRFToken": token } });
    if (!answer.ok) return;
    const { problems } = await answer.json();
    const key = row.dataset.csField;
    say(row, Object.entries(problems).filter(([place]) => place === key || place.startsWith(`${key}[`)).map(([, text]) => text).join(" "));
  } catch {
    // Away for a moment. The decision is checked anyway.
  }
}

function say(row, problem) {
  row.querySelector("[data-cs-problem]").hidden = !problem;
  row.querySelector("[data-cs-problem-text]").textContent = problem;
  for (const input of inputs(row)) input.setAttribute("aria-invalid", String(Boolean(problem)));
}
