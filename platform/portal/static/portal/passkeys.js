"use strict";

// allauth's script talks to the browser. Here: a passkey that was not given is said on the page.

document.addEventListener("allauth.error", (event) => {
  const trouble = document.getElementById("passkey-trouble");
  if (trouble === null) return;
  event.preventDefault();
  trouble.hidden = false;
});
