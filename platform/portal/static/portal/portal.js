"use strict";

// The live part of a page asks for itself every few seconds (htmx). Here: it rests while nobody
// looks, remembers which folds stand open, and says so when it could not refresh.

const live = () => document.getElementById("live");
const isLive = (event) => event.detail.elt === live();
let pulse = null;

function say(text, isStale) {
  pulse ??= document.getElementById("pulse");
  // A status that is set again is read out again: only changes are set.
  if (pulse === null || pulse.textContent === text) return;
  pulse.textContent = text;
  pulse.classList.toggle("is-stale", isStale);
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isLive(event) && document.hidden) event.preventDefault();
});

document.addEventListener("htmx:configRequest", (event) => {
  if (!isLive(event)) return;
  event.detail.parameters.folds = "1";
  const open = [...document.querySelectorAll("details[data-fold][open]")].map((fold) => fold.id);
  if (open.length) event.detail.parameters.open = open;
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (!isLive(event) && event.detail.target !== live()) return;
  if (event.detail.successful) {
    say("Live", false);
  } else if (event.detail.xhr) {
    say(`Not refreshed since ${new Date().toLocaleTimeString()}: trying again`, true);
  }
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && live()) htmx.trigger(live(), "refresh");
});

// A fold that was not filled yet asks for its rows when it is opened.
document.addEventListener("toggle", (event) => {
  const fold = event.target;
  if (fold.matches("details[data-fold]") && fold.open && fold.querySelector("[data-empty]")) {
    htmx.trigger(live(), "refresh");
  }
}, true);

// The menu closes when attention goes elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  const menu = document.querySelector("details.menu[open]");
  if (event.key !== "Escape" || menu === null) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
