// The ledger's filter: by verdict and by words. Without scripts every claim is shown, and opens all the same.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const controls = document.querySelector(".ledger-controls");
  if (!controls) return;
  const claims = [...document.querySelectorAll("details.claim")];
  const words = new Map(claims.map((claim) => [claim, claim.textContent.toLowerCase()]));
  const buttons = [...controls.querySelectorAll("button")];
  const search = controls.querySelector("input");
  const count = controls.querySelector("output");
  const nothing = document.querySelector(".ledger-nothing");
  let verdict = "all";

  function show() {
    const sought = search.value.trim().toLowerCase().split(/\s+/);
    let shown = 0;
    for (const claim of claims) {
      const fits = verdict === "all" || claim.dataset.verdict === verdict;
      claim.hidden = !(fits && sought.every((word) => words.get(claim).includes(word)));
      shown += claim.hidden ? 0 : 1;
    }
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.verdict === verdict));
    count.textContent = `${shown} of ${claims.length} claims`;
    nothing.hidden = shown > 0;
  }

  // A link to a claim opens it, whatever the filter was.
  function follow() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.matches("details.claim")) return;
    verdict = "all";
    search.value = "";
    show();
    target.open = true;
    target.scrollIntoView();
  }

  for (const button of buttons) {
    button.addEventListener("click", () => {
      verdict = button.dataset.verdict;
      show();
    });
  }
  search.addEventListener("input", show);
  window.addEventListener("hashchange", follow);
  controls.hidden = false;
  show();
  follow();
});
