// The space of codes: a slider for each number, a map of the test images to click into, and what the model draws there.
import { answer, answerBlob, isLive } from "./source.js";
import { paint } from "./pixels.js";
import { button, choice, empty, figures, h, newest, percent, pictured, say, slider, waiting } from "./dom.js";
import { addTab } from "./tabs.js";

// those of symae.images.code_map, darker where white paper needs it
const DIGITS = ["#4e79a7", "#f28e2b", "#d1484a", "#76b7b2", "#59a14f", "#d9b300", "#b07aa1", "#ff8fa3", "#8c6239", "#7f7f7f"];
// labels beyond these get hues as far apart as the golden ratio puts them
const colourOf = (label) => DIGITS[label] ?? `hsl(${Math.round(label * 222.492) % 360} 60% 45%)`;

async function latentTab(panel, context) {
  const { run, model, about } = context;
  if (!about.latent) {
    const why = about.examples ? "The code of this model is not a few numbers, so it has no sliders." : "There are no test images of this model's size, so nothing is known of its codes.";
    panel.append(empty(why, "Worksheet 06 has a code of eight numbers; worksheet 04 with --code 10 one of ten."));
    return;
  }
  panel.append(waiting("Coding the test images …"));
  const space = await answer([run, model, "latent"]);
  panel.replaceChildren();
  const state = { code: space.codes[0].slice(), size: space.any_resolution ? 112 : space.size, axes: "plane" };
  const picture = pictured("What the model draws of this code", null, "drawn");
  const note = h("p", { className: "status", role: "status" });

  const draw = newest(async (size) => {
    const code = state.code.map((v) => v.toPrecision(6)).join(",");
    const query = space.any_resolution ? { code, size } : { code };
    const started = performance.now();
    try {
      const drawn = await answer([run, model, "drawn"], query);
      paint(picture.canvas, drawn);
      picture.canvas.dataset.updates = String(Number(picture.canvas.dataset.updates ?? 0) + 1);
      picture.canvas.dataset.milliseconds = (performance.now() - started).toFixed(1);
      note.textContent = `${drawn.w} × ${drawn.h} pixels, drawn in ${(performance.now() - started).toFixed(0)} ms`;
    } catch (error) { note.textContent = error.message; if (error.status === 410) context.fail(error); }
  });
  // an exported page has drawings of some places, of which the nearest is shown
  const atlas = isLive ? null : await answer([run, model, "atlas"]);
  function lookUp() {
    const { count, low, high, pictures } = atlas, height = pictures.h / (count * count);
    const [column, row] = map.place(state.code).map((v, k) =>
      Math.max(0, Math.min(count - 1, Math.round(((v - low[k]) / (high[k] - low[k] || 1)) * (count - 1)))));
    paint(picture.canvas, pictures, "grey", ((count - 1 - row) * count + column) * height, height);
    picture.canvas.dataset.updates = String(Number(picture.canvas.dataset.updates ?? 0) + 1);
    note.textContent = `The nearest of ${count} × ${count} places whose drawings are in this exported page; symae inspect draws any.`;
  }
  let rest = null;
  // small while something moves, as large as wanted once it rests
  function changed() {
    if (!isLive) return lookUp();
    draw(Math.min(state.size, space.any_resolution ? 56 : space.size));
    clearTimeout(rest);
    if (state.size <= 56) return;
    rest = setTimeout(() => {
      if (space.any_resolution) note.textContent = `Drawing ${state.size} × ${state.size} pixels …`;
      draw(state.size);
    }, 250);
  }
  context.leave.push(() => clearTimeout(rest));

  const sliders = space.names.map((name, i) => {
    const [min, max] = [space.low[i], space.high[i]];
    const field = slider(name, { min, max, step: (max - min) / 200, value: state.code[i], words: (v) => figures(v, 3) }, (v) => {
      state.code[i] = v;
      map.show();
      changed();
    });
    field.input.disabled = !isLive;
    return field;
  });
  function take(code, words) {
    state.code = code.slice();
    sliders.forEach((field, i) => field.set(state.code[i]));
    map.show();
    changed();
    say(words);
  }

  const map = new CodeMap(space, state, take);
  const axes = [["plane", `principal components (${percent(space.shares[0] + space.shares[1])} of variance)`]];
  for (let i = 0; isLive && i + 1 < space.n_latent; i += 2) axes.push([`${i},${i + 1}`, `${space.names[i]} across, ${space.names[i + 1]} up`]);
  const resolution = space.any_resolution
    ? slider("Resolution", { min: 28, max: 1024, step: 4, value: state.size, words: (v) => `${v} × ${v}` }, (v) => { state.size = v; changed(); })
    : null;
  const save = button("Download as PNG", async () => {
    note.textContent = "Drawing the file …";
    const code = state.code.map((v) => v.toPrecision(6)).join(",");
    const size = space.any_resolution ? state.size : space.size;
    try {
      const url = URL.createObjectURL(await answerBlob([run, model, "drawn.png"], { code, size }));
      const link = h("a", { href: url, download: `image_${size}x${size}.png` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
      note.textContent = `image_${size}x${size}.png is downloaded`;
    } catch (error) { note.textContent = error.message; }
  });
  save.disabled = !isLive;
  if (resolution) resolution.input.disabled = !isLive;
  panel.append(h("div", { className: "split space" },
    h("div", { className: "main" },
      h("div", { className: "tools" }, choice("Map by", axes, "plane", (value) => { state.axes = value; map.layout(); })),
      map.element,
      h("p", { className: "note" }, "Each dot is a test image, coloured by its label. Click a dot for its code, or any other place for the code that lies there.")),
    h("aside", { className: "side" },
      picture, h("div", { className: "tools" }, note, resolution, save, button("Random test image", () => {
        const i = Math.floor(Math.random() * space.codes.length);
        take(space.codes[i], `test image ${i}`);
      }))),
    h("section", { className: "below" }, h("h2", {}, "The code"), h("div", { className: "sliders" }, sliders))));
  map.start();
  context.leave.push(() => map.watcher.disconnect());
  changed();
}

class CodeMap {
  constructor(space, state, take) {
    Object.assign(this, { space, state, take });
    this.canvas = h("canvas", {
      tabindex: 0, role: "application",
      "aria-label": "Map of the test images. Arrow keys move through it and draw the code that lies there.",
      onclick: (event) => this.click(event), onkeydown: (event) => this.key(event), onpointermove: (event) => this.hover(event),
      onpointerleave: () => { this.tip.hidden = true; },
    });
    this.tip = h("div", { className: "tip", hidden: true, "aria-hidden": "true" });
    this.element = h("div", { className: "map" }, this.canvas, this.tip, this.legend());
  }

  legend() {
    if (!this.space.labels) return null;
    const found = [...new Set(this.space.labels)].sort((a, b) => a - b);
    return h("ul", { className: "digits", "aria-label": "Labels" }, found.map((digit) => {
      const dot = h("span", { className: "dot", "aria-hidden": "true" });
      dot.style.background = colourOf(digit);
      return h("li", {}, dot, String(digit));
    }));
  }

  start() {
    this.watcher = new ResizeObserver(() => this.layout());
    this.watcher.observe(this.element);
    this.layout();
  }

  // where a code stands: along the principal components, or by two of its numbers
  place(code) {
    if (this.state.axes !== "plane") return this.state.axes.split(",").map((i) => code[Number(i)]);
    const { directions, middle, n_latent: n } = this.space;
    return directions.map((d) => {
      let dot = 0, length = 0;
      for (let i = 0; i < n; i++) { dot += d[i] * (code[i] - middle[i]); length += d[i] * d[i]; }
      return length ? dot / length : 0;
    });
  }

  // the code at a place: in all other directions as the current one is
  codeAt([across, up]) {
    const code = this.state.code.slice();
    if (this.state.axes !== "plane") {
      this.state.axes.split(",").forEach((i, k) => { code[Number(i)] = [across, up][k]; });
      return code;
    }
    const now = this.place(code), { directions, n_latent: n } = this.space;
    [across - now[0], up - now[1]].forEach((by, k) => { for (let i = 0; i < n; i++) code[i] += by * directions[k][i]; });
    return code;
  }

  layout() {
    const width = this.element.clientWidth;
    if (!width) return;
    const side = Math.min(width, 640), ratio = window.devicePixelRatio || 1;
    this.side = side;
    Object.assign(this.canvas, { width: Math.round(side * ratio), height: Math.round(side * ratio) });
    this.canvas.style.width = this.canvas.style.height = `${side}px`;
    this.points = this.space.codes.map((code) => this.place(code));
    const [xs, ys] = [0, 1].map((k) => this.points.map((p) => p[k]));
    this.low = [Math.min(...xs), Math.min(...ys)];
    const spans = [Math.max(...xs) - this.low[0], Math.max(...ys) - this.low[1]];
    this.scale = spans.map((span) => (side - 28) / (span || 1));
    this.dots = null;
    this.show();
  }

  toCanvas([x, y]) { return [14 + (x - this.low[0]) * this.scale[0], this.side - 14 - (y - this.low[1]) * this.scale[1]]; }

  fromCanvas(x, y) { return [this.low[0] + (x - 14) / this.scale[0], this.low[1] + (this.side - 14 - y) / this.scale[1]]; }

  show() {
    if (!this.side) return;
    const ratio = window.devicePixelRatio || 1, pen = this.canvas.getContext("2d");
    if (!this.dots) {
      this.dots = document.createElement("canvas");
      Object.assign(this.dots, { width: this.canvas.width, height: this.canvas.height });
      const dotPen = this.dots.getContext("2d");
      dotPen.scale(ratio, ratio);
      this.points.forEach((point, i) => {
        dotPen.beginPath();
        dotPen.fillStyle = this.space.labels ? colourOf(this.space.labels[i]) : "#5f6368";
        dotPen.arc(...this.toCanvas(point), 3.4, 0, 7);
        dotPen.fill();
      });
    }
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.drawImage(this.dots, 0, 0);
    pen.scale(ratio, ratio);
    const [x, y] = this.toCanvas(this.place(this.state.code));
    for (const [width, colour] of [[5, "--paper"], [2, "--ink"]]) {
      pen.strokeStyle = getComputedStyle(this.element).getPropertyValue(colour);
      pen.lineWidth = width;
      pen.beginPath();
      pen.arc(x, y, 9, 0, 7);
      pen.stroke();
    }
  }

  nearest(x, y) {
    let best = -1, least = 64;
    this.points.forEach((point, i) => {
      const [px, py] = this.toCanvas(point), away = (px - x) ** 2 + (py - y) ** 2;
      if (away < least) { least = away; best = i; }
    });
    return best;
  }

  click(event) {
    const [x, y] = [event.offsetX, event.offsetY], i = this.nearest(x, y);
    if (i >= 0) this.take(this.space.codes[i], this.words(i));
    else this.take(this.codeAt(this.fromCanvas(x, y)), "The code at this place");
  }

  words(i) { return `test image ${i}${this.space.labels ? `, a ${this.space.labels[i]}` : ""}`; }

  hover(event) {
    const i = this.nearest(event.offsetX, event.offsetY);
    this.tip.hidden = i < 0;
    if (i < 0) return;
    this.tip.textContent = this.words(i);
    this.tip.style.left = `${Math.min(event.offsetX + 12, this.side - 130)}px`;
    this.tip.style.top = `${event.offsetY + 14}px`;
  }

  key(event) {
    const step = { ArrowLeft: [-8, 0], ArrowRight: [8, 0], ArrowUp: [0, -8], ArrowDown: [0, 8] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [x, y] = this.toCanvas(this.place(this.state.code));
    const to = [x + step[0], y + step[1]].map((v) => Math.max(4, Math.min(this.side - 4, v)));
    this.take(this.codeAt(this.fromCanvas(...to)), "Moved");
  }
}

addTab("latent", latentTab);
