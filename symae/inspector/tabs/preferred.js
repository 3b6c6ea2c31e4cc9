// What all units of a layer prefer, side by side: an input each that is computed, or test images.
import { answer, isLive } from "./source.js";
import { paint } from "./pixels.js";
import { choice, empty, figures, h, slider } from "./dom.js";
import { unitPanel } from "./unit.js";
import { addTab } from "./tabs.js";

const MOST = 512; // units at once; a button shows the next
const KEPT = { input: "the input that excites it most, computed", image: "the test image that excites it most", mean: "the mean of the test images that excite it most" };
const looks = { kind: null, size: 72 };

async function preferredTab(panel, context) {
  const { run, model, about } = context;
  if (!about.layers.length || !about.preferred.length) {
    panel.append(empty("There is nothing that units of this model are known to prefer."));
    return;
  }
  const state = { layer: about.layers.find((x) => x.name === context.layer) ?? about.layers[0], turn: 0, opened: 0 };
  if (!about.preferred.includes(looks.kind)) looks.kind = about.preferred[0];
  const grid = h("ul", { className: "preferred" }), status = h("p", { className: "status", role: "status" });
  const side = h("aside", { className: "side", "aria-label": "The chosen unit" });
  side.append(empty("Choose a unit to see all that is known of it."));
  context.leave.push(() => { state.turn += 1; state.opened += 1; });

  async function show() {
    const turn = ++state.turn, { layer } = state, kind = looks.kind;
    state.opened += 1; // no button of the units that were there stays pressed
    const count = Math.min(layer.units, MOST), block = about.preferred_block;
    status.textContent = "Computing …";
    const items = Array.from({ length: count }, (_, unit) => {
      const canvas = h("canvas", { "aria-hidden": "true" }), words = h("span", { className: "caption" }, String(unit));
      const item = h("button", { type: "button", "aria-label": `unit ${unit}`, onclick: () => open(item, unit) }, canvas, words);
      return { item, canvas, words };
    });
    grid.replaceChildren(...items.map(({ item }) => h("li", {}, item)));
    let dead = 0, how = "", done = 0;
    for (let first = 0; first < count; first += block) {
      let found;
      try {
        found = await answer([run, model, "preferred", layer.name, String(first)], { kind });
      } catch (error) {
        if (turn === state.turn) status.textContent = done ? `${done} of ${layer.units} units of ${layer.node}: ${error.message}` : error.message;
        return;
      }
      if (turn !== state.turn) return; // something else is wanted meanwhile
      const height = found.pictures.h / found.units.length;
      how = found.how ?? "";
      dead += found.dead.length;
      found.units.forEach((unit, i) => {
        if (!items[unit]) return;
        const { item, canvas, words } = items[unit], value = found.values[i], is_dead = found.dead.includes(unit);
        paint(canvas, found.pictures, found.pictures.signed ? "diverging" : "grey", i * height, height);
        const shown = is_dead ? "dead" : value === null ? "NaN" : figures(value, 2);
        words.textContent = `${unit}: ${shown}`;
        item.classList.toggle("dead", is_dead);
        item.setAttribute("aria-label", `unit ${unit}: ${shown}${is_dead ? ", nothing that was tried excites it" : found.images ? `, test image ${found.images[i]}` : ""}`);
      });
      done += found.units.length;
      grid.dataset.done = String(done);
      status.textContent = `${Math.min(done, count)} of ${layer.units} units of ${layer.node}`;
    }
    const words = kind === "mean" ? `, each the mean of ${about.preferred_mean} test images` : "";
    const parts = [`${count} of ${layer.units} units of ${layer.node}${words}`, how ? `by ${how}` : "", dead ? `${dead} dead` : ""];
    status.textContent = `${parts.filter(Boolean).join("; ")}. Below each: its number, and what it computes.`;
    grid.dataset.shown = `${layer.name} ${kind}`;
  }

  async function open(item, unit) {
    const opened = ++state.opened, { layer } = state;
    grid.querySelectorAll("[aria-pressed]").forEach((other) => other.removeAttribute("aria-pressed"));
    item.setAttribute("aria-pressed", "true");
    try {
      const filters = await answer([run, model, "filters", layer.name]);
      if (opened !== state.opened) return; // another one was chosen meanwhile
      await unitPanel(side, { ...context, layer: layer.name, node: layer.node, unit, filters, activity: null, alike: null });
    } catch (error) { if (opened === state.opened) side.replaceChildren(empty(error.message)); }
  }

  const size = slider("Size", { min: 32, max: 160, step: 4, value: looks.size, words: (v) => `${v} px` }, (v) => { looks.size = v; sized(); });
  const sized = () => { grid.style.setProperty("--tile", `${looks.size}px`); };
  sized();
  panel.append(
    h("div", { className: "tools", role: "group", "aria-label": "What is shown" },
      choice("Layer", about.layers.map((x) => [x.name, `${x.name}: ${x.units} ${x.kind === "dense" ? "units" : "filters"}`]), state.layer.name,
        (name) => { state.layer = about.layers.find((x) => x.name === name); context.layer = name; show(); }),
      choice("Of each unit", about.preferred.map((kind) => [kind, KEPT[kind]]), looks.kind, (kind) => { looks.kind = kind; show(); }),
      size),
    h("div", { className: "split" }, h("div", { className: "main" }, grid, status,
      isLive ? null : h("p", { className: "note" }, "An exported page has the first units of each layer.")), side));
  show();
}

addTab("preferred", preferredTab);
