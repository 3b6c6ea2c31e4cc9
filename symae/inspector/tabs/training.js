// The cost curves of all runs over each other, while they grow; their settings; the filters after each epoch that was kept.
import { answer, blobOf, isLive } from "./source.js";
import { colouredSprite, greysOf } from "./pixels.js";
import { button, choice, download, empty, h, newest, newId, slider, waiting } from "./dom.js";
import { curvesCsv, lines } from "./chart.js";
import { addTab } from "./tabs.js";

const POLL = 2000;

async function trainingTab(panel, context) {
  const chart = h("div", { className: "chart" }), table = h("div", { className: "table" }), kept = h("section");
  const state = { figure: null, scale: null, differences: null, data: null, range: null, smoothing: 0 };
  const live = h("p", { className: "status", role: "status" });
  const tools = h("div", { className: "tools" });
  const hint = h("p", { className: "note" }, "Drag across the chart to look at a range of epochs; a double click shows all.");
  panel.append(h("h2", {}, "Figures by epoch"), tools, chart, hint, live, kept, h("h2", {}, "Figures and settings"), table);
  chart.append(waiting("Reading the histories …"));

  // the range of epochs that is looked at: dragged in the chart, or typed
  const number = (words) => {
    const id = newId("epoch"), input = h("input", { id, type: "number", min: 0, step: 1, onchange: () => typed() });
    return { input, field: h("div", { className: "field short" }, h("label", { for: id }, words), input) };
  };
  const from = number("From epoch"), to = number("To epoch");
  const whole = button("All epochs", () => zoom(null));
  function zoom(range) {
    state.range = range;
    show();
  }
  function typed() {
    const [low, high] = [from, to].map(({ input }) => Math.round(Number(input.value)));
    zoom(Number.isFinite(low) && Number.isFinite(high) && low < high ? [low, high] : null);
  }
  function ranges(shown) {
    const epochs = shown.flatMap((curve) => curve.x).reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Infinity, -Infinity]);
    const [low, high] = state.range ?? (Number.isFinite(epochs[0]) ? epochs : ["", ""]);
    from.input.value = low;
    to.input.value = high;
    whole.disabled = state.range === null;
  }

  function show() {
    const { data } = state;
    const names = [...new Set(data.curves.map((curve) => curve.figure))];
    if (!names.includes(state.figure)) state.figure = names.includes("cost") ? "cost" : names[0];
    const wanted = names.join();
    if (tools.dataset.names !== wanted) {
      tools.dataset.names = wanted;
      tools.replaceChildren(...(names.length ? [
        choice("Figure", names.map((name) => [name, name === "seconds" ? "seconds an epoch" : name]), state.figure, (name) => { state.figure = name; show(); }),
        choice("Scale", [["auto", "as it fits"], ["linear", "linear"], ["log", "logarithmic"]], "auto", (scale) => { state.scale = scale === "auto" ? null : scale; show(); }),
        slider("Smoothing", { min: 0, max: 0.98, step: 0.02, value: state.smoothing, words: (v) => (v ? v.toFixed(2) : "none") }, (v) => { state.smoothing = v; show(); }),
        from.field, to.field, whole,
        button("Download CSV", () => download(curvesCsv(state.data.curves.filter((curve) => curve.figure === state.figure), state.data.runs), `${state.figure.replace(/[^\w.-]+/g, "_")}.csv`)),
      ] : []));
    }
    const shown = data.curves.filter((curve) => curve.figure === state.figure);
    const heights = shown.flatMap((curve) => curve.y);
    ranges(shown);
    // costs in different units: one scale for all would show none of them
    const scale = state.scale ?? (Math.min(...heights) > 0 && Math.max(...heights) > 20 * Math.min(...heights) ? "log" : "linear");
    chart.replaceChildren(shown.length ? lines(shown, data.runs, { ...state, scale }, zoom) : empty(data.running ? "No epoch has ended yet; the curve begins with the first." : "No history was kept in this run."));
    chart.dataset.points = String(shown.reduce((sum, curve) => sum + curve.x.length, 0));
    live.textContent = [...data.problems, data.running ? "A run goes on: this page follows it." : ""].filter(Boolean).join(" ");
    table.replaceChildren(settings(data, state, show));
  }

  state.data = await answer(["training"]);
  show();
  if (isLive) {
    const timer = setInterval(async () => {
      if (document.hidden || (!state.data.running && !context.running)) return;
      try {
        const data = await answer(["training"]);
        const changed = JSON.stringify(data) !== JSON.stringify(state.data);
        state.data = data;
        if (changed) show();
      } catch (error) { live.textContent = error.message; }
    }, POLL);
    context.leave.push(() => clearInterval(timer));
  }
  if (context.about) epochs(kept, context);
}

function settings(data, state, again) {
  const id = newId("differences");
  const differ = (row) => new Set(row.values).size > 1;
  const many = data.runs.length > 1;
  state.differences ??= many;
  const rows = data.table.filter((row) => !state.differences || differ(row));
  const box = h("input", { id, type: "checkbox", onchange: () => { state.differences = box.checked; again(); } });
  box.checked = state.differences;
  return h("div", {},
    many ? h("div", { className: "field check" }, box, h("label", { for: id }, "only what differs")) : null,
    h("div", { className: "scroll", role: "region", tabindex: 0, "aria-label": "Final figures, settings and versions" },
      h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "setting"), data.runs.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, rows.map((row) => h("tr", { className: many && differ(row) ? "differs" : "" },
          h("th", { scope: "row" }, row.name), row.values.map((value) => h("td", {}, value || "–"))))))));
}

// The filters as they came about.
function epochs(section, { run, model, about, leave }) {
  section.append(h("h2", {}, "Filters after each epoch"));
  if (!about.epochs.length) {
    section.append(empty("This run kept none. With --keep-filters, a worksheet keeps them after each epoch, and they can be looked through here."));
    return;
  }
  const state = { layer: about.layers[0].name, at: about.epochs.length - 1 };
  const canvas = h("canvas", { role: "img", className: "epochs", "aria-label": "Filters after an epoch" }), status = h("p", { className: "status" });
  const show = newest(async () => {
    const epoch = about.epochs[state.at];
    try {
      const filters = await answer([run, model, "epoch", String(epoch), state.layer]);
      const picture = colouredSprite(await greysOf(blobOf({ base64: filters.picture }), filters.coloured ? 3 : 1), filters, 0, "each", "grey");
      const count = Math.min(filters.count, filters.sprite), columns = Math.ceil(Math.sqrt(count * 2)), { w, h: height } = filters;
      canvas.width = columns * (w + 1) - 1;
      canvas.height = Math.ceil(count / columns) * (height + 1) - 1;
      const pen = canvas.getContext("2d");
      for (let i = 0; i < count; i++) {
        pen.drawImage(picture, (i % 32) * w, Math.floor(i / 32) * height, w, height, (i % columns) * (w + 1), Math.floor(i / columns) * (height + 1), w, height);
      }
      canvas.style.width = `${canvas.width * Math.max(1, Math.floor(700 / canvas.width))}px`;
      canvas.setAttribute("aria-label", `${count} filters of ${state.layer} after epoch ${epoch}`);
      canvas.dataset.epoch = epoch;
      status.textContent = `${count} of ${filters.count} filters of ${state.layer} after epoch ${epoch}`;
    } catch (error) { status.textContent = error.message; }
  });
  const scale = slider("Epoch", { min: 0, max: about.epochs.length - 1, step: 1, value: state.at, words: (i) => String(about.epochs[i]) }, (i) => { state.at = i; show(); });
  let timer = null;
  const play = button("Play", () => {
    if (timer) { clearInterval(timer); timer = null; play.textContent = "Play"; return; }
    if (state.at === about.epochs.length - 1) state.at = -1;
    play.textContent = "Stop";
    timer = setInterval(() => {
      state.at += 1;
      scale.set(state.at);
      show();
      if (state.at >= about.epochs.length - 1) { clearInterval(timer); timer = null; play.textContent = "Play"; }
    }, 200);
  });
  leave.push(() => clearInterval(timer));
  const layers = about.layers.length > 1 ? choice("Layer", about.layers.map((x) => [x.name, x.name]), state.layer, (layer) => { state.layer = layer; show(); }) : null;
  section.append(h("div", { className: "tools" }, layers, scale, play), canvas, status);
  show();
}

addTab("training", trainingTab);
