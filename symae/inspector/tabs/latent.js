// Codes of the test images: a map of them, which are near, those in a lasso; and what the model draws of a code.
import { answer, answerBlob, isLive } from "./source.js";
import { floatsOf, paint } from "./pixels.js";
import { button, choice, csvOf, download, empty, figures, h, newest, percent, pictured, say, slider, toggle, waiting } from "./dom.js";
import { DotMap, colourOf } from "./map.js";
import { thumbnailsOf } from "./thumbnails.js";
import { addTab } from "./tabs.js";

const SHOWN = 120, LEGEND = 30; // pictures of a selection; labels that have a button each
const SMALL = 56; // pixels that are drawn while something moves

async function latentTab(panel, context) {
  const { run, model, about } = context;
  if (!about.examples) {
    panel.append(empty("There are no test images of this model's size, so nothing is known of its codes."));
    return;
  }
  panel.append(waiting("Coding the test images …"));
  const first = about.code ?? about.mapped.at(-1), at = [run, model];
  const [labels, space] = await Promise.all([answer([...at, "labels"]), about.latent ? answer([...at, "latent"]) : null]);
  const thumbnails = thumbnailsOf(run, model);
  const state = { node: first, by: "pca", image: Math.min(context.image, about.examples.count - 1), place: null, code: null, size: 0 };
  const words = (i) => `test image ${i}${labels ? `, a ${labels[i]}` : ""}`;
  panel.replaceChildren();

  const map = new DotMap({
    label: "Map of the test images. Arrow keys move through it, plus and minus zoom.",
    choose: (i) => chooseImage(i), select: (found) => selection.take(found, "lasso"),
    goTo: null, move: null,
    fillTip: (tip, i) => {
      const canvas = h("canvas");
      tip.replaceChildren(canvas, h("span", {}, words(i)));
      thumbnails.paint(canvas, i);
    },
  });
  context.leave.push(() => map.close());
  const drawing = space?.draws ? drawingPanel(context, space, state, () => placeOf(state.code)) : null;
  const picture = drawing?.picture ?? pictured("The chosen test image", null, "drawn");
  // beside what is drawn, the test image that it is the code of
  const seen = drawing ? pictured("The chosen test image", "test image", "seen") : null;
  const near = h("ul", { className: "near" }), nearTitle = h("h2", {}, "Nearest codes");
  const note = h("p", { className: "note" });
  const status = drawing?.note ?? h("p", { className: "status", role: "status" });

  const inPlane = () => state.node === about.code && (state.by === "pca" || state.by.includes(","));
  // where a code of few numbers stands: along the principal components, or by two of its numbers
  function placeOf(code) {
    if (!space?.few || !code) return null;
    if (state.by !== "pca") return state.by.split(",").map((i) => code[Number(i)]);
    return space.directions.map((d) => {
      let dot = 0, length = 0;
      for (let i = 0; i < space.n_latent; i++) { dot += d[i] * (code[i] - space.middle[i]); length += d[i] * d[i]; }
      return length ? dot / length : 0;
    });
  }
  // the code at a place: in all other directions as the current one is
  function codeAt(place) {
    const code = state.code.slice();
    if (state.by !== "pca") {
      state.by.split(",").forEach((i, k) => { code[Number(i)] = place[k]; });
      return code;
    }
    const now = placeOf(code);
    place.forEach((v, k) => { for (let i = 0; i < space.n_latent; i++) code[i] += (v - now[k]) * space.directions[k][i]; });
    return code;
  }
  const dotAt = (i) => [map.points[2 * i], map.points[2 * i + 1]];
  function marker() {
    if (space?.few && inPlane()) map.mark(placeOf(state.code));
    else if (state.image !== null) map.mark(dotAt(state.image));
    else map.mark(inPlane() ? state.place : null);
  }

  function chooseImage(i) {
    context.image = state.image = i;
    state.place = null;
    if (space?.few) take(space.codes[i], words(i), true);
    else if (drawing) drawing.changed();
    if (seen) {
      thumbnails.paint(seen.canvas, i);
      seen.canvas.setAttribute("aria-label", words(i));
      seen.hidden = false;
    } else {
      thumbnails.paint(picture.canvas, i);
      picture.canvas.setAttribute("aria-label", words(i));
      status.textContent = words(i);
    }
    marker();
    neighbours();
    say(words(i));
  }
  function take(code, said, ofImage = false) {
    state.code = code.slice();
    if (!ofImage) state.image = null;
    drawing.sliders.forEach((field, i) => field.set(state.code[i]));
    marker();
    drawing.changed();
    if (!ofImage) neighbours();
    say(said);
  }
  function goTo(place) {
    if (space.few) return take(codeAt(place), "The code at this place");
    state.image = null;
    state.place = place;
    marker();
    neighbours();
    drawing.changed();
    return say("The code at this place");
  }

  const neighbours = newest(async () => {
    const i = state.image;
    nearTitle.textContent = i === null ? "Nearest codes" : `Nearest to ${words(i)}, by ${state.node}`;
    if (i === null) {
      if (seen) seen.hidden = true;
      near.replaceChildren(h("li", { className: "note" }, "Choose a dot to see the test images whose codes are nearest to its own."));
      return;
    }
    try {
      const { images, distances } = await answer([...at, "neighbours", state.node, String(i)]);
      near.replaceChildren(...images.map((k, n) => thumbnail(k, `distance ${figures(distances[n], 2)}`)));
    } catch (error) { near.replaceChildren(h("li", { className: "note" }, error.message)); }
  });
  function thumbnail(i, caption) {
    const canvas = h("canvas", { "aria-hidden": "true" });
    thumbnails.paint(canvas, i);
    return h("li", {}, h("button", { type: "button", title: words(i), "aria-label": `${words(i)}${caption ? `, ${caption}` : ""}`, onclick: () => chooseImage(i) }, canvas,
      caption ? h("span", { className: "caption" }, caption.replace("distance ", "")) : null));
  }

  const selection = new Selection(labels, about, map, thumbnail);
  const axisOf = (value) => value.split(",").map(Number);
  async function lay() {
    const plane = inPlane() && Boolean(drawing) && isLive;
    map.goTo = drawing && inPlane() ? goTo : null;
    map.move = space?.few && drawing && inPlane() ? goTo : null;
    if (state.by.includes(",")) {
      const [a, b] = axisOf(state.by);
      map.show(Float32Array.from(space.codes.flatMap((code) => [code[a], code[b]])), labels);
      note.textContent = "";
    } else {
      note.textContent = state.by === "pca" ? "Laying the codes out …" : "Laying the codes out; of many that takes a minute the first time …";
      const wanted = `${state.node} ${state.by}`;
      try {
        const found = await answer([...at, "map", state.node, state.by]);
        if (wanted !== `${state.node} ${state.by}`) return;
        map.show(floatsOf(found.places), labels);
        note.textContent = `${found.count} test images; ${found.note}. `;
      } catch (error) {
        if (wanted !== `${state.node} ${state.by}`) return;
        map.mark(null);
        map.show(new Float32Array(0), null); // the dots that are there lie by another method
        note.textContent = error.message;
        return;
      }
    }
    note.textContent += plane ? "Click a dot for its code, or any other place for the code that lies there." : "Click a dot for its picture.";
    marker();
  }
  function ways() {
    const found = about.methods.filter((m) => m.installed && (isLive || m.name === "pca")).map((m) => [m.name, m.title]);
    if (space?.few && isLive && state.node === about.code) {
      for (let i = 0; i + 1 < space.n_latent; i += 2) found.push([`${i},${i + 1}`, `${space.names[i]} across, ${space.names[i + 1]} up`]);
    }
    return found;
  }
  const method = h("div");
  function methods() {
    const options = ways();
    if (!options.some(([key]) => key === state.by)) state.by = "pca";
    method.replaceChildren(choice("Laid out by", options, state.by, (by) => { state.by = by; lay(); }));
  }
  methods();
  const nodes = isLive && about.mapped.length > 1
    ? choice("Map of", about.mapped.map((name) => [name, name === about.code ? `${name} (the code)` : name]), state.node, (node) => { state.node = node; methods(); lay().then(neighbours); })
    : null;
  const missing = about.methods.filter((m) => !m.installed);
  const more = isLive && missing.length ? h("p", { className: "note" }, `With ${missing.map((m) => m.package).join(" or ")} installed, also laid out by ${missing.map((m) => m.title).join(" or ")}.`) : null;
  const random = button("Random test image", () => chooseImage(Math.floor(Math.random() * about.examples.count)));
  panel.append(h("div", { className: "split space" },
    h("div", { className: "main" },
      h("div", { className: "tools" }, nodes, method, map.tools), map.element, selection.legend, note, more),
    h("aside", { className: "side", "aria-label": "The chosen code" }, picture, h("div", { className: "tools" }, status, seen, ...(drawing?.tools ?? []), random)),
    h("section", { className: "below" }, nearTitle, near, selection.element,
      ...(space?.few && drawing ? [h("h2", {}, "The code"), h("div", { className: "sliders" }, drawing.sliders)] : []))));
  map.layout();
  if (drawing) drawing.onslide = () => { state.image = null; marker(); neighbours(); };
  await lay();
  chooseImage(state.image);
}

// What the model draws of a code, with its sliders and its files.
function drawingPanel(context, space, state, placeOf) {
  const { run, model } = context;
  const picture = pictured("What the model draws of this code", null, "drawn"), note = h("p", { className: "status", role: "status" });
  state.size = space.any_resolution ? 112 : space.size;
  if (space.few) state.code = space.codes[0].slice();
  const asked = () => {
    if (space.few) return { code: state.code.map((v) => v.toPrecision(6)).join(",") };
    return state.image === null ? { at: state.place.map((v) => v.toPrecision(6)).join(",") } : { image: state.image };
  };
  const painted = () => { picture.canvas.dataset.updates = String(Number(picture.canvas.dataset.updates ?? 0) + 1); };
  const draw = newest(async (size) => {
    const query = space.any_resolution ? { ...asked(), size } : asked();
    const started = performance.now();
    try {
      const drawn = await answer([run, model, "drawn"], query);
      paint(picture.canvas, drawn);
      painted();
      picture.canvas.dataset.milliseconds = (performance.now() - started).toFixed(1);
      note.textContent = `${drawn.w} × ${drawn.h} pixels, drawn in ${(performance.now() - started).toFixed(0)} ms`;
    } catch (error) { note.textContent = error.message; if (error.status === 410) context.fail(error); }
  });
  // an exported page has drawings of some places, of which the nearest is shown
  let atlas = null;
  async function lookUp() {
    atlas ??= await answer([run, model, "atlas"]);
    const { count, low, high, pictures } = atlas, height = pictures.h / (count * count), place = space.few ? placeOf() : state.place;
    if (!place) return;
    const [column, row] = place.map((v, k) => Math.max(0, Math.min(count - 1, Math.round(((v - low[k]) / (high[k] - low[k] || 1)) * (count - 1)))));
    paint(picture.canvas, pictures, "grey", ((count - 1 - row) * count + column) * height, height);
    painted();
    note.textContent = `The nearest of ${count} × ${count} places whose drawings are in this exported page; symae inspect draws any.`;
  }
  let rest = null;
  // small while something moves, as large as wanted once it rests
  function changed() {
    if (!isLive) { lookUp().catch((error) => { note.textContent = error.message; }); return; }
    draw(Math.min(state.size, space.any_resolution ? SMALL : space.size));
    clearTimeout(rest);
    if (!space.any_resolution || state.size <= SMALL) return;
    rest = setTimeout(() => {
      note.textContent = `Drawing ${state.size} × ${state.size} pixels …`;
      draw(state.size);
    }, 250);
  }
  context.leave.push(() => clearTimeout(rest));
  const found = { picture, note, changed, onslide: () => {} };
  found.sliders = !space.few ? [] : space.names.map((name, i) => {
    const [min, max] = [space.low[i], space.high[i]];
    const field = slider(name, { min, max, step: (max - min) / 200, value: state.code[i], words: (v) => figures(v, 3) }, (v) => {
      state.code[i] = v;
      found.onslide();
      changed();
    });
    field.input.disabled = !isLive;
    return field;
  });
  const resolution = space.any_resolution
    ? slider("Resolution", { min: 28, max: 1024, step: 4, value: state.size, words: (v) => `${v} × ${v}` }, (v) => { state.size = v; changed(); })
    : null;
  if (resolution) resolution.input.disabled = !isLive;
  const save = button("Download as PNG", async () => {
    note.textContent = "Drawing the file …";
    try {
      const blob = await answerBlob([run, model, "drawn.png"], { ...asked(), size: state.size });
      download(blob, `image_${state.size}x${state.size}.png`);
      note.textContent = `image_${state.size}x${state.size}.png is downloaded`;
    } catch (error) { note.textContent = error.message; }
  });
  save.disabled = !isLive;
  found.tools = [resolution, save];
  return found;
}

// The images that a lasso or a label has selected.
class Selection {
  constructor(labels, about, map, thumbnail) {
    Object.assign(this, { labels, about, map, thumbnail });
    this.images = [];
    this.list = h("ul", { className: "near" });
    this.title = h("h2", {}, "Selected");
    this.words = h("p", { className: "note", role: "status" });
    this.element = h("section", { hidden: true, "aria-label": "Selected images" }, this.title, this.words, this.list,
      h("div", { className: "buttons" }, button("Download CSV", () => this.save()), button("Clear the selection", () => this.take([], "clear"))));
    this.buttons = new Map();
    this.legend = this.makeLegend();
  }

  makeLegend() {
    if (!this.labels) return null;
    const found = [...new Set(this.labels)].sort((a, b) => a - b);
    const items = found.slice(0, LEGEND).map((label) => {
      const dot = h("span", { className: "dot", "aria-hidden": "true" });
      dot.style.background = colourOf(label);
      const press = toggle([dot, String(label)], false, () => this.byLabels(), { "aria-label": `Select the images of label ${label}` });
      this.buttons.set(label, press);
      return h("li", {}, press);
    });
    if (found.length > LEGEND) items.push(h("li", { className: "note" }, `and ${found.length - LEGEND} more labels`));
    return h("ul", { className: "labels", "aria-label": "Labels" }, items);
  }

  byLabels() {
    const wanted = new Set([...this.buttons].filter(([, press]) => press.getAttribute("aria-pressed") === "true").map(([label]) => label));
    this.take(this.labels.flatMap((label, i) => (wanted.has(label) ? [i] : [])), "labels");
  }

  take(images, how) {
    this.images = images;
    if (how !== "labels") for (const press of this.buttons.values()) press.press(false, false);
    this.map.setSelected(images.length ? new Set(images) : null);
    this.element.hidden = !images.length;
    this.element.dataset.count = String(images.length);
    this.title.textContent = `${images.length} selected`;
    const counts = new Map();
    if (this.labels) for (const i of images) counts.set(this.labels[i], (counts.get(this.labels[i]) ?? 0) + 1);
    const of = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 12).map(([label, n]) => `${n} of label ${label} (${percent(n / images.length)})`);
    const part = images.length > SHOWN ? ` The first ${SHOWN} are shown.` : "";
    this.words.textContent = `${of.join(", ")}${of.length ? "." : ""}${part}`;
    this.list.replaceChildren(...images.slice(0, SHOWN).map((i) => this.thumbnail(i, "")));
    if (images.length) say(`${images.length} selected`);
    else if (how === "lasso") say("Nothing is in the lasso");
  }

  save() {
    const rows = [["test image", "label", "x", "y"]];
    for (const i of this.images) rows.push([i, this.labels ? this.labels[i] : "", this.map.points[2 * i], this.map.points[2 * i + 1]]);
    download(csvOf(rows), "selected.csv");
  }
}

addTab("latent", latentTab);
