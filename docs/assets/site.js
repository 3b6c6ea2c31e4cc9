// What the theme leaves out for those who do not use a mouse or do not see the page.
function reachable() {
  // what scrolls sideways can be scrolled with keys, and has a name
  for (const scrolled of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code, .md-typeset pre, .formula.block")) {
    if (scrolled.scrollWidth <= scrolled.clientWidth) continue;
    scrolled.tabIndex = 0;
    if (scrolled.matches(".md-typeset__scrollwrap, .formula")) {
      scrolled.setAttribute("role", "group");
      scrolled.setAttribute("aria-label", scrolled.matches(".formula") ? "Formula" : "Table");
    }
  }
}

function named() {
  document.querySelector("[data-md-component=search]")?.setAttribute("aria-label", "Search");
  // the button that copies a piece of code is no part of the navigation
  for (const buttons of document.querySelectorAll("nav.md-code__nav:not([role])")) buttons.setAttribute("role", "presentation");
}

new MutationObserver(named).observe(document.body, { childList: true, subtree: true });
named();
reachable();
addEventListener("load", () => { reachable(); setTimeout(reachable, 200); });
addEventListener("resize", reachable);
