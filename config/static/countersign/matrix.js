/* The permission matrix: presets, what was on or off, and a question to the server what the ticks would do.
   Nothing is decided here: the words, and whether it may be saved, come from the server. */
document.querySelectorAll("[data-matrix]").forEach((form) => {
    const boxesOf = (row) => [...row.querySelectorAll("[data-action]")];

    const showPreset = (row) => {
        const held = boxesOf(row).filter((box) => box.checked).map((box) => box.dataset.action).sort().join(" ");
        const select = row.querySelector("[data-preset]");
        const known = [...select.options].some((option) => option.value === held);
        select.value = known ? held : "custom";
    };

    const showNotes = (row) => boxesOf(row).forEach((box) => {
        const was = box.dataset.was === "on";
        box.parentElement.querySelector("[data-note]").textContent = was === box.checked ? "" : `was ${box.dataset.was}`;
    });

    const ask = () => form.dispatchEvent(new CustomEvent("look"));

    form.addEventListener("change", (event) => {
        const row = event.target.closest("[data-row]");
        if (!row) return;
        if (event.target.matches("[data-until]")) {
            ask();
            return;
        }
        if (event.target.matches("[data-preset]")) {
            if (event.target.value === "custom") return;
            const wanted = new Set(event.target.value.split(" "));
            boxesOf(row).forEach((box) => { box.checked = wanted.has(box.dataset.action); });
        } else {
            // Without seeing the items nothing else works; reports show sums only.
            const view = row.querySelector('[data-action="view_workflow"]');
            if (event.target === view && !view.checked) boxesOf(row).forEach((box) => { if (box.dataset.action !== "view_reports") box.checked = false; });
            else if (event.target.checked && event.target.dataset.action !== "view_reports") view.checked = true;
        }
        showPreset(row);
        showNotes(row);
        ask();
    });

    form.querySelectorAll("[data-row]").forEach((row) => { showPreset(row); showNotes(row); });
});
