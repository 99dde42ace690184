// What a page can do better with a script; without it everything is there too. It writes text only, never markup.
"use strict";

// `/` goes to the search, unless one is writing
document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || writing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.getElementById("q").focus();
});

// what is pasted anywhere on the first page goes into its field
const field = document.querySelector("[data-paste]");
if (field) document.addEventListener("paste", (event) => {
  if (event.target.closest("input, textarea")) return;
  field.value = event.clipboardData.getData("text/plain");
  field.focus();
});

// buttons that copy a field
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      field.select();
      document.execCommand("copy");
    }
    button.textContent = "Copied";
  });
}

// verdicts are sent without leaving the page
for (const form of document.querySelectorAll("form[data-quiet]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const told = form.querySelector("[role=status]") || form.appendChild(document.createElement("span"));
    told.setAttribute("role", "status");
    button.disabled = true;
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form)), headers: { accept: "application/json" },
      });
      const body = await answer.json();
      told.textContent = answer.ok ? " noted" : ` ${body.detail}`;
      button.disabled = answer.ok;
    } catch {
      told.textContent = " could not be sent; try again";
      button.disabled = false;
    }
  });
}

// a field that shows only what has its text in the name
for (const field of document.querySelectorAll("[data-filter]")) {
  const things = document.querySelectorAll(`[data-filtered="${field.dataset.filter}"] [data-name]`);
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    for (const thing of things) thing.classList.toggle("dim", !thing.dataset.name.toLowerCase().includes(wanted));
  });
}

// the line of the box that one points to, or has reached by the keyboard
for (const drawing of document.querySelectorAll("svg.graph")) {
  const light = (event, on) => {
    const box = event.target.closest("[data-box]");
    const edge = box && drawing.querySelector(`[data-edge="${box.dataset.box}"]`);
    if (edge) edge.classList.toggle("lit", on);
  };
  for (const name of ["pointerover", "focusin"]) drawing.addEventListener(name, (event) => light(event, true));
  for (const name of ["pointerout", "focusout"]) drawing.addEventListener(name, (event) => light(event, false));
}

// what a link points to inside something folded is unfolded
function unfold() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  if (target) target.scrollIntoView();
}
addEventListener("hashchange", unfold);
unfold();
