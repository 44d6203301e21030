/* The form of a version and of a destination: rows come, go and move; what does not fit the kind is out of the way.
   The server reads positions and checks everything again. */
(() => {
    const keyFrom = (label) => {
        const plain = label.toLowerCase().normalize("NFKD").replace(/[^\x00-\x7f]/g, "").replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 58);
        return /^[a-z]/.test(plain) ? plain : `field_${plain}`.replace(/_+$/, "");
    };

    const showForKind = (row) => {
        const kind = row.querySelector("select[name$=-kind]");
        if (!kind) return;
        row.querySelectorAll("[data-for-kinds]").forEach((part) => { part.hidden = !part.dataset.forKinds.split(" ").includes(kind.value); });
    };

    const showForOperator = (row) => {
        const operator = row.querySelector("select[name$=-operator]");
        if (!operator) return;
        const hide = (name, hidden) => { row.querySelector(`[name$=-${name}]`).closest(".cs-input").style.visibility = hidden ? "hidden" : ""; };
        hide("field", operator.value === "always");
        hide("value", ["always", "is_empty", "is_set"].includes(operator.value));
    };

    const number = (list) => list.querySelectorAll(":scope > [data-row]").forEach((row, at) => { row.querySelector("input[name$=-position]").value = at; });

    document.querySelectorAll("[data-builder]").forEach((form) => {
        const unsaved = form.querySelector("[data-unsaved]");
        const changed = () => { unsaved.textContent = "Not saved yet."; };

        // A rule may look at a field that was typed a moment ago.
        const offerFields = (select) => {
            const known = new Set([...select.options].map((option) => option.value));
            form.querySelectorAll("[data-rows=fields] [data-list] > [data-row]").forEach((row) => {
                const label = row.querySelector("[name$=-label]").value.trim();
                const key = row.querySelector("[name$=-key]").value.trim() || keyFrom(label);
                if (label && !known.has(key)) select.add(new Option(label, key));
            });
        };

        form.querySelectorAll("[data-rows]").forEach((section) => {
            const list = section.querySelector("[data-list]");
            const total = section.querySelector("input[name$=-TOTAL_FORMS]");
            section.querySelector("[data-add]").addEventListener("click", () => {
                const holder = document.createElement("div");
                holder.innerHTML = section.querySelector("template").innerHTML.replaceAll("__prefix__", total.value);
                const row = holder.firstElementChild;
                total.value = Number(total.value) + 1;
                list.append(row);
                showForKind(row);
                showForOperator(row);
                number(list);
                changed();
                row.querySelector("input:not([type=hidden]), select, textarea").focus();
            });
            list.addEventListener("click", (event) => {
                const button = event.target.closest("[data-up], [data-down]");
                if (!button) return;
                const row = button.closest("[data-row]");
                const other = button.matches("[data-up]") ? row.previousElementSibling : row.nextElementSibling;
                if (!other) return;
                if (button.matches("[data-up]")) other.before(row); else other.after(row);
                number(list);
                changed();
                button.focus();
            });
            list.addEventListener("focusin", (event) => { if (event.target.matches("select[name$=-field]")) offerFields(event.target); });
            list.querySelectorAll(":scope > [data-row]").forEach((row) => { showForKind(row); showForOperator(row); });
        });

        form.addEventListener("input", changed);
        form.addEventListener("change", (event) => {
            const row = event.target.closest("[data-row]");
            if (!row) return;
            showForKind(row);
            showForOperator(row);
            if (event.target.name.endsWith("-DELETE")) row.classList.toggle("cs-removed", event.target.checked);
        });
        let sent = false;
        form.addEventListener("submit", () => { sent = true; });
        window.addEventListener("beforeunload", (event) => { if (!sent && unsaved.textContent) event.preventDefault(); });
    });

    // A destination shows the settings of its kind alone.
    const kind = document.querySelector("form select[name=kind]");
    if (kind) {
        const show = () => document.querySelectorAll("[data-for-kind]").forEach((part) => { part.hidden = part.dataset.forKind !== kind.value; });
        kind.addEventListener("change", show);
        show();
    }
})();
