// Curves over epochs, of which a part can be looked at, and smoothed ones; and the same as CSV.
import { csvOf, figures, h, s } from "./dom.js";

const STYLE_COUNT = 6, DRAGGED = 6; // pixels that are a range, and no click

// Exponential means of the values so far, with weights that sum to 1 from the first value on.
export function smoothed(values, weight) {
  if (!weight) return values;
  let sum = 0, whole = 0;
  return values.map((v) => {
    sum = weight * sum + (1 - weight) * v;
    whole = weight * whole + (1 - weight);
    return sum / whole;
  });
}

export function nameOf(curve, runs) {
  return [runs.length > 1 ? curve.name : "", curve.model].filter(Boolean).join(", ") || curve.figure;
}

// A column for each curve, a row for each epoch of any.
export function curvesCsv(curves, runs) {
  const epochs = [...new Set(curves.flatMap((curve) => curve.x))].sort((a, b) => a - b);
  const at = curves.map((curve) => new Map(curve.x.map((x, k) => [x, curve.y[k]])));
  return csvOf([["epoch", ...curves.map((curve) => `${curve.figure}${nameOf(curve, runs) === curve.figure ? "" : ` ${nameOf(curve, runs)}`}`)],
    ...epochs.map((epoch) => [epoch, ...at.map((values) => values.get(epoch) ?? "")])]);
}

// Multiples of 1, 2 or 5 times a power of ten between two values.
function niceTicks(low, high, count) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((f) => f * power).find((v) => v >= rough * 0.999999);
  const ticks = [];
  for (let v = Math.ceil(low / step - 1e-9); v <= high / step + 1e-9; v++) ticks.push(Number((v * step).toPrecision(12)));
  return ticks;
}

const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity), most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);

function label(x, y, text, anchor) {
  return s("text", { x, y, "text-anchor": anchor }, text);
}

// `state` has the figure, the scale, the range of epochs or null, and the weight of smoothing; `zoom` gets a range that was dragged.
export function lines(curves, runs, state, zoom) {
  const narrow = window.innerWidth < 700, width = narrow ? 350 : 900, height = narrow ? 260 : 360;
  const left = 58, right = width - 14, top = 12, bottom = height - 42;
  const log = state.scale === "log" && curves.every((curve) => curve.y.every((y) => y > 0));
  const f = log ? Math.log10 : (v) => v;
  let [x0, x1] = state.range ?? [least(curves.flatMap((curve) => curve.x)), most(curves.flatMap((curve) => curve.x))];
  const drawn = curves.map((curve) => {
    const smooth = smoothed(curve.y, state.smoothing), kept = curve.x.map((_, k) => k).filter((k) => curve.x[k] >= x0 && curve.x[k] <= x1);
    return { curve, smooth, kept };
  });
  const ys = drawn.flatMap(({ curve, smooth, kept }) => kept.flatMap((k) => [f(curve.y[k]), f(smooth[k])]));
  let [y0, y1] = ys.length ? [least(ys), most(ys)] : [0, 1];
  if (x0 === x1) { x0 -= 0.5; x1 += 0.5; }
  if (y0 === y1) { y0 -= Math.abs(y0) * 0.1 || 1; y1 += Math.abs(y1) * 0.1 || 1; }
  const pad = (y1 - y0) * 0.05;
  y0 -= pad; y1 += pad;
  const across = (x) => left + ((x - x0) / (x1 - x0)) * (right - left), up = (y) => bottom - ((y - y0) / (y1 - y0)) * (bottom - top);
  const ends = drawn.map(({ curve, kept }) => (kept.length
    ? `${nameOf(curve, runs)}: ${figures(curve.y[kept[0]], 4)} in epoch ${curve.x[kept[0]]}, ${figures(curve.y[kept.at(-1)], 4)} in epoch ${curve.x[kept.at(-1)]}.` : "")).join(" ");
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${state.figure} by epoch. ${ends}`, class: "curves" });
  for (const tick of niceTicks(y0, y1, 5)) {
    svg.append(s("line", { class: "grid", x1: left, x2: right, y1: up(tick), y2: up(tick) }), label(left - 8, up(tick) + 4, log ? figures(10 ** tick, 3) : figures(tick, 4), "end"));
  }
  svg.append(s("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }));
  for (const tick of niceTicks(x0, x1, narrow ? 4 : 9).filter(Number.isInteger)) svg.append(label(across(tick), bottom + 20, String(tick), "middle"));
  svg.append(label((left + right) / 2, height - 4, "epoch", "middle"));
  const hair = s("line", { class: "hair", y1: top, y2: bottom, visibility: "hidden" });
  const band = s("rect", { class: "band", y: top, height: bottom - top, visibility: "hidden" });
  svg.append(band, hair);
  const outputs = [], legend = h("ul", { className: "legend" });
  drawn.forEach(({ curve, smooth, kept }, i) => {
    const group = s("g", { class: `series style${i % STYLE_COUNT}` });
    const path = (values) => kept.map((k, n) => `${n ? "L" : "M"}${across(curve.x[k]).toFixed(1)} ${up(f(values[k])).toFixed(1)}`).join("");
    if (state.smoothing) group.append(s("path", { class: "raw", d: path(curve.y) }));
    group.append(s("path", { d: path(smooth) }));
    if (kept.length <= 30) for (const k of kept) group.append(s("circle", { cx: across(curve.x[k]), cy: up(f(smooth[k])), r: 2.6 }));
    svg.append(group);
    const key = s("svg", { viewBox: "0 0 30 10", class: `key series style${i % STYLE_COUNT}`, "aria-hidden": "true" }, s("path", { d: "M1 5L29 5" }));
    const output = h("output", {}, kept.length ? figures(curve.y[kept.at(-1)], 6) : "–");
    outputs.push(output);
    legend.append(h("li", {}, key, nameOf(curve, runs), " ", output));
  });
  const where = h("li", { className: "where" }, "last value");
  legend.append(where);
  let from = null;
  const at = (event) => {
    const box = svg.getBoundingClientRect();
    return x0 + (((event.clientX - box.left) / box.width) * width - left) / (right - left) * (x1 - x0);
  };
  const rest = () => {
    hair.setAttribute("visibility", "hidden");
    where.textContent = "last value";
    drawn.forEach(({ curve, kept }, i) => { outputs[i].textContent = kept.length ? figures(curve.y[kept.at(-1)], 6) : "–"; });
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return; // a finger scrolls
    from = { x: Math.max(x0, Math.min(x1, at(event))), pixel: event.clientX };
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    const x = Math.round(at(event));
    if (from) {
      const [a, b] = [across(from.x), across(Math.max(x0, Math.min(x1, at(event))))];
      band.setAttribute("x", Math.min(a, b));
      band.setAttribute("width", Math.abs(b - a));
      band.setAttribute("visibility", "visible");
    }
    hair.setAttribute("x1", across(x));
    hair.setAttribute("x2", across(x));
    hair.setAttribute("visibility", x >= x0 && x <= x1 ? "visible" : "hidden");
    where.textContent = `epoch ${x}`;
    curves.forEach((curve, i) => { const k = curve.x.indexOf(x); outputs[i].textContent = k < 0 ? "–" : figures(curve.y[k], 6); });
  });
  svg.addEventListener("pointerup", (event) => {
    if (!from) return;
    const [low, high] = [from.x, Math.max(x0, Math.min(x1, at(event)))].sort((a, b) => a - b), wide = Math.abs(event.clientX - from.pixel) >= DRAGGED;
    from = null;
    band.setAttribute("visibility", "hidden");
    if (wide) zoom([Math.floor(low + 0.5), Math.max(Math.floor(low + 0.5) + 1, Math.round(high))]);
  });
  svg.addEventListener("pointercancel", () => { from = null; band.setAttribute("visibility", "hidden"); });
  svg.addEventListener("dblclick", () => zoom(null));
  svg.addEventListener("pointerleave", rest);
  return h("div", {}, legend, svg);
}
