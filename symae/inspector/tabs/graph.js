// The compiled graph, drawn by symae; its boxes can be searched, and each says what it is.
import { answer } from "./source.js";
import { button, choice, empty, figures, h, newId, say, slider, waiting } from "./dom.js";
import { addTab } from "./tabs.js";

const LISTED = 60, READABLE = 70; // nodes in the list; percent at which labels can be read

async function graphTab(panel, context) {
  const { run, model, about, live } = context;
  if (!about.graphs.length) {
    panel.append(empty("There is no graph of this model."));
    return;
  }
  const state = { graph: about.graphs[0], stage: "after", backend: about.backends[0].name, zoom: null, data: null };
  const timed = about.backends.find((backend) => backend.timed).name;
  const view = h("div", { className: "graph", tabindex: 0, role: "region", "aria-label": "The graph; scroll with the arrow keys" });
  const details = h("div", { className: "details", role: "status" });
  const list = h("ul", { className: "found", "aria-label": "Nodes found" });
  const status = h("p", { className: "status", role: "status" });
  const searchId = newId("search");
  const search = h("input", { id: searchId, type: "search", placeholder: "dot, sigmoid, W …", oninput: () => find() });
  const zoom = slider("Zoom", { min: 10, max: 200, step: 5, value: 100, words: (v) => `${v} %` }, (v) => { state.zoom = v; scale(); });

  async function show(profile = false) {
    view.replaceChildren(waiting(profile ? "Compiling and running every node by itself; the first time that takes a while …" : "Drawing the graph …"));
    list.replaceChildren();
    details.replaceChildren();
    status.textContent = "";
    const query = profile ? { backend: state.backend, profile: 1 } : { backend: state.stage === "before" ? about.backends[0].name : state.backend };
    const wanted = `${state.graph} ${state.stage} ${state.backend} ${profile}`;
    state.wanted = wanted;
    let data;
    try {
      data = await answer([run, model, "graph", state.graph, profile ? "after" : state.stage], query);
    } catch (error) {
      if (profile && state.backend === timed) { // no C++ compiler here: NumPy does it, if more slowly
        state.backend = backends.input.value = about.backends[0].name;
        return show(true);
      }
      view.replaceChildren(empty(error.message));
      return;
    }
    if (state.wanted !== wanted) return;
    state.data = data;
    const parsed = new DOMParser().parseFromString(data.svg, "image/svg+xml").documentElement;
    parsed.querySelectorAll("style, script").forEach((element) => element.remove());
    const svg = document.importNode(parsed, true);
    svg.addEventListener("click", (event) => {
      const box = event.target.closest("[data-node]");
      if (box) select(Number(box.dataset.node));
    });
    view.replaceChildren(svg);
    state.size = [svg.viewBox.baseVal.width, svg.viewBox.baseVal.height];
    state.boxes = [...svg.querySelectorAll("[data-node]")].sort((a, b) => a.dataset.node - b.dataset.node);
    zoom.set(state.zoom ?? Math.max(35, Math.min(100, Math.floor((view.clientWidth - 20) / state.size[0] * 20) * 5)));
    scale();
    view.scrollLeft = (view.scrollWidth - view.clientWidth) / 2;
    status.textContent = `${data.title}: ${data.operations} operations. ${data.note}`;
    find();
  }

  function scale() {
    const svg = view.querySelector("svg");
    if (!svg) return;
    const factor = Number(zoom.input.value) / 100;
    svg.setAttribute("width", Math.round(state.size[0] * factor));
    svg.setAttribute("height", Math.round(state.size[1] * factor));
  }

  function find() {
    if (!state.data) return;
    const text = search.value.trim().toLowerCase();
    let nodes = state.data.nodes.map((node, i) => [node, i]);
    const costly = nodes.some(([node]) => node.seconds !== null);
    if (text) nodes = nodes.filter(([node]) => [node.label, ...node.details].some((words) => words.toLowerCase().includes(text)));
    else nodes = nodes.filter(([node]) => node.kind === "operation");
    if (costly) nodes.sort(([a], [b]) => (b.seconds ?? -1) - (a.seconds ?? -1));
    state.boxes.forEach((box) => box.classList.remove("match"));
    if (text) for (const [, i] of nodes) state.boxes[i].classList.add("match");
    list.replaceChildren(...nodes.slice(0, LISTED).map(([node, i]) => h("li", {}, h("button", { type: "button", onclick: () => select(i, true) },
      h("span", {}, node.label), h("span", { className: "cost" }, node.seconds === null ? "" : time(node.seconds))))));
    if (!nodes.length) list.append(h("li", { className: "note" }, "Nothing has that name."));
    if (nodes.length > LISTED) list.append(h("li", { className: "note" }, `and ${nodes.length - LISTED} more`));
    list.dataset.count = String(nodes.length);
    if (text) say(`${nodes.length} found`);
  }

  function select(i, scroll = false) {
    const node = state.data.nodes[i], box = state.boxes[i];
    state.boxes.forEach((other) => other.classList.toggle("chosen", other === box));
    if (scroll) {
      if (Number(zoom.input.value) < READABLE) {
        zoom.set(state.zoom = 100);
        scale();
      }
      const inner = box.getBoundingClientRect(), outer = view.getBoundingClientRect();
      view.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
      view.scrollTop += inner.top + inner.height / 2 - outer.top - outer.height / 2;
    }
    details.replaceChildren(h("h3", {}, node.label), h("ul", {}, node.details.map((line) => h("li", {}, line))),
      node.seconds === null ? "" : h("p", {}, `${time(node.seconds)} a call`));
  }

  const backends = choice("Rewritten for", about.backends.map(({ name, title }) => [name, title]), state.backend, (backend) => { state.backend = backend; show(); });
  const measure = button("Measure the cost of each node", () => { state.stage = "after"; stages.input.value = "after"; state.backend = backends.input.value = timed; show(true); });
  measure.disabled = backends.input.disabled = !live;
  const stages = choice("Stage", [["before", "as written"], ["after", "as rewritten"]], state.stage, (stage) => { state.stage = stage; show(); });
  panel.append(
    h("div", { className: "tools" },
      choice("Graph", about.graphs.map((name) => [name, name]), state.graph, (graph) => { state.graph = graph; show(); }), stages, backends, zoom, measure),
    h("div", { className: "split" }, h("div", { className: "main" }, view, status),
      h("aside", { className: "side", "aria-label": "Nodes" },
        h("div", { className: "field" }, h("label", { for: searchId }, "Find a node"), search), details, list)));
  await show();
}

function time(seconds) {
  return seconds >= 1e-3 ? `${figures(1e3 * seconds)} ms` : `${figures(1e6 * seconds)} µs`;
}

addTab("graph", graphTab);
