// One unit: its filter large, its weights, the test images that it likes most and least, what it draws alone, its best input.
import { answer } from "./source.js";
import { paint } from "./pixels.js";
import { button, empty, facts, figures, h, newest, percent, pictured, s, say, slider, waiting } from "./dom.js";

export async function unitPanel(side, context) {
  const { run, model, about, layer, node, unit, filters, alike } = context;
  const wanted = (side.dataset.unit = `${layer}/${unit}`);
  const title = h("h2", { tabindex: -1 }, `Unit ${unit}`, h("small", {}, node));
  side.replaceChildren(title, waiting("Looking at the unit …"));
  let found;
  try {
    found = await answer([run, model, "unit", layer, String(unit)]);
  } catch (error) {
    side.replaceChildren(title, empty(error.message));
    return;
  }
  if (side.dataset.unit !== wanted) return; // another one was chosen meanwhile
  const activity = context.activity ?? (about.examples ? await answer([run, model, "activity", layer]).catch(() => null) : null);
  if (side.dataset.unit !== wanted) return;
  const large = pictured(`The weights of unit ${unit}`, null, "large");
  paint(large.canvas, found.picture);
  const broken = found.not_finite ? ` ${found.not_finite} weights are NaN or infinite: they are magenta, and the figures are those of the others.` : "";
  const pairs = [["norm", figures(filters.norms[unit])], ["weights", `${figures(found.mean)} ± ${figures(found.deviation)}`]];
  if (found.bias !== null) pairs.push(["bias", figures(found.bias)]);
  if (activity) pairs.push(["active", percent(activity.active[unit])], ["mean value", figures(activity.mean[unit])]);
  side.replaceChildren(title, h("div", { className: "pair" }, large, facts(pairs)), h("p", { className: "note" }, (filters.coloured ? "Grey is zero; each colour is darker below it and brighter above." : "Blue is below zero, orange above.") + broken),
    h("h3", {}, "Its weights"), histogram(found.histogram, found.weights));
  if (found.most) {
    side.append(h("h3", {}, "Test images that excite it most"), strip(found.most), h("h3", {}, "Least"), strip(found.least));
  } else side.append(empty("There are no test images of this model's size, so what excites the unit is not known."));
  const drawn = h("div", { className: "pair" });
  if (found.alone) {
    const alone = pictured(`What the decoder draws for unit ${unit} alone`, "drawn for this unit alone, its contrast stretched", "middle");
    paint(alone.canvas, found.alone);
    drawn.append(alone);
  }
  const best = pictured(`The input that excites unit ${unit} most`, "the input that excites it most", "middle");
  drawn.append(best);
  const about_best = h("p", { className: "note" }, "Computing …");
  const show = newest(async (bound) => {
    const query = bound === null ? null : { bound: bound.toFixed(4) };
    try {
      const answered = await answer([run, model, "best", layer, String(unit)], query);
      if (answered.dead || answered.diverged) {
        about_best.textContent = answered.dead ? "The unit is dead: nothing that was tried excites it, so there is no way up."
          : "What the unit computes is NaN or infinite, so no input excites it most.";
        best.hidden = true;
        return;
      }
      paint(best.canvas, answered.picture);
      about_best.textContent = `The unit's value is ${figures(answered.value)} for this input of norm ${figures(answered.bound)} (${answered.how}).`;
    } catch (error) { about_best.textContent = error.message; }
  });
  const bound = about.bound;
  const limit = slider("Norm at most", { min: bound / 4, max: bound * 4, step: bound / 20, value: bound, words: (v) => figures(v) }, show);
  limit.input.disabled = !context.live;
  side.append(h("h3", {}, "What it stands for"), drawn, about_best, limit, ...(alike ? [button("Similar filters first", alike, { disabled: !context.live })] : []));
  show(null);
  say(`Unit ${unit} is shown`);
  if (window.matchMedia("(max-width: 60rem)").matches) title.scrollIntoView({ block: "start" });
}

function histogram({ counts, low, high }, total) {
  const most = Math.max(...counts, 1), width = 320, height = 84, step = width / counts.length;
  const words = `${total} weights from ${figures(low)} to ${figures(high)}; the fullest of ${counts.length} bins has ${most}`;
  const svg = s("svg", { viewBox: `0 0 ${width} ${height + 18}`, role: "img", "aria-label": words, class: "histogram" });
  counts.forEach((count, i) => {
    const size = (count / most) * height;
    svg.append(s("rect", { x: i * step + 0.5, y: height - size, width: step - 1, height: size }));
  });
  svg.append(s("line", { x1: 0, x2: width, y1: height, y2: height, class: "axis" }));
  if (low < 0 && high > 0) {
    const zero = width / (1 - high / low); // the same as -low / (high - low), whose span may be infinite
    svg.append(s("line", { x1: zero, x2: zero, y1: 0, y2: height + 4, class: "zero" }), mark(zero, height + 16, "0", "middle"));
  }
  svg.append(mark(0, height + 16, figures(low), "start"), mark(width, height + 16, figures(high), "end"));
  return svg;
}

function mark(x, y, text, anchor) {
  return s("text", { x, y, "text-anchor": anchor }, text);
}

function strip({ images, labels, values, pictures }) {
  const list = h("ul", { className: "strip" }), height = pictures.h / Math.max(1, images.length);
  images.forEach((image, i) => {
    const label = labels ? `, a ${labels[i]}` : "";
    const figure = pictured(`test image ${image}${label}: ${figures(values[i])}`, Math.abs(values[i]) < 0.005 ? "0" : figures(values[i], 2));
    paint(figure.canvas, pictures, "grey", i * height, height);
    list.append(h("li", { title: `test image ${image}${label}` }, figure));
  });
  return list;
}
