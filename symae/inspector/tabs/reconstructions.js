// A test image, or a drawing, on its way through the model: damaged, coded, drawn again, and what is wrong with it.
import { answer, isLive, posted } from "./source.js";
import { bytesOf, paint } from "./pixels.js";
import { button, choice, empty, figures, h, newest, newId, pictured, say, slider } from "./dom.js";
import { addTab } from "./tabs.js";

const STAGES = [["original", "original"], ["corrupted", "corrupted"], ["code", "code"], ["output", "reconstruction"], ["error", "error: blue too dark, orange too bright"]];
const KINDS = [["zero", "pixels set to zero"], ["noise", "noise added"]];
const PEN = 1.25; // radius in pixels of the image

// A canvas of as many pixels as the model sees, to draw on with a mouse, a finger, a pen, or the keys.
class Paper {
  constructor(width, height, changed) {
    Object.assign(this, { width, height, changed });
    this.ink = new Float32Array(width * height);
    this.pen = { x: width / 2, y: height / 2, down: false };
    this.canvas = h("canvas", {
      className: "paper", tabindex: 0, role: "application", width, height,
      "aria-label": "Draw here. With keys: arrows move the pen, Space sets it down or lifts it, Delete clears.",
      onpointerdown: (event) => this.begin(event), onpointermove: (event) => this.go(event),
      onpointerup: () => { this.last = null; }, onpointercancel: () => { this.last = null; },
      onkeydown: (event) => this.key(event), onfocus: () => this.show(), onblur: () => this.show(),
    });
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
    const { width, height, ink } = this, dx = to.x - from.x, dy = to.y - from.y, length = dx * dx + dy * dy;
    const reach = PEN + 1;
    for (let y = Math.max(0, Math.floor(Math.min(from.y, to.y) - reach)); y < Math.min(height, Math.max(from.y, to.y) + reach); y++) {
      for (let x = Math.max(0, Math.floor(Math.min(from.x, to.x) - reach)); x < Math.min(width, Math.max(from.x, to.x) + reach); x++) {
        const t = length ? Math.max(0, Math.min(1, ((x + 0.5 - from.x) * dx + (y + 0.5 - from.y) * dy) / length)) : 0;
        const away = Math.hypot(x + 0.5 - from.x - t * dx, y + 0.5 - from.y - t * dy);
        ink[y * width + x] = Math.max(ink[y * width + x], Math.max(0, Math.min(1, PEN + 0.5 - away)));
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

  put(bytes) {
    for (let i = 0; i < this.ink.length; i++) this.ink[i] = bytes[i] / 255;
    this.show();
  }

  bytes() { return Uint8Array.from(this.ink, (v) => Math.round(v * 255)); }

  show() {
    const context = this.canvas.getContext("2d"), image = context.createImageData(this.width, this.height);
    this.bytes().forEach((v, i) => image.data.set([v, v, v, 255], 4 * i));
    if (this.byKeys && document.activeElement === this.canvas) {
      const at = 4 * (Math.floor(this.pen.y) * this.width + Math.floor(this.pen.x));
      image.data.set(this.pen.down ? [240, 161, 58, 255] : [90, 184, 238, 255], at);
    }
    context.putImageData(image, 0, 0);
  }
}

async function reconstructionsTab(panel, context) {
  const { run, model, about } = context;
  if (!about.reconstructs) {
    panel.append(empty(`A ${about.class} draws nothing, so there are no reconstructions.`));
    return;
  }
  const [channels, height, width] = about.shape;
  const state = { source: about.examples ? "image" : "drawing", kind: about.corruption.kind, level: 0, seed: 0, centre: false };
  const shown = {}, row = h("div", { className: "stages" });
  for (const [key, words] of STAGES) {
    shown[key] = pictured(words, words, "stage");
    row.append(shown[key]);
  }
  const result = h("p", { className: "status", role: "status" });

  const update = newest(async () => {
    const started = performance.now();
    let found;
    try {
      if (state.source === "image") {
        found = await answer([run, model, "reconstruct", String(context.image)], { kind: state.kind, level: state.level, seed: state.seed });
      } else {
        const pixels = btoa(Array.from(paper.bytes(), (byte) => String.fromCharCode(byte)).join(""));
        found = await posted([run, model, "draw"], { pixels, kind: state.kind, level: state.level, seed: state.seed, centre: state.centre });
      }
    } catch (error) {
      result.textContent = error.message;
      if (error.status === 410) context.fail(error);
      return;
    }
    for (const [key] of STAGES) paint(shown[key].canvas, found[key]);
    const drawn = state.source === "image" ? `Test image ${context.image}` : "Your drawing";
    const code = found.code_shape.join(" × ");
    shown.code.canvas.setAttribute("aria-label", `code, ${code} numbers`);
    const milliseconds = performance.now() - started;
    result.textContent = `${drawn}: root mean square error ${figures(found.rmse)} a pixel; a code of ${code} numbers` +
      (isLive ? `; answered in ${milliseconds.toFixed(0)} ms` : "");
    row.dataset.milliseconds = milliseconds.toFixed(1);
    row.dataset.updates = String(Number(row.dataset.updates ?? 0) + 1);
    row.dataset.rmse = found.rmse;
  });

  const paper = new Paper(width, height, () => { state.source = "drawing"; gallery?.mark(null); update(); });
  let gallery = null;
  const chosen = (image, bytes) => {
    context.image = image;
    state.source = "image";
    if (channels === 1) paper.put(bytes);
    else paper.put(new Uint8Array(width * height));
    update();
  };

  const centreId = newId("centre"), centre = h("input", { id: centreId, type: "checkbox", onchange: () => { state.centre = centre.checked; update(); } });
  const fixed = about.corruption.level || 0.3;
  const level = slider("Corruption", isLive ? { min: 0, max: 1, step: 0.05, value: 0, words: (v) => v.toFixed(2) }
    : { min: 0, max: fixed, step: fixed, value: 0, words: (v) => v.toFixed(2) }, (v) => { state.level = v; update(); });
  const kinds = choice("Damage", KINDS, state.kind, (kind) => { state.kind = kind; update(); });
  const again = button("Other pixels", () => { state.seed += 1; update(); });
  kinds.input.disabled = again.disabled = !isLive;
  panel.append(h("div", { className: "tools", role: "group", "aria-label": "Damage" }, level, kinds, again), row, result);

  const draw = h("section", { "aria-label": "Drawing" }, h("h2", {}, "Draw an image"));
  if (isLive) {
    draw.append(paper.canvas, h("div", { className: "tools" },
      button("Clear", () => paper.clear()),
      h("div", { className: "field check" }, centre, h("label", { for: centreId }, "centred as MNIST's digits are"))));
  } else draw.append(empty("Drawing needs the model at hand: symae inspect has it, this exported page has not."));
  const pick = h("section", { "aria-label": "Test images" }, h("h2", {}, "Or choose a test image"));
  panel.append(h("div", { className: "split even" }, draw, pick));
  if (about.examples) {
    try {
      const images = await answer([run, model, "images", "0"]);
      const count = isLive ? images.pictures.h / images.h : Math.min(20, images.pictures.h / images.h);
      gallery = new Gallery(images, count, chosen);
      pick.append(gallery.element, h("p", { className: "note" }, `${count} of ${about.examples.name}.`));
      gallery.choose(Math.min(context.image, count - 1));
    } catch (error) { pick.append(empty(error.message)); }
  } else {
    pick.append(empty(about.examples_problem ?? "There are no test images of this model's size."));
    update();
  }
}

// Small pictures in rows, one of which is chosen by a click or the arrow keys.
class Gallery {
  constructor(images, count, chosen) {
    Object.assign(this, { images, count, chosen });
    this.items = [];
    this.element = h("div", { className: "gallery", role: "radiogroup", "aria-label": "Test images", onkeydown: (event) => this.key(event) });
    for (let i = 0; i < count; i++) {
      const canvas = h("canvas", { "aria-hidden": "true" });
      paint(canvas, images.pictures, "grey", i * images.h, images.h);
      const label = images.labels ? `test image ${i}, a ${images.labels[i]}` : `test image ${i}`;
      const item = h("button", { type: "button", role: "radio", "aria-label": label, "aria-checked": "false", tabindex: -1, onclick: () => this.choose(i) }, canvas);
      this.items.push(item);
      this.element.append(item);
    }
  }

  mark(i) {
    this.items.forEach((item, k) => {
      item.setAttribute("aria-checked", String(k === i));
      item.tabIndex = k === (i ?? this.at ?? 0) ? 0 : -1;
    });
  }

  choose(i) {
    this.at = i;
    this.mark(i);
    const size = this.images.h * this.images.w * (this.images.pictures.channels ?? 1);
    this.chosen(i, bytesOf(this.images.pictures).subarray(i * size, (i + 1) * size));
  }

  key(event) {
    const columns = Math.max(1, Math.round(this.element.clientWidth / (this.items[0].offsetWidth + 4)));
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(this.count - 1, (this.at ?? 0) + step));
    this.choose(next);
    this.items[next].focus();
  }
}

addTab("reconstructions", reconstructionsTab);
