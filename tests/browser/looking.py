"""What is wrong with a page, as lines that a person can act on, and its picture."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from playwright.sync_api import Page

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
SIZES = {"wide": (1280, 800), "phone": (390, 844)}
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]},
    "rules": {"target-size": {"enabled": True}},  # 24 px; axe leaves it off unless asked
    "resultTypes": ["violations"],
}


def pictures() -> Path:
    """Where the pictures of each run go: `SCREENS`, or var/screens."""
    folder = Path(os.environ.get("SCREENS") or settings.BASE_DIR / "var" / "screens")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def watch(page: Page) -> list[str]:
    """What the browser complains of from now on: errors of scripts, requests that failed."""
    heard: list[str] = []
    page.on("console", lambda said: heard.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(f"script: {error}"))
    page.on("requestfailed", lambda request: heard.append(f"request failed: {request.url} {request.failure}"))
    page.on(
        "response",
        lambda answer: (
            heard.append(f"answer {answer.status}: {answer.url}") if answer.status >= 400 else None
        ),
    )
    return heard


def set_theme(*, page: Page, theme: Theme) -> None:
    """As the switch in the account menu sets it; pages without Unfold follow the system."""
    page.emulate_media(color_scheme=theme)
    page.evaluate(
        """theme => {
            const root = window.Alpine && document.querySelector("html[x-data]");
            if (root) { window.Alpine.$data(root).adminTheme = theme; }
            return new Promise(shown => requestAnimationFrame(() => requestAnimationFrame(shown)));
        }""",
        theme,
    )


def axe_problems(page: Page) -> list[str]:
    if not page.evaluate("typeof window.axe !== 'undefined'"):
        page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("rules => axe.run(document, rules)", RULES)
    return [
        f"axe {one['id']}: {' '.join(map(str, node['target']))} – {_first_line(node['failureSummary'])}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def _first_line(summary: str) -> str:
    lines = [line.strip() for line in summary.splitlines() if line.strip()]
    return lines[1] if len(lines) > 1 else "".join(lines)


def overflow_problems(page: Page) -> list[str]:
    """Content that is wider than the window: a page that scrolls sideways hides half of what it says."""
    told: list[str] = page.evaluate(
        """() => {
            const wide = document.documentElement.clientWidth;
            const root = document.scrollingElement;
            if (root.scrollWidth <= wide && document.body.scrollWidth <= wide) { return []; }
            const outside = [...document.body.querySelectorAll("*")]
                .filter(one => one.getBoundingClientRect().right > wide + 1 && one.checkVisibility())
                .slice(0, 5)
                .map(one => one.outerHTML.slice(0, 120));
            return [`${root.scrollWidth} px wide in ${wide}: ${outside.join(" | ")}`];
        }"""
    )
    return told
