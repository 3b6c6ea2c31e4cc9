// Small pictures of the test images, fetched in blocks when they are first wanted.
import { answer } from "./source.js";
import { paint } from "./pixels.js";

const BLOCK = 100, kept = new Map();

class Thumbnails {
  constructor(run, model) {
    Object.assign(this, { run, model });
    this.blocks = new Map();
  }

  block(first) {
    if (!this.blocks.has(first)) {
      const asked = answer([this.run, this.model, "thumbnails", String(first)]);
      this.blocks.set(first, asked);
      asked.catch(() => { this.blocks.delete(first); }); // the next time it may come
    }
    return this.blocks.get(first);
  }

  // Paints image `i`, unless the canvas is wanted for another one meanwhile; of what cannot be had the canvas is hidden.
  async paint(canvas, i) {
    canvas.dataset.image = i;
    try {
      const { first, count, pictures } = await this.block(Math.floor(i / BLOCK) * BLOCK);
      if (canvas.dataset.image !== String(i)) return;
      const height = pictures.h / count;
      paint(canvas, pictures, "grey", (i - first) * height, height);
      canvas.hidden = false;
    } catch {
      canvas.hidden = true;
    }
  }
}

export function thumbnailsOf(run, model) {
  const key = `${run}/${model}`;
  if (!kept.has(key)) kept.set(key, new Thumbnails(run, model));
  return kept.get(key);
}
