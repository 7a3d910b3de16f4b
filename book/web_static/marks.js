// Sphinx marks the words one searched for on the page one lands on, unless that page has the search's own script; this
// theme puts it on every page, for its search dialogue, so nothing was ever marked.
document.addEventListener("DOMContentLoaded", () => {
  if (!document.getElementById("search-results")) SphinxHighlight.highlightSearchWords();
});
