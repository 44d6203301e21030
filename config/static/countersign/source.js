/* The source of an item: views, zoom, pages, search, and the evidence of the chosen field.
 *
 * Everything is on the page already, one below the other, and can be read without this file. What happens here changes
 * nothing on the server. Who handles keys calls `csSource.key(event)` or its verbs one by one:
 *   csSource.show(key)  scrolls to the evidence of a field and names it; false when the source has none
 *   csSource.clear()    no field is chosen
 *   csSource.zoom(+1 | -1 | 0), csSource.page(+1 | -1), csSource.rotate(), csSource.search()
 * A click on evidence is told as `cs-choose-field` on the document, with {key}.
 */
(() => {
    "use strict";
    const root = document.querySelector("[data-source-viewer]");
    if (!root) return;

    const viewer = root.querySelector(".cs-viewer");
    const tools = viewer.querySelector(".cs-tools");
    const sources = [...viewer.querySelectorAll("[data-source]")];
    const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];
    let zoom = 1;
    let current = sources[0] || null;

    const one = (selector, within = viewer) => within.querySelector(selector);
    const all = (selector, within = viewer) => [...within.querySelectorAll(selector)];
    const views = (source) => all("[data-shown-as]", source);
    const view = () => (current ? views(current).find((each) => !each.hidden) : null) || null;
    const stage = () => (view()?.matches(".cs-stage") ? view() : view() && one(".cs-stage", view()));

    // Which source and which of its views

    function open(source) {
        current = source;
        for (const each of sources) each.hidden = each !== source;
        for (const head of all("[data-head]")) head.hidden = head.dataset.head !== source.dataset.source;
        for (const tab of all("[data-tab]")) {
            const chosen = tab.dataset.tab === source.dataset.source;
            tab.setAttribute("aria-selected", String(chosen));
            tab.tabIndex = chosen ? 0 : -1;
        }
        seek.forget();
        fresh();
    }

    function showAs(kind, source = current) {
        if (!views(source).some((each) => each.dataset.shownAs === kind)) return;
        for (const each of views(source)) each.hidden = each.dataset.shownAs !== kind;
        if (source === current) fresh();
    }

    /* The tools as they fit what is shown now. */
    function fresh() {
        const shown = view();
        const kinds = views(current);
        tools.hidden = !shown;
        if (!shown) return;
        one("[data-views]").hidden = kinds.length < 2;
        for (const button of all("[data-view]")) {
            button.setAttribute("aria-pressed", String(button.dataset.view === shown.dataset.shownAs));
        }
        one(".cs-seek").hidden = !kinds.some((each) => each.dataset.shownAs === "text");
        one("[data-paging]").hidden = pages().length < 2;
        one("[data-does=rotate]").hidden = shown.dataset.shownAs !== "pictures";
        tellPage();
        seek.again();
    }

    function makeTabs() {
        const list = one(".cs-source-tabs");
        if (!list) return;
        list.setAttribute("role", "tablist");
        for (const tab of all("[data-tab]")) {
            const source = sources.find((each) => each.dataset.source === tab.dataset.tab);
            tab.setAttribute("role", "tab");
            tab.setAttribute("aria-controls", source.id);
            source.setAttribute("role", "tabpanel");
            tab.addEventListener("click", (event) => {
                event.preventDefault();
                open(source);
            });
        }
        list.addEventListener("keydown", (event) => {
            const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
            if (event.key !== " " && !step) return;
            event.preventDefault();
            event.stopPropagation();
            const tabs = all("[data-tab]");
            const next = tabs[(tabs.indexOf(event.target.closest("[data-tab]")) + (step || 0) + tabs.length) % tabs.length];
            next.click();
            next.focus();
        });
    }

    // Pages, zoom, rotation

    const pages = () => (view() ? all("[data-page]", view()) : []);

    /* Scrolls the stage alone: the fields beside it, and on a phone below it, must not move away from the person. */
    function bring(element, block = "center") {
        const within = element.closest(".cs-stage");
        if (!within) return;
        const from = within.getBoundingClientRect();
        const to = element.getBoundingClientRect();
        const above = block === "start" ? 8 : Math.max(8, (from.height - to.height) / 2);
        within.scrollTop += to.top - from.top - above;
        if (to.left < from.left || to.right > from.right) within.scrollLeft += to.left - from.left - 24;
    }

    function currentPage() {
        const shown = pages();
        const within = stage();
        if (!within || !shown.length) return -1;
        const middle = within.getBoundingClientRect().top + within.clientHeight * 0.4;
        const found = shown.findIndex((page) => page.getBoundingClientRect().bottom > middle);
        return found < 0 ? shown.length - 1 : found;
    }

    function tellPage() {
        const at = currentPage();
        const shown = pages();
        const told = one(`[data-head="${current.dataset.source}"] [data-page-told]`);
        if (told) told.textContent = shown.length > 1 ? `, page ${shown[at].dataset.page} of ${shown.length}` : "";
        for (const thumb of all("[data-to-page]", current)) {
            if (at >= 0 && thumb.dataset.toPage === shown[at].dataset.page) thumb.setAttribute("aria-current", "page");
            else thumb.removeAttribute("aria-current");
        }
    }

    function page(step) {
        const shown = pages();
        const next = shown[currentPage() + step];
        if (next) bring(next, "start");
        return Boolean(next);
    }

    function setZoom(step) {
        const within = stage();
        if (!within) return false;
        const at = ZOOMS.indexOf(zoom);
        zoom = step === 0 ? 1 : ZOOMS[Math.min(Math.max(at + step, 0), ZOOMS.length - 1)];
        // What stands in the middle stays in the middle.
        const down = (within.scrollTop + within.clientHeight / 2) / within.scrollHeight;
        const across = (within.scrollLeft + within.clientWidth / 2) / within.scrollWidth;
        viewer.style.setProperty("--zoom", zoom);
        within.scrollTop = down * within.scrollHeight - within.clientHeight / 2;
        within.scrollLeft = across * within.scrollWidth - within.clientWidth / 2;
        one("[data-zoom]").textContent = `${Math.round(zoom * 100)} %`;
        // A wider picture is fetched when the page is enlarged.
        for (const picture of all(".cs-paper > img")) picture.sizes = zoom > 1 ? `calc(${zoom} * 45vw)` : picture.dataset.sizes;
        return true;
    }

    function rotate() {
        const sheet = pages()[currentPage()];
        if (!sheet || !sheet.matches(".cs-sheet")) return false;
        sheet.dataset.turn = ((Number(sheet.dataset.turn) || 0) + 90) % 360;
        return true;
    }

    // A page that cannot be drawn: its reason in words, and its text

    for (const picture of all(".cs-pictures img")) {
        picture.dataset.sizes = picture.sizes;
        picture.addEventListener("load", () => picture.classList.remove("cs-waits"));
        picture.addEventListener("error", () => missing(picture));
        if (picture.complete && picture.currentSrc && !picture.naturalWidth) missing(picture);
    }

    async function missing(picture) {
        const tries = Number(picture.dataset.tries) || 0;
        picture.dataset.tries = tries + 1;
        picture.classList.add("cs-waits");
        if (!tries) return void setTimeout(() => redraw(picture), 1500); // many were drawn at the same time
        let words = "The server did not answer.";
        let later = 4;
        try {
            const answer = await fetch(picture.src, { credentials: "same-origin" });
            if (answer.ok) later = 0.1;
            else if (answer.status === 422) later = 0;
            else later = Number(answer.headers.get("Retry-After")) || later;
            if ((answer.headers.get("Content-Type") || "").startsWith("text/plain")) words = await answer.text();
        } catch { /* as if it had not answered */ }
        if (later && tries < 4) return void setTimeout(() => redraw(picture), later * 1000);
        const paper = picture.closest(".cs-paper");
        if (!paper) return; // a thumbnail: its number stands below it
        const note = document.createElement("p");
        note.className = "cs-no-picture";
        note.textContent = `This page cannot be shown as a picture. ${words}`;
        paper.append(note);
        if (!later) readInstead(picture.closest("[data-source]"), words);
    }

    /* The text of a source that cannot be drawn, with the reason above it. */
    function readInstead(source, words) {
        if (!one('[data-shown-as="text"]', source) || one("[data-no-picture]", source)) return;
        const note = document.createElement("p");
        note.className = "cs-source-note";
        note.dataset.noPicture = "";
        note.textContent = `This cannot be shown as a picture, so here is its text. ${words}`;
        source.prepend(note);
        showAs("text", source);
    }

    function redraw(picture) {
        const { src, srcset } = picture;
        picture.srcset = "";
        picture.src = src;
        picture.srcset = srcset;
    }

    // The evidence of a field

    const evidence = (key, within = viewer) => all(`[data-keys~="${CSS.escape(key)}"]`, within);

    function clear() {
        for (const each of all(".cs-chosen")) {
            each.classList.remove("cs-chosen");
            if (each.matches("mark")) each.classList.remove("cs-labelled");
            delete each.dataset.label;
        }
    }

    function show(key, { reveal = false } = {}) {
        clear();
        const found = evidence(key);
        if (!found.length) return false;
        for (const each of found) {
            each.classList.add("cs-chosen");
            each.dataset.label = each.dataset.names.split("|")[each.dataset.keys.split(" ").indexOf(key)];
        }
        for (const last of new Set(found.filter((each) => each.matches("mark")).slice(-1))) last.classList.add("cs-labelled");
        const source = found[0].closest("[data-source]");
        if (source !== current) open(source);
        let target = found.find((each) => view().contains(each));
        if (!target) {
            target = found[0];
            showAs(target.closest("[data-shown-as]").dataset.shownAs);
        }
        const folded = target.closest("details");
        if (folded) folded.open = true;
        bring(target);
        if (reveal) root.scrollIntoView({ block: "nearest" });
        return true;
    }

    function choose(event) {
        const marked = event.target.closest("[data-keys]");
        if (!marked || !getSelection().isCollapsed) return;
        const keys = marked.dataset.keys.split(" ");
        // Fields that share a place take turns.
        const names = marked.dataset.names.split("|");
        const at = marked.classList.contains("cs-chosen") ? names.indexOf(marked.dataset.label) : -1;
        const key = keys[(at + 1) % keys.length];
        show(key);
        document.dispatchEvent(new CustomEvent("cs-choose-field", { detail: { key } }));
    }

    // Search

    const seek = window.csSourceSearch({ viewer, view, pages, bring, findAddress: () => current.dataset.find });

    function search() {
        if (tools.hidden || seek.input.closest("[hidden]")) return false;
        seek.input.focus();
        seek.input.select();
        return true;
    }

    // Full screen, for a phone: a dialog keeps focus inside and gives it back

    const dialog = document.createElement("dialog");
    dialog.className = "cs-full cs";
    dialog.setAttribute("aria-label", "Source, full screen");
    root.append(dialog);
    dialog.addEventListener("close", () => {
        move(root);
        full(false);
        one("[data-does=full]").focus();
    });

    /* What is moved forgets how far it was scrolled. */
    function move(to) {
        const at = currentPage();
        to.append(viewer);
        const there = one(".cs-chosen", view() || viewer) || pages()[at];
        if (there) bring(there, there.matches("[data-page]") ? "start" : "center");
    }

    function full(on) {
        const button = one("[data-does=full]");
        button.setAttribute("aria-label", on ? "Close full screen" : "Full screen");
        button.title = on ? "Close full screen" : "Full screen";
        one(".material-symbols-outlined", button).textContent = on ? "close_fullscreen" : "fullscreen";
    }

    function toggleFull() {
        if (dialog.open) return dialog.close();
        dialog.showModal();
        move(dialog);
        full(true);
        one("[data-does=full]").focus();
    }

    // What is clicked, and the keys

    const DOES = {
        "page-back": () => page(-1),
        "page-on": () => page(1),
        "zoom-in": () => setZoom(1),
        "zoom-out": () => setZoom(-1),
        fit: () => setZoom(0),
        rotate,
        full: toggleFull,
    };

    viewer.addEventListener("click", (event) => {
        const tool = event.target.closest("[data-does]");
        if (tool) return void DOES[tool.dataset.does]();
        const chosen = event.target.closest("[data-view]");
        if (chosen) return void showAs(chosen.dataset.view);
        const thumb = event.target.closest("[data-to-page]");
        if (thumb) {
            event.preventDefault();
            const to = pages().find((each) => each.dataset.page === thumb.dataset.toPage);
            if (to) bring(to, "start");
            return;
        }
        choose(event);
    });

    let telling = 0;
    viewer.addEventListener("scroll", () => {
        cancelAnimationFrame(telling);
        telling = requestAnimationFrame(() => current && view() && tellPage());
    }, true);

    // Beside a field stands a link to its evidence: it works as an address too, here it names the field as well.
    document.addEventListener("click", (event) => {
        const link = event.target.closest?.('a[href^="#evidence-"]');
        if (link && show(decodeURIComponent(link.hash.slice("#evidence-".length)), { reveal: true })) event.preventDefault();
    });

    const KEYS = {
        "+": () => setZoom(1), "=": () => setZoom(1), "-": () => setZoom(-1), 0: () => setZoom(0),
        ",": () => page(-1), ".": () => page(1), "/": search,
    };

    /* True when the key was one of the source's and did something. The caller knows whether single keys are on. */
    function key(event) {
        const does = Object.hasOwn(KEYS, event.key) && !event.ctrlKey && !event.altKey && !event.metaKey ? KEYS[event.key] : null;
        if (!does || !current || !does()) return false;
        event.preventDefault();
        return true;
    }

    window.csSource = {
        show, clear, page, rotate, search, key,
        zoom: setZoom,
        next_page: () => page(1),
        previous_page: () => page(-1),
    };

    viewer.classList.add("cs-live");
    makeTabs();
    for (const source of sources) showAs("pictures", source);
    if (current) open(current);
})();
