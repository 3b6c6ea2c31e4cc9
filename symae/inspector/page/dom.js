// Small makers of elements. Texts are set as texts, never as markup.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "className") element.className = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

let idCount = 0;
export function newId(word) {
  return `${word}-${++idCount}`;
}

const LONG = 15; // letters that half a phone's width has no room for

export function choice(label, options, value, onchange) {
  const id = newId("choice");
  const select = h("select", { id, onchange: () => onchange(select.value) });
  for (const [key, words] of options) select.append(h("option", { value: key, selected: key === value }, words));
  const long = options.some(([, words]) => words.length > LONG);
  const field = h("div", { className: long ? "field long" : "field" }, h("label", { for: id }, label), select);
  field.input = select;
  return field;
}

export function slider(label, { min, max, step, value, words = (v) => String(v) }, oninput) {
  const id = newId("slider");
  const output = h("output", { for: id }, words(value));
  const input = h("input", { id, type: "range", min, max, step });
  input.value = value;
  const show = () => {
    output.textContent = words(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  show();
  input.addEventListener("input", () => { show(); oninput(Number(input.value)); });
  const field = h("div", { className: "field slider" }, h("label", { for: id }, label), input, output);
  field.input = input;
  field.set = (v) => { input.value = v; show(); };
  return field;
}

export function button(words, onclick, attributes = {}) {
  return h("button", { type: "button", onclick, ...attributes }, words);
}

// A canvas with words for who cannot see it, and a caption.
export function pictured(words, caption = null, className = "") {
  const canvas = h("canvas", { role: "img", "aria-label": words, width: 28, height: 28 });
  const figure = h("figure", { className: `pictured ${className}` }, canvas, caption === null ? null : h("figcaption", {}, caption));
  figure.canvas = canvas;
  return figure;
}

// A button that stays pressed.
export function toggle(words, pressed, onchange, attributes = {}) {
  const element = button(words, () => element.press(element.getAttribute("aria-pressed") !== "true"), { ...attributes, "aria-pressed": String(pressed) });
  element.press = (on, tell = true) => {
    element.setAttribute("aria-pressed", String(on));
    if (tell) onchange(on);
  };
  return element;
}

// Gives what was made in the page to the user as a file.
export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// Rows of cells as CSV. A cell that a spreadsheet would take for a formula is made a text.
export function csvOf(rows) {
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return new Blob([rows.map((row) => row.map(cell).join(",") + "\r\n").join("")], { type: "text/csv" });
}

export function empty(...words) {
  return h("div", { className: "empty" }, words.map((line) => h("p", {}, line)));
}

export function waiting(words) {
  return h("p", { className: "waiting", role: "status" }, words);
}

export function say(words) {
  document.getElementById("spoken").textContent = words;
}

export function figures(number, digits = 3) {
  if (number === null || number === undefined || !Number.isFinite(number)) return "–";
  const extreme = Math.abs(number) >= 1e5 || (number !== 0 && Math.abs(number) < 1e-3);
  return String(extreme ? number.toExponential(digits - 1) : Number(number.toPrecision(digits))).replaceAll("-", "−");
}

export function percent(share) {
  return share === null || share === undefined ? "–" : `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}

export function facts(pairs) {
  return h("dl", {}, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

// Calls `work` with the newest arguments only: while one call goes on, those between are dropped.
export function newest(work) {
  let next = null, busy = false;
  const run = async () => {
    busy = true;
    while (next) {
      const given = next;
      next = null;
      try { await work(...given); } catch (error) { if (error.name !== "AbortError") console.warn(error.message); }
    }
    busy = false;
  };
  return (...given) => { next = given; if (!busy) run(); };
}
