// Bytes as colours. Pictures arrive as bytes, what they stand for beside them, and get their colours here.
const STOPS = {
  grey: [[0, 0, 0], [255, 255, 255]],
  inverse: [[255, 255, 255], [0, 0, 0]],
  diverging: [[0, 58, 112], [60, 150, 210], [247, 247, 244], [226, 124, 54], [120, 44, 0]],
  viridis: [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]],
};
export const COLOUR_NAMES = { grey: "grey", diverging: "blue to orange", viridis: "viridis", inverse: "black on white" };

const tables = new Map();

// 256 colours as they lie in the memory of ImageData, on machines that are all little-endian.
export function colourTable(name) {
  if (!tables.has(name)) {
    const stops = STOPS[name];
    const table = new Uint32Array(256);
    for (let i = 0; i < 256; i++) {
      const at = (i / 255) * (stops.length - 1), from = Math.min(Math.floor(at), stops.length - 2), t = at - from;
      const [r, g, b] = stops[from].map((c, k) => Math.round(c + (stops[from + 1][k] - c) * t));
      table[i] = (255 << 24) | (b << 16) | (g << 8) | r;
    }
    tables.set(name, table);
  }
  return tables.get(name);
}

// Numbers that came as float32 in base64.
export const floatsOf = (text) => new Float32Array(decoded(text).buffer);

const decoded = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

export function bytesOf(picture) {
  if (!picture.bytes) picture.bytes = decoded(picture.data);
  return picture.bytes;
}

// Where there is no number, NaN or infinite: a colour that none of the others comes near.
const HOLE = (255 << 24) | (122 << 16) | (0 << 8) | 209;

// Draws one picture, or the rows from `top` on of several that stand over one another.
export function paint(canvas, picture, colours = picture.signed ? "diverging" : "grey", top = 0, rows = picture.h) {
  const table = colourTable(colours), bytes = bytesOf(picture);
  canvas.width = picture.w;
  canvas.height = rows;
  const image = new ImageData(picture.w, rows);
  const pixels = new Uint32Array(image.data.buffer), start = top * picture.w;
  if (picture.channels === 3) {
    for (let i = 0, k = 3 * start; i < pixels.length; i++, k += 3) pixels[i] = (255 << 24) | (bytes[k + 2] << 16) | (bytes[k + 1] << 8) | bytes[k];
  } else for (let i = 0; i < pixels.length; i++) pixels[i] = table[bytes[start + i]];
  if (picture.holes) {
    const holes = (picture.bits ??= decoded(picture.holes));
    for (let i = 0; i < pixels.length; i++) if (holes[(start + i) >> 3] & (128 >> ((start + i) & 7))) pixels[i] = HOLE;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// The bytes of a PNG: its grey values, or red, green and blue in turn.
export async function greysOf(blob, channels = 1) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const greys = new Uint8Array(canvas.width * canvas.height * channels);
  for (let i = 0, k = 0; k < greys.length; i++) for (let c = 0; c < channels; c++, k++) greys[k] = data[4 * i + c];
  return { greys, width: canvas.width, height: canvas.height };
}

// A sprite of filters, 32 in a row, on a canvas of its own. In its bytes each filter has a scale of its own with zero in the
// middle; here it gets the scale that is asked for. Filters of coloured images have their own colours. A filter with weights that
// are no numbers is crossed out.
export function colouredSprite(sprite, filters, first, scaling, colours) {
  const { greys, width, height } = sprite, { w, h, low, high, count } = filters;
  const table = colourTable(colours);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height), pixels = new Uint32Array(image.data.buffer);
  let largest = 0;
  if (scaling === "common") for (let i = 0; i < count; i++) largest = Math.max(largest, Math.abs(low[i]), Math.abs(high[i]));
  const own = new Uint32Array(256), broken = new Set(filters.broken);
  for (let i = first; i < Math.min(count, first + filters.sprite); i++) {
    const shrunk = Math.max(largest, -low[i], high[i]) > 1e300 ? 1e-10 : 1; // the span of larger numbers is infinite
    const reach = shrunk * Math.max(Math.abs(low[i]), Math.abs(high[i]));
    const span = scaling === "each" ? shrunk * high[i] - shrunk * low[i] : 2 * (scaling === "common" ? shrunk * largest : reach);
    const base = scaling === "each" ? shrunk * low[i] : -span / 2;
    for (let v = 0; v < 256; v++) {
      const t = span > 0 ? ((v / 127.5 - 1) * reach - base) / span : scaling === "each" ? 0 : 0.5;
      const byte = Math.max(0, Math.min(255, Math.round(t * 255)));
      own[v] = filters.coloured ? byte : table[byte];
    }
    const column = (i - first) % 32, row = Math.floor((i - first) / 32);
    for (let y = 0; y < h; y++) {
      let at = (row * h + y) * width + column * w;
      for (let x = 0; x < w; x++, at++) {
        pixels[at] = !filters.coloured ? own[greys[at]]
          : (255 << 24) | (own[greys[3 * at + 2]] << 16) | (own[greys[3 * at + 1]] << 8) | own[greys[3 * at]];
      }
    }
    if (broken.has(i)) {
      const corner = row * h * width + column * w;
      for (let k = 0; k < Math.max(w, h); k++) {
        const y = Math.floor((k * h) / Math.max(w, h)), x = Math.floor((k * w) / Math.max(w, h));
        pixels[corner + y * width + x] = pixels[corner + y * width + (w - 1 - x)] = HOLE;
      }
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
