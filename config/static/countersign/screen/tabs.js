// The panels become tabs: one stop for Tab, arrows inside, the numbers 1 to 5.
const tabs = [];

export function startTabs(screen) {
  const list = screen.querySelector(".cs-tabs");
  if (!list) return;
  list.hidden = false;
  list.setAttribute("role", "tablist");
  for (const panel of screen.querySelectorAll("[data-cs-tab]")) {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.id = `${panel.id}-tab`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    tab.textContent = panel.dataset.csTab;
    if (panel.dataset.csCount !== undefined) {
      const count = document.createElement("span");
      count.textContent = ` ${panel.dataset.csCount}`;
      tab.append(count);
    }
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("click", () => openTab(tabs.indexOf(tab)));
    tab.addEventListener("keydown", (event) => {
      const at = tabs.indexOf(tab);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      openTab((to + tabs.length) % tabs.length);
    });
    tabs.push(tab);
    list.append(tab);
  }
  show(0);
}

export function openTab(at) {
  if (!tabs[at]) return false;
  show(at);
  tabs[at].focus();
  return true;
}

function show(at) {
  tabs.forEach((tab, number) => {
    const open = number === at;
    tab.setAttribute("aria-selected", String(open));
    tab.tabIndex = open ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !open;
  });
}

// A field may be asked for while another panel is open.
export function openFields() {
  if (tabs.length && tabs[0].getAttribute("aria-selected") !== "true") show(0);
}
