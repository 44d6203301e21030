/* At a width of 1280 px, that of many laptops, Unfold's sidebar shuts as it opens: opening it makes the page taller, Unfold
   hears of a new size, and closes it as if the window had become narrow. Here only a new width counts. */
document.addEventListener("alpine:init", () => {
    const unfold = window.theme;
    if (typeof unfold !== "function") return;

    window.theme = (...given) => {
        const made = unfold(...given);
        const resized = made.themeBindings?.["x-resize.window"];
        if (!resized) return made;
        let width = null; // the first call says how it begins
        made.themeBindings["x-resize.window"] = function () {
            if (window.innerWidth === width) return;
            width = window.innerWidth;
            resized.call(this);
        };
        return made;
    };
});
