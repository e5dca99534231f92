// The words of the chosen language.

const KEY = "liftctl.language";
const PATIENCE_MS = 5000;
let words = {};
let newest = 0;
export let language = "";

/** The JSON at `path`; an error when there is none in time. */
export async function ask(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(`no ${path}`);
  return answer.json();
}

/** The last choice counts, whichever answer comes last. */
export async function choose(code) {
  const mine = (newest += 1);
  const found = await ask(`/languages/${code}.json`);
  if (mine !== newest) return;
  words = found;
  language = code;
  document.documentElement.lang = code;
  localStorage.setItem(KEY, code);
}

export function remembered(offered) {
  const code = localStorage.getItem(KEY);
  return offered.includes(code) ? code : offered[0];
}

export const has = (key) => key in words;

/** The text of `key`, with {name} filled in; the fallback, or the last part of the key, when there is none. */
export function t(key, values = {}, fallback = null) {
  const text = words[key] ?? fallback ?? key.split(".").pop().replaceAll("_", " ");
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export const number = (value, digits = 0) =>
  value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
