// Filters: claims of the ledger by owner, verdict and words; rows of long tables by words. Without scripts all is shown.
"use strict";

function fits(text, search) {
  return search.value.trim().toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

// The ledger: buttons, a search field, a count. A group without a claim that fits is hidden with its heading.
function ledger(controls) {
  const claims = [...document.querySelectorAll("details.claim")];
  const words = new Map(claims.map((claim) => [claim, claim.textContent.toLowerCase()]));
  const groups = [...document.querySelectorAll(".ledger-group")];
  const search = controls.querySelector("input");
  const chosen = { whose: "", verdict: "" };

  function show() {
    for (const claim of claims) {
      const kept = Object.keys(chosen).every((key) => !chosen[key] || claim.dataset[key] === chosen[key]);
      claim.hidden = !(kept && fits(words.get(claim), search));
    }
    for (const group of groups) group.hidden = !group.querySelector("details.claim:not([hidden])");
    for (const button of controls.querySelectorAll("button")) {
      const [[key, value]] = Object.entries(button.dataset);
      button.setAttribute("aria-pressed", String(chosen[key] === value));
    }
    const shown = claims.filter((claim) => !claim.hidden).length;
    controls.querySelector("output").textContent = `${shown} of ${claims.length} claims`;
    document.querySelector(".filter-nothing").hidden = shown > 0;
  }

  // A link to a claim opens it, whatever the filter was.
  function follow() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.matches("details.claim")) return;
    chosen.whose = chosen.verdict = search.value = "";
    show();
    target.open = true;
    target.scrollIntoView();
  }

  controls.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    Object.assign(chosen, button.dataset);
    show();
  });
  search.addEventListener("input", show);
  window.addEventListener("hashchange", follow);
  controls.hidden = false;
  show();
  follow();
}

// Long tables: one search field above the first of them, which opens what holds a row that fits.
function tables(parts) {
  const label = document.createElement("label");
  label.className = "filter";
  label.innerHTML = 'Search all rows <input type="search" placeholder="ESGD, logistic, 0.99 …"><output aria-live="polite"></output>';
  const search = label.querySelector("input");
  const rows = parts.flatMap((part) => [...part.querySelectorAll("tbody tr")]);
  const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  search.addEventListener("input", () => {
    for (const row of rows) row.hidden = !fits(words.get(row), search);
    for (const part of parts) part.open = Boolean(search.value) && Boolean(part.querySelector("tbody tr:not([hidden])"));
    label.querySelector("output").textContent = search.value ? ` ${rows.filter((row) => !row.hidden).length} of ${rows.length} rows` : "";
  });
  document.querySelector("h1 ~ p").after(label);
}

document.addEventListener("DOMContentLoaded", () => {
  const controls = document.querySelector("div.filter");
  if (controls) ledger(controls);
  const parts = [...document.querySelectorAll("details.filtered")];
  if (parts.length) tables(parts);
});
