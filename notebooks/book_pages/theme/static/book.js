// Formulas, a search that needs no server, and boxes that the keyboard can scroll.
"use strict";

// Excerpts of what was found are fetched, which a browser refuses from file://.
if (window.DOCUMENTATION_OPTIONS && location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

document.addEventListener("DOMContentLoaded", () => {
  if (window.katex) {
    for (const place of document.querySelectorAll(".math")) {
      const display = place.tagName === "DIV";
      let tex = place.textContent;
      if (display && tex.includes("\\\\") && !tex.includes("\\begin")) tex = `\\begin{gathered}${tex}\\end{gathered}`;
      katex.render(tex, place, { displayMode: display, throwOnError: false });
    }
  }
  // Figures with their units stay on one line.
  for (const cell of document.querySelectorAll("article td")) {
    if (cell.textContent.length <= 16) cell.style.whiteSpace = "nowrap";
    else cell.style.minWidth = "10rem";
  }
  for (const box of document.querySelectorAll(".table-wrapper, .highlight pre")) {
    if (box.scrollWidth > box.clientWidth && !box.closest("[tabindex]")) box.tabIndex = 0;
  }
});
