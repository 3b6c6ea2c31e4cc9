// A canvas of as many pixels as the model sees, to draw on with a mouse, a finger, a pen, or the keys.
import { h, say } from "./dom.js";
import { bytesOf } from "./pixels.js";

const PEN = 1.25; // radius in pixels of an image of 28; larger images have a wider pen

export class Paper {
  // `channels` is 1, of grey, or 3; `changed` is called when something was drawn.
  constructor(width, height, channels, changed) {
    Object.assign(this, { width, height, channels, changed });
    this.ink = new Float32Array(width * height * channels);
    this.colour = [1, 1, 1];
    this.radius = PEN * Math.max(1, Math.max(width, height) / 28);
    this.pen = { x: width / 2, y: height / 2, down: false };
    this.canvas = h("canvas", {
      className: "paper", tabindex: 0, role: "application", width, height,
      "aria-label": "Draw here. With keys: arrows move the pen, Space sets it down or lifts it, Delete clears.",
      onpointerdown: (event) => this.begin(event), onpointermove: (event) => this.go(event),
      onpointerup: () => { this.last = null; }, onpointercancel: () => { this.last = null; },
      onkeydown: (event) => this.key(event), onfocus: () => this.show(), onblur: () => this.show(),
    });
    this.canvas.style.aspectRatio = `${width} / ${height}`;
    this.show();
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) / box.width) * this.width, y: ((event.clientY - box.top) / box.height) * this.height };
  }

  begin(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.byKeys = false;
    try { this.canvas.setPointerCapture(event.pointerId); } catch { /* a pointer that is gone already */ }
    this.last = this.at(event);
    this.stroke(this.last, this.last);
  }

  go(event) {
    if (!this.last) return;
    for (const part of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) {
      const to = this.at(part);
      this.stroke(this.last, to, false);
      this.last = to;
    }
    this.show();
    this.changed();
  }

  key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    this.byKeys = true;
    if (event.key in steps) {
      const from = { ...this.pen }, [dx, dy] = steps[event.key];
      this.pen.x = Math.max(0.5, Math.min(this.width - 0.5, this.pen.x + dx));
      this.pen.y = Math.max(0.5, Math.min(this.height - 0.5, this.pen.y + dy));
      if (this.pen.down) this.stroke(from, this.pen);
    } else if (event.key === " ") {
      this.pen.down = !this.pen.down;
      say(this.pen.down ? "Pen down" : "Pen up");
      if (this.pen.down) this.stroke(this.pen, this.pen);
    } else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else return;
    event.preventDefault();
    this.show();
  }

  stroke(from, to, tell = true) {
    const { width, height, channels, ink, radius } = this, dx = to.x - from.x, dy = to.y - from.y, length = dx * dx + dy * dy;
    const reach = radius + 1;
    for (let y = Math.max(0, Math.floor(Math.min(from.y, to.y) - reach)); y < Math.min(height, Math.max(from.y, to.y) + reach); y++) {
      for (let x = Math.max(0, Math.floor(Math.min(from.x, to.x) - reach)); x < Math.min(width, Math.max(from.x, to.x) + reach); x++) {
        const t = length ? Math.max(0, Math.min(1, ((x + 0.5 - from.x) * dx + (y + 0.5 - from.y) * dy) / length)) : 0;
        const away = Math.hypot(x + 0.5 - from.x - t * dx, y + 0.5 - from.y - t * dy), cover = Math.max(0, Math.min(1, radius + 0.5 - away));
        const k = (y * width + x) * channels;
        if (channels === 1) ink[k] = Math.max(ink[k], cover);
        else for (let c = 0; c < channels; c++) ink[k + c] += cover * (this.colour[c] - ink[k + c]);
      }
    }
    if (tell) { this.show(); this.changed(); }
  }

  clear() {
    this.ink.fill(0);
    this.pen.down = false;
    this.show();
    this.changed();
  }

  // Shows one of several pictures that stand over one another.
  put(picture, number = 0) {
    const bytes = bytesOf(picture), size = this.ink.length;
    for (let i = 0; i < size; i++) this.ink[i] = bytes[number * size + i] / 255;
    this.show();
  }

  bytes() { return Uint8Array.from(this.ink, (v) => Math.round(v * 255)); }

  show() {
    const context = this.canvas.getContext("2d"), image = context.createImageData(this.width, this.height), { data } = image;
    const bytes = this.bytes(), { channels } = this;
    for (let i = 0; i < this.width * this.height; i++) {
      for (let c = 0; c < 3; c++) data[4 * i + c] = bytes[i * channels + (channels === 3 ? c : 0)];
      data[4 * i + 3] = 255;
    }
    if (this.byKeys && document.activeElement === this.canvas) {
      const at = 4 * (Math.floor(this.pen.y) * this.width + Math.floor(this.pen.x));
      data.set(this.pen.down ? [240, 161, 58, 255] : [90, 184, 238, 255], at);
    }
    context.putImageData(image, 0, 0);
  }
}
