// The screen of an item. Each file has one subject; everything here also works, more plainly, without scripts.
import { startTabs } from "./tabs.js";
import { startRows } from "./rows.js";
import { startFields } from "./fields.js";
import { startLooking, next } from "./looking.js";
import { startKept } from "./kept.js";
import { startDialogs } from "./dialogs.js";
import { startClaim } from "./claim.js";
import { startKeys } from "./keys.js";
import { startClash } from "./clash.js";

const screen = document.getElementById("cs-screen");
screen.classList.add("cs-live");
startTabs(screen);
startRows(screen);
startFields(screen);
startLooking(screen);
startKept(screen);
startDialogs(screen);
startClaim(screen);
startKeys(screen);
startClash(screen);

// Not before the source's own script is there, which shows the evidence of the field that gets the focus.
document.addEventListener("DOMContentLoaded", () => {
  if (screen.dataset.ask) document.querySelector(`[popovertarget="${screen.dataset.ask}"]`)?.click();
  else if (screen.dataset.refused !== undefined) screen.querySelector("[aria-invalid=true]")?.focus();
  // On a phone a focus would open the keyboard over the page.
  else if (matchMedia("(min-width: 1024px)").matches) next(1, { preventScroll: true });
});
