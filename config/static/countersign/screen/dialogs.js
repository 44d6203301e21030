// A button with "…" opens its dialog: a popover without scripts, a real dialog with them, which takes the focus and gives it back.
let selected = ""; // the text that was last marked in the source: what a split most often takes

export function startDialogs(screen) {
  document.addEventListener("selectionchange", () => {
    const selection = getSelection();
    const text = selection.toString().trim();
    if (text && selection.anchorNode?.parentElement?.closest(".cs-source")) selected = text;
  });
  for (const dialog of document.querySelectorAll("dialog[popover]")) {
    dialog.removeAttribute("popover");
    for (const button of document.querySelectorAll(`[popovertarget="${dialog.id}"]`)) {
      const hides = button.getAttribute("popovertargetaction") === "hide";
      button.addEventListener("click", () => (hides ? dialog.close() : open(dialog, screen)));
      // The menu closed behind it, so there is nothing left there to give the focus back to.
      if (!hides && button.closest(".cs-more-acts")) {
        dialog.addEventListener("close", () => button.closest(".cs-more-acts").querySelector("summary").focus());
      }
    }
    // The reason belongs to the form of the decision, whose first button is another one.
    dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.target.form?.id !== "decide") return;
      event.preventDefault();
      dialog.querySelector("button[name=verb]").click();
    });
    dialog.addEventListener("click", (event) => {
      const reason = event.target.closest("[data-cs-reason]");
      if (!reason) return;
      const input = dialog.querySelector("input[name^=reason]");
      input.value = reason.dataset.csReason;
      input.focus();
    });
  }
  for (const button of screen.querySelectorAll("[data-cs-close]")) button.addEventListener("click", () => button.closest("dialog").close());
  // A menu that stays open covers the fields.
  const more = screen.querySelector(".cs-more-acts");
  document.addEventListener("click", (event) => {
    if (more?.open && !event.target.closest(".cs-more-acts summary")) more.open = false;
  });
  more?.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    more.open = false;
    more.querySelector("summary").focus();
  });
}

async function open(dialog, screen) {
  dialog.showModal();
  dialog.querySelector("select, textarea, input:not([type=hidden])")?.focus();
  const excerpt = dialog.querySelector("[name=excerpt]");
  if (excerpt && selected) excerpt.value = selected;
  const common = dialog.querySelector(".cs-common");
  if (!common || common.childElementCount) return;
  try {
    const answer = await fetch(`${screen.dataset.reasons}?verb=${dialog.dataset.csAsk}`);
    if (answer.ok) common.innerHTML = await answer.text();
  } catch {
    // The free text is there.
  }
}
