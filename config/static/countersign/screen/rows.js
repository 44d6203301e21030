// Lists of rows: add one, remove one. A row keeps the number its inputs have; a removed one leaves a gap.
export function startRows(screen) {
  for (const table of screen.querySelectorAll("[data-cs-rows]")) {
    const field = table.closest("[data-cs-field]");
    for (const button of field.querySelectorAll("[data-cs-add], tbody [data-cs-remove]")) button.hidden = false;
    field.addEventListener("click", (event) => {
      const remove = event.target.closest("[data-cs-remove]");
      if (remove) {
        const row = remove.closest("tr");
        const near = row.nextElementSibling ?? row.previousElementSibling;
        row.remove();
        (near?.querySelector("input, select") ?? field.querySelector("[data-cs-add]")).focus();
      } else if (event.target.closest("[data-cs-add]")) {
        addRow(table).querySelector("input:not([type=hidden]), select, textarea")?.focus();
      } else return;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
}

export function addRow(table) {
  const field = table.closest("[data-cs-field]");
  const numbers = [...table.querySelectorAll("[name]")].map((input) => rowNumber(table, input.name));
  const number = Math.max(-1, ...numbers) + 1;
  const row = document.createElement("tr");
  row.append(field.querySelector("template").content.cloneNode(true));
  for (const input of row.querySelectorAll("[name]")) {
    input.name = input.name.replace("__row__", number);
    if (input.id) input.id = input.id.replace("__row__", number);
    const label = input.getAttribute("aria-label");
    if (label) input.setAttribute("aria-label", label.replace("row added", `row ${number + 1}`));
  }
  table.tBodies[0].append(row);
  return row;
}

function rowNumber(table, name) {
  return Number(name.slice(table.dataset.csRows.length + 1).split("-")[0]);
}
