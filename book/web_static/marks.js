// Sphinx marks the words one searched for on the page one lands on, unless that page has the search's own script; this
// theme puts it on every page, for its search dialogue, so nothing was ever marked.
document.addEventListener("DOMContentLoaded", () => {
  if (!document.getElementById("search-results")) SphinxHighlight.highlightSearchWords();

  // A search's excerpts would hold each equation twice: as it is seen, and as it is read aloud.
  const textOf = Search.htmlToText;
  Search.htmlToText = (page, anchor) => {
    const parsed = new DOMParser().parseFromString(page, "text/html");
    for (const seen of parsed.querySelectorAll(".katex-html")) seen.remove();
    return textOf(parsed.documentElement.outerHTML, anchor);
  };
});
