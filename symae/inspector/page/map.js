// A map of dots on a canvas: zoomed, moved, chosen by a click, and several at once by a lasso.
import { button, h, toggle } from "./dom.js";

// those of symae.images.code_map, darker where white paper needs it
const DIGITS = ["#4e79a7", "#f28e2b", "#d1484a", "#76b7b2", "#59a14f", "#d9b300", "#b07aa1", "#ff8fa3", "#8c6239", "#7f7f7f"];
// labels beyond these get hues as far apart as the golden ratio puts them
export const colourOf = (label) => DIGITS[label] ?? `hsl(${Math.round(label * 222.492) % 360} 60% 45%)`;
const channels = new Map();
// The red, green and blue of a colour of CSS.
function rgbOf(colour) {
  if (!channels.has(colour)) {
    const pen = document.createElement("canvas").getContext("2d");
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    channels.set(colour, pen.getImageData(0, 0, 1, 1).data.slice(0, 3));
  }
  return channels.get(colour);
}

const PLAIN = "#5f6368", EDGE = 14, REACH = 9, LARGEST = 640, DEEPEST = 60, CLICK = 4;

export class DotMap {
  // `choose` gets the number of a dot, `goTo` a place where none is, `select` the dots in a lasso, `fillTip` an element for a dot.
  constructor({ label, choose, goTo, select, fillTip, move }) {
    Object.assign(this, { choose, goTo, select, fillTip, move });
    this.points = new Float32Array(0);
    this.labels = null;
    this.selected = null;
    this.marked = null;
    this.view = { zoom: 1, x: 0, y: 0 };
    this.canvas = h("canvas", {
      tabindex: 0, role: "application", "aria-label": label,
      onpointerdown: (event) => this.down(event), onpointermove: (event) => this.over(event), onpointerup: (event) => this.up(event),
      onpointercancel: () => { this.drag = null; this.draw(); }, onpointerleave: () => this.hideTip(),
      onkeydown: (event) => this.key(event), onwheel: (event) => this.wheel(event),
    });
    this.tip = h("div", { className: "tip", hidden: true, "aria-hidden": "true" });
    this.lasso = toggle("Lasso", false, (on) => { this.canvas.style.cursor = on ? "crosshair" : ""; this.touches(); }, { title: "Draw round dots to select them; with Shift pressed at any time" });
    this.tools = h("div", { className: "buttons", role: "group", "aria-label": "Map" },
      this.lasso, button("+", () => this.zoomBy(1.6), { "aria-label": "Zoom in" }), button("−", () => this.zoomBy(1 / 1.6), { "aria-label": "Zoom out" }),
      button("Whole map", () => this.whole()));
    this.element = h("div", { className: "map" }, this.canvas, this.tip);
    this.watcher = new ResizeObserver(() => this.layout());
    this.watcher.observe(this.element);
  }

  close() { this.watcher.disconnect(); }

  // Places are pairs of numbers in one array.
  show(points, labels) {
    Object.assign(this, { points, labels, count: points.length / 2 });
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < points.length; i += 2) {
      x0 = Math.min(x0, points[i]); x1 = Math.max(x1, points[i]);
      y0 = Math.min(y0, points[i + 1]); y1 = Math.max(y1, points[i + 1]);
    }
    this.low = [x0, y0];
    this.span = [x1 - x0 || 1, y1 - y0 || 1];
    this.whole();
  }

  layout() {
    const width = this.element.clientWidth;
    if (!width) return;
    const ratio = window.devicePixelRatio || 1;
    this.side = Math.min(width, LARGEST);
    Object.assign(this.canvas, { width: Math.round(this.side * ratio), height: Math.round(this.side * ratio) });
    this.canvas.style.width = this.canvas.style.height = `${this.side}px`;
    this.draw();
  }

  whole() {
    this.view = { zoom: 1, x: 0, y: 0 };
    this.touches();
    this.draw();
  }

  // a finger that moves over the whole map scrolls the page
  touches() { this.canvas.style.touchAction = this.view.zoom > 1 || this.lasso.getAttribute("aria-pressed") === "true" ? "none" : "pan-y"; }

  zoomBy(factor, x = this.side / 2, y = this.side / 2) {
    const zoom = Math.max(1, Math.min(DEEPEST, this.view.zoom * factor)), by = zoom / this.view.zoom;
    this.view = { zoom, x: x - (x - this.view.x) * by, y: y - (y - this.view.y) * by };
    this.keepIn();
  }

  keepIn() {
    const least = this.side * (1 - this.view.zoom);
    this.view.x = Math.max(least, Math.min(0, this.view.x));
    this.view.y = Math.max(least, Math.min(0, this.view.y));
    this.touches();
    this.draw();
  }

  toCanvas(x, y) {
    const room = this.side - 2 * EDGE, { zoom } = this.view;
    return [this.view.x + zoom * (EDGE + ((x - this.low[0]) / this.span[0]) * room),
      this.view.y + zoom * (this.side - EDGE - ((y - this.low[1]) / this.span[1]) * room)];
  }

  fromCanvas(x, y) {
    const room = this.side - 2 * EDGE, { zoom } = this.view;
    return [this.low[0] + (((x - this.view.x) / zoom - EDGE) / room) * this.span[0],
      this.low[1] + ((this.side - EDGE - (y - this.view.y) / zoom) / room) * this.span[1]];
  }

  mark(place) { this.marked = place; this.draw(); }

  setSelected(chosen) { this.selected = chosen; this.draw(); }

  draw() {
    if (this.frame || !this.side) return;
    this.frame = requestAnimationFrame(() => { this.frame = null; this.drawNow(); });
  }

  // How much of each pixel a dot of that radius covers, from its middle on; pixels are the screen's.
  stamp(radius) {
    if (this.stamped?.radius !== radius) {
      const reach = Math.ceil(radius + 1), side = 2 * reach + 1, cover = new Float32Array(side * side);
      for (let y = -reach; y <= reach; y++) {
        for (let x = -reach; x <= reach; x++) cover[(y + reach) * side + x + reach] = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(x, y)));
      }
      this.stamped = { radius, reach, side, cover };
    }
    return this.stamped;
  }

  // Dots are written pixel by pixel: of ten thousand, that takes a fifth of the time of as many calls to draw.
  dots(pen, ratio) {
    const { width, height } = this.canvas, image = pen.createImageData(width, height), { data } = image;
    const crowd = Math.max(0.45, Math.min(1, 40 / Math.sqrt(this.count)));
    const { reach, side, cover } = this.stamp(ratio * Math.min(6, 3.4 * crowd * Math.sqrt(this.view.zoom)));
    for (const chosen of this.selected ? [false, true] : [true]) {
      const opacity = chosen ? 1 : 0.18;
      for (let i = 0; i < this.count; i++) {
        if (this.selected && this.selected.has(i) !== chosen) continue;
        const [left, top] = this.toCanvas(this.points[2 * i], this.points[2 * i + 1]), x0 = Math.round(left * ratio), y0 = Math.round(top * ratio);
        if (x0 < -reach || y0 < -reach || x0 >= width + reach || y0 >= height + reach) continue;
        const [red, green, blue] = this.labels ? rgbOf(colourOf(this.labels[i])) : rgbOf(PLAIN);
        for (let y = Math.max(0, y0 - reach); y <= Math.min(height - 1, y0 + reach); y++) {
          for (let x = Math.max(0, x0 - reach); x <= Math.min(width - 1, x0 + reach); x++) {
            const a = opacity * cover[(y - y0 + reach) * side + x - x0 + reach];
            if (!a) continue;
            const at = 4 * (y * width + x), below = (data[at + 3] / 255) * (1 - a), whole = a + below;
            data[at] = (red * a + data[at] * below) / whole;
            data[at + 1] = (green * a + data[at + 1] * below) / whole;
            data[at + 2] = (blue * a + data[at + 2] * below) / whole;
            data[at + 3] = 255 * whole;
          }
        }
      }
    }
    pen.putImageData(image, 0, 0);
  }

  drawNow() {
    const started = performance.now(), ratio = window.devicePixelRatio || 1, pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.count) this.dots(pen, ratio);
    pen.scale(ratio, ratio);
    const style = getComputedStyle(this.element);
    if (this.marked) {
      const [x, y] = this.toCanvas(...this.marked);
      for (const [width, colour] of [[5, "--paper"], [2, "--ink"]]) {
        pen.strokeStyle = style.getPropertyValue(colour);
        pen.lineWidth = width;
        pen.beginPath();
        pen.arc(x, y, 9, 0, 7);
        pen.stroke();
      }
    }
    if (this.drag?.path) {
      pen.strokeStyle = style.getPropertyValue("--series1");
      pen.lineWidth = 1.5;
      pen.setLineDash([5, 4]);
      pen.beginPath();
      this.drag.path.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.closePath();
      pen.stroke();
      pen.setLineDash([]);
    }
    this.canvas.dataset.drawn = String(Number(this.canvas.dataset.drawn ?? 0) + 1);
    this.canvas.dataset.milliseconds = (performance.now() - started).toFixed(2);
  }

  nearest(x, y, reach = REACH) {
    let best = -1, least = reach * reach;
    for (let i = 0; i < this.count; i++) {
      const [px, py] = this.toCanvas(this.points[2 * i], this.points[2 * i + 1]), away = (px - x) ** 2 + (py - y) ** 2;
      if (away < least) { least = away; best = i; }
    }
    return best;
  }

  down(event) {
    if (event.button !== 0 || !this.count) return;
    this.canvas.focus({ preventScroll: true });
    const lasso = event.shiftKey || this.lasso.getAttribute("aria-pressed") === "true";
    this.drag = { x: event.offsetX, y: event.offsetY, from: { ...this.view }, moved: false, path: lasso ? [[event.offsetX, event.offsetY]] : null };
    try { this.canvas.setPointerCapture(event.pointerId); } catch { /* a pointer that is gone already */ }
  }

  over(event) {
    const { drag } = this, [x, y] = [event.offsetX, event.offsetY];
    if (!drag) return this.hover(x, y);
    if (!drag.moved && Math.hypot(x - drag.x, y - drag.y) < CLICK) return undefined;
    drag.moved = true;
    this.hideTip();
    if (drag.path) {
      drag.path.push([x, y]);
      return this.draw();
    }
    Object.assign(this.view, { x: drag.from.x + x - drag.x, y: drag.from.y + y - drag.y });
    return this.keepIn();
  }

  up(event) {
    const { drag } = this, [x, y] = [event.offsetX, event.offsetY];
    this.drag = null;
    if (!drag) return;
    if (drag.moved) {
      if (drag.path) this.select(this.inside(drag.path));
      this.draw();
      return;
    }
    const i = this.nearest(x, y);
    if (i >= 0) this.choose(i);
    else if (this.goTo) this.goTo(this.fromCanvas(x, y));
    else {
      const far = this.nearest(x, y, Infinity);
      if (far >= 0) this.choose(far);
    }
  }

  // the dots in a closed path: a line to the right of each crosses it an odd number of times
  inside(path) {
    const found = [];
    for (let i = 0; i < this.count; i++) {
      const [x, y] = this.toCanvas(this.points[2 * i], this.points[2 * i + 1]);
      let odd = false;
      for (let a = 0, b = path.length - 1; a < path.length; b = a++) {
        const [ax, ay] = path[a], [bx, by] = path[b];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
      }
      if (odd) found.push(i);
    }
    return found;
  }

  hover(x, y) {
    const i = this.nearest(x, y);
    if (i < 0) return this.hideTip();
    if (this.hovered !== i) {
      this.hovered = i;
      this.fillTip(this.tip, i);
    }
    this.tip.hidden = false;
    const [px, py] = this.toCanvas(this.points[2 * i], this.points[2 * i + 1]);
    this.tip.style.left = `${Math.max(0, Math.min(px + 14, this.side - this.tip.offsetWidth - 4))}px`;
    this.tip.style.top = `${py + 16 + this.tip.offsetHeight > this.side ? py - 14 - this.tip.offsetHeight : py + 16}px`;
    return undefined;
  }

  hideTip() {
    this.tip.hidden = true;
    this.hovered = null;
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== this.canvas) return; // it scrolls the page
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
  }

  key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in steps && this.count) this.step(steps[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoomBy(1.6);
    else if (event.key === "-") this.zoomBy(1 / 1.6);
    else if (event.key === "0") this.whole();
    else return;
    event.preventDefault();
  }

  step([dx, dy]) {
    const [x, y] = this.marked ? this.toCanvas(...this.marked) : [this.side / 2, this.side / 2];
    if (this.move) {
      this.move(this.fromCanvas(...[x + 8 * dx, y + 8 * dy].map((v) => Math.max(4, Math.min(this.side - 4, v)))));
      return;
    }
    let best = -1, least = Infinity; // the nearest dot in that direction
    for (let i = 0; i < this.count; i++) {
      const [px, py] = this.toCanvas(this.points[2 * i], this.points[2 * i + 1]);
      const along = (px - x) * dx + (py - y) * dy, aside = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      if (along > 0.5 && along + 3 * aside < least) { least = along + 3 * aside; best = i; }
    }
    if (best >= 0) this.choose(best);
  }
}
