// The clock of one's claim. It is renewed only while its person works, and said aloud twice: at 90 seconds and at the end.
const RENEW_EVERY = 30_000;
const WARN_AT = 90;

export function startClaim(screen) {
  const clock = document.getElementById("cs-claim");
  if (!clock) return;
  const panel = document.getElementById("cs-claim-end");
  const live = document.getElementById("cs-live");
  let until = Date.parse(clock.dataset.until);
  let worked = false;
  let warned = false;
  let ended = false;

  for (const kind of ["input", "keydown", "pointerdown", "wheel"]) {
    document.addEventListener(kind, () => (worked = true), { passive: true });
  }
  const keep = panel.querySelector("[data-cs-keep-claim]");
  keep.addEventListener("click", () => (ended ? claimAgain() : renew()));
  setInterval(() => worked && !ended && renew(), RENEW_EVERY);
  setInterval(tick, 1000);
  tick();

  const post = (address) => {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    return fetch(address, { method: "POST", headers: { "X-CSRFToken": token } });
  };

  // Whether it was got is asked of the renewal: the claim itself answers with a page.
  async function claimAgain() {
    await post(clock.dataset.claim).catch(() => null);
    await renew();
  }

  async function renew() {
    worked = false;
    try {
      const answer = await post(clock.dataset.renew);
      if (answer.status === 409) return end((await answer.json()).said);
      if (!answer.ok) return;
      until = Date.parse((await answer.json()).until);
      warned = false;
      panel.hidden = true;
      if (ended) lock(false);
      ended = false;
      tick();
    } catch {
      // The server is away; the lease runs on, and it is asked again.
    }
  }

  function tick() {
    if (ended) return;
    const left = Math.max(0, Math.round((until - Date.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left === 0) end("A colleague can take it now.");
    else if (left <= WARN_AT && !warned) {
      warned = true;
      say("Your claim ends in 1 min 30 s", "After that a colleague can take the item; what you typed stays here.");
    }
  }

  function end(said) {
    ended = true;
    clock.textContent = "0:00";
    lock(true);
    say("Your claim has ended", `${said} Your values still stand in the fields.`);
  }

  // Read-only and not disabled: what was typed can still be read and copied.
  function lock(is) {
    keep.textContent = is ? "Claim it again" : "Keep it";
    for (const input of screen.querySelectorAll("#decide input:not([type=hidden]), #decide textarea")) input.readOnly = is;
    for (const control of screen.querySelectorAll("#decide select, #decide button:not([type=submit]), #cs-bar button")) control.disabled = is;
  }

  function say(title, text) {
    panel.querySelector("[data-cs-claim-title]").textContent = title;
    panel.querySelector("[data-cs-claim-said]").textContent = text;
    panel.hidden = false;
    live.textContent = `${title}. ${text}`;
  }
}
