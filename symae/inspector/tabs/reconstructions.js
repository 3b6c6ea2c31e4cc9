// A test image, or a drawing, on its way through the model: damaged, coded, drawn again, and what is wrong with it.
import { answer, isLive, posted, sentFile } from "./source.js";
import { paint } from "./pixels.js";
import { button, choice, empty, figures, h, newest, newId, pictured, say, slider } from "./dom.js";
import { Paper } from "./paper.js";
import { addTab } from "./tabs.js";

const STAGES = [["original", "original"], ["corrupted", "corrupted"], ["code", "code"], ["output", "reconstruction"], ["error", "error: blue too dark, orange too bright"]];
const LARGEST = 32 * 2 ** 20; // bytes of a picture, as the server takes them
const KINDS = [["zero", "pixels set to zero"], ["noise", "noise added"]];

async function reconstructionsTab(panel, context) {
  const { run, model, about } = context;
  if (!about.reconstructs) {
    panel.append(empty(`A ${about.class} draws nothing, so there are no reconstructions.`));
    return;
  }
  const [channels, height, width] = about.shape;
  const state = { source: about.examples ? "image" : "drawing", kind: about.corruption.kind, level: 0, seed: 0, centre: false, opened: null };
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
        found = await answer([run, model, "reconstruct", String(context.image)], { kind: state.kind, level: isLive || !state.level ? state.level : about.corruption.kept, seed: state.seed });
      } else {
        let text = "";
        for (const byte of paper.bytes()) text += String.fromCharCode(byte);
        const pixels = btoa(text);
        found = await posted([run, model, "draw"], { pixels, kind: state.kind, level: state.level, seed: state.seed, centre: state.centre });
      }
    } catch (error) {
      result.textContent = error.message;
      if (error.status === 410) context.fail(error);
      return;
    }
    for (const [key] of STAGES) paint(shown[key].canvas, found[key]);
    const drawn = state.source === "image" ? `Test image ${context.image}` : state.opened ?? "Your drawing";
    const code = found.code_shape.join(" × ");
    shown.code.canvas.setAttribute("aria-label", `code, ${code} numbers`);
    const milliseconds = performance.now() - started;
    result.textContent = `${drawn}: root mean square error ${figures(found.rmse)} a pixel; a code of ${code} numbers` +
      (isLive ? `; answered in ${milliseconds.toFixed(0)} ms` : "");
    row.dataset.milliseconds = milliseconds.toFixed(1);
    row.dataset.updates = String(Number(row.dataset.updates ?? 0) + 1);
    row.dataset.rmse = found.rmse;
  });

  const coloured = channels === 3;
  const paper = new Paper(width, height, coloured ? 3 : 1, () => {
    if (paper.ink.every((v) => v === 0)) state.opened = null;
    state.source = "drawing";
    gallery?.mark(null);
    update();
  });
  let gallery = null;
  const chosen = (image, pictures, number) => {
    context.image = image;
    state.source = "image";
    state.opened = null;
    paper.put(pictures, number);
    update();
  };

  // the server decodes the file with the readers of data sets, and returns what the model would see of it
  async function open(file) {
    if (!file) return;
    if (file.size > LARGEST) {
      notes.textContent = `${file.name}: found ${(file.size / 2 ** 20).toFixed(0)} MiB, expected at most ${LARGEST / 2 ** 20}`;
      return;
    }
    notes.textContent = `Opening ${file.name} …`;
    try {
      const { pixels, notes: lines } = await sentFile([run, model, "picture"], file, { fit: "crop", inverse: inverse.checked ? 1 : 0 });
      paper.put(pixels);
      state.source = "drawing";
      state.opened = file.name;
      gallery?.mark(null);
      notes.textContent = [file.name, ...lines].join(". ");
      say(`${file.name} is opened`);
      update();
    } catch (error) { notes.textContent = `${file.name}: ${error.message.replace(/^picture: /, "")}`; }
  }
  const notes = h("p", { className: "note", role: "status" });
  const files = h("input", { type: "file", accept: "image/*,.pgm,.ppm", hidden: true, "aria-label": "A picture", onchange: () => { open(files.files[0]); files.value = ""; } });
  const inverseId = newId("inverse"), inverse = h("input", { id: inverseId, type: "checkbox" });
  paper.canvas.addEventListener("dragover", (event) => event.preventDefault());
  paper.canvas.addEventListener("drop", (event) => { event.preventDefault(); open(event.dataTransfer.files[0]); });

  const centreId = newId("centre"), centre = h("input", { id: centreId, type: "checkbox", onchange: () => { state.centre = centre.checked; update(); } });
  const fixed = Number(about.corruption.kept);
  const level = slider("Corruption", isLive ? { min: 0, max: 1, step: 0.05, value: 0, words: (v) => v.toFixed(2) }
    : { min: 0, max: fixed, step: fixed, value: 0, words: (v) => v.toFixed(2) }, (v) => { state.level = v; update(); });
  const kinds = choice("Damage", KINDS, state.kind, (kind) => { state.kind = kind; update(); });
  const again = button("Other pixels", () => { state.seed += 1; update(); });
  kinds.input.disabled = again.disabled = !isLive;
  panel.append(h("div", { className: "tools", role: "group", "aria-label": "Damage" }, level, kinds, again), row, result);

  const draw = h("section", { "aria-label": "Drawing" }, h("h2", {}, "Draw or open an image"));
  if (isLive) {
    const pick_colour = coloured ? h("input", { id: newId("colour"), type: "color", value: "#ffffff", oninput: () => {
      paper.colour = [1, 3, 5].map((k) => parseInt(pick_colour.value.slice(k, k + 2), 16) / 255);
    } }) : null;
    draw.append(paper.canvas, h("div", { className: "tools" },
      button("Clear", () => paper.clear()), button("Open a picture", () => files.click()), files,
      pick_colour ? h("div", { className: "field check" }, pick_colour, h("label", { for: pick_colour.id }, "pen")) : null,
      h("div", { className: "field check" }, inverse, h("label", { for: inverseId }, "opened in inverse")),
      coloured ? null : h("div", { className: "field check" }, centre, h("label", { for: centreId }, "centred as MNIST's digits are"))), notes);
  } else draw.append(empty("Drawing needs the model at hand: symae inspect has it, this exported page has not."));
  const pick = h("section", { "aria-label": "Test images" }, h("h2", {}, "Or choose a test image"));
  panel.append(h("div", { className: "split even" }, draw, pick));
  if (about.examples) {
    try {
      const images = await answer([run, model, "images", "0"], isLive ? null : { count: about.kept_images });
      const count = images.pictures.h / images.h;
      gallery = new Gallery(images, count, (i) => chosen(i, images.pictures, i));
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
    this.chosen(i);
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
