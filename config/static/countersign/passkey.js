// Passkeys: allauth's scripts speak with the device; this finds the form and says what went wrong.
(function () {
  const form = document.querySelector("form[data-passkey]");
  if (!form || !window.PublicKeyCredential || !window.allauth) return;
  form.hidden = false;
  const said = form.querySelector("[data-passkey-said]");
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    if (!said) return;
    said.textContent = "No passkey was used: it was cancelled, or none fits this site. Nothing was changed. Try again, or another way.";
    said.hidden = false;
  });
  const ids = { credential: "passkey-credential", data: "passkey-data" };
  const kinds = {
    login: ["loginForm", { login: "passkey-button" }],
    authenticate: ["authenticateForm", { authenticate: "passkey-button" }],
    add: ["addForm", { add: "passkey-button", passwordless: "passkey-alone" }],
  };
  const [name, own] = kinds[form.dataset.passkey];
  window.allauth.webauthn.forms[name]({ ids: { ...ids, ...own } });
})();
