// After a conflict: what one typed can be taken along as text.
export function startClash(screen) {
  const copy = screen.querySelector("[data-cs-copy]");
  if (!copy || !navigator.clipboard) return;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    const lines = [...screen.querySelectorAll(".cs-clash tbody tr:not(.cs-same)")].map((row) => `${row.cells[0].textContent}: ${row.querySelector("td strong").textContent}`);
    await navigator.clipboard.writeText(lines.join("\n"));
    copy.textContent = "Copied";
  });
}
