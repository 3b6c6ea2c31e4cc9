// Where answers come from: the server, or, in an exported page, what was kept of them.
const keptElement = document.getElementById("exported");
const keptAnswers = keptElement ? JSON.parse(keptElement.textContent) : null;

export const isLive = keptAnswers === null;

export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function fetched(url, options) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("The server does not answer. Is symae inspect still running?", 0);
  }
  if (response.ok) return response;
  let message = `The server answered ${response.status}.`;
  try { message = (await response.json()).error ?? message; } catch { /* no JSON: the status has to do */ }
  throw new Refusal(message, response.status);
}

function address(parts, query) {
  const text = query ? "?" + Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&") : "";
  return "api/" + parts.map((part) => encodeURIComponent(part)).join("/") + text;
}

function keptAt(parts, query) {
  const path = parts.map((part) => part.replaceAll("%", "%25").replaceAll("/", "%2F").replaceAll("?", "%3F")).join("/") + (query ? "?" + Object.entries(query).map(([key, value]) => `${key}=${value}`).join("&") : "");
  const value = keptAnswers[path];
  if (value === undefined) throw new Refusal("This is not in the exported page: symae inspect shows it.", 404);
  if (value?.refused) throw new Refusal(value.refused, 400);
  return value;
}

// The JSON at a path given by its parts: [0, "model", "filters", "W"].
export async function answer(parts, query = null, signal = undefined) {
  if (!isLive) return keptAt(parts, query);
  return (await fetched(address(parts, query), { signal })).json();
}

export async function answerBlob(parts, query = null) {
  if (isLive) return (await fetched(address(parts, query))).blob();
  return blobOf(keptAt(parts, query));
}

export function blobOf({ base64, type = "image/png" }) {
  return new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type });
}

export async function posted(parts, body) {
  const headers = { "Content-Type": "application/json" };
  return (await fetched(address(parts), { method: "POST", headers, body: JSON.stringify(body) })).json();
}

// A file as it is, of whatever type: the server decodes it.
export async function sentFile(parts, file, query) {
  const headers = { "Content-Type": "application/octet-stream" };
  return (await fetched(address(parts, query), { method: "POST", headers, body: file })).json();
}
