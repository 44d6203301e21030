/* Search in the source: in text by ranges over it, on pictures by boxes that the server finds. Part of source.js.
 *
 * Nothing of the text is changed, so marks stay whole: matches are painted over it (CSS highlights).
 */
"use strict";

window.csSourceSearch = ({ viewer, view, pages, bring, findAddress }) => {
    const seek = {
        input: viewer.querySelector("#searchbar"),
        told: viewer.querySelector("[data-found]"),
        hits: [],
        at: -1,
        asked: 0,

        forget() {
            this.hits = [];
            this.at = -1;
            this.told.textContent = "";
            CSS.highlights?.delete("cs-hits");
            CSS.highlights?.delete("cs-hit-now");
            for (const hit of viewer.querySelectorAll(".cs-hit")) hit.remove();
        },

        again() {
            if (this.input.value.trim()) this.run();
        },

        async run() {
            const words = this.input.value.trim();
            const asked = ++this.asked;
            this.forget();
            if (!words || !view()) return;
            const found = view().dataset.shownAs === "pictures" ? await this.onPictures(words) : this.inText(words);
            if (asked !== this.asked) return;
            this.forget();
            if (found === null) return void (this.told.textContent = "Search failed");
            this.hits = found.hits;
            this.more = found.more;
            if (CSS.highlights && found.ranges) CSS.highlights.set("cs-hits", new Highlight(...found.ranges));
            for (const hit of found.hits) for (const box of hit.boxes || []) hit.paper.append(box);
            if (this.hits.length) this.go(1);
            else this.told.textContent = "Not found";
        },

        inText(words) {
            const pattern = new RegExp(words.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\s+"), "giu");
            const ranges = [];
            for (const shown of pages()) {
                // The text of a page runs through many elements; a match may begin in one and end in another.
                const nodes = [];
                let text = "";
                for (const part of shown.querySelectorAll("[data-text]")) {
                    const walk = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
                    while (walk.nextNode()) {
                        nodes.push([text.length, walk.currentNode]);
                        text += walk.currentNode.data;
                    }
                }
                const place = (offset, end) => {
                    const found = nodes.findLast(([start]) => (end ? start < offset : start <= offset));
                    return [found[1], offset - found[0]];
                };
                for (const match of text.matchAll(pattern)) {
                    const range = new Range();
                    range.setStart(...place(match.index, false));
                    range.setEnd(...place(match.index + match[0].length, true));
                    ranges.push(range);
                }
            }
            return { hits: ranges.map((range) => ({ range })), ranges, more: false };
        },

        async onPictures(words) {
            try {
                const answer = await fetch(`${findAddress()}?text=${encodeURIComponent(words)}`, { credentials: "same-origin" });
                const { found, more } = await answer.json();
                const shown = view();
                const hits = found.map((hit) => {
                    const sheet = shown.querySelector(`[data-page="${hit.page}"]`);
                    const boxes = hit.boxes.map(([x0, y0, x1, y1]) => {
                        const box = document.createElement("span");
                        box.className = "cs-hit";
                        box.setAttribute("aria-hidden", "true");
                        Object.assign(box.style, { left: `${100 * x0}%`, top: `${100 * y0}%`, width: `${100 * (x1 - x0)}%`, height: `${100 * (y1 - y0)}%` });
                        return box;
                    });
                    return { sheet, boxes, paper: sheet.querySelector(".cs-paper") };
                });
                return { hits, more };
            } catch {
                return null;
            }
        },

        go(step) {
            if (!this.hits.length) return;
            this.at = (this.at + step + this.hits.length) % this.hits.length;
            const hit = this.hits[this.at];
            for (const each of viewer.querySelectorAll(".cs-hit-now")) each.classList.remove("cs-hit-now");
            for (const box of hit.boxes || []) box.classList.add("cs-hit-now");
            if (hit.range) {
                CSS.highlights?.set("cs-hit-now", new Highlight(hit.range));
                const folded = hit.range.startContainer.parentElement.closest("details");
                if (folded) folded.open = true;
                const mark = hit.range.startContainer.parentElement;
                bring({ closest: (selector) => mark.closest(selector), getBoundingClientRect: () => hit.range.getBoundingClientRect() });
            } else bring(hit.boxes[0] || hit.sheet);
            this.told.textContent = `${this.at + 1} of ${this.hits.length}${this.more ? "+" : ""}`;
        },
    };

    let typing = 0;
    seek.input.addEventListener("input", () => {
        clearTimeout(typing);
        typing = setTimeout(() => seek.run(), 250);
    });
    seek.input.addEventListener("keydown", (event) => {
        event.stopPropagation(); // letters typed here are no shortcuts
        if (event.key === "Enter") {
            event.preventDefault();
            if (seek.hits.length) seek.go(event.shiftKey ? -1 : 1);
            else seek.run();
        } else if (event.key === "Escape") {
            event.preventDefault();
            seek.input.value = "";
            seek.asked++;
            seek.forget();
            seek.input.blur();
        }
    });

    return seek;
};
