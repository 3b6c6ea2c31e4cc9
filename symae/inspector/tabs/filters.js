// All filters of a layer on one canvas, of which only what is in view is drawn; beside it the unit that is chosen.
import { answer, answerBlob } from "./source.js";
import { COLOUR_NAMES, colouredSprite, greysOf } from "./pixels.js";
import { choice, empty, figures, h, newId, percent, say, slider, waiting } from "./dom.js";
import { featureMaps } from "./nodes.js";
import { unitPanel } from "./unit.js";
import { addTab } from "./tabs.js";

const SORTS = [["index", "number"], ["norm", "norm of the weights"], ["active", "how often active"], ["similarity", "similarity"]];
const SCALES = [["each", "each by itself"], ["zero", "each, zero in the middle"], ["common", "one scale for all"]];
const TILE_GAP = 3, SMALLEST_TILE = 32, LARGEST_TILE = 112;
const looks = { scaling: "each", colours: "grey", sort: "index", tile: null };

class Tiles {
  // `choose` is called with the number of a unit, `fail` with the error of pictures that cannot be had.
  constructor(filters, loadSprite, words, choose, fail) {
    Object.assign(this, { filters, loadSprite, words, choose, fail });
    this.order = filters.norms.map((_, i) => i);
    this.sprites = new Map();
    this.coloured = new Map();
    this.cursor = 0;
    this.selected = null;
    this.tile = looks.tile;
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.sizer = h("div", { className: "sizer" }, this.canvas);
    // two of them in turn, so that each move is a new active descendant, which is read out
    this.options = [0, 1].map(() => h("div", { role: "option", id: newId("tile"), className: "hidden", "aria-selected": "false", "aria-setsize": this.order.length, "aria-posinset": 1 }, words(0)));
    this.tip = h("div", { className: "tip", hidden: true, "aria-hidden": "true" });
    this.scroller = h("div", {
      className: "tiles", tabindex: 0, role: "listbox",
      "aria-label": "Filters. Arrow keys go from one to the next, Enter opens one.",
      onscroll: () => this.draw(), onkeydown: (event) => this.key(event),
      onpointermove: (event) => this.hover(event), onpointerleave: () => { this.tip.hidden = true; this.hovered = null; this.draw(); },
      onclick: (event) => { const place = this.placeAt(event); if (place !== null) this.open(place); },
      onfocus: () => this.announce(), onblur: () => this.draw(),
    }, this.sizer, this.options);
    this.element = h("div", { className: "tiling" }, this.scroller, this.tip);
    this.watcher = new ResizeObserver(() => this.layout());
    this.watcher.observe(this.scroller);
  }

  layout() {
    const width = this.scroller.clientWidth, { w, h: height } = this.filters;
    if (!width) return;
    const room = (parseFloat(getComputedStyle(this.scroller).maxHeight) || 0.6 * window.innerHeight) - 2;
    const layOut = (tile) => {
      const scale = tile / Math.max(w, height);
      this.across = Math.max(6, w * scale);
      this.down = Math.max(6, height * scale);
      this.columns = Math.max(1, Math.floor((width - TILE_GAP) / (this.across + TILE_GAP)));
      this.rows = Math.ceil(this.order.length / this.columns);
      return Math.ceil(this.rows * (this.down + TILE_GAP) + TILE_GAP);
    };
    if (this.tile === null) { // as large as lets all be seen at once, if that is large enough to see anything
      this.tile = LARGEST_TILE;
      while (this.tile > SMALLEST_TILE && layOut(this.tile) > room) this.tile -= 1;
    }
    this.sized?.(this.tile);
    const whole = layOut(this.tile);
    this.sizer.style.height = `${whole}px`;
    const ratio = window.devicePixelRatio || 1, view = this.scroller.clientHeight;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(view * ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${view}px`;
    this.draw();
  }

  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => { this.frame = null; this.drawNow(); });
  }

  drawNow() {
    if (!this.columns) return;
    const started = performance.now();
    const ratio = window.devicePixelRatio || 1, context = this.canvas.getContext("2d");
    const top = this.scroller.scrollTop, pitchX = this.across + TILE_GAP, pitchY = this.down + TILE_GAP;
    const style = getComputedStyle(this.scroller), accent = style.getPropertyValue("--series1");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.imageSmoothingEnabled = this.across < this.filters.w;
    const { w, h: height, sprite } = this.filters;
    const from = Math.max(0, Math.floor(top / pitchY)), to = Math.min(this.rows, Math.ceil((top + this.scroller.clientHeight) / pitchY) + 1);
    for (let place = from * this.columns; place < Math.min(this.order.length, to * this.columns); place++) {
      const unit = this.order[place], number = Math.floor(unit / sprite), picture = this.colouredAt(number);
      const x = TILE_GAP + (place % this.columns) * pitchX, y = TILE_GAP + Math.floor(place / this.columns) * pitchY - top;
      if (picture) {
        const i = unit % sprite;
        context.drawImage(picture, (i % 32) * w, Math.floor(i / 32) * height, w, height, x, y, this.across, this.down);
      } else {
        context.fillStyle = style.getPropertyValue("--wash");
        context.fillRect(x, y, this.across, this.down);
      }
      const focused = place === this.cursor && document.activeElement === this.scroller;
      if (unit === this.selected || focused || place === this.hovered) {
        context.strokeStyle = unit === this.selected ? accent : style.getPropertyValue("--series0");
        context.lineWidth = unit === this.selected || focused ? 3 : 1.5;
        context.strokeRect(x - 1.5, y - 1.5, this.across + 3, this.down + 3);
      }
    }
    this.scroller.dataset.drawn = String(Number(this.scroller.dataset.drawn ?? 0) + 1);
    this.scroller.dataset.milliseconds = (performance.now() - started).toFixed(2);
  }

  colouredAt(number) {
    if (this.coloured.has(number)) return this.coloured.get(number);
    const sprite = this.sprites.get(number);
    if (sprite === undefined) {
      this.sprites.set(number, null);
      this.loadSprite(number).then((blob) => greysOf(blob, this.filters.coloured ? 3 : 1)).then((greys) => { this.sprites.set(number, greys); this.draw(); })
        .catch((error) => this.fail(error));
      return null;
    }
    if (sprite === null) return null;
    this.coloured.set(number, colouredSprite(sprite, this.filters, number * this.filters.sprite, looks.scaling, looks.colours));
    return this.coloured.get(number);
  }

  recolour() { this.coloured.clear(); this.draw(); }

  reorder(order) {
    const unit = this.order[this.cursor];
    this.order = order;
    this.cursor = Math.max(0, order.indexOf(unit));
    this.scroller.scrollTop = 0;
    this.scroller.dataset.first = String(order[0]);
    this.draw();
  }

  placeAt(event) {
    const box = this.scroller.getBoundingClientRect();
    const x = event.clientX - box.left - TILE_GAP, y = event.clientY - box.top + this.scroller.scrollTop - TILE_GAP;
    const column = Math.floor(x / (this.across + TILE_GAP)), row = Math.floor(y / (this.down + TILE_GAP));
    const place = row * this.columns + column;
    return x < 0 || y < 0 || column >= this.columns || place >= this.order.length ? null : place;
  }

  hover(event) {
    if (event.pointerType === "touch") return;
    const place = this.placeAt(event);
    this.tip.hidden = place === null;
    if (place !== this.hovered) { this.hovered = place; this.draw(); }
    if (place === null) return;
    this.tip.textContent = this.words(this.order[place]);
    const box = this.element.getBoundingClientRect(), x = event.clientX - box.left;
    this.tip.style.left = `${Math.max(4, Math.min(x + 14, box.width - this.tip.offsetWidth - 8))}px`;
    this.tip.style.top = `${event.clientY - box.top + 18}px`;
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / (this.down + TILE_GAP))) * this.columns;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, PageUp: -page, PageDown: page };
    const last = this.order.length - 1;
    if (event.key in steps) this.move(Math.max(0, Math.min(last, this.cursor + steps[event.key])));
    else if (event.key === "Home") this.move(0);
    else if (event.key === "End") this.move(last);
    else if (event.key === "Enter" || event.key === " ") this.open(this.cursor);
    else return;
    event.preventDefault();
  }

  move(place) {
    this.cursor = place;
    const pitch = this.down + TILE_GAP, y = Math.floor(place / this.columns) * pitch, view = this.scroller.clientHeight;
    if (y < this.scroller.scrollTop) this.scroller.scrollTop = y;
    else if (y + pitch > this.scroller.scrollTop + view) this.scroller.scrollTop = y + pitch + TILE_GAP - view;
    this.announce();
    this.draw();
  }

  announce() {
    const [, other] = this.options;
    this.options.reverse();
    other.textContent = this.words(this.order[this.cursor]);
    other.setAttribute("aria-setsize", this.order.length);
    other.setAttribute("aria-posinset", this.cursor + 1);
    other.setAttribute("aria-selected", String(this.order[this.cursor] === this.selected));
    this.scroller.setAttribute("aria-activedescendant", other.id);
    this.draw();
  }

  open(place) {
    this.cursor = place;
    this.selected = this.order[place];
    this.announce();
    this.choose(this.selected);
  }

  close() { this.watcher.disconnect(); }
}

async function filtersTab(panel, context) {
  const { run, model, about } = context;
  if (!about.layers.length) {
    panel.append(empty("This model has no layer whose weights could be shown."));
    return;
  }
  const state = { layer: about.layers.find((x) => x.name === context.layer) ?? about.layers[0] };
  const tools = h("div", { className: "tools", role: "group", "aria-label": "How the filters are shown" });
  const main = h("div", { className: "split filters" }), maps = h("section", { className: "below" });
  panel.append(tools, main);
  let tiles = null;

  async function show(layer) {
    state.layer = layer;
    context.layer = layer.name;
    main.replaceChildren(waiting("Reading the filters …"));
    const sprite = (number) => answerBlob([run, model, "sprite", layer.name, String(number)]);
    const first = sprite(0); // what is seen comes before what is computed
    first.catch(() => {});
    const filters = await answer([run, model, "filters", layer.name]);
    if (state.layer !== layer) return; // another one was chosen meanwhile
    const about_units = { active: null };
    const words = (unit) => {
      const active = about_units.active ? `, active ${percent(about_units.active.active[unit])}, mean ${figures(about_units.active.mean[unit])}` : "";
      return `unit ${unit}, norm ${figures(filters.norms[unit])}${active}`;
    };
    const side = h("aside", { className: "side", "aria-label": "The chosen unit" });
    const crossed = filters.broken.length ? `. ${filters.broken.length} of them, crossed out, have weights that are NaN or infinite` : "";
    const status = h("p", { className: "status" }, `${filters.count} filters of ${shapeWords(layer, filters)} weights, ${layerWords(layer)}${crossed}`);
    colours.input.disabled = filters.coloured;
    tiles?.close();
    tiles = new Tiles(filters, (number) => (number ? sprite(number) : first), words, (unit) =>
      unitPanel(side, { ...context, layer: layer.name, node: layer.node, unit, filters, activity: about_units.active, alike: () => sort(String(unit)) }), context.fail);
    tiles.sized = (pixels) => size.set(pixels);
    const hint = empty("Choose a filter to see what its unit does.", "Arrow keys go through the tile, Enter chooses.");
    side.append(hint);
    main.replaceChildren(h("div", { className: "main" }, tiles.element, status), side, maps);
    tiles.layout();
    await first.catch(() => {});
    if (state.layer !== layer) return;
    if (sorting.input.value !== looks.sort) likeUnit(null);
    if (looks.sort !== "index") await sort(looks.sort);
    if (about.examples) {
      answer([run, model, "activity", layer.name]).then((found) => { about_units.active = found; }).catch((error) => {
        status.textContent += `. What the units do could not be computed: ${error.message}`;
      });
    }
  }

  async function sort(by) {
    const order = by === "index" ? tiles.filters.norms.map((_, i) => i) : await answer([run, model, "order", state.layer.name, by]);
    tiles.reorder(order);
    const like = /^\d+$/.test(by);
    if (!like) looks.sort = by;
    likeUnit(like ? by : null);
    say(`Sorted by ${like ? `likeness to unit ${by}` : SORTS.find(([key]) => key === by)[1]}`);
  }

  // the order that is chosen beside the tile is one of the list's as long as it holds
  function likeUnit(unit) {
    sorting.input.querySelector("[data-like]")?.remove();
    if (unit !== null) sorting.input.append(h("option", { value: unit, "data-like": true }, `likeness to unit ${unit}`));
    sorting.input.value = unit ?? looks.sort;
  }

  const size = slider("Size", { min: 16, max: 168, step: 1, value: 60, words: (v) => `${Math.round(v)} px` }, (pixels) => {
    looks.tile = tiles.tile = pixels;
    tiles.layout();
  });
  const colours = choice("Colours", Object.entries(COLOUR_NAMES), looks.colours, (name) => { looks.colours = name; tiles.recolour(); });
  const sorts = SORTS.filter(([key]) => key !== "active" || about.examples);
  if (!sorts.some(([key]) => key === looks.sort)) looks.sort = "index";
  const sorting = choice("Sort by", sorts, looks.sort, (by) => sort(by).catch(context.fail));
  tools.append(
    choice("Layer", about.layers.map((x) => [x.name, `${x.name}: ${x.units} ${x.kind === "dense" ? "units" : "filters"}`]), state.layer.name,
      (name) => show(about.layers.find((x) => x.name === name)).catch(context.fail)),
    sorting,
    choice("Contrast", SCALES, looks.scaling, (scaling) => { looks.scaling = scaling; tiles.recolour(); }),
    colours,
    size,
  );
  context.leave.push(() => tiles?.close());
  await show(state.layer);
  if (about.examples) featureMaps(maps, context);
}

// the pixels that a unit sees, the weights it has for another layer's units, or (maps,) height and width of what it slides over maps
function shapeWords(layer, { h: height, w, coloured }) {
  const shape = layer.pixels && layer.kind === "dense" ? [height, w, ...(coloured ? [3] : [])] : layer.weights.filter((size, i) => size > 1 || i > 0);
  return shape.join(" × ");
}

function layerWords(layer) {
  if (layer.kind === "dense") return layer.pixels ? `one for each unit of ${layer.node}` : `what each unit of ${layer.node} takes from the layer before it`;
  if (layer.kind === "deconvolution") return `what each map of ${layer.node} draws`;
  return layer.pixels ? `one for each map of ${layer.node}` : `one for each map of ${layer.node}; its parts, one for each map before, side by side`;
}

addTab("filters", filtersTab);
