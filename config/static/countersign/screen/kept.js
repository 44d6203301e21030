// Values typed are kept in this tab until the item is decided, so that a reload or a lost connection loses nothing.
// Sensitive fields are left out: what is kept outlives the sign-out.
import { put, rowsOfFields, written } from "./fields.js";

const PREFIX = "cs-typed:";

export function startKept(screen) {
  const name = `${PREFIX}${screen.dataset.item}:${screen.dataset.revision}`;
  if (!document.querySelector(".cs-entry [name^=value-]")) return;
  const rows = rowsOfFields().filter((row) => row.dataset.csSensitive === undefined);
  // What the server sent back after a refusal is newer than what is kept here.
  if (screen.dataset.refused === undefined) bringBack(rows, read(name), name);
  screen.addEventListener("input", () => {
    const typed = Object.fromEntries(rows.filter((row) => row.csFirst !== JSON.stringify(written(row))).map((row) => [row.dataset.csField, written(row)]));
    try {
      if (Object.keys(typed).length) sessionStorage.setItem(name, JSON.stringify(typed));
      else sessionStorage.removeItem(name);
    } catch {
      // No room, or not allowed: then there is only the page.
    }
  });
  forgetOthers(screen, name);
}

function bringBack(rows, typed, name) {
  let count = 0;
  for (const row of rows) {
    const values = typed[row.dataset.csField];
    if (values === undefined || JSON.stringify(values) === row.csFirst) continue;
    put(row, values);
    count += 1;
  }
  if (!count) return;
  const said = document.getElementById("cs-kept");
  const forget = document.createElement("button");
  forget.type = "button";
  forget.className = "cs-link";
  forget.textContent = "Use what is saved instead";
  forget.addEventListener("click", () => {
    for (const row of rows) if (typed[row.dataset.csField] !== undefined) put(row, JSON.parse(row.csFirst));
    sessionStorage.removeItem(name);
    said.hidden = true;
  });
  said.append(`Your ${count} value${count === 1 ? "" : "s"} from before ${count === 1 ? "was" : "were"} kept in this browser. `, forget);
  said.hidden = false;
}

function read(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name)) ?? {};
  } catch {
    return {};
  }
}

// An older state of this item was decided, or its values are on this page by the server.
function forgetOthers(screen, name) {
  for (const other of Object.keys(sessionStorage)) {
    if (other.startsWith(`${PREFIX}${screen.dataset.item}:`) && other !== name) sessionStorage.removeItem(other);
  }
}
