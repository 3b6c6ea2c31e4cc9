// The cost curves of all runs over each other, while they grow; their settings; the filters after each epoch that was kept.
import { answer, blobOf, isLive } from "./source.js";
import { colouredSprite, greysOf } from "./pixels.js";
import { button, choice, empty, figures, h, newest, newId, s, slider, waiting } from "./dom.js";
import { addTab } from "./tabs.js";

const STYLE_COUNT = 6, POLL = 2000;

async function trainingTab(panel, context) {
  const chart = h("div", { className: "chart" }), table = h("div", { className: "table" }), kept = h("section");
  const state = { figure: null, scale: null, differences: false, data: null };
  const live = h("p", { className: "status", role: "status" });
  const tools = h("div", { className: "tools" });
  panel.append(h("h2", {}, "Figures by epoch"), tools, chart, live, kept, h("h2", {}, "Settings"), table);
  chart.append(waiting("Reading the histories …"));

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
      ] : []));
    }
    const shown = data.curves.filter((curve) => curve.figure === state.figure);
    const heights = shown.flatMap((curve) => curve.y);
    // costs in different units: one scale for all would show none of them
    const scale = state.scale ?? (Math.min(...heights) > 0 && Math.max(...heights) > 20 * Math.min(...heights) ? "log" : "linear");
    chart.replaceChildren(shown.length ? lines(shown, data.runs, { ...state, scale }) : empty(data.running ? "No epoch has ended yet; the curve begins with the first." : "No history was kept in this run."));
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
  const rows = data.table.filter((row) => !state.differences || differ(row));
  const box = h("input", { id, type: "checkbox", onchange: () => { state.differences = box.checked; again(); } });
  box.checked = state.differences;
  const many = data.runs.length > 1;
  return h("div", {},
    many ? h("div", { className: "field check" }, box, h("label", { for: id }, "only what differs")) : null,
    h("div", { className: "scroll", role: "region", tabindex: 0, "aria-label": "Settings and versions" },
      h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "setting"), data.runs.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, rows.map((row) => h("tr", { className: many && differ(row) ? "differs" : "" },
          h("th", { scope: "row" }, row.name), row.values.map((value) => h("td", {}, value || "–"))))))));
}

// Multiples of 1, 2 or 5 times a power of ten between two values.
function niceTicks(low, high, count) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((f) => f * power).find((v) => v >= rough * 0.999999);
  const ticks = [];
  for (let v = Math.ceil(low / step - 1e-9); v <= high / step + 1e-9; v++) ticks.push(Number((v * step).toPrecision(12)));
  return ticks;
}

function lines(curves, runs, state) {
  const narrow = window.innerWidth < 700, width = narrow ? 350 : 900, height = narrow ? 260 : 360;
  const left = 58, right = width - 14, top = 12, bottom = height - 42;
  const log = state.scale === "log" && curves.every((curve) => curve.y.every((y) => y > 0));
  const f = log ? Math.log10 : (v) => v;
  const xs = curves.flatMap((curve) => curve.x), ys = curves.flatMap((curve) => curve.y).map(f);
  const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity), most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
  let [x0, x1, y0, y1] = [least(xs), most(xs), least(ys), most(ys)];
  if (x0 === x1) { x0 -= 0.5; x1 += 0.5; }
  if (y0 === y1) { y0 -= Math.abs(y0) * 0.1 || 1; y1 += Math.abs(y1) * 0.1 || 1; }
  const pad = (y1 - y0) * 0.05;
  y0 -= pad; y1 += pad;
  const across = (x) => left + ((x - x0) / (x1 - x0)) * (right - left), up = (y) => bottom - ((y - y0) / (y1 - y0)) * (bottom - top);
  const words = curves.map((curve) => `${nameOf(curve, runs)}: ${figures(curve.y[0], 4)} at first, ${figures(curve.y.at(-1), 4)} in epoch ${curve.x.at(-1)}.`).join(" ");
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${state.figure} by epoch. ${words}`, class: "curves" });
  for (const tick of niceTicks(y0, y1, 5)) {
    svg.append(s("line", { class: "grid", x1: left, x2: right, y1: up(tick), y2: up(tick) }), label(left - 8, up(tick) + 4, log ? figures(10 ** tick, 3) : figures(tick, 4), "end"));
  }
  svg.append(s("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }));
  for (const tick of niceTicks(x0, x1, narrow ? 4 : 9).filter(Number.isInteger)) svg.append(label(across(tick), bottom + 20, String(tick), "middle"));
  svg.append(label((left + right) / 2, height - 4, "epoch", "middle"));
  const hair = s("line", { class: "hair", y1: top, y2: bottom, visibility: "hidden" });
  svg.append(hair);
  const outputs = [];
  const legend = h("ul", { className: "legend" });
  curves.forEach((curve, i) => {
    const group = s("g", { class: `series style${i % STYLE_COUNT}` });
    const points = curve.x.map((x, k) => [across(x), up(f(curve.y[k]))]);
    group.append(s("path", { d: points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("") }));
    if (points.length <= 30) for (const [x, y] of points) group.append(s("circle", { cx: x, cy: y, r: 2.6 }));
    svg.append(group);
    const key = s("svg", { viewBox: "0 0 30 10", class: `key series style${i % STYLE_COUNT}`, "aria-hidden": "true" }, s("path", { d: "M1 5L29 5" }));
    const output = h("output", {}, figures(curve.y.at(-1), 6));
    outputs.push(output);
    legend.append(h("li", {}, key, nameOf(curve, runs), " ", output));
  });
  const where = h("li", { className: "where" }, "last value");
  legend.append(where);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), x = Math.round(x0 + (((event.clientX - box.left) / box.width) * width - left) / (right - left) * (x1 - x0));
    hair.setAttribute("x1", across(x));
    hair.setAttribute("x2", across(x));
    hair.setAttribute("visibility", x >= x0 && x <= x1 ? "visible" : "hidden");
    where.textContent = `epoch ${x}`;
    curves.forEach((curve, i) => { const k = curve.x.indexOf(x); outputs[i].textContent = k < 0 ? "–" : figures(curve.y[k], 6); });
  });
  svg.addEventListener("pointerleave", () => {
    hair.setAttribute("visibility", "hidden");
    where.textContent = "last value";
    curves.forEach((curve, i) => { outputs[i].textContent = figures(curve.y.at(-1), 6); });
  });
  return h("div", {}, legend, svg);
}

function nameOf(curve, runs) {
  return [runs.length > 1 ? curve.name : "", curve.model].filter(Boolean).join(", ") || curve.figure;
}

function label(x, y, text, anchor) {
  return s("text", { x, y, "text-anchor": anchor }, text);
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
