// The page: which run, which model, which tab.
import { answer, isLive } from "./source.js";
import { choice, empty, h, waiting } from "./dom.js";
import { showTab } from "./tabs.js";

const panel = document.getElementById("panel"), problem = document.getElementById("problem"), tabList = document.getElementById("tabs");
const page = { runs: [], tabs: [], run: null, model: null, tab: null, image: 0, leave: [], turn: 0, shown: [] };

function fail(error) {
  problem.replaceChildren(h("p", { className: "problem" }, error.message));
}

function warn(lines) {
  problem.replaceChildren(...lines.map((line) => h("p", { className: "problem" }, line)));
}

// what is true of the whole model and changes what every picture means
function warnings(about) {
  const found = [], [channels, height, width] = about.shape, pixels = channels * height * width;
  if (about.diverged.length) {
    found.push(`This training has diverged: ${about.diverged.join("; ")}. What is NaN or infinite is drawn in magenta.`);
  }
  if (!about.shape_known && about.layers.some((layer) => layer.pixels)) {
    const likely = channels === 3 ? `${height}x${width}x3` : "HxW or HxWx3";
    const drawn = channels === 3 ? `three colours of ${height} × ${width} pixels, one after the other` : `${height} × ${width} grey pixels`;
    found.push(`${pixels} numbers are no square image, and the run does not say how they lie: they are drawn as ${drawn}. If they lie otherwise, symae inspect --shape ${likely} (or what it is) draws them so.`);
  }
  return found;
}

// those of the tabs that have something to show
function showTabs(names) {
  const shown = page.tabs.filter((tab) => names.includes(tab.name));
  page.shown = shown.length ? shown : [modelless()];
  if (!page.shown.some((tab) => tab.name === page.tab)) page.tab = page.shown[0].name;
  const wanted = page.shown.map((tab) => tab.name).join();
  if (tabList.dataset.names !== wanted) {
    tabList.dataset.names = wanted;
    tabs();
  }
  mark(page.tab);
}

function tabs() {
  tabList.replaceChildren(...page.shown.map(({ name: key, title }) => h("button", {
    type: "button", role: "tab", id: `tab-${key}`, "aria-controls": "panel", "aria-selected": String(key === page.tab),
    tabindex: key === page.tab ? 0 : -1, onclick: () => open(key), onkeydown: (event) => tabKey(event, key),
  }, title)));
}

function tabKey(event, key) {
  const keys = page.shown.map((tab) => tab.name), at = keys.indexOf(key), last = keys.length - 1;
  const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  open(keys[to]);
  document.getElementById(`tab-${keys[to]}`).focus();
}

function open(tab) {
  page.tab = tab;
  mark(tab);
  return show();
}

function mark(tab) {
  for (const button of tabList.children) {
    const chosen = button.id === `tab-${tab}`;
    button.setAttribute("aria-selected", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
    if (chosen) button.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  history.replaceState(null, "", `#${tab}`);
}

async function show() {
  const turn = ++page.turn;
  for (const leave of page.leave.splice(0)) leave();
  problem.replaceChildren();
  panel.replaceChildren(waiting("Opening …"));
  delete panel.dataset.ready;
  const context = { run: String(page.run.number), model: page.model, leave: [], fail, live: isLive, running: page.run.running, about: null,
    get image() { return page.image; }, set image(number) { page.image = number; } };
  page.leave = context.leave;
  warn(page.run.problem ? [page.run.problem] : []);
  const content = h("div");
  try {
    if (page.model !== null) context.about = await answer([context.run, page.model, "model"]);
  } catch (error) {
    if (turn !== page.turn) return;
    fail(error);
  }
  if (turn !== page.turn) return;
  showTabs(context.about?.tabs ?? page.run.tabs);
  panel.setAttribute("aria-labelledby", `tab-${page.tab}`);
  panel.dataset.tab = page.tab;
  if (context.about) warn([...(page.run.problem ? [page.run.problem] : []), ...warnings(context.about)]);
  describe(context.about);
  panel.replaceChildren(content);
  try {
    if (context.about || !page.tabs.find((tab) => tab.name === page.tab).needs_model) await showTab(page.tab, content, context);
    else content.append(page.model === null ? empty(...noModel()) : empty("The model cannot be read, for the reason above.", `The tab ${modelless().title} does not need it.`));
  } catch (error) {
    if (turn !== page.turn) return; // another tab is open by now
    fail(error);
    content.replaceChildren(empty("This could not be shown, for the reason above."));
  }
  if (turn === page.turn) panel.dataset.ready = page.tab;
}

function modelless() {
  return page.tabs.find((tab) => !tab.needs_model);
}

function noModel() {
  if (page.run.running) return ["This run has saved no model yet.", `The tab ${modelless().title} shows how far it is.`];
  return [`This run has no saved model; the tab ${modelless().title} has its curves.`, "A checkpoint does not say what model it is of: save it with model.save, into this folder."];
}

function describe(about) {
  document.getElementById("title").textContent = page.run.title;
  const words = [page.run.name];
  if (about) words.push(about.class, Object.entries(about.configuration).map(([k, v]) => `${k} ${v}`).join(", "), `${about.parameters.toLocaleString("en")} parameters`);
  if (about && about.source !== "the saved model") words.push(about.source);
  if (page.run.running) words.push("still running");
  document.getElementById("subtitle").textContent = words.join(" · ");
  document.title = `${page.run.name} – symae inspect`;
}

function choices() {
  const fields = [];
  if (page.runs.length > 1) {
    fields.push(choice("Run", page.runs.map((run) => [String(run.number), run.name]), String(page.run.number), (number) => {
      page.run = page.runs[Number(number)];
      page.model = firstModel(page.run);
      choices();
      show();
    }));
  }
  if (page.run.models.length > 1) {
    const named = page.run.models.map((m) => [m.name, m.label && m.label !== m.name ? `${m.name}: ${m.label}` : m.name]);
    fields.push(choice("Model", named, page.model, (model) => { page.model = model; show(); }));
  }
  document.getElementById("choice").replaceChildren(...fields);
}

function firstModel(run) {
  return (run.models.find((m) => m.name === "model") ?? run.models[0])?.name ?? null;
}

async function begin() {
  try {
    ({ runs: page.runs, tabs: page.tabs } = await answer(["runs"]));
  } catch (error) {
    fail(error);
    return;
  }
  page.run = page.runs[0];
  page.model = firstModel(page.run);
  const asked = location.hash.slice(1);
  const begun = page.model === null ? modelless() : page.tabs[0];
  page.tab = (page.tabs.find((tab) => tab.name === asked) ?? begun).name;
  if (!isLive) document.body.classList.add("exported");
  choices();
  await show();
}

begin();
