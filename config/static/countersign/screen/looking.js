// Choosing a field shows its evidence. A field to check counts as looked at once it had the focus with its evidence, or the
// word that there is none, on the screen. Approve waits for all of them, and the server asks again.
import { openFields } from "./tabs.js";

let asked = [];
let chosen = null;

export const chosenField = () => chosen;

export function startLooking(screen) {
  asked = [...screen.querySelectorAll("[data-cs-field].cs-check")];
  screen.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("[data-cs-field]");
    if (row) choose(row);
  });
  screen.addEventListener("click", (event) => {
    const link = event.target.closest("[data-cs-show]");
    if (link && window.csSource?.show(link.closest("[data-cs-field]").dataset.csField)) event.preventDefault();
  });
  document.addEventListener("cs-choose-field", (event) => focusField(screen.querySelector(`[data-cs-field="${CSS.escape(event.detail.key)}"]`)));
  for (const button of screen.querySelectorAll("[data-cs-next]")) {
    button.hidden = false;
    button.addEventListener("click", () => next(1));
  }
  document.querySelector("[data-cs-approve]")?.addEventListener("click", (event) => {
    if (event.currentTarget.getAttribute("aria-disabled") !== "true") return;
    event.preventDefault();
    next(1);
  });
  tell();
}

export function next(step, options) {
  const missing = asked.filter((row) => !row.classList.contains("cs-seen"));
  const wanted = step > 0 && missing.length ? missing : asked;
  if (!wanted.length) return false;
  const at = asked.indexOf(chosen);
  const behind = wanted.filter((row) => (step > 0 ? asked.indexOf(row) > at : asked.indexOf(row) < at));
  focusField((step > 0 ? behind[0] : at < 0 ? wanted.at(-1) : behind.at(-1)) ?? wanted.at(step > 0 ? 0 : -1), options);
  return true;
}

export function focusField(row, options) {
  if (!row) return false;
  openFields();
  const input = row.querySelector(".cs-entry input:not([type=hidden]), .cs-entry select, .cs-entry textarea, .cs-entry button:not([hidden])");
  if (input) input.focus(options);
  else choose(row);
  return Boolean(input);
}

function choose(row) {
  if (chosen !== row) {
    chosen?.classList.remove("cs-chosen");
    row.classList.add("cs-chosen");
    chosen = row;
    if (!window.csSource?.show(row.dataset.csField)) window.csSource?.clear?.();
  }
  if (!asked.includes(row) || row.classList.contains("cs-seen")) return;
  row.classList.add("cs-seen");
  row.querySelector("[name=seen]").checked = true;
  row.querySelector("[data-cs-looked]").textContent = "Looked at";
  tell();
}

function tell() {
  const approve = document.querySelector("[data-cs-approve]");
  if (!approve) return;
  const seen = asked.filter((row) => row.classList.contains("cs-seen")).length;
  const left = asked.length - seen;
  approve.setAttribute("aria-disabled", String(left > 0));
  approve.querySelector("[data-cs-approve-icon]").textContent = left ? "lock" : "check";
  document.querySelector("[data-cs-approve-why]").textContent = left
    ? `Look at ${left}${seen ? " more" : ""} field${left === 1 ? "" : "s"} first`
    : asked.length ? "All looked at" : "";
  const progress = document.getElementById("cs-progress");
  if (!progress) return;
  progress.querySelector("[data-cs-to-check]").textContent = left ? `${asked.length} to check` : asked.length > 1 ? `All ${asked.length} looked at` : "Looked at";
  progress.querySelector("[data-cs-to-go]").textContent = left ? `${seen} looked at, ${left} to go` : "Approve is open";
  progress.querySelectorAll(".cs-bars span").forEach((bar, number) => bar.classList.toggle("cs-done", number < seen));
}
