/* Keys of the lists and of home: one letter presses the one button that names it (data-key). */
(() => {
    "use strict";

    // In the capture phase: Unfold's own listeners come later.
    document.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.repeat) return;
        if (!/^[a-z]$/.test(event.key) || csKeys.typing(event) || !csKeys.on()) return;
        const button = document.querySelector(`button[data-key="${event.key}"]:not(:disabled)`);
        if (!button) return;
        event.preventDefault();
        event.stopPropagation();
        button.click();
    }, true);

    function show() {
        document.documentElement.classList.toggle("cs-keys-off", !csKeys.on());
        const line = document.querySelector("[data-keys-told]");
        if (line) line.hidden = !csKeys.on();
        const button = document.querySelector("[data-keys-switch]");
        if (!button) return;
        button.hidden = false;
        button.textContent = csKeys.on() ? "Switch single-letter keys off" : "Switch single-letter keys on";
    }

    document.addEventListener("cs-keys", show);
    document.addEventListener("DOMContentLoaded", () => {
        show();
        document.querySelector("[data-keys-switch]")?.addEventListener("click", () => csKeys.set(!csKeys.on()));
    });
})();
