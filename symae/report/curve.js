// The pointer reads a chart: a hairline at the nearest x, and the legend shows the values there instead of the last ones.
for (const figure of document.querySelectorAll("figure.curve")) {
  const { label, series } = JSON.parse(figure.querySelector("script").textContent);
  const outputs = [...figure.querySelectorAll("output")];
  const where = figure.querySelector(".where");
  if (!where) continue;
  const atRest = [where.textContent, ...outputs.map((output) => output.textContent)];
  const nearest = (xs, x) => {
    let low = 0, high = xs.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] < x) low = middle; else high = middle;
    }
    return Math.abs(xs[low] - x) <= Math.abs(xs[high] - x) ? low : high;
  };
  for (const svg of figure.querySelectorAll("svg:not(.key)")) {
    const hair = svg.querySelector(".hair");
    const [left, right, low, high] = ["left", "right", "low", "high"].map((key) => Number(svg.dataset[key]));
    // Long series are thinned out one by one: what lies within two pixels is read together.
    const reach = (2 * (high - low)) / (right - left);
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const across = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      const x = low + ((across - left) / (right - left)) * (high - low);
      const found = series.map(([xs]) => (xs.length ? nearest(xs, x) : -1));
      const places = found.flatMap((i, k) => (i < 0 ? [] : [series[k][0][i]]));
      if (!places.length) return;
      const place = places.reduce((a, b) => (Math.abs(b - x) < Math.abs(a - x) ? b : a));
      const at = left + ((place - low) / (high - low)) * (right - left);
      hair.setAttribute("x1", at);
      hair.setAttribute("x2", at);
      hair.setAttribute("visibility", "visible");
      where.textContent = `${label} ${place}`;
      found.forEach((i, k) => {
        outputs[k].textContent = i >= 0 && Math.abs(series[k][0][i] - place) <= reach ? Number(series[k][1][i].toPrecision(6)) : "–";
      });
    });
    svg.addEventListener("pointerleave", () => {
      hair.setAttribute("visibility", "hidden");
      [where, ...outputs].forEach((element, k) => { element.textContent = atRest[k]; });
    });
  }
}
