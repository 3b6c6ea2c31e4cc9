// What every named node computes of a test image, maps side by side.
import { answer, isLive } from "./source.js";
import { paint } from "./pixels.js";
import { button, empty, figures, h, newId, pictured } from "./dom.js";

export function featureMaps(section, context) {
  const { run, model, about } = context, body = h("div", { className: "nodes" }), id = newId("image");
  const last = (isLive ? about.examples.count : Math.min(20, about.examples.count)) - 1;
  const input = h("input", { id, type: "number", min: 0, max: last, step: 1 });
  input.value = Math.min(context.image, last);
  async function show() {
    const image = Math.max(0, Math.min(last, Math.round(Number(input.value) || 0)));
    input.value = context.image = image;
    try {
      const nodes = await answer([run, model, "nodes", String(image)]);
      body.replaceChildren(...nodes.map((node) => nodeFigure(node, image)));
    } catch (error) { body.replaceChildren(empty(error.message)); }
  }
  input.addEventListener("change", show);
  const step = (by) => () => { input.value = Math.max(0, Math.min(last, Number(input.value) + by)); show(); };
  const places = about.decoder_maps.length ? h("p", { className: "note" },
    `The decoder's units, ${about.decoder_maps.join(", ")}, are functions of a place in the image: their maps show what each gives everywhere, for this image's code. What they see is no image, so the tile does not have their weights.`) : null;
  section.append(
    h("h2", {}, "What the nodes compute"),
    h("div", { className: "tools" },
      h("div", { className: "field" }, h("label", { for: id }, "Test image"), input),
      button("Previous", step(-1)), button("Next", step(1))),
    ...(places ? [places] : []), body);
  show();
}

function nodeFigure(node, image) {
  const shape = node.shape.join(" × ") || "1";
  const figure = pictured(`${node.name}, ${shape}, of test image ${image}`, null, "node");
  const { w, h: whole } = node.pictures, height = whole / node.maps;
  const columns = Math.max(1, Math.min(node.maps, Math.ceil(Math.sqrt(node.maps * 2.2)))), gap = node.maps > 1 ? 1 : 0;
  const single = document.createElement("canvas");
  paint(single, node.pictures);
  const canvas = figure.canvas, rows = Math.ceil(node.maps / columns);
  canvas.width = columns * (w + gap) - gap;
  canvas.height = rows * (height + gap) - gap;
  const pen = canvas.getContext("2d");
  for (let i = 0; i < node.maps; i++) {
    pen.drawImage(single, 0, i * height, w, height, (i % columns) * (w + gap), Math.floor(i / columns) * (height + gap), w, height);
  }
  const zoom = Math.max(1, Math.min(16, Math.round((node.maps > 1 ? 300 : canvas.height < 3 ? 160 : 112) / Math.max(canvas.width, canvas.height))));
  canvas.style.width = `${canvas.width * zoom}px`;
  const part = node.shape.length === 3 && node.maps < node.shape[0] ? `; its first ${node.maps} maps` : "";
  const own = node.own_scales ? ", each on a scale of its own" : "";
  // beside the other one, the end of a sigmoid's tail is nothing
  const [low, high] = [node.low, node.high].map((v) => (Math.abs(v) < 5e-4 * Math.max(-node.low, node.high) ? 0 : v));
  const all = node.shape.reduce((product, size) => product * size, 1);
  const range = node.not_finite === all ? "all NaN or infinite" : `from ${figures(low)} to ${figures(high)}${node.not_finite ? `, ${node.not_finite} NaN or infinite` : ""}`;
  figure.append(h("figcaption", {}, h("strong", {}, node.name), ` ${shape}, ${range}${part}${own}`));
  return figure;
}
