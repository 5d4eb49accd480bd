// Formulas of the pages; arithmatex marks them, MathJax draws them, also after a page is loaded in place.
window.MathJax = {
  tex: { inlineMath: [["\\(", "\\)"]], displayMath: [["\\[", "\\]"]], processEscapes: true, processEnvironments: true },
  options: { ignoreHtmlClass: ".*|", processHtmlClass: "arithmatex" },
};
document$.subscribe(() => {
  if (MathJax.typesetPromise) MathJax.typesetPromise();
});
