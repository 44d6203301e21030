// Single-letter keys. Heard before Unfold's own (capture), silent while somebody types, and switched off in the Keys dialog.
import { restore } from "./fields.js";
import { chosenField, focusField, next } from "./looking.js";
import { openTab } from "./tabs.js";

const SWITCH = "cs-keys";
const isOn = () => localStorage.getItem(SWITCH) !== "off";
const TYPING = "input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable=true]";

export function startKeys(screen) {
  const dialog = document.getElementById("cs-keys");
  const onOff = dialog.querySelector("[data-cs-keys-on]");
  onOff.checked = isOn();
  onOff.addEventListener("change", () => {
    localStorage.setItem(SWITCH, onOff.checked ? "on" : "off");
    screen.classList.toggle("cs-no-keys", !isOn());
  });
  screen.classList.toggle("cs-no-keys", !isOn());
  for (const button of document.querySelectorAll("[data-cs-keys], [data-cs-edit-field]")) button.hidden = false;
  const edit = () => focusField(chosenField() ?? screen.querySelector("[data-cs-field]"));
  document.querySelector("[data-cs-keys]")?.addEventListener("click", () => dialog.showModal());
  document.querySelector("[data-cs-edit-field]")?.addEventListener("click", edit);

  const source = window;
  const acts = {
    n: () => next(1), p: () => next(-1), e: edit, d: () => restore(chosenField()),
    "+": () => source.csSource?.zoom(1), "=": () => source.csSource?.zoom(1), "-": () => source.csSource?.zoom(-1), 0: () => source.csSource?.zoom(0),
    ",": () => source.csSource?.page(-1), ".": () => source.csSource?.page(1), "/": () => source.csSource?.search(),
    "?": () => dialog.showModal(),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const typing = event.target.closest?.(TYPING);
    if (typing) {
      // Unfold hears keys in a select as if nobody chose in it.
      if (typing.matches("select") && event.key.length === 1) event.stopPropagation();
      if (event.key === "Escape" && !typing.closest("dialog")) typing.blur();
      return;
    }
    if (event.key.length !== 1) return;
    if (!isOn()) return event.stopPropagation();
    if (document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    const button = document.querySelector(`[data-cs-key="${CSS.escape(key)}"]:not(:disabled)`);
    let done = true;
    if (key in acts) acts[key]();
    else if (button) button.click();
    else done = /^[1-5]$/.test(key) && openTab(Number(key) - 1);
    if (done) {
      event.preventDefault();
      event.stopPropagation();
    }
  }, true);
}
