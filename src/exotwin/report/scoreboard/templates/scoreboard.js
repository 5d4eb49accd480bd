"use strict";
(function () {
  const form = document.getElementById("filters");
  const tip = document.getElementById("tip");
  const checks = Array.from(document.querySelectorAll(".check"));
  const selects = Array.from(form.querySelectorAll("select"));
  const words = form.querySelector("input");
  const texts = new Map(checks.map((check) => [check, check.textContent.toLowerCase()]));
  const said = form.querySelector("output");

  function filter() {
    let shown = 0;
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const check of checks) {
      const kept = selects.every((s) => s.value === "" || check.dataset[s.name] === s.value) && wanted.every((w) => texts.get(check).includes(w));
      check.classList.toggle("off", !kept);
      const point = document.querySelector('[data-check="' + CSS.escape(check.id.slice("check-".length)) + '"]');
      if (point) point.classList.toggle("off", !kept);
      if (kept) shown += 1;
    }
    for (const module of document.querySelectorAll(".module")) {
      module.classList.toggle("off", !module.querySelector(".check:not(.off)"));
    }
    const told = shown === checks.length ? form.dataset.all : form.dataset.some;
    said.textContent = told.replace("#k", shown).replace("#n", checks.length);
  }

  function open() {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!row || !row.classList.contains("check")) return;
    if (row.classList.contains("off")) { form.reset(); filter(); }
    row.querySelector("details").open = true;
    row.scrollIntoView();
  }

  function show(point) {
    tip.textContent = point.getAttribute("aria-label");
    tip.hidden = false;
    const at = point.getBoundingClientRect();
    const left = Math.min(at.left, innerWidth - tip.offsetWidth - 12);
    const above = at.top - tip.offsetHeight - 8;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = (above > 0 ? above : at.bottom + 8) + "px";
  }

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  for (const point of document.querySelectorAll(".point")) {
    const title = point.querySelector("title");
    if (title) title.remove();
    point.addEventListener("mouseenter", () => show(point));
    point.addEventListener("focus", () => show(point));
    for (const left of ["mouseleave", "blur"]) point.addEventListener(left, () => { tip.hidden = true; });
  }
  addEventListener("hashchange", open);
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
  open();
})();
