// What shows each tab, by the tab's name, from the tabs' own modules, which are loaded before the page begins.
const shown = new Map();

// `show` is called with an element to fill and what is known; it may be async.
export function addTab(name, show) {
  shown.set(name, show);
}

export function showTab(name, content, context) {
  return shown.get(name)(content, context);
}
