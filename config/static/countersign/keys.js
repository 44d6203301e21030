/* Single keys, in one place. A screen with keys of its own asks csKeys before it acts on one:
   on()           whether keys of a single letter or sign are switched on (WCAG 2.1.4);
   typing(event)  whether the key belongs to what has focus: a field, a drop-down, an editable text;
   set(on)        switches them, and tells the document with an event "cs-keys".
   A checkbox with data-cs-keys-on anywhere is a switch. */
(() => {
    const NAME = "cs-keys";

    const on = () => {
        try {
            return localStorage.getItem(NAME) !== "off";
        } catch {
            return true; // storage is closed to us: nothing was switched off
        }
    };

    // Unfold dresses drop-downs up as comboboxes.
    const inDropDown = (event) => event.target instanceof Element && Boolean(event.target.closest("select, [role=combobox], [role=listbox], .select2-container"));

    const typing = (event) => {
        const target = event.target instanceof Element ? event.target : document.activeElement;
        return Boolean(target?.closest?.("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, [contenteditable=true]") || inDropDown(event));
    };

    const single = (event) => event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;

    // The palette is open before it can be seen, and takes the focus a moment after that: what is typed in between is meant
    // for it, and decides nothing.
    const opened = (dialog) => dialog.checkVisibility() || (dialog.contains(document.getElementById("search-input-command")) && Boolean(window.Alpine?.$data(dialog).openCommandResults));
    const behindDialog = (event) => [...document.querySelectorAll("[role=dialog][aria-modal=true]")].some((dialog) => opened(dialog) && !dialog.contains(event.target));

    const set = (wanted) => {
        try {
            wanted ? localStorage.removeItem(NAME) : localStorage.setItem(NAME, "off");
        } catch { /* it holds for this page only */ }
        show();
        document.dispatchEvent(new CustomEvent("cs-keys"));
    };

    window.csKeys = { on, typing, set };

    // Unfold listens on the window and knows neither the switch nor a drop-down. What it must not hear ends here, before
    // it: capture comes first. What the browser itself does with the key, like choosing in a drop-down, goes on.
    window.addEventListener("keydown", (event) => {
        if (!event.key || !single(event)) return;
        if (behindDialog(event) || inDropDown(event) || (!on() && !typing(event))) event.stopImmediatePropagation();
    }, true);

    const show = () => document.querySelectorAll("[data-cs-keys-on]").forEach((box) => { box.checked = on(); });

    document.addEventListener("change", (event) => {
        if (!(event.target instanceof Element) || !event.target.matches("[data-cs-keys-on]")) return;
        set(event.target.checked);
    });

    // Icons are ligatures: without this a screen reader reads "chevron right" aloud.
    const hush = (root) => root.querySelectorAll?.(".material-symbols-outlined:not([aria-hidden])").forEach((icon) => icon.setAttribute("aria-hidden", "true"));

    document.addEventListener("DOMContentLoaded", () => {
        show();
        hush(document);
        new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach((node) => {
            if (node.nodeType === Node.ELEMENT_NODE) hush(node.parentElement ?? node);
        }))).observe(document.body, { childList: true, subtree: true });
    });
})();
